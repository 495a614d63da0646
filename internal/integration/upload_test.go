package integration_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// pattern yields n bytes, whose period is a prime number: no block of them stands in
// for another.
type pattern struct{ at, n int }

var period = func() (p [65521]byte) {
	for i := range p {
		p[i] = byte(uint32(i) * 2654435761 >> 16)
	}
	return p
}()

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.n {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n-p.at)], period[p.at%len(period):])
	p.at += n
	return n, nil
}

func digest(r io.Reader) string {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return fmt.Sprintf("%d bytes, %x, %v", n, h.Sum(nil)[:8], err)
}

// long is the length of bodies that stream.
const long = 9 << 20

// TestStreaming: long bodies pass in both directions, whole, without being held in
// memory.
func TestStreaming(t *testing.T) {
	want := digest(&pattern{n: long})
	b := newRawBackend(t, func(b *backend, c net.Conn, br *bufio.Reader, r received) bool {
		if strings.HasPrefix(r.line, "POST") {
			text := digest(io.LimitReader(br, long))
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			return true
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", long)
		_, err := io.Copy(onlyWriter{c}, &pattern{n: long})
		return err == nil
	})
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	c := dial(t, addr)
	upload := func() {
		c.send(message("POST /", fmt.Sprintf("Content-Length: %d", long)))
		io.Copy(onlyWriter{c.nc}, &pattern{n: long})
		if a := c.read("POST"); a.StatusCode != 200 || a.body != want {
			t.Errorf("upload: status %d, backend got %s, want %s", a.StatusCode, a.body, want)
		}
	}
	download := func() {
		c.send(message("GET /"))
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = c.br.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if got := digest(io.LimitReader(c.br, long)); got != want {
			t.Errorf("download: got %s, want %s", got, want)
		}
	}
	upload()
	download()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		upload()
		download()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d MiB passed and %d KiB were allocated", 6*long>>20, grown>>10)
	}
	if n := b.dials(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// onlyWriter hides what io.Copy would use instead of a buffer.
type onlyWriter struct{ io.Writer }

// TestBodyLimits: vector 58.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		n, _ := io.CopyN(io.Discard, br, 10<<20)
		text := fmt.Sprint(n)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		return true
	})
	addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
	const tooLarge = `{"message":"Request Entity Too Large"}`
	for _, tt := range []struct {
		name   string
		n      int
		chunks bool
		status int
	}{
		{"declared", 10 << 20, false, 200}, {"chunks", 10 << 20, true, 200}, {"declared, one more", 10<<20 + 1, false, 413}, {"chunks, one more", 10<<20 + 1, true, 413},
	} {
		c := dial(t, addr)
		sent := make(chan error, 1)
		go func() {
			if !tt.chunks {
				io.WriteString(c.nc, message("POST /", fmt.Sprintf("Content-Length: %d", tt.n)))
				_, err := io.Copy(onlyWriter{c.nc}, &pattern{n: tt.n})
				sent <- err
				return
			}
			io.WriteString(c.nc, message("POST /", "Transfer-Encoding: chunked"))
			w := bufio.NewWriterSize(c.nc, 64<<10)
			for rest := tt.n; rest > 0; {
				n := min(rest, 50000)
				fmt.Fprintf(w, "%x\r\n", n)
				io.Copy(onlyWriter{w}, &pattern{n: n})
				w.WriteString("\r\n")
				rest -= n
			}
			w.WriteString("0\r\n\r\n")
			sent <- w.Flush()
		}()
		// A client that reads only when all is sent still gets its answer.
		if err := <-sent; err != nil {
			t.Errorf("%s: send: %v", tt.name, err)
		}
		a, err := c.tryRead("POST")
		if err != nil || a.StatusCode != tt.status {
			t.Errorf("%s: status %d, %v", tt.name, a.StatusCode, err)
			continue
		}
		got := b.take()
		if tt.status == 413 {
			if a.body != tooLarge || !a.Close || len(got) != 0 {
				t.Errorf("%s: %q, close %t, backend got %d requests", tt.name, a.body, a.Close, len(got))
			}
		} else if len(got) != 1 || got[0].field("Content-Length") != fmt.Sprint(tt.n) || a.body != fmt.Sprint(tt.n) {
			t.Errorf("%s: backend got %v, %s bytes", tt.name, got, a.body)
		}
	}
}

