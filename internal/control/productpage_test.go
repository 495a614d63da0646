package control

import (
	"strings"
	"testing"
	"time"
)

func TestProductPages(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	product, productARN := s.product()
	pages := product + "/productpages"
	made := s.call(201, "POST", pages, `{"displayContent":{"title":"Welcome","body":"# Pets\n\n<b>\u0026</b> ü"},"productPageId":"aaaaaaaaaa","lastModified":"2020-01-01T00:00:00Z"}`)
	pageID := id(made, "productPageId")
	fill := strings.NewReplacer("{id}", pageID, "{arn}", productARN+"/productpages/"+pageID).Replace
	if want := fill(`{"displayContent":{"body":"# Pets\n\n<b>&</b> ü","title":"Welcome"},"lastModified":"2025-01-02T03:04:05Z","productPageArn":"{arn}","productPageId":"{id}"}`); text(made) != want {
		t.Errorf("made %s, want %s", text(made), want)
	}
	page := pages + "/" + pageID
	if read := s.call(200, "GET", page, ""); text(read) != text(made) {
		t.Errorf("read %s, made %s", text(read), text(made))
	}
	// A list tells titles, not bodies.
	if got, want := text(s.only(pages)), fill(`{"lastModified":"2025-01-02T03:04:05Z","pageTitle":"Welcome","productPageArn":"{arn}","productPageId":"{id}"}`); got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
	now = now.Add(time.Hour)
	s.shows(s.call(200, "PATCH", page, `{}`), `{"displayContent":{"body":"# Pets\n\n<b>&</b> ü","title":"Welcome"},"lastModified":"2025-01-02T04:04:05Z"}`)
	s.shows(s.call(200, "PATCH", page, `{"displayContent":{"title":"Toys","body":"b"}}`), `{"displayContent":{"body":"b","title":"Toys"},"productPageId":"`+pageID+`"}`)
	s.shows(s.only(pages), `{"pageTitle":"Toys"}`)
	s.call(204, "DELETE", page, "")
	s.refuse(404, "Invalid ProductPage identifier specified "+pageID, "GET", page, "")
	if got := s.do("GET", pages, "").body; got != `{"items":[]}` {
		t.Errorf("listed %s", got)
	}
}

