package penstock_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/issuertest"
)

// The behaviour of HTTP APIs as observed on the real service, one row each, through the
// whole server: made by the control plane, asked over a socket, answered by a backend.
// Rows have numbers, which documentation and other tests refer to.

// A vector is a request and what everyone sees of it.
type vector struct {
	n      int
	api    apiSpec
	ask    []string // as for world.ask
	status int
	body   string // "*" for any, empty for none
	// header are fields of the answer: absent ones are "".
	header map[string]string
	// backend is the request line that the backend sees, "" if it sees nothing, "*" for
	// any. fields are those that it gets.
	backend string
	fields  map[string]string
}

// gatewayBody is the body of an answer that the gateway gives itself.
func gatewayBody(status int) string {
	text := http.StatusText(status)
	if status == http.StatusRequestURITooLong {
		text = "Request-URI Too Long"
	}
	return `{"message":"` + text + `"}`
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`)

// run asks and compares.
func (v vector) run(w *world, api string) {
	w.t.Helper()
	w.take()
	got := w.ask(api, v.ask...)
	if got.StatusCode != v.status {
		w.t.Errorf("%d %s: status %d %q, want %d", v.n, v.ask[0], got.StatusCode, got.body, v.status)
	}
	want := v.body
	switch {
	case want == "" && v.backend == "" && v.status >= 400:
		want = gatewayBody(v.status)
		if got.Header.Get("Content-Type") != "application/json" || got.ContentLength != int64(len(want)) {
			w.t.Errorf("%d: content-type %q, length %d", v.n, got.Header.Get("Content-Type"), got.ContentLength)
		}
		if strings.HasPrefix(v.ask[0], "HEAD ") {
			want = ""
		}
	case want == "" && v.status == 200:
		want = "ok"
	case want == "*":
		want = got.body
	case want == empty:
		want = ""
	}
	if got.body != want {
		w.t.Errorf("%d: body %q, want %q", v.n, got.body, want)
	}
	if id := got.Header.Get("Apigw-Requestid"); !requestIDForm.MatchString(id) {
		w.t.Errorf("%d: apigw-requestid %q", v.n, id)
	}
	for name, want := range v.header {
		if have := strings.Join(got.Header.Values(name), " | "); have != want {
			w.t.Errorf("%d: %s is %q, want %q", v.n, name, have, want)
		}
	}
	r := w.take()
	switch {
	case v.backend == "*":
	case r == nil && v.backend != "":
		w.t.Errorf("%d: the backend saw nothing, want %s", v.n, v.backend)
	case r != nil && r.Method+" "+r.RequestURI != v.backend:
		w.t.Errorf("%d: the backend saw %s %s, want %q", v.n, r.Method, r.RequestURI, v.backend)
	}
	for name, want := range v.fields {
		if r == nil {
			continue
		}
		have := strings.Join(r.Header.Values(name), ",")
		if name == "Host" {
			have = r.Host
		}
		if have != want {
			w.t.Errorf("%d: the backend got %s %q, want %q", v.n, name, have, want)
		}
	}
}

// runAll makes the API of each row that has one, and asks it and those that follow.
func runAll(t *testing.T, c penstock.Config, vectors []vector) {
	t.Helper()
	w := newWorld(t, c)
	api := ""
	for _, v := range vectors {
		if v.api.routes != nil {
			api = w.api(v.api)
		}
		v.run(w, api)
	}
}

func to(keys ...string) map[string]target {
	all := map[string]target{}
	for _, k := range keys {
		all[k] = target{}
	}
	return all
}

// Hosts, stages and paths; routes.
func TestVectors1To45(t *testing.T) {
	t.Parallel()
	aws := to("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")
	for k := range aws { // the path says which route was taken
		uri := "/" + strings.NewReplacer(" ", "_", "/", "-", "{", "", "}", "", "+", "", "$", "").Replace(k)
		for _, v := range []string{"id", "proxy"} {
			if strings.Contains(k, "{"+v) {
				uri += "/{" + v + "}"
			}
		}
		if k == "$default" {
			uri = "/default"
		}
		aws[k] = target{uri: uri}
	}
	without := map[string]target{}
	for k, v := range aws {
		if k != "ANY /{proxy+}" {
			without[k] = v
		}
	}
	runAll(t, penstock.Config{}, []vector{
		{n: 1, api: apiSpec{routes: to("GET /pets")}, ask: []string{"GET /pets"}, status: 200, backend: "GET /"},
		{n: 2, api: apiSpec{routes: to("GET /pets"), stages: []string{"$default", "prod"}}, ask: []string{"GET /prod/pets"}, status: 200, backend: "GET /"},
		{n: 3, api: apiSpec{routes: to("GET /pets"), stages: []string{"prod"}}, ask: []string{"GET /pets"}, status: 404},
		{n: 4, ask: []string{"GET /Prod/pets"}, status: 404},
		{n: 5, api: apiSpec{routes: to("GET /pets", "GET /prod/x"), stages: []string{"$default", "prod"}}, ask: []string{"GET /prod/x"}, status: 404},
		{n: 6, api: apiSpec{routes: to("GET /"), stages: []string{"prod"}}, ask: []string{"GET /prod"}, status: 200, backend: "GET /"},
		{n: 6, ask: []string{"GET /prod/"}, status: 200, backend: "GET /"},
		{n: 7, api: apiSpec{routes: map[string]target{"GET /agents/{id}": {uri: "/{id}"}}, stages: []string{"dev"}}, ask: []string{"GET /dev/agents/1234"}, status: 200, backend: "GET /1234"},
		{n: 8, api: apiSpec{routes: to("$default")}, ask: []string{"POST /capture/space%20value?literalPlus=a+b&encodedPlus=a%2Bb&empty="}, status: 200,
			backend: "POST /capture/space%20value?literalPlus=a+b&encodedPlus=a%2Bb&empty="},
		{n: 9, api: apiSpec{routes: map[string]target{"POST /t/{u}/o/{n}": {uri: "/{u}/{n}", request: map[string]string{"append:header.x": "${request.path.u}|${request.path.n}"}}}},
			ask: []string{"POST /t/J%20Doe/o/Summer%20Sale"}, status: 200, backend: "POST /J%20Doe/Summer%20Sale", fields: map[string]string{"X": "J Doe|Summer Sale"}},
		{n: 11, api: apiSpec{routes: map[string]target{"ANY /{proxy+}": {request: map[string]string{"append:header.x": "$request.path.proxy"}}}},
			ask: []string{"GET /RSC/%40id%2Fassets%2Fr.js%23s.txt"}, status: 200, backend: "GET /", fields: map[string]string{"X": "RSC/@id/assets/r.js#s.txt"}},
		{n: 12, api: apiSpec{routes: map[string]target{"GET /{x}/thing": {request: map[string]string{"append:header.x": "$request.path.x"}}}}, ask: []string{"GET /a%2Fb/thing"}, status: 404},
		{n: 13, ask: []string{"GET /a%252Fb/thing"}, status: 200, backend: "GET /", fields: map[string]string{"X": "a%2Fb"}},
		{n: 14, api: apiSpec{routes: map[string]target{"$default": {request: map[string]string{"append:header.x": "$request.path"}}}}, ask: []string{"GET /a%3Fb/c?q=1"}, status: 200,
			backend: "GET /a?q=1", fields: map[string]string{"X": "/a"}},
		{n: 15, api: apiSpec{routes: map[string]target{"GET /q": {request: map[string]string{"append:header.x": "$request.querystring.tag"}}}}, ask: []string{"GET /q?tag=C%23%20P&tag=.NET"}, status: 200,
			backend: "GET /?tag=C%23%20P&tag=.NET", fields: map[string]string{"X": "C# P,.NET"}},
		{n: 17, ask: []string{"GET /q?"}, status: 200, backend: "GET /", fields: map[string]string{"X": ""}},
		{n: 18, api: apiSpec{routes: map[string]target{"GET /q": {request: map[string]string{"append:header.x": "[${request.querystring.flag}]"}}}}, ask: []string{"GET /q?flag&=x"}, status: 200,
			backend: "GET /?flag&=x", fields: map[string]string{"X": "[]"}},
		{n: 19, ask: []string{"GET /%zz"}, status: 400},

		{n: 28, api: apiSpec{routes: aws}, ask: []string{"GET /pets/dog/1"}, status: 200, backend: "GET /GET_-pets-dog-1"},
		{n: 29, ask: []string{"GET /pets/dog/2"}, status: 200, backend: "GET /GET_-pets-dog-id/2"},
		{n: 30, ask: []string{"GET /pets/cat/1"}, status: 200, backend: "GET /GET_-pets-proxy/cat/1"},
		{n: 31, ask: []string{"POST /test/5"}, status: 200, backend: "POST /ANY_-proxy/test/5"},
		{n: 32, api: apiSpec{routes: without}, ask: []string{"POST /test/5"}, status: 200, backend: "POST /default/test/5"},
		{n: 33, api: apiSpec{routes: to("POST /todos")}, ask: []string{"POST /todos/"}, status: 404},
		{n: 34, api: apiSpec{routes: map[string]target{"ANY /handler/{proxy+}": {uri: "/x/{proxy}"}}}, ask: []string{"GET /handler/"}, status: 200, backend: "GET /x/"},
		{n: 35, ask: []string{"GET /handler"}, status: 404},
		{n: 36, api: apiSpec{routes: map[string]target{"ANY /{proxy+}": {uri: "/x/{proxy}"}}}, ask: []string{"GET /"}, status: 200, backend: "GET /x/"},
		{n: 37, api: apiSpec{routes: map[string]target{"GET /bc/{id}": {uri: "/x/{id}"}}}, ask: []string{"GET /bc/"}, status: 200, backend: "GET /x/"},
		{n: 38, api: apiSpec{routes: to("GET /pets")}, ask: []string{"PUT /pets"}, status: 404},
		{n: 39, ask: []string{"HEAD /pets"}, status: 404},
		{n: 40, ask: []string{"OPTIONS /pets", "Origin: https://app.example.com", "Access-Control-Request-Method: GET"}, status: 404, header: map[string]string{"Access-Control-Allow-Origin": ""}},
		{n: 41, api: apiSpec{routes: map[string]target{"GET /a/{x}": {uri: "/get"}, "ANY /a/{x}": {uri: "/any"}}}, ask: []string{"DELETE /a/1"}, status: 200, backend: "DELETE /any"},
		{n: 41, ask: []string{"GET /a/1"}, status: 200, backend: "GET /get"},
		{n: 42, api: apiSpec{routes: to("GET /Pets")}, ask: []string{"GET /pets"}, status: 404},
		{n: 45, api: apiSpec{routes: map[string]target{"GET /a/{p+}": {uri: "/x/{p}"}}}, ask: []string{"GET /a/b/c/"}, status: 200, backend: "GET /x/b/c/"},
	})
}

// Custom domains: 20 to 27.
func TestVectors20To27(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	ctx := t.Context()
	domain := func(name string) {
		check[*apigatewayv2.CreateDomainNameOutput](t)(w.control.CreateDomainName(ctx, &apigatewayv2.CreateDomainNameInput{
			DomainName: &name, DomainNameConfigurations: []types.DomainNameConfiguration{{CertificateArn: aws.String("arn:aws:acm:us-east-1:" + testAccount + ":certificate/a")}},
		}))
	}
	mapping := func(domain, key, api, stage string) {
		in := &apigatewayv2.CreateApiMappingInput{DomainName: &domain, ApiId: &api, Stage: &stage}
		if key != "" {
			in.ApiMappingKey = &key
		}
		check[*apigatewayv2.CreateApiMappingOutput](t)(w.control.CreateApiMapping(ctx, in))
	}
	// told makes an API that tells the backend which it is and what it sees.
	told := func(name string, stages ...string) string {
		return w.api(apiSpec{stages: stages, routes: map[string]target{"$default": {uri: "/" + name, request: map[string]string{
			"overwrite:path": "/" + name + "${request.path}", "append:header.x": "${context.stage} ${context.domainName} ${context.domainPrefix} ${context.customDomain.basePathMatched} ${context.path}",
		}}}})
	}
	const example = "Host: api.example.com"

	domain("api.example.com")
	a1, a2, a3, a4 := told("A1"), told("A2"), told("A3"), told("A4")
	mapping("api.example.com", "", a1, "$default")
	mapping("api.example.com", "orders/v1/items", a2, "$default")
	mapping("api.example.com", "orders/v2/items", a3, "$default")
	mapping("api.example.com", "orders/v2/items/categories", a4, "$default")
	for _, v := range []vector{
		{n: 22, ask: []string{"GET /orders/v1/items/123", example}, status: 200, backend: "GET /A2/123"},
		{n: 22, ask: []string{"GET /orders/v1/items", example}, status: 200, backend: "GET /A2/"},
		{n: 22, ask: []string{"GET /orders/v2/items", example}, status: 200, backend: "GET /A3/"},
		{n: 23, ask: []string{"GET /orders/v2/items/categories/5", example}, status: 200, backend: "GET /A4/5"},
		{n: 23, ask: []string{"GET /orders/v2/itemsX", example}, status: 200, backend: "GET /A1/orders/v2/itemsX"},
		{n: 24, ask: []string{"GET /customers", example}, status: 200, backend: "GET /A1/customers"},
	} {
		v.run(w, a1)
	}

	domain("other.example.com")
	named := told("B", "$default", "prod")
	mapping("other.example.com", "v1", named, "prod")
	for _, v := range []vector{
		{n: 25, ask: []string{"GET /v1/foo", "Host: other.example.com"}, status: 200, backend: "GET /B/foo", fields: map[string]string{"X": "prod other.example.com other v1 /v1/foo"}},
		{n: 26, ask: []string{"GET /v2/foo", "Host: other.example.com"}, status: 403},
		{n: 27, ask: []string{"GET /v1/prod/foo", "Host: other.example.com"}, status: 200, backend: "GET /B/prod/foo"},
	} {
		v.run(w, named)
	}

	check[*apigatewayv2.UpdateApiOutput](t)(w.control.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{ApiId: &named, DisableExecuteApiEndpoint: aws.Bool(true)}))
	vector{n: 20, ask: []string{"GET /pets"}, status: 200, backend: "*"}.run(w, named) // takes effect with the next deployment
	deployment := check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &named})).DeploymentId
	for _, stage := range []string{"$default", "prod"} {
		check[*apigatewayv2.UpdateStageOutput](t)(w.control.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: &named, StageName: &stage, DeploymentId: deployment}))
	}
	vector{n: 20, ask: []string{"GET /pets"}, status: 404}.run(w, named)
	vector{n: 21, ask: []string{"GET /v1/pets", "Host: other.example.com"}, status: 200, backend: "GET /B/pets"}.run(w, named)
}

// HTTP_PROXY integrations: 46 to 59.
func TestVectors46To59(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	backend := strings.TrimPrefix(w.backend.URL, "http://")
	api := ""
	for _, v := range []vector{
		{n: 46, api: apiSpec{routes: to("$default")}, ask: []string{"GET /store/checkout?x=1"}, status: 200, backend: "GET /store/checkout?x=1", fields: map[string]string{"Host": backend}},
		{n: 47, api: apiSpec{routes: map[string]target{"GET /pets/{petID}": {uri: "/ext/{petID}"}}}, ask: []string{"GET /pets/6?a=1"}, status: 200, backend: "GET /ext/6?a=1"},
		{n: 48, api: apiSpec{routes: map[string]target{"ANY /parent/{proxy+}": {uri: "/petstore/{proxy}"}}}, ask: []string{"PUT /parent/a/b"}, status: 200, backend: "PUT /petstore/a/b"},
		{n: 49, api: apiSpec{routes: map[string]target{"ANY /parent/{proxy+}": {uri: "/fixed"}}}, ask: []string{"GET /parent/a/b"}, status: 200, backend: "GET /fixed"},
		{n: 50, api: apiSpec{routes: map[string]target{"PUT /x": {method: "POST"}}}, ask: []string{"PUT /x"}, status: 200, backend: "POST /"},
		{n: 51, api: apiSpec{routes: map[string]target{"GET /x": {uri: "http://${stageVariables.url}/r"}}, variables: map[string]string{"url": backend}}, ask: []string{"GET /x"}, status: 200, backend: "GET /r"},
		{n: 52, api: apiSpec{routes: to("GET /x")}, ask: []string{"GET /x", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: gopher", "Via: HTTP/1.1 other"}, status: 200, backend: "GET /", fields: map[string]string{
			"X-Forwarded-For": "", "X-Forwarded-Proto": "", "Via": "HTTP/1.1 other, HTTP/1.1 AmazonAPIGateway"}},
		{n: 53, api: apiSpec{routes: map[string]target{"GET /x": {uri: "/away"}}}, ask: []string{"GET /x"}, status: 302, backend: "GET /away", body: "*", header: map[string]string{"Location": "/z"}},
		{n: 54, api: apiSpec{routes: map[string]target{"GET /x": {uri: "/status/503"}}}, ask: []string{"GET /x"}, status: 503, backend: "GET /status/503", body: "ok"},
		{n: 55, api: apiSpec{routes: map[string]target{"GET /x": {uri: "/cookies"}}}, ask: []string{"GET /x"}, status: 200, backend: "GET /cookies", header: map[string]string{"Set-Cookie": "a=1 | b=2"}},
		{n: 56, api: apiSpec{routes: map[string]target{"GET /x": {uri: "/slow", timeout: 100}}}, ask: []string{"GET /x"}, status: 503, body: gatewayBody(503), backend: "GET /slow"},
		{n: 57, api: apiSpec{routes: map[string]target{"GET /x": {uri: "http://127.0.0.1:1/"}}}, ask: []string{"GET /x"}, status: 503},
		{n: 58, api: apiSpec{routes: to("POST /x")}, ask: []string{"POST /x", "Content-Length: 10485761"}, status: 413},
		{n: 59, ask: []string{"POST /x", "A: " + strings.Repeat("a", 10240)}, status: 431},
	} {
		if v.api.routes != nil {
			api = w.api(v.api)
		}
		v.run(w, api)
	}
}

// Parameter mapping: 64 to 80.
func TestVectors64To80(t *testing.T) {
	t.Parallel()
	request := func(m map[string]string) map[string]target { return map[string]target{"ANY /x": {request: m}} }
	rename := map[string]string{"append:header.header2": "$request.header.header1", "remove:header.header1": "''"}
	answers := map[string]map[string]string{
		"500": {"append:header.header1": "$context.requestId", "overwrite:statuscode": "403"},
		"404": {"append:header.error": "$stageVariables.environmentId"},
		"200": {"overwrite:statuscode": "201"}, "201": {"append:header.z": "1"},
	}
	jwt := &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: aws.String("https://issuer.example.com"), Audience: []string{"a"}}}
	runAll(t, penstock.Config{}, []vector{
		{n: 65, api: apiSpec{routes: request(rename)}, ask: []string{"GET /x", "header1: v"}, status: 200, backend: "GET /", fields: map[string]string{"Header2": "v", "Header1": ""}},
		{n: 66, api: apiSpec{routes: request(map[string]string{"overwrite:querystring.a": "x"})}, ask: []string{"GET /x?a=1&a=2&b=3"}, status: 200, backend: "GET /?a=x&b=3"},
		{n: 67, api: apiSpec{routes: request(map[string]string{"append:header.h": "$request.header.x"})}, ask: []string{"GET /x", "x: 1", "x: 2"}, status: 200, backend: "GET /", fields: map[string]string{"H": "1,2"}},
		{n: 68, api: apiSpec{routes: request(map[string]string{"append:header.h": "$request.querystring.Q"})}, ask: []string{"GET /x?q=1"}, status: 200, backend: "GET /?q=1", fields: map[string]string{"H": ""}},
		{n: 69, api: apiSpec{routes: map[string]target{"GET /{a}/{b}": {request: map[string]string{"overwrite:header.h": "${request.path.a} ${request.path.b}"}}}}, ask: []string{"GET /1/2"}, status: 200, backend: "GET /", fields: map[string]string{"H": "1 2"}},
		{n: 70, api: apiSpec{routes: map[string]target{"GET /{a}": {request: map[string]string{"overwrite:header.h": "x $request.path.a"}}}}, ask: []string{"GET /1"}, status: 200, backend: "GET /", fields: map[string]string{"H": "x $request.path.a"}},
		{n: 75, api: apiSpec{routes: request(map[string]string{"append:header.n": "$request.body.a.b"})}, ask: []string{"POST /x", "", `{"a":{"b":"z"}}`}, status: 200, backend: "POST /", fields: map[string]string{"N": "z"}},
		{n: 76, api: apiSpec{routes: map[string]target{"GET /5": {uri: "/status/500", response: answers}, "GET /4": {uri: "/status/404", response: answers}, "GET /2": {response: answers}}, variables: map[string]string{"environmentId": "prod"}},
			ask: []string{"GET /5"}, status: 403, body: "ok", backend: "GET /status/500", header: map[string]string{"Server": "backend"}},
		{n: 77, ask: []string{"GET /4"}, status: 404, body: "ok", backend: "GET /status/404", header: map[string]string{"Error": "prod"}},
		{n: 78, ask: []string{"GET /2"}, status: 201, body: "ok", backend: "GET /", header: map[string]string{"Z": ""}},
		{n: 79, api: apiSpec{routes: map[string]target{"GET /x": {response: map[string]map[string]string{"401": {"append:header.z": "1", "overwrite:statuscode": "200"}}}}, authorizer: jwt,
			authorize: map[string]types.AuthorizationType{"GET /x": types.AuthorizationTypeJwt}}, ask: []string{"GET /x"}, status: 401, header: map[string]string{"Z": ""}},
		// The worked examples of the developer guide.
		{n: 0, api: apiSpec{routes: map[string]target{"GET /pets/{id}": {request: map[string]string{"overwrite:path": "/v2/${request.path.id}"}}}}, ask: []string{"GET /pets/7"}, status: 200, backend: "GET /v2/7"},
		{n: 0, api: apiSpec{routes: request(map[string]string{"append:querystring.stage": "$context.stage"})}, ask: []string{"GET /x?a=1"}, status: 200, backend: "GET /?a=1&stage=%24default"},
		{n: 0, api: apiSpec{routes: request(map[string]string{"remove:querystring.b": "''"})}, ask: []string{"GET /x?a=1&b=2&b=3"}, status: 200, backend: "GET /?a=1"},
		{n: 0, api: apiSpec{routes: request(map[string]string{"overwrite:header.Host": "backend.internal"})}, ask: []string{"GET /x"}, status: 200, backend: "GET /", fields: map[string]string{"Host": "backend.internal"}},
		{n: 0, api: apiSpec{routes: map[string]target{"GET /x": {response: map[string]map[string]string{"200": {"remove:header.server": "''", "overwrite:header.x": "${response.header.a}/${response.header.b}"}}}}},
			ask: []string{"GET /x"}, status: 200, backend: "GET /", header: map[string]string{"Server": "", "X": "1/2"}},
	})

	w := newWorld(t, penstock.Config{})
	api := w.api(apiSpec{routes: request(map[string]string{"append:header.header1": "$context.requestId"})})
	answer := w.ask(api, "GET /x")
	if id := w.take().Header.Get("Header1"); id == "" || id != answer.Header.Get("Apigw-Requestid") {
		t.Errorf("64: the backend got request ID %q, the client %q", id, answer.Header.Get("Apigw-Requestid"))
	}
	for _, tt := range []struct {
		n          int
		key, value string
	}{
		{71, "overwrite:header.Authorization", "x"}, {72, "append:header.x-amzn-foo", "x"}, {73, "append:path", "/x"}, {74, "append:header.x", "$request.body..name"},
	} {
		_, err := w.control.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
			ApiId: &api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"), IntegrationUri: &w.backend.URL, RequestParameters: map[string]string{tt.key: tt.value},
		})
		if code(t, err) != "BadRequestException" {
			t.Errorf("%d: %v", tt.n, err)
		}
	}
	list := check[*apigatewayv2.GetIntegrationsOutput](t)(w.control.GetIntegrations(t.Context(), &apigatewayv2.GetIntegrationsInput{ApiId: &api}))
	updated := check[*apigatewayv2.UpdateIntegrationOutput](t)(w.control.UpdateIntegration(t.Context(), &apigatewayv2.UpdateIntegrationInput{
		ApiId: &api, IntegrationId: list.Items[0].IntegrationId, RequestParameters: map[string]string{"append:header.header1": ""},
	}))
	if len(updated.RequestParameters) != 0 {
		t.Errorf("80: request parameters are %v", updated.RequestParameters)
	}
}

// CORS: 109 to 120.
func TestVectors109To120(t *testing.T) {
	t.Parallel()
	cc := &types.Cors{AllowOrigins: []string{"https://app.example.com"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"content-type", "authorization"},
		ExposeHeaders: []string{"x-id"}, AllowCredentials: aws.Bool(true), MaxAge: aws.Int32(300)}
	app, preflight := "Origin: https://app.example.com", "Access-Control-Request-Method: POST"
	allowed := map[string]string{"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Credentials": "true", "Vary": "origin"}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for k, v := range allowed {
			all[k] = v
		}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	none := map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Access-Control-Expose-Headers": "", "Vary": ""}
	jwt := &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: aws.String("https://issuer.example.com"), Audience: []string{"a"}}}
	protected := map[string]types.AuthorizationType{"ANY /{proxy+}": types.AuthorizationTypeJwt}
	runAll(t, penstock.Config{}, []vector{
		{n: 109, api: apiSpec{cors: cc, routes: map[string]target{"GET /x": {uri: "/cors"}}}, ask: []string{"OPTIONS /x", app, preflight}, status: 204, header: with(map[string]string{
			"Access-Control-Allow-Methods": "GET,POST", "Access-Control-Allow-Headers": "content-type,authorization", "Access-Control-Max-Age": "300", "Content-Type": "", "Content-Length": ""})},
		{n: 110, ask: []string{"OPTIONS /x"}, status: 204, header: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Content-Type": "", "Content-Length": ""}},
		{n: 111, ask: []string{"OPTIONS /x", "Origin: https://evil.example", preflight}, status: 204, header: none},
		{n: 112, ask: []string{"GET /x", app}, status: 200, backend: "GET /cors", header: with(map[string]string{"Access-Control-Expose-Headers": "x-id", "Access-Control-Allow-Methods": ""})},
		{n: 113, ask: []string{"GET /x"}, status: 200, backend: "GET /cors", header: none},
		{n: 119, ask: []string{"GET /nope", app}, status: 404, header: allowed},
		{n: 114, api: apiSpec{cors: &types.Cors{AllowOrigins: []string{"*"}}, routes: to("GET /x")}, ask: []string{"GET /x", "Origin: https://any.example"}, status: 200, backend: "GET /",
			header: map[string]string{"Access-Control-Allow-Origin": "*", "Vary": "", "Access-Control-Allow-Credentials": ""}},
		{n: 115, api: apiSpec{cors: &types.Cors{AllowOrigins: []string{"https://*"}}, routes: to("GET /x")}, ask: []string{"GET /x", "Origin: https://q.example"}, status: 200, backend: "GET /",
			header: map[string]string{"Access-Control-Allow-Origin": "https://q.example", "Vary": "origin"}},
		{n: 115, ask: []string{"GET /x", "Origin: http://q.example"}, status: 200, backend: "GET /", header: none},
		{n: 116, api: apiSpec{cors: cc, routes: to("ANY /{proxy+}"), authorizer: jwt, authorize: protected}, ask: []string{"OPTIONS /x", app, preflight}, status: 401,
			header: with(map[string]string{"Www-Authenticate": "Bearer"})},
		{n: 117, api: apiSpec{cors: cc, routes: map[string]target{"ANY /{proxy+}": {}, "OPTIONS /{proxy+}": {uri: "/cors/status/204"}}, authorizer: jwt, authorize: protected},
			ask: []string{"OPTIONS /x", app, preflight}, status: 204, backend: "OPTIONS /cors/status/204", header: with(map[string]string{"Access-Control-Allow-Methods": "GET,POST"})},
		{n: 118, api: apiSpec{routes: map[string]target{"GET /x": {uri: "/cors"}}}, ask: []string{"GET /x", app}, status: 200, backend: "GET /cors",
			header: map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "TRACE"}},
		{n: 120, api: apiSpec{cors: &types.Cors{AllowOrigins: []string{"*"}, MaxAge: aws.Int32(-1)}, routes: to("GET /x")}, ask: []string{"OPTIONS /x", app, preflight}, status: 204,
			header: map[string]string{"Access-Control-Max-Age": "-1"}},
	})
}

// JWT authorizers: 121 to 134. What a function sees of the claims is seen here by way
// of mapping.
func TestVectors121To134(t *testing.T) {
	t.Parallel()
	issuer := issuertest.New(t)
	claims := func(more map[string]any) map[string]any {
		all := map[string]any{"iss": issuer.URL, "aud": "aud1", "exp": 9999999999, "sub": "u1"}
		for k, v := range more {
			if all[k] = v; v == nil {
				delete(all, k)
			}
		}
		return all
	}
	token := func(more map[string]any) string { return issuer.Token(claims(more)) }
	bearer := func(more map[string]any) string { return "Authorization: Bearer " + token(more) }
	config := func(source string) *apigatewayv2.CreateAuthorizerInput {
		return &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{source},
			JwtConfiguration: &types.JWTConfiguration{Issuer: &issuer.URL, Audience: []string{"aud1"}}}
	}
	const header = "$request.header.Authorization"
	seen := map[string]string{
		"overwrite:header.x-sub": "$context.authorizer.claims.sub", "overwrite:header.x-exp": "$context.authorizer.claims.exp", "overwrite:header.x-scope": "$context.authorizer.claims.scope",
		"overwrite:header.x-email": "$context.authorizer.claims.email_verified", "overwrite:header.x-groups": "$context.authorizer.claims.groups", "overwrite:header.x-nick": "$context.authorizer.claims.nick",
	}
	all := map[string]types.AuthorizationType{"GET /x": types.AuthorizationTypeJwt}
	plain := apiSpec{routes: map[string]target{"GET /x": {request: seen}}, authorizer: config(header), authorize: all}
	scoped := apiSpec{routes: map[string]target{"GET /x": {request: seen}}, authorizer: config(header), authorize: all, scopes: []string{"a/read", "a/write"}}
	query := apiSpec{routes: to("GET /x"), authorizer: config("$request.querystring.token"), authorize: all}
	invalid := func(text string) map[string]string {
		return map[string]string{"Www-Authenticate": `Bearer scope="" error="invalid_token" error_description="` + text + `"`}
	}
	es := issuertest.EC("ec")
	vectors := []vector{
		{n: 121, api: plain, ask: []string{"GET /x"}, status: 401, header: map[string]string{"Www-Authenticate": "Bearer"}},
		{n: 122, ask: []string{"GET /x", "Authorization: token"}, status: 401, header: invalid("token contains an invalid number of segments")},
		{n: 123, ask: []string{"GET /x", bearer(map[string]any{"aud": "zzz"})}, status: 401, header: invalid("the token does not have a valid audience")},
		{n: 124, ask: []string{"GET /x", bearer(map[string]any{"aud": nil, "client_id": "aud1"})}, status: 200, backend: "GET /"},
		{n: 125, ask: []string{"GET /x", bearer(map[string]any{"aud": "zzz", "client_id": "aud1"})}, status: 401},
		{n: 126, ask: []string{"GET /x", bearer(map[string]any{"aud": []string{"x", "aud1"}})}, status: 200, backend: "GET /", fields: map[string]string{"X-Sub": "u1"}},
		{n: 127, ask: []string{"GET /x", "Authorization: " + token(nil)}, status: 200, backend: "GET /"},
		{n: 128, ask: []string{"GET /x", "Authorization: Bearer " + issuer.TokenBy(es, "ES256", claims(nil))}, status: 401},
		{n: 129, ask: []string{"GET /x", bearer(map[string]any{"exp": 1})}, status: 401, header: invalid("the token has expired")},
		{n: 129, ask: []string{"GET /x", bearer(map[string]any{"nbf": 9999999998})}, status: 401, header: invalid("the token is not valid yet")},
		{n: 129, ask: []string{"GET /x", bearer(map[string]any{"iat": 9999999998})}, status: 401, header: invalid("the token was issued in the future")},
		{n: 129, ask: []string{"GET /x", bearer(map[string]any{"iss": issuer.URL + "/"})}, status: 401, header: invalid("the token does not have a valid issuer")},
		{n: 129, ask: []string{"GET /x", "Authorization: Bearer " + issuer.TokenBy(issuertest.RSA("unknown", 1), "RS256", claims(nil))}, status: 401},
		{n: 132, ask: []string{"GET /x", bearer(map[string]any{"scope": "x"})}, status: 200, backend: "GET /", fields: map[string]string{"X-Scope": "x"}},
		{n: 133, ask: []string{"GET /x", "X-Nick: from the client", bearer(map[string]any{"email_verified": true, "groups": []string{"admin", "poweruser"}})}, status: 200, backend: "GET /",
			fields: map[string]string{"X-Exp": "9999999999", "X-Email": "true", "X-Groups": "[admin poweruser]", "X-Nick": ""}},
		{n: 130, api: scoped, ask: []string{"GET /x", bearer(map[string]any{"scope": "a/write openid"})}, status: 200, backend: "GET /", fields: map[string]string{"X-Scope": "a/write openid"}},
		{n: 131, ask: []string{"GET /x", bearer(nil)}, status: 403},
		{n: 131, ask: []string{"GET /x", bearer(map[string]any{"scope": "a/writes openid"})}, status: 403},
		{n: 134, api: query, ask: []string{"GET /x?token=" + token(nil)}, status: 200, backend: "*"},
		{n: 134, ask: []string{"GET /x", bearer(nil)}, status: 401},
	}
	runAll(t, penstock.Config{}, vectors)
}

// Lambda authorizers: 135 to 143.
func TestVectors135To143(t *testing.T) {
	t.Parallel()
	calls := make(chan []byte, 100)
	answer := make(chan string, 1)
	c := penstock.Config{Functions: map[string]penstock.Function{"who": {Invoke: func(_ context.Context, event []byte) ([]byte, error) {
		calls <- slices.Clone(event)
		text := <-answer
		answer <- text
		if text == "throw" {
			return nil, fmt.Errorf("thrown")
		}
		return []byte(strings.ReplaceAll(text, "ROUTEARN", member(event, "routeArn"))), nil
	}}}}
	w := newWorld(t, c)
	say := func(text string) {
		select {
		case <-answer:
		default:
		}
		answer <- text
	}
	invoked := func(n, want int) {
		t.Helper()
		got := len(calls)
		for range got {
			<-calls
		}
		if got != want {
			t.Errorf("%d: %d invocations, want %d", n, got, want)
		}
	}
	make := func(simple bool, ttl int32, sources ...string) string {
		return w.api(apiSpec{routes: map[string]target{"GET /a": {request: map[string]string{"overwrite:header.x-n": "$context.authorizer.n", "overwrite:header.x-b": "$context.authorizer.b"}}, "GET /b": {}},
			authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeCustom, "GET /b": types.AuthorizationTypeCustom},
			authorizer: &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeRequest, AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: &simple,
				IdentitySource: append([]string{"$request.header.Authorization"}, sources...), AuthorizerResultTtlInSeconds: &ttl, AuthorizerUri: functionURI("who")}})
	}
	who := "Authorization: user1"
	api := make(true, 0)
	say(`{"isAuthorized":false}`)
	vector{n: 135, ask: []string{"GET /a"}, status: 401, header: map[string]string{"Www-Authenticate": ""}}.run(w, api)
	vector{n: 136, ask: []string{"GET /a", "Authorization:"}, status: 401}.run(w, api)
	invoked(136, 0)
	vector{n: 137, ask: []string{"GET /a", who}, status: 403}.run(w, api)
	invoked(137, 1)
	say(`{"isAuthorized":true,"context":{"n":1,"b":true,"a":["x"]}}`)
	vector{n: 138, ask: []string{"GET /a", who}, status: 200, backend: "GET /", fields: map[string]string{"X-N": "1", "X-B": "true"}}.run(w, api)
	say(`{"isAuthorized":"true"}`)
	vector{n: 139, ask: []string{"GET /a", who}, status: 500}.run(w, api)
	say("throw")
	vector{n: 140, ask: []string{"GET /a", who}, status: 500}.run(w, api)
	invoked(140, 3)

	say(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"ROUTEARN"}]}}`)
	api = make(false, 300)
	vector{n: 141, ask: []string{"GET /a", who}, status: 200, backend: "GET /"}.run(w, api)
	vector{n: 141, ask: []string{"GET /b", who}, status: 403}.run(w, api)
	invoked(141, 1)
	say(`{"isAuthorized":true}`)
	api = make(true, 300)
	vector{n: 142, ask: []string{"GET /a", who}, status: 200, backend: "GET /"}.run(w, api)
	vector{n: 142, ask: []string{"GET /b", who}, status: 200, backend: "GET /"}.run(w, api)
	invoked(142, 1)
	// An emptied cache asks again.
	if _, err := w.control.ResetAuthorizersCache(t.Context(), &apigatewayv2.ResetAuthorizersCacheInput{ApiId: &api, StageName: aws.String("$default")}); err != nil {
		t.Fatal(err)
	}
	vector{n: 142, ask: []string{"GET /a", who}, status: 200, backend: "GET /"}.run(w, api)
	invoked(142, 1)
	api = make(true, 300, "$context.routeKey")
	vector{n: 143, ask: []string{"GET /a", who}, status: 200, backend: "GET /"}.run(w, api)
	vector{n: 143, ask: []string{"GET /b", who}, status: 200, backend: "GET /"}.run(w, api)
	invoked(143, 2)
}

