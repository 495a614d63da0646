package vtl

import (
	"fmt"
	"unicode/utf8"

	"penstock/internal/lenient"
)

func (n *reference) value(r *run) (any, error) {
	if err := r.step(n.offset); err != nil {
		return nil, err
	}
	if n.runt || n.odd {
		return nil, nil
	}
	v := r.variable(n.slot)
	if _, ok := v.(contextObject); ok && n.plain {
		if v, ok := r.context.scalar(n.steps); ok {
			return v, nil
		}
	}
	if len(n.steps) == 0 {
		switch v.(type) {
		case contextObject:
			return r.context.all(), nil
		case stageObject:
			return r.stage.all(), nil
		case *loop:
			r.odd = true
		}
	}
	for i := range n.steps {
		if v == nil {
			return emptyText, nil
		}
		var err error
		if v, err = n.steps[i].follow(r, v); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return emptyText, nil
	}
	return v, nil
}

// follow returns what a step leads to from a value, nil if nowhere.
func (s *step) follow(r *run, from any) (any, error) {
	switch s.kind {
	case property:
		return r.property(from, s.name), nil
	case method:
		base := len(r.stack)
		for _, arg := range s.args {
			v, err := arg.value(r)
			if err != nil {
				r.stack = r.stack[:base]
				return nil, err
			}
			r.stack = append(r.stack, v)
		}
		args := r.stack[base:]
		if err := r.enter(s.offset); err != nil {
			return nil, err
		}
		v, err := r.call(s, from, args)
		r.depth--
		clear(r.stack[base:])
		r.stack = r.stack[:base]
		return v, r.at(s.offset, err)
	}
	at, err := s.args[0].value(r)
	if err != nil {
		return nil, err
	}
	if at, err = r.fromEnd(s.offset, from, at); err != nil {
		return nil, err
	}
	switch from := from.(type) {
	case *loop:
		name, err := r.key(at)
		return from.get(name), r.at(s.offset, err)
	case *lenient.Map:
		if _, ok := at.(*block); ok {
			return nil, nil // It is not rendered to be looked up: it is only like itself.
		}
		name, err := r.key(at)
		if err != nil {
			return nil, r.at(s.offset, err)
		}
		v, _ := from.Get(name)
		return v, nil
	case contextObject:
		name, _ := at.(string)
		v, _ := r.context.all().Get(name)
		return v, nil
	case stageObject:
		name, _ := at.(string)
		return r.stage.get(name), nil
	case *lenient.List:
		return r.item(s.offset, from.Items, at)
	case *array:
		return r.item(s.offset, from.items, at)
	}
	return nil, nil
}

// fromEnd returns an index, which counts from the end if it is below zero. Only what has a size
// has such indexes.
func (r *run) fromEnd(offset int, of, at any) (any, error) {
	i, ok := at.(int64)
	if !ok || i >= 0 || !isInt32(i) {
		return at, nil
	}
	switch of := of.(type) {
	case *lenient.List:
		return i + int64(len(of.Items)), nil
	case *array:
		return i + int64(len(of.items)), nil
	case *lenient.Map:
		return i + int64(of.Len()), nil
	case *view:
		return i + int64(of.of.Len()), nil
	case *loop:
		return i + int64(of.storage().Len()), nil
	case contextObject:
		return i + int64(r.context.all().Len()), nil
	case stageObject:
		return i + int64(r.stage.all().Len()), nil
	}
	return nil, r.fail(offset, nil, "index %d of what has no size", i)
}

// item returns the element of a list with an index.
func (r *run) item(offset int, items []any, at any) (any, error) {
	i, ok := at.(int64)
	if !ok {
		return nil, nil
	}
	if i < 0 || i >= int64(len(items)) {
		return nil, r.fail(offset, nil, "index %d of a list of %d", at, len(items))
	}
	return items[i], nil
}

