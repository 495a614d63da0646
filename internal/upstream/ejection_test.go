package upstream

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
)

func TestEjection(t *testing.T) {
	t.Parallel()
	status := func(n int) integration.Outcome { return integration.Outcome{Status: n} }
	for _, tt := range []struct {
		name     string
		ejection Ejection
		outcomes []integration.Outcome
		want     bool
	}{
		{"one without a connection", Ejection{}, []integration.Outcome{unreachable}, false},
		{"two without a connection", Ejection{}, []integration.Outcome{unreachable, unreachable}, true},
		{"two with a success in between", Ejection{}, []integration.Outcome{unreachable, good, unreachable}, false},
		{"two with a client that left in between", Ejection{}, []integration.Outcome{unreachable, {}, unreachable}, true},
		{"four failures", Ejection{}, []integration.Outcome{failing, status(502), status(503), status(504)}, false},
		{"five failures", Ejection{}, []integration.Outcome{failing, status(502), status(503), status(504), {Failed: true, Status: 200}}, true},
		{"other statuses", Ejection{Failures: 1}, []integration.Outcome{status(500), status(501), status(429), status(404)}, false},
		{"the first failure", Ejection{Failures: 1}, []integration.Outcome{failing}, true},
		{"off", Ejection{Off: true, Failures: 1}, []integration.Outcome{unreachable, unreachable, unreachable}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := fixed(t, Entry{Ejection: tt.ejection}, hosts("a", "b"))
			for _, o := range tt.outcomes {
				hit(t, g, "a", o)
			}
			want := "a b"
			if tt.want {
				want = "b"
			}
			if got := reached(t, g); got != want {
				t.Errorf("requests go to %q, want %q", got, want)
			}
		})
	}
}

// Ejections in a row take longer and longer; after one, a single failure is enough, and a
// success starts all over.
func TestEjectionTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		r, u := open(t, Entry{Ejection: Ejection{Max: 25 * time.Second}}, f, nil)
		f.lists <- hosts("a", "b")
		synctest.Wait()
		ejected := func(want time.Duration) {
			t.Helper()
			if s := state(t, r, "a"); s.State != Ejected || time.Until(s.Until) != want {
				t.Fatalf("got %+v, want an ejection of %v", s, want)
			}
			time.Sleep(want - time.Millisecond)
			if got := reached(t, u); got != "b" {
				t.Fatalf("in the ejection of %v requests go to %q", want, got)
			}
			time.Sleep(2 * time.Millisecond)
			if got := reached(t, u); got != "a b" {
				t.Fatalf("after the ejection of %v requests go to %q", want, got)
			}
		}
		hit(t, u, "a", unreachable)
		hit(t, u, "a", unreachable)
		ejected(10 * time.Second)
		hit(t, u, "a", failing)
		ejected(20 * time.Second)
		hit(t, u, "a", failing)
		ejected(25 * time.Second)
		hit(t, u, "a", good)
		hit(t, u, "a", unreachable)
		if got := reached(t, u); got != "a b" {
			t.Fatalf("one failure after a success ejects: %q", got)
		}
		hit(t, u, "a", unreachable)
		ejected(10 * time.Second)
		r.Close()
		runtime.KeepAlive(u)
	})
}

// Requests that were sent before an ejection do not make it longer, nor shorter.
func TestLateOutcomes(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{}, hosts("a", "b"))
	var late []*integration.Endpoint
	for len(late) < 20 {
		e, err := g.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Host == "a" {
			late = append(late, e)
		}
	}
	for i, e := range late {
		o := unreachable
		if i == 19 {
			o = good
		}
		g.Done(e, o)
	}
	if s := g.status().Instances[0]; s.State != Ejected || s.InARow != 1 || s.InFlight != 0 {
		t.Errorf("got %+v, want one ejection", s)
	}
}

func TestEjectedShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		percent int
		members []string
		want    int // how many are ejected when all fail
	}{
		{"all but one", 0, []string{"a", "b", "c", "d"}, 3},
		{"half", 50, []string{"a", "b", "c", "d"}, 2},
		{"less than one", 10, []string{"a", "b", "c", "d"}, 0},
		{"the only one", 100, []string{"a"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := fixed(t, Entry{Ejection: Ejection{Percent: tt.percent}}, hosts(tt.members...))
			for range 200 {
				e, err := g.Pick(nil)
				if err != nil {
					t.Fatal(err)
				}
				g.Done(e, unreachable)
			}
			n := 0
			for _, i := range g.status().Instances {
				if i.State == Ejected {
					n++
				}
			}
			if n != tt.want {
				t.Errorf("%d are ejected, want %d", n, tt.want)
			}
		})
	}
}

// When health checks take the last member that was not ejected, those ejected are used; and
// when they fail too, none.
func TestPanic(t *testing.T) {
	t.Parallel()
	g := fixed(t, Entry{Health: &Health{Interval: time.Hour, Unhealthy: 1}}, hosts("a", "b"))
	members := g.members
	hit(t, g, "a", unreachable)
	hit(t, g, "a", unreachable)
	if got := reached(t, g); got != "b" {
		t.Fatalf("requests go to %q, want b", got)
	}
	g.checked(members[1], errTest)
	if got := reached(t, g); got != "a" || !g.status().Panicking {
		t.Errorf("requests go to %q, want a in panic: %+v", got, g.status())
	}
	g.checked(members[0], errTest)
	if _, err := g.Pick(nil); err == nil {
		t.Error("members whose health checks fail are used")
	}
	g.checked(members[1], nil)
	if got := reached(t, g); got != "b" || g.status().Panicking {
		t.Errorf("requests go to %q, want b without panic: %+v", got, g.status())
	}
}

// A member that a list removes while it is ejected is forgotten: when it returns, it is new.
func TestEjectedIsRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		r, u := open(t, Entry{}, f, nil)
		f.lists <- hosts("a", "b")
		synctest.Wait()
		hit(t, u, "a", unreachable)
		hit(t, u, "a", unreachable)
		f.lists <- hosts("b")
		f.lists <- hosts("a", "b")
		synctest.Wait()
		if got := reached(t, u); got != "a b" {
			t.Errorf("requests go to %q", got)
		}
		time.Sleep(time.Minute)
		if s := state(t, r, "a"); s.State != Healthy || s.InARow != 0 {
			t.Errorf("got %+v", s)
		}
		r.Close()
		runtime.KeepAlive(u)
	})
}
