package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/route"
)

// An act is an integration, and an authorizer, that does what it says.
type act func(x *Exchange) error

func (a act) Invoke(x *Exchange) error { return a(x) }

func (a act) Authorize(x *Exchange) error { return a(x) }

// answered answers 200 with two bytes.
func answered(x *Exchange) error {
	x.Response = Response{Status: 200, Body: Body{Bytes: []byte("ok"), Length: 2}}
	x.Integration.Status = 200
	return nil
}

// recordingServer returns a server that remembers n requests of these APIs and
// domains.
func recordingServer(n int, apis []*API, domains ...*Domain) *Server {
	s := NewServer(Config{Region: "us-east-1", Suffixes: []string{"localhost"}, Records: n})
	s.Publish(NewSnapshot(1, apis, domains...))
	return s
}

// lead gives a stage its routes. Tests from outside have gatewaytest for that.
func (s *Stage) lead(t testing.TB, routes ...*Route) {
	t.Helper()
	var entries []route.Entry[*Route]
	for _, r := range routes {
		key, err := route.ParseKey(r.Key)
		if err != nil {
			t.Fatal(err)
		}
		r.Vars = key.Vars()
		entries = append(entries, route.Entry[*Route]{Key: key, Value: r})
	}
	table, err := route.NewTable(entries)
	if err != nil {
		t.Fatal(err)
	}
	s.Routes, s.Table = routes, table
}

// recordedAPI returns an API "a" with a stage of these routes.
func recordedAPI(t testing.TB, stage string, routes ...*Route) *API {
	t.Helper()
	s := &Stage{APIID: "a", Name: stage, DeploymentID: "d1"}
	s.lead(t, routes...)
	return &API{ID: "a", Stages: map[string]*Stage{stage: s}}
}

// run serves a request such as "GET host/path?query" from start to end, and returns
// what is remembered of it.
func (s *Server) run(t testing.TB, line string, header ...Field) Record {
	t.Helper()
	x := &Exchange{server: s, transport: empty{}, Start: time.Now()}
	x.ID = requestID(&x.idBuf)
	q := &x.Request
	method, target, _ := strings.Cut(line, " ")
	host, path, _ := strings.Cut(target, "/")
	path, query, _ := strings.Cut("/"+path, "?")
	*q = Request{Method: method, Host: host, Path: path, Query: query, Minor: 1, Header: header, Peer: netip.MustParseAddrPort("192.0.2.7:1234")}
	s.handle(x, nil)
	x.ResponseLength = int64(len(x.Response.Body.Bytes))
	s.finish(x)
	id := x.ID
	x.end()
	r, ok := s.Record(strings.Clone(id))
	if !ok {
		t.Fatalf("%s: not remembered", line)
	}
	return r
}

