package control

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/model"
	"penstock/internal/store"
)

// writersTime is how long the writers write: a second, or as many as
// PENSTOCK_WRITERS_SECONDS says.
func writersTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("PENSTOCK_WRITERS_SECONDS")
	if text == "" {
		return time.Second
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds <= 0 {
		t.Fatalf("PENSTOCK_WRITERS_SECONDS: %q is no number of seconds", text)
	}
	return time.Duration(seconds * float64(time.Second))
}

// Many writers change everything that can be changed, on one API that they share, on
// APIs of their own and on domains that lead to all of them, by one server and by two
// over one store, while others read lists. Nothing that was acknowledged is lost,
// nobody waits for ever, lists hold what is there exactly once, and no reference leads
// to what is gone, at any revision.
func TestWriters(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		t.Run(fmt.Sprintf("servers=%d", nodes), func(t *testing.T) { newWorld(t, nodes).run() })
	}
}

// An interposed store lets another node make a change just before the next commit.
type interposed struct {
	store.Store
	before func() // called once
}

func (i *interposed) Append(ctx context.Context, b store.Batch) (store.Commit, error) {
	if f := i.before; f != nil {
		i.before = nil
		f()
	}
	return i.Store.Append(ctx, b)
}

// Of two nodes of which one makes a reference and the other deletes what it leads to,
// at the very same time, one is refused, whichever comes first.
func TestReferencesAcrossServers(t *testing.T) {
	const (
		mapping = "POST /v2/domainnames/d.example.com/apimappings"
		rule    = "POST /v2/domainnames/d.example.com/routingrules"
	)
	destination := `{"apiId":"{api}","stage":"live"}`
	ruleBody := `{"priority":1,"conditions":[],"actions":[{"invokeApi":` + destination + `}]}`
	for _, tt := range []struct{ name, refers, body, deletes string }{
		{"mapping and API", mapping, destination, "DELETE /v2/apis/{api}"},
		{"mapping and stage", mapping, destination, "DELETE /v2/apis/{api}/stages/live"},
		{"rule and API", rule, ruleBody, "DELETE /v2/apis/{api}"},
		{"rule and stage", rule, ruleBody, "DELETE /v2/apis/{api}/stages/live"},
		{"moved mapping and API", "PATCH /v2/domainnames/d.example.com/apimappings/{mapping}", destination, "DELETE /v2/apis/{api}"},
		{"moved mapping and stage", "PATCH /v2/domainnames/d.example.com/apimappings/{mapping}", destination, "DELETE /v2/apis/{api}/stages/live"},
		{"route and integration", "POST /v2/apis/{api}/routes", `{"routeKey":"GET /new","target":"integrations/{integration}"}`, "DELETE /v2/apis/{api}/integrations/{integration}"},
		{"stage and deployment", "PATCH /v2/apis/{api}/stages/live", `{"deploymentId":"{deployment}"}`, "DELETE /v2/apis/{api}/deployments/{deployment}"},
		{"new stage and deployment", "POST /v2/apis/{api}/stages", `{"stageName":"new","deploymentId":"{deployment}"}`, "DELETE /v2/apis/{api}/deployments/{deployment}"},
		{"publication and product", "POST /v2/portals/{portal}/publish", `{}`, "DELETE /v2/portalproducts/{product}"},
	} {
		for _, deleteFirst := range []bool{false, true} {
			i := &interposed{}
			a := newTester(t, func(o *Options) { i.Store, o.Store = o.Store, i })
			b := &tester{t, New(a.server.Options), a.store}
			api, other := a.api("HTTP"), a.api("HTTP")
			a.route(api, "GET /a", "")
			for _, path := range []string{api, other} {
				a.call(201, "POST", path+"/stages", `{"stageName":"live"}`)
			}
			a.call(201, "POST", "/v2/domainnames", `{"domainName":"d.example.com","domainNameConfigurations":[{"certificateArn":"`+certificate+`"}]}`)
			product, arn := a.product()
			fill := strings.NewReplacer(
				"{api}", strings.TrimPrefix(api, "/v2/apis/"), "{integration}", a.integration(api),
				"{deployment}", id(a.call(201, "POST", api+"/deployments", ""), "deploymentId"),
				"{mapping}", id(a.call(201, "POST", "/v2/domainnames/d.example.com/apimappings", fmt.Sprintf(`{"apiId":%q,"stage":"live","apiMappingKey":"old"}`, strings.TrimPrefix(other, "/v2/apis/"))), "apiMappingId"),
				"{product}", strings.TrimPrefix(product, "/v2/portalproducts/"),
				"{portal}", strings.TrimPrefix(a.portal(`{"includedPortalProductArns":["`+arn+`"]}`), "/v2/portals/"),
			).Replace
			method, path, _ := strings.Cut(fill(tt.refers), " ")
			refers := func(s *tester) reply { return s.do(method, path, fill(tt.body)) }
			deletes := func(s *tester) reply { return s.do("DELETE", strings.TrimPrefix(fill(tt.deletes), "DELETE "), "") }
			first, second := refers, deletes
			if deleteFirst {
				first, second = deletes, refers
			}
			var inner reply
			i.before = func() { inner = second(b) } // while the first is about to commit
			outer := first(a)
			if inner.status >= 300 {
				t.Errorf("%s: what comes between: got %d %s", tt.name, inner.status, inner.body)
			}
			published := strings.Contains(a.do("GET", fill("/v2/portals/{portal}"), "").body, `"publishStatus":"PUBLISHED"`)
			if outer.status < 300 && !(tt.name == "publication and product" && !deleteFirst && !published) {
				t.Errorf("%s: %s first: got %d %s and %d %s, want one refused", tt.name, map[bool]string{true: "the delete", false: "the reference"}[deleteFirst], outer.status, outer.body, inner.status, inner.body)
			}
		}
	}
}

