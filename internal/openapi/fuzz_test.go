package openapi

import (
	"errors"
	"strings"
	"testing"
)

// Whatever a document has, it is imported or refused with problems that say
// something. What is imported can be exported and imported again, as the same API.
func FuzzImport(f *testing.F) {
	for _, document := range documents(f) {
		f.Add(document, "prepend")
	}
	for _, document := range hostile(500) {
		if len(document) < 2000 { // what is long takes long to be made short
			f.Add(document, "split")
		}
	}
	f.Add(secured("security: [{lambda: [a]}], x-amazon-apigateway-auth: {type: NONE}"), "")
	f.Fuzz(func(t *testing.T, document, mode string) {
		Tags(document, Options{})
		d, err := Import(document, Options{BasePath: mode, Partition: "aws", Region: "r", Account: "1"})
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) || len(refused.Problems) == 0 || strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("%v is no error of a document", err)
			}
			return
		}
		api, r := build(d)
		for _, yaml := range []bool{false, true} {
			o := ExportOptions{YAML: yaml, Extensions: true, Endpoint: endpoint}
			first, err := Export(api, r, o)
			if err != nil {
				t.Fatalf("%v\n%s", err, d.print())
			}
			again, err := Import(string(first), testOptions)
			if err != nil {
				t.Fatalf("%v\n%s", err, first)
			}
			api2, r2 := build(again)
			second, err := Export(api2, r2, o)
			if err != nil || string(second) != string(first) {
				t.Fatalf("%v: got\n%s\nwant\n%s", err, second, first)
			}
		}
	})
}
