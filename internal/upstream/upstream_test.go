package upstream

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
)

func TestUpstreamOfRef(t *testing.T) {
	t.Parallel()
	made := func(host string) func(Ref) (Source, error) {
		return func(Ref) (Source, error) { return Static(hosts(host)), nil }
	}
	r := New([]Entry{
		{Match: "arn:aws:elasticloadbalancing:*:*:listener/app/orders/*", Source: made("orders")},
		{Match: "arn:aws:servicediscovery:*:*:service/srv-a?c", Source: made("map"), Filterable: true},
		{Match: "arn:aws:servicediscovery:*:*:service/srv-dns", Source: made("dns")},
		{Match: "arn:aws:servicediscovery:*:*:service/srv-api", Source: made("api"), FiltersItself: true},
		{Match: "arn:aws:servicediscovery:*:*:service/srv-bad", Source: func(Ref) (Source, error) { return nil, errTest }},
		{Match: "arn:aws:servicediscovery:*:*:service/srv-neg", Source: made("neg"), Health: &Health{Interval: -1}},
		{Match: "arn:aws:servicediscovery:*", Source: made("rest")},
	}, Options{Logger: quiet()})
	defer r.Close()
	const balancers, services = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/", "arn:aws:servicediscovery:eu-west-1:123456789012:service/"
	for _, tt := range []struct {
		name, uri string
		host      string
		refused   string // what the error says
		empty     string
	}{
		{name: "a listener", uri: balancers + "orders/1/2", host: "orders"},
		{name: "no entry", uri: balancers + "pay/1/2", refused: "no entry of upstreams in the configuration matches " + balancers + "pay/1/2"},
		{name: "the first match", uri: services + "srv-abc", host: "map"},
		{name: "a later match", uri: services + "srv-abcd", host: "rest"},
		{name: "attributes that nobody has", uri: services + "srv-abc?stage=prod", empty: "none of the 1 instances"},
		{name: "attributes that cannot be", uri: services + "srv-dns?stage=prod", refused: `srv-dns?stage=prod asks for attributes, but the instances of the entry "arn:aws:servicediscovery:*:*:service/srv-dns" of upstreams have none`},
		{name: "a source that filters", uri: services + "srv-api?stage=prod", host: "api"},
		{name: "a source that cannot be made", uri: services + "srv-bad", refused: errTest.Error()},
		{name: "an entry that Check refuses", uri: services + "srv-neg", refused: "health.interval"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ref, err := ParseRef(tt.uri)
			if err != nil {
				t.Fatal(err)
			}
			u, err := r.Upstream(ref)
			if tt.refused != "" {
				if !errors.Is(err, integration.ErrNoUpstream) || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("got %v, want %q", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := u.Pick(nil)
			if tt.empty != "" {
				if !errors.Is(err, integration.ErrNoEndpoint) || !strings.Contains(err.Error(), tt.empty) {
					t.Fatalf("got %v, want %q", err, tt.empty)
				}
				return
			}
			if err != nil || e.Host != tt.host {
				t.Fatalf("got %v, %v, want %s", e, err, tt.host)
			}
			u.Done(e, good)
		})
	}
}

func TestSameGroup(t *testing.T) {
	t.Parallel()
	r := New([]Entry{{Match: "*", Filterable: true, Source: func(Ref) (Source, error) { return Static(hosts("a")), nil }}}, Options{Logger: quiet()})
	defer r.Close()
	get := func(uri string) integration.Upstream {
		ref, err := ParseRef(uri)
		if err != nil {
			t.Fatal(err)
		}
		u, err := r.Upstream(ref)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	a := get(testARN + "?x=1&y=2")
	if b := get(testARN + "?y=2&x=1"); a != b {
		t.Error("equal references have two groups")
	}
	c := get(testARN + "?x=1")
	if a == c {
		t.Error("different references have one group")
	}
	if got := len(r.Status()); got != 2 {
		t.Errorf("there are %d groups, want 2", got)
	}
	runtime.KeepAlive(a)
	runtime.KeepAlive(c)
}

// A group ends when the garbage collector finds that nobody holds it, and so do the checks of
// its members. As long as somebody holds it, it does not.
func TestUnreferencedGroupEnds(t *testing.T) {
	t.Parallel()
	feeds := map[string]*feed{"held": newFeed(), "left": newFeed()}
	r := New([]Entry{{
		Match:  "*",
		Source: func(ref Ref) (Source, error) { return feeds[ref.ARN], nil },
		Health: &Health{Interval: time.Hour},
	}}, Options{Logger: quiet()})
	defer r.Close()
	held, err := r.Upstream(Ref{ARN: "held"})
	if err != nil {
		t.Fatal(err)
	}
	left, err := r.Upstream(Ref{ARN: "left"})
	if err != nil {
		t.Fatal(err)
	}
	feeds["held"].lists <- hosts("a")
	feeds["left"].lists <- hosts("a", "b")
	e, err := left.Pick(nil)
	if err != nil {
		t.Fatal(err)
	}
	left.Done(e, good)
	left = nil
	for ended := false; !ended; {
		runtime.GC()
		select {
		case <-feeds["left"].over:
			ended = true
		case <-feeds["held"].over:
			t.Fatal("a group that is held has ended")
		default:
			runtime.Gosched()
		}
	}
	if s := r.Status(); len(s) != 1 || s[0].Ref != "held" {
		t.Errorf("status: got %+v, want that of the group that is held", s)
	}
	if _, err := held.Pick(nil); err != nil {
		t.Error(err)
	}
	// It can be had again.
	feeds["left"] = newFeed()
	again, err := r.Upstream(Ref{ARN: "left"})
	if err != nil {
		t.Fatal(err)
	}
	feeds["left"].lists <- hosts("c")
	if e, err := again.Pick(nil); err != nil || e.Host != "c" {
		t.Errorf("the group that began again: got %v, %v", e, err)
	}
	runtime.KeepAlive(held)
	runtime.KeepAlive(again)
}

// Close waits for all that was started; a bubble fails if any of it is left.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		r, u := open(t, Entry{Health: &Health{}}, f, nil)
		r.options.DialContext = refuse
		f.lists <- hosts("a", "b", "c")
		synctest.Wait()
		hit(t, u, "a", unreachable)
		hit(t, u, "a", unreachable)
		r.Close()
		r.Close()
		if _, err := u.Pick(nil); !errors.Is(err, integration.ErrNoEndpoint) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("pick after Close: %v", err)
		}
		if _, err := r.Upstream(Ref{ARN: testARN}); !errors.Is(err, integration.ErrNoUpstream) {
			t.Errorf("upstream after Close: %v", err)
		}
		runtime.KeepAlive(u)
	})
}

