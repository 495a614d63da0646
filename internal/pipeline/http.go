package pipeline

import (
	"errors"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// An httpBackend is an HTTP server.
type httpBackend struct {
	client  *integration.Client
	address *integration.Address
	method  string
	agent   string
	api     string
	proxy   bool // the query of a handshake goes there, too
}

var errNoClient = errors.New("there is no client for HTTP backends")

func newHTTP(spec *Spec) (*httpBackend, error) {
	if spec.Client == nil {
		return nil, errNoClient
	}
	a, err := spec.Client.Address(spec.URI)
	if err != nil {
		return nil, err
	}
	return &httpBackend{spec.Client, a, spec.Method, spec.UserAgent, spec.API, spec.Type == "HTTP_PROXY"}, nil
}

// Names of fields.
const (
	fieldSubprotocol = "Sec-WebSocket-Protocol"
	fieldType        = "Content-Type"
	fieldAccept      = "Accept"
	fieldAgent       = "User-Agent"
	fieldTrace       = "X-Amzn-Trace-Id"
	fieldParent      = "traceparent"
	fieldState       = "tracestate"
	typeJSON         = "application/json"
)

func (h *httpBackend) call(c *call) error {
	x := c.e.Exchange
	c.setDefault(fieldType, typeJSON)
	c.setDefault(fieldAccept, typeJSON)
	c.setDefault(fieldAgent, h.agent)
	c.header = append(c.header, gateway.Field{Name: fieldAPI, Value: h.api}, gateway.Field{Name: fieldTrace, Value: c.trace()})
	if x.Trace.Parent != "" {
		c.set(inHeader, fieldParent, x.Trace.Parent, true)
		if x.Trace.State != "" {
			c.set(inHeader, fieldState, x.Trace.State, true)
		}
	}
	c.outgoing = integration.Outgoing{Method: h.method, Header: c.header, Body: c.body}
	if err := c.fill(h.address); err != nil {
		return err
	}
	if h.proxy && c.e.Kind == Connect {
		c.outgoing.Target = c.forwardQuery(c.outgoing.Target)
	}
	c.logRequest(h.address, h.proxy)
	if c.outgoing.Timeout = time.Until(c.deadline); c.outgoing.Timeout <= 0 {
		return ErrTimeout.With(errLate)
	}
	start := time.Now()
	in, err := h.client.Send(x, &c.outgoing)
	x.IntegrationLatency = time.Since(start)
	if err != nil {
		if errors.Is(err, integration.ErrHeader) {
			return ErrConfiguration.With(err)
		}
		return failed(err, ErrInternal)
	}
	c.answer.status, c.answer.header, c.answer.body = in.Status, in.Header, in.Body
	c.logAnswer()
	return nil
}

var errLate = errors.New("the templates took all of the time that the integration has")

// fill says where the request goes.
func (c *call) fill(a *integration.Address) error {
	c.segments = c.segments[:0]
	for _, name := range a.Names() {
		value := ""
		for i := range c.path {
			if c.path[i].Name == name {
				value = c.path[i].Value
			}
		}
		c.segments = append(c.segments, value)
	}
	if err := a.Fill(&c.outgoing, c.segments, c.query); err != nil {
		return ErrConfiguration.With(err)
	}
	return nil
}
