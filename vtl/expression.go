package vtl

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// levels are how tight operators bind.
var levels = [...]int{
	or: 1, and: 2, equal: 3, unequal: 3, less: 4, atMost: 4, greater: 4, atLeast: 4,
	add: 5, subtract: 5, multiply: 6, divide: 6, modulo: 6,
}

// expression parses an expression and the blanks around it.
func (p *parser) expression() (expression, error) {
	return p.binary(1)
}

// binary parses
//
//	unary { operator unary }
//
// with operators of a level and above, all of which group to the left: || before &&,
// == !=, < > <= >=, + -, * / %.
func (p *parser) binary(level int) (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		op, ok := p.peek(0).kind.operator()
		if !ok || levels[op] < level {
			return left, nil
		}
		n := &binary{op: op, left: left, offset: p.base + p.peek(0).start}
		p.take()
		// The text of an operation is that of its right side.
		n.from = p.at
		if n.right, err = p.binary(levels[op] + 1); err != nil {
			return nil, err
		}
		n.to = p.at
		if op == add {
			n.leftText, n.rightText = p.textOf(left), p.textOf(n.right)
		}
		left = n
	}
}

// textOf returns the text of an expression if it can be null: it stands for the value then,
// where text is wanted.
func (p *parser) textOf(e expression) string {
	var r tokenRange
	switch e := e.(type) {
	case *binary:
		r = e.tokenRange
	case *parenthesis:
		r = e.tokenRange
	case *span:
		r = e.tokenRange
	case *reference:
		if e.odd || e.runt {
			r = e.tokenRange
		}
	}
	return p.literal(r, true)
}

// unary parses
//
//	( "!" | "not" ) unary | "(" expression ")" | operand
//
// with blanks around it.
func (p *parser) unary() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.blanks()
	if p.accept(tokenNot) {
		operand, err := p.unary()
		return &not{operand}, err
	}
	if p.accept(tokenOpen) {
		n := &parenthesis{tokenRange: tokenRange{from: p.at}}
		var err error
		if n.inner, err = p.expression(); err != nil {
			return nil, err
		}
		n.to = p.at
		if err := p.want(tokenClose, `an operator or ")"`); err != nil {
			return nil, err
		}
		p.blanks()
		return n, nil
	}
	operand, err := p.operand()
	p.blanks()
	return operand, err
}

// operand parses one value:
//
//	string | number | reference | range | list | map | "true" | "false"
func (p *parser) operand() (expression, error) {
	switch t := p.peek(0); t.kind {
	case tokenString:
		return p.string()
	case tokenName, tokenOpenBrace:
		return p.reference()
	case tokenOpenList:
		return p.list()
	case tokenOpenMap:
		return p.mapping()
	case tokenInteger, tokenFloat:
		return p.number()
	case tokenTrue, tokenFalse:
		p.take()
		return truths[t.kind == tokenTrue], nil
	}
	return nil, p.unexpected("a value")
}

// number parses a number. Integers have any size.
func (p *parser) number() (*constant, error) {
	t := p.take()
	if c := t.image[0]; c == '#' || c == '$' {
		return nil, p.fail(t.start, "unexpected %q, want a number", c)
	}
	if t.kind == tokenFloat {
		// Numbers too large are infinite.
		f, _ := strconv.ParseFloat(t.image, 64)
		return &constant{f}, nil
	}
	if i, err := strconv.ParseInt(t.image, 10, 64); err == nil {
		return &constant{i}, nil
	}
	i, _ := new(big.Int).SetString(t.image, 10)
	return &constant{i}, nil
}

// string parses a string with its quotes. What is between double quotes is a template, if
// there is a dollar or a hash.
func (p *parser) string() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.take()
	quote, text := t.image[:1], t.image[1:len(t.image)-1]
	double := quote == `"`
	parsed := double && strings.ContainsAny(text, "$#")
	if double {
		var ok bool
		if text, ok = unescape(text); !ok {
			return nil, p.fail(t.start, `\u without four hexadecimal digits`)
		}
	}
	text = strings.ReplaceAll(text, quote+quote, quote)
	if !parsed {
		return &literal{v: text, text: text}, nil
	}
	n := &literal{}
	// A blank follows the string, so that a dollar or a hash may end it; what is printed
	// loses its last character again. There is none if there is a comment.
	n.padded = !strings.Contains(text, "##")
	if n.padded {
		text += " "
	}
	q := &parser{scanner: scanner{src: text}, vars: p.vars, root: p.root,
		base: p.base + t.start + 1, depth: p.depth, padded: n.padded}
	var err error
	if n.nodes, err = q.template(); err != nil {
		return nil, err
	}
	n.finish()
	return n, nil
}

