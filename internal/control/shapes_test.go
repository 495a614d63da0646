package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"penstock/internal/model"
)

// empties returns values of a shape with something in them that is empty.
func empties(s *model.Shape) []any {
	switch s.Kind {
	case model.Structure:
		all := []any{map[string]any{}}
		for _, m := range s.Members {
			for _, value := range empties(m.Shape) {
				all = append(all, structure(s, m.Name, value))
			}
		}
		return all
	case model.List:
		all := []any{[]any{}, []any{nil}}
		for _, value := range empties(s.Element) {
			all = append(all, []any{value})
		}
		return all
	case model.Map:
		all := []any{map[string]any{}, map[string]any{"k": nil}}
		for _, value := range empties(s.Element) {
			all = append(all, map[string]any{"k": value}, map[string]any{"": value})
		}
		return all
	case model.String:
		return []any{""}
	case model.Integer, model.Double:
		return []any{0}
	case model.Boolean:
		return []any{false}
	default:
		return []any{"0001-01-01T00:00:00Z"}
	}
}

// A door is where a body is sent.
type door struct {
	op         *model.Operation
	path, base string // of the item or collection; a body that is accepted there
}

func (b bench) doors(made map[string]any) []door {
	return []door{{b.creating, b.path, b.body(0)}, {b.updating, b.item(made), b.required()}}
}

// A violation is a value that is refused.
type violation struct {
	value   any    // of a whole member
	edge    any    // the nearest value that is accepted; nil if there is none
	message string // behind "Invalid request input: ", or of its own
	path    string // of what is wrong in it
	limit   string // required, shortest, longest, enum, least or greatest
	own     bool   // the message is the server's
}

// violations returns values of a shape each of which breaks one limit, and is right
// otherwise.
func violations(s *model.Shape, path string, own model.Checks, patch model.Patch) []violation {
	var all []violation
	switch s.Kind {
	case model.Structure:
		for _, m := range s.Members {
			inner := m.Patch
			if patch == model.PatchMembers {
				inner = model.PatchClear
			}
			all = append(all, inside(violations(m.Shape, path+"."+m.Name, m.Own, inner), func(v any) any {
				return structure(s, m.Name, v)
			})...)
			if m.Required {
				all = append(all, violation{structure(s, m.Name, nil), nil, path + "." + m.Name + " is required", path + "." + m.Name, "required", m.Own&model.OwnRequired != 0})
			}
		}
	case model.List:
		all = inside(violations(s.Element, path+"[0]", 0, model.PatchSet), func(v any) any { return []any{v} })
	case model.Map:
		all = inside(violations(s.Element, path+`["k"]`, 0, patch), func(v any) any { return map[string]any{"k": v} })
	case model.String:
		if s.Max > 0 {
			message := fmt.Sprintf("%s must have %d to %d characters", path, s.Min, s.Max)
			all = append(all, violation{strings.Repeat("ä", s.Max+1), strings.Repeat("ä", s.Max), message, path, "longest", own&model.OwnLength != 0})
			clears := s.Min == 1 && (patch == model.PatchClear || patch == model.PatchMerge)
			if s.Min > 0 && !clears {
				all = append(all, violation{strings.Repeat("x", s.Min-1), strings.Repeat("x", s.Min), message, path, "shortest", own&model.OwnLength != 0})
			}
		}
		if s.Enum != nil {
			message := fmt.Sprintf("%s must be one of [%s]", path, strings.Join(s.Enum, ", "))
			for _, value := range []string{"NONE_OF_THEM", strings.ToLower(s.Enum[0]) + "_"} {
				all = append(all, violation{value, s.Enum[len(s.Enum)-1], message, path, "enum", own&model.OwnEnum != 0})
			}
		}
	case model.Integer:
		if s.Max > 0 {
			message := fmt.Sprintf("%s must be between %d and %d", path, s.Min, s.Max)
			all = append(all,
				violation{s.Min - 1, s.Min, message, path, "least", own&model.OwnRange != 0},
				violation{s.Max + 1, s.Max, message, path, "greatest", own&model.OwnRange != 0})
		}
	}
	return all
}

