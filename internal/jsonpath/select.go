package jsonpath

import "unicode/utf8"

// maxDepth is how deep objects and arrays may be nested; deeper text is not JSON to
// Select.
const maxDepth = 512

// Select returns the value that p leads to, as it stands in the text. It returns
// false if there is none, and if data as a whole is not JSON in UTF-8 or nested
// deeper than 512: what readers may understand in different ways has no values. Of
// members with the same name the last one counts, as most readers have it.
//
// The value is part of data.
func (p Path) Select(data []byte) (value []byte, ok bool) {
	return p.find(data, false)
}

// SelectPrefix is Select for the beginning of a text that has been cut off. Values
// that are whole before the cut are found if everything before the cut is as JSON
// has it; one that the cut goes through is not. A member of the same name behind the
// cut remains unseen.
func (p Path) SelectPrefix(data []byte) (value []byte, ok bool) {
	return p.find(data, true)
}

func (p Path) find(data []byte, cut bool) ([]byte, bool) {
	s := scanner{data: data, steps: p.steps, cut: cut, start: -1}
	s.space()
	o := s.value(0, 0)
	if o == whole {
		if s.space(); s.i < len(data) {
			return nil, false
		}
	}
	if o == broken || o == short && !cut || s.start < 0 {
		return nil, false
	}
	return data[s.start:s.end], true
}

// An outcome says how the scan of a value ended.
type outcome uint8

const (
	whole  outcome = iota
	short          // the text ended inside
	broken         // not JSON
)

// A scanner goes once through a text. The value found last is data[start:end];
// start is negative without one.
type scanner struct {
	data       []byte
	i          int
	steps      []step
	start, end int
	cut        bool
}

// off is the level of values that the path does not lead through.
const off = -1

func (s *scanner) space() {
	for s.i < len(s.data) {
		switch s.data[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// value scans a value. The level is the number of steps that lead to it, or off.
func (s *scanner) value(level, depth int) outcome {
	if s.i == len(s.data) {
		return short
	}
	start := s.i
	hit := level == len(s.steps)
	if hit {
		level = off
	}
	var o outcome
	switch c := s.data[s.i]; {
	case c == '{':
		o = s.object(level, depth+1)
	case c == '[':
		o = s.array(level, depth+1)
	case c == '"':
		_, o = s.text()
	case c == 't':
		o = s.word("true")
	case c == 'f':
		o = s.word("false")
	case c == 'n':
		o = s.word("null")
	default:
		o = s.number()
	}
	if hit && o == whole {
		s.start, s.end = start, s.i
	}
	return o
}

// object scans an object. The level is that of the object.
func (s *scanner) object(level, depth int) outcome {
	if depth > maxDepth {
		return broken
	}
	s.i++
	for first := true; ; first = false {
		s.space()
		if s.i == len(s.data) {
			return short
		}
		switch c := s.data[s.i]; {
		case c == '}' && first:
			s.i++
			return whole
		case c == '"':
		default:
			return broken
		}
		name, o := s.text()
		if o != whole {
			return o
		}
		if s.space(); s.i == len(s.data) {
			return short
		}
		if s.data[s.i] != ':' {
			return broken
		}
		s.i++
		s.space()
		next := off
		if level != off && s.steps[level].index < 0 && equalText(name, s.steps[level].name) {
			next = level + 1
			s.start = -1 // what a member of the same name before has led to is void
		}
		if o := s.value(next, depth); o != whole {
			return o
		}
		if more, o := s.next('}'); !more {
			return o
		}
	}
}

// array scans an array. The level is that of the array.
func (s *scanner) array(level, depth int) outcome {
	if depth > maxDepth {
		return broken
	}
	s.i++
	if s.space(); s.i < len(s.data) && s.data[s.i] == ']' {
		s.i++
		return whole
	}
	for n := 0; ; n++ {
		s.space()
		next := off
		if level != off && s.steps[level].index == n {
			next = level + 1
		}
		if o := s.value(next, depth); o != whole {
			return o
		}
		if more, o := s.next(']'); !more {
			return o
		}
	}
}

// next reads the comma behind a member or element, or the end of what it is in.
func (s *scanner) next(end byte) (more bool, o outcome) {
	if s.space(); s.i == len(s.data) {
		return false, short
	}
	c := s.data[s.i]
	s.i++
	switch c {
	case ',':
		return true, whole
	case end:
		return false, whole
	}
	return false, broken
}

// word scans true, false or null.
func (s *scanner) word(w string) outcome {
	rest := s.data[s.i:]
	n := min(len(w), len(rest))
	if string(rest[:n]) != w[:n] {
		return broken
	}
	s.i += n
	if n < len(w) {
		return short
	}
	return whole
}

// number scans
//
//	[ "-" ] ( "0" | nonzero { digit } ) [ "." digit { digit } ] [ ( "e" | "E" ) [ "+" | "-" ] digit { digit } ]
//
// One that ends with text that was cut off may go on behind the cut.
func (s *scanner) number() outcome {
	if s.accept('-') && s.i == len(s.data) {
		return short
	}
	if !s.accept('0') {
		if o := s.digits(); o != whole {
			return o
		}
	}
	if s.accept('.') {
		if o := s.digits(); o != whole {
			return o
		}
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		if o := s.digits(); o != whole {
			return o
		}
	}
	if s.cut && s.i == len(s.data) {
		return short
	}
	return whole
}

func (s *scanner) accept(c byte) bool {
	if s.i < len(s.data) && s.data[s.i] == c {
		s.i++
		return true
	}
	return false
}

// digits scans one digit or more.
func (s *scanner) digits() outcome {
	if s.i == len(s.data) {
		return short
	}
	start := s.i
	for s.i < len(s.data) && '0' <= s.data[s.i] && s.data[s.i] <= '9' {
		s.i++
	}
	if s.i == start {
		return broken
	}
	return whole
}

// text scans a string and returns what stands between the quotes.
func (s *scanner) text() (inner []byte, o outcome) {
	s.i++
	for start := s.i; s.i < len(s.data); {
		switch c := s.data[s.i]; {
		case c == '"':
			s.i++
			return s.data[start : s.i-1], whole
		case c < ' ':
			return nil, broken
		case c == '\\':
			if o := s.escape(); o != whole {
				return nil, o
			}
		case c < utf8.RuneSelf:
			s.i++
		default:
			rest := s.data[s.i:]
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size == 1 {
				if !utf8.FullRune(rest) {
					return nil, short
				}
				return nil, broken
			}
			s.i += size
		}
	}
	return nil, short
}

// escape scans a backslash and what belongs to it.
func (s *scanner) escape() outcome {
	if s.i+1 == len(s.data) {
		return short
	}
	switch s.data[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return whole
	case 'u':
		for n := range 4 {
			if s.i+2+n == len(s.data) {
				return short
			}
			if unhex(s.data[s.i+2+n]) > 0xf {
				return broken
			}
		}
		s.i += 6
		return whole
	}
	return broken
}
