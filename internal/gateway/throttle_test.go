package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted answers 200 and counts how often.
type counted struct{ n atomic.Int64 }

func (c *counted) Invoke(x *Exchange) error {
	c.n.Add(1)
	x.Response = Response{Status: http.StatusOK}
	return nil
}

// empty is the transport of an exchange without a body.
type empty struct{}

func (empty) readBody(*Exchange, int64, int64) error { return nil }

// refusing lets nobody through.
type refusing struct{}

func (refusing) Authorize(*Exchange) error { return Unauthorized("", errors.New("no")) }

// limits are the routes of a stage with their limits.
type limits map[string]*Limit

// limitedAPI returns an API "a" with a stage, whose routes all lead to one
// integration.
func limitedAPI(t testing.TB, in Integration, stages map[string]limits) *API {
	t.Helper()
	a := &API{ID: "a", Stages: map[string]*Stage{}}
	for name, routes := range stages {
		s := &Stage{APIID: "a", Name: name}
		var all []*Route
		for key, l := range routes {
			all = append(all, &Route{Key: key, Integration: in, Limit: l})
		}
		s.lead(t, all...)
		a.Stages[name] = s
	}
	return a
}

const limitedHost = "a.execute-api.us-east-1.localhost"

// limitedServer returns a server that serves an API.
func limitedServer(account *Limit, a *API) *Server {
	s := NewServer(Config{Region: "us-east-1", Suffixes: []string{"localhost"}, Limit: account})
	s.Publish(NewSnapshot(1, []*API{a}))
	return s
}

// ask serves a request such as "GET /x" that came some time after the server had
// started, and returns the status of the answer.
func (s *Server) ask(line string, after time.Duration) int {
	x := &Exchange{server: s, transport: empty{}, ID: "id", Start: s.epoch.Add(after)}
	x.Request.Host, x.Request.Minor = limitedHost, 1
	x.Request.Method, x.Request.Path, _ = strings.Cut(line, " ")
	s.handle(x, nil)
	return x.Response.Status
}

// askAll serves requests one after the other.
func (s *Server) askAll(after time.Duration, lines ...string) (statuses []int) {
	for _, line := range lines {
		statuses = append(statuses, s.ask(line, after))
	}
	return statuses
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	each := func(l *Limit) limits { return limits{"GET /a": l, "GET /b": NewLimit(1, 2)} }
	for _, tt := range []struct {
		name    string
		account *Limit
		stages  map[string]limits
		lines   []string
		want    []int
	}{
		{"149", nil, map[string]limits{"$default": each(NewLimit(1, 2))}, []string{"GET /a", "GET /a", "GET /a", "GET /a"}, []int{200, 200, 429, 429}},
		{"149 each route has its own", nil, map[string]limits{"$default": each(NewLimit(1, 2))}, []string{"GET /a", "GET /b", "GET /a", "GET /b", "GET /a", "GET /b"}, []int{200, 200, 200, 200, 429, 429}},
		{"149 each stage has its own", nil, map[string]limits{"$default": each(NewLimit(1, 1)), "live": each(NewLimit(1, 1))}, []string{"GET /a", "GET /live/a", "GET /a", "GET /live/a"}, []int{200, 200, 429, 429}},
		{"150", nil, map[string]limits{"$default": each(NewLimit(5, 0))}, []string{"GET /a", "GET /b"}, []int{429, 200}},
		{"150 rate", nil, map[string]limits{"$default": each(NewLimit(0, 5))}, []string{"GET /a", "GET /b"}, []int{429, 200}},
		{"151", nil, map[string]limits{"$default": each(nil)}, []string{"GET /a", "GET /a", "GET /a", "GET /a"}, []int{200, 200, 200, 200}},
		{"account", NewLimit(1, 2), map[string]limits{"$default": each(nil)}, []string{"GET /a", "GET /a", "GET /a"}, []int{200, 200, 429}},
		{"account is shared", NewLimit(1, 2), map[string]limits{"$default": each(nil), "live": each(nil)}, []string{"GET /a", "GET /live/b", "GET /live/a", "GET /b"}, []int{200, 200, 429, 429}},
		{"unmatched uses the account's", NewLimit(1, 2), map[string]limits{"$default": each(nil)}, []string{"GET /nope", "PUT /a", "GET /a"}, []int{404, 404, 429}},
		{"unmatched is refused", NewLimit(1, 1), map[string]limits{"$default": each(nil)}, []string{"GET /a", "GET /nope"}, []int{200, 429}},
		{"unmatched does not use a route's", nil, map[string]limits{"$default": each(NewLimit(1, 1))}, []string{"GET /nope", "POST /a", "GET /a"}, []int{404, 404, 200}},
		{"closed account", NewLimit(0, 0), map[string]limits{"$default": each(nil)}, []string{"GET /a", "GET /nope"}, []int{429, 429}},
		{"no stage, no token", NewLimit(1, 1), map[string]limits{"live": each(nil)}, []string{"GET /nope", "GET /nope", "GET /live/a"}, []int{404, 404, 200}},
		{"both must grant", NewLimit(1, 3), map[string]limits{"$default": each(NewLimit(1, 1))}, []string{"GET /a", "GET /a", "GET /b", "GET /b"}, []int{200, 429, 200, 429}},
	} {
		in := &counted{}
		s := limitedServer(tt.account, limitedAPI(t, in, tt.stages))
		if got := s.askAll(0, tt.lines...); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q: got %v, want %v", tt.name, tt.lines, got, tt.want)
		}
		served := 0
		for _, status := range tt.want {
			if status == 200 {
				served++
			}
		}
		if int(in.n.Load()) != served {
			t.Errorf("%s: the integration was called %d times, want %d", tt.name, in.n.Load(), served)
		}
	}
}

