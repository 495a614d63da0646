package event

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// socket is the connection of most tests.
func socket() *Socket {
	return &Socket{
		APIID: "abc123", Stage: "dev", ConnectionID: "L0SM9cOFvHcCIhw=",
		DomainName:  "abc123.execute-api.us-east-1.amazonaws.com",
		ConnectedAt: time.UnixMilli(1708326702105), SourceIP: "192.0.2.7", UserAgent: "ua/1",
		StageVariables: map[string]string{"table": "chat"},
	}
}

// message is the message of most tests. Its time is another zone's.
func message() *Message {
	return &Message{
		RouteKey: "send", RequestID: "L0SMdGv2PHcFZ7Q=", MessageID: "L0SMdeEPPHcCJIQ=",
		Time: time.UnixMilli(1708326710312).In(time.FixedZone("", 5400)),
		Body: []byte(`{"action":"send","text":"hi"}`),
	}
}

func TestMessageEvent(t *testing.T) {
	t.Parallel()
	b := AppendMessage([]byte("before"), socket(), message())
	if !strings.HasPrefix(string(b), "before{") {
		t.Fatalf("not appended: %s", b)
	}
	equal(t, b[len("before"):], `{"stageVariables":{"table":"chat"},
"requestContext":{"routeKey":"send","messageId":"L0SMdeEPPHcCJIQ=","eventType":"MESSAGE","extendedRequestId":"L0SMdGv2PHcFZ7Q=","requestTime":"19/Feb/2024:07:11:50 +0000","messageDirection":"IN","stage":"dev","connectedAt":1708326702105,"requestTimeEpoch":1708326710312,"identity":{"userAgent":"ua/1","sourceIp":"192.0.2.7"},"requestId":"L0SMdGv2PHcFZ7Q=","domainName":"abc123.execute-api.us-east-1.amazonaws.com","connectionId":"L0SM9cOFvHcCIhw=","apiId":"abc123"},
"body":"{\"action\":\"send\",\"text\":\"hi\"}",
"isBase64Encoded":false}`)
}

func TestMessageBody(t *testing.T) {
	t.Parallel()
	s, m := socket(), message()
	for _, tt := range []struct {
		name, body string
		base64     bool
		want       string
	}{
		{"nothing", "", false, ""},
		{"text", "hello", false, "hello"},
		{"escapes", "a\"b\\c\n\x00\x1f\x7f", false, "a\"b\\c\n\x00\x1f\x7f"},
		{"characters", "ü\u2028😀", false, "ü\u2028😀"},
		{"not UTF-8", "a\xffb", false, "a\uFFFDb"},
		{"looks like the end", `","isBase64Encoded":true}`, false, `","isBase64Encoded":true}`},
		{"base64 of nothing", "", true, ""},
		{"base64", "\x00\xff\xfe", true, "AP/+"},
		{"base64 with padding", "a", true, "YQ=="},
	} {
		m.Body, m.Base64 = []byte(tt.body), tt.base64
		e := decode(t, AppendMessage(nil, s, m))
		if e["body"] != tt.want || e["isBase64Encoded"] != tt.base64 {
			t.Errorf("%s: body %q, isBase64Encoded %v", tt.name, e["body"], e["isBase64Encoded"])
		}
	}
}

