package integration

import (
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/internal/gateway"
)

// answer makes the response out of the head of the backend's answer, reads or hands
// on its body, and applies the response mapping. whole says that the request was sent
// completely.
func (h *hop) answer(k *call, c *conn, r *head, whole bool) error {
	k.answered(r)
	if h.response != nil {
		// A mapping may ask for it before the gateway knows.
		k.x.IntegrationLatency = h.timeout - time.Until(k.deadline)
	}
	if err := h.receive(k, c, r, whole); err != nil {
		return err
	}
	return h.response.Apply(k.x)
}

// answered takes the head of the backend's answer into the response.
func (k *call) answered(r *head) {
	x := k.x
	k.outcome.Status = r.status
	x.Response.Status = r.status
	x.Response.Header = x.Buffers.Response
	x.Integration.Status, x.Integration.ServiceStatus = r.status, r.status
}

// receive reads the body of an answer or hands it on.
func (h *hop) receive(k *call, c *conn, r *head, whole bool) error {
	x := k.x
	resp := &x.Response
	switch {
	case bodiless(k.method, r.status):
		h.answerWithoutBody(k, c, r, whole)
		return nil
	case r.length > h.client.c.MaxResponse:
		drop(x, c)
		return k.failed(r.tooLong(h.client.c.MaxResponse))
	case r.length >= 0 && r.length <= inMemoryResponse:
		b := bodyBuffer(x, int(r.length))
		if err := k.readKnown(c, b, whole && !r.close); err != nil {
			return err
		}
		resp.Body = gateway.Body{Bytes: b, Length: r.length}
	default:
		s := newBodyStream(x, c, r, h.client.c.MaxResponse)
		s.keep = s.keep && whole
		var b []byte
		if h.response.ReadsBody(r.status) {
			b = make([]byte, gateway.MappedBody)
		} else {
			b = x.Block()
		}
		n, err := io.ReadFull(s, b)
		switch {
		case err == nil:
			// Long: the client gets it as it comes.
			s.first, s.until, s.handed = b[:n], k.deadline, time.Now()
			s.turn = k.hand()
			resp.Body = gateway.Body{Stream: s, Length: r.length, Prefix: b[:n]}
			resp.Release = s
		case s.whole:
			resp.Body = gateway.Body{Bytes: b[:n], Length: int64(n)}
			s.Release(true)
		default:
			s.Release(false)
			return k.failed(err)
		}
	}
	// A client that asked with HEAD for what the backend is asked with another
	// method gets no body.
	resp.Bodiless = x.Request.Method == methodHead
	return nil
}

// answerWithoutBody makes the response out of an answer that has no body.
func (h *hop) answerWithoutBody(k *call, c *conn, r *head, whole bool) {
	resp := &k.x.Response
	resp.Bodiless = true
	resp.Body.Length = r.length
	switch {
	case r.status == statusNoContent:
		resp.Body.Length = -1
	case k.method == methodHead && k.x.Request.Method != methodHead:
		// The client did not ask with HEAD and expects what is announced.
		resp.Bodiless = false
		resp.Body.Length = 0
	}
	release(k.x, c, whole && r.endsHere(k.method))
}

// endsHere reports whether the connection can go on behind the head of an answer that has
// no body. If it announces one nevertheless, nobody knows what follows.
func (r *head) endsHere(method string) bool {
	switch {
	case r.close:
		return false
	case r.status == statusNoContent:
		return r.length <= 0 && !r.chunked
	}
	return method == methodHead || !r.chunked
}

// readKnown fills b with the body of an answer, which is as long as that, and returns
// the connection to its pool if keep says so.
func (k *call) readKnown(c *conn, b []byte, keep bool) error {
	if _, err := io.ReadFull(c.br, b); err != nil {
		drop(k.x, c)
		return k.failed(fmt.Errorf("%w: %w", errCut, err))
	}
	release(k.x, c, keep)
	return nil
}

// release returns a connection to its pool after a complete answer, unless it must
// not be used again.
func release(x *gateway.Exchange, c *conn, keep bool) {
	c.stream = bodyStream{}
	// Whoever aborted the wait has ended the connection.
	if x.Done() && keep && c.br.Buffered() == 0 {
		c.put()
	} else {
		c.discard()
	}
}

// smallBody is the largest body that is read into a buffer of the exchange.
const smallBody = 4 << 10

// bodyBuffer returns room for a response body of n bytes, at most
// inMemoryResponse.
func bodyBuffer(x *gateway.Exchange, n int) []byte {
	if n > smallBody {
		return x.Block()[:n]
	}
	if cap(x.Buffers.Body) < n {
		x.Buffers.Body = make([]byte, smallBody)
	}
	return x.Buffers.Body[:n]
}

// A bodyStream reads a response body that does not fit in memory, or whose length
// is not known.
type bodyStream struct {
	x      *gateway.Exchange
	c      *conn
	r      io.Reader
	chunks gateway.ChunkReader
	first  []byte // read already
	left   int64  // what may still come
	known  bool   // left is exact
	whole  bool   // the end has been reached
	keep   bool

	// The timeout of the integration is for the backend: while the client takes in
	// what it got, time stands still. until is the deadline if the client took no
	// more time; handed is when it last got something, zero before.
	until, handed time.Time

	// turn ends with the stream, once the response has it.
	turn turn
}

var (
	errCut     = errors.New("the backend closed inside the body")
	errTooLong = errors.New("the response body is longer than allowed")
)

// newBodyStream returns the stream of a connection, made ready for an answer.
func newBodyStream(x *gateway.Exchange, c *conn, r *head, most int64) *bodyStream {
	s := &c.stream
	*s = bodyStream{x: x, c: c, left: most, keep: !r.close}
	switch {
	case r.length >= 0:
		s.r, s.left, s.known = c.br, r.length, true
	case r.chunked:
		s.chunks.Reset(c.br)
		s.r = &s.chunks
	default:
		s.r, s.keep = c.br, false // the end of the connection is the end of the body
	}
	return s
}

// Read implements io.Reader.
func (s *bodyStream) Read(p []byte) (int, error) {
	if len(s.first) > 0 {
		n := copy(p, s.first)
		s.first = s.first[n:]
		return n, nil
	}
	if s.whole || s.known && s.left == 0 {
		s.whole = true
		return 0, io.EOF
	}
	if s.known {
		p = p[:min(int64(len(p)), s.left)]
	}
	if !s.handed.IsZero() {
		s.until = s.until.Add(time.Since(s.handed))
		s.c.SetReadDeadline(s.until)
		if s.x.Gone() { // that may have undone an abort
			return 0, errGone
		}
	}
	n, err := s.receive(p)
	if err != nil && err != io.EOF && !s.x.Gone() {
		s.turn.outcome.Failed = true
	}
	return n, err
}

// receive reads from the connection.
func (s *bodyStream) receive(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if !s.handed.IsZero() {
		s.handed = time.Now()
	}
	s.left -= int64(n)
	switch {
	case s.left < 0:
		return 0, errTooLong
	case s.known && s.left == 0:
		s.whole = true
		return n, nil
	case err == io.EOF && s.known:
		return n, errCut
	case err == io.EOF:
		s.whole = true
	}
	return n, err
}

// Release implements gateway.Releaser. The stream must not be used afterwards: it
// goes with its connection.
func (s *bodyStream) Release(whole bool) {
	turn := s.turn
	release(s.x, s.c, whole && s.whole && s.keep)
	turn.end()
}
