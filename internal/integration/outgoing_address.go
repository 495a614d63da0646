package integration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// An Address is the URI of an HTTP backend with names in it to fill in:
//
//	http://pets.example/{species}/toys?owner={owner}
//
// It does not change once it is made.
type Address struct {
	uri   *uriTemplate
	names []string
	// target is the path with the query, if nothing is to be filled in there.
	target string
	via    string // names a dialer
	pool   *pool  // of a fixed host, if a Client has made it
}

// A Parameter is one of a query. Names may repeat.
type Parameter struct {
	Name, Value string
	// Escaped says that Value is one that EscapeValue has returned, and is written as it is.
	Escaped bool
}

// EscapeValue returns a text as the value of a parameter in a query, whose author may have
// escaped it already: plus signs, and percent signs with two digits behind them, stay.
func EscapeValue(text string) string {
	var b []byte
	for i := range len(text) {
		if c := text[i]; c == '+' || c == '%' && i+2 < len(text) && hexDigit(text[i+1]) && hexDigit(text[i+2]) {
			b = append(b, c)
		} else {
			b = appendEscaped(b, text[i:i+1], &queryByte)
		}
	}
	return string(b)
}

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// ParseAddress reads a URI whose stage variables are filled in. The error says what in it
// cannot work.
func ParseAddress(uri string) (*Address, error) {
	names, err := placeholders(uri)
	if err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", uri, err)
	}
	u, err := parseURI(uri, names)
	if err != nil {
		return nil, err
	}
	a := &Address{uri: u, names: names}
	if constant(u.path) && constant(u.query) {
		a.target = a.appendTarget(nil, nil)
	}
	return a, nil
}

// Address reads a URI like ParseAddress. If its host is fixed, the connections there are
// kept for as long as the address is.
func (c *Client) Address(uri string) (*Address, error) { return c.AddressVia(uri, "") }

// AddressVia reads a URI like Address. Connections there are made by the dialer that
// ClientConfig.Dialers has under the name via; "" is none. A name that it does not have is
// an error.
func (c *Client) AddressVia(uri, via string) (*Address, error) {
	if _, err := c.via(via); err != nil {
		return nil, err
	}
	a, err := ParseAddress(uri)
	if err != nil {
		return nil, err
	}
	a.via, a.uri.to.Via = via, via
	if a.uri.fixed {
		a.pool = c.pool(a.uri.to)
	}
	return a, nil
}

// placeholders returns the names in a URI, each once, in the order in which they come.
func placeholders(uri string) (names []string, err error) {
	rest, _, _ := strings.Cut(uri, "#")
	for found := false; ; {
		if _, rest, found = strings.Cut(rest, "{"); !found {
			return names, nil
		}
		var name string
		if name, rest, found = strings.Cut(rest, "}"); !found {
			return nil, errors.New(`unclosed "{"`)
		}
		name = strings.TrimSuffix(name, "+")
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f || !nameByte[r] }) {
			return nil, fmt.Errorf("%q is not the name of a path parameter", name)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
}

func constant(parts []part) bool {
	return !slices.ContainsFunc(parts, func(p part) bool { return p.variable >= 0 })
}

// Names returns the names to fill in, in the order in which Fill takes their values. The
// caller does not change it.
func (a *Address) Names() []string { return a.names }

// Fill says where a request goes: it sets To, Authority and Target. values are those of
// Names; one that is missing or empty is an error. A value is one segment of the path,
// slashes included, or a part of one, and cannot make a segment that leads elsewhere. The
// parameters stand behind those of the URI. The error is a gateway error.
func (a *Address) Fill(o *Outgoing, values []string, parameters []Parameter) error {
	if err := a.check(values); err != nil {
		return gateway.InternalError(err)
	}
	o.To, o.Authority, o.pool = a.uri.to, a.uri.authority, a.pool
	if !a.uri.fixed {
		var err error
		if o.To, o.Authority, err = parseAuthority(string(fillParts(nil, a.uri.host, values)), a.uri.tls); err != nil {
			return gateway.InternalError(err)
		}
		o.To.Via = a.via
	}
	if o.Target = a.target; o.Target == "" || len(parameters) > 0 {
		o.Target = a.appendTarget(values, parameters)
	}
	return nil
}

// check refuses values that must not be filled in.
func (a *Address) check(values []string) error {
	for i, name := range a.names {
		if i >= len(values) || values[i] == "" {
			return fmt.Errorf("there is no value for {%s} of the integration URI", name)
		}
	}
	for i := range a.uri.path {
		if v := a.uri.path[i].variable; v >= 0 && !a.uri.loose && !mapping.SafePath(values[v]) {
			return fmt.Errorf("the value for {%s} of the integration URI makes a dot segment or has characters that no path has", a.names[v])
		}
	}
	if a.uri.loose && !mapping.SafePath(string(fillParts(nil, a.uri.path, values))) {
		return errLeaves
	}
	return nil
}

// appendTarget returns the path and the query, escaped.
func (a *Address) appendTarget(values []string, parameters []Parameter) string {
	var room [512]byte
	b := appendParts(room[:0], a.uri.path, values, &segmentByte)
	separator := byte('?')
	if a.uri.hasQuery {
		b = append(b, '?')
		at := len(b)
		if b = appendParts(b, a.uri.query, values, &queryByte); len(b) > at {
			separator = '&'
		} else {
			separator = 0
		}
	}
	for i := range parameters {
		if separator != 0 {
			b = append(b, separator)
		}
		separator = '&'
		b = appendEscaped(b, parameters[i].Name, &queryByte)
		b = append(b, '=')
		if parameters[i].Escaped {
			b = append(b, parameters[i].Value...)
		} else {
			b = appendEscaped(b, parameters[i].Value, &queryByte)
		}
	}
	return string(b)
}

// appendParts fills in values, escaped but for the plain characters.
func appendParts(b []byte, parts []part, values []string, plain *[256]bool) []byte {
	for i := range parts {
		if p := &parts[i]; p.variable < 0 {
			b = append(b, p.text...)
		} else {
			b = appendEscaped(b, values[p.variable], plain)
		}
	}
	return b
}

// fillParts fills in values as they are.
func fillParts(b []byte, parts []part, values []string) []byte {
	for i := range parts {
		if p := &parts[i]; p.variable < 0 {
			b = append(b, p.text...)
		} else {
			b = append(b, values[p.variable]...)
		}
	}
	return b
}

// segmentByte holds the characters that stand for themselves in a value that is one
// segment of a path (RFC 3986, unreserved), nameByte those of names of path parameters.
var segmentByte, nameByte = func() (segment, name [256]bool) {
	for c := range 0x80 {
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		segment[c] = alnum || strings.ContainsRune("-._~", rune(c))
		name[c] = alnum || strings.ContainsRune("._$-", rune(c))
	}
	return segment, name
}()