// TestSpoolLimit: bodies that must be kept whole share a bounded memory; who finds
// it used up gets 503, and it is given back.
func TestSpoolLimit(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	registry := prometheus.NewRegistry()
	spooled := func() float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "penstock_spooled_bytes" {
				return f.Metric[0].GetGauge().GetValue()
			}
		}
		t.Fatal("no such metric")
		return 0
	}
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Spooled: 256 << 10}, Metrics: registry}, proxy(t, newClient(t), "$default", b.url()))
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 60<<10, strings.Repeat("x", 60<<10))
	holder := dial(t, addr)
	holder.send(message("POST /", "Transfer-Encoding: chunked"), chunk, chunk)
	await(t, "half of the memory is used", func() bool { return spooled() == 128<<10 })
	other := func() answer {
		c := dial(t, addr)
		c.send(message("POST /", "Transfer-Encoding: chunked"), chunk, chunk, chunk, "0\r\n\r\n")
		return c.read("POST")
	}
	for range 5 {
		if a := other(); a.StatusCode != 503 || a.body != unavailableBody || !a.Close {
			t.Errorf("too much: status %d %q, close %t", a.StatusCode, a.body, a.Close)
		}
		await(t, "what was refused is given back", func() bool { return spooled() == 128<<10 })
	}
	// Bodies of known length need none of it.
	if a := ask(t, addr, "POST /", "\n"+strings.Repeat("x", 300<<10)); a.StatusCode != 200 {
		t.Errorf("body of known length: status %d", a.StatusCode)
	}
	holder.send("0\r\n\r\n")
	if a := holder.read("POST"); a.StatusCode != 200 {
		t.Errorf("holder: status %d", a.StatusCode)
	}
	await(t, "all is given back", func() bool { return spooled() == 0 })
	if a := other(); a.StatusCode != 200 {
		t.Errorf("afterwards: status %d", a.StatusCode)
	}
}

// TestEarlyAnswer: a backend may answer before it has the whole request, and go on
// reading or not.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	const refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
	done := make(chan struct{})
	defer close(done)
	for _, tt := range []struct {
		name   string
		do     func(c net.Conn, br *bufio.Reader) bool
		status int
		body   string
		whole  bool // the request arrives whole, so that the connections go on
	}{
		{"and closes", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, refusal)
			return false
		}, 401, "no", false},
		{"and reads no more", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, refusal)
			<-done // nor does it close
			return false
		}, 401, "no", false},
		{"and reads on", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, refusal)
			io.CopyN(io.Discard, br, long)
			return true
		}, 401, "no", false},
		{"with an interim answer", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			n, _ := io.CopyN(io.Discard, br, long)
			text := fmt.Sprint(n)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			return true
		}, 200, fmt.Sprint(long), true},
		{"without a body", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			return false
		}, 204, "", false},
		{"with nonsense", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, "nonsense\r\n\r\n")
			return false
		}, 500, internalBody, false},
		{"with too much", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
			return false
		}, 500, internalBody, false},
		{"with nothing", func(c net.Conn, br *bufio.Reader) bool { return false }, 500, internalBody, false},
		{"and is cut", func(c net.Conn, br *bufio.Reader) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx")
			return false
		}, 500, internalBody, false},
	} {
		b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			if strings.HasPrefix(r.line, "GET") {
				_, err := io.WriteString(c, ok)
				return err == nil
			}
			return tt.do(c, br)
		})
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		ask(t, addr, "GET /")
		c := dial(t, addr)
		go func() {
			io.WriteString(c.nc, message("POST /", fmt.Sprintf("Content-Length: %d", long)))
			io.Copy(onlyWriter{c.nc}, &pattern{n: long})
		}()
		start := time.Now()
		a, err := c.tryRead("POST")
		if err != nil || a.StatusCode != tt.status || a.body != tt.body {
			t.Errorf("%s: status %d %q, %v; want %d %q", tt.name, a.StatusCode, a.body, err, tt.status, tt.body)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: answered after %v", tt.name, took)
		}
		if tt.whole {
			if a := c.ask("GET /"); a.StatusCode != 200 || b.dials() != 1 {
				t.Errorf("%s: then status %d, over %d connections", tt.name, a.StatusCode, b.dials())
			}
		} else if a := ask(t, addr, "GET /"); a.StatusCode != 200 || a.body != "ok" {
			t.Errorf("%s: the next request: status %d %q", tt.name, a.StatusCode, a.body)
		}
	}
}

