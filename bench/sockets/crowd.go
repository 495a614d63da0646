//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A target is where connections are made.
type target struct {
	addr string // of the server, IPv4
	host string // Host header
	path string
}

// key and accept belong together; every handshake has the same.
const (
	key    = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// handshake is what is sent to begin.
func (t target) handshake() []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", t.path, t.host, key)
}

// patience is how long a blocking call waits for the server.
var patience = syscall.Timeval{Sec: 10}

// A conn is a descriptor and what was read from it. There are thousands: a goroutine and
// the buffers of package net for each would cost more than the server has.
type conn struct {
	fd     int
	unread []byte
	first  []byte // first answer, for servers that say who is asking
	sent   []byte // message under way
	serial int
}

// sources is how many loopback addresses connections come from. Each has 28,000 ports
// with the defaults of Linux, and a port stays unusable for a minute after its use.
const sources = 200

// dial connects from one of the loopback addresses.
func dial(addr string, from int) (*conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(
		// With IP_BIND_ADDRESS_NO_PORT the port is chosen when the other side is known.
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, 24, 1),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &patience),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + from%sources)}}),
	)
	if err == nil {
		err = again(func() error {
			return syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		})
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &conn{fd: fd}, nil
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

// open connects and does the handshake. Any answer but 101 is an error that quotes it.
func (t target) open(from int) (*conn, error) {
	c, err := dial(t.addr, from)
	if err != nil {
		return nil, err
	}
	if err := c.begin(t.handshake()); err != nil {
		_ = syscall.Close(c.fd)
		return nil, err
	}
	return c, nil
}

func (c *conn) begin(request []byte) error {
	if err := c.write(request); err != nil {
		return err
	}
	for {
		if head, rest, ok := bytes.Cut(c.unread, []byte("\r\n\r\n")); ok {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
				return fmt.Errorf("handshake: answered with %.300q", c.unread)
			}
			if !bytes.Contains(head, []byte(accept)) {
				return fmt.Errorf("handshake: wrong accept in %q", head)
			}
			c.unread = append([]byte(nil), rest...)
			return nil
		}
		if err := c.read(); err != nil {
			return fmt.Errorf("handshake: %w after %q", err, c.unread)
		}
	}
}

// write sends a whole text. It is short, and nothing else is under way, so a buffer that
// is full is an error.
func (c *conn) write(text []byte) error {
	var n int
	err := again(func() (err error) { n, err = syscall.Write(c.fd, text); return err })
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if n < len(text) {
		return fmt.Errorf("write: %w", io.ErrShortWrite)
	}
	return nil
}

// read adds what has come. io.EOF says that the server has closed.
func (c *conn) read() error {
	if cap(c.unread)-len(c.unread) < 256 {
		c.unread = append(make([]byte, 0, 2*cap(c.unread)+512), c.unread...)
	}
	var n int
	err := again(func() (err error) {
		n, err = syscall.Read(c.fd, c.unread[len(c.unread):cap(c.unread)])
		return err
	})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n == 0 {
		return io.EOF
	}
	c.unread = c.unread[:len(c.unread)+n]
	return nil
}

// message returns the next text message, if all of it has come. It is valid until the
// next read.
func (c *conn) message() ([]byte, bool, error) {
	op, payload, length, err := parseFrame(c.unread)
	if err != nil || length == 0 {
		return nil, false, err
	}
	if op != opText {
		return nil, false, fmt.Errorf("frame with operation %d and %q", op, payload)
	}
	c.drop(length)
	return payload, true, nil
}

// drop forgets the first bytes. Their storage is used again when nothing is left.
func (c *conn) drop(n int) {
	if c.unread = c.unread[n:]; len(c.unread) == 0 {
		c.unread = c.unread[:0:cap(c.unread)]
	}
}

// end sends a close frame and waits for the server to answer and to hang up.
func (c *conn) end() error {
	defer syscall.Close(c.fd)
	if err := c.write(appendFrame(nil, opClose, []byte{3, 232})); err != nil {
		return err
	}
	for {
		if err := c.read(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			if op, _, length, _ := parseFrame(c.unread); err == nil && (length == 0 || op != opClose) {
				err = fmt.Errorf("close is answered with %q", c.unread)
			}
			return err
		}
	}
}

// A crowd is connections of one goroutine that waits for all of them at once.
type crowd struct {
	epoll  int
	conns  []*conn
	events []syscall.EpollEvent
}

func newCrowd() (*crowd, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &crowd{epoll: fd, events: make([]syscall.EpollEvent, 256)}, err
}

// add takes a connection in, which does not block from then on.
func (w *crowd) add(c *conn) error {
	w.conns = append(w.conns, c)
	return errors.Join(syscall.SetNonblock(c.fd, true), syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_ADD, c.fd,
		&syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(len(w.conns) - 1)}))
}

// gather opens connections of WebSocket, some at a time, and takes them in.
func (w *crowd) gather(t target, n int) error {
	const atOnce = 16
	made := make([]*conn, n)
	errs := make([]error, atOnce)
	var next atomic.Int64
	var group sync.WaitGroup
	for g := range atOnce {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && errs[g] == nil; i = next.Add(1) - 1 {
				made[i], errs[g] = t.open(int(i))
			}
		})
	}
	group.Wait()
	for _, c := range made {
		if c != nil {
			errs = append(errs, w.add(c))
		}
	}
	for _, err := range errs {
		if err != nil {
			return err // the others say the same, mostly
		}
	}
	return nil
}

// wait reads from those that have something to read, and then tells about each. It
// returns after the time if there is nothing.
func (w *crowd) wait(most time.Duration, tell func(*conn) error) error {
	n, err := syscall.EpollWait(w.epoll, w.events, int(most.Milliseconds()))
	if err == syscall.EINTR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	for _, event := range w.events[:n] {
		c := w.conns[event.Fd]
		if err := c.read(); err != nil {
			return err
		}
		if err := tell(c); err != nil {
			return err
		}
	}
	return nil
}

// allOpen returns an error if a connection has ended, or has something to say.
func (w *crowd) allOpen() error {
	var b [1]byte
	for i, c := range w.conns {
		err := again(func() error {
			n, _, err := syscall.Recvfrom(c.fd, b[:], syscall.MSG_PEEK)
			if err == nil {
				err = fmt.Errorf("%d bytes of %d wait", n, len(b))
			}
			return err
		})
		if err != syscall.EAGAIN {
			return fmt.Errorf("connection %d is not open and idle: %w", i, err)
		}
	}
	return nil
}
