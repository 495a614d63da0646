package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// A log keeps what a server logs.
type log struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *log) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

// broken does what no integration should, and counts how often the source of its
// body is released.
type broken struct {
	how      string
	released *releases
}

func (b broken) Invoke(x *gateway.Exchange) error {
	switch b.how {
	case "invoke":
		panic("broken on purpose")
	case "error":
		return errors.New("secret detail")
	case "stream":
		x.Response.Status = 200
		x.Response.Body = gateway.Body{Stream: panicking{}, Length: 1 << 20}
	case "long":
		x.Response.Status = 200
		x.Response.Body = gateway.Body{Stream: zeros{}, Length: 10}
	case "short":
		x.Response.Status = 200
		x.Response.Body = gateway.Body{Stream: strings.NewReader("x"), Length: 10}
	}
	x.Response.Release = b.released
	return nil
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("broken on purpose, in the body") }

type releases struct{ atomic.Int64 }

func (r *releases) Release(bool) { r.Add(1) }

// TestPanic: what breaks in one exchange breaks only that.
func TestPanic(t *testing.T) {
	t.Parallel()
	var logs log
	var released releases
	_, addr := serve(t, gateway.Config{Logger: logs.logger(slog.LevelInfo)}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{
		"GET /invoke": broken{"invoke", &released}, "GET /stream": broken{"stream", &released}, "GET /error": broken{"error", &released}, "GET /long": broken{"long", &released}, "GET /short": broken{"short", &released}, "GET /pot": teapot{},
	})))
	const body = `{"message":"Internal Server Error"}`
	for _, tt := range []struct {
		path   string
		closed bool
	}{{"/invoke", true}, {"/error", false}} {
		c := dial(t, addr)
		c.send(request("GET " + tt.path + " HTTP/1.1"))
		if a := c.read("GET"); a.StatusCode != 500 || a.body != body || a.Close != tt.closed {
			t.Errorf("%s: status %d %q, close %t", tt.path, a.StatusCode, a.body, a.Close)
		}
	}
	for i, path := range []string{"/stream", "/long", "/short"} {
		c := dial(t, addr)
		c.send(request("GET " + path + " HTTP/1.1"))
		if a, err := c.tryRead("GET"); err == nil {
			t.Errorf("%s: %d %q and no error", path, a.StatusCode, a.body)
		}
		await(t, "the source of the body is released", func() bool { return released.Load() == int64(i+1) })
	}
	if a := get(t, addr, "/pot"); a.StatusCode != 418 {
		t.Errorf("afterwards: status %d", a.StatusCode)
	}
	for _, want := range []string{"broken on purpose", "broken on purpose, in the body", "goroutine ", "secret detail"} {
		await(t, "the log says "+want, func() bool { return strings.Contains(logs.String(), want) })
	}
}

// TestLogIsBounded: a backend that is down does not fill the log; at debug, all is
// there.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	for level, most := range map[slog.Level]int{slog.LevelInfo: 30, slog.LevelDebug: 100} {
		var logs log
		_, addr := serveOne(t, gateway.Config{Logger: logs.logger(level)}, broken{how: "error"})
		c := dial(t, addr)
		for range 100 {
			c.send(request("GET /x HTTP/1.1"))
			c.read("GET")
		}
		lines := func() int { return strings.Count(logs.String(), "secret detail") }
		if level == slog.LevelDebug {
			await(t, "all are logged", func() bool { return lines() == most })
		}
		if n := lines(); n < 10 || n > most {
			t.Errorf("%v: %d lines", level, n)
		}
		if s := logs.String(); !strings.Contains(s, "apiId=a stage=$default routeKey=$default") || !strings.Contains(s, "method=GET path=/x") {
			t.Errorf("%v: %.500s", level, s)
		}
	}
}

