package control

import (
	"fmt"
	"strings"
	"testing"
)

// webSocketParts makes a WebSocket API with a model, an integration and a route, and
// returns their paths.
func (t *tester) webSocketParts() (api, integration, route string) {
	t.Helper()
	api = t.api("WEBSOCKET")
	t.call(201, "POST", api+"/models", `{"name":"m","schema":"{}"}`)
	return api, api + "/integrations/" + t.integration(api), t.route(api, "send", "")
}

func TestIntegrationResponseMembers(t *testing.T) {
	s := newTester(t)
	_, integration, _ := s.webSocketParts()
	path := integration + "/integrationresponses"
	for _, tt := range []struct{ name, body, want string }{
		{"minimum", `{"integrationResponseKey":"$default"}`, `{"integrationResponseKey":"$default"}`},
		{"expression", `{"integrationResponseKey":"/200/"}`, `{"integrationResponseKey":"/200/"}`},
		{"everything", `{"integrationResponseKey":"/4\\d{2}/","contentHandlingStrategy":"CONVERT_TO_BINARY","responseParameters":{"method.response.header.A":"integration.response.header.b","method.response.header.c":"integration.response.body.d.e","method.response.header.f":"'static, text'","method.response.header.g":"integration.response.body","method.response.header.h":"context.requestId","method.response.header.i":"stageVariables.v","method.response.header.j":"integration.response.statuscode"},"responseTemplates":{"$default":"","a":"#set($x = 1)"},"templateSelectionExpression":"${integration.response.statuscode}"}`,
			`{"contentHandlingStrategy":"CONVERT_TO_BINARY","integrationResponseKey":"/4\\d{2}/","responseParameters":{"method.response.header.A":"integration.response.header.b","method.response.header.c":"integration.response.body.d.e","method.response.header.f":"'static, text'","method.response.header.g":"integration.response.body","method.response.header.h":"context.requestId","method.response.header.i":"stageVariables.v","method.response.header.j":"integration.response.statuscode"},"responseTemplates":{"$default":"","a":"#set($x = 1)"},"templateSelectionExpression":"${integration.response.statuscode}"}`},
		{"empties are omitted", `{"integrationResponseKey":"/5/","responseParameters":{},"responseTemplates":{},"templateSelectionExpression":""}`, `{"integrationResponseKey":"/5/"}`},
	} {
		got := s.call(201, "POST", path, tt.body)
		if read := s.call(200, "GET", path+"/"+id(got, "integrationResponseId"), ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "integrationResponseId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestIntegrationResponseMessages(t *testing.T) {
	s := newTester(t)
	_, integration, _ := s.webSocketParts()
	path := integration + "/integrationresponses"
	httpAPI := s.api("HTTP")
	http := httpAPI + "/integrations/" + s.integration(httpAPI) + "/integrationresponses"
	item := path + "/" + id(s.call(201, "POST", path, `{"integrationResponseKey":"/200/"}`), "integrationResponseId")
	s.call(201, "POST", path, `{"integrationResponseKey":"$default"}`)
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprintf("method.response.header.h%d", i)] = "'a'"
	}
	const (
		key     = "Invalid integration response key specified %s: must be $default, or a regular expression between slashes"
		exists  = "Integration response with key %s already exists for this integration"
		mapping = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: %s]"
	)
	rows := []refused{
		{"on an HTTP API", 400, "IntegrationResponses are currently not supported for this API protocol type.", "POST", http, `{"integrationResponseKey":"$default"}`},
		{"key missing", 400, "Invalid request input: integrationResponseKey is required", "POST", path, `{}`},
		{"key twice", 409, fmt.Sprintf(exists, "/200/"), "POST", path, `{"integrationResponseKey":"/200/"}`},
		{"$default twice", 409, fmt.Sprintf(exists, "$default"), "POST", path, `{"integrationResponseKey":"$default"}`},
		{"key twice in an update", 409, fmt.Sprintf(exists, "$default"), "PATCH", item, `{"integrationResponseKey":"$default"}`},
		{"too many parameters", 400, "responseParameters must not have more than 100 entries", "POST", path, `{"integrationResponseKey":"/1/","responseParameters":` + text(many) + `}`},
		{"strategy unknown", 400, "Invalid request input: contentHandlingStrategy must be one of [CONVERT_TO_BINARY, CONVERT_TO_TEXT]", "PATCH", item, `{"contentHandlingStrategy":"x"}`},
		{"of another integration", 404, "Invalid Integration identifier specified zzzzzzz", "GET", strings.Replace(item, integration, integration[:len(integration)-7]+"zzzzzzz", 1), ""},
		{"unknown", 404, "Invalid IntegrationResponse identifier specified zzzzzz", "PATCH", path + "/zzzzzz", `{}`},
	}
	for _, bad := range []string{"", "200", "/", "//", "/200", "200/", "$connect", "default"} {
		rows = append(rows, refused{"key " + bad, 400, fmt.Sprintf(key, bad), "POST", path, text(map[string]string{"integrationResponseKey": bad})})
	}
	rows = append(rows, refused{"key in an update", 400, fmt.Sprintf(key, "500"), "PATCH", item, `{"integrationResponseKey":"500"}`})
	for _, bad := range []string{"a", "method.response.header.", "method.response.header", "method.request.header.a", "integration.response.header.a", "method.response.header.a b", "method.response.header.a:b", "method.response.body", "method.response.header.a\n"} {
		rows = append(rows, refused{"parameter " + bad, 400, fmt.Sprintf(mapping, bad), "PATCH", item, text(map[string]any{"responseParameters": map[string]string{bad: "'a'"}})})
	}
	for _, bad := range []string{"a", "integration.response.header.", "integration.request.header.a", "'a", "'a'b'", "'a\r\nB: c'", "$context.requestId", "method.request.header.a", "integration.response.bodyx", "stageVariables.a-b"} {
		rows = append(rows, refused{"value " + bad, 400, fmt.Sprintf(mapping, bad), "PATCH", item, text(map[string]any{"responseParameters": map[string]string{"method.response.header.a": bad}})})
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", item, ""), `{"integrationResponseKey":"/200/","responseParameters":null}`)
}

