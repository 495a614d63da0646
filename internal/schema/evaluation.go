package schema

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of one evaluation.
const (
	// maxSteps is how much work it may be. A step takes some ten nanoseconds, where
	// patterns are matched up to a hundred.
	maxSteps = 1_000_000
	// maxCalls is how deep rules may be applied in each other.
	maxCalls = 8 << 10
	// maxFaults is how much is said about one value.
	maxFaults = 10
	// maxPlace is how long a place is that is said, in bytes.
	maxPlace = 256
)

// An Invalid says why a value is not what a schema describes. It shows names of members
// and what the schema says, and no other part of the value.
type Invalid struct {
	Faults []Error // at least one
	// More says that there are more faults, which are not told.
	More bool
}

func (e *Invalid) Error() string {
	var b strings.Builder
	for i := range e.Faults {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.Faults[i].Error())
	}
	if e.More {
		b.WriteString("; and more")
	}
	return b.String()
}

// invalid returns an error about a whole value.
func invalid(reason string) error {
	return &Invalid{Faults: []Error{{Place: "#", Reason: reason}}}
}

// Validate reports whether data is the JSON text of a value that the schema describes.
// It is read strictly: what two readers may read differently is refused, such as a
// member that stands twice in an object. A value that takes too many steps to check is
// refused, too. The error is an *[Invalid].
func (s *Schema) Validate(data []byte) error {
	i := instances.Get().(*instance)
	defer i.release()
	return s.validate(i, data)
}

// validate is Validate with room that is reused.
func (s *Schema) validate(i *instance, data []byte) error {
	if err := i.read(data); err != nil {
		return invalid("cannot be read as JSON: " + err.Error())
	}
	e := evaluation{instance: i, steps: maxSteps}
	if e.valid(s.root, 0) {
		return nil
	}
	if e.steps >= 0 {
		e.tell, e.depth, e.steps = true, 0, maxSteps
		e.valid(s.root, 0)
	}
	if len(e.faults) == 0 {
		return invalid(word(e.steps < 0, "takes too many steps to check", "is not what the schema describes"))
	}
	return &Invalid{Faults: e.faults, More: e.more || e.steps < 0}
}

// An evaluation applies rules to a value. Once it is out of steps, nothing is valid,
// and the answer must not be used.
type evaluation struct {
	*instance
	steps, depth int
	// tell says that faults are gathered. Without it, the first fault ends the evaluation.
	tell   bool
	faults []Error
	more   bool
}

// spend takes steps. It reports false when there are none left.
func (e *evaluation) spend(n int) bool {
	e.steps -= n
	return e.steps >= 0
}

// fault notes what is wrong with a value, and reports whether to look for more.
func (e *evaluation) fault(n int, reason string) bool {
	if !e.tell || e.steps < 0 {
		return false
	}
	if len(e.faults) == maxFaults {
		e.more = true
		return false
	}
	e.faults = append(e.faults, Error{Place: e.place(n), Reason: reason})
	return true
}

// place returns a JSON pointer to a value, as far as it is not too long.
func (e *evaluation) place(n int) string {
	b := []byte("#")
	for at := 0; at != n; {
		child, index := at+1, 0
		for n >= int(e.values[child].next) {
			child, index = int(e.values[child].next), index+1
		}
		b = append(b, '/')
		if e.values[at].kind == kindObject {
			b = appendName(b, e.bytes(e.values[child].name))
		} else {
			b = strconv.AppendInt(b, int64(index), 10)
		}
		if len(b) > maxPlace {
			return string(b) + "/…"
		}
		at = child
	}
	return string(b)
}