// A world is what writers and readers of a test share.
type world struct {
	*testing.T
	store   store.Store
	servers []*Server
	until   time.Time
	errors  atomic.Int32

	api     string   // path of the API that all share, deployed at every change
	shared  string   // path of an integration in it, which all change
	stays   []string // paths of lists of which the first items stay
	kept    map[string][]string
	victims [3]atomic.Pointer[string] // IDs of APIs that some map and others delete

	mu    sync.Mutex     // guards the field below
	calls map[string]int // by operation and status
}

// A yielding store lets others run between what an edit has read and its commit, where
// they would come between rarely.
type yielding struct{ store.Store }

func (y yielding) Append(ctx context.Context, b store.Batch) (store.Commit, error) {
	for range rand.IntN(5) {
		runtime.Gosched()
	}
	return y.Store.Append(ctx, b)
}

var writersDomains = []string{"one.example.com", "two.example.com"}

func newWorld(t *testing.T, nodes int) *world {
	w := &world{T: t, calls: map[string]int{}, kept: map[string][]string{}}
	s := newTester(t, func(o *Options) {
		o.Now, o.Store = time.Now, yielding{o.Store}
		o.Limits = DefaultLimits()
		for _, limit := range []*int{&o.Limits.APIs, &o.Limits.Routes, &o.Limits.Integrations, &o.Limits.Stages, &o.Limits.Authorizers, &o.Limits.APIMappings} {
			*limit = 1 << 20
		}
		o.Limits.AutomaticDeployments = 5
	})
	w.store, w.servers = s.store, []*Server{s.server}
	for len(w.servers) < nodes {
		w.servers = append(w.servers, New(s.server.Options))
	}
	w.api = s.api("HTTP")
	w.shared = w.api + "/integrations/" + s.integration(w.api)
	s.call(201, "POST", w.api+"/stages", `{"stageName":"live","autoDeploy":true}`)
	s.call(201, "POST", w.api+"/stages", `{"stageName":"manual"}`)
	for i := range 12 {
		s.route(w.api, fmt.Sprintf("GET /stays/%d", i), s.integration(w.api))
		s.api("HTTP")
	}
	for _, name := range writersDomains {
		s.call(201, "POST", "/v2/domainnames", `{"domainName":"`+name+`","domainNameConfigurations":[{"certificateArn":"`+certificate+`"}]}`)
		for i := range 12 {
			s.call(201, "POST", "/v2/domainnames/"+name+"/apimappings", fmt.Sprintf(`{"apiId":%q,"stage":"live","apiMappingKey":"stays%d"}`, strings.TrimPrefix(w.api, "/v2/apis/"), i))
		}
	}
	for path, member := range map[string]string{
		w.api + "/integrations": "integrationId", w.api + "/routes": "routeId", "/v2/apis": "apiId",
		"/v2/domainnames/" + writersDomains[0] + "/apimappings": "apiMappingId", w.api + "/stages": "stageName",
	} {
		for _, item := range s.list(path + "?maxResults=500") {
			w.kept[path] = append(w.kept[path], id(item, member))
		}
	}
	w.stays = slices.Sorted(maps.Keys(w.kept))
	return w
}

