package penstock_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"penstock"
)

// limited returns a server that takes 32 connections, two of them for requests only.
func limited(t testing.TB, fn *lambdaFunction) (w *world, api string) {
	t.Helper()
	w = newWorld(t, penstock.Config{
		Limits: penstock.Limits{ClientConns: 32}, WebSockets: penstock.WebSockets{ConnectRate: -1},
		Functions: functions(map[string]*lambdaFunction{"fn": fn}),
	})
	return w, w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}})
}

// TestRoomOfEnding: a connection that has ended, but whose client does not hang up, takes room
// until its socket is closed. Otherwise clients could make a server run out of descriptors by
// being thrown out.
func TestRoomOfEnding(t *testing.T) {
	t.Parallel()
	w, api := limited(t, answering(`{"statusCode":200}`))
	for range 30 {
		w.connect(api, "/dev").frame(0x80|opBinary, "")
	}
	w.until("all have ended", func() bool { return w.metric("penstock_websocket_connections") == "0" })
	if s := w.handshake(api, "/dev"); s.shake.StatusCode != 503 {
		t.Errorf("a handshake beside 30 sockets got %d", s.shake.StatusCode)
	}
}

// TestRoomOfHandshakes: handshakes that wait for $connect take the room of their connections,
// so that some is left for requests when all are let in at once.
func TestRoomOfHandshakes(t *testing.T) {
	t.Parallel()
	all := make(chan struct{})
	var waiting atomic.Int64
	w, api := limited(t, newFunction(func(ctx context.Context, _ string) (string, error) {
		waiting.Add(1)
		select {
		case <-all:
		case <-ctx.Done():
		}
		return `{"statusCode":200}`, nil
	}))
	answers := make(chan int, 32)
	for range 32 {
		nc := w.dial()
		go func() {
			status := talk(t, nc, shakeHead(api)).shake.StatusCode
			if status != http.StatusSwitchingProtocols {
				nc.Close()
			}
			answers <- status
		}()
	}
	w.until("all are under way or refused", func() bool { return waiting.Load()+int64(len(answers)) == 32 })
	close(all)
	got := map[int]int{}
	for range 32 {
		got[<-answers]++
	}
	if got[http.StatusSwitchingProtocols] != 30 || got[http.StatusServiceUnavailable] != 2 {
		t.Errorf("the handshakes got %v, want 30 of 101 and 2 of 503", got)
	}
	w.until("the refused ones have gone", func() bool { return w.metric("penstock_connections") == "0" })
	if a := w.ask(api, "GET /dev"); a.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a request got %d", a.StatusCode)
	}
}

// TestLeftHandshakes: handshakes whose clients have left are given up, and so are the
// functions that they wait for.
func TestLeftHandshakes(t *testing.T) {
	t.Parallel()
	var waiting, over atomic.Int64
	fn := newFunction(func(ctx context.Context, _ string) (string, error) {
		waiting.Add(1)
		defer over.Add(1)
		<-ctx.Done()
		return "", ctx.Err()
	})
	w := newWorld(t, penstock.Config{
		WebSockets: penstock.WebSockets{ConnectRate: -1}, Functions: functions(map[string]*lambdaFunction{"fn": fn}),
	})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}})
	const n = 200
	begun := time.Now()
	for i := range n {
		nc := w.dial()
		if _, err := nc.Write([]byte(shakeHead(api))); err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if i%2 == 0 {
			w.until("the function runs", func() bool { return waiting.Load() > int64(i) })
		}
		nc.Close()
	}
	w.until("no function runs", func() bool { return over.Load() == waiting.Load() && over.Load() >= n/2 })
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("the handshakes were given up after %v", took)
	}
	w.until("the connections are gone", func() bool { return w.metric("penstock_connections") == "0" })
}

// TestRefusedHandshakes: whatever a handshake is refused for, its connection ends, so that
// nothing that its client sends behind it is taken for a request.
func TestRefusedHandshakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$default": {}}})
	for target, fields := range map[string][]string{
		"/dev/below":           nil,
		"/nostage":             nil,
		"/":                    nil,
		"/dev/@connections/x":  nil,
		"/dev/@groups/g":       nil,
		"/dev?two=keys":        {"Sec-WebSocket-Key: " + socketKey},
		"/dev?another=version": {"Sec-WebSocket-Version: 8"},
		"/dev?a=body":          {"Content-Length: 1"},
		"/dev?no=host":         {"Host: nobody.example"},
	} {
		s := w.handshake(api, target, fields...)
		if s.shake.StatusCode < 400 {
			t.Errorf("%s: status %d", target, s.shake.StatusCode)
		}
		s.nc.Write([]byte("GET /dev HTTP/1.1\r\nHost: " + host(api) + "\r\n\r\n"))
		if n, err := s.br.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%s: what came behind the handshake got an answer", target)
		}
	}
}
