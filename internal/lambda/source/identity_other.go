//go:build !linux

package source

import "io/fs"

// identity returns zeros: the length and the time of a file must do.
func identity(fs.FileInfo) (device, inode uint64, changed int64) {
	return 0, 0, 0
}
