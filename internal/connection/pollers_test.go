package connection

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// TestPollers: connections of several pollers, which speak and end at the same time, and
// whose descriptors are used again, hear what is said to them and nothing else. Those that
// have ended count until their sockets are closed.
func TestPollers(t *testing.T) {
	t.Parallel()
	h := New(Config{Pollers: 4})
	handler := newEcho()
	const clients, rounds = 16, 20
	var g sync.WaitGroup
	for i := range clients {
		g.Go(func() {
			for round := range rounds {
				server, client := pair(t, "descriptor")
				c := adopt(t, h, server, handler)
				said := fmt.Sprintf("client %d round %d %s", i, round, strings.Repeat("x", 10<<10))
				write(t, client, text(said))
				expect(t, client, serverFrame(ws.OpText, said))
				if round%2 == 0 {
					c.Close(Normal, "")
					expect(t, client, appendClose(nil, Normal, ""))
					if n := h.Sockets(); n <= 0 {
						t.Errorf("%d sockets, though a client has not hung up", n)
					}
				}
				client.Close()
			}
		})
	}
	g.Wait()
	for range clients * rounds {
		await(t, handler.ends)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Drain(ctx); err != nil || h.Sockets() != 0 {
		t.Errorf("drain: %v, %d sockets are left", err, h.Sockets())
	}
}
