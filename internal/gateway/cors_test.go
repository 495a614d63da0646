package gateway_test

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"penstock/internal/gateway"
)

// A scripted integration answers 200 "ok" with fields, and counts how often.
type scripted struct {
	header []gateway.Field
	stream bool
	calls  atomic.Int64
}

func (s *scripted) Invoke(x *gateway.Exchange) error {
	s.calls.Add(1)
	x.Response = gateway.Response{Status: 200, Header: s.header, Body: gateway.Body{Bytes: []byte("ok"), Length: 2}}
	if s.stream {
		x.Response.Body = gateway.Body{Stream: strings.NewReader("ok"), Length: -1}
	}
	x.Response.Bodiless = x.Request.Method == "HEAD"
	return nil
}

// A guard lets through who sends the field X-Pass, and counts whom it asked.
type guard struct{ asked atomic.Int64 }

func (g *guard) Authorize(x *gateway.Exchange) error {
	g.asked.Add(1)
	if _, ok := x.Request.Field("X-Pass"); !ok {
		return gateway.Unauthorized("Bearer", errors.New("no pass"))
	}
	x.Identity = &gateway.Identity{}
	return nil
}

// routeOf returns the route of a stage with a key.
func routeOf(t testing.TB, s *gateway.Stage, key string) *gateway.Route {
	t.Helper()
	i := slices.IndexFunc(s.Routes, func(r *gateway.Route) bool { return r.Key == key })
	if i < 0 {
		t.Fatalf("no route %s", key)
	}
	return s.Routes[i]
}

// guarded puts an authorizer in front of routes.
func guarded(t testing.TB, s *gateway.Stage, a gateway.Authorizer, keys ...string) {
	t.Helper()
	for _, key := range keys {
		r := routeOf(t, s, key)
		r.AuthorizationType, r.Authorizer = "CUSTOM", a
	}
}

// corsFields lists what a response says about origins.
func corsFields(a answer) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			list = append(list, name+"="+strings.Join(a.Header[name], "|"))
		}
	}
	return strings.ReplaceAll(strings.Join(list, " "), "Access-Control-", "")
}

const appOrigin = "https://app.example.com"

// appSpec is the configuration of most tests of CORS.
var appSpec = gateway.CORSSpec{
	AllowOrigins: []string{appOrigin}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"Content-Type", "authorization"},
	ExposeHeaders: []string{"x-id"}, AllowCredentials: true, MaxAge: new(300),
}

// What responses say under appSpec, to a page that may read them.
const (
	appActual    = "Allow-Credentials=true Allow-Origin=https://app.example.com Expose-Headers=x-id Vary=origin"
	appPreflight = "Allow-Credentials=true Allow-Headers=content-type,authorization Allow-Methods=GET,POST Allow-Origin=https://app.example.com Max-Age=300 Vary=origin"
	appAsked     = "Allow-Credentials=true Allow-Headers=content-type,authorization Allow-Methods=GET,POST Allow-Origin=https://app.example.com Expose-Headers=x-id Max-Age=300 Vary=origin"
)

