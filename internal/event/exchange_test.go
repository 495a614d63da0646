package event

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
)

// A held integration hands its exchange out and keeps it until the test is over.
type held struct {
	got  chan *gateway.Exchange
	done chan struct{}
}

func (h *held) Invoke(x *gateway.Exchange) error {
	h.got <- x
	<-h.done
	x.Response.Status = 204
	return nil
}

// A pipe is a listener with one connection.
type pipe struct{ conns chan net.Conn }

func (p *pipe) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipe) Close() error {
	defer func() { _ = recover() }() // closed twice
	close(p.conns)
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{} }

// exchange returns the exchange of a request to the stage of an API, which has the one
// route. It is the caller's until the test is over. Its start is fixed.
func exchange(t testing.TB, stage *gateway.Stage, routeKey, requestLine string, header ...string) *gateway.Exchange {
	t.Helper()
	h := &held{make(chan *gateway.Exchange), make(chan struct{})}
	gatewaytest.Stage(t, stage, &gateway.Route{Key: routeKey, Integration: h})
	stage.APIID = "a1b2c3d4e5"
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Account: "123456789012"})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a1b2c3d4e5", Stages: map[string]*gateway.Stage{stage.Name: stage}}}))
	l := &pipe{make(chan net.Conn, 1)}
	near, far := net.Pipe()
	l.conns <- far
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	head := requestLine + "\r\nHost: a1b2c3d4e5.execute-api.us-east-1.amazonaws.com\r\n" + strings.Join(append(header, ""), "\r\n") + "\r\n"
	go io.WriteString(near, head)
	go io.Copy(io.Discard, near)
	select {
	case x := <-h.got:
		x.Start = time.Date(2025, 4, 14, 22, 14, 35, 623e6, time.FixedZone("", -7200))
		t.Cleanup(func() {
			close(h.done)
			near.Close()
			s.Close()
			<-served
		})
		return x
	case <-time.After(5 * time.Second):
		t.Fatalf("no exchange for %q", head)
		return nil
	}
}
