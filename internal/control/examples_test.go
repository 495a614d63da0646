package control

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// The walks through the control plane that its rules were written down with.

func TestExampleEscapedLabels(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.route(api, "GET /pets/{id}", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"$default","routeSettings":{"GET /pets/{id}":{"throttlingBurstLimit":1}}}`)
	s.call(204, "DELETE", api+"/stages/%24default/routesettings/GET%20%2Fpets%2F%7Bid%7D", "")
	s.shows(s.call(200, "GET", api+"/stages/%24default", ""), `{"routeSettings":{}}`)
}

func TestExampleMinimum(t *testing.T) {
	s := newTester(t)
	r := s.do("POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`)
	apiID := id(decodeText(r.body), "apiId")
	want := strings.ReplaceAll(`{"apiEndpoint":"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com","apiId":"a1b2c3d4e5","apiKeySelectionExpression":"$request.header.x-api-key","createdDate":"2025-01-02T03:04:05Z","disableExecuteApiEndpoint":false,"ipAddressType":"ipv4","name":"n","protocolType":"HTTP","routeSelectionExpression":"$request.method $request.path","tags":{}}`, "a1b2c3d4e5", apiID)
	if r.status != 201 || r.body != want {
		t.Errorf("got %d %s\nwant 201 %s", r.status, r.body, want)
	}
}

