package authorizer

import (
	"runtime"
	"sync"
	"weak"
)

// A weakMap finds values by name as long as somebody else holds them.
type weakMap[T any] map[string]weak.Pointer[T]

// get returns the value of a name, made anew if nobody holds one. The caller holds
// the mutex, which guards the map; a value that nobody holds any more is removed
// under it.
func (m weakMap[T]) get(mu *sync.Mutex, name string, build func() *T) *T {
	if v := m[name].Value(); v != nil {
		return v
	}
	v := build()
	m[name] = weak.Make(v)
	runtime.AddCleanup(v, func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if m[name].Value() == nil {
			delete(m, name)
		}
	}, name)
	return v
}
