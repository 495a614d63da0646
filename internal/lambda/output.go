package lambda

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"penstock/internal/functionlog"
)

const (
	// maxLine is how long a line may be; what is longer goes on in the next one. Source:
	// CloudWatch Logs quotas, 256 KB an event.
	maxLine = 256 << 10
	// maxTail is how much of the log of an invocation its caller gets. Source: developer
	// guide, Invoke.
	maxTail = 4 << 10
	// readSize is how much output is read at one time.
	readSize = 32 << 10
	// maxDrain is how long output is read before an answer is passed on: what was written
	// before the answer has arrived by then, unless a function writes without end.
	maxDrain = 5 * time.Millisecond
)

// An output is what an environment writes, to either of its outputs: one pipe, so that
// what it writes stays in order. It is read as fast as it comes.
type output struct {
	log  Log // nil for none
	file *os.File
	done chan struct{} // closed when read has returned; nil before start

	// mu guards what follows.
	mu       sync.Mutex
	template functionlog.Line
	fd       int // of file; -1 if it is closed
	buffer   []byte
	line     []byte // begun, and not ended yet
	tail     []byte
	tailed   bool
	text     []byte // scratch for lines of the host
}

// A report is what is said about an invocation at its end.
type report struct {
	id       string
	duration time.Duration
	init     time.Duration // 0 if the environment was initialised before
	memory   int           // MiB
	peak     int64         // bytes
	failure  *failure      // what the host found; nil for nothing
}

func newOutput(log Log, spec *Spec, stream string) *output {
	return &output{
		log:      log,
		fd:       -1,
		template: functionlog.Line{Function: spec.Name, Version: spec.Version, Stream: stream},
	}
}

// open makes the pipe and returns the end to write to.
func (o *output) open() (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// A program that writes faster than it is read waits; it gets no error.
	if err := syscall.SetNonblock(int(write.Fd()), false); err != nil {
		read.Close()
		write.Close()
		return nil, err
	}
	raw, err := read.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { o.fd = int(fd) })
	}
	if err != nil {
		read.Close()
		write.Close()
		return nil, err
	}
	o.file = read
	o.buffer = make([]byte, readSize)
	return write, nil
}

// start has a goroutine of tasks read what is written.
func (o *output) start(tasks *sync.WaitGroup) {
	o.done = make(chan struct{})
	tasks.Go(o.read)
}

// read reads what is written until nobody can write any more, or close is called.
func (o *output) read() {
	defer close(o.done)
	raw, err := o.file.SyscallConn()
	if err != nil {
		return
	}
	for {
		over := false
		err := raw.Read(func(uintptr) bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			n, again := o.once()
			over = n == 0 && !again
			return !again
		})
		if err != nil || over {
			return
		}
	}
}

// once reads what there is, at most a buffer. It returns how much that was, and whether
// there may be more later if it was nothing. The caller holds o.mu.
func (o *output) once() (n int, again bool) {
	if o.fd < 0 {
		return 0, false
	}
	n, err := syscall.Read(o.fd, o.buffer)
	if n > 0 {
		o.write(o.buffer[:n])
		return n, false
	}
	return 0, err == syscall.EAGAIN || err == syscall.EINTR
}

// drain reads what has been written up to now.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drainLocked()
}

func (o *output) drainLocked() {
	n, _ := o.once()
	if n == 0 {
		return
	}
	for began := time.Now(); n > 0 && time.Since(began) < maxDrain; {
		n, _ = o.once()
	}
}

// close ends reading. What has been written and not read yet gets a moment.
func (o *output) close() {
	if o.file == nil {
		return
	}
	if o.done != nil {
		// A process that has left its group may hold the other end.
		if o.file.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			<-o.done
		}
	}
	o.mu.Lock()
	o.flush()
	o.fd = -1
	o.mu.Unlock()
	o.file.Close()
}

// write takes what the function has written. The caller holds o.mu.
func (o *output) write(b []byte) {
	for {
		i := bytes.IndexByte(b, '\n')
		end := i
		if i < 0 {
			end = len(b)
		}
		for room := maxLine - len(o.line); end > room; room = maxLine {
			o.line = append(o.line, b[:room]...)
			o.flush()
			b, i, end = b[room:], i-room, end-room
		}
		if i < 0 {
			o.line = append(o.line, b...)
			return
		}
		if len(o.line) == 0 {
			o.emit(b[:i])
		} else {
			o.line = append(o.line, b[:i]...)
			o.flush()
		}
		b = b[i+1:]
	}
}

