package integration_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
)

// A group is an upstream whose endpoints are picked in their order, and that keeps count.
type group struct {
	endpoints []*integration.Endpoint
	err       error // of Pick

	mu   sync.Mutex // guards the fields below
	open map[*integration.Endpoint]int
	done []string
}

// newGroup returns an upstream with an endpoint for each address.
func newGroup(addrs ...string) *group {
	g := &group{open: map[*integration.Endpoint]int{}}
	for _, addr := range addrs {
		g.endpoints = append(g.endpoints, place(new(integration.Endpoint), addr))
	}
	return g
}

func (g *group) Pick(tried []*integration.Endpoint) (*integration.Endpoint, error) {
	if g.err != nil {
		return nil, g.err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	pick := g.endpoints[0]
	for _, e := range g.endpoints {
		if !slices.Contains(tried, e) {
			pick = e
			break
		}
	}
	g.open[pick]++
	return pick, nil
}

func (g *group) Done(e *integration.Endpoint, o integration.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[e]--
	text := fmt.Sprint(slices.Index(g.endpoints, e), " ", o.Status)
	if o.Unreachable {
		text += " unreachable"
	}
	if o.Failed {
		text += " failed"
	}
	g.done = append(g.done, text)
}

// under returns how many requests are under way, take what became of those that are not,
// since the last call.
func (g *group) under() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, open := range g.open {
		if open < 0 {
			panic("done more often than picked")
		}
		n += open
	}
	return n
}

func (g *group) take() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := strings.Join(g.done, ", ")
	g.done = nil
	return s
}

// settled waits until nothing is under way, and returns what became of it all.
func (g *group) settled(t testing.TB) string {
	t.Helper()
	await(t, "every pick is done", func() bool { return g.under() == 0 })
	return g.take()
}

// TestPrivateRequest: what the endpoint gets differs from what HTTP sends in the path, the
// Host and Forwarded.
func TestPrivateRequest(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	for _, tt := range []struct {
		name, line string
		sent       []string
		mapped     map[string]string
		want       string
		host       string
		forwarded  string
	}{
		{name: "stage", line: "GET /live/pets", want: "GET /live/pets"},
		{name: "$default", line: "GET /pets/", want: "GET /pets/"},
		{name: "escaped", line: "GET /live/a%2Fb%20c?x=%2F&x&&=+", want: "GET /live/a%2Fb%20c?x=%2F&x&&=+"},
		{name: "method", line: "DELETE /live/pets/7", want: "DELETE /live/pets/7"},
		{name: "path without the stage", line: "GET /live/pets/a%20b?q", mapped: map[string]string{"overwrite:path": "$request.path"}, want: "GET /pets/a%20b?q"},
		{name: "fixed path", line: "GET /live/pets", mapped: map[string]string{"overwrite:path": "/x y"}, want: "GET /x%20y"},
		{name: "query", line: "GET /pets?a=1", mapped: map[string]string{"append:querystring.b": "2", "remove:querystring.a": "''"}, want: "GET /pets?b=2"},
		{name: "Host", line: "GET /pets", mapped: map[string]string{"overwrite:header.Host": "api.internal"}, want: "GET /pets", host: "api.internal"},
		{name: "earlier hops", line: "GET /pets", sent: []string{"Forwarded: for=1.2.3.4", "X-Forwarded-For: 5.6.7.8"}, want: "GET /pets", forwarded: "for=1.2.3.4, for=5.6.7.8, "},
	} {
		g := newGroup(b.addr)
		spec := integration.PrivateSpec{Upstream: g, Method: "ANY"}
		if tt.mapped != nil {
			var err error
			if spec.Request, err = mapping.CompileRequest(tt.mapped, mapping.Scope{}); err != nil {
				t.Fatal(err)
			}
		}
		to := private(t, newClient(t), "$default", spec)
		var outcome gateway.IntegrationOutcome
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, _ error) { outcome = x.Integration }}
		a := ask(t, serve(t, gateway.Config{}, to), tt.line, tt.sent...)
		if a.StatusCode != 200 || a.body != "ok" {
			t.Errorf("%s: status %d %q", tt.name, a.StatusCode, a.body)
		}
		r := b.one()
		if tt.host == "" {
			tt.host = host
		}
		forwarded := tt.forwarded + "for=127.0.0.1;host=" + host + ";proto=http"
		if r.line != tt.want || r.field("Host") != tt.host || r.field("Forwarded") != forwarded || r.field("Via") != "HTTP/1.1 AmazonAPIGateway" || !strings.HasPrefix(r.field("X-Amzn-Trace-Id"), "Root=1-") {
			t.Errorf("%s: the endpoint got %s %q", tt.name, r.line, r.fields)
		}
		if want := "http://" + b.addr; outcome.Target != want || outcome.Status != 200 {
			t.Errorf("%s: outcome %+v, want the target %s", tt.name, outcome, want)
		}
		if got := g.settled(t); got != "0 200" {
			t.Errorf("%s: done %q", tt.name, got)
		}
	}
}

