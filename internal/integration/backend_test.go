package integration_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
	"penstock/internal/integration"
	"penstock/internal/route"
)

// host is the execute-api host of the API "a".
const host = "a.execute-api.us-east-1.localhost"

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A received request is as it came over the wire.
type received struct {
	line   string // without the version
	fields []string
	body   string
	conn   int // number of its connection, from 1
}

// field returns the values of a field, joined with " | ".
func (r received) field(name string) string {
	var values []string
	for _, f := range r.fields {
		if n, v, _ := strings.Cut(f, ": "); strings.EqualFold(n, name) {
			values = append(values, v)
		}
	}
	return strings.Join(values, " | ")
}

// A backend records requests and answers as told.
type backend struct {
	t    testing.TB
	addr string

	mu       sync.Mutex // guards the fields below
	received []received
	conns    int
	open     map[net.Conn]bool
	closed   int // by the gateway
}

// ok is an answer with a body of two bytes.
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// newBackend starts a backend. Each answer is what answer returns, written at
// once; "" closes the connection without an answer, and so does the end of an
// answer that has "Connection: close" or no length. A nil answer says ok.
func newBackend(t testing.TB, answer func(received) string) *backend {
	t.Helper()
	return newRawBackend(t, func(b *backend, c net.Conn, br *bufio.Reader, r received) bool {
		text := ok
		if answer != nil {
			text = answer(r)
		}
		io.WriteString(c, text)
		head, _, _ := strings.Cut(text, "\r\n\r\n")
		return text != "" && !strings.Contains(head, "\r\nConnection: close") && strings.Contains(head+"\r\n", "\r\n") &&
			(strings.Contains(head, "\r\nContent-Length") || strings.Contains(head, "\r\nTransfer-Encoding") || strings.Contains(head, " 204 ") || strings.Contains(head, " 304 ") || strings.Contains(head, " 1"))
	})
}

// newRawBackend starts a backend that leaves what to do about a request whole to
// do: it reports whether the connection goes on.
func newRawBackend(t testing.TB, do func(b *backend, c net.Conn, br *bufio.Reader, r received) bool) *backend {
	t.Helper()
	l := listen(t)
	b := &backend{t: t, addr: l.Addr().String(), open: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		b.hangUp()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns++
			number := b.conns
			b.open[c] = true
			b.mu.Unlock()
			serving.Go(func() {
				defer func() {
					c.Close()
					b.mu.Lock()
					delete(b.open, c)
					b.mu.Unlock()
				}()
				br := bufio.NewReader(c)
				for {
					r, err := receive(br)
					if err != nil {
						b.mu.Lock()
						b.closed++
						b.mu.Unlock()
						return
					}
					r.conn = number
					b.mu.Lock()
					b.received = append(b.received, r)
					b.mu.Unlock()
					if !do(b, c, br, r) {
						return
					}
				}
			})
		}
	})
	return b
}

// receive reads a request. Of a body longer than 1 MB it reads nothing.
func receive(br *bufio.Reader) (r received, err error) {
	line, err := br.ReadString('\n')
	if err != nil {
		return r, err
	}
	r.line = strings.TrimSuffix(line, " HTTP/1.1\r\n")
	length := 0
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return r, err
		}
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" {
			break
		}
		r.fields = append(r.fields, line)
		fmt.Sscanf(line, "Content-Length: %d", &length)
	}
	if length > 1<<20 {
		return r, nil
	}
	body := make([]byte, length)
	_, err = io.ReadFull(br, body)
	r.body = string(body)
	return r, err
}

func (b *backend) url() string { return "http://" + b.addr }

// take returns the requests since the last call.
func (b *backend) take() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.received
	b.received = nil
	return taken
}

// one returns the only request since the last call.
func (b *backend) one() received {
	b.t.Helper()
	all := b.take()
	if len(all) != 1 {
		b.t.Fatalf("backend got %d requests: %+v", len(all), all)
	}
	return all[0]
}

// dials returns how many connections were made, hung how many of them the
// gateway has closed.
func (b *backend) dials() int { b.mu.Lock(); defer b.mu.Unlock(); return b.conns }
func (b *backend) hung() int  { b.mu.Lock(); defer b.mu.Unlock(); return b.closed }

// hangUp closes all connections.
func (b *backend) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.open {
		c.Close()
	}
}

func newClient(t testing.TB) *integration.Client {
	return newClientWith(t, integration.ClientConfig{AllowPrivate: true})
}

func newClientWith(t testing.TB, c integration.ClientConfig) *integration.Client {
	client := integration.NewClient(c)
	t.Cleanup(func() { client.Close() })
	return client
}

