package connection

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// readMessages reads frames of the server until the connection ends, and joins fragments.
func readMessages(r io.Reader) (all []string, largest int) {
	var b []byte
	for {
		h, err := ws.ReadHeader(r)
		if err != nil || h.OpCode.IsControl() {
			return all, largest
		}
		p := make([]byte, h.Length)
		if _, err := io.ReadFull(r, p); err != nil {
			return all, largest
		}
		largest = max(largest, len(p))
		if b = append(b, p...); h.Fin {
			all, b = append(all, string(b)), nil
		}
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		h, r := newHub(t, Config{}), newRecorder()
		server, client := pair(t, carrier)
		c := adopt(t, h, server, r)
		sent := []string{"", "a", strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("d", 32768),
			strings.Repeat("e", 32769), strings.Repeat("f", 131072), "\xff\xfe", "a\xe2\x82b"}
		want := append(slices.Clone(sent[:7]), "\ufffd\ufffd", "a\ufffd\ufffdb")
		go func() {
			for _, s := range sent {
				if err := c.Send([]byte(s)); err != nil {
					t.Error(err)
				}
			}
			if err := c.Send(make([]byte, 131073)); err != ErrTooLarge {
				t.Errorf("131073 bytes: %v", err)
			}
			c.Close(Abnormal, strings.Repeat("é", 100))
		}()
		got, largest := readMessages(client)
		if !slices.Equal(got, want) {
			t.Errorf("%s: read %.50q", carrier, got)
		}
		if largest != 32768 {
			t.Errorf("%s: largest frame %d", carrier, largest)
		}
		// The code that may not be sent has become one that may, the reason is cut.
		if e := await(t, r.ends); e.code != Internal {
			t.Errorf("%s: ended with %d", carrier, e.code)
		}
	}
}

func TestAppendClose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code   int
		reason string
		want   string
	}{
		{1000, "", "\x88\x02\x03\xe8"},
		{1001, "Going away", "\x88\x0c\x03\xe9Going away"},
		{NoStatus, "x", "\x88\x00"},
		{1000, strings.Repeat("r", 124), "\x88\x7d\x03\xe8" + strings.Repeat("r", 123)},
		{1000, strings.Repeat("é", 62), "\x88\x7c\x03\xe8" + strings.Repeat("é", 61)},
	} {
		if got := appendClose(nil, tt.code, tt.reason); string(got) != tt.want {
			t.Errorf("%d %q: got %q", tt.code, tt.reason, got)
		}
	}
}

