package source

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keepFormer is how many directories stay that came before the one of now.
	keepFormer = 2
	// settleAfter is how long a file may be written again without having another time:
	// clocks of file systems are that coarse, at worst.
	settleAfter = 50 * time.Millisecond
)

// A ZipFile is a zip file with code, which is extracted whenever it is another one. The
// last three directories stay; environments that run what was three changes ago may
// miss files that they have not read yet.
type ZipFile struct {
	path, into string

	good atomic.Pointer[extracted]

	mu   sync.Mutex // guards what follows; held while extracting
	last int        // the number of the newest directory
	dirs []string   // that stay, oldest first
	seen extracted  // the newest zip, good or not
	err  error      // why the newest zip cannot be used
}

// errNoFile says that something is where a file should be.
var errNoFile = errors.New("is not a file")

// An extracted is a zip file and where it was extracted to.
type extracted struct {
	file     stamp
	sum      [sha256.Size]byte
	settled  bool      // the file cannot be another one without another stamp
	when     time.Time // it was first seen
	dir      string
	revision uint64
}

// Zip extracts a zip file into a new directory below into, which is made if it is not
// there, and again when the file changes, until Close, which removes all of it.
func Zip(path, into string) (*ZipFile, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("code %s: %w", path, err)
	}
	if into, err = filepath.Abs(into); err != nil {
		return nil, fmt.Errorf("directory of code %s: %w", into, err)
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return nil, fmt.Errorf("directory of code: %w", err)
	}
	if into, err = os.MkdirTemp(into, filepath.Base(path)+"-"); err == nil {
		err = os.Chmod(into, 0o755) // functions may run as another user
	}
	if err != nil {
		return nil, fmt.Errorf("directory of code: %w", err)
	}
	z := &ZipFile{path: absolute, into: into}
	z.mu.Lock()
	defer z.mu.Unlock()
	s, err := stampOf(absolute)
	if err == nil {
		z.look(s)
		err = z.err
	}
	if err != nil {
		_ = os.RemoveAll(into)
		return nil, fmt.Errorf("code %s: %w", path, err)
	}
	return z, nil
}

// Code returns the directory that the zip file is extracted to, and its revision. A file
// that is not there or that cannot be extracted, such as one that is being written,
// changes nothing: the code of before stays. See Err.
func (z *ZipFile) Code() (dir string, revision uint64, err error) {
	s, missing := stampOf(z.path)
	good := z.good.Load()
	if good == nil {
		return "", 0, errClosed
	}
	if missing != nil || good.settled && s == good.file {
		return good.dir, good.revision, nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.good.Load() == nil {
		return "", 0, errClosed
	}
	if s, missing = stampOf(z.path); missing == nil && (s != z.seen.file || !z.seen.settled) {
		z.look(s)
	}
	good = z.good.Load()
	return good.dir, good.revision, nil
}

// Err says why the zip file that was there at the last call of Code cannot be used. It is
// nil if Code returns the directory with its contents.
func (z *ZipFile) Err() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.err
}

// Close removes all directories.
func (z *ZipFile) Close() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.good.Store(nil)
	z.dirs = nil
	return os.RemoveAll(z.into)
}

// look reads the file, which has the stamp s, and extracts it if it is another one.
func (z *ZipFile) look(s stamp) {
	now := time.Now()
	next := extracted{file: s, when: now}
	if s == z.seen.file {
		next.when = z.seen.when
		next.settled = now.Sub(next.when) >= settleAfter
	}
	good := z.good.Load()
	err := z.extract(&next)
	if err != nil {
		// The former code stays; this file is not tried again when it has settled.
		z.seen, z.err = next, err
		return
	}
	z.seen, z.err = next, nil
	if good == nil || next.dir != good.dir {
		z.dirs = append(z.dirs, next.dir)
	}
	z.good.Store(&next)
	for len(z.dirs) > keepFormer+1 {
		_ = os.RemoveAll(z.dirs[0]) // Close tries again
		z.dirs = z.dirs[1:]
	}
}

// extract fills in where the contents of the file are, which is where they have been if
// they are those of before.
func (z *ZipFile) extract(next *extracted) error {
	f, err := os.Open(z.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	h.Sum(next.sum[:0])
	good := z.good.Load()
	switch {
	case good != nil && next.sum == good.sum:
		next.dir, next.revision = good.dir, good.revision
		return nil
	case next.sum == z.seen.sum && z.err != nil:
		return z.err // as before
	}
	z.last++
	dir := filepath.Join(z.into, strconv.Itoa(z.last))
	if err := Extract(f, info.Size(), dir, Limits{}); err != nil {
		return err
	}
	next.dir, next.revision = dir, 1
	if good != nil {
		next.revision = good.revision + 1
	}
	return nil
}
