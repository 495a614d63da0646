package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/coder/websocket"
)

// A guest is a connection that a test serves.
type guest struct {
	*websocket.Conn
	request *http.Request
}

// read returns the next message, or the error as text.
func (g guest) read() string {
	_, text, err := g.Read(g.request.Context())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (g guest) send(kind websocket.MessageType, text string) {
	g.Write(g.request.Context(), kind, []byte(text)) // who is gone does not hear it
}

// host serves WebSocket connections and returns the URL. The server waits for every
// handler.
func host(t *testing.T, options websocket.AcceptOptions, handle func(guest)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("apigw-requestid", "R1=")
		conn, err := websocket.Accept(w, r, &options)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(-1)
		handle(guest{conn, r})
	}))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// bare serves connections that are as bare as the protocol has them, and returns the URL.
func bare(t *testing.T, handle func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	done := make(chan bool, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { done <- true }()
		defer conn.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
		handle(conn, rw.Reader)
	}))
	t.Cleanup(func() {
		<-done
		s.Close()
	})
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// A frame is one of a client.
type frame struct {
	final   bool
	opcode  byte
	payload []byte
}

func readFrame(r io.Reader) (f frame, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f.final, f.opcode = head[0]&0x80 != 0, head[0]&0xf
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		var n uint16
		err = binary.Read(r, binary.BigEndian, &n)
		length = uint64(n)
	case 127:
		err = binary.Read(r, binary.BigEndian, &length)
	}
	if err != nil {
		return f, err
	}
	masked := make([]byte, 4+length)
	_, err = io.ReadFull(r, masked)
	f.payload = masked[4:]
	for i := range f.payload {
		f.payload[i] ^= masked[i%4]
	}
	return f, err
}

// A talk is what one penstock ws had to say.
type talk struct {
	out, notes string
	err        error
}

// converse runs penstock ws in this process. Its input ends only if in does.
func converse(t *testing.T, in io.Reader, d *dialogue, args ...string) talk {
	t.Helper()
	var c wsCommand
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	var out, notes bytes.Buffer
	d.notes = &notes
	if d.out == nil {
		d.out = &out
	}
	err = c.converse(&program{environ: signing}, in, d)
	return talk{out.String(), notes.String(), err}
}

// open returns an input that does not end before the test does.
func open(t *testing.T, text string) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return io.MultiReader(strings.NewReader(text), r)
}

func echo(g guest) {
	for {
		kind, text, err := g.Read(g.request.Context())
		if err != nil {
			return
		}
		g.send(kind, string(text))
	}
}

// closing closes the connection after the first message.
func closing(code websocket.StatusCode, reason string) func(guest) {
	return func(g guest) {
		g.read()
		g.Close(code, reason)
	}
}

