package control

import (
	"fmt"
	"strings"
	"testing"
)

func TestAPIMappingMembers(t *testing.T) {
	s := newTester(t)
	http, ws := s.staged("HTTP", "$default", "v1"), s.staged("WEBSOCKET", "v1")
	path, socket := s.domain("d.example.com")+"/apimappings", s.domain("s.example.com")+"/apimappings"
	for _, tt := range []struct{ name, path, body, want string }{
		{"root", path, `{"apiId":"` + http + `","stage":"$default"}`, `{"apiId":"` + http + `","stage":"$default"}`},
		{"key", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"orders"}`, `{"apiId":"` + http + `","apiMappingKey":"orders","stage":"v1"}`},
		{"key in capitals", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"Orders"}`, `{"apiId":"` + http + `","apiMappingKey":"Orders","stage":"v1"}`},
		{"key with several segments", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"orders/v1/x"}`, `{"apiId":"` + http + `","apiMappingKey":"orders/v1/x","stage":"v1"}`},
		{"every character", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"azAZ09$-_.+!*'()"}`, `{"apiId":"` + http + `","apiMappingKey":"azAZ09$-_.+!*'()","stage":"v1"}`},
		{"context", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"$context.domainName"}`, `{"apiId":"` + http + `","apiMappingKey":"$context.domainName","stage":"v1"}`},
		{"longest key", path, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"` + strings.Repeat("k", 300) + `"}`, `{"apiId":"` + http + `","apiMappingKey":"` + strings.Repeat("k", 300) + `","stage":"v1"}`},
		{"WebSocket root", socket, `{"apiId":"` + ws + `","stage":"v1","apiMappingKey":""}`, `{"apiId":"` + ws + `","stage":"v1"}`},
		{"WebSocket key", socket, `{"apiId":"` + ws + `","stage":"v1","apiMappingKey":"chat"}`, `{"apiId":"` + ws + `","apiMappingKey":"chat","stage":"v1"}`},
	} {
		got := s.call(201, "POST", tt.path, tt.body)
		if read := s.call(200, "GET", tt.path+"/"+id(got, "apiMappingId"), ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "apiMappingId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
	}
}