// A target is a route and what it leads to.
type target struct {
	key       string
	in        gateway.Integration
	readsBody bool
}

// proxy returns a route to an HTTP_PROXY integration.
func proxy(t testing.TB, c *integration.Client, key, uri string) target {
	t.Helper()
	return proxyWith(t, c, key, integration.HTTPSpec{URI: uri})
}

func proxyWith(t testing.TB, c *integration.Client, key string, spec integration.HTTPSpec) target {
	t.Helper()
	k, err := route.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spec.Vars, spec.AppendPath, spec.Timeout = k.Vars(), k.Default(), cmp.Or(spec.Timeout, 10*time.Second)
	in, err := integration.NewHTTP(c, spec)
	if err != nil {
		t.Fatal(err)
	}
	return target{key: key, in: in, readsBody: spec.Request.ReadsBody()}
}

// snapshotOf returns a snapshot whose API "a" has the same routes in the stages
// $default and live.
func snapshotOf(t testing.TB, revision uint64, targets ...target) *gateway.Snapshot {
	t.Helper()
	api := &gateway.API{ID: "a", Stages: map[string]*gateway.Stage{}}
	for _, name := range []string{"$default", "live"} {
		var routes []*gateway.Route
		for _, target := range targets {
			routes = append(routes, &gateway.Route{Key: target.key, Integration: target.in, ReadsBody: target.readsBody})
		}
		api.Stages[name] = gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: name}, routes...)
	}
	return gateway.NewSnapshot(revision, []*gateway.API{api})
}

// serve starts a server with such a snapshot and returns its address.
func serve(t testing.TB, c gateway.Config, targets ...target) string {
	t.Helper()
	c.Region, c.Suffixes = "us-east-1", []string{"localhost"}
	s := gateway.NewServer(c)
	s.Publish(snapshotOf(t, 1, targets...))
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

// A client is the sending end of a raw connection.
type client struct {
	t  testing.TB
	nc *net.TCPConn
	br *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{t, nc.(*net.TCPConn), bufio.NewReader(nc)}
}

func (c *client) send(parts ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.nc, strings.Join(parts, "")); err != nil {
		c.t.Fatal(err)
	}
}

// An answer is a response as the client got it.
type answer struct {
	*http.Response
	head string // as it came
	body string
}

// read reads the response to a request with a method.
func (c *client) read(method string) answer {
	c.t.Helper()
	a, err := c.tryRead(method)
	if err != nil {
		c.t.Fatalf("read response: %v", err)
	}
	return a
}

func (c *client) tryRead(method string) (a answer, err error) {
	for !strings.HasSuffix(a.head, "\r\n\r\n") {
		line, err := c.br.ReadString('\n')
		a.head += line
		if err != nil {
			return a, err
		}
	}
	a.Response, err = http.ReadResponse(bufio.NewReader(strings.NewReader(a.head)), &http.Request{Method: method})
	if err != nil {
		return a, err
	}
	var body []byte
	switch n := a.ContentLength; {
	case method == "HEAD" || a.StatusCode == 204 || a.StatusCode == 304:
	case len(a.TransferEncoding) > 0:
		if body, err = io.ReadAll(httputil.NewChunkedReader(c.br)); err == nil {
			_, err = c.br.Discard(len("\r\n"))
		}
	case n >= 0:
		body = make([]byte, n)
		n, err := io.ReadFull(c.br, body)
		return answer{a.Response, a.head, string(body[:n])}, err
	default:
		body, err = io.ReadAll(c.br)
	}
	a.body = string(body)
	return a, err
}

// ask sends a request on a connection of its own. The first line lacks its
// version, the Host is added.
func ask(t testing.TB, addr, line string, more ...string) answer {
	t.Helper()
	c := dial(t, addr)
	defer c.nc.Close()
	return c.ask(line, more...)
}

func (c *client) ask(line string, more ...string) answer {
	c.t.Helper()
	c.send(message(line, more...))
	method, _, _ := strings.Cut(line, " ")
	return c.read(method)
}

// message writes a request: a line, fields, and a last element that begins with
// "\n" as its body.
func message(line string, more ...string) string {
	body, length := "", ""
	if n := len(more); n > 0 && strings.HasPrefix(more[n-1], "\n") {
		body, more = more[n-1][1:], more[:n-1]
		length = fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	fields := ""
	for _, f := range more {
		fields += f + "\r\n"
	}
	return line + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + length + "\r\n" + body
}

// await waits until a condition holds.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
	}
}
