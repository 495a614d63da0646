package mapping

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

func TestNextParameter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		query string
		want  []string // name and value in turns
	}{
		{"", nil},
		{"&&", nil},
		{"a=1&b=2", []string{"a", "1", "b", "2"}},
		{"a;b=1;c", []string{"a;b", "1;c"}},
		{"a", []string{"a", ""}},
		{"=x&=", []string{"", "x", "", ""}},
		{"a=b=c", []string{"a", "b=c"}},
		{"a+b=c+d%2B", []string{"a b", "c d+"}},
		{"%61=%C3%A9", []string{"a", "é"}},
		{"a%3Db=1", []string{"a=b", "1"}},
		{"a+%zz=b+c", []string{"a+%zz", "b+c"}},
		{"a=%4", []string{"a", "%4"}},
		{"a=%", []string{"a", "%"}},
	} {
		var got []string
		for p, rest := NextParameter(tt.query); p.Raw != ""; p, rest = NextParameter(rest) {
			name := string(p.AppendName(nil))
			got = append(got, name, string(p.AppendValue(nil)))
			if !p.Is(name) || p.Is(name+"x") || p.Is("x"+name) {
				t.Errorf("%q: Is is wrong about %q", tt.query, name)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.query, got, tt.want)
		}
	}
}

func TestAppendQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		changes     []gateway.Change
		want        string
	}{
		{"untouched", "a=b+c&%zz&;", nil, "a=b+c&%zz&;"},
		{"append", "a=1", []gateway.Change{{Kind: gateway.Append, Name: "stage", Value: "$default"}}, "a=1&stage=%24default"},
		{"append to nothing", "", []gateway.Change{{Kind: gateway.Append, Name: "a", Value: "é&=+#%"}}, "a=%C3%A9%26%3D%2B%23%25"},
		{"append to the same", "a=1&b=2", []gateway.Change{{Kind: gateway.Append, Name: "a", Value: "3"}}, "a=1&b=2&a=3"},
		{"overwrite", "a=1&a=2&b=3", []gateway.Change{{Kind: gateway.Overwrite, Name: "a", Value: "x"}}, "a=x&b=3"},
		{"overwrite what is escaped", "%61=1&b=3", []gateway.Change{{Kind: gateway.Overwrite, Name: "a", Value: "x"}}, "a=x&b=3"},
		{"overwrite nothing", "b=3", []gateway.Change{{Kind: gateway.Overwrite, Name: "a", Value: "x"}}, "b=3&a=x"},
		{"remove", "a=1&b=2&b=3", []gateway.Change{{Kind: gateway.Remove, Name: "b"}}, "a=1"},
		{"case matters", "a=1&A=2", []gateway.Change{{Kind: gateway.Remove, Name: "A"}}, "a=1"},
		{"remove all", "b=2", []gateway.Change{{Kind: gateway.Remove, Name: "b"}}, ""},
		{"remove, then append", "a=1&b=2", []gateway.Change{{Kind: gateway.Remove, Name: "a"}, {Kind: gateway.Append, Name: "a", Value: "3"}}, "b=2&a=3"},
		{"the rest is escaped anew", "a=b+c&d&e=&f;g=~%7e&%zz=1&&h=%2f", []gateway.Change{{Kind: gateway.Remove, Name: "x"}}, "a=b%20c&d&e=&f%3Bg=~~&%25zz=1&h=%2F"},
	} {
		x := &gateway.Exchange{Request: gateway.Request{Query: tt.query}, Mapped: gateway.Mapped{Query: tt.changes}}
		if got := string(AppendQuery([]byte("/?"), x)); got != "/?"+tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzQuery: parameters are what net/url reads, where it can, and a query that is
// escaped anew says the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"a=1&b=%20+&&c", "%zz=1", "=&=x", "a%3d=b%26"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		read := func(query string) (all []string) {
			for p, rest := NextParameter(query); p.Raw != ""; p, rest = NextParameter(rest) {
				name := string(p.AppendName(nil))
				if !p.Is(name) {
					t.Fatalf("%q is not %q", p.Raw, name)
				}
				all = append(all, name, string(p.AppendValue(nil)))
			}
			return all
		}
		first := read(query)
		x := &gateway.Exchange{Request: gateway.Request{Query: query}, Mapped: gateway.Mapped{Query: []gateway.Change{{Kind: gateway.Remove, Name: "\x00none"}}}}
		again := string(AppendQuery(nil, x))
		if second := read(again); !slices.Equal(first, second) && !strings.Contains(query, "%00none") && !strings.Contains(query, "\x00none") {
			t.Fatalf("%q becomes %q: %q, %q", query, again, first, second)
		}
		if strings.ContainsAny(again, "#; \r\n") {
			t.Fatalf("%q becomes %q", query, again)
		}
		if values, err := url.ParseQuery(query); err == nil {
			got := url.Values{}
			for i := 0; i < len(first); i += 2 {
				got.Add(first[i], first[i+1])
			}
			if got.Encode() != values.Encode() {
				t.Fatalf("%q: got %q, want %q", query, got, values)
			}
		}
	})
}
