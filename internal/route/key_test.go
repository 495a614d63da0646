package route

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

func mustKey(t testing.TB, s string) Key {
	t.Helper()
	k, err := ParseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParseKey(t *testing.T) {
	for _, tt := range []struct {
		key      string
		method   string
		path     string
		segments []Segment
		vars     []string
	}{
		{"$default", "", "$default", nil, nil},
		{"GET /", "GET", "/", []Segment{{Literal, ""}}, nil},
		{"ANY /pets", "ANY", "/pets", []Segment{{Literal, "pets"}}, nil},
		{"PATCH /pets/{id}/toys", "PATCH", "/pets/{id}/toys",
			[]Segment{{Literal, "pets"}, {Variable, "id"}, {Literal, "toys"}}, []string{"id"}},
		{"DELETE /{proxy+}", "DELETE", "/{proxy+}", []Segment{{Greedy, "proxy"}}, []string{"proxy"}},
		{"PUT /{a.b}/{A-_0+}", "PUT", "/{a.b}/{A-_0+}", []Segment{{Variable, "a.b"}, {Greedy, "A-_0"}}, []string{"a.b", "A-_0"}},
		{"HEAD /-._~!$&'()*+,;=:@%/%7B", "HEAD", "/-._~!$&'()*+,;=:@%/%7B",
			[]Segment{{Literal, "-._~!$&'()*+,;=:@%"}, {Literal, "%7B"}}, nil},
		{"OPTIONS /$default", "OPTIONS", "/$default", []Segment{{Literal, "$default"}}, nil},
		{"POST /a/a", "POST", "/a/a", []Segment{{Literal, "a"}, {Literal, "a"}}, nil},
	} {
		k, err := ParseKey(tt.key)
		if err != nil {
			t.Errorf("%s: %v", tt.key, err)
			continue
		}
		if want := (Key{tt.method, tt.path, tt.segments}); !reflect.DeepEqual(k, want) {
			t.Errorf("%s: got %#v, want %#v", tt.key, k, want)
		}
		if k.String() != tt.key || !slices.Equal(k.Vars(), tt.vars) || k.Default() != (tt.key == "$default") {
			t.Errorf("%s: String %s, Vars %q, Default %t", tt.key, k, k.Vars(), k.Default())
		}
	}
}

// Rows 43 and 44 are from the numbered examples of HTTP API behaviour.
func TestParseKeyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		key    string
		kind   KeyErrorKind
		offset int
	}{
		{"empty", "", Malformed, 0},
		{"no path", "GET", Malformed, 0},
		{"no method", "/pets", Malformed, 0},
		{"default with method", "GET $default", Malformed, 4},
		{"default misspelt", "$Default", Malformed, 0},
		{"websocket key", "$connect", Malformed, 0},
		{"lower-case method", "get /pets", Malformed, 0},
		{"method TRACE", "TRACE /pets", Malformed, 0},
		{"empty method", " /pets", Malformed, 0},
		{"two spaces", "GET  /pets", Malformed, 4},
		{"tab", "GET\t/pets", Malformed, 0},
		{"relative path", "GET pets", Malformed, 4},
		{"empty path", "GET ", Malformed, 4},
		{"43 trailing slash", "GET /x/", InvalidPart, 7},
		{"double slash", "GET /x//y", InvalidPart, 7},
		{"only slashes", "GET //", InvalidPart, 5},
		{"44 greedy in the middle", "GET /{a+}/b", InvalidPart, 5},
		{"44 variable and suffix", "GET /{id}_s", InvalidPart, 5},
		{"variable and extension", "GET /e/{eventId}.json", InvalidPart, 7},
		{"prefix and variable", "GET /pre{id}", InvalidPart, 5},
		{"two variables in a segment", "GET /{a}{b}", InvalidPart, 5},
		{"unclosed", "GET /{a", InvalidPart, 5},
		{"unopened", "GET /a}", InvalidPart, 5},
		{"no name", "GET /{}", InvalidPart, 5},
		{"no greedy name", "GET /{+}", InvalidPart, 5},
		{"two pluses", "GET /{a++}", InvalidPart, 5},
		{"space in a name", "GET /{a b}", InvalidPart, 5},
		{"name twice", "GET /{a}/b/{a}", InvalidPart, 11},
		{"name twice, greedy", "GET /{a}/{a+}", InvalidPart, 9},
		{"space", "GET /a b", InvalidPart, 5},
		{"query", "GET /a?b", InvalidPart, 5},
		{"fragment", "GET /a/b#c", InvalidPart, 7},
		{"not ASCII", "GET /caf\u00e9", InvalidPart, 5},
		{"not UTF-8", "GET /\xff", InvalidPart, 5},
		{"control byte", "GET /a\x00", InvalidPart, 5},
	} {
		k, err := ParseKey(tt.key)
		var keyErr *KeyError
		if !errors.As(err, &keyErr) {
			t.Errorf("%s: got %v, %v", tt.name, k, err)
			continue
		}
		if keyErr.Kind != tt.kind || keyErr.Offset != tt.offset || keyErr.Key != tt.key || keyErr.Reason == "" {
			t.Errorf("%s: got %#v, want kind %d at %d", tt.name, keyErr, tt.kind, tt.offset)
		}
	}
}

