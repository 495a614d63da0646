package openapi

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of documents. The service takes six megabytes; no document in use comes
// near the others.
const (
	maxDocument = 6 << 20 // bytes
	maxDepth    = 100     // objects and lists in each other
	maxNodes    = 500_000 // values, with those that aliases repeat
	maxName     = 8 << 10 // bytes of the name of a member
)

var (
	errDepth = fmt.Errorf("the document nests deeper than %d levels", maxDepth)
	errNodes = fmt.Errorf("the document has more than %d values", maxNodes)
)

// A kind is what a node is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// A node is a value of a document. It is not changed once it was read: what a YAML
// document repeats by an alias is one node in several places.
type node struct {
	kind    kind
	line    int    // in the document, 0 for what was made
	text    string // of a string; a number and a boolean as written
	items   []*node
	members []member // in document order

	// index finds members by name, once there are so many that this is faster.
	index map[string]int
}

// A member is a named value of an object.
type member struct {
	name  string
	value *node
}

// indexed is the number of members from which on an object has an index.
const indexed = 16

// get returns a member of an object: nil if there is none, or n is no object.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[name]; ok {
			return n.members[i].value
		}
		return nil
	}
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// add appends a member to an object. It reports false, and does nothing, if there
// is one of this name.
func (n *node) add(name string, value *node) bool {
	if n.get(name) != nil {
		return false
	}
	n.members = append(n.members, member{name, value})
	switch {
	case n.index != nil:
		n.index[name] = len(n.members) - 1
	case len(n.members) == indexed:
		n.index = make(map[string]int, 2*indexed)
		for i := range n.members {
			n.index[n.members[i].name] = i
		}
	}
	return true
}

// A reader builds the tree of a document.
type reader struct {
	variables *strings.Replacer // what stands in strings for something else, may be nil
	nodes     int
}

// parse reads a document: JSON if it starts with a brace, YAML otherwise.
func parse(document string, variables *strings.Replacer) (*node, error) {
	switch {
	case len(document) > maxDocument:
		return nil, fmt.Errorf("the document is longer than %d bytes", maxDocument)
	case !utf8.ValidString(document):
		return nil, errors.New("the document is not UTF-8")
	}
	document = strings.TrimPrefix(document, "\uFEFF")
	content := strings.TrimLeft(document, " \t\r\n")
	r := &reader{variables: variables}
	switch {
	case content == "":
		return nil, errors.New("the document is empty")
	case content[0] == '{':
		return r.readJSON(document)
	default:
		return r.readYAML(document)
	}
}

// count takes n values out of the budget.
func (r *reader) count(n int) error {
	r.nodes += n
	if r.nodes > maxNodes {
		return errNodes
	}
	return nil
}

// string returns the node of a string, with variables filled in.
func (r *reader) string(s string, line int) *node {
	if r.variables != nil && strings.Contains(s, "${") {
		s = r.variables.Replace(s)
	}
	return &node{kind: text, text: s, line: line}
}

// member adds a member to an object.
func (r *reader) member(n *node, name string, value *node, line int) error {
	if len(name) > maxName {
		return fmt.Errorf("line %d: a name is longer than %d bytes", line, maxName)
	}
	if !n.add(name, value) {
		return fmt.Errorf("line %d: the name %q stands twice in one object", line, shown(name))
	}
	return nil
}
