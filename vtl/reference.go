package vtl

import "strings"

// atReference reports whether a reference can begin with the next token.
func (p *parser) atReference() bool { return p.is(tokenName) || p.is(tokenOpenBrace) }

// reference parses
//
//	name { index } { "." name [ arguments ] { index } }
//
// with or without braces. The dollar is part of the first token, with all that stands before
// it; a reference without a dollar is a word, which is null.
func (p *parser) reference() (*reference, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	r := &reference{tokenRange: tokenRange{from: p.at}}
	start := p.peek(0)
	r.offset = p.base + start.start
	name := start
	braced := p.accept(tokenOpenBrace)
	if braced {
		name = p.peek(0)
	}
	if err := p.want(tokenName, "a name"); err != nil {
		return nil, err
	}
	r.name = name.image
	var err error
	if r.steps, err = p.indexes(r.steps); err != nil {
		return nil, err
	}
	for p.is(tokenDot) && p.peek(1).kind == tokenName {
		if r.steps, err = p.property(r.steps); err != nil {
			return nil, err
		}
		if r.steps, err = p.indexes(r.steps); err != nil {
			return nil, err
		}
	}
	if braced {
		if err := p.want(tokenCloseBrace, `"}" at the end of the reference`); err != nil {
			return nil, err
		}
	}
	r.to = p.at
	p.head(r, &p.tokens[r.from], braced)
	r.finish()
	return r, nil
}

// head finds out what the first token of a reference says, and leaves in its image what is
// wanted where the text of the reference is wanted.
func (p *parser) head(r *reference, t *token, braced bool) {
	if strings.Contains(t.image, `\!`) {
		r.odd = true
		r.slot = p.vars.slot("")
		return
	}
	i := 0
	for i < len(t.image) && t.image[i] == '\\' {
		i++
	}
	r.escaped = i%2 == 1
	r.slashes = t.image[:i/2]
	t.image = t.image[i:]
	if i := strings.LastIndexByte(t.image, '$'); i > 0 {
		r.before = t.image[:i]
		t.image = t.image[i:]
	}
	quiet := strings.HasPrefix(t.image, "$!")
	switch {
	case !strings.HasPrefix(t.image, "$"):
		r.word = t.image
		r.runt = true
	case !braced:
		r.name = strings.TrimPrefix(t.image[1:], "!")
	}
	r.settable = !braced && !quiet && !r.runt
	if !r.runt {
		r.slot = p.vars.slot(r.name)
	}
	if !quiet || r.escaped {
		r.null = p.literal(r.tokenRange, true)
	}
}

// property parses a dot and the name of a property, or a call.
func (p *parser) property(steps []step) ([]step, error) {
	s := step{kind: property, offset: p.base + p.take().start, name: p.take().image}
	// A parenthesis begins arguments only if one follows, or their end.
	if p.is(tokenOpen) && (p.atArgument(1) || p.peek(1).kind == tokenCloseCall) {
		s.kind = method
		p.take()
		var err error
		if s.args, err = p.arguments(); err != nil {
			return nil, err
		}
		s.prepare(p.vars)
	}
	return append(steps, s), nil
}

// atArgument reports whether the token that is i tokens ahead begins a value, or blanks.
func (p *parser) atArgument(i int) bool {
	switch p.peek(i).kind {
	case tokenBlank, tokenString, tokenInteger, tokenFloat, tokenOpenList, tokenOpenMap, tokenTrue,
		tokenFalse, tokenName, tokenOpenBrace:
		return true
	}
	return false
}

// arguments parses the arguments of a method:
//
//	"(" [ argument { "," argument } ] ")"
//
// The parenthesis has been read.
func (p *parser) arguments() ([]expression, error) {
	if p.accept(tokenCloseCall) {
		return nil, nil
	}
	args, err := p.operands()
	if err != nil {
		return nil, err
	}
	return args, p.want(tokenCloseCall, `"," or ")"`)
}

// indexes parses
//
//	{ "[" ( string | integer | "true" | "false" | reference ) "]" }
func (p *parser) indexes(steps []step) ([]step, error) {
	for p.is(tokenOpenIndex) {
		s := step{kind: index, offset: p.base + p.take().start}
		p.blanks()
		var arg expression
		var err error
		switch p.peek(0).kind {
		case tokenString, tokenInteger, tokenTrue, tokenFalse, tokenName, tokenOpenBrace:
			arg, err = p.operand()
		default:
			err = p.unexpected("a string, an integer or a reference as an index")
		}
		if err != nil {
			return nil, err
		}
		p.blanks()
		if err := p.want(tokenCloseIndex, `"]"`); err != nil {
			return nil, err
		}
		s.args = []expression{arg}
		steps = append(steps, s)
	}
	return steps, nil
}

// output parses a reference in text, and returns it or the text that it is.
func (p *parser) output() (n node, shown string, err error) {
	r, err := p.reference()
	if err != nil {
		return nil, "", err
	}
	n, shown = r.output()
	return n, shown, nil
}

// output returns what prints the reference, or the text that it is.
func (r *reference) output() (n node, shown string) {
	switch {
	case r.runt:
		return nil, r.word
	case r.odd:
		return nil, ""
	case r.escaped && len(r.steps) == 0:
		return nil, r.slashes + r.null
	case r.escaped:
		return &escaped{ref: r, text: r.slashes + r.null}, ""
	}
	return &output{prefix: r.slashes + r.before, ref: r, json: r.json()}, ""
}
