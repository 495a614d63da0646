package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"penstock/internal/store"
	"penstock/internal/store/ledger"
	"penstock/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return mustOpen(t, newPath(t), store.Keep{}) })
}

func newPath(t testing.TB) string {
	return filepath.Join(t.TempDir(), "ledger.db")
}

func mustOpen(t testing.TB, path string, keep store.Keep) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path, ledger.Options{Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustClose(t testing.TB, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// mustEqual compares all that two stores show, the kept commits included.
func mustEqual(t testing.TB, got, want contents) {
	t.Helper()
	if got.last != want.last || got.documents != want.documents {
		t.Fatalf("got revision %d and documents\n%.2000swant revision %d and\n%.2000s", got.last, got.documents, want.last, want.documents)
	}
	if !slices.EqualFunc(got.commits, want.commits, storetest.Equal) {
		t.Fatalf("got commits %.2000v, want %.2000v", got.commits, want.commits)
	}
}

// contents is what a store shows.
type contents struct {
	last      uint64
	documents string
	commits   []store.Commit
}

func show(t testing.TB, s store.Store) contents {
	t.Helper()
	c := contents{last: s.Last(), documents: storetest.Show(s)}
	// The oldest kept commit is found from the end.
	for after := c.last; ; after-- {
		commits, err := s.Read(t.Context(), after)
		if errors.Is(err, store.ErrCompacted) {
			return c
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.commits = commits; after == 0 {
			return c
		}
	}
}

// scribble appends n random commits.
func scribble(t testing.TB, s store.Store, random *rand.Rand, n int) {
	t.Helper()
	data := make([]byte, 30_000)
	for i := range data {
		data[i] = 'a' + byte(random.IntN(26))
	}
	for range n {
		b := store.Batch{Actor: fmt.Sprint("actor ", random.IntN(5))}
		for _, k := range random.Perm(40)[:1+random.IntN(4)] {
			c := store.Change{Key: fmt.Sprintf("%s.%02d", []string{"api", "deployment"}[k%2], k), Delete: random.IntN(5) == 0}
			if !c.Delete {
				size := random.IntN(300)
				if random.IntN(8) == 0 {
					size = random.IntN(20_000)
				}
				from := random.IntN(len(data) - size)
				c.Data = data[from : from+size]
			}
			b.Changes = append(b.Changes, c)
		}
		storetest.MustAppend(t, s, b)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 8 {
		keep := store.Keep{Commits: 1 + random.IntN(60)}
		l := mustOpen(t, path, keep)
		scribble(t, l, random, 30)
		want := show(t, l)
		if len(want.commits) > keep.Commits || want.last != uint64(30*(round+1)) {
			t.Fatalf("at revision %d %d commits are kept, want at most %d", want.last, len(want.commits), keep.Commits)
		}
		mustClose(t, l)
		l = mustOpen(t, path, keep)
		mustEqual(t, show(t, l), want)
		mustClose(t, l)
	}
	l := mustOpen(t, newPath(t), store.Keep{})
	scribble(t, l, random, 100)
	storetest.MustReplay(t, l)
}

func TestReopenWithNothing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for range 3 {
		l := mustOpen(t, path, store.Keep{})
		mustEqual(t, show(t, l), contents{})
		mustClose(t, l)
	}
	l := mustOpen(t, path, store.Keep{})
	storetest.MustAppend(t, l, storetest.Put("a", "1"))
	storetest.MustAppend(t, l, store.Batch{Changes: []store.Change{{Key: "a", Delete: true}}})
	want := show(t, l)
	mustClose(t, l)
	mustEqual(t, show(t, mustOpen(t, path, store.Keep{})), want)
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	mustClose(t, mustOpen(t, path, store.Keep{}))
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v, want mode 0600", info.Mode(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("the directory has %q", names)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keep store.Keep
		size int
		want int
	}{
		{"number", store.Keep{Commits: 10}, 10, 10},
		{"one", store.Keep{Commits: 1}, 10, 1},
		{"bytes", store.Keep{Bytes: 10_000}, 2000, 4},
		{"the last is larger than allowed", store.Keep{Bytes: 1}, 2000, 1},
	} {
		path := newPath(t)
		l := mustOpen(t, path, tt.keep)
		for range 30 {
			storetest.MustAppend(t, l, storetest.Put("a", strings.Repeat("x", tt.size)))
		}
		check := func(s store.Store) {
			t.Helper()
			oldest := s.Last() - uint64(tt.want)
			if commits, err := s.Read(t.Context(), oldest); err != nil || len(commits) != tt.want {
				t.Errorf("%s: Read returns %d commits, %v, want %d", tt.name, len(commits), err, tt.want)
			}
			if _, err := s.Read(t.Context(), oldest-1); !errors.Is(err, store.ErrCompacted) {
				t.Errorf("%s: Read of the commit before: got error %v", tt.name, err)
			}
			n := 0
			for _, err := range s.Watch(t.Context(), oldest-1) {
				if n++; !errors.Is(err, store.ErrCompacted) {
					t.Fatalf("%s: Watch from the commit before: got error %v", tt.name, err)
				}
			}
			if n != 1 {
				t.Errorf("%s: Watch from the commit before yields %d times", tt.name, n)
			}
		}
		check(l)
		mustClose(t, l)
		check(mustOpen(t, path, tt.keep))
	}
}

// A watcher that falls behind what is kept is told, and nothing is held for it.
func TestWatchFallsBehind(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, newPath(t), store.Keep{Commits: 5})
	storetest.MustAppend(t, l, storetest.Put("a", "first"))
	var revs []uint64
	var last error
	for c, err := range l.Watch(t.Context(), 0) {
		if last = err; err != nil {
			break
		}
		revs = append(revs, c.Rev)
		for i := range 3 * c.Rev {
			storetest.MustAppend(t, l, storetest.Put("a", fmt.Sprint(i)))
		}
	}
	// 1 lets 2 to 4 come, which are still kept; 2 lets 5 to 10 come, and then 3
	// and 4 were already taken over; 3 and 4 push the rest far ahead.
	if !slices.Equal(revs, []uint64{1, 2, 3, 4}) || !errors.Is(last, store.ErrCompacted) {
		t.Errorf("got commits %d and error %v", revs, last)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	write := func(content string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		damage  bool
		want    string
	}{
		{"in use", func(t *testing.T, path string) { mustOpen(t, path, store.Keep{}) }, false, "another process has it open"},
		{"a directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, false, "is a directory"},
		{"a device", func(t *testing.T, path string) { must(t, os.Symlink(os.DevNull, path)) }, false, "not a regular file"},
		{"an empty file", write(""), true, "has only 0 bytes"},
		{"a text", write(strings.Repeat("text ", 10_000)), true, "not a ledger"},
		{"a bbolt file of someone else", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err })
		}, true, `no bucket "penstock"`},
		{"a later format", func(t *testing.T, path string) {
			mustClose(t, mustOpen(t, path, store.Keep{}))
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("penstock")).Put([]byte("format"), sealed("penstock ledger 2"))
			})
		}, false, "format version 2,"},
	} {
		path := newPath(t)
		tt.prepare(t, path)
		before, _ := os.ReadFile(path)
		_, err := ledger.Open(path, ledger.Options{})
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		var damage *store.DamageError
		if errors.As(err, &damage) != tt.damage || tt.damage && (damage.File != path || !strings.Contains(damage.Remedy, "penstock restore BACKUP --data "+filepath.Dir(path))) {
			t.Errorf("%s: got error %#v", tt.name, err)
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %q, want %q and the path", tt.name, err, tt.want)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed", tt.name)
		}
	}
	if _, err := ledger.Open(filepath.Join(t.TempDir(), "no", "ledger.db"), ledger.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: got error %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// edit changes a file as bbolt would, past the ledger. It is made if there is none.
func edit(t testing.TB, path string, change func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	must(t, err)
	must(t, errors.Join(db.Update(change), db.Close()))
}

// sealed returns a record of the bucket "penstock" whose checksum is right.
func sealed(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return append(sum[:], s...)
}

// Many open the same new path: all but one find it in use, none finds it half made.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	var wg sync.WaitGroup
	var opened [8]*ledger.Ledger
	for i := range opened {
		wg.Go(func() {
			l, err := ledger.Open(path, ledger.Options{LockTimeout: 1})
			if err != nil && !strings.Contains(err.Error(), "another process has it open") {
				t.Errorf("got error %v", err)
			}
			opened[i] = l
		})
	}
	wg.Wait()
	n := 0
	for _, l := range opened {
		if l != nil {
			n++
			storetest.MustAppend(t, l, storetest.Put("a", "1"))
			mustClose(t, l)
		}
	}
	if n != 1 {
		t.Errorf("%d opened it", n)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(s store.Store)
	}{
		{"empty", func(store.Store) {}},
		{"commits", func(s store.Store) { scribble(t, s, rand.New(rand.NewPCG(5, 6)), 60) }},
		{"all deleted", func(s store.Store) {
			storetest.MustAppend(t, s, storetest.Put("a", "1"))
			storetest.MustAppend(t, s, store.Batch{Changes: []store.Change{{Key: "a", Delete: true}}})
		}},
		{"more than one transaction", func(s store.Store) {
			for i := range 4 {
				storetest.MustAppend(t, s, storetest.Put(fmt.Sprint("big", i), strings.Repeat("x", 3<<20)))
			}
		}},
	} {
		original := store.NewMemory()
		tt.prepare(original)
		path := newPath(t)
		must(t, ledger.Restore(path, backupOf(t, original), false))
		l := mustOpen(t, path, store.Keep{})
		want := show(t, original)
		want.commits = want.commits[max(len(want.commits), 1)-1:]
		mustEqual(t, show(t, l), want)

		// The chain goes on, and the outcome can be backed up in turn.
		c := storetest.MustAppend(t, l, storetest.Put("after", "1"))
		if n := len(want.commits); c.Rev != want.last+1 || n > 0 && c.PrevHash != want.commits[n-1].Hash {
			t.Errorf("%s: commit %d does not continue %d", tt.name, c.Rev, want.last)
		}
		again := newPath(t)
		must(t, ledger.Restore(again, backupOf(t, l), false))
		want = show(t, l)
		mustClose(t, l)
		mustEqual(t, show(t, mustOpen(t, path, store.Keep{})), want)
		if got := show(t, mustOpen(t, again, store.Keep{})); got.documents != want.documents || got.last != want.last {
			t.Errorf("%s: got %v, want %v", tt.name, got, want)
		}
	}
}

