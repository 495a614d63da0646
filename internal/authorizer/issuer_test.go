package authorizer

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/issuertest"
)

// settle waits for the fetch that runs.
func (f *jwtFixture) settle() {
	i := f.jwt.audience.issuer
	i.mu.Lock()
	running := i.fetch
	i.mu.Unlock()
	if running != nil {
		<-running.done
	}
}

// outcome is how an exchange with a token fares.
func (f *jwtFixture) outcome(t testing.TB, token string) string {
	t.Helper()
	return jwtOutcome(t, f.jwt, jwtExchange(token))
}

// expect fails the test if a token does not fare so, or if the issuer was not asked
// so often for its keys until then.
func (f *jwtFixture) expect(t *testing.T, when, token, want string, fetches int) {
	t.Helper()
	if got := f.outcome(t, token); got != want {
		t.Errorf("%s: got %s, want %s", when, got, want)
	}
	f.settle()
	if n, _ := f.Requests(); n != fetches {
		t.Errorf("%s: %d fetches, want %d", when, n, fetches)
	}
}

// Any number of exchanges waits for one fetch.
func TestIssuerSingleFlight(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	f.SetFault(issuertest.Slow)
	token := f.good(nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got := f.outcome(t, token); got != "ok" {
				t.Error(got)
			}
		})
	}
	for n := 0; n == 0; n, _ = f.Requests() {
		runtime.Gosched()
	}
	f.Release()
	all.Wait()
	if configurations, keySets := f.Requests(); configurations != 1 || keySets != 1 {
		t.Errorf("%d and %d requests, want one each", configurations, keySets)
	}
}

func TestIssuerRotation(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	old := f.good(nil)
	f.expect(t, "cold", old, "ok", 1)

	f.SetKeys(issuertest.RSA("k2", 1), issuertest.RSA("k1", 0))
	next := f.good(nil)
	f.expect(t, "a new key, too early", next, denial(refusedKey), 1)
	f.clock.advance(fetchInterval - time.Second)
	f.expect(t, "a new key, still too early", next, denial(refusedKey), 1)
	f.clock.advance(time.Second)
	f.expect(t, "a new key", next, "ok", 2)
	f.expect(t, "the old key", old, "ok", 2)

	f.SetKeys(issuertest.RSA("k2", 1))
	f.clock.advance(refreshAge)
	f.expect(t, "not old enough", old, "ok", 2)
	f.clock.advance(time.Second)
	f.expect(t, "refreshed meanwhile", old, "ok", 3)
	f.expect(t, "withdrawn", old, denial(refusedKey), 3)
	f.expect(t, "not withdrawn", next, "ok", 3)
	if f.issuers.tokens.get(f.jwt.audience.number, next) == nil {
		t.Error("a token of a key that stayed is not cached any more")
	}

	// Another key under the name of the old one makes nothing valid that was not.
	f.SetKeys(issuertest.RSA("k2", 2))
	f.clock.advance(refreshAge + time.Second)
	f.expect(t, "refreshed again", next, "ok", 4)
	f.expect(t, "replaced", next, denial(refusedSignature), 4)
}

