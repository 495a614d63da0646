package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// short are limits that end in a test.
var short = gateway.Limits{
	Head: 100 * time.Millisecond, BodyIdle: 100 * time.Millisecond, Write: 100 * time.Millisecond, Idle: 100 * time.Millisecond, Abandoned: 10 * time.Millisecond,
}

// TestSlow: whoever is too slow is cut off at the limit, and told if he can be.
func TestSlow(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, short)
	body := strings.Repeat("x", 100<<10)
	drip := func(text string) func(c *client) {
		return func(c *client) {
			for i := range text {
				if _, err := io.WriteString(c.nc, text[i:i+1]); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	nothing := func(*client) {}
	for _, tt := range []struct {
		name   string
		send   string
		then   func(c *client)
		status int // 0: closed without an answer
	}{
		{"silent from the start", "", nothing, 0},
		{"one empty line", "\r\n", nothing, 408},
		{"part of a line", "GET /", nothing, 408},
		{"part of a head", "GET / HTTP/1.1\r\n" + h, nothing, 408},
		{"head byte by byte", "", drip(request("GET / HTTP/1.1")), 408},
		{"no body", request("POST / HTTP/1.1", "Content-Length: 3"), nothing, 408},
		{"body byte by byte", request("POST / HTTP/1.1", "Content-Length: 30"), drip(strings.Repeat("x", 30)), 408},
		{"long body", request("POST / HTTP/1.1", "Content-Length: 204800") + body, nothing, 408},
		{"long body byte by byte", request("POST / HTTP/1.1", "Content-Length: 204800") + body, drip(strings.Repeat("x", 30)), 408},
		{"chunks", request("POST / HTTP/1.1", "Transfer-Encoding: chunked") + "3\r\nabc", nothing, 408},
		{"chunks byte by byte", request("POST / HTTP/1.1", "Transfer-Encoding: chunked"), drip(strings.Repeat("1\r\na\r\n", 10)), 408},
		{"idle behind an answer", request("GET / HTTP/1.1"), func(c *client) { c.read("GET") }, 0},
	} {
		c := dial(t, addr)
		start := time.Now()
		c.send(tt.send)
		sending := make(chan struct{})
		go func() { defer close(sending); tt.then(c) }()
		if tt.status == 0 {
			<-sending
			if err := c.ended(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else {
			a, err := c.tryRead("GET")
			if err != nil || a.StatusCode != tt.status || !a.Close || a.body != `{"message":"Request Timeout"}` {
				t.Errorf("%s: status %d %q, %v", tt.name, a.StatusCode, a.body, err)
			}
		}
		if took := time.Since(start); took < 100*time.Millisecond || took > 3*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
		<-sending
		c.nc.Close()
	}
	r.take()
	// And after all of them, good clients are served.
	if a := get(t, addr, "/"); a.StatusCode != 200 {
		t.Errorf("status %d", a.StatusCode)
	}
}

// flood answers with a body that no socket buffer holds.
type flood struct{}

func (flood) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Stream: io.LimitReader(zeros{}, 1<<30), Length: 1 << 30}
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestSlowReader: a client that takes nothing is cut off.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s, addr := serveOne(t, gateway.Config{Limits: short}, flood{})
	c := dial(t, addr)
	c.nc.SetReadBuffer(4 << 10)
	c.send(request("GET / HTTP/1.1"))
	await(t, "the connection is closed", func() bool { return s.Conns() == 0 })
	if n, err := io.Copy(io.Discard, c.br); err == nil && n >= 1<<30 {
		t.Errorf("got %d bytes", n)
	}
}

// TestPatientReader: a client that takes a little now and then, but enough, is not
// cut off.
func TestPatientReader(t *testing.T) {
	t.Parallel()
	const n = 8 << 20
	limits := short
	limits.Write = 500 * time.Millisecond
	_, addr := serveOne(t, gateway.Config{Limits: limits}, stream(n))
	c := dial(t, addr)
	c.nc.SetReadBuffer(64 << 10)
	c.send(request("GET / HTTP/1.1"))
	got := 0
	buf := make([]byte, 512<<10)
	for got < n {
		k, err := c.br.Read(buf)
		got += k
		if err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		if got%(1<<20) < k {
			time.Sleep(80 * time.Millisecond)
		}
	}
}

type stream int64

func (s stream) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Stream: io.LimitReader(zeros{}, int64(s)), Length: int64(s)}
	return nil
}

