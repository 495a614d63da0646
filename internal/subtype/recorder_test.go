package subtype_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/subtype"
)

// A recorder is a service that keeps copies of what it is asked, and answers as told.
type recorder struct {
	mu     sync.Mutex // guards called
	called []integration.ServiceRequest

	status int
	header []gateway.Field
	body   string
	err    error
}

// Call implements integration.Service. Like one that sends, it uses the buffers of the
// exchange before it looks at the request.
func (r *recorder) Call(x *gateway.Exchange, q *integration.ServiceRequest) (integration.Incoming, error) {
	for _, b := range [][]byte{x.Buffers.Request[:cap(x.Buffers.Request)], x.Buffers.Head[:cap(x.Buffers.Head)], x.Buffers.Body[:cap(x.Buffers.Body)]} {
		clear(b)
	}
	c := *q
	c.Body = bytes.Clone(q.Body)
	r.mu.Lock()
	r.called = append(r.called, c)
	r.mu.Unlock()
	if r.err != nil {
		return integration.Incoming{}, r.err
	}
	x.Buffers.Response = append(x.Buffers.Response[:0], r.header...)
	x.Buffers.Body = append(x.Buffers.Body[:0], r.body...)
	return integration.Incoming{Status: cmp.Or(r.status, 200), Header: x.Buffers.Response, Body: x.Buffers.Body}, nil
}

// take returns the calls since the last time.
func (r *recorder) take() []integration.ServiceRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.called
	r.called = nil
	return taken
}

// show writes a call as one line for each thing that services see.
func show(q integration.ServiceRequest) string {
	s := fmt.Sprintf("%s %s %s %s\n%s/%s", q.Method, q.Host, q.Target, q.Action, q.Service, q.Region)
	for _, f := range q.Header {
		s += "\n" + f.Name + ": " + f.Value
	}
	return s + "\n" + string(q.Body)
}

const role = "arn:aws:iam::123456789012:role/queues"

// pairs makes a map of names and values in turns.
func pairs(list ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// specOf returns a spec for the route "POST /in/{id}".
func specOf(r *recorder, name string, parameters map[string]string) subtype.Spec {
	return subtype.Spec{
		Subtype: name, Parameters: parameters, CredentialsARN: role, Timeout: 7 * time.Second,
		Scope:  mapping.Scope{Vars: []string{"id"}, Variables: map[string]string{"name": "n1", "region": "eu-west-1"}},
		Region: "us-east-1", Account: "123456789012", API: "a", Stage: "live", RouteKey: "POST /in/{id}", Service: r,
	}
}

func mustNew(t testing.TB, spec subtype.Spec) *subtype.Integration {
	t.Helper()
	i, err := subtype.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// A watched integration shows what it leaves behind.
type watched struct {
	gateway.Integration
	before func(*gateway.Exchange)
	after  func(*gateway.Exchange, error)
}

func (w watched) Invoke(x *gateway.Exchange) error {
	if w.before != nil {
		w.before(x)
	}
	err := w.Integration.Invoke(x)
	if w.after != nil {
		w.after(x, err)
	}
	return err
}

// A served integration has a gateway of its own.
type served struct {
	t    testing.TB
	addr string

	mu      sync.Mutex // guards what follows
	outcome gateway.IntegrationOutcome
	err     error
}

func serve(t testing.TB, in gateway.Integration, readsBody bool, before func(*gateway.Exchange)) *served {
	t.Helper()
	g := &served{t: t}
	w := watched{in, before, func(x *gateway.Exchange, err error) {
		g.mu.Lock()
		g.outcome, g.err = x.Integration, err
		g.mu.Unlock()
	}}
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	stage := gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: "live"}, &gateway.Route{Key: "ANY /in/{id}", Integration: w, ReadsBody: readsBody})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a", Stages: map[string]*gateway.Stage{"live": stage}}}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	g.addr = l.Addr().String()
	return g
}

func serveSpec(t testing.TB, spec subtype.Spec) *served {
	t.Helper()
	i := mustNew(t, spec)
	return serve(t, i, i.ReadsBody(), nil)
}

// ask sends a request to the stage. Fields are as "Name: value".
func (g *served) ask(method, target, body string, fields ...string) (status int, header http.Header, answer string) {
	g.t.Helper()
	r, err := http.NewRequest(method, "http://"+g.addr+"/live"+target, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Host = "a.execute-api.us-east-1.localhost"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// left returns what the last exchange left behind.
func (g *served) left() (gateway.IntegrationOutcome, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outcome, g.err
}

// newExchange returns an exchange that no client waits for.
func newExchange(t testing.TB) *gateway.Exchange {
	t.Helper()
	s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	x := s.NewExchange()
	x.Request.Method = "POST"
	x.ID = "request-id"
	t.Cleanup(func() {
		s.Finish(x, nil)
		s.Close()
	})
	return x
}
