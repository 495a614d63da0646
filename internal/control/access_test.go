package control

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/model"
	"penstock/internal/policy"
)

// A gate lets everyone in as one user, whose policy a test changes between calls.
type gate struct{ Principal }

func (g *gate) Authenticate(*http.Request, []byte) (Principal, error) { return g.Principal, nil }

// may gives the user the policy with these statements; none lets the user do everything.
func (g *gate) may(t testing.TB, statements ...string) {
	t.Helper()
	if g.Policy = nil; len(statements) == 0 {
		return
	}
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`, ConditionKeys)
	if err != nil {
		t.Fatalf("%v in %s", err, statements)
	}
	g.Policy = d
}

const ada = "arn:aws:iam::123456789012:user/ada"

// newGated returns a tester whose calls are all Ada's.
func newGated(t *testing.T, options ...func(*Options)) (*tester, *gate) {
	t.Helper()
	g := &gate{Principal{Name: "ada", ARN: ada}}
	s := newTester(t, append(options, func(o *Options) { o.Authenticator = g })...)
	return s, g
}

// statement returns a statement of a policy. A resource that begins with a slash is a
// path of the control plane.
func statement(effect, action, resource string, condition ...string) string {
	if strings.HasPrefix(resource, "/") {
		resource = arnPrefix + resource
	}
	more := ""
	if len(condition) > 0 {
		more = `,"Condition":` + condition[0]
	}
	return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":` + text(resource) + more + `}`
}

func allow(action, resource string, condition ...string) string {
	return statement("Allow", action, resource, condition...)
}

func deny(action, resource string, condition ...string) string {
	return statement("Deny", action, resource, condition...)
}

const arnPrefix = "arn:aws:apigateway:us-east-1::"

var anything = allow("*", "*")

// deniedBody is the whole answer to a call that a policy does not allow.
func deniedBody(method, arn string, explicit bool) string {
	message := "User: " + ada + " is not authorized to perform: apigateway:" + method + " on resource: " + arn
	if explicit {
		message += " with an explicit deny"
	}
	return text(map[string]string{"Message": message})
}

// denies sends a request that the policy of the caller must refuse, and that must
// change nothing.
func (t *tester) denies(what, method, path, body, want string) {
	t.Helper()
	before := t.store.Last()
	r := t.do(method, path, body)
	if r.status != 403 || r.body != want || r.header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
		t.Errorf("%s: %s %s %s:\n got %d %s %s\nwant 403 %s", what, method, path, body, r.status, r.header.Get("x-amzn-ErrorType"), r.body, want)
	}
	if t.store.Last() != before {
		t.Errorf("%s: %s %s %s: was denied and changed the store", what, method, path, body)
	}
}

// An estate is one of everything there can be, in the order it was made, and what to
// send to every operation about it.
type estate struct{ labels map[string]string }

const (
	estateTags    = `{"team":"a"}`
	estateIssuer  = "https://issuer.example.com"
	certificate   = "arn:aws:acm:us-east-1:123456789012:certificate/c"
	smallDocument = `{"openapi":"3.0.1","info":{"title":"small","version":"1"},"paths":{"/a":{"get":{"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"ANY","uri":"https://example.com","payloadFormatVersion":"1.0"}}}}}`
	colors        = `{"accentColor":"#1","backgroundColor":"#2","errorValidationColor":"#3","headerColor":"#4","navigationColor":"#5","textColor":"#6"}`
	minimalPortal = `{"authorization":{"none":{}},"endpointConfiguration":{"none":{}},"portalContent":{"displayName":"Pets","theme":{"customColors":` + colors + `}}}`
	minimalPage   = `{"displayContent":{"title":"Welcome","body":"# Pets"}}`
	minimalPolicy = `{"policyDocument":"{\"Statement\":[]}"}`
)

// documentBody returns the body of an import.
func documentBody(document string) string { return text(map[string]string{"body": document}) }

func newEstate(s *tester) *estate {
	s.Helper()
	e := &estate{map[string]string{"specification": "OAS30", "stageName": "live", "routeKey": "$default", "requestParameterKey": "route.request.header.Auth", "domainName": "*.example.com"}}
	for _, step := range []struct{ label, member, path, body string }{
		{"apiId", "apiId", "/v2/apis", `{"name":"ws","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action","tags":` + estateTags + `}`},
		{"httpApi", "apiId", "/v2/apis", `{"name":"http","protocolType":"HTTP","corsConfiguration":{"allowOrigins":["*"]},"tags":` + estateTags + `}`},
		{"mappedApi", "apiId", "/v2/apis", `{"name":"mapped","protocolType":"HTTP","tags":` + estateTags + `}`},
		{"", "", "/v2/apis/{mappedApi}/stages", `{"stageName":"live"}`},
		{"authorizerId", "authorizerId", "/v2/apis/{apiId}/authorizers", `{"name":"au","authorizerType":"REQUEST","authorizerUri":"` + invokeARN + `","identitySource":["route.request.header.Auth"]}`},
		{"integrationId", "integrationId", "/v2/apis/{apiId}/integrations", `{"integrationType":"MOCK"}`},
		{"integrationResponseId", "integrationResponseId", "/v2/apis/{apiId}/integrations/{integrationId}/integrationresponses", `{"integrationResponseKey":"$default"}`},
		{"modelId", "modelId", "/v2/apis/{apiId}/models", `{"name":"m","schema":"{\"type\":\"object\"}"}`},
		{"routeId", "routeId", "/v2/apis/{apiId}/routes", `{"routeKey":"$connect","requestParameters":{"route.request.header.Auth":{"required":true}}}`},
		{"otherRoute", "routeId", "/v2/apis/{apiId}/routes", `{"routeKey":"other"}`},
		{"routeResponseId", "routeResponseId", "/v2/apis/{apiId}/routes/{routeId}/routeresponses", `{"routeResponseKey":"$default"}`},
		{"deploymentId", "deploymentId", "/v2/apis/{apiId}/deployments", `{}`},
		{"", "", "/v2/apis/{apiId}/stages", `{"stageName":"live","routeSettings":{"$default":{"throttlingBurstLimit":1}},"tags":` + estateTags + `}`},
		{"", "", "/v2/domainnames", `{"domainName":"*.example.com","domainNameConfigurations":[{"certificateArn":"` + certificate + `"}],"tags":` + estateTags + `}`},
		{"apiMappingId", "apiMappingId", "/v2/domainnames/{domainName}/apimappings", `{"apiId":"{mappedApi}","stage":"live"}`},
		{"routingRuleId", "routingRuleId", "/v2/domainnames/{domainName}/routingrules", `{"priority":1,"conditions":[],"actions":[{"invokeApi":{"apiId":"{mappedApi}","stage":"live"}}]}`},
		{"vpcLinkId", "vpcLinkId", "/v2/vpclinks", `{"name":"v","subnetIds":["s"],"tags":` + estateTags + `}`},
		{"portalId", "portalId", "/v2/portals", with(minimalPortal, `{"tags":`+estateTags+`}`)},
		{"portalProductId", "portalProductId", "/v2/portalproducts", `{"displayName":"p","tags":` + estateTags + `}`},
		{"productPageId", "productPageId", "/v2/portalproducts/{portalProductId}/productpages", minimalPage},
		{"productRestEndpointPageId", "productRestEndpointPageId", "/v2/portalproducts/{portalProductId}/productrestendpointpages", `{"restEndpointIdentifier":{"identifierParts":{"restApiId":"{mappedApi}","stage":"live","path":"/a","method":"GET"}}}`},
	} {
		made := s.call(201, "POST", e.fill(step.path, escapeAll), e.fill(step.body, asIs))
		if step.label != "" {
			e.labels[step.label] = id(made, step.member)
		}
	}
	s.call(200, "PUT", e.fill("/v2/portalproducts/{portalProductId}/sharingpolicy", escapeAll), minimalPolicy)
	e.labels["resource-arn"] = arnPrefix + "/apis/" + e.labels["httpApi"]
	return e
}