func TestWaitForFirstList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		act    func(f *feed)
		host   string
		reason string
		waited time.Duration
	}{
		{"a list comes", func(f *feed) { time.Sleep(300 * time.Millisecond); f.lists <- hosts("a") }, "a", "", 300 * time.Millisecond},
		{"an empty list comes", func(f *feed) { time.Sleep(300 * time.Millisecond); f.lists <- nil }, "", "has no instances", 300 * time.Millisecond},
		{"nothing comes", func(*feed) {}, "", "not known yet", time.Second},
		{"it fails, then a list comes", func(f *feed) {
			f.fails <- errTest
			time.Sleep(200 * time.Millisecond)
			f.lists <- hosts("a")
		}, "a", "", 200 * time.Millisecond},
		{"it fails", func(f *feed) { f.fails <- errTest }, "", errTest.Error(), time.Second},
		{"it gives up", func(f *feed) { f.end <- errTest }, "", errTest.Error(), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFeed()
				r, u := open(t, Entry{}, f, nil)
				start := time.Now()
				go tt.act(f)
				e, err := u.Pick(nil)
				if took := time.Since(start); took != tt.waited {
					t.Errorf("it took %v, want %v", took, tt.waited)
				}
				if tt.host != "" && (err != nil || e.Host != tt.host) {
					t.Errorf("got %v, %v, want %s", e, err, tt.host)
				}
				if tt.host == "" && (!errors.Is(err, integration.ErrNoEndpoint) || !strings.Contains(err.Error(), tt.reason)) {
					t.Errorf("got %v, want %q", err, tt.reason)
				}
				// Nothing waits from now on.
				time.Sleep(time.Second)
				start = time.Now()
				u.Pick(nil)
				if took := time.Since(start); took != 0 {
					t.Errorf("a later request waited for %v", took)
				}
				r.Close()
				runtime.KeepAlive(u)
			})
		})
	}
}

