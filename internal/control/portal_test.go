package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	cognito     = `{"cognitoConfig":{"userPoolDomain":"pool.auth.us-east-1.example","appClientId":"c","userPoolArn":"arn:aws:cognito-idp:us-east-1:123456789012:userpool/p"}}`
	acmManaged  = `{"acmManaged":{"domainName":"pets.example.com","certificateArn":"` + certificate + `"}}`
	productPath = "arn:aws:apigateway:us-east-1:123456789012:/portalproducts/"
)

// content returns the content of a portal with more members in its theme.
func content(name, theme string) string {
	return `{"displayName":"` + name + `","theme":` + with(`{"customColors":`+colors+`}`, theme) + `}`
}

// portal makes a portal and returns its path.
func (t *tester) portal(more string) string {
	t.Helper()
	return "/v2/portals/" + id(t.call(201, "POST", "/v2/portals", with(minimalPortal, more)), "portalId")
}

// product makes a portal product and returns its path and its ARN.
func (t *tester) product() (path, arn string) {
	t.Helper()
	made := t.call(201, "POST", "/v2/portalproducts", `{"displayName":"Pets"}`)
	return "/v2/portalproducts/" + id(made, "portalProductId"), id(made, "portalProductArn")
}

// A portal comes back with every member it has, from create, get, list and update
// alike, and with no other.
func TestPortalMembers(t *testing.T) {
	s := newTester(t)
	_, product := s.product()
	for _, tt := range []struct{ name, body, want string }{
		{"minimum", minimalPortal,
			`{"authorization":{"none":{}},"endpointConfiguration":{"portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"},"includedPortalProductArns":[],"lastModified":"2025-01-02T03:04:05Z","portalArn":"arn:aws:apigateway:us-east-1:123456789012:/portals/{id}","portalContent":` + content("Pets", `{}`) + `,"portalId":"{id}","publishStatus":"DISABLED"}`},
		{"everything", `{"authorization":` + cognito + `,"endpointConfiguration":` + acmManaged + `,"portalContent":{"description":"All about pets","displayName":"Pets","theme":{"customColors":` + colors + `}},"includedPortalProductArns":["` + product + `"],"logoUri":"s3://secret-bucket/logo.png","rumAppMonitorName":"monitor","tags":{"a":"b"}}`,
			`{"authorization":` + cognito + `,"endpointConfiguration":{"certificateArn":"` + certificate + `","domainName":"pets.example.com","portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"},"includedPortalProductArns":["` + product + `"],"lastModified":"2025-01-02T03:04:05Z","portalArn":"arn:aws:apigateway:us-east-1:123456789012:/portals/{id}","portalContent":{"description":"All about pets","displayName":"Pets","theme":{"customColors":` + colors + `,"logoLastUploaded":"2025-01-02T03:04:05Z"}},"portalId":"{id}","publishStatus":"DISABLED","rumAppMonitorName":"monitor","tags":{"a":"b"}}`},
		{"members that only answers have", with(minimalPortal, `{"portalId":"aaaaaaaaaa","portalArn":"arn:aws:apigateway:us-east-1:123456789012:/portals/other","publishStatus":"PUBLISHED","lastPublished":"2020-01-01T00:00:00Z","lastPublishedDescription":"x","lastModified":"2020-01-01T00:00:00Z","preview":{"previewStatus":"PREVIEW_READY","previewUrl":"https://evil"},"statusException":{"message":"x"},"portalContent":`+content("Pets", `{"logoLastUploaded":"2020-01-01T00:00:00Z"}`)+`}`),
			`{"authorization":{"none":{}},"endpointConfiguration":{"portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"},"includedPortalProductArns":[],"lastModified":"2025-01-02T03:04:05Z","portalArn":"arn:aws:apigateway:us-east-1:123456789012:/portals/{id}","portalContent":` + content("Pets", `{}`) + `,"portalId":"{id}","publishStatus":"DISABLED"}`},
	} {
		made := s.call(201, "POST", "/v2/portals", tt.body)
		portalID := id(made, "portalId")
		if want := text(decodeText(strings.ReplaceAll(tt.want, "{id}", portalID))); text(made) != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(made), want)
		}
		path := "/v2/portals/" + portalID
		if read := s.call(200, "GET", path, ""); text(read) != text(made) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(made))
		}
		if listed := s.only("/v2/portals"); text(listed) != text(made) {
			t.Errorf("%s: listed %s, created %s", tt.name, text(listed), text(made))
		}
		if updated := s.call(200, "PATCH", path, `{}`); text(updated) != text(made) {
			t.Errorf("%s: updated %s, created %s", tt.name, text(updated), text(made))
		}
		s.call(204, "DELETE", path, "")
		s.refuse(404, "Invalid Portal identifier specified "+portalID, "GET", path, "")
	}
}

