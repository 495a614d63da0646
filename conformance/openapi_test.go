//go:build conformance

package conformance

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// pets is a document with one of everything, in YAML as people write it.
const pets = `openapi: 3.0.1
info: {title: pets, description: "Ünïcode & <angles>", version: 1.0}
servers: [{url: "https://h/{basePath}", variables: {basePath: {default: v1/api}}}]
tags: [{name: owner, x-amazon-apigateway-tag-value: me}]
paths:
  /pets/{id}:
    get:
      operationId: GetPet
      security: [{jwt: [read]}]
      x-amazon-apigateway-integration: {$ref: "#/components/x-amazon-apigateway-integrations/be"}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "https://up.example.com/", payloadFormatVersion: 1.0, timeoutInMillis: 5000}
components:
  securitySchemes:
    jwt:
      type: openIdConnect
      openIdConnectUrl: "https://issuer.example.com/.well-known/openid-configuration"
      x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {audience: [a]}}
  x-amazon-apigateway-integrations:
    be: {type: AWS_PROXY, httpMethod: POST, payloadFormatVersion: 2.0, uri: "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:pets"}
x-amazon-apigateway-cors: {allowOrigins: ["https://example.com"], maxAge: 0, allowCredentials: false}
`

// petsAPI is the API that pets makes.
var petsAPI = with(httpAPI, object{
	"Name": "pets", "Description": "Ünïcode & <angles>", "Version": "1.0", "Tags": object{"owner": "me"},
	"CorsConfiguration": object{"AllowOrigins": list{"https://example.com"}, "MaxAge": 0, "AllowCredentials": false},
})

// toys is another document, in JSON, with a reference that leads nowhere.
const toys = `{
  "openapi": "3.0.1", "info": {"title": "toys", "version": "2"},
  "paths": {"/update": {"get": {
    "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ModelThatDoesNotExist"}}}}},
    "x-amazon-apigateway-integration": {"type": "HTTP_PROXY", "httpMethod": "GET", "payloadFormatVersion": "1.0", "uri": "https://example.com/toys"}}}}
}`

const dangling = "Parse issue: attribute paths.'/update'(get).responses.200.content.schema.#/components/schemas/ModelThatDoesNotExist is missing"

// holds checks all that an API has.
func (s *story) holds(api object, authorizers, integrations, routes object) {
	s.Helper()
	at := object{"ApiId": api["ApiId"]}
	s.ok("GetApi", at, with(api, object{"Warnings": nil, "ImportInfo": nil}))
	for op, want := range map[string]object{"GetAuthorizers Name": authorizers, "GetIntegrations IntegrationUri": integrations, "GetRoutes RouteKey": routes} {
		op, by, _ := strings.Cut(op, " ")
		s.want(op, want, s.byName(s.ok(op, at, nil)["Items"].(list), by))
	}
}

