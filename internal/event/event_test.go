package event

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// whole is the stage of most tests, a request with everything behind it.
func whole(t testing.TB) *gateway.Exchange {
	stage := &gateway.Stage{Name: "$default", Variables: map[string]string{"env": "blue"}}
	x := exchange(t, stage, "GET /pets/{petId}", "GET /pets/6%20a?type=dog&q=a+b&type=cat HTTP/1.1",
		"accept: */*", "content-type: application/json", "x-a: 1", "X-A: 2", "Cookie: s=1; t=2", "User-Agent: curl/8.7.1",
		"authorization: user1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Port: 1", "x-forwarded-proto: gopher", "X_Forwarded_For: 10.0.0.1", "Connection: keep-alive")
	x.Request.Peer = netip.MustParseAddrPort("203.0.113.9:1234")
	x.Request.TLS = &tls.ConnectionState{}
	x.ID = "JCJP4iwYPHcEJgQ="
	return x
}

// decode reads an event and refuses one that has a member twice.
func decode(t testing.TB, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

func equal(t *testing.T, got []byte, want string) {
	t.Helper()
	if g, w := decode(t, got), decode(t, []byte(want)); !reflect.DeepEqual(g, w) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAuthorizer20(t *testing.T) {
	t.Parallel()
	x := whole(t)
	equal(t, AppendAuthorizer20([]byte(nil), x, Authorizer{ARN: "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default/GET/pets/6 a", Sources: []string{"user1", "1,2"}}), `{
  "version": "2.0", "type": "REQUEST",
  "routeArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default/GET/pets/6 a",
  "identitySource": ["user1", "1,2"],
  "routeKey": "GET /pets/{petId}", "rawPath": "/pets/6 a", "rawQueryString": "type=dog&q=a+b&type=cat",
  "cookies": ["s=1", "t=2"],
  "headers": {
    "accept": "*/*", "authorization": "user1", "content-length": "0", "content-type": "application/json",
    "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "user-agent": "curl/8.7.1", "x-a": "1,2",
    "x-amzn-trace-id": "Root=1-67fda4eb-24224fe22c183c77042604f2",
    "x-forwarded-for": "192.0.2.1, 203.0.113.9", "x-forwarded-port": "443", "x-forwarded-proto": "https"
  },
  "queryStringParameters": {"type": "dog,cat", "q": "a b"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5",
    "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
    "http": {"method": "GET", "path": "/pets/6 a", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9", "userAgent": "curl/8.7.1"},
    "requestId": "JCJP4iwYPHcEJgQ=", "routeKey": "GET /pets/{petId}", "stage": "$default",
    "time": "15/Apr/2025:00:14:35 +0000", "timeEpoch": 1744676075623
  },
  "pathParameters": {"petId": "6 a"}, "stageVariables": {"env": "blue"}
}`)
}

func TestAuthorizer10(t *testing.T) {
	t.Parallel()
	x := whole(t)
	equal(t, AppendAuthorizer10(nil, x, Authorizer{ARN: "arn:x/$default/GET/pets/6", Sources: []string{"user1", "123"}}), `{
  "version": "1.0", "type": "REQUEST", "methodArn": "arn:x/$default/GET/pets/6",
  "identitySource": "user1,123", "authorizationToken": "user1,123",
  "resource": "/pets/{petId}", "path": "/pets/6%20a", "httpMethod": "GET",
  "headers": {
    "accept": "*/*", "Authorization": "user1", "Content-Length": "0", "Content-Type": "application/json", "Cookie": "s=1; t=2",
    "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "User-Agent": "curl/8.7.1", "x-a": "2",
    "X-Amzn-Trace-Id": "Root=1-67fda4eb-24224fe22c183c77042604f2",
    "X-Forwarded-For": "192.0.2.1, 203.0.113.9", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"
  },
  "queryStringParameters": {"type": "cat", "q": "a b"},
  "pathParameters": {"petId": "6 a"}, "stageVariables": {"env": "blue"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5",
    "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
    "extendedRequestId": "JCJP4iwYPHcEJgQ=", "httpMethod": "GET",
    "identity": {"accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null, "cognitoAuthenticationProvider": null,
      "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null,
      "sourceIp": "203.0.113.9", "user": null, "userAgent": "curl/8.7.1", "userArn": null},
    "path": "/pets/6 a", "protocol": "HTTP/1.1", "requestId": "JCJP4iwYPHcEJgQ=",
    "requestTime": "15/Apr/2025:00:14:35 +0000", "requestTimeEpoch": 1744676075623,
    "resourceId": "GET /pets/{petId}", "resourcePath": "/pets/{petId}", "stage": "$default"
  }
}`)
}

func full10(x *gateway.Exchange, length int64) []byte {
	s := see(x)
	return append(appendRequest10([]byte{'{'}, x, &s, length, true), '}')
}

// TestFull10: events of integrations have all values, and null where there is nothing.
func TestFull10(t *testing.T) {
	t.Parallel()
	e := decode(t, full10(whole(t), 13))
	many := e["multiValueHeaders"].(map[string]any)
	if !reflect.DeepEqual(many["x-a"], []any{"1", "2"}) || !reflect.DeepEqual(many["Content-Length"], []any{"13"}) || !reflect.DeepEqual(many["Cookie"], []any{"s=1; t=2"}) {
		t.Errorf("multiValueHeaders: %v", many)
	}
	if got := e["multiValueQueryStringParameters"]; !reflect.DeepEqual(got, map[string]any{"type": []any{"dog", "cat"}, "q": []any{"a b"}}) {
		t.Errorf("multiValueQueryStringParameters: %v", got)
	}
	x := exchange(t, &gateway.Stage{Name: "$default"}, "$default", "GET / HTTP/1.1")
	e = decode(t, full10(x, 0))
	for _, name := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if v, ok := e[name]; !ok || v != nil {
			t.Errorf("%s: %v, %t", name, v, ok)
		}
	}
	if e["resource"] != "$default" || e["requestContext"].(map[string]any)["resourcePath"] != "$default" {
		t.Errorf("resource: %v", e["resource"])
	}
}

// TestAbsent: what a request does not have is left out in format 2.0 and {} in the
// events of authorizers in format 1.0.
func TestAbsent(t *testing.T) {
	t.Parallel()
	x := exchange(t, &gateway.Stage{Name: "$default"}, "$default", "GET /a HTTP/1.1")
	e := decode(t, AppendAuthorizer20(nil, x, Authorizer{}))
	for _, name := range []string{"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body", "isBase64Encoded"} {
		if v, ok := e[name]; ok {
			t.Errorf("2.0 has %s: %v", name, v)
		}
	}
	context := e["requestContext"].(map[string]any)
	if v, ok := e["rawQueryString"]; !ok || v != "" || context["http"].(map[string]any)["userAgent"] != "" || e["headers"].(map[string]any)["content-length"] != "0" {
		t.Errorf("2.0: %v", e)
	}
	if v, ok := e["identitySource"]; !ok || v != nil {
		t.Errorf("2.0 identitySource: %v, %t", v, ok)
	}
	for _, name := range []string{"authorizer", "authentication"} {
		if _, ok := context[name]; ok {
			t.Errorf("2.0 requestContext has %s", name)
		}
	}
	e = decode(t, AppendAuthorizer10(nil, x, Authorizer{}))
	for _, name := range []string{"queryStringParameters", "pathParameters", "stageVariables"} {
		if !reflect.DeepEqual(e[name], map[string]any{}) {
			t.Errorf("1.0 %s: %v", name, e[name])
		}
	}
	for _, name := range []string{"multiValueHeaders", "multiValueQueryStringParameters", "body"} {
		if _, ok := e[name]; ok {
			t.Errorf("1.0 has %s", name)
		}
	}
	if port := e["headers"].(map[string]any)["X-Forwarded-Port"]; port != "80" {
		t.Errorf("1.0 port %v", port)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	x := exchange(t, &gateway.Stage{Name: "prod"}, "GET /foo/{x}", "GET /prod/foo/%C3%BC HTTP/1.1")
	x.SentRawPath, x.SentPath = "/v1/foo/%C3%BC", "/v1/foo/ü" // as behind an API mapping
	two, one := decode(t, AppendAuthorizer20(nil, x, Authorizer{})), decode(t, AppendAuthorizer10(nil, x, Authorizer{}))
	for name, pair := range map[string][2]any{
		"2.0 rawPath":             {two["rawPath"], "/prod/foo/ü"},
		"2.0 http.path":           {two["requestContext"].(map[string]any)["http"].(map[string]any)["path"], "/prod/foo/ü"},
		"1.0 path":                {one["path"], "/v1/foo/%C3%BC"},
		"1.0 requestContext.path": {one["requestContext"].(map[string]any)["path"], "/v1/foo/ü"},
		"1.0 resource":            {one["resource"], "/foo/{x}"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, joined, last string }{
		{"", "", ""},
		{"&&", "", ""},
		{"literalPlus=a+b&encodedPlus=a%2Bb&empty=", `{"empty":"","encodedPlus":"a+b","literalPlus":"a b"}`, `{"empty":"","encodedPlus":"a+b","literalPlus":"a b"}`},
		{"a=one&b=1&a=two", `{"a":"one,two","b":"1"}`, `{"a":"two","b":"1"}`},
		{"a&A=1&=2&", `{"":"2","A":"1","a":""}`, `{"":"2","A":"1","a":""}`},
		{"a=1=2;b=3", `{"a":"1=2;b=3"}`, `{"a":"1=2;b=3"}`},
		{"%61=1&a=2", `{"a":"1,2"}`, `{"a":"2"}`},
		{"a=%zz+&b%2=1&c=%", `{"a":"%zz+","b%2":"1","c":"%"}`, `{"a":"%zz+","b%2":"1","c":"%"}`},
		{"a=%FF&%fe=1&\xff=2", `{"%fe":"1","a":"%FF","` + "\uFFFD" + `":"2"}`, `{"%fe":"1","a":"%FF","` + "\uFFFD" + `":"2"}`},
	} {
		q := parseQuery(tt.query)
		if q == nil {
			if tt.joined != "" {
				t.Errorf("%q: nothing", tt.query)
			}
			continue
		}
		if joined, last := string(q.appendJoined(nil)), string(q.appendLast(nil)); joined != tt.joined || last != tt.last {
			t.Errorf("%q: joined %s, last %s; want %s, %s", tt.query, joined, last, tt.joined, tt.last)
		}
		q.free()
	}
}

// TestQueryFlood: the time for a query that fills a whole head is linear, but for
// sorting.
func TestQueryFlood(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for range 20 {
		q := parseQuery(strings.Repeat("b&a&", 2500))
		if got := string(q.appendJoined(nil)); len(got) != 2*2500+len(`{"a":"","b":""}`)-2 {
			t.Fatalf("%d bytes", len(got))
		}
		q.free()
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("20 queries take %v", d)
	}
}

// TestSecurity25: what only the gateway may say is not taken from the client,
// under whatever spelling.
func TestSecurity25(t *testing.T) {
	t.Parallel()
	x := exchange(t, &gateway.Stage{Name: "$default"}, "$default", "POST /a HTTP/1.1", "Content-Length: 0",
		"X_Forwarded_For: 1", "x-forwarded_for: 1", "X-FORWARDED-PORT: 1", "X_Forwarded-Proto: 1", "X-Amzn-Remapped-Authorization: 1",
		"X_Amzn_Remapped_Host: 1", "x-amzn-trace_id: Root=1", "Content_Length: 1", "Proxy_Authorization: 1", "Keep-Alive: 1", "TE: trailers",
		"X-Amzn-Trace-Id: no root", "X-Amz-Date: 1", "Authorization: x", "X-Forwarded-Host: h",
		"X_Forwarded_Host: 1", "X-Forwarded_Client-Cert: 1", "Http2_Settings: 1", "Forwarded: for=f", "Via: v")
	x.Request.Peer = netip.MustParseAddrPort("[::ffff:203.0.113.9]:1")
	for version, e := range map[string]map[string]any{
		"2.0": decode(t, AppendAuthorizer20(nil, x, Authorizer{})), "1.0": decode(t, AppendAuthorizer10(nil, x, Authorizer{})),
	} {
		lower := map[string]any{}
		for name, value := range e["headers"].(map[string]any) {
			if _, ok := lower[strings.ToLower(name)]; ok {
				t.Errorf("%s: %s twice", version, name)
			}
			lower[strings.ToLower(name)] = value
		}
		trace, _ := lower["x-amzn-trace-id"].(string)
		if !strings.HasPrefix(trace, "Root=1-67fda4eb-") || len(trace) != len("Root=1-67fda4eb-")+24 {
			t.Errorf("%s: trace %q", version, trace)
		}
		delete(lower, "x-amzn-trace-id")
		delete(lower, "host")
		if want := map[string]any{"content-length": "0", "x-forwarded-for": "203.0.113.9", "x-forwarded-port": "80", "x-forwarded-proto": "http",
			"x-amz-date": "1", "authorization": "x", "x-forwarded-host": "h", "forwarded": "for=f", "via": "v"}; !reflect.DeepEqual(lower, want) {
			t.Errorf("%s: headers %v, want %v", version, lower, want)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	x := whole(t)
	for _, tt := range []struct{ host, name, prefix, port string }{
		{"api.example.com", "api.example.com", "api", "443"},
		{"api.example.com:8443", "api.example.com", "api", "8443"},
		{"localhost:", "localhost", "localhost", "443"},
		{"localhost:99999", "localhost", "localhost", "443"},
		{"[::1]:80", "[::1]", "[::1]", "80"},
		{"[::1]", "[::1]", "[::1]", "443"},
		{"", "", "", "443"},
	} {
		x.Request.Host = tt.host
		e := decode(t, AppendAuthorizer20(nil, x, Authorizer{}))
		context, header := e["requestContext"].(map[string]any), e["headers"].(map[string]any)
		if context["domainName"] != tt.name || context["domainPrefix"] != tt.prefix || header["x-forwarded-port"] != tt.port || header["host"] != tt.host {
			t.Errorf("%q: %v %v %v", tt.host, context["domainName"], context["domainPrefix"], header["x-forwarded-port"])
		}
	}
}

// TestLength: a length that nobody knows is not made up.
func TestLength(t *testing.T) {
	t.Parallel()
	x := whole(t)
	x.Request.ContentLength = -1
	for _, b := range [][]byte{AppendAuthorizer20(nil, x, Authorizer{}), AppendAuthorizer10(nil, x, Authorizer{})} {
		for name := range decode(t, b)["headers"].(map[string]any) {
			if strings.EqualFold(name, "content-length") {
				t.Errorf("has %s", name)
			}
		}
	}
}

// TestIdentity: what the three kinds of authorizers find out, as integrations see it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	x := whole(t)
	const iam = `{"accessKey":"AKIA","accountId":"111122223333","callerId":"AIDAC","cognitoIdentity":null,"principalOrgId":null,"userArn":"arn:u","userId":"AIDA"}`
	for _, tt := range []struct {
		name     string
		identity *gateway.Identity
		two, one string
	}{
		{"JWT", &gateway.Identity{JWT: &gateway.JWTIdentity{Claims: []gateway.Field{{Name: "a", Value: "1"}, {Name: "sub", Value: `u"`}}, Scopes: []string{"x", "y"}}},
			`{"jwt":{"claims":{"a":"1","sub":"u\""},"scopes":null}}`, `{"claims":{"a":"1","sub":"u\""},"scopes":null}`},
		{"JWT with scopes", &gateway.Identity{JWT: &gateway.JWTIdentity{Scopes: []string{"x", "y"}, Scoped: true}},
			`{"jwt":{"claims":{},"scopes":["x","y"]}}`, `{"claims":{},"scopes":["x","y"]}`},
		{"Lambda", &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "p", Context: []gateway.ContextMember{{Name: "k", JSON: `"v"`}, {Name: "scopes", JSON: "1"}}}},
			`{"lambda":{"k":"v","scopes":1}}`, `{"claims":null,"scopes":null,"k":"v","principalId":"p"}`},
		{"Lambda without context", &gateway.Identity{Lambda: &gateway.LambdaIdentity{}}, `{"lambda":null}`, `{"claims":null,"scopes":null}`},
		{"Lambda with a principal in the context", &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "p", Context: []gateway.ContextMember{{Name: "principalId", JSON: "2"}}}},
			`{"lambda":{"principalId":2}}`, `{"claims":null,"scopes":null,"principalId":2}`},
		{"IAM", &gateway.Identity{IAM: &gateway.IAMIdentity{AccessKeyID: "AKIA", AccountID: "111122223333", CallerID: "AIDAC", UserARN: "arn:u", UserID: "AIDA"}},
			`{"iam":` + iam + `}`, ""},
	} {
		x.Identity = tt.identity
		two := decode(t, appendContext20(nil, x))
		one := decode(t, appendContext10(nil, x))
		if want := decode(t, []byte(tt.two)); !reflect.DeepEqual(two["authorizer"], any(want)) {
			t.Errorf("%s: 2.0 %v, want %v", tt.name, two["authorizer"], want)
		}
		if tt.one == "" {
			who := one["identity"].(map[string]any)
			if _, ok := one["authorizer"]; ok || who["accessKey"] != "AKIA" || who["accountId"] != "111122223333" || who["caller"] != "AIDAC" || who["userArn"] != "arn:u" || who["user"] != "AIDA" {
				t.Errorf("%s: 1.0 %v", tt.name, one)
			}
		} else if want := decode(t, []byte(tt.one)); !reflect.DeepEqual(one["authorizer"], any(want)) {
			t.Errorf("%s: 1.0 %v, want %v", tt.name, one["authorizer"], want)
		}
	}
}

