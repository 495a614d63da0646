package integration_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// TestAddresses: which addresses integrations may reach, whatever their form. The
// check stands where a connection is made, behind the resolution of a name.
func TestAddresses(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	_, port, _ := strings.Cut(b.addr, ":")
	const refused = "integrations may not reach this address"
	for _, tt := range []struct {
		host    string
		private bool
		refused bool
	}{
		{"127.0.0.1", true, false},
		{"127.0.0.1", false, true},
		{"127.9.9.9", false, true},
		{"localhost", true, false},
		{"localhost", false, true},
		{"LOCALHOST", false, true},
		{"[::1]", false, true},
		{"[::ffff:127.0.0.1]", false, true},
		{"[::ffff:7f00:1]", true, false},
		{"0.0.0.0", false, true},
		{"0.0.0.0", true, false},
		{"0.1.2.3", false, true},
		{"[::]", false, true},
		{"10.0.0.1", false, true},
		{"172.16.0.1", false, true},
		{"192.168.1.1", false, true},
		{"100.64.0.1", false, true},
		{"100.100.100.200", false, true},
		{"[fd12::1]", false, true},
		{"169.254.169.254", true, true},
		{"169.254.170.2", true, true},
		{"[fe80::1]", true, true},
		{"[::ffff:169.254.169.254]", true, true},
		{"[::ffff:a9fe:a9fe]", true, true},
		{"[64:ff9b::a9fe:a9fe]", true, true},
		{"[64:ff9b::7f00:1]", false, true},
		{"[fd00:ec2::254]", true, true},
		{"224.0.0.1", true, true},
		{"[ff02::1]", true, true},
		{"255.255.255.255", true, true},
	} {
		var logs log
		client := newClientWith(t, integration.ClientConfig{AllowPrivate: tt.private})
		addr := serve(t, gateway.Config{Logger: logs.logger()}, proxy(t, client, "$default", "http://"+tt.host+":"+port))
		a := ask(t, addr, "GET /")
		if tt.refused {
			await(t, tt.host+" is refused, and the log says so", func() bool { return strings.Contains(logs.String(), refused) })
			if a.StatusCode != 503 || a.body != unavailableBody {
				t.Errorf("%s: status %d %q", tt.host, a.StatusCode, a.body)
			}
		} else if a.StatusCode != 200 {
			t.Errorf("%s: status %d", tt.host, a.StatusCode)
		}
	}
}

// TestOwnListeners: no integration leads back into the process.
func TestOwnListeners(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	own := netip.MustParseAddrPort(b.addr)
	client := newClientWith(t, integration.ClientConfig{AllowPrivate: true, Own: func(a netip.AddrPort) bool { return a == own }})
	_, port, _ := strings.Cut(b.addr, ":")
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		addr := serve(t, gateway.Config{}, proxy(t, client, "$default", "http://"+host+":"+port))
		if a := ask(t, addr, "GET /"); a.StatusCode != 503 {
			t.Errorf("%s: status %d", host, a.StatusCode)
		}
	}
	if b.dials() != 0 {
		t.Errorf("%d connections", b.dials())
	}
}

// TestTLS: https backends are verified, by the name in the URI.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Proto+" "+r.TLS.ServerName+" "+string(body))
	}))
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate()) // for example.com and 127.0.0.1
	trusting := newClientWith(t, integration.ClientConfig{AllowPrivate: true, RootCAs: roots})

	old := httptest.NewUnstartedServer(nil)
	old.Config.ErrorLog = s.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)

	cleartext := listen(t)
	t.Cleanup(func() { cleartext.Close() })
	go func() {
		for {
			c, err := cleartext.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()

	for _, tt := range []struct {
		name   string
		client *integration.Client
		uri    string
		status int
	}{
		{"trusted", trusting, s.URL, 200},
		{"self-signed", newClient(t), s.URL, 503},
		{"another name", trusting, "https://localhost:" + port, 503},
		{"old version", trusting, old.URL, 503},
		{"cleartext port", trusting, "https://" + cleartext.Addr().String(), 503},
	} {
		addr := serve(t, gateway.Config{}, proxy(t, tt.client, "$default", tt.uri))
		c := dial(t, addr)
		for range 3 {
			a := c.ask("POST /", "\nabc")
			if a.StatusCode != tt.status {
				t.Errorf("%s: status %d, want %d", tt.name, a.StatusCode, tt.status)
			}
			if a.StatusCode == 200 && a.body != "HTTP/1.1  abc" {
				t.Errorf("%s: %q", tt.name, a.body)
			}
		}
		if tt.status == 200 {
			long := strings.Repeat("x", 300<<10)
			if a := c.ask("POST /", "\n"+long); a.StatusCode != 200 || a.body != "HTTP/1.1  "+long {
				t.Errorf("%s: long body: status %d, %d bytes", tt.name, a.StatusCode, len(a.body))
			}
			mid := strings.Repeat("y", 30<<10)
			if a := c.ask("POST /", "\n"+mid); a.StatusCode != 200 || a.body != "HTTP/1.1  "+mid {
				t.Errorf("%s: body of 30 KiB: status %d, %d bytes", tt.name, a.StatusCode, len(a.body))
			}
		}
	}
}