func TestUpdateIntegrationResponse(t *testing.T) {
	s := newTester(t)
	_, integration, _ := s.webSocketParts()
	path := integration + "/integrationresponses"
	full := `{"integrationResponseKey":"/200/","contentHandlingStrategy":"CONVERT_TO_TEXT","responseParameters":{"method.response.header.a":"'b'"},"responseTemplates":{"a":"","b":"c"},"templateSelectionExpression":"x"}`
	for _, tt := range []struct{ name, patch, want string }{
		{"absent keeps", `{}`, full},
		{"null keeps", `{"contentHandlingStrategy":null,"responseParameters":null,"responseTemplates":null,"templateSelectionExpression":null,"integrationResponseKey":null}`, full},
		{"key", `{"integrationResponseKey":"$default"}`, `{"integrationResponseKey":"$default","responseTemplates":{"a":"","b":"c"}}`},
		{"its own key", `{"integrationResponseKey":"/200/"}`, full},
		{"strategy is cleared", `{"contentHandlingStrategy":""}`, with(full, `{"contentHandlingStrategy":null}`)},
		{"templates are replaced", `{"responseTemplates":{"b":""}}`, `{"responseTemplates":{"b":""}}`},
		{"expression is cleared", `{"templateSelectionExpression":""}`, with(full, `{"templateSelectionExpression":null}`)},
	} {
		item := path + "/" + id(s.call(201, "POST", path, full), "integrationResponseId")
		got := s.call(200, "PATCH", item, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", item, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", item, "")
	}
}

