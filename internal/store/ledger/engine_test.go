package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

// After a write that failed, in whatever way, reads go on at the last commit that
// was acknowledged, writes are refused, Close does not hang, and opening again shows
// everything that was acknowledged.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fail func(e *engine)
	}{
		{"the disk", func(e *engine) { e.file.Close() }},
		{"bbolt panics", func(e *engine) { e.db = nil }},
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		l, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		storetest.MustAppend(t, l, storetest.Put("a", "1", "b", "1"))
		tt.fail(l.engine)
		for range 3 {
			if _, err := l.Append(t.Context(), storetest.Put("a", "2")); err == nil || !strings.Contains(err.Error(), path+" takes no writes") {
				t.Errorf("%s: got error %v", tt.name, err)
			}
			if got := storetest.Show(l); got != "a 1 1\nb 1 1\n" || l.Last() != 1 {
				t.Errorf("%s: got %q at revision %d", tt.name, got, l.Last())
			}
		}
		conflict := storetest.Put("a", "2")
		conflict.Expect = map[string]uint64{"a": 0}
		if _, err := l.Append(t.Context(), conflict); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got error %v for a conflict", tt.name, err)
		}
		l.Close()

		again, err := Open(path, Options{})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := storetest.Show(again); got != "a 1 1\nb 1 1\n" || again.Last() != 1 {
			t.Errorf("%s: got %q at revision %d after opening again", tt.name, got, again.Last())
		}
		storetest.MustAppend(t, again, storetest.Put("a", "2"))
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A file that someone cuts off under an open ledger makes bbolt's mapping fault. That
// is an error of the write and no more.
func TestFaultDuringWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.MustAppend(t, l, storetest.Put("a", "1"))
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.Append(t.Context(), storetest.Put("a", "2")); err == nil || !strings.Contains(err.Error(), "could not be read") {
			t.Errorf("got error %v", err)
		}
	}
	if got := storetest.Show(l); got != "a 1 1\n" {
		t.Errorf("got %q", got)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := Open(path, Options{}); !errors.As(err, new(*store.DamageError)) {
		t.Errorf("got error %v after opening again", err)
	}
}
