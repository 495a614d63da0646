// Package schema knows the JSON Schemas that describe messages and request bodies: what a
// model of an API holds. They are of draft-04, in JSON text.
//
//	err := schema.Check(text)              // #/properties/id/type: must be one of …
//	template, err := schema.Template(text) // #set($inputRoot = $input.path('$')) …
//	s, err := schema.Compile(text, models)
//	err = s.Validate(body)                 // #/user/id: must be an integer
//
// Nothing is ever fetched. A $ref leads to another place of the same schema, to
// draft-04 itself, or to another model of an API by its URL:
//
//	https://apigateway.amazonaws.com/restapis/{api}/models/{Name}
//
// Check and Template do not look at what another model says: it stands for any value.
// Nor do they look at patterns, which are any text: patterns are regular expressions of
// ECMA-262, of which the regular expressions of Go are another dialect, so that one that
// Go cannot read may well be right. Compile, whose schemas decide about values, looks at
// both, and refuses what it cannot apply.
//
// Validate applies rules by itself, where a library compiles the schema: a few lines of
// schema make work without end, so that every step must be counted.
package schema

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/jsontree"
)

const (
	// MaxLength is how long a schema may be, in bytes: as long as the service takes.
	MaxLength = 32 << 10
	// maxDepth is how deep objects and lists may nest.
	maxDepth = 64
)

// limits are those of the JSON text. Places would otherwise be much longer together
// than the schema, to compile a schema takes time in the square of its schemas, and
// numbers are compared exactly, in as many digits as their exponents say.
var limits = jsontree.Limits{
	What:     "the schema",
	Length:   MaxLength,
	Depth:    maxDepth,
	Values:   5000,
	Place:    1024,
	Exponent: 400,
}

// read reads the JSON text of a schema.
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

// An Error says what is wrong with a schema, and where.
type Error struct {
	Place  string // a JSON pointer: #/properties/id/type
	Reason string
}

func (e *Error) Error() string {
	return e.Place + ": " + e.Reason
}

// Check reports whether text is a JSON Schema of draft-04. The schema may say so
// in $schema; if it names another draft, that is an error. Objects with two members
// of one name, numbers that no computer would compute with, and references to
// nowhere are errors too. The error is an *[Error].
//
// Check is for texts of up to [MaxLength] bytes and refuses longer ones.
func Check(text string) error {
	_, err := open(text)
	return err
}

// open returns a schema that there is nothing wrong with.
func open(text string) (*document, error) {
	root, err := read(text)
	if err != nil {
		return nil, err
	}
	d := newDocument(root)
	if d.err != nil {
		return nil, d.err
	}
	if _, err = d.compile(); err != nil {
		return nil, err
	}
	return d, nil
}

