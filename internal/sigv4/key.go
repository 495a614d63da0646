package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
)

// A scope is what a signing key is good for: a day, a region and a service.
type scope struct {
	date, region, service string
}

// append appends the scope as it stands in a credential.
func (s scope) append(b []byte) []byte {
	for _, part := range []string{s.date, s.region, s.service} {
		b = append(b, part...)
		b = append(b, '/')
	}
	return append(b, terminator...)
}

func hmacSHA256(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// signingKey derives the key for a scope.
func signingKey(secret string, s scope) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = hmacSHA256(key, []byte(part))
	}
	return key
}

// maxKeys bounds a keyCache. It is far more than the credentials and regions that
// are in use on a day; a caller who names many regions costs others one
// derivation, some microseconds.
const maxKeys = 1024

// A keyCache holds signing keys, which are the same all day.
type keyCache struct {
	mu   sync.Mutex // guards keys
	keys map[keyOwner]cachedKey
}

type keyOwner struct {
	accessKeyID string
	scope       scope
}

type cachedKey struct {
	secret string
	key    []byte
}

// get returns the signing key of a credential. A cached key counts only if it was
// derived from the same secret, so that a new secret holds at once.
func (c *keyCache) get(credential Credential, s scope) []byte {
	owner := keyOwner{credential.AccessKeyID, s}
	c.mu.Lock()
	cached, ok := c.keys[owner]
	c.mu.Unlock()
	if ok && hmac.Equal([]byte(cached.secret), []byte(credential.SecretAccessKey)) {
		return cached.key
	}
	key := signingKey(credential.SecretAccessKey, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxKeys {
		c.keys = make(map[keyOwner]cachedKey)
	}
	// What a request says may lie in memory that is reused when it is answered.
	owner.accessKeyID = strings.Clone(owner.accessKeyID)
	owner.scope = scope{strings.Clone(s.date), strings.Clone(s.region), strings.Clone(s.service)}
	c.keys[owner] = cachedKey{credential.SecretAccessKey, key}
	return key
}
