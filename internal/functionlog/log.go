// Package functionlog keeps the newest lines that Lambda functions have logged.
//
//	l := functionlog.New(0)
//	l.Append(functionlog.Line{Function: "orders", Text: "START"})
//	for line := range l.Follow(ctx, "orders", 0) {
//		fmt.Println(line.Text)
//	}
package functionlog

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Line is one line of the log of a function.
type Line struct {
	// Number counts the lines of all functions, from 1. Append sets it.
	Number uint64 `json:"number"`
	// Time is when it was read from the function.
	Time time.Time `json:"time"`
	// Function and Version say whose it is, Stream which environment's: the name of the
	// log stream.
	Function string `json:"function"`
	Version  string `json:"version"`
	Stream   string `json:"stream"`
	// RequestID is that of the invocation under way; empty between invocations.
	RequestID string `json:"requestId,omitempty"`
	// Text is the line without its end.
	Text string `json:"text"`
}

const (
	defaultPerFunction = 1 << 20 // bytes
	maxFunctions       = 1000
	// batch is how many numbers are looked at while the logs are locked once.
	batch = 512
)

// A Log keeps the newest lines of each function. It may be used by many goroutines.
type Log struct {
	perFunction int // bytes
	last        atomic.Uint64

	mu    sync.RWMutex // guards rings; taken before that of a ring
	rings map[string]*ring

	waiting atomic.Bool // somebody waits for arrival
	waitMu  sync.Mutex  // guards arrival
	arrival chan struct{}
}

// New makes a log that keeps some bytes of each function, 1 MiB if perFunction is zero.
// It keeps 1,000 functions; of more, those are forgotten that have logged nothing for
// the longest time.
func New(perFunction int) *Log {
	return &Log{perFunction: cmp.Or(max(perFunction, 0), defaultPerFunction), rings: map[string]*ring{}}
}

// Append adds a line and gives it its number. It waits for nobody who reads. A line that
// is longer than what is kept of a function is cut.
func (l *Log) Append(line Line) {
	if most := max(l.perFunction-overhead, 0); len(line.Text) > most {
		line.Text = strings.Clone(strings.ToValidUTF8(line.Text[:most], ""))
	}
	for !l.ring(line.Function).append(line, l) {
		// The function was forgotten meanwhile, and is new again.
	}
	if l.waiting.Load() {
		l.waitMu.Lock()
		if l.arrival != nil {
			close(l.arrival)
			l.arrival = nil
		}
		l.waiting.Store(false)
		l.waitMu.Unlock()
	}
}

// ring returns the lines of a function, which it makes if there are none.
func (l *Log) ring(function string) *ring {
	l.mu.RLock()
	r := l.rings[function]
	l.mu.RUnlock()
	if r != nil {
		return r
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r = l.rings[function]; r != nil {
		return r
	}
	if len(l.rings) >= maxFunctions {
		l.forget()
	}
	r = &ring{born: l.last.Load()}
	l.rings[strings.Clone(function)] = r
	return r
}

// forget removes the function that has logged nothing for the longest time.
func (l *Log) forget() {
	var oldest string
	least := ^uint64(0)
	for name, r := range l.rings {
		r.mu.Lock()
		if r.newest < least {
			oldest, least = name, r.newest
		}
		r.mu.Unlock()
	}
	r := l.rings[oldest]
	r.mu.Lock()
	r.forgotten = true
	r.mu.Unlock()
	delete(l.rings, oldest)
}

// Lines returns lines with greater numbers than after, in the order of their numbers: of
// one function, or of all if function is empty. A positive limit returns so many of
// them, the oldest; a negative limit the newest; zero all that are kept. A number that no
// line has had yet is from before the log began, and counts as zero.
func (l *Log) Lines(function string, after uint64, limit int) []Line {
	rings, end := l.of(function)
	if after > end {
		after = 0
	}
	var lines []Line
	if limit >= 0 {
		for limit == 0 || len(lines) < limit {
			entries := read(rings, after, end)
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				lines = append(lines, e.line)
			}
			after = entries[len(entries)-1].line.Number
		}
		if limit > 0 && len(lines) > limit {
			lines = lines[:limit:limit]
		}
		return lines
	}
	for len(lines) < -limit {
		entries := readBack(rings, after, end)
		if len(entries) == 0 {
			break
		}
		end = entries[0].line.Number - 1
		for _, e := range slices.Backward(entries) {
			lines = append(lines, e.line)
		}
	}
	lines = lines[:min(len(lines), -limit)]
	slices.Reverse(lines)
	return lines
}

