package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// A State is what a chain of commits adds up to: the current documents and the
// end of the chain. The zero State is that of an empty store. It is not for
// concurrent use.
type State struct {
	docs   map[string]Entry
	keys   []string // of docs, sorted
	digest Digest
	last   uint64
	hash   [32]byte // of the last commit
}

// NewState puts a state together from what an engine kept: the current documents
// sorted by key, and the kept commits, which are at least the last one unless the
// store is empty. Entries and links are as ParseEntry and ParseLink returned them.
//
// It fails with a DamageError unless everything adds up: the links form a chain,
// the last one vouches for exactly these documents, and every document that was
// changed by a kept commit is what the last of these commits made it, byte for
// byte. The documents then share their data with the commits.
func NewState(entries []Entry, links []Link) (*State, error) {
	s := &State{docs: make(map[string]Entry, len(entries))}
	if err := s.chain(links); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n := len(s.keys); n > 0 && s.keys[n-1] >= e.Key {
			return nil, Damage("document %q is out of order", e.Key)
		}
		if e.Rev == 0 || e.Rev > s.last {
			return nil, Damage("document %q has revision %d, the last commit is %d", e.Key, e.Rev, s.last)
		}
		s.docs[e.Key] = e
		s.keys = append(s.keys, e.Key)
		s.digest.add(e.Hash)
	}
	if len(links) > 0 && s.digest != links[len(links)-1].Digest {
		return nil, Damage("the documents are not those that commit %d left: one is missing, extra or of another time", s.last)
	}
	return s, s.compare(links)
}

// chain verifies that the links follow each other, and takes over their end.
func (s *State) chain(links []Link) error {
	for i, l := range links {
		if i == 0 && (l.Rev == 0 || (l.Rev == 1) != (l.PrevHash == [32]byte{})) {
			return Damage("commit %d cannot be the first one", l.Rev)
		}
		if i > 0 && l.Rev != s.last+1 {
			return Damage("commit %d is followed by commit %d", s.last, l.Rev)
		}
		if i > 0 && l.PrevHash != s.hash {
			return Damage("commit %d does not continue commit %d", l.Rev, s.last)
		}
		s.last, s.hash = l.Rev, l.Hash
	}
	return nil
}

// compare verifies the documents against the commits that made them, as far as
// these are kept.
func (s *State) compare(links []Link) error {
	seen := make(map[string]bool)
	made := 0
	for _, l := range slices.Backward(links) {
		for _, c := range l.Changes {
			if seen[c.Key] {
				continue
			}
			seen[c.Key] = true
			e, ok := s.docs[c.Key]
			if ok == c.Delete {
				return Damage("document %q and commit %d disagree on whether it exists", c.Key, l.Rev)
			}
			if !ok {
				continue
			}
			if e.Rev != l.Rev || !bytes.Equal(e.Data, c.Data) {
				return Damage("document %q is not what commit %d made it", c.Key, l.Rev)
			}
			e.Data = c.Data
			s.docs[c.Key] = e
			made++
		}
	}
	for _, e := range s.docs {
		if len(links) > 0 && e.Rev >= links[0].Rev {
			made--
		}
	}
	if made != 0 {
		return Damage("a document has the revision of a commit that did not make it")
	}
	return nil
}

// Apply takes over the next commit of a chain, made elsewhere. If it is not the
// next one, or its hash does not vouch for the state it leads to, the state stays
// as it was and the error is a DamageError.
func (s *State) Apply(c Commit) error {
	d := newDraft(s)
	if c.Rev != d.last+1 || c.PrevHash != d.hash {
		return Damage("commit %d does not continue commit %d", c.Rev, d.last)
	}
	puts := c.puts()
	link := d.link(c, puts)
	if link.Hash != c.Hash {
		return Damage("commit %d does not match its hash", c.Rev)
	}
	s.adopt(d)
	return nil
}

// Last returns the revision of the last commit, 0 for an empty state.
func (s *State) Last() uint64 { return s.last }

// Get returns the current document of a key.
func (s *State) Get(key string) (Document, bool) {
	e, ok := s.docs[key]
	return e.Document, ok
}

// List returns the current documents whose keys start with prefix, sorted by key.
func (s *State) List(prefix string) []Document {
	first := sort.SearchStrings(s.keys, prefix)
	n := sort.Search(len(s.keys)-first, func(i int) bool { return !strings.HasPrefix(s.keys[first+i], prefix) })
	docs := make([]Document, n)
	for i, key := range s.keys[first : first+n] {
		docs[i] = s.docs[key].Document
	}
	return docs
}

// A draft is a state with some commits more, before they are durable. Only the
// difference is kept.
type draft struct {
	base    *State
	changed map[string]Entry // Rev 0: deleted
	digest  Digest
	last    uint64
	hash    [32]byte
}

func newDraft(s *State) *draft {
	return &draft{base: s, changed: make(map[string]Entry), digest: s.digest, last: s.last, hash: s.hash}
}

func (d *draft) get(key string) (Entry, bool) {
	if e, ok := d.changed[key]; ok {
		return e, e.Rev > 0
	}
	e, ok := d.base.docs[key]
	return e, ok
}

// commit adds the commit of b. sums holds the SHA-256 of the data of each change.
// It returns an error that wraps ErrConflict, and changes nothing, if an expected
// revision is another.
func (d *draft) commit(b *Batch, sums [][32]byte, now time.Time) (Link, error) {
	for key, rev := range b.Expect {
		if e, _ := d.get(key); e.Rev != rev {
			return Link{}, fmt.Errorf("%w: %q has revision %d, not %d", ErrConflict, key, e.Rev, rev)
		}
	}
	c := Commit{Rev: d.last + 1, Time: now, Actor: b.Actor, Changes: b.Changes, PrevHash: d.hash}
	var puts [][32]byte
	for i, change := range c.Changes {
		if !change.Delete {
			puts = append(puts, hashEntry(change.Key, c.Rev, sums[i]))
		}
	}
	return d.link(c, puts), nil
}

// link adds c, whose puts make entries with the given hashes, and returns it with
// its hash set to what it must be.
func (d *draft) link(c Commit, puts [][32]byte) Link {
	hashes := puts
	for _, change := range c.Changes {
		if old, ok := d.get(change.Key); ok {
			d.digest.subtract(old.Hash)
		}
		if change.Delete {
			d.changed[change.Key] = Entry{}
			continue
		}
		d.changed[change.Key] = Entry{Document: Document{Key: change.Key, Rev: c.Rev, Data: change.Data}, Hash: hashes[0]}
		d.digest.add(hashes[0])
		hashes = hashes[1:]
	}
	l := Link{Commit: c, Digest: d.digest}
	l.Hash = hashLink(&l, puts)
	d.last, d.hash = l.Rev, l.Hash
	return l
}

// adopt makes d, a draft of s, the state.
func (s *State) adopt(d *draft) {
	if s.docs == nil {
		s.docs = make(map[string]Entry)
	}
	for key, e := range d.changed {
		i, found := slices.BinarySearch(s.keys, key)
		switch {
		case e.Rev > 0:
			if !found {
				s.keys = slices.Insert(s.keys, i, key)
			}
			s.docs[key] = e
		case found:
			s.keys = slices.Delete(s.keys, i, i+1)
			delete(s.docs, key)
		}
	}
	s.digest, s.last, s.hash = d.digest, d.last, d.hash
}

// sumData returns the SHA-256 of the data of each change.
func sumData(changes []Change) [][32]byte {
	sums := make([][32]byte, len(changes))
	for i, c := range changes {
		sums[i] = sha256.Sum256(c.Data)
	}
	return sums
}
