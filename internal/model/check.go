package model

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Check reports the members of a resource that are outside the limits of the
// operation's input, as Decode does for a body. resource is a pointer to a structure
// that has members of the same names; members that are in the path are left alone.
// The error is a *[DecodeError].
func (op *Operation) Check(resource any) error {
	v := reflect.ValueOf(resource).Elem()
	d := decoder{}
	for _, p := range planFor(op, v.Type()) {
		d.member(&op.Input.Members[p.from], v.Field(p.to), "")
	}
	if len(d.problems) > 0 {
		return &DecodeError{Problems: d.problems}
	}
	return nil
}

// member checks a member that was decoded, or made, before.
func (d *decoder) member(m *Member, v reflect.Value, at string) {
	path := join(at, m.Name)
	switch {
	case !v.IsZero():
		d.made(m.Shape, v, path, m.Own)
	case m.Required && m.Own&OwnRequired == 0:
		d.problem(Problem{Path: path, Limit: LimitRequired})
	}
}

func (d *decoder) made(s *Shape, v reflect.Value, path string, own Checks) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case Structure:
		for i := range s.Members {
			d.member(&s.Members[i], v.Field(i), path)
		}
	case List:
		for i := range v.Len() {
			d.made(s.Element, v.Index(i), path+"["+strconv.Itoa(i)+"]", 0)
		}
	case Map:
		keys := make(map[string]reflect.Value, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			keys[entries.Key().String()] = entries.Value()
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			d.made(s.Element, keys[key], path+"["+strconv.Quote(key)+"]", 0)
		}
	case String:
		d.checkString(s, v.String(), path, own)
	case Integer:
		d.checkInteger(s, int(v.Int()), path, own)
	}
}
