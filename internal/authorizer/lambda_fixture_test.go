package authorizer

import (
	"bufio"
	"context"
	"errors"
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

// A fakeFunction is an Invoker: answer is its function. It counts and keeps the calls.
type fakeFunction struct {
	answer func(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error)

	mu    sync.Mutex // guards calls
	calls []integration.Invocation
}

func (f *fakeFunction) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	f.mu.Unlock()
	return f.answer(ctx, call)
}

func (f *fakeFunction) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

// says returns a function that always answers the same.
func says(text string) *fakeFunction {
	return &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
		return integration.InvocationResult{Payload: []byte(text)}, nil
	}}
}

// breaks returns a function that cannot be called.
func breaks(err error) *fakeFunction {
	return &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
		return integration.InvocationResult{}, err
	}}
}

// sleeps returns a function that takes a time, or until nobody waits for it.
func sleeps(d time.Duration, text string) *fakeFunction {
	return &fakeFunction{answer: func(ctx context.Context, _ integration.Invocation) (integration.InvocationResult, error) {
		select {
		case <-time.After(d):
			return integration.InvocationResult{Payload: []byte(text)}, nil
		case <-ctx.Done():
			return integration.InvocationResult{}, ctx.Err()
		}
	}}
}

// A headerSource is $request.header.{name}.
type headerSource string

func (h headerSource) Append(b []byte, x *gateway.Exchange) ([]byte, bool) {
	value, ok := x.Request.Field(string(h))
	return append(b, value...), ok
}

// A textSource always has the same value, as stage variables do.
type textSource string

func (s textSource) Append(b []byte, _ *gateway.Exchange) ([]byte, bool) {
	return append(b, s...), true
}

// routeSource is $context.routeKey.
type routeSource struct{}

func (routeSource) Append(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return append(b, x.Route.Key...), true
}

// lambdaSpec returns the spec of an authorizer with one identity source, the field
// Authorization, and simple responses.
func lambdaSpec(f integration.Invoker) LambdaSpec {
	return LambdaSpec{
		Invoker: f, Function: "arn:aws:lambda:us-east-1:123456789012:function:auth", Version: "2.0", Simple: true,
		Sources: []Source{headerSource("Authorization")}, SourceNames: []string{"$request.header.Authorization"},
		API: "a1", Stage: "prod", AuthorizerID: "auth01", Revision: "1",
	}
}

func mustLambda(t testing.TB, r *Results, spec LambdaSpec) *Lambda {
	t.Helper()
	l, err := NewLambda(r, spec)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A lent authorizer lends its exchange to a test, as an authorizer gets it: nobody has
// read the body.
type lent struct {
	got  chan *gateway.Exchange
	done chan struct{}
}

func (l lent) Authorize(x *gateway.Exchange) error {
	l.got <- x
	<-l.done
	return gateway.Forbidden("", errors.New("the test is over"))
}

// accepted is an integration that says 204.
type accepted struct{}

func (accepted) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 204
	return nil
}

// pipes is a listener for connections in memory, which time can stand still with.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn)} }

// dial returns a connection.
func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveLambda starts a server in memory, whose API a1 has one stage with one $default
// route, and returns a way to send it a request and read the answer.
func serveLambda(t testing.TB, stage string, r *gateway.Route) func(request string) (status int, header http.Header, body string) {
	t.Helper()
	l := newPipes()
	connectLambda(t, l, stage, r)
	conns := l.dial
	return func(request string) (int, http.Header, string) {
		t.Helper()
		c := conns()
		defer c.Close()
		go io.WriteString(c, request)
		a, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		body, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, a.Header, string(body)
	}
}

// connectLambda is serveLambda for who has a listener.
func connectLambda(t testing.TB, l net.Listener, stage string, r *gateway.Route) {
	t.Helper()
	r.Key = "$default"
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Account: "123456789012"})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a1", Stages: map[string]*gateway.Stage{
		stage: gatewaytest.Stage(t, &gateway.Stage{APIID: "a1", Name: stage}, r),
	}}}))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
	})
}

const lambdaHost = "Host: a1.execute-api.us-east-1.amazonaws.com"

// requestText returns a request to the API.
func requestText(line, body string, header ...string) string {
	header = append([]string{line + " HTTP/1.1", lambdaHost}, header...)
	if body != "" {
		header = append(header, "Content-Length: "+strconv.Itoa(len(body)))
	}
	return strings.Join(header, "\r\n") + "\r\n\r\n" + body
}

// lambdaExchange returns an exchange of a request to the stage prod, which is the
// caller's until the test is over.
func lambdaExchange(t testing.TB, line, body string, header ...string) *gateway.Exchange {
	t.Helper()
	l := lent{make(chan *gateway.Exchange), make(chan struct{})}
	p := newPipes()
	connectLambda(t, p, "prod", &gateway.Route{Authorizer: l})
	c := p.dial()
	go io.WriteString(c, requestText(line, body, header...))
	go io.Copy(io.Discard, c)
	select {
	case x := <-l.got:
		t.Cleanup(func() {
			close(l.done)
			c.Close()
		})
		return x
	case <-time.After(time.Minute):
		t.Fatalf("no exchange for %s", line)
		return nil
	}
}

// lambdaOutcome returns the status that an authorizer decides on, 200 for a request
// that goes on, and fails if the exchange does not look like it.
func lambdaOutcome(t testing.TB, a gateway.Authorizer, x *gateway.Exchange) int {
	t.Helper()
	x.Identity, x.AuthorizerError = nil, ""
	err := a.Authorize(x)
	if err == nil {
		if x.Identity == nil || x.AuthorizerError != "" {
			t.Errorf("%s: allowed with identity %v, error %q", x.Path, x.Identity, x.AuthorizerError)
		}
		return 200
	}
	var e *gateway.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v is no answer", x.Path, err)
	}
	if x.Identity != nil || x.AuthorizerError == "" || e.Challenge != "" || e.Cause == nil {
		t.Errorf("%s: %v with identity %v, error %q, challenge %q", x.Path, e, x.Identity, x.AuthorizerError, e.Challenge)
	}
	return e.Status
}