func TestWS(t *testing.T) {
	t.Parallel()
	binaryGuest := func(g guest) {
		g.send(websocket.MessageBinary, "\x00\xff")
		g.Close(1000, "bye")
	}
	twoLines := func(g guest) {
		g.send(websocket.MessageText, "a\tb\n\x1b[31mc")
		g.Close(1000, "")
	}
	long := strings.Repeat("é", 60_000)
	for _, tt := range []struct {
		name   string
		args   []string
		in     io.Reader
		handle func(guest)
		out    string
		notes  string // after the first one
		err    string
	}{
		{"lines", []string{"--count=3"}, strings.NewReader("a\n\nb"), echo, "a\n\nb\n", "closed: 1000\n", ""},
		{"lines of Windows", []string{"--count=2"}, strings.NewReader("a\r\nb\r\n"), echo, "a\nb\n", "closed: 1000\n", ""},
		{"execute before lines", []string{"-x", `{"a": 1, "b": 2}`, "-x", "x\ny", "--count=3"}, strings.NewReader("z\n"), echo, "{\"a\": 1, \"b\": 2}\nx\ny\nz\n", "closed: 1000\n", ""},
		{"execute only", []string{"-x", "a", "--count=1"}, nil, echo, "a\n", "closed: 1000\n", ""},
		{"a long line", []string{"--count=1"}, strings.NewReader(long), echo, long + "\n", "closed: 1000\n", ""},
		{"a binary message", nil, open(t, ""), binaryGuest, "binary: AP8=\n", "closed by the server: 1000 bye\n", ""},
		{"text as it is", nil, open(t, ""), twoLines, "a\tb\n\x1b[31mc\n", "closed by the server: 1000\n", ""},
		{"count before the end of the input", []string{"--count=1"}, open(t, "a\n"), echo, "a\n", "closed: 1000\n", ""},
		{"wait", []string{"--wait=10ms"}, strings.NewReader(""), echo, "", "closed: 1000\n", ""},
		{"no wait", []string{"--wait=0"}, strings.NewReader(""), echo, "", "closed: 1000\n", ""},
		{"too few", []string{"--count=3", "--wait=0"}, strings.NewReader(""), echo, "", "closed: 1000\n", "0 of 3 messages came"},
		{"too few from the server", []string{"--count=2"}, open(t, ""), binaryGuest, "binary: AP8=\n", "closed by the server: 1000 bye\n", "1 of 2 messages came"},
		{"no code", nil, open(t, "a\n"), closing(websocket.StatusNoStatusRcvd, ""), "", "closed by the server: no code\n", ""},
		{"going away", nil, open(t, "a\n"), closing(1001, "Going away"), "", "", "closed by the server: 1001 Going away\nThe connection was idle for 10 minutes or open for 2 hours, the stage is gone, or the server ends."},
		{"too long for the service", []string{"--count=1"}, open(t, "a\n"), closing(1009, ""), "", "", "0 of 1 messages came: closed by the server: 1009\nA message may have 131072 bytes (128 KB), and a frame 32768."},
		{"a reason that controls terminals", nil, open(t, "a\n"), closing(4000, "\x1b[2J"), "", "", `closed by the server: 4000 \x1b[2J`},
		{"a line without end", []string{"--wait=1h"}, strings.NewReader(strings.Repeat("x", maxMessage+1)), echo, "", "closed: 1000\n", "a line has more than 1048576 bytes: the service takes messages of up to 131072"},
		{"a timeout", []string{"--timeout=50ms"}, open(t, ""), echo, "", "closed: 1000\n", "not over after 50ms (--timeout)"},
		{"a broken input", nil, failing{}, echo, "", "closed: 1000\n", "read standard input: no space left on device"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := host(t, websocket.AcceptOptions{}, tt.handle)
			got := converse(t, tt.in, &dialogue{}, append(tt.args, url+"/dev?secret=hush")...)
			notes := "connected to " + url + "/dev; request ID R1=\n" + tt.notes
			text := ""
			if got.err != nil {
				text = got.err.Error()
			}
			if got.out != tt.out || got.notes != notes || text != tt.err {
				t.Errorf("got\n%.200q\n%q\n%q\nwant\n%.200q\n%q\n%q", got.out, got.notes, text, tt.out, notes, tt.err)
			}
		})
	}
}

// A failing gives nothing.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("%w", syscall.ENOSPC) }

// A message arrives in frames that the service takes, and whole.
func TestWSFrames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size int
		want []int // bytes of each frame
	}{
		{0, []int{0}},
		{32768, []int{32768}},
		{32769, []int{32768, 1, 0}},
		{131072, []int{32768, 32768, 32768, 32768, 0}},
	} {
		text := strings.Repeat("0123456789abcdef", tt.size/16+1)[:tt.size]
		frames := make(chan []frame, 1)
		url := bare(t, func(conn net.Conn, r *bufio.Reader) {
			var all []frame
			for {
				f, err := readFrame(r)
				if err != nil || f.opcode == 8 {
					break
				}
				all = append(all, f)
			}
			conn.Write([]byte{0x88, 2, 3, 0xe8})
			frames <- all
		})
		if got := converse(t, strings.NewReader(text+"\n"), &dialogue{}, "--wait=0", "--deflate", url); got.err != nil {
			t.Errorf("%d bytes: %v", tt.size, got.err)
		}
		var sizes []int
		var whole strings.Builder
		for i, f := range <-frames {
			sizes = append(sizes, len(f.payload))
			whole.Write(f.payload)
			if wantOpcode := map[bool]byte{true: 1, false: 0}[i == 0]; f.opcode != wantOpcode || f.final != (i == len(tt.want)-1) {
				t.Errorf("%d bytes: frame %d has opcode %d, final %t", tt.size, i, f.opcode, f.final)
			}
		}
		if fmt.Sprint(sizes) != fmt.Sprint(tt.want) || whole.String() != text {
			t.Errorf("%d bytes: frames of %v, want %v, the same text: %t", tt.size, sizes, tt.want, whole.String() == text)
		}
	}
}

