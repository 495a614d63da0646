package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"penstock"
)

// settings are the flags of every command that needs the configuration.
type settings struct {
	Config string  `help:"Read the configuration from this file." placeholder:"FILE" short:"c"`
	Data   *string `help:"Directory that everything is kept in." placeholder:"DIR" xor:"data"`
}

// load returns the configuration: the defaults, overridden by the file, overridden
// by the environment, overridden by --data.
func (s settings) load(environ []string) (penstock.Config, error) {
	c := penstock.DefaultConfig()
	v := reflect.ValueOf(&c).Elem()
	variables := map[string]string{}
	for _, e := range environ {
		if name, value, _ := strings.Cut(e, "="); strings.HasPrefix(name, prefix) && value != "" {
			variables[name] = value
		}
	}
	if file := cmp.Or(s.Config, variables[configVariable]); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := readYAML(v, text, "", func(line int) string { return position(file, line) }); err != nil {
			return c, err
		}
	}
	if err := readEnvironment(v, variables); err != nil {
		return c, err
	}
	override(&c.Data, s.Data)
	return c, nil
}

// position is how errors about a line of a file begin; the line is 0 if nobody
// knows it.
func position(file string, line int) string {
	if line == 0 {
		return file + ": "
	}
	return fmt.Sprintf("%s:%d: ", file, line)
}

// A decoder puts YAML into a value and collects what is wrong with it.
type decoder struct {
	where func(line int) string // how errors begin
	errs  []error
	roles []penstock.Role // that stand among credentials
}

// readYAML puts a YAML text into a value; key is where that is, empty for the whole
// configuration. Unknown keys and values of another type
// are errors. The values of texts never show in errors: some are secret.
func readYAML(v reflect.Value, text []byte, key string, where func(line int) string) error {
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	err := documents.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil // nothing but comments
	}
	if err == nil {
		err = documents.Decode(&more)
		if err == nil {
			return fmt.Errorf("%sa second document begins: want one", where(more.Line))
		}
	}
	if !errors.Is(err, io.EOF) {
		return syntaxError(err, where)
	}
	d := &decoder{where: where}
	if root := document.Content[0]; !isNull(root) {
		d.value(v, root, key)
	}
	if c, ok := v.Addr().Interface().(*penstock.Config); ok {
		c.Roles = append(c.Roles, d.roles...)
	}
	return errors.Join(d.errs...)
}

var (
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	yamlAnchor = regexp.MustCompile(`unknown anchor '.*' referenced`)
)

func syntaxError(err error, where func(int) string) error {
	text, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	text = yamlAnchor.ReplaceAllString(text, "a value that begins with * must stand in quotes")
	return fmt.Errorf("%sthis is not YAML: %s", where(line), text)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (d *decoder) wrong(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, errors.New(d.where(n.Line)+fmt.Sprintf(format, args...)))
}

// value puts a node into v. key is where it is, empty at the top.
func (d *decoder) value(v reflect.Value, n *yaml.Node, key string) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.wrong(n, "%s: aliases are not understood: write the value out", key)
	case isNull(n):
		d.wrong(n, "%s has no value: give one or leave the key out", key)
	case v.Type() == reflect.TypeFor[penstock.PolicyDocument]() && n.Kind == yaml.MappingNode:
		v.SetString(string(appendJSON(nil, n)))
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(p.Elem(), n, key)
		v.Set(p)
	case v.Kind() == reflect.Struct:
		d.mapping(v, n, key)
	case v.Type() == reflect.TypeFor[[]penstock.Credential]() && n.Kind == yaml.MappingNode:
		d.credentials(v.Addr().Interface().(*[]penstock.Credential), n, key)
	case v.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.wrong(n, "%s: want a list", key)
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, item := range n.Content {
			d.value(list.Index(i), item, fmt.Sprintf("%s[%d]", key, i))
		}
		v.Set(list)
	case v.Kind() == reflect.Map:
		d.named(v, n, key)
	case n.Kind != yaml.ScalarNode:
		d.wrong(n, "%s: want %s, not a list or keys", key, wanted(v))
	default:
		if err := setText(v, n.Value); err != nil {
			d.wrong(n, "%s: %v", key, err)
		}
	}
}

func (d *decoder) mapping(v reflect.Value, n *yaml.Node, key string) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "%swant keys and values, such as %s: …", prefixed(key, ": "), keysOf(v.Type())[0])
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := prefixed(key, ".") + name.Value
		field, ok := fieldOf(v, name.Value)
		switch line := seen[name.Value]; {
		case !ok:
			d.wrong(name, "unknown key %q; the nearest known key is %q", path, nearest(path, v.Type(), key))
		case line > 0:
			d.wrong(name, "%s is there twice, first in line %d", path, line)
		default:
			seen[name.Value] = name.Line
			d.value(field, value, path)
		}
	}
}

// credentials reads those that are keys by name: access key IDs of callers, and ARNs of roles.
func (d *decoder) credentials(to *[]penstock.Credential, n *yaml.Node, key string) {
	*to = nil
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := key + "." + name.Value
		if line := seen[name.Value]; line > 0 {
			d.wrong(name, "%s is there twice, first in line %d", path, line)
			continue
		}
		seen[name.Value] = name.Line
		if strings.HasPrefix(name.Value, "arn:") {
			r := penstock.Role{}
			d.value(reflect.ValueOf(&r).Elem(), value, path)
			if r.ARN != "" {
				d.wrong(value, "%s.arn: the key is the ARN", path)
			}
			r.ARN = name.Value
			d.roles = append(d.roles, r)
			continue
		}
		c := penstock.Credential{}
		d.value(reflect.ValueOf(&c).Elem(), value, path)
		if c.AccessKeyID != "" {
			d.wrong(value, "%s.accessKeyId: the key is the access key ID", path)
		}
		c.AccessKeyID = name.Value
		*to = append(*to, c)
	}
}

