package gateway

import (
	"context"
	"errors"
	"net"
	"time"
)

// Serve accepts connections until the listener or the server closes. It returns
// nil after Shutdown or Close.
func (s *Server) Serve(l net.Listener) error { return s.accept(l, nil) }

// accept is Serve and, with t, ServeTLS.
func (s *Server) accept(l net.Listener, t *tlsListener) error {
	s.mu.Lock()
	if s.closed || s.draining.Load() {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners[l] = struct{}{}
	s.accepting.Add(1)
	s.mu.Unlock()
	defer func() {
		l.Close()
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
		s.accepting.Done()
	}()
	var delay time.Duration
	for {
		c, err := l.Accept()
		if err == nil {
			delay = 0
			s.start(c, t)
			continue
		}
		if s.draining.Load() || errors.Is(err, net.ErrClosed) {
			return nil
		}
		// Out of descriptors or the like: stay alive, and look again soon.
		delay = min(max(2*delay, 5*time.Millisecond), maxAcceptDelay)
		if s.complaint.allow(time.Now()) {
			s.log.Error("accept", "error", err)
		}
		time.Sleep(delay)
	}
}

// maxAcceptDelay is the longest pause after a connection could not be accepted.
const maxAcceptDelay = 250 * time.Millisecond

func (s *Server) start(nc net.Conn, t *tlsListener) {
	c := newConn(s, nc)
	if t != nil {
		c.secure(t)
	}
	s.mu.Lock()
	full := len(s.conns)+s.taken() >= s.limits.Conns && !s.evict()
	if s.closed || full {
		s.mu.Unlock()
		nc.Close()
		if full && s.complaint.allow(time.Now()) {
			s.log.Warn("too many connections: a new one was closed", "connections", s.limits.Conns)
		}
		return
	}
	s.conns[c] = struct{}{}
	s.serving.Add(1)
	if !s.watching {
		s.watching = true
		s.watcher.Add(1)
		go s.watch()
	}
	s.mu.Unlock()
	go c.serve()
}

// fallbackConns is how many connections are open at most where the limit of the
// process is not known.
const fallbackConns = 10000

// slowHandshake is how long a TLS handshake lasts before its connection counts as one
// that rests, where there are too many.
const slowHandshake = time.Second

// evictTries is how many connections are looked at for one that rests.
const evictTries = 64

// evict closes a connection that rests between requests, and reports whether there
// was one. The lock is held. Only what the watcher has seen resting counts: the
// request of a newer connection may be on its way.
func (s *Server) evict() bool {
	if len(s.conns)+s.taken() >= s.limits.Conns+evictTries {
		return false // those evicted before have not gone yet
	}
	tries := 0
	for c := range s.conns {
		state := c.state.Load()
		rests := phaseOf(state) == phaseIdle || phaseOf(state) == phaseHandshake && time.Since(c.since) > slowHandshake
		if state == c.seen && rests && !c.expired.Load() {
			c.expire(state, time.Unix(1, 0))
			return true
		}
		if tries++; tries == evictTries {
			break
		}
	}
	return false
}

func (s *Server) ended(c *conn) {
	s.forget(c)
	s.serving.Done()
}

// forget takes a connection out of the list of those that are watched.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// roomForHTTP is the part of all connections that upgraded ones leave to requests.
const roomForHTTP = 16

// RoomToUpgrade reports whether another connection may be taken, besides those that have
// been and some that are expected to be: some stay free for requests.
func (s *Server) RoomToUpgrade(expected int) bool {
	return s.taken()+expected < s.limits.Conns-s.limits.Conns/roomForHTTP
}

// drainBacklog is how long a listener goes on accepting when the server shuts
// down: closing it would reset the connections that the kernel has already
// accepted.
const drainBacklog = 10 * time.Millisecond

// drainIdle is how long an idle connection may still send a request while the
// server shuts down: one that was on its way when it fell idle.
const drainIdle = 50 * time.Millisecond

// Shutdown stops accepting, lets every request under way be answered, and closes
// connections as they fall idle. When ctx ends first, the rest is cut off and
// ctx's error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.mu.Lock()
	for l := range s.listeners {
		if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
			d.SetDeadline(time.Now().Add(drainBacklog))
		} else {
			l.Close()
		}
	}
	for c := range s.conns {
		c.wakeIfIdle()
	}
	s.mu.Unlock()
	s.http2.goAway()
	done := make(chan struct{})
	go func() {
		s.accepting.Wait()
		s.serving.Wait()
		close(done)
	}()
	select {
	case <-done:
		return s.Close()
	case <-ctx.Done():
		s.Close()
		<-done
		return ctx.Err()
	}
}

// Close cuts off everything and waits until its goroutines have ended.
func (s *Server) Close() error {
	s.draining.Store(true)
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.cutOff() // first: what is aborted must not be answered as if its backend had failed
		c.x.abort()
	}
	s.mu.Unlock()
	s.accepting.Wait()
	s.serving.Wait()
	s.watcher.Wait()
	return nil
}
