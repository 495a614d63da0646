package integration_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// newExchange returns an exchange that no client waits for.
func newExchange(t testing.TB, limits gateway.Limits) *gateway.Exchange {
	t.Helper()
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Limits: limits})
	x := s.NewExchange()
	t.Cleanup(func() {
		s.Finish(x, nil)
		s.Close()
	})
	return x
}

func mustAddress(t testing.TB, c *integration.Client, uri string) *integration.Address {
	t.Helper()
	a, err := c.Address(uri)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// outgoing returns a request to a URI that has nothing to fill in. The connections there
// are kept until the test ends.
func outgoing(t testing.TB, c *integration.Client, method, uri, body string, header ...gateway.Field) *integration.Outgoing {
	t.Helper()
	o := &integration.Outgoing{Method: method, Header: header, Body: []byte(body), Timeout: 10 * time.Second}
	a := mustAddress(t, c, uri)
	t.Cleanup(func() { runtime.KeepAlive(a) })
	if err := a.Fill(o, nil, nil); err != nil {
		t.Fatal(err)
	}
	return o
}

// kind returns the type of a gateway error, "none" if it is not one, and "" for nil.
func kind(err error) string {
	var e *gateway.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Type
	}
	return "none"
}

// fieldsOf returns fields as they stand on the wire.
func fieldsOf(fields []gateway.Field) (lines []string) {
	for _, f := range fields {
		lines = append(lines, f.Name+": "+f.Value)
	}
	return lines
}

