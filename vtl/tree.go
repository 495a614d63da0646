package vtl

import (
	"math"
	"strings"

	"penstock/internal/jsonpath"
	"penstock/internal/lenient"
)

// A node is a part of a template that becomes output.
type node interface {
	render(r *run) error
	print(b []byte) []byte
}

// An expression is a part of a template that has a value.
type expression interface {
	// value returns nil for null, and text for what has no value.
	value(r *run) (any, error)
	print(b []byte) []byte
}

// text is what is printed as it is, and what is not printed: comments and the
// backslashes of escapes.
type text struct {
	text string
	raw  string // as written
}

func newText(shown, raw string) *text { return &text{text: shown, raw: raw} }

// An output is a reference outside of directives, after backslashes.
type output struct {
	prefix string // as written
	text   string // as printed
	ref    *reference
	json   *step // if it is $input.json(...) and nothing more
}

func newOutput(prefix, text string, ref *reference) *output {
	return &output{prefix: prefix, text: text, ref: ref, json: ref.json()}
}

// An assignment is #set. Blanks before it, and the rest of its line if that is blank,
// are not printed.
type assignment struct {
	lead, head string // as written
	target     *reference
	value      expression
	tail       string
}

// An ending is #end with the rest of its line.
type ending struct {
	word, tail string
}

// A branch is #if or #elseif with its block.
type branch struct {
	word, gap string
	test      expression
	tail      string
	body      []node
}

// A condition is #if.
type condition struct {
	branches  []branch
	otherwise struct {
		word, tail string // word is empty if there is no #else
		body       []node
	}
	end ending
}

// A foreach is #foreach.
type foreach struct {
	offset int
	head   string
	args   []expression
	slot   int
	list   expression // nil if the arguments make no loop
	tail   string
	body   []node
	end    ending
}

// A definition is #define.
type definition struct {
	head string
	arg  expression
	slot int
	sets bool
	tail string
	*block
	end ending
}

// A block is the value of what #define defines: it is rendered when it is printed.
type block struct {
	name string
	body []node
}

// A command is #break, #stop, #include or #parse.
type command struct {
	offset int
	name   string
	args   []expression
	raw    string
}

// A reference is a variable and what is asked of it: $a.b[0].c("x").
type reference struct {
	offset        int
	quiet, braced bool
	name          string
	slot          int
	steps         []step
	plain         bool // all steps are properties
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
	op          operator
	left, right expression
	offset      int
}

type not struct{ operand expression }

type parenthesis struct{ inner expression }

// A constant is a number or a truth value.
type constant struct {
	text string
	v    any
}

var truths = map[bool]*constant{
	true:  {text: "true", v: true},
	false: {text: "false", v: false},
}

// A bareword is a word where a value is wanted: null.
type bareword struct{ text string }

// A literal is a string. One in double quotes with references or directives has nodes.
type literal struct {
	single bool
	text   string // if it has no nodes
	nodes  []node
	v      any // the text again, as a value
}

func (n *literal) finish() {
	if n.nodes == nil {
		n.v = n.text
	} else {
		n.text = ""
	}
}

type list struct{ items []expression }

type mapping struct{ keys, values []expression }

// A span is a range of integers, up or down, with both ends.
type span struct {
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
	slots    map[string]int
	names    []string
	prepared int // bytes of work that have gone into paths and regular expressions
}

func newVariables() *variables {
	v := &variables{slots: map[string]int{}}
	for _, name := range []string{"input", "util", "context", "stageVariables", "foreach",
		"velocityCount", "velocityHasNext"} {
		v.slot(name)
	}
	return v
}

func (v *variables) slot(name string) int {
	i, ok := v.slots[name]
	if !ok {
		i = len(v.names)
		v.slots[name] = i
		v.names = append(v.names, name)
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
