package vtl

import (
	"errors"
	"fmt"

	"penstock/internal/jsonpath"
	"penstock/internal/lenient"
)

// input is what $input has.
type input struct {
	body   []byte
	source string // the body, once it has been asked for
	text   any    // the body as a value, once it has been asked for
	params Params
	all    *lenient.Map // params() once it has been asked for
	copied bool         // whether the body has been printed without being parsed
	parsed bool
	root   any
	err    error
}

// emptyBody is what a body of no bytes is.
const emptyBody = "{}"

// bodyText returns $input.body.
func (r *run) bodyText() any {
	if r.input.text == nil {
		if len(r.input.body) == 0 {
			r.input.text = emptyBody
		} else {
			r.input.text = r.input.string()
		}
	}
	return r.input.text
}

// string returns the body as a string, of which there is one.
func (in *input) string() string {
	if in.source == "" {
		in.source = string(in.body)
	}
	return in.source
}

// payload returns the body as a value. It is parsed once, and templates may change it.
func (r *run) payload() (any, error) {
	in := &r.input
	if !in.parsed {
		in.parsed = true
		if !in.copied {
			in.err = r.spend(len(in.body))
		}
		if in.err == nil {
			in.root, in.err = r.parse(in.string())
		}
		if in.err != nil {
			in.err = fmt.Errorf("the payload is not JSON: %w", in.err)
		}
	}
	return in.root, in.err
}

func (r *run) parse(text string) (any, error) {
	return lenient.ParseString(text, lenient.Limits{Depth: r.limits.Depth, Strict: r.strict})
}

// lookUp returns what a path of JSON leads to in the payload; found is false if nowhere.
func (r *run) lookUp(s *step, arg any) (v any, found bool, err error) {
	path, ok := arg.(string)
	if !ok {
		return nil, false, nil
	}
	query, err := s.query, s.bad
	if query == nil && err == nil {
		if err := r.spend(queryCost(path)); err != nil {
			return nil, false, err
		}
		query, err = jsonpath.ParseQuery(path)
	}
	if err != nil {
		return nil, false, fmt.Errorf("path %q: %w", path, err)
	}
	root, err := r.payload()
	if err != nil {
		return nil, false, err
	}
	v, found, err = query.SelectSteps(root, &r.steps)
	if errors.Is(err, jsonpath.ErrSteps) {
		err = fmt.Errorf("the template takes more than %d steps", r.limits.Steps)
	}
	return v, found, err
}

// callInput calls a method of $input.
func (r *run) callInput(s *step, args []any) (any, error) {
	switch {
	case s.name == "path" && len(args) == 1:
		v, _, err := r.lookUp(s, args[0])
		return v, err
	case s.name == "json" && len(args) == 1:
		base := len(r.out)
		b, err := r.appendInput(r.out, s, args[0])
		if err != nil {
			return nil, err
		}
		r.out = b[:base]
		return r.made(string(b[base:]))
	case s.name == "params" && len(args) == 0:
		return r.allParams(), nil
	case s.name == "params" && len(args) == 1:
		if name, ok := args[0].(string); ok {
			return r.param(name), nil
		}
		if args[0] == nil {
			return nil, nil
		}
	}
	return nil, errNoMethod
}

// appendInput appends $input.json(): the JSON that a path leads to, which is an empty
// string if that is nothing or null.
func (r *run) appendInput(b []byte, s *step, path any) ([]byte, error) {
	if _, ok := path.(string); !ok {
		return b, nil
	}
	if r.onePath && s.query.Root() {
		if b, ok, err := r.copyBody(b); ok || err != nil {
			return b, err
		}
	}
	v, found, err := r.lookUp(s, path)
	if err != nil {
		return b, err
	}
	if !found || v == nil {
		return append(b, `""`...), nil
	}
	return r.appendJSON(b, v)
}

// copyBody appends the body as JSON without parsing it first; ok is false if that has to be
// done. It takes from the limits what parsing and printing take.
func (r *run) copyBody(b []byte) (out []byte, ok bool, err error) {
	in := &r.input
	if in.parsed || in.copied || r.odd || r.steps < 1 || r.work < len(in.body) {
		return b, false, nil
	}
	limits := lenient.Limits{Depth: r.limits.Depth, Strict: r.strict}
	if out, ok = lenient.AppendCompact(b, in.string(), limits, r.limits.String); !ok {
		return b, false, nil
	}
	in.copied = true
	r.steps--
	r.work -= len(in.body)
	return out, true, r.spend(len(out) - len(b))
}

// param returns $input.params(name): of the path, of the query or of the headers, in this
// order.
func (r *run) param(name string) any {
	if m := r.input.all; m != nil {
		for _, part := range m.All() {
			if part, ok := part.(*lenient.Map); ok {
				if v, ok := part.Get(name); ok {
					return v
				}
			}
		}
		return nil
	}
	p := r.input.params
	for _, part := range [...][]Param{p.Path, p.Querystring, p.Header} {
		for i := len(part) - 1; i >= 0; i-- {
			if part[i].Name == name {
				return part[i].Value
			}
		}
	}
	return nil
}

// allParams returns $input.params().
func (r *run) allParams() *lenient.Map {
	if r.input.all == nil {
		object := func(params []Param) *lenient.Map {
			m := &lenient.Map{}
			for _, p := range params {
				m.Put(p.Name, p.Value)
			}
			return m
		}
		m := &lenient.Map{}
		m.Put("path", object(r.input.params.Path))
		m.Put("querystring", object(r.input.params.Querystring))
		m.Put("header", object(r.input.params.Header))
		r.input.all = m
	}
	return r.input.all
}
