package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// attack sends the cases of a class, by the number their names begin with, to a
// gateway in front of a recorder.
func attack(t *testing.T, class string) {
	t.Helper()
	addr, r := serveRecorded(t, gateway.Limits{})
	n := 0
	for _, tt := range headCases() {
		if strings.HasPrefix(tt.name, class+" ") {
			tt.check(t, addr, r)
			n++
		}
	}
	if n == 0 {
		t.Errorf("there are no cases %s", class)
	}
}

// TestSecurityClasses: no case is left out because its class has no test.
func TestSecurityClasses(t *testing.T) {
	t.Parallel()
	classes := []string{"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "12", "13", "29"}
	for _, tt := range headCases() {
		if class, _, _ := strings.Cut(tt.name, " "); !slices.Contains(classes, class) {
			t.Errorf("nobody sends %q", tt.name)
		}
	}
}

func TestSecurity01ContentLengthAndTransferEncoding(t *testing.T) {
	t.Parallel()
	attack(t, "01")
}

func TestSecurity02TransferEncoding(t *testing.T) {
	t.Parallel()
	attack(t, "02")
}

// gadgets are header lines that announce a chunked body to some parsers and not to
// others.
func gadgets() (lines []string) {
	codings := []string{"chunked", "Chunked", "cow", "identity", "gzip", "x-chunked", `"chunked"`, ""}
	for _, a := range codings {
		for _, b := range codings {
			for _, separator := range []string{",", ", ", " ,", ";", " ", "\t", "\v", "\f", "\\"} {
				lines = append(lines, "Transfer-Encoding: "+a+separator+b)
			}
			lines = append(lines, "Transfer-Encoding: "+a+"\r\nTransfer-Encoding: "+b, "Transfer-Encoding: "+a+"\r\n "+b)
		}
	}
	for _, name := range []string{
		"Transfer_Encoding", "transfer.encoding", "TransferEncoding", "X-Transfer-Encoding", "Transfer-Encoding-", "-Transfer-Encoding", "Transfer--Encoding", "Transfer-Encodin", "Transfer-Encodings",
		"TE", "Content-Encoding", "Content-Transfer-Encoding", "Transfer Encoding", "Transfer-Encoding ", "Transfer-Encoding\t", " Transfer-Encoding", "\tTransfer-Encoding", "\x00Transfer-Encoding",
		"Transfer-Encoding\x00", "Transfer-Encoding\xff", "\xefTransfer-Encoding", "Transfer\u2010Encoding", "Tran\u017ffer-Encoding", "X: y\nTransfer-Encoding", "X: y\rTransfer-Encoding", "X: y\r\rTransfer-Encoding", "X\nTransfer-Encoding",
	} {
		for _, value := range []string{": chunked", ":chunked", ":\tchunked", ":\x01chunked", ": chunked\x00", "=chunked", " : chunked"} {
			lines = append(lines, name+value)
		}
	}
	return lines
}

// TestSecurity02Gadgets: a line is understood as its plain meaning has it, or the
// request is refused; nothing in a body becomes a request.
func TestSecurity02Gadgets(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{})
	lines := gadgets()
	if len(lines) < 662 {
		t.Errorf("only %d gadgets", len(lines))
	}
	token := func(name string) bool {
		return name != "" && strings.Trim(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	}
	outcomes := map[string]int{}
	for _, line := range lines {
		name, value, colon := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		clean := strings.IndexFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) < 0
		outcome, want := "refused", []string(nil)
		switch {
		case !colon || !token(name) || !clean:
		case !strings.EqualFold(name, "Transfer-Encoding"):
			outcome, want = "no body", []string{"POST /x "} // and the chunks are no request
		case strings.EqualFold(value, "chunked"):
			outcome, want = "obeyed", []string{"POST /x abc", "GET /smuggled "} // behind the body, so a request
		}
		outcomes[outcome]++
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", line), "3\r\nabc\r\n0\r\n\r\n", smuggled)
		c.nc.CloseWrite()
		answers, err := io.ReadAll(c.br)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if refused := strings.HasPrefix(string(answers), "HTTP/1.1 400 "); refused != (outcome == "refused") {
			t.Errorf("%q: want %s, got %.100q", line, outcome, answers)
		}
		var seen []string
		for _, request := range r.take() {
			m := inTransit.FindStringSubmatch(request)
			if m == nil {
				t.Errorf("%q: backend got %q", line, request)
				continue
			}
			seen = append(seen, m[1]+" "+m[3])
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%q: backend got %q, want %q", line, seen, want)
		}
		c.nc.Close()
	}
	if outcomes["refused"] < 500 || outcomes["obeyed"] == 0 || outcomes["no body"] == 0 {
		t.Errorf("outcomes %v", outcomes)
	}
}

