// Package connection keeps the live WebSocket connections of one node: it speaks the
// protocol, hands messages out and sends them, and says when a connection has ended. What
// messages mean, and who let the client in, is no concern of its.
//
// A Hub takes connections over when their handshake is done:
//
//	c, err := hub.Adopt(conn, last, buffered, connection.Info{ID: id, API: api, Stage: stage}, handler)
//
// From then on its handler hears of messages and of the end, and anybody may find the
// connection by its ID and send to it:
//
//	if c, ok := hub.Find(api, stage, id); ok {
//		err = c.Send([]byte("hello"))
//	}
//
// An idle connection is one small struct. On Linux the Hub polls descriptors itself, so
// that neither a goroutine nor a buffer waits with each of them; TLS, and other systems,
// cost a goroutine per connection.
package connection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrDraining is what Adopt returns once Drain was called.
var ErrDraining = errors.New("the hub is draining")

// Limits bound what one connection may cost. Zero stands for the default.
type Limits struct {
	// Frame is the longest payload of a frame in either direction, in bytes. Default 32768.
	Frame int
	// Message is the longest message in either direction, in bytes. Default 131072.
	Message int
	// Idle is how long a connection lives without a message in either direction.
	// Default 10 minutes.
	Idle time.Duration
	// Life is how long a connection lives at most. Default 2 hours.
	Life time.Duration
	// QueueBytes is how much may wait for a client that reads slowly. One message may
	// wait in any case. Default 1048576.
	QueueBytes int
	// QueueMessages is how many messages may wait for it. Default 256.
	QueueMessages int
	// Stall is how long after a message found the queue full the client has to make room
	// for half of it. Then its connection ends with Internal. Default 10 seconds.
	Stall time.Duration
	// InFlight is how many messages of a connection are taken before one is done. More
	// are not read. Default 16.
	InFlight int
	// InFlightBytes is how much the messages of all connections in flight may hold. When
	// it is reached, each connection has one in flight at most. Default 268435456.
	InFlightBytes int64
	// PartialBytes is how much of messages that are not whole yet, and of frames that wait
	// for their turn, all connections together may hold. Beyond half of it, connections
	// that hold more than an equal share end with Internal, and beyond it all that need
	// more. Default 268435456.
	PartialBytes int64
	// Controls is how many frames that carry no message are read of a connection in a
	// tick. 16 KB that a compressed message grows by, being inflated, count as one of
	// them. Default 100.
	Controls int
	// Grace is how long a connection may take to end after its close frame. Default
	// 5 seconds.
	Grace time.Duration
}

// Config configures a Hub. Zero stands for the default.
type Config struct {
	Limits Limits
	// Ordered has the messages of a connection wait for the one before to be done.
	// Default: they run at the same time.
	Ordered bool
	// PingInterval is how often clients are pinged. One that is not heard of from one
	// ping to the next is gone. Default: never.
	PingInterval time.Duration
	// Workers is how many goroutines call handlers at most. Default 4096.
	Workers int
	// Pollers is how many goroutines read from clients. Default: half of the processors.
	Pollers int
	// Tick is how coarse timers are. Default 1 second.
	Tick time.Duration
	// Logger hears of panics of handlers. Default slog.Default.
	Logger *slog.Logger
}

