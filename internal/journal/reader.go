package journal

import (
	"bufio"
	"bytes"
	"io"
)

const (
	readBuffer = 256 << 10
	// maxMisses is how often damaged bytes are searched for the next record in one file.
	// Damage by accident has no markers in it, so this only bounds the work.
	maxMisses = 10_000
)

// A reader reads the records of a file and skips what is no record.
type reader struct {
	in     *bufio.Reader
	marker marker
	at     int64 // where the current record begins
	record []byte
	misses int
}

// newReader returns a reader of what the file has between two offsets.
func newReader(file io.ReaderAt, from, to int64, m marker) *reader {
	return &reader{in: bufio.NewReaderSize(io.NewSectionReader(file, from, to-from), readBuffer), marker: m, at: from}
}

// next reads the next record, and reports whether there is one. Its bytes are valid until
// the next call. The error is never io.EOF.
func (r *reader) next() (bool, error) {
	r.skip(len(r.record))
	for {
		var err error
		if r.record, err = r.peek(); r.record != nil || err != nil {
			return r.record != nil, err
		}
		if r.misses++; r.misses > maxMisses {
			return false, nil
		}
		// The next record begins with the next marker, half of which may have been read.
		b, _ := r.in.Peek(r.in.Buffered())
		switch i := 0; {
		case len(b) == 0:
			return false, nil
		case len(b) < markerSize:
			r.skip(len(b))
		default:
			if i = bytes.Index(b[1:], r.marker[:]); i >= 0 {
				r.skip(1 + i)
			} else {
				r.skip(len(b) - (markerSize - 1))
			}
		}
	}
}

// skip passes over bytes that have been read.
func (r *reader) skip(n int) {
	n, _ = r.in.Discard(n)
	r.at += int64(n)
}

// peek returns the record that comes now, nil if none does.
func (r *reader) peek() ([]byte, error) {
	b, err := r.in.Peek(recordHead)
	if err == nil {
		n := recordLength(b, r.marker)
		if n == 0 {
			return nil, nil
		}
		if b, err = r.in.Peek(n); err == nil {
			if intact(b) {
				return b, nil
			}
			return nil, nil
		}
	}
	if err == io.EOF {
		return nil, nil
	}
	return nil, err
}

// readMarker returns the marker of a file. The first record has it once more, should the
// header be damaged; then repair is true. It returns false for a file without a marker.
func readMarker(file io.ReaderAt, length int64) (m marker, repair, ok bool) {
	var header [headerSize + markerSize]byte
	n, _ := file.ReadAt(header[:min(length, int64(len(header)))], 0)
	if int64(n) < headerSize {
		return m, false, false
	}
	m = marker(header[len(magic):])
	repair = string(header[:len(magic)]) != magic
	if first := marker(header[headerSize:]); first != m {
		if b, _ := newReader(file, headerSize, length, first).peek(); b != nil {
			return first, true, true
		}
	}
	return m, repair, true
}

// A survey is what a file has, without the entries themselves.
type survey struct {
	marker marker
	// live says where the records of the open connections begin.
	live map[string]int64
	// end is where the last record ends, 0 if the file has not even a header.
	end int64
	// damaged is how many bytes before end are no record.
	damaged int64
	// repair says that the file needs to be written anew, whatever its size.
	repair bool
}

// examine reads the file up to an offset. With an error, the survey is one of what was read
// before.
func examine(file io.ReaderAt, length int64) (s survey, err error) {
	m, repair, ok := readMarker(file, length)
	if !ok {
		return s, nil
	}
	s = survey{marker: m, repair: repair}
	err = s.examine(file, length)
	return s, err
}

// examine reads the records of the file up to an offset.
func (s *survey) examine(file io.ReaderAt, length int64) error {
	s.live, s.end = make(map[string]int64), headerSize
	r := newReader(file, headerSize, length, s.marker)
	for {
		ok, err := r.next()
		if !ok {
			s.repair = s.repair || s.damaged > 0
			return err
		}
		s.damaged += r.at - s.end
		s.end = r.at + int64(len(r.record))
		switch kind, id := recordID(r.record); {
		case id == nil: // of a kind that is not known
		case kind == opened:
			s.live[string(id)] = r.at
		case kind == ended:
			delete(s.live, string(id))
		}
	}
}

// each calls f with the records of the connections that are open, in the order of the file,
// until it returns an error.
func (s *survey) each(file io.ReaderAt, f func(record []byte) error) error {
	r := newReader(file, headerSize, s.end, s.marker)
	for {
		ok, err := r.next()
		if !ok {
			return err
		}
		kind, id := recordID(r.record)
		if at, live := s.live[string(id)]; !live || kind != opened || at != r.at {
			continue
		}
		if err := f(r.record); err != nil {
			return err
		}
	}
}

// entries returns the connections that are open, and how many bytes of the file they take.
func (s *survey) entries(file io.ReaderAt) (open []Entry, size int64) {
	if len(s.live) == 0 {
		return nil, 0
	}
	open = make([]Entry, 0, len(s.live))
	// What could be read once can be read again; what cannot is missing.
	_ = s.each(file, func(record []byte) error {
		if e, err := parseOpened(record); err == nil {
			open = append(open, e)
			size += int64(len(record))
		}
		return nil
	})
	return open, size
}
