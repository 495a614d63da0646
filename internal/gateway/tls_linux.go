package gateway

import "golang.org/x/sys/unix"

// States of a TCP connection, from the kernel's list.
const (
	tcpClose     = 7
	tcpCloseWait = 8
)

// otherEndClosed asks the kernel whether the other end of a TCP connection has closed.
// Under TLS, reading without taking does not tell: there is a record that says so
// before the end.
func otherEndClosed(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && (info.State == tcpCloseWait || info.State == tcpClose)
}
