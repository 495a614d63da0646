//go:build conformance

package conformance

import "strings"

// defaults of an HTTP API of which nothing but the name was said.
var httpAPI = object{
	"ApiEndpoint":               re(`^http://[a-z0-9]{10}\.execute-api\.us-east-1\.localhost:\d+$`),
	"ApiId":                     id10,
	"ApiKeySelectionExpression": "$request.header.x-api-key",
	"CreatedDate":               when,
	"DisableExecuteApiEndpoint": false,
	"IpAddressType":             "ipv4",
	"ProtocolType":              "HTTP",
	"RouteSelectionExpression":  "$request.method $request.path",
	"Tags":                      object{},
}

// newAPI makes an HTTP API and returns its id.
func (s *story) newAPI(name string) string {
	s.Helper()
	return s.ok("CreateApi", object{"Name": name, "ProtocolType": "HTTP"}, with(httpAPI, object{"Name": name}))["ApiId"].(string)
}

// newWebSocketAPI makes a WebSocket API and returns its id.
func (s *story) newWebSocketAPI(name string) string {
	s.Helper()
	in := object{"Name": name, "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
	return s.ok("CreateApi", in, with(httpAPI, with(in, object{
		"ApiEndpoint": re(`^ws://[a-z0-9]{10}\.execute-api\.us-east-1\.localhost:\d+$`),
	})))["ApiId"].(string)
}

// apis are created with every member, read back, changed and deleted.
func apis(s *story) {
	in := object{
		"Name":                      "pets and toys",
		"ProtocolType":              "HTTP",
		"Description":               "Ünïcode, \"quotes\" & <angles>",
		"Version":                   "2026-01",
		"ApiKeySelectionExpression": "$context.authorizer.usageIdentifierKey",
		"RouteSelectionExpression":  "${request.method} ${request.path}",
		"DisableExecuteApiEndpoint": true,
		"IpAddressType":             "dualstack",
		"CorsConfiguration": object{
			"AllowCredentials": true,
			"AllowHeaders":     list{"authorization", "x-trace"},
			"AllowMethods":     list{"GET", "POST"},
			"AllowOrigins":     list{"https://example.com", "http://localhost:3000"},
			"ExposeHeaders":    list{"x-total"},
			"MaxAge":           300,
		},
		"Tags": object{"team": "pets", "a key:with/signs": "a value = too"},
	}
	api := s.ok("CreateApi", in, with(httpAPI, with(in, object{
		"RouteSelectionExpression": "$request.method $request.path",
	})))
	at := object{"ApiId": api["ApiId"]}
	if !strings.HasPrefix(api["ApiEndpoint"].(string), "http://"+api["ApiId"].(string)+".") {
		s.Fatalf("endpoint %v does not begin with the id %v", api["ApiEndpoint"], api["ApiId"])
	}
	s.ok("GetApi", at, api)
	listed := s.byName(s.byHand("GetApis", object{}, nil), "ApiId")
	s.want("GetApis", api, listed[api["ApiId"].(string)])

	// An update keeps what it does not mention, replaces CORS as a whole and
	// clears texts by "".
	cors := object{"AllowCredentials": false, "AllowOrigins": list{"https://*"}}
	s.ok("UpdateApi", with(at, object{"Version": "2026-02", "CorsConfiguration": cors}), with(api, object{"Version": "2026-02", "CorsConfiguration": cors}))
	s.ok("UpdateApi", with(at, object{
		"Description": "", "Version": "", "DisableExecuteApiEndpoint": false,
		"CorsConfiguration": object{"AllowOrigins": list{"*"}, "MaxAge": 0},
	}), with(api, object{
		"Description": nil, "Version": nil, "DisableExecuteApiEndpoint": false,
		"CorsConfiguration": object{"AllowOrigins": list{"*"}, "MaxAge": 0},
	}))
	changed := with(api, object{
		"Description": nil, "Version": nil, "DisableExecuteApiEndpoint": false,
		"CorsConfiguration": nil, "Name": "pets",
	})
	s.ok("DeleteCorsConfiguration", at, object{})
	s.ok("DeleteCorsConfiguration", at, object{})
	s.ok("UpdateApi", with(at, object{"Name": "pets"}), changed)
	s.ok("GetApi", at, changed)

	s.ok("DeleteApi", at, object{})
	s.fails("GetApi", at, "NotFoundException", "Invalid API identifier specified 000000000000:"+api["ApiId"].(string))
	s.fails("DeleteApi", at, "NotFoundException", "Invalid API identifier specified 000000000000:"+api["ApiId"].(string))
}

func apiErrors(s *story) {
	api := object{"Name": "n", "ProtocolType": "HTTP"}
	webSocket := object{"Name": "n", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
	for _, tt := range []struct {
		in      object
		message string
	}{
		{with(api, object{"ProtocolType": "REST"}), "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"},
		{with(api, object{"RouteSelectionExpression": "$request.body.action"}), `Route selection expression is currently limited to "${request.method} ${request.path}"`},
		{with(api, object{"CorsConfiguration": object{"AllowCredentials": true, "AllowOrigins": list{"*"}}}), "allow-credentials is not supported if 'allow-origin' is *"},
		{with(webSocket, object{"RouteSelectionExpression": nil}), "Invalid routeSelectionExpression"},
		{with(webSocket, object{"CorsConfiguration": object{"AllowOrigins": list{"*"}}}), "Cors is not supported for WEBSOCKET protocolType"},
	} {
		s.fails("CreateApi", tt.in, "BadRequestException", tt.message)
	}
	unknown := object{"ApiId": "zzzzzzzzzz"}
	for _, op := range []string{"GetApi", "GetRoutes", "GetStages"} {
		s.fails(op, unknown, "NotFoundException", "Invalid API identifier specified 000000000000:zzzzzzzzzz")
	}
	s.fails("GetApis", object{"MaxResults": "two"}, "BadRequestException", "Invalid maxResults value")
	s.fails("GetApis", object{"NextToken": "made up"}, "BadRequestException", "Invalid token")
}

// quickCreate makes an API with a route, an integration and a deployed stage in
// one call.
func quickCreate(s *story) {
	api := s.ok("CreateApi", object{"Name": "quick", "ProtocolType": "HTTP", "Target": "http://127.0.0.1:9/pets"}, with(httpAPI, object{"Name": "quick"}))
	at := object{"ApiId": api["ApiId"]}
	s.ok("GetApi", at, api)
	integration := object{
		"ApiGatewayManaged": true, "IntegrationId": id7, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY",
		"IntegrationUri": "http://127.0.0.1:9/pets", "ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000,
	}
	made := s.ok("GetIntegrations", at, object{"Items": list{integration}})["Items"].(list)[0].(object)
	route := s.ok("GetRoutes", at, object{"Items": list{object{
		"ApiGatewayManaged": true, "ApiKeyRequired": false, "AuthorizationType": "NONE",
		"RouteId": id7, "RouteKey": "$default", "Target": "integrations/" + made["IntegrationId"].(string),
	}}})["Items"].(list)[0].(object)
	stage := object{
		"ApiGatewayManaged": true, "AutoDeploy": true, "StageName": "$default", "DeploymentId": id6,
		"CreatedDate": when, "LastUpdatedDate": when,
		"LastDeploymentStatusMessage": re(`^Successfully deployed stage with deployment ID '[a-z0-9]{6}'$`),
		"DefaultRouteSettings":        object{"DetailedMetricsEnabled": false},
		"RouteSettings":               object{}, "StageVariables": object{}, "Tags": object{},
	}
	s.ok("GetStages", at, object{"Items": list{stage}})

	// What the service made is changed through the API, not deleted by itself.
	s.ok("UpdateApi", with(at, object{"Target": "http://127.0.0.1:9/toys"}), api)
	s.ok("GetIntegration", with(at, object{"IntegrationId": made["IntegrationId"]}), with(made, object{"IntegrationUri": "http://127.0.0.1:9/toys"}))
	s.fails("DeleteIntegration", with(at, object{"IntegrationId": made["IntegrationId"]}), "BadRequestException", anyText)
	s.fails("DeleteRoute", with(at, object{"RouteId": route["RouteId"]}), "BadRequestException", anyText)

	// A function's ARN makes a Lambda integration, a route key the only route.
	function := "arn:aws:lambda:us-east-1:000000000000:function:pets"
	api = s.ok("CreateApi", object{"Name": "quick", "ProtocolType": "HTTP", "Target": function, "RouteKey": "GET /x"}, with(httpAPI, object{"Name": "quick"}))
	at = object{"ApiId": api["ApiId"]}
	made = s.ok("GetIntegrations", at, object{"Items": list{with(integration, object{
		"IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": function, "PayloadFormatVersion": "2.0",
	})}})["Items"].(list)[0].(object)
	s.ok("GetRoutes", at, object{"Items": list{object{
		"ApiGatewayManaged": true, "ApiKeyRequired": false, "AuthorizationType": "NONE",
		"RouteId": id7, "RouteKey": "GET /x", "Target": "integrations/" + made["IntegrationId"].(string),
	}}})
}

// tags are read and changed by ARN.
func tags(s *story) {
	api := s.ok("CreateApi", object{"Name": "tagged", "ProtocolType": "HTTP", "Tags": object{"a": "1"}}, nil)["ApiId"].(string)
	arn := "arn:aws:apigateway:us-east-1::/apis/" + api
	at := object{"ResourceArn": arn}
	s.ok("GetTags", at, object{"Tags": object{"a": "1"}})
	s.ok("TagResource", with(at, object{"Tags": object{"a": "2", "b c/d:e+f=g@h": "", "ü": "ö"}}), object{})
	s.ok("GetTags", at, object{"Tags": object{"a": "2", "b c/d:e+f=g@h": "", "ü": "ö"}})
	s.ok("UntagResource", with(at, object{"TagKeys": list{"b c/d:e+f=g@h", "ü", "never set"}}), object{})
	s.ok("GetApi", object{"ApiId": api}, with(httpAPI, object{"Name": "tagged", "Tags": object{"a": "2"}}))

	// The names of stages hold characters that an URL escapes.
	s.ok("CreateStage", object{"ApiId": api, "StageName": "$default", "Tags": object{"s": "1"}}, nil)
	at = object{"ResourceArn": arn + "/stages/$default"}
	s.ok("TagResource", with(at, object{"Tags": object{"t": "2"}}), object{})
	s.ok("GetTags", at, object{"Tags": object{"s": "1", "t": "2"}})
	s.ok("UntagResource", with(at, object{"TagKeys": list{"s", "t"}}), object{})
	s.ok("GetTags", at, object{"Tags": object{}})

	s.fails("GetTags", object{"ResourceArn": "arn:aws:apigateway:us-east-1::/apis/zzzzzzzzzz"}, "NotFoundException", anyText)
	s.fails("GetTags", object{"ResourceArn": "arn:aws:s3:::bucket"}, "BadRequestException", anyText)
}

// taggable is everything that has tags, whatever its ARN looks like.
func taggable(s *story) {
	api := s.newStage("taggable", "v1")
	link := s.ok("CreateVpcLink", object{"Name": "taggable", "SubnetIds": list{"subnet-a"}}, nil)["VpcLinkId"].(string)
	const name = "*.tags.example.com"
	s.newDomainName(name)
	const prefix, account = "arn:aws:apigateway:us-east-1::", "arn:aws:apigateway:us-east-1:000000000000:"
	// Each ARN, and the operation that returns what it names.
	arns := map[string]struct {
		op string
		at object
	}{
		prefix + "/apis/" + api:                {"GetApi", object{"ApiId": api}},
		prefix + "/apis/" + api + "/stages/v1": {"GetStage", object{"ApiId": api, "StageName": "v1"}},
		prefix + "/vpclinks/" + link:           {"GetVpcLink", object{"VpcLinkId": link}},
		prefix + "/domainnames/" + name:        {"GetDomainName", object{"DomainName": name}},
	}
	if s.knows("CreatePortal", "CreatePortalProduct") {
		portal := s.ok("CreatePortal", object{"Authorization": object{"None": object{}}, "EndpointConfiguration": object{"None": object{}}, "PortalContent": content}, nil)
		arns[portal["PortalArn"].(string)] = struct {
			op string
			at object
		}{"GetPortal", object{"PortalId": portal["PortalId"]}}
		product := s.newProduct("taggable")
		arns[product["PortalProductArn"].(string)] = struct {
			op string
			at object
		}{"GetPortalProduct", object{"PortalProductId": product["PortalProductId"]}}
		s.want("ARNs", list{account + "/portals/" + portal["PortalId"].(string), account + "/portalproducts/" + product["PortalProductId"].(string)},
			list{portal["PortalArn"], product["PortalProductArn"]})
	}
	for arn, named := range arns {
		at := object{"ResourceArn": arn}
		before := s.ok(named.op, named.at, nil)
		s.ok("GetTags", at, object{"Tags": object{}})
		s.ok("TagResource", with(at, object{"Tags": object{"a": "1", "team/of:pets": "ü = +"}}), object{})
		s.ok("TagResource", with(at, object{"Tags": object{"a": "2", "b": ""}}), object{})
		tags := object{"a": "2", "b": "", "team/of:pets": "ü = +"}
		s.ok("GetTags", at, object{"Tags": tags})
		s.ok(named.op, named.at, with(before, object{"Tags": tags}))
		s.fails("TagResource", with(at, object{"Tags": object{"aws:a": "1"}}), "BadRequestException", anyText)
		s.ok("UntagResource", with(at, object{"TagKeys": list{"a", "team/of:pets", "never set"}}), object{})
		s.ok("GetTags", at, object{"Tags": object{"b": ""}})
		s.ok("UntagResource", with(at, object{"TagKeys": list{"b"}}), object{})
		if err := same(before, s.ok(named.op, named.at, nil), named.op); err != nil {
			s.Errorf("%s is not what it was before it had tags: %v", arn, err)
		}
	}
	for _, arn := range []string{
		prefix + "/apis/" + api + "/stages/nobody", prefix + "/vpclinks/zzzzzz", prefix + "/domainnames/nobody.example.com",
		account + "/portals/zzzzzzzzzz", account + "/portalproducts/zzzzzzzzzz",
	} {
		s.fails("GetTags", object{"ResourceArn": arn}, "NotFoundException", anyText)
		s.fails("TagResource", object{"ResourceArn": arn, "Tags": object{"a": "1"}}, "NotFoundException", anyText)
	}
	s.fails("GetTags", object{"ResourceArn": prefix + "/apis/" + api + "/routes/abcdefg"}, "BadRequestException", anyText)
	s.ok("DeleteVpcLink", object{"VpcLinkId": link}, object{})
}
