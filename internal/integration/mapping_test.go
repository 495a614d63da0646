package integration_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/route"
)

// mapped returns a route to a backend with a request mapping, given as keys and values
// in turns, and a response mapping.
func mapped(t testing.TB, c *integration.Client, key, uri string, request []string, response map[string]map[string]string) target {
	t.Helper()
	k, err := route.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{}
	for i := 0; i < len(request); i += 2 {
		parameters[request[i]] = request[i+1]
	}
	scope := mapping.Scope{Vars: k.Vars(), Variables: map[string]string{"environmentId": "prod"}}
	spec := integration.HTTPSpec{URI: uri}
	if spec.Request, err = mapping.CompileRequest(parameters, scope); err != nil {
		t.Fatal(err)
	}
	if spec.Response, err = mapping.CompileResponse(response, scope); err != nil {
		t.Fatal(err)
	}
	return proxyWith(t, c, key, spec)
}

// A watched integration is called with what came before it, such as an authorizer,
// and shows what it leaves behind.
type watched struct {
	gateway.Integration
	before func(*gateway.Exchange)
	after  func(*gateway.Exchange, error)
}

func (w watched) Invoke(x *gateway.Exchange) error {
	if w.before != nil {
		w.before(x)
	}
	err := w.Integration.Invoke(x)
	if w.after != nil {
		w.after(x, err)
	}
	return err
}

