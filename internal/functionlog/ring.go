package functionlog

import (
	"slices"
	"sort"
	"sync"
)

// overhead is what a line takes besides its text, in bytes; names are shared with other
// lines, but for the ID of the request.
const overhead = 176

// A ring has the newest lines of one function.
type ring struct {
	born uint64 // a number that another ring of the function does not have, once this one has lines

	mu        sync.Mutex // guards what follows; held for no longer than a copy of some lines
	lines     []Line     // a circle
	start, n  int
	bytes     int
	count     uint64 // of all lines that there ever were
	newest    uint64 // the number of the newest line
	dropped   uint64 // the number of the newest line that is not kept any more; 0 for none
	forgotten bool   // it takes no lines any more
}

// An entry is a line as it is read.
type entry struct {
	line    Line
	count   uint64 // that of the function, from 1, without gaps
	born    uint64 // as the ring has it
	dropped uint64
}

// append adds a line, unless the ring was forgotten.
func (r *ring) append(line Line, l *Log) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgotten {
		return false
	}
	r.bytes += overhead + len(line.Text)
	for r.n > 0 && r.bytes > l.perFunction {
		r.drop()
	}
	if r.n == len(r.lines) {
		r.grow(l.perFunction)
	}
	line.Number = l.last.Add(1)
	*r.at(r.n) = line
	r.n++
	r.count++
	r.newest = line.Number
	return true
}

func (r *ring) at(i int) *Line {
	if i += r.start; i >= len(r.lines) {
		i -= len(r.lines)
	}
	return &r.lines[i]
}

func (r *ring) drop() {
	line := r.at(0)
	r.bytes -= overhead + len(line.Text)
	r.dropped = line.Number
	*line = Line{}
	if r.start++; r.start == len(r.lines) {
		r.start = 0
	}
	r.n--
}

// grow makes room for more lines, at most for as many as there can be of bytes.
func (r *ring) grow(bytes int) {
	lines := make([]Line, min(max(2*len(r.lines), 16), max(bytes/overhead, r.n+1)))
	for i := range r.n {
		lines[i] = *r.at(i)
	}
	r.lines, r.start = lines, 0
}

// search returns the index of the first line with a number of at least number.
func (r *ring) search(number uint64) int {
	return sort.Search(r.n, func(i int) bool { return r.at(i).Number >= number })
}

// next returns the number of the first line after a number, or the greatest there is.
func (r *ring) next(after uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.search(after + 1); i < r.n {
		return r.at(i).Number
	}
	return ^uint64(0)
}

// before returns the number of the last line up to a number, or 0.
func (r *ring) before(end uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.search(end + 1); i > 0 {
		return r.at(i - 1).Number
	}
	return 0
}

// collect appends the lines with numbers from first to last.
func (r *ring) collect(entries []entry, first, last uint64) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, end := r.search(first), r.search(last+1)
	entries = slices.Grow(entries, end-i)
	for ; i < end; i++ {
		entries = append(entries, entry{*r.at(i), r.count - uint64(r.n-i-1), r.born, r.dropped})
	}
	return entries
}
