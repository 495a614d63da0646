package journal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

const (
	// private is the mode of the file: it tells who the clients are.
	private = 0o600
	// shortTail is how much may be copied while Add and Remove wait, in bytes.
	shortTail = 64 << 10
	// maxRounds is how often the copy tries to get so near.
	maxRounds = 8
)

// wasteful reports whether ended connections take so much of the file that writing it anew
// is worth its while: more than open ones, and more than patience.
func (j *Journal) wasteful() bool {
	return j.dead > j.patience && j.dead > j.size-j.dead
}

// compact writes the file anew, without what nobody needs, until it is no more wasteful: it
// may have become so again in the meantime.
func (j *Journal) compact() {
	for again := true; again; {
		err := j.rewrite()
		j.mu.Lock()
		j.patience = j.waste
		if err != nil {
			// Each try costs as much as the file is long.
			j.patience += j.dead
		}
		again = err == nil && j.wasteful() && !j.closed.Load()
		j.compacting = again
		j.mu.Unlock()
		if err != nil && !errors.Is(err, os.ErrClosed) {
			j.logger.Warn("compact the journal of connections", "path", j.path, "error", err)
		}
	}
}

// rewrite puts a file in the place of the old one that has only the open connections. Add
// and Remove keep writing to the old file; what they write is copied at the end, and only
// for the last of it they wait. Whenever the process ends, one of the two files is there
// and has everything.
func (j *Journal) rewrite() error {
	j.mu.Lock()
	old, end, live, dead := j.file, j.size, j.live, j.dead
	j.mu.Unlock()
	path := j.path + ".new"
	c, err := j.copyLive(path, old, end)
	if err == nil {
		err = j.catchUp(c)
	}
	if err == nil {
		err = c.file.Sync()
	}
	if err == nil {
		err = j.catchUp(c)
	}
	if err == nil {
		err = j.replace(path, c, live, dead)
	}
	if err != nil {
		if c != nil {
			c.file.Close()
			os.Remove(path)
		}
		return err
	}
	old.Close()
	syncDirectory(filepath.Dir(path))
	return nil
}

// A replica is the file that is to be in the place of another.
type replica struct {
	file *os.File
	old  *os.File
	size int64
	// end is up to where old was copied.
	end int64
	// live is how many connections were open there, compacted how long the file was then.
	live, compacted int64
}

// copyLive makes a file of the connections that are open at an offset of the old one. The
// file is returned with an error too, if there is one.
func (j *Journal) copyLive(path string, old *os.File, end int64) (*replica, error) {
	s := survey{marker: j.marker}
	if err := s.examine(old, end); err != nil {
		return nil, err
	}
	if s.damaged > 0 {
		j.logger.Warn("the journal of connections is damaged: some ends of connections are lost, or will be told twice", "path", j.path, "bytes", s.damaged)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, private)
	if err != nil {
		return nil, err
	}
	c := &replica{file: file, old: old, end: end}
	out := bufio.NewWriterSize(file, readBuffer)
	n, err := out.Write(appendHeader(nil, j.marker))
	c.size = int64(n)
	if err != nil {
		return c, err
	}
	err = s.each(old, func(record []byte) error {
		if j.closed.Load() {
			return os.ErrClosed
		}
		n, err := out.Write(record)
		c.size += int64(n)
		c.live++
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	c.compacted = c.size
	return c, err
}

// catchUp copies what Add and Remove have written in the meantime.
func (j *Journal) catchUp(c *replica) error {
	for range maxRounds {
		j.mu.Lock()
		end := j.size
		j.mu.Unlock()
		if end-c.end <= shortTail {
			return nil
		}
		if j.closed.Load() {
			return os.ErrClosed
		}
		if err := c.copy(end); err != nil {
			return err
		}
	}
	return nil
}

// copy copies the old file up to an offset, record by record as it is.
func (c *replica) copy(end int64) error {
	n, err := io.Copy(io.NewOffsetWriter(c.file, c.size), io.NewSectionReader(c.old, c.end, end-c.end))
	if err == nil && n < end-c.end {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		c.size += n
		c.end = end
	}
	return err
}

// replace copies the rest and has the journal go on in the new file. Live and dead are what
// they were when the copy began.
func (j *Journal) replace(path string, c *replica, live, dead int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := c.copy(j.size); err != nil {
		return err
	}
	if err := os.Rename(path, j.path); err != nil {
		return err
	}
	j.file, j.size = c.file, c.size
	j.live = max(0, c.live+j.live-live)
	j.dead = min(max(0, j.dead-dead), c.size)
	return nil
}

// syncDirectory has the new name survive a power cut, where that is possible.
func syncDirectory(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