func TestUpdatePortal(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	_, product := s.product()
	logo := `{"logoUri":"s3://bucket/logo.png"}`
	for _, tt := range []struct{ name, create, patch, want string }{
		{"absent keeps", with(logo, `{"rumAppMonitorName":"m","includedPortalProductArns":["`+product+`"],"tags":{"a":"b"},"authorization":`+cognito+`,"endpointConfiguration":`+acmManaged+`}`), `{}`,
			`{"rumAppMonitorName":"m","includedPortalProductArns":["` + product + `"],"tags":{"a":"b"},"authorization":` + cognito + `,"portalContent":` + content("Pets", `{"logoLastUploaded":"2025-01-02T03:04:05Z"}`) + `,"lastModified":"2025-01-02T04:04:05Z"}`},
		{"another name", `{}`, `{"portalContent":` + content("Toys", `{}`) + `}`, `{"portalContent":` + content("Toys", `{}`) + `}`},
		{"another name keeps the logo", logo, `{"portalContent":` + content("Toys", `{}`) + `}`, `{"portalContent":` + content("Toys", `{"logoLastUploaded":"2025-01-02T03:04:05Z"}`) + `}`},
		{"the date of the logo is not the caller's to say", logo, `{"portalContent":` + content("Toys", `{"logoLastUploaded":"2020-01-01T00:00:00Z"}`) + `}`, `{"portalContent":` + content("Toys", `{"logoLastUploaded":"2025-01-02T03:04:05Z"}`) + `}`},
		{"a logo", `{}`, logo, `{"portalContent":` + content("Pets", `{"logoLastUploaded":"2025-01-02T04:04:05Z"}`) + `,"logoUri":null}`},
		{"another logo", logo, `{"logoUri":"s3://bucket/other.png"}`, `{"portalContent":` + content("Pets", `{"logoLastUploaded":"2025-01-02T04:04:05Z"}`) + `}`},
		{"no logo any more", logo, `{"logoUri":""}`, `{"portalContent":` + content("Pets", `{}`) + `}`},
		{"from none to a domain", `{}`, `{"endpointConfiguration":` + acmManaged + `}`, `{"endpointConfiguration":{"certificateArn":"` + certificate + `","domainName":"pets.example.com","portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"}}`},
		{"from a domain to none", `{"endpointConfiguration":` + acmManaged + `}`, `{"endpointConfiguration":{"none":{}}}`, `{"endpointConfiguration":{"portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"}}`},
		{"a domain stays", `{"endpointConfiguration":` + acmManaged + `}`, `{"rumAppMonitorName":"m"}`, `{"rumAppMonitorName":"m","endpointConfiguration":{"certificateArn":"` + certificate + `","domainName":"pets.example.com","portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"}}`},
		{"none stays", `{}`, `{"rumAppMonitorName":"m"}`, `{"rumAppMonitorName":"m","endpointConfiguration":{"portalDefaultDomainName":"portal-{id}.execute-api.us-east-1.amazonaws.com","portalDomainHostedZoneId":"Z1UJRXOUMOOFQ8"}}`},
		{"from none to a user pool", `{}`, `{"authorization":` + cognito + `}`, `{"authorization":` + cognito + `}`},
		{"from a user pool to none", `{"authorization":` + cognito + `}`, `{"authorization":{"none":{}}}`, `{"authorization":{"none":{}}}`},
		{"a product", `{}`, `{"includedPortalProductArns":["` + product + `"]}`, `{"includedPortalProductArns":["` + product + `"]}`},
		{"no product any more", `{"includedPortalProductArns":["` + product + `"]}`, `{"includedPortalProductArns":[]}`, `{"includedPortalProductArns":[]}`},
		{"an empty text is none", `{"rumAppMonitorName":"m"}`, `{"rumAppMonitorName":""}`, `{"rumAppMonitorName":null}`},
		{"members that only a create or an answer has", `{"tags":{"a":"b"}}`, `{"tags":{"c":"d"},"portalId":"aaaaaaaaaa","publishStatus":"PUBLISHED","lastPublished":"2020-01-01T00:00:00Z","preview":{"previewStatus":"PREVIEW_READY"}}`, `{"tags":{"a":"b"},"publishStatus":"DISABLED","lastPublished":null,"preview":null}`},
	} {
		now = testTime
		path := s.portal(tt.create)
		now = testTime.Add(time.Hour)
		r := s.do("PATCH", path, tt.patch)
		if r.status != 200 {
			t.Errorf("%s: got %d %s", tt.name, r.status, r.body)
			continue
		}
		got := decodeText(r.body)
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).shows(got, strings.ReplaceAll(tt.want, "{id}", strings.TrimPrefix(path, "/v2/portals/")))
		})
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
	}
}

