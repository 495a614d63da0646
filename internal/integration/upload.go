package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"penstock/internal/gateway"
)

// A listener reads the answer of a backend while a long request is still being
// sent to it. Backends answer early when they refuse a request, or when they
// stream back what they get; either would block if nobody listened.
type listener struct {
	head  head
	err   error
	early bool           // the answer began before the request was sent
	spool *gateway.Spool // the body of an early answer, whole

	sent atomic.Bool // nothing more is being sent
	came atomic.Bool // the early answer is complete, or has failed
	done chan struct{}
	most int64 // bytes of a body
}

// listen reads the head of the answer, and of an early answer also the body. When
// that is complete, sending the rest of the request is pointless.
func (l *listener) listen(x *gateway.Exchange, c *conn, method string) {
	defer close(l.done)
	l.err = readHead(c, x, &l.head)
	if l.err == nil {
		if l.sent.Load() {
			return
		}
		l.early = true
		if !bodiless(method, l.head.status) {
			if l.err = l.head.tooLong(l.most); l.err == nil {
				l.err = l.spool.Fill(newBodyStream(x, c, &l.head, l.most), l.most)
			}
		}
	}
	l.came.Store(true)
	if !l.sent.Load() {
		c.SetWriteDeadline(longAgo)
	}
}

// upload sends a body that is not in memory, and makes the response out of the
// answer. The head of the request has been sent.
func (h *hop) upload(k *call, c *conn) error {
	x := k.x
	l := &listener{spool: x.Spool(), done: make(chan struct{}), most: h.client.c.MaxResponse}
	go l.listen(x, c, k.method)
	err := k.sendBody(c, &x.Request.Body, l)
	l.sent.Store(true)
	var fault clientError
	if errors.As(err, &fault) && l.came.Load() {
		fault.error = nil // the answer counts
	}
	if fault.error != nil {
		c.abort()
	}
	<-l.done
	switch {
	case fault.error != nil:
		drop(x, c)
		return fault.error
	case l.err != nil:
		drop(x, c)
		return k.failed(l.err)
	case !l.early:
		return h.answer(k, c, &l.head, err == nil)
	}
	k.answered(&l.head)
	if bodiless(k.method, l.head.status) {
		h.answerWithoutBody(k, c, &l.head, err == nil)
		return h.response.Apply(x)
	}
	body := &x.Response.Body
	*body = gateway.Body{Stream: l.spool, Length: l.spool.Len()}
	if h.response.ReadsBody(l.head.status) {
		body.Prefix = make([]byte, min(gateway.MappedBody, body.Length))
		io.ReadFull(l.spool, body.Prefix)
		body.Stream = io.MultiReader(bytes.NewReader(body.Prefix), l.spool)
	}
	x.Response.Bodiless = x.Request.Method == methodHead
	release(x, c, err == nil && !l.head.close)
	return h.response.Apply(x)
}

// A clientError is one of reading the request, not of the backend.
type clientError struct{ error }

// errEarly ends sending a request that has been answered already.
var errEarly = errors.New("the backend answered before it had the whole request")

// sendBody sends a streamed request body. While the client is waited for, time
// stands still for the backend.
func (k *call) sendBody(c *conn, b *gateway.Body, l *listener) error {
	buf := k.x.Block()
	for left := b.Length; left > 0; {
		if err := k.limit(c, l, time.Time{}); err != nil {
			return err
		}
		start := time.Now()
		n, err := b.Stream.Read(buf[:min(int64(len(buf)), left)])
		k.deadline = k.deadline.Add(time.Since(start))
		if err := k.limit(c, l, k.deadline); err != nil {
			return err
		}
		if n > 0 {
			if _, err := c.Write(buf[:n]); err != nil {
				return err
			}
			left -= int64(n)
		}
		if err != nil && left > 0 {
			return clientError{err}
		}
	}
	return nil
}

// limit sets the deadline of a connection. Doing so may undo what others have said
// by a deadline, so they are asked again.
func (k *call) limit(c *conn, l *listener, deadline time.Time) error {
	c.SetDeadline(deadline)
	switch {
	case k.x.Gone():
		c.abort()
		return errGone
	case l.came.Load():
		return errEarly
	}
	return nil
}

// tooLong is the error of an answer that announces more than it may send.
func (r *head) tooLong(most int64) error {
	if r.length > most {
		return fmt.Errorf("the backend announces a body of %d bytes; at most %d are allowed", r.length, most)
	}
	return nil
}
