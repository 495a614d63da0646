package connection

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// An end is what Closed was told.
type end struct {
	c      *Connection
	code   int
	reason string
}

// A recorder keeps what it is told. With hold, messages are done when the test says so.
type recorder struct {
	messages chan string
	ends     chan end
	hold     chan func()
}

func newRecorder() *recorder {
	return &recorder{messages: make(chan string, 1<<16), ends: make(chan end, 1<<16)}
}

func (r *recorder) Message(_ *Connection, text []byte, done func()) {
	r.messages <- string(text)
	if r.hold != nil {
		r.hold <- done
	} else {
		done()
	}
}

func (r *recorder) Closed(c *Connection, code int, reason string) {
	r.ends <- end{c, code, reason}
}

// echo answers every message with itself.
type echo struct{ recorder }

func (e *echo) Message(c *Connection, text []byte, done func()) {
	defer done()
	_ = c.Send(text)
}

func newEcho() *echo { return &echo{*newRecorder()} }

// await returns what must come.
func await[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("no %T came", v)
	}
	return v
}

// wrapped hides the descriptor of a connection, so that a stream carries it.
type wrapped struct{ net.Conn }

func (w wrapped) CloseWrite() error { return w.Conn.(*net.TCPConn).CloseWrite() }

// carriers are the ways a connection of a test is carried.
var carriers = []string{"descriptor", "stream"}

// pair returns both ends of a new TCP connection, the first as the carrier wants it.
func pair(t testing.TB, carrier string) (server net.Conn, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close() })
	_ = dialled.SetDeadline(time.Now().Add(patience))
	if carrier == "stream" {
		server = wrapped{server}
	}
	return server, dialled.(*net.TCPConn)
}

// newHub returns a Hub that is drained after the test.
func newHub(t testing.TB, config Config) *Hub {
	t.Helper()
	h := New(config)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return h
}

func adopt(t testing.TB, h *Hub, conn net.Conn, handler Handler) *Connection {
	t.Helper()
	return adoptAgreed(t, h, conn, handler, "")
}

// adoptAgreed adopts a client that extensions were agreed on with.
func adoptAgreed(t testing.TB, h *Hub, conn net.Conn, handler Handler, extensions string) *Connection {
	t.Helper()
	c, err := h.Adopt(conn, nil, nil, Info{ID: NewID(), API: "api", Stage: "dev", Extensions: extensions}, handler)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mask is the mask of all frames of clients in tests.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// frame returns a frame of a client.
func frame(fin bool, op ws.OpCode, payload string) []byte {
	b := appendFrame(nil, fin, op, []byte(payload))
	n := len(b) - len(payload)
	b[1] |= 0x80
	b = slices.Insert(b, n, mask[:]...)
	ws.Cipher(b[n+4:], mask, 0)
	return b
}

func text(s string) []byte { return frame(true, ws.OpText, s) }

func closeFrame(code int, reason string) []byte {
	return frame(true, ws.OpClose, string([]byte{byte(code >> 8), byte(code)})+reason)
}

// serverFrame returns a short frame of the server.
func serverFrame(op ws.OpCode, payload string) []byte {
	return appendFrame(nil, true, op, []byte(payload))
}

func write(t testing.TB, conn net.Conn, p []byte) {
	t.Helper()
	if _, err := conn.Write(p); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly what must come.
func expect(t testing.TB, conn net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		t.Run(carrier, func(t *testing.T) {
			t.Parallel()
			h, r := newHub(t, Config{}), newRecorder()
			server, client := pair(t, carrier)
			at := time.Now().Add(-time.Minute)
			info := Info{ID: NewID(), API: "api", Stage: "dev", ConnectedAt: at, SourceIP: "192.0.2.7",
				UserAgent: "ua/1", DomainName: "example.com", Extensions: windowResponse, Owner: 7}
			both := append(text("one"), text("two")...)
			c, err := h.Adopt(server, nil, both[:len(both)-3], info, r)
			if err != nil {
				t.Fatal(err)
			}
			if *c.Info() != info || !c.ConnectedAt().Equal(at) {
				t.Errorf("got %+v, want %+v", *c.Info(), info)
			}
			if got := await(t, r.messages); got != "one" {
				t.Errorf("got %q of what came with the handshake", got)
			}
			write(t, client, both[len(both)-3:])
			if got := await(t, r.messages); got != "two" {
				t.Errorf("got %q of what came in two parts", got)
			}
			if got, ok := h.Find("api", "dev", info.ID); !ok || got != c {
				t.Error("not found")
			}
			for _, k := range []struct{ api, stage, id string }{
				{"api", "prod", info.ID}, {"other", "dev", info.ID}, {"api", "dev", NewID()}, {"api", "dev", ""},
			} {
				if _, ok := h.Find(k.api, k.stage, k.id); ok {
					t.Errorf("found as %v", k)
				}
			}
			if n := h.Count("api", "dev"); n != 1 {
				t.Errorf("counted %d", n)
			}

			second, _ := pair(t, carrier)
			defer second.Close()
			for name, bad := range map[string]Info{
				"same ID":    info,
				"no ID":      {API: "api", Stage: "dev"},
				"takeover":   {ID: NewID(), Extensions: "permessage-deflate"},
				"extensions": {ID: NewID(), Extensions: deflateResponse + ", x"},
			} {
				if _, err := h.Adopt(second, nil, nil, bad, r); err == nil {
					t.Errorf("%s: adopted", name)
				}
			}
			if err := second.SetDeadline(time.Time{}); err != nil {
				t.Errorf("what was refused is no more the caller's: %v", err)
			}

			c.Close(Normal, "")
			if _, ok := h.Find("api", "dev", info.ID); ok || h.Count("api", "dev") != 0 {
				t.Error("found after its end")
			}
			if err := c.Send(nil); !errors.Is(err, ErrGone) {
				t.Errorf("sent after the end: %v", err)
			}
			c.Close(GoingAway, "again")
			if e := await(t, r.ends); e.c != c || e.code != Normal || e.reason != "" {
				t.Errorf("ended with %+v", e)
			}
			expect(t, client, []byte{0x88, 2, 0x03, 0xe8})
			if _, err := client.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after the close frame: %v", err)
			}
		})
	}
}

