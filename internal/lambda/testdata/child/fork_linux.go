package main

import "syscall"

// fork has a copy of this process wait forever. If it writes, it does not share b.
func fork(b []byte, writes bool) error {
	pid, _, err := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if err != 0 {
		return err
	}
	if pid != 0 {
		return nil
	}
	// There is one thread, and nobody who schedules: nothing may be called but the system.
	for i := 0; writes && i < len(b); i += 4096 {
		b[i] = 2
	}
	for {
		syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}
