package selection

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// readLines reads the lines of a file of vectors.
func readLines[T any](t testing.TB, name string) []T {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []T
	for line := range bytes.Lines(data) {
		var l T
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%s: %s: %v", name, line, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func mustParse(t testing.TB, text string) *Expression {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestExpressionVectors: what expressions make of messages.
func TestExpressionVectors(t *testing.T) {
	t.Parallel()
	type vector struct {
		Shared        string `json:"@B0"` // the message that others name
		ID, Expr, Key string
		Body          string
		NonJSON       bool
	}
	var shared string
	seen := 0
	for _, tt := range readLines[vector](t, "expressions.jsonl") {
		if tt.Shared != "" {
			shared = tt.Shared
			continue
		}
		seen++
		if tt.Body == "@B0" {
			tt.Body = shared
		}
		e, err := Parse(tt.Expr)
		if err != nil {
			t.Errorf("%s: %v", tt.ID, err)
			continue
		}
		got, err := e.Append([]byte("> "), &Values{Message: &Message{Text: []byte(tt.Body)}})
		if string(got) != "> "+tt.Key || errors.Is(err, ErrNotJSON) != tt.NonJSON || err != nil && !tt.NonJSON {
			t.Errorf("%s: %s of %s: got %q, %v; want %q, not JSON %v", tt.ID, tt.Expr, tt.Body, got, err, tt.Key, tt.NonJSON)
		}
	}
	if seen != 35 {
		t.Errorf("%d vectors", seen)
	}
}

// TestRouteVectors: the routes of messages.
func TestRouteVectors(t *testing.T) {
	t.Parallel()
	type vector struct {
		ID, Body, Expr string
		Routes         []string
		Route          *string
	}
	vectors := readLines[vector](t, "routes.jsonl")
	if len(vectors) != 19 {
		t.Errorf("%d vectors", len(vectors))
	}
	for _, tt := range vectors {
		if tt.Expr == "" {
			tt.Expr = "$request.body.action"
		}
		if tt.Routes == nil {
			tt.Routes = strings.Fields("join chat/join 1 true $default")
		}
		for _, control := range []bool{false, true} {
			// Routes of control events are there or not, and never are what a message has.
			keys := tt.Routes
			if control {
				keys = append(keys, "$connect", "$disconnect")
			}
			routes := make(map[string]string)
			for _, key := range keys {
				routes[key] = key
			}
			got, found, _ := SelectRoute(routes, mustParse(t, tt.Expr), &Values{Message: &Message{Text: []byte(tt.Body)}})
			if found != (tt.Route != nil) || found && got != *tt.Route {
				t.Errorf("%s: %s of %s: got %q, %v", tt.ID, tt.Expr, tt.Body, got, found)
			}
		}
	}
}
