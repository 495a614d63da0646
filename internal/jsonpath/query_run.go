package jsonpath

import (
	"errors"

	"penstock/internal/lenient"
)

// errMissing: what the path needs is not there, and so nothing behind it.
var errMissing = errors.New("missing")

// A run is one execution of a query, with the queries in its filters.
type run struct {
	root  any
	left  int             // steps
	fixed map[*Query]seen // what paths in filters lead to that begin at the root
}

// seen is what a path in a filter leads to.
type seen struct {
	value any
	found bool
}

// step takes a step, and reports whether there was one left.
func (r *run) step() bool {
	r.left--
	return r.left >= 0
}

// value returns what q leads to from a value. The error is errMissing if something is
// missing that nothing can be selected without.
func (r *run) value(q *Query, from any) (value any, found bool, err error) {
	if q.plain {
		r.left -= len(q.steps)
		value, found = q.follow(from)
		return value, found, nil
	}
	c := collector{run: r}
	steps := q.steps
	if q.scanned {
		steps = steps[:len(steps)-1]
	}
	if err := c.walk(steps, from, 0); err != nil {
		return nil, false, err
	}
	switch {
	case q.scanned:
		return c.all(q.steps[len(steps)].call)
	case !q.definite:
		return lenient.NewList(c.found...), true, nil
	case len(c.found) == 0:
		return nil, false, nil
	}
	return c.found[0], true, nil
}

// exists reports whether q leads to something. A path to any number of values does, unless
// a member is missing on one of its ways.
func (r *run) exists(q *Query, from any) (bool, error) {
	if q.plain {
		_, found, err := r.value(q, from)
		return found, err
	}
	c := collector{run: r, strict: true}
	steps := q.steps
	if q.scanned {
		steps = steps[:len(steps)-1]
	}
	err := c.walk(steps, from, 0)
	if errors.Is(err, errMissing) {
		return false, nil
	}
	return err == nil && (!q.definite || q.scanned || len(c.found) > 0), err
}

// A collector collects the values that steps lead to.
type collector struct {
	*run
	strict bool // a missing member is an error wherever it is
	found  []any
}

// walk collects what steps lead to from v, in the order in which it is there.
func (c *collector) walk(steps []queryStep, v any, depth int) error {
	if !c.step() {
		return ErrSteps
	}
	if len(steps) == 0 {
		c.found = append(c.found, v)
		return nil
	}
	s, rest := &steps[0], steps[1:]
	switch s.kind {
	case stepName, stepNames:
		m, ok := v.(*lenient.Map)
		if !ok {
			return c.missing(s, s.definite)
		}
		return c.members(s, rest, m, depth)
	case stepWildcard:
		switch v := v.(type) {
		case *lenient.Map:
			for _, value := range v.All() {
				if err := c.walk(rest, value, depth); err != nil {
					return err
				}
			}
		case *lenient.List:
			for _, item := range v.Items {
				if err := c.walk(rest, item, depth); err != nil {
					return err
				}
			}
		}
		return nil
	case stepIndex, stepIndexes, stepSlice:
		l, ok := v.(*lenient.List)
		if !ok {
			return c.missing(s, s.definite)
		}
		return c.elements(s, rest, l, depth)
	case stepFilter:
		return c.filtered(s, rest, v, depth)
	case stepScan:
		return c.scan(rest, v, depth+1)
	}
	value, err := c.apply(s.call, v)
	if err != nil {
		return err
	}
	return c.walk(rest, value, depth)
}

// missing is the error for a step that leads nowhere.
func (c *collector) missing(s *queryStep, fatal bool) error {
	if fatal {
		return errMissing
	}
	return nil
}

func (c *collector) members(s *queryStep, rest []queryStep, m *lenient.Map, depth int) error {
	if s.kind == stepName {
		value, ok := m.Get(s.name)
		if !ok {
			return c.missing(s, s.definite || c.strict)
		}
		return c.walk(rest, value, depth)
	}
	if len(rest) > 0 {
		for _, name := range s.names {
			if value, ok := m.Get(name); ok {
				if err := c.walk(rest, value, depth); err != nil {
					return err
				}
			} else if c.strict {
				return errMissing
			}
		}
		return nil
	}
	some := &lenient.Map{}
	for _, name := range s.names {
		c.left--
		if value, ok := m.Get(name); ok {
			some.Put(name, value)
		} else if c.strict {
			return errMissing
		}
	}
	return c.walk(rest, some, depth)
}

