package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeWhole makes a file, or replaces one, by what write writes. The file appears
// when all of it is on disk; if there is an error, everything is as before. A link
// is followed. Devices and pipes are refused: they cannot be replaced.
func writeWhole(name string, perm fs.FileMode, write func(*os.File) error) error {
	if _, err := os.Lstat(name); err == nil {
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a file that can be replaced: choose another name, or standard output", name)
		}
	}
	f, err := os.OpenFile(name+"."+rand.Text()+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
