package store

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// An Engine makes commits durable. It is all that tells one store from another;
// Base is the rest. Its methods are never called at the same time.
type Engine interface {
	// Write makes a group of commits durable, all of them or none, before it
	// returns. They continue what was written before. After an error the engine
	// must either hold what it held before or refuse all further writes.
	Write(g Group) error

	Close() error
}

// A Group is one write of an engine.
type Group struct {
	Links  []Link   // at least one
	Put    []Entry  // what the documents that the links change are after the last, by key
	Delete []string // and which are gone then, sorted
	First  uint64   // the oldest commit to keep; all before may be forgotten
	Anchor [32]byte // its PrevHash
}

// Keep says how many commits a store remembers for those who watch and read. The
// last commit is always kept.
type Keep struct {
	Commits int // number of commits; 0 means DefaultKeep.Commits
	Bytes   int // total size of their data; 0 means DefaultKeep.Bytes
}

// DefaultKeep is what is kept unless configured otherwise.
var DefaultKeep = Keep{Commits: 1000, Bytes: 64 << 20}

// Bounds of one group of commits that are made durable together.
const (
	groupCommits = 256
	groupBytes   = 32 << 20 // more only if a single commit is larger
)

// watchChunk is how many commits a watch takes over at a time.
const watchChunk = 64

// Base is a Store over an Engine: it holds the state and the kept commits in
// memory, decides about batches, links commits and serves reads and watches.
//
// All batches that arrive while the engine writes become one group and are written
// together next, each as a commit of its own. So a batch seldom waits for more than
// the write under way and its own.
type Base struct {
	engine Engine
	keep   Keep

	writer chan struct{} // holds a token while someone decides and writes
	done   chan struct{} // closed by Close

	queueMu sync.Mutex
	queue   []*request // batches nobody has started yet

	mu   sync.RWMutex // guards the following; only the holder of writer changes state and kept
	s    State
	kept []Commit
	size int           // total size of kept
	news chan struct{} // closed and replaced when kept has grown
}

// A request is a batch on its way.
type request struct {
	batch  Batch
	sums   [][32]byte // SHA-256 of the data of each change
	size   int
	commit Commit
	err    error
	done   chan struct{} // closed when commit and err are set
}

// NewBase returns a store that continues a state whose last commits, still kept,
// are the given links.
func NewBase(s *State, links []Link, engine Engine, keep Keep) *Base {
	if keep.Commits <= 0 {
		keep.Commits = DefaultKeep.Commits
	}
	if keep.Bytes <= 0 {
		keep.Bytes = DefaultKeep.Bytes
	}
	b := &Base{
		engine: engine,
		keep:   keep,
		writer: make(chan struct{}, 1),
		done:   make(chan struct{}),
		s:      *s,
		news:   make(chan struct{}),
	}
	for _, l := range links {
		b.kept = append(b.kept, l.Commit)
		b.size += l.Commit.size()
	}
	return b
}

// Append implements Store.
func (b *Base) Append(ctx context.Context, batch Batch) (Commit, error) {
	if err := batch.check(); err != nil {
		return Commit{}, err
	}
	if err := ctx.Err(); err != nil {
		return Commit{}, err
	}
	r := newRequest(batch)
	b.queueMu.Lock()
	b.queue = append(b.queue, r)
	b.queueMu.Unlock()

	select {
	case <-r.done: // in someone else's group
		return r.commit, r.err
	case b.writer <- struct{}{}:
	case <-ctx.Done():
		if b.withdraw(r) {
			return Commit{}, ctx.Err()
		}
		<-r.done // too late: it is being written
		return r.commit, r.err
	}
	defer func() { <-b.writer }()
	for !r.finished() {
		b.commit(b.nextGroup())
	}
	return r.commit, r.err
}

func newRequest(batch Batch) *request {
	changes := make([]Change, len(batch.Changes))
	for i, c := range batch.Changes {
		changes[i] = Change{Key: c.Key, Delete: c.Delete}
		if !c.Delete {
			changes[i].Data = append([]byte{}, c.Data...)
		}
	}
	batch.Changes = changes
	c := Commit{Actor: batch.Actor, Changes: changes}
	return &request{batch: batch, sums: sumData(changes), size: c.size(), done: make(chan struct{})}
}

func (r *request) finished() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// withdraw takes r back and reports whether it was still waiting.
func (b *Base) withdraw(r *request) bool {
	b.queueMu.Lock()
	defer b.queueMu.Unlock()
	i := slices.Index(b.queue, r)
	if i < 0 {
		return false
	}
	b.queue = slices.Delete(b.queue, i, i+1)
	return true
}

// nextGroup takes the longest waiting batches off the queue.
func (b *Base) nextGroup() []*request {
	b.queueMu.Lock()
	defer b.queueMu.Unlock()
	n, size := 0, 0
	for n < len(b.queue) && n < groupCommits && (n == 0 || size+b.queue[n].size <= groupBytes) {
		size += b.queue[n].size
		n++
	}
	group := b.queue[:n:n]
	b.queue = append([]*request(nil), b.queue[n:]...)
	return group
}

