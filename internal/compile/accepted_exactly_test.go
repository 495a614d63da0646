package compile

import (
	"fmt"
	"strings"
	"testing"

	"penstock/internal/mapping"
)

// What the control plane says of a mapping.
const (
	badValue  = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: %s]"
	badHeader = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Operations on header %s are restricted]"
	badSource = "Invalid identity source expression: %s"
	badURI    = "Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
	badFormat = "Access Log format contains context variables that are not supported: [%s]"
)

func requestMapping(key, value string) offered {
	return offered{integration: members{"requestParameters": map[string]string{key: value}}}
}

func responseMapping(key, value string) offered {
	return offered{integration: members{"responseParameters": map[string]map[string]string{"200": {key: value}}}}
}

func identity(source string) offered {
	return offered{authorizer: members{"identitySource": []string{source}}}
}

func authorizerURI(uri string) offered { return offered{authorizer: members{"authorizerUri": uri}} }

func accessLogFormat(format string) offered {
	return offered{settings: []members{accessLogOf("$context.requestId " + format)}}
}

// TestAcceptedExactly: what compiles is accepted and served, and what does not is
// refused with the reason, not answered with 500 by the routes that have it.
func TestAcceptedExactly(t *testing.T) {
	t.Parallel()
	p := newPlanes(t)
	for _, tt := range []struct {
		name    string
		offered offered
		message string // of the refusal; "" if accepted
	}{
		{"context variable", requestMapping("append:header.a", "$context.identity.sourceIp"), ""},
		{"context variable of an authorizer", requestMapping("append:header.a", "${context.authorizer.claims.sub}-${context.authorizer.x}"), ""},
		{"context variable without a value", requestMapping("append:header.a", "$context.identity.principalOrgId"), ""},
		{"unknown context variable", requestMapping("append:header.a", "$context.foo"), fmt.Sprintf(badValue, "$context.foo")},
		{"unknown context variable in text", requestMapping("overwrite:path", "/${context.resourcePath}"), fmt.Sprintf(badValue, "/${context.resourcePath}")},
		{"nothing of an authorizer", requestMapping("append:header.a", "$context.authorizer."), fmt.Sprintf(badValue, "$context.authorizer.")},
		{"unknown context variable in a response", responseMapping("append:header.a", "$context.foo"), fmt.Sprintf(badValue, "$context.foo")},
		{"context variable in a response", responseMapping("append:header.a", "$context.status"), ""},

		{"path variable of no route", requestMapping("append:header.a", "$request.path.other"), ""},
		{"path variable of no route in text", requestMapping("overwrite:path", "/${request.path.other}/${request.path.id}"), ""},
		{"stage variable that there is not", requestMapping("append:header.a", "$stageVariables.other"), ""},

		{"body", requestMapping("append:header.a", "$request.body"), ""},
		{"path in a body", requestMapping("append:header.a", `$request.body.a['b.c'][0]["d"]`), ""},
		{"element of a body", responseMapping("append:header.a", "$response.body[0].a"), ""},
		{"all elements", requestMapping("append:header.a", "$request.body.a[*]"), fmt.Sprintf(badValue, "$request.body.a[*]")},
		{"all members", responseMapping("append:header.a", "$response.body.*"), fmt.Sprintf(badValue, "$response.body.*")},
		{"function", requestMapping("append:header.a", "$request.body.a.length()"), fmt.Sprintf(badValue, "$request.body.a.length()")},
		{"filter", requestMapping("append:header.a", "$request.body[?(@.a)]"), fmt.Sprintf(badValue, "$request.body[?(@.a)]")},
		{"descent", requestMapping("append:header.a", "$request.body..a"), fmt.Sprintf(badValue, "$request.body..a")},
		{"open bracket", requestMapping("append:header.a", "${request.body.a[0}"), fmt.Sprintf(badValue, "${request.body.a[0}")},
		{"open quote", responseMapping("append:header.a", "$response.body['a]"), fmt.Sprintf(badValue, "$response.body['a]")},

		{"Host", requestMapping("overwrite:header.Host", "a"), ""},
		{"removed Host", requestMapping("remove:header.Host", "''"), ""},
		{"Content-Type", requestMapping("overwrite:header.Content-Type", "a"), ""},
		{"Cookie", requestMapping("append:header.Cookie", "a"), ""},
		{"User-Agent", requestMapping("remove:header.User-Agent", "''"), ""},
		{"X-Forwarded-Port", requestMapping("overwrite:header.X-Forwarded-Port", "1"), ""},
		{"Set-Cookie", responseMapping("append:header.Set-Cookie", "a=b"), ""},
		{"Trailer", requestMapping("append:header.Trailer", "a"), fmt.Sprintf(badHeader, "Trailer")},
		{"Expect", requestMapping("remove:header.Expect", "''"), fmt.Sprintf(badHeader, "Expect")},
		{"Proxy-Connection", responseMapping("append:header.Proxy-Connection", "a"), fmt.Sprintf(badHeader, "Proxy-Connection")},
		{"HTTP2-Settings", requestMapping("append:header.HTTP2-Settings", "a"), fmt.Sprintf(badHeader, "HTTP2-Settings")},
		{"X_Forwarded_For", requestMapping("overwrite:header.X_Forwarded_For", "a"), fmt.Sprintf(badHeader, "X_Forwarded_For")},
		{"content_length", responseMapping("overwrite:header.content_length", "a"), fmt.Sprintf(badHeader, "content_length")},

		{"identity source", identity("$context.identity.sourceIp"), ""},
		{"route as an identity source", identity("$context.routeKey"), ""},
		{"stage variable as an identity source", identity("$stageVariables.other"), ""},
		{"unknown identity source", identity("$context.foo"), fmt.Sprintf(badSource, "$context.foo")},
		{"identity source of WebSocket APIs", identity("$context.connectionId"), fmt.Sprintf(badSource, "$context.connectionId")},

		{"function with a version", authorizerURI(invocation(testFunction + ":1")), ""},
		{"function of a stage variable", authorizerURI(invocation("${stageVariables.v}")), ""},
		{"alias of a stage variable", authorizerURI(invocation(testFunction + ":${stageVariables.v}")), ""},
		{"no function", authorizerURI(invocation("f")), fmt.Sprintf(badURI, invocation("f"))},
		{"half a stage variable", authorizerURI(invocation(testFunction + "${stageVariables.v")), fmt.Sprintf(badURI, invocation(testFunction+"${stageVariables.v"))},

		{"CLF", accessLogFormat(mapping.FormatCLF), ""},
		{"JSON", accessLogFormat(mapping.FormatJSON), ""},
		{"XML", accessLogFormat(mapping.FormatXML), ""},
		{"CSV", accessLogFormat(mapping.FormatCSV), ""},
		{"dots in a format", accessLogFormat("$context.status. $context.. $context. $context"), ""},
		{"unknown variable in a format", accessLogFormat("$context.foo $context.status"), fmt.Sprintf(badFormat, "foo")},
		{"nothing of an authorizer in a format", accessLogFormat("$context.authorizer."), fmt.Sprintf(badFormat, "authorizer")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.accept(t, tt.offered)
			id := p.api(t)
			var status int
			var answer map[string]any
			switch o := tt.offered; {
			case o.integration != nil:
				status, answer = p.send(t, "POST", "/"+id+"/integrations", newIntegration(o.integration))
			case o.authorizer != nil:
				status, answer = p.send(t, "POST", "/"+id+"/authorizers", newAuthorizer(o.authorizer))
			default:
				o.settings[0]["stageName"] = "s"
				status, answer = p.send(t, "POST", "/"+id+"/stages", o.settings[0])
			}
			want := 201
			if tt.message != "" {
				want = 400
			}
			if said, _ := answer["message"].(string); status != want || said != tt.message {
				t.Errorf("got %d %q, want %d %q", status, said, want, tt.message)
			}
		})
	}
}

