package connection

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// A lifetime is a connection in a bubble with its own clock.
type lifetime struct {
	*recorder
	t      *testing.T
	c      *Connection
	client net.Conn
	start  time.Time
	// from is what the client has read.
	from chan []byte
}

// live runs a test with a connection over a pipe. The client reads all that comes, unless
// it is deaf.
func live(t *testing.T, config Config, deaf bool, test func(l *lifetime)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := New(config)
		server, client := net.Pipe()
		l := &lifetime{recorder: newRecorder(), t: t, client: client, start: time.Now(), from: make(chan []byte, 1000)}
		l.c = adopt(t, h, server, l)
		if !deaf {
			go func() {
				for {
					b := make([]byte, 4096)
					n, err := client.Read(b)
					if err != nil {
						return
					}
					l.from <- b[:n]
				}
			}()
		}
		test(l)
		client.Close()
		if err := h.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// wait passes time.
func (l *lifetime) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// open fails the test if the connection has ended.
func (l *lifetime) open() {
	l.t.Helper()
	select {
	case e := <-l.ends:
		l.t.Fatalf("ended with %d %q after %v", e.code, e.reason, time.Since(l.start))
	default:
	}
}

// endsAfter fails the test unless the connection ends then, or a tick later, and for that.
func (l *lifetime) endsAfter(d time.Duration, code int, reason string) {
	l.t.Helper()
	l.wait(d - time.Since(l.start) - time.Nanosecond)
	l.open()
	l.wait(time.Second + time.Nanosecond)
	select {
	case e := <-l.ends:
		if e.code != code || e.reason != reason {
			l.t.Fatalf("ended with %d %q, want %d %q", e.code, e.reason, code, reason)
		}
	default:
		l.t.Fatalf("open after %v", time.Since(l.start))
	}
}

const minute = time.Minute

func TestIdle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(l *lifetime)
		ends time.Duration
	}{
		{"nothing", func(*lifetime) {}, 10 * minute},
		{"message received", func(l *lifetime) {
			l.wait(9 * minute)
			write(l.t, l.client, text("a"))
			l.wait(0)
		}, 19 * minute},
		{"message sent", func(l *lifetime) {
			l.wait(9 * minute)
			if err := l.c.Send([]byte("a")); err != nil {
				l.t.Fatal(err)
			}
		}, 19 * minute},
		{"pings", func(l *lifetime) {
			for range 9 {
				l.wait(minute)
				write(l.t, l.client, frame(true, ws.OpPing, "x"))
			}
		}, 10 * minute},
		{"half a message", func(l *lifetime) {
			l.wait(9 * minute)
			write(l.t, l.client, frame(false, ws.OpText, "a"))
		}, 10 * minute},
		{"too large to send", func(l *lifetime) {
			l.wait(9 * minute)
			if err := l.c.Send(make([]byte, 131073)); err != ErrTooLarge {
				l.t.Fatal(err)
			}
		}, 10 * minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			live(t, Config{}, false, func(l *lifetime) {
				tt.do(l)
				active := l.c.LastActive()
				if want := l.start.Add(tt.ends - 10*minute); !active.Equal(want) {
					t.Errorf("last active after %v", active.Sub(l.start))
				}
				l.endsAfter(tt.ends, GoingAway, "Going away")
				last := <-l.from
				for len(l.from) > 0 {
					last = <-l.from
				}
				if want := serverFrame(ws.OpClose, "\x03\xe9Going away"); !bytes.Equal(last, want) {
					t.Errorf("the client heard %q", last)
				}
			})
		})
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	live(t, Config{}, false, func(l *lifetime) {
		for range 13 {
			l.wait(9 * minute)
			if err := l.c.Send([]byte("a")); err != nil {
				t.Fatal(err)
			}
		}
		l.endsAfter(2*time.Hour, GoingAway, "Going away")
	})
	synctest.Test(t, func(t *testing.T) {
		h, r := New(Config{}), newRecorder()
		server, client := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_, err := h.Adopt(server, nil, nil, Info{ID: NewID(), ConnectedAt: time.Now().Add(-2*time.Hour + minute)}, r)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(minute + time.Second)
		synctest.Wait()
		if len(r.ends) != 1 {
			t.Error("life counts from the adoption, not from the time of the connection")
		}
		client.Close()
		if err := h.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestGrace has clients that do not hang up after a close frame.
func TestGrace(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		live(t, Config{}, deaf, func(l *lifetime) {
			l.c.Close(Normal, "")
			l.wait(4 * time.Second)
			if len(l.ends) != 1 {
				t.Error("the handler hears of the end when the socket is closed")
			}
			if !deaf {
				// What comes now is thrown away, whatever it is.
				write(t, l.client, unmasked(7, "x"))
			}
			l.wait(2 * time.Second)
			if _, err := l.client.Write([]byte("x")); err != io.ErrClosedPipe {
				t.Errorf("deaf %t: the socket is open after the grace: %v", deaf, err)
			}
		})
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	config := Config{PingInterval: minute, Limits: Limits{Idle: time.Hour}}
	live(t, config, false, func(l *lifetime) {
		for range 5 {
			l.wait(minute + time.Second)
			if got := <-l.from; !bytes.Equal(got, serverFrame(ws.OpPing, "")) {
				t.Fatalf("read %q, want a ping", got)
			}
			write(t, l.client, frame(true, ws.OpPong, ""))
		}
		l.wait(minute + time.Second)
		l.open()
		l.wait(minute + time.Second)
		if e := <-l.ends; e.code != Abnormal {
			t.Errorf("a client that is silent ended with %d", e.code)
		}
	})
	live(t, Config{}, false, func(l *lifetime) {
		l.wait(9 * minute)
		if len(l.from) > 0 {
			t.Errorf("pinged though nobody asked for it: %q", <-l.from)
		}
	})
}

// TestStall has a client that does not read.
func TestStall(t *testing.T) {
	t.Parallel()
	config := Config{Limits: Limits{QueueMessages: 4, QueueBytes: 1000}}
	for name, tt := range map[string]struct {
		size, fit int
	}{
		"by number": {1, 4},
		"by size":   {300, 3},
		"one large": {2000, 1},
	} {
		live(t, config, true, func(l *lifetime) {
			sent := 0
			for {
				err := l.c.Send(make([]byte, tt.size))
				if err == ErrFull {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				sent++
			}
			if sent != tt.fit {
				t.Errorf("%s: %d messages fit, want %d", name, sent, tt.fit)
			}
			l.endsAfter(10*time.Second, Internal, "Client does not read")
		})
	}
	// A client that reads after all, in time.
	live(t, config, true, func(l *lifetime) {
		for l.c.Send([]byte("x")) == nil {
		}
		l.wait(9 * time.Second)
		expect(t, l.client, bytes.Repeat(serverFrame(ws.OpText, "x"), 3))
		l.wait(minute)
		l.open()
		if err := l.c.Send([]byte("y")); err != nil {
			t.Error(err)
		}
		expect(t, l.client, append(serverFrame(ws.OpText, "x"), serverFrame(ws.OpText, "y")...))
	})
}

// TestPace has a client that sends more frames without a message than are read.
func TestPace(t *testing.T) {
	t.Parallel()
	live(t, Config{Limits: Limits{Controls: 5}}, false, func(l *lifetime) {
		var flood []byte
		for range 4 {
			flood = append(flood, frame(true, ws.OpPing, "")...)
			flood = append(flood, frame(true, ws.OpPong, "")...)
		}
		flood = append(flood, frame(false, ws.OpText, "")...)
		flood = append(flood, bytes.Repeat(frame(false, ws.OpContinuation, ""), 3)...)
		flood = append(flood, frame(true, ws.OpContinuation, "end")...)
		write(t, l.client, flood)
		pongs := func() (n int) {
			for len(l.from) > 0 {
				n += len(<-l.from) / 2
			}
			return n
		}
		l.wait(500 * time.Millisecond)
		if n := pongs(); n != 3 {
			t.Errorf("%d answers in the first tick, want 3", n)
		}
		l.wait(time.Second)
		if n := pongs(); n != 1 || len(l.messages) > 0 {
			t.Errorf("%d answers in the second tick, want 1", n)
		}
		l.wait(time.Second)
		if len(l.messages) != 1 || <-l.messages != "end" {
			t.Error("no message in the third tick")
		}
	})
}

// TestWheel has dues that are further than the wheel reaches, and a long stop.
func TestWheel(t *testing.T) {
	t.Parallel()
	h := newHub(t, Config{Tick: time.Hour, Limits: Limits{Idle: 3 * slots * time.Second, Life: 1e6 * time.Second}})
	w := &wheel{every: time.Second}
	server, _ := net.Pipe()
	c := adopt(t, h, server, newRecorder())
	h.wheel.remove(c)
	looks := 0
	c.mu.Lock()
	due := c.due(0)
	c.mu.Unlock()
	w.add(c, due)
	var batch []*Connection
	for now := int64(0); c.state == open && now < 4*slots; now++ {
		before := c.slot
		batch = w.advance(now*int64(time.Second), batch)
		if c.slot != before {
			looks++
		}
		if c.state != open && now*int64(time.Second) < due {
			t.Errorf("closed after %d seconds", now)
		}
	}
	if c.state == open || looks > 5 {
		t.Errorf("state %d after %d looks", c.state, looks)
	}
	w.remove(c)
	for range 2 {
		w.add(c, 2*slots*int64(time.Second))
	}
	w.move(c, 0)
	w.move(c, 1e15)
	if want := int32((w.tick.Load() + 1) % slots); c.slot != want || w.slots[want] != c || c.nextTimer != nil {
		t.Errorf("in slot %d, want %d", c.slot, want)
	}
	w.advance(1e6*int64(time.Second), batch)
	if got := w.tick.Load(); got != 1e6 {
		t.Errorf("tick %d after a long stop", got)
	}
}
