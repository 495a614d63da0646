package lambda

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A script is a connection on which everything has been sent already.
type script struct {
	net.Conn
	in  *strings.Reader
	out bytes.Buffer
}

func (s *script) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *script) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s *script) Close() error                { return nil }

// converse has an environment without a process read what was sent. It is in a state, and
// its invocation is called "id".
func converse(h *Host, at state, sent string) (answers string, e *environment, inv *invocation) {
	f := &Function{host: h, spec: Spec{Name: "pets", Version: "$LATEST", Timeout: time.Hour}}
	p := &pool{function: f, spec: f.spec}
	e = newEnvironment(h, p)
	e.timer = time.AfterFunc(time.Hour, e.expire)
	inv = &invocation{id: "id", started: time.Now(), done: make(chan outcome, 1)}
	e.state = at
	if at == parked {
		e.conn = &elsewhere
	}
	h.mu.Lock()
	h.total++
	if at == initialising {
		p.starting++
	} else {
		e.initialised, e.invocation, e.place = true, inv, taken
		f.invocations++
		h.busy++
	}
	h.mu.Unlock()
	s := &script{in: strings.NewReader(sent)}
	c, err := newConn(e, s)
	if err != nil {
		panic(err)
	}
	c.serve()
	e.dismiss(c)
	e.mu.Lock()
	e.timer.Stop()
	e.mu.Unlock()
	h.mu.Lock()
	h.move(e, leaving)
	h.mu.Unlock()
	return s.out.String(), e, inv
}

// elsewhere is another connection of the environment.
var elsewhere conn

const response = "POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: x\r\n"

func TestFraming(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	long := strings.Repeat("x", maxHead)
	for _, tt := range []struct {
		name, sent string
		status     string // of the first answer; empty for none
		payload    string // what the invocation gets; empty for nothing
	}{
		{"length", response + "Content-Length: 3\r\n\r\nabc", "202", "abc"},
		{"case of names", response + "cOnTent-lEngth:3\r\n\r\nabc", "202", "abc"},
		{"chunks", response + "Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\nab\r\n0A\r\n0123456789\r\n0\r\n\r\n", "202", "ab0123456789"},
		{"expect", response + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "202", "abc"},
		{"no framing", response + "\r\n", "400", ""},
		{"two lengths", response + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400", ""},
		{"length and chunks", response + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", ""},
		{"other coding", response + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400", ""},
		{"signed length", response + "Content-Length: +3\r\n\r\nabc", "400", ""},
		{"huge length", response + "Content-Length: 99999999999999999999\r\n\r\nabc", "400", ""},
		{"chunk without a size", response + "Transfer-Encoding: chunked\r\n\r\n\r\n", "400", ""},
		{"huge chunk", response + "Transfer-Encoding: chunked\r\n\r\n100000000\r\n", "400", ""},
		{"chunk that is longer than it says", response + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "400", ""},
		{"cut", response + "Content-Length: 4\r\n\r\nabc", "400", ""},
		{"cut chunk", response + "Transfer-Encoding: chunked\r\n\r\n4\r\nabc", "400", ""},
		{"cut trailers", response + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", "400", ""},
		{"long head", response + "X: " + long + "\r\nContent-Length: 0\r\n\r\n", "400", ""},
		{"many headers", response + strings.Repeat("X: y\r\n", maxHead/6) + "Content-Length: 0\r\n\r\n", "400", ""},
		{"no host", strings.Replace(response, "Host: x\r\n", "", 1) + "Content-Length: 0\r\n\r\n", "400", ""},
		{"bare newline", strings.Replace(response, "\r\n", "\n", 1) + "Content-Length: 0\r\n\r\n", "400", ""},
		{"folded", response + "X: y\r\n z\r\nContent-Length: 0\r\n\r\n", "400", ""},
		{"space before the colon", response + "Content-Length : 0\r\n\r\n", "400", ""},
		{"old version", strings.Replace(response, "/1.1", "/1.0", 1) + "Content-Length: 0\r\n\r\n", "400", ""},
		{"other version", strings.Replace(response, "/1.1", "/2.0", 1) + "Content-Length: 0\r\n\r\n", "400", ""},
		{"GET with a body", "GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", "400", ""},
		{"ping", "GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n", "200", ""},
		{"init error too late", "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "403", ""},
		{"logs", "PUT /2020-08-15/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "202", ""},
		{"nothing", "", "", ""},
		{"half a line", "POST /2018", "", ""},
	} {
		answers, _, inv := converse(h, running, tt.sent)
		answers = strings.TrimPrefix(answers, string(proceed))
		status := ""
		if len(answers) > 12 {
			status = answers[9:12]
		}
		if status != tt.status {
			t.Errorf("%s: got %q, want %s", tt.name, answers, tt.status)
		}
		select {
		case o := <-inv.done:
			if string(o.result.Payload) != tt.payload {
				t.Errorf("%s: got payload %q, want %q", tt.name, o.result.Payload, tt.payload)
			}
		default:
			if tt.payload != "" {
				t.Errorf("%s: got no payload", tt.name)
			}
		}
	}
}

// Whatever is sent behind a request for an invocation, it is not taken for an answer.
func TestNothingBehindNext(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	const next = "GET " + nextPath + " HTTP/1.1\r\nHost: x\r\n\r\n"
	answers, _, inv := converse(h, running, response+"Content-Length: 1\r\n\r\n1"+next+response+"Content-Length: 1\r\n\r\n2")
	if o := <-inv.done; string(o.result.Payload) != "1" {
		t.Errorf("got %q", o.result.Payload)
	}
	if n := strings.Count(answers, "HTTP/1.1 "); n != 2 || !strings.Contains(answers, "HTTP/1.1 400 ") {
		t.Errorf("got %q", answers)
	}
}

func FuzzRuntimeAPI(f *testing.F) {
	const next = "GET " + nextPath + " HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, seed := range []string{
		next,
		response + "Content-Length: 3\r\n\r\nabc" + next,
		response + "Transfer-Encoding: chunked\r\n" + modeHeader + ": streaming\r\n\r\n1\r\na\r\n0\r\n" + errorTypeHeader + ": E\r\n" + errorBodyHeader + ": e30=\r\n\r\n",
		"POST /2018-06-01/runtime/invocation/id/error HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
		"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
		"GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\n\r\n",
		response + "Content-Length: 99999999\r\n\r\nabc",
	} {
		f.Add(uint8(initialising), seed)
		f.Add(uint8(running), seed)
	}
	h := newTestHost(f, Config{})
	f.Fuzz(func(t *testing.T, at uint8, sent string) {
		answers, e, inv := converse(h, state(at)%(ending+1), sent)
		for rest := answers; rest != ""; {
			head, body, ok := strings.Cut(rest, "\r\n\r\n")
			if !ok || !strings.HasPrefix(head, "HTTP/1.1 ") {
				t.Fatalf("got %q", answers)
			}
			rest = body
			if _, after, ok := strings.Cut(head, "Content-Length: "); ok {
				text, _, _ := strings.Cut(after, "\r\n")
				n, err := strconv.Atoi(text)
				if err != nil || n > len(rest) {
					t.Fatalf("got %q", answers)
				}
				rest = rest[n:]
			}
		}
		select {
		case o := <-inv.done:
			if len(o.result.Payload) > maxResponse || o.err != nil || at%uint8(ending+1) == uint8(ending) {
				t.Fatalf("got %d bytes, %v", len(o.result.Payload), o.err)
			}
		default:
		}
		if e.state == parked && e.conn != &elsewhere {
			t.Fatal("the environment waits on a connection that has ended")
		}
	})
}
