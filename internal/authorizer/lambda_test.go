package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

func TestNewLambda(t *testing.T) {
	t.Parallel()
	results := NewResults(0, nil)
	for _, tt := range []struct {
		name   string
		change func(*LambdaSpec)
		want   string
	}{
		{"as it is", func(*LambdaSpec) {}, ""},
		{"version", func(s *LambdaSpec) { s.Version = "3.0" }, `the payload format version is "3.0", want 1.0 or 2.0`},
		{"simple 1.0", func(s *LambdaSpec) { s.Version = "1.0" }, "simple responses need payload format version 2.0"},
		{"TTL", func(s *LambdaSpec) { s.TTL = -1 }, "the TTL of results is negative"},
		{"TTL without sources", func(s *LambdaSpec) { s.TTL, s.Sources, s.SourceNames = 1, nil, nil }, "results can only be cached by the values of identity sources, and there are none"},
		{"names", func(s *LambdaSpec) { s.SourceNames = nil }, "each identity source needs its name"},
	} {
		spec := lambdaSpec(nil)
		tt.change(&spec)
		_, err := NewLambda(results, spec)
		if got := fmt.Sprint(err); err != nil && got != tt.want || err == nil && tt.want != "" {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := NewLambda(nil, lambdaSpec(nil)); err == nil {
		t.Error("no results: no error")
	}
}

// allowOn returns an answer with a policy that allows a resource.
func allowOn(resource string) string {
	return `{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"` + resource + `"}]}}`
}

// TestAnswers: what becomes of a request by the answer of the function.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const simple, policies = true, false
	const all = `"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"`
	doc := func(members string) string {
		return `{"principalId":"p","policyDocument":{"Statement":{` + members + `}}}`
	}
	x := lambdaExchange(t, "GET /prod/pets/6", "", "Authorization: user1", "User-Agent: curl/8")
	for _, tt := range []struct {
		form   bool
		answer string
		want   int
	}{
		{simple, `{"isAuthorized":true}`, 200},
		{simple, ` {"isAuthorized" : true, "context": null, "other": [1]} `, 200},
		{simple, `{"isAuthorized":true,"principalId":"p"}`, 200},
		{simple, `{"isAuthorized":false}`, 403},
		{simple, `{"isAuthorized":false,"context":{"a":1}}`, 403},
		{simple, `{"isAuthorized":"true"}`, 500},
		{simple, `{"isAuthorized":1}`, 500},
		{simple, `{"isAuthorized":null}`, 500},
		{simple, `{"isauthorized":true}`, 500},
		{simple, `{}`, 500},
		{simple, `true`, 500},
		{simple, `null`, 500},
		{simple, ``, 500},
		{simple, `{"isAuthorized":true`, 500},
		{simple, `{"isAuthorized":true}{}`, 500},
		{simple, `{"isAuthorized":false,"isAuthorized":true}`, 500},
		{simple, `{"isAuthorized":true,"context":"x"}`, 500},
		{simple, `{"isAuthorized":true,"context":[]}`, 500},
		{simple, `{"isAuthorized":true,"context":{"a":1,"a":2}}`, 500},
		{simple, "{\"isAuthorized\":true,\"context\":{\"a\":\"\xff\"}}", 500},
		{simple, `{"isAuthorized":true,"policyDocument":{}}`, 500},
		{simple, allowOn("*"), 500},
		{policies, `{"isAuthorized":true}`, 500},
		{policies, `{"isAuthorized":true,` + allowOn("*")[1:], 500},
		{policies, allowOn("*"), 200},
		{policies, allowOn("arn:aws:execute-api:us-east-1:123456789012:a1/prod/GET/pets/6"), 200},
		{policies, allowOn("arn:aws:execute-api:us-east-1:123456789012:a1/prod/GET/pets/{petId}"), 403},
		{policies, allowOn("arn:aws:execute-api:us-east-1:123456789012:a2/*"), 403},
		{policies, doc(all), 200},
		{policies, `{"principalId":"","policyDocument":{"Statement":[{` + all + `}]}}`, 200},
		{policies, `{"policyDocument":{"Statement":[{` + all + `}]}}`, 500},
		{policies, `{"principalId":7,"policyDocument":{"Statement":[{` + all + `}]}}`, 500},
		{policies, `{"principalId":"p"}`, 500},
		{policies, `{"principalId":"p","policyDocument":{}}`, 500},
		{policies, `{"principalId":"p","policyDocument":{"Statement":[]}}`, 500},
		{policies, `{"principalId":"p","policyDocument":"{}"}`, 500},
		{policies, doc(strings.Replace(all, "Allow", "allow", 1)), 500},
		{policies, doc(strings.Replace(all, "execute-api:Invoke", "*", 1)), 200},
		{policies, doc(strings.Replace(all, "execute-api:Invoke", "EXECUTE-API:*", 1)), 200},
		{policies, doc(strings.Replace(all, "execute-api:Invoke", "execute-api:ManageConnections", 1)), 403},
		{policies, doc(strings.Replace(all, "execute-api:Invoke", "s3:*", 1)), 403},
		{policies, doc(strings.Replace(all, "Action", "NotAction", 1)), 403},
		{policies, doc(`"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:s3:::b/*"`), 200},
		{policies, doc(`"Effect":"Allow","Action":["s3:Get*","execute-api:Invoke"],"Resource":["arn:aws:s3:::b","arn:aws:execute-api:*:*:a1/*"]`), 200},
		{policies, `{"principalId":"p","policyDocument":{"Statement":[{` + all + `},{"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:*:*/prod/GET/*"}]}}`, 403},
		{policies, doc(all + `,"Condition":{"StringEquals":{"aws:UserAgent":"curl/8"}}`), 200},
		{policies, doc(all + `,"Condition":{"StringEquals":{"aws:UserAgent":"x"}}`), 403},
		{policies, doc(all + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o"}}`), 500},
		{policies, doc(all + `,"Condition":{"Whatever":{"aws:UserAgent":"x"}}`), 500},
		{policies, doc(all + `,"Principal":"*"`), 500},
		{simple, `{"isAuthorized":true,"context":{"x":"` + strings.Repeat("x", maxLambdaAnswer-44) + `"}}`, 200},
		{simple, `{"isAuthorized":true,"context":{"x":"` + strings.Repeat("x", maxLambdaAnswer) + `"}}`, 500},
		{simple, `{"isAuthorized":true,"context":{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}}`, 500},
		{simple, `{"isAuthorized":true,"context":{"x":[` + strings.Repeat("1,", 20000) + `1]}}`, 500},
	} {
		spec := lambdaSpec(says(tt.answer))
		spec.Simple = tt.form
		if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x); got != tt.want {
			t.Errorf("simple %t: %.200s: %d, want %d (%s)", tt.form, tt.answer, got, tt.want, x.AuthorizerError)
		}
	}
}

// TestPolicyRows: resources of policies as the developer guide explains them.
func TestPolicyRows(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:us-east-1:123456789012:a1/prod"
	for _, tt := range []struct {
		allow, line string
		want        int
	}{
		{arn + "/GET/pets/*", "GET /prod/pets/6", 200},
		{arn + "/GET/pets/*", "GET /prod/pets", 403},
		{arn + "/GET/pets/*", "POST /prod/pets/6", 403},
		{"arn:aws:execute-api:*:*:a1/*/GET/*", "GET /prod/x/y", 200},
		{arn + "/GET/pets/{petId}", "GET /prod/pets/6", 403},
		{arn + "/GET/", "GET /prod", 200},
		{arn + "/GET/", "GET /prod/", 200},
		{arn + "/GET/a b/", "GET /prod/a%20b/", 200},
		{arn + "/GET/a", "GET /prod/a/", 403},
		{arn + "/GET/A", "GET /prod/a", 403},
		{arn + "/GET/?", "GET /prod/a", 200},
	} {
		spec := lambdaSpec(says(allowOn(tt.allow)))
		spec.Simple = false
		x := lambdaExchange(t, tt.line, "", "Authorization: user1")
		if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x); got != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.allow, tt.line, got, tt.want)
		}
	}
}

