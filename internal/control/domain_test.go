package control

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"penstock/internal/model"
)

// configured returns a list of one domain name configuration, with members added.
func configured(more string) string {
	return `{"domainNameConfigurations":[` + with(`{"certificateArn":"`+acmCertificate+`"}`, more) + `]}`
}

func TestDomainNameMembers(t *testing.T) {
	s := newTester(t)
	const certificateOnly = `"certificateArn":"` + acmCertificate + `",`
	shown := func(name, configuration, more string) string {
		return `{"apiMappingSelectionExpression":"$request.basepath","domainName":"` + name + `","domainNameArn":"arn:aws:apigateway:us-east-1::/domainnames/` + name + `","domainNameConfigurations":[{"apiGatewayDomainName":"d-ID.execute-api.us-east-1.amazonaws.com",` + configuration + `}],` + more + `}`
	}
	const plainConfiguration = certificateOnly + `"domainNameStatus":"AVAILABLE","endpointType":"REGIONAL","hostedZoneId":"Z1UJRXOUMOOFQ8","ipAddressType":"ipv4","securityPolicy":"TLS_1_2"`
	for _, tt := range []struct{ name, body, want string }{
		{"minimum", domain("api.example.com", `{}`), shown("api.example.com", plainConfiguration, `"routingMode":"API_MAPPING_ONLY"`)},
		{"wildcard", domain("*.example.com", `{}`), shown("*.example.com", plainConfiguration, `"routingMode":"API_MAPPING_ONLY"`)},
		{"everything", domain("a-1.b.example.com", with(configured(`{"certificateName":"c","endpointType":"REGIONAL","ipAddressType":"dualstack","securityPolicy":"TLS_1_2","ownershipVerificationCertificateArn":"`+acmCertificate+`"}`), `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/a/key.pem","truststoreVersion":"v1"},"routingMode":"ROUTING_RULE_THEN_API_MAPPING","tags":{"a":"b"}}`)),
			shown("a-1.b.example.com", certificateOnly+`"certificateName":"c","domainNameStatus":"AVAILABLE","endpointType":"REGIONAL","hostedZoneId":"Z1UJRXOUMOOFQ8","ipAddressType":"dualstack","ownershipVerificationCertificateArn":"`+acmCertificate+`","securityPolicy":"TLS_1_2"`, `"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/a/key.pem","truststoreVersion":"v1"},"routingMode":"ROUTING_RULE_THEN_API_MAPPING","tags":{"a":"b"}`)},
		{"what only the service says", domain("b.example.com", configured(`{"apiGatewayDomainName":"d-abc.example.org","hostedZoneId":"Z7","domainNameStatus":"UPDATING","domainNameStatusMessage":"m","certificateUploadDate":"2025-01-02T03:04:05Z"}`)), shown("b.example.com", plainConfiguration, `"routingMode":"API_MAPPING_ONLY"`)},
		{"one label", domain("localhost", `{"mutualTlsAuthentication":{}}`), shown("localhost", plainConfiguration, `"routingMode":"API_MAPPING_ONLY"`)},
	} {
		got := s.call(201, "POST", "/v2/domainnames", tt.body)
		for _, path := range []string{strings.ReplaceAll(id(got, "domainName"), "*", "%2A"), id(got, "domainName")} {
			if read := s.call(200, "GET", "/v2/domainnames/"+path, ""); text(read) != text(got) {
				t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
			}
		}
		if form := regexp.MustCompile(`"d-[a-z0-9]{10}\.`).ReplaceAllString(text(got), `"d-ID.`); form != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, form, tt.want)
		}
	}
}

