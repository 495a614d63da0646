package connection

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clientsVariable has this binary be clients instead of tests: "what address number".
const clientsVariable = "PENSTOCK_CONNECTION_CLIENTS"

func TestMain(m *testing.M) {
	if v := os.Getenv(clientsVariable); v != "" {
		beClients(v)
		return
	}
	os.Exit(m.Run())
}

// beClients connects, says "ready", and does what it is asked to until its input ends.
func beClients(v string) {
	var what, address string
	var number int
	if _, err := fmt.Sscan(v, &what, &address, &number); err != nil {
		panic(err)
	}
	request := text(strings.Repeat("x", 64))
	var all []net.Conn
	for range number {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		all = append(all, conn)
	}
	if what == "once" {
		for _, conn := range all {
			if _, err := conn.Write(request); err != nil {
				panic(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, 66)); err != nil {
				panic(err)
			}
		}
	}
	fmt.Println("ready")
	for _, conn := range all {
		switch what {
		case "read":
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		case "echo":
			go func() {
				answer := make([]byte, 66)
				for {
					if _, err := conn.Write(request); err != nil {
						return
					}
					if _, err := io.ReadFull(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// clients has a process of their own connect to the Hub. It returns when all are adopted.
func clients(t testing.TB, h *Hub, what string, number int, handler Handler) []*Connection {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || int(limit.Cur) < number+500 {
		t.Skipf("%d connections need as many descriptors, and %d are allowed", number, limit.Cur)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", clientsVariable, what, l.Addr(), number))
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = child.Wait()
	})
	all := make([]*Connection, 0, number)
	for range number {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Adopt(conn, nil, nil, Info{ID: NewID(), API: "a1b2c3d4e5", Stage: "prod", SourceIP: "192.0.2.7",
			UserAgent:  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
			DomainName: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}, handler)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the clients said %q, %v", line, err)
	}
	return all
}

// memory returns the bytes that the Go heap and stacks hold, and those of the process.
func memory(t testing.TB) (held, resident int) {
	t.Helper()
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if data, err := os.ReadFile("/proc/self/statm"); err == nil {
		pages, err := strconv.Atoi(strings.Fields(string(data))[1])
		if err != nil {
			t.Fatal(err)
		}
		resident = pages * os.Getpagesize()
	}
	return int(m.HeapAlloc + m.StackInuse), resident
}

// raced reports whether this binary detects races, which takes memory.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// TestIdleMemory has 15,000 connections, all of which have sent and received a message
// once, and measures what they hold while nothing happens.
func TestIdleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are polled on Linux only")
	}
	const number = 15_000
	h := newHub(t, Config{})
	r := new(answering)
	heapBefore, residentBefore := memory(t)
	goroutines := runtime.NumGoroutine()
	all := clients(t, h, "once", number, r)
	if n := r.count.Load(); n != number {
		t.Fatalf("%d messages", n)
	}
	heap, resident := memory(t)
	heap, resident = (heap-heapBefore)/number, (resident-residentBefore)/number
	t.Logf("%d bytes of heap and stacks and %d resident bytes per connection; %d goroutines more",
		heap, resident, runtime.NumGoroutine()-goroutines)
	if heap > 1024 || resident > 1024 && !raced() {
		t.Error("an idle connection is to take 1024 bytes at most")
	}
	if n := runtime.NumGoroutine() - goroutines; n > 50 {
		t.Errorf("%d goroutines wait", n)
	}
	runtime.KeepAlive(all)
}

// An answering handler answers, and counts by the thousand.
type answering struct {
	count atomic.Int64
	done  chan struct{}
}

func (a *answering) Message(c *Connection, text []byte, done func()) {
	defer done()
	_ = c.Send(text)
	if a.count.Add(1)%1000 == 0 {
		select {
		case a.done <- struct{}{}:
		default:
		}
	}
}

func (a *answering) Closed(*Connection, int, string) {}

// cpu returns what this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEcho answers thousands of messages of 64 bytes of clients in another process,
// each of which waits for its answer.
func BenchmarkEcho(b *testing.B) {
	for _, number := range []int{16, 256} {
		b.Run(fmt.Sprint(number), func(b *testing.B) {
			b.ReportAllocs()
			h := newHub(b, Config{})
			r := &answering{done: make(chan struct{})}
			clients(b, h, "echo", number, r)
			from, count := cpu(b), r.count.Load()
			for b.Loop() {
				<-r.done
			}
			b.ReportMetric(float64(cpu(b)-from)/float64(r.count.Load()-count), "cpu-ns/message")
		})
	}
}

// BenchmarkBroadcast sends a message to 1,000 clients in another process, as one each and
// as one for all.
func BenchmarkBroadcast(b *testing.B) {
	const number = 1000
	for _, size := range []int{100, 10_000} {
		message := bytes.Repeat([]byte("x"), size)
		benchmarkBroadcast(b, fmt.Sprintf("%d/Send", size), number, func(h *Hub) func(c *Connection) error {
			return func(c *Connection) error { return c.Send(message) }
		})
		benchmarkBroadcast(b, fmt.Sprintf("%d/SendPrepared", size), number, func(h *Hub) func(c *Connection) error {
			p, err := h.Prepare(message)
			if err != nil {
				b.Fatal(err)
			}
			return func(c *Connection) error { return c.SendPrepared(p) }
		})
	}
}

// benchmarkBroadcast makes a message for each broadcast, and sends it to all.
func benchmarkBroadcast(b *testing.B, name string, number int, prepare func(*Hub) func(*Connection) error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		h := newHub(b, Config{Limits: Limits{Stall: time.Hour}})
		all := clients(b, h, "read", number, newRecorder())
		from, full := cpu(b), 0
		for b.Loop() {
			send := prepare(h)
			for _, c := range all {
				if send(c) != nil {
					full++
				}
			}
		}
		b.ReportMetric(float64(cpu(b)-from)/float64(b.N)/float64(number), "cpu-ns/connection")
		b.ReportMetric(float64(full)/float64(b.N), "full/op")
	})
}

// BenchmarkReceive parses and hands out messages, without a network.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{64, 4096, 32768} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			h, p := newStill(), new(tape)
			c := h.adoptTape(nothing{}, p)
			message := text(strings.Repeat("x", size))
			work := make([]byte, len(message))
			for b.Loop() {
				copy(work, message)
				c.mu.Lock()
				c.receive(work)
				c.mu.Unlock()
				h.work()
			}
		})
	}
}

// BenchmarkSend builds messages and writes them, without a network.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{64, 4096, 131072} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			h, p := newStill(), new(tape)
			c := h.adoptTape(nothing{}, p)
			message := bytes.Repeat([]byte("x"), size)
			for b.Loop() {
				p.written = p.written[:0]
				if err := c.Send(message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// nothing handles messages by being done with them.
type nothing struct{}

func (nothing) Message(_ *Connection, _ []byte, done func()) { done() }
func (nothing) Closed(*Connection, int, string)              {}
