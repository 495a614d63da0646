package control

import (
	"fmt"
	"strings"
	"testing"
)

// rule returns the body of a rule that leads to stage v1 of an API.
func rule(api string, priority int, conditions string) string {
	return fmt.Sprintf(`{"priority":%d,"conditions":%s,"actions":[{"invokeApi":{"apiId":"%s","stage":"v1"}}]}`, priority, conditions, api)
}

func TestRoutingRuleMembers(t *testing.T) {
	s := newTester(t)
	api := s.staged("HTTP", "v1")
	path := s.domain("*.example.com") + "/routingrules"
	action := `"actions":[{"invokeApi":{"apiId":"` + api + `","stage":"v1","stripBasePath":false}}]`
	header := func(header, glob string) string { return `{"header":"` + header + `","valueGlob":"` + glob + `"}` }
	long := header(strings.Repeat("h", 39), strings.Repeat("v", 127))
	for i, tt := range []struct{ name, conditions string }{
		{"catch-all", `[]`},
		{"base path", `[{"matchBasePaths":{"anyOf":["orders"]}}]`},
		{"base path with several segments", `[{"matchBasePaths":{"anyOf":["orders/V1","a/b/c","$-_.+!*'()"]}}]`},
		{"header", `[{"matchHeaders":{"anyOf":[` + header("X-Version", "beta") + `]}}]`},
		{"globs", `[{"matchHeaders":{"anyOf":[` + header("a", "*") + `,` + header("a", "v*") + `,` + header("a", "*v") + `,` + header("!#$%&'*+.^_`|~-", "*?!#$%&'.^_`|~-*") + `]}}]`},
		{"longest", `[{"matchHeaders":{"anyOf":[` + long + strings.Repeat(","+long, 99) + `]}}]`},
		{"all that there may be", `[{"matchHeaders":{"anyOf":[` + header("a", "b") + `]}},{"matchBasePaths":{"anyOf":["a"` + strings.Repeat(`,"a"`, 99) + `]}},{"matchHeaders":{"anyOf":[` + header("c", "d") + `]}}]`},
	} {
		got := s.call(201, "POST", path, rule(api, i+1, tt.conditions))
		ruleID := id(got, "routingRuleId")
		if read := s.call(200, "GET", path+"/"+ruleID, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		want := fmt.Sprintf(`{%s,"conditions":%s,"priority":%d,"routingRuleArn":"arn:aws:apigateway:us-east-1:123456789012:/domainnames/*.example.com/routingrules/%s","routingRuleId":"%s"}`, action, tt.conditions, i+1, ruleID, ruleID)
		if text(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), want)
		}
	}
}

