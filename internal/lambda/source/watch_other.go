//go:build !linux

package source

import "errors"

// A watcher does not exist on this system.
type watcher struct {
	dir string
}

func watch(path string) (*watcher, error) {
	if _, err := resolve(path); err != nil {
		return nil, err
	}
	return nil, errors.New("this system does not tell of changes")
}

func (w *watcher) pending() bool                { return false }
func (w *watcher) drain() (changed, again bool) { return false, false }
func (w *watcher) close()                       {}
