package jsontree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

var testLimits = Limits{What: "the text", Length: 1000, Depth: 4, Values: 20, Place: 30, Exponent: 9}

// write returns a tree with the kind and the index of every value.
func write(n *Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%c%d", "nbtslo"[n.Kind], n.Index)
	if n.Name != "" {
		fmt.Fprintf(&b, " %s", n.Name)
	}
	if n.Text != "" {
		fmt.Fprintf(&b, "=%s", n.Text)
	}
	if n.Kind == List || n.Kind == Object {
		var items []string
		for _, item := range n.Items {
			items = append(items, write(item))
		}
		b.WriteString("(" + strings.Join(items, ", ") + ")")
	}
	return b.String()
}

// way returns the indexes that lead to a node.
func way(n *Node) string {
	if n.Parent == nil {
		return "."
	}
	return strings.TrimSuffix(way(n.Parent), ".") + fmt.Sprintf(".%d", n.Index)
}

func TestRead(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`null`, `n0`},
		{`true`, `b0=true`},
		{"\t\r\n false ", `b0=false`},
		{`-0.10e+9`, `t0=-0.10e+9`},
		{`12345678901234567890`, `t0=12345678901234567890`},
		{`1E-9`, `t0=1E-9`},
		{`"null"`, `s0=null`},
		{`""`, `s0`},
		{`"a\u0062\n\ud83d\ude00ß"`, "s0=ab\n😀ß"},
		{`"\ud83d"`, "s0=\ufffd"},
		{`[]`, `l0()`},
		{`{}`, `o0()`},
		{`[1,[null,"x"],{}]`, `l0(t0=1, l1(n0, s1=x), o2())`},
		{`{"z":1,"a":{"z":[]},"":true,"A":2}`, `o0(t0 z=1, o1 a(l0 z()), b2=true, t3 A=2)`},
		{`[{"a":1},{"a":1}]`, `l0(o0(t0 a=1), o1(t0 a=1))`},
		{`[[[[1]]]]`, `l0(l0(l0(l0(t0=1))))`},
		{`{"` + strings.Repeat("x", 28) + `":1}`, `o0(t0 ` + strings.Repeat("x", 28) + `=1)`},
		{`[` + strings.Repeat(`0,`, 18) + `0]`, `l0(` + func() string {
			var all []string
			for i := range 19 {
				all = append(all, fmt.Sprintf("t%d=0", i))
			}
			return strings.Join(all, ", ")
		}() + `)`},
		{`1` + strings.Repeat(" ", 999), `t0=1`},
	} {
		root, err := Read(tt.text, testLimits)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got := write(root); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, way, want string }{
		{"nothing", ``, `.`, `the text is not JSON: byte 0: unexpected end of JSON input`},
		{"no value", `{"a":}`, `.`, `the text is not JSON: byte 6: invalid character '}' looking for beginning of value`},
		{"two values", `{} {}`, `.`, `the text is not JSON: byte 4: invalid character '{' after top-level value`},
		{"a comma too many", `[1,]`, `.`, `the text is not JSON: byte 4: invalid character ']' looking for beginning of value`},
		{"an open list", `[[1]`, `.`, `the text is not JSON: byte 4: unexpected end of JSON input`},
		{"no JSON behind what is wrong", `{"a":1,"a":2} x`, `.`, `the text is not JSON: byte 15: invalid character 'x' after top-level value`},
		{"a byte order mark", "\ufeff{}", `.`, `the text is not JSON: byte 1: invalid character 'ï' looking for beginning of value`},
		{"not UTF-8", "\"\xff\"", `.`, `the text is not UTF-8`},
		{"too long", `1` + strings.Repeat(" ", 1000), `.`, `the text is longer than 1000 bytes`},
		{"too deep", `[1,[[[[]]]]]`, `.1.0.0.0`, `nests deeper than 4 levels`},
		{"an object too deep", `[1,[[[{}]]]]`, `.1.0.0.0`, `nests deeper than 4 levels`},
		{"too many values", `[[` + strings.Repeat(`0,`, 18) + `0]]`, `.0.18`, `the text has more than 20 values`},
		{"too long a place", `[{"` + strings.Repeat("x", 28) + `":1}]`, `.0`, `has a member whose place is longer than 30 bytes`},
		{"too long a place of an element", `{"` + strings.Repeat("x", 28) + `":[1]}`, `.0`, `has a member whose place is longer than 30 bytes`},
		{"large exponent", `[1e9,1e10]`, `.1`, `the exponent of a number must be between -9 and 9`},
		{"small exponent", `{"a":{"b":1.5E-10}}`, `.0.0`, `the exponent of a number must be between -9 and 9`},
		{"exponent without end", `1e` + strings.Repeat("9", 100), `.`, `the exponent of a number must be between -9 and 9`},
		{"member twice", `[{"a":1,"b":2,"a":3}]`, `.0.2`, `stands twice`},
		{"member twice by an escape", `{"a":1,"\u0061":1}`, `.1`, `stands twice`},
		{"member without a name twice", `{"":1,"":1}`, `.1`, `stands twice`},
		{"the first of two", `{"a":1e10,"a":1}`, `.0`, `the exponent of a number must be between -9 and 9`},
	} {
		root, err := Read(tt.text, testLimits)
		var e *Error
		if !errors.As(err, &e) || root != nil || e.Error() != tt.want || way(e.Node) != tt.way {
			t.Errorf("%s: got %v, %v, want %s: %s", tt.name, root, err, tt.way, tt.want)
			continue
		}
		for n := e.Node; n.Parent != nil; n = n.Parent {
			if k := n.Parent.Kind; k != List && k != Object {
				t.Errorf("%s: a parent has kind %d", tt.name, k)
			}
		}
	}
}

