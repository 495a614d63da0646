package store

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// An Entry is a document as engines and backups keep it: with a hash over its
// key, its revision and its content.
//
// Its record is
//
//	hash [32]byte | rev uint64 | data
//
// with all numbers in records big-endian. The key stands beside the record.
type Entry struct {
	Document
	Hash [32]byte
}

// A Link is a commit as engines and backups keep it: with the digest of all
// documents after it. Its hash is
//
//	SHA-256("penstock commit 1\x00" | rev | prevHash | seconds | nanoseconds |
//		actor | number of changes | changes | digest)
//
// where actor and keys are preceded by their length and a change is a 0, its key
// and the hash of its entry if it puts a document, a 1 and its key if it deletes
// one. So the hash of the last commit vouches for every current document and, by
// way of prevHash, for all that led there.
//
// Its record is
//
//	hash [32]byte | prevHash [32]byte | digest [32]byte | rev uint64 |
//	seconds int64 | nanoseconds uint32 | actor length uint32 | actor |
//	number of changes uint32 | for each change:
//		0 uint8 | key length uint32 | key | data length uint32 | data
//	or	1 uint8 | key length uint32 | key
type Link struct {
	Commit
	Digest Digest
}

const (
	opPut    = 0
	opDelete = 1
)

// hashEntry takes the SHA-256 of the data instead of the data, so that large data
// is hashed before its revision is known.
func hashEntry(key string, rev uint64, data [32]byte) [32]byte {
	b := make([]byte, 0, 256)
	b = append(b, "penstock document 1\x00"...)
	b = appendString(b, key)
	b = binary.BigEndian.AppendUint64(b, rev)
	b = append(b, data[:]...)
	return sha256.Sum256(b)
}

// hashLink returns what l.Hash must be. puts holds the hashes of the entries that
// its puts make, in their order.
func hashLink(l *Link, puts [][32]byte) [32]byte {
	b := make([]byte, 0, 512)
	b = append(b, "penstock commit 1\x00"...)
	b = binary.BigEndian.AppendUint64(b, l.Rev)
	b = append(b, l.PrevHash[:]...)
	b = appendTime(b, l.Time)
	b = appendString(b, l.Actor)
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Changes)))
	for _, c := range l.Changes {
		if c.Delete {
			b = append(b, opDelete)
			b = appendString(b, c.Key)
			continue
		}
		b = append(b, opPut)
		b = appendString(b, c.Key)
		b = append(b, puts[0][:]...)
		puts = puts[1:]
	}
	b = append(b, l.Digest[:]...)
	return sha256.Sum256(b)
}

// puts returns the hashes of the entries that the puts of c make.
func (c *Commit) puts() [][32]byte {
	var hashes [][32]byte
	for _, change := range c.Changes {
		if !change.Delete {
			hashes = append(hashes, hashEntry(change.Key, c.Rev, sha256.Sum256(change.Data)))
		}
	}
	return hashes
}

// AppendRecord appends the record of e to b.
func (e Entry) AppendRecord(b []byte) []byte {
	b = slices.Grow(b, len(e.Hash)+8+len(e.Data))
	b = append(b, e.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Rev)
	return append(b, e.Data...)
}

// ParseEntry reads the record of the document with the given key and verifies its
// hash. The entry shares its data with the record. Errors are DamageErrors.
func ParseEntry(key string, record []byte) (Entry, error) {
	var e Entry
	r := reader{rest: record}
	r.hash(&e.Hash)
	e.Key, e.Rev, e.Data = key, r.uint64(), r.rest
	if r.short || key == "" || len(key) > MaxKey || len(e.Data) > MaxData {
		return Entry{}, Damage("the record of document %.80q is malformed", key)
	}
	if hashEntry(key, e.Rev, sha256.Sum256(e.Data)) != e.Hash {
		return Entry{}, Damage("document %.80q does not match its checksum", key)
	}
	return e, nil
}

// AppendRecord appends the record of l to b.
func (l Link) AppendRecord(b []byte) []byte {
	b = slices.Grow(b, l.size())
	b = append(b, l.Hash[:]...)
	b = append(b, l.PrevHash[:]...)
	b = append(b, l.Digest[:]...)
	b = binary.BigEndian.AppendUint64(b, l.Rev)
	b = appendTime(b, l.Time)
	b = appendString(b, l.Actor)
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Changes)))
	for _, c := range l.Changes {
		if c.Delete {
			b = append(b, opDelete)
			b = appendString(b, c.Key)
			continue
		}
		b = append(b, opPut)
		b = appendString(b, c.Key)
		b = binary.BigEndian.AppendUint32(b, uint32(len(c.Data)))
		b = append(b, c.Data...)
	}
	return b
}

// ParseLink reads the record of a commit and verifies its hash. The changes share
// their data with the record. Errors are DamageErrors.
func ParseLink(record []byte) (Link, error) {
	var l Link
	r := reader{rest: record}
	r.hash(&l.Hash)
	r.hash(&l.PrevHash)
	r.hash((*[32]byte)(&l.Digest))
	l.Rev = r.uint64()
	seconds, nanoseconds := int64(r.uint64()), r.uint32()
	l.Time = time.Unix(seconds, int64(nanoseconds)).UTC()
	l.Actor = string(r.bytes(MaxActor))
	n := r.uint32()
	ok := nanoseconds < 1e9 && 0 < n && n <= MaxChanges
	for i := uint32(0); i < n && ok && !r.short; i++ {
		op := r.uint8()
		c := Change{Key: string(r.bytes(MaxKey)), Delete: op == opDelete}
		if op == opPut {
			c.Data = r.bytes(MaxData)
		}
		ok = op <= opDelete && c.Key != ""
		l.Changes = append(l.Changes, c)
	}
	if !ok || r.short || len(r.rest) > 0 {
		return Link{}, Damage("the record of commit %d is malformed", l.Rev)
	}
	if hashLink(&l, l.puts()) != l.Hash {
		return Link{}, Damage("commit %d does not match its hash", l.Rev)
	}
	return l, nil
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// A reader takes the parts of a record off its front. Once something was missing
// or longer than allowed, short is set and every further part is zero.
type reader struct {
	rest  []byte
	short bool
}

// take returns the next n bytes, or nil. The result cannot be appended to in
// place.
func (r *reader) take(n int) []byte {
	if r.short || n > len(r.rest) {
		r.short = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// bytes returns a part that is preceded by its length, of at most limit bytes.
func (r *reader) bytes(limit uint32) []byte {
	n := r.uint32()
	if n > limit {
		r.short = true
	}
	return r.take(int(n))
}

func (r *reader) hash(h *[32]byte) { copy(h[:], r.take(len(h))) }

func (r *reader) uint8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}
