package integration_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// refusing returns an address where nobody listens.
func refusing(t testing.TB) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}

// hanging returns an address whose connections never get a word.
func hanging(t testing.TB) string {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String() // the system takes the connections, and nobody else does
}

// TestPrivateAttempts: which failures leave the request to another endpoint.
func TestPrivateAttempts(t *testing.T) {
	t.Parallel()
	short, long := "\nabc", "\n"+strings.Repeat("x", 300<<10)
	for _, tt := range []struct {
		name, places string
		line, body   string
		timeout      time.Duration
		want         int
		sent         string // how many requests each place got
		done         string
	}{
		{"good", "good good", "POST /", short, 0, 200, "1 0", "0 200"},
		{"refused GET", "refused good", "GET /", "", 0, 200, "0 1", "0 0 unreachable failed, 1 200"},
		{"refused POST", "refused good", "POST /", short, 0, 200, "0 1", "0 0 unreachable failed, 1 200"},
		{"refused upload", "refused good", "POST /", long, 0, 200, "0 1", "0 0 unreachable failed, 1 200"},
		{"refused twice", "refused refused good", "POST /", short, 0, 200, "0 0 1", "0 0 unreachable failed, 1 0 unreachable failed, 2 200"},
		{"three are enough", "refused refused refused good", "GET /", "", 0, 503, "0 0 0 0", "0 0 unreachable failed, 1 0 unreachable failed, 2 0 unreachable failed"},
		{"the only one", "refused", "GET /", "", 0, 503, "0", "0 0 unreachable failed, 0 0"},
		{"hangs", "hangs good", "POST /", short, 0, 200, "0 1", "0 0 unreachable failed, 1 200"},
		{"hangs until the timeout", "hangs good", "POST /", short, 100 * time.Millisecond, 503, "0 0", "0 0 unreachable failed"},
		{"lost GET", "closes good", "GET /", "", 0, 200, "1 1", "0 0 failed, 1 200"},
		{"lost PUT", "closes good", "PUT /", short, 0, 200, "1 1", "0 0 failed, 1 200"},
		{"lost POST", "closes good", "POST /", short, 0, 500, "1 0", "0 0 failed"},
		{"lost upload", "closes good", "PUT /", long, 0, 500, "1 0", "0 0 failed"},
		{"lost twice", "closes closes good", "GET /", "", 0, 500, "1 1 0", "0 0 failed, 1 0 failed"},
		{"lost and refused", "closes refused good", "GET /", "", 0, 200, "1 0 1", "0 0 failed, 1 0 unreachable failed, 2 200"},
		{"lost, and nobody else", "closes", "GET /", "", 0, 500, "1", "0 0 failed, 0 0"},
		{"begun", "begins good", "GET /", "", 0, 500, "1 0", "0 0 failed"},
		{"interim", "interim good", "GET /", "", 0, 500, "1 0", "0 0 failed"},
		{"cut in the body", "cuts good", "GET /", "", 0, 500, "1 0", "0 200 failed"},
		{"malformed", "garbage good", "GET /", "", 0, 500, "1 0", "0 0 failed"},
		{"silent", "silent good", "GET /", "", 100 * time.Millisecond, 503, "1 0", "0 0 failed"},
		{"unavailable", "unavailable good", "GET /", "", 0, 503, "1 0", "0 503"},
		{"refused, then unavailable", "refused unavailable", "GET /", "", 0, 503, "0 1", "0 0 unreachable failed, 1 503"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGroup()
			var backends []*backend
			for i, place := range strings.Fields(tt.places) {
				b := &backend{}
				switch place {
				case "refused":
					b.addr = refusing(t)
				case "hangs":
					b.addr = hanging(t)
				case "silent":
					b = newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
						br.Peek(1)
						return false
					})
				default:
					answer := map[string]string{
						"good": ok, "closes": "", "begins": "H", "interim": "HTTP/1.1 100 Continue\r\n\r\n",
						"cuts": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nok", "garbage": "220 ftp\r\n\r\n",
						"unavailable": "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
					}[place]
					b = newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
						if r.body == "" && strings.Contains(strings.Join(r.fields, "\n"), "Content-Length: 307200") {
							br.Discard(300 << 10)
						}
						io.WriteString(c, answer)
						return answer == ok
					})
				}
				backends = append(backends, b)
				g.endpoints = append(g.endpoints, newGroup(b.addr).endpoints...)
				g.endpoints[i].TLS = place == "hangs"
			}
			start := time.Now()
			c := dial(t, serve(t, gateway.Config{}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g, Timeout: tt.timeout})))
			a := c.ask(tt.line, tt.body)
			if a.StatusCode != tt.want {
				t.Errorf("status %d, want %d", a.StatusCode, tt.want)
			}
			var sent []string
			for _, b := range backends {
				got := b.take()
				sent = append(sent, fmt.Sprint(len(got)))
				for _, r := range got {
					if len(r.body) != 0 && r.body != tt.body[1:] {
						t.Errorf("an endpoint got %d bytes", len(r.body))
					}
				}
			}
			if s := strings.Join(sent, " "); s != tt.sent {
				t.Errorf("sent %s, want %s", s, tt.sent)
			}
			if got := g.settled(t); got != tt.done {
				t.Errorf("done %q, want %q", got, tt.done)
			}
			if tt.places == "hangs good" && tt.timeout == 0 && time.Since(start) < time.Second {
				t.Errorf("answered after %v: an endpoint has a second", time.Since(start))
			}
		})
	}
}

