package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	// maxHead is how long the head of a request may be, and the trailers of one.
	maxHead = 16 << 10
	// maxDiscard is how much of a body that nobody wants is read, so that the answer to
	// it arrives.
	maxDiscard = 64 << 20
	// readAhead is how much memory a body gets before so much of it has come.
	readAhead = 1 << 20
)

// errRequest says that bytes are no request that this Runtime API understands. The
// connection ends.
var errRequest = errors.New("lambda: malformed request")

// errLength says that a body is longer than it may be.
var errLength = errors.New("lambda: body too long")

// A request is the head of one.
type request struct {
	method, path []byte
	// length is that of the body; -1 if it comes in chunks.
	length int64
	expect bool // the body comes after 100 Continue
	close  bool // the connection ends behind the answer
	// What the Runtime API looks at; empty if it was not sent.
	errorType, mode, contentType, extension string
}

// readLine returns the next line without its end. It is valid until the next read. The
// length of all lines is taken from room.
func readLine(r *bufio.Reader, room *int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, errRequest
		}
		return nil, err
	}
	*room -= len(line)
	if *room < 0 || len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, errRequest
	}
	return line[:len(line)-2], nil
}

// read reads the head of a request. The error is io.EOF if the connection has ended where
// it may, and errRequest if the head is not one.
//
//	head = method " " path " HTTP/1.1" CRLF *( name ":" value CRLF ) CRLF
//
// A body is framed by Content-Length or by chunks, and by one of them.
func (q *request) read(r *bufio.Reader) error {
	room := maxHead
	line, err := readLine(r, &room)
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) == 0 && r.Buffered() > 0 {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	method, rest, ok := bytes.Cut(line, []byte(" "))
	path, version, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || string(version) != "HTTP/1.1" || len(path) == 0 || path[0] != '/' || !printable(path) {
		return errRequest
	}
	*q = request{method: append(q.method[:0], method...), path: append(q.path[:0], path...)}
	framed, hosts := 0, 0
	for {
		line, err := readLine(r, &room)
		if err != nil {
			return unexpected(err)
		}
		if len(line) == 0 {
			break
		}
		name, value, err := header(line)
		if err != nil {
			return err
		}
		switch len(name) {
		case len("Host"):
			if equal(name, "Host") {
				hosts++
			}
		case len("Expect"):
			if equal(name, "Expect") {
				if !equal(value, "100-continue") {
					return errRequest
				}
				q.expect = true
			}
		case len("Connection"):
			if equal(name, "Connection") && equal(value, "close") {
				q.close = true
			}
		case len("Content-Type"):
			if equal(name, "Content-Type") {
				if q.contentType = jsonType; string(value) != jsonType {
					q.contentType = string(value)
				}
			}
		case len("Content-Length"):
			if equal(name, "Content-Length") {
				framed++
				if q.length, err = length(value); err != nil {
					return err
				}
			}
		case len("Transfer-Encoding"):
			if equal(name, "Transfer-Encoding") {
				framed++
				if !equal(value, "chunked") {
					return errRequest
				}
				q.length = -1
			}
		case len(errorTypeHeader):
			if equal(name, errorTypeHeader) {
				q.errorType = string(value)
			}
		case len(modeHeader):
			if equal(name, modeHeader) {
				q.mode = string(value)
			}
		case len(extensionHeader):
			if equal(name, extensionHeader) {
				q.extension = string(value)
			}
		}
	}
	if hosts != 1 || framed > 1 || framed == 0 && string(q.method) != "GET" {
		return errRequest
	}
	return nil
}

// jsonType is the content type of most answers.
const jsonType = "application/json"

// Headers that the Runtime API looks at.
const (
	errorTypeHeader = "Lambda-Runtime-Function-Error-Type"
	errorBodyHeader = "Lambda-Runtime-Function-Error-Body"
	modeHeader      = "Lambda-Runtime-Function-Response-Mode"
	extensionHeader = "Lambda-Extension-Name"
)

// unexpected makes the end of a connection inside of something an error of its own.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// equal compares without case.
func equal(b []byte, s string) bool {
	return len(b) == len(s) && strings.EqualFold(string(b), s)
}

// printable reports whether there are no spaces and control characters.
func printable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// header splits a line into name and value.
func header(line []byte) (name, value []byte, err error) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return nil, nil, errRequest
	}
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return nil, nil, errRequest
		}
	}
	value = bytes.Trim(value, " \t")
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, errRequest
		}
	}
	return name, value, nil
}