// TestHalfClosed: a client that closes its side gets the answer to what it sent,
// and the connection ends.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{})
	c := dial(t, addr)
	c.send(request("POST /x HTTP/1.1", "Content-Length: 3"), "abc")
	c.nc.CloseWrite()
	if a := c.read("POST"); a.StatusCode != 200 {
		t.Errorf("status %d", a.StatusCode)
	}
	if err := c.ended(); err != nil {
		t.Error(err)
	}
	r.take()
	for _, part := range []string{"GET /x HTTP/1.1\r\nHo", request("POST /x HTTP/1.1", "Content-Length: 3") + "ab", request("POST /x HTTP/1.1", "Transfer-Encoding: chunked") + "3\r\nab"} {
		c := dial(t, addr)
		c.send(part)
		c.nc.CloseWrite()
		if a, err := c.tryRead("POST"); err == nil && (a.StatusCode != 400 || !a.Close) {
			t.Errorf("%q: status %d", part, a.StatusCode)
		}
		if err := c.ended(); err != nil {
			t.Errorf("%q: %v", part, err)
		}
	}
	if seen := r.take(); seen != nil {
		t.Errorf("backend got %q", seen)
	}
}

// TestConnLimit: at the limit, new connections take the places of those that rest,
// and are closed when there are none.
func TestConnLimit(t *testing.T) {
	t.Parallel()
	w := &wait{until: make(chan struct{})}
	_, addr := serve(t, gateway.Config{Limits: gateway.Limits{Conns: 4, Abandoned: 5 * time.Millisecond}},
		newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"GET /wait": w, "GET /pot": teapot{}})))
	var resting, busy []*client
	var answered []chan struct{}
	for range 4 {
		c := dial(t, addr)
		c.send(request("GET /pot HTTP/1.1"))
		c.read("GET")
		resting = append(resting, c)
	}
	for len(busy) < 4 {
		// A connection that has not rested long enough keeps its place; then the new
		// one is closed.
		c := dial(t, addr)
		n := w.begun.Load()
		io.WriteString(c.nc, request("GET /wait HTTP/1.1"))
		closed := make(chan struct{}) // or answered
		go func() { defer close(closed); c.br.Peek(1) }()
		await(t, "the new connection is served or closed", func() bool {
			select {
			case <-closed:
				return true
			default:
				return w.begun.Load() > n
			}
		})
		if w.begun.Load() > n {
			busy, answered = append(busy, c), append(answered, closed)
		}
	}
	for _, c := range resting {
		if err := c.ended(); err != nil {
			t.Errorf("a resting connection: %v", err)
		}
	}
	// Now all are busy: the next one is closed.
	shed := dial(t, addr)
	if _, err := shed.br.ReadByte(); err == nil || os.IsTimeout(err) {
		t.Errorf("one too many: %v", err)
	}
	close(w.until)
	for i, c := range busy {
		<-answered[i]
		if a := c.read("GET"); a.StatusCode != 200 {
			t.Errorf("status %d", a.StatusCode)
		}
	}
}

// wait answers when its channel is closed.
type wait struct {
	until chan struct{}
	begun atomic.Int64
}

func (w *wait) Invoke(x *gateway.Exchange) error {
	w.begun.Add(1)
	select {
	case <-w.until:
	case <-x.Context().Done():
		return fmt.Errorf("given up: %w", x.Context().Err())
	}
	x.Response.Status = 200
	return nil
}

// TestManySlow: many who send next to nothing cost little and disturb nobody.
func TestManySlow(t *testing.T) {
	addr, _ := serveRecorded(t, gateway.Limits{Head: 500 * time.Millisecond, BodyIdle: 500 * time.Millisecond, Abandoned: 20 * time.Millisecond})
	const n = 600
	var slow []net.Conn
	before := inUse()
	for i := range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		slow = append(slow, c)
		io.WriteString(c, []string{"GET / HT", request("POST / HTTP/1.1", "Content-Length: 100000") + "abc"}[i%2])
	}
	for i := range 100 {
		if a := get(t, addr, "/"); a.StatusCode != 200 {
			t.Fatalf("good client %d: status %d", i, a.StatusCode)
		}
	}
	if grown := int64(inUse()-before) / n; grown > 96<<10 {
		t.Errorf("%d bytes for each", grown)
	}
	// All of them are cut off.
	for _, c := range slow {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if answer, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) {
			t.Fatalf("got %q, %v", answer, err)
		}
	}
}
