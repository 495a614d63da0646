package policy

import (
	"strings"
)

// maxStatements is how many statements a document may have.
const maxStatements = 500

// A parser makes statements of a JSON document.
type parser struct {
	keys      []string        // the condition keys that may be looked at, as given
	used      map[string]bool // the condition keys that are looked at
	variables bool            // ${…} is a policy variable
}

// document parses
//
//	{ "Version": "2012-10-17" | "2008-10-17", "Id": string, "Statement": statement | [ statement, … ] }
//
// Only Statement is required. Without Version the document is of the older one,
// which has no policy variables.
func (p *parser) document(n *node) ([]statement, error) {
	if n.kind != object {
		return nil, n.fail("the document must be an object")
	}
	var list []*node
	for _, m := range n.items {
		switch m.name {
		case "Version":
			if m.kind != text || m.text != "2012-10-17" && m.text != "2008-10-17" {
				return nil, m.fail(`must be "2012-10-17" or "2008-10-17"`)
			}
			p.variables = m.text == "2012-10-17"
		case "Id":
			if m.kind != text {
				return nil, m.fail("must be a string")
			}
		case "Statement":
			list = elements(m)
			switch {
			case len(list) == 0:
				return nil, m.fail("must not be empty")
			case len(list) > maxStatements:
				return nil, m.fail("has more than %d statements", maxStatements)
			}
		default:
			return nil, m.fail("unknown member; a policy has Version, Id and Statement")
		}
	}
	if list == nil {
		return nil, &Error{Place: "Statement", Reason: "is missing"}
	}
	statements := make([]statement, len(list))
	for i, m := range list {
		if err := p.statement(m, &statements[i]); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

// elements returns the elements of a list, or of what stands for a list of one.
func elements(n *node) []*node {
	if n.kind == list {
		return n.items
	}
	return []*node{n}
}

// statement parses
//
//	{ "Sid": string, "Effect": "Allow" | "Deny", "Action" | "NotAction": patterns,
//	  "Resource" | "NotResource": patterns, "Condition": conditions }
//
// Sid and Condition are optional.
func (p *parser) statement(n *node, s *statement) error {
	if n.kind != object {
		return n.fail("must be an object")
	}
	for _, m := range n.items {
		var err error
		switch m.name {
		case "Sid":
			if m.kind != text {
				err = m.fail("must be a string")
			}
		case "Effect":
			if m.kind != text || m.text != "Allow" && m.text != "Deny" {
				err = m.fail(`must be "Allow" or "Deny"`)
			}
			s.deny = m.text == "Deny"
		case "Action", "NotAction":
			s.notAction = m.name == "NotAction"
			s.actions, err = p.patterns(m, p.action)
		case "Resource", "NotResource":
			s.notResource = m.name == "NotResource"
			s.resources, err = p.patterns(m, p.resource)
		case "Condition":
			s.conditions, err = p.conditions(m)
		case "Principal", "NotPrincipal":
			err = m.fail("is not allowed in the policy of a caller, who is the principal")
		default:
			err = m.fail("unknown member; a statement has Sid, Effect, Action, NotAction, Resource, NotResource and Condition")
		}
		if err != nil {
			return err
		}
	}
	switch {
	case n.member("Effect") == nil:
		return n.fail("Effect is missing")
	case n.member("Action") == nil && n.member("NotAction") == nil:
		return n.fail("Action or NotAction is missing")
	case n.member("Action") != nil && n.member("NotAction") != nil:
		return n.fail("has both Action and NotAction")
	case n.member("Resource") == nil && n.member("NotResource") == nil:
		return n.fail("Resource or NotResource is missing")
	case n.member("Resource") != nil && n.member("NotResource") != nil:
		return n.fail("has both Resource and NotResource")
	}
	return nil
}

// patterns parses a string or a list of strings that is not empty.
func (p *parser) patterns(n *node, parse func(*node) (pattern, error)) ([]pattern, error) {
	list := elements(n)
	if len(list) == 0 {
		return nil, n.fail("must not be empty")
	}
	patterns := make([]pattern, len(list))
	for i, m := range list {
		if m.kind != text {
			return nil, m.fail("must be a string or a list of strings")
		}
		var err error
		if patterns[i], err = parse(m); err != nil {
			return nil, err
		}
	}
	return patterns, nil
}

// action parses the pattern of an action, which has no variables. As with IAM,
// all but "*" names a service.
func (p *parser) action(n *node) (pattern, error) {
	service, action, _ := strings.Cut(n.text, ":")
	if n.text != "*" && (service == "" || action == "") {
		return pattern{}, n.fail(`must be "*" or a service and an action, like "apigateway:GET"`)
	}
	return wildcards(strings.ToLower(n.text)), nil
}

// resource parses the pattern of a resource. One that could match no ARN is an
// error.
func (p *parser) resource(n *node) (pattern, error) {
	t, err := p.pattern(n, true)
	if err != nil {
		return t, err
	}
	start := t.start()
	fixed := len(t.parts) == 1 && t.parts[0].kind == literal
	if len(t.parts) == 0 || !strings.HasPrefix(start, "arn:") && !strings.HasPrefix("arn:", start) ||
		fixed && strings.Count(start, ":") < arnParts-1 {
		return t, n.fail(`must be "*" or an ARN, which has six parts: "arn:partition:service:region:account:resource"`)
	}
	return t, nil
}

// key returns the name under which requests have the values of a condition key.
func (p *parser) key(n *node, name string) (string, error) {
	for _, known := range p.keys {
		switch {
		case !strings.HasSuffix(known, "/"):
			if strings.EqualFold(name, known) {
				return p.use(strings.ToLower(known)), nil
			}
		case len(name) > len(known) && strings.EqualFold(name[:len(known)], known):
			return p.use(strings.ToLower(known) + name[len(known):]), nil
		}
	}
	if len(p.keys) == 0 {
		return "", n.fail("unknown condition key %q; none are known here", name)
	}
	return "", n.fail("unknown condition key %q; known are %s", name, strings.Join(p.keys, ", "))
}

func (p *parser) use(key string) string {
	p.used[key] = true
	return key
}