// property returns a property of a value, nil if it has none of that name.
func (r *run) property(of any, name string) any {
	switch of := of.(type) {
	case *lenient.Map:
		v, _ := of.Get(name)
		return v
	case contextObject:
		v, _ := r.context.all().Get(name)
		return v
	case stageObject:
		return r.stage.get(name)
	case inputObject:
		if name == "body" {
			return r.bodyText()
		}
	case *loop:
		return of.property(name)
	case *entry:
		switch name {
		case "key":
			return keyValue(of.key)
		case "value":
			return of.value()
		}
	case string:
		if name == "empty" {
			return of == ""
		}
	case *lenient.List:
		if name == "empty" {
			return len(of.Items) == 0
		}
	case *view:
		if name == "empty" {
			return of.of.Len() == 0
		}
	}
	return nil
}

// truth judges an expression as a condition does: a reference is true unless it is the
// value false, a literal only if it is the word true.
func (r *run) truth(e expression) (bool, error) {
	switch e := e.(type) {
	case *reference:
		if e.runt {
			return false, nil
		}
		v, err := e.value(r)
		if b, ok := v.(*block); ok && err == nil {
			return r.blockTruth(b)
		}
		return v != false, err
	case *constant:
		return e.v == true, nil
	case *parenthesis:
		return r.truth(e.inner)
	case *not:
		ok, err := r.truth(e.operand)
		return !ok, err
	case *binary:
		if e.op >= add {
			return false, nil
		}
		return e.truth(r)
	}
	return false, nil
}

// blockTruth judges a block of #define, which is rendered for that: it is true if it is not
// in itself too often.
func (r *run) blockTruth(b *block) (ok bool, err error) {
	_, err = r.captured(func() error {
		ok, err = b.show(r, 0)
		return err
	})
	return ok, err
}

func (n *not) value(r *run) (any, error) {
	ok, err := r.truth(n)
	return ok, err
}

func (n *parenthesis) value(r *run) (any, error) { return n.inner.value(r) }

func (n *constant) value(*run) (any, error) { return n.v, nil }

func (n *bareword) value(*run) (any, error) { return nil, nil }