// TestClientCertificate: only a domain that asks for certificates shows one, and only
// one that it has verified.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(0xa10b), Subject: pkix.Name{CommonName: "www.example.com"},
		NotBefore: time.Date(2019, 5, 28, 12, 30, 2, 0, time.UTC), NotAfter: time.Date(2021, 8, 5, 9, 36, 4, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	x := whole(t)
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert}}}
	x.Request.TLS = verified
	x.Domain = &gateway.Domain{Name: "api.example.com"}
	if _, ok := decode(t, appendContext20(nil, x))["authentication"]; ok {
		t.Error("shown without mutual TLS")
	}
	x.Domain.MutualTLS = &gateway.MutualTLS{}
	for name, state := range map[string]*tls.ConnectionState{
		"without TLS": nil, "that was not verified": {PeerCertificates: []*x509.Certificate{cert}}, "of an empty chain": {VerifiedChains: [][]*x509.Certificate{{}}},
	} {
		x.Request.TLS = state
		one := decode(t, appendContext10(nil, x))["identity"].(map[string]any)
		if _, ok := decode(t, appendContext20(nil, x))["authentication"]; ok || one["clientCert"] != nil {
			t.Errorf("shown %s", name)
		}
	}
	x.Request.TLS = verified
	two := decode(t, appendContext20(nil, x))["authentication"].(map[string]any)["clientCert"].(map[string]any)
	one := decode(t, appendContext10(nil, x))["identity"].(map[string]any)["clientCert"]
	if !reflect.DeepEqual(any(two), one) {
		t.Errorf("2.0 %v, 1.0 %v", two, one)
	}
	text := two["clientCertPem"].(string)
	delete(two, "clientCertPem")
	if want := map[string]any{"subjectDN": "CN=www.example.com", "issuerDN": "CN=www.example.com", "serialNumber": "a1:0b",
		"validity": map[string]any{"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"}}; !reflect.DeepEqual(two, want) {
		t.Errorf("got %v, want %v", two, want)
	}
	if !strings.HasPrefix(text, "-----BEGIN CERTIFICATE-----\n") || !strings.HasSuffix(text, "-----END CERTIFICATE-----\n") {
		t.Errorf("PEM %q", text)
	}
}

