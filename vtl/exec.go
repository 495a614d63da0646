package vtl

import (
	"context"
	"errors"
	"fmt"

	"penstock/internal/lenient"
)

// errStop and errBreak end what is rendered; they are no errors to anybody else.
var (
	errStop  = errors.New("#stop")
	errBreak = errors.New("#break")
)

// cancelInterval is after how many steps a run looks whether it should end.
const cancelInterval = 256

// A run is one rendering. Runs are used again, so that most renderings allocate little.
type run struct {
	ctx     context.Context
	source  string
	vars    []any // by slot; nil is no value
	stack   []any // arguments of calls that are not complete
	out     []byte
	base    int // where the output begins in out
	limits  Limits
	smaller int // of the limits of the output and of strings
	steps   int // left
	work    int // bytes left
	depth   int
	nested  int   // strings that are rendered now
	strict  bool  // whether only JSON is JSON
	onePath bool  // no more than one call of the template takes a path of JSON
	odd     bool  // whether there may be values that only the run can print, or odd keys
	loops   *loop // the innermost
	hiders  []*hider
	leave   *loop // where #break goes; nil for the innermost
	active  []*block

	input   input
	context contextVariable
	stage   stageVariables
}

// start prepares a run of a template.
func (r *run) start(ctx context.Context, t *Template, b []byte, d Data) {
	r.ctx, r.source = ctx, t.source
	r.limits = d.Limits.withDefaults()
	r.steps, r.work = r.limits.Steps, r.limits.Work
	r.smaller = min(r.limits.Output, r.limits.String)
	r.out, r.base = b, len(b)
	if n := len(t.names); cap(r.vars) < n {
		r.vars = make([]any, n)
	} else {
		r.vars = r.vars[:n]
	}
	r.vars[slotInput] = inputObject{}
	r.vars[slotUtil] = utilObject{}
	r.vars[slotContext] = contextObject{}
	r.vars[slotStageVariables] = stageObject{}
	r.strict, r.onePath = d.StrictJSON, t.paths <= 1
	r.input.body, r.input.params = d.Body, d.Params
	r.context.values, r.context.before = d.Context, d.Overrides
	r.stage.values = d.StageVariables
}

// reset forgets everything that a run knows, but keeps what it has allocated.
func (r *run) reset() {
	clear(r.vars)
	clear(r.stack[:cap(r.stack)])
	clear(r.active[:cap(r.active)])
	*r = run{vars: r.vars[:0], stack: r.stack[:0], active: r.active[:0]}
}

