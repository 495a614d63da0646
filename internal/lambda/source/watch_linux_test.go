package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The queue of the kernel has an end. What is beyond it is not known, and so everything
// is another revision and is watched anew.
func TestWatchOverflow(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	must(t, err)
	var most int
	if _, err := fmt.Sscan(string(text), &most); err != nil || most > 100_000 {
		t.Skipf("the queue has room for %s", text)
	}
	dir := project(t)
	d := mustOpen(t, dir, watch)
	_, before := code(t, d)
	a, b := filepath.Join(dir, "a~"), filepath.Join(dir, "b~") // ignored, but queued
	write(t, a, "")
	for range most {
		must(t, os.Rename(a, b))
		a, b = b, a
	}
	write(t, filepath.Join(dir, "lib/a.js"), "beyond the end")
	_, after := code(t, d)
	write(t, filepath.Join(dir, "lib/a.js"), "later")
	_, last := code(t, d)
	if after <= before || last <= after || d.Err() != nil {
		t.Errorf("revisions %d, %d, %d, %v", before, after, last, d.Err())
	}
}

// Events of what is ignored come and go without a new revision.
func TestWatchIgnores(t *testing.T) {
	t.Parallel()
	dir := project(t)
	d := mustOpen(t, dir, watch)
	_, before := code(t, d)
	write(t, filepath.Join(dir, "lib", "a.pyc"), "x")
	if !d.watcher.pending() {
		t.Fatal("nothing is queued: this test shows nothing")
	}
	_, after := code(t, d)
	if after != before || d.watcher.pending() {
		t.Errorf("revision %d, then %d; still queued: %v", before, after, d.watcher.pending())
	}
	for _, ignored := range []string{".git/HEAD", "__pycache__/a", "node_modules/.cache/a"} {
		write(t, filepath.Join(dir, ignored), "x")
		if d.watcher.pending() {
			t.Errorf("%s is watched", ignored)
		}
		code(t, d)
	}
}

// A watcher that breaks later makes the directory compared, without an error.
func TestWatchBreaks(t *testing.T) {
	t.Parallel()
	dir := project(t)
	first := true
	d := mustOpen(t, dir, func(path string) (*watcher, error) {
		if !first {
			return nil, unix.ENOSPC
		}
		first = false
		return watch(path)
	})
	_, before := code(t, d)
	must(t, os.Rename(filepath.Join(dir, "lib"), filepath.Join(dir, "src")))
	_, after := code(t, d)
	if after <= before || d.Err() != unix.ENOSPC {
		t.Errorf("revision %d, then %d, %v", before, after, d.Err())
	}
}

// What is named in a directory that is watched is watched once, and what is gone is
// forgotten.
func TestWatchForgets(t *testing.T) {
	t.Parallel()
	dir := project(t)
	d := mustOpen(t, dir, watch)
	watched := len(d.watcher.trees)
	if watched != 8 { // code, lib, deep, er, node_modules, pets, lib, old
		t.Errorf("watched %v", d.watcher.trees)
	}
	for range 50 {
		must(t, os.MkdirAll(filepath.Join(dir, "x/y"), 0o755))
		code(t, d)
		must(t, os.Chmod(filepath.Join(dir, "x"), 0o700))
		code(t, d)
		must(t, os.RemoveAll(filepath.Join(dir, "x")))
		code(t, d)
	}
	if len(d.watcher.trees) != watched {
		t.Errorf("watched %v", d.watcher.trees)
	}
}

// A name may have line breaks, or be as long as names can be.
func TestWatchNames(t *testing.T) {
	t.Parallel()
	dir := project(t)
	d := mustOpen(t, dir, watch)
	_, last := code(t, d)
	for _, name := range []string{"a\nb", "\xff", strings.Repeat("x", 255), " "} {
		sub := filepath.Join(dir, name)
		must(t, os.Mkdir(sub, 0o755))
		code(t, d)
		write(t, filepath.Join(sub, name), "x")
		_, revision := code(t, d)
		if revision < last+2 {
			t.Errorf("%q: revision %d, then %d", name, last, revision)
		}
		last = revision
	}
}

// A directory may be renamed over an empty one, which is neither removed nor moved.
func TestDirectoryIsRenamedOver(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "code")
	must(t, os.Mkdir(dir, 0o755))
	d := mustOpen(t, dir, watch)
	if d.Err() != nil {
		t.Skipf("directories are compared here: %v", d.Err())
	}
	f, err := os.Open(dir)
	must(t, err)
	defer f.Close()
	_, before := code(t, d)
	must(t, os.Mkdir(dir+".new", 0o755))
	must(t, unix.Rename(dir+".new", dir))
	_, after := code(t, d)
	write(t, filepath.Join(dir, "index.js"), "x")
	_, last := code(t, d)
	if after <= before || last <= after {
		t.Errorf("revisions %d, %d, %d", before, after, last)
	}
}
