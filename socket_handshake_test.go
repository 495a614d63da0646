package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// A lambdaFunction is a function of tests: it keeps its events, and answers each of them by a
// function of its own.
type lambdaFunction struct {
	mu     sync.Mutex // guards the fields below
	events []string
	came   chan string
	answer func(ctx context.Context, event string) (string, error)
}

func newFunction(answer func(ctx context.Context, event string) (string, error)) *lambdaFunction {
	return &lambdaFunction{answer: answer, came: make(chan string, 1024)}
}

// answering returns a function that always answers the same.
func answering(text string) *lambdaFunction {
	return newFunction(func(context.Context, string) (string, error) { return text, nil })
}

func (f *lambdaFunction) invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.mu.Lock()
	f.events = append(f.events, string(event))
	answer := f.answer
	f.mu.Unlock()
	f.came <- string(event)
	text, err := answer(ctx, string(event))
	return []byte(text), err
}

// take returns the events since the last call.
func (f *lambdaFunction) take() []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []map[string]any
	for _, text := range f.events {
		var e map[string]any
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			panic(err)
		}
		all = append(all, e)
	}
	f.events = nil
	for len(f.came) > 0 {
		<-f.came
	}
	return all
}

// wait returns the next event.
func (f *lambdaFunction) wait(t testing.TB) map[string]any {
	t.Helper()
	select {
	case text := <-f.came:
		var e map[string]any
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
		return nil
	}
}

// functions declares functions by name.
func functions(all map[string]*lambdaFunction) map[string]penstock.Function {
	declared := map[string]penstock.Function{}
	for name, f := range all {
		declared[name] = penstock.Function{Invoke: f.invoke}
	}
	return declared
}

const thrown = "thrown"

// throwing is a function that fails.
func throwing() *lambdaFunction {
	return newFunction(func(context.Context, string) (string, error) { return "", errors.New(thrown) })
}

