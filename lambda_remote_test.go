package penstock_test

import (
	"context"
	"strings"
	"testing"

	"penstock"
)

// What runs elsewhere is called over the Lambda API, here of another server, signed by the
// credentials of the configuration or of the role; what no pattern matches runs here.
func TestRemoteFunctions(t *testing.T) {
	t.Parallel()
	const away = "arn:aws:lambda:us-east-1:" + testAccount + ":function:away-"
	const role = "arn:aws:iam::" + testAccount + ":role/"
	usual := penstock.Credential{AccessKeyID: "USUAL", SecretAccessKey: "hush", Policy: `{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":["` + away + `pets","` + away + `fails"]}}`}
	strong := penstock.Credential{AccessKeyID: "STRONG", SecretAccessKey: "hush"}
	here, there := &recorded{answer: `"here"`}, &recorded{answer: `"there"`}
	other := newWorld(t, penstock.Config{
		Credentials: []penstock.Credential{usual, strong},
		Functions: map[string]penstock.Function{
			"away-pets": {Invoke: there.invoke}, "away-secret": {Invoke: there.invoke},
			"away-fails": {Invoke: func(context.Context, []byte) ([]byte, error) { return nil, context.DeadlineExceeded }},
		},
	})
	w := newWorld(t, penstock.Config{
		Functions: map[string]penstock.Function{"here": {Invoke: here.invoke}, "away-pets": {Invoke: here.invoke}},
		RemoteFunctions: []penstock.RemoteFunction{
			{Functions: away + "*", Endpoint: other.server.AdminURL(), AccessKeyID: "USUAL", SecretAccessKey: "hush"},
			{Functions: "arn:aws:lambda:*:*:function:nowhere", Endpoint: "http://127.0.0.1:1", AccessKeyID: "USUAL", SecretAccessKey: "hush"},
		},
		Roles: []penstock.Role{{ARN: role + "strong", AccessKeyID: "STRONG", SecretAccessKey: "hush"}},
	})
	api := w.api(apiSpec{
		variables: map[string]string{"fn": "away-pets", "alias": "live"},
		routes: map[string]target{
			"GET /here": {function: "here"}, "GET /away": {function: "away-pets"}, "GET /variable": {function: "${stageVariables.fn}:${stageVariables.alias}"},
			"GET /secret": {function: "away-secret"}, "GET /role": {function: "away-secret", credentials: role + "strong"}, "GET /stranger": {function: "away-secret", credentials: role + "stranger"},
			"GET /fails": {function: "away-fails"}, "GET /missing": {function: "away-missing", credentials: role + "strong"}, "GET /nowhere": {function: "nowhere"},
		},
	})
	for _, tt := range []struct {
		path   string
		status int
		body   string
		reason string
	}{
		{"/here", 200, "here", ""},
		{"/away", 200, "there", ""},
		{"/secret", 500, "", "may not be called"},
		{"/role", 200, "there", ""},
		{"/stranger", 500, "", "the role cannot be assumed"},
		{"/fails", 500, "", "context deadline exceeded"},
		{"/missing", 500, "", "there is no such function"},
		{"/nowhere", 503, "", "connection refused"},
	} {
		got := w.ask(api, "GET "+tt.path)
		if tt.body == "" {
			tt.body = gatewayBody(tt.status)
		}
		if got.StatusCode != tt.status || got.body != tt.body {
			t.Errorf("%s: status %d %q, want %d %q", tt.path, got.StatusCode, got.body, tt.status, tt.body)
		}
		if r, _ := w.explain(got); !strings.Contains(r.Response.Reason, tt.reason) {
			t.Errorf("%s: explained by %q, want %q", tt.path, r.Response.Reason, tt.reason)
		}
	}
	// The policy there is for the function without a qualifier: one with is another resource.
	if got := w.ask(api, "GET /variable"); got.StatusCode != 500 {
		t.Errorf("/variable: status %d", got.StatusCode)
	}
	there.mu.Lock()
	defer there.mu.Unlock()
	if n := len(there.events); n != 2 || !strings.Contains(string(there.events[0]), `"rawPath":"/away"`) || !strings.Contains(string(there.events[1]), `"rawPath":"/role"`) {
		t.Errorf("there came %d events: %s", n, there.events)
	}
}
