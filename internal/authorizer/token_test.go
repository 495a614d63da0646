package authorizer

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"penstock/internal/gateway"
	"penstock/internal/issuertest"
)

// FuzzToken: whatever is accepted has one form only, and what is refused says
// nothing that stands in the token.
func FuzzToken(f *testing.F) {
	k := issuertest.RSA("k1", 0)
	key := parseKey(mustClaims(f, string(issuertest.KeySet(k)[len(`{"keys":[`):len(issuertest.KeySet(k))-len(`]}`)])))
	const header = `{"alg":"RS256","kid":"k1"}`
	f.Add(k.Sign("RS256", header, `{"iss":"https://i","aud":["a"],"exp":9e9,"scope":"x","o":{"a":[1.5e3,null]}}`))
	f.Add(k.Sign("RS512", `{"alg":"RS512","kid":"k1","crit":["b64"],"b64":false}`, `{}`))
	f.Add(k.Sign("none", `{"alg":"none"}`, `{"a":1,"a":2}`))
	f.Add("a.b.c.d.e")
	f.Add("..")
	f.Add("")
	f.Add(strings.Repeat(".", 9000))
	f.Add(k.Sign("RS256", header, strings.Repeat("[", 3000)))
	f.Fuzz(func(t *testing.T, token string) {
		p, err := parseToken(token)
		if err != nil {
			r := refusalOf(err)
			if r == "" || !utf8.ValidString(string(r)) || strings.ContainsAny(string(r), "\"\\\r\n") {
				t.Errorf("refusal %q", r)
			}
			return
		}
		if len(token) > maxToken || strings.Count(token, ".") != 2 || strings.ContainsAny(token, "=+/ \r\n\t") {
			t.Errorf("accepted %q", token)
		}
		// The parts, decoded and encoded again, are the token.
		parts := strings.Split(token, ".")
		for n, part := range parts {
			b, ok := decodeSegment(part)
			if !ok {
				t.Fatalf("part %d is not base64url", n)
			}
			parts[n] = base64.RawURLEncoding.EncodeToString(b)
		}
		if again := strings.Join(parts, "."); again != token {
			t.Errorf("%q is also %q", again, token)
		}
		if p.verify(key) == nil && p.signed+"."+base64.RawURLEncoding.EncodeToString(p.signature) != token {
			t.Errorf("signature over %q of %q", p.signed, token)
		}
		c, err := checkClaims(p.claims, "https://i", []string{"a"}, time.Unix(1000, 0))
		if err == nil {
			newVerifiedToken(key, c)
		}
	})
}

// FuzzTokenClaims: claims that are read can be shown, in bounded room.
func FuzzTokenClaims(f *testing.F) {
	f.Add(`{"iss":"https://i","aud":["a"],"exp":9e9,"scope":"x","o":{"a":[1.5e3,null]}}`)
	f.Add(`{"exp":1e400,"nbf":-0,"iat":"1"}`)
	f.Add(`{"n":[1e20,1e-6,123456789012345678901234567890],"s":"\u2028\ud800"}`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseSegment(base64.RawURLEncoding.EncodeToString([]byte(text)), "the claims")
		if err != nil {
			return
		}
		c := &claims{object: n, scopes: tokenScopes(n)}
		size := 0
		for _, field := range c.fields() {
			size += len(field.Name) + len(field.Value)
		}
		if size > 16*len(text) {
			t.Errorf("%d bytes of %q", size, text)
		}
		if checked, err := checkClaims(n, "https://i", []string{"a"}, time.Unix(1000, 0)); err == nil && checked.expires <= 1000*1e6 {
			t.Errorf("valid until %d", checked.expires)
		}
	})
}

func tokenCacheSize(c *tokenCache) (tokens, bytes int) {
	for n := range c.shards {
		s := &c.shards[n]
		s.mu.RLock()
		tokens += len(s.tokens)
		bytes += s.bytes
		if s.order.Len() != len(s.tokens) {
			panic("a token is in the map or in the order, but not in both")
		}
		s.mu.RUnlock()
	}
	return tokens, bytes
}

func TestTokenCache(t *testing.T) {
	t.Parallel()
	c := newTokenCache(2*tokenShards, 10_000*tokenShards)
	v := &verifiedToken{size: 100}
	for n := range 10_000 {
		c.put(1, fmt.Sprint("token ", n), v)
	}
	if n, _ := tokenCacheSize(c); n != 2*tokenShards {
		t.Errorf("%d tokens, want %d", n, 2*tokenShards)
	}
	for n := range 1000 {
		c.put(2, strings.Repeat("x", 9_000)+fmt.Sprint(n), v)
	}
	if _, b := tokenCacheSize(c); b > 10_000*tokenShards {
		t.Errorf("%d bytes", b)
	}
	c.put(3, strings.Repeat("y", 20_000), v)
	if c.get(3, strings.Repeat("y", 20_000)) != nil {
		t.Error("kept what is larger than a shard")
	}

	w := &verifiedToken{size: 100}
	c.put(4, "a", v)
	c.put(4, "a", w)
	if c.get(4, "a") != w || c.get(5, "a") != nil || c.get(4, "b") != nil || c.get(4, "") != nil {
		t.Error("a token is found as another one")
	}
}

// What is used stays when what is not used goes.
func TestTokenCacheKeepsUsed(t *testing.T) {
	t.Parallel()
	c := newTokenCache(4*tokenShards, 1<<20*tokenShards)
	v := &verifiedToken{size: 100}
	c.put(1, "used", v)
	for n := range 5000 {
		if c.get(1, "used") == nil {
			t.Fatalf("gone after %d others", n)
		}
		c.put(1, fmt.Sprint("token ", n), v)
	}
}

func TestTokenCacheConcurrent(t *testing.T) {
	t.Parallel()
	c := newTokenCache(2*tokenShards, 4_000*tokenShards)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 3000 {
				token := fmt.Sprint(n*g%700, "token")
				if v := c.get(1, token); v != nil && v.plain.JWT.Scopes[0] != token {
					t.Errorf("%s is %s", token, v.plain.JWT.Scopes[0])
				}
				c.put(1, token, &verifiedToken{size: n, plain: jwtIdentity(token)})
			}
		})
	}
	all.Wait()
	if n, b := tokenCacheSize(c); n > 2*tokenShards || b > 4_000*tokenShards {
		t.Errorf("%d tokens of %d bytes", n, b)
	}
}

func jwtIdentity(scope string) gateway.Identity {
	return gateway.Identity{JWT: &gateway.JWTIdentity{Scopes: []string{scope}}}
}
