//go:build conformance

package conformance

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSlow attacks a server with many clients that send or read as slowly as they may,
// while others use it: those notice nothing, and the slow ones are cut off.
func TestSlow(t *testing.T) {
	t.Parallel()
	large := []byte(strings.Repeat("0123456789abcdef", 512<<10)) // 8 MiB: more than sockets hold
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			_, _ = w.Write(large) // what is cut off here is cut off there
			return
		}
		_, _ = w.Write([]byte("Ada"))
	})
	p := newPlane(t, build(t), "limits: {headTimeout: 1s, bodyTimeout: 1s, writeTimeout: 1s, handshakeTimeout: 1s, upstreamIdleTimeout: 1s}\n", nil)
	api := p.api("slow", nil)
	p.route(api, "ANY /{proxy+}", p.integration(api, up+"/{proxy}", nil), nil)
	secure := p.tls + "/_aws/execute-api/" + api + "/$default"
	common := []string{"-c", "300", "-r", "300", "-l", "60", "-p", "3"}
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"heads", []string{"-H", "-i", "2", "-u", p.direct(api) + "/small"}},
		{"heads over TLS", []string{"-H", "-i", "2", "-u", secure + "/small"}},
		{"bodies", []string{"-B", "-i", "2", "-s", "8192", "-u", p.direct(api) + "/small"}},
		{"reads", []string{"-X", "-w", "256", "-y", "512", "-n", "5", "-z", "32", "-u", p.direct(api) + "/large"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := *p
			p.t = t
			before := p.vitals()
			good := newGoodClients(&p, p.direct(api)+"/small", secure+"/small")
			defer good.end()
			attack := exec.Command("/usr/bin/slowhttptest", append(common, tt.args...)...)
			if err := attack.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = attack.Process.Kill()
				_ = attack.Wait()
			}()
			start := time.Now()
			peak, most := 0.0, 0.0
			watch := func() float64 {
				now := p.vitals()
				peak, most = max(peak, now[descriptors]-before[descriptors]), max(most, now[memory]-before[memory])
				return now[descriptors] - before[descriptors]
			}
			if !eventually(20*time.Second, func() bool { return watch() > 50 }) {
				t.Errorf("slow clients: want more than 50 at once, got %v", peak)
			}
			// The attackers stay for a minute, unless they are cut off.
			if !eventually(20*time.Second, func() bool { return watch() < 20 }) {
				t.Errorf("%v slow clients were not cut off within %v", watch(), time.Since(start))
			}
			took := time.Since(start)
			requests, slowest := good.end()
			if most > 100<<20 {
				t.Errorf("memory has grown by %.0f MiB while they were there, want at most 100", most/(1<<20))
			}
			t.Logf("300 slow clients, %v files at once, were gone after %v; memory %+.0f MiB; %d other requests, the slowest %v",
				peak, took.Round(time.Millisecond), most/(1<<20), requests, slowest.Round(time.Millisecond))
			p.calm(before, calmTime, 100)
		})
	}
}

// goodClients ask for something every now and then, half of them by new connections.
type goodClients struct {
	p        *plane
	stop     func()
	done     chan struct{}
	requests int
	slowest  time.Duration
}

func newGoodClients(p *plane, addresses ...string) *goodClients {
	stopped := make(chan struct{})
	g := &goodClients{p: p, stop: sync.OnceFunc(func() { close(stopped) }), done: make(chan struct{})}
	config := p.trust("")
	config.InsecureSkipVerify = true // by address, there is no certificate
	kept := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 10 * time.Second}
	fresh := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	go func() {
		defer close(g.done)
		defer kept.CloseIdleConnections()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stopped:
				return
			case <-tick.C:
			}
			client := kept
			if i/len(addresses)%2 == 1 {
				client = fresh
			}
			start := time.Now()
			status, body, err := get(client, "GET", addresses[i%len(addresses)], "")
			g.slowest = max(g.slowest, time.Since(start))
			g.requests++
			if status != 200 || body != "Ada" || err != nil {
				p.t.Errorf("a good client got %d %q %v, want 200", status, body, err)
			}
		}
	}()
	return g
}

// end stops the clients and returns how many requests there were and how long the
// slowest took.
func (g *goodClients) end() (requests int, slowest time.Duration) {
	g.stop()
	<-g.done
	return g.requests, g.slowest
}

// TestDescriptors opens more connections than the process may have files. It sheds
// them, stays healthy, and serves again once they are gone.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs(build(t))
	if err != nil {
		t.Fatal(err)
	}
	limited := filepath.Join(t.TempDir(), "penstock")
	script := fmt.Sprintf("#!/bin/sh\nulimit -n 256\nexec %q \"$@\"\n", program)
	if err := os.WriteFile(limited, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Ada")) })
	p := newPlane(t, limited, "", nil)
	api := p.api("descriptors", nil)
	p.route(api, "GET /small", p.integration(api, up, nil), nil)
	before := p.vitals()
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	healthy := func(when string) {
		t.Helper()
		start := time.Now()
		if status, body, err := get(fresh, "GET", p.admin+"/_penstock/health", ""); status != 200 || err != nil {
			t.Errorf("%s: health: got %d %q %v after %v, want 200", when, status, body, err, time.Since(start))
		}
	}

	for name, address := range map[string]string{"clear": p.listen, "TLS": p.tls} {
		at := address[strings.LastIndexByte(address, '/')+1:]
		var open atomic.Int64
		var conns []net.Conn
		for i := range 400 {
			conn, err := net.DialTimeout("tcp", at, 5*time.Second)
			if err != nil {
				t.Errorf("%s: connection %d: %v", name, i, err)
				continue
			}
			conns = append(conns, conn)
			if name == "TLS" && i%4 == 0 { // the others say nothing
				go func() {
					if tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake() == nil {
						open.Add(1)
					}
				}()
			} else if i%2 == 0 { // a head that has begun
				_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n")) // it may have been shed
			}
			if i%50 == 0 {
				healthy(fmt.Sprintf("%s, %d connections", name, i))
			}
		}
		healthy(name + ", all connections")
		if used := p.vitals()[descriptors]; used > 256 || used < 128 {
			t.Errorf("%s: %v files are open, want most of 256", name, used)
		}
		for _, conn := range conns {
			conn.Close()
		}
		start := time.Now()
		var status int
		if !eventually(time.Second, func() bool {
			status, _, err = get(fresh, "GET", p.direct(api)+"/small", "")
			return status == 200 && err == nil
		}) {
			t.Errorf("%s: a second after the connections are gone: got %d %v, want 200", name, status, err)
		}
		t.Logf("%s: served again after %v", name, time.Since(start).Round(time.Millisecond))
		healthy(name + ", afterwards")
	}
	p.calm(before, calmTime, 100)
}
