package control

import (
	"regexp"

	"penstock/internal/model"
)

var routingRules = collection[model.RoutingRule, model.DomainDocument]{
	kind:     "RoutingRule",
	root:     domainRoot,
	in:       func(d *model.DomainDocument, _ *call) (items[model.RoutingRule], error) { return d.Rules, nil },
	name:     func(r *model.RoutingRule) **string { return &r.RoutingRuleID },
	length:   6,
	quota:    func(l Limits) int { return l.RoutingRules },
	defaults: defaultRoutingRule,
	check:    checkRoutingRule,
}

type routingRuleChange = change[model.RoutingRule, model.DomainDocument]

// How many conditions of each kind a rule may have.
const (
	maxHeaderConditions   = 2
	maxBasePathConditions = 1
)

func defaultRoutingRule(x *routingRuleChange) {
	r := x.item
	r.RoutingRuleARN = new(x.accountARN("/domainnames/" + *x.doc.DomainName.DomainName + "/routingrules/" + *r.RoutingRuleID))
	setDefault(&r.Priority, 0)
	for i := range r.Actions {
		if invoke := r.Actions[i].InvokeAPI; invoke != nil {
			setDefault(&invoke.StripBasePath, false)
		}
	}
}

func checkRoutingRule(x *routingRuleChange) error {
	r := x.item
	for id, other := range x.doc.Rules {
		if id != *r.RoutingRuleID && *other.Priority == *r.Priority {
			return Conflict(msgPriorityUsed, *r.Priority)
		}
	}
	headers, paths := 0, 0
	for _, c := range r.Conditions {
		if (c.MatchHeaders == nil) == (c.MatchBasePaths == nil) {
			return BadRequest(msgConditionForm)
		}
		if c.MatchHeaders != nil {
			headers++
			if err := checkMatchHeaders(c.MatchHeaders); err != nil {
				return err
			}
			continue
		}
		paths++
		if err := checkMatchBasePaths(c.MatchBasePaths); err != nil {
			return err
		}
	}
	if headers > maxHeaderConditions || paths > maxBasePathConditions {
		return BadRequest(msgConditionCount, maxHeaderConditions, maxBasePathConditions)
	}
	if len(r.Actions) != 1 {
		return BadRequest(msgActionCount)
	}
	invoke := r.Actions[0].InvokeAPI
	api, err := x.destination(*invoke.APIID, *invoke.Stage)
	if err != nil {
		return err
	}
	if isWebSocket(api) {
		return BadRequest(msgRuleWebSocket)
	}
	return nil
}

// What a rule may compare a header with: the whole value, or one of its ends or its
// middle. Source: developer guide, rest-api-routing-rules.
var (
	ruleHeader = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,39}$")
	ruleGlob   = regexp.MustCompile("^\\*?[a-zA-Z0-9?!#$%&'.^_`|~-]*\\*?$")
)

const (
	maxGlob       = 127 // characters of a value
	maxAlternates = 100 // of one condition
)

func checkMatchHeaders(m *model.RoutingRuleMatchHeaders) error {
	if len(m.AnyOf) == 0 || len(m.AnyOf) > maxAlternates {
		return BadRequest(msgAnyOf, maxAlternates)
	}
	for _, value := range m.AnyOf {
		if !ruleHeader.MatchString(val(value.Header)) {
			return BadRequest(msgRuleHeader, val(value.Header))
		}
		if glob := val(value.ValueGlob); glob == "" || len(glob) > maxGlob || !ruleGlob.MatchString(glob) {
			return BadRequest(msgRuleGlob, glob)
		}
	}
	return nil
}

func checkMatchBasePaths(m *model.RoutingRuleMatchBasePaths) error {
	if len(m.AnyOf) == 0 || len(m.AnyOf) > maxAlternates {
		return BadRequest(msgAnyOf, maxAlternates)
	}
	for _, path := range m.AnyOf {
		if path == "" || checkMappingKey(path) != nil {
			return BadRequest(msgRuleBasePath, path)
		}
	}
	return nil
}
