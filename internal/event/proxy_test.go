package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

// posted returns an exchange with a token, as most functions see them.
func posted(t testing.TB) *gateway.Exchange {
	stage := &gateway.Stage{Name: "$default", Variables: map[string]string{"env": "blue"}}
	x := exchange(t, stage, "POST /pets/{petId}", "POST /pets/6?type=dog&q=a+b HTTP/1.1", "accept: */*", "Content-Type: application/json", "X-A: 1", "X-A: 2",
		"Cookie: s=1; t=2", "User-Agent: curl/8.7.1", "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln", "accept-encoding: gzip, deflate, br",
		"accept-language: en", "origin: https://app.example.com", "sec-fetch-mode: cors")
	x.ID = "JCJP4iwYPHcEJgQ="
	x.Identity = &gateway.Identity{JWT: &gateway.JWTIdentity{Claims: []gateway.Field{{Name: "exp", Value: "1744672475"}, {Name: "iss", Value: "https://issuer.example.com/"}, {Name: "scope", Value: "pets/read"}, {Name: "sub", Value: "u1"}}, Scopes: []string{"pets/read"}, Scoped: true}}
	return x
}

func TestProxy20(t *testing.T) {
	t.Parallel()
	x := posted(t)
	const body = "{\"name\":\"x\"}\n"
	equal(t, AppendProxy20(nil, x, []byte(body)), `{
  "version": "2.0", "routeKey": "POST /pets/{petId}", "rawPath": "/pets/6", "rawQueryString": "type=dog&q=a+b",
  "cookies": ["s=1", "t=2"],
  "headers": {
    "accept": "*/*", "accept-encoding": "gzip, deflate, br", "accept-language": "en", "authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln",
    "content-length": "13", "content-type": "application/json",
    "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "origin": "https://app.example.com", "sec-fetch-mode": "cors", "user-agent": "curl/8.7.1", "x-a": "1,2",
    "x-amzn-trace-id": "Root=1-67fda4eb-24224fe22c183c77042604f2", "x-forwarded-for": "unknown", "x-forwarded-port": "80", "x-forwarded-proto": "http"
  },
  "queryStringParameters": {"q": "a b", "type": "dog"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5",
    "authorizer": {"jwt": {"claims": {"exp": "1744672475", "iss": "https://issuer.example.com/", "scope": "pets/read", "sub": "u1"}, "scopes": ["pets/read"]}},
    "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
    "http": {"method": "POST", "path": "/pets/6", "protocol": "HTTP/1.1", "sourceIp": "", "userAgent": "curl/8.7.1"},
    "requestId": "JCJP4iwYPHcEJgQ=", "routeKey": "POST /pets/{petId}", "stage": "$default",
    "time": "15/Apr/2025:00:14:35 +0000", "timeEpoch": 1744676075623
  },
  "pathParameters": {"petId": "6"}, "body": "{\"name\":\"x\"}\n", "isBase64Encoded": false, "stageVariables": {"env": "blue"}
}`)
}

func TestProxy10(t *testing.T) {
	t.Parallel()
	x := exchange(t, &gateway.Stage{Name: "$default"}, "GET /pets/{petId}", "GET /pets/6?type=dog&type=cat HTTP/1.1", "accept: */*", "x-a: 1", "X-A: 2", "Cookie: s=1; t=2")
	x.ID = "JCJP4iwYPHcEJgQ="
	equal(t, AppendProxy10(nil, x, nil), `{
  "version": "1.0", "resource": "/pets/{petId}", "path": "/pets/6", "httpMethod": "GET",
  "headers": {"accept": "*/*", "Content-Length": "0", "Cookie": "s=1; t=2", "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "x-a": "2",
    "X-Amzn-Trace-Id": "Root=1-67fda4eb-24224fe22c183c77042604f2", "X-Forwarded-For": "unknown", "X-Forwarded-Port": "80", "X-Forwarded-Proto": "http"},
  "multiValueHeaders": {"accept": ["*/*"], "Content-Length": ["0"], "Cookie": ["s=1; t=2"], "Host": ["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"], "x-a": ["1", "2"],
    "X-Amzn-Trace-Id": ["Root=1-67fda4eb-24224fe22c183c77042604f2"], "X-Forwarded-For": ["unknown"], "X-Forwarded-Port": ["80"], "X-Forwarded-Proto": ["http"]},
  "queryStringParameters": {"type": "cat"}, "multiValueQueryStringParameters": {"type": ["dog", "cat"]},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
    "extendedRequestId": "JCJP4iwYPHcEJgQ=", "httpMethod": "GET",
    "identity": {"accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null, "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null,
      "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": "", "user": null, "userAgent": "", "userArn": null},
    "path": "/pets/6", "protocol": "HTTP/1.1", "requestId": "JCJP4iwYPHcEJgQ=", "requestTime": "15/Apr/2025:00:14:35 +0000", "requestTimeEpoch": 1744676075623,
    "resourceId": "GET /pets/{petId}", "resourcePath": "/pets/{petId}", "stage": "$default"
  },
  "pathParameters": {"petId": "6"}, "stageVariables": null, "body": null, "isBase64Encoded": false
}`)
}