func TestKeyErrorText(t *testing.T) {
	for key, want := range map[string]string{
		"TRACE /a":    `route key "TRACE /a": offset 0: unknown method "TRACE", want ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT`,
		"GET a":       `route key "GET a": offset 4: the path must start with "/"`,
		"GET /a/b?":   `route key "GET /a/b?": offset 7: "b?" must not have "?"`,
		"GET /{a+}/b": `route key "GET /{a+}/b": offset 5: {a+} must be the last segment`,
	} {
		if _, err := ParseKey(key); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestConflictsWith(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"GET /a/{x}/q", "GET /a/{y}/q", true},
		{"GET /a/{x}", "GET /a/{y}/z", true},
		{"GET /a/{x}", "POST /a/{y}", true},
		{"GET /a/{x}", "ANY /a/{y}", true},
		{"GET /{x}/b/{y}", "GET /{x}/b/{z}", true},
		{"GET /a/{p+}", "GET /a/{q+}", true},
		{"GET /a/{x}", "GET /a/{x}", false},
		{"GET /a/{x}/q", "GET /a/{x}/r", false},
		{"GET /a/{x}", "GET /a/b", false},
		{"GET /a/{x}", "GET /a/b/{y}", false},
		{"GET /a/{x}", "GET /b/{y}", false},
		{"GET /a/{x}/{z}", "GET /a/b/{y}", false},
		{"GET /{x}/b/{y}", "GET /{x}/c/{z}", false},
		{"GET /a/{x}", "GET /a/{p+}", false},
		{"GET /a/{x}/b", "GET /a/{p+}", false},
		{"GET /{x}", "GET /", false},
		{"GET /{x}", "$default", false},
		{"$default", "$default", false},
	} {
		a, b := mustKey(t, tt.a), mustKey(t, tt.b)
		if a.ConflictsWith(b) != tt.want || b.ConflictsWith(a) != tt.want {
			t.Errorf("%s and %s: got %t and %t, want %t", a, b, a.ConflictsWith(b), b.ConflictsWith(a), tt.want)
		}
	}
}

func TestCheckWebSocketKey(t *testing.T) {
	for _, key := range []string{"$connect", "$disconnect", "$default", "send", "GET /a", " "} {
		if err := CheckWebSocketKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	var keyErr *KeyError
	if err := CheckWebSocketKey(""); !errors.As(err, &keyErr) || keyErr.Kind != Malformed {
		t.Errorf("empty key: got %v", err)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"$default", "GET /", "ANY /{proxy+}", "GET /a/{b}/c", "GET /{a}_b", "POST /a//", "GET /{a+}/b", "GET /{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s)
		if err != nil {
			var keyErr *KeyError
			if !errors.As(err, &keyErr) || keyErr.Offset < 0 || keyErr.Offset > len(s) {
				t.Fatalf("%q: %#v", s, err)
			}
			return
		}
		if k.String() != s {
			t.Fatalf("%q prints as %q", s, k)
		}
		again, err := ParseKey(k.String())
		if err != nil || !reflect.DeepEqual(k, again) {
			t.Fatalf("%q: got %#v, then %#v, %v", s, k, again, err)
		}
		path := ""
		for _, segment := range k.Segments {
			path += "/" + segment.String()
		}
		if !k.Default() && path != k.Path {
			t.Fatalf("%q: the segments print as %q", s, path)
		}
		if k.ConflictsWith(again) {
			t.Fatalf("%q conflicts with itself", s)
		}
		if _, err := NewTable([]Entry[int]{{Key: k}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKnownMethod(t *testing.T) {
	for _, m := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"} {
		if !KnownMethod(m) {
			t.Errorf("%s is not known", m)
		}
	}
	for _, m := range []string{"", "ANY", "get", "TRACE", "CONNECT", "GET ", "$default"} {
		if KnownMethod(m) {
			t.Errorf("%q is known", m)
		}
	}
}
