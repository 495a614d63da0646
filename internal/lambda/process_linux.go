package lambda

import (
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFiles is how many files an environment may have open. Source: Lambda quotas.
const maxFiles = 1024

// attributes are those of all processes of functions. They end with the thread that has
// started them, and so with this process, however it ends.
func attributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: credential}
}

// keepDescriptors has the descriptors of this process end where it starts another one,
// those included that it was started with itself.
func keepDescriptors() {
	// Kernels before 5.11 cannot; our own descriptors are closed there all the same.
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
}

// limit sets the limits of a process that runs already.
func limit(pid int) {
	// It may have ended.
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: maxFiles, Max: maxFiles}, nil)
}

// awaitExit waits until a child has ended, and leaves it to be waited for. It reports
// whether it could.
func awaitExit(pid int) bool {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return err == nil
		}
	}
}
