package vtl

import (
	"fmt"
	"strings"
	"sync"
)

// maxNesting is how deep directives, expressions and strings may be in each other.
const maxNesting = 100

// A parser reads a template, or a string in one.
type parser struct {
	scanner
	tokens []token
	at     int // the token that is next
	failed *scanError
	vars   *variables
	macros map[string]bool // the names of the macros that the template has defined
	root   string          // the template, for positions
	base   int             // where src begins in root
	depth  int
	padded bool // a blank follows the string that src is
}

// fail returns an error at an offset in src.
func (p *parser) fail(offset int, format string, args ...any) error {
	if p.padded {
		offset = min(offset, len(p.src)-1)
	}
	line, column := position(p.root, p.base+offset)
	return &Error{Kind: ParseError, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// peek returns the token that is i tokens ahead, from 0. No token is read before it is asked
// for, because what parses a directive changes what the tokens after it are. The end of the
// text is the last token, and so is what no token begins with, which no rule accepts.
func (p *parser) peek(i int) *token {
	for p.at+i >= len(p.tokens) {
		if n := len(p.tokens); n > 0 && (p.failed != nil || p.tokens[n-1].kind == tokenEnd) {
			return &p.tokens[n-1]
		}
		t, err := p.scanner.next()
		if err != nil {
			p.failed = err
			t = token{kind: terminator, start: err.offset, end: err.offset}
		}
		p.tokens = append(p.tokens, t)
	}
	return &p.tokens[p.at+i]
}

// is reports whether the next token is of a kind.
func (p *parser) is(kind tokenKind) bool { return p.peek(0).kind == kind }

// take reads the next token.
func (p *parser) take() *token {
	t := p.peek(0)
	if t.kind != tokenEnd && t.kind != terminator {
		p.at++
	}
	return t
}

// accept reads the next token if it is of a kind.
func (p *parser) accept(kind tokenKind) bool {
	if !p.is(kind) {
		return false
	}
	p.at++
	return true
}

// want reads the next token, which must be of a kind.
func (p *parser) want(kind tokenKind, what string) error {
	if p.accept(kind) {
		return nil
	}
	return p.unexpected(what)
}

// blanks reads blanks, if they are next.
func (p *parser) blanks() { p.accept(tokenBlank) }

// unexpected returns the error for what is next where something else is wanted.
func (p *parser) unexpected(want string) error {
	t := p.peek(0)
	switch {
	case t.kind == terminator && p.failed.begun != "" && p.failed.offset == len(p.src):
		if p.failed.mode == inRaw {
			return p.fail(p.failed.offset-len(p.failed.begun), `"#[[" without "]]#"`)
		}
		return p.fail(p.failed.offset, "unexpected end after %q, want a name or text", p.failed.begun)
	case t.kind == terminator:
		if c := p.src[t.start]; c == '"' || c == '\'' {
			return p.fail(t.start, "the string has no end")
		}
	case t.kind == tokenEnd:
		return p.fail(t.start, "unexpected end, want %s", want)
	}
	found := p.src[t.start:]
	for i := range found {
		if i > 0 {
			found = found[:i]
			break
		}
	}
	return p.fail(t.start, "unexpected %q, want %s", found, want)
}

// enter counts one more level; leave must follow.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.fail(p.peek(0).start, "more than %d levels", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// A tokenRange is the tokens of a part of a template.
type tokenRange struct{ from, to int }

// literal returns the text of tokens, with or without the dollars and hashes between them
// that mean nothing.
func (p *parser) literal(r tokenRange, special bool) string {
	if s, ok := p.written(r); ok {
		return s
	}
	var b strings.Builder
	for _, t := range p.tokens[r.from:r.to] {
		if special {
			b.WriteString(t.literal())
		} else {
			b.WriteString(t.image)
		}
	}
	return b.String()
}

// written returns the text of tokens as a piece of the template, if they stand there one after
// the other with just that text, as most do.
func (p *parser) written(r tokenRange) (string, bool) {
	tokens := p.tokens[r.from:r.to]
	if len(tokens) == 0 {
		return "", true
	}
	// The first may have lost what it begins with.
	start := max(tokens[0].start, tokens[0].end-len(tokens[0].image))
	end := start
	for i := range tokens {
		t := &tokens[i]
		if t.kind == tokenComment || t.special != "" || t.image != p.src[end:t.end] {
			return "", false
		}
		end = t.end
	}
	return p.src[start:end], true
}

// template parses all there is.
func (p *parser) template() ([]node, error) {
	if len(p.src) > MaxLength {
		return nil, p.fail(MaxLength, "longer than %d bytes", MaxLength)
	}
	room := tokenRoom.Get().(*[]token)
	p.tokens = (*room)[:0]
	defer p.leaveRoom(room)
	nodes, err := p.block()
	if err != nil {
		return nil, err
	}
	switch t := p.peek(0); t.kind {
	case tokenEnd:
		return nodes, nil
	case tokenEndDirective, tokenElse, tokenElseIf:
		return nil, p.fail(t.start, "#%s without a directive that it belongs to", t.kind)
	}
	return nil, p.unexpected("a name or text")
}

// The room for tokens is used again: nothing of a template that has been parsed refers to
// them.
var tokenRoom = sync.Pool{New: func() any { return new([]token) }}

// maxTokenRoom is how many tokens there may be in room that is used again.
const maxTokenRoom = 1024

// leaveRoom gives the room of the tokens back.
func (p *parser) leaveRoom(room *[]token) {
	clear(p.tokens)
	*room = p.tokens[:0]
	if cap(p.tokens) > maxTokenRoom {
		*room = nil
	}
	tokenRoom.Put(room)
}

// String returns the name of the directive that ends a block.
func (k tokenKind) String() string {
	switch k {
	case tokenElse:
		return "else"
	case tokenElseIf:
		return "elseif"
	}
	return "end"
}

// block parses statements, as long as there are some:
//
//	{ if | reference | comment | raw | set | escape | directive | text }
func (p *parser) block() (nodes []node, err error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var plain []string // text that is not in nodes yet
	for {
		shown := ""
		var n node
		switch t := p.peek(0); t.kind {
		case tokenIf:
			n, err = p.condition()
		case tokenName:
			p.peek(1)
			n, shown, err = p.output()
		case tokenOpenBrace:
			if p.peek(1).kind == tokenName {
				n, shown, err = p.output()
			} else {
				shown = p.take().literal()
			}
		case tokenLineComment:
			shown = beforeComment(p.take().image)
			p.accept(tokenLineEnd)
		case tokenComment, tokenFormalComment:
			shown = beforeComment(p.take().image)
		case tokenRaw:
			image := p.take().image
			shown = image[len("#[[") : len(image)-len("]]#")]
		case tokenSet:
			n, err = p.set()
		case tokenEscaped:
			t.image = p.unescaped(t.image)
			shown = p.take().image
		case tokenSlashes:
			shown = p.doubleSlashes()
		case tokenWord, tokenBracedWord:
			n, shown, err = p.directive()
		case tokenText, tokenDot, tokenClose, tokenOpen, tokenInteger, tokenFloat, tokenString,
			tokenSlash, tokenCloseBrace, tokenEmptyIndex:
			shown = p.take().literal()
		default:
			return appendText(nodes, plain), nil
		}
		if err != nil {
			return nil, err
		}
		if shown != "" {
			plain = append(plain, shown)
		}
		if n != nil {
			nodes = append(appendText(nodes, plain), n)
			plain = plain[:0]
		}
	}
}

// appendText appends pieces of text as one node.
func appendText(nodes []node, plain []string) []node {
	if len(plain) == 0 {
		return nodes
	}
	return append(nodes, &text{strings.Join(plain, "")})
}

// beforeComment returns what comes before a comment in the same token, which is printed.
func beforeComment(image string) string {
	i := strings.Index(image, "##")
	if i < 0 {
		i = max(strings.Index(image, "#*"), 0)
	}
	return image[:i]
}

// unescaped returns how an escaped directive is printed. The backslash is lost only before
// the names that mean something.
func (p *parser) unescaped(image string) string {
	last := strings.LastIndexByte(image, '\\')
	name := image[last+2:]
	if name[0] == '{' {
		name = name[1 : len(name)-1]
	}
	switch name {
	case "if", "end", "set", "else", "elseif":
	default:
		if !isDirective(name) && !p.macros[name] {
			return image
		}
	}
	return image[:last/2] + image[last+1:]
}

// doubleSlashes parses pairs of backslashes. They halve before a directive, but not before
// #set or one in braces.
func (p *parser) doubleSlashes() string {
	count := 0
	for p.accept(tokenSlashes) {
		count++
	}
	next := p.peek(0)
	halved := false
	switch next.kind {
	case tokenIf, tokenElse, tokenElseIf, tokenEndDirective:
		halved = true
	default:
		if next.image != "" {
			name := next.image[1:]
			halved = isDirective(name) || p.macros[name]
		}
	}
	if halved {
		return strings.Repeat(`\`, count)
	}
	return strings.Repeat(`\\`, count)
}
