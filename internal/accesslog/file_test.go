package accesslog

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func mustFile(t testing.TB, c FileConfig) *Sink {
	t.Helper()
	s, err := NewFile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func contents(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files returns the contents of the files of a directory by name.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		if !e.IsDir() {
			all[e.Name()] = contents(t, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// Many writers and small files: each line is in exactly one file, whole, and those of
// one writer are in order.
func TestRotationLosesNothing(t *testing.T) {
	t.Parallel()
	const writers, lines, maxSize = 8, 5000, 16 << 10
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	s := mustFile(t, FileConfig{Path: path, MaxSize: maxSize, MaxFiles: 1000, Buffer: 64 << 20})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range lines {
				s.Write(fmt.Appendf(nil, "%d %d %s", w, i, strings.Repeat("x", i%50)))
				if i%1000 == 0 {
					s.Reopen()
				}
			}
		})
	}
	wg.Wait()
	mustClose(t, s)

	all := files(t, dir)
	next := make([]int, writers)
	for i := len(all) - 1; i >= 0; i-- {
		name := "access.log"
		if i > 0 {
			name = fmt.Sprint("access.log.", i)
		}
		text := all[name]
		if text == "" || len(text) > maxSize || !strings.HasSuffix(text, "\n") {
			t.Fatalf("%s has %d bytes", name, len(text))
		}
		for line := range strings.Lines(text) {
			var w, n int
			if _, err := fmt.Sscanf(line, "%d %d", &w, &n); err != nil || n != next[w] || !strings.HasSuffix(line, " "+strings.Repeat("x", n%50)+"\n") {
				t.Fatalf("%s: got %q, want line %d of writer %d", name, line, next[w], w)
			}
			next[w]++
		}
	}
	for w, n := range next {
		if n != lines {
			t.Errorf("writer %d: %d lines, want %d", w, n, lines)
		}
	}
	if n := s.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
	t.Logf("%d lines in %d files", writers*lines, len(all))
}

// Each step is one batch.
func TestFile(t *testing.T) {
	t.Parallel()
	rename := func(from, to string) func(t *testing.T, dir string, s *Sink) {
		return func(t *testing.T, dir string, _ *Sink) {
			if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name, text string) func(t *testing.T, dir string, s *Sink) {
		return func(t *testing.T, dir string, _ *Sink) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	type step struct {
		do    func(t *testing.T, dir string, s *Sink) // before the lines
		lines string
	}
	for _, tt := range []struct {
		name     string
		before   map[string]string
		maxSize  int64
		maxFiles int
		steps    []step
		want     map[string]string
		report   string
	}{
		{"appends", map[string]string{"a": "old\n"}, 0, 0, []step{{nil, "1 2"}}, map[string]string{"a": "old\n1\n2\n"}, ""},
		{"ends a torn line", map[string]string{"a": "old"}, 0, 0, []step{{nil, "1"}, {nil, "2"}}, map[string]string{"a": "old\n1\n2\n"}, ""},
		{"rotates", nil, 4, 0, []step{{nil, "1 2 3 4 5"}}, map[string]string{"a": "5\n", "a.1": "3\n4\n", "a.2": "1\n2\n"}, ""},
		{"rotates what was there", map[string]string{"a": "old\n", "a.1": "older\n"}, 4, 0, []step{{nil, "1"}}, map[string]string{"a": "1\n", "a.1": "old\n", "a.2": "older\n"}, ""},
		{"keeps so many", nil, 2, 2, []step{{nil, "1 2"}, {nil, "3 4 5"}}, map[string]string{"a": "5\n", "a.1": "4\n", "a.2": "3\n"}, ""},
		{"keeps one", nil, 2, 1, []step{{nil, "1 2 3"}}, map[string]string{"a": "3\n", "a.1": "2\n"}, ""},
		{"moves up to a gap", map[string]string{"a": "old\n", "a.1": "older\n", "a.3": "oldest\n"}, 4, 0, []step{{nil, "1"}},
			map[string]string{"a": "1\n", "a.1": "old\n", "a.2": "older\n", "a.3": "oldest\n"}, ""},
		{"long lines have a file each", nil, 4, 0, []step{{nil, "1 long longer 2"}}, map[string]string{"a": "2\n", "a.1": "longer\n", "a.2": "long\n", "a.3": "1\n"}, ""},
		{"renamed", nil, 0, 0, []step{{nil, "1"}, {rename("a", "b"), "2"}}, map[string]string{"a": "2\n", "b": "1\n"}, ""},
		{"renamed and made", nil, 0, 0, []step{{nil, "1"}, {rename("a", "b"), ""}, {put("a", ""), "2"}}, map[string]string{"a": "2\n", "b": "1\n"}, ""},
		{"removed", nil, 0, 0, []step{{nil, "1"}, {func(t *testing.T, dir string, _ *Sink) { os.Remove(dir + "/a") }, "2"}}, map[string]string{"a": "2\n"}, ""},
		{"emptied", nil, 6, 0, []step{{nil, "1 2"}, {func(t *testing.T, dir string, _ *Sink) { os.Truncate(dir+"/a", 0) }, "3 4 5"}},
			map[string]string{"a": "3\n4\n5\n"}, ""},
		{"filled by others", nil, 6, 0, []step{{nil, "1"}, {put("a", "other\n"), "2"}}, map[string]string{"a": "2\n", "a.1": "other\n"}, ""},
		{"reopened", nil, 0, 0, []step{{nil, "1"}, {func(_ *testing.T, _ string, s *Sink) { s.Reopen() }, "2"}}, map[string]string{"a": "1\n2\n"}, ""},
		{"reopened at rest", nil, 0, 0, []step{{nil, "1"}, {rename("a", "b"), ""}, {func(_ *testing.T, _ string, s *Sink) { s.Reopen() }, ""}},
			map[string]string{"a": "", "b": "1\n"}, ""},
		{"cannot rename", nil, 2, 1, []step{{func(t *testing.T, dir string, _ *Sink) { os.Mkdir(dir+"/a.1", 0o700) }, "1 2"}, {nil, "3"}},
			map[string]string{"a": "1\n2\n3\n"}, "access log cannot be written destination=DIR/a dropped=0 error=rotate access log: rename DIR/a DIR/a.1: file exists"},
		{"cannot be opened anew", nil, 0, 0, []step{{nil, "1"}, {rename("a", "b"), ""}, {func(t *testing.T, dir string, _ *Sink) { os.Symlink("no/such", dir+"/a") }, "2"},
			{func(t *testing.T, dir string, _ *Sink) { os.Remove(dir + "/a") }, "3"}},
			map[string]string{"a": "3\n", "b": "1\n2\n"}, "access log cannot be written destination=DIR/a dropped=0 error=open access log: open DIR/a: no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range tt.before {
				put(name, text)(t, dir, nil)
			}
			synctest.Test(t, func(t *testing.T) {
				var j journal
				s := mustFile(t, FileConfig{Path: filepath.Join(dir, "a"), MaxSize: tt.maxSize, MaxFiles: tt.maxFiles, Log: slog.New(&j)})
				for _, step := range tt.steps {
					if step.do != nil {
						step.do(t, dir, s)
					}
					for _, line := range strings.Fields(step.lines) {
						s.Write([]byte(line))
					}
					time.Sleep(time.Second)
					synctest.Wait()
				}
				mustClose(t, s)
				if n := s.Dropped(); n != 0 {
					t.Errorf("%d lines dropped", n)
				}
				got := files(t, dir)
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				var reports []string
				for _, entry := range j.all() {
					reports = append(reports, strings.ReplaceAll(entry, dir, "DIR"))
				}
				slices.Sort(reports)
				if got := strings.Join(slices.Compact(reports), "; "); got != tt.report {
					t.Errorf("reported %q, want %q", got, tt.report)
				}
			})
		})
	}
}

func TestNewFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		c    FileConfig
		want string
	}{
		{"no directory", FileConfig{Path: "no/such/a.log"}, "open access log: open DIR/no/such/a.log: no such file or directory"},
		{"a directory", FileConfig{}, "open access log: open DIR: is a directory"},
		{"a pipe that nobody reads", FileConfig{Path: "pipe"}, "open access log: open DIR/pipe: no such device or address"},
		{"negative size", FileConfig{Path: "a", MaxSize: -1}, "access log DIR/a: negative limit"},
		{"negative number", FileConfig{Path: "a", MaxFiles: -1}, "access log DIR/a: negative limit"},
	} {
		tt.c.Path = filepath.Join(dir, tt.c.Path)
		_, err := NewFile(tt.c)
		if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct{ mode, want os.FileMode }{{0, 0o600}, {0o400, 0o400}} {
		path := filepath.Join(dir, tt.want.String())
		mustClose(t, mustFile(t, FileConfig{Path: path, Mode: tt.mode}))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != tt.want {
			t.Errorf("mode %v: got %v", tt.mode, got)
		}
	}
}

