package gateway_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"penstock/internal/gateway"
)

// A witness is the authorizer and the integration of all routes of a stage. It lets
// everybody through, and complains if the two are not asked about the same thing.
type witness struct {
	t *testing.T

	mu    sync.Mutex // guards the fields below
	seen  map[*gateway.Exchange]*testimony
	calls []string
}

// A testimony is what an authorizer saw of a request.
type testimony struct {
	route                    *gateway.Route
	stage                    *gateway.Stage
	path, raw, query, method string
	fields                   string
}

func testify(x *gateway.Exchange) *testimony {
	return &testimony{x.Route, x.Stage, x.RoutePath, x.RawPath, x.Request.Query, x.Request.Method, fmt.Sprint(x.Request.Header)}
}

func (w *witness) Authorize(x *gateway.Exchange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[x] = testify(x)
	x.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: x.Route.Key}}
	return nil
}

func (w *witness) Invoke(x *gateway.Exchange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	was, is := w.seen[x], testify(x)
	delete(w.seen, x)
	if was == nil || x.Identity == nil || x.Identity.Lambda.PrincipalID != x.Route.Key || *was != *is {
		w.t.Errorf("the authorizer saw %+v, the integration %+v", was, is)
	}
	w.calls = append(w.calls, x.Route.Key)
	x.Response.Status = 200
	return nil
}

// take returns the keys of the routes called since the last call.
func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.calls
	w.calls = nil
	return taken
}

// TestSecurity28OneRoute: whatever the path looks like, the authorizer and the
// integration are those of one route, and what has no route reaches neither.
func TestSecurity28OneRoute(t *testing.T) {
	t.Parallel()
	w := &witness{t: t, seen: map[*gateway.Exchange]*testimony{}}
	keys := []string{"GET /v1/accounts", "GET /v1/accounts/{id}", "ANY /v1/public/{proxy+}"}
	s := newStage(t, "a", "$default", routes(w, keys...))
	guarded(t, s, w, keys...)
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	for _, tt := range []struct{ line, want string }{ // "" is 404, "400" that
		{"GET /v1/accounts", keys[0]},
		{"GET /v1/accounts/", keys[1]},
		{"GET /v1/accounts/7", keys[1]},
		{"GET /v1/accounts%2F7", keys[1]},
		{"GET /v1%2Faccounts", keys[0]},
		{"GET /%761/accounts", keys[0]},
		{"GET /v1/accounts?x", keys[0]},
		{"GET /v1/accounts%3Fx", keys[0]},
		{"GET /v1/public/accounts", keys[2]},
		{"GET /v1/public/", keys[2]},
		{"GET /v1/public/a/b/", keys[2]},
		{"GET /v1/public//accounts", keys[2]},
		{"GET /v1/accounts//", ""},
		{"GET /v1/accounts/7/", ""},
		{"GET //v1/accounts", ""},
		{"GET /v1//accounts", ""},
		{"GET /V1/accounts", ""},
		{"GET /v1/Accounts", ""},
		{"GET /v1/accounts;x", ""},
		{"GET /v1/accounts.json", ""},
		{"POST /v1/accounts", ""},
		{"HEAD /v1/accounts", ""},
		{"OPTIONS /v1/accounts", ""},
		{"GET /v1/accounts%20", ""},
		{"GET /v1/public/../accounts", "400"},
		{"GET /v1/public/%2e%2e/accounts", "400"},
		{"GET /v1/public/..%2faccounts", "400"},
		{"GET /v1/public/..;/accounts", "400"},
		{"GET /v1/public/%252e%252e/accounts", "400"},
		{"GET /v1/public/..%5caccounts", "400"},
	} {
		c := dial(t, addr)
		c.send(request(tt.line + " HTTP/1.1"))
		method, _, _ := strings.Cut(tt.line, " ")
		a := c.read(method)
		status, calls := 200, []string{tt.want}
		if tt.want == "" || tt.want == "400" {
			status, calls = 404, nil
		}
		if tt.want == "400" {
			status = 400
		}
		if called := w.take(); a.StatusCode != status || !slices.Equal(called, calls) {
			t.Errorf("%s: status %d, called %q; want %d, %q", tt.line, a.StatusCode, called, status, calls)
		}
		c.nc.Close()
	}
}

