package policy

import (
	"fmt"
	"strconv"
	"strings"

	"penstock/internal/jsontree"
)

// place returns where a value stands: Statement[1].Condition.StringLike. Names that
// are not plain are quoted. Places are made for errors only: all of them together
// may be much longer than the document.
func place(n *jsontree.Node) string {
	if n.Parent == nil {
		return ""
	}
	outer := place(n.Parent)
	plain := n.Name != "" && !strings.ContainsFunc(n.Name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ':'
	})
	switch {
	case n.Parent.Kind == jsontree.List:
		return outer + "[" + strconv.Itoa(n.Index) + "]"
	case !plain:
		return outer + "[" + strconv.Quote(n.Name) + "]"
	case outer == "":
		return n.Name
	default:
		return outer + "." + n.Name
	}
}

// fail returns an error at the place of a value.
func fail(n *jsontree.Node, format string, args ...any) error {
	return &Error{Place: place(n), Reason: fmt.Sprintf(format, args...)}
}
