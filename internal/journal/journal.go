// Package journal keeps in a file which WebSocket connections are open, so that the next
// start after a crash can tell of every connection that had no end.
//
// A connection is added before its client hears that it is one, and removed after its end
// has been told. What Open finds in the file has had no end, as far as anybody was told:
//
//	j, open, err := journal.Open(path, journal.Options{})
//	for _, e := range open {
//		// The connection of e is gone: say so, and then
//		err = j.Remove(e.ID)
//	}
//
// So an end is told exactly once without a crash, and at least once with one.
//
// What Add and Remove have written survives the end of the process, whatever its cause.
// Nothing is forced to the disk, though: a power cut may undo the last of it. Connections
// that are lost so have no end, and those whose end is lost have another.
//
// Entries are only in the file; in memory a connection costs nothing. When ended
// connections take more of the file than open ones, it is written anew beside the traffic.
//
// The file belongs to one Journal. Nothing here keeps a second process away: the file lies
// in the data directory, and whoever uses that holds the lock of the store.
package journal

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// defaultWaste is what ended connections may take of the file in any case, in bytes.
	defaultWaste = 1 << 20
	// What waits in memory for a disk that takes nothing, in bytes: new connections up to
	// addRoom, ends of connections up to removeRoom. Ends get more, since one that is
	// missing is told twice.
	addRoom    = 1 << 20
	removeRoom = 2 << 20
	// retryInterval is how often a disk that takes nothing is tried again.
	retryInterval = time.Second
)

// Options are what a Journal may be told. Zero stands for the default.
type Options struct {
	// Waste is how many bytes of the file ended connections may take, even if open ones
	// take less. Default 1048576.
	Waste int64
	// Logger hears of damage to the file, and of trouble that no caller is told of.
	// Default slog.Default.
	Logger *slog.Logger
}

// A Journal keeps which connections are open. Open makes one. All its methods may be called
// by several goroutines at the same time. A nil Journal keeps nothing and does nothing.
type Journal struct {
	path   string
	waste  int64
	logger *slog.Logger
	marker marker
	// closed is changed under mu. Who works long looks at it without.
	closed atomic.Bool
	// compaction is the goroutine that writes the file anew.
	compaction sync.WaitGroup

	mu   sync.Mutex // guards what follows
	file *os.File
	// size is where the next record goes. What the file has behind it counts for nothing.
	size int64
	// live is how many connections are open, dead how many bytes of the file nobody needs.
	// Both are exact after each compaction and estimates from then on, as nobody knows how
	// long the record is that Remove makes useless.
	live, dead int64
	// patience is how large dead may grow before a compaction is worth its while.
	patience   int64
	compacting bool
	// buffer is where records are made.
	buffer []byte
	// outage is why the disk took nothing when it was last tried, nil if all is written.
	outage error
	// waiting is what has to be written as soon as the disk takes it, missed how many
	// records had no room in it.
	waiting []byte
	missed  int
	retry   *time.Timer
}

// Open opens the journal in a file, which need not exist but its directory must. It returns
// the connections that are open according to it, in the order in which they were added, and
// they stay so until they are removed. Neither damage to the file nor a full disk is an
// error: what cannot be read is left out, and logged. Only a file that cannot be opened for
// reading and writing is one.
func Open(path string, options Options) (*Journal, []Entry, error) {
	j := &Journal{path: path, waste: options.Waste, logger: options.Logger}
	if j.waste <= 0 {
		j.waste = defaultWaste
	}
	if j.logger == nil {
		j.logger = slog.Default()
	}
	j.patience = j.waste
	var err error
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, private); err != nil {
		return nil, nil, fmt.Errorf("open the journal of connections: %w", err)
	}
	length, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		j.file.Close()
		return nil, nil, fmt.Errorf("open the journal of connections: %w", err)
	}
	if err := j.file.Chmod(private); err != nil {
		j.logger.Warn("the journal of connections may be readable for others", "path", path, "error", err)
	}
	open := j.restore(length)
	if j.size == 0 {
		j.mu.Lock()
		defer j.mu.Unlock()
		if err := j.write(appendHeader(nil, j.marker), addRoom); err != nil {
			j.logger.Warn("begin the journal of connections", "path", path, "error", err)
		}
	}
	return j, open, nil
}

