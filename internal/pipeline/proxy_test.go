package pipeline

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
)

func TestHandshakes(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	mock := func(template string, responses ...ResponseSpec) Spec {
		return Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": template}, Responses: responses}
	}
	proxy := func(parameters ...string) Spec {
		spec := Spec{Type: "HTTP_PROXY", Client: client, RequestParameters: map[string]string{}}
		for i := 0; i < len(parameters); i += 2 {
			spec.RequestParameters["integration.request."+parameters[i]] = parameters[i+1]
		}
		return spec
	}
	function := func(l *lambda) Spec { return Spec{Type: "AWS_PROXY", URI: lambdaURI, Invoker: l} }
	subprotocol := func(value string) ResponseSpec {
		return ResponseSpec{Key: "$default", Parameters: map[string]string{"method.response.header.sec-websocket-protocol": value, "method.response.header.X-A": "'1'"}}
	}
	for _, tt := range []struct {
		name        string
		spec        Spec
		answer      http.HandlerFunc // of an HTTP backend
		query       string
		header      []string
		status      int
		subprotocol string
		got         []string // fields at the backend; a name alone must not be there
	}{
		{"H18", mock(`{"statusCode":200}`, toDefault("")...), nil, "", nil, 200, "", nil},
		{"H19", mock(`{"statusCode":403}`, toDefault("")...), nil, "", nil, 403, "", nil},
		{"H20", mock(`{"statusCode":200}`), nil, "", nil, 500, "", nil},
		{"H21", proxy(), says(204, ""), "t=1", []string{"X-B: 2"}, 204, "", []string{"X-B: 2", "Sec-Websocket-Key: 8Zyx4QkPnR2mJw0Tb5uV7g==", "Sec-Websocket-Version: 13", "Upgrade", "Connection", "User-Agent: AmazonAPIGateway_abc123", "X-Amzn-Apigateway-Api-Id: abc123", "Content-Type: application/json", "Accept: application/json", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Port: 80", "X-Forwarded-Proto: http", "target: /?t=1", "method: POST", "body: "}},
		{"H22 400", proxy(), says(400, "no"), "", nil, 400, "", nil},
		{"H22 404", proxy(), says(404, ""), "", nil, 404, "", nil},
		{"H23", proxy("header.Sec-WebSocket-Version", "'0'"), says(200, ""), "", nil, 200, "", []string{"Sec-Websocket-Version: 0"}},
		{"H24", proxy("header.tok", "route.request.querystring.authToken"), says(200, ""), "authToken=z", nil, 200, "", []string{"Tok: z"}},
		{"H24 alias", proxy("header.tok", "method.request.querystring.authToken"), says(200, ""), "authToken=y&authToken=z+%2F", nil, 200, "", []string{"Tok: z /"}},
		{"H25", proxy("header.connectionId", "context.connectionId"), says(200, ""), "", nil, 200, "", []string{"Connectionid: " + testConnection}},
		{"many values", proxy("header.all", "route.request.multivalueheader.x-a", "querystring.q", "route.request.multivaluequerystring.p"), says(200, ""), "p=1&p=2", []string{"X-A: 1", "X-a: 2"}, 200, "", []string{"All: 1|2", "X-A: 1|2", "target: /?q=1&q=2&p=1&p=2"}},
		{"last value", proxy("header.one", "route.request.header.X-A"), says(200, ""), "", []string{"X-A: 1", "X-a: 2"}, 200, "", []string{"One: 2"}},
		{"a mapped parameter replaces the client's", proxy("querystring.t", "'mine'"), says(200, ""), "a=%20&t=1&%74=2&b", nil, 200, "", []string{"target: /?t=mine&a=%20&b"}},
		{"a mapped header replaces all names it may be read as", proxy("header.X-User", "'me'"), says(200, ""), "", []string{"x_user: root", "x-user: root"}, 200, "", []string{"X-User: me", "X_user"}},
		{"agent of the client", proxy(), says(200, ""), "", []string{"User-Agent: ua/1"}, 200, "", []string{"User-Agent: ua/1"}},
		{"what only the gateway says", proxy(), says(200, ""), "", []string{"X-Forwarded-For: 10.0.0.1", "X_Forwarded_For: 10.0.0.9", "X-Forwarded-Proto: gopher", "X-Amzn-Oidc-Identity: root", "x-amzn-apigateway-api-id: evil", "Connection: X-Hop", "X-Hop: 1", "TE: trailers", "Proxy-Authorization: x"}, 200, "",
			[]string{"X-Forwarded-For: 10.0.0.1, 192.0.2.7", "X_forwarded_for", "X-Forwarded-Proto: http", "X-Amzn-Oidc-Identity", "X-Amzn-Apigateway-Api-Id: abc123", "X-Hop", "Te", "Proxy-Authorization"}},
		{"known trace", proxy(), says(200, ""), "", []string{"X-Amzn-Trace-Id: Root=1-a-b"}, 200, "", []string{"X-Amzn-Trace-Id: Root=1-a-b"}},
		{"subprotocol of a proxy", proxy(), says(200, "", "sec-websocket-protocol", "p1"), "", nil, 200, "p1", nil},
		{"H26", Spec{Type: "AWS_PROXY", URI: lambdaURI, Invoker: &lambda{sleeps: true}, Timeout: time.Nanosecond}, nil, "", nil, 504, "", nil},
		{"function", function(&lambda{payload: `{"statusCode":200,"headers":{"sec-websocket-PROTOCOL":"p1"},"multiValueHeaders":{"Sec-WebSocket-Protocol":["p2"]}}`}), nil, "", nil, 200, "p1", nil},
		{"function with many values", function(&lambda{payload: `{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["p2"]}}`}), nil, "", nil, 200, "p2", nil},
		{"function without", function(&lambda{payload: `{"statusCode":"201","headers":{"X-A":"1"}}`}), nil, "", nil, 201, "", nil},
		{"function refuses", function(&lambda{payload: `{"statusCode":401}`}), nil, "", nil, 401, "", nil},
		{"function throws", function(&lambda{payload: `{"errorMessage":"x"}`, failed: "Unhandled"}), nil, "", nil, 502, "", nil},
		{"function returns nothing", function(&lambda{payload: `null`}), nil, "", nil, 502, "", nil},
		{"function without status", function(&lambda{payload: `{"body":"x"}`}), nil, "", nil, 502, "", nil},
		{"function not permitted", function(&lambda{err: integration.ErrNotPermitted}), nil, "", nil, 502, "", nil},
		{"subprotocol of a function that is none", function(&lambda{payload: `{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a b"}}`}), nil, "", nil, 500, "", nil},
		{"override of the status", mock(`{"statusCode":200}`, ResponseSpec{Key: "$default", Templates: map[string]string{"$default": `#set($context.responseOverride.status = 401)`}}), nil, "", nil, 401, "", nil},
		{"override that is no status of an answer", mock(`{"statusCode":200}`, ResponseSpec{Key: "$default", Templates: map[string]string{"$default": `#set($context.responseOverride.status = 101)`}}), nil, "", nil, 200, "", nil},
		{"subprotocol of a response", mock(`{"statusCode":200}`, subprotocol("'p1'")), nil, "", nil, 200, "p1", nil},
		{"subprotocol of an override", mock(`{"statusCode":200}`, ResponseSpec{Key: "$default", Templates: map[string]string{"$default": `#set($context.responseOverride.header["Sec-WebSocket-Protocol"] = "p9")`}}), nil, "", nil, 200, "p9", nil},
		{"subprotocol of the context", mock(`{"statusCode":200}`, subprotocol("context.stage")), nil, "", nil, 200, "dev", nil},
		{"subprotocol of the status", mock(`{"statusCode":200}`, subprotocol("integration.response.statuscode")), nil, "", nil, 200, "200", nil},
		{"subprotocol of nowhere", mock(`{"statusCode":200}`, subprotocol("nowhere")), nil, "", nil, 500, "", nil},
		{"subprotocol of a header", Spec{Type: "HTTP", Client: client, Responses: []ResponseSpec{subprotocol("integration.response.header.X-P")}}, says(200, "", "X-P", "p3"), "", nil, 200, "p3", nil},
		{"subprotocol of a body", Spec{Type: "HTTP", Client: client, Responses: []ResponseSpec{subprotocol("integration.response.body.p")}}, says(200, `{"p":"p4"}`), "", nil, 200, "p4", nil},
		{"a backend that splits the answer", Spec{Type: "HTTP", Client: client, Responses: []ResponseSpec{subprotocol("integration.response.body.p")}}, says(200, `{"p":"p\r\nX-A: 1"}`), "", nil, 500, "", nil},
		{"HTTP forwards nothing", Spec{Type: "HTTP", Client: client, Responses: toDefault("")}, says(200, ""), "t=1", []string{"X-B: 2"}, 200, "", []string{"X-B", "Sec-Websocket-Key", "X-Forwarded-For", "target: /"}},
		{"$input.params", Spec{Type: "HTTP", Client: client, Responses: toDefault(""), RequestTemplates: map[string]string{"$default": `$input.params('t') $input.params().header.X-B $input.params('x-b')`}}, says(200, ""), "t=%20y", []string{"X-B: 2"}, 200, "", []string{"body:  y 2 "}},
		{"function of one's own that was started", Spec{Type: "AWS", URI: lambdaURI, Invoker: &lambda{}, RequestParameters: map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}, Responses: toDefault("")}, nil, "", nil, 202, "", nil},
		{"function of one's own that fails", Spec{Type: "AWS", URI: lambdaURI, Invoker: &lambda{payload: `{"errorMessage":"x"}`, failed: "Unhandled"}, Responses: toDefault("")}, nil, "", nil, 200, "", nil},
		{"no media type", Spec{Type: "MOCK", PassthroughBehavior: "NEVER"}, nil, "", nil, 415, "", nil},
	} {
		var b *testBackend
		if tt.answer != nil {
			b = newBackend(t, tt.answer)
			tt.spec.URI = b.URL
		}
		tt.spec.RouteKey = "$connect"
		r, err := mustNew(t, tt.spec).Call(handshake(t, s, tt.query, tt.header...))
		status := r.Status
		if e, ok := err.(*gateway.Error); ok {
			status = e.Status
		}
		if status != tt.status || r.Subprotocol != tt.subprotocol {
			t.Errorf("%s: got %d %q, want %d %q (%v)", tt.name, status, r.Subprotocol, tt.status, tt.subprotocol, err)
		}
		if b == nil || len(b.got) == 0 {
			continue
		}
		got := b.last(t)
		got.header["target"], got.header["method"], got.header["body"] = []string{got.target}, []string{got.method}, []string{got.body}
		for _, want := range tt.got {
			name, value, there := strings.Cut(want, ": ")
			if values := strings.Join(got.header[name], "|"); values != value || (len(got.header[name]) > 0) != there {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, values, value)
			}
		}
	}
}

