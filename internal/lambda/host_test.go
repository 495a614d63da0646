package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/functionlog"
)

// childDir is what buildChild has made; empty for nothing yet.
var childDir string

// buildChild builds the function of the tests once, as the bootstrap of a directory.
var buildChild = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "penstock-child-")
	if err != nil {
		return "", err
	}
	childDir = dir
	// Any user may run it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/child").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if dir := os.Getenv("LAMBDA_TEST_PARENT"); dir != "" {
		beParent(dir)
		return
	}
	code := m.Run()
	if childDir != "" {
		os.RemoveAll(childDir)
	}
	os.Exit(code)
}

// beParent is a process that has a function and is killed.
func beParent(dir string) {
	log := &lines{}
	h, err := NewHost(Config{Dir: dir, Log: log})
	if err != nil {
		panic(err)
	}
	f := h.NewFunction(Spec{
		Name: "pets", Version: "$LATEST", Runtime: "provided.al2023", Timeout: time.Minute, Memory: 512, Concurrency: -1,
		Source: &directory{dir: os.Getenv("LAMBDA_TEST_CODE")},
	})
	r, err := f.Invoke(context.Background(), call(`{"do":"pid"}`))
	// The parent is killed while the function does not look at its connection.
	c := call(`{"do":"sleep","ms":60000,"text":"asleep"}`)
	go f.Invoke(context.Background(), c)
	for !slices.Contains(log.texts(c.RequestID), "asleep") {
		runtime.Gosched()
	}
	fmt.Println(string(r.Payload), err)
	select {}
}

// A directory is a source that changes when it is told to.
type directory struct {
	dir      string
	revision atomic.Uint64
	err      atomic.Pointer[error]
}

func (d *directory) Code() (string, uint64, error) {
	if err := d.err.Load(); err != nil {
		return "", 0, *err
	}
	return d.dir, d.revision.Load(), nil
}

// lines are a log.
type lines struct {
	mu  sync.Mutex
	all []functionlog.Line
}