// A device is written, and neither rotated nor looked for.
func TestDevice(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	s := mustFile(t, FileConfig{Path: link, MaxSize: 1})
	s.Write([]byte("line"))
	s.Write([]byte("line"))
	mustClose(t, s)
	if n := s.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
	if to, err := os.Readlink(link); to != os.DevNull || err != nil {
		t.Errorf("the device is now %q, %v", to, err)
	}
}

// A full disk loses lines and nothing else.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const device = "/dev/full"
	if _, err := os.Stat(device); err != nil && runtime.GOOS != "linux" {
		t.Skip("only Linux has ", device)
	}
	synctest.Test(t, func(t *testing.T) {
		var j journal
		s := mustFile(t, FileConfig{Path: device, Log: slog.New(&j)})
		for range 15 {
			s.Write([]byte("line"))
			time.Sleep(990 * time.Millisecond)
		}
		mustClose(t, s)
		if n := s.Dropped(); n != 15 {
			t.Errorf("%d lines dropped, want 15", n)
		}
		const why = " error=write access log: write /dev/full: no space left on device"
		const what = "access log cannot be written destination=/dev/full dropped="
		want := []string{what + "1" + why, what + "10" + why, what + "4" + why}
		if got := j.all(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := mustFile(t, FileConfig{Path: filepath.Join(t.TempDir(), "a"), MaxSize: 1 << 10, MaxFiles: 2, Buffer: 1 << 10})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				s.Write([]byte("line"))
				if i%100 == 0 {
					s.Reopen()
					s.Dropped()
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
