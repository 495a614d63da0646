package remote

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"penstock/internal/integration"
)

// cpuTime reports the CPU time of an operation, that of the callee in this process
// included.
func cpuTime(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/1000/float64(b.N), "cpu-µs/op") }
}

// benchService answers without looking at signatures.
func benchService(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"statusCode":200,"body":"ok"}`)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

var benchEvent = bytes.Repeat([]byte("1"), 2000)

func BenchmarkInvoke(b *testing.B) {
	i, err := New(Config{Keyring: keyring(b, nil), Endpoint: benchService(b), Credentials: testCredentials})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close()
	in := integration.Invocation{Function: testARN, Payload: benchEvent, TraceID: "Root=1-67fd88cb-4981526a50466e9f2be0fbed"}
	b.ReportAllocs()
	defer cpuTime(b)()
	for b.Loop() {
		if _, err := i.Invoke(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBare is the same request by net/http, without a signature: what of
// BenchmarkInvoke is not the doing of this package.
func BenchmarkBare(b *testing.B) {
	url := benchService(b)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	defer cpuTime(b)()
	for b.Loop() {
		resp, err := client.Post(url, "application/json", bytes.NewReader(benchEvent))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
