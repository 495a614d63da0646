package upstream

import (
	"fmt"
	"math"
	"testing"

	"penstock/internal/integration"
)

// While nothing is under way, requests are spread by weight. The numbers are the same in each
// run.
func TestWeights(t *testing.T) {
	t.Parallel()
	const n = 40000
	for _, tt := range []struct {
		members []string
		share   map[string]float64
	}{
		{[]string{"a"}, map[string]float64{"a": 1}},
		{[]string{"a", "b", "c"}, map[string]float64{"a": 1. / 3, "b": 1. / 3, "c": 1. / 3}},
		{[]string{"a*1", "b*3"}, map[string]float64{"a": .25, "b": .75}},
		{[]string{"a*100", "b", "c*99"}, map[string]float64{"a": .5, "b": .005, "c": .495}},
		{[]string{"a*999999999", "b*65535"}, map[string]float64{"a": .5, "b": .5}},
	} {
		g := fixed(t, Entry{}, hosts(tt.members...))
		counts := spread(t, g, n)
		for host, share := range tt.share {
			// Five standard deviations.
			if got, want := float64(counts[host]), share*n; math.Abs(got-want) > 5*math.Sqrt(n*share*(1-share)) {
				t.Errorf("%v: %s got %v requests, want about %v", tt.members, host, got, want)
			}
		}
	}
}

// Requests that stay make members busy in proportion to their weights, much more evenly than
// chance would: each has at most a few more than its share.
func TestBusyMembers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		weights func(i int) int
	}{
		{"equal", func(int) int { return 1 }},
		{"uneven", func(i int) int { return 1 + i%4 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const members, requests = 20, 2000
			var list []Instance
			total := 0
			for i := range members {
				list = append(list, Instance{Host: fmt.Sprintf("h%d", i), Port: 80, Weight: tt.weights(i)})
				total += tt.weights(i)
			}
			g := fixed(t, Entry{}, list)
			for range requests {
				if _, err := g.Pick(nil); err != nil {
					t.Fatal(err)
				}
			}
			for _, i := range g.status().Instances {
				want := float64(requests*i.Weight) / float64(total)
				if math.Abs(float64(i.InFlight)-want) > .08*want+2 {
					t.Errorf("%s with weight %d has %d requests, want about %.0f", i.Address, i.Weight, i.InFlight, want)
				}
			}
		})
	}
}

// A slow member gets fewer requests than the others.
func TestSlowMember(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{}, hosts("slow", "b", "c"))
	counts := map[string]int{}
	type request struct {
		e    *integration.Endpoint
		ends int
	}
	var under []request
	for now := range 3000 {
		for i := 0; i < len(under); {
			if under[i].ends > now {
				i++
				continue
			}
			g.Done(under[i].e, good)
			under[i] = under[len(under)-1]
			under = under[:len(under)-1]
		}
		e, err := g.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		counts[e.Host]++
		under = append(under, request{e, now + map[bool]int{true: 40, false: 4}[e.Host == "slow"]})
	}
	if counts["slow"] > 450 {
		t.Errorf("%v: the slow one gets more than 15 of 100", counts)
	}
}

func TestTried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		members []string
		ejected []string
		tried   []string
		want    string
	}{
		{"one of two", []string{"a", "b"}, nil, []string{"a"}, "b"},
		{"two of three", []string{"a", "b", "c"}, nil, []string{"a", "c"}, "b"},
		{"the heavy one", []string{"a*60000", "b", "c"}, nil, []string{"a"}, "b c"},
		{"all", []string{"a", "b"}, nil, []string{"a", "b"}, "a b"},
		{"the only one", []string{"a"}, nil, []string{"a"}, "a"},
		{"all but one that is ejected", []string{"a", "b", "c"}, []string{"c"}, []string{"a", "b"}, "c"},
		{"one, with one ejected", []string{"a", "b", "c"}, []string{"c"}, []string{"a"}, "b"},
		{"all, with one ejected", []string{"a", "b", "c"}, []string{"c"}, []string{"a", "b", "c"}, "a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := fixed(t, Entry{}, hosts(tt.members...))
			var tried []*integration.Endpoint
			for _, host := range tt.tried {
				for _, m := range g.members {
					if m.host == host {
						tried = append(tried, &m.endpoint)
					}
				}
			}
			for _, host := range tt.ejected {
				hit(t, g, host, unreachable)
				hit(t, g, host, unreachable)
			}
			if got := reached(t, retry{g, tried}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A retry is a group whose requests have all tried the same members.
type retry struct {
	*group
	tried []*integration.Endpoint
}

func (r retry) Pick([]*integration.Endpoint) (*integration.Endpoint, error) {
	return r.group.Pick(r.tried)
}

func TestPickDoesNotAllocate(t *testing.T) {
	g := fixed(t, Entry{}, hosts("a", "b*2", "c"))
	e, _ := g.Pick(nil)
	tried := []*integration.Endpoint{e}
	if n := testing.AllocsPerRun(1000, func() {
		a, _ := g.Pick(nil)
		b, _ := g.Pick(tried)
		g.Done(a, good)
		g.Done(b, integration.Outcome{})
	}); n != 0 {
		t.Errorf("a request allocates %v times", n)
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{1, 3, 100} {
		for _, weighted := range []bool{false, true} {
			name := fmt.Sprintf("members=%d", n)
			if weighted {
				name += "/weighted"
			}
			var list []Instance
			for i := range n {
				in := Instance{Host: fmt.Sprintf("h%d", i), Port: 80, Weight: 1}
				if weighted {
					in.Weight += i
				}
				list = append(list, in)
			}
			b.Run(name, func(b *testing.B) {
				g := fixed(b, Entry{}, list)
				g.registry.random = New(nil, Options{}).random
				b.ReportAllocs()
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						e, err := g.Pick(nil)
						if err != nil {
							b.Error(err)
							return
						}
						g.Done(e, good)
					}
				})
			})
		}
	}
}

// BenchmarkPickAlone is the cost without others.
func BenchmarkPickAlone(b *testing.B) {
	g := fixed(b, Entry{}, hosts("a", "b", "c"))
	g.registry.random = New(nil, Options{}).random
	b.ReportAllocs()
	for b.Loop() {
		e, _ := g.Pick(nil)
		g.Done(e, good)
	}
}
