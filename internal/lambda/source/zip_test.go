package source

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func mustZip(t testing.TB, path, into string) *ZipFile {
	t.Helper()
	z, err := Zip(path, into)
	must(t, err)
	t.Cleanup(func() { _ = z.Close() })
	return z
}

// replace writes a file as careful programs do.
func replace(t testing.TB, path string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path+".new", b, 0o644))
	must(t, os.Rename(path+".new", path))
}

func TestZip(t *testing.T) {
	t.Parallel()
	one := archiveOf(t, member{"index.js", "one", regular})
	two := archiveOf(t, member{"index.js", "two", regular})
	longer := archiveOf(t, member{"index.js", "longer", regular}, member{"lib/a.js", "a", regular})
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   string // contents of index.js; "one" is no new revision
		bad    bool
	}{
		{"nothing", func(*testing.T, string) {}, "one", false},
		{"replaced", func(t *testing.T, path string) { replace(t, path, two) }, "two", false},
		{"replaced by a longer one", func(t *testing.T, path string) { replace(t, path, longer) }, "longer", false},
		{"written in place", func(t *testing.T, path string) { must(t, os.WriteFile(path, two, 0o644)) }, "two", false},
		{"the same again", func(t *testing.T, path string) { replace(t, path, one) }, "one", false},
		{"touched", func(t *testing.T, path string) { must(t, os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0))) }, "one", false},
		{"written without another time", func(t *testing.T, path string) {
			info, err := os.Stat(path)
			must(t, err)
			must(t, os.WriteFile(path, two, 0o644))
			must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		}, "two", false},
		{"removed", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "one", false},
		{"half written", func(t *testing.T, path string) { must(t, os.WriteFile(path, two[:len(two)/2], 0o644)) }, "one", true},
		{"empty", func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o644)) }, "one", true},
		{"damaged", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, with(t, longer, "lib", atSum, 1), 0o644))
		}, "one", true},
		{"a directory in its place", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o755))
		}, "one", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			path, into := filepath.Join(parent, "code.zip"), filepath.Join(parent, "made", "here")
			must(t, os.WriteFile(path, one, 0o644))
			z := mustZip(t, path, into)
			dir, before := code(t, z)
			if got := tree(t, dir); !maps.Equal(got, map[string]string{"index.js": "644 one"}) {
				t.Errorf("extracted %q", got)
			}
			tt.change(t, path)
			dir, after := code(t, z)
			b, err := os.ReadFile(filepath.Join(dir, "index.js"))
			if string(b) != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", b, err, tt.want)
			}
			if (after != before) != (tt.want != "one") {
				t.Errorf("revision %d, then %d", before, after)
			}
			if err := z.Err(); (err != nil) != tt.bad {
				t.Errorf("Err: %v", err)
			}
			// It goes on from there.
			_ = os.RemoveAll(path)
			replace(t, path, archiveOf(t, member{"index.js", "three", regular}))
			dir, last := code(t, z)
			if b, _ := os.ReadFile(filepath.Join(dir, "index.js")); string(b) != "three" || last != after+1 || z.Err() != nil {
				t.Errorf("later: got %q, revision %d, then %d, %v", b, after, last, z.Err())
			}
			must(t, z.Close())
			if entries, err := os.ReadDir(into); len(entries) != 0 || err != nil {
				t.Errorf("left behind: %v, %v", entries, err)
			}
			if _, _, err := z.Code(); err != errClosed {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// The last three directories stay, and no more.
func TestZipKeeps(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	path := filepath.Join(parent, "code.zip")
	texts := []string{"1", "2", "3", "4", "5", "6"}
	var dirs []string
	var z *ZipFile
	for i, text := range texts {
		replace(t, path, archiveOf(t, member{"index.js", text, regular}))
		if z == nil {
			z = mustZip(t, path, parent)
		}
		dir, revision := code(t, z)
		if revision != uint64(i+1) {
			t.Errorf("revision %d, want %d", revision, i+1)
		}
		dirs = append(dirs, dir)
		for j, dir := range dirs {
			b, err := os.ReadFile(filepath.Join(dir, "index.js"))
			if j >= i-keepFormer {
				if string(b) != texts[j] {
					t.Errorf("at %d: %d has %q, %v", i, j, b, err)
				}
			} else if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("at %d: %d is still there: %v", i, j, err)
			}
		}
	}
}

