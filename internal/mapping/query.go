package mapping

import (
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/route"
)

// A Parameter is one name and value of a query. Names and values are decoded: percent
// escapes, and "+" for a space. A parameter with a malformed escape stays as it is,
// name and value.
type Parameter struct {
	// Raw is the parameter as it came, not empty.
	Raw string
	// equals is where the first "=" is, which ends the name, or the end of Raw.
	equals int
	plain  bool // name and value are not escaped
}

// NextParameter returns the first parameter of a query, and what follows it. Only "&"
// separates parameters. Empty ones are skipped; at the end of the query Raw is empty.
func NextParameter(query string) (p Parameter, rest string) {
	for query != "" {
		p.Raw, query, _ = strings.Cut(query, "&")
		if p.Raw == "" {
			continue
		}
		if p.equals = strings.IndexByte(p.Raw, '='); p.equals < 0 {
			p.equals = len(p.Raw)
		}
		p.plain = literal(p.Raw)
		return p, query
	}
	return Parameter{}, ""
}

// literal reports whether a parameter stands for itself: nothing in it is escaped, or a
// percent sign stands without its two digits.
func literal(s string) bool {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			escaped = true
		case '%':
			if i+2 >= len(s) || route.Unhex(s[i+1]) > 0xf || route.Unhex(s[i+2]) > 0xf {
				return true
			}
			escaped = true
		}
	}
	return !escaped
}

// Is reports whether a parameter has a name.
func (p *Parameter) Is(name string) bool {
	n := p.name()
	if p.plain {
		return n == name
	}
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

// name and value are as they came.
func (p *Parameter) name() string  { return p.Raw[:p.equals] }
func (p *Parameter) value() string { return p.Raw[min(p.equals+1, len(p.Raw)):] }

// AppendName appends the name.
func (p *Parameter) AppendName(b []byte) []byte { return p.append(b, p.name()) }

// AppendValue appends the value.
func (p *Parameter) AppendValue(b []byte) []byte { return p.append(b, p.value()) }

// HasValue reports whether there is a "=", if with nothing behind it.
func (p *Parameter) HasValue() bool { return p.equals < len(p.Raw) }

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
		return route.Unhex(s[1])<<4 | route.Unhex(s[2]), s[3:]
	case '+':
		return ' ', s[1:]
	}
	return s[0], s[1:]
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
		b = p.appendEscaped(b, p.name())
		if p.HasValue() {
			b = append(b, '=')
			b = p.appendEscaped(b, p.value())
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
