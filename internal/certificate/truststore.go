package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Source names a trust store as domain names do.
type Source struct{ URI, Version string }

// A ClientTrust is what a trust store says about the certificates of clients. It does
// not change: when the trust store does, there is another one.
type ClientTrust struct {
	// Pool is nil, and Err says why, while the trust store could not be read: then
	// nobody is to be trusted.
	Pool *x509.CertPool
	// Version is another one whenever Pool is.
	Version string
	Err     error
}

// Limits of reading a trust store that is no file.
const (
	fetchTime     = 3 * time.Second
	fetchRetry    = time.Second // after the first failure; twice as long after each further one
	fetchMaxRetry = time.Minute
	fetchesAtOnce = 8
)

// A truststore is one that a snapshot names.
type truststore struct {
	source Source
	file   *watched // nil if it is fetched
	from   string   // what to fetch

	// What is known of it; only the goroutine that reads trust stores changes it.
	now      *ClientTrust
	sum      [sha256.Size]byte
	problem  string
	fetched  bool
	next     time.Time // not to be fetched before
	failures int
}

// errUnread is why nobody is trusted before a trust store has been read.
var errUnread = errors.New("the trust store has not been read")

// Use makes these the trust stores that are kept. Those that are new are read in the
// background; the others are forgotten.
func (s *Store) Use(sources []Source) {
	s.mu.Lock()
	next := make(map[Source]*truststore, len(sources))
	fresh := false
	for _, source := range sources {
		t := s.named[source]
		if t == nil {
			t = s.newTruststore(source)
			fresh = true
		}
		next[source] = t
	}
	if !fresh && len(next) == len(s.named) {
		s.mu.Unlock()
		return
	}
	s.named = next
	s.publish()
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// newTruststore finds out where a trust store is read from.
func (s *Store) newTruststore(source Source) *truststore {
	t := &truststore{source: source, now: &ClientTrust{Err: errUnread}}
	from := source.URI
	if mapped, ok := s.sources[from]; ok {
		from = mapped
		if filepath.IsAbs(from) || !strings.Contains(from, "://") {
			t.file = &watched{path: from}
			return t
		}
	}
	switch u, err := url.Parse(from); {
	case err != nil:
		t.now = &ClientTrust{Err: fmt.Errorf("the URI cannot be read: %w", err)}
	case u.Scheme == "file":
		t.file = &watched{path: u.Path}
	case u.Scheme == "https" && s.fetch != nil:
		t.from = from
	default:
		t.now = &ClientTrust{Err: fmt.Errorf("nothing says where to read %s from", source.URI)}
	}
	return t
}

// publish makes what is known of the trust stores the answer of ClientTrust. The lock
// is held.
func (s *Store) publish() {
	trust := make(map[Source]*ClientTrust, len(s.named))
	for source, t := range s.named {
		trust[source] = t.now
	}
	s.trust.Store(&trust)
}

var unnamed = &ClientTrust{Err: errors.New("no domain name uses the trust store")}

// ClientTrust returns what a trust store says now; never nil.
func (s *Store) ClientTrust(uri, version string) *ClientTrust {
	if t := (*s.trust.Load())[Source{uri, version}]; t != nil {
		return t
	}
	return unnamed
}

// A reading is what was fetched for a trust store.
type reading struct {
	t    *truststore
	text []byte
	err  error
}

// readTruststores reads those whose files have changed, and fetches those that have not
// been fetched and are due.
func (s *Store) readTruststores() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*reading
	changed := false
	for _, t := range s.named {
		switch {
		case t.file != nil:
			if t.now.Pool == nil || t.file.changed() {
				text, err := t.file.read()
				changed = s.take(t, text, err) || changed
			}
		case t.from != "" && !t.fetched && !time.Now().Before(t.next):
			due = append(due, &reading{t: t})
		}
	}
	if changed {
		s.publish()
	}
	if len(due) == 0 {
		return
	}
	// Nobody waits for an answer of somebody else's server.
	for _, r := range due {
		r.t.next = time.Now().Add(2 * fetchTime)
	}
	s.done.Go(func() { s.fetchAll(due) })
}

// fetchAll fetches some trust stores at a time, and takes what they say.
func (s *Store) fetchAll(due []*reading) {
	var all sync.WaitGroup
	slots := make(chan struct{}, fetchesAtOnce)
	for _, r := range due {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(s.ctx, fetchTime)
			defer cancel()
			r.text, r.err = s.fetch(ctx, r.t.from)
		})
	}
	all.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range due {
		s.take(r.t, r.text, r.err)
		if r.t.fetched = r.t.now.Pool != nil; !r.t.fetched {
			r.t.failures++
			r.t.next = time.Now().Add(min(fetchRetry<<min(r.t.failures-1, 10), fetchMaxRetry))
		}
	}
	s.publish()
}

// take makes what was read of a trust store its content, and reports whether that is
// another than before. One that cannot be read stays as it was: who could be trusted a
// moment ago still can. One that can be read but has no authority trusts nobody.
func (s *Store) take(t *truststore, text []byte, err error) (changed bool) {
	if err == nil {
		sum := sha256.Sum256(text)
		if t.now.Pool != nil && sum == t.sum {
			t.problem = ""
			return false
		}
		var pool *x509.CertPool
		var warnings []string
		if pool, warnings, err = Authorities(text); err == nil {
			t.now = &ClientTrust{Pool: pool, Version: t.source.Version + " " + hex.EncodeToString(sum[:16])}
			t.sum, t.problem = sum, ""
			s.log.Info("a trust store has been read", "uri", t.source.URI, "version", t.source.Version, "warnings", warnings)
			return true
		}
		t.now = &ClientTrust{Err: err}
		changed = true
	} else if t.now.Pool == nil {
		t.now = &ClientTrust{Err: err}
		changed = true
	}
	if err.Error() != t.problem {
		s.log.Error("a trust store cannot be used", "uri", t.source.URI, "version", t.source.Version, "error", err, "clientsTrusted", t.now.Pool != nil)
	}
	t.problem = err.Error()
	return changed
}
