//go:build unix && !linux

package lambda

import (
	"os"
	"syscall"
)

// attributes are those of all processes of functions.
func attributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: credential}
}

// keepDescriptors does nothing: files are opened so that they end where this process
// starts another one.
func keepDescriptors() {}

// limit does nothing: a process cannot be limited from outside.
func limit(int) {}

// awaitExit cannot wait for a child without ending its existence.
func awaitExit(int) bool { return false }

// memory is not known here, and not limited.
func (p *process) memory() int64 { return 0 }

func openMemory(int) *os.File { return nil }

// watch has nothing to watch.
func (h *Host) watch() {
	for {
		select {
		case <-h.stop:
			return
		case <-h.wake:
		}
	}
}