// TestInterleaving sends from many goroutines at once to a client that reads slowly.
func TestInterleaving(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		h, r := newHub(t, Config{Limits: Limits{QueueBytes: 64 << 20, QueueMessages: 1 << 20, Controls: 1 << 15}}), newRecorder()
		server, client := pair(t, carrier)
		c := adopt(t, h, server, r)
		var senders sync.WaitGroup
		for i := range 8 {
			senders.Go(func() {
				text := bytes.Repeat([]byte{'a' + byte(i)}, 50_000+i)
				for range 20 {
					if err := c.Send(text); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() {
			senders.Wait()
			c.Close(Normal, "")
		}()
		got, _ := readMessages(client)
		if len(got) != 160 {
			t.Fatalf("%s: %d messages", carrier, len(got))
		}
		for _, m := range got {
			if i := int(m[0] - 'a'); len(m) != 50_000+i || strings.Count(m, m[:1]) != len(m) {
				t.Fatalf("%s: messages are mixed", carrier)
			}
		}
	}
}

// TestBackPressure has a handler that takes messages and is not done with them.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config Config
		size   int
		want   int
	}{
		{"default", Config{}, 1, 16},
		{"three", Config{Limits: Limits{InFlight: 3}}, 1, 3},
		{"bytes of all", Config{Limits: Limits{InFlightBytes: 10}}, 5, 2},
		{"bytes of all, one larger", Config{Limits: Limits{InFlightBytes: 10}}, 50, 1},
		{"ordered", Config{Ordered: true}, 1, 1},
	} {
		for _, carrier := range carriers {
			t.Run(tt.name+"/"+carrier, func(t *testing.T) {
				t.Parallel()
				h, r := newHub(t, tt.config), newRecorder()
				r.hold = make(chan func(), 1000)
				server, client := pair(t, carrier)
				c := adopt(t, h, server, r)
				const all = 60
				for i := range all {
					write(t, client, text(fmt.Sprintf("%0*d", tt.size, i)))
				}
				write(t, client, closeFrame(1000, "bye"))
				held := make([]func(), 0, all)
				for range tt.want {
					held = append(held, await(t, r.hold))
				}
				for n := tt.want; n < all; n++ {
					c.mu.Lock()
					if int(c.running) != tt.want || len(r.ends) > 0 {
						t.Errorf("%d run, want %d; %d ends", c.running, tt.want, len(r.ends))
					}
					c.mu.Unlock()
					// The one that is done is one of the first, and done twice at that.
					held[n-tt.want]()
					held[n-tt.want]()
					held = append(held, await(t, r.hold))
				}
				var order []int
				for range all {
					i, err := strconv.Atoi(await(t, r.messages))
					if err != nil {
						t.Fatal(err)
					}
					order = append(order, i)
				}
				for i, got := range order {
					// Those that run at the same time may overtake each other, no others.
					if got-i >= tt.want || i-got >= tt.want {
						t.Fatalf("started in order %v", order)
					}
				}
				if c.hub.bytes.Load() == 0 {
					t.Error("bytes in flight are not counted")
				}
				for _, done := range held {
					done()
				}
				if e := await(t, r.ends); e.code != Normal || e.reason != "bye" {
					t.Errorf("ended with %d %q", e.code, e.reason)
				}
				if n := c.hub.bytes.Load(); n != 0 || c.inFlight != 0 {
					t.Errorf("%d bytes and %d messages are in flight at the end", n, c.inFlight)
				}
			})
		}
	}
}

// TestResetUnderPressure has a client go while nothing of it is read.
func TestResetUnderPressure(t *testing.T) {
	t.Parallel()
	h, r := newHub(t, Config{Limits: Limits{InFlight: 1}}), newRecorder()
	r.hold = make(chan func(), 10)
	server, client := pair(t, "descriptor")
	adopt(t, h, server, r)
	write(t, client, text("a"))
	done := await(t, r.hold)
	_ = client.SetLinger(0)
	client.Close()
	if e := await(t, r.ends); e.code != Abnormal {
		t.Errorf("ended with %d", e.code)
	}
	done()
}

// TestSlowReader has a client that reads nothing, beside one that does.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		h := newHub(t, Config{Tick: 5 * time.Millisecond, Limits: Limits{Stall: 20 * time.Millisecond, QueueBytes: 200_000}})
		slow, quick := newRecorder(), newEcho()
		server, slowClient := pair(t, carrier)
		c := adopt(t, h, server, slow)
		server, client := pair(t, carrier)
		adopt(t, h, server, quick)
		full := 0
		for {
			err := c.Send(bytes.Repeat([]byte("x"), 100_000))
			if err == ErrGone {
				break
			}
			if err == ErrFull {
				full++
			}
			c.mu.Lock()
			if c.out != nil && c.out.bytes > 200_100 {
				t.Errorf("%d bytes wait", c.out.bytes)
			}
			c.mu.Unlock()
			write(t, client, text("hello"))
			expect(t, client, serverFrame(ws.OpText, "hello"))
		}
		if e := await(t, slow.ends); e.code != Internal || full == 0 {
			t.Errorf("%s: ended with %d after %d full queues", carrier, e.code, full)
		}
		slowClient.Close()
	}
}

