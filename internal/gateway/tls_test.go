package gateway_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// An authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
}

var serials atomic.Int64

// sign makes a certificate as edit says, signed by a, or by itself if a is nil.
func (a *authority) sign(t testing.TB, key crypto.Signer, edit func(c *x509.Certificate)) *authority {
	t.Helper()
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	n := serials.Add(1)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: fmt.Sprint("test ", n)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	edit(template)
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

func newAuthority(t testing.TB) *authority {
	return (*authority)(nil).sign(t, nil, func(c *x509.Certificate) { c.IsCA = true; c.ExtKeyUsage = nil })
}

// pool trusts a, and nobody else.
func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// pair is what a shows, with more of its chain.
func (a *authority) pair(chain ...*authority) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key, Leaf: a.cert}
	for _, more := range chain {
		c.Certificate = append(c.Certificate, more.cert.Raw)
	}
	return c
}

// leaf signs a certificate for names.
func (a *authority) leaf(t testing.TB, names ...string) *authority {
	return a.sign(t, nil, func(c *x509.Certificate) { c.DNSNames = names })
}

// A world is a TLS listener with the domains open.example, a.example, b.example and
// *.wild.example, all but the first with mutual TLS. Every one leads to the API "a", and
// so does its execute-api host.
type world struct {
	s      *gateway.Server
	addr   string
	server *authority            // who signs the listener's certificate
	users  map[string]*authority // who signs the clients of each domain

	mu   sync.Mutex // guards auth
	auth map[string]*gateway.ClientAuth
}

var mutualDomains = []string{"a.example", "b.example", "*.wild.example"}

// domain returns the domain of a name in mutualDomains, or "".
func domainOf(name string) string {
	if label, suffix, ok := strings.Cut(name, "."); ok && label != "" && suffix == "wild.example" {
		return "*.wild.example"
	}
	for _, d := range mutualDomains {
		if d == name {
			return d
		}
	}
	return ""
}

func (w *world) snapshot(in gateway.Integration) *gateway.Snapshot {
	to := map[string]gateway.APIMapping{"": {Destination: gateway.Destination{APIID: "a", Stage: "$default"}}}
	domains := []*gateway.Domain{{Name: "open.example", Mappings: to}}
	for _, name := range mutualDomains {
		domains = append(domains, &gateway.Domain{Name: name, MutualTLS: &gateway.MutualTLS{TruststoreURI: "file:///" + name}, Mappings: to})
	}
	var t testing.TB = w.server.t
	return gateway.NewSnapshot(1, []*gateway.API{newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"$default": in}))}, domains...)
}

func newWorld(t testing.TB, c gateway.Config, in gateway.Integration) *world {
	t.Helper()
	w := &world{server: newAuthority(t), users: map[string]*authority{}, auth: map[string]*gateway.ClientAuth{}}
	for _, d := range mutualDomains {
		w.users[d] = newAuthority(t)
		w.auth[d] = &gateway.ClientAuth{Pool: w.users[d].pool(), Version: "1"}
	}
	own := w.server.leaf(t, host, "open.example", "a.example", "b.example", "*.wild.example").pair()
	c.Region, c.Suffixes = "us-east-1", []string{"localhost"}
	w.s = gateway.NewServer(c)
	w.s.Publish(w.snapshot(in))
	l := listen(t)
	w.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() {
		served <- w.s.ServeTLS(l, gateway.TLSConfig{
			Certificate: func(string) (*tls.Certificate, error) { return &own, nil },
			ClientAuth:  func(name string) *gateway.ClientAuth { return w.trust(domainOf(name)) },
		})
	}()
	t.Cleanup(func() {
		w.s.Close()
		if err := <-served; err != nil {
			t.Errorf("ServeTLS: %v", err)
		}
	})
	return w
}

func (w *world) trust(domain string) *gateway.ClientAuth {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.auth[domain]
}

func (w *world) setTrust(domain string, a *gateway.ClientAuth) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.auth[domain] = a
}

// config is that of a client which asks for a name.
func (w *world) config(name string, certs ...tls.Certificate) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: w.server.pool(), Certificates: certs, NextProtos: []string{"http/1.1"}}
}

// dial makes a connection; a refused certificate shows with the first answer only.
func (w *world) dial(t testing.TB, c *tls.Config) (*tls.Conn, error) {
	t.Helper()
	nc, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(nc, c)
	return conn, conn.Handshake()
}

