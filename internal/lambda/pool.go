package lambda

import (
	"slices"
	"time"
)

// A place is where an environment is in its pool. Host.mu guards it.
type place uint8

const (
	starting  place = iota // has not asked for an invocation yet
	idle                   // waits in the pool
	taken                  // has an invocation
	returning              // has answered and not asked for the next invocation yet
	leaving                // ends; it does not count any more
)

// A pool is the environments of one function that run the same code with the same
// configuration. A change of either makes a new pool; the environments of the one before
// end as soon as nobody waits for them. Host.mu guards it.
type pool struct {
	function *Function
	spec     Spec
	dir      string
	revision uint64
	retired  bool
	// idle are in the order they became so. The last is taken first, so that the first
	// ones end when there is less to do.
	idle    []*environment
	waiters []*waiter // the oldest first
	// starting and returning are how many environments are in those places. There are
	// never more waiters than both.
	starting, returning int
	// failure is how the last initialisation failed; nil if it did not. Until resume, no
	// other is tried.
	failure *failure
	delay   time.Duration
	resume  time.Time
}

// A waiter is an invocation without an environment.
type waiter struct {
	granted chan grant // has room for one
	timer   *time.Timer
}

// A grant is what a waiter gets: one of an environment, a failure and an error.
type grant struct {
	environment *environment
	failure     *failure
	err         error
}

// returnGrace is how long an invocation waits for an environment that has just answered
// before another one is started for it. Most ask for more at once. On a machine that is
// busy they are late, and one more process would make it busier; it would take as long to
// start.
const returnGrace = 50 * time.Millisecond

// An initialisation that fails is not tried again for minBackoff, then for twice as long
// each time, up to maxBackoff.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// move puts an environment into a place. The caller holds h.mu and, if the place is
// leaving, ends the environment after it has let go.
func (h *Host) move(e *environment, to place) {
	p := e.pool
	switch e.place {
	case starting:
		p.starting--
	case idle:
		if i := slices.Index(p.idle, e); i >= 0 {
			p.idle = slices.Delete(p.idle, i, i+1)
		}
	case taken:
		h.busy--
	case returning:
		p.returning--
		h.busy--
	case leaving:
		return
	}
	e.place = to
	switch to {
	case idle:
		e.idleSince = time.Now()
		p.idle = append(p.idle, e)
	case taken:
		h.busy++
		h.watchBusy()
	case returning:
		p.returning++
		h.busy++
	case leaving:
		h.total--
	}
}

// watchBusy has the watcher look at environments often. The caller holds h.mu.
func (h *Host) watchBusy() {
	if h.watching {
		return
	}
	h.watching = true
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// launch starts an environment, and ends the one that has been idle for longest if there
// are too many. It reports false if there are too many and none is idle. The caller
// holds h.mu.
func (h *Host) launch(p *pool) bool {
	if h.closed {
		return false
	}
	if h.total >= h.config.MaxEnvironments {
		var oldest *environment
		for f := range h.active {
			if f.pool != nil && len(f.pool.idle) > 0 {
				if e := f.pool.idle[0]; oldest == nil || e.idleSince.Before(oldest.idleSince) {
					oldest = e
				}
			}
		}
		if oldest == nil {
			return false
		}
		h.move(oldest, leaving)
		go oldest.end(nil)
	}
	e := newEnvironment(h, p)
	h.total++
	h.counts.Starts++
	h.members[e] = struct{}{}
	p.starting++
	h.watchBusy()
	h.environments.Go(e.run)
	return true
}

// ready gives an environment that has asked for an invocation to who waits for it. It
// reports false if nobody needs it any more; the caller then ends it.
func (h *Host) ready(e *environment) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := e.pool
	if e.place == leaving {
		return false
	}
	if e.place == starting {
		p.failure, p.delay = nil, 0
	}
	if len(p.waiters) > 0 {
		h.move(e, taken)
		p.next().grant(grant{environment: e})
		return true
	}
	if p.retired || h.closed {
		h.move(e, leaving)
		return false
	}
	h.move(e, idle)
	return true
}

// answered notes that the invocation of an environment has an answer.
func (h *Host) answered(e *environment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.pool.function.invocations--
	if e.place == taken {
		h.move(e, returning)
	}
}

// withdrawn notes that an idle environment does not ask for an invocation any more,
// though it may again.
func (h *Host) withdrawn(e *environment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.place == idle {
		h.move(e, returning)
	}
}

// leave notes that an environment is about to end.
func (h *Host) leave(e *environment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.place == starting || e.place == leaving {
		// One that has not been initialised has its failure told when it is gone.
		return
	}
	h.move(e, leaving)
	h.supply(e.pool)
}

// gone notes that an environment has ended; f says how its initialisation failed, and is
// nil if it did not.
func (h *Host) gone(e *environment, f *failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := e.pool
	delete(h.members, e)
	h.move(e, leaving)
	if f != nil && !h.closed {
		p.failure = f
		p.delay = min(max(2*p.delay, minBackoff), maxBackoff)
		p.resume = time.Now().Add(p.delay)
		if len(p.waiters) > p.starting+p.returning {
			p.function.invocations--
			p.next().grant(grant{failure: f})
		}
	}
	h.supply(p)
}

// supply starts environments until there are enough for who waits. The caller holds h.mu.
func (h *Host) supply(p *pool) {
	for len(p.waiters) > p.starting+p.returning {
		if p.function.closed {
			p.function.invocations--
			p.next().grant(grant{err: ErrClosed})
		} else if !h.launch(p) {
			h.counts.Throttles++
			p.function.invocations--
			p.next().grant(grant{err: ErrBusy})
		}
	}
}

// next takes the oldest waiter from the queue.
func (p *pool) next() *waiter {
	w := p.waiters[0]
	p.waiters = slices.Delete(p.waiters, 0, 1)
	return w
}

// grant ends the waiting of a waiter that is not in the queue any more.
func (w *waiter) grant(g grant) {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.granted <- g
}

// retire stops a pool from being used for new invocations. The caller holds h.mu.
func (h *Host) retire(p *pool) {
	p.retired = true
	for len(p.idle) > 0 {
		e := p.idle[len(p.idle)-1]
		h.move(e, leaving)
		go e.end(nil)
	}
}