// TestHandshakeVectors: H01 to H28.
func TestHandshakeVectors(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn, "throws": throwing()})})
	connects := func(r socketRoute) string {
		return w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": r}})
	}
	plain := connects(lambdaRoute("fn"))
	event := func(t *testing.T, place string) any {
		t.Helper()
		events := fn.take()
		if len(events) != 1 {
			t.Fatalf("%d events, want 1", len(events))
		}
		return at(events[0], place)
	}
	answer := func(text string) {
		fn.mu.Lock()
		fn.answer = func(context.Context, string) (string, error) { return text, nil }
		fn.mu.Unlock()
	}
	status := func(t *testing.T, s *socket, want int) {
		t.Helper()
		if s.shake.StatusCode != want {
			t.Errorf("status %d %s, want %d", s.shake.StatusCode, s.shake.body, want)
		}
	}
	refused := func(t *testing.T, s *socket, want int, message string) {
		t.Helper()
		status(t, s, want)
		if !strings.HasPrefix(s.shake.body, `{"message": "`+message+`", "connectionId":"`) {
			t.Errorf("body %s, want the message %q", s.shake.body, message)
		}
		if !s.shake.Close {
			t.Error("the connection stays open behind a refused handshake")
		}
	}

	t.Run("H01", func(t *testing.T) {
		s := w.connect(w.sockets(socketSpec{routes: map[string]socketRoute{"$default": {}}}), "/dev")
		if p, ok := s.shake.Header["Sec-Websocket-Protocol"]; ok {
			t.Errorf("subprotocol %q", p)
		}
	})
	t.Run("H02", func(t *testing.T) {
		w.connect(plain, "/dev")
		if got := event(t, "requestContext.eventType"); got != "CONNECT" {
			t.Errorf("event %v", got)
		}
	})
	t.Run("H03", func(t *testing.T) {
		answer(`{"statusCode":201}`)
		w.connect(plain, "/dev")
	})
	t.Run("H04", func(t *testing.T) {
		api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}})
		for _, code := range []string{"301", "400", "401", "501"} {
			fn.take()
			answer(`{"statusCode":` + code + `,"headers":{"X-A":"1"},"body":"no"}`)
			s := w.handshake(api, "/dev")
			if got := s.shake.Status[:3]; got != code || s.shake.body != "no" || s.shake.Header.Get("X-A") != "" {
				t.Errorf("got %s %q %v, want %s", got, s.shake.body, s.shake.Header, code)
			}
			s.nc.Close()
		}
		if got := event(t, "requestContext.eventType"); got != "CONNECT" {
			t.Errorf("the last event is %v", got)
		}
	})
	fn.take()
	answer(`{"statusCode":200}`)
	t.Run("H05", func(t *testing.T) {
		refused(t, w.handshake(connects(lambdaRoute("throws")), "/dev"), 502, "Internal server error")
	})
	t.Run("H06", func(t *testing.T) {
		answer(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"p1"}}`)
		s := w.connect(plain, "/dev", "Sec-WebSocket-Protocol: p1, p2")
		if got := s.shake.Header.Get("Sec-WebSocket-Protocol"); got != "p1" {
			t.Errorf("subprotocol %q", got)
		}
		if got := event(t, "headers.Sec-WebSocket-Protocol"); got != "p1, p2" {
			t.Errorf("the function saw %v", got)
		}
	})
	answer(`{"statusCode":200,"headers":{"X-A":"1","Set-Cookie":"a=b"}}`)
	t.Run("H07, H08", func(t *testing.T) {
		s := w.connect(plain, "/dev", "Sec-WebSocket-Protocol: p1")
		for _, name := range []string{"Sec-WebSocket-Protocol", "X-A", "Set-Cookie", "Content-Length"} {
			if v, ok := s.shake.Header[http.CanonicalHeaderKey(name)]; ok {
				t.Errorf("%s: %q on the 101", name, v)
			}
		}
		fn.take()
	})
	t.Run("H09", func(t *testing.T) {
		w.connect(plain, "/dev?room=a&room=b&x=%20y")
		e := fn.take()[0]
		if got := at(e, "queryStringParameters"); !equal(got, object(`{"room":"b","x":" y"}`)) {
			t.Errorf("queryStringParameters %v", got)
		}
		if got := at(e, "multiValueQueryStringParameters"); !equal(got, object(`{"room":["a","b"],"x":[" y"]}`)) {
			t.Errorf("multiValueQueryStringParameters %v", got)
		}
	})
	t.Run("H10", func(t *testing.T) {
		w.connect(plain, "/dev")
		e := fn.take()[0]
		for _, place := range []string{"queryStringParameters", "multiValueQueryStringParameters", "body", "requestContext.messageId", "stageVariables"} {
			if got := at(e, place); got != absent {
				t.Errorf("%s is %v", place, got)
			}
		}
	})
	t.Run("H11", func(t *testing.T) {
		w.connect(plain, "/dev", "cookie: s=1", "Origin: https://x")
		e := fn.take()[0]
		if at(e, "headers.cookie") != "s=1" || at(e, "headers.Origin") != "https://x" {
			t.Errorf("headers %v", at(e, "headers"))
		}
	})
	t.Run("H12", func(t *testing.T) {
		a := w.ask(plain, "GET /dev")
		if a.StatusCode != 426 || a.body != `{"message":"Upgrade Required"}` || a.Header.Get("Upgrade") != "websocket" {
			t.Errorf("got %d %s", a.StatusCode, a.body)
		}
		for _, request := range []string{"POST /dev", "GET /dev/foo"} {
			if a := w.ask(plain, request); a.StatusCode != 403 || a.body != `{"message":"Forbidden"}` {
				t.Errorf("%s got %d %s", request, a.StatusCode, a.body)
			}
		}
	})
	t.Run("H13", func(t *testing.T) {
		s := w.handshake(plain, "/nostage")
		if s.shake.StatusCode != 403 || s.shake.body != `{"message":"Forbidden"}` {
			t.Errorf("got %d %s", s.shake.StatusCode, s.shake.body)
		}
		s = w.handshake(plain, "/dev/foo")
		if s.shake.StatusCode != 403 || s.shake.body != `{"message":"Forbidden"}` {
			t.Errorf("below the stage: got %d %s", s.shake.StatusCode, s.shake.body)
		}
	})
	t.Run("H17", func(t *testing.T) {
		fn.take()
		w.connect(plain, "/dev/")
		event(t, "requestContext")
	})
	t.Run("H18", func(t *testing.T) {
		w.connect(connects(mockRoute(template(`{"statusCode":200}`), response("$default", nil))), "/dev")
	})
	t.Run("H19", func(t *testing.T) {
		status(t, w.handshake(connects(mockRoute(template(`{"statusCode":403}`), response("$default", nil))), "/dev"), 403)
	})
	t.Run("H20", func(t *testing.T) {
		refused(t, w.handshake(connects(mockRoute(template(`{"statusCode":200}`))), "/dev"), 500, "Internal server error")
	})
	t.Run("H21", func(t *testing.T) {
		w.connect(connects(proxyRoute("/status/204", nil)), "/dev?t=1", "X-B: 2")
		r := w.take()
		if r.Method != "POST" || r.URL.RawQuery != "t=1" || r.Header.Get("X-B") != "2" || r.Header.Get("Sec-WebSocket-Key") != socketKey ||
			r.Header.Get("Sec-WebSocket-Version") != "13" || r.Header.Get("Upgrade") != "" {
			t.Errorf("the backend saw %s %s %v", r.Method, r.URL, r.Header)
		}
	})
	t.Run("H22", func(t *testing.T) {
		status(t, w.handshake(connects(proxyRoute("/status/400", nil)), "/dev"), 400)
		status(t, w.handshake(connects(proxyRoute("/status/404", nil)), "/dev"), 404)
		w.mu.Lock()
		w.seen = nil
		w.mu.Unlock()
	})
	for id, v := range map[string]struct{ key, value, target, name, want string }{
		"H23": {"integration.request.header.Sec-WebSocket-Version", "'0'", "/dev", "Sec-WebSocket-Version", "0"},
		"H24": {"integration.request.header.tok", "route.request.querystring.authToken", "/dev?authToken=z", "tok", "z"},
	} {
		t.Run(id, func(t *testing.T) {
			w.connect(connects(proxyRoute("/", map[string]string{v.key: v.value})), v.target)
			if got := w.take().Header.Values(v.name); len(got) != 1 || got[0] != v.want {
				t.Errorf("%s: %q, want %q", v.name, got, v.want)
			}
		})
	}
	t.Run("H25", func(t *testing.T) {
		w.connect(connects(proxyRoute("/", map[string]string{"integration.request.header.connectionId": "context.connectionId"})), "/dev")
		if got := w.take().Header.Get("connectionId"); len(got) != 16 || got[15] != '=' {
			t.Errorf("connectionId %q", got)
		}
	})
	t.Run("H27", func(t *testing.T) {
		s := talkTo(t, w, plain, "GET /dev HTTP/1.1\r\nHost: "+host(plain)+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: "+socketKey+"\r\n\r\n")
		if s.shake.StatusCode != 426 || s.shake.Header.Get("Sec-WebSocket-Version") != "13" {
			t.Errorf("got %d %v", s.shake.StatusCode, s.shake.Header)
		}
	})
	t.Run("H28", func(t *testing.T) {
		for _, field := range []string{"", "Sec-WebSocket-Key: c2hvcnQ=\r\n", "Sec-WebSocket-Key: " + socketKey + "\r\nContent-Length: 1\r\n"} {
			s := talkTo(t, w, plain, "GET /dev HTTP/1.1\r\nHost: "+host(plain)+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+field+"\r\n")
			status(t, s, 400)
		}
		if events := fn.take(); len(events) != 0 {
			t.Errorf("the function saw %d of the handshakes that are none", len(events))
		}
	})
	t.Run("H31", func(t *testing.T) {
		s := w.connect(plain, "/dev", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
		if got := event(t, "headers.Sec-WebSocket-Extensions"); got != "permessage-deflate; client_max_window_bits" {
			t.Errorf("the function saw %v", got)
		}
		if v, ok := s.shake.Header["Sec-Websocket-Extensions"]; ok {
			t.Errorf("extensions %q though none is configured", v)
		}
	})
	t.Run("H32", func(t *testing.T) {
		api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")},
			route: map[string]types.RouteSettings{"$connect": {ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}}})
		fn.take()
		refused(t, w.handshake(api, "/dev"), 429, "Too Many Requests")
		if events := fn.take(); len(events) != 0 {
			t.Errorf("the function saw %d events", len(events))
		}
	})
}

// equal compares values of JSON.
func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// talkTo sends the whole head of a handshake.
func talkTo(t *testing.T, w *world, _ string, head string) *socket {
	t.Helper()
	nc := w.dial()
	return talk(t, nc, head)
}

// TestConnectTimeout is H26: an integration that takes too long refuses the handshake.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	slow := newFunction(func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"slow": slow})})
	r := lambdaRoute("slow")
	r.integration.TimeoutInMillis = aws.Int32(50)
	s := w.handshake(w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": r}}), "/dev")
	if s.shake.StatusCode != 504 || !strings.HasPrefix(s.shake.body, `{"message": "Endpoint request timed out", `) {
		t.Errorf("got %d %s", s.shake.StatusCode, s.shake.body)
	}
}

// TestConnectRate is H29: new connections beyond those of a second are refused, and their
// integration is not called.
func TestConnectRate(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{WebSockets: penstock.WebSockets{ConnectRate: 3}, Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}})
	begun := time.Now()
	accepted, refused := 0, 0
	for refused == 0 && accepted < 100 {
		switch s := w.handshake(api, "/dev"); s.shake.StatusCode {
		case 101:
			accepted++
		case 429:
			refused++
			if s.shake.body != `{"message":"Too Many Requests"}` {
				t.Errorf("body %s", s.shake.body)
			}
		default:
			t.Fatalf("status %d", s.shake.StatusCode)
		}
	}
	if most := 3 + int(time.Since(begun).Seconds()*3) + 1; refused != 1 || accepted < 3 || accepted > most {
		t.Errorf("%d accepted, want 3 to %d", accepted, most)
	}
	if events := fn.take(); len(events) != accepted {
		t.Errorf("%d events for %d connections", len(events), accepted)
	}
}
