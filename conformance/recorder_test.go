//go:build conformance

package conformance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A recorder is an upstream that keeps the requests it gets and answers what it
// was told to.
type recorder struct {
	*httptest.Server
	mu       sync.Mutex // guards received
	received []received
}

// A received request is as it came over the wire.
type received struct {
	method, target, host, body string
	header                     http.Header
}

// record starts a recorder that answers with a status, two cookies, a header and
// a text.
func record(t *testing.T, status int, body string) *recorder {
	r := new(recorder)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		got, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("upstream: read body: %v", err)
		}
		r.mu.Lock()
		r.received = append(r.received, received{req.Method, req.RequestURI, req.Host, string(got), req.Header})
		r.mu.Unlock()
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2; Path=/"}
		w.Header().Set("X-Upstream", "recorder")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(r.Close)
	return r
}

// host returns what the Host header of a request to the recorder says.
func (r *recorder) host() string { return strings.TrimPrefix(r.URL, "http://") }

// take returns the only request since the last call.
func (r *recorder) take(s *story) received {
	s.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.received) != 1 {
		s.Fatalf("upstream: want 1 request, got %d: %+v", len(r.received), r.received)
	}
	got := r.received[0]
	r.received = nil
	return got
}
