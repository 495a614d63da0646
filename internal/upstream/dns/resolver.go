package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxAliases is how many CNAME records are followed.
const maxAliases = 8

// udpSize is how long an answer over UDP may be, in bytes. It fits into the packets of
// nearly all networks. Source: DNS flag day 2020.
const udpSize = 1232

// A resolver knows which servers to ask.
type resolver struct {
	server string // the only server, if there is one
	config string // the path of resolv.conf
	// timeout is how long a server may take to answer; 0 is what resolv.conf says, and 2 s
	// at most.
	timeout time.Duration
	// port53 is the port of the servers in resolv.conf, if it is another.
	port53 string
}

// servers are those of one lookup.
type servers struct {
	all      []string // as host:port
	attempts int
	timeout  time.Duration
	names    func(name string) []string // what to ask for, in this order
}

// An answer is what the servers know of a name.
type answer struct {
	addresses []netip.Addr
	services  []*dns.SRV
	glue      map[string]answer
	ttl       time.Duration
}

// A deniedError says that a name does not exist, or has no records of a kind.
type deniedError struct {
	name, what string
	ttl        time.Duration
}

func (e *deniedError) Error() string { return fmt.Sprintf("%s has no %s in DNS", e.name, e.what) }

// load returns the servers as they are configured now. Without a file of the configuration
// it is the one of this machine. Source: resolv.conf(5).
func (r *resolver) load() (*servers, error) {
	s := &servers{attempts: 2, timeout: 2 * time.Second, names: func(name string) []string { return []string{dns.Fqdn(name)} }}
	if r.server != "" {
		s.all = []string{r.server}
	} else {
		c, err := dns.ClientConfigFromFile(r.config)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c = &dns.ClientConfig{Port: "53", Ndots: 1}
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", r.config, err)
		}
		if len(c.Servers) == 0 {
			c.Servers = []string{"127.0.0.1"}
		}
		for _, host := range c.Servers[:min(len(c.Servers), 3)] {
			s.all = append(s.all, net.JoinHostPort(host, cmp.Or(r.port53, c.Port)))
		}
		s.names = c.NameList
		if c.Attempts > 0 {
			s.attempts = min(c.Attempts, 5)
		}
		if c.Timeout > 0 {
			s.timeout = min(s.timeout, time.Duration(c.Timeout)*time.Second)
		}
	}
	if r.timeout > 0 {
		s.timeout = r.timeout
	}
	return s, nil
}

// search asks for a name in all the domains that it may be in, until it is found.
func (s *servers) search(ctx context.Context, name string, ask func(context.Context, string) (answer, error)) (answer, error) {
	first := error(&deniedError{name: name, what: "records"})
	for i, full := range s.names(name) {
		a, err := ask(ctx, full)
		if err == nil {
			return a, nil
		}
		if denied := (*deniedError)(nil); !errors.As(err, &denied) {
			// Another name might be somebody else's.
			return answer{}, err
		}
		if i == 0 {
			first = err
		}
	}
	return answer{}, first
}

// addresses returns the IPv4 addresses of a full name, and those of IPv6 if there are none.
func (s *servers) addresses(ctx context.Context, name string) (answer, error) {
	a, err := s.ask(ctx, name, dns.TypeA)
	if denied := (*deniedError)(nil); errors.As(err, &denied) {
		if six, err := s.ask(ctx, name, dns.TypeAAAA); err == nil || !errors.As(err, &denied) {
			return six, err
		}
	}
	return a, err
}

// ask asks for the records of a full name, wherever its aliases lead.
func (s *servers) ask(ctx context.Context, name string, kind uint16) (answer, error) {
	a := answer{ttl: maxTTL}
	alias := dns.CanonicalName(name)
	for range maxAliases {
		m, err := s.exchange(ctx, alias, kind)
		if err != nil {
			return answer{}, fmt.Errorf("look up the %s records of %s: %w", dns.TypeToString[kind], name, err)
		}
		asked := alias
		a.read(m, &alias, kind)
		switch {
		case len(a.addresses) > 0 || len(a.services) > 0:
			if kind == dns.TypeSRV {
				a.glue = glueOf(m)
			}
			return a, nil
		case alias == asked || m.Rcode == dns.RcodeNameError:
			return answer{}, &deniedError{name: strings.TrimSuffix(name, "."), what: dns.TypeToString[kind] + " records", ttl: denialTTL(m)}
		}
	}
	return answer{}, fmt.Errorf("look up the %s records of %s: there are more than %d aliases", dns.TypeToString[kind], name, maxAliases)
}

// read takes the records of a name, and of what it is an alias for: alias becomes the last
// of these names.
func (a *answer) read(m *dns.Msg, alias *string, kind uint16) {
	for range maxAliases {
		next := ""
		for _, rr := range m.Answer {
			h := rr.Header()
			if dns.CanonicalName(h.Name) != *alias || h.Class != dns.ClassINET {
				continue
			}
			switch rr := rr.(type) {
			case *dns.A:
				if ip, ok := netip.AddrFromSlice(rr.A); ok && kind == dns.TypeA {
					a.addresses = append(a.addresses, ip.Unmap())
				}
			case *dns.AAAA:
				if ip, ok := netip.AddrFromSlice(rr.AAAA); ok && kind == dns.TypeAAAA {
					a.addresses = append(a.addresses, ip)
				}
			case *dns.SRV:
				if kind == dns.TypeSRV {
					a.services = append(a.services, rr)
				}
			case *dns.CNAME:
				next = dns.CanonicalName(rr.Target)
			default:
				continue
			}
			a.ttl = min(a.ttl, time.Duration(h.Ttl)*time.Second)
		}
		if next == "" || len(a.addresses) > 0 || len(a.services) > 0 {
			return
		}
		*alias = next
	}
}

// denialTTL returns how long a denial may be believed. Source: RFC 2308.
func denialTTL(m *dns.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second
		}
	}
	return minTTL
}

// exchange asks one server after the other, until one answers that the name exists or that
// it does not.
func (s *servers) exchange(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	q.SetEdns0(udpSize, false)
	var errs []error
	for range s.attempts {
		errs = errs[:0]
		for _, server := range s.all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			q.Id = dns.Id()
			m, err := s.once(ctx, "udp", server, q)
			if err == nil && m.Truncated {
				m, err = s.once(ctx, "tcp", server, q)
			}
			if err == nil && (m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError) {
				return m, nil
			}
			if err == nil {
				err = fmt.Errorf("%s answers %s", server, rcode(m.Rcode))
			}
			errs = append(errs, err)
		}
	}
	return nil, errors.Join(errs...)
}

func rcode(code int) string {
	if text, ok := dns.RcodeToString[code]; ok {
		return text
	}
	return fmt.Sprintf("with code %d", code)
}

// once asks one server in one way.
func (s *servers) once(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A lookup that nobody waits for any more ends at once.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client := dns.Client{Net: network, Timeout: s.timeout, UDPSize: udpSize}
	m, _, err := client.ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn, UDPSize: udpSize})
	switch {
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%s does not answer over %s", server, network)
	case err != nil:
		return nil, fmt.Errorf("ask %s over %s: %w", server, network, err)
	case !m.Response || len(m.Question) != 1 || m.Question[0].Qtype != q.Question[0].Qtype || !strings.EqualFold(m.Question[0].Name, q.Question[0].Name):
		return nil, fmt.Errorf("%s answers another question", server)
	}
	return m, nil
}
