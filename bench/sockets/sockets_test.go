//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
)

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 1000, 65535} {
		payload := bytes.Repeat([]byte("payload"), size)[:size]
		frame := appendFrame(nil, opText, payload)
		// A server sends the same without the mask.
		plain := frame[: len(frame)-size-4 : len(frame)-size-4]
		plain[1] &= 0x7f
		plain = append(plain, payload...)
		for i, b := range frame[len(frame)-size:] {
			if b^mask[i&3] != payload[i] {
				t.Fatalf("%d bytes: byte %d is %#x", size, i, b)
			}
		}
		for cut := range plain {
			if _, _, n, err := parseFrame(plain[:cut]); n != 0 || err != nil {
				t.Fatalf("%d bytes: the first %d parse as %d, %v", size, cut, n, err)
			}
		}
		op, got, n, err := parseFrame(append(bytes.Clone(plain), "next"...))
		if op != opText || !bytes.Equal(got, payload) || n != len(plain) || err != nil {
			t.Errorf("%d bytes: parse as %d %.20q of %d, %v", size, op, got, n, err)
		}
	}
	for name, bad := range map[string]string{
		"masked": "\x81\x80\x01\x02\x03\x04", "fragmented": "\x01\x01x", "compressed": "\xc1\x01x", "huge": "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
	} {
		if op, _, n, err := parseFrame([]byte(bad)); err == nil {
			t.Errorf("%s: parses as %d of %d", name, op, n)
		}
	}
}

func TestMessagesHave100Bytes(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{
		"echo": len(textHead) + 13 + len(textTail), "constant": len(constantHead) + idSize + len(constantTail), "notice": len(notice),
	} {
		if n != 100 {
			t.Errorf("%s has %d", name, n)
		}
	}
}

// serveTest has one of the servers listen for the time of the test.
func serveTest(t *testing.T, serve func(net.Listener) error) loadSettings {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { _ = serve(l) }() // ends with an error when the listener is closed
	addr := l.Addr().String()
	return loadSettings{target: target{addr, addr, "/"}, want: wantEcho, conns: 20, silence: 30 * time.Second, each: 50 * time.Millisecond, warmUp: 10 * time.Millisecond, broadcasts: 3, region: "us-east-1", accessKeyID: "K", secret: "S"}
}

var loads = map[string]func(loadSettings) (load, error){"idle": newIdle, "echo": newEcho, "connect": newConnect, "post": newPost, "broadcast": newBroadcast}

func drive(t *testing.T, kind string, s loadSettings) (loadResult, error) {
	t.Helper()
	l, err := loads[kind](s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.prepare(); err != nil {
		return loadResult{}, err
	}
	return l.measured()
}

func TestServersEcho(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(net.Listener) error{
		"gws": serveGWS, "gws-http": overHTTP(upgradeGWS), "gorilla": overHTTP(upgradeGorilla), "coder": overHTTP(upgradeCoder),
	} {
		for _, kind := range []string{"idle", "echo", "connect"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				r, err := drive(t, kind, serveTest(t, serve))
				if err != nil || r.Done == 0 || kind == "echo" && r.Done < 20 {
					t.Errorf("%d done: %v", r.Done, err)
				}
			})
		}
	}
}

