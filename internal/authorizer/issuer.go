package authorizer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/internal/jsontree"
)

// How issuers are asked for their keys. The service gives both fetches the same
// time, and uses keys for up to two hours; source: developer guide,
// http-api-jwt-authorizer.
const (
	discoveryPath = "/.well-known/openid-configuration"
	fetchTimeout  = 1500 * time.Millisecond // of each of the two
	refreshAge    = 15 * time.Minute        // of keys that are used while newer ones are fetched
	maxKeysAge    = 2 * time.Hour           // of keys that are used at all
	fetchInterval = time.Minute             // between two fetches, as long as there are keys
	firstBackoff  = time.Second             // after the first failure without keys; doubles
)

// An IssuersConfig says how issuers are reached.
type IssuersConfig struct {
	// DialContext makes every connection, and decides which addresses may be reached.
	// Default: that of net.Dialer, which reaches any.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS verifies issuers. Default: the authorities of the system.
	TLS *tls.Config
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log is told of issuers that cannot be used. Default: nobody.
	Log *slog.Logger
}

// Issuers know the keys of token issuers and the tokens that have been verified with
// them. They outlive snapshots: an issuer is remembered as long as an authorizer
// refers to it, and what is known of it is dropped with the last of them, by the
// garbage collector.
type Issuers struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	tls     *tls.Config
	now     func() time.Time
	log     *slog.Logger
	tokens  *tokenCache
	running sync.WaitGroup // fetches

	mu        sync.Mutex // guards what follows
	issuers   weakMap[issuer]
	audiences weakMap[audience]
	last      uint64 // number of the newest audience
	closed    bool
	cancels   map[*fetch]context.CancelFunc // of the fetches that run
}

