package policy

import (
	"strings"

	"penstock/internal/jsontree"
)

// A condition compares the values of one key of a request with those of the
// document.
type condition struct {
	key        string
	quantifier quantifier
	ifExists   bool // holds if the request has no value
	negated    bool // the operator is the negation of the test
	test       test // of one value; nil for Null
	present    bool // for Null: holds if the request has a value
	absent     bool // for Null: holds if the request has none
}

// A test compares one value of a request with the values of the document. The
// answer is open if it cannot read the value, or if a policy variable has none.
type test interface {
	holds(value string, values func(string) []string) truth
}

// A quantifier says which of several values of a request must pass.
type quantifier uint8

const (
	single  quantifier = iota // there must be one value only
	forAll                    // all of them, also if there are none
	forSome                   // one of them
)

// holds reports whether the condition holds. If the request has no value, it does
// with IfExists, and otherwise for negated operators only.
func (c *condition) holds(values func(string) []string) truth {
	found := values(c.key)
	switch {
	case c.test == nil:
		return truthOf(c.present && len(found) > 0 || c.absent && len(found) == 0)
	case len(found) == 0 && c.ifExists:
		return yes
	case c.quantifier == single:
		switch len(found) {
		case 0:
			return truthOf(c.negated)
		case 1:
			return c.one(found[0], values)
		default:
			return open
		}
	case c.quantifier == forAll:
		t := yes
		for i := 0; i < len(found) && t != no; i++ {
			t = min(t, c.one(found[i], values))
		}
		return t
	default:
		t := no
		for i := 0; i < len(found) && t != yes; i++ {
			t = max(t, c.one(found[i], values))
		}
		return t
	}
}

func (c *condition) one(value string, values func(string) []string) truth {
	t := c.test.holds(value, values)
	if c.negated {
		t = not(t)
	}
	return t
}

// conditions parses
//
//	{ operator: { key: value | [ value, … ], … }, … }
//
// All operators and all keys must hold.
func (p *parser) conditions(n *jsontree.Node) ([]condition, error) {
	if n.Kind != jsontree.Object {
		return nil, fail(n, "must be an object")
	}
	var all []condition
	for _, block := range n.Items {
		prototype, parse, ok := parseOperator(block.Name)
		switch {
		case !ok:
			return nil, fail(block, "unknown operator")
		case block.Kind != jsontree.Object:
			return nil, fail(block, "must be an object of condition keys")
		case len(block.Items) == 0:
			return nil, fail(block, "must not be empty")
		}
		seen := map[string]bool{}
		for _, m := range block.Items {
			c := prototype
			var err error
			if c.key, err = p.key(m, m.Name); err != nil {
				return nil, err
			}
			if seen[c.key] {
				return nil, fail(m, "stands twice; the case of keys does not matter")
			}
			seen[c.key] = true
			list := elements(m)
			if len(list) == 0 {
				return nil, fail(m, "must not be empty")
			}
			for _, v := range list {
				if v.Kind != jsontree.String && v.Kind != jsontree.Number && v.Kind != jsontree.Boolean {
					return nil, fail(v, "must be a string, a number, a boolean or a list of them")
				}
			}
			if parse == nil {
				err = c.null(list)
			} else {
				c.test, err = parse(p, list)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// A testParser makes a test of the values of a document.
type testParser func(p *parser, list []*jsontree.Node) (test, error)

// parseOperator parses
//
//	[ "ForAllValues:" | "ForAnyValue:" ] name [ "IfExists" ] | "Null"
//
// Null has no test.
func parseOperator(s string) (c condition, parse testParser, ok bool) {
	if s == "Null" {
		return c, nil, true
	}
	if name, found := strings.CutPrefix(s, "ForAllValues:"); found {
		c.quantifier, s = forAll, name
	} else if name, found := strings.CutPrefix(s, "ForAnyValue:"); found {
		c.quantifier, s = forSome, name
	}
	s, c.ifExists = strings.CutSuffix(s, "IfExists")
	switch s {
	case "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals", "ArnNotEquals", "ArnNotLike":
		s, c.negated = strings.Replace(s, "Not", "", 1), true
	case "NotIpAddress":
		s, c.negated = "IpAddress", true
	}
	switch s {
	case "StringEquals":
		parse = parseTexts
	case "StringEqualsIgnoreCase":
		parse = parseFolded
	case "StringLike":
		parse = parseLike
	case "Bool":
		parse = parseBooleans
	case "IpAddress":
		parse = parseAddresses
	case "ArnEquals", "ArnLike":
		parse = parseARNs
	default:
		if name, found := strings.CutPrefix(s, "Numeric"); found {
			parse = parseNumbers(comparisons[name])
		} else if name, found := strings.CutPrefix(s, "Date"); found {
			parse = parseDates(comparisons[name])
		}
	}
	return c, parse, parse != nil
}

// null reads the values of Null: true for keys that are absent, false for those
// that are there.
func (c *condition) null(list []*jsontree.Node) error {
	for _, v := range list {
		switch {
		case strings.EqualFold(v.Text, "true"):
			c.absent = true
		case strings.EqualFold(v.Text, "false"):
			c.present = true
		default:
			return fail(v, "%q is neither true nor false", v.Text)
		}
	}
	return nil
}
