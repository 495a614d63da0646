package integration

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// An Outgoing is a request to an HTTP backend that is described piece by piece, and not
// by the request of a client.
type Outgoing struct {
	// Method is one that gateway.KnownMethod knows.
	Method string
	// To is where the connection leads, and Authority what the field Host says. Target is
	// the path, escaped, with the query behind it if there is one. Address.Fill sets them.
	To        Target
	Authority string
	Target    string
	// Header has all fields but Host, Content-Length and those that belong to the
	// connection: one of these is an ErrHeader, and so is what is no field at all.
	Header []gateway.Field
	// Body is sent with its length. It is read before the answer comes, and must not lie
	// in Buffers.Request of the exchange.
	Body []byte
	// Timeout is how long the backend may take for its complete answer.
	Timeout time.Duration

	pool *pool // of To, if Address.Fill knew it
}

// An Incoming is the answer of a backend, whole. It lies in the buffers of the exchange:
// it is valid until they are used again, by another call or otherwise, or the exchange
// ends.
type Incoming struct {
	Status int
	// Header has no fields that belong to the connection, and no Content-Length.
	Header []gateway.Field
	Body   []byte
}

// ErrHeader says that a request has a header field that cannot be sent.
var ErrHeader = errors.New("the header field cannot be sent")

// textUnsendable is what access logs show of a request that was not sent.
const textUnsendable = "The request to the endpoint cannot be sent"

// Send sends a request to a backend and waits for the whole answer; redirects are answers
// like others. A request that a reused connection has lost is sent once more, on a new one,
// under the conditions that hold for requests of clients. Errors are gateway errors:
// gateway.IntegrationTimeout when the backend took too long, others when it could not be
// reached, did not answer well, or what it answered is longer than ClientConfig.MaxResponse.
// They and the status of the answer are in x.Integration as well.
//
// Send uses all Buffers of the exchange. An answer of more than 64 KiB has memory out of
// the budget of all spools until the exchange ends.
func (c *Client) Send(x *gateway.Exchange, o *Outgoing) (Incoming, error) {
	k := call{x: x, pool: o.pool, method: o.Method, authority: o.Authority, deadline: time.Now().Add(o.Timeout), repeats: idempotent(o.Method)}
	out, err := o.appendHead(x.Buffers.Request[:0])
	x.Buffers.Request = out
	if err != nil {
		x.Integration.Error = textUnsendable
		return Incoming{}, gateway.InternalError(err)
	}
	if k.pool == nil || k.pool.client != c || k.pool.target != o.To {
		k.pool = c.pool(o.To)
	}
	body := o.Body
	if len(body) <= inOneWrite {
		out = append(out, body...)
		x.Buffers.Request, body = out, nil
	}
	in, again, err := k.send(out, body, true)
	if again {
		in, _, err = k.send(out, body, false)
	}
	return in, err
}

// send makes one attempt. It reports whether another one is safe, as hear does.
func (k *call) send(out, body []byte, reuse bool) (in Incoming, again bool, err error) {
	c, err := k.connect(reuse)
	if err != nil {
		return in, false, err
	}
	n, sent := c.write(out, body)
	var r head
	if again, err = k.hear(c, &r, n, sent, reuse); again || err != nil {
		return in, again, err
	}
	k.x.Integration.Status, k.x.Integration.ServiceStatus = r.status, r.status
	b, err := k.receive(c, &r, sent == nil)
	if err != nil {
		return in, false, err
	}
	return Incoming{Status: r.status, Header: k.x.Buffers.Response, Body: b}, false, nil
}

// receive reads the body of an answer into memory. whole says that the request was sent
// completely.
func (k *call) receive(c *conn, r *head, whole bool) ([]byte, error) {
	x, most := k.x, k.pool.client.c.MaxResponse
	if bodiless(k.method, r.status) {
		release(x, c, whole && r.endsHere(k.method))
		return nil, nil
	}
	if err := r.tooLong(most); err != nil {
		drop(x, c)
		return nil, k.failed(err)
	}
	if r.length > inMemoryResponse {
		b, err := k.reserve(r.length)
		if err != nil {
			drop(x, c)
			return nil, err
		}
		return b, k.readKnown(c, b, whole && !r.close)
	}
	if r.length >= 0 {
		b := bodyBuffer(x, int(r.length))
		return b, k.readKnown(c, b, whole && !r.close)
	}
	s := newBodyStream(x, c, r, most)
	b, err := k.readUnknown(s, most)
	s.keep = s.keep && whole
	s.Release(err == nil)
	return b, err
}

// readUnknown reads a body whose end is not announced.
func (k *call) readUnknown(s *bodyStream, most int64) ([]byte, error) {
	b := k.x.Block()
	n, err := io.ReadFull(s, b)
	switch {
	case s.whole:
		return b[:n], nil
	case err != nil:
		return nil, k.failed(err)
	}
	s.first = b
	spool := k.x.Spool()
	if err := spool.Fill(s, most); err != nil {
		return nil, k.failed(err)
	}
	if b, err = k.reserve(spool.Len()); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(spool, b); err != nil {
		return nil, gateway.InternalError(err)
	}
	return b, nil
}

// reserve returns room for a long body.
func (k *call) reserve(n int64) ([]byte, error) {
	b, err := k.x.Reserve(n)
	if err != nil {
		k.x.Integration.Error = textOverload
	}
	return b, err
}

// appendHead writes the request line and the header, up to the body.
func (o *Outgoing) appendHead(b []byte) ([]byte, error) {
	switch {
	case !gateway.KnownMethod(o.Method):
		return b, fmt.Errorf("the method %q cannot be sent", truncate(o.Method))
	case o.To.Host == "" || o.To.Port == 0 || o.Authority == "" || !visible(o.Authority):
		return b, fmt.Errorf("the request does not say where it leads: %q", truncate(o.Authority))
	case o.Target == "" || o.Target[0] != '/' || !visible(o.Target):
		return b, fmt.Errorf("the path %q is not escaped", truncate(o.Target))
	}
	b = append(b, o.Method...)
	b = append(b, ' ')
	b = append(b, o.Target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, o.Authority...)
	b = append(b, "\r\n"...)
	for i := range o.Header {
		f := &o.Header[i]
		at := len(b)
		b = appendField(b, f.Name, f.Value)
		read, err := gateway.ParseField(b[at : len(b)-len("\r\n")])
		if err != nil || len(read.Name) != len(f.Name) {
			return b, fmt.Errorf("%w: %q is not a header field", ErrHeader, truncate(f.Name))
		}
		if kind, _ := provenance.Of(f.Name); kind == provenance.Hop || kind == provenance.Framing {
			return b, fmt.Errorf("%w: %s is the gateway's to write", ErrHeader, truncate(f.Name))
		}
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(o.Body)), 10)
	return append(b, "\r\n\r\n"...), nil
}

// visible reports whether all of s is visible ASCII, which is what a line of a request is
// made of.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
