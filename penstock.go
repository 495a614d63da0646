package penstock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/internal/accesslog"
	"penstock/internal/authorizer"
	"penstock/internal/certificate"
	"penstock/internal/compile"
	"penstock/internal/control"
	"penstock/internal/credential"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/service"
	"penstock/internal/sigv4"
	"penstock/internal/store"
	"penstock/internal/store/ledger"
	"penstock/internal/tracing"
	"penstock/internal/upstream"
)

// DataFile is the name of the file in [Config.Data] that holds everything.
const DataFile = "penstock.db"

// A Server is a running Penstock. Its methods may be called from many goroutines.
type Server struct {
	config        Config
	log           *slog.Logger
	metrics       *prometheus.Registry
	listener      *net.TCPListener
	tlsListener   *net.TCPListener // nil without TLS
	adminListener *net.TCPListener
	verifier      *sigv4.Verifier // nil without credentials
	audit         *auditLog
	http          *http.Client

	gateway      *gateway.Server
	admin        *http.Server
	store        store.Store
	client       *integration.Client
	endpoints    *service.Endpoints
	keyring      *credential.Keyring
	service      *service.Client
	upstreams    *upstream.Registry
	publisher    *compile.Publisher
	certificates *certificate.Store  // nil without TLS
	acme         *certificate.Issuer // nil without ACME
	issuers      *authorizer.Issuers
	accessLogs   *accesslog.Destinations
	tracer       *tracing.Tracer // nil without tracing
	lambda       lambdas
	sockets      socketServer
	control      atomic.Pointer[control.Server] // nil while starting

	// unready says why the server is not ready; empty when it is.
	unready atomic.Pointer[string]
	serving sync.WaitGroup // one for each listener
	conns   sync.WaitGroup // one for each connection to the admin address
	ending  chan struct{}  // closed when answers without an end shall end
	end     sync.Once
	close   sync.Once
	closed  error
}

// Reasons for not being ready.
const (
	starting = "starting"
	draining = "draining"
	closing  = "closed"
)

// Open starts a server. When it returns, everything that is stored is being
// served. The error names the key of the configuration that cannot be followed, and
// the way out.
func Open(c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Server{config: c, log: c.logger(), metrics: newRegistry(), ending: make(chan struct{})}
	s.setUnready(starting)
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	s.setUnready("")
	return s, nil
}

func (s *Server) open() (err error) {
	if s.listener, err = listen("listen", s.config.Listen); err != nil {
		return err
	}
	if s.config.ListenTLS != "" {
		if s.tlsListener, err = listen("listenTls", s.config.ListenTLS); err != nil {
			return err
		}
	}
	if s.adminListener, err = listen("admin", s.config.Admin); err != nil {
		return err
	}
	if len(s.config.Credentials) > 0 {
		s.verifier = newVerifier(s.config.Credentials, "apigateway")
	} else if !address(s.adminListener).Addr().IsLoopback() {
		return fmt.Errorf("admin: %s is not a loopback address and there are no credentials, so that everyone who reaches it could change every API: "+
			"set credentials (accessKeyId and secretAccessKey), or a loopback address such as admin: 127.0.0.1:8081", s.config.Admin)
	}
	s.http = s.newClient()
	if err := s.openAccessLogs(); err != nil {
		return err
	}
	if err := s.openTracing(); err != nil {
		return err
	}
	s.observeLosses()
	s.gateway = s.newGateway()
	s.admin = s.newAdmin()
	s.serving.Go(func() { s.ended("admin", s.admin.Serve(s.adminListener)) })

	if s.store, err = openStore(s.config); err != nil {
		return err
	}
	if err := s.openClient(); err != nil {
		return err
	}
	if s.tlsListener != nil {
		if err := s.openTLS(newFetcher(s.client)); err != nil {
			return err
		}
	}
	if err := s.openSockets(); err != nil {
		return err
	}
	if s.audit, err = openAuditLog(s.config.AuditLog); err != nil {
		return err
	}
	known, err := s.config.roles()
	if err != nil {
		return err
	}
	if err := s.openServices(known); err != nil {
		return err
	}
	if err := s.openFunctions(known); err != nil {
		return err
	}
	options, err := s.compileOptions()
	if err != nil {
		return err
	}
	s.publisher = compile.Start(s.store, options, s.publish, s.log)
	c, err := s.newControl()
	if err != nil {
		return err
	}
	s.control.Store(c)
	s.observeStore()
	s.serving.Go(func() { s.ended("listen", s.gateway.Serve(s.listener)) })
	if s.tlsListener != nil {
		s.serving.Go(func() { s.ended("listenTls", s.gateway.ServeTLS(s.tlsListener, s.tlsConfig())) })
	}
	s.sockets.recover()
	return nil
}

