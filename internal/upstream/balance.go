package upstream

import (
	"math"
	"math/bits"

	"penstock/internal/integration"
)

// A roll is the members of a group as requests see them. It does not change.
type roll struct {
	// open are the members that requests go to.
	open []choice
	// equal says that all of open have the same weight.
	equal bool
	// spare are healthy members that have been ejected. They are used when all of open have
	// been tried.
	spare []*member
	// panicking says that open are members that have been ejected, for want of others.
	panicking bool
	// err is why open is empty.
	err error
	// first is closed when requests need not wait for the first list any more. It is nil
	// in all rolls but the first.
	first chan struct{}
}

// A choice is one of the members that a number is drawn for. All numbers are as likely as
// each other; what a light member does not need of its number goes to another.
type choice struct {
	*member
	weight uint64
	// limit is how much of the number is the member's own, as a share of 2^64, and other
	// has the rest.
	limit uint64
	other int
}

// newRoll returns a roll. err is why there is no member, if there is none.
func newRoll(members []*member, err error) *roll {
	r := &roll{err: err}
	for _, m := range members {
		switch {
		case m.down:
		case m.ejected.Load():
			r.spare = append(r.spare, m)
		default:
			r.open = append(r.open, choice{member: m, weight: uint64(m.weight)})
		}
	}
	if len(r.open) == 0 && len(r.spare) > 0 {
		for _, m := range r.spare {
			r.open = append(r.open, choice{member: m, weight: uint64(m.weight)})
		}
		r.spare, r.panicking = nil, true
	}
	r.deal()
	return r
}

// deal fills in limit and other: the alias method of Vose, in integers and therefore exact.
func (r *roll) deal() {
	n := uint64(len(r.open))
	var sum uint64
	r.equal = true
	for i := range r.open {
		sum += r.open[i].weight
		r.equal = r.equal && r.open[i].weight == r.open[0].weight
	}
	// A number has as much room as all weights together: need is in proportion to that.
	need := make([]uint64, n)
	var light, heavy []int
	for i := range r.open {
		c := &r.open[i]
		c.limit, c.other = math.MaxUint64, i
		if need[i] = c.weight * n; need[i] < sum {
			light = append(light, i)
		} else {
			heavy = append(heavy, i)
		}
	}
	for len(light) > 0 && len(heavy) > 0 {
		l, h := light[len(light)-1], heavy[len(heavy)-1]
		light = light[:len(light)-1]
		r.open[l].limit, _ = bits.Div64(need[l], 0, sum)
		r.open[l].other = h
		if need[h] -= sum - need[l]; need[h] < sum {
			heavy = heavy[:len(heavy)-1]
			light = append(light, h)
		}
	}
}

// below returns a number of [0, n) for a random one.
func below(random, n uint64) uint64 {
	high, _ := bits.Mul64(random, n)
	return high
}

// draw returns the index of a member, by weight.
func (r *roll) draw(random uint64) int {
	i, rest := bits.Mul64(random, uint64(len(r.open)))
	if c := &r.open[i]; rest >= c.limit {
		return c.other
	}
	return int(i)
}

// pick returns the member that a request goes to, and nil if there is none. While nothing
// is under way, members are chosen in proportion to their weights. The second choice takes
// the place of the first if it has less to do for its weight, and would still have if it
// were given the request: the second condition keeps a heavy member that has one request
// from losing against a light one that has none.
func (r *roll) pick(random func() uint64, tried []*integration.Endpoint) *member {
	switch len(r.open) {
	case 0:
		return nil
	case 1:
		if len(tried) == 0 {
			return r.open[0].member
		}
	}
	i := r.draw(random())
	if len(tried) > 0 && isTried(r.open[i].member, tried) {
		if i = r.untried(random, tried); i < 0 {
			return r.last(random, tried)
		}
	}
	j := r.draw(random())
	if i == j && r.equal && len(r.open) > 1 {
		// Two different ones are better than one, and as likely as each other.
		if j++; j == len(r.open) {
			j = 0
		}
	}
	a, b := &r.open[i], &r.open[j]
	if i == j || len(tried) > 0 && isTried(b.member, tried) {
		return a.member
	}
	n, m := uint64(max(0, a.inFlight.Load())), uint64(max(0, b.inFlight.Load()))
	if n*b.weight > m*a.weight && (n+1)*b.weight > (m+1)*a.weight {
		return b.member
	}
	return a.member
}

// untried returns the index of a member of open that has not been tried, and -1 if all
// have.
func (r *roll) untried(random func() uint64, tried []*integration.Endpoint) int {
	for range 4 {
		if i := r.draw(random()); !isTried(r.open[i].member, tried) {
			return i
		}
	}
	// Those tried have most of the weight.
	at := int(below(random(), uint64(len(r.open))))
	for i := range r.open {
		if i += at; i >= len(r.open) {
			i -= len(r.open)
		}
		if !isTried(r.open[i].member, tried) {
			return i
		}
	}
	return -1
}

// last returns a member when all of open have been tried: one that has been ejected, and
// has not been tried, or else any.
func (r *roll) last(random func() uint64, tried []*integration.Endpoint) *member {
	if n := len(r.spare); n > 0 {
		at := int(below(random(), uint64(n)))
		for i := range n {
			if m := r.spare[(at+i)%n]; !isTried(m, tried) {
				return m
			}
		}
	}
	return r.open[r.draw(random())].member
}

// isTried reports whether a member is one of those tried, which are few.
func isTried(m *member, tried []*integration.Endpoint) bool {
	for _, e := range tried {
		if e == &m.endpoint {
			return true
		}
	}
	return false
}
