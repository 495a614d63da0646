package compile

import (
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/model"
	"penstock/internal/store"
)

// A domain name is served as it is stored; one whose document cannot be read keeps
// serving what it served, and one that is deleted is gone.
func TestDomains(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.NewMemory())
	const name = "api.example.com"
	put := func(data string) { w.commit(store.Change{Key: model.DomainKey(name), Data: []byte(data)}) }
	served := func() *gateway.Domain { return w.gateway.Snapshot().Domain(name) }

	put(`{"domainName":{"domainName":"api.example.com","routingMode":"ROUTING_RULE_THEN_API_MAPPING","domainNameConfigurations":[{"certificateArn":"arn"}],
		"mutualTlsAuthentication":{"truststoreUri":"file:///ca.pem","truststoreVersion":"2"}},
		"apiMappings":{"m":{"apiId":"a","stage":"live","apiMappingKey":"v1"}},
		"routingRules":{"late":{"routingRuleId":"late","priority":9,"actions":[{"invokeApi":{"apiId":"a","stage":"live"}}]},
			"none":{"routingRuleId":"none","priority":2,"actions":[]},
			"first":{"routingRuleId":"first","priority":1,"actions":[{"invokeApi":{"apiId":"b","stage":"live","stripBasePath":true}}],
				"conditions":[{"matchBasePaths":{"anyOf":["x"]}},{"matchHeaders":{"anyOf":[{"header":"H","valueGlob":"a*"}]}}]}}}`)
	d := served()
	if d == nil || d.CertificateARN != "arn" || *d.MutualTLS != (gateway.MutualTLS{TruststoreURI: "file:///ca.pem", TruststoreVersion: "2"}) || d.Mappings["v1"].APIID != "a" {
		t.Fatalf("got %+v", d)
	}
	if len(d.Rules) != 2 || d.Rules[0].ID != "first" || !d.Rules[0].StripBasePath || d.Rules[0].BasePaths[0] != "x" || len(d.Rules[0].Headers) != 1 || d.Rules[1].ID != "late" {
		t.Errorf("rules %+v", d.Rules)
	}
	put(`{`)
	if served() != d {
		t.Error("a document that cannot be read takes away what was served")
	}
	w.pub.load()
	if served() != d {
		t.Error("starting over takes away what was served")
	}
	put(`{"domainName":{"domainName":"api.example.com","routingMode":"ROUTING_RULE_ONLY"},"apiMappings":{"m":{"apiId":"a","stage":"live"}}}`)
	if d := served(); d == nil || d.Mappings != nil || d.MutualTLS != nil {
		t.Errorf("got %+v", d)
	}
	w.commit(store.Change{Key: model.DomainKey(name), Delete: true})
	if served() != nil {
		t.Error("a deleted domain name is served")
	}
}
