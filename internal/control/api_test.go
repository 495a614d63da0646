package control

import (
	"fmt"
	"strings"
	"testing"
)

func TestCreateAPI(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct{ name, body, want string }{
		{"minimum HTTP", `{"name":"n","protocolType":"HTTP"}`,
			`{"apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2025-01-02T03:04:05Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"n","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{}}`},
		{"minimum WebSocket", `{"name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`,
			`{"apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2025-01-02T03:04:05Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action","tags":{}}`},
		{"all members", `{"name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"${request.body.a}/$request.body.b","apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","description":"d","disableExecuteApiEndpoint":true,"disableSchemaValidation":true,"ipAddressType":"dualstack","version":"v1","tags":{"a":"b"}}`,
			`{"apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","createdDate":"2025-01-02T03:04:05Z","description":"d","disableExecuteApiEndpoint":true,"disableSchemaValidation":true,"ipAddressType":"dualstack","name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"${request.body.a}/$request.body.b","tags":{"a":"b"},"version":"v1"}`},
		{"empties are omitted", `{"name":"n","protocolType":"HTTP","description":"","tags":{},"corsConfiguration":{},"disableSchemaValidation":true,"routeSelectionExpression":"${request.method} ${request.path}"}`,
			`{"apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2025-01-02T03:04:05Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"n","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{}}`},
	} {
		got := s.call(201, "POST", "/v2/apis", tt.body)
		apiID := id(got, "apiId")
		if !isID(apiID) || len(apiID) != 10 {
			t.Errorf("%s: ID %q", tt.name, apiID)
		}
		scheme := "https"
		if got["protocolType"] == "WEBSOCKET" {
			scheme = "wss"
		}
		if want := scheme + "://" + apiID + ".execute-api.us-east-1.amazonaws.com"; got["apiEndpoint"] != want {
			t.Errorf("%s: endpoint %s, want %s", tt.name, got["apiEndpoint"], want)
		}
		read := s.call(200, "GET", "/v2/apis/"+apiID, "")
		if text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "apiId")
		delete(got, "apiEndpoint")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestEndpointOption(t *testing.T) {
	s := newTester(t, func(o *Options) {
		o.Endpoint = func(apiID, protocol string) string {
			return strings.ToLower(protocol) + "://" + apiID + ".localhost:8080"
		}
	})
	api := s.api("HTTP")
	want := "http://" + strings.TrimPrefix(api, "/v2/apis/") + ".localhost:8080"
	if got := s.call(200, "GET", api, "")["apiEndpoint"]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	stored := s.store.List("api.")
	if strings.Contains(string(stored[0].Data), "localhost") {
		t.Error("the endpoint is stored")
	}
}

func TestAPIMessages(t *testing.T) {
	s := newTester(t)
	http, webSocket := s.api("HTTP"), s.api("WEBSOCKET")
	const (
		create  = "/v2/apis"
		ws      = `{"name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.a"}`
		minHTTP = `{"name":"n","protocolType":"HTTP"}`
	)
	s.refuseAll([]refused{
		{"name missing", 400, "Invalid API name specified", "POST", create, `{"protocolType":"HTTP"}`},
		{"name empty", 400, "Invalid API name specified", "POST", create, `{"name":"","protocolType":"HTTP"}`},
		{"name too long", 400, "Invalid request input: name must have 1 to 128 characters", "POST", create, with(minHTTP, `{"name":"`+strings.Repeat("n", 129)+`"}`)},
		{"protocol missing", 400, "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]", "POST", create, `{"name":"n"}`},
		{"protocol unknown", 400, "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]", "POST", create, `{"name":"n","protocolType":"REST"}`},
		{"HTTP route selection", 400, `Route selection expression is currently limited to "${request.method} ${request.path}"`, "POST", create, with(minHTTP, `{"routeSelectionExpression":"$request.body.a"}`)},
		{"HTTP route selection in an update", 400, `Route selection expression is currently limited to "${request.method} ${request.path}"`, "PATCH", http, `{"routeSelectionExpression":"$request.path"}`},
		{"HTTP route selection cleared", 400, `Route selection expression is currently limited to "${request.method} ${request.path}"`, "PATCH", http, `{"routeSelectionExpression":""}`},
		{"WebSocket route selection missing", 400, "Invalid routeSelectionExpression", "POST", create, `{"name":"n","protocolType":"WEBSOCKET"}`},
		{"WebSocket route selection cleared", 400, "Invalid routeSelectionExpression", "PATCH", webSocket, `{"routeSelectionExpression":""}`},
		{"WebSocket route selection not closed", 400, "Invalid routeSelectionExpression", "PATCH", webSocket, `{"routeSelectionExpression":"${request.body.a"}`},
		{"API key selection", 400, "Invalid apiKeySelectionExpression. Must be one of [$request.header.x-api-key, $context.authorizer.usageIdentifierKey]", "POST", create, with(minHTTP, `{"apiKeySelectionExpression":"$request.header.key"}`)},
		{"API key selection cleared", 400, "Invalid apiKeySelectionExpression. Must be one of [$request.header.x-api-key, $context.authorizer.usageIdentifierKey]", "PATCH", http, `{"apiKeySelectionExpression":""}`},
		{"CORS of a WebSocket API", 400, "Cors is not supported for WEBSOCKET protocolType", "POST", create, with(ws, `{"corsConfiguration":{"allowOrigins":["*"]}}`)},
		{"CORS of a WebSocket API in an update", 400, "Cors is not supported for WEBSOCKET protocolType", "PATCH", webSocket, `{"corsConfiguration":{"maxAge":1}}`},
		{"quick create of a WebSocket API", 400, "target, routeKey and credentialsArn are not supported for WEBSOCKET protocolType", "POST", create, with(ws, `{"target":"https://example.com"}`)},
		{"route key without target", 400, "routeKey and credentialsArn need a target", "POST", create, with(minHTTP, `{"routeKey":"GET /"}`)},
		{"credentials without target", 400, "routeKey and credentialsArn need a target", "POST", create, with(minHTTP, `{"credentialsArn":"arn:aws:iam::123456789012:role/r"}`)},
		{"target that is neither", 400, "Invalid target specified. Must be an HTTP or HTTPS URL or the ARN of a Lambda function", "POST", create, with(minHTTP, `{"target":"ftp://example.com"}`)},
		{"target with a bad route key", 400, "One or more path parts appear to be invalid", "POST", create, with(minHTTP, `{"target":"https://example.com","routeKey":"GET /{a}b"}`)},
		{"target of an API without quick create", 400, "target, routeKey and credentialsArn can only be updated for an API that was made with a target", "PATCH", http, `{"target":"https://example.com"}`},
		{"too many tags", 400, "The resource must not have more than 50 tags", "POST", create, with(minHTTP, `{"tags":`+manyTags(51)+`}`)},
		{"reserved tag", 400, `Invalid tag key "aws:x": a key has 1 to 128 characters and does not start with aws:`, "POST", create, with(minHTTP, `{"tags":{"aws:x":"1"}}`)},
		{"long tag value", 400, `Invalid request input: tags["a"] must have 0 to 1600 characters`, "POST", create, with(minHTTP, `{"tags":{"a":"`+strings.Repeat("v", 1601)+`"}}`)},
		{"unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "GET", "/v2/apis/zzzzzzzzzz", ""},
		{"unknown API in an update", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "PATCH", "/v2/apis/zzzzzzzzzz", `{"name":`},
		{"unknown API in a delete", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "DELETE", "/v2/apis/zzzzzzzzzz", ""},
		{"no ID at all", 404, "Invalid API identifier specified 123456789012:../x", "GET", "/v2/apis/..%2Fx", ""},
	})
	for _, child := range []string{"integrations", "routes", "stages", "deployments"} {
		s.refuse(404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "GET", "/v2/apis/zzzzzzzzzz/"+child, "")
		s.refuse(404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "POST", "/v2/apis/zzzzzzzzzz/"+child, "{")
	}
	s.refuse(404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "DELETE", "/v2/apis/zzzzzzzzzz/cors", "")
}

func manyTags(n int) string {
	tags := map[string]string{}
	for i := range n {
		tags[fmt.Sprintf("k%d", i)] = "v"
	}
	return text(tags)
}

func TestAPIQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.APIs = 2 })
	s.api("HTTP")
	api := s.api("HTTP")
	s.refuse(400, "Maximum number of Apis for this account has been reached.  Please contact AWS if you need additional Apis.", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`)
	s.call(204, "DELETE", api, "")
	s.api("HTTP")
}

func TestDocumentLimit(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.Document = 2000 })
	api := s.api("WEBSOCKET")
	template := `{"integrationType":"MOCK","requestTemplates":{"a":"` + strings.Repeat("x", 2000) + `"}}`
	s.refuse(400, "The API with everything under it must not be larger than 2000 bytes", "POST", api+"/integrations", template)
}

func TestUpdateAPI(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	got := s.call(200, "PATCH", api, `{"description":"d","version":"1","disableExecuteApiEndpoint":true,"ipAddressType":"dualstack","apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","corsConfiguration":{"allowOrigins":["*"],"maxAge":5}}`)
	s.shows(got, `{"description":"d","version":"1","disableExecuteApiEndpoint":true,"ipAddressType":"dualstack","apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","corsConfiguration":{"allowOrigins":["*"],"maxAge":5}}`)
	got = s.call(200, "PATCH", api, `{"name":"m"}`)
	s.shows(got, `{"name":"m","description":"d","version":"1","corsConfiguration":{"allowOrigins":["*"],"maxAge":5}}`)
	got = s.call(200, "PATCH", api, `{"description":"","version":"","corsConfiguration":{"allowMethods":["GET"]}}`)
	s.shows(got, `{"name":"m","description":null,"version":null,"corsConfiguration":{"allowMethods":["GET"]}}`)
	got = s.call(200, "PATCH", api, `{"corsConfiguration":{}}`)
	s.shows(got, `{"corsConfiguration":null}`)
	if read := s.call(200, "GET", api, ""); text(read) != text(got) {
		t.Errorf("read %s, updated %s", text(read), text(got))
	}
}

func TestDeleteAPI(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.route(api, "GET /", s.integration(api))
	s.call(201, "POST", api+"/deployments", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"a"}`)
	other := s.api("HTTP")
	s.call(204, "DELETE", api, "")
	if left := s.store.List(""); len(left) != 1 || left[0].Key != "api."+strings.TrimPrefix(other, "/v2/apis/") {
		t.Errorf("%d documents are left", len(left))
	}
	for _, path := range []string{"", "/routes", "/integrations", "/stages", "/deployments"} {
		if r := s.do("GET", api+path, ""); r.status != 404 {
			t.Errorf("%s: got %d", path, r.status)
		}
	}
}

