package connection

import (
	"sync"
	"sync/atomic"
	"time"
)

// slots is how many ticks ahead the wheel looks. What is due later is looked at when
// they have passed, and put back.
const slots = 1024

// A wheel has a place for every connection, in the slot of the tick when something may
// be due. Activity does not move a connection: when its slot comes, it is asked, and put
// where it stands next. So a timer costs three words, and a message nothing.
type wheel struct {
	every time.Duration
	// tick is the last one that has passed.
	tick atomic.Int64

	mu    sync.Mutex // guards what follows, and the links of connections
	slots [slots]*Connection
}

// add puts the connection where it is looked at when due, which is one tick late at most
// and at the next tick at least.
func (w *wheel) add(c *Connection, due int64) {
	w.mu.Lock()
	w.cut(c)
	w.link(c, w.at(due))
	w.mu.Unlock()
}

// move has the connection looked at when due, if that is earlier than it would be. One
// that is being looked at is put somewhere afterwards anyway.
func (w *wheel) move(c *Connection, due int64) {
	w.mu.Lock()
	if c.slot >= 0 {
		tick := w.tick.Load()
		at := w.at(due)
		// Slots are compared by how far ahead they are.
		if ahead := (int64(c.slot) - tick%slots + slots) % slots; at-tick < ahead {
			w.cut(c)
			w.link(c, at)
		}
	}
	w.mu.Unlock()
}

// at returns the tick at which something that is due is seen.
func (w *wheel) at(due int64) int64 {
	tick := w.tick.Load()
	at := (due + int64(w.every) - 1) / int64(w.every)
	return min(max(at, tick+1), tick+slots-1)
}

// remove takes the connection out.
func (w *wheel) remove(c *Connection) {
	w.mu.Lock()
	w.cut(c)
	w.mu.Unlock()
}

func (w *wheel) link(c *Connection, at int64) {
	c.slot = int32(at % slots)
	head := &w.slots[c.slot]
	if c.nextTimer = *head; c.nextTimer != nil {
		c.nextTimer.preTimer = c
	}
	*head = c
}

func (w *wheel) cut(c *Connection) {
	if c.slot < 0 {
		return
	}
	if c.nextTimer != nil {
		c.nextTimer.preTimer = c.preTimer
	}
	if c.preTimer != nil {
		c.preTimer.nextTimer = c.nextTimer
	} else {
		w.slots[c.slot] = c.nextTimer
	}
	c.slot, c.nextTimer, c.preTimer = -1, nil, nil
}

// take empties a slot into batch.
func (w *wheel) take(slot int64, batch []*Connection) []*Connection {
	w.mu.Lock()
	for c := w.slots[slot]; c != nil; c = w.slots[slot] {
		w.cut(c)
		batch = append(batch, c)
	}
	w.mu.Unlock()
	return batch
}

// advance looks at all connections whose slots have come by now.
func (w *wheel) advance(now int64, batch []*Connection) []*Connection {
	tick := now / int64(w.every)
	// After a long stop, once around is enough.
	for t := max(w.tick.Load()+1, tick-slots+1); t <= tick; t++ {
		w.tick.Store(t)
		batch = w.take(t%slots, batch[:0])
		for _, c := range batch {
			c.mu.Lock()
			due := c.expire(now)
			if c.state != closed {
				w.add(c, due)
			}
			c.mu.Unlock()
		}
		clear(batch)
	}
	return batch
}

// run turns the wheel until stop is closed.
func (w *wheel) run(now func() int64, stop <-chan struct{}) {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	var batch []*Connection
	for {
		select {
		case <-ticker.C:
			batch = w.advance(now(), batch)
		case <-stop:
			return
		}
	}
}
