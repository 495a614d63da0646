//go:build conformance

package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A plane is a running Penstock whose traffic is under test. It listens in the clear
// and with TLS, and has two certificates: one for what needs no domain name, one for
// the custom domain names under example.com.
type plane struct {
	*server
	t         *testing.T
	sdk       client
	authority *authority
	own       pair // for localhost, 127.0.0.1 and the hosts of APIs
	domains   pair // for *.example.com; domain names find it by the ARN certificate
}

// ownHosts and domainHosts are what the two certificates are for.
var (
	ownHosts    = []string{"localhost", "127.0.0.1", "*.execute-api.us-east-1.localhost"}
	domainHosts = []string{"*.example.com"}
)

// newPlane starts a server with more configuration than its certificates. Its control
// plane is called as somebody; nil for no signature.
func newPlane(t *testing.T, program, config string, as *credentials) *plane {
	t.Helper()
	p := &plane{t: t, authority: newAuthority(t, "authority of servers")}
	p.own, p.domains = p.authority.issue(t, ownHosts...), p.authority.issue(t, domainHosts...)
	p.server = serve(t, program, fmt.Sprintf(`
listenTls: 127.0.0.1:0
certificates:
  - certificateFile: %s
    privateKeyFile: %s
  - arn: %s
    certificateFile: %s
    privateKeyFile: %s
`, p.own.certificateFile, p.own.keyFile, certificate, p.domains.certificateFile, p.domains.keyFile)+config)
	p.sdk = openGo(t, p.admin, as)
	return p
}

// ok runs an operation of the control plane, which must succeed.
func (p *plane) ok(op string, in object) object {
	p.t.Helper()
	out, err := p.try(op, in)
	if err != nil {
		p.t.Fatalf("%s %s: %v", op, text(in), err)
	}
	return out
}

// try runs an operation of the control plane. Any goroutine may call it.
func (p *plane) try(op string, in object) (object, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), stepTime)
	defer cancel()
	got, err := p.sdk.call(ctx, op, in)
	return got.out, err
}

// api makes an API whose stage $default follows every change, and returns its id.
func (p *plane) api(name string, more object) string {
	p.t.Helper()
	id := p.ok("CreateApi", with(object{"Name": name, "ProtocolType": "HTTP"}, more))["ApiId"].(string)
	p.ok("CreateStage", object{"ApiId": id, "StageName": "$default", "AutoDeploy": true})
	return id
}

// integration makes an integration that passes requests on to a URL, and returns its id.
func (p *plane) integration(api, uri string, more object) string {
	p.t.Helper()
	return p.ok("CreateIntegration", with(object{
		"ApiId": api, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": uri, "PayloadFormatVersion": "1.0",
	}, more))["IntegrationId"].(string)
}

// route makes a route to an integration and returns its id.
func (p *plane) route(api, key, integration string, more object) string {
	p.t.Helper()
	return p.ok("CreateRoute", with(object{"ApiId": api, "RouteKey": key, "Target": "integrations/" + integration}, more))["RouteId"].(string)
}

// jwt makes an authorizer that trusts an issuer, and returns what a route with it has.
func (p *plane) jwt(api, issuer string) object {
	p.t.Helper()
	id := p.ok("CreateAuthorizer", object{
		"ApiId": api, "Name": "tokens", "AuthorizerType": "JWT", "IdentitySource": list{"$request.header.Authorization"},
		"JwtConfiguration": object{"Issuer": issuer, "Audience": list{"pets"}},
	})["AuthorizerId"]
	return object{"AuthorizationType": "JWT", "AuthorizerId": id}
}

// domain makes a custom domain name that leads to the stage $default of an API.
func (p *plane) domain(name, api string, more object) (mapping string) {
	p.t.Helper()
	p.ok("CreateDomainName", with(object{
		"DomainName": name, "DomainNameConfigurations": list{object{"CertificateArn": certificate}},
	}, more))
	return p.ok("CreateApiMapping", object{"DomainName": name, "ApiId": api, "Stage": "$default"})["ApiMappingId"].(string)
}

// host returns the name that an API has without a custom domain name.
func host(api string) string { return api + ".execute-api.us-east-1.localhost" }

// direct returns the address of an API for clients that cannot set a host.
func (p *plane) direct(api string) string { return p.listen + "/_aws/execute-api/" + api + "/$default" }

