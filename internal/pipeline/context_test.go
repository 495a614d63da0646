package pipeline

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// full returns an event that has everything.
func full(t testing.TB, s *gateway.Server, kind Kind) *Event {
	e := newEvent(t, s, kind)
	k := e.Socket
	k.APIKey, k.APIKeyID, k.AuthorizerLatency = "key", "keyid", 123*time.Millisecond
	k.Identity = &gateway.Identity{
		IAM: &gateway.IAMIdentity{AccessKeyID: "AKID", AccountID: "123456789012", CallerID: "caller", UserID: "user", UserARN: "arn:user"},
		Lambda: &gateway.LambdaIdentity{PrincipalID: "me", Context: []gateway.ContextMember{
			{Name: "n", JSON: "123", Text: "123", Scalar: true}, {Name: "my-key", Text: "v", Scalar: true}, {Name: "list", JSON: "[]"},
			{Name: "principalId", Text: "evil", Scalar: true}, {Name: "integrationLatency", Text: "evil", Scalar: true}, {Name: "latency", Text: "own", Scalar: true},
		}},
	}
	e.Status, e.Validation = 400, `[object has missing required properties (["name"])]`
	e.Failure = gateway.NewError(400, "Invalid request body", "BAD_REQUEST_BODY", "")
	e.Authorized = Authorized{
		Authorizer: Outcome{200, 5 * time.Millisecond, "a"}, Authorize: Outcome{403, 6 * time.Millisecond, "b"}, Authenticate: Outcome{401, 7 * time.Millisecond, "c"},
		IntegrationStatus: 202, RequestID: "auth-1",
	}
	e.Exchange.Integration = gateway.IntegrationOutcome{Status: 500, ServiceStatus: 200, RequestID: "lambda-1", Error: "failed"}
	e.Exchange.IntegrationLatency = 41 * time.Millisecond
	return e
}