// TestContext: what the function says about the caller keeps its types and order.
func TestContext(t *testing.T) {
	t.Parallel()
	x := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1")
	for _, tt := range []struct {
		answer string
		want   *gateway.LambdaIdentity
	}{
		{`{"isAuthorized":true}`, &gateway.LambdaIdentity{}},
		{`{"isAuthorized":true,"context":{}}`, &gateway.LambdaIdentity{Context: []gateway.ContextMember{}}},
		{`{"isAuthorized":true,"context":{"n":1.50, "b" : true,"a":["x", {"y":null}],"s":"\u00fc\"","claims":{"sub":"x"},"z":null}}`, &gateway.LambdaIdentity{Context: []gateway.ContextMember{
			{Name: "n", JSON: "1.50", Text: "1.50", Scalar: true},
			{Name: "b", JSON: "true", Text: "true", Scalar: true},
			{Name: "a", JSON: `["x",{"y":null}]`},
			{Name: "s", JSON: `"ü\""`, Text: `ü"`, Scalar: true},
			{Name: "z", JSON: "null"},
		}}},
	} {
		if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), lambdaSpec(says(tt.answer))), x); got != 200 {
			t.Errorf("%s: %d", tt.answer, got)
		} else if !reflect.DeepEqual(x.Identity.Lambda, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.answer, x.Identity.Lambda, tt.want)
		}
	}
	spec := lambdaSpec(says(allowOn("*")))
	spec.Simple = false
	lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x)
	if got := x.Identity.Lambda.PrincipalID; got != "p" {
		t.Errorf("principal %q", got)
	}
}