// fail reports what is wrong, for the first few times.
func (w *world) fail(format string, args ...any) {
	if w.errors.Add(1) <= 20 {
		w.Errorf(format, args...)
	}
}

func (w *world) run() {
	took := writersTime(w.T)
	w.until = time.Now().Add(took)
	watchdog := time.AfterFunc(took+2*time.Minute, func() {
		stacks := make([]byte, 4<<20)
		panic("writers do not end:\n" + string(stacks[:runtime.Stack(stacks, true)]))
	})
	defer watchdog.Stop()

	var readers, working sync.WaitGroup
	done := make(chan struct{})
	for i := range 2 {
		readers.Go(func() { w.read(w.servers[i%len(w.servers)], i, done) })
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	readers.Go(func() { w.check(ctx) })
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{world: w, server: w.servers[i%len(w.servers)], i: i}
		working.Go(all[i].write)
	}
	working.Wait()
	close(done)
	cancel()
	readers.Wait()
	w.settle(all)
}

// call sends a request to a server, and reports an answer that has none of the
// statuses.
func (w *world) call(s *Server, method, path, body string, statuses ...int) (int, map[string]any) {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	name := "none"
	if op, _ := match(method, strings.SplitN(path, "?", 2)[0]); op != nil {
		name = op.Name
	}
	w.mu.Lock()
	w.calls[fmt.Sprintf("%s %d", name, rec.Code)]++
	w.mu.Unlock()
	if !slices.Contains(statuses, rec.Code) {
		w.fail("%s %s %s: got %d %s, want %v", method, path, body, rec.Code, rec.Body, statuses)
	}
	if rec.Body.Len() == 0 {
		return rec.Code, nil
	}
	return rec.Code, decodeText(rec.Body.String())
}

// A writer changes things until time is up, and remembers what was acknowledged.
type writer struct {
	*world
	server *Server
	i, n   int

	variable, parameter int // last acknowledged values of this writer in what is shared
}

func (w *writer) write() {
	steps := []func(){w.route, w.stage, w.parameters, w.victim, w.reference, w.authorizer, w.variables, w.reference, w.mapping, w.document, w.victim, w.reference}
	for w.n = w.i; time.Now().Before(w.until); w.n++ {
		steps[w.n%len(steps)]()
	}
}

// do sends a request by the server of the writer.
func (w *writer) do(method, path, body string, statuses ...int) (int, map[string]any) {
	return w.call(w.server, method, path, body, statuses...)
}

// reads compares a member that this writer alone changes with what it has written.
func (w *writer) reads(path, member, want string) {
	if _, got := w.do("GET", path, "", 200); text(got[member]) != want {
		w.fail("%s: read %s %s after writing %s", path, member, text(got[member]), want)
	}
}

// route makes, changes and deletes an integration and a route to it.
func (w *writer) route() {
	_, made := w.do("POST", w.api+"/integrations", httpProxy, 201)
	integration := id(made, "integrationId")
	path := w.api + "/integrations/" + integration
	for j := range 2 {
		w.do("PATCH", path, fmt.Sprintf(`{"description":"%d %d %d"}`, w.i, w.n, j), 200)
		w.reads(path, "description", fmt.Sprintf(`"%d %d %d"`, w.i, w.n, j))
	}
	_, made = w.do("POST", w.api+"/routes", fmt.Sprintf(`{"routeKey":"GET /w%d/{x}","target":"integrations/%s"}`, w.i, integration), 201)
	route := w.api + "/routes/" + id(made, "routeId")
	w.do("DELETE", path, "", 409)
	w.do("PATCH", route, fmt.Sprintf(`{"operationName":"%d"}`, w.n), 200)
	w.reads(route, "operationName", fmt.Sprintf(`"%d"`, w.n))
	w.do("DELETE", route, "", 204)
	w.do("DELETE", path, "", 204)
	w.do("GET", path, "", 404)
}

