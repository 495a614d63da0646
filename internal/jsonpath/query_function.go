package jsonpath

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"penstock/internal/lenient"
)

// A call is a function in a path.
type call struct {
	name string
	args []argument
}

// An argument is a path or a value.
type argument struct {
	path *Query
	text string // of a value, in JSON
}

// functions are those that paths know, with whether they compute a number from numbers.
var functions = map[string]bool{
	"min": true, "max": true, "avg": true, "sum": true, "stddev": true,
	"length": false, "size": false, "keys": false, "first": false, "last": false,
	"index": false, "append": false, "concat": false,
}

// call parses the arguments of a function and the closing parenthesis. The opening one has
// been read.
func (p *queryParser) call(q *Query, name string, start int) {
	if _, ok := functions[name]; !ok {
		p.failAt(start, "unknown function %.40q", name)
		return
	}
	c := &call{name: name}
	for p.space(); p.more() && !p.at(")"); p.space() {
		if len(c.args) > 0 {
			p.want(",")
			p.space()
		}
		if p.at("$") || p.at("@") {
			c.args = append(c.args, argument{path: p.query(false)})
			continue
		}
		text, _ := p.json(",)")
		c.args = append(c.args, argument{text: text})
	}
	p.want(")")
	if name == "index" && (len(c.args) != 1 || c.args[0].path != nil || !isIndex(c.args[0].text)) {
		p.failAt(start, "want one index between the parentheses")
	}
	q.steps = append(q.steps, queryStep{kind: stepCall, call: c})
}

func isIndex(text string) bool {
	_, err := strconv.ParseInt(text, 10, 32)
	return err == nil
}

// json parses a value of JSON that ends before one of the characters of stops, and returns
// it as it stands and what it is.
func (p *queryParser) json(stops string) (text string, value any) {
	start, depth := p.i, 0
	for ; p.more(); p.i++ {
		c := p.text[p.i]
		if depth == 0 && (strings.IndexByte(stops, c) >= 0 || blank(c)) {
			break
		}
		switch c {
		case '"', '\'':
			p.quoted()
			p.i--
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth == 0 && strings.IndexByte(`"'}]`, c) >= 0 {
			p.i++
			break
		}
	}
	if p.reason != "" {
		return "", nil
	}
	text = p.text[start:p.i]
	value, err := lenient.Parse([]byte(text), lenient.Limits{Depth: maxQueryDepth})
	s, bare := value.(string)
	if text == "" || err != nil || bare && s == text || depth != 0 {
		p.failAt(start, "want a value")
	}
	return text, value
}

func (c *call) print(b *strings.Builder) {
	b.WriteString("." + c.name + "(")
	for i, a := range c.args {
		if i > 0 {
			b.WriteByte(',')
		}
		if a.path != nil {
			a.path.print(b)
		} else {
			b.WriteString(a.text)
		}
	}
	b.WriteByte(')')
}

// apply returns what a function says about v. What is not for values like v is null.
func (r *run) apply(c *call, v any) (any, error) {
	args := make([]any, 0, len(c.args))
	for _, a := range c.args {
		// A value is parsed whenever it is used: it may become part of the result, which is
		// its owner's to change.
		value, err := lenient.Parse([]byte(a.text), lenient.Limits{Depth: maxQueryDepth})
		if a.path != nil {
			value, _, err = r.value(a.path, r.root)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, value)
	}
	l, isList := v.(*lenient.List)
	if isList {
		r.left -= len(l.Items)
	}
	if functions[c.name] {
		return r.aggregate(c.name, v, args)
	}
	switch c.name {
	case "length", "size":
		if m, ok := v.(*lenient.Map); ok {
			return int64(m.Len()), nil
		}
		if isList {
			return int64(len(l.Items)), nil
		}
	case "keys":
		if m, ok := v.(*lenient.Map); ok {
			r.left -= m.Len()
			keys := lenient.NewList()
			for name := range m.All() {
				keys.Items = append(keys.Items, name)
			}
			return keys, nil
		}
	case "first", "last", "index":
		n := 0
		if c.name == "last" {
			n = -1
		} else if len(args) > 0 {
			i, _ := args[0].(int64)
			n = int(i)
		}
		item, ok := element(v, n)
		if !ok {
			return nil, ErrEmpty
		}
		return item, nil
	case "append":
		if isList {
			l = l.Clone()
			l.Items = append(l.Items, args...)
			return l, nil
		}
		return v, nil
	case "concat":
		var b strings.Builder
		if isList {
			for _, item := range l.Items {
				if s, ok := item.(string); ok {
					if err := r.write(&b, s); err != nil {
						return nil, err
					}
				}
			}
		}
		for _, a := range args {
			l, isList := a.(*lenient.List)
			if !isList {
				l = &lenient.List{Items: []any{a}}
			}
			for _, item := range l.Items {
				s, ok := item.(string)
				if !ok && isList && item != nil {
					s = string(lenient.AppendText(nil, item))
				}
				if err := r.write(&b, s); err != nil {
					return nil, err
				}
			}
		}
		return b.String(), nil
	}
	return nil, nil
}

// write appends a text, for which it takes steps.
func (r *run) write(b *strings.Builder, s string) error {
	if r.left -= 1 + len(s)/bytesPerStep; r.left < 0 {
		return ErrSteps
	}
	b.WriteString(s)
	return nil
}

// aggregate computes a number from the numbers in a list and in arguments, and nothing
// else that is there. Without any it is an error.
func (r *run) aggregate(name string, v any, args []any) (any, error) {
	var count, sum, squares float64
	low, high := math.Inf(1), math.Inf(-1)
	add := func(v any) {
		r.left--
		if f, ok := number(v); ok {
			count++
			sum += f
			squares += f * f
			low, high = math.Min(low, f), math.Max(high, f)
		}
	}
	if l, ok := v.(*lenient.List); ok {
		for _, item := range l.Items {
			add(item)
		}
	}
	for _, a := range args {
		if l, ok := a.(*lenient.List); ok {
			for _, item := range l.Items {
				add(item)
			}
			continue
		}
		add(a)
	}
	if count == 0 {
		return nil, ErrEmpty
	}
	switch name {
	case "min":
		return low, nil
	case "max":
		return high, nil
	case "sum":
		return sum, nil
	case "avg":
		return sum / count, nil
	}
	mean := sum / count
	return math.Sqrt(squares/count - mean*mean), nil
}

// number returns the double that is nearest to a number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	case lenient.Decimal:
		f, _ := strconv.ParseFloat(string(v), 64) // infinite if out of range
		return f, true
	}
	return 0, false
}