// TestInvocation: what the function gets, in both formats.
func TestInvocation(t *testing.T) {
	t.Parallel()
	x := lambdaExchange(t, "GET /prod/pets/6?k=123", "", "Authorization: user1", "K: 123")
	for _, version := range []string{"1.0", "2.0"} {
		f := says(allowOn("*"))
		spec := lambdaSpec(f)
		spec.Version, spec.Simple, spec.CredentialsARN = version, false, "arn:role"
		spec.Sources, spec.SourceNames = append(spec.Sources, headerSource("K")), append(spec.SourceNames, "$request.querystring.k")
		if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x); got != 200 {
			t.Fatalf("%s: %d", version, got)
		}
		call := f.calls[0]
		if call.Function != spec.Function || call.CredentialsARN != "arn:role" || call.SourceARN != "arn:aws:execute-api:us-east-1:123456789012:a1/authorizers/auth01" {
			t.Errorf("%s: %+v", version, call)
		}
		var event map[string]any
		if err := json.Unmarshal(call.Payload, &event); err != nil {
			t.Fatal(err)
		}
		const arn = "arn:aws:execute-api:us-east-1:123456789012:a1/prod/GET/pets/6"
		if version == "1.0" && (event["methodArn"] != arn || event["identitySource"] != "user1,123" || event["authorizationToken"] != "user1,123") ||
			version == "2.0" && (event["routeArn"] != arn || !reflect.DeepEqual(event["identitySource"], []any{"user1", "123"})) || event["version"] != version {
			t.Errorf("%s: %s", version, call.Payload)
		}
	}
}

// TestIdentitySources: a request without one of them is refused, and the function does
// not run.
func TestIdentitySources(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header []string
		want   int
	}{
		{nil, 401}, {[]string{"Authorization: "}, 401}, {[]string{"Authorization: x"}, 401}, {[]string{"Authorization: x", "K: "}, 401}, {[]string{"Authorization: x", "K: 1"}, 200},
	} {
		f := says(`{"isAuthorized":true}`)
		spec := lambdaSpec(f)
		spec.Sources, spec.SourceNames = append(spec.Sources, headerSource("K")), append(spec.SourceNames, "$request.header.K")
		x := lambdaExchange(t, "GET /prod/a", "", tt.header...)
		if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x); got != tt.want || (f.count() > 0) != (tt.want == 200) {
			t.Errorf("%q: %d after %d calls, want %d", tt.header, got, f.count(), tt.want)
		}
	}
	x := lambdaExchange(t, "GET /prod/a", "", "K: 1")
	lambdaOutcome(t, mustLambda(t, NewResults(0, nil), lambdaSpec(says(""))), x)
	if want := "the identity source $request.header.Authorization has no value"; x.AuthorizerError != want {
		t.Errorf("logs say %q, want %q", x.AuthorizerError, want)
	}
	// Without identity sources the function decides alone.
	spec := lambdaSpec(says(`{"isAuthorized":true}`))
	spec.Sources, spec.SourceNames = nil, nil
	if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), spec), x); got != 200 {
		t.Errorf("no identity sources: %d", got)
	}
}

// TestWire: the answers as clients see them, to the byte.
func TestWire(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		f      integration.Invoker
		header string
		status int
		body   string
	}{
		{says(`{"isAuthorized":true}`), "X: y", 401, `{"message":"Unauthorized"}`},
		{says(`{"isAuthorized":false}`), "Authorization: x", 403, `{"message":"Forbidden"}`},
		{says(`{"isAuthorized":"true"}`), "Authorization: x", 500, `{"message":"Internal Server Error"}`},
		{nil, "Authorization: x", 500, `{"message":"Internal Server Error"}`},
		{says(`{"isAuthorized":true}`), "Authorization: x", 204, ""},
	} {
		send := serveLambda(t, "prod", &gateway.Route{AuthorizationType: "CUSTOM", Integration: accepted{}, Authorizer: mustLambda(t, NewResults(0, nil), lambdaSpec(tt.f))})
		status, header, body := send(requestText("GET /prod/a", "", tt.header))
		if status != tt.status || body != tt.body || header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %s %v, want %d %s", tt.header, status, body, header, tt.status, tt.body)
		}
	}
}

