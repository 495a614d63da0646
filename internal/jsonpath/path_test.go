package jsonpath

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func mustParse(t testing.TB, s string) Path {
	t.Helper()
	p, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{".a", ".a"},
		{".a.b-c_d", ".a.b-c_d"},
		{".ключ", ".ключ"},
		{".a b", ".a b"},
		{".a[0]", ".a[0]"},
		{"[007]", "[7]"},
		{".0", ".0"},
		{"['a']", ".a"},
		{`["a.b"]`, "['a.b']"},
		{`['']`, "['']"},
		{`['a\'b\\']`, `['a\'b\\']`},
		{`["a\"b"]`, `['a"b']`},
		{`['*'][2147483647]`, `['*'][2147483647]`},
	} {
		p, err := Parse(tt.in)
		if err != nil || p.String() != tt.want {
			t.Errorf("Parse(%q) = %q, %v; want %q", tt.in, p.String(), err, tt.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"a", `offset 0: want "." or "["`},
		{".", "offset 1: want a name"},
		{"..a", "offset 1: want a name"},
		{".a..b", "offset 3: want a name"},
		{".*", `offset 1: a name must not have "*"`},
		{".a]", `offset 2: a name must not have "]"`},
		{".length()", `offset 7: a name must not have "("`},
		{".a\n", "offset 2: a name must not have"},
		{".\xff", "offset 1: a name must not have"},
		{"[", `offset 1: unclosed "["`},
		{"[]", "offset 1: want a name in quotes or an index"},
		{"[*]", "offset 1: want a name in quotes or an index"},
		{"[-1]", "offset 1: want a name in quotes or an index"},
		{"[2147483648]", "offset 1: want a name in quotes or an index"},
		{"[1:2]", `offset 2: want "]"`},
		{"[0", `offset 2: want "]"`},
		{"[?(@.a)]", "offset 1: want a name in quotes or an index"},
		{"['a','b']", `offset 4: want "]"`},
		{"['a", "offset 1: unclosed quote"},
		{`['a\`, "offset 1: unclosed quote"},
		{"['\xff']", "offset 1: the name is not UTF-8"},
		{"[0]a", `offset 3: want "." or "["`},
	} {
		if p, err := Parse(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q) = %v, %v; want %q", tt.in, p, err, tt.want)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }
	for _, tt := range []struct {
		name, path, data string
		want             string // "" for none
	}{
		{"root", "", " [1, 2] ", "[1, 2]"},
		{"member", ".a", `{"a":1}`, "1"},
		{"string stays as it is", ".a", `{"a": "x\n" }`, `"x\n"`},
		{"nested", ".user.id", `{"user":{"id":7}}`, "7"},
		{"object", ".user", `{"user": {"id" : 7} }`, `{"id" : 7}`},
		{"null", ".a", `{"a":null}`, "null"},
		{"element", ".a[1]", `{"a":[0,"b",2]}`, `"b"`},
		{"element of element", "[1][0]", `[[1],[2]]`, "2"},
		{"no such element", "[2]", `[0,1]`, ""},
		{"empty array", "[0]", `[]`, ""},
		{"name of a number", ".0", `{"0":1}`, "1"},
		{"index into an object", "[0]", `{"0":1}`, ""},
		{"name into an array", ".0", `[1]`, ""},
		{"into a scalar", ".a.b", `{"a":"b"}`, ""},
		{"only on its level", ".a", `{"b":{"a":1}}`, ""},
		{"case matters", ".a", `{"A":1}`, ""},
		{"escaped name", ".aé\U0001F600", `{"\u0061\u00E9\ud83d\ude00":1}`, "1"},
		{"escaped and longer", ".a", `{"\u0061b":1}`, ""},
		{"escaped and shorter", ".ab", `{"\u0061":1}`, ""},
		{"half a pair", ".\ufffdx", `{"\ud83dx":1}`, "1"},
		{"empty name", "['']", `{"":1}`, "1"},
		{"the last one counts", ".a", `{"a":1,"a":2}`, "2"},
		{"the last one counts, escaped", ".a", `{"a":1,"\u0061":2}`, "2"},
		{"the last one counts, without what is asked for", ".a.b", `{"a":{"b":1},"a":{"c":2}}`, ""},
		{"the last one counts, a scalar", ".a.b", `{"a":{"b":1},"a":3}`, ""},
		{"another one does not", ".a.b", `{"a":{"b":1},"c":{"b":2}}`, "1"},
		{"deep enough", "", deep(maxDepth), deep(maxDepth)},
		{"too deep", "", deep(maxDepth + 1), ""},
		{"much too deep", "", strings.Repeat(`{"":`, 1<<20), ""},
		{"nothing", "", "", ""},
		{"not JSON", ".a", `a=1`, ""},
		{"broken behind it", ".a", `{"a":1,}`, ""},
		{"more behind it", ".a", `{"a":1} {`, ""},
		{"cut off", ".a", `{"a":1`, ""},
		{"control character", ".a", "{\"a\":\"\n\"}", ""},
		{"not UTF-8", ".a", "{\"a\":\"\xff\"}", ""},
		{"number", "", "-0.5e+10", "-0.5e+10"},
		{"number with a zero before", "", "01", ""},
		{"number without digits", "", "-", ""},
		{"number without a fraction", "", "1.", ""},
		{"number without an exponent", "", "1e", ""},
		{"words", "[2]", "[true,false,null]", "null"},
		{"half a word", "", "nul", ""},
		{"bad word", "", "nulL", ""},
		{"bad escape", "", `"\x"`, ""},
		{"bad hex", "", `"\u00g0"`, ""},
		{"byte order mark", "", "\ufeff1", ""},
		{"no colon", ".a", `{"a" 1}`, ""},
		{"name without quotes", ".a", `{a:1}`, ""},
	} {
		got, ok := mustParse(t, tt.path).Select([]byte(tt.data))
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %v", tt.name, got, ok)
		}
	}
}

// TestSelectPrefix: what is found before a cut.
func TestSelectPrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path, data string
		want             string
	}{
		{"not cut at all", ".a", `{"a":1}`, "1"},
		{"cut behind it", ".a", `{"a":1,"b":"x`, "1"},
		{"cut right behind it", ".a", `{"a":"1"`, `"1"`},
		{"a number may go on", ".a", `{"a":1`, ""},
		{"cut inside of it", ".a", `{"a":{"b":1`, ""},
		{"inside of what is cut", ".a.b", `{"a":{"b":1,`, "1"},
		{"another one begins", ".a", `{"a":1,"a":`, ""},
		{"broken before the cut", ".a", `{"a":1,,"b":"x`, ""},
		{"more behind the root", ".a", `{"a":1}x`, ""},
		{"cut in a character", ".a", "{\"a\":1,\"b\":\"\xc3", "1"},
		{"cut in an escape", ".a", `{"a":1,"b":"\u00`, "1"},
		{"cut in a word", ".a", `{"a":1,"b":tr`, "1"},
		{"not JSON", ".a", `x`, ""},
		{"nothing", "", "", ""},
	} {
		got, ok := mustParse(t, tt.path).SelectPrefix([]byte(tt.data))
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %v", tt.name, got, ok)
		}
	}
}

func TestAppendText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value, want string
		none        bool
	}{
		{value: `"a"`, want: "a"},
		{value: `""`, want: ""},
		{value: `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d"`, want: "\"\\/\b\f\n\r\té\U0001F600\ufffd"},
		{value: `"\ud83d\u0061"`, want: "\ufffda"},
		{value: "-1.50", want: "-1.50"},
		{value: "true", want: "true"},
		{value: "null", none: true},
		{value: "{ \"a b\" :\t[1,\r\n\" \\\" \"] }", want: `{"a b":[1," \" "]}`},
		{none: true},
	} {
		if got, ok := AppendText([]byte("> "), []byte(tt.value)); string(got) != "> "+tt.want || ok == tt.none {
			t.Errorf("%s: got %q, %v", tt.value, got, ok)
		}
	}
}

// FuzzParse: parse, print, parse gives the same path.
func FuzzParse(f *testing.F) {
	for _, s := range []string{".a[0]['b.c']", `["a\"b"].ключ`, "..a", "[?(@.x)]", ".*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(p.String())
		if err != nil || again.String() != p.String() || len(again.steps) != len(p.steps) {
			t.Fatalf("%q prints as %q, which is %v, %v", s, p.String(), again, err)
		}
		for i := range p.steps {
			if p.steps[i] != again.steps[i] {
				t.Fatalf("%q: step %d is %v, then %v", s, i, p.steps[i], again.steps[i])
			}
		}
	})
}

// reference selects as encoding/json reads.
func reference(p Path, data []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	for _, s := range p.steps {
		if s.index >= 0 {
			a, ok := v.([]any)
			if !ok || s.index >= len(a) {
				return nil, false
			}
			v = a[s.index]
			continue
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[s.name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// FuzzSelect: Select finds what encoding/json finds. What is found in any text that
// has been cut off is a value.
func FuzzSelect(f *testing.F) {
	for _, s := range [][2]string{
		{".a.b", `{"a":{"b":[1,2,{"c":null}]},"a":{"b":"\u00e9\ud83d"}}`},
		{"[1][0]", `[0,[true,-1.5e+3]]`},
		{"['']", `{"":{"":"\\"},"x":"y"}`},
		{"", "\"\\u0000\""},
		{".a", `{"a":1,"a"`},
	} {
		f.Add(s[0], []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		p, err := Parse(path)
		if err != nil {
			return
		}
		if value, ok := p.SelectPrefix(data); ok && !json.Valid(value) {
			t.Fatalf("%s of %q is %q", path, data, value)
		}
		value, ok := p.Select(data)
		if !utf8.Valid(data) {
			if ok && json.Valid(data) == false {
				t.Fatalf("found %q in %q", value, data)
			}
			return
		}
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth {
			return
		}
		want, there := reference(p, data)
		if ok != there {
			t.Fatalf("%s of %q: got %q, %v; want %v, %v", path, data, value, ok, want, there)
		}
		if !ok {
			return
		}
		wanted, _ := json.Marshal(want)
		d := json.NewDecoder(bytes.NewReader(value))
		d.UseNumber()
		var got any
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%s of %q is %q: %v", path, data, value, err)
		}
		if again, _ := json.Marshal(got); !bytes.Equal(again, wanted) {
			t.Fatalf("%s of %q: got %s, want %s", path, data, again, wanted)
		}
		text, ok := AppendText(nil, value)
		if s, is := want.(string); is && string(text) != s || ok != (want != nil) {
			t.Fatalf("text of %q is %q, %v", value, text, ok)
		}
		switch want.(type) {
		case map[string]any, []any:
			var compact bytes.Buffer
			if json.Compact(&compact, value); !bytes.Equal(compact.Bytes(), text) {
				t.Fatalf("text of %q is %q, want %q", value, text, compact.Bytes())
			}
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	data := []byte(`{"pets":[` + strings.Repeat(`{"id":1,"name":"Ada","tags":["a","b"],"owner":{"name":"Bob","born":1815}},`, 50) + `{}],"user":{"id":7}}`)
	p := mustParse(b, ".user.id")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if v, ok := p.Select(data); !ok || len(v) != 1 {
			b.Fatal(string(v))
		}
	}
}
