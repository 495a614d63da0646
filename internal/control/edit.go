package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"penstock/internal/model"
	"penstock/internal/store"
)

// maxAttempts is how often an edit is made again because another node was faster.
const maxAttempts = 20

// maxPublish is how long an answer waits for this node to serve what was written.
// The write holds all the same.
const maxPublish = 30 * time.Second

// A root is a kind of document: what is stored, edited and deleted as a whole.
type root[D any] struct {
	kind   string               // as in the names of operations: Api
	label  string               // of the paths: apiId
	prefix string               // of the keys
	form   func(id string) bool // of what may be in a key behind the prefix
	parse  func(data []byte) (*D, error)
	encode func(d *D) ([]byte, error)
}

var (
	apiRoot = root[model.APIDocument]{
		kind:   "Api",
		label:  "apiId",
		prefix: model.APIPrefix,
		form:   isID,
		parse:  model.ParseAPI,
		encode: (*model.APIDocument).Encode,
	}
	domainRoot = root[model.DomainDocument]{
		kind:   "DomainName",
		label:  "domainName",
		prefix: model.DomainPrefix,
		form:   isDomainName,
		parse:  model.ParseDomain,
		encode: plain[model.DomainDocument],
	}
	vpcLinkRoot = root[model.VpcLinkDocument]{
		kind:   "VpcLink",
		label:  "vpcLinkId",
		prefix: model.VpcLinkPrefix,
		form:   isID,
		parse:  model.ParseVpcLink,
		encode: plain[model.VpcLinkDocument],
	}
	portalRoot = root[model.PortalDocument]{
		kind:   "Portal",
		label:  "portalId",
		prefix: model.PortalPrefix,
		form:   isID,
		parse:  model.ParsePortal,
		encode: plain[model.PortalDocument],
	}
	portalProductRoot = root[model.PortalProductDocument]{
		kind:   "PortalProduct",
		label:  "portalProductId",
		prefix: model.PortalProductPrefix,
		form:   isID,
		parse:  model.ParsePortalProduct,
		encode: plain[model.PortalProductDocument],
	}
)

func plain[D any](d *D) ([]byte, error) { return json.Marshal(d) }

// read returns the current document that the path of a call is about. It is
// shared and must not be changed.
func (r root[D]) read(c *call) (*D, error) {
	e, err := r.entry(c)
	if err != nil {
		return nil, err
	}
	return e.doc.(*D), nil
}

// begin returns the current document, as read does, and then reads the input: that
// what a call is about does not exist is told before what is wrong with its body.
func (r root[D]) begin(c *call) (*D, error) {
	d, err := r.read(c)
	if err != nil {
		return nil, err
	}
	return d, c.decode()
}

// stored returns the current document of an ID, which is shared, too; nil if there is
// none.
func (r root[D]) stored(s *Server, id string) (*D, error) {
	e, err := cachedAs(s, r.prefix+id, r.parse)
	if e == nil || err != nil {
		return nil, err
	}
	return e.doc.(*D), nil
}

func (r root[D]) entry(c *call) (*entry, error) {
	id := c.labels[r.label]
	if !r.form(id) || c.foreign() {
		return nil, r.notFound(c)
	}
	e, err := cachedAs(c.Server, r.prefix+id, r.parse)
	if e == nil && err == nil {
		return nil, r.notFound(c)
	}
	return e, err
}

// foreign reports whether a call is about something that another account owns, which
// some reads may say.
func (c *call) foreign() bool {
	owner := c.query.Get("resourceOwnerAccountId")
	return owner != "" && owner != c.Account && slices.ContainsFunc(c.op.Input.Members, func(m model.Member) bool { return m.Name == "resourceOwnerAccountId" })
}

func (r root[D]) notFound(c *call) error {
	if r.kind == apiRoot.kind {
		return notFound(msgAPINotFound, c.Account, c.labels[r.label])
	}
	return NotFound(r.kind, c.labels[r.label])
}

// edit changes the document that the path of a call is about: change gets one
// that nobody else has, and what it makes of it is committed, together with what
// else it puts into the edit. If another node has changed the document meanwhile,
// change is called again with what is there now. If change returns an error,
// nothing is changed.
func (r root[D]) edit(c *call, change func(e *edit, d *D) error) error {
	id := c.labels[r.label]
	if !r.form(id) {
		return r.notFound(c)
	}
	key := r.prefix + id
	rev, err := c.serialised(key, func() (uint64, error) { return r.attempt(c, key, change) })
	if err != nil {
		return err
	}
	return c.served(rev)
}

// serialised makes an edit while no other edit of the key is made in this process,
// again as long as another node is faster, and returns the revision of its commit.
func (c *call) serialised(key string, attempt func() (uint64, error)) (uint64, error) {
	unlock, err := c.locks.lock(c.request.Context(), key)
	if err != nil {
		return 0, err
	}
	defer unlock()
	for range maxAttempts {
		rev, err := attempt()
		if !errors.Is(err, store.ErrConflict) {
			return rev, err
		}
	}
	return 0, Conflict(msgConcurrentModification)
}

