package control

import (
	"sync"
	"sync/atomic"

	"penstock/internal/store"
)

// maxCached bounds the stored bytes of the documents in a cache. What is decoded
// takes a few times as much.
const maxCached = 64 << 20

// A cache holds decoded documents. They are shared and never changed. The store
// says which revision of a document is current; what a cache holds of another
// revision is not used.
type cache struct {
	mu      sync.Mutex // guards the fields below
	entries map[string]*entry
	bytes   int // stored bytes of the entries
}

// An entry is a decoded document at one revision.
type entry struct {
	rev   uint64
	size  int
	doc   any
	lists sync.Map // *listing by what is listed
}

// A listing is the items of one kind in a document: their sorted IDs, and each as
// it is answered, encoded when it is first asked for.
type listing struct {
	ids   []string
	items []atomic.Pointer[[]byte]
}

// list returns the listing of that name, which index makes the IDs of.
func (e *entry) list(name string, index func() []string) *listing {
	if l, ok := e.lists.Load(name); ok {
		return l.(*listing)
	}
	ids := index()
	l, _ := e.lists.LoadOrStore(name, &listing{ids: ids, items: make([]atomic.Pointer[[]byte], len(ids))})
	return l.(*listing)
}

// encoded returns the item at i as it is listed.
func (l *listing) encoded(i int, item func() any) ([]byte, error) {
	if text := l.items[i].Load(); text != nil {
		return *text, nil
	}
	text, err := encode(item())
	if err == nil {
		l.items[i].Store(&text)
	}
	return text, err
}

// cachedAs returns the document under a key, decoded by parse, or nil if there is
// none. For one key, parse is always the same.
func cachedAs[D any](s *Server, key string, parse func([]byte) (*D, error)) (*entry, error) {
	stored, ok := s.Store.Get(key)
	if !ok {
		s.cache.drop(key)
		return nil, nil
	}
	return s.cache.entry(stored, func(data []byte) (any, error) { return parse(data) })
}

// decodedAs returns a stored document, decoded by parse.
func decodedAs[D any](s *Server, stored store.Document, parse func([]byte) (*D, error)) (*D, error) {
	e, err := s.cache.entry(stored, func(data []byte) (any, error) { return parse(data) })
	if err != nil {
		return nil, err
	}
	return e.doc.(*D), nil
}

// entry returns the entry of a stored document, which is decoded by parse if it
// is not there.
func (c *cache) entry(stored store.Document, parse func([]byte) (any, error)) (*entry, error) {
	c.mu.Lock()
	e := c.entries[stored.Key]
	c.mu.Unlock()
	if e != nil && e.rev == stored.Rev {
		return e, nil
	}
	doc, err := parse(stored.Data)
	if err != nil {
		return nil, err
	}
	return c.put(stored.Key, &entry{rev: stored.Rev, size: len(stored.Data), doc: doc}), nil
}

// put keeps an entry unless there is one of the same or a later revision, and
// returns the one to use.
func (c *cache) put(key string, e *entry) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch old := c.entries[key]; {
	case old != nil && old.rev == e.rev:
		return old
	case old != nil && old.rev > e.rev:
		return e // read by someone slow
	}
	if c.entries == nil {
		c.entries = map[string]*entry{}
	}
	c.remove(key)
	c.entries[key] = e
	c.bytes += e.size
	for other := range c.entries {
		if c.bytes <= maxCached {
			break
		}
		if other != key {
			c.remove(other)
		}
	}
	return e
}

func (c *cache) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
}

func (c *cache) remove(key string) {
	if e := c.entries[key]; e != nil {
		c.bytes -= e.size
		delete(c.entries, key)
	}
}
