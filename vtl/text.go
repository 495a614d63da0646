package vtl

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"penstock/internal/lenient"
)

// appendText appends the text of a value, which is nothing for null.
func (r *run) appendText(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return append(b, v...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case contextObject:
		return r.appendText(b, r.context.all())
	case stageObject:
		return r.appendText(b, r.stage.all())
	}
	if r.odd {
		var err error
		if v, err = r.plain(v, 0, false); err != nil {
			return b, err
		}
	}
	text, err := lenient.AppendTextMax(b, v, r.limits.String)
	if err != nil {
		return b, r.tooMuch(err)
	}
	return text, r.spend(len(text) - len(b))
}

func (r *run) tooMuch(err error) error {
	if errors.Is(err, lenient.ErrTooLong) {
		return fmt.Errorf("the text of a value is longer than %d bytes", r.limits.String)
	}
	return err
}

// text returns the text of a value.
func (r *run) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", nil
	}
	b, err := r.appendText(nil, v)
	return string(b), err
}

// appendJSON appends a value as JSON.
func (r *run) appendJSON(b []byte, v any) ([]byte, error) {
	if r.odd {
		var err error
		if v, err = r.plain(v, 0, true); err != nil {
			return b, err
		}
	}
	text, err := lenient.AppendJSONMax(b, v, r.limits.String)
	if err != nil {
		return b, r.tooMuch(err)
	}
	return text, r.spend(len(text) - len(b))
}

// plain returns a copy of a value in which there is nothing but what JSON has, so that it
// can be printed, as JSON or not.
func (r *run) plain(v any, depth int, json bool) (any, error) {
	if depth > r.limits.Depth {
		return nil, lenient.ErrTooDeep
	}
	if r.steps--; r.steps < 0 {
		return nil, fmt.Errorf("the template takes more than %d steps", r.limits.Steps)
	}
	items := func(items []any, isJSON bool, self any) (any, error) {
		l := &lenient.List{Items: make([]any, len(items)), JSON: isJSON}
		for i, item := range items {
			if item == self && !json && !isJSON {
				l.Items[i] = "(this Collection)"
				continue
			}
			var err error
			if l.Items[i], err = r.plain(item, depth+1, json || isJSON); err != nil {
				return nil, err
			}
		}
		return l, r.spend(itemSize * len(items))
	}
	switch v := v.(type) {
	case *lenient.List:
		return items(v.Items, v.JSON, v)
	case *array:
		return items(v.items, false, v)
	case *view:
		return items(v.items(), false, v)
	case *entry:
		value, err := r.plain(v.value(), depth+1, false)
		if err != nil {
			return nil, err
		}
		text, err := r.text(value)
		if value == nil {
			text = "null"
		}
		return keyText(v.key) + "=" + text, err
	case *block:
		return r.blockText(v)
	case *loop:
		return r.plainMap(v.storage(), depth)
	case *lenient.Map:
		if !json {
			return r.plainMap(v, depth)
		}
		m := &lenient.Map{}
		for name, value := range v.All() {
			value, err := r.plain(value, depth+1, true)
			if err != nil {
				return nil, err
			}
			m.Put(keyText(name), value)
		}
		return m, r.spend(3 * itemSize * m.Len())
	}
	return v, nil
}

// plainMap returns the text of a map, in which two keys may have the same text.
func (r *run) plainMap(m *lenient.Map, depth int) (any, error) {
	b := []byte{'{'}
	for name, v := range m.All() {
		if len(b) > 1 {
			b = append(b, ", "...)
		}
		b = append(append(b, keyText(name)...), '=')
		if v == any(m) {
			b = append(b, "(this Map)"...)
			continue
		}
		v, err := r.plain(v, depth+1, false)
		if err != nil {
			return nil, err
		}
		if v == nil {
			b = append(b, "null"...)
			continue
		}
		if b, err = lenient.AppendTextMax(b, v, r.limits.String); err != nil {
			return nil, r.tooMuch(err)
		}
		if len(b) > r.limits.String {
			return nil, r.tooMuch(lenient.ErrTooLong)
		}
	}
	return string(append(b, '}')), r.spend(len(b))
}

