package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConcurrency(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Concurrency = -1
	f := h.NewFunction(spec)
	round := func() time.Duration {
		began := time.Now()
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if r, err := f.Invoke(t.Context(), call(`{"do":"sleep","ms":100}`)); err != nil || r.FunctionError != "" {
					t.Errorf("got %s, %v", r.Payload, err)
				}
			})
		}
		group.Wait()
		return time.Since(began)
	}
	round()
	first := h.Counts().Starts
	if first > 50 {
		t.Errorf("%d environments for 50 invocations", first)
	}
	// Others work on the machine too: the best of a few counts.
	best := time.Hour
	for range 5 {
		if best = min(best, round()); best < 300*time.Millisecond {
			break
		}
	}
	if best > 300*time.Millisecond {
		t.Errorf("50 invocations of 100 ms took %v", best)
	}
	if n, busy := h.Stats(); n > 60 || busy > 50 {
		t.Errorf("%d environments, %d busy", n, busy)
	}
}

// Environments that have answered are waited for, on a busy machine as well: so many
// clients at a time need so many environments.
func TestReturning(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Concurrency = -1
	f := h.NewFunction(spec)
	const clients = 50
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			mustInvoke(t, f, `{"do":"sleep","ms":300}`)
			for range 400 {
				mustInvoke(t, f, `{}`)
			}
		})
	}
	group.Wait()
	if n := h.Counts().Starts; n > clients+5 {
		t.Errorf("%d environments for %d clients", n, clients)
	}
}

