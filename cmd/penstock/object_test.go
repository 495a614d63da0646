package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, keep, want string }{
		{"pets", "", "pets"},
		{`a "b" \n c`, "", `a "b" \n c`},
		{"Zoë 猫 🐈", "", "Zoë 猫 🐈"},
		{"\x1b[31mred\a", "", `\x1b[31mred\a`},
		{"a\tb\r\nc", "", `a\tb\r\nc`},
		{"a\tb\r\nc", "\t\n", "a\tb\\r\nc"},
		{"\u009b2J\x7f", "", `\u009b2J\x7f`},
		{"\u202eabc\u2066", "", `\u202eabc\u2066`},
		{"\xff\ufffd", "", `\xff` + "\ufffd"},
		{"\U000e0001", "", `\U000e0001`},
		{"", "", ""},
	} {
		if got := escape(tt.text, tt.keep); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"in the order of the text", `{"b":"1","a":2.50,"c":true,"d":null}`, "b: 1\na: 2.50\nc: true\nd: null"},
		{"twice", `{"a":1,"a":2}`, "a: 1\na: 2"},
		{"empty", `{"a":"","b":{},"c":[]}`, "a: \"\"\nb: {}\nc: []"},
		{"inside", `{"a":{"200":{"overwrite:header.x":"y"}}}`, "a:\n  200:\n    overwrite:header.x: y"},
		{"list", `{"a":["x",{"b":1},[],["y"]]}`, "a:\n  - x\n  -\n    b: 1\n  - []\n  -\n    - y"},
		{"lines", `{"t":"#set($x = 1)\n\t\"$x\"\n"}`, "t:\n  | #set($x = 1)\n  | \t\"$x\"\n  |"},
		{"control characters", `{"\u001b[2J":"\u001b]0;x\u0007","t":"a\r\nb\u009b"}`, `\x1b[2J: \x1b]0;x\a` + "\nt:\n" + `  | a\r` + "\n" + `  | b\u009b`},
		{"nothing", `{}`, ""},
	} {
		o, err := parseObject([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		lines, err := o.lines("")
		if got := strings.Join(lines, "\n"); err != nil || got != tt.want {
			t.Errorf("%s: got\n%s\n(%v), want\n%s", tt.name, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "[]", `"a"`, `{"a"`, `{"a":}`} {
		if o, err := parseObject([]byte(text)); err == nil {
			t.Errorf("%q: got %v", text, o)
		}
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	o, err := parseObject([]byte(`{"a":"x\ny","b":7,"c":{},"a":"","d":[],"e":""}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want string }{
		{"a", `x\ny`}, {"b", "7"}, {"c", ""}, {"d", ""}, {"e", `""`}, {"f", ""}, {"b", ""},
	} {
		if got := o.take(tt.name); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	lines, err := o.lines("")
	if want := []string{"c: {}", `a: ""`, "d: []"}; err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("left: got %q (%v), want %q", lines, err, want)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`[]`, "[]\n"},
		{`{"b":1.50,"a":"<&>\u003c\/","b":1e2}`, "{\n  \"b\": 1.50,\n  \"a\": \"<&>\\u003c\\/\",\n  \"b\": 1e2\n}\n"},
		{"[\"Zoë 🐈\"]", "[\n  \"Zoë 🐈\"\n]\n"},
		{"[\"\x7f\u009b\u202e\U000e0001\"]", "[\n  \"\\u007f\\u009b\\u202e\\udb40\\udc01\"\n]\n"},
	} {
		var b bytes.Buffer
		if err := writeJSON(&b, []byte(tt.text)); err != nil || b.String() != tt.want {
			t.Errorf("%s: got %s (%v), want %s", tt.text, b.String(), err, tt.want)
		}
		var before, after any
		if err := json.Unmarshal([]byte(tt.text), &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.Bytes(), &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%s: means %v, then %v (%v)", tt.text, before, after, err)
		}
	}
	if err := writeJSON(new(bytes.Buffer), []byte("[\"\x1b\"]")); err == nil {
		t.Error("a control character in a string is not JSON")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", maxColumn+1)
	table := table{heads: []string{"ID", "NAME", "ROUTES"}, rows: []row{
		{cells: []string{"i1", "Zoë"}, last: []string{"GET /a", "GET /b"}, below: []string{"    a: 1", "    b: 2"}},
		{cells: []string{"", long}, last: []string{"x"}},
		{cells: []string{"identity", "n"}},
	}}
	var b bytes.Buffer
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	want := `ID        NAME  ROUTES
i1        Zoë   GET /a
                GET /b
    a: 1
    b: 2
-         ` + long + `  x
identity  n     -
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