// defaults fills in what is not set. A queue holds one message at least.
func (c *Config) defaults() {
	l := &c.Limits
	setDefault(&l.Frame, 32<<10)
	setDefault(&l.Message, 128<<10)
	setDefault(&l.Idle, 10*time.Minute)
	setDefault(&l.Life, 2*time.Hour)
	setDefault(&l.QueueBytes, 1<<20)
	setDefault(&l.QueueMessages, 256)
	setDefault(&l.Stall, 10*time.Second)
	setDefault(&l.InFlight, 16)
	setDefault(&l.InFlightBytes, 256<<20)
	setDefault(&l.PartialBytes, 256<<20)
	setDefault(&l.Controls, 100)
	setDefault(&l.Grace, 5*time.Second)
	setDefault(&c.Workers, 4096)
	setDefault(&c.Pollers, max(1, runtime.GOMAXPROCS(0)/2))
	setDefault(&c.Tick, time.Second)
	// More than that of one connection cannot be counted.
	l.Frame, l.Message = min(l.Frame, 1<<29), min(l.Message, 1<<29)
	l.InFlight = min(l.InFlight, 1<<15)
	l.Controls = min(l.Controls, 1<<15)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// setDefault replaces what is no sensible value.
func setDefault[N int | int64 | time.Duration](v *N, to N) {
	if *v <= 0 {
		*v = to
	}
}

// A Hub keeps connections. New makes one; Drain ends it.
type Hub struct {
	config Config
	// start is when the clock of the connections began.
	start time.Time
	pool  pool
	wheel wheel
	// bytes is how much the messages in flight hold.
	bytes atomic.Int64
	// partial is how much the inboxes hold, and queued how much the outboxes do.
	partial, queued atomic.Int64
	// open is how many connections are found, and sockets how many have not given theirs
	// back.
	open, sockets atomic.Int64
	// goroutines are all but the workers.
	goroutines sync.WaitGroup
	stop       chan struct{}
	stopped    chan struct{} // closed when the wheel stands still
	stopOnce   sync.Once

	mu     sync.RWMutex // guards what follows
	stages map[stageKey]*group
	// live counts connections that are not over in every respect.
	live     int
	pollers  []*poller
	draining bool
	// empty is closed when Drain waits and no connection is left.
	empty chan struct{}
}

// A stageKey names a stage of an API.
type stageKey struct {
	api, stage string
}

// A group is the open connections of one stage.
type group struct {
	stageKey
	byID map[string]*Connection
}

// New returns a Hub without connections.
func New(config Config) *Hub {
	config.defaults()
	h := &Hub{config: config, start: time.Now(), stages: make(map[stageKey]*group), stop: make(chan struct{}), stopped: make(chan struct{})}
	h.pool.init(config.Workers)
	h.wheel.every = config.Tick
	h.goroutines.Go(func() {
		defer close(h.stopped)
		h.wheel.run(h.now, h.stop)
	})
	return h
}

// now returns the time on the clock of the connections.
func (h *Hub) now() int64 { return int64(time.Since(h.start)) }

// Adopt takes over a client whose handshake is done but for its last word, which is sent
// before anything else: whoever has heard it can be found. It is empty if nothing is left to
// say. What was read behind the handshake is buffered. The Hub reads, writes and closes the
// connection from now on; nobody else may. The handler may be called before Adopt returns.
// After an error the connection is still the caller's.
func (h *Hub) Adopt(conn net.Conn, last, buffered []byte, info Info, handler Handler) (*Connection, error) {
	if !ValidID(info.ID) {
		return nil, fmt.Errorf("adopt a connection: %q is no connection ID", info.ID)
	}
	extensions, ok := agreed(info.Extensions)
	if !ok {
		return nil, fmt.Errorf("adopt a connection: extensions %q are none of ours", info.Extensions)
	}
	now := h.now()
	info.Extensions = extensions
	if info.ConnectedAt.IsZero() {
		info.ConnectedAt = time.Now()
	}
	c := &Connection{hub: h, handler: handler, info: info, slot: -1, fd: -1, parts: 2}
	c.info.compact()
	c.lifeEnd = now + int64(h.config.Limits.Life-max(0, time.Since(info.ConnectedAt)))
	c.lastActive.Store(now)
	if h.config.PingInterval > 0 {
		c.pingAt = now + int64(h.config.PingInterval)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := h.enter(c)
	if err == nil {
		if c.carrier, err = h.carry(c, conn); err == nil {
			h.sockets.Add(1)
			h.wheel.add(c, c.due(now))
			if len(last) > 0 {
				c.transmit(last, control)
			}
			if len(buffered) > 0 && c.state == open {
				c.receive(append([]byte(nil), buffered...))
			}
			return c, nil
		}
		c.state = closed
		h.forget(c)
		h.leave()
	}
	return nil, fmt.Errorf("adopt a connection: %w", err)
}

// compact puts the texts into one piece of memory, so that they hold on to nothing they
// were cut from. API and Stage are replaced by those of the group.
func (i *Info) compact() {
	var b strings.Builder
	b.Grow(len(i.ID) + len(i.SourceIP) + len(i.UserAgent) + len(i.DomainName))
	texts := []*string{&i.ID, &i.SourceIP, &i.UserAgent, &i.DomainName}
	for _, t := range texts {
		b.WriteString(*t)
	}
	all := b.String()
	for _, t := range texts {
		n := len(*t)
		*t, all = all[:n], all[n:]
	}
}

// carry returns what moves the bytes of the connection, and starts it.
func (h *Hub) carry(c *Connection, conn net.Conn) (carrier, error) {
	if p, err := h.poll(c, conn); p != nil || err != nil {
		return p, err
	}
	return h.stream(c, conn), nil
}

// enter has the connection found.
func (h *Hub) enter(c *Connection) error {
	key := stageKey{c.info.API, c.info.Stage}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return ErrDraining
	}
	g := h.stages[key]
	if g == nil {
		key.api, key.stage = strings.Clone(key.api), strings.Clone(key.stage)
		g = &group{stageKey: key, byID: make(map[string]*Connection)}
		h.stages[key] = g
	}
	if g.byID[c.info.ID] != nil {
		return fmt.Errorf("there is a connection %q already", c.info.ID)
	}
	c.info.API, c.info.Stage = g.api, g.stage
	g.byID[c.info.ID] = c
	h.live++
	h.open.Add(1)
	return nil
}

// forget has the connection found no more.
func (h *Hub) forget(c *Connection) {
	key := stageKey{c.info.API, c.info.Stage}
	h.mu.Lock()
	h.open.Add(-1)
	g := h.stages[key]
	if delete(g.byID, c.info.ID); len(g.byID) == 0 {
		delete(h.stages, key)
	}
	h.mu.Unlock()
}

// leave counts a connection that is over.
func (h *Hub) leave() {
	h.mu.Lock()
	if h.live--; h.live == 0 && h.empty != nil {
		close(h.empty)
		h.empty = nil
	}
	h.mu.Unlock()
}

// Find returns the open connection of a stage with an ID.
func (h *Hub) Find(api, stage, id string) (*Connection, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if g := h.stages[stageKey{api, stage}]; g != nil {
		c, ok := g.byID[id]
		return c, ok
	}
	return nil, false
}

// Count returns how many open connections a stage has.
func (h *Hub) Count(api, stage string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if g := h.stages[stageKey{api, stage}]; g != nil {
		return len(g.byID)
	}
	return 0
}

// Total returns how many connections are open.
func (h *Hub) Total() int { return int(h.open.Load()) }

// Sockets returns how many connections have a socket: those that are open, and those that
// have ended and wait for their last bytes, or for the client to hang up.
func (h *Hub) Sockets() int { return int(h.sockets.Load()) }

// Stats are what the connections of a Hub hold at one time.
type Stats struct {
	// Connections is how many are open.
	Connections int
	// InFlightBytes are those of messages that handlers are not done with.
	InFlightBytes int64
	// PartialBytes are those of messages that are not whole yet.
	PartialBytes int64
	// QueuedBytes are those that wait for clients to read. What many wait for counts for
	// each of them.
	QueuedBytes int64
}

// Stats costs four loads, whatever the number of connections.
func (h *Hub) Stats() Stats {
	return Stats{h.Total(), h.bytes.Load(), h.partial.Load(), h.queued.Load()}
}

// Range calls f for every connection that was open when Range began, until f returns
// false. In f anything may be called.
func (h *Hub) Range(f func(*Connection) bool) {
	for _, c := range h.list(nil) {
		if !f(c) {
			return
		}
	}
}

// CloseStage closes all connections of a stage. The reason of GoingAway is its usual one.
func (h *Hub) CloseStage(api, stage string, code int) {
	for _, c := range h.list(&stageKey{api, stage}) {
		c.Close(code, reasonOf(code))
	}
}

// reasonOf returns the reason that goes with a code.
func reasonOf(code int) string {
	if code == GoingAway {
		return goingAwayText
	}
	return ""
}

// list returns the open connections, of one stage or of all.
func (h *Hub) list(only *stageKey) (all []*Connection) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if only != nil {
		return h.stages[*only].list(nil)
	}
	for _, g := range h.stages {
		all = g.list(all)
	}
	return all
}

