package route

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// An Entry is a route as a Table holds it: its key and whatever the caller wants
// back from Match.
type Entry[T any] struct {
	Key   Key
	Value T
}

// A Table finds the route of a request. It never changes and may be used by any
// number of goroutines.
type Table[T any] struct {
	entries  []Entry[T]
	root     node
	fallback int32 // number of $default, see leaf
}

// NewTable makes a table of entries, whose keys come from ParseKey. It refuses
// two keys that match exactly the same requests, as GET /a/{x} and GET /a/{y} do.
func NewTable[T any](entries []Entry[T]) (*Table[T], error) {
	if len(entries) >= math.MaxInt32 {
		return nil, fmt.Errorf("%d routes are too many for a table", len(entries))
	}
	t := &Table[T]{entries: slices.Clone(entries)}
	for i := range t.entries {
		slot, err := t.slot(t.entries[i].Key)
		if err != nil {
			return nil, err
		}
		if *slot != 0 {
			return nil, fmt.Errorf("routes %q and %q match the same requests", t.entries[*slot-1].Key, t.entries[i].Key)
		}
		*slot = int32(i + 1)
	}
	return t, nil
}

// slot returns where the number of the entry for k belongs, and makes the nodes
// that lead there.
func (t *Table[T]) slot(k Key) (*int32, error) {
	if k.Default() {
		return &t.fallback, nil
	}
	method := methodIndex(k.Method)
	if method < 0 || len(k.Segments) == 0 {
		return nil, fmt.Errorf("route key %q does not come from ParseKey", k)
	}
	n := &t.root
	for _, s := range k.Segments {
		switch s.Kind {
		case Literal:
			n = n.literal(s.Text)
		case Variable:
			if n.variable == nil {
				n.variable = new(node)
			}
			n = n.variable
		case Greedy:
			if n.greedy == nil {
				n.greedy = new(leaf)
			}
			return &n.greedy[method], nil
		}
	}
	if n.full == nil {
		n.full = new(leaf)
	}
	return &n.full[method], nil
}

// Match returns the value of the route for a request and, in vars, the values of
// the path variables in the order in which they stand in the key; vars may be
// nil. It reports false if nothing matches, not even $default. Methods that a
// key cannot name match nothing.
//
// The path is decoded, as Decode returns it, without the stage: an escaped slash
// separates segments like any other, because the service decodes the whole path
// once before it routes. The empty path counts as "/"; a path that does not
// start with a slash matches nothing. The values are slices of path.
//
// A key matches a path if its segments do, one by one:
//
//   - a literal matches the same bytes, so a trailing slash is never ignored;
//   - {name} matches one segment, which may be empty only behind the last slash;
//   - {name+} matches all that is left behind a slash, even if that is nothing.
//
// Of the keys that match and have the method or ANY, keys without {name+} come
// before those with it, and $default is last. Among each, the first segment from
// the left that differs decides: literal before {name} before {name+}. If the
// paths are equal, the method itself comes before ANY.
//
// Match visits a node of the tree of keys at most once, so its cost is bounded
// by the number of segments in all keys however a path is made. Only nodes whose
// parents match are visited: without overlapping literals and variables that is
// one node for each segment of the path. Match does not allocate, except for the
// values of keys with more than inlineVars variables.
func (t *Table[T]) Match(method, path string, vars *Vars) (value T, ok bool) {
	if vars != nil {
		vars.Reset()
	}
	m := methodIndex(method)
	if m <= methodAny {
		return value, false
	}
	if path == "" {
		path = "/"
	}
	if path[0] != '/' {
		return value, false
	}
	s := search{method: m}
	number := s.find(&t.root, path[1:])
	if number == 0 {
		number = s.greedy
	}
	if number == 0 {
		number = t.fallback
	}
	if number == 0 {
		return value, false
	}
	e := &t.entries[number-1]
	if vars != nil {
		vars.fill(e.Key.Segments, path)
	}
	return e.Value, true
}

// A node stands for what keys have in common up to one segment. The root stands
// for the leading slash.
type node struct {
	literals map[string]*node
	longest  int // length of the longest literal, in bytes
	variable *node
	full     *leaf // keys that end here
	greedy   *leaf // keys that have a greedy variable as the next and last segment
}

// literal returns the child for text, and makes it if need be.
func (n *node) literal(text string) *node {
	child := n.literals[text]
	if child == nil {
		if n.literals == nil {
			n.literals = make(map[string]*node)
		}
		child = new(node)
		n.literals[text] = child
		n.longest = max(n.longest, len(text))
	}
	return child
}

// A leaf holds the numbers of the keys that differ in their methods only. The
// number of an entry is its index plus 1; 0 is none.
type leaf [methodCount]int32

// number returns the entry for a request method, and 0 if there is none. A nil
// leaf has none.
func (l *leaf) number(method int) int32 {
	if l == nil {
		return 0
	}
	if l[method] != 0 {
		return l[method]
	}
	return l[methodAny]
}

// A search is the walk of one request through the tree.
type search struct {
	method int
	greedy int32 // the best greedy key so far, 0 if none
}

// find returns the best key without a greedy variable for path, which begins
// behind the slash that n stands for, and 0 if there is none. Because it walks in
// the order of precedence, the first that it finds is the best. That holds for
// greedy keys too; it keeps the first of them.
func (s *search) find(n *node, path string) int32 {
	segment, rest, more := path, "", false
	if i := strings.IndexByte(path, '/'); i >= 0 {
		segment, rest, more = path[:i], path[i+1:], true
	}
	// The length check spares hashing a long segment in every node.
	if len(segment) <= n.longest {
		if child := n.literals[segment]; child != nil {
			if number := s.enter(child, rest, more); number != 0 {
				return number
			}
		}
	}
	if n.variable != nil && (segment != "" || !more) {
		if number := s.enter(n.variable, rest, more); number != 0 {
			return number
		}
	}
	if s.greedy == 0 {
		s.greedy = n.greedy.number(s.method)
	}
	return 0
}

// enter goes on in n with the rest of the path, or ends there if there is no more.
func (s *search) enter(n *node, rest string, more bool) int32 {
	if more {
		return s.find(n, rest)
	}
	return n.full.number(s.method)
}

// The methods of route keys, as indexes of a leaf.
const (
	methodAny = iota
	methodDelete
	methodGet
	methodHead
	methodOptions
	methodPatch
	methodPost
	methodPut
	methodCount
)

// KnownMethod reports whether a request can have a method: one that a route key can
// name, ANY left out. Methods are case-sensitive.
func KnownMethod(method string) bool {
	i := methodIndex(method)
	return i >= 0 && i != methodAny
}

// methodIndex returns the index of a method, and -1 if route keys cannot name it.
func methodIndex(method string) int {
	switch method {
	case anyMethod:
		return methodAny
	case "DELETE":
		return methodDelete
	case "GET":
		return methodGet
	case "HEAD":
		return methodHead
	case "OPTIONS":
		return methodOptions
	case "PATCH":
		return methodPatch
	case "POST":
		return methodPost
	case "PUT":
		return methodPut
	default:
		return -1
	}
}
