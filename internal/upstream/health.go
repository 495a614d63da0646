package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Health says how the instances of an upstream are checked. Zero values take the
// defaults. Checks connect to instances directly, whatever VPC link the requests go
// through.
type Health struct {
	// Path is what is asked for with GET, with a query if it has one. Without a path, an
	// instance is healthy if it accepts connections.
	Path string
	// Interval is the time from one check of an instance to the next, give or take a
	// tenth, and Timeout how long one may take. Defaults 10 s, 2 s.
	Interval, Timeout time.Duration
	// Unhealthy is how many failed checks in a row put an instance out of the way, and
	// Healthy how many that succeed bring it back. The first check of an instance decides
	// alone; until then it counts as healthy. Defaults 3, 1.
	Unhealthy, Healthy int
	// Expect are the statuses of a healthy instance. Redirects are not followed. Default
	// 200 to 399.
	Expect []Statuses
	// ServerName is the name that certificates must be for, and that is asked for with
	// SNI. If it is set, all instances are checked over TLS, and otherwise those that are
	// spoken to over TLS in any case, with the host as the name.
	ServerName string
	// Host is what the field Host says. Default: the host and port of the instance.
	Host string
}

// Statuses are the statuses from First to Last, both included.
type Statuses struct{ First, Last int }

// ParseStatuses reads "200" or "200-399".
func ParseStatuses(s string) (Statuses, error) {
	first, last, more := strings.Cut(s, "-")
	a, err := strconv.ParseUint(first, 10, 16)
	b := a
	if more && err == nil {
		b, err = strconv.ParseUint(last, 10, 16)
	}
	if err != nil || a < 100 || b > 599 || b < a {
		return Statuses{}, fmt.Errorf("%q is neither a status, such as 200, nor a range of them, such as 200-399", s)
	}
	return Statuses{int(a), int(b)}, nil
}

func (h Health) withDefaults() Health {
	if h.Interval == 0 {
		h.Interval = 10 * time.Second
	}
	if h.Timeout == 0 {
		h.Timeout = min(2*time.Second, h.Interval)
	}
	if h.Unhealthy == 0 {
		h.Unhealthy = 3
	}
	if h.Healthy == 0 {
		h.Healthy = 1
	}
	if len(h.Expect) == 0 {
		h.Expect = []Statuses{{200, 399}}
	}
	return h
}

// check returns an error that begins with the field that is wrong.
func (h Health) check() error {
	h = h.withDefaults()
	switch u, err := url.ParseRequestURI(h.Path); {
	case h.Path != "" && (err != nil || h.Path[0] != '/' || u.Fragment != "" || strings.HasPrefix(h.Path, "//")):
		return fmt.Errorf("path: %q is not a path that begins with a slash", h.Path)
	case h.Interval < 100*time.Millisecond || h.Interval > 24*time.Hour:
		return errors.New("interval: it is not between 100ms and 24h")
	case h.Timeout < time.Millisecond || h.Timeout > h.Interval:
		return errors.New("timeout: it is not between 1ms and the interval")
	case h.Unhealthy < 1 || h.Unhealthy > 1000:
		return errors.New("unhealthy: it is not between 1 and 1000")
	case h.Healthy < 1 || h.Healthy > 1000:
		return errors.New("healthy: it is not between 1 and 1000")
	case h.ServerName != "" && !validHost(h.ServerName):
		return fmt.Errorf("serverName: %q is no name", h.ServerName)
	case h.Host != "" && (!visible(h.Host) || strings.ContainsAny(h.Host, "/?#@\\")):
		return fmt.Errorf("host: %q cannot be the value of the field Host", h.Host)
	}
	for _, s := range h.Expect {
		if s.First < 100 || s.Last > 599 || s.Last < s.First {
			return fmt.Errorf("expect: %d-%d is no range of statuses", s.First, s.Last)
		}
	}
	return nil
}

// newTransport returns what carries the health checks of a group: one connection each, as
// a client would make one.
func newTransport(o *Options, h *Health) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            o.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, ServerName: h.ServerName, MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		Protocols:              protocols,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// watch begins to check a member, if members are checked.
func (g *group) watch(ctx context.Context, m *member) {
	h := g.entry.Health
	if h == nil {
		return
	}
	ctx, m.unwatch = context.WithCancel(ctx)
	g.registry.ended.Go(func() {
		// Members that came together are not checked together.
		timer := time.NewTimer(rand.N(min(h.Interval, time.Second)))
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			select {
			case <-ctx.Done():
				return
			case g.registry.checks <- struct{}{}:
			}
			err := g.probe(ctx, m)
			<-g.registry.checks
			if ctx.Err() != nil {
				return
			}
			g.checked(m, err)
			timer.Reset(h.Interval*9/10 + rand.N(h.Interval/5))
		}
	})
}

// probe checks a member once. It reads only what is constant of it.
func (g *group) probe(ctx context.Context, m *member) error {
	h := g.entry.Health
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	authority := m.key.String()
	if h.Path == "" {
		c, err := g.registry.options.DialContext(ctx, "tcp", authority)
		if err != nil {
			return err
		}
		return c.Close()
	}
	scheme := "http://"
	if m.tls || h.ServerName != "" {
		scheme = "https://"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+authority+h.Path, nil)
	if err != nil {
		return err
	}
	req.Host = h.Host
	req.Header.Set("User-Agent", "penstock")
	// It follows no redirects.
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	for _, s := range h.Expect {
		if s.First <= resp.StatusCode && resp.StatusCode <= s.Last {
			return nil
		}
	}
	return fmt.Errorf("the status is %d", resp.StatusCode)
}

// checked takes the result of a check.
func (g *group) checked(m *member, err error) {
	h := g.entry.Health
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped || !g.has(m) {
		return
	}
	need := h.Unhealthy
	if m.down {
		need = h.Healthy
	}
	if !m.checked {
		m.checked, need = true, 1
	}
	if err != nil {
		m.why = err
	}
	if (err != nil) == m.down {
		m.run = 0
		if err == nil {
			m.why = nil
		}
		return
	}
	if m.run++; m.run < need {
		return
	}
	m.run, m.down = 0, err != nil
	if m.down {
		g.log.Warn("an instance is unhealthy", "instance", m.key.String(), "error", err)
	} else {
		m.why = nil
		g.log.Info("an instance is healthy again", "instance", m.key.String())
	}
	g.turn()
}
