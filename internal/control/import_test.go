package control

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/store"
)

// imports sends a document that must be taken, and returns the path of the API.
func (t *tester) imports(document string) (path string, answer map[string]any) {
	t.Helper()
	answer = t.call(201, "PUT", "/v2/apis", documentBody(document))
	return "/v2/apis/" + id(answer, "apiId"), answer
}

// keys returns the route keys of an API, sorted.
func (t *tester) keys(api string) []string {
	t.Helper()
	var all []string
	for _, route := range t.list(api + "/routes?maxResults=500") {
		all = append(all, id(route, "routeKey"))
	}
	slices.Sort(all)
	return all
}

// contents returns everything that is answered about an API and what stands under it,
// with names in the place of IDs and without dates.
func (t *tester) contents(api string) string {
	t.Helper()
	shown := t.call(200, "GET", api, "")
	names := []string{strings.TrimPrefix(api, "/v2/apis/"), "API"}
	drop := func(m map[string]any, members ...string) string {
		for _, name := range members {
			delete(m, name)
		}
		return text(m)
	}
	var lines []string
	for _, a := range t.list(api + "/authorizers?maxResults=500") {
		names = append(names, id(a, "authorizerId"), "authorizer:"+id(a, "name"))
		lines = append(lines, drop(a, "authorizerId"))
	}
	integrations := map[string]string{}
	for _, i := range t.list(api + "/integrations?maxResults=500") {
		integrations["integrations/"+id(i, "integrationId")] = drop(i, "integrationId", "description")
	}
	for _, r := range t.list(api + "/routes?maxResults=500") {
		lines = append(lines, drop(r, "routeId")+" "+integrations[id(r, "target")])
		names = append(names, strings.TrimPrefix(id(r, "target"), "integrations/")+`"`, `integration"`)
	}
	slices.Sort(lines)
	lines = append([]string{drop(shown, "createdDate", "apiEndpoint")}, lines...)
	replaced := strings.NewReplacer(names...).Replace(strings.Join(lines, "\n"))
	all := strings.Split(replaced, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

const petsDocument = `openapi: 3.0.1
info: {title: pets, version: 1.0}
servers: [{url: "https://h/{basePath}", variables: {basePath: {default: v1/api}}}]
tags: [{name: owner, x-amazon-apigateway-tag-value: me}, {name: plain}]
paths:
  /pets/{id}:
    get:
      security: [{jwt: [read]}]
      x-amazon-apigateway-integration: {$ref: "#/components/x-amazon-apigateway-integrations/be"}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "https://up/", payloadFormatVersion: 1.0}
components:
  securitySchemes:
    jwt: {type: openIdConnect, openIdConnectUrl: "https://i.example.com/.well-known/openid-configuration",
          x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {audience: [a]}}}
  x-amazon-apigateway-integrations:
    be: {type: AWS_PROXY, httpMethod: POST, payloadFormatVersion: 2.0, uri: "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f-${stageVariables.v}"}
`

// What a document describes is what there is: routes with their targets and
// authorizers, tags, and variables filled in with what the server is.
func TestImport(t *testing.T) {
	s := newTester(t)
	api, answer := s.imports(petsDocument)
	apiID := strings.TrimPrefix(api, "/v2/apis/")
	want := `{"apiEndpoint":"https://` + apiID + `.execute-api.us-east-1.amazonaws.com","apiId":"` + apiID + `","apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2025-01-02T03:04:05Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"pets","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{"owner":"me","plain":""},"version":"1.0"}`
	if text(answer) != want {
		t.Errorf("answered %s, want %s", text(answer), want)
	}
	if read := s.call(200, "GET", api, ""); text(read) != want {
		t.Errorf("read %s, want %s", text(read), want)
	}
	authorizer := s.only(api + "/authorizers")
	s.shows(authorizer, `{"name":"jwt","authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["a"],"issuer":"https://i.example.com"}}`)
	if keys := s.keys(api); text(keys) != `["$default","GET /pets/{id}"]` {
		t.Errorf("routes %v", keys)
	}
	for _, route := range s.list(api + "/routes?maxResults=500") {
		integration := s.call(200, "GET", api+"/"+id(route, "target"), "")
		if id(route, "routeKey") == "$default" {
			s.shows(route, `{"authorizationType":"NONE","authorizerId":null,"apiGatewayManaged":null}`)
			s.shows(integration, `{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"https://up/","payloadFormatVersion":"1.0","timeoutInMillis":30000}`)
			continue
		}
		s.shows(route, `{"authorizationType":"JWT","authorizerId":"`+id(authorizer, "authorizerId")+`","authorizationScopes":["read"]}`)
		s.shows(integration, `{"integrationType":"AWS_PROXY","integrationMethod":"POST","integrationUri":"arn:aws:lambda:us-east-1:123456789012:function:f-${stageVariables.v}","payloadFormatVersion":"2.0"}`)
	}
	for _, empty := range []string{"/stages", "/deployments", "/models"} {
		if left := s.list(api + empty + "?maxResults=500"); len(left) != 0 {
			t.Errorf("%s: %s", empty, text(left))
		}
	}
	// Of the server that imports, not of a real one.
	china := &tester{t, New(Options{Store: s.store, Account: "999999999999", Region: "cn-north-1", Partition: "aws-cn", Now: s.server.Now, Log: s.server.Log}), s.store}
	api, _ = china.imports(petsDocument)
	if found := text(china.list(api + "/integrations?maxResults=500")); !strings.Contains(found, "arn:aws-cn:lambda:cn-north-1:999999999999:function:f-${stageVariables.v}") {
		t.Errorf("variables: %s", found)
	}
}

func TestImportBasePaths(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct{ query, want string }{
		{"", `["$default","GET /pets/{id}"]`},
		{"?basepath=ignore", `["$default","GET /pets/{id}"]`},
		{"?basepath=prepend", `["$default","GET /v1/api/pets/{id}"]`},
		{"?basepath=split", `["$default","GET /api/pets/{id}"]`},
		{"?basePath=prepend", `["$default","GET /pets/{id}"]`}, // no such parameter
	} {
		api := "/v2/apis/" + id(s.call(201, "PUT", "/v2/apis"+tt.query, documentBody(petsDocument)), "apiId")
		if got := text(s.keys(api)); got != tt.want {
			t.Errorf("import %s: got %s, want %s", tt.query, got, tt.want)
		}
		s.call(201, "PUT", api+tt.query, documentBody(petsDocument))
		if got := text(s.keys(api)); got != tt.want {
			t.Errorf("reimport %s: got %s, want %s", tt.query, got, tt.want)
		}
		s.refuse(400, "Errors found during import:\n\tbasepath: must be ignore, prepend or split", "PUT", api+"?basepath=other", documentBody(petsDocument))
		s.call(204, "DELETE", api, "")
	}
}

// withPaths returns a document with paths, and with components if they are given.
func withPaths(paths string, more ...string) string {
	return `{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{` + paths + `}` + strings.Join(append([]string{""}, more...), ",") + `}`
}

// proxy is an integration that works, with more members.
func proxy(more string) string {
	return `{"x-amazon-apigateway-integration":` + with(`{"type":"http_proxy","httpMethod":"ANY","uri":"https://example.com","payloadFormatVersion":"1.0"}`, more) + `}`
}

// A document that breaks a rule is refused as a whole. All that is wrong is told, each
// with where it stands, and nothing is changed: there is no new API, and an API that
// was to be replaced is what it was.
func TestImportErrors(t *testing.T) {
	s := newTester(t)
	api, _ := s.imports(petsDocument)
	s.call(201, "POST", api+"/stages", `{"stageName":"live","autoDeploy":true}`)
	before := s.contents(api)
	const (
		bad       = "Errors found during import:"
		part      = "One or more path parts appear to be invalid"
		atA       = "\n\tpaths.'/a'(get).x-amazon-apigateway-integration: "
		request   = `"components":{"securitySchemes":{"au":{"type":"apiKey","name":"k","in":"header","x-amazon-apigateway-authorizer":`
		requestAt = "\n\tcomponents.securitySchemes.au: "
	)
	invoke := `{"type":"request","authorizerUri":"` + invokeARN + `","authorizerPayloadFormatVersion":"2.0"}`
	for _, tt := range []struct{ name, document, message string }{
		{"a path part", withPaths(`"/{id}.json":{"get":` + proxy(`{}`) + `}`), bad + "\n\tpaths.'/{id}.json'(get): " + part},
		{"a greedy variable in the middle", withPaths(`"/{all+}/x":{"get":` + proxy(`{}`) + `}`), bad + "\n\tpaths.'/{all+}/x'(get): " + part},
		{"conflicting variables", withPaths(`"/a/{x}":{"get":` + proxy(`{}`) + `},"/a/{y}/z":{"get":` + proxy(`{}`) + `}`), bad + "\n\tpaths.'/a/{y}/z'(get): " + `The provided route key "GET /a/{y}/z" has a conflicting variable on the same hierarchical level as "GET /a/{x}"`},
		{"two default routes", withPaths(`"/$default":{"x-amazon-apigateway-any-method":` + proxy(`{}`) + `},"/x":{"x-amazon-apigateway-any-method":{"isDefaultRoute":true}}`), bad + "\n\tpaths.'/x'(x-amazon-apigateway-any-method): Route with key $default already exists for this API"},
		{"an integration without a method", withPaths(`"/a":{"get":` + proxy(`{"httpMethod":null}`) + `}`), bad + atA + "HttpMethod parameter method must be specified for integrationType HTTPPROXY"},
		{"an unknown method", withPaths(`"/a":{"get":` + proxy(`{"httpMethod":"FETCH"}`) + `}`), bad + atA + "Invalid HTTP method specified: FETCH"},
		{"no URI", withPaths(`"/a":{"get":` + proxy(`{"uri":null}`) + `}`), bad + atA + "IntegrationUri must be specified for integrations of type HTTP_PROXY"},
		{"a URI that is a file", withPaths(`"/a":{"get":` + proxy(`{"uri":"file:///etc/passwd"}`) + `}`), bad + atA + "Invalid integration uri specified: file:///etc/passwd. Must be an HTTP or HTTPS URL"},
		{"a version", withPaths(`"/a":{"get":` + proxy(`{"payloadFormatVersion":"3.0"}`) + `}`), bad + atA + "Unsupported PayloadFormatVersion: 3.0"},
		{"a version of HTTP_PROXY", withPaths(`"/a":{"get":` + proxy(`{"payloadFormatVersion":2.0}`) + `}`), bad + atA + "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY"},
		{"a timeout", withPaths(`"/a":{"get":` + proxy(`{"timeoutInMillis":30001}`) + `}`), bad + atA + "Timeout should be between 50 ms and 30000 ms"},
		{"a link without an ID", withPaths(`"/a":{"get":` + proxy(`{"connectionType":"VPC_LINK"}`) + `}`), bad + atA + "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK"},
		{"a link to a URL", withPaths(`"/a":{"get":` + proxy(`{"connectionType":"VPC_LINK","connectionId":"v"}`) + `}`), bad + atA + "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN."},
		{"a reserved header", withPaths(`"/a":{"get":` + proxy(`{"requestParameters":{"overwrite:header.authorization":"x"}}`) + `}`), bad + atA + "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Operations on header authorization are restricted]"},
		{"a status code", withPaths(`"/a":{"get":` + proxy(`{"responseParameters":{"100":{"append:header.a":"b"}}}`) + `}`), bad + atA + "Status Code 100 is not valid"},
		{"an unknown subtype", withPaths(`"/a":{"get":` + proxy(`{"type":"aws_proxy","integrationSubtype":"X-Y","uri":null}`) + `}`), bad + atA + "Operation: X-Y is not supported."},
		{"several requirements", withPaths(`"/a":{"get":{"security":[{"au":[]},{"other":[]}]}}`, request+invoke+`}}}`), bad + "\n\tpaths.'/a'(get).security: must not have more than one security requirement"},
		{"an unknown scheme", withPaths(`"/a":{"get":{"security":[{"other":[]}]}}`), bad + "\n\tpaths.'/a'(get).security[0]: the security scheme \"other\" is not in components.securitySchemes"},
		{"an authorizer without a version", withPaths(``, request+`{"type":"request","authorizerUri":"`+invokeARN+`"}}}}`), bad + requestAt + "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"},
		{"an authorizer without a function", withPaths(``, request+`{"type":"request","authorizerPayloadFormatVersion":2.0}}}}`), bad + requestAt + "AuthorizerUri is a required field in an Authorizer"},
		{"the time results are kept", withPaths(``, request+with(invoke, `{"authorizerResultTtlInSeconds":3601}`)+`}}}`), bad + requestAt + "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."},
		{"an issuer that is no URL", withPaths(``, `"components":{"securitySchemes":{"au":{"type":"oauth2","x-amazon-apigateway-authorizer":{"type":"jwt","identitySource":"$request.header.Authorization","jwtConfiguration":{"issuer":"issuer","audience":["a"]}}}}}`), bad + requestAt + "Invalid issuer: Issuer is not a valid URL for JWT Authorizer"},
		{"a reserved tag", withPaths(``, `"tags":[{"name":"aws:x"}]`), bad + "\n\ttags: " + `Invalid tag key "aws:x": a key has 1 to 128 characters and does not start with aws:`},
		{"a CORS origin", withPaths(``, `"x-amazon-apigateway-cors":{"allowOrigins":["https://example.com/path"]}`), bad + "\n\tx-amazon-apigateway-cors: " + "Invalid format for origin https://example.com/path. An origin is *, https://*, http://*, or a scheme and a host as in https://example.com, without a path"},
		{"CORS with credentials", withPaths(``, `"x-amazon-apigateway-cors":{"allowOrigins":["*"],"allowCredentials":true}`), bad + "\n\tx-amazon-apigateway-cors: allow-credentials is not supported if 'allow-origin' is *"},
		{"no title", `{"openapi":"3.0.1","info":{"version":"1"},"paths":{}}`, bad + "\n\tinfo.title: is missing"},
		{"Swagger", `{"swagger":"2.0","info":{"title":"t","version":"1"},"paths":{}}`, bad + "\n\tswagger: Swagger documents are not supported, only OpenAPI 3.0"},
		{"another version", `{"openapi":"2.9","info":{"title":"t","version":"1"},"paths":{}}`, bad + "\n\topenapi: only OpenAPI 3.0 is supported, not \"2.9\""},
		{"empty", ``, bad + "\n\tthe document is empty"},
		{"space", " \n\t", bad + "\n\tthe document is empty"},
		{"everything at once", withPaths(`"/{id}.json":{"get":`+proxy(`{"timeoutInMillis":1}`)+`},"/b":{"post":`+proxy(`{"httpMethod":null}`)+`,"get":{"security":[{"au":[]}]}},"/c/{x}":{"get":`+proxy(`{}`)+`},"/c/{y}":{"put":`+proxy(`{}`)+`}`, request+`{"type":"request"}}}}`),
			bad + requestAt + "AuthorizerUri is a required field in an Authorizer" +
				"\n\tpaths.'/{id}.json'(get).x-amazon-apigateway-integration: Timeout should be between 50 ms and 30000 ms" +
				"\n\tpaths.'/b'(post).x-amazon-apigateway-integration: HttpMethod parameter method must be specified for integrationType HTTPPROXY" +
				"\n\tpaths.'/{id}.json'(get): " + part +
				"\n\tpaths.'/c/{y}'(put): " + `The provided route key "PUT /c/{y}" has a conflicting variable on the same hierarchical level as "GET /c/{x}"`},
		{"errors and warnings", withPaths(`"/a":{"get":` + proxy(`{"timeoutInMillis":1}`) + `,"trace":{}}`),
			bad + atA + "Timeout should be between 50 ms and 30000 ms\nWarnings found during import:\n\tpaths.'/a'(trace): the method is not supported, ignored"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sub := &tester{t, s.server, s.store}
			for _, query := range []string{"", "?failOnWarnings=true"} {
				sub.refuse(400, tt.message, "PUT", "/v2/apis"+query, documentBody(tt.document))
				sub.refuse(400, tt.message, "PUT", api+query, documentBody(tt.document))
			}
		})
	}
	if after := s.contents(api); after != before {
		t.Errorf("the API is\n%s\nand was\n%s", after, before)
	}
	if n := len(s.list("/v2/apis?maxResults=500")); n != 1 {
		t.Errorf("%d APIs", n)
	}
}

// What can be left out is a warning, that has no meaning is info. Both are told with
// the answer, and not again.
func TestImportWarnings(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct {
		name, document string
		warnings, info []string
		keys           string
	}{
		{"nothing", smallDocument, nil, nil, `["GET /a"]`},
		{"a schema that is missing", withPaths(`"/update":{"get":` + with(proxy(`{}`), `{"responses":{"200":{"description":"d","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ModelThatDoesNotExist"}}}}}}`) + `}`),
			[]string{"Parse issue: attribute paths.'/update'(get).responses.200.content.schema.#/components/schemas/ModelThatDoesNotExist is missing"}, []string{"paths.'/update'(get).responses: not supported for HTTP APIs, ignored"}, `["GET /update"]`},
		{"$default without a slash", withPaths(`"$default":{"x-amazon-apigateway-any-method":` + proxy(`{}`) + `}`), []string{"Parse issue: attribute paths. Resource $default should start with /"}, nil, `["$default"]`},
		{"trace", withPaths(`"/a":{"trace":` + proxy(`{}`) + `}`), []string{"paths.'/a'(trace): the method is not supported, ignored"}, nil, `[]`},
		{"an integration of REST", withPaths(`"/a":{"get":{"x-amazon-apigateway-integration":{"type":"mock"}}}`), []string{"paths.'/a'(get).x-amazon-apigateway-integration: Unsupported integration type mock for GET /a"}, nil, `["GET /a"]`},
		{"an authorizer of REST", withPaths(`"/a":{"get":{"security":[{"au":[]}]}}`, `"components":{"securitySchemes":{"au":{"type":"apiKey","name":"k","in":"header","x-amazon-apigateway-authorizer":{"type":"token"}}}}`),
			[]string{"components.securitySchemes.au.x-amazon-apigateway-authorizer: Unable to create Authorizer 'au': HTTP APIs have no authorizers of type token", "paths.'/a'(get).security: the authorizer au cannot be created: the route was not created"}, nil, `[]`},
		{"a request body", withPaths(`"/a":{"post":` + with(proxy(`{}`), `{"requestBody":{"content":{}}}`) + `}`), nil, []string{"paths.'/a'(post).requestBody: not supported for HTTP APIs, ignored"}, `["POST /a"]`},
		{"OpenAPI 3.1", strings.Replace(smallDocument, "3.0.1", "3.1.0", 1), []string{"openapi: OpenAPI 3.1 is treated as 3.0"}, nil, `["GET /a"]`},
		{"a reference out of the document", withPaths(`"/a":{"get":{"x-amazon-apigateway-integration":{"$ref":"https://example.com/x"}}}`), []string{"paths.'/a'(get).x-amazon-apigateway-integration: the reference https://example.com/x leads out of the document, ignored"}, nil, `["GET /a"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sub := &tester{t, s.server, s.store}
			api, answer := sub.imports(tt.document)
			for name, want := range map[string][]string{"warnings": tt.warnings, "importInfo": tt.info} {
				if got := answer[name]; want == nil && got != nil || want != nil && text(got) != text(want) {
					t.Errorf("%s: got %s, want %s", name, text(got), text(want))
				}
			}
			if read := sub.call(200, "GET", api, ""); read["warnings"] != nil || read["importInfo"] != nil {
				t.Errorf("read %s", text(read))
			}
			if got := text(append([]string{}, sub.keys(api)...)); got != tt.keys {
				t.Errorf("routes %s, want %s", got, tt.keys)
			}
			target, _ := sub.imports(petsDocument)
			before := sub.contents(target)
			for _, path := range []string{"/v2/apis", target} {
				if tt.warnings == nil {
					sub.call(201, "PUT", path+"?failOnWarnings=true", documentBody(tt.document))
				} else {
					sub.refuse(400, "Warnings found during import:\n\t"+strings.Join(tt.warnings, "\n\t"), "PUT", path+"?failOnWarnings=true", documentBody(tt.document))
				}
			}
			if after := sub.contents(target); tt.warnings != nil && after != before {
				t.Errorf("the API is\n%s\nand was\n%s", after, before)
			}
		})
	}
	s.refuse(400, "failOnWarnings: must be true or false", "PUT", "/v2/apis?failOnWarnings=yes", documentBody(smallDocument))
}

// A reimport makes the API what the document says, and keeps what is not the
// document's to say.
func TestReimport(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	api, _ := s.imports(petsDocument)
	apiID := strings.TrimPrefix(api, "/v2/apis/")
	s.call(200, "PATCH", api, `{"description":"d","corsConfiguration":{"allowOrigins":["*"]},"disableExecuteApiEndpoint":true}`)
	s.call(201, "POST", "/v2/tags/"+arnPrefix+"/apis/"+apiID, `{"tags":{"configured":"yes","owner":"you"}}`)
	deployment := s.call(201, "POST", api+"/deployments", `{"description":"old"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"live","deploymentId":"`+id(deployment, "deploymentId")+`","stageVariables":{"a":"b"},"routeSettings":{"GET /pets/{id}":{"throttlingBurstLimit":1}},"tags":{"c":"d"}}`)
	s.call(201, "POST", "/v2/domainnames", `{"domainName":"d.example.com","domainNameConfigurations":[{"certificateArn":"`+certificate+`"}]}`)
	mapping := s.call(201, "POST", "/v2/domainnames/d.example.com/apimappings", `{"apiId":"`+apiID+`","stage":"live"}`)
	stage := s.call(200, "GET", api+"/stages/live", "")
	old := map[string]bool{}
	for _, kind := range []string{"routes", "integrations", "authorizers"} {
		for _, item := range s.list(api + "/" + kind + "?maxResults=500") {
			old[id(item, strings.TrimSuffix(kind, "s")+"Id")] = true
		}
	}

	now = now.Add(time.Hour)
	answer := s.call(201, "PUT", api, documentBody(`{"openapi":"3.0.1","info":{"title":"toys","version":"2"},"tags":[{"name":"owner","x-amazon-apigateway-tag-value":"us"},{"name":"new"}],"paths":{"/update":{"get":`+proxy(`{}`)+`}}}`))
	s.shows(answer, `{"apiId":"`+apiID+`","name":"toys","version":"2","description":"d","createdDate":"2025-01-02T03:04:05Z","corsConfiguration":null,"disableExecuteApiEndpoint":true,"tags":{"configured":"yes","new":"","owner":"us","plain":""},"warnings":null,"importInfo":null}`)
	if read := s.call(200, "GET", api, ""); text(read) != text(answer) {
		t.Errorf("read %s, answered %s", text(read), text(answer))
	}
	if keys := s.keys(api); text(keys) != `["GET /update"]` {
		t.Errorf("routes %v", keys)
	}
	s.only(api + "/integrations")
	if left := s.list(api + "/authorizers?maxResults=500"); len(left) != 0 {
		t.Errorf("authorizers %s", text(left))
	}
	for oldID := range old {
		for _, kind := range []string{"routes", "integrations", "authorizers"} {
			s.call(404, "GET", api+"/"+kind+"/"+oldID, "")
		}
	}
	if after := s.call(200, "GET", api+"/stages/live", ""); text(after) != text(stage) {
		t.Errorf("the stage is %s and was %s", text(after), text(stage))
	}
	if after := s.only(api + "/deployments"); text(after) != text(deployment) {
		t.Errorf("the deployment is %s and was %s", text(after), text(deployment))
	}
	if after := s.call(200, "GET", "/v2/domainnames/d.example.com/apimappings/"+id(mapping, "apiMappingId"), ""); text(after) != text(mapping) {
		t.Errorf("the mapping is %s and was %s", text(after), text(mapping))
	}
	// What the document says of the rest replaces it, too.
	s.shows(s.call(201, "PUT", api, documentBody(`{"openapi":"3.0.1","info":{"title":"toys","version":"3","description":"e"},"paths":{},"x-amazon-apigateway-cors":{"allowMethods":["get"],"maxAge":0},"servers":[{"x-amazon-apigateway-endpoint-configuration":{"disableExecuteApiEndpoint":false}}]}`)),
		`{"description":"e","version":"3","corsConfiguration":{"allowMethods":["GET"],"maxAge":0},"disableExecuteApiEndpoint":false,"tags":{"configured":"yes","new":"","owner":"us","plain":""}}`)
	if keys := s.keys(api); len(keys) != 0 {
		t.Errorf("routes %v", keys)
	}
}

// What a quick create has made is replaced, too, but for the stage, which stays.
func TestReimportOfAQuickCreate(t *testing.T) {
	s := newTester(t)
	api := "/v2/apis/" + id(s.call(201, "POST", "/v2/apis", `{"name":"q","protocolType":"HTTP","target":"https://example.com"}`), "apiId")
	s.call(201, "PUT", api, documentBody(smallDocument))
	s.shows(s.only(api+"/routes"), `{"routeKey":"GET /a","apiGatewayManaged":null}`)
	s.shows(s.only(api+"/integrations"), `{"apiGatewayManaged":null}`)
	s.shows(s.only(api+"/stages"), `{"stageName":"$default","apiGatewayManaged":true,"autoDeploy":true}`)
}

// A counting store notes what is put under deployments of each commit.
type counting struct {
	store.Store
	mu      sync.Mutex // guards commits
	commits [][]store.Change
}

func (c *counting) Append(ctx context.Context, b store.Batch) (store.Commit, error) {
	c.mu.Lock()
	c.commits = append(c.commits, b.Changes)
	c.mu.Unlock()
	return c.Store.Append(ctx, b)
}

// A stage that follows every change gets one deployment of the whole document, in the
// same commit: until then the old one serves, and after a refusal, too.
func TestReimportDeploysOnce(t *testing.T) {
	c := &counting{}
	s := newTester(t, func(o *Options) { c.Store, o.Store = o.Store, c })
	api, _ := s.imports(petsDocument)
	apiID := strings.TrimPrefix(api, "/v2/apis/")
	s.call(201, "POST", api+"/stages", `{"stageName":"auto","autoDeploy":true}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"second","autoDeploy":true}`)
	manual := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
	s.call(201, "POST", api+"/stages", `{"stageName":"manual","deploymentId":"`+manual+`"}`)
	first := id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId")
	deployments := len(s.list(api + "/deployments?maxResults=500"))

	c.commits = nil
	s.call(400, "PUT", api, documentBody(withPaths(`"/{x}y":{"get":{}}`)))
	s.call(400, "PUT", api+"?failOnWarnings=true", documentBody(withPaths(`"/x":{"trace":{}}`)))
	if len(c.commits) != 0 || id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId") != first {
		t.Errorf("a refusal has made %d commits", len(c.commits))
	}

	var paths []string
	for i := range 50 {
		paths = append(paths, fmt.Sprintf(`"/p%d":{"get":%s,"post":%s}`, i, proxy(`{}`), proxy(`{}`)))
	}
	s.call(201, "PUT", api, documentBody(withPaths(strings.Join(paths, ","))))
	if len(c.commits) != 1 {
		t.Fatalf("%d commits, want 1: what is between them could be served", len(c.commits))
	}
	made := 0
	for _, change := range c.commits[0] {
		if strings.HasPrefix(change.Key, "deployment."+apiID+".") && !change.Delete {
			made++
		}
	}
	second := id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId")
	if made != 1 || len(s.list(api+"/deployments?maxResults=500")) != deployments+1 || second == first {
		t.Errorf("%d deployments, from %s to %s, want one new one", made, first, second)
	}
	s.shows(s.call(200, "GET", api+"/stages/auto", ""), `{"lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+second+`'"}`)
	s.shows(s.call(200, "GET", api+"/stages/second", ""), `{"deploymentId":"`+second+`"}`)
	s.shows(s.call(200, "GET", api+"/stages/manual", ""), `{"deploymentId":"`+manual+`"}`)
	s.shows(s.call(200, "GET", api+"/deployments/"+second, ""), `{"autoDeployed":true,"deploymentStatus":"DEPLOYED"}`)
	s.call(200, "GET", api+"/deployments/"+first, "")

	// With nothing to deploy the stage keeps what it has, and says so.
	s.call(201, "PUT", api, documentBody(withPaths(`"/a":{"get":{}}`)))
	s.shows(s.call(200, "GET", api+"/stages/auto", ""), `{"deploymentId":"`+second+`","lastDeploymentStatusMessage":"Deployment attempt failed: Unable to deploy API because no routes exist in this API"}`)
	// An import makes no stage, and so no deployment.
	c.commits = nil
	s.imports(petsDocument)
	if len(c.commits) != 1 || len(c.commits[0]) != 1 {
		t.Errorf("an import has made %d commits", len(c.commits))
	}
}

func TestImportRefuses(t *testing.T) {
	s := newTester(t)
	ws, api := s.api("WEBSOCKET"), s.api("HTTP")
	const protocol = "Only HTTP APIs are supported for import/export"
	s.refuseAll([]refused{
		{"no body", 400, "Invalid request input: body is required", "PUT", "/v2/apis", ``},
		{"null", 400, "Invalid request input: body is required", "PUT", "/v2/apis", `{"body":null}`},
		{"an object", 400, "body: must be a string", "PUT", "/v2/apis", `{"body":{"openapi":"3.0.1"}}`},
		{"the member in capitals", 400, "Invalid request input: body is required", "PUT", "/v2/apis", `{"Body":"x"}`},
		{"no body of a reimport", 400, "Invalid request input: body is required", "PUT", api, `{}`},
		{"WebSocket", 400, protocol, "PUT", ws, documentBody(petsDocument)},
		{"WebSocket, a document that is none", 400, protocol, "PUT", ws, documentBody("{")},
		{"unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "PUT", "/v2/apis/zzzzzzzzzz", documentBody(petsDocument)},
		{"unknown API and no document", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "PUT", "/v2/apis/zzzzzzzzzz", `{`},
		{"export of WebSocket", 400, protocol, "GET", ws + "/exports/OAS30?outputType=JSON", ""},
	})
	for _, hostile := range []string{
		"a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
		"a: &a [*a]", strings.Repeat("[", 1000), strings.Repeat("{\"a\":", 1000), "!!binary x", "\xff\xfe", "\x00", "---\n---\n", "{", "[]", "null", "1", `"openapi"`, "openapi: 3.0.1\nopenapi: 3.0.1",
	} {
		before := s.store.Last()
		if r := s.do("PUT", "/v2/apis", documentBody(hostile)); r.status != 400 || s.store.Last() != before {
			t.Errorf("%.40q: got %d %s", hostile, r.status, r.body)
		}
	}
}

// A document of up to six megabytes is read, however it is escaped, and a longer one
// is refused; a body that could only hold a longer one is refused unread.
func TestImportLimits(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	const most = 6 << 20
	padded := func(n int, with string) string {
		return smallDocument + strings.Repeat(with, n-len(smallDocument))
	}
	body := documentBody(smallDocument)
	for _, path := range []string{"/v2/apis", api} {
		s.call(201, "PUT", path, documentBody(padded(most, " ")))
		s.call(201, "PUT", path, documentBody(padded(most, "\n"))) // each with an escape
		s.refuse(400, "Errors found during import:\n\tthe document is longer than 6291456 bytes", "PUT", path, documentBody(padded(most+1, " ")))
		s.call(201, "PUT", path, body+strings.Repeat(" ", maxImportBody-len(body)))
		before := s.store.Last()
		endless := &counter{}
		r := httptest.NewRequest("PUT", "http://localhost"+path, endless)
		r.ContentLength = maxImportBody + 1
		if got := s.send(r); got.status != 413 || endless.n > 0 || s.store.Last() != before {
			t.Errorf("%s: got %d %s after %d bytes", path, got.status, got.body, endless.n)
		}
		r = httptest.NewRequest("PUT", "http://localhost"+path, endless)
		r.ContentLength = -1
		if got := s.send(r); got.status != 413 || endless.n > maxImportBody+1<<20 || s.store.Last() != before {
			t.Errorf("%s: got %d %s after %d bytes", path, got.status, got.body, endless.n)
		}
	}
}

// The quotas are those of what is made one by one. All that is too many is told.
func TestImportQuotas(t *testing.T) {
	const quota = "Maximum number of %[1]s for this API has been reached.  Please contact AWS if you need additional %[1]s."
	routes := func(n int, operation string) string {
		var paths []string
		for i := range n {
			paths = append(paths, fmt.Sprintf(`"/p%d":{"get":%s}`, i, operation))
		}
		return withPaths(strings.Join(paths, ","))
	}
	s := newTester(t)
	api, _ := s.imports(routes(300, proxy(`{}`)))
	if n := len(s.keys(api)); n != 300 {
		t.Errorf("%d routes, want 300", n)
	}
	before := s.contents(api)
	for _, tt := range []struct {
		name, document string
		want           []string
	}{
		{"301 routes", routes(301, `{}`), []string{"paths.'/p300'(get): " + fmt.Sprintf(quota, "Routes")}},
		{"302 routes", routes(302, `{}`), []string{"paths.'/p300'(get): " + fmt.Sprintf(quota, "Routes"), "paths.'/p301'(get): " + fmt.Sprintf(quota, "Routes")}},
		{"301 integrations, each with a route", routes(301, proxy(`{}`)), []string{"paths.'/p300'(get).x-amazon-apigateway-integration: " + fmt.Sprintf(quota, "Integrations"), "paths.'/p300'(get): " + fmt.Sprintf(quota, "Routes")}},
	} {
		for _, path := range []string{"/v2/apis", api} {
			s.refuse(400, "Errors found during import:\n\t"+strings.Join(tt.want, "\n\t"), "PUT", path, documentBody(tt.document))
		}
	}
	if after := s.contents(api); after != before {
		t.Error("a refused import has changed the API")
	}
	// The same document again is no more than before.
	s.call(201, "PUT", api, documentBody(routes(300, proxy(`{}`))))

	small := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.APIs, o.Limits.Document = 1, 4<<10 })
	const document = "The API with everything under it must not be larger than 4096 bytes"
	small.refuse(400, document, "PUT", "/v2/apis", documentBody(routes(20, proxy(`{}`))))
	api, _ = small.imports(smallDocument)
	small.refuse(400, "Maximum number of Apis for this account has been reached.  Please contact AWS if you need additional Apis.", "PUT", "/v2/apis", documentBody(smallDocument))
	small.refuse(400, document, "PUT", api, documentBody(routes(20, proxy(`{}`))))

	var schemes []string
	for i := range 11 {
		schemes = append(schemes, fmt.Sprintf(`"s%d":{"type":"apiKey","name":"Unused","in":"header","x-amazon-apigateway-authorizer":{"type":"request","authorizerUri":"%s","authorizerPayloadFormatVersion":"2.0"}}`, i, invokeARN))
	}
	s.refuse(400, "Errors found during import:\n\tcomponents.securitySchemes.s10: "+fmt.Sprintf(quota, "Authorizers"), "PUT", "/v2/apis", documentBody(withPaths(``, `"components":{"securitySchemes":{`+strings.Join(schemes, ",")+`}}`)))
}

// An authorizer whose issuer is not found is left out, and so is every route that asks
// it: what cannot be checked is not open. Each is told once, and each issuer asked once.
func TestImportIssuers(t *testing.T) {
	var asked []string
	s := newTester(t, func(o *Options) {
		o.Discover = func(_ context.Context, url string) error {
			asked = append(asked, url)
			if strings.Contains(url, "lost") {
				return errors.New("no such host with a secret name")
			}
			return nil
		}
	})
	jwt := func(issuer string) string {
		return `{"type":"oauth2","x-amazon-apigateway-authorizer":{"type":"jwt","identitySource":"$request.header.Authorization","jwtConfiguration":{"issuer":"` + issuer + `","audience":["a"]}}}`
	}
	document := withPaths(`"/good":{"get":{"security":[{"good":[]}]}},"/lost":{"get":{"security":[{"lost":["read"]}]},"post":{"security":[{"lost":[]}]}},"/second":{"get":{"security":[{"second":[]}]}},"/open":{"get":{"security":[]}},"/root":{"get":{}}`,
		`"security":[{"lost":[]}]`, `"components":{"securitySchemes":{"good":`+jwt("https://good.example.com")+`,"lost":`+jwt("https://lost.example.com/")+`,"second":`+jwt("https://lost.example.com/")+`,"unused":`+jwt("https://lost2.example.com")+`}}`)
	missing := func(scheme, issuer, from string) string {
		return "components.securitySchemes." + scheme + ": Unable to create Authorizer '" + scheme + "': Caught exception when connecting to " + from + "/.well-known/openid-configuration for issuer " + issuer + ". Please try again later. Error: Invalid issuer: " + issuer + ". Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'"
	}
	gone := func(at, scheme string) string {
		return at + ": the route is not created: its authorizer '" + scheme + "' is not"
	}
	warnings := []string{
		missing("lost", "https://lost.example.com/", "https://lost.example.com"),
		missing("second", "https://lost.example.com/", "https://lost.example.com"),
		missing("unused", "https://lost2.example.com", "https://lost2.example.com"),
		gone("paths.'/lost'(get)", "lost"), gone("paths.'/lost'(post)", "lost"), gone("paths.'/second'(get)", "second"), gone("paths.'/root'(get)", "lost"),
	}
	api, answer := s.imports(document)
	if text(answer["warnings"]) != text(warnings) {
		t.Errorf("got %s\nwant %s", text(answer["warnings"]), text(warnings))
	}
	if want := []string{"https://good.example.com/.well-known/openid-configuration", "https://lost.example.com/.well-known/openid-configuration", "https://lost2.example.com/.well-known/openid-configuration"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if keys := text(s.keys(api)); keys != `["GET /good","GET /open"]` {
		t.Errorf("routes %s", keys)
	}
	s.shows(s.only(api+"/authorizers"), `{"name":"good"}`)
	target := s.api("HTTP")
	s.route(target, "GET /old", "")
	for _, path := range []string{"/v2/apis", target} {
		s.refuse(400, "Warnings found during import:\n\t"+strings.Join(warnings, "\n\t"), "PUT", path+"?failOnWarnings=true", documentBody(document))
	}
	if keys := text(s.keys(target)); keys != `["GET /old"]` {
		t.Errorf("after a refusal: routes %s", keys)
	}
	s.call(201, "PUT", target, documentBody(document))
	if keys := text(s.keys(target)); keys != `["GET /good","GET /open"]` {
		t.Errorf("after a reimport: routes %s", keys)
	}
	// What is no issuer is an error, and nobody is asked.
	asked = nil
	s.call(400, "PUT", "/v2/apis", documentBody(withPaths(``, `"components":{"securitySchemes":{"bad":`+jwt("ftp://lost.example.com")+`}}`)))
	if len(asked) != 0 {
		t.Errorf("asked %v", asked)
	}
}

// Documents wait for each other where there are too many, and who gives up changes
// nothing.
func TestImportsWait(t *testing.T) {
	s := newTester(t)
	if !s.server.imports.TryAcquire(maxImports) {
		t.Fatal("imports are still accounted for")
	}
	done := make(chan reply)
	go func() { done <- s.do("PUT", "/v2/apis", documentBody(smallDocument)) }()
	select {
	case r := <-done:
		t.Fatalf("got %d %s, want it to wait", r.status, r.body)
	default:
	}
	s.server.imports.Release(maxImports)
	if r := <-done; r.status != 201 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.do("PUT", "/v2/apis", documentBody("{"))
	if !s.server.imports.TryAcquire(maxImports) {
		t.Error("a refused document is still accounted for")
	}
}

func TestExportParameters(t *testing.T) {
	s := newTester(t)
	api, _ := s.imports(petsDocument)
	s.call(201, "POST", api+"/stages", `{"stageName":"empty"}`)
	export := api + "/exports/"
	s.refuseAll([]refused{
		{"no output type", 400, "Invalid request input: outputType is required", "GET", export + "OAS30", ""},
		{"an empty output type", 400, "Invalid request input: outputType must be one of [YAML, JSON]", "GET", export + "OAS30?outputType=", ""},
		{"an output type in small letters", 400, "Invalid request input: outputType must be one of [YAML, JSON]", "GET", export + "OAS30?outputType=json", ""},
		{"another output type", 400, "Invalid request input: outputType must be one of [YAML, JSON]", "GET", export + "OAS30?outputType=XML", ""},
		{"another specification", 400, "Invalid request input: specification must be one of [OAS30]", "GET", export + "swagger?outputType=JSON", ""},
		{"a specification in small letters", 400, "Invalid request input: specification must be one of [OAS30]", "GET", export + "oas30?outputType=JSON", ""},
		{"another version", 400, "Invalid exportVersion specified: 2.0. Must be 1.0", "GET", export + "OAS30?outputType=JSON&exportVersion=2.0", ""},
		{"an empty version", 400, "Invalid exportVersion specified: . Must be 1.0", "GET", export + "OAS30?outputType=JSON&exportVersion=", ""},
		{"extensions that are no boolean", 400, "includeExtensions: must be true or false", "GET", export + "OAS30?outputType=JSON&includeExtensions=yes", ""},
		{"unknown stage", 404, "Invalid stage identifier specified", "GET", export + "OAS30?outputType=JSON&stageName=nope", ""},
		{"stage without a deployment", 400, "The stage empty has no deployment that could be exported", "GET", export + "OAS30?outputType=JSON&stageName=empty", ""},
		{"unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "GET", "/v2/apis/zzzzzzzzzz/exports/OAS30?outputType=JSON", ""},
		{"unknown API and bad parameters", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "GET", "/v2/apis/zzzzzzzzzz/exports/x?includeExtensions=x", ""},
	})
	for _, tt := range []struct{ query, contentType, begins string }{
		{"?outputType=JSON", "application/json", "{\n  \"openapi\": \"3.0.1\",\n"},
		{"?outputType=YAML", "application/yaml", "openapi: \"3.0.1\"\n"},
		{"?outputType=JSON&exportVersion=1.0&includeExtensions=true&stageName=", "application/json", "{\n"},
	} {
		r := s.do("GET", export+"OAS30"+tt.query, "")
		if r.status != 200 || r.header.Get("Content-Type") != tt.contentType || !strings.HasPrefix(r.body, tt.begins) || !strings.Contains(r.body, "x-amazon-apigateway-integration") {
			t.Errorf("%s: got %d %s %.60s", tt.query, r.status, r.header.Get("Content-Type"), r.body)
		}
		if r.header.Get("Content-Length") != fmt.Sprint(len(r.body)) {
			t.Errorf("%s: Content-Length %s of %d", tt.query, r.header.Get("Content-Length"), len(r.body))
		}
	}
	plain := s.do("GET", export+"OAS30?outputType=JSON&includeExtensions=false", "").body
	if strings.Contains(plain, "x-amazon") || strings.Contains(plain, "$default") || !strings.Contains(plain, "/pets/{id}") {
		t.Errorf("without extensions: %s", plain)
	}
}

// What cannot be said in a document is told, not left out.
func TestExportOfWhatNoDocumentSays(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.route(api, "GET /$default", "")
	s.refuse(400, "The API cannot be exported: export API: route GET /$default: in a document its path is that of the default route", "GET", api+"/exports/OAS30?outputType=JSON", "")
}

// The export of a stage is what is deployed there, whatever has been edited since.
func TestExportOfAStage(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	integration := s.integration(api)
	first := s.route(api, "GET /deployed", integration)
	s.call(201, "POST", api+"/stages", `{"stageName":"live"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"$default"}`)
	s.call(201, "POST", api+"/deployments", `{"stageName":"live"}`)
	s.route(api, "GET /edited", integration)
	s.call(204, "DELETE", first, "")
	s.call(200, "PATCH", api, `{"name":"edited","version":"2","corsConfiguration":{"allowOrigins":["*"]}}`)
	s.call(201, "POST", api+"/deployments", `{"stageName":"$default"}`)
	export := func(query string) map[string]any {
		t.Helper()
		return s.call(200, "GET", api+"/exports/OAS30?outputType=JSON"+query, "")
	}
	for _, tt := range []struct {
		query, title, base string
		paths              []string
		cors               bool
	}{
		{"", "edited", "", []string{"/edited"}, true},
		{"&stageName=live", "n", "/live", []string{"/deployed"}, false},
		{"&stageName=%24default", "edited", "", []string{"/edited"}, true},
	} {
		got := export(tt.query)
		var paths []string
		for path := range got["paths"].(map[string]any) {
			paths = append(paths, path)
		}
		base := got["servers"].([]any)[0].(map[string]any)["variables"].(map[string]any)["basePath"].(map[string]any)["default"]
		if title := got["info"].(map[string]any)["title"]; title != tt.title || base != tt.base || !slices.Equal(paths, tt.paths) || (got["x-amazon-apigateway-cors"] != nil) != tt.cors {
			t.Errorf("%s: got %s", tt.query, text(got))
		}
	}
	s.call(204, "DELETE", api+"/stages/live", "")
	s.refuse(404, "Invalid stage identifier specified", "GET", api+"/exports/OAS30?outputType=JSON&stageName=live", "")
}

// What is imported, exported and imported again is the same API, in both formats, and
// its second export is to a letter the first.
func TestRoundTrip(t *testing.T) {
	s := newTester(t)
	big := withPaths(`"/":{"get":`+proxy(`{}`)+`},"/a/{x}/{rest+}":{"x-amazon-apigateway-any-method":`+with(proxy(`{"requestParameters":{"append:header.a":"$request.header.b","overwrite:path":"/p/${request.path.x}"},"responseParameters":{"404":{"overwrite:statuscode":"200"}},"timeoutInMillis":1000,"description":"own"}`), `{"operationId":"any of it","security":[{"lambda":[]}]}`)+`},"/iam":{"put":{"security":[{"sig":[]}]}},"/queue":{"post":{"x-amazon-apigateway-integration":{"type":"aws_proxy","integrationSubtype":"SQS-SendMessage","credentials":"`+role+`","requestParameters":{"QueueUrl":"q","MessageBody":"$request.body"},"payloadFormatVersion":"1.0"}}},"/private":{"get":{"security":[{"jwt":["a","b"]}],"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"GET","uri":"`+listener+`","connectionType":"VPC_LINK","connectionId":"v1","tlsConfig":{"serverNameToVerify":"s.example.com"},"payloadFormatVersion":"1.0"}}},"/$default":{"x-amazon-apigateway-any-method":`+proxy(`{}`)+`}`,
		`"tags":[{"name":"a","x-amazon-apigateway-tag-value":"1"},{"name":"b"}]`, `"x-amazon-apigateway-cors":{"allowOrigins":["https://*","http://localhost:3000"],"allowMethods":["*"],"allowHeaders":["x-a"],"exposeHeaders":["*"],"maxAge":0,"allowCredentials":false}`,
		`"servers":[{"url":"https://e","x-amazon-apigateway-endpoint-configuration":{"disableExecuteApiEndpoint":true}}]`,
		`"components":{"securitySchemes":{"sig":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"awsSigv4"},"jwt":{"type":"oauth2","flows":{},"x-amazon-apigateway-authorizer":{"type":"jwt","identitySource":"$request.header.Authorization","jwtConfiguration":{"issuer":"https://i.example.com/","audience":["x","y"]}}},"lambda":{"type":"apiKey","name":"Unused","in":"header","x-amazon-apigateway-authorizer":{"type":"request","authorizerUri":"`+invokeARN+`","authorizerCredentials":"`+role+`","authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":300,"enableSimpleResponses":true,"identitySource":"$request.header.a, $context.routeKey"}}}}`)
	for name, document := range map[string]string{"pets": petsDocument, "small": smallDocument, "everything": big} {
		for _, format := range []string{"JSON", "YAML"} {
			api, _ := s.imports(document)
			export := func(api string) string {
				return s.do("GET", api+"/exports/OAS30?outputType="+format, "").body
			}
			first := export(api)
			again, answer := s.imports(first)
			if answer["warnings"] != nil || answer["importInfo"] != nil {
				t.Errorf("%s, %s: an export is imported with %s %s", name, format, text(answer["warnings"]), text(answer["importInfo"]))
			}
			if want, got := s.contents(api), s.contents(again); got != want {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", name, format, got, want)
			}
			second := strings.ReplaceAll(export(again), strings.TrimPrefix(again, "/v2/apis/"), strings.TrimPrefix(api, "/v2/apis/"))
			if second != first {
				t.Errorf("%s, %s: the second export is\n%s\nthe first\n%s", name, format, second, first)
			}
			before := s.contents(api)
			s.call(201, "PUT", api, documentBody(first))
			if after := s.contents(api); after != before {
				t.Errorf("%s, %s: imported onto itself it is\n%s\nand was\n%s", name, format, after, before)
			}
		}
	}
}

// The flows of Terraform's provider for an API with a document: create, reimport, then
// set what its configuration says over it.
func TestTerraformDocuments(t *testing.T) {
	const (
		first  = `{"openapi":"3.0.1","info":{"title":"Title test","version":"2.0","description":"Description test"},"paths":{"/test":{"get":{"x-amazon-apigateway-integration":{"type":"HTTP_PROXY","httpMethod":"GET","payloadFormatVersion":"1.0","uri":"https://example.com/"}}}}}`
		second = "openapi: 3.0.1\ninfo:\n  title: Title test 2\n  version: \"3.0\"\npaths:\n  /update:\n    get:\n      responses:\n        200:\n          description: ok\n      x-amazon-apigateway-integration:\n        type: HTTP_PROXY\n        httpMethod: GET\n        payloadFormatVersion: 1.0\n        uri: https://example.com/\n"
	)
	s := newTester(t)
	create := func(body string) string {
		t.Helper()
		return "/v2/apis/" + id(s.call(201, "POST", "/v2/apis", with(`{"name":"tf-acc","protocolType":"HTTP"}`, body)), "apiId")
	}
	t.Run("openAPI", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{}`)
		for i, document := range []string{first, second} {
			s.call(201, "PUT", api, documentBody(document))
			s.call(200, "GET", api, "")
			s.shows(s.call(200, "PATCH", api, `{"name":"tf-acc","description":"","version":""}`), `{"name":"tf-acc","description":null,"version":null}`)
			if keys := text(s.keys(api)); keys != []string{`["GET /test"]`, `["GET /update"]`}[i] {
				t.Errorf("routes %s", keys)
			}
		}
		s.call(204, "DELETE", api, "")
		s.call(404, "GET", api, "")
	})
	t.Run("withTags", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{"tags":{"Key1":"Value1","Key2":"Value2"}}`)
		arn := "/v2/tags/" + escapeAll(arnPrefix+strings.TrimPrefix(api, "/v2"))
		tagged := strings.Replace(first, `"paths"`, `"tags":[{"name":"Key3","x-amazon-apigateway-tag-value":"Value3"}],"paths"`, 1)
		s.shows(s.call(201, "PUT", api, documentBody(tagged)), `{"tags":{"Key1":"Value1","Key2":"Value2","Key3":"Value3"}}`)
		s.call(204, "DELETE", arn+"?tagKeys=Key3", "")
		s.call(201, "POST", arn, `{"tags":{"Key2":"Value2 updated"}}`)
		s.shows(s.call(200, "GET", api, ""), `{"tags":{"Key1":"Value1","Key2":"Value2 updated"}}`)
		s.call(201, "PUT", api, documentBody(second))
		s.shows(s.call(200, "GET", api, ""), `{"tags":{"Key1":"Value1","Key2":"Value2 updated"}}`)
	})
	t.Run("withCors", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{"corsConfiguration":{"allowMethods":["delete"],"allowOrigins":["https://www.google.de"]}}`)
		// Members in another form are none of ours: there is no CORS configuration.
		snake := strings.Replace(first, `"paths"`, `"x-amazon-apigateway-cors":{"allow_methods":["delete"],"allow_origins":["https://www.google.de"]},"paths"`, 1)
		s.shows(s.call(201, "PUT", api, documentBody(snake)), `{"corsConfiguration":null}`)
		s.shows(s.call(200, "PATCH", api, `{"corsConfiguration":{"allowMethods":["delete"],"allowOrigins":["https://www.google.de"]}}`), `{"corsConfiguration":{"allowMethods":["DELETE"],"allowOrigins":["https://www.google.de"]}}`)
		camel := strings.Replace(first, `"paths"`, `"x-amazon-apigateway-cors":{"allowMethods":["get","put"],"allowOrigins":["https://www.google.de"]},"paths"`, 1)
		s.shows(s.call(201, "PUT", api, documentBody(camel)), `{"corsConfiguration":{"allowMethods":["GET","PUT"],"allowOrigins":["https://www.google.de"]}}`)
		s.call(204, "DELETE", api+"/cors", "")
		s.shows(s.call(200, "GET", api, ""), `{"corsConfiguration":null}`)
	})
	t.Run("withMoreFields", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{"description":"configured","version":"1"}`)
		s.shows(s.call(201, "PUT", api, documentBody(first)), `{"name":"Title test","description":"Description test","version":"2.0"}`)
		s.shows(s.call(200, "PATCH", api, `{"name":"configured name","description":"configured","version":"1"}`), `{"name":"configured name","description":"configured","version":"1"}`)
		if keys := text(s.keys(api)); keys != `["GET /test"]` {
			t.Errorf("routes %s", keys)
		}
	})
	t.Run("failOnWarnings", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{}`)
		s.call(201, "PUT", api+"?failOnWarnings=true", documentBody(first))
		dangling := strings.ReplaceAll(strings.Replace(first, `"get":{`, `"get":{"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ModelThatDoesNotExist"}}}}},`, 1), "/test", "/update")
		s.refuse(400, "Warnings found during import:\n\tParse issue: attribute paths.'/update'(get).responses.200.content.schema.#/components/schemas/ModelThatDoesNotExist is missing", "PUT", api+"?failOnWarnings=true", documentBody(dangling))
		if keys := text(s.keys(api)); keys != `["GET /test"]` {
			t.Errorf("routes %s", keys)
		}
		s.call(201, "PUT", api+"?failOnWarnings=false", documentBody(dangling))
		if keys := text(s.keys(api)); keys != `["GET /update"]` {
			t.Errorf("routes %s", keys)
		}
	})
	t.Run("export data source", func(t *testing.T) {
		s := &tester{t, s.server, s.store}
		api := create(`{}`)
		s.call(201, "PUT", api, documentBody(first))
		s.call(201, "POST", api+"/stages", `{"stageName":"stage","autoDeploy":true}`)
		for _, query := range []string{"", "&stageName=stage"} {
			if r := s.do("GET", api+"/exports/OAS30?outputType=JSON&includeExtensions=true&exportVersion=1.0"+query, ""); r.status != 200 || !strings.Contains(r.body, "/test") {
				t.Errorf("%s: got %d %s", query, r.status, r.body)
			}
		}
	})
}

// Many documents at the same time for one API: each is there as a whole or not at all.
func TestConcurrentReimports(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.call(201, "POST", api+"/stages", `{"stageName":"auto","autoDeploy":true}`)
	each(func(i int) {
		var paths []string
		for j := range 5 {
			paths = append(paths, fmt.Sprintf(`"/w%d/p%d":{"get":%s}`, i, j, proxy(`{}`)))
		}
		if r := s.do("PUT", api, documentBody(withPaths(strings.Join(paths, ",")))); r.status != 201 {
			t.Errorf("got %d %s", r.status, r.body)
		}
		r := s.do("GET", api+"/routes?maxResults=500", "")
		seen := map[string]int{}
		for _, item := range decodeText(r.body)["items"].([]any) {
			seen[strings.Split(id(item.(map[string]any), "routeKey"), "/")[1]]++
		}
		for writer, n := range seen {
			if n != 5 || len(seen) != 1 {
				t.Errorf("routes of %s: %d, of %d writers", writer, n, len(seen))
			}
		}
	})
	stage := s.call(200, "GET", api+"/stages/auto", "")
	export := s.call(200, "GET", api+"/exports/OAS30?outputType=JSON&stageName=auto", "")
	var deployed []string
	for path := range export["paths"].(map[string]any) {
		deployed = append(deployed, "GET "+path)
	}
	slices.Sort(deployed)
	if live := s.keys(api); !slices.Equal(deployed, live) {
		t.Errorf("the stage %s serves %v, the API has %v", text(stage), deployed, live)
	}
}

// A document with no end of errors is told many of them, and not without end.
func TestImportTellsSoMuch(t *testing.T) {
	s := newTester(t)
	var paths []string
	for i := range maxProblems + 500 {
		paths = append(paths, fmt.Sprintf(`"/p%d/{a}b":{"get":{}}`, i))
	}
	r := s.do("PUT", "/v2/apis", documentBody(withPaths(strings.Join(paths, ","))))
	if lines := strings.Count(r.body, "One or more path parts appear to be invalid"); r.status != 400 || lines != maxProblems {
		t.Errorf("got %d with %d errors, want %d", r.status, lines, maxProblems)
	}
}
