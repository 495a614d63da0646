package schema

import (
	"fmt"
	"strconv"
	"strings"

	"penstock/internal/jsontree"
)

// place returns a JSON pointer to a value.
func place(n *jsontree.Node) string {
	switch {
	case n.Parent == nil:
		return "#"
	case n.Parent.Kind == jsontree.List:
		return place(n.Parent) + "/" + strconv.Itoa(n.Index)
	default:
		return place(n.Parent) + "/" + strings.ReplaceAll(strings.ReplaceAll(n.Name, "~", "~0"), "/", "~1")
	}
}

// fail returns an error at the place of a value.
func fail(n *jsontree.Node, format string, args ...any) error {
	return &Error{Place: place(n), Reason: fmt.Sprintf(format, args...)}
}

// child returns the child that a token of a JSON pointer names, nil if there is
// none.
func child(n *jsontree.Node, token string) *jsontree.Node {
	token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	if n.Kind == jsontree.Object {
		return n.Member(token)
	}
	if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Items) {
		return n.Items[i]
	}
	return nil
}

// depth returns in how many values n is.
func depth(n *jsontree.Node) int {
	depth := 0
	for ; n.Parent != nil; n = n.Parent {
		depth++
	}
	return depth
}

// order numbers n and the values in it, by where they begin in the text.
func order(n *jsontree.Node, numbers map[*jsontree.Node]int) {
	numbers[n] = len(numbers)
	for _, item := range n.Items {
		order(item, numbers)
	}
}
