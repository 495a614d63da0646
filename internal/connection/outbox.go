package connection

import (
	"bytes"
	"sync"
)

// An outbox is what the network has not taken yet, in the order it is to be sent.
// Connections whose readers keep up have none.
type outbox struct {
	first, last *chunk
	// pong is the last answer to a ping, while it waits.
	pong     *chunk
	pongs    int
	bytes    int
	messages int
}

// maxPongs is how many answers to pings wait. After that the last makes room for the
// next: only the most recent ping needs an answer.
const maxPongs = 16

// A chunk is the rest of one message or of one control frame.
type chunk struct {
	data []byte // never changed if shared
	kind kind
	next *chunk
}

// push appends a chunk.
func (o *outbox) push(k *chunk) {
	if o.last == nil {
		o.first = k
	} else {
		o.last.next = k
	}
	o.last = k
	o.bytes += len(k.data)
	switch k.kind {
	case message, shared:
		o.messages++
	case pong:
		o.pongs++
	}
}

// begin returns the first chunk, which will be written.
func (o *outbox) begin() []byte {
	if o.pong == o.first {
		o.pong = nil
	}
	return o.first.data
}

// sent takes n bytes off the first chunk.
func (o *outbox) sent(n int) {
	k := o.first
	k.data = k.data[n:]
	o.bytes -= n
	if o.pong == k {
		o.pong = nil
	}
	if len(k.data) > 0 {
		return
	}
	if o.first = k.next; o.first == nil {
		o.last = nil
	}
	switch k.kind {
	case message, shared:
		o.messages--
	case pong:
		o.pongs--
	}
}

// buffers are those that frames are built in.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 4096)) }}

// maxBuffer is the capacity of the largest buffer that is kept.
const maxBuffer = 256 << 10

// A kind is what frames are.
type kind uint8

const (
	message kind = iota
	// shared is a message whose bytes never change, and others may queue as well.
	shared
	control
	pong
)

// transmit sends frames, or queues what the network does not take at once. Those that are
// not shared stay the caller's. The lock is held. Afterwards the connection may have ended: what cannot be written is lost.
func (c *Connection) transmit(frames []byte, k kind) {
	begun := false
	if c.out == nil {
		n, err := c.carrier.write(c, frames)
		if err != nil {
			c.lost()
			return
		}
		if n == len(frames) {
			c.flushed()
			return
		}
		frames, begun = frames[n:], n > 0
		c.out = new(outbox)
	}
	if k == pong && c.out.pong != nil && c.out.pongs >= maxPongs {
		o := c.out
		more := len(frames) - len(o.pong.data)
		o.bytes += more
		c.hub.queued.Add(int64(more))
		o.pong.data = append(o.pong.data[:0], frames...)
		return
	}
	if k != shared {
		frames = bytes.Clone(frames)
	}
	queued := &chunk{data: frames, kind: k}
	if k == pong && !begun {
		c.out.pong = queued
	}
	c.out.push(queued)
	c.hub.queued.Add(int64(len(frames)))
	c.update()
}

// flush writes as much of the queue as the network takes. The lock is held.
func (c *Connection) flush() {
	for c.out != nil {
		n, err := c.carrier.write(c, c.out.first.data)
		if err != nil {
			c.lost()
			return
		}
		if n == 0 {
			break
		}
		c.sent(n)
	}
	c.update()
}

// sent counts n bytes of the first chunk as written. The lock is held.
func (c *Connection) sent(n int) {
	c.out.sent(n)
	c.hub.queued.Add(-int64(n))
	if c.state == open && c.deadline != 0 && !c.crowded(2) {
		c.deadline = 0
	}
	if c.out.first == nil {
		c.out = nil
		c.flushed()
	}
}

// crowded reports whether more waits to be sent than one part of the queue may hold.
func (c *Connection) crowded(part int) bool {
	l := &c.hub.config.Limits
	return c.out != nil && (c.out.bytes > l.QueueBytes/part || c.out.messages > l.QueueMessages/part)
}

// flushed does what was put off until everything was sent. The lock is held.
func (c *Connection) flushed() {
	if c.state != closing {
		return
	}
	if c.hangup {
		c.release(false)
		return
	}
	// What the client still sends is thrown away: closing with bytes unread would have
	// the kernel reset the connection, and the client might never see the close frame.
	c.carrier.shutdown(c)
	c.update()
}
