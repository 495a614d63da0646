package penstock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/issuertest"
)

// Values that end a field never leave the gateway, and reserved fields cannot be
// mapped, wherever the value comes from.
func TestSecurity24HeaderInjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	api := w.api(apiSpec{routes: map[string]target{
		"POST /body":   {request: map[string]string{"append:header.x": "$request.body.v"}},
		"POST /braces": {request: map[string]string{"append:header.x": "a${request.body.v}b"}},
		"GET /query":   {request: map[string]string{"overwrite:header.x": "$request.querystring.v"}},
		"GET /p/{v+}":  {request: map[string]string{"overwrite:header.x": "$request.path.v"}},
		"POST /path":   {request: map[string]string{"overwrite:path": "$request.body.v"}},
		"POST /answer": {uri: "/echo", response: map[string]map[string]string{"200": {"append:header.x": "$response.body.v"}}},
	}})
	for _, evil := range []string{`a\r\nEvil: 1`, `a\nEvil: 1`, `a\rEvil: 1`, `a\u0000b`, `\u007f`} {
		for _, path := range []string{"/body", "/braces"} {
			vector{ask: []string{"POST " + path, "", `{"v":"` + evil + `"}`}, status: 400}.run(w, api)
		}
		got := w.ask(api, "POST /answer", "", `{"v":"`+evil+`"}`)
		if w.take(); got.StatusCode != 500 || got.Header.Get("Evil") != "" || got.Header.Get("X") != "" {
			t.Errorf("an answer with %q: %d %v", evil, got.StatusCode, got.Header)
		}
	}
	for _, evil := range []string{"a%0d%0aEvil:%201", "a%0aEvil:1", "%00", "%7f"} {
		vector{ask: []string{"GET /query?v=" + evil}, status: 400}.run(w, api)
		vector{ask: []string{"GET /p/" + evil}, status: 400}.run(w, api)
	}
	for _, evil := range []string{"/a/../../b", "/..", `/a\\b`, "/%2e%2e/b", "/a\\u0000", "/a b\\r\\nEvil: 1"} {
		vector{ask: []string{"POST /path", "", `{"v":"` + evil + `"}`}, status: 400}.run(w, api)
	}
	// What looks like a query or a fragment in a mapped path stays in the path.
	vector{ask: []string{"POST /path", "", `{"v":"/a?b=c#d"}`}, status: 200, backend: "POST /a%3Fb=c%23d"}.run(w, api)

	for _, key := range []string{
		"overwrite:header.Content-Length", "append:header.transfer-encoding", "overwrite:header.Connection", "append:header.X-Amzn-Trace-Id", "append:header.x-amz-security-token",
		"overwrite:header.X-Forwarded-For", "remove:header.Via", "overwrite:header.apigw-requestid", "append:header.TE", "overwrite:header.Authorization", "overwrite:header.a b", "overwrite:header.a:b",
	} {
		_, err := w.control.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
			ApiId: &api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"), IntegrationUri: &w.backend.URL, RequestParameters: map[string]string{key: "x"},
		})
		if code(t, err) != "BadRequestException" {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, value := range []string{"a\r\nb", "a\nb", "a\x00"} {
		_, err := w.control.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
			ApiId: &api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"), IntegrationUri: &w.backend.URL, RequestParameters: map[string]string{"append:header.x": value},
		})
		if code(t, err) != "BadRequestException" {
			t.Errorf("%q: %v", value, err)
		}
		_, err = w.control.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("$default"), StageVariables: map[string]string{"v": value}})
		if code(t, err) != "BadRequestException" {
			t.Errorf("stage variable %q: %v", value, err)
		}
	}
}

// A field that carries what the authorizer said is the authorizer's alone: what the
// client sends under its name, or under one that backends read as the same, is gone, also
// where the authorizer said nothing.
func TestSecurity26IdentityInjection(t *testing.T) {
	t.Parallel()
	issuer := issuertest.New(t)
	token := "Authorization: Bearer " + issuer.Token(map[string]any{"iss": issuer.URL, "aud": "a", "exp": 9999999999, "sub": "ada"})
	w := newWorld(t, penstock.Config{})
	api := w.api(apiSpec{
		routes: map[string]target{"GET /x": {request: map[string]string{
			"overwrite:header.x-user":      "$context.authorizer.claims.sub",
			"overwrite:header.x-role":      "$context.authorizer.claims.role",
			"overwrite:header.x-account":   "$context.identity.accountId",
			"overwrite:querystring.tenant": "$context.authorizer.claims.tenant",
		}}},
		authorizer: &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
			JwtConfiguration: &types.JWTConfiguration{Issuer: &issuer.URL, Audience: []string{"a"}}},
		authorize: map[string]types.AuthorizationType{"GET /x": types.AuthorizationTypeJwt},
	})
	for _, name := range []string{"X-User", "x-user", "X_USER", "x_user"} {
		vector{ask: []string{"GET /x?a=1&tenant=evil&%74enant=evil", token, name + ": evil", name + ": evil too"}, status: 200, backend: "GET /?a=1",
			fields: map[string]string{"X-User": "ada", "X_user": ""}}.run(w, api)
	}
	vector{ask: []string{"GET /x", token, "X-Role: admin", "x_role: admin", "X-Account: 1", "x_Account: 1"}, status: 200, backend: "GET /",
		fields: map[string]string{"X-User": "ada", "X-Role": "", "X_role": "", "X-Account": "", "X_account": ""}}.run(w, api)
	vector{ask: []string{"GET /x", "X-User: evil"}, status: 401}.run(w, api)
}
