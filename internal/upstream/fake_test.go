package upstream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"penstock/internal/integration"
)

// A feed is a source that a test drives. It does what is sent to it, in order.
type feed struct {
	lists chan []Instance
	fails chan error
	end   chan error
	// over is closed when Run has returned.
	over chan struct{}
}

func newFeed() *feed {
	return &feed{lists: make(chan []Instance), fails: make(chan error), end: make(chan error), over: make(chan struct{})}
}

func (f *feed) Run(ctx context.Context, update func([]Instance), failed func(error)) error {
	defer close(f.over)
	for {
		select {
		case <-ctx.Done():
			return nil
		case l := <-f.lists:
			update(l)
		case err := <-f.fails:
			failed(err)
		case err := <-f.end:
			return err
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// seeded returns random numbers that are the same in each run.
func seeded() func() uint64 { return rand.New(rand.NewPCG(7, 11)).Uint64 }

const testARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/orders/1/2"

// open returns the group of a registry with one entry that a source feeds. The handle is
// for runtime.KeepAlive: in a bubble of synctest no cleanup may do anything.
func open(t *testing.T, e Entry, source Source, attributes map[string]string) (*Registry, *handle) {
	t.Helper()
	e.Match = cmpOr(e.Match, "arn:*")
	e.Source = func(Ref) (Source, error) { return source, nil }
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	r := New([]Entry{e}, Options{Logger: quiet()})
	r.random = seeded()
	u, err := r.Upstream(Ref{ARN: testARN, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return r, u.(*handle)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// hosts returns instances with these names. "b*3" has the weight 3.
func hosts(names ...string) []Instance {
	var list []Instance
	for _, n := range names {
		name, weight, _ := strings.Cut(n, "*")
		i := Instance{Host: name, Port: 80}
		for _, c := range weight {
			i.Weight = i.Weight*10 + int(c-'0')
		}
		list = append(list, i)
	}
	return list
}

// fixed returns a group of instances that stay, without goroutines or timers for lists.
func fixed(t testing.TB, e Entry, list []Instance) *group {
	t.Helper()
	e.Match = "arn:*"
	r := New([]Entry{e}, Options{Logger: quiet()})
	r.random = seeded()
	g := newGroup(r, &r.entries[0], Ref{ARN: testARN}, testARN)
	f := newFeed()
	g.start(f)
	g.update(t.Context(), list)
	t.Cleanup(func() {
		g.stop()
		r.ended.Wait()
	})
	return g
}

// spread says how many of n picks each host gets, each request being done before the next.
func spread(t *testing.T, u integration.Upstream, n int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for range n {
		e, err := u.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		counts[e.Host]++
		u.Done(e, integration.Outcome{})
	}
	return counts
}

// reached returns the hosts that requests go to.
func reached(t *testing.T, u integration.Upstream) string {
	t.Helper()
	return strings.Join(slices.Sorted(maps.Keys(spread(t, u, 200))), " ")
}

// hit has a request to a host end in some way. It is an error if none is chosen.
func hit(t *testing.T, u integration.Upstream, host string, o integration.Outcome) {
	t.Helper()
	for range 1000 {
		e, err := u.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Host == host {
			u.Done(e, o)
			return
		}
		u.Done(e, integration.Outcome{})
	}
	t.Fatalf("no request went to %s", host)
}

// state returns what Status says of a host.
func state(t *testing.T, r *Registry, host string) InstanceStatus {
	t.Helper()
	for _, g := range r.Status() {
		for _, i := range g.Instances {
			if strings.HasPrefix(i.Address, host+":") {
				return i
			}
		}
	}
	t.Fatalf("there is no %s in %+v", host, r.Status())
	return InstanceStatus{}
}

var (
	good        = integration.Outcome{Status: 200}
	unreachable = integration.Outcome{Unreachable: true}
	failing     = integration.Outcome{Failed: true}
	errTest     = errors.New("the registry is down")
)
