// Package accesslog takes the lines of access logs and writes them to files, to the
// standard streams or to any io.Writer. A request never waits for that:
//
//	s, err := accesslog.NewFile(accesslog.FileConfig{Path: "/var/log/penstock/pets.log"})
//	…
//	s.Write(line)
//
// Write copies the line into a buffer, and one goroutine per Sink empties the buffer
// in batches. What a destination cannot take in time is dropped and counted, and the
// log of the server says so.
//
// Stages name their destination by an ARN. Destinations knows which Sink that is.
package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxLine is the longest line in bytes, without its newline: a quota of the service.
	maxLine = 1 << 20
	// defaultBuffer is how many bytes a Sink holds when nothing else is said.
	defaultBuffer = 4 << 20
	// batch is how many bytes are written without waiting for more.
	batch = 64 << 10
	// keepBuffer is how much of a buffer is kept while little comes, and calm how many
	// small batches in a row mean that little comes.
	keepBuffer = 256 << 10
	calm       = 32
	// flushAfter is how long a line waits for others.
	flushAfter = 100 * time.Millisecond
	// reportEvery is the time between two complaints about one Sink.
	reportEvery = 10 * time.Second
	// closeTimeout is how long Close waits for a destination.
	closeTimeout = 5 * time.Second
)

// errUnfinished is the answer of Close when the destination does not take the rest.
var errUnfinished = errors.New("the destination did not take the last lines in time")

// A destination is where a Sink writes. Only the goroutine of the Sink uses it.
type destination interface {
	// write takes whole lines. It returns how many bytes of them it has taken; if
	// those are not all, the rest is lost and the error says why. With no lines it looks
	// after itself.
	write(lines []byte) (int, error)
	// reopen makes the next write begin by opening the destination anew.
	reopen()
	close() error
}

// A Sink takes lines for one destination. All methods may be called from any
// goroutine.
type Sink struct {
	name string
	max  int
	log  *slog.Logger
	dest destination

	came   chan struct{} // the buffer is no longer empty
	hurry  chan struct{} // write now
	anew   chan struct{} // Reopen was called
	ending chan struct{} // closed by stop
	ended  chan struct{} // closed when the goroutine has ended
	err    error         // of closing the destination; read after ended

	mu      sync.Mutex // guards all below
	pending []byte     // lines that came since the last batch
	writing int        // bytes of the batch that is being written
	closed  bool
	dropped uint64

	// A complaint is due when reporting is set; report makes it.
	reporting bool
	reporter  *time.Timer
	reported  time.Time // when the last complaint was made
	told      uint64    // dropped as of then
	failure   error     // the last error since then
}

// A WriterConfig says what a Sink writes to and how.
type WriterConfig struct {
	// Writer is used by one goroutine at a time, and is not closed.
	Writer io.Writer
	// Name is what the log calls the destination.
	Name string
	// Buffer is how many bytes wait for the writer at most. Default: 4 MiB.
	Buffer int
	// Log is told when lines are lost. Default: nothing is told.
	Log *slog.Logger
}

// NewWriter returns a Sink for a writer.
func NewWriter(c WriterConfig) *Sink {
	return newSink(c.Name, &stream{w: c.Writer}, c.Buffer, c.Log)
}

func newSink(name string, d destination, buffer int, log *slog.Logger) *Sink {
	if buffer <= 0 {
		buffer = defaultBuffer
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Sink{
		name:   name,
		max:    buffer,
		log:    log,
		dest:   d,
		came:   make(chan struct{}, 1),
		hurry:  make(chan struct{}, 1),
		anew:   make(chan struct{}, 1),
		ending: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	s.reporter = time.AfterFunc(time.Hour, s.report)
	s.reporter.Stop()
	go s.run()
	return s
}

// Write takes a line, which has no newline at its end, and never blocks. It copies the
// line. A line of more than 1 MiB is cut between two characters. If the buffer is
// full, or the Sink closed, the line is dropped.
func (s *Sink) Write(line []byte) {
	line = cut(line, maxLine)
	s.mu.Lock()
	before := len(s.pending)
	if s.closed || before+s.writing+len(line)+1 > s.max {
		s.lose(1, nil)
		s.mu.Unlock()
		return
	}
	s.pending = append(append(s.pending, line...), '\n')
	after := len(s.pending)
	s.mu.Unlock()
	if before == 0 {
		signal(s.came)
	}
	if before < batch && after >= batch {
		signal(s.hurry)
	}
}

// Dropped returns how many lines did not reach their destination.
func (s *Sink) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Name returns what the log calls the destination.
func (s *Sink) Name() string { return s.name }

// Reopen has a file opened anew, before anything else is written. It does not wait for
// that. Writers stay as they are.
func (s *Sink) Reopen() {
	s.dest.reopen()
	signal(s.anew)
}

// Close writes what is buffered and closes a file. It waits for that, at most 5 s;
// then it returns an error and leaves the rest to the destination.
func (s *Sink) Close() error {
	s.stop()
	over, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.wait(over.Done())
}

// stop begins to close s.
func (s *Sink) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.ending)
	}
}

