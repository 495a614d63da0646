//go:build conformance

package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	unavailable = `{"message":"Service Unavailable"}`
	internal    = `{"message":"Internal Server Error"}`
)

// TestFaults puts an upstream behind toxiproxy. What a client gets for each fault is
// one status and nothing else, and when the fault is over, so are its effects.
func TestFaults(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
	var calls atomic.Int64
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body := "Ada"
		if r.URL.Path == "/large" {
			body = large
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(up.Close)
	x := toxics(t, up.URL)
	p := newPlane(t, build(t), "limits: {upstreamIdleTimeout: 2s}\n", nil)
	api := p.api("faults", nil)
	p.route(api, "ANY /{proxy+}", p.integration(api, x.url+"/{proxy}", object{"TimeoutInMillis": 500}), nil)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	ask := func(method, path string) (int, string, error) {
		body := ""
		if method == "POST" {
			body = "x"
		}
		return get(client, method, p.direct(api)+path, body)
	}
	well := func(after string) {
		t.Helper()
		for _, method := range []string{"GET", "POST"} {
			if status, body, err := ask(method, "/small"); status != 200 || body != "Ada" || err != nil {
				t.Errorf("%s after %s: got %d %q %v, want 200", method, after, status, body, err)
			}
		}
	}
	well("nothing")
	before := p.vitals()

	to, from := "downstream", "upstream"
	for _, tt := range []struct {
		name         string
		method, path string
		toxics       []toxic
		status       int // 0 if the response must be cut off
		body         string
		calls        int64 // how often the upstream sees the request: at most once, or twice
	}{
		{"latency", "GET", "/small", []toxic{{"latency", to, object{"latency": 200}}}, 200, "Ada", 1},
		{"latency beyond the timeout", "GET", "/small", []toxic{{"latency", to, object{"latency": 2000}}}, 503, unavailable, 1},
		{"latency beyond the timeout, POST", "POST", "/small", []toxic{{"latency", to, object{"latency": 2000}}}, 503, unavailable, 1},
		{"latency of the request", "GET", "/small", []toxic{{"latency", from, object{"latency": 2000}}}, 503, unavailable, 1},
		{"no answer", "GET", "/small", []toxic{{"timeout", to, object{"timeout": 0}}}, 503, unavailable, 1},
		{"no answer, then the end", "GET", "/small", []toxic{{"timeout", to, object{"timeout": 100}}}, 500, internal, 2},
		{"no answer, then the end, POST", "POST", "/small", []toxic{{"timeout", to, object{"timeout": 100}}}, 500, internal, 1},
		{"reset", "GET", "/small", []toxic{{"reset_peer", to, object{"timeout": 0}}}, 500, internal, 2},
		{"reset, POST", "POST", "/small", []toxic{{"reset_peer", to, object{"timeout": 0}}}, 500, internal, 1},
		{"reset later", "GET", "/small", []toxic{{"reset_peer", to, object{"timeout": 100}}}, 500, internal, 2},
		{"cut off in the status line", "POST", "/small", []toxic{{"limit_data", to, object{"bytes": 5}}}, 500, internal, 1},
		{"cut off in the head", "POST", "/small", []toxic{{"limit_data", to, object{"bytes": 40}}}, 500, internal, 1},
		{"cut off in a short body", "POST", "/small", []toxic{{"limit_data", to, object{"bytes": 102}}}, 500, internal, 1},
		{"cut off in a long body", "GET", "/large", []toxic{{"limit_data", to, object{"bytes": 500_000}}}, 0, "", 1},
		{"slow close", "GET", "/small", []toxic{{"slow_close", to, object{"delay": 1000}}}, 200, "Ada", 1},
		{"slices", "GET", "/large", []toxic{{"slicer", to, object{"average_size": 2000, "size_variation": 1000, "delay": 1}}}, 200, large, 1},
		{"slices of a short body", "POST", "/small", []toxic{{"slicer", to, object{"average_size": 3, "size_variation": 1, "delay": 500}}}, 200, "Ada", 1},
		{"bandwidth too small for the time", "GET", "/large", []toxic{{"bandwidth", to, object{"rate": 200}}}, 0, "", 1},
		{"bandwidth", "GET", "/large", []toxic{{"bandwidth", to, object{"rate": 20_000}}}, 200, large, 1},
	} {
		calls.Store(0)
		x.with(tt.toxics, func() {
			start := time.Now()
			status, body, err := ask(tt.method, tt.path)
			took := time.Since(start)
			switch {
			case tt.status == 0:
				if err == nil {
					t.Errorf("%s: got a whole response, %d with %d bytes; want it cut off", tt.name, status, len(body))
				}
			case err != nil || status != tt.status || body != tt.body:
				t.Errorf("%s: got %d %.60q %v, want %d %.60q", tt.name, status, body, err, tt.status, tt.body)
			}
			if took > 3*time.Second {
				t.Errorf("%s: took %v, with a timeout of 500 ms", tt.name, took)
			}
		})
		// A GET is sent once more if the connection had been used before.
		if n := calls.Load(); n > tt.calls || tt.calls == 2 && n != 2 {
			t.Errorf("%s: the upstream was called %d times, want %d", tt.name, n, tt.calls)
		}
		well(tt.name)
	}

	// An upstream that is gone, and connections to it that are stale when it is back.
	well("all toxics")
	x.enable(false)
	for _, method := range []string{"GET", "POST"} {
		if status, body, err := ask(method, "/small"); status != 503 || body != unavailable || err != nil {
			t.Errorf("upstream is down, %s: got %d %q %v, want 503", method, status, body, err)
		}
	}
	x.enable(true)
	well("the upstream was down")
	for range 5 { // at once, before the end of a connection has been seen
		x.enable(false)
		x.enable(true)
		if status, body, err := ask("GET", "/small"); status != 200 || body != "Ada" || err != nil {
			t.Errorf("GET by a stale connection: got %d %q %v, want 200", status, body, err)
		}
	}

	// Many at once.
	burst := func(status int) {
		t.Helper()
		const n = 50
		results := make(chan int, n)
		for range n {
			go func() {
				got, _, _ := ask("GET", "/small")
				results <- got
			}()
		}
		for range n {
			if got := <-results; got != status {
				t.Errorf("one of %d at once: got %d, want %d", n, got, status)
			}
		}
	}
	x.with([]toxic{{"timeout", to, object{"timeout": 0}}}, func() { burst(503) })
	x.with([]toxic{{"reset_peer", to, object{"timeout": 0}}}, func() { burst(500) })
	burst(200)
	client.CloseIdleConnections()
	p.calm(before, calmTime, 100)
}

// A forgetful upstream closes each connection when a second request has come by it. It
// counts the requests.
func forgetful(t *testing.T) (address string, requests *atomic.Int64) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	requests = new(atomic.Int64)
	serve := func(conn net.Conn) {
		defer conn.Close()
		in := bufio.NewReader(conn)
		for first := true; ; first = false {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body) // its end shows with the next request
			requests.Add(1)
			if !first {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nAda")
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + l.Addr().String(), requests
}

// TestForgetful reuses a connection that the upstream closes when the request is there.
// GET is sent again, on a new one; POST, which may have had an effect, is not.
func TestForgetful(t *testing.T) {
	t.Parallel()
	p := newPlane(t, build(t), "", nil)
	api := p.api("forgetful", nil)
	for _, tt := range []struct {
		method, body string
		status       int
		answer       string
		requests     int64 // that the upstream sees
	}{
		{"GET", "", 200, "Ada", 2},
		{"DELETE", "", 200, "Ada", 2},
		{"PUT", "x", 200, "Ada", 2},
		{"POST", "x", 500, internal, 1},
		{"PATCH", "x", 500, internal, 1},
	} {
		t.Run(tt.method, func(t *testing.T) {
			address, requests := forgetful(t)
			path := "/" + tt.method
			p.route(api, "ANY "+path, p.integration(api, address, nil), nil)
			if status, body, err := get(http.DefaultClient, "GET", p.direct(api)+path, ""); status != 200 || body != "Ada" || err != nil {
				t.Fatalf("first request: got %d %q %v, want 200", status, body, err)
			}
			status, body, err := get(http.DefaultClient, tt.method, p.direct(api)+path, tt.body)
			if status != tt.status || body != tt.answer || err != nil {
				t.Errorf("second request: got %d %q %v, want %d %q", status, body, err, tt.status, tt.answer)
			}
			if n := requests.Load() - 1; n != tt.requests {
				t.Errorf("the upstream saw it %d times, want %d", n, tt.requests)
			}
		})
	}
}
