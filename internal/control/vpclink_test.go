package control

import (
	"fmt"
	"strings"
	"testing"
)

const subnets = `{"name":"n","subnetIds":["subnet-1","subnet-2"]}`

// A VPC link is there at once. Who creates it hears that it will be, as clients that
// wait for it expect.
func TestVpcLinkMembers(t *testing.T) {
	s := newTester(t)
	const (
		created = `"createdDate":"2025-01-02T03:04:05Z",`
		pending = `"vpcLinkStatus":"PENDING","vpcLinkStatusMessage":"VPC link is provisioning ENIs","vpcLinkVersion":"V2"`
		ready   = `"vpcLinkStatus":"AVAILABLE","vpcLinkStatusMessage":"VPC link is ready to route traffic","vpcLinkVersion":"V2"`
	)
	for _, tt := range []struct{ name, body, want string }{
		{"minimum", `{"name":"n","subnetIds":["subnet-1"]}`, `"name":"n","securityGroupIds":[],"subnetIds":["subnet-1"],"tags":{}`},
		{"empties are shown", `{"name":"n","subnetIds":["subnet-1"],"securityGroupIds":[],"tags":{}}`, `"name":"n","securityGroupIds":[],"subnetIds":["subnet-1"],"tags":{}`},
		{"everything", `{"name":"a name","subnetIds":["subnet-1","subnet-2"],"securityGroupIds":["sg-2","sg-1"],"tags":{"a":"b"}}`, `"name":"a name","securityGroupIds":["sg-2","sg-1"],"subnetIds":["subnet-1","subnet-2"],"tags":{"a":"b"}`},
	} {
		got := s.call(201, "POST", "/v2/vpclinks", tt.body)
		path := "/v2/vpclinks/" + id(got, "vpcLinkId")
		vpcLinkID := `,"vpcLinkId":"` + id(got, "vpcLinkId") + `",`
		if want := `{` + created + tt.want + vpcLinkID + pending + `}`; text(got) != want {
			t.Errorf("%s:\ncreated %s\n   want %s", tt.name, text(got), want)
		}
		want := `{` + created + tt.want + vpcLinkID + ready + `}`
		if read := s.call(200, "GET", path, ""); text(read) != want {
			t.Errorf("%s:\nread %s\nwant %s", tt.name, text(read), want)
		}
		if listed := s.list("/v2/vpclinks?maxResults=1"); text(listed) != "["+want+"]" {
			t.Errorf("%s: listed %s", tt.name, text(listed))
		}
		if renamed := s.call(200, "PATCH", path, `{"name":"m","subnetIds":["subnet-9"],"securityGroupIds":["sg-9"],"tags":{"c":"d"}}`); text(renamed) != with(want, `{"name":"m"}`) {
			t.Errorf("%s: renamed %s", tt.name, text(renamed))
		}
		if r := s.do("DELETE", path, ""); r.status != 202 || r.body != "{}" {
			t.Errorf("%s: delete: got %d %s", tt.name, r.status, r.body)
		}
		s.refuse(404, "Invalid VpcLink identifier specified "+strings.TrimPrefix(path, "/v2/vpclinks/"), "GET", path, "")
	}
}

