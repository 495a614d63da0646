package penstock_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock"
)

// footprint is what a server costs when nothing happens.
type footprint struct {
	goroutines int
	heap       uint64
}

// settled returns what is in use once as few goroutines run as did before, or all time is
// up.
func settled(most int) footprint {
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > most && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	runtime.GC() // pools keep what they have for one more
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{runtime.NumGoroutine(), m.HeapAlloc}
}

// TestSocketLeaks: connections that have ended leave nothing behind, however they ended, and
// neither do handshakes that were refused.
func TestSocketLeaks(t *testing.T) { // not parallel: it counts goroutines
	n := 300
	if v := os.Getenv("PENSTOCK_LEAKS"); v != "" {
		n, _ = strconv.Atoi(v)
	}
	var opened, ended atomic.Int64
	connect := func(_ context.Context, event []byte) ([]byte, error) {
		opened.Add(1)
		return []byte(`{"statusCode":200}`), nil
	}
	disconnect := func(context.Context, []byte) ([]byte, error) {
		ended.Add(1)
		return []byte(`{"statusCode":200}`), nil
	}
	ca := newAuthority(t)
	w := newWorld(t, penstock.Config{
		ListenTLS: "127.0.0.1:0", Certificates: []penstock.Certificate{{Certificate: ca.certPEM(), PrivateKey: ca.keyPEM(t)}},
		WebSockets: penstock.WebSockets{ConnectRate: -1, Compression: true}, Limits: penstock.Limits{AccountRate: -1}, Explain: penstock.Explain{Requests: -1},
		Functions: map[string]penstock.Function{"connect": {Invoke: connect}, "disconnect": {Invoke: disconnect}},
	})
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{
			"$connect": lambdaRoute("connect"), "$disconnect": lambdaRoute("disconnect"),
			"$default": two(mockRoute(template(`{"statusCode":200}`), response("$default", template("$context.connectionId")))),
		},
	})
	refusing := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": mockRoute(template(`{"statusCode":403}`), response("$default", nil))}})
	addr, secureAddr := w.server.Addr().String(), strings.TrimPrefix(w.server.TLSURL(), "https://")
	round := func(n int) {
		t.Helper()
		before := ended.Load()
		var g sync.WaitGroup
		sem := make(chan struct{}, 16)
		for i := range n {
			sem <- struct{}{}
			g.Go(func() {
				defer func() { <-sem }()
				to := addr
				if i%4 == 0 {
					to = secureAddr
				}
				nc, err := net.Dial("tcp", to)
				if err != nil {
					t.Error(err)
					return
				}
				defer nc.Close()
				if i%4 == 0 {
					nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
				}
				nc.SetDeadline(time.Now().Add(20 * time.Second))
				s := talk(t, nc, shakeHead(api))
				if s.shake.StatusCode != 101 {
					t.Errorf("status %d", s.shake.StatusCode)
					return
				}
				s.send("who am I?")
				id := s.next()
				for j := range i % 3 {
					if a := w.management(api, fmt.Sprintf("PUT /dev/@groups/g%d/%s", j, id), "", somebody); a.StatusCode != 204 {
						t.Errorf("status %d", a.StatusCode)
					}
				}
				switch i % 5 {
				case 0: // no word
				case 1:
					s.close(1000, "")
				case 2:
					s.frame(opText, "half a message")
				case 3:
					s.frame(0x80|opBinary, "")
				case 4:
					w.management(api, "DELETE /dev/@connections/"+id, "", somebody)
				}
			})
			sem <- struct{}{}
			g.Go(func() {
				defer func() { <-sem }()
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(20 * time.Second))
				if s := talk(t, nc, shakeHead(refusing)); s.shake.StatusCode != 403 {
					t.Errorf("status %d", s.shake.StatusCode)
				}
			})
		}
		g.Wait()
		w.until("all ends are told", func() bool { return ended.Load() == before+int64(n) })
		w.until("all connections are gone", func() bool { return w.metric("penstock_websocket_connections") == "0" })
	}
	round(n)
	before := settled(runtime.NumGoroutine())
	round(n)
	const workers = 32 // that may wait for the next message
	after := settled(before.goroutines + workers)
	t.Logf("%d connections: %+v, then %+v", n, before, after)
	if left := after.goroutines - before.goroutines; left > workers {
		t.Errorf("%d goroutines were left", left)
	}
	if grown := int64(after.heap) - int64(before.heap); grown > int64(n)*64+1<<20 {
		t.Errorf("%d bytes were left of %d connections", grown, n)
	}
	if v := w.metric("penstock_websocket_groups"); v != "0" {
		t.Errorf("%s groups were left", v)
	}
}

// metric returns the value of a metric without labels, "" if there is none.
func (w *world) metric(name string) string {
	w.t.Helper()
	_, text := get(w.t, w.server, w.server.AdminURL()+"/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
