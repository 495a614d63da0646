package compile

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"penstock/internal/authorizer"
	"penstock/internal/integration"
	"penstock/internal/mapping"
)

const (
	openKey    = "GET /pets/{id}"
	privateKey = "GET /private"

	testFunction = "arn:aws:lambda:us-east-1:123456789012:function:f"
	testLogGroup = "arn:aws:logs:us-east-1:123456789012:log-group:g"
)

func invocation(function string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
}

// Members of what tests send, by name.
type members = map[string]any

func newIntegration(more members) members {
	m := members{"integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": "http://127.0.0.1:1/x", "payloadFormatVersion": "1.0", "timeoutInMillis": 50}
	maps.Copy(m, more)
	return m
}

func newAuthorizer(more members) members {
	m := members{"name": "a", "authorizerType": "REQUEST", "authorizerPayloadFormatVersion": "2.0", "authorizerUri": invocation(testFunction)}
	maps.Copy(m, more)
	return m
}

// api makes an HTTP API and returns its ID. It is deleted with the test.
func (p *planes) api(t *testing.T) string {
	t.Helper()
	id := fmt.Sprint(p.call(t, "POST", "", members{"name": "test", "protocolType": "HTTP"})["apiId"])
	t.Cleanup(func() { p.call(t, "DELETE", "/"+id, nil) })
	return id
}

// offered is what a control plane may accept or refuse. Members that are nil are not
// offered.
type offered struct {
	cors, integration, authorizer members
	settings                      []members // of a stage, each offered by itself
}

// accept offers something for an API with two routes, of which the second has an
// authorizer, and fails the test if something was accepted and does not work. What is
// refused is left out. It returns the ID of the API.
func (p *planes) accept(t *testing.T, o offered) (id string) {
	t.Helper()
	id = p.api(t)
	path := "/" + id
	cors := o.cors != nil && p.call(t, "PATCH", path, members{"corsConfiguration": o.cors}) != nil
	made := func(kind string, body, plain members) string {
		got := p.call(t, "POST", path+"/"+kind, body)
		if got == nil {
			got = p.call(t, "POST", path+"/"+kind, plain)
		}
		id, ok := got[strings.TrimSuffix(kind, "s")+"Id"].(string)
		if !ok {
			t.Fatalf("no %s", kind)
		}
		return id
	}
	target := "integrations/" + made("integrations", newIntegration(o.integration), newIntegration(nil))
	by := made("authorizers", newAuthorizer(o.authorizer), newAuthorizer(nil))
	p.call(t, "POST", path+"/routes", members{"routeKey": openKey, "target": target})
	p.call(t, "POST", path+"/routes", members{"routeKey": privateKey, "target": target, "authorizationType": "CUSTOM", "authorizerId": by})
	if p.call(t, "POST", path+"/stages", members{"stageName": "$default", "autoDeploy": true, "stageVariables": map[string]string{"v": testFunction}}) == nil {
		t.Fatal("no stage")
	}
	had := members{}
	for _, s := range o.settings {
		if p.call(t, "PATCH", path+"/stages/$default", s) != nil {
			maps.Copy(had, s)
		}
	}

	stage := p.gateway.Snapshot().API(id).Stages["$default"]
	if stage == nil || len(stage.Routes) != 2 {
		t.Fatalf("accepted and not served: %+v", stage)
	}
	for _, r := range stage.Routes {
		if _, ok := r.Integration.(*integration.HTTP); !ok {
			t.Errorf("%s leads to %v: %v", r.Key, r.Integration, o.integration)
		}
		if limited := had["defaultRouteSettings"] != nil; limited != (r.Limit != nil) {
			t.Errorf("%s: throttling %v is not what the route has", r.Key, had["defaultRouteSettings"])
		}
		if r.Key != privateKey {
			continue
		}
		if _, ok := r.Authorizer.(*authorizer.Lambda); !ok {
			t.Errorf("%s is guarded by %v: %v", r.Key, r.Authorizer, o.authorizer)
		}
	}
	if cors != (stage.CORS != nil) {
		t.Errorf("CORS %v is not what the stage has", o.cors)
	}
	if logged := had["accessLogSettings"] != nil; logged != (stage.AccessLog != nil) {
		t.Errorf("access log %v is not what the stage has", had["accessLogSettings"])
	} else if logged {
		format := had["accessLogSettings"].(map[string]string)["format"]
		if f, err := mapping.ParseFormat(format); err != nil || f.String() != format {
			t.Errorf("format %q: %v %v", format, f, err)
		}
	}
	return id
}