func (s *Server) newGateway() *gateway.Server {
	c := gateway.Config{
		Region:      s.config.Region,
		Account:     s.config.AccountID,
		Suffixes:    []string{s.config.EndpointSuffix},
		Limit:       s.config.Limits.account(),
		Records:     max(s.config.Explain.Requests, 0),
		Limits:      s.config.Limits.gateway(),
		Logger:      s.log,
		Metrics:     s.metrics,
		HealthPaths: s.config.WebSockets.HealthPaths,
		Upgraded:    func() int { return s.sockets.server.Total() }, // there is one before anything is accepted
	}
	if s.tracer != nil {
		c.Tracer = s.tracer
	}
	return gateway.NewServer(c)
}

// compileOptions returns what compiled stages refer to.
func (s *Server) compileOptions() (compile.Options, error) {
	s.issuers = authorizer.NewIssuers(authorizer.IssuersConfig{DialContext: s.client.DialContext, Log: s.log})
	callers, err := s.config.callers()
	if err != nil {
		return compile.Options{}, err
	}
	o := compile.Options{
		Client:         s.client,
		Issuers:        s.issuers,
		Results:        authorizer.NewResults(s.config.Limits.AuthorizerResults, nil),
		Callers:        callers,
		AccessLog:      s.accessLog(),
		AccountRate:    s.config.Limits.AccountRate,
		AccountBurst:   s.config.Limits.AccountBurst,
		ValidateBodies: s.config.Extensions.RequestModels,
		ValidatedBody:  s.config.Limits.ValidatedBody,
		Invoker:        s.lambda.invoker,
		Region:         s.config.Region,
		Account:        s.config.AccountID,
		Service:        s.service,
		SQSResponse:    s.config.SQSResponse,
		Upstream:       s.upstream,
		Links:          compile.NewLinks(),
		Via:            s.via,
		Sockets:        compile.SocketOptions{Server: s.sockets.server, ExecutionLog: s.executionLog()},
	}
	return o, nil
}

// listen listens on an address of the configuration, and on no more: Go would take
// 0.0.0.0 for all addresses of version 6, too.
func listen(key, addr string) (*net.TCPListener, error) {
	network := "tcp"
	host, _, _ := net.SplitHostPort(addr) // checked
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		network = "tcp4"
	}
	l, err := net.Listen(network, addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %s is in use by another program: stop that one, or choose another address (port 0 takes a free one)", key, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", key, addr, errors.Unwrap(err))
	}
	return l.(*net.TCPListener), nil
}

// ended reports a listener that ended by itself.
func (s *Server) ended(key string, err error) {
	if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		s.setUnready(key + ": " + err.Error())
		s.log.Error("listener ended", "listener", key, "error", err)
	}
}

func openStore(c Config) (store.Store, error) {
	if c.Memory {
		return store.NewMemory(), nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data: cannot use %s as data directory: %w", c.Data, err)
	}
	l, err := ledger.Open(filepath.Join(c.Data, DataFile), ledger.Options{})
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return l, nil
}

func (s *Server) newControl() (*control.Server, error) {
	f := newFetcher(s.client)
	o := control.Options{
		Store:          s.store,
		Publisher:      s.publisher,
		Account:        s.config.AccountID,
		Region:         s.config.Region,
		Endpoint:       s.endpoint,
		HostedZone:     s.config.HostedZoneID,
		Truststore:     f.truststore,
		RequestModels:  s.config.Extensions.RequestModels,
		Limits:         s.config.Limits.quotas(),
		Rate:           s.config.Limits.ControlPlaneRate,
		Burst:          s.config.Limits.ControlPlaneBurst,
		OperationRates: s.config.Limits.OperationRates,
		Audit:          s.audit.Writer,
		Log:            s.log,
		Observe:        s.observeControl(),
	}
	if s.config.Authorizers.VerifyIssuerOnCreate {
		o.Discover = f.discover
	}
	if s.verifier != nil {
		a, err := newAuthenticator(s.verifier, s.config)
		if err != nil {
			return nil, err
		}
		o.Authenticator = a
	}
	return control.New(o), nil
}

