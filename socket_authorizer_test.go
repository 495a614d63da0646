package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/sigv4"
)

// verdict is what an authorizer answers: a policy with the statements of pairs of an effect
// and a resource, and members besides.
func verdict(members string, statements ...string) string {
	var all []string
	for i := 0; i < len(statements); i += 2 {
		all = append(all, fmt.Sprintf(`{"Action":"execute-api:Invoke","Effect":%q,"Resource":%q}`, statements[i], statements[i+1]))
	}
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}` + members + `}`
}

// deciding is an authorizer that gets the ARN of what is asked for, and that of its API.
func deciding(answer func(arn, api string) (string, error)) *lambdaFunction {
	return newFunction(func(_ context.Context, event string) (string, error) {
		var e struct{ MethodARN string }
		if err := json.Unmarshal([]byte(event), &e); err != nil {
			return "", err
		}
		return answer(e.MethodARN, strings.TrimSuffix(e.MethodARN, "/dev/$connect"))
	})
}

// allowing lets everybody in, with members besides the policy.
func allowing(members string) *lambdaFunction {
	return deciding(func(arn, _ string) (string, error) { return verdict(members, "Allow", arn), nil })
}

// asking is an authorizer of the function auth with identity sources.
func asking(sources ...string) *apigatewayv2.CreateAuthorizerInput {
	return &apigatewayv2.CreateAuthorizerInput{AuthorizerUri: functionURI("auth"), IdentitySource: append([]string{}, sources...)}
}

// keyed has a route ask for an API key.
func keyed(r socketRoute) socketRoute {
	r.route.ApiKeyRequired = aws.Bool(true)
	return r
}

// signed has a route ask for a signature.
func signed(r socketRoute) socketRoute {
	r.route.AuthorizationType = types.AuthorizationTypeAwsIam
	return r
}

// told checks the answer to a handshake: its status, its message and type, which are in the
// form of error frames if they name a connection.
func (s *socket) told(t *testing.T, status int, message, errorType string) {
	t.Helper()
	var body struct{ Message, ConnectionID, RequestID string }
	if status != http.StatusSwitchingProtocols {
		if err := json.Unmarshal([]byte(s.shake.body), &body); err != nil {
			t.Errorf("body %q: %v", s.shake.body, err)
		}
		if body.RequestID != s.shake.Header.Get("Apigw-Requestid") || len(body.ConnectionID) != 16 {
			t.Errorf("body %s with the request ID %s", s.shake.body, s.shake.Header.Get("Apigw-Requestid"))
		}
	}
	if got := s.shake.Header.Get("X-Amzn-Errortype"); s.shake.StatusCode != status || body.Message != message || got != errorType {
		t.Errorf("got %d %q %q, want %d %q %q", s.shake.StatusCode, body.Message, got, status, message, errorType)
	}
}

// TestAuthorizerVectors: A01 to A13, which are about one handshake or two.
func TestAuthorizerVectors(t *testing.T) {
	t.Parallel()
	fails := func(text string) *lambdaFunction {
		return deciding(func(string, string) (string, error) { return "", errors.New(text) })
	}
	answers := func(text string) *lambdaFunction {
		return deciding(func(string, string) (string, error) { return text, nil })
	}
	on := func(effect, resource string) *lambdaFunction {
		return deciding(func(_, api string) (string, error) { return verdict("", effect, api+resource), nil })
	}
	const (
		unauthorized, denied, failure = "UnauthorizedException", "AccessDeniedException", "InternalServerErrorException"
		internal                      = "Internal server error"
	)
	for _, v := range []struct {
		id      string
		auth    *lambdaFunction
		query   string // ?token=t if empty
		status  int    // 101 if 0
		message string
		kind    string
		calls   int // 1 unless it is -1 for none
		sources []string
	}{
		{id: "A01", auth: allowing(""), query: "?x=1", status: 401, message: "Unauthorized", kind: unauthorized, calls: -1},
		{id: "A02", auth: allowing(""), query: "?token=", status: 401, message: "Unauthorized", kind: unauthorized, calls: -1},
		{id: "A02, of two one is missing", auth: allowing(""), status: 401, message: "Unauthorized", kind: unauthorized, calls: -1,
			sources: []string{"route.request.querystring.token", "route.request.header.X-Who"}},
		{id: "A03", auth: allowing("")},
		{id: "A04", auth: on("Deny", "/dev/$connect"), status: 403, message: "Forbidden", kind: denied},
		{id: "A04, denied and allowed", auth: deciding(func(arn, api string) (string, error) {
			return verdict("", "Allow", arn, "Deny", api+"/*"), nil
		}), status: 403, message: "Forbidden", kind: denied},
		{id: "A05, no statement", auth: answers(verdict("")), status: 403, message: "Forbidden", kind: denied},
		{id: "A05, another API", auth: answers(verdict("", "Allow", "arn:aws:execute-api:us-east-1:123456789012:other/dev/$connect")), status: 403, message: "Forbidden", kind: denied},
		{id: "A05, another stage", auth: on("Allow", "/prod/$connect"), status: 403, message: "Forbidden", kind: denied},
		{id: "A05, another route", auth: on("Allow", "/dev/send"), status: 403, message: "Forbidden", kind: denied},
		{id: "A06", auth: fails("Unauthorized"), status: 401, message: "Unauthorized", kind: unauthorized},
		{id: "A07, another error", auth: fails("unauthorized"), status: 500, message: internal, kind: failure},
		{id: "A07, an error with more", auth: fails("Unauthorized: no"), status: 500, message: internal, kind: failure},
		{id: "A07, null", auth: answers("null"), status: 500, message: internal, kind: failure},
		{id: "A07, no policy", auth: answers(`{"principalId":"me"}`), status: 500, message: internal, kind: failure},
		{id: "A07, no principal", auth: answers(`{"policyDocument":{"Version":"2012-10-17","Statement":[]}}`), status: 500, message: internal, kind: failure},
		{id: "A07, a simple answer", auth: answers(`{"isAuthorized":true}`), status: 500, message: internal, kind: failure},
		{id: "A07, no JSON", auth: answers(`{`), status: 500, message: internal, kind: failure},
		{id: "A08", auth: on("Allow", "/dev/*")},
		{id: "A09", auth: on("Allow", "/*/*")},
		{id: "A10", auth: on("Allow", "/dev/*/*"), status: 403, message: "Forbidden", kind: denied},
		{id: "A10, any stage", auth: on("Allow", "/*/*/*"), status: 403, message: "Forbidden", kind: denied},
		{id: "A11", auth: allowing(`,"context":{"o":{"a":1}}`), status: 500, message: internal, kind: failure},
		{id: "A11, a list", auth: allowing(`,"context":{"o":[1]}`), status: 500, message: internal, kind: failure},
		{id: "A11, null", auth: allowing(`,"context":{"o":null}`), status: 500, message: internal, kind: failure},
		{id: "A12", auth: allowing(`,"context":{"s":"` + strings.Repeat("x", 8<<10) + `"}`), status: 500, message: internal, kind: failure},
		{id: "A12, as long as it may be", auth: allowing(`,"context":{"s":"` + strings.Repeat("x", 7<<10) + `"}`)},
	} {
		t.Run(v.id, func(t *testing.T) {
			t.Parallel()
			fn := answering(`{"statusCode":200}`)
			w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn, "auth": v.auth})})
			sources := v.sources
			if sources == nil {
				sources = []string{"route.request.querystring.token"}
			}
			api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}, authorizer: asking(sources...)})
			query, status, events := v.query, v.status, 0
			if query == "" {
				query = "?token=t"
			}
			if status == 0 {
				status, events = 101, 1
			}
			calls := v.calls + 1
			if v.calls == 0 {
				calls = 1
			}
			for range 2 { // A13: every handshake asks
				w.handshake(api, "/dev"+query).told(t, status, v.message, v.kind)
				if got := len(v.auth.take()); got != calls {
					t.Errorf("the authorizer was called %d times, want %d", got, calls)
				}
				if got := len(fn.take()); got != events {
					t.Errorf("the function was called %d times, want %d", got, events)
				}
			}
		})
	}
}

// TestAuthorizerEvent is about what the authorizer of a handshake gets, and that it may be
// without identity sources.
func TestAuthorizerEvent(t *testing.T) {
	t.Parallel()
	auth := allowing("")
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"auth": auth})})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": {}}, authorizer: asking(), variables: map[string]string{"v": "1"}})
	w.connect(api, "/dev?token=t1", "HeaderAuth1: v1")
	e := auth.take()[0]
	for place, want := range map[string]any{
		"type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:123456789012:" + api + "/dev/$connect",
		"headers.HeaderAuth1": "v1", "headers.Upgrade": "websocket", "headers.Connection": "upgrade", "queryStringParameters.token": "t1",
		"stageVariables.v": "1", "requestContext.eventType": "CONNECT", "requestContext.routeKey": "$connect", "requestContext.stage": "dev",
		"requestContext.apiId": api, "requestContext.identity.sourceIp": "127.0.0.1", "httpMethod": absent, "authorizationToken": absent,
	} {
		if got := at(e, place); got != want {
			t.Errorf("%s is %v, want %v", place, got, want)
		}
	}
}

// TestAuthorizerData is A03, A14, A22 and A23: what the authorizer says about a client is
// with all its events, for as long as the connection lives, and whatever the authorizer
// would say later.
func TestAuthorizerData(t *testing.T) {
	t.Parallel()
	members := `,"context":{"n":123,"b":true,"s":"x","principalId":"eve","integrationLatency":"none"}`
	var deny string
	auth := deciding(func(arn, api string) (string, error) {
		return verdict(members, "Allow", arn, "Deny", api+"/dev/send"+deny), nil
	})
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn, "auth": auth})})
	tpl := two(mockRoute(template(`{"statusCode":200}`), response("$default",
		template(`$context.authorizer.n $context.authorizer.principalId $context.authorizer.b [$context.authorizer.none]`))))
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "send": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "tpl": tpl,
			"http": proxyRoute("/", map[string]string{
				"integration.request.header.x": "context.authorizer.principalId", "integration.request.header.y": "context.authorizer.s",
				"integration.request.header.z": "context.authorizer.none"})},
		authorizer: asking("route.request.querystring.token"),
	})
	s := w.connect(api, "/dev?token=t")
	about := func(kind string) {
		t.Helper()
		e := fn.wait(t)
		a, _ := at(e, "requestContext.authorizer").(map[string]any)
		latency, ok := a["integrationLatency"].(float64)
		delete(a, "integrationLatency")
		if got := at(e, "requestContext.eventType"); got != kind || !ok || latency < 0 || !equal(a, object(`{"principalId":"me","n":"123","b":"true","s":"x"}`)) {
			t.Errorf("%v has the authorizer %v (integrationLatency %v), want that of %s", got, a, latency, kind)
		}
	}
	about("CONNECT")
	members, deny = `,"context":{"n":456}`, "*"
	for range 2 {
		s.send(`{"action":"send"}`)
		about("MESSAGE")
		s.send(`{"action":"tpl"}`)
		if got, want := s.next(), "123 me true []"; got != want {
			t.Errorf("the template gave %q, want %q", got, want)
		}
		s.send(`{"action":"http"}`)
		s.quiet()
		// Authorizers and their answers may change: who is in, is.
		w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), StageVariables: map[string]string{"v": "2"}})
	}
	w.until("the backend has both messages", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.seen) == 2 })
	for _, r := range w.seen {
		if got := [3]string{r.Header.Get("x"), r.Header.Get("y"), r.Header.Get("z")}; got != [3]string{"me", "x", ""} {
			t.Errorf("the backend saw %q", got)
		}
	}
	s.close(1000, "")
	about("DISCONNECT")
	if n := len(auth.take()); n != 1 {
		t.Errorf("the authorizer was asked %d times, want 1", n)
	}
}

// until waits for something.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// update changes a stage, and returns when the change is served.
func (w *world) update(in *apigatewayv2.UpdateStageInput) {
	w.t.Helper()
	check[*apigatewayv2.UpdateStageOutput](w.t)(w.control.UpdateStage(w.t.Context(), in))
}

// signHandshake returns the target and the fields of a handshake that a caller has signed,
// in its query if it is presigned.
func signHandshake(t *testing.T, api, target string, caller sigv4.Credential, presigned bool) (string, []string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+host(api)+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := sigv4.Signer{Credential: caller, Region: "us-east-1", Service: "execute-api"}
	if presigned {
		err = s.Presign(r, nil, time.Minute)
	} else {
		err = s.Sign(r, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for name, values := range r.Header {
		fields = append(fields, name+": "+values[0])
	}
	return r.URL.RequestURI(), fields
}

// TestSignedHandshakes: A15 to A18.
func TestSignedHandshakes(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	caller := func(id string) sigv4.Credential { return sigv4.Credential{AccessKeyID: id, SecretAccessKey: "s"} }
	credential := func(id, effect, resource string) penstock.Credential {
		c := penstock.Credential{AccessKeyID: id, SecretAccessKey: "s", UserName: strings.ToLower(id)}
		if resource != "" {
			c.Policy = penstock.PolicyDocument(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:%s"}]}`, effect, resource))
		}
		return c
	}
	w := newWorld(t, penstock.Config{
		Functions: functions(map[string]*lambdaFunction{"fn": fn}),
		Credentials: []penstock.Credential{
			credential("ADMIN", "", ""), credential("ROUTE", "Allow", "*/dev/$connect"), credential("STAGE", "Allow", "*/dev/*"),
			credential("REST", "Allow", "*/*/*/*"), credential("DENIED", "Deny", "*"), credential("OTHER", "Allow", "*/prod/$connect"),
		},
	})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{
		"$connect": signed(lambdaRoute("fn")), "send": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"),
		"who": two(mockRoute(template(`{"statusCode":200}`), response("$default", template("$context.identity.userArn $context.identity.accountId")))),
	}})
	const mismatch, missing, unknown, denied = "InvalidSignatureException", "MissingAuthenticationTokenException", "UnrecognizedClientException", "AccessDeniedException"
	for _, v := range []struct {
		id        string
		caller    sigv4.Credential
		presigned bool
		target    string // signed; /dev if empty
		spoil     func(target string, fields []string) (string, []string)
		status    int
		kind      string
		message   string // what it begins with
	}{
		{id: "A15", spoil: func(string, []string) (string, []string) { return "/dev", nil }, status: 403, kind: missing, message: "Missing Authentication Token"},
		{id: "A16", caller: caller("ADMIN"), status: 101},
		{id: "A16, a policy for the route", caller: caller("ROUTE"), status: 101},
		{id: "A16, a policy for the stage", caller: caller("STAGE"), status: 101},
		{id: "A16, with a query", caller: caller("ROUTE"), target: "/dev?room=a%20b&z=1&a=", status: 101},
		{id: "A17", caller: caller("ADMIN"), presigned: true, status: 101},
		{id: "A17, with a query", caller: caller("ROUTE"), target: "/dev?room=a%20b", presigned: true, status: 101},
		{id: "A18", caller: caller("REST"), status: 403, kind: denied, message: "User: arn:aws:iam::123456789012:user/rest is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:123456789012:"},
		{id: "A18, presigned", caller: caller("REST"), presigned: true, status: 403, kind: denied, message: "User: "},
		{id: "denied", caller: caller("DENIED"), status: 403, kind: denied, message: "User: "},
		{id: "another stage", caller: caller("OTHER"), status: 403, kind: denied, message: "User: "},
		{id: "another secret", caller: sigv4.Credential{AccessKeyID: "ADMIN", SecretAccessKey: "x"}, status: 403, kind: mismatch, message: "The request signature we calculated does not match"},
		{id: "another secret, presigned", caller: sigv4.Credential{AccessKeyID: "ADMIN", SecretAccessKey: "x"}, presigned: true, status: 403, kind: mismatch, message: "The request signature we calculated does not match"},
		{id: "nobody", caller: caller("NOBODY"), status: 403, kind: unknown, message: "The security token included in the request is invalid"},
		{id: "a query that was not signed", caller: caller("ADMIN"), status: 403, kind: mismatch, message: "The request signature",
			spoil: func(target string, fields []string) (string, []string) { return target + "?admin=1", fields }},
		{id: "a presigned query with more", caller: caller("ADMIN"), presigned: true, status: 403, kind: mismatch, message: "The request signature",
			spoil: func(target string, fields []string) (string, []string) { return target + "&admin=1", fields }},
		{id: "another path", caller: caller("ADMIN"), status: 403, kind: mismatch, message: "The request signature",
			spoil: func(_ string, fields []string) (string, []string) { return "/dev/", fields }},
	} {
		t.Run(v.id, func(t *testing.T) {
			fn.take()
			target := v.target
			if target == "" {
				target = "/dev"
			}
			caller := v.caller
			if caller.AccessKeyID == "" {
				caller = sigv4.Credential{AccessKeyID: "ADMIN", SecretAccessKey: "s"}
			}
			target, fields := signHandshake(t, api, target, caller, v.presigned)
			if v.spoil != nil {
				target, fields = v.spoil(target, fields)
			}
			s := w.handshake(api, target, fields...)
			if v.status != 101 {
				var body struct{ Message string }
				if err := json.Unmarshal([]byte(s.shake.body), &body); err != nil || !strings.HasPrefix(body.Message, v.message) {
					t.Errorf("body %s (%v), want the message %q", s.shake.body, err, v.message)
				}
				if strings.Contains(s.shake.body, "String-to-Sign") {
					t.Errorf("the client learns what was signed: %s", s.shake.body)
				}
			}
			if got := s.shake.Header.Get("X-Amzn-Errortype"); s.shake.StatusCode != v.status || got != v.kind {
				t.Fatalf("got %d %s %s, want %d %s", s.shake.StatusCode, got, s.shake.body, v.status, v.kind)
			}
			if v.status != 101 {
				if n := len(fn.take()); n != 0 {
					t.Errorf("the function saw %d events", n)
				}
				return
			}
			name := strings.ToLower(v.caller.AccessKeyID)
			arn := "arn:aws:iam::" + testAccount + ":user/" + name
			about := func() {
				t.Helper()
				e := fn.wait(t)
				for member, want := range map[string]any{"accountId": testAccount, "userArn": arn, "accessKey": v.caller.AccessKeyID, "apiKey": absent} {
					if got := at(e, "requestContext.identity."+member); got != want {
						t.Errorf("%v: identity.%s is %v, want %v", at(e, "requestContext.eventType"), member, got, want)
					}
				}
				if a := at(e, "requestContext.authorizer"); a != absent {
					t.Errorf("there is an authorizer: %v", a)
				}
			}
			about()
			s.send(`{"action":"send"}`)
			about()
			s.send(`{"action":"who"}`)
			if got, want := s.next(), arn+" "+testAccount; got != want {
				t.Errorf("the template gave %q, want %q", got, want)
			}
			s.close(1000, "")
			about()
		})
	}
}

