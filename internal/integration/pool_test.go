package integration_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// TestConnectionsAreReused: one after the other, requests need one connection,
// whatever its answers are, as long as their ends are known.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	answers := []string{
		ok, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000),
	}
	var i atomic.Int64
	b := newBackend(t, func(received) string { return answers[int(i.Add(1)-1)%len(answers)] })
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	for range 2 * len(answers) {
		ask(t, addr, "GET /") // each from a connection of its own
	}
	if n := b.dials(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestConnectionsAreNotReused: a connection is given up after an answer whose end
// is not certain, or that is not alone on it.
func TestConnectionsAreNotReused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer string }{
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"},
		{"close among others", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"second answer", ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"},
		{"extra bytes", ok + "\r\n"},
		{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil"},
		{"204 that announces a body", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n"},
		{"204 that announces chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"304 in chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"extra bytes behind chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx"},
		{"extra bytes behind a long answer", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100001)},
	} {
		b := newRawBackend(t, func(_ *backend, c net.Conn, _ *bufio.Reader, r received) bool {
			io.WriteString(c, tt.answer)
			return true // the next read finds out, and counts it
		})
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		for i := range 3 {
			if a := ask(t, addr, "GET /"); a.StatusCode/100 > 3 || a.body == "evil" {
				t.Errorf("%s: answer %d: status %d %q", tt.name, i, a.StatusCode, a.body)
			}
		}
		if n := b.dials(); n != 3 {
			t.Errorf("%s: %d connections, want 3", tt.name, n)
		}
		// One may be found out only when it would be used again.
		await(t, tt.name+": the gateway closes them", func() bool { ask(t, addr, "GET /"); return b.hung() >= 3 })
	}
}

// stale serves requests until hangUp is called, and closes after the next one
// without an answer.
func stale(t *testing.T) (b *backend, hangUp *atomic.Bool) {
	hangUp = new(atomic.Bool)
	b = newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		if hangUp.Swap(false) {
			return false
		}
		_, err := io.WriteString(c, ok)
		return err == nil
	})
	return b, hangUp
}

// TestStaleConnections: a backend may close a connection that it had kept, at any
// time. What is certain not to have had an effect, or may have it twice, is sent
// once more; nothing else is.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	b, hangUp := stale(t)
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	x := strings.Repeat("x", 100<<10)
	for _, tt := range []struct {
		line string
		body string
		want int // status
		sent int
	}{
		{"GET /", "", 200, 2}, {"HEAD /", "", 200, 2}, {"OPTIONS /", "", 200, 2}, {"PUT /", "a", 200, 2}, {"DELETE /", "", 200, 2}, {"PUT /", x[:20<<10], 200, 2},
		{"POST /", "", 500, 1}, {"PATCH /", "a", 500, 1}, {"PUT /", x, 500, 1}, {"GET /", x, 500, 1},
	} {
		if a := ask(t, addr, "GET /"); a.StatusCode != 200 {
			t.Fatalf("status %d", a.StatusCode)
		}
		b.take()
		// It closes only after it has got the request: the gateway cannot know
		// before.
		hangUp.Store(true)
		if a := ask(t, addr, tt.line, "\n"+tt.body); a.StatusCode != tt.want {
			t.Errorf("%s with %d bytes: status %d, want %d", tt.line, len(tt.body), a.StatusCode, tt.want)
		}
		got := b.take()
		if len(got) != tt.sent {
			t.Errorf("%s with %d bytes: sent %d times, want %d", tt.line, len(tt.body), len(got), tt.sent)
		}
		for _, r := range got {
			if r.body != tt.body {
				t.Errorf("%s: backend got %d bytes, want %d", tt.line, len(r.body), len(tt.body))
			}
		}
		// A fresh connection that is closed is no stale one.
		hangUp.Store(false)
		b.hangUp()
		await(t, "all connections are closed", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.open) == 0 })
		hangUp.Store(true)
		if a := ask(t, addr, tt.line, "\n"+tt.body); a.StatusCode != 500 {
			t.Errorf("%s on a fresh connection: status %d", tt.line, a.StatusCode)
		}
		if n := len(b.take()); n != 1 {
			t.Errorf("%s on a fresh connection: sent %d times", tt.line, n)
		}
	}
	// Closed while idle: found out before anything is sent, so every method works.
	for _, line := range []string{"GET /", "POST /"} {
		ask(t, addr, "GET /")
		b.take()
		b.hangUp()
		await(t, "all connections are closed", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.open) == 0 })
		if a := ask(t, addr, line, "\nabc"); a.StatusCode != 200 || len(b.take()) != 1 {
			t.Errorf("%s after an idle close: status %d", line, a.StatusCode)
		}
	}
}