// TestVariables: what each variable is in access logs, and in templates and parameters; "-"
// is nothing.
func TestVariables(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	e, bare := full(t, s, Message), newEvent(t, s, Message)
	bare.Socket.UserAgent, bare.Exchange = "", nil
	seen := map[string]bool{}
	for _, tt := range []struct{ name, log, template, bare string }{
		{"apiId", "abc123", "abc123", "abc123"},
		{"connectedAt", "1708326702105", "1708326702105", "1708326702105"},
		{"connectionId", testConnection, testConnection, testConnection},
		{"disconnectReason", "-", "-", "-"},
		{"disconnectStatusCode", "-", "-", "-"},
		{"domainName", "abc123.execute-api.us-east-1.amazonaws.com", "abc123.execute-api.us-east-1.amazonaws.com", "abc123.execute-api.us-east-1.amazonaws.com"},
		{"eventType", "MESSAGE", "MESSAGE", "MESSAGE"},
		{"extendedRequestId", testRequest, testRequest, testRequest},
		{"messageDirection", "IN", "IN", "IN"},
		{"messageId", testMessage, testMessage, testMessage},
		{"requestId", testRequest, testRequest, testRequest},
		{"requestTime", "19/Feb/2024:07:11:50 +0000", "19/Feb/2024:07:11:50 +0000", "19/Feb/2024:07:11:50 +0000"},
		{"requestTimeEpoch", "1708326710312", "1708326710312", "1708326710312"},
		{"routeKey", "send", "send", "send"},
		{"stage", "dev", "dev", "dev"},
		{"status", "400", "400", "-"},
		{"error.message", "Invalid request body", "-", "-"},
		{"error.messageString", `"Invalid request body"`, `"Invalid request body"`, "-"},
		{"error.responseType", "BAD_REQUEST_BODY", "-", "-"},
		{"error.validationErrorString", `[object has missing required properties (["name"])]`, `[object has missing required properties (["name"])]`, "-"},
		{"identity.accountId", "123456789012", "123456789012", "-"},
		{"identity.apiKey", "key", "key", "-"},
		{"identity.apiKeyId", "keyid", "keyid", "-"},
		{"identity.caller", "caller", "caller", "-"},
		{"identity.principalOrgId", "-", "-", "-"},
		{"identity.sourceIp", "192.0.2.7", "192.0.2.7", "192.0.2.7"},
		{"identity.user", "user", "user", "-"},
		{"identity.userAgent", "ua/1", "ua/1", "-"},
		{"identity.userArn", "arn:user", "arn:user", "-"},
		{"identity.cognitoAuthenticationProvider", "-", "-", "-"},
		{"identity.cognitoAuthenticationType", "-", "-", "-"},
		{"identity.cognitoIdentityId", "-", "-", "-"},
		{"identity.cognitoIdentityPoolId", "-", "-", "-"},
		{"authenticate.error", "c", "-", "-"},
		{"authenticate.latency", "7", "-", "-"},
		{"authenticate.status", "401", "-", "-"},
		{"authorize.error", "b", "-", "-"},
		{"authorize.latency", "6", "-", "-"},
		{"authorize.status", "403", "-", "-"},
		{"awsEndpointRequestId", "lambda-1", "-", "-"},
		{"integration.error", "failed", "-", "-"},
		{"integration.integrationStatus", "200", "-", "-"},
		{"integration.latency", "41", "-", "-"},
		{"integration.requestId", "lambda-1", "-", "-"},
		{"integration.status", "500", "-", "-"},
		{"integrationErrorMessage", "failed", "-", "-"},
		{"integrationLatency", "41", "-", "-"},
		{"integrationStatus", "200", "-", "-"},
		{"waf.error", "-", "-", "-"},
		{"waf.latency", "-", "-", "-"},
		{"waf.status", "-", "-", "-"},
		{"authorizer.principalId", "me", "me", "-"},
		{"authorizer.n", "123", "123", "-"},
		{"authorizer.my", "-", "-", "-"},
		{"authorizer.list", "-", "-", "-"},
		{"authorizer.integrationLatency", "123", "123", "-"},
		{"authorizer.latency", "own", "own", "-"},
		{"authorizer.status", "200", "-", "-"},
		{"authorizer.error", "a", "-", "-"},
		{"authorizer.integrationStatus", "202", "-", "-"},
		{"authorizer.requestId", "auth-1", "-", "-"},
	} {
		seen[tt.name] = true
		f, err := ParseFormat("$context." + tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.Append(nil, e)); got != tt.log {
			t.Errorf("%s in a log: %q, want %q", tt.name, got, tt.log)
		}
		if got := string(f.Append(nil, bare)); got != tt.bare {
			t.Errorf("%s of an event without: %q, want %q", tt.name, got, tt.bare)
		}
		want := strings.TrimPrefix(tt.template, "-")
		c := newCall(e, time.Second)
		if got := c.contextText(tt.name); got != want {
			t.Errorf("%s in an expression: %q, want %q", tt.name, got, want)
		}
		got, err := compileTemplate("$context."+tt.name).render(c, nil, maxText)
		if err != nil || string(got) != want {
			t.Errorf("%s in a template: %q, %v, want %q", tt.name, got, err, want)
		}
		c.free()
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !seen[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

func TestContextOfKinds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	// Everything that there is, in its order. Numbers are numbers, and what a function said
	// is text.
	const all = `#foreach($k in $context.keySet())$k #end`
	for _, tt := range []struct {
		kind           Kind
		template, want string
	}{
		{Connect, "$context.eventType|$context.messageId|$context.disconnectStatusCode", "CONNECT||"},
		{Disconnect, "$context.eventType|$context.messageId|$context.disconnectStatusCode|$context.disconnectReason", "DISCONNECT||1001|Going away"},
		{Message, "#set($x = $context.connectedAt + 1)$x", "1708326702106"},
		{Message, `#set($x = $context.authorizer.n + 1)$x`, "1231"},
		{Message, `$context.authorizer.my-key`, "v"},
		{Message, `$context.authorizer`, "{principalId=me, n=123, my-key=v, latency=own, integrationLatency=123}"},
		{Message, `$context.identity`, "{accountId=123456789012, caller=caller, user=user, userArn=arn:user, apiKey=key, apiKeyId=keyid, sourceIp=192.0.2.7, userAgent=ua/1}"},
		{Message, all, "apiId connectedAt connectionId domainName eventType messageDirection extendedRequestId messageId requestId requestTime requestTimeEpoch routeKey stage status identity authorizer error requestOverride responseOverride "},
		{Disconnect, all, "apiId connectedAt connectionId disconnectStatusCode disconnectReason domainName eventType messageDirection extendedRequestId requestId requestTime requestTimeEpoch routeKey stage status identity authorizer error requestOverride responseOverride "},
		{Message, "$input.params('a')|$input.params()", "|{path={}, querystring={}, header={}}"},
	} {
		c := newCall(full(t, s, tt.kind), time.Second)
		got, err := compileTemplate(tt.template).render(c, nil, maxText)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s %s: got %q, %v, want %q", tt.kind, tt.template, got, err, tt.want)
		}
		c.free()
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	e := full(t, s, Message)
	e.Status, e.Socket.UserAgent = 200, "ua\n{\"forged\":1}\x7f\x00"
	for _, tt := range []struct{ format, want string }{
		{`{"requestId":"$context.requestId","route":"$context.routeKey","type":"$context.eventType","conn":"$context.connectionId","status":"$context.status","ip":"$context.identity.sourceIp","lat":"$context.integrationLatency"}`,
			`{"requestId":"` + testRequest + `","route":"send","type":"MESSAGE","conn":"` + testConnection + `","status":"200","ip":"192.0.2.7","lat":"41"}`},
		{"", ""},
		{"text", "text"},
		{"$context.", "$context."},
		{"$context.. $context", "$context.. $context"},
		{"$context.stage.", "dev."},
		{"$context.stage-$context.apiId$context.stage", "dev-abc123dev"},
		{"$stageVariables.x", "$stageVariables.x"},
		{"$context.identity.userAgent", `ua {"forged":1}  `},
		{"a\nb", "a b"},
		{"$context.disconnectReason", "-"},
	} {
		f, err := ParseFormat(tt.format)
		if err != nil {
			t.Errorf("%q: %v", tt.format, err)
			continue
		}
		if got := string(f.Append([]byte("x"), e)); got != "x"+tt.want {
			t.Errorf("%q: got %q, want %q", tt.format, got, "x"+tt.want)
		}
		if f.String() != tt.format {
			t.Errorf("%q: is printed as %q", tt.format, f)
		}
	}
	for _, bad := range []string{"$context.nothing", "a $context.identity", "$context.authorizer", "$context.stage.x"} {
		if _, err := ParseFormat(bad); err == nil || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	e.Reason = strings.Repeat("ü", 1<<20)
	f, _ := ParseFormat("x$context.disconnectReason")
	if got := f.Append(nil, e); len(got) > 1<<20 || !strings.HasSuffix(string(got), "ü") {
		t.Errorf("a line of %d bytes", len(got))
	}
}

func BenchmarkFormat(b *testing.B) {
	e := full(b, newServer(b), Message)
	f, err := ParseFormat(`{"requestId":"$context.requestId","route":"$context.routeKey","type":"$context.eventType","conn":"$context.connectionId","status":"$context.status","ip":"$context.identity.sourceIp","lat":"$context.integrationLatency"}`)
	if err != nil {
		b.Fatal(err)
	}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = f.Append(line[:0], e)
	}
}
