package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLength is how long a schema may be, in bytes: as long as the service takes.
const MaxLength = 32 << 10

const (
	// maxDepth is how deep objects and lists may nest.
	maxDepth = 64
	// maxPlace is how long the pointer to a value may be, in bytes. Places would
	// otherwise be much longer together than the schema.
	maxPlace = 1024
	// maxExponent bounds the exponents of numbers. They are compared exactly, in as
	// many digits as the exponent says.
	maxExponent = 400
	// maxValues is how many values a schema may have. To compile it takes time in the
	// square of its schemas.
	maxValues = 5000
)

// A kind is a type of JSON value.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// A node is a JSON value.
type node struct {
	kind   kind
	parent *node   // nil for the whole
	name   string  // of a member
	index  int     // of an element
	order  int     // how many values begin before it
	text   string  // of a scalar: a string decoded, anything else as written
	items  []*node // members or elements, in the order of the text
}

// fail returns an error at the place of the node.
func (n *node) fail(format string, args ...any) error {
	return &Error{Place: n.place(), Reason: fmt.Sprintf(format, args...)}
}

// place returns a JSON pointer to the node.
func (n *node) place() string {
	switch {
	case n.parent == nil:
		return "#"
	case n.parent.kind == list:
		return n.parent.place() + "/" + strconv.Itoa(n.index)
	default:
		return n.parent.place() + "/" + strings.ReplaceAll(strings.ReplaceAll(n.name, "~", "~0"), "/", "~1")
	}
}

// member returns a member of an object, nil if there is none.
func (n *node) member(name string) *node {
	if n.kind != object {
		return nil
	}
	for _, m := range n.items {
		if m.name == name {
			return m
		}
	}
	return nil
}

// A reader reads JSON.
type reader struct {
	json   *json.Decoder
	values int
}

// read reads the JSON text of a schema.
func read(s string) (*node, error) {
	root := &node{}
	switch {
	case len(s) > MaxLength:
		return nil, root.fail("the schema is longer than %d bytes", MaxLength)
	case !utf8.ValidString(s):
		return nil, root.fail("the schema is not UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(s), &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, root.fail("the schema is not JSON: byte %d: %s", syntax.Offset, syntax)
		}
		return nil, root.fail("the schema is not JSON: %s", err)
	}
	r := reader{json: json.NewDecoder(strings.NewReader(s))}
	r.json.UseNumber()
	return root, r.value(root, 1, 1)
}

// value reads the value of n from what is known to be JSON. The place is the
// length of the pointer to n.
func (r *reader) value(n *node, depth, place int) error {
	n.order = r.values
	if r.values++; r.values > maxValues {
		return n.fail("the schema has more than %d values", maxValues)
	}
	if place > maxPlace {
		return n.parent.fail("has a member whose place is longer than %d bytes", maxPlace)
	}
	token, err := r.json.Token()
	if err != nil {
		return n.fail("%s", err)
	}
	switch token := token.(type) {
	case nil:
		return nil
	case bool:
		n.kind, n.text = boolean, strconv.FormatBool(token)
		return nil
	case json.Number:
		n.kind, n.text = number, token.String()
		return n.checkNumber()
	case string:
		n.kind, n.text = text, token
		return nil
	}
	if depth > maxDepth {
		return n.fail("nests deeper than %d levels", maxDepth)
	}
	n.kind = list
	if token == json.Delim('{') {
		n.kind = object
	}
	seen := map[string]bool{}
	for r.json.More() {
		item := &node{parent: n, index: len(n.items)}
		if n.kind == object {
			token, err := r.json.Token()
			if err != nil {
				return n.fail("%s", err)
			}
			item.name = token.(string)
			if seen[item.name] {
				return item.fail("stands twice")
			}
			seen[item.name] = true
		}
		if err := r.value(item, depth+1, place+1+len(item.name)); err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	if _, err := r.json.Token(); err != nil { // the closing bracket
		return n.fail("%s", err)
	}
	return nil
}

// checkNumber refuses exponents that would take the memory of the machine.
func (n *node) checkNumber() error {
	i := strings.IndexAny(n.text, "eE")
	if i < 0 {
		return nil
	}
	exponent, err := strconv.Atoi(n.text[i+1:])
	if err != nil || exponent < -maxExponent || exponent > maxExponent {
		return n.fail("the exponent of a number must be between -%d and %d", maxExponent, maxExponent)
	}
	return nil
}
