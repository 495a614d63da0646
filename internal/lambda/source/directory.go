package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// compareEvery is how often a directory is compared that cannot be watched.
const compareEvery = 250 * time.Millisecond

// A Dir is a directory that is watched, with everything in it. On Linux the kernel has
// queued a change before the call that made it returns, and Code looks at the queue:
// what was written before Code was called is another revision. Where that is not to be
// had – on other systems, on file systems that other machines write to, when there are
// no watches left – the directory is compared with what it was, at most every 250 ms.
//
// Links inside of the directory are not followed; those on the way to it are. What is
// written through a memory map is noticed only where the directory is compared.
type Dir struct {
	path string // absolute, as given

	mu       sync.RWMutex // guards what follows; Code only reads it while nothing changes
	watcher  *watcher     // nil if the directory is compared, or is not there
	dir      string       // path without links
	revision uint64       // 0 until the directory was there for the first time
	missing  error        // why the directory cannot be used; nil if it can
	untold   error        // why the directory is compared; nil if it is watched
	print    fingerprint  // if it is compared
	closed   bool

	// compared is when the directory was last compared, in time since the start of base.
	// It may be read without mu.
	compared atomic.Int64
	base     time.Time
	// watch opens a watcher; tests have one that fails.
	watch func(path string) (*watcher, error)
}

// Directory watches a directory until Close. It must be there.
func Directory(path string) (*Dir, error) {
	return openDirectory(path, watch)
}

func openDirectory(path string, watch func(string) (*watcher, error)) (*Dir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("code directory %s: %w", path, err)
	}
	d := &Dir{path: absolute, base: time.Now(), watch: watch}
	if d.open(); d.missing != nil {
		return nil, d.missing
	}
	return d, nil
}

// Code returns the directory, without links on the way to it, and its revision. If the
// directory is not there any more that is an error, until it is back.
func (d *Dir) Code() (dir string, revision uint64, err error) {
	d.mu.RLock()
	dir, revision = d.dir, d.revision
	state := d.state()
	d.mu.RUnlock()
	if state == current {
		return dir, revision, nil
	}
	var f fingerprint
	if state == compare {
		f, err = takeFingerprint(d.path) // the others need not wait for it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return "", 0, errClosed
	case d.missing != nil:
		d.open()
	case d.watcher != nil && d.watcher.pending():
		switch changed, again := d.watcher.drain(); {
		case again:
			d.open()
		case changed:
			d.revision++
		}
	case d.watcher == nil && state == compare:
		switch {
		case err != nil:
			d.lose(err)
		case f != d.print:
			d.print, d.dir = f, f.dir
			d.revision++
		}
	}
	if d.missing != nil {
		return "", 0, d.missing
	}
	return d.dir, d.revision, nil
}

// Err says why the directory is compared every 250 ms. It is nil if the directory is
// watched.
func (d *Dir) Err() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.untold
}

// Close ends the watch. Code returns an error from then on.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.stop()
	return nil
}

// A state says what is known of a directory.
type state uint8

const (
	current state = iota // all
	stale                // too little
	compare              // it is time to compare it, and the caller is the one who does
)

// state looks whether something has happened. A reader's lock is enough.
func (d *Dir) state() state {
	switch {
	case d.closed, d.missing != nil, d.watcher != nil && d.watcher.pending():
		return stale
	case d.watcher != nil:
		return current
	}
	now, last := int64(time.Since(d.base)), d.compared.Load()
	if now-last >= int64(compareEvery) && d.compared.CompareAndSwap(last, now) {
		return compare
	}
	return current
}

// open begins to watch or to compare. That is a new revision: what happened until now is
// not known.
func (d *Dir) open() {
	d.stop()
	d.missing = nil
	w, err := d.watch(d.path)
	if err == nil {
		d.watcher, d.dir, d.untold = w, w.dir, nil
		d.revision++
		return
	}
	if missing(err) {
		d.lose(err)
		return
	}
	d.untold = err
	f, err := takeFingerprint(d.path)
	if err != nil {
		d.lose(err)
		return
	}
	d.print, d.dir = f, f.dir
	d.compared.Store(int64(time.Since(d.base)))
	d.revision++
}

func (d *Dir) lose(err error) {
	d.stop()
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // the path is below
	}
	d.missing = fmt.Errorf("code directory %s: %w", d.path, err)
}

func (d *Dir) stop() {
	if d.watcher != nil {
		d.watcher.close()
		d.watcher = nil
	}
}

// missing reports whether an error says that there is no directory, or none that could
// be read, rather than that it cannot be watched.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errNoDirectory)
}

// errNoDirectory says that something is where a directory should be.
var errNoDirectory = errors.New("is not a directory")

// resolve returns a path without links, if it is that of a directory.
func resolve(path string) (string, error) {
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", errNoDirectory
	}
	return dir, nil
}
