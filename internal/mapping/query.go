package mapping

import (
	"strings"

	"penstock/internal/gateway"
)

// A Parameter is one name and value of a query. Names and values are decoded: percent
// escapes, and "+" for a space. A parameter with a malformed escape stays as it is,
// name and value.
type Parameter struct {
	// Raw is the parameter as it came, not empty.
	Raw string
	// name and value are still escaped unless plain. The name ends at the first "=";
	// without one there is no value.
	name, value string
	plain       bool
}

// NextParameter returns the first parameter of a query, and what follows it. Only "&"
// separates parameters. Empty ones are skipped; at the end of the query Raw is empty.
func NextParameter(query string) (p Parameter, rest string) {
	for query != "" {
		p.Raw, query, _ = strings.Cut(query, "&")
		if p.Raw == "" {
			continue
		}
		p.name, p.value, _ = strings.Cut(p.Raw, "=")
		p.plain = !escaped(p.Raw) || malformed(p.Raw)
		return p, query
	}
	return Parameter{}, ""
}

func escaped(s string) bool {
	return strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0
}

// malformed reports whether a percent sign stands without its two digits.
func malformed(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if s[i] == '%' && (i+2 >= len(s) || unhex(s[i+1]) > 0xf || unhex(s[i+2]) > 0xf) {
			return true
		}
	}
	return false
}

// Is reports whether a parameter has a name.
func (p *Parameter) Is(name string) bool {
	if p.plain {
		return p.name == name
	}
	n := p.name
	for i := range len(name) {
		if n == "" {
			return false
		}
		var c byte
		if c, n = decodeByte(n); c != name[i] {
			return false
		}
	}
	return n == ""
}

// AppendName appends the name.
func (p *Parameter) AppendName(b []byte) []byte { return p.append(b, p.name) }

// AppendValue appends the value.
func (p *Parameter) AppendValue(b []byte) []byte { return p.append(b, p.value) }

// HasValue reports whether there is a "=", if with nothing behind it.
func (p *Parameter) HasValue() bool { return len(p.name) < len(p.Raw) }

func (p *Parameter) append(b []byte, s string) []byte {
	if p.plain {
		return append(b, s...)
	}
	for s != "" {
		var c byte
		c, s = decodeByte(s)
		b = append(b, c)
	}
	return b
}

// decodeByte returns the first byte that a text without malformed escapes stands for,
// and the rest.
func decodeByte(s string) (c byte, rest string) {
	switch s[0] {
	case '%':
		return unhex(s[1])<<4 | unhex(s[2]), s[3:]
	case '+':
		return ' ', s[1:]
	}
	return s[0], s[1:]
}

// unhex returns the value of a hexadecimal digit, and 0xff for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// AppendQuery appends the query of an exchange as its request mapping has changed it,
// without a question mark. If the mapping does not touch the query, it is the
// client's, byte for byte. Otherwise all of it is decoded and escaped anew: an
// overwritten parameter stands where it first stood, or at the end.
func AppendQuery(b []byte, x *gateway.Exchange) []byte {
	changes := x.Mapped.Query
	if len(changes) == 0 {
		return append(b, x.Request.Query...)
	}
	start := len(b)
	separate := func() {
		if len(b) > start {
			b = append(b, '&')
		}
	}
	add := func(c *gateway.Change) {
		separate()
		b = appendEscaped(b, c.Name)
		b = append(b, '=')
		b = appendEscaped(b, c.Value)
	}
	var room [64]bool
	done := room[:]
	if len(changes) > len(done) {
		done = make([]bool, len(changes))
	}
	for p, rest := NextParameter(x.Request.Query); p.Raw != ""; p, rest = NextParameter(rest) {
		touched := false
		for i := range changes {
			c := &changes[i]
			if c.Kind == gateway.Append || !p.Is(c.Name) {
				continue
			}
			touched = true
			if c.Kind == gateway.Overwrite && !done[i] {
				add(c)
				done[i] = true
			}
		}
		if touched {
			continue
		}
		separate()
		b = p.appendEscaped(b, p.name)
		if p.HasValue() {
			b = append(b, '=')
			b = p.appendEscaped(b, p.value)
		}
	}
	for i := range changes {
		if changes[i].Kind != gateway.Remove && !done[i] {
			add(&changes[i])
		}
	}
	return b
}

// appendEscaped appends a name or value, decoded and escaped anew.
func (p *Parameter) appendEscaped(b []byte, s string) []byte {
	if p.plain {
		return appendEscaped(b, s)
	}
	for s != "" {
		var c byte
		c, s = decodeByte(s)
		b = escape(b, c)
	}
	return b
}

func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		b = escape(b, s[i])
	}
	return b
}

// escape appends a byte so that it stands for itself in a query.
func escape(b []byte, c byte) []byte {
	if unreserved[c] {
		return append(b, c)
	}
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&15])
}

// unreserved holds the characters that never need an escape (RFC 3986, 2.3).
var unreserved = func() (plain [256]bool) {
	for c := range 0x80 {
		plain[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.ContainsRune("-._~", rune(c))
	}
	return plain
}()
