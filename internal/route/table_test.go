package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// mustTable makes a table whose values are the keys as written.
func mustTable(t testing.TB, keys ...string) *Table[string] {
	t.Helper()
	entries := make([]Entry[string], len(keys))
	for i, key := range keys {
		entries[i] = Entry[string]{mustKey(t, key), key}
	}
	table, err := NewTable(entries)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func values(vars *Vars) []string {
	var all []string
	for i := range vars.Len() {
		all = append(all, vars.At(i))
	}
	return all
}

var (
	pets          = []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"}
	petsNoProxy   = []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "$default"}
	specificOrAny = []string{"GET /a/{x}", "ANY /a/{x}"}
	plainOrGreedy = []string{"GET /a/{x}", "GET /a/{p+}"}
)

// TestMatch sends raw paths without stage through Decode and Match. Numbered
// rows are from the numbered examples of HTTP API behaviour; want is empty for 404.
func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name         string
		keys         []string
		method, path string
		want         string
		vars         []string
	}{
		// Hosts, stages, paths: what is left after the stage.
		{"1", []string{"GET /pets"}, "GET", "/pets", "GET /pets", nil},
		{"2", []string{"GET /pets"}, "GET", "/pets", "GET /pets", nil},
		{"5", []string{"GET /pets", "GET /prod/x"}, "GET", "/x", "", nil},
		{"6 bare stage", []string{"GET /"}, "GET", "", "GET /", nil},
		{"6 slash", []string{"GET /"}, "GET", "/", "GET /", nil},
		{"7", []string{"GET /agents/{id}"}, "GET", "/agents/1234", "GET /agents/{id}", []string{"1234"}},
		{"8", []string{"$default"}, "POST", "/capture/space%20value", "$default", nil},
		{"9, 10", []string{"POST /t/{u}/o/{n}"}, "POST", "/t/J%20Doe/o/Summer%20Sale", "POST /t/{u}/o/{n}", []string{"J Doe", "Summer Sale"}},
		{"11", []string{"ANY /{proxy+}"}, "GET", "/RSC/%40id%2Fassets%2Fr.js%23s.txt", "ANY /{proxy+}", []string{"RSC/@id/assets/r.js#s.txt"}},
		{"12", []string{"GET /{x}/thing"}, "GET", "/a%2Fb/thing", "", nil},
		{"13", []string{"GET /{x}/thing"}, "GET", "/a%252Fb/thing", "GET /{x}/thing", []string{"a%2Fb"}},
		{"14", []string{"$default"}, "GET", "/a%3Fb/c", "$default", nil},
		{"14 with routes", []string{"GET /a", "GET /{p+}"}, "GET", "/a%3Fb/c", "GET /a", nil},
		{"15 to 18", []string{"GET /q"}, "GET", "/q", "GET /q", nil},
		{"25", []string{"GET /foo"}, "GET", "/foo", "GET /foo", nil},
		{"27", []string{"GET /foo"}, "GET", "/prod/foo", "", nil},

		// Route selection.
		{"28", pets, "GET", "/pets/dog/1", "GET /pets/dog/1", nil},
		{"29", pets, "GET", "/pets/dog/2", "GET /pets/dog/{id}", []string{"2"}},
		{"30", pets, "GET", "/pets/cat/1", "GET /pets/{proxy+}", []string{"cat/1"}},
		{"31", pets, "POST", "/test/5", "ANY /{proxy+}", []string{"test/5"}},
		{"32", petsNoProxy, "POST", "/test/5", "$default", nil},
		{"33", []string{"POST /todos"}, "POST", "/todos/", "", nil},
		{"34", []string{"ANY /handler/{proxy+}"}, "GET", "/handler/", "ANY /handler/{proxy+}", []string{""}},
		{"35", []string{"ANY /handler/{proxy+}"}, "GET", "/handler", "", nil},
		{"36", []string{"ANY /{proxy+}"}, "GET", "/", "ANY /{proxy+}", []string{""}},
		{"37", []string{"GET /bc/{id}"}, "GET", "/bc/", "GET /bc/{id}", []string{""}},
		{"38", []string{"GET /pets"}, "PUT", "/pets", "", nil},
		{"39", []string{"GET /pets"}, "HEAD", "/pets", "", nil},
		{"40", []string{"GET /pets"}, "OPTIONS", "/pets", "", nil},
		{"41", specificOrAny, "DELETE", "/a/1", "ANY /a/{x}", []string{"1"}},
		{"42", []string{"GET /Pets"}, "GET", "/pets", "", nil},
		{"45", []string{"GET /a/{p+}"}, "GET", "/a/b/c/", "GET /a/{p+}", []string{"b/c/"}},

		// Priority, the examples that have no number.
		{"specific method", specificOrAny, "GET", "/a/1", "GET /a/{x}", []string{"1"}},
		{"specific method, other order", []string{"ANY /a/{x}", "GET /a/{x}"}, "GET", "/a/1", "GET /a/{x}", []string{"1"}},
		{"ANY for the rest", specificOrAny, "PUT", "/a/1", "ANY /a/{x}", []string{"1"}},
		{"leftmost literal", []string{"GET /a/{x}/c", "GET /a/b/{y}"}, "GET", "/a/b/c", "GET /a/b/{y}", []string{"c"}},
		{"leftmost literal, not most literals", []string{"GET /{a}/b/c", "GET /x/{b}/{c}"}, "GET", "/x/b/c", "GET /x/{b}/{c}", []string{"b", "c"}},
		{"longer prefix of greedy", []string{"GET /a/{p+}", "GET /a/b/{p+}"}, "GET", "/a/b/c/d", "GET /a/b/{p+}", []string{"c/d"}},
		{"variable before greedy inside greedy", []string{"GET /a/{p+}", "GET /a/{x}/{p+}"}, "GET", "/a/b/c/d", "GET /a/{x}/{p+}", []string{"b", "c/d"}},
		{"literal before variable inside greedy", []string{"GET /{x}/b/{p+}", "GET /a/{p+}"}, "GET", "/a/b/c", "GET /a/{p+}", []string{"b/c"}},
		{"plain before greedy", plainOrGreedy, "GET", "/a/b", "GET /a/{x}", []string{"b"}},
		{"greedy for more segments", plainOrGreedy, "GET", "/a/b/c", "GET /a/{p+}", []string{"b/c"}},
		{"greedy for a trailing slash", plainOrGreedy, "GET", "/a/b/", "GET /a/{p+}", []string{"b/"}},
		{"full before greedy with more literals", []string{"GET /a/b/{p+}", "GET /{x}/{y}/{z}"}, "GET", "/a/b/c", "GET /{x}/{y}/{z}", []string{"a", "b", "c"}},
		{"wrong method falls to default", []string{"POST /a", "$default"}, "GET", "/a", "$default", nil},
		{"path before method", []string{"ANY /pets/dog", "GET /pets/{id}"}, "GET", "/pets/dog", "ANY /pets/dog", nil},
		{"method filters first", []string{"POST /pets/dog", "GET /pets/{id}"}, "GET", "/pets/dog", "GET /pets/{id}", []string{"dog"}},
		{"backtracks out of a literal", []string{"GET /a/b/c", "GET /{x}/b/d"}, "GET", "/a/b/d", "GET /{x}/b/d", []string{"a"}},
		{"backtracks to greedy", []string{"GET /a/b/c/d", "GET /a/{p+}"}, "GET", "/a/b/c/e", "GET /a/{p+}", []string{"b/c/e"}},

		// Edges.
		{"root literal before variable", []string{"GET /{x}", "GET /"}, "GET", "/", "GET /", nil},
		{"root is an empty last segment", []string{"GET /{x}"}, "GET", "/", "GET /{x}", []string{""}},
		{"empty variable before greedy", plainOrGreedy, "GET", "/a/", "GET /a/{x}", []string{""}},
		{"no empty variable in the middle", []string{"GET /a/{x}/b"}, "GET", "/a//b", "", nil},
		{"no empty variable before the last slash", []string{"GET /a/{x}/{y}"}, "GET", "/a//", "", nil},
		{"greedy takes empty segments", []string{"GET /a/{p+}"}, "GET", "/a//b", "GET /a/{p+}", []string{"/b"}},
		{"two slashes are no root", []string{"GET /"}, "GET", "//", "", nil},
		{"slashes are not merged", []string{"GET /a/b"}, "GET", "/a//b", "", nil},
		{"dots are not resolved", []string{"GET /b"}, "GET", "/a/../b", "", nil},
		{"longer than any key", []string{"GET /a"}, "GET", "/a/b", "", nil},
		{"shorter than any key", []string{"GET /a/b"}, "GET", "/a", "", nil},
		{"prefix of a literal", []string{"GET /abc"}, "GET", "/ab", "", nil},
		{"braces in the request", []string{"GET /a/{x}"}, "GET", "/a/%7Bx%7D", "GET /a/{x}", []string{"{x}"}},
		{"plus stays", []string{"GET /{x}"}, "GET", "/a+b", "GET /{x}", []string{"a+b"}},
		{"unlisted method", []string{"ANY /a", "$default"}, "TRACE", "/a", "", nil},
		{"lower-case method", []string{"ANY /a", "$default"}, "get", "/a", "", nil},
		{"method ANY", []string{"ANY /a", "$default"}, "ANY", "/a", "", nil},
		{"no slash", []string{"ANY /{p+}", "$default"}, "GET", "*", "", nil},
		{"no routes", nil, "GET", "/", "", nil},
		{"default takes the root", []string{"$default"}, "GET", "", "$default", nil},
		{"nine variables", []string{"GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i+}"}, "GET", "/1/2/3/4/5/6/7/8/9/10",
			"GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i+}", []string{"1", "2", "3", "4", "5", "6", "7", "8", "9/10"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, err := Decode(tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			table := mustTable(t, tt.keys...)
			var vars Vars
			got, ok := table.Match(tt.method, path, &vars)
			if got != tt.want || ok != (tt.want != "") || !slices.Equal(values(&vars), tt.vars) {
				t.Errorf("%s %s: got %q %t %q, want %q %q", tt.method, path, got, ok, values(&vars), tt.want, tt.vars)
			}
			if got, ok := table.Match(tt.method, path, nil); got != tt.want || ok != (tt.want != "") {
				t.Errorf("%s %s without vars: got %q %t, want %q", tt.method, path, got, ok, tt.want)
			}
		})
	}
}

