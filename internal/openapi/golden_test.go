package openapi

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var testOptions = Options{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// print writes a description, one thing a line.
func (d *Description) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "API %s\n", mustJSON(d.API))
	for _, a := range d.Authorizers {
		fmt.Fprintf(&b, "authorizer %s\n  at %s\n", mustJSON(a.Authorizer), a.At)
	}
	for i, in := range d.Integrations {
		fmt.Fprintf(&b, "integration %d %s\n  at %s\n", i, mustJSON(in.Integration), in.At)
	}
	for _, r := range d.Routes {
		fmt.Fprintf(&b, "route %s\n  integration %d authorizer %q at %s\n", mustJSON(r.Route), r.Integration, r.Authorizer, r.At)
	}
	for _, s := range d.Warnings {
		fmt.Fprintf(&b, "warning %s\n", s)
	}
	for _, s := range d.Info {
		fmt.Fprintf(&b, "info %s\n", s)
	}
	return b.String()
}

// documents are the sample documents of testdata: one for each of the tools that
// write them, in their styles.
func documents(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.json", "*.yaml", "*.yml"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Base(file)] = string(text)
		}
	}
	if len(found) < 8 {
		t.Fatalf("found only %d documents", len(found))
	}
	return found
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, document := range documents(t) {
		d, err := Import(document, testOptions)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden(t, name+".golden", []byte(d.print()))
	}
}
