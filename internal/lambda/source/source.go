// Package source says where the code of a function is, and notices when it changes:
//
//	d, err := source.Directory("functions/orders")
//	dir, revision, err := d.Code()
//
// Code has another revision after each change. It is asked for each invocation, so that
// the invocation after a change runs the new code; while nothing changes it takes one
// system call. A source is a directory that never changes (Fixed), a directory that is
// watched (Directory), or a zip file that is extracted whenever it is another one (Zip).
// Extract and Check read archives that strangers made.
package source

import (
	"errors"
	"strings"
)

// errClosed is the error of Code after Close.
var errClosed = errors.New("the source of the code is closed")

// Static is a directory that never changes.
type Static struct {
	dir string
}

// Fixed returns the source of a directory that never changes. It is not looked at.
func Fixed(dir string) Static {
	return Static{dir}
}

// Code returns the directory and always the same revision.
func (s Static) Code() (dir string, revision uint64, err error) {
	return s.dir, 1, nil
}

// ignored reports whether changes of a file or directory do not count as changes of the
// code: what version control keeps, what editors drop while they save, and what
// runtimes and build tools write while the code runs. Code that these count for would
// be started again without end. Parent is the name of the directory that it is in.
func ignored(parent, name string) bool {
	switch name {
	case ".git", ".hg", ".svn", "__pycache__", ".DS_Store":
		return true
	case ".cache":
		return parent == "node_modules"
	case "4913": // Vim makes and removes it to see whether it may
		return true
	}
	switch {
	case strings.HasSuffix(name, "~"), strings.HasSuffix(name, ".pyc"):
		return true
	case strings.Contains(name, ".pyc."): // Python writes x.pyc.140234 and renames it
		return true
	case strings.HasPrefix(name, ".#"), strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"): // Emacs
		return true
	case strings.HasPrefix(name, "."): // Vim: .index.js.swp, .swo, .swx
		rest := name[max(0, len(name)-4):]
		return strings.HasPrefix(rest, ".sw") && len(rest) == 4
	}
	return false
}
