package lenient

import (
	"encoding"
	"errors"
	"math"
	"math/big"
	"strconv"
)

// maxText is how many bytes AppendText and AppendJSON write: 10 MB.
const maxText = 10 << 20

// maxNesting is how deep values may be nested that are written or compared.
const maxNesting = 1000

// Values that templates make may be small and their text long: a list that holds another
// one twice, which holds another one twice. Or it has no end, because something contains
// itself.
var (
	ErrTooLong = errors.New("the text of a value is too long")
	ErrTooDeep = errors.New("a value is nested too deep, or contains itself")
)

// AppendJSON appends v as compact JSON, as $input.json gives it: numbers as Java prints
// them (1.0, 1.0E21), infinite ones as null, U+0000 to U+001F, U+007F to U+009F and U+2000
// to U+20FF as \uXXXX, all other characters and the slash as they are.
//
// What is longer than 10 MB or nested deeper than 1000 is cut off; AppendJSONMax tells.
func AppendJSON(b []byte, v any) []byte {
	b, _ = AppendJSONMax(b, v, maxText)
	return b
}

// AppendText appends v as it stands in the output of a template, which is what Java's
// toString says: strings as they are, {a=1, b=x} for maps, [a, b] for lists that templates
// made and JSON for those that came out of JSON, where a slash is \/. Null is nothing, but
// null where it is in something.
//
// A value of another type that implements encoding.TextAppender is that text.
//
// What is longer than 10 MB or nested deeper than 1000 is cut off; AppendTextMax tells.
func AppendText(b []byte, v any) []byte {
	b, _ = AppendTextMax(b, v, maxText)
	return b
}

// AppendJSONMax is AppendJSON for at most max bytes, but for the end of a string. The
// error is ErrTooLong, ErrTooDeep, or that of a TextAppender.
func AppendJSONMax(b []byte, v any, max int) ([]byte, error) {
	p := printer{b: b, end: len(b) + max}
	p.json(v, 0, false)
	return p.b, p.result()
}

// AppendTextMax is AppendText for at most max bytes, but for the end of a string. The
// error is ErrTooLong, ErrTooDeep, or that of a TextAppender.
func AppendTextMax(b []byte, v any, max int) ([]byte, error) {
	if s, ok := v.(string); ok && len(s) <= max {
		return append(b, s...), nil
	}
	if v == nil {
		return b, nil
	}
	p := printer{b: b, end: len(b) + max}
	p.text(v, 0)
	return p.b, p.result()
}

// A printer writes one value. It writes nothing more after an error.
type printer struct {
	b   []byte
	end int // how long b may become
	err error
}

func (p *printer) result() error {
	if p.err == nil && len(p.b) > p.end {
		p.err = ErrTooLong
	}
	return p.err
}

// stop reports whether to write on. Every list and map writes something, so that this ends
// what is long and what is deep.
func (p *printer) stop(depth int) bool {
	if p.err == nil && depth > maxNesting {
		p.err = ErrTooDeep
	}
	return p.result() != nil
}

// scalar writes what is the same in text and JSON, and reports whether v was that.
func (p *printer) scalar(v any) bool {
	switch v := v.(type) {
	case nil:
		p.b = append(p.b, "null"...)
	case bool:
		p.b = strconv.AppendBool(p.b, v)
	case int64:
		p.b = strconv.AppendInt(p.b, v, 10)
	case *big.Int:
		p.b = v.Append(p.b, 10)
	case float64:
		p.b = AppendDouble(p.b, v)
	case Decimal:
		p.b = append(p.b, v...)
	default:
		return false
	}
	return true
}

func (p *printer) text(v any, depth int) {
	switch v := v.(type) {
	case string:
		p.b = append(p.b, v...)
	case *List:
		if v.JSON {
			p.json(v, depth, true)
			return
		}
		p.b = append(p.b, '[')
		for i, item := range v.Items {
			if i > 0 {
				p.b = append(p.b, ", "...)
			}
			if p.stop(depth) {
				return
			}
			if item == any(v) {
				p.b = append(p.b, "(this Collection)"...)
				continue
			}
			p.text(item, depth+1)
		}
		p.b = append(p.b, ']')
	case *Map:
		p.b = append(p.b, '{')
		first := true
		for name, value := range v.All() {
			if !first {
				p.b = append(p.b, ", "...)
			}
			first = false
			if p.stop(depth) {
				return
			}
			p.b = append(p.b, name...)
			p.b = append(p.b, '=')
			if value == any(v) {
				p.b = append(p.b, "(this Map)"...)
				continue
			}
			p.text(value, depth+1)
		}
		p.b = append(p.b, '}')
	default:
		if !p.scalar(v) {
			p.appender(v)
		}
	}
}