// TestPrivateStale: a reused connection that was closed says nothing about its endpoint,
// which gets the request on a new one, as with HTTP.
func TestPrivateStale(t *testing.T) {
	t.Parallel()
	b, hangUp := stale(t)
	other := newBackend(t, nil)
	g := newGroup(b.addr, other.addr)
	c := dial(t, serve(t, gateway.Config{}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g})))
	for _, tt := range []struct {
		line       string
		want, sent int
		done       string
	}{
		{"GET /", 200, 2, "0 200"},
		{"POST /", 500, 1, "0 0 failed"},
	} {
		if a := c.ask("GET /"); a.StatusCode != 200 {
			t.Fatalf("status %d", a.StatusCode)
		}
		b.take()
		g.settled(t)
		hangUp.Store(true)
		if a := c.ask(tt.line, "\nabc"); a.StatusCode != tt.want {
			t.Errorf("%s: status %d, want %d", tt.line, a.StatusCode, tt.want)
		}
		if n := len(b.take()); n != tt.sent {
			t.Errorf("%s: sent %d times, want %d", tt.line, n, tt.sent)
		}
		if got := g.settled(t); got != tt.done {
			t.Errorf("%s: done %q, want %q", tt.line, got, tt.done)
		}
	}
	if n := other.dials(); n != 0 {
		t.Errorf("%d connections to the other endpoint", n)
	}
}

// TestPrivateRestarts: an endpoint that goes away with a kept connection loses nothing that
// may be repeated.
func TestPrivateRestarts(t *testing.T) {
	t.Parallel()
	l := listen(t)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		receive(br)
		io.WriteString(c, ok)
		receive(br)
		l.Close()
	}()
	other := newBackend(t, nil)
	g := newGroup(l.Addr().String(), other.addr)
	c := dial(t, serve(t, gateway.Config{}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g})))
	for range 2 {
		if a := c.ask("GET /"); a.StatusCode != 200 {
			t.Errorf("status %d", a.StatusCode)
		}
	}
	if got, want := g.settled(t), "0 200, 0 0 unreachable failed, 1 200"; got != want {
		t.Errorf("done %q, want %q", got, want)
	}
}

