package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"penstock"
)

type serveCommand struct {
	settings
	Listen                *string        `help:"Address that APIs are served on." placeholder:"HOST:PORT"`
	ListenTLS             *string        `name:"listen-tls" help:"Address that APIs are served on over TLS." placeholder:"HOST:PORT"`
	Admin                 *string        `help:"Address of the control plane." placeholder:"HOST:PORT"`
	Memory                *bool          `help:"Keep everything in memory." xor:"data"`
	Region                *string        `help:"Region that ARNs and host names of APIs name." placeholder:"NAME"`
	AccountID             *string        `name:"account-id" help:"Account number that ARNs name." placeholder:"DIGITS"`
	EndpointSuffix        *string        `help:"Domain of the host names of APIs." placeholder:"DOMAIN"`
	AllowPrivateUpstreams *bool          `help:"Let integrations call loopback and private addresses." negatable:""`
	DrainTimeout          *time.Duration `help:"How long requests under way may take when told to end." placeholder:"DURATION"`
	LogLevel              *string        `help:"debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat             *string        `help:"text or json." placeholder:"FORMAT"`
}

func (serveCommand) Help() string {
	return `When it is ready, one line on standard output says where:

    penstock ready listen=http://127.0.0.1:8080 admin=http://127.0.0.1:8081

The log goes to standard error. SIGTERM and SIGINT let requests under way finish; a second one ends at once.

Without credentials in the configuration, every local caller may do everything on the control plane. With them, every call must be signed; a credential may carry an IAM policy document that says what its caller may do, and one without a policy has full access. Each call is a line of JSON in the audit log, on standard error unless auditLog names a file or none.

Everything can be set in a YAML file (--config) and most of it by flags. PENSTOCK_ variables override the file, flags override both: limits.body is PENSTOCK_LIMITS_BODY. docs/configuration.md lists all keys.

Examples:

    penstock serve
    penstock serve --listen-tls 127.0.0.1:8443
    penstock serve --memory --listen 127.0.0.1:0 --admin 127.0.0.1:0
    penstock serve --config /etc/penstock.yaml --data /var/lib/penstock
    PENSTOCK_LOG_LEVEL=debug penstock serve --data /var/lib/penstock`
}

func (c *serveCommand) config(environ []string) (penstock.Config, error) {
	config, err := c.load(environ)
	if err != nil {
		return config, err
	}
	if c.Data != nil {
		config.Memory = false
	}
	override(&config.Listen, c.Listen)
	override(&config.ListenTLS, c.ListenTLS)
	override(&config.Admin, c.Admin)
	override(&config.Memory, c.Memory)
	override(&config.Region, c.Region)
	override(&config.AccountID, c.AccountID)
	override(&config.EndpointSuffix, c.EndpointSuffix)
	override(&config.DrainTimeout, c.DrainTimeout)
	override(&config.Log.Level, c.LogLevel)
	override(&config.Log.Format, c.LogFormat)
	if c.AllowPrivateUpstreams != nil {
		config.AllowPrivateUpstreams = c.AllowPrivateUpstreams
	}
	return config, nil
}

func override[T any](v, flag *T) {
	if flag != nil {
		*v = *flag
	}
}

func (c *serveCommand) Run(p *program) error {
	config, err := c.config(p.environ)
	if err != nil {
		return err
	}
	// A request leaves next to no garbage, so the heap is small and what it holds
	// lives long. Collecting at five times its size instead of twice costs little
	// memory and saves most collections. What a burst leaves is given back behind it.
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	ctx := untilSignal()
	go newTrimmer().run(ctx.Done())
	s, err := penstock.Open(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "penstock ready listen=%s%s admin=%s\n", s.URL(), withTLS(s), s.AdminURL())
	<-ctx.Done()
	return drain(s, config.DrainTimeout)
}

// withTLS says where the TLS listener is, if there is one.
func withTLS(s *penstock.Server) string {
	if s.TLSURL() == "" {
		return ""
	}
	return " listen-tls=" + s.TLSURL()
}

// drain ends a server when its requests have been answered, but not later than
// after the timeout.
func drain(s *penstock.Server, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests that were under way for longer than drainTimeout (%v) were cut off", timeout)
	}
	return err
}
