package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"penstock/internal/lenient"
)

// maxSteps is how many steps Select takes: a value that is looked at is one.
const maxSteps = 200_000

// maxDescent is how deep a deep scan looks. Payloads are not nested that deep; what a
// template made, and put into itself, is.
const maxDescent = 1000

var (
	// ErrSteps: a query looks at more values than it may.
	ErrSteps = errors.New("the path takes too many steps")
	// ErrDescent: a query looks into values that are nested too deep, or endlessly.
	ErrDescent = errors.New("the path leads too deep")
	// ErrEmpty: a function computes something from numbers, or takes one element, and there
	// are none.
	ErrEmpty = errors.New("the path has a function of nothing")
	// ErrFilter: a filter stands behind a value that is neither object nor list.
	ErrFilter = errors.New("the path filters what is neither an object nor a list")
)

// A Query is a path as mapping templates have it, in the dialect of Jayway's JsonPath: it
// leads from a value to any number of others. It never changes.
type Query struct {
	root  byte // $ or @
	steps []queryStep
	// plain: members by one name and elements by one index, nothing else.
	plain bool
	// definite: leads to one value at most.
	definite bool
	// scanned: a function behind a path that begins with a deep scan, which is about all
	// values together.
	scanned bool
}

// A queryStep leads from one value to others.
type queryStep struct {
	kind stepKind
	// definite: what stands before the step leads to one value at most, so that what is
	// missing is missing as a whole.
	definite bool
	name     string
	names    []string // of several members
	index    int
	indexes  []int // of several elements
	from, to *int  // of a slice, one of them at least
	filter   *condition
	call     *call
}

type stepKind uint8

const (
	stepName stepKind = iota
	stepNames
	stepIndex
	stepIndexes
	stepSlice
	stepWildcard
	stepFilter
	stepScan
	stepCall
)

// Definite reports whether the query leads to one value at most.
func (q *Query) Definite() bool { return q.definite }

// Root reports whether the query is nothing but the root. A nil Query is not.
func (q *Query) Root() bool { return q != nil && len(q.steps) == 0 }

// Select returns the value that q leads to from root, and whether there is one. It is a
// node of root and not a copy, unless a function or several names make a new one. A query
// that is not definite always leads to a list, which may be empty.
//
// The error is ErrSteps, ErrDescent, ErrEmpty or ErrFilter.
func (q *Query) Select(root any) (value any, found bool, err error) {
	steps := maxSteps
	return q.SelectSteps(root, &steps)
}

// SelectSteps is Select that takes its steps from what the caller has left. It leaves a
// negative number behind if there were not enough, with the error ErrSteps.
func (q *Query) SelectSteps(root any, steps *int) (value any, found bool, err error) {
	if q.plain {
		*steps -= len(q.steps) + 1
		if *steps < 0 {
			return nil, false, ErrSteps
		}
		value, found = q.follow(root)
		return value, found, nil
	}
	r := &run{root: root, left: *steps}
	value, found, err = r.value(q, root)
	*steps = r.left
	switch {
	case r.left < 0:
		return nil, false, ErrSteps
	case errors.Is(err, errMissing):
		err = nil
	}
	if err == nil && !found && !q.definite {
		return lenient.NewList(), true, nil
	}
	return value, found, err
}

// follow is Select for a plain query.
func (q *Query) follow(v any) (any, bool) {
	for i := range q.steps {
		s := &q.steps[i]
		var ok bool
		if s.kind == stepName {
			m, _ := v.(*lenient.Map)
			v, ok = m.Get(s.name)
		} else {
			v, ok = element(v, s.index)
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// element returns an element of a list; negative indexes count from its end.
func element(v any, index int) (any, bool) {
	l, ok := v.(*lenient.List)
	if !ok {
		return nil, false
	}
	if index < 0 {
		index += len(l.Items)
	}
	if index < 0 || index >= len(l.Items) {
		return nil, false
	}
	return l.Items[index], true
}

// settle finds out what a query is once all its steps are known.
func (q *Query) settle() {
	q.plain, q.definite = true, true
	for i := range q.steps {
		s := &q.steps[i]
		s.definite = q.definite
		switch s.kind {
		case stepName, stepIndex:
		case stepCall:
			q.plain = false
		case stepNames:
			q.plain = false
			q.definite = q.definite && i == len(q.steps)-1
		default:
			q.plain, q.definite = false, false
		}
	}
	if n := len(q.steps); n > 1 && q.steps[0].kind == stepScan && q.steps[n-1].kind == stepCall {
		q.scanned, q.definite = true, true
	}
}

// String returns the query in a form that ParseQuery reads as the same query.
func (q *Query) String() string {
	var b strings.Builder
	q.print(&b)
	return b.String()
}

func (q *Query) print(b *strings.Builder) {
	b.WriteByte(q.root)
	for i := range q.steps {
		switch s := &q.steps[i]; s.kind {
		case stepName:
			b.WriteByte('[')
			quote(b, s.name)
			b.WriteByte(']')
		case stepNames:
			b.WriteByte('[')
			for i, name := range s.names {
				if i > 0 {
					b.WriteByte(',')
				}
				quote(b, name)
			}
			b.WriteByte(']')
		case stepIndex:
			fmt.Fprintf(b, "[%d]", s.index)
		case stepIndexes:
			b.WriteByte('[')
			for i, n := range s.indexes {
				if i > 0 {
					b.WriteByte(',')
				}
				b.WriteString(strconv.Itoa(n))
			}
			b.WriteByte(']')
		case stepSlice:
			b.WriteByte('[')
			if s.from != nil {
				b.WriteString(strconv.Itoa(*s.from))
			}
			b.WriteByte(':')
			if s.to != nil {
				b.WriteString(strconv.Itoa(*s.to))
			}
			b.WriteByte(']')
		case stepWildcard:
			b.WriteString("[*]")
		case stepFilter:
			b.WriteString("[?(")
			s.filter.print(b)
			b.WriteString(")]")
		case stepScan:
			b.WriteString("..")
		case stepCall:
			s.call.print(b)
		}
	}
}

// quote writes a string in single quotes.
func quote(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for i := range len(s) {
		if s[i] == '\'' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('\'')
}
