package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
)

func mustSource(t testing.TB, text string, variables map[string]string) SocketSource {
	t.Helper()
	s, err := ParseSocketSource(text, variables)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newSocket returns what events show of a connection that is about to open.
func newSocket() *event.Socket {
	return &event.Socket{APIID: "a1", Stage: "prod", ConnectionID: socketID, DomainName: "a1.execute-api.us-east-1.amazonaws.com", ConnectedAt: iamNow, SourceIP: "192.0.2.7"}
}

// socketSpec returns the spec of an authorizer whose identity source is the parameter
// token.
func socketSpec(t testing.TB, f integration.Invoker) SocketLambdaSpec {
	t.Helper()
	return SocketLambdaSpec{
		Invoker: f, Function: "arn:aws:lambda:us-east-1:123456789012:function:auth",
		Sources: []SocketSource{mustSource(t, "route.request.querystring.token", nil)},
		Region:  "us-east-1", Account: "123456789012", API: "a1", Stage: "prod", AuthorizerID: "auth01",
	}
}

// connecting is the decision about handshakes of one connection.
func connecting(l *SocketLambda) gateway.Authorizer {
	return authorizerFunc(func(x *gateway.Exchange) error {
		_, err := l.Authorize(x, newSocket())
		return err
	})
}

// throws returns a function that fails with a payload.
func throws(payload string) *fakeFunction {
	return &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
		return integration.InvocationResult{Payload: []byte(payload), FunctionError: "Unhandled", RequestID: "r1"}, nil
	}}
}

// allowWith returns an answer that allows everything and has more members.
func allowWith(members string) string {
	return strings.TrimSuffix(allowOn("*"), "}") + "," + members + "}"
}

var (
	wire401           = wireAnswer{401, "UnauthorizedException", `{"message":"Unauthorized"}`}
	wire403           = wireAnswer{403, "AccessDeniedException", `{"message":"Forbidden"}`}
	wire500           = wireAnswer{500, "InternalServerErrorException", `{"message":"Internal server error"}`}
	socketStageMember = socketStageARN + "/$connect"
)

