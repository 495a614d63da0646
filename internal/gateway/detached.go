package gateway

import (
	"net/netip"
	"sync"
	"time"
)

// detached are exchanges that no connection has.
var detached = sync.Pool{New: func() any { return new(Exchange) }}

// NewExchange returns an exchange that no client waits for: it carries an event of a
// WebSocket API through what requests go through, too. Its owner fills in ID, Start, what
// it resolved to and the request, whose body is in memory, and ends it with Finish.
func (s *Server) NewExchange() *Exchange {
	x := detached.Get().(*Exchange)
	x.server, x.bodyRead = s, true
	x.Request.Minor = 1
	return x
}

// Finish records an exchange of NewExchange and gives it back. The error is why it was
// not answered by an integration, nil if it was.
func (s *Server) Finish(x *Exchange, err error) {
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

// Refuse makes the response of an error, as if serving the exchange had returned it.
func (x *Exchange) Refuse(err error) { x.fail(err) }
