package vtl

import "strings"

// A mode says where in a template the scanner is, and so which tokens there are.
type mode uint8

const (
	inText mode = iota
	inReference
	inProperty  // after a dot of a reference
	inCall      // in the parentheses of a method
	inIndex     // in the brackets of a reference
	afterHash   // where a directive may begin
	inDirective // in the parentheses of a directive, and before them
	inLineComment
	inFormalComment
	inComment
	inRaw
)

// A level is a mode to go back to, with the parentheses that it has seen.
type level struct {
	mode           mode
	opened, closed int
}

// A scanner divides a template into tokens, as Velocity does: in each mode, the longest token
// that matches is next, and tokens change the mode. This is all there is to decide what is
// text and what is not; odd things, like a lone dollar that disappears, come out of it.
type scanner struct {
	src     string
	pos     int
	level   // of now
	stack   []level
	quiet   bool // in a comment or raw text, in which nothing changes the mode but its end
	setting bool // in the parentheses of #set

	slashes int // the end of the backslashes that are next; asked once for all of them
}

// A scanError says that no token begins at an offset, or, if it is the end, that one has not
// ended.
type scanError struct {
	offset int
	mode   mode
	begun  string // the token so far
}

func (s *scanner) push(m mode) {
	s.stack = append(s.stack, s.level)
	s.opened = 0
	s.mode = m
}

// pop goes back a level, and reports whether there was one.
func (s *scanner) pop() bool {
	if len(s.stack) == 0 {
		s.opened, s.mode = 0, inText
		return false
	}
	s.level = s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	return true
}

// next returns the next token.
func (s *scanner) next() (token, *scanError) {
	var special strings.Builder
	var last string // the last that belongs to no token
	start := s.pos
	for s.pos < len(s.src) {
		kind, length := s.match()
		if kind == tokenEnd {
			return token{}, &scanError{s.pos, s.mode, s.src[start:s.pos]}
		}
		s.pos += length
		switch kind {
		case more, moreRaw, moreFormal, moreComment, moreHash, moreDollar:
			s.begin(kind)
			if s.pos == len(s.src) {
				return token{}, &scanError{s.pos, s.mode, s.src[start:s.pos]}
			}
			continue
		case skipped:
			start = s.pos
			continue
		case terminator:
			last = s.src[start:s.pos]
			appendSpecial(&special, last)
			s.pos -= length
			s.pop()
			start = s.pos
			continue
		}
		t := token{kind: kind, start: start, end: s.pos, image: s.src[start:s.pos]}
		s.finish(&t)
		if !strings.HasPrefix(last, "##") {
			t.special = special.String()
		}
		return t, nil
	}
	return token{kind: tokenEnd, start: start, end: s.pos}, nil
}

// appendSpecial appends what is kept of a dollar or a hash that belongs to no token.
func appendSpecial(b *strings.Builder, image string) {
	for i := 0; i < len(image); i++ {
		switch image[i] {
		case '#', '$':
			b.WriteByte(image[i])
		case '\\':
			end := i
			for end < len(image) && image[end] == '\\' {
				end++
			}
			if end < len(image) && image[end] == '$' {
				// The character after the dollar is lost.
				b.WriteString(image[i : end+1])
				i = end + 1
			}
		}
	}
}

// begin changes the mode after what a token begins with.
func (s *scanner) begin(kind tokenKind) {
	if s.quiet {
		return
	}
	switch kind {
	case moreDollar:
		if s.mode == inReference {
			s.pop()
		}
		s.push(inReference)
	case moreHash:
		if s.mode == inReference || s.mode == inProperty {
			s.pop()
		}
		s.push(afterHash)
	case moreRaw:
		s.quiet = true
		s.push(inRaw)
	case moreFormal:
		s.pos-- // It may be half of a character, which does no harm.
		s.quiet = true
		s.push(inFormalComment)
	case moreComment:
		s.quiet = true
		s.push(inComment)
	}
}

// finish changes the mode after a token, and sets what its text is.
func (s *scanner) finish(t *token) {
	switch t.kind {
	case tokenOpenIndex:
		s.push(inIndex)
	case tokenCloseIndex, tokenCloseBrace, tokenEndDirective, tokenElse:
		s.pop()
	case tokenIf, tokenElseIf:
		s.mode = inDirective
	case tokenOpen:
		s.opened++
		if s.mode == inProperty {
			s.mode = inCall
		}
	case tokenClose:
		s.close()
	case tokenCloseCall:
		s.mode = inReference
	case tokenSet:
		s.push(inDirective)
		s.setting = true
		s.opened++
	case tokenLineComment:
		if s.mode == inReference {
			s.pop()
		}
		s.quiet = true
		s.push(inLineComment)
	case tokenLineEnd, tokenComment, tokenFormalComment, tokenRaw:
		s.quiet = false
		s.pop()
	case tokenString:
		if s.mode == inDirective && !s.setting && s.opened == 0 {
			s.pop()
		}
	case tokenInteger:
		if strings.HasSuffix(t.image, "..") {
			s.pos -= 2
			t.end -= 2
			t.image = t.image[:len(t.image)-2]
		}
		if s.opened == 0 && !s.setting && s.mode != inCall && s.mode != inIndex {
			s.pop()
		}
	case tokenFloat:
		if s.opened == 0 && !s.setting && s.mode != inCall {
			s.pop()
		}
	case tokenDot:
		s.pos-- // the letter
		t.end--
		t.image = "."
		s.mode = inProperty
	}
}

// close goes back to the level below the one whose parenthesis is closed.
func (s *scanner) close() {
	for s.opened == 0 {
		if !s.pop() {
			return
		}
	}
	if s.opened == s.closed+1 {
		s.pop()
	} else {
		s.closed++
	}
}

// atParenthesis reports whether a parenthesis follows, after blanks or not.
func (s *scanner) atParenthesis() bool {
	i := s.pos
	for i < len(s.src) && isBlank(s.src[i]) {
		i++
	}
	return i < len(s.src) && s.src[i] == '('
}