// TestThrottleOrder: the account comes before the route, so that a request it refuses
// takes nothing of the route's; and both before an authorizer.
func TestThrottleOrder(t *testing.T) {
	t.Parallel()
	a := limitedAPI(t, &counted{}, map[string]limits{"$default": {"GET /a": NewLimit(1, 3)}})
	s := limitedServer(NewLimit(1, 1), a)
	by := func(after time.Duration) (int, Throttled) {
		x := &Exchange{server: s, transport: empty{}, Start: s.epoch.Add(after)}
		x.Request = Request{Method: "GET", Path: "/a", Host: limitedHost}
		s.handle(x, nil)
		return x.Response.Status, x.Throttled
	}
	for i, tt := range []struct {
		after  time.Duration
		status int
		by     Throttled
	}{
		{0, 200, NotThrottled}, {0, 429, ThrottledByAccount}, {0, 429, ThrottledByAccount}, {0, 429, ThrottledByAccount}, {0, 429, ThrottledByAccount},
		{time.Second, 200, NotThrottled}, {2 * time.Second, 200, NotThrottled}, {3 * time.Second, 200, NotThrottled},
	} {
		if status, by := by(tt.after); status != tt.status || by != tt.by {
			t.Errorf("request %d: status %d by %q, want %d by %q", i, status, by, tt.status, tt.by)
		}
	}

	// 152: a caller without a token learns of the limit first.
	a = limitedAPI(t, &counted{}, map[string]limits{"$default": {"GET /a": NewLimit(1, 1)}})
	a.Stages["$default"].Routes[0].AuthorizationType, a.Stages["$default"].Routes[0].Authorizer = "JWT", refusing{}
	s = limitedServer(nil, a)
	if got := s.askAll(0, "GET /a", "GET /a"); !slices.Equal(got, []int{401, 429}) {
		t.Errorf("got %v, want 401 and 429", got)
	}
}

// TestThrottleOutlivesSnapshots: publishing gives nobody fresh tokens, unless the
// route or its stage was gone in between.
func TestThrottleOutlivesSnapshots(t *testing.T) {
	t.Parallel()
	in := &counted{}
	api := func(l *Limit) *API {
		return limitedAPI(t, in, map[string]limits{"$default": {"GET /a": l, "GET /b": l}, "live": {"GET /a": l}})
	}
	s := limitedServer(nil, api(NewLimit(1, 2)))
	lines := []string{"GET /a", "GET /a", "GET /a", "GET /live/a", "GET /live/a", "GET /live/a"}
	if got := s.askAll(0, lines...); !slices.Equal(got, []int{200, 200, 429, 200, 200, 429}) {
		t.Fatalf("got %v", got)
	}
	for revision := range uint64(5) {
		s.Publish(NewSnapshot(revision+2, []*API{api(NewLimit(1, 2))}))
		if got := s.askAll(0, "GET /a", "GET /live/a"); !slices.Equal(got, []int{429, 429}) {
			t.Errorf("after snapshot %d: got %v", revision+2, got)
		}
	}
	// An API that did not change, beside one that did.
	s.Publish(s.Snapshot().With(9, map[string]*API{"b": {ID: "b"}}, nil))
	if got := s.ask("GET /a", 0); got != 429 {
		t.Errorf("beside another API: status %d", got)
	}
	// A new limit takes over what is missing, and fills at its own rate.
	s.Publish(NewSnapshot(10, []*API{api(NewLimit(1000, 2))}))
	if got := []int{s.ask("GET /a", 0), s.ask("GET /a", time.Second), s.ask("GET /a", time.Second), s.ask("GET /a", time.Second)}; !slices.Equal(got, []int{429, 200, 200, 429}) {
		t.Errorf("under a new limit: %v", got)
	}
	// No limit, and then the same one again.
	s.Publish(NewSnapshot(11, []*API{api(nil)}))
	if got := s.ask("GET /a", time.Second); got != 200 {
		t.Errorf("without a limit: status %d", got)
	}
	s.Publish(NewSnapshot(12, []*API{api(NewLimit(1000, 2))}))
	if got := s.ask("GET /a", time.Second); got != 429 {
		t.Errorf("limited again: status %d", got)
	}
}

