package penstock_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"penstock"
	"penstock/internal/connection"
)

// A violation is what a client must not send.
type violation struct {
	name string
	send string // as it is on the wire
	code int    // of the close frame
}

// violate sends each violation on a connection of its own. No message of them is routed,
// and both sides hear the code.
func violate(t *testing.T, c penstock.WebSockets, fields []string, all ...violation) {
	t.Helper()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn}), WebSockets: c})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$default": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}})
	for _, v := range all {
		s := w.connect(api, "/dev", fields...)
		// What comes behind the violation may meet a connection that is reset.
		s.nc.Write([]byte(v.send))
		if code, _ := s.ends(); code != v.code {
			t.Errorf("%s: code %d, want %d", v.name, code, v.code)
		}
		s.nc.Close()
		e := fn.wait(t)
		if got := at(e, "requestContext.disconnectStatusCode"); got != float64(v.code) {
			t.Errorf("%s: the function saw %v %v", v.name, at(e, "requestContext.eventType"), got)
		}
	}
}

// wire returns one masked frame.
func wire(first byte, payload string) string { return string(appendFrame(nil, first, payload)) }

// Frames that are none of the protocol end the connection with 1002, before anybody sees
// what is in them.
func TestSecurity52Frames(t *testing.T) {
	t.Parallel()
	const fin, text = 0x80, opText
	all := []violation{
		{"unmasked", "\x81\x01a", 1002},
		{"unmasked and empty", "\x81\x00", 1002},
		{"unmasked ping", "\x89\x00", 1002},
		{"first bit of a length of 64 bits", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04", 1002},
		{"all bits of a length of 64 bits", "\x81\xff" + strings.Repeat("\xff", 8) + "\x01\x02\x03\x04", 1002},
		{"fragmented ping", wire(opPing, "x"), 1002},
		{"fragmented close", wire(opClose, "\x03\xe8"), 1002},
		{"ping of 126 bytes", wire(fin|opPing, strings.Repeat("x", 126)), 1002},
		{"close of 126 bytes", wire(fin|opClose, "\x03\xe8"+strings.Repeat("x", 124)), 1002},
		{"continuation of nothing", wire(fin|opContinuation, "x"), 1002},
		{"message in a message", wire(text, "a") + wire(fin|text, "b"), 1002},
		{"continuation behind the end", wire(text, "") + wire(fin|opClose, "\x03"), 1002},
	}
	for rsv := byte(1); rsv < 8; rsv++ {
		all = append(all, violation{fmt.Sprint("reserved bits ", rsv), wire(fin|rsv<<4|text, "a"), 1002})
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		all = append(all, violation{fmt.Sprint("opcode ", op), wire(fin|op, "a"), 1002})
	}
	violate(t, penstock.WebSockets{}, nil, all...)
}

// Text that is no UTF-8 ends the connection as soon as that is clear, and close frames are
// read as strictly.
func TestSecurity53Text(t *testing.T) {
	t.Parallel()
	const fin, text = 0x80, opText
	all := []violation{
		{"wrong second byte", wire(fin|text, "\xc3\x28"), 1007},
		{"half a character", wire(fin|text, "\xe2\x82"), 1007},
		{"overlong", wire(fin|text, "\xc0\xaf"), 1007},
		{"surrogate", wire(fin|text, "\xed\xa0\x80"), 1007},
		{"beyond Unicode", wire(fin|text, "\xf4\x90\x80\x80"), 1007},
		{"across fragments", wire(text, "\xc3") + wire(fin|opContinuation, "\x28"), 1007},
		{"across fragments, with no end", wire(text, "\xe2") + wire(opContinuation, "\x28"), 1007},
		{"half a character at the end of fragments", wire(text, "a") + wire(fin|opContinuation, "\xe2\x82"), 1007},
		{"reason", wire(fin|opClose, "\x03\xe8\xc3\x28"), 1007},
		{"half a code", wire(fin|opClose, "\x03"), 1002},
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535} {
		all = append(all, violation{fmt.Sprint("code ", code), wire(fin|opClose, string([]byte{byte(code >> 8), byte(code)})), 1002})
	}
	violate(t, penstock.WebSockets{}, nil, all...)
}

// What is longer than it may be is refused when its length is known, and fragments without
// end are no way around that.
func TestSecurity54Lengths(t *testing.T) {
	t.Parallel()
	const fin, text = 0x80, opText
	long := strings.Repeat("a", 32<<10)
	crumbs := wire(text, "a")
	crumbs += strings.Repeat(wire(opContinuation, "a"), 128<<10)
	violate(t, penstock.WebSockets{}, nil,
		violation{"frame", wire(fin|text, long+"a"), 1009},
		violation{"announced frame", "\x81\xfe\x80\x01\x01\x02\x03\x04", 1009},
		violation{"announced frame of 2^63-1 bytes", "\x81\xff\x7f" + strings.Repeat("\xff", 7) + "\x01\x02\x03\x04", 1009},
		violation{"message", wire(text, long) + strings.Repeat(wire(opContinuation, long), 3) + wire(opContinuation, "a"), 1009},
		violation{"fragments of one byte", crumbs, 1009},
	)
}

// floods sends what costs its sender little on one connection for as long as it is taken,
// and checks that another connection is served meanwhile.
func floods(t *testing.T, first, unit string) {
	t.Helper()
	w := newWorld(t, penstock.Config{Limits: penstock.Limits{AccountRate: -1}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"good": says("pong")}})
	s, other := w.connect(api, "/dev"), w.connect(api, "/dev")
	flood := []byte(strings.Repeat(unit, 1000))
	done := make(chan int)
	go func() {
		sent, _ := s.nc.Write([]byte(first))
		s.nc.SetWriteDeadline(time.Now().Add(2 * time.Second))
		for {
			n, err := s.nc.Write(flood)
			if sent += n; err != nil {
				done <- sent
				return
			}
		}
	}()
	for over := false; !over; {
		start := time.Now()
		other.send(`{"action":"good"}`)
		if got := other.next(); got != "pong" {
			t.Fatalf("beside the flood: %q", got)
		}
		if took := time.Since(start); took > patience() {
			t.Errorf("beside the flood an answer took %v", took)
		}
		select {
		case sent := <-done:
			// The kernel takes some megabytes of it, and the server next to nothing.
			if sent > 64<<20 {
				t.Errorf("%d bytes of the flood were taken", sent)
			}
			over = true
		default:
		}
	}
}

