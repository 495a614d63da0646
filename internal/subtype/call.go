package subtype

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// maxParameters is the greatest number of parameters of an action.
const maxParameters = 8

const (
	// maxBody is the longest body of a request, a quota of the service.
	maxBody = 10 << 20
	// maxValues bounds the values of a request together, each of which may be the body: no
	// service takes more than one. It is the longest body in base64, and room for what the
	// header and paths into the body lead to.
	maxValues = maxBody/3*4 + maxRest
	maxRest   = 256 << 10
	// inBuffers is the length of requests that are put together in the buffers of the
	// exchange, which it keeps.
	inBuffers = 8 << 10
	// inBlock is the length of what fits into a block of the exchange.
	inBlock = 64 << 10
)

// unresolvable is the answer to a request that lacks a value of a parameter, or has one that
// cannot be sent.
var unresolvable = gateway.BadRequest

var errTooLong = fmt.Errorf("the values of the parameters are longer than %d bytes together", maxValues)

// A call is what is sent of an integration, with gaps for what the request decides.
type call struct {
	gaps []gap
	tail string // behind the last gap
	// bodies is how often all of the body is part of a value that is not just that.
	bodies int
	// readsWhole says that all of the body is needed, readsBody that some of it is.
	readsWhole, readsBody bool
}

// A gap is where the value of a parameter goes.
type gap struct {
	parameter
	lead  string // what stands before it
	value *mapping.Expression
	whole bool // the value is all of the body
}

// newCall compiles the parameters of an action. It returns apart the gap for the region, nil
// if that is known: then it is known, or "" if no parameter says it.
func newCall(a *action, parameters map[string]string, scope mapping.Scope) (c *call, where *gap, known string, err error) {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !slices.ContainsFunc(a.parameters, func(p parameter) bool { return p.name == name }) {
			return nil, nil, "", fmt.Errorf("there is no parameter %s: want %s", name, a.names())
		}
	}
	c = &call{}
	lead := []byte(a.open)
	separator := ""
	for _, p := range a.parameters {
		value, ok := parameters[p.name]
		if !ok {
			if p.required {
				return nil, nil, "", fmt.Errorf("the parameter %s is missing", p.name)
			}
			continue
		}
		e, err := mapping.ParseRequest(value, scope)
		if err != nil {
			return nil, nil, "", fmt.Errorf("the parameter %s: %w", p.name, err)
		}
		text, static := e.Static()
		if static {
			if err := p.known(text); err != nil {
				return nil, nil, "", fmt.Errorf("the parameter %s: %w", p.name, err)
			}
		}
		if p.kind == region {
			if static {
				known = text
			} else {
				where = c.gap(p, "", e)
			}
			continue
		}
		switch p.kind {
		case segment, query:
			lead = append(lead, p.wire...)
		default:
			lead = append(lead, separator+`"`+p.wire+`":`...)
			separator = ","
		}
		if static {
			lead = p.kind.append(lead, []byte(text))
			continue
		}
		c.gaps = append(c.gaps, *c.gap(p, string(lead), e))
		lead = lead[:0]
	}
	c.tail = string(lead) + a.close
	return c, where, known, nil
}

