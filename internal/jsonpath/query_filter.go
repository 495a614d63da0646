package jsonpath

import (
	"strings"

	"penstock/internal/lenient"
)

// A condition is what a filter asks of a value.
type condition struct {
	kind  conditionKind
	parts []*condition // of every, some and negates
	left  operand
	op    operator
	right operand
}

type conditionKind uint8

const (
	compares conditionKind = iota
	exists                 // there is what left leads to
	negates
	every
	some
)

// An operand is a path or a value.
type operand struct {
	path    *Query
	value   any
	text    string // of a value, as it is written
	pattern *pattern
}

type operator uint8

const (
	opEqual operator = iota + 1
	opNotEqual
	opSame // equal, and of one type
	opNotSame
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opMatch
	opIn
	opNotIn
	opSubsetOf
	opAnyOf
	opNoneOf
	opContains
	opSize
	opEmpty
)

var operators = map[string]operator{
	"==": opEqual, "!=": opNotEqual, "===": opSame, "!==": opNotSame, "<": opLess, "<=": opLessEqual,
	">": opGreater, ">=": opGreaterEqual, "=~": opMatch, "in": opIn, "nin": opNotIn, "subsetof": opSubsetOf,
	"anyof": opAnyOf, "noneof": opNoneOf, "contains": opContains, "size": opSize, "empty": opEmpty,
}

// either parses
//
//	condition  = both { "||" both }
func (p *queryParser) either() *condition {
	return p.several(some, "||", p.both)
}

// both parses
//
//	both       = single { "&&" single }
func (p *queryParser) both() *condition {
	return p.several(every, "&&", p.single)
}

func (p *queryParser) several(kind conditionKind, sign string, part func() *condition) *condition {
	parts := []*condition{part()}
	for p.space(); p.accept(sign); p.space() {
		parts = append(parts, part())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &condition{kind: kind, parts: parts}
}

// single parses
//
//	single     = "!" single | "(" condition ")" | operand operator operand | path
//	operand    = path | string | number | "true" | "false" | "null" | object | list | pattern
//	operator   = "==" | "!=" | "===" | "!==" | "<" | "<=" | ">" | ">=" | "=~" | word
//
// Words are in, nin, subsetof, anyof, noneof, contains, size and empty, in capitals or not.
func (p *queryParser) single() *condition {
	c := &condition{}
	if !p.enter() {
		return c
	}
	defer p.leave()
	p.space()
	if p.accept("!") {
		c.kind, c.parts = negates, []*condition{p.single()}
		return c
	}
	if p.accept("(") {
		c := p.either()
		p.space()
		p.want(")")
		return c
	}
	start := p.i
	c.left = p.operand()
	p.space()
	if p.at(")") || p.at("&&") || p.at("||") {
		if c.kind = exists; c.left.path == nil {
			p.failAt(start, "want a path or a comparison")
		}
		return c
	}
	word := p.word()
	c.op = operators[strings.ToLower(word)]
	if c.op == 0 {
		p.fail("want an operator")
	}
	p.i += len(word)
	start = p.i
	c.right = p.operand()
	if c.op == opMatch && c.left.pattern == nil && c.right.pattern == nil {
		p.failAt(start, "want a pattern")
	}
	return c
}

// word returns the operator that stands here.
func (p *queryParser) word() string {
	end := p.i
	for end < len(p.text) && strings.IndexByte("=!<>~", p.text[end]) >= 0 {
		end++
	}
	if end == p.i {
		for end < len(p.text) && (p.text[end]|0x20) >= 'a' && (p.text[end]|0x20) <= 'z' {
			end++
		}
	}
	return p.text[p.i:end]
}

func (p *queryParser) operand() operand {
	p.space()
	if !p.more() {
		p.fail("want a value")
		return operand{}
	}
	switch c := p.text[p.i]; c {
	case '$', '@':
		return operand{path: p.query(false)}
	case '\'', '"':
		start := p.i
		s := p.quoted()
		return operand{value: s, text: p.text[start:p.i]}
	case '/':
		return p.pattern()
	case '[', '{':
		text, value := p.json(")")
		return operand{value: value, text: text}
	}
	end := p.i
	for end < len(p.text) && (p.text[end] >= '0' && p.text[end] <= '9' || p.text[end]|0x20 >= 'a' && p.text[end]|0x20 <= 'z' || strings.IndexByte("+-.", p.text[end]) >= 0) {
		end++
	}
	o := operand{text: p.text[p.i:end]}
	switch o.text {
	case "true", "false":
		o.value = o.text == "true"
	case "null":
	default:
		var ok bool
		if o.value, ok = lenient.ParseNumber(o.text); !ok {
			p.fail("want a value")
		}
	}
	if p.reason == "" {
		p.i = end
	}
	return o
}

// pattern parses
//
//	pattern    = "/" expression "/" { flag }
//
// A slash in the expression has a backslash before it.
func (p *queryParser) pattern() operand {
	start := p.i
	end := start + 1
	for ; ; end++ {
		if end >= len(p.text) {
			p.fail("unclosed pattern")
			return operand{}
		}
		if p.text[end] == '/' {
			break
		}
		if p.text[end] == '\\' {
			end++
		}
	}
	flags := end + 1
	for flags < len(p.text) && strings.IndexByte("dixmsuU", p.text[flags]) >= 0 {
		flags++
	}
	re, err := compilePattern(p.text[start+1:end], p.text[end+1:flags])
	if err != nil {
		p.fail("%v", err)
		return operand{}
	}
	p.i = flags
	return operand{pattern: re, text: p.text[start:flags]}
}

func (c *condition) print(b *strings.Builder) {
	switch c.kind {
	case compares:
		c.left.print(b)
		for text, op := range operators {
			if op == c.op {
				b.WriteString(" " + text + " ")
			}
		}
		c.right.print(b)
	case exists:
		c.left.print(b)
	case negates:
		b.WriteByte('!')
		c.parts[0].group(b)
	default:
		sign := " && "
		if c.kind == some {
			sign = " || "
		}
		for i, part := range c.parts {
			if i > 0 {
				b.WriteString(sign)
			}
			part.group(b)
		}
	}
}

// group prints a condition as a part of another one.
func (c *condition) group(b *strings.Builder) {
	if c.kind == exists || c.kind == negates {
		c.print(b)
		return
	}
	b.WriteByte('(')
	c.print(b)
	b.WriteByte(')')
}

func (o *operand) print(b *strings.Builder) {
	if o.path != nil {
		o.path.print(b)
		return
	}
	b.WriteString(o.text)
}
