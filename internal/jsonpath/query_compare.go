package jsonpath

import (
	"errors"
	"math"
	"strings"
	"unicode/utf16"

	"penstock/internal/lenient"
)

// errSenseless: an operator is given what it cannot be about. The whole filter then takes
// nothing, whatever else it says.
var errSenseless = errors.New("senseless")

// bytesPerStep is how much of a text may be looked at for one step.
const bytesPerStep = 256

// missing is the operand of a path that leads nowhere. It is equal to nothing, itself
// included.
type missing struct{}

// accepts reports whether a filter takes v.
func (r *run) accepts(c *condition, v any) (bool, error) {
	ok, err := r.holds(c, v)
	if err == errSenseless {
		return false, nil
	}
	if err == nil && r.left < 0 {
		err = ErrSteps
	}
	return ok, err
}

func (r *run) holds(c *condition, v any) (bool, error) {
	if !r.step() {
		return false, ErrSteps
	}
	switch c.kind {
	case exists:
		from := v
		if c.left.path.root == '$' {
			from = r.root
		}
		return r.exists(c.left.path, from)
	case negates:
		ok, err := r.holds(c.parts[0], v)
		return !ok, err
	case every, some:
		for _, part := range c.parts {
			if ok, err := r.holds(part, v); err != nil || ok == (c.kind == some) {
				return ok, err
			}
		}
		return c.kind == every, nil
	}
	left, err := r.operand(&c.left, v)
	if err != nil {
		return false, err
	}
	right, err := r.operand(&c.right, v)
	if err != nil {
		return false, err
	}
	return r.compare(c, left, right)
}

// operand returns what an operand stands for when v is looked at. What begins at the root
// is looked for once.
func (r *run) operand(o *operand, v any) (any, error) {
	if o.path == nil {
		return o.value, nil
	}
	if o.path.root == '$' {
		if s, ok := r.fixed[o.path]; ok {
			if !s.found {
				return missing{}, nil
			}
			return s.value, nil
		}
		v = r.root
	}
	value, found, err := r.value(o.path, v)
	if err == errMissing {
		found, err = false, nil
	}
	if err != nil {
		return nil, err
	}
	if o.path.root == '$' {
		if r.fixed == nil {
			r.fixed = map[*Query]seen{}
		}
		r.fixed[o.path] = seen{value, found}
	}
	if !found {
		return missing{}, nil
	}
	return value, nil
}

func (r *run) compare(c *condition, x, y any) (bool, error) {
	switch c.op {
	case opEqual:
		return r.equal(x, y), nil
	case opNotEqual:
		return !r.equal(x, y), nil
	case opSame:
		return typeOf(x) == typeOf(y) && r.equal(x, y), nil
	case opNotSame:
		return typeOf(x) != typeOf(y) || !r.equal(x, y), nil
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return r.ordered(c.op, x, y), nil
	case opMatch:
		return r.matches(c, x, y), nil
	case opIn, opNotIn:
		l, err := listOf(y)
		if err != nil {
			return false, err
		}
		return (l != nil && r.contains(l, x)) == (c.op == opIn), nil
	case opSubsetOf, opAnyOf, opNoneOf:
		m, err := listOf(y)
		if err != nil || m == nil {
			return false, err
		}
		l, err := listOf(x)
		if err != nil || l == nil {
			return false, err
		}
		for _, item := range l.Items {
			if found := r.contains(m, item); found != (c.op == opSubsetOf) {
				return c.op == opAnyOf, nil
			}
			if r.left < 0 {
				return false, nil
			}
		}
		return c.op != opAnyOf, nil
	case opContains:
		if s, ok := x.(string); ok {
			part, ok := y.(string)
			r.left -= len(s) / bytesPerStep
			return ok && strings.Contains(s, part), nil
		}
		l, ok := x.(*lenient.List)
		return ok && r.contains(l, y), nil
	case opSize:
		n, ok := r.size(x)
		if _, isMap := x.(*lenient.Map); isMap {
			return false, nil
		}
		want, isNumber := number(y)
		return ok && isNumber && float64(n) == math.Trunc(want), nil
	}
	n, ok := r.size(x)
	if !ok {
		return false, nil
	}
	want, ok := y.(bool)
	if !ok {
		return false, errSenseless
	}
	return (n == 0) == want, nil
}

