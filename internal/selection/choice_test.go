package selection

import (
	"errors"
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	routes := map[string]string{}
	for _, key := range []string{"join", "Join", " ", "a.b", "$default", "$connect", "$disconnect", "$other", ""} {
		routes[key] = key
	}
	for _, tt := range []struct{ text, want string }{
		{"join", "join"},
		{"Join", "Join"},
		{"JOIN", "$default"},
		{" ", " "},
		{"a.b", "a.b"},
		{"", "$default"},
		{"$default", "$default"},
		{"$connect", "$default"},
		{"$disconnect", "$default"},
		{"$other", "$default"},
	} {
		if got, found := Select(routes, []byte(tt.text)); got != tt.want || !found {
			t.Errorf("%q: got %q, %v", tt.text, got, found)
		}
		delete(routes, "$default")
		got, found := Select(routes, []byte(tt.text))
		if want := tt.want != "$default"; found != want || found && got != tt.want {
			t.Errorf("%q without $default: got %q, %v", tt.text, got, found)
		}
		routes["$default"] = "$default"
	}
}

// TestSelectRoute: why a message has no key of its own is told.
func TestSelectRoute(t *testing.T) {
	t.Parallel()
	e := mustParse(t, "$request.body.action")
	for _, routes := range []map[string]bool{{"$default": true, "": true}, {"join": true, "": true}, nil} {
		route, found, err := SelectRoute(routes, e, body("hello"))
		if want := routes["$default"]; route != want || found != want || !errors.Is(err, ErrNotJSON) {
			t.Errorf("%v: got %v, %v, %v", routes, route, found, err)
		}
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, keys, text string
		want             string // "" for none
	}{
		{"whole text", `/2\d\d/ $default`, "200", `/2\d\d/`},
		{"not a part of it", `/2\d\d/ $default`, "2000", "$default"},
		{"nor the end", `/2\d\d/ $default`, "1200", "$default"},
		{"nor one way of several", `/20|2/`, "201", ""},
		{"in the middle", `/.*Bad.*/ $default`, "a Bad thing", `/.*Bad.*/`},
		{"a dot is no end of a line", `/.*Bad.*/ $default`, "a\nBad thing", "$default"},
		{"unless it is said", `/(?s).*Bad.*/`, "a\r\nBad thing", `/(?s).*Bad.*/`},
		{"text", "200 $default", "200", "200"},
		{"text is case-sensitive", "bad", "Bad", ""},
		{"patterns come first", `200 /2\d\d/`, "200", `/2\d\d/`},
		{"in the order of keys", `/.*/ /2.*/ /[0-9]*/`, "200", "/.*/"},
		{"in the order of keys, whatever theirs", `/[0-9]*/ /2.*/`, "200", "/2.*/"},
		{"nothing", `/2\d\d/ $default`, "", "$default"},
		{"a pattern of nothing", "// $default", "", "//"},
		{"a slash is text", "/", "/", "/"},
		{"slashes inside", "/a/b/", "a/b", "/a/b/"},
		{"one slash only", "/a a/", "/a", "/a"},
		{"the default is nothing special", "$default", "$default", "$default"},
		{"none", `/2\d\d/ 404`, "500", ""},
		{"none at all", "", "200", ""},
		{"classes of Java", `/\p{Upper}\h\Q.*\E/`, "A\u00a0.*", `/\p{Upper}\h\Q.*\E/`},
	} {
		responses := make(map[string]string)
		for _, key := range strings.Fields(tt.keys) {
			responses[key] = key
		}
		r, err := CompileResponses(responses)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got, found := r.Select(tt.text); got != tt.want || found != (tt.want != "") {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, found, tt.want)
		}
	}
}

func TestResponsesErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, want string }{
		{"/(/", `response key "/(/": pattern: unclosed (`},
		{"/(?=a)/", "looking around is not supported"},
		{`/(a)\1/`, "references back are not supported"},
		{"/(a{1000}){1000}/", "invalid repeat count"},
		{"/" + strings.Repeat("a", 2000) + "/", "longer than 1000 bytes"},
	} {
		if _, err := CompileResponses(map[string]int{"$default": 1, tt.key: 2}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20s: got %v, want %q", tt.key, err, tt.want)
		}
	}
}

func BenchmarkResponses(b *testing.B) {
	r, err := CompileResponses(map[string]int{`/2\d\d/`: 1, `/4\d\d/`: 2, "$default": 3})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got, _ := r.Select("404"); got != 2 {
			b.Fatal(got)
		}
	}
}