func TestProductPageMessages(t *testing.T) {
	s := newTester(t)
	product, _ := s.product()
	other, _ := s.product()
	pages, endpoints := product+"/productpages", product+"/productrestendpointpages"
	pageID := id(s.call(201, "POST", pages, minimalPage), "productPageId")
	endpointID := id(s.call(201, "POST", endpoints, endpointPage("zzzzzzzzzz", "live", "GET", "/a", "")), "productRestEndpointPageId")
	const input = "Invalid request input: "
	s.refuseAll([]refused{
		{"no content", 400, input + "displayContent is required", "POST", pages, `{}`},
		{"no title", 400, input + "displayContent.title is required", "POST", pages, `{"displayContent":{"body":"b"}}`},
		{"no body", 400, input + "displayContent.body is required", "PATCH", pages + "/" + pageID, `{"displayContent":{"title":"t"}}`},
		{"an empty title", 400, input + "displayContent.title must have 1 to 255 characters", "POST", pages, `{"displayContent":{"title":"","body":"b"}}`},
		{"a long body", 400, input + "displayContent.body must have 1 to 32768 characters", "POST", pages, `{"displayContent":{"title":"t","body":"` + strings.Repeat("x", 32769) + `"}}`},
		{"unknown page", 404, "Invalid ProductPage identifier specified zzzzzzzzzz", "GET", pages + "/zzzzzzzzzz", ""},
		{"unknown page in an update", 404, "Invalid ProductPage identifier specified zzzzzzzzzz", "PATCH", pages + "/zzzzzzzzzz", `{}`},
		{"unknown page in a delete", 404, "Invalid ProductPage identifier specified zzzzzzzzzz", "DELETE", pages + "/zzzzzzzzzz", ""},
		{"a page through another product", 404, "Invalid ProductPage identifier specified " + pageID, "GET", other + "/productpages/" + pageID, ""},
		{"a page through another product in a delete", 404, "Invalid ProductPage identifier specified " + pageID, "DELETE", other + "/productpages/" + pageID, ""},
		{"an endpoint page as a page", 404, "Invalid ProductPage identifier specified " + endpointID, "GET", pages + "/" + endpointID, ""},
		{"an endpoint page through another product", 404, "Invalid ProductRestEndpointPage identifier specified " + endpointID, "PATCH", other + "/productrestendpointpages/" + endpointID, `{}`},
		{"no endpoint", 400, input + "restEndpointIdentifier is required", "POST", endpoints, `{}`},
		{"no parts of an endpoint", 400, input + "restEndpointIdentifier.identifierParts is required", "POST", endpoints, `{"restEndpointIdentifier":{}}`},
		{"half an endpoint", 400, input + "restEndpointIdentifier.identifierParts.method is required; restEndpointIdentifier.identifierParts.stage is required", "POST", endpoints, `{"restEndpointIdentifier":{"identifierParts":{"restApiId":"a","path":"/a"}}}`},
		{"no display content", 400, "displayContent must have exactly one of [none, overrides]", "POST", endpoints, endpointPage("a", "live", "GET", "/a", `{"displayContent":{}}`)},
		{"both display contents", 400, "displayContent must have exactly one of [none, overrides]", "POST", endpoints, endpointPage("a", "live", "GET", "/a", `{"displayContent":{"none":{},"overrides":{}}}`)},
		{"both display contents in an update", 400, "displayContent must have exactly one of [none, overrides]", "PATCH", endpoints + "/" + endpointID, `{"displayContent":{"none":{},"overrides":{"body":"b"}}}`},
		{"an unknown state", 400, input + "tryItState must be one of [ENABLED, DISABLED]", "PATCH", endpoints + "/" + endpointID, `{"tryItState":"ON"}`},
		{"a long endpoint", 400, input + "displayContent.overrides.endpoint must have 1 to 1024 characters", "PATCH", endpoints + "/" + endpointID, `{"displayContent":{"overrides":{"endpoint":"` + strings.Repeat("x", 1025) + `"}}}`},
	})
}

func TestProductPageQuotas(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.ProductPages = 1 })
	product, _ := s.product()
	s.call(201, "POST", product+"/productpages", minimalPage)
	s.call(201, "POST", product+"/productrestendpointpages", endpointPage("a", "live", "GET", "/a", ""))
	for kind, call := range map[string][2]string{
		"ProductPages":             {product + "/productpages", minimalPage},
		"ProductRestEndpointPages": {product + "/productrestendpointpages", endpointPage("a", "live", "GET", "/a", "")},
	} {
		r := s.do("POST", call[0], call[1])
		if r.status != 400 || !strings.Contains(r.body, "Maximum number of "+kind) {
			t.Errorf("%s: got %d %s", kind, r.status, r.body)
		}
	}
}