// TestSend: what the backend gets is what the request says, and nothing else.
func TestSend(t *testing.T) {
	t.Parallel()
	b, c, x := newBackend(t, nil), newClient(t), newExchange(t, gateway.Limits{})
	long := strings.Repeat("0123456789", 3000)
	for _, tt := range []struct {
		name, method, target, body string
		header                     []gateway.Field
	}{
		{"nothing", "GET", "/", "", nil},
		{"message", "POST", "/pets?a=1", `{"action":"send"}`, []gateway.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "x-amzn-apigateway-api-id", Value: "a"}}},
		{"long body", "PUT", "/", long, nil},
		{"repeated and empty fields", "POST", "/", "x", []gateway.Field{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "X-Empty", Value: ""}}},
		{"bytes of a handshake", "GET", "/", "", []gateway.Field{{Name: "Sec-WebSocket-Version", Value: "13"}, {Name: "X-Name", Value: "é\t☃"}}},
	} {
		in, err := c.Send(x, outgoing(t, c, tt.method, b.url()+tt.target, tt.body, tt.header...))
		if err != nil || in.Status != 200 || string(in.Body) != "ok" || len(in.Header) != 0 {
			t.Errorf("%s: got %+v, %v", tt.name, in, err)
		}
		want := append([]string{"Host: " + b.addr}, fieldsOf(tt.header)...)
		want = append(want, fmt.Sprint("Content-Length: ", len(tt.body)))
		if r := b.one(); r.line != tt.method+" "+tt.target || r.body != tt.body || !slices.Equal(r.fields, want) {
			t.Errorf("%s: the backend got %s %q %.80q, want %q", tt.name, r.line, r.fields, r.body, want)
		}
		if o := x.Integration; o.Status != 200 || o.ServiceStatus != 200 || o.Error != "" {
			t.Errorf("%s: outcome %+v", tt.name, o)
		}
	}
	if n := b.dials(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestSendAnswers: each kind of answer comes whole, and its connection is used again if
// that is safe.
func TestSendAnswers(t *testing.T) {
	t.Parallel()
	const most = 300 << 10
	body := strings.Repeat("0123456789abcdef", 20<<10)
	chunked := func(s string) string {
		var b strings.Builder
		b.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for part := range slices.Chunk([]byte(s), 5000) {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
		}
		return b.String() + "0\r\n\r\n"
	}
	sized := func(n int) string { return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n) + body[:n] }
	for _, tt := range []struct {
		name, method, answer string
		status               int
		header               []string
		length               int // of the beginning of body, which is what is wanted
		kind, text           string
		kept                 bool
	}{
		{"empty", "POST", sized(0), 200, nil, 0, "", "", true},
		{"short", "POST", sized(16), 200, nil, 16, "", "", true},
		{"small buffer", "POST", sized(4 << 10), 200, nil, 4 << 10, "", "", true},
		{"block", "POST", sized(64 << 10), 200, nil, 64 << 10, "", "", true},
		{"longer than a block", "POST", sized(64<<10 + 1), 200, nil, 64<<10 + 1, "", "", true},
		{"longest", "POST", sized(most), 200, nil, most, "", "", true},
		{"too long", "POST", sized(most + 1), 200, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"no chunks", "POST", chunked(""), 200, nil, 0, "", "", true},
		{"chunks", "POST", chunked(body[:20000]), 200, nil, 20000, "", "", true},
		{"chunks of a block", "POST", chunked(body[:64<<10]), 200, nil, 64 << 10, "", "", true},
		{"chunks, long", "POST", chunked(body[:200<<10]), 200, nil, 200 << 10, "", "", true},
		{"chunks, longest", "POST", chunked(body[:most]), 200, nil, most, "", "", true},
		{"chunks, too long", "POST", chunked(body[:most+1]), 200, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"until the end", "POST", "HTTP/1.1 200 OK\r\n\r\n" + body[:100<<10], 200, nil, 100 << 10, "", "", false},
		{"to be closed", "POST", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n01", 200, []string{}, 2, "", "", false},
		{"status and fields", "POST", "HTTP/1.1 404 Not Found\r\nX-Kind: a\r\nx-kind: b\r\nContent-Length: 1\r\n\r\n0", 404, []string{"X-Kind: a", "x-kind: b"}, 1, "", "", true},
		{"fields of the connection", "POST", "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nTrailer: x\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n", 200, []string{"X-End: 1"}, 0, "", "", true},
		{"interim answers", "POST", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + sized(2), 200, nil, 2, "", "", true},
		{"redirect", "POST", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", 302, []string{"Location: http://169.254.169.254/"}, 0, "", "", true},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, nil, 0, "", "", true},
		{"no content", "POST", "HTTP/1.1 204 No Content\r\n\r\n", 204, nil, 0, "", "", true},
		{"no content, announced", "POST", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 204, nil, 0, "", "", false},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, nil, 0, "", "", true},
		{"something behind", "POST", sized(2) + "HTTP/1.1 200 OK\r\n", 200, nil, 2, "", "", false},
		{"cut", "POST", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nok", 200, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"cut, long", "POST", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\nok", 200, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"chunks, cut", "POST", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nok", 200, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"switched", "POST", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 0, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"no HTTP", "POST", "SSH-2.0-OpenSSH_9\r\n\r\n", 0, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"nothing", "POST", "", 0, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
		{"both lengths", "POST", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 0, nil, 0, "INTEGRATION_FAILURE", "malformed", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			first := true
			b := newBackend(t, func(received) string {
				if !first {
					return ok
				}
				first = false
				return tt.answer
			})
			c, x := newClientWith(t, integration.ClientConfig{AllowPrivate: true, MaxResponse: most}), newExchange(t, gateway.Limits{})
			in, err := c.Send(x, outgoing(t, c, tt.method, b.url(), "message"))
			if kind(err) != tt.kind || !strings.Contains(x.Integration.Error, tt.text) || (tt.text == "") != (x.Integration.Error == "") {
				t.Errorf("error %v, outcome %+v", err, x.Integration)
			}
			if x.Integration.Status != tt.status {
				t.Errorf("outcome %+v, want status %d", x.Integration, tt.status)
			}
			if err == nil && (in.Status != tt.status || string(in.Body) != body[:tt.length] || !slices.Equal(fieldsOf(in.Header), tt.header)) {
				t.Errorf("got %d %q, %d bytes %.20q", in.Status, fieldsOf(in.Header), len(in.Body), in.Body)
			}
			if _, err := c.Send(x, outgoing(t, c, "GET", b.url(), "")); err != nil {
				t.Errorf("the next one: %v", err)
			}
			if kept := b.dials() == 1; kept != tt.kept {
				t.Errorf("kept: %t, want %t", kept, tt.kept)
			}
		})
	}
}

// TestSendRefused: what cannot be a request is not sent.
func TestSendRefused(t *testing.T) {
	t.Parallel()
	b, c, x := newBackend(t, nil), newClient(t), newExchange(t, gateway.Limits{})
	for _, f := range []gateway.Field{
		{Name: "X-A", Value: "1\r\nX-B: 2"}, {Name: "X-A", Value: "1\n"}, {Name: "X-A", Value: "\r"}, {Name: "X-A", Value: "\x00"}, {Name: "X-A", Value: "\x7f"},
		{Name: "", Value: "1"}, {Name: "X A", Value: "1"}, {Name: "X:A", Value: "1"}, {Name: "X-A:", Value: "1"}, {Name: "X-A\r\nX-B", Value: "1"}, {Name: "é", Value: "1"},
		{Name: "Host", Value: "a"}, {Name: "content-length", Value: "0"}, {Name: "Content_Length", Value: "0"}, {Name: "Connection", Value: "close"},
		{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Upgrade", Value: "websocket"}, {Name: "TE", Value: "x"}, {Name: "Trailer", Value: "x"},
		{Name: "Keep-Alive", Value: "1"}, {Name: "Proxy-Authorization", Value: "x"}, {Name: "Expect", Value: "100-continue"},
	} {
		_, err := c.Send(x, outgoing(t, c, "POST", b.url(), "", gateway.Field{Name: "X-Good", Value: "1"}, f))
		if !errors.Is(err, integration.ErrHeader) || kind(err) != "INTEGRATION_FAILURE" || x.Integration.Error == "" {
			t.Errorf("%q: %v, outcome %+v", f, err, x.Integration)
		}
	}
	for name, change := range map[string]func(o *integration.Outgoing){
		"method":                   func(o *integration.Outgoing) { o.Method = "GET / HTTP/1.1\r\nX:" },
		"no method":                func(o *integration.Outgoing) { o.Method = "" },
		"any method":               func(o *integration.Outgoing) { o.Method = "ANY" },
		"target with a space":      func(o *integration.Outgoing) { o.Target = "/a b" },
		"target of two lines":      func(o *integration.Outgoing) { o.Target = "/a\r\nX-A: 1" },
		"target that is no ASCII":  func(o *integration.Outgoing) { o.Target = "/é" },
		"relative target":          func(o *integration.Outgoing) { o.Target = "a" },
		"absolute target":          func(o *integration.Outgoing) { o.Target = "http://a/" },
		"no target":                func(o *integration.Outgoing) { o.Target = "" },
		"no authority":             func(o *integration.Outgoing) { o.Authority = "" },
		"authority of two lines":   func(o *integration.Outgoing) { o.Authority = "a\r\nX-A: 1" },
		"no host to connect to":    func(o *integration.Outgoing) { o.To.Host = "" },
		"no port to connect to":    func(o *integration.Outgoing) { o.To.Port = 0 },
		"no place, the zero value": func(o *integration.Outgoing) { *o = integration.Outgoing{Method: "GET", Target: "/"} },
	} {
		o := outgoing(t, c, "POST", b.url(), "")
		change(o)
		if _, err := c.Send(x, o); kind(err) != "INTEGRATION_FAILURE" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.dials(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestSendPlace: a request goes where To says, by the rules of the client that sends it.
func TestSendPlace(t *testing.T) {
	t.Parallel()
	b, other := newBackend(t, nil), newBackend(t, nil)
	free, strict := newClient(t), newClientWith(t, integration.ClientConfig{})
	x := newExchange(t, gateway.Limits{})
	o := outgoing(t, free, "POST", b.url(), "")
	if _, err := strict.Send(x, o); kind(err) != "INTEGRATION_FAILURE" || !strings.Contains(x.Integration.Error, "reached") || !strings.Contains(err.Error(), "may not reach") {
		t.Errorf("a private address: %v, outcome %+v", err, x.Integration)
	}
	elsewhere := outgoing(t, free, "POST", other.url(), "")
	o.To, o.Authority = elsewhere.To, "pets.example"
	if _, err := free.Send(x, o); err != nil {
		t.Error(err)
	}
	if len(b.take()) != 0 || other.one().field("Host") != "pets.example" {
		t.Error("the request went to another place than To")
	}
	l := listen(t)
	l.Close()
	if _, err := free.Send(x, outgoing(t, free, "POST", "http://"+l.Addr().String(), "")); kind(err) != "INTEGRATION_FAILURE" || !strings.Contains(x.Integration.Error, "reached") {
		t.Errorf("nobody there: %v, outcome %+v", err, x.Integration)
	}
}

// TestSendTimeout: a backend that takes too long is not waited for, wherever it stops.
func TestSendTimeout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer string }{
		{"silent", ""},
		{"in the head", "HTTP/1.1 200 OK\r\nX-A"},
		{"in a short body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"},
		{"in a long body", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nok"},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"},
		{"in many chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat("x", 100<<10)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
				io.WriteString(c, tt.answer)
				br.Peek(1)
				return false
			})
			c, x := newClient(t), newExchange(t, gateway.Limits{})
			o := outgoing(t, c, "GET", b.url(), "")
			o.Timeout = 100 * time.Millisecond
			start := time.Now()
			_, err := c.Send(x, o)
			if took := time.Since(start); kind(err) != "INTEGRATION_TIMEOUT" || took < o.Timeout || took > 5*time.Second {
				t.Errorf("%v after %v", err, took)
			}
			if x.Integration.Error != "Endpoint request timed out" {
				t.Errorf("outcome %+v", x.Integration)
			}
			if n := len(b.take()); n > 1 {
				t.Errorf("%d requests: one that timed out is not repeated", n)
			}
		})
	}
}