// TestSocketLambda: what becomes of a handshake by the answer of the function, to the
// byte, and whether the function is asked at all.
func TestSocketLambda(t *testing.T) {
	t.Parallel()
	const api = "arn:aws:execute-api:us-east-1:123456789012:a1"
	all := statement("Allow", "execute-api:Invoke", "*")
	doc := func(statements string) string {
		return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[` + statements + `]}}`
	}
	padded := func(length int) string {
		s := allowWith(`"context":{"x":""}`)
		return strings.Replace(s, `"x":""`, `"x":"`+strings.Repeat("x", length-len(s))+`"`, 1)
	}
	for _, tt := range []struct {
		name   string
		query  string
		answer integration.Invoker
		want   wireAnswer
		calls  int
	}{
		{"A01", "", says(allowOn("*")), wire401, 0},
		{"A01 other case", "?Token=t", says(allowOn("*")), wire401, 0},
		{"A02", "?token=", says(allowOn("*")), wire401, 0},
		{"A02 without a value", "?token", says(allowOn("*")), wire401, 0},
		{"A02 last one empty", "?token=t&token=", says(allowOn("*")), wire401, 0},
		{"A02 last one counts", "?token=&to%6ben=t", says(allowOn("*")), letIn, 1},
		{"A03", "?token=t", says(allowOn(socketStageMember)), letIn, 1},
		{"A04", "?token=t", says(doc(statement("Deny", "execute-api:Invoke", "*"))), wire403, 1},
		{"A04 and allow", "?token=t", says(doc(all + "," + statement("Deny", "*", socketStageMember))), wire403, 1},
		{"A05 nothing allowed", "?token=t", says(doc(statement("Allow", "s3:*", "*"))), wire403, 1},
		{"A05 another stage", "?token=t", says(allowOn(api + "/dev/$connect")), wire403, 1},
		{"A05 another API", "?token=t", says(allowOn("arn:aws:execute-api:us-east-1:123456789012:a2/prod/$connect")), wire403, 1},
		{"A05 another route", "?token=t", says(allowOn(api + "/prod/$disconnect")), wire403, 1},
		{"A05 the route of the request", "?token=t", says(allowOn(api + "/prod/GET/")), wire403, 1},
		{"A05 another account", "?token=t", says(allowOn("arn:aws:execute-api:us-east-1:999999999999:a1/*")), wire403, 1},
		{"A05 no statement", "?token=t", says(doc("")), wire403, 1},
		{"A06", "?token=t", throws(`{"errorMessage":"Unauthorized","errorType":"Error","trace":[]}`), wire401, 1},
		{"A07 other text", "?token=t", throws(`{"errorMessage":"unauthorized"}`), wire500, 1},
		{"A07 longer text", "?token=t", throws(`{"errorMessage":"Unauthorized "}`), wire500, 1},
		{"A07 text inside", "?token=t", throws(`{"errorMessage":"x","cause":{"errorMessage":"Unauthorized"}}`), wire500, 1},
		{"A07 no text", "?token=t", throws(`"Unauthorized"`), wire500, 1},
		{"A07 broken text", "?token=t", throws(`{"errorMessage":"Unauthorized"`), wire500, 1},
		{"A07 an answer", "?token=t", throws(allowOn("*")), wire500, 1},
		{"A07 returned, not thrown", "?token=t", says(`{"errorMessage":"Unauthorized"}`), wire500, 1},
		{"A07 returned text", "?token=t", says(`"Unauthorized"`), wire500, 1},
		{"A07 null", "?token=t", says(`null`), wire500, 1},
		{"A07 nothing", "?token=t", says(``), wire500, 1},
		{"A08", "?token=t", says(allowOn(api + "/prod/*")), letIn, 1},
		{"A09", "?token=t", says(allowOn(api + "/*/*")), letIn, 1},
		{"A10", "?token=t", says(allowOn(api + "/prod/*/*")), wire403, 1},
		{"A10 with four", "?token=t", says(allowOn(api + "/*/*/*")), wire403, 1},
		{"one character", "?token=t", says(allowOn(api + "/prod/?connect")), letIn, 1},
		{"A11", "?token=t", says(allowWith(`"context":{"o":{}}`)), wire500, 1},
		{"A11 list", "?token=t", says(allowWith(`"context":{"a":1,"l":["x"]}`)), wire500, 1},
		{"A11 null", "?token=t", says(allowWith(`"context":{"n":null}`)), wire500, 1},
		{"A11 claims", "?token=t", says(allowWith(`"context":{"claims":{}}`)), wire500, 1},
		{"A11 no object", "?token=t", says(allowWith(`"context":[]`)), wire500, 1},
		{"A11 twice", "?token=t", says(allowWith(`"context":{"a":1,"a":2}`)), wire500, 1},
		{"A12 as long as may be", "?token=t", says(padded(maxSocketAnswer)), letIn, 1},
		{"A12", "?token=t", says(padded(maxSocketAnswer + 1)), wire500, 1},
		{"A12 much longer", "?token=t", says(padded(1 << 20)), wire500, 1},
		{"A14", "?token=t", says(doc(statement("Allow", "execute-api:Invoke", socketStageMember) + "," + statement("Deny", "*", api+"/prod/send"))), letIn, 1},
		{"no principal", "?token=t", says(`{"policyDocument":{"Statement":[` + all + `]}}`), wire500, 1},
		{"empty principal", "?token=t", says(`{"principalId":"","policyDocument":{"Statement":[` + all + `]}}`), wire500, 1},
		{"number as principal", "?token=t", says(`{"principalId":7,"policyDocument":{"Statement":[` + all + `]}}`), wire500, 1},
		{"no policy", "?token=t", says(`{"principalId":"me"}`), wire500, 1},
		{"policy as text", "?token=t", says(`{"principalId":"me","policyDocument":"{}"}`), wire500, 1},
		{"broken policy", "?token=t", says(doc(strings.Replace(all, "Allow", "allow", 1))), wire500, 1},
		{"condition that nobody knows", "?token=t", says(doc(strings.TrimSuffix(all, "}") + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o"}}}`)), wire500, 1},
		{"condition", "?token=t", says(doc(strings.TrimSuffix(all, "}") + `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`)), wire403, 1},
		{"simple", "?token=t", says(`{"isAuthorized":true}`), wire500, 1},
		{"key is no text", "?token=t", says(allowWith(`"usageIdentifierKey":7`)), wire500, 1},
		{"no key", "?token=t", says(allowWith(`"usageIdentifierKey":null,"context":null,"more":[]`)), letIn, 1},
		{"deep", "?token=t", says(`{"principalId":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`), wire500, 1},
		{"broken", "?token=t", breaks(errors.New("secret detail")), wire500, 1},
		{"no host", "?token=t", nil, wire500, 0},
		{"no host, no token", "", nil, wire500, 0},
	} {
		f, _ := tt.answer.(*fakeFunction)
		got := onWire(t, connecting(NewSocketLambda(socketSpec(t, tt.answer))), "GET /prod"+tt.query, "")
		if got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
		if f != nil && f.count() != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.name, f.count(), tt.calls)
		}
	}
}