// ask sends a request on a connection and returns the status.
func ask(conn net.Conn, br *bufio.Reader, host string) (int, error) {
	if _, err := fmt.Fprintf(conn, "GET /x HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return 0, err
	}
	r, err := http.ReadResponse(br, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return r.StatusCode, err
}

// status makes a connection for a name and asks it for a host. 0 means that the
// handshake was refused.
func (w *world) status(t testing.TB, c *tls.Config, host string) int {
	t.Helper()
	conn, err := w.dial(t, c)
	if err != nil {
		return 0
	}
	defer conn.Close()
	status, err := ask(conn, bufio.NewReader(conn), host)
	if err != nil {
		return 0
	}
	return status
}

// echo answers with the body of the request, and tells what it was.
type echo struct{}

func (echo) Invoke(x *gateway.Exchange) error {
	r := &x.Request
	fields := ""
	for _, f := range r.Header {
		fields += f.Name + "=" + f.Value + ";"
	}
	body := r.Body.Bytes
	if r.Body.Stream != nil {
		var err error
		if body, err = io.ReadAll(r.Body.Stream); err != nil {
			return err
		}
	}
	x.Response.Status = 200
	x.Response.Header = []gateway.Field{{Name: "X-Request", Value: fmt.Sprintf("%s %s %s %d", r.Method, r.Target, r.Host, r.ContentLength)}, {Name: "X-Fields", Value: fields}, {Name: "X-Name", Value: r.TLS.ServerName}, {Name: "Connection", Value: "x"}}
	x.Response.Body = gateway.Body{Bytes: body, Length: int64(len(body))}
	if r.Method == "HEAD" {
		x.Response.Body.Bytes, x.Response.Bodiless = nil, true
	}
	return nil
}

// TestTLS: HTTP/1 over TLS is what it is without: kept alive, pipelined, with bodies of
// every length, closed in order.
func TestTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, echo{})
	conn, err := w.dial(t, w.config("OPEN.example"))
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(conn)
	for _, n := range []int{0, 1, 5000, 9000, 16 << 10, 70000, 1 << 20} {
		body := strings.Repeat("x", n)
		fmt.Fprintf(conn, "POST /x?q HTTP/1.1\r\nHost: open.example\r\nContent-Length: %d\r\n\r\n%s", n, body)
		r, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != 200 || string(got) != body || r.Close {
			t.Errorf("%d bytes: status %d, %d bytes, close %t, %v", n, r.StatusCode, len(got), r.Close, err)
		}
		if want := fmt.Sprintf("POST /x?q open.example %d", n); r.Header.Get("X-Request") != want || r.Header.Get("X-Name") != "open.example" {
			t.Errorf("request %q for %q, want %q", r.Header.Get("X-Request"), r.Header.Get("X-Name"), want)
		}
	}
	fmt.Fprint(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: open.example\r\n\r\n", 3))
	for range 3 {
		if r, err := http.ReadResponse(br, nil); err != nil || r.StatusCode != 200 {
			t.Errorf("pipelined: %v", err)
		}
	}
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: open.example\r\nConnection: close\r\n\r\n")
	if r, err := http.ReadResponse(br, nil); err != nil || !r.Close {
		t.Errorf("the last answer: %v", err)
	}
	if _, err := br.ReadByte(); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

// TestTLSVersions: nothing older than TLS 1.2, nor a cipher suite without
// authenticated encryption.
func TestTLSVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	for _, tt := range []struct {
		name string
		edit func(c *tls.Config)
		want int
	}{
		{"TLS 1.3", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, 418},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, 418},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, 0},
		{"CBC", func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}, 0},
		{"no ALPN", func(c *tls.Config) { c.NextProtos = nil }, 418},
		{"ACME where nothing is ordered", func(c *tls.Config) { c.NextProtos = []string{"acme-tls/1"} }, 0},
		{"another protocol", func(c *tls.Config) { c.NextProtos = []string{"spdy/1"} }, 0},
	} {
		c := w.config("open.example")
		tt.edit(c)
		if got := w.status(t, c, "open.example"); got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestTLSClientLeft: a client that leaves frees what was called for it, although its
// TLS says goodbye first.
func TestTLSClientLeft(t *testing.T) {
	t.Parallel()
	in := &held{}
	w := newWorld(t, gateway.Config{Limits: gateway.Limits{Abandoned: 10 * time.Millisecond}}, in)
	conn, err := w.dial(t, w.config("open.example"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: open.example\r\n\r\n")
	await(t, "the integration is called", func() bool { return in.begun.Load() == 1 })
	conn.Close()
	await(t, "the exchange is given up", func() bool { return in.ended.Load() == 1 })
}

// held waits until its client leaves.
type held struct{ begun, ended atomic.Int64 }

func (h *held) Invoke(x *gateway.Exchange) error {
	h.begun.Add(1)
	defer h.ended.Add(1)
	<-x.Context().Done()
	return gateway.ServiceUnavailable(x.Context().Err())
}

// TestTLSShutdown: idle connections of both protocols end, what is under way is
// answered.
func TestTLSShutdown(t *testing.T) {
	t.Parallel()
	in := &wait{until: make(chan struct{})}
	w := newWorld(t, gateway.Config{}, in)
	idle, err := w.dial(t, w.config("open.example"))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan int, 2)
	for _, h2 := range []bool{false, true} {
		go func() {
			r, err := w.client(h2).Get("https://open.example/")
			if err != nil {
				t.Errorf("HTTP/2 %t: %v", h2, err)
				answers <- 0
				return
			}
			answers <- r.StatusCode
		}()
	}
	await(t, "both are being served", func() bool { return in.begun.Load() == 2 && w.s.Conns() == 3 })
	done := make(chan error, 1)
	go func() { done <- w.s.Shutdown(context.Background()) }()
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection: %v", err)
	}
	close(in.until)
	if a, b := <-answers, <-answers; a != 200 || b != 200 {
		t.Errorf("status %d and %d", a, b)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTLSCloseLeavesNothing: Close does not wait for clients, whatever they do.
func TestTLSCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	in := &held{}
	w := newWorld(t, gateway.Config{}, in)
	dial(t, w.addr) // never says hello
	for _, h2 := range []bool{false, true} {
		go func() { w.client(h2).Get("https://open.example/") }()
	}
	await(t, "both are being served", func() bool { return in.begun.Load() == 2 && w.s.Conns() == 3 })
	start := time.Now()
	w.s.Close()
	if took := time.Since(start); took > 2*time.Second || in.ended.Load() != 2 || w.s.Conns() != 0 {
		t.Errorf("took %v, %d of 2 ended, %d connections left", took, in.ended.Load(), w.s.Conns())
	}
}

// client is one that speaks HTTP/1 or HTTP/2, with everything that it asks for at the
// listener.
func (w *world) client(h2 bool, certs ...tls.Certificate) *http.Client {
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.addr)
		},
		TLSClientConfig: &tls.Config{RootCAs: w.server.pool(), Certificates: certs},
		Protocols:       new(http.Protocols),
	}
	tr.Protocols.SetHTTP1(!h2)
	tr.Protocols.SetHTTP2(h2)
	w.server.t.(interface{ Cleanup(func()) }).Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// TestTLSCertificateSwap: certificates change while clients connect, and nobody
