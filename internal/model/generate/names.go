package main

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// initialisms are the words of the model that Go code writes in capitals.
var initialisms = map[string]string{
	"Api": "API", "Apis": "APIs", "Arn": "ARN", "Arns": "ARNs", "Id": "ID", "Ids": "IDs",
	"Jwt": "JWT", "Tls": "TLS", "Ttl": "TTL", "Uri": "URI",
}

// goName returns the Go name of a shape or member: ApiId becomes APIID.
func goName(name string) string {
	var b strings.Builder
	for _, word := range words(name) {
		if upper := initialisms[word]; upper != "" {
			word = upper
		}
		b.WriteString(word)
	}
	return b.String()
}

// words cuts a name before every capital that starts a word.
func words(name string) []string {
	var list []string
	start := 0
	runes := []rune(strings.ToUpper(name[:1]) + name[1:])
	for i := 1; i < len(runes); i++ {
		starts := unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) ||
			unicode.IsUpper(runes[i]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if starts {
			list = append(list, string(runes[start:i]))
			start = i
		}
	}
	return append(list, string(runes[start:]))
}

// enumName returns the Go name of an enum value: HTTP_PROXY becomes HTTPProxy.
func enumName(value string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(value, "_") {
		switch word {
		case "API", "AWS", "HTTP", "IAM", "JWT", "TLS", "VPC":
			b.WriteString(word)
		default:
			b.WriteString(strings.ToUpper(word[:1]) + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

// shapeVar returns the name of the variable that holds a shape: __string
// becomes shapeString.
func shapeVar(name string) string {
	var b strings.Builder
	b.WriteString("shape")
	for part := range strings.SplitSeq(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
