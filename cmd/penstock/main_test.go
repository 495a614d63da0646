package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is the program, too: under the name penstock, and as a function of the
// demo, it does what penstock does.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "penstock" || (&program{environ: os.Environ()}).function() != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// A child is a penstock in a process of its own.
type child struct {
	*exec.Cmd
	out           *bufio.Reader
	log           bytes.Buffer
	listen, admin string
}

// start starts a child, to be killed after the test if it still runs then.
func start(t *testing.T, args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: &exec.Cmd{Path: self, Args: append([]string{"penstock"}, args...), Env: environment()}}
	c.Stderr = &c.log
	c.WaitDelay = 10 * time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			c.Process.Kill()
			c.Wait()
		}
		if t.Failed() {
			t.Logf("penstock %s:\n%s", strings.Join(args, " "), c.log.Bytes())
		}
	})
	return c
}

// environment is that of this process without the variables of Penstock.
func environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, prefix) && !strings.HasPrefix(e, "AWS_") {
			env = append(env, e)
		}
	}
	return env
}

// serve starts a server on free ports and waits until it is ready.
func serve(t *testing.T, args ...string) *child {
	t.Helper()
	c := start(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	timer := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer timer.Stop()
	line, err := c.out.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscanf(line, "penstock ready listen=%s admin=%s\n", &c.listen, &c.admin)
	}
	if err != nil {
		t.Fatalf("first line %q: %v", line, err)
	}
	return c
}

// end waits for the end of a child that must come within a time, and returns its
// exit status and what is left of its output.
func (c *child) end(t *testing.T, within time.Duration) (status int, out string) {
	t.Helper()
	timer := time.AfterFunc(within, func() {
		t.Errorf("the process did not end within %v", within)
		c.Process.Kill()
	})
	defer timer.Stop()
	text, err := io.ReadAll(c.out)
	if err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// post calls the control plane and returns the ID in the answer.
func (c *child) post(t *testing.T, path, body, id string) string {
	t.Helper()
	resp, err := http.Post(c.admin+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, resp)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s: %s", path, resp.Status, text)
	}
	_, rest, _ := strings.Cut(text, `"`+id+`":"`)
	value, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("%s: no %s in %s", path, id, text)
	}
	return value
}

// quickCreate makes an API that leads to a target, and returns its URL.
func (c *child) quickCreate(t *testing.T, target string) string {
	t.Helper()
	return c.path(c.post(t, "/v2/apis", fmt.Sprintf(`{"name":"test","protocolType":"HTTP","target":%q}`, target), "apiId"))
}

func (c *child) path(apiID string) string {
	return c.listen + "/_aws/execute-api/" + apiID + "/$default"
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, read(t, resp)
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		c := serve(t, "--memory", "--log-format", "json")
		if status, body := get(t, c.admin+"/_penstock/ready"); status != http.StatusOK {
			t.Errorf("ready: got %d %s", status, body)
		}
		if status, body := get(t, c.listen+"/"); status != http.StatusNotFound {
			t.Errorf("unknown host: got %d %s", status, body)
		}
		c.signal(t, s)
		if status, out := c.end(t, 20*time.Second); status != 0 || out != "" {
			t.Errorf("%v: exit status %d, and on standard output %q after the first line", s, status, out)
		}
	}
}

// No request that has reached a backend is lost when the process is told to end,
// and requests come until it has ended.
func TestTerminateUnderLoad(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex // guards the maps
	reached, answered := map[string]bool{}, map[string]bool{}
	const held = 20
	arrived, finish := make(chan bool, held), make(chan bool)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reached[r.URL.Path] = true
		mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/held/") {
			arrived <- true
			<-finish
		}
		io.WriteString(w, r.URL.Path)
	}))
	defer backend.Close()
	let := sync.OnceFunc(func() { close(finish) })
	defer let()
	c := serve(t, "--memory")
	url := c.quickCreate(t, backend.URL)
	// Whatever is waited for below, the end of the process ends it.
	stuck := time.AfterFunc(2*time.Minute, func() {
		t.Error("stuck")
		c.Process.Kill()
		for range held {
			select {
			case arrived <- false:
			default:
			}
		}
		let()
	})
	defer stuck.Stop()

	var clients sync.WaitGroup
	call := func(client *http.Client, path string) error {
		resp, err := client.Post(url+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || string(body) != path {
			t.Errorf("%s: got %s %s (%v)", path, resp.Status, body, err)
		}
		mu.Lock()
		answered[path] = true
		mu.Unlock()
		return err
	}
	for i := range held {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			if err := call(client, fmt.Sprintf("/held/%d", i)); err != nil {
				t.Errorf("request under way: %v", err)
			}
		})
	}
	var began sync.WaitGroup
	for i := range 4 {
		began.Add(1)
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				err := call(client, fmt.Sprintf("/busy/%d/%d", i, n))
				if n == 100 || n < 100 && err != nil {
					began.Done()
				}
				if err != nil { // the server has gone
					if n < 100 {
						t.Errorf("request %d: %v", n, err)
					}
					return
				}
			}
		})
	}
	for range held {
		<-arrived
	}
	began.Wait()
	c.signal(t, syscall.SIGTERM)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if status, _ := get(t, c.admin+"/_penstock/ready"); status == http.StatusServiceUnavailable {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("ready after SIGTERM")
		}
	}
	let()
	if status, _ := c.end(t, 20*time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	clients.Wait()
	for path := range reached {
		if !answered[path] {
			t.Errorf("%s reached the backend and was not answered", path)
		}
	}
	t.Logf("%d requests", len(reached))
}

