package gateway_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"penstock/internal/gateway"
)

// A frameClient speaks HTTP/2 frame by frame.
type frameClient struct {
	*http2.Framer
	t    testing.TB
	conn *tls.Conn
	b    bytes.Buffer
	enc  *hpack.Encoder
}

// frames makes a connection of HTTP/2 to open.example and reads the server's settings.
func (w *world) frames(t testing.TB, settings ...http2.Setting) *frameClient {
	t.Helper()
	config := w.config("open.example")
	config.NextProtos = []string{"h2"}
	conn, err := w.dial(t, config)
	if err != nil {
		t.Fatal(err)
	}
	c := &frameClient{Framer: http2.NewFramer(conn, conn), t: t, conn: conn}
	c.enc = hpack.NewEncoder(&c.b)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.AllowIllegalWrites = true
	io.WriteString(conn, http2.ClientPreface)
	c.WriteSettings(settings...)
	c.WriteSettingsAck()
	return c
}

// head encodes fields, given as name and value in turn.
func (c *frameClient) head(fields ...string) []byte {
	c.b.Reset()
	for i := 0; i < len(fields); i += 2 {
		c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return slices.Clone(c.b.Bytes())
}

// get opens a stream with a request without a body.
func (c *frameClient) get(id uint32) error {
	return c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, EndStream: true, EndHeaders: true,
		BlockFragment: c.head(":method", "GET", ":scheme", "https", ":authority", "open.example", ":path", "/"),
	})
}

// outcome reads until a stream is answered or reset, or the connection ends: its
// status, "reset" or "closed".
func (c *frameClient) outcome(id uint32) string {
	for {
		f, err := c.ReadFrame()
		var wrong http2.StreamError
		switch {
		case errors.As(err, &wrong):
			continue
		case err != nil:
			return "closed"
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == id {
				return f.PseudoValue("status")
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				return "reset"
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return "closed"
			}
		}
	}
}

// ends waits until the server has closed the connection.
func (c *frameClient) ends() error {
	c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := io.Copy(io.Discard, c.conn)
	if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
		return err
	}
	return nil
}

// TestHTTP2: an exchange over HTTP/2 is what it is over HTTP/1, but for what the
// protocol itself does not have.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, echo{})
	c := w.client(true)
	for _, tt := range []struct {
		name, method string
		body         io.Reader
		n            int
		announced    string
	}{
		{"no body", "GET", nil, 0, "0"},
		{"small", "POST", strings.NewReader("abc"), 3, "3"},
		{"at the threshold", "POST", strings.NewReader(strings.Repeat("x", 64<<10)), 64 << 10, "65536"},
		{"streamed", "POST", strings.NewReader(strings.Repeat("x", 3<<20)), 3 << 20, "3145728"},
		{"unannounced", "POST", io.LimitReader(zeros{}, 100), 100, "-1"},
		{"unannounced and long", "POST", io.LimitReader(zeros{}, 1<<20), 1 << 20, "-1"},
		{"HEAD", "HEAD", nil, 0, "0"},
	} {
		r, err := http.NewRequest(tt.method, "https://open.example/a%20b?x=1&x=2", tt.body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"X-B": {"2"}, "X-A": {" 1 ", "3"}, "Cookie": {"a=1", "b=2"}, "User-Agent": {"test"}, "Accept-Encoding": {"identity"}, "Te": {"trailers"}}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || len(body) != tt.n || resp.ProtoMajor != 2 {
			t.Errorf("%s: status %d, %d bytes, HTTP/%d, %v", tt.name, resp.StatusCode, len(body), resp.ProtoMajor, err)
		}
		if got, want := resp.Header.Get("X-Request"), tt.method+" /a%20b?x=1&x=2 open.example "+tt.announced; got != want {
			t.Errorf("%s: request %q, want %q", tt.name, got, want)
		}
		fields := resp.Header.Get("X-Fields")
		if length := "content-length=" + tt.announced + ";"; tt.n > 0 && tt.announced != "-1" {
			fields = strings.Replace(fields, length, "", 1)
		}
		if want := "host=open.example;accept-encoding=identity;cookie=a=1; b=2;te=trailers;user-agent=test;x-a=1;x-a=3;x-b=2;"; fields != want {
			t.Errorf("%s: fields %q, want %q", tt.name, fields, want)
		}
		if id := resp.Header.Get("Apigw-Requestid"); len(id) != 16 || resp.Header.Get("Date") == "" || resp.Header.Get("Content-Length") != strconv.Itoa(tt.n) ||
			resp.Header["Connection"] != nil || resp.Header["Content-Type"] != nil {
			t.Errorf("%s: %v", tt.name, resp.Header)
		}
	}
	if n := w.s.Conns(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestHTTP2Errors: the gateway's own answers, and answers that break off.
func TestHTTP2Errors(t *testing.T) {
	t.Parallel()
	var released releases
	for _, tt := range []struct {
		in     gateway.Integration
		status int
		body   string
		broken bool
	}{
		{broken{"invoke", &released}, 500, `{"message":"Internal Server Error"}`, false},
		{broken{"error", &released}, 500, `{"message":"Internal Server Error"}`, false},
		{broken{"stream", &released}, 200, "", true},
		{broken{"short", &released}, 200, "", true},
		{broken{"long", &released}, 200, "", true},
		{stream(5 << 20), 200, strings.Repeat("\x00", 5<<20), false},
		{trickle{}, 200, "abc", false},
	} {
		w := newWorld(t, gateway.Config{}, tt.in)
		c := w.client(true)
		for range 2 { // the connection goes on
			r, err := c.Get("https://open.example/")
			if err != nil {
				if !tt.broken {
					t.Errorf("%v: %v", tt.in, err)
				}
				continue
			}
			body, err := io.ReadAll(r.Body)
			if (err != nil) != tt.broken || r.StatusCode != tt.status || !tt.broken && len(body) != len(tt.body) || len(body) < 100 && !tt.broken && string(body) != tt.body {
				t.Errorf("%v: status %d, %d bytes, %v", tt.in, r.StatusCode, len(body), err)
			}
		}
		if n := w.s.Conns(); n != 1 {
			t.Errorf("%v: %d connections", tt.in, n)
		}
	}
	if n := released.Load(); n != 6 {
		t.Errorf("%d of 6 sources of bodies released", n)
	}
}

// trickle streams a body of unknown length, byte by byte.
type trickle struct{}

func (trickle) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Stream: oneByte{strings.NewReader("abc")}, Length: -1}
	return nil
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }

