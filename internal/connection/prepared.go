package connection

import (
	"slices"
	"sync"
	"unicode/utf8"
)

// A Prepared is a message for many connections. Its frames are built once, and the queues
// of clients that read slowly hold those bytes themselves, not copies of them: whoever
// sent it last lets go of them. It may be sent by any number of goroutines at once.
type Prepared struct {
	// frames are those of the plain message. Like short they never change.
	frames []byte
	length int // of the text
	size   int // of a frame at most

	once sync.Once
	// short are the frames of the compressed message; frames, if it is not shorter.
	short []byte
}

// Prepare returns a message for SendPrepared of connections of this Hub. Bytes that are
// no UTF-8 arrive as U+FFFD. The text stays the caller's.
func (h *Hub) Prepare(text []byte) (*Prepared, error) {
	l := &h.config.Limits
	if len(text) > l.Message {
		return nil, ErrTooLarge
	}
	if !utf8.Valid(text) {
		text = replaceInvalid(text)
	}
	frames := make([]byte, 0, len(text)+(len(text)/l.Frame+1)*maxHeader)
	return &Prepared{frames: appendMessage(frames, text, l.Frame), length: len(text), size: l.Frame}, nil
}

// compressed returns the frames for clients that inflate. They are built for the first of
// them.
func (p *Prepared) compressed() []byte {
	p.once.Do(func() {
		var parts [][]byte
		for rest := p.frames; len(rest) > 0; {
			h, n, _ := parseHeader(rest) // They are our own.
			end := n + int(h.Length)
			parts = append(parts, rest[n:end])
			rest = rest[end:]
		}
		p.short = p.frames
		if short := deflate(nil, parts...); len(short) > 0 {
			p.short = slices.Clip(appendPacked(nil, short, p.size))
		}
	})
	return p.short
}

// SendPrepared is Send of a message that others get too. It counts against the queue of
// the connection like any other.
func (c *Connection) SendPrepared(p *Prepared) error {
	frames := p.frames
	if c.compresses(p.length) {
		frames = p.compressed()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.post(frames, shared)
}
