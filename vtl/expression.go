package vtl

import (
	"math/big"
	"strconv"
	"strings"
)

// operators are those that are words; no other word can be one of them.
var operators = map[string]bool{
	"and": true, "or": true, "not": true, "eq": true, "ne": true,
	"lt": true, "gt": true, "le": true, "ge": true,
}

// spellings are the operators by how they can be written.
var spellings = map[string]operator{
	"||": or, "or": or, "&&": and, "and": and,
	"==": equal, "eq": equal, "!=": unequal, "ne": unequal,
	"<": less, "lt": less, "<=": atMost, "le": atMost,
	">": greater, "gt": greater, ">=": atLeast, "ge": atLeast,
	"+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo,
}

// symbols are the operators as they are printed.
var symbols = [...]string{
	or: "||", and: "&&", equal: "==", unequal: "!=", less: "<", atMost: "<=",
	greater: ">", atLeast: ">=", add: "+", subtract: "-", multiply: "*", divide: "/", modulo: "%",
}

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
		at := p.pos
		op, ok := p.operator()
		if !ok || levels[op] < level {
			p.pos = at
			return left, nil
		}
		right, err := p.binary(levels[op] + 1)
		if err != nil {
			return nil, err
		}
		left = &binary{op: op, left: left, right: right, offset: p.base + at}
	}
}

// operator reads an operator between two values. A minus right before a digit belongs
// to the number.
func (p *parser) operator() (operator, bool) {
	if p.peek(0) == '-' && p.atNumber() {
		return 0, false
	}
	if word := p.word(); word != "" {
		op, ok := spellings[word]
		return op, ok
	}
	for n := 2; n > 0; n-- {
		if p.pos+n <= len(p.src) {
			if op, ok := spellings[p.src[p.pos:p.pos+n]]; ok {
				p.pos += n
				return op, true
			}
		}
	}
	return 0, false
}

// unary parses
//
//	( "!" | "not" ) unary | "(" expression ")" | operand
func (p *parser) unary() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.blanks()
	at := p.pos
	switch c := p.peek(0); {
	case c == '!' && p.peek(1) != '=':
		p.pos++
		operand, err := p.unary()
		return &not{operand}, err
	case c == '(':
		p.pos++
		inner, err := p.expression()
		if err != nil {
			return nil, err
		}
		if !p.accept(')') {
			return nil, p.unexpected(`an operator or ")"`)
		}
		p.blanks()
		return &parenthesis{inner}, nil
	case c == 'n' && p.word() == "not":
		operand, err := p.unary()
		return &not{operand}, err
	}
	p.pos = at
	operand, err := p.operand()
	p.blanks()
	return operand, err
}

// operand parses one value:
//
//	string | number | reference | range | list | map | "true" | "false"
func (p *parser) operand() (expression, error) {
	switch c := p.peek(0); {
	case c == '"' || c == '\'':
		return p.string()
	case c == '$':
		return p.reference()
	case c == '[':
		return p.list()
	case c == '{':
		return p.mapping()
	case p.atNumber():
		n, _ := p.parseNumber()
		return n, nil
	}
	at := p.pos
	if word := p.word(); word == "true" || word == "false" {
		return truths[word == "true"], nil
	}
	p.pos = at
	return nil, p.unexpected("a value")
}

// reference parses a reference in an expression.
func (p *parser) reference() (*reference, error) {
	start := p.pos
	p.pos++
	quiet := p.accept('!')
	if !p.startsPath(0) {
		return nil, p.unexpected("a name")
	}
	return p.path(start, quiet)
}

// parseNumber parses a number that is known to be next. Integers have any size.
func (p *parser) parseNumber() (n *constant, integer bool) {
	text, integer := p.number()
	if !integer {
		// Numbers too large are infinite.
		f, _ := strconv.ParseFloat(text, 64)
		return &constant{text: text, v: f}, false
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &constant{text: text, v: i}, true
	}
	i, _ := new(big.Int).SetString(text, 10)
	return &constant{text: text, v: i}, true
}

// string parses a string with its quotes. What is between double quotes is a template.
func (p *parser) string() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.pos
	raw, doubled, ok := p.quoted()
	if !ok {
		return nil, p.fail(start, "the string has no end")
	}
	quote := raw[:1]
	text := raw[1 : len(raw)-1]
	if doubled {
		text = strings.ReplaceAll(text, quote+quote, quote)
	}
	s := &literal{single: quote == "'", text: text}
	if !s.single {
		if s.text, ok = unescape(text); !ok {
			return nil, p.fail(start, `\u without four hexadecimal digits`)
		}
		if strings.ContainsAny(s.text, "$#") {
			q := &parser{scanner: scanner{src: s.text}, vars: p.vars, root: p.root,
				base: p.base + start + 1, depth: p.depth, nested: true}
			nodes, err := q.template()
			if err != nil {
				return nil, err
			}
			s.nodes = nodes
		}
	}
	s.finish()
	return s, nil
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
		u, err := strconv.ParseUint(text[2:6], 16, 16)
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
	start := p.pos
	p.pos++
	if p.accept(']') {
		return &list{}, nil
	}
	items, err := p.operands()
	if err != nil {
		return nil, err
	}
	if len(items) == 1 && p.has("..") && isEnd(items[0]) {
		p.pos += 2
		p.blanks()
		to, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !isEnd(to) {
			return nil, p.fail(p.pos, "want an integer or a reference as the end of the range")
		}
		p.blanks()
		if !p.accept(']') {
			return nil, p.unexpected(`"]"`)
		}
		return &span{offset: p.base + start, from: items[0], to: to}, nil
	}
	if !p.accept(']') {
		return nil, p.unexpected(`"," or "]"`)
	}
	return &list{items: items}, nil
}

// isEnd reports whether an expression can be an end of a range.
func isEnd(e expression) bool {
	switch e := e.(type) {
	case *reference:
		return true
	case *constant:
		_, isFloat := e.v.(float64)
		_, isBool := e.v.(bool)
		return !isFloat && !isBool
	}
	return false
}

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
		if !p.accept(',') {
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
	p.pos++
	p.blanks()
	m := &mapping{}
	if p.accept('}') {
		return m, nil
	}
	for {
		p.blanks()
		key, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.blanks()
		if !p.accept(':') {
			return nil, p.unexpected(`":"`)
		}
		p.blanks()
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.blanks()
		m.keys = append(m.keys, key)
		m.values = append(m.values, value)
		if p.accept('}') {
			return m, nil
		}
		if !p.accept(',') {
			return nil, p.unexpected(`"," or "}"`)
		}
	}
}

// arguments parses the arguments of a method:
//
//	"(" [ argument { "," argument } ] ")"
//
// An argument is an operand or a word, which is null however it is spelled. There are
// no blanks between parentheses with no arguments.
func (p *parser) arguments() ([]expression, error) {
	p.pos++
	if p.accept(')') {
		return nil, nil
	}
	var args []expression
	for {
		p.blanks()
		at := p.pos
		if word := p.identifier(); word != "" && word != "true" && word != "false" {
			args = append(args, &bareword{word})
		} else {
			p.pos = at
			arg, err := p.operand()
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
		}
		p.blanks()
		if p.accept(')') {
			return args, nil
		}
		if !p.accept(',') {
			return nil, p.unexpected(`"," or ")"`)
		}
	}
}
