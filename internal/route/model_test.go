package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// modelMatch is Match written down as the rules say it: split the path, keep the
// keys that match, sort them, take the first. It returns -1 for none.
func modelMatch(keys []Key, method, path string) (index int, vars []string) {
	methods := []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	if path == "" {
		path = "/"
	}
	if !slices.Contains(methods, method) || !strings.HasPrefix(path, "/") {
		return -1, nil
	}
	segments := strings.Split(path[1:], "/")
	type candidate struct {
		index int
		rank  []int
		vars  []string
	}
	var candidates []candidate
	for i, k := range keys {
		if k.Default() {
			candidates = append(candidates, candidate{i, []int{3}, nil})
			continue
		}
		if k.Method != method && k.Method != "ANY" {
			continue
		}
		vars, ok := modelVars(k, segments)
		if !ok {
			continue
		}
		rank := []int{1}
		if k.Segments[len(k.Segments)-1].Kind == Greedy {
			rank[0] = 2
		}
		for _, s := range k.Segments {
			rank = append(rank, int(s.Kind))
		}
		if k.Method == "ANY" {
			rank = append(rank, 1)
		} else {
			rank = append(rank, 0)
		}
		candidates = append(candidates, candidate{i, rank, vars})
	}
	if len(candidates) == 0 {
		return -1, nil
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return slices.Compare(a.rank, b.rank) })
	return candidates[0].index, candidates[0].vars
}

func modelVars(k Key, segments []string) (vars []string, ok bool) {
	for i, s := range k.Segments {
		if i >= len(segments) {
			return nil, false
		}
		switch {
		case s.Kind == Greedy:
			return append(vars, strings.Join(segments[i:], "/")), true
		case s.Kind == Variable && (segments[i] != "" || i == len(segments)-1):
			vars = append(vars, segments[i])
		case s.Kind == Literal && segments[i] == s.Text:
		default:
			return nil, false
		}
	}
	return vars, len(segments) == len(k.Segments)
}

// checkAgainstModel compares Match with the model for one request.
func checkAgainstModel(t *testing.T, table *Table[int], keys []Key, method, path string) {
	t.Helper()
	var vars Vars
	got, ok := table.Match(method, path, &vars)
	if !ok {
		got = -1
	}
	want, wantVars := modelMatch(keys, method, path)
	if got != want || !slices.Equal(values(&vars), wantVars) {
		t.Fatalf("%s %q: got %d %q, want %d %q\nroutes %v", method, path, got, values(&vars), want, wantVars, keys)
	}
}

func tableOf(keys []Key) (*Table[int], error) {
	entries := make([]Entry[int], len(keys))
	for i, k := range keys {
		entries[i] = Entry[int]{k, i}
	}
	return NewTable(entries)
}

func TestMatchAgainstModel(t *testing.T) {
	const tables, requests = 2_000, 30
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	matched := make(map[SegmentKind]int)
	for range tables {
		var keys []Key
		seen := make(map[string]bool)
		for range r.IntN(25) {
			text, shape := "", ""
			for level := range r.IntN(5) {
				switch kind := r.IntN(10); {
				case kind < 5:
					literal := "/" + pick("a", "b", "c", "%")
					text, shape = text+literal, shape+literal
				case kind < 9:
					text, shape = text+fmt.Sprintf("/{v%d}", level), shape+"/{}"
				default:
					text, shape = text+"/{p+}", shape+"/{+}"
				}
				if strings.HasSuffix(text, "+}") {
					break
				}
			}
			method := pick("GET", "POST", "ANY") + " "
			if text == "" {
				text, shape = "/", "/"
			}
			if r.IntN(30) == 0 {
				method, text, shape = "", "$default", "$default"
			}
			if !seen[method+shape] {
				seen[method+shape] = true
				keys = append(keys, mustKey(t, method+text))
			}
		}
		table, err := tableOf(keys)
		if err != nil {
			t.Fatal(err)
		}
		for range requests {
			path := ""
			for range r.IntN(6) {
				path += "/" + pick("a", "b", "c", "%", "x", "a", "b", "")
			}
			method := pick("GET", "POST", "PUT", "TRACE")
			checkAgainstModel(t, table, keys, method, path)
			if i, _ := modelMatch(keys, method, path); i >= 0 && !keys[i].Default() {
				matched[keys[i].Segments[len(keys[i].Segments)-1].Kind]++
			}
		}
	}
	// The comparison is worth something only if all kinds of keys win often.
	for _, kind := range []SegmentKind{Literal, Variable, Greedy} {
		if matched[kind] < 1_000 {
			t.Errorf("keys that end in kind %d matched %d times only", kind, matched[kind])
		}
	}
}

// FuzzMatch takes a table as lines of route keys. Lines that are no keys, and
// keys that match the same as one before, are left out.
func FuzzMatch(f *testing.F) {
	f.Add("GET /pets/dog/1\nGET /pets/dog/{id}\nGET /pets/{proxy+}\nANY /{proxy+}\n$default", "GET", "/pets/cat/1")
	f.Add("GET /a/{x}/c\nGET /a/b/{y}", "GET", "/a/b/c")
	f.Add("ANY /handler/{proxy+}\nGET /handler/{x}/{y}", "GET", "/handler//")
	f.Add("GET /\nANY /{x}", "POST", "")
	f.Fuzz(func(t *testing.T, routes, method, path string) {
		var keys []Key
		table, _ := tableOf(nil)
		for line := range strings.SplitSeq(routes, "\n") {
			k, err := ParseKey(line)
			if err != nil || len(keys) >= 100 {
				continue
			}
			if larger, err := tableOf(append(keys, k)); err == nil {
				keys, table = append(keys, k), larger
			}
		}
		checkAgainstModel(t, table, keys, method, path)
	})
}
