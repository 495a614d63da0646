package authorizer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/issuertest"
)

// A jwtClock is a clock that only tests move.
type jwtClock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *jwtClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *jwtClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// jwtNow is the time at which tests of tokens begin.
const jwtNow = 1_800_000_000

// A jwtFixture is an issuer, and an authorizer for its tokens.
type jwtFixture struct {
	*issuertest.Issuer
	clock   *jwtClock
	issuers *Issuers
	jwt     *JWT
}

// newJWTFixture makes an authorizer with the audience aud1 and these scopes.
func newJWTFixture(t testing.TB, scopes ...string) *jwtFixture {
	t.Helper()
	f := &jwtFixture{Issuer: issuertest.New(t), clock: &jwtClock{now: time.Unix(jwtNow, 0)}}
	f.issuers = NewIssuers(IssuersConfig{Now: f.clock.Now})
	t.Cleanup(f.issuers.Close)
	f.jwt = f.authorizer(t, "$request.header.Authorization", scopes...)
	return f
}

func (f *jwtFixture) authorizer(t testing.TB, source string, scopes ...string) *JWT {
	t.Helper()
	j, err := NewJWT(f.issuers, JWTSpec{Source: source, Issuer: f.URL, Audience: []string{"aud1"}, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// claims returns those of a good token with changes; nil values remove a claim.
func (f *jwtFixture) claims(changes map[string]any) map[string]any {
	c := map[string]any{"iss": f.URL, "aud": "aud1", "sub": "ada", "exp": jwtNow + 24*3600}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func (f *jwtFixture) good(changes map[string]any) string { return f.Token(f.claims(changes)) }

// jwtExchange returns an exchange with values of Authorization.
func jwtExchange(values ...string) *gateway.Exchange {
	x := &gateway.Exchange{}
	x.Request.Header = []gateway.Field{{Name: "Host", Value: "api.example.com"}}
	for _, v := range values {
		x.Request.Header = append(x.Request.Header, gateway.Field{Name: "authorization", Value: v})
	}
	return x
}

// jwtOutcome says in one line how an exchange fared: ok, or status and challenge.
func jwtOutcome(t testing.TB, a gateway.Authorizer, x *gateway.Exchange) string {
	t.Helper()
	err := a.Authorize(x)
	if err == nil {
		if x.Identity == nil || x.Identity.JWT == nil || x.AuthorizerError != "" {
			t.Errorf("let through with identity %v and error %q", x.Identity, x.AuthorizerError)
		}
		return "ok"
	}
	var e *gateway.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an error of the gateway: %v", err)
	}
	if x.Identity != nil || x.AuthorizerError == "" {
		t.Errorf("refused with identity %v and error %q", x.Identity, x.AuthorizerError)
	}
	return fmt.Sprint(e.Status, " ", e.Challenge)
}

// denial is the outcome of a refusal on a route without scopes.
func denial(text refusal) string {
	return `401 Bearer scope="" error="invalid_token" error_description="` + string(text) + `"`
}

func TestJWT(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	for _, tt := range []struct {
		name  string
		value string
		want  string
	}{
		{"good", "Bearer " + f.good(nil), "ok"},
		{"the scheme in another case", "bEARER " + f.good(nil), "ok"},
		{"no scheme", f.good(nil), "ok"},
		{"the scheme twice", "Bearer Bearer " + f.good(nil), denial(refusedMalformed)},
		{"another scheme", "Basic dXNlcjpwYXNz", denial(refusedSegments)},
		{"empty", "", "401 Bearer"},
		{"a scheme alone", "Bearer", "401 Bearer"},
		{"a scheme and a space", "Bearer ", "401 Bearer"},
		{"not a token", "token", denial(refusedSegments)},
		{"four parts", f.good(nil) + ".x", denial(refusedSegments)},
		{"another audience", f.good(map[string]any{"aud": "zzz"}), denial(refusedAudience)},
		{"client_id without aud", f.good(map[string]any{"aud": nil, "client_id": "aud1"}), "ok"},
		{"client_id beside aud", f.good(map[string]any{"aud": "zzz", "client_id": "aud1"}), denial(refusedAudience)},
		{"one of several audiences", f.good(map[string]any{"aud": []string{"x", "aud1"}}), "ok"},
		{"HS256", f.TokenBy(issuertest.RSA("k1", 0), "HS256", f.claims(nil)), denial("signing method HS256 is invalid")},
		{"ES256", f.TokenBy(issuertest.EC("k1"), "ES256", f.claims(nil)), denial("signing method ES256 is invalid")},
		{"RS384", f.TokenBy(issuertest.RSA("k1", 0), "RS384", f.claims(nil)), "ok"},
		{"RS512", f.TokenBy(issuertest.RSA("k1", 0), "RS512", f.claims(nil)), "ok"},
		{"expired", f.good(map[string]any{"exp": jwtNow}), denial(refusedExpired)},
		{"about to expire", f.good(map[string]any{"exp": jwtNow + 1}), "ok"},
		{"not yet", f.good(map[string]any{"nbf": jwtNow + 1}), denial(refusedNotYet)},
		{"now", f.good(map[string]any{"nbf": jwtNow, "iat": jwtNow}), "ok"},
		{"from the future", f.good(map[string]any{"iat": jwtNow + 1}), denial(refusedFuture)},
		{"another issuer", f.good(map[string]any{"iss": "https://example.com"}), denial(refusedIssuer)},
		{"unknown key", f.TokenBy(issuertest.RSA("k2", 1), "RS256", f.claims(nil)), denial(refusedKey)},
		{"another key of that name", f.TokenBy(issuertest.RSA("k1", 1), "RS256", f.claims(nil)), denial(refusedSignature)},
		{"scopes that nobody asks for", f.good(map[string]any{"scope": "x"}), "ok"},
	} {
		for _, again := range []string{"", " again"} { // from the cache, if it was good
			if got := jwtOutcome(t, f.jwt, jwtExchange(tt.value)); got != tt.want {
				t.Errorf("%s%s: got %s, want %s", tt.name, again, got, tt.want)
			}
		}
	}
	if got := jwtOutcome(t, f.jwt, jwtExchange()); got != "401 Bearer" {
		t.Errorf("no header: %s", got)
	}
	if got := jwtOutcome(t, f.jwt, jwtExchange(f.good(nil), f.good(nil))); got != denial(refusedSeveral) {
		t.Errorf("two headers: %s", got)
	}
	if got := jwtOutcome(t, f.jwt, jwtExchange(f.good(nil), "")); got != denial(refusedSeveral) {
		t.Errorf("two headers, one of them empty: %s", got)
	}
}

func TestJWTScopes(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t, "a/read", "a/write")
	const insufficient = `403 Bearer scope="a/read a/write" error="insufficient_scope" error_description="the token does not have a required scope"`
	for _, tt := range []struct {
		name    string
		changes map[string]any
		want    string
		scopes  []string
	}{
		{"one of them", map[string]any{"scope": "a/write openid"}, "ok", []string{"a/write", "openid"}},
		{"empty words", map[string]any{"scope": "  a/read   openid "}, "ok", []string{"a/read", "openid"}},
		{"none", nil, insufficient, nil},
		{"another one", map[string]any{"scope": "openid"}, insufficient, nil},
		{"the beginning of one", map[string]any{"scope": "a/rea"}, insufficient, nil},
		{"more than one", map[string]any{"scope": "a/reader xa/read"}, insufficient, nil},
		{"in another case", map[string]any{"scope": "A/READ"}, insufficient, nil},
		{"both in one element", map[string]any{"scp": []string{"a/read a/write"}}, insufficient, nil},
		{"scp as a list", map[string]any{"scp": []any{"a/read", 7, ""}}, "ok", []string{"a/read"}},
		{"scp as words", map[string]any{"scp": "a/read b"}, "ok", []string{"a/read", "b"}},
		{"scp wins", map[string]any{"scp": []string{"b"}, "scope": "a/read"}, insufficient, nil},
		{"scp of another type wins", map[string]any{"scp": 7, "scope": "a/read"}, insufficient, nil},
		{"scope as a list", map[string]any{"scope": []string{"a/read"}}, insufficient, nil},
	} {
		x := jwtExchange(f.good(tt.changes))
		if got := jwtOutcome(t, f.jwt, x); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if x.Identity != nil && (!slices.Equal(x.Identity.JWT.Scopes, tt.scopes) || !x.Identity.JWT.Scoped) {
			t.Errorf("%s: got %q, scoped %t, want %q", tt.name, x.Identity.JWT.Scopes, x.Identity.JWT.Scoped, tt.scopes)
		}
	}
	// The same token on a route that asks for no scopes, from the same cache.
	x := jwtExchange(f.good(map[string]any{"scope": "a/write openid"}))
	if got := jwtOutcome(t, f.authorizer(t, "$request.header.authorization"), x); got != "ok" || x.Identity.JWT.Scoped {
		t.Errorf("without scopes: got %s, scoped", got)
	}
	// A refusal of the token names the scopes of the route.
	want := `401 Bearer scope="a/read a/write" error="invalid_token" error_description="the token has expired"`
	if got := jwtOutcome(t, f.jwt, jwtExchange(f.good(map[string]any{"exp": 1}))); got != want {
		t.Errorf("expired: got %s, want %s", got, want)
	}
}

func TestJWTParameter(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	a := f.authorizer(t, "$request.querystring.to-ken")
	token := f.good(nil)
	escaped := strings.ReplaceAll(token, ".", "%2E")
	for _, tt := range []struct {
		query, want string
	}{
		{"to-ken=" + token, "ok"},
		{"a=1&to-ken=" + token + "&b", "ok"},
		{"to-ken=" + escaped, "ok"},
		{"to%2dken=" + token, "ok"},
		{"to-ken=Bearer+" + token, "ok"},
		{"to-ken=Bearer%20" + token, "ok"},
		{"%zz=1&to-ken=" + token, "ok"},
		{"", "401 Bearer"},
		{"to-ken", "401 Bearer"},
		{"to-ken=", "401 Bearer"},
		{"To-Ken=" + token, "401 Bearer"},
		{"a=1;to-ken=" + token, "401 Bearer"},
		{"to-ken=" + token + ";a=1", denial(refusedMalformed)},
		{"to-ken=" + token + "&to-ken=" + token, denial(refusedSeveral)},
		{"to-ken=" + token + "&to%2Dken=", denial(refusedSeveral)},
		{"to-ken=%&to-ken=" + token, denial(refusedSeveral)},
		{"to-ken=%2", denial(refusedMalformed)},
		{"to-ken=" + token + "%", denial(refusedMalformed)},
	} {
		x := &gateway.Exchange{}
		x.Request.Query = tt.query
		if got := jwtOutcome(t, a, x); got != tt.want {
			t.Errorf("%.60s: got %s, want %s", tt.query, got, tt.want)
		}
	}
}

func TestNewJWT(t *testing.T) {
	t.Parallel()
	issuers := NewIssuers(IssuersConfig{})
	good := JWTSpec{Source: "$request.header.Authorization", Issuer: "https://login.example.com/", Audience: []string{"a"}}
	for _, tt := range []struct {
		name   string
		change func(*JWTSpec)
		ok     bool
	}{
		{"good", func(*JWTSpec) {}, true},
		{"http to this machine", func(s *JWTSpec) { s.Issuer = "http://127.0.0.1:8080/realm" }, true},
		{"http to this machine by name", func(s *JWTSpec) { s.Issuer = "http://login.localhost" }, true},
		{"http to IPv6 loopback", func(s *JWTSpec) { s.Issuer = "http://[::1]:80" }, true},
		{"http to elsewhere", func(s *JWTSpec) { s.Issuer = "http://login.example.com" }, false},
		{"a name that only begins like this machine's", func(s *JWTSpec) { s.Issuer = "http://localhost.example.com" }, false},
		{"a name that begins like an address", func(s *JWTSpec) { s.Issuer = "http://127.0.0.1.example.com" }, false},
		{"another scheme", func(s *JWTSpec) { s.Issuer = "file:///etc/keys" }, false},
		{"a user", func(s *JWTSpec) { s.Issuer = "https://a:b@example.com" }, false},
		{"no host", func(s *JWTSpec) { s.Issuer = "https://:443/" }, false},
		{"a query parameter", func(s *JWTSpec) { s.Source = "$request.querystring.t" }, true},
		{"no name", func(s *JWTSpec) { s.Source = "$request.header." }, false},
		{"another source", func(s *JWTSpec) { s.Source = "$context.identity.sourceIp" }, false},
		{"no audience", func(s *JWTSpec) { s.Audience = nil }, false},
		{"an empty audience", func(s *JWTSpec) { s.Audience = []string{"a", ""} }, false},
	} {
		spec := good
		tt.change(&spec)
		if _, err := NewJWT(issuers, spec); (err == nil) != tt.ok {
			t.Errorf("%s: got error %v", tt.name, err)
		}
	}
}

// Scopes stay inside the quotes of the challenge, whatever they are.
func TestJWTChallenge(t *testing.T) {
	t.Parallel()
	j, err := NewJWT(NewIssuers(IssuersConfig{}), JWTSpec{Source: "$request.header.A", Issuer: "https://example.com",
		Audience: []string{"a"}, Scopes: []string{`a"b\`, "c\r\nd", "é"}})
	if err != nil {
		t.Fatal(err)
	}
	x := &gateway.Exchange{}
	x.Request.Header = []gateway.Field{{Name: "a", Value: "x"}}
	want := `401 Bearer scope="a\"b\\ c??d ?" error="invalid_token" error_description="` + string(refusedSegments) + `"`
	if got := jwtOutcome(t, j, x); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A hit costs nothing to collect.
func TestJWTHitDoesNotAllocate(t *testing.T) {
	f := newJWTFixture(t, "b")
	x := jwtExchange("Bearer " + f.good(map[string]any{"scope": "a b"}))
	jwtOutcome(t, f.jwt, x)
	if n := testing.AllocsPerRun(100, func() {
		if f.jwt.Authorize(x) != nil {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
	missing := jwtExchange()
	if n := testing.AllocsPerRun(100, func() { _ = f.jwt.Authorize(missing) }); n != 0 {
		t.Errorf("without a token: %g allocations", n)
	}
}

func BenchmarkJWTHit(b *testing.B) {
	f := newJWTFixture(b, "b")
	f.issuers.now = time.Now
	token := f.Token(f.claims(map[string]any{"exp": time.Now().Unix() + 3600, "scope": "a b", "groups": strings.Repeat("g", 400)}))
	x := jwtExchange("Bearer " + token)
	if err := f.jwt.Authorize(x); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if f.jwt.Authorize(x) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkJWTHitParallel(b *testing.B) {
	f := newJWTFixture(b)
	f.issuers.now = time.Now
	token := f.Token(f.claims(map[string]any{"exp": time.Now().Unix() + 3600}))
	if err := f.jwt.Authorize(jwtExchange(token)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := jwtExchange(token)
		for pb.Next() {
			if f.jwt.Authorize(x) != nil {
				b.Error("refused")
			}
		}
	})
}

// BenchmarkJWTMiss verifies a token as if it came for the first time.
func BenchmarkJWTMiss(b *testing.B) {
	f := newJWTFixture(b)
	x := jwtExchange("Bearer " + f.good(map[string]any{"scope": "a b"}))
	b.ReportAllocs()
	for b.Loop() {
		f.issuers.tokens = newTokenCache(tokenShards, tokenShards<<10)
		if err := f.jwt.Authorize(x); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJWTForged refuses a token with a wrong signature, which is never cached.
func BenchmarkJWTForged(b *testing.B) {
	f := newJWTFixture(b)
	x := jwtExchange(f.TokenBy(issuertest.RSA("k1", 1), "RS256", f.claims(nil)))
	b.ReportAllocs()
	for b.Loop() {
		if f.jwt.Authorize(x) == nil {
			b.Fatal("let through")
		}
	}
}

// An issuer by https is known by its certificate.
func TestJWTIssuerTLS(t *testing.T) {
	t.Parallel()
	issuer := issuertest.NewTLS(t)
	token := issuer.Token(map[string]any{"aud": "a", "exp": time.Now().Unix() + 600})
	for _, tt := range []struct {
		name    string
		trusted bool
		want    string
	}{
		{"trusted", true, "ok"},
		{"a stranger", false, denial(refusedDiscovery)},
	} {
		config := IssuersConfig{TLS: jwtTLS(nil)}
		if tt.trusted {
			config.TLS = jwtTLS(issuer.Roots())
		}
		issuers := NewIssuers(config)
		t.Cleanup(issuers.Close)
		j, err := NewJWT(issuers, JWTSpec{Source: "$request.header.authorization", Issuer: issuer.URL, Audience: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := jwtOutcome(t, j, jwtExchange(token)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func jwtTLS(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}
