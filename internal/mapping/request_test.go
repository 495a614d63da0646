package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

func mustRequest(t testing.TB, x *gateway.Exchange, variables map[string]string, pairs ...string) *Request {
	t.Helper()
	parameters := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		parameters[pairs[i]] = pairs[i+1]
	}
	r, err := CompileRequest(parameters, scopeOf(x, variables))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// changesText writes changes one a line.
func changesText(m *gateway.Mapped) string {
	var lines []string
	for _, c := range m.Header {
		lines = append(lines, fmt.Sprintf("%s header %s=%s", c.Kind, c.Name, c.Value))
	}
	for _, c := range m.Query {
		lines = append(lines, fmt.Sprintf("%s query %s=%s", c.Kind, c.Name, c.Value))
	}
	if m.HasPath {
		lines = append(lines, "path "+m.Path)
	}
	return strings.Join(lines, "\n")
}

func TestRequestApply(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /pets/{id}", "GET /dev/pets/7?q=1", "header1: v", "X: 1", "x: 2", "crlf: a", "\n"+`{"user":{"id":7},"a":{"b":"z"},"lines":"a\r\nb","dots":"..","nul":"\u0000"}`)
	x.Identity = jwt(gateway.Field{Name: "sub", Value: "u1"})
	for _, tt := range []struct {
		name  string
		pairs []string
		want  []string
	}{
		{"64", []string{"append:header.header1", "$context.requestId"}, []string{"append header header1=" + x.ID}},
		{"65 rename", []string{"append:header.header2", "$request.header.header1", "remove:header.header1", "''"}, []string{"remove header header1=", "append header header2=v"}},
		{"rename to what is removed", []string{"append:header.a", "$request.header.header1", "overwrite:header.header1", "$request.header.x"}, []string{"overwrite header header1=1,2", "append header a=v"}},
		{"path without the stage", []string{"overwrite:path", "$request.path"}, []string{"path /pets/7"}},
		{"path of variables", []string{"overwrite:path", "/v2/${request.path.id}"}, []string{"path /v2/7"}},
		{"path without a slash", []string{"overwrite:path", "${request.path.id}"}, []string{"path /7"}},
		{"path of nothing", []string{"overwrite:path", "${request.header.none}"}, []string{"path /"}},
		{"path that is missing", []string{"overwrite:path", "$request.header.none"}, nil},
		{"path that is not escaped here", []string{"overwrite:path", "/a b%2e?x#é"}, []string{"path /a b%2e?x#é"}},
		{"query", []string{"append:querystring.stage", "$context.stage", "overwrite:querystring.a", "x", "remove:querystring.b", "''"}, []string{"remove query b=", "overwrite query a=x", "append query stage=dev"}},
		{"claim", []string{"append:header.x-user", "$context.authorizer.claims.sub"}, []string{"append header x-user=u1"}},
		{"body", []string{"append:header.x-id", "$request.body.user.id"}, []string{"append header x-id=7"}},
		{"75", []string{"append:header.n", "$request.body.a.b"}, []string{"append header n=z"}},
		{"host", []string{"overwrite:header.Host", "backend.internal:81"}, []string{"overwrite header Host=backend.internal:81"}},
		{"a second host", []string{"append:header.host", "b", "remove:header.HOST", ""}, []string{"overwrite header host=b"}},
		{"67", []string{"append:header.h", "$request.header.x"}, []string{"append header h=1,2"}},
		{"68", []string{"append:header.h", "$request.querystring.Q"}, nil},
		{"70", []string{"overwrite:header.h", "x $request.path.id"}, []string{"overwrite header h=x $request.path.id"}},
		{"order of keys", []string{"overwrite:header.b", "1", "overwrite:header.a", "2", "remove:header.d", "", "remove:header.c", ""}, []string{"remove header c=", "remove header d=", "overwrite header a=2", "overwrite header b=1"}},
		{"one header in two cases", []string{"overwrite:header.B", "1", "overwrite:header.b", "2", "append:header.B", "3"}, []string{"overwrite header b=2", "append header B=3"}},
		{"stage variable", []string{"overwrite:header.a", "$stageVariables.v"}, []string{"overwrite header a=1"}},
		{"missing stage variable", []string{"overwrite:header.a", "$stageVariables.w"}, nil},
		{"missing claim", []string{"overwrite:header.b", "1", "overwrite:header.x-user", "$context.authorizer.claims.none", "remove:header.a", ""}, []string{"remove header a=", "remove header x-user=", "overwrite header b=1"}},
		{"missing claim in a query", []string{"overwrite:querystring.user", "$context.authorizer.claims.none"}, []string{"remove query user="}},
		{"missing identity", []string{"overwrite:header.x-user", "$context.identity.userArn"}, []string{"remove header x-user="}},
		{"missing claim in text", []string{"overwrite:header.x-user", "u ${context.authorizer.claims.none}"}, []string{"overwrite header x-user=u "}},
		{"missing claim that is appended", []string{"append:header.x-user", "$context.authorizer.claims.none"}, nil},
		{"control characters in a query", []string{"overwrite:querystring.a", "$request.body.lines"}, []string{"overwrite query a=a\r\nb"}},
		{"a tab", []string{"overwrite:header.a", "b\tc"}, []string{"overwrite header a=b\tc"}},
	} {
		if err := mustRequest(t, x, map[string]string{"v": "1"}, tt.pairs...).Apply(x); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got, want := changesText(&x.Mapped), strings.Join(tt.want, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
	}
	for _, tt := range []struct {
		name  string
		pairs []string
	}{
		{"line end in a header", []string{"append:header.a", "$request.body.lines"}},
		{"NUL in a header", []string{"overwrite:header.a", "x${request.body.nul}"}},
		{"no host", []string{"overwrite:header.host", ""}},
		{"host with a path", []string{"overwrite:header.host", "a/b"}},
		{"host with a space", []string{"overwrite:header.host", "a b"}},
		{"dot segment", []string{"overwrite:path", "/a/${request.body.dots}/b"}},
		{"dot segment at the start", []string{"overwrite:path", ".."}},
		{"dot segment, put together", []string{"overwrite:path", "/a/.${request.path.none}./b"}},
		{"dot segment, escaped", []string{"overwrite:path", "/a/%2e%2E/b"}},
		{"dot segment with a parameter", []string{"overwrite:path", "/a/..;x/b"}},
		{"backslash", []string{"overwrite:path", `/a\b`}},
		{"line end in a path", []string{"overwrite:path", "/${request.body.lines}"}},
	} {
		err := mustRequest(t, x, nil, tt.pairs...).Apply(x)
		var e *gateway.Error
		if !errors.As(err, &e) || e.Status != 400 || x.Mapped.HasPath {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestMuchMapped: many bodies in headers do not add up.
func TestMuchMapped(t *testing.T) {
	t.Parallel()
	x := exchange(t, "POST /", "POST /", "\n"+strings.Repeat("x", gateway.MappedBody))
	for _, tt := range []struct {
		name  string
		pairs []string
		want  int // status, 0 for none
	}{
		{"two", []string{"append:header.a", "$request.body", "append:querystring.b", "$request.body"}, 0},
		{"three headers", []string{"append:header.a", "$request.body", "append:header.b", "$request.body", "append:header.c", "$request.body"}, 400},
		{"in one", []string{"append:header.a", strings.Repeat("${request.body}", 3)}, 400},
		{"everywhere", []string{"append:header.a", "$request.body", "append:querystring.b", "$request.body", "overwrite:path", "$request.body"}, 400},
	} {
		err := mustRequest(t, x, nil, tt.pairs...).Apply(x)
		status := 0
		var e *gateway.Error
		if errors.As(err, &e) {
			status = e.Status
		}
		if status != tt.want {
			t.Errorf("%s: got %v, want %d", tt.name, err, tt.want)
		}
	}
	x.Response = gateway.Response{Status: 200, Body: x.Request.Body}
	r, err := CompileResponse(map[string]map[string]string{"200": {"append:header.a": strings.Repeat("${response.body}", 3)}}, Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(x); err == nil {
		t.Error("three bodies in a header of a response: no error")
	}
}

func TestCompileRequestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, value, want string }{
		{"overwrite:header.Authorization", "x", "reserved"},
		{"append:header.x-amzn-foo", "x", "reserved"},
		{"remove:header.Via", "''", "reserved"},
		{"overwrite:header.x_forwarded_for", "x", "reserved"},
		{"overwrite:header.Content_Length", "1", "reserved"},
		{"overwrite:header.Trailer", "x", "reserved"},
		{"overwrite:header.Proxy-Connection", "x", "reserved"},
		{"overwrite:header.a b", "x", "not the name of a header"},
		{"overwrite:header.a\r\nb", "x", "not the name of a header"},
		{"overwrite:header.", "x", "no name"},
		{"overwrite:header", "x", "not the name of a header"},
		{"append:path", "x", "nothing that a mapping can change"},
		{"remove:path", "x", "nothing that a mapping can change"},
		{"overwrite:path.a", "x", "nothing that a mapping can change"},
		{"overwrite:querystring.", "x", "no name"},
		{"overwrite:querystring", "x", "nothing that a mapping can change"},
		{"overwrite:body", "x", "nothing that a mapping can change"},
		{"overwrite:statuscode", "200", "nothing that a mapping can change"},
		{"header.a", "x", "want append, overwrite or remove"},
		{"overwrite:header.a", "$request.body..name", "want a name"},
	} {
		if r, err := CompileRequest(map[string]string{tt.key: tt.value}, Scope{}); err == nil || r != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%s: got %v, want %q", tt.key, tt.value, err, tt.want)
		}
	}
	if r, err := CompileRequest(nil, Scope{}); r != nil || err != nil || r.ReadsBody() || r.Apply(&gateway.Exchange{}) != nil {
		t.Errorf("a mapping of nothing: %v, %v", r, err)
	}
}

func TestReadsBody(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"$request.body": true, "x${request.body.a}": true, "$request.header.body": false, "body": false} {
		r, err := CompileRequest(map[string]string{"append:header.a": value, "remove:header.b": "$request.body"}, Scope{})
		if err != nil || r.ReadsBody() != want {
			t.Errorf("%s: %v, %v", value, r.ReadsBody(), err)
		}
	}
}

// BenchmarkMapping is what mappings and an access log cost an exchange: three
// headers and a line.
func BenchmarkMapping(b *testing.B) {
	x := logged(b, "GET /pets/{id}", "GET /pets/7?a=b", "User-Agent: bench", "Accept: */*", "X-Token: t")
	x.Identity = jwt(gateway.Field{Name: "scope", Value: "a"}, gateway.Field{Name: "sub", Value: "u1"})
	r := mustRequest(b, x, nil, "append:header.x-id", "$context.requestId", "overwrite:header.x-user", "$context.authorizer.claims.sub", "overwrite:header.x-token", "Bearer ${request.header.x-token}")
	f, err := ParseFormat(FormatJSON)
	if err != nil {
		b.Fatal(err)
	}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		x.Mapped.Text = x.Mapped.Text[:0]
		if err := r.Apply(x); err != nil {
			b.Fatal(err)
		}
		line = f.Append(line[:0], x)
	}
	if len(x.Mapped.Header) != 3 || len(line) < 200 {
		b.Fatalf("%v, %s", x.Mapped.Header, line)
	}
}