func TestDomainNameMessages(t *testing.T) {
	s := newTester(t)
	const path = "/v2/domainnames"
	old := s.domain("old.example.com")
	s.call(201, "POST", path, domain("*.example.com", `{}`))
	const (
		one      = "Invalid input. Expected one domain name configuration"
		name     = "Invalid domain name specified %q: must be labels of lower-case letters, digits and hyphens between dots; the first may be *"
		form     = "Invalid certificate ARN: %s. Must be arn:<partition>:acm:<region>:<account>:certificate/<id>"
		region   = "Invalid certificate ARN: %s. Certificate must be in 'us-east-1'."
		exists   = "The domain name you provided already exists."
		unknown  = "Invalid domain name identifier specified"
		store    = "Invalid truststoreUri specified: %s. Must be s3://<bucket>/<key>, https://<host>/<path> or file:///<path>"
		needed   = "truststoreVersion needs a truststoreUri"
		edge     = "EDGE endpoint type is not supported for APIGatewayV2 domainName"
		security = "The security policy TLS_1_0 is not supported: HTTP and WebSocket APIs need TLS_1_2"
		west     = "arn:aws:acm:us-west-1:123456789012:certificate/c-1"
		two      = `{"domainNameConfigurations":[{"certificateArn":"` + acmCertificate + `"},{"certificateArn":"` + acmCertificate + `"}]}`
	)
	body := func(more string) string { return domain("new.example.com", more) }
	rows := []refused{
		{"name missing", 400, "Invalid request input: domainName is required", "POST", path, configured(`{}`)},
		{"name empty", 400, "Invalid request input: domainName must have 1 to 512 characters", "POST", path, domain("", `{}`)},
		{"name too long", 400, "Invalid request input: domainName must have 1 to 512 characters", "POST", path, domain(strings.Repeat("a.", 256)+"a", `{}`)},
		{"exists", 400, exists, "POST", path, domain("old.example.com", `{}`)},
		{"wildcard exists", 400, exists, "POST", path, domain("*.example.com", `{}`)},
		{"no configuration", 400, one, "POST", path, `{"domainName":"new.example.com"}`},
		{"empty list", 400, one, "POST", path, body(`{"domainNameConfigurations":[]}`)},
		{"two configurations", 400, one, "POST", path, body(two)},
		{"empty list in an update", 400, one, "PATCH", old, `{"domainNameConfigurations":[]}`},
		{"two configurations in an update", 400, one, "PATCH", old, two},
		{"certificate missing", 400, "Invalid request input: domainNameConfigurations[0].certificateArn is required", "POST", path, body(`{"domainNameConfigurations":[{}]}`)},
		{"certificate empty", 400, "Invalid request input: domainNameConfigurations[0].certificateArn is required", "POST", path, body(configured(`{"certificateArn":""}`))},
		{"certificate of another region", 400, fmt.Sprintf(region, west), "POST", path, body(configured(`{"certificateArn":"` + west + `"}`))},
		{"certificate of another region in an update", 400, fmt.Sprintf(region, west), "PATCH", old, configured(`{"certificateArn":"` + west + `"}`)},
		{"certificate of another service", 400, fmt.Sprintf(form, "arn:aws:iam::123456789012:server-certificate/c"), "POST", path, body(configured(`{"certificateArn":"arn:aws:iam::123456789012:server-certificate/c"}`))},
		{"certificate malformed", 400, fmt.Sprintf(form, "c"), "PATCH", old, configured(`{"certificateArn":"c"}`)},
		{"EDGE", 400, edge, "POST", path, body(configured(`{"endpointType":"EDGE"}`))},
		{"EDGE in an update", 400, edge, "PATCH", old, `{"domainNameConfigurations":[{"endpointType":"EDGE"}]}`},
		{"endpoint type unknown", 400, "Invalid request input: domainNameConfigurations[0].endpointType must be one of [REGIONAL, EDGE]", "POST", path, body(configured(`{"endpointType":"PRIVATE"}`))},
		{"TLS 1.0", 400, security, "POST", path, body(configured(`{"securityPolicy":"TLS_1_0"}`))},
		{"TLS 1.0 in an update", 400, security, "PATCH", old, `{"domainNameConfigurations":[{"securityPolicy":"TLS_1_0"}]}`},
		{"routing mode unknown", 400, "Invalid request input: routingMode must be one of [API_MAPPING_ONLY, ROUTING_RULE_ONLY, ROUTING_RULE_THEN_API_MAPPING]", "PATCH", old, `{"routingMode":"x"}`},
		{"too many tags", 400, "The resource must not have more than 50 tags", "POST", path, body(`{"tags":` + manyTags(51) + `}`)},
		{"reserved tag", 400, `Invalid tag key "AWS:a": a key has 1 to 128 characters and does not start with aws:`, "POST", path, body(`{"tags":{"AWS:a":"b"}}`)},
		{"version without a trust store", 400, needed, "POST", path, body(`{"mutualTlsAuthentication":{"truststoreVersion":"1"}}`)},
		{"version without a trust store in an update", 400, needed, "PATCH", old, `{"mutualTlsAuthentication":{"truststoreVersion":"1"}}`},
		{"version of a trust store that goes", 400, needed, "PATCH", old, `{"mutualTlsAuthentication":{"truststoreUri":"","truststoreVersion":"1"}}`},
		{"unknown", 404, unknown, "GET", path + "/unknown.example.com", ""},
		{"unknown below a wildcard", 404, unknown, "GET", path + "/a.example.com", ""},
		{"in capitals", 404, unknown, "GET", path + "/OLD.example.com", ""},
		{"with a dot behind it", 404, unknown, "GET", path + "/old.example.com.", ""},
		{"unknown in an update", 404, unknown, "PATCH", path + "/unknown.example.com", `{"`},
		{"unknown in a delete", 404, unknown, "DELETE", path + "/unknown.example.com", ""},
	}
	for _, bad := range []string{"Api.example.com", "a_b.example.com", "a..example.com", ".example.com", "example.com.", "-a.example.com", "a-.example.com", "*", "*.", "*example.com", "a*.example.com", "a.*.example.com", "*.*.example.com", "a b.example.com", "example.com/a", "example.com:443", "https://example.com", "é.example.com", "a.example.com\n", strings.Repeat("a", 64) + ".example.com"} {
		rows = append(rows, refused{"name " + bad, 400, fmt.Sprintf(name, bad), "POST", path, with(body(`{}`), text(map[string]string{"domainName": bad}))})
	}
	for _, bad := range []string{"bucket/key", "s3://bucket", "s3://bucket/", "s3:///key", "s3:key", "http://example.com/a.pem", "https://example.com", "https:///a.pem", "file://host/a.pem", "file:///", "ftp://example.com/a", "%"} {
		rows = append(rows,
			refused{"trust store " + bad, 400, fmt.Sprintf(store, bad), "POST", path, body(`{"mutualTlsAuthentication":{"truststoreUri":"` + bad + `"}}`)},
			refused{"trust store " + bad + " in an update", 400, fmt.Sprintf(store, bad), "PATCH", old, `{"mutualTlsAuthentication":{"truststoreUri":"` + bad + `"}}`})
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", old, ""), `{"mutualTlsAuthentication":null,"routingMode":"API_MAPPING_ONLY"}`)
	for _, good := range []string{strings.Repeat("a", 63) + ".example.com", "xn--e1afmkfd.example", "0.1", "*.a"} {
		s.call(201, "POST", path, domain(good, `{}`))
	}
}

func TestUpdateDomainName(t *testing.T) {
	s := newTester(t)
	path := "/v2/domainnames/d.example.com"
	const other = `arn:aws:acm:us-east-1::certificate/other`
	full := domain("d.example.com", with(configured(`{"certificateName":"c","ipAddressType":"dualstack","ownershipVerificationCertificateArn":"`+acmCertificate+`"}`), `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key","truststoreVersion":"1"},"routingMode":"ROUTING_RULE_ONLY","tags":{"a":"b"}}`))
	const mtls, kept = "mutualTlsAuthentication", `"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key","truststoreVersion":"1"}`
	for _, tt := range []struct{ name, patch, configuration, want string }{
		{"absent keeps", `{}`, `{}`, `{` + kept + `,"routingMode":"ROUTING_RULE_ONLY","tags":{"a":"b"}}`},
		{"null keeps", `{"domainNameConfigurations":null,"mutualTlsAuthentication":null,"routingMode":null}`, `{}`, `{` + kept + `,"routingMode":"ROUTING_RULE_ONLY"}`},
		{"a configuration without members", `{"domainNameConfigurations":[{}]}`, `{}`, `{` + kept + `}`},
		{"certificate", `{"domainNameConfigurations":[{"certificateArn":"` + other + `"}]}`, `{"certificateArn":"` + other + `"}`, `{` + kept + `}`},
		{"several members", `{"domainNameConfigurations":[{"ipAddressType":"ipv4","certificateName":"e"}]}`, `{"ipAddressType":"ipv4","certificateName":"e"}`, `{}`},
		{"the other certificate is cleared", `{"domainNameConfigurations":[{"ownershipVerificationCertificateArn":""}]}`, `{"ownershipVerificationCertificateArn":null}`, `{}`},
		{"what only the service says", `{"domainNameConfigurations":[{"apiGatewayDomainName":"x","hostedZoneId":"y","domainNameStatus":"UPDATING","domainNameStatusMessage":"m","certificateUploadDate":"2020-01-02T03:04:05Z"}]}`, `{}`, `{}`},
		{"routing mode", `{"routingMode":"API_MAPPING_ONLY"}`, `{}`, `{"routingMode":"API_MAPPING_ONLY",` + kept + `}`},
		{"trust store merges", `{"mutualTlsAuthentication":{"truststoreVersion":"2"}}`, `{}`, `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key","truststoreVersion":"2"}}`},
		{"trust store merges the other way", `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/other"}}`, `{}`, `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/other","truststoreVersion":"1"}}`},
		{"trust store version is cleared", `{"mutualTlsAuthentication":{"truststoreVersion":""}}`, `{}`, `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key"}}`},
		{"an empty object keeps", `{"mutualTlsAuthentication":{}}`, `{}`, `{` + kept + `}`},
		{"warnings are not taken", `{"mutualTlsAuthentication":{"truststoreWarnings":["x"]}}`, `{}`, `{` + kept + `}`},
		{"trust store is turned off", `{"mutualTlsAuthentication":{"truststoreUri":""}}`, `{}`, `{"mutualTlsAuthentication":null}`},
		{"trust store is turned off with its version", `{"mutualTlsAuthentication":{"truststoreUri":"","truststoreVersion":""}}`, `{}`, `{"mutualTlsAuthentication":null}`},
	} {
		made := s.call(201, "POST", "/v2/domainnames", full)
		first := made["domainNameConfigurations"].([]any)[0]
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).shows(got, tt.want)
			if now := text(got["domainNameConfigurations"]); now != "["+with(text(first), tt.configuration)+"]" {
				t.Errorf("the configuration is %s, was %s", now, text(first))
			}
		})
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		if got[mtls] == nil { // turned on again, it is as if it had never been on
			s.shows(s.call(200, "PATCH", path, `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/new"}}`), `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/new"}}`)
		}
		s.call(204, "DELETE", path, "")
	}
}