func TestCors(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for _, tt := range []struct{ name, cors, want string }{
		{"as given", `{"allowOrigins":["https://example.com","http://localhost:3000"],"allowMethods":["GET","*"],"allowHeaders":["x-a"],"exposeHeaders":["*"],"maxAge":-1,"allowCredentials":true}`,
			`{"allowCredentials":true,"allowHeaders":["x-a"],"allowMethods":["GET","*"],"allowOrigins":["https://example.com","http://localhost:3000"],"exposeHeaders":["*"],"maxAge":-1}`},
		{"explicit zeroes", `{"maxAge":0,"allowCredentials":false}`, `{"allowCredentials":false,"maxAge":0}`},
		{"one case", `{"allowOrigins":["HTTPS://Example.COM"],"allowMethods":["get"],"allowHeaders":["X-Amz-Date"],"exposeHeaders":["ETag"]}`,
			`{"allowHeaders":["x-amz-date"],"allowMethods":["GET"],"allowOrigins":["https://example.com"],"exposeHeaders":["etag"]}`},
		{"any origin of a scheme", `{"allowOrigins":["https://*","http://*"],"allowCredentials":true}`, `{"allowCredentials":true,"allowOrigins":["https://*","http://*"]}`},
		{"any origin", `{"allowOrigins":["*"],"allowCredentials":false}`, `{"allowCredentials":false,"allowOrigins":["*"]}`},
	} {
		got := s.call(200, "PATCH", api, `{"corsConfiguration":`+tt.cors+`}`)
		if text(got["corsConfiguration"]) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, text(got["corsConfiguration"]), tt.want)
		}
	}
	long := `["` + strings.Repeat(`a","`, 300) + `a"]`
	const origin = "Invalid format for origin %s. An origin is *, https://*, http://*, or a scheme and a host as in https://example.com, without a path"
	for _, tt := range []struct{ name, cors, message string }{
		{"credentials and any origin", `{"allowOrigins":["https://a","*"],"allowCredentials":true}`, "allow-credentials is not supported if 'allow-origin' is *"},
		{"origin without a scheme", `{"allowOrigins":["example.com"]}`, fmt.Sprintf(origin, "example.com")},
		{"origin with a slash", `{"allowOrigins":["https://example.com/"]}`, fmt.Sprintf(origin, "https://example.com/")},
		{"origin with a wildcard in the host", `{"allowOrigins":["https://*.example.com"]}`, fmt.Sprintf(origin, "https://*.example.com")},
		{"other scheme", `{"allowOrigins":["ftp://example.com"]}`, fmt.Sprintf(origin, "ftp://example.com")},
		{"empty origin", `{"allowOrigins":[""]}`, fmt.Sprintf(origin, "")},
		{"method", `{"allowMethods":["GE T"]}`, "Invalid method GE T in allowMethods"},
		{"header", `{"allowHeaders":["a\nb"]}`, "Invalid header name a\nb in the CORS configuration"},
		{"exposed header", `{"exposeHeaders":[""]}`, "Invalid header name  in the CORS configuration"},
		{"too many", `{"exposeHeaders":` + long + `}`, "exposeHeaders must not have more than 300 entries"},
	} {
		s.refuse(400, tt.message, "PATCH", api, `{"corsConfiguration":`+tt.cors+`}`)
	}
	s.call(204, "DELETE", api+"/cors", "")
	s.shows(s.call(200, "GET", api, ""), `{"corsConfiguration":null}`)
	before := s.store.Last()
	s.call(204, "DELETE", api+"/cors", "")
	if s.store.Last() != before {
		t.Error("deleting what is not there was a commit")
	}
	s.call(204, "DELETE", s.api("WEBSOCKET")+"/cors", "")
}