func TestSecurity29Paths(t *testing.T) {
	t.Parallel()
	attack(t, "29")
}

// TestSecurity29BasePath: no path of a request leaves the path of the integration.
func TestSecurity29BasePath(t *testing.T) {
	t.Parallel()
	r := record(t)
	_, addr := serveOne(t, gateway.Config{}, proxy(t, newClient(t), "http://"+r.addr+"/base/of/it"))
	for _, step := range []string{"..", ".", "%2e%2e", "%2E.", ".%2e", "..%2f", "%2f..", "..;x", "..%3bx", "..%5c", "%5c..", "%252e%252e", "%252e.", "..%252f", "..%00", "..%09", "..%c0%af", "..%ef%bc%8f", "%ef%bc%8e%ef%bc%8e", "..%3f", "..%23", ".%20.", "...", "..a"} {
		for _, path := range []string{"/" + step, "/" + step + "/x", "/a/" + step + "/x", "/a/" + step + "/" + step + "/" + step + "/x", "//" + step + "//x"} {
			c := dial(t, addr)
			c.send(request("GET " + path + " HTTP/1.1"))
			a := c.read("GET")
			seen := r.take()
			switch {
			case a.StatusCode == 400 && seen == nil:
			case a.StatusCode == 200 && len(seen) == 1 && strings.HasPrefix(seen[0], "GET /base/of/it/"):
				target, _, _ := strings.Cut(strings.TrimPrefix(seen[0], "GET "), " ")
				for segment := range strings.SplitSeq(target, "/") {
					if segment == ".." || segment == "." {
						t.Errorf("%s: backend got %s", path, target)
					}
				}
			default:
				t.Errorf("%s: status %d, backend got %q", path, a.StatusCode, seen)
			}
			c.nc.Close()
		}
	}
}

// TestSecurity30Names: hosts are compared without regard to ASCII case, at any length,
// paths byte by byte.
func TestSecurity30Names(t *testing.T) {
	t.Parallel()
	w := &scripted{}
	guardedByHost := newStage(t, "a", "$default", routes(w, "GET /k", "GET /s"))
	_, addr := serve(t, gateway.Config{}, newAPI("a", guardedByHost))
	label := strings.Repeat("x", 60)
	for _, tt := range []struct {
		host, path string
		status     int
	}{
		{host, "/k", 200},
		{strings.ToUpper(host), "/k", 200},
		{host + ".", "/k", 200},
		{strings.ToUpper(host) + ".:65535", "/k", 200},
		{host, "/K", 404},
		{host, "/%E2%84%AA", 404}, // KELVIN SIGN, which folds to k
		{host, "/%C5%BF", 404},    // LONG S, which folds to s
		{host, "/%FF", 400},
		{host, "/%C0%AB", 400},
		{host, "/k%00", 400},
		{host, "/\xe2\x84", 400},
		{strings.Repeat(label+".", 50) + host, "/k", 404},
		{strings.ToUpper(strings.Repeat(label+".", 50)) + host, "/k", 404},
		{host + "." + strings.Repeat(label+".", 50), "/k", 404},
		{"[::1]", "/k", 404},
		{"[::FFFF:127.0.0.1]:80", "/k", 404},
		{"a.execute-api.us-east-1.localhos\xd4\xb4", "/k", 400},
		{"\xef\xbd\x81.execute-api.us-east-1.localhost", "/k", 400}, // FULLWIDTH a
	} {
		c := dial(t, addr)
		before := w.calls.Load()
		c.send("GET ", tt.path, " HTTP/1.1\r\nHost: ", tt.host, "\r\n\r\n")
		if a := c.read("GET"); a.StatusCode != tt.status || (w.calls.Load() > before) != (tt.status == 200) {
			t.Errorf("%.80s%s: status %d, want %d", tt.host, tt.path, a.StatusCode, tt.status)
		}
		c.nc.Close()
	}
}