// The address of a logo goes in and never comes out, whatever is asked.
func TestLogoIsNeverAnswered(t *testing.T) {
	s := newTester(t)
	const secret = "s3://bucket/secret"
	path := s.portal(`{"logoUri":"` + secret + `"}`)
	for _, call := range []struct{ method, path, body string }{
		{"GET", path, ""}, {"GET", "/v2/portals", ""}, {"PATCH", path, `{"logoUri":"` + secret + `","endpointConfiguration":{"none":{}}}`},
		{"POST", path + "/preview", ""}, {"POST", path + "/publish", ""}, {"GET", path, ""}, {"DELETE", path, ""},
		{"GET", "/v2/tags/" + escapeAll("arn:aws:apigateway:us-east-1:123456789012:"+strings.TrimPrefix(path, "/v2")), ""},
	} {
		if r := s.do(call.method, call.path, call.body); strings.Contains(r.body, "secret") || strings.Contains(r.body, "logoUri") {
			t.Errorf("%s %s: got %s", call.method, call.path, r.body)
		}
	}
}

func TestPortalMessages(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.PortalProducts = 2 })
	_, product := s.product()
	path := s.portal(`{}`)
	portal := func(more string) string { return with(minimalPortal, more) }
	const (
		authorization = "authorization must have exactly one of [none, cognitoConfig]"
		endpoint      = "endpointConfiguration must have exactly one of [none, acmManaged]"
		input         = "Invalid request input: "
	)
	included := func(arn string) string {
		return "Invalid portal product ARN specified: " + arn + ". Each must be arn:<partition>:apigateway:<region>:<account>:/portalproducts/<id>, once"
	}
	const wrong = "arn:aws:apigateway:us-east-1::/portalproducts"
	s.refuseAll([]refused{
		{"nothing", 400, input + "authorization is required; endpointConfiguration is required; portalContent is required", "POST", "/v2/portals", `{}`},
		{"no authorization", 400, authorization, "POST", "/v2/portals", portal(`{"authorization":{}}`)},
		{"both authorizations", 400, authorization, "POST", "/v2/portals", portal(`{"authorization":` + with(cognito, `{"none":{}}`) + `}`)},
		{"both authorizations in an update", 400, authorization, "PATCH", path, `{"endpointConfiguration":{"none":{}},"authorization":` + with(cognito, `{"none":{}}`) + `}`},
		{"no authorization in an update", 400, authorization, "PATCH", path, `{"endpointConfiguration":{"none":{}},"authorization":{}}`},
		{"no endpoint", 400, endpoint, "POST", "/v2/portals", portal(`{"endpointConfiguration":{}}`)},
		{"both endpoints", 400, endpoint, "POST", "/v2/portals", portal(`{"endpointConfiguration":` + with(acmManaged, `{"none":{}}`) + `}`)},
		{"no endpoint in an update", 400, endpoint, "PATCH", path, `{"endpointConfiguration":{}}`},
		{"both endpoints in an update", 400, endpoint, "PATCH", path, `{"endpointConfiguration":` + with(acmManaged, `{"none":{}}`) + `}`},
		{"an endpoint as it is answered", 400, endpoint, "PATCH", path, `{"endpointConfiguration":{"domainName":"pets.example.com","certificateArn":"` + certificate + `"}}`},
		{"half of a user pool", 400, input + "authorization.cognitoConfig.appClientId is required; authorization.cognitoConfig.userPoolArn is required", "POST", "/v2/portals", portal(`{"authorization":{"cognitoConfig":{"userPoolDomain":"pool.auth.us-east-1.example"}}}`)},
		{"short domain of a user pool", 400, input + "authorization.cognitoConfig.userPoolDomain must have 20 to 2048 characters", "POST", "/v2/portals", portal(`{"authorization":` + strings.Replace(cognito, "pool.auth.us-east-1.example", "short", 1) + `}`)},
		{"half of a domain", 400, input + "endpointConfiguration.acmManaged.certificateArn is required", "POST", "/v2/portals", portal(`{"endpointConfiguration":{"acmManaged":{"domainName":"pets.example.com"}}}`)},
		{"no theme", 400, input + "portalContent.theme is required", "POST", "/v2/portals", portal(`{"portalContent":{"displayName":"Pets"}}`)},
		{"no colors", 400, input + "portalContent.theme.customColors is required", "PATCH", path, `{"portalContent":{"displayName":"Pets","theme":{}}}`},
		{"a color that is missing", 400, input + "portalContent.theme.customColors.textColor is required", "POST", "/v2/portals", portal(`{"portalContent":` + strings.Replace(content("Pets", `{}`), `,"textColor":"#6"`, "", 1) + `}`)},
		{"a color that is empty", 400, input + "portalContent.theme.customColors.textColor must have 1 to 16 characters", "POST", "/v2/portals", portal(`{"portalContent":` + strings.Replace(content("Pets", `{}`), "#6", "", 1) + `}`)},
		{"a short name", 400, input + "portalContent.displayName must have 3 to 255 characters", "POST", "/v2/portals", portal(`{"portalContent":` + content("Pe", `{}`) + `}`)},
		{"a long description", 400, input + "portalContent.description must have 0 to 1024 characters", "POST", "/v2/portals", portal(`{"portalContent":` + with(content("Pets", `{}`), `{"description":"`+strings.Repeat("x", 1025)+`"}`) + `}`)},
		{"a long logo", 400, input + "logoUri must have 0 to 1092 characters", "PATCH", path, `{"logoUri":"` + strings.Repeat("x", 1093) + `"}`},
		{"no ARN of a product", 400, included("arn:aws:apigateway:us"), "POST", "/v2/portals", portal(`{"includedPortalProductArns":["arn:aws:apigateway:us"]}`)},
		{"the ARN of the products", 400, included(wrong), "PATCH", path, `{"endpointConfiguration":{"none":{}},"includedPortalProductArns":["` + wrong + `"]}`},
		{"a product twice", 400, included(product), "POST", "/v2/portals", portal(`{"includedPortalProductArns":["` + product + `","` + product + `"]}`)},
		{"too many products", 400, input + "includedPortalProductArns must not have more than 2 entries", "POST", "/v2/portals", portal(`{"includedPortalProductArns":["` + product + `","` + productPath + `aaaaaaaaaa","` + productPath + `bbbbbbbbbb"]}`)},
		{"a short ARN", 400, input + "includedPortalProductArns[0] must have 20 to 2048 characters", "POST", "/v2/portals", portal(`{"includedPortalProductArns":["x"]}`)},
		{"a reserved tag", 400, `Invalid tag key "aws:x": a key has 1 to 128 characters and does not start with aws:`, "POST", "/v2/portals", portal(`{"tags":{"aws:x":"y"}}`)},
		{"unknown in a get", 404, "Invalid Portal identifier specified zzzzzzzzzz", "GET", "/v2/portals/zzzzzzzzzz", ""},
		{"unknown in an update", 404, "Invalid Portal identifier specified zzzzzzzzzz", "PATCH", "/v2/portals/zzzzzzzzzz", `{}`},
		{"unknown in a delete", 404, "Invalid Portal identifier specified zzzzzzzzzz", "DELETE", "/v2/portals/zzzzzzzzzz", ""},
		{"unknown in a publish", 404, "Invalid Portal identifier specified zzzzzzzzzz", "POST", "/v2/portals/zzzzzzzzzz/publish", `{}`},
		{"unknown in a preview", 404, "Invalid Portal identifier specified zzzzzzzzzz", "POST", "/v2/portals/zzzzzzzzzz/preview", ``},
		{"unknown in a disable", 404, "Invalid Portal identifier specified zzzzzzzzzz", "DELETE", "/v2/portals/zzzzzzzzzz/publish", ""},
		{"no ID at all", 404, "Invalid Portal identifier specified api.x", "GET", "/v2/portals/api.x", ""},
		{"a long description of a publish", 400, input + "description must have 0 to 1024 characters", "POST", path + "/publish", `{"description":"` + strings.Repeat("x", 1025) + `"}`},
		{"a description that is no text", 400, "description: must be a string", "POST", path + "/publish", `{"description":1}`},
	})
}

