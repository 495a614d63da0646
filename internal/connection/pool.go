package connection

import "sync"

// maxIdleWorkers is how many workers wait for work; more of them end.
const maxIdleWorkers = 32

// A pool runs connections that have something for their handlers, first come, first
// served. A connection stands in it once at most, and steps back behind the others after
// each message.
type pool struct {
	max int
	wg  sync.WaitGroup

	mu          sync.Mutex // guards what follows, and nextReady of connections
	wake        sync.Cond
	first, last *Connection
	queued      int
	workers     int
	idle        int
	stopped     bool
}

func (p *pool) init(workers int) {
	p.max = workers
	p.wake.L = &p.mu
}

// push queues the connection and sees that a worker comes for it.
func (p *pool) push(c *Connection) {
	p.mu.Lock()
	if p.last == nil {
		p.first = c
	} else {
		p.last.nextReady = c
	}
	p.last = c
	p.queued++
	switch {
	case p.queued <= p.idle:
		p.wake.Signal()
	case p.workers < p.max:
		p.workers++
		p.wg.Go(p.work)
	}
	p.mu.Unlock()
}

// work runs connections until there are none, and workers enough to wait for the next.
func (p *pool) work() {
	p.mu.Lock()
	for {
		for p.first == nil {
			if p.stopped || p.idle >= maxIdleWorkers {
				p.workers--
				p.mu.Unlock()
				return
			}
			p.idle++
			p.wake.Wait()
			p.idle--
		}
		c := p.first
		if p.first = c.nextReady; p.first == nil {
			p.last = nil
		}
		c.nextReady = nil
		p.queued--
		p.mu.Unlock()
		c.run()
		p.mu.Lock()
	}
}

// stop has the workers end when nothing is queued.
func (p *pool) stop() {
	p.mu.Lock()
	p.stopped = true
	p.wake.Broadcast()
	p.mu.Unlock()
}
