package integration

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/proxy"

	"penstock/internal/gateway"
)

// A Dialer makes the connections of a VPC link. It does not change.
type Dialer struct {
	source *net.TCPAddr // nil: the system chooses

	proxy string // address with the port; "" without a proxy
	// socks speaks SOCKS5 on a connection to the proxy, nil if the proxy speaks HTTP.
	socks socksDialer
	// authorization is the value of Proxy-Authorization, "" for none.
	authorization string
}

// socksDialer is what a dialer of package proxy can do on a connection that it did not make.
type socksDialer interface {
	DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
}

// DialerSpec is what the configuration says of a VPC link.
type DialerSpec struct {
	// Dialer is how connections are made:
	//
	//	direct
	//	socks5://[user:password@]host:port
	//	http://[user:password@]host:port
	//
	// "" is direct. Names are resolved by the proxy if there is one.
	Dialer string
	// Source is the address of this host that connections come from; "" for whatever the
	// system chooses.
	Source string
}

// errDialer is the error of a dialer that cannot be read. It does not show it, since it may
// have a password.
var errDialer = errors.New("the dialer of a VPC link is direct, socks5://[user:password@]host:port or http://[user:password@]host:port")

// NewDialer returns the dialer of a VPC link. The error says what in the spec cannot work;
// it has no passwords.
func NewDialer(spec DialerSpec) (*Dialer, error) {
	d := &Dialer{}
	if spec.Source != "" {
		a, err := netip.ParseAddr(spec.Source)
		if err != nil || a.IsUnspecified() || a.IsMulticast() {
			return nil, fmt.Errorf("the source %q of a VPC link is not the address of a host", spec.Source)
		}
		d.source = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Unmap(), 0))
	}
	if spec.Dialer == "" || spec.Dialer == "direct" {
		return d, nil
	}
	u, err := url.Parse(spec.Dialer)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errDialer
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("the proxy %s of a VPC link has no port", u.Hostname())
	}
	d.proxy = u.Host
	user := u.User.Username()
	password, _ := u.User.Password()
	switch u.Scheme {
	case "socks5":
		var auth *proxy.Auth
		if u.User != nil {
			if user == "" || len(user) > 255 || len(password) > 255 {
				return nil, errors.New("the user name and the password for a SOCKS proxy have 1 to 255 bytes")
			}
			auth = &proxy.Auth{User: user, Password: password}
		}
		s, err := proxy.SOCKS5("tcp", d.proxy, auth, nil)
		if err != nil {
			return nil, fmt.Errorf("the proxy %s: %w", d.proxy, err)
		}
		var ok bool
		if d.socks, ok = s.(socksDialer); !ok {
			return nil, fmt.Errorf("the proxy %s: SOCKS over connections of our own is not supported", d.proxy)
		}
	case "http":
		if u.User != nil {
			if strings.Contains(user, ":") {
				return nil, errors.New("the user name for an HTTP proxy has no colon")
			}
			d.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		}
	default:
		return nil, errDialer
	}
	return d, nil
}

// errNoDialer says that a target names a dialer that nobody has configured.
var errNoDialer = errors.New("the configuration has no such dialer")

// via returns the dialer with a name, nil for "".
func (c *Client) via(name string) (*Dialer, error) {
	if name == "" {
		return nil, nil
	}
	if d := c.c.Dialers[name]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("%w: %q", errNoDialer, name)
}

// dial connects to a target, as far as integrations may reach it. Through a proxy it is
// the proxy's network in which a name means something; addresses are checked here, however
// they are written.
func (c *Client) dial(ctx context.Context, to *Target) (net.Conn, error) {
	if to.Host == "" || !visible(to.Host) {
		return nil, fmt.Errorf("the host %q is no name", truncate(to.Host))
	}
	d, err := c.via(to.Via)
	if err != nil {
		return nil, err
	}
	if d == nil || d.proxy == "" {
		dialer := &c.dialer
		if to.Private {
			dialer = &c.inside
		}
		if d != nil && d.source != nil {
			from := *dialer
			from.LocalAddr = d.source
			dialer = &from
		}
		return dialer.DialContext(ctx, "tcp", to.address())
	}
	if err := c.checkLiteral(to); err != nil {
		return nil, err
	}
	return d.throughProxy(ctx, to.address())
}

// checkLiteral refuses a host that is an address which must not be reached, or that some
// resolvers take for one: its last label is a number, such as 0x7f000001 or 127.1.
func (c *Client) checkLiteral(to *Target) error {
	if _, err := netip.ParseAddr(to.Host); err == nil {
		return c.check(to.address(), to.Private || c.c.AllowPrivate)
	}
	last := strings.TrimSuffix(to.Host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || last != "" && strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%w: %s", errRefusedAddress, to.Host)
	}
	return nil
}

// throughProxy connects to an address through the proxy.
func (d *Dialer) throughProxy(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{}
	if d.source != nil {
		dialer.LocalAddr = d.source
	}
	nc, err := dialer.DialContext(ctx, "tcp", d.proxy)
	if err != nil {
		return nil, fmt.Errorf("connect to the proxy: %w", err)
	}
	if d.socks != nil {
		// The error names the proxy and the address.
		if _, err := d.socks.DialWithConn(ctx, nc, "tcp", address); err != nil {
			nc.Close()
			return nil, fmt.Errorf("connect to %s through the proxy %s: %w", address, d.proxy, err)
		}
		return nc, nil
	}
	if err := d.tunnel(ctx, nc, address); err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to %s through the proxy %s: %w", address, d.proxy, err)
	}
	return nc, nil
}

// maxTunnelHead bounds the head of what a proxy answers to CONNECT.
const maxTunnelHead = 8 << 10

// tunnel asks an HTTP proxy for a connection to an address (RFC 9110, 9.3.6).
func (d *Dialer) tunnel(ctx context.Context, nc net.Conn, address string) (err error) {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(longAgo) })
	defer func() {
		if !stop() {
			err = ctx.Err() // the deadline of the connection is not ours any more
		}
	}()
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if d.authorization != "" {
		request += "Proxy-Authorization: " + d.authorization + "\r\n"
	}
	if _, err := io.WriteString(nc, request+"\r\n"); err != nil {
		return err
	}
	var scan gateway.HeadScanner
	b := make([]byte, 0, 512)
	for {
		if len(b) == cap(b) {
			if len(b) >= maxTunnelHead {
				return fmt.Errorf("the head of its answer is longer than %d bytes", maxTunnelHead)
			}
			b = append(make([]byte, 0, 2*cap(b)), b...)
		}
		n, err := nc.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		end, bad := scan.End(b)
		switch {
		case bad != nil:
			return bad
		case end > 0:
			return tunnelled(b, end)
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// tunnelled reads the answer of a proxy, whose head ends at end. Whatever is behind it
// comes from a backend that speaks before it is asked, which none of HTTP or TLS does.
func tunnelled(b []byte, end int) error {
	var r head
	line, _, _ := strings.Cut(string(b[:end]), "\r\n")
	if _, err := r.parseStatus([]byte(line)); err != nil {
		return err
	}
	if r.status/100 != 2 {
		return fmt.Errorf("it answers %q", truncate(line))
	}
	if end != len(b) {
		return errors.New("there are bytes behind the head of its answer")
	}
	return nil
}