// TestSecurity42: an authorizer that fails, in whatever way, lets nothing through and
// says nothing to the client; the next request asks again.
func TestSecurity42(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		f    *fakeFunction
		log  string
	}{
		{"no function", breaks(integration.ErrNoFunction), "there is no such function"},
		{"no permission", breaks(fmt.Errorf("call: %w", integration.ErrNotPermitted)), "call: the function may not be called from here"},
		{"throttled", breaks(integration.ErrThrottled), "the function is throttled"},
		{"broken", breaks(errors.New("secret detail")), "the function could not be called"},
		{"throws", &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
			return integration.InvocationResult{Payload: []byte(`{"isAuthorized":true}`), FunctionError: "Unhandled"}, nil
		}}, "the function failed"},
		{"panics", &fakeFunction{answer: func(context.Context, integration.Invocation) (integration.InvocationResult, error) { panic("x") }}, "the function could not be called"},
		{"garbage", says("\x00\xff{"), "the answer of the function is malformed"},
		{"huge", says(strings.Repeat("x", 1<<20)), "the answer of the function is malformed"},
		{"text", says(`{"isAuthorized":"true"}`), "the answer of the function is malformed"},
	} {
		for _, ttl := range []time.Duration{0, time.Minute} {
			spec := lambdaSpec(tt.f)
			spec.TTL = ttl
			results := NewResults(0, nil)
			l := mustLambda(t, results, spec)
			x := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1")
			before := tt.f.count()
			for range 2 {
				if got := lambdaOutcome(t, l, x); got != 500 || x.AuthorizerError != tt.log {
					t.Errorf("%s: %d, logs say %q, want %q", tt.name, got, x.AuthorizerError, tt.log)
				}
			}
			if n := tt.f.count() - before; n != 2 || results.Len() != 0 {
				t.Errorf("%s: %d calls, %d answers kept", tt.name, n, results.Len())
			}
		}
	}
	x := lambdaExchange(t, "GET /prod/a", "")
	if got := lambdaOutcome(t, mustLambda(t, NewResults(0, nil), lambdaSpec(nil)), x); got != 500 || x.AuthorizerError != errNoInvoker.Error() {
		t.Errorf("no function host: %d, %q", got, x.AuthorizerError)
	}
}

// TestTimeout: after ten seconds nobody waits any more, be it for a function that does
// not even heed the end of its context.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, time.Minute} {
		for name, heeds := range map[string]bool{"slow": true, "stubborn": false} {
			synctest.Test(t, func(t *testing.T) {
				f := sleeps(11*time.Second, `{"isAuthorized":true}`)
				if !heeds {
					f.answer = func(context.Context, integration.Invocation) (integration.InvocationResult, error) {
						time.Sleep(11 * time.Second)
						return integration.InvocationResult{Payload: []byte(`{"isAuthorized":true}`)}, nil
					}
				}
				spec := lambdaSpec(f)
				spec.TTL = ttl
				results := NewResults(0, nil)
				x := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1")
				start := time.Now()
				got := lambdaOutcome(t, mustLambda(t, results, spec), x)
				if took := time.Since(start); got != 500 || took != LambdaTimeout || x.AuthorizerError != errLambdaTimeout.Error() {
					t.Errorf("%s, TTL %v: %d after %v (%s)", name, ttl, got, took, x.AuthorizerError)
				}
				time.Sleep(time.Minute)
				if results.Len() != 0 || len(results.flights) != 0 {
					t.Errorf("%s, TTL %v: %d answers, %d flights", name, ttl, results.Len(), len(results.flights))
				}
			})
		}
	}
}

// TestClientLeaves: the call of the function ends when its only client has left.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, time.Minute} {
		called, ended := make(chan struct{}), make(chan error, 1)
		f := &fakeFunction{answer: func(ctx context.Context, _ integration.Invocation) (integration.InvocationResult, error) {
			close(called)
			<-ctx.Done()
			ended <- ctx.Err()
			return integration.InvocationResult{}, ctx.Err()
		}}
		spec := lambdaSpec(f)
		spec.TTL = ttl
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		connectLambda(t, l, "prod", &gateway.Route{AuthorizationType: "CUSTOM", Authorizer: mustLambda(t, NewResults(0, nil), spec)})
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, requestText("GET /prod/a", "", "Authorization: x"))
		<-called
		c.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("TTL %v: the call ended with %v", ttl, err)
		}
	}
}