// The list stays while it cannot be found out.
func TestFailureKeepsList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		r, u := open(t, Entry{}, f, nil)
		f.lists <- hosts("a")
		f.fails <- errTest
		synctest.Wait()
		if s := r.Status()[0]; s.Failure != errTest.Error() || s.Updated.IsZero() {
			t.Errorf("status: %+v", s)
		}
		if got := reached(t, u); got != "a" {
			t.Errorf("after a failure: %q", got)
		}
		f.end <- errTest
		synctest.Wait()
		if got := reached(t, u); got != "a" {
			t.Errorf("after the end: %q", got)
		}
		r.Close()
		runtime.KeepAlive(u)
	})
}

// Members keep what is known of them when lists change, unless their host, port or TLS do.
func TestIdentity(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{Filterable: true}, []Instance{{Host: "a", Port: 80}, {Host: "B", Port: 80}})
	ctx := t.Context()
	ends := func() map[string]*integration.Endpoint {
		all := map[string]*integration.Endpoint{}
		for range 200 {
			e, err := g.Pick(nil)
			if err != nil {
				t.Fatal(err)
			}
			g.Done(e, good)
			all[net.JoinHostPort(e.Host, map[bool]string{false: "", true: "tls"}[e.TLS])] = e
		}
		return all
	}
	before := ends()
	g.update(ctx, []Instance{
		{Host: "b", Port: 80, Weight: 7, Attributes: map[string]string{"x": "y"}},
		{Host: "a", Port: 80, TLS: true},
		{Host: "b", Port: 80}, // once more
		{Host: "", Port: 80}, {Host: "c"}, {Host: "no host", Port: 80},
	})
	after := ends()
	if len(after) != 2 || after["b:"] != before["b:"] || after["a:tls"] == nil || after["a:tls"] == before["a:"] {
		t.Errorf("before %v, after %v", before, after)
	}
	if s := g.status().Instances[0]; s.Weight != 7 || s.Attributes["x"] != "y" {
		t.Errorf("status: %+v", s)
	}
	g.update(ctx, nil)
	if _, err := g.Pick(nil); !errors.Is(err, integration.ErrNoEndpoint) {
		t.Errorf("the empty list: %v", err)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		r, u := open(t, Entry{Filterable: true}, f, map[string]string{"stage": "prod", "color": ""})
		f.lists <- []Instance{
			{Host: "a", Port: 80, Attributes: map[string]string{"stage": "prod", "color": "", "more": "x"}},
			{Host: "b", Port: 80, Attributes: map[string]string{"stage": "prod"}},
			{Host: "c", Port: 80, Attributes: map[string]string{"stage": "Prod", "color": ""}},
			{Host: "d", Port: 80},
		}
		synctest.Wait()
		if got := reached(t, u); got != "a" {
			t.Errorf("got %q", got)
		}
		r.Close()
		runtime.KeepAlive(u)
	})
}

