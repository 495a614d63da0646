package integration_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
)

// A function answers calls.
type function func(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error)

func (f function) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	return f(ctx, call)
}

// returns is a function that always returns the same.
func returns(payload string) function {
	return func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
		return integration.InvocationResult{Payload: []byte(payload), RequestID: "lambda-1"}, nil
	}
}

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:f"

// lambda returns a route to a function.
func lambda(t testing.TB, key string, f function, spec integration.LambdaSpec) target {
	t.Helper()
	spec.Invoker, spec.Function, spec.RouteKey = f, functionARN, key
	spec.Region, spec.Account, spec.API, spec.Stage = "us-east-1", "123456789012", "a", "live"
	spec.Version, spec.Timeout = cmp.Or(spec.Version, "2.0"), cmp.Or(spec.Timeout, 10*time.Second)
	l, err := integration.NewLambda(spec)
	if err != nil {
		t.Fatal(err)
	}
	return target{key: key, in: l, readsBody: spec.Request.ReadsBody()}
}

// TestLambda: what clients get of what functions return.
func TestLambda(t *testing.T) {
	t.Parallel()
	const e500 = `500 application/json {"message":"Internal Server Error"}`
	for _, tt := range []struct{ name, version, line, payload, want string }{
		{"string", "2.0", "GET /", `"Hello"`, "200 application/json Hello"},
		{"object", "2.0", "GET /", `{"message":"x"}`, `200 application/json {"message":"x"}`},
		{"empty string", "2.0", "GET /", `""`, "200 application/json "},
		{"body without a status", "2.0", "GET /", `{"body":"x"}`, `200 application/json {"body":"x"}`},
		{"response", "2.0", "GET /", `{"statusCode":200,"body":"{\"a\":1}"}`, `200 text/plain; charset=utf-8 {"a":1}`},
		{"other status", "2.0", "GET /", `{"statusCode":404,"body":"no"}`, "404 text/plain; charset=utf-8 no"},
		{"status 0", "2.0", "GET /", `{"statusCode":0}`, e500},
		{"status 101", "2.0", "GET /", `{"statusCode":101}`, e500},
		{"base64", "2.0", "GET /", `{"statusCode":200,"isBase64Encoded":true,"body":"AQID","headers":{"content-type":"image/png"}}`, "200 image/png \x01\x02\x03"},
		{"204", "2.0", "GET /", `{"statusCode":204,"body":"x"}`, "204  "},
		{"304", "2.0", "GET /", `{"statusCode":304,"headers":{"content-type":"a"},"body":"x"}`, "304 a "},
		{"HEAD", "2.0", "HEAD /", `{"statusCode":200,"body":"12345"}`, "200 text/plain; charset=utf-8 "},
		{"1.0", "1.0", "GET /", `{"statusCode":200,"body":"x"}`, "200 text/plain; charset=utf-8 x"},
		{"1.0 without a status", "1.0", "GET /", `{"a":1}`, e500},
		{"1.0 string", "1.0", "GET /", `"x"`, e500},
		{"split response", "2.0", "GET /", `{"statusCode":200,"headers":{"a":"1\r\nb: 2"}}`, e500},
		{"long", "2.0", "GET /", `{"statusCode":200,"body":"` + strings.Repeat("x", 300_000) + `"}`, "200 text/plain; charset=utf-8 " + strings.Repeat("x", 300_000)},
	} {
		addr := serve(t, gateway.Config{}, lambda(t, "$default", returns(tt.payload), integration.LambdaSpec{Version: tt.version}))
		c := dial(t, addr)
		for range 2 { // on one connection
			a := c.ask(tt.line)
			if got := fmt.Sprintf("%d %s %s", a.StatusCode, a.Header.Get("Content-Type"), a.body); got != tt.want {
				t.Errorf("%s: got %.200q, want %.200q", tt.name, got, tt.want)
			}
			if length := a.Header.Get("Content-Length"); tt.name == "HEAD" && length != "5" || a.StatusCode == 204 && length != "" {
				t.Errorf("%s: length %q", tt.name, length)
			}
		}
	}
}