// A refresh keeps nobody waiting.
func TestIssuerRefreshInBackground(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	token := f.good(nil)
	f.expect(t, "cold", token, "ok", 1)
	f.SetFault(issuertest.SlowKeys)
	f.clock.advance(refreshAge + time.Second)
	for range 20 {
		if got := f.outcome(t, token); got != "ok" {
			t.Error(got)
		}
		if got := f.outcome(t, f.good(map[string]any{"jti": "another"})); got != "ok" {
			t.Error(got)
		}
	}
	f.Release()
	f.settle()
	if n, _ := f.Requests(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

// Without the issuer, what is known of it lasts for two hours.
func TestIssuerOutage(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	token := f.good(nil)
	f.expect(t, "cold", token, "ok", 1)
	f.SetFault(issuertest.Failing)
	f.clock.advance(refreshAge + time.Second)
	f.expect(t, "the first failure", token, "ok", 2)
	f.expect(t, "no second try at once", token, "ok", 2)
	f.clock.advance(fetchInterval)
	f.expect(t, "the second try", token, "ok", 3)
	f.clock.advance(maxKeysAge - refreshAge - fetchInterval - time.Second)
	f.expect(t, "two hours after", token, "ok", 4)
	f.clock.advance(time.Second)
	f.expect(t, "more than two hours after", token, denial(refusedDiscovery), 4)
	f.clock.advance(fetchInterval)
	f.expect(t, "tried again", token, denial(refusedDiscovery), 5)
	f.SetFault(issuertest.Healthy)
	f.expect(t, "back, but too early", token, denial(refusedDiscovery), 5)
	f.clock.advance(firstBackoff)
	f.expect(t, "back", token, "ok", 6)
}

// An issuer that has never answered is asked less and less often.
func TestIssuerBackoff(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	f.SetFault(issuertest.FailingKeys)
	token := f.good(nil)
	f.expect(t, "at first", token, denial(refusedDiscovery), 1)
	for n, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		f.clock.advance(time.Duration(seconds)*time.Second - time.Millisecond)
		f.expect(t, "too early", token, denial(refusedDiscovery), n+1)
		f.clock.advance(time.Millisecond)
		f.expect(t, "again", token, denial(refusedDiscovery), n+2)
	}
	f.SetFault(issuertest.Healthy)
	f.clock.advance(fetchInterval)
	f.expect(t, "back", token, "ok", 11)
}

// Who does not wait any longer gets no answer, and the fetch goes on for the others.
func TestIssuerWaiterLeaves(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	f.SetFault(issuertest.Slow)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.jwt.audience.verify(func() context.Context { return ctx }, f.good(nil)); err == nil || refusalOf(err) != refusedDiscovery {
		t.Errorf("got %v", err)
	}
	f.Release()
	f.settle()
	f.expect(t, "the others", f.good(nil), "ok", 1)
}

func TestIssuersClose(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	f.SetFault(issuertest.Slow)
	answer := make(chan string)
	go func() { answer <- f.outcome(t, f.good(nil)) }()
	for n := 0; n == 0; n, _ = f.Requests() {
		runtime.Gosched()
	}
	f.issuers.Close() // while the answer is held back
	if got := <-answer; got != denial(refusedDiscovery) {
		t.Errorf("while closing: %s", got)
	}
	f.Release()
	f.clock.advance(time.Hour)
	f.expect(t, "afterwards", f.good(nil), denial(refusedDiscovery), 1)
}

// What nobody refers to any more is forgotten.
func TestIssuersForget(t *testing.T) {
	t.Parallel()
	issuers := NewIssuers(IssuersConfig{})
	sizes := func() (int, int) {
		issuers.mu.Lock()
		defer issuers.mu.Unlock()
		return len(issuers.issuers), len(issuers.audiences)
	}
	make := func(issuer string, audience ...string) *JWT {
		j, err := NewJWT(issuers, JWTSpec{Source: "$request.header.A", Issuer: issuer, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	kept := make("https://kept.example.com", "b", "a")
	func() {
		if same := make("https://kept.example.com", "a", "b", "a"); same.audience != kept.audience {
			t.Error("two authorizers of one issuer and audience share nothing")
		}
		other := make("https://kept.example.com", "ab")
		if other.audience == kept.audience || other.audience.issuer != kept.audience.issuer {
			t.Error("what is shared is not the issuer alone")
		}
		make("https://gone.example.com", "a")
		if i, a := sizes(); i != 2 || a != 3 {
			t.Errorf("%d issuers and %d audiences, want 2 and 3", i, a)
		}
	}()
	deadline := time.Now().Add(10 * time.Second)
	for {
		runtime.GC()
		i, a := sizes()
		if i == 1 && a == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d issuers and %d audiences are remembered", i, a)
		}
	}
	if again := make("https://kept.example.com", "a", "b"); again.audience != kept.audience {
		t.Error("forgotten although it is referred to")
	}
	runtime.KeepAlive(kept)
}

// An issuer has 1500 ms for each of its two answers, to the last byte.
func TestIssuerTimeout(t *testing.T) {
	t.Parallel()
	const endless = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	const configuration = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + `{"issuer":"http://127.0.0.1","jwks_uri":"http://127.0.0.1/k"}`
	for _, tt := range []struct {
		name    string
		answers []string // of each connection in turn; afterwards it is silent
		connect bool
		want    time.Duration
	}{
		{"no connection", nil, false, fetchTimeout},
		{"no answer", nil, true, fetchTimeout},
		{"half a head", []string{"HTTP/1.1 200 OK\r\n"}, true, fetchTimeout},
		{"half a body", []string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}, true, fetchTimeout},
		{"no keys", []string{configuration}, true, 2 * fetchTimeout},
		{"a body without end", []string{endless}, true, 0},
		{"keys without end", []string{configuration, endless}, true, fetchTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			answers := tt.answers
			issuers := NewIssuers(IssuersConfig{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if !tt.connect {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				client, server := net.Pipe()
				answer := ""
				if len(answers) > 0 {
					answer, answers = answers[0], answers[1:]
				}
				go func() {
					defer server.Close()
					head := make([]byte, 4096)
					if _, err := server.Read(head); err != nil {
						return
					}
					// The configuration takes as long as it may.
					if answer == configuration {
						time.Sleep(fetchTimeout - 1)
					}
					_, _ = io.WriteString(server, answer)
					if answer == configuration {
						return
					}
					for err := error(nil); err == nil && answer == endless; {
						_, err = server.Write(head)
					}
					_, _ = server.Read(head) // until the client closes
				}()
				return client, nil
			}})
			defer issuers.Close()
			j, err := NewJWT(issuers, JWTSpec{Source: "$request.header.authorization", Issuer: "http://127.0.0.1", Audience: []string{"a"}})
			if err != nil {
				t.Fatal(err)
			}
			k := issuertest.RSA("k1", 0)
			begin := time.Now()
			got := jwtOutcome(t, j, jwtExchange(k.Sign("RS256", `{"alg":"RS256","kid":"k1"}`, `{}`)))
			if took := time.Since(begin); got != denial(refusedDiscovery) || took < tt.want-1 || took > tt.want {
				t.Errorf("%s: %s after %s, want %s", tt.name, got, took, tt.want)
			}
		})
	}
}

func TestKeysURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, configuration string
		want                string // "" if it is refused
	}{
		{"good", `{"issuer":"https://i/","jwks_uri":"https://keys.example.com/a?b=c"}`, "https://keys.example.com/a?b=c"},
		{"http from this machine", `{"issuer":"https://i/","jwks_uri":"http://127.0.0.1:8080/k"}`, "http://127.0.0.1:8080/k"},
		{"the issuer without its slash", `{"issuer":"https://i","jwks_uri":"https://k"}`, ""},
		{"no issuer", `{"jwks_uri":"https://k"}`, ""},
		{"members in another case", `{"ISSUER":"https://i/","JWKS_URI":"https://k"}`, ""},
		{"the issuer twice", `{"issuer":"https://i/","issuer":"https://i/","jwks_uri":"https://k"}`, ""},
		{"no keys", `{"issuer":"https://i/"}`, ""},
		{"keys in a list", `{"issuer":"https://i/","jwks_uri":["https://k"]}`, ""},
		{"http from elsewhere", `{"issuer":"https://i/","jwks_uri":"http://keys.example.com"}`, ""},
		{"http from the metadata service", `{"issuer":"https://i/","jwks_uri":"http://169.254.169.254/latest"}`, ""},
		{"a file", `{"issuer":"https://i/","jwks_uri":"file:///etc/keys"}`, ""},
		{"a user", `{"issuer":"https://i/","jwks_uri":"https://u:p@k/"}`, ""},
		{"no host", `{"issuer":"https://i/","jwks_uri":"https:///k"}`, ""},
		{"a list", `["https://i/"]`, ""},
		{"not JSON", `<html>`, ""},
		{"too deep", `{"issuer":"https://i/","jwks_uri":"https://k","a":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}`, ""},
	} {
		if got, err := keysURL(tt.configuration, "https://i/"); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
	}
}

// The name of an issuer and its path are joined by one slash.
func TestIssuerJoin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ issuer, want string }{
		{"http://127.0.0.1/realms/a", "/realms/a/.well-known/openid-configuration"},
		{"http://127.0.0.1/realms/a/", "/realms/a/.well-known/openid-configuration"},
		{"http://127.0.0.1", "/.well-known/openid-configuration"},
	} {
		asked := make(chan string, 1)
		issuers := NewIssuers(IssuersConfig{DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				head := make([]byte, 4096)
				n, _ := server.Read(head)
				_, path, _ := strings.Cut(string(head[:n]), " ")
				path, _, _ = strings.Cut(path, " ")
				asked <- path
				server.Close()
			}()
			return client, nil
		}})
		if _, err := issuers.fetch(t.Context(), tt.issuer); err == nil {
			t.Error("no error")
		}
		if got := <-asked; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.issuer, got, tt.want)
		}
	}
}
