package lambda

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"penstock/internal/functionlog"
)

// BenchmarkInvoke measures warm invocations of a function that answers with its event.
// self-us is the time that this process computes for each.
func BenchmarkInvoke(b *testing.B) {
	for _, bb := range []struct {
		name, pipeline string
		size           int
	}{{"plain", "", 1 << 10}, {"pipelined", "1", 1 << 10}, {"64K", "1", 64 << 10}} {
		b.Run(bb.name, func(b *testing.B) {
			f := newTestHost(b, Config{Log: nowhere{}}).NewFunction(testSpec(b, "PIPELINE="+bb.pipeline))
			c := call(`{"text":"` + strings.Repeat("x", bb.size) + `"}`)
			mustInvoke(b, f, `{}`)
			b.ReportAllocs()
			before := computed(b)
			for b.Loop() {
				if r, err := f.Invoke(context.Background(), c); err != nil || r.FunctionError != "" {
					b.Fatal(err, string(r.Payload))
				}
			}
			b.ReportMetric(float64(computed(b)-before)/float64(time.Microsecond)/float64(b.N), "self-us/op")
		})
	}
}

// BenchmarkInvokeParallel measures warm invocations of 50 callers at a time, each with an
// environment.
func BenchmarkInvokeParallel(b *testing.B) {
	for _, bb := range []struct{ name, pipeline string }{{"plain", ""}, {"pipelined", "1"}} {
		b.Run(bb.name, func(b *testing.B) {
			const callers = 50
			spec := testSpec(b, "PIPELINE="+bb.pipeline)
			spec.Concurrency = -1
			f := newTestHost(b, Config{Log: nowhere{}}).NewFunction(spec)
			c := call(`{"text":"` + strings.Repeat("x", 1<<10) + `"}`)
			var warm sync.WaitGroup
			for range callers {
				warm.Go(func() { mustInvoke(b, f, `{"do":"sleep","ms":100}`) })
			}
			warm.Wait()
			b.SetParallelism(callers / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			before := computed(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if r, err := f.Invoke(context.Background(), c); err != nil || r.FunctionError != "" {
						b.Error(err, string(r.Payload))
						return
					}
				}
			})
			b.ReportMetric(float64(computed(b)-before)/float64(time.Microsecond)/float64(b.N), "self-us/op")
		})
	}
}

// nowhere is a log that keeps nothing.
type nowhere struct{}

func (nowhere) Append(functionlog.Line) {}

// computed returns the time that this process has computed.
func computed(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
