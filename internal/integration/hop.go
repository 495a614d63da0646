package integration

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// A hop takes requests of clients to backends and the answers back. It is what HTTP and
// private integrations have in common: they differ in where it leads.
type hop struct {
	client   *Client
	method   string // "" keeps the client's
	uri      *uriTemplate
	appends  bool // the path of the request to the URI's
	hidden   bool // Forwarded does not say by whom
	timeout  time.Duration
	request  *mapping.Request
	response *mapping.Response
}

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

// A call is one exchange with a backend.
type call struct {
	x                 *gateway.Exchange
	pool              *pool
	method, authority string
	deadline          time.Time
	// connectTimeout bounds making a connection if it is not 0.
	connectTimeout time.Duration
	// repeats says that the request may be carried out twice, and can be sent again.
	repeats bool
	// free says that an attempt has failed in a way that leaves the request free to go
	// elsewhere: nothing of it was sent, or it was lost and may be carried out twice.
	free bool
	turn
	visited *Endpoint // the one of turn, also after its end
}

// try makes one attempt. It reports whether another one is safe, as hear does.
func (h *hop) try(k *call, reuse bool) (again bool, err error) {
	x := k.x
	c, err := k.connect(reuse)
	if err != nil {
		return false, err
	}
	local := c.local
	if h.hidden {
		local = ""
	}
	body := &x.Request.Body
	out := h.appendHead(x.Buffers.Request[:0], k, local)
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
	c, err := k.pool.get(k.x, k.deadline, k.connectTimeout, reuse)
	if err != nil {
		return nil, k.unreachable(err)
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
//
// A request that may have been received is repeated once at most, here or elsewhere: a
// repetition that fails as well tells of more than a closed connection (RFC 9110, 9.2.2).
func (k *call) hear(c *conn, r *head, n int64, sent error, reuse bool) (again bool, err error) {
	stale := reuse && !c.fresh
	unsent := sent != nil && n == 0 && !timedOut(sent)
	if unsent && stale && !k.x.Gone() {
		drop(k.x, c)
		return true, nil
	}
	if err := readHead(c, k.x, r); err != nil {
		drop(k.x, c)
		if !k.x.Gone() && !timedOut(sent) {
			lost := errors.Is(err, errNothing) && k.repeats
			if lost && !unsent {
				k.repeats = false
			}
			if lost && stale {
				return true, nil
			}
			k.free = unsent || lost
		}
		if sent != nil {
			err = sent
		}
		return false, k.failed(err)
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

// failed is the answer for a failed attempt: 503 when the backend did not answer
// in time, 500 when it answered wrongly.
func (k *call) failed(err error) error {
	x := k.x
	if x.Gone() {
		return gateway.ServiceUnavailable(errGone)
	}
	if errors.Is(err, gateway.ErrNoMemory) {
		x.Integration.Error = textOverload
		return gateway.ServiceUnavailable(err)
	}
	k.outcome.Failed = true
	if timedOut(err) {
		x.Integration.Error = textTimeout
		return gateway.IntegrationTimeout(fmt.Errorf("the backend took longer than the timeout of the integration: %w", err))
	}
	x.Integration.Error = textMalformed
	return gateway.InternalError(err)
}

// unreachable is the answer when there is no connection to the backend.
func (k *call) unreachable(err error) error {
	x := k.x
	if errors.Is(err, errGone) {
		return gateway.ServiceUnavailable(err)
	}
	if !homemade(err) {
		k.outcome.Unreachable, k.outcome.Failed = true, true
	}
	// Nothing was sent. Whoever waited for a place in vain has no time left.
	k.free = !errors.Is(err, errBusy)
	if timedOut(err) && (k.connectTimeout == 0 || !time.Now().Before(k.deadline)) {
		x.Integration.Error = textTimeout
		return gateway.IntegrationTimeout(err)
	}
	x.Integration.Error = textUnreachable
	return gateway.ServiceUnavailable(err)
}

// homemade reports whether an error in making a connection says nothing about the backend:
// the gateway has used up what it may have.
func homemade(err error) bool {
	for _, own := range [...]error{errBusy, errNoDialer, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}

// methodSent returns the method of a spec, "" if it is the client's.
func methodSent(method string) (string, error) {
	switch {
	case method == "ANY":
		return "", nil
	case method != "" && !gateway.KnownMethod(method):
		return "", fmt.Errorf("integration method %q is not a method that can be sent: use ANY, GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS", method)
	}
	return method, nil
}

// bodiless reports whether an answer has no body, whatever its head says.
func bodiless(method string, status int) bool {
	return method == methodHead || status == statusNoContent || status == statusNotModified
}

// appendHead writes the request line and the fields that go to the backend.
func (h *hop) appendHead(b []byte, k *call, local string) []byte {
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
