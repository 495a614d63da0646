//go:build conformance

package conformance

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"penstock/internal/issuertest"
)

// A curled response is what curl printed of one.
type curled struct {
	exit    int // how curl ended: 0 if there was a response
	version string
	status  int
	header  http.Header
	body    string
	stderr  string
}

// curl runs curl as people do, without what is configured on the machine.
func curl(t *testing.T, args ...string) curled {
	t.Helper()
	args = append([]string{"--disable", "--silent", "--show-error", "--include", "--path-as-is", "--noproxy", "*", "--max-time", "20"}, args...)
	cmd := exec.CommandContext(t.Context(), "/usr/bin/curl", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	got := curled{header: http.Header{}, stderr: stderr.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got.exit = exit.ExitCode()
		return got
	case err != nil:
		t.Fatalf("curl: %v", err)
	}
	head, body, _ := strings.Cut(string(out), "\r\n\r\n")
	for strings.HasPrefix(head, "HTTP/1.1 100") {
		head, body, _ = strings.Cut(body, "\r\n\r\n")
	}
	got.body = body
	for i, line := range strings.Split(head, "\r\n") {
		if i == 0 {
			version, rest, _ := strings.Cut(line, " ")
			got.version = version
			if got.status, err = strconv.Atoi(rest[:min(3, len(rest))]); err != nil {
				t.Fatalf("curl printed %q", out)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("curl printed the line %q", line)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		got.header[name] = append(got.header[name], value)
	}
	return got
}

// TestCurl asks for an API in the ways that curl has.
func TestCurl(t *testing.T) {
	t.Parallel()
	trusted, stranger := newAuthority(t, "authority of clients"), newAuthority(t, "stranger")
	known, unknown := trusted.issue(t), stranger.issue(t)
	issuer := issuertest.New(t)
	up := record200(t)
	p := newPlane(t, build(t), "", nil)
	api := p.api("curl", object{"CorsConfiguration": object{
		"AllowOrigins": list{"https://app.example.com"}, "AllowMethods": list{"GET", "POST"}, "AllowHeaders": list{"Content-Type", "authorization"},
		"ExposeHeaders": list{"x-id"}, "AllowCredentials": true, "MaxAge": 300,
	}})
	target := p.integration(api, up.URL+"/{proxy}", nil)
	p.route(api, "ANY /open/{proxy+}", target, nil)
	p.route(api, "GET /tokens/{proxy+}", target, p.jwt(api, issuer.URL))
	p.domain("shop.example.com", api, nil)
	p.domain("club.example.com", api, object{"MutualTlsAuthentication": object{"TruststoreUri": "file://" + trusted.file}})

	clear, secure := "http://"+host(api)+":"+port(p.listen), "https://"+host(api)+":"+port(p.tls)
	domain := func(name string) string { return "https://" + name + ":" + port(p.tls) }
	to := func(names ...string) []string {
		args := []string{"--cacert", p.authority.file}
		for _, name := range names {
			args = append(args, "--resolve", name+":"+port(p.tls)+":127.0.0.1")
		}
		return args
	}
	hosted, shop, club := to(host(api)), to("shop.example.com"), to("club.example.com")
	as := func(who pair) []string {
		return append(slices.Clone(club), "--cert", who.certificateFile, "--key", who.keyFile)
	}
	preflight := []string{"-X", "OPTIONS", "-H", "Origin: https://app.example.com", "-H", "Access-Control-Request-Method: POST"}
	bearer := func(claims object) string {
		claims = with(object{"iss": issuer.URL, "aud": "pets", "exp": time.Now().Add(time.Hour).Unix()}, claims)
		return "Authorization: Bearer " + issuer.Token(claims)
	}
	const unauthorized = `{"message":"Unauthorized"}`

	for _, tt := range []struct {
		name    string
		args    []string
		url     string
		version string
		status  int // 0 if there must be no response
		body    string
		header  map[string]string
	}{
		{"clear", nil, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", map[string]string{"Content-Type": "text/plain", "Connection": "keep-alive"}},
		{"clear by host", []string{"--resolve", host(api) + ":" + port(p.listen) + ":127.0.0.1"}, clear + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"HTTP/1.0", []string{"--http1.0"}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"HEAD", []string{"--head"}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "", nil},
		{"TLS, HTTP/1.1", append(hosted, "--http1.1"), secure + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"TLS, HTTP/2", append(hosted, "--http2"), secure + "/open/a", "HTTP/2", 200, "Ada", map[string]string{"Connection": ""}},
		{"TLS 1.2", append(hosted, "--tls-max", "1.2"), secure + "/open/a", "HTTP/2", 200, "Ada", nil},
		{"TLS 1.1", append(hosted, "--tlsv1.0", "--tls-max", "1.1"), secure + "/open/a", "", 0, "", nil},
		{"TLS by address", []string{"--cacert", p.authority.file}, p.tls + "/_aws/execute-api/" + api + "/$default/open/a", "HTTP/2", 200, "Ada", nil},
		{"TLS by address, whoever it is", []string{"--insecure"}, p.tls + "/_aws/execute-api/" + api + "/$default/open/a", "HTTP/2", 200, "Ada", nil},
		{"authority unknown", []string{"--cacert", stranger.file, "--resolve", host(api) + ":" + port(p.tls) + ":127.0.0.1"}, secure + "/open/a", "", 0, "", nil},
		{"body", append(hosted, "--http2", "--data-binary", "@"+p.authority.file), secure + "/open/a", "HTTP/2", 200, "Ada", nil},
		{"body, continue", []string{"-H", "Expect: 100-continue", "--data-binary", "@" + p.authority.file}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"body in chunks", []string{"-H", "Transfer-Encoding: chunked", "--data-binary", "@" + p.authority.file}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"HTTP/2 in the clear", []string{"--http2-prior-knowledge"}, p.direct(api) + "/open/a", "", 0, "", nil},
		{"upgrade to HTTP/2", []string{"--http2"}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"no route", nil, p.direct(api) + "/nowhere", "HTTP/1.1", 404, `{"message":"Not Found"}`, map[string]string{"Content-Type": "application/json"}},

		{"domain", shop, domain("shop.example.com") + "/open/a", "HTTP/2", 200, "Ada", nil},
		{"domain without an API", to("toys.example.com"), domain("toys.example.com") + "/open/a", "HTTP/2", 404, `{"message":"Not Found"}`, nil},
		{"mutual TLS", as(known), domain("club.example.com") + "/open/a", "HTTP/2", 200, "Ada", nil},
		{"mutual TLS 1.2", append(as(known), "--tls-max", "1.2", "--http1.1"), domain("club.example.com") + "/open/a", "HTTP/1.1", 200, "Ada", nil},
		{"mutual TLS, another authority", as(unknown), domain("club.example.com") + "/open/a", "", 0, "", nil},
		{"mutual TLS 1.2, another authority", append(as(unknown), "--tls-max", "1.2"), domain("club.example.com") + "/open/a", "", 0, "", nil},
		{"mutual TLS, no certificate", club, domain("club.example.com") + "/open/a", "", 0, "", nil},
		{"mutual TLS by another name", append(shop, "-H", "Host: club.example.com"), domain("shop.example.com") + "/open/a", "HTTP/2", 421, `{"message":"Misdirected Request"}`, nil},

		{"preflight", preflight, p.direct(api) + "/open2", "HTTP/1.1", 204, "", map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Methods": "GET,POST",
			"Access-Control-Allow-Headers": "content-type,authorization", "Access-Control-Max-Age": "300",
			"Access-Control-Allow-Credentials": "true", "Vary": "origin", "Content-Type": "", "Content-Length": "",
		}},
		{"preflight, HTTP/2", append(slices.Clone(hosted), preflight...), secure + "/open2", "HTTP/2", 204, "", map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Methods": "GET,POST", "Vary": "origin",
		}},
		{"plain OPTIONS", []string{"-X", "OPTIONS"}, p.direct(api) + "/open2", "HTTP/1.1", 204, "", map[string]string{
			"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Content-Type": "", "Content-Length": "",
		}},
		{"preflight from elsewhere", []string{"-X", "OPTIONS", "-H", "Origin: https://evil.example", "-H", "Access-Control-Request-Method: POST"}, p.direct(api) + "/open2", "HTTP/1.1", 204, "", map[string]string{
			"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Access-Control-Allow-Credentials": "",
		}},
		{"response to an origin", []string{"-H", "Origin: https://app.example.com"}, p.direct(api) + "/open/a", "HTTP/1.1", 200, "Ada", map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Expose-Headers": "x-id", "Access-Control-Allow-Credentials": "true", "Vary": "origin",
		}},

		{"token", []string{"-H", bearer(nil)}, p.direct(api) + "/tokens/a", "HTTP/1.1", 200, "Ada", nil},
		{"token, HTTP/2", append(slices.Clone(hosted), "-H", bearer(object{"aud": list{"toys", "pets"}})), secure + "/tokens/a", "HTTP/2", 200, "Ada", nil},
		{"no token", []string{"-H", "Origin: https://app.example.com"}, p.direct(api) + "/tokens/a", "HTTP/1.1", 401, unauthorized, map[string]string{
			"Www-Authenticate": "Bearer", "Access-Control-Allow-Origin": "https://app.example.com", "Vary": "origin", "Content-Length": "26",
		}},
		{"no segments", []string{"-H", "Authorization: token"}, p.direct(api) + "/tokens/a", "HTTP/1.1", 401, unauthorized, map[string]string{
			"Www-Authenticate": `Bearer scope="" error="invalid_token" error_description="token contains an invalid number of segments"`,
		}},
		{"token for others", []string{"-H", bearer(object{"aud": "toys"})}, p.direct(api) + "/tokens/a", "HTTP/1.1", 401, unauthorized, map[string]string{
			"Www-Authenticate": `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`,
		}},
		{"token that has expired", []string{"-H", bearer(object{"exp": 1})}, p.direct(api) + "/tokens/a", "HTTP/1.1", 401, unauthorized, map[string]string{
			"Www-Authenticate": `Bearer scope="" error="invalid_token" error_description="the token has expired"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := curl(t, append(slices.Clone(tt.args), tt.url)...)
			if tt.status == 0 {
				if got.exit == 0 {
					t.Fatalf("want no response, got %d %q", got.status, got.body)
				}
				t.Logf("curl ended with %d: %s", got.exit, got.stderr)
				return
			}
			if got.exit != 0 {
				t.Fatalf("curl ended with %d: %s", got.exit, got.stderr)
			}
			if got.version != tt.version || got.status != tt.status || got.body != tt.body {
				t.Errorf("got %s %d %q, want %s %d %q", got.version, got.status, got.body, tt.version, tt.status, tt.body)
			}
			if id := strings.Join(got.header.Values("Apigw-Requestid"), " and "); !requestID.MatchString(id) {
				t.Errorf("apigw-requestid: got %q, want %v", id, requestID)
			}
			for name, want := range tt.header {
				if value := strings.Join(got.header.Values(name), " and "); value != want {
					t.Errorf("%s: got %q, want %q", name, value, want)
				}
			}
		})
	}
}

// record200 starts a recorder that answers 200 and a name.
func record200(t *testing.T) *recorder { return record(t, http.StatusOK, "Ada") }