// TestCORS: who gets which fields, whoever answers.
func TestCORS(t *testing.T) {
	t.Parallel()
	careless := &scripted{header: []gateway.Field{
		{"access-control-allow-origin", "*"}, {"Vary", "accept-encoding"}, {"Access-Control-Allow-Methods", "DELETE"}, {"X-Id", "7"}, {"ACCESS-CONTROL-MAX-AGE", "9"}, {"Access-Control-Allow-Credentials", "true"},
	}}
	quiet := &scripted{}
	streamed := &scripted{header: []gateway.Field{{"Access-Control-Allow-Origin", "https://evil.example"}}, stream: true}
	stage := func(api string, spec *gateway.CORSSpec, routes map[string]gateway.Integration) *gateway.Stage {
		s := newStage(t, api, "$default", routes)
		if spec != nil {
			s.CORS = gateway.NewCORS(*spec)
		}
		return s
	}
	with := func(change func(*gateway.CORSSpec)) *gateway.CORSSpec {
		spec := appSpec
		change(&spec)
		return &spec
	}
	cc := stage("cc", &appSpec, map[string]gateway.Integration{
		"GET /x": careless, "HEAD /x": careless, "GET /quiet": quiet, "GET /stream": streamed, "ANY /any": careless, "GET /none": nil, "GET /panic": broken{how: "invoke"},
		"GET /error": broken{how: "error"}, "GET /guarded": careless, "ANY /guarded/any": careless, "OPTIONS /own": careless, "GET /closed": careless, "POST /x": careless,
	})
	guarded(t, cc, &guard{}, "GET /guarded", "ANY /guarded/any")
	routeOf(t, cc, "GET /closed").Limit = gateway.NewLimit(0, 1)
	swallowed := stage("swallowed", &appSpec, routes(careless, "ANY /{proxy+}"))
	guarded(t, swallowed, &guard{}, "ANY /{proxy+}")
	remedied := stage("remedied", &appSpec, routes(careless, "ANY /{proxy+}", "OPTIONS /{proxy+}"))
	guarded(t, remedied, &guard{}, "ANY /{proxy+}")
	_, addr := serve(t, gateway.Config{},
		newAPI("cc", cc), newAPI("swallowed", swallowed), newAPI("remedied", remedied),
		newAPI("star", stage("star", &gateway.CORSSpec{AllowOrigins: []string{"*"}}, routes(careless, "GET /x"))),
		newAPI("stars", stage("stars", &gateway.CORSSpec{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}}, routes(careless, "GET /x"))),
		newAPI("secure", stage("secure", &gateway.CORSSpec{AllowOrigins: []string{"https://*"}}, routes(careless, "GET /x"))),
		newAPI("clear", stage("clear", &gateway.CORSSpec{AllowOrigins: []string{"http://*"}}, routes(careless, "GET /x"))),
		newAPI("off", stage("off", nil, routes(careless, "GET /x"))),
		newAPI("uncached", stage("uncached", with(func(s *gateway.CORSSpec) { s.MaxAge = new(-1) }), routes(careless, "GET /x"))),
		newAPI("all", stage("all", &appSpec, routes(careless, "$default"))),
		newAPI("empty", stage("empty", &gateway.CORSSpec{}, routes(careless, "GET /x"))),
	)
	const (
		app   = "Origin: " + appOrigin
		evil  = "Origin: https://evil.example"
		asks  = "Access-Control-Request-Method: POST"
		asksH = "Access-Control-Request-Headers: x-anything"
		// raw are the fields of careless as it sends them.
		raw = "Allow-Credentials=true Allow-Methods=DELETE Allow-Origin=* Max-Age=9 Vary=accept-encoding"
	)
	both := strings.Replace(appActual, "Vary=", "Vary=accept-encoding|", 1)
	for _, tt := range []struct {
		name, api, line string
		fields          []string
		status          int
		cors            string
		calls           int64
	}{
		{"109", "cc", "OPTIONS /x", []string{app, asks}, 204, appPreflight, 0},
		{"109 where there is no path", "cc", "OPTIONS /nope/at/all", []string{app, asks}, 204, appPreflight, 0},
		{"109 whatever is asked for", "cc", "OPTIONS /x", []string{app, "Access-Control-Request-Method: PURGE", asksH}, 204, appPreflight, 0},
		{"109 without a method asked for", "cc", "OPTIONS /x", []string{app}, 204, appPreflight, 0},
		{"109 before a guarded route", "cc", "OPTIONS /guarded", []string{app, asks}, 204, appPreflight, 0},
		{"110", "cc", "OPTIONS /x", nil, 204, "", 0},
		{"110 without an origin", "cc", "OPTIONS /x", []string{asks, asksH}, 204, "", 0},
		{"111", "cc", "OPTIONS /x", []string{evil, asks}, 204, "", 0},
		{"112", "cc", "GET /x", []string{app}, 200, both, 1},
		{"112 posted", "cc", "POST /x", []string{app}, 200, both, 1},
		{"112 no fields of a preflight on other methods", "cc", "GET /x", []string{app, asks}, 200, both, 1},
		{"112 HEAD", "cc", "HEAD /x", []string{app}, 200, both, 1},
		{"112 the backend says nothing", "cc", "GET /quiet", []string{app}, 200, appActual, 0},
		{"112 streamed", "cc", "GET /stream", []string{app}, 200, appActual, 0},
		{"112 streamed, other origin", "cc", "GET /stream", []string{evil}, 200, "", 0},
		{"112 other origin", "cc", "GET /x", []string{evil}, 200, "Vary=accept-encoding", 1},
		{"113", "cc", "GET /x", nil, 200, "Vary=accept-encoding", 1},
		{"113 HEAD", "cc", "HEAD /x", nil, 200, "Vary=accept-encoding", 1},
		{"113 streamed", "cc", "GET /stream", nil, 200, "", 0},
		{"114", "star", "GET /x", []string{evil}, 200, "Allow-Origin=* Vary=accept-encoding", 1},
		{"114 null", "star", "GET /x", []string{"Origin: null"}, 200, "Allow-Origin=* Vary=accept-encoding", 1},
		{"114 preflight", "star", "OPTIONS /x", []string{evil, asks}, 204, "Allow-Origin=*", 0},
		{"114 no origin", "star", "GET /x", nil, 200, "Vary=accept-encoding", 1},
		{"114 all stars", "stars", "GET /x", []string{evil}, 200, "Allow-Origin=* Expose-Headers=* Vary=accept-encoding", 1},
		{"114 all stars, preflight", "stars", "OPTIONS /x", []string{evil}, 204, "Allow-Headers=* Allow-Methods=* Allow-Origin=*", 0},
		{"115", "secure", "GET /x", []string{"Origin: https://q.example"}, 200, "Allow-Origin=https://q.example Vary=accept-encoding|origin", 1},
		{"115 cleartext", "secure", "GET /x", []string{"Origin: http://q.example"}, 200, "Vary=accept-encoding", 1},
		{"115 only the scheme", "secure", "GET /x", []string{"Origin: https://"}, 200, "Vary=accept-encoding", 1},
		{"115 scheme within", "secure", "GET /x", []string{"Origin: http://q.example?https://"}, 200, "Vary=accept-encoding", 1},
		{"115 http", "clear", "GET /x", []string{"Origin: http://q.example"}, 200, "Allow-Origin=http://q.example Vary=accept-encoding|origin", 1},
		{"115 http is not https", "clear", "GET /x", []string{"Origin: https://q.example"}, 200, "Vary=accept-encoding", 1},
		{"116", "swallowed", "OPTIONS /x", []string{app, asks}, 401, appAsked, 0},
		{"117", "remedied", "OPTIONS /x", []string{app, asks}, 200, strings.Replace(appAsked, "Vary=", "Vary=accept-encoding|", 1), 1},
		{"118", "off", "GET /x", []string{app}, 200, raw, 1},
		{"118 no origin", "off", "GET /x", nil, 200, raw, 1},
		{"40 off", "off", "OPTIONS /x", []string{app, asks}, 404, "", 0},
		{"119", "cc", "GET /nope", []string{app}, 404, appActual, 0},
		{"119 other method", "cc", "DELETE /x", []string{app}, 404, appActual, 0},
		{"119 HEAD", "cc", "HEAD /nope", []string{app}, 404, appActual, 0},
		{"119 other origin", "cc", "GET /nope", []string{evil}, 404, "", 0},
		{"120", "uncached", "OPTIONS /x", []string{app, asks}, 204, strings.Replace(appPreflight, "300", "-1", 1), 0},
		{"401", "cc", "GET /guarded", []string{app}, 401, appActual, 0},
		{"401 other origin", "cc", "GET /guarded", []string{evil}, 401, "", 0},
		{"let through", "cc", "GET /guarded", []string{app, "X-Pass: 1"}, 200, both, 1},
		{"429", "cc", "GET /closed", []string{app}, 429, appActual, 0},
		{"500 no target", "cc", "GET /none", []string{app}, 500, appActual, 0},
		{"500 error", "cc", "GET /error", []string{app}, 500, appActual, 0},
		{"500 panic", "cc", "GET /panic", []string{app}, 500, appActual, 0},
		{"413", "cc", "POST /x", []string{app, "Content-Length: 10485761"}, 413, appActual, 0},
		{"400", "cc", "GET /..", []string{app}, 400, "", 0}, // no stage yet
		{"routed OPTIONS", "cc", "OPTIONS /own", []string{app}, 200, both, 1},
		{"routed OPTIONS that asks", "cc", "OPTIONS /own", []string{app, asks}, 200, strings.Replace(appAsked, "Vary=", "Vary=accept-encoding|", 1), 1},
		{"ANY takes OPTIONS", "cc", "OPTIONS /any", []string{app}, 200, both, 1},
		{"ANY with an authorizer takes OPTIONS", "cc", "OPTIONS /guarded/any", []string{app, asks}, 401, appAsked, 0},
		{"$default takes OPTIONS", "all", "OPTIONS /x", []string{app}, 200, both, 1},
		{"nothing configured", "empty", "GET /x", []string{app}, 200, "Vary=accept-encoding", 1},
		{"nothing configured, preflight", "empty", "OPTIONS /x", []string{app, asks}, 204, "", 0},
	} {
		before := careless.calls.Load()
		c := dial(t, addr)
		c.send(tt.line, " HTTP/1.1\r\nHost: ", tt.api, ".execute-api.us-east-1.localhost\r\n", strings.Join(append(tt.fields, ""), "\r\n"), "\r\n")
		method, _, _ := strings.Cut(tt.line, " ")
		a := c.read(method)
		if got := corsFields(a); a.StatusCode != tt.status || got != tt.cors {
			t.Errorf("%s: %s %q: got %d %s\nwant %d %s", tt.name, tt.line, tt.fields, a.StatusCode, got, tt.status, tt.cors)
		}
		if n := careless.calls.Load() - before; n != tt.calls {
			t.Errorf("%s: the integration was called %d times, want %d", tt.name, n, tt.calls)
		}
		if tt.status == 204 && (a.body != "" || a.ContentLength > 0 || a.Header.Get("Content-Type") != "" || a.Header.Get("Content-Length") != "" || a.Close) {
			t.Errorf("%s: a preflight with %q, fields %v, close %t", tt.name, a.body, a.Header, a.Close)
		}
		if tt.status == 200 && tt.calls == 1 && a.Header.Get("X-Id") != "7" {
			t.Errorf("%s: fields of the backend are gone: %v", tt.name, a.Header)
		}
		if tt.status == 401 && a.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: WWW-Authenticate %q", tt.name, a.Header.Get("WWW-Authenticate"))
		}
		c.nc.Close()
	}
}

