package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// TestSecurity11EarlyAnswer: a request that is answered without its body being read leaves
// nothing on the connection that could be taken for another request.
func TestSecurity11EarlyAnswer(t *testing.T) {
	t.Parallel()
	r := record(t)
	_, addr := serve(t, gateway.Config{}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{
		"GET /next": proxy(t, newClient(t), "http://"+r.addr), "POST /pot": teapot{},
	})))
	next := request("GET /next HTTP/1.1")
	for _, tt := range []struct {
		name, send string
		more       bool // the next request on the connection is answered
	}{
		{"body here", request("POST /none HTTP/1.1", fmt.Sprint("Content-Length: ", len(smuggled))) + smuggled, true},
		{"body behind the head", request("POST /none HTTP/1.1", "Content-Length: 100"), false},
		{"part of a body", request("POST /none HTTP/1.1", "Content-Length: 100") + smuggled[:50], false},
		{"chunks", request("POST /none HTTP/1.1", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n", false},
		{"expectation", request("POST /none HTTP/1.1", "Content-Length: 100", "Expect: 100-continue"), false},
	} {
		c := dial(t, addr)
		c.send(tt.send)
		if tt.more {
			c.send(next)
		}
		if a := c.read("POST"); a.StatusCode != 404 || a.Close == tt.more {
			t.Errorf("%s: status %d, close %t", tt.name, a.StatusCode, a.Close)
		}
		if tt.more {
			if a := c.read("GET"); a.StatusCode != 200 {
				t.Errorf("%s: the next request: status %d", tt.name, a.StatusCode)
			}
			if seen := r.take(); len(seen) != 1 || !strings.HasPrefix(seen[0], "GET /next ") {
				t.Errorf("%s: backend got %q", tt.name, seen)
			}
		} else {
			if err := c.ended(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if seen := r.take(); seen != nil {
				t.Errorf("%s: backend got %q", tt.name, seen)
			}
		}
		c.nc.Close()
	}
}

// nibble answers 418 when it has read so many bytes of a streamed body.
type nibble int

func (n nibble) Invoke(x *gateway.Exchange) error {
	for range n {
		if _, err := x.Request.Body.Stream.Read(make([]byte, 1)); err != nil {
			return err
		}
	}
	x.Response.Status = 418
	return nil
}

// TestSecurity11EarlyAnswerInBody: what the integration left of a long body ends with that
// body, and what it left of the one before does not count for the next.
func TestSecurity11EarlyAnswerInBody(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, gateway.Config{}, newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"POST /pot": nibble(64<<10 + 1)})))
	long := strings.Repeat("x", 64<<10+100)
	var c *client
	await(t, "the rest of a body is here when its answer goes out", func() bool {
		c = dial(t, addr)
		c.send(request("POST /pot HTTP/1.1", fmt.Sprint("Content-Length: ", len(long))), long)
		a := c.read("POST")
		if a.StatusCode != 418 {
			t.Fatalf("status %d", a.StatusCode)
		}
		return !a.Close
	})
	// A body that hides a request where the other one's rest ended.
	hidden := strings.Repeat("x", 99) + smuggled + strings.Repeat("y", 8000)
	c.send(request("POST /none HTTP/1.1", fmt.Sprint("Content-Length: ", len(hidden))), hidden)
	if a := c.read("POST"); a.StatusCode != 404 || !a.Close {
		t.Errorf("status %d, close %t", a.StatusCode, a.Close)
	}
	if err := c.ended(); err != nil {
		t.Error(err)
	}
}

// TestPipeline: requests that come in one packet are answered in order, as long as
// the connection lasts.
func TestPipeline(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{})
	c := dial(t, addr)
	c.send(request("POST /1 HTTP/1.1", "Content-Length: 3")+"abc", request("GET /.. HTTP/1.1"), "\r\n", request("POST /2 HTTP/1.1", "Transfer-Encoding: chunked")+"1\r\nd\r\n0\r\n\r\n",
		request("GET /3 HTTP/1.1", "Connection: close"), request("GET /4 HTTP/1.1"))
	for i, want := range []int{200, 400, 200, 200} {
		if a := c.read("GET"); a.StatusCode != want {
			t.Errorf("answer %d: status %d, want %d", i, a.StatusCode, want)
		}
	}
	if err := c.ended(); err != nil {
		t.Error(err)
	}
	var seen []string
	for _, r := range r.take() {
		m := inTransit.FindStringSubmatch(r)
		seen = append(seen, m[1]+" "+m[3])
	}
	if want := []string{"POST /1 abc", "POST /2 d", "GET /3 "}; !slices.Equal(seen, want) {
		t.Errorf("backend got %q, want %q", seen, want)
	}
}

