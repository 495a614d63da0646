package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// A backup is one stream, the same for every engine:
//
//	magic "penstock backup\n" | format version uint32 | frames
//
// A frame is
//
//	kind uint8 | length uint64 | payload | SHA-256 of all of this [32]byte
//
// and the frames are, in this order:
//
//	'H'  once: revision uint64 | number of documents uint64
//	'C'  once unless the revision is 0: the record of that commit (see Link)
//	'D'  for each document, sorted by key: key length uint32 | key | record (see Entry)
//	'E'  once: SHA-256 of everything before this frame
//
// with nothing after. The commit is there because its hash vouches for exactly
// these documents, and because the restored store goes on from it.
const (
	backupMagic   = "penstock backup\n"
	backupVersion = 1

	frameHead     = 'H'
	frameCommit   = 'C'
	frameDocument = 'D'
	frameEnd      = 'E'
)

// A Backup is a store at one revision. Only ReadBackup makes one, so that what it
// holds was verified; the zero Backup is that of an empty store.
type Backup struct {
	entries []Entry
	links   []Link // the last commit, or none
}

// Rev returns the revision of the store when the backup was taken.
func (b Backup) Rev() uint64 {
	if len(b.links) == 0 {
		return 0
	}
	return b.links[0].Rev
}

// Entries returns the documents, sorted by key. They must not be modified.
func (b Backup) Entries() []Entry { return b.entries }

// Links returns the last commit, or nothing if there was none. It must not be
// modified.
func (b Backup) Links() []Link { return b.links }

// WriteBackup writes all documents of s, as they are at one revision, to w. What
// is in memory is verified on the way: documents that the commit of that revision
// does not vouch for are not written, and the error is a DamageError.
func WriteBackup(w io.Writer, s Store) error {
	b, err := cut(s)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	f := frameWriter{w: buffered, total: sha256.New()}
	f.write([]byte(backupMagic))
	f.write(binary.BigEndian.AppendUint32(nil, backupVersion))
	head := binary.BigEndian.AppendUint64(nil, b.Rev())
	f.frame(frameHead, binary.BigEndian.AppendUint64(head, uint64(len(b.entries))))
	var record []byte
	for _, l := range b.links {
		record = l.AppendRecord(record[:0])
		f.frame(frameCommit, record)
	}
	for _, e := range b.entries {
		record = e.AppendRecord(appendString(record[:0], e.Key))
		f.frame(frameDocument, record)
	}
	f.frame(frameEnd, f.total.Sum(nil))
	if f.err == nil {
		f.err = buffered.Flush()
	}
	if f.err != nil {
		return fmt.Errorf("write backup: %w", f.err)
	}
	return nil
}

// cut returns all documents of s at one revision. They are listed at a revision
// that is not known; it is that of the commit whose hash vouches for them.
func cut(s Store) (Backup, error) {
	var commits []Commit
	var docs []Document
	var err error
	for range 1000 { // a store that keeps few commits may have dropped it by now
		last := s.Last()
		docs = s.List("")
		if last == 0 && len(docs) == 0 {
			return Backup{}, nil
		}
		commits, err = s.Read(context.Background(), max(last, 1)-1)
		if !errors.Is(err, ErrCompacted) {
			break
		}
	}
	if err != nil {
		return Backup{}, fmt.Errorf("read the last commits: %w", err)
	}
	var b Backup
	var digest Digest
	for _, doc := range docs {
		e := Entry{Document: doc, Hash: hashEntry(doc.Key, doc.Rev, sha256.Sum256(doc.Data))}
		b.entries = append(b.entries, e)
		digest.add(e.Hash)
	}
	for _, c := range commits {
		l := Link{Commit: c, Digest: digest}
		if hashLink(&l, c.puts()) == c.Hash {
			b.links = []Link{l}
			return b, nil
		}
	}
	return Backup{}, Damage("no commit vouches for the documents in memory")
}

type frameWriter struct {
	w     io.Writer
	total hash.Hash // of all that was written
	err   error     // the first one
}

func (f *frameWriter) write(b []byte) {
	f.total.Write(b)
	if f.err == nil {
		_, f.err = f.w.Write(b)
	}
}