// appendName appends a name as a JSON pointer has it. What would break a line of a log
// is escaped.
func appendName(b, name []byte) []byte {
	quoted := strconv.Quote(cut(string(name[:min(len(name), 2*maxQuoted)])))
	return append(b, pointer.Replace(quoted[1:len(quoted)-1])...)
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// valid reports whether a value is what rules ask for.
func (e *evaluation) valid(r *rules, n int) bool {
	for r.ref != nil && e.spend(1) {
		r = r.ref
	}
	if e.depth == maxCalls {
		e.steps = -1
	}
	if !e.spend(1) || e.more {
		return false
	}
	e.depth++
	ok := e.own(r, n)
	if (ok || e.tell) && r.combined() {
		ok = e.combined(r, n) && ok
	}
	e.depth--
	return ok && e.steps >= 0
}

// quietly is valid without gathering faults.
func (e *evaluation) quietly(r *rules, n int) bool {
	tell := e.tell
	e.tell = false
	ok := e.valid(r, n)
	e.tell = tell
	return ok
}

// own applies the rules about a value itself and what is in it.
func (e *evaluation) own(r *rules, n int) bool {
	v := &e.values[n]
	if r.types != 0 && !e.typed(r, v) {
		e.fault(n, r.reasons.types)
		return false // what else could be said is about values of another type
	}
	ok := true
	if r.enum != nil && !e.listed(r.enum, n) {
		if ok = false; !e.fault(n, r.enum.reason) {
			return false
		}
	}
	switch v.kind {
	case kindString:
		return e.text(r, n) && ok
	case kindNumber:
		return e.number(r, n) && ok
	case kindObject:
		return e.object(r, n) && ok
	case kindList:
		return e.list(r, n) && ok
	}
	return ok
}

func (e *evaluation) typed(r *rules, v *value) bool {
	if r.types&v.kind != 0 {
		return true
	}
	if v.kind != kindNumber || r.types&kindInteger == 0 {
		return false
	}
	d, ok := parseDecimal(e.bytes(v.text))
	return ok && d.integer()
}

// listed reports whether a value is one of a set.
func (e *evaluation) listed(s *enum, n int) bool {
	v := &e.values[n]
	if s.kinds&v.kind == 0 || !e.spendOn(n) {
		return false
	}
	e.canon = e.canonical(e.canon[:0], n)
	_, ok := s.values[string(e.canon)]
	return ok
}

// spendOn takes the steps for looking at a value with all that is in it.
func (e *evaluation) spendOn(n int) bool {
	v := &e.values[n]
	return e.spend(4*(int(v.next)-n) + int(v.text.end-v.text.start)/32)
}

// text applies the rules about strings.
func (e *evaluation) text(r *rules, n int) bool {
	text := e.bytes(e.values[n].text)
	ok := true
	if r.minLength != nil || r.maxLength != nil {
		if !e.spend(len(text) / 32) {
			return false
		}
		length := utf8.RuneCount(text)
		ok = e.within(n, length, r.minLength, r.maxLength)
	}
	if (ok || e.tell) && r.pattern != nil && !e.matches(r.pattern, text) {
		ok = false
		e.fault(n, r.reasons.pattern)
	}
	if (ok || e.tell) && r.format != nil && (!e.spend(10+len(text)/8) || !r.format(string(text))) {
		ok = false
		e.fault(n, r.reasons.format)
	}
	return ok
}

// within reports whether a count is between two bounds.
func (e *evaluation) within(n, count int, least, most *bound) bool {
	if least != nil && count < least.n {
		e.fault(n, least.reason)
		return false
	}
	if most != nil && count > most.n {
		e.fault(n, most.reason)
		return false
	}
	return true
}

// matches reports whether a pattern matches somewhere in a text. At worst, a match
// takes time for each instruction at each byte.
func (e *evaluation) matches(p *expression, text []byte) bool {
	return e.spend(4+(len(text)+1)*p.instructions/8) && p.Match(text)
}

// number applies the rules about numbers.
func (e *evaluation) number(r *rules, n int) bool {
	if r.minimum == nil && r.maximum == nil && r.multipleOf == nil {
		return true
	}
	d, ok := parseDecimal(e.bytes(e.values[n].text))
	if !ok || !e.spend(len(d.digits)/16) {
		return false
	}
	if m := r.minimum; m != nil {
		if c := d.compare(&m.decimal); c < 0 || c == 0 && r.exclusiveMinimum {
			ok = false
			e.fault(n, m.reason)
		}
	}
	if m := r.maximum; m != nil {
		if c := d.compare(&m.decimal); c > 0 || c == 0 && r.exclusiveMaximum {
			ok = false
			e.fault(n, m.reason)
		}
	}
	if m := r.multipleOf; m != nil && (!e.spend(20+len(d.digits)+len(m.digits)) || !d.multiple(&m.decimal)) {
		ok = false
		e.fault(n, m.reason)
	}
	return ok
}

// object applies the rules about objects.
func (e *evaluation) object(r *rules, n int) bool {
	v := &e.values[n]
	ok := e.within(n, int(v.size), r.minProperties, r.maxProperties)
	found := 0
	if r.members != nil || r.patterns != nil || r.additional != nil || r.closed {
		for c := n + 1; c < int(v.next) && (ok || e.tell); c = int(e.values[c].next) {
			name := e.bytes(e.values[c].name)
			if !e.spend(1 + len(name)/32) {
				return false
			}
			m := r.members[string(name)]
			if m.required {
				found++
			}
			ok = e.member(r, m, name, c) && ok
		}
	}
	if !ok && !e.tell {
		return false
	}
	if found < len(r.required) {
		ok = false
		for _, name := range r.required {
			if e.tell && !e.has(n, name) && !e.fault(n, "has no member "+strconv.Quote(cut(name))) {
				return false
			}
		}
	}
	for i := range r.dependencies {
		if !ok && !e.tell {
			return false
		}
		ok = e.depends(&r.dependencies[i], n) && ok
	}
	return ok
}

// member applies what an object's rules say of one member.
func (e *evaluation) member(r *rules, m member, name []byte, c int) bool {
	ok, known := true, m.rules != nil
	if known {
		ok = e.valid(m.rules, c)
	}
	for i := range r.patterns {
		if !ok && !e.tell {
			return false
		}
		if p := &r.patterns[i]; e.matches(p.name, name) {
			known = true
			ok = e.valid(p.rules, c) && ok
		}
	}
	switch {
	case known:
	case r.closed:
		ok = false
		e.fault(c, "is not one of the members that there may be")
	case r.additional != nil:
		ok = e.valid(r.additional, c)
	}
	return ok
}

// has reports whether an object has a member.
func (e *evaluation) has(n int, name string) bool {
	v := &e.values[n]
	if !e.spend(int(v.size)) {
		return false
	}
	for c := n + 1; c < int(v.next); c = int(e.values[c].next) {
		if string(e.bytes(e.values[c].name)) == name {
			return true
		}
	}
	return false
}

// depends applies a dependency to an object.
func (e *evaluation) depends(d *dependency, n int) bool {
	if !e.has(n, d.name) {
		return true
	}
	if d.rules != nil {
		return e.valid(d.rules, n)
	}
	ok := true
	for _, name := range d.needs {
		if !e.has(n, name) {
			if ok = false; !e.fault(n, "has no member "+strconv.Quote(cut(name))+", which "+strconv.Quote(cut(d.name))+" needs") {
				return false
			}
		}
	}
	return ok
}

// list applies the rules about lists.
func (e *evaluation) list(r *rules, n int) bool {
	v := &e.values[n]
	ok := e.within(n, int(v.size), r.minItems, r.maxItems)
	if r.unique && (ok || e.tell) && e.repeats(n) {
		ok = false
		e.fault(n, "has the same element twice")
	}
	if r.full && int(v.size) > len(r.tuple) && (ok || e.tell) {
		ok = false
		e.fault(n, "must not have more than "+strconv.Itoa(len(r.tuple))+" elements")
	}
	if r.items == nil && r.tuple == nil && r.more == nil {
		return ok
	}
	index := 0
	for c := n + 1; c < int(v.next) && (ok || e.tell); c = int(e.values[c].next) {
		item := r.more
		switch {
		case r.items != nil:
			item = r.items
		case index < len(r.tuple):
			item = r.tuple[index]
		}
		if item != nil {
			ok = e.valid(item, c) && ok
		}
		if index++; !e.spend(1) {
			return false
		}
	}
	return ok
}

// repeats reports whether a list has equal elements.
func (e *evaluation) repeats(n int) bool {
	v := &e.values[n]
	if v.size < 2 || !e.spendOn(n) {
		return v.size >= 2 // without steps the answer is not used
	}
	e.clearTable(int(v.size))
	e.canon, e.marks = e.canon[:0], append(e.marks[:0], 0)
	form := func(number int) []byte { return e.canon[e.marks[number-1]:e.marks[number]] }
	for c := n + 1; c < int(v.next); c = int(e.values[c].next) {
		e.canon = e.canonical(e.canon, c)
		e.marks = append(e.marks, len(e.canon))
		if number := len(e.marks) - 1; e.seen(form(number), number, form) {
			return true
		}
	}
	return false
}

// combined reports whether there are rules that apply other rules to the same value.
func (r *rules) combined() bool {
	return r.allOf != nil || r.anyOf != nil || r.oneOf != nil || r.not != nil
}

// combined applies rules that apply other rules to the same value.
func (e *evaluation) combined(r *rules, n int) bool {
	ok := true
	for _, other := range r.allOf {
		if ok = e.valid(other, n) && ok; !ok && !e.tell {
			return false
		}
	}
	if r.anyOf != nil && e.count(r.anyOf, n, 1) == 0 {
		if ok = false; !e.fault(n, "is none of what anyOf lists") {
			return false
		}
	}
	if r.oneOf != nil {
		if count := e.count(r.oneOf, n, 2); count != 1 {
			if ok = false; !e.fault(n, word(count == 0, "is none of what oneOf lists", "is more than one of what oneOf lists")) {
				return false
			}
		}
	}
	if r.not != nil && e.quietly(r.not, n) {
		ok = false
		e.fault(n, "is what not excludes")
	}
	return ok
}

// count returns how many of several rules a value has, up to a number.
func (e *evaluation) count(all []*rules, n, most int) int {
	count := 0
	for _, r := range all {
		if e.quietly(r, n) {
			if count++; count == most {
				break
			}
		}
		if e.steps < 0 {
			break
		}
	}
	return count
}
