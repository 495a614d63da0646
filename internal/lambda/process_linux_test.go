//go:build linux

package lambda

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// alive reports whether a process is there and not only waits to be waited for.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	i := bytes.LastIndexByte(b, ')')
	return i >= 0 && !bytes.HasPrefix(b[i:], []byte(") Z"))
}

func mustPID(t testing.TB, r Result) int {
	t.Helper()
	pid, err := strconv.Atoi(string(r.Payload))
	if err != nil {
		t.Fatalf("got %s", r.Payload)
	}
	return pid
}

func TestGrandchildren(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	grandchild := mustPID(t, mustInvoke(t, f, `{"do":"grandchild"}`))
	if !alive(grandchild) {
		t.Fatal("there is no grandchild")
	}
	mustInvoke(t, f, `{"do":"exit"}`)
	eventually(t, "the grandchild has ended", func() bool { return !alive(grandchild) })

	// One that has left the group and holds the output keeps nobody waiting.
	stray := mustPID(t, mustInvoke(t, f, `{"do":"grandchild","code":1}`))
	defer syscall.Kill(stray, syscall.SIGKILL)
	began := time.Now()
	mustInvoke(t, f, `{"do":"exit"}`)
	eventually(t, "the environment has ended", func() bool { n, _ := h.Stats(); return n == 0 })
	if err := h.Close(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("closing took %v, %v", time.Since(began), err)
	}
}