func TestDisconnectEvent(t *testing.T) {
	t.Parallel()
	m := &Message{RouteKey: "send", RequestID: "L0SMdGv2PHcFZ7Q=", MessageID: "M", Body: []byte("x"), Time: time.UnixMilli(1708327201000)}
	equal(t, AppendDisconnect(nil, socket(), m, 1005, "Client-side close frame status not set"), `{"headers":{"Host":"abc123.execute-api.us-east-1.amazonaws.com","x-api-key":"","X-Forwarded-For":"","x-restapi":""},
"multiValueHeaders":{"Host":["abc123.execute-api.us-east-1.amazonaws.com"],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},
"requestContext":{"routeKey":"$disconnect","disconnectStatusCode":1005,"eventType":"DISCONNECT","extendedRequestId":"L0SMdGv2PHcFZ7Q=","requestTime":"19/Feb/2024:07:20:01 +0000","messageDirection":"IN","disconnectReason":"Client-side close frame status not set","stage":"dev","connectedAt":1708326702105,"requestTimeEpoch":1708327201000,"identity":{"userAgent":"ua/1","sourceIp":"192.0.2.7"},"requestId":"L0SMdGv2PHcFZ7Q=","domainName":"abc123.execute-api.us-east-1.amazonaws.com","connectionId":"L0SM9cOFvHcCIhw=","apiId":"abc123"},
"isBase64Encoded":false}`)
	e := decode(t, AppendDisconnect(nil, socket(), m, 4999, "\"bye\"\xff"))["requestContext"].(map[string]any)
	if e["disconnectStatusCode"] != 4999. || e["disconnectReason"] != "\"bye\"\uFFFD" {
		t.Errorf("code %v, reason %q", e["disconnectStatusCode"], e["disconnectReason"])
	}
	if e := decode(t, AppendDisconnect(nil, socket(), m, 1000, ""))["requestContext"].(map[string]any); e["disconnectReason"] != "" {
		t.Errorf("no reason: %v", e["disconnectReason"])
	}
}

// TestSocketMembers: which members each event has, and which only if there is something.
func TestSocketMembers(t *testing.T) {
	t.Parallel()
	context := []string{"apiId", "connectedAt", "connectionId", "domainName", "eventType", "extendedRequestId", "identity", "messageDirection", "requestId", "requestTime", "requestTimeEpoch", "routeKey", "stage"}
	x := upgrade(t, "/dev")
	for _, tt := range []struct {
		name         string
		write        func(*Socket) []byte
		always, some []string
		context      []string
	}{
		{"CONNECT", func(s *Socket) []byte { return AppendConnect(nil, s, x) },
			[]string{"headers", "isBase64Encoded", "multiValueHeaders", "requestContext"}, []string{"stageVariables"}, nil},
		{"MESSAGE", func(s *Socket) []byte { return AppendMessage(nil, s, message()) },
			[]string{"body", "isBase64Encoded", "requestContext"}, []string{"stageVariables"}, []string{"messageId"}},
		{"DISCONNECT", func(s *Socket) []byte { return AppendDisconnect(nil, s, message(), 1000, "") },
			[]string{"headers", "isBase64Encoded", "multiValueHeaders", "requestContext"}, nil, []string{"disconnectReason", "disconnectStatusCode"}},
		{"authorizer", func(s *Socket) []byte { return AppendSocketAuthorizer(nil, s, x, "arn") },
			[]string{"headers", "methodArn", "multiValueHeaders", "multiValueQueryStringParameters", "queryStringParameters", "requestContext", "stageVariables", "type"}, nil, nil},
	} {
		s := socket()
		s.StageVariables, s.UserAgent = nil, ""
		e := decode(t, tt.write(s))
		if got := slices.Sorted(maps.Keys(e)); !slices.Equal(got, tt.always) {
			t.Errorf("%s: members %q, want %q", tt.name, got, tt.always)
		}
		want := slices.Sorted(slices.Values(append(tt.context, context...)))
		c := e["requestContext"].(map[string]any)
		if got := slices.Sorted(maps.Keys(c)); !slices.Equal(got, want) {
			t.Errorf("%s: requestContext %q, want %q", tt.name, got, want)
		}
		if !reflect.DeepEqual(c["identity"], map[string]any{"sourceIp": "192.0.2.7"}) {
			t.Errorf("%s: identity %v", tt.name, c["identity"])
		}
		want = slices.Sorted(slices.Values(append(tt.some, tt.always...)))
		if got := slices.Sorted(maps.Keys(decode(t, tt.write(socket())))); !slices.Equal(got, want) {
			t.Errorf("%s: with stage variables %q, want %q", tt.name, got, want)
		}
	}
}

