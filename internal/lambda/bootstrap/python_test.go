package bootstrap

import (
	"net/http"
	"testing"
)

func TestPython(t *testing.T) {
	t.Parallel()
	const marshal = `error {"errorType":"Runtime.MarshalError","requestId":"ID","stackTrace":[],"errorMessage":"Unable to marshal response: `
	notSerializable := func(kind string) string {
		return marshal + "Object of type " + kind + ` is not JSON serializable"}`
	}
	for _, tt := range []handlerTest{
		// What is answered.
		{name: "an object", handler: "app.echo", event: `{"a":[1,"ü😀",null,0.1]}`, want: `response {"a":[1,"ü😀",null,0.1]}`, log: []string{}},
		{name: "None", handler: "app.nothing", event: `{}`, want: `response null`},
		{name: "tuple", handler: "app.values", event: `"tuple"`, want: `response [1,2]`},
		{name: "decimal", handler: "app.values", event: `"decimal"`, want: `response [1.5,0.1,100000000000000000000]`},
		{name: "half of a surrogate pair", handler: "app.values", event: `"surrogate"`, want: `response "\ud800ü"`},
		{name: "bytes", handler: "app.values", event: `"bytes"`, want: notSerializable("bytes"),
			log: []string{"[ERROR] Runtime.MarshalError: Unable to marshal response: Object of type bytes is not JSON serializable"}},
		{name: "object", handler: "app.values", event: `"object"`, want: notSerializable("Named")},
		{name: "coroutine", handler: "app.values", event: `"coroutine"`, want: notSerializable("coroutine")},
		{name: "generator", handler: "app.values", event: `"generator"`, want: notSerializable("generator")},
		{name: "cycle", handler: "app.values", event: `"cycle"`, want: marshal + `Circular reference detected"}`},
		{name: "no JSON", handler: "app.echo", event: `{`, want: `error {"errorType":"Runtime.UnmarshalError","requestId":"ID","stackTrace":[],"errorMessage":"Unable to unmarshal input: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}`},

		// Where handlers are.
		{name: "slash", handler: "package/inner.handler", event: `{}`, want: `response "package"`},
		{name: "dot", handler: "package.inner.handler", event: `{}`, want: `response "package"`},
		{name: "no module", handler: "absent.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Unable to import module 'absent': No module named 'absent'","requestId":"","stackTrace":[]}`, exit: 1,
			log: []string{"[ERROR] Runtime.ImportModuleError: Unable to import module 'absent': No module named 'absent'"}},
		{name: "no imported module", handler: "missing.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Unable to import module 'missing': No module named 'left_pad_of_nobody'","requestId":"","stackTrace":["  File \"ROOT/missing.py\", line N, in <module>"]}`, exit: 1},
		{name: "no handler", handler: "app.absent", want: `init {"errorType":"Runtime.HandlerNotFound","errorMessage":"Handler 'absent' missing on module 'app'","requestId":"","stackTrace":[]}`, exit: 1},
		{name: "not a function", handler: "app.seven", want: `init {"errorType":"Runtime.HandlerNotFound","errorMessage":"Handler 'seven' on module 'app' is not a function","requestId":"","stackTrace":[]}`, exit: 1},
		{name: "bad handler", handler: "app", want: `init {"errorType":"Runtime.MalformedHandlerName","errorMessage":"Bad handler 'app': not enough values to unpack (expected 2, got 1)","requestId":"","stackTrace":[]}`, exit: 1},
		{name: "relative handler", handler: "../app.handler", want: `init {"errorType":"Runtime.ImportModuleError","errorMessage":"Unable to import module '...app': the 'package' argument is required to perform a relative import for '...app'","requestId":"","stackTrace":[]}`, exit: 1},
		{name: "built-in module", handler: "sys.exit", want: `init {"errorType":"Runtime.BuiltInModuleConflict","errorMessage":"Cannot use built-in module sys as a handler module","requestId":"","stackTrace":[]}`, exit: 1},
		{name: "syntax error", handler: "syntax.handler", want: `init {"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"Syntax error in module 'syntax': unmatched '}' (syntax.py, line 2)","requestId":"","stackTrace":["  File \"ROOT/syntax.py\" Line 2"]}`, exit: 1,
			log: []string{"[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'syntax': unmatched '}' (syntax.py, line 2)\rTraceback (most recent call last):\r\u00a0\u00a0File \"ROOT/syntax.py\" Line 2\r\u00a0\u00a0\u00a0\u00a0return }{"}},
		{name: "error at start", handler: "failing.handler", want: `init {"errorType":"ZeroDivisionError","errorMessage":"division by zero","requestId":"","stackTrace":["  File \"ROOT/failing.py\", line N, in <module>"]}`, exit: 1,
			log: []string{"starting", "[ERROR] ZeroDivisionError: division by zero\rTraceback (most recent call last):\r\u00a0\u00a0File \"ROOT/failing.py\", line N, in <module>\r*"}},
		{name: "exit at start", handler: "leaving.handler", exit: 4},

		// Errors.
		{name: "error", handler: "app.raises", event: `""`, want: `error {"errorType":"ZeroDivisionError","errorMessage":"division by zero","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in raises"]}`,
			log: []string{"[ERROR] ZeroDivisionError: division by zero\rTraceback (most recent call last):\r\u00a0\u00a0File \"ROOT/app.py\", line N, in raises\r*"}},
		{name: "error of two lines", handler: "app.raises", event: `"own"`, want: `error {"errorType":"OddError","errorMessage":"one\ntwo","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in raises"]}`,
			log: []string{"[ERROR] OddError: one\rtwo\rTraceback*"}},
		{name: "error without text", handler: "app.raises", event: `"silent"`, want: `error {"errorType":"Silent","errorMessage":"the error cannot be described","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in raises"]}`},
		{name: "no Exception", handler: "app.raises", event: `"base"`, want: `error {"errorType":"GeneratorExit","errorMessage":"boom","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in raises"]}`},
		{name: "name with line end", handler: "app.raises", event: `"type"`, kind: "Bad??X-Forged: ?", want: `error {"errorType":"Bad\r\nX-Forged: é","errorMessage":"boom","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in raises"]}`},
		{name: "exit", handler: "app.raises", event: `"exit"`, exit: 3, log: []string{"last words"}},
		{name: "closed output", handler: "app.closes", event: `{}`, want: `error {"errorType":"OddError","errorMessage":"boom","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in closes"]}`, log: []string{}},

		// The context.
		{
			name: "context", handler: "app.about", event: `{}`,
			header: http.Header{
				"Lambda-Runtime-Client-Context":   {`{"custom":{"a":"ü"},"env":{"b":"c"},"client":{"app_title":"pets"}}`},
				"Lambda-Runtime-Cognito-Identity": {`{"cognitoIdentityId":"me"}`},
			},
			want: `response {"function_name":"pets","function_version":"$LATEST","memory_limit_in_mb":"128","log_group_name":"/aws/lambda/pets",
				"log_stream_name":"2025/01/02/[$LATEST]0123","invoked_function_arn":"arn:aws:lambda:us-east-1:123456789012:function:pets:live",
				"aws_request_id":"ID","client":[{"a":"ü"},{"b":"c"},"pets"],"identity":"me","remaining":true,
				"repr":"LambdaContext([aws_request_id=ID,function_name=pets,invoked_function_arn=arn:aws:lambda:us-east-1:123456789012:function:pets:live])"}`,
		},
		{name: "trace", handler: "app.trace", event: `{}`, header: http.Header{"Lambda-Runtime-Trace-Id": {"Root=1-2-3"}}, want: `response "Root=1-2-3"`},
		{name: "no trace", handler: "app.trace", event: `{}`, env: []string{"_X_AMZN_TRACE_ID=old"}, want: `response null`},
		{name: "path", handler: "app.path", event: `{}`, want: `response [1,true]`},

		// The log.
		{name: "log", handler: "app.logs", event: `{}`, want: `response null`, log: []string{
			"printed", "ü", "two lines", "[WARNING]\tTIME\tID\tw 7", "[INFO]\tTIME\tID\tone\rtwo",
			"[ERROR]\tTIME\tID\tcaught\rTraceback (most recent call last):\r*", "by context", "no end",
		}},
		{name: "log in JSON", handler: "app.logs_json", event: `{}`, env: []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO"},
			want: `error {"errorType":"OddError","errorMessage":"bang","requestId":"ID","stackTrace":["  File \"ROOT/app.py\", line N, in logs_json"]}`, log: []string{
				`{"timestamp": "TIME", "level": "INFO", "message": "i", "logger": "root", "requestId": "ID", "order": 7}`,
				`{"timestamp": "TIME", "level": "ERROR", "message": "caught", "logger": "child", "requestId": "ID", "errorType": "OddError", "errorMessage": "boom", "stackTrace": ["  File \"ROOT/app.py\", line N, in logs_json\n    raise OddError(\"boom\")\n"], "location": "ROOT/app.py:logs_json:126"}`,
				`{"timestamp": "TIME", "log_level": "ERROR", "errorMessage": "bang", "errorType": "OddError", "requestId": "ID", "stackTrace": ["  File \"ROOT/app.py\", line N, in logs_json\n    raise OddError(\"bang\")\n"]}`,
			}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, "python3.13") })
	}
}