// TestLambdaLines: fields of the same name stay lines of their own.
func TestLambdaLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, version, payload, want string }{
		{"cookies", "2.0", `{"statusCode":200,"cookies":["a=1","b=2"],"headers":{"set-cookie":"c=3","connection":"x"}}`, "a=1|b=2|c=3"},
		{"lists", "1.0", `{"statusCode":200,"headers":{"Set-Cookie":"single-value"},"multiValueHeaders":{"Set-Cookie":["multi-value1","multi-value2"]}}`, "single-value|multi-value1|multi-value2"},
	} {
		a := ask(t, serve(t, gateway.Config{}, lambda(t, "$default", returns(tt.payload), integration.LambdaSpec{Version: tt.version})), "GET /")
		if got := strings.Join(a.Header.Values("Set-Cookie"), "|"); got != tt.want || a.Header.Get("Connection") == "x" {
			t.Errorf("%s: got %q, want %q, in %s", tt.name, got, tt.want, a.head)
		}
	}
}

// TestLambdaFailures: what clients, access logs and operators get to see when there is no
// answer.
func TestLambdaFailures(t *testing.T) {
	t.Parallel()
	fails := func(err error) function {
		return func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
			return integration.InvocationResult{}, err
		}
	}
	result := func(r integration.InvocationResult) function {
		return func(context.Context, integration.Invocation) (integration.InvocationResult, error) { return r, nil }
	}
	const permission = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. Check the permissions and try again."
	const format = "The response from the Lambda function doesn't match the format that API Gateway expects. Verify that the response format is correct"
	for _, tt := range []struct {
		name    string
		f       function
		status  int
		outcome gateway.IntegrationOutcome
		cause   string
		kind    string // INTEGRATION_FAILURE if empty
	}{
		{"permission", fails(fmt.Errorf("x: %w", integration.ErrNotPermitted)), 500, gateway.IntegrationOutcome{ServiceStatus: 403, Error: permission}, "may not be called", ""},
		{"no function", fails(integration.ErrNoFunction), 500, gateway.IntegrationOutcome{ServiceStatus: 404, Error: permission}, "no such function", ""},
		{"role", fails(integration.ErrCredentials), 500, gateway.IntegrationOutcome{Error: "API Gateway doesn’t have permissions to assume the IAM role configured on the integration. Check the permissions and try again."}, "cannot be assumed", ""},
		{"throttled", fails(integration.ErrThrottled), 503, gateway.IntegrationOutcome{ServiceStatus: 429, Error: "Rate Exceeded."}, "throttled", ""},
		{"too large", fails(integration.ErrPayloadTooLarge), 413, gateway.IntegrationOutcome{ServiceStatus: 413}, "6 MB", "REQUEST_TOO_LARGE"},
		{"other", fails(errors.New("connection refused")), 503, gateway.IntegrationOutcome{Error: "The endpoint could not be reached"}, "connection refused", ""},
		{"timeout", func(ctx context.Context, _ integration.Invocation) (integration.InvocationResult, error) {
			<-ctx.Done()
			return integration.InvocationResult{}, ctx.Err()
		}, 503, gateway.IntegrationOutcome{Error: "Endpoint request timed out"}, "longer than the timeout of the integration, 50ms", "INTEGRATION_TIMEOUT"},
		{"function error", result(integration.InvocationResult{FunctionError: "Unhandled", RequestID: "r", Payload: []byte(`{"errorType":"TypeError","errorMessage":"x is\nnot a function"}`)}), 500,
			gateway.IntegrationOutcome{ServiceStatus: 200, RequestID: "r", Error: "x is not a function", Failed: true}, "TypeError: x is not a function", ""},
		{"long function error", result(integration.InvocationResult{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"` + strings.Repeat("x", 1<<20) + `"}`)}), 500,
			gateway.IntegrationOutcome{ServiceStatus: 200, Error: strings.Repeat("x", 1<<10), Failed: true}, "xxx", ""},
		{"malformed function error", result(integration.InvocationResult{FunctionError: "Unhandled", Payload: []byte(`{`)}), 500, gateway.IntegrationOutcome{ServiceStatus: 200, Failed: true}, "the function failed", ""},
		{"malformed", result(integration.InvocationResult{RequestID: "r", Payload: []byte(`{"statusCode":"x"}`)}), 500, gateway.IntegrationOutcome{ServiceStatus: 200, RequestID: "r", Error: format}, "statusCode is not", ""},
		{"malformed header", result(integration.InvocationResult{Payload: []byte(`{"statusCode":200,"headers":{"a":[]}}`)}), 500, gateway.IntegrationOutcome{ServiceStatus: 200, Error: format}, "headers: a value", ""},
		{"too long", result(integration.InvocationResult{Payload: make([]byte, integration.MaxResult+1)}), 500, gateway.IntegrationOutcome{ServiceStatus: 200, Error: format}, "6291557 bytes", ""},
		{"malformed stream", result(integration.InvocationResult{ContentType: integration.StreamedResponse, Payload: []byte(`{}`)}), 500, gateway.IntegrationOutcome{ServiceStatus: 200, Error: format}, "no end", ""},
	} {
		done := make(chan error, 1)
		to := lambda(t, "$default", tt.f, integration.LambdaSpec{Timeout: 50 * time.Millisecond})
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, err error) {
			if x.Integration != tt.outcome {
				t.Errorf("%s: outcome %+.200v, want %+v", tt.name, x.Integration, tt.outcome)
			}
			done <- err
		}}
		a := ask(t, serve(t, gateway.Config{}, to), "GET /")
		want := map[int]string{500: `{"message":"Internal Server Error"}`, 503: `{"message":"Service Unavailable"}`, 413: `{"message":"Request Entity Too Large"}`}[tt.status]
		if a.StatusCode != tt.status || a.body != want {
			t.Errorf("%s: got %d %s", tt.name, a.StatusCode, a.body)
		}
		err := <-done
		var e *gateway.Error
		if !errors.As(err, &e) || e.Type != cmp.Or(tt.kind, "INTEGRATION_FAILURE") || !strings.Contains(err.Error(), tt.cause) || len(err.Error()) > 3<<10 {
			t.Errorf("%s: %.300v", tt.name, err)
		}
	}
}

// TestLambdaOutcome: access logs see what the function said, and that it was called.
func TestLambdaOutcome(t *testing.T) {
	t.Parallel()
	for payload, status := range map[string]int{`{"statusCode":404}`: 404, `"x"`: 200} {
		to := lambda(t, "$default", returns(payload), integration.LambdaSpec{})
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, _ error) {
			if want := (gateway.IntegrationOutcome{Status: status, ServiceStatus: 200, RequestID: "lambda-1"}); x.Integration != want {
				t.Errorf("%s: got %+v, want %+v", payload, x.Integration, want)
			}
		}}
		ask(t, serve(t, gateway.Config{}, to), "GET /")
	}
}

// TestLambdaGone: a function whose client has left is given up.
func TestLambdaGone(t *testing.T) {
	t.Parallel()
	called, canceled := make(chan bool, 1), make(chan error, 1)
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: time.Millisecond}}, lambda(t, "$default", func(ctx context.Context, _ integration.Invocation) (integration.InvocationResult, error) {
		called <- true
		<-ctx.Done()
		canceled <- ctx.Err()
		return integration.InvocationResult{}, ctx.Err()
	}, integration.LambdaSpec{Timeout: time.Minute}))
	c := dial(t, addr)
	c.send(message("GET /"))
	<-called
	c.nc.Close()
	if err := <-canceled; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestLambdaSource: on whose behalf functions are called.
func TestLambdaSource(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:execute-api:us-east-1:123456789012:a/live/"
	for _, tt := range []struct {
		key, line, arn string
		aliases        []string
	}{
		{"GET /pets/{id}", "GET /pets/7", "GET/pets/{id}", nil},
		{"ANY /pets/{proxy+}", "DELETE /pets/7", "DELETE/pets/{proxy+}", []string{"ANY/pets/{proxy+}", "*/pets/{proxy+}"}},
		{"ANY /", "OPTIONS /", "OPTIONS/", []string{"ANY/", "*/"}},
		{"$default", "POST /x", "$default", nil},
	} {
		var got integration.Invocation
		to := lambda(t, tt.key, func(_ context.Context, call integration.Invocation) (integration.InvocationResult, error) {
			got = call
			return integration.InvocationResult{Payload: []byte(`""`)}, nil
		}, integration.LambdaSpec{CredentialsARN: "arn:aws:iam::123456789012:role/r"})
		if a := ask(t, serve(t, gateway.Config{}, to), tt.line); a.StatusCode != 200 {
			t.Errorf("%s: %d", tt.key, a.StatusCode)
		}
		var aliases []string
		for _, a := range tt.aliases {
			aliases = append(aliases, prefix+a)
		}
		if got.SourceARN != prefix+tt.arn || !slices.Equal(got.SourceAliases, aliases) || got.Function != functionARN || got.CredentialsARN != "arn:aws:iam::123456789012:role/r" {
			t.Errorf("%s: got %+v", tt.key, got)
		}
	}
	for region, want := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eu-central-1": "aws"} {
		if got := integration.Partition(region); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

// echo returns the event.
func echo(_ context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	answer, err := json.Marshal(map[string]any{"event": json.RawMessage(call.Payload), "trace": call.TraceID})
	return integration.InvocationResult{Payload: answer}, err
}

// TestLambdaEvent: functions get what came, as it came.
func TestLambdaEvent(t *testing.T) {
	t.Parallel()
	addr := serve(t, gateway.Config{}, lambda(t, "ANY /pets/{id}", echo, integration.LambdaSpec{}))
	long := strings.Repeat(`"é\`+"\n", 50_000)
	for _, tt := range []struct {
		name    string
		request string
		body    any
		encoded bool
		length  string
		trace   string
	}{
		{"no body", message("GET /pets/7"), nil, false, "0", ""},
		{"trace", message("GET /pets/7", "X-Amzn-Trace-Id: Root=1-a"), nil, false, "0", "Root=1-a"},
		{"text", message("POST /pets/7", "Content-Type: text/plain", "\nhi"), "hi", false, "2", ""},
		{"binary", message("POST /pets/7", "\nhi"), "aGk=", true, "2", ""},
		{"chunks", "POST /pets/7 HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "abcd", false, "4", ""},
		{"long", message("POST /pets/7", "Content-Type: text/plain", "\n"+long), long, false, fmt.Sprint(len(long)), ""},
		{"as long as a block", message("POST /pets/7", "Content-Type: text/plain", "\n"+strings.Repeat("x", 48<<10)), strings.Repeat("x", 48<<10), false, fmt.Sprint(48 << 10), ""},
	} {
		c := dial(t, addr)
		c.send(tt.request)
		a := c.read("POST")
		var got struct {
			Trace string
			Event struct {
				Body            any
				IsBase64Encoded bool
				RawPath         string
				Headers         map[string]string
			}
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Errorf("%s: %v in %.200s", tt.name, err, a.body)
			continue
		}
		e := got.Event
		if e.Body != tt.body || e.IsBase64Encoded != tt.encoded || e.RawPath != "/pets/7" || e.Headers["content-length"] != tt.length {
			t.Errorf("%s: got %.300v", tt.name, e)
		}
		if got.Trace == "" || got.Trace != e.Headers["x-amzn-trace-id"] || tt.trace != "" && got.Trace != tt.trace {
			t.Errorf("%s: trace %q, in the event %q", tt.name, got.Trace, e.Headers["x-amzn-trace-id"])
		}
	}
}

// TestLambdaTooLarge: an event of more than 6 MB is not sent.
func TestLambdaTooLarge(t *testing.T) {
	t.Parallel()
	calls := 0
	addr := serve(t, gateway.Config{}, lambda(t, "$default", func(_ context.Context, call integration.Invocation) (integration.InvocationResult, error) {
		calls++
		if len(call.Payload) > integration.MaxPayload {
			t.Errorf("an event of %d bytes", len(call.Payload))
		}
		return integration.InvocationResult{Payload: []byte(`""`)}, nil
	}, integration.LambdaSpec{}))
	const text, kb = "Content-Type: text/plain", 1 << 10
	for _, tt := range []struct {
		name   string
		typed  string
		body   string
		status int
	}{
		{"text that fits", text, strings.Repeat("x", 6*kb*kb-4*kb), 200},
		{"text with a head too long", text, strings.Repeat("x", 6*kb*kb), 413},
		{"binary that fits", "X: y", strings.Repeat("x", 4_700_000), 200},
		{"binary too long", "X: y", strings.Repeat("x", 4_720_000), 413},
		{"text that escapes too long", text, strings.Repeat("\x01", kb*kb+kb), 413},
	} {
		before := calls
		a := ask(t, addr, "POST /", tt.typed, "\n"+tt.body)
		if a.StatusCode != tt.status || tt.status == 413 && a.body != `{"message":"Request Entity Too Large"}` || calls-before != map[int]int{200: 1}[tt.status] {
			t.Errorf("%s: got %d %s, %d calls", tt.name, a.StatusCode, a.body, calls-before)
		}
	}
	// What is announced too long is refused before it comes, but for its beginning.
	for _, field := range []string{"Content-Length: 7340032\r\n" + text, "Content-Length: 4718593"} {
		c := dial(t, addr)
		c.send("POST / HTTP/1.1\r\nHost: "+host+"\r\n"+field+"\r\n\r\n", strings.Repeat("x", 64*kb))
		if a := c.read("POST"); a.StatusCode != 413 {
			t.Errorf("%s: got %d %s", field, a.StatusCode, a.body)
		}
	}
}

// TestLambdaBudget: long events count against the memory for all bodies, and one that would
// be too long takes none.
func TestLambdaBudget(t *testing.T) {
	t.Parallel()
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Spooled: 3 << 20}}, lambda(t, "$default", returns(`""`), integration.LambdaSpec{}))
	for _, tt := range []struct {
		body   string
		status int
	}{
		{strings.Repeat("x", 1200<<10), 200},
		{strings.Repeat(`"`, 1200<<10), 503},       // twice as long in the event
		{strings.Repeat("\x01", 1<<20+1<<10), 413}, // six times
	} {
		// What one exchange takes may come back after its answer.
		await(t, fmt.Sprintf("%d of %q: %d", len(tt.body), tt.body[0], tt.status), func() bool {
			return ask(t, addr, "POST /", "Content-Type: text/plain", "\n"+tt.body).StatusCode == tt.status
		})
	}
}

func TestLambdaStreamed(t *testing.T) {
	t.Parallel()
	const payload = `{"statusCode":201,"headers":{"Content-Type":"text/html"},"cookies":["a=1"]}` + "\x00\x00\x00\x00\x00\x00\x00\x00<p>"
	for contentType, want := range map[string]string{
		integration.StreamedResponse: "201 text/html <p>",
		"application/octet-stream":   "200 application/json " + payload,
	} {
		a := ask(t, serve(t, gateway.Config{}, lambda(t, "$default", func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
			return integration.InvocationResult{Payload: []byte(payload), ContentType: contentType}, nil
		}, integration.LambdaSpec{})), "GET /")
		if got := fmt.Sprintf("%d %s %s", a.StatusCode, a.Header.Get("Content-Type"), a.body); got != want {
			t.Errorf("%s: got %q, want %q", contentType, got, want)
		}
	}
}

