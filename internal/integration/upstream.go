package integration

import (
	"errors"
	"sync"
)

// An Upstream is what a private integration leads to: one or more endpoints, of which each
// request takes one. It may be used by any number of goroutines, and what it has changes
// while it is used.
type Upstream interface {
	// Pick returns the endpoint that a request goes to, which counts as having one request
	// more until Done. It returns none of those in tried unless there is no other. The
	// error says why there is none at all: ErrNoEndpoint or ErrNoUpstream.
	Pick(tried []*Endpoint) (*Endpoint, error)
	// Done says what became of a request that Pick has returned an endpoint for.
	Done(e *Endpoint, o Outcome)
}

// An Outcome is what became of a request to an endpoint.
type Outcome struct {
	// Status is that of the answer; 0 if there was none.
	Status int
	// Unreachable says that there was no connection: the request was not sent.
	Unreachable bool
	// Failed says that the endpoint did not answer, answered too late, or wrongly. It is
	// not set when the client left, which says nothing about the endpoint.
	Failed bool
}

// Errors of Upstreams.
var (
	// ErrNoEndpoint says that an upstream has no endpoint that could answer now.
	ErrNoEndpoint = errors.New("there is no healthy endpoint")
	// ErrNoUpstream says that nobody knows where the upstream is.
	ErrNoUpstream = errors.New("nothing says where the integration leads")
)

// An Endpoint is one place that an upstream is reached at. It lives as long as the upstream
// has it, or a request is under way to it, and with it the pools of its connections. It
// must not be copied.
type Endpoint struct {
	// Host is a name or address without brackets. It and the fields below do not change.
	Host string
	Port uint16
	// TLS says that the endpoint is spoken to over TLS, whatever the integration says.
	// Then the certificate is one for Host, unless the integration names another.
	TLS bool

	mu    sync.Mutex // guards pools
	pools []*pool    // one for each way in which integrations reach it: few
}

// A Link is a VPC link as integrations use it.
type Link interface {
	// Available returns nil if the link can be used now, and otherwise why not.
	Available() error
}

// pool returns the pool of connections to the endpoint, which leads there as to says.
func (e *Endpoint) pool(c *Client, to Target) *pool {
	to.Host, to.Port = e.Host, e.Port
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.pools {
		if p.target == to && p.client == c {
			return p
		}
	}
	p := c.pool(to)
	e.pools = append(e.pools, p)
	return p
}