func (c *collector) elements(s *queryStep, rest []queryStep, l *lenient.List, depth int) error {
	n := len(l.Items)
	switch s.kind {
	case stepIndex, stepIndexes:
		indexes := s.indexes
		if s.kind == stepIndex {
			indexes = []int{s.index}
		}
		for _, i := range indexes {
			if item, ok := element(l, i); ok {
				if err := c.walk(rest, item, depth); err != nil {
					return err
				}
			} else if !c.step() {
				return ErrSteps
			}
		}
		return nil
	}
	from, to := 0, n
	switch {
	case s.to == nil:
		if from = *s.from; from < 0 {
			from = max(0, from+n)
		}
	case s.from == nil:
		if to = *s.to; to < 0 {
			to += n
		}
	default:
		// With both ends a negative number is an index of its own: [-2:1] goes on from the
		// last element to the first, and what ends with a negative one is empty unless it
		// begins with one. The service's library has it like this.
		from, to = max(*s.from, -n), *s.to
	}
	for i := from; i < min(to, n); i++ {
		if item, ok := element(l, i); ok {
			if err := c.walk(rest, item, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// filtered goes on with v if it is an object that the filter takes, and with those elements
// of a list that it takes.
func (c *collector) filtered(s *queryStep, rest []queryStep, v any, depth int) error {
	switch v := v.(type) {
	case *lenient.Map:
		if ok, err := c.accepts(s.filter, v); err != nil || !ok {
			return err
		}
		return c.walk(rest, v, depth)
	case *lenient.List:
		for _, item := range v.Items {
			ok, err := c.accepts(s.filter, item)
			if err == nil && ok {
				err = c.walk(rest, item, depth)
			}
			if err != nil {
				return err
			}
		}
	default:
		if s.definite {
			return ErrFilter
		}
	}
	return nil
}

// scan goes on with v, and with everything in it, if the first of steps is about values
// like that.
func (c *collector) scan(steps []queryStep, v any, depth int) error {
	switch v.(type) {
	case *lenient.Map, *lenient.List:
	default:
		return nil
	}
	if !c.step() {
		return ErrSteps
	}
	if depth > maxDescent {
		return ErrDescent
	}
	ok, err := c.suits(&steps[0], steps[1:], v)
	if err != nil {
		return err
	}
	if ok {
		if err := c.walk(steps, v, depth); err != nil {
			return err
		}
	}
	switch v := v.(type) {
	case *lenient.Map:
		for _, value := range v.All() {
			if err := c.scan(steps, value, depth+1); err != nil {
				return err
			}
		}
	case *lenient.List:
		for _, item := range v.Items {
			if err := c.scan(steps, item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// suits reports whether a deep scan tries a step with a container. One with a filter is
// tried with what the filter takes, so that values that are neither objects nor lists are
// not found.
func (c *collector) suits(s *queryStep, rest []queryStep, v any) (bool, error) {
	switch s.kind {
	case stepName:
		m, _ := v.(*lenient.Map)
		_, ok := m.Get(s.name)
		return ok, nil
	case stepNames:
		m, ok := v.(*lenient.Map)
		if !ok || len(rest) > 0 {
			return ok, nil
		}
		for _, name := range s.names {
			c.left--
			if _, ok := m.Get(name); !ok {
				return false, nil
			}
		}
		return true, nil
	case stepIndex, stepIndexes, stepSlice:
		_, ok := v.(*lenient.List)
		return ok, nil
	case stepFilter:
		return c.accepts(s.filter, v)
	}
	return true, nil
}

// all applies a function to all values that a deep scan found: length counts what is in
// them.
func (c *collector) all(f *call) (value any, found bool, err error) {
	if f.name == "length" || f.name == "size" {
		var n int
		for _, v := range c.found {
			switch v := v.(type) {
			case *lenient.Map:
				n += v.Len()
			case *lenient.List:
				n += len(v.Items)
			}
		}
		return int64(n), true, nil
	}
	value, err = c.apply(f, lenient.NewList(c.found...))
	return value, err == nil, err
}