// list appends the connections of the group, which may be nil.
func (g *group) list(all []*Connection) []*Connection {
	if g != nil {
		for _, c := range g.byID {
			all = append(all, c)
		}
	}
	return all
}

// Drain closes all connections with GoingAway and waits until they are over and their
// handlers have heard of it and run no more, or until ctx ends: then the sockets that are
// left are dropped, and handlers that still run are not waited for. Nothing is adopted
// any more. One Drain is enough.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	if h.empty == nil {
		h.empty = make(chan struct{})
	}
	empty := h.empty
	if h.live == 0 {
		close(empty)
		h.empty = nil
	}
	h.mu.Unlock()
	h.Range(func(c *Connection) bool {
		c.Close(GoingAway, goingAwayText)
		return true
	})
	var err error
	select {
	case <-empty:
	case <-ctx.Done():
		err = ctx.Err()
		h.stopWheel()
		for slot := range int64(slots) {
			for _, c := range h.wheel.take(slot, nil) {
				c.mu.Lock()
				c.abort(GoingAway, goingAwayText)
				c.mu.Unlock()
			}
		}
	}
	h.stopWheel()
	h.mu.Lock()
	for _, p := range h.pollers {
		p.stop()
	}
	h.pollers = nil
	h.mu.Unlock()
	h.goroutines.Wait()
	h.pool.stop()
	idle := make(chan struct{})
	go func() {
		h.pool.wg.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopWheel returns when no timer runs any more.
func (h *Hub) stopWheel() {
	h.stopOnce.Do(func() { close(h.stop) })
	<-h.stopped
}
