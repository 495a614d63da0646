package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// The limits of a file when nothing else is said.
const (
	defaultMaxSize  = 100 << 20
	defaultMaxFiles = 10
	defaultMode     = 0o600
)

// A FileConfig says which file a Sink writes and how.
type FileConfig struct {
	// Path of the file. Its directory must exist.
	Path string
	// MaxSize is how long the file gets, in bytes; only a line that is longer makes it
	// longer. Then it becomes Path.1, the one of that name Path.2, and so on. Default:
	// 100 MiB.
	MaxSize int64
	// MaxFiles is how many files are kept besides the one that is written. Default: 10.
	MaxFiles int
	// Mode is given to files that are made. Default: 0600.
	Mode fs.FileMode
	// Buffer is how many bytes wait to be written at most. Default: 4 MiB.
	Buffer int
	// Log is told when lines are lost. Default: nothing is told.
	Log *slog.Logger
}

// NewFile returns a Sink that appends to a file. The file may be renamed, removed or
// emptied by others at any time: a file that is no longer at its path is opened anew
// with the next lines. What is no regular file, such as a device, is written as it is.
func NewFile(c FileConfig) (*Sink, error) {
	f, err := openFile(c)
	if err != nil {
		return nil, err
	}
	return newSink(c.Path, f, c.Buffer, c.Log), nil
}

// openFile opens the destination of a Sink.
func openFile(c FileConfig) (*file, error) {
	f := &file{path: c.Path, maxSize: c.MaxSize, maxFiles: c.MaxFiles, mode: c.Mode}
	switch {
	case c.MaxSize < 0 || c.MaxFiles < 0:
		return nil, fmt.Errorf("access log %s: negative limit", c.Path)
	case c.MaxSize == 0:
		f.maxSize = defaultMaxSize
	}
	if c.MaxFiles == 0 {
		f.maxFiles = defaultMaxFiles
	}
	if c.Mode == 0 {
		f.mode = defaultMode
	}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// A file is a destination that rotates. It always has an open file: where opening
// another one does not work, it goes on with the one it has, so that what cannot be
// opened loses no lines.
type file struct {
	path     string
	maxSize  int64
	maxFiles int
	mode     fs.FileMode

	current *os.File
	info    fs.FileInfo // of current, when it was opened
	size    int64
	torn    tear
	renewal atomic.Bool // asked for by reopen
}

// open opens the file at the path and, if that works, closes the one before.
func (f *file) open() error {
	// Without O_NONBLOCK, opening a named pipe waits for its reader; with it, a pipe that
	// nobody reads is an error.
	next, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, f.mode)
	if err != nil {
		return fmt.Errorf("open access log: %w", err)
	}
	info, err := next.Stat()
	if err != nil {
		next.Close()
		return fmt.Errorf("open access log: %w", err)
	}
	if f.current != nil {
		f.current.Close() // its lines are written; a late error is about no line in particular
	}
	f.current, f.info, f.size = next, info, 0
	f.torn = false
	if info.Mode().IsRegular() {
		f.size = info.Size()
		f.torn = tear(endsTorn(f.path, f.size))
	}
	return nil
}

// endsTorn reports whether a file ends within a line, as it does after a crash. A file
// that cannot be read is taken not to.
func endsTorn(path string, size int64) bool {
	if size == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var last [1]byte
	_, err = f.ReadAt(last[:], size-1)
	return err == nil && last[0] != '\n'
}

// check opens the file anew if that was asked for or if it is no longer at its path.
func (f *file) check() error {
	renew := f.renewal.Swap(false)
	if f.info.Mode().IsRegular() {
		now, err := os.Stat(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			renew = true
		case err != nil:
			return fmt.Errorf("check access log: %w", err)
		case !os.SameFile(now, f.info):
			renew = true
		default:
			f.size = now.Size() // someone may have emptied it
		}
	}
	if !renew {
		return nil
	}
	return f.open()
}

// write appends lines and rotates in between. An error with all bytes written is about
// the file, not about a line.
func (f *file) write(lines []byte) (written int, err error) {
	trouble := f.check()
	for written < len(lines) {
		rest := lines[written:]
		part := f.fit(rest)
		if part == 0 {
			if err := f.rotate(); err != nil {
				trouble = err
				part = len(rest)
			} else if part = f.fit(rest); part == 0 {
				part = len(rest) // someone else fills the file as well
			}
		}
		n, err := f.torn.write(f.current, rest[:part])
		written += n
		f.size += int64(n)
		if err != nil {
			return written, fmt.Errorf("write access log: %w", err)
		}
	}
	return written, trouble
}

// fit returns the length of the lines that go into the file; zero if it must be rotated
// first. An empty file takes at least one line.
func (f *file) fit(lines []byte) int {
	room := f.maxSize - f.size
	if !f.info.Mode().IsRegular() || int64(len(lines)) <= room {
		return len(lines)
	}
	if room > 0 {
		if n := bytes.LastIndexByte(lines[:room], '\n') + 1; n > 0 {
			return n
		}
	}
	if f.size > 0 {
		return 0
	}
	return bytes.IndexByte(lines, '\n') + 1
}

// rotate renames the files, the oldest first, and opens a new one. Only the names up to
// the first free one move: if the last rename or the opening does not work, trying again
// pushes no file out.
func (f *file) rotate() error {
	last := 1
	for last < f.maxFiles {
		if _, err := os.Lstat(f.name(last)); err != nil {
			break
		}
		last++
	}
	for i := last - 1; i >= 0; i-- {
		if err := os.Rename(f.name(i), f.name(i+1)); err != nil {
			return fmt.Errorf("rotate access log: %w", err)
		}
	}
	return f.open()
}

// name returns the path of the file that was written i rotations ago.
func (f *file) name(i int) string {
	if i == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(i)
}

func (f *file) reopen() { f.renewal.Store(true) }

func (f *file) close() error {
	if err := f.current.Close(); err != nil {
		return fmt.Errorf("close access log: %w", err)
	}
	return nil
}
