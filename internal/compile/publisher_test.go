package compile

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/model"
	"penstock/internal/store"
)

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, "http://" + l.Addr().String()
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (w *world) expect(id, path string, status int, body string) {
	w.t.Helper()
	if s, b := w.get(id, path); s != status || b != body {
		w.t.Errorf("%s%s: got %d %q, want %d %q", id, path, s, b, status, body)
	}
}

const (
	notFound = `{"message":"Not Found"}`
	internal = `{"message":"Internal Server Error"}`
)

// A stage serves the deployment it points at, whatever is edited; pointing it at
// another, deleting it and deleting the API show at once.
func TestDeployments(t *testing.T) {
	t.Parallel()
	one, _ := backend(t, "one")
	two, _ := backend(t, "two")
	w := newWorld(t, store.NewMemory())

	d := newDocument("pets")
	d.route("GET /a", model.Integration{IntegrationURI: new(one)})
	first := d.deployed(t, "d1")
	w.commit(d.change(t), first)
	w.expect("pets", "/live/a", 404, notFound) // no stage

	d.stage("live", "d1", nil)
	w.commit(d.change(t))
	w.expect("pets", "/live/a", 200, "one /")

	d.Integrations["000000"].IntegrationURI = new(two + "/x")
	w.commit(d.change(t))
	w.expect("pets", "/live/a", 200, "one /")

	d.stage("live", "d2", nil)
	w.commit(d.change(t), d.deployed(t, "d2"))
	w.expect("pets", "/live/a", 200, "two /x")

	d.stage("live", "d1", nil) // going back
	w.commit(d.change(t))
	w.expect("pets", "/live/a", 200, "one /")

	delete(d.Stages, "live")
	w.commit(d.change(t))
	w.expect("pets", "/live/a", 404, notFound)

	w.commit(store.Change{Key: model.APIKey("pets"), Delete: true}, store.Change{Key: first.Key, Delete: true})
	w.expect("pets", "/live/a", 404, notFound)
	if n := w.gateway.Snapshot().Len(); n != 0 {
		t.Errorf("%d APIs are served after all are deleted", n)
	}
}

// What did not change is shared between snapshots; a stage variable is a change.
func TestUnchangedStagesAreShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.NewMemory())
	d := newDocument("pets")
	d.route("GET /a", model.Integration{IntegrationURI: new("http://127.0.0.1:1/${stageVariables.v}")})
	d.stage("one", "d1", map[string]string{"v": "1"})
	d.stage("two", "d1", map[string]string{"v": "1"})
	w.commit(d.change(t), d.deployed(t, "d1"))
	before := w.gateway.Snapshot().API("pets").Stages

	d.stage("two", "d1", map[string]string{"v": "2"})
	d.Stages["one"].Description = new("another text")
	w.commit(d.change(t))
	after := w.gateway.Snapshot().API("pets").Stages
	if after["one"] != before["one"] {
		t.Error("a stage was compiled again although nothing it serves has changed")
	}
	if after["two"] == before["two"] {
		t.Error("a stage was not compiled again although its variables have changed")
	}

	other := newDocument("toys")
	w.commit(other.change(t))
	if w.gateway.Snapshot().API("pets").Stages["one"] != before["one"] {
		t.Error("a stage was compiled again because of another API")
	}
}

// A stage that does not compile keeps serving what it served.
func TestBrokenDeployment(t *testing.T) {
	t.Parallel()
	one, _ := backend(t, "one")
	w := newWorld(t, store.NewMemory())
	d := newDocument("pets")
	d.route("GET /a", model.Integration{IntegrationURI: new(one)})
	d.stage("live", "d1", nil)
	w.commit(d.change(t), d.deployed(t, "d1"))

	d.route("no route key", model.Integration{IntegrationURI: new(one)})
	d.stage("live", "d2", nil)
	w.commit(d.change(t), d.deployed(t, "d2"))
	w.expect("pets", "/live/a", 200, "one /")

	d.stage("live", "gone", nil)
	w.commit(d.change(t))
	w.expect("pets", "/live/a", 200, "one /")

	w.commit(store.Change{Key: model.APIKey("pets"), Data: []byte("{")})
	w.expect("pets", "/live/a", 200, "one /")
	w.pub.Close()
	if w.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// Everything in the store is served once Start has returned.
func TestStart(t *testing.T) {
	t.Parallel()
	one, _ := backend(t, "one")
	st := store.NewMemory()
	d := newDocument("pets")
	d.route("GET /a", model.Integration{IntegrationURI: new(one)})
	d.stage("$default", "d1", nil)
	rev := appendTo(t, st, d.change(t), d.deployed(t, "d1"))
	ws := newDocument("chat")
	ws.API.ProtocolType = new(model.ProtocolTypeWebsocket)
	rev = max(rev, appendTo(t, st, ws.change(t)))

	w := newWorld(t, st)
	if got := w.gateway.Snapshot().Revision; got != rev {
		t.Errorf("revision %d is served, want %d", got, rev)
	}
	w.expect("pets", "/a", 200, "one /")
	w.expect("chat", "/a", 403, `{"message":"Forbidden"}`)
}

func TestWait(t *testing.T) {
	t.Parallel()
	st := store.NewMemory()
	pub := Start(st, options(t), func(*gateway.Snapshot) {}, slog.New(slog.DiscardHandler))
	if err := pub.Wait(t.Context(), 0); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := pub.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for what is not there: %v", err)
	}
	waited := make(chan error)
	go func() { waited <- pub.Wait(t.Context(), 2) }()
	appendTo(t, st, newDocument("a").change(t))
	appendTo(t, st, newDocument("b").change(t))
	if err := <-waited; err != nil {
		t.Error(err)
	}
	go func() { waited <- pub.Wait(t.Context(), 3) }()
	pub.Close()
	if err := <-waited; !errors.Is(err, ErrClosed) {
		t.Errorf("waiting for a publisher that closes: %v", err)
	}
	if err := pub.Wait(t.Context(), 2); err != nil {
		t.Errorf("what was published stays: %v", err)
	}
}

// A store that closes ends the publisher without a complaint.
func TestStoreCloses(t *testing.T) {
	t.Parallel()
	st := store.NewMemory()
	w := newWorld(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.pub.Wait(t.Context(), 1); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	w.pub.Close()
	if w.log.Len() > 0 {
		t.Error(w.log)
	}
}

// forgetful is a store whose first watch has fallen too far behind.
type forgetful struct {
	store.Store
	watches chan int
}

func (f forgetful) Watch(ctx context.Context, after uint64) iter.Seq2[store.Commit, error] {
	n := <-f.watches
	f.watches <- n + 1
	if n == 0 {
		appendForgotten(f.Store)
		return func(yield func(store.Commit, error) bool) { yield(store.Commit{}, store.ErrCompacted) }
	}
	return f.Store.Watch(ctx, after)
}

func appendForgotten(s store.Store) {
	data, _ := newDocument("missed").Encode()
	s.Append(context.Background(), store.Batch{Changes: []store.Change{{Key: model.APIKey("missed"), Data: data}}})
}

func TestCompacted(t *testing.T) {
	t.Parallel()
	f := forgetful{store.NewMemory(), make(chan int, 1)}
	f.watches <- 0
	w := newWorld(t, f)
	if err := w.pub.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if w.gateway.Snapshot().API("missed") == nil {
		t.Error("what was missed is not served")
	}
	w.commit(newDocument("later").change(t))
	if w.gateway.Snapshot().API("later") == nil {
		t.Error("what came later is not served")
	}
}
