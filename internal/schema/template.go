package schema

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"penstock/internal/jsontree"
)

const (
	// maxTemplate is the length at which a template stops going into detail, in
	// bytes: what the service takes as a template.
	maxTemplate = 32 << 10
	// indent is one level.
	indent = "  "
)

// Template returns the mapping template that the service makes of a model: a
// message as the schema describes it, with sample values, and a loop for each
// list.
//
//	#set($inputRoot = $input.path('$'))
//	{
//	  "id" : 42,
//	  "tags" : [
//	  #foreach($elem in $inputRoot.tags)
//	    "foo"
//	    #if($foreach.hasNext),#end
//	  #end
//	  ]
//	}
//
// The schema need not be one that [Check] accepts, but it must be a JSON object: a
// model may have been stored unchecked. Where it says nothing, or leads to itself,
// to another model or to nowhere, there is {}; so there is in place of details when
// the template gets longer than 32 KiB. Names and texts are quoted so that there is
// nothing of the template language in them.
func Template(text string) (string, error) {
	root, err := read(text)
	if err != nil {
		return "", err
	}
	if root.Kind != jsontree.Object {
		return "", fail(root, "must be an object")
	}
	w := writer{document: newDocument(root), active: map[*jsontree.Node]bool{}, path: []string{"$inputRoot"}}
	w.WriteString("#set($inputRoot = $input.path('$'))\n")
	w.schema(root, "")
	return w.String(), nil
}

// A writer writes a template.
type writer struct {
	strings.Builder
	document *document
	active   map[*jsontree.Node]bool // the schemas that are being written
	path     []string                // the expression for the value that is being written
	loops    int                     // around it
}

// schema writes a sample of a schema. The margin stands before every line but the
// first.
func (w *writer) schema(n *jsontree.Node, margin string) {
	for seen := 0; n != nil && n.Member("$ref") != nil; seen++ {
		if n = w.document.targets[n]; seen > maxDepth {
			n = nil
		}
	}
	if n == nil || n.Kind != jsontree.Object || w.active[n] || len(w.active) > maxDepth || w.Len() > maxTemplate {
		w.WriteString("{}")
		return
	}
	w.active[n] = true
	defer delete(w.active, n)
	if enum := n.Member("enum"); enum != nil && enum.Kind == jsontree.List && len(enum.Items) > 0 {
		w.literal(enum.Items[0], margin)
		return
	}
	switch sampleType(n) {
	case "string":
		w.WriteString(`"foo"`)
	case "integer", "number":
		w.WriteString("42")
	case "boolean":
		w.WriteString("true")
	case "null":
		w.WriteString("null")
	case "array":
		w.list(n.Member("items"), margin)
	case "object":
		w.members(n.Member("properties"), margin, func(m *jsontree.Node, margin string) {
			w.path = append(w.path, property(m.Name))
			w.schema(m, margin)
			w.path = w.path[:len(w.path)-1]
		})
	default:
		w.WriteString("{}")
	}
}

// sampleType returns the type of the sample of a schema: of several the first that
// is not null, without one what the schema has keywords for, "" if that is nothing.
func sampleType(n *jsontree.Node) string {
	t := n.Member("type")
	switch {
	case t != nil && t.Kind == jsontree.String:
		return t.Text
	case t != nil && t.Kind == jsontree.List && len(t.Items) > 0:
		i := slices.IndexFunc(t.Items, func(n *jsontree.Node) bool { return n.Text != "null" })
		return t.Items[max(i, 0)].Text
	case n.Member("properties") != nil:
		return "object"
	case n.Member("items") != nil:
		return "array"
	default:
		return ""
	}
}

// list writes a list: a loop if all elements have one schema, otherwise one sample
// of each.
func (w *writer) list(items *jsontree.Node, margin string) {
	switch {
	case items == nil || items.Kind != jsontree.Object && items.Kind != jsontree.List:
		w.WriteString("[]")
	case items.Kind == jsontree.List:
		w.elements(items, margin, func(item *jsontree.Node, margin string) {
			w.path = append(w.path, "["+strconv.Itoa(item.Index)+"]")
			w.schema(item, margin)
			w.path = w.path[:len(w.path)-1]
		})
	default:
		w.loops++
		outer, name := w.path, "$elem"
		if w.loops > 1 {
			name += strconv.Itoa(w.loops)
		}
		w.path = []string{name}
		w.WriteString("[\n" + margin + "#foreach(" + name + " in " + strings.Join(outer, "") + ")\n" + margin + indent)
		w.schema(items, margin+indent)
		w.WriteString("\n" + margin + indent + "#if($foreach.hasNext),#end\n" + margin + "#end\n" + margin + "]")
		w.loops--
		w.path = outer
	}
}

// literal writes a JSON value.
func (w *writer) literal(n *jsontree.Node, margin string) {
	switch n.Kind {
	case jsontree.Null:
		w.WriteString("null")
	case jsontree.Boolean, jsontree.Number:
		w.WriteString(n.Text)
	case jsontree.String:
		w.WriteString(quote(n.Text))
	case jsontree.List:
		w.elements(n, margin, w.literal)
	case jsontree.Object:
		w.members(n, margin, w.literal)
	}
}

// elements writes a JSON list.
func (w *writer) elements(n *jsontree.Node, margin string, write func(*jsontree.Node, string)) {
	w.block("[", n.Items, margin, write)
	w.WriteString("]")
}

// members writes a JSON object. What is no object has no members.
func (w *writer) members(n *jsontree.Node, margin string, write func(*jsontree.Node, string)) {
	var items []*jsontree.Node
	if n != nil && n.Kind == jsontree.Object {
		items = n.Items
	}
	w.block("{", items, margin, func(m *jsontree.Node, margin string) {
		w.WriteString(quote(m.Name) + " : ")
		write(m, margin)
	})
	w.WriteString("}")
}

// block writes an opening bracket and items, one a line.
func (w *writer) block(bracket string, items []*jsontree.Node, margin string, write func(*jsontree.Node, string)) {
	w.WriteString(bracket)
	for i, item := range items {
		if i > 0 {
			w.WriteString(",")
		}
		w.WriteString("\n" + margin + indent)
		write(item, margin+indent)
	}
	if len(items) > 0 {
		w.WriteString("\n" + margin)
	}
}

// plain is a name that a reference of the template language may have in it.
var plain = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z_-]*$`)

// property returns what stands behind an expression to get a member of its value.
func property(name string) string {
	if plain.MatchString(name) {
		return "." + name
	}
	return ".get('" + strings.ReplaceAll(name, "'", "''") + "')"
}

// quote returns a JSON string in which nothing begins a reference, a directive or a
// comment of the template language.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string can be encoded
	}
	return strings.NewReplacer("#", `\u0023`, "$", `\u0024`).Replace(strings.TrimSuffix(b.String(), "\n"))
}