func TestExampleQuickCreate(t *testing.T) {
	s := newTester(t)
	api := "/v2/apis/" + id(s.call(201, "POST", "/v2/apis", `{"name":"q","protocolType":"HTTP","routeKey":"GET /x","target":"arn:aws:lambda:us-east-1:123456789012:function:f"}`), "apiId")
	integration, route, stage := s.only(api+"/integrations"), s.only(api+"/routes"), s.only(api+"/stages")
	if want := fmt.Sprintf(`{"apiGatewayManaged":true,"apiKeyRequired":false,"authorizationType":"NONE","routeId":"%s","routeKey":"GET /x","target":"integrations/%s"}`, id(route, "routeId"), id(integration, "integrationId")); text(route) != want {
		t.Errorf("got %s, want %s", text(route), want)
	}
	s.shows(integration, `{"apiGatewayManaged":true,"integrationType":"AWS_PROXY","integrationMethod":"POST","payloadFormatVersion":"2.0"}`)
	s.shows(stage, `{"apiGatewayManaged":true,"autoDeploy":true,"stageName":"$default","lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+id(stage, "deploymentId")+`'"}`)
}

func TestExampleRequestParameters(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	path := api + "/integrations/" + id(s.call(201, "POST", api+"/integrations", with(httpProxy, `{"requestParameters":{"overwrite:header.a":"'1'","append:header.b":"$context.requestId"}}`)), "integrationId")
	want := `{"requestParameters":{"append:header.b":"$context.requestId","append:header.c":"'3'"}}`
	s.shows(s.call(200, "PATCH", path, `{"requestParameters":{"overwrite:header.a":"","append:header.c":"'3'"}}`), want)
	s.shows(s.call(200, "PATCH", path, `{"requestParameters":{}}`), want)
}

func TestExampleResponseParameters(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	path := api + "/integrations/" + id(s.call(201, "POST", api+"/integrations", with(httpProxy, `{"responseParameters":{"200":{"append:header.a":"1"},"404":{"append:header.b":"2"}}}`)), "integrationId")
	s.shows(s.call(200, "PATCH", path, `{"responseParameters":{"404":{}}}`), `{"responseParameters":{"200":{"append:header.a":"1"}}}`)
}

func TestExampleStageVariables(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.call(201, "POST", api+"/stages", `{"stageName":"s","stageVariables":{"a":"1","b":"2"}}`)
	s.shows(s.call(200, "PATCH", api+"/stages/s", `{"stageVariables":{"a":"","c":"3"}}`), `{"stageVariables":{"b":"2","c":"3"}}`)
}

func TestExampleRouteSettings(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.route(api, "GET /a", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"s"}`)
	stage := api + "/stages/s"
	s.shows(s.call(200, "PATCH", stage, `{"routeSettings":{"GET /a":{"throttlingBurstLimit":1},"$default":{"throttlingBurstLimit":2}}}`), `{"routeSettings":{"GET /a":{"throttlingBurstLimit":1},"$default":{"throttlingBurstLimit":2}}}`)
	s.refuse(404, "Unable to find Route by key GET /b within the provided RouteSettings", "PATCH", stage, `{"routeSettings":{"GET /b":{"throttlingBurstLimit":1}}}`)
	s.call(204, "DELETE", stage+"/routesettings/%24default", "")
	s.shows(s.call(200, "GET", stage, ""), `{"routeSettings":{"GET /a":{"throttlingBurstLimit":1}}}`)
}

func TestExampleConflicts(t *testing.T) {
	s := newTester(t)
	routes := s.api("HTTP") + "/routes"
	for _, tt := range []struct {
		key, message string
	}{
		{"GET /a", ""},
		{"GET /a", "Route with key GET /a already exists for this API"},
		{"GET /a/{x}/q", ""},
		{"GET /a/{y}/q", `The provided route key "GET /a/{y}/q" has a conflicting variable on the same hierarchical level as "GET /a/{x}/q"`},
		{"GET /a/{x}", ""},
		{"GET /a/b", ""},
		{"GET /c/{x}", ""},
		{"GET /c/{y}/z", `The provided route key "GET /c/{y}/z" has a conflicting variable on the same hierarchical level as "GET /c/{x}"`},
	} {
		if tt.message == "" {
			s.call(201, "POST", routes, `{"routeKey":"`+tt.key+`"}`)
		} else {
			s.refuse(409, tt.message, "POST", routes, `{"routeKey":"`+tt.key+`"}`)
		}
	}
}

func TestExampleReferences(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.authorizers(api)
	integration := s.integration(api)
	route := s.route(api, "GET /a", integration)
	s.call(200, "PATCH", route, `{"authorizationType":"CUSTOM","authorizerId":"lam001"}`)
	s.refuse(409, "Cannot delete Integration because it is referenced by the following Routes with Ids: ["+strings.TrimPrefix(route, api+"/routes/")+"]", "DELETE", api+"/integrations/"+integration, "")
	s.shows(s.call(200, "PATCH", route, `{"authorizationType":"NONE","authorizerId":""}`), `{"authorizationType":"NONE","authorizerId":null}`)
}

func TestExampleAutoDeploy(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.shows(s.call(201, "POST", api+"/stages", `{"stageName":"$default","autoDeploy":true}`), `{"deploymentId":null,"lastDeploymentStatusMessage":"Deployment attempt failed: Unable to deploy API because no routes exist in this API"}`)
	s.route(api, "GET /a", s.integration(api))
	stage := s.call(200, "GET", api+"/stages/%24default", "")
	first := s.only(api + "/deployments")
	s.shows(first, `{"autoDeployed":true,"deploymentStatus":"DEPLOYED"}`)
	s.shows(stage, `{"deploymentId":"`+id(first, "deploymentId")+`","lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+id(first, "deploymentId")+`'"}`)
	s.refuse(400, "Deployment ID cannot be set on a stage with autoDeploy enabled", "PATCH", api+"/stages/%24default", `{"deploymentId":"x"}`)
	s.call(201, "POST", api+"/deployments", `{}`)
	s.shows(s.call(200, "GET", api+"/stages/%24default", ""), `{"deploymentId":"`+id(first, "deploymentId")+`"}`)
}

func TestExampleManualDeployments(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	route := s.route(api, "GET /a", s.integration(api))
	first := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
	s.call(201, "POST", api+"/stages", `{"stageName":"v1","deploymentId":"`+first+`"}`)
	s.call(200, "PATCH", route, `{"target":"integrations/`+s.integration(api)+`"}`)
	second := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
	s.shows(s.call(200, "GET", api+"/stages/v1", ""), `{"deploymentId":"`+first+`"}`)
	s.refuse(400, "Active stages pointing to this deployment must be moved or deleted", "DELETE", api+"/deployments/"+first, "")
	s.shows(s.call(200, "PATCH", api+"/stages/v1", `{"deploymentId":"`+second+`"}`), `{"deploymentId":"`+second+`"}`)
	s.call(204, "DELETE", api+"/deployments/"+first, "")
	s.refuse(404, "Invalid Deployment identifier specified", "GET", api+"/deployments/"+first, "")
}

func TestExampleNotFound(t *testing.T) {
	s := newTester(t)
	r := s.do("GET", "/v2/apis/zzzzzzzzzz", "")
	if r.status != 404 || r.header.Get("x-amzn-errortype") != "NotFoundException" || r.body != `{"message":"Invalid API identifier specified 123456789012:zzzzzzzzzz"}` {
		t.Errorf("got %d %s %s", r.status, r.header.Get("x-amzn-errortype"), r.body)
	}
}

func TestExamplePages(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for i := range 30 {
		s.route(api, fmt.Sprintf("GET /%d", i), "")
	}
	first := s.call(200, "GET", api+"/routes", "")
	token := url.QueryEscape(id(first, "nextToken"))
	second := s.call(200, "GET", api+"/routes?nextToken="+token, "")
	if a, b := len(first["items"].([]any)), len(second["items"].([]any)); a != 25 || b != 5 || second["nextToken"] != nil {
		t.Errorf("got %d and %d items, then token %v", a, b, second["nextToken"])
	}
	s.refuse(400, "Invalid token", "GET", api+"/integrations?nextToken="+token, "")
}
