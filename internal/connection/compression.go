package connection

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// rsv1 marks the first frame of a compressed message.
	rsv1 = 4
	// minCompressed is the length of the shortest text that is sent compressed. Below it
	// there is little to win, and most of that is lost to the header of the block.
	minCompressed = 256
	// growth is how many bytes a message may grow by, being inflated, for the price of a
	// frame that carries nothing.
	growth = 16 << 10
	// flushMark is what a compressed message ends with, and what is not sent of it.
	flushMark = "\x00\x00\xff\xff"
	// inflateTail is what is put behind a message: the bytes that were not sent, and an
	// empty last block, for the message has none.
	inflateTail = flushMark + "\x01\x00\x00\xff\xff"
)

// An inflater makes texts of compressed messages.
type inflater struct {
	source packed
	reader io.ReadCloser
}

// inflaters are used by all connections, each for the time of one message.
var inflaters = sync.Pool{New: func() any {
	i := new(inflater)
	i.reader = flate.NewReader(&i.source)
	return i
}}

// A packed is a compressed message as it is read: its bytes, then the tail. It reads
// single bytes, so that no more is taken of it than the blocks need.
type packed struct {
	data []byte
	tail string
}

func (p *packed) ReadByte() (byte, error) {
	var b byte
	switch {
	case len(p.data) > 0:
		b, p.data = p.data[0], p.data[1:]
	case len(p.tail) > 0:
		b, p.tail = p.tail[0], p.tail[1:]
	default:
		return 0, io.EOF
	}
	return b, nil
}

func (p *packed) Read(b []byte) (n int, err error) {
	if n = copy(b, p.data); n > 0 {
		p.data = p.data[n:]
		return n, nil
	}
	if n = copy(b, p.tail); n > 0 {
		p.tail = p.tail[n:]
		return n, nil
	}
	if len(b) > 0 {
		err = io.EOF
	}
	return n, err
}

// whole reports whether the blocks ended where the message did. A block that calls itself
// the last one may have an empty one behind it, of which one byte is sent.
func (p *packed) whole() bool {
	if p.tail == inflateTail {
		return len(p.data) == 0 || len(p.data) == 1 && p.data[0] == 0
	}
	return p.tail == ""
}

// inflate returns the text of a compressed message, or the code that it deserves: TooBig
// if the text were longer than limit, Violation if the data is malformed. It inflates one
// byte more than the limit at most, into memory that is used again.
func inflate(data []byte, limit int) (text []byte, code int) {
	i := inflaters.Get().(*inflater)
	defer inflaters.Put(i)
	i.source = packed{data, inflateTail}
	// Nothing of the message is held on to.
	defer func() { i.source = packed{} }()
	if err := i.reader.(flate.Resetter).Reset(&i.source, nil); err != nil {
		return nil, Internal
	}
	buffer := buffers.Get().(*[]byte)
	all := (*buffer)[:0]
	defer func() {
		if cap(all) <= maxBuffer {
			*buffer = all
			buffers.Put(buffer)
		}
	}()
	for {
		n, err := i.reader.Read(all[len(all):min(cap(all), limit+1)])
		all = all[:len(all)+n]
		switch {
		case len(all) > limit:
			return nil, TooBig
		case err == io.EOF && i.source.whole():
			return bytes.Clone(all), 0
		case err != nil:
			return nil, Violation
		}
		if len(all) == cap(all) {
			all = slices.Grow(all, min(len(all), limit+1-len(all)))
		}
	}
}

// unpack delivers a compressed message. The lock is held.
//
// A message costs no more than a plain one of the greatest length that is allowed: what it
// inflates to beyond that is never made. But it costs its sender a thousandth of that. So
// what is sent like this is read no faster than frames that carry nothing are.
func (c *Connection) unpack(data []byte) {
	text, code := inflate(data, c.hub.config.Limits.Message)
	if code == 0 && !utf8.Valid(text) {
		code = InvalidText
	}
	if code != 0 {
		c.fail(code, "")
		return
	}
	grown := len(text) - len(data)
	c.deliver(text)
	if grown >= growth {
		c.pace(grown / growth)
	}
}

// A deflater compresses messages.
type deflater struct {
	writer *flate.Writer
	sink   sink
}

// A sink appends what is written to it.
type sink struct{ data []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.data = append(s.data, p...)
	return len(p), nil
}

// deflaters are used by all connections, each for the time of one message. The fastest
// level is the only one that does not clear half a megabyte before each message.
var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	d.writer, _ = flate.NewWriter(&d.sink, flate.BestSpeed)
	return d
}}

// deflate appends the compressed form of the text that parts are, or nothing if that is
// not shorter.
func deflate(dst []byte, parts ...[]byte) []byte {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.sink.data = dst
	d.writer.Reset(&d.sink)
	plain := 0
	for _, p := range parts {
		plain += len(p)
		_, _ = d.writer.Write(p) // A sink takes everything.
	}
	_ = d.writer.Flush()
	all := d.sink.data
	d.sink.data = nil
	all = all[:len(all)-len(flushMark)]
	if len(all)-len(dst) >= plain {
		return dst
	}
	return all
}

// appendCompressed appends a text message, compressed if that makes it shorter, in frames
// of at most size bytes.
func appendCompressed(dst, text []byte, size int) []byte {
	buffer := buffers.Get().(*[]byte)
	short := deflate((*buffer)[:0], text)
	if len(short) == 0 {
		dst = appendMessage(dst, text, size)
	} else {
		dst = appendPacked(dst, short, size)
	}
	if cap(short) <= maxBuffer {
		*buffer = short
		buffers.Put(buffer)
	}
	return dst
}

// appendPacked appends a compressed message, in frames of at most size bytes.
func appendPacked(dst, data []byte, size int) []byte {
	start := len(dst)
	dst = appendMessage(dst, data, size)
	dst[start] |= rsv1 << 4
	return dst
}

// compresses reports whether a text of so many bytes is sent compressed.
func (c *Connection) compresses(n int) bool {
	return n >= minCompressed && c.info.Extensions != ""
}

// mayCompress reports whether the bits of a frame say that it begins a compressed
// message, and that is what was agreed on. The lock is held.
func (c *Connection) mayCompress(h ws.Header) bool {
	return h.Rsv == rsv1 && c.info.Extensions != "" && !c.fragmented && !h.OpCode.IsControl()
}
