package authorizer

import (
	"net/http"
	"testing"
	"time"

	"penstock/internal/gateway"
)

const socketID = "L0SM9cOFvHcCIhw="

// managing returns the decision about a request that is about the connection socketID. Who
// need not say who it is gets an identity without anything in it, since routes must have
// one.
func managing(m *Management) gateway.Authorizer {
	return authorizerFunc(func(x *gateway.Exchange) error {
		err := m.Authorize(x, x.API.ID, x.Stage.Name, x.Request.Method, socketID)
		if err == nil && x.Identity == nil {
			x.Identity = &gateway.Identity{}
		}
		return err
	})
}

func deniedManagement(resource string) wireAnswer {
	return wireAnswer{403, "AccessDeniedException", `{"Message":"User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ` +
		`execute-api:ManageConnections on resource: ` + socketStageARN + resource + `"}`}
}

// TestManagementPolicy: a policy has the resource with the connection or without.
func TestManagementPolicy(t *testing.T) {
	t.Parallel()
	const action = "execute-api:ManageConnections"
	allow := func(resource string) string { return statement("Allow", action, socketStageARN+resource) }
	deny := func(resource string) string { return statement("Deny", action, socketStageARN+resource) }
	for _, tt := range []struct {
		name, policy, method string
		allowed              bool
	}{
		{"no policy", "", "POST", true},
		{"long", allow("/POST/@connections/" + socketID), "POST", true},
		{"long with stars", allow("/POST/@connections/*"), "POST", true},
		{"short", allow("/POST/@connections"), "POST", true},
		{"stage", allow("/*"), "DELETE", true},
		{"everything", statement("Allow", "*", "*"), "GET", true},
		{"K18", allow("/*") + "," + deny("/POST/@connections/*"), "POST", false},
		{"short is denied", allow("/POST/@connections/*") + "," + deny("/POST/@connections"), "POST", false},
		{"long is denied", allow("/POST/@connections") + "," + deny("/POST/@connections/"+socketID), "POST", false},
		{"denied for another method", allow("/*") + "," + deny("/DELETE/@connections/*"), "POST", true},
		{"denied for another connection", allow("/*") + "," + deny("/POST/@connections/x"), "POST", true},
		{"K19", allow("/POST/@connections/*"), "GET", false},
		{"K19 short", allow("/POST/@connections"), "GET", false},
		{"another connection", allow("/POST/@connections/x"), "POST", false},
		{"another stage", statement("Allow", action, "arn:aws:execute-api:us-east-1:123456789012:a1/dev/*"), "POST", false},
		{"another API", statement("Allow", action, "arn:aws:execute-api:us-east-1:123456789012:a2/*"), "POST", false},
		{"groups", allow("/POST/@groups/*"), "POST", false},
		{"to connect", statement("Allow", "execute-api:Invoke", "*"), "POST", false},
		{"of the control plane", statement("Allow", "apigateway:*", "*"), "POST", false},
	} {
		m := NewManagement(ManagementSpec{Callers: mustCallers(t, tt.policy), Require: true})
		line, header := signedHead(t, tt.method+" /prod/@connections/"+socketID, "hello", signature{}, nil)
		want := letIn
		if !tt.allowed {
			want = deniedManagement("/" + tt.method + "/@connections/" + socketID)
		}
		if got := onWire(t, managing(m), line, "hello", header...); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, want)
		}
	}
}