func TestVpcLinkMessages(t *testing.T) {
	s := newTester(t)
	const path = "/v2/vpclinks"
	made := path + "/" + id(s.call(201, "POST", path, subnets), "vpcLinkId")
	list := func(name string, n int) string { return `{"` + name + `":["x"` + strings.Repeat(`,"x"`, n-1) + `]}` }
	const empty = "SubnetIds for a vpc link cannot be empty"
	s.refuseAll([]refused{
		{"name missing", 400, "Invalid request input: name is required", "POST", path, `{"subnetIds":["subnet-1"]}`},
		{"name empty", 400, "Invalid request input: name must have 1 to 128 characters", "PATCH", made, `{"name":""}`},
		{"subnets missing", 400, empty, "POST", path, `{"name":"n"}`},
		{"no subnets", 400, empty, "POST", path, `{"name":"n","subnetIds":[]}`},
		{"empty subnet", 400, empty, "POST", path, `{"name":"n","subnetIds":["subnet-1",""]}`},
		{"too many subnets", 400, "A VPC link must not have more than 10 subnets", "POST", path, with(subnets, list("subnetIds", 11))},
		{"too many security groups", 400, "A VPC link must not have more than 10 security groups", "POST", path, with(subnets, list("securityGroupIds", 11))},
		{"too many tags", 400, "The resource must not have more than 50 tags", "POST", path, with(subnets, `{"tags":`+manyTags(51)+`}`)},
		{"empty tag key", 400, `Invalid tag key "": a key has 1 to 128 characters and does not start with aws:`, "POST", path, with(subnets, `{"tags":{"":"b"}}`)},
		{"unknown", 404, "Invalid VpcLink identifier specified zzzzzz", "GET", path + "/zzzzzz", ""},
		{"unknown in an update", 404, "Invalid VpcLink identifier specified zzzzzz", "PATCH", path + "/zzzzzz", `{"`},
		{"unknown in a delete", 404, "Invalid VpcLink identifier specified zzzzzz", "DELETE", path + "/zzzzzz", ""},
	})
	s.call(201, "POST", path, with(with(subnets, list("subnetIds", 10)), list("securityGroupIds", 10)))
	s.call(200, "PATCH", made, `{}`)
}

// A VPC link that an integration calls through stays, whichever API has it.
func TestVpcLinkInUse(t *testing.T) {
	s := newTester(t)
	link := func() string { return id(s.call(201, "POST", "/v2/vpclinks", subnets), "vpcLinkId") }
	used, free := link(), link()
	const listener = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/a/1/2"
	integrate := func(api, uri string) string {
		return id(s.call(201, "POST", api+"/integrations", `{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","connectionType":"VPC_LINK","connectionId":"`+used+`","integrationUri":"`+uri+`"}`), "integrationId")
	}
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	first := integrate(http, listener)
	message := "Cannot delete vpc link. Vpc link '%s', is referenced in [%s] in format of [IntegrationId]."
	s.refuse(400, fmt.Sprintf(message, used, first), "DELETE", "/v2/vpclinks/"+used, "")
	second := integrate(ws, "http://example.com")
	r := s.do("DELETE", "/v2/vpclinks/"+used, "")
	if r.status != 400 || !strings.Contains(r.body, first) || !strings.Contains(r.body, second) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.call(202, "DELETE", "/v2/vpclinks/"+free, "")
	s.call(204, "DELETE", ws+"/integrations/"+second, "")
	s.call(200, "PATCH", "/v2/vpclinks/"+used, `{"name":"m"}`)

	s.call(200, "PATCH", http+"/integrations/"+first, `{"connectionType":"INTERNET","connectionId":"","integrationUri":"https://example.com"}`)
	s.call(202, "DELETE", "/v2/vpclinks/"+used, "")
}

// VPC links belong to the region and not to an API.
func TestVpcLinksOutliveAPIs(t *testing.T) {
	s := newTester(t)
	link := id(s.call(201, "POST", "/v2/vpclinks", subnets), "vpcLinkId")
	api := s.api("HTTP")
	s.call(201, "POST", api+"/integrations", `{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","connectionType":"VPC_LINK","connectionId":"`+link+`","integrationUri":"arn:aws:servicediscovery:us-east-1:123456789012:service/srv-1"}`)
	s.call(204, "DELETE", api, "")
	s.call(200, "GET", "/v2/vpclinks/"+link, "")
	s.call(202, "DELETE", "/v2/vpclinks/"+link, "")
}

func TestVpcLinkQuota(t *testing.T) {
	s := newTester(t)
	var last string
	for range 10 {
		last = id(s.call(201, "POST", "/v2/vpclinks", subnets), "vpcLinkId")
	}
	s.refuse(400, "Maximum number of VpcLinks for this account has been reached.  Please contact AWS if you need additional VpcLinks.", "POST", "/v2/vpclinks", subnets)
	s.call(202, "DELETE", "/v2/vpclinks/"+last, "")
	s.call(201, "POST", "/v2/vpclinks", subnets)
}
