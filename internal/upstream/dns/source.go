// Package dns finds the instances of an upstream in DNS: the addresses of a name, or the
// targets of its SRV records.
//
//	s, err := dns.New(dns.Config{Name: "orders.internal:8080"})
//	s, err := dns.New(dns.Config{Name: "_http._tcp.pay.internal"})
//
// A name is asked for again when the answer has expired. While no server answers, the
// instances found before stay. They go when the name has been denied twice in a row: one
// wrong answer of a server that has just started empties no upstream.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"penstock/internal/upstream"
)

// A Config says what is looked for, and where.
type Config struct {
	// Name is a name with a port, whose addresses are the instances: those of IPv4 and,
	// only if there is none, those of IPv6. Or it begins with an underscore and has no
	// port: then its SRV records say where the instances are. Of those, the group with the
	// lowest priority value that leads to any address is used. An IP address with a port
	// is an instance itself.
	Name string
	// Server is the DNS server as host:port; port 53 may be left out. Then names are
	// complete, and nothing else is asked. Default: the servers and the search domains of
	// /etc/resolv.conf; names that these do not know or do not answer for are looked up
	// as the system does it, in /etc/hosts among others, as localhost is in any case.
	Server string
}

const (
	// minTTL and maxTTL bound how long an answer is used.
	minTTL, maxTTL = time.Second, 5 * time.Minute
	// maxDenied bounds how long the denial of a name is believed, and maxRetry the pause
	// between attempts that fail.
	maxDenied, maxRetry = 30 * time.Second, 30 * time.Second
	// hostsTTL is how long the answer of the system is used, which says nothing of it.
	hostsTTL = 10 * time.Second
	// roundTime is how long one lookup may take, with all that follows from it.
	roundTime = 15 * time.Second
)

// A source implements upstream.Source.
type source struct {
	resolver
	host string
	port uint16 // 0 for SRV records
	// system looks a name up as the system does it; nil if it is not asked.
	system func(ctx context.Context, host string) ([]netip.Addr, error)
	// wait returns false if ctx ended before the time was over.
	wait func(ctx context.Context, d time.Duration) bool
}

// New returns a source. It connects to nothing.
func New(c Config) (upstream.Source, error) {
	s := &source{wait: wait}
	s.resolver.config = "/etc/resolv.conf"
	s.host = c.Name
	if !strings.HasPrefix(c.Name, "_") {
		host, port, err := net.SplitHostPort(c.Name)
		if err != nil {
			return nil, fmt.Errorf("name: %q is neither a name with a port, such as orders.internal:8080, nor one of SRV records, such as _http._tcp.orders.internal", c.Name)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("name: %q has no port between 1 and 65535", c.Name)
		}
		s.host, s.port = host, uint16(n)
	}
	if _, err := netip.ParseAddr(s.host); err != nil && !validName(s.host) {
		return nil, fmt.Errorf("name: %q is no name of DNS", c.Name)
	}
	if c.Server == "" {
		s.system = system
		return s, nil
	}
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil {
		host, port = strings.Trim(c.Server, "[]"), "53"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, " /") {
		return nil, fmt.Errorf("server: %q is not host:port", c.Server)
	}
	s.resolver.server = net.JoinHostPort(host, port)
	return s, nil
}

// system looks up the addresses of a name as the system does it.
func system(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Run implements upstream.Source.
func (s *source) Run(ctx context.Context, update func([]upstream.Instance), failed func(error)) error {
	denials, failures := 0, 0
	for {
		list, ttl, err := s.round(ctx)
		var denied *deniedError
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			denials, failures = 0, 0
			ttl = min(max(ttl, minTTL), maxTTL)
			update(list)
		case errors.As(err, &denied):
			failures = 0
			ttl = minTTL
			if denials++; denials >= 2 {
				ttl = min(max(denied.ttl, minTTL), maxDenied)
				update(nil)
			} else {
				failed(err)
			}
		default:
			ttl = min(minTTL<<min(failures, 5), maxRetry)
			failures++
			failed(err)
		}
		if !s.wait(ctx, ttl) {
			return nil
		}
	}
}

// round finds the instances once.
func (s *source) round(ctx context.Context) ([]upstream.Instance, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	servers, err := s.load()
	if err != nil {
		return nil, 0, err
	}
	if s.port == 0 {
		return s.services(ctx, servers)
	}
	a, err := s.addresses(ctx, servers)
	if err != nil {
		return nil, 0, err
	}
	list := make([]upstream.Instance, len(a.addresses))
	for i, ip := range a.addresses {
		list[i] = upstream.Instance{Host: ip.String(), Port: s.port}
	}
	return list, a.ttl, nil
}

// addresses returns the addresses of the name of the source.
func (s *source) addresses(ctx context.Context, servers *servers) (answer, error) {
	if ip, err := netip.ParseAddr(s.host); err == nil {
		return answer{addresses: []netip.Addr{ip}, ttl: maxTTL}, nil
	}
	name := strings.ToLower(strings.TrimSuffix(s.host, "."))
	// Source: RFC 6761, which keeps localhost from being asked for.
	local := s.system != nil && (name == "localhost" || strings.HasSuffix(name, ".localhost"))
	var first error
	if !local {
		a, err := servers.search(ctx, s.host, servers.addresses)
		if err == nil || s.system == nil {
			return a, err
		}
		first = err
	}
	found, err := s.system(ctx, s.host)
	if err == nil {
		if found = preferred(found); len(found) > 0 {
			return answer{addresses: found, ttl: hostsTTL}, nil
		}
		err = fmt.Errorf("%s has no address", s.host)
	}
	if first != nil {
		err = first
	}
	return answer{}, err
}

// preferred returns the IPv4 addresses, and all if there are none.
func preferred(all []netip.Addr) []netip.Addr {
	var four []netip.Addr
	for _, ip := range all {
		if ip = ip.Unmap(); ip.Is4() {
			four = append(four, ip)
		}
	}
	if len(four) > 0 {
		return four
	}
	return all
}

// validName reports whether a name can be asked for.
func validName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}
