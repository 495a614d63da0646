// Package certificate keeps what TLS listeners need: certificates by their ARNs and
// names, the trust stores of domains with mutual TLS, and a certificate for everything
// else. Files are looked at every second; what they say is used from the next handshake
// on, and nothing that is not valid ever takes the place of something that is.
//
//	s, err := certificate.Open(certificate.Config{Pairs: []certificate.Pair{{
//		ARN: arn, CertificateFile: "api.pem", PrivateKeyFile: "api.key",
//	}}})
//	c := s.ByName("api.example.com")
package certificate

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Store needs to know. Everything is optional.
type Config struct {
	Pairs []Pair
	// Names are those of the certificate that is made when the store opens, for hosts
	// that no other certificate is for. Default: localhost and *.localhost.
	Names []string
	// Sources says where trust stores are read from whose URIs cannot be read
	// themselves, such as s3://bucket/key: by URI, a file:// or https:// URI, or the
	// path of a file.
	Sources map[string]string
	// Fetch reads https:// URIs. Without it, they cannot be read.
	Fetch func(ctx context.Context, uri string) ([]byte, error)
	// Poll is how often files are looked at. Default: 1 s.
	Poll   time.Duration
	Logger *slog.Logger
}

// A Store keeps certificates and trust stores. It outlives snapshots.
type Store struct {
	log     *slog.Logger
	names   []string
	sources map[string]string
	fetch   func(context.Context, string) ([]byte, error)

	certificates atomic.Pointer[certificates]
	trust        atomic.Pointer[map[Source]*ClientTrust]

	ctx  context.Context // ends with the store
	stop context.CancelFunc
	wake chan struct{} // there are trust stores to be read
	done sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	pairs []*pair
	named map[Source]*truststore
}

// certificates is an immutable index.
type certificates struct {
	byARN           map[string]*tls.Certificate
	exact, wildcard map[string]*tls.Certificate
	fallback        *tls.Certificate
	nameless        *tls.Certificate // the first one for an address; nil if there is none
}

// Open reads all certificates. A certificate that cannot be used is an error: later,
// when a file changes, it is only logged.
func Open(c Config) (*Store, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.Names == nil {
		c.Names = []string{"localhost", "*.localhost"}
	}
	s := &Store{
		log: c.Logger, names: c.Names, sources: c.Sources, fetch: c.Fetch,
		named: map[Source]*truststore{}, wake: make(chan struct{}, 1),
	}
	s.trust.Store(&map[Source]*ClientTrust{})
	seen := map[string]bool{}
	for _, p := range c.Pairs {
		if p.ARN != "" && seen[p.ARN] {
			return nil, fmt.Errorf("two certificates have the ARN %s", p.ARN)
		}
		seen[p.ARN] = true
		one := newPair(p)
		if _, err := one.look(); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", p.label(), err)
		}
		s.warnExpired(one)
		s.pairs = append(s.pairs, one)
	}
	fallback, err := SelfSigned(s.names)
	if err != nil {
		return nil, err
	}
	s.index(fallback)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.done.Go(func() { s.poll(c.Poll) })
	return s, nil
}

// Close ends what the store does in the background and waits for it. What has been
// read can still be asked for.
func (s *Store) Close() {
	s.stop()
	s.done.Wait()
}

func (s *Store) poll(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
		s.Reload()
	}
}

// Reload looks at all files now, and reads trust stores that are due.
func (s *Store) Reload() {
	s.mu.Lock()
	changed := false
	for _, p := range s.pairs {
		switch fresh, err := p.look(); {
		case err != nil && fresh:
			s.log.Error("a certificate cannot be used; the one before is kept", "certificate", p.label(), "error", err)
		case fresh:
			changed = true
			s.log.Info("a certificate has changed", "certificate", p.label())
			s.warnExpired(p)
		}
	}
	fallback := s.certificates.Load().fallback
	if time.Until(fallback.Leaf.NotAfter) < selfSignedRenewal {
		if next, err := SelfSigned(s.names); err == nil {
			fallback, changed = next, true
		}
	}
	if changed {
		s.index(fallback)
	}
	s.mu.Unlock()
	s.readTruststores()
}

func (s *Store) warnExpired(p *pair) {
	if at := p.current.Leaf.NotAfter; time.Now().After(at) {
		s.log.Warn("a certificate has expired", "certificate", p.label(), "notAfter", at)
	}
}

// index makes the current certificates the ones that are found. Of two for one name,
// the one that lasts longer is found by it.
func (s *Store) index(fallback *tls.Certificate) {
	all := &certificates{
		byARN: map[string]*tls.Certificate{}, exact: map[string]*tls.Certificate{}, wildcard: map[string]*tls.Certificate{}, fallback: fallback,
	}
	for _, p := range s.pairs {
		if p.ARN != "" {
			all.byARN[p.ARN] = p.current
		}
		if all.nameless == nil && len(p.current.Leaf.IPAddresses) > 0 {
			all.nameless = p.current
		}
		for _, name := range p.current.Leaf.DNSNames {
			to := all.exact
			name := Name(name)
			if suffix, ok := strings.CutPrefix(name, "*."); ok {
				to, name = all.wildcard, suffix
			}
			if old := to[name]; old == nil || old.Leaf.NotAfter.Before(p.current.Leaf.NotAfter) {
				to[name] = p.current
			}
		}
	}
	s.certificates.Store(all)
}

// Name returns the form in which server names are compared: in lower case, without the
// dot at the end. It is empty for IP addresses, which are no names.
func Name(serverName string) string {
	name := strings.ToLower(strings.TrimSuffix(serverName, "."))
	if name == "" || name[len(name)-1] == ']' || '0' <= name[len(name)-1] && name[len(name)-1] <= '9' || strings.IndexByte(name, ':') >= 0 {
		if net.ParseIP(strings.Trim(name, "[]")) != nil {
			return ""
		}
	}
	return name
}

// ByARN returns the certificate with an ARN, or nil.
func (s *Store) ByARN(arn string) *tls.Certificate { return s.certificates.Load().byARN[arn] }

// ByName returns the certificate for a server name, or nil. A certificate for the name
// itself comes before one for "*" and the rest of it. Clients that connect to an address
// give no name: for them it is the first certificate that is for an address.
func (s *Store) ByName(serverName string) *tls.Certificate {
	name := Name(serverName)
	all := s.certificates.Load()
	if name == "" {
		return all.nameless
	}
	if c := all.exact[name]; c != nil {
		return c
	}
	if label, suffix, ok := strings.Cut(name, "."); ok && label != "" {
		return all.wildcard[suffix]
	}
	return nil
}

// Fallback returns the certificate that the store has made itself.
func (s *Store) Fallback() *tls.Certificate { return s.certificates.Load().fallback }