// of returns the lines of a function, or of all if it is empty, and the greatest number
// up to which they are complete: numbers are given out under the lock of a ring, so that
// whoever locks it later finds the line.
func (l *Log) of(function string) (rings []*ring, end uint64) {
	end = l.last.Load()
	l.mu.RLock()
	defer l.mu.RUnlock()
	if function != "" {
		if r := l.rings[function]; r != nil {
			rings = append(rings, r)
		}
		return rings, end
	}
	rings = make([]*ring, 0, len(l.rings))
	for _, r := range l.rings {
		rings = append(rings, r)
	}
	return rings, end
}

// read returns the next lines with numbers in (after, end], at least one if there is
// any.
func read(rings []*ring, after, end uint64) []entry {
	for {
		next := end + 1
		for _, r := range rings {
			next = min(next, r.next(after))
		}
		if next > end {
			return nil
		}
		if entries := collect(rings, next, min(next+batch-1, end)); len(entries) > 0 {
			return entries // and if not, they were dropped meanwhile
		}
	}
}

// readBack returns the last lines with numbers in (after, end], at least one if there is
// any.
func readBack(rings []*ring, after, end uint64) []entry {
	for {
		var last uint64
		for _, r := range rings {
			last = max(last, r.before(end))
		}
		if last <= after {
			return nil
		}
		first := after + 1
		if last > batch {
			first = max(first, last-batch+1)
		}
		if entries := collect(rings, first, last); len(entries) > 0 {
			return entries
		}
	}
}

// collect returns the lines with numbers from first to last.
func collect(rings []*ring, first, last uint64) (entries []entry) {
	for _, r := range rings {
		entries = r.collect(entries, first, last)
	}
	if len(rings) > 1 {
		slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.line.Number, b.line.Number) })
	}
	return entries
}

// Follow returns the lines with greater numbers than after, those that are there and
// then those that come, until ctx is done: of one function, or of all if function is
// empty. Who reads too slowly misses lines, and gets a line that says how many: it has
// no Version and no Stream, and the number before that of the line after it. If after is
// zero, or a number that no line has had yet, what was gone before is not missed.
func (l *Log) Follow(ctx context.Context, function string, after uint64) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		f := follower{function: function, after: after, from: after}
		if last := l.last.Load(); after == 0 || after > last {
			f.after, f.from = 0, last
		}
		for ctx.Err() == nil {
			arrival := l.wait()
			rings, end := l.of(function)
			entries := read(rings, f.after, end)
			for _, e := range entries {
				if text := f.missed(e); text != "" && !yield(Line{Number: e.line.Number - 1, Time: e.line.Time, Function: function, Text: text}) {
					return
				}
				if !yield(e.line) || ctx.Err() != nil {
					return
				}
			}
			if len(entries) > 0 {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-arrival:
			}
		}
	}
}

// wait returns a channel that is closed by the next Append.
func (l *Log) wait() <-chan struct{} {
	l.waitMu.Lock()
	defer l.waitMu.Unlock()
	if l.arrival == nil {
		l.arrival = make(chan struct{})
	}
	l.waiting.Store(true)
	return l.arrival
}

// A follower knows what it has read.
type follower struct {
	function string
	after    uint64 // the number of the last line
	from     uint64 // lines with numbers up to this one are not missed
	count    uint64 // that of the last entry of the function; 0 for none yet
	born     uint64 // that of the last entry
}

// missed takes the next line and returns what to say of lines before it, empty if none
// is missing.
func (f *follower) missed(e entry) string {
	var n uint64
	unknown := false
	switch {
	case f.function == "": // numbers have no gaps
		n = e.line.Number - 1 - min(max(f.after, f.from), e.line.Number-1)
	case f.count == 0 || e.born != f.born: // the first, or the function was forgotten meanwhile
		unknown = e.dropped > max(f.after, f.from)
	default:
		n = e.count - f.count - 1
	}
	f.after, f.count, f.born = e.line.Number, e.count, e.born
	switch {
	case unknown:
		return "lines were lost"
	case n == 1:
		return "1 line was lost"
	case n > 1:
		return fmt.Sprintf("%d lines were lost", n)
	}
	return ""
}
