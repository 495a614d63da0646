package gateway

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// granted returns which of the times, in milliseconds, get a token, as a text of "y"
// and "n".
func granted(b *bucket, l *Limit, ms ...float64) string {
	var got strings.Builder
	for _, at := range ms {
		if b.take(l, int64(at*float64(time.Millisecond))) {
			got.WriteByte('y')
		} else {
			got.WriteByte('n')
		}
	}
	return got.String()
}

// TestBucket: a bucket starts full, holds no more than a burst, and gets a token when
// it is due, not before.
func TestBucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rate  float64
		burst int
		ms    []float64
		want  string
	}{
		{"burst", 1, 2, []float64{0, 0, 0, 0}, "yynn"},
		{"refills", 1, 2, []float64{0, 0, 0, 999, 1000, 1000, 1999, 2000, 2001}, "yynnynnyn"},
		{"no more than the burst", 1, 2, []float64{0, 0, 1e6, 1e6, 1e6}, "yyyyn"},
		{"a refusal takes nothing", 1, 1, []float64{0, 1, 2, 3, 999, 1000}, "ynnnny"},
		{"half a token is none", 0.5, 1, []float64{0, 1000, 1999, 2000, 3999, 4000}, "ynnyny"},
		{"two tokens a burst of one", 2, 1, []float64{0, 0, 499, 500, 999, 1000}, "ynnyny"},
		{"late start", 1, 2, []float64{5000, 5000, 5000, 6000, 6000}, "yynyn"},
		{"between two tokens", 1, 2, []float64{0, 500, 500, 1000, 1000, 1499, 2000}, "yynynny"},
		{"rate 3", 3, 1, []float64{0, 333, 333.4, 666, 666.8, 1000, 1000.2}, "ynynyny"},
		{"rate 10000", 10000, 1, []float64{0, 0.0999, 0.1, 0.15, 0.2}, "ynyny"},
		{"a day for one", 1.0 / 86400, 1, []float64{0, 3600e3, 86399e3, 86400e3, 86401e3}, "ynnyn"},
		{"no burst", 1, 0, []float64{0, 1e6}, "nn"},
		{"no rate", 0, 5, []float64{0, 1e6}, "nn"},
		{"nothing", 0, 0, []float64{0, 1e6}, "nn"},
		{"negative burst", 5, -1, []float64{0, 1e6}, "nn"},
		{"negative rate", -5, 1, []float64{0, 1e6}, "nn"},
		{"no number", math.NaN(), 1, []float64{0, 1e6}, "nn"},
		{"less than nothing at all", math.Inf(-1), 1, []float64{0, 1e6}, "nn"},
		{"any number", math.Inf(1), 1, []float64{0, 0, 0, 1, 1, 0}, "yyyyyy"},
		{"more than one a nanosecond", 1e12, 1, []float64{0, 0, 0, 1, 1, 0}, "yyyyyy"},
		{"smallest rate", math.SmallestNonzeroFloat64, 2, []float64{0, 0, 0, 1e12}, "yynn"},
		{"smallest rate, large burst", math.SmallestNonzeroFloat64, math.MaxInt64, []float64{0, 0, 0}, "yyy"},
		{"largest of both", math.MaxFloat64, math.MaxInt64, []float64{0, 0, 0}, "yyy"},
		{"largest burst", 1, math.MaxInt64, []float64{0, 0, 0, 1e9}, "yyyy"},
	} {
		if got := granted(new(bucket), NewLimit(tt.rate, tt.burst), tt.ms...); got != tt.want {
			t.Errorf("%s: rate %v, burst %d, at %v: got %s, want %s", tt.name, tt.rate, tt.burst, tt.ms, got, tt.want)
		}
	}
}

// TestBucketCounts: over any time, a bucket that is asked all the time grants the
// burst and what has come in since.
func TestBucketCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rate  float64
		burst int
		step  time.Duration
		for_  time.Duration
		want  int
	}{
		{1, 2, 10 * time.Millisecond, 10 * time.Second, 12},
		{3, 5, time.Millisecond, 10 * time.Second, 35},
		{0.5, 1, 10 * time.Millisecond, 20 * time.Second, 11},
		{10000, 5000, 10 * time.Microsecond, time.Second, 15000},
		{7, 1, time.Millisecond, 10 * time.Second, 70}, // the last is due a moment later
		{1000, 1, 100 * time.Microsecond, time.Second, 1001},
		{100000, 10, time.Microsecond, 100 * time.Millisecond, 10010},
	} {
		b, l, n := new(bucket), NewLimit(tt.rate, tt.burst), 0
		for at := time.Duration(0); at <= tt.for_; at += tt.step {
			if b.take(l, int64(at)) {
				n++
			}
		}
		if n != tt.want {
			t.Errorf("rate %v, burst %d: %d in %v, want %d", tt.rate, tt.burst, n, tt.for_, tt.want)
		}
	}
}

