package lambda

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A Function is one version of a function on a host. It may be used by many goroutines.
type Function struct {
	host *Host
	// looking is held by who asks the source because the code has changed.
	looking sync.Mutex

	// Host.mu guards what follows.
	spec       Spec
	configured int // counts Configure
	closed     bool
	pool       *pool // nil before the first invocation
	// invocations are under way: they wait, or have no answer yet.
	invocations int
}

// An invocation is one that an environment has.
type invocation struct {
	id      string
	tail    bool
	started time.Time
	done    chan outcome // has room for one
	// environment.mu guards these two. conn is where the event was sent.
	answered bool
	conn     *conn
}

// An outcome is what an invocation ends with.
type outcome struct {
	result Result
	err    error
}

// deliveries is how often an invocation is tried again because its environment has gone
// before it has seen anything of it, or because the function was changed meanwhile.
const deliveries = 10

// Invoke calls the function and waits for its answer. What goes wrong inside of the
// function is a Result; an error is ErrThrottled, ErrBusy, ErrClosed, or that of the
// context. If the context ends, Invoke returns at once and the function goes on until it
// answers or its time is over.
func (f *Function) Invoke(ctx context.Context, call Call) (Result, error) {
	if !validID(call.RequestID) {
		return Result{}, errors.New("lambda: a request ID is letters, digits and dashes")
	}
	for range deliveries {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		p, err := f.current()
		if err != nil {
			if errors.Is(err, ErrClosed) {
				return Result{}, err
			}
			f.host.config.Logger.Warn("the code of a function cannot be read", "function", f.spec.Name, "error", err)
			return codeFailure(err).result(call.RequestID), nil
		}
		g := f.acquire(ctx, p)
		if g.err != nil {
			return Result{}, g.err
		}
		if g.failure != nil {
			return g.failure.result(call.RequestID), nil
		}
		if g.environment == nil {
			continue
		}
		inv := &invocation{id: call.RequestID, tail: call.Tail, done: make(chan outcome, 1)}
		if !g.environment.begin(inv, &call) {
			continue
		}
		select {
		case o := <-inv.done:
			return o.result, o.err
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
	return exitFailure("").result(call.RequestID), nil
}

// validID reports whether an ID can stand in a header and in a path.
func validID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return true
}

// current returns the pool of the code as it is now.
func (f *Function) current() (*pool, error) {
	h := f.host
	h.mu.Lock()
	p, source, closed := f.pool, f.spec.Source, f.closed
	h.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	_, revision, err := source.Code()
	if err != nil {
		return nil, err
	}
	if p != nil && p.revision == revision {
		return p, nil
	}

	// The code has changed, or somebody else was faster. What the source has said may be
	// old by now: it is asked again while nobody else acts on its answers.
	f.looking.Lock()
	defer f.looking.Unlock()
	for {
		h.mu.Lock()
		spec, configured := f.spec, f.configured
		h.mu.Unlock()
		dir, revision, err := spec.Source.Code()
		if err != nil {
			return nil, err
		}
		if p := f.change(spec, configured, dir, revision); p != nil {
			return p, nil
		}
	}
}

// change makes a pool for code if there is none for it yet. It returns nil if the
// function was configured anew meanwhile.
func (f *Function) change(spec Spec, configured int, dir string, revision uint64) *pool {
	h := f.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.configured != configured {
		return nil
	}
	if f.pool != nil && f.pool.revision == revision {
		return f.pool
	}
	if f.pool != nil {
		h.retire(f.pool)
	}
	// Processes run in the directory, and are told its name.
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	f.pool = &pool{function: f, spec: spec, dir: dir, revision: revision, retired: f.closed}
	return f.pool
}

// acquire takes an environment of a pool, and waits for one if none is idle. It grants
// nothing if the function has another pool by now.
func (f *Function) acquire(ctx context.Context, p *pool) grant {
	h := f.host
	h.mu.Lock()
	if h.closed || f.closed {
		h.mu.Unlock()
		return grant{err: ErrClosed}
	}
	if p.retired {
		h.mu.Unlock()
		return grant{}
	}
	if f.spec.Concurrency >= 0 && f.invocations >= f.spec.Concurrency {
		h.counts.Throttles++
		h.mu.Unlock()
		return grant{err: ErrThrottled}
	}
	if n := len(p.idle); n > 0 {
		e := p.idle[n-1]
		f.invocations++
		h.move(e, taken)
		h.mu.Unlock()
		return grant{environment: e}
	}
	if p.failure != nil && time.Now().Before(p.resume) {
		g := grant{failure: p.failure}
		h.mu.Unlock()
		return g
	}
	w := &waiter{granted: make(chan grant, 1)}
	switch {
	case len(p.waiters) < p.starting:
	case len(p.waiters) < p.starting+p.returning:
		w.timer = time.AfterFunc(returnGrace, func() { h.hurry(p, w) })
	case !h.launch(p):
		h.counts.Throttles++
		h.mu.Unlock()
		return grant{err: ErrBusy}
	}
	f.invocations++
	p.waiters = append(p.waiters, w)
	h.mu.Unlock()

	select {
	case g := <-w.granted:
		return g
	case <-ctx.Done():
		h.abandon(p, w)
		return grant{err: ctx.Err()}
	}
}

// hurry starts an environment for a waiter that the ones that have answered keep waiting,
// if there is room, and the function has fewer than it may have invocations.
func (h *Host) hurry(p *pool, w *waiter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(p.waiters, w) || len(p.waiters) <= p.starting {
		return
	}
	if limit := p.spec.Concurrency; limit >= 0 {
		for e := range h.members {
			if e.pool == p && e.place != leaving {
				limit--
			}
		}
		if limit <= 0 {
			return
		}
	}
	h.launch(p)
}

// abandon takes back a waiter that does not wait any more. An environment that it has
// been given goes to the next one.
func (h *Host) abandon(p *pool, w *waiter) {
	h.mu.Lock()
	i := slices.Index(p.waiters, w)
	if i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.function.invocations--
	}
	h.mu.Unlock()
	if i >= 0 {
		if w.timer != nil {
			w.timer.Stop()
		}
		return
	}
	g := <-w.granted
	if g.environment == nil {
		return
	}
	h.mu.Lock()
	p.function.invocations--
	h.mu.Unlock()
	if !h.ready(g.environment) {
		g.environment.end(nil)
	}
}

// Configure replaces what the function is. Environments from now on are as spec says;
// idle ones of before end at once, busy ones when they have answered.
func (f *Function) Configure(spec Spec) {
	h := f.host
	h.mu.Lock()
	defer h.mu.Unlock()
	f.spec = spec
	f.configured++
	if f.pool != nil {
		h.retire(f.pool)
		f.pool = nil
	}
}

// Close removes the function from its host. Idle environments end at once, busy ones
// when they have answered; who waits for an environment gets ErrClosed.
func (f *Function) Close() {
	h := f.host
	h.mu.Lock()
	defer h.mu.Unlock()
	f.close()
}

// close is Close for a caller that holds Host.mu.
func (f *Function) close() {
	if f.closed {
		return
	}
	f.closed = true
	delete(f.host.active, f)
	if p := f.pool; p != nil {
		f.host.retire(p)
		for len(p.waiters) > 0 {
			f.invocations--
			p.next().grant(grant{err: ErrClosed})
		}
	}
}
