package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"penstock/internal/gateway"
)

// busy counts how many of its calls run at once; each lasts until its client leaves,
// and a while longer.
type busy struct{ now, most, begun atomic.Int64 }

func (b *busy) Invoke(x *gateway.Exchange) error {
	b.begun.Add(1)
	n := b.now.Add(1)
	defer b.now.Add(-1)
	for m := b.most.Load(); n > m && !b.most.CompareAndSwap(m, n); m = b.most.Load() {
	}
	<-x.Context().Done()
	time.Sleep(20 * time.Millisecond) // a backend that does not let go at once
	return gateway.ServiceUnavailable(x.Context().Err())
}

// TestSecurity15RapidReset: who opens streams to reset them, or makes the server reset
// them, runs no more than the streams that are allowed and loses the connection soon.
// Others notice nothing.
func TestSecurity15RapidReset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(c *frameClient, id uint32) error
	}{
		{"by the client", func(c *frameClient, id uint32) error { return c.WriteRSTStream(id, http2.ErrCodeCancel) }},
		{"by the server", func(c *frameClient, id uint32) error { return c.WriteWindowUpdate(id, 0) }},
	} {
		in := &busy{}
		w := newWorld(t, gateway.Config{Limits: gateway.Limits{Streams: 10}}, in)
		c := w.frames(t)
		go io.Copy(io.Discard, c.conn)
		opened := 0
		for id := uint32(1); id < 200_000; id += 2 {
			if c.get(id) != nil || tt.end(c, id) != nil {
				break
			}
			opened++
		}
		if opened > 50_000 {
			t.Errorf("%s: %d streams were opened and reset", tt.name, opened)
		}
		await(t, "all calls have ended and the connection is closed", func() bool { return in.now.Load() == 0 && w.s.Conns() == 0 })
		if most, begun := in.most.Load(), in.begun.Load(); most > 10 || begun > 300 {
			t.Errorf("%s: %d calls at once, %d in all", tt.name, most, begun)
		}
	}
}

// TestSecurity15FewResets: a client that changes its mind now and then is welcome.
func TestSecurity15FewResets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	c := w.frames(t)
	for id := uint32(1); id < 200; id += 2 {
		c.get(id)
		c.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	c.get(201)
	if got := c.outcome(201); got != "418" {
		t.Errorf("outcome %s", got)
	}
}

// TestSecurity16Headers: header blocks without end and ones that unpack to far more
// than they are end the connection or the stream, with little memory.
func TestSecurity16Headers(t *testing.T) {
	w := newWorld(t, gateway.Config{}, teapot{})
	good := w.client(true)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)

	c := w.frames(t)
	junk := bytes.Repeat([]byte{0x40, 1, 'a', 1, 'b'}, 3000) // each puts an entry into the table
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.head(":method", "GET", ":scheme", "https", ":authority", "open.example", ":path", "/")})
	n := 0
	for ; n < 10_000 && c.WriteContinuation(1, false, junk) == nil; n++ {
	}
	if n == 10_000 {
		t.Error("10,000 CONTINUATION frames were taken")
	}
	if err := c.ends(); err != nil {
		t.Errorf("CONTINUATION without end: %v", err)
	}

	// An entry of 4,000 bytes in the table, named 16,000 times with a byte each.
	c = w.frames(t)
	bomb := c.head(":method", "GET", ":scheme", "https", ":authority", "open.example", ":path", "/", "bomb", strings.Repeat("x", 3900))
	bomb = append(bomb, bytes.Repeat([]byte{0xbe}, 16<<10-len(bomb))...)
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true, EndHeaders: true, BlockFragment: bomb})
	if got := c.outcome(1); got != "431" && got != "closed" {
		t.Errorf("bomb: %s", got)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes more are in use", grown)
	}
	if r, err := good.Get("https://open.example/"); err != nil || r.StatusCode != 418 {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSecurity17Floods: frames that make work and carry nothing end the connection.
func TestSecurity17Floods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		open bool // with a stream
		send func(c *frameClient) error
	}{
		{"SETTINGS", false, func(c *frameClient) error {
			return c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 16})
		}},
		{"PING", false, func(c *frameClient) error { return c.WritePing(false, [8]byte{}) }},
		{"PRIORITY", false, func(c *frameClient) error { return c.WritePriority(1, http2.PriorityParam{Weight: 1}) }},
		{"empty DATA", true, func(c *frameClient) error { return c.WriteData(1, false, nil) }},
		{"WINDOW_UPDATE", false, func(c *frameClient) error { return c.WriteWindowUpdate(0, 1) }},
		{"unknown frames", false, func(c *frameClient) error { return c.WriteRawFrame(0xbe, 0, 0, nil) }},
	} {
		w := newWorld(t, gateway.Config{}, echo{})
		c := w.frames(t)
		go io.Copy(io.Discard, c.conn)
		if tt.open {
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: c.head(":method", "POST", ":scheme", "https", ":authority", "open.example", ":path", "/")})
		}
		n := 0
		for ; n < 500_000 && tt.send(c) == nil; n++ {
		}
		if n == 500_000 {
			t.Errorf("%s: all were taken", tt.name)
		}
		await(t, tt.name+": the connection is closed", func() bool { return w.s.Conns() == 0 })
	}
}

