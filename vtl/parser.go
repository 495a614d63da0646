package vtl

import (
	"fmt"
	"strings"
)

// maxNesting is how deep directives, expressions and strings may be in each other.
const maxNesting = 100

// A parser reads a template, or a string in one.
type parser struct {
	scanner
	vars   *variables
	root   string // the template, for positions
	base   int    // where src begins in root
	depth  int
	nested bool // src is a string in a template, after which other text may come
	// The end of the dollars that are next, and whether what follows swallows them: asked
	// once for all of them.
	lone struct {
		end       int
		swallowed bool
	}
}

// fail returns an error at an offset in src.
func (p *parser) fail(offset int, format string, args ...any) error {
	line, column := position(p.root, p.base+offset)
	return &Error{Kind: ParseError, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// unexpected returns the error for what is next where something else is wanted.
func (p *parser) unexpected(want string) error {
	if p.end() {
		return p.fail(p.pos, "unexpected end, want %s", want)
	}
	found := p.src[p.pos:]
	for i := range found {
		if i > 0 {
			found = found[:i]
			break
		}
	}
	return p.fail(p.pos, "unexpected %q, want %s", found, want)
}

// enter counts one more level; leave must follow.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.fail(p.pos, "more than %d levels", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// template parses all there is.
func (p *parser) template() ([]node, error) {
	if len(p.src) > MaxLength {
		return nil, p.fail(MaxLength, "longer than %d bytes", MaxLength)
	}
	nodes, end, err := p.block()
	if err != nil {
		return nil, err
	}
	if end.word != "" {
		return nil, p.fail(end.offset, "#%s without a directive that it belongs to", end.name)
	}
	return nodes, nil
}

// A mark is the #end, #else or #elseif after a block; the zero mark is the end of the
// text.
type mark struct {
	name   string
	word   string // as written
	offset int
}

// block parses statements up to a mark, which it reads without its tail:
//
//	{ text | escape | reference | directive | comment | raw }
func (p *parser) block() (nodes []node, end mark, err error) {
	if err := p.enter(); err != nil {
		return nil, mark{}, err
	}
	defer p.leave()
	for !p.end() {
		if lead, head := p.atSet(); head > 0 {
			n, err := p.set(lead, head)
			if err != nil {
				return nil, mark{}, err
			}
			nodes = append(nodes, n)
			continue
		}
		var n node
		switch c := p.src[p.pos]; c {
		case '$', '\\':
			n, err = p.dollar(nodes)
		case '#':
			if p.has("##") && endsInProperty(nodes) {
				n, err = p.twoHashes()
				break
			}
			n, end, err = p.hash(nodes)
			if err == nil && n == nil {
				return nodes, end, nil
			}
		default:
			n = p.text()
		}
		if err != nil {
			return nil, mark{}, err
		}
		nodes = append(nodes, n)
	}
	return nodes, mark{}, nil
}

// endsInProperty reports whether the last node is a reference without braces that ends in
// a property, or an index of one.
func endsInProperty(nodes []node) bool {
	if len(nodes) == 0 {
		return false
	}
	n, ok := nodes[len(nodes)-1].(*output)
	if !ok || n.ref.braced {
		return false
	}
	i := len(n.ref.steps) - 1
	for i >= 0 && n.ref.steps[i].kind == index {
		i--
	}
	return i >= 0 && n.ref.steps[i].kind == property
}

// twoHashes reads "##" where it begins no comment: right after a property.
func (p *parser) twoHashes() (node, error) {
	p.pos += 2
	if p.end() && !p.nested {
		return nil, p.fail(p.pos, `unexpected end after "#"`)
	}
	return plain("##"), nil
}

// text reads what has no meaning; there is something.
func (p *parser) text() node {
	start := p.pos
	if i := strings.IndexAny(p.src[start:], `$#\`); i >= 0 {
		p.pos += i
	} else {
		p.pos = len(p.src)
	}
	return plain(p.src[start:p.pos])
}

// plain is text that is printed as it is written.
func plain(text string) *text {
	return newText(text, text)
}

// backslashes counts those that are next.
func (p *parser) backslashes() int {
	n := 0
	for p.peek(n) == '\\' {
		n++
	}
	return n
}

// dollar parses what begins with a dollar or a backslash:
//
//	{ "\" } "$" [ "!" ] ( name | "{" name ) ...      a reference
//	{ "\" } "#" word                                 an escaped directive
//	{ "\" } [ "$" [ "!" ] ]                          text
//
// Backslashes before a reference halve, and one that is left over makes it text. They
// do so before the name of a directive too, and mean nothing elsewhere.
func (p *parser) dollar(before []node) (node, error) {
	slashes := p.backslashes()
	switch p.peek(slashes) {
	case '$':
	case '#':
		return p.escapedDirective(slashes), nil
	default:
		start := p.pos
		p.pos += slashes
		return plain(p.src[start:p.pos]), nil
	}
	// A lone dollar or hash that comes right before takes away the meaning of the
	// backslashes.
	lone := slashes > 0 && len(before) > 0 && isLone(before[len(before)-1])

	start := p.pos
	p.pos += slashes + 1
	var bang, odd bool // odd: with backslashes before the bang
	if p.accept('!') {
		bang = true
	} else if n := p.backslashes(); n > 0 && p.peek(n) == '!' && p.startsPath(n+1) {
		bang, odd = true, true
		p.pos += n + 1
	}
	prefix := p.src[start : start+slashes]
	if p.startsPath(0) {
		ref, err := p.path(start+slashes, bang)
		if err != nil {
			return nil, err
		}
		raw := p.src[start:p.pos]
		switch {
		case odd:
			return newText("", raw), nil
		case lone:
			return newOutput(prefix, prefix, ref), nil
		case slashes%2 == 1:
			return newText(raw[slashes-slashes/2:], raw), nil
		}
		return newOutput(prefix, prefix[slashes/2:], ref), nil
	}
	return p.loneDollar(start, slashes, bang)
}

// loneDollar parses a dollar that begins no reference, after backslashes and before a bang
// that have been read. It is text. Some texts are lost, for no reason: the bang, and the
// dollar itself before a directive.
func (p *parser) loneDollar(start, slashes int, bang bool) (node, error) {
	raw := p.src[start:p.pos]
	switch c := p.peek(0); {
	case p.end() && !p.nested:
		return nil, p.fail(p.pos, "unexpected end after %q, want a name or text", raw)
	case c == '{':
		p.pos++
		return plain(p.src[start:p.pos]), nil
	case c == '[' && slashes > 0:
		return nil, p.unexpected("a name")
	case c == '[':
		p.pos++
		return plain(p.src[start:p.pos]), nil
	case c == '.' && isLetter(p.peek(1)) && (slashes > 0 || bang):
		return newText("", raw), nil
	case p.swallows():
		return newText("", raw), nil
	case p.peek(p.backslashes()) == '$' && p.startsPath(p.backslashes()+1):
		return plain(raw), nil
	}
	return newText(strings.TrimSuffix(raw, "!"), raw), nil
}

// swallows reports whether what is next makes dollars and hashes before it disappear, as
// #set, #if, comments and escaped directives do.
func (p *parser) swallows() bool {
	if _, head := p.atSet(); head > 0 {
		return true
	}
	if p.peek(0) == '\\' {
		return p.escapes()
	}
	if p.pos > p.lone.end {
		p.lone.end = p.pos
		for p.lone.end < len(p.src) && (p.src[p.lone.end] == '$' || p.src[p.lone.end] == '!') {
			p.lone.end++
		}
		s := p.scanner
		s.pos = p.lone.end
		comment := s.has("#*")
		if s.accept('#') {
			name, _ := s.directive()
			p.lone.swallowed = comment || name == "if" || name == "set"
		} else {
			p.lone.swallowed = false
		}
	}
	return p.lone.swallowed
}

// isLone reports whether a node is a dollar or a hash that is text.
func isLone(n node) bool {
	t, ok := n.(*text)
	return ok && (t.raw == "$" || t.raw == "#" || t.raw == "$!")
}

// startsPath reports whether a name or a name in braces is i bytes ahead.
func (p *parser) startsPath(i int) bool {
	if p.peek(i) == '{' {
		i++
	}
	return isLetter(p.peek(i)) || p.peek(i) == '_'
}

// escapedDirective parses backslashes and the hash after them. Before a hash that
// begins no directive, and before #set, all of them are text.
func (p *parser) escapedDirective(slashes int) node {
	start := p.pos
	s := p.scanner
	s.pos += slashes + 1
	name, word := s.directive()
	if slashes%2 == 1 && word != "" {
		p.pos = s.pos
		raw := p.src[start:p.pos]
		if !directives[name] {
			return plain(raw)
		}
		return newText(raw[slashes-slashes/2:], raw)
	}
	p.pos += slashes
	raw := p.src[start:p.pos]
	if directives[name] && name != "set" {
		return newText(raw[slashes/2:], raw)
	}
	return plain(raw)
}

// path parses a reference after its dollar and bang, of which the dollar is at start:
//
//	name { index } { "." name [ arguments ] { index } }
//
// with or without braces.
func (p *parser) path(start int, quiet bool) (*reference, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	r := &reference{offset: p.base + start, quiet: quiet}
	r.braced = p.accept('{')
	at := p.pos
	r.name = p.identifier()
	if r.name == "" {
		return nil, p.unexpected("a name")
	}
	if r.name == "true" || r.name == "false" {
		return nil, p.fail(at, "%q is no name of a variable", r.name)
	}
	r.slot = p.vars.slot(r.name)
	var err error
	if r.steps, err = p.indexes(r.steps); err != nil {
		return nil, err
	}
	for p.peek(0) == '.' && isLetter(p.peek(1)) {
		at := p.pos
		p.pos++
		s := step{kind: property, offset: p.base + at, name: p.identifier()}
		if s.name == "true" || s.name == "false" {
			return nil, p.fail(at+1, "%q is no name of a property", s.name)
		}
		// A parenthesis that nothing follows, or a directive, is text.
		if p.peek(0) == '(' && p.pos+1 < len(p.src) && p.peek(1) != '#' {
			s.kind = method
			if s.args, err = p.arguments(); err != nil {
				return nil, err
			}
			s.prepare(p.vars)
		}
		r.steps = append(r.steps, s)
		if r.steps, err = p.indexes(r.steps); err != nil {
			return nil, err
		}
	}
	if r.braced && !p.accept('}') {
		return nil, p.unexpected(`"}" at the end of the reference`)
	}
	r.finish()
	return r, nil
}

// indexes parses
//
//	{ "[" ( string | integer | "true" | "false" | reference ) "]" }
func (p *parser) indexes(steps []step) ([]step, error) {
	for p.peek(0) == '[' {
		s := step{kind: index, offset: p.base + p.pos}
		p.pos++
		p.blanks()
		var arg expression
		var err error
		switch c := p.peek(0); {
		case c == '"' || c == '\'':
			arg, err = p.string()
		case c == '$':
			arg, err = p.reference()
		case p.atNumber():
			at := p.pos
			n, integer := p.parseNumber()
			if !integer {
				return nil, p.fail(at, "an index is an integer, not a fraction")
			}
			arg = n
		default:
			at := p.pos
			switch word := p.word(); word {
			case "true", "false":
				arg = truths[word == "true"]
			default:
				p.pos = at
				return nil, p.unexpected("a string, an integer or a reference as an index")
			}
		}
		if err != nil {
			return nil, err
		}
		p.blanks()
		if !p.accept(']') {
			return nil, p.unexpected(`"]"`)
		}
		s.args = []expression{arg}
		steps = append(steps, s)
	}
	return steps, nil
}
