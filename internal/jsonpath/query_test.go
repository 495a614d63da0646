package jsonpath

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"penstock/internal/lenient"
)

func mustQuery(t testing.TB, text string) *Query {
	t.Helper()
	q, err := ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func mustValue(t testing.TB, text string) any {
	t.Helper()
	v, err := lenient.Parse([]byte(text), lenient.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// selected returns what a path leads to as JSON, "none" or the error.
func selected(q *Query, root any) string {
	v, found, err := q.Select(root)
	switch {
	case err != nil:
		return err.Error()
	case !found:
		return "none"
	}
	return string(lenient.AppendJSON(nil, v))
}

// TestQueries: paths, and what the service's own library selects. What is missing is null
// there.
func TestQueries(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/queries.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	documents := map[string]string{}
	paths := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		var tt struct {
			Document, In, Path, JSON string
			Err                      bool
		}
		if err := json.Unmarshal(s.Bytes(), &tt); err != nil {
			t.Fatalf("%s: %v", s.Bytes(), err)
		}
		if tt.Path == "" && !tt.Err {
			documents[tt.Document] = tt.In
			continue
		}
		paths++
		if tt.Document != "" {
			tt.In = documents[tt.Document]
		}
		root := mustValue(t, tt.In)
		q, err := ParseQuery(tt.Path)
		got := ""
		if err == nil {
			var v any
			v, _, err = q.Select(root)
			got = string(lenient.AppendJSON(nil, v))
		}
		if tt.Err {
			if err == nil {
				t.Errorf("%s: got %s, want an error", tt.Path, got)
			}
			continue
		}
		if err != nil || got != tt.JSON {
			t.Errorf("%s of %s: got %s, %v, want %s", tt.Path, tt.Document, got, err, tt.JSON)
		}
		again, err := ParseQuery(q.String())
		if err != nil || again.String() != q.String() {
			t.Errorf("%s is printed as %s, which is %v, %v", tt.Path, q, again, err)
			continue
		}
		if got := selected(again, root); got != selected(q, root) {
			t.Errorf("%s is printed as %s, which selects %s", tt.Path, q, got)
		}
	}
	if paths < 350 {
		t.Errorf("only %d paths", paths)
	}
}

// TestQuery: what is decided here and not by the library.
func TestQuery(t *testing.T) {
	t.Parallel()
	const doc = `{"a":{"b":[{"x":1,"y":"s"},{"x":2},{"x":null}],"n":null},"list":[5,1,9],"words":["b","a"],"yes":true,
		"maps":[{"k":{}},{"k":{"z":1}}],"deep":{"p":[{"v":1,"p":[{"v":2}]}]},"it's \\":7,"":8,"é":9,"t\tb":10,"e":[],"nums":["10",10,10.0,"x"]}`
	for _, tt := range []struct{ name, path, want string }{
		{"null is there", "$.a.n", "null"},
		{"missing is not", "$.a.m", "none"},
		{"through null", "$.a.n.x", "none"},
		{"many of nothing", "$.m[*].x", "[]"},
		{"without a root", "a.b[0].x", "1"},
		{"beginning with a bracket", "['a']", `offset 0: want a name`},
		{"wildcard without a root", "*", `[{"b":[{"x":1,"y":"s"},{"x":2},{"x":null}],"n":null},[5,1,9],["b","a"],true,[{"k":{}},{"k":{"z":1}}],{"p":[{"v":1,"p":[{"v":2}]}]},7,8,9,10,[],["10",10,10.0,"x"]]`},
		{"escapes in a name", `$['it\'s \\']`, "7"},
		{"other quotes", `$["it's \\"]`, "7"},
		{"empty name", "$['']", "8"},
		{"escaped letter", `$['\u00e9']`, "9"},
		{"escaped tab", `$["t\tb"]`, "10"},
		{"half a pair", `$['\ud83d']`, "none"},
		{"a pair", `$['\ud83d\ude00']`, "none"},
		{"one bad digit behind half a pair", `$['\ud83d\ug']`, "offset 10: want four hexadecimal digits"},
		{"letters", "$.é", "9"},
		{"bracket behind a dot", "$.list.[0]", "5"},
		{"name behind a bracket", "$.a.b[0]x", "1"},
		{"slice with blanks", "$.list[ 0 : 2 ]", "[5,1]"},
		{"slice with a step", "$.list[0:3:2]", "[5,1,9]"},
		{"slice from far before", "$.list[-2147483648:2]", "[5,1,9,5,1]"},
		{"several names", "$.a.b[0]['y','x','z']", `{"y":"s","x":1}`},
		{"several names of many", "$.a.b[*]['y','x']", `[{"y":"s","x":1},{"x":2},{"x":null}]`},
		{"null matches no path", "$.a.b[?(@.x)].x", "[1,2,null]"},
		{"null is null", "$.a.b[?(@.x == null)]", `[{"x":null}]`},
		{"missing is not null", "$.a.b[?(@.y == null)]", "[]"},
		{"missing is unequal", "$.a.b[?(@.y != 's')].x", "[2,null]"},
		{"missing is not smaller", "$.a.b[?(@.y < 't')].x", "[1]"},
		{"from the root", "$.a.b[?($.yes)].x", "[1,2,null]"},
		{"both from the root", "$.a.b[?($.list[1] == @.x)].x", "[1]"},
		{"and without blanks", "$.a.b[?(@.x&&@.y)].x", "[1]"},
		{"or without blanks", "$.a.b[?(@.y||@.x==2)].x", "[1,2]"},
		{"not without a path", "$.a.b[?(!(@.x==2)&&!@.y)].x", "[null]"},
		{"twice not", "$.a.b[?(!!@.y)].x", "[1]"},
		{"and binds tighter", "$.list[?(@ == 5 || @ == 1 && @ == 9)]", "[5]"},
		{"operators in capitals", "$.list[?(@ NIN [5])]", "[1,9]"},
		{"in without blanks", "$.list[?(@ in[5,9])]", "[5,9]"},
		{"number in a string", "$.nums[?(@ == 10)]", `["10",10,10.0]`},
		{"string of a number", "$.nums[?('10' == @)]", `["10",10]`},
		{"string with a sign", "$.nums[?(@ == '+10')]", `[10,10.0]`},
		{"string from the point", "$.list[?(@ == '.5')]", `[]`},
		{"empty objects", "$.maps[?(@.k empty true)]", `[{"k":{}}]`},
		{"filled objects", "$.maps[?(@.k empty false)]", `[{"k":{"z":1}}]`},
		{"empty of a number", "$.list[?(@ empty true)]", "[]"},
		{"senseless", "$.list[?(!(@ in 5))]", "[]"},
		{"senseless, but not looked at", "$.list[?(@ == 5 || @ in 5)]", "[5]"},
		{"size of half", "$.words[?(@ size 1.5)]", `["b","a"]`},
		{"size in Java's characters", `$[?(@ == 1)]..x`, "[]"},
		{"filter in a filter", "$.deep.p[?(@.p[?(@.v == 2)])].v", "[1]"},
		{"filter of a number", "$.yes[?(@.x)]", ErrFilter.Error()},
		{"filter of many numbers", "$.list[*][?(@.x)]", "[]"},
		{"deep in itself", "$..p..v", "[1,2,2]"},
		{"function of many", "$.maps[*].k.length()", "[0,1]"},
		{"function of a deep scan", "$..v.sum()", "3.0"},
		{"function of an empty list", "$.e.max()", ErrEmpty.Error()},
		{"element beyond", "$.list.index(9)", ErrEmpty.Error()},
		{"function of nothing", "$.m.max()", "none"},
		{"function with a function", "$.max($.list, $.list.length(), 2.5)", "9.0"},
		{"text of a list", `$.concat("x", 'y', $.words)`, `"xyba"`},
		{"appended", "$.list.append([1], {'a':'b'}, null, $.yes)", `[5,1,9,[1],{"a":"b"},null,true]`},
		{"not appended for good", "$.list.append(4).length()", "4"},
		{"step behind a function", "$.a.keys()[0]", `"b"`},
		{"function in a filter", "$.maps[?(@.k.length() > 0)]", `[{"k":{"z":1}}]`},
	} {
		q, err := ParseQuery(tt.path)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = selected(q, mustValue(t, doc))
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: %s: got %s, want %s", tt.name, tt.path, got, tt.want)
		}
	}
}

func TestQueryErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", "offset 0: want a path"},
		{"  ", "offset 0: want a path"},
		{" $.a", "offset 0: a name must not have blanks"},
		{"$.", "offset 2: want a name"},
		{"$..", "offset 3: want a name"},
		{"$...a", "offset 3: want a name"},
		{"$a", `offset 1: want "." or "["`},
		{"$.a b", "offset 3: a name must not have blanks"},
		{"$[", `offset 2: unclosed "["`},
		{"$[0", `offset 3: want "]"`},
		{"$[]", `offset 2: unexpected ']'`},
		{"$[é]", `offset 2: unexpected 'é'`},
		{"$['a", "offset 2: unclosed quote"},
		{`$['a\`, "offset 2: unclosed quote"},
		{"$['a',]", "offset 6: want a name in quotes"},
		{"$['a' 'b']", `offset 6: want "]"`},
		{"$[0,]", "offset 4: want an index"},
		{"$[-]", "offset 2: want an index"},
		{"$[:]", "offset 3: want an index"},
		{"$[::1]", "offset 3: want an index"},
		{"$[2147483648]", "offset 2: want an index"},
		{"$.a.nope()", `offset 4: unknown function "nope"`},
		{"$..length()", "offset 3: want a name"},
		{"$.a.min(", `offset 8: want ")"`},
		{"$.a.min(1 2)", `offset 10: want ","`},
		{"$.a.min(x)", "offset 8: want a value"},
		{"$.a.min([1)", `offset 8: want a value`},
		{"$.a.index()", "offset 4: want one index"},
		{"$.a.index(x)", "offset 10: want a value"},
		{"$[?]", `offset 3: want "("`},
		{"$[?()]", "offset 4: want a value"},
		{"$[?(@.a]", "offset 8: want an operator"},
		{"$[?(@.a)", `offset 8: want "]"`},
		{"$[?(1)]", "offset 4: want a path or a comparison"},
		{"$[?(@.a = 1)]", "offset 8: want an operator"},
		{"$[?(@.a like 1)]", "offset 8: want an operator"},
		{"$[?(@.a == )]", "offset 11: want a value"},
		{"$[?(@.a == x)]", "offset 11: want a value"},
		{"$[?(@.a == 'x)]", "offset 11: unclosed quote"},
		{"$[?(@.a == [1)]", `offset 15: want ")"`},
		{"$[?(@.a == 1 &&)]", "offset 15: want a value"},
		{"$[?(@.a == 1 & @.b)]", `offset 13: want ")"`},
		{"$[?((@.a)]", `offset 9: want ")"`},
		{"$[?(@.a =~ 'x')]", "offset 10: want a pattern"},
		{"$[?(@.a =~ /x)]", "offset 11: unclosed pattern"},
		{"$[?(@.a =~ /(/)]", "offset 11: pattern: unclosed ("},
		{"$[?(@.a =~ /(?=x)/)]", "offset 11: pattern: looking around is not supported"},
		{"$" + strings.Repeat("[?(@", 100), "nested deeper than 50"},
		{"$[?(" + strings.Repeat("(", 1000), "nested deeper than 50"},
		{"$[?(" + strings.Repeat("!", 1000), "nested deeper than 50"},
		{strings.Repeat("$.min(", 1000), "nested deeper than 50"},
		{strings.Repeat("a", maxQuery+1), "longer than 65536 bytes"},
	} {
		if q, err := ParseQuery(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: got %v, %v, want %s", tt.in, q, err, tt.want)
		}
	}
}

func TestQueryString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"a.b", "$['a']['b']"},
		{"@", "@"},
		{`$["it's"].é[ 'a' , "\\" ]`, `$['it\'s']['é']['a','\\']`},
		{"$..*[0,-1][1:][:2][1:2:3]", "$..[*][0,-1][1:][:2][1:2]"},
		{"$[? (@.a&&(!@.b||@.c=='x'))]", "$[?(@['a'] && (!@['b'] || (@['c'] == 'x')))]"},
		{"$[?(@ IN [1, 'a'])].min( 1,$.x )", "$[?(@ in [1, 'a'])].min(1,$['x'])"},
		{`$[?(@=~/a\/b/i)]`, `$[?(@ =~ /a\/b/i)]`},
	} {
		q := mustQuery(t, tt.in)
		if got := q.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestQueryDefinite(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"$": true, "$.a[0]": true, "$.a[-1]['b']": true, "$['a','b']": true, "$['a','b'].c": false, "$.*": false, "$[0,1]": false,
		"$[0:1]": false, "$..a": false, "$[?(@.a)]": false, "$.a.length()": true, "$.*.length()": false, "$..a.length()": true,
	} {
		if got := mustQuery(t, path).Definite(); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

// TestQueryLive: what is selected is part of what it was selected from.
func TestQueryLive(t *testing.T) {
	t.Parallel()
	root := mustValue(t, `{"a":[{"b":{"c":1}}]}`)
	for _, path := range []string{"$.a[0].b", "$..b", "$.a[*].b", "$.a[?(@.b)].b", "$.a.first().b"} {
		v, _, err := mustQuery(t, path).Select(root)
		if l, ok := v.(*lenient.List); ok && len(l.Items) == 1 {
			v = l.Items[0]
		}
		m, ok := v.(*lenient.Map)
		if !ok || err != nil {
			t.Errorf("%s: got %v, %v", path, v, err)
			continue
		}
		m.Put("by", path)
		if got := selected(mustQuery(t, "$.a[0].b.by"), root); !strings.Contains(got, path) {
			t.Errorf("%s: changed, the root has %s", path, got)
		}
	}
	list := mustQuery(t, "$.a[*]")
	v, _, _ := list.Select(root)
	if l := v.(*lenient.List); !l.JSON {
		t.Error("a list of many is not one of JSON")
	}
	// A value in the text of a query is made anew, so that nobody changes it for others.
	q := mustQuery(t, "$.a.append({'x':1}).last()")
	first, _, _ := q.Select(root)
	first.(*lenient.Map).Put("x", int64(2))
	if got := selected(q, root); got != `{"x":1}` {
		t.Errorf("appended again: got %s", got)
	}
}

// TestQueryLimits: nothing that a query is about makes it go on for long.
func TestQueryLimits(t *testing.T) {
	t.Parallel()
	self := &lenient.Map{}
	self.Put("self", self)
	self.Put("list", lenient.NewList(self, self))
	wide := lenient.NewList(make([]any, 1000)...)
	text := lenient.NewList(strings.Repeat("ab", 1<<20))
	for i := range wide.Items {
		wide.Items[i] = text.Items[0]
	}
	other := wide.Clone()
	numbers := wide.Clone()
	for i := range numbers.Items {
		numbers.Items[i] = int64(i)
	}
	for _, tt := range []struct {
		name, path string
		root       any
		want       error
	}{
		{"a loop", "$..x", self, ErrDescent},
		{"a loop that branches", "$..list..list..list", self, ErrDescent},
		{"wildcards", "$" + strings.Repeat("[*]", 30), lenient.NewList(self), ErrSteps},
		{"indexes", "$" + strings.Repeat("[0,0,0,0,0,0,0,0]", 30), endless(), ErrSteps},
		{"names", "$" + strings.Repeat("['self','self','self']", 30), self, ErrSteps},
		{"slices", "$" + strings.Repeat("[-1:1]", 60), endless(), ErrSteps},
		{"each with each", "$[?(@ in $.*)]", numbers, ErrSteps},
		{"subset", "$[?($ subsetof $)]", lenient.NewList(wide, other), nil},
		{"filters in filters", "$[?(@..[?(@..[?(@..x)])])]", self, ErrDescent},
		{"patterns of long texts", "$[?(@ =~ /(a|b)*c/)]", wide, ErrSteps},
		{"parts of long texts", "$[?(@ contains 'x')]", wide, ErrSteps},
		{"equal loops", "$[?(@ == $.x)]", self, nil},
		{"function of long texts", "$.concat()", wide, ErrSteps},
	} {
		steps := maxSteps
		_, _, err := mustQuery(t, tt.path).SelectSteps(tt.root, &steps)
		if err != tt.want || (err == ErrSteps) != (steps < 0) {
			t.Errorf("%s: got %v, %d steps left", tt.name, err, steps)
		}
	}
	steps := 3
	if _, _, err := mustQuery(t, "$.a.b.c").SelectSteps(self, &steps); err != ErrSteps {
		t.Errorf("a definite path with too few steps: %v", err)
	}
}

// endless returns a list whose elements are the list.
func endless() any {
	l := lenient.NewList(nil, nil)
	l.Items[0], l.Items[1] = l, l
	return l
}

// FuzzQuery: no text makes parsing or selecting panic; parse, print, parse gives the same
// query, which selects the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"$.store.book[0]['title','author']", "a..b[*]", "$..[?(@.x == 'a' && !(@.y in [1,\"2\"]) || $.z =~ /a.*[^b]/i)].v",
		"$.a[-1:][0,1]", "$.sum($..p, 1.5, {\"a\":1})", "@['\\u00e9\\'']", "$[?(@ size 2)].keys()", "$[?(@.a.length() > -1e3)]",
		"$[?(@ =~ /\\p{Lu}\\Q.\\E(?s:.)x{2,3}?/)]", "$..a.length()",
	} {
		f.Add(s)
	}
	const doc = `{"a":{"b":[{"x":1,"y":"s"},{"x":[1,"2"]}],"z":"ab"},"store":{"book":[{"title":"T","author":"A"}]},"v":[5,1.5,null,true]}`
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuery(text)
		if err != nil {
			return
		}
		printed := q.String()
		again, err := ParseQuery(printed)
		if err != nil && len(printed) <= maxQuery {
			t.Fatalf("%q is printed as %q: %v", text, printed, err)
		}
		if err == nil && again.String() != printed {
			t.Fatalf("%q is printed as %q, then as %q", text, printed, again)
		}
		got := selected(q, mustValue(t, doc))
		if err == nil && selected(again, mustValue(t, doc)) != got {
			t.Fatalf("%q selects %s, %q does not", text, got, printed)
		}
	})
}

func benchmarkQuery(b *testing.B, path string) {
	root := mustValue(b, `{"user":{"id":7,"name":"Ada"},"pets":[`+strings.Repeat(`{"id":1,"name":"Ada","tags":["a","b"],"price":12.5},`, 50)+`{"id":2,"price":1}]}`)
	q := mustQuery(b, path)
	b.ReportAllocs()
	for b.Loop() {
		if _, found, err := q.Select(root); !found || err != nil {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkQueryDefinite(b *testing.B) { benchmarkQuery(b, "$.pets[50].id") }
func BenchmarkQueryWildcard(b *testing.B) { benchmarkQuery(b, "$.pets[*].id") }
func BenchmarkQueryFilter(b *testing.B) {
	benchmarkQuery(b, "$.pets[?(@.price > 10 && @.name == 'Ada')]")
}
func BenchmarkQueryPattern(b *testing.B) { benchmarkQuery(b, "$.pets[?(@.name =~ /a.*/i)]") }
func BenchmarkQueryScan(b *testing.B)    { benchmarkQuery(b, "$..price") }

func BenchmarkParseQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseQuery("$.pets[?(@.price > 10 && @.name == 'Ada')].id"); err != nil {
			b.Fatal(err)
		}
	}
}