func TestQuickCreate(t *testing.T) {
	const (
		function = "arn:aws:lambda:us-east-1:123456789012:function:f"
		invoke   = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
	)
	for _, tt := range []struct{ name, more, integration, routeKey string }{
		{"URL", `{"target":"https://example.com/a"}`, `{"apiGatewayManaged":true,"integrationType":"HTTP_PROXY","integrationMethod":"ANY","payloadFormatVersion":"1.0","integrationUri":"https://example.com/a","connectionType":"INTERNET","timeoutInMillis":30000,"credentialsArn":null}`, "$default"},
		{"function", `{"target":"` + function + `","credentialsArn":"arn:aws:iam::123456789012:role/r"}`, `{"apiGatewayManaged":true,"integrationType":"AWS_PROXY","integrationMethod":"POST","payloadFormatVersion":"2.0","integrationUri":"` + function + `","credentialsArn":"arn:aws:iam::123456789012:role/r"}`, "$default"},
		{"function to invoke, with a route key", `{"target":"` + invoke + `","routeKey":"GET /x"}`, `{"apiGatewayManaged":true,"integrationType":"AWS_PROXY","payloadFormatVersion":"2.0","integrationUri":"` + invoke + `"}`, "GET /x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTester(t)
			created := s.call(201, "POST", "/v2/apis", with(`{"name":"q","protocolType":"HTTP"}`, tt.more))
			s.shows(created, `{"apiGatewayManaged":null,"target":null,"routeKey":null}`)
			if n := s.store.Last(); n != 1 {
				t.Errorf("%d commits, want one", n)
			}
			api := "/v2/apis/" + id(created, "apiId")
			integration := s.only(api + "/integrations")
			s.shows(integration, tt.integration)
			route := s.only(api + "/routes")
			s.shows(route, `{"apiGatewayManaged":true,"apiKeyRequired":false,"authorizationType":"NONE","routeKey":"`+tt.routeKey+`","target":"integrations/`+id(integration, "integrationId")+`"}`)
			stage := s.only(api + "/stages")
			deployment := s.only(api + "/deployments")
			s.shows(stage, `{"apiGatewayManaged":true,"autoDeploy":true,"stageName":"$default","deploymentId":"`+id(deployment, "deploymentId")+`","lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+id(deployment, "deploymentId")+`'"}`)

			const managed = "Cannot delete/update resource managed by API Gateway"
			s.refuse(400, managed, "DELETE", api+"/integrations/"+id(integration, "integrationId"), "")
			s.refuse(400, managed, "DELETE", api+"/routes/"+id(route, "routeId"), "")
			s.refuse(400, managed, "DELETE", api+"/stages/%24default", "")
			s.refuse(400, managed, "PATCH", api+"/stages/%24default", `{"description":"d"}`)
			s.refuse(400, managed, "DELETE", api+"/stages/%24default/accesslogsettings", "")
			s.shows(s.call(200, "PATCH", api+"/integrations/"+id(integration, "integrationId"), `{"description":"d"}`), `{"description":"d","apiGatewayManaged":true}`)
		})
	}
}