func TestAPIMappingMessages(t *testing.T) {
	s := newTester(t)
	http, ws := s.staged("HTTP", "v1"), s.staged("WEBSOCKET", "v1")
	path, socket := s.domain("d.example.com")+"/apimappings", s.domain("s.example.com")+"/apimappings"
	root := path + "/" + id(s.call(201, "POST", path, `{"apiId":"`+http+`","stage":"v1"}`), "apiMappingId")
	keyed := path + "/" + id(s.call(201, "POST", path, `{"apiId":"`+http+`","stage":"v1","apiMappingKey":"k"}`), "apiMappingId")
	chat := socket + "/" + id(s.call(201, "POST", socket, `{"apiId":"`+ws+`","stage":"v1","apiMappingKey":"chat"}`), "apiMappingId")
	s.call(201, "POST", socket, `{"apiId":"`+ws+`","stage":"v1"}`)
	const (
		exists  = "ApiMapping key already exists for this domain name"
		start   = "API mapping key should not start with a '/' or have consecutive '/'s."
		end     = "API mapping key should not end with a '/'."
		letters = "An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),"
		stage   = "Invalid stage identifier specified"
		api     = "Invalid API identifier specified: %s"
		onlyWS  = "Only WebSocket APIs can be mapped to a domain name that a WebSocket API is mapped to"
		onlyOne = "WebSocket APIs cannot be mapped to a domain name that other APIs are mapped to"
	)
	of := func(api, key string) string {
		return text(map[string]string{"apiId": api, "stage": "v1", "apiMappingKey": key})
	}
	rows := []refused{
		{"API and stage missing", 400, "Invalid request input: apiId is required; stage is required", "POST", path, `{}`},
		{"stage missing", 400, "Invalid request input: stage is required", "POST", path, `{"apiId":"` + http + `"}`},
		{"API missing in an update", 400, "Invalid request input: apiId is required", "PATCH", keyed, `{"apiMappingKey":"x"}`},
		{"API unknown", 400, fmt.Sprintf(api, "zzzzzzzzzz"), "POST", path, of("zzzzzzzzzz", "x")},
		{"API empty", 400, fmt.Sprintf(api, ""), "POST", path, of("", "x")},
		{"API empty in an update", 400, fmt.Sprintf(api, ""), "PATCH", keyed, `{"apiId":""}`},
		{"API that is no ID", 400, fmt.Sprintf(api, "../x"), "POST", path, of("../x", "x")},
		{"API unknown in an update", 400, fmt.Sprintf(api, "zzzzzzzzzz"), "PATCH", keyed, `{"apiId":"zzzzzzzzzz"}`},
		{"stage unknown", 400, stage, "POST", path, `{"apiId":"` + http + `","stage":"v2","apiMappingKey":"x"}`},
		{"stage unknown in an update", 400, stage, "PATCH", keyed, `{"apiId":"` + http + `","stage":"v2"}`},
		{"stage that the new API does not have", 400, stage, "PATCH", keyed, `{"apiId":"` + s.staged("HTTP", "prod") + `"}`},
		{"root twice", 409, exists, "POST", path, `{"apiId":"` + http + `","stage":"v1"}`},
		{"root twice, empty", 409, exists, "POST", path, of(http, "")},
		{"key twice", 409, exists, "POST", path, of(http, "k")},
		{"key twice in an update", 409, exists, "PATCH", root, of(http, "k")},
		{"root twice in an update", 409, exists, "PATCH", keyed, of(http, "")},
		{"key too long", 400, "Invalid request input: apiMappingKey must have 0 to 300 characters", "POST", path, of(http, strings.Repeat("k", 301))},
		{"WebSocket key with several segments", 400, "API mapping keys of WebSocket APIs must not have a '/'.", "POST", socket, of(ws, "a/b")},
		{"WebSocket key with several segments in an update", 400, "API mapping keys of WebSocket APIs must not have a '/'.", "PATCH", chat, of(ws, "a/b")},
		{"HTTP API beside a WebSocket API", 400, onlyWS, "POST", socket, of(http, "x")},
		{"HTTP API beside a WebSocket API in an update", 400, onlyWS, "PATCH", chat, `{"apiId":"` + http + `"}`},
		{"WebSocket API beside an HTTP API", 400, onlyOne, "POST", path, of(ws, "x")},
		{"WebSocket API beside an HTTP API in an update", 400, onlyOne, "PATCH", keyed, `{"apiId":"` + ws + `"}`},
		{"unknown", 404, "Invalid ApiMapping identifier specified zzzzzz", "GET", path + "/zzzzzz", ""},
		{"of another domain name", 404, "Invalid ApiMapping identifier specified " + strings.TrimPrefix(keyed, path+"/"), "DELETE", socket + strings.TrimPrefix(keyed, path), ""},
		{"unknown domain name", 404, "Invalid domain name identifier specified", "POST", "/v2/domainnames/x.example.com/apimappings", `{"`},
	}
	for _, bad := range []struct{ key, message string }{
		{"/", start}, {"/a", start}, {"//a", start}, {"a//b", start}, {"a/", end}, {"a/b/", end},
		{"a b", letters}, {"é", letters}, {"a,b", letters}, {"a?b", letters}, {"a%20b", letters}, {"a\n", letters}, {`a\b`, letters}, {"{a}", letters}, {"a#b", letters}, {"a&b", letters},
	} {
		rows = append(rows,
			refused{"key " + bad.key, 400, bad.message, "POST", path, of(http, bad.key)},
			refused{"key " + bad.key + " in an update", 400, bad.message, "PATCH", keyed, of(http, bad.key)})
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", keyed, ""), `{"apiId":"`+http+`","stage":"v1","apiMappingKey":"k"}`)
}

func TestUpdateAPIMapping(t *testing.T) {
	s := newTester(t)
	http, other, ws := s.staged("HTTP", "v1", "v2"), s.staged("HTTP", "v1"), s.staged("WEBSOCKET", "v1")
	path := s.domain("d.example.com") + "/apimappings"
	full := `{"apiId":"` + http + `","stage":"v1","apiMappingKey":"k"}`
	for _, tt := range []struct{ name, patch, want string }{
		{"absent keeps", `{"apiId":"` + http + `"}`, full},
		{"null keeps", `{"apiId":"` + http + `","stage":null,"apiMappingKey":null}`, full},
		{"stage", `{"apiId":"` + http + `","stage":"v2"}`, with(full, `{"stage":"v2"}`)},
		{"key", `{"apiId":"` + http + `","apiMappingKey":"a/b"}`, with(full, `{"apiMappingKey":"a/b"}`)},
		{"its own key", `{"apiId":"` + http + `","apiMappingKey":"k"}`, full},
		{"becomes the root", `{"apiId":"` + http + `","apiMappingKey":""}`, `{"apiId":"` + http + `","stage":"v1","apiMappingKey":null}`},
		{"API", `{"apiId":"` + other + `"}`, with(full, `{"apiId":"`+other+`"}`)},
		{"the only one becomes a WebSocket API's", `{"apiId":"` + ws + `"}`, with(full, `{"apiId":"`+ws+`"}`)},
	} {
		mapping := path + "/" + id(s.call(201, "POST", path, full), "apiMappingId")
		got := s.call(200, "PATCH", mapping, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", mapping, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", mapping, "")
	}
}

// A stage and an API that a domain name leads to stay, whether by a mapping or by a
// routing rule.
func TestMappedInUse(t *testing.T) {
	s := newTester(t)
	apiID := s.staged("HTTP", "$default", "v1", "free")
	api := "/v2/apis/" + apiID
	first, second := s.domain("a.example.com"), s.domain("*.example.com")
	mapping := first + "/apimappings/" + id(s.call(201, "POST", first+"/apimappings", `{"apiId":"`+apiID+`","stage":"$default"}`), "apiMappingId")
	byRule := second + "/routingrules/" + id(s.call(201, "POST", second+"/routingrules", rule(apiID, 1, `[]`)), "routingRuleId")
	const (
		stage = "Deleting stage %s failed. Please remove all base path mappings related to the stage in your domains: %s"
		whole = "Deleting API %s failed. Please remove all API mappings for the API from your custom domain names."
	)
	s.refuseAll([]refused{
		{"stage by a mapping", 400, fmt.Sprintf(stage, "$default", "a.example.com"), "DELETE", api + "/stages/%24default", ""},
		{"stage by a rule", 400, fmt.Sprintf(stage, "v1", "*.example.com"), "DELETE", api + "/stages/v1", ""},
		{"API", 400, fmt.Sprintf(whole, apiID), "DELETE", api, ""},
	})
	s.call(204, "DELETE", api+"/stages/free", "")
	again := id(s.call(201, "POST", first+"/apimappings", `{"apiId":"`+apiID+`","stage":"v1","apiMappingKey":"k"}`), "apiMappingId")
	s.refuse(400, fmt.Sprintf(stage, "v1", "*.example.com, a.example.com"), "DELETE", api+"/stages/v1", "")
	s.call(204, "DELETE", first+"/apimappings/"+again, "")

	s.call(204, "DELETE", mapping, "")
	s.call(204, "DELETE", api+"/stages/%24default", "")
	s.refuse(400, fmt.Sprintf(whole, apiID), "DELETE", api, "")
	s.call(204, "DELETE", byRule, "")
	s.call(204, "DELETE", api, "")
}

func TestAPIMappingQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.APIMappings = 1 })
	api, path := s.staged("HTTP", "v1"), s.domain("d.example.com")+"/apimappings"
	s.call(201, "POST", path, `{"apiId":"`+api+`","stage":"v1"}`)
	r := s.do("POST", path, `{"apiId":"`+api+`","stage":"v1","apiMappingKey":"k"}`)
	if r.status != 400 || !strings.HasPrefix(r.body, `{"message":"Maximum number of ApiMappings for this `) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.call(201, "POST", s.domain("e.example.com")+"/apimappings", `{"apiId":"`+api+`","stage":"v1"}`)
}

func TestExampleMappingGuard(t *testing.T) {
	s := newTester(t)
	apiID := s.staged("HTTP", "v1")
	api := "/v2/apis/" + apiID
	path := s.domain("d.example.com") + "/apimappings"
	mapping := id(s.call(201, "POST", path, `{"apiId":"`+apiID+`","stage":"v1"}`), "apiMappingId")
	s.refuse(400, "Deleting stage v1 failed. Please remove all base path mappings related to the stage in your domains: d.example.com", "DELETE", api+"/stages/v1", "")
	s.refuse(400, "Deleting API "+apiID+" failed. Please remove all API mappings for the API from your custom domain names.", "DELETE", api, "")
	s.call(204, "DELETE", path+"/"+mapping, "")
	s.call(204, "DELETE", api+"/stages/v1", "")
	s.call(204, "DELETE", api, "")
}