// TestPrivateResponse: the response mapping applies, and a fixed method is sent.
func TestPrivateResponse(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	response, err := mapping.CompileResponse(map[string]map[string]string{"200": {"overwrite:statuscode": "202", "append:header.x-a": "b"}}, mapping.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup(b.addr)
	a := ask(t, serve(t, gateway.Config{}, private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g, Method: "PATCH", Response: response})), "GET /")
	if a.StatusCode != 202 || a.Header.Get("X-A") != "b" || b.one().line != "PATCH /" {
		t.Errorf("status %d, %v", a.StatusCode, a.Header)
	}
	if got := g.settled(t); got != "0 200" {
		t.Errorf("done %q: the status is that of the endpoint", got)
	}
}

// newTLSBackend starts a backend that answers with the name it was asked for and whether
// the session was resumed.
func newTLSBackend(t testing.TB, c tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, r.TLS.ServerName, " ", r.TLS.DidResume)
	}))
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// TestPrivateTLS: the name that the integration says is asked for and verified, and
// otherwise the host of the endpoint.
func TestPrivateTLS(t *testing.T) {
	t.Parallel()
	ours, others := newAuthority(t), newAuthority(t)
	a, b := newTLSBackend(t, ours.issue(t, "a.internal")), newTLSBackend(t, ours.issue(t, "b.internal"))
	local := newTLSBackend(t, ours.issue(t, "localhost"))
	foreign := newTLSBackend(t, others.issue(t, "a.internal"))
	plain := newBackend(t, nil)
	client := newClientWith(t, integration.ClientConfig{RootCAs: ours.pool()}) // private addresses are the operator's
	for _, tt := range []struct {
		name, addr, host string // host takes the place of the address
		tls, endpointTLS bool
		server           string
		want             string // SNI
		target           string
	}{
		{"a", a, "", true, false, "a.internal", "a.internal", "https://" + a + " as a.internal"},
		{"b", b, "", true, false, "b.internal", "b.internal", "https://" + b + " as b.internal"},
		{"TLS of the endpoint", a, "", false, true, "a.internal", "a.internal", "https://" + a + " as a.internal"},
		{"name of the endpoint", local, "localhost", true, false, "", "localhost", strings.Replace("https://"+local, "127.0.0.1", "localhost", 1)},
		{"same name", local, "localhost", false, true, "localhost", "localhost", strings.Replace("https://"+local, "127.0.0.1", "localhost", 1)},
		{"wrong name", b, "", true, false, "a.internal", "", "https://" + b + " as a.internal"},
		{"no name", a, "", true, false, "", "", "https://" + a},
		{"wrong authority", foreign, "", true, false, "a.internal", "", "https://" + foreign + " as a.internal"},
		{"no TLS there", plain.addr, "", true, false, "a.internal", "", "https://" + plain.addr + " as a.internal"},
	} {
		g := newGroup(tt.addr)
		g.endpoints[0].TLS = tt.endpointTLS
		if tt.host != "" {
			g.endpoints[0].Host = tt.host
		}
		to := private(t, client, "$default", integration.PrivateSpec{Upstream: g, TLS: tt.tls, ServerName: tt.server})
		var outcome gateway.IntegrationOutcome
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, _ error) { outcome = x.Integration }}
		c := dial(t, serve(t, gateway.Config{}, to))
		for i := range 2 {
			r := c.ask("GET /")
			status, done, body := 200, "0 200", fmt.Sprint(tt.want, " ", i > 0)
			if tt.want == "" {
				status, done, body = 503, "0 0 unreachable failed, 0 0", unavailableBody
			}
			// The first request of another case may have left a session.
			if r.StatusCode != status || r.body != body && (i > 0 || !strings.HasPrefix(r.body, tt.want)) {
				t.Errorf("%s: status %d %q, want %d %q", tt.name, r.StatusCode, r.body, status, body)
			}
			if outcome.Target != tt.target || tt.want == "" && outcome.Error != "The endpoint could not be reached" {
				t.Errorf("%s: outcome %+v, want the target %s", tt.name, outcome, tt.target)
			}
			if got := g.settled(t); got != done {
				t.Errorf("%s: done %q, want %q", tt.name, got, done)
			}
		}
	}
	if n := len(plain.take()); n != 0 {
		t.Errorf("%d requests in the clear", n)
	}
}