// FuzzString: encoding/json reads what it would have written itself.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\x7f\n\r\t", "\xff\xc0\x80", "ü\u2028😀", "\xf0\x9f\x98", "\uFFFD", "12345678\"12345678", "1234567\\\x80abcdefgh\x01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got, want string
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
		if string(AppendString(nil, []byte(s))) != string(AppendString(nil, s)) {
			t.Errorf("%q: bytes and string differ", s)
		}
	})
}

// FuzzEvent: whatever the request is, events are JSON objects in which each member
// stands once, and have the values.
func FuzzEvent(f *testing.F) {
	f.Add("a=1&b=%zz&a=2", "X-A", "\xff\"", "x-a", "2", "/\x01", "s=1;;t")
	f.Add("%00=%0a&+", "X_Forwarded_For", "1", "Cookie", ";", "/a", "")
	x := whole(f)
	header := append([]gateway.Field(nil), x.Request.Header...)
	f.Fuzz(func(t *testing.T, query, name1, value1, name2, value2, path, cookies string) {
		for _, c := range name1 + name2 {
			if c <= ' ' || c > '~' || c == '"' || c == '\\' {
				return // names of fields are tokens
			}
		}
		x.Request.Query, x.Path = query, path
		x.Request.Header = append(header[:len(header):len(header)],
			gateway.Field{Name: name1, Value: value1}, gateway.Field{Name: name2, Value: value2}, gateway.Field{Name: "Cookie", Value: cookies})
		for _, b := range [][]byte{
			AppendAuthorizer20(nil, x, Authorizer{ARN: path, Sources: []string{value1}}),
			AppendAuthorizer10(nil, x, Authorizer{ARN: path, Sources: []string{value1}}),
		} {
			e := decode(t, b)
			if id, want := e["identitySource"], strings.ToValidUTF8(value1, ""); id != nil && !strings.Contains(want, "\uFFFD") {
				text, list := id.(string)
				if !list {
					text = id.([]any)[0].(string)
				}
				if strings.ReplaceAll(text, "\uFFFD", "") != want {
					t.Errorf("identitySource %q, want %q", text, want)
				}
			}
			once(t, b)
		}
	})
}

// once fails if an object has a member twice.
func once(t *testing.T, b []byte) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(b)))
	var value func()
	value = func() {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('['):
			for d.More() {
				value()
			}
			d.Token()
		case json.Delim('{'):
			seen := map[any]bool{}
			for d.More() {
				name, _ := d.Token()
				if seen[name] {
					t.Fatalf("%q twice in %s", name, b)
				}
				seen[name] = true
				value()
			}
			d.Token()
		}
	}
	value()
}

func BenchmarkAuthorizer20(b *testing.B) {
	x := whole(b)
	a := Authorizer{ARN: "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default/GET/pets/6", Sources: []string{"user1", "123"}}
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendAuthorizer20(buffer[:0], x, a)
	}
}

func BenchmarkAuthorizer10(b *testing.B) {
	x := whole(b)
	a := Authorizer{ARN: "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default/GET/pets/6", Sources: []string{"user1", "123"}}
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendAuthorizer10(buffer[:0], x, a)
	}
}
