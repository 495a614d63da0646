// Package velocity compares package vtl with Apache Velocity 1.7, on which the mapping
// templates of the service are built.
//
// An ordinary run of the tests renders the templates of corpus/, each of them with what
// Velocity has made of it. With the build tag velocity there is TestDifferential, which makes
// up templates, renders them here and in a Java process that runs Velocity (Oracle.java), and
// makes what differs small; make velocity runs it.
package velocity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"penstock/vtl"
)

// An example is a template, the payload that it reads, and what came out of it: text, or the
// kind of an error, which is "parse" or "exec".
type example struct {
	Template string `json:"t"`
	Payload  string `json:"b,omitempty"`
	Output   string `json:"o,omitempty"`
	Err      string `json:"err,omitempty"`
}

// world is what all templates see beside their payload; Oracle.java has the same.
var world = vtl.Data{
	Params: vtl.Params{
		Querystring: []vtl.Param{{Name: "q", Value: "1"}, {Name: "dup", Value: "qs"}},
		Header:      []vtl.Param{{Name: "X-A", Value: "h1"}, {Name: "dup", Value: "hd"}},
	},
	Context: vtl.Values{
		{Name: "stage", Value: "live"},
		{Name: "n", Value: 1700000000000},
		{Name: "identity", Value: vtl.Values{{Name: "sourceIp", Value: "192.0.2.7"}}},
	},
	StageVariables: map[string]string{"a": "1", "b": "two"},
	Limits:         vtl.Limits{Steps: 5_000_000},
}

// render returns what package vtl makes of a template, and the message of the error.
func render(text, payload string) (outcome example, message string) {
	outcome = example{Template: text, Payload: payload}
	t, err := vtl.Parse(text)
	if err == nil {
		d := world
		d.Body = []byte(payload)
		var result vtl.Result
		result, err = t.Render(context.Background(), d)
		outcome.Output = string(result.Text)
	}
	if err == nil {
		return outcome, ""
	}
	outcome.Err = "unknown"
	if e := (*vtl.Error)(nil); errors.As(err, &e) {
		outcome.Err = e.Kind.String()
	}
	return outcome, err.Error()
}

// readCorpus returns the examples of all files of the corpus.
func readCorpus(t testing.TB) []example {
	t.Helper()
	names, err := filepath.Glob("corpus/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatalf("files %q: %v", names, err)
	}
	var all []example
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parseExamples(t, name, text)...)
	}
	return all
}

// parseExamples parses a file with an example in each line.
func parseExamples(t testing.TB, name string, text []byte) (all []example) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var e example
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %s: %v", name, line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, want := range readCorpus(t) {
		if got, message := render(want.Template, want.Payload); got != want {
			t.Errorf("%q\n got %q, error %q (%s)\nwant %q, error %q", want.Template, got.Output, got.Err, message, want.Output, want.Err)
		}
	}
}
