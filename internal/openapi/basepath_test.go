package openapi

import (
	"errors"
	"strings"
	"testing"
)

func TestBasePath(t *testing.T) {
	t.Parallel()
	variable := func(url, base string) string {
		return "servers: [{url: '" + url + "', variables: {basePath: {default: " + base + "}}}]\n"
	}
	long := strings.Repeat("x", maxBasePath-1)
	for _, tt := range []struct{ name, servers, prepend, split string }{
		{"variable", variable("https://h/{basePath}", "/a/b/c"), "/a/b/c/e", "/b/c/e"},
		{"variable that no URL names", variable("https://h/other", "/a/b/c"), "/a/b/c/e", "/b/c/e"},
		{"variable without a slash", variable("https://h/{basePath}", "example/path"), "/example/path/e", "/path/e"},
		{"variable with slashes at its end", variable("https://h/{basePath}", "/a/b//"), "/a/b/e", "/b/e"},
		{"variable of one segment", variable("https://h/{basePath}", "/a"), "/a/e", "/e"},
		{"variable that is empty", variable("https://h/{basePath}", "''"), "/e", "/e"},
		{"variable that is a slash", variable("https://h/{basePath}", "/"), "/e", "/e"},
		{"variable that is empty beside a URL with a path", variable("https://h/x/y", "''"), "/e", "/e"},
		{"variable that is a number", variable("https://h/{basePath}", "1.0"), "/1.0/e", "/e"},
		{"variable without a default", "servers: [{url: 'https://h/x/{basePath}', variables: {basePath: {enum: [a]}}}]\n", "/e", "/e"},
		{"variable with a path variable", variable("https://h/{basePath}", "'/{tenant}/v1'"), "/{tenant}/v1/e", "/v1/e"},
		{"two variables", "servers: [{url: 'https://h/{basePath}', variables: {basePath: {default: a/b}}}, {url: 'https://i/{basePath}', variables: {basePath: {default: c/d}}}]\n", "/a/b/e", "/b/e"},
		{"variable of the second server", "servers: [{url: 'https://h/x/y'}, {url: 'https://i', variables: {basePath: {default: c/d}}}]\n", "/c/d/e", "/d/e"},
		{"path of the URL", "servers: [{url: 'https://h/a/b/c'}]\n", "/a/b/c/e", "/b/c/e"},
		{"path of the URL with a slash at its end", "servers: [{url: 'https://h/a/b/'}]\n", "/a/b/e", "/b/e"},
		{"path of the URL with a query", "servers: [{url: 'https://h:8443/a/b?c=/d#/e'}]\n", "/a/b/e", "/b/e"},
		{"path of the URL with variables", "servers: [{url: 'https://{host}/{stage}/api/{none}', variables: {host: {default: h/x}, stage: {default: v1}}}]\n", "/x/v1/api/{none}/e", "/v1/api/{none}/e"},
		{"URL without a path", "servers: [{url: 'https://h'}]\n", "/e", "/e"},
		{"URL with an empty path", "servers: [{url: 'https://h/'}]\n", "/e", "/e"},
		{"URL that is a path", "servers: [{url: /a/b}]\n", "/a/b/e", "/b/e"},
		{"URL that is a path without a slash", "servers: [{url: a/b}]\n", "/a/b/e", "/b/e"},
		{"URL without a scheme", "servers: [{url: '//h/a/b'}]\n", "/a/b/e", "/b/e"},
		{"the first URL counts", "servers: [{description: x}, {url: 'https://h'}, {url: 'https://i/a'}]\n", "/e", "/e"},
		{"no URL", "servers: [{x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}}]\n", "/e", "/e"},
		{"no servers", "", "/e", "/e"},
		{"empty servers", "servers: []\n", "/e", "/e"},
		{"a long one", variable("https://h", long), "/" + long + "/e", "/e"},
	} {
		for _, mode := range []struct{ mode, want string }{{"", "/e"}, {"ignore", "/e"}, {"prepend", tt.prepend}, {"split", tt.split}} {
			d, err := Import(head+tt.servers+"paths: {/e: {get: {}}, $default: {x-amazon-apigateway-any-method: {}}, /d: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}}", Options{BasePath: mode.mode})
			if err != nil {
				t.Errorf("%s: %q: %v", tt.name, mode.mode, err)
				continue
			}
			if got := *d.Routes[0].RouteKey; got != "GET "+mode.want {
				t.Errorf("%s: %q: got %q, want GET %s", tt.name, mode.mode, got, mode.want)
			}
			if a, b := *d.Routes[1].RouteKey, *d.Routes[2].RouteKey; a != "$default" || b != "$default" {
				t.Errorf("%s: %q: the default route is %q and %q", tt.name, mode.mode, a, b)
			}
		}
	}
}

// The path / is the base path itself, as no path of a route ends with a slash.
func TestBasePathOfRoot(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{"ignore": "GET /", "prepend": "GET /a/b", "split": "GET /b"} {
		d, err := Import(paths("  /: {get: {}}\nservers: [{url: 'https://h/a/b'}]"), Options{BasePath: mode})
		if err != nil {
			t.Fatal(err)
		}
		if got := *d.Routes[0].RouteKey; got != want {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
}

func TestBasePathRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mode, servers, want string }{
		{"unknown", "Prepend", "[]", "basepath: must be ignore, prepend or split"},
		{"too long", "prepend", "[{url: /" + strings.Repeat("x", maxBasePath) + "}]", "servers: the base path must not be longer than 512 bytes (line 3)"},
		{"a list", "ignore", "[{url: [x]}, x]", "servers[1]: must be an object, not a string (line 3)"},
		{"a URL that is a list", "split", "[{url: [x]}]", "servers[0].url: must be a string, not a list (line 3)"},
		{"a default that is a list", "split", "[{variables: {basePath: {default: []}}}]", "servers[0].variables.basePath.default: must be a string, not a list (line 3)"},
		{"variables without end", "split", "[{url: '" + strings.Repeat("{v}", 9) + "', variables: {v: {default: " + strings.Repeat("x", 1000) + "}}}]", "servers[0].variables: the URL is too long with its variables filled in (line 3)"},
	} {
		_, err := Import(head+"servers: "+tt.servers+"\npaths: {}", Options{BasePath: tt.mode})
		var refused *Error
		if !errors.As(err, &refused) || refused.Problems[0] != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	// What else is wrong is told too.
	_, err := Import("{", Options{BasePath: "x"})
	if want := "basepath: must be ignore, prepend or split\nline 1: the document is cut off"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
