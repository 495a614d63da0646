package vtl

import (
	"strings"
	"unicode/utf8"
)

// A candidate is the longest token so far that matches. Of two that are as long, the first
// counts.
type candidate struct {
	kind   tokenKind
	length int
}

func (c *candidate) offer(kind tokenKind, length int) {
	if length > c.length {
		c.kind, c.length = kind, length
	}
}

// match returns the token that is next, and its length; tokenEnd if there is none.
func (s *scanner) match() (tokenKind, int) {
	rest := s.src[s.pos:]
	var c candidate
	switch s.mode {
	case inText:
		s.matchText(&c, rest)
	case inReference, inProperty:
		s.matchReference(&c, rest)
	case inCall, inIndex, inDirective:
		s.matchValues(&c, rest)
	case afterHash:
		s.matchHash(&c, rest)
	case inLineComment:
		s.matchMore(&c, rest)
		c.offer(tokenLineEnd, lineEnd(rest))
		c.offer(skipped, 1)
	case inFormalComment, inComment, inRaw:
		s.matchMore(&c, rest)
		switch {
		case s.mode == inRaw && strings.HasPrefix(rest, "]]#"):
			c.offer(tokenRaw, 3)
		case s.mode == inRaw:
			c.offer(more, 1)
		case !strings.HasPrefix(rest, "*#"):
			c.offer(skipped, 1)
		case s.mode == inComment:
			c.offer(tokenComment, 2)
		default:
			c.offer(tokenFormalComment, 2)
		}
	}
	return c.kind, c.length
}