// A Vars that is used again shows nothing of the match before.
func TestVarsAreReset(t *testing.T) {
	table := mustTable(t, "GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}", "GET /{a}", "$default")
	var vars Vars
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"/1/2/3/4/5/6/7/8/9/10", []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}},
		{"/x", []string{"x"}},
		{"/x/y", nil},
		{"/a/b/c/d/e/f/g/h/i/j", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
		{"no slash", nil},
	} {
		table.Match("GET", tt.path, &vars)
		if got := values(&vars); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestNewTableRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []Key
		want string
	}{
		{"same key", []Key{mustKey(t, "GET /a"), mustKey(t, "GET /a")}, `routes "GET /a" and "GET /a" match the same requests`},
		{"other variable name", []Key{mustKey(t, "GET /a/{x}"), mustKey(t, "GET /a/{y}")}, `routes "GET /a/{x}" and "GET /a/{y}" match the same requests`},
		{"two defaults", []Key{mustKey(t, "$default"), mustKey(t, "$default")}, `routes "$default" and "$default" match the same requests`},
		{"two greedy", []Key{mustKey(t, "ANY /{p+}"), mustKey(t, "ANY /{q+}")}, `routes "ANY /{p+}" and "ANY /{q+}" match the same requests`},
		{"zero key", []Key{{}}, `route key "" does not come from ParseKey`},
		{"unknown method", []Key{{Method: "TRACE", Path: "/", Segments: []Segment{{}}}}, `route key "TRACE /" does not come from ParseKey`},
	} {
		entries := make([]Entry[int], len(tt.keys))
		for i, k := range tt.keys {
			entries[i].Key = k
		}
		if _, err := NewTable(entries); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Keys that mix literals and variables at 30 levels match a path in 2^30 ways.
// The walk visits each node of the tree once at most: here 9,000 nodes instead of
// a thousand million. The time allowed is a thousand times what that takes.
func TestMatchIsBounded(t *testing.T) {
	const depth, routes = 30, 300
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([]string, routes)
	for i := range keys {
		keys[i] = "GET "
		for level := range depth {
			if r.IntN(2) == 0 {
				keys[i] += "/a"
			} else {
				keys[i] += fmt.Sprintf("/{v%d}", level)
			}
		}
		keys[i] += fmt.Sprintf("/end%d", i)
	}
	table := mustTable(t, keys...)
	if nodes := countNodes(&table.root); nodes > routes*(depth+1)+1 {
		t.Errorf("%d nodes for %d routes of %d segments", nodes, routes, depth+1)
	}
	start := time.Now()
	if got, ok := table.Match("GET", strings.Repeat("/a", depth)+"/none", nil); ok {
		t.Errorf("got %s", got)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	if got, ok := table.Match("GET", strings.Repeat("/a", depth)+"/end7", nil); !ok || got != keys[7] {
		t.Errorf("got %q, want %s", got, keys[7])
	}
}

func countNodes(n *node) int {
	count := 1
	for _, child := range n.literals {
		count += countNodes(child)
	}
	if n.variable != nil {
		count += countNodes(n.variable)
	}
	return count
}

// A path as long as a request head may be costs time in proportion, and no memory.
func TestMatchLongPaths(t *testing.T) {
	table := mustTable(t, "GET /a/{x}/b", "GET /{x}/{y}/{z}/{p+}", "GET /s/"+strings.Repeat("a/", 4000)+"end")
	for name, path := range map[string]string{
		"slashes":     strings.Repeat("/", 10_000),
		"one segment": "/" + strings.Repeat("a", 10_000),
		"segments":    strings.Repeat("/a", 5_000),
		"deep key":    "/s/" + strings.Repeat("a/", 4000) + "other",
	} {
		var vars Vars
		table.Match("GET", path, &vars) // grows the stack once
		if allocs := testing.AllocsPerRun(10, func() { table.Match("GET", path, &vars) }); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	if got, ok := table.Match("GET", "/s/"+strings.Repeat("a/", 4000)+"end", nil); !ok || len(got) < 8000 {
		t.Errorf("deep key: got %.20q %t", got, ok)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	table := mustTable(t, pets...)
	var vars Vars
	for _, path := range []string{"/pets/dog/1", "/pets/dog/2", "/pets/cat/1", "/", ""} {
		if allocs := testing.AllocsPerRun(100, func() { table.Match("GET", path, &vars) }); allocs != 0 {
			t.Errorf("%q: %v allocations", path, allocs)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, routes := range []int{10, 300, 10_000} {
		var keys []string
		for i := 0; len(keys) < routes; i++ {
			keys = append(keys,
				fmt.Sprintf("GET /v1/service%d/items", i),
				fmt.Sprintf("GET /v1/service%d/items/{id}", i),
				fmt.Sprintf("POST /v1/service%d/items", i),
				fmt.Sprintf("ANY /v1/service%d/files/{path+}", i),
				fmt.Sprintf("PUT /v1/service%d/items/{id}/tags/{tag}", i))
		}
		table := mustTable(b, append(keys, "$default")...)
		for _, tt := range []struct{ name, method, path string }{
			{"static", "GET", "/v1/service1/items"},
			{"variable", "PUT", "/v1/service1/items/4711/tags/red"},
			{"greedy", "GET", "/v1/service1/files/img/2025/cat.png"},
			{"default", "GET", "/v1/service1/other"},
		} {
			b.Run(fmt.Sprintf("routes=%d/%s", routes, tt.name), func(b *testing.B) {
				b.ReportAllocs()
				var vars Vars
				for b.Loop() {
					if _, ok := table.Match(tt.method, tt.path, &vars); !ok {
						b.Fatal("no match")
					}
				}
			})
		}
		// Requests for all routes in turn: the table does not stay in the cache.
		b.Run(fmt.Sprintf("routes=%d/spread", routes), func(b *testing.B) {
			paths := make([]string, routes/5)
			for i := range paths {
				paths[i] = fmt.Sprintf("/v1/service%d/items/4711", i*7919%len(paths))
			}
			b.ReportAllocs()
			var vars Vars
			i := 0
			for b.Loop() {
				if _, ok := table.Match("GET", paths[i], &vars); !ok {
					b.Fatal("no match")
				}
				if i++; i == len(paths) {
					i = 0
				}
			}
		})
	}
}

func BenchmarkNewTable(b *testing.B) {
	entries := make([]Entry[int], 100)
	for i := range entries {
		entries[i].Key = mustKey(b, fmt.Sprintf("GET /v1/service%d/items/{id}", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewTable(entries); err != nil {
			b.Fatal(err)
		}
	}
}
