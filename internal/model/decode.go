package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxDepth is how deep objects and lists of a body may nest.
const MaxDepth = 64

// MaxEntries is how many entries a list or map of a body may have. No limit of
// the service comes near it.
const MaxEntries = 10_000

// A DecodeError says why an input was refused. If Problems is empty, the body
// is not what the operation can read: it is not JSON, or a value has the wrong
// type. Otherwise each problem is a limit that does not hold.
type DecodeError struct {
	Path     string // the member with the wrong type: corsConfiguration.allowOrigins[1]; empty if the body is no JSON object
	Reason   string // what is wrong with it
	Problems []Problem
}

func (e *DecodeError) Error() string {
	if len(e.Problems) > 0 {
		return fmt.Sprintf("%s: %s", e.Problems[0].Path, e.Problems[0].Limit)
	}
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// A Problem is a value outside the limits of its shape.
type Problem struct {
	Path  string // as in DecodeError
	Limit Limit
	Min   int      // of LimitLength and LimitRange
	Max   int      // of LimitLength, LimitRange and LimitEntries
	Enum  []string // of LimitEnum
}

// A Limit is a kind of limit.
type Limit uint8

const (
	LimitRequired Limit = iota // a required member is absent
	LimitLength                // a string is shorter than Min or longer than Max characters
	LimitRange                 // a number is less than Min or greater than Max
	LimitEnum                  // a string is none of Enum
	LimitEntries               // a list or map has more than Max entries
)

func (l Limit) String() string {
	return [...]string{"required", "length", "range", "enum", "entries"}[l]
}

// maxProblems bounds what one answer tells.
const maxProblems = 10

// Decode reads the input of an operation into a new value of its Go type.
// Labels come unescaped. Unknown members are ignored, a null is an absent
// member, names are case-sensitive, an empty body is an empty object; of two
// members with one name the last counts. The error is a *[DecodeError].
//
// The caller bounds the length of body. Time and memory are linear in it.
func (op *Operation) Decode(body []byte, labels map[string]string, query url.Values) (any, error) {
	into := op.New()
	d := decoder{}
	v := reflect.ValueOf(into).Elem()
	if err := d.bindings(op.Input, labels, query, v); err != nil {
		return nil, err
	}
	if err := d.body(op.Input, body, v); err != nil {
		return nil, err
	}
	if len(d.problems) > 0 {
		return nil, &DecodeError{Problems: d.problems}
	}
	return into, nil
}

// A decoder fills Go values from JSON by their shapes. It stops at the first
// value of the wrong type and collects values outside their limits.
type decoder struct {
	json     *json.Decoder
	problems []Problem
}

func (d *decoder) body(s *Shape, body []byte, v reflect.Value) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if err := checkText(body); err != nil {
		return err
	}
	d.json = json.NewDecoder(bytes.NewReader(body))
	d.json.UseNumber()
	token, err := d.json.Token()
	if err != nil {
		return syntaxError(err)
	}
	if token == nil { // null is no body
		d.required(s, v, "")
		return nil
	}
	return d.structure(s, token, v, "", PatchSet)
}

// checkText finds what must not reach the decoder: text that is not JSON and
// nesting without end.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return &DecodeError{Reason: "the body is not UTF-8"}
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return &DecodeError{Reason: fmt.Sprintf("the body nests deeper than %d levels", MaxDepth)}
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	if json.Valid(body) {
		return nil
	}
	var ignored json.RawMessage
	return syntaxError(json.Unmarshal(body, &ignored))
}

func syntaxError(err error) error {
	reason := "the body is not JSON"
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		reason += fmt.Sprintf(": byte %d: %s", syntax.Offset, syntax)
	} else if err != nil && !errors.Is(err, io.EOF) {
		reason += ": " + err.Error()
	}
	return &DecodeError{Reason: reason}
}