func TestPublishPortal(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	product, arn := s.product()
	path := s.portal(`{"includedPortalProductArns":["` + arn + `"]}`)
	publish := func(body string) map[string]any {
		t.Helper()
		if r := s.do("POST", path+"/publish", body); r.status != 202 || r.body != "{}" {
			t.Errorf("publish: got %d %s", r.status, r.body)
		}
		return s.call(200, "GET", path, "")
	}
	s.shows(publish(`{"description":"first"}`), `{"publishStatus":"PUBLISHED","lastPublished":"2025-01-02T03:04:05Z","lastPublishedDescription":"first","statusException":null}`)
	s.refuse(400, "The portal is published. Disable it before it is deleted", "DELETE", path, "")
	now = now.Add(time.Hour)
	s.shows(publish(``), `{"publishStatus":"PUBLISHED","lastPublished":"2025-01-02T04:04:05Z","lastPublishedDescription":null}`)
	s.shows(publish(`{"description":""}`), `{"lastPublishedDescription":null}`)
	if listed := s.only("/v2/portals"); text(listed) != text(s.call(200, "GET", path, "")) {
		t.Errorf("listed as %s", text(listed))
	}

	// A product that is public cannot go, also not when the portal has been edited since.
	inUse := fmt.Sprintf("The portal product %s is in the published portal %s. Disable the portal, or publish it without the product", strings.TrimPrefix(product, "/v2/portalproducts/"), strings.TrimPrefix(path, "/v2/portals/"))
	s.refuse(400, inUse, "DELETE", product, "")
	s.call(200, "PATCH", path, `{"endpointConfiguration":{"none":{}},"includedPortalProductArns":[]}`)
	s.refuse(400, inUse, "DELETE", product, "")
	s.shows(publish(``), `{"publishStatus":"PUBLISHED","includedPortalProductArns":[]}`)
	s.call(204, "DELETE", product, "")

	// What is missing fails the publication and says so; what was published stays.
	now = now.Add(time.Hour)
	second, secondARN := s.product()
	s.call(200, "PATCH", path, `{"endpointConfiguration":{"none":{}},"includedPortalProductArns":["`+secondARN+`"]}`)
	publish(`{"description":"with the second"}`)
	s.call(200, "PATCH", path, `{"endpointConfiguration":{"none":{}},"includedPortalProductArns":["`+secondARN+`","`+arn+`"]}`)
	s.shows(publish(`{"description":"broken"}`), `{"publishStatus":"PUBLISH_FAILED","statusException":{"exception":"NotFoundException","message":"Invalid PortalProduct identifier specified `+arn+`"},"lastPublishedDescription":"with the second","lastPublished":"2025-01-02T05:04:05Z"}`)
	s.refuse(400, "The portal is published. Disable it before it is deleted", "DELETE", path, "")
	if r := s.do("DELETE", second, ""); r.status != 400 {
		t.Errorf("a product that is still public: got %d %s", r.status, r.body)
	}
	s.call(200, "PATCH", path, `{"endpointConfiguration":{"none":{}},"includedPortalProductArns":["`+secondARN+`"]}`)
	s.shows(publish(``), `{"publishStatus":"PUBLISHED","statusException":null}`)

	// Disabled, it keeps everything but the public, and may go.
	if r := s.do("DELETE", path+"/publish", ""); r.status != 204 || r.body != "" {
		t.Errorf("disable: got %d %s", r.status, r.body)
	}
	s.shows(s.call(200, "GET", path, ""), `{"publishStatus":"DISABLED","includedPortalProductArns":["`+secondARN+`"],"lastPublished":"2025-01-02T05:04:05Z"}`)
	s.call(204, "DELETE", path+"/publish", "")
	s.call(204, "DELETE", second, "")
	s.call(204, "DELETE", path, "")
}

