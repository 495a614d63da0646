package authorizer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// answerOf returns an answer of a size.
func answerOf(size int) *lambdaAnswer { return &lambdaAnswer{authorized: true, size: size} }

// keep puts an answer into results.
func keep(r *Results, key string, a *lambdaAnswer, expires time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(keyOf([]byte(key)), a, expires)
}

func kept(r *Results, key string) bool { return r.get(keyOf([]byte(key))) != nil }

// TestResultsExpire: an answer counts up to its time, and not longer.
func TestResultsExpire(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"isAuthorized":true}`, `{"isAuthorized":false}`} {
		synctest.Test(t, func(t *testing.T) {
			f := says(text)
			spec := lambdaSpec(f)
			spec.TTL = 5 * time.Minute
			l := mustLambda(t, NewResults(0, nil), spec)
			x := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1")
			for _, step := range []struct {
				wait  time.Duration
				calls int
			}{{0, 1}, {5*time.Minute - 1, 1}, {1, 2}, {time.Minute, 2}, {4 * time.Minute, 3}} {
				time.Sleep(step.wait)
				lambdaOutcome(t, l, x)
				if f.count() != step.calls {
					t.Errorf("%s: %d calls after %v more, want %d", text, f.count(), step.wait, step.calls)
				}
			}
		})
	}
}

// TestResultsBounds: what was not used for longest gives way, by number and by size.
func TestResultsBounds(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	r := NewResults(3, nil)
	for _, key := range []string{"a", "b", "c"} {
		keep(r, key, answerOf(1), later)
	}
	kept(r, "a") // used
	keep(r, "d", answerOf(1), later)
	keep(r, "d", answerOf(2), later)
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if kept(r, key) != want {
			t.Errorf("%s is kept: %t", key, !want)
		}
	}
	if r.Len() != 3 || r.bytes != 4 {
		t.Errorf("%d answers of %d bytes", r.Len(), r.bytes)
	}
	r = NewResults(0, nil)
	for i := range 100 {
		keep(r, fmt.Sprint(i), answerOf(maxResultBytes/10), later)
	}
	if r.Len() != 10 || r.bytes > maxResultBytes {
		t.Errorf("%d answers of %d bytes", r.Len(), r.bytes)
	}
	keep(r, "huge", answerOf(maxResultBytes+1), later)
	if r.Len() != 0 || r.bytes != 0 || r.ring.next != &r.ring || r.ring.previous != &r.ring {
		t.Errorf("%d answers of %d bytes", r.Len(), r.bytes)
	}
	keep(r, "old", answerOf(1), time.Now())
	if kept(r, "old") || r.Len() != 0 {
		t.Error("an expired answer is kept")
	}
}

// TestSecurity41: answers are told apart by API, stage, authorizer, revision and each
// single value, so that none is taken for another.
func TestSecurity41(t *testing.T) {
	t.Parallel()
	f := says(`{"isAuthorized":true}`)
	results := NewResults(0, nil)
	zeros := strings.Repeat("\x00", 8) // as long as what stands between two values
	calls := 0
	for _, tt := range []struct {
		name   string
		change func(*LambdaSpec)
		a, b   string
		same   bool
	}{
		{"as it is", func(*LambdaSpec) {}, "ab", "c", false},
		{"again", func(*LambdaSpec) {}, "ab", "c", true},
		{"split elsewhere", func(*LambdaSpec) {}, "a", "bc", false},
		{"swapped", func(*LambdaSpec) {}, "c", "ab", false},
		{"zeros first", func(s *LambdaSpec) { s.Sources = []Source{textSource("a" + zeros + "b"), textSource("c")} }, "", "", false},
		{"zeros last", func(s *LambdaSpec) { s.Sources = []Source{textSource("a"), textSource("b" + zeros + "c")} }, "", "", false},
		{"API", func(s *LambdaSpec) { s.API = "a2" }, "ab", "c", false},
		{"stage", func(s *LambdaSpec) { s.Stage = "test" }, "ab", "c", false},
		{"authorizer", func(s *LambdaSpec) { s.AuthorizerID = "auth02" }, "ab", "c", false},
		{"revision", func(s *LambdaSpec) { s.Revision = "2" }, "ab", "c", false},
		{"API and stage split elsewhere", func(s *LambdaSpec) { s.API, s.Stage = "a1p", "rod" }, "ab", "c", false},
		{"a value into the revision", func(s *LambdaSpec) {
			s.Revision, s.Sources, s.SourceNames = "1\x00\x00\x00\x00\x00\x00\x00\x02ab", s.Sources[1:], s.SourceNames[1:]
		}, "x", "c", false},
	} {
		spec := lambdaSpec(f)
		spec.TTL = time.Minute
		spec.Sources, spec.SourceNames = append(spec.Sources, headerSource("K")), append(spec.SourceNames, "$request.header.K")
		tt.change(&spec)
		x := lambdaExchange(t, "GET /prod/a", "", "Authorization: "+tt.a, "K: "+tt.b)
		if got := lambdaOutcome(t, mustLambda(t, results, spec), x); got != 200 {
			t.Errorf("%s: %d", tt.name, got)
		}
		if !tt.same {
			calls++
		}
		if f.count() != calls {
			t.Errorf("%s: %d calls, want %d", tt.name, f.count(), calls)
			calls = f.count()
		}
	}
}

// TestSingleFlight: whoever asks while the function runs gets its answer, with a TTL
// only, and only under the same key.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ttl    time.Duration
		values []string
		calls  int
	}{{time.Minute, []string{"a", "a", "a", "a"}, 1}, {time.Minute, []string{"a", "b", "a", "c"}, 3}, {0, []string{"a", "a", "a"}, 3}} {
		synctest.Test(t, func(t *testing.T) {
			f := sleeps(3*time.Second, `{"isAuthorized":true}`)
			spec := lambdaSpec(f)
			spec.TTL = tt.ttl
			results := NewResults(0, nil)
			l := mustLambda(t, results, spec)
			statuses := make(chan int)
			for _, value := range tt.values {
				x := lambdaExchange(t, "GET /prod/a", "", "Authorization: "+value)
				go func() { statuses <- lambdaOutcome(t, l, x) }()
			}
			for range tt.values {
				if got := <-statuses; got != 200 {
					t.Errorf("%v: %d", tt.values, got)
				}
			}
			if f.count() != tt.calls || len(results.flights) != 0 {
				t.Errorf("%v, TTL %v: %d calls, want %d; %d flights", tt.values, tt.ttl, f.count(), tt.calls, len(results.flights))
			}
		})
	}
}

// TestSharedFailure: all who wait for a call that fails are refused, and it is not kept.
func TestSharedFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
			time.Sleep(time.Second)
			return integration.InvocationResult{FunctionError: "Unhandled"}, nil
		}}
		spec := lambdaSpec(f)
		spec.TTL = time.Minute
		results := NewResults(0, nil)
		l := mustLambda(t, results, spec)
		statuses := make(chan int)
		var last *gateway.Exchange
		for range 3 {
			x := lambdaExchange(t, "GET /prod/a", "", "Authorization: x")
			last = x
			go func() { statuses <- lambdaOutcome(t, l, x) }()
		}
		for range 3 {
			if got := <-statuses; got != 500 {
				t.Errorf("got %d", got)
			}
		}
		if f.count() != 1 || results.Len() != 0 {
			t.Errorf("%d calls, %d answers", f.count(), results.Len())
		}
		if lambdaOutcome(t, l, last); f.count() != 2 {
			t.Errorf("then %d calls", f.count())
		}
	})
}

// TestWaiters: one who stops waiting takes nothing away from the others; the last one
// ends the call, and who comes then starts another one.
func TestWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := NewResults(0, nil)
		key := keyOf([]byte("k"))
		calls, ended := 0, 0
		prepare := func() lambdaCall {
			return func(ctx context.Context) (*lambdaAnswer, error) {
				calls++
				select {
				case <-time.After(5 * time.Second):
					return answerOf(1), nil
				case <-ctx.Done():
					ended++
					return nil, ctx.Err()
				}
			}
		}
		type outcome struct {
			a   *lambdaAnswer
			err error
		}
		ask := func() (chan outcome, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			c := make(chan outcome, 1)
			go func() {
				a, err := r.share(ctx, key, time.Minute, prepare)
				c <- outcome{a, err}
			}()
			synctest.Wait()
			return c, cancel
		}
		first, leave := ask()
		second, leaveSecond := ask()
		defer leaveSecond()
		leave()
		if o := <-first; !errors.Is(o.err, context.Canceled) || ended != 0 {
			t.Errorf("the first: %v, %d calls ended", o.err, ended)
		}
		if o := <-second; o.err != nil || o.a == nil || calls != 1 {
			t.Errorf("the second: %v, %d calls", o.err, calls)
		}
		time.Sleep(time.Hour) // the answer has expired
		only, leaveOnly := ask()
		leaveOnly()
		if o := <-only; !errors.Is(o.err, context.Canceled) {
			t.Errorf("the only one: %v", o.err)
		}
		synctest.Wait()
		if ended != 1 || len(r.flights) != 0 {
			t.Errorf("%d calls ended, %d flights", ended, len(r.flights))
		}
		next, leaveNext := ask()
		defer leaveNext()
		if o := <-next; o.err != nil || calls != 3 {
			t.Errorf("the next: %v, %d calls", o.err, calls)
		}
	})
}
