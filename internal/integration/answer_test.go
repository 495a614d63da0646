package integration_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

var requestID = regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`)

// generated replaces what is new in each response.
func generated(head string) string {
	head = regexp.MustCompile(`apigw-requestid: [A-Za-z0-9_-]{15}=\r\n`).ReplaceAllString(head, "apigw-requestid: ID\r\n")
	return regexp.MustCompile(`Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n`).ReplaceAllString(head, "Date: NOW\r\n")
}

const (
	unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nDate: NOW\r\nContent-Length: 33\r\nConnection: keep-alive\r\napigw-requestid: ID\r\n\r\n"
	internal    = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nDate: NOW\r\nContent-Length: 35\r\nConnection: keep-alive\r\napigw-requestid: ID\r\n\r\n"

	unavailableBody = `{"message":"Service Unavailable"}`
	internalBody    = `{"message":"Internal Server Error"}`
)

// TestAnswer: what the client gets of what the backend says.
func TestAnswer(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte("compressed"))
	z.Close()
	const last = "Connection: keep-alive\r\napigw-requestid: ID\r\n\r\n"
	for _, tt := range []struct {
		name, ask, answer string
		head, body        string
	}{
		{"plain", "GET /", ok, "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"fields in their order and case", "GET /", "HTTP/1.1 200 OK\r\nserver: x\r\nX-B: 1\r\nContent-Length: 2\r\nx-a: 2\r\nETag: \"a\"\r\nX-B: 3\r\nCache-Control: no-store\r\nX-E:\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nserver: x\r\nX-B: 1\r\nx-a: 2\r\nETag: \"a\"\r\nX-B: 3\r\nCache-Control: no-store\r\nX-E: \r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"date of the backend", "GET /", "HTTP/1.1 200 OK\r\ndate: yesterday\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\ndate: yesterday\r\nContent-Length: 2\r\n" + last, "ok"},
		{"request id of the backend", "GET /", "HTTP/1.1 200 OK\r\nApigw-RequestId: forged\r\nContent-Length: 2\r\nx-amzn-RequestId: kept\r\n\r\nok", "HTTP/1.1 200 OK\r\nx-amzn-RequestId: kept\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"hop by hop", "GET /", "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nProxy-Status: x\r\nTrailer: X-T\r\nUpgrade: h2c\r\nTE: x\r\nConnection: keep-alive\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nX-A: b\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"names of their own", "GET /", "HTTP/1.1 200 OK\r\nKeep_Alive: 1\r\nProxy_Status: x\r\nX-Amzn-Trace-Id: y\r\nX-Forwarded-For: z\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nKeep_Alive: 1\r\nProxy_Status: x\r\nX-Amzn-Trace-Id: y\r\nX-Forwarded-For: z\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"named in Connection", "GET /", "HTTP/1.1 200 OK\r\nX-A: b\r\nX-B: c\r\nConnection: x-a,X-C\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nX-B: c\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"53 redirect", "GET /", "HTTP/1.1 302 Found\r\nLocation: /z\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /z\r\nDate: NOW\r\nContent-Length: 0\r\n" + last, ""},
		{"54 error of the backend", "GET /", "HTTP/1.1 503 Busy\r\nContent-Type: text/x\r\nContent-Length: 7\r\n\r\n{\"e\":1}", "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/x\r\nDate: NOW\r\nContent-Length: 7\r\n" + last, `{"e":1}`},
		{"54 unknown status", "GET /", "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 299 \r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"55 cookies", "GET /", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"compressed stays compressed", "GET /", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len(), zipped.String()),
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nDate: NOW\r\nContent-Length: %d\r\n", zipped.Len()) + last, zipped.String()},
		{"chunks", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x\r\nk\r\n0\r\nX-Trailer: dropped\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"no chunk", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 0\r\n" + last, ""},
		{"to the end of the connection", "GET /", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"HTTP/1.0", "GET /", "HTTP/1.0 200 OK\r\n\r\nok", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"no reason", "GET /", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"interim answers", "GET /", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nSet-Cookie: no\r\n\r\n" + ok, "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"same length twice", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 2\r\n" + last, "ok"},
		{"204", "GET /", "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", "HTTP/1.1 204 No Content\r\nX-A: b\r\nDate: NOW\r\n" + last, ""},
		{"204 with a length", "GET /", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\nDate: NOW\r\n" + last, ""},
		{"304", "GET /", "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: x\r\nDate: NOW\r\n" + last, ""},
		{"304 with a length", "GET /", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nDate: NOW\r\nContent-Length: 5\r\n" + last, ""},
		{"HEAD", "HEAD /", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 5\r\n" + last, ""},
		{"HEAD without a length", "HEAD /", "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\r\nDate: NOW\r\n" + last, ""},
		{"HEAD in chunks", "HEAD /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: NOW\r\n" + last, ""},
		{"HEAD of a huge body", "HEAD /", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Length: 99999999999\r\n" + last, ""},

		{"101 unasked", "GET /", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + ok, internal, internalBody},
		{"interim answers without end", "GET /", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20) + ok, internal, internalBody},
		{"no answer", "GET /", "", internal, internalBody},
		{"only an interim answer", "GET /", "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n", internal, internalBody},
		{"not HTTP", "GET /", "hello\r\n\r\n", internal, internalBody},
		{"not a line", "GET /", "hello", internal, internalBody},
		{"another version", "GET /", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"short status", "GET /", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"long status", "GET /", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"status 099", "GET /", "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"status 600", "GET /", "HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"no status", "GET /", "HTTP/1.1  OK\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"bare line feeds", "GET /", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", internal, internalBody},
		{"folded", "GET /", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"bad name", "GET /", "HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"control byte", "GET /", "HTTP/1.1 200 OK\r\nX-A: b\x00\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"bare carriage return", "GET /", "HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: x\r\nContent-Length: 2\r\n\r\nok", internal, internalBody},
		{"length and coding", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", internal, internalBody},
		{"two lengths", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", internal, internalBody},
		{"negative length", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", internal, internalBody},
		{"list of lengths", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", internal, internalBody},
		{"another coding", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", internal, internalBody},
		{"coding twice", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", internal, internalBody},
		{"coding in HTTP/1.0", "GET /", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", internal, internalBody},
		{"bad chunk", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", internal, internalBody},
		{"missing chunk", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n", internal, internalBody},
		{"half a chunk", "GET /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nok", internal, internalBody},
		{"short body", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok", internal, internalBody},
		{"half a head", "GET /", "HTTP/1.1 200 OK\r\nX-A: b", internal, internalBody},
		{"head too long", "GET /", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 100<<10), internal, internalBody},
		{"body too long", "GET /", "HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n", internal, internalBody},
		{"503 for HEAD keeps its length", "HEAD /", "", internal, ""},
	} {
		b := newBackend(t, func(received) string { return tt.answer })
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		c := dial(t, addr)
		a := c.ask(tt.ask)
		if got := generated(a.head); got != tt.head || a.body != tt.body {
			t.Errorf("%s: got\n%q %q\nwant\n%q %q", tt.name, got, a.body, tt.head, tt.body)
		}
		// The connection of the client goes on whatever the backend did.
		if again := c.ask(tt.ask); generated(again.head) != tt.head || again.body != tt.body {
			t.Errorf("%s: second answer %q %q", tt.name, again.head, again.body)
		}
	}
}

// TestRequestID: each response has its own.
func TestRequestID(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	c := dial(t, serve(t, gateway.Config{}, proxy(t, newClient(t), "GET /", b.url())))
	seen := map[string]bool{}
	for range 100 {
		for _, path := range []string{"/", "/none"} {
			id := c.ask("GET " + path).Header.Get("apigw-requestid")
			if !requestID.MatchString(id) || seen[id] {
				t.Fatalf("request id %q, seen before: %t", id, seen[id])
			}
			seen[id] = true
		}
	}
}

// TestMethodsOfBothSides: a backend may be asked with another method than the
// gateway; who asked with HEAD gets no body, and who did not gets what is
// announced.
func TestMethodsOfBothSides(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(r received) string {
		if strings.HasPrefix(r.line, "HEAD ") {
			return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
		}
		n := 2
		fmt.Sscanf(r.line, "GET /%d", &n)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
	})
	client := newClient(t)
	addr := serve(t, gateway.Config{},
		proxyWith(t, client, "ANY /head", integration.HTTPSpec{Method: "HEAD", URI: b.url()}),
		proxyWith(t, client, "ANY /get/{n}", integration.HTTPSpec{Method: "GET", URI: b.url() + "/{n}"}))
	c := dial(t, addr)
	for range 2 {
		if a := c.ask("GET /head"); a.StatusCode != 200 || a.ContentLength != 0 {
			t.Errorf("GET for HEAD: status %d, length %d", a.StatusCode, a.ContentLength)
		}
		if a := c.ask("HEAD /head"); a.StatusCode != 200 || a.ContentLength != 5 {
			t.Errorf("HEAD for HEAD: status %d, length %d", a.StatusCode, a.ContentLength)
		}
		for _, n := range []int64{0, 2, 70000, 200000} {
			if a := c.ask(fmt.Sprint("HEAD /get/", n)); a.StatusCode != 200 || a.ContentLength != n {
				t.Errorf("HEAD for GET: status %d, length %d, want %d", a.StatusCode, a.ContentLength, n)
			}
		}
	}
	// Not even an error has a body.
	if a := c.ask("HEAD /none"); a.StatusCode != 404 || a.ContentLength != 23 {
		t.Errorf("status %d, length %d", a.StatusCode, a.ContentLength)
	}
	if a := c.ask("GET /get/3"); a.body != "xxx" {
		t.Errorf("after HEAD: %q", a.body)
	}
}

// TestLongAnswers: whatever the length and however it is framed, all of it
// arrives, and the connections last.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	var text string
	b := newBackend(t, func(received) string { return text })
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	for _, n := range []int{4095, 4096, 4097, 8192, 8193, 65535, 65536, 65537, 131072, 1 << 20} {
		body := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		var chunks strings.Builder
		for rest := body; rest != ""; {
			k := min(len(rest), 1+len(rest)/3)
			fmt.Fprintf(&chunks, "%x\r\n%s\r\n", k, rest[:k])
			rest = rest[k:]
		}
		for _, tt := range []struct{ name, text string }{
			{"length", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body)},
			{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks.String() + "0\r\n\r\n"},
			{"end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body},
		} {
			text = tt.text
			c := dial(t, addr)
			for range 2 {
				if a := c.ask("GET /"); a.StatusCode != 200 || a.body != body {
					t.Errorf("%s of %d bytes: status %d, %d bytes", tt.name, n, a.StatusCode, len(a.body))
				}
			}
			// To an HTTP/1.0 client, without chunks.
			c.send("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n")
			if a := c.read("GET"); a.body != body || len(a.TransferEncoding) > 0 {
				t.Errorf("HTTP/1.0, %s of %d bytes: %d bytes, %q", tt.name, n, len(a.body), a.TransferEncoding)
			}
			c.nc.Close()
		}
	}
	// Only the answers that end with their connection cost another one.
	if n := b.dials(); n != 1+10*3 && n != 10*3 {
		t.Errorf("%d connections", n)
	}
}

// TestAnswerCutShort: a client can tell a long answer that is not complete.
func TestAnswerCutShort(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("x", 200000)
	for _, tt := range []struct{ name, answer string }{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n" + x},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n30d40\r\n" + x + "\r\n"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n30d40\r\n" + x + "\r\nx\r\n"},
		{"too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + strings.Repeat("30d40\r\n"+x+"\r\n", 60) + "0\r\n\r\n"},
	} {
		b := newBackend(t, func(received) string { return tt.answer })
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		for _, version := range []string{"1.1", "1.0"} {
			c := dial(t, addr)
			c.send("GET / HTTP/" + version + "\r\nHost: " + host + "\r\n\r\n")
			a, err := c.tryRead("GET")
			if err == nil {
				t.Errorf("%s, HTTP/%s: status %d, %d bytes and no error", tt.name, version, a.StatusCode, len(a.body))
			}
			if len(a.body) > 10<<20 {
				t.Errorf("%s, HTTP/%s: %d bytes", tt.name, version, len(a.body))
			}
			c.nc.Close()
		}
	}
}

// TestDate: the gateway's own is now.
func TestDate(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	a := ask(t, serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url())), "GET /")
	at, err := time.Parse(http.TimeFormat, a.Header.Get("Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("Date %q: %v", a.Header.Get("Date"), err)
	}
	if a.Header["Content-Type"] != nil {
		t.Error("a content type was made up")
	}
}
