package gateway

import (
	"bytes"
	"errors"
	"math"
	"strings"

	"penstock/internal/route"
)

// A request head is parsed once, here, and strictly: what proxies are known to
// disagree about is refused before anything else sees it. fasthttp's own parser
// is stricter than net/http's but lets through Content-Length beside
// Transfer-Encoding, folded lines, a target whose authority differs from Host,
// and odd versions; see docs/design. Whatever this parser accepts, fasthttp and
// net/http read the same way: a fuzz target holds that.

// Limits on a head, from the quotas of the service.
const (
	// maxHead bounds the request line and the field values together.
	maxHead = 10240
	// maxFields bounds the number of field lines.
	maxFields = 100
	// maxRawHead bounds the bytes of a head, names and punctuation included.
	maxRawHead = 32 << 10
)

// A HeadScanner finds the end of a head, a request's or a response's, in a buffer
// that grows. It refuses a line that does not end with CR LF as soon as it sees
// one.
type HeadScanner struct {
	scanned int // everything before has been looked at
	line    int // where the current line starts
}

var errLineEnd = errors.New("line without CR LF")

// End returns the length of the head, or 0 if more bytes are needed.
func (s *HeadScanner) End(b []byte) (int, error) {
	for s.scanned < len(b) {
		i := bytes.IndexByte(b[s.scanned:], '\n')
		if i < 0 {
			s.scanned = len(b)
			return 0, nil
		}
		i += s.scanned
		if i == 0 || b[i-1] != '\r' {
			return 0, errLineEnd
		}
		empty := i-1 == s.line
		s.scanned, s.line = i+1, i+1
		if empty && i > 1 {
			return i + 1, nil
		}
	}
	return 0, nil
}

// framing is what a head says about its body and connection.
type framing struct {
	length    int64 // -1: chunked
	close     bool
	keepAlive bool
	expect    bool // Expect: 100-continue
}

// parse reads a whole head, which ends with an empty line, into r. The strings
// of r point into head.
func (r *Request) parse(head []byte) (framing, error) {
	var f framing
	if head[0] == '\r' && head[1] == '\n' {
		head = head[2:] // one empty line before a request is allowed (RFC 9112, 2.2)
	}
	i := bytes.IndexByte(head, '\n')
	if i < 1 {
		return f, closing(errBadRequest, "empty request line")
	}
	line := head[:i-1]
	if len(line) > maxHead {
		return f, closing(errTargetLong, "request line too long")
	}
	if err := r.parseLine(line); err != nil {
		return f, err
	}
	size := len(line)
	var seen struct{ length, coding, host bool }
	for rest := head[i+1:]; ; {
		i := bytes.IndexByte(rest, '\n')
		line := rest[:i-1]
		rest = rest[i+1:]
		if len(line) == 0 {
			break
		}
		if len(r.Header) == maxFields {
			return f, closing(errHeaderLarge, "too many header fields")
		}
		field, err := ParseField(line)
		if err != nil {
			return f, refuse(err)
		}
		if size += len(field.Value); size > maxHead {
			return f, closing(errHeaderLarge, "header fields too large")
		}
		r.Header = append(r.Header, field)
		switch len(field.Name) {
		case len("Host"):
			if EqualFold(field.Name, "Host") {
				if seen.host || !validHost(field.Value) {
					return f, closing(errBadRequest, "bad Host")
				}
				seen.host = true
				r.Host = field.Value
			}
		case len("Expect"):
			if EqualFold(field.Name, "Expect") {
				if !EqualFold(field.Value, "100-continue") {
					return f, closing(errExpectation, "unknown expectation")
				}
				f.expect = r.Minor > 0
			}
		case len("Connection"):
			if EqualFold(field.Name, "Connection") {
				tokens(field.Value, func(t string) {
					f.close = f.close || EqualFold(t, "close")
					f.keepAlive = f.keepAlive || EqualFold(t, "keep-alive")
				})
			}
		case len("Content-Length"):
			if EqualFold(field.Name, "Content-Length") {
				n, ok := ParseLength(field.Value)
				if !ok || seen.length {
					return f, closing(errBadRequest, "bad Content-Length")
				}
				seen.length = true
				f.length = n
			}
		case len("Transfer-Encoding"):
			if EqualFold(field.Name, "Transfer-Encoding") {
				if seen.coding || r.Minor == 0 || !EqualFold(field.Value, "chunked") {
					return f, closing(errBadRequest, "bad Transfer-Encoding")
				}
				seen.coding = true
			}
		}
	}
	if seen.length && seen.coding {
		return f, closing(errBadRequest, "Content-Length beside Transfer-Encoding")
	}
	if !seen.host && r.Minor > 0 {
		return f, closing(errBadRequest, "no Host")
	}
	if seen.coding {
		f.length = -1
	}
	r.ContentLength = f.length
	if r.Minor == 0 && !f.keepAlive {
		f.close = true
	}
	return f, r.parseTarget()
}

