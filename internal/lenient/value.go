// Package lenient has JSON as mapping templates know it: values that keep the order of
// their members and the size of their numbers, a parser that takes more than JSON, and the
// two ways in which values become text.
//
//	v, err := lenient.Parse([]byte(`{b: 'x', "a": [1.50, 1e3], }`), lenient.Limits{})
//	lenient.AppendJSON(nil, v) // {"b":"x","a":[1.5,1000.0]}
//	lenient.AppendText(nil, v) // {b=x, a=[1.5,1000.0]}
//
// A value is nil (null), bool, string, int64, *big.Int (what int64 has no room for),
// float64, Decimal (a number of more digits than float64 keeps), *List or *Map. Lists and
// maps are live: who changes one changes it for everybody who holds it. One of them may
// therefore contain itself, and what walks through values is limited.
package lenient

import (
	"iter"
	"slices"
)

// A Decimal is a number in decimal digits, as Java's BigDecimal prints it: a fraction that
// was written with more than 18 characters, or an integer of more than 1000 digits.
type Decimal string

// A List is a list. Those that come out of JSON text become compact JSON when they are
// written; those that templates make become [a, b].
type List struct {
	Items []any
	JSON  bool
}

// NewList returns the list of items that JSON text or a path into one gives.
func NewList(items ...any) *List { return &List{Items: items, JSON: true} }

// Clone returns a list of its own with the same items.
func (l *List) Clone() *List {
	return &List{Items: slices.Clone(l.Items), JSON: l.JSON}
}

// indexed is the number of members from which a map has an index; looking through fewer
// takes less time than asking one.
const indexed = 12

// A Map is an object: members by name, in the order in which they were first put. The zero
// Map is empty and ready to use.
type Map struct {
	members []member       // in order, with those that were deleted
	deleted int            // how many of members are no more
	index   map[string]int // from name to place; nil while there are few members
}

type member struct {
	name  string
	value any
}

// A tombstone is the value of a member that was deleted.
type tombstone struct{}

func (e *member) gone() bool { return e.value == tombstone{} }

// place returns where in members a name is, -1 without one.
func (m *Map) place(name string) int {
	if m.index != nil {
		if i, ok := m.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range m.members {
		if e := &m.members[i]; e.name == name && (m.deleted == 0 || !e.gone()) {
			return i
		}
	}
	return -1
}

// Get returns the member with a name, and whether there is one. A nil Map has none.
func (m *Map) Get(name string) (any, bool) {
	if m == nil {
		return nil, false
	}
	if i := m.place(name); i >= 0 {
		return m.members[i].value, true
	}
	return nil, false
}

// Put sets a member. One that is there keeps its place.
func (m *Map) Put(name string, value any) {
	if i := m.place(name); i >= 0 {
		m.members[i].value = value
		return
	}
	if m.members == nil {
		m.members = make([]member, 0, 4)
	}
	m.members = append(m.members, member{name: name, value: value})
	switch {
	case m.index != nil:
		m.index[name] = len(m.members) - 1
	case len(m.members) >= indexed:
		m.compact()
	}
}

// Delete takes a member away and returns it, and whether there was one. Put again, it is
// the last one.
func (m *Map) Delete(name string) (any, bool) {
	i := m.place(name)
	if i < 0 {
		return nil, false
	}
	value := m.members[i].value
	m.members[i] = member{value: tombstone{}}
	delete(m.index, name)
	if m.deleted++; m.deleted > len(m.members)/2 {
		m.compact()
	}
	return value, true
}

// compact forgets the members that were deleted, and makes the index.
func (m *Map) compact() {
	m.members = slices.DeleteFunc(m.members, func(e member) bool { return e.gone() })
	m.deleted, m.index = 0, nil
	if len(m.members) < indexed {
		return
	}
	m.index = indexOf(m.members)
}

func indexOf(members []member) map[string]int {
	index := make(map[string]int, 2*len(members))
	for i := range members {
		index[members[i].name] = i
	}
	return index
}

// Clear takes all members away.
func (m *Map) Clear() { *m = Map{} }

// Len returns the number of members.
func (m *Map) Len() int { return len(m.members) - m.deleted }

// Keys returns the names of the members in order, in a slice of its own.
func (m *Map) Keys() []string {
	names := make([]string, 0, m.Len())
	for i := range m.members {
		if e := &m.members[i]; !e.gone() {
			names = append(names, e.name)
		}
	}
	return names
}

// All returns the members in order. Members may be put and deleted meanwhile: those that
// are put are not among them, and those deleted may be.
func (m *Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if m == nil {
			return
		}
		// Deleting may move members, so that what is behind the end is as gone as what
		// says so.
		for i, n := 0, len(m.members); i < min(n, len(m.members)); i++ {
			if e := m.members[i]; !e.gone() && !yield(e.name, e.value) {
				return
			}
		}
	}
}

// Clone returns a map of its own with the same members.
func (m *Map) Clone() *Map {
	c := &Map{members: make([]member, 0, m.Len())}
	for i := range m.members {
		if e := m.members[i]; !e.gone() {
			c.members = append(c.members, e)
		}
	}
	c.compact()
	return c
}
