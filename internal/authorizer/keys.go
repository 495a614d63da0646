package authorizer

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"sync/atomic"
	"time"

	"penstock/internal/jsontree"
)

// Limits of a key set. A key that does not keep them is as if it were not there.
const (
	maxKeys       = 1000 // that are looked at
	minKeyBits    = 2048
	maxKeyBits    = 8192 // verifying takes time that grows with the square
	maxKeyID      = 1024 // bytes
	maxExponent   = 1<<31 - 1
	maxIssuerJSON = 150_000 // bytes, of a key set and of a discovery document; the service's
)

// A verificationKey is one RSA key of an issuer. It stays the same value from one
// key set to the next as long as the issuer publishes it.
type verificationKey struct {
	public rsa.PublicKey
	// algorithm is the only one the key is for; "" leaves it to the token.
	algorithm string
	// withdrawn is set when a newer key set does not have the key any more. Tokens it
	// has signed are then no longer valid, wherever they are cached.
	withdrawn atomic.Bool
}

func (k *verificationKey) equal(o *verificationKey) bool {
	return k.algorithm == o.algorithm && k.public.E == o.public.E && k.public.N.Cmp(o.public.N) == 0
}

// A keySet is what an issuer published at one moment. It does not change.
type keySet struct {
	keys    map[string]*verificationKey // by kid
	fetched time.Time
}

// age returns how long ago the set was fetched.
func (s *keySet) age(now time.Time) time.Duration { return now.Sub(s.fetched) }

// parseKeys reads a key set. What is not an RSA key for signatures with a kid of its
// own is passed over, and so is a kid that several such keys share: nobody could
// say which of them is meant. A text that is not a key set is an error.
func parseKeys(text string, fetched time.Time) (*keySet, error) {
	root, err := jsontree.Read(text, jsontree.Limits{What: "the key set", Length: maxIssuerJSON, Depth: 8})
	if err != nil {
		return nil, err
	}
	list := root.Member("keys")
	if list == nil || list.Kind != jsontree.List {
		return nil, errors.New("the key set has no list of keys")
	}
	s := &keySet{keys: map[string]*verificationKey{}, fetched: fetched}
	for _, n := range list.Items[:min(len(list.Items), maxKeys)] {
		k := parseKey(n)
		if k == nil {
			continue
		}
		kid := n.Member("kid").Text
		if _, twice := s.keys[kid]; twice {
			k = nil
		}
		s.keys[kid] = k
	}
	for kid, k := range s.keys {
		if k == nil {
			delete(s.keys, kid)
		}
	}
	return s, nil
}

// parseKey reads one key. It returns nil if the key cannot be used.
func parseKey(n *jsontree.Node) *verificationKey {
	if kid, ok := stringMember(n, "kid"); !ok || kid == "" || len(kid) > maxKeyID {
		return nil
	}
	if kty, _ := stringMember(n, "kty"); kty != "RSA" {
		return nil
	}
	if use := n.Member("use"); use != nil && (use.Kind != jsontree.String || use.Text != "sig") {
		return nil
	}
	if operations := n.Member("key_ops"); operations != nil && !hasString(operations, "verify") {
		return nil
	}
	k := &verificationKey{}
	if n.Member("alg") != nil {
		if k.algorithm, _ = stringMember(n, "alg"); methods[k.algorithm] == nil {
			return nil
		}
	}
	modulus, exponent := integerMember(n, "n"), integerMember(n, "e")
	switch {
	case modulus == nil || exponent == nil:
		return nil
	case modulus.BitLen() < minKeyBits || modulus.BitLen() > maxKeyBits || modulus.Bit(0) == 0:
		return nil
	case !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > maxExponent || exponent.Bit(0) == 0:
		return nil
	}
	k.public = rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
	return k
}

// stringMember returns a member that is a string.
func stringMember(n *jsontree.Node, name string) (string, bool) {
	m := n.Member(name)
	if m == nil || m.Kind != jsontree.String {
		return "", false
	}
	return m.Text, true
}

// hasString reports whether a list has a string.
func hasString(list *jsontree.Node, text string) bool {
	if list.Kind != jsontree.List {
		return false
	}
	for _, e := range list.Items {
		if e.Kind == jsontree.String && e.Text == text {
			return true
		}
	}
	return false
}

// integerMember returns a member that is an unsigned integer in base64url, nil if it
// is none.
func integerMember(n *jsontree.Node, name string) *big.Int {
	text, _ := stringMember(n, name)
	b, ok := decodeSegment(text)
	if !ok || len(b) == 0 || len(b) > maxKeyBits/8+1 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}

// inherit takes over the keys that an older set has as well, and withdraws those
// that it alone has. The older set may be nil.
func (s *keySet) inherit(old *keySet) {
	if old == nil {
		return
	}
	for kid, k := range old.keys {
		if mine := s.keys[kid]; mine != nil && mine.equal(k) {
			s.keys[kid] = k
		} else {
			k.withdrawn.Store(true)
		}
	}
}

var segmentEncoding = base64.RawURLEncoding.Strict()

// decodeSegment decodes base64url that is written as an encoder would: without
// padding, line breaks or bits that mean nothing. One text has one meaning, and one
// meaning one text.
func decodeSegment(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, false
	}
	b, err := segmentEncoding.DecodeString(text)
	return b, err == nil
}