// TestAcceptedEqually: of header names, context variables and paths into bodies, both
// planes take the same.
func TestAcceptedEqually(t *testing.T) {
	t.Parallel()
	p := newPlanes(t)
	path := "/" + p.api(t)
	taken, refused := 0, 0
	// same compares whether an entry of a mapping is accepted, and whether it compiles.
	same := func(place, key, value string) {
		t.Helper()
		requests, responses := map[string]string{key: value}, map[string]map[string]string{"200": {key: value}}
		var parameters any = requests
		_, err := mapping.CompileRequest(requests, mapping.Scope{})
		if place == "responseParameters" {
			parameters = responses
			_, err = mapping.CompileResponse(responses, mapping.Scope{})
		}
		got := p.call(t, "POST", path+"/integrations", newIntegration(members{place: parameters}))
		if got == nil {
			refused++
		} else {
			taken++
			p.call(t, "DELETE", path+"/integrations/"+fmt.Sprint(got["integrationId"]), nil)
		}
		if (got != nil) != (err == nil) {
			t.Errorf("%s %q %q: accepted is %t, compiling says %v", place, key, value, got != nil, err)
		}
	}

	for _, name := range strings.Fields("Host Content-Type Cookie User-Agent X-Forwarded-Port X-Forwarded-Por Date Server Accept Set-Cookie Trailer Trailers Trail_er T_E TE Expect Expected " +
		"Proxy Proxy- Proxy-X proxy_authorization HTTP2-Settings http2_settings HTTP2 X-Forwarded-For X_Forwarded_For x_forwarded-HOST X-Forwarded Forwarded Via V_ia " +
		"x-amz x-amz- x_amz_date X-Amzn-Trace-Id Apigw_RequestId x-apigw-requestid access_control_x Access-Control Authorization Origin Origins Connection keep_alive Keep-Alive " +
		"Upgrade Content-Length content_length Content_Encoding Content-Location Transfer_Encoding _ - a/b a:b (a) é {a}") {
		for _, action := range []string{"append", "overwrite", "remove"} {
			same("requestParameters", action+":header."+name, "x")
			same("responseParameters", action+":header."+name, "x")
		}
	}

	for _, name := range strings.Fields("accountId apiId authorizer.claims.sub authorizer.error authorizer.principalId authorizer.x authorizer.. awsEndpointRequestId awsEndpointRequestId2 customDomain.basePathMatched " +
		"dataProcessed domainName domainPrefix error.message error.messageString error.responseType extendedRequestId httpMethod " +
		"identity.accountId identity.caller identity.user identity.userArn identity.principalOrgId identity.cognitoAuthenticationProvider identity.cognitoAuthenticationType identity.cognitoIdentityId identity.cognitoIdentityPoolId " +
		"identity.clientCert.clientCertPem identity.clientCert.subjectDN identity.clientCert.issuerDN identity.clientCert.serialNumber identity.clientCert.validity.notBefore identity.clientCert.validity.notAfter " +
		"identity.sourceIp identity.userAgent integration.error integration.integrationStatus integration.latency integration.requestId integration.status integrationErrorMessage integrationLatency integrationStatus " +
		"path protocol requestId requestTime requestTimeEpoch responseLatency responseLength routeKey stage status " +
		". authorizer authorizer. identity identity. identity.apiKey integration customDomain error requestid requestId. .requestId resourcePath resourceId connectionId eventType messageId wafResponseCode foo foo.bar a-b") {
		for _, value := range []string{"$context." + name, "a ${context." + name + "}"} {
			same("requestParameters", "append:header.a", value)
			same("responseParameters", "append:header.a", value)
		}
		source := "$context." + name
		_, err := mapping.ParseRequest(source, mapping.Scope{})
		got := p.call(t, "POST", path+"/authorizers", newAuthorizer(members{"identitySource": []string{source}}))
		if got != nil {
			p.call(t, "DELETE", path+"/authorizers/"+fmt.Sprint(got["authorizerId"]), nil)
		}
		if (got != nil) != (err == nil) {
			t.Errorf("identity source %s: accepted is %t, compiling says %v", source, got != nil, err)
		}
		format := "$context.requestId " + source + "$context.stage"
		_, err = mapping.ParseFormat(format)
		got = p.call(t, "POST", path+"/stages", members{"stageName": "s", "accessLogSettings": accessLogOf(format)["accessLogSettings"]})
		if got != nil {
			p.call(t, "DELETE", path+"/stages/s", nil)
		}
		if (got != nil) != (err == nil) {
			t.Errorf("format %s: accepted is %t, compiling says %v", format, got != nil, err)
		}
	}

	steps := []string{"", ".a", ".a b", ".é", ".$", ".{", ".", "..a", ".*", ".a*", ".len()", ".'a'", "a", "*", "[0]", "[007]", "[999999999]", "[]", "[*]", "[-1]", "[+1]", "[1:2]", "[a]", "[0", "]", "[", "[ 0]", "[99999999999]",
		"['a']", `["a"]`, `['"']`, `["']`, `['a'`, `['']`, `['a\'b']`, `['a\']`, `['\\']`, `[\'a']`, "['a','b']", "['a'b]", "['a..b(*)?@']", "[?(@.a)]", "[(@.length-1)]", "(a)"}
	for _, a := range steps {
		for _, b := range steps {
			same("requestParameters", "append:header.a", "$request.body"+a+b)
			if a == "" {
				same("responseParameters", "append:header.a", "${response.body"+b+"}${response.body"+b+"}")
			}
		}
	}
	if taken < 500 || refused < 500 {
		t.Errorf("%d accepted and %d refused are too few of one", taken, refused)
	}
}