// TestManagementGroups: groups and their members have resources of their own.
func TestManagementGroups(t *testing.T) {
	t.Parallel()
	const action = "execute-api:ManageConnections"
	allow := func(resource string) string { return statement("Allow", action, socketStageARN+resource) }
	for _, tt := range []struct {
		policy, group, id string
		denied            string // the resource of the answer; "" if the request is let through
	}{
		{"", "room", "", ""},
		{"", "a/b", "c", ""},
		{allow("/POST/@groups"), "room", "", ""},
		{allow("/POST/@groups"), "room", socketID, ""},
		{allow("/POST/@groups/room"), "room", "", ""},
		{allow("/POST/@groups/room"), "room", socketID, "/POST/@groups/room/" + socketID},
		{allow("/POST/@groups/room/*"), "room", socketID, ""},
		{allow("/POST/@groups/room/*"), "room", "", "/POST/@groups/room"},
		{allow("/POST/@groups/room/*"), "room/x", "", "/POST/@groups/room%2Fx"},
		{allow("/POST/@groups/room/*"), "room%2Fx", "", "/POST/@groups/room%252Fx"},
		{allow("/POST/@groups/room%2Fx"), "room/x", "", ""},
		{allow("/POST/@groups/room"), "*", "", "/POST/@groups/*"},
		{allow("/POST/@groups/room"), "roo?", "", "/POST/@groups/roo?"},
		{allow("/POST/@groups/a"), `"}`, "", `/POST/@groups/\"}`},
		{allow("/POST/@connections/*"), "room", "", "/POST/@groups/room"},
		{allow("/*") + "," + statement("Deny", action, socketStageARN+"/POST/@groups/room"), "room", "", "/POST/@groups/room"},
		{allow("/*") + "," + statement("Deny", action, socketStageARN+"/POST/@groups"), "room", socketID, "/POST/@groups/room/" + socketID},
	} {
		m := NewManagement(ManagementSpec{Callers: mustCallers(t, tt.policy), Require: true})
		line, header := signedHead(t, "POST /prod/@groups/x", "hello", signature{}, nil)
		want := letIn
		if tt.denied != "" {
			want = deniedManagement(tt.denied)
		}
		got := onWire(t, authorizerFunc(func(x *gateway.Exchange) error {
			return m.AuthorizeGroup(x, x.API.ID, x.Stage.Name, x.Request.Method, tt.group, tt.id)
		}), line, "hello", header...)
		if got != want {
			t.Errorf("%s, group %s, member %q:\n got %+v\nwant %+v", tt.policy, tt.group, tt.id, got, want)
		}
	}
}

