//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBodyIs400Bytes(t *testing.T) {
	if len(body) != 400 {
		t.Errorf("got %d bytes, want 400", len(body))
	}
}

func TestParseLoad(t *testing.T) {
	const report = `Running 8s test @ http://127.0.0.1:9/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.20ms    1.07ms  26.48ms   91.88%
  Latency Distribution
     50%    0.99ms
     99%    4.50ms
  434921 requests in 8.00s, 234.53MB read
`
	const rate = "Requests/sec:  54335.12\nTransfer/sec:     29.31MB\n"
	good := load{requests: 434921, perSecond: 54335.12, p99: "4.50ms"}
	failed := good
	failed.errors = 1 + 2 + 3 + 4 + 50
	for _, tt := range []struct {
		name, text string
		want       load
		ok         bool
	}{
		{"no errors", report + rate, good, true},
		{"both kinds of errors", report + "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 50\n" + rate, failed, true},
		{"no totals", "unable to connect to 127.0.0.1:9 Connection refused\n", load{}, false},
		{"no requests", "     99%    0.00us\n  0 requests in 8.00s, 0B read\nRequests/sec:      0.00\n", load{}, false},
	} {
		got, err := parseLoad(tt.text)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		names string
		want  int
	}{
		{"", len(peers)},
		{"penstock  nginx", 2},
		{"nginx nginx", 0},
		{"envoy", 0},
	} {
		got, err := choose(tt.names)
		if len(got) != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("%q: got %d peers, %v, want %d", tt.names, len(got), err, tt.want)
		}
	}
	if got, _ := choose("penstock nginx"); got[0].name != "nginx" {
		t.Errorf("got %s first, want the order of the table", got[0].name)
	}
}

func TestTable(t *testing.T) {
	rows := []row{
		{peers[0], [rounds]result{{load{errors: 1}, 9}, {load{perSecond: 50000.4, p99: "4.50ms"}, 11}}},
		{peers[1], [rounds]result{{load{}, 12}, {load{perSecond: 40000, p99: "5.00ms", errors: 2}, 13}}},
	}
	const want = `| Proxy | CPU µs/request, run 1 | run 2 | ratio to nginx | requests/s | p99 | errors |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| nginx | 9.0 | 11.0 | 1.00 | 50000 | 4.50ms | 1 |
| HAProxy | 12.0 | 13.0 | 1.25 | 40000 | 5.00ms | 2 |
`
	if got := markdown(rows); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	file := filepath.Join(t.TempDir(), "page.md")
	for _, tt := range []struct{ page, want string }{
		{"# A\n" + tableBegin + "old\n" + tableEnd + "z\n", "# A\n" + tableBegin + "\nnew\n\n" + tableEnd + "z\n"},
		{"# A\n" + tableBegin, ""},
		{"# A\n" + tableEnd, ""},
	} {
		if err := os.WriteFile(file, []byte(tt.page), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replaceTable(file, "new\n")
		got, _ := os.ReadFile(file)
		if tt.want == "" && err == nil || tt.want != "" && string(got) != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.page, got, err, tt.want)
		}
	}
}

// A server's time is that of its whole process group: here a shell and the child
// that does the work.
func TestCPU(t *testing.T) {
	s, err := spawn(nil, "sh", "-c", "(while :; do :; done) & wait")
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		used, err := s.cpu()
		if err != nil {
			t.Fatal(err)
		}
		if used > 0 {
			return
		}
	}
	t.Error("a busy process group used no time")
}
