// Package gateway is the data plane: it carries requests through the APIs of a
// snapshot. It knows neither stored documents nor how they are compiled.
//
// A connection (http1.go) turns bytes into an Exchange; everything behind the
// Exchange is written once, whatever the protocol of the connection. A request
// goes through one list of steps, Server.serve.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits bound what one client can ask for. Zero values take the defaults,
// which are the quotas of the service where it has one.
type Limits struct {
	// Body is the largest request body in bytes; larger ones get 413. Default
	// 10 MiB (10485760).
	Body int64
	// InMemoryBody is the largest request body of known length that is read
	// before the integration is called; larger ones stream. Default 64 KiB.
	InMemoryBody int64
	// Head is how long a request head may take to arrive. Default 10 s.
	Head time.Duration
	// BodyIdle is how long a client may take to send 64 KiB of a body, or what is
	// left of it. Write is how long it may take to accept a part of a response of
	// at most 64 KiB. Default 30 s each.
	BodyIdle, Write time.Duration
	// Handshake is how long a TLS handshake may take. Default 10 s.
	Handshake time.Duration
	// Streams is how many streams a connection of HTTP/2 may have open at a time.
	// Default 100.
	Streams int
	// Idle is how long a connection may rest between requests. Default 10 min.
	Idle time.Duration
	// Abandoned is how long an exchange runs before its client is watched for
	// leaving. Default 100 ms.
	Abandoned time.Duration
	// MeteredRoutes is how many routes have metrics of their own; the rest share
	// one. Default 10,000.
	MeteredRoutes int
	// Spooled bounds the memory, in bytes, of all bodies together that must be kept
	// whole: those that come in chunks, and answers that come while a long request
	// is still being sent. Requests beyond get 503. Default 256 MiB.
	Spooled int64
	// Conns bounds the open connections. A new one beyond takes the place of one
	// that rests between requests, or is closed at once. Default: the file
	// descriptors that the process may have, less an eighth and less 32 at least, so
	// that backends and the control plane get theirs.
	Conns int
}

func (l *Limits) setDefaults() {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if l.Body == 0 {
		l.Body = 10 << 20
	}
	if l.InMemoryBody == 0 {
		l.InMemoryBody = 64 << 10
	}
	if l.MeteredRoutes == 0 {
		l.MeteredRoutes = 10000
	}
	if l.Spooled == 0 {
		l.Spooled = 256 << 20
	}
	if l.Conns == 0 {
		l.Conns = defaultConns()
	}
	if l.Streams == 0 {
		l.Streams = 100
	}
	def(&l.Head, 10*time.Second)
	def(&l.Handshake, 10*time.Second)
	def(&l.BodyIdle, 30*time.Second)
	def(&l.Write, 30*time.Second)
	def(&l.Idle, 10*time.Minute)
	def(&l.Abandoned, 100*time.Millisecond)
}

// Config is what a Server needs to know. Only Region is required.
type Config struct {
	// Region is part of execute-api host names.
	Region string
	// Account is the number of the account that the APIs belong to.
	Account string
	// Limit is how many requests all APIs together take; nil means any number.
	Limit *Limit
	// Records is how many requests are remembered, to be explained; 0 means none.
	Records int
	// Tracer follows requests; nil means none.
	Tracer Tracer
	// HealthPaths has /ping and /sping of WebSocket APIs answer.
	HealthPaths bool
	// Upgraded returns how many connections there are that were upgraded and count
	// against Limits.Conns; nil means none.
	Upgraded func() int
	// Suffixes are the domains under which API hosts are found, without port,
	// such as "localhost": {api}.execute-api.{region}.{suffix}. The domains of the
	// real service are always understood.
	Suffixes []string
	Limits   Limits
	Logger   *slog.Logger
	// Metrics is where the meters register; nil means a registry of its own.
	Metrics prometheus.Registerer
}

// A Server serves a snapshot on any number of listeners.
type Server struct {
	limits    Limits
	log       *slog.Logger
	region    string
	account   string
	limit     *Limit
	epoch     time.Time // what buckets count from
	bucket    bucket    // of the account
	buckets   buckets
	records   *records
	tracer    Tracer
	endpoints []string // "execute-api.{region}.{suffix}", lower case
	snapshot  atomic.Pointer[Snapshot]
	meters    *meters
	taken     func() int // upgraded connections
	detached  detachedList
	healthy   bool // health paths answer
	date      atomic.Pointer[dateText]
	complaint limiter
	spooled   atomic.Int64 // bytes that spools hold

	http2 http2Server

	// draining makes every response the last on its connection.
	draining atomic.Bool

	mu        sync.Mutex // guards the fields below
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	watching  bool
	closed    bool
	stop      chan struct{}  // closed with the server
	accepting sync.WaitGroup // one per listener
	serving   sync.WaitGroup // one per connection
	watcher   sync.WaitGroup
}

// NewServer returns a server with an empty snapshot.
func NewServer(c Config) *Server {
	c.Limits.setDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Upgraded == nil {
		c.Upgraded = func() int { return 0 }
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	s := &Server{
		limits:    c.Limits,
		log:       c.Logger,
		region:    c.Region,
		account:   c.Account,
		limit:     c.Limit,
		epoch:     time.Now(),
		records:   newRecords(c.Records),
		tracer:    c.Tracer,
		taken:     c.Upgraded,
		healthy:   c.HealthPaths,
		meters:    newMeters(c.Metrics, c.Limits.MeteredRoutes),
		listeners: map[net.Listener]struct{}{},
		conns:     map[*conn]struct{}{},
		stop:      make(chan struct{}),
	}
	for _, suffix := range append([]string{"amazonaws.com", "api.aws"}, c.Suffixes...) {
		s.endpoints = append(s.endpoints, strings.ToLower("execute-api."+c.Region+"."+suffix))
	}
	s.snapshot.Store(NewSnapshot(0, nil))
	c.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "penstock_connections", Help: "Open connections of clients.",
	}, func() float64 { return float64(s.Conns()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "penstock_spooled_bytes", Help: "Memory held by bodies that must be kept whole.",
	}, func() float64 { return float64(s.spooled.Load()) }))
	return s
}

