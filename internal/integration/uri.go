package integration

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"penstock/internal/gateway"
)

// A uriTemplate is the URI of an HTTP integration, taken apart when the stage is
// compiled: stage variables are filled in, path variables are left to fill.
//
//	uri  = scheme "://" host [ ":" port ] [ "/" path ] [ "?" query ]
//	part = text | "{" variable "}"
type uriTemplate struct {
	tls   bool
	host  []part // with the port, if given
	path  []part // with the leading slash, without a trailing one if appended to
	query []part // without the "?"

	hasQuery bool

	// loose says that a path variable does not fill whole segments, so that its value
	// and what stands beside it may together make a dot segment.
	loose bool

	// fixed is the target when the host holds no variable.
	fixed bool
	to    Target
	// authority is the Host field sent, when the host holds no variable.
	authority string
}

// A part is a piece of text, or the value of a path variable.
type part struct {
	text string
	// variable is the index of a path variable of the route, -1 for text.
	variable int
}

// ExpandStageVariables replaces each ${stageVariables.name} in s. A variable that
// the stage does not have is an error.
func ExpandStageVariables(s string, variables map[string]string) (string, error) {
	const open = "${stageVariables."
	if !strings.Contains(s, open) {
		return s, nil
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, open)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(rest, "}")
		if !closed {
			return "", errors.New(`unclosed "${stageVariables."`)
		}
		value, ok := variables[name]
		if !ok {
			return "", fmt.Errorf("the stage has no variable %q", name)
		}
		b.WriteString(value)
		s = rest
	}
}

// parseURI compiles an integration URI. vars are the path variables of the route.
func parseURI(uri string, vars []string) (*uriTemplate, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	u := &uriTemplate{}
	switch {
	case ok && strings.EqualFold(scheme, "http"):
	case ok && strings.EqualFold(scheme, "https"):
		u.tls = true
	default:
		return nil, fmt.Errorf("integration URI %q is not an http or https URL", uri)
	}
	for i := range len(rest) {
		if rest[i] <= ' ' || rest[i] == 0x7f || rest[i] == '\\' {
			return nil, fmt.Errorf("integration URI %q: offset %d: character not allowed", uri, len(uri)-len(rest)+i)
		}
	}
	rest, _, _ = strings.Cut(rest, "#")
	var query string
	rest, query, u.hasQuery = strings.Cut(rest, "?")
	host, path := rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if strings.Contains(host, "@") {
		return nil, fmt.Errorf("integration URI %q: user information is not supported", uri)
	}
	var err error
	if u.host, err = parseParts(host, vars); err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	}
	if u.path, err = parseParts(path, vars); err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	}
	u.loose = looseParts(u.path)
	if u.query, err = parseParts(query, vars); err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	}
	if len(u.host) == 1 && u.host[0].variable < 0 {
		u.fixed = true
		if u.to, u.authority, err = parseAuthority(host, u.tls); err != nil {
			return nil, fmt.Errorf("integration URI %q: %w", uri, err)
		}
	} else if len(u.host) == 0 {
		return nil, fmt.Errorf("integration URI %q has no host", uri)
	}
	return u, nil
}

func parseParts(s string, vars []string) ([]part, error) {
	var parts []part
	for s != "" {
		before, rest, found := strings.Cut(s, "{")
		if before != "" {
			parts = append(parts, part{string(appendEscaped(nil, before, &asciiByte)), -1})
		}
		if !found {
			break
		}
		name, rest, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New(`unclosed "{"`)
		}
		i := indexOf(vars, strings.TrimSuffix(name, "+"))
		if i < 0 {
			return nil, fmt.Errorf("the route has no path variable {%s}", name)
		}
		parts = append(parts, part{"", i})
		s = rest
	}
	return parts, nil
}

// looseParts reports whether a path variable has anything but slashes or the ends of
// the path beside it.
func looseParts(path []part) bool {
	for i := range path {
		if path[i].variable >= 0 &&
			(i > 0 && !strings.HasSuffix(path[i-1].text, "/") || i+1 < len(path) && !strings.HasPrefix(path[i+1].text, "/")) {
			return true
		}
	}
	return false
}

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

// parseAuthority reads host [":" port]. The authority it returns leaves out the
// default port, as clients do.
func parseAuthority(s string, tls bool) (Target, string, error) {
	t := Target{TLS: tls, Port: 80}
	if tls {
		t.Port = 443
	}
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
	}
	if strings.HasPrefix(host, "[") {
		a, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		if err != nil || !a.Is6() || a.Zone() != "" || !strings.HasSuffix(host, "]") {
			return t, "", fmt.Errorf("bad host %q", host)
		}
		t.Host = a.String()
	} else {
		for i := range len(host) {
			c := host[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
				return t, "", fmt.Errorf("bad host %q", host)
			}
		}
		t.Host = strings.ToLower(host)
	}
	if t.Host == "" {
		return t, "", errors.New("no host")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return t, "", fmt.Errorf("bad port %q", port)
		}
		if uint16(n) == t.Port {
			return t, host, nil
		}
		t.Port = uint16(n)
		return t, host + ":" + port, nil
	}
	return t, host, nil
}

// trimSlash removes a slash at the end of the path: the path that is appended
// brings its own.
func (u *uriTemplate) trimSlash() {
	if last := &u.path[len(u.path)-1]; last.variable < 0 {
		last.text = strings.TrimSuffix(last.text, "/")
	}
}

// appendPath fills in the values of path variables, escaped so that a value stays
// what it is: text of segments. Slashes separate segments and stay.
func appendPath(b []byte, parts []part, x *gateway.Exchange) []byte {
	for i := range parts {
		b = appendPart(b, &parts[i], x, &pathByte)
	}
	return b
}

// fillPath fills in the values of path variables as they are.
func fillPath(b []byte, parts []part, x *gateway.Exchange) []byte {
	for i := range parts {
		if p := &parts[i]; p.variable < 0 {
			b = append(b, p.text...)
		} else {
			b = append(b, x.Vars.At(p.variable)...)
		}
	}
	return b
}

// appendQuery fills in the values of path variables, escaped so that a value
// cannot begin another parameter.
func appendQuery(b []byte, parts []part, x *gateway.Exchange) []byte {
	for i := range parts {
		b = appendPart(b, &parts[i], x, &queryByte)
	}
	return b
}

func appendPart(b []byte, p *part, x *gateway.Exchange, plain *[256]bool) []byte {
	if p.variable < 0 {
		return append(b, p.text...)
	}
	return appendEscaped(b, x.Vars.At(p.variable), plain)
}

const upperHex = "0123456789ABCDEF"

// appendEscaped escapes all bytes that do not stand for themselves.
func appendEscaped(b []byte, s string, plain *[256]bool) []byte {
	for i := range len(s) {
		c := s[i]
		if plain[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// appendRawPath appends an escaped path as it was received. Bytes outside ASCII,
// which some clients send as they are, are escaped.
func appendRawPath(b []byte, s string) []byte { return appendEscaped(b, s, &asciiByte) }

// pathByte holds the characters that stand for themselves in a path (RFC 3986,
// pchar and "/"), queryByte those that do in a parameter of a query, asciiByte all
// of ASCII.
var pathByte, queryByte, asciiByte = func() (path, query, ascii [256]bool) {
	for c := range 0x80 {
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		path[c] = alnum || strings.ContainsRune("-._~!$&'()*+,;=:@/", rune(c))
		query[c] = alnum || strings.ContainsRune("-._~/:@", rune(c))
		ascii[c] = true
	}
	return path, query, ascii
}()
