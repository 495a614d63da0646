package compile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"penstock/internal/gateway"
	"penstock/internal/model"
	"penstock/internal/store"
)

// A Publisher follows a store and publishes a snapshot of each revision. One
// goroutine owns its state.
type Publisher struct {
	store   store.Store
	options Options
	publish func(*gateway.Snapshot)
	log     *slog.Logger

	snapshot *gateway.Snapshot
	compiled map[string]map[string]compiledStage // by API and stage
	domains  map[string]*gateway.Domain          // by name
	cancel   context.CancelFunc
	done     chan struct{}

	mu        sync.Mutex // guards the fields below
	published uint64
	advanced  chan struct{} // closed when published grows
	ended     bool
}

// A compiledStage remembers what a stage was compiled from.
type compiledStage struct {
	stage      *gateway.Stage
	deployment []byte // the deployment's document, shared with the store
	settings   Settings
}

// Start compiles everything in the store, publishes it, and goes on publishing
// what changes until Close.
func Start(st store.Store, options Options, publish func(*gateway.Snapshot), log *slog.Logger) *Publisher {
	p := &Publisher{
		store: st, options: options, publish: publish, log: log,
		done:     make(chan struct{}),
		advanced: make(chan struct{}),
	}
	if p.options.Links == nil {
		p.options.Links = NewLinks()
	}
	p.load()
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go p.follow(ctx)
	return p
}

// Close stops following. What was published stays.
func (p *Publisher) Close() error {
	p.cancel()
	<-p.done
	return nil
}

// ErrClosed is what Wait returns when the publisher ends first.
var ErrClosed = errors.New("publisher is closed")

