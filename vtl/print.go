package vtl

import "strings"

// printNodes appends the text of nodes as a template has it.
func printNodes(b []byte, nodes []node) []byte {
	for _, n := range nodes {
		b = n.print(b)
	}
	return b
}

func (n *text) print(b []byte) []byte { return append(b, n.raw...) }

func (n *output) print(b []byte) []byte {
	return n.ref.print(append(b, n.prefix...))
}

func (n *assignment) print(b []byte) []byte {
	b = append(append(b, n.lead...), n.head...)
	b = append(n.target.print(b), " = "...)
	return append(append(n.value.print(b), ')'), n.tail...)
}

func (n *ending) print(b []byte) []byte {
	return append(append(b, n.word...), n.tail...)
}

func (n *condition) print(b []byte) []byte {
	for i := range n.branches {
		p := &n.branches[i]
		b = append(append(append(b, p.word...), p.gap...), '(')
		b = append(append(p.test.print(b), ')'), p.tail...)
		b = printNodes(b, p.body)
	}
	b = append(append(b, n.otherwise.word...), n.otherwise.tail...)
	return n.end.print(printNodes(b, n.otherwise.body))
}

func (n *foreach) print(b []byte) []byte {
	b = printList(append(b, n.head...), n.args, " ")
	b = append(append(b, ')'), n.tail...)
	return n.end.print(printNodes(b, n.body))
}

func (n *definition) print(b []byte) []byte {
	b = append(n.arg.print(append(b, n.head...)), ')')
	return n.end.print(printNodes(append(b, n.tail...), n.body))
}

func (n *command) print(b []byte) []byte { return append(b, n.raw...) }

// printList appends expressions with something between them.
func printList(b []byte, items []expression, between string) []byte {
	for i, item := range items {
		if i > 0 {
			b = append(b, between...)
		}
		b = item.print(b)
	}
	return b
}

func (n *reference) print(b []byte) []byte {
	b = append(b, '$')
	if n.quiet {
		b = append(b, '!')
	}
	if n.braced {
		b = append(b, '{')
	}
	b = append(b, n.name...)
	for i := range n.steps {
		s := &n.steps[i]
		switch s.kind {
		case property:
			b = append(append(b, '.'), s.name...)
		case method:
			b = append(append(append(b, '.'), s.name...), '(')
			b = append(printList(b, s.args, ", "), ')')
		case index:
			b = append(printList(append(b, '['), s.args, ""), ']')
		}
	}
	if n.braced {
		b = append(b, '}')
	}
	return b
}

func (n *binary) print(b []byte) []byte {
	b = append(n.left.print(b), ' ')
	b = append(append(b, symbols[n.op]...), ' ')
	return n.right.print(b)
}

func (n *not) print(b []byte) []byte { return n.operand.print(append(b, '!')) }

func (n *parenthesis) print(b []byte) []byte {
	return append(n.inner.print(append(b, '(')), ')')
}

func (n *constant) print(b []byte) []byte { return append(b, n.text...) }

func (n *bareword) print(b []byte) []byte { return append(b, n.text...) }

func (n *literal) print(b []byte) []byte {
	quote, text := "'", n.text
	if !n.single {
		quote = `"`
		if n.nodes != nil {
			text = string(printNodes(nil, n.nodes))
		}
		text = strings.ReplaceAll(text, `\u`, `\u005Cu`)
	}
	b = append(b, quote...)
	b = append(b, strings.ReplaceAll(text, quote, quote+quote)...)
	return append(b, quote...)
}

func (n *list) print(b []byte) []byte {
	return append(printList(append(b, '['), n.items, ", "), ']')
}

func (n *mapping) print(b []byte) []byte {
	b = append(b, '{')
	for i := range n.keys {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(n.keys[i].print(b), ": "...)
		b = n.values[i].print(b)
	}
	return append(b, '}')
}

func (n *span) print(b []byte) []byte {
	b = append(n.from.print(append(b, '[')), ".."...)
	return append(n.to.print(b), ']')
}
