package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// A recorded function keeps its events and answers what it is told.
type recorded struct {
	mu     sync.Mutex // guards what follows
	events [][]byte
	answer string
}

const okAnswer = `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"ok"}`

func (f *recorded) invoke(_ context.Context, event []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, append([]byte(nil), event...))
	if f.answer == "throw" {
		return nil, errors.New("thrown")
	}
	return []byte(f.answer), nil
}

// take returns the one event since the last call, nil if there was none.
func (f *recorded) take(t testing.TB) map[string]any {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.events
	f.events = nil
	if len(events) > 1 {
		t.Errorf("the function was called %d times", len(events))
	}
	if len(events) == 0 {
		return nil
	}
	var event map[string]any
	if err := json.Unmarshal(events[0], &event); err != nil {
		t.Errorf("%v: %s", err, events[0])
	}
	return event
}

// at returns what stands in an event at a place such as requestContext.http.path; what
// is not there is absent.
func at(event map[string]any, place string) any {
	var v any = event
	for _, name := range strings.Split(place, ".") {
		m, _ := v.(map[string]any)
		member, ok := m[name]
		if !ok {
			return absent
		}
		v = member
	}
	return v
}

const absent = "(absent)"

// An eventVector is a request, the answer of the function, and what both sides see.
type eventVector struct {
	n      int
	api    apiSpec
	ask    []string
	event  map[string]any // by place; nil if there is no call
	answer string         // of the function; okAnswer if empty
	status int            // 200 if 0
	body   string         // "ok" if empty and the status is 200, that of the gateway if it is an error
	header map[string]string
}

func l2(keys ...string) map[string]target { return leading("2.0", keys) }
func l1(keys ...string) map[string]target { return leading("1.0", keys) }

func leading(format string, keys []string) map[string]target {
	all := map[string]target{}
	for _, k := range keys {
		all[k] = target{function: "fn", format: format}
	}
	return all
}