// wrongTypes returns values of a shape with something of another type in them.
func wrongTypes(s *model.Shape, path string) []violation {
	var all []violation
	wrong := func(want string, values ...any) {
		for _, value := range values {
			all = append(all, violation{value: value, message: path + ": must be " + want})
		}
	}
	switch s.Kind {
	case model.Structure:
		wrong("an object", "x", 7, []any{})
		for _, m := range s.Members {
			all = append(all, inside(wrongTypes(m.Shape, path+"."+m.Name), func(v any) any { return structure(s, m.Name, v) })...)
		}
	case model.List:
		wrong("a list", "x", map[string]any{})
		all = append(all, inside(wrongTypes(s.Element, path+"[0]"), func(v any) any { return []any{v} })...)
	case model.Map:
		wrong("an object", "x", []any{})
		all = append(all, inside(wrongTypes(s.Element, path+`["k"]`), func(v any) any { return map[string]any{"k": v} })...)
	case model.String:
		wrong("a string", 7, true, []any{"x"}, map[string]any{})
	case model.Integer:
		wrong("an integer", "7", 1.5, 1e10, true)
	case model.Double:
		wrong("a number", "7", false)
	case model.Boolean:
		wrong("true or false", "true", 1)
	case model.Timestamp:
		wrong("a time as in 2006-01-02T15:04:05Z", 7, "yesterday")
	}
	return all
}

func inside(all []violation, wrap func(any) any) []violation {
	for i := range all {
		all[i].value = wrap(all[i].value)
		if all[i].edge != nil {
			all[i].edge = wrap(all[i].edge)
		}
	}
	return all
}

// structure returns a value of a structure with what is required, and one member of
// a value that is given; without it if that is nil.
func structure(s *model.Shape, name string, value any) map[string]any {
	members := map[string]any{}
	for _, m := range s.Members {
		if m.Required {
			members[m.Name] = sample(m.Shape)
		}
	}
	if members[name] = value; value == nil {
		delete(members, name)
	}
	return members
}

// sample returns a value of a shape.
func sample(s *model.Shape) any {
	switch s.Kind {
	case model.Structure:
		return structure(s, "", nil)
	case model.List:
		return []any{}
	case model.Map:
		return map[string]any{}
	case model.String:
		if s.Enum != nil {
			return s.Enum[0]
		}
		return strings.Repeat("x", max(s.Min, 1))
	case model.Integer, model.Double:
		return s.Min
	case model.Boolean:
		return true
	default:
		return "2025-01-02T03:04:05Z"
	}
}

// conforms compares an answer with the shape that the model gives it.
func (t *tester) conforms(s *model.Shape, value any) {
	t.Helper()
	if problem := mismatch(s, value, s.Name); problem != "" {
		t.Errorf("%s in %s", problem, text(value))
	}
}

func mismatch(s *model.Shape, value any, path string) string {
	ok := false
	switch s.Kind {
	case model.Structure:
		var members map[string]any
		if members, ok = value.(map[string]any); !ok {
			break
		}
		for _, m := range s.Members {
			if have, there := members[m.Name]; there {
				if problem := mismatch(m.Shape, have, path+"."+m.Name); problem != "" {
					return problem
				}
			} else if m.Required || m.Always {
				return path + "." + m.Name + " is absent"
			}
		}
		for name := range members {
			if find(s, name).Shape == nil {
				return path + "." + name + " is not in the model"
			}
		}
	case model.List:
		var elements []any
		if elements, ok = value.([]any); !ok {
			break
		}
		for i, element := range elements {
			if problem := mismatch(s.Element, element, fmt.Sprintf("%s[%d]", path, i)); problem != "" {
				return problem
			}
		}
	case model.Map:
		var entries map[string]any
		if entries, ok = value.(map[string]any); !ok {
			break
		}
		for key, element := range entries {
			if problem := mismatch(s.Element, element, path+"["+key+"]"); problem != "" {
				return problem
			}
		}
	case model.String:
		var v string
		v, ok = value.(string)
		ok = ok && (s.Enum == nil || slices.Contains(s.Enum, v))
	case model.Integer, model.Double:
		_, ok = value.(float64)
	case model.Boolean:
		_, ok = value.(bool)
	case model.Timestamp:
		v, _ := value.(string)
		_, err := time.Parse(time.RFC3339, v)
		ok = err == nil && strings.HasSuffix(v, "Z")
	}
	if !ok {
		return fmt.Sprintf("%s is %s", path, text(value))
	}
	return ""
}

func anys(items []map[string]any) []any {
	all := []any{}
	for _, item := range items {
		all = append(all, item)
	}
	return all
}
