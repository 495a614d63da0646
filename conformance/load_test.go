//go:build conformance

package conformance

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A target is what a client of a load asks for.
type target struct {
	address string      // http://127.0.0.1:PORT or https://127.0.0.1:PORT
	tls     *tls.Config // for https
	host    string
	path    string
	header  string // further lines, each with its end
	// want looks at a response with the status 200.
	want func(header http.Header, body string) error
}

// A load asks for targets at a pace, from clients that keep their connections and do
// not forgive: a connection that ends is an error, as is every status but 200.
type load struct {
	t       *testing.T
	stop    chan struct{}
	stopped sync.Once
	clients sync.WaitGroup
	answers atomic.Int64
	failed  atomic.Int64
}

// The pace: each client asks 25 times a second.
const (
	clientsOfLoad = 20
	clientPace    = time.Second / 25
	shownFailures = 10
)

// newLoad starts 500 requests per second, and handshakes beside them if there are
// targets with TLS: a client for each that makes a new connection for each request.
func newLoad(t *testing.T, targets ...target) *load {
	l := &load{t: t, stop: make(chan struct{})}
	t.Cleanup(l.end)
	for i := range clientsOfLoad {
		l.clients.Go(func() { l.ask(targets[i%len(targets)], true) })
	}
	for _, one := range targets {
		if one.tls != nil {
			l.clients.Go(func() { l.ask(one, false) })
		}
	}
	return l
}

// end stops the clients and waits for them.
func (l *load) end() {
	l.stopped.Do(func() { close(l.stop) })
	l.clients.Wait()
}

func (l *load) ask(to target, keep bool) {
	var conn net.Conn
	var in *bufio.Reader
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	tick := time.NewTicker(clientPace)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		if conn == nil {
			var err error
			if conn, err = to.dial(); err != nil {
				l.fail("connect: %v", err)
				conn = nil
				continue
			}
			in = bufio.NewReader(conn)
		}
		if err := to.exchange(conn, in); err != nil {
			l.fail("%s: %v", to.host+to.path, err)
			conn = closed(conn)
			continue
		}
		l.answers.Add(1)
		if !keep {
			conn = closed(conn)
		}
	}
}

// closed closes a connection and returns none.
func closed(conn net.Conn) net.Conn {
	conn.Close()
	return nil
}

func (t target) dial() (net.Conn, error) {
	_, address, _ := strings.Cut(t.address, "//")
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil || t.tls == nil {
		return conn, err
	}
	secure := tls.Client(conn, t.tls)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err := secure.Handshake(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return secure, nil
}

// exchange sends a request and reads its response, after which the connection must
// stay.
func (t target) exchange(conn net.Conn, in *bufio.Reader) error {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", t.path, t.host, t.header); err != nil {
		return err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("got %d %s", resp.StatusCode, body)
	case resp.Close:
		return fmt.Errorf("the connection ends after the response")
	case t.want != nil:
		return t.want(resp.Header, string(body))
	}
	return nil
}

func (l *load) fail(format string, args ...any) {
	if l.failed.Add(1) <= shownFailures {
		l.t.Errorf(format, args...)
	}
}

// during calls a change every now and then for the span of the test, and ends the load:
// there must have been about as many answers as asked for, and nothing else.
func (l *load) during(every time.Duration, change func(i int)) {
	l.t.Helper()
	span := span(l.t)
	end := time.After(span)
	tick := time.NewTicker(every)
	defer tick.Stop()
	changes := 0
	start := time.Now()
	for running := true; running; {
		select {
		case <-tick.C:
			change(changes)
			changes++
		case <-end:
			running = false
		}
	}
	took := time.Since(start)
	l.end()
	answers, failed := l.answers.Load(), l.failed.Load()
	l.t.Logf("%d changes, %d answers and %d failures in %v", changes, answers, failed, took.Round(time.Millisecond))
	if failed > 0 {
		l.t.Errorf("%d of %d requests failed, want none", failed, answers+failed)
	}
	if changes == 0 {
		l.t.Error("nothing was changed")
	}
	// A machine that is busy with other things asks less often than it should.
	if pace := float64(answers) / took.Seconds(); pace < 100 {
		l.t.Errorf("%.0f requests per second, want 500 or so", pace)
	}
}