// TestTimers has the timers of connections with a real clock.
func TestTimers(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		for _, limits := range []Limits{{Idle: 30 * time.Millisecond}, {Life: 30 * time.Millisecond}} {
			limits.Grace = 30 * time.Millisecond
			h, r := New(Config{Tick: 3 * time.Millisecond, Limits: limits}), newRecorder()
			server, client := pair(t, carrier)
			adopt(t, h, server, r)
			expect(t, client, serverFrame(ws.OpClose, "\x03\xe9Going away"))
			if e := await(t, r.ends); e.code != GoingAway {
				t.Errorf("%s: ended with %d", carrier, e.code)
			}
			// The client does not hang up, and yet the connection is over.
			if err := h.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := io.Copy(io.Discard, client); err == nil && carrier == "descriptor" {
				// There was an end before the reset, so a read may not see it.
				if _, err = client.Write([]byte("x")); err == nil {
					t.Error("the socket is open")
				}
			}
		}
	}
}

// TestCloseIsHeard has clients that break the protocol and go on sending: closing at once
// would reset the connection, and take the close frame with it.
func TestCloseIsHeard(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		h, r := newHub(t, Config{}), newRecorder()
		for range 20 {
			server, client := pair(t, carrier)
			write(t, client, append(frame(true, ws.OpBinary, ""), make([]byte, 300_000)...))
			adopt(t, h, server, r)
			got, err := io.ReadAll(client)
			if err != nil || !bytes.Equal(got, closes(Unacceptable)) {
				t.Errorf("%s: read %q, %v", carrier, got, err)
			}
			client.Close()
		}
	}
}

// TestPongs has a client that pings and does not read.
func TestPongs(t *testing.T) {
	t.Parallel()
	live(t, Config{Limits: Limits{Controls: 1 << 15}}, true, func(l *lifetime) {
		for i := range 1000 {
			write(t, l.client, frame(true, ws.OpPing, fmt.Sprint(i)))
		}
		l.wait(0)
		l.c.mu.Lock()
		if n := l.c.out.bytes; n > 20*maxControl {
			t.Errorf("%d bytes of answers wait", n)
		}
		l.c.mu.Unlock()
		go l.c.Close(Normal, "")
		got, err := io.ReadAll(io.LimitReader(l.client, 4096))
		if err != nil || !bytes.HasSuffix(got, append(serverFrame(ws.OpPong, "999"), closes(Normal)...)) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// A panicking handler panics.
type panicking struct{ recorder }

func (p *panicking) Message(*Connection, []byte, func()) { panic("message") }

func (p *panicking) Closed(c *Connection, code int, reason string) {
	p.recorder.Closed(c, code, reason)
	panic("closed")
}

func TestPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil)), Ordered: true})
	p := &panicking{*newRecorder()}
	server, client := pair(t, "descriptor")
	adopt(t, h, server, p)
	write(t, client, text("a"))
	expect(t, client, closes(Internal))
	if e := await(t, p.ends); e.code != Internal {
		t.Errorf("ended with %d", e.code)
	}
	client.Close()
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 2 || !strings.Contains(got, "panic=message") {
		t.Errorf("logged %s", got)
	}
}

// TestWorkers has more messages than workers.
func TestWorkers(t *testing.T) {
	t.Parallel()
	const workers = 3
	h := newHub(t, Config{Workers: workers})
	handler := &counting{recorder: newRecorder()}
	handler.together.Add(workers)
	var clients []net.Conn
	for range 20 {
		server, client := pair(t, "descriptor")
		adopt(t, h, server, handler)
		clients = append(clients, client)
	}
	for range 20 {
		for _, client := range clients {
			write(t, client, text("a"))
		}
	}
	for range 400 {
		await(t, handler.messages)
	}
	if n := handler.most.Load(); n != workers {
		t.Errorf("%d messages ran at once", n)
	}
}

// A counting handler counts how many of its calls run at once. The first ones end
// together.
type counting struct {
	*recorder
	together             sync.WaitGroup
	calls, running, most atomic.Int32
}

func (c *counting) Message(_ *Connection, text []byte, done func()) {
	defer done()
	n := c.running.Add(1)
	defer c.running.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	if c.calls.Add(1) <= 3 {
		c.together.Done()
		c.together.Wait()
	}
	c.messages <- string(text)
}