// TestCORSOrigins: an origin is the whole text of one field, or it is none.
func TestCORSOrigins(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a", "$default", map[string]gateway.Integration{"GET /x": &scripted{}})
	s.CORS = gateway.NewCORS(appSpec)
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	for _, tt := range []struct {
		fields  []string
		allowed bool
	}{
		{[]string{"Origin: " + appOrigin}, true},
		{[]string{"oRIGIN:\t" + appOrigin + " "}, true},
		{[]string{"Origin: " + appOrigin + ".evil"}, false},
		{[]string{"Origin: " + appOrigin + "."}, false},
		{[]string{"Origin: " + appOrigin + "/"}, false},
		{[]string{"Origin: " + appOrigin + ":443"}, false},
		{[]string{"Origin: " + appOrigin + "@evil.example"}, false},
		{[]string{"Origin: " + appOrigin + ", https://evil.example"}, false},
		{[]string{"Origin: https://evil.example " + appOrigin}, false},
		{[]string{"Origin: https://evil.example/" + appOrigin}, false},
		{[]string{"Origin: https://notapp.example.com"}, false},
		{[]string{"Origin: https://app.example.co"}, false},
		{[]string{"Origin: https://app-example.com"}, false},
		{[]string{"Origin: https://x.app.example.com"}, false},
		{[]string{"Origin: http://app.example.com"}, false},
		{[]string{"Origin: HTTPS://APP.EXAMPLE.COM"}, false},
		{[]string{"Origin: https://App.example.com"}, false},
		{[]string{"Origin: app.example.com"}, false},
		{[]string{"Origin: //app.example.com"}, false},
		{[]string{"Origin: null"}, false},
		{[]string{"Origin: *"}, false},
		{[]string{"Origin: https://*"}, false},
		{[]string{"Origin:"}, false},
		{[]string{"Origin_: " + appOrigin}, false},
		{[]string{"X-Origin: " + appOrigin}, false},
		{[]string{"Referer: " + appOrigin + "/x"}, false},
		{[]string{"Origin: " + appOrigin, "Origin: https://evil.example"}, false},
		{[]string{"Origin: https://evil.example", "Origin: " + appOrigin}, false},
		{[]string{"Origin: " + appOrigin, "origin: " + appOrigin}, false},
		{[]string{"Origin:", "Origin: " + appOrigin}, false},
		{[]string{"Origin: " + appOrigin, "Origin:"}, false},
		{[]string{"Origin: " + appOrigin, "Origin: " + appOrigin, "Origin: " + appOrigin}, false},
	} {
		for line, want := range map[string]string{"GET /x": appActual, "OPTIONS /x": appPreflight, "GET /nope": appActual} {
			if !tt.allowed {
				want = ""
			}
			c := dial(t, addr)
			c.send(request(line+" HTTP/1.1", tt.fields...))
			method, _, _ := strings.Cut(line, " ")
			if got := corsFields(c.read(method)); got != want {
				t.Errorf("%s %q: got %s, want %s", line, tt.fields, got, want)
			}
			c.nc.Close()
		}
	}
}