func (l *lines) Append(line functionlog.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

// texts returns the lines of an invocation.
func (l *lines) texts(id string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var texts []string
	for _, line := range l.all {
		if line.RequestID == id {
			texts = append(texts, line.Text)
		}
	}
	return texts
}

func newTestHost(t testing.TB, config Config) *Host {
	t.Helper()
	config.Dir = t.TempDir()
	config.Logger = slog.New(slog.DiscardHandler)
	// Another user must be able to come to its own directory.
	for dir := config.Dir; dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h, err := NewHost(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(config.Dir); err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
	return h
}

// testSpec returns a spec of the function of the tests. Each pair is a variable. It has
// one environment at a time, however late that one is.
func testSpec(t testing.TB, pairs ...string) Spec {
	t.Helper()
	dir, err := buildChild()
	if err != nil {
		t.Fatal(err)
	}
	environment := make(map[string]string)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
	}
	return Spec{
		Name: "pets", Version: "$LATEST", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:pets",
		Runtime: "provided.al2023", Handler: "index.handler",
		Source: &directory{dir: dir}, Environment: environment,
		Timeout: 10 * time.Second, Memory: 512, Concurrency: 1,
	}
}

func call(event string) Call {
	return Call{RequestID: newID(), Payload: []byte(event), InvokedARN: "arn:aws:lambda:eu-west-1:123456789012:function:pets"}
}

func mustInvoke(t testing.TB, f *Function, event string) Result {
	t.Helper()
	r, err := f.Invoke(context.Background(), call(event))
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return r
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); !holds(); <-ticker.C {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("not so after 10 s: %s", what)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{InitTimeout: time.Second})
	text := func(kind, message string) string {
		return `{"errorType":"` + kind + `","errorMessage":"RequestId: {id} Error: ` + message + `"}`
	}
	fine := []string(nil)
	for _, tt := range []struct {
		name      string
		variables []string
		event     string
		want      string // of the payload; {id} is the request ID
		failed    bool
		again     bool // the environment goes on
	}{
		{"an answer", fine, `{"a":"ä"}`, `{"a":"ä"}`, false, true},
		{"pipelined", []string{"PIPELINE=1"}, `{"a":1}`, `{"a":1}`, false, true},
		{"a large event", fine, `{"text":"` + strings.Repeat("x", 6<<20-11) + `"}`, `{"text":"` + strings.Repeat("x", 6<<20-11) + `"}`, false, true},
		{"exit 3", fine, `{"do":"exit","code":3}`, text("Runtime.ExitError", "Runtime exited with error: exit status 3"), true, false},
		{"exit 0", fine, `{"do":"exit"}`, text("Runtime.ExitError", "Runtime exited without providing a reason"), true, false},
		{"killed", fine, `{"do":"kill"}`, text("Runtime.ExitError", "Runtime exited with error: signal: killed"), true, false},
		{"timeout", fine, `{"do":"sleep","ms":60000}`, text("Sandbox.Timedout", "Task timed out after 0.50 seconds"), true, false},
		{"error", fine, `{"do":"error","text":"{\"errorType\":\"E\"}"}`, `{"errorType":"E"}`, true, true},
		{"error without a body", fine, `{"do":"error"}`, text("Boom", "The runtime has not described the error"), true, true},
		{"largest", fine, `{"do":"big","size":6291556}`, strings.Repeat("x", maxResponse), false, true},
		{"too large", fine, `{"do":"big","size":6291557}`, tooLarge, true, true},
		{"far too large", fine, `{"do":"big","size":67108865}`, tooLarge, true, false},
		{"stream", fine, `{"do":"stream","text":"{}\u0000body"}`, "{}\x00body", false, true},
		{"stream with an error", fine, `{"do":"stream-error","text":"{\"errorType\":\"Oh.No\"}"}`, `{"errorType":"Oh.No"}`, true, true},
		{"half an answer", fine, `{"do":"cut"}`, text("Runtime.TruncatedResponse", "Response from runtime is truncated"), true, false},
		{"half an answer and an exit", fine, `{"do":"cut","code":4}`, text("Runtime.ExitError", "Runtime exited with error: exit status 4"), true, false},
		{"memory", fine, `{"do":"alloc","size":900000000,"ms":60000}`, text("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"), true, false},
		{"initialisation exits", []string{"INIT=exit:5"}, `{}`, text("Runtime.ExitError", "Runtime exited with error: exit status 5"), true, false},
		{"initialisation fails", []string{`INIT=error:{"errorType":"Runtime.Bad"}`}, `{}`, `{"errorType":"Runtime.Bad"}`, true, false},
		{"initialisation hangs", []string{"INIT=hang"}, `{}`, text("Sandbox.Timedout", "Task timed out after 1.00 seconds"), true, false},
		{"initialisation is not in the timeout", []string{"INIT=sleep:300"}, `{"do":"sleep","ms":250}`, "", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := testSpec(t, tt.variables...)
			spec.Timeout = 500 * time.Millisecond
			if strings.Contains(tt.name, "large") || tt.name == "memory" {
				spec.Timeout = 20 * time.Second
			}
			f := h.NewFunction(spec)
			c := call(tt.event)
			r, err := f.Invoke(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(tt.want, "{id}", c.RequestID)
			if got := string(r.Payload); got != want && want != "" {
				t.Errorf("got %.300q, want %.300q", got, want)
			}
			if failed := r.FunctionError == "Unhandled"; failed != tt.failed {
				t.Errorf("got function error %q and payload %.300q", r.FunctionError, r.Payload)
			}
			if streamed := r.ContentType != ""; streamed != (tt.name == "stream") {
				t.Errorf("got content type %q", r.ContentType)
			}
			if !tt.again {
				eventually(t, "the environment ends", func() bool { return first(h, f) == nil })
				return
			}
			before := first(h, f)
			if r := mustInvoke(t, f, `{"next":1}`); string(r.Payload) != `{"next":1}` {
				t.Errorf("next: got %q", r.Payload)
			}
			if again := first(h, f); again != before {
				t.Error("it is another environment")
			}
		})
	}
}

