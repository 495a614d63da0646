// Package jsontree reads JSON text as a tree that keeps the order of what was
// written, and every number as it was written.
//
//	root, err := jsontree.Read(text, jsontree.Limits{What: "the policy", Length: 64 << 10, Depth: 8})
//	for _, m := range root.Items {
//		fmt.Println(m.Name, m.Text)
//	}
//
// An object that has two members of one name is refused: which of both counts
// differs between readers of JSON.
//
// A tree is for saying what is wrong with a text, and where. How a place is written
// is a matter of the language that is in the JSON, so that an [Error] has the node
// and not its place.
package jsontree

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Kind is a type of JSON value.
type Kind uint8

const (
	Null Kind = iota
	Boolean
	Number
	String
	List
	Object
)

// A Node is a JSON value. It is not changed once it was read.
type Node struct {
	Kind   Kind
	Parent *Node   // nil for the whole
	Name   string  // of a member
	Index  int     // of a member or an element among its neighbours
	Text   string  // a string decoded, a number or a boolean as written, empty for anything else
	Items  []*Node // members or elements, in the order of the text
}

// Member returns a member of an object. It returns nil if there is none, or if n is
// no object.
func (n *Node) Member(name string) *Node {
	if n.Kind != Object {
		return nil
	}
	for _, m := range n.Items {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Limits bound what a text may have, and so the memory and the time to read it.
type Limits struct {
	What   string // what the text is, in messages: "the policy"
	Length int    // of the text, in bytes
	Depth  int    // of objects and lists in each other

	// The others bound nothing if they are 0.

	Values   int // how many there may be, of all kinds and at all depths
	Place    int // how long the names that lead to a value may be, in bytes, with one byte more for each level
	Exponent int // of numbers, with either sign
}

// An Error says what is wrong with a text, and where: at a node whose parents lead
// to the whole. The tree is not complete, and the node need not be an item of its
// parent.
type Error struct {
	Node   *Node
	Reason string
}

func (e *Error) Error() string {
	return e.Reason
}

func fail(n *Node, format string, args ...any) error {
	return &Error{Node: n, Reason: fmt.Sprintf(format, args...)}
}

// Read reads one JSON value, which is in UTF-8 and has nothing but white space
// around it. Half of a surrogate pair, escaped, is read as U+FFFD. What is not JSON
// or too long has an error at the whole; of anything else that is wrong, the error
// is about what stands first, and no tree is made of what follows. The error is an
// *[Error].
func Read(text string, limits Limits) (*Node, error) {
	root := &Node{}
	switch {
	case len(text) > limits.Length:
		return nil, fail(root, "%s is longer than %d bytes", limits.What, limits.Length)
	case !utf8.ValidString(text):
		return nil, fail(root, "%s is not UTF-8", limits.What)
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fail(root, "%s is not JSON: byte %d: %s", limits.What, syntax.Offset, syntax)
		}
		return nil, fail(root, "%s is not JSON: %s", limits.What, err)
	}
	r := reader{json: json.NewDecoder(strings.NewReader(text)), limits: limits}
	r.json.UseNumber()
	if err := r.value(root, 1, 1); err != nil {
		return nil, err
	}
	return root, nil
}

// A reader reads what is known to be JSON.
type reader struct {
	json   *json.Decoder
	limits Limits
	values int // that have begun
}

// value reads the value of n. The place is the length of the names that lead to n.
func (r *reader) value(n *Node, depth, place int) error {
	r.values++
	switch l := &r.limits; {
	case l.Values > 0 && r.values > l.Values:
		return fail(n, "%s has more than %d values", l.What, l.Values)
	case l.Place > 0 && place > l.Place: // never at the whole, whose place is 1
		return fail(n.Parent, "has a member whose place is longer than %d bytes", l.Place)
	}
	token, err := r.json.Token()
	if err != nil {
		return fail(n, "%s", err)
	}
	switch token := token.(type) {
	case nil:
		return nil
	case bool:
		n.Kind, n.Text = Boolean, strconv.FormatBool(token)
		return nil
	case json.Number:
		n.Kind, n.Text = Number, token.String()
		return r.exponent(n)
	case string:
		n.Kind, n.Text = String, token
		return nil
	}
	if depth > r.limits.Depth {
		return fail(n, "nests deeper than %d levels", r.limits.Depth)
	}
	n.Kind = List
	if token == json.Delim('{') {
		n.Kind = Object
	}
	return r.items(n, depth, place)
}

// items reads the members of an object or the elements of a list after its opening
// bracket.
func (r *reader) items(n *Node, depth, place int) error {
	seen := map[string]bool{}
	for r.json.More() {
		item := &Node{Parent: n, Index: len(n.Items)}
		if n.Kind == Object {
			token, err := r.json.Token()
			if err != nil {
				return fail(n, "%s", err)
			}
			item.Name = token.(string)
			if seen[item.Name] {
				return fail(item, "stands twice")
			}
			seen[item.Name] = true
		}
		if err := r.value(item, depth+1, place+1+len(item.Name)); err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	if _, err := r.json.Token(); err != nil { // the closing bracket
		return fail(n, "%s", err)
	}
	return nil
}

// exponent refuses exponents that would take the memory of the machine: whoever
// compares numbers exactly makes as many digits as the exponent says.
func (r *reader) exponent(n *Node) error {
	limit := r.limits.Exponent
	i := strings.IndexAny(n.Text, "eE")
	if limit == 0 || i < 0 {
		return nil
	}
	exponent, err := strconv.Atoi(n.Text[i+1:])
	if err != nil || exponent < -limit || exponent > limit {
		return fail(n, "the exponent of a number must be between -%d and %d", limit, limit)
	}
	return nil
}
