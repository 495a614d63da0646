package control

import (
	"fmt"
	"strings"
	"testing"

	"penstock/internal/model"
	"penstock/internal/store"
)

// authorizers puts authorizers with the IDs jwt001 and lam001 under an API, as if
// they had been created.
func (t *tester) authorizers(api string) {
	t.Helper()
	key := "api." + strings.TrimPrefix(api, "/v2/apis/")
	stored, _ := t.store.Get(key)
	d, err := model.ParseAPI(stored.Data)
	if err != nil {
		t.Fatal(err)
	}
	d.Authorizers["jwt001"] = &model.Authorizer{AuthorizerID: new("jwt001"), AuthorizerType: new("JWT"), Name: new("j")}
	d.Authorizers["lam001"] = &model.Authorizer{AuthorizerID: new("lam001"), AuthorizerType: new("REQUEST"), Name: new("l")}
	d.Models["mod001"] = &model.Model{ModelID: new("mod001"), Name: new("m")}
	data, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := t.store.Append(t.Context(), store.Batch{Expect: map[string]uint64{key: stored.Rev}, Changes: []store.Change{{Key: key, Data: data}}}); err != nil {
		t.Fatal(err)
	}
}

func TestRouteMembers(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	s.authorizers(http)
	s.authorizers(ws)
	integration := s.integration(http)
	for _, tt := range []struct{ name, api, body, want string }{
		{"minimum", http, `{"routeKey":"GET /a"}`, `{"apiKeyRequired":false,"authorizationType":"NONE","routeKey":"GET /a"}`},
		{"target and name", http, `{"routeKey":"ANY /{proxy+}","target":"integrations/` + integration + `","operationName":"op","apiKeyRequired":false}`,
			`{"apiKeyRequired":false,"authorizationType":"NONE","operationName":"op","routeKey":"ANY /{proxy+}","target":"integrations/` + integration + `"}`},
		{"JWT", http, `{"routeKey":"GET /b","authorizationType":"JWT","authorizerId":"jwt001","authorizationScopes":["a","b"]}`,
			`{"apiKeyRequired":false,"authorizationScopes":["a","b"],"authorizationType":"JWT","authorizerId":"jwt001","routeKey":"GET /b"}`},
		{"CUSTOM", http, `{"routeKey":"GET /c","authorizationType":"CUSTOM","authorizerId":"lam001"}`, `{"apiKeyRequired":false,"authorizationType":"CUSTOM","authorizerId":"lam001","routeKey":"GET /c"}`},
		{"AWS_IAM", http, `{"routeKey":"$default","authorizationType":"AWS_IAM"}`, `{"apiKeyRequired":false,"authorizationType":"AWS_IAM","routeKey":"$default"}`},
		{"empties", http, `{"routeKey":"GET /d","target":null,"authorizationScopes":[],"requestModels":{},"requestParameters":{}}`, `{"apiKeyRequired":false,"authorizationType":"NONE","routeKey":"GET /d"}`},
		{"connect", ws, `{"routeKey":"$connect","authorizationType":"CUSTOM","authorizerId":"lam001","apiKeyRequired":true,"requestParameters":{"route.request.header.X":{"required":true},"route.request.querystring.y":{"required":false}}}`,
			`{"apiKeyRequired":true,"authorizationType":"CUSTOM","authorizerId":"lam001","requestParameters":{"route.request.header.X":{"required":true},"route.request.querystring.y":{"required":false}},"routeKey":"$connect"}`},
		{"message", ws, `{"routeKey":"send it/now","modelSelectionExpression":"action","requestModels":{"$default":"m"},"routeResponseSelectionExpression":"$default","operationName":"op"}`,
			`{"apiKeyRequired":false,"authorizationType":"NONE","modelSelectionExpression":"action","operationName":"op","requestModels":{"$default":"m"},"routeKey":"send it/now","routeResponseSelectionExpression":"$default"}`},
	} {
		got := s.call(201, "POST", tt.api+"/routes", tt.body)
		routeID := id(got, "routeId")
		if !isID(routeID) || len(routeID) != 7 {
			t.Errorf("%s: ID %q", tt.name, routeID)
		}
		if read := s.call(200, "GET", tt.api+"/routes/"+routeID, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "routeId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestRouteMessages(t *testing.T) {
	s := newTester(t)
	httpAPI, wsAPI := s.api("HTTP"), s.api("WEBSOCKET")
	s.authorizers(httpAPI)
	s.authorizers(wsAPI)
	http, ws := httpAPI+"/routes", wsAPI+"/routes"
	integration := s.integration(httpAPI)
	items := s.route(httpAPI, "GET /items", integration)
	s.route(httpAPI, "GET /a/{stage_id}/q", "")
	s.route(wsAPI, "send", "")
	const (
		format   = `The provided route key is not formatted properly for HTTP protocol. Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"`
		part     = "One or more path parts appear to be invalid"
		target   = "Unexpected or malformed target in route. Correct format should be integrations/<integration_id>."
		jwt      = "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer."
		custom   = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires a valid authorizer."
		notHTTP  = "%s is not currently supported for HTTP APIs."
		connect  = "Currently, authorization is restricted to the $connect route only"
		scopes   = "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type"
		needless = "Authorizer ID is only valid for authorization types CUSTOM and JWT"
	)
	s.refuseAll([]refused{
		{"key missing", 400, "Invalid request input: routeKey is required", "POST", http, `{}`},
		{"key empty", 400, format, "POST", http, `{"routeKey":""}`},
		{"key without a method", 400, format, "POST", http, `{"routeKey":"/a"}`},
		{"key with a lower-case method", 400, format, "POST", http, `{"routeKey":"get /a"}`},
		{"key with TRACE", 400, format, "POST", http, `{"routeKey":"TRACE /a"}`},
		{"key without a slash", 400, format, "POST", http, `{"routeKey":"GET a"}`},
		{"key of a WebSocket API", 400, format, "POST", http, `{"routeKey":"$connect"}`},
		{"key with a mixed segment", 400, part, "POST", http, `{"routeKey":"GET /{eventId}.json"}`},
		{"key with a greedy segment in the middle", 400, part, "POST", http, `{"routeKey":"GET /{a+}/b"}`},
		{"key in an update", 400, format, "PATCH", items, `{"routeKey":"items"}`},
		{"key twice", 409, "Route with key GET /items already exists for this API", "POST", http, `{"routeKey":"GET /items"}`},
		{"key twice on a WebSocket API", 409, "Route with key send already exists for this API", "POST", ws, `{"routeKey":"send"}`},
		{"variable with another name", 409, `The provided route key "GET /a/{stageId}/q" has a conflicting variable on the same hierarchical level as "GET /a/{stage_id}/q"`, "POST", http, `{"routeKey":"GET /a/{stageId}/q"}`},
		{"variable with another name in an update", 409, `The provided route key "GET /a/{x}" has a conflicting variable on the same hierarchical level as "GET /a/{stage_id}/q"`, "PATCH", items, `{"routeKey":"GET /a/{x}"}`},
		{"empty key of a WebSocket API", 400, "The provided route key must not be empty", "POST", ws, `{"routeKey":""}`},
		{"target malformed", 400, target, "POST", http, `{"routeKey":"GET /x","target":"` + integration + `"}`},
		{"target with more", 400, target, "POST", http, `{"routeKey":"GET /x","target":"integrations/` + integration + `/x"}`},
		{"target in an update", 400, target, "PATCH", items, `{"target":"integrations/"}`},
		{"target unknown", 404, "Invalid Integration identifier specified zzzzzzz", "POST", http, `{"routeKey":"GET /x","target":"integrations/zzzzzzz"}`},
		{"target of another API", 404, "Invalid Integration identifier specified " + integration, "POST", ws, `{"routeKey":"x","target":"integrations/` + integration + `"}`},
		{"authorization unknown", 400, "Invalid request input: authorizationType must be one of [NONE, AWS_IAM, CUSTOM, JWT]", "POST", http, `{"routeKey":"GET /x","authorizationType":"BASIC"}`},
		{"authorization of a message", 400, connect, "POST", ws, `{"routeKey":"x","authorizationType":"AWS_IAM"}`},
		{"authorization of $disconnect", 400, connect, "POST", ws, `{"routeKey":"$disconnect","authorizationType":"CUSTOM","authorizerId":"lam001"}`},
		{"JWT on a WebSocket API", 400, "JWT authorization is not supported for WEBSOCKET protocolType", "POST", ws, `{"routeKey":"$connect","authorizationType":"JWT","authorizerId":"jwt001"}`},
		{"JWT without an authorizer", 400, jwt, "POST", http, `{"routeKey":"GET /x","authorizationType":"JWT"}`},
		{"JWT with an unknown authorizer", 400, jwt, "POST", http, `{"routeKey":"GET /x","authorizationType":"JWT","authorizerId":"zzz"}`},
		{"JWT with a REQUEST authorizer", 400, jwt, "POST", http, `{"routeKey":"GET /x","authorizationType":"JWT","authorizerId":"lam001"}`},
		{"CUSTOM without an authorizer", 400, custom, "PATCH", items, `{"authorizationType":"CUSTOM"}`},
		{"CUSTOM with a JWT authorizer", 400, custom, "POST", http, `{"routeKey":"GET /x","authorizationType":"CUSTOM","authorizerId":"jwt001"}`},
		{"authorizer that is not asked", 400, needless, "POST", http, `{"routeKey":"GET /x","authorizerId":"jwt001"}`},
		{"authorizer that is not asked in an update", 400, needless, "PATCH", items, `{"authorizerId":"jwt001"}`},
		{"scopes without JWT", 400, scopes, "POST", http, `{"routeKey":"GET /x","authorizationScopes":["a"]}`},
		{"scopes with CUSTOM", 400, scopes, "POST", http, `{"routeKey":"GET /x","authorizationType":"CUSTOM","authorizerId":"lam001","authorizationScopes":["a"]}`},
		{"too many scopes", 400, "A route must not have more than 10 authorization scopes", "POST", http, `{"routeKey":"GET /x","authorizationType":"JWT","authorizerId":"jwt001","authorizationScopes":["a","b","c","d","e","f","g","h","i","j","k"]}`},
		{"scope too long", 400, "Invalid request input: authorizationScopes[0] must have 1 to 64 characters", "POST", http, `{"routeKey":"GET /x","authorizationScopes":["` + strings.Repeat("s", 65) + `"]}`},
		{"API key on an HTTP API", 400, "ApiKeyRequired is not currently supported for HTTP APIs.", "POST", http, `{"routeKey":"GET /x","apiKeyRequired":true}`},
		{"model selection on an HTTP API", 400, fmt.Sprintf(notHTTP, "ModelSelectionExpression"), "POST", http, `{"routeKey":"GET /x","modelSelectionExpression":"a"}`},
		{"models on an HTTP API", 400, fmt.Sprintf(notHTTP, "RequestModels"), "POST", http, `{"routeKey":"GET /x","requestModels":{"a":"m"}}`},
		{"parameters on an HTTP API", 400, fmt.Sprintf(notHTTP, "RequestParameters"), "PATCH", items, `{"requestParameters":{"route.request.header.a":{"required":true}}}`},
		{"route response on an HTTP API", 400, fmt.Sprintf(notHTTP, "RouteResponseSelectionExpression"), "PATCH", items, `{"routeResponseSelectionExpression":"$default"}`},
		{"route response that is not $default", 400, "Currently, only $default is supported as a RouteResponseSelectionExpression.", "POST", ws, `{"routeKey":"x","routeResponseSelectionExpression":"a"}`},
		{"parameter malformed", 400, "Invalid request parameter method.request.header.a: must be route.request.header.<name> or route.request.querystring.<name>", "POST", ws, `{"routeKey":"x","requestParameters":{"method.request.header.a":{"required":true}}}`},
		{"model unknown", 400, "Invalid Model specified nope: the API has no model with this name", "POST", ws, `{"routeKey":"x","requestModels":{"a":"nope"}}`},
		{"unknown in a get", 404, "Invalid Route identifier specified zzzzzzz", "GET", http + "/zzzzzzz", ""},
		{"unknown in an update", 404, "Invalid Route identifier specified zzzzzzz", "PATCH", http + "/zzzzzzz", "{}"},
		{"unknown in a delete", 404, "Invalid Route identifier specified zzzzzzz", "DELETE", http + "/zzzzzzz", ""},
		{"of another API", 404, "Invalid Route identifier specified " + strings.TrimPrefix(items, http+"/"), "GET", ws + strings.TrimPrefix(items, http), ""},
		{"of another API in an update", 404, "Invalid Route identifier specified " + strings.TrimPrefix(items, http+"/"), "PATCH", ws + strings.TrimPrefix(items, http), `{"routeKey":"y"}`},
	})
	s.shows(s.call(200, "GET", items, ""), `{"routeKey":"GET /items","authorizationType":"NONE"}`)
}

func TestRouteKeysThatGoTogether(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for _, key := range []string{"GET /a/{x}", "GET /a/b", "GET /a/{x}/c", "POST /a/{x}", "ANY /a/{proxy+}", "GET /", "$default", "GET /a/{x}/{y}"} {
		s.route(api, key, "")
	}
	s.refuse(409, `The provided route key "PUT /a/{y}" has a conflicting variable on the same hierarchical level as "`+s.conflicting(api, "PUT /a/{y}")+`"`, "POST", api+"/routes", `{"routeKey":"PUT /a/{y}"}`)
}

// conflicting returns the existing key that a refusal names.
func (t *tester) conflicting(api, key string) string {
	body := t.do("POST", api+"/routes", `{"routeKey":"`+key+`"}`).body
	for _, item := range t.call(200, "GET", api+"/routes", "")["items"].([]any) {
		if other := id(item.(map[string]any), "routeKey"); strings.Contains(other, "{x}") && strings.HasSuffix(body, `as \"`+other+`\""}`) {
			return other
		}
	}
	return "none"
}

func TestUpdateRoute(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	s.authorizers(http)
	s.authorizers(ws)
	integration := s.integration(http)
	jwt := `{"routeKey":"$default","authorizationType":"JWT","authorizerId":"jwt001","authorizationScopes":["a"]}`
	for _, tt := range []struct{ name, api, create, patch, want string }{
		{"absent keeps", http, jwt, `{}`, jwt},
		{"null keeps", http, jwt, `{"authorizerId":null,"authorizationScopes":null}`, jwt},
		{"key", http, `{"routeKey":"GET /a"}`, `{"routeKey":"POST /b/{c}"}`, `{"routeKey":"POST /b/{c}"}`},
		{"the same key", http, `{"routeKey":"GET /a"}`, `{"routeKey":"GET /a"}`, `{"routeKey":"GET /a"}`},
		{"authorization NONE alone", http, jwt, `{"authorizationType":"NONE"}`, `{"authorizationType":"NONE","authorizerId":null,"authorizationScopes":null}`},
		{"authorization NONE with an empty authorizer", http, jwt, `{"authorizationType":"NONE","authorizerId":"","authorizationScopes":[]}`, `{"authorizationType":"NONE","authorizerId":null,"authorizationScopes":null}`},
		{"authorization AWS_IAM with an empty authorizer", http, jwt, `{"authorizationType":"AWS_IAM","authorizerId":""}`, `{"authorizationType":"AWS_IAM","authorizerId":null,"authorizationScopes":null}`},
		{"another authorizer", http, jwt, `{"authorizationType":"CUSTOM","authorizerId":"lam001"}`, `{"authorizationType":"CUSTOM","authorizerId":"lam001","authorizationScopes":null}`},
		{"scopes are replaced", http, jwt, `{"authorizationScopes":["b","c"]}`, `{"authorizationScopes":["b","c"]}`},
		{"scopes are cleared", http, jwt, `{"authorizationScopes":[]}`, `{"authorizationScopes":null,"authorizerId":"jwt001"}`},
		{"strings are cleared", http, `{"routeKey":"GET /a","operationName":"op","target":"integrations/` + integration + `"}`, `{"operationName":"","target":""}`, `{"operationName":null,"target":null}`},
		{"strings of a WebSocket route are cleared", ws, `{"routeKey":"a","modelSelectionExpression":"a","routeResponseSelectionExpression":"$default"}`, `{"modelSelectionExpression":"","routeResponseSelectionExpression":""}`, `{"modelSelectionExpression":null,"routeResponseSelectionExpression":null}`},
		{"models are replaced", ws, `{"routeKey":"a","requestModels":{"a":"m","b":"m"}}`, `{"requestModels":{"c":"m"}}`, `{"requestModels":{"c":"m"}}`},
		{"parameters merge", ws, `{"routeKey":"$connect","requestParameters":{"route.request.header.a":{"required":true},"route.request.header.b":{"required":true}}}`, `{"requestParameters":{"route.request.header.b":{"required":false},"route.request.header.c":{"required":true}}}`,
			`{"requestParameters":{"route.request.header.a":{"required":true},"route.request.header.b":{"required":false},"route.request.header.c":{"required":true}}}`},
	} {
		path := tt.api + "/routes/" + id(s.call(201, "POST", tt.api+"/routes", tt.create), "routeId")
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", path, "")
	}
}

func TestDeleteRouteRequestParameter(t *testing.T) {
	s := newTester(t)
	api := s.api("WEBSOCKET")
	route := api + "/routes/" + id(s.call(201, "POST", api+"/routes", `{"routeKey":"$connect","requestParameters":{"route.request.querystring.c/d":{"required":true}}}`), "routeId")
	s.refuse(400, "Invalid request parameter route.request.header.a b: must be route.request.header.<name> or route.request.querystring.<name>", "PATCH", route, `{"requestParameters":{"route.request.header.a b":{}}}`)
	s.call(204, "DELETE", route+"/requestparameters/route.request.querystring.c%2Fd", "")
	s.shows(s.call(200, "GET", route, ""), `{"requestParameters":null}`)
	s.refuse(404, "Invalid request parameter key specified route.request.querystring.c/d", "DELETE", route+"/requestparameters/route.request.querystring.c%2Fd", "")
	s.refuse(404, "Invalid Route identifier specified zzzzzzz", "DELETE", api+"/routes/zzzzzzz/requestparameters/x", "")
}

func TestRouteQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.Routes = 2 })
	api := s.api("HTTP")
	s.route(api, "GET /a", "")
	s.route(api, "GET /b", "")
	s.refuse(400, "Maximum number of Routes for this API has been reached.  Please contact AWS if you need additional Routes.", "POST", api+"/routes", `{"routeKey":"GET /c"}`)
}
