package compile

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"penstock/internal/authorizer"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/store"
)

// A document is an API under construction.
type document struct {
	*model.APIDocument
	id string
}

func newDocument(id string) document {
	return document{model.NewAPIDocument(model.API{APIID: &id, ProtocolType: new(model.ProtocolTypeHTTP), Name: new("test")}), id}
}

// route adds a route and the integration it leads to.
func (d document) route(key string, i model.Integration) *model.Route {
	id := fmt.Sprintf("%06d", len(d.Routes))
	i.IntegrationID = &id
	if i.IntegrationType == nil {
		i.IntegrationType = new("HTTP_PROXY")
	}
	if i.IntegrationMethod == nil {
		i.IntegrationMethod = new("ANY")
	}
	d.Integrations[id] = &i
	d.Routes[id] = &model.Route{RouteID: &id, RouteKey: &key, Target: new("integrations/" + id), AuthorizationType: new("NONE")}
	return d.Routes[id]
}

// stage points a stage at a deployment.
func (d document) stage(name, deployment string, variables map[string]string) {
	d.Stages[name] = &model.Stage{StageName: &name, DeploymentID: &deployment, StageVariables: variables}
}

// deployed returns a copy of the API as a deployment's document.
func (d document) deployed(tb testing.TB, deployment string) store.Change {
	tb.Helper()
	c := model.DeploymentDocument{Deployment: model.Deployment{DeploymentID: &deployment}, API: d.API, Resources: d.Resources}
	data, err := c.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return store.Change{Key: model.DeploymentKey(d.id, deployment), Data: data}
}

func (d document) change(tb testing.TB) store.Change {
	tb.Helper()
	data, err := d.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return store.Change{Key: model.APIKey(d.id), Data: data}
}

func appendTo(tb testing.TB, s store.Store, changes ...store.Change) uint64 {
	tb.Helper()
	c, err := s.Append(context.Background(), store.Batch{Changes: changes})
	if err != nil {
		tb.Fatal(err)
	}
	return c.Rev
}

// newClient returns a client that may call the test's own backends.
func newClient(tb testing.TB) *integration.Client {
	c := integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	tb.Cleanup(func() { c.Close() })
	return c
}

// options returns what stages of tests refer to: backends of the test, and nobody who
// may sign.
func options(tb testing.TB) Options {
	issuers := authorizer.NewIssuers(authorizer.IssuersConfig{})
	tb.Cleanup(issuers.Close)
	callers, err := authorizer.NewCallers("us-east-1", nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return Options{Client: newClient(tb), Issuers: issuers, Results: authorizer.NewResults(0, nil), Callers: callers, AccountRate: 10000, AccountBurst: 5000}
}

// A world is a store, a publisher that follows it, and a gateway on a socket.
type world struct {
	t       *testing.T
	store   store.Store
	pub     *Publisher
	gateway *gateway.Server
	url     string
	log     *strings.Builder // what was logged at level Error, once closed
}

func newWorld(t *testing.T, st store.Store) *world {
	t.Helper()
	w := &world{t: t, store: st, log: &strings.Builder{}}
	l, url := listen(t)
	w.url = url
	w.gateway = gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	w.pub = Start(st, options(t), w.gateway.Publish, slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelError})))
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(l) }()
	t.Cleanup(func() {
		w.pub.Close()
		w.gateway.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// commit appends changes and waits until they are served.
func (w *world) commit(changes ...store.Change) {
	w.t.Helper()
	if err := w.pub.Wait(w.t.Context(), appendTo(w.t, w.store, changes...)); err != nil {
		w.t.Fatal(err)
	}
}

// get calls the API with an id and returns status and body.
func (w *world) get(id, path string) (int, string) {
	w.t.Helper()
	resp, err := http.Get(w.url + "/_aws/execute-api/" + id + path)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, bodyOf(w.t, resp)
}

// backend answers with its name and the path it was asked for, and counts.
func backend(t *testing.T, name string) (url string, calls func() int) {
	n := make(chan int, 1)
	n <- 0
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n <- <-n + 1
		fmt.Fprintf(rw, "%s %s", name, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() int { v := <-n; n <- v; return v }
}
