package sigv4

import (
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
)

// Keys keeps what signing takes and is the same for many requests: the keys that are
// derived from secrets for a day, a region and a service. It may be used by any number of
// goroutines, and by Signers of any credentials. The zero Keys is empty.
type Keys struct {
	mu   sync.RWMutex // guards keys
	keys map[keyFor]*macKey
	last atomic.Pointer[stamp]
}

// A keyFor is what a key depends on.
type keyFor struct {
	secret string
	scope  scope
}

// A stamp is a second in the form of X-Amz-Date.
type stamp struct {
	second int64
	text   string
}

// get returns the key for a scope. A nil Keys derives it each time. There are at most
// maxKeys, all of which go when there is one more: yesterday's are of no use.
func (k *Keys) get(secret string, s scope) *macKey {
	if k == nil {
		return newMACKey(signingKey(secret, s))
	}
	k.mu.RLock()
	key := k.keys[keyFor{secret, s}]
	k.mu.RUnlock()
	if key != nil {
		return key
	}
	key = newMACKey(signingKey(secret, s))
	// What is kept must not hold on to memory that is reused.
	s = scope{strings.Clone(s.date), strings.Clone(s.region), strings.Clone(s.service)}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil || len(k.keys) >= maxKeys {
		k.keys = map[keyFor]*macKey{}
	}
	k.keys[keyFor{strings.Clone(secret), s}] = key
	return key
}

// A macKey is a key of HMAC-SHA256 (RFC 2104) in the two forms that it is used in: a block
// in front of the message, and one in front of the hash of both.
type macKey struct{ inner, outer [sha256.BlockSize]byte }

// newMACKey prepares a key that is no longer than a block.
func newMACKey(key []byte) *macKey {
	k := new(macKey)
	copy(k.inner[:], key)
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum returns the code of a message, which is rarely longer than what it has room for
// without an allocation.
func (k *macKey) sum(message []byte) [sha256.Size]byte {
	var room [512]byte
	b := append(room[:0], k.inner[:]...)
	inner := sha256.Sum256(append(b, message...))
	b = append(room[:0], k.outer[:]...)
	return sha256.Sum256(append(b, inner[:]...))
}
