package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// located is what a request resolved to: API, stage, RoutePath, RawPath, Path,
// SentRawPath and SentPath, base path and rule; or the status it was refused with.
func located(s *Server, snapshot *Snapshot, host, path string, header ...Field) string {
	x := &Exchange{server: s}
	x.Request = Request{Method: "GET", Host: host, Path: path, Header: append([]Field{{"Host", host}}, header...)}
	if err := x.locate(snapshot); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return err.Error()
		}
		return fmt.Sprint(e.Status)
	}
	text := strings.Join([]string{x.API.ID, x.Stage.Name, x.RoutePath, x.RawPath, x.Path, x.SentRawPath, x.SentPath}, " ")
	if x.Domain != nil {
		text += " (" + x.BasePath + ")"
	}
	if x.Rule != nil {
		text += " by " + x.Rule.ID
	}
	return text
}

// domainAPI returns an API with stages.
func domainAPI(id string, stages ...string) *API {
	a := &API{ID: id, Stages: map[string]*Stage{}}
	for _, name := range stages {
		a.Stages[name] = &Stage{APIID: id, Name: name}
	}
	return a
}

// mappings returns API mappings: keys, and their destinations as "api stage".
func mappings(to map[string]string) map[string]APIMapping {
	m := map[string]APIMapping{}
	for key, at := range to {
		api, stage, _ := strings.Cut(at, " ")
		m[key] = APIMapping{Key: key, Destination: Destination{api, stage}}
	}
	return m
}

