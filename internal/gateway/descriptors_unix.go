//go:build unix

package gateway

import "syscall"

// defaultConns is how many connections fit when the process has no other limit
// than its file descriptors.
func defaultConns() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return fallbackConns
	}
	n := int(min(uint64(l.Cur), 1<<24))
	return max(n-max(n/8, 32), 1)
}
