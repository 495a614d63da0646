package gateway

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// Limits on frames that make work and carry nothing, per connection and floodTime.
const (
	floodTime = 10 * time.Second
	// maxResets is how many streams may end by a reset of the client, and how many by
	// a reset for a mistake of the client.
	maxResets = 200
	// maxIdle is how many frames may come that neither open a stream nor carry data nor
	// make room.
	maxIdle = 1000
	// maxRoom is how many times room may be made, beyond once for every roomBytes sent.
	maxRoom   = 1000
	roomBytes = 256
)

var errFlood = errors.New("too many frames that carry nothing")

// A framed connection looks at the header of every frame that passes.
type framed struct {
	*tls.Conn
	c       *conn
	in, out frames
	sent    atomic.Int64 // bytes

	// Counts of the frames read and written since a time. One goroutine at a time
	// reads, and one writes.
	read, written tally
}

type tally struct {
	since              time.Time
	resets, idle, room int
	sent               int64 // at that time
}

// begin starts to count again if it is time.
func (t *tally) begin(sent int64) {
	if now := time.Now(); now.Sub(t.since) > floodTime {
		*t = tally{since: now, sent: sent}
	}
}

// Read implements net.Conn.
func (f *framed) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	t := &f.read
	f.in.scan(p[:n], func(kind http2.FrameType, flags http2.Flags, length uint32, _ http2.ErrCode) {
		switch kind {
		case http2.FrameHeaders:
		case http2.FrameData:
			if length == 0 && flags&http2.FlagDataEndStream == 0 {
				t.idle++
			}
		case http2.FrameRSTStream:
			t.resets++
		case http2.FrameWindowUpdate:
			t.room++
		default:
			t.idle++
		}
	})
	if t.resets > maxResets || t.idle > maxIdle || t.room > maxRoom {
		sent := f.sent.Load()
		if t.begin(sent); t.resets > maxResets || t.idle > maxIdle || int64(t.room) > maxRoom+(sent-t.sent)/roomBytes {
			return 0, f.end()
		}
	}
	return n, err
}

// Write implements net.Conn.
func (f *framed) Write(p []byte) (int, error) {
	t := &f.written
	f.sent.Add(int64(len(p)))
	f.out.scan(p, func(kind http2.FrameType, _ http2.Flags, _ uint32, code http2.ErrCode) {
		if kind != http2.FrameRSTStream {
			return
		}
		switch code {
		case http2.ErrCodeNo, http2.ErrCodeInternal, http2.ErrCodeCancel: // not for a mistake of the client
		default:
			t.resets++
		}
	})
	if t.resets > maxResets {
		if t.begin(0); t.resets > maxResets {
			return 0, f.end()
		}
	}
	return f.Conn.Write(p)
}

// end cuts the connection off.
func (f *framed) end() error {
	if f.c.s.complaint.allow(time.Now()) {
		f.c.s.log.Warn("an HTTP/2 connection was closed", "peer", f.c.x.Request.Peer, "reason", errFlood)
	}
	f.c.cutOff()
	return errFlood
}

// frames finds the headers of frames in what passes.
type frames struct {
	header [frameHeader + 4]byte
	have   int    // bytes of header that are known
	left   uint32 // bytes of the payload that have not passed
	skip   int    // bytes before the first frame
}

// frameHeader is the length of the header of a frame, in bytes.
const frameHeader = 9

// scan calls f for each frame whose header is complete. The code is that of a
// RST_STREAM frame, which is complete when its code is.
func (s *frames) scan(p []byte, f func(http2.FrameType, http2.Flags, uint32, http2.ErrCode)) {
	if s.skip > 0 {
		n := min(s.skip, len(p))
		s.skip -= n
		p = p[n:]
	}
	for len(p) > 0 {
		if s.have == 0 && s.left > 0 {
			n := min(int64(s.left), int64(len(p)))
			s.left -= uint32(n)
			p = p[n:]
			continue
		}
		need := frameHeader
		if s.have >= frameHeader {
			need += 4
		}
		n := copy(s.header[s.have:need], p)
		s.have += n
		p = p[n:]
		if s.have < need {
			return
		}
		kind, flags := http2.FrameType(s.header[3]), http2.Flags(s.header[4])
		length := binary.BigEndian.Uint32(s.header[:4]) >> 8
		if kind == http2.FrameRSTStream && length >= 4 && need == frameHeader {
			continue // to its code
		}
		f(kind, flags, length, http2.ErrCode(binary.BigEndian.Uint32(s.header[frameHeader:])))
		s.left = length - uint32(need-frameHeader)
		s.have = 0
	}
}