// TestPrivateStreams: a request is under way for as long as its answer comes.
func TestPrivateStreams(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", 100<<10)
	for _, tt := range []struct {
		name   string
		second string // what the endpoint sends then; it closes
		leaves bool   // the client
		want   string
	}{
		{"whole", part, false, "0 200"},
		{"cut", part[1:], false, "0 200 failed"},
		{"the client leaves", "", true, "0 200"},
	} {
		proceed := make(chan struct{})
		b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 2*len(part), part)
			if tt.leaves {
				br.Peek(1)
			} else {
				<-proceed
			}
			io.WriteString(c, tt.second)
			return false
		})
		g := newGroup(b.addr)
		c := dial(t, serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: 20 * time.Millisecond}}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g})))
		c.send(message("GET /"))
		if _, err := c.br.Peek(1); err != nil {
			t.Fatal(err)
		}
		if n, done := g.under(), g.take(); n != 1 || done != "" {
			t.Errorf("%s: %d under way, done %q while the answer comes", tt.name, n, done)
		}
		if tt.leaves {
			c.nc.Close()
		} else {
			close(proceed)
			if a, err := c.tryRead("GET"); (err == nil) != (tt.name == "whole") {
				t.Errorf("%s: %d bytes, %v", tt.name, len(a.body), err)
			}
		}
		if got := g.settled(t); got != tt.want {
			t.Errorf("%s: done %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestPrivateBlameless: what is not the endpoint's fault is not held against it, and ends
// the request all the same.
func TestPrivateBlameless(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	b := silent(t, done)
	limits := gateway.Limits{Abandoned: 20 * time.Millisecond}

	g := newGroup(b.addr)
	addr := serve(t, gateway.Config{Limits: limits}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g}))
	c := dial(t, addr)
	c.send(message("GET /wait"))
	await(t, "the endpoint has the request", func() bool { return len(b.take()) == 1 })
	c.nc.Close()
	if got := g.settled(t); got != "0 0" {
		t.Errorf("the client leaves: done %q", got)
	}

	takes := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		io.Copy(io.Discard, br)
		return true
	})
	g.endpoints[0] = place(new(integration.Endpoint), takes.addr)
	c = dial(t, addr)
	c.send(message("POST /", "Content-Length: 2000000") + strings.Repeat("x", 1<<20))
	await(t, "the endpoint has the request", func() bool { return len(takes.take()) == 1 })
	c.nc.Close()
	if got := g.settled(t); got != "0 0" {
		t.Errorf("the client leaves in its body: done %q", got)
	}
	g.endpoints[0] = place(new(integration.Endpoint), b.addr)

	panics := newClientWith(t, integration.ClientConfig{Own: func(netip.AddrPort) bool { panic("a broken invariant") }})
	a := ask(t, serve(t, gateway.Config{}, private(t, panics, "$default", integration.PrivateSpec{Upstream: g})), "GET /")
	if got := g.settled(t); got != "0 0" || a.StatusCode != 500 {
		t.Errorf("a panic: status %d, done %q", a.StatusCode, got)
	}

	one := newClientWith(t, integration.ClientConfig{MaxConns: 1})
	addr = serve(t, gateway.Config{}, private(t, one, "GET /wait", integration.PrivateSpec{Upstream: g}), private(t, one, "GET /", integration.PrivateSpec{Upstream: g, Timeout: 50 * time.Millisecond}))
	c = dial(t, addr)
	c.send(message("GET /wait"))
	await(t, "the place is taken", func() bool { return len(b.take()) > 0 })
	if a := ask(t, addr, "GET /"); a.StatusCode != 503 {
		t.Errorf("no place: status %d", a.StatusCode)
	}
	if got := g.take(); got != "0 0" {
		t.Errorf("no place: done %q", got)
	}
}

// A random upstream takes any endpoint, and checks that each pick is done once.
type random struct {
	places       []string
	current      []atomic.Pointer[integration.Endpoint]
	picks, dones atomic.Int64
	bad          atomic.Int64
	counts       sync.Map // *Endpoint to *atomic.Int64
}