// Servers that do not keep to the protocol are told of, and never waited for without end.
func TestWSBroken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		handle func(net.Conn, *bufio.Reader)
		notes  string
		err    string
	}{
		{"lost", nil, func(net.Conn, *bufio.Reader) {}, "", "the connection was lost: 1006, no close frame (EOF)"},
		{"lost within a frame", nil, func(conn net.Conn, _ *bufio.Reader) { conn.Write([]byte{0x81, 5, 'a'}) }, "", "the connection was lost: 1006, no close frame (unexpected EOF)"},
		{"reset", []string{"-x", "a"}, func(conn net.Conn, r *bufio.Reader) {
			readFrame(r)
			conn.(*net.TCPConn).SetLinger(0)
		}, "", "the connection was lost: 1006, no close frame (connection reset by peer)"},
		{"reserved bits", nil, func(conn net.Conn, r *bufio.Reader) {
			conn.Write([]byte{0xf1, 0})
			io.Copy(io.Discard, r)
		}, "", "the server breaks the protocol: "},
		{"a code that may not be sent", nil, func(conn net.Conn, r *bufio.Reader) {
			conn.Write([]byte{0x88, 2, 0x03, 0xed})
			io.Copy(io.Discard, r)
		}, "", "the server breaks the protocol: "},
		{"too long", nil, func(conn net.Conn, r *bufio.Reader) {
			conn.Write(binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<40))
			go io.Copy(io.Discard, r)
			io.CopyN(conn, zeros{}, 20<<20) // ends when the client does
		}, "", "closed: 1009: a message of more than 16 MiB came"},
		{"an unconfirmed close", []string{"-x", "a", "--count=1"}, func(conn net.Conn, r *bufio.Reader) {
			readFrame(r)
			conn.Write([]byte{0x81, 1, 'b'})
			readFrame(r)
		}, "closed: 1000; the server does not confirm it\n", ""},
		{"closed by both", []string{"-x", "a", "--count=1"}, func(conn net.Conn, r *bufio.Reader) {
			conn.Write([]byte{0x81, 1, 'b', 0x88, 2, 0x03, 0xf1})
			io.Copy(io.Discard, r)
		}, "", "closed by the server: 1009\n"},
		{"closed by both, without an end of the input", []string{"--timeout=50ms"}, func(conn net.Conn, r *bufio.Reader) {
			readFrame(r)
			conn.Write([]byte{0x88, 2, 0x03, 0xf3})
			io.Copy(io.Discard, r)
		}, "", "closed by the server: 1011\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := bare(t, tt.handle)
			got := converse(t, open(t, ""), &dialogue{}, append(tt.args, url)...)
			if notes := "connected to " + url + "\n" + tt.notes; got.notes != notes {
				t.Errorf("got %q, want %q", got.notes, notes)
			}
			if (got.err == nil) != (tt.err == "") || got.err != nil && !strings.HasPrefix(got.err.Error(), tt.err) {
				t.Errorf("got %v, want %s", got.err, tt.err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestWSPing(t *testing.T) {
	t.Parallel()
	pings := make(chan bool, 1000)
	url := host(t, websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
		pings <- true
		return true
	}}, func(g guest) {
		go func() {
			for range 3 {
				<-pings
			}
			g.send(websocket.MessageText, "three pings")
		}()
		g.read()
	})
	if got := converse(t, open(t, ""), &dialogue{}, "--ping=1ms", "--count=1", url); got.err != nil || got.out != "three pings\n" {
		t.Errorf("got %q, %v", got.out, got.err)
	}

	url = host(t, websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool { return false }}, echo)
	conn, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	var notes bytes.Buffer
	s := &session{conn: conn, dialogue: &dialogue{out: io.Discard, notes: &notes}, in: open(t, ""), ping: time.Millisecond, pongTimeout: 20 * time.Millisecond}
	if err := s.run(t.Context()); err == nil || err.Error() != "the server does not answer a ping within 20ms" || notes.String() != "closed: 1000\n" {
		t.Errorf("got %v, %q", err, notes.String())
	}
}

