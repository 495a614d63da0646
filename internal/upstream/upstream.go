// Package upstream says where private integrations lead. The ARN of a listener or of a
// Cloud Map service stands for a group of instances, which a Source finds: a fixed list,
// DNS, or a registry of services. A request goes to one instance of the group.
//
//	r := upstream.New([]upstream.Entry{{
//		Match:  "arn:aws:elasticloadbalancing:*:*:listener/app/orders/*",
//		Source: func(upstream.Ref) (upstream.Source, error) { return upstream.Static(targets), nil },
//		Health: &upstream.Health{Path: "/healthz"},
//	}}, upstream.Options{})
//	u, err := r.Upstream(ref)
//
// Of two instances, chosen at random by weight, the one with fewer requests under way in
// proportion to its weight is taken. An instance is out of the way while its health checks
// fail, and for some time after requests to it have failed. Two rules keep a group from
// being emptied by mistake: at most a share of it is ejected for failed requests, and when
// nothing but ejected instances is left, these are used. What health checks say holds: if
// they fail for all instances, there is no endpoint.
package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"penstock/internal/integration"
)

// An Entry says where some ARNs lead.
type Entry struct {
	// Match is a pattern of whole ARNs, in which * stands for any characters, / and :
	// among them, and ? for one.
	Match string
	// Source returns what finds the instances. It connects to nothing itself.
	Source func(Ref) (Source, error)
	// FiltersItself says that the source finds only instances with the attributes of the
	// Ref. Otherwise the others are left out here.
	FiltersItself bool
	// Filterable says that the instances have attributes. If they have none, a Ref with
	// attributes leads nowhere.
	Filterable bool
	// Health says how instances are checked; nil is not at all.
	Health *Health
	// Ejection says which failed requests put an instance out of the way.
	Ejection Ejection
}

// Check returns an error that names the field that is wrong.
func (e *Entry) Check() error {
	switch {
	case e.Match == "":
		return errors.New(`match: it is missing; "arn:*" matches every ARN`)
	case e.Source == nil:
		return errors.New("nothing says what finds the instances")
	}
	if e.Health != nil {
		if err := e.Health.check(); err != nil {
			return fmt.Errorf("health.%w", err)
		}
	}
	if err := e.Ejection.check(); err != nil {
		return fmt.Errorf("ejection.%w", err)
	}
	return nil
}

// Options are what all groups share. Zero values take the defaults.
type Options struct {
	// Logger hears of changes of groups. Default slog.Default.
	Logger *slog.Logger
	// DialContext connects health checks. Default: net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs verify instances in health checks over TLS. Default: those of the system.
	RootCAs *x509.CertPool
	// Checks is how many health checks run at one time. Default 64.
	Checks int
	// Wait is how long after a group began requests wait for its first list of instances.
	// Default 1 s.
	Wait time.Duration
}

// A Registry has the groups that integrations refer to.
type Registry struct {
	entries []Entry
	wrong   []error // what Check says of each of entries
	options Options
	// checks has room for each health check under way.
	checks chan struct{}
	// random chooses between instances.
	random func() uint64

	ended sync.WaitGroup // what groups have started

	mu     sync.Mutex // guards the fields below
	groups map[string]*entry
	closed bool
}

// An entry is a group and the handle that integrations hold of it.
type entry struct {
	group  *group
	handle weak.Pointer[handle]
}

// A handle is a group as integrations hold it. The group ends some time after the last
// integration that holds the handle is gone: the next garbage collection notices.
type handle struct {
	*group
}

// New returns a Registry; Close ends what it has started. The entries are in the order in
// which they are looked at. One that Check refuses leads nowhere.
func New(entries []Entry, o Options) *Registry {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.DialContext == nil {
		o.DialContext = new(net.Dialer).DialContext
	}
	if o.Checks <= 0 {
		o.Checks = 64
	}
	if o.Wait <= 0 {
		o.Wait = time.Second
	}
	r := &Registry{
		entries: make([]Entry, len(entries)),
		options: o,
		checks:  make(chan struct{}, o.Checks),
		random:  rand.Uint64,
		groups:  map[string]*entry{},
	}
	for i, e := range entries {
		r.wrong = append(r.wrong, e.Check())
		if e.Health != nil {
			e.Health = new(e.Health.withDefaults())
		}
		e.Ejection = e.Ejection.withDefaults()
		r.entries[i] = e
	}
	return r
}

// Close ends all groups and waits until nothing of them runs.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	groups := r.groups
	r.groups = nil
	r.mu.Unlock()
	for _, e := range groups {
		e.group.stop()
	}
	r.ended.Wait()
}

// Upstream returns the upstream that a reference leads to, and begins to find its
// instances. Equal references have the same one as long as somebody holds it. The error
// wraps integration.ErrNoUpstream.
func (r *Registry) Upstream(ref Ref) (integration.Upstream, error) {
	at := r.match(ref.ARN)
	if at < 0 {
		return nil, fmt.Errorf("%w: no entry of upstreams in the configuration matches %s", integration.ErrNoUpstream, ref.ARN)
	}
	e := &r.entries[at]
	switch {
	case r.wrong[at] != nil:
		return nil, fmt.Errorf("%w: the entry %q of upstreams: %w", integration.ErrNoUpstream, e.Match, r.wrong[at])
	case len(ref.Attributes) > 0 && !e.Filterable && !e.FiltersItself:
		return nil, fmt.Errorf("%w: %s asks for attributes, but the instances of the entry %q of upstreams have none", integration.ErrNoUpstream, ref, e.Match)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("%w: upstreams are closed", integration.ErrNoUpstream)
	}
	key := ref.String()
	if e := r.groups[key]; e != nil {
		if h := e.handle.Value(); h != nil {
			return h, nil
		}
	}
	source, err := e.Source(ref)
	if err != nil {
		return nil, fmt.Errorf("%w: the entry %q of upstreams: %w", integration.ErrNoUpstream, e.Match, err)
	}
	g := newGroup(r, e, ref, key)
	h := &handle{group: g}
	r.groups[key] = &entry{group: g, handle: weak.Make(h)}
	runtime.AddCleanup(h, r.forget, g)
	g.start(source)
	return h, nil
}

// forget ends a group that no integration refers to any more.
func (r *Registry) forget(g *group) {
	r.mu.Lock()
	closed := r.closed
	if e := r.groups[g.key]; e != nil && e.group == g {
		delete(r.groups, g.key)
	}
	r.mu.Unlock()
	if !closed {
		g.stop()
	}
}

// match returns the index of the first entry for an ARN, and -1 if there is none.
func (r *Registry) match(arn string) int {
	return slices.IndexFunc(r.entries, func(e Entry) bool { return glob(e.Match, arn) })
}

// glob reports whether a pattern matches all of s. It takes no more steps than the product
// of both lengths.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // the last * and what it stands for up to
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
