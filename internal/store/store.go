// Package store keeps Penstock's documents and the commits that made them.
//
// A [Store] maps keys to whole documents. The only way to change it is
// [Store.Append]: one [Batch] of puts and deletes that holds or fails as a whole,
// guarded by the revisions its author has seen. What was appended is a [Commit];
// commits are numbered from 1 without gaps and each holds the hash of the one
// before it, so that damage and rollback are found, never served.
//
//	doc, _ := s.Get("api.a1b2c3")
//	_, err := s.Append(ctx, store.Batch{
//		Actor:   "arn:aws:iam::000000000000:user/ada",
//		Expect:  map[string]uint64{doc.Key: doc.Rev},
//		Changes: []store.Change{{Key: doc.Key, Data: edited}},
//	})
//	if errors.Is(err, store.ErrConflict) {
//		// Somebody else was faster: read again, edit again.
//	}
//
// To follow a store, load it once and watch from there. Last comes first, so that
// a commit between the two calls is seen twice rather than never:
//
//	rev := s.Last()
//	load(s.List(""))
//	for c, err := range s.Watch(ctx, rev) { … }
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// A Document is the current content of a key.
type Document struct {
	Key  string
	Rev  uint64 // revision of the commit that last put it
	Data []byte // shared with the store: must not be modified
}

// A Change puts or deletes one whole document.
type Change struct {
	Key    string
	Data   []byte // the new content; empty when Delete is set
	Delete bool   // deleting a key that does not exist changes nothing and is not an error
}

// A Batch is what one commit is asked to do: all of it or nothing.
type Batch struct {
	Actor string // who asks, as the audit trail shall name them

	// Expect names the revision that each of these keys must have now; 0 means
	// that the key must not exist. Keys that are not changed may be listed too.
	Expect map[string]uint64

	// Changes holds at least one change, and at most one for each key.
	Changes []Change
}

// A Commit is a batch that was accepted. It is shared: nothing in it may be
// modified.
type Commit struct {
	Rev      uint64    // 1 for the first commit of a store, then one more each
	Time     time.Time // when the store accepted it, UTC; a clock set back shows here, only Rev gives the order
	Actor    string
	Changes  []Change
	PrevHash [32]byte // Hash of the commit before; zero for the first
	Hash     [32]byte // see Link
}

// Limits of what a store takes. They keep a damaged or hostile length from
// being believed, and are far above what Penstock writes.
const (
	MaxKey     = 1 << 10   // bytes of a key
	MaxActor   = 4 << 10   // bytes of an actor
	MaxData    = 64 << 20  // bytes of one document
	MaxChanges = 1 << 16   // changes in one commit
	MaxCommit  = 256 << 20 // bytes of one commit as stored
)

var (
	// ErrConflict means that a key had another revision than expected. Nothing was
	// changed.
	ErrConflict = errors.New("store: revision conflict")

	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store: closed")

	// ErrCompacted means that the commits asked for are not kept: they are too
	// old, or the store is older than the asker (a backup was restored). The way
	// on is to load everything with List.
	ErrCompacted = errors.New("store: commits are no longer kept")
)

// A DamageError says that stored bytes do not add up. What was read is not used,
// not even in part, and nothing is repaired.
type DamageError struct {
	File   string // the file, or "" when it was read from a stream
	What   string // what does not add up
	Remedy string // what the operator can do
}

func (e *DamageError) Error() string {
	s := "damaged: " + e.What
	if e.File != "" {
		s = e.File + " is " + s
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Damage returns a DamageError that only says what is wrong; whoever knows the
// file and the way out fills in the rest.
func Damage(format string, args ...any) *DamageError {
	return &DamageError{What: fmt.Sprintf(format, args...)}
}

// A Store keeps documents and their recent commits. Its methods may be called at
// the same time from many goroutines.
type Store interface {
	// Append makes one commit of b if every key in b.Expect has the revision
	// given there, and otherwise returns an error that wraps ErrConflict and
	// changes nothing. When it returns without an error, the commit is as durable
	// as the engine can make it and every later Get, List and Watch shows it. Data
	// is copied. An empty batch is an error. If ctx ends before the commit was
	// started, nothing is changed.
	Append(ctx context.Context, b Batch) (Commit, error)

	// Get returns the current document of a key.
	Get(key string) (Document, bool)

	// List returns the current documents whose keys start with prefix, sorted by
	// key, all at one revision.
	List(prefix string) []Document

	// Last returns the revision of the last commit, 0 if there was none.
	Last() uint64

	// Read returns the kept commits with Rev > after, in order. If some of them
	// are no longer kept, or after is greater than Last, the error wraps
	// ErrCompacted.
	Read(ctx context.Context, after uint64) ([]Commit, error)

	// Watch yields every commit with Rev > after, in order, none missed and none
	// twice, as they come. It ends when ctx ends or the store closes. A watcher
	// that falls behind the kept commits, or starts outside them, gets one error
	// that wraps ErrCompacted, and that is the end: load with List, watch again.
	Watch(ctx context.Context, after uint64) iter.Seq2[Commit, error]

	// Close ends all watches and waits for commits under way. Get, List and Last
	// go on answering from memory. It may be called more than once.
	Close() error
}