// On a terminal a person sees which line is whose, and messages control nothing.
func TestWSTerminal(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	url := host(t, websocket.AcceptOptions{}, func(g guest) {
		heard <- g.read()
		g.send(websocket.MessageText, "\x1b[2J\u202eb\n\tc")
		heard <- g.read()
	})
	got := converse(t, open(t, "\n\na\n"), &dialogue{screen: true, prompts: true}, "--count=1", url)
	if got.err != nil {
		t.Fatal(got.err)
	}
	// The answer may come before the prompt of the next line, or after it.
	text := strings.ReplaceAll(got.out, clearLine, "")
	if want := `< \x1b[2J\u202eb` + "\n\tc\n> "; !strings.HasPrefix(text, "> > > ") || !strings.Contains(text, want) || !strings.HasSuffix(got.out, clearLine) {
		t.Errorf("got %q, want %q in it", text, want)
	}
	if first, last := <-heard, <-heard; first != "a" || !strings.Contains(last, "StatusNormalClosure") {
		t.Errorf("the server heard %q and %q, want a and the end", first, last)
	}
	for name, want := range map[string]bool{os.DevNull: false, "ws_test.go": false, "/dev/ptmx": true} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := isTerminal(f); got != want {
			t.Errorf("%s is a terminal: %t", name, got)
		}
	}
}

// An output that takes nothing ends the conversation.
func TestWSFullOutput(t *testing.T) {
	t.Parallel()
	closed := make(chan string, 1)
	url := host(t, websocket.AcceptOptions{}, func(g guest) {
		g.send(websocket.MessageText, "a")
		closed <- g.read()
	})
	got := converse(t, open(t, ""), &dialogue{out: full{}}, url)
	if !errors.Is(got.err, syscall.ENOSPC) {
		t.Errorf("got %v", got.err)
	}
	if text := <-closed; !strings.Contains(text, "StatusNormalClosure") {
		t.Errorf("the server saw %s", text)
	}
}

// A server that reads nothing while it writes, and the client likewise, do not wait for
// each other.
func TestWSBothWays(t *testing.T) {
	t.Parallel()
	const messages = 80
	text := strings.Repeat("x", 100_000)
	url := host(t, websocket.AcceptOptions{}, func(g guest) {
		for range messages {
			g.send(websocket.MessageText, text)
		}
		for range messages {
			if g.read() != text {
				t.Error("another message came")
			}
		}
		g.Close(1000, "")
	})
	in := strings.NewReader(strings.Repeat(text+"\n", messages))
	if got := converse(t, in, &dialogue{}, "--wait=1m", url); got.err != nil || len(got.out) != messages*(len(text)+1) {
		t.Errorf("got %d bytes, %v", len(got.out), got.err)
	}
}

// Ctrl-C closes the connection with 1000, which is a normal end; while the server does not
// answer the handshake, it is none.
func TestWSInterrupted(t *testing.T) {
	t.Parallel()
	closed := make(chan error, 1)
	url := host(t, websocket.AcceptOptions{}, func(g guest) {
		_, _, err := g.Read(g.request.Context())
		closed <- err
	})
	c := command(t, "ws", url)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() {
		t.Error("the process did not end")
		c.Process.Kill()
	})
	defer timer.Stop()
	lines := bufio.NewReader(log)
	if line, err := lines.ReadString('\n'); err != nil || line != "connected to "+url+"; request ID R1=\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	if err := c.Wait(); err != nil || string(rest) != "closed: 1000\n" {
		t.Errorf("got %q, %v", rest, err)
	}
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the server saw %v", err)
	}

	quiet, asked := silent(t)
	silentChild := start(t, "ws", strings.Replace(quiet, "http", "ws", 1))
	<-asked
	silentChild.signal(t, os.Interrupt)
	if status, out := silentChild.end(t, 20*time.Second); status != 1 || out != "" || silentChild.log.String() != "penstock: interrupted\n" {
		t.Errorf("exit status %d, %q, %q", status, out, silentChild.log.String())
	}
}
