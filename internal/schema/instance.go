package schema

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"
)

// Limits of the values that are checked against a schema.
const (
	// MaxBody is how long the JSON text of a value may be, in bytes.
	MaxBody = 16 << 20
	// maxNesting is how deep objects and lists may nest.
	maxNesting = 512
	// maxValues is how many values of all kinds there may be, at all depths.
	maxValues = 100_000
)

// A kind is a type of JSON value. Several make a set.
type kind uint8

const (
	kindNull kind = 1 << iota
	kindBoolean
	kindNumber
	kindInteger // in sets, and never the kind of a value
	kindString
	kindList
	kindObject
)

// A span is a part of the text, or of the scratch where Scratch is set.
type span struct {
	start, end uint32
	scratch    bool
}

// A value is one JSON value. Its children follow it in the text, and so they do in
// the list of values: the first at its own index + 1, each other one at the next of
// the one before.
type value struct {
	name span // of a member
	text span // of a string decoded, of anything else as written
	next int32
	size int32 // how many members or elements there are
	kind kind
}

// An instance is JSON text that was read strictly: UTF-8 and no half of a surrogate
// pair, no member twice, numbers with bounded digits and exponents.
type instance struct {
	data    []byte
	scratch []byte // what strings with escapes are decoded to
	values  []value
	at      int // where the reader is
	// Room for finding what stands twice.
	table []int32 // numbers by the hash of their keys; 0 is free
	canon []byte  // values in the form that equal ones share
	marks []int   // where they end
}

var instances = sync.Pool{New: func() any { return new(instance) }}

// What larger buffers an instance keeps when it rests: those of a long body must not
// stay in memory.
const (
	keepValues  = 4 << 10
	keepScratch = 64 << 10
)

// release makes an instance ready for the next text.
func (i *instance) release() {
	i.data = nil
	if cap(i.values) > keepValues {
		i.values = nil
	}
	if cap(i.scratch) > keepScratch {
		i.scratch = nil
	}
	if cap(i.table) > keepValues {
		i.table = nil
	}
	if cap(i.canon) > keepScratch {
		i.canon = nil
	}
	if cap(i.marks) > keepValues {
		i.marks = nil
	}
	instances.Put(i)
}

// bytes returns what a span covers.
func (i *instance) bytes(s span) []byte {
	if s.scratch {
		return i.scratch[s.start:s.end]
	}
	return i.data[s.start:s.end]
}

// A syntaxError says why a text is not read, and at which byte.
type syntaxError struct {
	at     int
	reason string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.reason) }

// fail returns an error at the current byte.
func (i *instance) fail(format string, args ...any) error {
	return &syntaxError{i.at, fmt.Sprintf(format, args...)}
}

// read reads the text. The error is a *syntaxError.
func (i *instance) read(data []byte) error {
	i.data, i.scratch, i.values, i.at = data, i.scratch[:0], i.values[:0], 0
	if len(data) > MaxBody {
		return i.fail("the text is longer than %d bytes", MaxBody)
	}
	if len(data) > keepScratch {
		i.grow(data)
	}
	if err := i.value(span{}, 1); err != nil {
		return err
	}
	if i.space(); i.at < len(data) {
		return i.fail("something follows the value")
	}
	return nil
}

// grow makes room for the values of a long text. There are no more than what stands
// before and between them.
func (i *instance) grow(data []byte) {
	most := 1
	for _, c := range []byte{',', '[', '{'} {
		most += bytes.Count(data, []byte{c})
	}
	i.values = slices.Grow(i.values, min(most, maxValues))
}