// TestCachedForRoutes: what is kept of one route counts for others. A simple answer is
// the same there, a policy is evaluated again.
func TestCachedForRoutes(t *testing.T) {
	t.Parallel()
	a := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1")
	b := lambdaExchange(t, "GET /prod/b", "", "Authorization: user1")
	b.Route = &gateway.Route{Key: "GET /b"}
	for _, tt := range []struct {
		name          string
		simple, keyed bool
		answer        string
		a, b, calls   int
	}{
		{"policy", false, false, allowOn("arn:aws:execute-api:us-east-1:123456789012:a1/prod/GET/a"), 200, 403, 1},
		{"simple", true, false, `{"isAuthorized":true}`, 200, 200, 1},
		{"simple deny", true, false, `{"isAuthorized":false}`, 403, 403, 1},
		{"by route", true, true, `{"isAuthorized":true}`, 200, 200, 2},
	} {
		f := says(tt.answer)
		spec := lambdaSpec(f)
		spec.Simple, spec.TTL = tt.simple, 300*time.Second
		if tt.keyed {
			spec.Sources, spec.SourceNames = append(spec.Sources, routeSource{}), append(spec.SourceNames, "$context.routeKey")
		}
		l := mustLambda(t, NewResults(0, nil), spec)
		if one, two := lambdaOutcome(t, l, a), lambdaOutcome(t, l, b); one != tt.a || two != tt.b || f.count() != tt.calls {
			t.Errorf("%s: %d, %d, %d calls; want %d, %d, %d", tt.name, one, two, f.count(), tt.a, tt.b, tt.calls)
		}
		if one := lambdaOutcome(t, l, a); one != tt.a || f.count() != tt.calls {
			t.Errorf("%s: again %d, %d calls", tt.name, one, f.count())
		}
	}
}

// TestSecurity25: the function sees what the client sent under its own names only;
// what is said to be rewritten is not in the event.
func TestSecurity25(t *testing.T) {
	t.Parallel()
	f := says(`{"isAuthorized":true}`)
	x := lambdaExchange(t, "GET /prod/a", "", "Authorization: user1", "X-Amzn-Remapped-Authorization: admin", "x_forwarded_for: 1.2.3.4", "X-Forwarded-Proto: gopher")
	lambdaOutcome(t, mustLambda(t, NewResults(0, nil), lambdaSpec(f)), x)
	payload := string(f.calls[0].Payload)
	for _, bad := range []string{"admin", "1.2.3.4", "gopher", "remapped"} {
		if strings.Contains(payload, bad) {
			t.Errorf("%q in %s", bad, payload)
		}
	}
}

func TestPartition(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "local": "aws"} {
		if got := integration.Partition(region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}

func FuzzLambdaAnswer(f *testing.F) {
	for _, s := range []string{`{"isAuthorized":true,"context":{"a":[1,{"b":"\ud800"}]}}`, allowOn("*"), `{"principalId":"p","policyDocument":{"Statement":{}}}`, "null"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, simple bool) {
		a, err := parseLambdaAnswer(text, simple)
		if err != nil {
			return
		}
		if simple == (a.policy != nil) {
			t.Errorf("simple %t: policy %v", simple, a.policy)
		}
		for _, m := range a.identity.Lambda.Context {
			if !json.Valid([]byte(m.JSON)) {
				t.Errorf("%s: %q is not JSON", m.Name, m.JSON)
			}
		}
	})
}

func BenchmarkLambdaHit(b *testing.B) {
	for _, tt := range []struct {
		name, answer string
		simple       bool
	}{{"simple", `{"isAuthorized":true,"context":{"k":"v"}}`, true}, {"policy", allowOn("arn:aws:execute-api:*:*:a1/prod/*"), false}} {
		b.Run(tt.name, func(b *testing.B) {
			spec := lambdaSpec(says(tt.answer))
			spec.Simple, spec.TTL = tt.simple, time.Hour
			l := mustLambda(b, NewResults(0, nil), spec)
			x := lambdaExchange(b, "GET /prod/pets/6", "", "Authorization: Bearer 0123456789012345678901234567890123456789")
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Authorize(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLambdaMiss(b *testing.B) {
	x := lambdaExchange(b, "GET /prod/pets/6", "", "Authorization: Bearer 0123456789012345678901234567890123456789")
	l := mustLambda(b, NewResults(0, nil), lambdaSpec(says(`{"isAuthorized":true,"context":{"k":"v"}}`)))
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Authorize(x); err != nil {
			b.Fatal(err)
		}
	}
}