// TestSecurity14ExpectContinue: the body is asked for only when a route wants it, and no backend is
// dialed before it is here.
func TestSecurity14ExpectContinue(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{BodyIdle: 100 * time.Millisecond, Abandoned: 10 * time.Millisecond})
	for _, length := range []int{3, 200 << 10} {
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", fmt.Sprint("Content-Length: ", length), "Expect: 100-Continue"))
		if line, err := c.br.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if line, err := c.br.ReadString('\n'); line != "\r\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		dials := r.dials()
		c.send(strings.Repeat("x", length))
		if a := c.read("POST"); a.StatusCode != 200 || a.Close {
			t.Errorf("status %d, close %t", a.StatusCode, a.Close)
		}
		if seen := r.take(); len(seen) != 1 || strings.Contains(seen[0], "Expect") {
			t.Errorf("backend got %.300q", seen)
		}

		c = dial(t, addr)
		c.send(request("POST /x HTTP/1.1", fmt.Sprint("Content-Length: ", length), "Expect: 100-continue"))
		c.br.ReadString('\n')
		c.br.ReadString('\n')
		if a := c.read("POST"); a.StatusCode != 408 || !a.Close {
			t.Errorf("withheld body: status %d, close %t", a.StatusCode, a.Close)
		}
		if r.dials() > dials+1 || r.take() != nil {
			t.Error("a withheld body reached the backend")
		}
	}
	c := dial(t, addr)
	c.send(request("POST /x HTTP/1.1", "Content-Length: 3", "Expect: 200-ok"))
	if a := c.read("POST"); a.StatusCode != 417 || !a.Close {
		t.Errorf("unknown expectation: status %d, close %t", a.StatusCode, a.Close)
	}
	c = dial(t, addr)
	c.send(request("POST /x HTTP/1.0", "Content-Length: 3", "Expect: 100-continue"), "abc")
	if a := c.read("POST"); a.StatusCode != 200 {
		t.Errorf("HTTP/1.0: status %d", a.StatusCode)
	}
}

func TestVersionAndConnection(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{})
	for _, tt := range []struct {
		version string
		fields  []string
		open    bool
	}{
		{"1.1", nil, true},
		{"1.1", []string{"Connection: keep-alive"}, true},
		{"1.1", []string{"Connection: close"}, false},
		{"1.1", []string{"Connection: Close"}, false},
		{"1.1", []string{"Connection: x, close ,y"}, false},
		{"1.1", []string{"Connection: x", "Connection: close"}, false},
		{"1.1", []string{"Connection: keep-alive, close"}, false},
		{"1.0", nil, false},
		{"1.0", []string{"Connection: keep-alive"}, true},
		{"1.0", []string{"Connection: Keep-Alive, x"}, true},
		{"1.0", []string{"Connection: keep-alive, close"}, false},
	} {
		c := dial(t, addr)
		c.send(request("GET /x HTTP/"+tt.version, tt.fields...))
		a := c.read("GET")
		want := "close"
		if tt.open {
			want = "keep-alive"
		}
		if got := a.Header.Get("Connection"); a.StatusCode != 200 || got != want && !(got == "" && a.Close && want == "close") {
			t.Errorf("%s %q: status %d, Connection %q, want %q", tt.version, tt.fields, a.StatusCode, got, want)
		}
		if tt.open {
			c.send(request("GET /x HTTP/" + tt.version))
			c.read("GET")
		} else if err := c.ended(); err != nil {
			t.Errorf("%s %q: %v", tt.version, tt.fields, err)
		}
		c.nc.Close()
	}
	c := dial(t, addr)
	c.send("GET /_aws/execute-api/a/x HTTP/1.0\r\n\r\n")
	if a := c.read("GET"); a.StatusCode != 200 {
		t.Errorf("HTTP/1.0 without a host: status %d", a.StatusCode)
	}
	if seen := r.take(); !strings.HasPrefix(seen[len(seen)-1], "GET /x HTTP/1.1\r\n") {
		t.Errorf("backend got %q", seen[len(seen)-1])
	}
}