// A limit of 0 is none, but for length and depth.
func TestReadWithoutLimits(t *testing.T) {
	text := `{"` + strings.Repeat("x", 5000) + `":[` + strings.Repeat("0,", 50_000) + `1e99999999999999999999]}`
	root, err := Read(text, Limits{What: "the text", Length: len(text), Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(root.Items[0].Items); got != 50_001 {
		t.Errorf("got %d elements", got)
	}
	for _, tt := range []struct {
		limits Limits
		want   string
	}{
		{Limits{What: "this", Length: len(text)}, "nests deeper than 0 levels"},
		{Limits{What: "this", Depth: 2}, "this is longer than 0 bytes"},
	} {
		if _, err := Read(text, tt.limits); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestMember(t *testing.T) {
	root, err := Read(`{"a":"x","":[1],"A":{"b":"y"}}`, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		node *Node
		name string
		want *Node
	}{
		{root, "a", root.Items[0]},
		{root, "", root.Items[1]},
		{root, "A", root.Items[2]},
		{root, "b", nil},
		{root.Items[2], "b", root.Items[2].Items[0]},
		{root.Items[1], "", nil}, // elements have no name
		{root.Items[0], "", nil},
	} {
		if got := tt.node.Member(tt.name); got != tt.want {
			t.Errorf("%s of %s: got %v", tt.name, way(tt.node), got)
		}
	}
}

// A tree takes memory in proportion to the text, however long the places in it are
// together, and none for what stands behind a limit.
func TestReadTakesNoMemory(t *testing.T) {
	const length = 64 << 10
	for _, tt := range []struct {
		name, text string
		limits     Limits
		most       uint64
	}{
		{"many values", `[` + strings.Repeat("0,", length/2-2) + `0]`, Limits{Length: length, Depth: 2}, 256 * length},
		{"too many values", `[` + strings.Repeat("0,", length/2-2) + `0]`, Limits{Length: length, Depth: 2, Values: 100}, 8 * length},
		{"long names", `{"` + strings.Repeat("x", length/2) + `":[` + strings.Repeat("1,", length/4-10) + `1]}`, Limits{Length: length, Depth: 2}, 256 * length},
		{"too deep", strings.Repeat("[", 9000) + strings.Repeat("]", 9000), Limits{Length: length, Depth: 8}, 8 * length},
		{"too long", strings.Repeat("[", length+1), Limits{Length: length, Depth: length}, 1024},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Read(tt.text, tt.limits)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > tt.most {
			t.Errorf("%s: allocated %d bytes for %d, want at most %d", tt.name, got, len(tt.text), tt.most)
		}
	}
}

// value returns a node as encoding/json would decode it.
func value(n *Node) any {
	switch n.Kind {
	case Null:
		return nil
	case Boolean:
		return n.Text == "true"
	case Number:
		return json.Number(n.Text)
	case String:
		return n.Text
	case List:
		items := []any{}
		for _, item := range n.Items {
			items = append(items, value(item))
		}
		return items
	default:
		members := map[string]any{}
		for _, item := range n.Items {
			members[item.Name] = value(item)
		}
		return members
	}
}

// check fails if a tree is not in order: parents, indexes, limits.
func check(t *testing.T, n *Node, depth, place int, values *int) {
	t.Helper()
	*values++
	container := n.Kind == List || n.Kind == Object
	switch {
	case container && (n.Text != "" || depth > testLimits.Depth),
		!container && n.Items != nil,
		n.Kind == Null && n.Text != "",
		place > testLimits.Place,
		*values > testLimits.Values:
		t.Fatalf("%s: got %+v", way(n), n)
	}
	for i, item := range n.Items {
		if item.Parent != n || item.Index != i || n.Kind == List && item.Name != "" {
			t.Fatalf("%s: got %+v", way(n), item)
		}
		if n.Kind == Object && n.Member(item.Name) != item {
			t.Fatalf("%s: %q stands twice", way(n), item.Name)
		}
		check(t, item, depth+1, place+1+len(item.Name), values)
	}
}

// names returns the names of members in the order of a text that is JSON.
func names(t *testing.T, text string) (all []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	var open []json.Delim
	name := false // the next token is the name of a member, or closes the object
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				open = append(open, token)
			} else {
				open = open[:len(open)-1]
			}
		case string:
			if name {
				all = append(all, token)
				name = false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] == '{'
	}
}

func namesOf(n *Node) (all []string) {
	for _, item := range n.Items {
		if n.Kind == Object {
			all = append(all, item.Name)
		}
		all = append(all, namesOf(item)...)
	}
	return all
}

// Read takes what encoding/json takes, and reads the same in it, but for what is
// limited.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`{"Version":"2012-10-17","Statement":[{"a":["*"],"b":{"c":1.50e2}}]}`,
		`{"b":1,"a":{"":null,"b":[true,false,"\ud800\u0000"]}}`,
		`{"a":1,"\u0061":2}`,
		`[[[[[]]]]]`, `[1e9,1e-10]`, ` -0 `, `{"a":1}x`, "\"\xff\"",
		`[` + strings.Repeat(`0,`, 20) + `0]`,
		`{"` + strings.Repeat("x", 30) + `":1}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := Read(text, testLimits)
		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		good := len(text) <= testLimits.Length && utf8.ValidString(text) && json.Valid([]byte(text)) && d.Decode(&want) == nil
		if err == nil {
			if !good {
				t.Fatalf("encoding/json refuses %q", text)
			}
			if got := value(root); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %#v, want %#v", got, want)
			}
			if got, want := namesOf(root), names(t, text); !reflect.DeepEqual(got, want) {
				t.Fatalf("got members %q, want %q", got, want)
			}
			check(t, root, 1, 1, new(int))
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Node == nil || e.Reason == "" || root != nil {
			t.Fatalf("got %#v, %v", err, root)
		}
		levels, place := 1, 1
		for n := e.Node; n.Parent != nil; n = n.Parent {
			levels, place = levels+1, place+1+len(n.Name)
		}
		right := false
		switch n := e.Node; {
		case !good:
			right = n.Parent == nil && strings.HasPrefix(e.Reason, "the text is ")
		case e.Reason == "stands twice":
			right = n.Parent != nil && n.Parent.Member(n.Name) != nil
		case e.Reason == "nests deeper than 4 levels":
			right = levels > testLimits.Depth
		case strings.HasPrefix(e.Reason, "the exponent "):
			right = n.Kind == Number && strings.ContainsAny(n.Text, "eE")
		case strings.HasPrefix(e.Reason, "has a member whose place "):
			right = place <= testLimits.Place && len(text) > testLimits.Place-levels
		case e.Reason == "the text has more than 20 values":
			right = strings.Count(text, ",")+strings.Count(text, "[")+strings.Count(text, "{") >= testLimits.Values
		}
		if !right {
			t.Fatalf("%q: got %s: %s", text, way(e.Node), e.Reason)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const text = `{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}}}`
	limits := Limits{What: "the text", Length: 1000, Depth: 10}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(text, limits); err != nil {
			b.Fatal(err)
		}
	}
}
