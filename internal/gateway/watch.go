package gateway

import (
	"errors"
	"syscall"
	"time"
)

// watch looks at every connection once per interval, for as long as there are
// any. It ends phases that last too long, and finds out when the client of a long
// exchange has left, so that the backend is freed. Exchanges shorter than an
// interval never notice.
func (s *Server) watch() {
	defer s.watcher.Done()
	tick := time.NewTicker(s.limits.Abandoned)
	defer tick.Stop()
	for {
		var now time.Time
		select {
		case <-s.stop:
			return
		case now = <-tick.C:
		}
		s.mu.Lock()
		if len(s.conns) == 0 {
			s.watching = false
			s.mu.Unlock()
			return
		}
		for c := range s.conns {
			c.look(now)
		}
		s.mu.Unlock()
	}
}

// look compares the state of a connection with what it was.
func (c *conn) look(now time.Time) {
	if s := c.http2.Load(); s != nil {
		s.look(now)
	}
	state := c.state.Load()
	if state != c.seen {
		c.seen, c.since = state, now
		return
	}
	lasted := now.Sub(c.since)
	l := &c.s.limits
	switch phaseOf(state) {
	case phaseIdle:
		if lasted > l.Idle && c.http2.Load() == nil { // there, the client is told first
			c.expire(state, now)
		}
	case phaseHandshake:
		if lasted > l.Handshake {
			c.expire(state, now)
		}
	case phaseHead:
		if lasted > l.Head {
			c.expire(state, now)
		}
	case phaseBody:
		if lasted > l.BodyIdle {
			c.expire(state, now)
		}
	case phaseWrite:
		if lasted > l.Write {
			c.expire(state, now)
		}
	case phaseExchange:
		if lasted >= l.Abandoned && c.clientLeft() {
			c.x.abort()
		}
	}
}

// clientLeft asks the socket, without reading from it, whether the other end has
// closed. A client that only closes its sending side counts as gone, as it does
// for other proxies.
func (c *conn) clientLeft() bool {
	if c.raw == nil {
		return false
	}
	left := false
	err := c.raw.Control(func(fd uintptr) {
		if c.tls != nil && otherEndClosed(int(fd)) {
			left = true
			return
		}
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == nil:
			left = n == 0
		default:
			left = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
		}
	})
	return left || err != nil
}
