package vtl

import (
	"errors"

	"penstock/internal/lenient"
)

// A loop is the value of $foreach.
type loop struct {
	index    int
	more     bool // whether another round follows
	parent   *loop
	replaced any          // what $foreach was before, if that was no loop
	stored   *lenient.Map // what the template has put into it; nil for nothing
}

func (n *foreach) render(r *run) error {
	if err := r.step(n.offset); err != nil {
		return err
	}
	switch {
	case n.args < 2:
		return r.fail(n.offset, nil, "#foreach wants a variable, \"in\" and a list")
	case n.args == 2:
		return nil
	}
	items, ok, err := r.iterate(n.list)
	if err != nil || !ok {
		return r.at(n.offset, err)
	}
	if err := r.enter(n.offset); err != nil {
		return err
	}
	l := &loop{index: -1}
	before := r.variable(slotForeach)
	var isLoop bool
	if l.parent, isLoop = before.(*loop); !isLoop {
		l.replaced = before
	}
	item, count, hasNext := r.variable(n.slot), r.variable(slotCount), r.variable(slotHasNext)
	var h *hider
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
		r.vars[slotCount], r.vars[slotHasNext] = int64(i+1), !items.done()
		r.setVariable(n.slot, v)
		l.index, l.more = i, !items.done()
		if v == nil {
			if h == nil {
				h = &hider{slot: n.slot, active: true}
			}
			r.hiders = append(r.hiders, h)
			err = r.nodes(n.body)
			r.hiders = r.hiders[:len(r.hiders)-1]
		} else {
			err = r.nodes(n.body)
		}
		if err != nil {
			break
		}
	}
	r.loops = outer
	r.depth--
	if err == nil || err == errBreak || err == errStop {
		r.restoreVariable(n.slot, item)
		r.restoreVariable(slotCount, count)
		r.restoreVariable(slotHasNext, hasNext)
		if left := r.leaveLoop(n.offset); left != nil {
			return left
		}
	}
	if err == errBreak && (r.leave == nil || r.leave == l) {
		r.leave, err = nil, nil
	}
	return err
}

// leaveLoop makes $foreach what it was before the innermost loop. What the template has put
// in its place stays; but a template that has lost it, having used it as the variable of the
// loop, fails.
func (r *run) leaveLoop(offset int) error {
	switch l := r.variable(slotForeach).(type) {
	case nil:
		return r.fail(offset, nil, "$foreach is lost in the loop")
	case *loop:
		switch {
		case l.parent != nil:
			r.vars[slotForeach] = l.parent
		default:
			r.vars[slotForeach] = l.replaced
		}
	}
	return nil
}

// A hider hides a variable of a loop for which an element is null: what is put there is not
// seen, until a loop within has used the variable too.
type hider struct {
	slot   int
	active bool
}

// variable returns the value of a variable.
func (r *run) variable(slot int) any {
	for _, h := range r.hiders {
		if h.slot == slot && h.active {
			return nil
		}
	}
	return r.vars[slot]
}

// setVariable gives a variable of a loop the value of a round. Null hides it again.
func (r *run) setVariable(slot int, v any) {
	r.vars[slot] = v
	if v == nil {
		r.hide(slot, true)
	}
}

// restoreVariable gives a variable of a loop the value that it had before. One that had none
// is hidden no more.
func (r *run) restoreVariable(slot int, v any) {
	r.vars[slot] = v
	if v == nil {
		r.hide(slot, false)
	}
}

func (r *run) hide(slot int, active bool) {
	for _, h := range r.hiders {
		if h.slot == slot {
			h.active = active
		}
	}
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

// iterate returns the sequence of what an expression gives; ok is false for what can have no
// elements.
func (r *run) iterate(e expression) (s sequence, ok bool, err error) {
	if s, ok := e.(*span); ok {
		from, to, ok, err := s.ends(r)
		if err != nil || !ok {
			return sequence{}, false, err
		}
		return sequence{span: true, from: from, to: to, size: int(s.size(from, to))}, true, nil
	}
	v, err := e.value(r)
	if err != nil {
		return sequence{}, false, err
	}
	switch v := v.(type) {
	case *lenient.List:
		return sequence{list: v, size: len(v.Items)}, true, nil
	case *array:
		return sequence{items: v.items, size: len(v.items)}, true, nil
	case *lenient.Map:
		return sequenceOfValues(v), true, nil
	case *view:
		if v.kind == valuesView {
			return sequenceOfValues(v.of), true, nil
		}
		return sequence{items: v.items(), of: v.of, size: v.of.Len()}, true, nil
	case *iterator:
		return sequence{pulled: v}, true, nil
	case contextObject:
		return sequenceOfValues(r.context.all()), true, nil
	case stageObject:
		return sequenceOfValues(r.stage.all()), true, nil
	case *loop:
		return sequenceOfValues(v.storage()), true, nil
	}
	return sequence{}, false, nil
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

// property returns what $foreach has: by itself, or what the template has put there or into
// one of the loops around.
func (l *loop) property(name string) any {
	switch name {
	case "index":
		return int64(l.index)
	case "count":
		return int64(l.index + 1)
	case "hasNext":
		return l.more
	case "first":
		return l.index < 1
	case "last":
		return !l.more
	case "parent":
		if l.parent != nil {
			return l.parent
		}
		return nil
	case "topmost":
		for l.parent != nil {
			l = l.parent
		}
		return l
	case "replaced":
		for l.parent != nil && l.replaced == nil {
			l = l.parent
		}
		return l.replaced
	}
	return l.get(name)
}

// get returns what the template has put into $foreach under a name.
func (l *loop) get(name string) any {
	for ; l != nil; l = l.parent {
		if v, ok := l.stored.Get(name); ok {
			return v
		}
	}
	return nil
}

// storage returns the map that $foreach is for the template.
func (l *loop) storage() *lenient.Map {
	if l.stored == nil {
		l.stored = &lenient.Map{}
	}
	return l.stored
}

// callLoop calls a method of $foreach.
func (r *run) callLoop(s *step, l *loop, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch s.name {
		case "getIndex":
			return l.property("index"), nil
		case "getCount":
			return l.property("count"), nil
		case "hasNext", "getHasNext":
			return l.more, nil
		case "isFirst", "getFirst":
			return l.property("first"), nil
		case "isLast", "getLast":
			return l.property("last"), nil
		case "getParent":
			return l.property("parent"), nil
		case "getTopmost":
			return l.property("topmost"), nil
		case "getReplaced":
			return l.property("replaced"), nil
		}
	case 1:
		if s.name == "get" {
			name, err := r.key(args[0])
			return l.get(name), err
		}
	}
	return r.callMap(s, l.storage(), args)
}
