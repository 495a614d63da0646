package vtl

import "strings"

// directives are the names that mean something.
var directives = map[string]bool{
	"set": true, "if": true, "elseif": true, "else": true, "end": true, "foreach": true,
	"define": true, "macro": true, "break": true, "stop": true, "include": true,
	"parse": true, "literal": true,
}

// directive reads the name of a directive after its hash, in braces or not, and returns
// it and the text read:
//
//	word | "{" word "}"
func (s *scanner) directive() (name, word string) {
	start := s.pos
	braced := s.accept('{')
	name = s.word()
	if name == "" || braced && !s.accept('}') {
		s.pos = start
		return "", ""
	}
	return name, s.src[start:s.pos]
}

// atSet returns how long the blanks before a #set are and the #set itself with its
// parenthesis; head is 0 if there is none. The blanks belong to it, whatever they
// follow, unless they belong to text.
func (p *parser) atSet() (lead, head int) {
	i := p.pos
	for i < len(p.src) && (p.src[i] == ' ' || p.src[i] == '\t') {
		i++
	}
	lead = i - p.pos
	rest := p.src[i:]
	switch {
	case strings.HasPrefix(rest, "#set"):
		head = len("#set")
	case strings.HasPrefix(rest, "#{set}"):
		head = len("#{set}")
	default:
		return 0, 0
	}
	for head < len(rest) && rest[head] == ' ' {
		head++
	}
	if head == len(rest) || rest[head] != '(' {
		return 0, 0
	}
	return lead, head + 1
}

// set parses
//
//	"#set" "(" reference "=" expression ")"
func (p *parser) set(lead, head int) (node, error) {
	start := p.pos
	n := &assignment{lead: p.src[start : start+lead], head: p.src[start+lead : start+lead+head]}
	p.pos += lead + head
	p.blanks()
	if p.peek(0) != '$' {
		return nil, p.unexpected("a reference to set")
	}
	var err error
	if n.target, err = p.reference(); err != nil {
		return nil, err
	}
	p.blanks()
	if p.peek(1) == '=' || !p.accept('=') {
		return nil, p.unexpected(`"="`)
	}
	if n.value, err = p.expression(); err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, p.unexpected(`an operator or ")"`)
	}
	n.tail = p.line()
	return n, nil
}

// hash parses what begins with a hash. It returns no node but a mark for what ends a
// block.
//
// A dollar right before the hash makes text of all directives but #set and #if and what
// belongs to them.
func (p *parser) hash(before []node) (node, mark, error) {
	start := p.pos
	p.pos++
	switch c := p.peek(0); {
	case c == '#':
		return p.lineComment(), mark{}, nil
	case c == '*':
		n, err := p.comment()
		return n, mark{}, err
	case p.has("[["):
		end := strings.Index(p.src[p.pos:], "]]#")
		if end < 0 {
			return nil, mark{}, p.fail(start, `"#[[" without "]]#"`)
		}
		p.pos += end + len("]]#")
		raw := p.src[start:p.pos]
		return newText(raw[3:len(raw)-3], raw), mark{}, nil
	case p.atNumber():
		p.number()
		return plain(p.src[start:p.pos]), mark{}, nil
	case p.end() && !p.nested:
		return nil, mark{}, p.fail(p.pos, `unexpected end after "#"`)
	}
	name, word := p.directive()
	if word == "" {
		raw := p.src[start:p.pos]
		if p.swallows() {
			return newText("", raw), mark{}, nil
		}
		return plain(raw), mark{}, nil
	}
	switch name {
	case "end", "else", "elseif":
		return nil, mark{name: name, word: p.src[start:p.pos], offset: start}, nil
	}
	if p.src[max(start-1, 0)] == '$' && len(before) > 0 && isLone(before[len(before)-1]) && name != "if" {
		n, err := p.unknown(start, "")
		return n, mark{}, err
	}
	var n node
	var err error
	switch name {
	case "if":
		n, err = p.condition(start)
	case "foreach":
		n, err = p.loop(start)
	case "define":
		n, err = p.definition(start)
	case "macro":
		n, err = p.macro(start)
	case "literal":
		n, err = p.literal(start)
	case "break", "stop", "include", "parse":
		n, err = p.command(start, name)
	default:
		n, err = p.unknown(start, name)
	}
	return n, mark{}, err
}