// fail returns an error at an offset in the template.
func (r *run) fail(offset int, cause error, format string, args ...any) error {
	line, column := position(r.source, offset)
	return &Error{Kind: ExecError, Line: line, Column: column, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// at gives an error a position, unless it has one or is none.
func (r *run) at(offset int, err error) error {
	if err == nil || err == errStop || err == errBreak {
		return err
	}
	if _, ok := err.(*Error); ok {
		return err
	}
	return r.fail(offset, err, "%s", err)
}

// step counts a step.
func (r *run) step(offset int) error {
	r.steps--
	if r.steps < 0 || r.steps%cancelInterval == 0 {
		return r.pause(offset)
	}
	return nil
}

// pause looks whether the run may go on.
func (r *run) pause(offset int) error {
	if err := r.ctx.Err(); err != nil {
		return r.fail(offset, err, "the template was interrupted: %v", err)
	}
	if r.steps < 0 {
		return r.fail(offset, nil, "the template takes more than %d steps", r.limits.Steps)
	}
	return nil
}

// enter counts one more level; leave must follow.
func (r *run) enter(offset int) error {
	if r.depth++; r.depth > r.limits.Depth {
		return r.fail(offset, nil, "more than %d levels", r.limits.Depth)
	}
	return nil
}

// spend counts bytes that are made or read.
func (r *run) spend(n int) error {
	if r.work -= n; r.work < 0 || n < 0 {
		return fmt.Errorf("the template works on more than %d bytes", r.limits.Work)
	}
	return nil
}

// made returns s as a value, if it is no longer than strings may be.
func (r *run) made(s string) (any, error) {
	if len(s) > r.limits.String {
		return nil, fmt.Errorf("a string is longer than %d bytes", r.limits.String)
	}
	if s == "" {
		return emptyText, nil
	}
	return s, r.spend(len(s))
}

// nodes renders nodes one after the other.
func (r *run) nodes(nodes []node) error {
	for _, n := range nodes {
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

// write appends to the output.
func (r *run) write(s string) error {
	r.out = append(r.out, s...)
	if len(r.out)-r.base > r.smaller {
		return r.check(0)
	}
	return nil
}

// check reports an error if the output is too long.
func (r *run) check(offset int) error {
	limit, name := r.limits.Output, "the output"
	if r.nested > 0 {
		limit, name = r.limits.String, "a string"
	}
	if len(r.out)-r.base > limit {
		return r.fail(offset, nil, "%s is longer than %d bytes", name, limit)
	}
	return nil
}

// capture returns what nodes render, as a string.
func (r *run) capture(nodes []node) (string, error) {
	return r.captured(func() error { return r.nodes(nodes) })
}

// captured returns what is rendered while do runs.
func (r *run) captured(do func() error) (string, error) {
	base := r.base
	r.base = len(r.out)
	r.nested++
	err := do()
	s := string(r.out[r.base:])
	r.out = r.out[:r.base]
	r.nested--
	r.base = base
	if err == nil {
		err = r.spend(len(s))
	}
	return s, err
}

func (n *text) render(r *run) error {
	return r.write(n.text)
}

func (n *output) render(r *run) error {
	if s := n.json; s != nil && r.vars[slotInput] == any(inputObject{}) {
		// It goes to the output without being a string before.
		r.out = append(r.out, n.prefix...)
		return n.inputJSON(r, s)
	}
	v, err := n.ref.value(r)
	if err != nil {
		return err
	}
	if b, ok := v.(*block); ok {
		return n.showBlock(r, b)
	}
	r.out = append(r.out, n.prefix...)
	if s, ok := v.(string); ok {
		r.out = append(r.out, s...)
	} else if r.out, err = r.appendText(r.out, v); err != nil {
		return r.at(n.ref.offset, err)
	}
	if len(r.out)-r.base > r.smaller {
		return r.check(n.ref.offset)
	}
	return nil
}

// inputJSON appends $input.json(...).
func (n *output) inputJSON(r *run, s *step) error {
	if err := r.step(n.ref.offset); err != nil {
		return err
	}
	path, err := s.args[0].value(r)
	if err != nil {
		return err
	}
	if r.out, err = r.appendInput(r.out, s, path); err != nil {
		return r.at(s.offset, err)
	}
	return r.check(n.ref.offset)
}

func (n *escaped) render(r *run) error {
	if _, err := n.ref.value(r); err != nil {
		return err
	}
	return r.write(n.text)
}

// maxRecursion is how often a block of #define is rendered inside of itself.
const maxRecursion = 2

// showBlock renders a block, without what is before its reference. Inside of itself it is its
// own name in the end.
func (n *output) showBlock(r *run, b *block) error {
	shown, err := b.show(r, n.ref.offset)
	if err != nil || shown {
		return err
	}
	return r.write(n.ref.slashes + n.prefix + n.ref.null)
}

// show renders the block with the variables as they are now, and reports whether it does:
// inside of itself it does not go on without end.
func (n *block) show(r *run, offset int) (shown bool, err error) {
	if err := r.enter(offset); err != nil {
		return false, err
	}
	within := 0
	for _, b := range r.active {
		if b == n {
			within++
		}
	}
	if within < maxRecursion {
		r.active = append(r.active, n)
		err = r.nodes(n.body)
		r.active = r.active[:len(r.active)-1]
		shown = true
	}
	r.depth--
	if err == errBreak {
		err = nil
	}
	return shown, err
}

func (n *assignment) render(r *run) error {
	if err := r.step(n.target.offset); err != nil {
		return err
	}
	v, err := n.value.value(r)
	if err != nil || v == nil {
		return err
	}
	return n.target.set(r, v)
}

// set gives the reference a value. What cannot have one is left as it is, and so is a
// variable in braces or with a bang.
func (n *reference) set(r *run, v any) error {
	if len(n.steps) == 0 {
		if n.settable {
			r.vars[n.slot] = v
		}
		return nil
	}
	of := r.variable(n.slot)
	last := len(n.steps) - 1
	for i := range n.steps[:last] {
		if of == nil {
			return nil
		}
		var err error
		if of, err = n.steps[i].follow(r, of); err != nil {
			return err
		}
	}
	s := &n.steps[last]
	var at any
	if s.kind == index && of != nil {
		var err error
		if at, err = s.args[0].value(r); err != nil {
			return err
		}
		if at, err = r.fromEnd(s.offset, of, at); err != nil {
			return err
		}
	}
	switch object := of.(type) {
	case contextObject:
		of = r.context.all()
	case stageObject:
		of = r.stage.all()
	case *loop:
		of = object.storage()
	}
	switch of := of.(type) {
	case *lenient.Map:
		if s.kind != index {
			return r.at(s.offset, r.put(of, s.name, v))
		}
		name, err := r.key(at)
		if err == nil {
			err = r.put(of, name, v)
		}
		return r.at(s.offset, err)
	case *lenient.List:
		if s.kind == index {
			return n.setItem(r, of.Items, s, at, v)
		}
	case *array:
		if s.kind == index {
			return n.setItem(r, of.items, s, at, v)
		}
	}
	return nil
}

func (n *reference) setItem(r *run, items []any, s *step, at, v any) error {
	i, ok := at.(int64)
	if !ok {
		return nil
	}
	if i < 0 || i >= int64(len(items)) {
		return r.fail(s.offset, nil, "index %d of a list of %d", i, len(items))
	}
	items[i] = v
	return nil
}

func (n *condition) render(r *run) error {
	for i := range n.branches {
		b := &n.branches[i]
		ok, err := r.truth(b.test)
		if err != nil {
			return err
		}
		if ok {
			return r.nodes(b.body)
		}
	}
	return r.nodes(n.otherwise)
}

func (n *definition) render(r *run) error {
	r.odd = true
	r.vars[n.slot] = n.block
	return nil
}

func (n *command) render(r *run) error {
	if err := r.step(n.offset); err != nil {
		return err
	}
	switch n.name {
	case "stop":
		if len(n.args) > 0 {
			if _, err := n.args[0].value(r); err != nil {
				return err
			}
		}
		return errStop
	case "break":
		if len(n.args) == 0 {
			return errBreak
		}
		v, err := n.args[0].value(r)
		if err != nil {
			return err
		}
		l, ok := v.(*loop)
		if !ok {
			return r.fail(n.offset, nil, "#break takes $foreach, or nothing")
		}
		at := r.loops
		for at != nil && at != l {
			at = at.parent
		}
		if at == nil {
			return r.fail(n.offset, nil, "#break out of a loop that has ended")
		}
		r.leave = l
		return errBreak
	}
	if n.name == "include" && len(n.args) == 0 {
		return nil
	}
	if len(n.args) > 0 {
		v, err := n.args[0].value(r)
		if err != nil || v == nil && n.name == "parse" {
			return err
		}
	}
	return r.fail(n.offset, nil, "#%s: there are no other templates", n.name)
}
