package control

import (
	"net/url"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.call(201, "POST", api+"/stages", `{"stageName":"$default"}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"prod","tags":{"x":"y"}}`)
	arn := "arn:aws:apigateway:us-east-1::" + strings.TrimPrefix(api, "/v2")
	for _, tt := range []struct{ name, arn, path string }{
		{"API", arn, api},
		{"default stage", arn + "/stages/$default", api + "/stages/%24default"},
		{"stage", arn + "/stages/prod", api + "/stages/prod"},
	} {
		for _, path := range []string{
			"/v2/tags/" + url.QueryEscape(tt.arn), // as one segment
			"/v2/tags/" + tt.arn,                  // as it is
			"/v2/tags/" + strings.ReplaceAll(tt.arn, ":", "%3A"),
		} {
			s.call(204, "DELETE", path+"?tagKeys=a&tagKeys=b&tagKeys=x&tagKeys=never", "")
			if got := s.do("GET", path, "").body; got != `{"tags":{}}` {
				t.Errorf("%s: got %s", tt.name, got)
			}
			if got := s.do("POST", path, `{"tags":{"a":"1","b":""}}`); got.status != 201 || got.body != "{}" {
				t.Errorf("%s: tag: got %d %s", tt.name, got.status, got.body)
			}
			s.call(201, "POST", path, `{"tags":{"a":"2"}}`)
			s.shows(s.call(200, "GET", path, ""), `{"tags":{"a":"2","b":""}}`)
			s.shows(s.call(200, "GET", tt.path, ""), `{"tags":{"a":"2","b":""}}`)
			s.call(204, "DELETE", path+"?tagKeys=a", "")
			s.shows(s.call(200, "GET", tt.path, ""), `{"tags":{"b":""}}`)
		}
	}
}

