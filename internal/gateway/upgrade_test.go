package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// sockets upgrade what can be upgraded, and give the connections to a channel.
type sockets struct{ taken chan taken }

type taken struct {
	nc          net.Conn
	head, early string
}

func (s sockets) Serve(x *gateway.Exchange) error {
	if !x.CanUpgrade() {
		return gateway.NewError(426, "Upgrade Required", "DEFAULT_4XX", "")
	}
	x.Upgrade([]gateway.Field{{Name: "Upgrade", Value: "test"}}, func(c net.Conn, head, early []byte) {
		s.taken <- taken{c, string(head), string(early)}
	})
	return nil
}

// startSockets serves stages of a WebSocket API named a.
func startSockets(t *testing.T, c gateway.Config) (*gateway.Server, string, chan taken) {
	t.Helper()
	ch := make(chan taken, 1)
	api := newAPI("a", &gateway.Stage{APIID: "a", Name: "dev", Sockets: sockets{ch}},
		&gateway.Stage{APIID: "a", Name: "off", Sockets: sockets{ch}, EndpointDisabled: true})
	api.WebSocket = true
	server, addr := serve(t, c, api)
	return server, addr, ch
}

// upgrading returns a request that asks for another protocol.
func upgrading(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\n\r\n"
}

// TestUpgrade: a connection that has changed its protocol belongs to the taker, with what
// its client has sent too early; the server neither counts, watches nor ends it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	server, addr, ch := startSockets(t, gateway.Config{Limits: gateway.Limits{Abandoned: time.Millisecond, Idle: time.Millisecond, Head: time.Millisecond}})
	c := dial(t, addr)
	c.send(upgrading("/dev"), "early")
	got := <-ch
	defer got.nc.Close()
	if !strings.HasPrefix(got.head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: upgrade\r\nDate: ") || !strings.HasSuffix(got.head, "\r\n\r\n") {
		t.Errorf("head %q", got.head)
	}
	if strings.Contains(got.head, "Content-Length") {
		t.Errorf("head %q announces a body", got.head)
	}
	early := got.early
	for len(early) < len("early") { // it may have come in a packet of its own
		var b [8]byte
		n, err := got.nc.Read(b[:])
		if err != nil {
			t.Fatal(err)
		}
		early += string(b[:n])
	}
	if early != "early" {
		t.Errorf("early bytes %q", early)
	}
	if n := server.Conns(); n != 0 {
		t.Errorf("%d connections are still the server's", n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown waits for what is not the server's: %v", err)
	}
	io.WriteString(got.nc, got.head+"hello")
	if resp := c.read("GET"); resp.StatusCode != 101 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	text := make([]byte, 5)
	if _, err := io.ReadFull(c.br, text); err != nil || string(text) != "hello" {
		t.Errorf("behind the head: %q, %v", text, err)
	}
}