// named puts keys that are names of the user's into a map.
func (d *decoder) named(v reflect.Value, n *yaml.Node, key string) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "%s: want names and values, such as name: …", key)
		return
	}
	all := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	seen, wrong := map[string]int{}, len(d.errs)
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := key + "." + name.Value
		if line := seen[name.Value]; line > 0 {
			d.wrong(name, "%s is there twice, first in line %d", path, line)
			continue
		}
		seen[name.Value] = name.Line
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(one, value, path)
		all.SetMapIndex(reflect.ValueOf(name.Value), one)
	}
	if len(d.errs) == wrong {
		v.Set(all)
	}
}

func prefixed(key, separator string) string {
	if key == "" {
		return ""
	}
	return key + separator
}

// setText puts the text of a value into v.
func setText(v reflect.Value, text string) error {
	var err error
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *penstock.PolicyDocument:
		if *p = penstock.PolicyDocument(text); strings.TrimSpace(text) == "" {
			err = errors.New("") // would let everything through
		}
	case *bool:
		if err = errors.New(""); text == "true" || text == "false" {
			*p, err = text == "true", nil
		}
	case *int:
		*p, err = strconv.Atoi(text)
	case *int64:
		*p, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		*p, err = strconv.ParseFloat(text, 64)
	case *time.Duration:
		*p, err = time.ParseDuration(text)
	default:
		panic("configuration of type " + v.Type().String())
	}
	if err != nil {
		return fmt.Errorf("want %s, got %q", wanted(v), text)
	}
	return nil
}

// wanted says what kind of value belongs into v.
func wanted(v reflect.Value) string {
	switch v.Addr().Interface().(type) {
	case *penstock.PolicyDocument:
		return "a policy document, as keys or as a text of JSON"
	case *bool:
		return "true or false"
	case *int, *int64:
		return "a whole number"
	case *float64:
		return "a number"
	case *time.Duration:
		return "a duration such as 30s or 5m"
	default:
		return "a text"
	}
}

// fieldOf returns the field of a struct for a key.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key && key != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keysOf returns the keys of a struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// allKeys returns the keys of the whole configuration that take one value, and
// credentials.
func allKeys(t reflect.Type, under string) []string {
	var all []string
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		switch {
		case key == "-":
		case t.Field(i).Type.Kind() == reflect.Struct:
			all = append(all, allKeys(t.Field(i).Type, under+key+".")...)
		default:
			all = append(all, under+key)
		}
	}
	return all
}

// nearest returns the known key that an unknown one most likely means: the same
// one in another place, or the one with the fewest letters changed.
func nearest(key string, t reflect.Type, under string) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	known := allKeys(reflect.TypeFor[penstock.Config](), "")
	for _, k := range known {
		if k[strings.LastIndexByte(k, '.')+1:] == last {
			return k
		}
	}
	for _, k := range keysOf(t) {
		known = append(known, prefixed(under, ".")+k)
	}
	return closest(key, known)
}

// closest returns the one of names that begins with name, or else takes the fewest
// changes of letters to get to.
func closest(name string, names []string) string {
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, name) }); i >= 0 {
		return names[i]
	}
	return slices.MinFunc(names, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
}

// distance is that of Levenshtein, whatever the case of letters.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

const (
	prefix         = "PENSTOCK_"
	configVariable = prefix + "CONFIG" // the file, as --config
)

// foreign matches variables that begin like ours and are not. Kubernetes sets the
// first two in every container next to a service called penstock; the others are of
// our tests.
var foreign = regexp.MustCompile(`^PENSTOCK_(SERVICE_|PORT(_|$)|KILL_ROUNDS$|WRITERS_SECONDS$)`)

// readEnvironment puts the variables whose names begin with PENSTOCK_ into the
// configuration.
func readEnvironment(config reflect.Value, variables map[string]string) error {
	known := map[string]string{configVariable: ""}
	for _, key := range allKeys(config.Type(), "") {
		known[variable(key)] = key
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if name == configVariable || foreign.MatchString(name) {
			continue
		}
		key, ok := known[name]
		if !ok {
			errs = append(errs, fmt.Errorf("unknown environment variable %s; the nearest known one is %s",
				name, closest(name, slices.Sorted(maps.Keys(known)))))
			continue
		}
		v := config
		for part := range strings.SplitSeq(key, ".") {
			v, _ = fieldOf(v, part)
		}
		where := func(int) string { return name + ": " }
		if v.Kind() == reflect.Slice || v.Kind() == reflect.Map { // written as in the file
			errs = append(errs, readYAML(v, []byte(variables[name]), key, where))
			continue
		}
		d := decoder{where: where}
		d.value(v, &yaml.Node{Kind: yaml.ScalarNode, Value: variables[name]}, key)
		errs = append(errs, d.errs...)
	}
	return errors.Join(errs...)
}

// variable returns the name of the environment variable for a key: that of
// limits.inMemoryBody is PENSTOCK_LIMITS_IN_MEMORY_BODY.
func variable(key string) string {
	var name strings.Builder
	name.WriteString(prefix)
	for _, r := range key {
		switch {
		case r == '.':
			name.WriteByte('_')
		case unicode.IsUpper(r):
			name.WriteByte('_')
			name.WriteRune(r)
		default:
			name.WriteRune(unicode.ToUpper(r))
		}
	}
	return name.String()
}
