package penstock

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/internal/certificate"
	"penstock/internal/credential"
	"penstock/internal/integration"
	"penstock/internal/service"
	"penstock/internal/upstream"
	"penstock/internal/upstream/cloudmap"
	"penstock/internal/upstream/dns"
	"penstock/internal/upstream/elb"
)

// anyLink is the key of vpcLinks that stands for all links that are not named.
const anyLink = "*"

// openClient makes what calls backends, with the dialers of VPC links.
func (s *Server) openClient() error {
	c := integration.ClientConfig{
		AllowPrivate: s.allowPrivate(),
		Own:          s.owns,
		MaxConns:     s.config.Limits.UpstreamConns,
		MaxResponse:  s.config.Limits.ResponseBody,
		MaxIdle:      s.config.Limits.UpstreamIdleConns,
		IdleTimeout:  s.config.Limits.UpstreamIdleTimeout,
		Dialers:      map[string]*integration.Dialer{},
	}
	for _, id := range slices.Sorted(maps.Keys(s.config.VpcLinks)) {
		link := s.config.VpcLinks[id]
		d, err := integration.NewDialer(integration.DialerSpec{Dialer: link.Dialer, Source: link.SourceAddress})
		if err != nil {
			return fmt.Errorf("vpcLinks.%s: %w", id, err)
		}
		c.Dialers[id] = d
	}
	var err error
	if c.RootCAs, err = s.upstreamRoots(); err != nil {
		return err
	}
	s.client = integration.NewClient(c)
	return nil
}

// via returns the name of the dialer of a VPC link.
func (s *Server) via(linkID string) string {
	if _, ok := s.config.VpcLinks[linkID]; ok {
		return linkID
	}
	if _, ok := s.config.VpcLinks[anyLink]; ok {
		return anyLink
	}
	return ""
}

// upstreamRoots returns the authorities that backends are verified with; nil for those of
// the system alone.
func (s *Server) upstreamRoots() (*x509.CertPool, error) {
	if s.config.UpstreamCAFile == "" {
		return nil, nil
	}
	text, err := readFile(s.config.UpstreamCAFile)
	if err != nil {
		return nil, fmt.Errorf("upstreamCaFile: %w", err)
	}
	if _, _, err := certificate.Authorities(text); err != nil {
		return nil, fmt.Errorf("upstreamCaFile: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(text)
	return roots, nil
}

// openServices makes what signs calls, what calls AWS services, and what finds upstreams.
func (s *Server) openServices(known roles) (err error) {
	c := s.config
	if s.endpoints, err = service.ParseEndpoints(c.Endpoints); err != nil {
		return err
	}
	sts, _ := s.endpoints.URL("sts", c.Region)
	s.keyring, err = credential.NewKeyring(credential.Config{Roles: known.credentials, STS: sts, Region: c.Region})
	if err != nil {
		return fmt.Errorf("endpoints.sts: %w", err)
	}
	if s.service, err = service.New(service.Config{
		HTTP:      s.client,
		Keyring:   s.keyring,
		Endpoints: c.Endpoints,
	}); err != nil {
		return err
	}
	var entries []upstream.Entry
	for i, u := range c.Upstreams {
		e, err := s.upstreamEntry(&u)
		if err == nil {
			err = e.Check()
		}
		if err != nil {
			return fmt.Errorf("upstreams[%d].%w", i, err)
		}
		entries = append(entries, e)
	}
	roots, err := s.upstreamRoots()
	if err != nil {
		return err
	}
	s.upstreams = upstream.New(entries, upstream.Options{Logger: s.log, RootCAs: roots})
	return nil
}

// closeServices ends what openServices has made.
func (s *Server) closeServices() {
	if s.upstreams != nil {
		s.upstreams.Close()
	}
	if s.keyring != nil {
		s.keyring.Close()
	}
}

// upstream returns what the URI of a private integration names.
func (s *Server) upstream(uri string) (integration.Upstream, error) {
	ref, err := upstream.ParseRef(uri)
	if err != nil {
		return nil, err
	}
	return s.upstreams.Upstream(ref)
}

// upstreamEntry returns the entry of an upstream of the configuration. Errors begin with
// the key that is wrong.
func (s *Server) upstreamEntry(u *Upstream) (upstream.Entry, error) {
	e := upstream.Entry{
		Match:    u.Match,
		Ejection: upstream.Ejection{Off: u.EjectAfter < 0, Failures: max(u.EjectAfter, 0), Time: u.EjectFor},
	}
	if h := u.Health; h != nil {
		e.Health = &upstream.Health{
			Path: h.Path, Interval: h.Interval, Timeout: h.Timeout, Unhealthy: h.Unhealthy, Healthy: h.Healthy,
			Host: h.Host, ServerName: h.ServerName,
		}
	}
	switch {
	case len(u.Targets) > 0:
		var targets []upstream.Instance
		for i, text := range u.Targets {
			one, err := upstream.ParseTarget(text)
			if err != nil {
				return e, fmt.Errorf("targets[%d]: %w", i, err)
			}
			targets = append(targets, one)
		}
		e.Source = fixed(upstream.Static(targets))
	case len(u.Instances) > 0:
		var instances []upstream.Instance
		for _, one := range u.Instances {
			instances = append(instances, upstream.Instance{Host: one.Addr, Port: uint16(one.Port), Weight: one.Weight, Attributes: one.Attrs})
		}
		e.Source, e.Filterable = fixed(upstream.Static(instances)), true
	case u.DNS != "" || u.DNSSRV != "":
		source, err := dns.New(dns.Config{Name: cmp.Or(u.DNS, u.DNSSRV), Server: u.DNSServer})
		if err != nil {
			return e, fmt.Errorf("dns: %w", err)
		}
		e.Source = fixed(source)
	case u.AWS != nil:
		e.FiltersItself = true
		e.Source = s.askAWS(*u.AWS)
	}
	return e, nil
}

// fixed returns one source for whatever is referred to.
func fixed(source upstream.Source) func(upstream.Ref) (upstream.Source, error) {
	return func(upstream.Ref) (upstream.Source, error) { return source, nil }
}

// askAWS returns what asks AWS where an ARN leads.
func (s *Server) askAWS(u UpstreamAWS) func(upstream.Ref) (upstream.Source, error) {
	return func(ref upstream.Ref) (upstream.Source, error) {
		own, err := s.keyring.Own(credential.Spec{})
		if err != nil {
			return nil, err
		}
		credentials := own
		if u.Role != "" {
			if credentials, err = s.keyring.For(u.Role, own); err != nil {
				return nil, err
			}
		}
		parts := strings.SplitN(ref.ARN, ":", 6) // that many, since it is an ARN
		endpoint, _ := s.endpoints.URL(parts[2], parts[3])
		switch parts[2] {
		case "servicediscovery":
			return cloudmap.New(cloudmap.Config{
				ARN: ref.ARN, Attributes: ref.Attributes, Credentials: credentials, Interval: u.Interval,
				Endpoint: endpoint,
			})
		case "elasticloadbalancing":
			if len(ref.Attributes) > 0 {
				return nil, errors.New("a listener has no attributes to choose by")
			}
			return elb.New(elb.Config{
				ListenerARN: ref.ARN, Credentials: credentials, Interval: u.Interval,
				Endpoint: endpoint,
			})
		}
		return nil, fmt.Errorf("%s is neither a listener nor a Cloud Map service", ref.ARN)
	}
}
