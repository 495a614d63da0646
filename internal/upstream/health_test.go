package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
)

func refuse(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }

// doors are instances that accept connections or do not.
type doors struct {
	mu     sync.Mutex // guards shut
	shut   map[string]bool
	checks atomic.Int64
}

func (d *doors) set(address string, shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut[address] = shut
}

func (d *doors) dial(_ context.Context, _, address string) (net.Conn, error) {
	d.checks.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut[address] {
		return nil, errors.New("refused")
	}
	a, b := net.Pipe()
	b.Close()
	return a, nil
}

func TestHealthChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doors{shut: map[string]bool{"c:80": true}}
		f := newFeed()
		r, u := open(t, Entry{Health: &Health{Healthy: 2}}, f, nil)
		r.options.DialContext = d.dial
		f.lists <- hosts("a", "b", "c")
		if got := reached(t, u); got != "a b c" {
			t.Errorf("before the first check: %q", got)
		}
		steps := []struct {
			name string
			act  func()
			wait time.Duration
			want string
		}{
			{"the first check decides alone", func() {}, 2 * time.Second, "a b"},
			{"two failures are not enough", func() { d.set("a:80", true) }, 20 * time.Second, "a b"},
			{"three are", func() {}, 15 * time.Second, "b"},
			{"one success is not enough", func() { d.set("c:80", false) }, 8 * time.Second, "b"},
			{"two are", func() {}, 24 * time.Second, "b c"},
			{"all fail", func() { d.set("b:80", true); d.set("c:80", true) }, 50 * time.Second, ""},
			{"a new one counts as healthy", func() { f.lists <- hosts("a", "b", "c", "d"); synctest.Wait() }, 0, "d"},
			{"all are back", func() { d.set("a:80", false); d.set("b:80", false); d.set("c:80", false) }, 50 * time.Second, "a b c d"},
		}
		for _, s := range steps {
			s.act()
			time.Sleep(s.wait)
			if s.want == "" {
				_, err := u.Pick(nil)
				if !errors.Is(err, integration.ErrNoEndpoint) || !strings.Contains(err.Error(), "health checks of all 3") {
					t.Errorf("%s: %v", s.name, err)
				}
				continue
			}
			if got := reached(t, u); got != s.want {
				t.Errorf("%s: got %q, want %q", s.name, got, s.want)
			}
		}
		// Nobody checks what has gone.
		f.lists <- nil
		synctest.Wait()
		n := d.checks.Load()
		time.Sleep(time.Minute)
		if d.checks.Load() != n {
			t.Error("removed members are still checked")
		}
		r.Close()
		runtime.KeepAlive(u)
	})
}

// Checks that hang neither run beyond their time nor in greater numbers than allowed.
func TestChecksAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			all.Add(1)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		f := newFeed()
		r, u := open(t, Entry{Health: &Health{}}, f, nil)
		r.options.DialContext, r.checks = hang, make(chan struct{}, 3)
		var list []Instance
		for i := range 12 {
			list = append(list, Instance{Host: fmt.Sprintf("h%d", i), Port: 80})
		}
		f.lists <- list
		time.Sleep(12 * time.Second)
		if most.Load() != 3 || all.Load() < 12 {
			t.Errorf("%d checks ran, %d at one time, want 3", all.Load(), most.Load())
		}
		if _, err := u.Pick(nil); !errors.Is(err, integration.ErrNoEndpoint) {
			t.Errorf("checks that hang do not fail: %v", err)
		}
		r.Close()
		runtime.KeepAlive(u)
	})
}

func TestProbe(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.RequestURI() {
		case "/ok?deep=1":
			if q.Method != "GET" || q.Host != "orders.example" {
				w.WriteHeader(500)
			}
		case "/moved":
			http.Redirect(w, q, "/broken", http.StatusFound)
		case "/hang":
			<-q.Context().Done()
		default:
			w.WriteHeader(500)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	for _, tt := range []struct {
		name   string
		health Health
		server *httptest.Server
		tls    bool
		want   string // what the error says
	}{
		{"good", Health{Path: "/ok?deep=1", Host: "orders.example"}, plain, false, ""},
		{"the wrong field Host", Health{Path: "/ok?deep=1"}, plain, false, "the status is 500"},
		{"bad", Health{Path: "/broken"}, plain, false, "the status is 500"},
		{"bad as expected", Health{Path: "/broken", Expect: []Statuses{{200, 204}, {500, 500}}}, plain, false, ""},
		{"a redirect is not followed", Health{Path: "/moved"}, plain, false, ""},
		{"a redirect that is not expected", Health{Path: "/moved", Expect: []Statuses{{200, 299}}}, plain, false, "the status is 302"},
		{"it hangs", Health{Path: "/hang", Interval: time.Second, Timeout: 30 * time.Millisecond}, plain, false, "deadline"},
		{"over TLS", Health{Path: "/moved"}, secure, true, ""},
		{"over TLS because of the name", Health{Path: "/moved", ServerName: "example.com"}, secure, false, ""},
		{"over TLS with another name", Health{Path: "/moved", ServerName: "orders.example"}, secure, true, "certificate"},
		{"a connection", Health{}, secure, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := New([]Entry{{Match: "*", Health: &tt.health}}, Options{Logger: quiet(), RootCAs: roots})
			if tt.health.Timeout == 0 {
				r.entries[0].Health.Timeout = time.Minute
			}
			g := newGroup(r, &r.entries[0], Ref{ARN: testARN}, testARN)
			host, port, _ := net.SplitHostPort(tt.server.Listener.Addr().String())
			in, err := ParseTarget(net.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			err = g.probe(t.Context(), newMember(key{in.Host, in.Port, tt.tls}))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestProbeClosedPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in, err := ParseTarget(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := New([]Entry{{Match: "*", Health: &Health{}}}, Options{Logger: quiet()})
	g := newGroup(r, &r.entries[0], Ref{ARN: testARN}, testARN)
	if err := g.probe(t.Context(), newMember(key{in.Host, in.Port, false})); err == nil {
		t.Error("a closed port is healthy")
	}
}

func TestParseStatuses(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Statuses{"200": {200, 200}, "200-399": {200, 399}, "": {}, "99": {}, "200-": {}, "300-200": {}, "200-600": {}, "2xx": {}, "-1": {}} {
		if got, err := ParseStatuses(s); got != want || (err == nil) != (want != Statuses{}) {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
}