// value reads a value of shape s whose first token was read. A value that is
// null changes nothing. What patch uses to clear something is within the limits.
func (d *decoder) value(s *Shape, token json.Token, v reflect.Value, path string, own Checks, patch Patch) error {
	if token == nil {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := d.value(s, token, p.Elem(), path, own, patch); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	switch s.Kind {
	case Structure:
		return d.structure(s, token, v, path, patch)
	case List:
		return d.list(s, token, v, path)
	case Map:
		return d.entries(s, token, v, path, patch)
	default:
		return d.scalar(s, token, v, path, own, patch)
	}
}

func (d *decoder) structure(s *Shape, token json.Token, v reflect.Value, path string, patch Patch) error {
	if token != json.Delim('{') {
		return wrongType(path, "an object")
	}
	for d.json.More() {
		name, err := d.name()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(s.Members, func(m Member) bool { return m.Name == name && m.Location == Body })
		if i < 0 {
			var unknown json.RawMessage
			if err := d.json.Decode(&unknown); err != nil {
				return err
			}
			continue
		}
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		m := &s.Members[i]
		inner := m.Patch
		if patch == PatchMembers {
			inner = PatchClear
		}
		if err := d.value(m.Shape, token, v.Field(i), join(path, name), m.Own, inner); err != nil {
			return err
		}
	}
	d.required(s, v, path)
	_, err := d.json.Token()
	return err
}

// required reports the required members that are absent.
func (d *decoder) required(s *Shape, v reflect.Value, path string) {
	for i := range s.Members {
		if m := &s.Members[i]; m.Required && m.Own&OwnRequired == 0 && v.Field(i).IsZero() {
			d.problem(Problem{Path: join(path, m.Name), Limit: LimitRequired})
		}
	}
}

// name reads the name of a member.
func (d *decoder) name() (string, error) {
	token, err := d.json.Token()
	if err != nil {
		return "", err
	}
	return token.(string), nil
}

func (d *decoder) list(s *Shape, token json.Token, v reflect.Value, path string) error {
	if token != json.Delim('[') {
		return wrongType(path, "a list")
	}
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for i := 0; d.json.More(); i++ {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		if i == MaxEntries {
			return &DecodeError{Problems: []Problem{{Path: path, Limit: LimitEntries, Max: MaxEntries}}}
		}
		if token == nil {
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(s.Element, token, element, path+"["+strconv.Itoa(i)+"]", 0, PatchSet); err != nil {
			return err
		}
		list = reflect.Append(list, element)
	}
	v.Set(list)
	_, err := d.json.Token()
	return err
}

func (d *decoder) entries(s *Shape, token json.Token, v reflect.Value, path string, patch Patch) error {
	if token != json.Delim('{') {
		return wrongType(path, "an object")
	}
	m := reflect.MakeMap(v.Type())
	for i := 0; d.json.More(); i++ {
		key, err := d.name()
		if err != nil {
			return err
		}
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		if i == MaxEntries {
			return &DecodeError{Problems: []Problem{{Path: path, Limit: LimitEntries, Max: MaxEntries}}}
		}
		if token == nil {
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(s.Element, token, element, path+"["+strconv.Quote(key)+"]", 0, patch); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(key), element)
	}
	v.Set(m)
	_, err := d.json.Token()
	return err
}

func (d *decoder) scalar(s *Shape, token json.Token, v reflect.Value, path string, own Checks, patch Patch) error {
	switch s.Kind {
	case String:
		text, ok := token.(string)
		if !ok {
			return wrongType(path, "a string")
		}
		v.SetString(text)
		if text != "" || patch == PatchSet || patch == PatchUpsert {
			d.checkString(s, text, path, own)
		}
	case Integer:
		number, ok := token.(json.Number)
		n, err := strconv.ParseInt(number.String(), 10, 32)
		if !ok || err != nil {
			return wrongType(path, "an integer")
		}
		v.SetInt(n)
		d.checkInteger(s, int(n), path, own)
	case Double:
		number, ok := token.(json.Number)
		f, err := number.Float64()
		if !ok || err != nil || math.IsInf(f, 0) {
			return wrongType(path, "a number")
		}
		v.SetFloat(f)
	case Boolean:
		b, ok := token.(bool)
		if !ok {
			return wrongType(path, "true or false")
		}
		v.SetBool(b)
	case Timestamp:
		text, _ := token.(string)
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return wrongType(path, "a time as in 2006-01-02T15:04:05Z")
		}
		v.Set(reflect.ValueOf(t))
	default:
		return wrongType(path, "absent")
	}
	return nil
}

func (d *decoder) checkString(s *Shape, text, path string, own Checks) {
	if s.Max > 0 && own&OwnLength == 0 {
		if n := utf8.RuneCountInString(text); n < s.Min || n > s.Max {
			d.problem(Problem{Path: path, Limit: LimitLength, Min: s.Min, Max: s.Max})
		}
	}
	if s.Enum != nil && own&OwnEnum == 0 && !slices.Contains(s.Enum, text) {
		d.problem(Problem{Path: path, Limit: LimitEnum, Enum: s.Enum})
	}
}

func (d *decoder) checkInteger(s *Shape, n int, path string, own Checks) {
	if s.Max > 0 && own&OwnRange == 0 && (n < s.Min || n > s.Max) {
		d.problem(Problem{Path: path, Limit: LimitRange, Min: s.Min, Max: s.Max})
	}
}

func (d *decoder) problem(p Problem) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, p)
	}
}

// bindings fills the members that are in the path and the query.
func (d *decoder) bindings(s *Shape, labels map[string]string, query url.Values, v reflect.Value) error {
	for i := range s.Members {
		m := &s.Members[i]
		switch m.Location {
		case Label:
			text := labels[m.Name]
			d.checkString(m.Shape, text, m.Name, m.Own)
			v.Field(i).Set(reflect.ValueOf(&text))
		case Query:
			if !query.Has(m.Name) {
				continue
			}
			if err := d.query(m, query[m.Name], v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decoder) query(m *Member, values []string, v reflect.Value) error {
	text := values[0]
	switch m.Shape.Kind {
	case String:
		d.checkString(m.Shape, text, m.Name, m.Own)
		v.Set(reflect.ValueOf(&text))
	case Integer:
		n, err := strconv.Atoi(text)
		if err != nil {
			return wrongType(m.Name, "an integer")
		}
		d.checkInteger(m.Shape, n, m.Name, m.Own)
		v.Set(reflect.ValueOf(&n))
	case Boolean:
		b := text == "true"
		if !b && text != "false" {
			return wrongType(m.Name, "true or false")
		}
		v.Set(reflect.ValueOf(&b))
	case List:
		v.Set(reflect.ValueOf(slices.Clone(values)))
	default:
		panic("model: no way to read query parameter " + m.Name)
	}
	return nil
}

func wrongType(path, want string) error {
	if path == "" {
		path = "the body"
	}
	return &DecodeError{Path: path, Reason: "must be " + want}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
