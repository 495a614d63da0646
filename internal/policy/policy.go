// Package policy evaluates IAM policy documents. A document is parsed once and
// evaluated for every request of the caller whose policy it is:
//
//	d, err := policy.Parse(text, []string{"aws:SourceIp", "aws:ResourceTag/"})
//	decision := d.Evaluate(policy.Request{
//		Action:   "apigateway:GET",
//		Resource: "arn:aws:apigateway:us-east-1::/apis/abc",
//		Values:   values,
//	})
//
// What a document says in a way that is not understood is an error of Parse and
// never ignored: a Deny that silently never applies would let through what it
// forbids. For the same reason Parse is told which condition keys there are
// values for, and refuses a document that looks at another one.
//
// Evaluation fails closed. Three things leave open whether a statement is about a
// request: a policy variable that has no value, a value of the request that its
// operator cannot read (a tag compared with a number, say), and several values
// under an operator for one. A statement that stays open allows nothing if it is
// an Allow and denies if it is a Deny. If something else in the statement says
// for certain that it is about other requests, it does nothing.
package policy

import (
	"maps"
	"slices"
	"strings"
)

// A Decision is what a document says about a request. Decisions are ordered: of
// several documents of one caller, the greatest decision counts.
type Decision uint8

const (
	// NotAllowed: no statement allows the request. It is the zero Decision.
	NotAllowed Decision = iota
	// Allowed: a statement allows the request and none denies it.
	Allowed
	// Denied: a statement denies the request, whatever else allows it.
	Denied
)

func (d Decision) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case Denied:
		return "explicitly denied"
	default:
		return "not allowed"
	}
}

// A Request is what a caller wants to do.
type Request struct {
	Action   string // apigateway:GET; case does not matter
	Resource string // the ARN of what it is about
	// Values returns the values of a condition key, none if the request has none.
	// Names of keys are in lower case; what follows the slash of a key like
	// aws:ResourceTag/Owner is as the document has it: aws:resourcetag/Owner. It may
	// be called several times for one key, and is called only for keys that decide.
	// A nil Values has no values.
	Values func(key string) []string
}

// A Document is a policy document. It never changes and may be shared. The zero
// Document allows nothing.
type Document struct {
	statements []statement
	keys       []string // as Request.Values gets them, sorted
}

// Evaluate returns what the document says about r. An explicit Deny counts more
// than any Allow, an Allow more than nothing.
//
// A pattern takes time proportional to the text it is compared with, however many
// wildcards it has; at worst, with a ? between two *, to the product of both.
func (d *Document) Evaluate(r Request) Decision {
	if r.Values == nil {
		r.Values = func(string) []string { return nil }
	}
	action := strings.ToLower(r.Action)
	decision := NotAllowed
	for i := range d.statements {
		s := &d.statements[i]
		switch {
		case s.deny && s.about(action, r) != no:
			return Denied
		case !s.deny && decision == NotAllowed && s.about(action, r) == yes:
			decision = Allowed
		}
	}
	return decision
}

// Keys returns the condition keys that the document looks at, in conditions and
// in policy variables, sorted, as Request.Values gets them.
func (d *Document) Keys() []string {
	return slices.Clone(d.keys)
}

// Uses reports whether the document looks at a condition key, or with a slash at
// the end (aws:RequestTag/) at any key that begins so. Case does not matter.
func (d *Document) Uses(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(d.keys, func(k string) bool {
		return strings.ToLower(k) == key || strings.HasSuffix(key, "/") && strings.HasPrefix(k, key)
	})
}

// A truth is the answer to a question that may stay open. The order makes min the
// conjunction and max the disjunction.
type truth int8

const (
	no truth = iota
	open
	yes
)

// not keeps open what is open.
func not(t truth) truth {
	return yes - t
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A statement allows or denies the requests it is about.
type statement struct {
	deny        bool
	notAction   bool // about all actions but these
	actions     []pattern
	notResource bool // about all resources but these
	resources   []pattern
	conditions  []condition
}

// about reports whether the statement is about a request. The action is in lower
// case.
func (s *statement) about(action string, r Request) truth {
	t := matchAny(s.actions, action, r.Values)
	if s.notAction {
		t = not(t)
	}
	if t == no {
		return no
	}
	t = matchAny(s.resources, r.Resource, r.Values)
	if s.notResource {
		t = not(t)
	}
	for i := 0; i < len(s.conditions) && t != no; i++ {
		t = min(t, s.conditions[i].holds(r.Values))
	}
	return t
}

// matchAny reports whether one of the patterns matches. If the variable of any of
// them has no value the answer is open, even if another one matches: what the
// author wanted to list is not known.
func matchAny(patterns []pattern, s string, values func(string) []string) truth {
	t := no
	for i := range patterns {
		switch patterns[i].match(s, values) {
		case open:
			return open
		case yes:
			t = yes
		}
	}
	return t
}

// An Error says what is wrong with a policy document, and where.
type Error struct {
	Place  string // Statement[1].Condition.StringLike; empty for the document as a whole
	Reason string
}

func (e *Error) Error() string {
	if e.Place == "" {
		return e.Reason
	}
	return e.Place + ": " + e.Reason
}

// Parse reads a policy document, which is JSON text of at most [MaxLength] bytes.
// Keys are the condition keys that requests have values for, like aws:SourceIp; an
// entry with a slash at the end, like aws:ResourceTag/, stands for all keys that
// begin so. The case of keys does not matter. The error is an *[Error].
func Parse(text string, keys []string) (*Document, error) {
	root, err := read(text)
	if err != nil {
		return nil, err
	}
	p := &parser{keys: keys, used: map[string]bool{}}
	statements, err := p.document(root)
	if err != nil {
		return nil, err
	}
	return &Document{statements: statements, keys: slices.Sorted(maps.Keys(p.used))}, nil
}
