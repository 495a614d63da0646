package event

import (
	"crypto/tls"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// upgrade returns the exchange of a handshake for a target on the stage dev.
func upgrade(t testing.TB, target string, header ...string) *gateway.Exchange {
	t.Helper()
	stage := &gateway.Stage{Name: "dev"}
	x := exchange(t, stage, "$default", "GET "+target+" HTTP/1.1", append([]string{
		"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: 8Zyx4QkPnR2mJw0Tb5uV7g==",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}, header...)...)
	x.Request.Host = "abc123.execute-api.us-east-1.amazonaws.com"
	x.Request.Peer = netip.MustParseAddrPort("192.0.2.7:1234")
	x.Request.TLS = &tls.ConnectionState{}
	x.ID, x.Start = "L0SMdGv2PHcFZ7Q=", time.UnixMilli(1708326702106)
	return x
}

func TestConnectEvent(t *testing.T) {
	t.Parallel()
	x := upgrade(t, "/dev?room=a&room=b", "User-Agent: ua/1", "X-Amzn-Trace-Id: Root=1-65d2ffee-0123456789abcdef01234567")
	equal(t, AppendConnect(nil, socket(), x), `{"headers":{"Host":"abc123.execute-api.us-east-1.amazonaws.com","Sec-WebSocket-Extensions":"permessage-deflate; client_max_window_bits","Sec-WebSocket-Key":"8Zyx4QkPnR2mJw0Tb5uV7g==","Sec-WebSocket-Version":"13","User-Agent":"ua/1","X-Amzn-Trace-Id":"Root=1-65d2ffee-0123456789abcdef01234567","X-Forwarded-For":"192.0.2.7","X-Forwarded-Port":"443","X-Forwarded-Proto":"https"},
"multiValueHeaders":{"Host":["abc123.execute-api.us-east-1.amazonaws.com"],"Sec-WebSocket-Extensions":["permessage-deflate; client_max_window_bits"],"Sec-WebSocket-Key":["8Zyx4QkPnR2mJw0Tb5uV7g=="],"Sec-WebSocket-Version":["13"],"User-Agent":["ua/1"],"X-Amzn-Trace-Id":["Root=1-65d2ffee-0123456789abcdef01234567"],"X-Forwarded-For":["192.0.2.7"],"X-Forwarded-Port":["443"],"X-Forwarded-Proto":["https"]},
"queryStringParameters":{"room":"b"},"multiValueQueryStringParameters":{"room":["a","b"]},
"stageVariables":{"table":"chat"},
"requestContext":{"routeKey":"$connect","eventType":"CONNECT","extendedRequestId":"L0SMdGv2PHcFZ7Q=","requestTime":"19/Feb/2024:07:11:42 +0000","messageDirection":"IN","stage":"dev","connectedAt":1708326702105,"requestTimeEpoch":1708326702106,"identity":{"userAgent":"ua/1","sourceIp":"192.0.2.7"},"requestId":"L0SMdGv2PHcFZ7Q=","domainName":"abc123.execute-api.us-east-1.amazonaws.com","connectionId":"L0SM9cOFvHcCIhw=","apiId":"abc123"},
"isBase64Encoded":false}`)
}

func TestSocketAuthorizer(t *testing.T) {
	t.Parallel()
	s := socket()
	s.StageVariables, s.UserAgent = nil, ""
	s.ConnectedAt = time.UnixMilli(1674162806344)
	x := upgrade(t, "/dev?token=t1", "HeaderAuth1: v1", "X-Amzn-Trace-Id: Root=1-63c9b0f6-0123456789abcdef01234567")
	x.Start = time.UnixMilli(1674162806345)
	equal(t, AppendSocketAuthorizer(nil, s, x, "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/$connect"), `{"type":"REQUEST","methodArn":"arn:aws:execute-api:us-east-1:123456789012:abc123/dev/$connect",
"headers":{"Connection":"upgrade","content-length":"0","HeaderAuth1":"v1","Host":"abc123.execute-api.us-east-1.amazonaws.com","Sec-WebSocket-Extensions":"permessage-deflate; client_max_window_bits","Sec-WebSocket-Key":"8Zyx4QkPnR2mJw0Tb5uV7g==","Sec-WebSocket-Version":"13","Upgrade":"websocket","X-Amzn-Trace-Id":"Root=1-63c9b0f6-0123456789abcdef01234567","X-Forwarded-For":"192.0.2.7","X-Forwarded-Port":"443","X-Forwarded-Proto":"https"},
"multiValueHeaders":{"Connection":["upgrade"],"content-length":["0"],"HeaderAuth1":["v1"],"Host":["abc123.execute-api.us-east-1.amazonaws.com"],"Sec-WebSocket-Extensions":["permessage-deflate; client_max_window_bits"],"Sec-WebSocket-Key":["8Zyx4QkPnR2mJw0Tb5uV7g=="],"Sec-WebSocket-Version":["13"],"Upgrade":["websocket"],"X-Amzn-Trace-Id":["Root=1-63c9b0f6-0123456789abcdef01234567"],"X-Forwarded-For":["192.0.2.7"],"X-Forwarded-Port":["443"],"X-Forwarded-Proto":["https"]},
"queryStringParameters":{"token":"t1"},"multiValueQueryStringParameters":{"token":["t1"]},
"stageVariables":{},
"requestContext":{"routeKey":"$connect","eventType":"CONNECT","extendedRequestId":"L0SMdGv2PHcFZ7Q=","requestTime":"19/Jan/2023:21:13:26 +0000","messageDirection":"IN","stage":"dev","connectedAt":1674162806344,"requestTimeEpoch":1674162806345,"identity":{"sourceIp":"192.0.2.7"},"requestId":"L0SMdGv2PHcFZ7Q=","domainName":"abc123.execute-api.us-east-1.amazonaws.com","connectionId":"L0SM9cOFvHcCIhw=","apiId":"abc123"}}`)
	e := decode(t, AppendSocketAuthorizer(nil, socket(), upgrade(t, "/dev"), "arn"))
	if want := map[string]any{}; !reflect.DeepEqual(e["queryStringParameters"], any(want)) || !reflect.DeepEqual(e["multiValueQueryStringParameters"], any(want)) {
		t.Errorf("without a query: %v, %v", e["queryStringParameters"], e["multiValueQueryStringParameters"])
	}
	if !reflect.DeepEqual(e["stageVariables"], map[string]any{"table": "chat"}) {
		t.Errorf("stageVariables: %v", e["stageVariables"])
	}
}

func TestHandshakeFields(t *testing.T) {
	t.Parallel()
	all := func(values ...any) []any { return values }
	for _, tt := range []struct {
		name   string
		header []string
		field  string
		want   []any // nil if the event does not have it
	}{
		{"lower case", []string{"user-agent: ua", "authorization: a"}, "user-agent", all("ua")},
		{"no title", []string{"authorization: a"}, "authorization", all("a")},
		{"odd case", []string{"oRigin: https://example.com"}, "oRigin", all("https://example.com")},
		{"cookies are a field", []string{"Cookie: s=1; t=2"}, "Cookie", all("s=1; t=2")},
		{"subprotocols", []string{"Sec-WebSocket-Protocol: a, b"}, "Sec-WebSocket-Protocol", all("a, b")},
		{"empty", []string{"X-A:"}, "X-A", all("")},
		{"twice", []string{"X-A: 1", "X-B: 2", "x-a: 3", "X-A: 4"}, "X-A", all("1", "3", "4")},
		{"twice under one name", []string{"X-A: 1", "x-a: 3"}, "x-a", nil},
		{"not text", []string{"X-A: a\xffb"}, "X-A", all("a\uFFFDb")},
		{"what a client claims to be forwarded for", []string{"x-forwarded-for: 10.0.0.1", "X-FORWARDED-FOR: 10.0.0.2"}, "X-Forwarded-For", all("10.0.0.1, 10.0.0.2, 192.0.2.7")},
		{"alias", []string{"X_Forwarded_For: 10.0.0.1"}, "X_Forwarded_For", nil},
		{"alias counts for nothing", []string{"X_Forwarded_For: 10.0.0.1"}, "X-Forwarded-For", all("192.0.2.7")},
		{"claimed port", []string{"X-Forwarded-Port: 1"}, "X-Forwarded-Port", all("443")},
		{"claimed protocol", []string{"x-forwarded-proto: gopher"}, "X-Forwarded-Proto", all("https")},
		{"known trace", []string{"x-amzn-trace-id: Root=1-a-b"}, "X-Amzn-Trace-Id", all("Root=1-a-b")},
		{"new trace", []string{"x-amzn-trace-id: nothing"}, "X-Amzn-Trace-Id", all("Root=1-65d2ff2e-2f448c746bf63c770567b493")},
		{"other fields of the service", []string{"X-Amzn-Oidc-Identity: root"}, "X-Amzn-Oidc-Identity", nil},
		{"host of the request", nil, "Host", all("abc123.execute-api.us-east-1.amazonaws.com")},
		{"credentials for a proxy", []string{"Proxy-Authorization: Basic eA=="}, "Proxy-Authorization", nil},
		{"length", []string{"Content-Length: 0"}, "Content-Length", nil},
		{"alias of the length", []string{"content_length: 7"}, "content_length", nil},
		{"TE", []string{"TE: trailers"}, "TE", nil},
		{"Keep-Alive", []string{"Keep-Alive: timeout=5"}, "Keep-Alive", nil},
	} {
		x := upgrade(t, "/dev", tt.header...)
		for event, b := range map[string][]byte{
			"CONNECT": AppendConnect(nil, socket(), x), "authorizer": AppendSocketAuthorizer(nil, socket(), x, "arn"),
		} {
			once(t, b)
			e := decode(t, b)
			last, hasLast := e["headers"].(map[string]any)[tt.field]
			many, hasMany := e["multiValueHeaders"].(map[string]any)[tt.field]
			if tt.want == nil {
				if hasLast || hasMany {
					t.Errorf("%s: %s has %v, %v", tt.name, event, last, many)
				}
			} else if last != tt.want[len(tt.want)-1] || !reflect.DeepEqual(many, any(tt.want)) {
				t.Errorf("%s: %s has %v, %v, want %v", tt.name, event, last, many, tt.want)
			}
			for name, want := range map[string]any{"Connection": "upgrade", "Upgrade": "websocket", "content-length": "0"} {
				if event == "CONNECT" {
					want = nil
				}
				if got := e["headers"].(map[string]any)[name]; got != want {
					t.Errorf("%s: %s has %s %v, want %v", tt.name, event, name, got, want)
				}
			}
		}
	}
}

func TestHandshakePort(t *testing.T) {
	t.Parallel()
	x := upgrade(t, "/dev")
	for _, tt := range []struct {
		host  string
		tls   *tls.ConnectionState
		port  string
		proto string
	}{
		{"abc123.example.com", &tls.ConnectionState{}, "443", "https"},
		{"abc123.example.com:8443", &tls.ConnectionState{}, "8443", "https"},
		{"abc123.example.com", nil, "80", "http"},
		{"abc123.example.com:8080", nil, "8080", "http"},
		{"[::1]", nil, "80", "http"},
	} {
		x.Request.Host, x.Request.TLS = tt.host, tt.tls
		h := decode(t, AppendConnect(nil, socket(), x))["headers"].(map[string]any)
		if h["Host"] != tt.host || h["X-Forwarded-Port"] != tt.port || h["X-Forwarded-Proto"] != tt.proto {
			t.Errorf("%s: %v", tt.host, h)
		}
	}
}

// TestHandshakeMapping: what the mapping of an integration changes is not shown, since the
// authorizer was not shown it either.
func TestHandshakeMapping(t *testing.T) {
	t.Parallel()
	x := upgrade(t, "/dev?a=1", "X-A: 1")
	want := decode(t, AppendConnect(nil, socket(), x))
	x.Mapped.Header = []gateway.Change{{Kind: gateway.Overwrite, Name: "X-A", Value: "2"}, {Kind: gateway.Overwrite, Name: "Host", Value: "evil"}}
	x.Mapped.Query = []gateway.Change{{Kind: gateway.Remove, Name: "a"}}
	if got := decode(t, AppendConnect(nil, socket(), x)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHandshakeQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, last, all string }{
		{"", "", ""},
		{"?", "", ""},
		{"?&&", "", ""},
		{"?a", `{"a":""}`, `{"a":[""]}`},
		{"?a=1&b=2&a=3", `{"a":"3","b":"2"}`, `{"a":["1","3"],"b":["2"]}`},
		{"?a%20b=c%2Fd+e", `{"a b":"c/d e"}`, `{"a b":["c/d e"]}`},
		{"?A=1&a=2", `{"A":"1","a":"2"}`, `{"A":["1"],"a":["2"]}`},
		{"?t=%22%00", `{"t":"\"\u0000"}`, `{"t":["\"\u0000"]}`},
	} {
		e := decode(t, AppendConnect(nil, socket(), upgrade(t, "/dev"+tt.query)))
		for name, want := range map[string]string{"queryStringParameters": tt.last, "multiValueQueryStringParameters": tt.all} {
			got, ok := e[name]
			if want == "" {
				if ok {
					t.Errorf("%q: %s %v", tt.query, name, got)
				}
			} else if !reflect.DeepEqual(got, any(decode(t, []byte(want)))) {
				t.Errorf("%q: %s %v, want %s", tt.query, name, got, want)
			}
		}
	}
}

// FuzzConnectEvent: whatever a handshake is, its events are JSON objects with each member
// once, and say what the reference says.
func FuzzConnectEvent(f *testing.F) {
	f.Add("a=1&b=%zz&a=2", "X-A", "\xff\"", "x-a", "2", "abc123.example.com")
	f.Add("%00=%0a&+", "X_Forwarded_For", "1", "Cookie", ";", "\"")
	f.Add("&=&", "x-forwarded-for", "1", "X-FORWARDED-FOR", "", "[::1]:80")
	f.Add("", "Connection", "upgrade", "content_length", "1", "")
	x := upgrade(f, "/dev")
	x.Request.Peer = netip.AddrPort{}
	f.Fuzz(func(t *testing.T, query, name1, value1, name2, value2, host string) {
		for _, c := range name1 + name2 {
			if c <= ' ' || c > '~' || c == '"' || c == '\\' {
				return // names of fields are tokens
			}
		}
		x.Request.Query, x.Request.Host = query, host
		x.Request.Header = []gateway.Field{{Name: "Upgrade", Value: "websocket"}, {Name: name1, Value: value1}, {Name: name2, Value: value2}, {Name: "X-A", Value: "0"}}
		e := decode(t, AppendConnect(nil, socket(), x))
		b := AppendSocketAuthorizer(nil, socket(), x, value1)
		once(t, b)
		once(t, AppendConnect(nil, socket(), x))
		a := decode(t, b)

		all, first := map[string][]string{}, map[string]string{}
		for _, field := range referenceHeader(x) {
			lower := strings.ToLower(field[0])
			if first[lower] == "" {
				first[lower] = field[0]
			}
			all[first[lower]] = append(all[first[lower]], field[1])
		}
		last := map[string]string{}
		for name, values := range all {
			last[name] = values[len(values)-1]
		}
		queryLast, queryAll := map[string]string{}, map[string][]string{}
		parameters, _ := referenceQuery(x)
		for _, p := range parameters {
			name := read(t, p[0])
			queryLast[name], queryAll[name] = p[1], append(queryAll[name], p[1])
		}
		for name, reference := range map[string]any{"headers": last, "multiValueHeaders": all, "queryStringParameters": queryLast, "multiValueQueryStringParameters": queryAll} {
			text, err := json.Marshal(reference)
			if err != nil {
				t.Fatal(err)
			}
			want := decode(t, text)
			for kind, event := range map[string]map[string]any{"CONNECT": e, "authorizer": a} {
				got, ok := event[name].(map[string]any)
				if kind == "CONNECT" && strings.Contains(name, "ueryString") && ok != (len(want) > 0) {
					t.Errorf("%s: %s is there: %t", kind, name, ok)
				}
				own := []string{"Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}
				if kind == "authorizer" {
					own = append(own, "Connection", "Upgrade", "content-length")
				}
				if strings.HasSuffix(name, "eaders") {
					for _, field := range own {
						if _, ok := got[field]; !ok {
							t.Errorf("%s: %s has no %s", kind, name, field)
						}
						delete(got, field)
					}
				}
				if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s: got %v, want %v", kind, name, got, want)
				}
			}
		}
	})
}

func BenchmarkConnect(b *testing.B) {
	s, x := socket(), upgrade(b, "/dev?room=a&token=t1", "User-Agent: ua/1", "Origin: https://example.com", "Cookie: s=1")
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendConnect(buffer[:0], s, x)
	}
}

func BenchmarkSocketAuthorizer(b *testing.B) {
	s, x := socket(), upgrade(b, "/dev?room=a&token=t1", "User-Agent: ua/1", "Origin: https://example.com", "Cookie: s=1")
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendSocketAuthorizer(buffer[:0], s, x, "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/$connect")
	}
}
