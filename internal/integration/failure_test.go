package integration_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// silent answers a request on a path with "wait" only when done is closed, or not
// at all when the gateway gives up, and others at once.
func silent(t *testing.T, done chan struct{}) *backend {
	return newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		for waiting := strings.Contains(r.line, "wait"); waiting; {
			select {
			case <-done:
				waiting = false
			default:
				c.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
				if _, err := br.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
					return true // gone; the next read counts it
				}
			}
		}
		c.SetReadDeadline(time.Time{})
		_, err := io.WriteString(c, ok)
		return err == nil
	})
}

// TestTimeout: vector 56, at the right time; what surrounds it stays usable.
func TestTimeout(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	b := silent(t, done)
	for _, timeout := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond} {
		addr := serve(t, gateway.Config{}, proxyWith(t, newClient(t), "$default", integration.HTTPSpec{URI: b.url(), Timeout: timeout}))
		c := dial(t, addr)
		for range 2 {
			for _, line := range []string{"GET /wait", "POST /wait", "HEAD /wait"} {
				hung := b.hung()
				start := time.Now()
				a := c.ask(line)
				took := time.Since(start)
				want := unavailableBody
				if line == "HEAD /wait" {
					want = ""
				}
				if generated(a.head) != unavailable || a.body != want {
					t.Errorf("%s: got %q %q", line, a.head, a.body)
				}
				if took < timeout || took > timeout+2*time.Second {
					t.Errorf("%s: answered after %v, the timeout is %v", line, took, timeout)
				}
				await(t, "the gateway closes the connection to the backend", func() bool { return b.hung() > hung })
			}
		}
		if n := len(b.take()); n != 6 {
			t.Errorf("backend got %d requests, want 6: a request that timed out is not repeated", n)
		}
		// A busy machine may take longer than a short timeout even for this.
		await(t, "the connection of the client is usable after timeouts", func() bool { return c.ask("GET /fast").StatusCode == 200 })
		b.take()
	}
}

// TestTimeoutInBody: a backend that stops inside its answer.
func TestTimeoutInBody(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("x", 100<<10)
	for _, tt := range []struct {
		name, answer string
		begun        bool // the client has got a part of it
	}{
		{"in the head", "HTTP/1.1 200 OK\r\nX-A", false},
		{"in a short body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", false},
		{"in a body without a length", "HTTP/1.1 200 OK\r\n\r\nok", false},
		{"in a long body", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + x, true},
	} {
		b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			io.WriteString(c, tt.answer)
			br.Peek(1)
			return false
		})
		c := dial(t, serve(t, gateway.Config{}, proxyWith(t, newClient(t), "$default", integration.HTTPSpec{URI: b.url(), Timeout: 100 * time.Millisecond})))
		start := time.Now()
		c.send(message("GET /"))
		a, err := c.tryRead("GET")
		switch {
		case tt.begun:
			// An end, not a reset, which could take with it what has been sent.
			if err != io.ErrUnexpectedEOF || a.body != x {
				t.Errorf("%s: %d bytes, %v", tt.name, len(a.body), err)
			}
		case err != nil || generated(a.head) != unavailable || a.body != unavailableBody:
			t.Errorf("%s: got %q %q, %v", tt.name, a.head, a.body, err)
		case c.ask("GET /").StatusCode != 503:
			t.Errorf("%s: the connection is not usable", tt.name)
		}
		if took := time.Since(start); took < 100*time.Millisecond {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
}

// TestUnreachable: vector 57 and its kin.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l := listen(t)
	closed := l.Addr().String()
	l.Close()
	var logs log
	addr := serve(t, gateway.Config{Logger: logs.logger()},
		proxy(t, newClient(t), "ANY /refused", "http://"+closed),
		proxy(t, newClient(t), "ANY /name", "http://no-such-name.invalid/"),
		target{key: "ANY /none"},
		target{key: "ANY /failing", in: integration.Failing(fmt.Errorf("no variable"))})
	c := dial(t, addr)
	for _, tt := range []struct{ path, head, body, reason string }{
		{"/refused", unavailable, unavailableBody, "connection refused"},
		{"/name", unavailable, unavailableBody, "no-such-name.invalid"},
		{"/none", internal, internalBody, "the route has no target"},
		{"/failing", internal, internalBody, "no variable"},
	} {
		if a := c.ask("GET " + tt.path); generated(a.head) != tt.head || a.body != tt.body {
			t.Errorf("%s: got %q %q", tt.path, a.head, a.body)
		}
		if a := c.ask("HEAD " + tt.path); generated(a.head) != tt.head || a.body != "" {
			t.Errorf("HEAD %s: got %q %q", tt.path, a.head, a.body)
		}
		await(t, "a line in the log that says "+tt.reason, func() bool { return strings.Contains(logs.String(), tt.reason) })
	}
	if s := logs.String(); strings.Contains(s, "level=ERROR") || !strings.Contains(s, "level=WARN") {
		t.Errorf("a failing backend is worth a warning:\n%s", s)
	}
}