// TestForward: an HTTP backend is shown the header that a function is shown, but for Host.
func TestForward(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	b := newBackend(t, says(200, ""))
	e := handshake(t, s, "", "User-Agent: ua/1", "Origin: https://x", "Cookie: a=1; b=2", "X-A: 1", "x-a: 2", "Via: 1.1 p", "Forwarded: for=1", "X-Forwarded-Host: h", "x_forwarded_host: h", "X-Forwarded-For: 10.0.0.1", "Expect: 100-continue", "Keep-Alive: 5", "Content_Length: 9")
	if _, err := mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client}).Call(e); err != nil {
		t.Fatal(err)
	}
	var shown struct{ MultiValueHeaders map[string][]string }
	if err := json.Unmarshal(event.AppendConnect(nil, e.Socket, e.Exchange), &shown); err != nil {
		t.Fatal(err)
	}
	want := http.Header{}
	for name, values := range shown.MultiValueHeaders {
		want[http.CanonicalHeaderKey(name)] = values
	}
	delete(want, "Host")
	got := b.last(t).header
	for _, own := range []string{"X-Amzn-Apigateway-Api-Id", "Accept", "Content-Type", "Content-Length", "Accept-Encoding"} {
		delete(got, own)
	}
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: the backend got %q, a function %q", name, got[name], want[name])
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s: the backend got %q, a function nothing", name, got[name])
		}
	}
}

