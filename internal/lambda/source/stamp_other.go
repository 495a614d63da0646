//go:build !linux

package source

import "os"

// A stamp is another one when a file was replaced or written.
type stamp struct {
	size, modified int64
}

// stampOf returns the stamp of the file that path leads to.
func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return stamp{}, errNoFile
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}, nil
}
