package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{200, 40_000, 200_000} {
		data := make([]byte, size)
		rand.NewChaCha8([32]byte{}).Read(data)
		b.Run(fmt.Sprintf("%dB/sequential", size), func(b *testing.B) {
			l := mustOpen(b, newPath(b), store.Keep{})
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				storetest.MustAppend(b, l, put(n%100, data))
				n++
			}
		})
		b.Run(fmt.Sprintf("%dB/32 at once", size), func(b *testing.B) {
			l := mustOpen(b, newPath(b), store.Keep{})
			b.ReportAllocs()
			b.SetParallelism(16) // times 2 processors
			var n atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					storetest.MustAppend(b, l, put(int(n.Add(1)%100), data))
				}
			})
		})
	}
}

func put(i int, data []byte) store.Batch {
	return store.Batch{Actor: "benchmark", Changes: []store.Change{{Key: fmt.Sprintf("api.%04d", i), Data: data}}}
}

// BenchmarkOpen opens a ledger with 1,000 documents of 40 kB, each of which is also
// in one of the 1,000 kept commits: 80 MB to verify.
func BenchmarkOpen(b *testing.B) {
	path := newPath(b)
	fillThousand(b, path)
	b.ReportAllocs()
	for b.Loop() {
		l := mustOpen(b, path, store.Keep{})
		if n := len(l.List("")); n != 1000 {
			b.Fatalf("%d documents", n)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func fillThousand(b *testing.B, path string) {
	l := mustOpen(b, path, store.Keep{})
	random := rand.NewChaCha8([32]byte{})
	data := make([]byte, 40_000)
	for i := range 1000 {
		random.Read(data)
		storetest.MustAppend(b, l, put(i, data))
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