// first returns the oldest environment of a function that is not ending; nil for none.
func first(h *Host, f *Function) *environment {
	h.mu.Lock()
	defer h.mu.Unlock()
	var oldest *environment
	for e := range h.members {
		if e.pool.function == f && e.place != leaving && (oldest == nil || e.created.Before(oldest.created)) {
			oldest = e
		}
	}
	return oldest
}

func TestEntrypoints(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	text := t.TempDir()
	if err := os.WriteFile(filepath.Join(text, "bootstrap"), []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	child, err := buildChild()
	if err != nil {
		t.Fatal(err)
	}
	h := newTestHost(t, Config{
		Commands: map[string][]string{"java21": {child + "/bootstrap"}, "ruby3.3": {"no-such-program-here", "x"}, "odd": {"/no/such/file"}},
		BootstrapCommand: func(runtime string, _ int) ([]string, map[string]string, error) {
			if runtime == "nodejs22.x" {
				return nil, nil, errors.New("node is not in PATH; install Node.js")
			}
			return nil, nil, fmt.Errorf("unknown runtime %q", runtime)
		},
	})
	for _, tt := range []struct {
		runtime, dir, kind, message string
	}{
		{"java21", empty, "", ""},
		{"provided.al2023", empty, "Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [" + empty + "/bootstrap]"},
		{"provided.al2", text, "Runtime.InvalidEntrypoint", "is not an executable file"},
		{"ruby3.3", empty, "Runtime.InvalidEntrypoint", "no-such-program-here is not in PATH; install it, or configure another command"},
		{"odd", empty, "Runtime.InvalidEntrypoint", "/no/such/file"},
		{"nodejs22.x", empty, "Runtime.InvalidRuntime", "install Node.js"},
		{"cobol", empty, "Runtime.InvalidRuntime", "unknown runtime"},
	} {
		spec := testSpec(t)
		spec.Runtime, spec.Source = tt.runtime, &directory{dir: tt.dir}
		r := mustInvoke(t, h.NewFunction(spec), `{"a":1}`)
		if tt.kind == "" {
			if string(r.Payload) != `{"a":1}` {
				t.Errorf("%s: got %q", tt.runtime, r.Payload)
			}
			continue
		}
		var got struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal(r.Payload, &got); err != nil || got.ErrorType != tt.kind || !strings.Contains(got.ErrorMessage, tt.message) {
			t.Errorf("%s: got %s, want %s with %q", tt.runtime, r.Payload, tt.kind, tt.message)
		}
	}

	source := &directory{}
	source.err.Store(new(errors.New("no such directory")))
	spec := testSpec(t)
	spec.Source = source
	if r := mustInvoke(t, h.NewFunction(spec), `{}`); !strings.Contains(string(r.Payload), "no such directory") {
		t.Errorf("code that cannot be read: got %s", r.Payload)
	}
}

func TestRuntimeAPIOrder(t *testing.T) {
	t.Parallel()
	log := &lines{}
	f := newTestHost(t, Config{Log: log}).NewFunction(testSpec(t))
	c := call(`{"do":"order"}`)
	r, err := f.Invoke(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err, string(r.Payload))
	}
	for i, want := range []string{"InvalidStateTransition", "400 {\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}", "InvalidFunctionResponseMode", "403 ", "404 "} {
		if !strings.Contains(got[i], want) {
			t.Errorf("%d: got %s, want %s", i, got[i], want)
		}
	}
	mustInvoke(t, f, `{}`)
	if !slices.ContainsFunc(log.texts(""), func(s string) bool { return strings.HasPrefix(s, "again: 403 ") }) {
		t.Errorf("a second answer: got %q", log.texts(""))
	}
	if r := mustInvoke(t, f, `{"do":"extension"}`); !strings.Contains(string(r.Payload), `200 {\"functionName\":\"pets\",\"functionVersion\":\"$LATEST\",\"handler\":\"index.handler\"} pong`) {
		t.Errorf("extension: got %s", r.Payload)
	}
	if r := mustInvoke(t, f, `{"do":"reconnect"}`); string(r.Payload) != `"bye"` {
		t.Errorf("reconnect: got %s", r.Payload)
	}
	e := first(f.host, f)
	eventually(t, "it waits on its new connection", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.state == parked && !e.conn.hungUp()
	})
	if r := mustInvoke(t, f, `{"after":1}`); string(r.Payload) != `{"after":1}` {
		t.Errorf("after reconnecting: got %s", r.Payload)
	}
}

