package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

// A slowEngine writes when it is told to, and says what it has written.
type slowEngine struct {
	store.Engine
	outcome chan error
	groups  []store.Group
}

func (e *slowEngine) Write(g store.Group) error {
	err := <-e.outcome
	if err == nil {
		e.groups = append(e.groups, g)
	}
	return err
}

func (e *slowEngine) Close() error { return nil }

// An answer is what an Append came back with.
type answer struct {
	commit store.Commit
	err    error
}

// begin starts an Append and returns where its answer will be. It is queued after
// those that were begun before.
func begin(ctx context.Context, s store.Store, b store.Batch) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		commit, err := s.Append(ctx, b)
		c <- answer{commit, err}
	}()
	synctest.Wait()
	return c
}

func newSlow() (store.Store, *slowEngine) {
	e := &slowEngine{outcome: make(chan error)}
	return store.NewBase(new(store.State), nil, e, store.DefaultKeep), e
}

// What arrives during a write is written together after it, in the order it came,
// each batch as a commit of its own that sees those before it.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newSlow()
		first := begin(t.Context(), s, storetest.Put("a", "1"))
		guarded := func(rev uint64, pairs ...string) store.Batch {
			b := storetest.Put(pairs...)
			b.Expect = map[string]uint64{"a": rev}
			return b
		}
		later := []<-chan answer{
			begin(t.Context(), s, guarded(1, "a", "2")),
			begin(t.Context(), s, guarded(1, "a", "conflict")),
			begin(t.Context(), s, guarded(2, "a", "3", "b", "1")),
			begin(t.Context(), s, store.Batch{Changes: []store.Change{{Key: "b", Delete: true}}}),
		}
		if s.Last() != 0 || len(s.List("")) != 0 {
			t.Error("commits show before they are durable")
		}
		e.outcome <- nil
		if got := <-first; got.err != nil || got.commit.Rev != 1 {
			t.Errorf("the first: got %v", got)
		}
		synctest.Wait()
		if got := storetest.Show(s); got != "a 1 1\n" {
			t.Errorf("after the first: got %q", got)
		}
		e.outcome <- nil
		for i, want := range []uint64{2, 0, 3, 4} {
			got := <-later[i]
			if got.commit.Rev != want || (want == 0) != errors.Is(got.err, store.ErrConflict) || want != 0 && got.err != nil {
				t.Errorf("batch %d: got %v, want revision %d", i, got, want)
			}
		}
		if got := storetest.Show(s); got != "a 3 3\n" || len(e.groups) != 2 {
			t.Errorf("got %q in %d writes", got, len(e.groups))
		}
		g := e.groups[1]
		if len(g.Links) != 3 || len(g.Put) != 1 || g.Put[0].Rev != 3 || len(g.Delete) != 1 || g.Delete[0] != "b" || g.First != 1 {
			t.Errorf("the second write was %+v", g)
		}
		storetest.MustReplay(t, s)
	})
}

// A write that failed fails for all who were in it, conflicts included, as they may
// have been with what was not written. Nothing has changed then.
func TestGroupFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newSlow()
		first := begin(t.Context(), s, storetest.Put("a", "1"))
		conflict := storetest.Put("a", "2")
		conflict.Expect = map[string]uint64{"a": 1}
		later := []<-chan answer{
			begin(t.Context(), s, storetest.Put("a", "2")),
			begin(t.Context(), s, conflict),
		}
		e.outcome <- nil
		<-first
		broken := errors.New("broken")
		e.outcome <- broken
		for i, c := range later {
			if got := <-c; !errors.Is(got.err, broken) || got.commit.Rev != 0 {
				t.Errorf("batch %d: got %v", i, got)
			}
		}
		if got := storetest.Show(s); got != "a 1 1\n" || s.Last() != 1 {
			t.Errorf("got %q at revision %d", got, s.Last())
		}
		again := begin(t.Context(), s, conflict)
		e.outcome <- nil
		if got := <-again; got.err != nil || got.commit.Rev != 2 {
			t.Errorf("after the failure: got %v", got)
		}
		storetest.MustReplay(t, s)
	})
}

// Who gives up while waiting leaves nothing behind; who gives up while being written
// gets the outcome.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newSlow()
		ctx, cancel := context.WithCancel(t.Context())
		first := begin(t.Context(), s, storetest.Put("first", "1"))
		second := begin(t.Context(), s, storetest.Put("second", "1"))
		waiting := begin(ctx, s, storetest.Put("waiting", "1"))
		cancel()
		if got := <-waiting; !errors.Is(got.err, context.Canceled) {
			t.Errorf("waiting: got %v", got)
		}
		ctx, cancel = context.WithCancel(t.Context())
		written := begin(ctx, s, storetest.Put("written", "1"))
		e.outcome <- nil
		<-first
		synctest.Wait() // second and written are one group now
		cancel()
		synctest.Wait()
		e.outcome <- nil
		if got := <-second; got.err != nil {
			t.Errorf("second: got %v", got)
		}
		if got := <-written; got.err != nil || got.commit.Rev != 3 {
			t.Errorf("written: got %v", got)
		}
		if got := storetest.Show(s); got != "first 1 1\nsecond 2 1\nwritten 3 1\n" {
			t.Errorf("got %q", got)
		}
	})
}

// Close waits for the write under way; what has not started fails.
func TestCloseDuringWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newSlow()
		first := begin(t.Context(), s, storetest.Put("a", "1"))
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		late := begin(t.Context(), s, storetest.Put("a", "2"))
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		e.outcome <- nil
		if got := <-first; got.err != nil {
			t.Errorf("got %v", got)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if got := <-late; !errors.Is(got.err, store.ErrClosed) {
			t.Errorf("got %v after Close", got)
		}
		if got := storetest.Show(s); got != "a 1 1\n" {
			t.Errorf("got %q", got)
		}
	})
}

// A group is bounded in number and in bytes.
func TestGroupBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newSlow()
		answers := []<-chan answer{begin(t.Context(), s, storetest.Put("first", "1"))}
		for i := range 300 {
			answers = append(answers, begin(t.Context(), s, storetest.Put(fmt.Sprint(i), "1")))
		}
		large := strings.Repeat("x", 20<<20)
		for i := range 2 {
			answers = append(answers, begin(t.Context(), s, storetest.Put(fmt.Sprint("large", i), large)))
		}
		go func() {
			for range 4 {
				e.outcome <- nil
			}
		}()
		for i, c := range answers {
			if got := <-c; got.err != nil || got.commit.Rev != uint64(i+1) {
				t.Fatalf("batch %d: got revision %d, %v", i, got.commit.Rev, got.err)
			}
		}
		var sizes []int
		for _, g := range e.groups {
			sizes = append(sizes, len(g.Links))
		}
		if got := fmt.Sprint(sizes); got != "[1 256 45 1]" {
			t.Errorf("the groups have %s commits", got)
		}
	})
}

// A backup needs the last commit only, while others push it out.
func TestBackupWithFewCommits(t *testing.T) {
	t.Parallel()
	s := store.NewBase(new(store.State), nil, instantEngine{}, store.Keep{Commits: 1})
	storetest.MustAppend(t, s, storetest.Put("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan struct{})
	go func() {
		defer close(written)
		for ctx.Err() == nil {
			s.Append(ctx, storetest.Put("a", "2", "b", "2"))
		}
	}()
	for range 20 {
		mustBackup(t, s)
	}
	cancel()
	<-written
}

type instantEngine struct{}

func (instantEngine) Write(store.Group) error { return nil }
func (instantEngine) Close() error            { return nil }
