package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/sigv4"
)

// socketVariables are all context variables that access logs of WebSocket APIs may have.
var socketVariables = []string{
	"apiId", "connectedAt", "connectionId", "domainName", "eventType", "extendedRequestId", "messageDirection", "messageId", "requestId",
	"requestTime", "requestTimeEpoch", "routeKey", "stage", "status", "disconnectStatusCode", "disconnectReason",
	"authorizer.principalId", "authorizer.n", "error.messageString", "error.validationErrorString", "error.message", "error.responseType",
	"identity.accountId", "identity.apiKey", "identity.apiKeyId", "identity.caller", "identity.cognitoAuthenticationProvider",
	"identity.cognitoAuthenticationType", "identity.cognitoIdentityId", "identity.cognitoIdentityPoolId", "identity.sourceIp", "identity.user",
	"identity.userAgent", "identity.userArn", "identity.principalOrgId",
	"authenticate.error", "authenticate.latency", "authenticate.status", "authorize.error", "authorize.latency", "authorize.status",
	"authorizer.error", "authorizer.integrationLatency", "authorizer.integrationStatus", "authorizer.latency", "authorizer.requestId", "authorizer.status",
	"integration.error", "integration.integrationStatus", "integration.latency", "integration.requestId", "integration.status",
	"integrationLatency", "integrationErrorMessage", "awsEndpointRequestId", "integrationStatus", "waf.error", "waf.latency", "waf.status",
}

// variablesFormat has them all, with tabs between them: no value has one.
func variablesFormat() string {
	return "$context." + strings.Join(socketVariables, "\t$context.")
}