func domainServer() *Server {
	return NewServer(Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
}

// TestDomainMappings: which stage a path on a custom domain leads to, and what the API
// and the client see of it.
func TestDomainMappings(t *testing.T) {
	t.Parallel()
	off := domainAPI("off", "$default")
	off.Stages["$default"].EndpointDisabled = true
	snapshot := NewSnapshot(1, []*API{
		domainAPI("a1", "$default"), domainAPI("a2", "$default"), domainAPI("a3", "$default"), domainAPI("a4", "$default"), domainAPI("p", "prod", "$default"), domainAPI("bare"), off,
	},
		&Domain{Name: "table.example.com", Mappings: mappings(map[string]string{"": "a1 $default", "orders/v1/items": "a2 $default", "orders/v2/items": "a3 $default", "orders/v2/items/categories": "a4 $default"})},
		&Domain{Name: "api.example.com", Mappings: mappings(map[string]string{"v1": "p prod", "deep/er": "p $default", "$-_.+!*'()": "p $default", "gone": "none $default", "nostage": "bare $default"})},
		&Domain{Name: "off.example.com", Mappings: mappings(map[string]string{"": "off $default"})},
		&Domain{Name: "none.example.com", Mappings: map[string]APIMapping{}},
		&Domain{Name: "nil.example.com"},
		&Domain{Name: "*.example.com", Mappings: mappings(map[string]string{"": "a4 $default"})},
		&Domain{Name: "*.deep.example.com", Mappings: mappings(map[string]string{"": "a3 $default"})},
		&Domain{Name: "one.deep.example.com", Mappings: mappings(map[string]string{"": "a2 $default"})},
	)
	s := domainServer()
	const (
		table = "table.example.com"
		api   = "api.example.com"
	)
	for _, tt := range []struct{ name, host, path, want string }{
		{"table", table, "/orders/v1/items", "a2 $default / / / /orders/v1/items /orders/v1/items (orders/v1/items)"},
		{"table", table, "/orders/v2/items", "a3 $default / / / /orders/v2/items /orders/v2/items (orders/v2/items)"},
		{"22", table, "/orders/v1/items/123", "a2 $default /123 /123 /123 /orders/v1/items/123 /orders/v1/items/123 (orders/v1/items)"},
		{"23", table, "/orders/v2/items/categories/5", "a4 $default /5 /5 /5 /orders/v2/items/categories/5 /orders/v2/items/categories/5 (orders/v2/items/categories)"},
		{"table", table, "/orders/v2/itemsX", "a1 $default /orders/v2/itemsX /orders/v2/itemsX /orders/v2/itemsX /orders/v2/itemsX /orders/v2/itemsX ()"},
		{"24", table, "/customers", "a1 $default /customers /customers /customers /customers /customers ()"},
		{"root", table, "/", "a1 $default / / / / / ()"},
		{"between two keys", table, "/orders/v2/items/categoriesX/5", "a3 $default /categoriesX/5 /categoriesX/5 /categoriesX/5 /orders/v2/items/categoriesX/5 /orders/v2/items/categoriesX/5 (orders/v2/items)"},
		{"part of a key", table, "/orders/v2", "a1 $default /orders/v2 /orders/v2 /orders/v2 /orders/v2 /orders/v2 ()"},
		{"case of a key", table, "/Orders/v1/items", "a1 $default /Orders/v1/items /Orders/v1/items /Orders/v1/items /Orders/v1/items /Orders/v1/items ()"},
		{"slash behind a key", table, "/orders/v1/items/", "a2 $default / / / /orders/v1/items/ /orders/v1/items/ (orders/v1/items)"},
		{"two slashes behind a key", table, "/orders/v1/items//", "a2 $default // // // /orders/v1/items// /orders/v1/items// (orders/v1/items)"},
		{"two slashes before a key", table, "//orders/v1/items", "a1 $default //orders/v1/items //orders/v1/items //orders/v1/items //orders/v1/items //orders/v1/items ()"},
		{"two slashes within a key", table, "/orders//v1/items", "a1 $default /orders//v1/items /orders//v1/items /orders//v1/items /orders//v1/items /orders//v1/items ()"},
		{"longest path", table, "/" + strings.Repeat("/", 9000), "a1 $default " + strings.Repeat("/"+strings.Repeat("/", 9000)+" ", 5) + "()"},
		{"long segment", table, "/orders/v1/items/" + strings.Repeat("x", 5000), "a2 $default " + strings.Repeat("/"+strings.Repeat("x", 5000)+" ", 3) + strings.Repeat("/orders/v1/items/"+strings.Repeat("x", 5000)+" ", 2) + "(orders/v1/items)"},

		{"25", api, "/v1/foo", "p prod /foo /prod/foo /prod/foo /v1/foo /v1/foo (v1)"},
		{"25 bare", api, "/v1", "p prod / /prod/ /prod/ /v1 /v1 (v1)"},
		{"25 slash", api, "/v1/", "p prod / /prod/ /prod/ /v1/ /v1/ (v1)"},
		{"26", api, "/v2/foo", "403"},
		{"26 root", api, "/", "403"},
		{"26 begins so", api, "/v1x", "403"},
		{"27", api, "/v1/prod/foo", "p prod /prod/foo /prod/prod/foo /prod/prod/foo /v1/prod/foo /v1/prod/foo (v1)"},
		{"no stage selection", api, "/prod/foo", "403"},
		{"$default of an API with other stages", api, "/deep/er/prod/foo", "p $default /prod/foo /prod/foo /prod/foo /deep/er/prod/foo /deep/er/prod/foo (deep/er)"},
		{"every character of a key", api, "/$-_.+!*'()/x", "p $default /x /x /x /$-_.+!*'()/x /$-_.+!*'()/x ($-_.+!*'())"},
		{"no such API", api, "/gone/x", "404"},
		{"no such stage", api, "/nostage/x", "404"},
		{"no mapping", "none.example.com", "/", "403"},
		{"no mappings at all", "nil.example.com", "/", "403"},

		{"escaped slash behind the key", api, "/v1%2Ffoo", "p prod /foo /prod/foo /prod/foo /v1%2Ffoo /v1/foo (v1)"},
		{"escaped slash at the end", api, "/v1%2F", "p prod / /prod/ /prod/ /v1%2F /v1/ (v1)"},
		{"escaped slash in the key", api, "/deep%2fer/foo", "p $default /foo /foo /foo /deep%2fer/foo /deep/er/foo (deep/er)"},
		{"escaped key", api, "/%76%31/a%20b", "p prod /a b /prod/a%20b /prod/a b /%76%31/a%20b /v1/a b (v1)"},
		{"escapes behind the key", api, "/v1/%C3%A9%2F%40", "p prod /é/@ /prod/%C3%A9%2F%40 /prod/é/@ /v1/%C3%A9%2F%40 /v1/é/@ (v1)"},
		{"escaped twice", api, "/v1%252Ffoo", "403"},
		{"escaped percent behind the key", api, "/v1/a%252Fb", "p prod /a%2Fb /prod/a%252Fb /prod/a%2Fb /v1/a%252Fb /v1/a%2Fb (v1)"},
		{"escaped question mark", api, "/v1%3Ffoo", "p prod / /prod/ /prod/ /v1 /v1 (v1)"},
		{"escaped question mark behind", api, "/v1/a%3Fb", "p prod /a /prod/a /prod/a /v1/a /v1/a (v1)"},
		{"dots", api, "/v1/../v2", "400"},
		{"escaped dots", api, "/v1/%2e%2e/foo", "400"},
		{"dots out of an escaped slash", api, "/v1%2f..%2ffoo", "400"},
		{"backslash", api, "/v1%5cfoo", "400"},
		{"bad escape", api, "/v1/%zz", "400"},

		{"20", "off.execute-api.us-east-1.localhost", "/pets", "404"},
		{"20 in path form", "localhost", "/_aws/execute-api/off/pets", "404"},
		{"20 in path form with the stage", "localhost", "/_aws/execute-api/off/$default/pets", "404"},
		{"21", "off.example.com", "/pets", "off $default /pets /pets /pets /pets /pets ()"},

		{"upper case", "API.Example.COM", "/v1/foo", "p prod /foo /prod/foo /prod/foo /v1/foo /v1/foo (v1)"},
		{"port", "api.example.com:8443", "/v1/foo", "p prod /foo /prod/foo /prod/foo /v1/foo /v1/foo (v1)"},
		{"dot", "api.example.com.", "/v1/foo", "p prod /foo /prod/foo /prod/foo /v1/foo /v1/foo (v1)"},
		{"dot and port", "api.example.com.:8443", "/v1/foo", "p prod /foo /prod/foo /prod/foo /v1/foo /v1/foo (v1)"},
		{"two dots", "api.example.com..", "/v1/foo", "404"},
		{"wildcard", "any.example.com", "/x", "a4 $default /x /x /x /x /x ()"},
		{"wildcard, upper case", "ANY.EXAMPLE.com:80", "/x", "a4 $default /x /x /x /x /x ()"},
		{"wildcard is one label", "two.labels.example.com", "/x", "404"},
		{"wildcard is a label", "example.com", "/x", "404"},
		{"wildcard is no empty label", ".example.com", "/x", "404"},
		{"an exact name whose mappings do not match is not the wildcard's", "none.example.com", "/x", "403"},
		{"wildcard below a wildcard", "two.deep.example.com", "/x", "a3 $default /x /x /x /x /x ()"},
		{"exact below a wildcard", "one.deep.example.com", "/x", "a2 $default /x /x /x /x /x ()"},
		{"name only ends so", "evilapi.example.com.evil.test", "/v1/foo", "404"},
		{"name only begins so", "api.example.com.evil.test", "/v1/foo", "404"},
		{"no domain", "other.test", "/", "404"},
		{"no host", "", "/", "404"},

		{"path form on a domain is no path form", "off.example.com", "/_aws/execute-api/a1/x", "off $default /_aws/execute-api/a1/x /_aws/execute-api/a1/x /_aws/execute-api/a1/x /_aws/execute-api/a1/x /_aws/execute-api/a1/x ()"},
		{"path form on a domain without a mapping for it", api, "/_aws/execute-api/p/prod/x", "403"},
	} {
		if got := located(s, snapshot, tt.host, tt.path); got != tt.want {
			t.Errorf("%s: %s%.60s\ngot  %.300s\nwant %.300s", tt.name, tt.host, tt.path, got, tt.want)
		}
	}
	if got := len(snapshot.Domains()); got != 8 {
		t.Errorf("%d domains", got)
	}
	if names := snapshot.Domains(); !slices.IsSortedFunc(names, func(a, b *Domain) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the domains are not in order")
	}
	if d := NewSnapshot(1, nil).Domain("api.example.com"); d != nil {
		t.Errorf("a snapshot without domains has %s", d.Name)
	}
	// Other domains in the next snapshot, and the same ones.
	next := snapshot.With(2, nil, []*Domain{{Name: "new.example.com"}})
	if next.Domain(api) != nil || next.Domain("new.example.com") == nil || snapshot.Domain(api) == nil || next.With(3, nil, nil).Domain("new.example.com") == nil {
		t.Error("a snapshot with other domains has not exactly those")
	}
}

// TestDomainRules: routing rules in the order of the domain, then mappings.
func TestDomainRules(t *testing.T) {
	t.Parallel()
	rule := func(id, api, stage string, strip bool, bases []string, headers ...[]HeaderPattern) RoutingRule {
		return RoutingRule{ID: id, Headers: headers, BasePaths: bases, Destination: Destination{api, stage}, StripBasePath: strip}
	}
	either := func(pairs ...string) (list []HeaderPattern) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, NewHeaderPattern(pairs[i], pairs[i+1]))
		}
		return list
	}
	rules := []RoutingRule{
		rule("both", "a", "$default", false, []string{"both"}, either("X-One", "1"), either("X-Two", "2")),
		rule("exact", "a", "prod", false, nil, either("X-Exact", "Yes")),
		rule("prefix", "a", "prod", false, nil, either("X-Glob", "begin*")),
		rule("suffix", "a", "prod", false, nil, either("X-Glob", "*end")),
		rule("middle", "a", "prod", false, nil, either("X-Glob", "*mid*")),
		rule("present", "a", "prod", false, nil, either("X-Present", "*")),
		rule("or", "a", "prod", false, nil, either("X-Left", "1", "X-Right", "1")),
		rule("paths", "b", "prod", true, []string{"strip", "strip/deeper", "other"}),
		rule("kept", "b", "prod", false, []string{"keep"}),
		rule("default", "b", "$default", true, []string{"whole"}),
		rule("gone", "none", "$default", true, []string{"gone"}),
		rule("nostage", "b", "none", true, []string{"nostage"}),
		rule("second", "a", "$default", false, []string{"strip"}), // never reached
		rule("nothing", "a", "$default", false, []string{}),       // a condition that nothing meets
		rule("none of them", "a", "$default", false, nil, nil),    // likewise
	}
	snapshot := NewSnapshot(1, []*API{domainAPI("a", "$default", "prod"), domainAPI("b", "$default", "prod"), domainAPI("m", "$default")},
		&Domain{Name: "both.test", Rules: rules, Mappings: mappings(map[string]string{"": "m $default", "strip": "m $default", "gone": "m $default"})},
		&Domain{Name: "rules.test", Rules: rules},
		&Domain{Name: "all.test", Rules: append(slices.Clone(rules[:2]), rule("all", "b", "$default", true, nil))},
	)
	s := domainServer()
	at := func(path string) string { return strings.Repeat(path+" ", 4) + path }
	h := func(pairs ...string) (fields []Field) {
		for i := 0; i < len(pairs); i += 2 {
			fields = append(fields, Field{pairs[i], pairs[i+1]})
		}
		return fields
	}
	for _, tt := range []struct {
		name, host, path string
		header           []Field
		want             string
	}{
		{"nothing matches, mapping", "both.test", "/x", nil, "m $default " + at("/x") + " ()"},
		{"nothing matches, no mapping", "rules.test", "/x", nil, "403"},
		{"catch-all", "all.test", "/x", nil, "b $default " + at("/x") + " () by all"},
		{"before the catch-all", "all.test", "/x", h("X-Exact", "Yes"), "a prod /x /prod/x /prod/x /x /x () by exact"},

		{"exact", "rules.test", "/x", h("X-Exact", "Yes"), "a prod /x /prod/x /prod/x /x /x () by exact"},
		{"exact, case of the name", "rules.test", "/x", h("x-eXACT", "Yes"), "a prod /x /prod/x /prod/x /x /x () by exact"},
		{"exact, case of the value", "rules.test", "/x", h("X-Exact", "yes"), "403"},
		{"exact is all", "rules.test", "/x", h("X-Exact", "Yes!"), "403"},
		{"exact is all, before", "rules.test", "/x", h("X-Exact", "!Yes"), "403"},
		{"second field of the name", "rules.test", "/x", h("X-Exact", "No", "X-Exact", "Yes"), "a prod /x /prod/x /prod/x /x /x () by exact"},
		{"list in one field", "rules.test", "/x", h("X-Exact", "No, Yes"), "403"},
		{"prefix", "rules.test", "/x", h("X-Glob", "beginning"), "a prod /x /prod/x /prod/x /x /x () by prefix"},
		{"prefix alone", "rules.test", "/x", h("X-Glob", "begin"), "a prod /x /prod/x /prod/x /x /x () by prefix"},
		{"prefix not at the start", "rules.test", "/x", h("X-Glob", "to begin"), "403"},
		{"suffix", "rules.test", "/x", h("X-Glob", "the end"), "a prod /x /prod/x /prod/x /x /x () by suffix"},
		{"suffix not at the end", "rules.test", "/x", h("X-Glob", "ends"), "403"},
		{"middle", "rules.test", "/x", h("X-Glob", "amidst"), "a prod /x /prod/x /prod/x /x /x () by middle"},
		{"middle alone", "rules.test", "/x", h("X-Glob", "mid"), "a prod /x /prod/x /prod/x /x /x () by middle"},
		{"first that matches", "rules.test", "/x", h("X-Glob", "begin mid end"), "a prod /x /prod/x /prod/x /x /x () by prefix"},
		{"present, empty", "rules.test", "/x", h("X-Present", ""), "a prod /x /prod/x /prod/x /x /x () by present"},
		{"left", "rules.test", "/x", h("X-Left", "1"), "a prod /x /prod/x /prod/x /x /x () by or"},
		{"right", "rules.test", "/x", h("X-Right", "1"), "a prod /x /prod/x /prod/x /x /x () by or"},
		{"neither", "rules.test", "/x", h("X-Left", "2", "X-Right", "2"), "403"},

		{"all conditions", "rules.test", "/both/x", h("X-One", "1", "X-Two", "2"), "a $default " + at("/both/x") + " (both) by both"},
		{"a header less", "rules.test", "/both/x", h("X-One", "1"), "403"},
		{"another path", "rules.test", "/x", h("X-One", "1", "X-Two", "2"), "403"},
		{"a rule before, whatever the path", "rules.test", "/strip/x", h("X-Exact", "Yes"), "a prod /strip/x /prod/strip/x /prod/strip/x /strip/x /strip/x () by exact"},

		{"strip", "rules.test", "/strip/x", nil, "b prod /x /prod/x /prod/x /strip/x /strip/x (strip) by paths"},
		{"strip all", "rules.test", "/strip", nil, "b prod / /prod/ /prod/ /strip /strip (strip) by paths"},
		{"strip the longest", "rules.test", "/strip/deeper/x", nil, "b prod /x /prod/x /prod/x /strip/deeper/x /strip/deeper/x (strip/deeper) by paths"},
		{"strip whole segments", "rules.test", "/stripped/x", nil, "403"},
		{"another of them", "rules.test", "/other/x", nil, "b prod /x /prod/x /prod/x /other/x /other/x (other) by paths"},
		{"case of a base path", "rules.test", "/Strip/x", nil, "403"},
		{"strip with escapes", "rules.test", "/st%72ip%2Fa%20b", nil, "b prod /a b /prod/a%20b /prod/a b /st%72ip%2Fa%20b /strip/a b (strip) by paths"},
		{"keep", "rules.test", "/keep/x", nil, "b prod /keep/x /prod/keep/x /prod/keep/x /keep/x /keep/x (keep) by kept"},
		{"keep with escapes", "rules.test", "/keep%2Fa%20b", nil, "b prod /keep/a b /prod/keep%2Fa%20b /prod/keep/a b /keep%2Fa%20b /keep/a b (keep) by kept"},
		{"$default", "rules.test", "/whole/x", nil, "b $default /x /x /x /whole/x /whole/x (whole) by default"},

		{"rules before mappings", "both.test", "/strip/x", nil, "b prod /x /prod/x /prod/x /strip/x /strip/x (strip) by paths"},
		{"a rule that leads nowhere", "both.test", "/gone/x", nil, "404"},
		{"a rule to no stage", "both.test", "/nostage/x", nil, "404"},
	} {
		if got := located(s, snapshot, tt.host, tt.path, tt.header...); got != tt.want {
			t.Errorf("%s: %s%s %v\ngot  %s\nwant %s", tt.name, tt.host, tt.path, tt.header, got, tt.want)
		}
	}
}

