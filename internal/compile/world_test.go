package compile_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/compile"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/store"
)

func ptr[T any](v T) *T { return &v }

// A world is everything between a document and an answer: a store, a publisher, a
// gateway and a backend.
type world struct {
	t         testing.TB
	store     store.Store
	client    *integration.Client
	server    *gateway.Server
	publisher *compile.Publisher
	addr      string
	backend   *backend
	log       *log
	rev       uint64
}

func newWorld(t testing.TB) *world { return newWorldOn(t, store.NewMemory()) }

// newWorldOn starts a world on a store that may hold something already.
func newWorldOn(t testing.TB, st store.Store) *world {
	t.Helper()
	w := &world{t: t, store: st, backend: newBackend(t), log: new(log)}
	w.client = integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	w.server = gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}, Logger: w.log.logger()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	go w.server.Serve(l)
	w.publisher = compile.Start(st, w.client, w.server.Publish, w.log.logger())
	t.Cleanup(func() {
		w.publisher.Close()
		w.server.Close()
		w.client.Close()
		st.Close()
	})
	return w
}

// put makes one commit of documents and waits until it is served. A nil document
// deletes its key.
func (w *world) put(documents map[string]any) {
	w.t.Helper()
	w.write(documents)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.publisher.Wait(ctx, w.rev); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(documents map[string]any) {
	w.t.Helper()
	b := store.Batch{Actor: "test"}
	for _, key := range slices.Sorted(maps.Keys(documents)) {
		c := store.Change{Key: key}
		switch d := documents[key].(type) {
		case nil:
			c.Delete = true
		case string:
			c.Data = []byte(d)
		case interface{ Encode() ([]byte, error) }:
			data, err := d.Encode()
			if err != nil {
				w.t.Fatal(err)
			}
			c.Data = data
		}
		b.Changes = append(b.Changes, c)
	}
	commit, err := w.store.Append(context.Background(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	w.rev = commit.Rev
}

// ask sends a request to the API "a" and returns the status and the body.
func (w *world) ask(line string) (int, string) {
	w.t.Helper()
	return w.askOf("a", line)
}

func (w *world) askOf(api, line string) (int, string) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s.execute-api.us-east-1.localhost\r\nConnection: close\r\n\r\n", line, api)
	method, _, _ := strings.Cut(line, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// want asks and compares.
func (w *world) want(line string, status int, body string) {
	w.t.Helper()
	if gotStatus, got := w.ask(line); gotStatus != status || got != body {
		w.t.Errorf("%s: got %d %q, want %d %q", line, gotStatus, got, status, body)
	}
}

const (
	notFound = `{"message":"Not Found"}`
	internal = `{"message":"Internal Server Error"}`
)

// A backend answers each request with its line.
type backend struct {
	url string

	mu   sync.Mutex // guards seen
	seen []string
}

func newBackend(t testing.TB) *backend {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{url: "http://" + l.Addr().String()}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.RequestURI
		b.mu.Lock()
		b.seen = append(b.seen, line)
		b.mu.Unlock()
		io.WriteString(w, line)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return b
}

// take returns what the backend was asked for since the last call.
func (b *backend) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

// A log keeps what is logged.
type log struct {
	level slog.LevelVar

	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns what was logged since the last call.
func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func (l *log) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: &l.level}))
}

// httpAPI returns the document of the API "a" with stages, each pointing at a
// deployment.
func httpAPI(stages map[string]string) *model.APIDocument {
	d := model.NewAPIDocument(model.API{APIID: ptr("a"), Name: ptr("a"), ProtocolType: ptr(model.ProtocolTypeHTTP)})
	for name, deployment := range stages {
		s := &model.Stage{StageName: ptr(name)}
		if deployment != "" {
			s.DeploymentID = ptr(deployment)
		}
		d.Stages[name] = s
	}
	return d
}

// deployment returns a deployment in which every route has an integration of its
// own.
func deployment(routes map[string]*model.Integration) *model.DeploymentDocument {
	d := &model.DeploymentDocument{
		Deployment: model.Deployment{DeploymentID: ptr("d")},
		API:        model.API{APIID: ptr("a"), ProtocolType: ptr(model.ProtocolTypeHTTP)},
		Resources:  model.Resources{Integrations: map[string]*model.Integration{}, Routes: map[string]*model.Route{}},
	}
	for i, key := range slices.Sorted(maps.Keys(routes)) {
		id := fmt.Sprint("i", i)
		r := &model.Route{RouteID: ptr(fmt.Sprint("r", i)), RouteKey: ptr(key), AuthorizationType: ptr("NONE")}
		if routes[key] != nil {
			d.Integrations[id] = routes[key]
			r.Target = ptr("integrations/" + id)
		}
		d.Routes[*r.RouteID] = r
	}
	return d
}

// proxy returns an HTTP_PROXY integration.
func proxy(uri string) *model.Integration {
	return &model.Integration{
		IntegrationType: ptr(model.IntegrationTypeHTTPProxy), IntegrationMethod: ptr("ANY"), IntegrationURI: ptr(uri),
		ConnectionType: ptr("INTERNET"), PayloadFormatVersion: ptr("1.0"), TimeoutInMillis: ptr(30000),
	}
}
