//go:build linux

package main

import (
	"testing"
	"time"
)

func TestWithLambda(t *testing.T) {
	for _, tt := range []struct {
		tables, rest   string
		lambda, others bool
	}{
		{"", "", true, true},
		{"lambda", "", true, false},
		{"plain lambda tls", "plain tls", true, true},
		{"plain", "plain", false, true},
	} {
		if rest, lambda, others := withLambda(tt.tables); rest != tt.rest || lambda != tt.lambda || others != tt.others {
			t.Errorf("%q: got %q, %v, %v", tt.tables, rest, lambda, others)
		}
	}
}

// The time of a tree is also that of children in process groups of their own, and that
// of the first process is without them.
func TestTreeCPU(t *testing.T) {
	s, err := spawn(nil, "sh", "-c", "setsid sh -c 'while :; do :; done' & child=$!; trap 'kill $child; exit' TERM; wait")
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		own, tree, err := treeCPU(s.cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if tree > own+100*time.Millisecond {
			return
		}
	}
	t.Error("a busy child used no time")
}