// TestShutdown: what has begun is answered, what rests is closed.
func TestShutdown(t *testing.T) {
	t.Parallel()
	w := &wait{until: make(chan struct{})}
	s, addr := serve(t, gateway.Config{}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"GET /wait": w, "GET /pot": teapot{}, "POST /pot": teapot{}})))
	resting := dial(t, addr)
	resting.send(request("GET /pot HTTP/1.1"))
	resting.read("GET")
	fresh := dial(t, addr)
	busy := dial(t, addr)
	busy.send(request("GET /wait HTTP/1.1"))
	half := dial(t, addr)
	half.send("POST /pot HTTP/1.1\r\nContent-Le")
	body := dial(t, addr)
	body.send(request("POST /pot HTTP/1.1", "Content-Length: 3"), "a")
	await(t, "they are there", func() bool { return w.begun.Load() == 1 && s.Conns() == 5 })

	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for name, c := range map[string]*client{"resting": resting, "fresh": fresh} {
		if err := c.ended(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	time.Sleep(2 * 50 * time.Millisecond) // longer than an idle connection may wait: those below must not be hit
	half.send("ngth: 3\r\n", h, "\r\nabc")
	if a := half.read("POST"); a.StatusCode != 418 || !a.Close {
		t.Errorf("half a head: status %d, close %t", a.StatusCode, a.Close)
	}
	body.send("bc")
	if a := body.read("POST"); a.StatusCode != 418 || !a.Close {
		t.Errorf("half a body: status %d, close %t", a.StatusCode, a.Close)
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	close(w.until)
	if a := busy.read("GET"); a.StatusCode != 200 || !a.Close {
		t.Errorf("busy: status %d, close %t", a.StatusCode, a.Close)
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("still accepting")
	}
}

// TestShutdownRace: requests that are sent while the server shuts down are answered,
// or their connection is closed before any byte of an answer; nothing hangs and no
// answer is cut.
func TestShutdownRace(t *testing.T) {
	t.Parallel()
	for range 5 {
		s, addr := serveOne(t, gateway.Config{}, teapot{})
		var answered, closed atomic.Int64
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for {
					nc, err := net.DialTimeout("tcp", addr, time.Second)
					if err != nil {
						return // the listener is gone
					}
					c := &client{t, nc.(*net.TCPConn), nil}
					c.br = bufio.NewReader(nc)
					nc.SetDeadline(time.Now().Add(10 * time.Second))
					for {
						if _, err := io.WriteString(nc, request("POST /x HTTP/1.1", "Content-Length: 3")+"abc"); err != nil {
							break
						}
						a, err := c.tryRead("POST")
						var timeout net.Error
						if errors.As(err, &timeout) && timeout.Timeout() || err != nil && a.Response != nil {
							t.Errorf("hung or cut: %v", err)
						}
						if err != nil {
							closed.Add(1)
							break
						}
						answered.Add(1)
						if a.Close {
							break
						}
					}
					nc.Close()
				}
			})
		}
		await(t, "requests are answered", func() bool { return answered.Load() > 100 })
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		clients.Wait()
		if closed.Load() > 8 {
			t.Errorf("%d requests were not answered", closed.Load())
		}
	}
}

// TestShutdownBacklog: connections that the system had accepted before the
// listener closed are answered.
func TestShutdownBacklog(t *testing.T) {
	t.Parallel()
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{newAPI("a", newStage(t, "a", "$default", routes(teapot{}, "$default")))}))
	l := listen(t)
	var waiting []*client
	for range 20 {
		c := dial(t, l.Addr().String())
		c.send(request("GET /x HTTP/1.1"))
		waiting = append(waiting, c)
	}
	slow := &heldListener{TCPListener: l.(*net.TCPListener), hold: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(slow) }()
	await(t, "Serve accepts", func() bool { return slow.accepting.Load() })
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	await(t, "Shutdown has begun", func() bool { return slow.deadline.Load() })
	close(slow.hold)
	for i, c := range waiting {
		if a := c.read("GET"); a.StatusCode != 418 || !a.Close {
			t.Errorf("client %d: status %d, close %t", i, a.StatusCode, a.Close)
		}
	}
	if err := errors.Join(<-done, <-served); err != nil {
		t.Error(err)
	}
}

// A heldListener accepts nothing until hold is closed.
type heldListener struct {
	*net.TCPListener
	hold                chan struct{}
	accepting, deadline atomic.Bool
}

func (l *heldListener) Accept() (net.Conn, error) {
	l.accepting.Store(true)
	<-l.hold
	return l.TCPListener.Accept()
}

func (l *heldListener) SetDeadline(at time.Time) error {
	defer l.deadline.Store(true)
	return l.TCPListener.SetDeadline(at)
}

