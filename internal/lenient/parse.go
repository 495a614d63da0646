package lenient

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// defaultDepth is how deep objects and lists may be nested if Limits do not say.
const defaultDepth = 100

// Limits say what Parse takes.
type Limits struct {
	Depth  int  // how deep objects and lists may be nested; 100 if 0
	Strict bool // text that is not empty must be JSON as RFC 8259 has it, or blank
}

// A SyntaxError says why text has no value.
type SyntaxError struct {
	Offset int // in bytes, into the text
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Reason) }

// A DepthError says that objects and lists are nested too deep.
type DepthError struct {
	Offset int // in bytes, into the text
	Depth  int // the limit
}

func (e *DepthError) Error() string {
	return fmt.Sprintf("offset %d: nested deeper than %d", e.Offset, e.Depth)
}

// Parse returns the value of text as the service understands it, which is JSON and a good
// deal more (Java, json-smart in its permissive mode):
//
//   - Nothing at all is an empty object; blanks are an empty string.
//   - What begins with { or [ or a quote is an object, a list or a string, whatever follows
//     it. All other text is a number, true, false or null if it is exactly that, and
//     otherwise a string without the blanks around it. It must not begin with : ] }.
//   - Strings may stand in single quotes. An escape that JSON does not know says nothing,
//     but \x41 is A. Control characters may stand in them, but a string with a backslash
//     loses them.
//   - Names and values need no quotes: a name goes on to the colon, a value to the comma or
//     to the bracket that closes what it is in. Blanks inside stay, those around do not.
//   - Commas may be repeated, stand at the beginning and at the end, and need not stand
//     between elements where a quote or bracket tells them apart.
//   - Numbers may have leading zeros; 1. and -.5 are numbers, and - is zero. +1, .5 and 0x10
//     are strings.
//   - Of members with one name the last value counts, in the place of the first.
//
// What is not UTF-8 becomes U+FFFD, and so does half of a surrogate pair. The error is a
// *SyntaxError or a *DepthError. Parse takes time in proportion to the length of the text.
func Parse(text []byte, l Limits) (any, error) { return ParseString(string(text), l) }

// ParseString is Parse for a text that is a string, of which the strings in the value are
// parts. What is kept of the value keeps the text, and what it was made with.
func ParseString(text string, l Limits) (any, error) {
	if len(text) == 0 {
		return &Map{}, nil
	}
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	p := parser{text: text, limit: l.Depth}
	if !utf8.ValidString(text) {
		p.text = string([]rune(text))
	}
	p.space()
	if l.Strict && p.more() && !json.Valid([]byte(text)) {
		return nil, &SyntaxError{0, "not JSON"}
	}
	if !p.more() {
		return "", nil
	}
	p.slab.expect(p.text)
	return p.value("")
}

// A parser goes once through a text.
type parser struct {
	text  string
	i     int
	depth int
	limit int
	slab  slab
}

func (p *parser) more() bool { return p.i < len(p.text) }

// space skips the blanks of JSON.
func (p *parser) space() {
	for p.more() && (p.text[p.i] == ' ' || p.text[p.i] == '\t' || p.text[p.i] == '\n' || p.text[p.i] == '\r') {
		p.i++
	}
}

// control skips blanks and control characters, which is what Java trims.
func (p *parser) control() {
	for p.more() && p.text[p.i] <= ' ' {
		p.i++
	}
}

func (p *parser) errorf(format string, args ...any) error {
	return &SyntaxError{p.i, fmt.Sprintf(format, args...)}
}

// unexpected is the error for the character that stands here, or for the end.
func (p *parser) unexpected() error {
	if !p.more() {
		return p.errorf("unexpected end")
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.i:])
	return p.errorf("unexpected %q", r)
}

// value parses
//
//	object | list | string | number | text
//
// Text without quotes ends before one of the characters of stops, or with everything. A
// character that is not a blank is there.
func (p *parser) value(stops string) (any, error) {
	switch c := p.text[p.i]; c {
	case '{', '[':
		if p.depth++; p.depth > p.limit {
			return nil, &DepthError{p.i, p.limit}
		}
		var v any
		var err error
		if c == '{' {
			v, err = p.object()
		} else {
			v, err = p.list()
		}
		p.depth--
		return v, err
	case '"', '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return s, nil
	case ':', ']', '}':
		return nil, p.unexpected()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.number(stops)
	}
	switch s := p.bare(stops); s {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "NaN":
		return math.NaN(), nil
	default:
		return s, nil
	}
}

// object parses
//
//	"{" { "," } { name ":" [ value ] "," { "," } } [ name ":" value ] "}"
func (p *parser) object() (any, error) {
	// Most objects have no more members than this until they end. It is on the stack.
	var few [8]member
	members := few[:0]
	var index map[string]int
	comma := true
	for p.i++; ; {
		p.space()
		if !p.more() {
			return nil, p.unexpected()
		}
		switch p.text[p.i] {
		case '}':
			p.i++
			m := p.slab.newMap()
			m.members, m.index = p.slab.keepMembers(members), index
			return m, nil
		case ',':
			p.i++
			comma = true
			continue
		case ':', ']', '[', '{':
			return nil, p.unexpected()
		}
		if !comma {
			return nil, p.unexpected()
		}
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		v, err := p.value(",}")
		if err != nil {
			return nil, err
		}
		members, index = put(members, index, name, v)
		p.control()
		comma = false
	}
}