func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	for _, tt := range []struct {
		name       string
		uri        string // behind that of the backend
		parameters []string
		spec       Spec
		answer     http.HandlerFunc
		message    string
		target     string
		body       string
		header     string // one field at the backend, or the name of one that is not there
		want       string
	}{
		{"M20", "/", nil, Spec{}, says(200, "pong"), `{"action":"send"}`, "/", `{"action":"send"}`, "Content-Type: application/json", "pong"},
		{"M20 connectionId", "/", nil, Spec{}, says(200, "pong"), `{"action":"send"}`, "/", `{"action":"send"}`, "Connectionid", "pong"},
		{"M21", "/", nil, Spec{}, says(500, "bad"), `m`, "/", `m`, "X-Forwarded-For", "bad"},
		{"M24", "/", []string{"querystring.room", "route.request.body.data.room"}, Spec{}, says(200, ""), `{"action":"send","data":{"room":"r 1"}}`, "/?room=r%201", `{"action":"send","data":{"room":"r 1"}}`, "", ""},
		{"M25", "/", []string{"querystring.room", "route.request.body.data.room"}, Spec{}, says(200, ""), `{"action":"send"}`, "/", `{"action":"send"}`, "", ""},
		{"M26", "/", []string{"header.v", "'v1'"}, Spec{}, says(200, ""), `m`, "/", "m", "V: v1", ""},
		{"M27", "/", []string{"header.a", "route.request.header.Auth"}, Spec{}, says(200, ""), `m`, "/", "m", "A", ""},
		{"M28", "/${stageVariables.p}", nil, Spec{Variables: map[string]string{"p": "x"}}, says(200, ""), `m`, "/x", "m", "", ""},
		{"ANY", "/", nil, Spec{Method: "ANY"}, says(200, ""), `m`, "/", "m", "", ""},
		{"behind the URI's query", "/?a=1", []string{"querystring.b", "context.routeKey"}, Spec{}, says(200, ""), `m`, "/?a=1&b=send", "m", "", ""},
		{"null", "/", []string{"querystring.a", "route.request.body.a"}, Spec{}, says(200, ""), `{"a":null}`, "/", `{"a":null}`, "", ""},
		{"text that its author has escaped", "/", []string{"querystring.a", "'r%201+%'", "querystring.b", "'ü &'"}, Spec{}, says(200, ""), `m`, "/?a=r%201+%25&b=%C3%BC%20%26", "m", "", ""},
		{"text that nobody has escaped", "/", []string{"querystring.a", "stageVariables.v", "querystring.b", "route.request.body.b"}, Spec{Variables: map[string]string{"v": "%20+"}}, says(200, ""), `{"b":"%20+"}`, "/?a=%2520%2B&b=%2520%2B", `{"b":"%20+"}`, "", ""},
		{"path that its author has escaped", "/{a}/{b}", []string{"path.a", "'r%201'", "path.b", "'a%2Fb%'"}, Spec{}, says(200, ""), `m`, "/r%201/a%252Fb%25", "m", "", ""},
		{"empty string", "/", []string{"querystring.a", "route.request.body.a"}, Spec{}, says(200, ""), `{"a":""}`, "/?a=", `{"a":""}`, "", ""},
		{"list", "/", []string{"header.a", "route.request.body.a"}, Spec{}, says(200, ""), `{"a":[1,{"b":2}]}`, "/", `{"a":[1,{"b":2}]}`, "A: [1, {b=2}]", ""},
		{"brackets", "/", []string{"header.a", "route.request.body['a.b'][0]"}, Spec{}, says(200, ""), `{"a.b":["x"]}`, "/", `{"a.b":["x"]}`, "A: x", ""},
		{"whole text", "/", []string{"header.a", "route.request.body"}, Spec{}, says(200, ""), `hello`, "/", `hello`, "A: hello", ""},
		{"not JSON", "/", []string{"header.a", "route.request.body.a"}, Spec{}, says(200, ""), `hello`, "/", `hello`, "A", ""},
		{"stage variable", "/", []string{"header.a", "stageVariables.v", "header.b", "stageVariables.w"}, Spec{Variables: map[string]string{"v": "1"}}, says(200, ""), `m`, "/", `m`, "A: 1", ""},
		{"no stage variable", "/", []string{"header.b", "stageVariables.w"}, Spec{Variables: map[string]string{"v": "1"}}, says(200, ""), `m`, "/", `m`, "B", ""},
		{"unknown variable", "/", []string{"header.b", "context.nothing"}, Spec{}, says(200, ""), `m`, "/", `m`, "B", ""},
		{"variable of access logs", "/", []string{"header.b", "context.integration.status"}, Spec{}, says(200, ""), `m`, "/", `m`, "B", ""},
		{"content type", "/", []string{"header.content-type", "'text/plain'"}, Spec{}, says(200, ""), `m`, "/", `m`, "Content-Type: text/plain", ""},
		{"binary", "/", nil, Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_TEXT"}}}, says(200, "x"), `/wA=`, "/", "\xff\x00", "", "x"},
		{"not UTF-8", "/", nil, Spec{}, says(200, "\xff"), `m`, "/", "m", "", "\uFFFD"},
		{"templates are ignored", "/", nil, Spec{PassthroughBehavior: "NEVER", RequestTemplates: map[string]string{"$default": "#if("}}, says(200, "x"), `m`, "/", "m", "", "x"},
		{"a new trace", "/", nil, Spec{}, says(200, "x"), `m`, "/", "m", "X-Amzn-Trace-Id: Root=1-65d2ff36-2f448c746bf63c770567b493", "x"},
	} {
		b := newBackend(t, tt.answer)
		tt.spec.Type, tt.spec.URI, tt.spec.Client, tt.spec.RequestParameters = "HTTP_PROXY", b.URL+tt.uri, client, map[string]string{}
		for i := 0; i < len(tt.parameters); i += 2 {
			tt.spec.RequestParameters["integration.request."+tt.parameters[i]] = tt.parameters[i+1]
		}
		e := message(t, s, tt.message)
		r, err := mustNew(t, tt.spec).Call(e)
		if got := outcomeOf(r, err); got != tt.want {
			t.Errorf("%s: got %q, want %q (%v)", tt.name, got, tt.want, err)
			continue
		}
		got := b.last(t)
		if got.method != "POST" || got.target != tt.target || got.body != tt.body {
			t.Errorf("%s: got %s %s %q, want %s %q", tt.name, got.method, got.target, got.body, tt.target, tt.body)
		}
		name, value, there := strings.Cut(tt.header, ": ")
		if values := got.header[name]; name != "" && (strings.Join(values, "|") != value || (len(values) > 0) != there) {
			t.Errorf("%s: %s is %q, want %q", tt.name, name, values, value)
		}
		if e.Exchange.Integration.Status != r.Status || e.Exchange.IntegrationLatency <= 0 {
			t.Errorf("%s: integration %+v", tt.name, e.Exchange.Integration)
		}
	}
	b := newBackend(t, says(200, ""))
	e := newEvent(t, s, Disconnect)
	if _, err := mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client, RequestParameters: map[string]string{"integration.request.header.code": "context.disconnectStatusCode"}}).Call(e); err != nil {
		t.Fatal(err)
	}
	if got := b.last(t); got.body != "" || got.header.Get("Code") != "1001" || got.header.Get("X-Forwarded-For") != "" {
		t.Errorf("disconnect: %+v", got)
	}
}

