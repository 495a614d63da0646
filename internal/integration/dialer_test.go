package integration_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// join copies between two connections until both have ended.
func join(a, b net.Conn, from io.Reader) {
	var both sync.WaitGroup
	both.Go(func() { io.Copy(b, from); b.Close() })
	both.Go(func() { io.Copy(a, b); a.Close() })
	both.Wait()
}

// A relay is a proxy that leads every connection to one place, and keeps what it was asked
// for.
type relay struct {
	addr string
	mu   sync.Mutex // guards got
	got  []string
}

func (r *relay) note(s string) { r.mu.Lock(); defer r.mu.Unlock(); r.got = append(r.got, s) }

func (r *relay) asked() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.got, ", ")
	r.got = nil
	return s
}

// newSOCKS starts a SOCKS5 proxy to an address. With a user, it wants that and a password.
func newSOCKS(t testing.TB, to, user, password string) *relay {
	t.Helper()
	l := listen(t)
	r := &relay{addr: l.Addr().String()}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				r.socks(c, to, user, password)
			})
		}
	})
	return r
}

func (r *relay) socks(c net.Conn, to, user, password string) {
	br := bufio.NewReader(c)
	read := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(br, b)
		return b
	}
	methods := read(int(read(2)[1]))
	if user == "" {
		c.Write([]byte{5, 0})
	} else {
		if !slices.Contains(methods, 2) {
			c.Write([]byte{5, 0xff})
			return
		}
		c.Write([]byte{5, 2})
		u := string(read(int(read(2)[1])))
		p := string(read(int(read(1)[0])))
		if u != user || p != password {
			c.Write([]byte{1, 1})
			return
		}
		c.Write([]byte{1, 0})
	}
	host := ""
	switch head := read(4); head[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = "name " + string(read(int(read(1)[0])))
	case 4:
		host = net.IP(read(16)).String()
	}
	r.note(fmt.Sprint(host, " ", binary.BigEndian.Uint16(read(2))))
	up, err := net.Dial("tcp", to)
	if err != nil {
		c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 80})
	join(c, up, br)
}

// newTunnel starts an HTTP proxy to an address, which answers with text instead of a 200
// if that is not "".
func newTunnel(t testing.TB, to, text string) *relay {
	t.Helper()
	r := &relay{}
	r.addr = newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, q received) bool {
		r.note(q.line + " " + q.field("Host") + " " + q.field("Proxy-Authorization"))
		if text != "" {
			io.WriteString(c, text)
			return false
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
			return false
		}
		io.WriteString(c, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
		join(c, up, br)
		return false
	}).addr
	return r
}