// fill puts labels into text, each in a form.
func (e *estate) fill(text string, form func(string) string) string {
	for name, value := range e.labels {
		text = strings.ReplaceAll(text, "{"+name+"}", form(value))
	}
	return text
}

func asIs(s string) string { return s }

// escapeAll escapes all but letters and digits, as careful clients do.
func escapeAll(s string) string {
	return escapeWhere(s, func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	}, "%%%02X")
}

// escapeEvery escapes every byte, with hexadecimal digits in lower case.
func escapeEvery(s string) string { return escapeWhere(s, func(byte) bool { return true }, "%%%02x") }

func escapeWhere(s string, where func(c byte) bool, format string) string {
	var b strings.Builder
	for i := range len(s) {
		if where(s[i]) {
			fmt.Fprintf(&b, format, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// sent is what makes operations of an estate succeed, beyond their paths. Most need
// nothing.
var sent = map[string]struct{ query, body string }{
	"CreateApi":                     {"", `{"name":"n","protocolType":"HTTP"}`},
	"CreateApiMapping":              {"", `{"apiId":"{mappedApi}","stage":"live","apiMappingKey":"k"}`},
	"CreateAuthorizer":              {"", `{"name":"new","authorizerType":"REQUEST","authorizerUri":"` + invokeARN + `"}`},
	"CreateDomainName":              {"", `{"domainName":"d.example.com","domainNameConfigurations":[{"certificateArn":"` + certificate + `"}]}`},
	"CreateIntegration":             {"", `{"integrationType":"MOCK"}`},
	"CreateIntegrationResponse":     {"", `{"integrationResponseKey":"/200/"}`},
	"CreateModel":                   {"", `{"name":"new","schema":"{}"}`},
	"CreatePortal":                  {"", minimalPortal},
	"CreatePortalProduct":           {"", `{"displayName":"new"}`},
	"CreateProductPage":             {"", minimalPage},
	"CreateProductRestEndpointPage": {"", `{"restEndpointIdentifier":{"identifierParts":{"restApiId":"{mappedApi}","stage":"live","path":"/a","method":"GET"}}}`},
	"CreateRoute":                   {"", `{"routeKey":"new"}`},
	"CreateRouteResponse":           {"", `{"routeResponseKey":"$default"}`},
	"CreateRoutingRule":             {"", `{"priority":2,"conditions":[],"actions":[{"invokeApi":{"apiId":"{mappedApi}","stage":"live"}}]}`},
	"CreateStage":                   {"", `{"stageName":"new"}`},
	"CreateVpcLink":                 {"", `{"name":"new","subnetIds":["s"]}`},
	"ExportApi":                     {"?outputType=JSON", ""},
	"ImportApi":                     {"", documentBody(smallDocument)},
	"PutPortalProductSharingPolicy": {"", minimalPolicy},
	"PutRoutingRule":                {"", `{"priority":3,"conditions":[],"actions":[{"invokeApi":{"apiId":"{mappedApi}","stage":"live"}}]}`},
	"ReimportApi":                   {"", documentBody(smallDocument)},
	"TagResource":                   {"", `{"tags":{"k":"v"}}`},
	"UntagResource":                 {"?tagKeys=k", ""},
	"UpdateApi":                     {"", `{"description":"d"}`},
	"UpdateApiMapping":              {"", `{"apiId":"{mappedApi}","apiMappingKey":"k"}`},
	"UpdateAuthorizer":              {"", `{"name":"m"}`},
	"UpdateDeployment":              {"", `{"description":"d"}`},
	"UpdateDomainName":              {"", `{"routingMode":"ROUTING_RULE_ONLY"}`},
	"UpdateIntegration":             {"", `{"description":"d"}`},
	"UpdateIntegrationResponse":     {"", `{"templateSelectionExpression":"x"}`},
	"UpdateModel":                   {"", `{"description":"d"}`},
	"UpdatePortal":                  {"", `{"rumAppMonitorName":"r"}`},
	"UpdatePortalProduct":           {"", `{"description":"d"}`},
	"UpdateProductPage":             {"", `{"displayContent":{"title":"t","body":"b"}}`},
	"UpdateProductRestEndpointPage": {"", `{"tryItState":"ENABLED"}`},
	"UpdateRoute":                   {"", `{"operationName":"o"}`},
	"UpdateRouteResponse":           {"", `{"modelSelectionExpression":"x"}`},
	"UpdateStage":                   {"", `{"description":"d"}`},
	"UpdateVpcLink":                 {"", `{"name":"m"}`},
}

// about returns the estate as an operation needs it: some are for one protocol only,
// or need a place that is still free.
func (e *estate) about(op *model.Operation) *estate {
	labels := maps.Clone(e.labels)
	switch op.Name {
	case "ExportApi", "ReimportApi", "DeleteCorsConfiguration":
		labels["apiId"] = labels["httpApi"]
	case "CreateRouteResponse":
		labels["routeId"] = labels["otherRoute"]
	}
	return &estate{labels}
}

// request returns a call of an operation that succeeds, its labels in a form.
func (e *estate) request(op *model.Operation, form func(string) string) (path, body string) {
	e = e.about(op)
	return e.fill(op.Path, form) + sent[op.Name].query, e.fill(sent[op.Name].body, asIs)
}

// arn returns what policies call what an operation is about.
func (e *estate) arn(op *model.Operation) string {
	e = e.about(op)
	path := strings.TrimPrefix(op.Path, "/v2")
	path = strings.ReplaceAll(path, "{resource-arn}", url.QueryEscape(e.labels["resource-arn"]))
	return arnPrefix + e.fill(path, asIs)
}

// literal returns the pattern that matches an ARN and no other: a star in it, as in the
// name of a wildcard domain, stands for itself.
func literal(arn string) string { return strings.NewReplacer("*", "${*}", "?", "${?}").Replace(arn) }

// Each operation is one action on one resource: with a policy that denies that and
// allows the rest it is denied and changes nothing, and with one that allows that and
// nothing else it succeeds, while every other is denied.
func TestEveryOperationHasItsPolicy(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	type request struct{ name, method, path, body, arn string }
	var requests []request
	named := map[string]string{}
	for _, op := range model.Operations {
		path, body := e.request(op, escapeAll)
		r := request{op.Name, op.Method, path, body, e.arn(op)}
		if other := named[r.method+r.arn]; other != "" {
			t.Errorf("%s and %s are both %s on %s", r.name, other, r.method, r.arn)
		}
		named[r.method+r.arn] = r.name
		requests = append(requests, r)
	}
	if len(requests) != 103 {
		t.Errorf("%d operations, want 103", len(requests))
	}
	for _, r := range requests {
		g.may(t, anything, deny("apigateway:"+r.method, literal(r.arn)))
		s.denies(r.name+" denied", r.method, r.path, r.body, deniedBody(r.method, r.arn, true))
		g.may(t, allow("apigateway:"+otherMethod(r.method), literal(r.arn)), allow("*", "/nothing"))
		s.denies(r.name+" not allowed", r.method, r.path, r.body, deniedBody(r.method, r.arn, false))
		g.may(t, allow("apigateway:"+r.method, literal(r.arn)))
		for _, other := range requests {
			if other != r {
				s.denies(other.name+" where only "+r.name+" is allowed", other.method, other.path, other.body, deniedBody(other.method, other.arn, false))
			}
		}
	}
	for _, op := range model.Operations {
		s, g := newGated(t)
		e := newEstate(s)
		g.may(t, allow("apigateway:"+op.Method, literal(e.arn(op))))
		path, body := e.request(op, escapeAll)
		if r := s.do(op.Method, path, body); r.status != op.Status {
			t.Errorf("%s: %s %s %s: got %d %s, want %d", op.Name, op.Method, path, body, r.status, r.body, op.Status)
		}
	}
}

func otherMethod(method string) string {
	if method == "GET" {
		return "PUT"
	}
	return "GET"
}

func TestPolicyDecisions(t *testing.T) {
	s, g := newGated(t)
	api := s.api("HTTP")
	route := s.route(api, "GET /a", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"$default"}`)
	apiPath, routePath := strings.TrimPrefix(api, "/v2"), strings.TrimPrefix(route, "/v2")
	const (
		allowed  = "allowed"
		not      = "not allowed"
		explicit = "explicitly denied"
	)
	for _, tt := range []struct {
		name         string
		statements   []string
		method, path string
		want         string
	}{
		{"everything", []string{anything}, "GET", api, allowed},
		{"another service", []string{allow("sqs:*", "*")}, "GET", api, not},
		{"every action of the service", []string{allow("apigateway:*", "*")}, "GET", api, allowed},
		{"the action in other letters", []string{allow("APIGateway:get", "*")}, "GET", api, allowed},
		{"an action with wildcards", []string{allow("apigateway:G?T", "*")}, "GET", api, allowed},
		{"another action", []string{allow("apigateway:P*", "*")}, "GET", api, not},
		{"NotAction", []string{`{"Effect":"Allow","NotAction":"apigateway:DELETE","Resource":"*"}`}, "GET", api, allowed},
		{"NotAction of the action", []string{`{"Effect":"Allow","NotAction":["apigateway:POST","apigateway:GET"],"Resource":"*"}`}, "GET", api, not},
		{"denied NotAction", []string{anything, `{"Effect":"Deny","NotAction":"apigateway:GET","Resource":"*"}`}, "GET", api, allowed},
		{"denied but for the action", []string{anything, `{"Effect":"Deny","NotAction":"apigateway:POST","Resource":"*"}`}, "GET", api, explicit},
		{"NotResource", []string{`{"Effect":"Allow","Action":"*","NotResource":"` + arnPrefix + `/domainnames*"}`}, "GET", api, allowed},
		{"NotResource of the resource", []string{`{"Effect":"Allow","Action":"*","NotResource":"` + arnPrefix + `/apis/*"}`}, "GET", api, not},
		{"the resource", []string{allow("*", apiPath)}, "GET", api, allowed},
		{"the resource, for what is under it", []string{allow("*", apiPath)}, "GET", route, not},
		{"what is under a resource", []string{allow("*", apiPath+"/*")}, "GET", route, allowed},
		{"what is under a resource, for itself", []string{allow("*", apiPath+"/*")}, "GET", api, not},
		{"the list, for an item", []string{allow("*", "/apis")}, "GET", api, not},
		{"the list", []string{allow("*", "/apis")}, "GET", "/v2/apis", allowed},
		{"items, for the list", []string{allow("*", "/apis/*")}, "GET", "/v2/apis", not},
		{"a star within a path", []string{allow("*", "/apis/*/routes/*")}, "GET", route, allowed},
		{"a star takes slashes, too", []string{allow("*", "/*/routes*")}, "GET", route, allowed},
		{"the path in other letters", []string{allow("*", strings.ToUpper(apiPath))}, "GET", api, not},
		{"a path with the version", []string{allow("*", api)}, "GET", api, not},
		{"every path", []string{allow("*", "/*")}, "GET", route, allowed},
		{"any region", []string{allow("*", "arn:aws:apigateway:*::"+apiPath)}, "GET", api, allowed},
		{"another region", []string{allow("*", "arn:aws:apigateway:eu-west-1::"+apiPath)}, "GET", api, not},
		{"another partition", []string{allow("*", "arn:aws-cn:apigateway:us-east-1::"+apiPath)}, "GET", api, not},
		{"with an account", []string{allow("*", "arn:aws:apigateway:us-east-1:123456789012:"+apiPath)}, "GET", api, not},
		{"a deny after an allow", []string{anything, deny("apigateway:GET", routePath)}, "GET", route, explicit},
		{"a deny before an allow", []string{deny("apigateway:GET", routePath), anything}, "GET", route, explicit},
		{"a deny of another action", []string{anything, deny("apigateway:DELETE", routePath)}, "GET", route, allowed},
		{"a deny of what is under it", []string{anything, deny("*", apiPath+"/*")}, "GET", api, allowed},
		{"a deny and no allow", []string{deny("*", "*")}, "GET", api, explicit},
		{"a deny of another resource and no allow", []string{deny("*", "/apis/x")}, "GET", api, not},
		{"a dollar stage as it is", []string{allow("*", apiPath+"/stages/$default")}, "GET", api + "/stages/%24default", allowed},
		{"a dollar stage with the policy variable", []string{allow("*", apiPath+"/stages/${$}default")}, "GET", api + "/stages/$default", allowed},
		{"the caller's name", []string{allow("*", "/apis", `{"StringEquals":{"aws:username":"ada"}}`)}, "GET", "/v2/apis", allowed},
		{"another caller's name", []string{allow("*", "/apis", `{"StringEquals":{"aws:username":"bob"}}`)}, "GET", "/v2/apis", not},
		{"the caller's ID", []string{allow("*", "/apis", `{"StringEquals":{"aws:userid":"ada"}}`)}, "GET", "/v2/apis", allowed},
		{"the caller's ARN", []string{allow("*", "/apis", `{"ArnEquals":{"aws:PrincipalArn":"`+ada+`"}}`)}, "GET", "/v2/apis", allowed},
		{"the caller's account", []string{allow("*", "/apis", `{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}`)}, "GET", "/v2/apis", allowed},
		{"the caller's type", []string{allow("*", "/apis", `{"StringEquals":{"aws:PrincipalType":"User"}}`)}, "GET", "/v2/apis", allowed},
		{"the region that is asked", []string{allow("*", "/apis", `{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`)}, "GET", "/v2/apis", allowed},
		{"without TLS", []string{anything, deny("*", "*", `{"Bool":{"aws:SecureTransport":"false"}}`)}, "GET", "/v2/apis", explicit},
		{"a policy variable", []string{allow("*", "/apis/*", `{"StringEquals":{"aws:username":"${aws:username}"}}`)}, "GET", api, allowed},
	} {
		g.may(t, tt.statements...)
		r := s.do(tt.method, tt.path, "")
		arn := arnPrefix + strings.ReplaceAll(strings.TrimPrefix(tt.path, "/v2"), "%24", "$")
		switch {
		case tt.want == allowed && r.status != 200:
			t.Errorf("%s: got %d %s, want it allowed", tt.name, r.status, r.body)
		case tt.want != allowed && (r.status != 403 || r.body != deniedBody(tt.method, arn, tt.want == explicit)):
			t.Errorf("%s: got %d %s, want it %s", tt.name, r.status, r.body, tt.want)
		}
	}
}

// The answer to a caller who may not is the same whether there is something or not,
// and to a letter what clients know.
func TestDenialHidesExistence(t *testing.T) {
	s, g := newGated(t)
	api := s.api("HTTP")
	for _, policies := range [][]string{
		{allow("apigateway:GET", "/vpclinks")},
		{anything, deny("*", "/tags/*"), deny("*", "/apis*")},
		{allow("*", "*", `{"StringEquals":{"aws:ResourceTag/team":"a"}}`)},
		{anything, deny("*", "*", `{"Null":{"aws:ResourceTag/team":"true"}}`)},
	} {
		g.may(t, policies...)
		_, explicit := strings.CutPrefix(policies[len(policies)-1], `{"Effect":"Deny"`)
		for _, path := range []string{"/v2/apis", api, "/v2/apis/zzzzzzzzzz", api + "/routes", api + "/routes/zzzzzzz", "/v2/apis/zzzzzzzzzz/routes/zzzzzzz", "/v2/apis/not%20an%20ID", api + "/stages/nope"} {
			arn, err := url.PathUnescape(arnPrefix + strings.TrimPrefix(path, "/v2"))
			if err != nil {
				t.Fatal(err)
			}
			s.denies(policies[0], "GET", path, "", deniedBody("GET", arn, explicit))
		}
		for _, apiID := range []string{strings.TrimPrefix(api, "/v2/apis/"), "zzzzzzzzzz"} {
			// What is sent is not looked at either, however bad it is.
			s.denies(policies[0], "PATCH", "/v2/apis/"+apiID, `{"name":`, deniedBody("PATCH", arnPrefix+"/apis/"+apiID, explicit))
			s.denies(policies[0], "PUT", "/v2/apis/"+apiID, `{"body":"{"}`, deniedBody("PUT", arnPrefix+"/apis/"+apiID, explicit))
			tagged := arnPrefix + "/apis/" + apiID
			s.denies(policies[0], "GET", "/v2/tags/"+url.QueryEscape(tagged), "", deniedBody("GET", arnPrefix+"/tags/"+url.QueryEscape(tagged), explicit))
		}
	}
	g.may(t, allow("apigateway:GET", "/vpclinks"))
	if r, want := s.do("GET", "/v2/apis", ""), `{"Message":"User: arn:aws:iam::123456789012:user/ada is not authorized to perform: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/apis"}`; r.body != want || r.header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
		t.Errorf("got %s %s, want %s", r.header.Get("x-amzn-ErrorType"), r.body, want)
	}
	// What is no operation is nobody's to allow.
	if r := s.do("GET", "/v2/nothing", ""); r.status != 404 {
		t.Errorf("no operation: got %d %s", r.status, r.body)
	}
}

// No spelling of a path or query gets around a deny: whatever means the same is
// denied, and whatever means something else is no call that succeeds.
func TestNoSpellingGetsAroundADeny(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	for _, op := range model.Operations {
		g.may(t, anything, deny("apigateway:"+op.Method, literal(e.arn(op))))
		want := deniedBody(op.Method, e.arn(op), true)
		_, body := e.request(op, escapeAll)
		query := sent[op.Name].query
		for _, form := range []func(string) string{asIs, escapeAll, escapeEvery, url.PathEscape} {
			path := e.about(op).fill(op.Path, form)
			s.denies(op.Name, op.Method, path+query, body, want)
			if !strings.Contains(op.Path, "{resource-arn}") { // where a slash is part of the ARN
				s.denies(op.Name, op.Method, path+"/"+query, body, want)
			}
			for _, more := range []string{"maxResults=1", "resourceOwnerAccountId=123456789012", "x=%2e%2e", "tagKeys=team", "%zz", ";"} {
				separator := "?"
				if query != "" {
					separator = "&"
				}
				s.denies(op.Name, op.Method, path+query+separator+more, body, want)
			}
			before := s.store.Last()
			for _, other := range []string{
				"/" + path, path + "//", path + "/.", path + "/%2e", path + "/%2F", path + "%00", path + "%20", path + ";", path + "/../" + path[strings.LastIndexByte(path, '/')+1:],
				strings.Replace(path, "/v2/", "/v2/./", 1), strings.Replace(path, "/v2/", "/V2/", 1), strings.Replace(path, "/v2/", "/v2//", 1), strings.Replace(path, "/v2/", "/%76%32/", 1),
				strings.Replace(path, "/v2/", "/v2%2F", 1), strings.ReplaceAll(path, "%", "%25") + "%", upperLast(path),
			} {
				if u, err := url.Parse("http://localhost" + other); err != nil || u.Host != "localhost" {
					continue // no request that a server passes on
				}
				if r := s.do(op.Method, other+query, body); r.status < 400 {
					t.Errorf("%s: %s %s: got %d %s, want it denied or unknown", op.Name, op.Method, other, r.status, r.body)
				}
			}
			if s.store.Last() != before {
				t.Errorf("%s: a spelling that is not denied has changed the store", op.Name)
			}
		}
	}
}

// upperLast writes the last segment of a path in capitals.
func upperLast(path string) string {
	i := strings.LastIndexByte(path, '/')
	if upper := path[:i] + strings.ToUpper(path[i:]); upper != path {
		return upper
	}
	return path + "/x"
}

// A resource has one ARN. One that names another partition or region is another
// resource, so that a policy about the one is all there is to say.
func TestTagsHaveOneARN(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	for _, tt := range []struct{ name, arn string }{
		{"API", arnPrefix + "/apis/{apiId}"},
		{"stage", arnPrefix + "/apis/{apiId}/stages/{stageName}"},
		{"domain name", arnPrefix + "/domainnames/{domainName}"},
		{"VPC link", arnPrefix + "/vpclinks/{vpcLinkId}"},
		{"portal", "arn:aws:apigateway:us-east-1:123456789012:/portals/{portalId}"},
		{"portal product", "arn:aws:apigateway:us-east-1:123456789012:/portalproducts/{portalProductId}"},
	} {
		arn := e.fill(tt.arn, asIs)
		g.may(t, anything, deny("*", literal(arnPrefix+"/tags/"+url.QueryEscape(arn))))
		for _, form := range []func(string) string{asIs, escapeAll, escapeEvery, url.PathEscape, url.QueryEscape} {
			s.denies(tt.name, "GET", "/v2/tags/"+form(arn), "", deniedBody("GET", arnPrefix+"/tags/"+url.QueryEscape(arn), true))
		}
		for _, other := range []string{
			strings.Replace(arn, ":aws:", ":aws-cn:", 1),
			strings.Replace(arn, ":aws:", "::", 1),
			strings.Replace(arn, ":us-east-1:", ":eu-west-1:", 1),
			strings.Replace(arn, ":us-east-1:", "::", 1),
			strings.Replace(arn, ":apigateway:", ":execute-api:", 1),
			strings.Replace(arn, "arn:", "ARN:", 1),
			strings.Replace(arn, ":/", ":", 1),
			strings.Replace(arn, ":/", "://", 1),
			arn + "/", arn + " ", arn + "%", arn + "\x00",
		} {
			var answers []string
			before, refused := s.store.Last(), true
			for _, call := range []struct{ method, query, body string }{{"GET", "", ""}, {"POST", "", `{"tags":{"owned":"by eve"}}`}, {"DELETE", "?tagKeys=team", ""}} {
				r := s.do(call.method, "/v2/tags/"+escapeAll(other)+call.query, call.body)
				answers = append(answers, fmt.Sprintf("%s %d %s", call.method, r.status, r.body))
				refused = refused && r.status >= 400
			}
			if !refused || s.store.Last() != before {
				t.Errorf("%s: tags of %q, which is not %s: got %s, want all refused", tt.name, other, arn, strings.Join(answers, ", "))
			}
		}
	}
}

// The owner that a query names is no way around what a policy says about tags: either
// the call is denied, or nothing is found, and nothing is changed.
func TestOwnerInTheQueryHidesNoTags(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	g.may(t, anything, deny("*", "*", `{"StringEquals":{"aws:ResourceTag/team":"a"}}`))
	for _, op := range model.Operations {
		if !strings.Contains(op.Path, "{") {
			continue
		}
		path, body := e.request(op, escapeAll)
		separator := "?"
		if sent[op.Name].query != "" {
			separator = "&"
		}
		before := s.store.Last()
		r := s.do(op.Method, path+separator+"resourceOwnerAccountId=999999999999", body)
		if r.status < 400 || s.store.Last() != before {
			t.Errorf("%s: got %d %s, want it denied or not found: the tags of what it is about deny it", op.Name, r.status, r.body)
		}
	}
}

func TestPolicyOnAddresses(t *testing.T) {
	s, g := newGated(t)
	g.may(t, anything, deny("*", "*", `{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/25","2001:db8::/32"]}}`))
	for _, tt := range []struct {
		from    string
		allowed bool
	}{
		{"192.0.2.1:1234", true},
		{"192.0.2.127:1", true},
		{"192.0.2.128:1", false},
		{"[2001:db8::1]:1234", true},
		{"[2001:db9::1]:1234", false},
		{"[::ffff:192.0.2.1]:1234", true},
		{"[2001:db8::1%eth0]:1", true},
		{"192.0.2.1", true},
		{"", false},
		{"@", false}, // of a socket that is a file
		{"192.0.2.1, 10.0.0.1:1", false},
	} {
		r := httptest.NewRequest("GET", "http://localhost/v2/apis", nil)
		r.RemoteAddr = tt.from
		r.Header.Set("X-Forwarded-For", "192.0.2.1") // what a client says of itself does not count
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		if want := map[bool]int{true: 200, false: 403}[tt.allowed]; w.Code != want {
			t.Errorf("from %q: got %d, want %d", tt.from, w.Code, want)
		}
	}
}

func TestPolicyOnTime(t *testing.T) {
	now := testTime
	s, g := newGated(t, func(o *Options) { o.Now = func() time.Time { return now } })
	limits := `{"DateGreaterThanEquals":{"aws:CurrentTime":"2025-01-02T03:04:00Z"},"DateLessThan":{"aws:CurrentTime":"2025-01-02T04:00:00Z"}}`
	epoch := `{"NumericGreaterThanEquals":{"aws:EpochTime":1735787040},"NumericLessThan":{"aws:EpochTime":1735790400}}`
	for _, condition := range []string{limits, epoch} {
		g.may(t, allow("*", "*", condition))
		for _, tt := range []struct {
			at   string
			want int
		}{
			{"2025-01-02T03:03:59Z", 403},
			{"2025-01-02T03:04:00Z", 200},
			{"2025-01-02T03:59:59.999Z", 200},
			{"2025-01-02T04:00:00Z", 403},
			{"2025-01-02T05:30:00+02:00", 200},
			{"2025-01-02T03:30:00+02:00", 403},
		} {
			at, err := time.Parse(time.RFC3339Nano, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			now = at
			if r := s.do("GET", "/v2/apis", ""); r.status != tt.want {
				t.Errorf("%s at %s: got %d %s, want %d", condition, tt.at, r.status, r.body, tt.want)
			}
		}
	}
}

// givingTags are the operations that give tags: where, and a body without them.
var givingTags = []struct{ name, method, path, body string }{
	{"API", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`},
	{"stage", "POST", "/v2/apis/{httpApi}/stages", `{"stageName":"s"}`},
	{"domain name", "POST", "/v2/domainnames", `{"domainName":"d.example.com","domainNameConfigurations":[{"certificateArn":"` + certificate + `"}]}`},
	{"VPC link", "POST", "/v2/vpclinks", `{"name":"new","subnetIds":["s"]}`},
	{"portal", "POST", "/v2/portals", minimalPortal},
	{"portal product", "POST", "/v2/portalproducts", `{"displayName":"new"}`},
	{"tags", "POST", "/v2/tags/{resource-arn}", `{}`},
}

// What a policy says about the tags of a request is about those that are stored, by
// the names that members really have.
func TestPolicyOnRequestTags(t *testing.T) {
	for _, of := range givingTags {
		s, g := newGated(t)
		e := newEstate(s)
		path, body := e.fill(of.path, escapeAll), strings.TrimSuffix(of.body, "}")
		comma := ","
		if body == "{" {
			comma = ""
		}
		for _, tt := range []struct {
			name, tags string // as they stand in the body
			allowed    bool
		}{
			{"none", ``, false},
			{"empty", comma + `"tags":{}`, false},
			{"null", comma + `"tags":null`, false},
			{"a null value", comma + `"tags":{"env":null}`, false},
			{"another value", comma + `"tags":{"env":"prod"}`, false},
			{"the value in other letters", comma + `"tags":{"env":"TEST"}`, false},
			{"another key", comma + `"tags":{"environment":"test"}`, false},
			{"the member in capitals", comma + `"TAGS":{"env":"test"}`, false},
			{"the member with a capital", comma + `"Tags":{"env":"test"}`, false},
			{"both members", comma + `"tags":{"env":"prod"},"Tags":{"env":"test"}`, false},
			{"both members, the other way round", comma + `"TAGS":{"env":"test"},"tags":{"env":"prod"}`, false},
			{"twice, the last one is another", comma + `"tags":{"env":"test"},"tags":{"env":"prod"}`, false},
			{"twice inside, the last one is another", comma + `"tags":{"env":"test","env":"prod"}`, false},
			{"two that differ in case", comma + `"tags":{"env":"test","ENV":"prod"}`, false},
			{"inside something else", comma + `"x":{"tags":{"env":"test"}}`, false},
			{"a wrong type", comma + `"tags":{"env":"test","x":1}`, false},
			{"cut off", comma + `"tags":{"env":"test"`, false},
			{"as asked", comma + `"tags":{"env":"test","more":"x"}`, true},
			{"escaped", comma + `"\u0074ags":{"\u0065nv":"te\u0073t"}`, true},
		} {
			sent := body + tt.tags + "}"
			for _, p := range []struct {
				name       string
				statements []string
			}{
				{"allowed", []string{allow("*", "*", `{"StringEquals":{"aws:RequestTag/env":"test"}}`)}},
				{"else denied", []string{anything, deny("*", "*", `{"StringNotEquals":{"aws:RequestTag/env":"test"}}`)}},
			} {
				g.may(t, p.statements...)
				before := s.store.Last()
				r := s.do("POST", path, sent)
				if tt.allowed {
					if r.status != 201 {
						t.Errorf("%s, %s, %s: %s: got %d %s, want it allowed", of.name, tt.name, p.name, sent, r.status, r.body)
					}
					g.may(t)
					s.takeDown(path, r)
					continue
				}
				if r.status != 403 || s.store.Last() != before {
					t.Errorf("%s, %s, %s: %s: got %d %s, want it denied", of.name, tt.name, p.name, sent, r.status, r.body)
				}
			}
		}
	}
}

// takeDown deletes what was made under a path, so that it can be made again.
func (t *tester) takeDown(path string, made reply) {
	t.Helper()
	if made.status != 201 {
		return
	}
	members := decodeText(made.body)
	for _, name := range []string{"stageName", "domainName", "apiId", "vpcLinkId", "portalId", "portalProductId"} {
		if members[name] != nil {
			if r := t.do("DELETE", path+"/"+id(members, name), ""); r.status >= 400 {
				t.Errorf("take down: %d %s", r.status, r.body)
			}
			return
		}
	}
}

// An API that a document describes has the tags of the document, which is what a
// policy about the tags of a request is about.
func TestPolicyOnTagsOfADocument(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	document := func(tags string) string {
		return `{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{}` + tags + `}`
	}
	yaml := func(tags string) string {
		return "openapi: 3.0.1\ninfo: {title: t, version: 1}\npaths: {}\n" + tags
	}
	for _, tt := range []struct {
		name, body string
		allowed    bool
	}{
		{"JSON", documentBody(document(`,"tags":[{"name":"env","x-amazon-apigateway-tag-value":"test"}]`)), true},
		{"YAML", documentBody(yaml("tags: [{name: env, x-amazon-apigateway-tag-value: test}]")), true},
		{"an alias", documentBody(yaml("x-t: &t [{name: env, x-amazon-apigateway-tag-value: test}]\ntags: *t")), true},
		{"without tags", documentBody(document(``)), false},
		{"another value", documentBody(document(`,"tags":[{"name":"env","x-amazon-apigateway-tag-value":"prod"}]`)), false},
		{"twice, the last one is another", documentBody(document(`,"tags":[{"name":"env","x-amazon-apigateway-tag-value":"test"},{"name":"env","x-amazon-apigateway-tag-value":"prod"}]`)), false},
		{"without a value", documentBody(document(`,"tags":[{"name":"env"}]`)), false},
		{"the value in a description", documentBody(document(`,"tags":[{"name":"env","description":"test"}]`)), false},
		{"of an operation", documentBody(`{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"tags":["env"]}}}}`), false},
		{"beside the document", with(documentBody(document(``)), `{"tags":{"env":"test"}}`), false},
		{"not a document", documentBody(`{`), false},
		{"not JSON", `{"body":`, false},
		{"no body", ``, false},
	} {
		for _, path := range []string{"/v2/apis", "/v2/apis/" + e.labels["httpApi"]} {
			g.may(t, allow("*", "*", `{"StringEquals":{"aws:RequestTag/env":"test"}}`))
			before := s.store.Last()
			r := s.do("PUT", path, tt.body)
			if want := map[bool]int{true: 201, false: 403}[tt.allowed]; r.status != want || !tt.allowed && s.store.Last() != before {
				t.Errorf("%s: PUT %s %s: got %d %s, want %d", tt.name, path, tt.body, r.status, r.body, want)
			}
		}
	}

	// Variables are filled in before tags are stored, so also before they are judged.
	for _, tt := range []struct{ name, tag string }{
		{"in a value", `{"name":"where","x-amazon-apigateway-tag-value":"${AWS::Region}"}`},
		{"in a name", `{"name":"${AWS::Region}","x-amazon-apigateway-tag-value":"x"}`},
	} {
		g.may(t, anything,
			deny("*", "*", `{"StringEquals":{"aws:RequestTag/where":"us-east-1"}}`),
			deny("*", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"us-east-1"}}`))
		before := s.store.Last()
		if r := s.do("PUT", "/v2/apis", documentBody(document(`,"tags":[`+tt.tag+`]`))); r.status != 403 || s.store.Last() != before {
			t.Errorf("a variable %s: got %d %s, want it denied: that is the tag the API would get", tt.name, r.status, r.body)
		}
	}
}

func TestPolicyOnTagKeys(t *testing.T) {
	s, g := newGated(t)
	e := newEstate(s)
	path := "/v2/tags/" + escapeAll(e.labels["resource-arn"])
	only := func(keys string) string { return `{"ForAllValues:StringEquals":{"aws:TagKeys":` + keys + `}}` }
	for _, tt := range []struct {
		name       string
		statements []string
		method     string
		query      string
		body       string
		want       int
	}{
		{"untag a key", []string{allow("*", "*", only(`["a","b"]`))}, "DELETE", "?tagKeys=a", "", 204},
		{"untag two keys", []string{allow("*", "*", only(`["a","b"]`))}, "DELETE", "?tagKeys=a&tagKeys=b", "", 204},
		{"untag another key, too", []string{allow("*", "*", only(`["a","b"]`))}, "DELETE", "?tagKeys=a&tagKeys=c", "", 403},
		{"untag the key in other letters", []string{allow("*", "*", only(`["a","b"]`))}, "DELETE", "?tagKeys=A", "", 403},
		{"untag a denied key", []string{anything, deny("*", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`)}, "DELETE", "?tagKeys=a&tagKeys=team", "", 403},
		{"untag a denied key, escaped", []string{anything, deny("*", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`)}, "DELETE", "?%74agKeys=%74eam", "", 403},
		{"untag what begins like it", []string{anything, deny("*", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`)}, "DELETE", "?tagKeys=teams", "", 204},
		{"untag with the keys in the body", []string{anything, deny("*", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`)}, "DELETE", "?tagKeys=a", `{"tagKeys":["team"]}`, 204},
		{"tag with a key", []string{allow("*", "*", only(`["a"]`))}, "POST", "", `{"tags":{"a":"1"}}`, 201},
		{"tag with another key, too", []string{allow("*", "*", only(`["a"]`))}, "POST", "", `{"tags":{"a":"1","b":"2"}}`, 403},
		{"a single value where there are two", []string{allow("*", "*", `{"StringEquals":{"aws:TagKeys":"a"}}`)}, "POST", "", `{"tags":{"a":"1","b":"2"}}`, 403},
		{"denied by a single value where there are two", []string{anything, deny("*", "*", `{"StringEquals":{"aws:TagKeys":"c"}}`)}, "POST", "", `{"tags":{"a":"1","b":"2"}}`, 403},
		{"untag, by what tags are given", []string{allow("*", "*", `{"Null":{"aws:RequestTag/a":"false"}}`)}, "DELETE", "?tagKeys=a", "", 403},
	} {
		g.may(t, tt.statements...)
		before := s.store.Last()
		r := s.do(tt.method, path+tt.query, tt.body)
		if r.status != tt.want || tt.want == 403 && s.store.Last() != before {
			t.Errorf("%s: got %d %s, want %d", tt.name, r.status, r.body, tt.want)
		}
		if g.may(t); !strings.Contains(s.do("GET", path, "").body, `"team":"a"`) {
			t.Fatalf("%s: the tag that must stay is gone", tt.name)
		}
	}
}

// The tags of a resource are also those of what is under it, and are asked for
// wherever a path or the ARN in a path leads to it.
func TestPolicyOnResourceTags(t *testing.T) {
	for _, op := range model.Operations {
		s, g := newGated(t)
		e := newEstate(s)
		path, body := e.request(op, escapeAll)
		about := strings.Contains(op.Path, "{")
		const condition = `{"StringEquals":{"aws:ResourceTag/team":"a"}}`

		g.may(t, anything, deny("*", "*", condition))
		if about {
			s.denies(op.Name+" denied by tag", op.Method, path, body, deniedBody(op.Method, e.arn(op), true))
		} else if r := s.do(op.Method, path, body); r.status != op.Status {
			t.Errorf("%s: got %d %s: is about nothing that has tags", op.Name, r.status, r.body)
		}
		g.may(t, allow("*", "*", condition))
		if !about {
			s.denies(op.Name+" not allowed by tag", op.Method, path, body, deniedBody(op.Method, e.arn(op), false))
		} else if r := s.do(op.Method, path, body); r.status != op.Status {
			t.Errorf("%s: got %d %s: is about something with the tag", op.Name, r.status, r.body)
		}
	}
}

func TestPolicyOnTagsOfStages(t *testing.T) {
	s, g := newGated(t)
	api := s.api("HTTP")
	apiARN := arnPrefix + strings.TrimPrefix(api, "/v2")
	s.route(api, "GET /a", "")
	tag := func(arn, tags string) { s.call(201, "POST", "/v2/tags/"+escapeAll(arn), `{"tags":`+tags+`}`) }
	s.call(201, "POST", api+"/stages", `{"stageName":"$default","tags":{"kind":"stage","both":"stage"}}`)
	s.call(201, "POST", api+"/stages", `{"stageName":"other"}`)
	tag(apiARN, `{"team":"a","both":"api"}`)
	stage, stageTags := api+"/stages/%24default", "/v2/tags/"+escapeAll(apiARN+"/stages/$default")
	for _, tt := range []struct {
		name, key, value string
		path             string
		want             int
	}{
		{"its own", "kind", "stage", stage, 200},
		{"its API's", "team", "a", stage, 200},
		{"its own, by ARN", "kind", "stage", stageTags, 200},
		{"its API's, by ARN", "team", "a", stageTags, 200},
		{"its API's, of a stage without tags", "team", "a", api + "/stages/other", 200},
		{"another stage's", "kind", "stage", api + "/stages/other", 403},
		{"its stage's, for the API", "kind", "stage", api, 403},
		{"its stage's, for the list", "kind", "stage", api + "/stages", 403},
		{"its stage's, for the API by ARN", "kind", "stage", "/v2/tags/" + escapeAll(apiARN), 403},
		{"the key in other letters", "TEAM", "a", stage, 200},
		{"the value in other letters", "team", "A", stage, 403},
		{"another spelling of the path", "kind", "stage", api + "/stages/$default/", 200},
	} {
		g.may(t, allow("*", "*", `{"StringEquals":{"aws:ResourceTag/`+tt.key+`":"`+tt.value+`"}}`))
		if r := s.do("GET", tt.path, ""); r.status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, r.status, r.body, tt.want)
		}
	}
	// Where both have the tag with different values, a deny of either holds: else
	// whoever may tag the stage could lift what is said about the API.
	for _, value := range []string{"api", "stage"} {
		g.may(t, anything, deny("*", "*", `{"StringEquals":{"aws:ResourceTag/both":"`+value+`"}}`))
		if r := s.do("GET", stage, ""); r.status != 403 {
			t.Errorf("a deny of the tag both=%s: got %d, want 403", value, r.status)
		}
	}
}

// What a policy says of the tags that a resource has now holds from the next call on.
func TestPolicyOnTagsThatChange(t *testing.T) {
	s, g := newGated(t)
	api := s.api("HTTP")
	arn := arnPrefix + strings.TrimPrefix(api, "/v2")
	owned := allow("apigateway:*", "/apis/*", `{"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"}}`)
	g.may(t, owned)
	s.denies("without a tag", "GET", api, "", deniedBody("GET", arn, false))
	for _, owner := range []string{"ada", "bob", "ada"} {
		g.may(t)
		s.call(201, "POST", "/v2/tags/"+escapeAll(arn), `{"tags":{"owner":"`+owner+`"}}`)
		g.may(t, owned)
		if r := s.do("PATCH", api, `{"description":"`+owner+`"}`); (r.status == 200) != (owner == "ada") {
			t.Errorf("owned by %s: got %d %s", owner, r.status, r.body)
		}
	}
	g.Name = ""
	s.denies("a caller without a name", "GET", api, "", deniedBody("GET", arn, false))
}

// A policy is asked before the input is checked, and its conditions are asked of what
// could be read: nothing of a call that is denied shows.
func TestDenialComesBeforeValidation(t *testing.T) {
	s, g := newGated(t)
	g.may(t, allow("apigateway:GET", "/apis"))
	for _, body := range []string{``, `{`, `{"name":1}`, `{"name":""}`, strings.Repeat(`{"a":`, 100), `"` + "\xff" + `"`} {
		s.denies("create", "POST", "/v2/apis", body, deniedBody("POST", arnPrefix+"/apis", false))
		s.denies("import", "PUT", "/v2/apis", body, deniedBody("PUT", arnPrefix+"/apis", false))
	}
	s.denies("list with bad parameters", "GET", "/v2/domainnames?maxResults=x&nextToken=y", "", deniedBody("GET", arnPrefix+"/domainnames", false))
}

// Who may call what is decided for each caller by their own policy, also when they call
// at the same time.
func TestPoliciesOfSeveralCallers(t *testing.T) {
	callers := map[string]Principal{}
	s := newTester(t, func(o *Options) {
		o.Authenticator = authenticator(func(r *http.Request, _ []byte) (Principal, error) { return callers[r.Header.Get("Caller")], nil })
	})
	g := &gate{}
	g.may(t, allow("*", "/apis", `{"StringEquals":{"aws:username":"reader"}}`))
	callers["root"] = Principal{Name: "root", ARN: "arn:aws:iam::123456789012:root"}
	callers["reader"] = Principal{Name: "reader", ARN: "arn:aws:iam::123456789012:user/reader", Policy: g.Policy}
	callers["stranger"] = Principal{Name: "stranger", ARN: "arn:aws:iam::123456789012:user/stranger", Policy: g.Policy}
	callers["nobody"] = Principal{Name: "nobody", ARN: "arn:aws:iam::123456789012:user/nobody", Policy: new(policy.Document)}
	names := slices.Sorted(maps.Keys(callers))
	each(func(i int) {
		name := names[i%len(names)]
		r := httptest.NewRequestWithContext(context.Background(), "GET", "http://localhost/v2/apis", nil)
		r.Header.Set("Caller", name)
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		if (w.Code == 200) != (name == "root" || name == "reader") || w.Code == 403 && !strings.Contains(w.Body.String(), "User: "+callers[name].ARN+" is not") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	})
}
