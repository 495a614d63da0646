//go:build conformance

package conformance

import "fmt"

// proxy makes an HTTP_PROXY integration and returns what a route's target says.
func (s *story) proxy(at object, uri string) string {
	s.Helper()
	out := s.ok("CreateIntegration", with(at, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": uri}), nil)
	return "integrations/" + out["IntegrationId"].(string)
}

// routes keep their keys apart and hold on to what they use.
func routes(s *story) {
	at := object{"ApiId": s.newAPI("routes")}
	target := s.proxy(at, "https://example.com")
	route := s.create("Route", with(at, object{"RouteKey": "GET /pets/{id}", "Target": target, "OperationName": "GetPet", "AuthorizationType": "AWS_IAM"}), object{
		"RouteId": id7, "ApiKeyRequired": false,
	})
	one := with(at, object{"RouteId": route["RouteId"]})
	other := s.create("Route", with(at, object{"RouteKey": "ANY /a/b/{proxy+}"}), object{
		"RouteId": id7, "ApiKeyRequired": false, "AuthorizationType": "NONE",
	})

	for _, tt := range []struct {
		in      object
		class   string
		message any
	}{
		{object{"RouteKey": "GET /pets/{id}"}, "ConflictException", "Route with key GET /pets/{id} already exists for this API"},
		{object{"RouteKey": "GET /pets/{name}/toys"}, "ConflictException",
			`The provided route key "GET /pets/{name}/toys" has a conflicting variable on the same hierarchical level as "GET /pets/{id}"`},
		{object{"RouteKey": "TRACE /x"}, "BadRequestException",
			`The provided route key is not formatted properly for HTTP protocol. Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"`},
		{object{"RouteKey": "GET /{id}.json"}, "BadRequestException", "One or more path parts appear to be invalid"},
		{object{"RouteKey": "GET /x", "Target": "https://example.com"}, "BadRequestException",
			"Unexpected or malformed target in route. Correct format should be integrations/<integration_id>."},
		{object{"RouteKey": "GET /x", "Target": "integrations/zzzzzzz"}, "NotFoundException", "Invalid Integration identifier specified zzzzzzz"},
		{object{"RouteKey": "GET /x", "ApiKeyRequired": true}, "BadRequestException", "ApiKeyRequired is not currently supported for HTTP APIs."},
		{object{"RouteKey": "GET /x", "AuthorizationType": "JWT", "AuthorizerId": "zzzzzz"}, "BadRequestException",
			"Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer."},
		{object{"RouteKey": "GET /x", "AuthorizationScopes": list{"a"}}, "BadRequestException",
			"Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type"},
	} {
		s.fails("CreateRoute", with(at, tt.in), tt.class, tt.message)
	}
	s.fails("UpdateRoute", with(at, object{"RouteId": other["RouteId"], "RouteKey": "GET /pets/{id}"}),
		"ConflictException", "Route with key GET /pets/{id} already exists for this API")

	changed := object{"RouteKey": "POST /pets", "RouteId": route["RouteId"], "ApiKeyRequired": false, "AuthorizationType": "NONE"}
	s.ok("UpdateRoute", with(one, object{"RouteKey": "POST /pets", "OperationName": "", "AuthorizationType": "NONE"}), with(changed, object{"Target": target}))
	s.ok("UpdateRoute", with(one, object{"Target": ""}), changed)
	listed := s.byName(s.ok("GetRoutes", at, nil)["Items"].(list), "RouteKey")
	s.want("GetRoutes", object{"POST /pets": changed, "ANY /a/b/{proxy+}": other}, listed)
	s.ok("DeleteRoute", one, object{})
	s.fails("GetRoute", one, "NotFoundException", "Invalid Route identifier specified "+route["RouteId"].(string))
}

// stages keep variables and settings, and change them by the merge rules.
func stages(s *story) {
	at := object{"ApiId": s.newAPI("stages")}
	// Keys that an URL, a JSON path or a shell would trip over.
	keys := []string{"GET /pets/{id}", "ANY /a.b-c_d~e/{proxy+}", "POST /x%2Fy", "$default"}
	for _, key := range keys[:3] {
		s.ok("CreateRoute", with(at, object{"RouteKey": key, "Target": s.proxy(at, "https://example.com")}), nil)
	}
	in := with(at, object{
		"StageName":   "v1-beta_2",
		"Description": "the first",
		"AutoDeploy":  false,
		"StageVariables": object{
			"a": "1", "B_2": "A-Za-z0-9-._~:/?#&=,",
		},
		"DefaultRouteSettings": object{"DetailedMetricsEnabled": true, "ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.5},
		"RouteSettings": object{
			keys[0]: object{"ThrottlingBurstLimit": 1},
			keys[1]: object{"ThrottlingRateLimit": 0.5},
			keys[2]: object{"DetailedMetricsEnabled": true},
			keys[3]: object{"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 2},
		},
		"AccessLogSettings": object{
			"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:pets",
			"Format":         `{"id":"$context.requestId","ip":"$context.identity.sourceIp"}`,
		},
		"Tags": object{"a": "1"},
	})
	stage := s.create("Stage", in, object{"CreatedDate": when, "LastUpdatedDate": when})
	one := with(at, object{"StageName": "v1-beta_2"})

	s.fails("CreateStage", with(at, object{"StageName": "v1-beta_2"}), "ConflictException", "Stage already exists")
	s.fails("CreateStage", with(at, object{"StageName": "a.b"}), "BadRequestException", "Stage name only allows a-zA-Z0-9_")
	s.fails("UpdateStage", with(one, object{"RouteSettings": object{"GET /nobody": object{"ThrottlingBurstLimit": 1}}}),
		"NotFoundException", "Unable to find Route by key GET /nobody within the provided RouteSettings")
	s.fails("UpdateStage", with(one, object{"DefaultRouteSettings": object{"LoggingLevel": "INFO"}}),
		"BadRequestException", "Execution logs are not supported on protocolType HTTP")

	// Variables lose a name by "", settings of a route are put in or replaced,
	// the default settings are replaced, log settings are cleared by {}.
	changed := with(stage, object{
		"LastUpdatedDate":      when,
		"Description":          nil,
		"StageVariables":       object{"B_2": "A-Za-z0-9-._~:/?#&=,", "c": "3"},
		"DefaultRouteSettings": object{"DetailedMetricsEnabled": false},
		"RouteSettings": with(in["RouteSettings"].(object), object{
			keys[0]: object{"ThrottlingBurstLimit": 7, "ThrottlingRateLimit": 7.5},
		}),
		"AccessLogSettings": nil,
	})
	s.ok("UpdateStage", with(one, object{
		"Description":          "",
		"StageVariables":       object{"a": "", "c": "3"},
		"DefaultRouteSettings": object{},
		"RouteSettings":        object{keys[0]: object{"ThrottlingBurstLimit": 7, "ThrottlingRateLimit": 7.5}},
		"AccessLogSettings":    object{},
	}), changed)
	for _, key := range keys {
		s.ok("DeleteRouteSettings", with(one, object{"RouteKey": key}), object{})
	}
	s.ok("GetStage", one, with(changed, object{"RouteSettings": object{}}))

	s.ok("UpdateStage", with(one, object{"AccessLogSettings": in["AccessLogSettings"]}), with(changed, object{
		"RouteSettings": object{}, "AccessLogSettings": in["AccessLogSettings"],
	}))
	s.ok("DeleteAccessLogSettings", one, object{})
	s.ok("GetStage", one, with(changed, object{"RouteSettings": object{}}))

	s.ok("DeleteStage", one, object{})
	s.fails("GetStage", one, "NotFoundException", re("^Invalid stage identifier specified"))
}

// deployments are frozen copies that stages point at.
func deployments(s *story) {
	at := object{"ApiId": s.newAPI("deployments")}
	s.fails("CreateDeployment", at, "BadRequestException", "Unable to deploy API because no routes exist in this API")
	s.ok("CreateRoute", with(at, object{"RouteKey": "$default", "Target": s.proxy(at, "https://example.com")}), nil)
	made := object{"AutoDeployed": false, "CreatedDate": when, "DeploymentId": id6, "DeploymentStatus": "DEPLOYED"}
	first := s.create("Deployment", with(at, object{"Description": "first"}), made)
	stage := s.ok("CreateStage", with(at, object{"StageName": "live", "DeploymentId": first["DeploymentId"]}), nil)
	s.want("stage", first["DeploymentId"], stage["DeploymentId"])

	second := s.ok("CreateDeployment", with(at, object{"StageName": "live"}), made)
	if second["CreatedDate"] == first["CreatedDate"] {
		s.Errorf("two deployments have the same date %v", first["CreatedDate"])
	}
	s.want("stage after deployment", second["DeploymentId"], s.ok("GetStage", with(at, object{"StageName": "live"}), nil)["DeploymentId"])
	s.ok("UpdateStage", with(at, object{"StageName": "live", "DeploymentId": first["DeploymentId"]}), with(stage, object{"LastUpdatedDate": when}))
	s.fails("DeleteDeployment", with(at, object{"DeploymentId": first["DeploymentId"]}), "BadRequestException",
		"Active stages pointing to this deployment must be moved or deleted")
	s.ok("DeleteDeployment", with(at, object{"DeploymentId": second["DeploymentId"]}), object{})
	s.ok("UpdateDeployment", with(at, object{"DeploymentId": first["DeploymentId"], "Description": "going back"}), with(first, object{"Description": "going back"}))
	s.ok("GetDeployments", at, object{"Items": list{with(first, object{"Description": "going back"})}})
	s.fails("UpdateStage", with(at, object{"StageName": "live", "DeploymentId": "zzzzzz"}), "NotFoundException", re("^Invalid Deployment identifier specified"))
	s.fails("CreateDeployment", with(at, object{"StageName": "nobody"}), "NotFoundException", re("^Invalid stage identifier specified"))
}

// autoDeploy stages follow every change.
func autoDeploy(s *story) {
	at := object{"ApiId": s.newAPI("auto deploy")}
	stage := s.ok("CreateStage", with(at, object{"StageName": "$default", "AutoDeploy": true}), object{
		"AutoDeploy": true, "StageName": "$default", "CreatedDate": when, "LastUpdatedDate": when,
		"LastDeploymentStatusMessage": re("^Deployment attempt failed: Unable to deploy API because no "),
		"DefaultRouteSettings":        object{"DetailedMetricsEnabled": false},
		"RouteSettings":               object{}, "StageVariables": object{}, "Tags": object{},
	})
	var ids []string
	for i := range 2 {
		s.ok("CreateRoute", with(at, object{"RouteKey": fmt.Sprintf("GET /%d", i), "Target": s.proxy(at, "https://example.com")}), nil)
		id := s.ok("GetStage", with(at, object{"StageName": "$default"}), nil)["DeploymentId"].(string)
		s.ok("GetStage", with(at, object{"StageName": "$default"}), with(stage, object{
			"DeploymentId": id, "LastDeploymentStatusMessage": "Successfully deployed stage with deployment ID '" + id + "'", "LastUpdatedDate": when,
		}))
		s.ok("GetDeployment", with(at, object{"DeploymentId": id}), object{
			"AutoDeployed": true, "CreatedDate": when, "DeploymentId": id, "DeploymentStatus": "DEPLOYED",
			"Description": "Automatic deployment triggered by changes to the Api configuration",
		})
		ids = append(ids, id)
	}
	if ids[0] == ids[1] {
		s.Errorf("a change did not make a deployment: %v", ids)
	}
	s.fails("UpdateStage", with(at, object{"StageName": "$default", "DeploymentId": ids[0]}), "BadRequestException", anyText)
}

// websocketStages have routes with free names, which are keys of settings too.
func websocketStages(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("websocket stages")}
	mock := s.ok("CreateIntegration", with(at, object{"IntegrationType": "MOCK"}), nil)["IntegrationId"].(string)
	key := `send/a message:{ü}%41?b=c&d#e+f"g'h`
	s.create("Route", with(at, object{"RouteKey": key, "Target": "integrations/" + mock, "RouteResponseSelectionExpression": "$default"}), object{
		"RouteId": id7, "ApiKeyRequired": false, "AuthorizationType": "NONE",
	})
	route := s.create("Route", with(at, object{
		"RouteKey": "$connect", "AuthorizationType": "AWS_IAM", "ApiKeyRequired": true, "OperationName": "Connect",
		"RequestParameters": object{"route.request.querystring.a/b": object{"Required": true}, "route.request.header.X-Id": object{"Required": false}},
	}), object{"RouteId": id7})
	parameter := with(at, object{"RouteId": route["RouteId"], "RequestParameterKey": "route.request.querystring.a/b"})
	s.ok("DeleteRouteRequestParameter", parameter, object{})
	s.ok("GetRoute", with(at, object{"RouteId": route["RouteId"]}), with(route, object{
		"RequestParameters": object{"route.request.header.X-Id": object{"Required": false}},
	}))
	s.fails("DeleteRouteRequestParameter", parameter, "NotFoundException", anyText)
	s.fails("CreateRoute", with(at, object{"RouteKey": "chat", "AuthorizationType": "AWS_IAM"}), "BadRequestException",
		"Currently, authorization is restricted to the $connect route only")

	stage := s.create("Stage", with(at, object{
		"StageName":            "live",
		"ClientCertificateId":  "abcde12345",
		"DefaultRouteSettings": object{"LoggingLevel": "ERROR"},
		"RouteSettings":        object{key: object{"DataTraceEnabled": true, "LoggingLevel": "INFO"}, "$connect": object{"ThrottlingBurstLimit": 1}},
	}), object{
		"CreatedDate": when, "LastUpdatedDate": when, "StageVariables": object{}, "Tags": object{},
		"DefaultRouteSettings": object{"DataTraceEnabled": false, "DetailedMetricsEnabled": false, "LoggingLevel": "ERROR"},
	})
	one := with(at, object{"StageName": "live"})
	s.ok("DeleteRouteSettings", with(one, object{"RouteKey": key}), object{})
	stage = with(stage, object{"ClientCertificateId": nil})
	s.ok("UpdateStage", with(one, object{"ClientCertificateId": ""}), with(stage, object{
		"RouteSettings": object{"$connect": object{"ThrottlingBurstLimit": 1}}, "LastUpdatedDate": when,
	}))
	s.ok("GetStage", one, with(stage, object{"RouteSettings": object{"$connect": object{"ThrottlingBurstLimit": 1}}, "LastUpdatedDate": when}))
	s.ok("CreateDeployment", with(one, object{}), object{"AutoDeployed": false, "CreatedDate": when, "DeploymentId": id6, "DeploymentStatus": "DEPLOYED"})
}