func mustDialer(t testing.TB, spec integration.DialerSpec) *integration.Dialer {
	t.Helper()
	d, err := integration.NewDialer(spec)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDialers: connections go through the proxy of the link, in the clear and with TLS,
// and are kept; names are the proxy's to resolve.
func TestDialers(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	plain := newBackend(t, nil)
	secure := newTLSBackend(t, ca.issue(t, "orders.internal"))
	for _, tt := range []struct {
		name  string
		proxy *relay
		url   string // without the address
		tls   bool
		host  string
		asked string
	}{
		{"SOCKS", newSOCKS(t, plain.addr, "", ""), "socks5://", false, "orders.internal", "name orders.internal 8080"},
		{"SOCKS with a password", newSOCKS(t, plain.addr, "u", "p:a@b"), "socks5://u:p%3Aa%40b@", false, "10.1.2.3", "10.1.2.3 8080"},
		{"SOCKS and IPv6", newSOCKS(t, plain.addr, "", ""), "socks5://u:p@", false, "fd12::7", "fd12::7 8080"},
		{"SOCKS and TLS", newSOCKS(t, secure, "", ""), "socks5://", true, "orders.internal", "name orders.internal 8080"},
		{"HTTP", newTunnel(t, plain.addr, ""), "http://", false, "orders.internal", "CONNECT orders.internal:8080 orders.internal:8080 "},
		{"HTTP with a password", newTunnel(t, plain.addr, ""), "http://Aladdin:open%20sesame@", false, "fd12::7", "CONNECT [fd12::7]:8080 [fd12::7]:8080 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"HTTP and TLS", newTunnel(t, secure, ""), "http://", true, "orders.internal", "CONNECT orders.internal:8080 orders.internal:8080 "},
	} {
		client := newClientWith(t, integration.ClientConfig{RootCAs: ca.pool(), Dialers: map[string]*integration.Dialer{
			"vl-1": mustDialer(t, integration.DialerSpec{Dialer: tt.url + tt.proxy.addr, Source: "127.0.0.1"}),
		}})
		g := newGroup(plain.addr)
		g.endpoints[0].Host, g.endpoints[0].Port = tt.host, 8080
		c := dial(t, serve(t, gateway.Config{}, private(t, client, "$default", integration.PrivateSpec{Upstream: g, Via: "vl-1", TLS: tt.tls})))
		for range 2 {
			if a := c.ask("POST /", "\nabc"); a.StatusCode != 200 {
				t.Errorf("%s: status %d", tt.name, a.StatusCode)
			}
		}
		want := tt.asked
		if tt.tls { // closes after each answer
			want += ", " + want
		}
		if got := tt.proxy.asked(); got != want {
			t.Errorf("%s: asked for %q, want %q", tt.name, got, want)
		}
		if got := g.settled(t); got != "0 200, 0 200" {
			t.Errorf("%s: done %q", tt.name, got)
		}
	}
}

// TestDialerFailures: a proxy that says no, or anything but an answer, is no connection,
// and what the operator reads has no password.
func TestDialerFailures(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	for _, tt := range []struct{ name, dialer, cause string }{
		{"no proxy", "socks5://u:secret@" + refusing(t), "connection refused"},
		{"wrong password", "socks5://u:secret@" + newSOCKS(t, b.addr, "u", "other").addr, "authentication failed"},
		{"no password", "socks5://" + newSOCKS(t, b.addr, "u", "p").addr, "no acceptable authentication"},
		{"SOCKS refuses", "socks5://" + newSOCKS(t, refusing(t), "", "").addr, "refused"},
		{"SOCKS to HTTP", "http://u:secret@" + newSOCKS(t, b.addr, "", "").addr, "through the proxy"},
		{"HTTP to SOCKS", "socks5://" + newTunnel(t, b.addr, "HTTP/1.1 400 Bad Request\r\n\r\n").addr, "through the proxy"},
		{"407", "http://u:secret@" + newTunnel(t, "", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").addr, "407"},
		{"502", "http://" + newTunnel(t, refusing(t), "").addr, "502"},
		{"interim", "http://" + newTunnel(t, "", "HTTP/1.1 100 Continue\r\n\r\n").addr, "100"},
		{"no status line", "http://" + newTunnel(t, "", "SSH-2.0-x\r\n\r\n").addr, "malformed"},
		{"bare line feed", "http://" + newTunnel(t, "", "HTTP/1.1 200 OK\n\n").addr, "through the proxy"},
		{"cut", "http://" + newTunnel(t, "", "HTTP/1.1 200 OK\r\n").addr, "unexpected EOF"},
		{"speaks first", "http://" + newTunnel(t, "", "HTTP/1.1 200 OK\r\n\r\n"+ok).addr, "bytes behind"},
		{"endless", "http://" + newTunnel(t, "", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 64<<10)).addr, "longer than"},
		{"silent", "http://" + hanging(t), "deadline"},
		{"silent SOCKS", "socks5://" + hanging(t), "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := newClientWith(t, integration.ClientConfig{Dialers: map[string]*integration.Dialer{"vl-1": mustDialer(t, integration.DialerSpec{Dialer: tt.dialer})}})
			g := newGroup(b.addr)
			var logs log
			addr := serve(t, gateway.Config{Logger: logs.logger()}, private(t, client, "$default", integration.PrivateSpec{Upstream: g, Via: "vl-1"}))
			if a := ask(t, addr, "POST /", "\nabc"); a.StatusCode != 503 || a.body != unavailableBody {
				t.Errorf("status %d %q", a.StatusCode, a.body)
			}
			if got := g.settled(t); got != "0 0 unreachable failed, 0 0" {
				t.Errorf("done %q", got)
			}
			await(t, "a line in the log that says "+tt.cause, func() bool { return strings.Contains(logs.String(), tt.cause) })
			if s := logs.String(); strings.Contains(s, "secret") {
				t.Errorf("a password in the log: %s", s)
			}
		})
	}
	if n := len(b.take()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestDialerAddresses: links lead to private addresses, but neither to metadata nor back
// into the process, and a proxy is not asked to go there either.
func TestDialerAddresses(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	own := netip.MustParseAddrPort(b.addr)
	socks, tunnel := newSOCKS(t, b.addr, "", ""), newTunnel(t, b.addr, "")
	client := newClientWith(t, integration.ClientConfig{
		Own: func(a netip.AddrPort) bool { return a == own },
		Dialers: map[string]*integration.Dialer{
			"direct": mustDialer(t, integration.DialerSpec{}),
			"socks":  mustDialer(t, integration.DialerSpec{Dialer: "socks5://" + socks.addr}),
			"http":   mustDialer(t, integration.DialerSpec{Dialer: "http://" + tunnel.addr}),
		},
	})
	for _, via := range []string{"", "direct", "socks", "http"} {
		hosts := []string{"169.254.169.254", "fd00:ec2::254", "fe80::1", "224.0.0.1", "::ffff:169.254.169.254", own.Addr().String(), "0.0.0.0"}
		if via == "socks" || via == "http" {
			hosts = append(hosts, "2852039166", "127.1", "0xa9.254.169.254", "169.254.169.254.", "x\r\ny", "")
		}
		for _, host := range hosts {
			g := newGroup(b.addr)
			g.endpoints[0].Host = host
			if a := ask(t, serve(t, gateway.Config{}, private(t, client, "$default", integration.PrivateSpec{Upstream: g, Via: via})), "GET /"); a.StatusCode != 503 {
				t.Errorf("%s via %q: status %d", host, via, a.StatusCode)
			}
			if got := g.settled(t); got != "0 0 unreachable failed, 0 0" {
				t.Errorf("%s via %q: done %q", host, via, got)
			}
		}
	}
	if n := b.dials(); n != 0 || socks.asked()+tunnel.asked() != "" {
		t.Errorf("%d connections", n)
	}
	// What the author of an API has named is bound by AllowPrivate, over a link, too.
	x := newExchange(t, gateway.Limits{})
	for _, via := range []string{"direct", "socks", "http"} {
		a, err := client.AddressVia("http://10.255.255.1:9/", via)
		if err != nil {
			t.Fatal(err)
		}
		o := &integration.Outgoing{Method: "GET", Timeout: 10 * time.Second}
		a.Fill(o, nil, nil)
		if _, err := client.Send(x, o); err == nil || !strings.Contains(err.Error(), "may not reach") {
			t.Errorf("via %s: %v", via, err)
		}
		runtime.KeepAlive(a)
	}
}

// TestDialerSource: connections come from the address that the link says.
func TestDialerSource(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8 without being told")
	}
	from := make(chan string, 10)
	b := newRawBackend(t, func(_ *backend, c net.Conn, _ *bufio.Reader, r received) bool {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		from <- host
		_, err := io.WriteString(c, ok)
		return err == nil
	})
	client := newClientWith(t, integration.ClientConfig{AllowPrivate: true, Dialers: map[string]*integration.Dialer{
		"two":   mustDialer(t, integration.DialerSpec{Source: "127.0.0.2"}),
		"three": mustDialer(t, integration.DialerSpec{Dialer: "direct", Source: "127.0.0.3"}),
		"gone":  mustDialer(t, integration.DialerSpec{Source: "192.0.2.1"}),
	}})
	g := newGroup(b.addr)
	for via, want := range map[string]string{"": "127.0.0.1", "two": "127.0.0.2", "three": "127.0.0.3"} {
		if a := ask(t, serve(t, gateway.Config{}, private(t, client, "$default", integration.PrivateSpec{Upstream: g, Via: via})), "GET /"); a.StatusCode != 200 {
			t.Fatalf("via %q: status %d", via, a.StatusCode)
		}
		if got := <-from; got != want {
			t.Errorf("via %q: from %s, want %s", via, got, want)
		}
	}
	g.settled(t)
	// An address that this host does not have says nothing about the endpoint.
	if a := ask(t, serve(t, gateway.Config{}, private(t, client, "$default", integration.PrivateSpec{Upstream: g, Via: "gone"})), "GET /"); a.StatusCode != 503 {
		t.Errorf("status %d", a.StatusCode)
	}
	if got := g.settled(t); got != "0 0, 0 0" {
		t.Errorf("done %q", got)
	}
}

// TestAddressVia: fixed and filled-in hosts are both reached by the dialer of the address,
// over connections that are kept.
func TestAddressVia(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	socks := newSOCKS(t, b.addr, "", "")
	client := newClientWith(t, integration.ClientConfig{AllowPrivate: true, Dialers: map[string]*integration.Dialer{"vl-1": mustDialer(t, integration.DialerSpec{Dialer: "socks5://" + socks.addr})}})
	x := newExchange(t, gateway.Limits{})
	for _, tt := range []struct{ uri, want string }{
		{"http://nlb.internal:81/a", "name nlb.internal 81"},
		{"http://{name}.internal/a", "name pets.internal 80"},
	} {
		a, err := client.AddressVia(tt.uri, "vl-1")
		if err != nil {
			t.Fatal(err)
		}
		o := &integration.Outgoing{Method: "GET", Timeout: 10 * time.Second}
		for range 2 {
			if err := a.Fill(o, []string{"pets"}, nil); err != nil {
				t.Fatal(err)
			}
			if in, err := client.Send(x, o); err != nil || in.Status != 200 {
				t.Errorf("%s: %+v, %v", tt.uri, in, err)
			}
		}
		if got := socks.asked(); got != tt.want && (o.To.Port != 80 || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s: asked for %q, want %q", tt.uri, got, tt.want)
		}
		runtime.KeepAlive(a)
	}
	if _, err := client.AddressVia("http://x/", "vl-2"); err == nil || !strings.Contains(err.Error(), `"vl-2"`) {
		t.Errorf("an unknown dialer: %v", err)
	}
	o := &integration.Outgoing{Method: "GET", Timeout: time.Second, To: integration.Target{Host: "x", Port: 80, Via: "vl-3"}, Authority: "x", Target: "/"}
	if _, err := client.Send(x, o); err == nil || !strings.Contains(err.Error(), `"vl-3"`) {
		t.Errorf("a target with an unknown dialer: %v", err)
	}
}

// TestNewDialerErrors: errors say what to write, and never have a password.
func TestNewDialerErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		spec integration.DialerSpec
		want string
	}{
		{integration.DialerSpec{Dialer: "proxy.internal:1080"}, "socks5://"},
		{integration.DialerSpec{Dialer: "https://u:secret@p:1"}, "socks5://"},
		{integration.DialerSpec{Dialer: "socks5h://p:1"}, "socks5://"},
		{integration.DialerSpec{Dialer: "socks5://u:secret@p"}, "no port"},
		{integration.DialerSpec{Dialer: "socks5://p:0"}, "no port"},
		{integration.DialerSpec{Dialer: "socks5://p:70000"}, "no port"},
		{integration.DialerSpec{Dialer: "socks5://u:secret/x@p:1"}, "socks5://"},
		{integration.DialerSpec{Dialer: "socks5://u:secret%@p:1"}, "socks5://"},
		{integration.DialerSpec{Dialer: "http://p:1/x"}, "socks5://"},
		{integration.DialerSpec{Dialer: "http://p:1?x"}, "socks5://"},
		{integration.DialerSpec{Dialer: "http://p:1#x"}, "socks5://"},
		{integration.DialerSpec{Dialer: "http://:1"}, "socks5://"},
		{integration.DialerSpec{Dialer: "http://a%3Ab:secret@p:1"}, "colon"},
		{integration.DialerSpec{Dialer: "socks5://:secret@p:1"}, "1 to 255"},
		{integration.DialerSpec{Dialer: "socks5://u:" + strings.Repeat("secret", 50) + "@p:1"}, "1 to 255"},
		{integration.DialerSpec{Source: "eth0"}, `"eth0"`},
		{integration.DialerSpec{Source: "0.0.0.0"}, `"0.0.0.0"`},
		{integration.DialerSpec{Source: "127.0.0.1:80"}, `"127.0.0.1:80"`},
	} {
		_, err := integration.NewDialer(tt.spec)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, want one that says %s", tt.spec, err, tt.want)
		}
	}
}
