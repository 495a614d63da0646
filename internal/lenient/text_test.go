package lenient

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return strings.ReplaceAll(fmt.Sprintf("%T", v), "lenient.", "")
}

// entry is a value that only templates know.
type entry string

func (e entry) AppendText(b []byte) ([]byte, error) {
	if e == "" {
		return b, errors.New("no text")
	}
	return append(b, e...), nil
}

func (e entry) Equal(v any) bool { return v == any(e) }

func TestAppend(t *testing.T) {
	t.Parallel()
	m := &Map{}
	m.Put("a/b", "x/y")
	m.Put("n", nil)
	self := &List{}
	self.Items = []any{int64(1), self}
	selfMap := &Map{}
	selfMap.Put("me", selfMap)
	big1 := new(big.Int).Lsh(big.NewInt(1), 70)
	for _, tt := range []struct {
		name       string
		v          any
		text, json string
	}{
		{"null", nil, "", "null"},
		{"string", "a\"/\n", "a\"/\n", `"a\"/\n"`},
		{"ranges", "\x1f\x7f\u0080\u009f\u00a0\u1fff\u2000\u20ff\u2100", "\x1f\x7f\u0080\u009f\u00a0\u1fff\u2000\u20ff\u2100",
			"\"\\u001F\\u007F\\u0080\\u009F\u00a0\u1fff\\u2000\\u20FF\u2100\""},
		{"list of a template", &List{Items: []any{"a", nil, 1.5, true}}, "[a, null, 1.5, true]", `["a",null,1.5,true]`},
		{"list of JSON", NewList("a/b", nil, m), `["a\/b",null,{"a\/b":"x\/y","n":null}]`, `["a/b",null,{"a/b":"x/y","n":null}]`},
		{"map", m, "{a/b=x/y, n=null}", `{"a/b":"x/y","n":null}`},
		{"list of JSON in one of a template", &List{Items: []any{NewList("a"), m}}, `[["a"], {a/b=x/y, n=null}]`, `[["a"],{"a/b":"x/y","n":null}]`},
		{"list of a template in one of JSON", NewList(&List{Items: []any{"a"}}), `[["a"]]`, `[["a"]]`},
		{"integers", NewList(int64(math.MinInt64), big1), "[-9223372036854775808,1180591620717411303424]", "[-9223372036854775808,1180591620717411303424]"},
		{"infinite", math.Inf(-1), "-Infinity", "null"},
		{"decimal", Decimal("1.10"), "1.10", "1.10"},
		{"empty", NewList(&Map{}, &List{}), "[{},[]]", "[{},[]]"},
		{"other", &List{Items: []any{entry("k=v")}}, "[k=v]", `["k=v"]`},
		{"itself", self, "[1, (this Collection)]", ""},
		{"map of itself", selfMap, "{me=(this Map)}", ""},
	} {
		if got, err := AppendTextMax(nil, tt.v, 1000); err != nil || string(got) != tt.text {
			t.Errorf("%s as text: got %s, %v, want %s", tt.name, got, err, tt.text)
		}
		if got, err := AppendJSONMax(nil, tt.v, 100_000); tt.json != "" && (err != nil || string(got) != tt.json) {
			t.Errorf("%s as JSON: got %s, %v, want %s", tt.name, got, err, tt.json)
		} else if tt.json == "" && err == nil {
			t.Errorf("%s as JSON: got %.100s", tt.name, got)
		}
	}
}

// TestAppendLimits: small values with long texts, and texts without an end.
func TestAppendLimits(t *testing.T) {
	t.Parallel()
	doubled := &List{Items: []any{"x"}}
	for range 60 {
		doubled = &List{Items: []any{doubled, doubled}}
	}
	knot, m := &List{}, &Map{}
	m.Put("l", knot)
	knot.Items = []any{m}
	for _, tt := range []struct {
		name string
		v    any
		want error
	}{
		{"doubled sixty times", doubled, ErrTooLong},
		{"in each other", knot, ErrTooDeep},
		{"long", strings.Repeat("x", 101), ErrTooLong},
		{"long list", NewList(make([]any, 100)...), ErrTooLong},
		{"no text", entry(""), nil},
	} {
		limit := 100
		if tt.want == ErrTooDeep {
			limit = 1 << 20
		}
		if got, err := AppendTextMax([]byte("before"), tt.v, limit); err == nil || tt.want != nil && err != tt.want || len(got) > limit+200 && tt.want == ErrTooLong {
			t.Errorf("%s as text: got %d bytes, %v", tt.name, len(got), err)
		}
		if got, err := AppendJSONMax([]byte("before"), tt.v, limit); err == nil || tt.want != nil && err != tt.want || len(got) > limit+200 && tt.want == ErrTooLong {
			t.Errorf("%s as JSON: got %d bytes, %v", tt.name, len(got), err)
		}
	}
	if got := AppendText(nil, doubled); len(got) < maxText || len(got) > maxText+1000 {
		t.Errorf("without a limit: %d bytes", len(got))
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	parse := func(s string) any { return mustParse(t, s) }
	knot := NewList()
	knot.Items = []any{knot}
	knot2 := NewList()
	knot2.Items = []any{knot2}
	for _, tt := range []struct {
		name string
		x, y any
		want bool
	}{
		{"strings", "a", "a", true},
		{"other strings", "a", "b", false},
		{"string and number", "1", int64(1), false},
		{"null", nil, nil, true},
		{"null and missing", nil, "", false},
		{"integer and double", int64(1), 1.0, false},
		{"doubles", 1.5, 1.5, true},
		{"not a number", math.NaN(), math.NaN(), true},
		{"big", parse("9223372036854775808"), parse("9223372036854775808"), true},
		{"maps in any order", parse(`{"a":1,"b":[2]}`), parse(`{"b":[2],"a":1}`), true},
		{"smaller map", parse(`{"a":1,"b":2}`), parse(`{"a":1}`), false},
		{"other names", parse(`{"a":null}`), parse(`{"b":null}`), false},
		{"lists", &List{Items: []any{"a"}}, NewList("a"), true},
		{"lists in another order", parse("[1,2]"), parse("[2,1]"), false},
		{"longer list", parse("[1]"), parse("[1,1]"), false},
		{"list and map", parse("[]"), parse("{}"), false},
		{"itself", knot, knot, true},
		{"endless", knot, knot2, false},
		{"others", entry("a"), entry("a"), true},
		{"other others", entry("a"), "a", false},
	} {
		steps := 5000
		if got := Equal(tt.x, tt.y, &steps); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
		if (steps < 0) != (tt.name == "endless") {
			t.Errorf("%s: %d steps left", tt.name, steps)
		}
	}
	steps := 50
	if long := make([]any, 100); Equal(NewList(long...), NewList(long...), &steps) || steps >= 0 {
		t.Errorf("a hundred elements in fifty steps: %d left", steps)
	}
}
