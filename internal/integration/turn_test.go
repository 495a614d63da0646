package integration

import (
	"bufio"
	"net"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// TestTurns: places and turns are never lost, whoever gives up when.
func TestTurns(t *testing.T) {
	t.Parallel()
	closed := func(turn chan struct{}) bool {
		select {
		case <-turn:
			return true
		default:
			return false
		}
	}
	one, two, three := make(chan struct{}), make(chan struct{}), make(chan struct{})
	l := &idleList{wait: []chan struct{}{one, two, three}, open: 2}
	l.leave(two) // in the middle
	l.freed()
	if !closed(one) || closed(two) || closed(three) || l.open != 1 {
		t.Error("the first in the queue has the turn")
	}
	l.leave(one) // its time ran out together with its turn
	if !closed(three) || len(l.wait) != 0 {
		t.Error("a turn that nobody takes passes on")
	}
	l.leave(three)
	l.freed()
	if l.open != 0 {
		t.Errorf("%d are open", l.open)
	}
}

// TestFreshConnectionAtTheLimit: who must not use an idle connection takes the
// place of one, when there is no other.
func TestFreshConnectionAtTheLimit(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	c := NewClient(ClientConfig{AllowPrivate: true, MaxConns: 1})
	defer c.Close()
	p := c.pool(Target{Host: at.Addr().String(), Port: at.Port()})
	x := new(gateway.Exchange)
	deadline := time.Now().Add(5 * time.Second)
	first, err := p.get(x, deadline, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	first.put()
	if again, err := p.get(x, deadline, 0, true); again != first || err != nil {
		t.Fatalf("got %v, %v, want the idle connection", again, err)
	}
	first.put()
	second, err := p.get(x, deadline, 0, false)
	if err != nil || second == first || !second.fresh {
		t.Fatalf("got %v, %v, want a new connection", second, err)
	}
	theirs.SetReadDeadline(deadline)
	if _, err := bufio.NewReader(theirs).ReadByte(); err == nil {
		t.Error("the old connection is open")
	}
	second.discard()
	if p.idle.open != 0 {
		t.Errorf("%d are open", p.idle.open)
	}
}
