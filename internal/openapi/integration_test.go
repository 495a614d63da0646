package openapi

import (
	"strings"
	"testing"
)

// integrated returns a document whose one operation has this integration.
func integratedWith(integration string) string {
	return paths("  /a: {get: {x-amazon-apigateway-integration: " + integration + "}}")
}

func TestIntegration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, integration, want string }{
		{"Lambda", "{type: aws_proxy, httpMethod: POST, uri: 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f:${stageVariables.v}', payloadFormatVersion: '2.0'}",
			`{"connectionType":"INTERNET","description":"AutoCreate from OpenAPI Import","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"arn:aws:lambda:us-east-1:123456789012:function:f:${stageVariables.v}","payloadFormatVersion":"2.0"}`},
		{"HTTP", "{type: HTTP_Proxy, httpMethod: any, uri: u, description: d}",
			`{"connectionType":"INTERNET","description":"d","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"u","payloadFormatVersion":"1.0"}`},
		{"VPC link", "{type: http_proxy, httpMethod: ANY, uri: u, connectionType: vpc_link, connectionId: c, tlsConfig: {serverNameToVerify: s}, timeoutInMillis: 50}",
			`{"connectionId":"c","connectionType":"VPC_LINK","description":"AutoCreate from OpenAPI Import","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"u","payloadFormatVersion":"1.0","timeoutInMillis":50,"tlsConfig":{"serverNameToVerify":"s"}}`},
		{"subtype", "{type: aws_proxy, integrationSubtype: SQS-SendMessage, credentials: c, requestParameters: {QueueUrl: q, DelaySeconds: 5, X: true, Y: ~}, timeoutInMillis: '29000'}",
			`{"connectionType":"INTERNET","credentialsArn":"c","description":"AutoCreate from OpenAPI Import","integrationSubtype":"SQS-SendMessage","integrationType":"AWS_PROXY","payloadFormatVersion":"1.0","requestParameters":{"DelaySeconds":"5","QueueUrl":"q","X":"true"},"timeoutInMillis":29000}`},
		{"mappings", "{type: http_proxy, requestParameters: {'overwrite:path': /x, 'remove:header.a': \"''\"}, responseParameters: {200: {'overwrite:header.x': y, 'append:header.z': ''}, '404': {'overwrite:statuscode': 200}, 500: {}}}",
			`{"connectionType":"INTERNET","description":"AutoCreate from OpenAPI Import","integrationType":"HTTP_PROXY","payloadFormatVersion":"1.0","requestParameters":{"overwrite:path":"/x","remove:header.a":"''"},"responseParameters":{"200":{"append:header.z":"","overwrite:header.x":"y"},"404":{"overwrite:statuscode":"200"}}}`},
		{"empty members are absent", "{type: http_proxy, httpMethod: '', uri: '', payloadFormatVersion: '', connectionType: '', connectionId: '', credentials: '', integrationSubtype: '', requestParameters: {}, responseParameters: {}, tlsConfig: {}, description: ''}",
			`{"connectionType":"INTERNET","description":"AutoCreate from OpenAPI Import","integrationType":"HTTP_PROXY","payloadFormatVersion":"1.0"}`},
	} {
		d, err := Import(integratedWith(tt.integration), testOptions)
		switch {
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case len(d.Integrations) != 1 || d.Routes[0].Integration != 0 || len(d.Warnings) > 0 || len(d.Info) > 0:
			t.Errorf("%s: got\n%s", tt.name, d.print())
		default:
			if got := mustJSON(d.Integrations[0].Integration); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
			if got := d.Integrations[0].At; got != "paths.'/a'(get).x-amazon-apigateway-integration" {
				t.Errorf("%s: at %s", tt.name, got)
			}
		}
	}
}

