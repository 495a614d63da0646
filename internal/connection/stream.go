package connection

import (
	"net"
	"sync"
)

// A stream carries one connection over a net.Conn whose descriptor we cannot poll, with
// a goroutine that reads, and one that writes while there is something to write.
type stream struct {
	conn net.Conn
	// wake ends a pause of the reader.
	wake chan struct{}

	// The lock of the connection guards these.
	waiting bool // the reader waits for wake
	writing bool // the writer runs
}

const (
	// idleBuffer is how much is read at once of a connection that sends little.
	idleBuffer = 512
	// streamBuffer is how much is read at once of one that sends more.
	streamBuffer = 16 << 10
)

// readers are the buffers of connections that send more.
var readers = sync.Pool{New: func() any { return new([streamBuffer]byte) }}

// stream starts to carry the connection.
func (h *Hub) stream(c *Connection, conn net.Conn) *stream {
	s := &stream{conn: conn, wake: make(chan struct{}, 1)}
	h.goroutines.Go(func() { s.read(c) })
	return s
}

// read takes what comes until nothing comes any more.
func (s *stream) read(c *Connection) {
	idle := make([]byte, idleBuffer)
	buffer := idle
	var large *[streamBuffer]byte
	for {
		n, err := s.conn.Read(buffer)
		c.mu.Lock()
		if n > 0 {
			c.receive(buffer[:n])
		}
		for c.state == open && c.paused() {
			s.waiting = true
			c.mu.Unlock()
			<-s.wake
			c.mu.Lock()
		}
		if err != nil {
			c.ended()
		}
		over := c.state == closed
		c.mu.Unlock()
		switch {
		case large == nil && n == idleBuffer && !over:
			large = readers.Get().(*[streamBuffer]byte)
			buffer = large[:]
		case large != nil && (n < idleBuffer || over):
			readers.Put(large)
			buffer, large = idle, nil
		}
		if over {
			return
		}
	}
}

// flush writes the outbox until it is empty.
func (s *stream) flush(c *Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out != nil {
		data := c.out.begin()
		c.mu.Unlock()
		n, err := s.conn.Write(data)
		c.mu.Lock()
		if c.state == closed {
			break
		}
		if err != nil {
			c.lost()
			break
		}
		c.sent(n)
	}
	s.writing = false
}

// write takes nothing: only the writer may wait.
func (s *stream) write(*Connection, []byte) (int, error) { return 0, nil }

func (s *stream) want(c *Connection, read, write bool) {
	if read {
		s.resume()
	}
	if write && !s.writing {
		s.writing = true
		c.hub.goroutines.Go(func() { s.flush(c) })
	}
}

func (s *stream) resume() {
	if s.waiting {
		s.waiting = false
		s.wake <- struct{}{}
	}
}

// shutdown needs a goroutine: the end of a TLS stream is written like everything else. It
// ends with the connection at the latest.
func (s *stream) shutdown(c *Connection) {
	if w, ok := s.conn.(interface{ CloseWrite() error }); ok {
		c.hub.goroutines.Go(func() { _ = w.CloseWrite() })
	}
}

func (s *stream) close(c *Connection, abort bool) {
	s.resume()
	conn, secure := below(s.conn)
	if secure && !abort {
		// It says that it ends, and waits five seconds for that at most.
		c.hub.goroutines.Go(func() { _ = s.conn.Close() })
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && abort {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// below returns the connection that the layers of another one stand on, such as TLS, and
// whether there are any.
func below(conn net.Conn) (lowest net.Conn, layered bool) {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn, layered
		}
		conn, layered = inner.NetConn(), true
	}
}
