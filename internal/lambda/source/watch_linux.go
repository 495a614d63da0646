package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// What is asked of the kernel. Closing a file does not count: a function that opens a
// database in its directory for writing would change its own code by ending.
const (
	watchTree = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
		unix.IN_EXCL_UNLINK | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW
	watchTop    = watchTree | watchWay
	watchWay    = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_DONT_FOLLOW
	watchLink   = watchWay | unix.IN_ATTRIB // its removal changes how many names it has
	watchParent = watchWay | unix.IN_DELETE
	lostSelf    = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_UNMOUNT | unix.IN_IGNORED
)

// A watcher is told by the kernel of all that happens in a directory, and to the
// directories and links on the way to it. It is not safe for many goroutines, but for
// pending.
type watcher struct {
	dir    string         // without links
	fd     int            // an inotify instance
	top    int            // the watch of dir
	trees  map[int]string // directories in dir and dir itself, by watch
	parent int            // the watch of the directory that dir is in
	way    map[int]bool   // directories and links on the way to dir
	buffer []byte
}

// watch watches the directory that an absolute path leads to.
func watch(path string) (w *watcher, err error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		// The path decides first: what is not there cannot be compared either.
		if _, err := resolve(path); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("inotify: %s", err) // not an error of the directory
	}
	w = &watcher{fd: fd, top: -1, parent: -1, trees: map[int]string{}, way: map[int]bool{}, buffer: make([]byte, 64<<10)}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	// What changes on the way while it is walked is in the queue, because each part is
	// watched before the next one is looked at.
	if w.dir, err = w.walk(path); err != nil {
		return nil, err
	}
	if remote, err := remote(w.dir); err != nil {
		return nil, err
	} else if remote {
		return nil, errors.New("the file system does not tell of changes by other machines")
	}
	if w.parent, err = w.addWay(filepath.Dir(w.dir), watchParent); err != nil {
		return nil, err
	}
	// The last mask of a watch counts; the directory itself is its own parent at "/".
	if w.top, err = unix.InotifyAddWatch(fd, w.dir, watchTop); err != nil {
		if err == unix.ENOTDIR {
			err = errNoDirectory
		}
		return nil, pathError("watch", w.dir, err)
	}
	delete(w.way, w.top)
	if err = w.add(w.dir); err != nil {
		return nil, err
	}
	return w, nil
}

// walk watches everything on the way to path and returns where it leads to.
func (w *watcher) walk(path string) (string, error) {
	dir, links := "/", 0
	rest := strings.Split(path, "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			dir = filepath.Dir(dir)
			continue
		}
		next := filepath.Join(dir, part)
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if dir = next; !info.IsDir() {
				return "", errNoDirectory
			}
			if _, err := w.addWay(dir, watchWay); err != nil {
				return "", err
			}
			continue
		}
		if links++; links > maxLinks {
			return "", pathError("watch", path, unix.ELOOP)
		}
		if _, err := w.addWay(next, watchLink); err != nil {
			return "", err
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			dir = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return dir, nil
}

// addWay watches something on the way. What may not be read is not watched, such as a
// directory of home directories: who may rename it is not who edits the code.
func (w *watcher) addWay(path string, mask uint32) (int, error) {
	wd, err := unix.InotifyAddWatch(w.fd, path, mask)
	switch err {
	case nil:
		w.way[wd] = true
		return wd, nil
	case unix.EACCES:
		return -1, nil
	}
	return -1, pathError("watch", path, err)
}

// add watches a directory and those in it. Each is watched before it is listed, so that
// none is missed that is made meanwhile; what vanishes meanwhile is in the queue.
func (w *watcher) add(dir string) error {
	wd, err := unix.InotifyAddWatch(w.fd, dir, watchTree|unix.IN_MASK_ADD)
	switch err {
	case nil:
	case unix.ENOENT, unix.ENOTDIR, unix.EACCES:
		return nil
	default:
		return fmt.Errorf("inotify: %w", err)
	}
	w.trees[wd] = dir
	entries, err := os.ReadDir(dir)
	parent := filepath.Base(dir)
	for _, e := range entries {
		if !e.IsDir() || ignored(parent, e.Name()) {
			continue
		}
		if err := w.add(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err != nil && !missing(err) && !errors.Is(err, unix.ENOTDIR) {
		return err
	}
	return nil
}

// pending reports whether something has happened. It may be called by many goroutines
// while no other method is.
func (w *watcher) pending() bool {
	// TIOCINQ is another name of FIONREAD, "how many bytes may be read".
	n, err := unix.IoctlGetInt(w.fd, unix.TIOCINQ)
	return n != 0 || err != nil
}

// drain takes everything from the queue that is there. Changed reports whether the code
// is another one; again, that the watcher cannot go on and another one must be opened.
func (w *watcher) drain() (changed, again bool) {
	left, err := unix.IoctlGetInt(w.fd, unix.TIOCINQ)
	if err != nil {
		return true, true
	}
	for left > 0 {
		n, err := unix.Read(w.fd, w.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN: // equal events are one by now
			return changed, false
		case err != nil || n <= 0:
			return true, true
		}
		left -= n
		for b := w.buffer[:n]; len(b) >= unix.SizeofInotifyEvent; {
			wd := int(int32(binary.NativeEndian.Uint32(b)))
			mask := binary.NativeEndian.Uint32(b[4:])
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:end], []byte{0})
			b = b[end:]
			c, a := w.event(wd, mask, string(name))
			changed = changed || c
			if a {
				return true, true
			}
		}
	}
	return changed, false
}

// event judges one event, as drain does all.
func (w *watcher) event(wd int, mask uint32, name string) (changed, again bool) {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		return true, true
	}
	dir, in := w.trees[wd]
	if !in {
		switch {
		case wd == w.parent && mask&unix.IN_DELETE != 0:
			return false, name == filepath.Base(w.dir)
		case w.way[wd]:
			return false, mask&(lostSelf|unix.IN_ATTRIB) != 0
		}
		return false, false // of a directory that is gone
	}
	switch {
	case wd == w.top && (mask&lostSelf != 0 || mask&unix.IN_ATTRIB != 0 && name == "" && !w.same()):
		return true, true
	case mask&unix.IN_IGNORED != 0:
		delete(w.trees, wd)
		return false, false // its removal was told before
	case name != "" && ignored(filepath.Base(dir), name):
		return false, false
	case mask&unix.IN_ISDIR == 0 || name == "":
		return true, false
	case mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0:
		return true, true // the names of all in it are others
	case mask&(unix.IN_CREATE|unix.IN_ATTRIB) != 0: // or may be read from now on
		return true, w.add(filepath.Join(dir, name)) != nil
	}
	return true, false
}

// same reports whether the directory is still where it was: what is watched already has
// the same watch again.
func (w *watcher) same() bool {
	wd, err := unix.InotifyAddWatch(w.fd, w.dir, watchTop)
	return err == nil && wd == w.top
}

func (w *watcher) close() {
	_ = unix.Close(w.fd)
}

// remote reports whether a directory is on a file system that others write to without
// the kernel noticing.
func remote(dir string) (bool, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return false, pathError("statfs", dir, err)
	}
	switch uint32(s.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC:
		return true, nil
	}
	return false, nil
}

func pathError(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}