// TestBody: which bodies functions get as text, and which in base64.
func TestBody(t *testing.T) {
	t.Parallel()
	x := posted(t)
	header := x.Request.Header
	for _, tt := range []struct {
		name   string
		fields []string // names and values in turns
		body   string
		text   bool
	}{
		{"JSON", []string{"Content-Type", "application/json"}, `{}`, true},
		{"JSON with a charset", []string{"content-type", "application/json; charset=utf-8"}, `{}`, true},
		{"case and space", []string{"content-type", " Application/JSON \t; x"}, `{}`, true},
		{"JavaScript", []string{"content-type", "application/javascript"}, `f()`, true},
		{"XML", []string{"content-type", "application/xml"}, `<a/>`, true},
		{"text", []string{"content-type", "text/csv"}, "a\x00\x1f\n\r\t\"\\\u2028", true},
		{"text in UTF-8", []string{"content-type", `TEXT/plain; a=b; Charset="UTF-8"`}, "ü", true},
		{"text in ASCII", []string{"content-type", "text/plain;charset=us-ascii"}, "a", true},
		{"text in Latin 1", []string{"content-type", "text/plain; charset=iso-8859-1"}, "a", false},
		{"the first charset counts", []string{"content-type", "text/plain; charset=utf-16; charset=utf-8"}, "a", false},
		{"not UTF-8", []string{"content-type", "application/json"}, "\"\xff\"", false},
		{"half a character", []string{"content-type", "text/plain"}, "a\xc3", false},
		{"no subtype", []string{"content-type", "text/"}, "a", false},
		{"text alone", []string{"content-type", "text"}, "a", false},
		{"problem+json", []string{"content-type", "application/problem+json"}, "{}", false},
		{"graphql", []string{"content-type", "application/graphql"}, "{}", false},
		{"form", []string{"content-type", "application/x-www-form-urlencoded"}, "a=1", false},
		{"multipart", []string{"content-type", "multipart/form-data; boundary=x"}, "--x", false},
		{"binary", []string{"content-type", "application/octet-stream"}, "\x01\x02\x03\x04\x05", false},
		{"prefix of a type", []string{"content-type", "application/jsonp"}, "a", false},
		{"no type", nil, "hi", false},
		{"empty type", []string{"content-type", ""}, "hi", false},
		{"the first type counts", []string{"content-type", "image/png", "content-type", "text/plain"}, "a", false},
		{"the first type counts, text", []string{"content-type", "text/plain", "content-type", "image/png"}, "a", true},
		{"compressed", []string{"content-type", "text/plain", "Content-Encoding", "gzip"}, "a", false},
		{"compressed, said first", []string{"content-encoding", "br", "content-type", "text/plain"}, "a", false},
	} {
		x.Request.Header = append([]gateway.Field(nil), header[0])
		for i := 0; i < len(tt.fields); i += 2 {
			x.Request.Header = append(x.Request.Header, gateway.Field{Name: tt.fields[i], Value: tt.fields[i+1]})
		}
		want := base64.StdEncoding.EncodeToString([]byte(tt.body))
		if tt.text {
			want = tt.body
		}
		for version, b := range map[string][]byte{"2.0": AppendProxy20(nil, x, []byte(tt.body)), "1.0": AppendProxy10(nil, x, []byte(tt.body))} {
			e := decode(t, b)
			if e["body"] != want || e["isBase64Encoded"] != !tt.text {
				t.Errorf("%s, %s: got %q %v, want %q", tt.name, version, e["body"], e["isBase64Encoded"], want)
			}
			if size := BodySize(x, []byte(tt.body)); !bytes.Contains(b, fmt.Appendf(nil, `"isBase64Encoded":%t`, !tt.text)) || size != sizeOf(t, b) {
				t.Errorf("%s, %s: size %d, is %d", tt.name, version, size, sizeOf(t, b))
			}
			if limit := BodyLimit(x, 4000); tt.text && limit != 4000 || limit != 4000 && limit != 3000 {
				t.Errorf("%s: limit %d", tt.name, limit)
			}
		}
		for version, b := range map[string][]byte{"2.0": AppendProxy20(nil, x, nil), "1.0": AppendProxy10(nil, x, []byte{})} {
			e := decode(t, b)
			if body, ok := e["body"]; body != nil || ok != (version == "1.0") || e["isBase64Encoded"] != false {
				t.Errorf("%s, %s: an empty body is %v, %v", tt.name, version, body, e["isBase64Encoded"])
			}
		}
	}
}

// sizeOf returns how many bytes stand between the quotes of the body of an event.
func sizeOf(t *testing.T, b []byte) int {
	t.Helper()
	var raw struct{ Body json.RawMessage }
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	return len(raw.Body) - 2
}

