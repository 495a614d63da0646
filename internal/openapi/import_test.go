package openapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"penstock/internal/model"
)

// head starts a document that has what every document must have.
const head = "openapi: 3.0.1\ninfo: {title: t}\n"

// brief writes what matters of a description, one thing a line: routes, then
// authorizers, warnings and info.
func (d *Description) brief() []string {
	var lines []string
	for _, r := range d.Routes {
		line := *r.RouteKey + " " + *r.AuthorizationType
		if r.Authorizer != "" {
			line += ":" + r.Authorizer
		}
		if r.AuthorizationScopes != nil {
			line += fmt.Sprint(r.AuthorizationScopes)
		}
		if r.OperationName != nil {
			line += " = " + *r.OperationName
		}
		if r.Integration >= 0 {
			line += " -> " + *d.Integrations[r.Integration].IntegrationURI
		}
		lines = append(lines, line)
	}
	for _, a := range d.Authorizers {
		lines = append(lines, "authorizer "+*a.Name)
	}
	for _, s := range d.Warnings {
		lines = append(lines, "warning "+s)
	}
	for _, s := range d.Info {
		lines = append(lines, "info "+s)
	}
	return lines
}

// An imported case is a document and what its description is in brief, or the
// problems it has.
type imported struct {
	name, document string
	want           []string
}