func (f *frameWriter) frame(kind byte, payload []byte) {
	head := binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(payload)))
	sum := sha256.New()
	sum.Write(head)
	sum.Write(payload)
	f.write(head)
	f.write(payload)
	f.write(sum.Sum(nil))
}

// ReadBackup reads a backup to the end of r and verifies all of it. What does not
// add up is a DamageError, a backup of another format version an error of its
// own. Memory grows with what is really there, not with what lengths claim.
func ReadBackup(r io.Reader) (Backup, error) {
	b, err := readBackup(&frameReader{r: bufio.NewReaderSize(r, 1<<16), total: sha256.New()})
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = Damage("the backup ends early")
	}
	if damage := (*DamageError)(nil); errors.As(err, &damage) && damage.Remedy == "" {
		damage.Remedy = "use another backup"
	}
	if err != nil {
		return Backup{}, fmt.Errorf("read backup: %w", err)
	}
	return b, nil
}

func readBackup(f *frameReader) (Backup, error) {
	start, err := f.read(uint64(len(backupMagic) + 4))
	if err != nil {
		return Backup{}, err
	}
	if string(start[:len(backupMagic)]) != backupMagic {
		return Backup{}, Damage("this is not a Penstock backup")
	}
	if v := binary.BigEndian.Uint32(start[len(backupMagic):]); v != backupVersion {
		return Backup{}, fmt.Errorf("the backup has format version %d, this Penstock reads version %d: use the Penstock that wrote it", v, backupVersion)
	}
	payload, err := f.frame(frameHead, 16, 16)
	if err != nil {
		return Backup{}, err
	}
	head := reader{rest: payload}
	rev, n := head.uint64(), head.uint64()

	var b Backup
	if rev > 0 {
		if payload, err = f.frame(frameCommit, 0, MaxCommit+16*MaxChanges); err != nil {
			return Backup{}, err
		}
		l, err := ParseLink(payload)
		if err != nil {
			return Backup{}, err
		}
		if l.Rev != rev {
			return Backup{}, Damage("the backup is of revision %d and has commit %d", rev, l.Rev)
		}
		b.links = []Link{l}
	}
	for range n {
		if payload, err = f.frame(frameDocument, 0, MaxData+MaxKey+64); err != nil {
			return Backup{}, err
		}
		doc := reader{rest: payload}
		key := string(doc.bytes(MaxKey))
		e, err := ParseEntry(key, doc.rest)
		if err != nil {
			return Backup{}, err
		}
		b.entries = append(b.entries, e)
	}
	total := f.total.Sum(nil)
	if payload, err = f.frame(frameEnd, sha256.Size, sha256.Size); err != nil {
		return Backup{}, err
	}
	if !bytes.Equal(payload, total) {
		return Backup{}, Damage("the backup does not match its checksum")
	}
	switch _, err := f.r.ReadByte(); {
	case err == nil:
		return Backup{}, Damage("the backup goes on after its end")
	case !errors.Is(err, io.EOF):
		return Backup{}, err
	}
	_, err = NewState(b.entries, b.links)
	return b, err
}

type frameReader struct {
	r     *bufio.Reader
	total hash.Hash // of all that was read
}

// read returns the next n bytes. What it allocates is at most 1 MiB ahead of what
// is really there.
func (f *frameReader) read(n uint64) ([]byte, error) {
	b := make([]byte, min(n, 1<<20))
	m, err := io.ReadFull(f.r, b)
	for err == nil && uint64(m) < n {
		b = append(b, make([]byte, min(n-uint64(m), uint64(m)))...)
		var more int
		more, err = io.ReadFull(f.r, b[m:])
		m += more
	}
	if err != nil {
		return nil, err
	}
	f.total.Write(b)
	return b, nil
}

// frame returns the payload of the next frame, which must be of the given kind and
// have between least and most bytes.
func (f *frameReader) frame(kind byte, least, most uint64) ([]byte, error) {
	head, err := f.read(9)
	if err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint64(head[1:])
	if head[0] != kind || n < least || n > most {
		return nil, Damage("the backup has a frame of kind %q with %d bytes where one of kind %q belongs", head[0], n, kind)
	}
	payload, err := f.read(n)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write(head)
	sum.Write(payload)
	want, err := f.read(sha256.Size)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(want, sum.Sum(nil)) {
		return nil, Damage("a frame of kind %q of the backup does not match its checksum", kind)
	}
	return payload, nil
}
