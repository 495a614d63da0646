package main

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// appendJSON appends a YAML node as JSON has it: everything in its order, keys that
// are there twice too, so that whoever reads the text finds them. What is no number
// or truth value is a text, dates included. Aliases are followed by nobody: they
// become null.
func appendJSON(b []byte, n *yaml.Node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, n.Content[i].Value), ':')
			b = appendJSON(b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	case yaml.AliasNode:
		return append(b, "null"...)
	}
	if n.Tag == "!!null" {
		return append(b, "null"...)
	}
	if (n.Tag == "!!bool" || n.Tag == "!!int" || n.Tag == "!!float") && json.Valid([]byte(n.Value)) {
		return append(b, n.Value...)
	}
	return appendText(b, n.Value)
}

func appendText(b []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // texts can always be written
		panic(err)
	}
	return append(b, quoted...)
}