// An event that a function does not read, and answers on another connection, takes no
// memory and no connection any more.
func TestUnreadEvents(t *testing.T) {
	t.Parallel()
	f := newTestHost(t, Config{}).NewFunction(testSpec(t, "UNREAD=1"))
	event := `{"text":"` + strings.Repeat("x", 6<<20-11) + `"}`
	for i := range 2 * maxConns {
		if r := mustInvoke(t, f, event); string(r.Payload) != `"unread"` {
			t.Fatalf("%d: got %s", i, r.Payload)
		}
	}
	e := first(f.host, f)
	eventually(t, "two connections are left", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.open) <= 2
	})
}

func TestVariables(t *testing.T) {
	t.Parallel()
	// A descriptor that is inherited unless the host sees to it.
	h := newTestHost(t, Config{
		Region: "eu-west-1", Credentials: Credentials{"AKID", "secret", "token"},
	})
	spec := testSpec(t, "MINE=1", "TZ=Europe/Berlin", "AWS_REGION=us-east-1", "AWS_LAMBDA_RUNTIME_API=evil", "_HANDLER=x", "AWS_XRAY_CONTEXT_MISSING=y", "TMPDIR=/")
	spec.LogFormat = "JSON"
	r := mustInvoke(t, h.NewFunction(spec), `{"do":"env"}`)
	var got struct {
		Env, Files []string
		Dir        string
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	values := make(map[string]string)
	for _, pair := range got.Env {
		name, value, _ := strings.Cut(pair, "=")
		names = append(names, name)
		values[name] = value
	}
	slices.Sort(names)
	want := strings.Fields(`AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME
		AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_FORMAT AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_LEVEL
		AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_XRAY_CONTEXT_MISSING
		LAMBDA_TASK_ROOT LANG LD_LIBRARY_PATH MINE NODE_PATH PATH PYTHONPATH TMPDIR TZ _HANDLER`)
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	for name, want := range map[string]string{
		"MINE": "1", "TZ": "Europe/Berlin", "AWS_REGION": "eu-west-1", "_HANDLER": "index.handler", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/pets", "LAMBDA_TASK_ROOT": got.Dir, "AWS_SESSION_TOKEN": "token", "AWS_XRAY_CONTEXT_MISSING": "y",
	} {
		if values[name] != want {
			t.Errorf("%s: got %q, want %q", name, values[name], want)
		}
	}
	if !strings.HasPrefix(values["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:") || !strings.HasPrefix(values["TMPDIR"], h.dir+"/") {
		t.Errorf("got %q and %q", values["AWS_LAMBDA_RUNTIME_API"], values["TMPDIR"])
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if _, err := NewHost(Config{User: "nobody"}); err == nil {
			t.Error("functions run as another user without root")
		}
		return
	}
	h := newTestHost(t, Config{User: "nobody"})
	r := mustInvoke(t, h.NewFunction(testSpec(t)), `{"do":"env"}`)
	var got struct{ UID int }
	if err := json.Unmarshal(r.Payload, &got); err != nil || got.UID != int(h.credential.Uid) || got.UID == 0 {
		t.Errorf("got user %d, %v: %s", got.UID, err, r.Payload)
	}
	if _, err := NewHost(Config{User: "no-such-user"}); err == nil {
		t.Error("a user that does not exist is fine")
	}
}