// TestMappedRequest: what the backend gets of a mapped request.
func TestMappedRequest(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	client := newClient(t)
	for _, tt := range []struct {
		name, key, uri string
		mapping        []string
		ask            string
		more           []string
		line           string   // "" for 400
		fields         []string // names, and what the backend has of them
	}{
		{"append a header", "$default", "", []string{"append:header.a", "$request.header.b"}, "GET /x", []string{"a: 1", "b: 2", "B: 3"}, "GET /x", []string{"a", "1 | 2,3", "b", "2 | 3"}},
		{"rename a header", "$default", "", []string{"append:header.header2", "$request.header.header1", "remove:header.header1", "''"}, "GET /x", []string{"Header1: v"}, "GET /x", []string{"header1", "", "header2", "v"}},
		{"overwrite a header", "$default", "", []string{"overwrite:header.User-Agent", "u"}, "GET /x", []string{"user-agent: x", "User-Agent: y", "User_Agent: z"}, "GET /x", []string{"User-Agent", "u", "User_Agent", ""}},
		{"an alias of what is appended stays", "$default", "", []string{"append:header.a-b", "u"}, "GET /x", []string{"a_b: x"}, "GET /x", []string{"a-b", "u", "a_b", "x"}},
		{"a mapped alias leaves the name", "$default", "", []string{"overwrite:header.a_b", "$request.header.a-b"}, "GET /x", []string{"a-b: x"}, "GET /x", []string{"a-b", "x", "a_b", "x"}},
		{"named in Connection", "$default", "", []string{"overwrite:header.a", "u"}, "GET /x", []string{"Connection: a", "a: x"}, "GET /x", []string{"a", "u"}},
		{"content type", "$default", "", []string{"overwrite:header.content-type", "text/plain"}, "POST /x", []string{"Content-Type: a/b", "\nhi"}, "POST /x", []string{"Content-Type", "text/plain", "Content-Length", "2"}},
		{"host", "$default", "", []string{"overwrite:header.Host", "backend.internal"}, "GET /x", nil, "GET /x", []string{"Host", "backend.internal"}},
		{"host stays", "$default", "", []string{"remove:header.Host", "''"}, "GET /x", nil, "GET /x", []string{"Host", b.addr}},
		{"x-forwarded-port", "$default", "", []string{"overwrite:header.X-Forwarded-Port", "1"}, "GET /x", []string{"X-Forwarded-Port: 2"}, "GET /x", []string{"X-Forwarded-Port", "1"}},
		{"body", "$default", "", []string{"append:header.x-id", "$request.body.user.id"}, "POST /x", []string{"\n" + `{"user":{"id":7}}`}, "POST /x", []string{"x-id", "7"}},
		{"long body", "$default", "", []string{"append:header.x-id", "$request.body.id"}, "POST /x", []string{"\n" + `{"id":7,"x":"` + strings.Repeat("x", 300<<10) + `"}`}, "POST /x", []string{"x-id", "7"}},

		{"append to a query", "$default", "", []string{"append:querystring.stage", "$context.stage"}, "GET /x?a=1", nil, "GET /x?a=1&stage=%24default", nil},
		{"append to no query", "$default", "", []string{"append:querystring.a", "b"}, "GET /x", nil, "GET /x?a=b", nil},
		{"66", "$default", "", []string{"overwrite:querystring.a", "x"}, "GET /x?a=1&a=2&b=3", nil, "GET /x?a=x&b=3", nil},
		{"remove from a query", "$default", "", []string{"remove:querystring.b", "''"}, "GET /x?a=1&b=2&b=3", nil, "GET /x?a=1", nil},
		{"remove all of a query", "$default", "", []string{"remove:querystring.b", "''"}, "GET /x?b=2", nil, "GET /x", nil},
		{"remove all but the query of the URI", "$default", "/p?u=1", []string{"remove:querystring.b", "''"}, "GET /x?b=2", nil, "GET /p/x?u=1", nil},
		{"the query of the URI comes first", "$default", "/p?u=1", []string{"overwrite:querystring.u", "2"}, "GET /x?u=3&b", nil, "GET /p/x?u=1&u=2&b", nil},
		{"a query that is not touched", "$default", "", []string{"append:querystring.a", "$request.header.none"}, "GET /x?b=c+d&&%zz", nil, "GET /x?b=c+d&&%zz", nil},
		{"a query cannot break out", "$default", "", []string{"overwrite:querystring.a", "$request.header.b"}, "GET /x?a=1", []string{"b: 1&c=2 HTTP/1.1#"}, "GET /x?a=1%26c%3D2%20HTTP%2F1.1%23", nil},

		{"61 path without the stage", "$default", "/base", []string{"overwrite:path", "$request.path"}, "GET /live/a/b?x=1", nil, "GET /a/b?x=1", nil},
		{"path of variables", "GET /pets/{id}", "/other", []string{"overwrite:path", "/v2/${request.path.id}"}, "GET /pets/7", nil, "GET /v2/7", nil},
		{"path is escaped once", "GET /pets/{id}", "", []string{"overwrite:path", "/v2/${request.path.id}?x#%41"}, "GET /pets/a%20b%C3%A9", nil, "GET /v2/a%20b%C3%A9%3Fx%23%2541", nil},
		{"path with a dot segment", "$default", "", []string{"overwrite:path", "/a/${request.header.b}"}, "GET /x", []string{"b: ../admin"}, "", nil},
		{"path with a backslash", "$default", "", []string{"overwrite:path", "/a/${request.header.b}"}, "GET /x", []string{`b: ..\admin`}, "", nil},
		{"path with an escaped dot segment", "$default", "", []string{"overwrite:path", "/a/${request.querystring.b}"}, "GET /x?b=%252e%252e%252Fadmin", nil, "", nil},
		{"line end in a header", "$default", "", []string{"append:header.a", "$request.querystring.a"}, "GET /x?a=1%0d%0aX-User:%20admin", nil, "", nil},
		{"line end in a path", "$default", "", []string{"overwrite:path", "/${request.querystring.a}"}, "GET /x?a=1%0d%0aX-User:%20admin", nil, "", nil},
		{"line end in a host", "$default", "", []string{"overwrite:header.Host", "$request.querystring.a"}, "GET /x?a=1%0d%0aX-User:%20admin", nil, "", nil},

		{"segments of a greedy variable", "GET /in/{proxy+}", "/base/{proxy}", nil, "GET /in/a/b", nil, "GET /base/a/b", nil},
		{"a greedy variable makes no dot segment", "GET /in/{proxy+}", "/base/..{proxy}", nil, "GET /in//admin", nil, "", nil},
		{"text before a greedy variable", "GET /in/{proxy+}", "/base/..{proxy}", nil, "GET /in/a/b", nil, "GET /base/..a/b", nil},
		{"variables side by side", "GET /in/{a}/{b}", "/base/{a}{b}", nil, "GET /in/x./.y", nil, "GET /base/x..y", nil},
	} {
		addr := serve(t, gateway.Config{}, mapped(t, client, tt.key, b.url()+tt.uri, tt.mapping, nil))
		a := ask(t, addr, tt.ask, tt.more...)
		if tt.line == "" {
			if got := b.take(); a.StatusCode != 400 || len(got) != 0 {
				t.Errorf("%s: status %d, backend got %v", tt.name, a.StatusCode, got)
			}
			continue
		}
		if a.StatusCode != 200 {
			t.Errorf("%s: status %d", tt.name, a.StatusCode)
			b.take()
			continue
		}
		got := b.one()
		if got.line != tt.line {
			t.Errorf("%s: backend got %q, want %q", tt.name, got.line, tt.line)
		}
		for i := 0; i < len(tt.fields); i += 2 {
			if v := got.field(tt.fields[i]); v != tt.fields[i+1] {
				t.Errorf("%s: backend got %s: %q, want %q", tt.name, tt.fields[i], v, tt.fields[i+1])
			}
		}
	}
}

