package control

import (
	"strings"
	"testing"
)

// withRequestModels lets HTTP APIs have models.
func withRequestModels(o *Options) { o.RequestModels = true }

func TestRequestModels(t *testing.T) {
	t.Parallel()
	s := newTester(t, withRequestModels)
	api := s.api("HTTP")
	s.call(201, "POST", api+"/models", `{"name":"Pet","schema":"{\"type\":\"object\"}"}`)
	s.call(201, "POST", api+"/models", `{"name":"Any","schema":"{}"}`)
	for _, tt := range []struct{ name, body, patch, want string }{
		{"media type", `{"routeKey":"POST /a","requestModels":{"application/json":"Pet"}}`, `{}`, `{"application/json":"Pet"}`},
		{"all others", `{"routeKey":"POST /a","requestModels":{"application/vnd.pets.v1+json":"Pet","$default":"Any"}}`, `{"operationName":"o"}`, `{"$default":"Any","application/vnd.pets.v1+json":"Pet"}`},
		{"another model", `{"routeKey":"POST /a","requestModels":{"application/json":"Pet"}}`, `{"requestModels":{"application/json":"Any"}}`, `{"application/json":"Any"}`},
		{"none any more", `{"routeKey":"POST /a","requestModels":{"application/json":"Pet"}}`, `{"requestModels":{}}`, `null`},
		{"later", `{"routeKey":"POST /a"}`, `{"requestModels":{"$default":"Pet"}}`, `{"$default":"Pet"}`},
	} {
		path := api + "/routes/" + id(s.call(201, "POST", api+"/routes", tt.body), "routeId")
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).shows(got, `{"requestModels":`+tt.want+`}`)
		})
		s.call(204, "DELETE", path, "")
	}
}

func TestRequestModelMessages(t *testing.T) {
	t.Parallel()
	s := newTester(t, withRequestModels)
	api, ws := s.api("HTTP"), s.api("WEBSOCKET")
	s.call(201, "POST", api+"/models", `{"name":"Pet","schema":"{}"}`)
	s.call(201, "POST", ws+"/models", `{"name":"Message","schema":"{\"pattern\":\"(?=a)\"}"}`)
	route := s.route(api, "POST /a", "")
	const key = ": must be $default or a media type such as application/json"
	model := func(schema string) string { return text(map[string]string{"name": "m", "schema": schema}) }
	s.refuseAll([]refused{
		{"no such model", 400, "Invalid Model specified Dog: the API has no model with this name", "PATCH", route, `{"requestModels":{"application/json":"Dog"}}`},
		{"a model of another API", 400, "Invalid Model specified Message: the API has no model with this name", "PATCH", route, `{"requestModels":{"$default":"Message"}}`},
		{"key", 400, `Invalid key in requestModels "json"` + key, "PATCH", route, `{"requestModels":{"json":"Pet"}}`},
		{"key with parameters", 400, `Invalid key in requestModels "application/json; charset=utf-8"` + key, "POST", api + "/routes", `{"routeKey":"POST /b","requestModels":{"application/json; charset=utf-8":"Pet"}}`},
		{"key for many", 400, `Invalid key in requestModels "*/*"` + key, "PATCH", route, `{"requestModels":{"*/*":"Pet"}}`},
		{"other words", 400, `Invalid key in requestModels "$DEFAULT"` + key, "PATCH", route, `{"requestModels":{"$DEFAULT":"Pet"}}`},
		{"one media type twice", 400, "requestModels has Application/JSON and application/json, which are one media type", "PATCH", route, `{"requestModels":{"application/json":"Pet","Application/JSON":"Pet"}}`},
		{"selection expression", 400, "ModelSelectionExpression is not currently supported for HTTP APIs.", "PATCH", route, `{"modelSelectionExpression":"$default"}`},
		{"no schema", 400, `Invalid model schema specified: #/type: must be one of array, boolean, integer, null, number, object, string`, "POST", api + "/models", model(`{"type":"x"}`)},
		{"a pattern that cannot be applied", 400, `Invalid model schema specified: #/items/pattern: the pattern "(?=a)" cannot be read by RE2: invalid or unsupported Perl syntax: "(?="`, "POST", api + "/models", model(`{"items":{"pattern":"(?=a)"}}`)},
		{"leads to itself", 400, `Invalid model schema specified: #: leads to itself for the same value`, "POST", api + "/models", model(`{"$ref":"#"}`)},
		{"refers to no model", 400, `Invalid model schema specified: #/items/$ref: there is no model Message`, "POST", api + "/models", model(`{"items":{"$ref":"https://apigateway.amazonaws.com/restapis/a1/models/Message"}}`)},
		{"refers to elsewhere", 400, `Invalid model schema specified: #/$ref: "https://example.com/a.json" is not in the schema, and nothing else is read but models: https://apigateway.amazonaws.com/restapis/{api}/models/{Name}`, "POST", api + "/models", model(`{"$ref":"https://example.com/a.json"}`)},
		{"WebSocket APIs have keys of their own", 400, "Invalid Model specified Pet: the API has no model with this name", "POST", ws + "/routes", `{"routeKey":"x","requestModels":{"json":"Pet"}}`},
	})
}