// TestSecurity17Room: a client that takes a long answer in small steps is no flood.
func TestSecurity17Room(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, stream(4<<20))
	c := w.frames(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 4096})
	c.WriteWindowUpdate(0, 8<<20)
	c.get(1)
	total := 0
	for {
		f, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			for left := len(d.Data()); left > 0; left -= 512 {
				c.WriteWindowUpdate(1, uint32(min(left, 512)))
			}
			if total += len(d.Data()); d.StreamEnded() {
				break
			}
		}
	}
	if total != 4<<20 {
		t.Errorf("got %d bytes", total)
	}
}

// TestSecurity18Downgrade: what HTTP/1 would understand otherwise never reaches a
// backend; the connection goes on where its frames can be trusted.
func TestSecurity18Downgrade(t *testing.T) {
	t.Parallel()
	r := record(t)
	w := newWorld(t, gateway.Config{}, proxy(t, newClient(t), "http://"+r.addr))
	good := []string{":method", "GET", ":scheme", "https", ":authority", "open.example", ":path", "/"}
	with := func(name, value string) []string {
		fields := append([]string(nil), good...)
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == name {
				fields[i+1] = value
				return fields
			}
		}
		return append(fields, name, value)
	}
	for _, tt := range []struct {
		name   string
		fields []string
		body   string
		want   string // "reset", "closed", or a status; "refused" for any of those that are no 2xx
	}{
		{"CR LF in a value", with("x", "a\r\nsmuggled: 1"), "", "refused"},
		{"LF in a value", with("x", "a\nb"), "", "refused"},
		{"CR in a value", with("x", "a\rb"), "", "refused"},
		{"NUL in a value", with("x", "a\x00b"), "", "refused"},
		{"DEL in a value", with("x", "a\x7fb"), "", "refused"},
		{"colon in a name", with("x: a", "b"), "", "refused"},
		{"CR LF in a name", with("x\r\na", "b"), "", "refused"},
		{"space in a name", with("x ", "b"), "", "refused"},
		{"empty name", with("", "b"), "", "refused"},
		{"upper case", with("X-A", "b"), "", "refused"},
		{"unknown pseudo field", with(":x", "b"), "", "refused"},
		{"transfer-encoding", with("transfer-encoding", "chunked"), "", "refused"},
		{"connection", with("connection", "close"), "", "refused"},
		{"keep-alive", with("keep-alive", "1"), "", "refused"},
		{"proxy-connection", with("proxy-connection", "close"), "", "refused"},
		{"upgrade", with("upgrade", "h2c"), "", "refused"},
		{"http2-settings", with("http2-settings", "AAMAAABk"), "", "400"},
		{"TE", with("te", "chunked"), "", "refused"},
		{"other host", with("host", "other.example"), "", "refused"},
		{"userinfo", with(":authority", "a@open.example"), "", "refused"},
		{"authority with a path", with(":authority", "open.example/x"), "", "refused"},
		{"authority with a comma", with(":authority", "open.example,x"), "", "refused"},
		{"no authority", append(good[:4:4], good[6:]...), "", "refused"},
		{"cleartext scheme", with(":scheme", "http"), "", "400"},
		{"space in the path", with(":path", "/a b"), "", "400"},
		{"request line in the path", with(":path", "/ HTTP/1.1\r\nX: y"), "", "refused"},
		{"fragment", with(":path", "/a#b"), "", "400"},
		{"backslash", with(":path", `/a\b`), "", "400"},
		{"absolute path", with(":path", "https://open.example/"), "", "refused"},
		{"asterisk", with(":path", "*"), "", "400"},
		{"empty path", with(":path", ""), "", "refused"},
		{"dot segments", with(":path", "/a/../b"), "", "400"},
		{"CONNECT", []string{":method", "CONNECT", ":authority", "open.example:443"}, "", "refused"},
		{"method", with(":method", "TRACE"), "", "405"},
		{"lower-case method", with(":method", "get"), "", "405"},
		{"space in the method", with(":method", "GET /x HTTP/1.1"), "", "refused"},
		{"expectation", with("expect", "the moon"), "", "417"},
		{"length without a body", with("content-length", "5"), "", "refused"},
		{"length too long", with("content-length", "5"), "abc", "refused"},
		{"length too short", with("content-length", "2"), "abc", "refused"},
		{"two lengths", append(with("content-length", "3"), "content-length", "3"), "abc", "refused"},
		{"length with a sign", with("content-length", "+3"), "abc", "refused"},
		{"path too long", with(":path", "/"+strings.Repeat("x", 10241)), "", "414"},
		{"fields too long", with("x", strings.Repeat("x", 10241)), "", "431"},
		{"too many fields", func() []string {
			f := append([]string(nil), good...)
			for i := range 101 {
				f = append(f, fmt.Sprint("x", i), "y")
			}
			return f
		}(), "", "431"},
		{"good", with("x", "a\tb"), "", "200"},
		{"good body", with("content-length", "3"), "abc", "200"},
		{"same host", with("host", "open.example"), "", "200"},
	} {
		c := w.frames(t)
		block := c.head(tt.fields...)
		first := block[:min(len(block), 16<<10)]
		c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: tt.body == "", EndHeaders: len(first) == len(block), BlockFragment: first})
		if len(first) < len(block) {
			c.WriteContinuation(1, true, block[len(first):])
		}
		if tt.body != "" {
			c.WriteData(1, true, []byte(tt.body))
		}
		got := c.outcome(1)
		if refused := got == "reset" || got == "closed" || got[0] == '4'; got != tt.want && !(tt.want == "refused" && refused) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		seen := r.take()
		if (len(seen) > 0) != (tt.want == "200") || len(seen) > 1 {
			t.Errorf("%s: the backend got %q", tt.name, seen)
		}
		c.conn.Close()
	}
}

