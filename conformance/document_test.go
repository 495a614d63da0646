//go:build conformance

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLambdaPage does what docs/lambda.md says.
func TestLambdaPage(t *testing.T) { followPage(t, "../docs/lambda.md", 30) }

// TestWebSocketPage does what docs/websocket.md says.
func TestWebSocketPage(t *testing.T) { followPage(t, "../docs/websocket.md", 80) }

// followPage makes the files of a page, types its commands into one shell, and compares
// what they print. There must be at least so many commands.
func followPage(t *testing.T, name string, least int) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 3)
	page := strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+ports[0], "127.0.0.1:8081", "127.0.0.1:"+ports[1],
		// A backend that the page starts.
		"127.0.0.1:9000", "127.0.0.1:"+ports[2], `"127.0.0.1", 9000`, `"127.0.0.1", `+ports[2],
		// What the page leaves to the defaults.
		"auditLog: none\n", "auditLog: none\nlisten: 127.0.0.1:"+ports[0]+"\nadmin: 127.0.0.1:"+ports[1]+"\n").Replace(string(text))
	s := openTerminal(t, "http://127.0.0.1:"+ports[1])
	commands := 0
	for _, b := range blocks(page) {
		if b.file != "" {
			if err := os.MkdirAll(filepath.Dir(s.path(b.file)), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, s.path(b.file), []byte(b.text))
			continue
		}
		if b.language != "console" {
			continue
		}
		for _, c := range steps(b.text) {
			commands++
			if background, ok := strings.CutSuffix(c.command, " &"); ok && c.output == "" {
				s.start(background)
			} else if got := s.run(t, c.command); !printed(c.output, got) {
				t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", c.command, got, c.output)
			}
		}
	}
	if commands < least {
		t.Errorf("only %d commands were found", commands)
	}
}

// A block is what stands between two fences.
type block struct{ language, file, text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")

func blocks(page string) (all []block) {
	for _, m := range fenced.FindAllStringSubmatch(page, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// A step of a console is a command and what it prints.
type consoleStep struct{ command, output string }

func steps(text string) (all []consoleStep) {
	for _, line := range strings.SplitAfter(text, "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, consoleStep{command: strings.TrimSuffix(command, "\n")})
		} else if len(all) > 0 {
			all[len(all)-1].output += line
		}
	}
	return all
}

// printed reports whether a command has printed what it shall; … stands for anything.
func printed(want, got string) bool {
	if want == "" {
		return got == ""
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
	return regexp.MustCompile(`(?is)^` + pattern + `$`).MatchString(strings.TrimSpace(strings.ReplaceAll(got, "\r", "")))
}

// A terminal takes commands one after another.
type terminal struct {
	dir   string
	stdin io.Writer
	lines chan string
	n     int
}

func openTerminal(t *testing.T, admin string) *terminal {
	t.Helper()
	s := &terminal{dir: t.TempDir()}
	bin := t.TempDir()
	if err := os.Symlink(os.Getenv("PENSTOCK"), filepath.Join(bin, "penstock")); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "/bin/bash")
	c.Dir = s.dir
	// What the page names by its default addresses are the commands' own defaults.
	c.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:"+os.Getenv("PATH"), "PENSTOCK_ADMIN="+strings.TrimPrefix(admin, "http://"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.WaitDelay = 10 * time.Second
	// The shell and the server in its background end together.
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		in.Close()
		_ = c.Wait()
	})
	s.stdin, s.lines = in, make(chan string)
	go func() {
		defer close(s.lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case s.lines <- line:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return s
}

func (s *terminal) path(file string) string { return filepath.Join(s.dir, file) }

// start types a command that goes on in the background. It may send its output elsewhere.
func (s *terminal) start(background string) {
	fmt.Fprintf(s.stdin, "</dev/null 2>>server.log %s &\n", background)
}

// run types a command and returns what it prints. Of one that goes on in the background,
// that is the first line. No command reads those behind it as its input.
func (s *terminal) run(t *testing.T, command string) string {
	t.Helper()
	s.n++
	if background, ok := strings.CutSuffix(command, " &"); ok {
		s.start(background)
		return s.line(t, command)
	}
	end := "end of " + strconv.Itoa(s.n)
	fmt.Fprintf(s.stdin, "{ %s\n} </dev/null 2>&1\necho; echo '%s'\n", command, end)
	var all strings.Builder
	for {
		line := s.line(t, command)
		if strings.TrimSpace(line) == end {
			return strings.TrimSuffix(all.String(), "\n")
		}
		all.WriteString(line)
	}
}

// terminalTimeout is how long a command may print nothing.
const terminalTimeout = time.Minute

// line returns the next line that is printed.
func (s *terminal) line(t *testing.T, command string) string {
	t.Helper()
	select {
	case line, ok := <-s.lines:
		if ok {
			return line
		}
	case <-time.After(terminalTimeout):
	}
	log, _ := os.ReadFile(s.path("server.log"))
	t.Fatalf("$ %s\nprints nothing more, and does not end\n%s", command, log)
	return ""
}

// freePorts returns ports that nobody listens on.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}
