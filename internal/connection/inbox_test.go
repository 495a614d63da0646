package connection

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// TestPartial has clients that send the beginnings of messages and no ends.
func TestPartial(t *testing.T) {
	t.Parallel()
	long := bytes.Join([][]byte{
		frame(false, ws.OpText, strings.Repeat("x", 32768)),
		bytes.Repeat(frame(false, ws.OpContinuation, strings.Repeat("x", 32768)), 2),
		frame(false, ws.OpContinuation, strings.Repeat("x", 30_000)),
	}, nil)
	for name, send := range map[string][]byte{
		"fragments":   long,
		"frame":       text(strings.Repeat("x", 32768))[:32000],
		"compressed":  with(bytes.Clone(long), 0x40),
		"both":        append(bytes.Clone(long[:40_000]), frame(true, ws.OpContinuation, "x")[:5]...),
		"few of many": frame(false, ws.OpText, strings.Repeat("x", 2000)),
	} {
		h := newStill()
		h.config.Limits.PartialBytes = 1 << 20
		var all []*Connection
		ended := 0
		for range 1000 {
			p := new(tape)
			c := h.adoptTape(nothing{}, p)
			c.info.Extensions = deflateResponse
			all = append(all, c)
			for data := send; len(data) > 0 && c.state == open; {
				n := min(len(data), 10_000)
				c.mu.Lock()
				c.receive(bytes.Clone(data[:n]))
				c.mu.Unlock()
				data = data[n:]
				if total := h.partial.Load(); total > h.config.Limits.PartialBytes {
					t.Fatalf("%s: %d bytes are held", name, total)
				}
			}
			if c.state != open {
				ended++
				if c.code != Internal || !bytes.Equal(p.written, closes(Internal)) {
					t.Fatalf("%s: ended with %d, wrote %q", name, c.code, p.written)
				}
			}
		}
		if ended == 0 || h.Total() != 1000-ended {
			t.Errorf("%s: %d ended, %d are open", name, ended, h.Total())
		}
		// One whose frame comes in two parts is not shut out by them.
		l, p := new(log), new(tape)
		c := h.adoptTape(l, p)
		c.receive(text("hello")[:7])
		c.receive(text("hello")[7:])
		for h.work() {
		}
		if c.state != open || len(l.messages) != 1 {
			t.Errorf("%s: a client that sends little is shut out", name)
		}
		for _, c := range all {
			c.mu.Lock()
			c.ended()
			c.mu.Unlock()
		}
		if n := h.partial.Load(); n != 0 {
			t.Errorf("%s: %d bytes are counted at the end", name, n)
		}
	}
}

// TestPartialIsCounted follows what is counted of one connection.
func TestPartialIsCounted(t *testing.T) {
	t.Parallel()
	h := newStill()
	c := h.adoptTape(nothing{}, new(tape))
	receive := func(b []byte) {
		c.mu.Lock()
		c.receive(b)
		c.mu.Unlock()
	}
	for _, tt := range []struct {
		name     string
		send     []byte
		from, to int64
	}{
		{"whole message", text("x"), 0, 0},
		{"fragment", frame(false, ws.OpText, strings.Repeat("x", 1000)), 1000, 2000},
		{"another", frame(false, ws.OpContinuation, strings.Repeat("x", 1000)), 2000, 4000},
		{"half a frame", frame(true, ws.OpContinuation, strings.Repeat("x", 1000))[:600], 2600, 5000},
		{"the other half", frame(true, ws.OpContinuation, strings.Repeat("x", 1000))[600:], 0, 0},
		{"start of a header", text("x")[:1], 1, 16},
		{"rest of it", text("x")[1:], 0, 0},
	} {
		receive(tt.send)
		for h.work() {
		}
		if n := h.Stats().PartialBytes; n < tt.from || n > tt.to {
			t.Errorf("%s: %d bytes are counted", tt.name, n)
		}
	}

	// What has been looked at is counted as long as it is held.
	h.config.Limits.Controls = 100
	flood := append(bytes.Repeat(frame(true, ws.OpPong, strings.Repeat("x", 100)), 600), text("x")[:3]...)
	receive(flood)
	for h.wheel.tick.Add(1); c.paced; h.wheel.tick.Add(1) {
		held, rest := h.Stats().PartialBytes, len(c.in.rest)-c.in.start
		if held < int64(cap(c.in.rest)) || cap(c.in.rest) > 3*rest+1000 {
			t.Fatalf("%d bytes are held for %d, and %d counted", cap(c.in.rest), rest, held)
		}
		c.mu.Lock()
		c.expire(h.now())
		c.mu.Unlock()
	}
	if n := h.Stats().PartialBytes; n < 3 || n > 1000 {
		t.Errorf("%d bytes are counted for 3", n)
	}
}

// TestFairShare says who may hold how much.
func TestFairShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		open, size, held int64
		want             bool
	}{
		{"alone", 1, 500, 500, true},
		{"alone, all of it", 1, 500, 1000, true},
		{"first half", 100, 500, 500, true},
		{"second half, more than a share", 100, 6, 501, false},
		{"second half, a share", 100, 5, 1000, true},
		{"beyond", 100, 1, 1001, false},
		{"alone and beyond", 1, 1001, 1001, false},
		{"nobody is open any more", 0, 1, 900, true},
	} {
		h := newStill()
		h.config.Limits.PartialBytes = 1000
		h.open.Store(tt.open)
		if got := h.hasRoom(tt.size, tt.held); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
	}
}

func TestTotal(t *testing.T) {
	t.Parallel()
	h, r := newHub(t, Config{}), newRecorder()
	r.hold = make(chan func(), 1)
	server, client := pair(t, "descriptor")
	first := adopt(t, h, server, r)
	server, other := pair(t, "stream")
	second, err := h.Adopt(server, nil, nil, Info{ID: NewID(), API: "other", Stage: "prod"}, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Adopt(server, nil, nil, *second.Info(), r); err == nil {
		t.Error("adopted twice")
	}
	if n := h.Total(); n != 2 {
		t.Errorf("%d are open, want 2", n)
	}
	write(t, client, text("hello"))
	done := await(t, r.hold)
	if got := h.Stats(); got != (Stats{Connections: 2, InFlightBytes: 5}) {
		t.Errorf("got %+v", got)
	}
	done()
	write(t, client, text("hello")[:9])
	for h.Stats().PartialBytes == 0 {
		runtime.Gosched()
	}
	for first.Send(make([]byte, 100_000)) == nil {
	}
	if got := h.Stats(); got.Connections != 2 || got.InFlightBytes != 0 || got.QueuedBytes < 900_000 || got.QueuedBytes > 1<<20 {
		t.Errorf("got %+v", got)
	}
	first.Close(Normal, "")
	if n := h.Total(); n != 1 {
		t.Errorf("%d are open, want 1", n)
	}
	_, _ = io.Copy(io.Discard, client)
	client.Close()
	second.Close(Normal, "")
	other.Close()
	await(t, r.ends)
	await(t, r.ends)
	if err := h.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := h.Stats(); got != (Stats{}) {
		t.Errorf("at the end: %+v", got)
	}
}
