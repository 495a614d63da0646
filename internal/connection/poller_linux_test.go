package connection

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStaleEvent has an event of a connection whose descriptor belongs to another one.
func TestStaleEvent(t *testing.T) {
	t.Parallel()
	h, r := newHub(t, Config{}), newRecorder()
	server, client := pair(t, "descriptor")
	c := adopt(t, h, server, r)
	p := c.carrier.(*poller)
	c.mu.Lock()
	event := unix.EpollEvent{Fd: c.fd, Pad: c.generation}
	c.mu.Unlock()
	p.mu.Lock()
	if p.find(event) != c {
		t.Error("the event of the connection is not its own")
	}
	event.Pad--
	if p.find(event) != nil {
		t.Error("an event of the connection before is the connection's")
	}
	p.mu.Unlock()
	client.Close()
	await(t, r.ends)
}

// TestDescriptor checks that a connection that was taken over is the runtime's no more.
func TestDescriptor(t *testing.T) {
	t.Parallel()
	h, r := newHub(t, Config{}), newRecorder()
	server, client := pair(t, "descriptor")
	c := adopt(t, h, server, r)
	if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the caller can still write: %v", err)
	}
	c.mu.Lock()
	flags, err := unix.FcntlInt(uintptr(c.fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("functions inherit the descriptor: %v", err)
	}
	if flags, err = unix.FcntlInt(uintptr(c.fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("the descriptor blocks: %v", err)
	}
	fd, p := c.fd, c.carrier.(*poller)
	c.mu.Unlock()
	client.Close()
	await(t, r.ends)
	// The socket is closed before the lock is given back.
	c.mu.Lock()
	p.mu.Lock()
	if p.table[fd] == c || c.fd != -1 {
		t.Error("the poller keeps a closed connection")
	}
	p.mu.Unlock()
	c.mu.Unlock()
}