// listOf returns a list; an object is none, and everything else is senseless.
func listOf(v any) (*lenient.List, error) {
	switch v := v.(type) {
	case *lenient.List:
		return v, nil
	case *lenient.Map:
		return nil, nil
	}
	return nil, errSenseless
}

func (r *run) contains(l *lenient.List, v any) bool {
	for _, item := range l.Items {
		if r.equal(v, item) {
			return true
		}
		if r.left < 0 {
			break
		}
	}
	return false
}

// size returns how many characters, elements or members are in v.
func (r *run) size(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		r.left -= len(v) / bytesPerStep
		n := 0
		for _, c := range v {
			n += utf16.RuneLen(c)
		}
		return n, true
	case *lenient.List:
		return len(v.Items), true
	case *lenient.Map:
		return v.Len(), true
	}
	return 0, false
}

// equal reports whether two operands are equal. A number and a string are if the string
// holds the number; if the string is on the left, they are if it is the text of it.
func (r *run) equal(x, y any) bool {
	r.left--
	switch s := x.(type) {
	case string:
		switch y := y.(type) {
		case string:
			return s == y
		case bool, nil, missing, *lenient.List, *lenient.Map:
			return false
		default:
			text, ok := lenient.DecimalText(y)
			return ok && text == s
		}
	case bool, nil:
		return x == y
	case missing:
		return false
	case *lenient.List, *lenient.Map:
		return lenient.Equal(x, y, &r.left)
	}
	if s, ok := y.(string); ok {
		r.left -= len(s) / bytesPerStep
		s = strings.TrimPrefix(s, "+")
		if strings.HasPrefix(s, ".") {
			s = "0" + s
		}
		if y, ok = lenient.ParseNumber(s); !ok {
			return false
		}
	}
	order, ok := lenient.Compare(x, y)
	return ok && order == 0
}

// ordered compares two numbers, or two strings.
func (r *run) ordered(op operator, x, y any) bool {
	order, ok := lenient.Compare(x, y)
	if s, isString := x.(string); isString {
		var t string
		if t, ok = y.(string); ok {
			r.left -= min(len(s), len(t)) / bytesPerStep
			order = strings.Compare(s, t)
		}
	}
	if !ok {
		return false
	}
	switch op {
	case opLess:
		return order < 0
	case opLessEqual:
		return order <= 0
	case opGreater:
		return order > 0
	}
	return order >= 0
}

// matches reports whether the pattern on one side is about the whole text on the other, or
// about that of an element. What has no text is an empty one.
func (r *run) matches(c *condition, x, y any) bool {
	re, v := c.right.pattern, x
	if re == nil {
		re, v = c.left.pattern, y
	} else if c.left.pattern != nil {
		return false
	}
	l, ok := v.(*lenient.List)
	if !ok {
		l = &lenient.List{Items: []any{v}}
	}
	for _, item := range l.Items {
		text, ok := item.(string)
		if b, isBool := item.(bool); isBool {
			text = "false"
			if b {
				text = "true"
			}
		} else if !ok {
			text, _ = lenient.DecimalText(item)
		}
		if r.left -= 1 + len(text)*re.size/64; r.left < 0 {
			return false
		}
		if re.MatchString(text) {
			return true
		}
	}
	return false
}

// typeOf tells types apart as === does: all numbers are of one.
func typeOf(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case bool:
		return 1
	case string:
		return 2
	case *lenient.List, *lenient.Map:
		return 3
	case missing:
		return 4
	}
	return 5
}
