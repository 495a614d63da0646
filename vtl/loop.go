package vtl

import (
	"errors"

	"penstock/internal/lenient"
)

// A loop is the value of $foreach.
type loop struct {
	index  int
	more   bool // whether another round follows
	parent *loop
}

func (n *foreach) render(r *run) error {
	if err := r.step(n.offset); err != nil {
		return err
	}
	if n.list == nil {
		return nil
	}
	items, err := r.iterate(n.list)
	if err != nil {
		return r.at(n.offset, err)
	}
	if items.done() {
		return nil
	}
	if err := r.enter(n.offset); err != nil {
		return err
	}
	l := &loop{}
	l.parent, _ = r.vars[slotForeach].(*loop)
	item, state := r.vars[n.slot], r.vars[slotForeach]
	count, hasNext := r.vars[slotCount], r.vars[slotHasNext]
	r.vars[slotForeach] = l
	outer := r.loops
	r.loops = l
	for i := 0; i < maxIterations && !items.done(); i++ {
		if err = r.step(n.offset); err != nil {
			break
		}
		var v any
		if v, err = items.take(); err != nil {
			err = r.at(n.offset, err)
			break
		}
		l.index, l.more = i, !items.done()
		r.vars[n.slot] = v
		r.vars[slotCount], r.vars[slotHasNext] = int64(i+1), l.more
		if err = r.nodes(n.body); err != nil {
			break
		}
	}
	r.loops = outer
	r.depth--
	// What the template has put in the place of $foreach stays.
	if now, ok := r.vars[slotForeach].(*loop); ok && now == l {
		r.vars[slotForeach] = state
	}
	r.vars[slotCount], r.vars[slotHasNext] = count, hasNext
	r.vars[n.slot] = item
	if err == errBreak && (r.leave == nil || r.leave == l) {
		r.leave, err = nil, nil
	}
	return err
}

// A sequence is what #foreach goes through.
type sequence struct {
	list     *lenient.List
	size     int   // of the list or the map when it began
	items    []any // if it is no list
	of       *lenient.Map
	keys     []string // of the values of a map
	from, to int64    // if it is a range that need not be made
	span     bool
	pulled   *iterator
	i        int
}

var errChanged = errors.New("a list or map has been changed while #foreach goes through it")

// iterate returns the sequence of what an expression gives. What has no elements is an
// empty one.
func (r *run) iterate(e expression) (sequence, error) {
	if s, ok := e.(*span); ok {
		from, to, ok, err := s.ends(r)
		if err != nil || !ok {
			return sequence{}, err
		}
		return sequence{span: true, from: from, to: to, size: int(s.size(from, to))}, nil
	}
	v, err := e.value(r)
	if err != nil {
		return sequence{}, err
	}
	switch v := v.(type) {
	case *lenient.List:
		return sequence{list: v, size: len(v.Items)}, nil
	case *array:
		return sequence{items: v.items, size: len(v.items)}, nil
	case *lenient.Map:
		return sequenceOfValues(v), nil
	case *view:
		if v.kind == valuesView {
			return sequenceOfValues(v.of), nil
		}
		return sequence{items: v.items(), of: v.of, size: v.of.Len()}, nil
	case *iterator:
		return sequence{pulled: v}, nil
	case contextObject:
		return sequenceOfValues(r.context.all()), nil
	case stageObject:
		return sequenceOfValues(r.stage.all()), nil
	}
	return sequence{}, nil
}

func sequenceOfValues(m *lenient.Map) sequence {
	return sequence{of: m, keys: m.Keys(), size: m.Len()}
}

func (s *sequence) done() bool {
	switch {
	case s.list != nil:
		return s.i == len(s.list.Items)
	case s.pulled != nil:
		return s.pulled.next >= len(s.pulled.items)
	}
	return s.i >= s.size
}

// take returns the next element; there is one.
func (s *sequence) take() (any, error) {
	i := s.i
	s.i++
	switch {
	case s.span && s.from <= s.to:
		return s.from + int64(i), nil
	case s.span:
		return s.from - int64(i), nil
	case s.pulled != nil:
		s.pulled.next++
		return s.pulled.items[s.pulled.next-1], nil
	case s.list != nil:
		if len(s.list.Items) != s.size || i >= s.size {
			return nil, errChanged
		}
		return s.list.Items[i], nil
	case s.of != nil && s.of.Len() != s.size:
		return nil, errChanged
	case s.keys != nil:
		v, _ := s.of.Get(s.keys[i])
		return v, nil
	}
	return s.items[i], nil
}

// property returns what $foreach has.
func (l *loop) property(name string) any {
	switch name {
	case "index":
		return int64(l.index)
	case "count":
		return int64(l.index + 1)
	case "hasNext":
		return l.more
	case "first":
		return l.index == 0
	case "last":
		return !l.more
	case "parent":
		if l.parent != nil {
			return l.parent
		}
	case "topmost":
		for l.parent != nil {
			l = l.parent
		}
		return l
	}
	return nil
}

// callLoop calls a method of $foreach.
func callLoop(name string, l *loop, args []any) (any, error) {
	if len(args) > 0 {
		return nil, nil
	}
	switch name {
	case "getIndex":
		return l.property("index"), nil
	case "getCount":
		return l.property("count"), nil
	case "hasNext", "getHasNext":
		return l.more, nil
	case "isFirst":
		return l.property("first"), nil
	case "isLast":
		return l.property("last"), nil
	case "getParent":
		return l.property("parent"), nil
	case "getTopmost":
		return l.property("topmost"), nil
	}
	return nil, nil
}
