package lenient

import (
	"fmt"
	"strings"
	"testing"
)

// TestAppendCompact: what is copied, and what is not.
func TestAppendCompact(t *testing.T) {
	t.Parallel()
	many := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"n%d":%d,`, i, i)
		}
		return "{" + b.String() + `"` + last + `":0}`
	}
	for _, tt := range []struct {
		name, in string
		limits   Limits
		max      int
		want     string // "" if it is not copied
	}{
		{"object", ` {"a" : 1, "b":[ ] } `, Limits{}, 100, `{"a":1,"b":[]}`},
		{"numbers", `[0,00,-0,-1,1.50,1e3,999999999999999999,9223372036854775808,5 6]`, Limits{}, 100,
			`[0,0,0,-1,1.5,1000.0,999999999999999999,9223372036854775808,"5 6"]`},
		{"strings", "[\"/\\/\x7f\",\"\\u00e9\u2028\",'a\"',\"\x7f\"]", Limits{}, 100, "[\"//\",\"é\\u2028\",\"a\\\"\",\"\\u007F\"]"},
		{"no quotes", `{a:b c,d:null,,}`, Limits{}, 100, `{"a":"b c","d":null}`},
		{"whatever follows", `[1] x`, Limits{}, 100, `[1]`},
		{"whatever follows, strictly", `[1] x`, Limits{Strict: true}, 100, ""},
		{"strictly", `[1.0]`, Limits{Strict: true}, 100, "[1.0]"},
		{"a name twice", `{"a":1,"\u0061":2}`, Limits{}, 100, ""},
		{"many names", many(40, "m"), Limits{}, 1000, many(40, "m")},
		{"one of many twice", many(40, "n20"), Limits{}, 1000, ""},
		{"the last of few twice", many(17, "n16"), Limits{}, 1000, ""},
		{"the seventeenth twice", many(18, "n16"), Limits{}, 1000, ""},
		{"deep enough", "[[]]", Limits{Depth: 2}, 100, "[[]]"},
		{"too deep", "[[[]]]", Limits{Depth: 2}, 100, ""},
		{"as long as allowed", "[12]", Limits{}, 4, "[12]"},
		{"too long", "[123]", Limits{}, 4, ""},
		{"null", "null", Limits{}, 100, ""},
		{"text", `"a"`, Limits{}, 100, ""},
		{"nothing", "", Limits{}, 100, ""},
		{"not UTF-8", "[\"\xff\"]", Limits{}, 100, ""},
		{"no JSON", `{"a"`, Limits{}, 100, ""},
		{"brackets", "[{]}", Limits{}, 100, ""},
	} {
		got, ok := AppendCompact([]byte("> "), tt.in, tt.limits, tt.max)
		if string(got) != "> "+tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, ok, tt.want)
		}
		if tt.want != "" {
			if v, err := Parse([]byte(tt.in), tt.limits); err != nil || string(AppendJSON(nil, v)) != tt.want {
				t.Errorf("%s: parsed and printed it is %s, %v", tt.name, AppendJSON(nil, v), err)
			}
		}
	}
}

// TestParsedApart: values that were made side by side know nothing of each other.
func TestParsedApart(t *testing.T) {
	t.Parallel()
	v := mustParse(t, `[{"a":"x"},{"b":"y"},["p","q"],["r"]]`).(*List)
	first := v.Items[0].(*Map)
	for i := range 20 {
		first.Put(fmt.Sprint(i), "new")
	}
	letters := v.Items[2].(*List)
	letters.Items = append(letters.Items, "new")
	letters.Items[0] = "P"
	if got := string(AppendJSON(nil, NewList(v.Items[1], v.Items[2], v.Items[3]))); got != `[{"b":"y"},["P","q","new"],["r"]]` {
		t.Errorf("got %s", got)
	}
	if a, ok := first.Get("a"); a != "x" || !ok || first.Len() != 21 {
		t.Errorf("got %v of %d members", a, first.Len())
	}
}
