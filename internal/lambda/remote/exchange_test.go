package remote

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// A reader of a payload, long or short, and one that is made later, reads nothing of it
// once the call is over.
func TestEnd(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, maxCopy, maxCopy + 1} {
		event := bytes.Repeat([]byte("a"), n)
		x := &exchange{payload: event}
		body := x.body()
		first, _ := body()
		if got, err := io.ReadAll(first); err != nil || !bytes.Equal(got, event) {
			t.Errorf("%d: read %d bytes, %v", n, len(got), err)
		}
		under, _ := body()
		if _, err := io.ReadFull(under, make([]byte, 5)); err != nil {
			t.Error(err)
		}
		x.end()
		for i := range event {
			event[i] = 'b'
		}
		later, _ := body()
		for _, r := range []io.Reader{under, later} {
			got, err := io.ReadAll(r)
			if bytes.IndexByte(got, 'b') >= 0 || n > maxCopy && !errors.Is(err, errOver) {
				t.Errorf("%d: read %.20q, %v after the end", n, got, err)
			}
		}
	}
}
