//go:build conformance

package conformance

const (
	function  = "arn:aws:lambda:us-east-1:000000000000:function:pets"
	invokeARN = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
	role      = "arn:aws:iam::000000000000:role/gateway"
)

// create makes something that must come back as in, without the parents in its path,
// with the changes, and read back the same. It returns what came back.
func (s *story) create(kind string, in, changes object) object {
	s.Helper()
	want, at := with(in, changes), object{}
	for _, label := range labels("Create" + kind) {
		delete(want, label)
		at[label] = in[label]
	}
	made := s.ok("Create"+kind, in, want)
	s.ok("Get"+kind, located("Get"+kind, at, made), made)
	return made
}

// located returns what stands in the path of an operation about something that was
// made under its parents.
func located(op string, parents, made object) object {
	at := object{}
	for _, label := range labels(op) {
		at[label] = made[label]
		if parent, ok := parents[label]; ok {
			at[label] = parent
		}
	}
	return at
}

// httpIntegrations are stored and returned member by member, and changed by the
// merge rules of their maps.
func httpIntegrations(s *story) {
	at := object{"ApiId": s.newAPI("http integrations")}
	in := with(at, object{
		"IntegrationType":      "HTTP_PROXY",
		"IntegrationMethod":    "ANY",
		"IntegrationUri":       "http://127.0.0.1:9/pets/{id}?v=${stageVariables.version}",
		"ConnectionType":       "INTERNET",
		"Description":          "pets, one by one",
		"PayloadFormatVersion": "1.0",
		"TimeoutInMillis":      12345,
		"RequestParameters": object{
			"overwrite:header.a":   "'1'",
			"append:header.b":      "$context.requestId",
			"remove:querystring.c": "''",
			"overwrite:path":       "/v2/${request.path.id}",
		},
		"ResponseParameters": object{
			"200": object{"append:header.x-id": "$context.requestId"},
			"404": object{"overwrite:statuscode": "403", "remove:header.server": "''"},
		},
	})
	made := s.create("Integration", in, object{"IntegrationId": id7})
	one := with(at, object{"IntegrationId": made["IntegrationId"]})

	// Request parameters merge by key and lose a key by ""; response parameters
	// merge by status and lose one by {}.
	changed := with(made, object{
		"RequestParameters": object{
			"append:header.b": "$context.requestId", "remove:querystring.c": "''",
			"overwrite:path": "/v2/${request.path.id}", "append:header.c": "'3'",
		},
		"ResponseParameters": object{"200": object{"append:header.x-id": "$context.requestId"}},
		"Description":        nil,
		"TimeoutInMillis":    50,
	})
	s.ok("UpdateIntegration", with(one, object{
		"RequestParameters":  object{"overwrite:header.a": "", "append:header.c": "'3'"},
		"ResponseParameters": object{"404": object{}},
		"Description":        "",
		"TimeoutInMillis":    50,
	}), changed)
	s.ok("UpdateIntegration", with(one, object{"RequestParameters": object{}, "ResponseParameters": object{}}), changed)
	s.ok("GetIntegration", one, changed)

	// The shortest HTTP_PROXY; an HTTP API keeps no passthrough behaviour.
	s.create("Integration", with(at, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com"}), object{
		"IntegrationId": id7, "ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000,
	})
	s.ok("CreateIntegration", with(at, object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com", "PassthroughBehavior": "WHEN_NO_MATCH",
	}), object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com",
		"IntegrationId": id7, "ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000,
	})

	// Lambda in both payload formats, by function ARN and by invoke ARN.
	for version, uri := range map[string]string{"1.0": invokeARN, "2.0": function + ":${stageVariables.alias}"} {
		s.create("Integration", with(at, object{
			"IntegrationType": "AWS_PROXY", "IntegrationUri": uri, "PayloadFormatVersion": version, "CredentialsArn": role,
		}), object{
			"IntegrationId": id7, "IntegrationMethod": "POST", "ConnectionType": "INTERNET", "TimeoutInMillis": 30000,
		})
	}

	s.ok("DeleteIntegration", one, object{})
	s.fails("GetIntegration", one, "NotFoundException", "Invalid Integration identifier specified "+made["IntegrationId"].(string))
}

