package route

import "strings"

// inlineVars is how many values Vars holds without allocating.
const inlineVars = 8

// Vars holds the values of path variables after a Match. The zero value is empty
// and ready for use; one Vars can serve any number of matches, one at a time. The
// values are slices of the path that was matched and live as long as it does.
type Vars struct {
	n      int
	inline [inlineVars]string
	more   []string // the values from inlineVars on
}

// Len returns the number of values.
func (v *Vars) Len() int { return v.n }

// At returns the value of the i-th variable of the key, which Key.Vars names. It
// panics if i is out of range.
func (v *Vars) At(i int) string {
	if i < inlineVars {
		return v.inline[:min(v.n, inlineVars)][i]
	}
	return v.more[i-inlineVars]
}

// Reset empties v and lets go of the path.
func (v *Vars) Reset() {
	clear(v.inline[:min(v.n, inlineVars)])
	clear(v.more)
	v.n, v.more = 0, v.more[:0]
}

func (v *Vars) add(value string) {
	if v.n < inlineVars {
		v.inline[v.n] = value
	} else {
		v.more = append(v.more, value)
	}
	v.n++
}

// fill adds the values that path has where segments have variables. The path
// matches the segments.
func (v *Vars) fill(segments []Segment, path string) {
	for _, s := range segments {
		path = path[1:] // the slash
		if s.Kind == Greedy {
			v.add(path)
			return
		}
		end := strings.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if s.Kind == Variable {
			v.add(path[:end])
		}
		path = path[end:]
	}
}