// sessions is a cache that a client shares between names.
type sessions struct{ tls.ClientSessionCache }

// Get gives the one session that there is, whatever name it was for.
func (s sessions) Get(string) (*tls.ClientSessionState, bool) { return s.ClientSessionCache.Get("") }

// Put keeps the newest session.
func (s sessions) Put(_ string, state *tls.ClientSessionState) {
	if state != nil {
		s.ClientSessionCache.Put("", state)
	}
}

// TestSecurity19Resumption: a session never stands in for a certificate: not one of a
// name without mutual TLS, not one of another domain, not one from before the trust
// store changed.
func TestSecurity19Resumption(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newWorld(t, gateway.Config{}, teapot{})
		user := w.users["a.example"].leaf(t).pair()
		cache := sessions{tls.NewLRUClientSessionCache(1)}
		// open makes a connection and says whether it could, and whether by resumption.
		open := func(name string, certs ...tls.Certificate) (ok, resumed bool) {
			c := w.config(name, certs...)
			c.ClientSessionCache, c.MinVersion, c.MaxVersion = cache, version, version
			conn, err := w.dial(t, c)
			if err != nil {
				return false, false
			}
			defer conn.Close()
			status, err := ask(conn, bufio.NewReader(conn), name)
			return err == nil && status == 418, conn.ConnectionState().DidResume
		}
		v := tls.VersionName(version)
		open("open.example")
		if ok, resumed := open("open.example"); !ok || !resumed {
			t.Errorf("%s: no resumption where there may be: %t %t", v, ok, resumed)
		}
		for _, name := range mutualDomains[:2] {
			if ok, _ := open(name); ok {
				t.Errorf("%s: %s: a session of open.example was enough", v, name)
			}
		}
		if ok, resumed := open("a.example", user); !ok || resumed {
			t.Errorf("%s: with a certificate: %t, resumed %t", v, ok, resumed)
		}
		if ok, resumed := open("a.example", user); !ok || resumed {
			t.Errorf("%s: again: %t, resumed %t", v, ok, resumed)
		}
		if ok, _ := open("b.example", user); ok {
			t.Errorf("%s: a certificate for another domain was enough", v)
		}
		if ok, _ := open("a.example"); ok {
			t.Errorf("%s: a session was enough", v)
		}
		w.setTrust("a.example", &gateway.ClientAuth{Pool: newAuthority(t).pool(), Version: "2"})
		if ok, _ := open("a.example", user); ok {
			t.Errorf("%s: an authority that is no longer trusted was enough", v)
		}
	}
}

