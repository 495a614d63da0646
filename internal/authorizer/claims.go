package authorizer

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/jsontree"
)

// maxNumericDate bounds the times in a token, in seconds since 1970: the year 5138.
const maxNumericDate = 1e11

// claims are what a token says, as far as it decides.
type claims struct {
	object *jsontree.Node
	// Times in microseconds of Unix time. Without the claim notBefore and issuedAt are
	// the beginning of time.
	expires, notBefore, issuedAt int64
	scopes                       []string
}

// checkClaims decides whether a token is of this issuer, for one of the audiences,
// and valid now. There is no tolerance for clocks that differ.
func checkClaims(object *jsontree.Node, issuer string, audience []string, now time.Time) (*claims, error) {
	c := &claims{object: object, notBefore: math.MinInt64, issuedAt: math.MinInt64}
	if iss, ok := stringMember(object, "iss"); !ok || iss != issuer {
		return nil, refusedIssuer
	}
	if !meant(object, audience) {
		return nil, refusedAudience
	}
	exp := object.Member("exp")
	if exp == nil {
		return nil, &failure{refusedExpired, "it does not say when it expires"}
	}
	var ok bool
	if c.expires, ok = numericDate(exp, math.Floor); !ok {
		return nil, malformedToken("exp is not a time")
	}
	if nbf := object.Member("nbf"); nbf != nil {
		if c.notBefore, ok = numericDate(nbf, math.Ceil); !ok {
			return nil, malformedToken("nbf is not a time")
		}
	}
	if iat := object.Member("iat"); iat != nil {
		if c.issuedAt, ok = numericDate(iat, math.Ceil); !ok {
			return nil, malformedToken("iat is not a time")
		}
	}
	switch t := now.UnixMicro(); {
	case c.expires <= t:
		return nil, refusedExpired
	case c.notBefore > t:
		return nil, refusedNotYet
	case c.issuedAt > t:
		return nil, refusedFuture
	}
	c.scopes = tokenScopes(object)
	return c, nil
}

// meant reports whether a token is meant for one of the audiences. The claim
// client_id counts only in a token without aud.
func meant(object *jsontree.Node, audience []string) bool {
	aud := object.Member("aud")
	if aud == nil {
		id, ok := stringMember(object, "client_id")
		return ok && slices.Contains(audience, id)
	}
	switch aud.Kind {
	case jsontree.String:
		return slices.Contains(audience, aud.Text)
	case jsontree.List:
		found := false
		for _, a := range aud.Items {
			if a.Kind != jsontree.String {
				return false
			}
			found = found || slices.Contains(audience, a.Text)
		}
		return found
	}
	return false
}

// numericDate reads a time in seconds, whole or not, as microseconds. What lies
// between two of them is rounded against the caller.
func numericDate(n *jsontree.Node, round func(float64) float64) (micros int64, ok bool) {
	if n.Kind != jsontree.Number || strings.HasPrefix(n.Text, "-") {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || !(seconds <= maxNumericDate) {
		return 0, false
	}
	return int64(round(seconds * 1e6)), true
}

// tokenScopes returns the scopes of a token: those of scp, a list or words in one
// string, and only without it those of scope, words in one string. A claim of
// another type has none.
func tokenScopes(object *jsontree.Node) []string {
	n := object.Member("scp")
	if n == nil {
		if n = object.Member("scope"); n == nil || n.Kind != jsontree.String {
			return nil
		}
	}
	var scopes []string
	switch n.Kind {
	case jsontree.String:
		for word := range strings.SplitSeq(n.Text, " ") {
			if word != "" {
				scopes = append(scopes, word)
			}
		}
	case jsontree.List:
		for _, e := range n.Items {
			if e.Kind == jsontree.String && e.Text != "" {
				scopes = append(scopes, e.Text)
			}
		}
	}
	return scopes
}

// fields returns the claims as events show them, sorted by name. A claim that is
// null is left out.
func (c *claims) fields() []gateway.Field {
	fields := make([]gateway.Field, 0, len(c.object.Items))
	for _, n := range c.object.Items {
		if n.Kind != jsontree.Null {
			fields = append(fields, gateway.Field{Name: n.Name, Value: string(appendClaim(nil, n))})
		}
	}
	slices.SortFunc(fields, func(a, b gateway.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// appendClaim appends a claim as events show it: a list is its elements between
// brackets, with spaces between them and without quotes, and an object is JSON.
func appendClaim(b []byte, n *jsontree.Node) []byte {
	switch n.Kind {
	case jsontree.String, jsontree.Boolean:
		return append(b, n.Text...)
	case jsontree.Number:
		return appendNumber(b, n.Text)
	case jsontree.List:
		b = append(b, '[')
		for i, e := range n.Items {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendClaim(b, e)
		}
		return append(b, ']')
	}
	return appendJSON(b, n)
}

// appendNumber appends an integer as the token has it, with as many digits, and any
// other number as its shortest decimal. Numbers that would be long that way have an
// exponent, as in JSON that Go or JavaScript write. What no float64 can hold stays as
// it is.
func appendNumber(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ".eE") {
		return append(b, text...)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return append(b, text...)
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

// appendJSON appends a value as compact JSON, in the order of the token and with
// numbers as written there.
func appendJSON(b []byte, n *jsontree.Node) []byte {
	switch n.Kind {
	case jsontree.Null:
		return append(b, "null"...)
	case jsontree.String:
		return event.AppendString(b, n.Text)
	case jsontree.Boolean, jsontree.Number:
		return append(b, n.Text...)
	}
	opening, closing := byte('['), byte(']')
	if n.Kind == jsontree.Object {
		opening, closing = '{', '}'
	}
	b = append(b, opening)
	for i, e := range n.Items {
		if i > 0 {
			b = append(b, ',')
		}
		if n.Kind == jsontree.Object {
			b = append(event.AppendString(b, e.Name), ':')
		}
		b = appendJSON(b, e)
	}
	return append(b, closing)
}