// TestLoadNotices that a server which does the wrong thing gives no number.
func TestLoadNotices(t *testing.T) {
	t.Parallel()
	// answering has the answer to the n-th message of a connection come from a function.
	answering := func(answer func(c *gorilla.Conn, n int, text []byte) error) func(net.Listener) error {
		return overHTTP(func(w http.ResponseWriter, r *http.Request) {
			c, err := gorillaUpgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			for n := 0; ; n++ {
				_, text, err := c.ReadMessage()
				if err != nil || answer(c, n, text) != nil {
					return
				}
			}
		})
	}
	const silent = "20 messages are not answered"
	constant := func(id string) []byte { return []byte(constantHead + id + constantTail) }
	for _, tt := range []struct {
		name, kind, want string
		serve            func(net.Listener) error
		says             string
	}{
		{"old answer", "echo", wantEcho, answering(func(c *gorilla.Conn, n int, text []byte) error {
			if n == 1 {
				text[len(textHead)+12]--
			}
			return c.WriteMessage(gorilla.TextMessage, text)
		}), "is answered with"},
		{"error frame", "echo", wantConstant, answering(func(c *gorilla.Conn, n int, text []byte) error {
			return c.WriteMessage(gorilla.TextMessage, []byte(`{"message": "Internal server error"}`))
		}), "is answered with"},
		{"other connection", "echo", wantConstant, answering(func(c *gorilla.Conn, n int, text []byte) error {
			return c.WriteMessage(gorilla.TextMessage, constant(fmt.Sprintf("%016d", n)))
		}), "earlier with"},
		{"binary", "echo", wantEcho, answering(func(c *gorilla.Conn, n int, text []byte) error {
			return c.WriteMessage(gorilla.BinaryMessage, text)
		}), "operation 2"},
		{"says nothing", "echo", wantEcho, answering(func(c *gorilla.Conn, n int, text []byte) error { return nil }), silent},
		{"hangs up", "echo", wantEcho, answering(func(c *gorilla.Conn, n int, text []byte) error { return io.EOF }), "EOF"},
		{"ends at once", "idle", wantEcho, overHTTP(func(w http.ResponseWriter, r *http.Request) {
			if c, err := gorillaUpgrader.Upgrade(w, r, nil); err == nil {
				c.Close()
			}
		}), "not open and idle"},
		{"rejects", "connect", wantEcho, overHTTP(http.NotFound), "404 Not Found"},
		{"not a close frame", "connect", wantEcho, overHTTP(func(w http.ResponseWriter, r *http.Request) {
			if c, err := gorillaUpgrader.Upgrade(w, r, nil); err == nil {
				_, _ = io.ReadFull(c.NetConn(), make([]byte, len(appendFrame(nil, opClose, []byte{3, 232}))))
				_, _ = c.NetConn().Write([]byte("bye"))
				c.Close()
			}
		}), "close is answered with"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serveTest(t, tt.serve)
			s.want = tt.want
			if tt.says == silent {
				s.silence = time.Second
			}
			l, err := loads[tt.kind](s)
			if err != nil {
				t.Fatal(err)
			}
			if err = l.prepare(); err == nil {
				if idle, ok := l.(*idle); ok { // what the server does must have come
					for _, c := range idle.crowd.conns {
						for {
							if err := c.read(); err == io.EOF {
								break
							}
						}
					}
				}
				_, err = l.measured()
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("load says %v", err)
			}
		})
	}
}

// A fakeStage is as much of @connections and @groups as the load asks for.
type fakeStage struct {
	twice, deaf bool // what it does wrong: send all messages twice, or not

	mu    sync.Mutex // guards what follows
	conns map[string]*gorilla.Conn
	group []*gorilla.Conn
}

func (f *fakeStage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if gorilla.IsWebSocketUpgrade(r) {
		f.upgrade(w, r)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=K/") {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/stage/"), "/")
	var members []*gorilla.Conn
	switch id := strings.ReplaceAll(path[len(path)-1], "%3D", "="); {
	case r.Method == http.MethodPost && path[0] == "%40connections" && f.conns[id] != nil:
		members = []*gorilla.Conn{f.conns[id]}
	case r.Method == http.MethodPut && path[0] == "%40groups" && f.conns[id] != nil:
		f.group = append(f.group, f.conns[id])
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method == http.MethodPost && path[0] == "%40groups":
		members = f.group
	default:
		http.NotFound(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	for _, c := range members {
		if !f.deaf {
			_ = c.WriteMessage(gorilla.TextMessage, body)
		}
		if f.twice {
			_ = c.WriteMessage(gorilla.TextMessage, body)
		}
	}
}

func (f *fakeStage) upgrade(w http.ResponseWriter, r *http.Request) {
	c, err := gorillaUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	random := make([]byte, 11)
	_, _ = rand.Read(random)
	id := base64.URLEncoding.EncodeToString(random)
	f.mu.Lock()
	f.conns[id] = c
	f.mu.Unlock()
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
		f.mu.Lock()
		_ = c.WriteMessage(gorilla.TextMessage, []byte(constantHead+id+constantTail))
		f.mu.Unlock()
	}
}

