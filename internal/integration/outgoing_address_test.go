package integration_test

import (
	"slices"
	"strings"
	"testing"

	"penstock/internal/integration"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	p := func(pairs ...string) (list []integration.Parameter) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, integration.Parameter{Name: pairs[i], Value: pairs[i+1]})
		}
		return list
	}
	for _, tt := range []struct {
		name, uri  string
		values     []string
		parameters []integration.Parameter
		to         integration.Target
		authority  string
		target     string // "" for an error
	}{
		{"host", "http://h", nil, nil, integration.Target{Host: "h", Port: 80}, "h", "/"},
		{"TLS", "HTTPS://H.example/a", nil, nil, integration.Target{TLS: true, Host: "h.example", Port: 443}, "H.example", "/a"},
		{"port", "https://h:8443/a/", nil, nil, integration.Target{TLS: true, Host: "h", Port: 8443}, "h:8443", "/a/"},
		{"IPv6", "http://[::1]:80/", nil, nil, integration.Target{Host: "::1", Port: 80}, "[::1]", "/"},
		{"query", "http://h/a?b=c&d", nil, nil, integration.Target{Host: "h", Port: 80}, "h", "/a?b=c&d"},
		{"fragment", "http://h/a?b#c{d}", nil, nil, integration.Target{Host: "h", Port: 80}, "h", "/a?b"},
		{"no ASCII", "http://h/é", nil, nil, integration.Target{Host: "h", Port: 80}, "h", "/%C3%A9"},
		{"escapes stay", "http://h/a%2Fb?c=%26", nil, nil, integration.Target{Host: "h", Port: 80}, "h", "/a%2Fb?c=%26"},

		{"one segment", "http://h/items/{id}", []string{"a/b"}, nil, integration.Target{Host: "h", Port: 80}, "h", "/items/a%2Fb"},
		{"one segment, greedy name", "http://h/{id+}/x", []string{"a/b"}, nil, integration.Target{Host: "h", Port: 80}, "h", "/a%2Fb/x"},
		{"no more than a segment", "http://h/{id}", []string{"a?b#c%20;d=\"é\u2603 +&="}, nil, integration.Target{Host: "h", Port: 80}, "h", "/a%3Fb%23c%2520%3Bd%3D%22%C3%A9%E2%98%83%20%2B%26%3D"},
		{"connection ID", "http://h/{id}", []string{"L0SM9cOFvHcCIhw="}, nil, integration.Target{Host: "h", Port: 80}, "h", "/L0SM9cOFvHcCIhw%3D"},
		{"unreserved", "http://h/{id}", []string{"aZ0-._~"}, nil, integration.Target{Host: "h", Port: 80}, "h", "/aZ0-._~"},
		{"dots that are no segment", "http://h/v{id}.x", []string{".."}, nil, integration.Target{Host: "h", Port: 80}, "h", "/v...x"},
		{"names in order, each once", "http://h/{b}/{a}/{b}?c={c}", []string{"1", "2", "3"}, nil, integration.Target{Host: "h", Port: 80}, "h", "/1/2/1?c=3"},
		{"in the query", "http://h/?a={a}&b", []string{"1&c=2 #+/"}, nil, integration.Target{Host: "h", Port: 80}, "h", "/?a=1%26c%3D2%20%23%2B/&b"},
		{"dots in the query", "http://h/?a={a}", []string{"../.."}, nil, integration.Target{Host: "h", Port: 80}, "h", "/?a=../.."},
		{"in the host", "http://{a}.example:8080/", []string{"Pets"}, nil, integration.Target{Host: "pets.example", Port: 8080}, "Pets.example:8080", "/"},

		{"parameter", "http://h/a", nil, p("room", "r 1"), integration.Target{Host: "h", Port: 80}, "h", "/a?room=r%201"},
		{"parameters behind a query", "http://h/a?x=1", nil, p("r", "1", "r", "", "é&=", "+%"), integration.Target{Host: "h", Port: 80}, "h", "/a?x=1&r=1&r=&%C3%A9%26%3D=%2B%25"},
		{"parameters behind an empty query", "http://h/a?", nil, p("r", "1", "s", "2"), integration.Target{Host: "h", Port: 80}, "h", "/a?r=1&s=2"},
		{"parameters and values", "http://h/{a}?b={b}", []string{"1", "2"}, p("c", "\r\n"), integration.Target{Host: "h", Port: 80}, "h", "/1?b=2&c=%0D%0A"},

		{"unfilled", "http://h/{a}", nil, nil, integration.Target{}, "", ""},
		{"half filled", "http://h/{a}/{b}", []string{"1"}, nil, integration.Target{}, "", ""},
		{"empty", "http://h/{a}/x", []string{""}, nil, integration.Target{}, "", ""},
		{"empty in the query", "http://h/?a={a}", []string{""}, nil, integration.Target{}, "", ""},
		{"parent", "http://h/{a}", []string{".."}, nil, integration.Target{}, "", ""},
		{"same", "http://h/{a}/x", []string{"."}, nil, integration.Target{}, "", ""},
		{"parent inside", "http://h/{a}", []string{"a/../b"}, nil, integration.Target{}, "", ""},
		{"parent, escaped", "http://h/{a}", []string{"%2e%2e"}, nil, integration.Target{}, "", ""},
		{"parent with a parameter", "http://h/{a}", []string{"..;x"}, nil, integration.Target{}, "", ""},
		{"parent of two halves", "http://h/.{a}", []string{"."}, nil, integration.Target{}, "", ""},
		{"parent of two values", "http://h/{a}{b}", []string{".", "."}, nil, integration.Target{}, "", ""},
		{"backslash", "http://h/{a}", []string{`a\b`}, nil, integration.Target{}, "", ""},
		{"control", "http://h/{a}", []string{"a\r\nX: 1"}, nil, integration.Target{}, "", ""},
		{"NUL", "http://h/{a}", []string{"\x00"}, nil, integration.Target{}, "", ""},
		{"host with a path", "http://{a}.example/", []string{"evil/"}, nil, integration.Target{}, "", ""},
		{"host with a user", "http://{a}.example/", []string{"evil@"}, nil, integration.Target{}, "", ""},
		{"host of two lines", "http://{a}/", []string{"a\r\nX:1"}, nil, integration.Target{}, "", ""},
	} {
		a, err := integration.ParseAddress(tt.uri)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var o integration.Outgoing
		err = a.Fill(&o, tt.values, tt.parameters)
		if tt.target == "" {
			if kind(err) != "INTEGRATION_FAILURE" {
				t.Errorf("%s: got %s, %v", tt.name, o.Target, err)
			}
			continue
		}
		if err != nil || o.To != tt.to || o.Authority != tt.authority || o.Target != tt.target {
			t.Errorf("%s: got %+v %s %s, %v, want %+v %s %s", tt.name, o.To, o.Authority, o.Target, err, tt.to, tt.authority, tt.target)
		}
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		uri   string
		names []string
		err   string
	}{
		{"http://h", nil, ""},
		{"http://{a}/{b}/{a}?{c+}#{d}", []string{"a", "b", "c"}, ""},
		{"http://h/{a.b-c_$1}", []string{"a.b-c_$1"}, ""},
		{"", nil, "not an http or https URL"},
		{"ftp://h/", nil, "not an http or https URL"},
		{"http://", nil, "no host"},
		{"http://u@h/", nil, "user information"},
		{"http://h/a b", nil, "offset 10"},
		{"http://h/\r\n", nil, "offset 9"},
		{"http://h:0/", nil, "bad port"},
		{"http://h/{a", nil, `unclosed "{"`},
		{"http://h/{}", nil, "not the name"},
		{"http://h/{a/b}", nil, "not the name"},
		{"http://{h/a}", nil, "not the name"},
		{"http://h/{{a}}", nil, "not the name"},
		{"http://h/{é}", nil, "not the name"},
	} {
		a, err := integration.ParseAddress(tt.uri)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: got error %v, want %q", tt.uri, err, tt.err)
			}
		case err != nil || !slices.Equal(a.Names(), tt.names):
			t.Errorf("%q: got %+v, %v", tt.uri, a, err)
		}
	}
}

