//go:build conformance

package conformance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/internal/issuertest"
)

// A seen response is what the JavaScript of a page saw of one fetch.
type seen struct {
	Status  int
	Text    string
	Headers []string
	Error   string
}

// visit opens a page in Chromium that tries something out, and returns what it saw.
// The page comes from an address of this machine under a name: pages of two names are
// of two origins. A new profile each time forgets cookies and preflights.
func visit[T any](t *testing.T, pages *httptest.Server, results <-chan T, name string) (none T) {
	t.Helper()
	address := "http://" + name + ":" + port(pages.URL) + "/"
	cmd := exec.Command("/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // of all its processes, to end them together
	if err := cmd.Start(); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	select {
	case got := <-results:
		return got
	case <-time.After(45 * time.Second):
		t.Fatalf("the page at %s has not told what it saw", address)
		return none
	}
}

// servePages serves the files of browser/, the fetches that the pages make, and takes
// what they saw.
func servePages(t *testing.T, fetches func() list) (*httptest.Server, <-chan []seen) {
	results := make(chan []seen, 1)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("browser")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "browser/page.html") })
	mux.HandleFunc("GET /fetches", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(fetches()) })
	mux.HandleFunc("POST /seen", func(_ http.ResponseWriter, r *http.Request) {
		var all []seen
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			t.Errorf("what the page saw: %v", err)
		}
		results <- all
	})
	pages := httptest.NewServer(mux)
	t.Cleanup(pages.Close)
	return pages, results
}

