// Package integration calls what answers requests: HTTP backends and Lambda functions.
// Integrations are compiled once per deployed stage and then invoked by the
// gateway; the connections they use belong to a Client that outlives them.
package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// HTTP is a compiled HTTP_PROXY integration over the internet: the request goes
// to the backend as it came, but for the line, the Host, the fields that belong to
// the connection and what the request mapping changes; the answer comes back as it
// is, but for what the response mapping changes.
type HTTP struct {
	client   *Client
	method   string // "" keeps the client's
	uri      *uriTemplate
	pool     *pool // of a fixed target
	appends  bool  // the path of the request to the URI's
	timeout  time.Duration
	request  *mapping.Request
	response *mapping.Response
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

// Bounds on what a backend may answer.
const (
	// inMemoryResponse is the largest response body that is read whole before the
	// client hears anything; longer ones stream. It is what Exchange.Block returns.
	inMemoryResponse = 64 << 10
	maxResponseHead  = 64 << 10
	maxInterim       = 16
)

// inOneWrite is the largest body that is copied behind its head to leave in one
// system call; longer ones leave in one call as well, from where they are.
const inOneWrite = 8 << 10

// NewHTTP compiles an HTTP integration. The error says what in the spec cannot
// work.
func NewHTTP(c *Client, spec HTTPSpec) (*HTTP, error) {
	u, err := parseURI(spec.URI, spec.Vars)
	if err != nil {
		return nil, err
	}
	h := &HTTP{client: c, method: spec.Method, uri: u, appends: spec.AppendPath, timeout: spec.Timeout, request: spec.Request, response: spec.Response}
	if h.method == "ANY" {
		h.method = ""
	}
	if h.method != "" && !gateway.KnownMethod(h.method) {
		return nil, fmt.Errorf("integration method %q is not a method that can be sent: use ANY, GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS", h.method)
	}
	if h.appends {
		u.trimSlash()
	}
	if u.fixed {
		h.pool = c.pool(u.to)
	}
	return h, nil
}

// A call is one exchange with a backend.
type call struct {
	x                 *gateway.Exchange
	pool              *pool
	method, authority string
	deadline          time.Time
	// repeats says that the request may be carried out twice, and can be sent again.
	repeats bool
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

// try makes one attempt. It reports whether another one is safe, as hear does.
func (h *HTTP) try(k *call, reuse bool) (again bool, err error) {
	x := k.x
	c, err := k.connect(reuse)
	if err != nil {
		return false, err
	}
	body := &x.Request.Body
	out := h.appendHead(x.Buffers.Request[:0], k, c.local)
	rest := body.Bytes
	if body.Stream == nil && len(rest) <= inOneWrite {
		out, rest = append(out, rest...), nil
	}
	x.Buffers.Request = out
	n, sent := c.write(out, rest)
	if sent == nil && body.Stream != nil {
		return false, h.upload(k, c)
	}
	var r head
	if again, err := k.hear(c, &r, n, sent, reuse); again || err != nil {
		return again, err
	}
	return false, h.answer(k, c, &r, sent == nil)
}

// connect takes a connection to the backend and waits for the answer on it from now on:
// until the deadline, or until the client leaves.
func (k *call) connect(reuse bool) (*conn, error) {
	c, err := k.pool.get(k.x, k.deadline, reuse)
	if err != nil {
		return nil, unreachable(k.x, err)
	}
	c.SetDeadline(k.deadline)
	k.x.Await(&c.wait) // behind the deadline, which would undo an abort
	return c, nil
}

// hear reads the head of the answer to a request of which n bytes were sent, with the
// error sent. A backend may answer and close before it has read the request: what it said
// counts more than the failed write. hear reports whether another attempt, on a new
// connection, is safe: the backend had closed a reused connection, and the request either
// was not sent at all, or got not a byte of an answer and may be carried out twice. The
// connection is given up then, as it is with an error.
func (k *call) hear(c *conn, r *head, n int64, sent error, reuse bool) (again bool, err error) {
	retry := reuse && !c.fresh
	if sent != nil && n == 0 && retry && !timedOut(sent) && !k.x.Gone() {
		drop(k.x, c)
		return true, nil
	}
	if err := readHead(c, k.x, r); err != nil {
		drop(k.x, c)
		if retry && errors.Is(err, errNothing) && !timedOut(sent) && !k.x.Gone() && k.repeats {
			return true, nil
		}
		if sent != nil {
			err = sent
		}
		return false, outcome(k.x, err)
	}
	return false, nil
}

// drop gives up a connection on which an exchange failed.
func drop(x *gateway.Exchange, c *conn) {
	x.Done()
	c.discard()
}

// errGone is the cause when the client left before the answer.
var errGone = errors.New("the client left")

// What access logs show of failures, $context.integration.error.
const (
	textTimeout     = "Endpoint request timed out"
	textUnreachable = "The endpoint could not be reached"
	textMalformed   = "The response of the endpoint is malformed or incomplete"
	textOverload    = "The gateway has no room for the response of the endpoint"
)

// outcome is the answer for a failed attempt: 503 when the backend did not answer
// in time, 500 when it answered wrongly.
func outcome(x *gateway.Exchange, err error) error {
	switch {
	case x.Gone():
		return gateway.ServiceUnavailable(errGone)
	case timedOut(err):
		x.Integration.Error = textTimeout
		return gateway.IntegrationTimeout(fmt.Errorf("the backend took longer than the timeout of the integration: %w", err))
	case errors.Is(err, gateway.ErrNoMemory):
		x.Integration.Error = textOverload
		return gateway.ServiceUnavailable(err)
	default:
		x.Integration.Error = textMalformed
		return gateway.InternalError(err)
	}
}

// unreachable is the answer when there is no connection to the backend.
func unreachable(x *gateway.Exchange, err error) error {
	if timedOut(err) {
		x.Integration.Error = textTimeout
		return gateway.IntegrationTimeout(err)
	}
	x.Integration.Error = textUnreachable
	return gateway.ServiceUnavailable(err)
}

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// bodiless reports whether an answer has no body, whatever its head says.
func bodiless(method string, status int) bool {
	return method == methodHead || status == statusNoContent || status == statusNotModified
}

// appendHead writes the request line and the fields that go to the backend.
func (h *HTTP) appendHead(b []byte, k *call, local string) []byte {
	x := k.x
	r := &x.Request
	b = append(b, k.method...)
	b = append(b, ' ')
	if x.Mapped.HasPath {
		b = appendEscaped(b, x.Mapped.Path, &pathByte)
	} else {
		b = appendPath(b, h.uri.path, x)
		if h.appends {
			b = appendRawPath(b, x.RawPath)
		}
	}
	separator := byte('?')
	if h.uri.hasQuery {
		b = append(b, '?')
		b = appendQuery(b, h.uri.query, x)
		separator = '&'
	}
	if r.Query != "" || len(x.Mapped.Query) > 0 {
		b = append(b, separator)
		n := len(b)
		if b = mapping.AppendQuery(b, x); len(b) == n {
			b = b[:n-1] // nothing is left
		}
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, k.authority...)
	b = append(b, "\r\n"...)
	b = appendFields(b, x, local)
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, r.Body.Length, 10)
	return append(b, "\r\n\r\n"...)
}
