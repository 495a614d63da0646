// Package ledger keeps a store in one file: current documents and recent commits,
// each durable when Append returns.
//
//	l, err := ledger.Open("data/ledger.db", ledger.Options{})
//
// The file is a bbolt database. It is read once, when it is opened, and then only
// written: documents and kept commits are served from memory. Every document is in
// it twice, as the current document and in the commit that made it (while that is
// kept), and everything must add up before anything is served: the structure of
// the file, the checksum of every document, the hash of every commit, the chain,
// the digest of all documents under the hash of the last commit, and both forms
// of each document byte for byte. Otherwise Open fails with a [store.DamageError]
// and leaves the file as it is.
//
// What no single file can tell is that all of it was replaced by an older copy of
// itself, or that the disk lost the very last write although it had called it
// durable. Who remembers a revision and its hash can tell.
//
// The file has these buckets:
//
//	penstock   "format": formatName; "head": see head; each after its SHA-256
//	documents  key → record of store.Entry
//	commits    revision uint64, big-endian → record of store.Link
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"penstock/internal/store"
)

// A Ledger is a store in a file.
type Ledger struct {
	*store.Base
	engine *engine
}

// Options configure Open.
type Options struct {
	Keep        store.Keep    // how many commits are kept, in the file and in memory
	LockTimeout time.Duration // how long to wait for a file that another process holds; 0 means 200 ms
}

const (
	formatPrefix = "penstock ledger "
	formatName   = formatPrefix + "1"
)

var (
	bucketMain      = []byte("penstock")
	bucketDocuments = []byte("documents")
	bucketCommits   = []byte("commits")
	keyFormat       = []byte("format")
	keyHead         = []byte("head")
)

// Open opens the ledger in a file, which is made, with mode 0600, if there is none;
// its directory must exist. It fails at once, or after o.LockTimeout, if another
// process holds the file, and with a DamageError if the file does not add up.
func Open(path string, o Options) (*Ledger, error) {
	if o.LockTimeout <= 0 {
		o.LockTimeout = 200 * time.Millisecond
	}
	f, err := openLocked(path, o.LockTimeout)
	if errors.Is(err, os.ErrNotExist) {
		// Someone else may make it at the same time: then theirs is opened.
		if err := Restore(path, store.Backup{}, false); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		f, err = openLocked(path, o.LockTimeout)
	}
	if err != nil {
		return nil, err
	}
	l, err := load(f, path, o)
	if err != nil {
		release(f)
		return nil, explain(err, path)
	}
	return l, nil
}

// openLocked opens an existing file and locks it.
func openLocked(path string, timeout time.Duration) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := lock(f, path, timeout); err != nil {
		f.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return f, nil
}

func lock(f *os.File, path string, timeout time.Duration) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	for deadline := time.Now().Add(timeout); ; time.Sleep(10 * time.Millisecond) {
		ok, err := tryLock(f)
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if ok {
			break
		}
		if time.Now().After(deadline) {
			return errors.New("another process has it open: stop that one, or use another data directory")
		}
	}
	// Whoever held it may have put another file in its place.
	if now, err := os.Stat(path); err != nil || !os.SameFile(info, now) {
		return errors.New("it was replaced at this moment: try again")
	}
	return nil
}

func release(f *os.File) error {
	return errors.Join(unlock(f), f.Close())
}

// explain adds to a DamageError which file it is about and what to do.
func explain(err error, path string) error {
	if damage := (*store.DamageError)(nil); errors.As(err, &damage) {
		damage.File = path
		damage.Remedy = fmt.Sprintf("restore a backup with `penstock restore BACKUP --data %s --force`, or move the file away to start empty", filepath.Dir(path))
		return damage
	}
	return fmt.Errorf("open ledger %s: %w", path, err)
}

