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
	// less than a frame and what was read at once. Those before start have been looked at,
	// and will be let go of when they are the greater part.
	rest  []byte
	start int
	// text are the fragments of a message so far; checked of its bytes are known to be
	// whole characters.
	text    []byte
	checked int
	// compressed says that the text is to be inflated first, once it is whole.
	compressed bool
}

// account tells the Hub how much the inbox holds, and ends the connection if that is more
// than there is for it. The lock is held.
//
// The code is Internal: the message is not too long for what the client was promised, it
// is us who have no room for it. Not to read it would be no way out, for what makes room
// is only that others are read.
func (c *Connection) account() {
	size := 0
	if c.in != nil {
		size = cap(c.in.rest) + cap(c.in.text)
	}
	grown := size - int(c.held)
	if grown == 0 {
		return
	}
	c.held = int32(size)
	if total := c.hub.partial.Add(int64(grown)); grown > 0 && !c.hub.hasRoom(int64(size), total) {
		c.fail(Internal, "")
	}
}

// hasRoom reports whether one connection may hold so much of messages that are not whole
// if all of them hold total. Half of what there is is for whoever comes first. The other
// half is for those that hold no more than an equal share of it, so that many who send
// parts and no ends do not shut out one whose frame comes in two packets.
func (h *Hub) hasRoom(size, total int64) bool {
	limit := h.config.Limits.PartialBytes
	return total <= limit/2 || total <= limit && size <= limit/2/max(1, h.open.Load())
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
	c.account()
	c.update()
}

// resume goes on where reading has stopped. The lock is held.
func (c *Connection) resume() {
	c.pinged = false
	if in := c.in; in != nil && c.state == open {
		in.start += c.parse(in.rest[in.start:])
		switch {
		case in.start < len(in.rest)/2:
		case in.start < len(in.rest):
			in.rest, in.start = bytes.Clone(in.rest[in.start:]), 0
		default:
			in.rest, in.start = nil, 0
			if c.in == in && in.text == nil && !c.fragmented {
				c.in = nil
			}
		}
		c.account()
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
	if c.mayCompress(h) {
		h.Rsv = 0
	}
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
	c.pace(1)
}

// pace counts frames that carry nothing. More of them than are allowed in a tick wait for
// the next one, unread, so that they cost their sender more than us.
func (c *Connection) pace(n int) {
	if c.state != open {
		return
	}
	if tick := c.hub.wheel.tick.Load(); tick != c.controlTick {
		c.controlTick, c.controls = tick, 0
	}
	limit := c.hub.config.Limits.Controls
	if c.controls += uint16(min(n, limit)); int(c.controls) >= limit {
		c.controlTick, c.paced = 0, true
		c.controls = 0
		c.hub.wheel.move(c, 0)
	}
}

// data takes one frame of a message. The lock is held.
func (c *Connection) data(h ws.Header, payload []byte) {
	if h.Fin && !c.fragmented {
		if h.Rsv != 0 {
			c.unpack(payload)
			return
		}
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
	if !c.fragmented {
		in.compressed = h.Rsv != 0
	}
	in.text = append(in.text, payload...)
	if !in.compressed {
		checked, ok := checkText(in.text, in.checked)
		if !ok || h.Fin && checked < len(in.text) {
			c.fail(InvalidText, "")
			return
		}
		in.checked = checked
	}
	c.fragmented = !h.Fin
	switch {
	case h.Fin:
		text, compressed := in.text, in.compressed
		in.text, in.checked, in.compressed = nil, 0, false
		if in.rest == nil {
			c.in = nil
		}
		if compressed {
			c.unpack(text)
		} else {
			c.deliver(text)
		}
	case len(payload) == 0:
		c.pace(1)
	}
}
