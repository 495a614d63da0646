package vtl

// A scanner reads a text byte by byte. What follows the end is 0; so is a NUL byte,
// which is in no token, so asking for more tells them apart where it matters.
type scanner struct {
	src string
	pos int
}

// peek returns the byte that is i bytes ahead.
func (s *scanner) peek(i int) byte {
	if s.pos+i < len(s.src) {
		return s.src[s.pos+i]
	}
	return 0
}

func (s *scanner) end() bool { return s.pos >= len(s.src) }

// accept reads c if it is next.
func (s *scanner) accept(c byte) bool {
	if s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// has reports whether the rest of the text begins with prefix.
func (s *scanner) has(prefix string) bool {
	return len(s.src)-s.pos >= len(prefix) && s.src[s.pos:s.pos+len(prefix)] == prefix
}

// blanks reads spaces and tabs, and lines too.
func (s *scanner) blanks() {
	for s.pos < len(s.src) && isBlank(s.src[s.pos]) {
		s.pos++
	}
}

// line reads spaces and tabs up to the end of the line and the end of the line itself.
// If anything else follows the spaces it reads nothing.
func (s *scanner) line() string {
	i := s.pos
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t') {
		i++
	}
	switch {
	case i < len(s.src) && s.src[i] == '\n':
		i++
	case i+1 < len(s.src) && s.src[i] == '\r' && s.src[i+1] == '\n':
		i += 2
	case i < len(s.src) && s.src[i] == '\r':
		i++
	default:
		return ""
	}
	read := s.src[s.pos:i]
	s.pos = i
	return read
}

// identifier reads the name of a variable, a property or a method, and returns "" if
// there is none:
//
//	( letter | "_" ) { letter | digit | "_" | "-" }
func (s *scanner) identifier() string {
	if !isLetter(s.peek(0)) && s.peek(0) != '_' {
		return ""
	}
	i := s.pos + 1
	for i < len(s.src) && isNamePart(s.src[i]) {
		i++
	}
	name := s.src[s.pos:i]
	s.pos = i
	return name
}

// word reads the name of a directive or an operator, which has no hyphens, and returns
// "" if there is none.
func (s *scanner) word() string {
	i := s.pos
	if c := s.peek(0); !isLetter(c) && c != '_' && c != '@' {
		return ""
	}
	for i < len(s.src) && isWordPart(s.src[i]) {
		i++
	}
	word := s.src[s.pos:i]
	s.pos = i
	return word
}

// atNumber reports whether a number is next. The sign belongs to it.
func (s *scanner) atNumber() bool {
	i := 0
	if s.peek(0) == '-' {
		i = 1
	}
	return isDigit(s.peek(i)) || s.peek(i) == '.' && isDigit(s.peek(i+1))
}

// number reads a number, and reports whether it is an integer:
//
//	[ "-" ] ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ "+" | "-" ] digits ]
//
// Two dots after an integer are those of a range and stay.
func (s *scanner) number() (text string, integer bool) {
	start := s.pos
	s.accept('-')
	s.digits()
	integer = true
	if s.peek(0) == '.' && s.peek(1) != '.' {
		s.pos++
		s.digits()
		integer = false
	}
	if c := s.peek(0); c == 'e' || c == 'E' {
		i := 1
		if c := s.peek(1); c == '+' || c == '-' {
			i = 2
		}
		if isDigit(s.peek(i)) {
			s.pos += i
			s.digits()
			integer = false
		}
	}
	return s.src[start:s.pos], integer
}

func (s *scanner) digits() {
	for isDigit(s.peek(0)) {
		s.pos++
	}
}

// quoted reads a string with its quotes, in which a quote is written twice, and reports
// whether it ends. Doubled tells whether there is such a quote in it.
func (s *scanner) quoted() (text string, doubled, ok bool) {
	quote := s.src[s.pos]
	for i := s.pos + 1; i < len(s.src); i++ {
		if s.src[i] != quote {
			continue
		}
		if i+1 < len(s.src) && s.src[i+1] == quote {
			doubled = true
			i++
			continue
		}
		text = s.src[s.pos : i+1]
		s.pos = i + 1
		return text, doubled, true
	}
	return "", false, false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isNamePart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

func isWordPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '@' }