// imports make an API of a document, and a document of another API.
func imports(s *story) {
	authorizers := object{"jwt": object{
		"AuthorizerId": id6, "AuthorizerType": "JWT", "Name": "jwt", "IdentitySource": list{"$request.header.Authorization"},
		"JwtConfiguration": object{"Audience": list{"a"}, "Issuer": "https://issuer.example.com"},
	}}
	integration := object{
		"IntegrationId": id7, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "https://up.example.com/",
		"ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 5000, "Description": "AutoCreate from OpenAPI Import",
	}
	integrations := object{
		"https://up.example.com/": integration,
		function: with(integration, object{
			"IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": function, "PayloadFormatVersion": "2.0", "TimeoutInMillis": 30000,
		}),
	}
	target := re(`^integrations/[a-z0-9]{7}$`)
	for mode, key := range map[string]string{"": "GET /pets/{id}", "ignore": "GET /pets/{id}", "prepend": "GET /v1/api/pets/{id}", "split": "GET /api/pets/{id}"} {
		in := object{"Body": pets}
		if mode != "" {
			in["Basepath"] = mode
		}
		api := s.ok("ImportApi", with(in, object{"FailOnWarnings": true}), petsAPI)
		s.holds(api, authorizers, integrations, object{
			key: object{
				"RouteId": id7, "RouteKey": key, "OperationName": "GetPet", "ApiKeyRequired": false, "Target": target,
				"AuthorizationType": "JWT", "AuthorizationScopes": list{"read"}, "AuthorizerId": id6,
			},
			"$default": object{"RouteId": id7, "RouteKey": "$default", "ApiKeyRequired": false, "Target": target, "AuthorizationType": "NONE"},
		})
	}

	// A warning is told, and told only then, if it is not to be an error.
	warned := s.ok("ImportApi", object{"Body": toys}, with(httpAPI, object{
		"Name": "toys", "Version": "2", "Warnings": list{dangling}, "ImportInfo": list{re("responses")},
	}))
	s.ok("GetApi", object{"ApiId": warned["ApiId"]}, with(warned, object{"Warnings": nil, "ImportInfo": nil}))

	// Routes, integrations, authorizers and CORS are replaced; tags, stages and what
	// the document does not say stay.
	api := s.ok("ImportApi", object{"Body": pets}, petsAPI)
	at := object{"ApiId": api["ApiId"]}
	s.ok("CreateStage", with(at, object{"StageName": "live", "AutoDeploy": true}), nil)
	deployment := s.ok("GetStage", with(at, object{"StageName": "live"}), nil)["DeploymentId"]
	changed := with(api, object{"Name": "toys", "Version": "2", "CorsConfiguration": nil})
	s.ok("ReimportApi", with(at, object{"Body": toys, "FailOnWarnings": false}), with(changed, object{"Warnings": list{dangling}, "ImportInfo": list{re("responses")}}))
	s.holds(changed, object{}, object{"https://example.com/toys": with(integration, object{
		"IntegrationMethod": "GET", "IntegrationUri": "https://example.com/toys", "TimeoutInMillis": 30000,
	})}, object{"GET /update": object{"RouteId": id7, "RouteKey": "GET /update", "ApiKeyRequired": false, "Target": target, "AuthorizationType": "NONE"}})
	if now := s.ok("GetStage", with(at, object{"StageName": "live"}), nil)["DeploymentId"]; now == deployment {
		s.Errorf("the stage is at deployment %v as before the import", now)
	}
	s.ok("DeleteApi", at, object{})
}

// importErrors leave everything as it was.
func importErrors(s *story) {
	const refused = "not to be imported"
	warned := strings.ReplaceAll(toys, `"title": "toys"`, `"title": "`+refused+`"`)
	s.fails("ImportApi", object{"Body": warned, "FailOnWarnings": true}, "BadRequestException", "Warnings found during import:\n\t"+dangling)
	api := s.ok("ImportApi", object{"Body": pets}, petsAPI)
	at := object{"ApiId": api["ApiId"]}
	routes := s.ok("GetRoutes", at, nil)
	s.fails("ReimportApi", with(at, object{"Body": warned, "FailOnWarnings": true}), "BadRequestException", "Warnings found during import:\n\t"+dangling)
	for _, body := range []string{
		"", "{", "no document", `{"swagger": "2.0", "info": {"title": "` + refused + `"}, "paths": {}}`,
		strings.ReplaceAll(warned, `"HTTP_PROXY"`, `"HTTP_PROXY", "connectionType": "VPC_LINK"`),
		strings.ReplaceAll(warned, `"responses"`, `"security": [{"a": []}, {"b": []}], "responses"`),
	} {
		s.fails("ImportApi", object{"Body": body}, "BadRequestException", anyText)
		s.fails("ReimportApi", with(at, object{"Body": body}), "BadRequestException", anyText)
	}
	s.fails("ImportApi", object{"Body": pets, "Basepath": "append"}, "BadRequestException", anyText)
	s.fails("ReimportApi", object{"ApiId": s.newWebSocketAPI("not imported"), "Body": pets}, "BadRequestException", anyText)
	s.fails("ReimportApi", object{"ApiId": "zzzzzzzzzz", "Body": pets}, "NotFoundException", "Invalid API identifier specified 000000000000:zzzzzzzzzz")
	s.ok("GetApi", at, api)
	s.ok("GetRoutes", at, routes)
	for _, item := range s.byHand("GetApis", object{}, nil) {
		if item.(object)["Name"] == refused {
			s.Errorf("an API that was refused is there: %s", text(item))
		}
	}
	s.ok("DeleteApi", at, object{})
}

// export returns the document of an API.
func (s *story) export(api, form string, changes object) string {
	s.Helper()
	in := with(object{"ApiId": api, "Specification": "OAS30", "OutputType": form}, changes)
	out := s.ok("ExportApi", in, object{"body": anyText})
	return out["body"].(string)
}

