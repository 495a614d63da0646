package authorizer

import (
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"penstock/internal/gateway"
	"penstock/internal/jsontree"
)

// Limits of a token, which keep cheap what a stranger may send.
const (
	maxToken      = 8 << 10 // bytes
	maxTokenDepth = 16      // of lists and objects in its header or claims
)

// methods are the algorithms that tokens may be signed with. The service takes no
// others; source: developer guide, http-api-jwt-authorizer.
var methods = map[string]*jwt.SigningMethodRSA{
	"RS256": jwt.SigningMethodRS256,
	"RS384": jwt.SigningMethodRS384,
	"RS512": jwt.SigningMethodRS512,
}

// knownAlgorithms are those that a refusal may name. Any other text in a token is
// not repeated: it is the caller's, and may be anything.
var knownAlgorithms = map[string]bool{
	"none": true, "HS256": true, "HS384": true, "HS512": true, "ES256": true, "ES384": true, "ES512": true, "ES256K": true,
	"PS256": true, "PS384": true, "PS512": true, "EdDSA": true,
}

// A refusal is why a token is not accepted, in words that the caller and access
// logs may see. It has nothing of the token in it.
type refusal string

func (r refusal) Error() string { return string(r) }

// The refusals, in the order in which they are found.
const (
	refusedMissing    refusal = "token is missing"
	refusedSeveral    refusal = "there is more than one token"
	refusedMalformed  refusal = "token is malformed"
	refusedSegments   refusal = "token contains an invalid number of segments"
	refusedMethod     refusal = "signing method is invalid"
	refusedDiscovery  refusal = "OIDC discovery endpoint communication error"
	refusedKey        refusal = "unable to find a signing key that matches kid"
	refusedSignature  refusal = "crypto/rsa: verification error"
	refusedIssuer     refusal = "the token does not have a valid issuer"
	refusedAudience   refusal = "the token does not have a valid audience"
	refusedExpired    refusal = "the token has expired"
	refusedNotYet     refusal = "the token is not valid yet"
	refusedFuture     refusal = "the token was issued in the future"
	refusedScope      refusal = "the token does not have a required scope"
	insufficientScope         = "insufficient_scope"
	invalidToken              = "invalid_token"
)

// A failure is a refusal with what the operator should know besides, which is
// neither shown to the caller nor has anything of the token in it.
type failure struct {
	refusal
	detail string
}

func (f *failure) Error() string { return string(f.refusal) + ": " + f.detail }

func malformedToken(detail string) error { return &failure{refusedMalformed, detail} }

// refusalOf returns what the caller may know of an error of this file.
func refusalOf(err error) refusal {
	switch e := err.(type) {
	case refusal:
		return e
	case *failure:
		return e.refusal
	}
	return refusedMalformed
}

// A parsedToken is a signed token (JWS, compact form) of which nothing has been
// verified.
type parsedToken struct {
	method    *jwt.SigningMethodRSA
	kid       string
	claims    *jsontree.Node
	signed    string // what the signature is about, part of the token
	signature []byte
}

// parseToken reads
//
//	header "." claims "." signature
//
// each in base64url. The header and the claims are JSON objects, none of whose
// objects has two members of one name. Encrypted tokens have five parts and the JSON
// forms have none; both are refused, as are extensions (crit, b64), which change what
// is signed. Keys in the header, and places of keys, mean nothing.
func parseToken(token string) (*parsedToken, error) {
	if len(token) > maxToken {
		return nil, malformedToken("it is too long")
	}
	header, rest, first := strings.Cut(token, ".")
	claims, signature, second := strings.Cut(rest, ".")
	if !first || !second || strings.Contains(signature, ".") {
		return nil, refusedSegments
	}
	h, err := parseSegment(header, "the header")
	if err != nil {
		return nil, err
	}
	t := &parsedToken{signed: token[:len(token)-len(signature)-1]}
	if t.claims, err = parseSegment(claims, "the claims"); err != nil {
		return nil, err
	}
	var ok bool
	if t.signature, ok = decodeSegment(signature); !ok {
		return nil, malformedToken("the signature is not base64url")
	}
	if h.Member("crit") != nil || h.Member("b64") != nil {
		return nil, malformedToken("the header has crit or b64")
	}
	algorithm, _ := stringMember(h, "alg")
	if t.method = methods[algorithm]; t.method == nil {
		if knownAlgorithms[algorithm] {
			return nil, refusal("signing method " + algorithm + " is invalid")
		}
		return nil, refusedMethod
	}
	t.kid, _ = stringMember(h, "kid")
	if t.kid == "" {
		return nil, refusedKey
	}
	return t, nil
}

// parseSegment reads a JSON object in base64url.
func parseSegment(text, what string) (*jsontree.Node, error) {
	b, ok := decodeSegment(text)
	if !ok {
		return nil, malformedToken(what + ": not base64url")
	}
	n, err := jsontree.Read(string(b), jsontree.Limits{What: what, Length: maxToken, Depth: maxTokenDepth})
	if err != nil || n.Kind != jsontree.Object {
		return nil, malformedToken(what + ": not a JSON object that can be read in one way only")
	}
	return n, nil
}

// verify reports whether a key has signed the token.
func (t *parsedToken) verify(k *verificationKey) error {
	if k.algorithm != "" && k.algorithm != t.method.Name {
		return &failure{refusedSignature, "the key is for another algorithm"}
	}
	if t.method.Verify(t.signed, t.signature, &k.public) != nil {
		return refusedSignature
	}
	return nil
}

// A verifiedToken is a token whose signature and claims have been found good. It
// does not change, and shares no memory with the request that brought it.
type verifiedToken struct {
	key *verificationKey
	// It is valid from start to before end, in microseconds of Unix time.
	start, end int64
	// Identities of the token on a route that asks for no scopes, and on one that does.
	plain, scoped gateway.Identity
	size          int // bytes that it takes, roughly
}

// newVerifiedToken returns a token whose claims are c.
func newVerifiedToken(k *verificationKey, c *claims) *verifiedToken {
	fields := c.fields()
	v := &verifiedToken{key: k, start: max(c.notBefore, c.issuedAt), end: c.expires}
	v.plain.JWT = &gateway.JWTIdentity{Claims: fields, Scopes: c.scopes}
	v.scoped.JWT = &gateway.JWTIdentity{Claims: fields, Scopes: c.scopes, Scoped: true}
	v.size = 512
	for _, f := range fields {
		v.size += 32 + len(f.Name) + len(f.Value)
	}
	for _, s := range c.scopes {
		v.size += 16 + len(s)
	}
	return v
}

// valid reports whether the token still is what it was found to be.
func (v *verifiedToken) valid(now time.Time) bool {
	t := now.UnixMicro()
	return v.start <= t && t < v.end && !v.key.withdrawn.Load()
}
