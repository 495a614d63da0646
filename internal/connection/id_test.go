package connection

import "testing"

// TestNewID: IDs are valid, differ, and are no flags of command lines.
func TestNewID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 10_000 {
		id := NewID()
		if !ValidID(id) || id[0] == '-' {
			t.Fatalf("ID %q", id)
		}
		seen[id] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d IDs of 10,000", len(seen))
	}
}
