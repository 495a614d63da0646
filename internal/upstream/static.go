package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Static returns a source of instances that are always the same. Their names are resolved
// whenever a connection is made.
func Static(targets []Instance) Source { return static(slices.Clone(targets)) }

type static []Instance

// Run implements Source.
func (s static) Run(ctx context.Context, update func([]Instance), _ func(error)) error {
	update(slices.Clone(s))
	<-ctx.Done()
	return nil
}

// ParseTarget reads where an instance is:
//
//	"http://" host [ ":" port ] | "https://" host [ ":" port ] | host ":" port
//
// The instance of an https target is spoken to over TLS. IPv6 addresses stand in brackets.
func ParseTarget(target string) (Instance, error) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok {
		host, port, err := net.SplitHostPort(target)
		if err != nil {
			return Instance{}, fmt.Errorf("the target %q has neither a scheme nor a port: write http://host, https://host or host:port", target)
		}
		return newTarget(target, host, port, false)
	}
	tls, standard := false, "80"
	switch strings.ToLower(scheme) {
	case "http":
	case "https":
		tls, standard = true, "443"
	default:
		return Instance{}, fmt.Errorf("the target %q has the scheme %s: only http and https are spoken", target, scheme)
	}
	u, err := url.Parse("http://" + rest)
	switch {
	case strings.Contains(rest, "@"):
		// What stands before the @ may be a secret.
		return Instance{}, errors.New("the target has a user: credentials belong into the header of the request")
	case err != nil:
		return Instance{}, fmt.Errorf("the target %q is no URL", target)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return Instance{}, fmt.Errorf("the target %q has more than a host and a port: the path comes from the integration and the request", target)
	}
	return newTarget(target, u.Hostname(), cmp.Or(u.Port(), standard), tls)
}

// newTarget checks the parts of a target.
func newTarget(target, host, port string, tls bool) (Instance, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || n == 0:
		return Instance{}, fmt.Errorf("the target %q has no port between 1 and 65535", target)
	case !validHost(host):
		return Instance{}, fmt.Errorf("the target %q names no host", target)
	}
	return Instance{Host: host, Port: uint16(n), TLS: tls}, nil
}

// validHost reports whether a host can be one of an instance: an IP address, or a name of
// letters, digits, hyphens, underscores and dots.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if host == "" || len(host) > 253 || host[0] == '.' {
		return false
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}
