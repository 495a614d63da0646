package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"penstock/internal/jsontree"
)

// A Schema is ready to check values. It never changes and may be shared.
type Schema struct {
	root *rules
}

// rules are one schema of a schema. The zero rules take any value. Beside what is
// asked stands what is said to those who do not have it.
type rules struct {
	ref *rules // if it is set, nothing else counts

	types kind // 0 for all
	enum  *enum

	// strings
	minLength, maxLength *bound
	pattern              *expression
	format               format

	// numbers
	minimum, maximum, multipleOf       *number
	exclusiveMinimum, exclusiveMaximum bool

	// objects
	minProperties, maxProperties *bound
	members                      map[string]member
	required                     []string
	patterns                     []patternRules
	additional                   *rules // for members that neither members nor patterns have
	closed                       bool   // there are none such
	dependencies                 []dependency

	// lists
	minItems, maxItems *bound
	unique             bool
	items              *rules   // for all elements
	tuple              []*rules // for the first elements
	more               *rules   // for those behind the tuple
	full               bool     // there are none such

	allOf, anyOf, oneOf []*rules
	not                 *rules

	reasons reasons
}

// reasons are what is said of a value that breaks a rule with a text of its own.
type reasons struct {
	types, pattern, format string
}

// A bound is a least or greatest number of things.
type bound struct {
	n      int
	reason string
}

// A number is one that values are compared with.
type number struct {
	decimal
	reason string
}

// An enum is a set of values in canonical form.
type enum struct {
	values map[string]struct{}
	kinds  kind // of the values
	reason string
}

// A member is what is known of one member of an object.
type member struct {
	rules    *rules // nil if it is only required
	required bool
}

type patternRules struct {
	name *expression
	*rules
}

// A dependency is what an object with a member must be, or must have.
type dependency struct {
	name  string
	needs []string
	*rules
}

// maxModels is how long a schema and the models that it refers to may be together, in
// bytes.
const maxModels = 8 * MaxLength