// A file system whose clock is coarse may give two files the same stamp. That is noticed
// while it may be so, and then the file is not read any more.
func TestZipSettles(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	path := filepath.Join(parent, "code.zip")
	must(t, os.WriteFile(path, archiveOf(t, member{"index.js", "one", regular}), 0o644))
	synctest.Test(t, func(t *testing.T) {
		z := mustZip(t, path, parent)
		same := func() { // the stamp of now is that of the file before
			s, err := stampOf(path)
			must(t, err)
			z.seen.file = s
			good := *z.good.Load()
			good.file = s
			z.good.Store(&good)
		}
		_, before := code(t, z)
		must(t, os.WriteFile(path, archiveOf(t, member{"index.js", "two", regular}), 0o644))
		same()
		dir, after := code(t, z)
		if b, _ := os.ReadFile(filepath.Join(dir, "index.js")); string(b) != "two" || after != before+1 {
			t.Errorf("got %q, revision %d, then %d", b, before, after)
		}
		time.Sleep(settleAfter)
		code(t, z)
		if !z.good.Load().settled {
			t.Error("not settled")
		}
		must(t, os.WriteFile(path, archiveOf(t, member{"index.js", "tri", regular}), 0o644))
		same()
		if _, last := code(t, z); last != after {
			t.Errorf("read again after it had settled: revision %d, then %d", after, last)
		}
		// The same for a file that cannot be used.
		must(t, os.WriteFile(path, []byte("no zip"), 0o644))
		code(t, z)
		time.Sleep(settleAfter)
		code(t, z)
		if err := z.Err(); !z.seen.settled || err == nil {
			t.Errorf("settled %v, %v", z.seen.settled, err)
		}
	})
}

// Whoever replaces the file gets the new code, while many others ask.
func TestZipManyCallers(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	path := filepath.Join(parent, "code.zip")
	must(t, os.WriteFile(path, archiveOf(t, member{"index.js", "x", regular}), 0o644))
	z := mustZip(t, path, parent)
	var stop atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			var last uint64
			for !stop.Load() {
				dir, revision, err := z.Code()
				if err != nil || revision < last {
					t.Errorf("%s, revision %d after %d, %v", dir, revision, last, err)
					return
				}
				last = revision
			}
		})
	}
	for i := range 50 {
		text := strings.Repeat("y", i)
		replace(t, path, archiveOf(t, member{"index.js", text, regular}))
		dir, _ := code(t, z)
		if b, err := os.ReadFile(filepath.Join(dir, "index.js")); string(b) != text {
			t.Fatalf("round %d: got %q, %v", i, b, err)
		}
	}
	stop.Store(true)
	callers.Wait()
}

func TestZipErrors(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	bad, none, into := filepath.Join(parent, "bad.zip"), filepath.Join(parent, "none.zip"), filepath.Join(parent, "into")
	must(t, os.WriteFile(bad, archiveOf(t, member{"../evil", "x", regular}), 0o644))
	if _, err := Zip(none, into); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), none) {
		t.Errorf("got %v", err)
	}
	if _, err := Zip(parent, into); !errors.Is(err, errNoFile) {
		t.Errorf("got %v", err)
	}
	_, err := Zip(bad, into)
	if a, ok := errors.AsType[*ArchiveError](err); !ok || a.Entry != "../evil" || !strings.Contains(err.Error(), bad) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(into); len(entries) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if _, err := Zip(bad, bad); err == nil {
		t.Error("extracted into a file")
	}
}

func BenchmarkZip(b *testing.B) {
	parent := b.TempDir()
	path := filepath.Join(parent, "code.zip")
	must(b, os.WriteFile(path, archiveOf(b, member{"index.js", "x", regular}), 0o644))
	z := mustZip(b, path, parent)
	for !z.good.Load().settled {
		time.Sleep(settleAfter)
		code(b, z)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := z.Code(); err != nil {
			b.Fatal(err)
		}
	}
}