// port returns the port of an address such as https://127.0.0.1:8443.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// trust returns what clients of the TLS listener know: whom they trust, and whom they
// want to talk to.
func (p *plane) trust(name string) *tls.Config {
	return &tls.Config{RootCAs: p.authority.pool(), ServerName: name}
}

// A vital is a measure of the server process.
type vital string

// What the server says of itself.
const (
	memory      vital = "process_resident_memory_bytes"
	descriptors vital = "process_open_fds"
	goroutines  vital = "go_goroutines"
)

// vitals reads all measures of the server that have no labels.
func (p *plane) vitals() map[vital]float64 {
	p.t.Helper()
	resp, err := http.Get(p.admin + "/metrics")
	if err != nil {
		p.t.Fatalf("metrics: %v", err)
	}
	defer resp.Body.Close()
	all := map[vital]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				all[vital(name)] = n
			}
		}
	}
	if all[memory] == 0 || all[descriptors] == 0 || all[goroutines] == 0 {
		p.t.Fatalf("metrics say nothing of the process: %v", all)
	}
	return all
}

// calm waits until the server has about as many open files and goroutines as before,
// and fails the test if that takes longer than a while, or if its memory has grown by
// more than some MiB.
func (p *plane) calm(before map[vital]float64, within time.Duration, mebibytes float64) {
	p.t.Helper()
	const slack = 8 // connections of the test itself, to the control plane and to be reused
	var now map[vital]float64
	if !eventually(within, func() bool {
		now = p.vitals()
		return now[descriptors] <= before[descriptors]+slack && now[goroutines] <= before[goroutines]+2*slack
	}) {
		p.t.Errorf("after %v: %v open files and %v goroutines, before %v and %v", within,
			now[descriptors], now[goroutines], before[descriptors], before[goroutines])
	}
	grown := (now[memory] - before[memory]) / (1 << 20)
	p.t.Logf("open files %v -> %v, goroutines %v -> %v, memory %+.0f MiB", before[descriptors], now[descriptors], before[goroutines], now[goroutines], grown)
	if grown > mebibytes {
		p.t.Errorf("memory has grown by %.0f MiB, want at most %.0f", grown, mebibytes)
	}
}

// eventually asks again and again until a condition holds, and reports whether it
// did in time.
func eventually(within time.Duration, holds func() bool) bool {
	end := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if holds() {
			return true
		}
		select {
		case <-tick.C:
		case <-end:
			return holds()
		}
	}
}

// remembered returns the requests to an API that the server remembers, oldest first:
// method, path and status each.
func (p *plane) remembered(api string) []string {
	p.t.Helper()
	resp, err := http.Get(p.admin + "/_penstock/requests?last=1000")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Items []struct {
			Method   string
			Located  struct{ APIID, RoutePath string }
			Response struct{ Status int }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		p.t.Fatal(err)
	}
	var all []string
	for i := len(out.Items) - 1; i >= 0; i-- {
		if r := out.Items[i]; r.Located.APIID == api {
			all = append(all, fmt.Sprintf("%s %s %d", r.Method, r.Located.RoutePath, r.Response.Status))
		}
	}
	return all
}

// all returns the requests that a recorder has got since the last call.
func (r *recorder) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.received
	r.received = nil
	return all
}

// taken returns method and target of each.
func (r *recorder) taken() []string {
	taken := []string{}
	for _, got := range r.all() {
		taken = append(taken, got.method+" "+got.target)
	}
	return taken
}

// get sends a request by a client and returns status and body; a body that is cut off
// is an error.
func get(c *http.Client, method, address, body string) (int, string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, "", err
	}
	req := &http.Request{Method: method, URL: u, Header: http.Header{}}
	if body != "" {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), err
}

// span is how long something goes on that is the better a test the longer it takes:
// $SOAK_SECONDS, or a few seconds.
func span(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK_SECONDS")
	if text == "" {
		return 3 * time.Second
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SOAK_SECONDS: want a number of seconds, got %q", text)
	}
	return time.Duration(n) * time.Second
}

// calmTime is how long a server may take to let go of what a test has left.
const calmTime = 10 * time.Second

// upstream starts an upstream and returns its address.
func upstream(t *testing.T, handler http.HandlerFunc) string {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}
