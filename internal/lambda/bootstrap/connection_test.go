package bootstrap

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A rawHost is a Runtime API that writes bytes as they are given.
type rawHost struct {
	t        *testing.T
	listener net.Listener
	command  *exec.Cmd
	stderr   bytes.Buffer // to be read when the process has ended
	conn     net.Conn
	r        *bufio.Reader
}

func startRaw(t *testing.T, runtime, language, handler string) *rawHost {
	t.Helper()
	runtimes, err := installed()
	if err != nil {
		t.Fatal(err)
	}
	argv, _, err := runtimes.Command(runtime, 512)
	if err != nil {
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &rawHost{t: t, listener: listener, command: exec.Command(argv[0], argv[1:]...)}
	h.command.Stderr = &h.stderr
	h.command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=testdata/" + language, "_HANDLER=" + handler,
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
	}
	if err := h.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Close()
		if h.conn != nil {
			h.conn.Close()
		}
		if h.command.ProcessState == nil {
			h.command.Process.Kill()
			h.command.Wait()
		}
	})
	h.accept()
	return h
}

func (h *rawHost) accept() {
	h.t.Helper()
	if h.conn != nil {
		h.conn.Close()
	}
	h.listener.(*net.TCPListener).SetDeadline(time.Now().Add(wait))
	conn, err := h.listener.Accept()
	if err != nil {
		h.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(wait))
	h.conn, h.r = conn, bufio.NewReader(conn)
}

// request reads a request and checks what it asks for.
func (h *rawHost) request(method, suffix, body string) {
	h.t.Helper()
	r, err := http.ReadRequest(h.r)
	if err != nil {
		h.t.Fatal(err)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil || r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) || string(got) != body || r.Host == "" {
		h.t.Fatalf("got %s %s %q %v, want %s %s %q", r.Method, r.URL.Path, got, err, method, suffix, body)
	}
}

func (h *rawHost) write(text string) {
	h.t.Helper()
	if _, err := io.WriteString(h.conn, text); err != nil {
		h.t.Fatal(err)
	}
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"

// An answer is read the same way however it is cut, and with or without what follows.
func TestConnectionSegments(t *testing.T) {
	t.Parallel()
	for _, tt := range functions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := startRaw(t, tt.runtime, tt.name, tt.echo)
			invocation := func(id, payload string) string {
				return "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id:" + id + "\r\nContent-Length: 6\r\n\r\n" + payload
			}
			h.request("GET", "/next", "")
			text := invocation("one", `"ü1"`) + "\n" // white space belongs to the JSON
			for i := range len(text) {
				h.write(text[i : i+1])
			}
			h.request("POST", "/one/response", `"ü1"`)
			h.request("GET", "/next", "")
			h.write(accepted + invocation("two", `"ü22"`))
			h.request("POST", "/two/response", `"ü22"`)
			h.request("GET", "/next", "")
			h.write("HTTP/1.1 204 No Content\r\n\r\n" + invocation("three", `"ü33"`)[:80])
			h.write(invocation("three", `"ü33"`)[80:])
			h.request("POST", "/three/response", `"ü33"`)
			h.request("GET", "/next", "")
		})
	}
}

// A host may end the connection after it has refused an answer: the runtime comes back on
// another one. When there is no host any more, it ends.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	for _, tt := range functions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := startRaw(t, tt.runtime, tt.name, tt.echo)
			h.request("GET", "/next", "")
			for range 2 {
				h.write("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\nContent-Length: 1\r\n\r\n1")
				h.request("POST", "/one/response", "1")
				h.write("HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				h.accept()
				h.request("GET", "/next", "")
			}
			h.listener.Close()
			h.conn.Close()
			h.end("")
		})
	}
}

// end waits until the process has ended, and checks what it says.
func (h *rawHost) end(want string) {
	h.t.Helper()
	timer := time.AfterFunc(wait, func() { h.command.Process.Kill() })
	defer timer.Stop()
	h.command.Wait() // the state of the process says how it went
	if code := h.command.ProcessState.ExitCode(); code != 1 || !strings.Contains(h.stderr.String(), want) {
		h.t.Errorf("exit status %d, %q, want 1 and %q", code, h.stderr.String(), want)
	}
}

// What is not an answer of the Runtime API ends the process.
func TestConnectionMalformed(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\n"
	for _, tt := range []struct{ name, text, want string }{
		{"no HTTP", "hello\r\n\r\n", "its status line is none"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "its status line is none"},
		{"no length", ok + "\r\n1", "its length is not said"},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", "its length is not said"},
		{"both", ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1", "its length is not said"},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n1", "it has two lengths"},
		{"negative", ok + "Content-Length: -1\r\n\r\n1", "its length is not said"},
		{"too long", ok + "Content-Length: 99999999\r\n\r\n1", "its body is too long"},
		{"very long", ok + "Content-Length: 9999999999999\r\n\r\n1", "its length is not said"},
		{"no name", ok + "x\r\nContent-Length: 1\r\n\r\n1", "a header has no name"},
		{"head without end", ok + strings.Repeat("x", 200<<10), "its head is too long"},
		{"no invocation", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "the Runtime API answered 500"},
	} {
		for _, f := range functions {
			t.Run(tt.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				h := startRaw(t, f.runtime, f.name, f.echo)
				h.request("GET", "/next", "")
				io.WriteString(h.conn, tt.text) // the process may end before it is read
				h.end(tt.want)
			})
		}
	}
}
