package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"sync"

	// The hashes of the algorithms.
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// A Key signs tokens and is published by an issuer. It is not changed while an issuer
// has it.
type Key struct {
	ID string
	// Extra replaces members of the published key; nil values remove one.
	Extra map[string]any

	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

// pool are keys that all tests share, since making one takes long. A test must not
// expect others not to know them.
var pool [4]func() *rsa.PrivateKey

var (
	weak = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(1024) })
	ec   = sync.OnceValue(func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return k
	})
)

func init() {
	for n := range pool {
		pool[n] = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	}
}

func newRSA(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	must(err)
	return k
}

// must panics: what it guards fails only if this package is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// RSA returns a key of 2048 bits. Those with another number, of which there are
// four, are other keys.
func RSA(id string, number int) *Key { return &Key{ID: id, rsa: pool[number]()} }

// Weak returns an RSA key of 1024 bits.
func Weak(id string) *Key { return &Key{ID: id, rsa: weak()} }

// EC returns a key on the curve P-256.
func EC(id string) *Key { return &Key{ID: id, ec: ec()} }

// With returns a key that is the same but for members of its published form.
func (k *Key) With(extra map[string]any) *Key {
	c := *k
	c.Extra = extra
	return &c
}

// Public returns the published form of a key.
func (k *Key) Public() map[string]any {
	m := map[string]any{"kid": k.ID, "use": "sig"}
	if k.ec != nil {
		point, err := k.ec.PublicKey.Bytes()
		must(err)
		m["kty"], m["crv"] = "EC", "P-256"
		m["x"], m["y"] = encode(point[1:33]), encode(point[33:])
	} else {
		m["kty"], m["n"], m["e"] = "RSA", encode(k.rsa.N.Bytes()), encode(big.NewInt(int64(k.rsa.E)).Bytes())
	}
	maps.Copy(m, k.Extra)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

// PEM returns the public part of an RSA key, which those who confuse algorithms take
// for a secret.
func (k *Key) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// KeySet returns the published form of several keys.
func KeySet(keys ...*Key) []byte {
	set := make([]any, len(keys))
	for n, k := range keys {
		set[n] = k.Public()
	}
	b, err := json.Marshal(map[string]any{"keys": set})
	must(err)
	return b
}

// Token returns a token with these claims, signed by the first key with RS256. The
// issuer is added where the claims do not have it.
func (i *Issuer) Token(claims map[string]any) string {
	i.mu.Lock()
	k := i.keys[0]
	i.mu.Unlock()
	return i.TokenBy(k, "RS256", claims)
}

// TokenBy is like Token with another key or algorithm, right or wrong: RS, PS, ES256,
// HS (whose secret is the public key) and anything else, which leaves the signature
// empty.
func (i *Issuer) TokenBy(k *Key, algorithm string, claims map[string]any) string {
	all := map[string]any{"iss": i.URL}
	maps.Copy(all, claims)
	header, err := json.Marshal(map[string]any{"alg": algorithm, "kid": k.ID, "typ": "JWT"})
	must(err)
	text, err := json.Marshal(all)
	must(err)
	return k.Sign(algorithm, string(header), string(text))
}

// Sign returns a token of a header and claims, which need not be JSON.
func (k *Key) Sign(algorithm, header, claims string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	return signed + "." + encode(k.Signature(algorithm, signed))
}

// Signature signs a text. It is empty for an algorithm that nobody knows.
func (k *Key) Signature(algorithm, text string) []byte {
	hash, ok := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[min(2, len(algorithm)):]]
	if !ok {
		return nil
	}
	h := hash.New()
	h.Write([]byte(text))
	digest := h.Sum(nil)
	var (
		signature []byte
		err       error
	)
	switch algorithm[:2] {
	case "RS":
		signature, err = rsa.SignPKCS1v15(nil, k.rsa, hash, digest)
	case "PS":
		signature, err = rsa.SignPSS(rand.Reader, k.rsa, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "ES":
		signature, err = k.signEC(digest)
	case "HS":
		mac := hmac.New(hash.New, k.PEM())
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	}
	must(err)
	return signature
}

// signEC returns both numbers of a signature, of 32 bytes each.
func (k *Key) signEC(digest []byte) ([]byte, error) {
	if k.ec == nil {
		return nil, fmt.Errorf("key %q is not on a curve", k.ID)
	}
	r, s, err := ecdsa.Sign(rand.Reader, k.ec, digest)
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
