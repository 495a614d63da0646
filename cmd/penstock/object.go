package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A member is one name and value of a JSON object, the value as it was written.
type member struct {
	name  string
	value json.RawMessage
}

// An object is the members of a JSON object, in the order of the text.
type object []member

// parseObject reads an object. It does not read into the values.
func parseObject(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	start, err := d.Token()
	if err != nil {
		return nil, err
	}
	if start != json.Delim('{') {
		return nil, fmt.Errorf("%v where an object should be", start)
	}
	var o object
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // or Token had returned an error
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	return o, nil
}

// take removes a member and returns it as a cell: "" if there is none. One that is
// a list or an object stays.
func (o *object) take(name string) string {
	i := slices.IndexFunc(*o, func(m member) bool { return m.name == name })
	if i < 0 || strings.ContainsRune("[{", rune((*o)[i].value[0])) {
		return ""
	}
	value := (*o)[i].value
	*o = slices.Delete(*o, i, i+1)
	return scalar(value)
}

// scalar returns a value that is neither a list nor an object on one line. Only
// a text that is empty is in quotes.
func scalar(value json.RawMessage) string {
	var text string
	switch {
	case value[0] != '"' || json.Unmarshal(value, &text) != nil:
		return escape(string(value), "")
	case text == "":
		return `""`
	default:
		return escape(text, "")
	}
}

// lines returns everything in o, one member a line; what is inside a member is
// indented more than its name. A text of several lines stands below its name, each
// line after a bar.
func (o object) lines(indent string) (lines []string, err error) {
	for _, m := range o {
		more, err := valueLines(indent, escape(m.name, "")+":", m.value)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

// valueLines returns a value after its label.
func valueLines(indent, label string, value json.RawMessage) ([]string, error) {
	lines := []string{indent + label}
	inner := indent + "  "
	var text string
	switch {
	case value[0] == '{':
		o, err := parseObject(value)
		if err != nil {
			return nil, err
		}
		if len(o) > 0 {
			more, err := o.lines(inner)
			return append(lines, more...), err
		}
	case value[0] == '[':
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil {
			return nil, err
		}
		for _, item := range list {
			more, err := valueLines(inner, "-", item)
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
		}
		if len(list) > 0 {
			return lines, nil
		}
	case value[0] == '"' && json.Unmarshal(value, &text) == nil && strings.Contains(text, "\n"):
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, strings.TrimRight(inner+"| "+escape(line, "\t"), " "))
		}
		return lines, nil
	default:
		return []string{indent + label + " " + scalar(value)}, nil
	}
	return []string{indent + label + " " + string(value[:1]) + string(value[len(value)-1:])}, nil // {} or []
}

// escape returns text with everything that a terminal could take for more than
// text written as Go does: \x1b, \u202e. The characters in keep stay as they are.
func escape(text, keep string) string {
	harmless := func(r rune, size int) bool {
		return strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) || strings.ContainsRune(keep, r)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if harmless(r, size) {
			b.WriteString(text[i : i+size])
		} else {
			quoted := strconv.QuoteToASCII(text[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// writeJSON writes JSON with indentation. Names and values are those of the text;
// in strings, characters that could control a terminal are written as escapes, which
// mean the same.
func writeJSON(w io.Writer, text []byte) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return err
	}
	b := make([]byte, 0, indented.Len()+1)
	for rest := indented.Bytes(); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r < 0x7f || strconv.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b = append(b, rest[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	_, err := w.Write(append(b, '\n'))
	return err
}

// joinItems returns the JSON array of the items.
func joinItems(items []json.RawMessage) []byte {
	b := []byte{'['}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']')
}
