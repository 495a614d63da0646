//go:build !linux

package connection

import "net"

// A poller is for Linux only.
type poller struct{}

func (h *Hub) poll(*Connection, net.Conn) (carrier, error) { return nil, nil }

func (p *poller) stop() {}
