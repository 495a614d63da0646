package upstream

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A GroupStatus is what is known of one upstream.
type GroupStatus struct {
	// Ref is what integrations refer to it by, and Match the entry that it is found with.
	Ref, Match string
	// Updated is when the last list came; the zero time if there was none.
	Updated time.Time
	// Failure is why there is no newer list, "" if nothing failed since.
	Failure string
	// Panicking says that ejected instances are used for want of others.
	Panicking bool
	// Instances are those with the attributes that the Ref asks for.
	Instances []InstanceStatus
}

// A State is whether requests go to an instance.
type State string

// The states of instances.
const (
	Healthy   State = "healthy"
	Unhealthy State = "unhealthy" // its health checks fail
	Ejected   State = "ejected"   // requests to it have failed
)

// An InstanceStatus is what is known of one instance.
type InstanceStatus struct {
	Address    string
	TLS        bool
	Weight     int
	Attributes map[string]string
	State      State
	// Reason is what the last failed health check said, if the instance is not healthy or
	// has failed since.
	Reason string
	// Until is when an ejected instance is used again, and InARow how often it has been
	// ejected without a success in between.
	Until  time.Time
	InARow int
	// InFlight is how many requests are under way to it.
	InFlight int
}

// Status returns what is known of all upstreams that integrations refer to, sorted.
func (r *Registry) Status() []GroupStatus {
	r.mu.Lock()
	groups := make([]*group, 0, len(r.groups))
	for _, e := range r.groups {
		groups = append(groups, e.group)
	}
	r.mu.Unlock()
	slices.SortFunc(groups, func(a, b *group) int { return cmp.Compare(a.key, b.key) })
	status := make([]GroupStatus, len(groups))
	for i, g := range groups {
		status[i] = g.status()
	}
	return status
}

func (g *group) status() GroupStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := GroupStatus{Ref: g.key, Match: g.entry.Match, Updated: g.updated, Panicking: g.current.Load().panicking}
	if g.failure != nil {
		s.Failure = g.failure.Error()
	}
	for _, m := range g.members {
		i := InstanceStatus{
			Address: m.key.String(), TLS: m.tls, Weight: int(m.weight), Attributes: maps.Clone(m.attributes),
			State: Healthy, InARow: int(m.row.Load()), InFlight: int(m.inFlight.Load()),
		}
		if m.why != nil {
			i.Reason = m.why.Error()
		}
		switch {
		case m.down:
			i.State = Unhealthy
		case m.ejected.Load():
			i.State, i.Until = Ejected, m.until
		}
		s.Instances = append(s.Instances, i)
	}
	return s
}