// TestHandshakeKeys: A19 to A21, and what usage plans limit.
func TestHandshakeKeys(t *testing.T) {
	t.Parallel()
	const inContext = "$context.authorizer.usageIdentifierKey"
	keys := []penstock.APIKey{
		{ID: "good", Value: "value-good", Stages: []string{"*"}},
		{ID: "off", Value: "value-off", Stages: []string{"*"}, Disabled: true},
		{ID: "other", Value: "value-other", Stages: []string{"another/dev"}},
		{ID: "slow", Value: "value-slow", Stages: []string{"*"}, Rate: .001, Burst: 2},
		{ID: "few", Value: "value-few", Stages: []string{"*"}, Quota: 1, Period: "MONTH"},
	}
	type step struct {
		key     string // in the header, and what the authorizer says is after |
		status  int
		message string
		kind    string
	}
	ok := func(key string) step { return step{key: key, status: 101} }
	no := func(key string) step { return step{key, 403, "Forbidden", "ForbiddenException"} }
	for _, v := range []struct {
		id         string
		expression string
		steps      []step
	}{
		{"A19", "", []step{no(""), no("nope"), no("value-good2"), no("|value-good"), no("good")}},
		{"A20", "", []step{ok("value-good"), ok("value-good|nope"), no("value-off"), no("value-other")}},
		{"A21", inContext, []step{ok("|value-good"), ok("nope|value-good"), no("value-good|"), no("value-good|nope"), no("|value-off")}},
		{"throttle", "", []step{ok("value-slow"), ok("value-slow"), {"value-slow", 429, "Too Many Requests", "TooManyRequestsException"}, ok("value-good")}},
		{"quota", "", []step{ok("value-few"), {"value-few", 429, "Limit Exceeded", "LimitExceededException"}}},
	} {
		t.Run(v.id, func(t *testing.T) {
			t.Parallel()
			fn, named := answering(`{"statusCode":200}`), ""
			auth := deciding(func(arn, _ string) (string, error) {
				return verdict(`,"usageIdentifierKey":"`+named+`","context":{"usageIdentifierKey":"value-good"}`, "Allow", arn), nil
			})
			w := newWorld(t, penstock.Config{APIKeys: keys, Functions: functions(map[string]*lambdaFunction{"fn": fn, "auth": auth})})
			api := w.sockets(socketSpec{
				routes:     map[string]socketRoute{"$connect": keyed(lambdaRoute("fn")), "send": lambdaRoute("fn")},
				authorizer: asking(), keyExpression: v.expression,
			})
			for i, one := range v.steps {
				fn.take()
				var key string
				key, named, _ = strings.Cut(one.key, "|")
				var fields []string
				if key != "" {
					fields = []string{"x-api-key: " + key}
				}
				s := w.handshake(api, "/dev", fields...)
				s.told(t, one.status, one.message, one.kind)
				events := fn.take()
				if one.status != 101 {
					if len(events) != 0 {
						t.Errorf("%d: the function saw %d events", i, len(events))
					}
					continue
				}
				if v.expression != "" {
					key = named
				}
				s.send(`{"action":"send"}`)
				for _, e := range append(events, fn.wait(t)) {
					if at(e, "requestContext.identity.apiKey") != key || at(e, "requestContext.identity.apiKeyId") != strings.TrimPrefix(key, "value-") {
						t.Errorf("%d: %v has the identity %v", i, at(e, "requestContext.eventType"), at(e, "requestContext.identity"))
					}
				}
				s.nc.Close()
			}
		})
	}
}

