package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"penstock/internal/gateway"
)

// inMemory answers with a body of this length, all zeros.
type inMemory int

func (n inMemory) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Bytes: make([]byte, n), Length: int64(n)}
	return nil
}

// seen is what a client has got of a stream.
type seen struct {
	status string
	body   int
	ended  string // "whole" or "reset"
}

// until reads frames until a condition holds of what has been got of each stream.
func (c *frameClient) until(got map[uint32]*seen, what string, ok func() bool) {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	of := func(f http2.Frame) *seen {
		id := f.Header().StreamID
		if got[id] == nil {
			got[id] = &seen{}
		}
		if f.Header().Type != http2.FrameRSTStream && f.Header().Flags.Has(http2.FlagDataEndStream) {
			got[id].ended = "whole"
		}
		return got[id]
	}
	for !ok() {
		f, err := c.ReadFrame()
		if err != nil {
			c.t.Fatalf("%s: %v", what, err)
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			of(f).status += f.PseudoValue("status")
		case *http2.DataFrame:
			of(f).body += len(f.Data())
		case *http2.RSTStreamFrame:
			of(f).ended = "reset"
		case *http2.GoAwayFrame:
			c.t.Fatalf("%s: %v %s", what, f, f.ErrCode)
		}
	}
}

// TestHTTP2OneRecord: the head of an answer leaves in one TLS record with the body, or
// with the beginning of one that fills more.
func TestHTTP2OneRecord(t *testing.T) {
	t.Parallel()
	for _, in := range []gateway.Integration{inMemory(0), inMemory(1), inMemory(400), inMemory(4096), inMemory(5000), inMemory(60000), stream(400), stream(60000), trickle{}} {
		w := newWorld(t, gateway.Config{}, in)
		c := w.frames(t)
		c.WriteWindowUpdate(0, 1<<30)
		for greeting := 0; greeting < 3; greeting++ { // settings, room for requests, and that ours are known
			if _, err := c.ReadFrame(); err != nil {
				t.Fatal(err)
			}
		}
		for id := uint32(1); id < 8; id += 2 {
			c.get(id)
			// A read returns one record at most.
			b := make([]byte, 32<<10)
			n, err := c.conn.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			f := http2.NewFramer(nil, io.MultiReader(bytes.NewReader(b[:n]), c.conn))
			f.SetReuseFrames()
			first, ended, total := 0, false, 0
			for !ended {
				fr, err := f.ReadFrame()
				if err != nil {
					t.Fatal(err)
				}
				h := fr.Header()
				if total < n {
					first++
				}
				total += 9 + int(h.Length)
				ended = h.StreamID == id && h.Flags.Has(http2.FlagDataEndStream)
			}
			if first < 2 && in != inMemory(0) {
				t.Errorf("%T(%v), stream %d: %d frames begin in the first record of %d bytes", in, in, id, first, n)
			}
		}
	}
}

// TestHTTP2Closed: the head of an answer does not wait for a body that the client has no
// room for, be it from the beginning, on the whole connection, or all of a sudden.
func TestHTTP2Closed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, inMemory(400))
	t.Run("from the beginning", func(t *testing.T) {
		t.Parallel()
		c := w.frames(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		got := map[uint32]*seen{}
		for id := uint32(1); id < 20; id += 2 {
			c.get(id)
			c.until(got, "the head", func() bool { return got[id] != nil && got[id].status == "200" })
			c.WriteWindowUpdate(id, 400)
			c.until(got, "the body", func() bool { return *got[id] == seen{"200", 400, "whole"} })
		}
	})
	t.Run("on the connection", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, gateway.Config{}, inMemory(13107)) // a fifth of the window
		c := w.frames(t)
		got := map[uint32]*seen{}
		for id := uint32(1); id <= 9; id += 2 {
			c.get(id)
			c.until(got, "the whole answer", func() bool { return got[id] != nil && *got[id] == seen{"200", 13107, "whole"} })
		}
		for id := uint32(11); id <= 19; id += 2 {
			c.get(id)
			c.until(got, "the head", func() bool { return got[id] != nil && got[id].status == "200" })
			if got[id].body != 0 {
				t.Errorf("%d bytes beyond the window", got[id].body)
			}
		}
		c.WriteWindowUpdate(0, 5*13107)
		c.until(got, "all bodies", func() bool {
			for id := uint32(11); id <= 19; id += 2 {
				if *got[id] != (seen{"200", 13107, "whole"}) {
					return false
				}
			}
			return true
		})
	})
	t.Run("all of a sudden", func(t *testing.T) {
		t.Parallel()
		c := w.frames(t)
		got := map[uint32]*seen{}
		for id := uint32(1); id < 400; id += 2 {
			// The head comes whether the answer is being made before or after.
			c.get(id)
			c.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 14}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			c.until(got, "the head", func() bool { return got[id] != nil && got[id].status == "200" })
			c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
			c.until(got, "the body", func() bool { return *got[id] == seen{"200", 400, "whole"} })
			c.WriteWindowUpdate(0, 400)
		}
	})
}

