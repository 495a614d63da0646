package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// statusLines holds the first line of every response with a known status.
var statusLines = func() (lines [600][]byte) {
	for i := range lines {
		if t := http.StatusText(i); t != "" {
			lines[i] = []byte("HTTP/1.1 " + strconv.Itoa(i) + " " + t + "\r\n")
		}
	}
	return lines
}()

func appendStatusLine(b []byte, status int) []byte {
	if status < len(statusLines) && statusLines[status] != nil {
		return append(b, statusLines[status]...)
	}
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	return append(b, " \r\n"...)
}

// A dateText is the Date field of one second.
type dateText struct {
	second int64
	text   string
}

func (s *Server) dateField(now time.Time) string {
	if d := s.date.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &dateText{now.Unix(), "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"}
	s.date.Store(d)
	return d.text
}

const requestIDField = "apigw-requestid"

// appendHead writes the head of a response: the fields of the integration in
// their order, then those the gateway adds.
func (c *conn) appendHead(b []byte, keep bool) []byte {
	x := &c.x
	r := &x.Response
	b = appendStatusLine(b, r.Status)
	dated := false
	for i := range r.Header {
		f := &r.Header[i]
		switch len(f.Name) {
		case len("Date"):
			dated = dated || EqualFold(f.Name, "Date")
		case len(requestIDField):
			if EqualFold(f.Name, requestIDField) {
				continue
			}
		}
		b = append(b, f.Name...)
		b = append(b, ": "...)
		b = append(b, f.Value...)
		b = append(b, "\r\n"...)
	}
	if !dated {
		b = append(b, c.s.dateField(x.Start)...)
	}
	switch {
	case r.Body.Length >= 0:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.Body.Length, 10)
		b = append(b, "\r\n"...)
	case !r.Bodiless && x.Request.Minor > 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if keep {
		b = append(b, "Connection: keep-alive\r\n"...)
	} else {
		b = append(b, "Connection: close\r\n"...)
	}
	b = append(b, requestIDField+": "...)
	b = append(b, x.ID...)
	return append(b, "\r\n\r\n"...)
}

// respond writes the response and reports whether the connection can be used
// again. The error says that the response could not be sent whole.
func (c *conn) respond() (keep bool, err error) {
	x := &c.x
	r := &x.Response
	keep = !x.close && !c.framing.close && !x.Gone() && !c.s.draining.Load() && c.rest()
	if !r.Bodiless && r.Body.Length < 0 && x.Request.Minor == 0 {
		keep = false // the end of the connection is the end of the body
	}
	c.out = c.appendHead(c.out[:0], keep)
	c.enter(phaseWrite)
	switch {
	case r.Bodiless:
		err = c.write(c.out)
	case r.Body.Stream != nil:
		if err = c.write(c.out); err == nil {
			err = c.copyBody()
		}
	case len(r.Body.Bytes) <= inOneWrite:
		c.out = append(c.out, r.Body.Bytes...)
		err = c.write(c.out)
	default:
		err = c.writeParts(c.out, r.Body.Bytes)
	}
	if release := r.Release; release != nil {
		r.Release = nil
		release.Release(err == nil)
	}
	c.enter(phaseExchange)
	if err == nil && !r.Bodiless && r.Body.Stream == nil {
		x.ResponseLength = int64(len(r.Body.Bytes))
	}
	if err != nil && x.err == nil {
		x.err = err
	}
	return keep, err
}

// write sends bytes to the client.
func (c *conn) write(b []byte) error {
	_, err := c.nc.Write(b)
	return c.sent(err)
}

// sent takes the error of sending and returns it. What a client did not take in
// time must not wait in the kernel.
func (c *conn) sent(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.reset()
	}
	return err
}

// reset makes closing drop what has not been sent.
func (c *conn) reset() {
	nc := c.nc
	if c.below != nil {
		nc = c.below.Conn
	}
	if t, ok := nc.(interface{ SetLinger(int) error }); ok {
		t.SetLinger(0)
	}
	if c.below != nil {
		nc.Close() // the end of TLS would be sent first, to a client that takes nothing
	}
}

var lastChunk = []byte("0\r\n\r\n")

// copyBody sends a streamed body. A stream that ends early leaves the response
// unfinished, so that the client sees that something is missing.
func (c *conn) copyBody() error {
	r := &c.x.Response.Body
	buf := c.x.Block()
	chunked := r.Length < 0 && c.x.Request.Minor > 0
	left := r.Length
	// Room for the size line of a chunk and its end.
	const room = 10
	for {
		p := buf[room : len(buf)-2]
		c.enter(phaseExchange)
		n, err := r.Stream.Read(p)
		if n > 0 {
			if left >= 0 {
				if left -= int64(n); left < 0 {
					return errLongBody
				}
			}
			p = p[:n]
			if chunked {
				size := strconv.AppendInt(buf[:0], int64(n), 16)
				line := buf[room-len(size)-2:]
				copy(line, append(size, '\r', '\n'))
				p = append(line[:len(size)+2+n], '\r', '\n')
			}
			c.enter(phaseWrite)
			if err := c.write(p); err != nil {
				return err
			}
			c.x.ResponseLength += int64(n)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.cut(err)
		}
	}
	if left > 0 {
		return c.cut(io.ErrUnexpectedEOF)
	}
	if chunked {
		return c.write(lastChunk)
	}
	return nil
}

// cut ends a response whose body is not complete. Where the end of the connection
// is the end of the body, only a reset tells the client.
func (c *conn) cut(err error) error {
	if c.x.Response.Body.Length < 0 && c.x.Request.Minor == 0 {
		c.reset()
	}
	return err
}