func TestManage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kind string
		stage      *fakeStage
		key        string
		done       int64 // exactly; -1 for some
		says       string
	}{
		{"post", "post", &fakeStage{}, "K", -1, ""},
		{"broadcast", "broadcast", &fakeStage{}, "K", 60, ""},
		{"post, not let in", "post", &fakeStage{}, "X", 0, "403"},
		{"broadcast, not let in", "broadcast", &fakeStage{}, "X", 0, "403"},
		{"broadcast, twice", "broadcast", &fakeStage{twice: true}, "K", 0, "are heard for"},
		{"post, lost", "post", &fakeStage{deaf: true}, "K", 0, "0 messages of"},
		{"broadcast, lost", "broadcast", &fakeStage{deaf: true}, "K", 0, "0 messages of 20 are heard"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.stage.conns = map[string]*gorilla.Conn{}
			server := httptest.NewServer(tt.stage)
			t.Cleanup(server.CloseClientConnections)
			silence := 30 * time.Second
			if tt.stage.deaf {
				silence = 3 * time.Second // in which a slow machine must do what comes before
			}
			addr := server.Listener.Addr().String()
			r, err := drive(t, tt.kind, loadSettings{
				target: target{addr, addr, "/stage"}, conns: 20, silence: silence, each: 50 * time.Millisecond, warmUp: 10 * time.Millisecond, broadcasts: 3, region: "us-east-1", accessKeyID: tt.key, secret: "S",
			})
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("load says %v", err)
				}
				return
			}
			if err != nil || r.Done != tt.done && (tt.done >= 0 || r.Done == 0) {
				t.Errorf("%d done: %v", r.Done, err)
			}
			if tt.kind == "broadcast" && len(r.Last) != 3 {
				t.Errorf("times are %v", r.Last)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tables, peers string
		want          string // tables with the number of rows, or the start of an error
	}{
		{"", "", "idle 5 echo 5 connect 6 post 1 broadcast 1 "},
		{"echo idle", "gws penstock", "idle 2 echo 3 "},
		{"post", "gws", ""},
		{"echoes", "", `table "echoes"`},
		{"", "gws nginx", `server "nginx"`},
	} {
		got := ""
		chosen, err := choose(tt.tables, tt.peers)
		for _, c := range chosen {
			got += fmt.Sprint(c.name, " ", len(c.rows), " ")
		}
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), ":")
		}
		if got != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.tables, tt.peers, got, tt.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	s := &settings{idle: 1000, members: 10}
	run := func(done int64, cpu time.Duration, after int64) result {
		return result{loadResult{done, time.Second, []time.Duration{3 * time.Millisecond, 5 * time.Millisecond, 4 * time.Millisecond}}, cpu, 1 << 20, 1<<20 + after}
	}
	for _, tt := range []struct {
		kind string
		want string // last line
	}{
		{"idle", "| b | 1.0 | 2.9 | 2000 | 2.00 | 3049 | 3000, 2000, 1000 |"},
		{"echo", "| b | 20.00 | 2.00 | 30.00, 20.00, 10.00 | 1000 |"},
		{"connect", "| b | 50000 | 20.0 | 2.00 | 30.0, 20.0, 10.0 | 1000 |"},
		{"broadcast", "| b | 4.0 | 20.00 | 4.0, 4.0, 4.0 | 50000 |"},
	} {
		table := s.markdown(comparison{title: "T", kind: tt.kind, rows: []contender{{title: "a"}, {title: "b"}}}, [][]result{
			{run(1000, 10*time.Millisecond, 1000*1000), run(1000, 10*time.Millisecond, 1000*1000), run(1000, 10*time.Millisecond, 9000*1000)},
			{run(1000, 30*time.Millisecond, 3000*1000), run(1000, 20*time.Millisecond, 2000*1000), run(1000, 10*time.Millisecond, 1000*1000)},
		})
		lines := strings.Split(strings.TrimSpace(table), "\n")
		if got := lines[len(lines)-1]; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.kind, got, tt.want)
		}
	}
}