// References returns the names of the models that a schema refers to, sorted. A text
// that is no schema refers to none.
func References(text string) []string {
	root, err := read(text)
	if err != nil {
		return nil
	}
	d := newDocument(root)
	var names []string
	for _, m := range d.models {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A document is a schema and what its references lead to.
type document struct {
	root      *jsontree.Node
	resources map[string]*jsontree.Node         // schemas by the absolute URL that their id gives them
	anchors   map[string]*jsontree.Node         // schemas by a URL with a name behind the #
	ids       map[*jsontree.Node]string         // the URLs of resources
	bases     map[*jsontree.Node]string         // every schema, with the URL its references are relative to
	targets   map[*jsontree.Node]*jsontree.Node // the schema that has a $ref, to the schema it leads to
	models    map[*jsontree.Node]modelReference // values of $ref that lead to a model
	pending   []*jsontree.Node                  // schemas whose references are not resolved yet
	err       error                             // the first thing that is wrong
}

// baseURL is the URL of a schema that has no id.
const baseURL = "model:///schema"

// newDocument finds the schemas in a JSON value and resolves their references.
func newDocument(root *jsontree.Node) *document {
	d := &document{
		root:      root,
		resources: map[string]*jsontree.Node{baseURL: root, anyURL: {}},
		anchors:   map[string]*jsontree.Node{},
		ids:       map[*jsontree.Node]string{root: baseURL},
		bases:     map[*jsontree.Node]string{},
		targets:   map[*jsontree.Node]*jsontree.Node{},
		models:    map[*jsontree.Node]modelReference{},
	}
	if root.Kind != jsontree.Object {
		d.fail(root, "must be an object")
		return d
	}
	d.schema(root, baseURL)
	for i := 0; i < len(d.pending); i++ { // what a reference leads to may have references
		d.reference(d.pending[i])
	}
	return d
}

// fail keeps the first error.
func (d *document) fail(n *jsontree.Node, format string, args ...any) {
	if d.err == nil {
		d.err = fail(n, format, args...)
	}
}

// The keywords of draft-04 that have schemas in them.
var (
	oneSchema    = []string{"additionalItems", "additionalProperties", "items", "not"}
	listOfSchema = []string{"allOf", "anyOf", "items", "oneOf"}
	mapOfSchema  = []string{"definitions", "dependencies", "patternProperties", "properties"}
)

// schema looks at n, which stands where a schema does, and at all schemas in it.
// What is no object is none.
func (d *document) schema(n *jsontree.Node, base string) {
	if _, seen := d.bases[n]; seen || n.Kind != jsontree.Object {
		return
	}
	ref := n.Member("$ref")
	if id := n.Member("id"); id != nil && id.Kind == jsontree.String && ref == nil {
		base = d.id(n, id, base)
	}
	d.bases[n] = base
	if s := n.Member("$schema"); s != nil && s.Kind == jsontree.String && !isDraft4(s.Text) {
		d.fail(s, "%q is not draft-04, the only draft of models; it is named http://json-schema.org/draft-04/schema#", s.Text)
	}
	if ref != nil && ref.Kind == jsontree.String {
		d.pending = append(d.pending, n)
	}
	for _, name := range oneSchema {
		if m := n.Member(name); m != nil {
			d.schema(m, base)
		}
	}
	for _, name := range listOfSchema {
		if m := n.Member(name); m != nil && m.Kind == jsontree.List {
			for _, item := range m.Items {
				d.schema(item, base)
			}
		}
	}
	for _, name := range mapOfSchema {
		if m := n.Member(name); m != nil && m.Kind == jsontree.Object {
			for _, item := range m.Items {
				d.schema(item, base)
			}
		}
	}
}

// isDraft4 reports whether s names draft-04, or a place in it.
func isDraft4(s string) bool {
	s, _, _ = strings.Cut(s, "#")
	return s == "http://json-schema.org/draft-04/schema" || s == "https://json-schema.org/draft-04/schema"
}

// id registers the id of a schema and returns the base for what is in it. An id
// with a name behind the # is an anchor.
func (d *document) id(n, id *jsontree.Node, base string) string {
	address, name, err := join(base, id.Text)
	if err != nil {
		d.fail(id, "%q is no URL", id.Text)
		return base
	}
	if id.Text != "" && !strings.HasPrefix(id.Text, "#") {
		if other := d.resources[address]; other != nil && other != n {
			d.fail(id, "%q stands twice", id.Text)
			return base
		}
		base = address
		d.resources[address] = n
		d.ids[n] = address
	}
	if name != "" && !strings.HasPrefix(name, "/") {
		key := base + "#" + name
		if other := d.anchors[key]; other != nil && other != n {
			d.fail(id, "%q stands twice", id.Text)
			return base
		}
		d.anchors[key] = n
	}
	return base
}

// errOpaque: nothing is relative to a URL like urn:pets.
var errOpaque = errors.New("a reference relative to a URL without a path")

// join returns the absolute URL of a reference and, decoded, what stands behind
// its #.
func join(base, reference string) (address, fragment string, err error) {
	reference, fragment, _ = strings.Cut(reference, "#")
	if fragment, err = url.PathUnescape(fragment); err != nil || reference == "" {
		return base, fragment, err
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", "", err
	}
	r, err := url.Parse(reference)
	switch {
	case err != nil:
		return "", "", err
	case b.Opaque != "" && !r.IsAbs():
		return "", "", errOpaque
	}
	return b.ResolveReference(r).String(), fragment, nil
}

// model is the URL of a model of an API.
var model = regexp.MustCompile(`^https://apigateway\.amazonaws\.com/restapis/[0-9A-Za-z]+/models/([0-9A-Za-z]+)$`)

// A modelReference leads to a model, or into it.
type modelReference struct {
	name, fragment string // the fragment is decoded
}

// reference resolves the $ref of a schema.
func (d *document) reference(n *jsontree.Node) {
	ref := n.Member("$ref")
	address, fragment, err := join(d.bases[n], ref.Text)
	if err != nil {
		d.fail(ref, "%q is no reference", ref.Text)
		return
	}
	resource := d.resources[address]
	switch {
	case resource == nil && model.MatchString(address):
		d.models[ref] = modelReference{model.FindStringSubmatch(address)[1], fragment}
		return
	case resource == nil && isDraft4(address):
		return
	case resource == nil:
		d.fail(ref, "%q is not in the schema, and nothing else is read but models: https://apigateway.amazonaws.com/restapis/{api}/models/{Name}", ref.Text)
		return
	}
	target, base := d.follow(resource, address, fragment)
	if target == nil {
		d.fail(ref, "%q leads nowhere", ref.Text)
		return
	}
	if target.Kind != jsontree.Object {
		d.fail(ref, "%q leads to what is no schema", ref.Text)
		return
	}
	d.schema(target, base)
	d.targets[n] = target
}

// follow returns what a fragment leads to in the resource with an address, and the URL
// that references there are relative to. It returns nil if it leads nowhere.
func (d *document) follow(resource *jsontree.Node, address, fragment string) (target *jsontree.Node, base string) {
	if fragment == "" {
		return resource, address
	}
	if !strings.HasPrefix(fragment, "/") {
		return d.anchors[address+"#"+fragment], address
	}
	target, base = resource, address
	for name := range strings.SplitSeq(fragment[1:], "/") {
		if target = child(target, name); target == nil {
			return nil, ""
		}
		if id, ok := d.ids[target]; ok {
			base = id
		}
	}
	return target, base
}
