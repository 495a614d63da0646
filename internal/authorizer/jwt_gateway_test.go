package authorizer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
	"penstock/internal/issuertest"
)

// jwtEcho answers with the claims of the caller.
type jwtEcho struct{}

func (jwtEcho) Invoke(x *gateway.Exchange) error {
	text := fmt.Sprintf("%q %q", x.Identity.JWT.Claims, x.Identity.JWT.Scopes)
	x.Response = gateway.Response{Status: http.StatusOK, Body: gateway.Body{Bytes: []byte(text), Length: int64(len(text))}}
	return nil
}

// serveJWT starts a gateway whose only route asks for a token, and connects to it.
// What it returns sends a request with a value of Authorization, always on the same
// connection.
func serveJWT(t *testing.T, a gateway.Authorizer) func(authorization string) (*http.Response, string) {
	t.Helper()
	r := &gateway.Route{Key: "$default", AuthorizationType: "JWT", Authorizer: a, Integration: jwtEcho{}}
	stage := gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: "$default"}, r)
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a", Stages: map[string]*gateway.Stage{"$default": stage}}}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	answers := bufio.NewReader(c)
	return func(authorization string) (*http.Response, string) {
		t.Helper()
		if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a.execute-api.us-east-1.localhost\r\nAuthorization: %s\r\n\r\n", authorization); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
}

// What is cached must not point into the memory of the request that brought it, which
// the next request on the connection overwrites.
func TestJWTOutlivesRequest(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	call := serveJWT(t, f.jwt)
	token := f.good(map[string]any{"scope": "openid pets", "groups": []string{"a", "b"}})
	_, first := call("Bearer " + token)
	if !strings.Contains(first, `{"groups" "[a b]"}`) || !strings.Contains(first, `["openid" "pets"]`) {
		t.Fatalf("got %s", first)
	}
	f.SetFault(issuertest.Failing)
	for n := range 3 {
		resp, body := call("Bearer " + strings.Repeat("x", len(token)))
		if resp.StatusCode != 401 || body != `{"message":"Unauthorized"}` {
			t.Fatalf("without a token: %d %s", resp.StatusCode, body)
		}
		if got, want := resp.Header.Get("Www-Authenticate"), strings.TrimPrefix(denial(refusedSegments), "401 "); got != want {
			t.Errorf("got challenge %s, want %s", got, want)
		}
		if f.issuers.tokens.get(f.jwt.audience.number, token) == nil {
			t.Errorf("%d: the token is not cached any more", n)
		}
		if _, again := call("Bearer " + token); again != first {
			t.Errorf("%d: got %s, want %s", n, again, first)
		}
	}
	if resp, body := call(""); resp.StatusCode != 401 || resp.Header.Get("Www-Authenticate") != "Bearer" || body != `{"message":"Unauthorized"}` {
		t.Errorf("empty: %d %q %s", resp.StatusCode, resp.Header.Get("Www-Authenticate"), body)
	}
}
