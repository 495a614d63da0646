package control

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// list follows the pages of a list and returns the items. A page that leads to itself
// ends the test.
func (t *tester) list(path string) []map[string]any {
	t.Helper()
	op, _ := match("GET", strings.SplitN(path, "?", 2)[0])
	var all []map[string]any
	for token := ""; ; {
		next := path
		if token != "" {
			next += "&nextToken=" + url.QueryEscape(token)
		}
		got := t.call(200, "GET", next, "")
		for _, item := range got[op.Result].([]any) {
			all = append(all, item.(map[string]any))
		}
		last := token
		if token = id(got, "nextToken"); token == "" {
			return all
		}
		if token == last {
			t.Fatalf("%s leads to itself", next)
		}
	}
}

func TestPages(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	want := map[string]bool{}
	for i := range 30 {
		want[s.route(api, fmt.Sprintf("GET /r%d", i), "")] = true
	}
	for _, size := range []string{"1", "2", "7", "29", "30", "31", "500", "501", "99999999999999999999"} {
		got := s.list(api + "/routes?maxResults=" + size)
		seen := map[string]bool{}
		for _, route := range got {
			seen[api+"/routes/"+id(route, "routeId")] = true
		}
		if len(got) != 30 || len(seen) != 30 {
			t.Errorf("maxResults=%s: %d routes, %d different", size, len(got), len(seen))
		}
	}
	first := s.call(200, "GET", api+"/routes", "")
	if n := len(first["items"].([]any)); n != 25 {
		t.Errorf("%d items on a page, want 25", n)
	}
	token := url.QueryEscape(id(first, "nextToken"))
	second := s.call(200, "GET", api+"/routes?nextToken="+token, "")
	if n := len(second["items"].([]any)); n != 5 || second["nextToken"] != nil {
		t.Errorf("%d items and token %v on the last page", n, second["nextToken"])
	}
	other := s.api("HTTP")
	s.route(other, "GET /", "")
	flipped := []byte(id(first, "nextToken"))
	flipped[len(flipped)-3] ^= 1
	for _, tt := range []struct{ name, path string }{
		{"of another operation", api + "/integrations?nextToken=" + token},
		{"of another API", other + "/routes?nextToken=" + token},
		{"of the list of APIs", "/v2/apis?nextToken=" + token},
		{"changed", api + "/routes?nextToken=" + url.QueryEscape(string(flipped))},
		{"cut off", api + "/routes?nextToken=" + token[:10]},
		{"made up", api + "/routes?nextToken=abc"},
		{"no base64", api + "/routes?nextToken=%00%FF"},
		{"without end", api + "/routes?nextToken=" + strings.Repeat("A", 100_000)},
	} {
		s.refuse(400, "Invalid token", "GET", tt.path, "")
	}
	for _, size := range []string{"0", "-1", "x", "", "1.5", "1e3", "-99999999999999999999", "%20", "0x10"} {
		s.refuse(400, "Invalid maxResults value", "GET", api+"/routes?maxResults="+size, "")
	}
	// The account and region are part of a token; the process is not.
	again := &tester{t, New(Options{Store: s.store, Account: "123456789012"}), s.store}
	again.call(200, "GET", api+"/routes?nextToken="+token, "")
	foreign := &tester{t, New(Options{Store: s.store, Account: "000000000000"}), s.store}
	foreign.refuse(400, "Invalid token", "GET", api+"/routes?nextToken="+token, "")
}

// Every list has pages.
func TestEveryListPages(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for i := range 3 {
		s.api("HTTP")
		s.route(api, fmt.Sprintf("GET /%d", i), s.integration(api))
		s.call(201, "POST", api+"/stages", fmt.Sprintf(`{"stageName":"s%d"}`, i))
		s.call(201, "POST", api+"/deployments", "")
	}
	for _, tt := range []struct {
		path string
		n    int
	}{{"/v2/apis", 4}, {api + "/integrations", 3}, {api + "/routes", 3}, {api + "/stages", 3}, {api + "/deployments", 3}} {
		whole := s.list(tt.path + "?maxResults=500")
		ones := s.list(tt.path + "?maxResults=1")
		if len(whole) != tt.n || text(whole) != text(ones) {
			t.Errorf("%s: %d items, one by one %d, want %d", tt.path, len(whole), len(ones), tt.n)
		}
	}
}

// An item that exists the whole time is on exactly one page, whatever is added
// and removed between two pages.
func TestPagesUnderChange(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	var stay []string
	for range 20 {
		stay = append(stay, s.integration(api))
	}
	slices.Sort(stay)
	var seen, passing []string
	path := api + "/integrations?maxResults=3"
	for token := ""; ; {
		next := path
		if token != "" {
			next += "&nextToken=" + url.QueryEscape(token)
		}
		got := s.call(200, "GET", next, "")
		for _, item := range got["items"].([]any) {
			seen = append(seen, id(item.(map[string]any), "integrationId"))
		}
		if token = id(got, "nextToken"); token == "" {
			break
		}
		// What passes is gone before the next page, even if the token is about it.
		for _, integration := range passing {
			s.call(204, "DELETE", api+"/integrations/"+integration, "")
		}
		passing = []string{s.integration(api), s.integration(api)}
	}
	seen = slices.DeleteFunc(seen, func(id string) bool { return !slices.Contains(stay, id) })
	if !slices.Equal(seen, stay) {
		t.Errorf("saw %v, want %v", seen, stay)
	}
}