// flush ends a line that was begun. The caller holds o.mu.
func (o *output) flush() {
	if len(o.line) == 0 {
		return
	}
	o.emit(o.line)
	if cap(o.line) > readSize {
		o.line = nil
	} else {
		o.line = o.line[:0]
	}
}

// emit passes a line on. The caller holds o.mu.
func (o *output) emit(text []byte) {
	if o.tailed || o.log != nil {
		o.pass(string(text), time.Now())
	}
}

// pass passes on a line of a time. The caller holds o.mu.
func (o *output) pass(text string, now time.Time) {
	if o.tailed {
		if len(text) > maxTail {
			o.tail = append(o.tail, text[len(text)-maxTail:]...)
		} else {
			o.tail = append(o.tail, text...)
		}
		o.tail = append(o.tail, '\n')
		if len(o.tail) > 2*maxTail {
			o.tail = o.tail[:copy(o.tail, o.tail[len(o.tail)-maxTail:])]
		}
	}
	if o.log == nil {
		return
	}
	line := o.template
	line.Time, line.Text = now, text
	o.log.Append(line)
}

// begin says that what is written from now on belongs to an invocation. What was written
// before does not. At once says that the environment has asked for it together with its
// last answer: end has read what was written before that.
func (o *output) begin(id string, tail, atOnce bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !atOnce {
		o.drainLocked()
	}
	o.flush()
	o.template.RequestID, o.tailed = id, tail
	o.text = append(o.text[:0], "START RequestId: "...)
	o.text = append(o.text, id...)
	o.text = append(o.text, " Version: "...)
	o.text = append(o.text, o.template.Version...)
	o.emit(o.text)
}

// end says that the invocation is over, once what was written is read, and returns the
// end of its log if begin was asked for it.
func (o *output) end(r *report) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drainLocked()
	o.flush()
	if r.failure != nil && r.failure.body == nil {
		o.text = append(append(append(o.text[:0], "RequestId: "...), r.id...), " Error: "...)
		o.text = append(o.text, r.failure.text...)
		o.emit(o.text)
	}
	if o.tailed || o.log != nil {
		// Two lines of one string and one time: there is one such pair for each invocation.
		o.text = append(append(o.text[:0], "END RequestId: "...), r.id...)
		end := len(o.text)
		o.text = r.append(o.text)
		text, now := string(o.text), time.Now()
		o.pass(text[:end], now)
		o.pass(text[end:], now)
	}
	o.template.RequestID = ""
	if !o.tailed {
		return nil
	}
	tail := o.tail[max(0, len(o.tail)-maxTail):]
	o.tail, o.tailed = nil, false
	return tail
}

// append appends the line that says what an invocation has taken.
func (r *report) append(b []byte) []byte {
	b = append(append(b, "REPORT RequestId: "...), r.id...)
	b = append(b, "\tDuration: "...)
	b = appendMilliseconds(b, r.duration)
	b = append(b, "\tBilled Duration: "...)
	b = strconv.AppendInt(b, max(1, int64(math.Ceil(float64(r.duration)/float64(time.Millisecond)))), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(r.memory), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, (r.peak+1<<20-1)>>20, 10)
	b = append(b, " MB"...)
	if r.init > 0 {
		b = append(b, "\tInit Duration: "...)
		b = appendMilliseconds(b, r.init)
	}
	return b
}

// appendMilliseconds appends a duration with two places.
func appendMilliseconds(b []byte, d time.Duration) []byte {
	b = strconv.AppendFloat(b, float64(d)/float64(time.Millisecond), 'f', 2, 64)
	return append(b, " ms"...)
}

// initFailed says that an initialisation has failed.
func (o *output) initFailed(duration time.Duration, f *failure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	status := "error"
	if f.kind == kindTimeout {
		status = "timeout"
	}
	o.text = append(o.text[:0], "INIT_REPORT Init Duration: "...)
	o.text = appendMilliseconds(o.text, duration)
	o.text = append(o.text, "\tPhase: init\tStatus: "...)
	o.text = append(o.text, status...)
	if f.kind != "" && status == "error" {
		o.text = append(o.text, "\tError Type: "...)
		o.text = append(o.text, f.kind...)
	}
	o.emit(o.text)
}