// aMatch stands for a value that is not always the same.
var aMatch = map[string]*regexp.Regexp{
	"ID": regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`), "number": regexp.MustCompile(`^[0-9]+$`), "text": regexp.MustCompile(`^.{2,}$`),
	"time": regexp.MustCompile(`^[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} \+0000$`), "UUID": regexp.MustCompile(`^[0-9a-f-]{36}$`),
}

// entry checks a line of variablesFormat: those that are not told have no value.
func entry(t *testing.T, what, line string, want map[string]string) map[string]string {
	t.Helper()
	values := strings.Split(strings.ReplaceAll(line, " \t", "\t"), "\t")
	if len(values) == 1 {
		values = strings.Split(line, " ") // control characters are spaces
	}
	got := map[string]string{}
	if len(values) != len(socketVariables) {
		t.Fatalf("%s: %d values in %q, want %d", what, len(values), line, len(socketVariables))
	}
	for i, name := range socketVariables {
		got[name] = values[i]
		expected, told := want[name]
		if !told {
			expected = "-"
		}
		if kind, ok := strings.CutPrefix(expected, "a "); ok {
			if !aMatch[kind].MatchString(values[i]) {
				t.Errorf("%s: %s is %q, want %s", what, name, values[i], expected)
			}
		} else if values[i] != expected {
			t.Errorf("%s: %s is %q, want %q", what, name, values[i], expected)
		}
	}
	return got
}

// TestSocketAccessLog: every event has one line, however it ended, with all that is known of
// it. Connections of all kinds of authorization have theirs.
func TestSocketAccessLog(t *testing.T) {
	t.Parallel()
	log := new(lines)
	fn := newFunction(func(_ context.Context, event string) (string, error) {
		switch {
		case strings.Contains(event, "throw"):
			return "", errors.New("it was thrown")
		case strings.Contains(event, "bad"):
			return `{"statusCode":502}`, nil
		case strings.Contains(event, "refuse"):
			return `{"statusCode":409,"body":"full"}`, nil
		}
		return `{"statusCode":201}`, nil
	})
	auth := deciding(func(arn, _ string) (string, error) { return verdict(`,"context":{"n":7}`, "Allow", arn), nil })
	w := newWorld(t, penstock.Config{
		Functions:   functions(map[string]*lambdaFunction{"fn": fn, "auth": auth}),
		APIKeys:     []penstock.APIKey{{ID: "k1", Value: "value-1", Stages: []string{"*"}}},
		Credentials: []penstock.Credential{{AccessKeyID: "ADA", SecretAccessKey: "s", UserName: "ada"}, {AccessKeyID: "EVE", SecretAccessKey: "s", UserName: "eve", Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`}},
		AccessLogs:  []penstock.AccessLog{{DestinationARN: "*", Writer: log}},
	})
	spec := func() socketSpec {
		return socketSpec{
			routes: map[string]socketRoute{
				"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "send": lambdaRoute("fn"),
				"mock":   mockRoute(template(`{"statusCode":204}`), response("$default", nil)),
				"http":   proxyRoute("/status/404", nil),
				"none":   proxyRoute("http://127.0.0.1:1/", nil),
				"strict": modelled(lambdaRoute("fn"), `\$default`, map[string]string{"$default": "Named"}),
				"slow":   {},
			},
			models: map[string]string{"Named": `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["name"]}`},
			log:    logSettings(strings.ReplaceAll(variablesFormat(), "\t", "|")),
			route:  map[string]types.RouteSettings{"slow": {ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}},
		}
	}
	type values = map[string]string
	// Parts of what is expected.
	base := func(api, kind, route, status string) values {
		v := values{
			"apiId": api, "connectedAt": "a number", "connectionId": "a ID", "domainName": host(api), "eventType": kind, "extendedRequestId": "a ID",
			"messageDirection": "IN", "requestId": "a ID", "requestTime": "a time", "requestTimeEpoch": "a number", "routeKey": route, "stage": "dev",
			"status": status, "identity.sourceIp": "127.0.0.1", "identity.userAgent": "ua/1",
		}
		if kind == "MESSAGE" {
			v["messageId"] = "a ID"
		}
		if kind == "DISCONNECT" {
			v["disconnectStatusCode"], v["disconnectReason"] = "1000", "bye"
		}
		return v
	}
	with := func(v values, more ...values) values {
		v = maps.Clone(v)
		for _, m := range more {
			maps.Copy(v, m)
		}
		return v
	}
	failed := func(message, kind string) values {
		return values{"error.message": message, "error.messageString": `"` + message + `"`, "error.responseType": kind}
	}
	answered := func(status, service string) values {
		return values{"integration.status": status, "integration.integrationStatus": service, "integrationStatus": service, "integration.latency": "a number", "integrationLatency": "a number"}
	}
	invoked := func(status string) values {
		return with(answered(status, "200"), values{"integration.requestId": "a UUID", "awsEndpointRequestId": "a UUID"})
	}
	broken := func(text string) values { return values{"integration.error": text, "integrationErrorMessage": text} }
	iam := values{"identity.accountId": testAccount, "identity.caller": "ada", "identity.user": "ada", "identity.userArn": "arn:aws:iam::" + testAccount + ":user/ada"}
	lambda := values{"authorizer.principalId": "me", "authorizer.n": "7", "authorizer.integrationLatency": "a number"}
	key := values{"identity.apiKey": "value-1", "identity.apiKeyId": "k1"}
	line := func(what string, want values) values {
		t.Helper()
		return entry(t, what, strings.ReplaceAll(log.next(t), "|", "\t"), want)
	}

	api := w.sockets(spec())
	s := w.connect(api, "/dev", "User-Agent: ua/1")
	first := line("connect", with(base(api, "CONNECT", "$connect", "200"), invoked("201")))
	for _, v := range []struct {
		text string
		want values
	}{
		{`{"action":"send"}`, with(base(api, "MESSAGE", "send", "200"), invoked("201"))},
		{`{"action":"send","x":"bad"}`, with(base(api, "MESSAGE", "send", "200"), invoked("502"))},
		{`{"action":"send","x":"throw"}`, with(base(api, "MESSAGE", "send", "500"), invoked("-"), failed("Internal server error", "INTEGRATION_FAILURE"), broken("it was thrown"))},
		{`{"action":"mock"}`, with(base(api, "MESSAGE", "mock", "200"), values{"integration.status": "204"})},
		{`{"action":"http"}`, with(base(api, "MESSAGE", "http", "200"), answered("404", "404"))},
		{`{"action":"none"}`, with(base(api, "MESSAGE", "none", "500"), failed("Internal server error", "INTEGRATION_FAILURE"), broken("a text"), values{"integration.latency": "a number", "integrationLatency": "a number"})},
		{`{"action":"strict"}`, with(base(api, "MESSAGE", "strict", "400"), failed("Invalid request body", "BAD_REQUEST_BODY"), values{"error.validationErrorString": "a text"})},
		{`{"action":"slow"}`, with(base(api, "MESSAGE", "slow", "429"), failed("Too Many Requests", "THROTTLED"))},
		{`{"action":"nope"}`, with(base(api, "MESSAGE", "-", "403"), failed("Forbidden", "ROUTE_NOT_FOUND"))},
		{`hello`, with(base(api, "MESSAGE", "-", "403"), failed("Forbidden", "ROUTE_NOT_FOUND"))},
	} {
		s.send(v.text)
		got := line(v.text, v.want)
		if v.want["status"] != "200" {
			var frame struct{ RequestID string }
			if err := json.Unmarshal([]byte(s.next()), &frame); err != nil || frame.RequestID != got["requestId"] {
				t.Errorf("%s: the client got the request ID %s, the log %s", v.text, frame.RequestID, got["requestId"])
			}
		}
		if got["connectionId"] != first["connectionId"] || got["connectedAt"] != first["connectedAt"] || got["requestId"] == first["requestId"] || got["requestId"] == got["messageId"] {
			t.Errorf("%s: IDs %s %s %s %s", v.text, got["connectionId"], got["connectedAt"], got["requestId"], got["messageId"])
		}
	}
	s.close(1000, "bye")
	line("disconnect", with(base(api, "DISCONNECT", "$disconnect", "200"), invoked("201")))

	h := w.handshake(api, "/dev?refuse=1", "User-Agent: ua/1")
	got := line("refused by the function", with(base(api, "CONNECT", "$connect", "409"), invoked("409"), values{"error.message": "Conflict", "error.messageString": `"Conflict"`}))
	if got["requestId"] != h.shake.Header.Get("Apigw-Requestid") {
		t.Errorf("the request ID %s is that of another answer, %s", got["requestId"], h.shake.Header.Get("Apigw-Requestid"))
	}

	guarded := spec()
	guarded.authorizer = asking("route.request.querystring.token")
	guarded.routes["$connect"] = keyed(lambdaRoute("fn"))
	api = w.sockets(guarded)
	about := values{"authorizer.latency": "a number"}
	w.handshake(api, "/dev", "User-Agent: ua/1")
	line("no token", with(base(api, "CONNECT", "$connect", "401"), failed("Unauthorized", "UNAUTHORIZED"), about, values{"authorizer.status": "401", "authorizer.error": "a text"}))
	about = with(about, lambda, values{"authorizer.status": "200", "authorizer.integrationStatus": "200", "authorizer.requestId": "a UUID"})
	w.handshake(api, "/dev?token=1", "User-Agent: ua/1", "x-api-key: nope")
	line("no key", with(base(api, "CONNECT", "$connect", "403"), failed("Forbidden", "INVALID_API_KEY"), about))
	s = w.connect(api, "/dev?token=1", "User-Agent: ua/1", "x-api-key: value-1")
	line("token and key", with(base(api, "CONNECT", "$connect", "200"), invoked("201"), about, key))
	s.send(`{"action":"send"}`)
	line("message of one with both", with(base(api, "MESSAGE", "send", "200"), invoked("201"), lambda, key))
	s.close(1000, "bye")
	line("end of one with both", with(base(api, "DISCONNECT", "$disconnect", "200"), invoked("201"), lambda, key))

	guarded = spec()
	guarded.routes["$connect"] = signed(lambdaRoute("fn"))
	api = w.sockets(guarded)
	took := values{"authenticate.latency": "a number", "authenticate.status": "200"}
	w.handshake(api, "/dev", "User-Agent: ua/1")
	line("unsigned", with(base(api, "CONNECT", "$connect", "403"), failed("Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN"),
		values{"authenticate.latency": "a number", "authenticate.status": "403", "authenticate.error": "MissingAuthenticationTokenException"}))
	target, fields := signHandshake(t, api, "/dev", sigv4.Credential{AccessKeyID: "EVE", SecretAccessKey: "s"}, false)
	w.handshake(api, target, append(fields, "User-Agent: ua/1")...)
	line("denied", with(base(api, "CONNECT", "$connect", "403"), took, values{"authorize.latency": "a number", "authorize.status": "403", "authorize.error": "a text",
		"error.message": "a text", "error.messageString": "a text", "error.responseType": "ACCESS_DENIED"}))
	target, fields = signHandshake(t, api, "/dev", sigv4.Credential{AccessKeyID: "ADA", SecretAccessKey: "s"}, false)
	s = w.connect(api, target, append(fields, "User-Agent: ua/1")...)
	line("signed", with(base(api, "CONNECT", "$connect", "200"), invoked("201"), took, iam, values{"authorize.latency": "a number", "authorize.status": "200"}))
	s.close(1000, "bye")
	line("end of a signed one", with(base(api, "DISCONNECT", "$disconnect", "200"), invoked("201"), iam))
}

