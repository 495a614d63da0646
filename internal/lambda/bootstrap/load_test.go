package bootstrap

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// functions are the same functions in both languages.
var functions = []struct {
	name, runtime, echo, large, count, flood string
}{
	{"node", "nodejs22.x", "index.echo", "index.large", "index.count", "index.flood"},
	{"python", "python3.13", "app.echo", "app.large", "app.count", "app.flood"},
}

// Answers and events of 6 MB arrive whole, also one after the other on one connection.
func TestLarge(t *testing.T) {
	t.Parallel()
	const size = 6<<20 - 64
	for _, tt := range functions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.runtime, tt.large)
			for range 2 {
				got, ok := p.invoke(fmt.Sprintf(`{"length":%d}`, size), nil)
				if want := `"` + strings.Repeat("x", size) + `"`; !ok || got.body != want {
					t.Errorf("got %d bytes, want %d", len(got.body), len(want))
				}
			}
			p = start(t, tt.runtime, tt.count)
			for range 2 {
				// Two bytes a character: some are cut by the ends of segments.
				got, ok := p.invoke(`{"text":"`+strings.Repeat("ü", size/2)+`"}`, nil)
				if want := fmt.Sprint(size / 2); !ok || got.body != want {
					t.Errorf("got %.100s, want %s", got.body, want)
				}
			}
		})
	}
}

// One process works on one invocation after another, and does not grow.
func TestMany(t *testing.T) {
	t.Parallel()
	for _, tt := range functions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.runtime, tt.echo)
			payload := `"` + strings.Repeat("x", 10000) + `"`
			var before int
			for i := range 2000 {
				if i == 1000 { // the heap has the size that it needs
					before = p.resident()
				}
				got, ok := p.invoke(payload, nil)
				if want := "invocation/" + requestID(i+1) + "/response"; !ok || got.path != want || got.body != payload {
					t.Fatalf("got %s %.100s, want %s\n%s", got.path, got.body, want, p.stderr())
				}
			}
			// What leaks a payload each time grows by 10 MB.
			if after := p.resident(); after > before+6<<10 {
				t.Errorf("the process uses %d KiB after 2000 invocations, %d after 1000", after, before)
			}
		})
	}
}

// Nothing of much output is lost, even if it is more than the pipe holds.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, tt := range functions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.runtime, tt.flood)
			if got, ok := p.invoke(`{}`, nil); !ok || got.body != "null" {
				t.Fatalf("got %v", got)
			}
			lines := p.lines(3000)
			if len(lines) != 3000 {
				t.Fatalf("got %d lines, want 3000", len(lines))
			}
			for i, line := range lines {
				if !strings.HasSuffix(line, strings.Repeat("x", 100)) {
					t.Fatalf("line %d is %q", i, line)
				}
			}
		})
	}
}

// An error of one invocation is none of the next.
func TestErrorThenAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ runtime, handler, bad, good, want string }{
		{"nodejs22.x", "index.callback", `{"error":"boom"}`, `{"a":1}`, `{"a":1}`},
		{"nodejs24.x", "index.echo", `{`, `{"a":1}`, `{"a":1}`},
		{"python3.13", "app.values", `"object"`, `"tuple"`, `[1, 2]`},
	} {
		t.Run(tt.runtime, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.runtime, tt.handler)
			for range 3 {
				if got, _ := p.invoke(tt.bad, nil); !strings.HasSuffix(got.path, "/error") || !json.Valid([]byte(got.body)) {
					t.Errorf("got %s %s, want an error", got.path, got.body)
				}
				if got, _ := p.invoke(tt.good, nil); !strings.HasSuffix(got.path, "/response") || got.body != tt.want {
					t.Errorf("got %s %s, want %s", got.path, got.body, tt.want)
				}
			}
		})
	}
}