// M23, and M22: a backend that fails, and one that is not there.
func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	b := newBackend(t, says(500, ""))
	e := message(t, s, "m")
	r, err := mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client}).Call(e)
	if err != nil || r.Status != 500 || e.Exchange.Integration.Status != 500 {
		t.Errorf("M22: %+v, %v, %+v", r, err, e.Exchange.Integration)
	}
	b.Close()
	for _, kind := range []string{"HTTP", "HTTP_PROXY"} {
		e = message(t, s, "m")
		_, err = mustNew(t, Spec{Type: kind, URI: b.URL, Client: client, Responses: toDefault("")}).Call(e)
		if g, ok := err.(*gateway.Error); !ok || g.Status != 500 || g.Message != "Internal server error" || g.Type != "INTEGRATION_FAILURE" || e.Exchange.Integration.Error == "" {
			t.Errorf("M23 %s: %v, %+v", kind, err, e.Exchange.Integration)
		}
	}
	release := make(chan struct{})
	slow := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	e = message(t, s, "m")
	_, err = mustNew(t, Spec{Type: "HTTP", URI: slow.URL, Client: client, Timeout: 50 * time.Millisecond, Responses: toDefault("")}).Call(e)
	if g, ok := err.(*gateway.Error); !ok || g.Status != 504 || g.Message != "Endpoint request timed out" || g.Type != "INTEGRATION_TIMEOUT" {
		t.Errorf("timeout: %v", err)
	}
	close(release)
}

