package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPortalProductMembers(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct{ name, body, want, listed string }{
		{"minimum", `{"displayName":"Pets"}`,
			`{"displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`,
			`{"description":"","displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`},
		{"an empty description", `{"displayName":"Pets","description":""}`,
			`{"displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`,
			`{"description":"","displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`},
		{"everything", `{"displayName":"Pets","description":"d","tags":{"a":"b"}}`,
			`{"description":"d","displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}","tags":{"a":"b"}}`,
			`{"description":"d","displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}","tags":{"a":"b"}}`},
		{"members that only answers or updates have", `{"displayName":"Pets","displayOrder":{"productPageArns":["` + productPath + `aaaaaaaaaa/productpages/bbbbbbbbbb"]},"portalProductId":"aaaaaaaaaa","portalProductArn":"x","lastModified":"2020-01-01T00:00:00Z"}`,
			`{"displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`,
			`{"description":"","displayName":"Pets","lastModified":"2025-01-02T03:04:05Z","portalProductArn":"{arn}","portalProductId":"{id}"}`},
	} {
		made := s.call(201, "POST", "/v2/portalproducts", tt.body)
		productID := id(made, "portalProductId")
		fill := strings.NewReplacer("{id}", productID, "{arn}", productPath+productID).Replace
		if text(made) != fill(tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(made), fill(tt.want))
		}
		path := "/v2/portalproducts/" + productID
		if read := s.call(200, "GET", path, ""); text(read) != text(made) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(made))
		}
		if listed := s.only("/v2/portalproducts"); text(listed) != fill(tt.listed) {
			t.Errorf("%s: listed %s, want %s", tt.name, text(listed), fill(tt.listed))
		}
		s.call(204, "DELETE", path, "")
		s.refuse(404, "Invalid PortalProduct identifier specified "+productID, "GET", path, "")
	}
}

func TestUpdatePortalProduct(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	path := "/v2/portalproducts/" + id(s.call(201, "POST", "/v2/portalproducts", `{"displayName":"Pets","description":"d","tags":{"a":"b"}}`), "portalProductId")
	now = now.Add(time.Hour)
	for _, tt := range []struct{ name, patch, want string }{
		{"absent keeps", `{}`, `{"description":"d","displayName":"Pets","tags":{"a":"b"},"lastModified":"2025-01-02T04:04:05Z"}`},
		{"another name", `{"displayName":"Toys"}`, `{"description":"d","displayName":"Toys"}`},
		{"no description any more", `{"description":""}`, `{"description":null,"displayName":"Toys"}`},
		{"a description", `{"description":"e"}`, `{"description":"e"}`},
		{"members that only a create or an answer has", `{"tags":{"c":"d"},"portalProductId":"aaaaaaaaaa","portalProductArn":"x"}`, `{"tags":{"a":"b"},"portalProductId":"` + strings.TrimPrefix(path, "/v2/portalproducts/") + `"}`},
	} {
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
	}
	s.shows(s.only("/v2/portalproducts"), `{"description":"e"}`)
	s.call(200, "PATCH", path, `{"description":""}`)
	s.shows(s.only("/v2/portalproducts"), `{"description":""}`)
}

// A product shows pages that it has, in an order of its own.
func TestDisplayOrder(t *testing.T) {
	s := newTester(t)
	path, _ := s.product()
	other, _ := s.product()
	page := func(of string) string {
		return id(s.call(201, "POST", of+"/productpages", minimalPage), "productPageArn")
	}
	endpoint := func(of string) string {
		return id(s.call(201, "POST", of+"/productrestendpointpages", endpointPage("zzzzzzzzzz", "live", "GET", "/a", "")), "productRestEndpointPageArn")
	}
	a, b, c, foreign := page(path), page(path), endpoint(path), page(other)
	order := func(overview string, pages []string, endpoints ...string) string {
		o := map[string]any{"productPageArns": pages}
		if overview != "" {
			o["overviewPageArn"] = overview
		}
		if endpoints != nil {
			o["contents"] = []any{map[string]any{"sectionName": "Calls", "productRestEndpointPageArns": endpoints}}
		}
		return text(map[string]any{"displayOrder": o})
	}
	unknown := func(arn string) string {
		return "Invalid page ARN specified in displayOrder: " + arn + ". The portal product has no such page"
	}
	s.refuseAll([]refused{
		{"a page of another product", 400, unknown(foreign), "PATCH", path, order("", []string{a, foreign})},
		{"another product's page as overview", 400, unknown(foreign), "PATCH", path, order(foreign, []string{a})},
		{"an endpoint page among the others", 400, unknown(c), "PATCH", path, order("", []string{c})},
		{"a page among the endpoint pages", 400, unknown(a), "PATCH", path, order("", []string{b}, c, a)},
		{"no page", 400, unknown(a + "x"), "PATCH", path, order("", []string{a + "x"})},
		{"a short ARN", 400, "Invalid request input: displayOrder.overviewPageArn must have 20 to 2048 characters", "PATCH", path, order("x", []string{a})},
		{"a section without pages", 400, "Invalid request input: displayOrder.contents[0].productRestEndpointPageArns is required", "PATCH", path, `{"displayOrder":{"contents":[{"sectionName":"s"}]}}`},
	})
	full := order(a, []string{b, a}, c)
	if got := s.call(200, "PATCH", path, full); text(map[string]any{"displayOrder": got["displayOrder"]}) != full {
		t.Errorf("got %s, want %s", text(got["displayOrder"]), full)
	}
	s.shows(s.call(200, "PATCH", path, `{"displayName":"n"}`), full)
	if listed := s.list("/v2/portalproducts?maxResults=500"); strings.Contains(text(listed), "displayOrder") {
		t.Errorf("listed with an order: %s", text(listed))
	}

	// Pages that go leave the order, from wherever they stand in it.
	s.call(204, "DELETE", "/v2"+strings.TrimPrefix(a, "arn:aws:apigateway:us-east-1:123456789012:"), "")
	s.shows(s.call(200, "GET", path, ""), order("", []string{b}, c))
	s.call(204, "DELETE", "/v2"+strings.TrimPrefix(c, "arn:aws:apigateway:us-east-1:123456789012:"), "")
	s.shows(s.call(200, "GET", path, ""), order("", []string{b}, []string{}...))
	s.shows(s.call(200, "PATCH", path, `{"description":"still valid"}`), `{"description":"still valid"}`)
	s.refuse(400, unknown(a), "PATCH", path, order(a, []string{b}))
	s.call(200, "PATCH", path, order("", []string{}))
}

