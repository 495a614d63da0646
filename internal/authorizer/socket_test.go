package authorizer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"penstock/internal/gateway"
	"penstock/internal/policy"
)

// authorizerFunc is a function as an authorizer.
type authorizerFunc func(x *gateway.Exchange) error

func (f authorizerFunc) Authorize(x *gateway.Exchange) error { return f(x) }

// A wireAnswer is what a client gets to see of an answer.
type wireAnswer struct {
	status    int
	errorType string
	body      string
}

// letIn is the answer to who is let through.
var letIn = wireAnswer{status: 204}

// onWire sends a request to a server with an authorizer.
func onWire(t testing.TB, a gateway.Authorizer, line, body string, header ...string) wireAnswer {
	t.Helper()
	send := serveLambda(t, "prod", &gateway.Route{AuthorizationType: "CUSTOM", Integration: accepted{}, Authorizer: a})
	status, h, text := send(requestText(line, body, header...))
	return wireAnswer{status, h.Get("x-amzn-ErrorType"), text}
}

const socketStageARN = "arn:aws:execute-api:us-east-1:123456789012:a1/prod"

// mustCallers returns the one caller that signs by default, whose policy has statements;
// "" for no policy.
func mustCallers(t testing.TB, statements string) *Callers {
	t.Helper()
	spec := iamSpec()
	if statements != "" {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+statements+`]}`, ConditionKeys)
		if err != nil {
			t.Fatal(err)
		}
		spec.Policy = d
	}
	c, err := NewCallers("us-east-1", []CallerSpec{spec}, func() time.Time { return iamNow })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func statement(effect, action, resource string) string {
	return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
}

const mismatch = `{"message":"The request signature we calculated does not match the signature you provided. ` +
	`Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`

