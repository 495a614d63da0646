package schema

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	jsonkind "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"penstock/internal/jsontree"
)

// anyURL is the URL of a schema that takes any value. References to models lead
// there.
const anyURL = "model:///any"

// compile compiles the schema. There must be nothing wrong with it so far.
func (d *document) compile() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.UseLoader(nowhere{})
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) { return pattern(s), nil })
	if err := c.AddResource(anyURL, map[string]any{}); err != nil {
		return nil, fail(d.root, "%s", err)
	}
	if err := c.AddResource(baseURL, d.value(d.root)); err != nil {
		return nil, fail(d.root, "%s", err)
	}
	s, err := c.Compile(baseURL)
	var invalid *jsonschema.SchemaValidationError
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &invalid):
		return nil, d.explain(invalid)
	default:
		return nil, fail(d.root, "does not compile: %s", strings.ReplaceAll(err.Error(), baseURL, ""))
	}
}

// value returns a node as encoding/json would decode it, but for references to
// models.
func (d *document) value(n *jsontree.Node) any {
	switch n.Kind {
	case jsontree.Null:
		return nil
	case jsontree.Boolean:
		return n.Text == "true"
	case jsontree.Number:
		return json.Number(n.Text)
	case jsontree.String:
		if _, ok := d.models[n]; ok {
			return anyURL
		}
		return n.Text
	case jsontree.List:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = d.value(item)
		}
		return items
	default:
		members := make(map[string]any, len(n.Items))
		for _, item := range n.Items {
			members[item.Name] = d.value(item)
		}
		return members
	}
}

// nowhere is a loader that finds nothing. References are resolved before, so that
// nothing is looked for.
type nowhere struct{}

func (nowhere) Load(string) (any, error) {
	return nil, errors.New("nothing is read from elsewhere")
}

// A pattern is a regular expression that is not looked at.
type pattern string

func (p pattern) String() string { return string(p) }

func (pattern) MatchString(string) bool { return true }

// A fault is a rule of draft-04 that a value breaks.
type fault struct {
	node *jsontree.Node
	kind jsonschema.ErrorKind
}

// explain makes one error of all that is wrong with a schema: of what stands first
// in the text.
func (d *document) explain(invalid *jsonschema.SchemaValidationError) error {
	unexplained := fail(d.root, "is no schema of draft-04")
	at := d.root
	_, fragment, _ := strings.Cut(invalid.URL, "#")
	if fragment, err := url.PathUnescape(fragment); err == nil && fragment != "" {
		for token := range strings.SplitSeq(fragment[1:], "/") {
			if at = child(at, token); at == nil {
				return unexplained
			}
		}
	}
	var top *jsonschema.ValidationError
	if !errors.As(invalid.Err, &top) {
		return unexplained
	}
	all := faults(top, at)
	if len(all) == 0 {
		return unexplained
	}
	numbers := map[*jsontree.Node]int{}
	order(d.root, numbers)
	first := slices.MinFunc(all, func(a, b fault) int {
		return cmp.Or(cmp.Compare(numbers[a.node], numbers[b.node]), cmp.Compare(reason(a.kind), reason(b.kind)))
	})
	return fail(first.node, "%s", reason(first.kind))
}

// faults returns what is wrong with at and the values in it.
func faults(e *jsonschema.ValidationError, at *jsontree.Node) []fault {
	if len(e.Causes) == 0 {
		n := at
		for _, token := range e.InstanceLocation {
			if n = child(n, strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")); n == nil {
				return nil
			}
		}
		return []fault{{n, e.ErrorKind}}
	}
	var branches [][]fault
	for _, cause := range e.Causes {
		branches = append(branches, faults(cause, at))
	}
	if _, ok := e.ErrorKind.(*jsonkind.AnyOf); !ok {
		return slices.Concat(branches...)
	}
	return meant(branches)
}

// meant returns the faults of the alternative that the author most likely meant:
// the one that goes wrong furthest inside, and of two at one place the one for the
// type that is there. If all are for other types, all types are named.
func meant(branches [][]fault) []fault {
	var best []fault
	types := &jsonkind.Type{}
	rank := func(faults []fault) int {
		most := -1
		for _, f := range faults {
			r := 2 * depth(f.node)
			if !f.otherType() {
				r++
			}
			most = max(most, r)
		}
		return most
	}
	for _, b := range branches {
		if rank(b) > rank(best) {
			best = b
		}
	}
	for _, b := range branches {
		if len(b) != 1 || b[0].node != best[0].node {
			return best
		}
		t, ok := b[0].kind.(*jsonkind.Type)
		if !ok {
			return best
		}
		types.Want = append(types.Want, t.Want...)
	}
	return []fault{{best[0].node, types}}
}

// otherType reports whether the rule is for values of another type. The words that
// draft-04 lists are texts.
func (f fault) otherType() bool {
	switch f.kind.(type) {
	case *jsonkind.Type:
		return true
	case *jsonkind.Enum:
		return f.node.Kind != jsontree.String
	default:
		return false
	}
}

// typeNames are the types of JSON Schema in a sentence.
var typeNames = map[string]string{
	"array": "a list", "boolean": "true or false", "integer": "an integer", "null": "null",
	"number": "a number", "object": "an object", "string": "a string",
}

// reason says in words what is wrong. The kinds are those that the schema of
// draft-04 can lead to.
func reason(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *jsonkind.Type:
		var names []string
		for _, t := range k.Want {
			names = append(names, typeNames[t])
		}
		slices.Sort(names)
		return "must be " + strings.Join(slices.Compact(names), " or ")
	case *jsonkind.Enum:
		var names []string
		for _, v := range k.Want {
			name, _ := v.(string)
			names = append(names, name)
		}
		return "must be one of " + strings.Join(names, ", ")
	case *jsonkind.MinItems:
		return "must not be empty"
	case *jsonkind.UniqueItems:
		return "has the same value twice"
	case *jsonkind.Minimum:
		return "must not be less than " + k.Want.RatString()
	case *jsonkind.ExclusiveMinimum:
		return "must be greater than " + k.Want.RatString()
	case *jsonkind.Dependency:
		return k.Prop + " needs " + strings.Join(k.Missing, ", ")
	default:
		return "is not what draft-04 has here"
	}
}