// notices.
func TestTLSCertificateSwap(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	var current atomic.Pointer[tls.Certificate]
	swap := func() { c := ca.leaf(t, "open.example").pair(); current.Store(&c) }
	swap()
	w := &world{server: ca, users: map[string]*authority{}}
	w.s = gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	w.s.Publish(w.snapshot(teapot{}))
	l := listen(t)
	w.addr = l.Addr().String()
	go w.s.ServeTLS(l, gateway.TLSConfig{Certificate: func(string) (*tls.Certificate, error) { return current.Load(), nil }})
	t.Cleanup(func() { w.s.Close() })
	var wrong atomic.Int64
	var all sync.WaitGroup
	kept := w.client(true)
	tick := time.NewTicker(5 * time.Millisecond) // 200 a second
	defer tick.Stop()
	for i := range 200 {
		<-tick.C
		if i%10 == 9 {
			swap()
		}
		all.Go(func() {
			if i%2 == 0 {
				if got := w.status(t, w.config("open.example"), "open.example"); got != 418 {
					wrong.Add(1)
				}
				return
			}
			r, err := kept.Get("https://open.example/")
			if err != nil || r.StatusCode != 418 {
				wrong.Add(1)
				return
			}
			r.Body.Close()
		})
	}
	all.Wait()
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d of 200 requests failed", n)
	}
}

