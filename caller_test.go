package penstock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/sigv4"
)

// A call is a request to an API that somebody signs.
type call struct {
	method, path, body string
	service, region    string // of the signature; execute-api in us-east-1 if empty
	after              func(*http.Request)
}

// signed sends a call to an API, signed by who unless that has no access key.
func (w *world) signed(api string, who penstock.Credential, c call) *answered {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), c.method, w.server.URL()+c.path, bytes.NewReader([]byte(c.body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = host(api)
	signer := sigv4.Signer{
		Credential: sigv4.Credential{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken},
		Region:     "us-east-1", Service: "execute-api",
	}
	if c.service != "" {
		signer.Service = c.service
	}
	if c.region != "" {
		signer.Region = c.region
	}
	if who.AccessKeyID != "" {
		if err := signer.Sign(r, []byte(c.body)); err != nil {
			w.t.Fatal(err)
		}
	}
	if c.after != nil {
		c.after(r)
	}
	resp, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return &answered{resp, string(text)}
}

// Callers with and without policies, on routes with AWS_IAM and on the control plane.
func TestCallers(t *testing.T) {
	t.Parallel()
	credential := func(name, policy string) penstock.Credential {
		return penstock.Credential{AccessKeyID: "AKID" + strings.ToUpper(name), SecretAccessKey: name + "/secret", UserName: name, Policy: penstock.PolicyDocument(policy)}
	}
	statement := func(effect, action, resource string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	const arn = "arn:aws:execute-api:us-east-1:" + testAccount + ":*/$default/"
	root := credential("root", "")
	session := penstock.Credential{AccessKeyID: "ASIASESSION", SecretAccessKey: "s", SessionToken: "a//token=="}
	reader := credential("reader", `{"Statement":`+statement("Allow", "execute-api:Invoke", arn+"GET/a")+`}`)
	denied := credential("denied", `{"Statement":[`+statement("Allow", "*", "*")+`,`+statement("Deny", "execute-api:Invoke", arn+"*/b")+`]}`)
	manager := credential("manager", `{"Statement":`+statement("Allow", "apigateway:*", "*")+`}`)
	invoker := credential("invoker", `{"Statement":`+statement("Allow", "execute-api:*", "*")+`}`)
	elsewhere := credential("elsewhere", `{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}`)
	tagged := credential("tagged", `{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"pets"}}}}`)
	w := newWorld(t, penstock.Config{Credentials: []penstock.Credential{root, session, reader, denied, manager, invoker, elsewhere, tagged}})
	api := w.api(apiSpec{
		routes: map[string]target{
			"ANY /a": {request: map[string]string{"overwrite:header.x-user": "$context.identity.userArn", "overwrite:header.x-account": "$context.identity.accountId"}},
			"ANY /b": {}, "GET /open": {},
		},
		authorize: map[string]types.AuthorizationType{"ANY /a": types.AuthorizationTypeAwsIam, "ANY /b": types.AuthorizationTypeAwsIam},
	})
	wrong := root
	wrong.SecretAccessKey = "wrong"
	eve := penstock.Credential{AccessKeyID: "AKIDEVE", SecretAccessKey: root.SecretAccessKey}
	forgetful := session
	forgetful.SessionToken = ""
	getA := call{method: "GET", path: "/a?b=c%2Fd&a"}
	for _, tt := range []struct {
		name string
		who  penstock.Credential
		call call
		want int
	}{
		{"nobody, an open route", penstock.Credential{}, call{method: "GET", path: "/open"}, 200},
		{"nobody", penstock.Credential{}, getA, 403},
		{"without a policy", root, getA, 200},
		{"without a policy, a body", root, call{method: "POST", path: "/a", body: "some body"}, 200},
		{"with a session token", session, getA, 200},
		{"without the session token", forgetful, getA, 403},
		{"a wrong secret", wrong, getA, 403},
		{"unknown", eve, getA, 403},
		{"another service", root, call{method: "GET", path: "/a", service: "apigateway"}, 403},
		{"another region", root, call{method: "GET", path: "/a", region: "eu-west-1"}, 403},
		{"another path than was signed", root, call{method: "GET", path: "/b", after: func(r *http.Request) { r.URL.Path = "/a" }}, 403},
		{"another method than was signed", root, call{method: "GET", path: "/a", after: func(r *http.Request) { r.Method = "DELETE" }}, 403},
		{"another body than was signed", root, call{method: "POST", path: "/a", body: "12", after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("13")) }}, 403},
		{"a policy for the route", reader, getA, 200},
		{"a policy for another method", reader, call{method: "POST", path: "/a", body: "x"}, 403},
		{"a policy for another route", reader, call{method: "GET", path: "/b"}, 403},
		{"a policy that denies the other", denied, getA, 200},
		{"a policy that denies", denied, call{method: "GET", path: "/b"}, 403},
		{"a policy for the control plane", manager, getA, 403},
		{"a policy for all routes", invoker, call{method: "GET", path: "/b"}, 200},
		{"a policy for another address", elsewhere, getA, 403},
		{"a policy that asks what routes do not have", tagged, getA, 403},
	} {
		w.take()
		got := w.signed(api, tt.who, tt.call)
		seen := w.take()
		if got.StatusCode != tt.want || (seen != nil) != (tt.want == 200) {
			t.Errorf("%s: status %d %s, want %d", tt.name, got.StatusCode, got.body, tt.want)
		}
		if tt.want == 403 && got.body != `{"message":"Forbidden"}` {
			t.Errorf("%s: %s tells more than it should", tt.name, got.body)
		}
	}
	w.signed(api, reader, getA)
	if h := w.take().Header; h.Get("X-User") != "arn:aws:iam::"+testAccount+":user/reader" || h.Get("X-Account") != testAccount {
		t.Errorf("the backend is told of %s %s", h.Get("X-User"), h.Get("X-Account"))
	}

	// What lets in to routes opens no door of the control plane.
	for _, tt := range []struct {
		who  penstock.Credential
		want string
	}{{root, ""}, {manager, ""}, {denied, ""}, {reader, "AccessDeniedException"}, {invoker, "AccessDeniedException"}, {elsewhere, "AccessDeniedException"}} {
		_, err := sdk(w.server, tt.who).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
		if got := code(t, err); got != tt.want {
			t.Errorf("%s on the control plane: got %q, want %q", tt.who.AccessKeyID, got, tt.want)
		}
	}
}

