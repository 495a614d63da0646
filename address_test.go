package penstock

import (
	"net"
	"net/netip"
	"testing"
)

func TestMeets(t *testing.T) {
	for _, tt := range []struct {
		own, to string
		want    bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "0.0.0.0", true},
		{"127.0.0.1", "::", true},
		{"127.0.0.1", "192.0.2.1", false},
		{"0.0.0.0", "127.0.0.2", true},
		{"0.0.0.0", "0.0.0.0", true},
		{"::", "::1", true},
		{"::", "127.0.0.1", true},
		{"0.0.0.0", "192.0.2.1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "127.0.0.1", false},
		{"192.0.2.1", "0.0.0.0", false},
	} {
		if got := meets(netip.MustParseAddr(tt.own), netip.MustParseAddr(tt.to)); got != tt.want {
			t.Errorf("listener on %s, connection to %s: got %v, want %v", tt.own, tt.to, got, tt.want)
		}
	}
	// What the interfaces of this machine have is reached by who listens on all.
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		ip, ok := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !ok || !meets(netip.IPv4Unspecified(), ip.Unmap()) {
			t.Errorf("address %s of this machine is not its own", a)
		}
	}
}
