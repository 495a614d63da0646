package ledger_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"penstock/internal/store"
	"penstock/internal/store/ledger"
	"penstock/internal/store/storetest"
)

// damageKeep makes commits go, so that the file has free pages too.
var damageKeep = store.Keep{Commits: 30}

// mustScribble makes a ledger with some tens of documents and commits, and returns
// the bytes of its file and what it shows.
func mustScribble(t testing.TB) ([]byte, contents) {
	t.Helper()
	path := newPath(t)
	l := mustOpen(t, path, damageKeep)
	scribble(t, l, rand.New(rand.NewPCG(7, 8)), 90)
	want := show(t, l)
	mustClose(t, l)
	b, err := os.ReadFile(path)
	must(t, err)
	return b, want
}

// probe opens a damaged file. It must be refused with a DamageError that names the
// file, or show exactly what was there; then it must also take further commits and
// open again, so that the damage does not come out later. It reports whether the
// file was refused.
func probe(t *testing.T, path string, want contents, what string, args ...any) bool {
	t.Helper()
	l, err := ledger.Open(path, ledger.Options{Keep: damageKeep})
	if err != nil {
		if damage := (*store.DamageError)(nil); !errors.As(err, &damage) || damage.File != path {
			t.Fatalf(what+": got error %v", append(args, err)...)
		}
		return true
	}
	defer l.Close()
	mustEqual(t, show(t, l), want)
	scribble(t, l, rand.New(rand.NewPCG(9, 10)), 1)
	want = show(t, l)
	mustClose(t, l)
	l, err = ledger.Open(path, ledger.Options{Keep: damageKeep})
	if err != nil {
		t.Fatalf(what+": it opened, and after one commit it does not: %v", append(args, err)...)
	}
	defer l.Close()
	mustEqual(t, show(t, l), want)
	return false
}

// flip flips one bit of the file, probes it, and makes it whole again.
func flip(t *testing.T, path string, whole []byte, want contents, at, bit, seed int) (refused bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	put := func(b ...byte) {
		t.Helper()
		_, err := f.WriteAt(b, int64(at))
		must(t, err)
	}
	put(whole[at] ^ 1<<bit)
	refused = probe(t, path, want, "seed %d: bit %d of byte %d", seed, bit, at)
	if refused {
		put(whole[at])
	} else { // and written to
		must(t, os.WriteFile(path, whole, 0o600))
	}
	return refused
}

// Single bits are flipped all over the file and, as often, in the beginnings of
// pages, which say what is where. PENSTOCK_DAMAGE_PROBES says how many, 400 if it
// does not say, and PENSTOCK_DAMAGE_SEED which.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	probes, seed := number(t, "PENSTOCK_DAMAGE_PROBES", 400), number(t, "PENSTOCK_DAMAGE_SEED", 1)
	whole, want := mustScribble(t)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	path := newPath(t)
	must(t, os.WriteFile(path, whole, 0o600))
	refused := 0
	for range probes {
		at := random.IntN(len(whole))
		if random.IntN(2) == 0 {
			at = at&^4095 + random.IntN(200)
		}
		bit := random.IntN(8)
		if flip(t, path, whole, want, at, bit, seed) {
			refused++
		}
	}
	t.Logf("%d of %d flipped bits refused, the others harmless", refused, probes)
	if refused < probes/10 {
		t.Errorf("only %d of %d flipped bits were refused: nothing was tested", refused, probes)
	}
}

// Every bit of the meta pages, the first of everything, is flipped.
func TestFlippedBitsOfMetaPages(t *testing.T) {
	t.Parallel()
	whole, want := mustScribble(t)
	path := newPath(t)
	must(t, os.WriteFile(path, whole, 0o600))
	for page := range 2 {
		for bit := range 8 * 64 {
			if !flip(t, path, whole, want, page*4096+16+bit/8, bit%8, 0) {
				t.Errorf("bit %d of meta page %d was flipped and nothing said", bit, page)
			}
		}
	}
}

// Every bit is flipped of the page that lies in the value of a bucket. bbolt would
// follow even the number that it has there, and free another page.
func TestFlippedBitsOfInlinePage(t *testing.T) {
	t.Parallel()
	whole, want := mustScribble(t)
	path := newPath(t)
	must(t, os.WriteFile(path, whole, 0o600))
	live := 0 // older copies lie in free pages
	for at := 0; ; {
		i := bytes.Index(whole[at:], []byte("penstock\x00"))
		if i < 0 {
			break
		}
		at += i + len("penstock")
		refused := 0
		for bit := range 8 * 16 {
			if flip(t, path, whole, want, at+16+bit/8, bit%8, 0) {
				refused++
			}
		}
		if refused == 8*16 {
			live++
		} else if refused > 0 {
			t.Errorf("%d of 128 bits of the header at %d were refused", refused, at+16)
		}
	}
	if live != 1 {
		t.Errorf("%d pages were found, want 1", live)
	}
}

// The file is cut off, shorter and shorter: at every 1,009th byte, or at every
// PENSTOCK_DAMAGE_STEP-th.
func TestTruncated(t *testing.T) {
	t.Parallel()
	step := number(t, "PENSTOCK_DAMAGE_STEP", 1009)
	whole, want := mustScribble(t)
	path := newPath(t)
	must(t, os.WriteFile(path, whole, 0o600))
	refused := 0
	for size := len(whole) - 1; size >= 0; size -= step {
		must(t, os.Truncate(path, int64(size)))
		l, err := ledger.Open(path, ledger.Options{Keep: damageKeep})
		if err == nil {
			mustEqual(t, show(t, l), want)
			mustClose(t, l)
			continue
		}
		if refused++; !errors.As(err, new(*store.DamageError)) {
			t.Fatalf("cut off after %d bytes: got error %v", size, err)
		}
	}
	t.Logf("%d of %d truncations refused, the others cut off nothing that was in use", refused, len(whole)/step)
	if refused == 0 {
		t.Error("no truncation was refused")
	}
}

