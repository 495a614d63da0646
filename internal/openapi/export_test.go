package openapi

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/model"
)

const endpoint = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"

// sample is an API that has something of everything.
func sample() (*model.API, *model.Resources) {
	api := &model.API{
		Name:                      new("pets & <toys>"),
		Description:               new("All about pets"),
		CreatedDate:               new(time.Date(2020, 9, 7, 9, 13, 2, 7, time.FixedZone("", 7200))),
		DisableExecuteAPIEndpoint: new(true),
		Tags:                      map[string]string{"owner": "me", "b": "", "a": "1.0"},
		CorsConfiguration: &model.Cors{
			AllowMethods: []string{"GET"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"x-a"},
			AllowOrigins: []string{"*"}, MaxAge: new(0), AllowCredentials: new(false),
		},
	}
	r := &model.Resources{
		Authorizers: map[string]*model.Authorizer{
			"a1": {AuthorizerID: new("a1"), Name: new("users"), AuthorizerType: new("JWT"), IdentitySource: []string{"$request.header.authorization"},
				JWTConfiguration: &model.JWTConfiguration{Audience: []string{"a"}, Issuer: new("https://i")}},
			"a2": {AuthorizerID: new("a2"), Name: new("keys"), AuthorizerType: new("REQUEST"), AuthorizerURI: new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:auth/invocations"),
				AuthorizerCredentialsARN: new("arn:aws:iam::123456789012:role/r"), AuthorizerPayloadFormatVersion: new("2.0"), AuthorizerResultTTLInSeconds: new(300),
				EnableSimpleResponses: new(true), IdentitySource: []string{"$request.querystring.k", "$request.header.X-Key"}, IdentityValidationExpression: new("x")},
			"a3": {AuthorizerID: new("a3"), Name: new("sigv4Reference"), AuthorizerType: new("REQUEST"), AuthorizerURI: new("u"), AuthorizerPayloadFormatVersion: new("1.0"),
				AuthorizerResultTTLInSeconds: new(0), IdentitySource: []string{}},
		},
		Integrations: map[string]*model.Integration{
			"i1": {IntegrationID: new("i1"), Description: new("not exported"), IntegrationType: new("AWS_PROXY"), IntegrationMethod: new("POST"), ConnectionType: new("INTERNET"),
				IntegrationURI: new("arn:aws:lambda:us-east-1:123456789012:function:f"), PayloadFormatVersion: new("2.0"), TimeoutInMillis: new(30000)},
			"i2": {IntegrationID: new("i2"), IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("ANY"), ConnectionType: new("VPC_LINK"), ConnectionID: new("vpc1"),
				IntegrationURI: new("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/a/1/2"), PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(5000),
				RequestParameters:  map[string]string{"overwrite:path": "$request.path.proxy", "append:header.a": "b"},
				ResponseParameters: map[string]map[string]string{"404": {"overwrite:statuscode": "200"}, "200": {"remove:header.z": "''", "append:header.y": "x"}},
				TLSConfig:          &model.TLSConfig{ServerNameToVerify: new("s")}},
			"i3": {IntegrationID: new("i3"), IntegrationType: new("AWS_PROXY"), IntegrationSubtype: new("SQS-SendMessage"), CredentialsARN: new("arn:aws:iam::123456789012:role/q"), ConnectionType: new("INTERNET"),
				PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(30000), RequestParameters: map[string]string{"QueueUrl": "q", "MessageBody": "$request.body"}},
			"i4": {IntegrationID: new("i4"), IntegrationType: new("HTTP_PROXY"), IntegrationMethod: new("GET"), ConnectionType: new("INTERNET"), IntegrationURI: new("https://unused"), PayloadFormatVersion: new("1.0")},
		},
		Routes: map[string]*model.Route{
			"r1": {RouteKey: new("$default"), AuthorizationType: new("NONE"), Target: new("integrations/i1")},
			"r2": {RouteKey: new("GET /pets/{id}"), AuthorizationType: new("JWT"), AuthorizerID: new("a1"), AuthorizationScopes: []string{"read", "write"}, OperationName: new("Get a pet"), Target: new("integrations/i1")},
			"r3": {RouteKey: new("ANY /pets/{id}"), AuthorizationType: new("CUSTOM"), AuthorizerID: new("a2"), Target: new("integrations/i1")},
			"r4": {RouteKey: new("DELETE /pets/{id}"), AuthorizationType: new("AWS_IAM"), Target: new("integrations/i1")},
			"r5": {RouteKey: new("ANY /files/{dir}/{proxy+}"), AuthorizationType: new("NONE"), Target: new("integrations/i2")},
			"r6": {RouteKey: new("POST /messages"), AuthorizationType: new("JWT"), AuthorizerID: new("a1"), Target: new("integrations/i3")},
			"r7": {RouteKey: new("OPTIONS /"), AuthorizationType: new("NONE")},
			"r8": {RouteKey: new("HEAD /"), AuthorizationType: new("CUSTOM"), AuthorizerID: new("a3")},
		},
	}
	return api, r
}

