package vtl

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Positions in strings count UTF-16 units, as in Java. Half of a surrogate pair that is
// cut off becomes U+FFFD.

// isASCII reports whether bytes and units of a string are the same.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lengthOf returns the length of a string.
func lengthOf(s string) int {
	n := 0
	for _, c := range s {
		n++
		if c > 0xffff {
			n++
		}
	}
	return n
}

// cut returns the units from i to j.
func cut(s string, i, j int) string {
	if isASCII(s) {
		return s[i:j]
	}
	return string(utf16.Decode(utf16.Encode([]rune(s))[i:j]))
}

// offsetOf returns the byte at which a unit is, or the end.
func offsetOf(s string, unit int) int {
	if unit <= 0 {
		return 0
	}
	for i, c := range s {
		if unit <= 0 {
			return i
		}
		unit--
		if c > 0xffff {
			unit--
		}
	}
	return len(s)
}

// flushUnits writes UTF-16 units as text and forgets them.
func flushUnits(b *strings.Builder, units *[]uint16) {
	b.WriteString(string(utf16.Decode(*units)))
	*units = (*units)[:0]
}

// hashText returns the hash code of a string.
func hashText(s string) int32 {
	h := int32(0)
	for _, c := range s {
		if c > 0xffff {
			high, low := utf16.EncodeRune(c)
			h = 31*h + high
			c = low
		}
		h = 31*h + c
	}
	return h
}

// sequenceOf returns an argument that is a CharSequence of Java.
func sequenceOf(v any) (string, bool) {
	s, ok := v.(string)
	return s, ok
}

// callString calls a method of a string.
func (r *run) callString(step *step, s string, args []any) (any, error) {
	if err := r.spend(len(s)); err != nil {
		return nil, err
	}
	switch len(args) {
	case 0:
		if v, ok, err := r.stringProperty(step.name, s); ok || err != nil {
			return v, err
		}
	case 1:
		if i, ok := intOf(args[0]); ok {
			return r.stringAt(step.name, s, i)
		}
		if v, ok, err := r.stringWith(step, s, args[0]); ok || err != nil {
			return v, err
		}
	case 2:
		if v, ok, err := r.stringWithTwo(step, s, args); ok || err != nil {
			return v, err
		}
	}
	if nullFails(step.name, args) {
		return nil, errNull
	}
	if step.name == "format" && len(args) > 0 {
		if f, ok := args[0].(string); ok {
			return r.format(f, args[1:])
		}
	}
	return r.callObject(step.name, s, args)
}

// nullFails reports whether a method of strings is one that fails for null.
func nullFails(name string, args []any) bool {
	text := func(i int) bool {
		_, ok := args[i].(string)
		return ok || args[i] == nil
	}
	if len(args) == 0 {
		return false
	}
	switch name {
	case "contains", "endsWith", "compareTo", "compareToIgnoreCase", "contentEquals", "concat", "matches",
		"toLowerCase", "toUpperCase":
		return len(args) == 1 && args[0] == nil
	case "indexOf", "lastIndexOf", "startsWith", "split":
		_, ok := intOf(args[len(args)-1])
		return args[0] == nil && (len(args) == 1 || len(args) == 2 && ok)
	case "replace", "replaceFirst":
		return len(args) == 2 && text(0) && text(1) && (args[0] == nil || args[1] == nil)
	case "replaceAll":
		return len(args) == 2 && args[0] == nil && text(1)
	}
	return false
}

// stringProperty calls a method without arguments; ok is false if there is none.
func (r *run) stringProperty(name, s string) (v any, ok bool, err error) {
	switch name {
	case "length":
		return int64(lengthOf(s)), true, nil
	case "isEmpty":
		return s == "", true, nil
	case "isBlank":
		return strings.TrimSpace(s) == "", true, nil
	case "toLowerCase":
		v, err = r.made(strings.ToLower(s))
	case "toUpperCase":
		v, err = r.made(strings.ToUpper(strings.ReplaceAll(s, "ß", "SS")))
	case "trim":
		v, err = r.made(strings.TrimFunc(s, func(c rune) bool { return c <= ' ' }))
	case "strip":
		v, err = r.made(strings.TrimSpace(s))
	case "stripLeading":
		v, err = r.made(strings.TrimLeft(s, " \t\n\v\f\r"))
	case "stripTrailing":
		v, err = r.made(strings.TrimRight(s, " \t\n\v\f\r"))
	case "toString", "intern":
		return s, true, nil
	case "toCharArray":
		r.odd = true
		a := &array{items: make([]any, 0, len(s))}
		for _, u := range utf16.Encode([]rune(s)) {
			a.items = append(a.items, character(string(utf16.Decode([]uint16{u}))))
		}
		return a, true, r.spend(itemSize * len(a.items))
	default:
		return nil, false, nil
	}
	return v, true, err
}

// stringAt calls a method with a position, or a number, as its argument.
func (r *run) stringAt(name, s string, i int) (any, error) {
	switch name {
	case "charAt", "substring", "codePointAt":
	case "repeat":
		if i < 0 {
			return nil, fmt.Errorf("repeat: a negative count of %d", i)
		}
		if s != "" && i > r.limits.String/len(s) {
			return nil, fmt.Errorf("a string is longer than %d bytes", r.limits.String)
		}
		return r.made(strings.Repeat(s, i))
	case "indexOf":
		return r.indexIn(s, string(rune(i)), 0), nil
	case "lastIndexOf":
		return lastIndexIn(s, string(rune(i)), lengthOf(s)), nil
	case "valueOf":
		return r.made(fmt.Sprint(i))
	case "compareTo":
		return nil, errCompare
	default:
		return r.callObject(name, s, []any{int64(i)})
	}
	n := lengthOf(s)
	if i < 0 || i > n || i == n && name != "substring" {
		return nil, fmt.Errorf("%s: position %d in a string of %d", name, i, n)
	}
	if name == "substring" {
		return r.made(cut(s, i, n))
	}
	if name == "codePointAt" {
		c, _ := utf8.DecodeRuneInString(s[offsetOf(s, i):])
		return int64(c), nil
	}
	return character(cut(s, i, i+1)), nil
}

