// Package authorizer decides whether exchanges may go on: by a token that an issuer
// has signed (JWT), by a function (Lambda), or by the signature of the request (IAM).
// An authorizer is compiled with the route that has it. What it learns outlives the
// snapshot, in a value that all authorizers of its kind share:
//
//	issuers := authorizer.NewIssuers(authorizer.IssuersConfig{DialContext: client.DialContext})
//	defer issuers.Close()
//	a, err := authorizer.NewJWT(issuers, authorizer.JWTSpec{
//		Source:   "$request.header.Authorization",
//		Issuer:   "https://login.example.com/",
//		Audience: []string{"pets"},
//		Scopes:   []string{"pets/read"},
//	})
//
// What cannot be decided is denied. Refusals say why in words of their own, and never
// repeat what the caller sent.
package authorizer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"penstock/internal/gateway"
)

// A JWTSpec describes a JWT authorizer on one route.
type JWTSpec struct {
	// Source is where the token is: $request.header.NAME or $request.querystring.NAME.
	Source string
	Issuer string
	// Audience lists those of whom the token must be meant for one.
	Audience []string
	// Scopes are those of which the token must have one. Without any, the route asks
	// for no scopes.
	Scopes []string
}

// A JWT lets through exchanges that bring a token which its issuer has signed.
type JWT struct {
	source   tokenSource
	audience *audience
	scopes   []string
	// challenge is that of a refusal, up to the kind of error.
	challenge string
}

// NewJWT makes the authorizer of one route. It does not ask the issuer.
func NewJWT(issuers *Issuers, spec JWTSpec) (*JWT, error) {
	source, err := parseTokenSource(spec.Source)
	if err != nil {
		return nil, err
	}
	if err := checkURL(spec.Issuer); err != nil {
		return nil, fmt.Errorf("issuer %q: %w", spec.Issuer, err)
	}
	if len(spec.Audience) == 0 || slices.Contains(spec.Audience, "") {
		return nil, errors.New("the audience is empty")
	}
	return &JWT{
		source:    source,
		audience:  issuers.audience(spec.Issuer, spec.Audience),
		scopes:    slices.Clone(spec.Scopes),
		challenge: `Bearer scope="` + quotable(strings.Join(spec.Scopes, " ")) + `" error="`,
	}, nil
}

// quotable makes a text fit between the quotes of a header field.
func quotable(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ' || r > '~':
			r = '?'
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// errMissing answers an exchange without a token, which is told no more than what to
// bring.
var errMissing = gateway.Unauthorized("Bearer", refusedMissing)

// Authorize lets x through if it brings a valid token: the same one is verified once,
// and then taken from the cache until it expires or its key is withdrawn. It waits
// for the issuer only if the key is not known, and no longer than that may take.
func (j *JWT) Authorize(x *gateway.Exchange) error {
	token, err := j.source.token(&x.Request)
	if err != nil {
		return j.refuse(x, err)
	}
	v, err := j.audience.verify(x.Context, token)
	if err != nil {
		return j.refuse(x, err)
	}
	if len(j.scopes) == 0 {
		x.Identity = &v.plain
		return nil
	}
	for _, scope := range v.scoped.JWT.Scopes {
		if slices.Contains(j.scopes, scope) {
			x.Identity = &v.scoped
			return nil
		}
	}
	x.AuthorizerError = string(refusedScope)
	return gateway.Forbidden(j.challengeOf(insufficientScope, refusedScope), refusedScope)
}

// refuse answers an exchange without a valid token.
func (j *JWT) refuse(x *gateway.Exchange, err error) error {
	r := refusalOf(err)
	x.AuthorizerError = string(r)
	if r == refusedMissing {
		return errMissing
	}
	return gateway.Unauthorized(j.challengeOf(invalidToken, r), err)
}

func (j *JWT) challengeOf(kind string, r refusal) string {
	return j.challenge + kind + `" error_description="` + string(r) + `"`
}

// A tokenSource is where a request has its token.
type tokenSource struct {
	header bool // a query parameter otherwise
	name   string
}

func parseTokenSource(text string) (tokenSource, error) {
	s := tokenSource{}
	var found bool
	if s.name, found = strings.CutPrefix(text, "$request.header."); found {
		s.header = true
	} else if s.name, found = strings.CutPrefix(text, "$request.querystring."); !found {
		return s, fmt.Errorf("identity source %q is neither $request.header.NAME nor $request.querystring.NAME", text)
	}
	if s.name == "" {
		return s, fmt.Errorf("identity source %q has no name", text)
	}
	return s, nil
}

// token returns the token of a request, without the scheme before it. A request with
// several is refused: the backend might look at another one than was verified.
func (s tokenSource) token(r *gateway.Request) (string, error) {
	value, err := s.value(r)
	if err != nil {
		return "", err
	}
	const scheme = "Bearer "
	if len(value) >= len(scheme) && gateway.EqualFold(value[:len(scheme)], scheme) {
		value = value[len(scheme):]
	} else if gateway.EqualFold(value, scheme[:len(scheme)-1]) {
		value = ""
	}
	if value == "" {
		return "", refusedMissing
	}
	return value, nil
}

func (s tokenSource) value(r *gateway.Request) (value string, err error) {
	if !s.header {
		return s.parameter(r.Query)
	}
	n := 0
	for i := range r.Header {
		if f := &r.Header[i]; gateway.EqualFold(f.Name, s.name) {
			value = f.Value
			n++
		}
	}
	if n > 1 {
		return "", refusedSeveral
	}
	return value, nil
}

// parameter returns the value of the parameter in a query. Names and values are
// decoded once; a parameter whose name cannot be decoded is another one.
func (s tokenSource) parameter(query string) (value string, err error) {
	n := 0
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, escaped, _ := strings.Cut(pair, "=")
		if name != s.name {
			if !strings.ContainsAny(name, "%+") {
				continue
			}
			if decoded, err := url.QueryUnescape(name); err != nil || decoded != s.name {
				continue
			}
		}
		n++
		if n > 1 {
			return "", refusedSeveral
		}
		if value, err = url.QueryUnescape(escaped); err != nil {
			err = malformedToken("the query parameter has a bad escape")
		}
	}
	return value, err
}