// TestLambdaMapped: the function sees the mapped request, the client the mapped response.
func TestLambdaMapped(t *testing.T) {
	t.Parallel()
	scope := mapping.Scope{Vars: []string{"id"}}
	request, err := mapping.CompileRequest(map[string]string{
		"overwrite:path": "/v2/${request.path.id}", "append:querystring.stage": "$context.stage", "overwrite:header.x-name": "$request.body.name", "remove:header.x-secret": "''",
	}, scope)
	if err != nil {
		t.Fatal(err)
	}
	response, err := mapping.CompileResponse(map[string]map[string]string{
		"418": {"overwrite:statuscode": "200", "append:header.x-kind": "$response.body.kind", "append:header.x-latency": "$context.integrationLatency", "remove:header.server": "''"},
		"204": {"overwrite:statuscode": "200"},
	}, scope)
	if err != nil {
		t.Fatal(err)
	}
	var payload map[string]any
	status := 418
	addr := serve(t, gateway.Config{}, lambda(t, "POST /pets/{id}", func(_ context.Context, call integration.Invocation) (integration.InvocationResult, error) {
		if err := json.Unmarshal(call.Payload, &payload); err != nil {
			t.Error(err)
		}
		return integration.InvocationResult{Payload: fmt.Appendf(nil, `{"statusCode":%d,"headers":{"server":"s"},"body":"{\"kind\":\"pot\"}"}`, status)}, nil
	}, integration.LambdaSpec{Request: request, Response: response}))
	a := ask(t, addr, "POST /pets/7?a=1", "X-Name: client", "X-Secret: s", "Content-Type: application/json", "\n{\"name\":\"Ada\"}")
	header := payload["headers"].(map[string]any)
	if payload["rawPath"] != "/v2/7" || payload["rawQueryString"] != "a=1&stage=%24default" || header["x-name"] != "Ada" || header["x-secret"] != nil ||
		payload["requestContext"].(map[string]any)["http"].(map[string]any)["path"] != "/pets/7" || !reflect.DeepEqual(payload["body"], `{"name":"Ada"}`) {
		t.Errorf("event %v", payload)
	}
	if a.StatusCode != 200 || a.Header.Get("X-Kind") != "pot" || len(a.Header["X-Latency"]) != 1 || a.Header.Get("Server") != "" || a.body != `{"kind":"pot"}` {
		t.Errorf("answer %s%s", a.head, a.body)
	}
	status = 204
	if a = ask(t, addr, "POST /pets/7", "\nx"); a.StatusCode != 200 || a.body != "" || a.Header.Get("Content-Length") != "0" {
		t.Errorf("answer to 204: %s%s", a.head, a.body)
	}
}