func TestRouteResponseMembers(t *testing.T) {
	s := newTester(t)
	api, _, _ := s.webSocketParts()
	for i, tt := range []struct{ name, body, want string }{
		{"minimum", `{"routeResponseKey":"$default"}`, `{"routeResponseKey":"$default"}`},
		{"everything", `{"routeResponseKey":"$default","modelSelectionExpression":"action","responseModels":{"a":"m","$default":"m"},"responseParameters":{"route.response.header.A":{"required":true},"route.response.header.b":{"required":false}}}`,
			`{"modelSelectionExpression":"action","responseModels":{"$default":"m","a":"m"},"responseParameters":{"route.response.header.A":{"required":true},"route.response.header.b":{"required":false}},"routeResponseKey":"$default"}`},
		{"empties are omitted", `{"routeResponseKey":"$default","modelSelectionExpression":"","responseModels":{},"responseParameters":{}}`, `{"routeResponseKey":"$default"}`},
	} {
		path := s.route(api, fmt.Sprint("r", i), "") + "/routeresponses"
		got := s.call(201, "POST", path, tt.body)
		if read := s.call(200, "GET", path+"/"+id(got, "routeResponseId"), ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "routeResponseId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestRouteResponseMessages(t *testing.T) {
	s := newTester(t)
	api, _, taken := s.webSocketParts()
	item := taken + "/routeresponses/" + id(s.call(201, "POST", taken+"/routeresponses", `{"routeResponseKey":"$default"}`), "routeResponseId")
	path := s.route(api, "free", "") + "/routeresponses"
	http := s.route(s.api("HTTP"), "GET /", "") + "/routeresponses"
	const (
		key       = "Currently, only $default is supported as a RouteResponseKey."
		parameter = "Invalid response parameter %s: must be route.response.header.<name>"
	)
	rows := []refused{
		{"on an HTTP API", 400, "RouteResponses are currently not supported for this API protocol type.", "POST", http, `{"routeResponseKey":"$default"}`},
		{"key missing", 400, "Invalid request input: routeResponseKey is required", "POST", path, `{}`},
		{"key in an update", 400, key, "PATCH", item, `{"routeResponseKey":"a"}`},
		{"second", 409, "Route response with key $default already exists for this route", "POST", taken + "/routeresponses", `{"routeResponseKey":"$default"}`},
		{"model unknown", 400, "Invalid Model specified nope: the API has no model with this name", "POST", path, `{"routeResponseKey":"$default","responseModels":{"a":"m","b":"nope"}}`},
		{"model name empty", 400, `Invalid request input: responseModels["a"] must have 1 to 128 characters`, "PATCH", item, `{"responseModels":{"a":""}}`},
		{"of another route", 404, "Invalid RouteResponse identifier specified " + item[len(item)-6:], "GET", path + item[len(item)-7:], ""},
		{"unknown route", 404, "Invalid Route identifier specified zzzzzzz", "GET", api + "/routes/zzzzzzz/routeresponses", ""},
	}
	for _, bad := range []string{"", "a", "/200/", "$Default", "$default "} {
		rows = append(rows, refused{"key " + bad, 400, key, "POST", path, text(map[string]string{"routeResponseKey": bad})})
	}
	for _, bad := range []string{"a", "route.response.header.", "route.response.querystring.a", "route.request.header.a", "method.response.header.a", "route.response.header.a b"} {
		rows = append(rows, refused{"parameter " + bad, 400, fmt.Sprintf(parameter, bad), "PATCH", item, text(map[string]any{"responseParameters": map[string]any{bad: map[string]bool{"required": true}}})})
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", item, ""), `{"routeResponseKey":"$default","responseParameters":null}`)
}

func TestUpdateRouteResponse(t *testing.T) {
	s := newTester(t)
	_, _, route := s.webSocketParts()
	path := route + "/routeresponses"
	full := `{"routeResponseKey":"$default","modelSelectionExpression":"a","responseModels":{"a":"m","b":"m"},"responseParameters":{"route.response.header.a":{"required":true}}}`
	for _, tt := range []struct{ name, patch, want string }{
		{"absent keeps", `{}`, full},
		{"null keeps", `{"routeResponseKey":null,"modelSelectionExpression":null,"responseModels":null,"responseParameters":null}`, full},
		{"its own key", `{"routeResponseKey":"$default"}`, full},
		{"expression", `{"modelSelectionExpression":"b"}`, with(full, `{"modelSelectionExpression":"b"}`)},
		{"expression is cleared", `{"modelSelectionExpression":""}`, with(full, `{"modelSelectionExpression":null}`)},
		{"models are replaced", `{"responseModels":{"c":"m"}}`, `{"responseModels":{"c":"m"}}`},
		{"models are cleared", `{"responseModels":{}}`, with(full, `{"responseModels":null}`)},
	} {
		item := path + "/" + id(s.call(201, "POST", path, full), "routeResponseId")
		got := s.call(200, "PATCH", item, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", item, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", item, "")
	}
}

// The responses of what is deleted are gone, and do not come back with another
// integration or route.
func TestResponsesGoWithWhatTheyAnswerFor(t *testing.T) {
	s := newTester(t)
	api, integration, route := s.webSocketParts()
	s.call(201, "POST", integration+"/integrationresponses", `{"integrationResponseKey":"$default"}`)
	s.call(201, "POST", route+"/routeresponses", `{"routeResponseKey":"$default","responseModels":{"a":"m"}}`)
	s.call(204, "DELETE", integration, "")
	s.call(204, "DELETE", route, "")
	s.refuse(404, "Invalid Integration identifier specified "+strings.TrimPrefix(integration, api+"/integrations/"), "GET", integration+"/integrationresponses", "")
	s.refuse(404, "Invalid Route identifier specified "+strings.TrimPrefix(route, api+"/routes/"), "GET", route+"/routeresponses", "")
	if stored := s.store.List("api."); strings.Contains(string(stored[0].Data), "esponseKey") {
		t.Errorf("a response is still stored: %s", stored[0].Data)
	}
	s.call(204, "DELETE", api+"/models/"+id(s.only(api+"/models"), "modelId"), "")
}
