//go:build conformance

package conformance

import (
	"slices"
	"strconv"
	"strings"

	"penstock/internal/model"
)

// Clients have the names of the model as it is published, which begin with a capital;
// on the wire they do not.

func title(name string) string {
	if name == "resource-arn" {
		return "ResourceArn"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// members returns the names of the members of an operation's input and output at
// every depth.
func members(op *model.Operation) []string {
	var names []string
	var collect func(s *model.Shape)
	collect = func(s *model.Shape) {
		if s == nil {
			return
		}
		for _, m := range s.Members {
			if m.Location != model.Payload {
				names = append(names, title(m.Name))
			}
			collect(m.Shape)
		}
		collect(s.Element)
	}
	collect(op.Input)
	collect(op.Output)
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown returns the members of operations that a client does not know, of those
// operations that it knows.
func unknown(known map[string]ability) map[string][]string {
	all := map[string][]string{}
	for name, ability := range known {
		op := model.FindOperation(name)
		if op == nil || ability.Members == nil {
			continue
		}
		all[name] = slices.DeleteFunc(members(op), func(member string) bool { return slices.Contains(ability.Members, member) })
	}
	return all
}

// labels returns the members of an operation's input that stand in the path.
func labels(op string) []string {
	var names []string
	for _, m := range model.FindOperation(op).Input.Members {
		if m.Location == model.Label {
			names = append(names, title(m.Name))
		}
	}
	return names
}

// payload returns the member of an operation's output that is the body itself, or "".
func payload(op string) string {
	if output := model.FindOperation(op).Output; output != nil {
		for _, m := range output.Members {
			if m.Location == model.Payload {
				return m.Name
			}
		}
	}
	return ""
}

// items returns the member of a list's output that holds the items.
func items(op string) string { return title(model.FindOperation(op).Result) }

// maxResults returns the size of a page as a list wants to be told: most want a text.
func maxResults(op string, size int) any {
	for _, m := range model.FindOperation(op).Input.Members {
		if m.Name == "maxResults" && m.Shape.Kind == model.Integer {
			return size
		}
	}
	return strconv.Itoa(size)
}

// without returns a copy of a value that lacks some members at every depth.
func without(value any, members []string) any {
	switch v := value.(type) {
	case object:
		copied := object{}
		for name, member := range v {
			if !slices.Contains(members, name) {
				copied[name] = without(member, members)
			}
		}
		return copied
	case list:
		copied := make(list, len(v))
		for i, item := range v {
			copied[i] = without(item, members)
		}
		return copied
	}
	return value
}
