package vtl

import (
	"math"
	"slices"
	"strings"

	"penstock/internal/jsonpath"
	"penstock/internal/lenient"
)

// A node is a part of a template that becomes output.
type node interface {
	render(r *run) error
}

// An expression is a part of a template that has a value.
type expression interface {
	// value returns nil for null, and text for what has no value.
	value(r *run) (any, error)
}

// text is what is printed as it is.
type text struct{ text string }

// An output is a reference outside of directives, with what is printed before it.
type output struct {
	prefix string
	ref    *reference
	json   *step // if it is $input.json(...) and nothing more
}

// An escaped reference is printed as text, but what it calls is called.
type escaped struct {
	ref  *reference
	text string
}

// An assignment is #set.
type assignment struct {
	target *reference
	value  expression
}

// A branch is #if or #elseif with its block.
type branch struct {
	test expression
	body []node
}

// A condition is #if.
type condition struct {
	branches  []branch
	otherwise []node
}

// A foreach is #foreach.
type foreach struct {
	offset int
	args   int // how many there are; three make a loop
	slot   int
	list   expression
	body   []node
}

// A definition is #define.
type definition struct {
	slot int
	*block
}

// A block is the value of what #define defines: it is rendered when it is printed.
type block struct{ body []node }

// A command is #break, #stop, #include or #parse.
type command struct {
	offset int
	name   string
	args   []expression
}

// A reference is a variable and what is asked of it: $a.b[0].c("x").
type reference struct {
	tokenRange
	offset   int
	name     string
	slot     int
	steps    []step
	plain    bool   // all steps are properties
	settable bool   // #set without steps does something
	odd      bool   // with a backslash before its bang, which makes it nothing
	runt     bool   // without a dollar: it is null
	word     string // what a runt prints
	escaped  bool   // after an odd number of backslashes, of which slashes stay
	slashes  string
	before   string // dollars and hashes before it
	null     string // its text, for what prints nothing
}

// A stepKind is what kind of step a step is.
type stepKind uint8

const (
	property stepKind = iota
	method
	index
)

// A step is a property, a method or an index in a reference.
type step struct {
	kind    stepKind
	offset  int
	name    string
	args    []expression    // of a method; of an index, one
	query   *jsonpath.Query // if the argument is a path that is known
	bad     error           // if that is none
	pattern *pattern        // if the argument is a regular expression that is known
}

// prepare does what need not wait for a value, as long as the template has not too much of
// it.
func (s *step) prepare(v *variables) {
	if s.name == "path" || s.name == "json" {
		v.paths++
	}
	if len(s.args) == 0 || v.prepared > maxPrepared {
		return
	}
	l, ok := s.args[0].(*literal)
	if !ok || l.nodes != nil {
		return
	}
	switch s.name {
	case "path", "json":
		s.query, s.bad = jsonpath.ParseQuery(l.text)
		v.prepared += queryCost(l.text)
	case "matches", "split", "replaceAll", "replaceFirst":
		s.pattern = compilePattern(l.text)
		v.prepared += s.pattern.cost()
	}
}

// maxPrepared is how many bytes of work parsing a template may take beyond itself.
const maxPrepared = 32 << 20

// queryCost returns how many bytes of work it is to parse a path of JSON.
func queryCost(text string) int {
	if strings.Contains(text, "=~") {
		return 20_000 * len(text)
	}
	return 200 * len(text)
}

// finish completes a reference that has been read.
func (n *reference) finish() {
	n.plain = true
	for i := range n.steps {
		n.plain = n.plain && n.steps[i].kind == property
	}
}

// json returns the call if the reference is $input.json(...) and nothing more.
func (n *reference) json() *step {
	if n.slot == slotInput && len(n.steps) == 1 {
		if s := &n.steps[0]; s.kind == method && s.name == "json" && len(s.args) == 1 {
			return s
		}
	}
	return nil
}

// An operator stands between two values.
type operator uint8

const (
	or operator = iota
	and
	equal
	unequal
	less
	atMost
	greater
	atLeast
	add
	subtract
	multiply
	divide
	modulo
)

type binary struct {
	tokenRange
	op                  operator
	left, right         expression
	leftText, rightText string // what null is, if it is added to text
	offset              int
}

type not struct{ operand expression }

type parenthesis struct {
	tokenRange
	inner expression
}

// A constant is a number or a truth value.
type constant struct{ v any }

var truths = map[bool]*constant{true: {true}, false: {false}}

// A bareword is a word where a value is wanted: null.
type bareword struct{}

// A literal is a string. One in double quotes with references or directives has nodes.
type literal struct {
	text   string // if it has no nodes
	v      any    // the text again, as a value
	nodes  []node
	padded bool // the last character that the nodes print does not belong to it
}

type list struct{ items []expression }

type mapping struct{ keys, values []expression }

// A span is a range of integers, up or down, with both ends.
type span struct {
	tokenRange
	offset   int
	from, to expression
}

// The variables that there are from the start, and those of loops, have fixed slots.
const (
	slotInput = iota
	slotUtil
	slotContext
	slotStageVariables
	slotForeach
	slotCount
	slotHasNext
)

// Variables have numbers, so that a rendering can look them up fast. All strings of a
// template share them.
type variables struct {
	names    []string
	slots    map[string]int // by name; nil as long as there are few names
	paths    int            // how many calls take a path of JSON
	prepared int            // bytes of work that have gone into paths and regular expressions
}

func newVariables() *variables {
	names := make([]string, 0, fewNames)
	return &variables{names: append(names, "input", "util", "context", "stageVariables", "foreach",
		"velocityCount", "velocityHasNext")}
}

// fewNames is how many names are looked through for one.
const fewNames = 16

func (v *variables) slot(name string) int {
	i, ok := v.slots[name]
	if v.slots == nil {
		i = slices.Index(v.names, name)
		ok = i >= 0
	}
	if ok {
		return i
	}
	i = len(v.names)
	v.names = append(v.names, name)
	switch {
	case v.slots != nil:
		v.slots[name] = i
	case len(v.names) > fewNames:
		v.slots = map[string]int{}
		for i, name := range v.names {
			v.slots[name] = i
		}
	}
	return i
}

// emptyText is the value of what has none.
var emptyText any = ""

// isInt32 reports whether n is an Integer of Java, not a Long.
func isInt32(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }

// The types of values are those of package lenient and these.
type (
	// A character is what charAt returns.
	character string
	// An array is what split returns: a list of fixed length.
	array struct{ items []any }
	// A view is the keys, the values or the entries of a map, as it is at the time.
	view struct {
		of   *lenient.Map
		kind viewKind
	}
	// An entry is a member of a map.
	entry struct {
		of  *lenient.Map
		key string
	}
	// An iterator is what iterator() returns.
	iterator struct {
		items []any
		next  int
	}
	inputObject   struct{}
	utilObject    struct{}
	contextObject struct{}
	stageObject   struct{}
)

type viewKind uint8

const (
	keysView viewKind = iota
	valuesView
	entriesView
)