// stage makes a stage of the shared API, maps it, and takes both down: the stage does
// not go first.
func (w *writer) stage() {
	stage := fmt.Sprintf("%s/stages/w%d", w.api, w.i)
	w.do("POST", w.api+"/stages", fmt.Sprintf(`{"stageName":"w%d"}`, w.i), 201)
	w.do("PATCH", stage, fmt.Sprintf(`{"description":"%d"}`, w.n), 200)
	domain := "/v2/domainnames/" + writersDomains[w.n%2] + "/apimappings"
	_, made := w.do("POST", domain, fmt.Sprintf(`{"apiId":%q,"stage":"w%d","apiMappingKey":"stage%d"}`, strings.TrimPrefix(w.api, "/v2/apis/"), w.i, w.i), 201)
	w.do("DELETE", stage, "", 400)
	w.do("DELETE", domain+"/"+id(made, "apiMappingId"), "", 204)
	w.reads(stage, "description", fmt.Sprintf(`"%d"`, w.n))
	w.do("DELETE", stage, "", 204)
}

// parameters changes what is the writer's in an integration that all writers change.
func (w *writer) parameters() {
	next := w.parameter + 1
	if status, _ := w.do("PATCH", w.shared, fmt.Sprintf(`{"requestParameters":{"overwrite:header.w%d":"%d"}}`, w.i, next), 200); status == 200 {
		w.parameter = next
	}
}

func (w *writer) variables() {
	next := w.variable + 1
	if status, _ := w.do("PATCH", w.api+"/stages/manual", fmt.Sprintf(`{"stageVariables":{"w%d":"%d"}}`, w.i, next), 200); status == 200 {
		w.variable = next
	}
}

func (w *writer) authorizer() {
	_, made := w.do("POST", w.api+"/authorizers", fmt.Sprintf(`{"name":"w%d","authorizerType":"REQUEST","authorizerUri":%q,"authorizerPayloadFormatVersion":"2.0"}`, w.i, invokeARN), 201)
	path := w.api + "/authorizers/" + id(made, "authorizerId")
	w.do("PATCH", path, `{"enableSimpleResponses":true}`, 200)
	_, made = w.do("POST", w.api+"/routes", fmt.Sprintf(`{"routeKey":"PUT /w%d","authorizationType":"CUSTOM","authorizerId":"%s"}`, w.i, id(made, "authorizerId")), 201)
	w.do("DELETE", path, "", 409)
	w.do("DELETE", w.api+"/routes/"+id(made, "routeId"), "", 204)
	w.do("DELETE", path, "", 204)
}

// mapping makes an API and a mapping to it, and takes both down: the API does not go
// first.
func (w *writer) mapping() {
	_, made := w.do("POST", "/v2/apis", fmt.Sprintf(`{"name":"w%d","protocolType":"HTTP","target":"https://example.com"}`, w.i), 201)
	api := "/v2/apis/" + id(made, "apiId")
	domain := "/v2/domainnames/" + writersDomains[w.n%2] + "/apimappings"
	_, made = w.do("POST", domain, fmt.Sprintf(`{"apiId":%q,"stage":"$default","apiMappingKey":"api%d"}`, id(made, "apiId"), w.i), 201)
	w.do("DELETE", api, "", 400)
	w.do("PATCH", domain+"/"+id(made, "apiMappingId"), fmt.Sprintf(`{"apiId":%q,"apiMappingKey":"api%d/x"}`, strings.TrimPrefix(api, "/v2/apis/"), w.i), 200)
	w.do("DELETE", domain+"/"+id(made, "apiMappingId"), "", 204)
	w.do("DELETE", api, "", 204)
	w.do("GET", api, "", 404)
}

// document imports a document, and another one over it: what is there is one of them.
func (w *writer) document() {
	paths := func(name string, n int) string {
		var all []string
		for j := range n {
			all = append(all, fmt.Sprintf(`"/%s%d":{"get":%s}`, name, j, proxy(`{}`)))
		}
		return documentBody(withPaths(strings.Join(all, ",")))
	}
	_, made := w.do("PUT", "/v2/apis", paths("a", 7), 201)
	api := "/v2/apis/" + id(made, "apiId")
	w.do("POST", api+"/stages", `{"stageName":"live","autoDeploy":true}`, 201)
	w.do("PUT", api, paths("b", 3), 201)
	_, listed := w.do("GET", api+"/routes", "", 200)
	items, _ := listed["items"].([]any)
	if len(items) != 3 || strings.Contains(text(items), "GET /a") {
		w.fail("%d routes after a reimport of 3: %s", len(items), text(items))
	}
	w.do("DELETE", api, "", 204)
}

