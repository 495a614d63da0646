package vtl

import "strings"

// directives are the names that mean something, beside those that have tokens of their own,
// with whether a block belongs to them.
var directives = map[string]bool{
	"foreach": true, "define": true, "macro": true, "literal": true,
	"break": false, "stop": false, "include": false, "parse": false,
}

// isDirective reports whether a name means something.
func isDirective(name string) bool {
	_, ok := directives[name]
	return ok
}

// set parses
//
//	"#set" "(" reference "=" expression ")"
func (p *parser) set() (node, error) {
	p.take()
	n := &assignment{}
	p.blanks()
	if !p.atReference() {
		return nil, p.unexpected("a reference to set")
	}
	var err error
	if n.target, err = p.reference(); err != nil {
		return nil, err
	}
	p.blanks()
	if err := p.want(tokenEquals, `"="`); err != nil {
		return nil, err
	}
	if n.value, err = p.expression(); err != nil {
		return nil, err
	}
	if err := p.want(tokenClose, `an operator or ")"`); err != nil {
		return nil, err
	}
	p.setting = false
	return n, nil
}

// condition parses
//
//	"#if" test block { "#elseif" test block } [ "#else" block ] "#end"
//
// in which a test is an expression in parentheses.
func (p *parser) condition() (node, error) {
	start := p.peek(0).start
	n := &condition{}
	for p.is(tokenIf) && n.branches == nil || p.is(tokenElseIf) {
		p.take()
		p.blanks()
		if err := p.want(tokenOpen, `"(" and a condition`); err != nil {
			return nil, err
		}
		var b branch
		var err error
		if b.test, err = p.expression(); err != nil {
			return nil, err
		}
		if err := p.want(tokenClose, `an operator or ")"`); err != nil {
			return nil, err
		}
		if b.body, err = p.block(); err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
	}
	if p.accept(tokenElse) {
		var err error
		if n.otherwise, err = p.block(); err != nil {
			return nil, err
		}
	}
	return n, p.end(start)
}

// end reads the #end of a directive that began at an offset.
func (p *parser) end(start int) error {
	switch t := p.peek(0); t.kind {
	case tokenEndDirective:
		p.take()
		return nil
	case tokenEnd:
		return p.fail(start, "the directive has no #end")
	case tokenElse, tokenElseIf:
		return p.fail(t.start, "unexpected #%s", t.kind)
	}
	return p.unexpected("#end")
}

// A call is a directive with its arguments and its block, before it is known what it is for.
type call struct {
	tokenRange
	offset int
	name   string
	keys   []string // what the arguments are as names of variables
	args   []expression
	first  tokenRange // of the arguments
	block  tokenRange
	body   []node
}

// directive parses a directive that is a word, and returns it or the text that it is:
//
//	word [ "(" { [ "," ] argument } ")" [ block "#end" ] ]
//
// Only with parentheses there are blocks, and not for all names.
func (p *parser) directive() (n node, shown string, err error) {
	c := call{tokenRange: tokenRange{from: p.at}}
	t := p.take()
	c.offset = p.base + t.start
	if c.name = t.image[1:]; t.kind == tokenBracedWord {
		c.name = t.image[2 : len(t.image)-1]
	}
	p.mode = inDirective
	if !p.atParenthesis() {
		p.pop()
		c.to = p.at
		return p.bare(&c, t)
	}
	p.blanks()
	if err := p.want(tokenOpen, `"("`); err != nil {
		return nil, "", err
	}
	if err := p.directiveArguments(&c); err != nil {
		return nil, "", err
	}
	p.blanks()
	if err := p.want(tokenClose, `"," or ")"`); err != nil {
		return nil, "", err
	}
	if directives[c.name] || !isDirective(c.name) && strings.HasPrefix(c.name, "@") {
		c.block.from = p.at
		if c.body, err = p.block(); err != nil {
			return nil, "", err
		}
		c.block.to = p.at
		if err := p.end(c.offset - p.base); err != nil {
			return nil, "", err
		}
	}
	c.to = p.at
	return p.complete(&c)
}

// bare returns a directive without parentheses. Those with a block are none without them.
func (p *parser) bare(c *call, t *token) (n node, shown string, err error) {
	switch c.name {
	case "foreach", "define", "macro", "literal":
		return nil, "", p.fail(t.start, `want "(" after #%s`, c.name)
	case "break", "stop", "parse":
		return &command{offset: c.offset, name: c.name}, "", nil
	case "include":
		return nil, "", nil
	}
	if strings.HasPrefix(c.name, "@") {
		return nil, "#" + c.name, nil
	}
	return nil, t.image, nil
}