// TestSecurity19TruststoreChange: a connection that was made under an older trust store
// ends with its next request if its client is no longer trusted, and only then.
func TestSecurity19TruststoreChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	first := w.users["a.example"]
	conn, err := w.dial(t, w.config("a.example", first.leaf(t).pair()))
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(conn)
	more := first.pool()
	more.AddCert(newAuthority(t).cert)
	for i, tt := range []struct {
		auth *gateway.ClientAuth
		want int
	}{
		{&gateway.ClientAuth{Pool: first.pool(), Version: "1"}, 418},
		{&gateway.ClientAuth{Pool: more, Version: "2"}, 418},
		{&gateway.ClientAuth{Pool: newAuthority(t).pool(), Version: "3"}, 403},
	} {
		w.setTrust("a.example", tt.auth)
		if got, err := ask(conn, br, "a.example"); err != nil || got != tt.want {
			t.Errorf("step %d: status %d, %v, want %d", i, got, err, tt.want)
		}
	}
	if _, err := br.ReadByte(); err != io.EOF {
		t.Errorf("the connection goes on: %v", err)
	}
	// HTTP/2 as well; and a trust store that cannot be read trusts nobody.
	w.setTrust("a.example", &gateway.ClientAuth{Pool: first.pool(), Version: "1"})
	c := w.client(true, first.leaf(t).pair())
	for i, tt := range []struct {
		auth *gateway.ClientAuth
		want int
	}{
		{&gateway.ClientAuth{Pool: more, Version: "2"}, 418},
		{&gateway.ClientAuth{Err: errors.New("unreadable"), Version: "2"}, 403},
	} {
		w.setTrust("a.example", tt.auth)
		if r, err := c.Get("https://a.example/"); err != nil || r.StatusCode != tt.want {
			t.Errorf("HTTP/2, step %d: %v, want %d", i, err, tt.want)
		}
	}
	if _, err := c.Get("https://a.example/"); err == nil {
		t.Error("HTTP/2: the connection goes on, or a new one could be made")
	}
}

// TestSecurity20Fronting: the server name and the Host of a request on a domain with
// mutual TLS agree, however they are spelled.
func TestSecurity20Fronting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	user := func(domain string) []tls.Certificate {
		return []tls.Certificate{w.users[domain].leaf(t).pair()}
	}
	a, b, wild := user("a.example"), user("b.example"), user("*.wild.example")
	for _, tt := range []struct {
		name, sni, host string
		certs           []tls.Certificate
		want            int
	}{
		{"a domain", "a.example", "a.example", a, 418},
		{"in other case", "A.Example", "a.EXAMPLE", a, 418},
		{"with a port and a dot", "a.example", "a.example.:443", a, 418},
		{"in other case, without a certificate", "A.EXAMPLE", "a.example", nil, 0},
		{"from an open name", "open.example", "a.example", nil, 421},
		{"from an open name, with a certificate", "open.example", "a.example", a, 421},
		{"to an open name", "a.example", "open.example", a, 421},
		{"to an API", "a.example", host, a, 421},
		{"to no name", "a.example", "nobody.example", a, 421},
		{"to another domain", "a.example", "b.example", a, 421},
		{"with the other's certificate", "a.example", "a.example", b, 0},
		{"without a name", "", "a.example", a, 421},
		{"wildcard", "x.wild.example", "x.wild.example", wild, 418},
		{"wildcard, two names of one domain", "x.wild.example", "y.wild.example", wild, 418},
		{"wildcard to a domain", "x.wild.example", "a.example", wild, 421},
		{"wildcard, two labels", "x.wild.example", "x.y.wild.example", wild, 421},
		{"open", "open.example", "open.example", nil, 418},
		{"an API by an open name", "open.example", host, nil, 418},
	} {
		for _, h2 := range []bool{false, true} {
			c := w.config(tt.sni, tt.certs...)
			if tt.sni == "" {
				c.InsecureSkipVerify = true
			}
			var got int
			if !h2 {
				got = w.status(t, c, tt.host)
			} else {
				got = w.statusHTTP2(t, c, tt.host)
			}
			if got != tt.want {
				t.Errorf("%s, HTTP/2 %t: status %d, want %d", tt.name, h2, got, tt.want)
			}
		}
	}
}

// statusHTTP2 is status over HTTP/2.
func (w *world) statusHTTP2(t *testing.T, c *tls.Config, host string) int {
	t.Helper()
	c.NextProtos = []string{"h2"}
	tr := &http.Transport{
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return w.dial(t, c) },
		Protocols:      new(http.Protocols),
	}
	tr.Protocols.SetHTTP2(true)
	defer tr.CloseIdleConnections()
	r, err := http.NewRequest("GET", "https://any.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := tr.RoundTrip(r)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestSecurity20Cleartext: a domain with mutual TLS is not served without TLS.
func TestSecurity20Cleartext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	l := listen(t)
	go w.s.Serve(l)
	c := dial(t, l.Addr().String())
	c.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	if a := c.read("GET"); a.StatusCode != 403 || !a.Close {
		t.Errorf("status %d, close %t", a.StatusCode, a.Close)
	}
}