// TestRequiredParameters: handshakes must have the parameters that their route declares as
// required. Those that it does not need to have, it may lack.
func TestRequiredParameters(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	r := lambdaRoute("fn")
	needed := func(yes bool) types.ParameterConstraints { return types.ParameterConstraints{Required: &yes} }
	r.route.RequestParameters = map[string]types.ParameterConstraints{
		"route.request.querystring.room": needed(true), "route.request.header.X-Who": needed(true), "route.request.header.X-May": needed(false),
	}
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": r}})
	for _, v := range []struct {
		target  string
		fields  []string
		missing string
	}{
		{"/dev?room=1", []string{"x-who: me"}, ""},
		{"/dev?a=1&%72oom", []string{"X-Who:"}, ""},
		{"/dev?room=1", nil, "X-Who"},
		{"/dev?Room=1", []string{"X-Who: me"}, "room"},
		{"/dev?rooms=1", []string{"X-May: me"}, "X-Who, room"},
	} {
		fn.take()
		s := w.handshake(api, v.target, v.fields...)
		if v.missing == "" {
			s.told(t, 101, "", "")
			continue
		}
		s.told(t, 400, "Missing required request parameters: ["+v.missing+"]", "BadRequestException")
		if n := len(fn.take()); n != 0 {
			t.Errorf("%s: the function saw %d events", v.target, n)
		}
	}
}