// TestDomainLookupIsBounded: finding the mapping of a path costs the same for every
// path, however many slashes it has.
func TestDomainLookupIsBounded(t *testing.T) {
	d := &Domain{Name: "a.test", Mappings: mappings(map[string]string{"": "a $default", strings.Repeat("k", maxMappingKey): "a $default"})}
	q := &Request{}
	time1 := func(path string) time.Duration {
		best := time.Hour
		for range 20 {
			start := time.Now()
			d.find(q, path)
			best = min(best, time.Since(start))
		}
		return best
	}
	short, long := time1(strings.Repeat("/", maxMappingKey)), time1(strings.Repeat("/", maxHead))
	if long > 5*short+100*time.Microsecond {
		t.Errorf("%v for %d slashes, %v for %d", short, maxMappingKey, long, maxHead)
	}
	// The longest key is found, alone and before more of the path.
	key := strings.Repeat("k", maxMappingKey)
	for path, want := range map[string]string{"/" + key: key, "/" + key + "/x": key, "/" + key + "/" + strings.Repeat("x/", 5000): key, "/" + key + "k": "", "/" + key + "k/x": ""} {
		if _, _, base, _, ok := d.find(q, path); base != want || !ok {
			t.Errorf("%.320s: base %.320q, %t", path, base, ok)
		}
	}
}

