package penstock

import (
	"net"
	"net/netip"
)

// address returns the address of a listener; an IPv4 address in its IPv4 form.
func address(l *net.TCPListener) netip.AddrPort {
	a := l.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// reachable returns an address at which a listener can be reached from this
// machine: that of the loopback interface if it listens on all.
func reachable(a netip.AddrPort) netip.AddrPort {
	if !a.Addr().IsUnspecified() {
		return a
	}
	if a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
}

// allowPrivate reports whether integrations may reach loopback and private
// addresses.
func (s *Server) allowPrivate() bool {
	if allow := s.config.AllowPrivateUpstreams; allow != nil {
		return *allow
	}
	return s.onLoopback()
}

// onLoopback reports whether APIs are served on this machine only.
func (s *Server) onLoopback() bool {
	return address(s.listener).Addr().IsLoopback() && (s.tlsListener == nil || address(s.tlsListener).Addr().IsLoopback())
}

// owns reports whether a connection to a would come to one of the server's own
// listeners.
func (s *Server) owns(a netip.AddrPort) bool {
	for _, l := range []*net.TCPListener{s.listener, s.tlsListener, s.adminListener} {
		if l == nil {
			continue
		}
		if own := address(l); own.Port() == a.Port() && meets(own.Addr(), a.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// meets reports whether a connection to an address comes to a listener on own, if
// the ports are the same. One to an unspecified address comes to this machine.
func meets(own, to netip.Addr) bool {
	switch {
	case own == to:
		return true
	case to.IsUnspecified():
		return own.IsLoopback() || own.IsUnspecified()
	case own.IsUnspecified():
		return to.IsLoopback() || isLocal(to)
	}
	return false
}

// isLocal reports whether an address belongs to this machine. If the machine does
// not say, every address does.
func isLocal(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, local := range all {
		if n, ok := local.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == a {
				return true
			}
		}
	}
	return false
}