func TestNewLambda(t *testing.T) {
	t.Parallel()
	good := integration.LambdaSpec{Invoker: returns(""), Function: functionARN, Version: "2.0"}
	for name, change := range map[string]func(*integration.LambdaSpec){
		"no function host": func(s *integration.LambdaSpec) { s.Invoker = nil },
		"no function to":   func(s *integration.LambdaSpec) { s.Function = "" },
		`"3.0"`:            func(s *integration.LambdaSpec) { s.Version = "3.0" },
	} {
		spec := good
		change(&spec)
		if _, err := integration.NewLambda(spec); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkLambda is a whole exchange with a function that does nothing.
func BenchmarkLambda(b *testing.B) {
	answer := []byte(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"ok\":true,\"items\":[1,2,3]}"}`)
	constant := function(func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
		return integration.InvocationResult{Payload: answer, RequestID: "r"}, nil
	})
	addr := serve(b, gateway.Config{}, lambda(b, "POST /pets/{id}", constant, integration.LambdaSpec{}))
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request := []byte(message("POST /pets/7?verbose=true", "User-Agent: bench/1.0", "Accept: */*", "Content-Type: application/json", "Authorization: Bearer x", "Cookie: a=b", "\n"+strings.Repeat(`{"a":"b"},`, 100)))
	in := make([]byte, 4<<10)
	once := func() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := c.Read(in); err != nil || n < 100 {
			b.Fatal(n, err)
		}
	}
	once()
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}