// names returns the names of the parameters for messages.
func (a *action) names() string {
	var names []string
	for _, p := range a.parameters {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// gap returns a gap, and takes into account what it needs of the body.
func (c *call) gap(p parameter, lead string, e *mapping.Expression) *gap {
	g := &gap{parameter: p, lead: lead, value: e}
	n := 0
	if n, g.whole = e.Bodies(); !g.whole {
		c.bodies += n
	}
	c.readsWhole = c.readsWhole || n > 0
	c.readsBody = c.readsBody || e.ReadsBody()
	return g
}

// values are those of the gaps of a call. They lie in the body of the request, and in a
// buffer that is used again by whatever is sent.
type values struct {
	body, encoded []byte // all of the body, as it is and as text
	scratch       []byte
	most          int // how long scratch may become
}

// start makes the body available as far as the call needs it, and room for values.
func (v *values) start(x *gateway.Exchange, c *call) error {
	v.scratch, v.most = x.Buffers.Request[:0], maxRest
	if !c.readsWhole {
		return nil
	}
	var err error
	if v.body, err = x.WholeBody(maxBody); err != nil {
		return err
	}
	v.encoded = v.body
	if !utf8.Valid(v.body) {
		n := base64.StdEncoding.EncodedLen(len(v.body))
		if v.encoded, err = room(x, n); err != nil {
			return err
		}
		v.encoded = base64.StdEncoding.AppendEncode(v.encoded, v.body)
	}
	if c.bodies == 0 {
		return nil
	}
	n := c.bodies * len(v.encoded)
	if v.most += n; v.most > maxValues {
		return gateway.TooLarge(errTooLong)
	}
	if n > inBuffers {
		v.scratch, err = room(x, n+inBuffers)
	}
	return err
}

// of returns the value of a gap. It is valid until the next call.
func (v *values) of(x *gateway.Exchange, g *gap) ([]byte, error) {
	body := v.encoded
	if g.kind == binary {
		body = v.body
	}
	value := body
	switch {
	case !g.whole:
		start := len(v.scratch)
		var missing string
		if v.scratch, missing = g.value.AppendParameter(v.scratch, x, body); missing != "" {
			return nil, g.unresolved(x, missing)
		}
		value = v.scratch[start:]
	case len(body) == 0:
		return nil, g.unresolved(x, g.value.String())
	}
	if len(v.scratch) > v.most {
		return nil, gateway.TooLarge(errTooLong)
	}
	if err := g.check(value); err != nil {
		x.Integration.Error = fmt.Sprintf("Invalid value of property %s from source %s", g.name, g.value)
		return nil, unresolvable(fmt.Errorf("the parameter %s: %w", g.name, err))
	}
	return value, nil
}

// unresolved is the answer when a selection has no value.
func (g *gap) unresolved(x *gateway.Exchange, source string) error {
	x.Integration.Error = fmt.Sprintf("Unable to resolve property %s from source %s", g.name, source)
	return unresolvable(errors.New(x.Integration.Error))
}

// fill returns the call with the values of a request. It lies in x.Mapped.Text, or in other
// room that lasts as long as the exchange, and none of x.Buffers.
func (c *call) fill(x *gateway.Exchange, v *values) ([]byte, error) {
	var found [maxParameters][]byte
	var spans [maxParameters]struct{ from, to int }
	all, size := 0, len(c.tail)
	for i := range c.gaps {
		g := &c.gaps[i]
		value, err := v.of(x, g)
		if err != nil {
			return nil, err
		}
		if g.whole {
			found[i] = value
		}
		spans[i].from, spans[i].to = len(v.scratch)-len(value), len(v.scratch)
		if all += len(value); all > maxValues {
			return nil, gateway.TooLarge(errTooLong)
		}
		size += len(g.lead) + g.kind.size(value)
	}
	b, start := x.Mapped.Text, len(x.Mapped.Text)
	if size > inBuffers {
		var err error
		if b, err = room(x, size); err != nil {
			return nil, err
		}
		start = 0
	}
	for i := range c.gaps {
		g := &c.gaps[i]
		value := found[i]
		if !g.whole {
			value = v.scratch[spans[i].from:spans[i].to]
		}
		b = g.kind.append(append(b, g.lead...), value)
	}
	b = append(b, c.tail...)
	if size <= inBuffers {
		x.Mapped.Text = b
	}
	return b[start:], nil
}

// room returns an empty buffer with room for n bytes that lasts as long as the exchange.
func room(x *gateway.Exchange, n int) ([]byte, error) {
	if n <= inBlock {
		return x.Block()[:0], nil
	}
	b, err := x.Reserve(int64(n))
	if err != nil {
		return nil, err
	}
	return b[:0], nil
}
