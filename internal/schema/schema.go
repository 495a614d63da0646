// Package schema knows the JSON Schemas that describe the messages of WebSocket
// APIs: what a model holds. They are of draft-04, in JSON text.
//
//	err := schema.Check(text)              // #/properties/id/type: must be one of …
//	template, err := schema.Template(text) // #set($inputRoot = $input.path('$')) …
//
// Nothing is ever fetched. A $ref leads to another place of the same schema, to
// draft-04 itself, or to another model of an API by its URL:
//
//	https://apigateway.amazonaws.com/restapis/{api}/models/{Name}
//
// What another model says is not looked at: it stands for any value.
//
// A pattern is any text. Patterns are regular expressions of ECMA-262, of which the
// regular expressions of Go are another dialect, so that one that Go cannot read
// may well be right.
package schema

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

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
	root, err := read(text)
	if err != nil {
		return err
	}
	d := newDocument(root)
	if d.err != nil {
		return d.err
	}
	_, err = d.compile()
	return err
}

// A document is a schema and what its references lead to.
type document struct {
	root      *node
	resources map[string]*node // schemas by the absolute URL that their id gives them
	anchors   map[string]*node // schemas by a URL with a name behind the #
	ids       map[*node]string // the URLs of resources
	bases     map[*node]string // every schema, with the URL its references are relative to
	targets   map[*node]*node  // the schema that has a $ref, to the schema it leads to
	models    map[*node]bool   // values of $ref that lead to a model
	pending   []*node          // schemas whose references are not resolved yet
	err       error            // the first thing that is wrong
}

// baseURL is the URL of a schema that has no id.
const baseURL = "model:///schema"

// newDocument finds the schemas in a JSON value and resolves their references.
func newDocument(root *node) *document {
	d := &document{
		root:      root,
		resources: map[string]*node{baseURL: root, anyURL: {}},
		anchors:   map[string]*node{},
		ids:       map[*node]string{root: baseURL},
		bases:     map[*node]string{},
		targets:   map[*node]*node{},
		models:    map[*node]bool{},
	}
	if root.kind != object {
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
func (d *document) fail(n *node, format string, args ...any) {
	if d.err == nil {
		d.err = n.fail(format, args...)
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
func (d *document) schema(n *node, base string) {
	if _, seen := d.bases[n]; seen || n.kind != object {
		return
	}
	ref := n.member("$ref")
	if id := n.member("id"); id != nil && id.kind == text && ref == nil {
		base = d.id(n, id, base)
	}
	d.bases[n] = base
	if s := n.member("$schema"); s != nil && s.kind == text && !isDraft4(s.text) {
		d.fail(s, "%q is not draft-04, the only draft of models; it is named http://json-schema.org/draft-04/schema#", s.text)
	}
	if ref != nil && ref.kind == text {
		d.pending = append(d.pending, n)
	}
	for _, name := range oneSchema {
		if m := n.member(name); m != nil {
			d.schema(m, base)
		}
	}
	for _, name := range listOfSchema {
		if m := n.member(name); m != nil && m.kind == list {
			for _, item := range m.items {
				d.schema(item, base)
			}
		}
	}
	for _, name := range mapOfSchema {
		if m := n.member(name); m != nil && m.kind == object {
			for _, item := range m.items {
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
func (d *document) id(n, id *node, base string) string {
	address, name, err := join(base, id.text)
	if err != nil {
		d.fail(id, "%q is no URL", id.text)
		return base
	}
	if id.text != "" && !strings.HasPrefix(id.text, "#") {
		if other := d.resources[address]; other != nil && other != n {
			d.fail(id, "%q stands twice", id.text)
			return base
		}
		base = address
		d.resources[address] = n
		d.ids[n] = address
	}
	if name != "" && !strings.HasPrefix(name, "/") {
		key := base + "#" + name
		if other := d.anchors[key]; other != nil && other != n {
			d.fail(id, "%q stands twice", id.text)
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
var model = regexp.MustCompile(`^https://apigateway\.amazonaws\.com/restapis/[0-9A-Za-z]+/models/[0-9A-Za-z]+$`)

// reference resolves the $ref of a schema.
func (d *document) reference(n *node) {
	ref := n.member("$ref")
	address, fragment, err := join(d.bases[n], ref.text)
	if err != nil {
		d.fail(ref, "%q is no reference", ref.text)
		return
	}
	resource := d.resources[address]
	switch {
	case resource == nil && model.MatchString(address):
		d.models[ref] = true
		return
	case resource == nil && isDraft4(address):
		return
	case resource == nil:
		d.fail(ref, "%q is not in the schema, and nothing else is read but models: https://apigateway.amazonaws.com/restapis/{api}/models/{Name}", ref.text)
		return
	}
	target, base := resource, address
	if fragment != "" && !strings.HasPrefix(fragment, "/") {
		if target = d.anchors[address+"#"+fragment]; target == nil {
			d.fail(ref, "%q leads nowhere", ref.text)
			return
		}
	} else if fragment != "" {
		for name := range strings.SplitSeq(fragment[1:], "/") {
			if target = target.child(name); target == nil {
				d.fail(ref, "%q leads nowhere", ref.text)
				return
			}
			if id, ok := d.ids[target]; ok {
				base = id
			}
		}
	}
	if target.kind != object {
		d.fail(ref, "%q leads to what is no schema", ref.text)
		return
	}
	d.schema(target, base)
	d.targets[n] = target
}

// child returns the child that a token of a JSON pointer names, nil if there is
// none.
func (n *node) child(token string) *node {
	token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	if n.kind == object {
		return n.member(token)
	}
	if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}