// Whole records are changed past the ledger, each with the checksums of its own in
// order: only everything together shows it.
func TestTampered(t *testing.T) {
	t.Parallel()
	revision := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	entry := func(key string, rev uint64, data string) []byte {
		return other(t, rev, key, data).Entries()[0].AppendRecord(nil)
	}
	link := func(rev uint64) []byte {
		return other(t, rev, "a", "1").Links()[0].AppendRecord(nil)
	}
	for _, tt := range []struct {
		name   string
		tamper func(documents, commits, main *bbolt.Bucket) error
		want   string
	}{
		{"nothing", func(_, _, _ *bbolt.Bucket) error { return nil }, ""},
		{"a document is missing", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Delete([]byte("b"))
		}, "not those that commit 6 left"},
		{"a deleted document is there again", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Put([]byte("gone"), entry("gone", 2, "1"))
		}, "not those that commit 6 left"},
		{"a document is an older one", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Put([]byte("a"), entry("a", 1, "1"))
		}, "not those that commit 6 left"},
		{"a document has other content", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Put([]byte("a"), entry("a", 5, "other"))
		}, "not those that commit 6 left"},
		{"a document is from the future", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Put([]byte("a"), entry("a", 7, "1"))
		}, "has revision 7"},
		{"two documents are swapped", func(documents, _, _ *bbolt.Bucket) error {
			a, b := string(documents.Get([]byte("a"))), string(documents.Get([]byte("b")))
			return errors.Join(documents.Put([]byte("a"), []byte(b)), documents.Put([]byte("b"), []byte(a)))
		}, `does not match its checksum`},
		{"a document has no record", func(documents, _, _ *bbolt.Bucket) error {
			return documents.Put([]byte("a"), nil)
		}, "malformed"},
		{"the last commit is missing", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Delete(revision(6))
		}, `document "d" has revision 6, the last commit is 5`},
		{"the oldest commit is missing", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Delete(revision(2))
		}, "its head says 6 and 2"},
		{"a commit in the middle is missing", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Delete(revision(4))
		}, "commit 3 is followed by commit 5"},
		{"all commits are missing", func(_, commits, _ *bbolt.Bucket) error {
			var err error
			for rev := range uint64(7) {
				err = errors.Join(err, commits.Delete(revision(rev)))
			}
			return err
		}, `document "a" has revision 5`},
		{"a commit is in the place of another", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Put(revision(4), []byte(string(commits.Get(revision(5)))))
		}, "commit 5 is in the place of another"},
		{"a commit is there that never was", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Put(revision(7), link(7))
		}, "commit 7 does not continue commit 6"},
		{"a commit has other content", func(_, commits, _ *bbolt.Bucket) error {
			b := commits.Get(revision(5))
			return commits.Put(revision(5), append(b[:len(b)-1:len(b)-1], b[len(b)-1]^1))
		}, "commit 5 does not match its hash"},
		{"a commit was exchanged", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Put(revision(4), link(4))
		}, "does not continue"},
		{"an older commit is back", func(_, commits, _ *bbolt.Bucket) error {
			return commits.Put(revision(1), link(1))
		}, "does not continue"},
		{"the head is another one", func(_, _, main *bbolt.Bucket) error {
			return main.Put([]byte("head"), make([]byte, 112))
		}, "its head does not match its checksum"},
		{"the head is missing", func(_, _, main *bbolt.Bucket) error {
			return main.Delete([]byte("head"))
		}, "not a ledger"},
		{"the head is short", func(_, _, main *bbolt.Bucket) error {
			return main.Put([]byte("head"), sealed("1"))
		}, "its head is malformed"},
		{"there is something else", func(_, _, main *bbolt.Bucket) error {
			return main.Put([]byte("else"), sealed("1"))
		}, "not a ledger"},
		{"there is a bucket in a bucket", func(documents, _, _ *bbolt.Bucket) error {
			_, err := documents.CreateBucket([]byte("bucket"))
			return err
		}, "unknown flags"},
	} {
		path := newPath(t)
		l := mustOpen(t, path, store.Keep{Commits: 5})
		for _, b := range []store.Batch{
			storetest.Put("a", "1", "b", "1"),
			storetest.Put("gone", "1"),
			{Changes: []store.Change{{Key: "gone", Delete: true}}},
			storetest.Put("c", "1"),
			storetest.Put("a", "2"),
			storetest.Put("d", "1"),
		} {
			storetest.MustAppend(t, l, b)
		}
		mustClose(t, l)
		edit(t, path, func(tx *bbolt.Tx) error {
			return tt.tamper(tx.Bucket([]byte("documents")), tx.Bucket([]byte("commits")), tx.Bucket([]byte("penstock")))
		})
		l, err := ledger.Open(path, ledger.Options{})
		if err == nil {
			mustClose(t, l)
		}
		if tt.want == "" {
			must(t, err)
			continue
		}
		if !errors.As(err, new(*store.DamageError)) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// other returns a backup of another store, whose commit with the given revision put
// one document: a source of records that are whole, each for itself.
func other(t *testing.T, rev uint64, key, data string) store.Backup {
	s := store.NewMemory()
	for s.Last() < rev-1 {
		storetest.MustAppend(t, s, storetest.Put("z", "1"))
	}
	storetest.MustAppend(t, s, storetest.Put(key, data))
	return backupOf(t, s)
}