// executionLines returns the lines of one event, without the request ID that begins each.
func (l *lines) event(t *testing.T, last string) (id string, all []string) {
	t.Helper()
	for {
		line := l.next(t)
		head, text, ok := strings.Cut(line, ") ")
		if !ok || head[0] != '(' || id != "" && head[1:] != id {
			t.Fatalf("the line %q is not of the request %q", line, id)
		}
		id = head[1:]
		all = append(all, text)
		if strings.HasPrefix(text, last) {
			return id, all
		}
	}
}

// TestSocketExecutionLog is about what is logged of events at each level.
func TestSocketExecutionLog(t *testing.T) {
	t.Parallel()
	log := new(lines)
	fn := newFunction(func(_ context.Context, event string) (string, error) {
		if strings.Contains(event, "throw") {
			return "", errors.New("it was thrown")
		}
		return `{"statusCode":200,"body":"pong"}`, nil
	})
	w := newWorld(t, penstock.Config{
		Functions:     functions(map[string]*lambdaFunction{"fn": fn}),
		APIKeys:       []penstock.APIKey{{ID: "k1", Value: "value-1", Stages: []string{"*"}}},
		ExecutionLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: log}},
	})
	settings := func(level types.LoggingLevel, data bool) *types.RouteSettings {
		return &types.RouteSettings{LoggingLevel: level, DataTraceEnabled: &data}
	}
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "send": two(lambdaRoute("fn")),
			"http": two(proxyRoute("/echo", map[string]string{"integration.request.header.x-secret": "'shh-shh'", "integration.request.header.a": "'1'"}))},
		settings: settings(types.LoggingLevelInfo, false),
	})
	arn := "arn:aws:lambda:us-east-1:" + testAccount + ":function:fn"
	const end = "Method completed with status: "
	expect := func(what string, want ...string) string {
		t.Helper()
		id, got := log.event(t, end)
		for i := range want {
			want[i] = strings.NewReplacer("{R}", id, "{api}", api, "{arn}", arn).Replace(want[i])
		}
		same := len(got) == len(want)
		for i := 0; same && i < len(got); i++ {
			prefix, open := strings.CutSuffix(want[i], "…")
			same = got[i] == want[i] || open && strings.HasPrefix(got[i], prefix)
		}
		if !same {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return id
	}
	begin := []string{"Extended Request Id: {R}"}
	plan := []string{"Verifying Usage Plan for request: {R}. API Key:  API Stage: {api}/dev",
		"API Key  authorized because route '$connect' does not require API Key. Request will not contribute to throttle or quota limits",
		"Usage Plan check succeeded for API Key  and API Stage {api}/dev"}
	run := func(route string) []string {
		return []string{"Starting execution for request: {R}", "WebSocket Request Route: [" + route + "]"}
	}
	uri := []string{"Endpoint request URI: {arn}", "Endpoint request headers: {…"}

	s := w.connect(api, "/dev", "User-Agent: ua/1")
	expect("connect", slices.Concat(begin, plan, run("$connect"), []string{"Client [UserAgent: ua/1, SourceIp: 127.0.0.1] is connecting to WebSocket API [{api}]."}, uri, []string{end + "200"})...)
	s.send(`{"action":"send"}`)
	s.next()
	expect("message", slices.Concat(begin, run("send"), uri, []string{end + "200"})...)
	s.send(`{"action":"send","x":"throw"}`)
	var frame struct{ RequestID string }
	if err := json.Unmarshal([]byte(s.next()), &frame); err != nil {
		t.Fatal(err)
	}
	if id := expect("failing message", slices.Concat(begin, run("send"), uri, []string{"Execution failed due to integration failure: 500 Internal server error: …", end + "500"})...); id != frame.RequestID {
		t.Errorf("the lines are of the request %s, the error frame of %s", id, frame.RequestID)
	}
	s.send(`{"action":"nope"}`)
	s.failed("Forbidden")
	expect("no route", "Extended Request Id: {R}", "Starting execution for request: {R}",
		"Execution failed due to route not found: 403 Forbidden: the message selects no route, and there is no $default", end+"403")
	s.send(`{"action":"http"}`)
	s.next()
	_, got := log.event(t, end)
	if text := strings.Join(got, "\n"); !strings.Contains(text, "Endpoint request URI: "+w.backend.URL+"/echo\n") || !strings.Contains(text, "x-secret=(redacted)") || !strings.Contains(text, "a=1") || strings.Contains(text, "shh") {
		t.Errorf("lines of a call of a server:\n%s", text)
	}

	// What is set counts for connections that are open.
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), DefaultRouteSettings: settings(types.LoggingLevelInfo, true)})
	s.send("{\"action\":\"send\",\"t\":\"é\\n\"}\n")
	s.next()
	_, got = log.event(t, end)
	for _, want := range []string{`Message received: {"action":"send","t":"é\n"} `, "Endpoint request body after transformations: {", "Endpoint response body before transformations: {\"statusCode\":200", "Response body after transformations: pong"} {
		if !slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("no line %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	s.send(`{"action":"send","t":"` + strings.Repeat("é", 3000) + `"}`)
	s.next()
	_, got = log.event(t, end)
	for _, l := range got {
		if len(l) > 1024+60 || !strings.HasPrefix(l, "Message") && strings.ContainsRune(l, '�') {
			t.Errorf("a line of %d bytes: %s", len(l), l)
		}
	}
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), DefaultRouteSettings: settings(types.LoggingLevelError, true)})
	s.send(`{"action":"send"}`)
	s.next()
	s.send(`{"action":"send","x":"throw"}`)
	s.failed("Internal server error")
	if _, got := log.event(t, "Execution"); len(got) != 1 || !strings.Contains(got[0], "the function failed") {
		t.Errorf("at level ERROR there is %q", got)
	}
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"),
		DefaultRouteSettings: settings(types.LoggingLevelInfo, false), RouteSettings: map[string]types.RouteSettings{"send": *settings(types.LoggingLevelOff, true)}})
	s.send(`{"action":"send","x":"throw"}`)
	s.failed("Internal server error")
	s.close(1001, "")
	expect("after a route without a log, the end", "Extended Request Id: {R}", "Starting execution for request: {R}", "WebSocket Request Route: [$disconnect]",
		"Client [Connection Id: …", "Endpoint request URI: {arn}", "Endpoint request headers: {…", end+"200")

	api = w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": keyed(socketRoute{})}, settings: settings(types.LoggingLevelInfo, false)})
	client := []string{"Client [UserAgent: null, SourceIp: 127.0.0.1] is connecting to WebSocket API [{api}]."}
	w.handshake(api, "/dev", "x-api-key: nope")
	expect("no key", slices.Concat(begin, plan[:1], run("$connect"), client, []string{"Execution failed due to invalid api key: 403 Forbidden: the API key is not known", end + "403"})...)
	w.connect(api, "/dev", "x-api-key: value-1")
	expect("a key", slices.Concat(begin, plan[:1], run("$connect"), client, []string{
		"API Key  authorized because route '$connect' requires API Key and the one with ID k1 is for API Stage {api}/dev", plan[2], end + "200"})...)
}

