package connection

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// What Send returns for a message that is not sent.
var (
	// ErrFull: the client does not read, and too much waits for it already.
	ErrFull = errors.New("the queue of the connection is full")
	// ErrGone: the connection has ended.
	ErrGone = errors.New("the connection is gone")
	// ErrTooLarge: the message is larger than a message may be.
	ErrTooLarge = errors.New("the message is too large")
)

// Info is what is known of a connection from its start, and never changes.
type Info struct {
	ID    string // see NewID
	API   string
	Stage string
	// ConnectedAt is when the client was let in; the life of the connection counts from
	// it. Zero stands for now.
	ConnectedAt time.Time
	SourceIP    string
	UserAgent   string // empty for a client that has sent none
	DomainName  string // the Host of the handshake
	// Extensions is what was agreed on in the handshake: an answer of Negotiate, or "".
	Extensions string
	// Owner is whatever the owner of the connection wants to find here again.
	Owner any
}

// A Handler is told what comes from connections. Its methods are called by the workers
// of the Hub and may take their time; those of different connections, and several
// messages of one, run at the same time.
type Handler interface {
	// Message takes one text message. The text is the handler's to keep, and valid UTF-8.
	// The message counts as in flight until done is called, before Message returns or
	// later, from any goroutine; only the first call counts. A message that panics is
	// done, and its connection ends with Internal.
	//
	// The calls for one connection are made in the order of arrival. Unless the Hub is
	// Ordered, the next one does not wait for the one before.
	Message(c *Connection, text []byte, done func())
	// Closed is called once for every connection that was adopted, when it has ended and
	// all its messages have been given out, or, if the Hub is Ordered, are done. Send and
	// Find know it no more by then; the close frame may still be on its way.
	Closed(c *Connection, code int, reason string)
}

// A carrier moves the bytes of connections. Its methods are called with the lock of the
// connection held, and do not wait for the network.
type carrier interface {
	// write takes what it can of p, which may be nothing.
	write(c *Connection, p []byte) (int, error)
	// want says what is waited for: bytes of the client, or room for more of the outbox.
	want(c *Connection, read, write bool)
	// shutdown ends the direction to the client.
	shutdown(c *Connection)
	// close gives back the socket. After an abort, what is unsent is dropped.
	close(c *Connection, abort bool)
}

// A state is how far the life of a connection has come.
type state uint8

const (
	open state = iota
	// closing: it has ended for everybody, but the socket waits for the last bytes.
	closing
	closed
)

// A Connection is one client. All methods may be called from anywhere, at any time.
type Connection struct {
	hub     *Hub
	handler Handler
	carrier carrier
	info    Info
	// lifeEnd is when the connection is closed, whatever it does. Times are nanoseconds
	// since the start of the Hub, on a clock that nobody sets.
	lifeEnd int64
	// lastActive is when a message last came or went.
	lastActive atomic.Int64

	mu sync.Mutex // guards what follows, but for the links
	// in is what has come and is no whole message yet, nil if nothing.
	in *inbox
	// out is what the network has not taken yet, nil if nothing.
	out *outbox
	// first and last are the messages that no worker has taken yet.
	first, last *delivery
	// deadline ends closing, and the patience with a full queue. 0 is none.
	deadline int64
	// pingAt is when the client is pinged next.
	pingAt int64
	// controlTick is the tick in which controls were counted.
	controlTick int64
	reason      string
	code        uint16
	controls    uint16
	inFlight    uint16 // messages with the handler or waiting for a worker
	running     uint16 // messages with the handler
	state       state
	hangup      bool // close the socket once everything is sent
	fragmented  bool // a message has begun and needs more fragments
	paced       bool // reading stops until the next tick
	pinged      bool // nothing has come since the last ping
	endDue      bool // Closed is still to be called
	scheduled   bool // a worker will look at it
	parts       uint8

	// What the poller knows of it.
	fd         int32
	generation int32
	interest   uint32
	// held is how many bytes of the inbox the Hub has counted. Only the lock guards it.
	held int32

	// Links of lists, each guarded by the lock of its list.
	nextReady           *Connection // pool
	slot                int32       // wheel
	nextTimer, preTimer *Connection // wheel
}

// Info returns what is known of the connection from its start.
func (c *Connection) Info() *Info { return &c.info }

// ConnectedAt returns when the client was let in.
func (c *Connection) ConnectedAt() time.Time { return c.info.ConnectedAt }

// LastActive returns when a message last came or went; at first, when the connection was
// adopted. Pings do not count.
func (c *Connection) LastActive() time.Time {
	return c.hub.start.Add(time.Duration(c.lastActive.Load()))
}