func TestFunctionProxy(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, tt := range []struct {
		name    string
		payload string
		failed  string
		err     error
		spec    Spec
		message string
		body    string // of the event
		want    string
	}{
		{"M03", `{"statusCode":200,"body":"hi"}`, "", nil, Spec{}, `{"action":"send"}`, `{"action":"send"}`, "hi"},
		{"M04", `{"statusCode":500,"body":"oops"}`, "", nil, Spec{}, `m`, `m`, "oops"},
		{"M05", `{"statusCode":200}`, "", nil, Spec{}, `m`, `m`, ""},
		{"M06", `{"statusCode":200,"body":""}`, "", nil, Spec{}, `m`, `m`, ""},
		{"body null", `{"statusCode":200,"body":null}`, "", nil, Spec{}, `m`, `m`, ""},
		{"M09", `{"errorMessage":"x"}`, "Unhandled", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"M18", "", "", integration.ErrNotPermitted, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"throttled", "", "", integration.ErrThrottled, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"M35", `"x"`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"M36", `{"body":"x"}`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"null", `null`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"nothing", ``, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"M37", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "", nil, Spec{}, `m`, `m`, "hi"},
		{"base64 that is no text", `{"statusCode":200,"body":"/wA=","isBase64Encoded":true}`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"no base64", `{"statusCode":200,"body":"*","isBase64Encoded":true}`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"body is an object", `{"statusCode":200,"body":{"a":1}}`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"body is a number", `{"statusCode":200,"body":1}`, "", nil, Spec{}, `m`, `m`, "err(Internal server error)"},
		{"half a character", `{"statusCode":200,"body":"\ud800"}`, "", nil, Spec{}, `m`, `m`, "\uFFFD"},
		{"M39", `{"statusCode":200,"body":"hi"}`, "", nil, Spec{RequestTemplates: map[string]string{"$default": "#if("}, PassthroughBehavior: "NEVER"}, `m`, `m`, "hi"},
		{"X-Amz", `{"statusCode":200}`, "", nil, Spec{RequestParameters: map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}}, `m`, "-", "err(Internal server error)"},
		{"bare ARN", `{"statusCode":200,"body":"hi"}`, "", nil, Spec{URI: functionName}, `m`, `m`, "hi"},
		{"stage variable", `{"statusCode":200,"body":"hi"}`, "", nil, Spec{URI: strings.Replace(lambdaURI, ":chat", ":${stageVariables.f}", 1), Variables: map[string]string{"f": "chat"}}, `m`, `m`, "hi"},
		{"binary", `{"statusCode":200}`, "", nil, Spec{ContentHandling: "CONVERT_TO_BINARY"}, "/wA=", "/wA=", ""},
		{"not binary", `{"statusCode":200}`, "", nil, Spec{ContentHandling: "CONVERT_TO_BINARY"}, "*", "-", "err(Internal server error)"},
		{"to text", `{"statusCode":200}`, "", nil, Spec{ContentHandling: "CONVERT_TO_TEXT"}, "hi", "aGk=", ""},
	} {
		l := &lambda{payload: tt.payload, failed: tt.failed, err: tt.err}
		tt.spec.Type, tt.spec.Invoker = "AWS_PROXY", l
		if tt.spec.URI == "" {
			tt.spec.URI = lambdaURI
		}
		r, err := mustNew(t, tt.spec).Call(message(t, s, tt.message))
		if got := outcomeOf(r, err); got != tt.want {
			t.Errorf("%s: got %q, want %q (%v)", tt.name, got, tt.want, err)
		}
		if tt.body == "-" {
			if len(l.calls) > 0 {
				t.Errorf("%s: the function was called", tt.name)
			}
			continue
		}
		if len(l.calls) != 1 {
			t.Fatalf("%s: %d calls", tt.name, len(l.calls))
		}
		var e struct {
			Body            string
			IsBase64Encoded bool
			RequestContext  struct{ RouteKey, EventType, ConnectionID, MessageID string }
		}
		if err := json.Unmarshal(l.calls[0].Payload, &e); err != nil {
			t.Fatal(err)
		}
		c := e.RequestContext
		if e.Body != tt.body || e.IsBase64Encoded != (tt.spec.ContentHandling == "CONVERT_TO_BINARY") || c.RouteKey != "send" || c.EventType != "MESSAGE" || c.ConnectionID != testConnection || c.MessageID != testMessage {
			t.Errorf("%s: event %s", tt.name, l.calls[0].Payload)
		}
		if l.calls[0].Function != functionName || l.calls[0].Async {
			t.Errorf("%s: call %+v", tt.name, l.calls[0])
		}
	}
}

