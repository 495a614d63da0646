package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"penstock/internal/store"
)

const writers = 32

// each runs f in as many goroutines as there are writers.
func each(f func(i int)) {
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// Writers to one API lose nothing, and lists that are read meanwhile hold what
// exists the whole time exactly once.
func TestConcurrentWritesToOneAPI(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.call(201, "POST", api+"/stages", `{"stageName":"shared"}`)
	stay := map[string]bool{}
	for range 10 {
		stay[s.integration(api)] = true
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				seen := map[string]int{}
				for token := ""; ; {
					r := s.do("GET", api+"/integrations?maxResults=4&nextToken="+token, "")
					page := decodeText(r.body)
					for _, item := range page["items"].([]any) {
						seen[id(item.(map[string]any), "integrationId")]++
					}
					if token = id(page, "nextToken"); token == "" {
						break
					}
				}
				for integration := range stay {
					if seen[integration] != 1 {
						t.Errorf("%s is listed %d times", integration, seen[integration])
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	each(func(i int) {
		for range 3 {
			created := s.do("POST", api+"/integrations", httpProxy)
			path := api + "/integrations/" + id(decodeText(created.body), "integrationId")
			if r := s.do("PATCH", path, fmt.Sprintf(`{"description":"%d"}`, i)); r.status != 200 {
				t.Errorf("update: %d %s", r.status, r.body)
			}
			if r := s.do("GET", path, ""); !strings.Contains(r.body, fmt.Sprintf(`"description":"%d"`, i)) {
				t.Errorf("read %s after writing %d", r.body, i)
			}
			if r := s.do("DELETE", path, ""); r.status != 204 {
				t.Errorf("delete: %d %s", r.status, r.body)
			}
		}
		if r := s.do("PATCH", api+"/stages/shared", fmt.Sprintf(`{"stageVariables":{"v%d":"x"}}`, i)); r.status != 200 {
			t.Errorf("stage: %d %s", r.status, r.body)
		}
	})
	close(done)
	readers.Wait()
	if left := s.list(api + "/integrations?maxResults=500"); len(left) != len(stay) {
		t.Errorf("%d integrations are left, want %d", len(left), len(stay))
	}
	if variables := s.call(200, "GET", api+"/stages/shared", "")["stageVariables"].(map[string]any); len(variables) != writers {
		t.Errorf("%d stage variables, want %d: an update is lost", len(variables), writers)
	}
	if len(s.server.locks.held) != 0 {
		t.Errorf("%d locks are left", len(s.server.locks.held))
	}
}

func TestConcurrentWritesToManyAPIs(t *testing.T) {
	s := newTester(t)
	each(func(i int) {
		created := s.do("POST", "/v2/apis", fmt.Sprintf(`{"name":"n%d","protocolType":"HTTP","target":"https://example.com"}`, i))
		api := "/v2/apis/" + id(decodeText(created.body), "apiId")
		for j := range 3 {
			if r := s.do("POST", api+"/routes", fmt.Sprintf(`{"routeKey":"GET /%d"}`, j)); r.status != 201 {
				t.Errorf("route: %d %s", r.status, r.body)
			}
		}
	})
	apis := s.list("/v2/apis?maxResults=5")
	if len(apis) != writers {
		t.Errorf("%d APIs, want %d", len(apis), writers)
	}
	for _, api := range apis {
		if n := len(s.list("/v2/apis/" + id(api, "apiId") + "/routes?maxResults=2")); n != 4 {
			t.Errorf("%d routes, want 4", n)
		}
	}
}

// Of many who create the same route, one does.
func TestConcurrentDuplicates(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	var created, refused atomic.Int32
	each(func(int) {
		switch s.do("POST", api+"/routes", `{"routeKey":"GET /a"}`).status {
		case 201:
			created.Add(1)
		case 409:
			refused.Add(1)
		}
	})
	if created.Load() != 1 || refused.Load() != writers-1 {
		t.Errorf("%d created, %d refused", created.Load(), refused.Load())
	}
}

// Two servers over one store, as two nodes: nothing is lost, and each reads what
// the other has written.
func TestTwoServers(t *testing.T) {
	a := newTester(t)
	b := &tester{t, New(a.server.Options), a.store}
	api := a.api("HTTP")
	a.call(201, "POST", api+"/stages", `{"stageName":"shared"}`)
	each(func(i int) {
		node := []*tester{a, b}[i%2]
		if r := node.do("PATCH", api+"/stages/shared", fmt.Sprintf(`{"stageVariables":{"v%d":"x"}}`, i)); r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	for _, node := range []*tester{a, b} {
		if variables := node.call(200, "GET", api+"/stages/shared", "")["stageVariables"].(map[string]any); len(variables) != writers {
			t.Errorf("%d stage variables, want %d", len(variables), writers)
		}
	}
	a.call(204, "DELETE", api, "")
	b.refuse(404, "Invalid API identifier specified 123456789012:"+strings.TrimPrefix(api, "/v2/apis/"), "GET", api, "")
}

// decodeText reads an answer in a goroutine that cannot end the test.
func decodeText(text string) map[string]any {
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		panic(fmt.Sprintf("%v in %q", err, text))
	}
	return out
}

// rival makes a change of its own before every commit, as another node would.
type rival struct {
	store.Store
	key  string
	left int
}

func (r *rival) Append(ctx context.Context, b store.Batch) (store.Commit, error) {
	if doc, ok := r.Get(r.key); ok && r.left > 0 {
		r.left--
		data := strings.Replace(string(doc.Data), `"name":"n`, `"name":"nn`, 1)
		if _, err := r.Store.Append(ctx, store.Batch{Changes: []store.Change{{Key: r.key, Data: []byte(data)}}}); err != nil {
			return store.Commit{}, err
		}
	}
	return r.Store.Append(ctx, b)
}

func TestEditIsMadeAgain(t *testing.T) {
	var r *rival
	s := newTester(t, func(o *Options) {
		r = &rival{Store: o.Store}
		o.Store = r
	})
	api := s.api("HTTP")
	r.key, r.left = "api."+strings.TrimPrefix(api, "/v2/apis/"), 3
	s.shows(s.call(200, "PATCH", api, `{"description":"d"}`), `{"description":"d","name":"nnnn"}`)
	r.left = maxAttempts
	got := s.do("PATCH", api, `{"description":"e"}`)
	if want := `{"message":"Unable to complete operation due to concurrent modification. Please try again later."}`; got.status != 409 || got.body != want {
		t.Errorf("got %d %s", got.status, got.body)
	}
	s.shows(s.call(200, "GET", api, ""), `{"description":"d"}`)
}

// publisher records what it is asked to wait for.
type publisher struct {
	waited []uint64
	err    error
}

func (p *publisher) Wait(_ context.Context, rev uint64) error {
	p.waited = append(p.waited, rev)
	return p.err
}

// An answer to a write comes after this node serves it; reads, refusals and writes
// that change nothing wait for nothing.
func TestWritesWaitForThePublisher(t *testing.T) {
	p := &publisher{}
	s := newTester(t, func(o *Options) { o.Publisher = p })
	api := s.api("HTTP")
	s.call(200, "PATCH", api, `{"name":"m"}`)
	s.call(200, "PATCH", api, `{"name":"m"}`)
	s.call(200, "GET", api, "")
	s.call(404, "GET", "/v2/apis/zzzzzzzzzz", "")
	s.call(204, "DELETE", api, "")
	if fmt.Sprint(p.waited) != "[1 2 3]" {
		t.Errorf("waited for %v, want 1, 2 and 3", p.waited)
	}
	p.err = store.ErrClosed
	if r := s.do("POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`); r.status != 500 || r.body != `{"message":"Internal Server Error"}` {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

// What is cached is used for the revision it was read from, and is bounded.
func TestCache(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	for i := range 20 {
		s.call(200, "PATCH", api, fmt.Sprintf(`{"name":"n%d"}`, i))
		if got := s.call(200, "GET", api, "")["name"]; got != fmt.Sprintf("n%d", i) {
			t.Fatalf("read %s after writing n%d", got, i)
		}
	}
	var c cache
	read := func(key string, rev uint64, size int) *entry {
		e, err := c.entry(store.Document{Key: key, Rev: rev, Data: make([]byte, size)}, func([]byte) (any, error) { return "", nil })
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	second := read("a", 2, maxCached/2)
	if e := read("a", 1, 1); e.rev != 1 {
		t.Errorf("revision %d for someone who has read 1", e.rev)
	}
	if e := read("a", 2, maxCached/2); e != second {
		t.Error("an older revision has taken the place of a newer one")
	}
	read("b", 3, maxCached)
	if c.bytes != maxCached || len(c.entries) != 1 {
		t.Errorf("%d bytes in %d entries", c.bytes, len(c.entries))
	}
	c.drop("b")
	if c.bytes != 0 {
		t.Errorf("%d bytes are left", c.bytes)
	}
}

func TestLockGivesUp(t *testing.T) {
	var l locks
	unlock, err := l.lock(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.lock(ctx, "k"); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	unlock()
	if len(l.held) != 0 {
		t.Error("a lock is left")
	}
}

// full is a store that takes no more.
type full struct{ store.Store }

func (full) Append(context.Context, store.Batch) (store.Commit, error) {
	return store.Commit{}, errors.New("no space left on device")
}

// When the store fails, the caller hears of an internal error and no more; reads
// go on.
func TestStoreFaults(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.server.Store = full{s.store}
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`},
		{"PATCH", api, `{"name":"m"}`},
		{"POST", api + "/integrations", httpProxy},
		{"DELETE", api, ""},
	} {
		if r := s.do(tt.method, tt.path, tt.body); r.status != 500 || r.body != `{"message":"Internal Server Error"}` {
			t.Errorf("%s %s: got %d %s", tt.method, tt.path, r.status, r.body)
		}
	}
	s.shows(s.call(200, "GET", api, ""), `{"name":"n"}`)

	// A document that cannot be read is an internal error of its own API alone.
	s.server.Store = s.store
	damaged := store.Batch{Changes: []store.Change{{Key: "api.damaged", Data: []byte(`{"api":`)}}}
	if _, err := s.store.Append(t.Context(), damaged); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/v2/apis/damaged", ""},
		{"GET", "/v2/apis/damaged/routes", ""},
		{"PATCH", "/v2/apis/damaged", `{"name":"m"}`},
		{"DELETE", "/v2/apis/damaged/cors", ""},
	} {
		if r := s.do(tt.method, tt.path, tt.body); r.status != 500 {
			t.Errorf("%s %s: got %d %s", tt.method, tt.path, r.status, r.body)
		}
	}
	s.call(200, "PATCH", api, `{"name":"m"}`)
}