// Send sends one text message. Bytes that are no UTF-8 arrive as U+FFFD. It does not wait
// for the client: a nil error says that the message is written or queued.
func (c *Connection) Send(text []byte) error {
	l := &c.hub.config.Limits
	if len(text) > l.Message {
		return ErrTooLarge
	}
	if !utf8.Valid(text) {
		text = replaceInvalid(text)
	}
	compress := c.compresses(len(text))
	if compress {
		// What nobody will get is not worth being compressed.
		c.mu.Lock()
		err := c.admit(0)
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
	buffer := buffers.Get().(*[]byte)
	frames := slices.Grow((*buffer)[:0], len(text)+(len(text)/l.Frame+1)*maxHeader)
	if compress {
		frames = appendCompressed(frames, text, l.Frame)
	} else {
		frames = appendMessage(frames, text, l.Frame)
	}
	c.mu.Lock()
	err := c.post(frames, message)
	c.mu.Unlock()
	if cap(frames) <= maxBuffer {
		*buffer = frames
		buffers.Put(buffer)
	}
	return err
}

// admit returns why a message of so many bytes is not sent. The lock is held.
func (c *Connection) admit(n int) error {
	if c.state != open {
		return ErrGone
	}
	l := &c.hub.config.Limits
	if c.out != nil && (c.out.messages >= l.QueueMessages || c.out.bytes+n > l.QueueBytes) {
		if c.deadline == 0 {
			c.deadline = c.hub.now() + int64(l.Stall)
			c.hub.wheel.move(c, c.deadline)
		}
		return ErrFull
	}
	return nil
}

// post sends the frames of a message, if the queue admits them. The lock is held.
func (c *Connection) post(frames []byte, k kind) error {
	if err := c.admit(len(frames)); err != nil {
		return err
	}
	c.transmit(frames, k)
	if c.state != open {
		return ErrGone
	}
	c.lastActive.Store(c.hub.now())
	return nil
}

// Close ends the connection with a close frame behind everything that was sent before.
// Only the first end of a connection counts. A code that must not stand in a frame
// becomes Internal.
func (c *Connection) Close(code int, reason string) {
	if !validCode(code) {
		code = Internal
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(code, reason)
}

// fail ends the connection and tells the client why. The lock is held.
func (c *Connection) fail(code int, reason string) {
	if c.state == open {
		c.end(code, reason)
		c.sayClose(code, reason)
	}
}

// answer ends the connection because the client has said so. The client hears its own
// code, and has nothing left to say that would be worth waiting for. The lock is held.
func (c *Connection) answer(code int, reason string) {
	c.end(code, reason)
	c.hangup = true
	c.sayClose(code, "")
}

// sayClose sends a close frame. The lock is held.
func (c *Connection) sayClose(code int, reason string) {
	var frame [maxHeader + maxControl]byte
	c.transmit(appendClose(frame[:0], code, reason), control)
}

// lost ends the connection without another word: there is nobody to hear it. The lock is
// held.
func (c *Connection) lost() {
	c.abort(Abnormal, abnormalText)
}

// abort ends the connection at once. The lock is held.
func (c *Connection) abort(code int, reason string) {
	if c.state == open {
		c.end(code, reason)
	}
	c.release(true)
}

// end takes the connection away from everybody and has Closed called. The socket is
// given some time for the last bytes. The lock is held, the connection open.
func (c *Connection) end(code int, reason string) {
	h := c.hub
	c.state = closing
	c.code, c.reason = uint16(code), reason
	c.in, c.paced = nil, false
	c.account()
	c.endDue = true
	c.deadline = h.now() + int64(h.config.Limits.Grace)
	h.forget(c)
	h.wheel.move(c, c.deadline)
	c.schedule()
}

// release gives back the socket. The lock is held.
func (c *Connection) release(abort bool) {
	if c.state == closed {
		return
	}
	c.state = closed
	if c.out != nil {
		c.hub.queued.Add(-int64(c.out.bytes))
		c.out = nil
	}
	c.carrier.close(c, abort)
	c.hub.sockets.Add(-1)
	c.hub.wheel.remove(c)
	c.part()
}

// part counts the two parts of a connection that outlive its end: the socket, and the
// call of Closed. The lock is held.
func (c *Connection) part() {
	if c.parts--; c.parts == 0 {
		c.hub.leave()
	}
}

// update tells the carrier what to wait for. The lock is held.
func (c *Connection) update() {
	switch c.state {
	case open:
		c.carrier.want(c, !c.paused(), c.out != nil)
	case closing:
		c.carrier.want(c, true, c.out != nil)
	}
}

// paused reports whether reading has stopped. The lock is held.
func (c *Connection) paused() bool {
	return c.paced || c.full()
}

// ended is called when no more bytes will come. The lock is held.
func (c *Connection) ended() {
	if c.state == open {
		c.lost()
		return
	}
	c.release(c.out != nil)
}

// expire does what is due, and returns when to look again. The lock is held.
func (c *Connection) expire(now int64) int64 {
	l := &c.hub.config.Limits
	if c.state == closing && now >= c.deadline {
		c.release(true)
	}
	if c.state == open {
		switch idle := c.lastActive.Load() + int64(l.Idle); {
		case c.deadline != 0 && now >= c.deadline:
			c.abort(Internal, "Client does not read")
		case now >= idle, now >= c.lifeEnd:
			c.fail(GoingAway, goingAwayText)
		case c.pingAt != 0 && now >= c.pingAt:
			c.ping(now)
		}
	}
	if c.state == open && c.paced {
		c.paced = false
		c.resume()
	}
	return c.due(now)
}

// ping pings the client, unless nothing has come since the last time: then it is gone.
func (c *Connection) ping(now int64) {
	if c.pinged && !c.paused() {
		c.lost()
		return
	}
	c.pinged = true
	c.pingAt = now + int64(c.hub.config.PingInterval)
	if c.out == nil {
		var frame [maxHeader]byte
		c.transmit(appendFrame(frame[:0], true, opPing, nil), control)
	}
}

// due returns when expire has something to do. The lock is held.
func (c *Connection) due(now int64) int64 {
	if c.state != open {
		return c.deadline
	}
	due := min(c.lifeEnd, c.lastActive.Load()+int64(c.hub.config.Limits.Idle))
	if c.deadline != 0 {
		due = min(due, c.deadline)
	}
	if c.pingAt != 0 {
		due = min(due, c.pingAt)
	}
	if c.paced {
		due = now
	}
	return due
}