// FuzzDomain: whatever the path, what the API sees of it is what is left behind the
// key, escaped and decoded alike.
func FuzzDomain(f *testing.F) {
	for _, seed := range []string{"/v1/foo", "/v1%2Ffoo", "/%76%31%2f%3f", "/a/b//", "/v1%3F", "/a%2Fb%2fc", "/\xc3\xa9%C3%A9/v1"} {
		f.Add(seed)
	}
	s := domainServer()
	keys := map[string]string{"": "p $default", "v1": "p prod", "a/b": "p $default", "é": "p prod"}
	snapshot := NewSnapshot(1, []*API{domainAPI("p", "prod", "$default")}, &Domain{Name: "api.test", Mappings: mappings(keys)})
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "?") || len(path) > maxHead {
			return
		}
		x := &Exchange{server: s, Request: Request{Host: "api.test", Path: path}}
		if x.locate(snapshot) != nil {
			return
		}
		prefix := ""
		if x.Stage.Name == "prod" {
			prefix = "/prod"
		}
		if !slices.Contains(slices.Collect(maps.Keys(keys)), x.BasePath) || !strings.HasPrefix(x.RoutePath, "/") || x.Path != prefix+x.RoutePath {
			t.Errorf("%q: base %q, path %q, route path %q", path, x.BasePath, x.Path, x.RoutePath)
		}
		rest := strings.TrimPrefix(x.SentPath, "/"+x.BasePath)
		if x.BasePath == "" {
			rest = x.SentPath
		}
		if rest == "" {
			rest = "/"
		}
		if x.RoutePath != rest {
			t.Errorf("%q: route path %q, want %q", path, x.RoutePath, rest)
		}
		// What backends get, decoded by itself, is what routes see.
		again := &Exchange{server: s, RawPath: strings.TrimPrefix(x.RawPath, prefix)}
		if err := again.decodePath(); err != nil || again.Path != x.RoutePath {
			t.Errorf("%q: the raw path %q is the path %q, %v; want %q", path, x.RawPath, again.Path, err, x.RoutePath)
		}
	})
}

// BenchmarkLocateByDomain finds the API behind an API mapping.
func BenchmarkLocateByDomain(b *testing.B) {
	s := domainServer()
	snapshot := NewSnapshot(1, []*API{domainAPI("p", "prod", "$default")},
		&Domain{Name: "api.example.com", Mappings: mappings(map[string]string{"": "p $default", "v1": "p prod", "orders/v2/items": "p $default"})})
	for name, path := range map[string]string{"stage": "/v1/pets/7", "levels": "/orders/v2/items/7", "none": "/pets/7", "escaped": "/v1/a%20b", "slashes": strings.Repeat("/", 8000)} {
		b.Run(name, func(b *testing.B) {
			x := &Exchange{server: s, Request: Request{Host: "api.example.com:8443", Path: path}}
			b.ReportAllocs()
			for b.Loop() {
				if err := x.locate(snapshot); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
