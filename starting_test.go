package penstock

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// While everything is still being loaded, the process says so.
func TestStarting(t *testing.T) {
	s := &Server{log: slog.New(slog.DiscardHandler), metrics: newRegistry()}
	s.setUnready(starting)
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/_penstock/health", http.StatusOK, "ok"},
		{"/_penstock/ready", http.StatusServiceUnavailable, `"reason":"starting"`},
		{"/metrics", http.StatusOK, "go_goroutines"},
		{"/v2/apis", http.StatusServiceUnavailable, `"message":"starting"`},
		{"/_penstock/backup", http.StatusServiceUnavailable, `"message":"starting"`},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host = "localhost"
		s.adminHandler().ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d %s, want %d and %s", tt.path, w.Code, w.Body, tt.status, tt.want)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:8081": true, "[::1]:8081": true, "[::1]": true, "localhost": true, "LOCALHOST.": true, "a.localhost:1": true, "penstock": true,
		"host.docker.internal:8081": true, "": true, "10.1.2.3": true,
		"example.com": false, "localhost.example.com": false, "127.0.0.1.example.com:8081": false, "evil.localhost.": true, "example.com.": false,
	} {
		if got := checkHost(host) == nil; got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
