package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// project makes a directory with some code and returns it without links.
func project(t testing.TB) string {
	t.Helper()
	parent, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	dir := filepath.Join(parent, "code")
	for _, d := range []string{"lib/deep/er", "node_modules/.cache", "node_modules/pets/lib", ".git/objects", "__pycache__", "old"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for _, f := range []string{"index.js", "lib/a.js", "lib/deep/er/b.js", "node_modules/pets/index.js", ".git/HEAD", "old/x.js"} {
		write(t, filepath.Join(dir, f), "original")
	}
	return dir
}

// untold is a watch that fails, so that directories are compared.
func untold(string) (*watcher, error) {
	return nil, errors.New("told nothing in this test")
}

func mustOpen(t testing.TB, path string, watch func(string) (*watcher, error)) *Dir {
	t.Helper()
	d, err := openDirectory(path, watch)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func code(t testing.TB, s interface {
	Code() (string, uint64, error)
}) (string, uint64) {
	t.Helper()
	dir, revision, err := s.Code()
	must(t, err)
	return dir, revision
}

// Each change is seen by the next Code, and so is one after it: what the change has made
// is watched too.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t)
			d := mustOpen(t, dir, watch)
			if d.Err() != nil {
				t.Skipf("directories are compared here: %v", d.Err())
			}
			got, before := code(t, d)
			if got != dir || before == 0 {
				t.Errorf("got %s, revision %d", got, before)
			}
			tt.make(t, dir)
			_, after := code(t, d)
			if (after != before) != tt.count {
				t.Errorf("revision %d, then %d", before, after)
			}
			if _, again := code(t, d); again != after {
				t.Errorf("without a change: revision %d, then %d", after, again)
			}
			// Everywhere that code is now, a change counts.
			_ = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
				must(t, err)
				if name != dir && ignored(filepath.Base(filepath.Dir(name)), e.Name()) {
					if e.IsDir() {
						return fs.SkipDir
					}
					return nil
				}
				if e.IsDir() {
					_, before := code(t, d)
					write(t, filepath.Join(name, "probe.js"), "probe")
					if _, after := code(t, d); after == before {
						t.Errorf("not seen: %s/probe.js", name)
					}
				}
				return nil
			})
			if d.Err() != nil {
				t.Errorf("not watched any more: %v", d.Err())
			}
		})
	}
}

// A directory that is compared sees the same changes 250 ms later.
func TestDirectoryCompared(t *testing.T) {
	t.Parallel()
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t)
			synctest.Test(t, func(t *testing.T) {
				d := mustOpen(t, dir, untold)
				if d.Err() == nil {
					t.Error("Err is nil")
				}
				got, before := code(t, d)
				if got != dir || before == 0 {
					t.Errorf("got %s, revision %d", got, before)
				}
				tt.make(t, dir)
				if _, soon := code(t, d); soon != before {
					t.Errorf("compared at once: revision %d, then %d", before, soon)
				}
				time.Sleep(compareEvery)
				_, after := code(t, d)
				if (after != before) != tt.count {
					t.Errorf("revision %d, then %d", before, after)
				}
				time.Sleep(compareEvery)
				if _, again := code(t, d); again != after {
					t.Errorf("without a change: revision %d, then %d", after, again)
				}
			})
		})
	}
}

// Who has written something gets the new code, every time.
func TestDirectoryRounds(t *testing.T) {
	t.Parallel()
	dir := project(t)
	d := mustOpen(t, dir, watch)
	if d.Err() != nil {
		t.Skipf("directories are compared here: %v", d.Err())
	}
	_, last := code(t, d)
	for i := range 1000 {
		switch text := fmt.Sprint(i); i % 4 {
		case 0:
			write(t, filepath.Join(dir, "index.js"), text)
		case 1:
			write(t, filepath.Join(dir, "lib/tmp"), text)
			must(t, os.Rename(filepath.Join(dir, "lib/tmp"), filepath.Join(dir, "lib/a.js")))
		case 2:
			sub := filepath.Join(dir, "made", text, "deep")
			must(t, os.MkdirAll(sub, 0o755))
			if _, made := code(t, d); made <= last {
				t.Fatalf("round %d: directories were not seen", i)
			} else {
				last = made
			}
			write(t, filepath.Join(sub, "x.js"), text)
		case 3:
			must(t, os.RemoveAll(filepath.Join(dir, "made", fmt.Sprint(i-1))))
		}
		_, revision := code(t, d)
		if revision <= last {
			t.Fatalf("round %d was not seen", i)
		}
		last = revision
	}
}

