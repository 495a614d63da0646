package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACMEProtocol is what an authority asks for, by ALPN, to see whether the names that a
// certificate is ordered for lead here (tls-alpn-01).
const ACMEProtocol = "acme-tls/1"

// ACME orders certificates from an authority and renews them.
type ACME struct {
	// Directory is the URL of the authority's directory.
	Directory string
	// Email is where the authority writes to; "" for none. Who sets up ACME agrees to
	// the authority's terms.
	Email string
	// Names are what certificates are ordered for. Wildcards need DNS and are refused.
	Names []string
	// Storage is the directory for accounts, keys and certificates.
	Storage string
	// Port is where the authority's connections arrive: that of the TLS listener, which
	// must be open already. Host is the address it is bound to.
	Host string
	Port int
	// RootCAs, if not nil, are who signs the certificate of the directory itself.
	RootCAs *x509.CertPool
	Logger  *slog.Logger
}

// An Issuer has the certificates of an ACME configuration.
type Issuer struct {
	config *certmagic.Config
	cache  *certmagic.Cache
	stop   context.CancelFunc
	names  []string
}

// OpenACME loads the certificates in storage and orders the others in the background,
// again and again until it has them.
func OpenACME(a ACME) (*Issuer, error) {
	if a.Directory == "" || a.Storage == "" || len(a.Names) == 0 || a.Port == 0 {
		return nil, errors.New("ACME needs a directory, names, a storage and a port")
	}
	if a.Logger == nil {
		a.Logger = slog.New(slog.DiscardHandler)
	}
	for _, n := range a.Names {
		if !certmagic.SubjectQualifiesForCert(n) || n[0] == '*' {
			return nil, fmt.Errorf("no certificate can be ordered for %q", n)
		}
	}
	i := &Issuer{names: slices.Clone(a.Names)}
	log := zap.NewNop()
	i.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return i.config, nil },
		Logger:           log,
	})
	i.config = certmagic.New(i.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.Storage},
		Logger:  log,
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				a.Logger.Info("a certificate has been issued", "name", data["identifier"], "renewal", data["renewal"])
			case "cert_failed":
				a.Logger.Error("a certificate was not issued", "name", data["identifier"], "error", data["error"])
			}
			return nil
		},
	})
	i.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(i.config, certmagic.ACMEIssuer{
		CA: a.Directory, TestCA: a.Directory, Email: a.Email, Agreed: true, TrustedRoots: a.RootCAs,
		DisableHTTPChallenge: true, ListenHost: a.Host, AltTLSALPNPort: a.Port, Logger: log,
	})}
	ctx, stop := context.WithCancel(context.Background())
	if err := i.config.ManageAsync(ctx, i.names); err != nil {
		stop()
		i.cache.Stop()
		return nil, fmt.Errorf("order certificates: %w", err)
	}
	i.stop = stop
	return i, nil
}

// Close stops ordering and renewing.
func (i *Issuer) Close() {
	i.stop()
	i.cache.Stop()
}

// ByName returns the certificate for a server name, or nil if there is none, or not
// yet.
func (i *Issuer) ByName(serverName string) *tls.Certificate {
	name := Name(serverName)
	if !slices.Contains(i.names, name) {
		return nil
	}
	for _, c := range i.cache.AllMatchingCertificates(name) {
		if c.Leaf != nil {
			return &c.Certificate
		}
	}
	return nil
}

// Challenge returns the certificate that shows an authority that a name leads here. Only
// clients that offer ACMEProtocol alone are to get it.
func (i *Issuer) Challenge(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return i.config.GetCertificate(hello)
}
