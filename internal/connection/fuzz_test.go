package connection

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// A tape is a carrier that keeps what is written, and is never full.
type tape struct {
	written []byte
	reading bool
	closed  bool
}

func (p *tape) write(_ *Connection, b []byte) (int, error) {
	p.written = append(p.written, b...)
	return len(b), nil
}

func (p *tape) want(_ *Connection, read, _ bool) { p.reading = read }
func (p *tape) shutdown(*Connection)             {}
func (p *tape) close(_ *Connection, _ bool)      { p.closed = true }
func (h *Hub) adoptTape(handler Handler, p *tape) *Connection {
	c := &Connection{hub: h, handler: handler, info: Info{ID: NewID()}, slot: -1, parts: 2, carrier: p, lifeEnd: 1 << 62}
	if err := h.enter(c); err != nil {
		panic(err)
	}
	p.reading = true
	return c
}

// newStill returns a Hub where nothing happens by itself: no timer, no worker.
func newStill() *Hub {
	h := &Hub{start: time.Now(), stages: make(map[stageKey]*group)}
	h.config.Limits.Idle = 1 << 61
	h.config.Ordered = true
	h.config.defaults()
	h.pool.init(0)
	h.wheel.every = h.config.Tick
	return h
}

// work does what workers would, and reports whether there was anything.
func (h *Hub) work() bool {
	c := h.pool.first
	if c == nil {
		return false
	}
	if h.pool.first = c.nextReady; h.pool.first == nil {
		h.pool.last = nil
	}
	c.nextReady = nil
	h.pool.queued--
	c.run()
	return true
}

// log keeps what happens to a connection, in order.
type log struct {
	messages []string
	ends     []string
}

func (l *log) Message(_ *Connection, text []byte, done func()) {
	l.messages = append(l.messages, string(text))
	done()
}

func (l *log) Closed(_ *Connection, code int, reason string) {
	l.ends = append(l.ends, fmt.Sprint(code, reason))
}

// play feeds bytes to a connection in pieces. With lazy workers work only when nothing
// else goes on.
func play(t *testing.T, data []byte, piece int, extensions string, lazy bool) (*log, *tape) {
	h, l, p := newStill(), new(log), new(tape)
	c := h.adoptTape(l, p)
	c.info.Extensions = extensions
	for len(data) > 0 && !p.closed {
		c.mu.Lock()
		n := min(piece, len(data), 64<<10)
		c.receive(bytes.Clone(data[:n]))
		data = data[n:]
		if in := c.in; in != nil && (len(in.rest)-in.start > 64<<10+h.config.Limits.Frame+maxHeader || len(in.text) > h.config.Limits.Message) {
			t.Errorf("%d bytes are kept, and %d of a message", len(in.rest), len(in.text))
		}
		if int(c.inFlight) > h.config.Limits.InFlight || c.out != nil {
			t.Errorf("%d messages in flight", c.inFlight)
		}
		c.mu.Unlock()
		for steps := 0; !p.closed && (!lazy || !p.reading); steps++ {
			if steps > 1<<20 {
				t.Fatal("reading does not go on")
			}
			worked := h.work()
			if !worked && p.reading {
				break
			}
			if !worked {
				h.wheel.tick.Add(1)
				c.mu.Lock()
				c.expire(h.now())
				c.mu.Unlock()
			}
		}
	}
	c.mu.Lock()
	c.ended()
	c.mu.Unlock()
	for h.work() {
	}
	if len(l.ends) != 1 || !p.closed || h.live != 0 || h.Stats() != (Stats{}) {
		t.Errorf("ends %q, closed %t, %d live, %+v", l.ends, p.closed, h.live, h.Stats())
	}
	return l, p
}

// FuzzFrames has clients send anything. However it is cut, it means the same, costs a
// bounded amount of memory, and is answered with frames.
func FuzzFrames(f *testing.F) {
	for _, tt := range protocolCases {
		if len(tt.send) < 1000 {
			f.Add(tt.send, uint16(1), false)
			f.Add(tt.send, uint16(7), true)
		}
	}
	for _, tt := range compressionCases {
		if len(tt.send) < 1500 {
			f.Add(tt.send, uint16(3), true)
		}
	}
	f.Add(bytes.Repeat(text("x"), 100), uint16(50), false)
	f.Add(bytes.Repeat(frame(true, ws.OpPing, "x"), 250), uint16(50), false)
	f.Add(frames(bytes.Repeat(text(""), 40), bytes.Repeat(frame(true, ws.OpPong, ""), 120), closeFrame(1001, "x")), uint16(300), true)
	f.Fuzz(func(t *testing.T, data []byte, cut uint16, compress bool) {
		extensions := ""
		if compress {
			extensions = deflateResponse
		}
		whole, wholeTape := play(t, data, len(data), extensions, true)
		cuts, cutTape := play(t, data, int(cut)+1, extensions, false)
		if !slices.Equal(whole.messages, cuts.messages) || !slices.Equal(whole.ends, cuts.ends) ||
			!bytes.Equal(wholeTape.written, cutTape.written) {
			t.Errorf("at once: %q %q %q\nin pieces: %q %q %q", whole.messages, whole.ends, wholeTape.written,
				cuts.messages, cuts.ends, cutTape.written)
		}
		for p, closed := wholeTape.written, false; len(p) > 0; {
			if closed {
				t.Fatalf("%q follows the close frame", p)
			}
			h, n, err := parseHeader(p)
			if err != nil || n == 0 || h.Masked || !h.Fin || len(p) < n+int(h.Length) ||
				h.OpCode != ws.OpPong && h.OpCode != ws.OpClose {
				t.Fatalf("wrote %q", p)
			}
			closed = h.OpCode == ws.OpClose
			p = p[n+int(h.Length):]
		}
	})
}

// FuzzText checks texts in two parts against what the standard library says of the whole.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "é", "😀", "a\xc3", "\xf4\x90", "\xed\xa0\x80", "\xe2\x82\xac", "\x80\x80\x80\x80"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		want := utf8.Valid(data)
		first := data[:min(int(cut), len(data))]
		checked, ok := checkText(first, 0)
		if ok {
			checked, ok = checkText(data, checked)
		}
		if got := ok && checked == len(data); got != want {
			t.Errorf("%q cut at %d: got %t, want %t", data, cut, got, want)
		}
		if got := string(replaceInvalid(data)); got != string([]rune(string(data))) {
			t.Errorf("replaced %q by %q", data, got)
		}
	})
}