// TestNoRetryAfterAnAnswer: the smallest part of an answer, an interim one
// included, says that the request has been received.
func TestNoRetryAfterAnAnswer(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"H", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"} {
		var n atomic.Int64
		b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			if n.Add(1) == 2 {
				io.WriteString(c, part)
				return false
			}
			_, err := io.WriteString(c, ok)
			return err == nil
		})
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		ask(t, addr, "GET /")
		if a := ask(t, addr, "GET /"); a.StatusCode != 500 || n.Load() != 2 {
			t.Errorf("%q: status %d, sent %d times", part, a.StatusCode, n.Load()-1)
		}
	}
}

// TestFlaky: over a backend that closes, cuts and says too much, nobody ever gets
// what another one asked for.
func TestFlaky(t *testing.T) {
	t.Parallel()
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.line), r.line)
		switch rand.IntN(20) {
		case 0:
			return false
		case 1:
			io.WriteString(c, answer[:len(answer)/2])
			return false
		case 2:
			io.WriteString(c, answer)
			return false
		case 3:
			io.WriteString(c, answer+"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			return true
		case 4:
			io.WriteString(c, strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1+rand.IntN(20))+answer)
			return true
		case 5:
			io.WriteString(c, strings.Replace(answer, "Content-Length: ", "Content-Length: 9", 1)) // a lie
			return false
		case 6:
			c.(*net.TCPConn).SetLinger(0)
			io.WriteString(c, answer)
			return false
		case 7:
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\nextra", len(r.line), r.line)
			return true
		}
		_, err := io.WriteString(c, answer)
		return err == nil
	})
	addr := serve(t, gateway.Config{}, proxy(t, newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxConns: 16}), "$default", b.url()))
	const clients, requests = 8, 1250
	var good atomic.Int64
	var asking sync.WaitGroup
	for i := range clients {
		asking.Go(func() {
			c := dial(t, addr)
			for j := range requests {
				method := []string{"GET", "POST"}[j%2]
				line := fmt.Sprintf("%s /%d/%d", method, i, j)
				c.nc.SetDeadline(time.Now().Add(20 * time.Second))
				io.WriteString(c.nc, message(line))
				a, err := c.tryRead(method)
				switch {
				case err != nil:
					t.Errorf("%s: %v", line, err)
					return
				case a.StatusCode == 200 && a.body == line:
					good.Add(1)
				case a.StatusCode != 500 || a.body != internalBody:
					t.Errorf("%s: status %d %q", line, a.StatusCode, a.body)
				}
			}
		})
	}
	asking.Wait()
	if n := good.Load(); n < clients*requests/2 {
		t.Errorf("only %d of %d were answered", n, clients*requests)
	}
}

// TestPoolLimit: as many connections as allowed, and the rest wait their turn.
func TestPoolLimit(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	release := make(chan struct{})
	b := newRawBackend(t, func(_ *backend, c net.Conn, _ *bufio.Reader, r received) bool {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		now.Add(-1)
		_, err := io.WriteString(c, ok)
		return err == nil
	})
	addr := serve(t, gateway.Config{}, proxy(t, newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxConns: 3}), "$default", b.url()))
	clients := make([]*client, 10)
	for i := range clients {
		clients[i] = dial(t, addr)
		clients[i].send(message("GET /"))
	}
	await(t, "three are being served", func() bool { return now.Load() == 3 })
	close(release)
	for i, c := range clients {
		if a := c.read("GET"); a.StatusCode != 200 {
			t.Errorf("client %d: status %d", i, a.StatusCode)
		}
	}
	if most.Load() != 3 || b.dials() != 3 {
		t.Errorf("%d at once over %d connections, want 3", most.Load(), b.dials())
	}
}