// TestHTTP2Flush: what an integration has is with the client before there is more, and
// what takes longer to come than a client may take is awaited.
func TestHTTP2Flush(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	const write = 50 * time.Millisecond
	w := newWorld(t, gateway.Config{Limits: gateway.Limits{Write: write, Abandoned: 10 * time.Millisecond}}, piped{pr})
	go pw.Write([]byte("one"))
	r, err := w.client(true).Get("https://open.example/")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3)
	if _, err := io.ReadFull(r.Body, b); err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
	go func() { <-time.After(4 * write); pw.Write([]byte("two")); pw.Close() }()
	if rest, err := io.ReadAll(r.Body); err != nil || string(rest) != "two" {
		t.Errorf("%q, %v", rest, err)
	}
}

type piped struct{ r io.Reader }

func (p piped) Invoke(x *gateway.Exchange) error {
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Stream: p.r, Length: -1}
	return nil
}

// TestHTTP2ClientLeft: a reset ends what was called for a stream, and nothing else.
func TestHTTP2ClientLeft(t *testing.T) {
	t.Parallel()
	in := &held{}
	w := newWorld(t, gateway.Config{}, in)
	c := w.frames(t)
	c.get(1)
	c.get(3)
	await(t, "both are being served", func() bool { return in.begun.Load() == 2 })
	c.WriteRSTStream(1, http2.ErrCodeCancel)
	await(t, "one is given up", func() bool { return in.ended.Load() == 1 })
	c.conn.NetConn().Close()
	await(t, "the other is given up", func() bool { return in.ended.Load() == 2 && w.s.Conns() == 0 })
}

// TestHTTP2Slow: bodies that do not come, answers that are not taken, and connections
// that say nothing end at their limits.
func TestHTTP2Slow(t *testing.T) {
	t.Parallel()
	limits := gateway.Limits{BodyIdle: 200 * time.Millisecond, Write: 200 * time.Millisecond, Abandoned: 10 * time.Millisecond, Idle: 200 * time.Millisecond}
	for _, tt := range []struct {
		name string
		in   gateway.Integration
		send func(c *frameClient)
		want string
	}{
		{"body", echo{}, func(c *frameClient) {
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: c.head(":method", "POST", ":scheme", "https", ":authority", "open.example", ":path", "/", "content-length", "10")})
			c.WriteData(1, false, []byte("abc"))
		}, "408"},
		{"body of unknown length", echo{}, func(c *frameClient) {
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: c.head(":method", "POST", ":scheme", "https", ":authority", "open.example", ":path", "/")})
			c.WriteData(1, false, []byte("abc"))
		}, "408"},
		{"nothing", echo{}, func(*frameClient) {}, "closed"},
		{"answer", stream(10), func(c *frameClient) { c.get(1); c.outcome(1) }, "reset"},
		{"long answer", stream(1 << 20), func(c *frameClient) { c.get(1); c.outcome(1) }, "reset"},
	} {
		w := newWorld(t, gateway.Config{Limits: limits}, tt.in)
		c := w.frames(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		start := time.Now()
		tt.send(c)
		if got := c.outcome(1); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if took := time.Since(start); took < 150*time.Millisecond || took > 4*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
}

// BenchmarkTLS is one exchange over TLS, client included.
func BenchmarkTLS(b *testing.B) {
	for _, h2 := range []bool{false, true} {
		b.Run(fmt.Sprintf("HTTP%d", map[bool]int{false: 1, true: 2}[h2]), func(b *testing.B) {
			w := newWorld(b, gateway.Config{}, teapot{})
			if h2 {
				c := w.frames(b)
				block := c.head(":method", "GET", ":scheme", "https", ":authority", "open.example", ":path", "/")
				c.ReadMetaHeaders = nil
				id := uint32(1)
				b.ReportAllocs()
				for b.Loop() {
					c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndStream: true, EndHeaders: true, BlockFragment: block})
					for ended := false; !ended; {
						f, err := c.ReadFrame()
						if err != nil {
							b.Fatal(err)
						}
						ended = f.Header().StreamID == id && f.Header().Flags.Has(http2.FlagHeadersEndStream)
					}
					id += 2
				}
				return
			}
			conn, err := w.dial(b, w.config("open.example"))
			if err != nil {
				b.Fatal(err)
			}
			request := []byte("GET / HTTP/1.1\r\nHost: open.example\r\n\r\n")
			buf := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				conn.Write(request)
				if n, err := conn.Read(buf); err != nil || !bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 418")) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
