package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"penstock/internal/store"
)

// Restore makes a ledger with mode 0600 out of a backup. It has the documents, with
// their revisions, and the last commit; commits after it continue the chain. The
// file appears whole or, whatever happens, not at all; only a crash on the way may
// leave a file behind whose name ends in ".new".
//
// An existing file is left alone, and the error wraps os.ErrExist, unless overwrite
// is set. A ledger that is open is never overwritten.
func Restore(path string, b store.Backup, overwrite bool) error {
	if overwrite {
		old, err := openLocked(path, 200*time.Millisecond)
		if err == nil {
			defer release(old)
		} else if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	} else if _, err := os.Lstat(path); err == nil {
		return exists(path)
	}
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, filepath.Base(path)+".*.new")
	if err != nil {
		return fmt.Errorf("create ledger %s: %w", path, err)
	}
	defer os.Remove(temp.Name())
	defer temp.Close() // in case fill did not come to it
	if err := guard(func() error { return fill(temp, b) }); err != nil {
		return fmt.Errorf("create ledger %s: %w", path, err)
	}
	// A link cannot replace a file that someone else has made by now; some file
	// systems have no links.
	err = os.ErrInvalid
	if !overwrite {
		err = os.Link(temp.Name(), path)
	}
	if errors.Is(err, os.ErrExist) {
		return exists(path)
	}
	if err != nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("create ledger %s: %w", path, err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

func exists(path string) error {
	return &os.PathError{Op: "create ledger", Path: path, Err: os.ErrExist}
}

// restoreBytes is about how much is written in one transaction, and so held in
// memory twice.
const restoreBytes = 8 << 20

// fill writes a new ledger to an empty file, syncs it and closes it.
func fill(f *os.File, b store.Backup) (err error) {
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{
		OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return f, nil },
		FreelistType: bbolt.FreelistMapType,
		NoStatistics: true,
		NoSync:       true, // once at the end is enough
		PageSize:     pageSize,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMain, bucketDocuments, bucketCommits} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		main := tx.Bucket(bucketMain)
		return errors.Join(main.Put(keyFormat, seal([]byte(formatName))), main.Put(keyHead, seal(head{}.record())))
	})
	if err != nil {
		return err
	}
	g := store.Group{Links: b.Links(), First: b.Rev()}
	if g.First > 0 {
		g.Anchor = g.Links[0].PrevHash
	}
	for entries := b.Entries(); ; {
		n, size := 0, 0
		for n < len(entries) && size < restoreBytes {
			size += len(entries[n].Data)
			n++
		}
		g.Put, entries = entries[:n], entries[n:]
		if err := db.Update(func(tx *bbolt.Tx) error { return write(tx, g, g.First) }); err != nil {
			return err
		}
		if len(entries) == 0 {
			return db.Sync()
		}
	}
}