// Whatever lists do meanwhile, counts return to zero, and removed members get no requests
// that begin after the list.
func TestConcurrentChanges(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{}, hosts("a", "b*2", "c", "d"))
	g.registry.random = New(nil, Options{}).random
	var mu sync.Mutex
	all := map[*integration.Endpoint]bool{}
	stop := make(chan struct{})
	var requests sync.WaitGroup
	for n := range 4 {
		requests.Go(func() {
			for i := n; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				e, err := g.Pick(nil)
				if err != nil {
					t.Error(err)
					return
				}
				var second *integration.Endpoint
				if i%3 == 0 {
					second, _ = g.Pick([]*integration.Endpoint{e})
				}
				mu.Lock()
				all[e] = true
				mu.Unlock()
				g.Done(e, []integration.Outcome{good, unreachable, failing, {}, {Status: 503}}[i%5])
				if second != nil {
					g.Done(second, good)
				}
			}
		})
	}
	lists := [][]Instance{hosts("a", "b"), hosts("b*5", "c", "d"), hosts("d"), hosts("a", "b*2", "c", "d")}
	for i := range 2000 {
		g.update(t.Context(), lists[i%len(lists)])
		runtime.Gosched()
	}
	g.update(t.Context(), hosts("b"))
	if got := reached(t, g); got != "b" {
		t.Errorf("requests still go to %q", got)
	}
	close(stop)
	requests.Wait()
	for e := range all {
		if n := e.Member.(*member).inFlight.Load(); n != 0 {
			t.Errorf("%s has %d requests under way", e.Host, n)
		}
	}
}

// An endpoint that is none of the group's changes nothing.
func TestDoneOfStranger(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{}, hosts("a"))
	g.Done(&integration.Endpoint{Host: "a", Port: 80}, unreachable)
	if s := g.status().Instances[0]; s.InFlight != 0 || s.State != Healthy {
		t.Errorf("status: %+v", s)
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a:b/c", true}, {"?", "", false}, {"?", "a", true},
		{"a*b", "ab", true}, {"a*b", "axbxb", true}, {"a*b", "axbx", false}, {"a**", "a", true},
		{"*a?c*", "xxabcabd", true}, {"a[b]", "b", false}, {"a[b]", "a[b]", true}, {"*a*a*a*a*b", strings.Repeat("a", 200), false},
	} {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q %q: got %v", tt.pattern, tt.s, got)
		}
	}
}

func TestCheckEntry(t *testing.T) {
	t.Parallel()
	source := func(Ref) (Source, error) { return Static(nil), nil }
	for _, tt := range []struct {
		name  string
		entry Entry
		want  string
	}{
		{"the least", Entry{Match: "*", Source: source, Health: &Health{}}, ""},
		{"no match", Entry{Source: source}, "match"},
		{"no source", Entry{Match: "*"}, "nothing says"},
		{"path", Entry{Match: "*", Source: source, Health: &Health{Path: "healthz"}}, "health.path"},
		{"path of another host", Entry{Match: "*", Source: source, Health: &Health{Path: "//x/y"}}, "health.path"},
		{"path with a query", Entry{Match: "*", Source: source, Health: &Health{Path: "/x?y=z"}}, ""},
		{"interval", Entry{Match: "*", Source: source, Health: &Health{Interval: time.Millisecond}}, "health.interval"},
		{"timeout", Entry{Match: "*", Source: source, Health: &Health{Timeout: time.Minute}}, "health.timeout"},
		{"unhealthy", Entry{Match: "*", Source: source, Health: &Health{Unhealthy: -1}}, "health.unhealthy"},
		{"healthy", Entry{Match: "*", Source: source, Health: &Health{Healthy: -1}}, "health.healthy"},
		{"expect", Entry{Match: "*", Source: source, Health: &Health{Expect: []Statuses{{300, 200}}}}, "health.expect"},
		{"serverName", Entry{Match: "*", Source: source, Health: &Health{ServerName: "a b"}}, "health.serverName"},
		{"host", Entry{Match: "*", Source: source, Health: &Health{Host: "a\r\nb"}}, "health.host"},
		{"failures", Entry{Match: "*", Source: source, Ejection: Ejection{Failures: -1}}, "ejection.failures"},
		{"time", Entry{Match: "*", Source: source, Ejection: Ejection{Time: -1}}, "ejection.time"},
		{"max", Entry{Match: "*", Source: source, Ejection: Ejection{Time: time.Minute, Max: time.Second}}, "ejection.max"},
		{"percent", Entry{Match: "*", Source: source, Ejection: Ejection{Percent: 101}}, "ejection.percent"},
	} {
		err := tt.entry.Check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
