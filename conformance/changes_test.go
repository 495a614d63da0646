//go:build conformance

package conformance

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/issuertest"
)

// TestChanges changes what is served under load: no request fails, and no connection
// ends. It is not parallel to other tests, which would take its pace away.
func TestChanges(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	p := newPlane(t, build(t), "", nil)
	for _, tt := range []struct {
		name   string
		change func(p *plane, up string)
	}{
		{"deployments", changeDeployments},
		{"certificates", changeCertificates},
		{"truststore", changeTruststore},
		{"authorizer", changeAuthorizer},
		{"throttle", changeThrottle},
		{"mapping", changeMapping},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := *p
			p.t = t
			tt.change(&p, up)
		})
	}
}

// targets returns an API as clients reach it: in the clear and with TLS.
func (p *plane) targets(api, path, header string, want func(http.Header, string) error) []target {
	return []target{
		{address: p.listen, host: host(api), path: path, header: header, want: want},
		{address: p.tls, tls: p.trust(host(api)), host: host(api), path: path, header: header, want: want},
	}
}

// isBody returns what wants one body.
func isBody(all ...string) func(http.Header, string) error {
	return func(_ http.Header, got string) error {
		if !slices.Contains(all, got) {
			return fmt.Errorf("got the body %q, want one of %q", got, all)
		}
		return nil
	}
}

// changeDeployments deploys five times a second. Each response is of one deployment:
// what the upstream was asked for and what the response mapping adds belong together.
func changeDeployments(p *plane, up string) {
	api := p.ok("CreateApi", object{"Name": "deployed", "ProtocolType": "HTTP"})["ApiId"].(string)
	of := func(i int) object {
		revision := fmt.Sprint("r", i)
		return object{
			"IntegrationUri":     up + "/" + revision,
			"ResponseParameters": object{"200": object{"overwrite:header.X-Revision": revision}},
		}
	}
	first := of(0)
	uri := first["IntegrationUri"].(string)
	delete(first, "IntegrationUri")
	integration := p.integration(api, uri, first)
	p.route(api, "GET /pets", integration, nil)
	p.ok("CreateStage", object{"ApiId": api, "StageName": "$default"})
	deploy := func() { p.ok("CreateDeployment", object{"ApiId": api, "StageName": "$default"}) }
	deploy()
	last := 0
	newLoad(p.t, p.targets(api, "/pets", "", func(h http.Header, body string) error {
		if body != "/"+h.Get("X-Revision") {
			return fmt.Errorf("the upstream was asked for %s, and the response is of %s", body, h.Get("X-Revision"))
		}
		return nil
	})...).during(200*time.Millisecond, func(i int) {
		last = i + 1
		p.ok("UpdateIntegration", with(of(last), object{"ApiId": api, "IntegrationId": integration}))
		deploy()
	})
	if _, body, err := get(http.DefaultClient, "GET", p.direct(api)+"/pets", ""); body != fmt.Sprint("/r", last) || err != nil {
		p.t.Errorf("after all deployments: got %q %v, want /r%d", body, err, last)
	}
}

// changeCertificates puts new certificates into the files, for the hosts of APIs and
// for domain names.
func changeCertificates(p *plane, up string) {
	api := p.api("certified", nil)
	p.route(api, "GET /pets", p.integration(api, up, nil), nil)
	p.domain("certified.example.com", api, nil)
	targets := append(p.targets(api, "/pets", "", nil), target{
		address: p.tls, tls: p.trust("certified.example.com"), host: "certified.example.com", path: "/pets",
	})
	newLoad(p.t, targets...).during(700*time.Millisecond, func(int) {
		p.authority.replace(p.t, &p.own, ownHosts...)
		p.authority.replace(p.t, &p.domains, domainHosts...)
	})
	for name, want := range map[string]pair{host(api): p.own, "certified.example.com": p.domains} {
		if !eventually(3*time.Second, func() bool {
			conn, err := tls.Dial("tcp", strings.TrimPrefix(p.tls, "https://"), p.trust(name))
			if err != nil {
				p.t.Errorf("%s: %v", name, err)
				return true
			}
			defer conn.Close()
			return slices.Equal(conn.ConnectionState().PeerCertificates[0].Raw, want.Leaf.Raw)
		}) {
			p.t.Errorf("%s: the last certificate is not served", name)
		}
	}
}

