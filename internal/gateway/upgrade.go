package gateway

import (
	"bytes"
	"net"
	"net/http"
)

// A Taker is given a connection that has changed its protocol. It must send head first,
// the response that says so; early is what the client has sent behind its request. The
// connection is the taker's from then on, who closes it. What head and early are in is not
// used again.
type Taker func(c net.Conn, head, early []byte)

// CanUpgrade reports whether the protocol of the connection can be changed: not if
// exchanges share it, as those of HTTP/2 do, or if the client speaks HTTP/1.0.
func (x *Exchange) CanUpgrade() bool {
	_, ok := x.transport.(*conn)
	return ok && x.Request.Minor > 0
}

// Upgrade answers an exchange that can be upgraded with 101, and has its connection taken
// once the exchange is over for everybody else. Fields are those of the response, with
// Upgrade but without Connection. The taker may still use the exchange.
func (x *Exchange) Upgrade(fields []Field, take Taker) {
	x.Response = Response{Status: http.StatusSwitchingProtocols, Header: fields, Bodiless: true, Body: Body{Length: -1}}
	x.take = take
}

// handOver gives the connection away.
func (c *conn) handOver() {
	x, s := &c.x, c.s
	head := appendStatusLine(nil, x.Response.Status)
	for _, f := range x.Response.Header {
		head = append(append(append(append(head, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	head = append(head, "Connection: upgrade\r\n"...)
	head = append(head, s.dateField(x.Start)...)
	head = append(append(append(head, requestIDField+": "...), x.ID...), "\r\n\r\n"...)
	early, _ := c.br.Peek(c.br.Buffered())
	early = bytes.Clone(early)
	// Who sets deadlines holds the lock: nobody does once the connection is forgotten.
	s.forget(c)
	c.enter(phaseExchange)
	c.handed = true
	x.take(c.nc, head, early)
	s.finish(x)
}

// close closes the connection, unless it belongs to somebody else.
func (c *conn) close() {
	if !c.handed {
		c.nc.Close()
	}
}
