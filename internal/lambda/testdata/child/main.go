// Command child is a function for tests. It speaks the Runtime API over a connection of
// its own making and does what the event says.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An event says what to do.
type event struct {
	Do    string `json:"do"`
	Code  int    `json:"code"`
	Size  int    `json:"size"`
	Count int    `json:"count"`
	Text  string `json:"text"`
	MS    int    `json:"ms"`
}

// A client is one connection to the Runtime API.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	host   string
	event  []byte
}

// unread are connections that are open, and not read any more.
var unread []net.Conn

func dial() *client {
	host := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		fmt.Println(err)
		os.Exit(90)
	}
	if os.Getenv("UNREAD") != "" {
		// The system does not take what is not read.
		conn.(*net.TCPConn).SetReadBuffer(4096)
	}
	return &client{conn: conn, reader: bufio.NewReader(conn), host: host}
}

func (c *client) get(path string) {
	io.WriteString(c.conn, "GET /2018-06-01"+path+" HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n")
}

// post sends a body and, with next, asks for the next invocation behind it.
func (c *client) post(path, headers, body string, next bool) {
	text := "POST /2018-06-01" + path + " HTTP/1.1\r\nHost: " + c.host + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + headers + "\r\n" + body
	if next {
		text += "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + c.host + "\r\n\r\n"
	}
	io.WriteString(c.conn, text)
}

// read reads an answer: its status, its request ID, and its body, which is valid until
// the next one.
func (c *client) read() (status, id string, body []byte) {
	line, err := c.reader.ReadString('\n')
	if err != nil {
		os.Exit(91)
	}
	status = line[9:12]
	length := 0
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			os.Exit(92)
		}
		if len(line) == 2 {
			break
		}
		const idHeader, lengthHeader = "Lambda-Runtime-Aws-Request-Id: ", "Content-Length: "
		if s := string(line); strings.HasPrefix(s, idHeader) {
			id = s[len(idHeader) : len(s)-2]
		} else if strings.HasPrefix(s, lengthHeader) {
			length, _ = strconv.Atoi(s[len(lengthHeader) : len(s)-2])
		}
	}
	if cap(c.event) < length {
		c.event = make([]byte, length)
	}
	c.event = c.event[:length]
	if length > 1<<20 && os.Getenv("UNREAD") != "" {
		return status, id, []byte(`{"do":"unread"}`)
	}
	if _, err := io.ReadFull(c.reader, c.event); err != nil {
		os.Exit(93)
	}
	return status, id, c.event
}

// ask sends a request and returns the status and the body of its answer.
func (c *client) ask(path, headers, body string) string {
	c.post(path, headers, body, false)
	status, _, answer := c.read()
	return status + " " + string(answer)
}

func main() {
	// When it was started as a grandchild it only waits.
	if len(os.Args) > 1 {
		time.Sleep(time.Hour)
	}
	c := dial()
	initialise(c)
	pipeline := os.Getenv("PIPELINE") != ""
	c.get("/runtime/invocation/next")
	for {
		status, id, body := c.read()
		if status != "200" {
			fmt.Println("next:", status, string(body))
			os.Exit(94)
		}
		path := "/runtime/invocation/" + id
		var e event
		json.Unmarshal(body, &e)
		answer, answered := do(c, &e, id, path, body)
		if !answered {
			c.post(path+"/response", "", answer, pipeline)
			c.read()
		}
		if !pipeline || answered {
			c.get("/runtime/invocation/next")
		}
	}
}

