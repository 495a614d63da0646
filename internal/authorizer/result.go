package authorizer

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// DefaultResults is how many answers of Lambda authorizers are kept by default.
const DefaultResults = 10_000

// maxResultBytes is how much memory, about, all kept answers may take together.
const maxResultBytes = 64 << 20

// A resultKey tells answers apart: a hash of all that they depend on.
type resultKey [sha256.Size]byte

func keyOf(b []byte) resultKey { return sha256.Sum256(b) }

// Results are what the functions of Lambda authorizers have answered. They outlive
// snapshots, and are shared by all authorizers: keys tell whose they are. Whoever asks
// for an answer that somebody else is waiting for waits with them. Failures are never
// kept.
type Results struct {
	max int
	now func() time.Time

	mu      sync.Mutex // guards the fields below
	entries map[resultKey]*result
	ring    result // of all entries, the one used latest after it
	bytes   int
	flights map[resultKey]*flight
}

// A result is an answer that counts until it expires.
type result struct {
	key            resultKey
	answer         *lambdaAnswer
	expires        time.Time
	previous, next *result // in the ring
}

// NewResults returns a place for answers. It keeps at most max of them, or
// DefaultResults if max is 0; those that were not used for longest give way. The clock
// is now, or time.Now if that is nil.
func NewResults(max int, now func() time.Time) *Results {
	if max <= 0 {
		max = DefaultResults
	}
	if now == nil {
		now = time.Now
	}
	r := &Results{max: max, now: now, entries: map[resultKey]*result{}, flights: map[resultKey]*flight{}}
	r.ring.previous, r.ring.next = &r.ring, &r.ring
	return r
}

// Len returns how many answers are kept, those that have expired included.
func (r *Results) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

// get returns an answer that counts, or nil.
func (r *Results) get(key resultKey) *lambdaAnswer {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(key, now)
}

// find is get for who has locked r.
func (r *Results) find(key resultKey, now time.Time) *lambdaAnswer {
	e := r.entries[key]
	if e == nil {
		return nil
	}
	if !now.Before(e.expires) {
		r.remove(e)
		return nil
	}
	e.unlink()
	r.link(e)
	return e.answer
}

// put keeps an answer. The caller has locked r.
func (r *Results) put(key resultKey, a *lambdaAnswer, expires time.Time) {
	if e := r.entries[key]; e != nil {
		r.remove(e)
	}
	e := &result{key: key, answer: a, expires: expires}
	r.entries[key] = e
	r.link(e)
	r.bytes += a.size
	for len(r.entries) > r.max || r.bytes > maxResultBytes {
		r.remove(r.ring.previous)
	}
}

func (r *Results) remove(e *result) {
	e.unlink()
	delete(r.entries, e.key)
	r.bytes -= e.answer.size
}

// link makes e the one that was used latest.
func (r *Results) link(e *result) {
	e.previous, e.next = &r.ring, r.ring.next
	e.previous.next, e.next.previous = e, e
}

func (e *result) unlink() {
	e.previous.next, e.next.previous = e.next, e.previous
}

// A lambdaCall calls the function of an authorizer and reads its answer.
type lambdaCall func(context.Context) (*lambdaAnswer, error)

// A flight is a lambdaCall that several exchanges may wait for. It runs on a context of
// its own: no client that leaves takes the answer away from the others. It ends when
// the function has answered, after LambdaTimeout, or when nobody waits any more.
type flight struct {
	done   chan struct{} // closed with answer and err
	answer *lambdaAnswer
	err    error

	over    <-chan struct{} // closed after LambdaTimeout, by cancel, or after done
	cancel  context.CancelFunc
	waiting int // guarded by Results.mu
}

// newFlight returns a flight with one who waits, and the context for its call.
func newFlight() (*flight, context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), LambdaTimeout)
	return &flight{done: make(chan struct{}), over: ctx.Done(), cancel: cancel, waiting: 1}, ctx
}

// run makes the call and then what is to be done with it.
func (f *flight) run(ctx context.Context, call lambdaCall, landed func()) {
	defer f.cancel()
	defer close(f.done)
	defer landed()
	defer func() {
		if p := recover(); p != nil {
			f.answer, f.err = nil, errCallPanic
		}
	}()
	f.answer, f.err = call(ctx)
}

// wait waits for the flight to end, or for ctx. A call that does not heed the end of
// its context is not waited for.
func (f *flight) wait(ctx context.Context) (*lambdaAnswer, error) {
	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.over:
	}
	select {
	case <-f.done:
		return f.answer, f.err
	default:
		return nil, context.DeadlineExceeded
	}
}

// alone makes a call for one exchange.
func alone(ctx context.Context, call lambdaCall) (*lambdaAnswer, error) {
	f, own := newFlight()
	defer f.cancel()
	go f.run(own, call, func() {})
	return f.wait(ctx)
}

// share returns the answer that is kept under a key, or that of the flight which is
// under way, or else of a new one, and keeps it. It asks for the call only if it may
// have to make it.
func (r *Results) share(ctx context.Context, key resultKey, ttl time.Duration, prepare func() lambdaCall) (*lambdaAnswer, error) {
	a, f := r.join(key, nil)
	if a == nil && f == nil {
		call := prepare()
		fresh, own := newFlight()
		if a, f = r.join(key, fresh); f == fresh {
			go f.run(own, call, func() { r.land(key, f, ttl) })
		} else {
			fresh.cancel() // somebody else was faster
		}
	}
	if a != nil {
		return a, nil
	}
	defer r.leave(key, f)
	return f.wait(ctx)
}

// join returns an answer that counts, or the flight to wait for. If there is none,
// fresh takes its place, unless it is nil.
func (r *Results) join(key resultKey, fresh *flight) (*lambdaAnswer, *flight) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.find(key, now); a != nil {
		return a, nil
	}
	if f := r.flights[key]; f != nil {
		f.waiting++
		return nil, f
	}
	if fresh != nil {
		r.flights[key] = fresh
	}
	return nil, fresh
}

// leave ends a flight that nobody waits for, and takes one that has ended out of the
// way of others.
func (r *Results) leave(key resultKey, f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.waiting--
	select {
	case <-f.over:
	default:
		if f.waiting > 0 {
			return
		}
		f.cancel()
	}
	if r.flights[key] == f {
		delete(r.flights, key)
	}
}

// land keeps the answer of a flight, if there is one and somebody has waited for it.
func (r *Results) land(key resultKey, f *flight, ttl time.Duration) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flights[key] != f {
		return
	}
	delete(r.flights, key)
	if f.err == nil {
		r.put(key, f.answer, now.Add(ttl))
	}
}