// member returns the text of a member of a JSON object.
func member(object []byte, name string) string {
	_, rest, _ := strings.Cut(string(object), `"`+name+`":"`)
	text, _, _ := strings.Cut(rest, `"`)
	return text
}

// Throttling, logs and request IDs: 149 to 160.
func TestVectors149To160(t *testing.T) {
	t.Parallel()
	log := new(lines)
	w := newWorld(t, penstock.Config{AccessLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: log}}})
	settings := func(rate float64, burst int32) *types.RouteSettings {
		return &types.RouteSettings{ThrottlingRateLimit: &rate, ThrottlingBurstLimit: &burst}
	}
	statuses := func(api string, n int, asks ...string) string {
		var all []string
		for range n {
			all = append(all, fmt.Sprint(w.ask(api, asks...).StatusCode))
		}
		return strings.Join(all, " ")
	}
	api := w.api(apiSpec{routes: to("GET /a"), settings: settings(0.01, 2)})
	if got := statuses(api, 4, "GET /a"); got != "200 200 429 429" {
		t.Errorf("149: %s", got)
	}
	api = w.api(apiSpec{routes: to("GET /a", "GET /b"), route: map[string]types.RouteSettings{"GET /a": *settings(10, 0)}})
	if a, b := statuses(api, 1, "GET /a"), statuses(api, 1, "GET /b"); a != "429" || b != "200" {
		t.Errorf("150: %s, %s", a, b)
	}
	api = w.api(apiSpec{routes: to("GET /a", "GET /b"), settings: settings(0.01, 1), route: map[string]types.RouteSettings{"GET /a": {DetailedMetricsEnabled: aws.Bool(true)}}})
	if a, b := statuses(api, 3, "GET /a"), statuses(api, 2, "GET /b"); a != "200 200 200" || b != "200 429" {
		t.Errorf("151: %s, %s", a, b)
	}
	jwt := &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: aws.String("https://issuer.example.com"), Audience: []string{"a"}}}
	api = w.api(apiSpec{routes: to("GET /a"), settings: settings(0, 1), authorizer: jwt, authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeJwt}})
	if got := statuses(api, 1, "GET /a"); got != "429" {
		t.Errorf("152: %s", got)
	}

	logged := func(format string, routes map[string]target, stages []string, ask string) (line, id string) {
		t.Helper()
		api := w.api(apiSpec{routes: routes, stages: stages, log: &types.AccessLogSettings{Format: &format, DestinationArn: aws.String("arn:aws:logs:us-east-1:" + testAccount + ":log-group:pets")}})
		answer := w.ask(api, ask)
		return log.next(t), answer.Header.Get("Apigw-Requestid")
	}
	const clf = `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`
	line, id := logged(clf, to("GET /pets"), nil, "GET /pets")
	if !regexp.MustCompile(`^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET GET /pets HTTP/1\.1" 200 2 ` + regexp.QuoteMeta(id) + `$`).MatchString(line) {
		t.Errorf("153: %s", line)
	}
	if line, id = logged("$context.requestId $context.authorizer.claims.sub", to("GET /pets"), nil, "GET /pets"); line != id+" -" {
		t.Errorf("154: %s", line)
	}
	if line, id = logged("$context.requestId $context.status $context.responseLength $context.error.message", map[string]target{"GET /pets": {uri: "http://127.0.0.1:1"}}, nil, "GET /pets"); line != id+" 503 33 Service Unavailable" {
		t.Errorf("158: %s", line)
	}
	if line, id = logged("$context.requestId $context.extendedRequestId", to("GET /pets"), nil, "GET /nope"); line != id+" "+id {
		t.Errorf("159: %s, the client got %s", line, id)
	}
	if line, id = logged("$context.requestId $context.path $context.routeKey $context.stage", to("GET /a/b"), []string{"prod"}, "GET /prod/a/b"); line != id+" /prod/a/b GET /a/b prod" {
		t.Errorf("160: %s", line)
	}
	for n, format := range map[int]string{155: "$context.status", 156: "$context.requestId $context.requestHeader.x"} {
		_, err := w.control.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("$default"),
			AccessLogSettings: &types.AccessLogSettings{Format: &format, DestinationArn: aws.String("arn:aws:logs:us-east-1:" + testAccount + ":log-group:pets")}})
		if code(t, err) != "BadRequestException" {
			t.Errorf("%d: %v", n, err)
		}
	}
}
