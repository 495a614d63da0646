package gateway

import (
	"net/url"
	"strings"
)

// sensitiveWords are in the names of header fields and parameters that hold
// credentials.
var sensitiveWords = [...]string{"auth", "cookie", "token", "secret", "key", "passw", "session", "credential", "signature", "assertion"}

// sensitiveByStart has the words by their first bytes: most bytes of most names begin
// none.
var sensitiveByStart = func() (by [256][]string) {
	for _, word := range sensitiveWords {
		by[word[0]] = append(by[word[0]], word)
	}
	return by
}()

// Sensitive reports whether a name of a header field or parameter is that of a credential,
// whose value must not be shown.
func Sensitive(name string) bool {
	for i := 0; i < len(name); i++ {
		for _, word := range sensitiveByStart[lower(name[i])] {
			if len(name)-i >= len(word) && EqualFold(name[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

// jwtStart is how a token begins that is a JWT.
const jwtStart = "eyJ"

// minSecret is how long a value must be for it to be looked for in others.
const minSecret = 4

// holdsSecret reports whether a value has in it one of the secrets of the request, or
// looks like a token.
func (s *slot) holdsSecret(value string) bool {
	if len(value) < len(jwtStart) {
		return false
	}
	if strings.Contains(value, jwtStart) {
		return true
	}
	for _, secret := range s.secrets {
		if strings.Contains(value, secret) {
			return true
		}
	}
	return false
}

// AppendSecrets adds what the sensitive fields and query parameters of the request hold, as
// it came and without what is around it, and returns the list. A scheme before the
// credentials of a field, such as Bearer, need not be there. The texts are the request's.
func (x *Exchange) AppendSecrets(list []string) []string {
	add := func(secret string) {
		if len(secret) >= minSecret {
			list = append(list, secret)
		}
	}
	for i := range x.Request.Header {
		f := &x.Request.Header[i]
		if !Sensitive(f.Name) {
			continue
		}
		add(f.Value)
		if _, credentials, ok := strings.Cut(f.Value, " "); ok {
			add(strings.TrimSpace(credentials))
		}
	}
	for rest := x.Request.Query; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		name, secret, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(name, "%+") {
			if decoded, err := url.QueryUnescape(name); err == nil {
				name = decoded
			}
		}
		if !Sensitive(name) {
			continue
		}
		add(secret)
		if strings.ContainsAny(secret, "%+") {
			if decoded, err := url.QueryUnescape(secret); err == nil {
				add(decoded)
			}
		}
	}
	return list
}
