//go:build unix

package ledger_test

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

const aloneVariable = "PENSTOCK_LEDGER_ALONE"

// When the file cannot grow any more, the write fails and nothing is changed, reads
// go on, and once there is room the ledger opens with all that was acknowledged.
// The limit is one of the whole process, so the test runs in one of its own.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if os.Getenv(aloneVariable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$", "-test.timeout=1m")
		cmd.Env = append(os.Environ(), aloneVariable+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	path := newPath(t)
	l := mustOpen(t, path, store.Keep{Commits: 5})
	storetest.MustAppend(t, l, storetest.Put("a", "1"))

	signal.Ignore(syscall.SIGXFSZ) // which would end the process instead
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	const room = 1 << 20
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: limit.Max}))
	storetest.MustAppend(t, l, storetest.Put("a", strings.Repeat("2", 100_000), "b", "2"))
	_, failed := l.Append(t.Context(), storetest.Put("a", "lost", "big", strings.Repeat("x", 2*room)))
	if failed == nil || !strings.Contains(failed.Error(), "file too large") || !strings.Contains(failed.Error(), path) {
		t.Fatalf("got error %v", failed)
	}
	want := show(t, l)
	if want.last != 2 {
		t.Errorf("the store is at revision %d, want 2", want.last)
	}

	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	if _, err := l.Append(t.Context(), storetest.Put("a", "3")); err == nil || !strings.Contains(err.Error(), "until it is opened again") {
		t.Errorf("got error %v after a write that failed", err)
	}
	mustEqual(t, show(t, l), want)
	mustClose(t, l)
	l = mustOpen(t, path, store.Keep{Commits: 5})
	mustEqual(t, show(t, l), want)
	storetest.MustAppend(t, l, storetest.Put("big", strings.Repeat("x", 2*room)))
}
