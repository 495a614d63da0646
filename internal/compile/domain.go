package compile

import (
	"slices"

	"penstock/internal/gateway"
	"penstock/internal/model"
)

// Domain compiles a custom domain name.
func Domain(d *model.DomainDocument) *gateway.Domain {
	n := &d.DomainName
	g := &gateway.Domain{Name: value(n.DomainName)}
	if len(n.DomainNameConfigurations) > 0 {
		g.CertificateARN = value(n.DomainNameConfigurations[0].CertificateARN)
	}
	if m := n.MutualTLSAuthentication; m != nil {
		g.MutualTLS = &gateway.MutualTLS{TruststoreURI: value(m.TruststoreURI), TruststoreVersion: value(m.TruststoreVersion)}
	}
	mode := value(n.RoutingMode)
	if mode != model.RoutingModeRoutingRuleOnly {
		g.Mappings = map[string]gateway.APIMapping{}
		for _, m := range d.Mappings {
			key := value(m.APIMappingKey)
			g.Mappings[key] = gateway.APIMapping{Key: key, Destination: gateway.Destination{APIID: value(m.APIID), Stage: value(m.Stage)}}
		}
	}
	if mode == model.RoutingModeRoutingRuleOnly || mode == model.RoutingModeRoutingRuleThenAPIMapping {
		for _, r := range d.Rules {
			if rule, ok := routingRule(r); ok {
				g.Rules = append(g.Rules, rule)
			}
		}
		slices.SortFunc(g.Rules, func(a, b gateway.RoutingRule) int { return a.Priority - b.Priority })
	}
	return g
}

// routingRule compiles a routing rule. One without a destination matches nothing.
func routingRule(r *model.RoutingRule) (gateway.RoutingRule, bool) {
	if len(r.Actions) != 1 || r.Actions[0].InvokeAPI == nil {
		return gateway.RoutingRule{}, false
	}
	to := r.Actions[0].InvokeAPI
	rule := gateway.RoutingRule{
		ID:            value(r.RoutingRuleID),
		Priority:      value(r.Priority),
		Destination:   gateway.Destination{APIID: value(to.APIID), Stage: value(to.Stage)},
		StripBasePath: value(to.StripBasePath),
	}
	for _, c := range r.Conditions {
		if c.MatchHeaders != nil {
			var alternatives []gateway.HeaderPattern
			for _, v := range c.MatchHeaders.AnyOf {
				alternatives = append(alternatives, gateway.NewHeaderPattern(value(v.Header), value(v.ValueGlob)))
			}
			rule.Headers = append(rule.Headers, alternatives)
		}
		if c.MatchBasePaths != nil {
			rule.BasePaths = append([]string{}, c.MatchBasePaths.AnyOf...)
		}
	}
	return rule, true
}