// TestPrivateWays: integrations that verify different names do not share connections, not
// even to the same endpoint.
func TestPrivateWays(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	b := newTLSBackend(t, ca.issue(t, "a.internal"))
	g := newGroup(b)
	client := newClientWith(t, integration.ClientConfig{RootCAs: ca.pool()})
	var targets []target
	for i := range 40 {
		name := "a.internal"
		if i%2 > 0 {
			name = fmt.Sprintf("b%d.internal", i)
		}
		targets = append(targets, private(t, client, fmt.Sprintf("GET /%d", i), integration.PrivateSpec{Upstream: g, TLS: true, ServerName: name}))
	}
	c := dial(t, serve(t, gateway.Config{}, targets...))
	for round := range 2 {
		for i := range targets {
			if r := c.ask(fmt.Sprintf("GET /%d", i)); r.StatusCode != 200+i%2*303 {
				t.Errorf("round %d: %d: status %d", round, i, r.StatusCode)
			}
		}
	}
}

// A link is one that is not available for a reason.
type link struct{ err error }

func (l link) Available() error { return l.err }

// TestPrivateNowhere: without an endpoint there is an answer at once that says why.
func TestPrivateNowhere(t *testing.T) {
	t.Parallel()
	unknown := fmt.Errorf("%w: nothing matches arn:x", integration.ErrNoUpstream)
	for _, tt := range []struct {
		name        string
		pick, link  error
		head, body  string
		text, cause string
	}{
		{"no healthy endpoint", integration.ErrNoEndpoint, nil, unavailable, unavailableBody, "There is no healthy endpoint", "no healthy endpoint"},
		{"unknown upstream", unknown, nil, internal, internalBody, unknown.Error(), "arn:x"},
		{"another error", errors.New("odd"), nil, unavailable, unavailableBody, "There is no healthy endpoint", "odd"},
		{"link", nil, errors.New("the link vl-1 is INACTIVE"), unavailable, unavailableBody, "The VPC link is not available", "vl-1"},
		{"available link", integration.ErrNoEndpoint, nil, unavailable, unavailableBody, "There is no healthy endpoint", ""},
	} {
		g := newGroup("127.0.0.1:1")
		g.err = tt.pick
		to := private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: g, Link: link{tt.link}})
		var text string
		to.in = watched{Integration: to.in, after: func(x *gateway.Exchange, _ error) { text = x.Integration.Error }}
		var logs log
		a := ask(t, serve(t, gateway.Config{Logger: logs.logger()}, to), "GET /")
		if generated(a.head) != tt.head || a.body != tt.body || text != tt.text {
			t.Errorf("%s: got %q %q, %q", tt.name, a.head, a.body, text)
		}
		await(t, "a line in the log that says "+tt.cause, func() bool { return strings.Contains(logs.String(), tt.cause) })
		if got := g.settled(t); got != "" {
			t.Errorf("%s: done %q", tt.name, got)
		}
	}
}

// TestNewPrivateErrors: what cannot work is found out when the integration is compiled.
func TestNewPrivateErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		spec integration.PrivateSpec
		want string
	}{
		{"no upstream", integration.PrivateSpec{}, "nothing says where"},
		{"method", integration.PrivateSpec{Upstream: newGroup(), Method: "FETCH"}, `"FETCH"`},
		{"dialer", integration.PrivateSpec{Upstream: newGroup(), Via: "vl-9"}, `"vl-9"`},
	} {
		if _, err := integration.NewPrivate(newClient(t), tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want one that says %s", tt.name, err, tt.want)
		}
	}
}

// TestPrivateMapping: a domain's API mapping does not change what the endpoint sees.
func TestPrivateMapping(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	to := private(t, newClient(t), "$default", integration.PrivateSpec{Upstream: newGroup(b.addr), Timeout: time.Second})
	to.in = watched{Integration: to.in, before: func(x *gateway.Exchange) {
		// As a domain name leaves it, whose mapping has the key "shop".
		x.SentRawPath, x.SentPath, x.BasePath = "/shop/pets", "/shop/pets", "shop"
	}}
	ask(t, serve(t, gateway.Config{}, to), "GET /live/pets")
	if r := b.one(); r.line != "GET /live/pets" {
		t.Errorf("the endpoint got %s", r.line)
	}
}