// Frames that carry nothing are read slowly, so that a flood of them waits with its sender.
func TestSecurity55Floods(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct{ first, unit string }{
		"pings":           {"", wire(0x80|opPing, "x")},
		"pongs":           {"", wire(0x80|opPong, "x")},
		"empty fragments": {wire(opText, ""), wire(opContinuation, "")},
		"both":            {wire(opText, ""), wire(opContinuation, "") + wire(0x80|opPing, "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			floods(t, v.first, v.unit)
		})
	}
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, penstock.Config{})
		s := w.connect(w.sockets(socketSpec{routes: map[string]socketRoute{"$default": {}}}), "/dev")
		const pings = 350
		start := time.Now()
		s.nc.Write([]byte(strings.Repeat(wire(0x80|opPing, "x"), pings)))
		for range pings {
			if first, _, err := s.read(); err != nil || first != 0x80|opPong {
				t.Fatalf("got %#x %v", first, err)
			}
		}
		if took := time.Since(start); took < 1500*time.Millisecond {
			t.Errorf("%d pings were answered in %v", pings, took)
		}
	})
}

// deflated returns what a compressed message has as its payload.
func deflated(text string) string {
	var b bytes.Buffer
	f, _ := flate.NewWriter(&b, flate.BestCompression)
	f.Write([]byte(text))
	f.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// Compression is off unless it is asked for; and then what inflates beyond the limit of a
// message, or is no compressed text, ends the connection.
func TestSecurity56CompressionBombs(t *testing.T) {
	t.Parallel()
	offer := []string{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}
	const compressed = 0x80 | 0x40 | opText
	bomb := deflated(strings.Repeat("a", 10<<20))
	if len(bomb) > 32<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	violate(t, penstock.WebSockets{}, offer, violation{"not agreed on", wire(compressed, deflated("{}")), 1002})
	violate(t, penstock.WebSockets{Compression: true}, offer,
		violation{"bomb", wire(compressed, bomb), 1009},
		violation{"bomb in fragments", wire(0x40|opText, bomb[:100]) + wire(0x80|opContinuation, bomb[100:]), 1009},
		violation{"one byte too many", wire(compressed, deflated(strings.Repeat("a", 128<<10+1))), 1009},
		violation{"compressed continuation", wire(opText, "a") + wire(0x80|0x40|opContinuation, "a"), 1002},
		violation{"compressed ping", wire(0x80|0x40|opPing, "a"), 1002},
		violation{"no text within", wire(compressed, deflated("\xc3\x28")), 1007},
	)
}

// A client that does not read costs a bounded queue, is in nobody's way, and is ended.
func TestSecurity57SlowReader(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn}), WebSockets: penstock.WebSockets{StallTimeout: time.Second}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "good": says("pong")}})
	_, id := w.identified(fn, api, "/dev")
	other, otherID := w.identified(fn, api, "/dev")
	body := strings.Repeat("x", 128<<10)
	post := func(id, body string) int {
		return w.management(api, "POST /dev/@connections/"+id, body, somebody).StatusCode
	}
	for sent := 0; post(id, body) == 200; sent++ {
		if sent > 1000 {
			t.Fatal("the queue has no end")
		}
	}
	if got := post(otherID, "hello"); got != 200 {
		t.Errorf("somebody else got %d", got)
	}
	if got := other.next(); got != "hello" {
		t.Errorf("somebody else got %q", got)
	}
	other.send(`{"action":"good"}`)
	if got := other.next(); got != "pong" {
		t.Errorf("somebody else got %q", got)
	}
	if e := fn.wait(t); at(e, "requestContext.disconnectStatusCode") != float64(1011) || at(e, "requestContext.connectionId") != id {
		t.Errorf("event %v", e)
	}
	if got := post(id, "x"); got != 410 {
		t.Errorf("behind its end: %d", got)
	}
}

