package policy

import (
	"net/netip"
	"strings"

	"penstock/internal/jsontree"
)

// addresses is the test of IpAddress. IPv4 addresses that are mapped into IPv6 are
// IPv4 addresses, in the document and in the request.
type addresses []netip.Prefix

func (t addresses) holds(value string, _ func(string) []string) truth {
	a, err := netip.ParseAddr(value)
	if err != nil {
		return open
	}
	a = a.Unmap().WithZone("") // a prefix contains no address with a zone
	for _, p := range t {
		if p.Contains(a) {
			return yes
		}
	}
	return no
}

func parseAddresses(_ *parser, list []*jsontree.Node) (test, error) {
	t := make(addresses, len(list))
	for i, n := range list {
		var ok bool
		if t[i], ok = parsePrefix(n.Text); !ok {
			return nil, fail(n, "%q is neither an IP address nor a CIDR block", n.Text)
		}
	}
	return t, nil
}

// parsePrefix reads a CIDR block or one address, without a zone. Bits behind the
// prefix need not be zero. A block that has mapped IPv4 addresses and others is
// none.
func parsePrefix(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, false
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, false
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}
