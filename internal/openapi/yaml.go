package openapi

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of the text of YAML documents, before it is parsed. The parser needs
// time in the square of the directives, and some 200 bytes for each value.
const (
	maxDirectives = 100     // lines that start with a percent sign
	maxMarks      = 500_000 // characters that can begin a value
)

// readYAML reads a YAML document. Aliases and merge keys stand for what they name.
func (r *reader) readYAML(document string) (*node, error) {
	if err := checkYAML(document); err != nil {
		return nil, err
	}
	root, err := decodeYAML(document)
	if err != nil {
		return nil, err
	}
	y := &yamlReader{reader: r, anchored: map[*yaml.Node]*subtree{}}
	tree, err := y.value(root, 1)
	if err != nil {
		return nil, err
	}
	return tree.node, nil
}

// checkYAML refuses what must not reach the parser.
func checkYAML(document string) error {
	marks, directives := 0, 0
	start := true
	for i := range len(document) {
		switch document[i] {
		case ',', ':', '[', '{', '-', '?':
			marks++
		case '%':
			if start {
				directives++
			}
		}
		start = document[i] == '\n' || document[i] == '\r'
	}
	switch {
	case directives > maxDirectives:
		return fmt.Errorf("the document has more than %d directives", maxDirectives)
	case marks > maxMarks:
		return errNodes
	}
	return nil
}

// decodeYAML returns the one value of a document as the YAML package sees it. The
// package panics where it has not thought of something; that is an error here.
func decodeYAML(document string) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("the document cannot be read as YAML: %v", p)
		}
	}()
	if strings.HasPrefix(document, "%YAML 1.2") { // which the package reads, but does not know
		document = "%YAML 1.1" + document[len("%YAML 1.2"):]
	}
	dec := yaml.NewDecoder(strings.NewReader(document))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil, errors.New("the document is empty")
	} else if err != nil {
		return nil, yamlError(err)
	}
	if len(first.Content) != 1 {
		return nil, errors.New("the document is empty")
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second document starts", second.Line)
	case !errors.Is(err, io.EOF):
		return nil, yamlError(err)
	}
	return first.Content[0], nil
}

func yamlError(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

// A yamlReader makes a tree of what the YAML package has parsed.
type yamlReader struct {
	*reader

	// anchored holds what aliases may name: nil while it is being read.
	anchored map[*yaml.Node]*subtree
}

// A subtree is a node and what it costs where it stands.
type subtree struct {
	node   *node
	size   int // values, itself included
	height int // levels of objects and lists
}

// value makes the tree of n, which stands on a level.
func (y *yamlReader) value(n *yaml.Node, depth int) (*subtree, error) {
	if n.Kind == yaml.AliasNode {
		return y.alias(n, depth)
	}
	if n.Anchor != "" {
		y.anchored[n] = nil
	}
	if err := y.count(1); err != nil {
		return nil, err
	}
	t := &subtree{size: 1}
	var err error
	switch n.Kind {
	case yaml.ScalarNode:
		t.node, err = y.scalar(n)
	case yaml.SequenceNode:
		err = y.sequence(n, depth, t)
	case yaml.MappingNode:
		err = y.mapping(n, depth, t)
	default:
		err = fmt.Errorf("line %d: neither a value nor a list nor an object", n.Line)
	}
	if err != nil {
		return nil, err
	}
	if n.Anchor != "" {
		y.anchored[n] = t
	}
	return t, nil
}

// alias returns the subtree that an alias names. It is the same one every time;
// what counts is how often it stands in the document.
func (y *yamlReader) alias(n *yaml.Node, depth int) (*subtree, error) {
	t, seen := y.anchored[n.Alias]
	switch {
	case seen && t == nil:
		return nil, fmt.Errorf("line %d: *%s stands within what it names", n.Line, shown(n.Value))
	case !seen: // the anchor of a name
		return y.value(n.Alias, depth)
	case depth-1+t.height > maxDepth:
		return nil, errDepth
	}
	return t, y.count(t.size)
}

func (y *yamlReader) scalar(n *yaml.Node) (*node, error) {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return &node{line: n.Line}, nil
	case "!!bool":
		return &node{kind: boolean, text: strings.ToLower(n.Value), line: n.Line}, nil
	case "!!int", "!!float":
		return &node{kind: number, text: n.Value, line: n.Line}, nil
	case "!!str", "!!timestamp", "!!binary", "!!merge", "!":
		return y.string(n.Value, n.Line), nil
	default:
		return nil, badTag(n)
	}
}

func badTag(n *yaml.Node) error {
	return fmt.Errorf("line %d: the tag %s is not supported", n.Line, shown(n.ShortTag()))
}

func (y *yamlReader) sequence(n *yaml.Node, depth int, t *subtree) error {
	switch {
	case depth > maxDepth:
		return errDepth
	case n.ShortTag() != "!!seq":
		return badTag(n)
	}
	t.node = &node{kind: list, line: n.Line, items: make([]*node, 0, len(n.Content))}
	for _, c := range n.Content {
		item, err := y.value(c, depth+1)
		if err != nil {
			return err
		}
		t.node.items = append(t.node.items, item.node)
		t.contains(item)
	}
	t.height++
	return nil
}

// contains accounts for a subtree of t.
func (t *subtree) contains(inner *subtree) {
	t.size += inner.size
	t.height = max(t.height, inner.height)
}

func (y *yamlReader) mapping(n *yaml.Node, depth int, t *subtree) error {
	switch {
	case depth > maxDepth:
		return errDepth
	case n.ShortTag() != "!!map":
		return badTag(n)
	}
	t.node = &node{kind: object, line: n.Line, members: make([]member, 0, len(n.Content)/2)}
	var merge *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a name must be a string", n.Content[i].Line)
		}
		if key.ShortTag() == "!!merge" {
			if merge != nil {
				return fmt.Errorf("line %d: << stands twice in one object", n.Content[i].Line)
			}
			merge = n.Content[i+1]
			continue
		}
		value, err := y.value(n.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if err := y.member(t.node, key.Value, value.node, n.Content[i].Line); err != nil {
			return err
		}
		t.contains(value)
	}
	if merge != nil {
		if err := y.merge(merge, depth, t); err != nil {
			return err
		}
	}
	t.height++
	return nil
}

// merge adds the members of the objects that a merge key names: of one object or a
// list of them, of which the first counts. What t has itself stays.
func (y *yamlReader) merge(n *yaml.Node, depth int, t *subtree) error {
	sources := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		sources = n.Content
	}
	for _, source := range sources {
		// The members come to stand on the level of t, which source stands on too.
		from, err := y.value(source, depth)
		if err != nil {
			return err
		}
		if from.node.kind != object {
			return fmt.Errorf("line %d: << must name an object or a list of objects", source.Line)
		}
		for _, m := range from.node.members {
			t.node.add(m.name, m.value)
		}
		t.size += from.size
		t.height = max(t.height, from.height-1)
	}
	return nil
}
