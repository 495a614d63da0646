package dns

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"penstock/internal/upstream"
)

const (
	// maxTargets is how many SRV records of one priority are followed.
	maxTargets = 512
	// parallel is how many targets are asked for at one time.
	parallel = 8
)

// services returns what the SRV records of the name lead to.
func (s *source) services(ctx context.Context, servers *servers) ([]upstream.Instance, time.Duration, error) {
	a, err := servers.search(ctx, s.host, func(ctx context.Context, name string) (answer, error) {
		return servers.ask(ctx, name, dns.TypeSRV)
	})
	if err != nil {
		return nil, 0, err
	}
	records := slices.DeleteFunc(a.services, func(r *dns.SRV) bool { return r.Target == "." || r.Port == 0 })
	slices.SortStableFunc(records, func(x, y *dns.SRV) int { return cmp.Compare(x.Priority, y.Priority) })
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Priority == records[0].Priority {
			n++
		}
		list, ttl, err := s.follow(ctx, servers, records[:min(n, maxTargets)], a.glue)
		if err != nil || len(list) > 0 {
			return list, min(ttl, a.ttl), err
		}
		// None of these leads anywhere.
		records = records[n:]
	}
	return nil, 0, &deniedError{name: s.host, what: "SRV records that lead to an address"}
}

// follow returns the instances that SRV records of one priority lead to. Each address of a
// target has the weight of the record; a weight of 0 is 1. The error is that of a target
// which might have addresses.
func (s *source) follow(ctx context.Context, servers *servers, records []*dns.SRV, glue map[string]answer) ([]upstream.Instance, time.Duration, error) {
	answers, errs := make([]answer, len(records)), make([]error, len(records))
	free := make(chan struct{}, parallel)
	var asked sync.WaitGroup
	for i, r := range records {
		target := strings.ToLower(r.Target)
		if a, ok := glue[target]; ok {
			answers[i] = a
			continue
		}
		free <- struct{}{}
		asked.Go(func() {
			answers[i], errs[i] = servers.addresses(ctx, target)
			<-free
		})
	}
	asked.Wait()
	var list []upstream.Instance
	ttl := maxTTL
	for i, r := range records {
		if denied := (*deniedError)(nil); errors.As(errs[i], &denied) {
			ttl = min(ttl, denied.ttl)
			continue
		} else if errs[i] != nil {
			return nil, 0, errs[i]
		}
		ttl = min(ttl, answers[i].ttl)
		for _, ip := range answers[i].addresses {
			list = append(list, upstream.Instance{Host: ip.String(), Port: r.Port, Weight: int(r.Weight)})
		}
	}
	return list, ttl, nil
}

// glueOf returns the addresses that stand beside an answer, by lower-case name.
func glueOf(m *dns.Msg) map[string]answer {
	all := map[string]answer{}
	for _, rr := range m.Extra {
		var ip netip.Addr
		switch rr := rr.(type) {
		case *dns.A:
			ip, _ = netip.AddrFromSlice(rr.A)
		case *dns.AAAA:
			ip, _ = netip.AddrFromSlice(rr.AAAA)
		}
		if !ip.IsValid() {
			continue
		}
		name, ttl := strings.ToLower(rr.Header().Name), time.Duration(rr.Header().Ttl)*time.Second
		a, ok := all[name]
		if !ok {
			a.ttl = ttl
		}
		a.addresses, a.ttl = append(a.addresses, ip.Unmap()), min(a.ttl, ttl)
		all[name] = a
	}
	for name, a := range all {
		a.addresses = preferred(a.addresses)
		all[name] = a
	}
	return all
}
