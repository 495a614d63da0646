package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

func mustBackup(t testing.TB, s store.Store) store.Backup {
	t.Helper()
	b, err := store.ReadBackup(bytes.NewReader(mustWriteBackup(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWriteBackup(t testing.TB, s store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := store.WriteBackup(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pets returns a store with a little of everything.
func pets(t testing.TB) store.Store {
	s := store.NewMemory()
	storetest.MustAppend(t, s, storetest.Put("api.a", `{"name": "pets"}`, "api.b", ""))
	storetest.MustAppend(t, s, store.Batch{Actor: "ada", Changes: []store.Change{{Key: "api.b", Delete: true}, {Key: "domain.c", Data: []byte("1")}}})
	return s
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := pets(t)
	b := mustBackup(t, s)
	if b.Rev() != 2 || len(b.Entries()) != 2 || len(b.Links()) != 1 {
		t.Fatalf("got %v", b)
	}
	for i, d := range s.List("") {
		if e := b.Entries()[i]; e.Key != d.Key || e.Rev != d.Rev || !bytes.Equal(e.Data, d.Data) {
			t.Errorf("document %d: got %v, want %v", i, e, d)
		}
	}
	commits, err := s.Read(t.Context(), 1)
	if err != nil || !storetest.Equal(b.Links()[0].Commit, commits[0]) {
		t.Errorf("got commit %v, want %v, %v", b.Links()[0], commits, err)
	}
	if b := mustBackup(t, store.NewMemory()); b.Rev() != 0 || len(b.Entries()) != 0 || len(b.Links()) != 0 {
		t.Errorf("an empty store: got %v", b)
	}
	if !bytes.Equal(mustWriteBackup(t, s), mustWriteBackup(t, s)) {
		t.Error("two backups of the same differ")
	}
}

// Every single bit counts, and every byte.
func TestDamagedBackup(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]byte{"empty": mustWriteBackup(t, store.NewMemory()), "pets": mustWriteBackup(t, pets(t))} {
		for bit := range 8 * len(whole) {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			if _, err := store.ReadBackup(bytes.NewReader(b)); err == nil {
				t.Fatalf("%s: bit %d was flipped and nothing said", name, bit)
			}
		}
		for n := range whole {
			if _, err := store.ReadBackup(bytes.NewReader(whole[:n])); !errors.As(err, new(*store.DamageError)) || !strings.Contains(err.Error(), "ends early") {
				t.Fatalf("%s: cut off after %d bytes: got error %v", name, n, err)
			}
		}
		if _, err := store.ReadBackup(bytes.NewReader(append(whole[:len(whole):len(whole)], 0))); err == nil {
			t.Errorf("%s: a byte was added and nothing said", name)
		}
	}
}

// frames builds a backup whose checksums are all right, whatever it says.
func frames(version uint32, frames ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte("penstock backup\n"), version)
	for _, f := range frames {
		frame := binary.BigEndian.AppendUint64([]byte{f[0]}, uint64(len(f)-1))
		frame = append(frame, f[1:]...)
		sum := sha256.Sum256(frame)
		b = append(append(b, frame...), sum[:]...)
	}
	total := sha256.Sum256(b)
	end := append(binary.BigEndian.AppendUint64([]byte{'E'}, 32), total[:]...)
	sum := sha256.Sum256(end)
	return append(append(b, end...), sum[:]...)
}

func TestForgedBackup(t *testing.T) {
	t.Parallel()
	s := pets(t)
	b := mustBackup(t, s)
	old := store.NewMemory()
	storetest.MustAppend(t, old, storetest.Put("api.a", "old", "domain.c", "old"))
	head := func(rev, n uint64) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{'H'}, rev), n)
	}
	commit := b.Links()[0].AppendRecord([]byte{'C'})
	document := func(e store.Entry) []byte {
		d := binary.BigEndian.AppendUint32([]byte{'D'}, uint32(len(e.Key)))
		return e.AppendRecord(append(d, e.Key...))
	}
	a, c := document(b.Entries()[0]), document(b.Entries()[1])
	oldA := document(mustBackup(t, old).Entries()[0])
	for _, tt := range []struct {
		name   string
		backup []byte
		want   string
	}{
		{"as it was", frames(1, head(2, 2), commit, a, c), ""},
		{"later format", frames(2, head(2, 2), commit, a, c), "format version 2"},
		{"something else", []byte(strings.Repeat("text ", 100)), "not a Penstock backup"},
		{"nothing", nil, "ends early"},
		{"a document is missing", frames(1, head(2, 1), commit, a), "not those that commit 2 left"},
		{"a document is older", frames(1, head(2, 2), commit, oldA, c), "not those that commit 2 left"},
		{"a document is there twice", frames(1, head(2, 3), commit, a, a, c), "out of order"},
		{"documents are out of order", frames(1, head(2, 2), commit, c, a), "out of order"},
		{"more documents than it says", frames(1, head(2, 1), commit, a, c), `kind 'D'`},
		{"fewer documents than it says", frames(1, head(2, 1<<60), commit, a, c), `kind 'E'`},
		{"another revision", frames(1, head(3, 2), commit, a, c), "has commit 2"},
		{"no commit", frames(1, head(0, 2), a, c), "the last commit is 0"},
		{"two commits", frames(1, head(2, 2), commit, commit, a, c), `kind 'C'`},
		{"unknown frame", frames(1, head(2, 2), commit, a, c, []byte("X")), `kind 'X'`},
		{"short head", frames(1, head(2, 2)[:9], commit, a, c), "kind 'H' with 8 bytes"},
		{"long document", append(frames(1, head(2, 2), commit)[:20+57+41+len(commit)-1], "D\xff\xff\xff\xff\xff\xff\xff\xff"...), "18446744073709551615 bytes"},
		{"a document without key", frames(1, head(2, 1), commit, []byte("D\x00\x00\x00\x00")), "malformed"},
		{"a document with nothing", frames(1, head(2, 1), commit, []byte("D")), "malformed"},
	} {
		got, err := store.ReadBackup(bytes.NewReader(tt.backup))
		if tt.want == "" {
			if err != nil || got.Rev() != 2 {
				t.Errorf("%s: got %v", tt.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || got.Rev() != 0 || got.Entries() != nil {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A length that lies costs no memory.
func TestBackupLength(t *testing.T) {
	b := frames(1, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{'H'}, 1), 1))
	b = binary.BigEndian.AppendUint64(append(b[:20+57], 'C'), store.MaxCommit)
	b = append(b, make([]byte, 3<<20)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := store.ReadBackup(bytes.NewReader(b))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "ends early") {
		t.Errorf("got error %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20 {
		t.Errorf("%d bytes were allocated for 3 MiB", used)
	}
}

// Errors of the reader and of the writer come through.
func TestBackupIO(t *testing.T) {
	t.Parallel()
	whole := mustWriteBackup(t, pets(t))
	broken := errors.New("broken")
	_, err := store.ReadBackup(io.MultiReader(bytes.NewReader(whole[:100]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || errors.As(err, new(*store.DamageError)) {
		t.Errorf("ReadBackup: got error %v", err)
	}
	if _, err := store.ReadBackup(iotest.OneByteReader(bytes.NewReader(whole))); err != nil {
		t.Errorf("ReadBackup byte by byte: %v", err)
	}
	if err := store.WriteBackup(brokenWriter{broken}, pets(t)); !errors.Is(err, broken) {
		t.Errorf("WriteBackup: got error %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// Documents that were changed in memory are not written.
func TestBackupOfDamagedMemory(t *testing.T) {
	t.Parallel()
	s := pets(t)
	d, _ := s.Get("api.a")
	d.Data[3] ^= 1
	if err := store.WriteBackup(io.Discard, s); !errors.As(err, new(*store.DamageError)) {
		t.Errorf("got error %v", err)
	}
}

func FuzzReadBackup(f *testing.F) {
	f.Add(mustWriteBackup(f, store.NewMemory()))
	f.Add(mustWriteBackup(f, pets(f)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		backup, err := store.ReadBackup(bytes.NewReader(b))
		if err == nil && backup.Rev() == 0 && len(backup.Entries()) > 0 {
			t.Errorf("%d documents and no commit", len(backup.Entries()))
		}
	})
}
