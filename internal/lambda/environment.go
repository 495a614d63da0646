package lambda

import (
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A state is what an environment does, as the Runtime API sees it.
type state uint8

const (
	initialising state = iota // has not asked for an invocation yet
	parked                    // waits for an invocation: conn is where it asked
	running                   // has an invocation
	answering                 // sends its answer
	resting                   // has answered, or hung up, and not asked again yet
	ending                    // is being killed; the Runtime API refuses everything
)

// An environment is a process of a function, and the place where it asks for work.
type environment struct {
	host    *Host
	pool    *pool
	created time.Time

	// Host.mu guards these two.
	place     place
	idleSince time.Time

	stream   string // the name of its log stream
	temp     string // its directory for temporary files
	listener net.Listener
	address  string // of the listener
	output   *output
	peak     atomic.Int64   // the most memory that it was seen to use, in bytes
	conns    sync.WaitGroup // of connections, and of who accepts them

	// mu guards what follows. It is never held while Host.mu is taken.
	mu         sync.Mutex
	state      state
	process    *process // nil before it was started
	conn       *conn    // where it waits for an invocation
	open       map[*conn]struct{}
	invocation *invocation // the one it has, or the last one it had
	timer      *time.Timer
	deadline   time.Time // what the timer is set to
	// cause is why it ends or will end; nil if it ends by itself.
	cause       *failure
	initialised bool
	initTime    time.Duration
	cold        bool // has had no invocation
	scratch     []byte
	sampled     time.Time // when its memory was read for a report
}

func newEnvironment(h *Host, p *pool) *environment {
	e := &environment{
		host:    h,
		pool:    p,
		created: time.Now(),
		stream:  streamName(time.Now(), p.spec.Version),
		open:    make(map[*conn]struct{}),
		cold:    true,
	}
	e.output = newOutput(h.config.Log, &p.spec, e.stream)
	return e
}

// run starts the process and lives for as long as it does.
func (e *environment) run() {
	if f := e.start(); f != nil {
		e.mu.Lock()
		e.state = ending
		e.mu.Unlock()
		e.host.config.Logger.Warn("a function cannot be started", "function", e.pool.spec.Name, "error", f.text)
		e.cleanUp()
		e.crashed()
		e.host.gone(e, f)
		return
	}
	exit := e.process.wait()
	e.hangUp()
	e.exited(exit)
	e.cleanUp()
}

// start makes everything that the process needs, and the process.
func (e *environment) start() *failure {
	spec, h := &e.pool.spec, e.host
	command, extra, f := h.command(spec, e.pool.dir)
	if f != nil {
		return f
	}
	temp, err := os.MkdirTemp(h.dir, "")
	if err != nil {
		return platformFailure(err)
	}
	e.temp = temp
	if h.credential != nil {
		if err := os.Chown(temp, int(h.credential.Uid), int(h.credential.Gid)); err != nil {
			return platformFailure(err)
		}
	}
	if e.listener, err = listen(); err != nil {
		return platformFailure(err)
	}
	e.address = e.listener.Addr().String()
	write, err := e.output.open()
	if err != nil {
		return platformFailure(err)
	}
	p, err := h.startProcess(&start{
		command:     command,
		dir:         e.pool.dir,
		environment: e.variables(extra),
		output:      write,
	})
	write.Close()
	if err != nil {
		return entrypointFailure(command[0], err)
	}

	e.output.start(&h.tasks)
	e.mu.Lock()
	e.process = p
	e.deadline = time.Now().Add(h.config.InitTimeout)
	e.timer = time.AfterFunc(h.config.InitTimeout, e.expire)
	over := e.state == ending
	e.mu.Unlock()
	e.conns.Go(e.accept)
	if over {
		p.kill()
	}
	return nil
}

// listen opens the Runtime API of one environment.
func listen() (net.Listener, error) {
	return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
}

// begin hands an invocation over. It reports false if the environment was gone before it
// has seen anything of it. The caller has taken the environment from the pool.
func (e *environment) begin(inv *invocation, call *Call) bool {
	spec := &e.pool.spec
	e.mu.Lock()
	if e.state != parked {
		e.mu.Unlock()
		e.host.answered(e)
		return false
	}
	c := e.conn
	e.conn, e.state, e.invocation, inv.conn = nil, running, inv, c
	inv.started = time.Now()
	e.deadline = inv.started.Add(spec.Timeout)
	e.timer.Reset(spec.Timeout)
	e.output.begin(inv.id, inv.tail, len(c.held) > 0)
	buffer := appendEvent(append(e.scratch[:0], c.held...), call, e.deadline)
	c.held, e.scratch = nil, nil
	e.mu.Unlock()

	free, err := c.offer(buffer)
	if err != nil {
		e.mu.Lock()
		untouched := !inv.answered
		inv.answered = true
		e.mu.Unlock()
		e.end(nil)
		if untouched {
			e.host.answered(e)
		}
		return !untouched
	}
	if free && cap(buffer) <= scratchSize {
		e.mu.Lock()
		e.scratch = buffer
		e.mu.Unlock()
	}
	return true
}

// scratchSize is how large a buffer an environment keeps from one event to the next.
const scratchSize = 128 << 10

// finish ends the invocation of the environment, if it has no answer yet, and returns
// whether it did. The caller then sends the outcome to who waits. A failure that the
// host has found is noted in the log; nil for none.
func (e *environment) finish(inv *invocation, o *outcome, f *failure) bool {
	e.mu.Lock()
	if inv == nil || inv.answered {
		e.mu.Unlock()
		return false
	}
	inv.answered = true
	if e.state != ending {
		e.state = resting
	}
	now := time.Now()
	if now.Sub(e.sampled) >= time.Second {
		e.sampled = now
		e.observe(e.process.memory())
	}
	report := report{
		id:       inv.id,
		duration: now.Sub(inv.started),
		memory:   e.pool.spec.Memory,
		peak:     e.peak.Load(),
		failure:  f,
	}
	if e.cold {
		e.cold, report.init = false, e.initTime
	}
	o.result.Log = e.output.end(&report)
	e.mu.Unlock()
	e.host.answered(e)
	return true
}

// fail ends the invocation of the environment with a failure, if it has no answer yet.
func (e *environment) fail(inv *invocation, f *failure) {
	if inv == nil {
		return
	}
	o := outcome{result: f.result(inv.id)}
	if e.finish(inv, &o, f) {
		inv.done <- o
	}
}

// observe notes that the environment uses so many bytes of memory.
func (e *environment) observe(memory int64) {
	for {
		peak := e.peak.Load()
		if memory <= peak || e.peak.CompareAndSwap(peak, memory) {
			return
		}
	}
}

// expire ends an environment that takes too long. The timer calls it; it may be late, and
// about an invocation that has an answer.
func (e *environment) expire() {
	e.mu.Lock()
	if e.state == parked || e.state == ending {
		e.mu.Unlock()
		return
	}
	if left := time.Until(e.deadline); left > 0 {
		e.timer.Reset(left)
		e.mu.Unlock()
		return
	}
	inv, busy, f := e.invocation, e.state == running || e.state == answering, e.cause
	late, initialised := f == nil, e.initialised
	switch {
	case !late:
	case initialised:
		f = timeoutFailure(e.pool.spec.Timeout)
	default:
		f = timeoutFailure(e.host.config.InitTimeout)
	}
	e.mu.Unlock()

	switch {
	case late && busy:
		e.host.timedOut()
	case late && !initialised:
		e.crashed()
	}
	e.end(f)
	if busy {
		e.fail(inv, f)
	}
}

// exhaust ends an environment that uses more than it may.
func (e *environment) exhaust() {
	e.mu.Lock()
	inv, over := e.invocation, e.state == ending
	e.mu.Unlock()
	if over {
		return
	}
	f := memoryFailure()
	e.end(f)
	e.crashed()
	e.fail(inv, f)
}

// end kills the process group. The cause is told to who waits, if anybody does; nil if
// there is none to tell.
func (e *environment) end(cause *failure) {
	e.mu.Lock()
	e.state = ending
	if e.cause == nil {
		e.cause = cause
	}
	p := e.process
	e.mu.Unlock()
	e.host.leave(e)
	if p != nil {
		p.kill()
	}
}

// linger has an environment that cannot go on end, if it does not end by itself at once.
func (e *environment) linger(cause *failure) {
	e.crashed()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cause == nil {
		e.cause = cause
	}
	if e.state != ending {
		e.deadline = time.Now().Add(lingerTime)
		e.timer.Reset(lingerTime)
	}
}

// lingerTime is how long an environment that cannot go on has to end by itself.
const lingerTime = 100 * time.Millisecond

// terminate asks the process group to end.
func (e *environment) terminate() {
	e.mu.Lock()
	p := e.process
	over := e.state == parked || p == nil
	e.mu.Unlock()
	if over {
		e.end(nil)
	} else {
		p.terminate()
	}
}

// exited tells everybody that the process has ended.
func (e *environment) exited(exit string) {
	e.mu.Lock()
	e.timer.Stop()
	asked := e.state == ending
	e.state = ending
	inv, cause, initialised := e.invocation, e.cause, e.initialised
	e.mu.Unlock()
	closed := e.host.isClosed()
	if !asked && !closed && cause == nil {
		e.crashed()
	}
	e.output.drain()
	e.host.leave(e)

	f := cause
	if f == nil || f.kind == kindTruncated && !asked {
		f = exitFailure(exit)
	}
	switch {
	case !initialised:
		e.output.initFailed(time.Since(e.created), f)
		e.host.gone(e, f)
	case closed && inv != nil:
		if o := (outcome{err: ErrClosed}); e.finish(inv, &o, nil) {
			inv.done <- o
		}
		e.host.gone(e, nil)
	default:
		e.fail(inv, f)
		e.host.gone(e, nil)
	}
}

// hangUp closes the Runtime API. What the process sent before it ended is still read.
func (e *environment) hangUp() {
	e.listener.Close()
	patience := time.AfterFunc(lingerTime, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for c := range e.open {
			c.net.Close()
		}
	})
	e.conns.Wait()
	patience.Stop()
}

