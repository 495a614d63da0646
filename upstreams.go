package penstock

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// An Upstream says where private integrations lead: those with the connection type VPC_LINK,
// whose URI is the ARN of a listener or of a Cloud Map service. It has one of targets,
// instances, dns, dnsSrv and aws.
type Upstream struct {
	// Match is the ARN that the integration URI names, without a query, with * and ? for
	// anything and any character:
	// arn:aws:elasticloadbalancing:*:*:listener/app/orders/*. Of several that match, the
	// first counts. Required.
	Match string `yaml:"match"`

	// Targets are the backends themselves, such as http://orders-1:8080. One that begins with
	// https:// is spoken to over TLS, whatever the integration says. Names are resolved when
	// a connection is made. Default: none.
	Targets []string `yaml:"targets"`

	// Instances are backends with attributes, which the query of the integration URI asks
	// for: …:service/srv-1?stage=prod. Default: none.
	Instances []UpstreamInstance `yaml:"instances"`

	// DNS is a name and a port whose addresses are the backends, such as
	// orders.internal:8080. It is asked for again when the answer has expired. Default: none.
	DNS string `yaml:"dns"`

	// DNSSRV is the name of SRV records, which say the ports, too, such as
	// _http._tcp.pay.internal. Default: none.
	DNSSRV string `yaml:"dnsSrv"`

	// DNSServer is the server to ask, host:port; without one, those of /etc/resolv.conf.
	// Default: none.
	DNSServer string `yaml:"dnsServer"`

	// AWS asks AWS, or what stands for it in [Config.Endpoints], where the listener or the
	// Cloud Map service of the ARN is: {} is enough. Default: none.
	AWS *UpstreamAWS `yaml:"aws"`

	// Health asks each backend regularly whether it is well. Without it, those that fail are
	// left out for a while. Default: none.
	Health *HealthCheck `yaml:"health"`

	// EjectAfter is how many failures in a row leave a backend out for a while; 0 means 5, -1
	// never. Failures are no answer, and the statuses 502, 503 and 504. Default: 0.
	EjectAfter int `yaml:"ejectAfter"`

	// EjectFor is how long it is left out the first time, and longer each time that follows;
	// 0 means 10s. Default: 0s.
	EjectFor time.Duration `yaml:"ejectFor"`
}

// An UpstreamInstance is one backend with attributes.
type UpstreamInstance struct {
	// Addr is an address or a name. Required.
	Addr string `yaml:"addr"`

	// Port is its port, which must be given. Default: 0.
	Port int `yaml:"port"`

	// Weight is its share of the requests in proportion to the others; 0 means 1. Default: 0.
	Weight int `yaml:"weight"`

	// Attrs are its attributes. Default: none.
	Attrs map[string]string `yaml:"attrs"`
}

// A HealthCheck is a request that a backend answers with a status from 200 to 399 when it is
// well.
type HealthCheck struct {
	// Path is what is asked for with GET; without one, a connection is enough. Default: none.
	Path string `yaml:"path"`

	// Interval is the time between two checks; 0 means 10s. Default: 0s.
	Interval time.Duration `yaml:"interval"`

	// Timeout is how long one check may take; 0 means 2s. Default: 0s.
	Timeout time.Duration `yaml:"timeout"`

	// Unhealthy is how many checks must fail in a row to take a backend out; 0 means 3.
	// Default: 0.
	Unhealthy int `yaml:"unhealthy"`

	// Healthy is how many must succeed in a row to put it back; 0 means 1. Default: 0.
	Healthy int `yaml:"healthy"`

	// Host is the Host of the request; without one it is the address. Default: none.
	Host string `yaml:"host"`

	// ServerName makes checks go over TLS, with this name in the certificate. Default: none.
	ServerName string `yaml:"serverName"`
}

