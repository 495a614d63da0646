//go:build linux

package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func TestParseHTTP2Load(t *testing.T) {
	const report = `starting benchmark...
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Application protocol: h2
finished in 2.00s, 20153.50 req/s, 8.91MB/s
requests: 40307 total, 40371 started, 40307 done, 40300 succeeded, 7 failed, 3 errored, 0 timeout
status codes: 40300 2xx, 0 3xx, 0 4xx, 4 5xx
`
	var log []byte
	for i := range 200 {
		log = fmt.Appendf(log, "1732470000000000\t200\t%d\n", 10*(200-i))
	}
	good := load{requests: 40307, perSecond: 20153.5, p99: "1.98ms", errors: 7}
	for _, tt := range []struct {
		name, text, log string
		want            load
		ok              bool
	}{
		{"good", report, string(log), good, true},
		{"another protocol", strings.Replace(report, "protocol: h2", "protocol: http/1.1", 1), string(log), load{}, false},
		{"no protocol", strings.Replace(report, "Application protocol: h2\n", "", 1), string(log), load{}, false},
		{"another cipher", strings.Replace(report, "AES_128", "AES_256", 1), string(log), load{}, false},
		{"no totals", "starting benchmark...\n", string(log), load{}, false},
		{"no requests", strings.Replace(report, "40307 done", "0 done", 1), string(log), load{}, false},
		{"no log", report, "", load{}, false},
		{"another log", report, "1 200 3\n", load{}, false},
	} {
		got, err := parseHTTP2Load(tt.text, []byte(tt.log))
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		tables, names string
		want          string // tables and their numbers of rows; "" for an error
	}{
		{"", "", "plain 6 tls 3 http2 3 streams 3 full 3 routes 3 "},
		{"", "penstock  nginx", "plain 2 tls 2 http2 2 streams 2 full 3 routes 3 "},
		{"", "haproxy", "plain 1 "},
		{"routes tls", "", "tls 3 routes 3 "},
		{"tls", "nginx nginx", ""},
		{"tls", "envoy", ""},
		{"quic", "", ""},
		{"tls tls", "", ""},
	} {
		chosen, err := choose(tt.tables, tt.names)
		got := ""
		for _, c := range chosen {
			got += fmt.Sprintf("%s %d ", c.name, len(c.rows))
			if whole := tt.names == "" || c.name == "routes" || c.name == "full" && tt.names != "haproxy"; c.whole() != whole {
				t.Errorf("%q %q: %s is whole: %v", tt.tables, tt.names, c.name, c.whole())
			}
		}
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q %q: got %q, %v, want %q", tt.tables, tt.names, got, err, tt.want)
		}
	}
	if chosen, _ := choose("plain", "penstock nginx"); chosen[0].rows[0].peer != "nginx" {
		t.Errorf("got %s first, want the order of the table", chosen[0].rows[0].peer)
	}
}

// Every row is of a peer that is known, every table has its place on the page, and the
// rounds go to and fro.
func TestComparisons(t *testing.T) {
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range comparisons {
		begin, end := marks(c.name)
		if bytes.Count(page, []byte(begin)) != 1 || bytes.Count(page, []byte(end)) != 1 {
			t.Errorf("the page has no marks for %s", c.name)
		}
		for _, row := range c.rows {
			if !slices.ContainsFunc(peers, func(p peer) bool { return p.name == row.peer }) {
				t.Errorf("%s: no peer %s", c.name, row.peer)
			}
		}
		if s := c.ask.streams; s > 0 && (inFlight%s != 0 || !c.ask.tls) {
			t.Errorf("%s: %d streams, TLS %v", c.name, s, c.ask.tls)
		}
		if c.rounds%2 != 0 {
			t.Errorf("%s: %d rounds, want as many to as fro", c.name, c.rounds)
		}
	}
	c := comparison{rows: make([]contender, 3)}
	if to, fro := c.order(0), c.order(1); !slices.Equal(to, []int{0, 1, 2}) || !slices.Equal(fro, []int{2, 1, 0}) {
		t.Errorf("got %v and %v", to, fro)
	}
}

func TestTable(t *testing.T) {
	c := comparison{title: "Proxy", rounds: 2, rows: []contender{{title: "nginx"}, {title: "HAProxy"}}}
	results := [][]result{
		{{load: load{errors: 1}, cpuPerRequest: 9}, {load: load{perSecond: 50000.4, p99: "4.50ms"}, cpuPerRequest: 11}},
		{{cpuPerRequest: 12}, {load: load{perSecond: 40000, p99: "5.00ms", errors: 2}, cpuPerRequest: 13, allocations: 0.04, counted: true}},
	}
	const want = `| Proxy | CPU µs/request, run 1 | run 2 | ratio to nginx | allocations | requests/s | p99 | errors |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| nginx | 9.0 | 11.0 | 1.00 | – | 50000 | 4.50ms | 1 |
| HAProxy | 12.0 | 13.0 | 1.25 | 0.0 | 40000 | 5.00ms | 2 |
`
	if got := markdown(c, results); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	file := filepath.Join(t.TempDir(), "page.md")
	begin, end := marks("tls")
	other, otherEnd := marks("plain")
	for _, tt := range []struct{ page, want string }{
		{"# A\n" + other + "o\n" + otherEnd + begin + "old\n" + end + "z\n", "# A\n" + other + "o\n" + otherEnd + begin + "\nnew\n\n" + end + "z\n"},
		{"# A\n" + begin, ""},
		{"# A\n" + end, ""},
		{"# A\n" + other + otherEnd, ""},
	} {
		if err := os.WriteFile(file, []byte(tt.page), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replaceTable(file, "tls", "new\n")
		got, _ := os.ReadFile(file)
		if tt.want == "" && err == nil || tt.want != "" && string(got) != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.page, got, err, tt.want)
		}
	}
}

// The lines of a log are those of all files that it went to.
func TestCountLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	for name, text := range map[string]string{"": "a\nb\n", ".1": "c\n", ".2": ""} {
		if err := os.WriteFile(file+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := countLines(file); n != 3 || err != nil {
		t.Errorf("got %d, %v, want 3", n, err)
	}
}

// The token of the issuer is one that its published key verifies.
func TestIssuer(t *testing.T) {
	i, err := startIssuer()
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	read := func(url string, v any) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	var configuration struct {
		Issuer string
		URI    string `json:"jwks_uri"`
	}
	read(i.url+"/.well-known/openid-configuration", &configuration)
	var set struct{ Keys []struct{ N, E string } }
	read(configuration.URI, &set)
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(set.Keys[0].N)), E: int(new(big.Int).SetBytes(decode(set.Keys[0].E)).Int64())}
	dot := strings.LastIndexByte(i.token, '.')
	digest := sha256.Sum256([]byte(i.token[:dot]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], decode(i.token[dot+1:])); err != nil {
		t.Error(err)
	}
	if configuration.Issuer != i.url {
		t.Errorf("issuer %s, want %s", configuration.Issuer, i.url)
	}
}

// The load asks for every route, and equally often.
func TestScript(t *testing.T) {
	for _, n := range []int{10, 300, 10000} {
		dir := t.TempDir()
		if _, err := writeScript(dir, n); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "paths.txt"))
		if err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for line := range strings.Lines(string(text)) {
			times[line]++
		}
		least, most := scriptPaths, 0
		for _, k := range times {
			least, most = min(least, k), max(most, k)
		}
		if len(times) != n || most-least > 1 {
			t.Errorf("%d routes: got %d paths, %d to %d times each", n, len(times), least, most)
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