// TestSendAgain: a request that a reused connection has lost is sent once more if it may
// be carried out twice.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method string
		want   int // requests
	}{{"GET", 2}, {"PUT", 2}, {"DELETE", 2}, {"POST", 1}, {"PATCH", 1}} {
		var mu sync.Mutex
		requests := map[int]int{} // by connection
		b := newBackend(t, func(r received) string {
			mu.Lock()
			defer mu.Unlock()
			if requests[r.conn]++; requests[r.conn] > 1 {
				return ""
			}
			return ok
		})
		c, x := newClient(t), newExchange(t, gateway.Limits{})
		if _, err := c.Send(x, outgoing(t, c, "POST", b.url(), "")); err != nil {
			t.Fatal(err)
		}
		b.take()
		in, err := c.Send(x, outgoing(t, c, tt.method, b.url()+"/x", "body"))
		got := b.take()
		if len(got) != tt.want || (err == nil) != (tt.want == 2) || err == nil && string(in.Body) != "ok" {
			t.Errorf("%s: %d requests, %v", tt.method, len(got), err)
		}
		if last := got[len(got)-1]; last.line != tt.method+" /x" || last.body != "body" {
			t.Errorf("%s: the last one is %+v", tt.method, last)
		}
	}
}

// TestSendMemory: long answers need memory out of the budget of spools, and are refused
// without.
func TestSendMemory(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100<<10)
	for name, answer := range map[string]string{
		"length": fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long),
		"chunks": fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long),
	} {
		for _, tt := range []struct {
			spooled int64
			want    bool
		}{{1 << 20, true}, {130 << 10, name == "length"}, {64 << 10, false}} {
			b, c := newBackend(t, func(received) string { return answer }), newClient(t)
			x := newExchange(t, gateway.Limits{Spooled: tt.spooled})
			in, err := c.Send(x, outgoing(t, c, "GET", b.url(), ""))
			if (err == nil) != tt.want || tt.want && string(in.Body) != long {
				t.Errorf("%s, %d: %d bytes, %v", name, tt.spooled, len(in.Body), err)
			}
			if !tt.want && (kind(err) != "INTEGRATION_FAILURE" || !strings.Contains(x.Integration.Error, "no room")) {
				t.Errorf("%s, %d: %v, outcome %+v", name, tt.spooled, err, x.Integration)
			}
		}
	}
}

