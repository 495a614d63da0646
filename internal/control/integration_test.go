package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	functionARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
	invokeARN   = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
	listener    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2"
	cloudMap    = "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-id?stage=prod"
	role        = "arn:aws:iam::123456789012:role/r"
)

// Every type on every protocol comes back with every member it has there, and no
// other.
func TestIntegrationMembers(t *testing.T) {
	s := newTester(t)
	apis := map[string]string{"HTTP": s.api("HTTP"), "WEBSOCKET": s.api("WEBSOCKET")}
	for _, tt := range []struct{ name, protocol, body, want string }{
		{"HTTP_PROXY", "HTTP", httpProxy,
			`{"connectionType":"INTERNET","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"https://example.com","payloadFormatVersion":"1.0","timeoutInMillis":30000}`},
		{"HTTP_PROXY with everything", "HTTP", `{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"https://${stageVariables.host}/a/{b}?c=d","payloadFormatVersion":"1.0","timeoutInMillis":50,"description":"d","connectionId":"l1","credentialsArn":"` + role + `","passthroughBehavior":"WHEN_NO_MATCH","requestParameters":{"overwrite:path":"/x"},"responseParameters":{"200":{"remove:header.server":"''"}}}`,
			`{"connectionId":"l1","connectionType":"INTERNET","credentialsArn":"` + role + `","description":"d","integrationMethod":"POST","integrationType":"HTTP_PROXY","integrationUri":"https://${stageVariables.host}/a/{b}?c=d","payloadFormatVersion":"1.0","requestParameters":{"overwrite:path":"/x"},"responseParameters":{"200":{"remove:header.server":"''"}},"timeoutInMillis":50}`},
		{"HTTP_PROXY over a VPC link", "HTTP", `{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"` + listener + `","connectionType":"VPC_LINK","connectionId":"l1","tlsConfig":{"serverNameToVerify":"example.com"}}`,
			`{"connectionId":"l1","connectionType":"VPC_LINK","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"` + listener + `","payloadFormatVersion":"1.0","timeoutInMillis":30000,"tlsConfig":{"serverNameToVerify":"example.com"}}`},
		{"AWS_PROXY", "HTTP", `{"integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `","payloadFormatVersion":"2.0"}`,
			`{"connectionType":"INTERNET","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `","payloadFormatVersion":"2.0","timeoutInMillis":30000}`},
		{"AWS_PROXY without a payload version", "HTTP", `{"integrationType":"AWS_PROXY","integrationUri":"` + invokeARN + `"}`,
			`{"connectionType":"INTERNET","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + invokeARN + `","payloadFormatVersion":"1.0","timeoutInMillis":30000}`},
		{"AWS_PROXY with stage variables", "HTTP", `{"integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `:${stageVariables.alias}"}`,
			`{"connectionType":"INTERNET","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `:${stageVariables.alias}","payloadFormatVersion":"1.0","timeoutInMillis":30000}`},
		{"subtype", "HTTP", `{"integrationType":"AWS_PROXY","integrationSubtype":"SQS-SendMessage","credentialsArn":"` + role + `","integrationMethod":"POST","requestParameters":{"QueueUrl":"$request.header.q","MessageBody":"a\nb"}}`,
			`{"connectionType":"INTERNET","credentialsArn":"` + role + `","integrationSubtype":"SQS-SendMessage","integrationType":"AWS_PROXY","payloadFormatVersion":"1.0","requestParameters":{"MessageBody":"a\nb","QueueUrl":"$request.header.q"},"timeoutInMillis":30000}`},

		{"MOCK", "WEBSOCKET", `{"integrationType":"MOCK"}`,
			`{"connectionType":"INTERNET","integrationResponseSelectionExpression":"${integration.response.statuscode}","integrationType":"MOCK","passthroughBehavior":"WHEN_NO_MATCH","payloadFormatVersion":"1.0","timeoutInMillis":29000}`},
		{"HTTP", "WEBSOCKET", `{"integrationType":"HTTP","integrationMethod":"GET","integrationUri":"https://example.com","contentHandlingStrategy":"CONVERT_TO_BINARY","credentialsArn":"` + role + `","description":"d","passthroughBehavior":"NEVER","requestParameters":{"integration.request.querystring.stage":"'v1'"},"requestTemplates":{"application/json":""},"templateSelectionExpression":"$request.body.name","timeoutInMillis":28999,"tlsConfig":{"serverNameToVerify":"x"}}`,
			`{"connectionType":"INTERNET","contentHandlingStrategy":"CONVERT_TO_BINARY","credentialsArn":"` + role + `","description":"d","integrationMethod":"GET","integrationResponseSelectionExpression":"${integration.response.statuscode}","integrationType":"HTTP","integrationUri":"https://example.com","passthroughBehavior":"NEVER","payloadFormatVersion":"1.0","requestParameters":{"integration.request.querystring.stage":"'v1'"},"requestTemplates":{"application/json":""},"templateSelectionExpression":"$request.body.name","timeoutInMillis":28999}`},
		{"HTTP_PROXY", "WEBSOCKET", httpProxy,
			`{"connectionType":"INTERNET","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"https://example.com","payloadFormatVersion":"1.0","timeoutInMillis":29000}`},
		{"HTTP_PROXY that never passes through", "WEBSOCKET", with(httpProxy, `{"passthroughBehavior":"NEVER"}`),
			`{"connectionType":"INTERNET","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"https://example.com","passthroughBehavior":"NEVER","payloadFormatVersion":"1.0","timeoutInMillis":29000}`},
		{"HTTP_PROXY over a VPC link", "WEBSOCKET", with(httpProxy, `{"connectionType":"VPC_LINK","connectionId":"${stageVariables.link}"}`),
			`{"connectionId":"${stageVariables.link}","connectionType":"VPC_LINK","integrationMethod":"ANY","integrationType":"HTTP_PROXY","integrationUri":"https://example.com","payloadFormatVersion":"1.0","timeoutInMillis":29000}`},
		{"AWS_PROXY", "WEBSOCKET", `{"integrationType":"AWS_PROXY","integrationUri":"` + invokeARN + `"}`,
			`{"connectionType":"INTERNET","integrationMethod":"POST","integrationType":"AWS_PROXY","integrationUri":"` + invokeARN + `","payloadFormatVersion":"1.0","timeoutInMillis":29000}`},
		{"AWS", "WEBSOCKET", `{"integrationType":"AWS","integrationUri":"arn:aws:apigateway:us-east-1:sqs:path/123456789012/q","credentialsArn":"` + role + `","requestTemplates":{"$default":"Action=SendMessage"}}`,
			`{"connectionType":"INTERNET","credentialsArn":"` + role + `","integrationMethod":"POST","integrationResponseSelectionExpression":"${integration.response.body.errorMessage}","integrationType":"AWS","integrationUri":"arn:aws:apigateway:us-east-1:sqs:path/123456789012/q","passthroughBehavior":"WHEN_NO_MATCH","payloadFormatVersion":"1.0","requestTemplates":{"$default":"Action=SendMessage"},"timeoutInMillis":29000}`},
	} {
		path := apis[tt.protocol] + "/integrations"
		got := s.call(201, "POST", path, tt.body)
		integrationID := id(got, "integrationId")
		if !isID(integrationID) || len(integrationID) != 7 {
			t.Errorf("%s %s: ID %q", tt.protocol, tt.name, integrationID)
		}
		if read := s.call(200, "GET", path+"/"+integrationID, ""); text(read) != text(got) {
			t.Errorf("%s %s: read %s, created %s", tt.protocol, tt.name, text(read), text(got))
		}
		listed := s.call(200, "GET", path+"?maxResults=100", "")["items"].([]any)
		if !slices.ContainsFunc(listed, func(item any) bool { return text(item) == text(got) }) {
			t.Errorf("%s %s: not listed as created", tt.protocol, tt.name)
		}
		delete(got, "integrationId")
		if text(got) != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.protocol, tt.name, text(got), tt.want)
		}
		// An update that says nothing changes nothing.
		if same := s.call(200, "PATCH", path+"/"+integrationID, "{}"); with(text(same), `{"integrationId":null}`) != tt.want {
			t.Errorf("%s %s: updated %s", tt.protocol, tt.name, text(same))
		}
	}
}

func TestIntegrationMessages(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP")+"/integrations", s.api("WEBSOCKET")+"/integrations"
	existing := http + "/" + id(s.call(201, "POST", http, httpProxy), "integrationId")
	private := with(httpProxy, `{"connectionType":"VPC_LINK","connectionId":"l1","integrationUri":"`+listener+`"}`)
	lambda := `{"integrationType":"AWS_PROXY","integrationUri":"` + functionARN + `"}`
	sqs := `{"integrationType":"AWS_PROXY","integrationSubtype":"SQS-SendMessage","credentialsArn":"` + role + `","requestParameters":{"QueueUrl":"q","MessageBody":"b"}}`
	const (
		vpcURI    = "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN."
		httpTypes = "Integrations of type %s are not supported for HTTP APIs. Must be one of [AWS_PROXY, HTTP_PROXY]"
	)
	s.refuseAll([]refused{
		{"type missing", 400, "Invalid request input: integrationType is required", "POST", http, `{}`},
		{"type unknown", 400, "Invalid request input: integrationType must be one of [AWS, HTTP, MOCK, HTTP_PROXY, AWS_PROXY]", "POST", http, `{"integrationType":"SMTP"}`},
		{"AWS on an HTTP API", 400, fmt.Sprintf(httpTypes, "AWS"), "POST", http, with(lambda, `{"integrationType":"AWS"}`)},
		{"HTTP on an HTTP API", 400, fmt.Sprintf(httpTypes, "HTTP"), "POST", http, with(httpProxy, `{"integrationType":"HTTP"}`)},
		{"MOCK on an HTTP API", 400, fmt.Sprintf(httpTypes, "MOCK"), "POST", http, `{"integrationType":"MOCK"}`},
		{"MOCK on an HTTP API in an update", 400, fmt.Sprintf(httpTypes, "MOCK"), "PATCH", existing, `{"integrationType":"MOCK"}`},
		{"method missing", 400, "HttpMethod parameter method must be specified for integrationType HTTPPROXY", "POST", http, with(httpProxy, `{"integrationMethod":null}`)},
		{"method missing on a WebSocket API", 400, "HttpMethod parameter method must be specified for integrationType HTTPPROXY", "POST", ws, with(httpProxy, `{"integrationMethod":null}`)},
		{"method unknown", 400, "Invalid HTTP method specified: get", "POST", http, with(httpProxy, `{"integrationMethod":"get"}`)},
		{"method of MOCK", 400, "Invalid HTTP method specified: A B", "POST", ws, `{"integrationType":"MOCK","integrationMethod":"A B"}`},
		{"method with a line break", 400, "Invalid HTTP method specified: GET\r\nA: b", "POST", http, with(httpProxy, `{"integrationMethod":"GET\r\nA: b"}`)},
		{"payload version unknown", 400, "Unsupported PayloadFormatVersion: 3.0", "POST", http, with(lambda, `{"payloadFormatVersion":"3.0"}`)},
		{"payload version 2.0 on a WebSocket API", 400, "Unsupported PayloadFormatVersion: 2.0", "POST", ws, with(lambda, `{"payloadFormatVersion":"2.0"}`)},
		{"payload version 2.0 of HTTP_PROXY", 400, "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY", "POST", http, with(httpProxy, `{"payloadFormatVersion":"2.0"}`)},
		{"timeout too short", 400, "Timeout should be between 50 ms and 30000 ms", "POST", http, with(httpProxy, `{"timeoutInMillis":49}`)},
		{"timeout too long", 400, "Timeout should be between 50 ms and 30000 ms", "PATCH", existing, `{"timeoutInMillis":30001}`},
		{"timeout too short on a WebSocket API", 400, "Timeout should be between 50 ms and 29000 ms", "POST", ws, `{"integrationType":"MOCK","timeoutInMillis":-1}`},
		{"timeout too long on a WebSocket API", 400, "Timeout should be between 50 ms and 29000 ms", "POST", ws, `{"integrationType":"MOCK","timeoutInMillis":29001}`},
		{"VPC link missing", 400, "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK", "POST", http, with(private, `{"connectionId":null}`)},
		{"VPC link missing on a WebSocket API", 400, "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK", "POST", ws, with(httpProxy, `{"connectionType":"VPC_LINK"}`)},
		{"VPC link to a load balancer", 400, vpcURI, "POST", http, with(private, `{"integrationUri":"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/50dc"}`)},
		{"VPC link to a function", 400, vpcURI, "POST", http, with(lambda, `{"connectionType":"VPC_LINK","connectionId":"l1"}`)},
		{"function behind a listener", 400, "Invalid integration uri specified: " + listener + ". Must be the ARN of a Lambda function, or the ARN to invoke it", "POST", http, with(private, `{"integrationType":"AWS_PROXY"}`)},
		{"VPC link to a URL", 400, vpcURI, "POST", http, with(private, `{"integrationUri":"https://example.com"}`)},
		{"connection type unknown", 400, "Invalid request input: connectionType must be one of [INTERNET, VPC_LINK]", "POST", http, with(httpProxy, `{"connectionType":"X"}`)},
		{"TLS without a VPC link", 400, "TlsConfig is only valid for ConnectionType VPC_LINK", "POST", http, with(httpProxy, `{"tlsConfig":{"serverNameToVerify":"x"}}`)},
		{"subtype unknown", 400, "Operation: SNS-Publish is not supported.", "POST", http, with(sqs, `{"integrationSubtype":"SNS-Publish"}`)},
		{"subtype with another payload version", 400, "Operation: SQS-SendMessage is not supported.", "POST", http, with(sqs, `{"payloadFormatVersion":"2.0"}`)},
		{"subtype without a role", 400, "Role ARN must be specified for AWS integration configuration with Subtype: SQS-SendMessage", "POST", http, with(sqs, `{"credentialsArn":null}`)},
		{"subtype without a required parameter", 400, "Operation: SQS-SendMessage requires enabling passthrough, or defining all of the following parameters: QueueUrl, MessageBody", "POST", http, with(sqs, `{"requestParameters":{"QueueUrl":"q"}}`)},
		{"subtype with an unknown parameter", 400, "Operation: SQS-SendMessage does not support the parameter queueUrl.", "POST", http, with(sqs, `{"requestParameters":{"QueueUrl":"q","MessageBody":"b","queueUrl":"q"}}`)},
		{"subtype with a bad expression", 400, "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: $request.cookie.a]", "POST", http, with(sqs, `{"requestParameters":{"QueueUrl":"q","MessageBody":"$request.cookie.a"}}`)},
		{"subtype with a context variable that there is not", 400, "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: $context.foo]", "POST", http, with(sqs, `{"requestParameters":{"QueueUrl":"q","MessageBody":"$context.foo"}}`)},
		{"subtype with a URI", 400, "IntegrationUri must not be specified together with IntegrationSubtype", "POST", http, with(sqs, `{"integrationUri":"https://example.com"}`)},
		{"subtype of HTTP_PROXY", 400, "IntegrationSubtype is only valid for integrations of type AWS_PROXY", "POST", http, with(httpProxy, `{"integrationSubtype":"SQS-SendMessage"}`)},
		{"subtype on a WebSocket API", 400, "IntegrationSubtype is not currently supported for WebSocket APIs.", "POST", ws, sqs},
		{"response parameters on a WebSocket API", 400, "ResponseParameters is not currently supported for WebSocket APIs.", "POST", ws, with(httpProxy, `{"responseParameters":{"200":{"remove:header.a":"''"}}}`)},
		{"templates on an HTTP API", 400, "RequestTemplates is not currently supported for HTTP APIs.", "POST", http, with(httpProxy, `{"requestTemplates":{"a":"b"}}`)},
		{"template selection on an HTTP API", 400, "TemplateSelectionExpression is not currently supported for HTTP APIs.", "POST", http, with(httpProxy, `{"templateSelectionExpression":"a"}`)},
		{"content handling on an HTTP API", 400, "ContentHandlingStrategy is not currently supported for HTTP APIs.", "POST", http, with(httpProxy, `{"contentHandlingStrategy":"CONVERT_TO_TEXT"}`)},
		{"URI missing", 400, "IntegrationUri must be specified for integrations of type HTTP_PROXY", "POST", http, with(httpProxy, `{"integrationUri":null}`)},
		{"URI of another scheme", 400, "Invalid integration uri specified: file:///etc/passwd. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"file:///etc/passwd"}`)},
		{"URI with a control character", 400, "Invalid integration uri specified: https://a\x00b. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"https://a\u0000b"}`)},
		{"URI with two schemes", 400, "Invalid integration uri specified: http://http://a/{b}. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"http://http://a/{b}"}`)},
		{"URI with an unclosed stage variable", 400, "Invalid integration uri specified: http://a/${stageVariables.x. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"http://a/${stageVariables.x"}`)},
		{"URI with user information", 400, "Invalid integration uri specified: http://u:p@a. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"http://u:p@a"}`)},
		{"URI without a host", 400, "Invalid integration uri specified: https:///a. Must be an HTTP or HTTPS URL", "POST", http, with(httpProxy, `{"integrationUri":"https:///a"}`)},
		{"URI that is no function", 400, "Invalid integration uri specified: https://example.com. Must be the ARN of a Lambda function, or the ARN to invoke it", "POST", http, with(lambda, `{"integrationUri":"https://example.com"}`)},
		{"URI of another service with AWS_PROXY", 400, "Invalid integration uri specified: arn:aws:apigateway:us-east-1:sqs:path/q. Must be the ARN of a Lambda function, or the ARN to invoke it", "POST", ws, with(lambda, `{"integrationUri":"arn:aws:apigateway:us-east-1:sqs:path/q"}`)},
		{"URI that is no service", 400, "Invalid integration uri specified: arn:aws:sqs:us-east-1:1:q. Must be arn:<partition>:apigateway:<region>:<service>:action/<action> or :path/<path>", "POST", ws, `{"integrationType":"AWS","integrationUri":"arn:aws:sqs:us-east-1:1:q"}`},
		{"unknown in a get", 404, "Invalid Integration identifier specified zzzzzzz", "GET", http + "/zzzzzzz", ""},
		{"unknown in an update", 404, "Invalid Integration identifier specified zzzzzzz", "PATCH", http + "/zzzzzzz", "{}"},
		{"unknown in an update, after the body", 400, "description: must be a string", "PATCH", http + "/zzzzzzz", `{"description":1}`},
		{"unknown in a delete", 404, "Invalid Integration identifier specified zzzzzzz", "DELETE", http + "/zzzzzzz", ""},
		{"of another API", 404, "Invalid Integration identifier specified " + existing[len(http)+1:], "GET", ws + existing[len(http):], ""},
		{"of another API in a delete", 404, "Invalid Integration identifier specified " + existing[len(http)+1:], "DELETE", ws + existing[len(http):], ""},
	})
	s.call(200, "GET", existing, "")
}

// Each subtype is accepted with what it needs and refused without any of it.
func TestSubtypes(t *testing.T) {
	s := newTester(t)
	path := s.api("HTTP") + "/integrations"
	for name, action := range subtypes {
		all := map[string]string{}
		for _, parameter := range slices.Concat(action.required, action.optional) {
			all[parameter] = "$request.body." + parameter
		}
		body := map[string]any{"integrationType": "AWS_PROXY", "integrationSubtype": name, "credentialsArn": role, "requestParameters": all}
		s.shows(s.call(201, "POST", path, text(body)), `{"integrationSubtype":"`+name+`","requestParameters":`+text(all)+`,"integrationMethod":null,"integrationUri":null}`)
		for _, parameter := range action.required {
			delete(all, parameter)
			s.refuse(400, "Operation: "+name+" requires enabling passthrough, or defining all of the following parameters: "+strings.Join(action.required, ", "), "POST", path, text(body))
			all[parameter] = "x"
		}
	}
	if len(subtypes) != 10 {
		t.Errorf("%d subtypes, want 10", len(subtypes))
	}
}

func TestRequestMapping(t *testing.T) {
	s := newTester(t)
	path := s.api("HTTP") + "/integrations"
	create := func(key, value string) (string, string) {
		return path, with(httpProxy, `{"requestParameters":`+text(map[string]string{key: value})+`}`)
	}
	for _, tt := range [][2]string{
		{"append:header.header1", "$context.requestId"},
		{"append:header.header2", "$request.header.header1"},
		{"remove:header.header1", "''"},
		{"overwrite:path", "$request.path"},
		{"overwrite:path", "/v2/${request.path.id}"},
		{"append:querystring.stage", "$context.stage"},
		{"overwrite:querystring.a b", "x"},
		{"remove:querystring.b", "''"},
		{"append:header.x-id", "$request.body.user.ids[0]"},
		{"append:header.x-body", "$request.body"},
		{"append:header.x", "$request.body[0]"},
		{"append:header.x", `${request.body['a.b'][12]["c(*)"].d e}!`},
		{"append:header.x", `$request.body['\'?(@)}']`},
		{"overwrite:header.Host", "backend.internal"},
		{"overwrite:header.Content-Type", "text/plain"},
		{"append:header.Cookie", "a=b"},
		{"remove:header.User-Agent", "''"},
		{"overwrite:header.X-Forwarded-Port", "443"},
		{"overwrite:header.x_forwarded", "y"},
		{"overwrite:header.proxy", "y"},
		{"overwrite:header.x-apigw-request-id", "$context.requestId"},
		{"append:header.x", "Bearer ${request.header.x-token}-${$stageVariables.a}"},
		{"append:header.x", "costs $5, {braces} and $other.things"},
		{"append:header.x", "$context.authorizer.claims.sub"},
		{"append:header.x", "${context.authorizer.principalId}/${context.identity.clientCert.validity.notAfter}"},
		{"append:header.x", "$request.header.Authorization"},
		{"append:header.x", "$request.querystring.a"},
		{"append:header.x", "$request.path.a"},
		{"append:header.x", "$stageVariables.a"},
	} {
		path, body := create(tt[0], tt[1])
		s.shows(s.call(201, "POST", path, body), `{"requestParameters":`+text(map[string]string{tt[0]: tt[1]})+`}`)
	}
	const (
		prefix = "Invalid mapping expression specified: Validation Result: warnings : [], errors : ["
		key    = prefix + "Invalid Request Actioned Parameter destination specified: %s]"
		value  = prefix + "Invalid mapping expression parameter specified: %s]"
		header = prefix + "Operations on header %s are restricted]"
	)
	for _, tt := range []struct{ name, key, value, message string }{
		{"action", "set:header.a", "b", fmt.Sprintf(key, "set:header.a")},
		{"place", "overwrite:body", "b", fmt.Sprintf(key, "overwrite:body")},
		{"path is only overwritten", "append:path", "b", fmt.Sprintf(key, "append:path")},
		{"path is not removed", "remove:path", "''", fmt.Sprintf(key, "remove:path")},
		{"path has no name", "overwrite:path.x", "b", fmt.Sprintf(key, "overwrite:path.x")},
		{"header without a name", "append:header.", "b", fmt.Sprintf(key, "append:header.")},
		{"header with a bad name", "append:header.a b", "b", fmt.Sprintf(key, "append:header.a b")},
		{"query parameter without a name", "append:querystring.", "b", fmt.Sprintf(key, "append:querystring.")},
		{"status code", "overwrite:statuscode", "200", fmt.Sprintf(key, "overwrite:statuscode")},
		{"WebSocket style", "integration.request.header.a", "'b'", fmt.Sprintf(key, "integration.request.header.a")},
		{"no source", "append:header.a", "$request.cookie.a", fmt.Sprintf(value, "$request.cookie.a")},
		{"source without a name", "append:header.a", "$request.header.", fmt.Sprintf(value, "$request.header.")},
		{"source of the other direction", "append:header.a", "$response.header.a", fmt.Sprintf(value, "$response.header.a")},
		{"context variable with a bad name", "append:header.a", "$context.a-b", fmt.Sprintf(value, "$context.a-b")},
		{"context variable that there is not", "append:header.a", "$context.foo", fmt.Sprintf(value, "$context.foo")},
		{"context variable that there is not, in braces", "append:header.a", "a ${context.requestHeader.x}", fmt.Sprintf(value, "a ${context.requestHeader.x}")},
		{"context variable in another case", "append:header.a", "$context.requestid", fmt.Sprintf(value, "$context.requestid")},
		{"context variable of REST APIs", "append:header.a", "$context.resourcePath", fmt.Sprintf(value, "$context.resourcePath")},
		{"context variable of WebSocket APIs", "append:header.a", "$context.connectionId", fmt.Sprintf(value, "$context.connectionId")},
		{"group of context variables", "append:header.a", "$context.identity", fmt.Sprintf(value, "$context.identity")},
		{"authorizer without a member", "append:header.a", "$context.authorizer.", fmt.Sprintf(value, "$context.authorizer.")},
		{"context variable and a dot", "append:header.a", "$context.requestId.", fmt.Sprintf(value, "$context.requestId.")},
		{"all elements", "append:header.a", "$request.body.a[*]", fmt.Sprintf(value, "$request.body.a[*]")},
		{"all members", "append:header.a", "$request.body.*", fmt.Sprintf(value, "$request.body.*")},
		{"function", "append:header.a", "$request.body.a.length()", fmt.Sprintf(value, "$request.body.a.length()")},
		{"slice", "append:header.a", "$request.body.a[0:2]", fmt.Sprintf(value, "$request.body.a[0:2]")},
		{"element from the end", "append:header.a", "$request.body.a[-1]", fmt.Sprintf(value, "$request.body.a[-1]")},
		{"union", "append:header.a", "$request.body['a','b']", fmt.Sprintf(value, "$request.body['a','b']")},
		{"bracket not closed", "append:header.a", "$request.body.a[0", fmt.Sprintf(value, "$request.body.a[0")},
		{"bracket not opened", "append:header.a", "$request.body.a]", fmt.Sprintf(value, "$request.body.a]")},
		{"empty brackets", "append:header.a", "$request.body.a[]", fmt.Sprintf(value, "$request.body.a[]")},
		{"name in brackets without quotes", "append:header.a", "$request.body[a]", fmt.Sprintf(value, "$request.body[a]")},
		{"quote not closed", "append:header.a", "$request.body['a]", fmt.Sprintf(value, "$request.body['a]")},
		{"quote that is escaped", "append:header.a", `$request.body['a\']`, fmt.Sprintf(value, `$request.body['a\']`)},
		{"dot at the end", "append:header.a", "$request.body.a.", fmt.Sprintf(value, "$request.body.a.")},
		{"no dot", "append:header.a", "$request.bodya", fmt.Sprintf(value, "$request.bodya")},
		{"no dot behind brackets", "append:header.a", "$request.body[0]a", fmt.Sprintf(value, "$request.body[0]a")},
		{"element that no body has", "append:header.a", "$request.body[2147483648]", fmt.Sprintf(value, "$request.body[2147483648]")},
		{"recursive descent", "append:header.a", "$request.body..a", fmt.Sprintf(value, "$request.body..a")},
		{"filter", "append:header.a", "$request.body.a[?(@.b)]", fmt.Sprintf(value, "$request.body.a[?(@.b)]")},
		{"brace not closed", "append:header.a", "a ${request.path", fmt.Sprintf(value, "a ${request.path")},
		{"no source in braces", "append:header.a", "a ${nothing}", fmt.Sprintf(value, "a ${nothing}")},
		{"reserved source", "append:header.a", "$request.header.Apigw-RequestId", fmt.Sprintf(value, "$request.header.Apigw-RequestId")},
		{"line break", "append:header.a", "b\r\nc: d", fmt.Sprintf(value, `"b\r\nc: d"`)},
		{"empty value", "append:header.a", "", `Invalid request input: requestParameters["append:header.a"] must have 1 to 512 characters`},
		{"long value", "append:header.a", strings.Repeat("x", 513), `Invalid request input: requestParameters["append:header.a"] must have 1 to 512 characters`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, body := create(tt.key, tt.value)
			(&tester{t, s.server, s.store}).refuse(400, tt.message, "POST", path, body)
		})
	}
	for _, name := range []string{
		"Access-Control-Allow-Origin", "apigw-requestid", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Location", "Forwarded",
		"Keep-Alive", "Origin", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers", "Transfer-Encoding", "Upgrade", "x-amz-date", "X-Amzn-Trace-Id",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "via",
		"Trailer", "Expect", "Proxy-Connection", "HTTP2-Settings", "X_Forwarded_For", "CONTENT_LENGTH", "x_amz_date", "Transfer-encoding", "http2_settings",
	} {
		for _, action := range []string{"append", "overwrite", "remove"} {
			path, body := create(action+":header."+name, "x")
			s.refuse(400, fmt.Sprintf(header, name), "POST", path, body)
		}
	}
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprintf("append:header.h%d", i)] = "x"
	}
	s.refuse(400, "requestParameters must not have more than 100 entries", "POST", path, with(httpProxy, `{"requestParameters":`+text(many)+`}`))
}

func TestResponseMapping(t *testing.T) {
	s := newTester(t)
	path := s.api("HTTP") + "/integrations"
	documented := `{"404":{"append:header.error":"$stageVariables.environmentId"},"500":{"append:header.header1":"$context.requestId","overwrite:statuscode":"403"}}`
	s.shows(s.call(201, "POST", path, with(httpProxy, `{"responseParameters":`+documented+`}`)), `{"responseParameters":`+documented+`}`)
	sources := `{"200":{"overwrite:header.a":"${response.header.a}/${response.body.b}","remove:header.server":"''","append:header.c":"$response.body"},"599":{"append:header.d":"static"}}`
	s.call(201, "POST", path, with(httpProxy, `{"responseParameters":`+sources+`}`))
	const (
		prefix = "Invalid mapping expression specified: Validation Result: warnings : [], errors : ["
		key    = prefix + "Invalid Response Actioned Parameter destination specified: %s]"
	)
	for _, tt := range []struct{ name, parameters, message string }{
		{"status too low", `{"100":{"append:header.a":"b"}}`, "Status Code 100 is not valid"},
		{"status too high", `{"600":{"append:header.a":"b"}}`, "Status Code 600 is not valid"},
		{"status that is none", `{"2xx":{"append:header.a":"b"}}`, "Status Code 2xx is not valid"},
		{"status with a sign", `{"+200":{"append:header.a":"b"}}`, "Status Code +200 is not valid"},
		{"destination", `{"200":{"append:querystring.a":"b"}}`, fmt.Sprintf(key, "append:querystring.a")},
		{"status code is only overwritten", `{"200":{"append:statuscode":"201"}}`, fmt.Sprintf(key, "append:statuscode")},
		{"path", `{"200":{"overwrite:path":"/"}}`, fmt.Sprintf(key, "overwrite:path")},
		{"source of the other direction", `{"200":{"append:header.a":"$request.header.b"}}`, prefix + "Invalid mapping expression parameter specified: $request.header.b]"},
		{"context variable that there is not", `{"200":{"append:header.a":"$context.foo"}}`, prefix + "Invalid mapping expression parameter specified: $context.foo]"},
		{"all elements", `{"200":{"append:header.a":"$response.body.a[*]"}}`, prefix + "Invalid mapping expression parameter specified: $response.body.a[*]]"},
		{"reserved spelling", `{"200":{"remove:header.Transfer_Encoding":"''"}}`, prefix + "Operations on header Transfer_Encoding are restricted]"},
		{"header of one connection", `{"200":{"append:header.Trailer":"a"}}`, prefix + "Operations on header Trailer are restricted]"},
		{"reserved header", `{"200":{"overwrite:header.Content-Length":"0"}}`, prefix + "Operations on header Content-Length are restricted]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).refuse(400, tt.message, "POST", path, with(httpProxy, `{"responseParameters":`+tt.parameters+`}`))
		})
	}
}

func TestWebSocketMapping(t *testing.T) {
	s := newTester(t)
	path := s.api("WEBSOCKET") + "/integrations"
	for _, tt := range []struct{ key, value, bad string }{
		{"integration.request.header.connectionId", "context.connectionId", ""},
		{"integration.request.header.Content-Type", "'application/json; charset=utf-8'", ""},
		{"integration.request.querystring.a", "route.request.querystring.a", ""},
		{"integration.request.querystring.a", "method.request.header.a", ""},
		{"integration.request.querystring.a", "route.request.multivaluequerystring.a", ""},
		{"integration.request.path.a", "route.request.body.a.b[0]", ""},
		{"integration.request.path.a", "route.request.body", ""},
		{"integration.request.header.a", "stageVariables.a", ""},
		{"integration.request.header.a", "context.authorizer.principalId", ""},
		{"integration.request.body.a", "'b'", "integration.request.body.a"},
		{"integration.request.header.", "'b'", "integration.request.header."},
		{"append:header.a", "'b'", "append:header.a"},
		{"integration.request.header.a", "text without quotes", "text without quotes"},
		{"integration.request.header.a", "'not closed", "'not closed"},
		{"integration.request.header.a", "integration.request.header.b", "integration.request.header.b"},
		{"integration.request.header.a", "'b\r\nc: d'", "'b\r\nc: d'"},
	} {
		body := `{"integrationType":"MOCK","requestParameters":` + text(map[string]string{tt.key: tt.value}) + `}`
		if tt.bad == "" {
			s.call(201, "POST", path, body)
			continue
		}
		s.refuse(400, "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: "+tt.bad+"]", "POST", path, body)
	}
}

// What an update does to each member (control plane, section on PATCH).
func TestUpdateIntegration(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	for _, tt := range []struct{ name, api, create, patch, want string }{
		{"absent keeps", http, with(httpProxy, `{"description":"d"}`), `{}`, `{"description":"d","integrationMethod":"ANY"}`},
		{"null keeps", http, with(httpProxy, `{"description":"d"}`), `{"description":null,"integrationUri":null}`, `{"description":"d","integrationUri":"https://example.com"}`},
		{"request parameters merge", http, with(httpProxy, `{"requestParameters":{"overwrite:header.a":"'1'","append:header.b":"$context.requestId"}}`), `{"requestParameters":{"overwrite:header.a":"","append:header.c":"'3'"}}`,
			`{"requestParameters":{"append:header.b":"$context.requestId","append:header.c":"'3'"}}`},
		{"empty request parameters keep", http, with(httpProxy, `{"requestParameters":{"append:header.b":"1"}}`), `{"requestParameters":{}}`, `{"requestParameters":{"append:header.b":"1"}}`},
		{"the last request parameter", http, with(httpProxy, `{"requestParameters":{"append:header.b":"1"}}`), `{"requestParameters":{"append:header.b":""}}`, `{"requestParameters":null}`},
		{"response parameters merge by status", http, with(httpProxy, `{"responseParameters":{"200":{"append:header.a":"1"},"404":{"append:header.b":"2"}}}`), `{"responseParameters":{"404":{},"500":{"append:header.c":"3"}}}`,
			`{"responseParameters":{"200":{"append:header.a":"1"},"500":{"append:header.c":"3"}}}`},
		{"response parameters of a status are replaced", http, with(httpProxy, `{"responseParameters":{"200":{"append:header.a":"1","append:header.b":"2"}}}`), `{"responseParameters":{"200":{"append:header.a":"","append:header.c":"3"}}}`,
			`{"responseParameters":{"200":{"append:header.c":"3"}}}`},
		{"the last response parameter", http, with(httpProxy, `{"responseParameters":{"200":{"append:header.a":"1"}}}`), `{"responseParameters":{"200":{}}}`, `{"responseParameters":null}`},
		{"templates are replaced", ws, `{"integrationType":"MOCK","requestTemplates":{"a":"1","b":"2"}}`, `{"requestTemplates":{"c":""}}`, `{"requestTemplates":{"c":""}}`},
		{"TLS is cleared", http, with(httpProxy, `{"connectionType":"VPC_LINK","connectionId":"l1","integrationUri":"`+cloudMap+`","tlsConfig":{"serverNameToVerify":"x"}}`), `{"tlsConfig":{}}`, `{"tlsConfig":null,"connectionId":"l1"}`},
		{"strings are cleared", ws, `{"integrationType":"MOCK","connectionId":"l1","contentHandlingStrategy":"CONVERT_TO_TEXT","credentialsArn":"` + role + `","description":"d","templateSelectionExpression":"a"}`,
			`{"connectionId":"","contentHandlingStrategy":"","credentialsArn":"","description":"","templateSelectionExpression":""}`,
			`{"connectionId":null,"contentHandlingStrategy":null,"credentialsArn":null,"description":null,"templateSelectionExpression":null}`},
		{"another type", ws, `{"integrationType":"MOCK"}`, `{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"https://example.com"}`,
			`{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationResponseSelectionExpression":null,"timeoutInMillis":29000}`},
		{"read-only members", http, httpProxy, `{"integrationId":"x","apiGatewayManaged":true,"integrationResponseSelectionExpression":"x"}`, `{"apiGatewayManaged":null,"integrationResponseSelectionExpression":null}`},
	} {
		path := tt.api + "/integrations/" + id(s.call(201, "POST", tt.api+"/integrations", tt.create), "integrationId")
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) { (&tester{t, s.server, s.store}).shows(got, tt.want) })
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
	}
	// What was merged is checked as a whole.
	path := http + "/integrations/" + id(s.call(201, "POST", http+"/integrations", `{"integrationType":"AWS_PROXY","integrationSubtype":"SQS-PurgeQueue","credentialsArn":"`+role+`","requestParameters":{"QueueUrl":"q"}}`), "integrationId")
	s.call(200, "PATCH", path, `{"requestParameters":{"Region":"eu-west-1"}}`)
	s.refuse(400, "Operation: SQS-PurgeQueue requires enabling passthrough, or defining all of the following parameters: QueueUrl", "PATCH", path, `{"requestParameters":{"QueueUrl":""}}`)
	s.refuse(400, "Role ARN must be specified for AWS integration configuration with Subtype: SQS-PurgeQueue", "PATCH", path, `{"credentialsArn":""}`)
}

