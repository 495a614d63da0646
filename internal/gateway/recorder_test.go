package gateway_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
	"penstock/internal/integration"
)

// A recorder is a backend that keeps every byte it gets. It splits them into
// requests by their Content-Length and nothing else, answers each with 200 "ok",
// and complains about what a gateway must never send.
type recorder struct {
	t    *testing.T
	addr string

	mu       sync.Mutex // guards the fields below
	requests []string
	conns    int
}

func record(t *testing.T) *recorder {
	t.Helper()
	l := listen(t)
	r := &recorder{t: t, addr: l.Addr().String()}
	var conns sync.WaitGroup
	t.Cleanup(func() { l.Close(); conns.Wait() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns++
			r.mu.Unlock()
			conns.Go(func() { r.serve(c) })
		}
	}()
	return r
}

func (r *recorder) serve(c net.Conn) {
	defer c.Close()
	var head, all bytes.Buffer
	br := bufio.NewReader(io.TeeReader(c, &all))
	for {
		head.Reset()
		length := -1
		for {
			line, err := br.ReadString('\n')
			head.WriteString(line)
			if err != nil {
				if head.Len() > 0 {
					r.keep(head.String())
				}
				return
			}
			name, value, _ := strings.Cut(line, ":")
			if strings.EqualFold(strings.ReplaceAll(name, "_", "-"), "Transfer-Encoding") {
				r.t.Errorf("backend got a transfer coding:\n%q", head.String())
			}
			if strings.EqualFold(name, "Content-Length") {
				n, err := strconv.Atoi(strings.TrimSpace(value))
				if err != nil || length >= 0 {
					r.t.Errorf("backend got bad or more than one Content-Length:\n%q", head.String())
				}
				length = n
			}
			if !strings.HasSuffix(line, "\r\n") || strings.ContainsAny(strings.TrimSuffix(line, "\r\n"), "\r\x00\x0b\x0c") || line[0] == ' ' || line[0] == '\t' {
				r.t.Errorf("backend got a line that others could split elsewhere: %q", line)
			}
			if line == "\r\n" {
				break
			}
		}
		body := make([]byte, max(length, 0))
		n, err := io.ReadFull(br, body)
		r.keep(head.String() + string(body[:n]))
		if length < 0 {
			r.t.Errorf("backend got no Content-Length:\n%q", head.String())
		}
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok")
	}
}

func (r *recorder) keep(request string) {
	r.mu.Lock()
	r.requests = append(r.requests, request)
	r.mu.Unlock()
}

// take returns the requests since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}

// dials returns how many connections were made.
func (r *recorder) dials() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conns
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// host is the execute-api host of the API "a".
const host = "a.execute-api.us-east-1.localhost"

// newClient returns a client that may reach the backends of tests.
func newClient(t testing.TB) *integration.Client {
	c := integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	t.Cleanup(func() { c.Close() })
	return c
}

// proxy returns an HTTP_PROXY integration, with the path appended.
func proxy(t testing.TB, c *integration.Client, uri string) gateway.Integration {
	t.Helper()
	h, err := integration.NewHTTP(c, integration.HTTPSpec{URI: uri, AppendPath: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newStage returns a stage with routes that lead to integrations and have metrics of
// their own.
func newStage(t testing.TB, api, name string, routes map[string]gateway.Integration) *gateway.Stage {
	t.Helper()
	var all []*gateway.Route
	for key, in := range routes {
		all = append(all, &gateway.Route{Key: key, Integration: in, Detailed: true})
	}
	return gatewaytest.Stage(t, &gateway.Stage{APIID: api, Name: name}, all...)
}

func newAPI(id string, stages ...*gateway.Stage) *gateway.API {
	a := &gateway.API{ID: id, Stages: map[string]*gateway.Stage{}}
	for _, s := range stages {
		a.Stages[s.Name] = s
	}
	return a
}

// serve starts a server on a socket and returns it with its address.
func serve(t testing.TB, c gateway.Config, apis ...*gateway.API) (*gateway.Server, string) {
	t.Helper()
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.Suffixes = append(c.Suffixes, "localhost")
	s := gateway.NewServer(c)
	s.Publish(gateway.NewSnapshot(1, apis))
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

// serveOne starts a server with one API, whose routes all lead to one integration.
func serveOne(t testing.TB, c gateway.Config, in gateway.Integration) (*gateway.Server, string) {
	t.Helper()
	return serve(t, c, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"$default": in})))
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
	nc.SetDeadline(time.Now().Add(10 * time.Second))
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

func (c *client) tryRead(method string) (answer, error) {
	r, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(r.Body)
	return answer{r, string(body)}, err
}

// ended reports whether the server has closed the connection in order.
func (c *client) ended() error {
	b, err := c.br.Peek(1)
	if err == io.EOF {
		return nil
	}
	return fmt.Errorf("got %q and %v, want the end of the connection", b, err)
}

// get asks for a path of the API "a" and returns the answer.
func get(t testing.TB, addr, path string) answer {
	t.Helper()
	c := dial(t, addr)
	defer c.nc.Close()
	c.send("GET ", path, " HTTP/1.1\r\nHost: ", host, "\r\n\r\n")
	return c.read("GET")
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

// teapot answers 418 and reads no body.
type teapot struct{}

func (teapot) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 418
	return nil
}