// TestMapped: events show what a request mapping has changed, and their context what came.
func TestMapped(t *testing.T) {
	t.Parallel()
	x := posted(t)
	x.Request.Header = append(x.Request.Header, gateway.Field{Name: "X_A", Value: "3"})
	x.Mapped = gateway.Mapped{
		Header: []gateway.Change{
			{Kind: gateway.Remove, Name: "accept-language"}, {Kind: gateway.Remove, Name: "cookie"},
			{Kind: gateway.Overwrite, Name: "X-a", Value: "9"}, {Kind: gateway.Overwrite, Name: "host", Value: "backend"},
			{Kind: gateway.Overwrite, Name: "Content-Type", Value: "image/png"}, {Kind: gateway.Overwrite, Name: "x-forwarded-port", Value: "1"},
			{Kind: gateway.Append, Name: "Accept", Value: "text/html"}, {Kind: gateway.Append, Name: "cookie", Value: "u=3"},
		},
		Query: []gateway.Change{{Kind: gateway.Remove, Name: "q"}, {Kind: gateway.Append, Name: "type", Value: "c t"}},
		Path:  "/é x", HasPath: true,
	}
	two, one := decode(t, AppendProxy20(nil, x, []byte("a"))), decode(t, AppendProxy10(nil, x, []byte("a")))
	header2, header1, all1 := two["headers"].(map[string]any), one["headers"].(map[string]any), one["multiValueHeaders"].(map[string]any)
	context2, context1 := two["requestContext"].(map[string]any), one["requestContext"].(map[string]any)
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"2.0 removed", header2["accept-language"], nil},
		{"1.0 removed", header1["accept-language"], nil},
		{"2.0 overwritten", header2["x-a"], "9"},
		{"2.0 alias of it", header2["x_a"], nil},
		{"1.0 overwritten", all1["X-a"], []any{"9"}},
		{"2.0 appended", header2["accept"], "*/*,text/html"},
		{"1.0 appended", all1["accept"], []any{"*/*", "text/html"}},
		{"2.0 cookies", two["cookies"], []any{"u=3"}},
		{"1.0 cookie", header1["Cookie"], "u=3"},
		{"2.0 host", header2["host"], "backend"},
		{"1.0 host", header1["Host"], "backend"},
		{"2.0 port", header2["x-forwarded-port"], "1"},
		{"1.0 port", header1["X-Forwarded-Port"], "1"},
		{"2.0 query", two["rawQueryString"], "type=dog&type=c%20t"},
		{"2.0 parameters", two["queryStringParameters"], map[string]any{"type": "dog,c t"}},
		{"1.0 parameters", one["multiValueQueryStringParameters"], map[string]any{"type": []any{"dog", "c t"}}},
		{"2.0 path", two["rawPath"], "/é x"},
		{"1.0 path", one["path"], "/%C3%A9%20x"},
		{"2.0 body", two["body"], "YQ=="},
		{"2.0 context path", context2["http"].(map[string]any)["path"], "/pets/6"},
		{"2.0 domain", context2["domainName"], "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
		{"1.0 context path", context1["path"], "/pets/6"},
		{"pathParameters", two["pathParameters"], map[string]any{"petId": "6"}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	x.Mapped = gateway.Mapped{Header: []gateway.Change{{Kind: gateway.Remove, Name: "X-Forwarded-Port"}}}
	for name := range decode(t, AppendProxy20(nil, x, nil))["headers"].(map[string]any) {
		if name == "x-forwarded-port" {
			t.Error("the port is there, and was removed")
		}
	}
}

// TestAllocations: events need nothing but their buffer. The room for the parameters of
// queries comes out of a pool, which under the race detector is sometimes empty.
func TestAllocations(t *testing.T) {
	x, body := posted(t), bytes.Repeat([]byte(`{"name":"x"},`), 80)
	x.Request.Query = ""
	buffer := make([]byte, 0, 8<<10)
	for name, f := range map[string]func(){
		"2.0": func() { buffer = AppendProxy20(buffer[:0], x, body) },
		"1.0": func() { buffer = AppendProxy10(buffer[:0], x, body) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// benchmarkProxy has no body, and then a JSON body of 1 KB.
func benchmarkProxy(b *testing.B, f func([]byte, *gateway.Exchange, []byte) []byte) {
	x := posted(b)
	for name, body := range map[string]string{
		"bodiless": "",
		"1KB":      `{"items":[` + strings.Repeat(`{"id":1234,"name":"a name of a pet","price":12.5},`, 20) + `0]}`,
	} {
		b.Run(name, func(b *testing.B) {
			body, buffer := []byte(body), make([]byte, 0, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				buffer = f(buffer[:0], x, body)
			}
		})
	}
}

func BenchmarkProxy20(b *testing.B) { benchmarkProxy(b, AppendProxy20) }
func BenchmarkProxy10(b *testing.B) { benchmarkProxy(b, AppendProxy10) }

func BenchmarkProxyBase64(b *testing.B) {
	x := posted(b)
	x.Request.Header = x.Request.Header[:1]
	body := bytes.Repeat([]byte{0xff}, 1<<20)
	buffer := make([]byte, 0, 2<<20)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendProxy20(buffer[:0], x, body)
	}
}