// TestNotUpgraded: who cannot change the protocol, or asks at the wrong place, gets an answer.
func TestNotUpgraded(t *testing.T) {
	t.Parallel()
	_, addr, _ := startSockets(t, gateway.Config{})
	tests := []struct {
		name, request string
		status        int
		body, kind    string
	}{
		{"HTTP/1.0", "GET /dev HTTP/1.0\r\nHost: " + host + "\r\n\r\n", 426, `{"message":"Upgrade Required"}`, ""},
		{"unknown stage", upgrading("/nostage"), 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"no stage", upgrading("/"), 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"disabled endpoint", upgrading("/off"), 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"unknown host", "GET /dev HTTP/1.1\r\nHost: nobody.example\r\nUpgrade: websocket\r\n\r\n", 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"unknown host, not upgrading", "GET /dev HTTP/1.1\r\nHost: nobody.example\r\n\r\n", 404, `{"message":"Not Found"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, addr)
			c.send(test.request)
			resp := c.read("GET")
			if resp.StatusCode != test.status || resp.body != test.body || resp.Header.Get("X-Amzn-Errortype") != test.kind {
				t.Errorf("got %d %s %q, want %d %s %q", resp.StatusCode, resp.body, resp.Header.Get("X-Amzn-Errortype"), test.status, test.body, test.kind)
			}
			if test.kind != "" && !resp.Close {
				t.Error("the connection stays open, and what follows a handshake is taken for requests")
			}
		})
	}
}

// TestUpgradedCount: upgraded connections count against the limit, and leave room for
// requests.
func TestUpgradedCount(t *testing.T) {
	t.Parallel()
	var upgraded atomic.Int64
	server, addr, _ := startSockets(t, gateway.Config{Limits: gateway.Limits{Conns: 32}, Upgraded: func() int { return int(upgraded.Load()) }})
	for _, v := range []struct {
		upgraded int64
		expected int
		room     bool
	}{{0, 0, true}, {29, 0, true}, {30, 0, false}, {0, 29, true}, {0, 30, false}, {15, 15, false}} {
		if upgraded.Store(v.upgraded); server.RoomToUpgrade(v.expected) != v.room {
			t.Errorf("beside %d connections and %d to come: room %v", v.upgraded, v.expected, !v.room)
		}
	}
	upgraded.Store(32)
	if err := dial(t, addr).ended(); err != nil {
		t.Errorf("a connection beyond the limit: %v", err)
	}
}

// TestDetached: an exchange without a client is recorded like any other, and comes back
// without anything of the one before.
func TestDetached(t *testing.T) {
	t.Parallel()
	server := gateway.NewServer(gateway.Config{Region: "us-east-1", Account: "1", Records: 4})
	x := server.NewExchange()
	x.ID, x.Start = "AAAAAAAAAAAAAAA=", time.Now()
	x.Request.Method, x.Request.Host, x.Request.Path = "MESSAGE", "h", "/dev"
	if err := x.ReadBody(); err != nil {
		t.Error(err)
	}
	if x.CanUpgrade() {
		t.Error("there is nothing to upgrade")
	}
	server.Finish(x, gateway.NewError(403, `no "way"`, "ACCESS_DENIED", "").With(errors.New("because")))
	record, ok := server.Record("AAAAAAAAAAAAAAA=")
	if !ok || record.Method != "MESSAGE" || record.Response.Status != 403 || record.Response.Reason != `403 no "way": because` {
		t.Errorf("record %+v, %v", record, ok)
	}
	y := server.NewExchange()
	if y.ID != "" || y.Request.Method != "" || y.Failure() != nil || y.Response.Status != 0 || y.Account() != "1" {
		t.Errorf("an exchange is not new: %+v", y)
	}
	server.Finish(y, nil)
}

// TestCutOff: what exchanges without a client wait for is given up, those of later ones at
// once, and CutOff waits until all are finished.
func TestCutOff(t *testing.T) {
	t.Parallel()
	server := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	var all [3]*gateway.Exchange
	aborted := make(chan int, len(all)+1)
	for i := range all {
		all[i] = server.NewExchange()
		all[i].Await(&gateway.Wait{Abort: func() { aborted <- i }})
	}
	server.Finish(all[1], nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.CutOff(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("CutOff returned %v with exchanges underway", err)
	}
	done := make(chan error)
	go func() { done <- server.CutOff(t.Context()) }()
	if a, b := <-aborted, <-aborted; a+b != 0+2 {
		t.Errorf("%d and %d were aborted, want 0 and 2", a, b)
	}
	late := server.NewExchange()
	late.Await(&gateway.Wait{Abort: func() { aborted <- len(all) }})
	if got := <-aborted; got != len(all) || late.Context().Err() == nil {
		t.Errorf("%d was aborted, context %v", got, late.Context().Err())
	}
	for _, x := range []*gateway.Exchange{all[0], late, all[2]} {
		if x.Done() {
			t.Error("the wait was not aborted")
		}
		server.Finish(x, nil)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if x := server.NewExchange(); !x.Gone() {
		t.Error("an exchange begins as if nothing had happened")
	} else {
		server.Finish(x, nil)
	}
}