// A trust store is read when it is new. What cannot be used in it is told; one that
// cannot be read is refused.
func TestTruststore(t *testing.T) {
	var asked []string
	s := newTester(t, func(o *Options) {
		o.Truststore = func(_ context.Context, url string) ([]string, error) {
			asked = append(asked, url)
			switch {
			case strings.Contains(url, "unreadable"):
				return nil, errors.New("no such file")
			case strings.Contains(url, "warned"):
				return []string{"block 2 is no certificate"}, nil
			}
			return nil, nil
		}
	})
	heard := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(asked, want) {
			t.Errorf("%s: asked %q, want %q", what, asked, want)
		}
		asked = nil
	}
	const path = "/v2/domainnames/d.example.com"
	mtls := func(members string) string { return `{"mutualTlsAuthentication":{` + members + `}}` }
	s.refuse(400, "The trust store https://example.com/unreadable.pem cannot be read: no such file", "POST", "/v2/domainnames", domain("d.example.com", mtls(`"truststoreUri":"https://example.com/unreadable.pem"`)))
	heard("a create that is refused", "https://example.com/unreadable.pem")

	warned := `{"mutualTlsAuthentication":{"truststoreUri":"file:///etc/warned.pem","truststoreWarnings":["block 2 is no certificate"]}}`
	s.shows(s.call(201, "POST", "/v2/domainnames", domain("d.example.com", mtls(`"truststoreUri":"file:///etc/warned.pem"`))), warned)
	s.shows(s.call(200, "GET", path, ""), warned)
	heard("a create", "file:///etc/warned.pem")

	s.shows(s.call(200, "PATCH", path, `{"routingMode":"ROUTING_RULE_ONLY"}`), warned)
	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreUri":"file:///etc/warned.pem"`)), warned)
	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreUri":"file:///etc/warned.pem","truststoreWarnings":[]`)), warned)
	heard("updates without a new trust store")

	s.refuse(400, "The trust store file:///unreadable cannot be read: no such file", "PATCH", path, mtls(`"truststoreUri":"file:///unreadable"`))
	s.shows(s.call(200, "GET", path, ""), warned)
	heard("an update that is refused", "file:///unreadable")

	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreVersion":"2"`)), `{"mutualTlsAuthentication":{"truststoreUri":"file:///etc/warned.pem","truststoreVersion":"2","truststoreWarnings":["block 2 is no certificate"]}}`)
	heard("a new version", "file:///etc/warned.pem")
	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreUri":"https://example.com/good.pem"`)), `{"mutualTlsAuthentication":{"truststoreUri":"https://example.com/good.pem","truststoreVersion":"2"}}`)
	heard("a trust store without a fault", "https://example.com/good.pem")

	s.call(200, "PATCH", path, mtls(`"truststoreUri":"https://example.com/warned.pem"`))
	asked = nil
	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreUri":"s3://bucket/key"`)), `{"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key","truststoreVersion":"2"}}`)
	s.shows(s.call(200, "PATCH", path, mtls(`"truststoreUri":""`)), `{"mutualTlsAuthentication":null}`)
	heard("nothing to read")
}