// parseLine reads
//
//	method SP target SP "HTTP/" version
func (r *Request) parseLine(line []byte) error {
	i := bytes.IndexByte(line, ' ')
	if i <= 0 {
		return closing(errBadRequest, "malformed request line")
	}
	r.Method = text(line[:i])
	j := bytes.LastIndexByte(line, ' ')
	if j <= i+1 {
		return closing(errBadRequest, "malformed request line")
	}
	r.Target = text(line[i+1 : j])
	switch v := text(line[j+1:]); {
	case v == "HTTP/1.1":
		r.Minor = 1
	case v == "HTTP/1.0":
		r.Minor = 0
	case otherVersion(v):
		return closing(errVersion, "version is not HTTP/1.0 or HTTP/1.1")
	default:
		return closing(errBadRequest, "malformed request line")
	}
	if !KnownMethod(r.Method) {
		for i := 0; i < len(r.Method); i++ {
			if !tokenByte[r.Method[i]] {
				return closing(errBadRequest, "malformed method")
			}
		}
		return closing(errMethod, "method is not served")
	}
	return checkTarget(r.Target)
}

// checkTarget refuses characters that a target never has.
func checkTarget(t string) error {
	for i := 0; i < len(t); i++ {
		// A fragment is never sent, and a backslash is a slash to some backends.
		if c := t[i]; c <= ' ' || c == 0x7f || c == '#' || c == '\\' {
			return closing(errBadRequest, "malformed target")
		}
	}
	return nil
}

// otherVersion reports whether v is a version of HTTP that is not served.
func otherVersion(v string) bool {
	v, ok := strings.CutPrefix(v, "HTTP/")
	return ok && v != "" && strings.Trim(v, ".0123456789") == ""
}

// KnownMethod reports whether a method is served, and sent to backends: those that
// route keys can name.
func KnownMethod(m string) bool { return route.KnownMethod(m) }

// parseTarget takes the origin form or the absolute form apart; the authority
// of the latter must be the Host.
func (r *Request) parseTarget() error {
	t := r.Target
	if t[0] != '/' {
		scheme, rest, ok := strings.Cut(t, "://")
		if !ok || !(EqualFold(scheme, "http") || EqualFold(scheme, "https")) {
			return closing(errBadRequest, "malformed target")
		}
		authority, path := rest, ""
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			authority, path = rest[:i], rest[i:]
		}
		if !EqualFold(authority, r.Host) {
			return closing(errBadRequest, "target and Host disagree")
		}
		t = path
	}
	r.Path, r.Query, _ = strings.Cut(t, "?")
	if r.Path == "" {
		r.Path = "/"
	}
	return nil
}

var (
	errField   = errors.New("malformed header field")
	errControl = errors.New("control byte in a header field")
)

// ParseField reads a field line, without its CR LF:
//
//	name ":" OWS value OWS
//
// The strings of the result point into line. A line that starts with white space would continue the one before (obsolete
// folding) and is refused.
func ParseField(line []byte) (Field, error) {
	i := 0
	for i < len(line) && tokenByte[line[i]] {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return Field{}, errField
	}
	v := line[i+1:]
	for len(v) > 0 && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for len(v) > 0 && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return Field{}, errControl
		}
	}
	return Field{text(line[:i]), text(v)}, nil
}

// ParseLength reads a Content-Length: digits only, no leading zero.
func ParseLength(s string) (int64, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 || n > (math.MaxInt64-int64(d))/10 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// validHost accepts host [":" port], with a name, an IPv4 address or an IPv6
// address in brackets; nothing that another parser could read as userinfo, a
// path or a list.
func validHost(h string) bool {
	if h == "" {
		return false
	}
	host := h
	if h[0] == '[' {
		i := strings.IndexByte(h, ']')
		if i < 0 {
			return false
		}
		for _, c := range []byte(h[1:i]) {
			if !(c == ':' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return false
			}
		}
		host = h[i+1:]
	} else {
		i := 0
		for i < len(h) && hostByte[h[i]] {
			i++
		}
		if i == 0 {
			return false
		}
		host = h[i:]
	}
	if host == "" {
		return true
	}
	if host[0] != ':' || len(host) > 6 {
		return false
	}
	for _, c := range []byte(host[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// tokens calls f for each element of a comma-separated list of tokens.
func tokens(list string, f func(string)) {
	for list != "" {
		var t string
		t, list, _ = strings.Cut(list, ",")
		if t = strings.Trim(t, " \t"); t != "" {
			f(t)
		}
	}
}

// tokenByte holds the characters of a field name or method (RFC 9110, 5.6.2);
// hostByte those of a host name, underscore included because private names use it.
var tokenByte, hostByte [256]bool

func init() {
	for c := range 256 {
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		tokenByte[c] = alnum || strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) && c < 0x80
		hostByte[c] = alnum || c == '-' || c == '.' || c == '_'
	}
}