func backupOf(t testing.TB, s store.Store) store.Backup {
	t.Helper()
	var b bytes.Buffer
	must(t, store.WriteBackup(&b, s))
	backup, err := store.ReadBackup(&b)
	must(t, err)
	return backup
}

func TestRestoreOver(t *testing.T) {
	t.Parallel()
	original := store.NewMemory()
	storetest.MustAppend(t, original, storetest.Put("restored", "1"))
	backup := backupOf(t, original)

	path := newPath(t)
	l := mustOpen(t, path, store.Keep{})
	storetest.MustAppend(t, l, storetest.Put("there", "1"))
	if err := ledger.Restore(path, backup, false); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("without overwrite: got error %v", err)
	}
	if err := ledger.Restore(path, backup, true); err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("while it is open: got error %v", err)
	}
	want := show(t, l)
	mustClose(t, l)
	l = mustOpen(t, path, store.Keep{})
	mustEqual(t, show(t, l), want)
	mustClose(t, l)

	must(t, os.Truncate(path, 5000)) // damaged: that is when it is needed
	if err := ledger.Restore(path, backup, false); !errors.Is(err, os.ErrExist) {
		t.Errorf("without overwrite: got error %v", err)
	}
	must(t, ledger.Restore(path, backup, true))
	mustEqual(t, show(t, mustOpen(t, path, store.Keep{})), show(t, original))
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("the directory has %q", names)
	}
}
