package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// An answer with a body is a HEADERS frame and DATA frames, which http2 writes one after
// the other, each flushed as if nothing came behind it. Here the HEADERS frame waits for
// the first DATA frame, so that both leave in one TLS record and one system call.

// An output is the writing side of a framed connection. One goroutine at a time writes.
type output struct {
	// window is how many bytes of DATA frames the client takes on the connection, and
	// firstWindow on a stream that has just been opened. What the client says counts
	// from when it has been read, a moment before http2 goes by it.
	window, firstWindow atomic.Int64

	held *heldFrames // what has been written and not sent; nil if all has been sent

	// writes counts up when a write to the connection begins, and when it ends. The
	// watcher saw watched first at since.
	writes  atomic.Uint64
	watched uint64
	since   time.Time
}

// maxHeld is the longest write that is held back. What http2 collects before it writes
// is no longer.
const maxHeld = 4 << 10

type heldFrames struct {
	n int
	// Room for a head and a DATA frame of the same length.
	b [2*maxHeld + frameHeader]byte
}

var heldBuffers = sync.Pool{New: func() any { return new(heldFrames) }}

// defaultWindow is how many bytes of DATA frames every client takes at first.
const defaultWindow = 65535

func (o *output) init() {
	o.window.Store(defaultWindow)
	o.firstWindow.Store(defaultWindow)
}

// roomFor reports whether the client takes n bytes of a new answer without being asked
// to make room, unless it changes its mind, or other answers come first.
func (o *output) roomFor(n int) bool {
	return o.window.Load() >= int64(n) && o.firstWindow.Load() >= int64(n)
}

// maxInterim is more than the payload of a HEADERS frame that has nothing but the status
// 100, with two changes of the size of the table of fields before it. An answer has at
// least a request id, 10 bytes in the shortest code, its name, a status, a date and the
// length of the body.
const maxInterim = 12

// Write implements net.Conn.
//
// A write that ends with the head of an answer with a body is held back until the next
// one. There is a next one soon: http2 hands the first DATA frame of an answer in right
// behind its head, and it is sent if both windows are open. They are when the head is
// held back; from then on,
//
//   - other DATA frames that use them up are a next write,
//   - so is the acknowledgement of settings by which the client closes them,
//   - and a stream that the client resets owes it no head, but the next write has it,
//     because the fields of later answers may refer to its own.
//
// Everything that ends a connection in good order begins with a GOAWAY frame. A status
// 100 has no DATA frame behind it and is not held back.
func (f *framed) Write(p []byte) (int, error) {
	t := &f.written
	f.sent.Add(int64(len(p)))
	hold := false
	f.out.scan(p, func(h frame) {
		hold = false
		switch h.kind {
		case http2.FrameHeaders:
			hold = h.flags&(http2.FlagHeadersEndStream|http2.FlagHeadersEndHeaders) == http2.FlagHeadersEndHeaders && h.length > maxInterim
		case http2.FrameData:
			f.window.Add(-int64(h.length))
		case http2.FrameRSTStream:
			switch http2.ErrCode(h.value) {
			case http2.ErrCodeNo, http2.ErrCodeInternal, http2.ErrCodeCancel: // not for a mistake of the client
			default:
				t.resets++
			}
		}
	})
	if t.resets > maxResets {
		if t.begin(0); t.resets > maxResets {
			return 0, f.end()
		}
	}
	if hold && len(p) <= maxHeld && f.held == nil && f.out.between() && f.roomFor(1) {
		f.held = heldBuffers.Get().(*heldFrames)
		f.held.n = copy(f.held.b[:], p)
		return len(p), nil
	}
	return f.send(p)
}

// send sends what has been held back, and p. If it fails, the connection is not used any
// more, so that how much of p has been sent does not matter.
func (f *framed) send(p []byte) (int, error) {
	f.writes.Add(1)
	defer f.writes.Add(1)
	h := f.held
	if h == nil {
		return f.Conn.Write(p)
	}
	f.held = nil
	defer heldBuffers.Put(h)
	// What fits leaves in the same record.
	n := copy(h.b[h.n:], p)
	if _, err := f.Conn.Write(h.b[:h.n+n]); err != nil || n == len(p) {
		return n, err
	}
	k, err := f.Conn.Write(p[n:])
	return n + k, err
}

// look cuts the connection off if a write lasts too long. Only the watcher calls it.
func (f *framed) look(now time.Time) {
	if n := f.writes.Load(); n != f.watched {
		f.watched, f.since = n, now
	} else if n%2 == 1 && now.Sub(f.since) > f.c.s.limits.Write {
		f.c.cutOff()
	}
}
