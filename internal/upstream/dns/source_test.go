package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestRound(t *testing.T) {
	t.Parallel()
	var many, services []string
	for i := range 120 {
		many = append(many, fmt.Sprintf("many.test. 60 A 10.0.1.%d", i))
	}
	for i := range 60 {
		services = append(services, fmt.Sprintf("_many._tcp.test. 60 SRV 0 1 80 long-name-of-the-target-%d.test.", i), fmt.Sprintf("long-name-of-the-target-%d.test. 60 A 10.0.2.%d", i, i))
	}
	z := serve(t, append(append([]string{
		"a.test. 30 A 10.0.0.1", "a.test. 20 A 10.0.0.2",
		"six.test. 30 AAAA fd00::1",
		"both.test. 30 A 10.0.0.3", "both.test. 30 AAAA fd00::3",
		"zero.test. 0 A 10.0.0.4", "day.test. 86400 A 10.0.0.5",
		"alias.test. 7 CNAME a.test.", "chain.test. 9 CNAME alias.test.", "loop.test. 9 CNAME loop2.test.", "loop2.test. 9 CNAME loop.test.",
		"dangling.test. 9 CNAME nothing.test.",
		"text.test. 30 TXT hello",
		"_http._tcp.test. 15 SRV 10 5 8080 a.test.", "_http._tcp.test. 15 SRV 10 0 8081 six.test.", "_http._tcp.test. 15 SRV 20 9 8082 both.test.",
		"_fall._tcp.test. 15 SRV 1 1 80 nothing.test.", "_fall._tcp.test. 15 SRV 2 1 80 both.test.", "_fall._tcp.test. 15 SRV 3 1 80 a.test.",
		"_glue._tcp.test. 15 SRV 1 1 80 glue-1.test.", "glue-1.test. 5 A 10.0.0.9",
		"_alias._tcp.test. 15 SRV 1 1 80 chain.test.",
		"_none._tcp.test. 15 SRV 0 0 0 .", "_gone._tcp.test. 15 SRV 0 0 80 nothing.test.",
	}, many...), services...)...)
	for _, tt := range []struct {
		name string
		want string
		wait time.Duration
	}{
		{"a.test:80", "10.0.0.1:80 10.0.0.2:80", 20 * time.Second},
		{"A.Test.:80", "10.0.0.1:80 10.0.0.2:80", 20 * time.Second},
		{"six.test:80", "[fd00::1]:80", 30 * time.Second},
		{"both.test:80", "10.0.0.3:80", 30 * time.Second},
		{"zero.test:80", "10.0.0.4:80", time.Second},
		{"day.test:80", "10.0.0.5:80", 5 * time.Minute},
		{"alias.test:80", "10.0.0.1:80 10.0.0.2:80", 7 * time.Second},
		{"chain.test:80", "10.0.0.1:80 10.0.0.2:80", 7 * time.Second},
		{"loop.test:80", "failed: look up the A records of loop.test.: there are more than 8 aliases", time.Second},
		{"dangling.test:80", "failed: dangling.test has no A records in DNS", time.Second},
		{"nothing.test:80", "failed: nothing.test has no A records in DNS", time.Second},
		{"text.test:80", "failed: text.test has no A records in DNS", time.Second},
		{"_http._tcp.test", "10.0.0.1:8080*5 10.0.0.2:8080*5 [fd00::1]:8081", 15 * time.Second},
		{"_fall._tcp.test", "10.0.0.3:80*1", 15 * time.Second},
		{"_glue._tcp.test", "10.0.0.9:80*1", 5 * time.Second},
		{"_alias._tcp.test", "10.0.0.1:80*1 10.0.0.2:80*1", 7 * time.Second},
		{"_none._tcp.test", "failed: _none._tcp.test has no SRV records that lead to an address in DNS", time.Second},
		{"_gone._tcp.test", "failed: _gone._tcp.test has no SRV records that lead to an address in DNS", time.Second},
		{"_what._tcp.test", "failed: _what._tcp.test has no SRV records in DNS", time.Second},
		{"10.0.0.7:80", "10.0.0.7:80", 5 * time.Minute},
		{"[fd00::7]:80", "[fd00::7]:80", 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := run(t, at(t, tt.name, z.address))
			if got, wait := w.next(); got != tt.want || wait != tt.wait {
				t.Errorf("got %q and waits %v, want %q and %v", got, wait, tt.want, tt.wait)
			}
		})
	}
	for name, n := range map[string]int{"many.test:80": 120, "_many._tcp.test": 60} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := run(t, at(t, name, z.address))
			if got, _ := w.next(); len(strings.Fields(got)) != n {
				t.Errorf("got %d instances, want %d, of an answer that is longer than UDP takes: %s", len(strings.Fields(got)), n, got)
			}
		})
	}
}