// TestSecurity20Closed: a trust store that cannot be read, or is not known, lets nobody
// in, and a hello in pieces is understood as one.
func TestSecurity20Closed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	good := w.users["a.example"].leaf(t).pair()
	for _, tt := range []struct {
		name string
		auth *gateway.ClientAuth
	}{
		{"unreadable", &gateway.ClientAuth{Err: errors.New("unreadable"), Pool: w.users["a.example"].pool()}},
		{"no pool", &gateway.ClientAuth{}},
		{"empty pool", &gateway.ClientAuth{Pool: x509.NewCertPool()}},
		{"not known", nil},
	} {
		w.setTrust("a.example", tt.auth)
		for _, certs := range [][]tls.Certificate{nil, {good}} {
			if got := w.status(t, w.config("a.example", certs...), "a.example"); got != 0 {
				t.Errorf("%s, %d certificates: status %d", tt.name, len(certs), got)
			}
		}
	}
	w.setTrust("a.example", &gateway.ClientAuth{Pool: w.users["a.example"].pool(), Version: "1"})
	for _, certs := range [][]tls.Certificate{nil, {good}} {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		conn := tls.Client(&pieces{Conn: nc}, w.config("a.example", certs...))
		status, _ := ask(conn, bufio.NewReader(conn), "a.example")
		if want := map[int]int{0: 0, 1: 418}[len(certs)]; status != want {
			t.Errorf("in pieces, %d certificates: status %d", len(certs), status)
		}
	}
}

// pieces splits the first record, a client's hello, into records of 40 bytes.
type pieces struct {
	net.Conn
	split bool
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.split {
		return p.Conn.Write(b)
	}
	p.split = true
	var out []byte
	for rest := b[5:]; len(rest) > 0; {
		n := min(len(rest), 40)
		out = append(append(append(out, b[:3]...), 0, byte(n)), rest[:n]...)
		rest = rest[n:]
	}
	_, err := p.Conn.Write(out)
	return len(b), err
}

// TestSecurity21Handshake: handshakes that stall or are too large end, and cost others
// nothing.
func TestSecurity21Handshake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{Limits: gateway.Limits{Handshake: 100 * time.Millisecond, Abandoned: 10 * time.Millisecond, Conns: 10}}, teapot{})
	for _, send := range []string{"", "\x16\x03\x01", "\x16\x03\x01\x02\x00\x01\x00\x01", "GET / HTTP/1.1\r\n\r\n"} {
		dial(t, w.addr).send(send)
	}
	await(t, "they are closed", func() bool { return w.s.Conns() == 0 })
	ca := w.users["a.example"]
	names := ca.sign(t, nil, func(c *x509.Certificate) {
		for i := range 10_000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprint("n", i, ".example"))
		}
	})
	start := time.Now()
	if got := w.status(t, w.config("a.example", names.pair()), "a.example"); got != 0 {
		t.Errorf("a certificate with 10,000 names: status %d", got)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("a certificate with 10,000 names took %v", took)
	}
	if got := w.status(t, w.config("open.example"), "open.example"); got != 418 {
		t.Errorf("afterwards: status %d", got)
	}
}

// TestSecurity21Size: a handshake is not taken in beyond what handshakes need.
func TestSecurity21Size(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{}, teapot{})
	c := dial(t, w.addr)
	hello := append([]byte{1, 0, 0xf0, 0}, make([]byte, 40_000)...) // announces 61,440 bytes
	for len(hello) > 0 {
		n := min(len(hello), 16<<10)
		if _, err := io.WriteString(c.nc, "\x16\x03\x01"+string([]byte{byte(n >> 8), byte(n)})+string(hello[:n])); err != nil {
			break // it has ended already
		}
		hello = hello[n:]
	}
	start := time.Now()
	io.Copy(io.Discard, c.nc)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the connection ended after %v", took)
	}
}

// TestSecurity21Flood: connections whose handshake stalls make room for others.
func TestSecurity21Flood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Config{Limits: gateway.Limits{Abandoned: 10 * time.Millisecond, Conns: 5}}, teapot{})
	for range 5 {
		dial(t, w.addr)
	}
	await(t, "they are there", func() bool { return w.s.Conns() == 5 })
	await(t, "somebody else is served", func() bool { return w.status(t, w.config("open.example"), "open.example") == 418 })
}
