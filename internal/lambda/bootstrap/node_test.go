package bootstrap

import (
	"net/http"
	"strings"
	"testing"
)

func TestNode(t *testing.T) {
	t.Parallel()
	boom := func(kind string) string {
		return `error {"errorType":"` + kind + `","errorMessage":"boom","trace":["` + kind + `: boom"]}`
	}
	for _, tt := range []handlerTest{
		// What is answered.
		{name: "an object", handler: "index.echo", event: `{"a":[1,"ü😀",null,1.5e300]}`, want: `response {"a":[1,"ü😀",null,1.5e300]}`, log: []string{}},
		{name: "undefined", handler: "index.nothing", event: `{}`, want: `response null`},
		{name: "a function", handler: "index.aFunction", event: `{}`, want: `response null`},
		{name: "not async", handler: "index.returned", event: `7`, want: `response null`},
		{name: "not async, without callbacks", runtime: "nodejs24.x", handler: "index.returned", event: `7`, want: `response 7`},
		{
			name: "BigInt", handler: "index.bigInt", event: `{}`,
			want: `error {"errorType":"Error","errorMessage":"Unable to stringify response body: Do not know how to serialize a BigInt","trace":["Error: Unable to stringify response body: Do not know how to serialize a BigInt"]}`,
		},
		{name: "cycle", handler: "index.cycle", event: `{}`, want: `error {"errorType":"Error","errorMessage":"Unable to stringify response body: Converting circular structure to JSON*","trace":["Error: Unable to stringify response body: Converting circular structure to JSON"]}`},
		{name: "no JSON", handler: "index.echo", event: `{`, want: `error {"errorType":"SyntaxError","errorMessage":"Expected property name*","trace":["SyntaxError: Expected property name*"]}`},

		// Where handlers are.
		{name: "nested", handler: "index.a.b.c", event: `{}`, want: `response "nested"`},
		{name: "cjs", handler: "common.handler", event: `{}`, want: `response "cjs"`},
		{name: "mjs", handler: "module.handler", event: `{}`, want: `response ["mjs","object","module.mjs"]`},
		{name: "type module", handler: "module/index.handler", event: `{}`, want: `response "esm"`},
		{name: "top-level await", handler: "module/await.handler", event: `{}`, want: `response "awaited"`},
		{name: "top-level await without end", handler: "module/never.handler", exit: 13, log: []string{}},
		{name: "directory", handler: "nested.handler", event: `{}`, want: `response "directory"`},
		{name: "main of a package", handler: "library.handler", event: `{}`, want: `response "main"`},
		{name: "no module", handler: "absent.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'absent'\nRequire stack:\n- ROOT/index.js","trace":["Runtime.ImportModuleError: Error: Cannot find module 'absent'"]}`, exit: 1,
			log: []string{"TIME\tundefined\tERROR\tUncaught Exception\t{\"errorType\":\"Runtime.ImportModuleError\"*"}},
		{name: "no required module", handler: "missing.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'left-pad-of-nobody'\nRequire stack:\n- ROOT/missing.js\n- RUNTIME/node/handler.mjs","trace":["Runtime.ImportModuleError: Error: Cannot find module 'left-pad-of-nobody'"]}`, exit: 1},
		{name: "no imported module", handler: "module/missing.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad-of-nobody'*","trace":["Runtime.ImportModuleError: Error*"]}`, exit: 1},
		{name: "no directory", handler: "absent/missing.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'missing'\nRequire stack:\n- ROOT/absent/index.js","trace":["Runtime.ImportModuleError: Error: Cannot find module 'missing'"]}`, exit: 1},
		{name: "syntax error in a module", handler: "broken.handler", want: `init {"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError: Unexpected token '{'","trace":["Runtime.UserCodeSyntaxError: *"]}`, exit: 1},
		{name: "no handler", handler: "index.absent", want: `init {"errorType":"Runtime.HandlerNotFound","errorMessage":"index.absent is undefined or not exported","trace":["Runtime.HandlerNotFound: index.absent is undefined or not exported"]}`, exit: 1},
		{name: "no nested handler", handler: "index.x.y", want: `init {"errorType":"Runtime.HandlerNotFound","errorMessage":"index.x.y is undefined or not exported","trace":["Runtime.HandlerNotFound: index.x.y is undefined or not exported"]}`, exit: 1},
		{name: "not a function", handler: "index.notAFunction", want: `init {"errorType":"Runtime.HandlerNotFound","errorMessage":"index.notAFunction is not a function","trace":["Runtime.HandlerNotFound: index.notAFunction is not a function"]}`, exit: 1},
		{name: "bad handler", handler: "index", want: `init {"errorType":"Runtime.MalformedHandlerName","errorMessage":"Bad handler","trace":["Runtime.MalformedHandlerName: Bad handler"]}`, exit: 1},
		{name: "handler outside", handler: "../index.handler", want: `init {"errorType":"Runtime.MalformedHandlerName","errorMessage":"'../index.handler' is not a valid handler name: it must not have \"..\".","trace":["Runtime.MalformedHandlerName: '../index.handler' is not a valid handler name: it must not have \"..\"."]}`, exit: 1},
		{name: "syntax error", handler: "syntax.handler", want: `init {"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError: Unexpected token '{'","trace":["Runtime.UserCodeSyntaxError: ROOT/syntax.js:2"]}`, exit: 1},
		{name: "error at start", handler: "failing.handler", want: `init {"errorType":"RangeError","errorMessage":"at start","trace":["RangeError: at start"]}`, exit: 1,
			log: []string{"TIME\tundefined\tINFO\tstarting", `TIME	undefined	ERROR	Uncaught Exception	{"errorType":"RangeError","errorMessage":"at start","stack":["RangeError: at start"]}`}},
		{name: "rejection at start", handler: "rejecting.handler", want: `init {"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"RangeError: at start","trace":["Runtime.UnhandledPromiseRejection: RangeError: at start"]}`, exit: 128},
		{name: "callback with nodejs24.x", runtime: "nodejs24.x", handler: "index.callback", want: `init {"errorType":"Runtime.CallbackHandlerDeprecated","errorMessage":"Handlers with a callback end with nodejs22.x: make the handler async, without a third parameter.","trace":["Runtime.CallbackHandlerDeprecated: Handlers with a callback end with nodejs22.x: make the handler async, without a third parameter."]}`, exit: 1},

		// Callbacks and the end of an invocation.
		{name: "callback", handler: "index.callback", event: `{"a":1}`, want: `response {"a":1}`},
		{name: "callback error", handler: "index.callback", event: `{"error":"boom"}`, want: boom("Error")},
		{name: "callback waits", handler: "index.callback", event: `{"late":20}`, want: `response {"late":"ran"}`, log: []string{}},
		{name: "callback does not wait", handler: "index.callback", event: `{"late":20,"waits":false}`, want: `response {"late":"did not run"}`},
		{name: "callback not called", handler: "index.silent", event: `{}`, want: `response null`},
		{name: "succeed", handler: "index.legacy", event: `{"method":"succeed","args":[{"a":1}]}`, want: `response {"a":1}`},
		{name: "fail", handler: "index.legacy", event: `{"method":"fail","args":["boom"]}`, want: `error {"errorType":"string","errorMessage":"boom","trace":[]}`},
		{name: "done", handler: "index.legacy", event: `{"method":"done","args":[null,5]}`, want: `response 5`},
		{name: "done with error", handler: "index.legacy", event: `{"method":"done","args":["boom"]}`, want: `error {"errorType":"string","errorMessage":"boom","trace":[]}`},
		{name: "no legacy with nodejs24.x", runtime: "nodejs24.x", handler: "index.legacy", event: `{"method":"succeed","args":[1]}`, want: `error {"errorType":"TypeError","errorMessage":"context[event.method] is not a function","trace":["TypeError: context[event.method] is not a function"]}`},
		{name: "promise without end", handler: "index.unsettled", event: `{}`, want: `error {"errorType":"Runtime.NodeJsExit","errorMessage":"The event loop is empty, and the handler has not answered: a promise was never settled.","trace":["Runtime.NodeJsExit: The event loop is empty, and the handler has not answered: a promise was never settled."]}`},

		// Errors.
		{name: "error", handler: "index.throws", event: `{"what":"error"}`, want: boom("TypeError"),
			log: []string{`TIME	ID	ERROR	Invoke Error	{"errorType":"TypeError","errorMessage":"boom","stack":["TypeError: boom"]}`}},
		{name: "error not async", handler: "index.throwsNow", event: `{}`, want: boom("TypeError")},
		{name: "error with members", handler: "index.throws", event: `{"what":"own"}`, want: `error {"errorType":"OddError","errorMessage":"boom","trace":["OddError: boom"]}`,
			log: []string{`TIME	ID	ERROR	Invoke Error	{"errorType":"OddError","errorMessage":"boom","code":"E_ODD","stack":["OddError: boom"]}`}},
		{name: "error of two lines", handler: "index.throws", event: `{"what":"lines"}`, want: `error {"errorType":"OddError","errorMessage":"one\ntwo","trace":["OddError: one"]}`,
			log: []string{`TIME	ID	ERROR	Invoke Error	{"errorType":"OddError","errorMessage":"one\ntwo","code":"E_ODD","stack":["OddError: one"]}`}},
		{name: "name with line end", handler: "index.throws", event: `{"what":"header"}`, kind: "Bad??X-Forged: ?", want: `error {"errorType":"Bad\r\nX-Forged: é","errorMessage":"boom","trace":["short"]}`},
		{name: "text thrown", handler: "index.throws", event: `{"what":"text"}`, want: `error {"errorType":"string","errorMessage":"boom","trace":[]}`},
		{name: "number thrown", handler: "index.throws", event: `{"what":"number"}`, want: `error {"errorType":"number","errorMessage":"7","trace":[]}`},
		{name: "null thrown", handler: "index.throws", event: `{"what":"null"}`, want: `error {"errorType":"object","errorMessage":"null","trace":[]}`},
		{name: "undefined thrown", handler: "index.throws", event: `{"what":"undefined"}`, want: `error {"errorType":"undefined","errorMessage":"undefined","trace":[]}`},
		{name: "object without text thrown", handler: "index.throws", event: `{"what":"object"}`, want: `error {"errorType":"handled","errorMessage":"an error was thrown that cannot be described","trace":[]}`},
		{name: "throwing getter", handler: "index.throws", event: `{"what":"getter"}`, want: `error {"errorType":"handled","errorMessage":"an error was thrown that cannot be described","trace":[]}`},
		{name: "unhandled rejection", handler: "index.rejectsError", event: `{}`, want: `error {"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"OddError: boom","trace":["Runtime.UnhandledPromiseRejection: OddError: boom"]}`, exit: 128,
			log: []string{`TIME	ID	ERROR	Unhandled Promise Rejection	{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"OddError: boom","stack":["Runtime.UnhandledPromiseRejection: OddError: boom"]}`}},
		{name: "unhandled rejection without error", handler: "index.rejects", event: `{}`, want: `error {"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"event => event","trace":["Runtime.UnhandledPromiseRejection: event => event"]}`, exit: 128},
		{name: "uncaught", handler: "index.uncaught", event: `{}`, want: `error {"errorType":"OddError","errorMessage":"boom","trace":["OddError: boom"]}`, exit: 129},
		{name: "exit", handler: "index.exits", event: `{}`, exit: 3, log: []string{"TIME\tID\tINFO\tlast words"}},

		// The context.
		{
			name: "context", handler: "index.context", event: `{}`,
			header: http.Header{
				"Lambda-Runtime-Client-Context":   {`{"custom":{"a":"ü"}}`},
				"Lambda-Runtime-Cognito-Identity": {`{"cognitoIdentityId":"me"}`},
			},
			want: `response {"functionName":"pets","functionVersion":"$LATEST","memoryLimitInMB":"128","logGroupName":"/aws/lambda/pets",
				"logStreamName":"2025/01/02/[$LATEST]0123","invokedFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:pets:live",
				"awsRequestId":"ID","clientContext":{"custom":{"a":"ü"}},"identity":{"cognitoIdentityId":"me"},
				"remaining":true,"getRemainingTimeInMillis":"function","callbackWaitsForEmptyEventLoop":true}`,
		},
		{name: "trace", handler: "index.trace", event: `{}`, header: http.Header{"Lambda-Runtime-Trace-Id": {"Root=1-2-3"}}, want: `response "Root=1-2-3"`},
		{name: "no trace", handler: "index.trace", event: `{}`, env: []string{"_X_AMZN_TRACE_ID=old"}, want: `response null`},

		// The log.
		{name: "log", handler: "index.logs", event: `{}`, want: `response null`, log: []string{
			"TIME\tID\tINFO\tplain text 7 { a: 1 }", "TIME\tID\tINFO\tone\rtwo", "TIME\tID\tWARN\tw", "TIME\tID\tERROR\te",
			"TIME\tID\tDEBUG\td", "TIME\tID\tTRACE\tt", "TIME\tID\tINFO\t", "TIME\tID\tINFO\tü 😀",
			"TIME\tID\tINFO\t{ a: 1, b: [ 2 ] }", "TIME\tID\tINFO\tboom", "raw",
		}},
		{name: "log in JSON", handler: "index.logs", event: `{}`, env: []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO"}, want: `response null`, log: []string{
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":"plain text 7 { a: 1 }"}`,
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":"one\ntwo"}`,
			`{"timestamp":"TIME","level":"WARN","requestId":"ID","message":"w"}`,
			`{"timestamp":"TIME","level":"ERROR","requestId":"ID","message":"e"}`,
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":""}`,
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":"ü 😀"}`,
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":{"a":1,"b":[2]}}`,
			`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":"boom"}`,
			"raw",
		}},
		{name: "errors in JSON", handler: "index.logsErrors", event: `{}`, env: []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO"},
			want: `error {"errorType":"OddError","errorMessage":"bang","trace":["OddError: bang"]}`, log: []string{
				`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":{"errorType":"OddError","errorMessage":"boom","stackTrace":["OddError: boom"]}}`,
				`{"timestamp":"TIME","level":"WARN","requestId":"ID","message":"with OddError: boom*`,
				`{"timestamp":"TIME","level":"INFO","requestId":"ID","message":"{ n: 1n }"}`,
				`{"timestamp":"TIME","level":"ERROR","requestId":"ID","message":{"errorType":"OddError","errorMessage":"bang","stackTrace":["OddError: bang"]}}`,
			}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, "nodejs22.x") })
	}
}

