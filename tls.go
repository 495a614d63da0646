package penstock

import (
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"slices"

	"penstock/internal/certificate"
	"penstock/internal/gateway"
)

// openTLS opens the TLS listener and what it needs.
func (s *Server) openTLS(f fetcher) (err error) {
	c := certificate.Config{
		Names:   []string{"localhost", "*.localhost", "*.execute-api." + s.config.Region + "." + s.config.EndpointSuffix},
		Sources: map[string]string{},
		Fetch: func(ctx context.Context, uri string) ([]byte, error) {
			return f.fetch(ctx, uri, truststoreTimeout, maxTruststore)
		},
		Logger: s.log,
	}
	for _, one := range s.config.Certificates {
		c.Pairs = append(c.Pairs, certificate.Pair{
			ARN:             one.ARN,
			CertificateFile: one.CertificateFile, PrivateKeyFile: one.PrivateKeyFile,
			Certificate: one.Certificate, PrivateKey: one.PrivateKey,
		})
	}
	for _, one := range s.config.Truststores {
		c.Sources[one.URI] = one.File
	}
	if s.certificates, err = certificate.Open(c); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	if len(s.config.ACME.Names) == 0 {
		return nil
	}
	a := s.config.ACME
	own := address(s.tlsListener)
	acme := certificate.ACME{
		Directory: a.Directory, Email: a.Email, Names: a.Names, Storage: a.Storage,
		Host: own.Addr().String(), Port: int(own.Port()), Logger: s.log,
	}
	if acme.Storage == "" {
		acme.Storage = filepath.Join(s.config.Data, "acme")
	}
	if a.RootFile != "" {
		text, err := readFile(a.RootFile)
		if err != nil {
			return fmt.Errorf("acme.rootFile: %w", err)
		}
		if acme.RootCAs, _, err = certificate.Authorities(text); err != nil {
			return fmt.Errorf("acme.rootFile: %w", err)
		}
	}
	if s.acme, err = certificate.OpenACME(acme); err != nil {
		return fmt.Errorf("acme: %w", err)
	}
	return nil
}

// publish makes a snapshot the one that is served. The trust stores in files that are
// new with it have been read by then; those of the one before are kept until then.
func (s *Server) publish(snapshot *gateway.Snapshot) {
	if s.certificates != nil {
		before, used := truststores(s.gateway.Snapshot()), truststores(snapshot)
		if slices.ContainsFunc(used, func(one certificate.Source) bool { return !slices.Contains(before, one) }) {
			s.certificates.Use(slices.Concat(before, used))
			s.certificates.Reload()
		}
		defer s.certificates.Use(used)
	}
	s.gateway.Publish(snapshot)
	s.sockets.server.Published(snapshot)
}

// truststores returns those that the domains of a snapshot name.
func truststores(snapshot *gateway.Snapshot) []certificate.Source {
	var all []certificate.Source
	for _, d := range snapshot.Domains() {
		if m := d.MutualTLS; m != nil {
			all = append(all, certificate.Source{URI: m.TruststoreURI, Version: m.TruststoreVersion})
		}
	}
	return all
}

func (s *Server) tlsConfig() gateway.TLSConfig {
	c := gateway.TLSConfig{Certificate: s.certificate, ClientAuth: s.clientAuth}
	if s.acme != nil {
		c.Challenge = s.acme.Challenge
	}
	return c
}

// certificate returns that of a server name: the one whose ARN its domain name has, or
// one that is for the name, or the one that nobody trusts.
func (s *Server) certificate(serverName string) (*tls.Certificate, error) {
	if d := s.gateway.Snapshot().Domain(serverName); d != nil {
		if c := s.certificates.ByARN(d.CertificateARN); c != nil {
			return c, nil
		}
	}
	if s.acme != nil {
		if c := s.acme.ByName(serverName); c != nil {
			return c, nil
		}
	}
	if c := s.certificates.ByName(serverName); c != nil {
		return c, nil
	}
	return s.certificates.Fallback(), nil
}

// clientAuth returns which clients the domain of a server name trusts; nil if it trusts
// everyone.
func (s *Server) clientAuth(serverName string) *gateway.ClientAuth {
	d := s.gateway.Snapshot().Domain(serverName)
	if d == nil || d.MutualTLS == nil {
		return nil
	}
	trust := s.certificates.ClientTrust(d.MutualTLS.TruststoreURI, d.MutualTLS.TruststoreVersion)
	return &gateway.ClientAuth{Pool: trust.Pool, Version: trust.Version, Err: trust.Err}
}