// A truncated answer is asked for again over TCP.
func TestTruncated(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 120 {
		many = append(many, fmt.Sprintf("many.test. 60 A 10.0.1.%d", i))
	}
	z := serve(t, many...)
	w := run(t, at(t, "many.test:80", z.address))
	w.next()
	if got := z.questions(); got != "udp many.test. A, tcp many.test. A" {
		t.Errorf("asked %q", got)
	}
}

// Lists follow the zone; a name must be denied twice before they are empty; failures leave
// them as they are.
func TestChanges(t *testing.T) {
	t.Parallel()
	z := serve(t, "a.test. 30 A 10.0.0.1")
	s := at(t, "a.test:80", z.address)
	var w *watch
	const denied, refused, soa = "failed: a.test has no A records in DNS", "answers SERVFAIL", "test. 60 SOA ns.test. root.test. 1 60 60 60 9"
	for _, step := range []struct {
		name  string
		zone  []string
		rcode int
		want  string // how it ends
		wait  time.Duration
	}{
		{"a list", []string{"a.test. 30 A 10.0.0.1"}, 0, "10.0.0.1:80", 30 * time.Second},
		{"another", []string{"a.test. 20 A 10.0.0.2"}, 0, "10.0.0.2:80", 20 * time.Second},
		{"a failure", nil, dns.RcodeServerFailure, refused, time.Second},
		{"a second failure", nil, dns.RcodeServerFailure, refused, 2 * time.Second},
		{"a third failure", nil, dns.RcodeServerFailure, refused, 4 * time.Second},
		{"a refusal", nil, dns.RcodeRefused, "answers REFUSED", 8 * time.Second},
		{"it is back", []string{"a.test. 30 A 10.0.0.1"}, 0, "10.0.0.1:80", 30 * time.Second},
		{"a denial", nil, 0, denied, time.Second},
		{"it was a mistake", []string{"a.test. 30 A 10.0.0.1"}, 0, "10.0.0.1:80", 30 * time.Second},
		{"a denial", []string{soa}, 0, denied, time.Second},
		{"a failure in between", nil, dns.RcodeServerFailure, refused, time.Second},
		{"a second denial", []string{soa}, 0, "", 9 * time.Second},
		{"a third denial, of the kind", []string{soa, "a.test. 30 TXT x"}, 0, "", 9 * time.Second},
		{"it returns", []string{"a.test. 30 A 10.0.0.1"}, 0, "10.0.0.1:80", 30 * time.Second},
	} {
		// The source waits, or has not begun: it sees the zone as it is now.
		z.set(t, step.zone...)
		z.fail(step.rcode)
		if w == nil {
			w = run(t, s)
		} else {
			w.proceed <- struct{}{}
		}
		event, wait := w.next()
		if step.want == "" && event != "" || !strings.HasSuffix(event, step.want) || wait != step.wait {
			t.Fatalf("%s: got %q and waits %v, want %q and %v", step.name, event, wait, step.want, step.wait)
		}
	}
}

