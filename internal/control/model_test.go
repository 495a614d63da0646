package control

import (
	"strings"
	"testing"
)

func TestModelMembers(t *testing.T) {
	s := newTester(t)
	path := s.api("WEBSOCKET") + "/models"
	const schema = ` { "$schema" : "http://json-schema.org/draft-04/schema#",  "title":"é <&> \u00e9", "type":"object",` + "\n\t" + `"properties":{"b":{"type":"integer"},"a":{"type":"string"}} } `
	for _, tt := range []struct{ name, body, want string }{
		{"minimum", `{"name":"m","schema":"{}"}`, `{"contentType":"application/json","name":"m","schema":"{}"}`},
		{"everything", text(map[string]string{"name": "Model1", "schema": schema, "contentType": "text/plain", "description": "d"}),
			text(map[string]string{"contentType": "text/plain", "description": "d", "name": "Model1", "schema": schema})},
		{"empties are omitted", `{"name":"0","schema":"{}","description":""}`, `{"contentType":"application/json","name":"0","schema":"{}"}`},
	} {
		got := s.call(201, "POST", path, tt.body)
		if read := s.call(200, "GET", path+"/"+id(got, "modelId"), ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "modelId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestModelMessages(t *testing.T) {
	s := newTester(t)
	httpAPI, wsAPI := s.api("HTTP"), s.api("WEBSOCKET")
	ws := wsAPI + "/models"
	model := ws + "/" + id(s.call(201, "POST", ws, `{"name":"m","schema":"{}"}`), "modelId")
	s.call(201, "POST", ws, `{"name":"other","schema":"{}"}`)
	const (
		http   = "Currently, Models are not permitted for APIs with a protocol type of HTTP"
		exists = "Model name already exists for this REST API"
	)
	s.refuseAll([]refused{
		{"on an HTTP API", 400, http, "POST", httpAPI + "/models", `{"name":"m","schema":"{}"}`},
		{"name missing", 400, "Invalid request input: name is required", "POST", ws, `{"schema":"{}"}`},
		{"name and schema missing", 400, "Invalid request input: name is required; schema is required", "POST", ws, `{}`},
		{"name with a hyphen", 400, "Model name must be alphanumeric: my-model", "POST", ws, `{"name":"my-model","schema":"{}"}`},
		{"name with a space", 400, "Model name must be alphanumeric: my model", "POST", ws, `{"name":"my model","schema":"{}"}`},
		{"name with a newline", 400, "Model name must be alphanumeric: m\n", "POST", ws, `{"name":"m\n","schema":"{}"}`},
		{"name with a letter that is not ASCII", 400, "Model name must be alphanumeric: modèle", "PATCH", model, `{"name":"modèle"}`},
		{"name twice", 409, exists, "POST", ws, `{"name":"m","schema":"{}"}`},
		{"name twice in an update", 409, exists, "PATCH", model, `{"name":"other"}`},
		{"schema too long", 400, "Invalid request input: schema must have 0 to 32768 characters", "POST", ws, `{"name":"x","schema":"` + strings.Repeat(" ", 32769) + `"}`},
		{"content type emptied", 400, "Invalid request input: contentType must have 1 to 256 characters", "PATCH", model, `{"contentType":""}`},
		{"template of an unknown model", 404, "Invalid Model identifier specified zzzzzz", "GET", ws + "/zzzzzz/template", ""},
		{"template of an HTTP API", 404, "Invalid Model identifier specified zzzzzz", "GET", httpAPI + "/models/zzzzzz/template", ""},
		{"template of an unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "GET", "/v2/apis/zzzzzzzzzz/models/zzzzzz/template", ""},
	})
	for _, tt := range []struct{ name, schema string }{
		{"no JSON", `{"type":`},
		{"empty", ``},
		{"a type that is none", `{"type":"strings"}`},
		{"a schema that is a list", `[]`},
		{"properties that are none", `{"properties":7}`},
	} {
		for _, to := range [][2]string{{"POST", ws}, {"PATCH", model}} {
			r := s.do(to[0], to[1], text(map[string]string{"name": "bad", "schema": tt.schema}))
			if r.status != 400 || !strings.HasPrefix(r.body, `{"message":"Invalid model schema specified: `) {
				t.Errorf("%s: %s: got %d %s", tt.name, to[0], r.status, r.body)
			}
		}
	}
	s.shows(s.call(200, "GET", model, ""), `{"name":"m","schema":"{}"}`)
}

// What validates nothing is not checked, and is when it does again.
func TestModelWithoutValidation(t *testing.T) {
	s := newTester(t)
	api := s.api("WEBSOCKET")
	s.call(200, "PATCH", api, `{"disableSchemaValidation":true}`)
	path := api + "/models/" + id(s.call(201, "POST", api+"/models", `{"name":"m","schema":"{"}`), "modelId")
	s.shows(s.call(200, "PATCH", path, `{"description":"d"}`), `{"schema":"{","description":"d"}`)
	if r := s.do("GET", path+"/template", ""); r.status != 400 || !strings.HasPrefix(r.body, `{"message":"Invalid model schema specified: `) {
		t.Errorf("template: got %d %s", r.status, r.body)
	}
}

func TestUpdateModel(t *testing.T) {
	s := newTester(t)
	path := s.api("WEBSOCKET") + "/models"
	full := `{"name":"m","schema":"{}","contentType":"text/plain","description":"d"}`
	for _, tt := range []struct{ name, patch, want string }{
		{"absent keeps", `{}`, full},
		{"null keeps", `{"description":null,"contentType":null,"schema":null,"name":null}`, full},
		{"description is cleared", `{"description":""}`, with(full, `{"description":null}`)},
		{"name", `{"name":"renamed"}`, `{"name":"renamed","schema":"{}"}`},
		{"its own name", `{"name":"m"}`, full},
		{"schema", `{"schema":"{\"type\": \"object\" }"}`, `{"schema":"{\"type\": \"object\" }","contentType":"text/plain"}`},
		{"content type", `{"contentType":"application/json"}`, `{"contentType":"application/json","description":"d"}`},
	} {
		model := path + "/" + id(s.call(201, "POST", path, full), "modelId")
		got := s.call(200, "PATCH", model, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", model, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", model, "")
	}
}

// Routes and route responses know models by their names: one that is named stays,
// and keeps its name.
func TestModelInUse(t *testing.T) {
	s := newTester(t)
	api := s.api("WEBSOCKET")
	model := func(name string) string {
		return api + "/models/" + id(s.call(201, "POST", api+"/models", `{"name":"`+name+`","schema":"{}"}`), "modelId")
	}
	asked, answered, free := model("asked"), model("answered"), model("free")
	route := api + "/routes/" + id(s.call(201, "POST", api+"/routes", `{"routeKey":"send","requestModels":{"a":"asked","$default":"asked"}}`), "routeId")
	response := route + "/routeresponses/" + id(s.call(201, "POST", route+"/routeresponses", `{"routeResponseKey":"$default","responseModels":{"a":"answered"}}`), "routeResponseId")
	s.refuseAll([]refused{
		{"by a route", 409, "Cannot delete model 'asked', is referenced in route: send", "DELETE", asked, ""},
		{"by a route response", 409, "Cannot delete model 'answered', is referenced in route: send", "DELETE", answered, ""},
		{"another name", 409, "Cannot delete model 'asked', is referenced in route: send", "PATCH", asked, `{"name":"renamed"}`},
		{"another name, by a route response", 409, "Cannot delete model 'answered', is referenced in route: send", "PATCH", answered, `{"name":"renamed"}`},
		{"unknown in a route", 400, "Invalid Model specified nope: the API has no model with this name", "PATCH", route, `{"requestModels":{"a":"free","b":"nope"}}`},
		{"unknown in a route response", 400, "Invalid Model specified nope: the API has no model with this name", "PATCH", response, `{"responseModels":{"a":"nope"}}`},
	})
	s.call(204, "DELETE", free, "")
	s.shows(s.call(200, "PATCH", asked, `{"name":"asked","schema":"{\"type\":\"object\"}","description":"d"}`), `{"description":"d"}`)
	s.call(200, "PATCH", response, `{"responseModels":{}}`)
	s.call(204, "DELETE", answered, "")
	s.call(204, "DELETE", route, "")
	s.call(204, "DELETE", asked, "")
}

// A template makes what a model describes, with a sample in place of each value.
func TestModelTemplate(t *testing.T) {
	s := newTester(t)
	path := s.api("WEBSOCKET") + "/models"
	const schema = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"ok":{"type":"boolean"},"owner":{"type":"object","properties":{"name":{"type":"string"}}}}}`
	model := path + "/" + id(s.call(201, "POST", path, text(map[string]string{"name": "m", "schema": schema})), "modelId")
	got := s.call(200, "GET", model+"/template", "")
	value := id(got, "value")
	head, rest, ok := strings.Cut(value, "\n")
	if len(got) != 1 || !ok || head != "#set($inputRoot = $input.path('$'))" {
		t.Fatalf("got %s", text(got))
	}
	if made := text(decodeText(rest)); made != `{"age":42,"name":"foo","ok":true,"owner":{"name":"foo"}}` {
		t.Errorf("the template makes %s", made)
	}
}
