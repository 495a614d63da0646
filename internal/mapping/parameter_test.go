package mapping_test

import (
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// TestParameter: what an expression is as the parameter of a service.
func TestParameter(t *testing.T) {
	t.Parallel()
	long := `{"a":1,"b":"` + strings.Repeat("b", gateway.MappedBody) + `"}`
	scope := mapping.Scope{Variables: map[string]string{"v": "1"}}
	for _, tt := range []struct {
		name, expression, body string
		want, missing          string
		static, whole          bool
		bodies                 int
	}{
		{"text", "a $b", "", "a $b", "", true, false, 0},
		{"nothing", "", "", "", "", true, false, 0},
		{"stage variable", "$stageVariables.v", "", "1", "", true, false, 0},
		{"text and stage variable", "a${stageVariables.v}b", "", "a1b", "", true, false, 0},
		{"no stage variable", "a${stageVariables.w}", "", "", "$stageVariables.w", false, false, 0},
		{"header", "$request.header.h", "", "x", "", false, false, 0},
		{"missing inside of text", "a${request.header.h}${request.header.i}", "", "", "$request.header.i", false, false, 0},
		{"body", "$request.body", long, long, "", false, true, 1},
		{"body in braces", "${request.body}", long, long, "", false, true, 1},
		{"body twice", "${request.body},${request.body}", "b", "b,b", "", false, false, 2},
		{"no body", "$request.body", "", "", "$request.body", false, true, 1},
		{"path", "$request.body.a", `{"a":1}`, "1", "", false, false, 0},
		{"path into what is cut off", "$request.body.a", long, "", "$request.body.a", false, false, 0},
	} {
		e, err := mapping.ParseRequest(tt.expression, scope)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		x := &gateway.Exchange{}
		x.Request.Header = []gateway.Field{{Name: "H", Value: "x"}}
		x.Request.Body = gateway.Body{Bytes: []byte(tt.body), Length: int64(len(tt.body))}
		out, missing := e.AppendParameter([]byte("-"), x, x.Request.Body.Bytes)
		if string(out) != "-"+tt.want || missing != tt.missing {
			t.Errorf("%s: %.100q, %q missing", tt.name, out, missing)
		}
		if len(x.Request.Body.Bytes) != len(tt.body) {
			t.Errorf("%s: the body of the exchange has changed", tt.name)
		}
		if text, ok := e.Static(); ok != tt.static || ok && text != tt.want {
			t.Errorf("%s: static %q, %v", tt.name, text, ok)
		}
		if n, whole := e.Bodies(); n != tt.bodies || whole != tt.whole {
			t.Errorf("%s: %d bodies, %v", tt.name, n, whole)
		}
	}
}