// TestManagementSignature: who gets through by its signature, or without one.
func TestManagementSignature(t *testing.T) {
	t.Parallel()
	unsigned := func(r *http.Request) { r.Header = http.Header{} }
	var (
		missing   = wireAnswer{403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`}
		wrong     = wireAnswer{403, "InvalidSignatureException", mismatch}
		nobody    = wireAnswer{403, "AccessDeniedException", `{"message":"Forbidden"}`}
		service   = wireAnswer{403, "InvalidSignatureException", `{"message":"Credential should be scoped to correct service: 'execute-api'."}`}
		presigned = wireAnswer{403, "InvalidSignatureException", `{"message":"Without credentials to check it, a signature must be in the Authorization header."}`}
		malformed = wireAnswer{403, "IncompleteSignatureException", `{"message":"The Authorization header must begin with AWS4-HMAC-SHA256."}`}
	)
	known, none := mustCallers(t, ""), (*Callers)(nil)
	for _, tt := range []struct {
		name      string
		spec      ManagementSpec
		signature signature
		edit      func(r *http.Request)
		want      wireAnswer
	}{
		{"K17", ManagementSpec{known, true, false}, signature{}, unsigned, missing},
		{"signed", ManagementSpec{known, true, false}, signature{}, nil, letIn},
		{"presigned", ManagementSpec{known, true, false}, signature{presign: time.Minute}, nil, letIn},
		{"wrong secret", ManagementSpec{known, true, false}, signature{secret: "x"}, nil, wrong},
		{"another body", ManagementSpec{known, true, false}, signature{body: "other"}, nil, wrong},
		{"another connection", ManagementSpec{known, true, false}, signature{}, func(r *http.Request) { r.URL.Path = "/prod/@connections/x" }, wrong},
		{"another method", ManagementSpec{known, true, false}, signature{}, func(r *http.Request) { r.Method = "PUT" }, wrong},
		{"another service", ManagementSpec{known, true, false}, signature{service: "apigateway"}, nil, service},
		{"unsigned payload", ManagementSpec{known, true, false}, signature{extra: [][2]string{{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}}}, nil,
			wireAnswer{403, "InvalidSignatureException", `{"message":"x-amz-content-sha256 is UNSIGNED-PAYLOAD, want the SHA-256 of the body: unsigned and chunked payloads are not accepted."}`}},
		{"known callers are checked", ManagementSpec{known, true, true}, signature{secret: "x"}, nil, wrong},

		{"not required", ManagementSpec{known, false, false}, signature{}, unsigned, letIn},
		{"not required but wrong", ManagementSpec{known, false, false}, signature{secret: "x"}, nil, wrong},
		{"not required but malformed", ManagementSpec{known, false, false}, signature{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, malformed},
		{"not required without callers", ManagementSpec{none, false, false}, signature{secret: "x"}, nil, letIn},
		{"not required without callers, unsigned", ManagementSpec{none, false, false}, signature{}, unsigned, letIn},

		{"no callers", ManagementSpec{none, true, false}, signature{}, nil, nobody},
		{"no callers, unsigned", ManagementSpec{none, true, false}, signature{}, unsigned, missing},
		{"any", ManagementSpec{none, true, true}, signature{key: "test", secret: "test", region: "eu-west-1", at: iamNow.Add(-24 * time.Hour)}, nil, letIn},
		{"any, unsigned", ManagementSpec{none, true, true}, signature{}, unsigned, missing},
		{"any, malformed", ManagementSpec{none, true, true}, signature{}, func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }, malformed},
		{"any of another service", ManagementSpec{none, true, true}, signature{service: "s3"}, nil, service},
		{"any in a query", ManagementSpec{none, true, true}, signature{presign: time.Minute}, nil, presigned},
	} {
		line, header := signedHead(t, "POST /prod/@connections/"+socketID, "hello", tt.signature, tt.edit)
		if got := onWire(t, managing(NewManagement(tt.spec)), line, "hello", header...); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestManagementBody: after a body was hashed it is still there, also a long one; a body
// that nobody has to check is not read.
func TestManagementBody(t *testing.T) {
	t.Parallel()
	m := NewManagement(ManagementSpec{Callers: mustCallers(t, ""), Require: true})
	x := signed(t, "POST /prod/@connections/"+socketID, "hello", signature{}, nil)
	if got := lambdaOutcome(t, managing(m), x); got != 200 || string(x.Request.Body.Bytes) != "hello" || x.Identity.IAM.AccessKeyID != iamKey {
		t.Errorf("%d, body %q", got, x.Request.Body.Bytes)
	}
	x = signed(t, "POST /prod/@connections/"+socketID, "hello", signature{}, func(r *http.Request) { r.Header = http.Header{} })
	if got := lambdaOutcome(t, managing(m), x); got != 403 || x.Request.Body.Bytes != nil {
		t.Errorf("unsigned: %d, body %q was read", got, x.Request.Body.Bytes)
	}
}

// TestManagementBySDK: clients sign the path as it stands in their requests, escaped once
// more.
func TestManagementBySDK(t *testing.T) {
	t.Parallel()
	m := NewManagement(ManagementSpec{Callers: mustCallers(t, ""), Require: true})
	for _, target := range []string{
		"/prod/@connections/L0SM9cOFvHcCIhw=", "/prod/@connections/L0SM9cOFvHcCIhw%3D", "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
	} {
		line, header := signedBySDK(t, "POST", target, "hello")
		if got := onWire(t, managing(m), line, "hello", header...); got != letIn {
			t.Errorf("%s: %+v", target, got)
		}
		if got := onWire(t, managing(m), line, "hellp", header...); got.status != 403 {
			t.Errorf("%s with another body: %+v", target, got)
		}
	}
}

func BenchmarkManagement(b *testing.B) {
	for name, statements := range map[string]string{
		"no policy": "", "policy": statement("Allow", "execute-api:ManageConnections", socketStageARN+"/POST/@connections/*"),
	} {
		b.Run(name, func(b *testing.B) {
			m := NewManagement(ManagementSpec{Callers: mustCallers(b, statements), Require: true})
			x := signed(b, "POST /prod/@connections/"+socketID, `{"action":"hello","text":"hello"}`, signature{}, nil)
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Authorize(x, "a1", "prod", "POST", socketID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
