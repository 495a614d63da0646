package openapi

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A value is a node and where it stands. The zero node is a value that is absent,
// which is what null is taken for too.
type value struct {
	*node
	at *path
}

// present reports whether there is a value.
func (v value) present() bool { return v.node != nil }

// member returns a member of an object.
func (v value) member(name string) value {
	return value{absentNull(v.get(name)), v.at.member(name)}
}

func absentNull(n *node) *node {
	if n != nil && n.kind == null {
		return nil
	}
	return n
}

// each calls f for the members of an object that are present.
func (v value) each(f func(name string, m value)) {
	if v.node == nil {
		return
	}
	for _, m := range v.members {
		if m.value.kind != null {
			f(m.name, value{m.value, v.at.member(m.name)})
		}
	}
}

// Limits of what is taken from a document. An alias can repeat what is long, so
// that time and memory are bounded only if what is copied is.
const (
	maxText  = 8 << 10 // bytes
	maxItems = 1000
)

// isObject reports whether v is an object; if it is something else, that is a
// problem.
func (x *importer) isObject(v value) bool { return x.is(v, object) }

// isList reports whether v is a list, as isObject does.
func (x *importer) isList(v value) bool { return x.is(v, list) }

func (x *importer) is(v value, want kind) bool {
	if !v.present() {
		return false
	}
	if v.kind != want {
		x.problem(v, "must be %s, not %s", want, v.kind)
		return false
	}
	return true
}

// string returns a string, and a number or boolean as it is written. It is nil if v
// is absent, or has a problem.
func (x *importer) string(v value) *string {
	switch {
	case !v.present():
		return nil
	case v.kind == object || v.kind == list:
		x.problem(v, "must be a string, not %s", v.kind)
		return nil
	case len(v.text) > maxText:
		x.problem(v, "must not be longer than %d bytes", maxText)
		return nil
	}
	return new(v.text)
}

// name returns a string as string does, nil if it is empty.
func (x *importer) name(v value) *string {
	if s := x.string(v); s != nil && *s != "" {
		return s
	}
	return nil
}

// version returns a payload format version. A number is one with a fraction, even
// where a program has written 2 for 2.0.
func (x *importer) version(v value) *string {
	s := x.name(v)
	if s != nil && v.kind == number && !strings.ContainsAny(*s, ".eE") {
		*s += ".0"
	}
	return s
}

// limited returns a string of at most most characters, as string does.
func (x *importer) limited(v value, most int) *string {
	s := x.string(v)
	if s != nil && utf8.RuneCountInString(*s) > most {
		x.problem(v, "must not be longer than %d characters", most)
		return nil
	}
	return s
}

// integer returns an integer, which may be in a string.
func (x *importer) integer(v value) *int {
	if !v.present() {
		return nil
	}
	if v.kind == number || v.kind == text {
		if i, err := strconv.ParseInt(v.text, 10, 32); err == nil {
			return new(int(i))
		}
	}
	x.problem(v, "must be an integer")
	return nil
}

// boolean returns a boolean, which may be in a string: CloudFormation writes them
// so.
func (x *importer) boolean(v value) *bool {
	if !v.present() {
		return nil
	}
	if v.kind == boolean || v.kind == text {
		switch {
		case strings.EqualFold(v.text, "true"):
			return new(true)
		case strings.EqualFold(v.text, "false"):
			return new(false)
		}
	}
	x.problem(v, "must be true or false")
	return nil
}

// strings returns a list of strings. One string is a list of one. It is nil if v
// is absent, or has a problem.
func (x *importer) strings(v value) []string {
	if v.present() && v.kind == text {
		if s := x.string(v); s != nil {
			return []string{*s}
		}
		return nil
	}
	if !x.isList(v) {
		return nil
	}
	if len(v.items) > maxItems {
		x.problem(v, "must not have more than %d entries", maxItems)
		return nil
	}
	texts := make([]string, 0, len(v.items))
	for i, item := range v.items {
		if s := x.string(value{absentNull(item), v.at.item(i)}); s != nil {
			texts = append(texts, *s)
		}
	}
	return texts
}

// entries returns the strings of an object by their names, nil if there are none.
func (x *importer) entries(v value) map[string]string {
	if !x.isObject(v) || len(v.members) == 0 {
		return nil
	}
	m := make(map[string]string, len(v.members))
	v.each(func(name string, entry value) {
		if s := x.string(entry); s != nil {
			m[name] = *s
		}
	})
	return m
}

// unknown informs about members of an object that are none of known and no
// extension.
func (x *importer) unknown(v value, known ...string) {
	v.each(func(name string, m value) {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "x-") {
			x.inform(m.at, "unknown member, ignored")
		}
	})
}
