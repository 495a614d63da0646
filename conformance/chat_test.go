//go:build conformance

package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// A goPeer is a connection of this process, and does what js/sockets.mjs does of what a
// chat needs.
type goPeer struct {
	conn *websocket.Conn
}

func (c *goPeer) ask(ctx context.Context, message object, out any) (status int, err error) {
	switch message["do"] {
	case "open":
		c.conn, _, err = websocket.Dial(ctx, message["url"].(string), &websocket.DialOptions{HTTPClient: loopback})
		if err == nil {
			*out.(*opening) = opening{Status: 101}
		}
	case "send":
		err = c.conn.Write(ctx, websocket.MessageText, []byte(message["text"].(string)))
	case "next":
		var data []byte
		_, data, err = c.conn.Read(ctx)
		got := out.(*coming)
		got.Text = string(data)
		if e := (websocket.CloseError{}); errors.As(err, &e) {
			got.Code, got.Reason, err = int(e.Code), e.Reason, nil
		}
	case "close":
		err = c.conn.Close(websocket.StatusNormalClosure, "")
	default:
		err = fmt.Errorf("not for this peer: %v", message["do"])
	}
	return 0, err
}

// TestChat has three clients in one room, each of which sees everything that the others
// say, in order; and hears when one of them is gone without a word.
func TestChat(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, "webSockets: {ordered: true}")
	api := p.api(openGo(t, p.admin, tester), []string{"join", "say"}, nil)
	goes := &goPeer{}
	t.Cleanup(func() { _ = goes.conn.CloseNow() })
	members := []struct {
		name string
		peer
		id string
	}{{name: "ws", peer: openWS(t)}, {name: "python", peer: openPython(t)}, {name: "go", peer: peer{t, goes}}}
	for i := range members {
		m := &members[i]
		m.opens(p.socketURL(api, ""))
		_, m.id = p.connected(t)
		m.send(`{"action":"join"}`, 1)
		m.wants("joined")
	}

	// All speak at once. What "say" answers, which is nothing, comes between the rest.
	const each = 10
	var said sync.WaitGroup
	for _, m := range members {
		said.Go(func() {
			for i := range each {
				m.send(fmt.Sprintf(`{"action":"say","text":"%s %d"}`, m.name, i), 1)
			}
		})
	}
	said.Wait()
	for _, m := range members {
		by := map[string][]string{}
		answers := 0
		for range each * (len(members) + 1) {
			switch got := m.next(); {
			case got == (coming{}):
				answers++
			case got.Code != 0:
				t.Fatalf("%s: the end: %+v", m.name, got)
			default:
				name, what, _ := strings.Cut(got.Text, " ")
				by[name] = append(by[name], what)
			}
		}
		for _, other := range members {
			if got, want := by[other.name], strings.Fields("0 1 2 3 4 5 6 7 8 9"); !slices.Equal(got, want) {
				t.Errorf("%s heard of %s: %q, want %q", m.name, other.name, got, want)
			}
		}
		if answers != each {
			t.Errorf("%s got %d empty answers, want %d", m.name, answers, each)
		}
	}

	python := members[1]
	python.do(object{"do": "kill"}, new(object))
	p.ended(t, python.id, 1006, "Connection closed abnormally")
	members[0].wants("left: " + python.id)
	members[2].wants("left: " + python.id)
	members[2].do(object{"do": "close"}, new(object))
	p.ended(t, members[2].id, 1000, "")
	members[0].wants("left: " + members[2].id)
	members[0].do(object{"do": "close", "code": 1000}, new(object))
	members[0].ends(1000, "")
	p.ended(t, members[0].id, 1000, "")
}