// Servers are asked one after the other, and those that answer badly are passed over.
func TestServers(t *testing.T) {
	t.Parallel()
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dead.Close() })
	lame, other, good := serve(t), serve(t, "a.test. 30 A 10.6.6.6"), serve(t, "a.test. 30 A 10.0.0.1")
	lame.fail(dns.RcodeRefused)
	other.lie(false, true)
	for _, tt := range []struct {
		name    string
		servers []string
		found   bool
		want    string
	}{
		{"refused, then good", []string{lame.address, good.address}, true, "[10.0.0.1]"},
		{"another question, then good", []string{other.address, good.address}, true, "[10.0.0.1]"},
		{"no answer, then good", []string{dead.LocalAddr().String(), good.address}, true, "[10.0.0.1]"},
		{"no answer", []string{dead.LocalAddr().String()}, false, "does not answer over udp"},
		{"another question", []string{other.address}, false, " answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A good server may be slower than this, but not each time.
			s := &servers{all: tt.servers, attempts: 1, timeout: 100 * time.Millisecond}
			if tt.found {
				s.attempts = 100
			}
			a, err := s.ask(t.Context(), "a.test.", dns.TypeA)
			if got := fmt.Sprint(a.addresses, err); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// The end of the context ends a lookup that nobody answers.
func TestEndOfLookup(t *testing.T) {
	t.Parallel()
	z := serve(t)
	z.lie(true, false)
	s := &servers{all: []string{z.address}, attempts: 1, timeout: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.ask(ctx, "a.test.", dns.TypeA)
		done <- err
	}()
	for z.questions() == "" {
		select {
		case err := <-done:
			t.Fatal(err)
		default:
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("there is an answer")
	}
}

// Without a server of the configuration, names are looked for in the search domains, and then
// as the system does it.
func TestResolvConf(t *testing.T) {
	t.Parallel()
	z := serve(t, "pay.shop.test. 30 A 10.0.0.1", "pay.test. 30 A 10.0.0.2", "a.b. 30 A 10.0.0.3", "a.b.shop.test. 30 A 10.6.6.6", "_http._tcp.pay.shop.test. 30 SRV 0 1 80 pay.shop.test.")
	host, port, _ := net.SplitHostPort(z.address)
	for _, tt := range []struct {
		name   string
		ndots  int
		rcode  int
		system map[string]string
		want   string
		wait   time.Duration
	}{
		{"pay:80", 1, 0, nil, "10.0.0.1:80", 30 * time.Second},
		{"pay.:80", 1, 0, map[string]string{"pay.": "10.0.0.8"}, "10.0.0.8:80", 10 * time.Second},
		{"a.b:80", 1, 0, nil, "10.0.0.3:80", 30 * time.Second},
		{"a.b:80", 2, 0, nil, "10.6.6.6:80", 30 * time.Second},
		{"_http._tcp.pay", 5, 0, nil, "10.0.0.1:80*1", 30 * time.Second},
		{"hosts:80", 1, 0, map[string]string{"hosts": "10.0.0.9"}, "10.0.0.9:80", 10 * time.Second},
		{"localhost:80", 1, 0, map[string]string{"localhost": "::1 127.0.0.1"}, "127.0.0.1:80", 10 * time.Second},
		{"six:80", 1, 0, map[string]string{"six": "::1"}, "[::1]:80", 10 * time.Second},
		{"pay:80", 1, 0, map[string]string{"pay": "10.6.6.6"}, "10.0.0.1:80", 30 * time.Second},
		{"nothing:80", 1, 0, nil, "failed: nothing.shop.test has no A records in DNS", time.Second},
		{"localhost:80", 1, 0, nil, "failed: not found", time.Second},
	} {
		t.Run(fmt.Sprint(tt.name, tt.ndots, tt.system), func(t *testing.T) {
			t.Parallel()
			s := configured(t, tt.name, fmt.Sprintf("nameserver %s\nsearch shop.test test\noptions ndots:%d\n", host, tt.ndots))
			s.port53 = port
			s.system = func(_ context.Context, host string) ([]netip.Addr, error) {
				var all []netip.Addr
				for _, ip := range strings.Fields(tt.system[host]) {
					all = append(all, netip.MustParseAddr(ip))
				}
				if len(all) == 0 {
					return nil, errors.New("not found")
				}
				return all, nil
			}
			w := run(t, s)
			if got, wait := w.next(); got != tt.want || wait != tt.wait {
				t.Errorf("got %q and waits %v, want %q and %v", got, wait, tt.want, tt.wait)
			}
		})
	}
	if strings.Contains(z.questions(), "localhost") {
		t.Error("localhost was asked for in DNS")
	}
}

// The name of this machine's own address is found with what the system has.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Name: "localhost:80"})
	if err != nil {
		t.Fatal(err)
	}
	w := run(t, s.(*source))
	if got, _ := w.next(); got != "127.0.0.1:80" && got != "[::1]:80" {
		t.Errorf("got %q", got)
	}
}

// A missing resolv.conf means the server of this machine.
func TestLoad(t *testing.T) {
	t.Parallel()
	r := resolver{config: t.TempDir() + "/none"}
	s, err := r.load()
	if err != nil || len(s.all) != 1 || s.all[0] != "127.0.0.1:53" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		config  Config
		server  string
		refused string
	}{
		{Config{Name: "orders.internal:8080"}, "", ""},
		{Config{Name: "_http._tcp.pay.internal", Server: "10.0.0.2"}, "10.0.0.2:53", ""},
		{Config{Name: "_http._tcp.pay.internal", Server: "10.0.0.2:5353"}, "10.0.0.2:5353", ""},
		{Config{Name: "a:80", Server: "[fd00::2]"}, "[fd00::2]:53", ""},
		{Config{Name: "a:80", Server: "fd00::2"}, "[fd00::2]:53", ""},
		{Config{Name: "orders.internal"}, "", "name: "},
		{Config{Name: ""}, "", "name: "},
		{Config{Name: ":80"}, "", "name: "},
		{Config{Name: "a:0"}, "", "name: "},
		{Config{Name: "a..b:80"}, "", "name: "},
		{Config{Name: "_http._tcp.pay.internal:80"}, "", "name: "},
		{Config{Name: strings.Repeat("a", 64) + ":80"}, "", "name: "},
		{Config{Name: "a:80", Server: "dns:http"}, "", "server: "},
		{Config{Name: "a:80", Server: ":53"}, "", "server: "},
	} {
		s, err := New(tt.config)
		switch {
		case tt.refused != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.refused)):
			t.Errorf("%+v: got %v, want %q", tt.config, err, tt.refused)
		case tt.refused == "" && (err != nil || s.(*source).server != tt.server):
			t.Errorf("%+v: got %+v, %v", tt.config, s, err)
		}
	}
}

// Whatever a server says is read without harm.
func FuzzRead(f *testing.F) {
	m := new(dns.Msg)
	m.SetQuestion("a.test.", dns.TypeA)
	for _, l := range []string{"a.test. 9 CNAME b.test.", "b.test. 9 A 10.0.0.1", "b.test. 9 AAAA fd00::1", "a.test. 1 SRV 1 2 3 b.test."} {
		rr, err := dns.NewRR(l)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	m.Extra = m.Answer[1:3]
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dns.Msg
		if m.Unpack(b) != nil {
			return
		}
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
			a, alias := answer{ttl: maxTTL}, "a.test."
			a.read(&m, &alias, kind)
			for _, ip := range a.addresses {
				if !ip.IsValid() {
					t.Errorf("an address that is none: %v", a)
				}
			}
			if a.ttl < 0 || a.ttl > maxTTL || denialTTL(&m) < 0 {
				t.Errorf("ttl: %v", a.ttl)
			}
		}
		for _, a := range glueOf(&m) {
			if len(a.addresses) == 0 {
				t.Error("glue without addresses")
			}
		}
	})
}