// hold serves a backend that answers when the test ends, and returns a child with
// a request under way to it.
func hold(t *testing.T, args ...string) *child {
	t.Helper()
	arrived, finish := make(chan bool, 1), make(chan bool)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-finish
	}))
	c := serve(t, append([]string{"--memory"}, args...)...)
	url := c.quickCreate(t, backend.URL)
	gone := make(chan bool)
	go func() {
		defer close(gone)
		if resp, err := http.Post(url, "text/plain", strings.NewReader("x")); err == nil {
			resp.Body.Close()
			t.Error("the request was answered")
		}
	}()
	t.Cleanup(func() {
		c.Process.Kill() // if it has not ended
		<-gone
		close(finish)
		backend.Close()
	})
	<-arrived
	return c
}

func TestSecondSignal(t *testing.T) {
	t.Parallel()
	c := hold(t)
	c.signal(t, syscall.SIGTERM)
	for { // until the first signal has been noticed
		if status, _ := get(t, c.admin+"/_penstock/ready"); status == http.StatusServiceUnavailable {
			break
		}
	}
	c.signal(t, syscall.SIGTERM)
	if status, _ := c.end(t, 10*time.Second); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
}

func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	c := hold(t, "--drain-timeout", "100ms")
	c.signal(t, syscall.SIGTERM)
	if status, _ := c.end(t, 20*time.Second); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if want := "requests that were under way for longer than drainTimeout (100ms) were cut off"; !strings.Contains(c.log.String(), want) {
		t.Errorf("got %q, want %q in it", c.log.String(), want)
	}
}

// What was acknowledged is there after kill -9.
func TestKill(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }))
	defer backend.Close()
	data := t.TempDir()
	var ids []string
	for range 3 {
		c := serve(t, "--data", data)
		for _, id := range ids {
			if status, body := get(t, c.path(id)+"/x"); status != http.StatusOK || body != "/x" {
				t.Errorf("API %s after kill -9: got %d %s", id, status, body)
			}
		}
		for range 5 {
			ids = append(ids, c.post(t, "/v2/apis", fmt.Sprintf(`{"name":"test","protocolType":"HTTP","target":%q}`, backend.URL), "apiId"))
		}
		c.signal(t, syscall.SIGKILL)
		c.end(t, 10*time.Second)
	}
}

// result runs the program in this process.
func result(args ...string) (status int, out, log string) {
	return resultIn(nil, args...)
}

// resultIn runs the program in this process, with these variables.
func resultIn(environ []string, args ...string) (status int, out, log string) {
	var stdout, stderr bytes.Buffer
	status = run(args, &program{environ, &stdout, &stderr})
	return status, stdout.String(), stderr.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 2, "expected one of"},
		{"sevre", 2, "did you mean"},
		{"serve --memori", 2, "unknown flag --memori"},
		{"serve --memory --data x", 2, "--data and --memory can't be used together"},
		{"serve --drain-timeout soon --memory", 2, "--drain-timeout"},
		{"backup", 2, "<file>"},
		{"serve --memory --admin 0.0.0.0:0 --listen 127.0.0.1:0", 1, "set credentials"},
		{"serve --memory --listen 80", 1, `listen: "80" is not an address`},
		{"serve --memory --config " + missing, 1, "read configuration: open " + missing},
		{"backup b --data " + missing, 1, "--data names the data directory"},
		{"backup b --admin http://127.0.0.1:1", 1, "connection refused"},
		{"restore " + missing + " --data x", 1, "no such file"},
		{"apis pets", 2, "unexpected argument pets"},
		{"integrations", 2, "<api>"},
		{"import", 2, "<file>"},
		{"import f --basepath keep", 2, "--basepath must be one of"},
		{"export", 2, "<api>"},
		{"export pets --format xml", 2, "--format must be one of"},
		{"apis --endpoint ftp://127.0.0.1", 1, "is not the URL of a control plane, such as http://127.0.0.1:8081"},
		{"apis --config " + missing, 1, "read configuration: open " + missing},
		{"apis --endpoint http://127.0.0.1:1", 1, "no server answers at http://127.0.0.1:1 (connect: connection refused): penstock serve starts one, --endpoint names another"},
		{"integrations pets --endpoint 127.0.0.1:1", 1, "no server answers at http://127.0.0.1:1"},
		{"export pets --endpoint http://127.0.0.1:1/", 1, "no server answers at http://127.0.0.1:1 "},
		{"import " + missing, 1, "import: open " + missing},
	} {
		status, out, log := result(strings.Fields(tt.args)...)
		if status != tt.status || out != "" || !strings.Contains(log, tt.want) || !strings.HasPrefix(log, "penstock: ") {
			t.Errorf("penstock %s: exit status %d, %q, %q, want status %d and %q", tt.args, status, out, log, tt.status, tt.want)
		}
	}
	if status, out, log := result("version"); status != 0 || !strings.HasPrefix(out, "penstock ") || !strings.Contains(out, " go1.") || log != "" {
		t.Errorf("penstock version: exit status %d, %q, %q", status, out, log)
	}
}

// Every command shows an example of itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "demo", "apis", "integrations", "import", "export", "backup", "restore", "ws", "version"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			status, out := start(t, command, "--help").end(t, 20*time.Second)
			if status != 0 || !strings.Contains(out, "Example") || !strings.Contains(out, "    penstock "+command) {
				t.Errorf("exit status %d, %s", status, out)
			}
		})
	}
}
