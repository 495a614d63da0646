package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A stream is one request of an HTTP/2 connection and its exchange. Streams are used
// again, with the buffers of their exchanges.
type stream struct {
	x       Exchange
	r       *http.Request
	w       http.ResponseWriter
	pace    int // bytes of the body since its deadline was set
	names   []string
	text    []byte // lower-case names
	expects bool   // no part of the body has been asked for
	session *session

	previous, next *stream // guarded by the session's mutex
}

var streams = sync.Pool{New: func() any {
	t := &stream{}
	t.x.transport = t
	return t
}}

// fill makes the request of the exchange. What HTTP/1 would refuse is refused.
func (t *stream) fill() error {
	r, q := t.r, &t.x.Request
	q.Method, q.Target, q.Host, q.Minor = r.Method, r.RequestURI, r.Host, 1
	q.ContentLength = r.ContentLength
	if len(q.Method)+len(q.Target) > maxHead {
		return closing(errTargetLong, "path too long")
	}
	if !KnownMethod(q.Method) {
		return closing(errMethod, "method is not served")
	}
	if err := checkTarget(q.Target); err != nil {
		return err
	}
	if q.Target[0] != '/' {
		return closing(errBadRequest, "malformed target")
	}
	if !validHost(q.Host) {
		return closing(errBadRequest, "bad authority")
	}
	if r.TLS == nil {
		return closing(errBadRequest, "the scheme is not that of the connection")
	}
	q.Path, q.Query, _ = strings.Cut(q.Target, "?")
	t.names = t.names[:0]
	for name := range r.Header {
		t.names = append(t.names, name)
	}
	slices.Sort(t.names) // the order of arrival is lost
	size := len(q.Method) + len(q.Target) + len(q.Host)
	q.Header = append(q.Header, Field{"host", q.Host})
	t.text = t.text[:0]
	for _, name := range t.names {
		lower := t.lower(name)
		values := r.Header[name]
		for _, v := range values {
			if len(q.Header) == maxFields {
				return closing(errHeaderLarge, "too many header fields")
			}
			if size += len(v); size > maxHead {
				return closing(errHeaderLarge, "header fields too large")
			}
			if v, ok := fieldValue(v); ok {
				q.Header = append(q.Header, Field{lower, v})
				continue
			}
			return refuse(errControl)
		}
		switch name {
		case "Content-Length":
			if n, ok := ParseLength(values[0]); !ok || len(values) > 1 || n != r.ContentLength {
				return closing(errBadRequest, "bad Content-Length")
			}
		case "Expect":
			return closing(errExpectation, "unknown expectation") // the known one has been taken away
		case "Host", "Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Http2-Settings":
			return closing(errBadRequest, "a field that HTTP/2 does not have")
		case "Te":
			if len(values) > 1 || values[0] != "trailers" {
				return closing(errBadRequest, "bad TE")
			}
		}
	}
	return nil
}

// lower returns a name as it was sent.
func (t *stream) lower(name string) string {
	at := len(t.text)
	for i := 0; i < len(name); i++ {
		t.text = append(t.text, lower(name[i]))
	}
	return text(t.text[at:])
}

// fieldValue returns a value without the white space around it, if it has no control
// bytes.
func fieldValue(v string) (string, bool) {
	v = strings.Trim(v, " \t")
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
	}
	return v, true
}

// readBody implements transport.
func (t *stream) readBody(x *Exchange, limit, inMemory int64) error {
	n := x.Request.ContentLength
	if n < 0 {
		return x.readSpooled(t, limit, inMemory)
	}
	first, err := x.readFirst(t, int(min(n, inMemory)))
	if err != nil {
		return err
	}
	if n <= inMemory {
		// The end must be where it was announced.
		var b [1]byte
		if k, err := t.Read(b[:]); k != 0 || err != io.EOF {
			return closing(errBadRequest, "the body is longer than announced")
		}
		x.Request.Body = Body{Bytes: first, Length: n}
		return nil
	}
	x.Request.Body = Body{Stream: &prefixed{first, t}, Length: n, Prefix: first}
	return nil
}

// A prefixed stream is one whose beginning has been read already.
type prefixed struct {
	first []byte
	rest  io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.rest.Read(b)
}

// Read reads the body of the request. Its errors are answers of the gateway.
func (t *stream) Read(p []byte) (int, error) {
	if t.expects || t.pace >= paceBytes {
		if !t.expects {
			t.deadline(false, streamTime)
		}
		t.expects, t.pace = false, 0
		t.deadline(true, t.x.server.limits.BodyIdle)
	}
	n, err := t.r.Body.Read(p)
	t.pace += n
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, closing(errTimeout, "the body took too long")
	}
	return n, refuse(fmt.Errorf("read the body: %w", err))
}

