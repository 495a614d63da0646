package gateway_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

// sent returns the values that a recorded request has in a field, and in those that
// some backends take for it because they read "_" as "-".
func sent(recorded, name string) (values []string) {
	head, _, _ := strings.Cut(recorded, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.ReplaceAll(n, "_", "-"), name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// TestSecurity22Connection: what a client calls a field of its connection is taken
// from its own fields only: neither those that the gateway adds nor those that
// authorizers look at go by it.
func TestSecurity22Connection(t *testing.T) {
	t.Parallel()
	r := record(t)
	s := newStage(t, "a", "$default", map[string]gateway.Integration{"ANY /x": proxy(t, newClient(t), "http://"+r.addr)})
	asked := &guard{}
	guarded(t, s, asked, "ANY /x")
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	own := []string{"Host", "Content-Length", "Forwarded", "Via", "X-Amzn-Trace-Id"}
	for _, tt := range []struct {
		name   string
		fields []string
		body   string
	}{
		{"one list", []string{"Connection: Forwarded, Via, X-Amzn-Trace-Id, Host, Content-Length, X-Pass, X-Forwarded-For, Authorization"}, ""},
		{"lower case", []string{"connection: forwarded, via, x-amzn-trace-id, host, content-length, x-pass"}, ""},
		{"several", []string{"Connection: Forwarded", "Connection: Via,X-Amzn-Trace-Id", "CONNECTION: Host ,\tContent-Length", "Connection: x-pass"}, ""},
		{"empty elements", []string{"Connection: ,,Forwarded,, via ,X-Amzn-Trace-Id,host,x-pass,"}, ""},
		{"the field itself", []string{"Connection: Connection, close, Forwarded, Via, X-Amzn-Trace-Id, X-Pass"}, ""},
		{"with a body", []string{"Connection: Content-Length, Host, Via, Forwarded, X-Amzn-Trace-Id, X-Pass", "Content-Length: 3"}, "abc"},
	} {
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", append(tt.fields, "X-Pass: 1", "X-Other: 2")...), tt.body)
		if a := c.read("POST"); a.StatusCode != 200 {
			t.Errorf("%s: status %d: the authorizer saw other fields than were sent", tt.name, a.StatusCode)
		}
		seen := r.take()
		if len(seen) != 1 {
			t.Fatalf("%s: backend got %q", tt.name, seen)
		}
		for _, name := range own {
			if v := sent(seen[0], name); len(v) != 1 || v[0] == "" {
				t.Errorf("%s: backend got %s %q", tt.name, name, v)
			}
		}
		if v := sent(seen[0], "X-Other"); len(v) != 1 {
			t.Errorf("%s: an unnamed field is gone", tt.name)
		}
		for _, name := range []string{"Connection", "X-Pass"} {
			if v := sent(seen[0], name); v != nil {
				t.Errorf("%s: backend got %s %q", tt.name, name, v)
			}
		}
		if !strings.HasSuffix(seen[0], "\r\n\r\n"+tt.body) {
			t.Errorf("%s: backend got %q", tt.name, seen[0])
		}
		c.nc.Close()
	}
	if n := asked.asked.Load(); n != 6 {
		t.Errorf("the authorizer was asked %d times", n)
	}
}

// TestSecurity23Provenance: who asked is what the socket says. What clients send under
// the names that tell so is marked as theirs or dropped, whatever its spelling.
func TestSecurity23Provenance(t *testing.T) {
	t.Parallel()
	r := record(t)
	s, addr := serve(t, gateway.Config{Records: 100}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"$default": proxy(t, newClient(t), "http://"+r.addr)})))
	last := regexp.MustCompile(`(^|, )by=127\.0\.0\.1;for=127\.0\.0\.1;host=` + regexp.QuoteMeta(host) + `;proto=http$`)
	dropped := []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Amzn-Anything", "X-Amzn-Oidc-Identity"}
	for _, fields := range [][]string{
		nil,
		{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /admin"},
		{"X_Forwarded_For: 203.0.113.9", "X-Forwarded_For: 203.0.113.9", "x_forwarded-for: 203.0.113.9", "X_Forwarded_Proto: https", "X_FORWARDED_HOST: evil"},
		{"X-Amzn-Anything: 1", "X_Amzn_Anything: 1", "x-amzn-oidc-identity: root", "X_AMZN-OIDC_IDENTITY: root"},
		{"Forwarded: for=203.0.113.9;by=203.0.113.8;host=evil;proto=https"},
		{"Forwarded: for=\"203.0.113.9"},
		{"Forwarded: for=\"203.0.113.9\\"},
		{"Forwarded: for=203.0.113.9", "Forwarded: for=203.0.113.10", "forwarded: for=\"[2001:db8::1]\""},
		{"Via: 1.1 evil", "VIA: 1.0 other"},
		{"X-Amzn-Trace-Id: not a trace", "X_Amzn_Trace_Id: Root=1-5759e988-bd862e3fe1be46a994272793"},
		{"X-Real-IP: 203.0.113.9"},
	} {
		c := dial(t, addr)
		c.send(request("GET /x HTTP/1.1", fields...))
		a := c.read("GET")
		seen := r.take()
		if a.StatusCode != 200 || len(seen) != 1 {
			t.Fatalf("%q: status %d, backend got %q", fields, a.StatusCode, seen)
		}
		if v := sent(seen[0], "Forwarded"); len(v) != 1 || !last.MatchString(v[0]) || strings.Count(v[0], `"`)%2 != 0 {
			t.Errorf("%q: Forwarded %q", fields, v)
		}
		if v := sent(seen[0], "Via"); len(v) != 1 || !strings.HasSuffix(v[0], "HTTP/1.1 AmazonAPIGateway") {
			t.Errorf("%q: Via %q", fields, v)
		}
		if v := sent(seen[0], "X-Amzn-Trace-Id"); len(v) != 1 || !strings.HasPrefix(v[0], "Root=1-") || strings.Contains(v[0], "5759e988") {
			t.Errorf("%q: X-Amzn-Trace-Id %q", fields, v)
		}
		for _, name := range dropped {
			if v := sent(seen[0], name); v != nil {
				t.Errorf("%q: backend got %s %q", fields, name, v)
			}
		}
		c.nc.Close()
	}
	await(t, "all are remembered", func() bool { return len(s.Records(100)) == 11 })
	for _, r := range s.Records(100) {
		if r.SourceIP != "127.0.0.1" {
			t.Errorf("source %s", r.SourceIP)
		}
	}
}

