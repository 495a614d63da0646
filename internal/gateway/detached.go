package gateway

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// detached are exchanges that no connection has, for use again.
var detached = sync.Pool{New: func() any { return new(Exchange) }}

// A detachedList has the exchanges of NewExchange that are not finished.
type detachedList struct {
	mu    sync.Mutex // guards what follows, and the links of exchanges
	first *Exchange
	// cut says that nothing is waited for any more. empty is closed when, after that, all
	// exchanges are finished.
	cut   bool
	empty chan struct{}
}

// add puts an exchange into the list. It is aborted if everything was cut off.
func (l *detachedList) add(x *Exchange) {
	l.mu.Lock()
	if x.next = l.first; x.next != nil {
		x.next.previous = x
	}
	l.first = x
	if l.cut {
		x.gone.Store(true)
	}
	l.mu.Unlock()
}

// remove takes an exchange out. Nobody aborts it from now on.
func (l *detachedList) remove(x *Exchange) {
	l.mu.Lock()
	if x.next != nil {
		x.next.previous = x.previous
	}
	if x.previous != nil {
		x.previous.next = x.next
	} else {
		l.first = x.next
	}
	x.next, x.previous = nil, nil
	if l.first == nil && l.empty != nil {
		close(l.empty)
		l.empty = nil
	}
	l.mu.Unlock()
}

// NewExchange returns an exchange that no client waits for: it carries an event of a
// WebSocket API through what requests go through, too. Its owner fills in ID, Start, what
// it resolved to and the request, whose body is in memory, and ends it with Finish.
func (s *Server) NewExchange() *Exchange {
	x := detached.Get().(*Exchange)
	x.server, x.bodyRead = s, true
	x.Request.Minor = 1
	s.detached.add(x)
	return x
}

// Finish records an exchange of NewExchange and gives it back. The error is why it was
// not answered by an integration, nil if it was.
func (s *Server) Finish(x *Exchange, err error) {
	s.detached.remove(x)
	if err != nil {
		x.fail(err)
	}
	s.finish(x)
	x.end()
	x.Request.Peer = netip.AddrPort{}
	x.Start = time.Time{}
	x.server = nil
	detached.Put(x)
}

// CutOff gives up what exchanges of NewExchange wait for, and what later ones would, and
// waits until all of them are finished, or until ctx ends.
func (s *Server) CutOff(ctx context.Context) error {
	l := &s.detached
	l.mu.Lock()
	l.cut = true
	for x := l.first; x != nil; x = x.next {
		x.abort()
	}
	if l.first == nil {
		l.mu.Unlock()
		return nil
	}
	if l.empty == nil {
		l.empty = make(chan struct{})
	}
	empty := l.empty
	l.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