// only returns the one item of a list.
func (t *tester) only(path string) map[string]any {
	t.Helper()
	items := t.call(200, "GET", path, "")["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("%s: %d items, want one", path, len(items))
	}
	return items[0].(map[string]any)
}

func TestQuickUpdate(t *testing.T) {
	s := newTester(t)
	api := "/v2/apis/" + id(s.call(201, "POST", "/v2/apis", `{"name":"q","protocolType":"HTTP","routeKey":"GET /x","target":"https://example.com"}`), "apiId")
	before := s.only(api + "/integrations")
	s.call(200, "PATCH", api, `{"target":"arn:aws:lambda:us-east-1:123456789012:function:f","routeKey":"POST /y","credentialsArn":"arn:aws:iam::123456789012:role/r"}`)
	integration := s.only(api + "/integrations")
	s.shows(integration, `{"integrationId":"`+id(before, "integrationId")+`","integrationType":"AWS_PROXY","integrationMethod":"POST","payloadFormatVersion":"2.0","integrationUri":"arn:aws:lambda:us-east-1:123456789012:function:f","credentialsArn":"arn:aws:iam::123456789012:role/r"}`)
	s.shows(s.only(api+"/routes"), `{"routeKey":"POST /y"}`)
	deployments := s.call(200, "GET", api+"/deployments", "")["items"].([]any)
	if len(deployments) != 2 {
		t.Errorf("%d deployments, want 2", len(deployments))
	}
	s.refuse(400, "Invalid request input: target must have 1 to 2048 characters", "PATCH", api, `{"target":""}`)

	api = "/v2/apis/" + id(s.call(201, "POST", "/v2/apis", `{"name":"q","protocolType":"HTTP","target":"https://example.com"}`), "apiId")
	const message = "The route key of the $default route that is managed by API Gateway cannot be modified"
	s.refuse(400, message, "PATCH", api, `{"routeKey":"GET /"}`)
	s.refuse(400, message, "PATCH", api+"/routes/"+id(s.only(api+"/routes"), "routeId"), `{"routeKey":"GET /"}`)
	s.call(200, "PATCH", api, `{"routeKey":"$default","target":"https://example.org"}`)
	s.shows(s.only(api+"/integrations"), `{"integrationUri":"https://example.org"}`)
}