// TestExecutionLogHoldsNoSecrets: whatever is logged, and wherever it is from, credentials
// that came with a handshake are not in it.
func TestExecutionLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	const (
		secret = `s3cr"t/v+lue`
		short  = "s3cr" // of it
		jwt    = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2ln"
	)
	escaped := url.QueryEscape(secret)
	echo := newFunction(func(_ context.Context, event string) (string, error) {
		answer, _ := json.Marshal(map[string]any{"statusCode": 200, "body": event, "headers": map[string]string{"Sec-WebSocket-Protocol": ""}})
		return string(answer), nil
	})
	throws := newFunction(func(_ context.Context, event string) (string, error) { return "", errors.New(event) })
	auth := deciding(func(arn, _ string) (string, error) {
		return verdict(`,"usageIdentifierKey":"s3cr-from-authorizer"`, "Allow", arn), nil
	})
	everything := map[string]string{
		"integration.request.header.a": "route.request.header.Authorization", "integration.request.header.b": "route.request.querystring.token",
		"integration.request.header.c": "route.request.multivaluequerystring.token", "integration.request.querystring.d": "route.request.header.x-api-key",
		"integration.request.header.e": "route.request.header.X-Copy", "integration.request.path.p": "route.request.querystring.token",
	}
	templated := template(`#set($p = $input.params()){"statusCode":200,"k":"$context.identity.apiKey","k2":"$input.params('token2')","t":"$input.params('token')","a":"$util.escapeJavaScript($p.header.get('Authorization'))","all":"$util.urlEncode($input.params('token'))","b":"$util.escapeJavaScript("$p")"}`)
	for name, r := range map[string]socketRoute{
		"Lambda proxy": lambdaRoute("echo"), "Lambda proxy that fails": lambdaRoute("throws"),
		"HTTP proxy": proxyRoute("/echo/{p}", everything), "unreachable": proxyRoute("http://127.0.0.1:1/{p}", everything),
		"HTTP": func() socketRoute {
			r := httpRoute("/echo", templated, response("$default", template(`$input.body $input.params('token')`)))
			r.integration.RequestParameters = map[string]string{"integration.request.header.a": "route.request.header.Authorization"}
			return r
		}(),
		"MOCK": mockRoute(template(`{"statusCode":200}`), response("$default", templated)), "MOCK that fails": mockRoute(templated),
	} {
		for _, v := range []struct{ kind, expression string }{{"none", ""}, {"key", ""}, {"named key", "$context.authorizer.usageIdentifierKey"}, {"IAM", ""}} {
			t.Run(name+", "+v.kind, func(t *testing.T) {
				t.Parallel()
				log := new(lines)
				w := newWorld(t, penstock.Config{
					Functions:     functions(map[string]*lambdaFunction{"echo": echo, "throws": throws, "auth": auth}),
					ExecutionLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: log}},
					APIKeys:       []penstock.APIKey{{ID: "one", Value: "s3cr-key-one", Stages: []string{"*"}}, {ID: "two", Value: "s3cr-from-authorizer", Stages: []string{"*"}}},
				})
				spec := socketSpec{routes: map[string]socketRoute{"$connect": r, "send": lambdaRoute("echo"), "$disconnect": lambdaRoute("echo")},
					settings: &types.RouteSettings{LoggingLevel: types.LoggingLevelInfo, DataTraceEnabled: aws.Bool(true)}, keyExpression: v.expression}
				key := "x-api-key: s3cr-key-one"
				switch v.kind {
				case "key":
					spec.routes["$connect"] = keyed(r)
				case "named key":
					spec.routes["$connect"], spec.authorizer = keyed(r), asking("route.request.querystring.token")
				case "IAM":
					spec.routes["$connect"] = signed(r) // the signature does not count
				}
				api := w.sockets(spec)
				s := w.handshake(api, "/dev?room=blue&token="+escaped+"&%74oken2=s3cr-other", "Authorization: Bearer "+secret, key, "Cookie: sid="+secret,
					"X-Copy: "+secret, "X-Any: "+jwt, "Sec-WebSocket-Protocol: "+jwt)
				_, got := log.event(t, "Method completed")
				if s.shake.StatusCode == http.StatusSwitchingProtocols {
					s.send(`{"action":"send"}`)
					_, more := log.event(t, "Method completed")
					s.close(1000, "")
					_, last := log.event(t, "Method completed")
					got = slices.Concat(got, more, last)
				}
				redacts := false
				for _, line := range got {
					redacts = redacts || strings.Contains(line, "(redacted)")
					for _, part := range []string{secret, short, "+lue", "%2Blue", "eyJ"} {
						if i := strings.Index(line, part); i >= 0 {
							t.Errorf("%q is in the line %.60s…, in %s", part, line, line[max(0, i-40):min(len(line), i+40)])
						}
					}
				}
				if !redacts && v.kind != "IAM" && name != "MOCK that fails" {
					t.Errorf("nothing is redacted in %d lines", len(got))
				}
			})
		}
	}
}