// TestShutdownTimeout: who does not end in time is cut off.
func TestShutdownTimeout(t *testing.T) {
	t.Parallel()
	w := &wait{until: make(chan struct{})}
	s, addr := serveOne(t, gateway.Config{}, w)
	c := dial(t, addr)
	c.send(request("GET / HTTP/1.1"))
	await(t, "the request is being served", func() bool { return w.begun.Load() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if a, err := c.tryRead("GET"); err == nil {
		t.Errorf("status %d", a.StatusCode)
	}
	// Serving again is over at once.
	l := listen(t)
	if err := s.Serve(l); err != nil {
		t.Errorf("Serve after Shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}

// TestCloseLeavesNothing: no goroutine outlives Close, whatever was going on.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	w := &wait{until: make(chan struct{})}
	backend := newSilent(t)
	client := newClient(t)
	s, addr := serve(t, gateway.Config{}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{
		"GET /wait": w, "GET /flood": flood{}, "GET /pot": teapot{}, "ANY /backend": proxy(t, client, "http://"+backend),
	})))
	for _, send := range []string{
		"", "GET", request("GET /wait HTTP/1.1"), request("GET /flood HTTP/1.1"), request("POST /backend HTTP/1.1", "Content-Length: 9") + "abc", request("GET /backend HTTP/1.1"),
		request("POST /backend HTTP/1.1", "Content-Length: 100000") + strings.Repeat("x", 80000), request("POST /backend HTTP/1.1", "Transfer-Encoding: chunked") + "3\r\nabc", "nonsense\r\n\r\n",
	} {
		dial(t, addr).send(send)
	}
	pot := dial(t, addr)
	pot.send(request("GET /pot HTTP/1.1"))
	pot.read("GET")
	await(t, "they are being served", func() bool { return w.begun.Load() == 1 })
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
	s.Close() // a second time does no harm
	client.Close()
	await(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+2 }) // the silent backend
}

// newSilent starts a backend that reads and never answers.
func newSilent(t *testing.T) string {
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// TestAcceptErrors: a listener that has no more descriptors for a while is not
// given up.
func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	var logs log
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}, Logger: logs.logger(slog.LevelInfo)})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{newAPI("a", newStage(t, "a", "$default", routes(teapot{}, "$default")))}))
	l := &starved{TCPListener: listen(t).(*net.TCPListener)}
	l.left.Store(8)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	start := time.Now()
	if a := get(t, l.Addr().String(), "/"); a.StatusCode != 418 {
		t.Errorf("status %d", a.StatusCode)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("recovered after %v", took)
	}
	if n := strings.Count(logs.String(), "too many open files"); n == 0 || n > 20 {
		t.Errorf("%d lines in the log", n)
	}
	s.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A starved listener fails a number of times.
type starved struct {
	*net.TCPListener
	left atomic.Int64
}

func (l *starved) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.TCPListener.Accept()
}

// TestPublishUnderLoad: a response is made of one snapshot, the one that was there
// when its request began.
func TestPublishUnderLoad(t *testing.T) {
	t.Parallel()
	// Each revision has two APIs whose stages and routes carry its number.
	snapshot := func(revision uint64) *gateway.Snapshot {
		var apis []*gateway.API
		for _, id := range []string{"a", "b"} {
			in := say(fmt.Sprint(revision))
			apis = append(apis, newAPI(id, newStage(t, id, "$default", routes(in, fmt.Sprintf("GET /r%d", revision), "GET /{v}/"+fmt.Sprint(revision), "$default"))))
		}
		return gateway.NewSnapshot(revision, apis)
	}
	var snapshots []*gateway.Snapshot
	for r := range uint64(50) {
		snapshots = append(snapshots, snapshot(r))
	}
	s, addr := serve(t, gateway.Config{})
	s.Publish(snapshots[0])
	stop := make(chan struct{})
	var working sync.WaitGroup
	var n atomic.Int64
	for i := range 4 {
		working.Go(func() {
			c := dial(t, addr)
			api := []string{"a", "b"}[i%2]
			last := -1
			for {
				select {
				case <-stop:
					return
				default:
				}
				io.WriteString(c.nc, "GET /x HTTP/1.1\r\nHost: "+api+".execute-api.us-east-1.localhost\r\n\r\n")
				a, err := c.tryRead("GET")
				if err != nil || a.StatusCode != 200 {
					t.Errorf("status %d, %v", a.StatusCode, err)
					return
				}
				var revision int
				if _, err := fmt.Sscanf(a.body, "%d $default $default /x", &revision); err != nil || revision < last {
					t.Errorf("%q after revision %d: %v", a.body, last, err)
					return
				}
				last = revision
				n.Add(1)
			}
		})
	}
	for r := range uint64(50) {
		s.Publish(snapshots[r])
		seen := n.Load()
		await(t, "requests are served from it", func() bool { return n.Load() > seen+20 })
	}
	close(stop)
	working.Wait()
	if s.Snapshot().Revision != 49 {
		t.Errorf("revision %d", s.Snapshot().Revision)
	}
}

// TestWith: a snapshot with changes shares the rest and leaves the old one alone.
func TestWith(t *testing.T) {
	t.Parallel()
	a, b, c := newAPI("a"), newAPI("b"), newAPI("c")
	one := gateway.NewSnapshot(1, []*gateway.API{a, b})
	two := one.With(2, map[string]*gateway.API{"b": nil, "c": c}, nil)
	same := two.With(3, nil, nil)
	if one.API("a") != a || one.API("b") != b || one.API("c") != nil || one.Len() != 2 || one.Revision != 1 {
		t.Error("the first snapshot has changed")
	}
	if two.API("a") != a || two.API("b") != nil || two.API("c") != c || two.Len() != 2 || two.Revision != 2 {
		t.Error("the second snapshot is wrong")
	}
	if same.Len() != 2 || same.Revision != 3 || same.API("c") != c {
		t.Error("the third snapshot is wrong")
	}
}
