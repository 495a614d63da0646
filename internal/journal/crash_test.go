//go:build unix

package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// writerVariable has this binary write a journal instead of testing.
	writerVariable = "PENSTOCK_JOURNAL_WRITER"
	// diskVariable has TestFullDisk be the process whose files may not grow.
	diskVariable = "PENSTOCK_JOURNAL_DISK"
	writers      = 4
)

// TestMain has this binary write a journal until it is killed, if it is told to.
func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		beWriter(path)
		return
	}
	os.Exit(m.Run())
}

// beWriter adds and removes connections until it is killed, and says so after each: a line
// with a number of a writer. Which connection it was is known from how many there were.
// The argument is a round, which IDs begin with, and the path.
func beWriter(argument string) {
	round, path, _ := strings.Cut(argument, ":")
	// So small a waste has the file be written anew all the time.
	j, _, err := Open(path, Options{Waste: 2 << 10})
	if err != nil {
		panic(err)
	}
	for w := range writers {
		go func() {
			for i := 0; ; i++ {
				op := writerOp(round, w, i)
				var err error
				if op[0] == '+' {
					err = j.Add(testEntry(op[1:]))
				} else {
					err = j.Remove(op[1:])
				}
				if err != nil {
					panic(err)
				}
				fmt.Fprintln(os.Stdout, w)
			}
		}()
	}
	select {}
}

// writerOp is what a writer does as number i: it adds, and removes what it added 20
// connections ago, but for each seventh.
func writerOp(round string, w, i int) string {
	n := i / 2
	if i%2 == 0 {
		return fmt.Sprintf("+%s.%d.%d", round, w, n)
	}
	if n -= 20; n < 0 || n%7 == 0 {
		return "-nobody"
	}
	return fmt.Sprintf("-%s.%d.%d", round, w, n)
}

// A process that writes is killed, again and again. What it had said is in the journal;
// what it was about to do when it was killed may be, or not.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	model := make(map[string]bool)
	for round, lines := range []int{1, 50, 500, 1500, 2500, 3001} {
		command := exec.Command(os.Args[0])
		name := fmt.Sprint(round)
		command.Env = append(os.Environ(), writerVariable+"="+name+":"+path)
		out, err := command.StdoutPipe()
		must(t, err)
		command.Stderr = os.Stderr
		must(t, command.Start())
		var done [writers]int
		in := bufio.NewScanner(out)
		for n := 0; in.Scan(); n++ {
			w := int(in.Text()[0] - '0')
			op := writerOp(name, w, done[w])
			done[w]++
			if op[0] == '+' {
				model[op[1:]] = true
			} else {
				delete(model, op[1:])
			}
			if n == lines {
				must(t, command.Process.Kill())
			}
		}
		if err := command.Wait(); err == nil || command.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the writer ended otherwise: %v", err)
		}
		j, open := mustOpen(t, path, Options{})
		got := make(map[string]bool)
		for _, e := range open {
			got[e.ID] = true
		}
		for w := range writers {
			op := writerOp(name, w, done[w])
			if id := op[1:]; got[id] == (op[0] == '+') {
				if op[0] == '+' {
					model[id] = true
				} else {
					delete(model, id)
				}
			}
		}
		var want []string
		for id := range model {
			want = append(want, id)
		}
		slices.Sort(want)
		if got := sortedIDs(open); !slices.Equal(got, want) {
			t.Fatalf("round %d: got %d entries %v, want %d %v", round, len(got), got, len(want), want)
		}
		must(t, j.Close())
	}
}

// A limit to the length of files stands for a disk that is full: the system writes what
// still fits, and then refuses. The limit is one of the whole process, so that the test has
// one of its own.
func TestFullDisk(t *testing.T) {
	if os.Getenv(diskVariable) == "" {
		t.Parallel()
		command := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		command.Env = append(os.Environ(), diskVariable+"=1")
		if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "--- PASS") < 6 {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var free syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &free))
	limit := func(size int64) {
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(size), Max: free.Max}))
	}
	refused := func(err error) {
		t.Helper()
		if err == nil {
			t.Fatal("a full disk took a record")
		}
	}
	reopened := func(path, want string) {
		t.Helper()
		j, open := mustOpen(t, path, Options{})
		must(t, j.Close())
		if got := ids(open); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	// In the outage c comes, and a and c go.
	outage := func(t *testing.T) (*Journal, string) {
		path := filepath.Join(t.TempDir(), "connections")
		j, _ := mustOpen(t, path, Options{})
		must(t, j.Add(testEntry("a")))
		must(t, j.Add(testEntry("b")))
		limit(j.size + 10)
		refused(j.Add(testEntry("c")))
		refused(j.Remove("a"))
		refused(j.Remove("c"))
		refused(j.Add(testEntry("d")))
		return j, path
	}
	for _, tt := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"it has room again", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, path := outage(t)
				time.Sleep(10 * retryInterval)
				synctest.Wait()
				refused(j.Add(testEntry("e")))
				limit(1 << 30)
				time.Sleep(retryInterval)
				synctest.Wait()
				must(t, j.Add(testEntry("f")))
				if j.waiting != nil {
					t.Errorf("%d bytes wait", len(j.waiting))
				}
				// That of a process that is killed now.
				reopened(path, "b d e f")
			})
		}},
		{"it has room at the end", func(t *testing.T) {
			j, path := outage(t)
			limit(1 << 30)
			must(t, j.Close())
			reopened(path, "b d")
		}},
		{"it never has room", func(t *testing.T) {
			j, path := outage(t)
			refused(j.Close())
			limit(1 << 30)
			reopened(path, "a b")
		}},
		{"it is full for long", func(t *testing.T) {
			j, path := outage(t)
			big := &Entry{ID: "big", Extra: make([]byte, maxExtra)}
			for range 50 {
				refused(j.Add(big))
			}
			// There is room for ends still, but not for ever.
			refused(j.Remove("b"))
			refused(j.Remove("big"))
			refused(j.Add(&Entry{ID: "late", Extra: make([]byte, maxExtra)}))
			for range 100_000 {
				refused(j.Remove("nobody"))
			}
			if len(j.waiting) > removeRoom || cap(j.waiting) > 2*removeRoom || j.missed < 40_000 {
				t.Errorf("%d bytes wait, %d have no room", len(j.waiting), j.missed)
			}
			limit(1 << 30)
			j.recover()
			must(t, j.Add(testEntry("f")))
			must(t, j.Close())
			reopened(path, "d f")
		}},
		{"it is full at the start", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "connections")
			limit(5)
			j, _ := mustOpen(t, path, Options{})
			refused(j.Add(testEntry("a")))
			limit(1 << 30)
			j.recover()
			must(t, j.Add(testEntry("b")))
			must(t, j.Close())
			reopened(path, "a b")
		}},
		{"it is full at a start with dead records and half a record", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "connections")
			file, steps := sample()
			must(t, os.WriteFile(path, file[:len(file)-1], 0o600))
			want := expect(steps, func(i int) bool { return i < len(steps)-2 })
			limit(20)
			j, open := mustOpen(t, path, Options{})
			if got := ids(open); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			refused(j.Add(testEntry("x")))
			limit(1 << 30)
			j.recover()
			must(t, j.Remove("c"))
			must(t, j.Close())
			reopened(path, strings.Replace(want, "c ", "", 1)+" x")
		}},
	} {
		t.Run(tt.name, tt.run)
		limit(1 << 30)
	}
}