// TestTLSChallenge: an authority that wants to see whether a name leads here gets the
// certificate that says so, and nothing else.
func TestTLSChallenge(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	own, proof := ca.leaf(t, "open.example").pair(), ca.leaf(t, "open.example").pair()
	w := &world{server: ca}
	s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	t.Cleanup(func() { s.Close() })
	l := listen(t)
	w.addr = l.Addr().String()
	go s.ServeTLS(l, gateway.TLSConfig{
		Certificate: func(string) (*tls.Certificate, error) { return &own, nil },
		Challenge:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &proof, nil },
	})
	for _, tt := range []struct {
		protocols []string
		want      tls.Certificate
		ends      bool
	}{
		{[]string{"acme-tls/1"}, proof, true},
		{[]string{"acme-tls/1", "http/1.1"}, own, false},
		{[]string{"http/1.1"}, own, false},
	} {
		c := w.config("open.example")
		c.NextProtos = tt.protocols
		conn, err := w.dial(t, c)
		if err != nil {
			t.Fatalf("%v: %v", tt.protocols, err)
		}
		if !conn.ConnectionState().PeerCertificates[0].Equal(tt.want.Leaf) {
			t.Errorf("%v: another certificate", tt.protocols)
		}
		if _, err := ask(conn, bufio.NewReader(conn), "open.example"); (err != nil) != tt.ends {
			t.Errorf("%v: %v", tt.protocols, err)
		}
	}
}

// TestMutualTLSRules: which certificates of clients are taken.
func TestMutualTLSRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	ca := w.users["a.example"]
	intermediate := func(of *authority) *authority {
		return of.sign(t, nil, func(c *x509.Certificate) { c.IsCA = true; c.ExtKeyUsage = nil })
	}
	i1 := intermediate(ca)
	i2 := intermediate(i1)
	i3 := intermediate(i2)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(*x509.Certificate) {}
	many := func(c *x509.Certificate) {
		for i := range 101 {
			c.DNSNames = append(c.DNSNames, fmt.Sprint("n", i, ".example"))
		}
	}
	for _, tt := range []struct {
		name string
		show []tls.Certificate
		want int
	}{
		{"good", []tls.Certificate{ca.sign(t, nil, plain).pair()}, 418},
		{"RSA", []tls.Certificate{ca.sign(t, strong, plain).pair()}, 418},
		{"two intermediates", []tls.Certificate{i2.sign(t, nil, plain).pair(i2, i1)}, 418},
		{"with the root", []tls.Certificate{i2.sign(t, nil, plain).pair(i2, i1, ca)}, 418},
		{"three intermediates", []tls.Certificate{i3.sign(t, nil, plain).pair(i3, i2, i1)}, 0},
		{"one more than is needed", []tls.Certificate{i2.sign(t, nil, plain).pair(i2, i1, ca, i3)}, 0},
		{"chain with a hole", []tls.Certificate{i2.sign(t, nil, plain).pair(i1)}, 0},
		{"none", nil, 0},
		{"another domain's", []tls.Certificate{w.users["b.example"].sign(t, nil, plain).pair()}, 0},
		{"its own", []tls.Certificate{newAuthority(t).pair()}, 0},
		{"expired", []tls.Certificate{ca.sign(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }).pair()}, 0},
		{"not yet", []tls.Certificate{ca.sign(t, nil, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }).pair()}, 0},
		{"for servers", []tls.Certificate{ca.sign(t, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }).pair()}, 0},
		{"RSA of 1024 bits", []tls.Certificate{ca.sign(t, weak, plain).pair()}, 0},
		{"P-224", []tls.Certificate{ca.sign(t, p224, plain).pair()}, 0},
		{"Ed25519", []tls.Certificate{ca.sign(t, edwards, plain).pair()}, 0},
		{"101 names", []tls.Certificate{ca.sign(t, nil, many).pair()}, 0},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			c := w.config("a.example")
			c.MinVersion, c.MaxVersion = version, version
			if len(tt.show) > 0 {
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tt.show[0], nil }
			}
			if got := w.status(t, c, "a.example"); got != tt.want {
				t.Errorf("%s, %s: status %d, want %d", tt.name, tls.VersionName(version), got, tt.want)
			}
		}
	}
}
