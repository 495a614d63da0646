package integration_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// A single upstream has one endpoint and counts the requests under way.
type single struct {
	endpoint integration.Endpoint
	open     atomic.Int64
}

func (s *single) Pick([]*integration.Endpoint) (*integration.Endpoint, error) {
	s.open.Add(1)
	return &s.endpoint, nil
}

func (s *single) Done(*integration.Endpoint, integration.Outcome) { s.open.Add(-1) }

// newSingle returns an upstream that leads to an address.
func newSingle(addr string) *single {
	s := &single{}
	place(&s.endpoint, addr)
	return s
}

// place makes an endpoint lead to an address.
func place(e *integration.Endpoint, addr string) *integration.Endpoint {
	ap := netip.MustParseAddrPort(addr)
	e.Host, e.Port = ap.Addr().String(), ap.Port()
	return e
}

// private returns a route to a private integration.
func private(t testing.TB, c *integration.Client, key string, spec integration.PrivateSpec) target {
	t.Helper()
	if spec.Timeout == 0 {
		spec.Timeout = 10 * time.Second
	}
	in, err := integration.NewPrivate(c, spec)
	if err != nil {
		t.Fatal(err)
	}
	return target{key: key, in: in, readsBody: spec.Request.ReadsBody()}
}

// BenchmarkPrivate has a private integration beside one over the internet, with the same
// requests and answers.
func BenchmarkPrivate(b *testing.B) {
	body := strings.Repeat("x", 400)
	get := "GET /pets/7?verbose=true HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nAuthorization: Bearer x\r\n\r\n"
	post := "POST /pets HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + body
	short := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + body
	long := "HTTP/1.1 200 OK\r\nContent-Length: 131072\r\n\r\n" + strings.Repeat("x", 128<<10)
	for _, bb := range []struct{ name, request, answer string }{
		{"get", get, short},
		{"post", post, short},
		{"streamed", get, long},
	} {
		b.Run(bb.name+"/internet", func(b *testing.B) {
			exchange(b, serve(b, gateway.Config{}, proxy(b, newClient(b), "$default", mill(b, bb.answer))), []byte(bb.request))
		})
		b.Run(bb.name+"/private", func(b *testing.B) {
			s := newSingle(strings.TrimPrefix(mill(b, bb.answer), "http://"))
			exchange(b, serve(b, gateway.Config{}, private(b, newClient(b), "$default", integration.PrivateSpec{Upstream: s})), []byte(bb.request))
		})
	}
}

// BenchmarkHandshake is what a TLS connection to a backend costs: the first one, and one
// that resumes the session of another.
func BenchmarkHandshake(b *testing.B) {
	ca := newAuthority(b)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ca.issue(b, "a.internal")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c.Write([]byte("x"))
				c.Close()
			}()
		}
	}()
	for _, bb := range []struct {
		name  string
		cache tls.ClientSessionCache
	}{{"first", nil}, {"resumed", tls.NewLRUClientSessionCache(1)}} {
		b.Run(bb.name, func(b *testing.B) {
			cfg := &tls.Config{RootCAs: ca.pool(), ServerName: "a.internal", ClientSessionCache: bb.cache}
			b.ReportAllocs()
			for b.Loop() {
				nc, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				c := tls.Client(nc, cfg)
				if _, err := c.Read(make([]byte, 1)); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
	}
}