// TestSocketLambdaResult: what is known of the client, of the call and of what went wrong.
func TestSocketLambdaResult(t *testing.T) {
	t.Parallel()
	answers := func(payload string) *fakeFunction {
		return &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
			return integration.InvocationResult{Payload: []byte(payload), RequestID: "r1"}, nil
		}}
	}
	for _, tt := range []struct {
		f         integration.Invoker
		query     string
		want      SocketResult
		log, kind string
	}{
		{answers(allowWith(`"usageIdentifierKey":"k1"`)), "?token=t", SocketResult{"k1", "r1", 200}, "", ""},
		{answers(allowOn("*")), "?token=t", SocketResult{"", "r1", 200}, "", ""},
		{answers(strings.Replace(allowWith(`"usageIdentifierKey":"k1"`), "Allow", "Deny", 1)), "?token=t", SocketResult{"", "r1", 200}, "a statement of the policy denies the request", "ACCESS_DENIED"},
		{answers(strings.Replace(allowOn("*"), "execute-api:Invoke", "s3:*", 1)), "?token=t", SocketResult{"", "r1", 200}, "no statement of the policy allows the request", "ACCESS_DENIED"},
		{answers(`{}`), "?token=t", SocketResult{"", "r1", 200}, "the answer of the function is malformed", "AUTHORIZER_CONFIGURATION_ERROR"},
		{throws(`{"errorMessage":"Unauthorized"}`), "?token=t", SocketResult{"", "r1", 200}, "the function says that the client is unauthorized", "UNAUTHORIZED"},
		{throws(`{"errorMessage":"secret"}`), "?token=t", SocketResult{"", "r1", 200}, "the function failed", "AUTHORIZER_FAILURE"},
		{answers(allowOn("*")), "", SocketResult{}, "the identity source route.request.querystring.token has no value", "UNAUTHORIZED"},
		{breaks(errors.New("secret")), "?token=t", SocketResult{}, "the function could not be called", "AUTHORIZER_FAILURE"},
		{breaks(fmt.Errorf("call: %w", integration.ErrNotPermitted)), "?token=t", SocketResult{"", "", 403}, "call: the function may not be called from here", "AUTHORIZER_CONFIGURATION_ERROR"},
		{breaks(integration.ErrNoFunction), "?token=t", SocketResult{"", "", 404}, "there is no such function", "AUTHORIZER_CONFIGURATION_ERROR"},
		{breaks(integration.ErrCredentials), "?token=t", SocketResult{}, "the function could not be called", "AUTHORIZER_CONFIGURATION_ERROR"},
		{breaks(integration.ErrThrottled), "?token=t", SocketResult{"", "", 429}, "the function is throttled", "AUTHORIZER_FAILURE"},
		{&fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) { panic("x") }}, "?token=t", SocketResult{}, "the function could not be called", "AUTHORIZER_FAILURE"},
		{nil, "?token=t", SocketResult{}, errNoInvoker.Error(), "AUTHORIZER_CONFIGURATION_ERROR"},
	} {
		x := lambdaExchange(t, "GET /prod"+tt.query, "")
		got, err := NewSocketLambda(socketSpec(t, tt.f)).Authorize(x, newSocket())
		var e *gateway.Error
		kind := ""
		if errors.As(err, &e) {
			kind = e.Type
		}
		if got != tt.want || x.AuthorizerError != tt.log || kind != tt.kind || (err == nil) != (x.Identity != nil) {
			t.Errorf("%s: %+v, logs say %q, %s, identity %v", tt.log, got, x.AuthorizerError, kind, x.Identity)
		}
		if err != nil && strings.Contains(e.Message+x.AuthorizerError, "secret") {
			t.Errorf("%s: says what the function said", tt.log)
		}
	}
}