// deadline limits how long the client may take for the next part of a body; 0 takes the
// limit away.
func (t *stream) deadline(read bool, limit time.Duration) {
	var at time.Time // none
	if limit > 0 {
		at = time.Now().Add(limit)
	}
	if w, ok := t.w.(interface {
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}); ok {
		if read {
			w.SetReadDeadline(at)
		} else {
			w.SetWriteDeadline(at)
		}
	}
}

// shortBody is the length up to which a body is sent without a deadline if there is room
// for it: http2 sends it at once. Setting a deadline costs about as much as sending.
const shortBody = 4 << 10

// respond sends the response. The error says that it could not be sent whole.
func (t *stream) respond() (err error) {
	x := &t.x
	r := &x.Response
	defer func() {
		if release := r.Release; release != nil {
			r.Release = nil
			release.Release(err == nil)
		}
		if err != nil && x.err == nil {
			x.err = err
		}
	}()
	if x.Gone() || t.r.Context().Err() != nil {
		return errors.New("the client has left")
	}
	t.writeHead()
	t.w.WriteHeader(r.Status)
	switch {
	case r.Bodiless:
		return nil
	case r.Body.Stream != nil:
		return t.copyBody()
	}
	if n := len(r.Body.Bytes); n > shortBody || !t.session.nc.roomFor(n) {
		t.deadline(false, x.server.limits.Write)
	}
	for body := r.Body.Bytes; len(body) > 0; {
		part := body[:min(len(body), blockSize)]
		n, err := t.w.Write(part)
		x.ResponseLength += int64(n)
		if err != nil {
			return err
		}
		if body = body[n:]; len(body) > 0 {
			t.deadline(false, x.server.limits.Write)
		}
	}
	return nil
}

// hopByHop are fields that HTTP/2 does not have.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// writeHead fills in the fields of the response. The texts are copied, all at once: the
// frame may be written when the exchange has ended already.
func (t *stream) writeHead() {
	x := &t.x
	r := &x.Response
	var digits [20]byte
	length := strconv.AppendInt(digits[:0], r.Body.Length, 10)
	size := len(x.ID) + len(length)
	for i := range r.Header {
		size += len(r.Header[i].Name) + len(r.Header[i].Value)
	}
	var all strings.Builder
	all.Grow(size)
	for i := range r.Header {
		all.WriteString(r.Header[i].Name)
		all.WriteString(r.Header[i].Value)
	}
	all.WriteString(x.ID)
	all.Write(length)
	rest := all.String()
	values := make([]string, 0, len(r.Header)+3)
	one := func(v string) []string {
		values = append(values, v)
		return values[len(values)-1 : len(values) : len(values)]
	}
	h := t.w.Header()
	for i := range r.Header {
		n, v := len(r.Header[i].Name), len(r.Header[i].Value)
		name := textproto.CanonicalMIMEHeaderKey(rest[:n])
		value := rest[n : n+v]
		rest = rest[n+v:]
		if hopByHop(name) || name == "Content-Length" || name == "Apigw-Requestid" {
			continue
		}
		if h[name] != nil {
			h[name] = append(h[name], value)
		} else {
			h[name] = one(value)
		}
	}
	h["Apigw-Requestid"] = one(rest[:len(x.ID)])
	if h["Date"] == nil {
		date := x.server.dateField(x.Start)
		h["Date"] = one(date[len("Date: ") : len(date)-len("\r\n")])
	}
	if r.Body.Length >= 0 {
		h["Content-Length"] = one(rest[len(x.ID):])
	}
	if h["Content-Type"] == nil {
		h["Content-Type"] = nil // not to be guessed
	}
	if x.server.draining.Load() || x.close && (r.Status == http.StatusMisdirectedRequest || r.Status == http.StatusForbidden) {
		h["Connection"] = closeConnection // never sent: it asks the client to open no more streams
	}
}

var closeConnection = []string{"close"}

// copyBody sends a streamed body. What the integration has is sent before more is
// waited for.
func (t *stream) copyBody() error {
	x := &t.x
	r := &x.Response.Body
	buf := x.Block()
	left := r.Length
	for {
		n, err := r.Stream.Read(buf)
		if n > 0 {
			if left >= 0 {
				if left -= int64(n); left < 0 {
					return errLongBody
				}
			}
			t.deadline(false, x.server.limits.Write)
			k, err := t.w.Write(buf[:n])
			x.ResponseLength += int64(k)
			if err != nil {
				return err
			}
			if f, ok := t.w.(interface{ FlushError() error }); ok && n < len(buf) && left != 0 {
				if err := f.FlushError(); err != nil {
					return err
				}
			}
			if left != 0 {
				t.deadline(false, 0) // what comes next takes its time
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if left > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}