// TestMappedIdentity: who the caller is comes from the authorizer or not at all.
func TestMappedIdentity(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	to := mapped(t, newClient(t), "$default", b.url(), []string{
		"overwrite:header.X-User", "$context.authorizer.claims.sub",
		"overwrite:header.X-Tenant", "tenant ${context.authorizer.claims.tenant}",
		"overwrite:querystring.user", "$context.authorizer.claims.sub"}, nil)
	var identity *gateway.Identity
	to.in = watched{Integration: to.in, before: func(x *gateway.Exchange) { x.Identity = identity }}
	addr := serve(t, gateway.Config{}, to)
	for _, tt := range []struct {
		name               string
		claims             []gateway.Field
		line, user, tenant string
	}{
		{"no claim", nil, "GET /?q=1", "", "tenant "},
		{"claims", []gateway.Field{{Name: "sub", Value: "u1"}, {Name: "tenant", Value: "t1"}}, "GET /?user=u1&q=1", "u1", "tenant t1"},
	} {
		identity = &gateway.Identity{JWT: &gateway.JWTIdentity{Claims: tt.claims}}
		ask(t, addr, "GET /?user=admin&q=1&us%65r=root", "X-User: admin", "x-user: root", "X_User: admin", "x-tenant: admin", "x_tenant: admin")
		got := b.one()
		if got.line != tt.line || got.field("X-User") != tt.user || got.field("X-Tenant") != tt.tenant || got.field("X_User")+got.field("X_Tenant") != "" {
			t.Errorf("%s: backend got %q %q", tt.name, got.line, got.fields)
		}
	}
}