// An endpoint page is about a route as it is deployed, and says why if there is none.
func TestEndpointPageStatus(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	apiID := strings.TrimPrefix(api, "/v2/apis/")
	integration := s.integration(api)
	s.call(201, "POST", api+"/routes", `{"routeKey":"GET /pets/{id}","operationName":"Get a pet","target":"integrations/`+integration+`"}`)
	s.call(201, "POST", api+"/routes", `{"routeKey":"ANY /all","target":"integrations/`+integration+`"}`)
	deployment := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
	s.call(201, "POST", api+"/stages", `{"stageName":"live","deploymentId":"`+deployment+`"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"$default","deploymentId":"`+deployment+`"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"empty"}`)
	s.route(api, "GET /later", integration)
	product, productARN := s.product()
	endpoint := "https://" + apiID + ".execute-api.us-east-1.amazonaws.com"
	failed := func(message string) string {
		return `{"status":"FAILED","statusException":` + text(map[string]string{"exception": "NotFoundException", "message": message}) + `}`
	}
	for _, tt := range []struct{ name, apiID, stage, method, path, want string }{
		{"deployed", apiID, "live", "GET", "/pets/{id}", `{"status":"AVAILABLE","statusException":null,"displayContent":{"endpoint":"` + endpoint + `/live","operationName":"Get a pet"},"tryItState":"DISABLED"}`},
		{"deployed to the default stage", apiID, "$default", "get", "/pets/{id}", `{"status":"AVAILABLE","displayContent":{"endpoint":"` + endpoint + `","operationName":"Get a pet"}}`},
		{"every method", apiID, "live", "ANY", "/all", `{"status":"AVAILABLE","displayContent":{"endpoint":"` + endpoint + `/live"}}`},
		{"not deployed yet", apiID, "live", "GET", "/later", failed("Invalid Route identifier specified GET /later")},
		{"another method", apiID, "live", "POST", "/pets/{id}", failed("Invalid Route identifier specified POST /pets/{id}")},
		{"another variable", apiID, "live", "GET", "/pets/{pet}", failed("Invalid Route identifier specified GET /pets/{pet}")},
		{"unknown stage", apiID, "nope", "GET", "/pets/{id}", failed("Invalid stage identifier specified")},
		{"stage without a deployment", apiID, "empty", "GET", "/pets/{id}", failed("Invalid Deployment identifier specified")},
		{"unknown API", "zzzzzzzzzz", "live", "GET", "/pets/{id}", failed("Invalid API identifier specified 123456789012:zzzzzzzzzz")},
		{"no ID of an API", "API", "live", "GET", "/pets/{id}", failed("Invalid Api identifier specified API")},
	} {
		r := s.do("POST", product+"/productrestendpointpages", endpointPage(tt.apiID, tt.stage, tt.method, tt.path, ""))
		if r.status != 201 {
			t.Errorf("%s: got %d %s", tt.name, r.status, r.body)
			continue
		}
		made := decodeText(r.body)
		pageID := id(made, "productRestEndpointPageId")
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).shows(made, with(tt.want, `{"productRestEndpointPageArn":"`+productARN+"/productrestendpointpages/"+pageID+`","restEndpointIdentifier":`+text(decodeText(endpointPage(tt.apiID, tt.stage, tt.method, tt.path, ""))["restEndpointIdentifier"])+`,"lastModified":"2025-01-02T03:04:05Z","rawDisplayContent":null}`))
		})
		path := product + "/productrestendpointpages/" + pageID
		if read := s.call(200, "GET", path, ""); text(read) != text(made) {
			t.Errorf("%s: read %s, made %s", tt.name, text(read), text(made))
		}
		listed := s.only(product + "/productrestendpointpages")
		content := made["displayContent"].(map[string]any)
		if text(listed["status"]) != text(made["status"]) || text(listed["statusException"]) != text(made["statusException"]) || listed["endpoint"] != content["endpoint"] || listed["operationName"] != content["operationName"] || listed["displayContent"] != nil || listed["body"] != nil {
			t.Errorf("%s: listed %s, made %s", tt.name, text(listed), text(made))
		}
		s.call(204, "DELETE", path, "")
		s.refuse(404, "Invalid ProductRestEndpointPage identifier specified "+pageID, "GET", path, "")
	}

	// What was missing and is there now is found by the next update.
	page := product + "/productrestendpointpages/" + id(s.call(201, "POST", product+"/productrestendpointpages", endpointPage(apiID, "live", "GET", "/later", "")), "productRestEndpointPageId")
	s.call(201, "POST", api+"/deployments", `{"stageName":"live"}`)
	s.shows(s.call(200, "PATCH", page, `{}`), `{"status":"AVAILABLE","statusException":null}`)
}