// escapes reports whether an escaped directive is next.
func (p *parser) escapes() bool {
	s := p.scanner
	slashes := p.backslashes()
	if slashes%2 == 0 || p.peek(slashes) != '#' {
		return false
	}
	s.pos += slashes + 1
	_, word := s.directive()
	return word != ""
}

// lineComment reads "##" and what follows it, with the end of the line. The first hash
// has been read.
func (p *parser) lineComment() node {
	start := p.pos - 1
	if end := strings.IndexAny(p.src[p.pos:], "\r\n"); end >= 0 {
		p.pos += end
		p.accept('\r')
		p.accept('\n')
	} else {
		p.pos = len(p.src)
	}
	return newText("", p.src[start:p.pos])
}

// comment reads "#* ... *#"; one without an end takes the rest. The hash has been read.
func (p *parser) comment() (node, error) {
	start := p.pos - 1
	p.pos++
	if p.end() && !p.nested {
		return nil, p.fail(p.pos, `unexpected end after "#*"`)
	}
	if p.peek(0) == '*' && p.pos+1 < len(p.src) && p.peek(1) != '#' {
		p.pos++ // of "#**"
	}
	if end := strings.Index(p.src[p.pos:], "*#"); end >= 0 {
		p.pos += end + len("*#")
	} else {
		p.pos = len(p.src)
	}
	return newText("", p.src[start:p.pos]), nil
}

// body parses the block of a directive and its #end.
func (p *parser) body(start int) (nodes []node, end ending, err error) {
	nodes, m, err := p.block()
	if err != nil {
		return nil, ending{}, err
	}
	if m.name != "end" {
		return nil, ending{}, p.noEnd(start, m)
	}
	return nodes, ending{word: m.word, tail: p.line()}, nil
}

func (p *parser) noEnd(start int, m mark) error {
	if m.word == "" {
		return p.fail(start, "the directive has no #end")
	}
	return p.fail(m.offset, "unexpected #%s", m.name)
}

// condition parses, after "#if",
//
//	"(" expression ")" block { "#elseif" "(" expression ")" block } [ "#else" block ] "#end"
func (p *parser) condition(start int) (node, error) {
	n := &condition{}
	word := p.src[start:p.pos]
	for {
		at := p.pos
		p.blanks()
		b := branch{word: word, gap: p.src[at:p.pos]}
		if !p.accept('(') {
			return nil, p.unexpected(`"(" and a condition`)
		}
		var err error
		if b.test, err = p.expression(); err != nil {
			return nil, err
		}
		if !p.accept(')') {
			return nil, p.unexpected(`an operator or ")"`)
		}
		b.tail = p.line()
		var m mark
		if b.body, m, err = p.block(); err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
		word = m.word
		switch m.name {
		case "elseif":
			continue
		case "else":
			n.otherwise.word, n.otherwise.tail = m.word, p.line()
			if n.otherwise.body, n.end, err = p.body(start); err != nil {
				return nil, err
			}
			return n, nil
		case "end":
			n.end = ending{word: m.word, tail: p.line()}
			return n, nil
		default:
			return nil, p.noEnd(start, m)
		}
	}
}

// open reads blanks and the parenthesis after the name of a directive.
func (p *parser) open() bool {
	at := p.pos
	p.blanks()
	if p.accept('(') {
		return true
	}
	p.pos = at
	return false
}

