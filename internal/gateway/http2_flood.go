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
	output

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
	f.in.scan(p[:n], func(h frame) {
		switch h.kind {
		case http2.FrameHeaders:
		case http2.FrameData:
			if h.length == 0 && h.flags&http2.FlagDataEndStream == 0 {
				t.idle++
			}
		case http2.FrameRSTStream:
			t.resets++
		case http2.FrameWindowUpdate:
			t.room++
			if h.stream == 0 {
				f.window.Add(int64(h.value &^ (1 << 31)))
			}
		case http2.FrameSettings:
			switch h.setting {
			case 0:
				t.idle++
			case http2.SettingInitialWindowSize:
				f.firstWindow.Store(int64(h.value))
			}
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

// end cuts the connection off.
func (f *framed) end() error {
	if f.c.s.complaint.allow(time.Now()) {
		f.c.s.log.Warn("an HTTP/2 connection was closed", "peer", f.c.x.Request.Peer, "reason", errFlood)
	}
	f.c.cutOff()
	return errFlood
}

// A frame is what its header says, and of some kinds the beginning of what it carries.
type frame struct {
	kind   http2.FrameType
	flags  http2.Flags
	stream uint32
	length uint32
	// setting is 0 for the frame itself. Each setting of a SETTINGS frame follows as a
	// frame of its own.
	setting http2.SettingID
	// value is the code of a RST_STREAM frame, the room that a WINDOW_UPDATE frame
	// makes, or the value of a setting.
	value uint32
}

// frames finds the headers of frames in what passes.
type frames struct {
	now    frame
	header [frameHeader]byte // of now, then the part of its payload that matters
	have   int               // bytes of header that are known
	need   int               // bytes of the payload that matter next; 0 in a header
	left   uint32            // bytes of the payload that have not passed
	skip   int               // bytes before the first frame
}

const (
	frameHeader = 9 // length of the header of a frame, in bytes
	settingSize = 6
)

// between reports whether a frame has ended and none has begun.
func (s *frames) between() bool { return s.have == 0 && s.left == 0 && s.skip == 0 }

// scan calls f for each frame whose header is complete, with its value if it has one,
// and for each setting.
func (s *frames) scan(p []byte, f func(frame)) {
	if s.skip > 0 {
		n := min(s.skip, len(p))
		s.skip -= n
		p = p[n:]
	}
	for len(p) > 0 {
		if s.need == 0 && s.left > 0 {
			n := min(int64(s.left), int64(len(p)))
			s.left -= uint32(n)
			p = p[n:]
			continue
		}
		need := s.need
		if need == 0 {
			need = frameHeader
		}
		n := copy(s.header[s.have:need], p)
		s.have += n
		p = p[n:]
		if s.have < need {
			return
		}
		s.have = 0
		h := &s.now
		if s.need == 0 {
			*h = frame{
				kind: http2.FrameType(s.header[3]), flags: http2.Flags(s.header[4]),
				length: binary.BigEndian.Uint32(s.header[:4]) >> 8, stream: binary.BigEndian.Uint32(s.header[5:]) &^ (1 << 31),
			}
			s.left = h.length
			if (h.kind == http2.FrameRSTStream || h.kind == http2.FrameWindowUpdate) && h.length >= 4 {
				s.need = 4
				continue
			}
		} else {
			s.left -= uint32(s.need)
			if h.kind == http2.FrameSettings {
				h.setting = http2.SettingID(binary.BigEndian.Uint16(s.header[:]))
				h.value = binary.BigEndian.Uint32(s.header[2:])
			} else {
				h.value = binary.BigEndian.Uint32(s.header[:])
			}
		}
		f(*h)
		s.need = 0
		if h.kind == http2.FrameSettings && s.left >= settingSize {
			s.need = settingSize
		}
	}
}