// TestBackendRestarts: while a backend is down its requests get 503; afterwards all
// is as before.
func TestBackendRestarts(t *testing.T) {
	t.Parallel()
	up := func(l net.Listener) (down func()) {
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })}
		go s.Serve(l)
		return func() { s.Close() }
	}
	l := listen(t)
	at := l.Addr().String()
	c := dial(t, serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", "http://"+at)))
	for range 3 {
		down := up(l)
		for range 5 {
			if a := c.ask("POST /"); a.StatusCode != 200 {
				t.Errorf("status %d", a.StatusCode)
			}
		}
		down()
		for range 3 {
			if a := c.ask("POST /"); a.StatusCode != 503 && a.StatusCode != 500 {
				t.Errorf("down: status %d", a.StatusCode)
			}
		}
		if a := c.ask("GET /"); a.StatusCode != 503 {
			t.Errorf("down: status %d", a.StatusCode)
		}
		await(t, "the port is free", func() bool {
			again, err := net.Listen("tcp", at)
			l = again
			return err == nil
		})
	}
	l.Close()
}

// TestClientLeaves: a client that goes away frees the backend soon.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	b := silent(t, done)
	limit := 20 * time.Millisecond
	var logs log
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: limit}, Logger: logs.logger()}, proxy(t, newClient(t), "$default", b.url()))
	for _, tt := range []struct {
		name  string
		leave func(c *client)
	}{
		{"closes", func(c *client) { c.nc.Close() }},
		{"resets", func(c *client) { c.nc.SetLinger(0); c.nc.Close() }},
		{"closes its side", func(c *client) { c.nc.CloseWrite() }},
	} {
		hung := b.hung()
		c := dial(t, addr)
		c.send(message("GET /wait"))
		await(t, "the backend has the request", func() bool { return len(b.take()) == 1 })
		start := time.Now()
		tt.leave(c)
		await(t, "the backend is freed", func() bool { return b.hung() > hung })
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: freed after %v", tt.name, took)
		}
		if tt.name == "closes its side" {
			if a, err := c.tryRead("GET"); err != nil || a.StatusCode != 503 || !a.Close {
				t.Errorf("%s: status %d, %v", tt.name, a.StatusCode, err)
			}
		}
	}
	if s := logs.String(); strings.Contains(s, "level=WARN") {
		t.Errorf("a client that left is no failure of the API:\n%s", s)
	}
}

// TestClientLeavesWhileDialing: not even a dial, or a place in the queue for a
// connection, outlives its client.
func TestClientLeavesWhileDialing(t *testing.T) {
	t.Parallel()
	// A listener that accepts nothing, with a full backlog, leaves a dial hanging.
	// The TLS handshake does so on every system: nobody answers it.
	mute := listen(t)
	defer mute.Close()
	begun := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := mute.Accept()
			if err != nil {
				return
			}
			begun <- c
		}
	}()
	client := newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxConns: 1})
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: 20 * time.Millisecond}}, proxy(t, client, "$default", "https://"+mute.Addr().String()))
	first := dial(t, addr)
	first.send(message("GET /"))
	hello := <-begun // the handshake hangs, and holds the only place
	defer hello.Close()
	second := dial(t, addr)
	second.send(message("GET /"))

	second.nc.CloseWrite()
	if a := second.read("GET"); a.StatusCode != 503 {
		t.Errorf("in the queue: status %d", a.StatusCode)
	}
	first.nc.CloseWrite()
	if a := first.read("GET"); a.StatusCode != 503 {
		t.Errorf("in the handshake: status %d", a.StatusCode)
	}
	// The place is free again.
	third := dial(t, addr)
	third.send(message("GET /"))
	(<-begun).Close()
	if a := third.read("GET"); a.StatusCode != 503 {
		t.Errorf("after them: status %d", a.StatusCode)
	}
}

// TestNeighbours: giving up one exchange does not disturb another one, to which
// the same connection may have passed meanwhile.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		if strings.Contains(r.line, "slow") {
			time.Sleep(time.Duration(len(r.line)%5) * time.Millisecond) // around when the client leaves
		}
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.line), r.line)
		return err == nil
	})
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: time.Millisecond}}, proxy(t, newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxConns: 4}), "$default", b.url()))
	stop := make(chan struct{})
	leaving := make(chan struct{})
	go func() {
		defer close(leaving)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			io.WriteString(c, message("GET /slow"+strings.Repeat("x", i%7)))
			time.Sleep(time.Duration(i%4) * time.Millisecond)
			c.Close()
		}
	}()
	c := dial(t, addr)
	for i := range 1000 {
		line := fmt.Sprintf("GET /%d", i)
		if a := c.ask(line); a.StatusCode != 200 || a.body != line {
			t.Fatalf("request %d: status %d, %q", i, a.StatusCode, a.body)
		}
	}
	close(stop)
	<-leaving
}