// TestAllocations: what runs for every request allocates nothing once its room is
// there.
func TestAllocations(t *testing.T) {
	x := logged(t, "GET /pets/{id}", "GET /pets/a%20b?a=%41&b=2", "X: 1", "x: 2", "\n"+`{"a":{"b":"c"}}`)
	r := mustRequest(t, x, nil, "append:header.a", "$request.header.x", "overwrite:header.b", "${request.path.id} $context.stage", "overwrite:header.c", "$request.querystring.a",
		"overwrite:header.d", "$request.body.a.b", "overwrite:header.e", "$context.authorizer.claims.sub", "overwrite:querystring.a", "x", "overwrite:path", "/${request.path.id}")
	resp, err := CompileResponse(map[string]map[string]string{"200": {"append:header.a": "$context.requestId", "remove:header.b": "", "overwrite:statuscode": "201"}}, Scope{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFormat(FormatCLF + FormatJSON + "$context.domainName $context.requestTimeEpoch $context.path")
	if err != nil {
		t.Fatal(err)
	}
	line, fields := make([]byte, 0, 4096), make([]gateway.Field, 0, 8)
	x.Buffers.Response = fields
	if n := testing.AllocsPerRun(100, func() {
		x.Mapped.Text = x.Mapped.Text[:0]
		if err := r.Apply(x); err != nil {
			t.Fatal(err)
		}
		line = AppendQuery(line[:0], x)
		x.Response = gateway.Response{Status: 200, Header: append(x.Buffers.Response[:0], gateway.Field{Name: "b", Value: "c"})}
		if err := resp.Apply(x); err != nil || x.Response.Status != 201 {
			t.Fatal(err)
		}
		line = f.Append(line[:0], x)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRequestApply: whatever a mapping makes of a request, no header can begin another
// one and no path leads elsewhere.
func FuzzRequestApply(f *testing.F) {
	f.Add("Bearer ${request.header.a}", "/v2/${request.querystring.q}", "x", "q=%2e%2e&q=%0d%0a", `{"a":"\r\n"}`)
	f.Add("$request.body.a", "$request.path", "x", "", `{"a":"\u0000"}`)
	f.Add("${request.body}", "${request.body.a}/${request.header.a}", "../", "", `{"a":"\\"}`)
	f.Fuzz(func(t *testing.T, header, path, value, query, body string) {
		if strings.Contains(header+path, "context.") { // of a server
			return
		}
		r, err := CompileRequest(map[string]string{"overwrite:header.a": header, "append:header.Host": header, "append:querystring.b": header, "overwrite:path": path}, Scope{})
		if err != nil {
			return
		}
		x := &gateway.Exchange{RoutePath: "/" + value, Request: gateway.Request{Query: query, Header: []gateway.Field{{Name: "A", Value: value}}, Body: gateway.Body{Bytes: []byte(body)}}}
		if r.Apply(x) != nil {
			return
		}
		for _, c := range x.Mapped.Header {
			if strings.ContainsAny(c.Value, "\r\n\x00") || c.Name == "Host" && strings.ContainsAny(c.Value, "/ @?#") {
				t.Fatalf("%q", c)
			}
		}
		if m := &x.Mapped; m.HasPath && (!strings.HasPrefix(m.Path, "/") || strings.Contains(m.Path+"/", "/../") || strings.Contains(m.Path+"/", "/./") || strings.ContainsAny(m.Path, "\\\r\n")) {
			t.Fatalf("path %q", m.Path)
		}
		if q := string(AppendQuery(nil, x)); len(x.Mapped.Query) > 0 && strings.ContainsAny(q, "\r\n #?") {
			t.Fatalf("query %q", q)
		}
	})
}