// The same with many who ask at the same time: whoever writes sees it.
func TestDirectoryManyCallers(t *testing.T) {
	t.Parallel()
	dir := project(t)
	d := mustOpen(t, dir, watch)
	if d.Err() != nil {
		t.Skipf("directories are compared here: %v", d.Err())
	}
	var stop atomic.Bool
	var callers, writers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			var last uint64
			for !stop.Load() {
				_, revision, err := d.Code()
				if err != nil || revision < last {
					t.Errorf("revision %d after %d, %v", revision, last, err)
					return
				}
				last = revision
			}
		})
	}
	for i := range 4 {
		writers.Go(func() {
			for j := range 100 {
				_, before, err := d.Code()
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("w", i)), fmt.Append(nil, j), 0o644); err != nil {
					t.Error(err)
					return
				}
				if _, after, _ := d.Code(); after <= before {
					t.Errorf("writer %d, round %d: not seen", i, j)
					return
				}
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	callers.Wait()
}

// A directory that vanishes is an error until it is back, which is another revision.
func TestDirectoryVanishes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		watch func(string) (*watcher, error)
	}{{"watched", watch}, {"compared", untold}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t)
			synctest.Test(t, func(t *testing.T) {
				d := mustOpen(t, dir, tt.watch)
				_, before := code(t, d)
				for _, vanish := range []func() error{
					func() error { return os.RemoveAll(dir) },
					func() error { return os.Rename(dir, dir+".away") },
				} {
					must(t, vanish())
					time.Sleep(compareEvery)
					for range 3 {
						if _, _, err := d.Code(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) || strings.Count(err.Error(), dir) != 1 {
							t.Fatalf("got %v", err)
						}
					}
					write(t, dir, "a file in its place")
					if _, _, err := d.Code(); err == nil || !strings.Contains(err.Error(), "is not a directory") {
						t.Fatalf("a file in its place: got %v", err)
					}
					must(t, os.Remove(dir))
					must(t, os.Mkdir(dir, 0o755))
					got, after := code(t, d)
					if got != dir || after <= before {
						t.Errorf("got %s, revision %d, then %d", got, before, after)
					}
					write(t, filepath.Join(dir, "a.js"), "x")
					time.Sleep(compareEvery)
					if _, again := code(t, d); again <= after {
						t.Errorf("not seen after it was back: revision %d, then %d", after, again)
					}
					before = after
				}
			})
		})
	}
}

// A function has its directory open while it runs, so that the kernel does not say that
// the directory itself was removed.
func TestDirectoryInUseIsReplaced(t *testing.T) {
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
	must(t, os.Remove(dir))
	must(t, os.Mkdir(dir, 0o755))
	_, after := code(t, d)
	write(t, filepath.Join(dir, "index.js"), "x")
	_, last := code(t, d)
	if after <= before || last <= after {
		t.Errorf("revisions %d, %d, %d", before, after, last)
	}
}

// Links on the way to the directory are followed, to where they lead now.
func TestDirectoryBehindLinks(t *testing.T) {
	t.Parallel()
	parent, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, name := range []string{"releases/1/app", "releases/2/app"} {
		must(t, os.MkdirAll(filepath.Join(parent, name), 0o755))
	}
	current := filepath.Join(parent, "current")
	must(t, os.Symlink("releases/1", current))
	must(t, os.Symlink(filepath.Join(current, "app"), filepath.Join(parent, "link")))
	d := mustOpen(t, filepath.Join(parent, "link"), watch)
	if d.Err() != nil {
		t.Skipf("directories are compared here: %v", d.Err())
	}
	dir, before := code(t, d)
	if dir != filepath.Join(parent, "releases/1/app") {
		t.Errorf("got %s", dir)
	}
	write(t, filepath.Join(dir, "index.js"), "x")
	if _, after := code(t, d); after <= before {
		t.Error("a change behind the link was not seen")
	}
	for i, n := range []string{"2", "1", "2"} {
		_, before = code(t, d)
		if i == 1 {
			must(t, os.Remove(current))
			must(t, os.Symlink("releases/"+n, current))
		} else {
			must(t, os.Symlink("releases/"+n, current+".new"))
			must(t, os.Rename(current+".new", current))
		}
		dir, after := code(t, d)
		if dir != filepath.Join(parent, "releases", n, "app") || after <= before {
			t.Errorf("got %s, revision %d, then %d", dir, before, after)
		}
	}
	must(t, os.Remove(current))
	must(t, os.Symlink("current", current))
	if _, _, err := d.Code(); err == nil {
		t.Error("a link to itself is no error")
	}
}

func TestDirectoryErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	for _, tt := range []struct{ name, want string }{
		{"none", "no such file or directory"},
		{"none/below", "no such file or directory"},
		{"file", "is not a directory"},
		{"file/below", "not a directory"},
		{"loop", ""},
	} {
		for _, watch := range []func(string) (*watcher, error){watch, untold} {
			_, err := openDirectory(filepath.Join(dir, tt.name), watch)
			if err == nil || !strings.Contains(err.Error(), tt.name) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
		}
	}
	d := mustOpen(t, dir, watch)
	must(t, d.Close())
	must(t, d.Close())
	if _, _, err := d.Code(); err != errClosed {
		t.Errorf("after Close: got %v", err)
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	for range 2 {
		if dir, revision, err := Fixed("code").Code(); dir != "code" || revision != 1 || err != nil {
			t.Errorf("got %s, %d, %v", dir, revision, err)
		}
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		parent, name string
		want         bool
	}{
		{"code", "index.js", false},
		{"code", ".git", true},
		{"code", ".gitignore", false},
		{"code", ".env", false},
		{"code", ".swp", true},
		{"code", ".a.swo", true},
		{"code", "a.swp", false},
		{"code", ".a.swift", false},
		{"code", "pyc", false},
		{"code", "a.pyc", true},
		{"code", "a.py", false},
		{"code", "#", true},
		{"code", "#a", false},
		{"code", ".cache", false},
		{"node_modules", ".cache", true},
		{"node_modules", "4913", true},
		{"code", "49131", false},
		{"code", "", false},
	} {
		if got := ignored(tt.parent, tt.name); got != tt.want {
			t.Errorf("%s/%s: got %v", tt.parent, tt.name, got)
		}
	}
}

func BenchmarkDirectory(b *testing.B) {
	for _, bb := range []struct {
		name  string
		watch func(string) (*watcher, error)
	}{{"watched", watch}, {"compared", untold}} {
		b.Run(bb.name, func(b *testing.B) {
			d := mustOpen(b, project(b), bb.watch)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := d.Code(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("50 callers", func(b *testing.B) {
		d := mustOpen(b, project(b), watch)
		b.ReportAllocs()
		b.SetParallelism(25)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if _, _, err := d.Code(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
