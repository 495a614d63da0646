package openapi

import (
	"strings"
	"testing"
)

// schemes are security schemes of every kind.
const schemes = `
components:
  securitySchemes:
    jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {issuer: 'https://i', audience: [a]}}}
    lambda: {type: apiKey, name: Unused, in: header, x-amazon-apigateway-authorizer: {type: request, authorizerUri: u, authorizerPayloadFormatVersion: 2.0}}
    iam: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: AwsSigV4}
    plain: {type: apiKey, name: x-api-key, in: header}
    custom: {type: apiKey, name: x, in: header, x-amazon-apigateway-authtype: custom}
    token: {type: apiKey, name: x, in: header, x-amazon-apigateway-authorizer: {type: token, authorizerUri: u}}
`

// secured returns a document with one operation that has these members.
func secured(operation string) string {
	return paths("  /a: {get: {" + operation + "}}" + schemes)
}

const (
	noToken    = "warning components.securitySchemes.token.x-amazon-apigateway-authorizer: Unable to create Authorizer 'token': HTTP APIs have no authorizers of type token"
	madeJWT    = "authorizer jwt"
	madeLambda = "authorizer lambda"
)

func TestSecurity(t *testing.T) {
	t.Parallel()
	importAll(t, []imported{
		{"absent", secured(""), []string{"GET /a NONE", madeJWT, madeLambda, noToken}},
		{"empty", secured("security: []"), []string{"GET /a NONE", madeJWT, madeLambda, noToken}},
		{"empty requirement", secured("security: [{}]"), []string{"GET /a NONE", madeJWT, madeLambda, noToken}},
		{"NONE", secured("security: [{NONE: []}]"), []string{"GET /a NONE", madeJWT, madeLambda, noToken}},
		{"JWT", secured("security: [{jwt: []}]"), []string{"GET /a JWT:jwt", madeJWT, madeLambda, noToken}},
		{"JWT with scopes", secured("security: [{jwt: [a, b]}]"), []string{"GET /a JWT:jwt[a b]", madeJWT, madeLambda, noToken}},
		{"JWT with null", secured("security: [{jwt: }]"), []string{"GET /a JWT:jwt", madeJWT, madeLambda, noToken}},
		{"Lambda", secured("security: [{lambda: []}]"), []string{"GET /a CUSTOM:lambda", madeJWT, madeLambda, noToken}},
		{"Lambda with scopes", secured("security: [{lambda: [a]}]"), []string{"GET /a CUSTOM:lambda", madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the security scheme lambda is not a JWT authorizer: its scopes were ignored"}},
		{"IAM", secured("security: [{iam: []}]"), []string{"GET /a AWS_IAM", madeJWT, madeLambda, noToken}},
		{"a scheme without an extension", secured("security: [{plain: []}]"), []string{"GET /a NONE", madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the security scheme plain has no authorizer and was ignored: everybody may call the route"}},
		{"a scheme with another authtype", secured("security: [{custom: []}]"), []string{"GET /a NONE", madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the security scheme custom has no authorizer and was ignored: everybody may call the route"}},
		{"an authorizer that cannot be created", secured("security: [{token: []}], x-amazon-apigateway-integration: {type: mock}"), []string{madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the authorizer token cannot be created: the route was not created",
			"warning paths.'/a'(get).x-amazon-apigateway-integration: Unsupported integration type mock for GET /a"}},
		{"an unknown scheme", secured("security: [{other: []}]"), []string{`problem paths.'/a'(get).security[0]: the security scheme "other" is not in components.securitySchemes (line 4)`}},
		{"two requirements", secured("security: [{jwt: []}, {lambda: []}]"), []string{"problem paths.'/a'(get).security: must not have more than one security requirement (line 4)"}},
		{"a requirement that may be missing", secured("security: [{}, {jwt: []}]"), []string{"problem paths.'/a'(get).security: must not have more than one security requirement (line 4)"}},
		{"two schemes", secured("security: [{jwt: [], lambda: []}]"), []string{"problem paths.'/a'(get).security[0]: must not name more than one security scheme (line 4)"}},
		{"an object", secured("security: {jwt: []}"), []string{"problem paths.'/a'(get).security: must be a list, not an object (line 4)"}},
		{"a string", secured("security: [jwt]"), []string{"problem paths.'/a'(get).security[0]: must be an object, not a string (line 4)"}},
		{"null in the list", secured("security: [~]"), []string{"problem paths.'/a'(get).security[0]: must be an object, not null (line 4)"}},
		{"scopes of another type", secured("security: [{jwt: {a: b}}]"), []string{"problem paths.'/a'(get).security[0].jwt: must be a list, not an object (line 4)"}},
		{"too many scopes", secured("security: [{jwt: [" + strings.Repeat("a, ", maxItems) + "a]}]"), []string{"problem paths.'/a'(get).security[0].jwt: must not have more than 1000 entries (line 4)"}},
	})
}

// What the root asks for goes for operations that ask for nothing themselves.
func TestRootSecurity(t *testing.T) {
	t.Parallel()
	root := func(security, body string) string { return paths(body + schemes + "security: " + security) }
	importAll(t, []imported{
		{"inherited", root("[{jwt: [a]}]", "  /a: {get: {}, put: {security: []}, post: {security: [{NONE: []}]}, head: {security: [{iam: []}]}, patch: {security: [{jwt: [b]}]}}"), []string{
			"GET /a JWT:jwt[a]", "PUT /a NONE", "POST /a NONE", "HEAD /a AWS_IAM", "PATCH /a JWT:jwt[b]", madeJWT, madeLambda, noToken,
		}},
		{"the default route too", root("[{jwt: []}]", "  /$default: {x-amazon-apigateway-any-method: {}}"), []string{"$default JWT:jwt", madeJWT, madeLambda, noToken}},
		{"an authorizer that cannot be created", root("[{token: []}]", "  /a: {get: {}, put: {security: [{iam: []}]}}"), []string{"PUT /a AWS_IAM", madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the authorizer token cannot be created: the route was not created"}},
		{"a scheme without an extension", root("[{plain: []}]", "  /a: {get: {}, put: {}}"), []string{"GET /a NONE", "PUT /a NONE", madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).security: the security scheme plain has no authorizer and was ignored: everybody may call the route",
			"warning paths.'/a'(put).security: the security scheme plain has no authorizer and was ignored: everybody may call the route"}},
		{"problems are told once", root("[{jwt: []}, {iam: []}]", "  /a: {get: {}, put: {}}"), []string{"problem security: must not have more than one security requirement (line 13)"}},
		{"an unknown scheme", root("[{other: []}]", "  /a: {get: {security: []}}"), []string{`problem security[0]: the security scheme "other" is not in components.securitySchemes (line 13)`}},
	})
	// A scheme that is called NONE is one.
	importAll(t, []imported{{"NONE", paths("  /a: {get: {security: [{NONE: []}]}}\ncomponents: {securitySchemes: {NONE: {type: apiKey, x-amazon-apigateway-authtype: awsSigv4}}}"), []string{"GET /a AWS_IAM"}}})
}

func TestAuth(t *testing.T) {
	t.Parallel()
	importAll(t, []imported{
		{"IAM", secured("x-amazon-apigateway-auth: {type: AWS_IAM}"), []string{"GET /a AWS_IAM", madeJWT, madeLambda, noToken}},
		{"IAM in lower case", secured("x-amazon-apigateway-auth: {type: aws_iam}"), []string{"GET /a AWS_IAM", madeJWT, madeLambda, noToken}},
		{"IAM rather than security", secured("security: [{jwt: [a]}], x-amazon-apigateway-auth: {type: AWS_IAM}"), []string{"GET /a AWS_IAM", madeJWT, madeLambda, noToken}},
		{"NONE rather than security", secured("security: [{jwt: [a]}], x-amazon-apigateway-auth: {type: none}"), []string{"GET /a NONE", madeJWT, madeLambda, noToken}},
		{"another type", secured("x-amazon-apigateway-auth: {type: CUSTOM}"), []string{madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).x-amazon-apigateway-auth: type must be AWS_IAM or NONE: the route was not created"}},
		{"no type", secured("x-amazon-apigateway-auth: {}"), []string{madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).x-amazon-apigateway-auth: type must be AWS_IAM or NONE: the route was not created"}},
		{"no object", secured("x-amazon-apigateway-auth: NONE"), []string{madeJWT, madeLambda, noToken,
			"warning paths.'/a'(get).x-amazon-apigateway-auth: type must be AWS_IAM or NONE: the route was not created"}},
		{"security is checked all the same", secured("security: [{jwt: []}, {iam: []}], x-amazon-apigateway-auth: {type: NONE}"), []string{
			"problem paths.'/a'(get).security: must not have more than one security requirement (line 4)"}},
	})
}

// A route that was not created leaves no integration behind, but for those who
// share it.
func TestClosedRouteIntegration(t *testing.T) {
	t.Parallel()
	shared := "x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/be'}"
	own := "x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'https://own'}"
	d, err := Import(paths("  /a: {get: {security: [{token: []}], "+shared+"}, put: {security: [{token: []}], "+own+"}, post: {"+shared+"}}"+schemes+
		"  x-amazon-apigateway-integrations: {be: {type: http_proxy, httpMethod: GET, uri: 'https://be'}}"), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Routes) != 1 || len(d.Integrations) != 1 || *d.Integrations[0].IntegrationURI != "https://be" || d.Routes[0].Integration != 0 {
		t.Errorf("got\n%s", d.print())
	}
}

func TestAuthorizers(t *testing.T) {
	t.Parallel()
	const (
		issuer = `"jwtConfiguration":{"audience":["a"],"issuer":"https://i"}`
		key    = "type: apiKey, name: X-Key, in: header"
	)
	jwt := func(scheme, extension string) string {
		return "{" + scheme + ", x-amazon-apigateway-authorizer: {type: jwt, identitySource: s" + extension + "}}"
	}
	request := func(scheme, extension string) string {
		return "{" + scheme + ", x-amazon-apigateway-authorizer: {type: request" + extension + "}}"
	}
	for _, tt := range []struct{ name, scheme, want string }{
		{"JWT", jwt("type: oauth2", ", jwtConfiguration: {issuer: 'https://i', audience: [a]}"), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT in upper case", strings.Replace(jwt("type: OAuth2", ", jwtConfiguration: {issuer: 'https://i', audience: [a]}"), "type: jwt", "type: JWT", 1), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT with one audience", jwt("type: oauth2", ", jwtConfiguration: {issuer: 'https://i', audience: a}"), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT with the URL of the scheme", jwt("type: openIdConnect, openIdConnectUrl: 'https://i/.well-known/openid-configuration'", ", jwtConfiguration: {audience: [a]}"), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT with a URL of its own", jwt("type: oauth2", ", openIdConnectUrl: 'https://i/.well-known/openid-configuration', jwtConfiguration: {audience: [a]}"), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT with an issuer and a URL", jwt("type: openIdConnect, openIdConnectUrl: x", ", jwtConfiguration: {issuer: 'https://i', audience: [a]}"), `{"authorizerType":"JWT","identitySource":["s"],` + issuer + `,"name":"n"}`},
		{"JWT without an audience", jwt("type: oauth2", ", jwtConfiguration: {issuer: 'https://i'}"), `{"authorizerType":"JWT","identitySource":["s"],"jwtConfiguration":{"issuer":"https://i"},"name":"n"}`},
		{"request", request("type: apiKey, name: Unused, in: header", ", authorizerUri: u, authorizerCredentials: c, authorizerPayloadFormatVersion: '2.0', authorizerResultTtlInSeconds: 60, enableSimpleResponses: true, identitySource: $request.header.A"),
			`{"authorizerCredentialsArn":"c","authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":60,"authorizerType":"REQUEST","authorizerUri":"u","enableSimpleResponses":true,"identitySource":["$request.header.A"],"name":"n"}`},
		{"request with strings and numbers", request("type: apiKey, name: Unused, in: header", ", authorizerPayloadFormatVersion: 1.0, authorizerResultTtlInSeconds: '0', enableSimpleResponses: 'false'"),
			`{"authorizerPayloadFormatVersion":"1.0","authorizerResultTtlInSeconds":0,"authorizerType":"REQUEST","enableSimpleResponses":false,"name":"n"}`},
		{"request with a version without a fraction", request("type: apiKey, name: Unused", ", authorizerPayloadFormatVersion: 2"), `{"authorizerPayloadFormatVersion":"2.0","authorizerType":"REQUEST","name":"n"}`},
		{"request with sources in a string", request(key, ", identitySource: '$request.header.A, $request.querystring.b ,,$context.c'"), `{"authorizerType":"REQUEST","identitySource":["$request.header.A","$request.querystring.b","$context.c"],"name":"n"}`},
		{"request with sources in a list", request(key, ", identitySource: [$request.header.A, '$stageVariables.b', '']"), `{"authorizerType":"REQUEST","identitySource":["$request.header.A","$stageVariables.b"],"name":"n"}`},
		{"request with sources of a REST API", request(key, ", identitySource: 'method.request.header.A,method.request.querystring.b,context.c,stageVariables.d'"), `{"authorizerType":"REQUEST","identitySource":["$request.header.A","$request.querystring.b","$context.c","$stageVariables.d"],"name":"n"}`},
		{"request with the source of the scheme", request(key, ""), `{"authorizerType":"REQUEST","identitySource":["$request.header.X-Key"],"name":"n"}`},
		{"request with the source of the scheme in the query", request("type: apiKey, name: k, in: query", ""), `{"authorizerType":"REQUEST","identitySource":["$request.querystring.k"],"name":"n"}`},
		{"request with the source of the scheme in a cookie", request("type: apiKey, name: k, in: cookie", ""), `{"authorizerType":"REQUEST","name":"n"}`},
		{"request without a source", request("type: apiKey, name: Unused, in: header", ""), `{"authorizerType":"REQUEST","name":"n"}`},
		{"request with no source", request(key, ", identitySource: []"), `{"authorizerType":"REQUEST","identitySource":[],"name":"n"}`},
		{"request with an empty source", request(key, ", identitySource: ''"), `{"authorizerType":"REQUEST","identitySource":[],"name":"n"}`},
	} {
		d, err := Import(head+"paths: {}\ncomponents: {securitySchemes: {n: "+tt.scheme+"}}", testOptions)
		switch {
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case len(d.Authorizers) != 1 || len(d.Warnings) > 0 || d.Authorizers[0].At != "components.securitySchemes.n":
			t.Errorf("%s: got\n%s", tt.name, d.print())
		default:
			if got := mustJSON(d.Authorizers[0].Authorizer); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
	}
}

func TestAuthorizerFindings(t *testing.T) {
	t.Parallel()
	scheme := func(s string) string { return head + "paths: {}\ncomponents: {securitySchemes: {n: " + s + "}}" }
	unable := func(why string) string {
		return "warning components.securitySchemes.n.x-amazon-apigateway-authorizer: Unable to create Authorizer 'n': " + why
	}
	const ok = ", jwtConfiguration: {issuer: 'https://i'}"
	many := make([]string, maxSchemes+1)
	for i := range many {
		many[i] = strings.Repeat("n", i+1) + ": {}"
	}
	importAll(t, []imported{
		{"token", scheme("{type: apiKey, x-amazon-apigateway-authorizer: {type: token}}"), []string{unable("HTTP APIs have no authorizers of type token")}},
		{"Cognito", scheme("{type: apiKey, x-amazon-apigateway-authorizer: {type: COGNITO_USER_POOLS}}"), []string{unable("HTTP APIs have no authorizers of type COGNITO_USER_POOLS")}},
		{"no type", scheme("{type: apiKey, x-amazon-apigateway-authorizer: {}}"), []string{unable("it has no type")}},
		{"no issuer", scheme("{type: oauth2, x-amazon-apigateway-authorizer: {type: jwt}}"), []string{unable("it has no issuer")}},
		{"a URL without the end", scheme("{type: openIdConnect, openIdConnectUrl: 'https://i', x-amazon-apigateway-authorizer: {type: jwt}}"), []string{unable("openIdConnectUrl must end with /.well-known/openid-configuration")}},
		{"JWT of another scheme", scheme("{type: http, scheme: bearer, x-amazon-apigateway-authorizer: {type: jwt" + ok + "}}"), []string{"authorizer n", "warning components.securitySchemes.n.type: the authorizer goes with type oauth2 or openIdConnect"}},
		{"request of another scheme", scheme("{x-amazon-apigateway-authorizer: {type: request}}"), []string{"authorizer n", "warning components.securitySchemes.n.type: the authorizer goes with type apiKey"}},
		{"a URL of nothing", scheme("{type: openIdConnect, openIdConnectUrl: /.well-known/openid-configuration, x-amazon-apigateway-authorizer: {type: jwt}}"), []string{unable("openIdConnectUrl must end with /.well-known/openid-configuration")}},
		{"no name", head + "paths: {}\ncomponents: {securitySchemes: {'': {type: oauth2}}}", []string{"problem components.securitySchemes: a security scheme must have a name (line 4)"}},
		{"authtype beside an authorizer", scheme("{type: oauth2, x-amazon-apigateway-authtype: awsSigv4, x-amazon-apigateway-authorizer: {type: jwt" + ok + "}}"), []string{"authorizer n", "warning components.securitySchemes.n: the authorizer counts, x-amazon-apigateway-authtype is ignored"}},
		{"unknown members", scheme("{type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, other: 1, jwtConfiguration: {issuer: 'https://i', scopes: []}}}"), []string{"authorizer n",
			"info components.securitySchemes.n.x-amazon-apigateway-authorizer.jwtConfiguration.scopes: unknown member, ignored",
			"info components.securitySchemes.n.x-amazon-apigateway-authorizer.other: unknown member, ignored"}},
		{"what REST APIs have", scheme("{type: apiKey, x-amazon-apigateway-authorizer: {type: request, identityValidationExpression: x, identitySource: 'method.request.header.A'}}"), []string{"authorizer n",
			"info components.securitySchemes.n.x-amazon-apigateway-authorizer.identitySource: method.request.header.A was read as $request.header.A",
			"info components.securitySchemes.n.x-amazon-apigateway-authorizer.identityValidationExpression: unknown member, ignored"}},
		{"references", head + "paths: {}\ncomponents: {securitySchemes: {n: {$ref: '#/components/securitySchemes/m'}, m: {type: apiKey, x-amazon-apigateway-authorizer: {$ref: '#/x-authorizers/0'}}}}\nx-authorizers: [{type: request, authorizerUri: u}]", []string{"authorizer n", "authorizer m"}},
		{"references that are missing", paths("  /a: {get: {security: [{n: []}]}, put: {security: [{m: []}]}}\ncomponents: {securitySchemes: {n: {$ref: '#/x'}, m: {type: apiKey, x-amazon-apigateway-authorizer: {$ref: '#/y'}}}}"), []string{
			"warning Parse issue: attribute components.securitySchemes.n.#/x is missing",
			"warning Parse issue: attribute components.securitySchemes.m.x-amazon-apigateway-authorizer.#/y is missing",
			"warning paths.'/a'(get).security: the authorizer n cannot be created: the route was not created",
			"warning paths.'/a'(put).security: the authorizer m cannot be created: the route was not created"}},
		{"other types", scheme("{type: apiKey, x-amazon-apigateway-authorizer: {type: request, authorizerUri: [], authorizerResultTtlInSeconds: x, enableSimpleResponses: 1, identitySource: {}}}"), []string{
			"problem components.securitySchemes.n.x-amazon-apigateway-authorizer.authorizerUri: must be a string, not a list (line 4)",
			"problem components.securitySchemes.n.x-amazon-apigateway-authorizer.authorizerResultTtlInSeconds: must be an integer (line 4)",
			"problem components.securitySchemes.n.x-amazon-apigateway-authorizer.enableSimpleResponses: must be true or false (line 4)",
			"problem components.securitySchemes.n.x-amazon-apigateway-authorizer.identitySource: must be a list, not an object (line 4)"}},
		{"no objects", head + "paths: {}\ncomponents: {securitySchemes: {n: x, m: {x-amazon-apigateway-authorizer: y}}}", []string{
			"problem components.securitySchemes.n: must be an object, not a string (line 4)",
			"problem components.securitySchemes.m.x-amazon-apigateway-authorizer: must be an object, not a string (line 4)"}},
		{"too many", head + "paths: {}\ncomponents: {securitySchemes: {" + strings.Join(many, ", ") + "}}", []string{"problem components.securitySchemes: must not have more than 1000 security schemes (line 4)"}},
	})
}
