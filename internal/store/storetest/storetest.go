// Package storetest is the contract of store.Store as tests. Every engine runs
// them:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return store.NewMemory() })
//	}
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/store"
)

// Run tests the stores that open returns. Each must be empty, keep at least 1,000
// commits, and be open until Run closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s store.Store)
	}{
		{"Empty", testEmpty},
		{"PutGetDelete", testPutGetDelete},
		{"CompareAndSet", testCompareAndSet},
		{"Atomic", testAtomic},
		{"BadBatches", testBadBatches},
		{"DataIsCopied", testDataIsCopied},
		{"List", testList},
		{"ActorAndTime", testActorAndTime},
		{"Read", testRead},
		{"ReadAhead", testReadAhead},
		{"BigDocuments", testBigDocuments},
		{"ManySmall", testManySmall},
		{"Chain", testChain},
		{"ConcurrentCounters", testConcurrentCounters},
		{"WatchWhileWriting", testWatchWhileWriting},
		{"SlowWatch", testSlowWatch},
		{"WatchAgain", testWatchAgain},
		{"WatchCanceled", testWatchCanceled},
		{"CloseWhileWatching", testCloseWhileWatching},
		{"CloseWhileWriting", testCloseWhileWriting},
		{"Canceled", testCanceled},
		{"Closed", testClosed},
		{"Backup", testBackup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			tt.test(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// Put returns a batch that puts documents, given as key and content in turn.
func Put(pairs ...string) store.Batch {
	b := store.Batch{Actor: "storetest"}
	for i := 0; i < len(pairs); i += 2 {
		b.Changes = append(b.Changes, store.Change{Key: pairs[i], Data: []byte(pairs[i+1])})
	}
	return b
}

// MustAppend appends a batch that must be accepted.
func MustAppend(t testing.TB, s store.Store, b store.Batch) store.Commit {
	t.Helper()
	c, err := s.Append(t.Context(), b)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return c
}

// Show returns all documents as lines of key, revision and content.
func Show(s store.Store) string {
	var b strings.Builder
	for _, d := range s.List("") {
		fmt.Fprintf(&b, "%s %d %s\n", d.Key, d.Rev, d.Data)
	}
	return b.String()
}

func testEmpty(t *testing.T, s store.Store) {
	if n := s.Last(); n != 0 {
		t.Errorf("Last is %d", n)
	}
	if _, ok := s.Get("a"); ok {
		t.Error("Get finds a document")
	}
	if docs := s.List(""); len(docs) != 0 {
		t.Errorf("List returns %v", docs)
	}
	if commits, err := s.Read(t.Context(), 0); err != nil || len(commits) != 0 {
		t.Errorf("Read returns %v, %v", commits, err)
	}
}

func testPutGetDelete(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1", "b", "1"))
	MustAppend(t, s, Put("b", "2"))
	if got, want := Show(s), "a 1 1\nb 2 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	MustAppend(t, s, store.Batch{Changes: []store.Change{{Key: "a", Delete: true}, {Key: "never", Delete: true}}})
	if got, want := Show(s), "b 2 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d, ok := s.Get("a"); ok {
		t.Errorf("Get finds the deleted document %v", d)
	}
	MustAppend(t, s, Put("a", ""))
	if d, ok := s.Get("a"); !ok || d.Key != "a" || d.Rev != 4 || d.Data == nil || len(d.Data) != 0 {
		t.Errorf("Get returns %v, %v for an empty document", d, ok)
	}
	if n := s.Last(); n != 4 {
		t.Errorf("Last is %d, want 4", n)
	}
}

func testCompareAndSet(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1"))
	MustAppend(t, s, Put("b", "1"))
	MustAppend(t, s, store.Batch{Changes: []store.Change{{Key: "b", Delete: true}}})
	for _, tt := range []struct {
		name   string
		expect map[string]uint64
		ok     bool
	}{
		{"older than the document", map[string]uint64{"a": 0}, false},
		{"newer than the document", map[string]uint64{"a": 2}, false},
		{"last revision of a deleted document", map[string]uint64{"b": 2}, false},
		{"revision of the delete", map[string]uint64{"b": 3}, false},
		{"revision of a document that never was", map[string]uint64{"c": 1}, false},
		{"one of two", map[string]uint64{"a": 1, "b": 2}, false},
		{"all", map[string]uint64{"a": 1, "b": 0, "c": 0}, true},
		{"the same again", map[string]uint64{"a": 1, "b": 0, "c": 0}, false},
	} {
		before, last := Show(s), s.Last()
		b := Put("a", tt.name)
		b.Expect = tt.expect
		_, err := s.Append(t.Context(), b)
		if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got error %v", tt.name, err)
		}
		if !tt.ok && (Show(s) != before || s.Last() != last) {
			t.Errorf("%s: the conflict changed the store", tt.name)
		}
	}
}

func testAtomic(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "0", "b", "0", "c", "0"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				v := fmt.Sprintf("%d.%d", w, i)
				if _, err := s.Append(t.Context(), Put("a", v, "b", v, "c", v)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	for {
		docs := s.List("")
		for _, d := range docs {
			if len(docs) != 3 || d.Rev != docs[0].Rev || !bytes.Equal(d.Data, docs[0].Data) {
				t.Fatalf("List shows half a commit: %v", docs)
			}
		}
		select {
		case <-written:
			return
		default:
		}
	}
}

func testBadBatches(t *testing.T, s store.Store) {
	long := strings.Repeat("k", store.MaxKey+1)
	for _, tt := range []struct {
		name  string
		batch store.Batch
	}{
		{"no changes", store.Batch{Expect: map[string]uint64{"a": 0}}},
		{"no key", Put("", "1")},
		{"long key", Put(long, "1")},
		{"the same key twice", Put("a", "1", "a", "2")},
		{"delete with data", store.Batch{Changes: []store.Change{{Key: "a", Delete: true, Data: []byte("1")}}}},
		{"long actor", store.Batch{Actor: strings.Repeat("a", store.MaxActor+1), Changes: Put("a", "1").Changes}},
		{"large document", store.Batch{Changes: []store.Change{{Key: "a", Data: make([]byte, store.MaxData+1)}}}},
		{"many changes", store.Batch{Changes: make([]store.Change, store.MaxChanges+1)}},
	} {
		if _, err := s.Append(t.Context(), tt.batch); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	if s.Last() != 0 || len(s.List("")) != 0 {
		t.Error("a refused batch changed the store")
	}
	MustAppend(t, s, Put(long[1:], "1"))
}

func testDataIsCopied(t *testing.T, s store.Store) {
	data := []byte("before")
	changes := []store.Change{{Key: "a", Data: data}}
	MustAppend(t, s, store.Batch{Changes: changes})
	copy(data, "after!")
	changes[0].Key = "b"
	commits, err := s.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if c := commits[0].Changes[0]; Show(s) != "a 1 before\n" || c.Key != "a" || string(c.Data) != "before" {
		t.Errorf("the store changed with the batch: %q, %q", Show(s), c.Data)
	}
}

func testList(t *testing.T, s store.Store) {
	keys := []string{"api.b", "api.a", "api", "api.a.1", "domain.x", "apj", "api.ä", "api.a-", "Api.a"}
	for _, k := range keys {
		MustAppend(t, s, Put(k, k))
	}
	slices.Sort(keys)
	for _, prefix := range []string{"", "a", "api", "api.", "api.a", "api.ä", "d", "domain.x", "domain.x1", "z", "\x00", "\xff"} {
		var got, want []string
		for _, d := range s.List(prefix) {
			got = append(got, d.Key)
		}
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("List(%q): got %q, want %q", prefix, got, want)
		}
	}
}

func testActorAndTime(t *testing.T, s store.Store) {
	before := time.Now()
	b := Put("a", "1")
	b.Actor = "arn:aws:iam::000000000000:user/ädä\x00"
	c := MustAppend(t, s, b)
	after := time.Now()
	if c.Actor != b.Actor || c.Time.Location() != time.UTC || c.Time.Before(before.Round(0)) || c.Time.After(after.Round(0)) {
		t.Errorf("got actor %q and time %v, appended between %v and %v", c.Actor, c.Time, before, after)
	}
	commits, err := s.Read(t.Context(), 0)
	if err != nil || commits[0].Actor != c.Actor || commits[0].Time != c.Time {
		t.Errorf("Read returns %v, %v, want %v", commits, err, c)
	}
}

func testRead(t *testing.T, s store.Store) {
	var want []store.Commit
	for i := range 20 {
		want = append(want, MustAppend(t, s, Put("a", fmt.Sprint(i))))
	}
	for after := range want {
		got, err := s.Read(t.Context(), uint64(after))
		if err != nil {
			t.Fatalf("Read(%d): %v", after, err)
		}
		if !slices.EqualFunc(got, want[after:], Equal) {
			t.Errorf("Read(%d): got %v, want %v", after, got, want[after:])
		}
	}
	if got, err := s.Read(t.Context(), 20); err != nil || len(got) != 0 {
		t.Errorf("Read(20): got %v, %v", got, err)
	}
}

// Equal reports whether two commits are the same in everything.
func Equal(a, b store.Commit) bool {
	return a.Rev == b.Rev && a.Time == b.Time && a.Actor == b.Actor && a.PrevHash == b.PrevHash && a.Hash == b.Hash &&
		slices.EqualFunc(a.Changes, b.Changes, func(x, y store.Change) bool {
			return x.Key == y.Key && x.Delete == y.Delete && bytes.Equal(x.Data, y.Data)
		})
}

func testReadAhead(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1"))
	if _, err := s.Read(t.Context(), 2); !errors.Is(err, store.ErrCompacted) {
		t.Errorf("Read after a revision that is not there: got error %v", err)
	}
	n := 0
	for _, err := range s.Watch(t.Context(), 2) {
		if n++; !errors.Is(err, store.ErrCompacted) {
			t.Fatalf("Watch after a revision that is not there: got error %v", err)
		}
	}
	if n != 1 {
		t.Errorf("Watch yields %d times", n)
	}
}

func testBigDocuments(t *testing.T, s store.Store) {
	random := rand.NewChaCha8([32]byte{1})
	want := make(map[string][]byte)
	for i := range 3 {
		data := make([]byte, 5<<20+i)
		random.Read(data)
		key := fmt.Sprint("big.", i)
		want[key] = data
		MustAppend(t, s, store.Batch{Changes: []store.Change{{Key: key, Data: data}, {Key: key + ".small", Data: data[:100]}}})
	}
	for key, data := range want {
		if d, ok := s.Get(key); !ok || !bytes.Equal(d.Data, data) {
			t.Errorf("%s was changed", key)
		}
	}
}

func testManySmall(t *testing.T, s store.Store) {
	const n, each = 200, 50
	for i := range n {
		var b store.Batch
		for j := range each {
			b.Changes = append(b.Changes, store.Change{Key: fmt.Sprintf("k.%05d", (i*each+j)*7919%(n*each)), Data: []byte{byte(i)}})
		}
		MustAppend(t, s, b)
	}
	docs := s.List("k.")
	if len(docs) != n*each || s.Last() != n {
		t.Fatalf("%d documents at revision %d, want %d at %d", len(docs), s.Last(), n*each, n)
	}
	for i, d := range docs {
		if d.Key != fmt.Sprintf("k.%05d", i) || uint64(d.Data[0])+1 != d.Rev {
			t.Fatalf("document %d is %v", i, d)
		}
	}
}

// MustReplay applies all commits of s, none of which may have been dropped, to an empty
// state, which verifies every hash, and compares the outcome with the store.
func MustReplay(t testing.TB, s store.Store) {
	t.Helper()
	commits, err := s.Read(t.Context(), 0)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	var state store.State
	for _, c := range commits {
		if err := state.Apply(c); err != nil {
			t.Fatalf("Apply: %v", err)
		}
	}
	if state.Last() != s.Last() {
		t.Fatalf("the commits end with %d, the store with %d", state.Last(), s.Last())
	}
	same := func(a, b store.Document) bool { return a.Key == b.Key && a.Rev == b.Rev && bytes.Equal(a.Data, b.Data) }
	if got, want := state.List(""), s.List(""); !slices.EqualFunc(got, want, same) {
		t.Fatalf("the commits add up to %d documents, which are not the %d of the store", len(got), len(want))
	}
}

func testChain(t *testing.T, s store.Store) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		b := store.Batch{Actor: fmt.Sprint("actor ", i)}
		for _, k := range random.Perm(20)[:1+random.IntN(5)] {
			c := store.Change{Key: fmt.Sprint("k", k), Delete: random.IntN(4) == 0}
			if !c.Delete {
				c.Data = []byte(fmt.Sprint("data ", i))
			}
			b.Changes = append(b.Changes, c)
		}
		MustAppend(t, s, b)
	}
	MustReplay(t, s)
}

