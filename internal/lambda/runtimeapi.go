package lambda

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxConns is how many connections one environment may have to its Runtime API.
	maxConns = 64
	// runtimeAPI is the version of the Runtime API, as its paths begin with it.
	runtimeAPI  = "/2018-06-01"
	nextPath    = runtimeAPI + "/runtime/invocation/next"
	invocations = runtimeAPI + "/runtime/invocation/"
)

// A conn is a connection of an environment to its Runtime API: a loop that reads one
// request after another. Requests may be sent before the answer to the one before, which
// saves a round trip between an answer and the next invocation.
//
// An invocation is written by who invokes, straight to the connection where the
// environment waits; the loop is reading at that time and writes nothing.
type conn struct {
	environment *environment
	net         net.Conn
	raw         syscall.RawConn
	reader      *bufio.Reader
	request     request
	// answered is an invocation that has an answer, the outcome; nil for none. It is sent
	// to who invokes before the loop waits for more.
	answered *invocation
	outcome  outcome
	// held is an answer that is sent together with the next thing that is: whoever asks
	// for an invocation right behind its answer does not wait for what is said to it.
	held []byte

	// offering guards what offer leaves for write. rest is what writes the end of an event
	// that was not taken at once.
	offering sync.Mutex
	buffer   []byte
	written  int
	failed   error
	write    func(fd uintptr) bool
	rest     sync.WaitGroup
	unsent   atomic.Bool // rest is under way
}

// accept takes connections until the listener is closed.
func (e *environment) accept() {
	for {
		nc, err := e.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors, most likely: the environment ends by its timeout.
			time.Sleep(time.Millisecond)
			continue
		}
		c, err := newConn(e, nc)
		if err != nil || !e.admit(c) {
			nc.Close()
			continue
		}
		e.conns.Go(func() {
			defer e.dismiss(c)
			c.serve()
		})
	}
}

func newConn(e *environment, nc net.Conn) (*conn, error) {
	c := &conn{environment: e, net: nc, reader: bufio.NewReaderSize(nc, maxHead)}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c.raw = raw
	c.write = func(fd uintptr) bool {
		c.written, c.failed = syscall.Write(int(fd), c.buffer)
		return true
	}
	return c, nil
}

// admit notes a connection, unless there are too many.
func (e *environment) admit(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.open) >= maxConns {
		return false
	}
	e.open[c] = struct{}{}
	return true
}

// dismiss closes a connection. If the environment waited for an invocation there, it does
// not any more.
func (e *environment) dismiss(c *conn) {
	e.mu.Lock()
	delete(e.open, c)
	waited := e.state == parked && e.conn == c
	if waited {
		e.state, e.conn = resting, nil
		e.deadline = time.Now().Add(e.pool.spec.Timeout)
		e.timer.Reset(e.pool.spec.Timeout)
	}
	e.mu.Unlock()
	if waited {
		e.host.withdrawn(e)
	}
	c.net.Close()
}

// offer writes as much of an event as is taken at once, and has the rest written by
// itself: a function that does not read what it asked for keeps nobody waiting. Errors of
// the rest show when the process ends. It reports whether the buffer is free again.
func (c *conn) offer(b []byte) (free bool, err error) {
	c.offering.Lock()
	defer c.offering.Unlock()
	n := 0
	if c.raw != nil {
		c.buffer = b
		err := c.raw.Write(c.write)
		c.buffer = nil
		switch {
		case err != nil:
			return true, err
		case c.failed == nil:
			n = c.written
		case !errors.Is(c.failed, syscall.EAGAIN) && !errors.Is(c.failed, syscall.EINTR):
			return true, c.failed
		}
	}
	if n < len(b) {
		c.unsent.Store(true)
		c.rest.Go(func() {
			defer c.unsent.Store(false)
			_, _ = c.net.Write(b[n:])
		})
		return false, nil
	}
	return true, nil
}

// abandon closes a connection whose event was answered on another one before all of it
// was taken.
func (c *conn) abandon() {
	c.offering.Lock()
	defer c.offering.Unlock()
	if c.unsent.Load() {
		c.net.Close()
	}
}

// settle waits until the event before is written, all of it.
func (c *conn) settle() { c.remainder().Wait() }

// remainder returns what writes the end of an event, once offer has handed it over. It is
// waited for without the lock: abandon ends the waiting.
func (c *conn) remainder() *sync.WaitGroup {
	c.offering.Lock()
	defer c.offering.Unlock()
	return &c.rest
}

