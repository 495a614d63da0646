package store_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

// A commit is taken over only if it is the next one and exactly as it was made.
func TestApply(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	storetest.MustAppend(t, s, storetest.Put("a", "1", "b", "1"))
	storetest.MustAppend(t, s, storetest.Put("a", "2"))
	good := storetest.MustAppend(t, s, store.Batch{Actor: "ada", Changes: []store.Change{{Key: "c", Data: []byte("1")}, {Key: "b", Delete: true}}})
	commits, err := s.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(c *store.Commit)) store.Commit {
		c := good
		c.Changes = append([]store.Change(nil), good.Changes...)
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name   string
		before []store.Commit
		commit store.Commit
		want   string // part of the error
	}{
		{"as it was made", commits[:2], good, ""},
		{"one was left out", commits[:1], good, "does not continue"},
		{"the same again", commits[:3], good, "does not continue"},
		{"another history", commits[:2], changed(func(c *store.Commit) { c.PrevHash[0]++ }), "does not continue"},
		{"revision", commits[:2], changed(func(c *store.Commit) { c.Rev++ }), "does not continue"},
		{"hash", commits[:2], changed(func(c *store.Commit) { c.Hash[31]++ }), "does not match"},
		{"actor", commits[:2], changed(func(c *store.Commit) { c.Actor = "bob" }), "does not match"},
		{"time", commits[:2], changed(func(c *store.Commit) { c.Time = c.Time.Add(1) }), "does not match"},
		{"data", commits[:2], changed(func(c *store.Commit) { c.Changes[0].Data = []byte("2") }), "does not match"},
		{"key", commits[:2], changed(func(c *store.Commit) { c.Changes[0].Key = "d" }), "does not match"},
		{"order", commits[:2], changed(func(c *store.Commit) { c.Changes[0], c.Changes[1] = c.Changes[1], c.Changes[0] }), "does not match"},
		{"a change less", commits[:2], changed(func(c *store.Commit) { c.Changes = c.Changes[:1] }), "does not match"},
		{"put for delete", commits[:2], changed(func(c *store.Commit) { c.Changes[1].Delete = false }), "does not match"},
	} {
		var state store.State
		for _, c := range tt.before {
			if err := state.Apply(c); err != nil {
				t.Fatal(err)
			}
		}
		last, docs := state.Last(), len(state.List(""))
		err := state.Apply(tt.commit)
		if tt.want == "" {
			if err != nil || state.Last() != 3 {
				t.Errorf("%s: got %v at revision %d", tt.name, err, state.Last())
			}
			continue
		}
		if !errors.As(err, new(*store.DamageError)) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
		if state.Last() != last || len(state.List("")) != docs {
			t.Errorf("%s: the state was changed", tt.name)
		}
	}
}

// Every single bit of a record counts.
func TestRecords(t *testing.T) {
	t.Parallel()
	entry, link := sample(t)
	entryRecord, linkRecord := entry.AppendRecord(nil), link.AppendRecord(nil)
	gotEntry, err := store.ParseEntry(entry.Key, entryRecord)
	if err != nil || gotEntry.Rev != entry.Rev || !bytes.Equal(gotEntry.Data, entry.Data) || gotEntry.Hash != entry.Hash {
		t.Errorf("got %v, %v, want %v", gotEntry, err, entry)
	}
	gotLink, err := store.ParseLink(linkRecord)
	if err != nil || !storetest.Equal(gotLink.Commit, link.Commit) || gotLink.Digest != link.Digest {
		t.Errorf("got %v, %v, want %v", gotLink, err, link)
	}
	if _, err := store.ParseEntry("other", entryRecord); err == nil {
		t.Error("the record of a document holds for another key")
	}
	for name, record := range map[string][]byte{"document": entryRecord, "commit": linkRecord} {
		parse := func(b []byte) error {
			if name == "document" {
				_, err := store.ParseEntry(entry.Key, b)
				return err
			}
			_, err := store.ParseLink(b)
			return err
		}
		for bit := range 8 * len(record) {
			b := bytes.Clone(record)
			b[bit/8] ^= 1 << (bit % 8)
			if err := parse(b); !errors.As(err, new(*store.DamageError)) {
				t.Fatalf("%s with bit %d flipped: got error %v", name, bit, err)
			}
		}
		for n := range record {
			if err := parse(record[:n]); !errors.As(err, new(*store.DamageError)) {
				t.Fatalf("%s cut off after %d bytes: got error %v", name, n, err)
			}
		}
		if err := parse(append(record[:len(record):len(record)], 0)); !errors.As(err, new(*store.DamageError)) {
			t.Fatalf("%s with a byte more: got error %v", name, err)
		}
	}
}

// sample returns a document and a commit with something in every field.
func sample(t testing.TB) (store.Entry, store.Link) {
	t.Helper()
	s := store.NewMemory()
	storetest.MustAppend(t, s, storetest.Put("api.b", "1"))
	storetest.MustAppend(t, s, store.Batch{Actor: "ada", Changes: []store.Change{
		{Key: "api.a", Data: []byte(`{"name": "pets"}`)}, {Key: "api.b", Delete: true}, {Key: "api.c"},
	}})
	b := mustBackup(t, s)
	return b.Entries()[0], b.Links()[0]
}

func FuzzParseEntry(f *testing.F) {
	entry, _ := sample(f)
	f.Add(entry.Key, entry.AppendRecord(nil))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, key string, record []byte) {
		e, err := store.ParseEntry(key, record)
		if err == nil && !bytes.Equal(e.AppendRecord(nil), record) {
			t.Errorf("%x becomes %x", record, e.AppendRecord(nil))
		}
	})
}

func FuzzParseLink(f *testing.F) {
	_, link := sample(f)
	f.Add(link.AppendRecord(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, record []byte) {
		l, err := store.ParseLink(record)
		if err == nil && !bytes.Equal(l.AppendRecord(nil), record) {
			t.Errorf("%x becomes %x", record, l.AppendRecord(nil))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	data := make([]byte, 40_000)
	rand.NewChaCha8([32]byte{}).Read(data)
	for _, size := range []int{200, 40_000} {
		name := map[int]string{200: "200B", 40_000: "40kB"}[size]
		batch := store.Batch{Actor: "benchmark", Changes: []store.Change{{Key: "a", Data: data[:size]}}}
		b.Run(name+"/sequential", func(b *testing.B) {
			s := store.NewMemory()
			b.ReportAllocs()
			for b.Loop() {
				storetest.MustAppend(b, s, batch)
			}
		})
		b.Run(name+"/32 at once", func(b *testing.B) {
			s := store.NewMemory()
			b.ReportAllocs()
			b.SetParallelism(16) // times 2 processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					storetest.MustAppend(b, s, batch)
				}
			})
		})
	}
}