// Wait returns when the gateway serves revision rev or a later one.
func (p *Publisher) Wait(ctx context.Context, rev uint64) error {
	for {
		p.mu.Lock()
		published, advanced, ended := p.published, p.advanced, p.ended
		p.mu.Unlock()
		switch {
		case published >= rev:
			return nil
		case ended:
			return ErrClosed
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// load compiles every API. Documents and revision are read without a lock
// between them: commits that slip in are simply followed again.
func (p *Publisher) load() {
	rev := p.store.Last()
	before := p.compiled
	p.compiled = map[string]map[string]compiledStage{}
	p.options.Links.load(p.store.List(model.VpcLinkPrefix))
	docs := p.store.List(model.APIPrefix)
	apis := make([]*gateway.API, len(docs))
	stages := make([]map[string]compiledStage, len(docs))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, doc := range docs {
		g.Go(func() error {
			id, _ := model.SplitAPIKey(doc.Key)
			apis[i], stages[i] = p.api(doc, before[id])
			return nil
		})
	}
	g.Wait()
	for i, doc := range docs {
		id, _ := model.SplitAPIKey(doc.Key)
		if apis[i] == nil && p.snapshot != nil {
			apis[i] = p.snapshot.API(id) // keeps serving what it served
		}
		if apis[i] != nil {
			p.compiled[id] = stages[i]
		}
	}
	served := p.domains
	p.domains = map[string]*gateway.Domain{}
	for _, doc := range p.store.List(model.DomainPrefix) {
		p.domain(doc, served)
	}
	p.advance(gateway.NewSnapshot(rev, slices.DeleteFunc(apis, func(a *gateway.API) bool { return a == nil }), p.allDomains()...))
}

// domain compiles a domain name. One whose document cannot be read keeps serving what
// it served.
func (p *Publisher) domain(doc store.Document, served map[string]*gateway.Domain) {
	name := strings.TrimPrefix(doc.Key, model.DomainPrefix)
	d, err := model.ParseDomain(doc.Data)
	switch {
	case err == nil:
		p.domains[name] = Domain(d)
	case served[name] != nil:
		p.domains[name] = served[name]
	}
	if err != nil {
		p.log.Error("read domain name", "key", doc.Key, "error", err)
	}
}

func (p *Publisher) allDomains() []*gateway.Domain {
	return slices.AppendSeq([]*gateway.Domain{}, maps.Values(p.domains))
}

func (p *Publisher) advance(s *gateway.Snapshot) {
	p.snapshot = s
	p.publish(s)
	p.mu.Lock()
	p.published = s.Revision
	close(p.advanced)
	p.advanced = make(chan struct{})
	p.mu.Unlock()
}

func (p *Publisher) follow(ctx context.Context) {
	defer close(p.done)
	defer func() {
		p.mu.Lock()
		p.ended = true
		close(p.advanced)
		p.advanced = make(chan struct{})
		p.mu.Unlock()
	}()
	for ctx.Err() == nil {
		var failed error
		for commit, err := range p.store.Watch(ctx, p.snapshot.Revision) {
			if err != nil {
				failed = err
				break
			}
			p.apply(commit)
		}
		switch {
		case errors.Is(failed, store.ErrCompacted):
			p.load() // too far behind to follow: start over from what is there
		case failed != nil && !errors.Is(failed, store.ErrClosed) && ctx.Err() == nil:
			p.log.Error("follow the store", "error", failed)
			return
		default:
			return
		}
	}
}

// apply publishes one commit.
func (p *Publisher) apply(c store.Commit) {
	ids := map[string]bool{}
	var domains []*gateway.Domain // nil if none has changed
	for _, change := range c.Changes {
		if id, ok := apiOf(change.Key); ok {
			ids[id] = true
		}
		if link, ok := strings.CutPrefix(change.Key, model.VpcLinkPrefix); ok {
			if doc, ok := p.store.Get(change.Key); ok {
				p.options.Links.put(doc)
			} else {
				p.options.Links.drop(link)
			}
		}
		if name, ok := strings.CutPrefix(change.Key, model.DomainPrefix); ok {
			if doc, ok := p.store.Get(change.Key); ok {
				p.domain(doc, p.domains)
			} else {
				delete(p.domains, name)
			}
			domains = p.allDomains()
		}
	}
	changed := make(map[string]*gateway.API, len(ids))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		doc, ok := p.store.Get(model.APIKey(id))
		if !ok {
			changed[id] = nil
			delete(p.compiled, id)
			continue
		}
		api, stages := p.api(doc, p.compiled[id])
		if api == nil {
			continue // keeps serving what it served
		}
		changed[id] = api
		p.compiled[id] = stages
	}
	p.advance(p.snapshot.With(c.Rev, changed, domains))
}

// apiOf returns the API that a document belongs to.
func apiOf(key string) (string, bool) {
	if id, _, ok := model.SplitDeploymentKey(key); ok {
		return id, true
	}
	return model.SplitAPIKey(key)
}

// api compiles an API, taking over the stages that did not change. A stage that
// does not compile keeps serving what it served. It returns nil if the document
// cannot be read.
func (p *Publisher) api(doc store.Document, before map[string]compiledStage) (*gateway.API, map[string]compiledStage) {
	id, _ := model.SplitAPIKey(doc.Key)
	var view apiView
	if err := json.Unmarshal(doc.Data, &view); err != nil {
		p.log.Error("read API", "apiId", id, "error", err)
		return nil, before
	}
	api := &gateway.API{ID: id, Stages: map[string]*gateway.Stage{}}
	compiled := map[string]compiledStage{}
	compile := Stage
	if view.API.ProtocolType == model.ProtocolTypeWebsocket {
		api.WebSocket, compile = true, SocketStage
	}
	for name, stage := range view.Stages {
		if stage == nil || value(stage.DeploymentID) == "" {
			continue // never deployed: not served
		}
		settings := settingsOf(stage, view.AuthorizerResets[name])
		old, had := before[name]
		deployment, ok := p.store.Get(model.DeploymentKey(id, *stage.DeploymentID))
		switch {
		case ok && had &&
			bytes.Equal(old.deployment, deployment.Data) && reflect.DeepEqual(old.settings, settings):
		case ok:
			s, err := compile(p.options, id, settings, deployment.Data)
			if err != nil {
				p.log.Error("compile stage", "apiId", id, "stage", name, "deploymentId", *stage.DeploymentID, "error", err)
				break
			}
			old, had = compiledStage{s, deployment.Data, settings}, true
		default:
			// Unless the API has been edited again meanwhile and a later commit
			// brings what this one lacks.
			if now, _ := p.store.Get(doc.Key); now.Rev == doc.Rev {
				p.log.Error("compile stage", "apiId", id, "stage", name, "error", "deployment "+*stage.DeploymentID+" does not exist")
			}
		}
		if had {
			compiled[name] = old
			api.Stages[name] = old.stage
		}
	}
	return api, compiled
}
