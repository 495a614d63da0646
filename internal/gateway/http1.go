package gateway

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A phase is what a connection is doing. The watcher limits how long each may
// last.
type phase uint64

const (
	phaseIdle      phase = iota // between requests
	phaseHead                   // part of a head has arrived
	phaseBody                   // waiting for more of a body
	phaseExchange               // being served
	phaseWrite                  // sending a response
	phaseHandshake              // the TLS handshake is not complete
	phaseStreams                // streams of HTTP/2 are open, each with limits of its own
	phaseBits      = 3
)

// A conn is one HTTP/1 connection: a goroutine that reads a request, serves it
// and writes the response, over and over. It owns its exchange and its buffers. A TLS
// connection may turn out to be one of HTTP/2, see http2.go.
type conn struct {
	nc  net.Conn        // the TLS connection, if it is one
	raw syscall.RawConn // nil when nc is not a socket
	s   *Server
	br  *bufio.Reader
	x   Exchange

	// Of a TLS connection; nil on others.
	tls       *tls.Conn
	below     *socket
	handshake *handshake

	// state is a count of phase changes and the phase. The watcher reads it; a
	// state that does not change is a phase that lasts. So limits cost a request
	// no clock and no timer.
	state atomic.Uint64

	head    []byte // the head of the request being served
	out     []byte // the response being written
	parts   [2][]byte
	vector  net.Buffers // of parts
	body    bodyReader
	framing framing
	handed  bool // the connection belongs to somebody else

	// expired says that a deadline may be set. mu guards setting it for a phase and
	// clearing it behind that phase.
	expired atomic.Bool
	http2   atomic.Pointer[session] // nil unless the connection speaks HTTP/2
	mu      sync.Mutex

	// What the watcher saw, and when it saw it first.
	seen  uint64
	since time.Time
}

// unseen is no state.
const unseen = ^uint64(0)

const (
	readBuffer = 4 << 10
	// inOneWrite is the largest body that is copied behind its head to leave in
	// one system call; longer ones leave in one call as well, from where they are.
	inOneWrite = 8 << 10
	// keepHead is the largest buffer for heads that stays with a connection.
	keepHead = 8 << 10
)

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{nc: nc, s: s, seen: unseen}
	c.br = bufio.NewReaderSize(nc, readBuffer)
	c.x.server, c.x.transport = s, c
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		c.x.Request.Peer = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	c.body.c = c
	return c
}

// enter changes the phase. Only the serving goroutine calls it.
func (c *conn) enter(p phase) {
	c.state.Store((c.state.Load()>>phaseBits+1)<<phaseBits | uint64(p))
	if c.expired.Load() {
		c.mu.Lock()
		c.expired.Store(false)
		c.nc.SetDeadline(time.Time{})
		c.mu.Unlock()
	}
}

// phaseOf returns the phase in a state.
func phaseOf(state uint64) phase { return phase(state & (1<<phaseBits - 1)) }

// expire sets a deadline that holds as long as the connection stays in a
// state. It may be called from any goroutine.
func (c *conn) expire(state uint64, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Whoever changes the state looks at expired afterwards: either it sees the
	// deadline that is being set, or the change is seen here.
	c.expired.Store(true)
	if c.state.Load() == state {
		c.nc.SetDeadline(at)
	}
}

func (c *conn) serve() {
	defer c.s.ended(c)
	defer c.close()
	defer c.x.end()
	defer func() {
		if p := recover(); p != nil {
			c.s.panicked(&c.x, p)
		}
	}()
	if c.tls != nil {
		if !c.shake() {
			return
		}
		if c.x.Request.TLS.NegotiatedProtocol == protocolHTTP2 {
			c.serveHTTP2()
			return
		}
	}
	for c.serveOne() {
	}
}

// serveOne serves the next request and reports whether there can be another.
func (c *conn) serveOne() bool {
	head, err := c.readHead()
	if head == nil && err == nil {
		return false
	}
	c.enter(phaseExchange)
	x := &c.x
	x.Start = time.Now()
	x.ID = requestID(&x.idBuf)
	c.framing = framing{}
	if err == nil {
		c.framing, err = x.Request.parse(head)
	}
	c.body.start(c.framing)
	if err == nil {
		err = c.handshake.check(x.Start)
	}
	c.s.handle(x, err)
	if x.take != nil {
		c.handOver()
		return false
	}
	reuse, err := c.respond()
	c.s.finish(x)
	more := x.close || !c.body.done() || c.br.Buffered() > 0
	x.end()
	keep(&c.head, keepHead)
	keep(&c.out, keepHead+inOneWrite)
	if err == nil && !reuse && more {
		c.linger()
	}
	return err == nil && reuse
}

// readHead waits for a request head and returns a copy of it, which stays valid
// while the body is read. It returns nothing when the connection has ended, and
// an error when there is something to answer.
func (c *conn) readHead() ([]byte, error) {
	c.enter(phaseIdle)
	if c.br.Size() > readBuffer && c.br.Buffered() == 0 {
		c.br = bufio.NewReaderSize(c.nc, readBuffer)
	}
	if c.s.draining.Load() {
		c.wakeIfIdle()
	}
	var scan HeadScanner
	last := false
	for {
		b, _ := c.br.Peek(c.br.Buffered())
		n, err := scan.End(b)
		if err != nil {
			return nil, refuse(err)
		}
		if n > 0 {
			c.head = append(c.head[:0], b[:n]...)
			c.br.Discard(n)
			return c.head, nil
		}
		if len(b) > 0 && phaseOf(c.state.Load()) == phaseIdle {
			c.enter(phaseHead)
		}
		if len(b) == c.br.Size() {
			if len(b) >= maxRawHead {
				if scan.line <= len("\r\n") {
					return nil, closing(errTargetLong, "request line too long")
				}
				return nil, closing(errHeaderLarge, "header fields too large")
			}
			// The buffer fits nearly every head; this one gets a large one.
			kept := bytes.Clone(b)
			c.br = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(kept), c.nc), maxRawHead)
		}
		if _, err := c.br.Peek(len(b) + 1); err != nil {
			switch {
			case !errors.Is(err, os.ErrDeadlineExceeded):
				return nil, nil
			case len(b) > 0:
				return nil, closing(errTimeout, "the head took too long")
			case last:
				return nil, nil
			}
			// A request may have come together with the deadline: look once more.
			last = true
			c.expire(c.state.Load(), time.Now().Add(time.Millisecond))
		}
	}
}

// wakeIfIdle ends the wait of an idle connection soon. The server calls it when
// it shuts down.
func (c *conn) wakeIfIdle() {
	if state := c.state.Load(); phaseOf(state) == phaseIdle && c.http2.Load() == nil {
		c.expire(state, time.Now().Add(drainIdle))
	}
}

// lingerTime and lingerBytes bound what a client may still send after the last
// response. The bytes are enough for a body of the largest allowed size.
const (
	lingerTime  = time.Second
	lingerBytes = 16 << 20
)

// linger takes in what the client is still sending after the last response, so
// that closing does not reset the connection before the client has read it.
func (c *conn) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	c.enter(phaseIdle)
	c.expire(c.state.Load(), time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.nc, lingerBytes)
}
