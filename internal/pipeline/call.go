package pipeline

import (
	"context"
	"sync"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/provenance"
	"penstock/internal/selection"
	"penstock/vtl"
)

// Bounds on what templates give, in bytes: a request, and a text for a client. Clients get
// no more than 128 KB.
const (
	maxPayload = 10 << 20
	maxText    = 1 << 20
)

// A call is one event on its way through one integration. Its memory is used again, and
// what outlives it lies in the exchange of the event.
type call struct {
	e        *Event
	deadline time.Time

	// The request.
	header   []gateway.Field
	query    []integration.Parameter
	path     []integration.Parameter // values for names in the URI
	mapped   int                     // bytes of values that parameters have made
	hidden   []string                // names of parameters that logs do not show the values of
	body     []byte
	template *template // that made body; nil without one

	overrides vtl.Overrides // that templates have left
	answer    answer

	outgoing integration.Outgoing
	segments []string
	scope    scope
	values   selection.Values // of expressions
	response selection.Response
}

// An answer is what a backend said.
type answer struct {
	status int
	header []gateway.Field
	body   []byte
	// selector is what the response of the integration is selected by, if named; otherwise
	// it is the status.
	selector string
	named    bool
}

var calls = sync.Pool{New: func() any {
	c := &call{}
	c.values.Context = c.contextText
	c.values.Header = c.requestHeader
	c.response.Header = c.responseHeader
	return c
}}

func newCall(e *Event, timeout time.Duration) *call {
	c := calls.Get().(*call)
	c.e, c.deadline = e, time.Now().Add(timeout)
	c.values.Message, c.values.Variables = &e.Message, e.Socket.StageVariables
	return c
}

// keepFields is how many fields and parameters a call has room for between two uses.
const keepFields = 128

// free gives a call back.
func (c *call) free() {
	if cap(c.header) > keepFields || cap(c.query) > keepFields || cap(c.path) > keepFields {
		return
	}
	clear(c.header)
	clear(c.query)
	clear(c.path)
	clear(c.segments)
	c.scope.reset()
	*c = call{
		header: c.header[:0], query: c.query[:0], path: c.path[:0], segments: c.segments[:0], scope: c.scope,
		values:   selection.Values{Context: c.values.Context, Header: c.values.Header},
		response: selection.Response{Header: c.response.Header},
	}
	calls.Put(c)
}

// A call is the context of its templates: they end when its time is over, and when the
// client has left.

// Deadline implements context.Context.
func (c *call) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements context.Context. Nobody waits for it: templates ask for Err.
func (c *call) Done() <-chan struct{} { return nil }

// Err implements context.Context.
func (c *call) Err() error {
	switch {
	case c.e.Exchange.Gone():
		return context.Canceled
	case !time.Now().Before(c.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context.
func (c *call) Value(any) any { return nil }

// firstRoom is how much room an exchange gets for texts, when it needs some.
const firstRoom = 1 << 10

// room returns room for a text that lasts as long as the exchange. It is empty; what is
// appended to it is given to keep.
func (c *call) room() []byte {
	m := &c.e.Exchange.Mapped
	if cap(m.Text) == 0 {
		m.Text = make([]byte, 0, firstRoom)
	}
	return m.Text[len(m.Text):]
}

// keep takes what has been appended to the room, whether there was enough of it or not, and
// returns it as what it is.
func (c *call) keep(b []byte) []byte {
	m := &c.e.Exchange.Mapped
	if left := cap(m.Text) - len(m.Text); cap(b) == left {
		m.Text = m.Text[:len(m.Text)+len(b)]
	} else if cap(b) > left {
		m.Text = b // texts in the room of before stay where they are
	}
	return b[:len(b):len(b)]
}

// contextText, requestHeader and responseHeader are what selection expressions ask for.

func (c *call) contextText(name string) string {
	v, ok := templateVariable(name)
	if !ok {
		return ""
	}
	var room [64]byte
	b, _ := v(room[:0], c.e)
	return string(b)
}

func (c *call) requestHeader(name string) string {
	if c.e.Kind != Connect {
		return ""
	}
	value := ""
	for i := range c.e.Exchange.Request.Header {
		if f := &c.e.Exchange.Request.Header[i]; gateway.EqualFold(f.Name, name) {
			value = f.Value
		}
	}
	return value
}

func (c *call) responseHeader(name string) (values []string) {
	for i := range c.answer.header {
		if f := &c.answer.header[i]; gateway.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// fieldOf returns the first value of a header.
func fieldOf(fields []gateway.Field, name string) string {
	for i := range fields {
		if gateway.EqualFold(fields[i].Name, name) {
			return fields[i].Value
		}
	}
	return ""
}

// hasHeader reports whether the request has a header.
func (c *call) hasHeader(name string) bool {
	for i := range c.header {
		if gateway.EqualFold(c.header[i].Name, name) {
			return true
		}
	}
	return false
}

// setDefault sets a header that the request does not have yet.
func (c *call) setDefault(name, value string) {
	if !c.hasHeader(name) {
		c.header = append(c.header, gateway.Field{Name: name, Value: value})
	}
}

// trace returns the value of X-Amzn-Trace-Id. It is a copy: who is called may still have it
// when the exchange has ended.
func (c *call) trace() string {
	x := c.e.Exchange
	var room [64]byte
	if known := provenance.KnownTrace(x); known != "" {
		return string(append(room[:0], known...))
	}
	return string(provenance.AppendNewTrace(room[:0], x))
}