// Publish makes a snapshot the one that requests starting from now are served
// from. Requests under way keep theirs.
func (s *Server) Publish(next *Snapshot) {
	old := s.snapshot.Swap(next)
	s.meters.sweep(old, next)
	s.buckets.sweep(old, next, int64(time.Since(s.epoch)))
}

// Conns returns the number of open connections.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Snapshot returns what is being served.
func (s *Server) Snapshot() *Snapshot { return s.snapshot.Load() }

// serve takes an exchange through the steps of a request. The error it returns
// becomes the response.
func (s *Server) serve(x *Exchange) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(x, p)
			err = closing(errInternal, "panic")
		}
	}()
	if err := x.locate(s.snapshot.Load()); err != nil {
		var answer *Error
		if errors.As(err, &answer) {
			err = x.notLocated(answer)
		}
		return err
	}
	if x.Stage.Sockets != nil {
		return x.Stage.Sockets.Serve(x)
	}
	x.matchRoute()
	if err := x.throttle(); err != nil {
		return err
	}
	if x.Route == nil {
		return x.unmatched()
	}
	if err := x.authorize(); err != nil {
		return err
	}
	if err := x.ReadBody(); err != nil {
		return err
	}
	if err := x.validate(); err != nil {
		return err
	}
	return x.invoke()
}

// handle serves an exchange whose head has been read, or refuses it with an error
// that came up before, and makes the response that is to be sent.
func (s *Server) handle(x *Exchange, err error) {
	if s.tracer != nil {
		s.tracer.Start(x)
	}
	if err == nil {
		err = s.serve(x)
	}
	if err != nil {
		x.fail(err)
	}
	x.stampCORS()
}

// panicked logs a panic. It is called while the panic unwinds.
func (s *Server) panicked(x *Exchange, p any) {
	if s.complaint.allow(time.Now()) {
		s.log.Error("panic while serving", "requestId", strings.Clone(x.ID), "panic", p, "stack", stack())
	}
}

// matchRoute finds the route, if there is one.
func (x *Exchange) matchRoute() {
	if r, ok := x.Stage.Table.Match(x.Request.Method, x.RoutePath, &x.Vars); ok {
		x.Route = r
	}
}

// unmatched answers what no route takes: browsers that ask before a request get an
// answer if the API has a CORS configuration, everything else is not found.
func (x *Exchange) unmatched() error {
	if x.Stage.CORS == nil || x.Request.Method != http.MethodOptions {
		return errNoRouteMatch
	}
	x.preflight()
	return nil
}

// authorizedNone is the authorization type of routes that everyone may call.
const authorizedNone = "NONE"

// authorize asks the authorizer of the route.
func (x *Exchange) authorize() error {
	if x.Route.Authorizer == nil {
		if t := x.Route.AuthorizationType; t != "" && t != authorizedNone {
			return AuthorizerFailure(errors.New("the route has no authorizer for its authorization type " + t))
		}
		return nil
	}
	start := time.Now()
	err := x.Route.Authorizer.Authorize(x)
	x.AuthorizerLatency = time.Since(start)
	if err == nil && x.Identity == nil {
		err = AuthorizerFailure(errors.New("the authorizer did not say who calls"))
	}
	return err
}

// validate checks the body, where the route asks for that.
func (x *Exchange) validate() error {
	if x.Route.Validator == nil {
		return nil
	}
	return x.Route.Validator.Validate(x)
}

func (x *Exchange) invoke() error {
	if x.Route.Integration == nil {
		return because(errInternal, "the route has no target")
	}
	start := time.Now()
	err := x.Route.Integration.Invoke(x)
	x.IntegrationLatency = time.Since(start)
	return err
}

// finish records an exchange whose response has been sent.
func (s *Server) finish(x *Exchange) {
	x.Latency = time.Since(x.Start)
	x.DataProcessed = max(x.Request.Body.Length, 0) + x.ResponseLength
	if x.Stage == nil && (x.API == nil || !x.API.WebSocket) || x.Stage != nil && x.Stage.Sockets == nil {
		s.meters.record(x) // WebSocket APIs have other metrics
	}
	if x.Stage != nil && x.Stage.AccessLog != nil {
		x.Stage.AccessLog.Log(x)
	}
	if s.tracer != nil {
		s.tracer.End(x)
	}
	s.records.keep(x)
	if x.err == nil {
		return
	}
	level := slog.LevelDebug
	if x.Response.Status >= http.StatusInternalServerError && !x.Gone() {
		level = slog.LevelWarn
		if !s.complaint.allow(x.Start) {
			level = slog.LevelDebug
		}
	}
	if s.log.Enabled(context.Background(), level) {
		attrs := []slog.Attr{
			slog.String("requestId", strings.Clone(x.ID)), slog.Int("status", x.Response.Status),
			slog.String("reason", x.err.Error()), slog.String("method", strings.Clone(x.Request.Method)),
			slog.String("path", strings.Clone(x.Path)),
		}
		if x.API != nil {
			attrs = append(attrs, slog.String("apiId", x.API.ID))
		}
		if x.Route != nil {
			attrs = append(attrs, slog.String("stage", x.Stage.Name), slog.String("routeKey", x.Route.Key))
		}
		s.log.LogAttrs(context.Background(), level, "request not served by a backend", attrs...)
	}
}