// blockText returns what a block of #define renders. Inside of itself, where it renders
// nothing in the end, it has no text, which is an error.
func (r *run) blockText(b *block) (any, error) {
	shown := false
	s, err := r.captured(func() (err error) {
		shown, err = b.show(r, 0)
		return err
	})
	if err == nil && !shown {
		err = errors.New("a block within itself has no text")
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Keys of maps that are no strings are strings that begin with this byte, which no text
// in UTF-8 has, and the kind of the key. So $m[0] and $m["0"] are two.
const oddKey = "\xff"

// key returns the name under which a map has a key.
func (r *run) key(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case character:
		return string(v), nil
	case nil:
		r.odd = true
		return oddKey + "n", nil
	case int64:
		r.odd = true
		return oddKey + "i" + strconv.FormatInt(v, 10), nil
	}
	r.odd = true
	text, err := r.text(v)
	kind := "o"
	switch v.(type) {
	case *lenient.List, *lenient.Map:
		// Two that have the same text need not be equal.
		json, jsonErr := r.appendJSON(nil, v)
		if jsonErr != nil {
			return "", jsonErr
		}
		kind += string(json) + oddKey
	case float64:
		kind = "f"
	case bool:
		kind = "b"
	}
	return oddKey + kind + text, err
}

// keyText returns how a key is printed.
func keyText(name string) string {
	if len(name) < 2 || name[:1] != oddKey {
		return name
	}
	if name[1] == 'n' {
		return "null"
	}
	return name[max(2, strings.LastIndex(name, oddKey)+1):]
}

// keyValue returns the key that has a name. Lists and maps that are keys come back as
// their text.
func keyValue(name string) any {
	if len(name) < 2 || name[:1] != oddKey {
		return name
	}
	text := keyText(name)
	switch name[1] {
	case 'n':
		return nil
	case 'i':
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	case 'f':
		f, _ := strconv.ParseFloat(text, 64)
		return f
	case 'b':
		return text == "true"
	}
	return text
}

// items returns what is in the view now.
func (v *view) items() []any {
	items := make([]any, 0, v.of.Len())
	for name, value := range v.of.All() {
		switch v.kind {
		case keysView:
			items = append(items, keyValue(name))
		case valuesView:
			items = append(items, value)
		default:
			items = append(items, &entry{v.of, name})
		}
	}
	return items
}

func valuesOf(m *lenient.Map) []any {
	return (&view{of: m, kind: valuesView}).items()
}

func (e *entry) value() any {
	v, _ := e.of.Get(e.key)
	return v
}

// What has no text of its own is nothing.
var (
	_ encoding.TextAppender = character("")
	_ encoding.TextAppender = inputObject{}
)

func (c character) AppendText(b []byte) ([]byte, error)   { return append(b, c...), nil }
func (inputObject) AppendText(b []byte) ([]byte, error)   { return b, nil }
func (utilObject) AppendText(b []byte) ([]byte, error)    { return b, nil }
func (contextObject) AppendText(b []byte) ([]byte, error) { return b, nil }
func (stageObject) AppendText(b []byte) ([]byte, error)   { return b, nil }
func (*iterator) AppendText(b []byte) ([]byte, error)     { return b, nil }

// AppendText appends the map that $foreach is for the template.
func (l *loop) AppendText(b []byte) ([]byte, error) { return lenient.AppendText(b, l.storage()), nil }

// Equal reports whether other is the same character.
func (c character) Equal(other any) bool { return any(c) == other }

// Equal reports whether other is an entry with the same key and the same value. Lists and
// maps are the same only if they are one: to look into them, entries being in them, could
// take without end.
func (e *entry) Equal(other any) bool {
	o, ok := other.(*entry)
	if !ok || e.key != o.key {
		return false
	}
	x, y := e.value(), o.value()
	switch x.(type) {
	case nil, string, bool, character:
		return x == y
	}
	if isNumber(x) {
		steps := 1
		return lenient.Equal(x, y, &steps)
	}
	return x == y
}
