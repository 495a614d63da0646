package integration_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// TestRequestLine: what the backend is asked for.
func TestRequestLine(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	client := newClient(t)
	for _, tt := range []struct {
		name, key, method, uri string
		ask                    string
		want                   string
	}{
		{"46 path appended", "$default", "ANY", "", "GET /store/checkout?x=1", "GET /store/checkout?x=1"},
		{"46 to a base path", "$default", "ANY", "/base", "GET /store", "GET /base/store"},
		{"46 to a base path with a slash", "$default", "ANY", "/base/", "GET /store", "GET /base/store"},
		{"46 to a slash", "$default", "ANY", "/", "GET /store", "GET /store"},
		{"46 root", "$default", "ANY", "/base", "GET /", "GET /base/"},
		{"46 with a query", "$default", "ANY", "/base?u=1", "GET /store?c=2", "GET /base/store?u=1&c=2"},
		{"46 named stage", "$default", "ANY", "", "GET /live/store?x", "GET /live/store?x"},
		{"46 bare named stage", "$default", "ANY", "/b", "GET /live", "GET /b/live"},
		{"46 trailing slash", "$default", "ANY", "", "GET /a/", "GET /a/"},
		{"46 double slashes", "$default", "ANY", "", "GET //a//b", "GET //a//b"},
		{"46 escapes stay", "$default", "ANY", "", "GET /a%2Fb%20c%25d%C3%A9", "GET /a%2Fb%20c%25d%C3%A9"},
		{"46 raw UTF-8 is escaped", "$default", "ANY", "", "GET /é", "GET /%C3%A9"},
		{"46 every method", "$default", "ANY", "", "DELETE /x", "DELETE /x"},
		{"47 variable", "GET /pets/{petID}", "ANY", "/ext/{petID}", "GET /pets/6?a=1", "GET /ext/6?a=1"},
		{"47 twice", "GET /pets/{id}", "ANY", "/{id}/x{id}", "GET /pets/6", "GET /6/x6"},
		{"47 two", "GET /{a}/{b}", "ANY", "/{b}/{a}", "GET /1/2", "GET /2/1"},
		{"47 in the query", "GET /pets/{id}", "ANY", "/pets?id={id}", "GET /pets/6?a=1", "GET /pets?id=6&a=1"},
		{"47 cannot add a parameter", "GET /pets/{id}", "ANY", "/pets?id={id}", "GET /pets/6&admin=1%26b=%3D%2Bc%23;d", "GET /pets?id=6%26admin%3D1%26b%3D%3D%2Bc%23%3Bd"},
		{"47 space and UTF-8", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/a%20b%c3%a9", "GET /ext/a%20b%C3%A9"},
		{"47 percent", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/50%25", "GET /ext/50%25"},
		{"47 escaped slash, once more escaped", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/a%252Fb", "GET /ext/a%252Fb"},
		{"47 hash", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/a%23b", "GET /ext/a%23b"},
		{"47 escaped question mark", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/a%3Fb=c?d", "GET /ext/a?d"},
		{"47 safe characters", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/a-b._~!$&'()*+,;=:@", "GET /ext/a-b._~!$&'()*+,;=:@"},
		{"47 unsafe characters", "GET /pets/{id}", "ANY", "/ext/{id}", "GET /pets/\"<>^`{|}[]", "GET /ext/%22%3C%3E%5E%60%7B%7C%7D%5B%5D"},
		{"47 empty", "GET /pets/{id}", "ANY", "/ext/{id}/x", "GET /pets/", "GET /ext//x"},
		{"47 no path", "GET /pets/{id}", "ANY", "", "GET /pets/6", "GET /"},
		{"47 only a query", "GET /pets/{id}", "ANY", "?q", "GET /pets/6?r", "GET /?q&r"},
		{"47 empty query in the URI", "GET /pets/{id}", "ANY", "/?", "GET /pets/6?r", "GET /?&r"},
		{"48 greedy", "ANY /parent/{proxy+}", "ANY", "/petstore/{proxy}", "PUT /parent/a/b", "PUT /petstore/a/b"},
		{"48 greedy, written with a plus", "ANY /parent/{proxy+}", "ANY", "/petstore/{proxy+}", "PUT /parent/a/b", "PUT /petstore/a/b"},
		{"48 greedy, empty", "ANY /parent/{proxy+}", "ANY", "/petstore/{proxy}", "GET /parent/", "GET /petstore/"},
		{"48 greedy, escaped slash", "ANY /parent/{proxy+}", "ANY", "/petstore/{proxy}", "GET /parent/a%2Fb/", "GET /petstore/a/b/"},
		{"48 in the stage live", "ANY /parent/{proxy+}", "ANY", "/petstore/{proxy}", "GET /live/parent/a/b", "GET /petstore/a/b"},
		{"49 no variable", "ANY /parent/{proxy+}", "ANY", "/fixed", "GET /parent/a/b", "GET /fixed"},
		{"50 method", "ANY /x", "POST", "/x", "PUT /x", "POST /x"},
		{"50 method GET", "ANY /x", "GET", "/x", "DELETE /x", "GET /x"},
		{"query verbatim", "ANY /x", "ANY", "/x", "GET /x?a=b&a=b&&=&+=%zz%20;c[]=é?", "GET /x?a=b&a=b&&=&+=%zz%20;c[]=é?"},
		{"empty query", "ANY /x", "ANY", "/x", "GET /x?", "GET /x"},
	} {
		addr := serve(t, gateway.Config{}, proxyWith(t, client, tt.key, integration.HTTPSpec{Method: tt.method, URI: b.url() + tt.uri}))
		if a := ask(t, addr, tt.ask); a.StatusCode != 200 {
			t.Errorf("%s: status %d %s", tt.name, a.StatusCode, a.body)
			continue
		}
		if got := b.one(); got.line != tt.want {
			t.Errorf("%s: backend got %q, want %q", tt.name, got.line, tt.want)
		} else if got.field("Host") != b.addr {
			t.Errorf("%s: Host %q", tt.name, got.field("Host"))
		}
	}
}

// TestVariableHost: a variable may stand for the host; what it stands for cannot
// be anything but a host.
func TestVariableHost(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	_, port, _ := strings.Cut(b.addr, ":")
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "GET /{host}/{path+}", "http://{host}:"+port+"/{path}"))
	if a := ask(t, addr, "GET /127.0.0.1/x"); a.StatusCode != 200 {
		t.Errorf("status %d %s", a.StatusCode, a.body)
	}
	if got := b.one(); got.line != "GET /x" || got.field("Host") != b.addr {
		t.Errorf("backend got %q for %q", got.line, got.field("Host"))
	}
	for _, bad := range []string{"127.0.0.1%40x", "user:pw@127.0.0.1", "127.0.0.1:1:2", "a%20b", "", "a%23", "[::1", "%5B::1%25lo%5D"} {
		if a := ask(t, addr, "GET /"+bad+"/x"); a.StatusCode != 500 && a.StatusCode != 404 {
			t.Errorf("host %q: status %d", bad, a.StatusCode)
		}
	}
	if got := b.take(); len(got) != 0 {
		t.Errorf("backend got %v", got)
	}
}

// newTrace is a trace id as the gateway makes it.
var newTrace = regexp.MustCompile(`^X-Amzn-Trace-Id: Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`)

// TestRequestFields: which fields the backend gets, in which order.
func TestRequestFields(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	forwarded := "by=127.0.0.1;for=127.0.0.1;host=" + host + ";proto=http"
	for _, tt := range []struct {
		name string
		sent []string
		// kept are the fields of the client that arrive.
		kept []string
		// forwarded, via and trace are what the gateway writes, where it is not as
		// always.
		forwarded, via, trace string
	}{
		{name: "none"},
		{name: "end to end", sent: []string{"Authorization: Bearer x", "cookie: a=b", "User-Agent: u", "ACCEPT-ENCODING: gzip, br", "Origin: null", "X-A: 1", "X-a: 2", "X-A:", "Range: bytes=0-1", "If-None-Match: \"a\""},
			kept: []string{"Authorization: Bearer x", "cookie: a=b", "User-Agent: u", "ACCEPT-ENCODING: gzip, br", "Origin: null", "X-A: 1", "X-a: 2", "X-A: ", "Range: bytes=0-1", "If-None-Match: \"a\""}},
		{name: "method overrides mean nothing here", sent: []string{"X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT"}, kept: []string{"X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT"}},
		{name: "bytes outside ASCII", sent: []string{"X-A: \xff\xc3\xa9"}, kept: []string{"X-A: \xff\xc3\xa9"}},
		{name: "hop by hop", sent: []string{"Connection: keep-alive", "Keep-Alive: timeout=5", "TE: trailers", "Trailer: X-T", "Upgrade: x", "Proxy-Authorization: x", "Proxy-Connection: keep-alive", "Proxy-Anything: x", "HTTP2-Settings: x", "X-A: b"},
			kept: []string{"X-A: b"}},
		{name: "named in Connection", sent: []string{"X-A: b", "X-B: c", "x-c: d", "Connection: x-a , X-C", "Connection: keep-alive,,\tAuthorization", "Authorization: Bearer x", "Te: trailers"},
			kept: []string{"X-B: c"}},
		{name: "named in Connection: what the gateway writes", sent: []string{"Connection: close, Forwarded, Via, X-Amzn-Trace-Id, Content-Length, Host, X-Forwarded-For, x-amzn-trace-id, forwarded", "X-Forwarded-For: 1.2.3.4"},
			forwarded: "for=1.2.3.4, " + forwarded},
		{name: "52 X-Forwarded-For", sent: []string{"X-Forwarded-For: 198.51.100.7"}, forwarded: "for=198.51.100.7, " + forwarded},
		{name: "52 all of them", sent: []string{"X-Forwarded-For: 198.51.100.7, 2001:db8::1", "x-forwarded-for: unknown", "X-Forwarded-Host: h:80", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443"},
			forwarded: `for=198.51.100.7;host="h:80";proto=https, for="[2001:db8::1]", for=unknown, ` + forwarded},
		{name: "only X-Forwarded-Host", sent: []string{"X-Forwarded-Host: h"}, forwarded: "host=h, " + forwarded},
		{name: "only X-Forwarded-Port", sent: []string{"X-Forwarded-Port: 443"}},
		{name: "other X-Forwarded", sent: []string{"X-Forwarded-Prefix: /admin", "X-Forwarded-Ssl: on", "X-Forwarded-User: root", "x-forwarded-: x"}},
		{name: "nothing in X-Forwarded-For", sent: []string{"X-Forwarded-For: , ,"}},
		{name: "quoted", sent: []string{`X-Forwarded-For: a"b\c;for=9.9.9.9`}, forwarded: `for="a\"b\\c;for=9.9.9.9", ` + forwarded},
		{name: "Forwarded kept", sent: []string{"Forwarded: for=1.2.3.4;proto=https", "FORWARDED: for=\"[::2]\""}, forwarded: "for=1.2.3.4;proto=https, for=\"[::2]\", " + forwarded},
		{name: "Forwarded and X-Forwarded-For", sent: []string{"X-Forwarded-For: 5.6.7.8", "Forwarded: for=1.2.3.4"}, forwarded: "for=1.2.3.4, for=5.6.7.8, " + forwarded},
		{name: "Forwarded with an open quote", sent: []string{`Forwarded: for=1.2.3.4;x="`}},
		{name: "Forwarded with an escaped quote", sent: []string{`Forwarded: x="a\"`}},
		{name: "Forwarded with a backslash outside", sent: []string{`Forwarded: x=\"`}},
		{name: "aliases", sent: []string{"X_Forwarded_For: 6.6.6.6", "X-Forwarded_For: 6.6.6.6", "X_FORWARDED_PROTO: https", "X_Amzn_Trace_Id: Root=1-1-1", "X_Amzn_X: y", "x_forwarded_prefix: /", "Content_Length: 5", "Transfer_Encoding: chunked", "Proxy_Authorization: x", "Http2_Settings: x", "_X: kept", "X_A: kept"},
			kept: []string{"_X: kept", "X_A: kept"}},
		{name: "x-amzn", sent: []string{"X-Amzn-Oidc-Identity: root", "x-amzn-remapped-authorization: x", "X-Amz-Date: kept"}, kept: []string{"X-Amz-Date: kept"}},
		{name: "Via", sent: []string{"Via: 1.1 a", "via: 1.0 b (c)"}, via: "1.1 a, 1.0 b (c), HTTP/1.1 AmazonAPIGateway"},
		{name: "trace kept", sent: []string{"X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"},
			trace: "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"},
		{name: "trace without a root", sent: []string{"X-Amzn-Trace-Id: Self=1"}},
		{name: "trace behind what is none", sent: []string{"X-Amzn-Trace-Id: Self=1", "X-Amzn-Trace-Id: Root=1-c-d"}, trace: "Root=1-c-d"},
		{name: "second trace dropped", sent: []string{"X-Amzn-Trace-Id: Root=1-a-b", "X-Amzn-Trace-Id: Root=1-c-d"}, trace: "Root=1-a-b"},
		{name: "long trace", sent: []string{"X-Amzn-Trace-Id: Root=" + strings.Repeat("a", 300)}},
	} {
		ask(t, addr, "GET /x", tt.sent...)
		want := append([]string{"Host: " + b.addr}, tt.kept...)
		want = append(want, "Forwarded: "+cmp.Or(tt.forwarded, forwarded), "Via: "+cmp.Or(tt.via, "HTTP/1.1 AmazonAPIGateway"), "X-Amzn-Trace-Id: "+cmp.Or(tt.trace, "new"), "Content-Length: 0")
		got := b.one().fields
		for i, f := range got {
			if newTrace.MatchString(f) {
				got[i] = "X-Amzn-Trace-Id: new"
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: backend got\n%q\nwant\n%q", tt.name, got, want)
		}
	}
}

// TestTraceIsNew: two requests without a trace get different ones, each made of the
// request id, as in the events of authorizers.
func TestTraceIsNew(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	seen := map[string]bool{}
	for range 2 {
		a := ask(t, addr, "GET /")
		id, err := base64.URLEncoding.DecodeString(a.Header.Get("Apigw-Requestid"))
		if err != nil {
			t.Fatal(err)
		}
		trace := b.one().field("X-Amzn-Trace-Id")
		if seen[trace] || !strings.Contains(trace, fmt.Sprintf("-%x", id)) {
			t.Errorf("got %q for the request %x", trace, id)
		}
		seen[trace] = true
	}
}

// TestRequestBody: the body arrives byte for byte, with its length.
func TestRequestBody(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	client := newClient(t)
	addr := serve(t, gateway.Config{}, proxy(t, client, "$default", b.url()),
		proxyWith(t, client, "ANY /get", integration.HTTPSpec{Method: "GET", URI: b.url() + "/get"}))
	var all strings.Builder
	for i := range 256 {
		all.WriteByte(byte(i))
	}
	for _, body := range []string{"", "a", all.String(), strings.Repeat("x", 4096), strings.Repeat("y", 8<<10), strings.Repeat("y", 8<<10+1), strings.Repeat("z", 64<<10), strings.Repeat("z", 64<<10+1), strings.Repeat("0123456789", 50<<10)} {
		for _, line := range []string{"POST /x", "GET /x", "DELETE /x", "PUT /get"} {
			c := dial(t, addr)
			c.ask(line, "\n"+body)
			got := b.one()
			if got.body != body || got.field("Content-Length") != fmt.Sprint(len(body)) {
				t.Errorf("%s with %d bytes: backend got %d with Content-Length %s", line, len(body), len(got.body), got.field("Content-Length"))
			}
			// In chunks of several sizes.
			c.send(strings.Replace(message(line), "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1))
			for rest := body; rest != ""; {
				n := min(len(rest), 1000+len(rest)/3)
				c.send(fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n]))
				rest = rest[n:]
			}
			c.send("0\r\nX-Trailer: dropped\r\n\r\n")
			method, _, _ := strings.Cut(line, " ")
			if a := c.read(method); a.StatusCode != 200 {
				t.Errorf("%s with %d bytes in chunks: status %d", line, len(body), a.StatusCode)
			}
			got = b.one()
			if got.body != body || got.field("Content-Length") != fmt.Sprint(len(body)) || got.field("Transfer-Encoding") != "" || got.field("X-Trailer") != "" {
				t.Errorf("%s with %d bytes in chunks: backend got %d with Content-Length %s", line, len(body), len(got.body), got.field("Content-Length"))
			}
			c.nc.Close()
		}
	}
}

// TestNewHTTPErrors: what cannot work is refused before it is served, and said.
func TestNewHTTPErrors(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	for _, tt := range []struct{ method, uri, want string }{
		{"", "ftp://a/", "not an http or https URL"},
		{"", "a/b", "not an http or https URL"},
		{"", "", "not an http or https URL"},
		{"", "http://", "has no host"},
		{"", "http:///x", "has no host"},
		{"", "http://:80/", "no host"},
		{"", "http://a:0/", `bad port "0"`},
		{"", "http://a:65536/", `bad port "65536"`},
		{"", "http://a:b/", `bad port "b"`},
		{"", "http://u:p@a/", "user information"},
		{"", "http://a b/", "offset 8: character not allowed"},
		{"", "http://a/b c", "offset 10: character not allowed"},
		{"", "http://a/\r\nX: y", "character not allowed"},
		{"", "http://a\\b/", "character not allowed"},
		{"", "http://ä/", "bad host"},
		{"", "http://[::1/", "bad host"},
		{"", "http://[fe80::1%25eth0]/", "bad host"},
		{"", "http://[127.0.0.1]/", "bad host"},
		{"", "http://a/{x", `unclosed "{"`},
		{"", "http://a/{x}", "no path variable {x}"},
		{"TRACE", "http://a/", "method \"TRACE\""},
		{"get", "http://a/", "method \"get\""},
		{"GET / HTTP/1.1\r\nX: y\r\n\r\n", "http://a/", "method"},
	} {
		_, err := integration.NewHTTP(client, integration.HTTPSpec{Method: tt.method, URI: tt.uri})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q %q: got %v, want %q", tt.method, tt.uri, err, tt.want)
		}
	}
}

// TestExpandStageVariables: vector 51 and what surrounds it.
func TestExpandStageVariables(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"url": "b.example:81", "empty": "", "n": "${stageVariables.url}"}
	for _, tt := range []struct{ in, want, err string }{
		{"http://${stageVariables.url}/r", "http://b.example:81/r", ""},
		{"${stageVariables.url}${stageVariables.url}", "b.example:81b.example:81", ""},
		{"a${stageVariables.empty}b", "ab", ""},
		{"a$b{c}", "a$b{c}", ""},
		{"${stageVariables.n}", "${stageVariables.url}", ""}, // once
		{"${stageVariables.none}", "", `no variable "none"`},
		{"${stageVariables.}", "", `no variable ""`},
		{"${stageVariables.url", "", "unclosed"},
	} {
		got, err := integration.ExpandStageVariables(tt.in, variables)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: got %q, %v, want %q, %q", tt.in, got, err, tt.want, tt.err)
		}
	}
}