// directiveArguments parses what is between the parentheses of a directive, of which
// the first has been read, and the second:
//
//	{ [ "," ] ( word | string | number | range | map | list | "true" | "false" | reference ) } ")"
func (p *parser) directiveArguments() ([]expression, error) {
	var args []expression
	for {
		p.blanks()
		if p.accept(')') {
			return args, nil
		}
		if p.accept(',') {
			p.blanks()
		}
		at := p.pos
		if word := p.word(); word != "" && word != "true" && word != "false" {
			if operators[word] {
				return nil, p.fail(at, "unexpected operator %q", word)
			}
			args = append(args, &bareword{word})
			continue
		}
		p.pos = at
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
}

// noWords refuses words among arguments of a directive that has no use for them.
func (p *parser) noWords(start int, name string, args []expression) error {
	for _, arg := range args {
		if w, ok := arg.(*bareword); ok {
			return p.fail(start, "unexpected %q in #%s", w.text, name)
		}
	}
	return nil
}

// loop parses, after "#foreach",
//
//	"(" reference "in" argument ")" block "#end"
//
// Any word or value can stand for "in". Of a reference only its variable counts. With
// fewer or more arguments it does nothing.
func (p *parser) loop(start int) (node, error) {
	if !p.open() {
		return nil, p.unexpected(`"(" after #foreach`)
	}
	n := &foreach{offset: p.base + start, head: p.src[start:p.pos]}
	var err error
	at := p.pos
	if n.args, err = p.directiveArguments(); err != nil {
		return nil, err
	}
	if len(n.args) < 2 {
		return nil, p.fail(at, "want a variable, \"in\" and a list")
	}
	for i, arg := range n.args {
		if w, ok := arg.(*bareword); ok && i != 1 {
			return nil, p.fail(at, "unexpected %q in #foreach", w.text)
		}
	}
	n.tail = p.line()
	if r, ok := n.args[0].(*reference); ok && len(n.args) == 3 {
		n.slot, n.list = r.slot, n.args[2]
	}
	n.body, n.end, err = p.body(start)
	return n, err
}

// definition parses, after "#define",
//
//	"(" reference ")" block "#end"
func (p *parser) definition(start int) (node, error) {
	if !p.open() {
		return nil, p.unexpected(`"(" after #define`)
	}
	n := &definition{head: p.src[start:p.pos]}
	at := p.pos
	args, err := p.directiveArguments()
	if err != nil {
		return nil, err
	}
	if err := p.noWords(at, "define", args); err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, p.fail(at, "want one variable")
	}
	n.arg = args[0]
	n.tail = p.line()
	n.block = &block{}
	if r, ok := n.arg.(*reference); ok {
		n.slot, n.sets = r.slot, !r.braced && !r.quiet
		n.block.name = r.name
	}
	n.block.body, n.end, err = p.body(start)
	return n, err
}

// macro parses a macro, which is nothing: the service does not let templates define
// any.
//
//	"#macro" "(" word { argument } ")" block "#end"
func (p *parser) macro(start int) (node, error) {
	if !p.open() {
		return nil, p.unexpected(`"(" after #macro`)
	}
	at := p.pos
	args, err := p.directiveArguments()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, p.fail(at, "want the name of the macro")
	}
	if _, ok := args[0].(*bareword); !ok {
		return nil, p.fail(at, "want the name of the macro")
	}
	if err := p.noWords(at, "macro", args[1:]); err != nil {
		return nil, err
	}
	p.line()
	if _, _, err := p.body(start); err != nil {
		return nil, err
	}
	return newText("", p.src[start:p.pos]), nil
}

// literal parses a block that is printed as it is written, though it must be one that
// parses. One with an argument prints the argument.
//
//	"#literal" "(" ")" block "#end"
func (p *parser) literal(start int) (node, error) {
	if !p.open() {
		return nil, p.unexpected(`"(" after #literal`)
	}
	at := p.pos
	args, err := p.directiveArguments()
	if err != nil {
		return nil, err
	}
	if err := p.noWords(at, "literal", args); err != nil {
		return nil, err
	}
	p.line()
	inside := p.pos
	_, m, err := p.block()
	if err != nil {
		return nil, err
	}
	if m.name != "end" {
		return nil, p.noEnd(start, m)
	}
	text := p.src[inside:m.offset]
	p.line()
	if len(args) > 0 {
		text = string(args[0].print(nil))
	}
	return newText(text, p.src[start:p.pos]), nil
}

// command parses a directive without a block: #break, #stop, #include and #parse, with
// or without arguments.
func (p *parser) command(start int, name string) (node, error) {
	n := &command{offset: p.base + start, name: name}
	if p.open() {
		at := p.pos
		var err error
		if n.args, err = p.directiveArguments(); err != nil {
			return nil, err
		}
		if err := p.noWords(at, name, n.args); err != nil {
			return nil, err
		}
		p.line()
	}
	n.raw = p.src[start:p.pos]
	return n, nil
}

// unknown parses a directive that does not exist, which is text, with its arguments,
// and for one that begins with @ with its block too. What stands in parentheses must
// be arguments all the same.
func (p *parser) unknown(start int, name string) (node, error) {
	if p.open() {
		if _, err := p.directiveArguments(); err != nil {
			return nil, err
		}
		p.line()
		if strings.HasPrefix(name, "@") {
			if _, _, err := p.body(start); err != nil {
				return nil, err
			}
		}
	}
	return plain(p.src[start:p.pos]), nil
}
