//go:build conformance

package conformance

// authorizers of HTTP APIs check tokens or ask a function.
func authorizers(s *story) {
	at := object{"ApiId": s.newAPI("authorizers")}
	tokens := s.create("Authorizer", with(at, object{
		"AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": list{"$request.header.Authorization"},
		"JwtConfiguration": object{"Audience": list{"web", "app"}, "Issuer": "https://issuer.example.com/tenant"},
	}), object{"AuthorizerId": id6})
	first := s.create("Authorizer", with(at, object{
		"AuthorizerType": "REQUEST", "Name": "format 1.0", "AuthorizerUri": invokeARN, "AuthorizerPayloadFormatVersion": "1.0",
		"AuthorizerCredentialsArn": role, "AuthorizerResultTtlInSeconds": 3600, "IdentityValidationExpression": "^Bearer .+$",
		"IdentitySource": list{"$request.header.Authorization", "$request.querystring.key", "$context.identity.sourceIp", "$stageVariables.who"},
	}), object{"AuthorizerId": id6})
	// Nothing is cached unless that is asked for.
	second := s.create("Authorizer", with(at, object{
		"AuthorizerType": "REQUEST", "Name": "format 2.0", "AuthorizerUri": invokeARN, "AuthorizerPayloadFormatVersion": "2.0",
		"EnableSimpleResponses": true, "IdentitySource": list{},
	}), object{"AuthorizerId": id6, "AuthorizerResultTtlInSeconds": 0, "IdentitySource": nil})
	s.want("GetAuthorizers", object{"tokens": tokens, "format 1.0": first, "format 2.0": second},
		s.byName(s.all("GetAuthorizers", at), "Name"))

	// A route keeps its authorizer.
	route := s.create("Route", with(at, object{
		"RouteKey": "GET /pets", "AuthorizationType": "JWT", "AuthorizerId": tokens["AuthorizerId"], "AuthorizationScopes": list{"pets:read", "pets:write"},
	}), object{"RouteId": id7, "ApiKeyRequired": false})
	oneRoute := with(at, object{"RouteId": route["RouteId"]})
	oneTokens := with(at, object{"AuthorizerId": tokens["AuthorizerId"]})
	s.fails("DeleteAuthorizer", oneTokens, "ConflictException", "Cannot delete authorizer 'tokens', is referenced in route: GET /pets")
	custom := with(route, object{"AuthorizationType": "CUSTOM", "AuthorizerId": second["AuthorizerId"], "AuthorizationScopes": nil})
	s.ok("UpdateRoute", with(oneRoute, object{
		"AuthorizationType": "CUSTOM", "AuthorizerId": second["AuthorizerId"], "AuthorizationScopes": list{},
	}), custom)
	s.ok("GetRoute", oneRoute, custom)

	// An update replaces lists and structures, and clears texts by "".
	tokens = with(tokens, object{
		"Name":             "access tokens",
		"JwtConfiguration": object{"Audience": list{"web"}, "Issuer": "https://issuer.example.com"},
	})
	s.ok("UpdateAuthorizer", with(oneTokens, object{"Name": "access tokens", "JwtConfiguration": tokens["JwtConfiguration"]}), tokens)
	s.ok("GetAuthorizer", oneTokens, tokens)
	oneFirst := with(at, object{"AuthorizerId": first["AuthorizerId"]})
	first = with(first, object{
		"AuthorizerCredentialsArn": nil, "IdentitySource": list{"$request.header.X-Key"}, "AuthorizerResultTtlInSeconds": 0,
		"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
	})
	s.ok("UpdateAuthorizer", with(oneFirst, object{
		"AuthorizerCredentialsArn": "", "IdentitySource": list{"$request.header.X-Key"}, "AuthorizerResultTtlInSeconds": 0,
		"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
	}), first)
	s.ok("GetAuthorizer", oneFirst, first)

	s.ok("UpdateRoute", with(oneRoute, object{"AuthorizationType": "NONE"}), with(custom, object{"AuthorizationType": "NONE", "AuthorizerId": nil}))
	for _, a := range []object{tokens, first, second} {
		one := with(at, object{"AuthorizerId": a["AuthorizerId"]})
		s.ok("DeleteAuthorizer", one, object{})
		s.fails("GetAuthorizer", one, "NotFoundException", "Invalid Authorizer identifier specified "+a["AuthorizerId"].(string))
	}
	s.ok("GetAuthorizers", at, object{"Items": list{}})
}

// authorizersCache is what authorizers have said, to be forgotten stage by stage.
func authorizersCache(s *story) {
	at := object{"ApiId": s.newAPI("authorizers' cache")}
	for _, stage := range []string{"$default", "live"} {
		s.ok("CreateStage", with(at, object{"StageName": stage}), nil)
		s.ok("ResetAuthorizersCache", with(at, object{"StageName": stage}), object{})
	}
	s.fails("ResetAuthorizersCache", with(at, object{"StageName": "nobody"}), "NotFoundException", "Invalid stage identifier specified")
	s.fails("ResetAuthorizersCache", object{"ApiId": "zzzzzzzzzz", "StageName": "live"}, "NotFoundException", "Invalid API identifier specified 000000000000:zzzzzzzzzz")
}