func accessLogOf(format string) members {
	return members{"accessLogSettings": map[string]string{"destinationArn": testLogGroup, "format": format}}
}

// FuzzAcceptedSettings: mappings, identity sources, access logs, throttling and CORS
// that the control plane accepts can be compiled, and a request is answered.
func FuzzAcceptedSettings(f *testing.F) {
	const format = "$context.requestId "
	for _, seed := range []struct {
		key, value, status, responseKey, responseValue, source, format string
		rate                                                           float64
		burst                                                          int
		origin, header                                                 string
	}{
		{"append:header.a", "$request.header.b", "200", "overwrite:header.c", "$response.header.d", "$request.header.e", mapping.FormatCLF, 1, 1, "https://example.com", "x"},
		{"overwrite:path", "/v/${request.path.id}${request.path.other}", "404", "overwrite:statuscode", "200", "$request.querystring.q", mapping.FormatJSON, 0, 0, "*", "*"},
		{"overwrite:header.host", "$context.domainName", "500", "remove:header.server", "''", "$context.routeKey", mapping.FormatXML, 0.5, 1 << 30, "https://*", "Authorization"},
		{"append:querystring.a b", "${request.body['a'].b[0]}", "599", "append:header.e", "${response.body[0]}-$", "$stageVariables.v", mapping.FormatCSV, 1e308, math.MaxInt64, "", ""},
		{"remove:header.user-agent", "''", "204", "append:header.f", "$stageVariables.none", "$context.authorizer.x", format + "$context.authorizer.claims.sub.. $context...", 1e-300, 1, "http://a:1", "ä"},
		{"overwrite:header.a", "$context.foo", "2xx", "append:header.Trailer", "$context.foo", "$context.foo", format + "$context.foo", -1, -1, "null", "a b"},
		{"overwrite:header.X_Forwarded_For", "x", "200", "append:header.te", "x", "$context.authorizer.", format + "$context.authorizer.", 1, -1, "https://a/b", "\n"},
		{"append:header.a", "$request.body[*]", "200", "append:header.b", "$response.body..c", "$request.body.a", "$context.status", -1, 1, "HTTPS://EXAMPLE.COM", "X-Y"},
		{"append:header.a", "$request.body.a[?(@.b)]", "200", "append:header.b", `$response.body["c]`, "", "", 1, 1, "a", "a"},
	} {
		f.Add(seed.key, seed.value, seed.status, seed.responseKey, seed.responseValue, seed.source, seed.format, seed.rate, seed.burst, seed.origin, seed.header)
	}
	p := newPlanes(f)
	f.Fuzz(func(t *testing.T, key, value, status, responseKey, responseValue, source, format string, rate float64, burst int, origin, header string) {
		if math.IsNaN(rate) || math.IsInf(rate, 0) {
			return // not in JSON
		}
		cors := members{"allowOrigins": []string{origin}, "allowHeaders": []string{header}, "exposeHeaders": []string{header}, "allowMethods": []string{"*"}, "maxAge": burst}
		authorizer := members{"identitySource": []string{source}, "authorizerResultTtlInSeconds": 60}
		settings := []members{
			accessLogOf(format),
			{"defaultRouteSettings": members{"throttlingRateLimit": rate, "throttlingBurstLimit": burst}},
		}
		requests := map[string]string{key: value}
		responses := map[string]map[string]string{status: {responseKey: responseValue}}
		// Each by itself, so that no refusal hides the other.
		p.accept(t, offered{integration: members{"responseParameters": responses}})
		id := p.accept(t, offered{cors, members{"requestParameters": requests}, authorizer, settings})
		ask(t, p.addr, id, openKey, value)
		select {
		case line := <-p.failed:
			t.Errorf("%s", line)
		default:
		}
	})
}
