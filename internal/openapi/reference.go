package openapi

import (
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// maxReference bounds references, in bytes: they are followed once for each time
// they are repeated.
const maxReference = 2 << 10

// maxReferences is how many references may lead to each other.
const maxReferences = 32

// maxSpent bounds the values that references repeat, and the steps they have.
const maxSpent = 2 * maxNodes

var (
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
)

// find returns what a local reference points to, nil if there is nothing.
func (x *importer) find(ref string) *node {
	if ref != "#" && !strings.HasPrefix(ref, "#/") || len(ref) > maxReference {
		return nil
	}
	n := x.root
	for step := range steps(ref) {
		if n = n.step(step); n == nil || !x.spend(1) {
			return nil
		}
	}
	return absentNull(n)
}

// place returns the path of what a local reference points to.
func place(ref string) *path {
	var at *path
	for step := range steps(ref) {
		at = at.member(step)
		if strings.HasPrefix(step, "/") {
			at.form = quotedStep
		}
	}
	return at
}

// steps yields the steps of a local reference: a JSON pointer in a fragment. There
// are none in "#", which is the document.
func steps(ref string) iter.Seq[string] {
	return func(yield func(string) bool) {
		pointer, found := strings.CutPrefix(ref, "#/")
		if !found {
			return
		}
		for step := range strings.SplitSeq(pointer, "/") {
			if unescaped, err := url.PathUnescape(step); err == nil {
				step = unescaped
			}
			if !yield(unescapePointer.Replace(step)) {
				return
			}
		}
	}
}

// step returns what one step of a pointer leads to.
func (n *node) step(name string) *node {
	if n.kind != list {
		return n.get(name)
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}

// pointer returns the pointer to where a path leads.
func (p *path) pointer() string {
	if p == nil {
		return ""
	}
	return p.up.pointer() + "/" + escapePointer.Replace(p.step)
}

// isReference reports whether v is an object that stands for another one.
func (v value) isReference() bool {
	return v.present() && v.member("$ref").present()
}

// dereference follows the references that start at v to what is none. It reports
// why there is nothing at the end: that something is missing or not in the document
// is a warning, a circle is a problem.
func (x *importer) dereference(v value) (target value, ok bool) {
	n := v.node
	for range maxReferences {
		ref := x.string(value{n.get("$ref"), v.at.member("$ref")})
		if ref == nil {
			return value{}, false
		}
		if !strings.HasPrefix(*ref, "#") {
			x.external(v.at, *ref)
			return value{}, false
		}
		if n = x.find(*ref); n == nil {
			x.missing(v.at, *ref)
			return value{}, false
		}
		if !(value{node: n}).isReference() {
			return value{n, place(*ref)}, true
		}
	}
	x.problem(v, "the references do not end: after %d there is one more", maxReferences)
	return value{}, false
}

// resolved returns v, or what it leads to if it is a reference. It reports whether
// there is something, and enough of the budget to read it.
func (x *importer) resolved(v value) (value, bool) {
	if !v.isReference() {
		return v, true
	}
	target, ok := x.dereference(v)
	return target, ok && x.expand(target.node)
}

// expand takes what a reference has led to out of the budget, as it is read once
// more. It reports whether there was enough.
func (x *importer) expand(n *node) bool {
	size, ok := x.sizes[n]
	if !ok {
		size = n.size()
		x.sizes[n] = size
	}
	return x.spend(size)
}

// size returns the number of values in n.
func (n *node) size() int {
	size := 1
	for _, item := range n.items {
		size += item.size()
	}
	for i := range n.members {
		size += n.members[i].value.size()
	}
	return size
}

// spend takes work that references cause out of the budget of the document. That
// it is used up is a problem, reported once.
func (x *importer) spend(n int) bool {
	before := x.spent
	x.spent += n
	if before <= maxSpent && x.spent > maxSpent {
		x.problems.add("the references of the document repeat more than %d values", maxSpent)
	}
	return x.spent <= maxSpent
}

func (x *importer) missing(at *path, ref string) {
	x.warnings.add("Parse issue: attribute %s.%s is missing", at, shown(ref))
}

func (x *importer) external(at *path, ref string) {
	x.warn(at, "the reference %s leads out of the document, ignored", shown(ref))
}

// A meaning says what the names of an object's members are.
type meaning uint8

const (
	plain meaning = iota // those of OpenAPI
	named                // chosen by the document
)

// namedMembers are the members whose own members are chosen by the document.
var namedMembers = map[string]bool{
	"$defs": true, "callbacks": true, "content": true, "definitions": true, "dependentSchemas": true, "encoding": true, "headers": true, "links": true,
	"patternProperties": true, "properties": true, "responses": true, "schemas": true,
}

// anyValue are members that hold any value, in which $ref means nothing.
var anyValue = map[string]bool{"const": true, "default": true, "enum": true, "example": true, "examples": true}

// references warns about references within v that lead nowhere. They are not
// followed: what they describe is not checked.
func (x *importer) references(v value, m meaning) {
	if !v.present() {
		return
	}
	for i, n := range v.items {
		x.references(value{absentNull(n), v.at.item(i)}, plain)
	}
	v.each(func(name string, inner value) {
		switch {
		case m == plain && name == "$ref":
			x.reference(v.at, inner)
		case m == plain && (anyValue[name] || strings.HasPrefix(name, "x-")):
		case m == plain && namedMembers[name]:
			if name == "content" { // paths do not have the media type
				inner.each(func(_ string, media value) {
					media.at = inner.at
					x.references(media, plain)
				})
				return
			}
			x.references(inner, named)
		default:
			x.references(inner, plain)
		}
	})
}

// reference warns if what stands behind $ref is missing or not in the document.
func (x *importer) reference(at *path, v value) {
	switch {
	case v.kind != text:
	case !strings.HasPrefix(v.text, "#"):
		x.external(at, v.text)
	case x.find(v.text) == nil:
		x.missing(at, v.text)
	}
}