func (n *literal) value(r *run) (any, error) {
	if n.nodes == nil {
		return n.v, nil
	}
	s, err := r.capture(n.nodes)
	if err != nil {
		return nil, err
	}
	if n.padded && s != "" {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s, nil
}

func (n *list) value(r *run) (any, error) {
	l := &lenient.List{}
	if len(n.items) > 0 {
		l.Items = make([]any, len(n.items))
	}
	for i, item := range n.items {
		v, err := item.value(r)
		if err != nil {
			return nil, err
		}
		l.Items[i] = v
	}
	return l, r.spend(itemSize * len(n.items))
}

// itemSize is how many bytes an element of a list counts as, at least.
const itemSize = 16

func (n *mapping) value(r *run) (any, error) {
	m := &lenient.Map{}
	for i := range n.keys {
		k, err := n.keys[i].value(r)
		if err != nil {
			return nil, err
		}
		v, err := n.values[i].value(r)
		if err != nil {
			return nil, err
		}
		name, err := r.key(k)
		if err == nil {
			err = r.put(m, name, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// put sets a member of a map.
func (r *run) put(m *lenient.Map, name string, v any) error {
	if err := r.spend(3 * itemSize); err != nil {
		return err
	}
	m.Put(name, v)
	return nil
}

// ends returns the ends of a range, and whether they are numbers; fractions are cut off.
func (n *span) ends(r *run) (from, to int64, ok bool, err error) {
	a, err := n.from.value(r)
	if err != nil {
		return 0, 0, false, err
	}
	b, err := n.to.value(r)
	if err != nil {
		return 0, 0, false, err
	}
	if !isNumber(a) || !isNumber(b) {
		return 0, 0, false, nil
	}
	from, to = integerOf(a, 32), integerOf(b, 32)
	if size := n.size(from, to); size > int64(r.limits.Range) {
		return 0, 0, false, r.fail(n.offset, nil, "a range of %d elements, which is more than %d", size, r.limits.Range)
	}
	return from, to, true, nil
}

func (n *span) size(from, to int64) int64 {
	if from > to {
		return from - to + 1
	}
	return to - from + 1
}

func (n *span) value(r *run) (any, error) {
	from, to, ok, err := n.ends(r)
	if err != nil || !ok {
		return nil, err
	}
	size := n.size(from, to)
	if err := r.spend(int(size) * itemSize); err != nil {
		return nil, r.at(n.offset, err)
	}
	l := &lenient.List{Items: make([]any, size)}
	for i := range l.Items {
		if from <= to {
			l.Items[i] = from + int64(i)
		} else {
			l.Items[i] = from - int64(i)
		}
	}
	return l, nil
}

func (n *binary) value(r *run) (any, error) {
	if n.op < add {
		ok, err := n.truth(r)
		return ok, err
	}
	if err := r.step(n.offset); err != nil {
		return nil, err
	}
	left, err := n.left.value(r)
	if err != nil {
		return nil, err
	}
	right, err := n.right.value(r)
	if err != nil {
		return nil, err
	}
	if n.op == add {
		_, a := left.(string)
		_, b := right.(string)
		if a || b {
			v, err := n.concatenate(r, left, right)
			return v, r.at(n.offset, err)
		}
	}
	v, err := arithmetic(n.op, left, right)
	return v, r.at(n.offset, err)
}

// concatenate returns the texts of two values, one after the other. A null has the text of
// its expression.
func (n *binary) concatenate(r *run, left, right any) (any, error) {
	if left == nil {
		left = n.leftText
	}
	if right == nil {
		right = n.rightText
	}
	a, err := r.text(left)
	if err != nil {
		return nil, err
	}
	b, err := r.text(right)
	if err != nil {
		return nil, err
	}
	if len(a)+len(b) > r.limits.String {
		return nil, fmt.Errorf("a string is longer than %d bytes", r.limits.String)
	}
	return r.made(a + b)
}

// truth returns the value of an operator that gives true or false.
func (n *binary) truth(r *run) (bool, error) {
	if err := r.step(n.offset); err != nil {
		return false, err
	}
	if n.op == or || n.op == and {
		ok, err := r.truth(n.left)
		if err != nil || ok == (n.op == or) {
			return ok, err
		}
		return r.truth(n.right)
	}
	left, err := n.left.value(r)
	if err != nil {
		return false, err
	}
	right, err := n.right.value(r)
	if err != nil {
		return false, err
	}
	switch n.op {
	case equal, unequal:
		same, err := r.same(left, right)
		return same == (n.op == equal), r.at(n.offset, err)
	}
	order, ok, err := compareNumbers(left, right)
	if !ok {
		return false, r.at(n.offset, err)
	}
	switch n.op {
	case less:
		return order < 0, nil
	case atMost:
		return order <= 0, nil
	case greater:
		return order > 0, nil
	default:
		return order >= 0, nil
	}
}

// same reports whether == holds: numbers have the same value, what is of one type is
// equal, and everything else has the same text.
func (r *run) same(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return x == y, r.spend(min(len(x), len(y)))
		}
	case bool:
		if y, ok := b.(bool); ok {
			return x == y, nil
		}
	case *lenient.List:
		if y, ok := b.(*lenient.List); ok {
			return r.equal(x, y)
		}
	case *lenient.Map:
		if y, ok := b.(*lenient.Map); ok {
			return r.equal(x, y)
		}
	}
	if isNumber(a) && isNumber(b) {
		order, ok, err := compareNumbers(a, b)
		return ok && order == 0, err
	}
	x, err := r.text(a)
	if err != nil {
		return false, err
	}
	y, err := r.text(b)
	return x == y, err
}

// equal reports whether two values are equal as the method equals has it.
func (r *run) equal(a, b any) (same bool, err error) {
	same = lenient.Equal(a, b, &r.steps)
	if r.steps < 0 {
		return false, fmt.Errorf("the template takes more than %d steps", r.limits.Steps)
	}
	return same, nil
}
