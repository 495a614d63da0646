package journal

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

func BenchmarkAdd(b *testing.B) {
	j, _ := mustOpen(b, filepath.Join(b.TempDir(), "connections"), Options{})
	e := testEntry("L0SM9cOFvHcCIhw=")
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Add(e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAddRemove is the life of a connection, with the compactions it is a cause of.
func BenchmarkAddRemove(b *testing.B) {
	j, _ := mustOpen(b, filepath.Join(b.TempDir(), "connections"), Options{})
	e := testEntry("L0SM9cOFvHcCIhw=")
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Add(e); err != nil {
			b.Fatal(err)
		}
		if err := j.Remove(e.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// many opens a journal with 100,000 connections.
func many(b *testing.B) (*Journal, string) {
	path := filepath.Join(b.TempDir(), "connections")
	j, _ := mustOpen(b, path, Options{})
	for i := range 100_000 {
		if err := j.Add(testEntry(fmt.Sprintf("L0SM9cOFv%06d=", i))); err != nil {
			b.Fatal(err)
		}
	}
	return j, path
}

func BenchmarkOpen(b *testing.B) {
	j, path := many(b)
	must(b, j.Close())
	b.ReportAllocs()
	for b.Loop() {
		j, open := mustOpen(b, path, Options{})
		if len(open) != 100_000 {
			b.Fatalf("got %d entries", len(open))
		}
		must(b, j.Close())
	}
}

// BenchmarkCompaction writes a file of 100,000 connections anew. The longest that another
// connection had to wait in the meantime is reported beside.
func BenchmarkCompaction(b *testing.B) {
	j, _ := many(b)
	e := testEntry("L0SM9cOFvHcCIhw=")
	var longest time.Duration
	added := 0
	b.ReportAllocs()
	for b.Loop() {
		done := make(chan error)
		go func() { done <- j.rewrite() }()
		for running := true; running; {
			select {
			case err := <-done:
				must(b, err)
				running = false
			default:
				start := time.Now()
				must(b, j.Add(e))
				longest = max(longest, time.Since(start))
				added++
			}
		}
	}
	b.ReportMetric(float64(longest.Microseconds()), "µs-longest-Add")
	b.ReportMetric(float64(added)/float64(b.N), "Adds/op")
}
