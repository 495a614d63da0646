package bootstrap

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An answer is what a runtime has posted.
type answer struct {
	path, body            string
	header, trailer       http.Header
	chunked, disconnected bool
}

// An event is what a runtime gets to work on.
type event struct {
	payload string
	header  http.Header
}

// A process is a runtime that runs a function, and the Runtime API that it speaks to.
type process struct {
	t       testing.TB
	root    string
	events  chan event
	answers chan answer
	command *exec.Cmd
	exited  chan struct{} // closed when it has ended
	asked   chan struct{} // has a value for each time that it asks for an invocation
	count   int
	// printing has a value if something was printed.
	printing chan struct{}

	mu     sync.Mutex // guards what follows
	output bytes.Buffer
	errors bytes.Buffer
}

// requestID is that of the nth invocation, from 1.
func requestID(n int) string {
	return fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", n)
}

var installed = sync.OnceValues(func() (*Runtimes, error) {
	dir, err := os.MkdirTemp("", "bootstrap")
	if err != nil {
		return nil, err
	}
	return Install(dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if r, err := installed(); err == nil {
		os.RemoveAll(r.dir)
	}
	os.Exit(code)
}

// start runs a function whose code is in a directory of testdata. The test is skipped if
// there is no interpreter for it.
func start(t testing.TB, runtime, handler string, env ...string) *process {
	t.Helper()
	runtimes, err := installed()
	if err != nil {
		t.Fatal(err)
	}
	command, runtimeEnv, err := runtimes.Command(runtime, 512)
	if err != nil {
		t.Skip(err)
	}
	p := &process{
		t:       t,
		root:    t.TempDir(),
		events:  make(chan event),
		answers: make(chan answer, 1),
		exited:  make(chan struct{}),
		asked:   make(chan struct{}, 1<<16),

		printing: make(chan struct{}, 1),
	}
	language := "python"
	if strings.HasPrefix(runtime, "node") {
		language = "node"
	}
	if err := os.CopyFS(p.root, os.DirFS(filepath.Join("testdata", language))); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p)
	p.command = exec.Command(command[0], command[1:]...)
	p.command.Dir = p.root
	p.command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + t.TempDir(),
		"LAMBDA_TASK_ROOT=" + p.root,
		"_HANDLER=" + handler,
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=pets",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/pets",
		"AWS_LAMBDA_LOG_STREAM_NAME=2025/01/02/[$LATEST]0123",
	}, env...)
	for name, value := range runtimeEnv {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Stdout = outputWriter{p, &p.output}
	p.command.Stderr = outputWriter{p, &p.errors}
	p.command.WaitDelay = 5 * time.Second
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		p.command.Wait() // the state of the process says how it went
	}()
	t.Cleanup(func() {
		p.command.Process.Kill()
		<-p.exited
		server.CloseClientConnections()
		server.Close()
	})
	return p
}

// An outputWriter gets what a process prints.
type outputWriter struct {
	p      *process
	buffer *bytes.Buffer
}

func (w outputWriter) Write(data []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	select {
	case w.p.printing <- struct{}{}:
	default: // whoever waits for it will look again anyway
	}
	return w.buffer.Write(data)
}

// ServeHTTP is the Runtime API.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/2018-06-01/runtime/invocation/next" {
		p.asked <- struct{}{}
		select {
		case e := <-p.events:
			for name, values := range e.header {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(e.payload)))
			io.WriteString(w, e.payload)
		case <-r.Context().Done():
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	p.answers <- answer{
		path:         strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"),
		body:         string(body),
		header:       r.Header,
		trailer:      r.Trailer,
		chunked:      len(r.TransferEncoding) > 0,
		disconnected: err != nil,
	}
	const ok = `{"status":"OK"}`
	w.Header().Set("Content-Length", strconv.Itoa(len(ok)))
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, ok)
}

// wait is how long anything may take on a machine that has much to do.
const wait = time.Minute

