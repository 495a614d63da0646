package connection

import (
	"bytes"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const opPing = ws.OpPing

// An inbox is what has come from a client and is no whole message yet. Connections that
// are silent between messages have none.
type inbox struct {
	// rest are bytes not looked at yet: less than a frame, or, while reading has stopped,
	// less than a frame and what was read at once.
	rest []byte
	// text are the fragments of a message so far; checked of its bytes are known to be
	// whole characters.
	text    []byte
	checked int
}

// receive takes bytes from the client, and changes them. The lock is held.
func (c *Connection) receive(p []byte) {
	c.pinged = false
	if c.state != open {
		return
	}
	if c.in != nil && len(c.in.rest) > 0 {
		c.in.rest = append(c.in.rest, p...)
		c.resume()
		return
	}
	n := c.parse(p)
	if c.state == open && n < len(p) {
		if c.in == nil {
			c.in = new(inbox)
		}
		c.in.rest = bytes.Clone(p[n:])
	}
	c.update()
}

// resume goes on where reading has stopped. The lock is held.
func (c *Connection) resume() {
	c.pinged = false
	if in := c.in; in != nil && c.state == open {
		n := c.parse(in.rest)
		if in.rest = in.rest[n:]; len(in.rest) == 0 {
			in.rest = nil
			if c.in == in && in.text == nil && !c.fragmented {
				c.in = nil
			}
		}
	}
	c.update()
}

// parse takes whole frames off p and returns how many bytes they were. It stops where
// reading has to stop. The lock is held.
func (c *Connection) parse(p []byte) int {
	all := len(p)
	for c.state == open && !c.paused() {
		h, n, err := parseHeader(p)
		if err != nil {
			c.fail(Violation, "")
			break
		}
		if n == 0 {
			break
		}
		if code := c.checkHeader(h); code != 0 {
			c.fail(code, "")
			break
		}
		end := n + int(h.Length)
		if len(p) < end {
			break
		}
		payload := p[n:end]
		p = p[end:]
		ws.Cipher(payload, h.Mask, 0)
		if h.OpCode.IsControl() {
			c.control(h.OpCode, payload)
		} else {
			c.data(h, payload)
		}
	}
	return all - len(p)
}

// checkHeader returns the code that a frame deserves before its payload has come, and 0
// if it may come. The lock is held.
func (c *Connection) checkHeader(h ws.Header) int {
	s := ws.StateServerSide
	if c.fragmented {
		s = s.Set(ws.StateFragmented)
	}
	l := &c.hub.config.Limits
	switch {
	case ws.CheckHeader(h, s) != nil:
		return Violation
	case h.OpCode == ws.OpBinary:
		return Unacceptable
	case h.OpCode.IsControl():
		return 0
	case h.Length > int64(l.Frame), c.in != nil && int64(len(c.in.text))+h.Length > int64(l.Message),
		h.Length > int64(l.Message):
		return TooBig
	}
	return 0
}

// control takes a control frame. The lock is held.
func (c *Connection) control(op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpClose:
		c.answer(parseClose(payload))
		return
	case ws.OpPing:
		var frame [maxHeader + maxControl]byte
		c.transmit(appendFrame(frame[:0], true, ws.OpPong, payload), pong)
	}
	c.pace()
}

// pace counts a frame that carries nothing. More of them than are allowed in a tick wait
// for the next one, unread, so that they cost their sender more than us.
func (c *Connection) pace() {
	if c.state != open {
		return
	}
	if tick := c.hub.wheel.tick.Load(); tick != c.controlTick {
		c.controlTick, c.controls = tick, 0
	}
	if c.controls++; int(c.controls) >= c.hub.config.Limits.Controls {
		c.controlTick, c.paced = 0, true
		c.controls = 0
		c.hub.wheel.move(c, 0)
	}
}

// data takes one frame of a message. The lock is held.
func (c *Connection) data(h ws.Header, payload []byte) {
	if h.Fin && !c.fragmented {
		if !utf8.Valid(payload) {
			c.fail(InvalidText, "")
			return
		}
		c.deliver(bytes.Clone(payload))
		return
	}
	if c.in == nil {
		c.in = new(inbox)
	}
	in := c.in
	in.text = append(in.text, payload...)
	checked, ok := checkText(in.text, in.checked)
	if !ok || h.Fin && checked < len(in.text) {
		c.fail(InvalidText, "")
		return
	}
	in.checked = checked
	c.fragmented = !h.Fin
	switch {
	case h.Fin:
		text := in.text
		in.text, in.checked = nil, 0
		if in.rest == nil {
			c.in = nil
		}
		c.deliver(text)
	case len(payload) == 0:
		c.pace()
	}
}