func TestRoutingRuleMessages(t *testing.T) {
	s := newTester(t)
	api, ws := s.staged("HTTP", "v1"), s.staged("WEBSOCKET", "v1")
	path := s.domain("d.example.com") + "/routingrules"
	made := path + "/" + id(s.call(201, "POST", path, rule(api, 50, `[]`)), "routingRuleId")
	s.call(201, "POST", path, rule(api, 60, `[]`))
	const (
		one      = "A condition must have exactly one of [matchHeaders, matchBasePaths]"
		count    = "A routing rule must not have more than 2 matchHeaders and 1 matchBasePaths conditions"
		action   = "A routing rule must have exactly one action"
		anyOf    = "anyOf must have 1 to 100 entries"
		header   = "Invalid header %q in a routing rule: must be a header name of less than 40 characters"
		glob     = "Invalid valueGlob %q in a routing rule: must have less than 128 characters of a-zA-Z0-9?-!#$%%&'.^_`|~, and * only at its ends"
		basePath = "Invalid base path %q in a routing rule: must be segments between slashes, without one at its ends"
		h        = `{"matchHeaders":{"anyOf":[{"header":"h","valueGlob":"v"}]}}`
		b        = `{"matchBasePaths":{"anyOf":["b"]}}`
	)
	with := func(more string) string { return with(rule(api, 7, `[]`), more) }
	conditions := func(conditions string) string { return rule(api, 7, conditions) }
	rows := []refused{
		{"everything missing", 400, "Invalid request input: actions is required; conditions is required; priority is required", "POST", path, `{}`},
		{"everything missing in an update", 400, "Invalid request input: actions is required; conditions is required; priority is required", "PUT", made, `{}`},
		{"priority zero", 400, "Invalid request input: priority must be between 1 and 1000000", "POST", path, with(`{"priority":0}`)},
		{"priority too great", 400, "Invalid request input: priority must be between 1 and 1000000", "PUT", made, with(`{"priority":1000001}`)},
		{"priority used", 409, "Priority 50 is already in use", "POST", path, with(`{"priority":50}`)},
		{"priority used in an update", 409, "Priority 60 is already in use", "PUT", made, with(`{"priority":60}`)},
		{"condition with nothing", 400, one, "POST", path, conditions(`[{}]`)},
		{"condition with both", 400, one, "POST", path, conditions(`[{"matchHeaders":{"anyOf":[{"header":"h","valueGlob":"v"}]},"matchBasePaths":{"anyOf":["b"]}}]`)},
		{"condition with nothing in an update", 400, one, "PUT", made, conditions(`[` + b + `,{}]`)},
		{"three headers", 400, count, "POST", path, conditions(`[` + h + `,` + h + `,` + h + `]`)},
		{"two base paths", 400, count, "POST", path, conditions(`[` + b + `,` + b + `]`)},
		{"no alternatives", 400, anyOf, "POST", path, conditions(`[{"matchHeaders":{"anyOf":[]}}]`)},
		{"no alternatives of a base path", 400, anyOf, "POST", path, conditions(`[{"matchBasePaths":{"anyOf":[]}}]`)},
		{"too many alternatives", 400, anyOf, "POST", path, conditions(`[{"matchBasePaths":{"anyOf":["b"` + strings.Repeat(`,"b"`, 100) + `]}}]`)},
		{"too many headers", 400, anyOf, "POST", path, conditions(`[{"matchHeaders":{"anyOf":[{"header":"h","valueGlob":"v"}` + strings.Repeat(`,{"header":"h","valueGlob":"v"}`, 100) + `]}}]`)},
		{"alternatives missing", 400, "Invalid request input: conditions[0].matchHeaders.anyOf is required", "POST", path, conditions(`[{"matchHeaders":{}}]`)},
		{"header and glob missing", 400, "Invalid request input: conditions[0].matchHeaders.anyOf[0].header is required; conditions[0].matchHeaders.anyOf[0].valueGlob is required", "POST", path, conditions(`[{"matchHeaders":{"anyOf":[{}]}}]`)},
		{"no action", 400, action, "POST", path, with(`{"actions":[]}`)},
		{"two actions", 400, action, "PUT", made, with(`{"actions":[{"invokeApi":{"apiId":"` + api + `","stage":"v1"}},{"invokeApi":{"apiId":"` + api + `","stage":"v1"}}]}`)},
		{"action with nothing", 400, "Invalid request input: actions[0].invokeApi is required", "POST", path, with(`{"actions":[{}]}`)},
		{"API unknown", 400, "Invalid API identifier specified: zzzzzzzzzz", "POST", path, with(`{"actions":[{"invokeApi":{"apiId":"zzzzzzzzzz","stage":"v1"}}]}`)},
		{"API empty", 400, "Invalid API identifier specified: ", "PUT", made, with(`{"actions":[{"invokeApi":{"apiId":"","stage":"v1"}}]}`)},
		{"stage unknown", 400, "Invalid stage identifier specified", "POST", path, with(`{"actions":[{"invokeApi":{"apiId":"` + api + `","stage":"v2"}}]}`)},
		{"WebSocket API", 400, "Routing rules cannot invoke WebSocket APIs", "POST", path, rule(ws, 7, `[]`)},
		{"WebSocket API in an update", 400, "Routing rules cannot invoke WebSocket APIs", "PUT", made, rule(ws, 7, `[]`)},
		{"unknown", 404, "Invalid RoutingRule identifier specified zzzzzz", "PUT", path + "/zzzzzz", rule(api, 7, `[]`)},
		{"update by PATCH", 404, "", "PATCH", made, `{}`},
		{"list longer than may be asked for", 400, "Invalid request input: maxResults must be between 1 and 100", "GET", path + "?maxResults=101", ""},
		{"list of nothing", 400, "Invalid maxResults value", "GET", path + "?maxResults=0", ""},
	}
	for _, bad := range []string{"", "a b", "a:b", "é", strings.Repeat("h", 40), "a\n"} {
		rows = append(rows, refused{"header " + bad, 400, fmt.Sprintf(header, bad), "POST", path, conditions(`[{"matchHeaders":{"anyOf":[` + text(map[string]string{"header": bad, "valueGlob": "v"}) + `]}}]`)})
	}
	for _, bad := range []string{"", "a*b", "**a", "a b", "a/b", "é", strings.Repeat("v", 128), "a\n", `"a"`} {
		rows = append(rows, refused{"glob " + bad, 400, fmt.Sprintf(glob, bad), "POST", path, conditions(`[{"matchHeaders":{"anyOf":[` + text(map[string]string{"header": "h", "valueGlob": bad}) + `]}}]`)})
	}
	for _, bad := range []string{"", "/", "/a", "a/", "a//b", "a b", "é", "a?b", "a%20b", strings.Repeat("b", 301), "a\n"} {
		rows = append(rows, refused{"base path " + bad, 400, fmt.Sprintf(basePath, bad), "PUT", made, conditions(`[{"matchBasePaths":{"anyOf":` + text([]string{"ok", bad}) + `}}]`)})
	}
	for i := range rows {
		if rows[i].message == "" { // there is no such operation
			if r := s.do(rows[i].method, rows[i].path, rows[i].body); r.status != 404 || r.header.Get("x-amzn-ErrorType") != "UnknownOperationException" {
				t.Errorf("%s: got %d %s", rows[i].name, r.status, r.body)
			}
			rows = append(rows[:i], rows[i+1:]...)
			break
		}
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", made, ""), `{"priority":50,"conditions":[]}`)
}

// A put replaces everything but the ID and what is made of it.
func TestPutRoutingRule(t *testing.T) {
	s := newTester(t)
	api := s.staged("HTTP", "v1", "v2")
	path := s.domain("d.example.com") + "/routingrules"
	first := s.call(201, "POST", path, `{"priority":1,"conditions":[{"matchBasePaths":{"anyOf":["a"]}}],"actions":[{"invokeApi":{"apiId":"`+api+`","stage":"v2","stripBasePath":true}}]}`)
	made := path + "/" + id(first, "routingRuleId")
	got := s.call(200, "PUT", made, rule(api, 2, `[]`))
	want := with(text(first), `{"priority":2,"conditions":[],"actions":[{"invokeApi":{"apiId":"`+api+`","stage":"v1","stripBasePath":false}}]}`)
	if text(got) != want {
		t.Errorf("got %s\nwant %s", text(got), want)
	}
	if read := s.call(200, "GET", made, ""); text(read) != want {
		t.Errorf("read %s\nwant %s", text(read), want)
	}
	s.call(200, "PUT", made, rule(api, 2, `[{"matchBasePaths":{"anyOf":["b"]}}]`)) // its own priority
	s.call(201, "POST", path, rule(api, 1, `[]`))                                  // which is free now
	s.call(201, "POST", s.domain("e.example.com")+"/routingrules", rule(api, 1, `[]`))
	s.call(200, "GET", made+"?domainNameId=", "")
}

func TestRoutingRuleQuota(t *testing.T) {
	s := newTester(t)
	api, path := s.staged("HTTP", "v1"), s.domain("d.example.com")+"/routingrules"
	for i := range 50 {
		s.call(201, "POST", path, rule(api, i+1, `[]`))
	}
	r := s.do("POST", path, rule(api, 51, `[]`))
	if r.status != 400 || !strings.HasPrefix(r.body, `{"message":"Maximum number of RoutingRules for this `) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if n := len(s.list(path + "?maxResults=100")); n != 50 {
		t.Errorf("%d rules, want 50", n)
	}
}
