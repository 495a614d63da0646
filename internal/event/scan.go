package event

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// errJSON says that a text is not JSON; where is of no use to anybody, since nobody sees
// what a function returned.
var errJSON = errors.New("not JSON")

// maxDepth is how many arrays and objects may stand inside of each other. What is deeper
// does not count as JSON.
const maxDepth = 1024

// A scanner reads JSON text once, from its beginning, and keeps nothing. It has no stack
// that grows: text of any depth takes the same room.
type scanner struct {
	b []byte
	i int
}

// space skips white space and returns what comes then, 0 at the end.
func (s *scanner) space() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// value reads a value and returns its text, without the white space around it; nil if it
// is not one.
func (s *scanner) value() []byte {
	c := s.space()
	start := s.i
	var ok bool
	if c == '{' || c == '[' {
		ok = s.composite()
	} else {
		ok = s.scalar(c)
	}
	if !ok {
		return nil
	}
	return s.b[start:s.i]
}

// scalar reads a value that holds no others and begins with c.
func (s *scanner) scalar(c byte) bool {
	switch c {
	case '"':
		return s.text()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

// number reads
//
//	[ "-" ] ( "0" | digit1-9 { digit } ) [ "." digit { digit } ] [ ( "e" | "E" ) [ "+" | "-" ] digit { digit } ]
func (s *scanner) number() bool {
	if s.at('-') {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// text reads a string.
func (s *scanner) text() bool {
	if !s.at('"') {
		return false
	}
	s.i++
	for {
		s.i = endOfPlain(s.b, s.i)
		if s.i == len(s.b) {
			return false
		}
		switch s.b[s.i] {
		case '"':
			s.i++
			return true
		case '\\':
			if !s.escape() {
				return false
			}
		default: // a control character
			return false
		}
	}
}

// escape reads what a backslash begins.
func (s *scanner) escape() bool {
	if s.i+1 >= len(s.b) {
		return false
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return true
	case 'u':
		if _, ok := hex4(s.b, s.i+2); ok {
			s.i += 6
			return true
		}
	}
	return false
}

// hex4 returns what the four hexadecimal digits at i say.
func hex4(b []byte, i int) (r rune, ok bool) {
	if i+4 > len(b) {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// endOfPlain returns where, from i, the first quote, backslash or control character is, or
// the end.
func endOfPlain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if found := specials(binary.LittleEndian.Uint64(b[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// composite reads an array or an object. The kinds of those that are open are bits, 1 for
// objects, the innermost on top.
func (s *scanner) composite() bool {
	var objects [maxDepth / 64]uint64
	depth := 0
	for {
		// A value is next.
		c := s.space()
		switch {
		case c == '{' || c == '[':
			if depth == maxDepth {
				return false
			}
			s.i++
			bit := uint64(1) << (depth % 64)
			if c == '{' {
				objects[depth/64] |= bit
			} else {
				objects[depth/64] &^= bit
			}
			depth++
			if next := s.space(); next == c+2 { // "}" and "]" are two behind
				break
			} else if c == '{' && !s.name() {
				return false
			}
			continue
		case !s.scalar(c):
			return false
		}
		// A value has ended, or an empty composite is about to.
		for more := false; !more; {
			object := objects[(depth-1)/64]>>((depth-1)%64)&1 != 0
			switch c := s.space(); {
			case c == ',':
				s.i++
				if object && !s.name() {
					return false
				}
				more = true
			case c == '}' && object, c == ']' && !object:
				s.i++
				if depth--; depth == 0 {
					return true
				}
			default:
				return false
			}
		}
	}
}

// name reads the name of a member and its colon.
func (s *scanner) name() bool {
	s.space()
	if !s.text() || s.space() != ':' {
		return false
	}
	s.i++
	return true
}

// object reads an object and calls member for each of its members as it goes, with the
// name as it stands between the quotes and the text of the value. The error is errJSON or
// member's.
func (s *scanner) object(member func(name, value []byte) error) error {
	if s.space() != '{' {
		return errJSON
	}
	s.i++
	if s.space() == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		start := s.i + 1
		if !s.text() {
			return errJSON
		}
		name := s.b[start : s.i-1]
		if s.space() != ':' {
			return errJSON
		}
		s.i++
		value := s.value()
		if value == nil {
			return errJSON
		}
		if err := member(name, value); err != nil {
			return err
		}
		c := s.space()
		s.i++
		switch c {
		case '}':
			return nil
		case ',':
		default:
			return errJSON
		}
	}
}

// array reads an array and calls element for each of its values as it goes. The error is
// errJSON or element's.
func (s *scanner) array(element func(value []byte) error) error {
	if s.space() != '[' {
		return errJSON
	}
	s.i++
	if s.space() == ']' {
		s.i++
		return nil
	}
	for {
		value := s.value()
		if value == nil {
			return errJSON
		}
		if err := element(value); err != nil {
			return err
		}
		c := s.space()
		s.i++
		switch c {
		case ']':
			return nil
		case ',':
		default:
			return errJSON
		}
	}
}

// end reports whether there is nothing but white space left.
func (s *scanner) end() bool {
	s.space()
	return s.i >= len(s.b)
}

// appendText appends what a string stands for, given as it stands between the quotes of
// valid JSON. Half of a surrogate pair becomes U+FFFD. It copies eight bytes at a time, also
// those behind a backslash, which are then gone over.
func appendText(to, s []byte) []byte {
	const word = 8
	// Nothing stands for more bytes than it has.
	to = slices.Grow(to, len(s)+word)
	room, n := to[:cap(to)], len(to)
	for i := 0; i < len(s); {
		if i+word <= len(s) {
			v := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(room[n:], v)
			same := bits.TrailingZeros64(backslashes(v)) / 8
			i, n = i+same, n+same
			if same == word {
				continue
			}
		}
		c := s[i]
		i++
		if c == '\\' && i < len(s) {
			c = s[i]
			i++
			if c == 'u' {
				var r rune
				r, i = codePoint(s, i)
				n = len(utf8.AppendRune(room[:n], r))
				continue
			}
			c = escapes[c]
		}
		room[n] = c
		n++
	}
	return room[:n]
}

// escapes are what stands behind a backslash, and what it stands for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// codePoint returns the code point whose digits stand at i, behind \u, which may be of a
// pair, and where it ends.
func codePoint(s []byte, i int) (rune, int) {
	r, ok := hex4(s, i)
	if !ok {
		return utf8.RuneError, len(s)
	}
	i += 4
	if !utf16.IsSurrogate(r) {
		return r, i
	}
	if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
		low, _ := hex4(s, i+2)
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return utf8.RuneError, i
}

// quoted returns what stands between the quotes of a value; false if it is no string.
func quoted(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	return value[1 : len(value)-1], true
}

// scalarText reports whether a value is a number, true or false, whose text stands for
// itself.
func scalarText(value []byte) bool {
	switch value[0] {
	case '"', '{', '[', 'n':
		return false
	}
	return true
}

// wholeNumber returns a number that is written with digits only, and has at most three.
func wholeNumber(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 3 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 16)
	return int(n), err == nil
}
