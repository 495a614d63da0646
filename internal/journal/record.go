package journal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
	"unicode/utf8"
)

// A file begins with magic and a marker. Records follow, each
//
//	marker  length of the payload  payload  CRC-32C of all before
//	4       4                      1…65536  4 bytes
//
// and numbers are little-endian. The marker is random, another one for each file: behind
// damage it tells where a record begins, and no stranger can put one into the texts of an
// entry. The magic is for people; nothing depends on it.
const (
	magic      = "PsJrnl1\n"
	markerSize = 4
	headerSize = int64(len(magic) + markerSize)
	// recordHead and recordTail are what goes before and after a payload.
	recordHead = markerSize + 4
	recordTail = 4
	maxPayload = 64 << 10
	maxRecord  = recordHead + maxPayload + recordTail
)

// The first byte of a payload says of which kind it is. Records of other kinds are skipped,
// as is what follows the fields that are known.
const (
	opened = 1 // and the fields of an Entry
	ended  = 2 // and the ID
)

const (
	// maxName is how long an ID and other names may be that nobody but ourselves chooses.
	maxName = 255
	// maxText is how much is kept of the texts of strangers.
	maxText = 1 << 10
	// maxExtra is how much Extra may be: an entry fits a record even if all else is as
	// long as it may be.
	maxExtra = maxPayload - 4<<10
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errNoID    = errors.New("there is no ID")
	errShort   = errors.New("the record ends too early")
)

// An Entry says of one connection what its end has to be told with.
type Entry struct {
	// ID, API, Stage and SourceIP have at most 255 bytes each. ID is not empty.
	ID, API, Stage string
	// DomainName is the host that the client asked for. The first 1024 bytes are kept.
	DomainName string
	SourceIP   string
	UserAgent  string // the first 1024 bytes are kept
	// ConnectedAt is kept in microseconds, and comes back in UTC.
	ConnectedAt time.Time
	// Extra is whatever the owner of the connection wants to find here again, at most
	// 61440 bytes. Empty comes back as nil.
	Extra []byte
}

// check returns an error if the entry cannot be kept.
func (e *Entry) check() error {
	if err := checkID(e.ID); err != nil {
		return err
	}
	for _, n := range [...]struct{ name, value string }{{"API", e.API}, {"stage", e.Stage}, {"source IP", e.SourceIP}} {
		if len(n.value) > maxName {
			return fmt.Errorf("%s: %d bytes are more than %d", n.name, len(n.value), maxName)
		}
	}
	if len(e.Extra) > maxExtra {
		return fmt.Errorf("extra: %d bytes are more than %d", len(e.Extra), maxExtra)
	}
	return nil
}

// checkID returns an error if no entry can have the ID.
func checkID(id string) error {
	switch {
	case id == "":
		return errNoID
	case len(id) > maxName:
		return fmt.Errorf("ID: %d bytes are more than %d", len(id), maxName)
	}
	return nil
}

// A marker is what all records of a file begin with.
type marker [markerSize]byte

// newMarker returns a random marker. It has no zero byte, as zeros are what damage looks
// like most often.
func newMarker() (m marker) {
	for bytes.IndexByte(m[:], 0) >= 0 {
		rand.Read(m[:])
	}
	return m
}

// appendHeader appends what a file begins with.
func appendHeader(b []byte, m marker) []byte {
	return append(append(b, magic...), m[:]...)
}

// appendOpened appends the record of a connection that is open. Its entry was checked.
func appendOpened(b []byte, m marker, e *Entry) []byte {
	start := len(b)
	b = begin(b, m, opened)
	b = appendText(b, e.ID)
	b = appendText(b, e.API)
	b = appendText(b, e.Stage)
	b = appendText(b, cut(e.DomainName))
	b = appendText(b, e.SourceIP)
	b = appendText(b, cut(e.UserAgent))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.ConnectedAt.UnixMicro()))
	b = binary.AppendUvarint(b, uint64(len(e.Extra)))
	b = append(b, e.Extra...)
	return finish(b, start)
}

// appendEnded appends the record of a connection that is over.
func appendEnded(b []byte, m marker, id string) []byte {
	start := len(b)
	return finish(appendText(begin(b, m, ended), id), start)
}

// begin appends what goes before the fields of a record.
func begin(b []byte, m marker, kind byte) []byte {
	b = append(b, m[:]...)
	return append(b, 0, 0, 0, 0, kind)
}

// finish completes the record that begins at start.
func finish(b []byte, start int) []byte {
	record := b[start:]
	binary.LittleEndian.PutUint32(record[markerSize:], uint32(len(record)-recordHead))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, castagnoli))
}

// appendText appends a text and before it its length.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cut returns what is kept of the text of a stranger. A character is not cut in two.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > maxText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// recordLength returns how long the record is that b begins with, according to its head,
// and 0 if b does not begin with a record. b has at least a head.
func recordLength(b []byte, m marker) int {
	if marker(b) != m {
		return 0
	}
	n := binary.LittleEndian.Uint32(b[markerSize:])
	if n == 0 || n > maxPayload {
		return 0
	}
	return recordHead + int(n) + recordTail
}

// intact reports whether a record, which has the length of its head, is as it was written.
func intact(record []byte) bool {
	end := len(record) - recordTail
	return crc32.Checksum(record[:end], castagnoli) == binary.LittleEndian.Uint32(record[end:])
}

// recordID returns the kind of a record and the ID of its connection, which is a part of
// the record. The ID is nil if there is none, or if the kind is unknown.
func recordID(record []byte) (kind byte, id []byte) {
	kind = record[recordHead]
	if kind != opened && kind != ended {
		return kind, nil
	}
	f := fields{rest: record[recordHead+1 : len(record)-recordTail]}
	if id = f.bytes(); f.err != nil || len(id) == 0 {
		return kind, nil
	}
	return kind, id
}

// parseOpened returns the entry of a record of a connection that is open.
func parseOpened(record []byte) (e Entry, err error) {
	f := fields{rest: record[recordHead+1 : len(record)-recordTail]}
	// One piece of memory has all texts.
	f.all = string(f.rest)
	e = Entry{ID: f.text(), API: f.text(), Stage: f.text(), DomainName: f.text(), SourceIP: f.text(), UserAgent: f.text()}
	if t := f.take(8); f.err == nil {
		e.ConnectedAt = time.UnixMicro(int64(binary.LittleEndian.Uint64(t))).UTC()
	}
	e.Extra = append(e.Extra, f.bytes()...)
	if f.err != nil {
		return Entry{}, f.err
	}
	return e, checkID(e.ID)
}

// fields reads the fields of a payload. After an error it reads nothing.
type fields struct {
	all  string // the same bytes as rest had at first, if texts are read
	rest []byte
	err  error
}

// take returns the next n bytes.
func (f *fields) take(n uint64) []byte {
	if f.err != nil || n > uint64(len(f.rest)) {
		f.err = errShort
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

// bytes returns a field that has its length before it.
func (f *fields) bytes() []byte {
	n, size := binary.Uvarint(f.rest)
	if f.err != nil || size <= 0 {
		f.err = errShort
		return nil
	}
	f.rest = f.rest[size:]
	return f.take(n)
}

// text returns a field that has its length before it.
func (f *fields) text() string {
	n := len(f.bytes())
	end := len(f.all) - len(f.rest)
	return f.all[end-n : end]
}