// load reads and verifies a ledger and makes it ready for writing.
func load(f *os.File, path string, o Options) (*Ledger, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	state, links, err := read(f, info.Size())
	if err != nil {
		return nil, err
	}
	// The list of free pages stays in the file. Without it bbolt would look for them
	// when it opens a file and after every failed write, in a goroutine of its own,
	// where a disk that fails ends the process. readPages has verified it.
	e := &engine{path: path, file: f, first: newHead(links).first}
	err = guard(func() (err error) {
		e.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return f, nil },
			Timeout:      o.LockTimeout,
			FreelistType: bbolt.FreelistMapType,
			NoStatistics: true,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Ledger{store.NewBase(state, links, e, o.Keep), e}, nil
}

// read returns what is in a file, all of it verified.
func read(file io.ReaderAt, size int64) (*store.State, []store.Link, error) {
	buckets, err := readPages(file, size)
	if err != nil {
		return nil, nil, err
	}
	h, err := readMain(file, buckets)
	if err != nil {
		return nil, nil, err
	}
	entries, links, err := parse(file, buckets[string(bucketDocuments)], buckets[string(bucketCommits)])
	if err != nil {
		return nil, nil, err
	}
	state, err := store.NewState(entries, links)
	if err != nil {
		return nil, nil, err
	}
	if want := newHead(links); h != want {
		return nil, nil, store.Damage("it ends with commit %d and starts with %d, its head says %d and %d", want.last, want.first, h.last, h.first)
	}
	return state, links, nil
}

// readMain verifies that all buckets are there, and the format, and returns the
// head.
func readMain(file io.ReaderAt, buckets map[string][]record) (head, error) {
	for _, name := range [][]byte{bucketMain, bucketDocuments, bucketCommits} {
		if _, ok := buckets[string(name)]; !ok {
			return head{}, store.Damage("it has no bucket %q", name)
		}
	}
	values := make(map[string][]byte)
	for _, r := range buckets[string(bucketMain)] {
		value, err := r.read(file, nil)
		if err != nil {
			return head{}, err
		}
		if values[string(r.key)], err = unseal(value); err != nil {
			return head{}, err
		}
	}
	format := string(values[string(keyFormat)])
	if version, ok := strings.CutPrefix(format, formatPrefix); ok && format != formatName {
		return head{}, fmt.Errorf("it has format version %.20s, this Penstock reads version 1: use the Penstock that wrote it", version)
	}
	if format != formatName || len(values) != 2 || len(buckets) != 3 {
		return head{}, store.Damage("it is not a ledger")
	}
	return parseHead(values[string(keyHead)])
}

// seal puts the SHA-256 of b before b.
func seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(sum[:], b...)
}

// unseal returns what was sealed.
func unseal(b []byte) ([]byte, error) {
	if len(b) < sha256.Size || sha256.Sum256(b[sha256.Size:]) != [sha256.Size]byte(b[:sha256.Size]) {
		return nil, store.Damage("its head does not match its checksum")
	}
	return b[sha256.Size:], nil
}

// parse reads, parses and verifies all records, on all processors. What is in
// memory then is not what is on the disk, twice: the changes of commits share their
// data with the documents that they made.
func parse(file io.ReaderAt, documents, commits []record) ([]store.Entry, []store.Link, error) {
	entries, links := make([]store.Entry, len(documents)), make([]store.Link, len(commits))
	err := each(file, documents, func(i int, value []byte) (err error) {
		entries[i], err = store.ParseEntry(string(documents[i].key), value)
		entries[i].Data = bytes.Clone(entries[i].Data)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	made := make(map[uint64][]store.Document) // by revision
	for _, e := range entries {
		made[e.Rev] = append(made[e.Rev], e.Document)
	}
	err = each(file, commits, func(i int, value []byte) (err error) {
		l := &links[i]
		if *l, err = store.ParseLink(value); err != nil {
			return err
		}
		if !bytes.Equal(commits[i].key, revisionKey(l.Rev)) {
			return store.Damage("commit %d is in the place of another", l.Rev)
		}
		for j := range l.Changes {
			l.Changes[j].Data = share(l.Changes[j], made[l.Rev])
		}
		return nil
	})
	return entries, links, err
}

// share returns the data of a change: that of one of the documents if it is the
// same, otherwise a copy.
func share(c store.Change, docs []store.Document) []byte {
	i, ok := slices.BinarySearchFunc(docs, c.Key, func(d store.Document, key string) int { return strings.Compare(d.Key, key) })
	if ok && bytes.Equal(docs[i].Data, c.Data) {
		return docs[i].Data
	}
	return bytes.Clone(c.Data)
}

// each calls f with the value of each record, on all processors. f must not keep
// the value.
func each(file io.ReaderAt, records []record, f func(i int, value []byte) error) error {
	var g errgroup.Group
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			var buf []byte
			for {
				i := int(next.Add(1)) - 1
				if i >= len(records) {
					return nil
				}
				value, err := records[i].read(file, buf)
				if err == nil {
					err = f(i, value)
				}
				if err != nil {
					return err
				}
				if records[i].value == nil {
					buf = value
				}
			}
		})
	}
	return g.Wait()
}

func revisionKey(rev uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, rev)
}

// guard runs f and turns a panic into an error. bbolt panics when it meets what
// should not be, and reading its mapping faults when the disk fails or the file is
// cut off by someone else.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = panicError{r}
		}
	}()
	return f()
}

type panicError struct {
	value any
}

func (e panicError) Error() string {
	if _, ok := e.value.(interface{ Addr() uintptr }); ok { // a fault, see debug.SetPanicOnFault
		return "the file could not be read: the disk failed, or the file was cut off"
	}
	return fmt.Sprintf("bbolt: %v", e.value)
}