// cleanUp removes what an environment leaves behind.
func (e *environment) cleanUp() {
	if e.listener != nil {
		e.listener.Close()
	}
	e.output.close()
	if p := e.current(); p != nil {
		p.waitGroup()
	}
	if e.temp == "" {
		return
	}
	// A process that is dying may add a file while its directory is emptied.
	for range 3 {
		if os.RemoveAll(e.temp) == nil {
			return
		}
	}
	e.host.config.Logger.Warn("temporary files of a function stay behind", "function", e.pool.spec.Name, "directory", e.temp)
}

func (e *environment) crashed() {
	e.host.mu.Lock()
	defer e.host.mu.Unlock()
	e.host.counts.Crashes++
}

func (h *Host) timedOut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.Timeouts++
}

func (h *Host) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// appendEvent appends the answer that an environment gets when it asks for an invocation.
func appendEvent(b []byte, call *Call, deadline time.Time) []byte {
	b = append(b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	b = append(b, call.RequestID...)
	b = append(b, "\r\nLambda-Runtime-Deadline-Ms: "...)
	b = strconv.AppendInt(b, deadline.UnixMilli(), 10)
	b = append(b, "\r\nLambda-Runtime-Invoked-Function-Arn: "...)
	b = appendValue(b, call.InvokedARN)
	if call.TraceID != "" {
		b = append(b, "\r\nLambda-Runtime-Trace-Id: "...)
		b = appendValue(b, call.TraceID)
	}
	if call.ClientContext != "" {
		b = append(b, "\r\nLambda-Runtime-Client-Context: "...)
		b = appendValue(b, call.ClientContext)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(call.Payload)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, call.Payload...)
}

// appendValue appends the value of a header. Control characters become spaces: in JSON
// text they stand between values only, and elsewhere they mean nothing.
func appendValue(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == 0x7f {
			b = append(b, ' ')
		} else {
			b = append(b, c)
		}
	}
	return b
}

// laboring returns the process if it initialises, or has had its invocation for so long;
// nil otherwise.
func (e *environment) laboring(least time.Duration) *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.state {
	case initialising:
		return e.process
	case running, answering:
		if time.Since(e.invocation.started) >= least {
			return e.process
		}
	}
	return nil
}

// current returns the process; nil if it was not started yet.
func (e *environment) current() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process
}