// TestBrowser lets pages of two origins fetch from APIs with different CORS
// configurations: what the pages see, what the gateway got, and what went through.
func TestBrowser(t *testing.T) {
	t.Parallel()
	p := newPlane(t, build(t), "", nil)
	up := record200(t)
	issuer := issuertest.New(t)
	token := "Bearer " + issuer.Token(object{"iss": issuer.URL, "aud": "pets", "exp": time.Now().Add(time.Hour).Unix()})
	var fetches list
	pages, results := servePages(t, func() list { return fetches })
	origin := "http://localhost:" + port(pages.URL)

	strict := object{
		"AllowOrigins": list{origin}, "AllowMethods": list{"GET", "PUT"}, "AllowHeaders": list{"X-Custom", "Authorization"},
		"ExposeHeaders": list{"X-Upstream"}, "AllowCredentials": true, "MaxAge": 300,
	}
	everyone := object{"AllowOrigins": list{"*"}, "AllowMethods": list{"*"}, "AllowHeaders": list{"*"}, "ExposeHeaders": list{"*"}}
	apis := map[string]string{}
	for name, cors := range map[string]object{"strict": strict, "everyone": everyone, "none": nil} {
		more := object{}
		if cors != nil {
			more["CorsConfiguration"] = cors
		}
		api := p.api(name, more)
		target := p.integration(api, up.URL+"/"+name+"/{proxy}", nil)
		p.route(api, "GET /pets/{proxy+}", target, nil)
		p.route(api, "PUT /pets/{proxy+}", target, nil)
		p.route(api, "DELETE /pets/{proxy+}", target, nil)
		tokens := p.jwt(api, issuer.URL)
		p.route(api, "GET /tokens/{proxy+}", target, tokens)
		p.route(api, "ANY /swallows/{proxy+}", target, tokens)
		p.route(api, "ANY /remedied/{proxy+}", target, tokens)
		p.route(api, "OPTIONS /remedied/{proxy+}", target, nil)
		apis[name] = api
	}

	// For cookies to be sent along, pages and APIs are of one site: they have the
	// same name and other ports. The last segment of a path stands for one fetch, or
	// for two that must differ.
	type fetch struct {
		name, api, path string
		tls             bool
		options         object
		want            seen   // of the headers, those that all responses have
		gateway         string // what came to the gateway
		upstream        string // what went through, with its cookies
	}
	ada := func(headers ...string) seen { return seen{Status: 200, Text: "Ada", Headers: headers} }
	blocked := seen{Error: "TypeError"}
	custom := object{"X-Custom": "1"}
	fromAllowed := []fetch{
		{"GET", "strict", "/pets/1", false, nil, ada("x-upstream"), "GET 200", "GET"},
		{"cookies come", "strict", "/pets/2", false, object{"credentials": "include"}, ada("x-upstream"), "GET 200", "GET"},
		{"cookies go", "strict", "/pets/3", false, object{"credentials": "include"}, ada("x-upstream"), "GET 200", "GET a=1; b=2"},
		{"PUT", "strict", "/pets/4", false, object{"method": "PUT", "headers": custom, "body": "x", "credentials": "include"}, ada("x-upstream"), "OPTIONS 204,PUT 200", "PUT a=1; b=2"},
		{"PUT again, remembered", "strict", "/pets/4", false, object{"method": "PUT", "headers": custom, "body": "x", "credentials": "include"}, ada("x-upstream"), "PUT 200", "PUT a=1; b=2"},
		{"TLS and HTTP/2", "strict", "/pets/5", true, object{"method": "PUT", "headers": custom, "body": "x"}, ada("x-upstream"), "OPTIONS 204,PUT 200", "PUT"},
		{"method not allowed", "strict", "/pets/6", false, object{"method": "DELETE"}, blocked, "OPTIONS 204", ""},
		{"header not allowed", "strict", "/pets/7", false, object{"headers": object{"X-Other": "1"}}, blocked, "OPTIONS 204", ""},
		{"no route", "strict", "/nowhere", false, nil, seen{Status: 404, Text: `{"message":"Not Found"}`}, "GET 404", ""},
		{"no token", "strict", "/tokens/t1", false, nil, seen{Status: 401, Text: `{"message":"Unauthorized"}`}, "GET 401", ""},
		{"token", "strict", "/tokens/t2", false, object{"headers": object{"Authorization": token}}, ada("x-upstream"), "OPTIONS 204,GET 200", "GET"},
		{"ANY with a token swallows the preflight", "strict", "/swallows/s1", false, object{"headers": object{"Authorization": token}}, blocked, "OPTIONS 401", ""},
		{"a route for OPTIONS beside it", "strict", "/remedied/r1", false, object{"headers": object{"Authorization": token}}, ada("x-upstream"), "OPTIONS 200,GET 200", "OPTIONS,GET"},
		{"everyone", "everyone", "/pets/v1", false, nil, ada("apigw-requestid", "x-upstream"), "GET 200", "GET"},
		{"everyone, PUT", "everyone", "/pets/v2", false, object{"method": "PUT", "headers": custom}, ada("apigw-requestid", "x-upstream"), "OPTIONS 204,PUT 200", "PUT"},
		{"everyone, but not with cookies", "everyone", "/pets/v3", false, object{"credentials": "include"}, blocked, "GET 200", "GET b=2"},
		{"everyone, but not a preflight with cookies", "everyone", "/pets/v4", false, object{"method": "PUT", "credentials": "include"}, blocked, "OPTIONS 204", ""},
		{"no configuration", "none", "/pets/n1", false, nil, blocked, "GET 200", "GET"},
		{"no configuration, PUT", "none", "/pets/n2", false, object{"method": "PUT"}, blocked, "OPTIONS 404", ""},
	}
	fromElsewhere := []fetch{
		{"GET from elsewhere", "strict", "/pets/e1", false, nil, blocked, "GET 200", "GET"},
		{"PUT from elsewhere", "strict", "/pets/e2", false, object{"method": "PUT", "headers": custom}, blocked, "OPTIONS 204", ""},
		{"token from elsewhere", "strict", "/tokens/e3", false, object{"headers": object{"Authorization": token}}, blocked, "OPTIONS 204", ""},
		{"everyone from elsewhere", "everyone", "/pets/e4", false, object{"method": "PUT", "headers": custom}, ada("apigw-requestid", "x-upstream"), "OPTIONS 204,PUT 200", "PUT"},
	}

	for name, tests := range map[string][]fetch{"localhost": fromAllowed, "127.0.0.1": fromElsewhere} {
		fetches = list{}
		for _, tt := range tests {
			address := "http://localhost:" + port(p.listen)
			if tt.tls {
				address = "https://localhost:" + port(p.tls)
			}
			fetches = append(fetches, with(object{"url": address + "/_aws/execute-api/" + apis[tt.api] + "/$default" + tt.path}, tt.options))
		}
		got := visit(t, pages, results, name)
		if len(got) != len(tests) {
			t.Fatalf("the page at %s saw %d responses, want %d", name, len(got), len(tests))
		}
		var through, came []string
		for _, r := range up.all() {
			through = append(through, r.target+" "+strings.TrimSpace(r.method+" "+r.header.Get("Cookie")))
		}
		for _, api := range apis {
			for _, r := range p.remembered(api) {
				method, rest, _ := strings.Cut(r, " ")
				path, status, _ := strings.Cut(rest, " ")
				came = append(came, path+" "+method+" "+status)
			}
		}
		wantCame, wantThrough := map[string][]string{}, map[string][]string{}
		for i, tt := range tests {
			visible := slices.DeleteFunc(got[i].Headers, func(h string) bool { return h != "x-upstream" && h != "apigw-requestid" })
			if got[i].Status != tt.want.Status || got[i].Text != tt.want.Text || got[i].Error != tt.want.Error || !slices.Equal(visible, tt.want.Headers) {
				t.Errorf("%s: the page saw %+v, want %+v", tt.name, got[i], tt.want)
			}
			wantCame[tt.path] = append(wantCame[tt.path], split(tt.gateway)...)
			path := "/" + tt.api + "/" + tt.path[strings.LastIndexByte(tt.path, '/')+1:]
			wantThrough[path] = append(wantThrough[path], split(tt.upstream)...)
		}
		compare(t, "the gateway got", came, wantCame)
		compare(t, "the upstream got", through, wantThrough)
	}
}

// split returns the parts of a list with commas; none of an empty one.
func split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// compare fails the test unless what came by each path, in order, is what was wanted.
func compare(t *testing.T, what string, got []string, want map[string][]string) {
	t.Helper()
	byPath := map[string][]string{}
	for _, one := range got {
		path, rest, _ := strings.Cut(one, " ")
		byPath[path] = append(byPath[path], rest)
	}
	for path, all := range want {
		if !slices.Equal(byPath[path], all) {
			t.Errorf("%s by %s: %q, want %q", what, path, byPath[path], all)
		}
	}
}