// wait waits until s is closed or the time is over.
func (s *Sink) wait(over <-chan struct{}) error {
	select {
	case <-s.ended:
		return s.err
	default:
	}
	select {
	case <-s.ended:
		return s.err
	case <-over:
		return errUnfinished
	}
}

// run writes batches until s is closed. It sleeps while there is nothing to write.
func (s *Sink) run() {
	defer close(s.ended)
	var spare []byte
	small := 0 // batches in a row that were
	timer := time.NewTimer(flushAfter)
	defer timer.Stop()
	timer.Stop()
	for {
		select {
		case <-s.came:
			timer.Reset(flushAfter)
			select {
			case <-timer.C:
			case <-s.hurry:
			case <-s.anew:
			case <-s.ending:
			}
			timer.Stop()
		case <-s.anew:
		case <-s.ending:
			s.flush(spare)
			if s.err = s.dest.close(); s.err != nil {
				s.mu.Lock()
				s.lose(0, s.err)
				s.mu.Unlock()
			}
			s.reporter.Stop()
			s.report()
			return
		}
		spare = s.flush(spare)
		if small++; len(spare) > keepBuffer {
			small = 0
		}
		if small > calm && cap(spare) > keepBuffer {
			spare = nil
		}
	}
}

// flush writes what is pending and puts spare in its place. It returns the buffer that
// is free afterwards, with what was written.
func (s *Sink) flush(spare []byte) []byte {
	s.mu.Lock()
	lines := s.pending
	s.pending, s.writing = spare[:0], len(lines)
	s.mu.Unlock()

	n, err := s.dest.write(lines)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = 0
	if err != nil {
		s.lose(bytes.Count(lines[n:], newline), err)
	}
	return lines
}

// lose counts lines that are lost and has it reported: at once, or 10 s after the last
// time. The report is made by a goroutine of its own, since the log may block as well.
// The caller holds s.mu.
func (s *Sink) lose(lines int, why error) {
	s.dropped += uint64(lines)
	if why != nil {
		s.failure = why
	}
	if !s.reporting && !s.closed {
		s.reporting = true
		s.reporter.Reset(max(0, reportEvery-time.Since(s.reported)))
	}
}

// report tells the log what was lost since the last time.
func (s *Sink) report() {
	s.mu.Lock()
	lines, why := s.dropped-s.told, s.failure
	s.told, s.failure = s.dropped, nil
	s.mu.Unlock()

	switch {
	case why != nil:
		s.log.Error("access log cannot be written", "destination", s.name, "dropped", lines, "error", why)
	case lines > 0:
		s.log.Warn("access log cannot keep up", "destination", s.name, "dropped", lines)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.reporting, s.reported = false, time.Now()
}

var newline = []byte{'\n'}

// signal leaves a note in c, if there is none.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// cut returns the beginning of a line that is at most max bytes long and does not end
// within a character.
func cut(line []byte, max int) []byte {
	if len(line) <= max {
		return line
	}
	for n := max; n > max-utf8.UTFMax; n-- {
		if utf8.RuneStart(line[n]) {
			return line[:n]
		}
	}
	return line[:max] // no text
}

// A stream is any writer as a destination.
type stream struct {
	w    io.Writer
	torn tear
}

func (d *stream) write(lines []byte) (int, error) {
	if len(lines) == 0 {
		return 0, nil
	}
	return d.torn.write(d.w, lines)
}

func (d *stream) reopen() {}

func (d *stream) close() error { return nil }

// A tear is set when what was written last ends within a line.
type tear bool

// write writes lines to w. If what came before ends within a line, that line is ended
// first. What n counts is lines, without that newline.
func (t *tear) write(w io.Writer, lines []byte) (n int, err error) {
	if *t {
		if n, err = full(w, newline); n == 0 {
			return 0, err
		}
		*t = false
	}
	if n, err = full(w, lines); n > 0 {
		*t = lines[n-1] != '\n'
	}
	return n, err
}

// full writes b to w and distrusts what w says about it.
func full(w io.Writer, b []byte) (int, error) {
	n, err := w.Write(b)
	n = min(max(n, 0), len(b))
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}