func (s *scanner) matchText(c *candidate, rest string) {
	switch rest[0] {
	case '\\':
		c.offer(tokenEscaped, s.escaped(rest))
		s.matchMore(c, rest)
		if strings.HasPrefix(rest, `\\`) {
			c.offer(tokenSlashes, 2)
		}
		c.offer(tokenSlash, 1)
	case '$', '#':
		c.offer(tokenSet, setLength(rest))
		s.matchMore(c, rest)
		if strings.HasPrefix(rest, "##") {
			c.offer(tokenLineComment, 2)
		}
		c.offer(tokenEmptyIndex, emptyIndex(rest))
	default:
		c.offer(tokenSet, setLength(rest))
		n := strings.IndexAny(rest, `$#\`)
		if n < 0 {
			n = len(rest)
		}
		c.offer(tokenText, n)
	}
}

func (s *scanner) matchReference(c *candidate, rest string) {
	switch {
	case rest[0] == '[':
		c.offer(tokenOpenIndex, 1)
	case rest[0] == '(' && s.mode == inProperty:
		c.offer(tokenOpen, 1)
	}
	c.offer(tokenSet, setLength(rest))
	s.matchMore(c, rest)
	if s.mode == inReference && strings.HasPrefix(rest, "##") {
		c.offer(tokenLineComment, 2)
	}
	offerName(c, rest)
	switch rest[0] {
	case '{':
		c.offer(tokenOpenBrace, 1)
	case '}':
		c.offer(tokenCloseBrace, 1)
	}
	_, size := utf8.DecodeRuneInString(rest)
	c.offer(terminator, size)
	if s.mode == inReference {
		c.offer(tokenEmptyIndex, emptyIndex(rest))
	}
}

// matchValues matches what is in the parentheses of directives and methods, and in indexes.
func (s *scanner) matchValues(c *candidate, rest string) {
	switch {
	case s.mode == inIndex && rest[0] == ']':
		c.offer(tokenCloseIndex, 1)
	case s.mode != inIndex:
		offerBracket(c, rest)
	}
	switch {
	case rest[0] != ')':
	case s.mode == inDirective:
		c.offer(tokenClose, 1+blankLine(rest[1:]))
	case s.mode == inCall:
		c.offer(tokenCloseCall, 1)
	}
	if s.mode == inCall {
		c.offer(tokenSet, setLength(rest))
	}
	s.matchMore(c, rest)
	if s.mode == inDirective && strings.HasPrefix(rest, "##") {
		c.offer(tokenLineComment, 2)
	}
	n := 0
	for n < len(rest) && isBlank(rest[n]) {
		n++
	}
	c.offer(tokenBlank, n)
	if rest[0] == '"' || rest[0] == '\'' {
		c.offer(tokenString, s.quoted())
	}
	switch s.mode {
	case inCall:
		offerNumber(c, rest)
		offerName(c, rest)
	case inIndex:
		for _, word := range []string{"true", "false"} {
			if strings.HasPrefix(rest, word) {
				c.offer(wordKind(word), len(word))
			}
		}
		offerNumber(c, rest)
	default:
		offerSign(c, rest)
		offerNumber(c, rest)
		n := wordLength(rest)
		if kind := wordKind(rest[:n]); kind != tokenEnd {
			c.offer(kind, n)
		}
		c.offer(tokenWord, n)
		c.offer(tokenBracedWord, bracedWord(rest))
	}
}

// matchHash matches what may follow a hash.
func (s *scanner) matchHash(c *candidate, rest string) {
	s.matchMore(c, rest)
	if strings.HasPrefix(rest, "##") {
		c.offer(tokenLineComment, 2)
	}
	for _, d := range []struct {
		word string
		kind tokenKind
	}{{"end", tokenEndDirective}, {"if", tokenIf}, {"elseif", tokenElseIf}, {"else", tokenElse}} {
		n := len(d.word)
		if strings.HasPrefix(rest, "{"+d.word+"}") {
			n += 2
		} else if !strings.HasPrefix(rest, d.word) {
			continue
		}
		if d.kind == tokenEndDirective || d.kind == tokenElse {
			n += blankLine(rest[n:])
		}
		c.offer(d.kind, n)
	}
	offerNumber(c, rest)
	c.offer(tokenWord, wordLength(rest))
	c.offer(tokenBracedWord, bracedWord(rest))
	_, size := utf8.DecodeRuneInString(rest)
	c.offer(terminator, size)
}

// matchMore matches dollars and hashes, with which everything begins that is no text.
func (s *scanner) matchMore(c *candidate, rest string) {
	switch rest[0] {
	case '\\', '$':
		n := s.slashesAt(s.pos)
		if n == len(rest) || rest[n] != '$' {
			return
		}
		c.offer(moreDollar, n+1)
		if n += 1 + s.slashesAt(s.pos+n+1); n < len(rest) && rest[n] == '!' {
			c.offer(moreDollar, n+1)
		}
	case '#':
		switch {
		case strings.HasPrefix(rest, "#[["):
			c.offer(moreRaw, 3)
		case strings.HasPrefix(rest, "#**") && len(rest) > 3 && rest[3] != '#':
			_, size := utf8.DecodeRuneInString(rest[3:])
			if !s.quiet {
				size = 1 // It goes back.
			}
			c.offer(moreFormal, 3+size)
		case strings.HasPrefix(rest, "#*"):
			c.offer(moreComment, 2)
		}
		c.offer(moreHash, 1)
	}
}

// slashesAt returns how many backslashes are at an offset.
func (s *scanner) slashesAt(at int) int {
	if at >= s.slashes {
		s.slashes = at
		for s.slashes < len(s.src) && s.src[s.slashes] == '\\' {
			s.slashes++
		}
	}
	if at < len(s.src) && s.src[at] == '\\' {
		return s.slashes - at
	}
	return 0
}

// escaped returns the length of an escaped directive:
//
//	{ "\\" } "\#" ( word | "{" word "}" )
func (s *scanner) escaped(rest string) int {
	n := s.slashesAt(s.pos)
	if n%2 == 0 || n == len(rest) || rest[n] != '#' {
		return 0
	}
	n++
	if word := max(wordLength(rest[n:]), bracedWord(rest[n:])); word > 0 {
		return n + word
	}
	return 0
}

// quoted returns the length of a string with its quotes, in which a quote is written twice; 0
// if it has no end. If there is no other, the last quote but one ends it that could be one of
// two.
func (s *scanner) quoted() int {
	quote := s.src[s.pos]
	length := 0
	for i := s.pos + 1; i < len(s.src); i++ {
		n := strings.IndexByte(s.src[i:], quote)
		if n < 0 {
			break
		}
		i += n
		length = i + 1 - s.pos
		if i+1 == len(s.src) || s.src[i+1] != quote {
			break
		}
		i++
	}
	return length
}

// setLength returns the length of a #set with its parenthesis, and with the blanks before it.
func setLength(rest string) int {
	if c := rest[0]; c != '#' && c != ' ' && c != '\t' {
		return 0
	}
	n := 0
	for n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
		n++
	}
	switch {
	case strings.HasPrefix(rest[n:], "#set"):
		n += len("#set")
	case strings.HasPrefix(rest[n:], "#{set}"):
		n += len("#{set}")
	default:
		return 0
	}
	for n < len(rest) && rest[n] == ' ' {
		n++
	}
	if n == len(rest) || rest[n] != '(' {
		return 0
	}
	return n + 1
}

// emptyIndex returns the length of a dollar with what makes it no reference.
func emptyIndex(rest string) int {
	if rest[0] != '$' {
		return 0
	}
	for _, text := range []string{"$[", "$![", `$\![`, "$."} {
		if strings.HasPrefix(rest, text) {
			return len(text)
		}
	}
	return 0
}

// lineEnd returns the length of the end of a line.
func lineEnd(rest string) int {
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		return 2
	case strings.HasPrefix(rest, "\n"), strings.HasPrefix(rest, "\r"):
		return 1
	}
	return 0
}

// blankLine returns the length of the rest of a line with its end, 0 if it is not blank.
func blankLine(rest string) int {
	n := 0
	for n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
		n++
	}
	if end := lineEnd(rest[n:]); end > 0 {
		return n + end
	}
	return 0
}

// wordLength returns the length of a word, which has no hyphens; 0 if there is none.
func wordLength(rest string) int {
	if rest == "" || !isWordPart(rest[0]) || isDigit(rest[0]) {
		return 0
	}
	n := 1
	for n < len(rest) && isWordPart(rest[n]) {
		n++
	}
	return n
}

// bracedWord returns the length of a word in braces.
func bracedWord(rest string) int {
	if rest == "" || rest[0] != '{' {
		return 0
	}
	n := wordLength(rest[1:])
	if n == 0 || rest[1] == '@' || n+1 == len(rest) || rest[n+1] != '}' {
		return 0
	}
	return n + 2
}

// offerName offers the name of a variable, a property or a method, and a dot before one.
func offerName(c *candidate, rest string) {
	n := 0
	if isLetter(rest[0]) || rest[0] == '_' {
		for n < len(rest) && isNamePart(rest[n]) {
			n++
		}
	}
	switch rest[:n] {
	case "true":
		c.offer(tokenTrue, n)
	case "false":
		c.offer(tokenFalse, n)
	default:
		c.offer(tokenName, n)
	}
	if rest[0] == '.' && len(rest) > 1 && isLetter(rest[1]) {
		c.offer(tokenDot, 2)
	}
}

// offerNumber offers a number, of which the sign is part:
//
//	[ "-" ] digits [ ".." ]
//	[ "-" ] ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ "+" | "-" ] digits ]
func offerNumber(c *candidate, rest string) {
	digits := func(n int) int {
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		return n
	}
	start := 0
	if rest[0] == '-' {
		start = 1
	}
	n := digits(start)
	integer := n > start
	if integer {
		length := n
		if strings.HasPrefix(rest[n:], "..") {
			length += 2
		}
		c.offer(tokenInteger, length)
	}
	point := n < len(rest) && rest[n] == '.'
	if point {
		end := digits(n + 1)
		if !integer && end == n+1 {
			return
		}
		n = end
		c.offer(tokenFloat, n)
	} else if !integer {
		return
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		n++
		if n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
			n++
		}
		if end := digits(n); end > n {
			c.offer(tokenFloat, end)
		}
	}
}