// initialise does what the variable INIT says before the first invocation.
func initialise(c *client) {
	what, arg, _ := strings.Cut(os.Getenv("INIT"), ":")
	switch what {
	case "exit":
		code, _ := strconv.Atoi(arg)
		os.Exit(code)
	case "error":
		c.ask("/runtime/init/error", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n", arg)
		os.Exit(1)
	case "hang":
		time.Sleep(time.Hour)
	case "sleep":
		ms, _ := strconv.Atoi(arg)
		time.Sleep(time.Duration(ms) * time.Millisecond)
	case "count":
		// Each start adds a line to a file and fails.
		f, _ := os.OpenFile(arg, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		fmt.Fprintln(f, "start")
		f.Close()
		os.Exit(1)
	}
}

// do does what the event says. It returns the answer, or reports that it was sent.
func do(c *client, e *event, id, path string, body []byte) (answer string, answered bool) {
	quote := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	switch e.Do {
	case "":
		return string(body), false
	case "pid":
		return strconv.Itoa(os.Getpid()), false
	case "exit":
		fmt.Print("last words")
		os.Exit(e.Code)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Hour)
	case "sleep":
		if e.Text != "" {
			fmt.Println(e.Text)
		}
		time.Sleep(time.Duration(e.MS) * time.Millisecond)
		return strconv.Itoa(os.Getpid()), false
	case "print":
		fmt.Print(e.Text)
		fmt.Fprint(os.Stderr, "!")
	case "flood":
		line := strings.Repeat("x", 1023) + "\n"
		for range e.Size >> 10 {
			os.Stdout.WriteString(line)
		}
	case "alloc":
		b := make([]byte, e.Size)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		time.Sleep(time.Duration(e.MS) * time.Millisecond)
		runtime.KeepAlive(b)
	case "fork":
		b := make([]byte, e.Size)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		for range e.Count {
			if err := fork(b, e.Code != 0); err != nil {
				return quote(err.Error()), false
			}
		}
		time.Sleep(time.Duration(e.MS) * time.Millisecond)
		runtime.KeepAlive(b)
	case "big":
		s := c.ask(path+"/response", "", strings.Repeat("x", e.Size))
		fmt.Println(s)
		return "", true
	case "stream":
		c.stream(path, e.Text, "")
		c.read()
		return "", true
	case "stream-error":
		description := base64.StdEncoding.EncodeToString([]byte(e.Text))
		c.stream(path, "half", "Lambda-Runtime-Function-Error-Type: Oh.No\r\nLambda-Runtime-Function-Error-Body: "+description+"\r\n")
		c.read()
		return "", true
	case "cut":
		io.WriteString(c.conn, "POST /2018-06-01"+path+"/response HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
		c.conn.Close()
		if e.Code > 0 {
			os.Exit(e.Code)
		}
		time.Sleep(time.Hour)
	case "error":
		c.ask(path+"/error", "Lambda-Runtime-Function-Error-Type: Boom\r\n", e.Text)
		return "", true
	case "order":
		// Everything that is out of order, then the answers to it as the answer.
		other := dial()
		other.get("/runtime/invocation/next")
		_, _, b := other.read()
		all := []string{string(b),
			other.ask("/runtime/invocation/other/response", "", "1"),
			other.ask(path+"/response", "Lambda-Runtime-Function-Response-Mode: odd\r\n", "1"),
			other.ask("/runtime/init/error", "", "{}"),
			other.ask("/nothing", "", "{}"),
		}
		other.conn.Close()
		text, _ := json.Marshal(all)
		c.ask(path+"/response", "", string(text))
		fmt.Println("again:", c.ask(path+"/response", "", "2"))
		return "", true
	case "extension":
		other := dial()
		io.WriteString(other.conn, "POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		status, _, b := other.read()
		text := status + " " + string(b)
		other.get("/ping")
		_, _, b = other.read()
		other.conn.Close()
		return quote(text + " " + string(b)), false
	case "grandchild":
		cmd := exec.Command(os.Args[0], "wait")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if e.Code == 1 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		}
		if err := cmd.Start(); err != nil {
			return quote(err.Error()), false
		}
		return strconv.Itoa(cmd.Process.Pid), false
	case "forks":
		for range e.Count {
			exec.Command("/bin/sleep", "100").Start()
		}
		time.Sleep(time.Hour)
	case "temp":
		os.WriteFile(filepath.Join(os.TempDir(), "file"), []byte("x"), 0o600)
		return quote(os.TempDir()), false
	case "env":
		dir, _ := os.Getwd()
		text, _ := json.Marshal(map[string]any{"env": os.Environ(), "dir": dir, "files": descriptors(), "uid": os.Getuid()})
		return string(text), false
	case "reconnect":
		c.ask(path+"/response", "", `"bye"`)
		c.get("/runtime/invocation/next")
		c.conn.Close()
		*c = *dial()
		return "", true
	case "unread":
		// The rest of the event stays where it is.
		unread = append(unread, c.conn)
		*c = *dial()
		c.ask(path+"/response", "", `"unread"`)
		return "", true
	case "ended":
		c.ask(path+"/response", "", `"late"`)
		time.Sleep(time.Duration(e.MS) * time.Millisecond)
		return "", true
	}
	return "null", false
}

// stream sends an answer in chunks.
func (c *client) stream(path, text, trailers string) {
	var b strings.Builder
	fmt.Fprintf(&b, "POST /2018-06-01%s/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", path)
	b.WriteString("Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: application/vnd.awslambda.http-integration-response\r\n\r\n")
	for i := range len(text) {
		fmt.Fprintf(&b, "1\r\n%s\r\n", text[i:i+1])
	}
	b.WriteString("0\r\n" + trailers + "\r\n")
	io.WriteString(c.conn, b.String())
}

// descriptors are the files that are open, and what the limit for them is.
func descriptors() []string {
	var all []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil {
			all = append(all, entry.Name()+" "+target)
		}
	}
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return append(all, fmt.Sprint("limit ", limit.Max))
}
