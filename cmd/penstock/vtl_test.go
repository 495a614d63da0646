package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runVTL runs the command by itself.
func runVTL(t *testing.T, c vtlCommand) (out string, err error) {
	t.Helper()
	var b strings.Builder
	err = c.Run(&program{nil, &b, &b})
	return b.String(), err
}

func TestVTL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + name
	}
	for _, tt := range []struct {
		name    string
		command vtlCommand
		want    string // the output, or the error
	}{
		{"text", vtlCommand{Template: "a $input.body"}, "a {}"},
		{"a body", vtlCommand{Template: `{"id": $input.json('$.id')}`, Body: `{"id": 7}`}, `{"id": 7}`},
		{"files", vtlCommand{Template: file("t", "$input.path('$.a')\n"), Body: file("b", `{"a":"b"}`)}, "b\n"},
		{"params", vtlCommand{Template: "$input.params() $input.params('q')", Params: `{"header":{"B":"1","A":"2"},"querystring":{"q":"x"},"path":{}}`},
			"{path={}, querystring={q=x}, header={B=1, A=2}} x"},
		{"context", vtlCommand{Template: "$context.stage $context.n $context.o.p", Context: `{"stage":"live","n":1.0,"o":{"p":2}}`}, "live 1.0 2"},
		{"stage variables", vtlCommand{Template: "$stageVariables.a", StageVariables: `{"a":"b"}`}, "b"},
		{"no template", vtlCommand{Template: "a\n#if(1)"}, "template:2:1: the directive has no #end"},
		{"a failure", vtlCommand{Template: "a\nb $input.path('$')", Body: "{a"}, "template:2:9: the payload is not JSON"},
		{"nothing to do", vtlCommand{}, "want --template or --jsonl"},
		{"no file", vtlCommand{Template: "@" + filepath.Join(dir, "none")}, "--template: open "},
		{"bad params", vtlCommand{Template: "a", Params: `{"header":{"a":1}}`}, "params: header.a is not a string"},
		{"odd params", vtlCommand{Template: "a", Params: `{"body":{}}`}, `params: "body" is none of path, querystring and header`},
		{"no params", vtlCommand{Template: "a", Params: `{"header":1}`}, `params: "header" is not an object`},
		{"bad context", vtlCommand{Template: "a", Context: `[1]`}, "context: want a JSON object"},
		{"bad stage variables", vtlCommand{Template: "a", StageVariables: `{"a":1}`}, "stage variables: "},
	} {
		out, err := runVTL(t, tt.command)
		if err != nil {
			if out != "" {
				t.Errorf("%s: printed %q before the error", tt.name, out)
			}
			out = err.Error()
		}
		if out != tt.want && (err == nil || !strings.HasPrefix(out, tt.want)) {
			t.Errorf("%s: got %q, want %q", tt.name, out, tt.want)
		}
	}
}

func TestVTLLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want, err string }{
		{"nothing", "\n \n", "", ""},
		{"cases", `{"t":"$input.path('$.a')<","b":"{\"a\":\"é\"}"}
{"t":"$x["}

{"t":"\n$input.path('')","b":"@J"}
{"t":"$context.c $stageVariables.s $input.params('h')","c":{"c":1},"sv":{"s":"v"},"p":{"header":{"h":"i"}}}
{"t":""}
`, `{"o":"é<"}
{"err":"parse","message":"1:4: unexpected end, want a string, an integer or a reference as an index"}
{"err":"exec","message":"2:7: path \"\": ` + "\x00" + `
{"o":"1 v i"}
{"o":""}
`, ""},
		{"no case", "{\"t\":\"a\"}\n[]\n", "{\"o\":\"a\"}\n", "line 2: "},
		{"a bad context", `{"t":"a","c":1}`, "", "line 1: context: want a JSON object"},
	} {
		var out strings.Builder
		err := renderLines(&out, strings.NewReader(tt.in))
		if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.err)
		}
		got, want := strings.SplitAfter(out.String(), "\n"), strings.SplitAfter(tt.want, "\n")
		if len(got) != len(want) {
			t.Errorf("%s: got %q, want %q", tt.name, out.String(), tt.want)
			continue
		}
		for i := range got {
			start, _, part := strings.Cut(want[i], "\x00")
			if got[i] != want[i] && (!part || !strings.HasPrefix(got[i], start)) {
				t.Errorf("%s: line %d: got %q, want %q", tt.name, i+1, got[i], want[i])
			}
		}
	}
}
