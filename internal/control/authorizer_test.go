package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"penstock/internal/model"
)

const (
	requestAuthorizer   = `{"name":"a","authorizerType":"REQUEST","authorizerPayloadFormatVersion":"2.0","authorizerUri":"` + authorizerURI + `"}`
	webSocketAuthorizer = `{"name":"a","authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `"}`
	jwtAuthorizer       = `{"name":"a","authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["c1"],"issuer":"https://issuer.example.com/pool"}}`
	invoker             = `arn:aws:iam::123456789012:role/r`
)

func TestAuthorizerMembers(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	const uri = `"authorizerUri":"` + authorizerURI + `"`
	for _, tt := range []struct{ name, api, body, want string }{
		{"minimum HTTP", http, requestAuthorizer, `{"authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":0,"authorizerType":"REQUEST",` + uri + `,"name":"a"}`},
		{"HTTP 1.0", http, with(requestAuthorizer, `{"authorizerPayloadFormatVersion":"1.0","enableSimpleResponses":false}`), `{"authorizerPayloadFormatVersion":"1.0","authorizerResultTtlInSeconds":0,"authorizerType":"REQUEST",` + uri + `,"enableSimpleResponses":false,"name":"a"}`},
		{"everything HTTP", http, with(requestAuthorizer, `{"authorizerCredentialsArn":"`+invoker+`","authorizerResultTtlInSeconds":3600,"enableSimpleResponses":true,"identityValidationExpression":"e","identitySource":["$request.header.X-Auth","$request.querystring.q","$context.identity.sourceIp","$stageVariables.v_1"]}`),
			`{"authorizerCredentialsArn":"` + invoker + `","authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":3600,"authorizerType":"REQUEST",` + uri + `,"enableSimpleResponses":true,"identitySource":["$request.header.X-Auth","$request.querystring.q","$context.identity.sourceIp","$stageVariables.v_1"],"identityValidationExpression":"e","name":"a"}`},
		{"empties are omitted", http, with(requestAuthorizer, `{"identitySource":[],"authorizerCredentialsArn":"","identityValidationExpression":"","jwtConfiguration":{},"authorizerResultTtlInSeconds":0}`), `{"authorizerPayloadFormatVersion":"2.0","authorizerResultTtlInSeconds":0,"authorizerType":"REQUEST",` + uri + `,"name":"a"}`},
		{"JWT", http, jwtAuthorizer, `{"authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["c1"],"issuer":"https://issuer.example.com/pool"},"name":"a"}`},
		{"JWT has no TTL", http, with(jwtAuthorizer, `{"authorizerResultTtlInSeconds":300}`), `{"authorizerType":"JWT","identitySource":["$request.header.Authorization"],"jwtConfiguration":{"audience":["c1"],"issuer":"https://issuer.example.com/pool"},"name":"a"}`},
		{"JWT in the query", http, with(jwtAuthorizer, `{"identitySource":["$request.querystring.token"]}`), `{"authorizerType":"JWT","identitySource":["$request.querystring.token"],"jwtConfiguration":{"audience":["c1"],"issuer":"https://issuer.example.com/pool"},"name":"a"}`},
		{"minimum WebSocket", ws, webSocketAuthorizer, `{"authorizerType":"REQUEST",` + uri + `,"name":"a"}`},
		{"everything WebSocket", ws, with(webSocketAuthorizer, `{"authorizerCredentialsArn":"`+invoker+`","authorizerResultTtlInSeconds":300,"identitySource":["route.request.header.Auth","route.request.querystring.Name","context.connectionId","stageVariables.v"]}`),
			`{"authorizerCredentialsArn":"` + invoker + `","authorizerType":"REQUEST",` + uri + `,"identitySource":["route.request.header.Auth","route.request.querystring.Name","context.connectionId","stageVariables.v"],"name":"a"}`},
	} {
		got := s.call(201, "POST", tt.api+"/authorizers", tt.body)
		path := tt.api + "/authorizers/" + id(got, "authorizerId")
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
		delete(got, "authorizerId")
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
		s.call(204, "DELETE", path, "")
	}
}