// serve answers requests until the connection ends.
func (c *conn) serve() {
	defer c.deliver()
	defer c.flush()
	for {
		if c.answered != nil && !c.complete() {
			c.deliver()
		}
		if err := c.request.read(c.reader); err != nil {
			if errors.Is(err, errRequest) {
				c.send(malformed)
			}
			return
		}
		if !c.dispatch() || c.request.close {
			return
		}
	}
}

// complete reports whether the head of another request is there.
func (c *conn) complete() bool {
	b, _ := c.reader.Peek(c.reader.Buffered())
	return bytes.Contains(b, []byte("\r\n\r\n"))
}

// asks reports whether exactly a request for an invocation has come, behind the one that
// is being answered.
func (c *conn) asks() bool {
	b, _ := c.reader.Peek(c.reader.Buffered())
	return bytes.HasPrefix(b, []byte("GET "+nextPath+" ")) && bytes.HasSuffix(b, []byte("\r\n\r\n"))
}

// deliver sends the outcome of an invocation to who waits for it.
func (c *conn) deliver() {
	if c.answered != nil {
		c.answered.done <- c.outcome
		c.answered, c.outcome = nil, outcome{}
	}
}

// send writes an answer. It reports whether the connection can go on.
func (c *conn) send(b []byte) bool {
	if len(c.held) > 0 {
		b = append(c.held[:len(c.held):len(c.held)], b...)
		c.held = nil
	}
	_, err := c.net.Write(b)
	return err == nil
}

// flush sends what is held, unless the invocation that it waits for has taken it along.
func (c *conn) flush() {
	c.environment.mu.Lock()
	held := c.held
	c.held = nil
	c.environment.mu.Unlock()
	if len(held) > 0 {
		c.send(held)
	}
}

// dispatch answers the request that was read. It reports whether the connection can go
// on.
func (c *conn) dispatch() bool {
	q := &c.request
	if string(q.method) == "GET" {
		if q.length != 0 {
			c.send(malformed)
			return false
		}
		switch string(q.path) {
		case nextPath:
			return c.next()
		case runtimeAPI + "/ping":
			return c.send(pong)
		case "/2020-01-01/extension/event/next":
			// There are no events that extensions get: they wait until they are ended.
			_, _ = io.Copy(io.Discard, c.reader)
			return false
		}
		return c.send(noOperation)
	}
	if rest, ok := bytes.CutPrefix(q.path, []byte(invocations)); ok && string(q.method) == "POST" {
		id, operation, _ := bytes.Cut(rest, []byte("/"))
		switch string(operation) {
		case "response":
			return c.respond(id, false)
		case "error":
			return c.respond(id, true)
		}
	}
	body, ok := c.body(maxInitError, nil)
	if !ok {
		return false
	}
	switch string(q.method) + " " + string(q.path) {
	case "POST " + runtimeAPI + "/runtime/init/error":
		return c.initError(body)
	case "POST /2020-01-01/extension/register":
		return c.register()
	case "POST /2020-01-01/extension/init/error", "POST /2020-01-01/extension/exit/error":
		return c.send(accepted)
	case "PUT /2022-07-01/telemetry", "PUT /2020-08-15/logs":
		return c.send(noTelemetry)
	}
	return c.send(noOperation)
}

// maxInitError is how long the description of a failed initialisation may be.
const maxInitError = 256 << 10

// body reads a body of which nothing more depends. It reports false if the connection
// cannot go on; the client has then been told.
func (c *conn) body(limit int, t *trailer) ([]byte, bool) {
	if t == nil {
		t = new(trailer)
	}
	c.proceed()
	body, err := c.request.body(c.reader, limit, t)
	switch {
	case err == nil:
		return body, true
	case errors.Is(err, errLength):
		c.send(tooLong)
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.send(truncated)
	default:
		c.send(malformed)
	}
	return nil, false
}

// proceed asks for the body if the client waits to be asked.
func (c *conn) proceed() {
	if c.request.expect && c.request.length != 0 && c.reader.Buffered() == 0 {
		c.send(proceed)
	}
}