// NewIssuers returns Issuers that know nothing yet.
func NewIssuers(c IssuersConfig) *Issuers {
	if c.DialContext == nil {
		c.DialContext = new(net.Dialer).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Issuers{
		dial:      c.DialContext,
		tls:       c.TLS,
		now:       c.Now,
		log:       c.Log,
		tokens:    newTokenCache(maxTokens, maxTokensBytes),
		issuers:   weakMap[issuer]{},
		audiences: weakMap[audience]{},
		cancels:   map[*fetch]context.CancelFunc{},
	}
}

// Close ends the fetches that run and waits for them. Afterwards no keys are
// fetched; those that are known stay usable for their time.
func (i *Issuers) Close() {
	i.mu.Lock()
	i.closed = true
	for _, cancel := range i.cancels {
		cancel()
	}
	i.mu.Unlock()
	i.running.Wait()
}

// audience returns what all authorizers with an issuer and these audiences share.
func (i *Issuers) audience(url string, audiences []string) *audience {
	audiences = slices.Clone(audiences)
	slices.Sort(audiences)
	audiences = slices.Compact(audiences)
	key := strconv.Quote(url)
	for _, a := range audiences {
		key += strconv.Quote(a)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.audiences.get(&i.mu, key, func() *audience {
		i.last++
		return &audience{
			issuer:  i.issuers.get(&i.mu, url, func() *issuer { return &issuer{issuers: i, url: url} }),
			names:   audiences,
			number:  i.last,
			issuers: i,
		}
	})
}

// An audience is an issuer together with those whom its tokens must be meant for. It
// does not change.
type audience struct {
	issuers *Issuers
	issuer  *issuer
	names   []string
	number  uint64 // of this audience in the cache
}

// verify decides whether a token is valid. It takes the answer from the cache if the
// token was verified before, its key is still published and what is known of the
// issuer is not too old.
func (a *audience) verify(ctx func() context.Context, token string) (*verifiedToken, error) {
	now := a.issuers.now()
	if set := a.issuer.current(now); set != nil {
		if v := a.issuers.tokens.get(a.number, token); v != nil && v.valid(now) {
			return v, nil
		}
	}
	t, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	k, err := a.issuer.key(ctx, t.kid, now)
	if err != nil {
		return nil, err
	}
	if err := t.verify(k); err != nil {
		return nil, err
	}
	c, err := checkClaims(t.claims, a.issuer.url, a.names, a.issuers.now())
	if err != nil {
		return nil, err
	}
	v := newVerifiedToken(k, c)
	a.issuers.tokens.put(a.number, token, v)
	return v, nil
}

// An issuer is one issuer of tokens and its keys.
type issuer struct {
	issuers *Issuers
	url     string
	keys    atomic.Pointer[keySet] // what was fetched last; nil at first

	mu       sync.Mutex // guards what follows
	fetch    *fetch     // that runs, nil if none does
	next     time.Time  // not before then is another one started
	failures int        // in a row, without usable keys
}

// A fetch is one attempt to get the keys of an issuer. All who need them wait for
// the same one.
type fetch struct {
	done chan struct{} // closed at the end
}

// current returns the keys that may be used now, nil if there are none. If they are
// not fresh it has newer ones fetched, without waiting for them.
func (i *issuer) current(now time.Time) *keySet {
	set := i.keys.Load()
	if set == nil {
		return nil
	}
	age := set.age(now)
	if age > refreshAge {
		if age > maxKeysAge {
			return nil
		}
		i.start(now)
	}
	return set
}

// key returns the key with an id. If it is not known, and the issuer has not been
// asked for a while, it waits for the answer of the issuer or the end of the context.
func (i *issuer) key(ctx func() context.Context, kid string, now time.Time) (*verificationKey, error) {
	set := i.current(now)
	if set != nil && set.keys[kid] != nil {
		return set.keys[kid], nil
	}
	if f := i.start(now); f != nil {
		c := ctx()
		select {
		case <-f.done:
		case <-c.Done():
			return nil, &failure{refusedDiscovery, "nobody waits for the answer any more"}
		}
		set = i.keys.Load()
		if set != nil && set.age(i.issuers.now()) > maxKeysAge {
			set = nil
		}
	}
	switch {
	case set == nil:
		return nil, &failure{refusedDiscovery, "there are no keys of " + i.url}
	case set.keys[kid] == nil:
		return nil, refusedKey
	}
	return set.keys[kid], nil
}

// start returns the fetch that runs, or one that it starts. It returns nil if it is
// too early for another one.
func (i *issuer) start(now time.Time) *fetch {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fetch != nil {
		return i.fetch
	}
	if now.Before(i.next) {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &fetch{done: make(chan struct{})}
	if !i.issuers.register(f, cancel) {
		cancel()
		return nil
	}
	i.fetch = f
	go func() {
		defer i.issuers.unregister(f)
		defer cancel()
		i.run(ctx, f)
	}()
	return f
}

// register counts a fetch among those that Close ends. It reports false after Close.
func (i *Issuers) register(f *fetch, cancel context.CancelFunc) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	i.cancels[f] = cancel
	i.running.Add(1)
	return true
}

func (i *Issuers) unregister(f *fetch) {
	i.mu.Lock()
	delete(i.cancels, f)
	i.mu.Unlock()
	i.running.Done()
}

// run fetches the keys and decides when that may happen again.
func (i *issuer) run(ctx context.Context, f *fetch) {
	set, err := i.issuers.fetch(ctx, i.url)
	now := i.issuers.now()
	old := i.keys.Load()
	pause := fetchInterval
	if err == nil {
		set.fetched = now
		set.inherit(old)
		i.keys.Store(set)
		old = set
	}

	i.mu.Lock()
	if old != nil && old.age(now) <= maxKeysAge {
		i.failures = 0
	} else {
		pause = min(firstBackoff<<i.failures, fetchInterval)
		i.failures = min(i.failures+1, 6)
	}
	i.next = now.Add(pause)
	i.fetch = nil
	i.mu.Unlock()
	close(f.done)

	if err != nil {
		i.issuers.log.Warn("keys of issuer not fetched", "issuer", i.url, "error", err, "again", pause)
	}
}

// fetch asks an issuer for its keys: its configuration says where they are.
func (i *Issuers) fetch(ctx context.Context, issuer string) (*keySet, error) {
	text, err := i.get(ctx, strings.TrimSuffix(issuer, "/")+discoveryPath)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	from, err := keysURL(text, issuer)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if text, err = i.get(ctx, from); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	set, err := parseKeys(text, i.now())
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return set, nil
}

// keysURL returns where the configuration of an issuer says that its keys are. It
// must be the configuration of that very issuer.
func keysURL(configuration, issuer string) (string, error) {
	root, err := jsontree.Read(configuration, jsontree.Limits{What: "the configuration", Length: maxIssuerJSON, Depth: 8})
	if err != nil {
		return "", err
	}
	if said, _ := stringMember(root, "issuer"); said != issuer {
		return "", errors.New("it is that of another issuer")
	}
	from, _ := stringMember(root, "jwks_uri")
	if err := checkURL(from); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	return from, nil
}

// checkURL says why keys must not be fetched from a URL, or nil if they may: they
// come by https, or by http from this machine, where nobody can change them on the
// way. Which addresses may be reached is decided when one is dialed.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errors.New("not a URL with a host and without a user")
	}
	host := strings.ToLower(u.Hostname())
	ip, err := netip.ParseAddr(host)
	here := host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !here) {
		return errors.New("neither https, nor http to this machine")
	}
	return nil
}

// get returns what a URL answers with 200. A redirect is an answer like any other.
func (i *Issuers) get(ctx context.Context, from string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", "application/json")
	// There is no proxy, and no connection is kept for the next fetch, minutes later. A
	// transport of its own lets the connection be given up with the fetch: on its own
	// a transport goes on dialing, for the sake of a later request.
	transport := http.Transport{
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			return i.dial(ctx, network, address)
		},
		TLSClientConfig:        i.tls,
		TLSHandshakeTimeout:    fetchTimeout,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", errors.New("the answer has status " + strconv.Itoa(resp.StatusCode))
	}
	// One byte too many is enough for who reads it as JSON to refuse it.
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxIssuerJSON+1))
	return string(text), err
}
