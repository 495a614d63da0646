package ledger

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"

	"penstock/internal/store"
)

// An engine writes groups of commits to the file: one bbolt transaction each,
// which syncs the file before and after its meta page.
//
// After a write that failed it takes no more until the ledger is opened again. It
// cannot know what is on the disk then: after a failed sync the kernel may have
// dropped what it could not write and call the next sync a success, and if it was
// the meta page, the commits may even be there. Opening reads and verifies what
// is. Reads go on from memory meanwhile, at the last commit that was acknowledged.
type engine struct {
	path  string
	file  *os.File // that of db
	db    *bbolt.DB
	first uint64 // the oldest commit in the file

	failed   error // why it takes no more writes
	panicked bool  // bbolt may hold its own locks for ever
}

// Write implements store.Engine.
func (e *engine) Write(g store.Group) error {
	if e.failed != nil {
		return e.failed
	}
	err := guard(func() error {
		return e.db.Update(func(tx *bbolt.Tx) error { return write(tx, g, e.first) })
	})
	if err != nil {
		e.panicked = errors.As(err, new(panicError))
		e.failed = fmt.Errorf("%s takes no writes until it is opened again: %w", e.path, err)
		return e.failed
	}
	e.first = g.First
	return nil
}

// write puts a group into the buckets. oldest is the oldest commit that is there.
func write(tx *bbolt.Tx, g store.Group, oldest uint64) error {
	documents, commits := tx.Bucket(bucketDocuments), tx.Bucket(bucketCommits)
	commits.FillPercent = 0.9 // they come in order and leave in order
	for _, e := range g.Put {
		if err := documents.Put([]byte(e.Key), e.AppendRecord(nil)); err != nil {
			return err
		}
	}
	for _, key := range g.Delete {
		if err := documents.Delete([]byte(key)); err != nil {
			return err
		}
	}
	for _, l := range g.Links {
		if err := commits.Put(revisionKey(l.Rev), l.AppendRecord(nil)); err != nil {
			return err
		}
	}
	for rev := oldest; rev < g.First; rev++ {
		if err := commits.Delete(revisionKey(rev)); err != nil {
			return err
		}
	}
	h := head{first: g.First, anchor: g.Anchor}
	if n := len(g.Links); n > 0 {
		h.last, h.hash = g.Links[n-1].Rev, g.Links[n-1].Hash
	}
	return tx.Bucket(bucketMain).Put(keyHead, seal(h.record()))
}

// Close implements store.Engine.
func (e *engine) Close() error {
	if e.panicked {
		return release(e.file)
	}
	return e.db.Close()
}
