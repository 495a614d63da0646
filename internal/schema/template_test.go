package schema

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample returns what a template is if each of its lists has one element.
func sample(t *testing.T, template string) string {
	t.Helper()
	lines := strings.Split(template, "\n")
	if lines[0] != "#set($inputRoot = $input.path('$'))" {
		t.Fatalf("the first line is %s", lines[0])
	}
	var kept []string
	loops := 0
	for _, line := range lines[1:] {
		switch line := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "#foreach("):
			loops++
		case line == "#end":
			loops--
		case line == "#if($foreach.hasNext),#end":
		default:
			kept = append(kept, line)
		}
		if loops < 0 {
			t.Fatalf("a loop ends that has not begun:\n%s", template)
		}
	}
	if loops != 0 {
		t.Fatalf("%d loops do not end:\n%s", loops, template)
	}
	return strings.Join(kept, "\n")
}

// checkSample fails if what a template writes is not JSON, or has something of the
// template language in it.
func checkSample(t *testing.T, template string) {
	t.Helper()
	s := sample(t, template)
	if !json.Valid([]byte(s)) {
		t.Fatalf("not JSON:\n%s", s)
	}
	if strings.ContainsAny(s, "#$") {
		t.Fatalf("something is left of the template language:\n%s", s)
	}
}

func TestTemplate(t *testing.T) {
	schemas, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(schemas) < 8 {
		t.Fatalf("found only %d schemas: %v", len(schemas), err)
	}
	for _, file := range schemas {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Template(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		checkSample(t, got)
		golden := strings.TrimSuffix(file, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got+"\n" != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", golden, got, want)
		}
	}
}

// One line of a template is enough for these.
func TestTemplateOfOneValue(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"string", `{"type":"string"}`, `"foo"`},
		{"integer", `{"type":"integer"}`, `42`},
		{"number", `{"type":"number"}`, `42`},
		{"boolean", `{"type":"boolean"}`, `true`},
		{"null", `{"type":"null"}`, `null`},
		{"nothing", `{}`, `{}`},
		{"object without properties", `{"type":"object"}`, `{}`},
		{"properties that are none", `{"type":"object","properties":[1]}`, `{}`},
		{"list of anything", `{"type":"array"}`, `[]`},
		{"list of no schema", `{"items":true}`, `[]`},
		{"empty tuple", `{"items":[]}`, `[]`},
		{"several types", `{"type":["null","integer","string"]}`, `42`},
		{"several types, null only", `{"type":["null"]}`, `null`},
		{"no types", `{"type":[]}`, `{}`},
		{"unknown type", `{"type":"text"}`, `{}`},
		{"alternatives", `{"oneOf":[{"type":"string"}]}`, `{}`},
		{"enum", `{"type":"string","enum":["b","a"]}`, `"b"`},
		{"enum of numbers", `{"enum":[1.50e2]}`, `1.50e2`},
		{"enum of null", `{"enum":[null,1]}`, `null`},
		{"enum of false", `{"enum":[false]}`, `false`},
		{"enum of nothing", `{"enum":[],"type":"string"}`, `"foo"`},
		{"quotes", `{"enum":["\"\\\u0001é<&"]}`, `"\"\\\u0001é<&"`},
		{"template language", `{"enum":["#end $x #set($y) \\$z ##"]}`, `"\u0023end \u0024x \u0023set(\u0024y) \\\u0024z \u0023\u0023"`},
		{"reference", `{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`, `"foo"`},
		{"reference by an anchor", `{"$ref":"#a","definitions":{"a":{"id":"#a","type":"string"}}}`, `"foo"`},
		{"reference to a model", `{"$ref":"` + petModel + `"}`, `{}`},
		{"reference to nowhere", `{"$ref":"#/definitions/a"}`, `{}`},
		{"reference to itself", `{"$ref":"#"}`, `{}`},
		{"reference in a loop", `{"$ref":"#/a","a":{"$ref":"#/b"},"b":{"$ref":"#/a"}}`, `{}`},
		{"reference that is none", `{"$ref":1,"type":"string"}`, `{}`},
		{"other draft", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"string"}`, `"foo"`},
	} {
		got, err := Template(tt.schema)
		if want := "#set($inputRoot = $input.path('$'))\n" + tt.want; err != nil || got != want {
			t.Errorf("%s: got %v\n%s\nwant\n%s", tt.name, err, got, want)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for _, tt := range []struct{ schema, want string }{
		{``, `#: the schema is not JSON: byte 0: unexpected end of JSON input`},
		{`[{}]`, `#: must be an object`},
		{`"x"`, `#: must be an object`},
		{`{"type":"string","type":"null"}`, `#/type: stands twice`},
	} {
		if got, err := Template(tt.schema); err == nil || err.Error() != tt.want || got != "" {
			t.Errorf("%s: got %q, %v, want %s", tt.schema, got, err, tt.want)
		}
	}
}

// A small schema does not make a template without end.
func TestTemplateIsBounded(t *testing.T) {
	for _, tt := range []struct{ name, schema string }{
		{"expansion", expansion(20)},
		{"expansion without end", `{"properties":{"a":{"$ref":"#"},"b":{"items":{"$ref":"#"}},"c":{"items":[{"$ref":"#"}]}}}`},
		{"each leads to all others", `{"$ref":"#/d/0","d":[` + strings.TrimSuffix(strings.Repeat(
			`{"properties":{"a":{"$ref":"#/d/1"},"b":{"$ref":"#/d/2"},"c":{"$ref":"#/d/3"},"d":{"$ref":"#/d/4"}}},`, 5), ",") + `]}`},
		{"a chain of references", `{"$ref":"#/d/0","d":[` + func() string {
			var b strings.Builder
			for i := range 200 {
				b.WriteString(`{"items":{"$ref":"#/d/` + string(rune('0'+(i+1)%10)) + `"}},`)
			}
			return b.String() + `{}]}`
		}()},
	} {
		got, err := Template(tt.schema)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		checkSample(t, got)
		if len(got) > 2*maxTemplate {
			t.Errorf("%s: got %d bytes", tt.name, len(got))
		}
	}
	got, _ := Template(expansion(20))
	if len(got) < maxTemplate {
		t.Errorf("details end after %d bytes", len(got))
	}
}

func FuzzTemplate(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`{"enum":[{"#end":"$x","a":[[],{}]}]}`)
	f.Add(`{"properties":{"'\n":{"items":{"items":{"enum":["\\$"]}}},"":{}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Template(s)
		if err != nil {
			if Check(s) == nil {
				t.Fatalf("a good schema has no template: %v", err)
			}
			return
		}
		if len(got) > 1<<20 {
			t.Fatalf("got %d bytes", len(got))
		}
		if !strings.Contains(s, "\\n") && !strings.Contains(s, "u000") { // names with line breaks make loops of several lines
			checkSample(t, got)
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	const s = `{"type":"object","properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}}}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Template(s); err != nil {
			b.Fatal(err)
		}
	}
}