func TestExport(t *testing.T) {
	t.Parallel()
	api, r := sample()
	for _, tt := range []struct {
		file    string
		options ExportOptions
	}{
		{"export.json.golden", ExportOptions{Extensions: true, Endpoint: endpoint}},
		{"export.yaml.golden", ExportOptions{Extensions: true, Endpoint: endpoint, YAML: true, Stage: "dev"}},
		{"export-plain.json.golden", ExportOptions{Endpoint: endpoint, Stage: "$default"}},
	} {
		document, err := Export(api, r, tt.options)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		golden(t, tt.file, document)
	}
}

// An API that has next to nothing has a document too.
func TestExportEmpty(t *testing.T) {
	t.Parallel()
	want := `{
  "openapi": "3.0.1",
  "info": {
    "title": "t",
    "version": "7"
  },
  "servers": [
    {
      "url": "https://e/{basePath}",
      "variables": {
        "basePath": {
          "default": ""
        }
      }
    }
  ],
  "paths": {},
  "x-amazon-apigateway-importexport-version": "1.0"
}
`
	got, err := Export(&model.API{Name: new("t"), Version: new("7"), Description: new(""), Tags: map[string]string{}, DisableExecuteAPIEndpoint: new(false)}, &model.Resources{}, ExportOptions{Extensions: true, Endpoint: "https://e"})
	if err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(r *model.Resources)
		want   string
	}{
		{"JWT authorizer that is gone", func(r *model.Resources) { delete(r.Authorizers, "a1"); delete(r.Routes, "r6") }, "export API: route GET /pets/{id}: the authorizer a1 that JWT asks for is gone"},
		{"Lambda authorizer that is gone", func(r *model.Resources) { delete(r.Authorizers, "a2") }, "export API: route ANY /pets/{id}: the authorizer a2 that CUSTOM asks for is gone"},
		{"no authorizer", func(r *model.Resources) { r.Routes["r8"].AuthorizerID = nil }, "export API: route HEAD /: the authorizer  that CUSTOM asks for is gone"},
		{"authorizer of another type", func(r *model.Resources) { r.Routes["r8"].AuthorizerID = new("a1") }, "export API: route HEAD /: the authorizer a1 that CUSTOM asks for is gone"},
		{"unknown authorization", func(r *model.Resources) { r.Routes["r7"].AuthorizationType = new("X") }, "export API: route OPTIONS /: a document has no authorization of type X"},
		{"integration that is gone", func(r *model.Resources) { delete(r.Integrations, "i2") }, "export API: route ANY /files/{dir}/{proxy+}: the integration i2 is gone"},
		{"path of the default route", func(r *model.Resources) { r.Routes["r7"].RouteKey = new("GET /$default") }, "export API: route GET /$default: in a document its path is that of the default route"},
		{"method", func(r *model.Resources) { r.Routes["r7"].RouteKey = new("TRACE /") }, "export API: route TRACE /: a document has no such method"},
		{"two routes with one key", func(r *model.Resources) { r.Routes["r7"].RouteKey = new("HEAD /") }, "export API: route HEAD /: there are two"},
		{"two authorizers with one name", func(r *model.Resources) { r.Authorizers["a2"].Name = new("users") }, `export API: authorizer a2: its name "users" is not that of one scheme`},
		{"authorizer without a name", func(r *model.Resources) { r.Authorizers["a2"].Name = nil }, `export API: authorizer a2: its name "" is not that of one scheme`},
	} {
		for _, extensions := range []bool{true, false} {
			api, r := sample()
			tt.change(r)
			document, err := Export(api, r, ExportOptions{Extensions: extensions})
			if err == nil || err.Error() != tt.want || document != nil {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
		}
	}
}

