package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLength is how long a document may be, in bytes. It bounds all that is in it.
const MaxLength = 64 << 10

// maxDepth is how deep a document may nest. A policy needs six levels: document,
// statements, statement, conditions, keys, values.
const maxDepth = 8

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

// A node is a value of a document.
type node struct {
	kind   kind
	parent *node   // nil for the document
	name   string  // of a member
	index  int     // of an element
	text   string  // of a scalar: a string decoded, anything else as written
	items  []*node // the members of an object, the elements of a list, in the order of the document
}

// place returns where the node stands: Statement[1].Condition.StringLike. Names
// that are not plain are quoted. Places are made for errors only: all of them
// together may be much longer than the document.
func (n *node) place() string {
	if n.parent == nil {
		return ""
	}
	outer := n.parent.place()
	plain := n.name != "" && !strings.ContainsFunc(n.name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ':'
	})
	switch {
	case n.parent.kind == list:
		return outer + "[" + strconv.Itoa(n.index) + "]"
	case !plain:
		return outer + "[" + strconv.Quote(n.name) + "]"
	case outer == "":
		return n.name
	default:
		return outer + "." + n.name
	}
}

// fail returns an error at the place of the node.
func (n *node) fail(format string, args ...any) error {
	return &Error{Place: n.place(), Reason: fmt.Sprintf(format, args...)}
}

// member returns a member of an object, nil if there is none.
func (n *node) member(name string) *node {
	for _, m := range n.items {
		if m.name == name {
			return m
		}
	}
	return nil
}

// read reads JSON. Objects have no two members with one name.
func read(document string) (*node, error) {
	root := &node{}
	switch {
	case len(document) > MaxLength:
		return nil, root.fail("the document is longer than %d bytes", MaxLength)
	case !utf8.ValidString(document):
		return nil, root.fail("the document is not UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(document), &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, root.fail("the document is not JSON: byte %d: %s", syntax.Offset, syntax)
		}
		return nil, root.fail("the document is not JSON: %s", err)
	}
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	return root, root.value(d, 1)
}

// value reads the value of n from what is known to be JSON.
func (n *node) value(d *json.Decoder, depth int) error {
	token, err := d.Token()
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
		return nil
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
	for d.More() {
		item := &node{parent: n, index: len(n.items)}
		if n.kind == object {
			token, err := d.Token()
			if err != nil {
				return n.fail("%s", err)
			}
			item.name = token.(string)
			if seen[item.name] {
				return item.fail("stands twice")
			}
			seen[item.name] = true
		}
		if err := item.value(d, depth+1); err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return n.fail("%s", err)
	}
	return nil
}