// name parses the name of a member with its colon, and the blanks around it. Something follows.
func (p *parser) name() (name string, err error) {
	if c := p.text[p.i]; c == '"' || c == '\'' {
		if name, err = p.quoted(); err != nil {
			return "", err
		}
		p.control()
	} else {
		name = p.bare(":")
	}
	if !p.more() || p.text[p.i] != ':' {
		return "", p.unexpected()
	}
	p.i++
	p.space()
	if !p.more() {
		return "", p.unexpected()
	}
	return name, nil
}

// put adds a member to those of an object, as Map.Put does. There is an index as soon as a
// Map has one.
func put(members []member, index map[string]int, name string, v any) ([]member, map[string]int) {
	if index != nil {
		if i, ok := index[name]; ok {
			members[i].value = v
			return members, index
		}
		index[name] = len(members)
	} else {
		for i := range members {
			if members[i].name == name {
				members[i].value = v
				return members, nil
			}
		}
	}
	members = append(members, member{name: name, value: v})
	if index == nil && len(members) >= indexed {
		index = indexOf(members)
	}
	return members, index
}

// list parses
//
//	"[" { "," | value } "]"
func (p *parser) list() (any, error) {
	var few [8]any
	items := few[:0]
	for p.i++; ; {
		p.space()
		if !p.more() {
			return nil, p.unexpected()
		}
		switch p.text[p.i] {
		case ']':
			p.i++
			l := p.slab.newList()
			l.Items, l.JSON = p.slab.keepItems(items), true
			return l, nil
		case ',':
			p.i++
			continue
		}
		v, err := p.value(",]")
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
}

// bare reads text without quotes, up to one of stops, and takes the blanks from around it.
func (p *parser) bare(stops string) string {
	rest := p.text[p.i:]
	end := len(rest)
	switch len(stops) {
	case 1:
		if n := strings.IndexByte(rest, stops[0]); n >= 0 {
			end = n
		}
	case 2:
		for n := range len(rest) {
			if rest[n] == stops[0] || rest[n] == stops[1] {
				end = n
				break
			}
		}
	}
	p.i += end
	return trim(rest[:end])
}

// trim is what Java's trim does: it takes blanks and control characters away.
func trim(s string) string {
	for s != "" && s[0] <= ' ' {
		s = s[1:]
	}
	for s != "" && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// quoted reads a string in quotes of either kind.
func (p *parser) quoted() (string, error) {
	quote := p.text[p.i]
	p.i++
	rest := p.text[p.i:]
	end := strings.IndexByte(rest, quote)
	if end >= 0 {
		rest = rest[:end]
	}
	switch {
	case strings.IndexByte(rest, '\\') >= 0:
		return p.escaped(quote, len(rest))
	case end < 0:
		p.i = len(p.text)
		return "", p.unexpected()
	}
	p.i += end + 1
	return rest, nil
}

// escaped reads a string with a backslash in it, from behind its quote on. The size is that
// of what is before the next quote, of which there may be more.
func (p *parser) escaped(quote byte, size int) (string, error) {
	var b strings.Builder
	b.Grow(min(size, 1<<10))
	for p.more() {
		start := p.i
		for p.more() && p.text[p.i] != quote && p.text[p.i] != '\\' && p.text[p.i] >= ' ' && p.text[p.i] != 0x7f {
			p.i++
		}
		b.WriteString(p.text[start:p.i])
		if !p.more() {
			break
		}
		c := p.text[p.i]
		p.i++
		switch {
		case c == quote:
			return b.String(), nil
		case c == '\\':
			if !p.more() {
				return "", p.unexpected()
			}
			c = p.text[p.i]
			p.i++
			switch c {
			case '"', '\'', '\\', '/':
				b.WriteByte(c)
			case 'b':
				b.WriteByte('\b')
			case 'f':
				b.WriteByte('\f')
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case 'x', 'u':
				r, err := p.character(c)
				if err != nil {
					return "", err
				}
				b.WriteRune(r)
			default:
				if c >= utf8.RuneSelf {
					_, size := utf8.DecodeRuneInString(p.text[p.i-1:])
					p.i += size - 1
				}
			}
		}
	}
	return "", p.unexpected()
}

// character reads the digits of \u and \x, and the other half of a surrogate pair.
func (p *parser) character(kind byte) (rune, error) {
	if kind == 'x' {
		return p.hex(2)
	}
	r, err := p.hex(4)
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if strings.HasPrefix(p.text[p.i:], `\u`) {
		at := p.i
		p.i += 2
		low, err := p.hex(4)
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
		p.i = at
	}
	return utf8.RuneError, nil
}

// hex reads n hexadecimal digits.
func (p *parser) hex(n int) (rune, error) {
	var r rune
	for range n {
		if !p.more() {
			return 0, p.unexpected()
		}
		switch c := p.text[p.i]; {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, p.errorf("want %d hexadecimal digits", n)
		}
		p.i++
	}
	return r, nil
}