func authorizerErrors(s *story) {
	at := object{"ApiId": s.newAPI("authorizer errors")}
	jwt := with(at, object{
		"AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": list{"$request.header.Authorization"},
		"JwtConfiguration": object{"Audience": list{"web"}, "Issuer": "https://issuer.example.com"},
	})
	request := with(at, object{
		"AuthorizerType": "REQUEST", "Name": "asks", "AuthorizerUri": invokeARN, "AuthorizerPayloadFormatVersion": "1.0", "IdentitySource": list{},
	})
	s.ok("CreateAuthorizer", jwt, nil)
	other := with(jwt, object{"Name": "others"})
	for _, tt := range []struct {
		in      object
		message any
	}{
		{jwt, "Authorizer name must be unique. Authorizer tokens already exists in this RestApi."},
		{with(other, object{"JwtConfiguration": nil}), "JwtConfiguration must not be null for JWT Authorizer"},
		{with(other, object{"JwtConfiguration": object{"Audience": list{"web"}, "Issuer": "http://issuer.example.com"}}),
			"Invalid issuer: Issuer is not a valid URL for JWT Authorizer"},
		{with(other, object{"JwtConfiguration": object{"Audience": list{}, "Issuer": "https://issuer.example.com"}}), anyText},
		{with(other, object{"IdentitySource": list{"Authorization"}}), "Invalid identity source expression: Authorization"},
		{with(other, object{"AuthorizerPayloadFormatVersion": "2.0"}), "AuthorizerPayloadFormatVersion can only be set for REQUEST authorizer."},
		{with(request, object{"AuthorizerUri": nil}), "AuthorizerUri is a required field in an Authorizer"},
		{with(request, object{"AuthorizerUri": function}), anyText},
		{with(request, object{"AuthorizerPayloadFormatVersion": nil}), "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"},
		{with(request, object{"EnableSimpleResponses": true}), `EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".`},
		{with(request, object{"IdentitySource": list{"route.request.header.a"}}), "Invalid identity source expression: route.request.header.a"},
		{with(request, object{"AuthorizerResultTtlInSeconds": 3601}), "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds."},
		{with(request, object{"AuthorizerResultTtlInSeconds": 300}), "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"},
	} {
		s.fails("CreateAuthorizer", tt.in, "BadRequestException", tt.message)
	}
	for _, op := range []string{"GetAuthorizer", "DeleteAuthorizer"} {
		s.fails(op, with(at, object{"AuthorizerId": "zzzzzz"}), "NotFoundException", "Invalid Authorizer identifier specified zzzzzz")
	}
}

// websocketAuthorizers ask a function when a client connects.
func websocketAuthorizers(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("websocket authorizers")}
	in := with(at, object{
		"AuthorizerType": "REQUEST", "Name": "who connects", "AuthorizerUri": invokeARN,
		"IdentitySource": list{"route.request.header.Auth", "route.request.querystring.Name", "context.identity.sourceIp", "stageVariables.who"},
	})
	made := s.create("Authorizer", in, object{"AuthorizerId": id6})
	one := with(at, object{"AuthorizerId": made["AuthorizerId"]})
	route := s.create("Route", with(at, object{"RouteKey": "$connect", "AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}), object{
		"RouteId": id7, "ApiKeyRequired": false,
	})
	other := with(in, object{"Name": "another"})
	for _, tt := range []struct {
		in      object
		message string
	}{
		{with(other, object{"AuthorizerPayloadFormatVersion": "1.0"}), "AuthorizerPayloadFormatVersion is not currently supported for WebSocket APIs."},
		{with(other, object{"IdentitySource": list{"$request.header.Auth"}}), "Invalid request identity source expression: $request.header.Auth"},
		{with(at, object{
			"AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": list{"$request.header.Authorization"},
			"JwtConfiguration": object{"Audience": list{"web"}, "Issuer": "https://issuer.example.com"},
		}), "Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."},
	} {
		s.fails("CreateAuthorizer", tt.in, "BadRequestException", tt.message)
	}
	changed := with(made, object{"IdentitySource": nil})
	s.ok("UpdateAuthorizer", with(one, object{"IdentitySource": list{}}), changed)
	s.ok("GetAuthorizer", one, changed)
	s.fails("DeleteAuthorizer", one, "ConflictException", "Cannot delete authorizer 'who connects', is referenced in route: $connect")
	s.ok("DeleteRoute", with(at, object{"RouteId": route["RouteId"]}), object{})
	s.ok("DeleteAuthorizer", one, object{})
}
