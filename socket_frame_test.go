package penstock_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"
	"time"

	"penstock"
)

// ends reads frames until the close frame, and returns its code and reason; 1006 if the
// connection ends without one.
func (s *socket) ends() (code int, reason string) {
	s.t.Helper()
	for {
		first, payload, err := s.read()
		switch {
		case err != nil:
			return 1006, ""
		case first == 0x80|opClose && len(payload) >= 2:
			return int(payload[0])<<8 | int(payload[1]), payload[2:]
		case first == 0x80|opClose:
			return 1005, ""
		}
	}
}

// TestFrameVectors: P01 to P20, P26 and P28: what the client gets, what the route sees, and
// how the connection ends for both.
func TestFrameVectors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 32768)
	text, fin := byte(opText), byte(0x80)
	frames := func(all ...func(*socket)) func(*socket) {
		return func(s *socket) {
			for _, f := range all {
				f(s)
			}
		}
	}
	frame := func(first byte, payload string) func(*socket) {
		return func(s *socket) { s.nc.Write(appendFrame(nil, first, payload)) }
	}
	raw := func(b string) func(*socket) { return func(s *socket) { s.nc.Write([]byte(b)) } }
	pong := func(payload string) func(*socket) {
		return func(s *socket) {
			if first, got, err := s.read(); first != fin|opPong || got != payload || err != nil {
				s.t.Errorf("got %#x %q %v, want a pong %q", first, got, err, payload)
			}
		}
	}
	const stays = 0
	for _, v := range []struct {
		id     string
		do     func(*socket)
		bodies []string // of events of messages
		code   int      // that the client gets; stays if the connection stays open
		seen   int      // that $disconnect gets; code if 0
		reason string
	}{
		{id: "P01", do: frame(fin|opBinary, "x"), code: 1003},
		{id: "P02", do: frame(fin|text, long), bodies: []string{long}},
		{id: "P03", do: frame(fin|text, long+"a"), code: 1009},
		{id: "P04", do: frames(frame(text, long), frame(0, long), frame(0, long), frame(fin, long)), bodies: []string{long + long + long + long}},
		{id: "P05", do: frames(frame(text, long), frame(0, long), frame(0, long), frame(0, long), frame(fin, "a")), code: 1009},
		{id: "P06", do: frame(fin|text, "\xc3\x28"), code: 1007},
		{id: "P07", do: frames(frame(text, "\xc3"), frame(fin, "\xa9")), bodies: []string{"é"}},
		{id: "P08", do: frames(frame(fin|opPing, "x"), pong("x"))},
		{id: "P09", do: frames(frame(text, "a"), frame(fin|opPing, "p"), pong("p"), frame(fin, "b")), bodies: []string{"ab"}},
		{id: "P10", do: frame(fin|opPing, strings.Repeat("x", 126)), code: 1002},
		{id: "P11", do: raw("\x81\x01a"), code: 1002},
		{id: "P12", do: frame(fin|0x40|text, "a"), code: 1002},
		{id: "P13", do: frame(fin|opContinuation, "a"), code: 1002},
		{id: "P14", do: frames(frame(text, "a"), frame(fin|text, "b")), code: 1002},
		{id: "P16", do: frame(fin|opClose, "\x03\xe8bye"), code: 1000, reason: "bye"},
		{id: "P17", do: frame(fin|opClose, ""), code: 1005, reason: "Client-side close frame status not set"},
		{id: "P18", do: frame(fin|opClose, "\x03\xe9"), code: 1001},
		{id: "P19", do: frame(fin|opClose, "\x03\xed"), code: 1002},
		{id: "P20", do: func(s *socket) { s.nc.(interface{ SetLinger(int) error }).SetLinger(0); s.nc.Close() }, code: 1006, reason: "Connection closed abnormally"},
		{id: "P28", do: frames(frame(opBinary, "a"), frame(fin, "b")), code: 1003},
	} {
		t.Run(v.id, func(t *testing.T) {
			t.Parallel()
			fn := answering(`{"statusCode":200}`)
			w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
			s := w.connect(w.sockets(socketSpec{routes: map[string]socketRoute{"$default": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}}), "/dev")
			v.do(s)
			for _, body := range v.bodies {
				if got := at(fn.wait(t), "body"); got != body {
					t.Errorf("the route saw %.40q, want %.40q", got, body)
				}
			}
			if v.code == stays {
				s.quiet()
				s.close(1000, "")
				v.code = 1000
			} else if code, _ := s.ends(); code != v.code {
				t.Errorf("the client got code %d, want %d", code, v.code)
			}
			e := fn.wait(t)
			if got, reason := at(e, "requestContext.disconnectStatusCode"), at(e, "requestContext.disconnectReason"); got != float64(v.code) || v.reason != "" && reason != v.reason {
				t.Errorf("$disconnect saw %v %q, want %d %q", got, reason, v.code, v.reason)
			}
			if got := at(e, "requestContext.eventType"); got != "DISCONNECT" {
				t.Errorf("eventType %v", got)
			}
			for _, place := range []string{"body", "stageVariables", "queryStringParameters"} {
				if got := at(e, place); got != absent {
					t.Errorf("%s is %v in a DISCONNECT event", place, got)
				}
			}
		})
	}
}

