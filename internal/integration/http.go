// Package integration calls what answers requests: HTTP backends and Lambda functions.
// Integrations are compiled once per deployed stage and then invoked by the
// gateway; the connections they use belong to a Client that outlives them.
package integration

import (
	"errors"
	"net/http"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// HTTP is a compiled HTTP_PROXY integration over the internet: the request goes
// to the backend as it came, but for the line, the Host, the fields that belong to
// the connection and what the request mapping changes; the answer comes back as it
// is, but for what the response mapping changes.
type HTTP struct {
	hop
	pool *pool // of a fixed target
}

// HTTPSpec is what an HTTP integration is compiled from.
type HTTPSpec struct {
	// Method replaces the client's; ANY or "" keeps it.
	Method string
	// URI is the integration URI with stage variables filled in.
	URI string
	// Vars are the path variables of the route, in path order.
	Vars []string
	// AppendPath adds the whole path of the request behind the URI's, as the
	// $default route does.
	AppendPath bool
	// Timeout is how long the backend may take for its complete answer. The time
	// for which the client keeps the backend waiting does not count.
	Timeout time.Duration
	// Request and Response are the parameter mappings, nil without. The body of the
	// request must be in memory as far as Request looks into it.
	Request  *mapping.Request
	Response *mapping.Response
}

// Names of net/http's for the files that know nothing else of it.
const (
	methodHead        = http.MethodHead
	statusNoContent   = http.StatusNoContent
	statusNotModified = http.StatusNotModified
)

// NewHTTP compiles an HTTP integration. The error says what in the spec cannot
// work.
func NewHTTP(c *Client, spec HTTPSpec) (*HTTP, error) {
	u, err := parseURI(spec.URI, spec.Vars)
	if err != nil {
		return nil, err
	}
	method, err := methodSent(spec.Method)
	if err != nil {
		return nil, err
	}
	h := &HTTP{hop: hop{client: c, method: method, uri: u, appends: spec.AppendPath, timeout: spec.Timeout, request: spec.Request, response: spec.Response}}
	if h.appends {
		u.trimSlash()
	}
	if u.fixed {
		h.pool = c.pool(u.to)
	}
	return h, nil
}

// Invoke implements gateway.Integration.
func (h *HTTP) Invoke(x *gateway.Exchange) error {
	if err := h.request.Apply(x); err != nil {
		return err
	}
	if h.uri.loose && !x.Mapped.HasPath && !mapping.SafePath(string(fillPath(nil, h.uri.path, x))) {
		return gateway.BadRequest(errLeaves)
	}
	k := call{x: x, pool: h.pool, method: h.method, authority: h.uri.authority, deadline: time.Now().Add(h.timeout)}
	if k.pool == nil {
		to, host, err := parseAuthority(string(appendPath(nil, h.uri.host, x)), h.uri.tls)
		if err != nil {
			return gateway.InternalError(err)
		}
		k.pool, k.authority = h.client.pool(to), host
	}
	if k.method == "" {
		k.method = x.Request.Method
	}
	if host := mappedHost(x); host != "" {
		k.authority = host
	}
	k.repeats = x.Request.Body.Stream == nil && idempotent(k.method)
	again, err := h.try(&k, true)
	if again {
		_, err = h.try(&k, false)
	}
	return err
}

// errLeaves is the cause when path variables would lead out of the integration's path.
var errLeaves = errors.New("the path variables make a dot segment in the path of the integration URI")

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