// next has the environment wait for an invocation here.
func (c *conn) next() bool {
	if c.reader.Buffered() > 0 {
		// Something was sent behind a request whose answer takes as long as it takes.
		c.send(malformed)
		return false
	}
	c.settle()
	e := c.environment
	e.mu.Lock()
	moved := e.state == parked && e.conn.hungUp()
	if e.state != initialising && e.state != resting && !moved || e.cause != nil {
		e.mu.Unlock()
		return c.send(wrongState)
	}
	e.state, e.conn = parked, c
	if !e.initialised {
		e.initialised, e.initTime = true, time.Since(e.created)
	}
	e.mu.Unlock()
	if !moved && !e.host.ready(e) {
		e.end(nil)
		return false
	}
	c.deliver()
	// Nothing may come before the invocation has been written.
	if _, err := c.reader.Peek(1); err != nil {
		return false
	}
	return !e.waits(c)
}

// hungUp reports whether the other side has closed a connection, which its own loop may
// not have seen yet.
func (c *conn) hungUp() bool {
	if c.raw == nil {
		return false
	}
	over := false
	err := c.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		over = n <= 0 && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return err != nil || over
}

// waits reports whether the environment waits for an invocation on a connection.
func (e *environment) waits(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conn == c
}

// respond takes the answer to an invocation, or the description of an error.
func (c *conn) respond(id []byte, failed bool) bool {
	e, q := c.environment, &c.request
	inv, refused := e.claim(id)
	streaming := strings.EqualFold(q.mode, "streaming")
	if refused == nil && q.mode != "" && !streaming && !strings.EqualFold(q.mode, "buffered") {
		e.release(inv)
		refused = wrongMode
	}
	if refused != nil {
		c.proceed()
		if _, err := q.body(c.reader, 0, new(trailer)); err != nil && !errors.Is(err, errLength) {
			c.send(malformed)
			return false
		}
		return c.send(refused)
	}
	c.proceed()
	var t trailer
	body, err := q.body(c.reader, maxResponse, &t)
	o := &c.outcome
	switch {
	case err == nil && failed:
		o.result = reportedFailure(q.errorType, body).result(inv.id)
	case err == nil && t.errorType != "":
		description, err := base64.StdEncoding.DecodeString(t.errorBody)
		if err != nil {
			description = nil
		}
		o.result = reportedFailure(t.errorType, description).result(inv.id)
	case err == nil:
		o.result.Payload = body
		// Clients in Go stream without saying so, but for the type.
		if streaming || q.contentType != jsonType {
			o.result.ContentType = q.contentType
		}
	case errors.Is(err, errLength):
		o.result = Result{Payload: []byte(tooLarge), FunctionError: unhandled}
	case errors.Is(err, errRequest):
		c.send(malformed)
		e.linger(truncatedFailure())
		return false
	default:
		c.send(truncated)
		e.linger(truncatedFailure())
		return false
	}
	if from := inv.conn; from != nil && from != c {
		from.abandon()
	}
	asks := err == nil && c.asks()
	if e.finish(inv, o, nil) {
		c.answered = inv
	} else {
		c.outcome = outcome{}
	}
	switch {
	case err != nil:
		return c.send(tooLong)
	case asks:
		c.held = accepted
		return true
	default:
		return c.send(accepted)
	}
}

// claim takes the invocation that has an ID for the one answer that it gets, or returns
// why there is none to take.
func (e *environment) claim(id []byte) (*invocation, []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.invocation == nil || e.invocation.id != string(id) || e.state == parked:
		return nil, wrongID
	case e.state != running:
		return nil, wrongState
	}
	e.state = answering
	return e.invocation, nil
}

// release gives back an invocation that was claimed.
func (e *environment) release(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == answering && e.invocation == inv {
		e.state = running
	}
}

// initError takes the description of a failed initialisation. The environment ends.
func (c *conn) initError(body []byte) bool {
	e := c.environment
	e.mu.Lock()
	early := e.state == initialising && e.cause == nil
	e.mu.Unlock()
	if !early {
		return c.send(wrongState)
	}
	e.linger(reportedFailure(c.request.errorType, body))
	return c.send(accepted)
}

// register answers an extension.
func (c *conn) register() bool {
	spec := &c.environment.pool.spec
	body, err := json.Marshal(struct {
		FunctionName    string `json:"functionName"`
		FunctionVersion string `json:"functionVersion"`
		Handler         string `json:"handler"`
	}{spec.Name, spec.Version, spec.Handler})
	if err != nil {
		panic(err) // strings are always JSON
	}
	return c.send(answer("200 OK\r\nLambda-Extension-Identifier: "+newID(), "application/json", string(body)))
}