func TestTagMessages(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	arn := "arn:aws:apigateway:us-east-1::" + strings.TrimPrefix(api, "/v2")
	resource := func(arn string) string {
		return "Invalid resource ARN specified " + arn + ": only APIs, stages, VPC links, domain names, portals and portal products have tags"
	}
	s.refuseAll([]refused{
		{"route", 400, resource(arn + "/routes/r1"), "GET", "/v2/tags/" + arn + "/routes/r1", ""},
		{"no ARN", 400, resource("x"), "GET", "/v2/tags/x", ""},
		{"other service", 400, resource("arn:aws:sqs:us-east-1::/apis/a"), "POST", "/v2/tags/arn:aws:sqs:us-east-1::/apis/a", `{"tags":{}}`},
		{"with an account", 400, resource("arn:aws:apigateway:us-east-1:1:/apis/a"), "GET", "/v2/tags/arn:aws:apigateway:us-east-1:1:/apis/a", ""},
		{"unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "POST", "/v2/tags/arn:aws:apigateway:us-east-1::/apis/zzzzzzzzzz", `{"tags":{}}`},
		{"unknown stage", 404, "Invalid stage identifier specified", "GET", "/v2/tags/" + arn + "/stages/nope", ""},
		{"unknown stage in a tag", 404, "Invalid stage identifier specified", "POST", "/v2/tags/" + arn + "/stages/nope", `{"tags":{"a":"b"}}`},
		{"too many", 400, "The resource must not have more than 50 tags", "POST", "/v2/tags/" + arn, `{"tags":` + manyTags(51) + `}`},
		{"reserved", 400, `Invalid tag key "aws:a": a key has 1 to 128 characters and does not start with aws:`, "POST", "/v2/tags/" + arn, `{"tags":{"aws:a":"b"}}`},
		{"empty key", 400, `Invalid tag key "": a key has 1 to 128 characters and does not start with aws:`, "POST", "/v2/tags/" + arn, `{"tags":{"":"b"}}`},
		{"no keys", 400, "Invalid request input: tagKeys is required", "DELETE", "/v2/tags/" + arn, ""},
		{"wrong type", 400, `tags["a"]: must be a string`, "POST", "/v2/tags/" + arn, `{"tags":{"a":1}}`},
	})
	s.call(201, "POST", "/v2/tags/"+arn, `{"tags":`+manyTags(50)+`}`)
	s.refuse(400, "The resource must not have more than 50 tags", "POST", "/v2/tags/"+arn, `{"tags":{"one":"more"}}`)
	s.call(201, "POST", "/v2/tags/"+arn, `{"tags":{"k1":"changed"}}`)
}

// Every kind of resource that has tags has them in all ways: from its create, in its
// answers and its lists, by its ARN in both forms of the path.
func TestTagsOfEveryKind(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for _, tt := range []struct{ name, collection, body, id, arn string }{
		{"API", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`, "apiId", arnPrefix + "/apis/{id}"},
		{"stage", api + "/stages", `{"stageName":"$default"}`, "stageName", arnPrefix + strings.TrimPrefix(api, "/v2") + "/stages/{id}"},
		{"domain name", "/v2/domainnames", `{"domainName":"*.example.com","domainNameConfigurations":[{"certificateArn":"` + certificate + `"}]}`, "domainName", arnPrefix + "/domainnames/{id}"},
		{"VPC link", "/v2/vpclinks", `{"name":"v","subnetIds":["s"]}`, "vpcLinkId", arnPrefix + "/vpclinks/{id}"},
		{"portal", "/v2/portals", minimalPortal, "portalId", "arn:aws:apigateway:us-east-1:123456789012:/portals/{id}"},
		{"portal product", "/v2/portalproducts", `{"displayName":"p"}`, "portalProductId", "arn:aws:apigateway:us-east-1:123456789012:/portalproducts/{id}"},
	} {
		made := s.call(201, "POST", tt.collection, with(tt.body, `{"tags":{"made":"with it"}}`))
		s.shows(made, `{"tags":{"made":"with it"}}`)
		path := tt.collection + "/" + escapeAll(id(made, tt.id))
		arn := strings.ReplaceAll(tt.arn, "{id}", id(made, tt.id))
		for name, tags := range map[string]string{
			"one segment":      "/v2/tags/" + escapeAll(arn),
			"as it is":         "/v2/tags/" + arn,
			"colons escaped":   "/v2/tags/" + strings.ReplaceAll(arn, ":", "%3A"),
			"slashes escaped":  "/v2/tags/" + strings.ReplaceAll(arn, "/", "%2f"),
			"the last segment": "/v2/tags/" + arn[:strings.LastIndexByte(arn, '/')+1] + escapeEvery(arn[strings.LastIndexByte(arn, '/')+1:]),
		} {
			s.call(204, "DELETE", tags+"?tagKeys=a&tagKeys=b", "")
			s.call(201, "POST", tags, `{"tags":{"a":"1","b":"ü/:"}}`)
			s.call(201, "POST", tags, `{"tags":{"a":"2"}}`)
			want := `{"tags":{"a":"2","b":"ü/:","made":"with it"}}`
			if got := s.do("GET", tags, "").body; got != want {
				t.Errorf("%s, %s: got %s, want %s", tt.name, name, got, want)
			}
			s.shows(s.call(200, "GET", path, ""), want)
			listed := false
			for _, item := range s.list(tt.collection + "?maxResults=500") {
				if item[tt.id] == made[tt.id] {
					listed = true
					s.shows(item, want)
				}
			}
			if !listed {
				t.Errorf("%s, %s: it is not listed", tt.name, name)
			}
			s.call(204, "DELETE", tags+"?tagKeys=a&tagKeys=never", "")
			if got := s.do("GET", tags, "").body; got != `{"tags":{"b":"ü/:","made":"with it"}}` {
				t.Errorf("%s, %s: got %s", tt.name, name, got)
			}
		}
		s.call(204, "DELETE", "/v2/tags/"+arn+"?tagKeys=b&tagKeys=made", "")
		if got := s.do("GET", "/v2/tags/"+arn, "").body; got != `{"tags":{}}` {
			t.Errorf("%s: got %s", tt.name, got)
		}

		// An update changes no tags, and quotas hold for each way in.
		s.refuse(400, `Invalid tag key "aws:a": a key has 1 to 128 characters and does not start with aws:`, "POST", "/v2/tags/"+arn, `{"tags":{"aws:a":"b"}}`)
		s.call(201, "POST", "/v2/tags/"+arn, `{"tags":`+manyTags(50)+`}`)
		s.refuse(400, "The resource must not have more than 50 tags", "POST", "/v2/tags/"+arn, `{"tags":{"one":"more"}}`)
		s.refuse(400, "The resource must not have more than 50 tags", "POST", tt.collection, with(strings.NewReplacer("$default", "other", "*.", "other.").Replace(tt.body), `{"tags":`+manyTags(51)+`}`))

		// What is gone has none.
		s.call(204, "DELETE", "/v2/tags/"+arn+"?tagKeys=k1", "")
		if r := s.do("DELETE", path, ""); r.status != 204 && r.status != 202 {
			t.Errorf("%s: delete: got %d %s", tt.name, r.status, r.body)
		}
		for _, call := range []struct{ method, query, body string }{{"GET", "", ""}, {"POST", "", `{"tags":{"a":"b"}}`}, {"DELETE", "?tagKeys=a", ""}} {
			if r := s.do(call.method, "/v2/tags/"+arn+call.query, call.body); r.status != 404 || r.header.Get("x-amzn-ErrorType") != "NotFoundException" {
				t.Errorf("%s: %s of what is gone: got %d %s", tt.name, call.method, r.status, r.body)
			}
		}
	}
}

// What only looks like the ARN of a resource here is refused, whatever is done with it.
func TestTagARNs(t *testing.T) {
	s := newTester(t)
	e := newEstate(s)
	const account, other = "arn:aws:apigateway:us-east-1:123456789012:", "arn:aws:apigateway:us-east-1:999999999999:"
	for _, tt := range []struct{ name, arn string }{
		{"an API with an account", account + "/apis/{apiId}"},
		{"a stage with an account", account + "/apis/{apiId}/stages/live"},
		{"a domain name with an account", account + "/domainnames/*.example.com"},
		{"a VPC link with an account", account + "/vpclinks/{vpcLinkId}"},
		{"a portal without an account", arnPrefix + "/portals/{portalId}"},
		{"a portal of another account", other + "/portals/{portalId}"},
		{"a product without an account", arnPrefix + "/portalproducts/{portalProductId}"},
		{"a product of another account", other + "/portalproducts/{portalProductId}"},
		{"a page of a product", account + "/portalproducts/{portalProductId}/productpages/{productPageId}"},
		{"a mapping", arnPrefix + "/domainnames/*.example.com/apimappings/{apiMappingId}"},
		{"a routing rule", account + "/domainnames/*.example.com/routingrules/{routingRuleId}"},
		{"a route", arnPrefix + "/apis/{apiId}/routes/{routeId}"},
		{"an authorizer of a stage", arnPrefix + "/apis/{apiId}/stages/live/authorizers"},
		{"the stages", arnPrefix + "/apis/{apiId}/stages"},
		{"the stages, with a slash", arnPrefix + "/apis/{apiId}/stages/"},
		{"the APIs", arnPrefix + "/apis"},
		{"the APIs, with a slash", arnPrefix + "/apis/"},
		{"the root", arnPrefix + "/"},
		{"nothing", arnPrefix},
		{"no ARN", "{apiId}"},
		{"a path", "/apis/{apiId}"},
		{"five parts", "arn:aws:apigateway:us-east-1:/apis/{apiId}"},
		{"no slash", arnPrefix + "apis/{apiId}"},
		{"REST", arnPrefix + "/restapis/{apiId}"},
		{"capitals", arnPrefix + "/APIS/{apiId}"},
		{"the ID in capitals", arnPrefix + "/apis/ABCDEFGHIJ"},
		{"a step up", arnPrefix + "/apis/../apis/{apiId}"},
		{"another step", arnPrefix + "/apis/./{apiId}"},
		{"another key of the store", arnPrefix + "/apis/x.{apiId}"},
		{"to execute", "arn:aws:execute-api:us-east-1:123456789012:{apiId}/live"},
		{"escaped twice", escapeAll(arnPrefix + "/apis/{apiId}")},
	} {
		arn := e.fill(tt.arn, asIs)
		for _, call := range []struct{ method, query, body string }{{"GET", "", ""}, {"POST", "", `{"tags":{"a":"b"}}`}, {"DELETE", "?tagKeys=team", ""}} {
			before := s.store.Last()
			r := s.do(call.method, "/v2/tags/"+escapeAll(arn)+call.query, call.body)
			if r.status != 400 && r.status != 404 || s.store.Last() != before {
				t.Errorf("%s: %s %s: got %d %s", tt.name, call.method, arn, r.status, r.body)
			}
			if r.status == 400 && !strings.Contains(r.body, "Invalid resource ARN specified ") {
				t.Errorf("%s: %s %s: got %s", tt.name, call.method, arn, r.body)
			}
		}
	}
}