func integrationErrors(s *story) {
	at := object{"ApiId": s.newAPI("integration errors")}
	proxy := with(at, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com"})
	lambda := with(at, object{"IntegrationType": "AWS_PROXY", "IntegrationUri": function})
	for _, tt := range []struct {
		in      object
		message any
	}{
		{with(proxy, object{"IntegrationMethod": nil}), "HttpMethod parameter method must be specified for integrationType HTTPPROXY"},
		{with(lambda, object{"PayloadFormatVersion": "3.0"}), "Unsupported PayloadFormatVersion: 3.0"},
		{with(proxy, object{"PayloadFormatVersion": "2.0"}), "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY"},
		{with(proxy, object{"TimeoutInMillis": 30001}), "Timeout should be between 50 ms and 30000 ms"},
		{with(proxy, object{"RequestParameters": object{"append:path": "/x"}}), re("Invalid Request Actioned Parameter")},
		{with(proxy, object{"RequestParameters": object{"overwrite:header.Authorization": "x"}}), anyText},
		{with(proxy, object{"ResponseParameters": object{"200": object{"set:header.a": "x"}}}), re("Invalid Response Actioned Parameter destination specified: set:header.a")},
		{with(proxy, object{"ResponseParameters": object{"100": object{"append:header.a": "x"}}}), re("Status Code 100 is not valid")},
		{with(at, object{"IntegrationType": "MOCK"}), anyText},
	} {
		s.fails("CreateIntegration", tt.in, "BadRequestException", tt.message)
	}

	// An integration that a route points at stays.
	id := s.ok("CreateIntegration", proxy, nil)["IntegrationId"].(string)
	route := s.ok("CreateRoute", with(at, object{"RouteKey": "GET /pets", "Target": "integrations/" + id}), nil)["RouteId"].(string)
	s.fails("DeleteIntegration", with(at, object{"IntegrationId": id}), "ConflictException",
		"Cannot delete Integration because it is referenced by the following Routes with Ids: ["+route+"]")
	s.ok("DeleteRoute", with(at, object{"RouteId": route}), object{})
	s.ok("DeleteIntegration", with(at, object{"IntegrationId": id}), object{})
	s.fails("UpdateIntegration", with(at, object{"IntegrationId": id, "Description": "gone"}), "NotFoundException", "Invalid Integration identifier specified "+id)
}

// serviceIntegrations call AWS services directly: one of each subtype, with the
// parameters it requires.
func serviceIntegrations(s *story) {
	at := object{"ApiId": s.newAPI("service integrations")}
	subtypes := map[string]object{
		"EventBridge-PutEvents":            {"Detail": "$request.body.detail", "DetailType": "order", "Source": "web", "EventBusName": "bus"},
		"SQS-SendMessage":                  {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/q", "MessageBody": "$request.body", "DelaySeconds": "3"},
		"SQS-ReceiveMessage":               {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/q"},
		"SQS-DeleteMessage":                {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/q", "ReceiptHandle": "$request.querystring.handle"},
		"SQS-PurgeQueue":                   {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/q", "Region": "us-west-2"},
		"AppConfig-GetConfiguration":       {"Application": "a", "Environment": "e", "Configuration": "c", "ClientId": "$context.requestId"},
		"Kinesis-PutRecord":                {"StreamName": "s", "Data": "$request.body", "PartitionKey": "$request.header.key"},
		"StepFunctions-StartExecution":     {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m", "Input": "$request.body"},
		"StepFunctions-StartSyncExecution": {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"},
		"StepFunctions-StopExecution":      {"ExecutionArn": "$request.querystring.arn", "Cause": "${request.path.why}, by ${context.requestId}"},
	}
	want := object{}
	for subtype, parameters := range subtypes {
		in := object{"IntegrationType": "AWS_PROXY", "IntegrationSubtype": subtype, "CredentialsArn": role, "PayloadFormatVersion": "1.0", "RequestParameters": parameters}
		want[subtype] = s.ok("CreateIntegration", with(in, at), with(in, object{
			"IntegrationId": id7, "ConnectionType": "INTERNET", "TimeoutInMillis": 30000,
		}))
	}
	s.want("GetIntegrations", want, s.byName(s.ok("GetIntegrations", at, nil)["Items"].(list), "IntegrationSubtype"))

	send := with(at, object{
		"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage", "CredentialsArn": role,
		"PayloadFormatVersion": "1.0", "RequestParameters": subtypes["SQS-SendMessage"],
	})
	for _, tt := range []struct {
		in      object
		message any
	}{
		{with(send, object{"IntegrationSubtype": "SQS-Send"}), "Operation: SQS-Send is not supported."},
		{with(send, object{"CredentialsArn": nil}), "Role ARN must be specified for AWS integration configuration with Subtype: SQS-SendMessage"},
		{with(send, object{"RequestParameters": object{"MessageBody": "x"}}), re("^Operation: SQS-SendMessage requires enabling passthrough, or defining all of the following parameters: .*QueueUrl")},
	} {
		s.fails("CreateIntegration", tt.in, "BadRequestException", tt.message)
	}
}

// privateIntegrations reach a load balancer or a Cloud Map service through a VPC
// link; only they have a TLS configuration.
func privateIntegrations(s *story) {
	at := object{"ApiId": s.newAPI("private integrations")}
	in := with(at, object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "ConnectionType": "VPC_LINK", "ConnectionId": "abc123",
		"IntegrationUri": "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2",
		"TlsConfig":      object{"ServerNameToVerify": "pets.example.com"},
	})
	s.fails("CreateIntegration", with(in, object{"ConnectionId": nil}), "BadRequestException", "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK")
	s.fails("CreateIntegration", with(in, object{"IntegrationUri": "https://example.com"}), "BadRequestException",
		"For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN.")
	s.fails("CreateIntegration", with(in, object{"ConnectionType": "INTERNET", "ConnectionId": nil, "IntegrationUri": "https://example.com"}),
		"BadRequestException", "TlsConfig is only valid for ConnectionType VPC_LINK")
	made := s.create("Integration", in, object{"IntegrationId": id7, "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000})
	one := with(at, object{"IntegrationId": made["IntegrationId"]})
	s.ok("UpdateIntegration", with(one, object{"TlsConfig": object{}}), with(made, object{"TlsConfig": nil}))
	s.ok("UpdateIntegration", with(one, object{"IntegrationUri": "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-id?stage=prod"}),
		with(made, object{"TlsConfig": nil, "IntegrationUri": "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-id?stage=prod"}))
	s.ok("DeleteIntegration", one, object{})
}

// websocketIntegrations come in five types with defaults of their own.
func websocketIntegrations(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("websocket integrations")}
	always := object{"IntegrationId": id7, "ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 29000}
	made := object{}
	for _, tt := range []struct{ in, defaults object }{
		{
			object{
				"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:path/000000000000/queue", "CredentialsArn": role,
				"ContentHandlingStrategy": "CONVERT_TO_TEXT", "TemplateSelectionExpression": "\\$default",
				"RequestParameters": object{"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
				"RequestTemplates":  object{"$default": "Action=SendMessage&MessageBody=$input.body", "empty": ""},
			},
			object{"IntegrationMethod": "POST", "PassthroughBehavior": "WHEN_NO_MATCH", "IntegrationResponseSelectionExpression": "${integration.response.body.errorMessage}"},
		},
		{
			object{"IntegrationType": "AWS_PROXY", "IntegrationUri": invokeARN, "Description": "echo"},
			object{"IntegrationMethod": "POST"},
		},
		{
			object{"IntegrationType": "HTTP", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com/{id}", "TimeoutInMillis": 1000},
			object{"PassthroughBehavior": "WHEN_NO_MATCH", "IntegrationResponseSelectionExpression": "${integration.response.statuscode}", "TimeoutInMillis": 1000},
		},
		{
			object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST", "IntegrationUri": "https://example.com", "PassthroughBehavior": "NEVER"},
			object{},
		},
		{
			object{"IntegrationType": "MOCK", "RequestTemplates": object{"200": "{\"statusCode\": 200}"}},
			object{"PassthroughBehavior": "WHEN_NO_MATCH", "IntegrationResponseSelectionExpression": "${integration.response.statuscode}"},
		},
	} {
		one := s.create("Integration", with(at, tt.in), with(always, tt.defaults))
		made[one["IntegrationType"].(string)] = one
	}
	s.want("GetIntegrations", made, s.byName(s.ok("GetIntegrations", at, nil)["Items"].(list), "IntegrationType"))
	proxy := with(at, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST", "IntegrationUri": "https://example.com"})
	s.fails("CreateIntegration", with(proxy, object{"TimeoutInMillis": 29001}), "BadRequestException", "Timeout should be between 50 ms and 29000 ms")
	s.fails("CreateIntegration", with(proxy, object{"PayloadFormatVersion": "2.0"}), "BadRequestException", "Unsupported PayloadFormatVersion: 2.0")
}