// An UpstreamAWS says how AWS is asked.
type UpstreamAWS struct {
	// Role is the ARN of the role to ask as, one of [Config.Roles]; without one, it is the
	// server's own credentials. Default: none.
	Role string `yaml:"role"`

	// Interval is the time between two questions; 0 means 5s for Cloud Map and 30s for
	// listeners. Default: 0s.
	Interval time.Duration `yaml:"interval"`
}

// A VpcLink says how the connections of a VPC link are made. One of its keys at most.
type VpcLink struct {
	// Dialer is direct, or the URL of a proxy: socks5://[user:password@]host:port, or
	// http://[user:password@]host:port for a proxy that understands CONNECT; without one,
	// direct. Default: none.
	Dialer string `yaml:"dialer" json:"-"`

	// SourceAddress is the address of this machine that connections are made from. Default:
	// none.
	SourceAddress string `yaml:"sourceAddress"`
}

// checkUpstreams says of every key about private integrations and services with a value that
// cannot work what would.
func (c Config) checkUpstreams(wrong func(format string, args ...any)) {
	for i, u := range c.Upstreams {
		key := fmt.Sprintf("upstreams[%d]", i)
		if !strings.HasPrefix(u.Match, "arn:") && !strings.HasPrefix(u.Match, "*") {
			wrong("%s.match: %q matches no ARN: want such as arn:aws:elasticloadbalancing:*:*:listener/app/orders/*", key, u.Match)
		}
		if n := u.sources(); n != 1 {
			wrong("%s: %d of targets, instances, dns, dnsSrv and aws are given: want one", key, n)
		}
		for j, one := range u.Instances {
			if one.Addr == "" || one.Port < 1 || one.Port > 65535 || one.Weight < 0 {
				wrong("%s.instances[%d]: want an addr, a port from 1 to 65535, and a weight that is not negative", key, j)
			}
		}
		if host, port, err := net.SplitHostPort(u.DNS); u.DNS != "" && (err != nil || host == "" || !isPort(port) || port == "0") {
			wrong("%s.dns: %q is not a name and a port: want such as orders.internal:8080", key, u.DNS)
		}
		if _, port, err := net.SplitHostPort(u.DNSServer); u.DNSServer != "" && (err != nil || !isPort(port)) {
			wrong("%s.dnsServer: %q is not an address: want such as 10.0.0.2:53", key, u.DNSServer)
		}
		if u.AWS != nil && u.AWS.Role != "" && !roleForm.MatchString(u.AWS.Role) {
			wrong("%s.aws.role: %q is not the ARN of a role", key, u.AWS.Role)
		}
		if h := u.Health; h != nil {
			if h.Path != "" && h.Path[0] != '/' {
				wrong("%s.health.path: %q does not begin with a slash", key, h.Path)
			}
			if h.Interval < 0 || h.Timeout < 0 || h.Unhealthy < 0 || h.Healthy < 0 {
				wrong("%s.health: interval, timeout, unhealthy and healthy are not negative", key)
			}
		}
		if u.EjectAfter < -1 || u.EjectFor < 0 {
			wrong("%s: ejectAfter is -1 or more, and ejectFor is not negative", key)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.VpcLinks)) {
		link := c.VpcLinks[id]
		if _, err := netip.ParseAddr(link.SourceAddress); link.SourceAddress != "" && err != nil {
			wrong("vpcLinks.%s.sourceAddress: %q is not an address", id, link.SourceAddress)
		}
		if link.Dialer != "" && link.Dialer != "direct" && link.SourceAddress != "" {
			wrong("vpcLinks.%s: give one of a proxy as dialer and sourceAddress", id)
		}
	}
}

// sources returns how many ways to find the upstream there are.
func (u Upstream) sources() (n int) {
	for _, given := range [...]bool{len(u.Targets) > 0, len(u.Instances) > 0, u.DNS != "", u.DNSSRV != "", u.AWS != nil} {
		if given {
			n++
		}
	}
	return n
}