// A domain's DNS records lead to where the gateway listens now.
func TestDomainNameEndpoint(t *testing.T) {
	s := newTester(t, func(o *Options) {
		o.Endpoint = func(id, protocol string) string { return "http://" + id + ".localhost:8080" }
		o.HostedZone, o.Partition, o.Region = "ZLOCAL", "aws-cn", "cn-north-1"
	})
	body := domain("d.example.com", `{"domainNameConfigurations":[{"certificateArn":"arn:aws-cn:acm:cn-north-1:123456789012:certificate/c"}]}`)
	got := s.call(201, "POST", "/v2/domainnames", body)
	s.shows(got, `{"domainNameArn":"arn:aws-cn:apigateway:cn-north-1::/domainnames/d.example.com"}`)
	configuration := got["domainNameConfigurations"].([]any)[0].(map[string]any)
	if !regexp.MustCompile(`^d-[a-z0-9]{10}\.localhost$`).MatchString(id(configuration, "apiGatewayDomainName")) || configuration["hostedZoneId"] != "ZLOCAL" {
		t.Errorf("got %s", text(configuration))
	}
	if stored, _ := s.store.Get(model.DomainKey("d.example.com")); strings.Contains(string(stored.Data), "localhost") || strings.Contains(string(stored.Data), "ZLOCAL") {
		t.Errorf("stored %s", stored.Data)
	}
}