// restore reads a file of some length and has it ready for new records. Nobody else knows
// the journal yet. A size of 0 means that the file has to be begun.
func (j *Journal) restore(length int64) []Entry {
	s, err := examine(j.file, length)
	if err != nil {
		j.logger.Warn("read the journal of connections: what follows is lost", "path", j.path, "offset", s.end, "error", err)
	}
	open, liveBytes := s.entries(j.file)
	j.marker, j.size, j.live = s.marker, s.end, int64(len(s.live))
	if j.size == 0 {
		j.marker = newMarker()
	} else if j.dead = s.end - headerSize - liveBytes; j.dead > 0 || s.repair {
		err := j.rewrite()
		if err == nil {
			return open
		}
		j.logger.Warn("compact the journal of connections", "path", j.path, "error", err)
	}
	// What could not be read at the end is half a record as a rule. Whatever it is, it must
	// not come to life again behind a record that is shorter.
	if length > j.size {
		j.logger.Info("the end of the journal of connections is no whole record and is cut off", "path", j.path, "bytes", length-j.size)
		if err := j.file.Truncate(j.size); err != nil {
			j.logger.Warn("cut off the end of the journal of connections", "path", j.path, "error", err)
		}
	}
	return open
}

// Add says that a connection is open. When it has returned nil, the entry survives the end
// of the process. On a disk that takes nothing it returns the reason; the entry then waits
// in memory, as long as there is room, and is written as soon as that is possible. So the
// connection may be served all the same, and must be removed in any case.
//
// Of User-Agent and domain name, which come from strangers, the first kilobyte is kept. An
// entry without an ID, or longer than its kind allows, is refused.
func (j *Journal) Add(e *Entry) error {
	if j == nil {
		return nil
	}
	if err := e.check(); err != nil {
		return fmt.Errorf("add a connection to the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buffer = appendOpened(j.buffer[:0], j.marker, e)
	if err := j.write(j.buffer, addRoom); err != nil {
		return fmt.Errorf("add a connection to the journal: %w", err)
	}
	j.live++
	return nil
}

// Remove says that a connection is over and that everybody who should know has been told.
// It is no error if there is no such connection. As with Add, what a disk does not take
// waits in memory, and the reason is returned. An end for which there was no room will be
// told once more, after the next start.
func (j *Journal) Remove(id string) error {
	if j == nil {
		return nil
	}
	if err := checkID(id); err != nil {
		return fmt.Errorf("remove a connection from the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buffer = appendEnded(j.buffer[:0], j.marker, id)
	if err := j.write(j.buffer, removeRoom); err != nil {
		return fmt.Errorf("remove a connection from the journal: %w", err)
	}
	// The record of the connection is taken to be as long as the others.
	j.dead += int64(len(j.buffer))
	if j.live > 0 {
		j.dead += max(0, j.size-j.dead) / j.live
		j.live--
	}
	j.dead = min(j.dead, j.size)
	if j.wasteful() && !j.compacting {
		j.compacting = true
		j.compaction.Go(j.compact)
	}
	return nil
}

// write appends a record to the file. If the disk takes none, the record joins what waits,
// provided that no more than room waits then.
func (j *Journal) write(record []byte, room int) error {
	if j.closed.Load() {
		return os.ErrClosed
	}
	if j.outage == nil {
		if j.outage = j.put(record); j.outage == nil {
			return nil
		}
		j.retry = time.AfterFunc(retryInterval, j.recover)
	}
	if len(j.waiting)+len(record) <= room {
		j.waiting = append(j.waiting, record...)
	} else {
		j.missed++
	}
	return j.outage
}

// put writes at the end of the file. When it fails, a part may have been written, which
// counts for nothing. It need not be cut off, since it is what the next put begins with:
// that writes what waits, and this is the first of it.
func (j *Journal) put(records []byte) error {
	if _, err := j.file.WriteAt(records, j.size); err != nil {
		return err
	}
	j.size += int64(len(records))
	return nil
}

// recover writes what waits, and tries again later if that is not possible yet.
func (j *Journal) recover() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed.Load() {
		return
	}
	if j.outage = j.put(j.waiting); j.outage != nil {
		j.retry.Reset(retryInterval)
		return
	}
	j.logger.Info("the journal of connections can be written again", "path", j.path, "missed", j.missed)
	j.waiting, j.missed = nil, 0
}

// Close writes what waits, and forces the file to the disk. It returns an error if some of
// it could not be kept. Entries of open connections stay in the file. Add and Remove return
// os.ErrClosed from now on.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	if j.closed.Swap(true) {
		j.mu.Unlock()
		return nil
	}
	var err error
	if j.outage != nil {
		j.retry.Stop()
		err = j.put(j.waiting)
		j.waiting = nil
	}
	j.mu.Unlock()
	j.compaction.Wait()
	if syncErr := j.file.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := j.file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("close the journal of connections: %w", err)
	}
	return nil
}
