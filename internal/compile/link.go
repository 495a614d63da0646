package compile

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/store"
)

// Links are the VPC links that are stored. A Publisher keeps them up to date, and compiled
// integrations look at them with each request: a link that goes takes effect at once,
// wherever it is used.
type Links struct {
	mu    sync.Mutex // guards known
	known map[string]*link
}

// A link is a VPC link as integrations use it. It never goes away: integrations hold it.
type link struct {
	id string
	// status is the status of the link; "" if there is no such link.
	status atomic.Pointer[string]
}

// NewLinks returns Links of which none is stored.
func NewLinks() *Links { return &Links{known: map[string]*link{}} }

// of returns the link with an ID, whether it is stored or not.
func (l *Links) of(id string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.known[id]
	if one == nil {
		one = &link{id: id}
		one.status.Store(new(""))
		l.known[id] = one
	}
	return one
}

// Of returns the link with an ID.
func (l *Links) Of(id string) integration.Link { return l.of(id) }

// load takes over all links of a store.
func (l *Links) load(docs []store.Document) {
	stored := map[string]bool{}
	for _, doc := range docs {
		stored[strings.TrimPrefix(doc.Key, model.VpcLinkPrefix)] = true
		l.put(doc)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, one := range l.known {
		if !stored[id] {
			one.status.Store(new(""))
		}
	}
}

// put takes over one link. One whose document cannot be read is not available.
func (l *Links) put(doc store.Document) {
	status := "unreadable"
	if d, err := model.ParseVpcLink(doc.Data); err == nil {
		status = value(d.VpcLink.VpcLinkStatus)
	}
	l.of(strings.TrimPrefix(doc.Key, model.VpcLinkPrefix)).status.Store(&status)
}

// drop forgets that a link is stored.
func (l *Links) drop(id string) { l.of(id).status.Store(new("")) }

// Available implements integration.Link.
func (l *link) Available() error {
	switch status := *l.status.Load(); status {
	case model.VpcLinkStatusAvailable:
		return nil
	case "":
		return fmt.Errorf("VPC link %s does not exist", l.id)
	default:
		return fmt.Errorf("VPC link %s is %s", l.id, status)
	}
}