// known returns how many buckets of routes there are.
func (b *buckets) known() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, of := range b.byAPI {
		n += len(of)
	}
	return n
}

// TestThrottleSweeps: buckets go with their routes, stages and APIs.
func TestThrottleSweeps(t *testing.T) {
	t.Parallel()
	in := &counted{}
	l := NewLimit(1, 1)
	api := func(stages map[string]limits) *API { return limitedAPI(t, in, stages) }
	s := limitedServer(nil, api(map[string]limits{"$default": {"GET /a": l, "GET /b": l, "GET /c": nil}, "live": {"GET /a": l}}))
	s.askAll(0, "GET /a", "GET /b", "GET /c", "GET /live/a", "GET /nope")
	for _, tt := range []struct {
		name string
		apis []*API
		want int
	}{
		{"the same", []*API{s.Snapshot().API("a")}, 3},
		{"all of it again", []*API{api(map[string]limits{"$default": {"GET /a": l, "GET /b": l}, "live": {"GET /a": l}})}, 3},
		{"a route less", []*API{api(map[string]limits{"$default": {"GET /a": l}, "live": {"GET /a": l}})}, 2},
		{"a stage less", []*API{api(map[string]limits{"$default": {"GET /a": l}})}, 1},
		{"no API", nil, 0},
	} {
		s.Publish(NewSnapshot(s.Snapshot().Revision+1, tt.apis))
		if n := s.buckets.known(); n != tt.want {
			t.Errorf("%s: %d buckets, want %d", tt.name, n, tt.want)
		}
	}
	if len(s.buckets.byAPI) != 0 {
		t.Errorf("left: %v", s.buckets.byAPI)
	}
	// A route that was gone is a new one.
	s.Publish(NewSnapshot(99, []*API{api(map[string]limits{"$default": {"GET /a": l}})}))
	if got := s.askAll(0, "GET /a", "GET /a"); !slices.Equal(got, []int{200, 429}) {
		t.Errorf("a new route: %v", got)
	}
}

// TestThrottleUnderPublish: requests that come while snapshots change get no more
// than the burst.
func TestThrottleUnderPublish(t *testing.T) {
	t.Parallel()
	const burst = 50
	in := &counted{}
	api := func() *API {
		return limitedAPI(t, in, map[string]limits{"$default": {"GET /a": NewLimit(0.001, burst)}})
	}
	s := limitedServer(nil, api())
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for range 2 * burst {
				s.ask("GET /a", 0)
			}
		})
	}
	for revision := range uint64(50) {
		s.Publish(NewSnapshot(revision+2, []*API{api()}))
	}
	askers.Wait()
	if in.n.Load() != burst {
		t.Errorf("%d were let through, want %d", in.n.Load(), burst)
	}
}

// TestThrottleClock: what counts is the time since the server started as a clock shows
// that nobody can set. A wall clock that is set forward refills nothing.
func TestThrottleClock(t *testing.T) {
	t.Parallel()
	s := limitedServer(nil, limitedAPI(t, &counted{}, map[string]limits{"$default": {"GET /a": NewLimit(1, 1)}}))
	// The text of a time ends with its monotonic reading, which Sub uses if it is there.
	if !strings.Contains(s.epoch.String(), " m=") {
		t.Errorf("the start of the server is only a time of the wall clock: %v", s.epoch)
	}
	if got := s.askAll(0, "GET /a", "GET /a"); !slices.Equal(got, []int{200, 429}) {
		t.Errorf("got %v", got)
	}
	// And a clock that goes back takes nothing and gives nothing.
	if got := s.ask("GET /a", -time.Hour); got != 429 {
		t.Errorf("an hour before: status %d", got)
	}
	if got := s.ask("GET /a", time.Second); got != 200 {
		t.Errorf("a second later: status %d", got)
	}
}

// BenchmarkThrottle asks both buckets for an exchange, as each request does.
func BenchmarkThrottle(b *testing.B) {
	a := limitedAPI(b, &counted{}, map[string]limits{"$default": {"GET /a": NewLimit(1e9, 1<<40)}})
	s := limitedServer(NewLimit(1e9, 1<<40), a)
	x := &Exchange{server: s, API: a, Stage: a.Stages["$default"], Route: a.Stages["$default"].Routes[0], Start: s.epoch}
	b.ReportAllocs()
	for b.Loop() {
		x.Start = x.Start.Add(1)
		if err := x.throttle(); err != nil {
			b.Fatal(err)
		}
	}
}
