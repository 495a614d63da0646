package source

import (
	"io/fs"
	"syscall"
)

// identity returns the device and the number of a file, and when it was last changed in
// any way, in nanoseconds since 1970; zeros where that is not known.
func identity(info fs.FileInfo) (device, inode uint64, changed int64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Dev, s.Ino, s.Ctim.Nano()
	}
	return 0, 0, 0
}
