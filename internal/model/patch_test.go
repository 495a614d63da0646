package model

import (
	"encoding/json"
	"testing"
)

func TestApply(t *testing.T) {
	type apply struct{ name, operation, stored, body, want string }
	run := func(t *testing.T, resource func() any, tests []apply) {
		for _, tt := range tests {
			r := resource()
			if err := json.Unmarshal([]byte(tt.stored), r); err != nil {
				t.Fatal(err)
			}
			in, err := decode(t, tt.operation, tt.body)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			FindOperation(tt.operation).Apply(r, in)
			got, _ := json.Marshal(r)
			if string(got) != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
	}
	run(t, func() any { return new(Integration) }, []apply{
		{"create", "CreateIntegration", `{}`, `{"integrationType":"MOCK","requestTemplates":{"a":""},"tlsConfig":{"serverNameToVerify":"x"}}`, `{"integrationType":"MOCK","requestTemplates":{"a":""},"tlsConfig":{"serverNameToVerify":"x"}}`},
		{"absent keeps", "UpdateIntegration", `{"description":"d","integrationId":"i"}`, `{}`, `{"description":"d","integrationId":"i"}`},
		{"set", "UpdateIntegration", `{"timeoutInMillis":50}`, `{"timeoutInMillis":60}`, `{"timeoutInMillis":60}`},
		{"a map that is replaced", "UpdateIntegration", `{"requestTemplates":{"a":"1","b":"2"}}`, `{"requestTemplates":{"a":""}}`, `{"requestTemplates":{"a":""}}`},
		{"a map that is merged", "UpdateIntegration", `{"requestParameters":{"a":"1","b":"2"}}`, `{"requestParameters":{"a":"","c":"3"}}`, `{"requestParameters":{"b":"2","c":"3"}}`},
		{"an empty map merges nothing", "UpdateIntegration", `{"requestParameters":{"a":"1"}}`, `{"requestParameters":{}}`, `{"requestParameters":{"a":"1"}}`},
		{"merge into nothing", "UpdateIntegration", `{}`, `{"requestParameters":{"a":"1"}}`, `{"requestParameters":{"a":"1"}}`},
		{"maps in a map", "UpdateIntegration", `{"responseParameters":{"200":{"a":"1"},"404":{"b":"2"}}}`, `{"responseParameters":{"404":{},"500":{"c":"3"}}}`, `{"responseParameters":{"200":{"a":"1"},"500":{"c":"3"}}}`},
		{"a string that clears", "UpdateIntegration", `{"description":"d","credentialsArn":"c"}`, `{"description":"","credentialsArn":""}`, `{}`},
		{"a structure that clears", "UpdateIntegration", `{"tlsConfig":{"serverNameToVerify":"x"}}`, `{"tlsConfig":{}}`, `{}`},
	})
	run(t, func() any { return new(Route) }, []apply{
		{"a list that clears", "UpdateRoute", `{"authorizationScopes":["a"]}`, `{"authorizationScopes":[]}`, `{}`},
		{"a list that is replaced", "UpdateRoute", `{"authorizationScopes":["a"]}`, `{"authorizationScopes":["b"]}`, `{"authorizationScopes":["b"]}`},
		{"false is a value", "UpdateRoute", `{"apiKeyRequired":true}`, `{"apiKeyRequired":false}`, `{"apiKeyRequired":false}`},
	})
	run(t, func() any { return new(Stage) }, []apply{
		{"entries that are put", "UpdateStage", `{"routeSettings":{"a":{"throttlingBurstLimit":1},"b":{"throttlingBurstLimit":2}}}`, `{"routeSettings":{"a":{"throttlingRateLimit":3}}}`, `{"routeSettings":{"a":{"throttlingRateLimit":3},"b":{"throttlingBurstLimit":2}}}`},
	})
	run(t, func() any { return new(DomainName) }, []apply{
		{"members of a structure", "UpdateDomainName", `{"mutualTlsAuthentication":{"truststoreUri":"s3://a","truststoreVersion":"1","truststoreWarnings":["w"]}}`, `{"mutualTlsAuthentication":{"truststoreVersion":"2"}}`, `{"mutualTlsAuthentication":{"truststoreUri":"s3://a","truststoreVersion":"2","truststoreWarnings":["w"]}}`},
		{"a member of a structure that clears", "UpdateDomainName", `{"mutualTlsAuthentication":{"truststoreUri":"s3://a","truststoreVersion":"1"}}`, `{"mutualTlsAuthentication":{"truststoreUri":""}}`, `{"mutualTlsAuthentication":{"truststoreVersion":"1"}}`},
		{"a structure with fewer members", "CreateDomainName", `{}`, `{"domainName":"d","mutualTlsAuthentication":{"truststoreUri":"s3://a"}}`, `{"domainName":"d","mutualTlsAuthentication":{"truststoreUri":"s3://a"}}`},
	})
}

func TestSettle(t *testing.T) {
	stage := Stage{Description: ptr(""), RouteSettings: map[string]RouteSettings{}, AutoDeploy: ptr(false), AccessLogSettings: &AccessLogSettings{}}
	FindOperation("GetStage").Output.Settle(&Stage{})
	shapeStage.Settle(&stage)
	got, _ := json.Marshal(stage)
	if want := `{"autoDeploy":false,"routeSettings":{},"stageVariables":{},"tags":{}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	link := VpcLink{}
	shapeVpcLink.Settle(&link)
	got, _ = json.Marshal(link)
	if want := `{"securityGroupIds":[],"tags":{}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func ptr[T any](v T) *T { return &v }
