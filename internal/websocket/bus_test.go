package websocket

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"penstock/internal/connection"
)

// leavers are handlers whose messages wait, and whose ends are told to a bus.
type leavers struct {
	bus  *localBus
	wait chan struct{} // closed when messages may be done
	came chan struct{}
	left sync.WaitGroup
}

func (l *leavers) Message(_ *connection.Connection, _ []byte, done func()) {
	l.came <- struct{}{}
	<-l.wait
	done()
}

func (l *leavers) Closed(c *connection.Connection, _ int, _ string) {
	l.bus.Left(c)
	l.left.Done()
}

// newLeavers returns a bus and who tells it of ends.
func newLeavers(t *testing.T) *leavers {
	t.Helper()
	hub := connection.New(connection.Config{Ordered: true})
	l := &leavers{bus: newLocalBus(hub), wait: make(chan struct{}), came: make(chan struct{}, 1)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := hub.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	return l
}

// join has a connection taken over, and returns it with its client.
func (l *leavers) join(t *testing.T) (*connection.Connection, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { client.Close() })
	l.left.Add(1)
	c, err := l.bus.hub.Adopt(server, nil, nil, connection.Info{ID: connection.NewID(), API: "a", Stage: "dev"}, l)
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

// TestMembersThatEnd: a connection that has ended is no member for anybody, though a message
// of it still runs, and its end is told behind that.
func TestMembersThatEnd(t *testing.T) {
	t.Parallel()
	l := newLeavers(t)
	c, client := l.join(t)
	id := c.Info().ID
	if err := l.bus.Join("a", "dev", "room", id); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, client)
	if _, err := client.Write([]byte{0x81, 0x80, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	<-l.came
	if all, err := l.bus.Members("a", "dev", "room"); len(all) != 1 || all[0] != id || err != nil {
		t.Errorf("members %q, %v", all, err)
	}
	if err := l.bus.Delete("a", "dev", id); err != nil {
		t.Fatal(err)
	}
	if all, err := l.bus.Members("a", "dev", "room"); len(all) != 0 || err != nil {
		t.Errorf("members %q, %v, though the connection has ended", all, err)
	}
	if sent, failed, err := l.bus.Broadcast("a", "dev", "room", []byte("x")); sent != 0 || failed != 0 || err != nil {
		t.Errorf("sent %d, failed %d, %v", sent, failed, err)
	}
	close(l.wait)
	client.Close()
	l.left.Wait()
	if n := l.bus.count(); n != 0 || len(l.bus.of) != 0 {
		t.Errorf("%d groups and %d connections are left", n, len(l.bus.of))
	}
}

// TestMembersRace: connections that end while they join groups, leave them and are spoken to
// leave nothing behind.
func TestMembersRace(t *testing.T) {
	t.Parallel()
	l := newLeavers(t)
	close(l.wait)
	var g sync.WaitGroup
	for range 500 {
		c, client := l.join(t)
		id := c.Info().ID
		g.Go(func() { io.Copy(io.Discard, client) })
		g.Go(func() {
			for _, group := range []string{"x", "y", "x", "z"} {
				l.bus.Join("a", "dev", group, id)
			}
			l.bus.Leave("a", "dev", "x", id)
		})
		g.Go(func() {
			l.bus.Members("a", "dev", "y")
			l.bus.Broadcast("a", "dev", "z", []byte("hello"))
		})
		g.Go(func() {
			c.Close(connection.Normal, "")
			client.Close()
		})
	}
	g.Wait()
	l.left.Wait()
	if n := l.bus.count(); n != 0 || len(l.bus.of) != 0 {
		t.Errorf("%d groups and %d connections are left", n, len(l.bus.of))
	}
}