// TestMappedResponse: what the client gets of a mapped answer.
func TestMappedResponse(t *testing.T) {
	t.Parallel()
	example := map[string]map[string]string{
		"500": {"append:header.header1": "$context.requestId", "overwrite:statuscode": "403"},
		"404": {"append:header.error": "$stageVariables.environmentId"},
	}
	body := map[string]map[string]string{"200": {"append:header.id": "$response.body.id"}}
	long := `{"id":"7","x":"` + strings.Repeat("x", 90<<10) + `"}`
	longer := `{"id":"7","x":"` + strings.Repeat("x", 300<<10) + `"}`
	length := func(status, body string) string {
		return fmt.Sprintf("HTTP/1.1 %s\r\nServer: x\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
	}
	chunked := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	for _, tt := range []struct {
		name    string
		mapping map[string]map[string]string
		method  string
		answer  string
		status  int
		header  []string
		body    string
	}{
		{"76", example, "GET", length("500 X", `{"e":1}`), 403, []string{"Header1", "ID"}, `{"e":1}`},
		{"77", example, "GET", length("404 Not Found", ""), 404, []string{"Error", "prod"}, ""},
		{"no mapping", example, "GET", length("200 OK", "ok"), 200, []string{"Error", "", "Header1", "", "Server", "x"}, "ok"},
		{"78", map[string]map[string]string{"200": {"overwrite:statuscode": "201"}, "201": {"append:header.z": "1"}}, "GET", ok, 201, []string{"Z", ""}, "ok"},
		{"remove", map[string]map[string]string{"200": {"remove:header.server": "''"}}, "GET", length("200 OK", "ok"), 200, []string{"Server", ""}, "ok"},
		{"body", body, "GET", length("200 OK", `{"id":7}`), 200, []string{"Id", "7"}, `{"id":7}`},
		{"body of 90 KiB", body, "GET", length("200 OK", long), 200, []string{"Id", "7"}, long},
		{"body of 300 KiB", body, "GET", length("200 OK", longer), 200, []string{"Id", "7"}, longer},
		{"body in chunks", body, "GET", chunked(`{"id":7}`), 200, []string{"Id", "7"}, `{"id":7}`},
		{"body of 90 KiB in chunks", body, "GET", chunked(long), 200, []string{"Id", "7"}, long},
		{"body of 300 KiB in chunks", body, "GET", chunked(longer), 200, []string{"Id", "7"}, longer},
		{"no body", body, "HEAD", length("200 OK", `{"id":7}`)[:len("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 8\r\n\r\n")], 200, []string{"Id", "", "Content-Length", "8"}, ""},
		{"to a status without a body", map[string]map[string]string{"200": {"overwrite:statuscode": "204"}}, "GET", length("200 OK", longer), 204, []string{"Content-Length", ""}, ""},
		{"from a status without a body", map[string]map[string]string{"204": {"overwrite:statuscode": "200"}}, "GET", "HTTP/1.1 204 No Content\r\n\r\n", 200, []string{"Content-Length", "0"}, ""},
		{"status of the body", map[string]map[string]string{"200": {"overwrite:statuscode": "$response.body.s"}}, "GET", length("200 OK", `{"s":"x"}`), 500, []string{"Server", ""}, `{"message":"Internal Server Error"}`},
		{"line end", body, "GET", length("200 OK", `{"id":"a\r\nSet-Cookie: b"}`), 500, []string{"Set-Cookie", ""}, `{"message":"Internal Server Error"}`},
		{"a failure is not mapped", map[string]map[string]string{"500": {"append:header.a": "b"}}, "GET", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 500, []string{"A", ""}, `{"message":"Internal Server Error"}`},
	} {
		b := newBackend(t, func(received) string { return tt.answer })
		c := dial(t, serve(t, gateway.Config{}, mapped(t, newClient(t), "$default", b.url(), nil, tt.mapping)))
		for range 2 { // the second one shows that the first has ended where it should
			a := c.ask(tt.method + " /")
			if a.StatusCode != tt.status || a.body != tt.body {
				t.Errorf("%s: got %d, %d bytes %.50q", tt.name, a.StatusCode, len(a.body), a.body)
			}
			for i := 0; i < len(tt.header); i += 2 {
				want := tt.header[i+1]
				if want == "ID" {
					want = a.Header.Get("Apigw-Requestid")
				}
				if got := strings.Join(a.Header.Values(tt.header[i]), " | "); got != want {
					t.Errorf("%s: %s is %q, want %q", tt.name, tt.header[i], got, want)
				}
			}
		}
	}
}

// TestMappedEarlyAnswer: an answer that comes while the request is being sent is
// mapped as well.
func TestMappedEarlyAnswer(t *testing.T) {
	t.Parallel()
	want := `{"id":7,"x":"` + strings.Repeat("x", 200<<10) + `"}`
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		fmt.Fprintf(c, "HTTP/1.1 413 No\r\nContent-Length: %d\r\n\r\n%s", len(want), want)
		io.Copy(io.Discard, br)
		return false
	})
	addr := serve(t, gateway.Config{}, mapped(t, newClient(t), "$default", b.url(), nil, map[string]map[string]string{"413": {"append:header.id": "$response.body.id", "overwrite:statuscode": "400"}}))
	c := dial(t, addr)
	go io.WriteString(c.nc, "POST / HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 9000000\r\n\r\n"+strings.Repeat("x", 9000000))
	if a := c.read("POST"); a.StatusCode != 400 || a.Header.Get("id") != "7" || a.body != want {
		t.Errorf("got %d, id %q, %d bytes", a.StatusCode, a.Header.Get("id"), len(a.body))
	}
}

