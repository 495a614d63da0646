//go:build conformance

package conformance

// models describe the messages of WebSocket APIs. Their schemas come back byte by byte.
func models(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("models")}
	schema := "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\", \"title\": \"Ünïcode\",\n" +
		"  \"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, \"age\": {\"type\": \"integer\"}, \"tags\": {\"type\": \"array\", \"items\": {\"type\": \"boolean\"}}}\n}\n"
	made := s.create("Model", with(at, object{
		"Name": "Pet", "Description": "what a pet has", "ContentType": "application/vnd.pet+json", "Schema": schema,
	}), object{"ModelId": id6})
	one := with(at, object{"ModelId": made["ModelId"]})
	s.ok("GetModelTemplate", one, object{"Value": `#set($inputRoot = $input.path('$'))
{
  "name" : "foo",
  "age" : 42,
  "tags" : [
  #foreach($elem in $inputRoot.tags)
    true
    #if($foreach.hasNext),#end
  #end
  ]
}`})
	toy := s.create("Model", with(at, object{"Name": "Toy", "Schema": "{}"}), object{"ModelId": id6, "ContentType": "application/json"})

	route := s.create("Route", with(at, object{"RouteKey": "adopt", "ModelSelectionExpression": "$request.body.kind", "RequestModels": object{"pet": "Pet"}}), object{
		"RouteId": id7, "ApiKeyRequired": false, "AuthorizationType": "NONE",
	})
	for _, tt := range []struct {
		in             object
		class, message string
	}{
		{object{"Name": "Pet", "Schema": "{}"}, "ConflictException", "Model name already exists for this REST API"},
		{object{"Name": "my-pet", "Schema": "{}"}, "BadRequestException", "Model name must be alphanumeric: my-pet"},
	} {
		s.fails("CreateModel", with(at, tt.in), tt.class, tt.message)
	}
	s.fails("CreateModel", with(at, object{"Name": "Bad", "Schema": `{"type": "pet"}`}), "BadRequestException", re("^Invalid model schema specified: "))
	unchecked := object{"Name": "unchecked models", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action", "DisableSchemaValidation": true}
	api := s.ok("CreateApi", unchecked, with(httpAPI, with(unchecked, object{"ApiEndpoint": anyText})))
	s.ok("GetApi", object{"ApiId": api["ApiId"]}, api)
	s.create("Model", object{"ApiId": api["ApiId"], "Name": "Bad", "Schema": `{"type": "pet"}`}, object{"ModelId": id6, "ContentType": "application/json"})
	s.fails("CreateModel", object{"ApiId": s.newAPI("no models"), "Name": "Pet", "Schema": "{}"}, "BadRequestException",
		"Currently, Models are not permitted for APIs with a protocol type of HTTP")
	s.fails("CreateRoute", with(at, object{"RouteKey": "sell", "RequestModels": object{"pet": "Nobody"}}), "BadRequestException", anyText)
	s.fails("DeleteModel", one, "ConflictException", "Cannot delete model 'Pet', is referenced in route: adopt")
	s.ok("DeleteRoute", with(at, object{"RouteId": route["RouteId"]}), object{})

	changed := with(made, object{"Name": "Animal", "Description": nil, "Schema": `{"type":"string"}`})
	s.ok("UpdateModel", with(one, object{"Name": "Animal", "Description": "", "Schema": `{"type":"string"}`}), changed)
	s.ok("GetModel", one, changed)
	s.want("GetModels", object{"Animal": changed, "Toy": toy}, s.byName(s.ok("GetModels", at, nil)["Items"].(list), "Name"))
	s.ok("DeleteModel", one, object{})
	for _, op := range []string{"GetModel", "GetModelTemplate", "DeleteModel"} {
		s.fails(op, one, "NotFoundException", "Invalid Model identifier specified "+made["ModelId"].(string))
	}
}