// TestSocketIdentity: all events of a connection say the same of who the client is.
func TestSocketIdentity(t *testing.T) {
	t.Parallel()
	text := func(name, text string) gateway.ContextMember {
		return gateway.ContextMember{Name: name, JSON: "0", Text: text, Scalar: true}
	}
	x := upgrade(t, "/dev")
	for _, tt := range []struct {
		name                 string
		change               func(*Socket)
		identity, authorizer string
	}{
		{"nobody", func(s *Socket) {}, `{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, ""},
		{"no user agent", func(s *Socket) { s.UserAgent = "" }, `{"sourceIp":"192.0.2.7"}`, ""},
		{"nobody in an identity", func(s *Socket) { s.Identity = &gateway.Identity{} }, `{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, ""},
		{"a token", func(s *Socket) {
			s.Identity = &gateway.Identity{JWT: &gateway.JWTIdentity{Claims: []gateway.Field{{Name: "sub", Value: "1"}}}}
		}, `{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, ""},
		{"key", func(s *Socket) { s.APIKey, s.APIKeyID = "secret\"", "k1" },
			`{"sourceIp":"192.0.2.7","userAgent":"ua/1","apiKey":"secret\"","apiKeyId":"k1"}`, ""},
		{"signed", func(s *Socket) {
			s.Identity = &gateway.Identity{IAM: &gateway.IAMIdentity{AccessKeyID: "AKIA", AccountID: "111122223333", CallerID: "AIDAC", UserARN: "arn:u", UserID: "AIDA"}}
		}, `{"sourceIp":"192.0.2.7","userAgent":"ua/1","accessKey":"AKIA","accountId":"111122223333","caller":"AIDAC","user":"AIDA","userArn":"arn:u"}`, ""},
		{"signed by somebody half known", func(s *Socket) { s.Identity = &gateway.Identity{IAM: &gateway.IAMIdentity{AccessKeyID: "AKIA"}} },
			`{"sourceIp":"192.0.2.7","userAgent":"ua/1","accessKey":"AKIA"}`, ""},
		{"function", func(s *Socket) {
			s.AuthorizerLatency = 123456 * time.Microsecond
			s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{text("a", "x\"y"), text("n", "1e3"), text("b", "true"), text("\n", "")}}}
		}, `{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, `{"principalId":"me","a":"x\"y","n":"1e3","b":"true","\n":"","integrationLatency":123}`},
		{"function without context", func(s *Socket) { s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "me"}} },
			`{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, `{"principalId":"me","integrationLatency":0}`},
		{"context that says what it may not", func(s *Socket) {
			s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{
				text("principalId", "root"), text("integrationLatency", "1"), {Name: "list", JSON: "[1]"}, text("sourceIp", "10.0.0.1")}}}
		}, `{"sourceIp":"192.0.2.7","userAgent":"ua/1"}`, `{"principalId":"me","sourceIp":"10.0.0.1","integrationLatency":0}`},
	} {
		s := socket()
		tt.change(s)
		for event, b := range map[string][]byte{
			"CONNECT":    AppendConnect(nil, s, x),
			"MESSAGE":    AppendMessage(nil, s, message()),
			"DISCONNECT": AppendDisconnect(nil, s, message(), 1000, ""),
		} {
			once(t, b)
			c := decode(t, b)["requestContext"].(map[string]any)
			if want := decode(t, []byte(tt.identity)); !reflect.DeepEqual(c["identity"], any(want)) {
				t.Errorf("%s: %s: identity %v, want %v", tt.name, event, c["identity"], want)
			}
			got, ok := c["authorizer"]
			if tt.authorizer == "" {
				if ok {
					t.Errorf("%s: %s: authorizer %v", tt.name, event, got)
				}
			} else if want := decode(t, []byte(tt.authorizer)); !reflect.DeepEqual(got, any(want)) {
				t.Errorf("%s: %s: authorizer %v, want %v", tt.name, event, got, want)
			}
		}
	}
}

func TestErrorFrame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ message, want string }{
		{"Internal server error", `{"message": "Internal server error", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"L0SMdGv2PHcFZ7Q="}`},
		{"", `{"message": "", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"L0SMdGv2PHcFZ7Q="}`},
		{"a\"b\\\n\xff", `{"message": "a\"b\\\n` + "\uFFFD" + `", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"L0SMdGv2PHcFZ7Q="}`},
	} {
		if got := string(AppendErrorFrame([]byte("x"), tt.message, "L0SM9cOFvHcCIhw=", "L0SMdGv2PHcFZ7Q=")); got != "x"+tt.want {
			t.Errorf("%q: got %s, want x%s", tt.message, got, tt.want)
		}
	}
}

// TestSocketAllocations: events need no memory but the buffer. Not parallel: others'
// memory would count.
func TestSocketAllocations(t *testing.T) {
	s, m, x := socket(), message(), upgrade(t, "/dev")
	s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{{Name: "a", Text: "b", Scalar: true}}}}
	b := make([]byte, 0, 8192)
	for name, write := range map[string]func(){
		"connect":    func() { b = AppendConnect(b[:0], s, x) },
		"message":    func() { b = AppendMessage(b[:0], s, m) },
		"disconnect": func() { b = AppendDisconnect(b[:0], s, m, 1001, "Going away") },
		"authorizer": func() { b = AppendSocketAuthorizer(b[:0], s, x, "arn") },
		"error":      func() { b = AppendErrorFrame(b[:0], "Forbidden", s.ConnectionID, m.RequestID) },
	} {
		if n := testing.AllocsPerRun(100, write); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzMessageEvent: whatever a client sends, and whatever is known of it, events are JSON
// objects in which each member stands once, and say it.
func FuzzMessageEvent(f *testing.F) {
	f.Add([]byte(`{"action":"send"}`), "send", "ua/1", "dev", "k", "v", "a", "1", 1000, "Going away")
	f.Add([]byte("\xff\"\\\x00"), "\"", "\xff", "\n", "\"", "\\", "principalId", "\xff", -1, "\"")
	f.Fuzz(func(t *testing.T, body []byte, key, agent, stage, variable, value, member, text string, code int, reason string) {
		s, m := socket(), message()
		s.UserAgent, s.Stage, s.StageVariables = agent, stage, map[string]string{variable: value}
		s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: value, Context: []gateway.ContextMember{{Name: member, Text: text, Scalar: true}}}}
		m.RouteKey, m.Body = key, body
		context := func(b []byte) map[string]any {
			once(t, b)
			return decode(t, b)["requestContext"].(map[string]any)
		}
		b := AppendMessage(nil, s, m)
		c := context(b)
		if e := decode(t, b); e["body"] != read(t, string(body)) || !reflect.DeepEqual(e["stageVariables"], map[string]any{read(t, variable): read(t, value)}) {
			t.Errorf("%v", e)
		}
		if c["routeKey"] != read(t, key) || c["stage"] != read(t, stage) || agent != "" && c["identity"].(map[string]any)["userAgent"] != read(t, agent) {
			t.Errorf("%v", c)
		}
		if a := c["authorizer"].(map[string]any); a["principalId"] != read(t, value) || member != "principalId" && member != "integrationLatency" && a[read(t, member)] != read(t, text) {
			t.Errorf("%v", a)
		}
		if c := context(AppendDisconnect(nil, s, m, code, reason)); c["disconnectStatusCode"] != float64(code) || c["disconnectReason"] != read(t, reason) {
			t.Errorf("%v", c)
		}
		b = AppendErrorFrame(nil, text, key, stage)
		once(t, b)
		if e := decode(t, b); !reflect.DeepEqual(e, map[string]any{"message": read(t, text), "connectionId": read(t, key), "requestId": read(t, stage)}) {
			t.Errorf("%v", e)
		}
	})
}

// read returns what a string is once it was written as JSON and read again.
func read(t *testing.T, s string) (read string) {
	t.Helper()
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func BenchmarkMessage(b *testing.B) {
	s, m := socket(), message()
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendMessage(buffer[:0], s, m)
	}
}

// BenchmarkMessageAuthorized has what an authorizer said in every event.
func BenchmarkMessageAuthorized(b *testing.B) {
	s, m := socket(), message()
	s.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{
		{Name: "tenant", Text: "t-1", Scalar: true}, {Name: "plan", Text: "gold", Scalar: true}}}}
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendMessage(buffer[:0], s, m)
	}
}

func BenchmarkDisconnect(b *testing.B) {
	s, m := socket(), message()
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendDisconnect(buffer[:0], s, m, 1001, "Going away")
	}
}

func BenchmarkErrorFrame(b *testing.B) {
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendErrorFrame(buffer[:0], "Internal server error", "L0SM9cOFvHcCIhw=", "L0SMdGv2PHcFZ7Q=")
	}
}
