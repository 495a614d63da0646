package connection

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A wall is a carrier that takes nothing, or only the first bytes.
type wall struct {
	tape
	first int
}

func (w *wall) write(_ *Connection, b []byte) (int, error) {
	n := min(w.first, len(b))
	w.first -= n
	w.written = append(w.written, b[:n]...)
	return n, nil
}

// adoptWall returns a connection whose client does not read.
func (h *Hub) adoptWall(w *wall, extensions string) *Connection {
	c := h.adoptTape(nothing{}, &w.tape)
	c.carrier, c.info.Extensions = w, extensions
	return c
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	h := newHub(t, Config{})
	for _, tt := range []struct {
		text string
		err  error
	}{
		{"", nil},
		{strings.Repeat("x", 131072), nil},
		{strings.Repeat("x", 131073), ErrTooLarge},
	} {
		if _, err := h.Prepare([]byte(tt.text)); err != tt.err {
			t.Errorf("%d bytes: %v, want %v", len(tt.text), err, tt.err)
		}
	}
	text := []byte("hello")
	p, err := h.Prepare(text)
	if err != nil {
		t.Fatal(err)
	}
	copy(text, "xxxxx")
	server, client := pair(t, "descriptor")
	r := newRecorder()
	c := adopt(t, h, server, r)
	if err := c.SendPrepared(p); err != nil {
		t.Fatal(err)
	}
	expect(t, client, serverFrame(0x1, "hello"))
	c.Close(Normal, "")
	if err := c.SendPrepared(p); err != ErrGone {
		t.Errorf("sent after the end: %v", err)
	}
	await(t, r.ends)
}

// TestSharedQueue has many clients that do not read: they hold one message together, and
// what it counts for each of them.
func TestSharedQueue(t *testing.T) {
	t.Parallel()
	h := newStill()
	h.wheel.every = time.Hour
	text := []byte(noise(131072))
	for _, extensions := range []string{"", deflateResponse} {
		const number = 70
		p, err := h.Prepare(text)
		if err != nil {
			t.Fatal(err)
		}
		var all []*Connection
		var walls []*wall
		for i := range number {
			// Some take the beginning.
			w := &wall{first: i % 7 * 1000}
			walls = append(walls, w)
			all = append(all, h.adoptWall(w, extensions))
		}
		frames := p.frames
		if extensions != "" {
			frames = p.compressed()
		}
		before := bytes.Clone(frames)
		for _, c := range all {
			if err := c.SendPrepared(p); err != nil {
				t.Fatal(err)
			}
		}
		queued := 0
		for i, c := range all {
			skip := i % 7 * 1000
			if got := c.out.first.data; len(got) == 0 || &got[0] != &frames[skip] || len(got) != len(frames)-skip {
				t.Fatalf("%q: connection %d holds a copy", extensions, i)
			}
			// A second one counts, and so does a third, which is too much.
			fit := 1
			for c.SendPrepared(p) == nil {
				fit++
			}
			if want := h.config.Limits.QueueBytes / len(frames); fit < want || fit > want+1 || c.out.messages != fit {
				t.Fatalf("%q: %d messages of %d bytes fit, %d are counted", extensions, fit, len(frames), c.out.messages)
			}
			if err := c.SendPrepared(p); err != ErrFull {
				t.Fatalf("%q: a full queue: %v", extensions, err)
			}
			queued += c.out.bytes
			walls[i].first = 1 << 30
			c.mu.Lock()
			c.flush()
			if c.out != nil {
				t.Error("not flushed")
			}
			c.mu.Unlock()
			if want := bytes.Repeat(before, fit); !bytes.Equal(walls[i].written, want) {
				t.Fatalf("%q: connection %d was sent something else", extensions, i)
			}
			walls[i].written = nil
		}
		if queued < number*800_000 {
			t.Errorf("%q: %d bytes were counted", extensions, queued)
		}
		if !bytes.Equal(frames, before) {
			t.Errorf("%q: the message has changed", extensions)
		}
		if n := h.Stats().QueuedBytes; n != 0 {
			t.Errorf("%q: %d bytes are queued at the end", extensions, n)
		}
	}
}

// TestSharedMemory sends 128 KB to 2,000 clients that do not read.
func TestSharedMemory(t *testing.T) {
	const number = 2000
	h := newStill()
	var all []*Connection
	for range number {
		all = append(all, h.adoptWall(new(wall), ""))
	}
	p, err := h.Prepare(make([]byte, 131072))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, c := range all {
		if err := c.SendPrepared(p); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	per := (after.TotalAlloc - before.TotalAlloc) / number
	t.Logf("%d bytes per connection", per)
	if per > 512 {
		t.Error("each queue holds a message of its own")
	}
	if n := h.Stats().QueuedBytes; n != int64(number*len(p.frames)) {
		t.Errorf("%d bytes are counted", n)
	}
}

// TestSendPrepared has goroutines send messages to many connections, of which some
// inflate, while others send messages of their own.
func TestSendPrepared(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		h := newHub(t, Config{Limits: Limits{QueueBytes: 64 << 20, QueueMessages: 1 << 16}})
		var texts []string
		for i := range 10 {
			texts = append(texts, fmt.Sprintf("%d ", i)+sample(i*i*1500))
		}
		var prepared []*Prepared
		for _, text := range texts {
			p, err := h.Prepare([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			prepared = append(prepared, p)
		}
		var all []*Connection
		var reading sync.WaitGroup
		for i := range 8 {
			server, client := pair(t, carrier)
			extensions := ""
			if i%2 == 0 {
				extensions = deflateResponse
			}
			all = append(all, adoptAgreed(t, h, server, newRecorder(), extensions))
			reading.Go(func() {
				var got []string
				for range 2 * len(texts) {
					text, _, _ := readMessage(t, client, 32768)
					got = append(got, text)
				}
				slices.Sort(got)
				for i, text := range got {
					if text != texts[i/2] {
						t.Errorf("%s: read %.20q, want %.20q", carrier, text, texts[i/2])
					}
				}
				_, _ = io.Copy(io.Discard, client)
			})
		}
		var sending sync.WaitGroup
		for i, p := range prepared {
			sending.Go(func() {
				for _, c := range all {
					if err := c.SendPrepared(p); err != nil {
						t.Error(err)
					}
				}
			})
			sending.Go(func() {
				for _, c := range all {
					if err := c.Send([]byte(texts[i])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		sending.Wait()
		for _, c := range all {
			c.Close(Normal, "")
		}
		reading.Wait()
	}
}

// BenchmarkPrepared sends a message to 1,000 connections, as one each and as one for all,
// without a network.
func BenchmarkPrepared(b *testing.B) {
	for _, extensions := range []string{"", deflateResponse} {
		for _, size := range []int{100, 10_000} {
			h := newStill()
			var all []*Connection
			for range 1000 {
				c := h.adoptTape(nothing{}, new(tape))
				c.carrier, c.info.Extensions = drain{c.carrier}, extensions
				all = append(all, c)
			}
			text := []byte(sample(size))
			name := fmt.Sprint(size)
			if extensions != "" {
				name += " compressed"
			}
			b.Run(name+"/Send", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					for _, c := range all {
						if err := c.Send(text); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
			b.Run(name+"/SendPrepared", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p, err := h.Prepare(text)
					if err != nil {
						b.Fatal(err)
					}
					for _, c := range all {
						if err := c.SendPrepared(p); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// A drain is a carrier that takes everything.
type drain struct{ carrier }

func (drain) write(_ *Connection, b []byte) (int, error) { return len(b), nil }