// Compile prepares a schema of draft-04 to check values. find returns the text of
// another model of the API by its name; without find, there are none.
//
// Here, unlike in [Check], patterns count, and must be such that RE2 understands what
// ECMA-262 would. Of formats, those that are known are checked, and others mean
// nothing. A schema that leads back to itself for one and the same value is an error,
// and so is a reference to draft-04 itself. The error is an *[Error].
func Compile(text string, find func(name string) (text string, ok bool)) (*Schema, error) {
	c := compiler{
		find:     find,
		models:   map[string]*document{},
		rules:    map[*jsontree.Node]*rules{},
		nodes:    map[*rules]*jsontree.Node{},
		patterns: map[string]*expression{},
		state:    map[*rules]progress{},
		left:     maxModels - len(text),
	}
	d, err := open(text)
	if err != nil {
		return nil, err
	}
	s := &Schema{root: c.schema(d, d.root)}
	for len(c.pending) > 0 && c.err == nil {
		next := c.pending[len(c.pending)-1]
		c.pending = c.pending[:len(c.pending)-1]
		c.fill(next.document, next.node, c.rules[next.node])
	}
	for _, r := range c.all {
		if c.err == nil {
			c.acyclic(r)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return s, nil
}

// A compiler makes rules of schemas.
type compiler struct {
	find     func(name string) (text string, ok bool)
	models   map[string]*document
	left     int // of the bytes that models may have
	rules    map[*jsontree.Node]*rules
	nodes    map[*rules]*jsontree.Node
	all      []*rules
	pending  []unfilled // schemas whose rules are still empty
	patterns map[string]*expression
	program  int // instructions of all patterns
	state    map[*rules]progress
	err      error // the first thing that is wrong
}

// unfilled is a schema and the document that it stands in.
type unfilled struct {
	document *document
	node     *jsontree.Node
}

// fail keeps the first error.
func (c *compiler) fail(n *jsontree.Node, format string, args ...any) {
	if c.err == nil {
		c.err = fail(n, format, args...)
	}
}

// schema returns the rules of a schema, which are filled in later: schemas may lead to
// each other.
func (c *compiler) schema(d *document, n *jsontree.Node) *rules {
	if r := c.rules[n]; r != nil {
		return r
	}
	r := &rules{}
	c.rules[n], c.nodes[r], c.all = r, n, append(c.all, r)
	c.pending = append(c.pending, unfilled{d, n})
	return r
}

// schemas returns the rules of the schemas in a list.
func (c *compiler) schemas(d *document, n *jsontree.Node) []*rules {
	var all []*rules
	for _, item := range n.Items {
		all = append(all, c.schema(d, item))
	}
	return all
}

// fill sets the rules of a schema.
func (c *compiler) fill(d *document, n *jsontree.Node, r *rules) {
	if ref := n.Member("$ref"); ref != nil {
		r.ref = c.reference(d, n, ref)
		return
	}
	for _, m := range n.Items {
		switch m.Name {
		case "type":
			c.types(m, r)
		case "enum":
			r.enum = c.enum(m)
		case "minLength":
			r.minLength = least(m, "character")
		case "maxLength":
			r.maxLength = most(m, "character")
		case "pattern":
			r.pattern = c.pattern(m, m.Text)
			r.reasons.pattern = fmt.Sprintf("must match %q", cut(m.Text))
		case "format":
			r.format = formats()[m.Text]
			r.reasons.format = "must have the format " + cut(m.Text)
		case "minimum", "exclusiveMinimum":
			r.exclusiveMinimum = isTrue(n.Member("exclusiveMinimum"))
			r.minimum = c.number(n.Member("minimum"), word(r.exclusiveMinimum, "must be greater than ", "must not be less than "))
		case "maximum", "exclusiveMaximum":
			r.exclusiveMaximum = isTrue(n.Member("exclusiveMaximum"))
			r.maximum = c.number(n.Member("maximum"), word(r.exclusiveMaximum, "must be less than ", "must not be greater than "))
		case "multipleOf":
			r.multipleOf = c.number(m, "must be a multiple of ")
		case "minProperties":
			r.minProperties = least(m, "member")
		case "maxProperties":
			r.maxProperties = most(m, "member")
		case "properties", "required":
			c.members(d, n, r)
		case "patternProperties":
			for _, p := range m.Items {
				r.patterns = append(r.patterns, patternRules{c.pattern(p, p.Name), c.schema(d, p)})
			}
		case "additionalProperties":
			r.additional, r.closed = c.others(d, m)
		case "dependencies":
			for _, p := range m.Items {
				r.dependencies = append(r.dependencies, c.dependency(d, p))
			}
		case "minItems":
			r.minItems = least(m, "element")
		case "maxItems":
			r.maxItems = most(m, "element")
		case "uniqueItems":
			r.unique = isTrue(m)
		case "items", "additionalItems":
			c.items(d, n, r)
		case "allOf":
			r.allOf = c.schemas(d, m)
		case "anyOf":
			r.anyOf = c.schemas(d, m)
		case "oneOf":
			r.oneOf = c.schemas(d, m)
		case "not":
			r.not = c.schema(d, m)
		}
	}
}

// reference returns the rules that a $ref leads to.
func (c *compiler) reference(d *document, n, ref *jsontree.Node) *rules {
	if target := d.targets[n]; target != nil {
		return c.schema(d, target)
	}
	to, ok := d.models[ref]
	if !ok {
		c.fail(ref, "%q is not for values that are checked", ref.Text)
		return nil
	}
	other := c.model(ref, to.name)
	if other == nil {
		return nil
	}
	target, _ := other.follow(other.root, other.bases[other.root], to.fragment)
	if target == nil || other.bases[target] == "" {
		c.fail(ref, "%q leads to no schema", ref.Text)
		return nil
	}
	return c.schema(other, target)
}

// model returns another model that a $ref names.
func (c *compiler) model(ref *jsontree.Node, name string) *document {
	if d := c.models[name]; d != nil {
		return d
	}
	var text string
	found := false
	if c.find != nil {
		text, found = c.find(name)
	}
	if c.left -= len(text); c.left < 0 {
		c.fail(ref, "the schema and the models that it refers to are longer than %d bytes", maxModels)
		return nil
	}
	if !found {
		c.fail(ref, "there is no model %s", name)
		return nil
	}
	d, err := open(text)
	if err != nil {
		c.fail(ref, "model %s: %s", name, err)
		return nil
	}
	c.models[name] = d
	return d
}

// typeKinds are the types that a schema can name.
var typeKinds = map[string]kind{
	"array": kindList, "boolean": kindBoolean, "integer": kindInteger, "null": kindNull,
	"number": kindNumber | kindInteger, "object": kindObject, "string": kindString,
}

func (c *compiler) types(n *jsontree.Node, r *rules) {
	list := n.Items
	if n.Kind == jsontree.String {
		list = []*jsontree.Node{n}
	}
	var names []string
	for _, item := range list {
		r.types |= typeKinds[item.Text]
		names = append(names, typeNames[item.Text])
	}
	r.reasons.types = "must be " + strings.Join(names, " or ")
}

// enum returns the set of the values in a list.
func (c *compiler) enum(n *jsontree.Node) *enum {
	e := &enum{values: make(map[string]struct{}, len(n.Items))}
	var texts []string
	for _, item := range n.Items {
		text, err := json.Marshal((&document{}).value(item))
		if err != nil {
			c.fail(item, "is no value: %s", err)
			return e
		}
		var i instance
		if err := i.read(text); err != nil {
			c.fail(item, "is no value that can be checked: %s", err)
			return e
		}
		e.values[string(i.canonical(nil, 0))] = struct{}{}
		e.kinds |= i.values[0].kind
		if len(texts) < maxQuoted {
			texts = append(texts, string(text))
		}
	}
	e.reason = "must be one of " + cut(strings.Join(texts, ", "))
	return e
}

func (c *compiler) pattern(n *jsontree.Node, text string) *expression {
	if e := c.patterns[text]; e != nil {
		return e
	}
	e, err := compilePattern(text)
	if err != nil {
		c.fail(n, "%s", err)
		return nil
	}
	if c.program += e.instructions; c.program > maxProgram {
		c.fail(n, "the patterns together are too complex")
	}
	c.patterns[text] = e
	return e
}

// number returns what values are compared with, nil if there is nothing.
func (c *compiler) number(n *jsontree.Node, reason string) *number {
	if n == nil {
		return nil
	}
	d, ok := parseDecimal([]byte(n.Text))
	if !ok {
		c.fail(n, "a number must not have more than %d digits", maxDigits)
		return nil
	}
	return &number{d, reason + cut(n.Text)}
}

// members sets what is known of members by their names.
func (c *compiler) members(d *document, n *jsontree.Node, r *rules) {
	r.members, r.required = map[string]member{}, nil
	if properties := n.Member("properties"); properties != nil {
		for _, p := range properties.Items {
			r.members[p.Name] = member{rules: c.schema(d, p)}
		}
	}
	if required := n.Member("required"); required != nil {
		for _, name := range required.Items {
			m := r.members[name.Text]
			m.required = true
			r.members[name.Text] = m
			r.required = append(r.required, name.Text)
		}
	}
}

// others returns the rules for what has none of its own, and whether there must be
// nothing such.
func (c *compiler) others(d *document, n *jsontree.Node) (*rules, bool) {
	if n.Kind == jsontree.Object {
		return c.schema(d, n), false
	}
	return nil, n.Text == "false"
}

func (c *compiler) dependency(d *document, n *jsontree.Node) dependency {
	p := dependency{name: n.Name}
	if n.Kind == jsontree.Object {
		p.rules = c.schema(d, n)
		return p
	}
	for _, name := range n.Items {
		p.needs = append(p.needs, name.Text)
	}
	return p
}

// items sets the rules for elements. additionalItems says nothing without a tuple.
func (c *compiler) items(d *document, n *jsontree.Node, r *rules) {
	items := n.Member("items")
	if items == nil {
		return
	}
	if items.Kind == jsontree.Object {
		r.items = c.schema(d, items)
		return
	}
	r.tuple = c.schemas(d, items)
	if more := n.Member("additionalItems"); more != nil {
		r.more, r.full = c.others(d, more)
	}
}

func isTrue(n *jsontree.Node) bool { return n != nil && n.Text == "true" }

func word(which bool, yes, no string) string {
	if which {
		return yes
	}
	return no
}

func least(n *jsontree.Node, what string) *bound { return newBound(n, "must have at least ", what) }

func most(n *jsontree.Node, what string) *bound { return newBound(n, "must not have more than ", what) }

// newBound returns a bound, which the schema may have written as 3, 3.0 or 3e400.
func newBound(n *jsontree.Node, must, what string) *bound {
	b := &bound{n: math.MaxInt}
	if f, err := strconv.ParseFloat(n.Text, 64); err == nil && f < 1<<53 {
		b.n = int(f)
	}
	if b.n != 1 {
		what += "s"
	}
	b.reason = must + cut(n.Text) + " " + what
	return b
}

// progress says how far the search for circles is.
type progress uint8

const (
	unseen progress = iota
	under
	done
)

// acyclic refuses rules that lead to themselves for one and the same value: checking it
// would not end.
func (c *compiler) acyclic(r *rules) {
	switch c.state[r] {
	case done:
		return
	case under:
		c.fail(c.nodes[r], "leads to itself for the same value")
		return
	}
	c.state[r] = under
	same := []*rules{r.ref, r.not}
	same = append(append(append(same, r.allOf...), r.anyOf...), r.oneOf...)
	for _, p := range r.dependencies {
		same = append(same, p.rules)
	}
	for _, next := range same {
		if next != nil && c.err == nil {
			c.acyclic(next)
		}
	}
	c.state[r] = done
}