func TestSecurity03ContentLength(t *testing.T) {
	t.Parallel()
	attack(t, "03")
}

func TestSecurity04FoldedLines(t *testing.T) {
	t.Parallel()
	attack(t, "04")
}

func TestSecurity05LineEnds(t *testing.T) {
	t.Parallel()
	attack(t, "05")
}

func TestSecurity06FieldNames(t *testing.T) {
	t.Parallel()
	attack(t, "06")
}

func TestSecurity07Chunks(t *testing.T) {
	t.Parallel()
	attack(t, "07")
}

// TestSecurity07EarlyAnswers: whoever answers before the body was read, what is wrong
// with the chunks ends the connection.
func TestSecurity07EarlyAnswers(t *testing.T) {
	t.Parallel()
	r := record(t)
	s := newStage(t, "a", "$default", map[string]gateway.Integration{
		"GET /smuggled": proxy(t, newClient(t), "http://"+r.addr), "POST /pot": teapot{}, "POST /guarded": teapot{}, "POST /closed": teapot{}, "POST /nowhere": nil,
	})
	guarded(t, s, &guard{}, "POST /guarded")
	routeOf(t, s, "POST /closed").Limit = gateway.NewLimit(0, 0)
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	for path, status := range map[string]int{"/pot": 400, "/guarded": 401, "/closed": 429, "/nowhere": 400, "/nope": 404} {
		for _, body := range []string{"0_2e\r\n", "0x0\r\n\r\n", " 0\r\n\r\n", "Z\r\n", "3\nabc\r\n0\r\n\r\n", "0;a\nb\r\n\r\n", "0\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0\r\nA b\r\n\r\n", "-0\r\n\r\n"} {
			c := dial(t, addr)
			c.send(request("POST "+path+" HTTP/1.1", "Transfer-Encoding: chunked"), body, smuggled)
			if a := c.read("POST"); a.StatusCode != status || !a.Close {
				t.Errorf("%s %q: status %d, close %t", path, body, a.StatusCode, a.Close)
			}
			if err := c.ended(); err != nil {
				t.Errorf("%s %q: %v", path, body, err)
			}
			if seen := r.take(); seen != nil {
				t.Errorf("%s %q: backend got %q", path, body, seen)
			}
			c.nc.Close()
		}
	}
}

func TestSecurity08Hosts(t *testing.T) {
	t.Parallel()
	attack(t, "08")
}

func TestSecurity09Methods(t *testing.T) {
	t.Parallel()
	attack(t, "09")
}

func TestSecurity10Upgrade(t *testing.T) {
	t.Parallel()
	attack(t, "10")
}

// TestSecurity10SwitchingProtocols: a backend that switches protocols unasked gets
// nothing more on that connection, and the client nothing of what it says.
func TestSecurity10SwitchingProtocols(t *testing.T) {
	t.Parallel()
	l := listen(t)
	var conns sync.WaitGroup
	t.Cleanup(func() { l.Close(); conns.Wait() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				c.Read(make([]byte, 4<<10))
				answer := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
				if n == 2 {
					answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
				}
				io.WriteString(c, answer)
				io.Copy(io.Discard, c)
			})
		}
	}()
	client := newClient(t)
	_, addr := serveOne(t, gateway.Config{}, proxy(t, client, "http://"+l.Addr().String()))
	c := dial(t, addr)
	for i, want := range []string{`500 {"message":"Internal Server Error"}`, "200 good"} {
		c.send(request("GET /x HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"))
		if a := c.read("GET"); fmt.Sprint(a.StatusCode, " ", a.body) != want || a.Header.Get("Upgrade") != "" {
			t.Errorf("request %d: %d %q, want %s", i, a.StatusCode, a.body, want)
		}
	}
	client.Close()
}

func TestSecurity12Versions(t *testing.T) {
	t.Parallel()
	attack(t, "12")
}

func TestSecurity13Sizes(t *testing.T) {
	t.Parallel()
	attack(t, "13")
}