// commit decides about a group of batches in turn and writes those that hold. Its
// caller holds the writer token.
func (b *Base) commit(group []*request) {
	d := newDraft(&b.s)
	var links []Link
	for _, r := range group {
		l, err := d.commit(&r.batch, r.sums, time.Now().Round(0).UTC())
		if err != nil {
			r.err = err
			continue
		}
		r.commit = l.Commit
		links = append(links, l)
	}
	if err := b.write(d, links); err != nil {
		// Conflicts fail the same way: they may be with commits that did not
		// come to be.
		for _, r := range group {
			r.commit, r.err = Commit{}, err
		}
	}
	for _, r := range group {
		close(r.done)
	}
}

// write makes the links durable and then, if that went well, visible.
func (b *Base) write(d *draft, links []Link) error {
	select {
	case <-b.done:
		return ErrClosed
	default:
	}
	if len(links) == 0 {
		return nil
	}
	drop, size := b.excess(links)
	oldest := &links[0].Commit
	if drop < len(b.kept) {
		oldest = &b.kept[drop]
	}
	g := Group{Links: links, First: oldest.Rev, Anchor: oldest.PrevHash}
	for _, key := range slices.Sorted(maps.Keys(d.changed)) {
		if e := d.changed[key]; e.Rev > 0 {
			g.Put = append(g.Put, e)
		} else {
			g.Delete = append(g.Delete, key)
		}
	}
	if err := b.engine.Write(g); err != nil {
		return fmt.Errorf("store: write commit %d: %w", links[0].Rev, err)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.adopt(d)
	clear(b.kept[:drop]) // frees their data; readers have copies
	b.kept = b.kept[drop:]
	for _, l := range links {
		b.kept = append(b.kept, l.Commit)
	}
	b.size = size
	close(b.news)
	b.news = make(chan struct{})
	return nil
}

// excess returns how many of the kept commits have to go when the links come, and
// the total size of what is kept then. The links themselves stay until the next
// write, even if they are more than may be kept.
func (b *Base) excess(links []Link) (drop, size int) {
	size = b.size
	for _, l := range links {
		size += l.Commit.size()
	}
	for drop < len(b.kept) && (len(b.kept)-drop+len(links) > b.keep.Commits || size > b.keep.Bytes) {
		size -= b.kept[drop].size()
		drop++
	}
	return drop, size
}

// size returns about how many bytes of memory and disk c takes.
func (c *Commit) size() int {
	n := 128 + len(c.Actor)
	for _, change := range c.Changes {
		n += 64 + len(change.Key) + len(change.Data)
	}
	return n
}

// Get implements Store.
func (b *Base) Get(key string) (Document, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.s.Get(key)
}

// List implements Store.
func (b *Base) List(prefix string) []Document {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.s.List(prefix)
}

// Last implements Store.
func (b *Base) Last() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.s.Last()
}

// Read implements Store.
func (b *Base) Read(ctx context.Context, after uint64) ([]Commit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-b.done:
		return nil, ErrClosed
	default:
	}
	commits, _, err := b.read(after, keepAll)
	return commits, err
}

const keepAll = int(^uint(0) >> 1)

// read returns copies of at most limit kept commits after a revision, and a
// channel that is closed when there are more than there were now.
func (b *Base) read(after uint64, limit int) ([]Commit, <-chan struct{}, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	last := b.s.Last()
	if after > last {
		return nil, nil, fmt.Errorf("%w: revision %d was asked for, the store is at %d", ErrCompacted, after, last)
	}
	missing := last - after
	if missing > uint64(len(b.kept)) {
		return nil, nil, fmt.Errorf("%w: commit %d was asked for, the oldest kept one is %d", ErrCompacted, after+1, last-uint64(len(b.kept))+1)
	}
	commits := b.kept[len(b.kept)-int(missing):]
	return slices.Clone(commits[:min(limit, len(commits))]), b.news, nil
}

// Watch implements Store. A watch holds at most watchChunk commits; a slow one
// takes longer, not more memory, until the commits it has not seen are dropped.
func (b *Base) Watch(ctx context.Context, after uint64) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		rev := after
		for {
			commits, news, err := b.read(rev, watchChunk)
			if err != nil {
				yield(Commit{}, err)
				return
			}
			for _, c := range commits {
				if ctx.Err() != nil || !yield(c, nil) {
					return
				}
				rev = c.Rev
			}
			if len(commits) > 0 {
				continue
			}
			select {
			case <-news:
			case <-ctx.Done():
				return
			case <-b.done:
				return
			}
		}
	}
}

// Close implements Store. Commits that have not started fail with ErrClosed.
func (b *Base) Close() error {
	b.writer <- struct{}{}
	defer func() { <-b.writer }()
	select {
	case <-b.done:
		return nil
	default:
	}
	close(b.done)
	return b.engine.Close()
}
