package pipeline

import (
	"net/http"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// toDefault is a response $default with a template, or without one if it is "".
func toDefault(template string) []ResponseSpec {
	r := ResponseSpec{Key: "$default"}
	if template != "" {
		r.Templates = map[string]string{"$default": template}
	}
	return []ResponseSpec{r}
}

func respond(pairs ...string) (specs []ResponseSpec) {
	for i := 0; i < len(pairs); i += 2 {
		specs = append(specs, ResponseSpec{Key: pairs[i], Templates: map[string]string{"$default": pairs[i+1]}})
	}
	return specs
}

func TestMock(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	kinds := func(behavior string) Spec {
		return Spec{
			PassthroughBehavior: behavior, TemplateSelectionExpression: "$request.body.kind",
			RequestTemplates: map[string]string{"a": `{"statusCode":200}`, "b": `{"statusCode":404}`},
			Responses:        respond(`/2\d\d/`, "ok", `/4\d\d/`, "nf"),
		}
	}
	withDefault := kinds("")
	withDefault.RequestTemplates["$default"] = `{"statusCode":200}`
	one := func(template string) Spec {
		return Spec{RequestTemplates: map[string]string{"$default": template}, Responses: toDefault("ok")}
	}
	for _, tt := range []struct {
		name    string
		spec    Spec
		message string
		want    string
	}{
		{"N01", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: toDefault(`{"pong":"$context.connectionId"}`)}, `{"action":"m"}`, `{"pong":"` + testConnection + `"}`},
		{"N02", kinds(""), `{"action":"m","kind":"b"}`, "nf"},
		{"N03", kinds(""), `{"action":"m","kind":"c"}`, "err(Internal server error)"},
		{"N04", kinds("WHEN_NO_MATCH"), `{"action":"m","kind":"c","statusCode":200}`, "ok"},
		{"N05 NEVER", kinds("NEVER"), `{"action":"m","kind":"c","statusCode":200}`, "err(Unsupported Media Type)"},
		{"N05 WHEN_NO_TEMPLATES", kinds("WHEN_NO_TEMPLATES"), `{"action":"m","kind":"c","statusCode":200}`, "err(Unsupported Media Type)"},
		{"N06", withDefault, `{"kind":"zzz"}`, "ok"},
		{"N06 text", withDefault, `hello`, "ok"},
		{"N07", Spec{PassthroughBehavior: "NEVER", Responses: toDefault("ok")}, `{"statusCode":200}`, "err(Unsupported Media Type)"},
		{"N09", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}}, "x", "err(Internal server error)"},
		{"N10", one(`{statusCode: 200}`), "x", "ok"},
		{"N11", one(`{"statusCode":"200"}`), "x", "err(Internal server error)"},
		{"N13", Spec{RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`}, Responses: toDefault("ok")}, "x", "ok"},
		{"N28", one(`#if(`), "x", "err(Internal server error)"},
		{"N29", one(`$input.path('$.l').get(9)`), `{"l":[]}`, "err(Internal server error)"},
		{"no template of a response", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: toDefault("")}, "x", ""},
		{"a status of a template", one(`{"statusCode":#if($input.path('$.n') == 1)200#{else}x#end}`), `{"n":1}`, "ok"},
		{"no status of a template", one(`{"statusCode":#if($input.path('$.n') == 1)200#{else}x#end}`), `{"n":2}`, "err(Internal server error)"},
		{"1xx", one(`{"statusCode":101}`), "x", "err(Internal server error)"},
		{"too great", one(`{"statusCode":600}`), "x", "err(Internal server error)"},
		{"a fraction", one(`{"statusCode":200.0}`), "x", "err(Internal server error)"},
		{"a list", one(`[200]`), "x", "err(Internal server error)"},
		{"the last counts", one(`{"statusCode":500,"statusCode":200}`), "x", "ok"},
		{"broken template that is not chosen", Spec{TemplateSelectionExpression: "$request.body.k", RequestTemplates: map[string]string{"bad": "#if(", "good": `{"statusCode":200}`}, Responses: toDefault("ok")}, `{"k":"good"}`, "ok"},
		{"broken template that is chosen", Spec{TemplateSelectionExpression: "$request.body.k", RequestTemplates: map[string]string{"bad": "#if(", "good": `{"statusCode":200}`}, Responses: toDefault("ok")}, `{"k":"bad"}`, "err(Internal server error)"},
		{"broken expression", Spec{TemplateSelectionExpression: "${request.body.k", RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: toDefault("ok")}, `{}`, "err(Internal server error)"},
		{"broken key", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: respond("/(/", "no", "200", "ok")}, `{}`, "ok"},
		{"broken key and the default", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: respond("/(?!2).*/", "no", "$default", "ok")}, `{}`, "err(Internal server error)"},
		{"broken key and one that matches", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: respond("/(?!2).*/", "no", "/2../", "ok", "$default", "no")}, `{}`, "ok"},
		{"only a broken key", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: respond("/(/", "no")}, `{}`, "err(Internal server error)"},
		{"broken template of a response", Spec{RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: toDefault("#end")}, `{}`, "err(Internal server error)"},
		{"overrides go on", Spec{RequestTemplates: map[string]string{"$default": `#set($context.responseOverride.mine = "x"){"statusCode":200}`}, Responses: toDefault("$context.responseOverride.mine")}, `{}`, "x"},
		{"static key", Spec{TemplateSelectionExpression: `b`, RequestTemplates: map[string]string{"a": `{"statusCode":200}`, "b": `{"statusCode":404}`}, Responses: respond("200", "ok", "404", "nf")}, `{}`, "nf"},
		{"unescaped default", Spec{TemplateSelectionExpression: `$default`, RequestTemplates: map[string]string{"$default": `{"statusCode":200}`}, Responses: toDefault("ok")}, `{}`, "ok"},
	} {
		tt.spec.Type = "MOCK"
		r, err := mustNew(t, tt.spec).Call(message(t, s, tt.message))
		if got := outcomeOf(r, err); got != tt.want {
			t.Errorf("%s: got %q, want %q (%v)", tt.name, got, tt.want, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, tt := range []struct {
		name  string
		spec  Spec
		want  *gateway.Error
		cause string
	}{
		{"template", Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": "#if("}}, ErrConfiguration, "template: 1:"},
		{"no response", Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": `{"statusCode":201}`}}, ErrConfiguration, `no integration response for "201"`},
		{"a response that cannot be matched", Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": `{"statusCode":201}`}, Responses: respond("/(/", "x", "$default", "y")}, ErrConfiguration, `response key "/(/"`},
		{"media type", Spec{Type: "MOCK", PassthroughBehavior: "NEVER"}, ErrMediaType, "passthrough"},
		{"parameter", Spec{Type: "MOCK", RequestParameters: map[string]string{"integration.request.header.Content-Length": "'1'"}}, ErrConfiguration, "Content-Length cannot be set"},
		{"no service", Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:sqs:path/1/q"}, ErrConfiguration, "not available in this version"},
	} {
		_, err := mustNew(t, tt.spec).Call(message(t, s, "{}"))
		e, ok := err.(*gateway.Error)
		if !ok || e.Status != tt.want.Status || e.Message != tt.want.Message || e.Type != tt.want.Type || e.ErrorType != tt.want.ErrorType || e.Cause == nil || !strings.Contains(e.Cause.Error(), tt.cause) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	for _, tt := range []struct {
		name string
		spec Spec
		want string
	}{
		{"type", Spec{Type: "FTP"}, "integration type"},
		{"no client", Spec{Type: "HTTP", URI: "http://h/"}, "no client"},
		{"scheme", Spec{Type: "HTTP", URI: "ftp://h/", Client: client}, "not an http"},
		{"placeholder", Spec{Type: "HTTP", URI: "http://h/{", Client: client}, "unclosed"},
		{"stage variable", Spec{Type: "HTTP", URI: "http://${stageVariables.h}/", Client: client}, `no variable "h"`},
		{"stage variable of a role", Spec{Type: "MOCK", CredentialsARN: "${stageVariables.h}"}, `no variable "h"`},
		{"method", Spec{Type: "HTTP", URI: "http://h/", Client: client, Method: "BREW"}, "BREW"},
		{"no invoker", Spec{Type: "AWS_PROXY", URI: lambdaURI}, "no function host"},
		{"no function", Spec{Type: "AWS_PROXY", URI: "http://h/", Invoker: &lambda{}}, "does not lead to a function"},
		{"another service", Spec{Type: "AWS_PROXY", URI: "arn:aws:apigateway:us-east-1:sqs:path/1/q", Invoker: &lambda{}}, "does not lead to a function"},
		{"no ARN", Spec{Type: "AWS", URI: "sqs"}, "not an ARN"},
		{"neither path nor action", Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:sqs:way/1"}, "neither a path nor an action"},
		{"no action", Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:sns:action/"}, "no action"},
		{"host in a service", Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:evil.example/x#:path/1"}, "bad part"},
	} {
		i, err := New(complete(tt.spec))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", tt.name, i, err)
			continue
		}
		s := newServer(t)
		if _, err := Failing(err).Call(message(t, s, "")); errorFrame(err) != "err(Internal server error)" || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: failing: %v", tt.name, err)
		}
	}
}

func TestCustomHTTP(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	byStatus := []ResponseSpec{{Key: "$default", TemplateSelectionExpression: "${integration.response.statuscode}", Templates: map[string]string{"200": "A", "$default": "B"}}}
	byHeader := []ResponseSpec{{Key: "$default", TemplateSelectionExpression: "${integration.response.header.X-Kind}", Templates: map[string]string{"200": "A", "$default": "B"}}}
	byMessage := []ResponseSpec{{Key: "$default", TemplateSelectionExpression: "${request.body.v}", Templates: map[string]string{"2": "two"}}}
	for _, tt := range []struct {
		name   string
		spec   Spec
		answer http.HandlerFunc
		send   string
		got    string // body at the backend, "-" if it is not called
		want   string
	}{
		{"N08", Spec{PassthroughBehavior: "WHEN_NO_TEMPLATES", Responses: toDefault("")}, says(200, "x"), `{"a":1}`, `{"a":1}`, "x"},
		{"N07", Spec{PassthroughBehavior: "NEVER", Responses: toDefault("")}, says(200, "x"), `{"a":1}`, "-", "err(Unsupported Media Type)"},
		{"N14", Spec{Responses: toDefault("")}, says(200, `{"a":1}`), "m", "m", `{"a":1}`},
		{"N15", Spec{Responses: respond(`/2\d\d/`, "x")}, says(404, "nope"), "m", "m", "err(Internal server error)"},
		{"N16", Spec{Responses: respond(`/2\d/`, "x", "$default", "dflt")}, says(200, ""), "m", "m", "dflt"},
		{"N17", Spec{Responses: byStatus}, says(201, ""), "m", "m", "B"},
		{"N17 other", Spec{Responses: byStatus}, says(200, ""), "m", "m", "A"},
		{"N18", Spec{Responses: byHeader}, says(200, "", "X-Kind", "200"), "m", "m", "A"},
		{"N19", Spec{Responses: byMessage}, says(200, "z"), `{"action":"m","v":2}`, `{"action":"m","v":2}`, "two"},
		{"N19 other", Spec{Responses: byMessage}, says(200, "z"), `{"action":"m","v":3}`, `{"action":"m","v":3}`, "z"},
		{"N25", Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: toDefault("")}, says(200, "x"), `aGVsbG8=`, "hello", "x"},
		{"N25 no padding", Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: toDefault("")}, says(200, "x"), `aGVsbG8`, "hello", "x"},
		{"N25 in lines", Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: toDefault("")}, says(200, "x"), "aGVs\r\nbG8=\r\n", "hello", "x"},
		{"N25 in lines, no padding", Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: toDefault("")}, says(200, "x"), "aGVs\nbG8", "hello", "x"},
		{"N26", Spec{Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_TEXT"}}}, says(200, "\xff\x00"), "m", "m", "/wA="},
		{"N26 before the template", Spec{Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_TEXT", Templates: map[string]string{"$default": "<$input.body>"}}}}, says(200, "\xff\x00"), "m", "m", "</wA=>"},
		{"N27", Spec{ContentHandling: "CONVERT_TO_BINARY", Responses: toDefault("")}, says(200, "x"), `***`, "-", "err(Internal server error)"},
		{"text to base64", Spec{ContentHandling: "CONVERT_TO_TEXT", Responses: toDefault("")}, says(200, "x"), `hello`, "aGVsbG8=", "x"},
		{"base64 to text", Spec{Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_BINARY"}}}, says(200, "aGk="), "m", "m", "hi"},
		{"base64 that is no text", Spec{Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_BINARY"}}}, says(200, "/wA="), "m", "m", "err(Internal server error)"},
		{"no base64", Spec{Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_BINARY"}}}, says(200, "*"), "m", "m", "err(Internal server error)"},
		{"not UTF-8", Spec{Responses: toDefault("")}, says(200, "a\xff\xc3\x28b"), "m", "m", "a\uFFFD\uFFFD(b"},
		{"N31", Spec{Responses: toDefault("")}, says(204, ""), "m", "m", ""},
		{"N32", Spec{Responses: toDefault("$input.json('$.a')")}, says(200, `{"a":[1, 2]}`), "m", "m", "[1,2]"},
		{"template", Spec{RequestTemplates: map[string]string{"$default": `{"t":$input.json('$.t'),"id":"$context.messageId","v":"$stageVariables.none"}`}, Responses: toDefault("")}, says(200, "x"), `{"t": [1,  2]}`, `{"t":[1,2],"id":"` + testMessage + `","v":""}`, "x"},
		{"redirects are answers", Spec{Responses: respond("302", "moved")}, says(302, "", "Location", "http://192.0.2.1/"), "m", "m", "moved"},
	} {
		b := newBackend(t, tt.answer)
		tt.spec.Type, tt.spec.URI, tt.spec.Client = "HTTP", b.URL+"/x", client
		r, err := mustNew(t, tt.spec).Call(message(t, s, tt.send))
		if got := outcomeOf(r, err); got != tt.want {
			t.Errorf("%s: got %q, want %q (%v)", tt.name, got, tt.want, err)
		}
		if tt.got == "-" {
			if len(b.got) != 0 {
				t.Errorf("%s: the backend was called", tt.name)
			}
		} else if r := b.last(t); r.body != tt.got || r.method != "POST" {
			t.Errorf("%s: the backend got %q, want %q", tt.name, r.body, tt.got)
		}
	}
}

func TestCustomPath(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	for _, tt := range []struct{ name, message, target string }{
		{"N30", `{"action":"m","id":"a/b"}`, "/items/a%2Fb"},
		{"plain", `{"id":7}`, "/items/7"},
		{"query in a value", `{"id":"a?b=c&d#e"}`, "/items/a%3Fb%3Dc%26d%23e"},
		{"no value", `{"action":"m"}`, ""},
		{"empty value", `{"id":""}`, ""},
		{"dots", `{"id":".."}`, ""},
		{"dots inside", `{"id":"../admin"}`, ""},
		{"escaped dots", `{"id":"%2e%2e"}`, ""},
		{"lines", `{"id":"a\r\nb"}`, ""},
	} {
		b := newBackend(t, says(200, "x"))
		i := mustNew(t, Spec{Type: "HTTP", Method: "GET", URI: b.URL + "/items/{id}", Client: client, Responses: toDefault(""),
			RequestParameters: map[string]string{"integration.request.path.id": "route.request.body.id"}})
		_, err := i.Call(message(t, s, tt.message))
		switch {
		case tt.target == "":
			if err == nil || errorFrame(err) != "err(Internal server error)" || len(b.got) != 0 {
				t.Errorf("%s: %v, %v", tt.name, err, b.got)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		default:
			if r := b.last(t); r.target != tt.target || r.method != "GET" {
				t.Errorf("%s: got %s %s, want %s", tt.name, r.method, r.target, tt.target)
			}
		}
	}
}

func TestRequestOverride(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	b := newBackend(t, says(200, "x"))
	i := mustNew(t, Spec{Type: "HTTP", URI: b.URL + "/{id}?a=1", Client: client, Responses: toDefault(""),
		RequestParameters: map[string]string{"integration.request.path.id": "'p'", "integration.request.header.X-A": "'p'", "integration.request.querystring.q": "'p'"},
		RequestTemplates: map[string]string{"$default": `#set($context.requestOverride.header["x-a"] = "o")#set($context.requestOverride.header.X-B = ["1","2"])` +
			`#set($context.requestOverride.path.id = "o")#set($context.requestOverride.querystring.q = "o o")body`}})
	if _, err := i.Call(message(t, s, "{}")); err != nil {
		t.Fatal(err)
	}
	r := b.last(t)
	if r.target != "/o?a=1&q=o%20o" || strings.Join(r.header["X-A"], ",") != "o" || strings.Join(r.header["X-B"], ",") != "1,2" || r.body != "body" {
		t.Errorf("%+v", r)
	}
	for _, header := range []string{"Host", "content-length", "Transfer_Encoding", "Connection", "X-Amzn-Trace-Id", "a b", "x\\r\\ny"} {
		i := mustNew(t, Spec{Type: "HTTP", URI: b.URL, Client: client, Responses: toDefault(""),
			RequestTemplates: map[string]string{"$default": `#set($context.requestOverride.header["` + header + `"] = "o")`}})
		if _, err := i.Call(message(t, s, "{}")); err == nil || !strings.Contains(err.Error(), "requestOverride") {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestCustomFunction(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	async := map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
	for _, tt := range []struct {
		name    string
		l       *lambda
		spec    Spec
		message string
		want    string
		status  int
		payload string // "-" if the function is not called
		async   bool
	}{
		{"N20", &lambda{payload: `{"x":1}`}, Spec{Responses: toDefault("")}, `{"a":1}`, `{"x":1}`, 200, `{"a":1}`, false},
		{"N21", &lambda{payload: `{"errorMessage":"Bad thing","errorType":"E"}`, failed: "Unhandled"}, Spec{Responses: respond("/Bad.*/", `{"e":"$input.path('$.errorMessage')"}`)}, "{}", `{"e":"Bad thing"}`, 200, "{}", false},
		{"N22", &lambda{payload: `{"errorMessage":"Other"}`, failed: "Handled"}, Spec{Responses: respond("/Bad.*/", "x")}, "{}", "err(Internal server error)", 0, "{}", false},
		{"N23", &lambda{}, Spec{RequestParameters: async, Responses: toDefault("")}, "{}", "", 202, "{}", true},
		{"synchronous in so many words", &lambda{payload: "1"}, Spec{RequestParameters: map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'RequestResponse'"}, Responses: toDefault("")}, "{}", "1", 200, "{}", false},
		{"dry run", &lambda{}, Spec{RequestParameters: map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'DryRun'"}, Responses: toDefault("")}, "{}", "err(Internal server error)", 0, "-", false},
		{"a message of a function that did not fail", &lambda{payload: `{"errorMessage":"Bad"}`}, Spec{Responses: respond("/Bad/", "x", "$default", "d")}, "{}", "x", 200, "{}", false},
		{"a message with lines", &lambda{payload: `{"errorMessage":"Bad\nthing"}`, failed: "Handled"}, Spec{Responses: respond("/Bad.*/", "x", "$default", "d")}, "{}", "d", 200, "{}", false},
		{"a message that is none", &lambda{payload: `{"errorMessage":["Bad"]}`}, Spec{Responses: respond("/.*Bad.*/", "x", "$default", "d")}, "{}", "d", 200, "{}", false},
		{"no event", &lambda{payload: "1"}, Spec{Responses: toDefault("")}, "", "1", 200, "{}", false},
		{"not JSON, by its template", &lambda{payload: "1"}, Spec{RequestTemplates: map[string]string{"$default": `{"t":"$util.escapeJavaScript($input.path('$.t'))"}`}, Responses: toDefault("")}, `{"t":"it's"}`, `{"Type":"User","message":"Could not parse request body into json"}`, 400, "-", false},
		{"not JSON", &lambda{payload: "1"}, Spec{Responses: toDefault("$input.path('$.message')")}, "hello", "Could not parse request body into json", 400, "-", false},
		{"not permitted", &lambda{err: integration.ErrNotPermitted}, Spec{Responses: toDefault("")}, "{}", "err(Internal server error)", 0, "{}", false},
		{"template", &lambda{payload: "1"}, Spec{RequestTemplates: map[string]string{"$default": `{"m":$input.body}`}, Responses: toDefault("")}, `{"a":1}`, "1", 200, `{"m":{"a":1}}`, false},
	} {
		tt.spec.Type, tt.spec.URI, tt.spec.Invoker, tt.spec.CredentialsARN = "AWS", lambdaURI, tt.l, "arn:aws:iam::123456789012:role/r"
		e := message(t, s, tt.message)
		r, err := mustNew(t, tt.spec).Call(e)
		if why := e.Exchange.Integration.Error; tt.status == badEvent && why != textNotJSON {
			t.Errorf("%s: access logs say %q", tt.name, why)
		}
		if got := outcomeOf(r, err); got != tt.want || r.Status != tt.status {
			t.Errorf("%s: got %d %q, want %d %q (%v)", tt.name, r.Status, got, tt.status, tt.want, err)
		}
		if tt.payload == "-" {
			if len(tt.l.calls) != 0 {
				t.Errorf("%s: the function was called", tt.name)
			}
			continue
		}
		if len(tt.l.calls) != 1 {
			t.Fatalf("%s: %d calls", tt.name, len(tt.l.calls))
		}
		c := tt.l.calls[0]
		if string(c.Payload) != tt.payload || c.Async != tt.async || c.Function != functionName || c.CredentialsARN != "arn:aws:iam::123456789012:role/r" ||
			c.SourceARN != "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/send" || !strings.HasPrefix(c.TraceID, "Root=1-") {
			t.Errorf("%s: call %+v with %s", tt.name, c, c.Payload)
		}
	}
}

// A recordedService keeps what it is asked, and answers with a status.
type recordedService struct {
	request integration.ServiceRequest
	status  int
}

func (s *recordedService) Call(_ *gateway.Exchange, r *integration.ServiceRequest) (integration.Incoming, error) {
	s.request = *r
	s.request.Body = append([]byte(nil), r.Body...)
	s.request.Header = append([]gateway.Field(nil), r.Header...)
	return integration.Incoming{Status: s.status, Body: []byte("answer")}, nil
}

func TestService(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	body := map[string]string{"$default": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"}
	form := map[string]string{"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
	for _, tt := range []struct {
		name, uri              string
		spec                   Spec
		host, target, action   string
		service, method, value string
	}{
		{"N24", "arn:aws:apigateway:us-east-1:sqs:path/123456789012/q", Spec{RequestTemplates: body, RequestParameters: form},
			"sqs.us-east-1.amazonaws.com", "/123456789012/q", "", "sqs", "POST", "application/x-www-form-urlencoded"},
		{"placeholders", "arn:aws:apigateway:eu-west-1:s3:path/{bucket}/k", Spec{RequestTemplates: body, Method: "PUT", RequestParameters: map[string]string{"integration.request.path.bucket": "route.request.body.t", "integration.request.querystring.x": "'1'"}},
			"s3.eu-west-1.amazonaws.com", "/a%20b/k?x=1", "", "s3", "PUT", "application/json"},
		{"action", "arn:aws-cn:apigateway:cn-north-1:sns:action/Publish&TopicArn=x", Spec{RequestTemplates: body, Method: "GET", RequestParameters: form},
			"sns.cn-north-1.amazonaws.com.cn", "/?Action=Publish&TopicArn=x", "Publish", "sns", "POST", "application/x-www-form-urlencoded"},
		{"subdomain", "arn:aws:apigateway:us-east-1:abc.execute-api:path/dev/pets", Spec{RequestTemplates: body},
			"abc.execute-api.us-east-1.amazonaws.com", "/dev/pets", "", "execute-api", "POST", "application/json"},
	} {
		service := &recordedService{status: 200}
		tt.spec.Type, tt.spec.URI, tt.spec.Service, tt.spec.Responses = "AWS", tt.uri, service, respond("/2../", "done")
		tt.spec.CredentialsARN = "arn:aws:iam::123456789012:role/${stageVariables.r}"
		tt.spec.Variables = map[string]string{"r": "caller"}
		r, err := mustNew(t, tt.spec).Call(message(t, s, `{"action":"m","t":"a b"}`))
		if got := outcomeOf(r, err); got != "done" {
			t.Errorf("%s: %q (%v)", tt.name, got, err)
		}
		q := &service.request
		if string(q.Body) != "Action=SendMessage&MessageBody=%7B%22action%22%3A%22m%22%2C%22t%22%3A%22a+b%22%7D" {
			t.Errorf("%s: body %s", tt.name, q.Body)
		}
		if q.Host != tt.host || q.Target != tt.target || q.Action != tt.action || q.Service != tt.service || q.Method != tt.method || fieldOf(q.Header, "content-type") != tt.value || q.CredentialsARN != "arn:aws:iam::123456789012:role/caller" || q.Timeout <= 0 {
			t.Errorf("%s: %+v", tt.name, q)
		}
	}
	// A status for which there is no response is an error, as for HTTP backends.
	i := mustNew(t, Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:sqs:path/1/q", Service: &recordedService{status: 500}, Responses: respond("200", "x")})
	if _, err := i.Call(message(t, s, "{}")); err == nil || errorFrame(err) != "err(Internal server error)" {
		t.Errorf("500: %v", err)
	}
}