// invoke has the function work on an event, and returns what it answers; ok is false if
// the process has ended without an answer.
func (p *process) invoke(payload string, header http.Header) (a answer, ok bool) {
	p.t.Helper()
	p.count++
	h := http.Header{
		"Lambda-Runtime-Aws-Request-Id":       {requestID(p.count)},
		"Lambda-Runtime-Deadline-Ms":          {strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10)},
		"Lambda-Runtime-Invoked-Function-Arn": {"arn:aws:lambda:us-east-1:123456789012:function:pets:live"},
	}
	for name, values := range header {
		h[name] = values
	}
	select {
	case p.events <- event{payload, h}:
	case <-p.exited:
		p.t.Fatalf("the process has ended: %v\n%s%s", p.command.ProcessState, p.stdout(), p.stderr())
	case <-time.After(wait):
		p.t.Fatalf("the function does not ask for an invocation\n%s%s", p.stdout(), p.stderr())
	}
	return p.answer()
}

// answer returns what the function posts.
func (p *process) answer() (a answer, ok bool) {
	p.t.Helper()
	select {
	case a = <-p.answers:
		return a, true
	case <-p.exited:
		select {
		case a = <-p.answers:
			return a, true
		default:
			return a, false
		}
	case <-time.After(wait):
		p.t.Fatalf("the function does not answer\n%s%s", p.stdout(), p.stderr())
		return a, false
	}
}

// exit waits for the end of the process and returns its status.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.command.ProcessState.ExitCode()
	case <-time.After(wait):
		p.t.Fatal("the process does not end")
		return 0
	}
}

func (p *process) stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors.String()
}

// lines returns what the process has printed, with what differs from run to run replaced.
// It waits until there are n lines.
func (p *process) lines(n int) []string {
	p.t.Helper()
	timeout := time.After(wait)
	for {
		lines := p.printed()
		if len(lines) >= n {
			return lines
		}
		select {
		case <-p.printing:
		case <-p.exited:
			return p.printed()
		case <-timeout:
			return lines
		}
	}
}

func (p *process) printed() []string {
	var lines []string
	scanner := bufio.NewScanner(strings.NewReader(p.stdout()))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, p.stable(scanner.Text()))
	}
	return lines
}

var (
	linePattern  = regexp.MustCompile(`line \d+, in`)
	timePattern  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	stackPattern = regexp.MustCompile(`("(?:stack|stackTrace)":\[\s*"(?:[^"\\]|\\.)*")(?:,\s*"(?:[^"\\]|\\.)*")*\]`)
)

// stable replaces directories, times and ids, and cuts stacks after the first line.
func (p *process) stable(text string) string {
	text = strings.ReplaceAll(text, p.root, "ROOT")
	if r, err := installed(); err == nil {
		text = strings.ReplaceAll(text, r.dir, "RUNTIME")
	}
	text = linePattern.ReplaceAllString(text, "line N, in")
	text = timePattern.ReplaceAllString(text, "TIME")
	text = strings.ReplaceAll(text, requestID(1), "ID")
	return stackPattern.ReplaceAllString(text, "$1]")
}

// stableJSON is stable for the body of an answer: of a trace, the first line of the first
// entry stays.
func (p *process) stableJSON(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "not JSON: " + text
	}
	if object, ok := value.(map[string]any); ok {
		for _, name := range []string{"trace", "stackTrace"} {
			if trace, ok := object[name].([]any); ok && len(trace) > 0 {
				first, _, _ := strings.Cut(fmt.Sprint(trace[0]), "\n")
				object[name] = []string{first}
			}
		}
	}
	return p.stable(compact(p.t, value))
}

// compact prints JSON so that it can be compared.
func compact(t testing.TB, value any) string {
	t.Helper()
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(buffer.String(), "\n")
}

// canonical returns JSON text in the form that stableJSON returns.
func canonical(t testing.TB, text string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return compact(t, value)
}

// decodeTrailer returns the error that stands in the trailers of a streamed answer.
func (p *process) decodeTrailer(a answer) string {
	text := a.trailer.Get("Lambda-Runtime-Function-Error-Body")
	if text == "" {
		return ""
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err.Error()
	}
	return a.trailer.Get("Lambda-Runtime-Function-Error-Type") + " " + p.stableJSON(string(body))
}

