package upstream

import (
	"errors"
	"net/http"
	"time"

	"penstock/internal/integration"
)

// An Ejection says which failed requests put an instance out of the way, and for how long.
// Zero values take the defaults.
type Ejection struct {
	// Off has no instance ejected.
	Off bool
	// Failures is how many failed requests in a row eject an instance: those that were not
	// answered, or with 502, 503 or 504. One that found no connection counts for half of
	// them, so that the second ejects. Default 5.
	Failures int
	// Time is how long the first ejection takes; the second in a row takes twice as long,
	// and so on up to Max. An instance that is back is ejected by its first failure, until
	// a request to it has succeeded. Defaults 10 s, 5 min.
	Time, Max time.Duration
	// Percent is how many of a hundred healthy instances may be ejected. One stays in any
	// case. Default 100.
	Percent int
}

func (e Ejection) withDefaults() Ejection {
	if e.Failures == 0 {
		e.Failures = 5
	}
	if e.Time == 0 {
		e.Time = 10 * time.Second
	}
	if e.Max == 0 {
		e.Max = 5 * time.Minute
	}
	if e.Percent == 0 {
		e.Percent = 100
	}
	return e
}

// check returns an error that begins with the field that is wrong.
func (e Ejection) check() error {
	switch e = e.withDefaults(); {
	case e.Failures < 1 || e.Failures > 10000:
		return errors.New("failures: it is not between 1 and 10000")
	case e.Time < time.Millisecond || e.Time > time.Hour:
		return errors.New("time: it is not between 1ms and 1h")
	case e.Max < e.Time || e.Max > 24*time.Hour:
		return errors.New("max: it is not between time and 24h")
	case e.Percent < 1 || e.Percent > 100:
		return errors.New("percent: it is not between 1 and 100")
	}
	return nil
}

// judge learns from a request. It takes a lock only to eject.
func (g *group) judge(m *member, o integration.Outcome) {
	e := &g.entry.Ejection
	strikes := int32(1)
	switch {
	case e.Off:
		return
	case o.Unreachable:
		strikes = int32(e.Failures+1) / 2
	case o.Failed, o.Status == http.StatusBadGateway, o.Status == http.StatusServiceUnavailable, o.Status == http.StatusGatewayTimeout:
	case o.Status == 0:
		return // the client has left
	default:
		if m.strikes.Load() != 0 && !m.ejected.Load() {
			m.strikes.Store(0)
			m.row.Store(0)
		}
		return
	}
	// What becomes of requests that were sent before the ejection says nothing new.
	if !m.ejected.Load() && m.strikes.Add(strikes) >= int32(e.Failures) {
		g.eject(m)
	}
}

// eject puts a member out of the way, unless too many are already.
func (g *group) eject(m *member) {
	e := &g.entry.Ejection
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.ejected.Load() || m.strikes.Load() < int32(e.Failures) || !g.has(m) {
		return
	}
	healthy, ejected := 0, 0
	for _, other := range g.members {
		switch {
		case other.down:
		case other.ejected.Load():
			ejected++
			healthy++
		default:
			healthy++
		}
	}
	if !m.down && ejected >= min(healthy*e.Percent/100, healthy-1) {
		m.strikes.Store(0) // it is asked again after as many failures
		return
	}
	// A failure after the ejection is enough for the next.
	m.strikes.Store(int32(e.Failures) - 1)
	d := e.Max
	if row := m.row.Add(1); time.Duration(row) <= e.Max/e.Time {
		d = time.Duration(row) * e.Time
	}
	m.ejected.Store(true)
	m.until = time.Now().Add(d)
	m.back = time.AfterFunc(d, func() { g.readmit(m) })
	g.log.Warn("an instance is ejected, since requests to it have failed", "instance", m.key.String(), "for", d, "in_a_row", m.row.Load())
	g.turn()
}

// readmit ends an ejection.
func (g *group) readmit(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !m.ejected.Load() || !g.has(m) {
		return
	}
	m.ejected.Store(false)
	g.turn()
}

// has reports whether a member is one of the group now. g.mu is held.
func (g *group) has(m *member) bool {
	for _, other := range g.members {
		if other == m {
			return true
		}
	}
	return false
}