// victim puts an API in one of a few places, where others map it, and deletes the one
// that was there, or its stage, if nobody has.
func (w *writer) victim() {
	_, made := w.do("POST", "/v2/apis", `{"name":"victim","protocolType":"HTTP"}`, 201)
	apiID := id(made, "apiId")
	w.do("POST", "/v2/apis/"+apiID+"/stages", `{"stageName":"live"}`, 201)
	old := w.victims[w.n%len(w.victims)].Swap(&apiID)
	if old == nil {
		return
	}
	if w.n%2 == 0 {
		w.do("DELETE", "/v2/apis/"+*old+"/stages/live", "", 204, 400)
	}
	if status, _ := w.do("DELETE", "/v2/apis/"+*old, "", 204, 400); status == 400 {
		// Somebody has mapped it: whoever did takes the mapping down soon, and nobody
		// finds this API any more to map it again.
		for status == 400 && time.Now().Before(w.until) {
			runtime.Gosched()
			status, _ = w.do("DELETE", "/v2/apis/"+*old, "", 204, 400)
		}
	}
}

// reference maps an API that another writer may be deleting, and takes the mapping down.
func (w *writer) reference() {
	victim := w.victims[(w.n*5+w.i)%len(w.victims)].Load()
	if victim == nil {
		return
	}
	domain := "/v2/domainnames/" + writersDomains[w.i%2] + "/apimappings"
	status, made := w.do("POST", domain, fmt.Sprintf(`{"apiId":%q,"stage":"live","apiMappingKey":"victim%d"}`, *victim, w.i), 201, 400)
	if status != 201 {
		if message := id(made, "message"); message != "Invalid API identifier specified: "+*victim && message != "Invalid stage identifier specified" {
			w.fail("a mapping to an API that may be gone: %s", message)
		}
		return
	}
	w.do("DELETE", domain+"/"+id(made, "apiMappingId"), "", 204)
}

// read follows the pages of lists: what was there before the writers began is there
// exactly once.
func (w *world) read(s *Server, i int, done <-chan struct{}) {
	for n := i; ; n++ {
		select {
		case <-done:
			return
		default:
		}
		path := w.stays[n%len(w.stays)]
		seen := map[string]int{}
		last := ""
		for token := ""; ; {
			_, page := w.call(s, "GET", fmt.Sprintf("%s?maxResults=%d&nextToken=%s", path, 3+n%7, url.QueryEscape(token)), "", 200)
			items, _ := page["items"].([]any)
			for _, item := range items {
				for _, member := range []string{"integrationId", "routeId", "apiMappingId", "stageName", "apiId"} {
					if itemID := id(item.(map[string]any), member); itemID != "" {
						seen[itemID]++
						if itemID <= last {
							w.fail("%s: %s is listed after %s", path, itemID, last)
						}
						last = itemID
						break
					}
				}
			}
			if token = id(page, "nextToken"); token == "" {
				break
			}
		}
		for _, itemID := range w.kept[path] {
			if seen[itemID] != 1 {
				w.fail("%s: %s is listed %d times", path, itemID, seen[itemID])
			}
		}
	}
}

// check looks at everything that is stored, at one revision, after every few commits:
// what is referred to is there.
func (w *world) check(ctx context.Context) {
	for c, err := range w.store.Watch(ctx, w.store.Last()) {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.fail("watch: %v", err)
		case c.Rev%16 == 0:
			w.consistent()
		}
	}
}