// Who the page is that opens a connection is for the authorizer to judge, and nothing of a
// client is heard before it has. What is no handshake never gets there.
func TestSecurity58CrossSite(t *testing.T) {
	t.Parallel()
	var w *world
	judged, decide := make(chan bool), make(chan bool)
	who := newFunction(func(ctx context.Context, text string) (string, error) {
		var e map[string]any
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return "", err
		}
		effect := "Deny"
		if origin := at(e, "headers.Origin"); origin == "https://good.example" {
			effect = "Allow"
		}
		judged <- true
		<-decide
		return fmt.Sprintf(`{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"%s","Action":"execute-api:Invoke","Resource":"%s"}]}}`, effect, at(e, "methodArn")), nil
	})
	fn := answering(`{"statusCode":200}`)
	w = newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"who": who, "fn": fn})})
	api := w.sockets(socketSpec{
		routes:     map[string]socketRoute{"$connect": {}, "$default": lambdaRoute("fn")},
		authorizer: &apigatewayv2.CreateAuthorizerInput{IdentitySource: []string{"route.request.header.Host"}, AuthorizerUri: functionURI("who")},
	})
	for _, v := range []struct {
		name   string
		fields []string
		status int
	}{
		{"good page", []string{"Origin: https://good.example"}, 101},
		{"other page", []string{"Origin: https://evil.example"}, 403},
		{"other page with cookies", []string{"Origin: https://evil.example", "Cookie: session=1", "Authorization: Basic YTpi"}, 403},
		{"no page", nil, 403},
		{"page in another field", []string{"Origin: https://evil.example", "X-Origin: https://good.example", "Origin_: https://good.example"}, 403},
	} {
		nc := w.dial()
		answer := make(chan *socket, 1)
		head := append([]string{"GET /dev HTTP/1.1", "Host: " + host(api), "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + socketKey}, v.fields...)
		go func() {
			// A frame and a request, both too early.
			answer <- talk(t, nc, strings.Join(head, "\r\n")+"\r\n\r\n"+wire(0x80|opText, "early")+"GET /dev/@connections/x HTTP/1.1\r\n\r\n")
		}()
		<-judged
		if events := fn.take(); len(events) != 0 {
			t.Errorf("%s: heard before the authorizer has answered: %v", v.name, events)
		}
		decide <- true
		s := <-answer
		if s.shake.StatusCode != v.status {
			t.Errorf("%s: status %d, want %d", v.name, s.shake.StatusCode, v.status)
		}
		if v.status == 101 {
			if e := fn.wait(t); at(e, "body") != "early" {
				t.Errorf("%s: event %v", v.name, e)
			}
			fn.take()
			if code, _ := s.ends(); code != 1002 { // the request is no frame
				t.Errorf("%s: code %d", v.name, code)
			}
			continue
		}
		// Nothing comes behind the refusal, neither for the frame nor for the request.
		if b, err := s.br.ReadByte(); err == nil {
			t.Errorf("%s: %q and more behind the refusal", v.name, b)
		}
		if events := fn.take(); len(events) != 0 {
			t.Errorf("%s: heard though it was refused: %v", v.name, events)
		}
	}
	handshake := "GET /dev HTTP/1.1\r\nHost: " + host(api) + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: https://good.example\r\n"
	key, version := "Sec-WebSocket-Key: "+socketKey+"\r\n", "Sec-WebSocket-Version: 13\r\n"
	for name, v := range map[string]struct {
		head   string
		status int
	}{
		"body":             {handshake + key + version + "Content-Length: 3\r\n\r\nabc", 400},
		"body in chunks":   {handshake + key + version + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400},
		"no key":           {handshake + version + "\r\n", 400},
		"short key":        {handshake + version + "Sec-WebSocket-Key: AAAA\r\n\r\n", 400},
		"two keys":         {handshake + version + key + key + "\r\n", 400},
		"no version":       {handshake + key + "\r\n", 426},
		"version 8":        {handshake + key + "Sec-WebSocket-Version: 8\r\n\r\n", 426},
		"HTTP/1.0":         {strings.Replace(handshake, "1.1", "1.0", 1) + key + version + "\r\n", 426},
		"POST":             {strings.Replace(handshake, "GET", "POST", 1) + key + version + "\r\n", 403},
		"Upgrade: h2c":     {strings.Replace(handshake, "websocket", "h2c", 1) + key + version + "\r\n", 426},
		"no Connection":    {strings.Replace(handshake, "Connection: Upgrade\r\n", "", 1) + key + version + "\r\n", 400},
		"Connection: word": {strings.Replace(handshake, "Connection: Upgrade", "Connection: Upgraded", 1) + key + version + "\r\n", 400},
	} {
		if s := talk(t, w.dial(), v.head); s.shake.StatusCode != v.status {
			t.Errorf("%s: status %d, want %d", name, s.shake.StatusCode, v.status)
		}
		select {
		case <-judged:
			decide <- true
			t.Errorf("%s: the authorizer was asked", name)
		default:
		}
	}
}

// IDs of connections cannot be guessed, name nothing once the connection has ended, and
// nothing of another stage or API ever. Who may not ask does not learn whether there is one.
func TestSecurity59ConnectionIDs(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{
		Functions:  functions(map[string]*lambdaFunction{"fn": fn}),
		WebSockets: penstock.WebSockets{ConnectRate: -1},
	})
	spec := socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}, stages: []string{"dev", "prod"}}
	api, other := w.sockets(spec), w.sockets(spec)
	s, id := w.identified(fn, api, "/dev")
	near := func(i int) string { // an ID that differs in one bit
		b, err := base64.URLEncoding.DecodeString(id)
		if err != nil {
			t.Fatal(err)
		}
		b[i/8] ^= 1 << (i % 8)
		return base64.URLEncoding.EncodeToString(b)
	}
	for _, v := range []struct{ api, place string }{{api, "/prod/@connections/" + id}, {other, "/dev/@connections/" + id}, {other, "/prod/@connections/" + id}} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if a := w.management(v.api, method+" "+v.place, "", somebody); a.StatusCode != 410 {
				t.Errorf("%s %s of another stage or API: %d", method, v.place, a.StatusCode)
			}
		}
	}
	for i := range 88 {
		if id := near(i); connection.ValidID(id) {
			if a := w.management(api, "GET /dev/@connections/"+id, "", somebody); a.StatusCode != 410 {
				t.Errorf("%s: %d", id, a.StatusCode)
			}
		}
	}
	mine := w.management(api, "GET /dev/@connections/"+id, "", nil)
	if none := w.management(api, "GET /dev/@connections/"+near(3), "", nil); mine.StatusCode != 403 || none.StatusCode != 403 || mine.body != none.body {
		t.Errorf("unsigned: %d %s if there is a connection, and %d %s if not", mine.StatusCode, mine.body, none.StatusCode, none.body)
	}
	// The end of a connection is that of its ID.
	s.close(1000, "")
	fn.wait(t)
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if a := w.management(api, method+" /dev/@connections/"+id, "", somebody); a.StatusCode != 410 {
			t.Errorf("%s behind the end: %d", method, a.StatusCode)
		}
	}
	// Each of the 88 bits is drawn.
	seen := map[string]bool{}
	var ones [88]int
	const n = 200
	for range n {
		s, id := w.identified(fn, api, "/dev")
		b, err := base64.URLEncoding.DecodeString(id)
		if err != nil || len(b) != 11 || seen[id] {
			t.Fatalf("ID %s", id)
		}
		seen[id] = true
		for i := range ones {
			ones[i] += int(b[i/8] >> (i % 8) & 1)
		}
		s.nc.Close()
		fn.wait(t)
	}
	for i, count := range ones {
		if count < n/5 || count > n*4/5 { // eight standard deviations off the middle
			t.Errorf("bit %d is set in %d of %d IDs", i, count, n)
		}
	}
}
