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