// TestCompressedBomb is P15: what inflates beyond the limit ends the connection.
func TestCompressedBomb(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{WebSockets: penstock.WebSockets{Compression: true}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$default": two(mockRoute(template(`{"statusCode":200}`), response("$default", template(`pong`))))}})
	s := w.connect(api, "/dev", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	if got := s.shake.Header.Get("Sec-WebSocket-Extensions"); got != "permessage-deflate; server_no_context_takeover; client_no_context_takeover" {
		t.Fatalf("extensions %q", got)
	}
	deflated := func(text string) string {
		var b bytes.Buffer
		f, _ := flate.NewWriter(&b, flate.BestCompression)
		f.Write([]byte(text))
		f.Flush()
		return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
	}
	s.frame(0x80|0x40|opText, deflated(`{"a":1}`))
	if got := s.next(); got != "pong" {
		t.Errorf("got %q", got)
	}
	s.frame(0x80|0x40|opText, deflated(strings.Repeat("a", 200<<10)))
	if code, _ := s.ends(); code != 1009 {
		t.Errorf("code %d, want 1009", code)
	}
}

// TestDisconnectFails is P25 and P26: what $disconnect does, or whether there is one, is
// nothing to the client.
func TestDisconnectFails(t *testing.T) {
	t.Parallel()
	log := new(lines)
	w := newWorld(t, penstock.Config{
		Functions:  functions(map[string]*lambdaFunction{"throws": throwing()}),
		AccessLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: log}},
	})
	format := "$context.requestId $context.eventType $context.routeKey $context.status $context.disconnectStatusCode"
	for _, v := range []struct {
		routes map[string]socketRoute
		want   string
	}{
		{map[string]socketRoute{"$default": {}, "$disconnect": lambdaRoute("throws")}, "DISCONNECT $disconnect 500 1000"},
		{map[string]socketRoute{"$default": {}}, "DISCONNECT $disconnect 200 1000"},
	} {
		s := w.connect(w.sockets(socketSpec{routes: v.routes, log: logSettings(format)}), "/dev")
		if got := log.next(t)[17:]; got != "CONNECT $connect 200 -" {
			t.Errorf("log line %q", got)
		}
		s.close(1000, "")
		if got := log.next(t)[17:]; got != v.want {
			t.Errorf("log line %q, want %q", got, v.want)
		}
	}
}

// TestTimeLimits is P21 to P24: how long connections live.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		config   penstock.WebSockets
		messages int
	}{
		"idle":     {penstock.WebSockets{IdleTimeout: time.Second}, 0},
		"lifetime": {penstock.WebSockets{Lifetime: time.Second}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := answering(`{"statusCode":200,"body":"pong"}`)
			w := newWorld(t, penstock.Config{WebSockets: v.config, Functions: functions(map[string]*lambdaFunction{"fn": fn})})
			s := w.connect(w.sockets(socketSpec{routes: map[string]socketRoute{"$default": two(mockRoute(template(`{"statusCode":200}`), response("$default", template("pong")))), "$disconnect": lambdaRoute("fn")}}), "/dev")
			for range v.messages {
				s.send("ping")
				if got := s.next(); got != "pong" {
					t.Fatalf("got %q", got)
				}
			}
			code, reason := s.ends()
			if code != 1001 || reason != "Going away" {
				t.Errorf("the client got %d %q", code, reason)
			}
			e := fn.wait(t)
			if got := fmt.Sprint(at(e, "requestContext.disconnectStatusCode"), " ", at(e, "requestContext.disconnectReason")); got != "1001 Going away" {
				t.Errorf("$disconnect saw %s", got)
			}
		})
	}
}