// A reader is an authorizer that keeps the query it saw last.
type reader struct{ query atomic.Value }

func (r *reader) Authorize(x *gateway.Exchange) error {
	r.query.Store(strings.Clone(x.Request.Query))
	x.Identity = &gateway.Identity{}
	return nil
}

// TestSecurity31Queries: the authorizer and the backend see the query that was sent,
// byte by byte.
func TestSecurity31Queries(t *testing.T) {
	t.Parallel()
	r := record(t)
	s := newStage(t, "a", "$default", map[string]gateway.Integration{"GET /x": proxy(t, newClient(t), "http://"+r.addr)})
	seen := &reader{}
	guarded(t, s, seen, "GET /x")
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	c := dial(t, addr)
	for _, query := range []string{
		"a=1&a=2", "a=2&a=1", "a=1;a=2", "a=1;b", "a+b=c+d", "a%20b=%2B", "=", "=&=", "&", "&&a", "a", "a=", "=a", "a==b", "a=1?b=2", "?", "a=%", "a=%zz", "a=%00", "a=%0d%0ab:c", "a=%26a=2", "a%3D1", "A=1&a=2",
		"a[]=1&a[]=2", "a=/../../x", "\xff=\xfe", "a=%ff", "%61=1&a=2", "a=1,2", "_method=DELETE", "a=%C3%A9&b=\xc3\xa9",
	} {
		c.send(request("GET /x?" + query + " HTTP/1.1"))
		if a := c.read("GET"); a.StatusCode != 200 {
			t.Fatalf("%q: status %d", query, a.StatusCode)
		}
		if got := r.take(); len(got) != 1 || !strings.HasPrefix(got[0], "GET /x?"+query+" HTTP/1.1\r\n") || seen.query.Load() != query {
			t.Errorf("%q: the authorizer saw %q, the backend %q", query, seen.query.Load(), got)
		}
	}
}

// TestSecurity32Methods: the method is that of the request line, and each needs the
// authorizer of its route, HEAD and OPTIONS too.
func TestSecurity32Methods(t *testing.T) {
	t.Parallel()
	r := record(t)
	in := proxy(t, newClient(t), "http://"+r.addr)
	stage := func(cors *gateway.CORS) *gateway.Stage {
		s := newStage(t, "a", "$default", map[string]gateway.Integration{"ANY /any": in, "GET /get": in, "DELETE /get": in, "POST /open": in})
		guarded(t, s, &guard{}, "ANY /any", "DELETE /get", "GET /get")
		s.CORS = cors
		return s
	}
	var override []string
	for _, method := range []string{"DELETE", "GET", "POST"} {
		override = append(override, "X-HTTP-Method-Override: "+method, "X-HTTP-Method: "+method, "X-Method-Override: "+method, "_method: "+method)
	}
	for _, cors := range []*gateway.CORS{nil, gateway.NewCORS(appSpec)} {
		_, addr := serve(t, gateway.Config{}, newAPI("a", stage(cors)))
		preflight := 404
		if cors != nil {
			preflight = 204
		}
		for _, tt := range []struct {
			line   string
			pass   bool
			status int
			seen   string
		}{
			{"GET /get", true, 200, "GET /get"},
			{"GET /get", false, 401, ""},
			{"POST /get", true, 404, ""},
			{"HEAD /get", true, 404, ""},
			{"OPTIONS /get", true, preflight, ""},
			{"POST /open", false, 200, "POST /open"},
			{"POST /open?_method=DELETE", false, 200, "POST /open?_method=DELETE"},
			{"DELETE /open", true, 404, ""},
			{"GET /any", false, 401, ""},
			{"HEAD /any", false, 401, ""},
			{"OPTIONS /any", false, 401, ""},
			{"PATCH /any", false, 401, ""},
			{"HEAD /any", true, 200, "HEAD /any"},
			{"OPTIONS /any", true, 200, "OPTIONS /any"},
		} {
			fields := append(slices.Clone(override), "Origin: "+appOrigin, "Access-Control-Request-Method: DELETE")
			if tt.pass {
				fields = append(fields, "X-Pass: 1")
			}
			c := dial(t, addr)
			c.send(request(tt.line+" HTTP/1.1", fields...))
			method, _, _ := strings.Cut(tt.line, " ")
			a, err := c.tryRead(method)
			if err != nil && method != "HEAD" { // the recorder sends a body with every answer
				t.Fatal(err)
			}
			seen := r.take()
			if ok := len(seen) == 0 && tt.seen == "" || len(seen) == 1 && tt.seen != "" && strings.HasPrefix(seen[0], tt.seen+" HTTP/1.1\r\n"); a.StatusCode != tt.status || !ok {
				t.Errorf("%s, pass %t: status %d, backend got %q; want %d, %q", tt.line, tt.pass, a.StatusCode, seen, tt.status, tt.seen)
			}
			c.nc.Close()
		}
	}
}

