package websocket

import (
	"errors"
	"slices"
	"sync"
	"time"

	"penstock/internal/connection"
)

// A Bus reaches connections, wherever they are. Errors are connection.ErrGone, ErrFull and
// ErrTooLarge, those below, or say that nobody can tell: then the request may be tried again.
type Bus interface {
	// Post sends one message to a connection of a stage.
	Post(api, stage, id string, text []byte) error
	// Get returns what is known of a connection.
	Get(api, stage, id string) (State, error)
	// Delete closes a connection.
	Delete(api, stage, id string) error
	// Join makes a connection a member of a group, Leave ends that. It is no error if it
	// is one already, or none.
	Join(api, stage, group, id string) error
	Leave(api, stage, group, id string) error
	// Members returns the connections of a group, sorted.
	Members(api, stage, group string) ([]string, error)
	// Broadcast sends one message to all members of a group, and returns to how many, and
	// how many could not take it.
	Broadcast(api, stage, group string, text []byte) (sent, failed int, err error)
	// Left ends the memberships of a connection that has ended.
	Left(c *connection.Connection)
}

// ErrTooManyGroups says that a connection is in as many groups as it may be.
var ErrTooManyGroups = errors.New("the connection is in too many groups")

// maxGroups is how many groups a connection may be in.
const maxGroups = 100

// A State is what is known of a connection.
type State struct {
	ConnectedAt, LastActiveAt time.Time
	SourceIP, UserAgent       string
}

// A localBus is for one node.
type localBus struct {
	hub *connection.Hub

	mu     sync.RWMutex // guards the fields below
	groups map[groupKey]map[*connection.Connection]struct{}
	// of has the groups of those connections that are in one.
	of map[*connection.Connection][]groupKey
}

type groupKey struct{ api, stage, name string }

func newLocalBus(hub *connection.Hub) *localBus {
	return &localBus{hub: hub, groups: map[groupKey]map[*connection.Connection]struct{}{}, of: map[*connection.Connection][]groupKey{}}
}

// count returns how many groups there are.
func (b *localBus) count() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.groups)
}

func (b *localBus) find(api, stage, id string) (*connection.Connection, error) {
	if c, ok := b.hub.Find(api, stage, id); ok {
		return c, nil
	}
	return nil, connection.ErrGone
}

// reaches reports whether a connection is open.
func (b *localBus) reaches(api, stage, id string) bool {
	_, err := b.find(api, stage, id)
	return err == nil
}

// Post implements Bus.
func (b *localBus) Post(api, stage, id string, text []byte) error {
	c, err := b.find(api, stage, id)
	if err != nil {
		return err
	}
	return c.Send(text)
}

// Get implements Bus.
func (b *localBus) Get(api, stage, id string) (State, error) {
	c, err := b.find(api, stage, id)
	if err != nil {
		return State{}, err
	}
	i := c.Info()
	return State{i.ConnectedAt, c.LastActive(), i.SourceIP, i.UserAgent}, nil
}

// Delete implements Bus.
func (b *localBus) Delete(api, stage, id string) error {
	c, err := b.find(api, stage, id)
	if err == nil {
		c.Close(connection.Normal, "")
	}
	return err
}

// Join implements Bus.
func (b *localBus) Join(api, stage, group, id string) error {
	c, err := b.find(api, stage, id)
	if err != nil {
		return err
	}
	// The strings of the request are not kept.
	key := groupKey{c.Info().API, c.Info().Stage, string([]byte(group))}
	b.mu.Lock()
	defer b.mu.Unlock()
	members := b.groups[key]
	if _, ok := members[c]; ok {
		return nil
	}
	if len(b.of[c]) >= maxGroups {
		return ErrTooManyGroups
	}
	// Left waits for the lock: either it sees what is added here, or it has come and the
	// connection is not found any more.
	if _, err := b.find(api, stage, id); err != nil {
		return err
	}
	if members == nil {
		members = map[*connection.Connection]struct{}{}
		b.groups[key] = members
	}
	members[c] = struct{}{}
	b.of[c] = append(b.of[c], key)
	return nil
}

// Leave implements Bus.
func (b *localBus) Leave(api, stage, group, id string) error {
	c, err := b.find(api, stage, id)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := groupKey{api, stage, group}
	b.remove(key, c)
	if rest := slices.DeleteFunc(b.of[c], func(k groupKey) bool { return k == key }); len(rest) > 0 {
		b.of[c] = rest
	} else {
		delete(b.of, c)
	}
	return nil
}

// remove takes a connection out of a group. The lock is held.
func (b *localBus) remove(key groupKey, c *connection.Connection) {
	members := b.groups[key]
	if delete(members, c); len(members) == 0 {
		delete(b.groups, key)
	}
}

// Left implements Bus.
func (b *localBus) Left(c *connection.Connection) {
	b.mu.RLock()
	_, member := b.of[c]
	b.mu.RUnlock()
	if !member {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range b.of[c] {
		b.remove(key, c)
	}
	delete(b.of, c)
}

// members returns the connections of a group, in no order.
func (b *localBus) members(key groupKey) []*connection.Connection {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]*connection.Connection, 0, len(b.groups[key]))
	for c := range b.groups[key] {
		all = append(all, c)
	}
	return all
}

// Members implements Bus.
func (b *localBus) Members(api, stage, group string) ([]string, error) {
	all := b.members(groupKey{api, stage, group})
	ids := make([]string, 0, len(all))
	for _, c := range all {
		// One that has just ended may not have left yet.
		if id := c.Info().ID; b.reaches(api, stage, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Broadcast implements Bus.
func (b *localBus) Broadcast(api, stage, group string, text []byte) (sent, failed int, err error) {
	message, err := b.hub.Prepare(text)
	if err != nil {
		return 0, 0, err
	}
	for _, c := range b.members(groupKey{api, stage, group}) {
		switch err := c.SendPrepared(message); {
		case err == nil:
			sent++
		case !errors.Is(err, connection.ErrGone):
			failed++
		}
	}
	return sent, failed, nil
}
