package policy

import (
	"errors"
	"strings"

	"penstock/internal/jsontree"
)

// MaxLength is how long a document may be, in bytes. It bounds all that is in it.
const MaxLength = 64 << 10

// maxStatements is how many statements a document may have.
const maxStatements = 500

// limits are those of the JSON text. A policy needs six levels: document,
// statements, statement, conditions, keys, values.
var limits = jsontree.Limits{What: "the document", Length: MaxLength, Depth: 8}

// read reads the JSON text of a document.
func read(text string) (*jsontree.Node, error) {
	root, err := jsontree.Read(text, limits)
	if err == nil {
		return root, nil
	}
	var bad *jsontree.Error
	if errors.As(err, &bad) {
		err = fail(bad.Node, "%s", bad.Reason)
	}
	return nil, err
}

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
func (p *parser) document(n *jsontree.Node) ([]statement, error) {
	if n.Kind != jsontree.Object {
		return nil, fail(n, "the document must be an object")
	}
	var list []*jsontree.Node
	for _, m := range n.Items {
		switch m.Name {
		case "Version":
			if m.Kind != jsontree.String || m.Text != "2012-10-17" && m.Text != "2008-10-17" {
				return nil, fail(m, `must be "2012-10-17" or "2008-10-17"`)
			}
			p.variables = m.Text == "2012-10-17"
		case "Id":
			if m.Kind != jsontree.String {
				return nil, fail(m, "must be a string")
			}
		case "Statement":
			list = elements(m)
			switch {
			case len(list) == 0:
				return nil, fail(m, "must not be empty")
			case len(list) > maxStatements:
				return nil, fail(m, "has more than %d statements", maxStatements)
			}
		default:
			return nil, fail(m, "unknown member; a policy has Version, Id and Statement")
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
func elements(n *jsontree.Node) []*jsontree.Node {
	if n.Kind == jsontree.List {
		return n.Items
	}
	return []*jsontree.Node{n}
}

// statement parses
//
//	{ "Sid": string, "Effect": "Allow" | "Deny", "Action" | "NotAction": patterns,
//	  "Resource" | "NotResource": patterns, "Condition": conditions }
//
// Sid and Condition are optional.
func (p *parser) statement(n *jsontree.Node, s *statement) error {
	if n.Kind != jsontree.Object {
		return fail(n, "must be an object")
	}
	for _, m := range n.Items {
		var err error
		switch m.Name {
		case "Sid":
			if m.Kind != jsontree.String {
				err = fail(m, "must be a string")
			}
		case "Effect":
			if m.Kind != jsontree.String || m.Text != "Allow" && m.Text != "Deny" {
				err = fail(m, `must be "Allow" or "Deny"`)
			}
			s.deny = m.Text == "Deny"
		case "Action", "NotAction":
			s.notAction = m.Name == "NotAction"
			s.actions, err = p.patterns(m, p.action)
		case "Resource", "NotResource":
			s.notResource = m.Name == "NotResource"
			s.resources, err = p.patterns(m, p.resource)
		case "Condition":
			s.conditions, err = p.conditions(m)
		case "Principal", "NotPrincipal":
			err = fail(m, "is not allowed in the policy of a caller, who is the principal")
		default:
			err = fail(m, "unknown member; a statement has Sid, Effect, Action, NotAction, Resource, NotResource and Condition")
		}
		if err != nil {
			return err
		}
	}
	switch {
	case n.Member("Effect") == nil:
		return fail(n, "Effect is missing")
	case n.Member("Action") == nil && n.Member("NotAction") == nil:
		return fail(n, "Action or NotAction is missing")
	case n.Member("Action") != nil && n.Member("NotAction") != nil:
		return fail(n, "has both Action and NotAction")
	case n.Member("Resource") == nil && n.Member("NotResource") == nil:
		return fail(n, "Resource or NotResource is missing")
	case n.Member("Resource") != nil && n.Member("NotResource") != nil:
		return fail(n, "has both Resource and NotResource")
	}
	return nil
}

// patterns parses a string or a list of strings that is not empty.
func (p *parser) patterns(n *jsontree.Node, parse func(*jsontree.Node) (pattern, error)) ([]pattern, error) {
	list := elements(n)
	if len(list) == 0 {
		return nil, fail(n, "must not be empty")
	}
	patterns := make([]pattern, len(list))
	for i, m := range list {
		if m.Kind != jsontree.String {
			return nil, fail(m, "must be a string or a list of strings")
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
func (p *parser) action(n *jsontree.Node) (pattern, error) {
	service, action, _ := strings.Cut(n.Text, ":")
	if n.Text != "*" && (service == "" || action == "") {
		return pattern{}, fail(n, `must be "*" or a service and an action, like "apigateway:GET"`)
	}
	return wildcards(strings.ToLower(n.Text)), nil
}

// resource parses the pattern of a resource. One that could match no ARN is an
// error.
func (p *parser) resource(n *jsontree.Node) (pattern, error) {
	t, err := p.pattern(n, true)
	if err != nil {
		return t, err
	}
	start := t.start()
	fixed := len(t.parts) == 1 && t.parts[0].kind == literal
	if len(t.parts) == 0 || !strings.HasPrefix(start, "arn:") && !strings.HasPrefix("arn:", start) ||
		fixed && strings.Count(start, ":") < arnParts-1 {
		return t, fail(n, `must be "*" or an ARN, which has six parts: "arn:partition:service:region:account:resource"`)
	}
	return t, nil
}

// key returns the name under which requests have the values of a condition key.
func (p *parser) key(n *jsontree.Node, name string) (string, error) {
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
		return "", fail(n, "unknown condition key %q; none are known here", name)
	}
	return "", fail(n, "unknown condition key %q; known are %s", name, strings.Join(p.keys, ", "))
}

func (p *parser) use(key string) string {
	p.used[key] = true
	return key
}
