package penstock_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock"
)

// openFiles returns the names of those files in a directory that this process has open.
func openFiles(t testing.TB, directory string) (names []string) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, one := range all {
		if name, err := os.Readlink("/proc/self/fd/" + one.Name()); err == nil && strings.HasPrefix(name, directory) {
			names = append(names, name)
		}
	}
	return names
}

// TestSocketOpenFails: a server that could not start for what concerns WebSocket APIs leaves
// no file open.
func TestSocketOpenFails(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, err := penstock.Open(penstock.Config{
		Data: data, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: penstock.Log{Level: "error"},
		ExecutionLogs: []penstock.AccessLog{{DestinationARN: "arn:aws:logs:us-east-1:1:log-group:x", File: filepath.Join(data, "missing", "x.log")}},
	})
	if err == nil {
		t.Fatal("it started")
	}
	if names := openFiles(t, data); len(names) > 0 {
		t.Errorf("open after %v: %v", err, names)
	}
}

// TestCloseWhileHandling: Close waits neither for the backends of messages nor for those of
// the ends of connections, and nothing goes on behind it.
func TestCloseWhileHandling(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	var called sync.WaitGroup
	called.Add(2)
	release := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called.Done()
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer backend.Close()
	defer close(release)
	slow := func(ctx context.Context, _ []byte) ([]byte, error) {
		called.Done()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	during := runtime.NumGoroutine()
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"slow": {Invoke: slow}}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"http": proxyRoute(backend.URL, nil), "lambda": lambdaRoute("slow")}})
	s := w.connect(api, "/dev")
	s.send(`{"action":"http"}`)
	s.send(`{"action":"lambda"}`)
	called.Wait()
	begun := time.Now()
	if err := w.server.Close(); err != nil {
		t.Error(err)
	}
	took := time.Since(begun)
	n := settled(during + 5).goroutines // the world's own backend, and clients that it has
	t.Logf("closed in %v; goroutines: %d, %d, %d after another %v", took, before, during, n, time.Since(begun)-took)
	if took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	if n > during+5 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines are left:\n%s", n-during, buf[:runtime.Stack(buf, true)])
	}
}