func (r root[D]) attempt(c *call, key string, change func(e *edit, d *D) error) (uint64, error) {
	stored, ok := c.Store.Get(key)
	if !ok {
		return 0, r.notFound(c)
	}
	d, err := r.parse(stored.Data)
	if err != nil {
		return 0, err
	}
	e := newEdit(c)
	defer e.release()
	e.expect[key] = stored.Rev
	if err := change(e, d); err != nil {
		return 0, err
	}
	var data []byte
	if !e.deletes(key) {
		if data, err = r.encode(d); err != nil {
			return 0, err
		}
		if err := e.replace(stored, data); err != nil {
			return 0, err
		}
	}
	rev, err := e.commit()
	if err == nil && e.puts(key) {
		c.cache.put(key, &entry{rev: rev, size: len(data), doc: d}) // nobody changes it from here on
	}
	return rev, err
}

// An edit is a change of documents that holds as a whole or not at all.
type edit struct {
	*call
	time    time.Time
	expect  map[string]uint64 // revisions that the edit is based on; 0: no such document
	changes []store.Change
	keys    map[string]parsedKey // of routes
	held    map[string]func()    // unlocks the documents that it refers to, by key
}

// refer makes the edit depend on the document under another key: it stays as it is
// until the edit holds, and whoever edits it at the same time sees the edit first.
// That keeps a reference from being made to what is being deleted, whichever node
// deletes it. It returns false if there is no such document.
//
// An edit of a domain may refer to APIs; edits of APIs refer to nothing, so that
// nobody waits in a circle.
func (e *edit) refer(key string) (store.Document, bool, error) {
	stored, ok, err := e.rely(key)
	if ok && err == nil && !e.puts(key) {
		e.changes = append(e.changes, store.Change{Key: key, Data: stored.Data}) // the same again, at a new revision
	}
	return stored, ok, err
}

// rely makes the edit depend on the document under another key without anybody
// seeing it there. Who deletes the document must look for who relies on it, and
// depend on what it has seen.
func (e *edit) rely(key string) (store.Document, bool, error) {
	if e.held[key] == nil {
		unlock, err := e.locks.lock(e.request.Context(), key)
		if err != nil {
			return store.Document{}, false, err
		}
		e.held[key] = unlock
	}
	stored, ok := e.Store.Get(key)
	if ok {
		e.expect[key] = stored.Rev
	}
	return stored, ok, nil
}

// release lets others edit what the edit referred to.
func (e *edit) release() {
	for _, unlock := range e.held {
		unlock()
	}
}

func newEdit(c *call) *edit {
	return &edit{call: c, time: c.Now().UTC(), expect: map[string]uint64{}, held: map[string]func(){}}
}

// create puts a document that must not exist.
func (e *edit) create(key string, data []byte) error {
	return e.replace(store.Document{Key: key}, data)
}

// replace puts a document in the place of what is stored, unless it is the same.
func (e *edit) replace(stored store.Document, data []byte) error {
	if len(data) > e.Limits.Document {
		return BadRequest(msgDocument, documentNames[stored.Key[:strings.IndexByte(stored.Key, '.')+1]], e.Limits.Document)
	}
	e.expect[stored.Key] = stored.Rev
	if stored.Rev == 0 || string(stored.Data) != string(data) {
		e.changes = append(e.changes, store.Change{Key: stored.Key, Data: data})
	}
	return nil
}

// documentNames are what documents are about, by the prefixes of their keys.
var documentNames = map[string]string{
	model.APIPrefix:           "API",
	model.DeploymentPrefix:    "deployment",
	model.DomainPrefix:        "domain name",
	model.VpcLinkPrefix:       "VPC link",
	model.PortalPrefix:        "portal",
	model.PortalProductPrefix: "portal product",
}

func (e *edit) delete(key string) {
	e.changes = append(e.changes, store.Change{Key: key, Delete: true})
}

func (e *edit) deletes(key string) bool {
	return slices.ContainsFunc(e.changes, func(c store.Change) bool { return c.Key == key && c.Delete })
}

func (e *edit) puts(key string) bool {
	return slices.ContainsFunc(e.changes, func(c store.Change) bool { return c.Key == key && !c.Delete })
}

// commit makes the edit durable and returns its revision. An edit that changes
// nothing is not committed and has revision 0.
func (e *edit) commit() (uint64, error) {
	if len(e.changes) == 0 {
		return 0, nil
	}
	commit, err := e.Store.Append(e.request.Context(), store.Batch{Actor: e.principal.Name, Expect: e.expect, Changes: e.changes})
	return commit.Rev, err
}

// served waits until this node serves a revision.
func (c *call) served(rev uint64) error {
	if rev == 0 || c.Publisher == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.request.Context(), maxPublish)
	defer cancel()
	if err := c.Publisher.Wait(ctx, rev); err != nil {
		return fmt.Errorf("wait until revision %d is served: %w", rev, err)
	}
	return nil
}
