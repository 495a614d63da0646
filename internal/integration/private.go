package integration

import (
	"errors"
	"fmt"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// Private is a compiled HTTP_PROXY integration over a VPC link. It is called like HTTP,
// but for this: the path is that of the request, with the stage; the Host is the client's;
// Forwarded does not say by whom; and which endpoint of an upstream gets the request is
// decided for each one. Source: developer guide, private integrations for HTTP APIs.
type Private struct {
	hop
	upstream Upstream
	link     Link
	to       Target // without the host and the port
}

// PrivateSpec is what a private integration is compiled from.
type PrivateSpec struct {
	// Method, Timeout, Request and Response are as in HTTPSpec.
	Method   string
	Timeout  time.Duration
	Request  *mapping.Request
	Response *mapping.Response
	// Upstream is where requests go.
	Upstream Upstream
	// Link is the VPC link; nil if nothing is known of it, which is no obstacle.
	Link Link
	// Via is a name of ClientConfig.Dialers; "" for none.
	Via string
	// TLS says that endpoints are spoken to over TLS, as each may also say itself. Then
	// ServerName is the name that certificates must be for, "" for the host of the endpoint.
	TLS        bool
	ServerName string
}

const (
	// maxEndpoints bounds the endpoints that are tried for one request.
	maxEndpoints = 3
	// connectTimeout bounds the time in which an endpoint must take a connection, so that
	// one that hangs leaves time for others.
	connectTimeout = time.Second
)

// What access logs show when there is nowhere to go.
const (
	textNoEndpoint = "There is no healthy endpoint"
	textNoLink     = "The VPC link is not available"
)

// NewPrivate compiles a private integration. The error says what in the spec cannot work.
func NewPrivate(c *Client, spec PrivateSpec) (*Private, error) {
	method, err := methodSent(spec.Method)
	if err != nil {
		return nil, err
	}
	if _, err := c.via(spec.Via); err != nil {
		return nil, err
	}
	if spec.Upstream == nil {
		return nil, ErrNoUpstream
	}
	return &Private{
		hop: hop{
			client: c, method: method, uri: new(uriTemplate), appends: true, hidden: true,
			timeout: spec.Timeout, request: spec.Request, response: spec.Response,
		},
		upstream: spec.Upstream,
		link:     spec.Link,
		to:       Target{TLS: spec.TLS, ServerName: spec.ServerName, Via: spec.Via},
	}, nil
}

// Invoke implements gateway.Integration. A request goes to another endpoint as long as
// nothing of it was sent, whatever its method, or if it may be carried out twice and was
// lost without a byte of an answer.
func (p *Private) Invoke(x *gateway.Exchange) error {
	if err := p.request.Apply(x); err != nil {
		return err
	}
	if p.link != nil {
		if err := p.link.Available(); err != nil {
			x.Integration.Error = textNoLink
			return gateway.ServiceUnavailable(err)
		}
	}
	k := call{x: x, method: p.method, authority: x.Request.Host, deadline: time.Now().Add(p.timeout), connectTimeout: connectTimeout}
	if k.method == "" {
		k.method = x.Request.Method
	}
	if host := mappedHost(x); host != "" {
		k.authority = host
	}
	k.repeats = x.Request.Body.Stream == nil && idempotent(k.method)
	err := p.visit(&k, nil)
	if !k.free {
		return err
	}
	tried := make([]*Endpoint, 0, maxEndpoints)
	for k.free && len(tried)+1 < maxEndpoints && !x.Gone() && time.Now().Before(k.deadline) {
		tried = append(tried, k.visited)
		next := p.visit(&k, tried)
		if next == errVisited {
			break
		}
		err = next
	}
	return err
}

// errVisited says that there is no endpoint but those that have been tried.
var errVisited = errors.New("all endpoints have been tried")

// visit takes the request to one endpoint that is not among tried.
func (p *Private) visit(k *call, tried []*Endpoint) error {
	e, err := p.upstream.Pick(tried)
	if err != nil || e == nil {
		if len(tried) > 0 {
			return errVisited
		}
		return nowhere(k.x, err)
	}
	k.turn, k.free = turn{upstream: p.upstream, endpoint: e}, false
	defer k.end()
	for _, t := range tried {
		if t == e {
			return errVisited
		}
	}
	k.visited = e
	w := e.way(p.client, p.to)
	k.pool, k.x.Integration.Target = w.pool, w.text
	if k.authority == "" {
		k.authority = w.pool.target.address()
	}
	again, err := p.try(k, true)
	if again {
		_, err = p.try(k, false)
	}
	return err
}

// nowhere is the answer when there is no endpoint.
func nowhere(x *gateway.Exchange, err error) error {
	if errors.Is(err, ErrNoUpstream) {
		x.Integration.Error = err.Error()
		return gateway.InternalError(err)
	}
	x.Integration.Error = textNoEndpoint
	if err == nil {
		err = ErrNoEndpoint
	}
	return gateway.ServiceUnavailable(fmt.Errorf("choose an endpoint: %w", err))
}
