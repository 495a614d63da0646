package main

import "testing"

// TestTrim: memory is given back once after each burst, when it is over.
func TestTrim(t *testing.T) {
	t.Parallel()
	released := 0
	trim := newTrimmer()
	trim.release = func() { released++ }
	const mega = 1 << 20
	for i, step := range []struct {
		allocated uint64 // since the step before
		want      int
	}{
		{allocated: 10 * mega, want: 0}, // the start
		{allocated: 0, want: 0},         // too little to be worth it
		{allocated: 5 * mega, want: 0},
		{allocated: 5 * mega, want: 0}, // enough, but still at work
		{allocated: mega / 2, want: 1}, // it rests
		{allocated: mega / 2, want: 1},
		{allocated: 30 * mega, want: 1},
		{allocated: 0, want: 2},
	} {
		trim.look(trim.last + step.allocated)
		if released != step.want {
			t.Errorf("step %d: released %d times, want %d", i, released, step.want)
		}
	}
}
