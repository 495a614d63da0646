package sigv4

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A request is what a signature covers, apart from the body.
type request struct {
	method        string
	path          string // escaped as on the wire
	query         []param
	host          string
	header        http.Header
	contentLength int64
}

// A param is one name and value of a query, both encoded as canonical queries
// have them.
type param struct {
	name, value string
}

// newRequest reads r. The request target of a received request comes from
// r.RequestURI, because r.URL may be escaped in another way; that of a request to
// be sent comes from r.URL.
func newRequest(r *http.Request) (*request, *Error) {
	m := &request{method: r.Method, host: r.Host, header: r.Header, contentLength: r.ContentLength}
	var rawQuery string
	switch {
	case strings.HasPrefix(r.RequestURI, "/"):
		m.path, rawQuery, _ = strings.Cut(r.RequestURI, "?")
	case r.URL != nil:
		m.path, rawQuery = r.URL.EscapedPath(), r.URL.RawQuery
		if m.host == "" {
			m.host = r.URL.Host
		}
	default:
		return nil, incomplete("The request target is %q, want a path.", r.RequestURI)
	}
	if m.path == "" {
		m.path = "/"
	}
	if rawQuery == "" {
		return m, nil
	}
	m.query = make([]param, 0, strings.Count(rawQuery, "&")+8) // 8: room for those of Presign
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		p := param{}
		var ok1, ok2 bool
		p.name, ok1 = canonicalComponent(name)
		p.value, ok2 = canonicalComponent(value)
		if !ok1 || !ok2 {
			return nil, incomplete("The query parameter %q has an invalid percent escape.", pair)
		}
		m.query = append(m.query, p)
	}
	return m, nil
}

// canonicalComponent decodes a name or value of a query, with "+" for a space,
// and encodes it again: everything but letters, digits and "-._~" as %XX in upper
// case. It reports false if there is an invalid escape.
func canonicalComponent(s string) (string, bool) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f || !unreserved[r] }) {
		return s, true
	}
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return "", false
	}
	return string(appendEncoded(make([]byte, 0, len(s)+8), decoded, false)), true
}

// get returns the decoded value of the query parameter name and how often it
// occurs.
func (m *request) get(name string) (value string, count int) {
	for _, p := range m.query {
		if p.name == name {
			value = p.value
			count++
		}
	}
	if strings.IndexByte(value, '%') >= 0 {
		value, _ = url.PathUnescape(value) // canonicalComponent made the escapes
	}
	return value, count
}

// values returns the values of a header, given in lower case, in the order of
// arrival.
func (m *request) values(name string) []string {
	switch name {
	case "host":
		return []string{m.host}
	case "content-length":
		// The server may keep the length in its own field only.
		if m.contentLength >= 0 && len(m.header["Content-Length"]) == 0 {
			return []string{strconv.FormatInt(m.contentLength, 10)}
		}
	}
	return m.header[textproto.CanonicalMIMEHeaderKey(name)]
}

// appendCanonical appends the canonical request:
//
//	method, path, query, one line for each signed header, an empty line,
//	the names of the signed headers, the hash of the body
//
// The path is encoded once more, so that %2F becomes %252F, unless encodeOnce is
// set. It is not normalised: "//", "/./" and "/../" stay, because they also stay
// when the request is routed. It sorts the query; X-Amz-Signature is left out. It
// returns an error if a signed header is missing.
func (m *request) appendCanonical(b []byte, signedHeaders, payloadHash string, encodeOnce bool) ([]byte, *Error) {
	b = append(b, m.method...)
	b = append(b, '\n')
	if encodeOnce {
		b = append(b, m.path...)
	} else {
		b = appendEncoded(b, m.path, true)
	}
	b = append(b, '\n')
	b = m.appendQuery(b)
	b = append(b, '\n')
	for name := range strings.SplitSeq(signedHeaders, ";") {
		values := m.values(name)
		if len(values) == 0 {
			return nil, invalid("The signed header '%s' is not in the request.", name)
		}
		b = append(b, name...)
		for i, value := range values {
			separator := byte(',')
			if i == 0 {
				separator = ':'
			}
			b = append(b, separator)
			b = appendTrimmed(b, value)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, signedHeaders...)
	b = append(b, '\n')
	return append(b, payloadHash...), nil
}

func (m *request) appendQuery(b []byte) []byte {
	slices.SortFunc(m.query, func(p, q param) int {
		return cmp.Or(strings.Compare(p.name, q.name), strings.Compare(p.value, q.value))
	})
	first := true
	for _, p := range m.query {
		if p.name == "X-Amz-Signature" {
			continue
		}
		if !first {
			b = append(b, '&')
		}
		first = false
		b = append(b, p.name...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

// appendTrimmed appends the value of a header without white space around it and
// with one space for many.
func appendTrimmed(b []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	for {
		i := strings.Index(value, "  ")
		if i < 0 {
			return append(b, value...)
		}
		b = append(b, value[:i+1]...)
		value = strings.TrimLeft(value[i:], " ")
	}
}

// unreserved holds the characters that are never escaped.
var unreserved = func() (table [128]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" {
		table[c] = true
	}
	return table
}()

// appendEncoded appends s with everything escaped that is not unreserved.
func appendEncoded(b []byte, s string, keepSlashes bool) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c < 0x80 && unreserved[c] || c == '/' && keepSlashes {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&0xf])
		}
	}
	return b
}

// hexHash returns the SHA-256 of b in lower-case hexadecimal.
func hexHash(b []byte) string {
	hash := sha256.Sum256(b)
	return hex.EncodeToString(hash[:])
}

// appendStringToSign appends what the signing key signs.
func appendStringToSign(b []byte, timestamp string, s scope, canonical []byte) []byte {
	b = append(b, algorithm+"\n"...)
	b = append(b, timestamp...)
	b = append(b, '\n')
	b = s.append(b)
	b = append(b, '\n')
	hash := sha256.Sum256(canonical)
	return hex.AppendEncode(b, hash[:])
}
