package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// readBody implements transport.
func (c *conn) readBody(x *Exchange, limit, inMemory int64) error {
	n := x.Request.ContentLength
	if c.framing.expect {
		c.framing.expect = false
		c.enter(phaseWrite)
		_, err := io.WriteString(c.nc, "HTTP/1.1 100 Continue\r\n\r\n")
		c.enter(phaseExchange)
		if err != nil {
			return closing(errBadRequest, "the client left")
		}
	}
	if n < 0 {
		return x.readSpooled(&c.body, limit, inMemory)
	}
	// Of a long body, the first part must be here before anything is asked of a
	// backend: clients that never send it cost nobody else a connection.
	first, err := x.readFirst(&c.body, int(min(n, inMemory)))
	if err != nil {
		return err
	}
	if n <= inMemory {
		x.Request.Body = Body{Bytes: first, Length: n}
		return nil
	}
	c.body.first = first
	x.Request.Body = Body{Stream: &c.body, Length: n, Prefix: first}
	return nil
}

// readFirst reads n bytes. The memory for many is taken when some are here, so that
// who only announces a long body pins little.
func (x *Exchange) readFirst(r io.Reader, n int) ([]byte, error) {
	first := x.bodyBuffer(min(n, keepBuffer))
	if _, err := io.ReadFull(r, first); err != nil || n == len(first) {
		return first, err
	}
	all := x.bodyBuffer(n)
	at := copy(all, first)
	_, err := io.ReadFull(r, all[at:])
	return all, err
}

// readSpooled reads a body of unannounced length whole: the backend gets it with
// its length.
func (x *Exchange) readSpooled(r io.Reader, limit, inMemory int64) error {
	spool := x.Spool()
	if err := spool.Fill(r, limit); err != nil {
		return spoolFailure(err)
	}
	n := spool.Len()
	if n > inMemory {
		x.Request.Body = Body{Stream: spool, Length: n}
		if x.Route != nil && x.Route.ReadsBody {
			x.Request.Body.Prefix = spool.prefix(MappedBody)
		}
		return nil
	}
	b := x.bodyBuffer(int(n))
	io.ReadFull(spool, b)
	x.Request.Body = Body{Bytes: b, Length: n}
	return nil
}

// spoolFailure returns the answer for a body that could not be kept.
func spoolFailure(err error) error {
	switch {
	case errors.Is(err, ErrTooLong):
		return closing(errTooLarge, "body above the limit")
	case errors.Is(err, ErrNoMemory):
		return closing(errUnavailable, ErrNoMemory.Error())
	}
	return err
}

// A bodyReader reads the body of a request from its connection. Its errors are
// answers of the gateway.
type bodyReader struct {
	c       *conn
	first   []byte // read already
	left    int64  // of a body of known length, still to be read from the connection
	chunked bool   // the body comes in chunks, and its end has not been read
	chunks  ChunkReader
	pace    pace
}

// start prepares for the body that a head announces.
func (r *bodyReader) start(f framing) {
	r.first, r.left, r.chunked, r.pace = nil, max(f.length, 0), f.length < 0, pace{}
	if r.chunked {
		r.chunks.Reset(r.c.br)
	}
}

// done reports whether nothing of the body is left on the connection.
func (r *bodyReader) done() bool { return r.left == 0 && !r.chunked }

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	c := r.c
	if !r.chunked && c.br.Buffered() > 0 {
		return r.receive(p)
	}
	start := time.Now()
	c.enter(phaseBody)
	n, err := r.receive(p)
	c.enter(phaseExchange)
	if err == nil && !r.pace.keeps(n, time.Since(start), c.s.limits.BodyIdle) {
		err = closing(errTimeout, "the body comes too slowly")
	}
	return n, err
}

func (r *bodyReader) receive(p []byte) (n int, err error) {
	switch {
	case r.chunked:
		n, err = r.chunks.Read(p)
		if err == io.EOF {
			r.chunked = false
		}
	case r.left > 0:
		n, err = r.c.br.Read(p[:min(int64(len(p)), r.left)])
		r.left -= int64(n)
		err = cutShort(err)
	default:
		return 0, io.EOF
	}
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, closing(errTimeout, "the body took too long")
	}
	return n, refuse(fmt.Errorf("read the body: %w", err))
}

// A pace measures how long the other end takes for a part of a body.
type pace struct {
	bytes  int
	waited time.Duration
}

// paceBytes is how much must move within a limit.
const paceBytes = blockSize

// keeps adds a step and reports whether the other end is fast enough. A single
// byte now and then is not.
func (p *pace) keeps(n int, waited, limit time.Duration) bool {
	p.bytes += n
	p.waited += waited
	if p.bytes >= paceBytes {
		*p = pace{}
	}
	return p.waited <= limit
}

// rest makes the connection ready for the next request: what an early answer
// left of the body is dropped if it has already arrived. It reports whether the
// connection can go on.
func (c *conn) rest() bool {
	left := c.body.left
	if c.body.chunked || c.framing.expect && left > 0 || int64(c.br.Buffered()) < left {
		return false
	}
	c.br.Discard(int(left))
	c.body.left = 0
	return true
}