// indexIn returns where sub is in s from a position on, -1 if nowhere.
func (r *run) indexIn(s, sub string, from int) any {
	at := offsetOf(s, from)
	i := strings.Index(s[at:], sub)
	if i < 0 {
		return int64(-1)
	}
	return int64(lengthOf(s[:at+i]))
}

// lastIndexIn returns where sub is in s for the last time at a position or before it.
func lastIndexIn(s, sub string, from int) any {
	if from < 0 {
		return int64(-1)
	}
	i := strings.LastIndex(s[:min(len(s), offsetOf(s, from)+len(sub))], sub)
	if i < 0 {
		return int64(-1)
	}
	return int64(lengthOf(s[:i]))
}

// stringWith calls a method with one argument; ok is false if there is none.
func (r *run) stringWith(step *step, s string, arg any) (v any, ok bool, err error) {
	name := step.name
	if name == "valueOf" && arg == nil {
		return "null", true, nil
	}
	if name == "valueOf" {
		text, err := r.text(arg)
		if err != nil {
			return nil, true, err
		}
		v, err = r.made(text)
		return v, true, err
	}
	if arg == nil && name == "equalsIgnoreCase" {
		return false, true, nil
	}
	other, isText := sequenceOf(arg)
	if !isText && name == "compareTo" {
		return nil, true, errCompare
	}
	if !isText {
		return nil, false, nil
	}
	if err := r.spend(len(other)); err != nil {
		return nil, true, err
	}
	switch name {
	case "contains":
		return strings.Contains(s, other), true, nil
	case "startsWith":
		return strings.HasPrefix(s, other), true, nil
	case "endsWith":
		return strings.HasSuffix(s, other), true, nil
	case "equals", "contentEquals":
		return s == other, true, nil
	case "equalsIgnoreCase":
		return strings.EqualFold(s, other), true, nil
	case "compareTo":
		return int64(compareText(s, other)), true, nil
	case "compareToIgnoreCase":
		return int64(compareText(strings.ToLower(s), strings.ToLower(other))), true, nil
	case "indexOf":
		return r.indexIn(s, other, 0), true, nil
	case "lastIndexOf":
		return lastIndexIn(s, other, lengthOf(s)), true, nil
	case "concat":
		v, err = r.made(s + other)
	case "matches":
		v, err = r.matches(step, s, other)
	case "split":
		v, err = r.split(step, s, other, 0)
	default:
		return nil, false, nil
	}
	return v, true, err
}

// compareText returns the difference of the first units that differ, or of the lengths.
func compareText(a, b string) int {
	x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return int(x[i]) - int(y[i])
		}
	}
	return len(x) - len(y)
}

// stringWithTwo calls a method with two arguments; ok is false if there is none.
func (r *run) stringWithTwo(step *step, s string, args []any) (v any, ok bool, err error) {
	i, isInt := intOf(args[0])
	j, isInt2 := intOf(args[1])
	if isInt && isInt2 {
		switch step.name {
		case "indexOf":
			return r.indexIn(s, string(rune(i)), j), true, nil
		case "lastIndexOf":
			return lastIndexIn(s, string(rune(i)), j), true, nil
		}
		if step.name != "substring" {
			return nil, false, nil
		}
		n := lengthOf(s)
		if i < 0 || j > n || i > j {
			return nil, true, fmt.Errorf("substring: from %d to %d in a string of %d", i, j, n)
		}
		v, err = r.made(cut(s, i, j))
		return v, true, err
	}
	a, isText := sequenceOf(args[0])
	if isText && isInt2 {
		switch step.name {
		case "indexOf":
			return r.indexIn(s, a, j), true, nil
		case "lastIndexOf":
			return lastIndexIn(s, a, j), true, nil
		case "startsWith":
			n := lengthOf(s)
			return j >= 0 && j <= n && strings.HasPrefix(s[offsetOf(s, j):], a), true, nil
		case "split":
			v, err = r.split(step, s, a, j)
			return v, true, err
		}
		return nil, false, nil
	}
	if isText && args[1] == nil && step.name == "replaceAll" {
		// Null is not asked for its text where there is nothing to replace.
		v, err := r.replacePattern(step, s, a, "", 1)
		if err == nil && v != s {
			err = errNull
		}
		return v, true, err
	}
	b, isText2 := sequenceOf(args[1])
	if x, ok := args[0].(character); ok && step.name == "replace" {
		if y, ok := args[1].(character); ok {
			a, b, isText, isText2 = string(x), string(y), true, true
		}
	}
	if !isText || !isText2 {
		return nil, false, nil
	}
	switch step.name {
	case "replace":
		v, err = r.replace(s, a, b)
	case "replaceAll":
		v, err = r.replacePattern(step, s, a, b, -1)
	case "replaceFirst":
		v, err = r.replacePattern(step, s, a, b, 1)
	default:
		return nil, false, nil
	}
	return v, true, err
}

// replace replaces text by text.
func (r *run) replace(s, a, b string) (any, error) {
	n := strings.Count(s, a)
	if len(b) > 0 && n > (r.limits.String+len(s))/len(b)+1 {
		return nil, fmt.Errorf("a string is longer than %d bytes", r.limits.String)
	}
	return r.made(strings.ReplaceAll(s, a, b))
}
