package integration

import (
	"errors"
	"sync"
	"sync/atomic"
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
	// Unreachable says that there was no connection: the request was not sent. Failed is
	// set then, too.
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
	// Member is what the upstream itself keeps of the endpoint; nobody else uses it.
	Member any

	mu   sync.Mutex // guards changes of ways
	ways atomic.Pointer[[]way]
}

// A way is how integrations reach an endpoint: few, one for each name and dialer.
type way struct {
	pool *pool
	// text is where it leads, as people read it.
	text string
}

// maxWays bounds the ways that are kept for an endpoint, which may outlive the
// integrations that used them. The oldest one goes first.
const maxWays = 16

// A Link is a VPC link as integrations use it.
type Link interface {
	// Available returns nil if the link can be used now, and otherwise why not.
	Available() error
}

// way returns the way to the endpoint that to describes but for the host, the port and
// what the endpoint itself decides.
func (e *Endpoint) way(c *Client, to Target) *way {
	to.Host, to.Port, to.Private = e.Host, e.Port, true
	to.TLS = to.TLS || e.TLS
	if !to.TLS || to.ServerName == e.Host {
		to.ServerName = ""
	}
	if w := e.find(c, &to); w != nil {
		return w
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.find(c, &to); w != nil {
		return w
	}
	var ways []way
	if old := e.ways.Load(); old != nil {
		ways = append(ways, (*old)[max(0, len(*old)-maxWays+1):]...)
	}
	ways = append(ways, way{c.pool(to), to.text()})
	e.ways.Store(&ways)
	return &ways[len(ways)-1]
}

// find returns the way that is there already, or nil.
func (e *Endpoint) find(c *Client, to *Target) *way {
	ways := e.ways.Load()
	if ways == nil {
		return nil
	}
	for i := range *ways {
		if w := &(*ways)[i]; w.pool.target == *to && w.pool.client == c {
			return w
		}
	}
	return nil
}

// A turn is the use that one request makes of an endpoint; the zero turn is of none. It
// ends once, as Upstream has it.
type turn struct {
	upstream Upstream
	endpoint *Endpoint
	outcome  Outcome
}

// end tells the upstream what became of the request.
func (t *turn) end() {
	if e := t.endpoint; e != nil {
		t.endpoint = nil
		t.upstream.Done(e, t.outcome)
	}
}

// hand returns the turn to whoever ends it from now on.
func (t *turn) hand() turn {
	handed := *t
	t.endpoint = nil
	return handed
}