// Models of an HTTP API depend on each other: none may go, or change, so that another one
// can no longer be applied.
func TestRequestModelInUse(t *testing.T) {
	t.Parallel()
	s := newTester(t, withRequestModels)
	api := s.api("HTTP")
	model := func(name, schema string) string {
		return api + "/models/" + id(s.call(201, "POST", api+"/models", text(map[string]string{"name": name, "schema": schema})), "modelId")
	}
	const ref = `{"$ref":"https://apigateway.amazonaws.com/restapis/a1/models/`
	tag := model("Tag", `{"type":"string","definitions":{"a":{}}}`)
	pet := model("Pet", `{"properties":{"tags":{"items":`+ref+`Tag#/definitions/a"}},"self":`+ref+`Pet"}},"allOf":[`+ref+`Tag"}]}`)
	free := model("Free", `{}`)
	route := api + "/routes/" + id(s.call(201, "POST", api+"/routes", `{"routeKey":"POST /a","requestModels":{"application/json":"Pet"}}`), "routeId")
	s.refuseAll([]refused{
		{"by a route", 409, "Cannot delete model 'Pet', is referenced in route: POST /a", "DELETE", pet, ""},
		{"by a model", 409, "Cannot delete model 'Tag', is referenced in model: Pet", "DELETE", tag, ""},
		{"another name", 409, "Cannot delete model 'Tag', is referenced in model: Pet", "PATCH", tag, `{"name":"Label"}`},
		{"without what is referred to", 400, `Invalid model schema specified: model Pet, which refers to it, would no longer be valid: #/properties/tags/items/$ref: "https://apigateway.amazonaws.com/restapis/a1/models/Tag#/definitions/a" leads to no schema`, "PATCH", tag, `{"schema":"{}"}`},
		{"back to the other", 400, `Invalid model schema specified: #: leads to itself for the same value`, "PATCH", tag, text(map[string]string{"schema": `{"definitions":{"a":{}},"not":` + ref + `Pet"}}`})},
	})
	s.call(200, "PATCH", tag, text(map[string]string{"schema": `{"definitions":{"a":{"items":` + ref + `Pet"}}}}`}))
	s.call(204, "DELETE", free, "")
	s.call(204, "DELETE", route, "")
	s.call(200, "PATCH", tag, `{"schema":"{\"definitions\":{\"a\":{}}}"}`)
	s.call(204, "DELETE", pet, "")
	s.call(204, "DELETE", tag, "")
}

// Where the extension is off again, what was made with it can go but not change.
func TestRequestModelsOff(t *testing.T) {
	t.Parallel()
	s := newTester(t, withRequestModels)
	api := s.api("HTTP")
	model := api + "/models/" + id(s.call(201, "POST", api+"/models", `{"name":"Pet","schema":"{}"}`), "modelId")
	route := api + "/routes/" + id(s.call(201, "POST", api+"/routes", `{"routeKey":"POST /a","requestModels":{"application/json":"Pet"}}`), "routeId")
	off := &tester{t, New(Options{Store: s.store, Account: "123456789012"}), s.store}
	off.refuseAll([]refused{
		{"a model", 400, "Currently, Models are not permitted for APIs with a protocol type of HTTP", "PATCH", model, `{"description":"d"}`},
		{"a route", 400, "RequestModels is not currently supported for HTTP APIs.", "PATCH", route, `{"operationName":"o"}`},
	})
	off.shows(off.call(200, "PATCH", route, `{"requestModels":{}}`), `{"requestModels":null}`)
	off.call(204, "DELETE", model, "")
}

// A document that is imported makes no models, and so no request models.
func TestImportMakesNoRequestModels(t *testing.T) {
	t.Parallel()
	s := newTester(t, withRequestModels)
	const document = `{"openapi":"3.0.1","info":{"title":"t","version":"1"},"components":{"schemas":{"Pet":{"type":"object"}}},"paths":{"/a":{"post":{
		"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}},"responses":{"default":{"description":"d"}}}}}}`
	api := "/v2/apis/" + id(s.call(201, "PUT", "/v2/apis", text(map[string]string{"body": document})), "apiId")
	if got := text(s.call(200, "GET", api+"/models", "")); got != `{"items":[]}` {
		t.Errorf("models: got %s", got)
	}
	if got := text(s.call(200, "GET", api+"/routes", "")); !strings.Contains(got, `"POST /a"`) || strings.Contains(got, "requestModels") {
		t.Errorf("routes: got %s", got)
	}
}