// changeTruststore takes an authority away and adds it again. Clients of the other one
// notice nothing; its own get no further within about a second, by new handshakes, by
// sessions that they resume, and by connections that they have.
func changeTruststore(p *plane, up string) {
	stays, goes := newAuthority(p.t, "stays"), newAuthority(p.t, "goes")
	both := slices.Concat(stays.pem(), goes.pem())
	file := stays.file + ".store"
	write(p.t, file, both)
	api := p.api("trusted", nil)
	p.route(api, "GET /pets", p.integration(api, up, nil), nil)
	const name = "trusted.example.com"
	p.domain(name, api, object{"MutualTlsAuthentication": object{"TruststoreUri": "file://" + file}})
	client := func(a *authority) target {
		config := p.trust(name)
		config.Certificates = []tls.Certificate{a.issue(p.t).Certificate}
		config.ClientSessionCache = tls.NewLRUClientSessionCache(10)
		return target{address: p.tls, tls: config, host: name, path: "/pets"}
	}
	member := client(goes)
	enters := func() bool { return once(member) == nil }
	if !eventually(3*time.Second, enters) {
		p.t.Fatalf("a client with a certificate: %v", once(member))
	}
	out := true
	newLoad(p.t, client(stays)).during(span(p.t)/4, func(int) {
		text, want := both, true
		if out {
			text, want = stays.pem(), false
			kept, err := member.dial()
			if err != nil {
				p.t.Errorf("a client with a certificate: %v", err)
				return
			}
			defer kept.Close()
			in := bufio.NewReader(kept)
			if err := member.exchange(kept, in); err != nil {
				p.t.Errorf("a client with a certificate: %v", err)
			}
			defer func() {
				if member.exchange(kept, in) == nil {
					p.t.Error("a client of an authority that is gone is served on the connection it has")
				}
			}()
		}
		out = !out
		start := time.Now()
		write(p.t, file, text)
		if !eventually(3*time.Second, func() bool { return enters() == want }) {
			p.t.Errorf("the trust store has changed for 3 s, and its client gets in: %t", !want)
			return
		}
		took := time.Since(start)
		p.t.Logf("client gets in: %t after %v", want, took.Round(time.Millisecond))
		if took > truststoreTime {
			p.t.Errorf("took %v until a client gets in: %t; want at most %v", took, want, truststoreTime)
		}
	})
}

// truststoreTime is how long a trust store that has changed may still be used: its file
// is looked at every second, and read.
const truststoreTime = 1500 * time.Millisecond

// once connects to a target and asks once.
func once(to target) error {
	conn, err := to.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return to.exchange(conn, bufio.NewReader(conn))
}

// changeAuthorizer lets an authorizer accept more audiences, and fewer.
func changeAuthorizer(p *plane, up string) {
	issuer := issuertest.New(p.t)
	api := p.api("authorized", nil)
	jwt := p.jwt(api, issuer.URL)
	p.route(api, "GET /pets", p.integration(api, up, nil), jwt)
	token := issuer.Token(object{"iss": issuer.URL, "aud": "pets", "exp": time.Now().Add(time.Hour).Unix()})
	other := issuer.Token(object{"iss": issuer.URL, "aud": "toys", "exp": time.Now().Add(time.Hour).Unix()})
	asks := p.targets(api, "/pets", "Authorization: Bearer "+token+"\r\n", nil)
	others := p.targets(api, "/pets", "Authorization: Bearer "+other+"\r\n", nil)[0]
	newLoad(p.t, asks...).during(250*time.Millisecond, func(i int) {
		audiences, want := list{"pets", "toys"}, true
		if i%2 == 1 {
			audiences, want = list{"pets"}, false
		}
		p.ok("UpdateAuthorizer", object{
			"ApiId": api, "AuthorizerId": jwt["AuthorizerId"], "JwtConfiguration": object{"Issuer": issuer.URL, "Audience": audiences},
		})
		if !eventually(time.Second, func() bool { return (once(others) == nil) == want }) {
			p.t.Errorf("audiences are %v, and a token for toys gets in: %t", audiences, !want)
		}
	})
}

// changeThrottle sets limits that are never reached.
func changeThrottle(p *plane, up string) {
	api := p.api("throttled", nil)
	p.route(api, "GET /pets", p.integration(api, up, nil), nil)
	newLoad(p.t, p.targets(api, "/pets", "", nil)...).during(200*time.Millisecond, func(i int) {
		p.ok("UpdateStage", object{
			"ApiId": api, "StageName": "$default",
			"DefaultRouteSettings": object{"ThrottlingRateLimit": 2000 + i, "ThrottlingBurstLimit": 1000 + i},
		})
	})
	p.ok("UpdateStage", object{
		"ApiId": api, "StageName": "$default", "DefaultRouteSettings": object{"ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0},
	})
	if !eventually(time.Second, func() bool {
		status, _, err := get(http.DefaultClient, "GET", p.direct(api)+"/pets", "")
		return status == http.StatusTooManyRequests && err == nil
	}) {
		p.t.Error("with a limit of 0, requests are still served")
	}
}

// changeMapping leads a domain name to one API and to another.
func changeMapping(p *plane, up string) {
	apis := make([]string, 2)
	for i := range apis {
		apis[i] = p.api(fmt.Sprint("mapped ", i), nil)
		p.route(apis[i], "GET /pets", p.integration(apis[i], fmt.Sprint(up, "/", i), nil), nil)
	}
	const name = "moving.example.com"
	mapping := p.domain(name, apis[0], nil)
	asks := target{address: p.tls, tls: p.trust(name), host: name, path: "/pets", want: isBody("/0", "/1")}
	clear := target{address: p.listen, host: name, path: "/pets", want: isBody("/0", "/1")}
	newLoad(p.t, asks, clear).during(200*time.Millisecond, func(i int) {
		to := (i + 1) % 2
		p.ok("UpdateApiMapping", object{"DomainName": name, "ApiMappingId": mapping, "ApiId": apis[to], "Stage": "$default"})
		now := clear
		now.want = isBody(fmt.Sprint("/", to))
		if !eventually(time.Second, func() bool { return once(now) == nil }) {
			p.t.Errorf("the mapping leads to API %d, and requests do not", to)
		}
	})
}
