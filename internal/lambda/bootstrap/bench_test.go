package bootstrap

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// BenchmarkInvoke measures an invocation of a function that answers with its event: the
// way there and back and the work of the runtime. The host does as little as it can.
// cpu-µs/op is what the runtime uses, its start included.
func BenchmarkInvoke(b *testing.B) {
	for _, tt := range functions {
		b.Run(tt.name, func(b *testing.B) {
			benchmarkInvoke(b, tt.runtime, tt.name, tt.echo)
		})
	}
}

func benchmarkInvoke(b *testing.B, runtime, language, handler string) {
	runtimes, err := installed()
	if err != nil {
		b.Fatal(err)
	}
	argv, _, err := runtimes.Command(runtime, 512)
	if err != nil {
		b.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	command := exec.Command(argv[0], argv[1:]...)
	command.Stderr = os.Stderr
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=testdata/" + language, "_HANDLER=" + handler,
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReader(conn)
	next := func() {
		request, err := http.ReadRequest(r)
		if err != nil || request.Method != http.MethodGet {
			b.Fatal(request, err)
		}
	}
	next()
	payload := `{"version":"2.0","rawPath":"/pets","headers":{"accept":"*/*"},"body":"` + strings.Repeat("x", 500) + `"}`
	invocation := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\n"+
		"Lambda-Runtime-Deadline-Ms: 1900000000000\r\nLambda-Runtime-Trace-Id: Root=1-67fd88cb-4981526a50466e9f2be0fbed\r\n"+
		"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:pets\r\n"+
		"Content-Length: %d\r\n\r\n%s", requestID(1), len(payload), payload)
	accepted := []byte("HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(invocation); err != nil {
			b.Fatal(err)
		}
		request, err := http.ReadRequest(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			b.Fatal(err)
		}
		next()
		if _, err := conn.Write(accepted); err != nil {
			b.Fatal(err)
		}
	}
	listener.Close() // first: without a host, the process ends
	conn.Close()
	command.Wait()
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/op")
}