func TestAuthorizerMessages(t *testing.T) {
	s := newTester(t)
	httpAPI, wsAPI := s.api("HTTP"), s.api("WEBSOCKET")
	http, ws := httpAPI+"/authorizers", wsAPI+"/authorizers"
	cached := http + "/" + id(s.call(201, "POST", http, with(requestAuthorizer, `{"name":"cached","authorizerResultTtlInSeconds":60,"identitySource":["$request.header.a"]}`)), "authorizerId")
	jwt := http + "/" + id(s.call(201, "POST", http, with(jwtAuthorizer, `{"name":"jwt"}`)), "authorizerId")
	socket := ws + "/" + id(s.call(201, "POST", ws, with(webSocketAuthorizer, `{"name":"socket"}`)), "authorizerId")
	audience := func(n int) string {
		return `{"jwtConfiguration":{"issuer":"https://issuer.example.com","audience":["a"` + strings.Repeat(`,"a"`, n-1) + `]}}`
	}
	issuer := func(issuer string) string {
		return `{"jwtConfiguration":` + text(map[string]any{"audience": []string{"a"}, "issuer": issuer}) + `}`
	}
	const (
		source      = "Invalid identity source expression: %s"
		socketWants = "Invalid request identity source expression: %s"
		ttl         = "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."
		ttlSource   = "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"
		uri         = "AuthorizerUri is a required field in an Authorizer"
		form        = "Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
		version     = "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
		simple      = `EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".`
		exists      = "Authorizer name must be unique. Authorizer %s already exists in this RestApi."
		only        = "%s can only be set for REQUEST authorizer."
		notAURL     = "Invalid issuer: Issuer is not a valid URL for JWT Authorizer"
		configure   = "JwtConfiguration must not be null for JWT Authorizer"
		oneSource   = "A JWT authorizer must have exactly one identity source"
		audiences   = "A JWT authorizer must have an audience, and none of them may be empty"
		onSocket    = "Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."
		lambda      = "arn:aws:lambda:us-east-1:123456789012:function:f"

		functions    = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
		noFunction   = functions + "f/invocations"
		halfVariable = functions + lambda + "${stageVariables.a-b}/invocations"
	)
	rows := []refused{
		{"type missing", 400, "Invalid request input. CreateAuthorizer input is missing authorizer type.", "POST", http, `{"name":"x"}`},
		{"type missing on a WebSocket API", 400, "Invalid request input. CreateAuthorizer input is missing authorizer type.", "POST", ws, `{"name":"x"}`},
		{"type unknown", 400, "Invalid request input: authorizerType must be one of [REQUEST, JWT]", "POST", http, with(requestAuthorizer, `{"authorizerType":"TOKEN"}`)},
		{"type emptied", 400, "Invalid request input: authorizerType must be one of [REQUEST, JWT]", "PATCH", cached, `{"authorizerType":""}`},
		{"name missing", 400, "Invalid request input: name is required", "POST", http, with(requestAuthorizer, `{"name":null}`)},
		{"name twice", 400, fmt.Sprintf(exists, "cached"), "POST", http, with(requestAuthorizer, `{"name":"cached"}`)},
		{"name of another type", 400, fmt.Sprintf(exists, "jwt"), "POST", http, with(requestAuthorizer, `{"name":"jwt"}`)},
		{"name twice in an update", 400, fmt.Sprintf(exists, "jwt"), "PATCH", cached, `{"name":"jwt"}`},
		{"name twice on a WebSocket API", 400, fmt.Sprintf(exists, "socket"), "POST", ws, with(webSocketAuthorizer, `{"name":"socket"}`)},

		{"URI missing", 400, uri, "POST", http, with(requestAuthorizer, `{"authorizerUri":null}`)},
		{"URI missing on a WebSocket API", 400, uri, "POST", ws, with(webSocketAuthorizer, `{"authorizerUri":null}`)},
		{"URI of a function", 400, fmt.Sprintf(form, lambda), "POST", http, with(requestAuthorizer, `{"authorizerUri":"`+lambda+`"}`)},
		{"URI of a website", 400, fmt.Sprintf(form, "https://example.com"), "PATCH", cached, `{"authorizerUri":"https://example.com"}`},
		{"URI with something before it", 400, fmt.Sprintf(form, "x"+authorizerURI), "PATCH", socket, `{"authorizerUri":"x` + authorizerURI + `"}`},
		{"URI with something behind it", 400, fmt.Sprintf(form, authorizerURI+"/x"), "PATCH", socket, `{"authorizerUri":"` + authorizerURI + `/x"}`},
		{"URI of no function", 400, fmt.Sprintf(form, noFunction), "POST", http, with(requestAuthorizer, `{"authorizerUri":"`+noFunction+`"}`)},
		{"URI with half a stage variable", 400, fmt.Sprintf(form, halfVariable), "PATCH", cached, `{"authorizerUri":"` + halfVariable + `"}`},
		{"version missing", 400, version, "POST", http, with(requestAuthorizer, `{"authorizerPayloadFormatVersion":null}`)},
		{"version unknown", 400, "Unsupported AuthorizerPayloadFormatVersion: 3.0", "POST", http, with(requestAuthorizer, `{"authorizerPayloadFormatVersion":"3.0"}`)},
		{"version unknown in an update", 400, "Unsupported AuthorizerPayloadFormatVersion: 2", "PATCH", cached, `{"authorizerPayloadFormatVersion":"2"}`},
		{"version on a WebSocket API", 400, "AuthorizerPayloadFormatVersion is not currently supported for WebSocket APIs.", "POST", ws, with(requestAuthorizer, `{"authorizerPayloadFormatVersion":"1.0"}`)},
		{"version on a WebSocket API in an update", 400, "AuthorizerPayloadFormatVersion is not currently supported for WebSocket APIs.", "PATCH", socket, `{"authorizerPayloadFormatVersion":"1.0"}`},
		{"simple responses with 1.0", 400, simple, "POST", http, with(requestAuthorizer, `{"authorizerPayloadFormatVersion":"1.0","enableSimpleResponses":true}`)},
		{"simple responses with 1.0 in an update", 400, simple, "PATCH", cached, `{"authorizerPayloadFormatVersion":"1.0","enableSimpleResponses":true}`},
		{"simple responses on a WebSocket API", 400, simple, "POST", ws, with(webSocketAuthorizer, `{"enableSimpleResponses":true}`)},
		{"JWT configuration of a REQUEST authorizer", 400, "JwtConfiguration can only be set for JWT authorizer.", "POST", http, with(requestAuthorizer, audience(1))},
		{"TTL negative", 400, ttl, "POST", http, with(requestAuthorizer, `{"authorizerResultTtlInSeconds":-1}`)},
		{"TTL too long", 400, ttl, "POST", http, with(requestAuthorizer, `{"authorizerResultTtlInSeconds":3601,"identitySource":["$request.header.a"]}`)},
		{"TTL too long in an update", 400, ttl, "PATCH", cached, `{"authorizerResultTtlInSeconds":3601}`},
		{"TTL without a source", 400, ttlSource, "POST", http, with(requestAuthorizer, `{"authorizerResultTtlInSeconds":1}`)},
		{"TTL whose source goes", 400, ttlSource, "PATCH", cached, `{"identitySource":[]}`},

		{"JWT on a WebSocket API", 400, onSocket, "POST", ws, jwtAuthorizer},
		{"JWT on a WebSocket API in an update", 400, onSocket, "PATCH", socket, `{"authorizerType":"JWT"}`},
		{"JWT with a URI", 400, fmt.Sprintf(only, "AuthorizerUri"), "POST", http, with(jwtAuthorizer, `{"authorizerUri":"`+authorizerURI+`"}`)},
		{"JWT with credentials", 400, fmt.Sprintf(only, "AuthorizerCredentialsArn"), "POST", http, with(jwtAuthorizer, `{"authorizerCredentialsArn":"`+invoker+`"}`)},
		{"JWT with simple responses", 400, fmt.Sprintf(only, "EnableSimpleResponses"), "POST", http, with(jwtAuthorizer, `{"enableSimpleResponses":true}`)},
		{"JWT with a version", 400, fmt.Sprintf(only, "AuthorizerPayloadFormatVersion"), "POST", http, with(jwtAuthorizer, `{"authorizerPayloadFormatVersion":"2.0"}`)},
		{"JWT with a version in an update", 400, fmt.Sprintf(only, "AuthorizerPayloadFormatVersion"), "PATCH", jwt, `{"authorizerPayloadFormatVersion":"1.0"}`},
		{"JWT without a configuration", 400, configure, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":null}`)},
		{"JWT with an empty configuration", 400, configure, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":{}}`)},
		{"JWT whose configuration goes", 400, configure, "PATCH", jwt, `{"jwtConfiguration":{}}`},
		{"JWT without a source", 400, oneSource, "POST", http, with(jwtAuthorizer, `{"identitySource":null}`)},
		{"JWT with two sources", 400, oneSource, "POST", http, with(jwtAuthorizer, `{"identitySource":["$request.header.a","$request.header.b"]}`)},
		{"JWT whose source goes", 400, oneSource, "PATCH", jwt, `{"identitySource":[]}`},
		{"JWT in the context", 400, fmt.Sprintf(source, "$context.requestId"), "POST", http, with(jwtAuthorizer, `{"identitySource":["$context.requestId"]}`)},
		{"JWT without an audience", 400, audiences, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":{"issuer":"https://issuer.example.com"}}`)},
		{"JWT with no audience", 400, audiences, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":{"issuer":"https://issuer.example.com","audience":[]}}`)},
		{"JWT with an empty audience", 400, audiences, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":{"issuer":"https://issuer.example.com","audience":["a",""]}}`)},
		{"JWT with too many audiences", 400, "A JWT authorizer must not have more than 50 audiences", "POST", http, with(jwtAuthorizer, audience(51))},
		{"JWT without an issuer", 400, notAURL, "POST", http, with(jwtAuthorizer, `{"jwtConfiguration":{"audience":["a"]}}`)},
		{"configuration is replaced as a whole", 400, notAURL, "PATCH", jwt, `{"jwtConfiguration":{"audience":["b"]}}`},

		{"unknown in a get", 404, "Invalid Authorizer identifier specified zzzzzz", "GET", http + "/zzzzzz", ""},
	}
	for _, bad := range []string{"http://issuer.example.com", "issuer.example.com", "https://", "https:///pool", "https://:443/", "ftp://issuer.example.com", "https://user@issuer.example.com", "https://issuer.example.com?a=b", "https://issuer.example.com#a", "https://issuer.example.com/\n", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "://", "%"} {
		rows = append(rows, refused{"issuer " + bad, 400, notAURL, "POST", http, with(jwtAuthorizer, issuer(bad))})
	}
	for _, bad := range []string{"Authorization", "request.header.a", "$request.header.", "$request.header", "$request.body.a", "$request.path.a", "route.request.header.a", "$stageVariables.a-b", "$context.", "$request.header.a b", "$request.header.a,$request.header.b", "${request.header.a}", "$Request.header.a", " $request.header.a", "$request.header.a\n", "", "$context.foo", "$context.authorizer.", "$context.connectionId", "$context.identity", "$context.requestid", "$context.routeKey."} {
		rows = append(rows, refused{"identity source " + bad, 400, fmt.Sprintf(source, bad), "POST", http, with(requestAuthorizer, text(map[string]any{"identitySource": []string{"$request.header.ok", bad}}))})
	}
	for _, bad := range []string{"$request.header.a", "$route.request.header.a", "method.request.header.a", "route.request.body.a", "route.request.header.", "$context.a", "route.request.header.a b", ""} {
		rows = append(rows, refused{"identity source of a WebSocket API " + bad, 400, fmt.Sprintf(socketWants, bad), "POST", ws, with(webSocketAuthorizer, text(map[string]any{"identitySource": []string{bad}}))})
	}
	s.refuseAll(rows)
	s.shows(s.call(200, "GET", jwt, ""), `{"name":"jwt","jwtConfiguration":{"audience":["c1"],"issuer":"https://issuer.example.com/pool"}}`)
}

// Issuers on this machine need no https: people run identity providers of their own
// there.
func TestAuthorizerIssuers(t *testing.T) {
	s := newTester(t)
	path := s.api("HTTP") + "/authorizers"
	path += "/" + id(s.call(201, "POST", path, jwtAuthorizer), "authorizerId")
	for _, issuer := range []string{"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc", "https://issuer.example.com/", "https://[2001:db8::1]:8443/a", "HTTPS://issuer.example.com", "http://localhost:8080/realms/a", "http://LOCALHOST", "http://idp.localhost", "http://127.0.0.1:9000", "http://127.9.9.9", "http://[::1]:9000"} {
		got := s.call(200, "PATCH", path, `{"jwtConfiguration":{"audience":["a"],"issuer":"`+issuer+`"}}`)
		s.shows(got, `{"jwtConfiguration":{"audience":["a"],"issuer":"`+issuer+`"}}`)
	}
	s.call(200, "PATCH", path, `{"jwtConfiguration":{"issuer":"https://issuer.example.com","audience":["a"`+strings.Repeat(`,"a"`, 49)+`]}}`)
}

func TestUpdateAuthorizer(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	full := with(requestAuthorizer, `{"authorizerCredentialsArn":"`+invoker+`","authorizerResultTtlInSeconds":60,"identitySource":["$request.header.a"],"enableSimpleResponses":true}`)
	for _, tt := range []struct{ name, api, create, patch, want string }{
		{"absent keeps", http, full, `{}`, full},
		{"null keeps", http, full, `{"authorizerCredentialsArn":null,"identitySource":null,"authorizerResultTtlInSeconds":null}`, full},
		{"credentials are cleared", http, full, `{"authorizerCredentialsArn":""}`, with(full, `{"authorizerCredentialsArn":null}`)},
		{"credentials of a WebSocket API are cleared", ws, with(webSocketAuthorizer, `{"authorizerCredentialsArn":"`+invoker+`"}`), `{"authorizerCredentialsArn":""}`, `{"authorizerCredentialsArn":null}`},
		{"sources are replaced", http, full, `{"identitySource":["$request.header.b","$context.identity.sourceIp"]}`, `{"identitySource":["$request.header.b","$context.identity.sourceIp"],"authorizerResultTtlInSeconds":60}`},
		{"sources are cleared with the TTL", http, full, `{"identitySource":[],"authorizerResultTtlInSeconds":0}`, `{"identitySource":null,"authorizerResultTtlInSeconds":0}`},
		{"sources of a WebSocket API are cleared", ws, with(webSocketAuthorizer, `{"identitySource":["route.request.header.a"]}`), `{"identitySource":[]}`, `{"identitySource":null,"authorizerResultTtlInSeconds":null}`},
		{"TTL stays zero", http, requestAuthorizer, `{"name":"b"}`, `{"authorizerResultTtlInSeconds":0,"name":"b"}`},
		{"simple responses are turned off", http, full, `{"enableSimpleResponses":false,"authorizerPayloadFormatVersion":"1.0"}`, `{"enableSimpleResponses":false,"authorizerPayloadFormatVersion":"1.0"}`},
		{"empty configuration of a REQUEST authorizer", http, full, `{"jwtConfiguration":{}}`, full},
		{"audience", http, jwtAuthorizer, `{"jwtConfiguration":{"issuer":"https://issuer.example.com/pool","audience":["c2","c1"]}}`, `{"jwtConfiguration":{"audience":["c2","c1"],"issuer":"https://issuer.example.com/pool"}}`},
		{"token source", http, jwtAuthorizer, `{"identitySource":["$request.querystring.t"]}`, `{"identitySource":["$request.querystring.t"]}`},
		{"JWT becomes REQUEST", http, jwtAuthorizer, `{"authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `","authorizerPayloadFormatVersion":"2.0","jwtConfiguration":{}}`,
			`{"authorizerType":"REQUEST","authorizerResultTtlInSeconds":0,"identitySource":["$request.header.Authorization"],"jwtConfiguration":null}`},
		{"its own name", http, full, `{"name":"a"}`, full},
	} {
		path := tt.api + "/authorizers/" + id(s.call(201, "POST", tt.api+"/authorizers", tt.create), "authorizerId")
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", path, "")
	}
	a := s.call(201, "POST", http+"/authorizers", requestAuthorizer)
	other := s.api("HTTP") // a name is unique in its API only
	if b := s.call(201, "POST", other+"/authorizers", requestAuthorizer); id(a, "name") != id(b, "name") {
		t.Errorf("got %s and %s", text(a), text(b))
	}
}

// An authorizer that a route asks stays, and stays one that can be asked.
func TestAuthorizerInUse(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	request := id(s.call(201, "POST", http+"/authorizers", with(requestAuthorizer, `{"name":"au"}`)), "authorizerId")
	jwt := id(s.call(201, "POST", http+"/authorizers", with(jwtAuthorizer, `{"name":"j w t"}`)), "authorizerId")
	socket := id(s.call(201, "POST", ws+"/authorizers", webSocketAuthorizer), "authorizerId")
	custom := http + "/routes/" + id(s.call(201, "POST", http+"/routes", `{"routeKey":"GET /a","authorizationType":"CUSTOM","authorizerId":"`+request+`"}`), "routeId")
	s.call(201, "POST", http+"/routes", `{"routeKey":"GET /b","authorizationType":"JWT","authorizerId":"`+jwt+`"}`)
	s.call(201, "POST", ws+"/routes", `{"routeKey":"$connect","authorizationType":"CUSTOM","authorizerId":"`+socket+`"}`)
	s.refuseAll([]refused{
		{"REQUEST", 409, "Cannot delete authorizer 'au', is referenced in route: GET /a", "DELETE", http + "/authorizers/" + request, ""},
		{"JWT", 409, "Cannot delete authorizer 'j w t', is referenced in route: GET /b", "DELETE", http + "/authorizers/" + jwt, ""},
		{"WebSocket", 409, "Cannot delete authorizer 'a', is referenced in route: $connect", "DELETE", ws + "/authorizers/" + socket, ""},
		{"another type", 409, "Cannot change the type of authorizer 'j w t', is referenced in route: GET /b", "PATCH", http + "/authorizers/" + jwt, `{"authorizerType":"REQUEST","authorizerUri":"` + authorizerURI + `","authorizerPayloadFormatVersion":"2.0","jwtConfiguration":{}}`},
		{"of another API", 404, "Invalid Authorizer identifier specified " + request, "DELETE", ws + "/authorizers/" + request, ""},
	})
	s.call(200, "PATCH", http+"/authorizers/"+request, `{"name":"renamed","authorizerType":"REQUEST"}`)
	s.refuse(409, "Cannot delete authorizer 'renamed', is referenced in route: GET /a", "DELETE", http+"/authorizers/"+request, "")

	s.shows(s.call(200, "PATCH", custom, `{"authorizationType":"NONE","authorizerId":""}`), `{"authorizationType":"NONE","authorizerId":null}`)
	s.call(204, "DELETE", http+"/authorizers/"+request, "")
}

// An issuer is asked for its configuration when it is new, and not otherwise.
func TestDiscover(t *testing.T) {
	var asked []string
	s := newTester(t, func(o *Options) {
		o.Discover = func(_ context.Context, url string) error {
			if asked = append(asked, url); strings.Contains(url, "bad") {
				return errors.New("no such host")
			}
			return nil
		}
	})
	api := s.api("HTTP")
	path := api + "/authorizers"
	body := func(issuer string) string {
		return with(jwtAuthorizer, `{"jwtConfiguration":{"audience":["a"],"issuer":"`+issuer+`"}}`)
	}
	heard := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(asked, want) {
			t.Errorf("%s: asked %q, want %q", what, asked, want)
		}
		asked = nil
	}
	message := func(issuer, from string) string {
		return "Caught exception when connecting to " + from + " for issuer " + issuer + ". Please try again later. Error: Invalid issuer: " + issuer + ". Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'"
	}
	jwt := path + "/" + id(s.call(201, "POST", path, body("https://good.example.com/pool")), "authorizerId")
	heard("create", "https://good.example.com/pool/.well-known/openid-configuration")
	s.call(200, "PATCH", jwt, `{"name":"b"}`)
	s.call(200, "PATCH", jwt, `{"jwtConfiguration":{"audience":["b"],"issuer":"https://good.example.com/pool"}}`)
	heard("updates without a new issuer")
	s.call(200, "PATCH", jwt, `{"jwtConfiguration":{"audience":["b"],"issuer":"https://good.example.com/"}}`)
	heard("a new issuer", "https://good.example.com/.well-known/openid-configuration")

	s.refuse(400, message("https://bad.example.com", "https://bad.example.com/.well-known/openid-configuration"), "POST", path, with(body("https://bad.example.com"), `{"name":"x"}`))
	heard("a bad issuer", "https://bad.example.com/.well-known/openid-configuration")
	s.refuse(400, message("https://bad.example.com/p/", "https://bad.example.com/p/.well-known/openid-configuration"), "PATCH", jwt, `{"jwtConfiguration":{"audience":["a"],"issuer":"https://bad.example.com/p/"}}`)
	heard("a bad issuer in an update", "https://bad.example.com/p/.well-known/openid-configuration")
	s.shows(s.call(200, "GET", jwt, ""), `{"jwtConfiguration":{"audience":["b"],"issuer":"https://good.example.com/"}}`)

	s.refuse(400, "Invalid issuer: Issuer is not a valid URL for JWT Authorizer", "POST", path, body("http://bad.example.com"))
	s.refuse(400, "A JWT authorizer must have an audience, and none of them may be empty", "PATCH", jwt, `{"jwtConfiguration":{"issuer":"https://bad.example.com"}}`)
	s.call(201, "POST", path, with(requestAuthorizer, `{"name":"r"}`))
	heard("what is refused before, and what has no issuer")
}

// An edit that is made again, because another node was faster, asks no issuer again.
func TestDiscoverOnce(t *testing.T) {
	asked := 0
	var r *rival
	s := newTester(t, func(o *Options) {
		o.Discover = func(context.Context, string) error { asked++; return nil }
		r = &rival{Store: o.Store}
		o.Store = r
	})
	api := s.api("HTTP")
	r.key, r.left = "api."+strings.TrimPrefix(api, "/v2/apis/"), 3
	s.call(201, "POST", api+"/authorizers", jwtAuthorizer)
	if asked != 1 || r.left != 0 {
		t.Errorf("asked %d times, %d edits of others are left", asked, r.left)
	}
}

func TestAuthorizerQuota(t *testing.T) {
	s := newTester(t)
	path := s.api("HTTP") + "/authorizers"
	for i := range 10 {
		s.call(201, "POST", path, with(requestAuthorizer, fmt.Sprintf(`{"name":"a%d"}`, i)))
	}
	s.refuse(400, "Maximum number of Authorizers for this API has been reached.  Please contact AWS if you need additional Authorizers.", "POST", path, requestAuthorizer)
	s.call(201, "POST", s.api("HTTP")+"/authorizers", requestAuthorizer)
}

// Each reset of a stage's authorizer results is stored: all nodes that serve the
// stage see that there was one.
func TestResetAuthorizersCache(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for _, stage := range []string{"$default", "prod"} {
		s.call(201, "POST", api+"/stages", `{"stageName":"`+stage+`"}`)
	}
	before := text(s.call(200, "GET", api+"/stages/prod", ""))
	for _, stage := range []string{"prod", "%24default", "prod"} {
		if r := s.do("DELETE", api+"/stages/"+stage+"/cache/authorizers", ""); r.status != 204 || r.body != "" {
			t.Errorf("%s: got %d %s", stage, r.status, r.body)
		}
	}
	resets := func() string {
		stored, _ := s.store.Get("api." + strings.TrimPrefix(api, "/v2/apis/"))
		d, err := model.ParseAPI(stored.Data)
		if err != nil {
			t.Fatal(err)
		}
		return text(d.AuthorizerResets)
	}
	if got := resets(); got != `{"$default":2,"prod":3}` {
		t.Errorf("stored %s", got)
	}
	if got := text(s.call(200, "GET", api+"/stages/prod", "")); got != before {
		t.Errorf("the stage is now %s, was %s", got, before)
	}
	s.refuseAll([]refused{
		{"unknown stage", 404, "Invalid stage identifier specified", "DELETE", api + "/stages/nope/cache/authorizers", ""},
		{"stage of another API", 404, "Invalid stage identifier specified", "DELETE", s.api("HTTP") + "/stages/prod/cache/authorizers", ""},
		{"unknown API", 404, "Invalid API identifier specified 123456789012:zzzzzzzzzz", "DELETE", "/v2/apis/zzzzzzzzzz/stages/prod/cache/authorizers", ""},
	})

	// Nothing is kept of a stage that is gone; one with its name is another.
	s.call(204, "DELETE", api+"/stages/prod", "")
	if got := resets(); got != `{"$default":2}` {
		t.Errorf("of a stage that is gone is stored %s", got)
	}
	s.call(201, "POST", api+"/stages", `{"stageName":"prod"}`)
	s.call(204, "DELETE", api+"/stages/prod/cache/authorizers", "")
	if got := resets(); got != `{"$default":2,"prod":4}` {
		t.Errorf("of another stage is stored %s", got)
	}
}

func TestExampleWebSocketAuthorizer(t *testing.T) {
	s := newTester(t)
	path := s.api("WEBSOCKET") + "/authorizers"
	if r := s.do("POST", path, requestAuthorizer); r.status != 400 {
		t.Errorf("with a payload format version: got %d %s", r.status, r.body)
	}
	s.shows(s.call(201, "POST", path, webSocketAuthorizer), `{"authorizerPayloadFormatVersion":null,"authorizerResultTtlInSeconds":null}`)
}
