package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/internal/integration"
)

// maxInstances is how many instances a group has at most; those beyond are left out. It is
// more than a service of Cloud Map may have.
const maxInstances = 4096

// maxWeight bounds weights, so that sums of them do not overflow. It is the largest one of
// SRV records.
const maxWeight = 65535

// A group is the members of one upstream, for as long as integrations refer to it.
type group struct {
	registry  *Registry
	entry     *Entry
	ref       Ref
	key       string // the text of ref
	log       *slog.Logger
	transport *http.Transport // of health checks; nil if there are none over HTTP

	current atomic.Pointer[roll]

	mu      sync.Mutex // guards the fields below
	members []*member  // in the order of the list
	found   int        // how long the list was, those without the attributes included
	invalid int        // how many of it were no instances
	known   bool       // there was a list
	updated time.Time
	failure error // why the list could not be found out; nil if it could
	first   chan struct{}
	waiting *time.Timer // closes first
	stopped bool
	cancel  context.CancelFunc // ends what the group has started
}

func newGroup(r *Registry, e *Entry, ref Ref, key string) *group {
	g := &group{registry: r, entry: e, ref: ref, key: key, log: r.options.Logger.With("upstream", key), first: make(chan struct{})}
	if e.Health != nil && e.Health.Path != "" {
		g.transport = newTransport(&r.options, e.Health)
	}
	first := newRoll(nil, nil)
	first.first = g.first
	g.current.Store(first)
	return g
}

// start begins to find instances.
func (g *group) start(source Source) {
	ctx, cancel := context.WithCancel(context.Background())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel = cancel
	g.waiting = time.AfterFunc(g.registry.options.Wait, g.waited)
	g.registry.ended.Go(func() {
		err := source.Run(ctx, func(list []Instance) { g.update(ctx, list) }, g.failed)
		if err != nil && ctx.Err() == nil {
			g.ended(err)
		}
	})
}

// stop ends the group. It does not wait.
func (g *group) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	g.stopped = true
	g.cancel()
	g.waiting.Stop()
	for _, m := range g.members {
		g.leave(m)
	}
	g.members = nil
	g.turn()
}

// waited lets requests go that have waited for the first list for long enough.
func (g *group) waited() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first != nil && !g.stopped {
		g.turn()
	}
}

// Pick implements integration.Upstream. In the first second of the group it waits for the
// first list; at other times it waits for nothing.
func (g *group) Pick(tried []*integration.Endpoint) (*integration.Endpoint, error) {
	r := g.current.Load()
	if r.first != nil {
		<-r.first
		r = g.current.Load()
	}
	m := r.pick(g.registry.random, tried)
	if m == nil {
		return nil, r.err
	}
	m.inFlight.Add(1)
	return &m.endpoint, nil
}

// Done implements integration.Upstream.
func (g *group) Done(e *integration.Endpoint, o integration.Outcome) {
	m, ok := e.Member.(*member)
	if !ok {
		return // nothing that Pick has returned
	}
	m.inFlight.Add(-1)
	g.judge(m, o)
}

// update takes a list. Members that are in it stay as they are, others come and go.
func (g *group) update(ctx context.Context, list []Instance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	before := make(map[key]*member, len(g.members))
	for _, m := range g.members {
		before[m.key] = m
	}
	members := make([]*member, 0, min(len(list), maxInstances))
	seen := make(map[key]bool, cap(members))
	came, invalid := 0, 0
	for i := range list {
		in := &list[i]
		k := key{strings.ToLower(in.Host), in.Port, in.TLS}
		switch {
		case !validHost(in.Host) || in.Port == 0:
			invalid++
			continue
		case !g.entry.FiltersItself && !g.ref.matches(in), seen[k], len(members) == maxInstances:
			continue
		}
		seen[k] = true
		m := before[k]
		if m == nil {
			m = newMember(k)
			came++
			g.watch(ctx, m)
		}
		delete(before, k)
		m.weight, m.attributes = uint32(min(max(in.Weight, 1), maxWeight)), in.Attributes
		members = append(members, m)
	}
	for _, m := range before {
		g.leave(m)
	}
	switch {
	case invalid > 0 && invalid != g.invalid:
		g.log.Warn("instances without a valid host and port are left out", "instances", invalid)
	case len(members) == maxInstances && len(list) > maxInstances && len(list) != g.found:
		g.log.Warn("the upstream has more instances than are used", "instances", len(list), "used", maxInstances)
	}
	if g.failure != nil {
		g.log.Info("the instances of the upstream are found again")
	}
	if came > 0 || len(before) > 0 || !g.known {
		g.log.Info("the upstream has changed", "instances", len(members), "added", came, "removed", len(before))
	}
	g.members, g.found, g.invalid, g.known, g.updated, g.failure = members, len(list), invalid, true, time.Now(), nil
	g.turn()
}

// leave takes leave of a member: nothing checks it or brings it back any more. What is under
// way to it goes on.
func (g *group) leave(m *member) {
	if m.unwatch != nil {
		m.unwatch()
	}
	if m.back != nil {
		m.back.Stop()
	}
}

// failed hears that the list could not be found out.
func (g *group) failed(err error) {
	if err == nil {
		err = errors.New("the source does not say why")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	if g.failure == nil || g.failure.Error() != err.Error() {
		g.log.Warn("the instances of the upstream cannot be found", "error", err, "instances", len(g.members))
	}
	g.failure = err
	if !g.known && g.first == nil {
		g.turn() // requests hear of the new reason
	}
}

// ended hears that the source has given up.
func (g *group) ended(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	g.log.Error("the upstream is not looked for any more", "error", err, "instances", len(g.members))
	g.failure = err
	g.turn()
}

// turn shows requests what the group has now. g.mu is held.
func (g *group) turn() {
	before := g.current.Load()
	r := newRoll(g.members, g.without())
	if r.panicking && !before.panicking {
		g.log.Warn("all instances that health checks leave have been ejected: they are used", "instances", len(r.open))
	}
	if !before.same(r) {
		g.current.Store(r)
	}
	if g.first != nil {
		close(g.first)
		g.first = nil
		g.waiting.Stop()
	}
}

// without returns why the group has nothing that a request could go to; it means nothing if
// it has. g.mu is held.
func (g *group) without() error {
	no := integration.ErrNoEndpoint
	switch {
	case g.stopped:
		return fmt.Errorf("%w: %s is closed", no, g.key)
	case len(g.members) > 0:
		if why := g.members[0].why; why != nil && len(g.members) == 1 {
			return fmt.Errorf("%w: the health check of the only instance of %s fails: %w", no, g.key, why)
		}
		return fmt.Errorf("%w: the health checks of all %d instances of %s fail", no, len(g.members), g.key)
	case g.known && g.found > 0:
		return fmt.Errorf("%w: none of the %d instances of %s is valid and has the attributes asked for", no, g.found, g.key)
	case g.known:
		return fmt.Errorf("%w: %s has no instances", no, g.key)
	case g.failure != nil:
		return fmt.Errorf("%w: the instances of %s cannot be found: %w", no, g.key, g.failure)
	}
	return fmt.Errorf("%w: the instances of %s are not known yet", no, g.key)
}

// same reports whether a request finds the same in both rolls.
func (r *roll) same(o *roll) bool {
	return r.first == nil && r.panicking == o.panicking && len(r.open) > 0 && len(o.open) > 0 &&
		slices.Equal(r.open, o.open) && slices.Equal(r.spare, o.spare)
}