// TestSocketIAM: the answers to handshakes as clients see them, to the byte.
func TestSocketIAM(t *testing.T) {
	t.Parallel()
	denied := wireAnswer{403, "AccessDeniedException", `{"Message":"User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ` +
		`execute-api:Invoke on resource: ` + socketStageARN + `/$connect"}`}
	allow := func(resource string) string { return statement("Allow", "execute-api:Invoke", resource) }
	const api = "arn:aws:execute-api:us-east-1:123456789012:a1"
	for _, tt := range []struct {
		name, policy string
		signature    signature
		edit         func(r *http.Request)
		want         wireAnswer
	}{
		{"A15", "", signature{}, func(r *http.Request) { r.Header = http.Header{} },
			wireAnswer{403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`}},
		{"A16", "", signature{}, nil, letIn},
		{"A16 with a policy", allow(api + "/prod/$connect"), signature{}, nil, letIn},
		{"A17", "", signature{presign: time.Minute, at: iamNow.Add(-30 * time.Second)}, nil, letIn},
		{"A17 with a policy", allow(api + "/*/$connect"), signature{presign: time.Minute}, nil, letIn},
		{"A18", allow(api + "/*/*/*"), signature{}, nil, denied},
		{"two stars", allow(api + "/*/*"), signature{}, nil, letIn},
		{"another stage", allow(api + "/dev/$connect"), signature{}, nil, denied},
		{"another API", allow("arn:aws:execute-api:us-east-1:123456789012:a2/*"), signature{}, nil, denied},
		{"another route", allow(api + "/prod/send"), signature{}, nil, denied},
		{"the path of the request", allow(api + "/prod/GET/*"), signature{}, nil, denied},
		{"another action", statement("Allow", "execute-api:ManageConnections", "*"), signature{}, nil, denied},
		{"denied", allow("*") + "," + statement("Deny", "execute-api:Invoke", api+"/prod/$connect"), signature{}, nil, denied},
		{"deny of another route", allow("*") + "," + statement("Deny", "*", api+"/prod/send"), signature{}, nil, letIn},
		{"wrong secret", "", signature{secret: "x"}, nil, wireAnswer{403, "InvalidSignatureException", mismatch}},
		{"unknown key", "", signature{key: "AKIAUNKNOWN"}, nil,
			wireAnswer{403, "UnrecognizedClientException", `{"message":"The security token included in the request is invalid."}`}},
		{"expired", "", signature{at: iamNow.Add(-6 * time.Minute)}, nil, wireAnswer{403, "InvalidSignatureException",
			`{"message":"Signature expired: 20260301T115400Z is now earlier than 20260301T115500Z (20260301T120000Z - 5 min.)"}`}},
		{"presigned and expired", "", signature{presign: time.Minute, at: iamNow.Add(-61 * time.Second)}, nil, wireAnswer{403, "InvalidSignatureException",
			`{"message":"Signature expired: 20260301T115959Z is now earlier than 20260301T120000Z"}`}},
		{"another service", "", signature{service: "lambda"}, nil, wireAnswer{403, "InvalidSignatureException",
			`{"message":"Credential should be scoped to correct service: 'execute-api'."}`}},
		{"another path", "", signature{}, func(r *http.Request) { r.URL.Path = "/prod/" }, wireAnswer{403, "InvalidSignatureException", mismatch}},
		{"another query", "", signature{presign: time.Minute}, func(r *http.Request) { r.URL.RawQuery += "&admin=1" },
			wireAnswer{403, "InvalidSignatureException", mismatch}},
		{"a payload", "", signature{body: "x"}, nil, wireAnswer{403, "InvalidSignatureException", mismatch}},
		{"quotes", "", signature{}, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 \"}{\\\t<\xfc") },
			wireAnswer{403, "IncompleteSignatureException", `{"message":"The Authorization header has an unknown part \"\\\"}{\\\\\\t<\\xfc\"."}`}},
	} {
		line, header := signedHead(t, "GET /prod", "", tt.signature, tt.edit)
		if got := onWire(t, NewSocketIAM(mustCallers(t, tt.policy), socketStageARN), line, "", header...); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestSocketIAMIdentity: the connection knows who has opened it, and nobody else does.
func TestSocketIAMIdentity(t *testing.T) {
	t.Parallel()
	for _, s := range []signature{{}, {presign: time.Hour}} {
		x := signed(t, "GET /prod?x=1", "", s, nil)
		if got := lambdaOutcome(t, NewSocketIAM(mustCallers(t, ""), StageARN("us-east-1", "123456789012", "a1", "prod")), x); got != 200 {
			t.Fatalf("%d (%s)", got, x.AuthorizerError)
		}
		if want := (gateway.IAMIdentity{AccessKeyID: iamKey, AccountID: "123456789012", CallerID: "AIDAEXAMPLE", UserARN: "arn:aws:iam::123456789012:user/ada", UserID: "AIDAEXAMPLE"}); *x.Identity.IAM != want {
			t.Errorf("%+v", x.Identity.IAM)
		}
	}
	spec := iamSpec()
	spec.AccountID = "999999999999"
	other, err := NewCallers("us-east-1", []CallerSpec{spec}, func() time.Time { return iamNow })
	if err != nil {
		t.Fatal(err)
	}
	x := signed(t, "GET /prod", "", signature{}, nil)
	if got := lambdaOutcome(t, NewSocketIAM(other, socketStageARN), x); got != 403 || x.AuthorizerError != rejectedOtherAccount.text {
		t.Errorf("another account: %d (%s)", got, x.AuthorizerError)
	}
}

// TestSocketNoCallers: without credentials nobody gets in, however it has signed.
func TestSocketNoCallers(t *testing.T) {
	t.Parallel()
	none, err := NewCallers("us-east-1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Callers{nil, {}, none} {
		for name, want := range map[string]wireAnswer{
			"signed":   {403, "AccessDeniedException", `{"message":"Forbidden"}`},
			"unsigned": {403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
		} {
			line, header := signedHead(t, "GET /prod", "", signature{}, func(r *http.Request) {
				if name == "unsigned" {
					r.Header = http.Header{}
				}
			})
			if got := onWire(t, NewSocketIAM(c, socketStageARN), line, "", header...); got != want {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

// signedBySDK returns a request that the official SDK has signed.
func signedBySDK(t *testing.T, method, target, body string) (line string, header []string) {
	t.Helper()
	r, err := http.NewRequest(method, "https://a1.execute-api.us-east-1.amazonaws.com"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: iamKey, SecretAccessKey: iamSecret}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(hash[:]), "execute-api", "us-east-1", iamNow); err != nil {
		t.Fatal(err)
	}
	for name, values := range r.Header {
		header = append(header, name+": "+values[0])
	}
	return method + " " + target, header
}

func BenchmarkSocketIAM(b *testing.B) {
	a := NewSocketIAM(mustCallers(b, statement("Allow", "execute-api:Invoke", socketStageARN+"/$connect")), socketStageARN)
	x := signed(b, "GET /prod", "", signature{}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Authorize(x); err != nil {
			b.Fatal(err)
		}
	}
}