// Shutdown ends the server without losing a request: it stops being ready, tells
// WebSocket clients to go elsewhere, lets requests under way be answered, then ends the
// control plane and closes the store. When ctx ends first, what is left is cut off and ctx's error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.setUnready(draining)
	s.endStreams()
	// Those whose connections end may still ask about others.
	err := errors.Join(s.sockets.server.Drain(ctx), s.gateway.Shutdown(ctx), s.admin.Shutdown(ctx))
	return errors.Join(err, s.Close())
}

// Close cuts off everything and waits until nothing runs any more.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.setUnready(closing)
		s.endStreams()
		var all []error
		if s.gateway != nil {
			all = append(all, s.gateway.Close(), s.admin.Close())
			s.http.CloseIdleConnections()
		}
		for _, l := range []*net.TCPListener{s.listener, s.tlsListener, s.adminListener} {
			if l != nil {
				l.Close() // in case nobody has begun to accept
			}
		}
		s.serving.Wait()
		s.conns.Wait() // none begins any more
		if s.publisher != nil {
			all = append(all, s.publisher.Close())
		}
		all = append(all, s.sockets.close(s.gateway), s.closeFunctions())
		s.closeServices()
		if s.issuers != nil {
			s.issuers.Close()
		}
		if s.acme != nil {
			s.acme.Close()
		}
		if s.certificates != nil {
			s.certificates.Close()
		}
		if s.client != nil {
			all = append(all, s.client.Close())
		}
		if s.tracer != nil {
			ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
			all = append(all, s.tracer.Shutdown(ctx))
			cancel()
		}
		all = append(all, s.accessLogs.Close())
		if s.store != nil {
			all = append(all, s.store.Close())
		}
		all = append(all, s.audit.close())
		s.closed = errors.Join(all...)
	})
	return s.closed
}

// endStreams ends the answers that have no end of their own.
func (s *Server) endStreams() { s.end.Do(func() { close(s.ending) }) }

// untilEnd returns a context that ends with another one, and with the streams.
func (s *Server) untilEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// flushTimeout is how long the collector of traces may take for the last ones.
const flushTimeout = 3 * time.Second

// URL returns the address that APIs are served on, such as http://127.0.0.1:8080.
// Under it, /_aws/execute-api/{apiId}/{stage}/ leads to each API.
func (s *Server) URL() string { return "http://" + reachable(address(s.listener)).String() }

// TLSURL returns the address that APIs are served on over TLS, such as
// https://127.0.0.1:8443; empty without a TLS listener.
func (s *Server) TLSURL() string {
	if s.tlsListener == nil {
		return ""
	}
	return "https://" + reachable(address(s.tlsListener)).String()
}

// AdminURL returns the address of the control plane, such as
// http://127.0.0.1:8081: what clients take as endpoint URL.
func (s *Server) AdminURL() string { return "http://" + reachable(address(s.adminListener)).String() }

// Addr returns the address that APIs are served on, as the listener has it.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// AdminAddr returns the address of the control plane, as the listener has it.
func (s *Server) AdminAddr() net.Addr { return s.adminListener.Addr() }

// Client returns an HTTP client that finds the host names of APIs: for machines
// that do not resolve names under localhost, and for other endpoint suffixes.
// Close closes its idle connections.
func (s *Server) Client() *http.Client { return s.http }

func (s *Server) newClient() *http.Client {
	suffix := "." + s.config.EndpointSuffix
	var dialer net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(addr); err == nil && strings.HasSuffix(host, suffix) {
				addr = reachable(address(s.listener)).String()
			}
			return dialer.DialContext(ctx, network, addr)
		},
	}}
}

// endpoint returns the apiEndpoint of an API. It is what works: scheme, suffix and
// port are those of the listener.
func (s *Server) endpoint(apiID, protocol string) string {
	scheme := "http://"
	if protocol == model.ProtocolTypeWebsocket {
		scheme = "ws://"
	}
	host := s.config.endpoint(apiID)
	if port := address(s.listener).Port(); port != 80 {
		host += ":" + strconv.Itoa(int(port))
	}
	return scheme + host
}

// setUnready says why the server is not ready; nothing when it is.
func (s *Server) setUnready(reason string) { s.unready.Store(&reason) }