// FuzzAddress: whatever the values are, the request leads to the host of the URI and below
// its path, in one line.
func FuzzAddress(f *testing.F) {
	f.Add("http://h/a/{b}/c?d={e}", "1", "2", "3")
	f.Add("http://h/a/x{b}/c", "..", "/", "%2e")
	f.Add("http://h/a/{b}{e}?", "\r\n", ".", "é")
	f.Fuzz(func(t *testing.T, uri, first, second, parameter string) {
		a, err := integration.ParseAddress(uri)
		if err != nil {
			return
		}
		var o integration.Outgoing
		if a.Fill(&o, []string{first, second, first, second}, []integration.Parameter{{Name: parameter, Value: first}}) != nil {
			return
		}
		if o.Target[0] != '/' || o.To.Host == "" || strings.ContainsFunc(o.Target+o.Authority, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q: %q %q", uri, o.Authority, o.Target)
		}
		if len(a.Names()) > 0 && strings.HasPrefix(uri, "http://h/a/{") {
			path, _, _ := strings.Cut(o.Target, "?")
			before := uri[:strings.IndexAny(uri+"?", "?#")]
			if !strings.HasPrefix(path, "/a/") || strings.Count(path, "/") != strings.Count(before, "/")-2 {
				t.Errorf("%q: %q", uri, path)
			}
		}
	})
}

func BenchmarkAddressFill(b *testing.B) {
	a, err := integration.ParseAddress("https://pets.example/rooms/{room}?a=1")
	if err != nil {
		b.Fatal(err)
	}
	var o integration.Outgoing
	values, parameters := []string{"a/b c"}, []integration.Parameter{{Name: "connection", Value: "L0SM9cOFvHcCIhw="}}
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Fill(&o, values, parameters); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEscapeValue: what its author has escaped stays, and the rest becomes what a query may
// have.
func TestEscapeValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":             "",
		"a-B_0.~/:@":   "a-B_0.~/:@",
		"r%201%2f%2F+": "r%201%2f%2F+",
		"r 1":          "r%201",
		"%":            "%25",
		"%2":           "%252",
		"%2g%zz":       "%252g%25zz",
		"a&b=c#d":      "a%26b%3Dc%23d",
		"é\r\n\x00":    "%C3%A9%0D%0A%00",
	} {
		got := integration.EscapeValue(text)
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		a, err := integration.ParseAddress("http://h/")
		if err != nil {
			t.Fatal(err)
		}
		var o integration.Outgoing
		if err := a.Fill(&o, nil, []integration.Parameter{{Name: "q", Value: got, Escaped: true}}); err != nil || o.Target != "/?q="+want {
			t.Errorf("%q: target %s, %v", text, o.Target, err)
		}
	}
}