// One client at a time needs one environment, and is never throttled.
func TestSequence(t *testing.T) {
	t.Parallel()
	for _, pipeline := range []string{"", "1"} {
		h := newTestHost(t, Config{})
		f := h.NewFunction(testSpec(t, "PIPELINE="+pipeline))
		for i := range 2000 {
			event := fmt.Sprintf(`{"i":%d}`, i)
			if r := mustInvoke(t, f, event); string(r.Payload) != event {
				t.Fatalf("%d: got %s", i, r.Payload)
			}
		}
		if n := h.Counts().Starts; n != 1 {
			t.Errorf("pipeline %q: %d environments", pipeline, n)
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{MaxEnvironments: 2})
	spec := testSpec(t)
	one := h.NewFunction(spec)
	spec.Concurrency = -1
	two, three := h.NewFunction(spec), h.NewFunction(spec)
	spec.Concurrency = 0
	if _, err := h.NewFunction(spec).Invoke(t.Context(), call(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("a function without concurrency: got %v", err)
	}
	hold := func(f *Function) (release func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		_, before := h.Stats()
		group.Go(func() {
			if _, err := f.Invoke(ctx, call(`{"do":"sleep","ms":60000}`)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		eventually(t, "it is busy", func() bool { _, busy := h.Stats(); return busy > before })
		return func() { cancel(); group.Wait() }
	}
	mustInvoke(t, three, `{}`)
	eventually(t, "it is idle", func() bool { _, busy := h.Stats(); return busy == 0 })
	defer hold(one)()
	if _, err := one.Invoke(t.Context(), call(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("a second invocation: got %v", err)
	}
	// The idle environment of the third function makes room.
	defer hold(two)()
	if _, err := three.Invoke(t.Context(), call(`{}`)); !errors.Is(err, ErrBusy) {
		t.Errorf("a third environment: got %v", err)
	}
	if n := h.Counts().Throttles; n != 3 {
		t.Errorf("%d throttles", n)
	}
}

func TestAbandoned(t *testing.T) {
	t.Parallel()
	log := &lines{}
	h := newTestHost(t, Config{Log: log})
	f := h.NewFunction(testSpec(t, "INIT=sleep:100"))

	// Before there is an environment: it joins the idle ones.
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := f.Invoke(ctx, call(`{}`)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	eventually(t, "it is idle", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return f.pool != nil && len(f.pool.idle) == 1
	})

	// While it runs: the function goes on, and takes its place until it has answered.
	c := call(`{"do":"sleep","ms":200}`)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := f.Invoke(ctx, c); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 150*time.Millisecond {
		t.Fatalf("got %v after %v", err, time.Since(began))
	}
	clear(c.Payload)
	if _, err := f.Invoke(t.Context(), call(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("while it runs: got %v", err)
	}
	eventually(t, "it has answered", func() bool { return len(log.texts(c.RequestID)) == 3 })
	if r := mustInvoke(t, f, `{"a":1}`); string(r.Payload) != `{"a":1}` {
		t.Errorf("the next one: got %s", r.Payload)
	}
	if n := h.Counts().Starts; n != 1 {
		t.Errorf("%d environments", n)
	}
}

func TestSourceChangesUnderLoad(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	spec := testSpec(t)
	spec.Concurrency = -1
	source := spec.Source.(*directory)
	f := h.NewFunction(spec)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				event := fmt.Sprintf(`{"i":%d}`, i)
				if r, err := f.Invoke(context.Background(), call(event)); err != nil || string(r.Payload) != event {
					t.Errorf("got %s, %v", r.Payload, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		before := string(mustInvoke(t, f, `{"do":"pid"}`).Payload)
		if i%2 == 0 {
			source.revision.Add(1)
		} else {
			spec.Environment = map[string]string{"ROUND": fmt.Sprint(i)}
			f.Configure(spec)
		}
		if after := string(mustInvoke(t, f, `{"do":"pid"}`).Payload); after == before {
			t.Errorf("round %d: process %s runs new code", i, after)
		}
	}
	close(stop)
	group.Wait()
	eventually(t, "old environments are gone", func() bool { n, _ := h.Stats(); return n <= 5 })
}

func TestReap(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{IdleTimeout: time.Hour})
	f := h.NewFunction(testSpec(t))
	mustInvoke(t, f, `{}`)
	eventually(t, "it is idle", func() bool { _, busy := h.Stats(); return busy == 0 })
	if next := h.reapIdle(time.Now().Add(time.Hour - time.Minute)); next > time.Minute || next < 50*time.Second {
		t.Errorf("looks again in %v", next)
	}
	if n, _ := h.Stats(); n != 1 {
		t.Fatalf("%d environments", n)
	}
	h.reapIdle(time.Now().Add(time.Hour))
	eventually(t, "it has ended", func() bool { n, _ := h.Stats(); return n == 0 })
	mustInvoke(t, f, `{}`)

	short := newTestHost(t, Config{IdleTimeout: 20 * time.Millisecond})
	mustInvoke(t, short.NewFunction(testSpec(t)), `{}`)
	eventually(t, "it has ended by itself", func() bool { n, _ := short.Stats(); return n == 0 })
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, Config{})
	file := filepath.Join(t.TempDir(), "starts")
	spec := testSpec(t, "INIT=count:"+file)
	f := h.NewFunction(spec)
	const want = "Runtime exited with error: exit status 1"
	began, n := time.Now(), 0
	for ; time.Since(began) < 500*time.Millisecond; n++ {
		c := call(`{}`)
		r, err := f.Invoke(t.Context(), c)
		if err != nil || !strings.Contains(string(r.Payload), want) || !strings.Contains(string(r.Payload), c.RequestID) {
			t.Fatalf("got %s, %v", r.Payload, err)
		}
	}
	b, err := os.ReadFile(file)
	if starts := strings.Count(string(b), "start"); err != nil || starts < 2 || starts > 5 {
		t.Errorf("%d starts for %d invocations, %v", starts, n, err)
	}

	// A change is tried at once.
	starts := h.Counts().Starts
	spec.Source.(*directory).revision.Add(1)
	mustInvoke(t, f, `{}`)
	spec.Environment = nil
	f.Configure(spec)
	if r := mustInvoke(t, f, `{"a":1}`); string(r.Payload) != `{"a":1}` {
		t.Errorf("after a change: got %s", r.Payload)
	}
	if n := h.Counts().Starts - starts; n != 2 {
		t.Errorf("%d starts after two changes", n)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	f := newTestHost(t, Config{}).NewFunction(testSpec(t))
	for _, id := range []string{"", "a b", "a\r\nX: y", "a/b", strings.Repeat("a", 129)} {
		c := call(`{}`)
		c.RequestID = id
		if _, err := f.Invoke(t.Context(), c); err == nil {
			t.Errorf("%q is fine", id)
		}
	}
	c := call(`{"a":1}`)
	c.ClientContext, c.TraceID = "{\r\n\"a\":\t1}", "Root=1\r\nContent-Length: 0"
	if r, err := f.Invoke(t.Context(), c); err != nil || string(r.Payload) != `{"a":1}` {
		t.Errorf("control characters in headers: got %s, %v", r.Payload, err)
	}
}