// directiveArguments parses what is between the parentheses of a directive:
//
//	{ [ "," ] ( word | string | number | range | map | list | "true" | "false" | reference ) }
//
// Words are for those that do not exist, and for the name of #macro and the second argument
// of #foreach.
func (p *parser) directiveArguments(c *call) error {
	for p.moreArguments() {
		p.blanks()
		if p.accept(tokenComma) {
			p.blanks()
		}
		t := p.peek(0)
		at := p.at
		position := len(c.args)
		if position == 0 {
			c.first = tokenRange{at, at + 1}
		}
		isName := c.name == "macro" && position == 0
		if p.accept(tokenWord) {
			if isDirective(c.name) && !isName && (c.name != "foreach" || position != 1) {
				return p.fail(t.start, "unexpected %q in #%s", t.image, c.name)
			}
			c.args = append(c.args, &bareword{})
			c.keys = append(c.keys, "")
			continue
		}
		if isName {
			return p.fail(t.start, "want the name of the macro")
		}
		arg, err := p.operand()
		if err != nil {
			return err
		}
		c.args = append(c.args, arg)
		if position == 0 {
			c.first.to = p.at
		}
		key := p.tokens[at].image[1:]
		if r, ok := arg.(*reference); ok && !r.odd {
			key = r.name
		}
		c.keys = append(c.keys, key)
	}
	return nil
}

// moreArguments reports whether another argument of a directive follows.
func (p *parser) moreArguments() bool {
	i := 0
	if p.is(tokenBlank) {
		i = 1
	}
	switch p.peek(i).kind {
	case tokenComma, tokenWord:
		return true
	case tokenBlank:
		return false
	}
	return p.atArgument(i)
}

// complete returns what a directive with parentheses does, or the text that it is.
func (p *parser) complete(c *call) (n node, shown string, err error) {
	switch c.name {
	case "foreach":
		return p.loop(c), "", nil
	case "define":
		if len(c.args) != 1 {
			return nil, "", p.fail(c.offset-p.base, "want one variable in #define")
		}
		n := &definition{slot: p.vars.slot(c.keys[0]), block: &block{body: c.body}}
		if r, ok := c.args[0].(*reference); ok && !r.settable {
			n.slot = p.vars.slot("")
		}
		return n, "", nil
	case "macro":
		if len(c.args) == 0 {
			return nil, "", p.fail(c.offset-p.base, "want the name of the macro")
		}
		if p.macros == nil {
			p.macros = map[string]bool{}
		}
		p.macros[p.tokens[c.first.from].image] = true
		return nil, "", nil
	case "literal":
		if len(c.args) > 0 {
			return nil, p.literal(c.first, true), nil
		}
		if c.block.from == c.block.to {
			return nil, "", p.fail(c.offset-p.base, "want something in #literal")
		}
		return nil, p.literal(c.block, true), nil
	case "break", "stop":
		if len(c.args) > 1 {
			return nil, "", p.fail(c.offset-p.base, "want one argument of #%s, or none", c.name)
		}
		fallthrough
	case "include", "parse":
		return &command{offset: c.offset, name: c.name, args: c.args}, "", nil
	}
	return nil, p.literal(c.tokenRange, false), nil
}

// loop returns what #foreach does. Any word or value can stand for "in". With fewer arguments
// it does nothing, or fails; with more of them, the fourth stands for the block.
func (p *parser) loop(c *call) node {
	n := &foreach{offset: c.offset, args: len(c.args), body: c.body}
	if len(c.args) < 3 {
		return n
	}
	n.slot, n.list = p.vars.slot(c.keys[0]), c.args[2]
	if len(c.args) > 3 {
		n.body = outputs(nil, c.args[3])
	}
	return n
}

// outputs appends the references in a value.
func outputs(nodes []node, e expression) []node {
	switch e := e.(type) {
	case *reference:
		n, shown := e.output()
		if n == nil {
			n = &text{shown}
		}
		return append(nodes, n)
	case *list:
		for _, item := range e.items {
			nodes = outputs(nodes, item)
		}
	case *mapping:
		for i := range e.keys {
			nodes = outputs(outputs(nodes, e.keys[i]), e.values[i])
		}
	case *span:
		nodes = outputs(outputs(nodes, e.from), e.to)
	}
	return nodes
}
