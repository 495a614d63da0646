package model

import (
	"strings"
	"testing"
)

// What is made is held to the limits of what would be decoded.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, operation string
		resource        any
		want            string
	}{
		{"fine", "CreateRoute", &Route{RouteKey: ptr("$default")}, ""},
		{"required", "CreateRoute", &Route{}, "routeKey required"},
		{"required with a check of its own", "CreateApi", &API{}, ""},
		{"too long", "CreateApi", &API{Description: ptr(strings.Repeat("d", 1025))}, "description length 0 1024"},
		{"enum", "CreateIntegration", &Integration{IntegrationType: ptr("MOCK"), ConnectionType: ptr("PIGEON")}, "connectionType enum [INTERNET VPC_LINK]"},
		{"range", "CreateApi", &API{CorsConfiguration: &Cors{MaxAge: ptr(86401)}}, "corsConfiguration.maxAge range -1 86400"},
		{"element", "CreateRoute", &Route{RouteKey: ptr("k"), AuthorizationScopes: []string{"a", ""}}, "authorizationScopes[1] length 1 64"},
		{"entry", "CreateIntegration", &Integration{IntegrationType: ptr("MOCK"), RequestParameters: map[string]string{"b": "x", "a": ""}}, `requestParameters["a"] length 1 512`},
		{"entry of an entry", "CreateIntegration", &Integration{IntegrationType: ptr("MOCK"), ResponseParameters: map[string]map[string]string{"200": {"a": ""}}}, `responseParameters["200"]["a"] length 1 512`},
		{"what is not in the input", "CreateRoute", &Route{RouteKey: ptr("k"), RouteID: ptr(strings.Repeat("i", 3000))}, ""},
	} {
		if got := problems(FindOperation(tt.operation).Check(tt.resource)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
