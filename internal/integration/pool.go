package integration

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"penstock/internal/gateway"
)

// A pool holds the connections to one target.
type pool struct {
	client *Client
	target Target
	tls    *tls.Config // nil without TLS
	idle   *idleList
}

// An idleList is a stack: the connection used last is used next, so that the
// rest can grow old and close.
type idleList struct {
	mu     sync.Mutex // guards the fields below
	conns  []*conn
	open   int // idle or in use
	wait   []chan struct{}
	closed bool
	max    int // connections kept
}

// A conn is one connection to a backend.
type conn struct {
	net.Conn
	br    *bufio.Reader
	raw   syscall.RawConn
	list  *idleList // not the pool: an idle connection must not keep it alive
	local string    // the address that backends see
	used  time.Time
	fresh bool // has served no request yet

	wait   gateway.Wait // for an answer
	dead   bool
	peek   func(fd uintptr)
	parts  [2][]byte
	out    net.Buffers // of parts
	stream bodyStream
}

// errBusy says that all connections a target may have were in use until the
// timeout.
var errBusy = errors.New("too many connections to the backend")

// get returns an idle connection if reuse allows it, or a new one. It waits for
// neither longer than until the deadline, nor longer than the client. A new connection
// must also be there after connectTimeout, if that is not 0.
func (p *pool) get(x *gateway.Exchange, deadline time.Time, connectTimeout time.Duration, reuse bool) (*conn, error) {
	l := p.idle
	l.mu.Lock()
	for {
		// At the limit, an idle connection that must not be used makes room.
		for len(l.conns) > 0 && (reuse || l.open >= p.client.c.MaxConns) {
			last := len(l.conns) - 1
			c := l.conns[last]
			l.conns[last] = nil
			l.conns = l.conns[:last]
			l.mu.Unlock()
			if reuse && c.usable() {
				return c, nil
			}
			c.discard()
			l.mu.Lock()
		}
		if l.open < p.client.c.MaxConns {
			break
		}
		turn := make(chan struct{})
		l.wait = append(l.wait, turn)
		l.mu.Unlock()
		if err := l.queue(x, turn, deadline); err != nil {
			return nil, err
		}
		l.mu.Lock()
	}
	l.open++
	l.mu.Unlock()
	if connectTimeout > 0 {
		if soon := time.Now().Add(connectTimeout); soon.Before(deadline) {
			deadline = soon
		}
	}
	c, err := p.dial(x, deadline)
	if err != nil {
		l.freed()
		return nil, err
	}
	return c, nil
}

// queue waits for a turn.
func (l *idleList) queue(x *gateway.Exchange, turn chan struct{}, deadline time.Time) error {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	left := make(chan struct{})
	x.Await(&gateway.Wait{Abort: func() { close(left) }})
	var err error
	select {
	case <-turn:
	case <-timer.C:
		err = errBusy
	case <-left:
		err = errGone
	}
	if !x.Done() {
		err = errGone
	}
	if err != nil {
		l.leave(turn)
	}
	return err
}

// freed gives a place back.
func (l *idleList) freed() {
	l.mu.Lock()
	l.open--
	l.next()
	l.mu.Unlock()
}

// next wakes who waits longest. The lock is held.
func (l *idleList) next() {
	if len(l.wait) > 0 {
		close(l.wait[0])
		l.wait[0] = nil
		l.wait = l.wait[1:]
	}
}

// leave ends a wait in vain. A turn that came meanwhile passes on.
func (l *idleList) leave(turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.wait {
		if w == turn {
			l.wait = append(l.wait[:i], l.wait[i+1:]...)
			return
		}
	}
	l.next()
}

func (p *pool) dial(x *gateway.Exchange, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	x.Await(&gateway.Wait{Abort: cancel})
	c, err := p.connect(ctx)
	if !x.Done() {
		if err == nil {
			c.Conn.Close()
		}
		return nil, errGone
	}
	return c, err
}

func (p *pool) connect(ctx context.Context) (*conn, error) {
	nc, err := p.client.dial(ctx, &p.target)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, list: p.idle, fresh: true}
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.peek, c.wait.Abort = c.look, c.abort
	if a, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		c.local = node(a.AddrPort().Addr().Unmap())
	}
	if p.tls != nil {
		tc := tls.Client(nc, p.tls)
		if err := tc.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, err
		}
		c.Conn = tc
	}
	c.br = bufio.NewReaderSize(c.Conn, 4<<10)
	return c, nil
}

// usable reports whether an idle connection is still open and silent. A backend
// that closed it, or that sent what nobody asked for, is found out here.
func (c *conn) usable() bool {
	if c.br.Buffered() > 0 {
		return false
	}
	if c.raw == nil {
		return true
	}
	c.dead = false
	if err := c.raw.Control(c.peek); err != nil {
		return false
	}
	return !c.dead
}

// look is c.peek: a field, so that checking allocates nothing.
func (c *conn) look(fd uintptr) {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.dead = !errors.Is(err, syscall.EAGAIN)
}

// write sends a request: a head, which may have a short body behind it, and what follows
// from where that is, in one call of the system. It returns how much was sent.
func (c *conn) write(head, rest []byte) (int64, error) {
	if len(rest) == 0 {
		n, err := c.Write(head)
		return int64(n), err
	}
	c.parts = [2][]byte{head, rest}
	c.out = c.parts[:]
	n, err := c.out.WriteTo(c.Conn)
	c.parts = [2][]byte{}
	return n, err
}

// abort wakes whoever waits on the connection with an error.
func (c *conn) abort() { c.Conn.SetDeadline(longAgo) }

var longAgo = time.Unix(1, 0)

// put returns a connection after a complete exchange.
func (c *conn) put() {
	c.fresh = false
	c.used = time.Now()
	l := c.list
	l.mu.Lock()
	if l.closed || len(l.conns) >= l.max {
		l.mu.Unlock()
		c.discard()
		return
	}
	l.conns = append(l.conns, c)
	l.next()
	l.mu.Unlock()
}

// discard closes a connection that must not be used again.
func (c *conn) discard() {
	c.Conn.Close()
	c.list.freed()
}

// closeIdle closes the connections not used since a time; with last, the pool
// keeps none from now on.
func (p *pool) closeIdle(since time.Time, last bool) {
	l := p.idle
	l.mu.Lock()
	l.closed = l.closed || last
	n := 0
	for n < len(l.conns) && (last || l.conns[n].used.Before(since)) {
		n++
	}
	old := append([]*conn(nil), l.conns[:n]...)
	l.conns = append(l.conns[:0], l.conns[n:]...)
	clear(l.conns[len(l.conns):cap(l.conns)])
	l.mu.Unlock()
	for _, c := range old {
		c.discard()
	}
}

// closeAll runs when the pool is gone.
func (l *idleList) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.conns {
		c.Conn.Close()
	}
	l.conns = nil
}

// timedOut reports whether an error is that of a deadline.
func timedOut(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
