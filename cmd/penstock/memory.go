package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A trimmer gives the memory back that a burst of work has left behind. A server with many
// idle connections makes no garbage, so that nothing would collect what came before: the
// garbage would stay as large as the connections themselves.
type trimmer struct {
	samples   []metrics.Sample
	last      uint64 // bytes that were allocated when it last looked
	collected uint64 // likewise when it last gave memory back
	release   func()
}

const (
	// trimInterval is how often it looks.
	trimInterval = 2 * time.Second
	// quiet is how much may be allocated in an interval by a server that rests, in bytes.
	quiet = 1 << 20
	// worthTrimming is how much must have been allocated since the last time.
	worthTrimming = 16 << 20
)

func newTrimmer() *trimmer {
	return &trimmer{samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}, release: debug.FreeOSMemory}
}

// run looks until a channel is closed.
func (t *trimmer) run(end <-chan struct{}) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			metrics.Read(t.samples)
			t.look(t.samples[0].Value.Uint64())
		}
	}
}

// look compares how much has been allocated in all with what was, and gives memory back if
// the server rests and has not rested since the last time.
func (t *trimmer) look(allocated uint64) {
	rests := allocated-t.last < quiet
	t.last = allocated
	if rests && allocated-t.collected >= worthTrimming {
		t.release()
		t.collected = allocated
	}
}
