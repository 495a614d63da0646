package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock/internal/model"
	"penstock/internal/policy"
	"penstock/internal/store"
)

// Every operation of the model is built.
func TestEveryOperation(t *testing.T) {
	label := regexp.MustCompile(`\{[^}]+\}`)
	var left []string
	for _, op := range model.Operations {
		got, labels := match(op.Method, label.ReplaceAllString(op.Path, "x1"))
		if got != op {
			t.Errorf("%s: %s %s does not lead to it", op.Name, op.Method, op.Path)
			continue
		}
		for name := range labels {
			if !strings.Contains(op.Path, "{"+name+"}") {
				t.Errorf("%s: unknown label %s", op.Name, name)
			}
		}
		if handlers[op.Name] == nil {
			left = append(left, op.Name)
		}
	}
	if len(left) > 0 {
		t.Errorf("%d of %d operations are left: %s", len(left), len(model.Operations), strings.Join(left, " "))
	}
	for name := range handlers {
		if model.FindOperation(name) == nil {
			t.Errorf("%s is built and not in the model", name)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct{ method, path, want, labels string }{
		{"GET", "/v2/apis", "GetApis", ""},
		{"GET", "/v2/apis/", "GetApis", ""},
		{"DELETE", "/v2/apis/", "", ""},
		{"GET", "/v2/apis/a1", "GetApi", "apiId=a1"},
		{"GET", "/v2/apis/a1/", "GetApi", "apiId=a1"},
		{"GET", "/v2/apis//routes", "", ""},
		{"GET", "/v2/apis/a1//", "", ""},
		{"GET", "/v2//apis", "", ""},
		{"GET", "//v2/apis", "", ""},
		{"GET", "/v2", "", ""},
		{"GET", "/", "", ""},
		{"GET", "", "", ""},
		{"GET", "/v2/apis/a1/routes/r1/x", "", ""},
		{"PUT", "/v2/apis/a1/routes", "", ""},
		{"HEAD", "/v2/apis", "", ""},
		{"GET", "/V2/apis", "", ""},
		{"GET", "/v2/apis/a%2Fb", "GetApi", "apiId=a/b"},
		{"GET", "/v2/apis/a1/stages/%24default", "GetStage", "apiId=a1&stageName=$default"},
		{"GET", "/v2/apis/a1/stages/$default", "GetStage", "apiId=a1&stageName=$default"},
		{"DELETE", "/v2/apis/a1/stages/%24default/routesettings/GET%20%2Fpets%2F%7Bid%7D", "DeleteRouteSettings", "apiId=a1&routeKey=GET /pets/{id}&stageName=$default"},
		{"DELETE", "/v2/apis/a1/routes/r1/requestparameters/route.request.header.X%2FY", "DeleteRouteRequestParameter", "apiId=a1&requestParameterKey=route.request.header.X/Y&routeId=r1"},
		{"GET", "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fabc", "GetTags", "resource-arn=arn:aws:apigateway:us-east-1::/apis/abc"},
		{"POST", "/v2/tags/arn:aws:apigateway:us-east-1::/apis/abc", "TagResource", "resource-arn=arn:aws:apigateway:us-east-1::/apis/abc"},
		{"DELETE", "/v2/tags/arn:aws:apigateway:us-east-1::%2Fapis/abc/stages/%24default", "UntagResource", "resource-arn=arn:aws:apigateway:us-east-1::/apis/abc/stages/$default"},
		{"GET", "/v2/tags/", "", ""},
		{"GET", "/v2/domainnames/%2A.example.com", "GetDomainName", "domainName=*.example.com"},
		{"GET", "/v2/apis/%zz", "", ""},
	} {
		op, labels := match(tt.method, tt.path)
		got := ""
		if op != nil {
			got = op.Name
		}
		values := url.Values{}
		for name, value := range labels {
			values.Set(name, value)
		}
		have, _ := url.QueryUnescape(values.Encode())
		if op == nil {
			have = ""
		}
		if got != tt.want || have != tt.labels {
			t.Errorf("%s %s: got %s %s, want %s %s", tt.method, tt.path, got, have, tt.want, tt.labels)
		}
	}
}

func TestAnswerHeaders(t *testing.T) {
	s := newTester(t)
	r := s.do("GET", "/v2/apis", "")
	if r.body != `{"items":[]}` || r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	for name, form := range map[string]string{
		"Content-Type":      `^application/json$`,
		"Content-Length":    `^12$`,
		"x-amzn-RequestId":  `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"x-amz-apigw-id":    `^[A-Za-z0-9_-]{15}=$`,
		"x-amzn-ErrorType":  `^$`,
		"X-Not-A-Header-Ok": `^$`,
	} {
		if got := r.header.Get(name); !regexp.MustCompile(form).MatchString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
	api := s.api("HTTP")
	if r := s.do("DELETE", api, ""); r.status != 204 || r.body != "" || r.header.Get("Content-Type") != "" {
		t.Errorf("delete: got %d %q %q", r.status, r.body, r.header.Get("Content-Type"))
	}
}

func TestUnknownOperation(t *testing.T) {
	s := newTester(t)
	for _, path := range []string{"/", "/v2/nothing", "/v1/apis", "/v2/apis/a/b/c/d/e/f"} {
		r := s.do("GET", path, "")
		if r.status != 404 || r.header.Get("x-amzn-ErrorType") != "UnknownOperationException" {
			t.Errorf("%s: got %d %v", path, r.status, r.header)
		}
	}
}

// What cannot be read is refused, changes nothing, and the server goes on.
func TestBadBodies(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.integration(api)
	for _, tt := range []struct{ name, body, message string }{
		{"cut off", `{"name":`, "the body is not JSON: byte 8: unexpected end of JSON input"},
		{"not an object", `[1]`, "the body: must be an object"},
		{"wrong type", `{"name":1}`, "name: must be a string"},
		{"wrong type inside", `{"corsConfiguration":{"allowMethods":"GET"}}`, "corsConfiguration.allowMethods: must be a list"},
		{"too deep", strings.Repeat(`{"a":`, 65), "the body nests deeper than 64 levels"},
		{"too long", `{"description":"` + strings.Repeat("x", 1025) + `"}`, "Invalid request input: description must have 0 to 1024 characters"},
		{"not one of", `{"ipAddressType":"ipv5"}`, "Invalid request input: ipAddressType must be one of [ipv4, dualstack]"},
		{"out of range", `{"corsConfiguration":{"maxAge":86401}}`, "Invalid request input: corsConfiguration.maxAge must be between -1 and 86400"},
	} {
		s.refuse(400, tt.message, "PATCH", api, tt.body)
	}
	s.refuse(400, "Invalid request input: integrationType is required", "POST", api+"/integrations", ``)
	s.refuse(400, "Invalid request input: routeKey is required", "POST", api+"/routes", `{"RouteKey":"GET /"}`)
	s.call(200, "PATCH", api, `{"unknown":{"a":[1,2,{"b":null}]},"apiId":"other","createdDate":7}`)
}

func TestBodyLimit(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	space := func(n int) string { return `{"name":"big"` + strings.Repeat(" ", n-len(`{"name":"big"}`)) + "}" }
	s.call(200, "PATCH", api, space(maxBody))
	s.refuse(413, "Request Entity Too Large", "PATCH", api, space(maxBody+1))

	// A body of unknown length is cut off at the limit.
	endless := &counter{}
	r := httptest.NewRequest("PATCH", "http://localhost"+api, endless)
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	if w.Code != 413 || endless.n > maxBody+1<<20 {
		t.Errorf("got %d after %d bytes", w.Code, endless.n)
	}

	// What is announced and too long is not read at all.
	endless = &counter{}
	r = httptest.NewRequest("PATCH", "http://localhost"+api, endless)
	r.ContentLength = maxBody + 1
	w = httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	if w.Code != 413 || endless.n > 0 || w.Header().Get("Connection") != "close" {
		t.Errorf("got %d after %d bytes", w.Code, endless.n)
	}

	// Bodies in memory are bounded together.
	if !s.server.bodies.TryAcquire(maxBodies - 10) {
		t.Fatal("bodies are still accounted for")
	}
	s.refuse(429, "Too Many Requests", "PATCH", api, `{"name":"0123456789"}`)
	s.server.bodies.Release(maxBodies - 10)
	s.call(200, "PATCH", api, `{"name":"0123456789"}`)
}

// A counter is a body without end.
type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	c.n += len(p)
	return len(p), nil
}

func TestBodyErrors(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct {
		err    error
		status int
	}{
		{context.DeadlineExceeded, 408},
		{io.ErrUnexpectedEOF, 400},
	} {
		r := httptest.NewRequest("POST", "http://localhost/v2/apis", io.MultiReader(strings.NewReader("{"), failing{tt.err}))
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%v: got %d %s", tt.err, w.Code, w.Body)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type authError struct{ code, text string }

func (e authError) Error() string { return e.text }
func (e authError) Code() string  { return e.code }

type authenticator func(r *http.Request, body []byte) (Principal, error)

func (a authenticator) Authenticate(r *http.Request, body []byte) (Principal, error) {
	return a(r, body)
}

// Nothing is said about what is there before it is known who asks.
func TestAuthenticationComesFirst(t *testing.T) {
	var seen []byte
	s := newTester(t, func(o *Options) {
		o.Authenticator = authenticator(func(r *http.Request, body []byte) (Principal, error) {
			seen = bytes.Clone(body)
			switch r.Header.Get("Authorization") {
			case "":
				return Principal{}, authError{"MissingAuthenticationTokenException", "Missing Authentication Token"}
			case "broken":
				return Principal{}, errors.New("the keys cannot be read")
			default:
				return Principal{Name: "AKID"}, nil
			}
		})
	})
	send := func(authorization, method, path, body string) reply {
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		return reply{w.Code, w.Header(), w.Body.String()}
	}
	for _, path := range []string{"/v2/apis", "/v2/apis/unknown000", "/v2/nothing", "/v2/vpclinks"} {
		r := send("", "GET", path, "")
		if r.status != 403 || r.header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" || r.body != `{"message":"Missing Authentication Token"}` {
			t.Errorf("%s: got %d %s", path, r.status, r.body)
		}
	}
	if r := send("broken", "GET", "/v2/apis", ""); r.status != 500 || r.body != `{"message":"Internal Server Error"}` {
		t.Errorf("broken: got %d %s", r.status, r.body)
	}
	if r := send("ok", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`); r.status != 201 || string(seen) != `{"name":"n","protocolType":"HTTP"}` {
		t.Errorf("ok: got %d %s, body %s", r.status, r.body, seen)
	}
	commits, err := s.store.Read(t.Context(), 0)
	if err != nil || len(commits) != 1 || commits[0].Actor != "AKID" {
		t.Errorf("got %+v, %v", commits, err)
	}
}

// Some operations have a rate of their own, if asked for. Who may not call one takes
// nothing from who may.
func TestOperationRates(t *testing.T) {
	now := testTime
	var caller Principal
	s := newTester(t, func(o *Options) {
		o.OperationRates = true
		o.Now = func() time.Time { return now }
		o.Authenticator = authenticator(func(*http.Request, []byte) (Principal, error) { return caller, nil })
	})
	const body = `{"name":"n","subnetIds":["s"]}`
	caller.Policy = new(policy.Document) // allows nothing
	for range 2 {
		s.call(403, "POST", "/v2/vpclinks", body)
	}
	caller.Policy = nil
	s.call(201, "POST", "/v2/vpclinks", body)
	for range 2 {
		if r := s.do("POST", "/v2/vpclinks", body); r.status != 429 || r.header.Get("Retry-After") != "15" {
			t.Fatalf("got %d %s %v", r.status, r.body, r.header)
		}
	}
	s.call(200, "GET", "/v2/vpclinks", "")
	now = now.Add(15 * time.Second)
	s.call(201, "POST", "/v2/vpclinks", body)
	for name := range operationRates {
		if model.FindOperation(name) == nil {
			t.Errorf("%s is no operation", name)
		}
	}
}

func TestRateLimit(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) {
		o.Rate, o.Burst = 0.5, 2
		o.Now = func() time.Time { return now }
	})
	s.call(200, "GET", "/v2/apis", "")
	s.call(200, "GET", "/v2/apis", "")
	r := s.do("GET", "/v2/apis", "")
	if r.status != 429 || r.header.Get("x-amzn-ErrorType") != "TooManyRequestsException" || r.body != `{"message":"Too Many Requests"}` || r.header.Get("Retry-After") != "2" {
		t.Errorf("got %d %s %v", r.status, r.body, r.header)
	}
	now = now.Add(2 * time.Second)
	s.call(200, "GET", "/v2/apis", "")
}

// brokenStore panics or fails where it is told to.
type brokenStore struct {
	store.Store
	get func()
}

func (b brokenStore) Get(key string) (store.Document, bool) {
	b.get()
	return b.Store.Get(key)
}

func TestPanicIsAnInternalError(t *testing.T) {
	var observed []string
	s := newTester(t, func(o *Options) {
		o.Store = brokenStore{o.Store, func() { panic("boom") }}
		o.Observe = func(operation string, status int, took time.Duration) {
			if status != 500 && status != 404 || took < 0 {
				t.Errorf("%s: status %d after %v", operation, status, took)
			}
			observed = append(observed, operation)
		}
	})
	r := s.do("GET", "/v2/apis/abc", "")
	if r.status != 500 || r.body != `{"message":"Internal Server Error"}` || r.header.Get("x-amzn-ErrorType") != "InternalServerErrorException" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.do("GET", "/nowhere", "")
	if want := []string{"GetApi", ""}; strings.Join(observed, ",") != strings.Join(want, ",") {
		t.Errorf("observed %q, want %q", observed, want)
	}
}

func FuzzFront(f *testing.F) {
	for _, path := range []string{"/v2/apis", "/v2/apis/a1/stages/%24default", "/v2/tags/arn%3Aaws%3Aapigateway%3A%3A%3A%2Fapis%2Fa", "/v2/apis/a1/routes?maxResults=x&nextToken=AAAA", "//", "/v2/apis/a%00"} {
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
			f.Add(method, path, `{"name":"n","protocolType":"HTTP","target":"https://x"}`)
		}
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !token.MatchString(method) {
			return // no request that a server passes on
		}
		s := newTester(t)
		r := httptest.NewRequest("GET", "http://localhost/", strings.NewReader(body))
		r.Method, r.URL = method, u
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 500 {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	})
}