// Orphans of a group are waited for by the first process of a container. This one is like
// it when it is started again.
func TestOrphans(t *testing.T) {
	if os.Getenv("LAMBDA_TEST_ORPHANS") == "" {
		command := exec.Command(os.Args[0], "-test.run=^TestOrphans$")
		command.Env = append(os.Environ(), "LAMBDA_TEST_ORPHANS=1")
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	for range 3 {
		mustInvoke(t, f, `{"do":"grandchild"}`)
		mustInvoke(t, f, `{"do":"exit"}`)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if children := childrenOf(t, os.Getpid()); len(children) > 0 {
		t.Errorf("processes are left: %v", children)
	}
}

func TestForkBomb(t *testing.T) {
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Memory, spec.Timeout = 10240, 30*time.Second
	r := mustInvoke(t, h.NewFunction(spec), `{"do":"forks","count":1100}`)
	if !strings.Contains(string(r.Payload), "Runtime.OutOfMemory") {
		t.Errorf("got %s", r.Payload)
	}
}

// Crashes, a thousand of them, leave nothing behind, and do not hinder a neighbour.
func TestCrashesLeaveNothing(t *testing.T) {
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Concurrency = -1
	f, neighbour := h.NewFunction(spec), h.NewFunction(spec)
	mustInvoke(t, neighbour, `{}`)
	mustInvoke(t, f, `{"do":"exit"}`)
	settled := func() bool { n, busy := h.Stats(); return n == 1 && busy == 0 }
	eventually(t, "one environment is left", settled)
	files, goroutines := descriptors(t), 0
	eventually(t, "goroutines have ended", func() bool {
		n := runtime.NumGoroutine()
		same := n == goroutines
		goroutines = n
		return same
	})
	const crashes = 1000
	work := make(chan string, crashes)
	for i := range crashes {
		work <- fmt.Sprintf(`{"do":"exit","code":%d}`, i%3)
	}
	close(work)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for event := range work {
				r, err := f.Invoke(context.Background(), call(event))
				if err != nil || !strings.Contains(string(r.Payload), "Runtime.ExitError") {
					t.Errorf("got %s, %v", r.Payload, err)
				}
				if r, err := neighbour.Invoke(context.Background(), call(`{"a":1}`)); err != nil || string(r.Payload) != `{"a":1}` {
					t.Errorf("neighbour: got %s, %v", r.Payload, err)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
	neighbour.Close()
	eventually(t, "no environment is left", func() bool { n, _ := h.Stats(); return n == 0 })
	eventually(t, "no file is open", func() bool { return descriptors(t) <= files })
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "no directory is left", func() bool { entries, _ := os.ReadDir(h.dir); return len(entries) == 0 })
	if children := childrenOf(t, os.Getpid()); len(children) > 0 {
		t.Errorf("processes are left: %v", children)
	}
	if n := h.Counts().Crashes; n != crashes+1 {
		t.Errorf("%d crashes", n)
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// childrenOf returns the processes that a process has started, zombies included.
func childrenOf(t testing.TB, parent int) []string {
	t.Helper()
	var children []string
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		b, _ := os.ReadFile(stat)
		if i := bytes.LastIndexByte(b, ')'); i > 0 {
			if fields := strings.Fields(string(b[i:])); len(fields) > 2 && fields[2] == strconv.Itoa(parent) {
				children = append(children, string(b))
			}
		}
	}
	return children
}

func TestClose(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	f, idle := h.NewFunction(testSpec(t)), h.NewFunction(testSpec(t))
	pid := mustPID(t, mustInvoke(t, idle, `{"do":"pid"}`))
	failed := make(chan error, 1)
	go func() {
		_, err := f.Invoke(context.Background(), call(`{"do":"sleep","ms":60000}`))
		failed <- err
	}()
	eventually(t, "it is busy", func() bool { n, busy := h.Stats(); return n == 2 && busy == 1 })
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err != ErrClosed {
		t.Errorf("a running invocation: got %v", err)
	}
	if n, busy := h.Stats(); n != 0 || busy != 0 || alive(pid) {
		t.Errorf("%d environments, %d busy, alive: %t", n, busy, alive(pid))
	}
	if _, err := f.Invoke(t.Context(), call(`{}`)); err != ErrClosed {
		t.Errorf("after closing: got %v", err)
	}
	if _, err := os.Stat(h.dir); !os.IsNotExist(err) {
		t.Errorf("the directory is there: %v", err)
	}
}

func TestFunctionClose(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	mustInvoke(t, f, `{}`)
	answer := make(chan string, 1)
	go func() {
		r, err := f.Invoke(context.Background(), call(`{"do":"sleep","ms":200}`))
		answer <- fmt.Sprint(string(r.Payload), err)
	}()
	eventually(t, "it is busy", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return f.invocations == 1 && h.busy == 1
	})
	f.Close()
	if got := <-answer; !strings.HasSuffix(got, "<nil>") {
		t.Errorf("a running invocation: got %s", got)
	}
	if _, err := f.Invoke(t.Context(), call(`{}`)); err != ErrClosed {
		t.Errorf("after closing: got %v", err)
	}
	eventually(t, "it has ended", func() bool { n, _ := h.Stats(); return n == 0 })
}

// Temporary files of an environment end with it, and it has no files open but its own.
func TestTemporaryFiles(t *testing.T) {
	t.Parallel()
	// Such a descriptor would be inherited.
	inherited, err := syscall.Open("/proc/self/status", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	var dir string
	if err := json.Unmarshal(mustInvoke(t, f, `{"do":"temp"}`).Payload, &dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	var got struct{ Files []string }
	if err := json.Unmarshal(mustInvoke(t, f, `{"do":"env"}`).Payload, &got); err != nil {
		t.Fatal(err)
	}
	pipes := 0
	for _, file := range got.Files {
		number, target, _ := strings.Cut(file, " ")
		switch {
		case number == "0" && target == "/dev/null", number == "limit" && target == strconv.Itoa(maxFiles):
		case (number == "1" || number == "2") && strings.HasPrefix(target, "pipe:"):
			pipes++
		case strings.HasPrefix(target, "anon_inode:"), strings.HasPrefix(target, "/sys/fs/cgroup/"), strings.HasPrefix(target, "socket:"), strings.HasSuffix(target, "/fd"):
		default:
			t.Errorf("it has %s", file)
		}
	}
	if pipes != 2 {
		t.Errorf("got %q", got.Files)
	}
	mustInvoke(t, f, `{"do":"exit"}`)
	eventually(t, "the directory is gone", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
}

func TestKilledParent(t *testing.T) {
	t.Parallel()
	code, err := buildChild()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "LAMBDA_TEST_PARENT="+t.TempDir(), "LAMBDA_TEST_CODE="+code)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	text, ok := strings.CutSuffix(line, " <nil>\n")
	pid, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil || !ok || !alive(pid) {
		t.Errorf("got %q, %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = parent.Wait()
	eventually(t, "the function has ended", func() bool { return !alive(pid) })
}

// launch starts an environment that nobody waits for.
func (f *Function) launch(t *testing.T) {
	t.Helper()
	p, err := f.current()
	if err != nil {
		t.Fatal(err)
	}
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	if !f.host.launch(p) {
		t.Fatal("there is no room")
	}
}

// Memory that an environment uses is all that its group has.
func TestWatcher(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	mustInvoke(t, f, `{"do":"grandchild"}`)
	e := first(h, f)
	w := newWatcher(h)
	one := e.current().memory()
	if one < 1<<20 {
		t.Errorf("the leader uses %d bytes", one)
	}
	eventually(t, "the grandchild counts", func() bool {
		w.scan([]*environment{e})
		return len(w.members[e]) == 1 && memoryOf(w.members[e][0]) > 1<<20 && e.peak.Load() > one+1<<20
	})
	// One that initialises is looked at as often as one that is busy.
	h.NewFunction(testSpec(t, "INIT=hang")).launch(t)
	eventually(t, "it is idle", func() bool { _, busy := h.Stats(); return busy == 0 })
	if all, busy := w.environments(false); len(all) != 2 || busy != 1 {
		t.Errorf("%d environments, %d busy", len(all), busy)
	}
	if n := memoryOf(1 << 30); n != 0 {
		t.Errorf("nobody uses %d bytes", n)
	}
}

// Processes that have forked share memory, which counts once. What each has for itself
// counts for each.
func TestForkedMemory(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Memory = 256
	f := h.NewFunction(spec)
	if r := mustInvoke(t, f, `{"do":"fork","size":150000000,"count":2,"ms":1000}`); r.FunctionError != "" {
		t.Fatalf("150 MB that three processes share: got %s", r.Payload)
	}
	if peak := first(h, f).peak.Load(); peak < 150e6 || peak > 256<<20 {
		t.Errorf("they use %d bytes", peak)
	}
	if r := mustInvoke(t, f, `{"do":"fork","size":150000000,"count":2,"ms":30000,"code":1}`); !strings.Contains(string(r.Payload), kindMemory) {
		t.Errorf("150 MB that three processes each have: got %s", r.Payload)
	}
}

// A function that does not read its event keeps nobody waiting, however long the event is.
func TestStopped(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	f := h.NewFunction(testSpec(t))
	pid := mustPID(t, mustInvoke(t, f, `{"do":"pid"}`))
	eventually(t, "it is idle", func() bool { _, busy := h.Stats(); return busy == 0 })
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c := call(`{"text":"` + strings.Repeat("x", 6<<20-11) + `"}`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := f.Invoke(ctx, c); err != context.DeadlineExceeded || time.Since(began) > 2*time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	clear(c.Payload)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has answered", func() bool { _, busy := h.Stats(); return busy == 0 })
	if again := mustPID(t, mustInvoke(t, f, `{"do":"pid"}`)); again != pid {
		t.Errorf("process %d in place of %d", again, pid)
	}

	// One that was killed while it was idle is not used.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has ended", func() bool { n, _ := h.Stats(); return n == 0 })
	if again := mustPID(t, mustInvoke(t, f, `{"do":"pid"}`)); again == pid {
		t.Errorf("process %d is alive", pid)
	}
}