// Streamed answers come in chunks, with the type of their content. An error is an
// ordinary one before the first byte, and stands in the trailers after it.
func TestNodeStream(t *testing.T) {
	t.Parallel()
	p := start(t, "nodejs22.x", "stream.handler")
	const http = "application/vnd.awslambda.http-integration-response"
	const nul = "\x00\x00\x00\x00\x00\x00\x00\x00"
	const boom = `TypeError {"errorMessage":"boom","errorType":"TypeError","trace":["TypeError: boom"]}`
	const part = "application/octet-stream"
	for i, tt := range []struct {
		event       string
		contentType string // "" for an ordinary error
		body        string
		trailer     string
	}{
		{`{"do":"write"}`, "text/plain", `one two {"three":3}`, ""},
		{`{"do":"http"}`, http, `{"statusCode":201,"headers":{"X-A":"ü"},"cookies":["a=b"]}` + nul + "body", ""},
		{`{"do":"empty"}`, http, `{"statusCode":204}` + nul, ""},
		{`{"do":"pipeline","length":1000000}`, part, "ab" + strings.Repeat("c", 1000000), ""},
		{`{"do":"unawaited"}`, part, "ab", ""},
		{`{"do":"early"}`, "", `{"errorMessage":"boom","errorType":"TypeError","trace":["TypeError: boom"]}`, ""},
		{`{"do":"middle"}`, part, "part", boom},
		{`{"do":"destroy"}`, part, "part", boom},
		{`{"do":"close"}`, "", `{"errorMessage":"the response stream was closed before its end","errorType":"Error","trace":["Error: the response stream was closed before its end"]}`, ""},
		{`{"do":"after"}`, part, "all", ""},
		{`{"do":"open"}`, part, "part", `Runtime.NodeJsExit {"errorMessage":"The event loop is empty, and the handler has not answered: a promise was never settled.","errorType":"Runtime.NodeJsExit","trace":["Runtime.NodeJsExit: The event loop is empty, and the handler has not answered: a promise was never settled."]}`},
		{`{"do":"late type"}`, part, "x", `Error {"errorMessage":"the content type cannot be set after the first write","errorType":"Error","trace":["Error: the content type cannot be set after the first write"]}`},
		{`{"do":"id"}`, part, requestID(13), ""},
		{`{"do":"uncaught"}`, part, "part", boom},
	} {
		got, ok := p.invoke(tt.event, nil)
		if !ok {
			t.Fatalf("%s: no answer\n%s%s", tt.event, p.stdout(), p.stderr())
		}
		what, mode, body := "/response", "streaming", got.body
		if tt.contentType == "" {
			what, mode, tt.contentType, body = "/error", "", "application/json", p.stableJSON(body)
		}
		if want := "invocation/" + requestID(i+1) + what; got.path != want {
			t.Errorf("%s: got %s, want %s", tt.event, got.path, want)
		}
		if got := got.header.Get("Content-Type"); got != tt.contentType {
			t.Errorf("%s: got type %q, want %q", tt.event, got, tt.contentType)
		}
		if m := got.header.Get("Lambda-Runtime-Function-Response-Mode"); m != mode || got.chunked != (mode != "") {
			t.Errorf("%s: got mode %q, chunked %t", tt.event, m, got.chunked)
		}
		if body != tt.body || got.disconnected {
			t.Errorf("%s: got %.300q, want %.300q, disconnected: %t", tt.event, body, tt.body, got.disconnected)
		}
		if trailer := p.decodeTrailer(got); trailer != tt.trailer {
			t.Errorf("%s: got trailer %q, want %q", tt.event, trailer, tt.trailer)
		}
	}
	if got := p.exit(); got != 129 {
		t.Errorf("exit status %d, want 129", got)
	}
}
