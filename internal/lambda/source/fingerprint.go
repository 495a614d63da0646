package source

import (
	"hash/maphash"
	"io/fs"
	"path/filepath"
)

// seed is that of all fingerprints, which never leave this process.
var seed = maphash.MakeSeed()

// A fingerprint is another one when a directory has changed.
type fingerprint struct {
	dir string // without links
	sum uint64
}

// takeFingerprint returns the fingerprint of the directory that path leads to: of names,
// modes, lengths, times and, where there are such, numbers of files. Of directories only
// the names and modes count, because their times change with what is ignored.
// Directories that cannot be read, and what vanishes meanwhile, are as if they were not
// there.
func takeFingerprint(path string) (fingerprint, error) {
	dir, err := resolve(path)
	if err != nil {
		return fingerprint{}, err
	}
	var h maphash.Hash
	h.SetSeed(seed)
	add := func(n uint64) { maphash.WriteComparable(&h, n) }
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case name == dir:
			return err
		case err != nil:
			return nil
		case ignored(filepath.Base(filepath.Dir(name)), d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		maphash.WriteComparable(&h, name)
		add(uint64(info.Mode()))
		if d.IsDir() {
			return nil
		}
		add(uint64(info.Size()))
		add(uint64(info.ModTime().UnixNano()))
		device, inode, changed := identity(info)
		add(device)
		add(inode)
		add(uint64(changed))
		return nil
	})
	return fingerprint{dir, h.Sum64()}, err
}
