package integration

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
	"weak"
)

// A Client calls HTTP backends. Its connections are pooled per target and shared
// by all integrations; they outlive snapshots. A pool lives as long as a compiled
// integration refers to it.
type Client struct {
	c      ClientConfig
	dialer net.Dialer // within what AllowPrivate says
	inside net.Dialer // to private targets
	tls    *tls.Config

	mu     sync.Mutex // guards the fields below
	pools  map[Target]weak.Pointer[pool]
	closed bool

	done  chan struct{}
	close sync.Once
	ended sync.WaitGroup
}

// ClientConfig sets the limits of a Client. Zero values take the defaults.
type ClientConfig struct {
	// AllowPrivate lets integrations reach loopback and private addresses.
	// Link-local addresses, where cloud metadata lives, stay out of reach.
	AllowPrivate bool
	// Own reports whether an address is one of Penstock's own listeners, which
	// integrations must not reach. It gets no unspecified address, but the
	// loopback address that such a one leads to.
	Own func(netip.AddrPort) bool
	// RootCAs verify TLS backends; nil means those of the system.
	RootCAs *x509.CertPool
	// MaxConns bounds the connections to one target; requests beyond wait for one
	// until their timeout. Default 4096.
	MaxConns int
	// MaxResponse is the largest response body in bytes. Default 10 MiB, the payload
	// quota of the service.
	MaxResponse int64
	// MaxIdle bounds the idle connections kept per target, IdleTimeout how long
	// they are kept. Defaults 512 and 55 s, a little less than what common
	// backends allow.
	MaxIdle     int
	IdleTimeout time.Duration
	// Dialers are what Target.Via names.
	Dialers map[string]*Dialer
}

// A Target is where connections lead. Equal targets share a pool.
type Target struct {
	TLS bool
	// Host is a name or address without brackets.
	Host string
	Port uint16
	// ServerName is the name that the certificate must be for, and that is asked for with
	// SNI; "" for Host.
	ServerName string
	// Via names the dialer that leads there, one of ClientConfig.Dialers; "" is none.
	Via string
	// Private says that the operator has named the place, and not the author of an API:
	// then private addresses may be reached whatever ClientConfig.AllowPrivate says.
	Private bool
}

// name returns the name that the certificate must be for.
func (t *Target) name() string { return cmp.Or(t.ServerName, t.Host) }

// text says where connections lead, and what is expected there.
func (t *Target) text() string {
	if !t.TLS {
		return "http://" + t.address()
	}
	if t.name() == t.Host {
		return "https://" + t.address()
	}
	return "https://" + t.address() + " as " + t.ServerName
}

func (t Target) address() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// NewClient returns a Client; Close frees its connections.
func NewClient(c ClientConfig) *Client {
	if c.MaxConns == 0 {
		c.MaxConns = 4096
	}
	if c.MaxResponse == 0 {
		c.MaxResponse = 10 << 20
	}
	if c.MaxIdle == 0 {
		c.MaxIdle = 512
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 55 * time.Second
	}
	cl := &Client{
		c:     c,
		tls:   &tls.Config{RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
		pools: map[Target]weak.Pointer[pool]{},
		done:  make(chan struct{}),
	}
	cl.dialer.ControlContext = cl.control
	cl.inside.ControlContext = cl.controlInside
	cl.ended.Add(1)
	go cl.sweep()
	return cl
}

// Close closes idle connections; those in use close when their exchange ends.
func (c *Client) Close() error {
	c.close.Do(func() { close(c.done) })
	c.ended.Wait()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.each(func(p *pool) { p.closeIdle(time.Time{}, true) })
	return nil
}

// sweep closes connections that have been idle for too long.
func (c *Client) sweep() {
	defer c.ended.Done()
	tick := time.NewTicker(max(c.c.IdleTimeout/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case now := <-tick.C:
			c.each(func(p *pool) { p.closeIdle(now.Add(-c.c.IdleTimeout), false) })
		}
	}
}

func (c *Client) each(f func(*pool)) {
	c.mu.Lock()
	var live []*pool
	for t, w := range c.pools {
		if p := w.Value(); p != nil {
			live = append(live, p)
		} else {
			delete(c.pools, t)
		}
	}
	c.mu.Unlock()
	for _, p := range live {
		f(p)
	}
}

// pool returns the pool of a target. It is kept alive by whoever holds it.
func (c *Client) pool(t Target) *pool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pools[t].Value(); p != nil {
		return p
	}
	p := &pool{client: c, target: t, idle: &idleList{max: c.c.MaxIdle, closed: c.closed}}
	if t.TLS {
		p.tls = c.tls.Clone()
		p.tls.ServerName = t.name()
		p.tls.ClientSessionCache = tls.NewLRUClientSessionCache(1) // there is one name
	}
	c.pools[t] = weak.Make(p)
	// With the last integration that leads there, its connections go.
	runtime.AddCleanup(p, func(l *idleList) { l.closeAll() }, p.idle)
	return p
}

// DialContext connects to an address that integrations may reach, for what else is
// called because somebody outside has named it.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dialer.DialContext(ctx, network, address)
}

// errRefusedAddress says that an integration may not reach an address.
var errRefusedAddress = errors.New("integrations may not reach this address")

// control decides, on the address that a name resolved to, whether it may be
// dialed. Deciding earlier would let a name change its address in between.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	return c.check(address, c.c.AllowPrivate)
}

// controlInside is control for private targets.
func (c *Client) controlInside(_ context.Context, _, address string, _ syscall.RawConn) error {
	return c.check(address, true)
}

func (c *Client) check(address string, private bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !c.allowed(ap, private) {
		return fmt.Errorf("%w: %s", errRefusedAddress, address)
	}
	return nil
}

func (c *Client) allowed(ap netip.AddrPort, private bool) bool {
	ip := ap.Addr().WithZone("").Unmap()
	if nat64.Contains(ip) { // the last four bytes are the address that is reached
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if thisNetwork.Contains(ip) {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	} else if ip == netip.IPv6Unspecified() {
		ip = netip.IPv6Loopback()
	}
	switch {
	case ip.IsLinkLocalUnicast(), ip == metadataV6, ip.IsMulticast(), ip == broadcast:
		return false
	case (ip.IsLoopback() || ip.IsPrivate() || carrier.Contains(ip)) && !private:
		return false
	}
	return c.c.Own == nil || !c.c.Own(netip.AddrPortFrom(ip, ap.Port()))
}

var (
	// The IPv6 address of the instance metadata service is unique local, not
	// link-local.
	metadataV6 = netip.MustParseAddr("fd00:ec2::254")
	broadcast  = netip.MustParseAddr("255.255.255.255")
	// A connection to 0.0.0.0 reaches this host.
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	// Addresses shared between networks (RFC 6598) are private to most users of
	// them; one cloud keeps its metadata there.
	carrier = netip.MustParsePrefix("100.64.0.0/10")
	// IPv4 as seen through a translator (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)
