package connection

import (
	"fmt"
	"runtime/debug"
)

// A delivery is a message on its way to the handler.
type delivery struct {
	c        *Connection
	text     []byte
	next     *delivery
	size     int
	finished bool
}

// deliver queues a message for the workers. The lock is held.
func (c *Connection) deliver(text []byte) {
	c.lastActive.Store(c.hub.now())
	d := &delivery{c: c, text: text, size: len(text)}
	if c.last == nil {
		c.first = d
	} else {
		c.last.next = d
	}
	c.last = d
	c.inFlight++
	c.hub.bytes.Add(int64(d.size))
	c.schedule()
}

// full reports whether no more messages are taken for now: too many of the connection
// are in flight, or too much of all connections together. Each may have one in flight
// even then, and with its end it goes on. The lock is held.
func (c *Connection) full() bool {
	l := &c.hub.config.Limits
	return int(c.inFlight) >= l.InFlight || c.inFlight > 0 && c.hub.bytes.Load() >= l.InFlightBytes
}

// runnable reports whether a worker has something to do. The lock is held.
func (c *Connection) runnable() bool {
	if c.hub.config.Ordered && c.running > 0 {
		return false
	}
	return c.first != nil || c.endDue
}

// schedule has a worker look at the connection. The lock is held.
func (c *Connection) schedule() {
	if !c.scheduled && c.runnable() {
		c.scheduled = true
		c.hub.pool.push(c)
	}
}

// run makes the next call of the handler. A worker calls it.
func (c *Connection) run() {
	c.mu.Lock()
	c.scheduled = false
	if d := c.first; d != nil {
		if c.first = d.next; c.first == nil {
			c.last = nil
		}
		d.next = nil
		c.running++
		c.schedule()
		c.mu.Unlock()
		d.call()
		return
	}
	c.endDue = false
	code, reason := int(c.code), c.reason
	c.mu.Unlock()
	c.callClosed(code, reason)
	c.mu.Lock()
	c.part()
	c.mu.Unlock()
}

// call has the handler take the message.
func (d *delivery) call() {
	c := d.c
	defer func() {
		if r := recover(); r != nil {
			c.log("message", r)
			d.done()
			c.Close(Internal, "")
		}
	}()
	text := d.text
	d.text = nil
	c.handler.Message(c, text, d.done)
}

// done ends the flight of the message.
func (d *delivery) done() {
	c := d.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.finished {
		return
	}
	d.finished = true
	c.running--
	c.inFlight--
	c.hub.bytes.Add(-int64(d.size))
	c.resume()
	c.schedule()
}

// callClosed tells the handler of the end.
func (c *Connection) callClosed(code int, reason string) {
	defer func() {
		if r := recover(); r != nil {
			c.log("end", r)
		}
	}()
	c.handler.Closed(c, code, reason)
}

// log reports a panic of the handler.
func (c *Connection) log(of string, r any) {
	c.hub.config.Logger.Error("panic in the handler of a connection", "at", of, "connection", c.info.ID,
		"api", c.info.API, "stage", c.info.Stage, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
}
