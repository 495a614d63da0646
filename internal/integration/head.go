package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unsafe"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// A head is what the status line and the framing fields of an answer say.
type head struct {
	status  int
	length  int64 // of the body, -1 when it is not announced
	chunked bool
	close   bool
}

// errNothing says that a connection ended before the first byte of an answer.
var errNothing = errors.New("the backend closed the connection without an answer")

// readHead reads the head of an answer, past interim ones (1xx). The fields that
// go on to the client are in x.Buffers.Response; they point into x.Buffers.Head.
func readHead(c *conn, x *gateway.Exchange, r *head) error {
	for i := range maxInterim {
		if err := readRawHead(c, x); err != nil {
			if i > 0 && errors.Is(err, errNothing) {
				return errors.New("the backend closed the connection after an interim answer")
			}
			return err
		}
		*r = head{length: -1}
		if err := r.parse(x); err != nil {
			return err
		}
		switch {
		case r.status == 101:
			return errors.New("the backend switched protocols unasked")
		case r.status >= 200:
			return nil
		}
	}
	return errors.New("too many interim answers")
}

// readRawHead copies a whole head to x.Buffers.Head.
func readRawHead(c *conn, x *gateway.Exchange) error {
	var scan gateway.HeadScanner
	done := x.Buffers.Head[:0] // what did not fit in the buffer of the connection
	for {
		b, err := c.br.Peek(max(c.br.Buffered(), 1))
		if len(b) == 0 {
			if len(done) > 0 {
				return fmt.Errorf("the backend closed inside the head: %w", err)
			}
			if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) {
				return errNothing
			}
			return err
		}
		had := len(done)
		done = append(done, b...)
		n, err := scan.End(done)
		x.Buffers.Head = done
		if err != nil {
			return err
		}
		if n > 0 {
			x.Buffers.Head = done[:n]
			c.br.Discard(n - had)
			return nil
		}
		if len(done) > maxResponseHead {
			return fmt.Errorf("the head of the answer is longer than %d bytes", maxResponseHead)
		}
		c.br.Discard(len(b))
	}
}

// parse reads x.Buffers.Head.
func (r *head) parse(x *gateway.Exchange) error {
	b := x.Buffers.Head
	i := bytes.IndexByte(b, '\n')
	minor, err := r.parseStatus(b[:max(i-1, 0)])
	if err != nil {
		return err
	}
	fields := x.Buffers.Response[:0]
	named := false
	keepAlive := false
	seenLength := false
	for rest := b[i+1:]; ; {
		i := bytes.IndexByte(rest, '\n')
		line := rest[:i-1]
		rest = rest[i+1:]
		if len(line) == 0 {
			break
		}
		f, err := gateway.ParseField(line)
		if err != nil {
			return err
		}
		switch {
		case len(f.Name) == len("Connection") && gateway.EqualFold(f.Name, "Connection"):
			for t := range strings.SplitSeq(f.Value, ",") {
				switch t = strings.TrimSpace(t); {
				case gateway.EqualFold(t, "close"):
					r.close = true
				case gateway.EqualFold(t, "keep-alive"):
					keepAlive = true
				default:
					named = true
				}
			}
		case len(f.Name) == len("Content-Length") && gateway.EqualFold(f.Name, "Content-Length"):
			n, ok := gateway.ParseLength(f.Value)
			if !ok || seenLength && n != r.length {
				return fmt.Errorf("bad Content-Length %q", truncate(f.Value))
			}
			r.length, seenLength = n, true
			continue
		case len(f.Name) == len("Transfer-Encoding") && gateway.EqualFold(f.Name, "Transfer-Encoding"):
			if r.chunked || minor == 0 || !gateway.EqualFold(f.Value, "chunked") {
				return fmt.Errorf("bad Transfer-Encoding %q", truncate(f.Value))
			}
			r.chunked = true
			continue
		}
		fields = append(fields, f)
	}
	if r.chunked {
		// An answer with both is a smuggling attempt or a broken backend.
		if seenLength {
			return errors.New("Content-Length beside Transfer-Encoding")
		}
		r.length = -1
	}
	if minor == 0 && !keepAlive {
		r.close = true
	}
	x.Buffers.Response = endToEnd(fields, named)
	return nil
}

// parseStatus reads
//
//	"HTTP/1." minor SP 3DIGIT [ SP reason ]
func (r *head) parseStatus(line []byte) (minor int, err error) {
	s := unsafe.String(unsafe.SliceData(line), len(line))
	if len(s) < 12 || s[:7] != "HTTP/1." || s[7] != '0' && s[7] != '1' || s[8] != ' ' || len(s) > 12 && s[12] != ' ' {
		return 0, fmt.Errorf("malformed status line %q", truncate(s))
	}
	for _, c := range []byte(s[9:12]) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("malformed status line %q", truncate(s))
		}
		r.status = r.status*10 + int(c-'0')
	}
	if r.status < 100 || r.status > 599 {
		return 0, fmt.Errorf("status %d is out of range", r.status)
	}
	return int(s[7] - '0'), nil
}

func truncate(s string) string { return strings.Clone(s[:min(len(s), 60)]) }

// endToEnd leaves out the fields that belong to one connection: those every
// proxy knows, and with named also those that a Connection field names.
func endToEnd(fields []gateway.Field, named bool) []gateway.Field {
	kept := fields[:0]
	var options []string
	if named {
		options = connectionOptions(fields)
	}
	for _, f := range fields {
		if !hopByHop(f.Name) && !(named && contains(options, f.Name)) {
			kept = append(kept, f)
		}
	}
	return kept
}

// hopByHop reports whether a field belongs to one connection. In answers a name with
// "_" is a name of its own: those who read it as another are servers.
func hopByHop(name string) bool {
	kind, alias := provenance.Of(name)
	return kind == provenance.Hop && !alias
}

// connectionOptions lists what the Connection fields name.
func connectionOptions(fields []gateway.Field) (options []string) {
	for i := range fields {
		if gateway.EqualFold(fields[i].Name, "Connection") {
			for t := range strings.SplitSeq(fields[i].Value, ",") {
				options = append(options, strings.TrimSpace(t))
			}
		}
	}
	return options
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if gateway.EqualFold(s, name) {
			return true
		}
	}
	return false
}