// exports are documents that make the same API again.
func exports(s *story) {
	api := s.ok("ImportApi", object{"Body": pets}, petsAPI)
	id := api["ApiId"].(string)
	path := func(base string) list {
		return list{object{"url": api["ApiEndpoint"].(string) + "/{basePath}", "variables": object{"basePath": object{"default": base}}}}
	}
	responses := func(key string) object {
		return object{"default": object{"description": "Default response for " + key}}
	}
	get := object{
		"operationId": "GetPet", "responses": responses("GET /pets/{id}"), "security": list{object{"jwt": list{"read"}}},
		"parameters": list{object{"name": "id", "in": "path", "required": true, "description": "Generated path parameter for id", "schema": object{"type": "string"}}},
	}
	scheme := object{"type": "oauth2", "flows": object{}}
	plain := object{
		"openapi": "3.0.1", "info": object{"title": "pets", "description": "Ünïcode & <angles>", "version": "1.0"}, "servers": path(""),
		"tags": list{object{"name": "owner"}}, "components": object{"securitySchemes": object{"jwt": scheme}},
		"paths": object{"/pets/{id}": object{"get": get}},
	}
	whole := with(plain, object{
		"tags": list{object{"name": "owner", "x-amazon-apigateway-tag-value": "me"}},
		"paths": object{
			"/pets/{id}": object{"get": with(get, object{"x-amazon-apigateway-integration": object{
				"payloadFormatVersion": "2.0", "type": "aws_proxy", "httpMethod": "POST", "uri": function, "connectionType": "INTERNET",
			}})},
			"/$default": object{"x-amazon-apigateway-any-method": object{
				"responses": responses("$default"), "isDefaultRoute": true,
				"x-amazon-apigateway-integration": object{
					"payloadFormatVersion": "1.0", "type": "http_proxy", "httpMethod": "ANY", "uri": "https://up.example.com/", "connectionType": "INTERNET", "timeoutInMillis": 5000,
				},
			}},
		},
		"components": object{"securitySchemes": object{"jwt": with(scheme, object{"x-amazon-apigateway-authorizer": object{
			"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": object{"audience": list{"a"}, "issuer": "https://issuer.example.com"},
		}})}},
		"x-amazon-apigateway-cors":                 object{"allowOrigins": list{"https://example.com"}, "maxAge": 0, "allowCredentials": false},
		"x-amazon-apigateway-importexport-version": "1.0",
	})

	for form, unmarshal := range map[string]func([]byte, any) error{"JSON": json.Unmarshal, "YAML": yaml.Unmarshal} {
		for _, tt := range []struct{ in, want object }{
			{object{}, whole},
			{object{"IncludeExtensions": true, "ExportVersion": "1.0"}, whole},
			{object{"IncludeExtensions": false}, plain},
		} {
			document := s.export(id, form, tt.in)
			var got any
			if err := unmarshal([]byte(document), &got); err != nil {
				s.Fatalf("%s: %v\n%s", form, err, document)
			}
			s.want("ExportApi "+form, tt.want, got)
		}

		// What a document makes has the same document, byte by byte.
		first := s.export(id, form, nil)
		again := s.ok("ImportApi", object{"Body": first, "FailOnWarnings": true}, petsAPI)["ApiId"].(string)
		if second := strings.ReplaceAll(s.export(again, form, nil), again, id); second != first {
			s.Errorf("the second export in %s differs:\n%s\nthe first:\n%s", form, second, first)
		}
		s.ok("DeleteApi", object{"ApiId": again}, object{})
	}

	// Of a stage it is what was deployed.
	at := object{"ApiId": id}
	s.ok("CreateStage", with(at, object{"StageName": "live"}), nil)
	s.fails("ExportApi", with(at, object{"Specification": "OAS30", "OutputType": "JSON", "StageName": "live"}), "BadRequestException", anyText)
	s.ok("CreateDeployment", with(at, object{"StageName": "live"}), nil)
	s.ok("UpdateApi", with(at, object{"Name": "changed since"}), nil)
	var deployed any
	if err := json.Unmarshal([]byte(s.export(id, "JSON", object{"StageName": "live"})), &deployed); err != nil {
		s.Fatal(err)
	}
	s.want("ExportApi of a stage", with(whole, object{"servers": path("/live")}), deployed)

	for _, tt := range []object{{"Specification": "OAS31"}, {"OutputType": "XML"}, {"ExportVersion": "2.0"}, {"ApiId": s.newWebSocketAPI("not exported")}} {
		s.fails("ExportApi", with(with(at, object{"Specification": "OAS30", "OutputType": "JSON"}), tt), "BadRequestException", anyText)
	}
	s.fails("ExportApi", with(at, object{"Specification": "OAS30", "OutputType": "JSON", "StageName": "nobody"}), "NotFoundException", "Invalid stage identifier specified")
	s.ok("DeleteApi", at, object{})
}
