package authorizer

import (
	"container/list"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds of the cache of verified tokens. They hold for all issuers together: what
// remembers strangers' tokens must have one bound, however many APIs there are. What
// is evicted costs one verification of a signature when it comes again.
const (
	tokenShards    = 64
	maxTokens      = 32768
	maxTokensBytes = 64 << 20
)

// A tokenKey says what a token has been verified for. The number is that of an
// audience, never used again. The token is compared byte by byte: no hash stands for
// it.
type tokenKey struct {
	audience uint64
	token    string
}

// A tokenCache holds tokens that have been verified. Its zero value is not usable.
type tokenCache struct {
	seed   maphash.Seed
	shards [tokenShards]tokenShard
}

// A tokenShard evicts what has not been asked for since the last eviction passed it.
type tokenShard struct {
	mu      sync.RWMutex // guards what follows
	tokens  map[tokenKey]*list.Element
	order   list.List // of *cachedToken, the next to be evicted first
	bytes   int
	maximum int // of tokens
	budget  int // of bytes
}

type cachedToken struct {
	key      tokenKey
	verified *verifiedToken
	size     int
	used     atomic.Bool
}

func newTokenCache(tokens, bytes int) *tokenCache {
	c := &tokenCache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.tokens = map[tokenKey]*list.Element{}
		s.maximum, s.budget = tokens/tokenShards, bytes/tokenShards
	}
	return c
}

// shard returns the place of a token. The end of a token is a signature, as good as
// random: 16 bytes of it spread as well as all.
func (c *tokenCache) shard(token string) *tokenShard {
	return &c.shards[maphash.String(c.seed, token[max(0, len(token)-16):])%tokenShards]
}

// get returns a token that was put, nil if there is none. It may be no longer valid.
func (c *tokenCache) get(audience uint64, token string) *verifiedToken {
	s := c.shard(token)
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.tokens[tokenKey{audience, token}]
	if e == nil {
		return nil
	}
	t := e.Value.(*cachedToken)
	if !t.used.Load() {
		t.used.Store(true)
	}
	return t.verified
}

// put keeps a token, in the place of what was kept under the same key. It makes a
// copy of the text.
func (c *tokenCache) put(audience uint64, token string, v *verifiedToken) {
	t := &cachedToken{key: tokenKey{audience, strings.Clone(token)}, verified: v, size: v.size + len(token)}
	s := c.shard(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.tokens[t.key]; e != nil {
		s.remove(e)
	}
	if t.size > s.budget {
		return
	}
	for len(s.tokens) >= s.maximum || s.bytes+t.size > s.budget {
		s.evict()
	}
	s.tokens[t.key] = s.order.PushBack(t)
	s.bytes += t.size
}

// evict removes the first token that was not used since it was passed over; nobody
// can use one meanwhile. The caller holds mu.
func (s *tokenShard) evict() {
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		if !e.Value.(*cachedToken).used.Swap(false) {
			s.remove(e)
			return
		}
		s.order.MoveToBack(e)
	}
}

func (s *tokenShard) remove(e *list.Element) {
	t := s.order.Remove(e).(*cachedToken)
	delete(s.tokens, t.key)
	s.bytes -= t.size
}
