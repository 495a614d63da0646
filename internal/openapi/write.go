package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Values of documents that are made. Members stand in the order in which they are
// put there.

func stringNode(s string) *node { return &node{kind: text, text: s} }
func boolNode(b bool) *node     { return &node{kind: boolean, text: strconv.FormatBool(b)} }
func intNode(i int) *node       { return &node{kind: number, text: strconv.Itoa(i)} }
func newObject() *node          { return &node{kind: object} }
func listNode(items ...*node) *node {
	return &node{kind: list, items: items}
}

func stringsNode(texts []string) *node {
	n := listNode()
	for _, s := range texts {
		n.items = append(n.items, stringNode(s))
	}
	return n
}

// mapNode is an object with the members of a map, sorted.
func mapNode[T any](m map[string]T, value func(T) *node) *node {
	n := newObject()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		n.put(name, value(m[name]))
	}
	return n
}

// put adds a member to an object that does not have it, and returns the object.
func (n *node) put(name string, value *node) *node {
	if !n.add(name, value) {
		panic("openapi: " + name + " is put into a document twice")
	}
	return n
}

// putString adds a string that is not nil.
func (n *node) putString(name string, s *string) {
	if s != nil {
		n.put(name, stringNode(*s))
	}
}

func (n *node) putInt(name string, i *int) {
	if i != nil {
		n.put(name, intNode(*i))
	}
}

func (n *node) putBool(name string, b *bool) {
	if b != nil {
		n.put(name, boolNode(*b))
	}
}

// putStrings adds a list that is not nil.
func (n *node) putStrings(name string, texts []string) {
	if texts != nil {
		n.put(name, stringsNode(texts))
	}
}

// writeJSON writes a document as JSON with two spaces for each level.
func writeJSON(n *node) ([]byte, error) {
	w := new(jsonWriter)
	w.enc = json.NewEncoder(&w.Buffer)
	w.enc.SetEscapeHTML(false)
	w.value(n, "\n")
	w.WriteByte('\n')
	return w.Bytes(), w.err
}

type jsonWriter struct {
	bytes.Buffer
	enc *json.Encoder // of strings
	err error
}

// value writes a value. A new line of it starts with indent.
func (w *jsonWriter) value(n *node, indent string) {
	switch n.kind {
	case text:
		w.string(n.text)
	case number, boolean:
		w.WriteString(n.text)
	case null:
		w.WriteString("null")
	case list:
		w.WriteByte('[')
		for i, item := range n.items {
			w.separate(i, indent)
			w.value(item, indent+"  ")
		}
		w.end(']', len(n.items), indent)
	case object:
		w.WriteByte('{')
		for i, m := range n.members {
			w.separate(i, indent)
			w.string(m.name)
			w.WriteString(": ")
			w.value(m.value, indent+"  ")
		}
		w.end('}', len(n.members), indent)
	}
}

// separate starts the line of entry i.
func (w *jsonWriter) separate(i int, indent string) {
	if i > 0 {
		w.WriteByte(',')
	}
	w.WriteString(indent + "  ")
}

// end closes what has so many entries.
func (w *jsonWriter) end(bracket byte, entries int, indent string) {
	if entries > 0 {
		w.WriteString(indent)
	}
	w.WriteByte(bracket)
}

// string writes a string as it is, but for what JSON must escape.
func (w *jsonWriter) string(s string) {
	if err := w.enc.Encode(s); err != nil {
		w.err = err
		return
	}
	w.Truncate(w.Len() - 1) // the line break
}

// writeYAML writes a document as YAML with two spaces for each level. Strings are
// quoted, so that none is taken for something else.
func writeYAML(n *node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(yamlNode(n)); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func yamlNode(n *node) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}
	switch n.kind {
	case text:
		y.Tag, y.Style = "!!str", yaml.DoubleQuotedStyle
	case number:
		y.Tag = "!!int"
	case boolean:
		y.Tag = "!!bool"
	case null:
		y.Tag, y.Value = "!!null", "null"
	case list:
		y.Kind, y.Tag = yaml.SequenceNode, "!!seq"
		for _, item := range n.items {
			y.Content = append(y.Content, yamlNode(item))
		}
	case object:
		y.Kind, y.Tag = yaml.MappingNode, "!!map"
		for _, m := range n.members {
			name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: m.name}
			y.Content = append(y.Content, name, yamlNode(m.value))
		}
	}
	return y
}
