package vtl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A vector is a template with what it gives: those in vectors.jsonl in the service, those
// in the other files in Apache Velocity 1.7 as the service has it.
type vector struct {
	ID       string                     `json:"id"`
	Template string                     `json:"t"`
	Body     string                     `json:"b"`
	Params   map[string]json.RawMessage `json:"p"`
	Context  json.RawMessage            `json:"c"`
	Stage    map[string]string          `json:"sv"`
	Output   string                     `json:"o"`
	Err      string                     `json:"err"`
	After    *string                    `json:"ctx"`
}

// data returns what the template of the vector sees.
func (v *vector) data(t testing.TB) Data {
	d := Data{Body: []byte(v.Body), StageVariables: v.Stage}
	for name, part := range map[string]*[]Param{
		"path": &d.Params.Path, "querystring": &d.Params.Querystring, "header": &d.Params.Header,
	} {
		if v.Params[name] == nil {
			continue
		}
		values, err := ParseValues(v.Params[name])
		if err != nil {
			t.Fatalf("%s: params: %v", v.ID, err)
		}
		for _, e := range values {
			*part = append(*part, Param{e.Name, e.Value.(string)})
		}
	}
	if v.Context != nil {
		var err error
		if d.Context, err = ParseValues(v.Context); err != nil {
			t.Fatalf("%s: context: %v", v.ID, err)
		}
	}
	return d
}

// readVectors returns the vectors of all files.
func readVectors(t testing.TB) []vector {
	t.Helper()
	names, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(names) < 3 {
		t.Fatalf("files %q: %v", names, err)
	}
	var all []vector
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var v vector
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%s: %s: %v", name, line, err)
			}
			all = append(all, v)
		}
	}
	return all
}

// runVector parses and renders a template, and returns the kind of the error.
func runVector(t testing.TB, v *vector) (result Result, kind string, err error) {
	template, err := Parse(v.Template)
	if err == nil {
		result, err = template.Render(context.Background(), v.data(t))
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		kind = e.Kind.String()
	} else if err != nil {
		t.Errorf("%s: an error of type %T: %v", v.ID, err, err)
	}
	return result, kind, err
}

func TestVectors(t *testing.T) {
	t.Parallel()
	vectors := readVectors(t)
	if len(vectors) < 1500 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, v := range vectors {
		result, kind, err := runVector(t, &v)
		if kind != v.Err || string(result.Text) != v.Output {
			t.Errorf("%s: %s\n got %q, error %q (%v)\nwant %q, error %q", v.ID, v.Template, result.Text, kind, err, v.Output, v.Err)
		}
		if v.After != nil && result.Overrides.Context() != *v.After {
			t.Errorf("%s: $context is\n     %s\nwant %s", v.ID, result.Overrides.Context(), *v.After)
		}
	}
}
