package connection

import (
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// readBuffer is how much is read of a connection before it is the next one's turn.
	readBuffer = 64 << 10
	// maxEvents is how many connections are looked at per look at the kernel.
	maxEvents = 256
)

// A poller reads from connections by their descriptors, with one goroutine for all. It
// parses, but calls no handler.
type poller struct {
	epoll int
	wake  int

	mu sync.Mutex // guards what follows
	// table has the connection of each descriptor. Generations tell a connection from
	// the one that had its descriptor before, of which there may be events left.
	table      []*Connection
	generation int32
}

// poll has a poller carry the connection, if its descriptor can be had. The descriptor is
// taken out of conn, which is closed, and with it everything the runtime keeps for it.
func (h *Hub) poll(c *Connection, conn net.Conn) (carrier, error) {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil, nil
	}
	fd, err := duplicate(conn.(syscall.Conn))
	if err != nil {
		return nil, err
	}
	p, err := h.pollerOf(fd)
	if err == nil {
		err = p.add(c, fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	// The descriptor that is left keeps the socket open.
	conn.Close()
	return p, nil
}

// duplicate returns a descriptor of our own.
func duplicate(conn syscall.Conn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	controlErr := raw.Control(func(of uintptr) {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = controlErr
	}
	if err != nil {
		return -1, fmt.Errorf("take over its descriptor: %w", err)
	}
	return fd, nil
}

// pollerOf returns the poller for a descriptor, and starts it if need be.
func (h *Hub) pollerOf(fd int) (*poller, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return nil, ErrDraining
	}
	for len(h.pollers) < h.config.Pollers {
		p, err := newPoller()
		if err != nil {
			return nil, fmt.Errorf("start a poller: %w", err)
		}
		h.pollers = append(h.pollers, p)
		h.goroutines.Go(p.run)
	}
	return h.pollers[fd%len(h.pollers)], nil
}

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)})
		if err != nil {
			unix.Close(wake)
		}
	}
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	return &poller{epoll: epoll, wake: wake}, nil
}

// add begins to carry the connection. Its lock is held.
func (p *poller) add(c *Connection, fd int) error {
	p.mu.Lock()
	p.generation++
	c.generation = p.generation
	if fd >= len(p.table) {
		p.table = append(p.table, make([]*Connection, fd+1-len(p.table))...)
		p.table = p.table[:cap(p.table)]
	}
	p.table[fd] = c
	p.mu.Unlock()
	c.fd, c.interest = int32(fd), unix.EPOLLIN
	err := p.control(c, unix.EPOLL_CTL_ADD)
	if err != nil {
		p.remove(c)
		c.fd = -1
	}
	return err
}

func (p *poller) control(c *Connection, op int) error {
	return unix.EpollCtl(p.epoll, op, int(c.fd), &unix.EpollEvent{Events: c.interest, Fd: c.fd, Pad: c.generation})
}

func (p *poller) remove(c *Connection) {
	p.mu.Lock()
	p.table[c.fd] = nil
	p.mu.Unlock()
}

// run looks at connections until the poller is stopped.
func (p *poller) run() {
	events := make([]unix.EpollEvent, maxEvents)
	batch := make([]*Connection, maxEvents)
	buffer := make([]byte, readBuffer)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if err != nil {
			// It was a signal: nothing else can go wrong with a descriptor of our own.
			continue
		}
		stopped := false
		p.mu.Lock()
		for i, e := range events[:n] {
			if int(e.Fd) == p.wake {
				stopped = true
			} else {
				batch[i] = p.find(e)
			}
		}
		p.mu.Unlock()
		for i, c := range batch[:n] {
			if c != nil {
				p.look(c, events[i].Events, buffer)
			}
		}
		clear(batch[:n])
		if stopped {
			unix.Close(p.wake)
			unix.Close(p.epoll)
			return
		}
	}
}

// find returns the connection of an event, nil if it is closed. The lock of the poller is
// held.
func (p *poller) find(e unix.EpollEvent) *Connection {
	if c := p.table[e.Fd]; c != nil && c.generation == e.Pad {
		return c
	}
	return nil
}

// look does what an event asks for. The connection may have been closed since.
func (p *poller) look(c *Connection, events uint32, buffer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if events&unix.EPOLLOUT != 0 && c.state != closed {
		c.flush()
	}
	if c.state == closed {
		return
	}
	if c.interest&unix.EPOLLIN != 0 {
		if events&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			p.read(c, buffer)
		}
	} else if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		// What the client sent before is lost with it.
		c.lost()
	}
}

// read takes what has come. The lock is held.
func (p *poller) read(c *Connection, buffer []byte) {
	n, err := unix.Read(int(c.fd), buffer)
	switch {
	case n > 0:
		c.receive(buffer[:n])
	case n == 0 && err == nil:
		c.ended()
	case err != unix.EAGAIN && err != unix.EINTR:
		c.lost()
	}
}

func (p *poller) write(c *Connection, frames []byte) (int, error) {
	n, err := unix.Write(int(c.fd), frames)
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, nil
	}
	return max(n, 0), err
}

func (p *poller) want(c *Connection, read, write bool) {
	var interest uint32
	if read {
		interest = unix.EPOLLIN
	}
	if write {
		interest |= unix.EPOLLOUT
	}
	if interest == c.interest {
		return
	}
	c.interest = interest
	if p.control(c, unix.EPOLL_CTL_MOD) != nil {
		c.lost()
	}
}

func (p *poller) shutdown(c *Connection) {
	// The client may be gone already; reading will tell.
	_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
}

func (p *poller) close(c *Connection, abort bool) {
	if abort {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	p.remove(c)
	// A child of this process that is just being started may hold the socket a moment
	// longer, and must not hold us to it.
	_ = p.control(c, unix.EPOLL_CTL_DEL)
	unix.Close(int(c.fd))
	c.fd = -1
}

// stop has the poller end. All its connections are closed.
func (p *poller) stop() {
	var one [8]byte
	one[0], one[7] = 1, 1 // whatever the order of bytes
	_, _ = unix.Write(p.wake, one[:])
}
