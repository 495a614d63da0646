package websocket

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/internal/authorizer"
	"penstock/internal/connection"
	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/journal"
)

// Config says what a Server is like.
type Config struct {
	// Hub keeps the connections.
	Hub *connection.Hub
	// Journal remembers which connections are open; nil if nobody does.
	Journal *journal.Journal
	// Management decides who may use @connections.
	Management *authorizer.Management
	// Keys are the API keys; nil if there are none.
	Keys *authorizer.APIKeys
	// Rate bounds new connections; nil for any number.
	Rate *gateway.Limit
	// MessageLimit is how long a message may be, in bytes.
	MessageLimit int
	// Compression says that permessage-deflate is agreed on.
	Compression bool
	Metrics     prometheus.Registerer
	Logger      *slog.Logger
}

// A Server has the connections of all stages. Use ties it to a gateway before anything is
// served.
type Server struct {
	config  Config
	hub     *connection.Hub
	log     *slog.Logger
	rate    *gateway.Bucket
	meters  *meters
	gateway *gateway.Server
	bus     Bus

	// handshakes is how many have been begun and are neither refused nor connections.
	handshakes atomic.Int64

	draining atomic.Bool
	drain    sync.Once
	// events are those of $disconnect that nobody waits for.
	events sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	stages map[stageKey]*openStage
}

// A stageKey names a stage.
type stageKey struct{ api, name string }

// An openStage is a stage that has connections, or handshakes whose end is near.
type openStage struct {
	conns int
	// last is what was served last: what is told of the end of connections when the stage
	// itself has gone.
	last *Stage
}

// New returns a server without connections.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	s := &Server{config: c, hub: c.Hub, log: c.Logger, stages: map[stageKey]*openStage{}}
	if c.Rate != nil {
		s.rate = gateway.NewBucket(c.Rate)
	}
	s.meters = newMeters(c.Metrics)
	bus := newLocalBus(c.Hub)
	s.bus = bus
	observe(c.Metrics, c.Hub, bus)
	return s
}

// Use says which gateway the exchanges of the server belong to.
func (s *Server) Use(g *gateway.Server) { s.gateway = g }

// Total returns how many connections take a descriptor: those that are open, and those that
// have ended and whose sockets are still being closed.
func (s *Server) Total() int { return s.hub.Sockets() }

// Published tells of a snapshot that is served from now on. Connections of stages that it
// does not have end.
func (s *Server) Published(next *gateway.Snapshot) {
	var removed []stageKey
	s.mu.Lock()
	for key, open := range s.stages {
		if st := stageOf(next, key); st != nil {
			open.last = st
		} else {
			removed = append(removed, key)
		}
	}
	s.mu.Unlock()
	for _, key := range removed {
		s.hub.CloseStage(key.api, key.name, connection.GoingAway)
	}
	s.meters.sweep(next)
}

// stageOf returns the stage that a snapshot has under a key, nil if none.
func stageOf(snapshot *gateway.Snapshot, key stageKey) *Stage {
	api := snapshot.API(key.api)
	if api == nil {
		return nil
	}
	if st := api.Stages[key.name]; st != nil {
		sockets, _ := st.Sockets.(*Stage)
		return sockets
	}
	return nil
}

// current returns the stage that handles the events of connections of a stage now. It is
// what was served last if the stage has gone, nil if nobody knows it; then gone is true.
func (s *Server) current(key stageKey) (st *Stage, gone bool) {
	if st := stageOf(s.gateway.Snapshot(), key); st != nil {
		return st, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if open := s.stages[key]; open != nil {
		return open.last, true
	}
	return nil, true
}

// enter counts a connection of a stage.
func (s *Server) enter(st *Stage) {
	key := stageKey{st.APIID, st.Name}
	s.mu.Lock()
	defer s.mu.Unlock()
	open := s.stages[key]
	if open == nil {
		open = &openStage{last: st}
		s.stages[key] = open
		// A newer one may have been published during the handshake, when nobody was there
		// to remember it for.
		if now := stageOf(s.gateway.Snapshot(), key); now != nil {
			open.last = now
		}
	}
	open.conns++
}

// leave ends the count of a connection.
func (s *Server) leave(key stageKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open := s.stages[key]; open != nil {
		if open.conns--; open.conns == 0 {
			delete(s.stages, key)
		}
	}
}

// A session is what is known of the client of a connection besides its address. A
// connection without anything has none.
type session struct {
	identity   *gateway.Identity
	latency    time.Duration // of the Lambda authorizer
	key, keyID string        // API key
}

// socket returns what the events of a connection have in common now.
func (st *Stage) socket(info *connection.Info) event.Socket {
	s := event.Socket{
		APIID:          st.APIID,
		Stage:          st.Name,
		ConnectionID:   info.ID,
		DomainName:     info.DomainName,
		ConnectedAt:    info.ConnectedAt,
		SourceIP:       info.SourceIP,
		UserAgent:      info.UserAgent,
		StageVariables: st.Variables,
	}
	if known, ok := info.Owner.(*session); ok && known != nil {
		s.Identity, s.AuthorizerLatency, s.APIKey, s.APIKeyID = known.identity, known.latency, known.key, known.keyID
	}
	return s
}

// exchange returns the exchange that carries an event of a connection.
func (s *Server) exchange(st *Stage, r *Route, info *connection.Info, method string) *gateway.Exchange {
	x := s.gateway.NewExchange()
	x.ID, x.Start = connection.NewID(), time.Now()
	x.API, x.Stage, x.ConnectionID = st.API, st.Gateway, info.ID
	if r != nil {
		x.Route = r.Gateway
	}
	x.Request.Method, x.Request.Host, x.Request.Path = method, info.DomainName, "/"+st.Name
	x.Path, x.RoutePath = x.Request.Path, "/"
	if a, err := netip.ParseAddr(info.SourceIP); err == nil {
		x.Request.Peer = netip.AddrPortFrom(a, 0)
	}
	return x
}

// Drain lets nobody in any more, ends all connections with the code for leaving, and waits
// until their ends have been told, or until ctx ends. What is not told then is told after
// the next start.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	var err error
	s.drain.Do(func() { err = s.hub.Drain(ctx) })
	done := make(chan struct{})
	go func() {
		s.events.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return err
}