// Without credentials nobody is let in by a signature.
func TestCallersNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	api := w.api(apiSpec{routes: to("GET /a"), authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeAwsIam}})
	if got := w.signed(api, anyone, call{method: "GET", path: "/a"}); got.StatusCode != 403 {
		t.Errorf("status %d", got.StatusCode)
	}
}

// Functions of the embedding program as authorizers, however they are named and however
// they end.
func TestFunctionAuthorizers(t *testing.T) {
	t.Parallel()
	arrived, told, let := make(chan bool, 1), make(chan bool, 1), make(chan bool)
	defer close(let)
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{
		"short": {Invoke: func(context.Context, []byte) ([]byte, error) {
			return []byte(`{"isAuthorized":true,"context":{"by":"short"}}`), nil
		}},
		"panics": {Invoke: func(context.Context, []byte) ([]byte, error) { panic("lost") }},
		"fails":  {Invoke: func(context.Context, []byte) ([]byte, error) { return nil, errors.New("a secret reason") }},
		"ends":   {Invoke: func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }},
		"empty":  {Invoke: func(context.Context, []byte) ([]byte, error) { return nil, nil }},
		"held": {Invoke: func(ctx context.Context, _ []byte) ([]byte, error) {
			arrived <- true
			<-ctx.Done() // the client left
			told <- true
			<-let // and it goes on all the same
			return nil, nil
		}},
	}})
	make := func(function string) string {
		return w.api(apiSpec{
			routes:    map[string]target{"GET /a": {request: map[string]string{"overwrite:header.x-by": "$context.authorizer.by"}}},
			authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeCustom},
			authorizer: &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeRequest, AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: aws.Bool(true),
				IdentitySource:               []string{},
				AuthorizerResultTtlInSeconds: aws.Int32(0), AuthorizerUri: functionURI(function)},
		})
	}
	for _, tt := range []struct {
		function string
		status   int
		by       string
		reason   string // that the operator gets
	}{
		{"short", 200, "short", ""},
		{"short:7", 200, "short", ""},
		{"nobody", 500, "", "there is no such function"},
		{"panics", 500, "", "the function failed"},
		{"fails", 500, "", "the function failed"},
		{"ends", 500, "", "the function failed"},
		{"empty", 500, "", "the answer of the function is malformed"},
	} {
		w.take()
		got := w.ask(make(tt.function), "GET /a")
		seen := w.take()
		if got.StatusCode != tt.status || (seen != nil) != (tt.status == 200) || seen != nil && seen.Header.Get("X-By") != tt.by {
			t.Errorf("%s: status %d %s, want %d by %s", tt.function, got.StatusCode, got.body, tt.status, tt.by)
		}
		if strings.Contains(got.body, "secret") || strings.Contains(got.body, "lost") {
			t.Errorf("%s: the client is told %s", tt.function, got.body)
		}
		if r, _ := w.explain(got); r.Authorizer == nil || !strings.Contains(r.Authorizer.Reason, tt.reason) {
			t.Errorf("%s: %+v, want %s", tt.function, r.Authorizer, tt.reason)
		}
	}

	// Who leaves is not waited for, even by a function that does not notice.
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL()+"/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host(make("held"))
	go func() {
		<-arrived
		cancel()
	}()
	if status, _, err := do(w.server, r); err == nil {
		t.Errorf("status %d", status)
	}
	select {
	case <-told:
	case <-time.After(9 * time.Second): // less than a function may take
		t.Fatal("the function was not told that the client left")
	}
	if got := w.ask(make("short"), "GET /a"); got.StatusCode != 200 {
		t.Errorf("beside it: status %d", got.StatusCode)
	}
}