// denied lets nobody through.
type denied struct{}

func (denied) Authorize(*gateway.Exchange) error {
	return gateway.Forbidden("", errors.New("denied on purpose"))
}

// TestSecurity33Boundaries: a greedy path stays within its stage and its API, and a
// name is a stage or a segment, never both.
func TestSecurity33Boundaries(t *testing.T) {
	t.Parallel()
	open := newStage(t, "a", "$default", routes(say("open"), "ANY /{proxy+}", "GET /prod/secret", "$default"))
	prod := newStage(t, "a", "prod", routes(say("prod"), "GET /secret"))
	guarded(t, prod, denied{}, "GET /secret")
	other := newStage(t, "b", "$default", routes(say("other"), "ANY /{proxy+}"))
	guarded(t, other, denied{}, "ANY /{proxy+}")
	_, addr := serve(t, gateway.Config{}, newAPI("a", open, prod), newAPI("b", other))
	const (
		a = host
		b = "b.execute-api.us-east-1.localhost"
	)
	for _, tt := range []struct {
		host, path string
		status     int
		who        string
	}{
		{a, "/prod/secret", 403, ""},
		{a, "/%70rod/secret", 403, ""},
		{a, "/prod%2Fsecret", 403, ""},
		{a, "/prod/secret/", 404, ""},
		{a, "/prod", 404, ""},
		{a, "/prod/", 404, ""},
		{a, "/prod/x", 404, ""},
		{a, "/prod//secret", 404, ""},
		{a, "/Prod/secret", 200, "open"},
		{a, "//prod/secret", 200, "open"},
		{a, "/x/prod/secret", 200, "open"},
		{a, "/%2Fprod/secret", 200, "open"},
		{a, "/$default/prod/secret", 200, "open"},
		{a, "/x/../prod/secret", 400, ""},
		{a, "/_aws/execute-api/b/x", 200, "open"},
		{a, "/_aws/execute-api/a/prod/secret", 200, "open"},
		{"localhost", "/_aws/execute-api/a/prod/secret", 403, ""},
		{"localhost", "/_aws/execute-api/a/$default/prod/secret", 200, "open"}, // its own route of that name
		{"localhost", "/_aws/execute-api/b/a/x", 403, ""},
		{"localhost", "/_aws/execute-api/a%2Fprod/secret", 404, ""},
		{"localhost", "/_aws%2Fexecute-api/a/x", 404, ""},
		{"localhost", "/_aws/execute-api/../execute-api/a/x", 404, ""},
		{"localhost", "/_aws/execute-api//a/x", 404, ""},
		{b, "/a/x", 403, ""},
		{b, "/_aws/execute-api/a/x", 403, ""},
		{b, "/$default/x", 403, ""},
		{"a." + b, "/x", 404, ""},
	} {
		c := dial(t, addr)
		c.send("GET ", tt.path, " HTTP/1.1\r\nHost: ", tt.host, "\r\n\r\n")
		got := c.read("GET")
		who, _, _ := strings.Cut(got.body, " ")
		if got.StatusCode != tt.status || tt.status == 200 && who != tt.who {
			t.Errorf("%s%s: %d %q, want %d from %q", tt.host, tt.path, got.StatusCode, got.body, tt.status, tt.who)
		}
		c.nc.Close()
	}
}