// length parses a Content-Length: digits and nothing else.
func length(value []byte) (int64, error) {
	if len(value) == 0 || len(value) > 18 {
		return 0, errRequest
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, errRequest
		}
	}
	return strconv.ParseInt(string(value), 10, 64)
}

// A trailer is what may come behind the chunks of a body.
type trailer struct{ errorType, errorBody string }

// body reads the body of the request, at most limit bytes. A longer one is read and
// dropped, up to a limit, and the error is errLength.
func (q *request) body(r *bufio.Reader, limit int, t *trailer) ([]byte, error) {
	if q.length >= 0 {
		if q.length > int64(limit) {
			return nil, q.discard(r, q.length, maxDiscard)
		}
		return readPart(r, nil, int(q.length))
	}
	var body []byte
	over, dropped := false, int64(0)
	for {
		n, err := chunkSize(r)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		if over || n > int64(limit-len(body)) {
			over = true
			if err := q.discard(r, n, maxDiscard-dropped); q.close || !errors.Is(err, errLength) {
				return nil, err
			}
			dropped += n
		} else if body, err = readPart(r, body, int(n)); err != nil {
			return nil, err
		}
		room := 2
		if line, err := readLine(r, &room); err != nil || len(line) > 0 {
			return nil, cut(err)
		}
	}
	if err := t.read(r); err != nil {
		return nil, err
	}
	if over {
		return nil, errLength
	}
	if body == nil {
		body = []byte{}
	}
	return body, nil
}

// cut returns what is wrong with a line that is not as it should be.
func cut(err error) error {
	if err == nil {
		return errRequest
	}
	return unexpected(err)
}

// readPart appends n bytes to b. Memory grows with what comes, not with what is announced.
func readPart(r *bufio.Reader, b []byte, n int) ([]byte, error) {
	if b == nil {
		b = make([]byte, 0, min(n, readAhead))
	}
	for n > 0 {
		if len(b) == cap(b) {
			// Twice as much each time, and no more than is left.
			grown := make([]byte, len(b), len(b)+min(n, max(len(b), readAhead)))
			copy(grown, b)
			b = grown
		}
		part := min(n, cap(b)-len(b))
		m, err := io.ReadFull(r, b[len(b):len(b)+part])
		b = b[:len(b)+m]
		if err != nil {
			return nil, unexpected(err)
		}
		n -= m
	}
	return b, nil
}

// discard reads n bytes for nothing, and returns errLength. If they are more than limit,
// they are not read and the connection ends behind the answer.
func (q *request) discard(r *bufio.Reader, n, limit int64) error {
	if n > limit {
		q.close = true
		return errLength
	}
	if _, err := io.CopyN(io.Discard, r, n); err != nil {
		return unexpected(err)
	}
	return errLength
}

// chunkSize reads the line in front of a chunk.
//
//	hex [ ";" extension ] CRLF
func chunkSize(r *bufio.Reader) (int64, error) {
	room := 256
	line, err := readLine(r, &room)
	if err != nil {
		return 0, unexpected(err)
	}
	line, _, _ = bytes.Cut(line, []byte(";"))
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 8 {
		return 0, errRequest
	}
	var n int64
	for _, c := range line {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int64(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		case 'A' <= c && c <= 'F':
			n = n<<4 | int64(c-'A'+10)
		default:
			return 0, errRequest
		}
	}
	return n, nil
}

// read reads the trailers of a body, up to and with the empty line.
func (t *trailer) read(r *bufio.Reader) error {
	room := maxTrailer
	for {
		line, err := readTrailer(r, &room)
		if err != nil {
			return unexpected(err)
		}
		if len(line) == 0 {
			return nil
		}
		name, value, err := header(line)
		if err != nil {
			return err
		}
		switch {
		case equal(name, errorTypeHeader):
			t.errorType = string(value)
		case equal(name, errorBodyHeader):
			t.errorBody = string(value)
		}
	}
}

// maxTrailer is how long trailers may be: the description of an error is one of them,
// with its stack trace, in base64.
const maxTrailer = 1 << 20

// readTrailer is readLine for lines that may be longer than the buffer.
func readTrailer(r *bufio.Reader, room *int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if *room -= len(part); *room < 0 {
			return nil, errRequest
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, errRequest
	}
	return line[:len(line)-2], nil
}