// TestSocketLambdaContext: A03, what events show of the client.
func TestSocketLambdaContext(t *testing.T) {
	t.Parallel()
	x := lambdaExchange(t, "GET /prod?token=t", "")
	l := NewSocketLambda(socketSpec(t, says(strings.Replace(allowWith(`"context":{"n":123,"b":true,"s":"x"}`), `"p"`, `"me"`, 1))))
	s := newSocket()
	if _, err := l.Authorize(x, s); err != nil {
		t.Fatal(err)
	}
	want := &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{
		{Name: "n", JSON: "123", Text: "123", Scalar: true}, {Name: "b", JSON: "true", Text: "true", Scalar: true}, {Name: "s", JSON: `"x"`, Text: "x", Scalar: true},
	}}
	if !reflect.DeepEqual(x.Identity.Lambda, want) {
		t.Errorf("%+v", x.Identity.Lambda)
	}
	s.Identity = x.Identity
	payload := string(event.AppendMessage(nil, s, &event.Message{RouteKey: "send"}))
	if part := `"authorizer":{"principalId":"me","n":"123","b":"true","s":"x","integrationLatency":0}`; !strings.Contains(payload, part) {
		t.Errorf("%s lacks %s", payload, part)
	}
}

// TestSocketLambdaCall: what the function gets, each time (A13).
func TestSocketLambdaCall(t *testing.T) {
	t.Parallel()
	f := says(allowOn("*"))
	spec := socketSpec(t, f)
	spec.CredentialsARN = "arn:role"
	l := NewSocketLambda(spec)
	x := lambdaExchange(t, "GET /prod?token=t1", "", "HeaderAuth1: v1")
	for range 2 {
		if got := lambdaOutcome(t, connecting(l), x); got != 200 {
			t.Fatal(got)
		}
	}
	if f.count() != 2 {
		t.Fatalf("%d calls", f.count())
	}
	call := f.calls[1]
	if call.Function != spec.Function || call.CredentialsARN != "arn:role" || call.SourceARN != "arn:aws:execute-api:us-east-1:123456789012:a1/authorizers/auth01" {
		t.Errorf("%+v", call)
	}
	var got struct {
		Type, MethodARN       string
		Headers               map[string]string
		QueryStringParameters map[string]string
		RequestContext        struct{ RouteKey, ConnectionID string }
	}
	if err := json.Unmarshal(call.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "REQUEST" || got.MethodARN != socketStageMember || got.Headers["HeaderAuth1"] != "v1" || got.QueryStringParameters["token"] != "t1" ||
		got.RequestContext.RouteKey != "$connect" || got.RequestContext.ConnectionID != socketID {
		t.Errorf("%s", call.Payload)
	}
}

// TestSocketLambdaTimeout: after ten seconds nobody waits any more, be it for a function
// that does not even heed the end of its context.
func TestSocketLambdaTimeout(t *testing.T) {
	t.Parallel()
	for name, heeds := range map[string]bool{"slow": true, "stubborn": false} {
		synctest.Test(t, func(t *testing.T) {
			f := sleeps(11*time.Second, allowOn("*"))
			if !heeds {
				f.answer = func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
					time.Sleep(11 * time.Second)
					return integration.InvocationResult{Payload: []byte(allowOn("*"))}, nil
				}
			}
			x := lambdaExchange(t, "GET /prod?token=t", "")
			start := time.Now()
			got := lambdaOutcome(t, connecting(NewSocketLambda(socketSpec(t, f))), x)
			if took := time.Since(start); got != 500 || took != LambdaTimeout || x.AuthorizerError != errLambdaTimeout.Error() {
				t.Errorf("%s: %d after %v (%s)", name, got, took, x.AuthorizerError)
			}
			time.Sleep(time.Minute)
		})
	}
}