// routeResponses say what a route of a WebSocket API answers; each has one at most.
func routeResponses(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("route responses")}
	s.ok("CreateModel", with(at, object{"Name": "Answer", "Schema": "{}"}), nil)
	route := s.ok("CreateRoute", with(at, object{"RouteKey": "ask", "RouteResponseSelectionExpression": "$default"}), object{
		"RouteId": id7, "RouteKey": "ask", "RouteResponseSelectionExpression": "$default", "ApiKeyRequired": false, "AuthorizationType": "NONE",
	})["RouteId"]
	under := with(at, object{"RouteId": route})
	made := s.create("RouteResponse", with(under, object{
		"RouteResponseKey": "$default", "ModelSelectionExpression": "$default",
		"ResponseModels":     object{"$default": "Answer"},
		"ResponseParameters": object{"route.response.header.X-Id": object{"Required": true}, "route.response.header.a": object{"Required": false}},
	}), object{"RouteResponseId": id6})
	one := with(under, object{"RouteResponseId": made["RouteResponseId"]})
	s.fails("CreateRouteResponse", with(under, object{"RouteResponseKey": "$default"}), "ConflictException", anyText)
	s.fails("CreateRouteResponse", with(under, object{"RouteResponseKey": "200"}), "BadRequestException",
		"Currently, only $default is supported as a RouteResponseKey.")
	s.fails("DeleteModel", with(at, object{"ModelId": s.ok("GetModels", at, nil)["Items"].(list)[0].(object)["ModelId"]}),
		"ConflictException", "Cannot delete model 'Answer', is referenced in route: ask")
	s.ok("GetRouteResponses", under, object{"Items": list{made}})

	changed := with(made, object{"ModelSelectionExpression": nil})
	s.ok("UpdateRouteResponse", with(one, object{"ModelSelectionExpression": ""}), changed)
	s.ok("GetRouteResponse", one, changed)
	s.ok("DeleteRouteResponse", one, object{})
	for _, op := range []string{"GetRouteResponse", "DeleteRouteResponse"} {
		s.fails(op, one, "NotFoundException", "Invalid RouteResponse identifier specified "+made["RouteResponseId"].(string))
	}
	s.fails("GetRouteResponses", with(at, object{"RouteId": "zzzzzzz"}), "NotFoundException", "Invalid Route identifier specified zzzzzzz")

	plain := object{"ApiId": s.newAPI("no route responses")}
	key := s.ok("CreateRoute", with(plain, object{"RouteKey": "$default"}), nil)["RouteId"]
	s.fails("CreateRouteResponse", with(plain, object{"RouteId": key, "RouteResponseKey": "$default"}), "BadRequestException",
		"RouteResponses are currently not supported for this API protocol type.")
}

// integrationResponses turn what a backend answered into a message.
func integrationResponses(s *story) {
	at := object{"ApiId": s.newWebSocketAPI("integration responses")}
	integration := s.ok("CreateIntegration", with(at, object{"IntegrationType": "MOCK"}), nil)["IntegrationId"]
	under := with(at, object{"IntegrationId": integration})
	made := s.create("IntegrationResponse", with(under, object{
		"IntegrationResponseKey": "/2\\d\\d/", "ContentHandlingStrategy": "CONVERT_TO_TEXT", "TemplateSelectionExpression": "\\$default",
		"ResponseTemplates": object{"$default": "#set($in = $input.path('$'))\n{\"id\": $in.id}", "empty": ""},
		"ResponseParameters": object{
			"method.response.header.X-Id": "integration.response.header.Id",
			"method.response.header.a":    "'static, \"quoted\"'",
			"method.response.header.b":    "integration.response.body.pets[0].name",
		},
	}), object{"IntegrationResponseId": id6})
	other := s.create("IntegrationResponse", with(under, object{"IntegrationResponseKey": "$default"}), object{"IntegrationResponseId": id6})
	one := with(under, object{"IntegrationResponseId": made["IntegrationResponseId"]})
	s.fails("CreateIntegrationResponse", with(under, object{"IntegrationResponseKey": "$default"}), "ConflictException", anyText)
	s.fails("CreateIntegrationResponse", with(under, object{"IntegrationResponseKey": "200"}), "BadRequestException", anyText)
	s.fails("CreateIntegrationResponse", with(under, object{
		"IntegrationResponseKey": "/x/", "ResponseParameters": object{"method.response.body": "'x'"},
	}), "BadRequestException", re("method.response.body"))
	s.fails("UpdateIntegrationResponse", with(one, object{"IntegrationResponseKey": "$default"}), "ConflictException", anyText)
	s.want("GetIntegrationResponses", object{"/2\\d\\d/": made, "$default": other},
		s.byName(s.ok("GetIntegrationResponses", under, nil)["Items"].(list), "IntegrationResponseKey"))

	changed := with(made, object{"IntegrationResponseKey": "/5\\d\\d/", "TemplateSelectionExpression": nil, "ResponseTemplates": object{"$default": ""}})
	s.ok("UpdateIntegrationResponse", with(one, object{
		"IntegrationResponseKey": "/5\\d\\d/", "TemplateSelectionExpression": "", "ResponseTemplates": object{"$default": ""},
	}), changed)
	s.ok("GetIntegrationResponse", one, changed)
	s.ok("DeleteIntegrationResponse", one, object{})
	for _, op := range []string{"GetIntegrationResponse", "DeleteIntegrationResponse"} {
		s.fails(op, one, "NotFoundException", "Invalid IntegrationResponse identifier specified "+made["IntegrationResponseId"].(string))
	}

	plain := object{"ApiId": s.newAPI("no integration responses")}
	proxy := s.ok("CreateIntegration", with(plain, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com"}), nil)["IntegrationId"]
	s.fails("CreateIntegrationResponse", with(plain, object{"IntegrationId": proxy, "IntegrationResponseKey": "$default"}), "BadRequestException",
		"IntegrationResponses are currently not supported for this API protocol type.")
}