func TestEndpointPageContent(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	apiID := strings.TrimPrefix(api, "/v2/apis/")
	s.call(201, "POST", api+"/routes", `{"routeKey":"GET /a","operationName":"own","target":"integrations/`+s.integration(api)+`"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"live"}`)
	s.call(201, "POST", api+"/deployments", `{"stageName":"live"}`)
	product, _ := s.product()
	own := "https://" + apiID + ".execute-api.us-east-1.amazonaws.com/live"
	path := product + "/productrestendpointpages/" + id(s.call(201, "POST", product+"/productrestendpointpages", endpointPage(apiID, "live", "GET", "/a", "")), "productRestEndpointPageId")
	for _, tt := range []struct{ name, patch, want, raw string }{
		{"nothing overridden", `{"displayContent":{"none":{}}}`, `{"endpoint":"` + own + `","operationName":"own"}`, `{"none":{}}`},
		{"everything overridden", `{"displayContent":{"overrides":{"endpoint":"https://api.example.com","operationName":"Shown","body":"# b"}}}`, `{"body":"# b","endpoint":"https://api.example.com","operationName":"Shown"}`, `{"overrides":{"body":"# b","endpoint":"https://api.example.com","operationName":"Shown"}}`},
		{"absent keeps", `{"tryItState":"ENABLED"}`, `{"body":"# b","endpoint":"https://api.example.com","operationName":"Shown"}`, `{"overrides":{"body":"# b","endpoint":"https://api.example.com","operationName":"Shown"}}`},
		{"overrides are replaced", `{"displayContent":{"overrides":{"body":"c"}}}`, `{"body":"c","endpoint":"` + own + `","operationName":"own"}`, `{"overrides":{"body":"c"}}`},
		{"an override of nothing", `{"displayContent":{"overrides":{}}}`, `{"endpoint":"` + own + `","operationName":"own"}`, `{"overrides":{}}`},
		{"what it is about does not change", `{"displayContent":{"none":{}},` + strings.TrimPrefix(endpointPage("other", "other", "PUT", "/other", ""), "{"), `{"endpoint":"` + own + `","operationName":"own"}`, `{"none":{}}`},
		{"back to none", `{"displayContent":{"none":{}}}`, `{"endpoint":"` + own + `","operationName":"own"}`, `{"none":{}}`},
	} {
		r := s.do("PATCH", path, tt.patch)
		if r.status != 200 {
			t.Errorf("%s: got %d %s", tt.name, r.status, r.body)
			continue
		}
		got := decodeText(r.body)
		if text(got["displayContent"]) != tt.want || got["rawDisplayContent"] != nil || got["status"] != "AVAILABLE" {
			t.Errorf("%s: got %s, want %s", tt.name, r.body, tt.want)
		}
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		for query, shown := range map[string]bool{"?includeRawDisplayContent=true": true, "?includeRawDisplayContent=false": false, "?includeRawDisplayContent=": false} {
			raw, ok := s.call(200, "GET", path+query, "")["rawDisplayContent"]
			if ok != shown || shown && raw != tt.raw {
				t.Errorf("%s: %s: got %v, want %s", tt.name, query, raw, tt.raw)
			}
		}
	}
	s.shows(s.call(200, "GET", path, ""), `{"tryItState":"ENABLED"}`)
	s.shows(s.only(product+"/productrestendpointpages"), `{"tryItState":"ENABLED","operationName":"own","endpoint":"`+own+`"}`)
}

// Both kinds of pages are listed in pages, and neither shows the other's.
func TestProductPagesAreListedInPages(t *testing.T) {
	s := newTester(t)
	product, _ := s.product()
	for range 5 {
		s.call(201, "POST", product+"/productpages", minimalPage)
		s.call(201, "POST", product+"/productrestendpointpages", endpointPage("a", "live", "GET", "/a", ""))
	}
	for _, kind := range []string{"/productpages", "/productrestendpointpages"} {
		whole, twos := s.list(product+kind+"?maxResults=500"), s.list(product+kind+"?maxResults=2")
		if len(whole) != 5 || text(whole) != text(twos) {
			t.Errorf("%s: %d items, in twos %d", kind, len(whole), len(twos))
		}
	}
	token := id(s.call(200, "GET", product+"/productpages?maxResults=2", ""), "nextToken")
	s.refuse(400, "Invalid token", "GET", product+"/productrestendpointpages?nextToken="+escapeAll(token), "")
}
