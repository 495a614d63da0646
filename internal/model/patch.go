package model

import (
	"reflect"
	"sync"
)

// Apply carries the members of an input over to a resource that has members of
// the same names and types, as the operation says: a create fills them in, an
// update replaces, merges or clears. Other members, and members that are in the
// path, are left alone. Lists, maps and structures are
// shared with the input afterwards; maps that are merged are changed in place.
//
// Both arguments are pointers; input was decoded by op.
func (op *Operation) Apply(resource, input any) {
	to, from := reflect.ValueOf(resource).Elem(), reflect.ValueOf(input).Elem()
	for _, p := range planFor(op, to.Type()) {
		if v := from.Field(p.from); !v.IsZero() {
			p.apply(to.Field(p.to), v)
		}
	}
}

// A plan pairs the members of an input with the fields of a resource.
type plan []pair

type pair struct {
	from, to int
	patch    Patch
}

var plans sync.Map // of [planKey] to plan

type planKey struct {
	op       *Operation
	resource reflect.Type
}

func planFor(op *Operation, resource reflect.Type) plan {
	key := planKey{op, resource}
	if p, ok := plans.Load(key); ok {
		return p.(plan)
	}
	var p plan
	input := reflect.TypeOf(op.New()).Elem()
	for i := range op.Input.Members {
		m := &op.Input.Members[i]
		field, ok := resource.FieldByName(input.Field(i).Name)
		if m.Location != Body || !ok || m.Patch != PatchMembers && field.Type != input.Field(i).Type {
			continue
		}
		p = append(p, pair{from: i, to: field.Index[0], patch: m.Patch})
	}
	plans.Store(key, p)
	return p
}

func (p pair) apply(to, from reflect.Value) {
	switch p.patch {
	case PatchSet:
		to.Set(from)
	case PatchClear:
		if empty(from) {
			to.SetZero()
		} else {
			to.Set(from)
		}
	case PatchMerge, PatchUpsert:
		if to.IsNil() {
			to.Set(reflect.MakeMap(to.Type()))
		}
		for entries := from.MapRange(); entries.Next(); {
			value := entries.Value()
			if p.patch == PatchMerge && empty(value) {
				value = reflect.Value{} // removes the key
			}
			to.SetMapIndex(entries.Key(), value)
		}
	case PatchMembers:
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		for i := range from.Elem().NumField() {
			field := to.Elem().FieldByName(from.Elem().Type().Field(i).Name)
			if v := from.Elem().Field(i); !v.IsZero() {
				pair{patch: PatchClear}.apply(field, v)
			}
		}
	}
}

// Settle gives a resource the form it is stored and answered in: an empty
// string, list or map is absent, unless the service always shows that member;
// then it is present. resource is a pointer to the Go type of s.
func (s *Shape) Settle(resource any) {
	v := reflect.ValueOf(resource).Elem()
	for i := range s.Members {
		field := v.Field(i)
		switch m := &s.Members[i]; {
		case !m.Always && empty(field):
			field.SetZero()
		case m.Always && field.IsNil() && field.Kind() == reflect.Map:
			field.Set(reflect.MakeMap(field.Type()))
		case m.Always && field.IsNil() && field.Kind() == reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 0, 0))
		}
	}
}

// Describes reports whether a pointer is to the Go type of s.
func (s *Shape) Describes(resource any) bool {
	t := reflect.TypeOf(resource).Elem()
	if t.Kind() != reflect.Struct || t.NumField() != len(s.Members) {
		return false
	}
	for i := range s.Members {
		if tag := t.Field(i).Tag.Get("json"); tag != s.Members[i].Name+",omitzero" {
			return false
		}
	}
	return true
}

// empty reports whether v is absent, an empty string, list or map, or a
// structure without members. Numbers and booleans are never empty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || empty(v.Elem())
	case reflect.String, reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return v.IsZero()
	default:
		return false
	}
}