// TestEcho: a backend that sends back what it gets, while it gets it, is not
// blocked and blocks nobody.
func TestEcho(t *testing.T) {
	t.Parallel()
	for _, framing := range []string{"length", "chunks"} {
		b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
			if framing == "length" {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", long)
				n, _ := io.Copy(onlyWriter{c}, io.LimitReader(br, long))
				return n == long
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			buf := make([]byte, 10000)
			for left := long; left > 0; {
				n, err := br.Read(buf[:min(left, len(buf))])
				if err != nil {
					return false
				}
				fmt.Fprintf(c, "%x\r\n%s\r\n", n, buf[:n])
				left -= n
			}
			_, err := io.WriteString(c, "0\r\n\r\n")
			return err == nil
		})
		addr := serve(t, gateway.Config{}, proxy(t, newClient(t), "$default", b.url()))
		c := dial(t, addr)
		for range 2 {
			go func() {
				io.WriteString(c.nc, message("POST /", fmt.Sprintf("Content-Length: %d", long)))
				io.Copy(onlyWriter{c.nc}, &pattern{n: long})
			}()
			a := c.read("POST")
			if got, want := digest(strings.NewReader(a.body)), digest(&pattern{n: long}); a.StatusCode != 200 || got != want {
				t.Errorf("%s: status %d, got %s, want %s", framing, a.StatusCode, got, want)
			}
		}
		if b.dials() != 1 {
			t.Errorf("%s: %d connections, want 1", framing, b.dials())
		}
	}
}

// TestSlowClient: the time that a client takes for its body, or to take in the
// answer, is not the backend's.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		if strings.HasPrefix(r.line, "POST") {
			_, err := io.WriteString(c, ok)
			return err == nil
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", long)
		_, err := io.Copy(onlyWriter{c}, &pattern{n: long})
		return err == nil
	})
	// Long enough for the backend on a busy machine, short enough to wait for.
	timeout := time.Second
	addr := serve(t, gateway.Config{}, proxyWith(t, newClient(t), "$default", integration.HTTPSpec{URI: b.url(), Timeout: timeout}))
	c := dial(t, addr)
	body := strings.Repeat("x", 100<<10)
	c.send(message("POST /", fmt.Sprintf("Content-Length: %d", len(body))), body[:70<<10])
	await(t, "the backend has a part", func() bool { return b.dials() == 1 })
	time.Sleep(timeout + timeout/4) // the client's pace, nothing is waited for
	c.send(body[70<<10:])
	if a := c.read("POST"); a.StatusCode != 200 {
		t.Errorf("slow sender: status %d", a.StatusCode)
	}

	c = dial(t, addr)
	c.nc.SetReadBuffer(64 << 10)
	c.send(message("GET /"))
	time.Sleep(timeout + timeout/4)
	a, err := c.tryRead("GET")
	if err != nil || digest(strings.NewReader(a.body)) != digest(&pattern{n: long}) {
		t.Errorf("slow reader: %d bytes, %v", len(a.body), err)
	}
}

// TestClientLeavesInBody: a client that goes away inside its body, or inside the
// answer, frees the backend.
func TestClientLeavesInBody(t *testing.T) {
	t.Parallel()
	var serving atomic.Int64
	b := newRawBackend(t, func(_ *backend, c net.Conn, br *bufio.Reader, r received) bool {
		serving.Add(1)
		defer serving.Add(-1)
		if strings.HasPrefix(r.line, "POST") {
			io.Copy(io.Discard, br)
			return true
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", long)
		io.Copy(onlyWriter{c}, &pattern{n: long})
		return true
	})
	addr := serve(t, gateway.Config{Limits: gateway.Limits{Abandoned: 10 * time.Millisecond}}, proxy(t, newClient(t), "$default", b.url()))
	var clients sync.WaitGroup
	for _, request := range []string{
		message("POST /", "Content-Length: 2000000") + strings.Repeat("x", 1<<20), message("GET /"),
	} {
		clients.Go(func() {
			c := dial(t, addr)
			c.send(request)
			await(t, "the backend serves", func() bool { return serving.Load() > 0 })
			c.nc.Close()
		})
		clients.Wait()
		await(t, "the backend is free", func() bool { return serving.Load() == 0 })
	}
}
