package gateway

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A Limit is how many requests are let through: Burst at once, and Rate per second
// in the long run. One that is 0 lets nothing through.
type Limit struct {
	interval int64 // nanoseconds for one request
	capacity int64 // nanoseconds for as many as may come at once
	closed   bool
}

// maxCapacity is the longest time that an empty bucket takes to fill, some 73 years.
// It keeps the arithmetic of buckets within int64.
const maxCapacity = int64(math.MaxInt64 >> 2)

// NewLimit returns a limit of rate requests per second and burst at once. A rate at
// which a request takes less than a nanosecond lets everything through; a bucket that
// would take longer than maxCapacity to fill fills faster.
func NewLimit(rate float64, burst int) *Limit {
	if !(rate > 0) || burst <= 0 {
		return &Limit{closed: true}
	}
	l := &Limit{interval: maxCapacity / int64(burst), capacity: maxCapacity}
	if ns := math.Round(float64(time.Second) / rate); ns < float64(l.interval) {
		l.interval = int64(ns)
	}
	if l.interval > 0 {
		l.capacity = l.interval * int64(burst)
	}
	return l
}

// A bucket is a token bucket in one word: when it will be full again, in nanoseconds
// since the server started. A bucket that has been full for long says a time that is
// past. So it fills without anybody looking at it, and is taken from without a lock.
// It starts full.
type bucket struct {
	full  atomic.Int64
	limit *Limit // what full was computed with; guarded by buckets.mu
}

// take takes a token at a time and reports whether there was one.
func (b *bucket) take(l *Limit, now int64) bool {
	if l.closed {
		return false
	}
	for {
		full := b.full.Load()
		next := max(full, now) + l.interval
		if next-now > l.capacity {
			return false
		}
		if b.full.CompareAndSwap(full, next) {
			return true
		}
	}
}

// adjust makes the bucket that of another limit: as many requests as were missing
// from it still are, or all of a smaller burst. A bucket that was full stays full. A
// limit that is closed lets nothing be taken, and so says nothing about the bucket.
func (b *bucket) adjust(l *Limit, now int64) {
	old := b.limit
	if l.closed || old == l {
		return
	}
	b.limit = l
	if old == nil || *old == *l || old.interval == 0 || l.interval == 0 {
		return
	}
	for {
		full := b.full.Load()
		if full <= now {
			return
		}
		missing := float64(full-now) / float64(old.interval)
		next := now + l.capacity
		if missing < float64(l.capacity/l.interval) {
			next = now + int64(missing*float64(l.interval))
		}
		if b.full.CompareAndSwap(full, next) {
			return
		}
	}
}

// A bucketKey says what a bucket belongs to.
type bucketKey struct{ stage, route string }

// buckets hands out the buckets of routes. They outlive snapshots: a deployment
// gives nobody fresh tokens.
type buckets struct {
	mu    sync.Mutex // guards byAPI
	byAPI map[string]map[bucketKey]*bucket
}

// A bucketCell remembers the bucket of a route, like a meterCell.
type bucketCell = atomic.Pointer[bucket]

func (b *buckets) resolve(cell *bucketCell, api string, k bucketKey, l *Limit) *bucket {
	if found := cell.Load(); found != nil {
		return found
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byAPI == nil {
		b.byAPI = map[string]map[bucketKey]*bucket{}
	}
	if b.byAPI[api] == nil {
		b.byAPI[api] = map[bucketKey]*bucket{}
	}
	found := b.byAPI[api][k]
	if found == nil {
		found = new(bucket)
		found.adjust(l, 0)
		b.byAPI[api][k] = found
	}
	cell.Store(found)
	return found
}

// sweep drops the buckets of what next no longer has, and makes the others those of
// its limits.
func (b *buckets) sweep(old, next *Snapshot, now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, known := range b.byAPI {
		api := next.API(id)
		if api != nil && api == old.API(id) {
			continue
		}
		for k, bucket := range known {
			switch r := api.route(k); {
			case r == nil:
				delete(known, k)
			case r.Limit != nil:
				bucket.adjust(r.Limit, now)
			}
		}
		if len(known) == 0 {
			delete(b.byAPI, id)
		}
	}
}

// route returns the route that a bucket belongs to, or nil. The API may be nil.
func (a *API) route(k bucketKey) *Route {
	if a == nil || a.Stages[k.stage] == nil {
		return nil
	}
	for _, r := range a.Stages[k.stage].Routes {
		if r.Key == k.route {
			return r
		}
	}
	return nil
}

// A Throttled says which bucket had no token for an exchange.
type Throttled uint8

// The buckets, in the order in which they are asked.
const (
	NotThrottled Throttled = iota
	ThrottledByAccount
	ThrottledByRoute
)

func (t Throttled) String() string { return [...]string{"", "account", "route"}[t] }

// throttle takes a token from the bucket of the account and, once the route is
// known, from that of the route.
func (x *Exchange) throttle() error {
	if err := x.ThrottleAccount(); err != nil {
		return err
	}
	return x.ThrottleRoute()
}

// ThrottleAccount takes a token from the bucket of the account. The error is 429.
func (x *Exchange) ThrottleAccount() error {
	s := x.server
	x.throttles = true
	if s.limit != nil && !s.bucket.take(s.limit, int64(x.Start.Sub(s.epoch))) {
		x.Throttled = ThrottledByAccount
		return because(errTooMany, "the account has used up its requests")
	}
	return nil
}

// ThrottleRoute takes a token from the bucket of the route, if it has one. The error is
// 429.
func (x *Exchange) ThrottleRoute() error {
	if x.Route == nil || x.Route.Limit == nil {
		return nil
	}
	s := x.server
	now := int64(x.Start.Sub(s.epoch))
	if !s.buckets.resolve(&x.Route.bucket, x.API.ID, bucketKey{x.Stage.Name, x.Route.Key}, x.Route.Limit).take(x.Route.Limit, now) {
		x.Throttled = ThrottledByRoute
		return because(errTooMany, "the route has used up its requests")
	}
	return nil
}

// A Bucket is a token bucket of somebody else's, for what no route or account counts. It
// may be used by many goroutines.
type Bucket struct {
	bucket bucket
	limit  *Limit
	epoch  time.Time
}

// NewBucket returns a full bucket.
func NewBucket(l *Limit) *Bucket { return &Bucket{limit: l, epoch: time.Now()} }

// Take takes a token and reports whether there was one. A nil Bucket has any number.
func (b *Bucket) Take(now time.Time) bool {
	return b == nil || b.bucket.take(b.limit, int64(now.Sub(b.epoch)))
}
