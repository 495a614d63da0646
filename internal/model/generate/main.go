// Command generate writes the Go form of the service model: service.json holds
// what the service publishes about its shapes and operations, overlay.json what
// it leaves out. It runs in internal/model and writes the files ending in
// _gen.go there. The same input gives the same bytes.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	files, err := generate("service.json", "overlay.json")
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// The service model, as far as it is used here.
type (
	service struct {
		Operations map[string]*operation
		Pagination map[string]struct {
			ResultKey string `json:"result_key"`
		}
		Shapes map[string]*shape
	}
	operation struct {
		HTTP struct {
			Method       string
			RequestURI   string `json:"requestUri"`
			ResponseCode int    `json:"responseCode"`
		}
		Input, Output *ref
	}
	shape struct {
		Type     string
		Members  map[string]*ref
		Required []string
		Member   *ref
		Key      *ref
		Value    *ref
		Enum     []string
		Min, Max *int

		Exception bool
		Payload   string
	}
	ref struct {
		Shape        string
		Location     string
		LocationName string   `json:"locationName"`
		Enum         []string // limits a plain string where it is used
	}
)

// The overlay: limits of shapes and properties of members that the model does
// not tell. Every row names its source.
type (
	overlay struct {
		Shapes []struct {
			Shape    string
			Min, Max *int
			Source   string
		}
		Members []*memberRow
	}
	memberRow struct {
		Member string // shape.member
		Own    []string
		Patch  string
		Always bool
		Source string
		used   bool
	}
)

type generator struct {
	service service
	members map[string]*memberRow
	aliases map[string]string // structure shape → the structure it equals
	outputs map[string]string // output shape → operation
	inputs  map[string]string
}

