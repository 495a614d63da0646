package dns

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"penstock/internal/upstream"
)

// A zone is a DNS server, over UDP and TCP on one port.
type zone struct {
	address string

	mu      sync.Mutex // guards the fields below
	records []dns.RR
	rcode   int
	silent  bool // it does not answer at all
	wrong   bool // it answers another question
	asked   []string
}

// serve starts a server with records, which are lines of a zone file.
func serve(t *testing.T, lines ...string) *zone {
	t.Helper()
	z := &zone{}
	z.set(t, lines...)
	// The port of one may be taken for the other.
	for range 20 {
		p, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		z.address = p.LocalAddr().String()
		l, err := net.Listen("tcp", z.address)
		if err != nil {
			p.Close()
			continue
		}
		for _, s := range []*dns.Server{{PacketConn: p, Handler: z}, {Listener: l, Handler: z}} {
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go s.ActivateAndServe()
			<-started
			t.Cleanup(func() { s.Shutdown() })
		}
		return z
	}
	t.Fatal("there is no port for both UDP and TCP")
	return nil
}

func (z *zone) set(t *testing.T, lines ...string) {
	t.Helper()
	var records []dns.RR
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = records
}

func (z *zone) fail(rcode int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rcode = rcode
}

// lie has it answer another question, or none.
func (z *zone) lie(silent, wrong bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.silent, z.wrong = silent, wrong
}

// questions returns what was asked since the last call.
func (z *zone) questions() string {
	z.mu.Lock()
	defer z.mu.Unlock()
	all := strings.Join(z.asked, ", ")
	z.asked = nil
	return all
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	asked := q.Question[0]
	network := w.LocalAddr().Network()
	z.asked = append(z.asked, network+" "+asked.Name+" "+dns.TypeToString[asked.Qtype])
	if z.silent {
		return
	}
	m := new(dns.Msg)
	m.SetReply(q)
	m.Rcode = z.rcode
	if z.wrong {
		m.Question[0].Name = "other."
	}
	exists := false
	for _, rr := range z.records {
		h := rr.Header()
		switch {
		case h.Rrtype == dns.TypeSOA:
			m.Ns = append(m.Ns, rr)
		case strings.HasPrefix(h.Name, "glue-") && asked.Qtype == dns.TypeSRV:
			m.Extra = append(m.Extra, rr)
		case h.Name != asked.Name:
		case h.Rrtype == asked.Qtype || h.Rrtype == dns.TypeCNAME:
			m.Answer = append(m.Answer, rr)
			exists = true
		default:
			exists = true
		}
	}
	if !exists && z.rcode == 0 {
		m.Rcode = dns.RcodeNameError
	}
	if network == "udp" {
		m.Truncate(udpSize)
	}
	w.WriteMsg(m)
}

// A watch is a source that runs round by round: what it says comes out of the channels, and
// it goes on when the test says so.
type watch struct {
	events chan string
	waits  chan time.Duration
	// proceed ends a wait.
	proceed chan struct{}
}

// run starts the source.
func run(t *testing.T, s *source) *watch {
	t.Helper()
	w := &watch{make(chan string, 10), make(chan time.Duration), make(chan struct{})}
	s.wait = func(ctx context.Context, d time.Duration) bool {
		select {
		case w.waits <- d:
		case <-ctx.Done():
			return false
		}
		select {
		case <-w.proceed:
			return true
		case <-ctx.Done():
			return false
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Run(ctx, func(list []upstream.Instance) { w.events <- text(list) }, func(err error) { w.events <- "failed: " + err.Error() })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return w
}

// next returns what the next round says, and how long it waits then.
func (w *watch) next() (string, time.Duration) {
	event := <-w.events
	return event, <-w.waits
}

func text(list []upstream.Instance) string {
	var all []string
	for _, i := range list {
		s := netip.AddrPortFrom(netip.MustParseAddr(i.Host), i.Port).String()
		if i.Weight != 0 {
			s += "*" + itoa(i.Weight)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// at returns a source for a name that asks a server.
func at(t *testing.T, name, server string) *source {
	t.Helper()
	s, err := New(Config{Name: name, Server: server})
	if err != nil {
		t.Fatal(err)
	}
	src := s.(*source)
	src.timeout = time.Minute
	return src
}

// configured returns a source for a name that does as a resolv.conf says.
func configured(t *testing.T, name, config string) *source {
	t.Helper()
	s, err := New(Config{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	src := s.(*source)
	src.timeout = time.Minute
	src.config = filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(src.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return src
}
