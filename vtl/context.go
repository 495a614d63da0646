package vtl

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"penstock/internal/lenient"
)

// contextVariable is $context. As long as templates only read it, it is not made.
type contextVariable struct {
	values Values
	before Overrides
	root   *lenient.Map // once it has been made
	now    Overrides    // the maps that root began with
}

// get returns the last value with a name.
func (v Values) get(name string) (any, bool) {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i].Name == name {
			return v[i].Value, true
		}
	}
	return nil, false
}

// scalar returns what properties lead to, if that can be told without making $context: ok
// is false if it is an object, or if it could be among the overrides.
func (c *contextVariable) scalar(steps []step) (v any, ok bool) {
	if c.root != nil || len(steps) == 0 {
		return nil, false
	}
	values := c.values
	for i := range steps {
		of, found := values.get(steps[i].name)
		if !found {
			return emptyText, i > 0 || steps[i].name != "requestOverride" && steps[i].name != "responseOverride"
		}
		switch of := of.(type) {
		case Values:
			values = of
			continue
		case nil:
			return emptyText, true
		default:
			return plainValue(of), i == len(steps)-1
		}
	}
	return nil, false
}

// plainValue returns a value as templates have it.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, float64, lenient.Decimal, *big.Int:
		return v
	case int:
		return int64(v)
	case *string:
		return *v
	case *int64:
		return *v
	case Values:
		m := &lenient.Map{}
		for _, e := range v {
			m.Put(e.Name, plainValue(e.Value))
		}
		return m
	case []any:
		l := lenient.NewList()
		for _, e := range v {
			l.Items = append(l.Items, plainValue(e))
		}
		return l
	}
	return fmt.Sprint(v)
}

// all returns $context as a map.
func (c *contextVariable) all() *lenient.Map {
	if c.root == nil {
		c.root = plainValue(c.values).(*lenient.Map)
		c.now = c.before.clone()
		c.root.Put("requestOverride", c.now.request)
		c.root.Put("responseOverride", c.now.response)
	}
	return c.root
}

// overrides returns what is left of the overrides in the end.
func (c *contextVariable) overrides() Overrides {
	if c.root == nil {
		return c.before
	}
	o := Overrides{context: c.root}
	if m, ok := c.root.Get("requestOverride"); ok {
		o.request, _ = m.(*lenient.Map)
	}
	if m, ok := c.root.Get("responseOverride"); ok {
		o.response, _ = m.(*lenient.Map)
	}
	return o
}

// Overrides are $context.requestOverride and $context.responseOverride, with which a
// template changes the request or the response that it is for. They go on from one
// template of an exchange to the next. The zero Overrides change nothing.
type Overrides struct {
	request, response *lenient.Map
	context           *lenient.Map
}

// clone returns overrides of their own, with everything that they begin with.
func (o Overrides) clone() Overrides {
	part := func(of *lenient.Map, names ...string) *lenient.Map {
		m := &lenient.Map{}
		for _, name := range names {
			m.Put(name, &lenient.Map{})
		}
		for name, v := range of.All() {
			m.Put(name, cloned(v))
		}
		return m
	}
	return Overrides{request: part(o.request, "path", "header", "querystring"), response: part(o.response, "header")}
}

// cloned returns a map with members of its own, and with lists of its own.
func cloned(v any) any {
	m, ok := v.(*lenient.Map)
	if !ok {
		return v
	}
	m = m.Clone()
	for name, v := range m.All() {
		if l, ok := v.(*lenient.List); ok {
			m.Put(name, l.Clone())
		}
	}
	return m
}

// An Override is a parameter that a template has set, with one value or several.
type Override struct {
	Name   string
	Values []string
}

// A RequestOverride is what a template has set in the request, in the order in which it
// did.
type RequestOverride struct {
	Path, Querystring, Header []Override
}

// A ResponseOverride is what a template has set in the response.
type ResponseOverride struct {
	Status int // 0 if there is none, or one that is no status from 100 to 599
	Header []Override
}

// Request returns the overrides of the request.
func (o Overrides) Request() RequestOverride {
	return RequestOverride{
		Path:        overridesIn(o.request, "path"),
		Querystring: overridesIn(o.request, "querystring"),
		Header:      overridesIn(o.request, "header"),
	}
}

// Response returns the overrides of the response.
func (o Overrides) Response() ResponseOverride {
	r := ResponseOverride{Header: overridesIn(o.response, "header")}
	if v, ok := o.response.Get("status"); ok {
		if s, isText := v.(string); isText {
			n, err := strconv.Atoi(s)
			v, ok = int64(n), err == nil
		}
		if n, isInt := v.(int64); ok && isInt && n >= 100 && n <= 599 {
			r.Status = int(n)
		}
	}
	return r
}

// overridesIn returns the members of a map in a map. What is neither a value nor a list of
// them is its text.
func overridesIn(of *lenient.Map, name string) []Override {
	v, _ := of.Get(name)
	m, _ := v.(*lenient.Map)
	var all []Override
	for name, v := range m.All() {
		o := Override{Name: keyText(name)}
		if l, ok := v.(*lenient.List); ok {
			for _, item := range l.Items {
				o.Values = append(o.Values, string(lenient.AppendText(nil, item)))
			}
		} else {
			o.Values = []string{string(lenient.AppendText(nil, v))}
		}
		all = append(all, o)
	}
	return all
}

// Context returns the text of $context as the template has left it; it is for people to
// read.
func (o Overrides) Context() string {
	m := o.context
	if m == nil {
		c := contextVariable{before: o}
		m = c.all()
	}
	return string(lenient.AppendText(nil, m))
}

// ParseValues returns the values in the text of a JSON object.
func ParseValues(text []byte) (Values, error) {
	v, err := lenient.Parse(text, lenient.Limits{Strict: true})
	if err != nil {
		return nil, err
	}
	m, ok := v.(*lenient.Map)
	if !ok {
		return nil, fmt.Errorf("want a JSON object")
	}
	return valuesIn(m), nil
}

func valuesIn(m *lenient.Map) Values {
	values := make(Values, 0, m.Len())
	for name, v := range m.All() {
		values = append(values, Value{name, valueIn(v)})
	}
	return values
}

func valueIn(v any) any {
	switch v := v.(type) {
	case *lenient.Map:
		return valuesIn(v)
	case *lenient.List:
		items := make([]any, len(v.Items))
		for i, item := range v.Items {
			items[i] = valueIn(item)
		}
		return items
	}
	return v
}

// stageVariables is $stageVariables.
type stageVariables struct {
	values map[string]string
	root   *lenient.Map // once it has been made
}

// get returns a stage variable, nil if there is none.
func (s *stageVariables) get(name string) any {
	if s.root != nil {
		v, _ := s.root.Get(name)
		return v
	}
	if v, ok := s.values[name]; ok {
		return v
	}
	return nil
}

// all returns the stage variables by name.
func (s *stageVariables) all() *lenient.Map {
	if s.root == nil {
		s.root = &lenient.Map{}
		for _, name := range slices.Sorted(maps.Keys(s.values)) {
			s.root.Put(name, s.values[name])
		}
	}
	return s.root
}