// TestExecutionLogDestinations: the log of a stage goes to its own destination, to that of
// all, or else to the log of the server.
func TestExecutionLogDestinations(t *testing.T) {
	t.Parallel()
	info := &types.RouteSettings{LoggingLevel: types.LoggingLevelInfo}
	spec := socketSpec{routes: map[string]socketRoute{"$connect": {}}, stages: []string{"dev", "prod"}, settings: info}
	t.Run("asterisk", func(t *testing.T) {
		t.Parallel()
		rest := new(lines)
		w := newWorld(t, penstock.Config{ExecutionLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: rest}, {DestinationARN: logGroup("other"), Writer: io.Discard}}})
		w.connect(w.sockets(spec), "/dev")
		rest.event(t, "Method completed")
	})
	// What the ID of an API will be is not known before it is there: so its server is made
	// anew, with the same data.
	t.Run("ARN, and the log of the server", func(t *testing.T) {
		t.Parallel()
		own, server, dir := new(lines), new(lines), t.TempDir()
		config := penstock.Config{Data: dir, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", AccountID: testAccount, Logger: slog.New(slog.NewTextHandler(server, nil))}
		w := &world{t: t, server: open(t, config)}
		w.control = sdk(w.server, anyone)
		api := w.sockets(spec)
		if err := w.server.Close(); err != nil {
			t.Fatal(err)
		}
		config.ExecutionLogs = []penstock.AccessLog{{DestinationARN: logGroup("/aws/apigateway/" + api + "/dev"), Writer: own}}
		w.server = open(t, config)
		w.connect(api, "/dev")
		own.event(t, "Method completed")
		w.connect(api, "/prod")
		for {
			line := server.next(t)
			if strings.Contains(line, "group=/aws/apigateway/"+api+"/dev") {
				t.Errorf("the log of a stage with a destination is in that of the server: %s", line)
			}
			if strings.Contains(line, "Method completed") {
				if !strings.Contains(line, `msg="execution log"`) || !strings.Contains(line, "group=/aws/apigateway/"+api+"/prod") {
					t.Errorf("the line %s", line)
				}
				break
			}
		}
	})
}