func (w *world) consistent() {
	apis, deployments := map[string]*model.APIDocument{}, map[string]bool{}
	var domains []*model.DomainDocument
	for _, stored := range w.store.List("") {
		switch prefix, _, _ := strings.Cut(stored.Key, "."); prefix + "." {
		case model.APIPrefix:
			d, err := model.ParseAPI(stored.Data)
			if err != nil {
				w.fail("%v", err)
				return
			}
			apis[*d.API.APIID] = d
		case model.DeploymentPrefix:
			deployments[stored.Key] = true
		case model.DomainPrefix:
			d, err := model.ParseDomain(stored.Data)
			if err != nil {
				w.fail("%v", err)
				return
			}
			domains = append(domains, d)
		}
	}
	for _, d := range domains {
		for _, m := range d.Mappings {
			if api := apis[*m.APIID]; api == nil || api.Stages[*m.Stage] == nil {
				w.fail("%s has a mapping to %s/%s, which is gone", *d.DomainName.DomainName, *m.APIID, *m.Stage)
			}
		}
	}
	for apiID, d := range apis {
		for _, r := range d.Routes {
			if r.Target != nil && d.Integrations[strings.TrimPrefix(*r.Target, "integrations/")] == nil {
				w.fail("route %s leads to %s, which is gone", *r.RouteKey, *r.Target)
			}
			if r.AuthorizerID != nil && d.Authorizers[*r.AuthorizerID] == nil {
				w.fail("route %s asks authorizer %s, which is gone", *r.RouteKey, *r.AuthorizerID)
			}
		}
		for _, s := range d.Stages {
			if s.DeploymentID != nil && !deployments[model.DeploymentKey(apiID, *s.DeploymentID)] {
				w.fail("stage %s of %s serves deployment %s, which is gone", *s.StageName, apiID, *s.DeploymentID)
			}
		}
	}
	for key := range deployments {
		if apiID, _, _ := model.SplitDeploymentKey(key); apis[apiID] == nil {
			w.fail("%s is left of an API that is gone", key)
		}
	}
}

// settle compares what is there in the end with what was acknowledged.
func (w *world) settle(all []*writer) {
	w.consistent()
	for _, s := range w.servers {
		_, shared := w.call(s, "GET", w.shared, "", 200)
		_, stage := w.call(s, "GET", w.api+"/stages/manual", "", 200)
		parameters, _ := shared["requestParameters"].(map[string]any)
		variables, _ := stage["stageVariables"].(map[string]any)
		for _, writer := range all {
			if got := id(parameters, fmt.Sprintf("overwrite:header.w%d", writer.i)); writer.parameter > 0 && got != strconv.Itoa(writer.parameter) {
				w.fail("parameter of writer %d: %s is there, %d was acknowledged", writer.i, got, writer.parameter)
			}
			if got := id(variables, fmt.Sprintf("w%d", writer.i)); writer.variable > 0 && got != strconv.Itoa(writer.variable) {
				w.fail("variable of writer %d: %s is there, %d was acknowledged", writer.i, got, writer.variable)
			}
		}
		for _, path := range w.stays {
			_, listed := w.call(s, "GET", path+"?maxResults=500", "", 200)
			if items, _ := listed["items"].([]any); path != "/v2/apis" && len(items) != len(w.kept[path]) {
				w.fail("%s: %d items are left, want %d: %s", path, len(items), len(w.kept[path]), text(listed))
			}
		}
		if n := len(s.locks.held); n != 0 {
			w.fail("%d locks are left", n)
		}
		if !s.bodies.TryAcquire(maxBodies) {
			w.fail("bodies are still accounted for")
		}
		if !s.imports.TryAcquire(maxImports) {
			w.fail("documents are still accounted for")
		}
	}
	if w.errors.Load() > 20 {
		w.Errorf("%d errors in all", w.errors.Load())
	}
	total := 0
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(w.calls)) {
		total += w.calls[name]
		lines = append(lines, fmt.Sprintf("%s: %d", name, w.calls[name]))
	}
	w.Logf("%d calls, %d commits: %s", total, w.store.Last(), strings.Join(lines, ", "))
}

// What readers ask for does not grow what is kept for them: a parameter that has no
// meaning makes no list of its own.
func TestListsKeepNothingOfParameters(t *testing.T) {
	s := newTester(t)
	e := newEstate(s)
	for _, op := range model.Operations {
		if op.Result == "" {
			continue
		}
		path, _ := e.request(op, escapeAll)
		for i := range 50 {
			s.do("GET", fmt.Sprintf("%s?domainNameId=%d&resourceOwner=%d&resourceOwnerAccountId=123456789012&includeRawDisplayContent=%d&x=%d", path, i, i, i, i), "")
		}
	}
	for key, entry := range s.server.cache.entries {
		n := 0
		entry.lists.Range(func(any, any) bool { n++; return true })
		if n > 10 {
			t.Errorf("%d lists are kept of %s", n, key)
		}
	}
}
