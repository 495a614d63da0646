package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"penstock/internal/gateway"
)

// The formats of access logs that the console of the service offers.
const (
	FormatCLF  = `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`
	FormatJSON = `{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod","routeKey":"$context.routeKey", "status":"$context.status","protocol":"$context.protocol", "responseLength":"$context.responseLength" }`
	FormatXML  = `<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip> <requestTime>$context.requestTime</requestTime> <httpMethod>$context.httpMethod</httpMethod> <routeKey>$context.routeKey</routeKey> <status>$context.status</status> <protocol>$context.protocol</protocol> <responseLength>$context.responseLength</responseLength> </request>`
	FormatCSV  = `$context.identity.sourceIp,$context.requestTime,$context.httpMethod,$context.routeKey,$context.protocol,$context.status,$context.responseLength,$context.requestId`
)

// maxEntry is the longest line of an access log in bytes, a quota of the service.
const maxEntry = 1 << 20

// A Format is a compiled format of an access log. It never changes.
type Format struct{ pieces []piece }

// ParseFormat parses the format of an access log:
//
//	format = { text | "$context." variable }
//
// The name of a variable is as long as letters, digits, "_" and "." go; dots at its
// end are text.
func ParseFormat(s string) (*Format, error) {
	const open = "$context."
	f := &Format{}
	from := 0 // where the text begins that has not been kept
	for at := 0; ; {
		i := strings.Index(s[at:], open)
		if i < 0 {
			break
		}
		start := at + i + len(open)
		at = start
		for at < len(s) && inName(s[at]) {
			at++
		}
		name := strings.TrimRight(s[start:at], ".")
		at = start + len(name)
		if name == "" {
			continue
		}
		value, err := variable(name)
		if err != nil {
			return nil, fmt.Errorf("access log format: offset %d: %w", start, err)
		}
		if text := s[from : start-len(open)]; text != "" {
			f.pieces = append(f.pieces, piece{text: text})
		}
		f.pieces = append(f.pieces, piece{name, value})
		from = at
	}
	if from < len(s) {
		f.pieces = append(f.pieces, piece{text: s[from:]})
	}
	return f, nil
}

func inName(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.'
}

// Append appends the line of an exchange, without a line end. What has no value is
// "-". Values stand as they are, but for control characters: each becomes a space, so
// that an exchange has one line. What is longer than 1 MB is cut off.
func (f *Format) Append(b []byte, x *gateway.Exchange) []byte {
	start := len(b)
	for i := range f.pieces {
		p := &f.pieces[i]
		if p.value == nil {
			b = append(b, p.text...)
		} else {
			from := len(b)
			if b, _ = p.value(b, x); len(b) == from {
				b = append(b, '-')
			}
			for k := from; k < len(b); k++ {
				if isControl(b[k]) {
					b[k] = ' '
				}
			}
		}
		if len(b)-start > maxEntry {
			end := start + maxEntry
			for end > start && !utf8.RuneStart(b[end]) {
				end--
			}
			return b[:end]
		}
	}
	return b
}

// String returns the format as it was written.
func (f *Format) String() string {
	var b strings.Builder
	for _, p := range f.pieces {
		if p.value != nil {
			b.WriteString("$context.")
		}
		b.WriteString(p.text)
	}
	return b.String()
}