// TestDisconnect: what a function says to the end of a connection does not matter, unless it
// fails.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, tt := range []struct {
		l    *lambda
		fine bool
	}{
		{&lambda{payload: "null"}, true},
		{&lambda{payload: `{"statusCode":500}`}, true},
		{&lambda{payload: `{}`, failed: "Unhandled"}, false},
		{&lambda{err: integration.ErrThrottled}, false},
	} {
		_, err := mustNew(t, Spec{Type: "AWS_PROXY", URI: lambdaURI, Invoker: tt.l}).Call(newEvent(t, s, Disconnect))
		if (err == nil) != tt.fine {
			t.Errorf("%+v: %v", tt.l, err)
		}
		if payload := string(tt.l.calls[0].Payload); !strings.Contains(payload, `"disconnectStatusCode":1001,"disconnectReason":"Going away"`) {
			t.Errorf("event %s", payload)
		}
	}
}

// H26, M17: a function that takes its time is given up when there is none left.
func TestFunctionTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
		defer s.Close()
		for _, tt := range []struct {
			spec Spec
			want time.Duration
		}{
			{Spec{Type: "AWS_PROXY"}, 29 * time.Second},
			{Spec{Type: "AWS_PROXY", Timeout: 50 * time.Millisecond}, 50 * time.Millisecond},
			{Spec{Type: "AWS", Timeout: time.Second, Responses: toDefault("")}, time.Second},
		} {
			tt.spec.URI, tt.spec.Invoker = lambdaURI, &lambda{sleeps: true}
			for _, e := range []*Event{message(t, s, "{}"), handshake(t, s, "")} {
				start := time.Now()
				_, err := mustNew(t, tt.spec).Call(e)
				if g, ok := err.(*gateway.Error); !ok || g.Status != 504 || g.Message != "Endpoint request timed out" || g.Type != "INTEGRATION_TIMEOUT" {
					t.Errorf("%s: %v", e.Kind, err)
				}
				if took := time.Since(start); took != tt.want {
					t.Errorf("%s: took %v, want %v", e.Kind, took, tt.want)
				}
			}
		}
	})
}

// TestConcurrentCalls: one integration, many events, each with its own answer.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	i := mustNew(t, Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": `{"statusCode":#if($input.path('$.n') > 0)200#{else}400#end}`},
		Responses: respond("200", "$context.requestId $context.connectedAt", "400", "$context.requestId")})
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for range 50 {
				x := s.NewExchange()
				e := newEvent(t, s, Message)
				e.Exchange, e.RequestID = x, time.Now().String()
				e.Message.Text = []byte(`{"n":1}`)
				r, err := i.Call(e)
				if want := e.RequestID + " 1708326702105"; err != nil || string(r.Text) != want {
					t.Errorf("got %q, %v, want %q", r.Text, err, want)
				}
				s.Finish(x, nil)
			}
		})
	}
	done.Wait()
}
