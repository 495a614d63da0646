package control

import (
	"net/url"
	"strings"

	"penstock/internal/model"
)

// restLabel takes the rest of a path, slashes included: clients send the ARN of
// a tagged resource escaped as one segment or as it is.
const restLabel = "resource-arn"

// A node is a place in the tree of the paths of all operations.
type node struct {
	literal    map[string]*node
	label      *node // any one segment
	name       string
	operations map[string]*model.Operation // by method
}

// paths is the tree of the escaped paths of all operations.
var paths = func() *node {
	root := &node{}
	for _, op := range model.Operations {
		n := root
		for segment := range strings.SplitSeq(strings.TrimPrefix(op.Path, "/"), "/") {
			n = n.child(segment)
		}
		if n.operations == nil {
			n.operations = map[string]*model.Operation{}
		}
		n.operations[op.Method] = op
	}
	return root
}()

func (n *node) child(segment string) *node {
	if name, ok := strings.CutPrefix(segment, "{"); ok {
		if n.label == nil {
			n.label = &node{name: strings.TrimSuffix(name, "}")}
		}
		return n.label
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[segment] == nil {
		n.literal[segment] = &node{}
	}
	return n.literal[segment]
}

// match returns the operation of a request and the unescaped labels of its path,
// or nil. The path is escaped as received: %2F inside a segment does not separate
// segments. One slash at the end is ignored, so that GET /v2/apis/ lists APIs, as
// clients with an empty ID expect. No other label is empty.
func match(method, escapedPath string) (*model.Operation, map[string]string) {
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return nil, nil
	}
	n, labels := paths, map[string]string{}
	for more := true; more; {
		whole := rest
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "" && !more {
			break
		}
		if next := n.literal[segment]; next != nil {
			n = next
			continue
		}
		if n = n.label; n == nil || segment == "" {
			return nil, nil
		}
		if n.name == restLabel {
			segment, more = whole, false
		}
		text, err := url.PathUnescape(segment)
		if err != nil {
			return nil, nil
		}
		labels[n.name] = text
	}
	op := n.operations[method]
	if op == nil {
		return nil, nil
	}
	return op, labels
}