// TestHTTP2ResetWhileAnswered: a stream that the client resets while it is answered takes
// nothing from the others, whose fields may refer to its own.
func TestHTTP2ResetWhileAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, inMemory(400))
	c := w.frames(t)
	got := map[uint32]*seen{}
	for id := uint32(1); id < 700; id += 4 {
		c.get(id)
		c.WriteRSTStream(id, http2.ErrCodeCancel)
		c.get(id + 2)
		c.until(got, fmt.Sprintf("stream %d", id+2), func() bool {
			return got[id+2] != nil && *got[id+2] == seen{"200", 400, "whole"}
		})
		c.WriteWindowUpdate(0, 800)
	}
}

// TestHTTP2Together: many streams at a time are all answered whole.
func TestHTTP2Together(t *testing.T) {
	t.Parallel()
	for _, in := range []gateway.Integration{inMemory(0), inMemory(400), inMemory(9000), stream(400)} {
		w := newWorld(t, gateway.Config{}, in)
		c := w.frames(t)
		c.WriteWindowUpdate(0, 1<<30)
		got := map[uint32]*seen{}
		next := uint32(1)
		for range 10 {
			from := next
			for ; next < from+100; next += 2 {
				c.get(next)
			}
			c.until(got, fmt.Sprintf("%T(%v), streams from %d", in, in, from), func() bool {
				for id := from; id < next; id += 2 {
					if got[id] == nil || got[id].ended != "whole" {
						return false
					}
				}
				return true
			})
		}
		for id, g := range got {
			if want := got[1]; *g != *want || g.status != "200" {
				t.Errorf("%T(%v), stream %d: %v, want %v", in, in, id, *g, *want)
			}
		}
	}
}

// TestHTTP2Continue: a client that waits to be asked for the body is asked at once.
func TestHTTP2Continue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, echo{})
	c := w.frames(t)
	got := map[uint32]*seen{}
	for id := uint32(1); id < 12; id += 2 {
		if id == 5 {
			// The changes of size come before the fields of the next frame.
			c.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
			c.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 4096})
		}
		c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, BlockFragment: c.head(
			":method", "POST", ":scheme", "https", ":authority", "open.example", ":path", "/", "content-length", "3", "expect", "100-continue")})
		c.until(got, "to be asked", func() bool { return got[id] != nil && got[id].status == "100" })
		c.WriteData(id, true, []byte("abc"))
		c.until(got, "the answer", func() bool { return *got[id] == seen{"100200", 3, "whole"} })
	}
}

// TestHTTP2Unread: a connection whose client reads nothing any more ends, and so do the
// streams that a client has stopped making room for.
func TestHTTP2Unread(t *testing.T) {
	t.Parallel()
	limits := gateway.Limits{Write: 100 * time.Millisecond, Abandoned: 10 * time.Millisecond}
	t.Run("connection", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, gateway.Config{Limits: limits}, stream(1<<30))
		c := w.frames(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
		c.WriteWindowUpdate(0, 1<<31-1-65535)
		c.get(1)
		c.outcome(1)
		await(t, "the connection ends", func() bool { return w.s.Conns() == 0 })
	})
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		for _, n := range []int{1, 400, 4096, 10000} {
			w := newWorld(t, gateway.Config{Limits: limits}, inMemory(n))
			c := w.frames(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(n - 1)})
			c.get(1)
			got := map[uint32]*seen{}
			c.until(got, "the end", func() bool { return got[1] != nil && got[1].ended != "" })
			if want := (seen{"200", n - 1, "reset"}); *got[1] != want {
				t.Errorf("%d bytes: got %v, want %v", n, *got[1], want)
			}
		}
	})
}