// object reads JSON.
func object(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// Events and answers of Lambda integrations: what functions see of 1 to 18, and 81 to 103.
func TestVectors81To103(t *testing.T) {
	t.Parallel()
	fn := new(recorded)
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"fn": {Invoke: fn.invoke}}})
	two, one := apiSpec{routes: l2("$default")}, apiSpec{routes: l1("$default")}
	api := ""
	for _, v := range []eventVector{
		{n: 1, api: apiSpec{routes: l2("GET /pets")}, ask: []string{"GET /pets"}, event: map[string]any{"rawPath": "/pets", "requestContext.stage": "$default", "routeKey": "GET /pets", "version": "2.0"}},
		{n: 2, api: apiSpec{routes: l2("GET /pets"), stages: []string{"$default", "prod"}}, ask: []string{"GET /prod/pets"},
			event: map[string]any{"requestContext.stage": "prod", "rawPath": "/prod/pets", "requestContext.http.path": "/prod/pets", "routeKey": "GET /pets"}},
		{n: 6, api: apiSpec{routes: l2("GET /"), stages: []string{"prod"}}, ask: []string{"GET /prod"}, event: map[string]any{"rawPath": "/prod", "routeKey": "GET /"}},
		{n: 6, ask: []string{"GET /prod/"}, event: map[string]any{"rawPath": "/prod/", "routeKey": "GET /"}},
		{n: 7, api: apiSpec{routes: l1("GET /agents/{id}"), stages: []string{"dev"}}, ask: []string{"GET /dev/agents/1234"},
			event: map[string]any{"version": "1.0", "path": "/dev/agents/1234", "requestContext.path": "/dev/agents/1234", "resource": "/agents/{id}", "requestContext.resourcePath": "/agents/{id}", "pathParameters": object(`{"id":"1234"}`)}},
		{n: 8, api: two, ask: []string{"POST /capture/space%20value?literalPlus=a+b&encodedPlus=a%2Bb&empty="},
			event: map[string]any{"rawPath": "/capture/space value", "rawQueryString": "literalPlus=a+b&encodedPlus=a%2Bb&empty=",
				"queryStringParameters": object(`{"literalPlus":"a b","encodedPlus":"a+b","empty":""}`), "routeKey": "$default", "pathParameters": absent}},
		{n: 9, api: apiSpec{routes: l1("POST /t/{u}/o/{n}")}, ask: []string{"POST /t/J%20Doe/o/Summer%20Sale"},
			event: map[string]any{"path": "/t/J%20Doe/o/Summer%20Sale", "requestContext.path": "/t/J Doe/o/Summer Sale", "pathParameters": object(`{"u":"J Doe","n":"Summer Sale"}`)}},
		{n: 10, api: apiSpec{routes: l2("POST /t/{u}/o/{n}")}, ask: []string{"POST /t/J%20Doe/o/Summer%20Sale"}, event: map[string]any{"rawPath": "/t/J Doe/o/Summer Sale"}},
		{n: 11, api: apiSpec{routes: l2("ANY /{proxy+}")}, ask: []string{"GET /RSC/%40id%2Fassets%2Fr.js%23s.txt"},
			event: map[string]any{"rawPath": "/RSC/@id/assets/r.js#s.txt", "pathParameters": object(`{"proxy":"RSC/@id/assets/r.js#s.txt"}`)}},
		{n: 13, api: apiSpec{routes: l2("GET /{x}/thing")}, ask: []string{"GET /a%252Fb/thing"}, event: map[string]any{"pathParameters": object(`{"x":"a%2Fb"}`)}},
		{n: 15, api: apiSpec{routes: l2("GET /q")}, ask: []string{"GET /q?tag=C%23%20P&tag=.NET"},
			event: map[string]any{"rawQueryString": "tag=C%23%20P&tag=.NET", "queryStringParameters": object(`{"tag":"C# P,.NET"}`)}},
		{n: 17, ask: []string{"GET /q?"}, event: map[string]any{"rawQueryString": "", "queryStringParameters": absent}},
		{n: 18, ask: []string{"GET /q?flag&=x"}, event: map[string]any{"queryStringParameters": object(`{"flag":"","":"x"}`)}},
		{n: 16, api: apiSpec{routes: l1("GET /q")}, ask: []string{"GET /q?tag=C%23%20P&tag=.NET"},
			event: map[string]any{"queryStringParameters": object(`{"tag":".NET"}`), "multiValueQueryStringParameters": object(`{"tag":["C# P",".NET"]}`)}},

		{n: 81, api: two, ask: []string{"GET /", "X-A: 1", "X-A: 2"}, event: map[string]any{"headers.x-a": "1,2"}},
		{n: 82, ask: []string{"GET /", "Cookie: session=abc123; theme=dark"}, event: map[string]any{"cookies": object(`["session=abc123","theme=dark"]`), "headers.cookie": absent}},
		{n: 84, ask: []string{"GET /"}, event: map[string]any{"body": absent, "cookies": absent, "queryStringParameters": absent, "pathParameters": absent, "stageVariables": absent,
			"requestContext.authorizer": absent, "requestContext.http.userAgent": "", "isBase64Encoded": false, "headers.content-length": "0"}},
		{n: 86, ask: []string{"POST /", "Content-Type: application/octet-stream", "", "\x01\x02\x03\x04\x05"}, event: map[string]any{"body": "AQIDBAU=", "isBase64Encoded": true}},
		{n: 87, ask: []string{"POST /", "Content-Type: application/x-www-form-urlencoded", "", "a=1"}, event: map[string]any{"body": "YT0x", "isBase64Encoded": true}},
		{n: 88, ask: []string{"POST /", "Content-Type: application/json; charset=utf-8", "", "{}"}, event: map[string]any{"body": "{}", "isBase64Encoded": false}},
		{n: 89, ask: []string{"POST /", "", "hi"}, event: map[string]any{"body": "aGk=", "isBase64Encoded": true}},

		{n: 91, ask: []string{"GET /"}, answer: `"Hello"`, body: "Hello", header: map[string]string{"Content-Type": "application/json"}},
		{n: 92, ask: []string{"GET /"}, answer: `{"message":"x"}`, body: `{"message":"x"}`, header: map[string]string{"Content-Type": "application/json"}},
		{n: 93, ask: []string{"GET /"}, answer: `42`, body: `42`, header: map[string]string{"Content-Type": "application/json"}},
		{n: 93, ask: []string{"GET /"}, answer: `true`, body: `true`, header: map[string]string{"Content-Type": "application/json"}},
		{n: 93, ask: []string{"GET /"}, answer: `[1]`, body: `[1]`, header: map[string]string{"Content-Type": "application/json"}},
		{n: 93, ask: []string{"GET /"}, answer: `""`, body: empty, header: map[string]string{"Content-Type": "application/json", "Content-Length": "0"}},
		{n: 94, ask: []string{"GET /"}, answer: `{"body":"x"}`, body: `{"body":"x"}`, header: map[string]string{"Content-Type": "application/json"}},
		{n: 95, ask: []string{"GET /"}, answer: `{"statusCode":200,"body":"{\"a\":1}"}`, body: `{"a":1}`, header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		{n: 96, ask: []string{"GET /"}, answer: `{"statusCode":0}`, status: 500},
		{n: 96, ask: []string{"GET /"}, answer: `{"statusCode":200.5}`, status: 500},
		{n: 99, ask: []string{"GET /"}, answer: `{"statusCode":200,"cookies":["a=1","b=2"],"headers":{"set-cookie":"c=3"},"body":"ok"}`, header: map[string]string{"Set-Cookie": "a=1 | b=2 | c=3"}},
		{n: 100, ask: []string{"GET /"}, answer: `{"statusCode":200,"headers":{"myheader":"test,other"},"body":"ok"}`, header: map[string]string{"Myheader": "test,other"}},
		{n: 101, ask: []string{"GET /"}, answer: `{"statusCode":200,"isBase64Encoded":true,"body":"AQID","headers":{"content-type":"image/png"}}`, body: "\x01\x02\x03",
			header: map[string]string{"Content-Type": "image/png", "Content-Length": "3"}},
		{n: 102, ask: []string{"GET /"}, answer: `{"statusCode":204}`, status: 204, body: empty, header: map[string]string{"Content-Type": "", "Content-Length": ""}},
		{n: 103, ask: []string{"GET /"}, answer: "throw", status: 500},

		{n: 83, api: one, ask: []string{"GET /", "Cookie: session=abc123; theme=dark"}, event: map[string]any{"headers.Cookie": "session=abc123; theme=dark", "cookies": absent}},
		{n: 85, ask: []string{"GET /"}, event: map[string]any{"body": nil, "queryStringParameters": nil, "multiValueQueryStringParameters": nil, "pathParameters": nil, "stageVariables": nil,
			"requestContext.authorizer": absent, "isBase64Encoded": false}},
		{n: 97, ask: []string{"GET /"}, answer: `{"a":1}`, status: 500},
		{n: 97, ask: []string{"GET /"}, answer: `"x"`, status: 500},
		{n: 98, ask: []string{"GET /"}, answer: `{"statusCode":200,"headers":{"Combined-Header":"single-value"},"multiValueHeaders":{"Combined-Header":["multi-value1","multi-value2"]},"body":"ok"}`,
			header: map[string]string{"Combined-Header": "single-value | multi-value1 | multi-value2"}},
	} {
		if v.api.routes != nil {
			api = w.api(v.api)
		}
		fn.take(t)
		if fn.answer = v.answer; v.answer == "" {
			fn.answer = okAnswer
		}
		if v.status == 0 {
			v.status = 200
		}
		vector{n: v.n, ask: v.ask, status: v.status, body: v.body, header: v.header}.run(w, api)
		event := fn.take(t)
		for place, want := range v.event {
			if got := at(event, place); !reflect.DeepEqual(got, want) {
				t.Errorf("%d: %s is %v, want %v", v.n, place, got, want)
			}
		}
	}
}