func TestCloseStage(t *testing.T) {
	t.Parallel()
	h, r := newHub(t, Config{}), newRecorder()
	clients := make(map[string]net.Conn)
	for _, stage := range []string{"dev", "prod"} {
		server, client := pair(t, "descriptor")
		if _, err := h.Adopt(server, nil, nil, Info{ID: NewID(), API: "api", Stage: stage}, r); err != nil {
			t.Fatal(err)
		}
		clients[stage] = client
	}
	h.CloseStage("api", "dev", GoingAway)
	h.CloseStage("api", "none", GoingAway)
	expect(t, clients["dev"], serverFrame(ws.OpClose, "\x03\xe9Going away"))
	if e := await(t, r.ends); e.c.Info().Stage != "dev" || e.code != GoingAway || e.reason != "Going away" {
		t.Errorf("ended with %+v", e)
	}
	var left []string
	h.Range(func(c *Connection) bool {
		left = append(left, c.Info().Stage)
		return true
	})
	if !slices.Equal(left, []string{"prod"}) || h.Count("api", "dev") != 0 {
		t.Errorf("left: %q", left)
	}
	h.mu.RLock()
	if len(h.stages) != 1 {
		t.Errorf("%d stages are kept", len(h.stages))
	}
	h.mu.RUnlock()
}

func TestDrain(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		t.Run(carrier, func(t *testing.T) {
			t.Parallel()
			h, r := New(Config{}), newRecorder()
			var clients sync.WaitGroup
			for range 50 {
				server, client := pair(t, carrier)
				adopt(t, h, server, r)
				clients.Go(func() {
					got, err := io.ReadAll(client)
					if want := serverFrame(ws.OpClose, "\x03\xe9Going away"); err != nil || !bytes.Equal(got, want) {
						t.Errorf("read %q, %v, want %q", got, err, want)
					}
					client.Close()
				})
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := h.Drain(ctx); err != nil {
				t.Fatal(err)
			}
			clients.Wait()
			if len(r.ends) != 50 {
				t.Errorf("%d of 50 handlers heard of the end", len(r.ends))
			}
			server, _ := pair(t, carrier)
			defer server.Close()
			if _, err := h.Adopt(server, nil, nil, Info{ID: NewID()}, r); !errors.Is(err, ErrDraining) {
				t.Errorf("adopted afterwards: %v", err)
			}
		})
	}
}

// TestDrainEnds has clients that do not hang up, and a handler that does not return.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		t.Run(carrier, func(t *testing.T) {
			t.Parallel()
			h, stuck := New(Config{Limits: Limits{Grace: time.Hour}}), &stuckHandler{release: make(chan struct{})}
			server, client := pair(t, carrier)
			adopt(t, h, server, stuck)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if err := h.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("drained with %v", err)
			}
			expect(t, client, serverFrame(ws.OpClose, "\x03\xe9Going away"))
			if n, err := io.Copy(io.Discard, client); n > 0 {
				t.Errorf("%d bytes more, %v", n, err)
			}
			close(stuck.release)
			h.pool.wg.Wait()
		})
	}
}

// A stuckHandler does not return from Closed until it is let go.
type stuckHandler struct {
	recorder
	release chan struct{}
}

func (s *stuckHandler) Closed(*Connection, int, string) { <-s.release }

func TestID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 1000 {
		id := NewID()
		if len(id) != 16 || !strings.HasSuffix(id, "=") || seen[id] || !ValidID(id) {
			t.Fatalf("made %q", id)
		}
		seen[id] = true
	}
	for _, tt := range []struct {
		id   string
		want bool
	}{
		{"L0SM9cOFvHcCIhw=", true},
		{"-_-_-_-_-_-_-_w=", true},
		{"", false},
		{"abc", false},
		{"L0SM9cOFvHcCIhw", false},
		{"L0SM9cOFvHcCIhwA", false},
		{"L0SM9cOFvHcCIg==", false},
		{"L0SM9cOFvHcCIhx=", false}, // bits behind the last byte
		{"L0SM9cOF+HcCIhw=", false},
		{"L0SM9cOF/HcCIhw=", false},
		{"L0SM9cO\nvHcCIhw=", false},
		{"L0SM9cOFvHcCIhw=\n", false},
		{"L0SM9cOFvHcCIhw=L0SM9cOFvHcCIhw=", false},
	} {
		if got := ValidID(tt.id); got != tt.want {
			t.Errorf("%q: got %t", tt.id, got)
		}
	}
}