func (r *random) Pick(tried []*integration.Endpoint) (*integration.Endpoint, error) {
	e := r.current[rand.IntN(len(r.current))].Load()
	r.picks.Add(1)
	n, _ := r.counts.LoadOrStore(e, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	return e, nil
}

func (r *random) Done(e *integration.Endpoint, o integration.Outcome) {
	r.dones.Add(1)
	if n, ok := r.counts.Load(e); !ok || n.(*atomic.Int64).Add(-1) < 0 {
		r.bad.Add(1)
	}
}

// replace puts a new endpoint into a place, which leads to where the old one led.
func (r *random) replace(i int) {
	r.current[i].Store(place(new(integration.Endpoint), r.places[i]))
}

// TestPrivateFlaky: over endpoints that fail in all ways, and come and go, each pick is
// done once, and nobody gets what another one asked for.
func TestPrivateFlaky(t *testing.T) {
	t.Parallel()
	flaky := func() string {
		return newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.line), r.line)
			switch rand.IntN(12) {
			case 0:
				return false
			case 1:
				io.WriteString(c, answer[:len(answer)/2])
				return false
			case 2:
				c.(*net.TCPConn).SetLinger(0)
				return false
			case 3:
				long := strings.Repeat(r.line, 1+100<<10/len(r.line))
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long)+rand.IntN(2), long)
				return false
			case 4:
				io.WriteString(c, answer)
				return false
			}
			_, err := io.WriteString(c, answer)
			return err == nil
		}).addr
	}
	u := &random{places: []string{flaky(), flaky(), flaky(), refusing(t)}}
	u.current = make([]atomic.Pointer[integration.Endpoint], len(u.places))
	for i := range u.places {
		u.replace(i)
	}
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: time.Millisecond}}, private(t, newClientWith(t, integration.ClientConfig{MaxConns: 8}), "$default", integration.PrivateSpec{Upstream: u}))
	const clients, requests = 6, 300
	var good atomic.Int64
	var asking sync.WaitGroup
	for i := range clients {
		asking.Go(func() {
			c := dial(t, addr)
			for j := range requests {
				method := []string{"GET", "POST"}[j%2]
				line := fmt.Sprintf("%s /%d/%d", method, i, j)
				if j%10 == 0 {
					u.replace(j / 10 % len(u.places))
				}
				body := "\nx"
				if j%7 == 0 {
					body = "\n" + strings.Repeat("y", 80<<10)
				}
				if _, err := io.WriteString(c.nc, message(line, body)); err != nil {
					c = dial(t, addr)
					continue
				}
				if j%50 == 49 { // leaves
					c.nc.Close()
					c = dial(t, addr)
					continue
				}
				a, err := c.tryRead(method)
				switch {
				case err != nil: // cut in a streamed answer
					c.nc.Close()
					c = dial(t, addr)
				case a.StatusCode == 200 && strings.Trim(a.body, line) == "" && strings.HasPrefix(a.body, line):
					good.Add(1)
				case a.StatusCode == 200:
					t.Errorf("%s: got %.60q", line, a.body)
				case a.StatusCode != 500 && a.StatusCode != 503:
					t.Errorf("%s: status %d", line, a.StatusCode)
				}
			}
		})
	}
	asking.Wait()
	await(t, "every pick is done", func() bool { return u.picks.Load() == u.dones.Load() })
	if u.bad.Load() != 0 || good.Load() < clients*requests/4 {
		t.Errorf("%d picks were done more than once; %d of %d requests were answered", u.bad.Load(), good.Load(), clients*requests)
	}
}

// A changing upstream has one endpoint at a time, and keeps no other one.
type changing struct {
	atomic.Pointer[integration.Endpoint]
}

func (c *changing) Pick([]*integration.Endpoint) (*integration.Endpoint, error) { return c.Load(), nil }
func (c *changing) Done(*integration.Endpoint, integration.Outcome)             {}

// TestEndpointGoes: a removed endpoint finishes what is under way, and then its connections
// are closed.
func TestEndpointGoes(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", 100<<10)
	begun, proceed := make(chan struct{}), make(chan struct{})
	old := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		if strings.Contains(r.line, "long") {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 2*len(part), part)
			close(begun)
			<-proceed
			io.WriteString(c, part)
			return true
		}
		_, err := io.WriteString(c, ok)
		return err == nil
	})
	next := newBackend(t, nil)
	u := new(changing)
	u.Store(place(new(integration.Endpoint), old.addr))
	addr := serve(t, gateway.Config{}, private(t, newClientWith(t, integration.ClientConfig{IdleTimeout: time.Hour}), "$default", integration.PrivateSpec{Upstream: u}))
	c := dial(t, addr)
	c.send(message("GET /long"))
	<-begun
	short := dial(t, addr)
	for range 3 {
		short.ask("GET /")
	}
	if old.dials() != 2 || old.hung() != 0 {
		t.Fatalf("%d connections, %d closed", old.dials(), old.hung())
	}
	u.Store(place(new(integration.Endpoint), next.addr))
	if a := short.ask("GET /"); a.StatusCode != 200 || len(next.take()) != 1 {
		t.Errorf("status %d: the next request goes to the new endpoint", a.StatusCode)
	}
	runtime.GC()
	close(proceed)
	if a := c.read("GET"); a.StatusCode != 200 || a.body != part+part {
		t.Errorf("the request under way: status %d, %d bytes", a.StatusCode, len(a.body))
	}
	// Exchanges that served the old endpoint live on, and must not keep it.
	await(t, "all connections to the old endpoint are closed", func() bool { runtime.GC(); return old.hung() == 2 })
	if a := short.ask("GET /"); a.StatusCode != 200 || next.dials() != 1 || next.hung() != 0 {
		t.Errorf("the new endpoint: status %d, %d connections, %d closed", a.StatusCode, next.dials(), next.hung())
	}
}