// A version is what the document means, however it writes it.
func TestPayloadFormatVersion(t *testing.T) {
	t.Parallel()
	yaml := func(v string) string {
		return integratedWith("{type: aws_proxy, payloadFormatVersion: " + v + "}")
	}
	json := func(v string) string {
		return `{"openapi":"3.0.1","info":{"title":"t"},"paths":{"/a":{"get":{"x-amazon-apigateway-integration":{"type":"aws_proxy","payloadFormatVersion":` + v + `}}}}}`
	}
	for _, tt := range []struct{ document, want string }{
		{yaml("1.0"), "1.0"}, {yaml("2.0"), "2.0"}, {yaml("'2.0'"), "2.0"}, {yaml("2"), "2.0"}, {yaml("1"), "1.0"}, {yaml("~"), "1.0"}, {yaml("'2'"), "2"}, {yaml("3.0"), "3.0"},
		{json("1.0"), "1.0"}, {json("2.0"), "2.0"}, {json(`"2.0"`), "2.0"}, {json("2"), "2.0"}, {json("null"), "1.0"}, {json(`"x"`), "x"},
	} {
		d, err := Import(tt.document, testOptions)
		if err != nil {
			t.Errorf("%s: %v", tt.document, err)
		} else if got := *d.Integrations[0].PayloadFormatVersion; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.document, got, tt.want)
		}
	}
}

func TestIntegrationFindings(t *testing.T) {
	t.Parallel()
	const at = "paths.'/a'(get).x-amazon-apigateway-integration"
	importAll(t, []imported{
		{"AWS", integratedWith("{type: AWS, uri: u}"), []string{"GET /a NONE", "warning " + at + ": Unsupported integration type AWS for GET /a"}},
		{"HTTP", integratedWith("{type: http, uri: u}"), []string{"GET /a NONE", "warning " + at + ": Unsupported integration type http for GET /a"}},
		{"mock", integratedWith("{type: mock}"), []string{"GET /a NONE", "warning " + at + ": Unsupported integration type mock for GET /a"}},
		{"other", integratedWith("{type: lambda}"), []string{"GET /a NONE", "warning " + at + ": Unsupported integration type lambda for GET /a"}},
		{"no type", integratedWith("{uri: u}"), []string{"GET /a NONE", "warning " + at + ": the integration has no type: GET /a has no target"}},
		{"no object", integratedWith("http_proxy"), []string{"problem " + at + ": must be an object, not a string (line 4)"}},
		{"what only REST APIs have", integratedWith("{type: http_proxy, uri: u, passthroughBehavior: never, contentHandling: x, requestTemplates: {}, responses: {}, cacheNamespace: n, cacheKeyParameters: [], responseTransferMode: STREAM, invokeMode: y}"), []string{
			"GET /a NONE -> u",
			"info " + at + ".passthroughBehavior: not supported for HTTP APIs, ignored",
			"info " + at + ".contentHandling: not supported for HTTP APIs, ignored",
			"info " + at + ".requestTemplates: not supported for HTTP APIs, ignored",
			"info " + at + ".responses: not supported for HTTP APIs, ignored",
			"info " + at + ".cacheNamespace: not supported for HTTP APIs, ignored",
			"info " + at + ".cacheKeyParameters: not supported for HTTP APIs, ignored",
			"info " + at + ".responseTransferMode: not supported for HTTP APIs, ignored",
			"info " + at + ".invokeMode: not supported for HTTP APIs, ignored",
		}},
		{"unknown members", integratedWith("{type: http_proxy, uri: u, URI: v, x-other: 1, tlsConfig: {insecureSkipVerification: true, other: 1}}"), []string{
			"GET /a NONE -> u",
			"info " + at + ".tlsConfig.insecureSkipVerification: not supported for HTTP APIs, ignored",
			"info " + at + ".tlsConfig.other: unknown member, ignored",
			"info " + at + ".URI: unknown member, ignored",
		}},
		{"mappings of REST APIs", integratedWith("{type: http_proxy, uri: u, requestParameters: {integration.request.header.x: method.request.header.y}}"), []string{
			"GET /a NONE -> u",
			"warning " + at + ".requestParameters.integration.request.header.x: mappings of REST APIs are not supported for HTTP APIs, ignored",
		}},
		{"other types", integratedWith("{type: http_proxy, uri: {}, payloadFormatVersion: [], connectionType: x, timeoutInMillis: 1.5, tlsConfig: x, requestParameters: [], responseParameters: {200: x, 300: {a: []}}}"), []string{
			"problem " + at + ".uri: must be a string, not an object (line 4)",
			"problem " + at + ".payloadFormatVersion: must be a string, not a list (line 4)",
			"problem " + at + ".connectionType: must be INTERNET or VPC_LINK (line 4)",
			"problem " + at + ".requestParameters: must be an object, not a list (line 4)",
			"problem " + at + ".responseParameters.200: must be an object, not a string (line 4)",
			"problem " + at + ".responseParameters.300.a: must be a string, not a list (line 4)",
			"problem " + at + ".timeoutInMillis: must be an integer (line 4)",
			"problem " + at + ".tlsConfig: must be an object, not a string (line 4)",
		}},
		{"a string without end", integratedWith("{type: http_proxy, uri: " + strings.Repeat("x", maxText+1) + "}"), []string{"problem " + at + ".uri: must not be longer than 8192 bytes (line 4)"}},
		{"a type without end", integratedWith("{type: " + strings.Repeat("x", maxText+1) + "}"), []string{
			"problem " + at + ".type: must not be longer than 8192 bytes (line 4)"}},
	})
}

