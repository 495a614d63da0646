//lint:file-ignore SA1019 net/http's server takes no connection whose frames somebody looks at, http2's does.

package gateway

import (
	"context"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// HTTP/2 frames and streams are golang.org/x/net/http2's. Each of its requests fills an
// exchange, which goes through the same steps as one of HTTP/1; http2_flood.go counts
// the frames that cost more than they bring.

// An http2Server is what the HTTP/2 connections of a server have in common.
type http2Server struct {
	once  sync.Once
	frame *http2.Server
	base  *http.Server
}

// http2KeepAlive is how long nothing may come from a client before it is asked whether
// it is there, and how long it has to answer.
const http2KeepAlive = 30 * time.Second

// streamTime is how long a stream may last that sets no deadline of its own. An exchange
// without a long body is over sooner, whatever happens, but for the moment in which
// http2 sends the end of its answer. If the client takes away then the room that it had
// given, this is the end.
const streamTime = 10 * time.Minute

func (h *http2Server) start(s *Server) {
	h.once.Do(func() {
		h.frame = &http2.Server{
			MaxConcurrentStreams: uint32(s.limits.Streams),
			MaxReadFrameSize:     16 << 10,
			IdleTimeout:          s.limits.Idle,
			ReadIdleTimeout:      http2KeepAlive,
			PingTimeout:          http2KeepAlive,
		}
		h.base = &http.Server{
			MaxHeaderBytes: maxRawHead,
			WriteTimeout:   streamTime + s.limits.Write,
			ErrorLog:       stdlog.New(io.Discard, "", 0),
			ConnState: func(nc net.Conn, state http.ConnState) {
				nc.(*framed).c.streamsChanged(state == http.StateActive)
			},
		}
		if err := http2.ConfigureServer(h.base, h.frame); err != nil {
			panic(err) // only for configurations that these are not
		}
	})
}

// goAway asks the clients of all HTTP/2 connections to open no more streams. The
// connections end when their last stream has.
func (h *http2Server) goAway() {
	h.once.Do(func() {}) // either it has started or it never will
	if h.base != nil {
		h.base.Shutdown(context.Background()) // returns at once: the connections are not the base's
	}
}

// streamsChanged is called when the first stream of a connection has been opened, or the
// last one has ended.
func (c *conn) streamsChanged(open bool) {
	if open {
		c.enter(phaseStreams)
		return
	}
	c.enter(phaseIdle)
	if c.s.draining.Load() {
		// It came too late to be asked with the others.
		c.s.http2.goAway()
	}
}

// A session is one HTTP/2 connection.
type session struct {
	c  *conn
	nc framed

	mu      sync.Mutex // guards the fields below
	over    bool       // there will be no more streams
	first   *stream    // of those being served
	streams sync.WaitGroup
}

// serveHTTP2 serves a connection until it ends, and waits for its streams.
func (c *conn) serveHTTP2() {
	s := &session{c: c, nc: framed{Conn: c.tls, c: c, in: frames{skip: len(http2.ClientPreface)}}}
	s.nc.init()
	c.http2.Store(s)
	h := &c.s.http2
	h.start(c.s)
	if h.base == nil {
		return // the server is shutting down, and has never spoken HTTP/2
	}
	h.frame.ServeConn(&s.nc, &http2.ServeConnOpts{BaseConfig: h.base, Handler: s})
	s.mu.Lock()
	s.over = true
	for t := s.first; t != nil; t = t.next {
		t.x.abort()
	}
	s.mu.Unlock()
	s.streams.Wait()
}

// begin takes note of a stream, and reports whether it may be served.
func (s *session) begin(t *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.streams.Add(1)
	if t.next = s.first; t.next != nil {
		t.next.previous = t
	}
	s.first = t
	return true
}

// end forgets a stream: nobody aborts its exchange any more.
func (s *session) end(t *stream) {
	s.mu.Lock()
	if t.previous != nil {
		t.previous.next = t.next
	} else {
		s.first = t.next
	}
	if t.next != nil {
		t.next.previous = t.previous
	}
	t.previous, t.next = nil, nil
	s.mu.Unlock()
}

// look gives up the exchanges whose streams have been reset. Exchanges that are shorter
// than the watcher's interval never notice. Only the watcher calls it.
func (s *session) look(now time.Time) {
	s.nc.look(now)
	s.mu.Lock()
	for t := s.first; t != nil; t = t.next {
		if t.r.Context().Err() != nil && !t.x.Gone() {
			t.x.abort()
		}
	}
	s.mu.Unlock()
}

// ServeHTTP implements http.Handler. It is called in a goroutine of its own, of which
// there are never more than the connection may have streams: one that the client has
// reset counts as long as it runs.
func (s *session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := streams.Get().(*stream)
	x := &t.x
	t.session, t.w, t.r, t.pace, t.expects = s, w, r, 0, true
	if !s.begin(t) {
		t.session, t.w, t.r = nil, nil, nil
		streams.Put(t)
		return
	}
	defer s.streams.Done()
	x.server, x.handshake = s.c.s, s.c.handshake
	x.Request.Peer, x.Request.TLS = s.c.x.Request.Peer, s.c.x.Request.TLS
	x.Start = time.Now()
	x.ID = requestID(&x.idBuf)
	whole := false
	defer func() {
		if p := recover(); p != nil {
			s.c.s.panicked(x, p)
		}
		s.end(t)
		x.end()
		t.session, t.w, t.r = nil, nil, nil
		if !whole {
			// The frame that was being written may still refer to the buffers: they are
			// left to the collector, so that nobody else's bytes get into it.
			panic(http.ErrAbortHandler)
		}
		keep(&t.text, keepBuffer)
		clear(t.names)
		streams.Put(t)
	}()
	err := t.fill()
	if err == nil {
		err = x.handshake.check(x.Start)
	}
	x.server.handle(x, err)
	err = t.respond()
	x.server.finish(x)
	whole = err == nil
}