func TestIntegrationInUse(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	integration := s.integration(api)
	a := s.route(api, "GET /a", integration)
	b := s.route(api, "GET /b", integration)
	users := []string{a[len(api)+len("/routes/"):], b[len(api)+len("/routes/"):]}
	slices.Sort(users)
	path := api + "/integrations/" + integration
	s.refuse(409, "Cannot delete Integration because it is referenced by the following Routes with Ids: ["+users[0]+", "+users[1]+"]", "DELETE", path, "")
	s.call(204, "DELETE", a, "")
	s.call(200, "PATCH", b, `{"target":""}`)
	s.call(204, "DELETE", path, "")
	s.refuse(404, "Invalid Integration identifier specified "+integration, "GET", path, "")
}

func TestIntegrationQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.Integrations = 1 })
	api := s.api("HTTP")
	s.integration(api)
	s.refuse(400, "Maximum number of Integrations for this API has been reached.  Please contact AWS if you need additional Integrations.", "POST", api+"/integrations", httpProxy)
}

// TestIntegrationURIs holds forms that are accepted and come back as they are.
func TestIntegrationURIs(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for _, uri := range []string{
		"http://a",
		"HTTPS://a.example.com:8443/b?c=d",
		"http://${stageVariables.host}.example.com:${stageVariables.port}/{proxy}?a={b}",
		"http://${stageVariables.url}",
		"http://[::1]:8080/{a}",
	} {
		r := s.call(201, "POST", api+"/integrations", with(`{"integrationType":"HTTP_PROXY","integrationMethod":"ANY"}`, `{"integrationUri":"`+uri+`"}`))
		if got := r["integrationUri"]; got != uri {
			t.Errorf("got %v, want %s", got, uri)
		}
	}
}
