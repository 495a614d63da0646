package gateway

import "testing"

// TestRequestID: IDs are 16 characters, differ, and are no flags of command lines.
func TestRequestID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 10_000 {
		var b [16]byte
		id := requestID(&b)
		if len(id) != 16 || id[15] != '=' || id[0] == '-' {
			t.Fatalf("ID %q", id)
		}
		seen[string(b[:])] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d IDs of 10,000", len(seen))
	}
}
