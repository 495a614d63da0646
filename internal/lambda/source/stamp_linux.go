package source

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// A stamp is another one when a file was replaced or written.
type stamp struct {
	device, inode     uint64
	size              int64
	modified, changed int64 // nanoseconds since 1970
}

// stampOf returns the stamp of the file that path leads to.
func stampOf(path string) (stamp, error) {
	var s unix.Stat_t
	for {
		switch err := unix.Stat(path, &s); err {
		case nil:
			if s.Mode&unix.S_IFMT != unix.S_IFREG { // opening a pipe would wait
				return stamp{}, errNoFile
			}
			return stamp{uint64(s.Dev), s.Ino, s.Size, s.Mtim.Nano(), s.Ctim.Nano()}, nil
		case unix.EINTR:
		default:
			return stamp{}, &fs.PathError{Op: "stat", Path: path, Err: err}
		}
	}
}