// What a domain name leads to is free when the domain name is gone.
func TestDeleteDomainName(t *testing.T) {
	s := newTester(t)
	api := s.staged("HTTP", "v1")
	path := s.domain("d.example.com")
	s.call(201, "POST", path+"/apimappings", `{"apiId":"`+api+`","stage":"v1"}`)
	s.call(201, "POST", path+"/routingrules", rule(api, 1, `[]`))
	s.call(204, "DELETE", path, "")
	s.refuse(404, "Invalid domain name identifier specified", "GET", path+"/apimappings", "")
	s.refuse(404, "Invalid domain name identifier specified", "GET", path+"/routingrules", "")
	s.call(204, "DELETE", "/v2/apis/"+api+"/stages/v1", "")

	s.domain("d.example.com") // has nothing of the one that was
	for _, list := range []string{"/apimappings", "/routingrules"} {
		if items := s.list(path + list + "?maxResults=10"); len(items) != 0 {
			t.Errorf("%s: got %s", list, text(items))
		}
	}
}

func TestDomainNameQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.DomainNames = 1 })
	path := s.domain("d.example.com")
	s.refuse(400, "Maximum number of DomainNames for this account has been reached.  Please contact AWS if you need additional DomainNames.", "POST", "/v2/domainnames", domain("e.example.com", `{}`))
	s.call(204, "DELETE", path, "")
	s.domain("d.example.com")
}

func TestExampleDomainName(t *testing.T) {
	s := newTester(t)
	s.call(201, "POST", "/v2/domainnames", domain("d.example.com", `{}`))
	r := s.do("POST", "/v2/domainnames", domain("d.example.com", `{}`))
	if r.status != 400 || r.header.Get("x-amzn-ErrorType") != "BadRequestException" || r.body != `{"message":"The domain name you provided already exists."}` {
		t.Errorf("got %d %s", r.status, r.body)
	}
	s.refuse(400, "Invalid input. Expected one domain name configuration", "POST", "/v2/domainnames", `{"domainName":"e.example.com"}`)
}