// The product of another account, region or partition is none of ours, whatever its ID.
func TestPublishForeignProducts(t *testing.T) {
	s := newTester(t)
	_, arn := s.product()
	for _, foreign := range []string{
		strings.Replace(arn, "123456789012", "999999999999", 1),
		strings.Replace(arn, "123456789012", "", 1),
		strings.Replace(arn, "us-east-1", "eu-west-1", 1),
		strings.Replace(arn, "arn:aws:", "arn:aws-cn:", 1),
		productPath + "zzzzzzzzzz",
	} {
		path := s.portal(`{"includedPortalProductArns":["` + foreign + `"]}`)
		s.call(202, "POST", path+"/publish", "")
		s.shows(s.call(200, "GET", path, ""), `{"publishStatus":"PUBLISH_FAILED","lastPublished":null,"statusException":{"exception":"NotFoundException","message":"Invalid PortalProduct identifier specified `+foreign+`"}}`)
		s.call(204, "DELETE", path, "")
	}
}

func TestPreviewPortal(t *testing.T) {
	s := newTester(t)
	product, arn := s.product()
	path := s.portal(`{"includedPortalProductArns":["` + arn + `"]}`)
	preview := func() map[string]any {
		t.Helper()
		if r := s.do("POST", path+"/preview", ""); r.status != 202 || r.body != "{}" {
			t.Errorf("preview: got %d %s", r.status, r.body)
		}
		return s.call(200, "GET", path, "")
	}
	s.shows(preview(), `{"preview":{"previewStatus":"PREVIEW_READY","previewUrl":"https://portal-`+strings.TrimPrefix(path, "/v2/portals/")+`.execute-api.us-east-1.amazonaws.com/preview"},"publishStatus":"DISABLED","lastPublished":null}`)
	s.call(204, "DELETE", product, "") // a preview is not public
	s.shows(preview(), `{"preview":{"previewStatus":"PREVIEW_FAILED","statusException":{"exception":"NotFoundException","message":"Invalid PortalProduct identifier specified `+arn+`"}}}`)
}

func TestPortalQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.Portals = 1 })
	path := s.portal(`{}`)
	s.refuse(400, "Maximum number of Portals for this account has been reached.  Please contact AWS if you need additional Portals.", "POST", "/v2/portals", minimalPortal)
	s.call(204, "DELETE", path, "")
	s.portal(`{}`)
}