// finish takes the blank off that follows the string, if it is certain to be the last that is
// printed.
func (n *literal) finish() {
	i := len(n.nodes) - 1
	if i < 0 {
		n.v = ""
		return
	}
	if !n.padded {
		return
	}
	last, ok := n.nodes[i].(*text)
	if !ok {
		return
	}
	n.padded = false
	_, size := utf8.DecodeLastRuneInString(last.text)
	if last.text = last.text[:len(last.text)-size]; last.text == "" {
		n.nodes = n.nodes[:i]
	}
	switch len(n.nodes) {
	case 0:
		n.v, n.nodes = "", nil
	case 1:
		if only, ok := n.nodes[0].(*text); ok {
			n.v, n.text, n.nodes = only.text, only.text, nil
		}
	}
}

// unescape replaces \uXXXX, the only escape that strings have.
func unescape(text string) (string, bool) {
	if !strings.Contains(text, `\u`) {
		return text, true
	}
	var units []uint16
	var b strings.Builder
	for text != "" {
		i := strings.Index(text, `\u`)
		if i != 0 {
			flushUnits(&b, &units)
			if i < 0 {
				i = len(text)
			}
			b.WriteString(text[:i])
			text = text[i:]
			continue
		}
		if len(text) < 6 {
			return "", false
		}
		// A sign counts as a digit there.
		u, err := strconv.ParseInt(text[2:6], 16, 32)
		if err != nil {
			return "", false
		}
		units = append(units, uint16(u))
		text = text[6:]
	}
	flushUnits(&b, &units)
	return b.String(), true
}

// list parses a list or a range:
//
//	"[" "]" | "[" operand { "," operand } "]"
//	"[" ( reference | integer ) ".." ( reference | integer ) "]"
//
// A list with nothing but blanks in it is none.
func (p *parser) list() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.at
	offset := p.base + p.take().start
	if p.accept(tokenCloseList) {
		return &list{}, nil
	}
	p.blanks()
	end := p.isEnd()
	item, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if end && p.accept(tokenDots) {
		n := &span{offset: offset, from: item}
		p.blanks()
		if !p.isEnd() {
			return nil, p.unexpected("an integer or a reference as the end of the range")
		}
		if n.to, err = p.operand(); err != nil {
			return nil, err
		}
		p.blanks()
		if err := p.want(tokenCloseList, `"]"`); err != nil {
			return nil, err
		}
		n.tokenRange = tokenRange{start, p.at}
		return n, nil
	}
	items := []expression{item}
	if p.accept(tokenComma) {
		more, err := p.operands()
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return &list{items: items}, p.want(tokenCloseList, `"," or "]"`)
}

// isEnd reports whether the next token begins an end of a range.
func (p *parser) isEnd() bool { return p.is(tokenInteger) || p.is(tokenName) || p.is(tokenOpenBrace) }

// operands parses values with commas between them, and blanks around them.
func (p *parser) operands() ([]expression, error) {
	var items []expression
	for {
		p.blanks()
		item, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.blanks()
		items = append(items, item)
		if !p.accept(tokenComma) {
			return items, nil
		}
	}
}

// mapping parses
//
//	"{" "}" | "{" operand ":" operand { "," operand ":" operand } "}"
func (p *parser) mapping() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.take()
	m := &mapping{}
	p.blanks()
	if p.closesMap() {
		return m, nil
	}
	for {
		key, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.blanks()
		if err := p.want(tokenColon, `":"`); err != nil {
			return nil, err
		}
		p.blanks()
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.blanks()
		m.keys = append(m.keys, key)
		m.values = append(m.values, value)
		if p.closesMap() {
			return m, nil
		}
		if err := p.want(tokenComma, `"," or "}"`); err != nil {
			return nil, err
		}
		p.blanks()
	}
}

// closesMap reads the end of a map, if it is next. After a reference it may be another token.
func (p *parser) closesMap() bool { return p.accept(tokenCloseMap) || p.accept(tokenCloseBrace) }