// space skips white space.
func (i *instance) space() {
	for i.at < len(i.data) {
		switch i.data[i.at] {
		case ' ', '\t', '\n', '\r':
			i.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (i *instance) peek() byte {
	i.space()
	if i.at == len(i.data) {
		return 0
	}
	return i.data[i.at]
}

// value reads one value at a depth.
func (i *instance) value(name span, depth int) error {
	c := i.peek()
	if len(i.values) == maxValues {
		return i.fail("there are more than %d values", maxValues)
	}
	n := len(i.values)
	i.values = append(i.values, value{name: name, next: int32(n + 1)})
	v := &i.values[n]
	start := i.at
	var err error
	switch {
	case c == '"':
		v.kind = kindString
		v.text, err = i.str()
		return err
	case c == '-' || '0' <= c && c <= '9':
		v.kind = kindNumber
		err = i.number()
	case c == 't':
		v.kind = kindBoolean
		err = i.word("true")
	case c == 'f':
		v.kind = kindBoolean
		err = i.word("false")
	case c == 'n':
		v.kind = kindNull
		err = i.word("null")
	case c == '{' || c == '[':
		if depth > maxNesting {
			return i.fail("nests deeper than %d levels", maxNesting)
		}
		err = i.items(n, c == '{', depth)
		v = &i.values[n] // the list may have moved
		v.next = int32(len(i.values))
	case i.at == len(i.data):
		return i.fail("the text ends where a value should be")
	default:
		return i.fail("no value begins with %q", c)
	}
	v.text = span{start: uint32(start), end: uint32(i.at)}
	return err
}

// items reads the members of an object or the elements of a list, with both brackets.
func (i *instance) items(n int, object bool, depth int) error {
	k, end := kindList, byte(']')
	if object {
		k, end = kindObject, '}'
	}
	i.values[n].kind = k
	i.at++
	if i.peek() == end {
		i.at++
		return nil
	}
	for size := int32(1); ; size++ {
		var name span
		if object {
			if i.peek() != '"' {
				return i.fail("a member begins with its name")
			}
			var err error
			if name, err = i.str(); err != nil {
				return err
			}
			if i.peek() != ':' {
				return i.fail("a colon follows the name of a member")
			}
			i.at++
		}
		if err := i.value(name, depth+1); err != nil {
			return err
		}
		switch c := i.peek(); {
		case c == ',':
			i.at++
			continue
		case c != end:
			return i.fail("a comma or %q follows a value", end)
		}
		i.at++
		i.values[n].size, i.values[n].next = size, int32(len(i.values))
		if object {
			return i.unique(n)
		}
		return nil
	}
}

func (i *instance) word(w string) error {
	if !bytes.HasPrefix(i.data[i.at:], []byte(w)) {
		return i.fail("no value begins with %q", i.data[i.at])
	}
	i.at += len(w)
	return nil
}

// str reads a string, and decodes it if there is an escape in it.
func (i *instance) str() (span, error) {
	i.at++
	start, decoded := i.at, -1
	for i.at < len(i.data) {
		switch c := i.data[i.at]; {
		case c == '"':
			s := span{start: uint32(start), end: uint32(i.at)}
			if decoded >= 0 {
				s = span{uint32(decoded), uint32(len(i.scratch)), true}
			}
			i.at++
			return s, nil
		case c == '\\':
			if decoded < 0 {
				decoded = len(i.scratch)
				i.scratch = append(i.scratch, i.data[start:i.at]...)
			}
			if err := i.escape(); err != nil {
				return span{}, err
			}
		case c < ' ':
			return span{}, i.fail("a control character in a string")
		default:
			n := 1
			if c >= utf8.RuneSelf {
				r, size := utf8.DecodeRune(i.data[i.at:])
				if r == utf8.RuneError && size == 1 {
					return span{}, i.fail("the text is not UTF-8")
				}
				n = size
			}
			if decoded >= 0 {
				i.scratch = append(i.scratch, i.data[i.at:i.at+n]...)
			}
			i.at += n
		}
	}
	return span{}, i.fail("a string does not end")
}

// escapes are the characters that follow a backslash, and what they stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape decodes an escape into the scratch.
func (i *instance) escape() error {
	i.at++
	if i.at == len(i.data) {
		return i.fail("a string does not end")
	}
	c := i.data[i.at]
	if e := escapes[c]; e != 0 {
		i.at++
		i.scratch = append(i.scratch, e)
		return nil
	}
	if c != 'u' {
		return i.fail("no escape begins with %q", c)
	}
	r, ok := i.hex()
	if !ok {
		return i.fail("\\u needs four hexadecimal digits")
	}
	switch {
	case 0xdc00 <= r && r <= 0xdfff:
		return i.fail("half of a surrogate pair")
	case 0xd800 <= r && r <= 0xdbff:
		if !bytes.HasPrefix(i.data[i.at:], []byte(`\u`)) {
			return i.fail("half of a surrogate pair")
		}
		i.at++
		low, ok := i.hex()
		if !ok || low < 0xdc00 || low > 0xdfff {
			return i.fail("half of a surrogate pair")
		}
		r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
	}
	i.scratch = utf8.AppendRune(i.scratch, r)
	return nil
}

// hex reads a u and four hexadecimal digits.
func (i *instance) hex() (r rune, ok bool) {
	if len(i.data)-i.at < 5 {
		return 0, false
	}
	for _, c := range i.data[i.at+1 : i.at+5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	i.at += 5
	return r, true
}

// number reads a number, and refuses one that is not worth computing with.
func (i *instance) number() error {
	start := i.at
	n := numberLength(i.data[start:])
	if n == 0 {
		return i.fail("a number is not written as JSON has it")
	}
	i.at += n
	if _, ok := parseDecimal(i.data[start:i.at]); !ok {
		i.at = start
		return i.fail("a number has more than %d digits, or an exponent that is not between -%d and %d", maxDigits, maxExponent, maxExponent)
	}
	return nil
}

// numberLength returns how long the number is that b begins with,
//
//	[ "-" ] ( "0" | "1"…"9" { digit } ) [ "." digit { digit } ] [ ( "e" | "E" ) [ "+" | "-" ] digit { digit } ]
//
// and 0 if b begins with none.
func numberLength(b []byte) int {
	digits := func(at int) int {
		for at < len(b) && '0' <= b[at] && b[at] <= '9' {
			at++
		}
		return at
	}
	at := 0
	if at < len(b) && b[at] == '-' {
		at++
	}
	end := digits(at)
	if end == at || b[at] == '0' && end > at+1 {
		return 0
	}
	if at = end; at < len(b) && b[at] == '.' {
		if end = digits(at + 1); end == at+1 {
			return 0
		}
		at = end
	}
	if at < len(b) && b[at]|0x20 == 'e' {
		at++
		if at < len(b) && (b[at] == '+' || b[at] == '-') {
			at++
		}
		if end = digits(at); end == at {
			return 0
		}
		at = end
	}
	return at
}

// few is how many members are compared each with each.
const few = 12