// build makes an API of a description, as the control plane does: of two routes
// with one key the first, and no route that a document cannot say.
func build(d *Description) (*model.API, *model.Resources) {
	r := &model.Resources{Authorizers: map[string]*model.Authorizer{}, Integrations: map[string]*model.Integration{}, Routes: map[string]*model.Route{}}
	ids := map[string]string{}
	for i, a := range d.Authorizers {
		id := fmt.Sprint("a", i)
		a.AuthorizerID = &id
		r.Authorizers[id], ids[*a.Name] = &a.Authorizer, id
	}
	for i, in := range d.Integrations {
		r.Integrations[fmt.Sprint("i", i)] = &in.Integration
	}
	seen := map[string]bool{}
	for i, route := range d.Routes {
		if key := *route.RouteKey; seen[key] || strings.HasSuffix(key, " /$default") {
			continue
		}
		seen[*route.RouteKey] = true
		if route.Integration >= 0 {
			route.Target = new(fmt.Sprint("integrations/i", route.Integration))
		}
		if route.Authorizer != "" {
			route.AuthorizerID = new(ids[route.Authorizer])
		}
		r.Routes[fmt.Sprint("r", i)] = &route.Route
	}
	return &d.API, r
}

// canonical writes what a document keeps of an API: what is equal after a round
// trip, with the defaults that the control plane fills in.
func canonical(api *model.API, r *model.Resources) string {
	var lines []string
	a := model.API{Name: api.Name, Version: api.Version, CorsConfiguration: api.CorsConfiguration}
	if val(a.Version) == "" && api.CreatedDate != nil {
		a.Version = new(api.CreatedDate.UTC().Format(time.RFC3339))
	}
	if val(api.Description) != "" {
		a.Description = api.Description
	}
	if len(api.Tags) > 0 {
		a.Tags = api.Tags
	}
	if val(api.DisableExecuteAPIEndpoint) {
		a.DisableExecuteAPIEndpoint = new(true)
	}
	lines = append(lines, "API "+mustJSON(a))
	names := map[string]string{}
	for id, authorizer := range r.Authorizers {
		c := *authorizer
		names[id] = *c.Name
		c.AuthorizerID, c.IdentityValidationExpression = nil, nil
		lines = append(lines, "authorizer "+mustJSON(c))
	}
	for _, route := range r.Routes {
		c := *route
		c.RouteID, c.Target, c.AuthorizerID = nil, nil, nil
		if len(c.AuthorizationScopes) == 0 {
			c.AuthorizationScopes = nil
		}
		line := "route " + mustJSON(c) + " " + names[val(route.AuthorizerID)]
		if route.Target != nil {
			i := *r.Integrations[strings.TrimPrefix(*route.Target, "integrations/")]
			i.IntegrationID, i.Description = nil, nil
			if i.TimeoutInMillis == nil {
				i.TimeoutInMillis = new(defaultTimeout)
			}
			line += " " + mustJSON(i)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A maker makes random APIs.
type maker struct{ *rand.Rand }

// hard are texts that formats take for something else if they are not careful.
var hard = []string{
	"yes", "on", "null", "~", "true", "1", "1.0", "0x1F", "1_000", "1e3", ".5", "2020-09-07", "2020-09-07T07:13:02Z", "<<", "=", "!!str", "!Sub a",
	"a: b", "a #b", "#", "- a", "? a", "&a", "*a", "|", ">", "%", "@", "`", "{", "}", "[a]", "\"", "'", "\\", "\\n", "a\nb", "\n", "a\r\nb", "\ta", " a ", "a  ",
	"<a>&", "\u2028\u2029", "\u0085", "\x01\x7f", "\uFEFFa", "é", "日本", "😀", "$a", "${stageVariables.a}", "a,b", ", ", "...", "---", "%YAML", strings.Repeat("long ", 60),
}

func (m maker) maybe() bool { return m.IntN(2) == 0 }

func (m maker) text() string {
	if m.IntN(3) == 0 {
		return hard[m.IntN(len(hard))]
	}
	return fmt.Sprintf("t%d", m.IntN(1000))
}

func (m maker) short(most int) string {
	for {
		if s := m.text(); len(s) <= most {
			return s
		}
	}
}

func (m maker) texts() []string {
	list := make([]string, m.IntN(3))
	for i := range list {
		list[i] = m.text()
	}
	return list
}

func maybe[T any](m maker, v T) *T {
	if m.maybe() {
		return &v
	}
	return nil
}

func (m maker) cors() *model.Cors {
	c := &model.Cors{MaxAge: maybe(m, m.IntN(100)-1), AllowCredentials: maybe(m, m.maybe()), AllowOrigins: []string{"*"}}
	for _, list := range []*[]string{&c.AllowHeaders, &c.AllowMethods, &c.ExposeHeaders} {
		if m.maybe() {
			*list = m.texts()
		}
	}
	return c
}

func (m maker) authorizer(name string) *model.Authorizer {
	if m.maybe() {
		return &model.Authorizer{Name: &name, AuthorizerType: new("JWT"), IdentitySource: []string{"$request.header.Authorization"},
			JWTConfiguration: &model.JWTConfiguration{Audience: m.texts(), Issuer: new("https://" + m.text())}}
	}
	a := &model.Authorizer{Name: &name, AuthorizerType: new("REQUEST"), AuthorizerURI: new(m.text()), AuthorizerPayloadFormatVersion: new("2.0"),
		AuthorizerCredentialsARN: maybe(m, m.text()), AuthorizerResultTTLInSeconds: new(m.IntN(3601)), EnableSimpleResponses: maybe(m, m.maybe()),
		IdentityValidationExpression: maybe(m, m.text())}
	if m.maybe() {
		a.IdentitySource = []string{}
		for range m.IntN(4) {
			a.IdentitySource = append(a.IdentitySource, []string{"$request.header.X-A", "$request.querystring." + m.text(), "$context.routeKey", "$stageVariables.x"}[m.IntN(4)])
		}
	}
	return a
}

func (m maker) mapping() map[string]string {
	mapping := map[string]string{}
	for range 1 + m.IntN(3) {
		mapping[[]string{"overwrite:path", "append:header." + m.text(), "remove:querystring.x"}[m.IntN(3)]] = m.text()
	}
	return mapping
}

func (m maker) integration() *model.Integration {
	i := &model.Integration{IntegrationType: new([]string{"AWS_PROXY", "HTTP_PROXY"}[m.IntN(2)]), IntegrationURI: new(m.text()), PayloadFormatVersion: new([]string{"1.0", "2.0"}[m.IntN(2)]),
		ConnectionType: new("INTERNET"), IntegrationMethod: maybe(m, "POST"), TimeoutInMillis: new([]int{50, 29000, 30000}[m.IntN(3)]), Description: maybe(m, m.text()),
		CredentialsARN: maybe(m, m.text()), IntegrationSubtype: maybe(m, "SQS-SendMessage")}
	if m.maybe() {
		i.ConnectionType, i.ConnectionID = new("VPC_LINK"), new(m.text())
		i.TLSConfig = &model.TLSConfig{ServerNameToVerify: new(m.text())}
	}
	if m.maybe() {
		i.RequestParameters = m.mapping()
		i.ResponseParameters = map[string]map[string]string{"200": m.mapping(), "404": m.mapping()}
	}
	return i
}

func (m maker) route(r *model.Resources) *model.Route {
	route := &model.Route{AuthorizationType: new("NONE"), OperationName: maybe(m, m.short(64))}
	if m.maybe() {
		route.AuthorizationType = new("AWS_IAM")
	}
	if len(r.Authorizers) > 0 && m.maybe() {
		id := slices.Sorted(maps.Keys(r.Authorizers))[m.IntN(len(r.Authorizers))]
		route.AuthorizerID = &id
		route.AuthorizationType = new(authorizationTypes[*r.Authorizers[id].AuthorizerType])
		if *route.AuthorizationType == "JWT" && m.maybe() {
			route.AuthorizationScopes = m.texts()
		}
	}
	if len(r.Integrations) > 0 && m.IntN(4) > 0 {
		route.Target = new("integrations/" + slices.Sorted(maps.Keys(r.Integrations))[m.IntN(len(r.Integrations))])
	}
	return route
}

func (m maker) api() (*model.API, *model.Resources) {
	api := &model.API{Name: new(m.short(128)), Description: maybe(m, m.text()), Version: maybe(m, m.short(64)), CreatedDate: new(time.Unix(1_600_000_000+m.Int64N(1000), 0)), DisableExecuteAPIEndpoint: new(m.maybe())}
	if m.maybe() {
		api.Tags = map[string]string{}
		for range m.IntN(4) {
			api.Tags[m.text()] = m.text()
		}
	}
	if m.maybe() {
		api.CorsConfiguration = m.cors()
	}
	r := &model.Resources{Authorizers: map[string]*model.Authorizer{}, Integrations: map[string]*model.Integration{}, Routes: map[string]*model.Route{}}
	for i := range m.IntN(4) {
		name := []string{m.text(), "sigv4Reference", "sigv4Reference1", "NONE"}[m.IntN(4)]
		if !slices.ContainsFunc(slices.Collect(maps.Values(r.Authorizers)), func(a *model.Authorizer) bool { return *a.Name == name }) {
			r.Authorizers[fmt.Sprint("a", i)] = m.authorizer(name)
		}
	}
	for i := range m.IntN(5) {
		r.Integrations[fmt.Sprint("i", i)] = m.integration()
	}
	keys := map[string]bool{}
	for range m.IntN(12) {
		method := []string{"ANY", "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"}[m.IntN(8)]
		keys[method+[]string{" /", " /a", " /a/{id}", " /a/{id}/{proxy+}", " /~!$&'()*+,;=:@%20", " /" + strings.Repeat("x", 200)}[m.IntN(6)]] = true
	}
	if m.maybe() {
		keys["$default"] = true
	}
	for i, key := range slices.Sorted(maps.Keys(keys)) {
		route := m.route(r)
		route.RouteKey = &key
		r.Routes[fmt.Sprint("r", i)] = route
	}
	return api, r
}

// What is exported is imported as the API it was, and is exported as it was; JSON
// and YAML say the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		m := maker{rand.New(rand.NewPCG(seed, 0))}
		api, r := m.api()
		o := ExportOptions{Extensions: true, Endpoint: endpoint, Stage: []string{"", "$default", "dev"}[m.IntN(3)]}
		var printed [2]string
		for i := range printed {
			o.YAML = i == 1
			first, err := Export(api, r, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			d, err := Import(string(first), testOptions)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, first)
			}
			if len(d.Warnings)+len(d.Info) > 0 {
				t.Fatalf("seed %d: %q %q\n%s", seed, d.Warnings, d.Info, first)
			}
			printed[i] = d.print()
			api2, r2 := build(d)
			if got, want := canonical(api2, r2), canonical(api, r); got != want {
				t.Fatalf("seed %d: got\n%s\nwant\n%s\nfrom\n%s", seed, got, want, first)
			}
			second, err := Export(api2, r2, o)
			if err != nil || string(second) != string(first) {
				t.Fatalf("seed %d: %v: got\n%s\nwant\n%s", seed, err, second, first)
			}
		}
		if printed[0] != printed[1] {
			t.Fatalf("seed %d: JSON says\n%s\nYAML says\n%s", seed, printed[0], printed[1])
		}
	}
}