// TestBucketOfManyTakers: however many ask at one instant, a burst of them is let
// through.
func TestBucketOfManyTakers(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{1, 7, 100, 5000} {
		var b bucket
		l := NewLimit(1, burst)
		for round := range 3 {
			now := int64(round) * int64(burst) * int64(time.Second) // full again
			var n atomic.Int64
			var takers sync.WaitGroup
			start := make(chan struct{})
			for range 16 {
				takers.Go(func() {
					<-start
					for range burst/8 + 2 {
						if b.take(l, now) {
							n.Add(1)
						}
					}
				})
			}
			close(start)
			takers.Wait()
			if int(n.Load()) != burst {
				t.Errorf("burst %d, round %d: %d were let through", burst, round, n.Load())
			}
		}
	}
}

// TestBucketOfManyTakersInTime: takers whose clocks were read in another order than
// they come get no more than one who comes in order.
func TestBucketOfManyTakersInTime(t *testing.T) {
	t.Parallel()
	const rate, burst, steps = 1000, 10, 2000
	var b bucket
	l := NewLimit(rate, burst)
	var clock, n atomic.Int64
	var takers sync.WaitGroup
	for range 8 {
		takers.Go(func() {
			for {
				step := clock.Add(1)
				if step > steps {
					return
				}
				if b.take(l, step*int64(100*time.Microsecond)) {
					n.Add(1)
				}
			}
		})
	}
	takers.Wait()
	if most := int64(steps/10 + burst); n.Load() > most || n.Load() < most/2 {
		t.Errorf("%d were let through, want at most %d", n.Load(), most)
	}
}

// TestBucketKeepsWhatIsMissing: under another limit, as many requests are missing as
// before, and it fills at the new rate.
func TestBucketKeepsWhatIsMissing(t *testing.T) {
	t.Parallel()
	const second = int64(time.Second)
	for _, tt := range []struct {
		name         string
		rate         float64
		burst, taken int
		then         *Limit
		at           float64 // milliseconds, the limit changes there
		ms           []float64
		want         string
	}{
		{"same", 1, 2, 2, NewLimit(1, 2), 0, []float64{0, 999, 1000}, "nny"},
		{"faster", 1, 5, 5, NewLimit(10, 5), 0, []float64{0, 99, 100, 100, 200, 10000, 10000, 10000, 10000, 10000, 10000}, "nnynyyyyyyn"},
		{"slower", 10, 5, 5, NewLimit(1, 5), 0, []float64{0, 500, 999, 1000, 1001}, "nnnyn"},
		{"larger", 1, 2, 2, NewLimit(1, 5), 0, []float64{0, 0, 0, 0}, "yyyn"},
		{"smaller", 1, 10, 5, NewLimit(1, 2), 0, []float64{0, 999, 1000, 2000, 3000}, "nnyyy"},
		{"smaller and slower", 10, 10, 10, NewLimit(0.5, 1), 0, []float64{0, 1999, 2000}, "nny"},
		{"drained for an hour, then opened", 1, 5000, 5000, NewLimit(1000, 5000), 1, []float64{1, 2.1, 2.1, 3.1}, "nyny"},
		{"full stays full", 1, 2, 2, NewLimit(1, 5), 5000, []float64{5000, 5000, 5000, 5000, 5000, 5000}, "yyyyyn"},
		{"closed", 1, 2, 1, NewLimit(0, 2), 0, []float64{0, 9000}, "nn"},
		{"to any number", 1, 2, 2, NewLimit(math.Inf(1), 1), 0, []float64{0, 0, 0}, "yyy"},
		{"largest", 1, math.MaxInt64, 3, NewLimit(math.SmallestNonzeroFloat64, math.MaxInt64), 0, []float64{0, 0}, "yy"},
	} {
		var b bucket
		before := NewLimit(tt.rate, tt.burst)
		b.adjust(before, 0)
		for range tt.taken {
			if !b.take(before, 0) {
				t.Fatalf("%s: no token", tt.name)
			}
		}
		b.adjust(tt.then, int64(tt.at*1e6))
		b.adjust(tt.then, int64(tt.at*1e6)) // a second time changes nothing
		if got := granted(&b, tt.then, tt.ms...); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	// Closing and opening again is no refill.
	var b bucket
	l := NewLimit(1, 2)
	b.adjust(l, 0)
	b.take(l, 0)
	b.take(l, 0)
	b.adjust(NewLimit(0, 0), 0)
	b.adjust(NewLimit(1, 2), second/2)
	if got := granted(&b, l, 500, 999, 1000); got != "nny" {
		t.Errorf("closed and opened: got %s", got)
	}
}

// BenchmarkBucketTake takes tokens of a bucket that has enough, and of one that is
// empty.
func BenchmarkBucketTake(b *testing.B) {
	for name, l := range map[string]*Limit{"granted": NewLimit(1e9, 1<<40), "refused": NewLimit(1e-3, 1)} {
		b.Run(name, func(b *testing.B) {
			var one bucket
			b.ReportAllocs()
			now := int64(0)
			for b.Loop() {
				now++
				one.take(l, now)
			}
		})
		b.Run(fmt.Sprint(name, "/parallel"), func(b *testing.B) {
			var one bucket
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					one.take(l, 1)
				}
			})
		})
	}
}