// A handlerTest calls a function once.
type handlerTest struct {
	name    string
	runtime string // "" for the usual one
	handler string
	event   string // "" if the process does not get that far
	header  http.Header
	env     []string
	// want is what is posted and where: response, error or init, and JSON; "" for nothing.
	want string
	// kind is the type of the error in the header; "" for the one in the body.
	kind string
	// log are lines that are printed, in this order. A star at the end stands for the
	// rest of a line.
	log []string
	// exit is the status that the process ends with; 0 if it goes on to wait for the next
	// invocation.
	exit int
}

func (tt *handlerTest) run(t *testing.T, runtime string) {
	t.Parallel()
	if tt.runtime != "" {
		runtime = tt.runtime
	}
	p := start(t, runtime, tt.handler, tt.env...)
	before := tree(t, p.root)
	var got answer
	var ok bool
	if tt.event == "" {
		got, ok = p.answer()
	} else {
		got, ok = p.invoke(tt.event, tt.header)
	}
	if wantOK := tt.want != ""; ok != wantOK {
		t.Fatalf("answered: %t %v, want %t\n%s%s", ok, got, wantOK, p.stdout(), p.stderr())
	}
	if ok {
		kind, body, _ := strings.Cut(tt.want, " ")
		path := map[string]string{
			"response": "invocation/" + requestID(1) + "/response",
			"error":    "invocation/" + requestID(1) + "/error",
			"init":     "init/error",
		}[kind]
		body = canonical(t, body)
		if text := p.stableJSON(got.body); got.path != path || !matches(text, body) {
			t.Errorf("got  %s %s\nwant %s %s", got.path, text, path, body)
		}
		if tt.kind == "" && kind != "response" {
			var description struct{ ErrorType string }
			json.Unmarshal([]byte(body), &description)
			tt.kind = description.ErrorType
		}
		if got := got.header.Get("Lambda-Runtime-Function-Error-Type"); got != tt.kind {
			t.Errorf("the header says that the error is %q, want %q", got, tt.kind)
		}
	}
	if tt.exit != 0 {
		if got := p.exit(); got != tt.exit {
			t.Errorf("exit status %d, want %d", got, tt.exit)
		}
	} else {
		for range 2 {
			select {
			case <-p.asked:
			case <-p.exited:
				t.Fatalf("the process has ended: %v\n%s", p.command.ProcessState, p.stderr())
			case <-time.After(wait):
				t.Fatal("it does not ask for the next invocation")
			}
		}
	}
	lines := p.lines(len(tt.log))
	if tt.log != nil && len(lines) != len(tt.log) {
		t.Errorf("%d lines:\n%q\nwant %d:\n%q", len(lines), lines, len(tt.log), tt.log)
	} else {
		for i, want := range tt.log {
			if prefix, open := strings.CutSuffix(want, "*"); lines[i] != want && (!open || !strings.HasPrefix(lines[i], prefix)) {
				t.Errorf("line %d:\ngot  %q\nwant %q", i, lines[i], want)
			}
		}
	}
	if after := tree(t, p.root); after != before {
		t.Errorf("the code has changed: %s, was %s", after, before)
	}
}

// matches compares JSON; a star at the end of a string stands for the rest of the string.
func matches(got, want string) bool {
	parts := strings.Split(want, `*"`)
	for i, part := range parts {
		rest, ok := strings.CutPrefix(got, part)
		if !ok {
			return false
		}
		if got = rest; i < len(parts)-1 {
			end := restPattern.FindString(got)
			got = got[len(end):]
		}
	}
	return got == ""
}

// restPattern is the rest of a JSON string.
var restPattern = regexp.MustCompile(`^(?:[^"\\]|\\.)*"`)

// tree lists the files of a directory.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// resident returns how much memory a process uses, in KiB; 0 on systems without /proc.
func (p *process) resident() int {
	p.t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		p.t.Fatal(err)
	}
	return pages * os.Getpagesize() / 1024
}