// TestSocketSources: when each kind of identity source has a value.
func TestSocketSources(t *testing.T) {
	t.Parallel()
	x := lambdaExchange(t, "GET /prod?token=t&empty=&b%C3%BC=%20&=x", "", "Authorization: a", "Twice: a", "twice:", "Empty:")
	s := newSocket()
	variables := map[string]string{"table": "chat", "empty": ""}
	for _, tt := range []struct {
		text string
		want bool
	}{
		{"route.request.header.Authorization", true},
		{"route.request.header.AUTHORIZATION", true},
		{"route.request.header.Authorization2", false},
		{"route.request.header.Twice", false},
		{"route.request.header.Empty", false},
		{"route.request.header.Host", true},
		{"route.request.querystring.token", true},
		{"route.request.querystring.Token", false},
		{"route.request.querystring.tok", false},
		{"route.request.querystring.empty", false},
		{"route.request.querystring.bü", true},
		{"stageVariables.table", true},
		{"stageVariables.empty", false},
		{"stageVariables.none", false},
		{"context.apiId", true},
		{"context.connectedAt", true},
		{"context.connectionId", true},
		{"context.domainName", true},
		{"context.eventType", true},
		{"context.extendedRequestId", true},
		{"context.identity.sourceIp", true},
		{"context.identity.userAgent", false},
		{"context.messageDirection", true},
		{"context.requestId", true},
		{"context.requestTime", true},
		{"context.requestTimeEpoch", true},
		{"context.routeKey", true},
		{"context.stage", true},
	} {
		source, err := ParseSocketSource(tt.text, variables)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
		} else if got := source.present(x, s); got != tt.want || source.String() != tt.text {
			t.Errorf("%s: %t, is %s", tt.text, got, source)
		}
	}
	for _, text := range []string{
		"", "$request.header.X", "$route.request.header.X", "route.request.header.", "route.request.header", "route.request.querystring.", "route.request.body.x",
		"route.request.multivalueheader.X", "method.request.header.X", "stageVariables.", "context.", "context.nope", "context.authorizer.principalId", "context.status",
		"Route.request.header.X", " route.request.header.X",
	} {
		if s, err := ParseSocketSource(text, variables); err == nil || s.present != nil {
			t.Errorf("%q is a source", text)
		}
	}
	spec := socketSpec(t, says(allowOn("*")))
	spec.Sources = []SocketSource{{}}
	if got := lambdaOutcome(t, connecting(NewSocketLambda(spec)), x); got != 401 {
		t.Errorf("the zero source: %d", got)
	}
	// All sources must have values; without any the function decides alone.
	spec.Sources = []SocketSource{mustSource(t, "route.request.querystring.token", nil), mustSource(t, "route.request.header.none", nil)}
	if got := lambdaOutcome(t, connecting(NewSocketLambda(spec)), x); got != 401 || x.AuthorizerError != "the identity source route.request.header.none has no value" {
		t.Errorf("the second source: %d (%s)", got, x.AuthorizerError)
	}
	spec.Sources = nil
	if got := lambdaOutcome(t, connecting(NewSocketLambda(spec)), x); got != 200 {
		t.Errorf("no sources: %d", got)
	}
}

func FuzzSocketAnswer(f *testing.F) {
	for _, s := range []string{allowOn("*"), allowWith(`"context":{"n":1,"s":"\ud800"},"usageIdentifierKey":"k"`), `{"principalId":"p","policyDocument":{"Statement":{}}}`, "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseSocketAnswer(text)
		if err != nil {
			return
		}
		if a.policy == nil || a.identity.Lambda.PrincipalID == "" || len(text) > maxSocketAnswer {
			t.Errorf("%+v", a)
		}
		for _, m := range a.identity.Lambda.Context {
			if !m.Scalar || !json.Valid([]byte(m.JSON)) {
				t.Errorf("%s: %q", m.Name, m.JSON)
			}
		}
	})
}

func BenchmarkSocketLambda(b *testing.B) {
	x := lambdaExchange(b, "GET /prod?token=0123456789012345678901234567890123456789", "")
	l := NewSocketLambda(socketSpec(b, says(allowWith(`"context":{"k":"v"}`))))
	s := newSocket()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Authorize(x, s); err != nil {
			b.Fatal(err)
		}
	}
}