func importAll(t *testing.T, cases []imported) {
	t.Helper()
	for _, tt := range cases {
		var got []string
		d, err := Import(tt.document, testOptions)
		if err == nil {
			got = d.brief()
		} else {
			var refused *Error
			if !errors.As(err, &refused) || len(refused.Problems) == 0 {
				t.Errorf("%s: %v is no error of a document", tt.name, err)
				continue
			}
			for _, p := range refused.Problems {
				got = append(got, "problem "+p)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", tt.name, strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
		}
	}
}

func paths(body string) string { return head + "paths:\n" + body }

func TestRoot(t *testing.T) {
	t.Parallel()
	const noPaths = "warning Parse issue: attribute paths is missing"
	importAll(t, []imported{
		{"nothing", "", []string{"problem the document is empty"}},
		{"no YAML", "a: [", []string{"problem line 1: did not find expected node content"}},
		{"a list", "- a", []string{"problem document: must be an object, not a list"}},
		{"a string", "hello", []string{"problem document: must be an object, not a string"}},
		{"null", "~", []string{"problem document: must be an object, not null"}},
		{"Swagger", "swagger: '2.0'\ninfo: {title: t}", []string{"problem swagger: Swagger documents are not supported, only OpenAPI 3.0"}},
		{"no version", "info: {title: t}", []string{"problem openapi: is missing, only OpenAPI 3.0 is supported"}},
		{"version 2", "\nopenapi: 2.0\ninfo: {title: t}", []string{`problem openapi: only OpenAPI 3.0 is supported, not "2.0" (line 2)`}},
		{"version 3", "openapi: 3\ninfo: {title: t}", []string{`problem openapi: only OpenAPI 3.0 is supported, not "3"`}},
		{"version 3.2", "openapi: 3.2.0\ninfo: {title: t}", []string{`problem openapi: only OpenAPI 3.0 is supported, not "3.2.0"`}},
		{"version 3.0.x", "openapi: 3.0.x\ninfo: {title: t}", []string{`problem openapi: only OpenAPI 3.0 is supported, not "3.0.x"`}},
		{"version is a list", "openapi: [3.0.1]\ninfo: {title: t}", []string{"problem openapi: must be a string, not a list"}},
		{"version 3.0", "openapi: '3.0'\ninfo: {title: t}\npaths: {}", nil},
		{"version 3.0, a number", "openapi: 3.0\ninfo: {title: t}\npaths: {}", nil},
		{"version 3.0.3", "openapi: 3.0.3\ninfo: {title: t}\npaths: {}", nil},
		{"version 3.1", "openapi: 3.1.0\ninfo: {title: t}\npaths: {}", []string{"warning openapi: OpenAPI 3.1 is treated as 3.0"}},
		{"extensions version", head + "paths: {}\nx-amazon-apigateway-importexport-version: 1.0", nil},
		{"extensions version, a string", head + "paths: {}\nx-amazon-apigateway-importexport-version: '1.0'", nil},
		{"extensions version 2", head + "x-amazon-apigateway-importexport-version: '2.0'", []string{"problem x-amazon-apigateway-importexport-version: must be 1.0 (line 3)"}},
		{"no info", "openapi: 3.0.1\npaths: {}", []string{"problem info: is missing"}},
		{"info is a string", "openapi: 3.0.1\ninfo: x\npaths: {}", []string{"problem info: must be an object, not a string (line 2)"}},
		{"no title", "openapi: 3.0.1\ninfo: {version: 1}\npaths: {}", []string{"problem info.title: is missing"}},
		{"empty title", "openapi: 3.0.1\ninfo: {title: ''}\npaths: {}", []string{"problem info.title: is missing (line 2)"}},
		{"long title", "openapi: 3.0.1\ninfo: {title: " + strings.Repeat("é", maxTitle+1) + "}\npaths: {}", []string{"problem info.title: must not be longer than 128 characters (line 2)"}},
		{"title at the limit", "openapi: 3.0.1\ninfo: {title: " + strings.Repeat("é", maxTitle) + "}\npaths: {}", nil},
		{"long description", "openapi: 3.0.1\ninfo: {title: t, description: " + strings.Repeat("é", maxDescription+1) + "}\npaths: {}", []string{"problem info.description: must not be longer than 1024 characters (line 2)"}},
		{"long version", "openapi: 3.0.1\ninfo: {title: t, version: " + strings.Repeat("1", maxVersion+1) + "}\npaths: {}", []string{"problem info.version: must not be longer than 64 characters (line 2)"}},
		{"no paths", head, []string{noPaths}},
		{"null paths", head + "paths:\n", []string{noPaths}},
		{"paths is a list", head + "paths: []\n", []string{"problem paths: must be an object, not a list (line 3)"}},
		{"all problems at once", "openapi: 3.0.1\ninfo: {description: [x]}\ntags: {}\nservers: {}\nsecurity: {}\ncomponents: []\nx-amazon-apigateway-cors: {maxAge: x}\npaths: {/a: x, /b: {get: {operationId: {}}}}", []string{
			"problem info.title: is missing",
			"problem info.description: must be a string, not a list (line 2)",
			"problem tags: must be a list, not an object (line 3)",
			"problem x-amazon-apigateway-cors.maxAge: must be an integer (line 7)",
			"problem servers: must be a list, not an object (line 4)",
			"problem components: must be an object, not a list (line 6)",
			"problem security: must be a list, not an object (line 5)",
			"problem paths.'/a': must be an object, not a string (line 8)",
			"problem paths.'/b'(get).operationId: must be a string, not an object (line 8)",
		}},
		{"unknown members and extensions", head + "paths: {}\nhost: x\nx-other: {a: 1}\nexternalDocs: {url: u}", []string{"info host: unknown member, ignored"}},
		{"what only REST APIs have", head + "paths: {}\nx-amazon-apigateway-policy: {}\nx-amazon-apigateway-gateway-responses: {}\nx-amazon-apigateway-request-validator: a\nx-amazon-apigateway-request-validators: {}\nx-amazon-apigateway-binary-media-types: []\nx-amazon-apigateway-minimum-compression-size: 0\nx-amazon-apigateway-api-key-source: HEADER\nx-amazon-apigateway-documentation: {}\nx-amazon-apigateway-security-policy: TLS_1_2", []string{
			"info x-amazon-apigateway-policy: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-gateway-responses: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-request-validator: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-request-validators: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-binary-media-types: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-minimum-compression-size: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-api-key-source: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-documentation: not supported for HTTP APIs, ignored",
			"info x-amazon-apigateway-security-policy: not supported for HTTP APIs, ignored",
		}},
		{"components", head + "paths: {}\ncomponents: {schemas: {}, responses: {}, parameters: {}, examples: {}, requestBodies: {}, headers: {}, links: {}, callbacks: {}, pathItems: {}, other: 1, x-other: 1, securitySchemes: {}}", []string{
			"info components.schemas: not supported for HTTP APIs, ignored",
			"info components.responses: not supported for HTTP APIs, ignored",
			"info components.parameters: not supported for HTTP APIs, ignored",
			"info components.examples: not supported for HTTP APIs, ignored",
			"info components.requestBodies: not supported for HTTP APIs, ignored",
			"info components.headers: not supported for HTTP APIs, ignored",
			"info components.links: not supported for HTTP APIs, ignored",
			"info components.callbacks: not supported for HTTP APIs, ignored",
			"info components.other: unknown member, ignored",
		}},
	})
}

// What a document states of the API itself.
func TestAPI(t *testing.T) {
	t.Parallel()
	const server = "servers: [{x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: "
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", head, `{"name":"t"}`},
		{"version as written", "openapi: 3.0.1\ninfo: {title: t, version: 1.0}", `{"name":"t","version":"1.0"}`},
		{"version as written in JSON", `{"openapi":"3.0.1","info":{"title":"t","version":1.00}}`, `{"name":"t","version":"1.00"}`},
		{"version is a date", "openapi: 3.0.1\ninfo: {title: t, version: 2020-09-07T07:13:02Z}", `{"name":"t","version":"2020-09-07T07:13:02Z"}`},
		{"empty version", "openapi: 3.0.1\ninfo: {title: t, version: ''}", `{"name":"t"}`},
		{"description", "openapi: 3.0.1\ninfo: {title: t, description: d}", `{"description":"d","name":"t"}`},
		{"empty description is stated", "openapi: 3.0.1\ninfo: {title: t, description: ''}", `{"description":"","name":"t"}`},
		{"title is a number", "openapi: 3.0.1\ninfo: {title: 7}", `{"name":"7"}`},
		{"variables", "openapi: 3.0.1\ninfo: {title: 'a-${AWS::Region}'}", `{"name":"a-us-east-1"}`},
		{"tags", head + "tags: [{name: a, x-amazon-apigateway-tag-value: b}, {name: c}, {name: d, x-amazon-apigateway-tag-value: 1.0}, {name: e, x-amazon-apigateway-tag-value: ''}, {name: f, description: x}]", `{"name":"t","tags":{"a":"b","c":"","d":"1.0","e":"","f":""}}`},
		{"no tags", head + "tags: []", `{"name":"t","tags":{}}`},
		{"tags of operations are none", paths("  /a: {get: {tags: [x]}}"), `{"name":"t"}`},
		{"CORS", head + "x-amazon-apigateway-cors: {allowOrigins: ['https://a', '*'], allowMethods: [GET], allowHeaders: [x], exposeHeaders: [y], maxAge: 7, allowCredentials: true}",
			`{"corsConfiguration":{"allowCredentials":true,"allowHeaders":["x"],"allowMethods":["GET"],"allowOrigins":["https://a","*"],"exposeHeaders":["y"],"maxAge":7},"name":"t"}`},
		{"CORS that is explicit", head + "x-amazon-apigateway-cors: {maxAge: 0, allowCredentials: false, allowHeaders: []}", `{"corsConfiguration":{"allowCredentials":false,"allowHeaders":[],"maxAge":0},"name":"t"}`},
		{"CORS in strings", head + "x-amazon-apigateway-cors: {maxAge: '-1', allowCredentials: 'True', allowOrigins: '*'}", `{"corsConfiguration":{"allowCredentials":true,"allowOrigins":["*"],"maxAge":-1},"name":"t"}`},
		{"CORS with other names", head + "x-amazon-apigateway-cors: {allow_origins: ['*'], AllowOrigins: ['*']}", `{"name":"t"}`},
		{"CORS that is empty", head + "x-amazon-apigateway-cors: {}", `{"name":"t"}`},
		{"CORS that is true", head + "x-amazon-apigateway-cors: true", `{"name":"t"}`},
		{"endpoint at a server", head + server + "true}}]", `{"disableExecuteApiEndpoint":true,"name":"t"}`},
		{"endpoint at a server, a string", head + server + "'TRUE'}}]", `{"disableExecuteApiEndpoint":true,"name":"t"}`},
		{"endpoint at a server, enabled", head + server + "false}}]", `{"disableExecuteApiEndpoint":false,"name":"t"}`},
		{"endpoint at the root", head + "x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}", `{"disableExecuteApiEndpoint":true,"name":"t"}`},
		{"endpoints that differ", head + "x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}\n" + server + "false}}]", `{"disableExecuteApiEndpoint":true,"name":"t"}`},
		{"endpoints that differ the other way", head + "x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: false}\n" + server + "true}}]", `{"disableExecuteApiEndpoint":true,"name":"t"}`},
	} {
		d, err := Import(tt.document, testOptions)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := mustJSON(d.API); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAPIFindings(t *testing.T) {
	t.Parallel()
	importAll(t, []imported{
		{"CORS that is true", head + "paths: {}\nx-amazon-apigateway-cors: true", []string{"warning x-amazon-apigateway-cors: must be an object, ignored"}},
		{"CORS with other names", head + "paths: {}\nx-amazon-apigateway-cors: {allow_origins: ['*']}", []string{"info x-amazon-apigateway-cors.allow_origins: unknown member, ignored"}},
		{"CORS of other types", head + "paths: {}\nx-amazon-apigateway-cors: {allowOrigins: {}, allowMethods: [[]], maxAge: 1.5, allowCredentials: 1}", []string{
			"problem x-amazon-apigateway-cors.allowCredentials: must be true or false (line 4)",
			"problem x-amazon-apigateway-cors.allowMethods[0]: must be a string, not a list (line 4)",
			"problem x-amazon-apigateway-cors.allowOrigins: must be a list, not an object (line 4)",
			"problem x-amazon-apigateway-cors.maxAge: must be an integer (line 4)",
		}},
		{"tags", head + "paths: {}\ntags: [{description: x}, {name: a}, {name: a, x-amazon-apigateway-tag-value: b}]", []string{
			"warning tags[0]: a tag without a name was ignored",
			`warning tags[2]: the tag "a" stands twice, the last one counts`,
		}},
		{"tags of other types", head + "paths: {}\ntags: [a, {name: [b]}, {name: c, x-amazon-apigateway-tag-value: {}}]", []string{
			"problem tags[0]: must be an object, not a string (line 4)",
			"problem tags[1].name: must be a string, not a list (line 4)",
			"problem tags[2].x-amazon-apigateway-tag-value: must be a string, not an object (line 4)",
		}},
		{"VPC endpoints", head + "paths: {}\nservers: [{url: /, x-amazon-apigateway-endpoint-configuration: {vpcEndpointIds: [vpce-1], types: [PRIVATE]}}]", []string{
			"warning servers[0].x-amazon-apigateway-endpoint-configuration.vpcEndpointIds: VPC endpoints are not supported for HTTP APIs, ignored",
			"info servers[0].x-amazon-apigateway-endpoint-configuration.types: unknown member, ignored",
		}},
		{"endpoint of another type", head + "paths: {}\nservers: [{x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: maybe}}]", []string{
			"problem servers[0].x-amazon-apigateway-endpoint-configuration.disableExecuteApiEndpoint: must be true or false (line 4)",
		}},
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, document string
		want           map[string]string
	}{
		{"two", head + "tags: [{name: a, x-amazon-apigateway-tag-value: b}, {name: c}]", map[string]string{"a": "b", "c": ""}},
		{"JSON", `{"tags": [{"name": "a", "x-amazon-apigateway-tag-value": "b"}]}`, map[string]string{"a": "b"}},
		{"none", head, map[string]string{}},
		{"variable", head + "tags: [{name: a, x-amazon-apigateway-tag-value: '${AWS::Region}'}]", map[string]string{"a": "here"}},
		{"what else is wrong does not matter", "swagger: '2.0'\ntags: [{name: a}]", map[string]string{"a": ""}},
		{"unreadable", "{", nil},
		{"empty", "", nil},
		{"not tags", "tags: x", nil},
		{"not all tags", "tags: [{name: a}, x]", nil},
	} {
		if got := Tags(tt.document, Options{Region: "here"}); !maps.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What is found is told up to a number; the rest is counted.
func TestManyFindings(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(head + "paths:\n")
	for i := range maxFindings + 7 {
		fmt.Fprintf(&b, "  /a%d: {get: {requestBody: {}}, trace: {}}\n", i)
	}
	d, err := Import(b.String(), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]string{"warnings": d.Warnings, "info": d.Info} {
		if len(list) != maxFindings+1 || list[maxFindings] != "and 7 more" {
			t.Errorf("%s: got %d, the last is %q", name, len(list), list[len(list)-1])
		}
	}
	_, err = Import(strings.ReplaceAll(b.String(), "requestBody: {}", "responses: {}, security: x"), testOptions)
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Problems) != maxFindings+1 || refused.Problems[maxFindings] != "and 7 more" {
		t.Errorf("got %.200v", err)
	}
	if want := strings.Join(refused.Problems, "\n"); err.Error() != want {
		t.Errorf("the error reads %.200q", err)
	}
}

// Reports stay on one line and short, whatever the document has.
func TestShown(t *testing.T) {
	t.Parallel()
	document := head + "paths: {\"/a\\nb\": {get: x}, /" + strings.Repeat("é", 1000) + ": {get: x}}\n"
	_, err := Import(document, testOptions)
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Problems) != 2 {
		t.Fatalf("got %v", err)
	}
	if want := `paths.'/a\nb'(get): must be an object, not a string (line 3)`; refused.Problems[0] != want {
		t.Errorf("got %q, want %q", refused.Problems[0], want)
	}
	if p := refused.Problems[1]; len(p) > 400 || !strings.HasPrefix(p, "paths.'/é") || !strings.Contains(p, "é…'(get): ") {
		t.Errorf("got %q", p)
	}
}

// A description is that of the same API whichever way the document is written.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	document := documents(t)["pets.yaml"]
	for _, tt := range []struct {
		mode string
		want []string
	}{
		{"", []string{"GET /pets/{id}", "$default"}},
		{"ignore", []string{"GET /pets/{id}", "$default"}},
		{"prepend", []string{"GET /v1/api/pets/{id}", "$default"}},
		{"split", []string{"GET /api/pets/{id}", "$default"}},
	} {
		o := testOptions
		o.BasePath = tt.mode
		d, err := Import(document, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range d.Routes {
			got = append(got, *r.RouteKey)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.mode, got, tt.want)
		}
		if r := d.Routes[0]; r.Authorizer != "jwt" || *r.AuthorizationType != model.AuthorizationTypeJWT || !slices.Equal(r.AuthorizationScopes, []string{"read"}) {
			t.Errorf("%q: the first route is %s of %q", tt.mode, mustJSON(r.Route), r.Authorizer)
		}
	}
}
