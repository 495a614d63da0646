package pipeline

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/selection"
)

// The ids of all events of these tests.
const (
	testConnection = "L0SM9cOFvHcCIhw="
	testRequest    = "L0SMdGv2PHcFZ7Q="
	testMessage    = "L0SMdeEPPHcCJIQ="
)

// newServer returns a server that serves nothing, for its exchanges.
func newServer(t testing.TB) *gateway.Server {
	t.Helper()
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Account: "123456789012"})
	t.Cleanup(func() { s.Close() })
	return s
}

func newClient(t testing.TB) *integration.Client {
	c := integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	t.Cleanup(func() { c.Close() })
	return c
}

// socket is the connection of most tests.
func socket() *event.Socket {
	return &event.Socket{
		APIID: "abc123", Stage: "dev", ConnectionID: testConnection,
		DomainName:  "abc123.execute-api.us-east-1.amazonaws.com",
		ConnectedAt: time.UnixMilli(1708326702105), SourceIP: "192.0.2.7", UserAgent: "ua/1",
	}
}

// newEvent returns an event without content. Its exchange ends with the test.
func newEvent(t testing.TB, s *gateway.Server, kind Kind) *Event {
	t.Helper()
	x := s.NewExchange()
	t.Cleanup(func() { s.Finish(x, nil) })
	x.ID, x.Start = testRequest, time.UnixMilli(1708326710312)
	e := &Event{Kind: kind, Socket: socket(), RouteKey: "send", RequestID: testRequest, Time: x.Start, Exchange: x}
	switch kind {
	case Connect:
		e.RouteKey = "$connect"
	case Message:
		e.MessageID = testMessage
	case Disconnect:
		e.RouteKey, e.Code, e.Reason = "$disconnect", 1001, "Going away"
	}
	return e
}

func message(t testing.TB, s *gateway.Server, text string) *Event {
	e := newEvent(t, s, Message)
	e.Message = selection.Message{Text: []byte(text)}
	return e
}

// handshake returns the event of a handshake with a query and a header.
func handshake(t testing.TB, s *gateway.Server, query string, header ...string) *Event {
	e := newEvent(t, s, Connect)
	r := &e.Exchange.Request
	r.Method, r.Path, r.Query, r.Host = "GET", "/dev", query, "abc123.execute-api.us-east-1.amazonaws.com"
	r.Peer = netip.MustParseAddrPort("192.0.2.7:1234")
	for _, line := range append([]string{
		"Host: abc123.execute-api.us-east-1.amazonaws.com", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: 8Zyx4QkPnR2mJw0Tb5uV7g==",
	}, header...) {
		name, value, _ := strings.Cut(line, ": ")
		r.Header = append(r.Header, gateway.Field{Name: name, Value: value})
	}
	return e
}

// A received request is what a backend got.
type received struct {
	method, target, body string
	header               http.Header
}

// A backend records requests and answers as told.
type testBackend struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got []received
}

func newBackend(t testing.TB, answer http.HandlerFunc) *testBackend {
	t.Helper()
	b := &testBackend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.got = append(b.got, received{r.Method, r.RequestURI, string(body), r.Header})
		b.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

// last returns the only request that the backend got.
func (b *testBackend) last(t testing.TB) received {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) != 1 {
		t.Fatalf("the backend got %d requests", len(b.got))
	}
	return b.got[0]
}

// says answers with a status, a body, and a header given as names and values.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// A lambda is a function of a test, with all its calls.
type lambda struct {
	payload string
	failed  string // FunctionError
	err     error
	sleeps  bool // until it is given up

	mu    sync.Mutex // guards calls
	calls []integration.Invocation
}

func (l *lambda) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	call.Payload = append([]byte(nil), call.Payload...)
	l.mu.Lock()
	l.calls = append(l.calls, call)
	l.mu.Unlock()
	if l.sleeps {
		<-ctx.Done()
		return integration.InvocationResult{}, ctx.Err()
	}
	if l.err != nil {
		return integration.InvocationResult{}, l.err
	}
	if call.Async {
		return integration.InvocationResult{Status: 202}, nil
	}
	return integration.InvocationResult{Payload: []byte(l.payload), FunctionError: l.failed, RequestID: "lambda-1"}, nil
}

// lambdaURI calls the function of tests.
const (
	functionName = "arn:aws:lambda:us-east-1:123456789012:function:chat"
	lambdaURI    = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionName + "/invocations"
)

// complete fills in what specs of tests have in common.
func complete(spec Spec) Spec {
	spec.Region, spec.Account, spec.API, spec.Stage = "us-east-1", "123456789012", "abc123", "dev"
	if spec.RouteKey == "" {
		spec.RouteKey = "send"
	}
	return spec
}

func mustNew(t testing.TB, spec Spec) Integration {
	t.Helper()
	i, err := New(complete(spec))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// errorFrame returns how an error looks in the tables of tests: its message.
func errorFrame(err error) string {
	var e *gateway.Error
	if !errors.As(err, &e) {
		return "not a gateway error: " + err.Error()
	}
	return "err(" + e.Message + ")"
}

// outcomeOf returns what a client of a two-way route gets.
func outcomeOf(r Result, err error) string {
	if err != nil {
		return errorFrame(err)
	}
	return string(r.Text)
}

// lines are an execution log.
type lines struct{ text []string }

func (l *lines) Line(text string) { l.text = append(l.text, text) }