// TestOutcome: what access logs show of a call, and which answer of the gateway it is.
func TestOutcome(t *testing.T) {
	t.Parallel()
	l := listen(t)
	closed := "http://" + l.Addr().String()
	l.Close()
	for _, tt := range []struct {
		name, answer string
		uri          string
		status       int
		error, kind  string
	}{
		{name: "answer", answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", status: 404},
		{name: "malformed", answer: "HTTP/2.0 200 OK\r\n\r\n", error: "The response of the endpoint is malformed or incomplete", kind: "INTEGRATION_FAILURE"},
		{name: "cut off", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nok", status: 200, error: "The response of the endpoint is malformed or incomplete", kind: "INTEGRATION_FAILURE"},
		{name: "too long", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\nok", status: 200, error: "The response of the endpoint is malformed or incomplete", kind: "INTEGRATION_FAILURE"},
		{name: "refused", uri: closed, error: "The endpoint could not be reached", kind: "INTEGRATION_FAILURE"},
		{name: "silent", answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", error: "Endpoint request timed out", kind: "INTEGRATION_TIMEOUT"},
		{name: "silent in the body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", status: 200, error: "Endpoint request timed out", kind: "INTEGRATION_TIMEOUT"},
	} {
		b := newBackend(t, func(received) string { return tt.answer })
		to := proxyWith(t, newClient(t), "$default", integration.HTTPSpec{URI: cmp.Or(tt.uri, b.url()), Timeout: 200 * time.Millisecond})
		got := make(chan string, 1)
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, err error) {
			kind := ""
			var e *gateway.Error
			if errors.As(err, &e) {
				kind = e.Type
			}
			got <- fmt.Sprint(x.Integration, kind)
		}}
		ask(t, serve(t, gateway.Config{}, to), "GET /")
		want := fmt.Sprint(gateway.IntegrationOutcome{Status: tt.status, ServiceStatus: tt.status, Error: tt.error}, tt.kind)
		if outcome := <-got; outcome != want {
			t.Errorf("%s: got %s, want %s", tt.name, outcome, want)
		}
	}
}

// TestTraceFields: a traced exchange tells the backend of its own trace.
func TestTraceFields(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	const client = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, tt := range []struct {
		name                  string
		trace                 gateway.Trace
		amazon, parent, state string
	}{
		{"none", gateway.Trace{}, "Root=1-x", client, "a=b"},
		{"amazon", gateway.Trace{Amazon: "Root=1-y"}, "Root=1-y", client, "a=b"},
		{"parent", gateway.Trace{Parent: "00-1", State: "c=d"}, "Root=1-x", "00-1", "c=d"},
		{"parent without state", gateway.Trace{Parent: "00-1"}, "Root=1-x", "00-1", ""},
	} {
		to := proxy(t, newClient(t), "$default", b.url())
		to.in = watched{Integration: to.in, before: func(x *gateway.Exchange) { x.Trace = tt.trace }}
		ask(t, serve(t, gateway.Config{}, to), "GET /", "X-Amzn-Trace-Id: Root=1-x", "Traceparent: "+client, "tracestate: a=b")
		got := b.one()
		if have := []string{got.field("X-Amzn-Trace-Id"), got.field("traceparent"), got.field("tracestate")}; !slices.Equal(have, []string{tt.amazon, tt.parent, tt.state}) {
			t.Errorf("%s: got %q", tt.name, have)
		}
	}
}