func TestPortalProductOwners(t *testing.T) {
	s := newTester(t)
	path, _ := s.product()
	for _, tt := range []struct {
		query string
		n     int
	}{{"", 1}, {"?resourceOwner=SELF", 1}, {"?resourceOwner=", 1}, {"?resourceOwner=OTHER_ACCOUNTS", 0}} {
		if got := s.call(200, "GET", "/v2/portalproducts"+tt.query, "")["items"].([]any); len(got) != tt.n {
			t.Errorf("%s: %d products, want %d", tt.query, len(got), tt.n)
		}
	}
	s.refuse(400, "Invalid request input: resourceOwner must be one of [SELF, OTHER_ACCOUNTS]", "GET", "/v2/portalproducts?resourceOwner=self", "")
	// A token of one list is none of the other.
	s.product()
	token := id(s.call(200, "GET", "/v2/portalproducts?maxResults=1", ""), "nextToken")
	s.refuse(400, "Invalid token", "GET", "/v2/portalproducts?resourceOwner=OTHER_ACCOUNTS&nextToken="+escapeAll(token), "")
	s.refuse(400, "Invalid token", "GET", "/v2/portalproducts?resourceOwner=SELF&nextToken="+escapeAll(token), "")

	page := path + "/productpages/" + id(s.call(201, "POST", path+"/productpages", minimalPage), "productPageId")
	for _, read := range []string{path, path + "/productpages", page, path + "/productrestendpointpages"} {
		s.call(200, "GET", read+"?resourceOwnerAccountId=123456789012", "")
		s.call(200, "GET", read+"?resourceOwnerAccountId=", "")
		s.refuse(404, "Invalid PortalProduct identifier specified "+strings.TrimPrefix(path, "/v2/portalproducts/"), "GET", read+"?resourceOwnerAccountId=999999999999", "")
	}
}

func TestPortalProductMessages(t *testing.T) {
	s := newTester(t)
	path, _ := s.product()
	const unknown = "Invalid PortalProduct identifier specified zzzzzzzzzz"
	s.refuseAll([]refused{
		{"no name", 400, "Invalid request input: displayName is required", "POST", "/v2/portalproducts", `{}`},
		{"an empty name", 400, "Invalid request input: displayName must have 1 to 255 characters", "POST", "/v2/portalproducts", `{"displayName":""}`},
		{"an empty name in an update", 400, "Invalid request input: displayName must have 1 to 255 characters", "PATCH", path, `{"displayName":""}`},
		{"a long description", 400, "Invalid request input: description must have 0 to 1024 characters", "PATCH", path, `{"description":"` + strings.Repeat("x", 1025) + `"}`},
		{"too many tags", 400, "The resource must not have more than 50 tags", "POST", "/v2/portalproducts", `{"displayName":"n","tags":` + manyTags(51) + `}`},
		{"unknown in a get", 404, unknown, "GET", "/v2/portalproducts/zzzzzzzzzz", ""},
		{"unknown in an update", 404, unknown, "PATCH", "/v2/portalproducts/zzzzzzzzzz", `{}`},
		{"unknown in a delete", 404, unknown, "DELETE", "/v2/portalproducts/zzzzzzzzzz", ""},
		{"unknown with pages", 404, unknown, "GET", "/v2/portalproducts/zzzzzzzzzz/productpages", ""},
		{"unknown with a new page", 404, unknown, "POST", "/v2/portalproducts/zzzzzzzzzz/productpages", `{}`},
		{"unknown with endpoint pages", 404, unknown, "GET", "/v2/portalproducts/zzzzzzzzzz/productrestendpointpages", ""},
		{"unknown with a sharing policy", 404, unknown, "PUT", "/v2/portalproducts/zzzzzzzzzz/sharingpolicy", minimalPolicy},
		{"unknown with no sharing policy", 404, unknown, "DELETE", "/v2/portalproducts/zzzzzzzzzz/sharingpolicy", ""},
	})
}

func TestPortalProductQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.PortalProducts = 1 })
	s.product()
	s.refuse(400, "Maximum number of PortalProducts for this account has been reached.  Please contact AWS if you need additional PortalProducts.", "POST", "/v2/portalproducts", `{"displayName":"n"}`)
}

// A product takes its pages and its sharing policy with it.
func TestDeletePortalProduct(t *testing.T) {
	s := newTester(t)
	path, arn := s.product()
	page := id(s.call(201, "POST", path+"/productpages", minimalPage), "productPageId")
	s.call(200, "PUT", path+"/sharingpolicy", minimalPolicy)
	portal := s.portal(`{"includedPortalProductArns":["` + arn + `"]}`) // not published
	s.call(204, "DELETE", path, "")
	if left := s.store.List("portalproduct."); len(left) != 0 {
		t.Errorf("%d documents are left", len(left))
	}
	for _, gone := range []string{path, path + "/productpages", path + "/productpages/" + page, path + "/sharingpolicy"} {
		s.call(404, "GET", gone, "")
	}
	s.shows(s.call(200, "GET", portal, ""), `{"includedPortalProductArns":["`+arn+`"]}`)
}

func TestSharingPolicies(t *testing.T) {
	s := newTester(t)
	path, _ := s.product()
	productID := strings.TrimPrefix(path, "/v2/portalproducts/")
	policy := path + "/sharingpolicy"
	none := "The portal product " + productID + " has no sharing policy"
	s.refuse(404, none, "GET", policy, "")
	s.refuse(404, none, "DELETE", policy, "")
	for _, document := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"apigateway:GET","Resource":"*"}]}`,
		`{"Statement":{}, "x": 1.50}`,
		"{\n  \"Statement\": []\n}",
	} {
		if r := s.do("PUT", policy, text(map[string]string{"policyDocument": document})); r.status != 200 || r.body != "{}" {
			t.Errorf("%s: got %d %s", document, r.status, r.body)
		}
		if got, want := s.do("GET", policy, "").body, text(map[string]string{"policyDocument": document, "portalProductId": productID}); got != want {
			t.Errorf("got %s, want %s: to a letter what was put", got, want)
		}
	}
	if read := s.do("GET", path, "").body; strings.Contains(read, "olicy") {
		t.Errorf("the product is answered as %s", read)
	}
	const form = "Invalid policyDocument specified: must be a JSON object with a Statement"
	s.refuseAll([]refused{
		{"none", 400, "Invalid request input: policyDocument is required", "PUT", policy, `{}`},
		{"empty", 400, "Invalid request input: policyDocument must have 1 to 307200 characters", "PUT", policy, `{"policyDocument":""}`},
		{"too long", 400, "Invalid request input: policyDocument must have 1 to 307200 characters", "PUT", policy, `{"policyDocument":"` + strings.Repeat("x", 307201) + `"}`},
		{"an object", 400, "policyDocument: must be a string", "PUT", policy, `{"policyDocument":{"Statement":[]}}`},
		{"no JSON", 400, form, "PUT", policy, `{"policyDocument":"Statement"}`},
		{"a list", 400, form, "PUT", policy, `{"policyDocument":"[]"}`},
		{"null", 400, form, "PUT", policy, `{"policyDocument":"null"}`},
		{"no statement", 400, form, "PUT", policy, `{"policyDocument":"{\"Version\":\"2012-10-17\"}"}`},
		{"two documents", 400, form, "PUT", policy, `{"policyDocument":"{\"Statement\":[]} {}"}`},
	})
	s.call(204, "DELETE", policy, "")
	s.refuse(404, none, "GET", policy, "")
	long := `{"Statement":[],"x":"` + strings.Repeat("x", 307200-len(`{"Statement":[],"x":""}`)) + `"}`
	s.call(200, "PUT", policy, text(map[string]string{"policyDocument": long}))
}

// endpointPage returns the body of a new endpoint page.
func endpointPage(apiID, stage, method, path, more string) string {
	body := fmt.Sprintf(`{"restEndpointIdentifier":{"identifierParts":{"restApiId":%q,"stage":%q,"method":%q,"path":%q}}}`, apiID, stage, method, path)
	if more == "" {
		return body
	}
	return with(body, more)
}
