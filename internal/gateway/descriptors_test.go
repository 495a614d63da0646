//go:build unix

package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// starve makes the test binary a server with few file descriptors.
const starve = "PENSTOCK_TEST_STARVE"

func TestMain(m *testing.M) {
	if os.Getenv(starve) == "" {
		os.Exit(m.Run())
	}
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	traffic, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	health, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go s.Serve(traffic)
	go http.Serve(health, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.Conns()) }))
	fmt.Println(traffic.Addr(), health.Addr())
	io.Copy(io.Discard, os.Stdin) // until the parent ends
	os.Exit(0)
}

// TestDescriptors: clients cannot take all file descriptors of the process; what
// else it serves goes on, and so does it when they have left.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), starve+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	traffic, health, _ := strings.Cut(strings.TrimSpace(line), " ")
	healthy := func() string {
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Get("http://" + health)
		if err != nil {
			t.Fatalf("the rest of the process is not served: %v", err)
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		return string(body)
	}
	var held []net.Conn
	for range 150 {
		c, err := net.Dial("tcp", traffic)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET /") // busy: not to be closed for another one
		held = append(held, c)
		if len(held)%10 == 0 {
			healthy()
		}
	}
	await(t, "the server is full", func() bool {
		n, err := strconv.Atoi(healthy())
		return err == nil && n >= 32 && n < 40
	})
	for _, c := range held {
		c.Close()
	}
	start := time.Now()
	await(t, "good clients are served again", func() bool {
		c, err := net.Dial("tcp", traffic)
		if err != nil {
			return false
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		io.WriteString(c, request("GET / HTTP/1.1"))
		answer, _ := bufio.NewReader(c).ReadString('\n')
		return answer == "HTTP/1.1 404 Not Found\r\n"
	})
	if took := time.Since(start); took > time.Second {
		t.Errorf("recovered after %v", took)
	}
}