// Operations that name an integration of the components share it; an alias of YAML
// repeats what it names.
func TestSharedIntegrations(t *testing.T) {
	t.Parallel()
	const shared = "\ncomponents: {x-amazon-apigateway-integrations: {be: {type: http_proxy, uri: be}, other: {$ref: '#/components/x-amazon-apigateway-integrations/be'}, unused: {type: http_proxy, uri: unused}, old: {type: mock, responses: {}}}}"
	ref := func(name string) string {
		return "{x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/" + name + "'}}"
	}
	d, err := Import(paths("  /a: {get: "+ref("be")+", put: "+ref("other")+", post: "+ref("b%65")+", delete: {x-amazon-apigateway-integration: &own {type: http_proxy, uri: own}}, head: {x-amazon-apigateway-integration: *own}}"+shared), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, i := range d.Integrations {
		at = append(at, i.At)
	}
	want := "components.x-amazon-apigateway-integrations.be paths.'/a'(delete).x-amazon-apigateway-integration paths.'/a'(head).x-amazon-apigateway-integration"
	if got := strings.Join(at, " "); got != want {
		t.Errorf("integrations at %s, want %s", got, want)
	}
	for i, want := range []int{0, 0, 0, 1, 2} {
		if got := d.Routes[i].Integration; got != want {
			t.Errorf("%s: got integration %d, want %d", *d.Routes[i].RouteKey, got, want)
		}
	}
	importAll(t, []imported{
		{"unsupported", paths("  /a: {get: " + ref("old") + ", put: " + ref("old") + "}" + shared), []string{
			"GET /a NONE", "PUT /a NONE",
			"warning components.x-amazon-apigateway-integrations.old: Unsupported integration type mock for GET /a",
			"warning components.x-amazon-apigateway-integrations.old: Unsupported integration type mock for PUT /a",
		}},
		{"missing", paths("  /a: {get: " + ref("none") + "}" + shared), []string{"GET /a NONE",
			"warning Parse issue: attribute paths.'/a'(get).x-amazon-apigateway-integration.#/components/x-amazon-apigateway-integrations/none is missing"}},
		{"in another document", paths("  /a: {get: {x-amazon-apigateway-integration: {$ref: 'https://h/i'}}}"), []string{"GET /a NONE",
			"warning paths.'/a'(get).x-amazon-apigateway-integration: the reference https://h/i leads out of the document, ignored"}},
		{"in a circle", paths("  /a: {get: " + ref("x") + "}\ncomponents: {x-amazon-apigateway-integrations: {x: {$ref: '#/components/x-amazon-apigateway-integrations/x'}}}"), []string{
			"problem paths.'/a'(get).x-amazon-apigateway-integration: the references do not end: after 32 there is one more (line 4)"}},
		{"no object", paths("  /a: {get: " + ref("x") + "}\ncomponents: {x-amazon-apigateway-integrations: {x: y}}"), []string{
			"problem components.x-amazon-apigateway-integrations.x: must be an object, not a string (line 5)"}},
		{"integrations that are none", paths("  /a: {get: {}}\ncomponents: {x-amazon-apigateway-integrations: x}"), []string{
			"problem components.x-amazon-apigateway-integrations: must be an object, not a string (line 5)"}},
	})
}
