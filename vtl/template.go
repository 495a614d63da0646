// Package vtl is the mapping template language of API Gateway: the Velocity Template
// Language of Apache Velocity 1.7 as the service has it, with $input, $util, $context
// and $stageVariables.
//
// A template is parsed once and rendered as often as needed, by any number of
// goroutines at the same time:
//
//	t, err := vtl.Parse(`{"id": $input.json('$.id'), "stage": "$context.stage"}`)
//	result, err := t.Render(ctx, vtl.Data{
//		Body:    []byte(`{"id": 7}`),
//		Context: vtl.Values{{Name: "stage", Value: "live"}},
//	})
//	os.Stdout.Write(result.Text) // {"id": 7, "stage": "live"}
//
// What has no value is empty text, in the output and in expressions, never an error
// and never its own name. Templates come from strangers: there is no input or output,
// no clock and no reflection, and [Limits] bounds what one rendering may use.
package vtl

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxLength is the greatest length of a template in bytes.
const MaxLength = 300 * 1024

// A Kind says when an error happens.
type Kind uint8

const (
	// ParseError: the text is no template. Nothing of it is rendered.
	ParseError Kind = iota + 1
	// ExecError: the template stopped while it was rendered.
	ExecError
)

// String returns "parse" or "exec".
func (k Kind) String() string {
	if k == ParseError {
		return "parse"
	}
	return "exec"
}

// An Error says what is wrong with a template, or what went wrong with it, and where.
type Error struct {
	Kind    Kind
	Line    int // from 1
	Column  int // from 1, in characters
	Message string
	Cause   error // what made it fail, like the end of the context; nil otherwise
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// A Template is a parsed template. It never changes and may be shared.
type Template struct {
	source string // for positions
	nodes  []node
	names  []string // of the variables, by slot
	paths  int      // how many calls take a path of JSON
	runs   sync.Pool
}

// Parse parses a template. The error is an *[Error] of kind [ParseError]; an error
// anywhere makes the whole text no template.
func Parse(text string) (*Template, error) {
	p := &parser{scanner: scanner{src: text}, vars: newVariables(), root: text}
	nodes, err := p.template()
	if err != nil {
		return nil, err
	}
	t := &Template{source: text, nodes: nodes, names: p.vars.names, paths: p.vars.paths}
	t.runs.New = func() any { return new(run) }
	return t, nil
}

// String returns the text that was parsed. No other is sure to be the same template: blanks
// and lone dollars, in directives too, decide how the text after them is read.
func (t *Template) String() string { return t.source }

// position returns the line and the column of an offset in a text.
func position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// A Param is a name and a value of a request.
type Param struct {
	Name, Value string
}

// Params are what $input.params() has. Of a name that is there twice, the last counts.
type Params struct {
	Path, Querystring, Header []Param
}

// Values are names and values in order: $context, and the objects in it.
type Values []Value

// A Value is nil, a bool, a string, an int, an int64, a float64, a list ([]any) of such or
// [Values], with a name. A *string or *int64 is what it points to: what templates rarely
// ask for need not be copied. Anything else is its text, as package fmt has it.
type Value struct {
	Name  string
	Value any
}

// Data is what a template sees.
type Data struct {
	// Body is what $input reads: the request in a request template, the response of
	// the backend in a response template. It is parsed only if the template asks.
	Body []byte
	// Params is what $input.params() reads.
	Params Params
	// Context is $context without the overrides.
	Context Values
	// StageVariables is $stageVariables.
	StageVariables map[string]string
	// Overrides is what an earlier template of the same exchange left behind, from its
	// Result; the zero Overrides are empty.
	Overrides Overrides
	// StrictJSON takes a body, and text for $util.parseJson, only if it is JSON. The service
	// takes much more: quotes may be missing, commas too many, and what is no JSON at all is
	// a string.
	StrictJSON bool
	// Limits bounds the rendering; zero fields have their defaults.
	Limits Limits
}

// Limits bounds what one rendering may use. Beyond any of them it ends with an error.
type Limits struct {
	Steps  int // nodes of the template that are visited; default 200,000
	Depth  int // directives, values and calls within each other; default 100
	Output int // bytes of output; default 10 MB
	String int // bytes of one string; default 10 MB
	Range  int // elements of one [a..b]; default 1,000,000
	// Work is the number of bytes that strings and lists together may take, and that
	// methods read to look for something, whether they are still in use or not; default
	// 128 MB. It keeps few steps over long strings from taking long.
	Work int
}

// maxIterations is how often #foreach runs at most; it stops without an error. See the
// developer guide, limits.
const maxIterations = 1000

// withDefaults returns l with its zero fields set.
func (l Limits) withDefaults() Limits {
	set := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	set(&l.Steps, 200_000)
	set(&l.Depth, 100)
	set(&l.Output, 10<<20)
	set(&l.String, 10<<20)
	set(&l.Range, 1_000_000)
	set(&l.Work, 128<<20)
	return l
}

// A Result is what a rendering has given.
type Result struct {
	// Text is the output.
	Text []byte
	// Overrides are the requestOverride and responseOverride of $context as the template
	// has left them, and as a later template of the exchange should find them.
	Overrides Overrides
}

// Render runs the template. The error is an *[Error] of kind [ExecError]; the deadline
// and the end of ctx are such errors too, and the cause of them.
func (t *Template) Render(ctx context.Context, d Data) (Result, error) {
	return t.Append(ctx, nil, d)
}

// Append is Render with the output appended to b; the Text of the result begins with b.
// After an error, what b has room for may be overwritten.
func (t *Template) Append(ctx context.Context, b []byte, d Data) (Result, error) {
	r := t.runs.Get().(*run)
	r.start(ctx, t, b, d)
	err := r.nodes(t.nodes)
	if err == errStop || err == errBreak {
		err = nil
	}
	var result Result
	if err == nil {
		result.Text = r.out
		result.Overrides = r.context.overrides()
	}
	r.reset()
	t.runs.Put(r)
	return result, err
}