// TestRecord: what is remembered of each outcome.
func TestRecord(t *testing.T) {
	t.Parallel()
	allow := act(func(x *Exchange) error { x.Identity = &Identity{}; return nil })
	known := &Identity{JWT: &JWTIdentity{}}
	api := recordedAPI(t, "live",
		&Route{Key: "GET /ok/{id}", Integration: act(answered)},
		&Route{Key: "GET /g/{a}/{rest+}", Integration: act(answered)},
		&Route{Key: "GET /mapped", Integration: act(func(x *Exchange) error {
			x.Mapped.Header = append(x.Mapped.Header, Change{Remove, "X-Old", ""}, Change{Overwrite, "X-User", "ada"}, Change{Append, "X-More", "b"})
			x.Mapped.Query = append(x.Mapped.Query, Change{Overwrite, "page", "2"})
			x.Mapped.Path, x.Mapped.HasPath = "/elsewhere", true
			return answered(x)
		})},
		&Route{Key: "GET /closed", Integration: act(answered), Limit: NewLimit(0, 0), AuthorizationType: "JWT", Authorizer: allow},
		&Route{Key: "GET /allowed", Integration: act(answered), AuthorizationType: "JWT", Authorizer: allow},
		&Route{Key: "GET /401", Integration: act(answered), AuthorizationType: "JWT", Authorizer: act(func(x *Exchange) error {
			x.AuthorizerError = "no token"
			return Unauthorized("Bearer", errors.New("no token in the request"))
		})},
		&Route{Key: "GET /403", Integration: act(answered), AuthorizationType: "AWS_IAM", Authorizer: act(func(x *Exchange) error {
			x.Identity, x.AuthorizerError = known, "the policy says no" // known, but not allowed
			return Forbidden("", errors.New("denied"))
		})},
		&Route{Key: "GET /undecided", Integration: act(answered), AuthorizationType: "CUSTOM", Authorizer: act(func(*Exchange) error { return nil })},
		&Route{Key: "GET /none"},
		&Route{Key: "GET /503", Integration: act(func(x *Exchange) error {
			x.Integration.Error = "connection refused"
			return ServiceUnavailable(errors.New("dial: refused"))
		})},
		&Route{Key: "GET /panic", Integration: act(func(*Exchange) error { panic("on purpose") })},
	)
	off := &API{ID: "off", Stages: map[string]*Stage{"live": {APIID: "off", Name: "live", EndpointDisabled: true}}}
	s := recordingServer(50, []*API{api, off, {ID: "bare"}},
		&Domain{Name: "api.test", Mappings: map[string]APIMapping{"v1": {Key: "v1", Destination: Destination{"a", "live"}}, "gone": {Key: "gone", Destination: Destination{"none", "x"}}},
			Rules: []RoutingRule{{ID: "r1", BasePaths: []string{"r"}, StripBasePath: true, Destination: Destination{"a", "live"}}}})
	const on = "a.execute-api.us-east-1.localhost"
	located := func(path string) Located {
		return Located{By: "execute-api host", APIID: "a", Stage: "live", DeploymentID: "d1", Path: path}
	}
	matched := func(key string) *RouteRecord { return &RouteRecord{RouteKey: key} }
	called := func(status int, err string) *IntegrationRecord { return &IntegrationRecord{Status: status, Error: err} }
	for _, tt := range []struct {
		line string
		want Record
	}{
		{"GET b.execute-api.us-east-1.localhost/x", Record{Located: Located{By: "nothing"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: no such API"}}},
		{"GET other.test/x", Record{Located: Located{By: "nothing"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: the host is neither that of an API nor a custom domain name"}}},
		{"GET bare.execute-api.us-east-1.localhost/x", Record{Located: Located{By: "execute-api host", APIID: "bare", Path: "/x"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: no such stage"}}},
		{"GET off.execute-api.us-east-1.localhost/live/x", Record{Located: Located{By: "execute-api host", APIID: "off", Stage: "live", Path: "/x"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: the execute-api endpoint is disabled"}}},
		{"GET " + on + "/live/nope", Record{Located: located("/nope"), Throttle: "granted", Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: no route matches"}}},
		{"GET " + on + "/live/../x", Record{Located: Located{By: "execute-api host", APIID: "a"}, Response: ResponseRecord{Status: 400, Length: 25, Reason: "400 Bad Request: path with a dot segment or a backslash"}}},
		{"GET " + on + "/live/closed", Record{Located: located("/closed"), Route: matched("GET /closed"), Throttle: "refused by the bucket of the route", Response: ResponseRecord{Status: 429, Length: 31, Reason: "429 Too Many Requests: the route has used up its requests"}}},
		{"GET " + on + "/live/allowed", Record{Located: located("/allowed"), Route: matched("GET /allowed"), Throttle: "granted", Authorizer: &AuthRecord{Type: "JWT", Verdict: "allowed"}, Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET " + on + "/live/401", Record{Located: located("/401"), Route: matched("GET /401"), Throttle: "granted", Authorizer: &AuthRecord{Type: "JWT", Verdict: "denied", Reason: "no token"}, Response: ResponseRecord{Status: 401, Length: 26, Reason: "401 Unauthorized: no token in the request"}}},
		{"GET " + on + "/live/403", Record{Located: located("/403"), Route: matched("GET /403"), Throttle: "granted", Authorizer: &AuthRecord{Type: "AWS_IAM", Verdict: "denied", Reason: "the policy says no"}, Response: ResponseRecord{Status: 403, Length: 23, Reason: "403 Forbidden: denied"}}},
		{"GET " + on + "/live/undecided", Record{Located: located("/undecided"), Route: matched("GET /undecided"), Throttle: "granted", Authorizer: &AuthRecord{Type: "CUSTOM", Verdict: "denied"}, Response: ResponseRecord{Status: 500, Length: 35, Reason: "500 Internal Server Error: the authorizer did not say who calls"}}},
		{"GET " + on + "/live/none", Record{Located: located("/none"), Route: matched("GET /none"), Throttle: "granted", Response: ResponseRecord{Status: 500, Length: 35, Reason: "500 Internal Server Error: the route has no target"}}},
		{"GET " + on + "/live/503", Record{Located: located("/503"), Route: matched("GET /503"), Throttle: "granted", Integration: called(0, "connection refused"), Response: ResponseRecord{Status: 503, Length: 33, Reason: "503 Service Unavailable: dial: refused"}}},
		{"GET " + on + "/live/panic", Record{Located: located("/panic"), Route: matched("GET /panic"), Throttle: "granted", Response: ResponseRecord{Status: 500, Length: 35, Reason: "500 Internal Server Error: panic"}}},
		{"GET " + on + "/live/ok/7?a=1&b&a=2&=x&&c=", Record{Query: []string{"a", "b", "a", "c"}, Located: located("/ok/7"), Route: &RouteRecord{"GET /ok/{id}", map[string]string{"id": "7"}}, Throttle: "granted", Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET " + on + "/live/g/x%20y/1/2", Record{Path: "/live/g/x%20y/1/2", Located: located("/g/x y/1/2"), Route: &RouteRecord{"GET /g/{a}/{rest+}", map[string]string{"a": "x y", "rest": "1/2"}}, Throttle: "granted", Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET " + on + "/live/mapped", Record{Located: located("/mapped"), Route: matched("GET /mapped"), Throttle: "granted", Mapping: []Mapping{
			{Change: "remove:header.X-Old", Before: "stale"}, {Change: "overwrite:header.X-User", Before: "eve", After: "ada"}, {Change: "append:header.X-More", After: "b"},
			{Change: "overwrite:querystring.page", After: "2"}, {Change: "overwrite:path", Before: "/mapped", After: "/elsewhere"},
		}, Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET localhost/_aws/execute-api/a/live/allowed", Record{Path: "/live/allowed", Located: Located{By: "path form", APIID: "a", Stage: "live", DeploymentID: "d1", Path: "/allowed"}, Route: matched("GET /allowed"), Throttle: "granted", Authorizer: &AuthRecord{Type: "JWT", Verdict: "allowed"}, Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET localhost/_aws/execute-api/a/_aws/execute-api/", Record{Path: "/_aws/execute-api/", Located: Located{By: "path form", APIID: "a", Path: "/_aws/execute-api/"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: no such stage"}}},
		{"GET api.test/v1/ok/7", Record{Located: Located{By: "API mapping", DomainName: "api.test", BasePath: "v1", APIID: "a", Stage: "live", DeploymentID: "d1", Path: "/ok/7"}, Route: &RouteRecord{"GET /ok/{id}", map[string]string{"id": "7"}}, Throttle: "granted", Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET api.test/r/ok/7", Record{Located: Located{By: "routing rule", DomainName: "api.test", BasePath: "r", RoutingRule: "r1", APIID: "a", Stage: "live", DeploymentID: "d1", Path: "/ok/7"}, Route: &RouteRecord{"GET /ok/{id}", map[string]string{"id": "7"}}, Throttle: "granted", Integration: called(200, ""), Response: ResponseRecord{Status: 200, Length: 2}}},
		{"GET api.test/x", Record{Located: Located{By: "domain name", DomainName: "api.test"}, Response: ResponseRecord{Status: 403, Length: 23, Reason: "403 Forbidden: no API mapping or routing rule of the domain name matches"}}},
		{"GET api.test/gone/x", Record{Located: Located{By: "domain name", DomainName: "api.test", BasePath: "gone"}, Response: ResponseRecord{Status: 404, Length: 23, Reason: "404 Not Found: the API that the domain name leads to does not exist"}}},
	} {
		got := s.run(t, tt.line, Field{"X-Old", "stale"}, Field{"X-User", "eve"})
		if got.Authorizer != nil {
			got.Authorizer.Latency = 0
		}
		if got.Integration != nil {
			got.Integration.Latency = 0
		}
		if len(got.RequestID) != 16 || got.Time.IsZero() {
			t.Errorf("%s: id %q at %v", tt.line, got.RequestID, got.Time)
		}
		got.RequestID, got.Time, got.Response.Latency = "", time.Time{}, 0
		_, target, _ := strings.Cut(tt.line, " ")
		host, path, _ := strings.Cut(target, "/")
		path, _, _ = strings.Cut("/"+path, "?")
		want := tt.want
		want.Method, want.Host, want.SourceIP = "GET", host, "192.0.2.7"
		if want.Path == "" {
			want.Path = path
		}
		if !reflect.DeepEqual(got, want) {
			g, _ := json.MarshalIndent(got, "", " ")
			w, _ := json.MarshalIndent(want, "", " ")
			t.Errorf("%s:\ngot  %s\nwant %s", tt.line, g, w)
		}
	}
}

// TestRecordHoldsNoSecrets: however a credential comes in and wherever a mapping puts
// it, it is not in what is remembered.
func TestRecordHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	const (
		bearer = "tok-4f9a7c21"
		jwt    = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2ln"
		basic  = "YWRhOnNlY3JldA=="
		cookie = "sid=c00k1e-value"
		signed = "s1gn4ture+/%value"
	)
	set := func(changes ...Change) act {
		return func(x *Exchange) error {
			for _, c := range changes {
				switch place, name, _ := strings.Cut(c.Name, "."); place {
				case "header":
					x.Mapped.Header = append(x.Mapped.Header, Change{c.Kind, name, c.Value})
				case "querystring":
					x.Mapped.Query = append(x.Mapped.Query, Change{c.Kind, name, c.Value})
				case "path":
					x.Mapped.Path, x.Mapped.HasPath = c.Value, true
				}
			}
			return answered(x)
		}
	}
	over := func(name, value string) Change { return Change{Overwrite, name, value} }
	for i, tt := range []struct {
		name, query string
		header      []Field
		changes     []Change
		secret      string
	}{
		{"field", "", []Field{{"Authorization", "Bearer " + bearer}}, nil, bearer},
		{"JWT", "", []Field{{"Authorization", jwt}}, nil, jwt},
		{"cookie", "", []Field{{"Cookie", cookie}}, nil, "c00k1e"},
		{"query", "access_token=" + bearer, nil, nil, bearer},
		{"query of any name", "q=" + bearer, nil, nil, bearer},
		{"nothing but a long text", bearer + strings.Repeat("x", 40), nil, nil, bearer},
		{"nothing but a JWT", jwt, nil, nil, jwt},
		{"JWT for a name", jwt + "=1", nil, nil, jwt},
		{"mapped from the field", "", []Field{{"Authorization", "Bearer " + bearer}}, []Change{over("header.X-Copy", "Bearer "+bearer)}, bearer},
		{"mapped without the scheme", "", []Field{{"Authorization", "Bearer " + bearer}}, []Change{over("header.X-Copy", bearer)}, bearer},
		{"mapped within more", "", []Field{{"aUTHORIZATION", "Bearer " + bearer}}, []Change{{Append, "header.X-Copy", "for " + bearer + " only"}}, bearer},
		{"mapped into the query", "", []Field{{"Authorization", "Basic " + basic}}, []Change{over("querystring.q", basic)}, basic},
		{"mapped into the path", "", []Field{{"X-Api-Key", bearer}}, []Change{over("path", "/x/"+bearer)}, bearer},
		{"mapped from a cookie", "", []Field{{"Cookie", cookie}}, []Change{over("header.X-Copy", cookie)}, "c00k1e"},
		{"mapped from the query", "token=" + bearer, nil, []Change{over("header.X-Copy", bearer)}, bearer},
		{"mapped from an escaped query", "X-Amz-Signature=s1gn4ture%2B%2F%25value", nil, []Change{over("header.X-Copy", signed)}, "s1gn4ture"},
		{"mapped to a sensitive name", "", nil, []Change{over("header.X-Api-Key", bearer)}, bearer},
		{"mapped to a sensitive parameter", "", nil, []Change{over("querystring.client_secret", bearer)}, bearer},
		{"overwritten", "", []Field{{"X-Session-Id", bearer}}, []Change{over("header.x-session-id", "none")}, bearer},
		{"removed", "", []Field{{"Authorization", "Bearer " + bearer}}, []Change{{Remove, "header.Authorization", ""}}, bearer},
		{"overwritten, of another name", "", []Field{{"Authorization", "Bearer " + bearer}, {"X-Copy", bearer}}, []Change{over("header.X-Copy", "none")}, bearer},
		{"a JWT from anywhere", "", []Field{{"X-Any", jwt}}, []Change{over("header.X-Other", "a "+jwt), {Remove, "header.X-Any", ""}}, jwt},
	} {
		s := recordingServer(3, []*API{recordedAPI(t, "live", &Route{Key: "GET /x", Integration: set(tt.changes...)})})
		line := "GET " + limitedHost + "/live/x"
		if tt.query != "" {
			line += "?" + tt.query
		}
		r := s.run(t, line, tt.header...)
		if r.Response.Status != 200 || len(r.Mapping) != len(tt.changes) {
			t.Fatalf("%d %s: status %d, %d mappings", i, tt.name, r.Response.Status, len(r.Mapping))
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), tt.secret) {
			t.Errorf("%s: %s", tt.name, b)
		}
	}
	// What is no secret is shown.
	s := recordingServer(3, []*API{recordedAPI(t, "live", &Route{Key: "GET /x", Integration: set(over("header.X-User", "ada"), over("path", "/y"))})})
	r := s.run(t, "GET "+limitedHost+"/live/x?page=2&flag", Field{"Authorization", "x"}, Field{"X-User", "eve"})
	if want := []Mapping{{"overwrite:header.X-User", "eve", "ada"}, {"overwrite:path", "/x", "/y"}}; !reflect.DeepEqual(r.Mapping, want) || !reflect.DeepEqual(r.Query, []string{"page", "flag"}) {
		t.Errorf("got %+v and %q", r.Mapping, r.Query)
	}
}

// TestRecords: the newest come first, as many as are asked for, and the oldest go.
func TestRecords(t *testing.T) {
	t.Parallel()
	s := recordingServer(4, []*API{recordedAPI(t, "live", &Route{Key: "GET /{n}", Integration: act(answered)})})
	paths := func(n int) string {
		var list []string
		for _, r := range s.Records(n) {
			list = append(list, strings.TrimPrefix(r.Path, "/live/"))
		}
		return strings.Join(list, " ")
	}
	if got := s.Records(10); got != nil {
		t.Errorf("before the first: %v", got)
	}
	var ids []string
	for i, want := range []string{"1", "2 1", "3 2 1", "4 3 2 1", "5 4 3 2", "6 5 4 3"} {
		ids = append(ids, s.run(t, fmt.Sprint("GET ", limitedHost, "/live/", i+1)).RequestID)
		if got := paths(10); got != want {
			t.Errorf("after %d: got %q, want %q", i+1, got, want)
		}
	}
	for n, want := range map[int]string{-1: "", 0: "", 1: "6", 2: "6 5", 4: "6 5 4 3", 5: "6 5 4 3"} {
		if got := paths(n); got != want {
			t.Errorf("%d of them: got %q, want %q", n, got, want)
		}
	}
	for i, id := range ids {
		if r, ok := s.Record(id); ok != (i >= 2) || ok && r.Path != fmt.Sprint("/live/", i+1) {
			t.Errorf("request %d: %t %s", i+1, ok, r.Path)
		}
	}
	if _, ok := s.Record(""); ok {
		t.Error("there is a request without an id")
	}
	// One that has its place but is not written yet is left out, and so is the one whose
	// place it takes.
	s.records.next.Add(1)
	if got := paths(10); got != "6 5 4" {
		t.Errorf("while one is being written: got %q", got)
	}
	if !s.Remembers() {
		t.Error("the server remembers nothing")
	}
	none := recordingServer(0, nil)
	if _, ok := none.Record("x"); ok || none.Remembers() || none.Records(5) != nil {
		t.Error("a server remembers what it should not")
	}
}

// TestRecordsWhileServing: readers see whole records, in order, while the ring goes
// round under them.
func TestRecordsWhileServing(t *testing.T) {
	t.Parallel()
	s := recordingServer(5, []*API{recordedAPI(t, "live", &Route{Key: "GET /{n}", Integration: act(answered)})})
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			x := &Exchange{server: s, transport: empty{}}
			for i := range 500 {
				path := []byte(fmt.Sprintf("/live/%d-%d", w, i)) // the transport reuses it
				x.ID, x.Start = requestID(&x.idBuf), time.Now()
				x.Request = Request{Method: "GET", Host: limitedHost, Path: text(path), Query: text(path[1:])}
				s.handle(x, nil)
				s.finish(x)
				x.end()
				clear(path)
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, r := range s.Records(10) {
					n := strings.TrimPrefix(r.Path, "/live/")
					if r.Route == nil || r.Route.Variables["n"] != n || n == "" || r.Response.Status != 200 || len(r.RequestID) != 16 || r.Query[0] != r.Path[1:] {
						t.Errorf("a record that is not whole: %+v", r)
						return
					}
					if again, ok := s.Record(r.RequestID); ok && again.Path != r.Path {
						t.Errorf("the record of another request: %s, want %s", again.Path, r.Path)
						return
					}
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if got := len(s.Records(10)); got != 5 {
		t.Errorf("%d are remembered", got)
	}
}

// TestRecordIsBounded: what clients send makes a record no longer than its texts may
// be, and the room for it goes again.
func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	s := recordingServer(1, []*API{recordedAPI(t, "live", &Route{Key: "$default", Integration: act(answered)})})
	long := strings.Repeat("x", 9000)
	if r := s.run(t, "GET "+limitedHost+"/live/"+long+"?"+strings.Repeat("q=1&", 2000)); len(r.Path) != maxRecorded || len(r.Located.Path) != maxRecorded || len(r.Query) > maxRecorded/2 {
		t.Errorf("path %d, route path %d, %d parameters", len(r.Path), len(r.Located.Path), len(r.Query))
	}
	s.records.slots[0].buf = make([]byte, 0, 2*keepRecord)
	s.run(t, "GET "+limitedHost+"/live/x")
	if n := cap(s.records.slots[0].buf); n > keepRecord {
		t.Errorf("%d bytes stay", n)
	}
}

// plainExchange returns a finished exchange as most are: one route, one variable, no
// mapping.
func plainExchange(t testing.TB) *Exchange {
	s := recordingServer(64, []*API{recordedAPI(t, "live", &Route{Key: "GET /pets/{id}", Integration: act(answered)})})
	x := &Exchange{server: s, transport: empty{}, Start: time.Now()}
	x.ID = requestID(&x.idBuf)
	x.Request = Request{Method: "GET", Host: limitedHost, Path: "/live/pets/7", Query: "verbose=true", Peer: netip.MustParseAddrPort("192.0.2.7:1234"),
		Header: []Field{{"Host", limitedHost}, {"Authorization", "Bearer x"}, {"Cookie", "a=b"}}}
	s.handle(x, nil)
	return x
}

// TestKeepAllocates: remembering a request costs no memory once the ring is full.
func TestKeepAllocates(t *testing.T) {
	x := plainExchange(t)
	for range 64 {
		x.server.records.keep(x)
	}
	if n := testing.AllocsPerRun(200, func() { x.server.records.keep(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkKeepRecord(b *testing.B) {
	x := plainExchange(b)
	for range 64 {
		x.server.records.keep(x)
	}
	b.ReportAllocs()
	for b.Loop() {
		x.server.records.keep(x)
	}
}
