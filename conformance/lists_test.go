//go:build conformance

package conformance

import (
	"fmt"

	"penstock/internal/model"
)

// perList is how many items each list has: two pages and a bit.
const perList = 2*pageSize + 1

// lists are paged through to their ends, at a server that nobody else writes to: by
// the client as it pages by itself, and by hand.
func lists(s *story) {
	s = s.as(serve(s.T, s.program, testerConfig), tester)
	// made makes something as somebody else.
	made := func(op string, in object) object {
		s.Helper()
		a, err := s.other.call(s.Context(), op, in)
		if err != nil {
			s.Fatalf("%s %s: %v", op, text(in), err)
		}
		return a.out
	}
	http := object{"ApiId": made("CreateApi", object{"Name": "http", "ProtocolType": "HTTP"})["ApiId"]}
	webSocket := object{"ApiId": made("CreateApi", object{"Name": "ws", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a"})["ApiId"]}
	mock := with(webSocket, object{"IntegrationId": made("CreateIntegration", with(webSocket, object{"IntegrationType": "MOCK"}))["IntegrationId"]})
	asking := with(webSocket, object{"RouteId": made("CreateRoute", with(webSocket, object{"RouteKey": "ask"}))["RouteId"]})
	domain := object{"DomainName": "lists.example.com"}
	configurations := list{object{"CertificateArn": certificate}}
	made("CreateDomainName", with(domain, object{"DomainNameConfigurations": configurations}))
	made("CreateStage", with(http, object{"StageName": "v"}))
	made("CreateRoute", with(http, object{"RouteKey": "$default"}))
	product := object{"PortalProductId": made("CreatePortalProduct", object{"DisplayName": "p"})["PortalProductId"]}
	to := object{"ApiId": http["ApiId"], "Stage": "v"}

	told := map[string]bool{}
	for _, tt := range []struct {
		list, create string
		at           object
		already      int // items that are there
		in           func(i int) object
	}{
		{"GetApis", "CreateApi", object{}, 2, func(i int) object { return object{"Name": fmt.Sprintf("%d", i), "ProtocolType": "HTTP"} }},
		{"GetAuthorizers", "CreateAuthorizer", http, 0, func(i int) object {
			return object{"AuthorizerType": "REQUEST", "Name": fmt.Sprintf("%d", i), "AuthorizerUri": invokeARN, "AuthorizerPayloadFormatVersion": "1.0", "IdentitySource": list{}}
		}},
		{"GetDeployments", "CreateDeployment", http, 0, func(i int) object { return object{"Description": fmt.Sprintf("%d", i)} }},
		{"GetIntegrations", "CreateIntegration", webSocket, 1, func(int) object { return object{"IntegrationType": "MOCK"} }},
		{"GetIntegrationResponses", "CreateIntegrationResponse", mock, 0, func(i int) object { return object{"IntegrationResponseKey": fmt.Sprintf("/%d/", i)} }},
		{"GetModels", "CreateModel", webSocket, 0, func(i int) object { return object{"Name": fmt.Sprintf("M%d", i), "Schema": "{}"} }},
		{"GetRoutes", "CreateRoute", http, 1, func(i int) object { return object{"RouteKey": fmt.Sprintf("GET /%d", i)} }},
		{"GetRouteResponses", "", asking, 0, nil},
		{"GetStages", "CreateStage", http, 1, func(i int) object { return object{"StageName": fmt.Sprintf("v%d", i)} }},
		{"GetDomainNames", "CreateDomainName", object{}, 1, func(i int) object {
			return object{"DomainName": fmt.Sprintf("n%d.example.com", i), "DomainNameConfigurations": configurations}
		}},
		{"GetApiMappings", "CreateApiMapping", domain, 0, func(i int) object { return with(to, object{"ApiMappingKey": fmt.Sprintf("k%d", i)}) }},
		{"ListRoutingRules", "CreateRoutingRule", domain, 0, func(i int) object {
			return object{"Priority": i + 1, "Conditions": list{}, "Actions": list{object{"InvokeApi": to}}}
		}},
		{"GetVpcLinks", "CreateVpcLink", object{}, 0, func(i int) object { return object{"Name": fmt.Sprintf("%d", i), "SubnetIds": list{"s"}} }},
		{"ListPortals", "CreatePortal", object{}, 0, func(int) object {
			return object{"Authorization": object{"None": object{}}, "EndpointConfiguration": object{"None": object{}}, "PortalContent": content}
		}},
		{"ListPortalProducts", "CreatePortalProduct", object{}, 1, func(i int) object { return object{"DisplayName": fmt.Sprintf("%d", i)} }},
		{"ListProductPages", "CreateProductPage", product, 0, func(i int) object {
			return object{"DisplayContent": object{"Title": fmt.Sprintf("%d", i), "Body": "b"}}
		}},
		{"ListProductRestEndpointPages", "CreateProductRestEndpointPage", product, 0, func(i int) object {
			return object{"RestEndpointIdentifier": object{"IdentifierParts": object{"RestApiId": http["ApiId"], "Stage": "v", "Method": "GET", "Path": fmt.Sprintf("/%d", i)}}}
		}},
	} {
		told[tt.list] = true
		if !s.knows(tt.list) {
			continue
		}
		count := perList
		if tt.in == nil { // of these there is at most one
			made("CreateRouteResponse", with(tt.at, object{"RouteResponseKey": "$default"}))
			count = 1
		} else {
			for i := tt.already; i < perList; i++ {
				made(tt.create, with(tt.at, tt.in(i)))
			}
		}
		all := s.all(tt.list, tt.at)
		distinct := map[string]bool{}
		for _, item := range all {
			distinct[text(item)] = true
		}
		if len(all) != count || len(distinct) != count {
			s.Errorf("%s: got %d items, %d of them different, want %d", tt.list, len(all), len(distinct), count)
		}
	}
	for _, op := range model.Operations {
		if op.Result != "" && !told[op.Name] {
			s.Errorf("%s is a list that is not told", op.Name)
		}
	}
}
