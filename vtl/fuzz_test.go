package vtl

import (
	"context"
	"errors"
	"testing"
)

// fuzzLimits make renderings short.
var fuzzLimits = Limits{Steps: 5000, Output: 1 << 16, String: 1 << 16, Work: 1 << 20, Range: 5000}

func addSeeds(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.Template, v.Body)
	}
}

// FuzzParse: whatever a template is, it parses or there is an error with a position.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text, body string) {
		template, err := Parse(text)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != ParseError || e.Line < 1 || e.Column < 1 {
				t.Fatalf("%q: an error that is none: %v", text, err)
			}
			return
		}
		if template.String() != text {
			t.Fatalf("%q is printed as %q", text, template)
		}
	})
}

// FuzzRender: whatever a template does, it ends, with a text or an error of its own.
func FuzzRender(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text, body string) {
		template, err := Parse(text)
		if err != nil {
			return
		}
		d := Data{Body: []byte(body), Limits: fuzzLimits, StageVariables: map[string]string{"a": "1"},
			Context: Values{{"a", Values{{"b", 1}}}}}
		result, err := template.Render(context.Background(), d)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != ExecError {
				t.Fatalf("%q: an error that is none: %v", text, err)
			}
			return
		}
		again, err := template.Render(context.Background(), d)
		if err != nil || string(again.Text) != string(result.Text) {
			t.Fatalf("%q: %q at first, then %q, %v", text, result.Text, again.Text, err)
		}
		result.Overrides.Request()
		result.Overrides.Response()
	})
}