// generate returns the contents of the generated files by name.
func generate(servicePath, overlayPath string) (map[string][]byte, error) {
	g := generator{members: map[string]*memberRow{}}
	if err := read(servicePath, &g.service, false); err != nil {
		return nil, err
	}
	var over overlay
	if err := read(overlayPath, &over, true); err != nil {
		return nil, err
	}
	if err := g.apply(over); err != nil {
		return nil, err
	}
	g.findAliases()

	files := map[string][]byte{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"types_gen.go":      g.types,
		"enums_gen.go":      g.enums,
		"shapes_gen.go":     g.shapes,
		"operations_gen.go": g.operations,
	} {
		var b bytes.Buffer
		b.WriteString("// Code generated from service.json and overlay.json; DO NOT EDIT.\n\npackage model\n\n")
		if err := write(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = text
	}
	for name, row := range g.members {
		if !row.used {
			return nil, fmt.Errorf("%s: no member %s", overlayPath, name)
		}
	}
	return files, nil
}

func read(path string, into any, strict bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (g *generator) apply(over overlay) error {
	for _, row := range over.Shapes {
		s := g.service.Shapes[row.Shape]
		if s == nil || row.Source == "" {
			return fmt.Errorf("overlay: shape %q is unknown or has no source", row.Shape)
		}
		s.Min, s.Max = row.Min, row.Max
	}
	for _, row := range over.Members {
		if g.members[row.Member] != nil || row.Source == "" {
			return fmt.Errorf("overlay: member %q stands twice or has no source", row.Member)
		}
		g.members[row.Member] = row
	}
	return nil
}

// findAliases finds outputs that have exactly the members of a resource, and
// inputs of a structure that has the same members as an output. One Go type and
// one shape serve each such group.
func (g *generator) findAliases() {
	g.aliases, g.inputs, g.outputs = map[string]string{}, map[string]string{}, map[string]string{}
	for name, op := range g.service.Operations {
		g.inputs[op.Input.Shape] = name
		if op.Output != nil {
			g.outputs[op.Output.Shape] = name
		}
	}
	byMembers := map[string][]string{}
	for _, name := range g.structures() {
		if g.inputs[name] == "" {
			key, _ := json.Marshal(g.service.Shapes[name].Members)
			byMembers[string(key)] = append(byMembers[string(key)], name)
		}
	}
	for _, group := range byMembers {
		if len(g.service.Shapes[group[0]].Members) == 0 {
			continue
		}
		i := slices.IndexFunc(group, func(name string) bool { return g.outputs[name] == "" })
		if i < 0 {
			i = slices.IndexFunc(group, func(name string) bool { return strings.HasPrefix(name, "Get") })
		}
		if i < 0 {
			continue
		}
		for _, name := range group {
			if g.outputs[name] != "" && name != group[i] || name == group[i]+"Input" {
				g.aliases[name] = group[i]
			}
		}
	}
}

// structures returns the names of the structures that are not errors, sorted.
func (g *generator) structures() []string {
	var names []string
	for _, name := range sorted(g.service.Shapes) {
		if s := g.service.Shapes[name]; s.Type == "structure" && !s.Exception {
			names = append(names, name)
		}
	}
	return names
}

func (g *generator) types(b *bytes.Buffer) error {
	b.WriteString("import \"time\"\n\n")
	for _, name := range g.structures() {
		if to := g.aliases[name]; to != "" {
			fmt.Fprintf(b, "// %s has the members of [%s].\ntype %s = %s\n\n", goName(name), goName(to), goName(name), goName(to))
			continue
		}
		switch {
		case g.inputs[name] != "":
			fmt.Fprintf(b, "// %s is the input of %s.\n", goName(name), g.inputs[name])
		case g.outputs[name] != "":
			fmt.Fprintf(b, "// %s is the output of %s.\n", goName(name), g.outputs[name])
		default:
			fmt.Fprintf(b, "// %s is the structure %s of the service model.\n", goName(name), name)
		}
		fmt.Fprintf(b, "type %s struct {\n", goName(name))
		s := g.service.Shapes[name]
		for _, member := range sorted(s.Members) {
			r := s.Members[member]
			tag := r.LocationName + ",omitzero"
			if r.Location != "" || s.Payload == member {
				tag = "-"
			}
			fmt.Fprintf(b, "\t%s %s `json:%q`\n", goName(member), g.goType(r.Shape, true), tag)
		}
		b.WriteString("}\n\n")
	}
	return nil
}

// goType returns the type of a member (optional) or of an element of a list or map.
func (g *generator) goType(name string, optional bool) string {
	pointer := ""
	if optional {
		pointer = "*"
	}
	s := g.service.Shapes[name]
	switch s.Type {
	case "string":
		return pointer + "string"
	case "boolean":
		return pointer + "bool"
	case "integer":
		return pointer + "int"
	case "double":
		return pointer + "float64"
	case "timestamp":
		return pointer + "time.Time"
	case "blob":
		return "[]byte"
	case "list":
		return "[]" + g.goType(s.Member.Shape, false)
	case "map":
		return "map[string]" + g.goType(s.Value.Shape, false)
	default:
		return pointer + goName(name)
	}
}

func (g *generator) enums(b *bytes.Buffer) error {
	for _, name := range sorted(g.service.Shapes) {
		s := g.service.Shapes[name]
		if len(s.Enum) == 0 {
			continue
		}
		fmt.Fprintf(b, "// Values of %s.\nconst (\n", name)
		for _, value := range s.Enum {
			fmt.Fprintf(b, "\t%s%s = %q\n", goName(name), enumName(value), value)
		}
		b.WriteString(")\n\n")
	}
	return nil
}

func (g *generator) shapes(b *bytes.Buffer) error {
	for _, name := range sorted(g.service.Shapes) {
		s := g.service.Shapes[name]
		if s.Exception || g.aliases[name] != "" {
			continue
		}
		fmt.Fprintf(b, "var %s = &Shape{Name: %q, Kind: %s", g.shapeVar(name), name, strings.ToUpper(s.Type[:1])+s.Type[1:])
		if s.Min != nil {
			fmt.Fprintf(b, ", Min: %d, Max: %d", *s.Min, *s.Max)
		}
		if len(s.Enum) > 0 {
			fmt.Fprintf(b, ", Enum: %#v", s.Enum)
		}
		if s.Member != nil {
			fmt.Fprintf(b, ", Element: %s", g.shapeVar(s.Member.Shape))
		}
		if s.Value != nil {
			fmt.Fprintf(b, ", Element: %s", g.shapeVar(s.Value.Shape))
		}
		if len(s.Members) > 0 {
			b.WriteString(", Members: []Member{\n")
			for _, member := range sorted(s.Members) {
				if err := g.member(b, name, member); err != nil {
					return err
				}
			}
			b.WriteString("}")
		}
		b.WriteString("}\n\n")
	}
	return nil
}

// shapeVar returns the name of the variable that holds a shape.
func (g *generator) shapeVar(name string) string {
	if to := g.aliases[name]; to != "" {
		name = to
	}
	return shapeVar(name)
}

func (g *generator) member(b *bytes.Buffer, in, name string) error {
	s := g.service.Shapes[in]
	r := s.Members[name]
	wire := r.LocationName
	if wire == "" {
		wire = name
	}
	target := g.shapeVar(r.Shape)
	if len(r.Enum) > 0 {
		target = fmt.Sprintf("&Shape{Name: %q, Kind: String, Enum: %#v}", r.Shape, r.Enum)
	}
	fmt.Fprintf(b, "\t{Name: %q, Shape: %s", wire, target)
	switch {
	case r.Location == "uri":
		b.WriteString(", Location: Label")
	case r.Location == "querystring":
		b.WriteString(", Location: Query")
	case s.Payload == name:
		b.WriteString(", Location: Payload")
	case r.Location != "":
		return fmt.Errorf("%s.%s: unknown location %q", in, name, r.Location)
	}
	if slices.Contains(s.Required, name) {
		b.WriteString(", Required: true")
	}
	if row := g.members[in+"."+name]; row != nil {
		row.used = true
		var own []string
		for _, check := range row.Own {
			own = append(own, "Own"+strings.ToUpper(check[:1])+check[1:])
		}
		if len(own) > 0 {
			fmt.Fprintf(b, ", Own: %s", strings.Join(own, "|"))
		}
		if row.Patch != "" {
			fmt.Fprintf(b, ", Patch: Patch%s", strings.ToUpper(row.Patch[:1])+row.Patch[1:])
		}
		if row.Always {
			b.WriteString(", Always: true")
		}
	}
	b.WriteString("},\n")
	return nil
}

func (g *generator) operations(b *bytes.Buffer) error {
	b.WriteString("// Operations is every operation of the service, sorted by name.\nvar Operations = []*Operation{\n")
	for _, name := range sorted(g.service.Operations) {
		op := g.service.Operations[name]
		fmt.Fprintf(b, "\t{Name: %q, Method: %q, Path: %q, Status: %d, Input: %s, New: func() any { return new(%s) }",
			name, op.HTTP.Method, op.HTTP.RequestURI, op.HTTP.ResponseCode, g.shapeVar(op.Input.Shape), goName(op.Input.Shape))
		if op.Output != nil {
			fmt.Fprintf(b, ", Output: %s", g.shapeVar(op.Output.Shape))
		}
		if _, ok := g.service.Shapes[op.Input.Shape].Members["MaxResults"]; ok {
			result := g.service.Pagination[name].ResultKey
			if result == "" {
				result = "Items" // two lists have no paginator in the model and page all the same
			}
			fmt.Fprintf(b, ", Result: %q", g.service.Shapes[op.Output.Shape].Members[result].LocationName)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	return nil
}