// empty is a body without a byte.
const empty = "(empty)"

// Limits, permissions and variables: 104 to 108; who calls: 147 and 148; logs: 157 to 159.
func TestVectors104To108(t *testing.T) {
	t.Parallel()
	fn, held, holds := new(recorded), make(chan bool), make(chan bool, 1)
	fn.answer = okAnswer
	log := new(lines)
	key := penstock.Credential{AccessKeyID: "AKIAUSER", SecretAccessKey: "secret", UserName: "ada"}
	w := newWorld(t, penstock.Config{
		Credentials: []penstock.Credential{key},
		AccessLogs:  []penstock.AccessLog{{DestinationARN: "*", Writer: log}},
		Functions: map[string]penstock.Function{
			"fn": {Invoke: fn.invoke},
			"held": {Concurrency: 1, Invoke: func(ctx context.Context, _ []byte) ([]byte, error) {
				holds <- true
				select {
				case <-held:
				case <-ctx.Done():
				}
				return []byte(okAnswer), nil
			}},
			"who": {Invoke: func(context.Context, []byte) ([]byte, error) {
				return []byte(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}]},"context":{"k":"v"}}`), nil
			}},
		},
	})
	api := w.api(apiSpec{routes: map[string]target{"GET /slow": {function: "held", timeout: 200}, "GET /held": {function: "held"}}})
	vector{n: 104, ask: []string{"GET /slow"}, status: 503}.run(w, api)
	<-holds
	done := make(chan int)
	for began := false; !began; {
		go func() { done <- w.ask(api, "GET /held").StatusCode }()
		select {
		case <-holds:
			began = true
		case status := <-done: // the one before may still be on its way out
			if status != 503 {
				t.Fatalf("105: status %d", status)
			}
		}
	}
	vector{n: 105, ask: []string{"GET /held"}, status: 503}.run(w, api)
	held <- true
	if status := <-done; status != 200 {
		t.Errorf("105: the one that was called got %d", status)
	}

	api = w.api(apiSpec{routes: l2("POST /"), variables: map[string]string{"env": "blue"}})
	vector{n: 107, ask: []string{"POST /", "Content-Type: application/json", "", `"` + strings.Repeat("x", 7<<20) + `"`}, status: 413}.run(w, api)
	if fn.take(t) != nil {
		t.Error("107: the function was called")
	}
	vector{n: 108, ask: []string{"POST /"}, status: 200}.run(w, api)
	event := fn.take(t)
	if got := at(event, "stageVariables"); !reflect.DeepEqual(got, object(`{"env":"blue"}`)) {
		t.Errorf("108: %v", got)
	}

	api = w.api(apiSpec{routes: l2("GET /a"), authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeAwsIam}})
	if got := w.signed(api, key, call{method: "GET", path: "/a"}); got.StatusCode != http.StatusOK {
		t.Fatalf("147: status %d", got.StatusCode)
	}
	event = fn.take(t)
	for place, want := range map[string]any{
		"accessKey": "AKIAUSER", "accountId": testAccount, "callerId": "ada", "userId": "ada", "userArn": "arn:aws:iam::" + testAccount + ":user/ada", "cognitoIdentity": nil,
	} {
		if got := at(event, "requestContext.authorizer.iam."+place); got != want {
			t.Errorf("147: %s is %v, want %v", place, got, want)
		}
	}
	for _, name := range []string{"authorization", "x-amz-date"} {
		if got := at(event, "headers."+name); got == absent {
			t.Errorf("147: headers have no %s", name)
		}
	}
	api = w.api(apiSpec{routes: l1("GET /a"), authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeCustom},
		authorizer: &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeRequest, AuthorizerPayloadFormatVersion: aws.String("1.0"), IdentitySource: []string{}, AuthorizerUri: functionURI("who")}})
	vector{n: 148, ask: []string{"GET /a"}, status: 200}.run(w, api)
	if got, want := at(fn.take(t), "requestContext.authorizer"), object(`{"claims":null,"scopes":null,"k":"v","principalId":"u"}`); !reflect.DeepEqual(got, want) {
		t.Errorf("148: %v, want %v", got, want)
	}

	logged := func(format, answer string, routes map[string]target) (line, id string) {
		t.Helper()
		fn.answer = answer
		api := w.api(apiSpec{routes: routes, log: &types.AccessLogSettings{Format: &format, DestinationArn: aws.String("arn:aws:logs:us-east-1:" + testAccount + ":log-group:pets")}})
		got := w.ask(api, "GET /pets")
		return log.next(t), got.Header.Get("Apigw-Requestid")
	}
	line, id := logged("$context.requestId $context.integrationStatus $context.integration.status $context.status", `{"statusCode":404}`, l2("GET /pets"))
	if line != id+" 200 404 404" {
		t.Errorf("157: %s", line)
	}
	fn.take(t)
	if line, id = logged("$context.requestId $context.status $context.responseLength $context.integrationErrorMessage", "throw", l2("GET /pets")); line != id+" 500 35 thrown" {
		t.Errorf("158: %s", line)
	}
	fn.take(t)
	for format, place := range map[string]string{"2.0": "requestContext.requestId", "1.0": "requestContext.extendedRequestId"} {
		_, id = logged("$context.requestId", okAnswer, map[string]target{"GET /pets": {function: "fn", format: format}})
		event := fn.take(t)
		if got := at(event, place); got != id || at(event, "requestContext.requestId") != id {
			t.Errorf("159: the event of format %s says %v, the client got %s", format, got, id)
		}
	}
}

// Without permission nothing is called: 106. The statement that aws lambda add-permission
// makes, or the role of the integration, permits.
func TestVector106(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::" + testAccount + ":role/gateway"
	fn := &recorded{answer: okAnswer}
	w := newWorld(t, penstock.Config{
		FunctionHost: penstock.FunctionHost{EnforcePermissions: aws.Bool(true)},
		Functions:    map[string]penstock.Function{"fn": {Invoke: fn.invoke}},
		Roles:        []penstock.Role{{ARN: role, Policy: `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:*:*:function:fn"}}`}},
	})
	api := w.api(apiSpec{routes: map[string]target{
		"GET /pets/{id}": {function: "fn"}, "GET /role": {function: "fn", credentials: role}, "GET /stranger": {function: "fn", credentials: role + "s"},
	}})
	for _, tt := range []struct {
		ask    string
		status int
	}{{"GET /pets/7", 500}, {"GET /role", 200}, {"GET /stranger", 500}} {
		fn.take(t)
		vector{n: 106, ask: []string{tt.ask}, status: tt.status}.run(w, api)
		if called := fn.take(t) != nil; called != (tt.status == 200) {
			t.Errorf("106: %s: called: %t", tt.ask, called)
		}
	}
	permit(t, w, "fn", "arn:aws:execute-api:us-east-1:"+testAccount+":"+api+"/*/GET/pets/*")
	got := w.ask(api, "GET /pets/7")
	if r, _ := w.explain(got); got.StatusCode != 200 {
		t.Errorf("106: status %d: %s", got.StatusCode, r.Response.Reason)
	}
}

// 90: whoever speaks HTTP/2 is told apart from nobody.
func TestVector90(t *testing.T) {
	t.Parallel()
	fn := &recorded{answer: okAnswer}
	w := newWorld(t, penstock.Config{ListenTLS: "127.0.0.1:0", Functions: map[string]penstock.Function{"fn": {Invoke: fn.invoke}}})
	api := w.api(apiSpec{routes: l2("GET /a")})
	resp, text := overHTTP2(t, w, api, "/a")
	if event := fn.take(t); resp.ProtoMajor != 2 || text != "ok" || at(event, "requestContext.http.protocol") != "HTTP/1.1" {
		t.Errorf("90: %s %q, %v", resp.Proto, text, at(event, "requestContext.http.protocol"))
	}
}