// TestSecurity27CompressedBodies: a body that says it is compressed goes both ways as
// it came, and costs no more memory than it is long.
func TestSecurity27CompressedBodies(t *testing.T) {
	const inflated = 64 << 20
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	io.CopyN(z, zeros{}, inflated)
	z.Close()
	got := make(chan []byte, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		got <- body
		w.Header().Set("Content-Encoding", q.Header.Get("Content-Encoding"))
		w.Write(bomb.Bytes())
	}))
	defer backend.Close()
	_, addr := serveOne(t, gateway.Config{}, proxy(t, newClient(t), backend.URL))
	for _, coding := range []string{"gzip", "gzip, gzip", "deflate", "x-unknown"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", "Content-Encoding: "+coding, "Accept-Encoding: gzip", "Transfer-Encoding: chunked"))
		for part := range slices.Chunk(bomb.Bytes(), 8<<10) {
			c.send(fmt.Sprintf("%x\r\n%s\r\n", len(part), part))
		}
		c.send("0\r\n\r\n")
		a := c.read("POST")
		runtime.ReadMemStats(&after)
		if body := <-got; !bytes.Equal(body, bomb.Bytes()) {
			t.Errorf("%s: the backend got %d bytes, want the %d that were sent", coding, len(body), bomb.Len())
		}
		if a.StatusCode != 200 || a.body != bomb.String() || a.Header.Get("Content-Encoding") != coding {
			t.Errorf("%s: status %d, %d bytes, Content-Encoding %q", coding, a.StatusCode, len(a.body), a.Header.Get("Content-Encoding"))
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16*uint64(bomb.Len())+1<<20 {
			t.Errorf("%s: %d bytes for %d", coding, n, bomb.Len())
		}
		c.nc.Close()
	}
}