// TestSecurity13ManyParameters: a query of very many parameters is refused by its
// length, or passed on as it is; either costs little memory.
func TestSecurity13ManyParameters(t *testing.T) {
	addr, r := serveRecorded(t, gateway.Limits{})
	query := strings.Repeat("a&", 4900)
	for _, tt := range []headCase{
		{"13 100,000 parameters", "GET /x?" + strings.Repeat("a&", 100000), 414, true, nil},
		{"13 as many as fit", request("GET /x?" + query + " HTTP/1.1"), 200, false, []string{"GET /x?" + query + " "}},
		{"13 a hundred cookies", request("GET /x HTTP/1.1", slices.Repeat([]string{"Cookie: " + strings.Repeat("a=b; ", 19)}, 99)...), 200, false, []string{"GET /x "}},
		{"13 more cookies", request("GET /x HTTP/1.1", slices.Repeat([]string{"Cookie: " + strings.Repeat("a=b; ", 30)}, 99)...), 431, true, nil},
	} {
		const times = 5
		tt.check(t, addr, r) // what is kept for the next is there
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			tt.check(t, addr, r)
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 1<<20 {
			t.Errorf("%s: %d bytes, those of the test included", tt.name, each)
		}
	}
}

// TestSecurityD1SlowClients: many that send and read next to nothing are cut off, and
// meanwhile nobody else notices.
func TestSecurityD1SlowClients(t *testing.T) {
	t.Parallel()
	const each = 60
	r := record(t)
	s, addr := serve(t, gateway.Config{Limits: gateway.Limits{Head: 500 * time.Millisecond, BodyIdle: 500 * time.Millisecond, Write: 500 * time.Millisecond, Abandoned: 10 * time.Millisecond}},
		newAPI("a", newStage(t, "a", "$default", map[string]gateway.Integration{"GET /flood": flood{}, "$default": proxy(t, newClient(t), "http://"+r.addr)})))
	var told []*client
	for range each {
		head, body, reader := dial(t, addr), dial(t, addr), dial(t, addr)
		head.send("GET /slow HTTP/1.1\r\nHo")
		body.send(request("POST /slow HTTP/1.1", "Content-Length: 100"), "abc")
		reader.nc.SetReadBuffer(4 << 10)
		reader.send(request("GET /flood HTTP/1.1"))
		told = append(told, head, body)
	}
	for i := range 50 {
		if a := get(t, addr, "/good"); a.StatusCode != http.StatusOK {
			t.Errorf("good client %d: status %d", i, a.StatusCode)
		}
	}
	for i, c := range told {
		if a := c.read("GET"); a.StatusCode != http.StatusRequestTimeout || !a.Close {
			t.Errorf("slow client %d: status %d, close %t", i, a.StatusCode, a.Close)
		}
		c.nc.Close()
	}
	await(t, "those that do not read are cut off", func() bool { return s.Conns() == 0 })
	for _, request := range r.take() {
		if !strings.HasPrefix(request, "GET /good ") {
			t.Errorf("backend got %q", request)
		}
	}
}

// TestSecurityD2LargeBody: a byte more than the largest body is refused, announced or
// not, and the backend hears of neither.
func TestSecurityD2LargeBody(t *testing.T) {
	t.Parallel()
	addr, r := serveRecorded(t, gateway.Limits{})
	const most = 10 << 20
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20))
	for name, send := range map[string][]string{
		"announced": {request("POST /x HTTP/1.1", fmt.Sprint("Content-Length: ", most+1))},
		"chunks":    append([]string{request("POST /x HTTP/1.1", "Transfer-Encoding: chunked")}, append(slices.Repeat([]string{chunk}, 10), "1\r\nx\r\n0\r\n\r\n")...),
	} {
		c := dial(t, addr)
		go io.WriteString(c.nc, strings.Join(send, ""))
		if a := c.read("POST"); a.StatusCode != 413 || !a.Close {
			t.Errorf("%s: status %d, close %t", name, a.StatusCode, a.Close)
		}
		c.nc.Close()
	}
	if n := r.dials(); n != 0 {
		t.Errorf("the backend was dialed %d times", n)
	}
	c := dial(t, addr)
	go io.WriteString(c.nc, request("POST /x HTTP/1.1", fmt.Sprint("Content-Length: ", most))+strings.Repeat("x", most))
	if a := c.read("POST"); a.StatusCode != 200 {
		t.Errorf("the largest body: status %d", a.StatusCode)
	}
}
