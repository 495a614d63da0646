package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/internal/store"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

func testWatchWhileWriting(t *testing.T, s store.Store) {
	const writers, each, before = 4, 60, 20
	const total = before + writers*each
	for i := range before {
		MustAppend(t, s, Put("before", fmt.Sprint(i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var watchers, wg sync.WaitGroup
	for after := range uint64(before + 1) {
		watchers.Go(func() {
			want := after + 1
			for c, err := range s.Watch(ctx, after) {
				if err != nil || c.Rev != want {
					t.Errorf("watch from %d: got commit %d, %v, want %d", after, c.Rev, err, want)
					return
				}
				if want++; want > total {
					return
				}
			}
			t.Errorf("watch from %d: ended before commit %d", after, want)
		})
	}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Append(ctx, Put(fmt.Sprint("w", w), fmt.Sprint(i))); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	wg.Wait()
	watchers.Wait()
}

// A watcher that waits for each single commit until the next hundred are there
// holds nobody up and sees all of them.
func testSlowWatch(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "first"))
	want := uint64(1)
	for c, err := range s.Watch(t.Context(), 0) {
		if err != nil || c.Rev != want {
			t.Fatalf("got commit %d, %v, want %d", c.Rev, err, want)
		}
		if want++; want == 300 {
			break
		}
		if c.Rev%100 == 1 {
			for i := range 100 {
				MustAppend(t, s, Put("a", fmt.Sprint(c.Rev, i)))
			}
		}
	}
	if s.Last() != 301 {
		t.Errorf("the store is at %d", s.Last())
	}
}

func testWatchAgain(t *testing.T, s store.Store) {
	for i := range 3 {
		MustAppend(t, s, Put("a", fmt.Sprint(i)))
	}
	watch := s.Watch(t.Context(), 1)
	for range 2 {
		var revs []uint64
		for c := range watch {
			if revs = append(revs, c.Rev); len(revs) == 2 {
				break
			}
		}
		if !slices.Equal(revs, []uint64{2, 3}) {
			t.Errorf("got %d, want 2 and 3", revs)
		}
	}
}

func testWatchCanceled(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	ended := make(chan struct{})
	seen := make(chan struct{})
	go func() {
		defer close(ended)
		for _, err := range s.Watch(ctx, 0) {
			if err != nil {
				t.Errorf("got error %v", err)
			}
			n++
			close(seen)
		}
	}()
	wait(t, seen, "the first commit")
	cancel()
	wait(t, ended, "the end of the watch")
	if n != 1 {
		t.Errorf("got %d commits", n)
	}
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("no sign of %s", what)
	}
}

func testCloseWhileWatching(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "1"))
	seen := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, err := range s.Watch(t.Context(), 0) {
			if err != nil {
				t.Errorf("got error %v", err)
			}
			close(seen)
		}
	}()
	wait(t, seen, "the first commit")
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wait(t, ended, "the end of the watch")
}

// What was acknowledged before Close is there, and nothing else.
func testCloseWhileWriting(t *testing.T, s store.Store) {
	MustAppend(t, s, Put("a", "0"))
	var wg sync.WaitGroup
	var acknowledged [4]uint64
	started := make(chan struct{}, len(acknowledged))
	for w := range acknowledged {
		wg.Go(func() {
			for i := 0; ; i++ {
				c, err := s.Append(t.Context(), Put(fmt.Sprint("w", w), fmt.Sprint(i)))
				if err != nil {
					if !errors.Is(err, store.ErrClosed) {
						t.Errorf("Append: %v", err)
					}
					return
				}
				acknowledged[w] = c.Rev
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range acknowledged {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
	if got, want := s.Last(), slices.Max(acknowledged[:]); got != want {
		t.Errorf("the store ends with %d, the last acknowledged commit is %d", got, want)
	}
}