// TestCORSFieldsAreOfOneExchange: what one exchange on a connection says about
// origins is not in the next one's answer.
func TestCORSFieldsAreOfOneExchange(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a", "$default", map[string]gateway.Integration{"GET /x": &scripted{header: []gateway.Field{{"Access-Control-Allow-Origin", "*"}}}})
	s.CORS = gateway.NewCORS(gateway.CORSSpec{AllowOrigins: []string{"https://*"}, AllowMethods: []string{"GET"}})
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	c := dial(t, addr)
	for range 3 {
		for _, tt := range []struct{ line, origin, want string }{
			{"OPTIONS /x", "https://one.example", "Allow-Methods=GET Allow-Origin=https://one.example Vary=origin"},
			{"GET /x", "https://two.example", "Allow-Origin=https://two.example Vary=origin"},
			{"GET /x", "http://two.example", ""},
			{"OPTIONS /x", "http://two.example", ""},
			{"GET /nope", "https://three.example", "Allow-Origin=https://three.example Vary=origin"},
			{"GET /nope", "", ""},
		} {
			c.send(request(tt.line+" HTTP/1.1", "Origin: "+tt.origin))
			method, _, _ := strings.Cut(tt.line, " ")
			if got := corsFields(c.read(method)); got != tt.want {
				t.Errorf("%s from %s: got %s, want %s", tt.line, tt.origin, got, tt.want)
			}
		}
	}
}

// TestCORSStreams: a long streamed answer is stamped and sent whole.
func TestCORSStreams(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	s := newStage(t, "a", "$default", map[string]gateway.Integration{"GET /x": stream(n)})
	s.CORS = gateway.NewCORS(appSpec)
	_, addr := serve(t, gateway.Config{}, newAPI("a", s))
	c := dial(t, addr)
	c.send(request("GET /x HTTP/1.1", "Origin: "+appOrigin))
	a := c.read("GET")
	if got := corsFields(a); got != appActual || len(a.body) != n {
		t.Errorf("%d bytes, %s", len(a.body), got)
	}
	if _, err := io.WriteString(c.nc, request("GET /x HTTP/1.1")); err != nil {
		t.Error(err)
	}
	if a := c.read("GET"); corsFields(a) != "" || len(a.body) != n {
		t.Errorf("%d bytes, %s", len(a.body), corsFields(a))
	}
}
