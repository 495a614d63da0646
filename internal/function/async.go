package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"penstock/internal/lambda"
)

// Limits of a queue.
const (
	maxEvents       = 1000     // that wait or run
	maxEventBytes   = 64 << 20 // of all their payloads
	maxEventWorkers = 32       // events that run at one time
	maxEventsOfOne  = 8        // and of one function
)

// Events that are throttled are tried again after a second, then two, four, ..., at
// most five minutes. Source: developer guide, invocation-async-error-handling; there it
// is tried for six hours.
const (
	firstThrottle = time.Second
	maxThrottle   = 5 * time.Minute
	maxThrottled  = 10 // tries
)

var (
	errTooManyEvents = errors.New("too many events wait for functions")
	errEventsClosed  = errors.New("the server is shutting down")
	// errThrottledEvent says of a try that the function had no room for it, errLostEvent
	// that another try would end the same way.
	errThrottledEvent = errors.New("throttled")
	errLostEvent      = errors.New("cannot be invoked")
)

// An event is an invocation that nobody waits for.
type event struct {
	name, qualifier string
	invokedARN      string // what the function is told it was called by; empty for its own ARN
	requestID       string
	payload         []byte
	traceID         string
	clientContext   string

	failed, throttled int // tries that ended so
}

// A queue invokes functions with events until they succeed or have failed too often.
// Events are in memory only.
type queue struct {
	// try invokes a function. Its error wraps errThrottledEvent or errLostEvent where
	// that is so, and is of another kind if the function failed.
	try     func(e *event) error
	end     context.CancelFunc // of all tries
	retries []time.Duration    // waits after a failure; when there are no more the event is lost
	log     *slog.Logger
	done    sync.WaitGroup // workers

	mu      sync.Mutex // guards what follows
	closed  bool
	count   int // events that wait for a worker, run, or wait for the next try
	bytes   int
	waiting []*event // for a worker, the oldest first
	later   map[*event]*time.Timer
	workers int
	running map[string]int // by name of the function
}

// defaultRetries is how long an event waits after the function failed, before the
// second and the third try.
var defaultRetries = []time.Duration{time.Minute, 2 * time.Minute}

// newEvents returns what invokes the functions of s. An empty list of waits, which is
// not nil, is for one try.
func newEvents(s *Service) *queue {
	retries := s.Retries
	if retries == nil {
		retries = defaultRetries
	}
	return newQueue(retries, s.Log, s.try)
}

func newQueue(retries []time.Duration, log *slog.Logger, try func(context.Context, *event) error) *queue {
	ctx, end := context.WithCancel(context.Background())
	return &queue{
		try:     func(e *event) error { return try(ctx, e) },
		end:     end,
		retries: retries,
		log:     log,
		later:   map[*event]*time.Timer{},
		running: map[string]int{},
	}
}

// maxEventTime is how long an invocation with an event may take, whatever the function
// is. Source: the greatest timeout of a function.
const maxEventTime = 15 * time.Minute

// try invokes a function with an event. Which version an alias leads to is decided for
// each try.
func (s *Service) try(ctx context.Context, e *event) error {
	ctx, cancel := context.WithTimeout(ctx, maxEventTime)
	defer cancel()
	t, result, err := s.invokeNamed(ctx, e.name, e.qualifier, lambda.Call{
		RequestID:     e.requestID,
		InvokedARN:    e.invokedARN,
		Payload:       e.payload,
		TraceID:       e.traceID,
		ClientContext: e.clientContext,
	})
	var unknown *Error
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: %w", errLostEvent, err)
	case isThrottle(err):
		return fmt.Errorf("%w: %w", errThrottledEvent, throttled(t, err))
	case err != nil:
		return err
	case result.FunctionError != "":
		return fmt.Errorf("the function failed: %s", clip(string(result.Payload[:min(len(result.Payload), maxShown+1)])))
	}
	return nil
}

// add takes an event, or says that there are too many.
func (q *queue) add(e *event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errEventsClosed
	case q.count >= maxEvents || q.bytes+len(e.payload) > maxEventBytes:
		return errTooManyEvents
	}
	q.count++
	q.bytes += len(e.payload)
	q.waiting = append(q.waiting, e)
	q.start()
	return nil
}

// start gives waiting events to new workers while there may be more of them. The mutex
// is held.
func (q *queue) start() {
	for q.workers < maxEventWorkers {
		e := q.take()
		if e == nil {
			return
		}
		q.workers++
		q.done.Go(func() { q.work(e) })
	}
}

// take removes the oldest event of a function that may have one more running. The
// mutex is held.
func (q *queue) take() *event {
	for i, e := range q.waiting {
		if q.running[e.name] < maxEventsOfOne {
			q.waiting = slices.Delete(q.waiting, i, i+1)
			q.running[e.name]++
			return e
		}
	}
	return nil
}

// work tries events until none is left that it may try.
func (q *queue) work(e *event) {
	for e != nil {
		err := q.try(e)
		q.mu.Lock()
		if q.running[e.name]--; q.running[e.name] == 0 {
			delete(q.running, e.name)
		}
		if !q.closed { // close has counted the event as lost
			q.settle(e, err)
		}
		if e = q.take(); e == nil {
			q.workers--
		}
		q.mu.Unlock()
	}
}

// settle decides what becomes of an event after a try. The mutex is held.
func (q *queue) settle(e *event, err error) {
	log := q.log.With("function", e.name, "request", e.requestID)
	var wait time.Duration
	switch {
	case err == nil:
		log.Debug("event was handled")
		q.forget(e)
		return
	case errors.Is(err, errLostEvent):
		log.Error("event is lost", "error", err)
		q.forget(e)
		return
	case errors.Is(err, errThrottledEvent):
		e.throttled++
		if e.throttled >= maxThrottled {
			log.Error("event is lost, its function was throttled too often", "tries", e.throttled, "error", err)
			q.forget(e)
			return
		}
		wait = min(firstThrottle<<(e.throttled-1), maxThrottle)
	default:
		e.failed++
		if e.failed > len(q.retries) {
			log.Error("event is lost, its function failed too often", "tries", e.failed, "error", err)
			q.forget(e)
			return
		}
		wait = q.retries[e.failed-1]
	}
	log.Warn("event will be tried again", "after", wait, "error", err)
	q.later[e] = time.AfterFunc(wait, func() { q.wake(e) })
}

// wake puts an event that has waited for its next try behind the others.
func (q *queue) wake(e *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	delete(q.later, e)
	q.waiting = append(q.waiting, e)
	q.start()
}

// forget ends an event. The mutex is held.
func (q *queue) forget(e *event) {
	q.count--
	q.bytes -= len(e.payload)
}

// close ends all events at once and waits for those that run. What had not ended is
// lost; the log says how much that is.
func (q *queue) close() {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.closed = true
	lost := q.count
	q.waiting = nil
	for _, t := range q.later {
		t.Stop()
	}
	clear(q.later)
	q.end()
	q.mu.Unlock()
	q.done.Wait()
	if lost > 0 {
		q.log.Warn("events are lost, the server is shutting down", "events", lost)
	}
}