// A sender is an integration that sends a request of its own.
type sender struct {
	client *integration.Client
	o      *integration.Outgoing
	errs   chan error
}

func (s sender) Invoke(x *gateway.Exchange) error {
	in, err := s.client.Send(x, s.o)
	x.Response.Status, x.Response.Body = cmp.Or(in.Status, 500), gateway.Body{Bytes: in.Body, Length: int64(len(in.Body))}
	s.errs <- err
	return err
}

// TestSendGone: nobody waits for an answer for which the client does not wait either.
func TestSendGone(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	b, c := silent(t, done), newClient(t)
	s := sender{c, outgoing(t, c, "GET", b.url()+"/wait", ""), make(chan error, 1)}
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: 20 * time.Millisecond}}, target{key: "$default", in: s})
	from := dial(t, addr)
	from.send(message("GET /"))
	await(t, "the backend has the request", func() bool { return len(b.take()) == 1 })
	from.nc.Close()
	select {
	case err := <-s.errs:
		if kind(err) != "INTEGRATION_FAILURE" || !strings.Contains(err.Error(), "the client left") {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("still waiting")
	}
	await(t, "the backend is freed", func() bool { return b.hung() == 1 })
}

func BenchmarkSend(b *testing.B) {
	body := strings.Repeat("x", 400)
	short := "HTTP/1.1 200 OK\r\nServer: mill\r\nDate: Mon, 23 Nov 2026 07:30:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + body
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n" + body + "\r\n0\r\n\r\n"
	header := []gateway.Field{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"}, {Name: "User-Agent", Value: "AmazonAPIGateway_a"},
		{Name: "x-amzn-apigateway-api-id", Value: "a"}, {Name: "X-Amzn-Trace-Id", Value: "Root=1-67fd88cb-4981526a50466e9f2be0fbed"}, {Name: "connectionId", Value: "L0SM9cOFvHcCIhw="},
	}
	for _, bb := range []struct {
		name, path, answer string
		values             []string
		parameters         []integration.Parameter
	}{
		{"fixed", "/send?a=1", short, nil, nil},
		{"filled", "/rooms/{room}", short, []string{"a/b c"}, []integration.Parameter{{Name: "q", Value: "r 1"}}},
		{"chunks", "/send", chunked, nil, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c := newClient(b)
			a := mustAddress(b, c, mill(b, bb.answer)+bb.path)
			s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
			defer s.Close()
			message := []byte(body)
			once := func() {
				x := s.NewExchange()
				o := integration.Outgoing{Method: "POST", Header: header, Body: message, Timeout: 29 * time.Second}
				if err := a.Fill(&o, bb.values, bb.parameters); err != nil {
					b.Fatal(err)
				}
				if in, err := c.Send(x, &o); err != nil || len(in.Body) != 400 {
					b.Fatal(len(in.Body), err)
				}
				s.Finish(x, nil)
			}
			once()
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}