// json writes JSON, with a slash as \/ if slash.
func (p *printer) json(v any, depth int, slash bool) {
	switch v := v.(type) {
	case string:
		p.b = appendQuoted(p.b, v, slash)
	case float64:
		if math.IsInf(v, 0) {
			p.b = append(p.b, "null"...)
			return
		}
		p.b = AppendDouble(p.b, v)
	case *List:
		p.b = append(p.b, '[')
		for i, item := range v.Items {
			if i > 0 {
				p.b = append(p.b, ',')
			}
			if p.stop(depth) {
				return
			}
			p.json(item, depth+1, slash)
		}
		p.b = append(p.b, ']')
	case *Map:
		p.b = append(p.b, '{')
		first := true
		for name, value := range v.All() {
			if !first {
				p.b = append(p.b, ',')
			}
			first = false
			if p.stop(depth) {
				return
			}
			p.b = appendQuoted(p.b, name, slash)
			p.b = append(p.b, ':')
			p.json(value, depth+1, slash)
		}
		p.b = append(p.b, '}')
	default:
		if p.scalar(v) {
			return
		}
		inner := printer{end: p.end}
		inner.appender(v)
		if p.err == nil {
			p.err = inner.err
		}
		p.b = appendQuoted(p.b, string(inner.b), slash)
	}
}

// appender writes a value of a type that only its maker knows.
func (p *printer) appender(v any) {
	a, ok := v.(encoding.TextAppender)
	if !ok || p.err != nil {
		return
	}
	if b, err := a.AppendText(p.b); err != nil {
		p.err = err
	} else {
		p.b = b
	}
}

// odd are the bytes that a character may begin with that is not printed as it is in JSON.
var odd = func() (odd [256]bool) {
	for c := range ' ' {
		odd[c] = true
	}
	for _, c := range []byte{'"', '\\', '/', 0x7f, 0xc2, 0xe2} {
		odd[c] = true
	}
	return odd
}()

// appendQuoted appends a string of JSON.
func appendQuoted(b []byte, s string, slash bool) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if !odd[c] {
			i++
			continue
		}
		size, r := 1, rune(c)
		switch {
		case c == '"' || c == '\\' || c == '/' && slash || c < ' ' || c == 0x7f:
		case c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0: // U+0080 to U+009F
			size, r = 2, rune(s[i+1])
		case c == 0xe2 && i+2 < len(s) && s[i+1] < 0x84: // U+2000 to U+20FF
			size, r = 3, 0x2000|rune(s[i+1]&0x3f)<<6|rune(s[i+2]&0x3f)
		default:
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch r {
		case '"', '\\', '/':
			b = append(b, '\\', byte(r))
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			const hex = "0123456789ABCDEF"
			b = append(b, '\\', 'u', hex[r>>12], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
		}
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// Equal reports whether two values are equal as Java's equals has it, but for integers,
// which are equal by value whatever their size: 1 and 1.0 are not, lists are if their items
// are, whatever their flags, and maps in whatever order. Every comparison takes one of
// steps; if there are none left, or values are nested deeper than 1000, the answer is
// false and steps is negative. Values of other types are asked by their method Equal(any) bool, and equal to nothing without one.
func Equal(x, y any, steps *int) bool { return equal(x, y, steps, 0) }

func equal(x, y any, steps *int, depth int) bool {
	if depth > maxNesting {
		*steps = -1
	}
	if *steps--; *steps < 0 {
		return false
	}
	switch x := x.(type) {
	case string:
		y, ok := y.(string)
		return ok && x == y
	case int64:
		y, ok := y.(int64)
		return ok && x == y
	case float64:
		y, ok := y.(float64)
		return ok && (x == y || x != x && y != y)
	case *big.Int:
		y, ok := y.(*big.Int)
		return ok && x.Cmp(y) == 0
	case *List:
		y, ok := y.(*List)
		if !ok || len(x.Items) != len(y.Items) {
			return false
		}
		if x == y {
			return true
		}
		for i := range x.Items {
			if !equal(x.Items[i], y.Items[i], steps, depth+1) {
				return false
			}
		}
		return true
	case *Map:
		y, ok := y.(*Map)
		if !ok || x.Len() != y.Len() {
			return false
		}
		if x == y {
			return true
		}
		for name, v := range x.All() {
			w, ok := y.Get(name)
			if !ok || !equal(v, w, steps, depth+1) {
				return false
			}
		}
		return true
	case nil, bool, Decimal:
		return x == y
	case interface{ Equal(any) bool }:
		return x.Equal(y)
	}
	return false
}