// TestPoolLimitTimeout: who waits in vain gets 503 at the timeout, and the place
// is not lost.
func TestPoolLimitTimeout(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	b := silent(t, done)
	client := newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxConns: 1})
	addr := serve(t, gateway.Config{},
		proxyWith(t, client, "GET /wait", integration.HTTPSpec{URI: b.url() + "/wait", Timeout: 10 * time.Second}),
		proxyWith(t, client, "GET /later", integration.HTTPSpec{URI: b.url() + "/later", Timeout: 10 * time.Second}),
		proxyWith(t, client, "GET /now", integration.HTTPSpec{URI: b.url() + "/now", Timeout: 60 * time.Millisecond}))
	holder := dial(t, addr)
	holder.send(message("GET /wait"))
	await(t, "the place is taken", func() bool { return len(b.take()) == 1 })
	start := time.Now()
	now := dial(t, addr)
	now.send(message("GET /now"))
	time.Sleep(20 * time.Millisecond) // so that the next one stands behind it
	later := dial(t, addr)
	later.send(message("GET /later"))
	if a := now.read("GET"); a.StatusCode != 503 || time.Since(start) < 60*time.Millisecond {
		t.Errorf("status %d after %v", a.StatusCode, time.Since(start))
	}
	start = time.Now()
	close(done)
	if a := later.read("GET"); a.StatusCode != 200 || time.Since(start) > 5*time.Second {
		t.Errorf("behind it: status %d after %v", a.StatusCode, time.Since(start))
	}
	if a := holder.read("GET"); a.StatusCode != 200 {
		t.Errorf("holder: status %d", a.StatusCode)
	}
	for range 5 {
		if a := ask(t, addr, "GET /now"); a.StatusCode != 200 {
			t.Errorf("afterwards: status %d", a.StatusCode)
		}
	}
}

// TestIdle: connections that rest too long, or are too many, are closed; so are
// all when the client is.
func TestIdle(t *testing.T) {
	t.Parallel()
	var together sync.WaitGroup
	together.Add(4)
	var first atomic.Int64
	b := newRawBackend(t, func(_ *backend, c net.Conn, _ *bufio.Reader, r received) bool {
		if first.Add(1) <= 4 {
			together.Done()
			together.Wait()
		}
		_, err := io.WriteString(c, ok)
		return err == nil
	})
	backends := newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxIdle: 2, IdleTimeout: 50 * time.Millisecond})
	addr := serve(t, gateway.Config{}, proxy(t, backends, "$default", b.url()))
	clients := make([]*client, 4)
	for i := range clients {
		clients[i] = dial(t, addr)
		clients[i].send(message("GET /"))
	}
	for _, c := range clients {
		c.read("GET")
	}
	await(t, "two too many are closed", func() bool { return b.hung() >= 2 })
	await(t, "the others grow old", func() bool { return b.hung() == 4 })

	ask(t, addr, "GET /")
	backends.Close()
	await(t, "the last one goes with the client", func() bool { return b.hung() == 5 })
	// What is asked for afterwards is still answered, and leaves nothing behind.
	if a := ask(t, addr, "GET /"); a.StatusCode != 200 {
		t.Errorf("status %d", a.StatusCode)
	}
	await(t, "nothing is kept", func() bool { return b.hung() == 6 })
}

// TestPoolGoesWithItsIntegrations: when the last integration that leads to a
// target is gone, so are its connections.
func TestPoolGoesWithItsIntegrations(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	client := newClient(t)
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	l := listen(t)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	s.Publish(snapshotOf(t, 1, proxy(t, client, "$default", b.url())))
	ask(t, l.Addr().String(), "GET /")
	runtime.GC()
	ask(t, l.Addr().String(), "GET /")
	if b.dials() != 1 || b.hung() != 0 {
		t.Fatalf("%d connections, %d closed: want one that lasts", b.dials(), b.hung())
	}
	s.Publish(snapshotOf(t, 2, proxy(t, client, "$default", b.url())))
	runtime.GC()
	ask(t, l.Addr().String(), "GET /")
	if b.dials() != 1 {
		t.Fatalf("%d connections: a new snapshot takes over the old one's", b.dials())
	}
	s.Publish(gateway.NewSnapshot(3, nil))
	await(t, "the connection is closed", func() bool { runtime.GC(); return b.hung() == 1 })
}
