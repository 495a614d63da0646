package function

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// An entropy has random bytes in stock: one read serves many IDs. No byte is given
// twice.
type entropy struct {
	bytes [512]byte
	next  int
}

var entropies = sync.Pool{New: func() any { return &entropy{next: len(entropy{}.bytes)} }}

// random fills b, which is short, with random bytes.
func random(b []byte) {
	e := entropies.Get().(*entropy)
	if len(e.bytes)-e.next < len(b) {
		rand.Read(e.bytes[:]) // never fails
		e.next = 0
	}
	taken := e.bytes[e.next : e.next+len(b)]
	copy(b, taken)
	clear(taken)
	e.next += len(b)
	entropies.Put(e)
}

// newUUID returns a random UUID: the ID of a request or of a revision.
func newUUID() string {
	var id [16]byte
	random(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// newTraceID returns the value of X-Amzn-Trace-Id for a call that has none:
//
//	Root=1-{seconds since 1970}-{96 random bits}
func newTraceID(now time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint32(id[:4], uint32(now.Unix()))
	random(id[4:])
	text := [len("Root=1-") + 8 + 1 + 24]byte{}
	copy(text[:], "Root=1-")
	hex.Encode(text[7:15], id[:4])
	text[15] = '-'
	hex.Encode(text[16:], id[4:])
	return string(text[:])
}