func testConcurrentCounters(t *testing.T, s store.Store) {
	const writers, each = 8, 25
	MustAppend(t, s, Put("a", "\x00", "b", "\x00"))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				for {
					a, _ := s.Get("a")
					b, _ := s.Get("b")
					next := string([]byte{a.Data[0] + 1})
					batch := Put("a", next, "b", next)
					batch.Expect = map[string]uint64{"a": a.Rev, "b": b.Rev}
					_, err := s.Append(t.Context(), batch)
					if err == nil {
						break
					}
					if !errors.Is(err, store.ErrConflict) {
						t.Errorf("Append: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	a, _ := s.Get("a")
	b, _ := s.Get("b")
	if int(a.Data[0]) != writers*each || int(b.Data[0]) != writers*each || s.Last() != writers*each+1 {
		t.Errorf("counted to %d and %d with %d commits, want %d", a.Data[0], b.Data[0], s.Last()-1, writers*each)
	}
	MustReplay(t, s)
}

func testCanceled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Append(ctx, Put("a", "1")); !errors.Is(err, context.Canceled) {
		t.Errorf("Append: got error %v", err)
	}
	if _, err := s.Read(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: got error %v", err)
	}
	if s.Last() != 0 {
		t.Error("the store was changed")
	}
}

func testClosed(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1"))
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := s.Append(t.Context(), Put("a", "2")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Append: got error %v", err)
	}
	if _, err := s.Read(t.Context(), 0); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Read: got error %v", err)
	}
	if got, want := Show(s), "a 1 1\n"; got != want || s.Last() != 1 {
		t.Errorf("got %q at %d, want %q at 1", got, s.Last(), want)
	}
	for _, err := range s.Watch(t.Context(), 1) {
		t.Errorf("Watch yields %v", err)
	}
}

// A backup that is taken while others write is that of one revision.
func testBackup(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range 40 {
				v := fmt.Sprint(w, " ", i)
				if _, err := s.Append(t.Context(), Put("a", v, "b", v, fmt.Sprint("c", w, i%7), v)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	for range 10 {
		var b bytes.Buffer
		if err := store.WriteBackup(&b, s); err != nil {
			t.Fatalf("WriteBackup: %v", err)
		}
		backup, err := store.ReadBackup(&b)
		if err != nil {
			t.Fatalf("ReadBackup: %v", err)
		}
		entries := backup.Entries()
		if backup.Rev() > 0 && (!bytes.Equal(entries[0].Data, entries[1].Data) || entries[0].Rev != backup.Rev()) {
			t.Fatalf("the backup of revision %d has %v", backup.Rev(), entries[:2])
		}
	}
	wg.Wait()
}
