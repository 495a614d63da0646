package connection

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

// serve upgrades clients and has the Hub adopt them. It returns the address.
func serve(t *testing.T, h *Hub, carrier string, handler Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			request, err := http.ReadRequest(r)
			if err != nil {
				t.Error(err)
				return
			}
			extensions := Negotiate(request.Header.Values("Sec-WebSocket-Extensions"))
			key := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
			response := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" +
				"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(key[:]) + "\r\n"
			if extensions != "" {
				response += "Sec-WebSocket-Extensions: " + extensions + "\r\n"
			}
			if _, err := io.WriteString(conn, response+"\r\n"); err != nil {
				t.Error(err)
				return
			}
			buffered, _ := r.Peek(r.Buffered())
			if carrier == "stream" {
				conn = wrapped{conn}
			}
			if _, err := h.Adopt(conn, nil, buffered, Info{ID: NewID(), API: "api", Stage: "dev", Extensions: extensions}, handler); err != nil {
				t.Error(err)
			}
		}
	})
	return "ws://" + l.Addr().String()
}

// TestClient speaks with an implementation of the protocol that is not ours.
func TestClient(t *testing.T) {
	t.Parallel()
	for _, mode := range []websocket.CompressionMode{
		websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover,
	} {
		for _, carrier := range carriers {
			t.Run(fmt.Sprint(carrier, mode), func(t *testing.T) {
				t.Parallel()
				testClient(t, carrier, mode)
			})
		}
	}
}

func testClient(t *testing.T, carrier string, mode websocket.CompressionMode) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h, e := newHub(t, Config{}), newEcho()
	address := serve(t, h, carrier, e)
	dial := func() *websocket.Conn {
		client, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		client.SetReadLimit(1 << 20)
		return client
	}
	client := dial()
	for _, size := range []int{0, 1, 125, 126, 4000, 30_000, 32_769, 131_072} {
		want := sample(size)
		// This client writes in frames of its buffer if it is given parts.
		w, err := client.Writer(ctx, websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for p := want; len(p) > 0; p = p[min(1000, len(p)):] {
			if _, err := io.WriteString(w, p[:min(1000, len(p))]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		kind, got, err := client.Read(ctx)
		if err != nil || kind != websocket.MessageText || string(got) != want {
			t.Fatalf("%d bytes: read %d, %v", size, len(got), err)
		}
	}
	// Pongs are read while messages are.
	reading := client.CloseRead(ctx)
	for range 3 {
		if err := client.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
	<-reading.Done()
	got := await(t, e.ends)
	if got.code != Normal || got.reason != "bye" {
		t.Errorf("ended with %d %q", got.code, got.reason)
	}
	if agreed := got.c.Info().Extensions; (agreed == "") != (mode == websocket.CompressionDisabled) {
		t.Errorf("%q was agreed on", agreed)
	}

	client = dial()
	if err := client.Write(ctx, websocket.MessageBinary, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Read(ctx); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("binary: %v", err)
	}
	await(t, e.ends)

	client = dial()
	for h.Count("api", "dev") == 0 {
		runtime.Gosched()
	}
	h.CloseStage("api", "dev", GoingAway)
	var ended websocket.CloseError
	if _, _, err := client.Read(ctx); !errors.As(err, &ended) || ended.Code != GoingAway || ended.Reason != "Going away" {
		t.Errorf("stage: %v", err)
	}
	await(t, e.ends)
}

// certificate returns one that nobody has to trust.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	h, e := newHub(t, Config{Limits: Limits{Grace: 200 * time.Millisecond}, Tick: 10 * time.Millisecond}), newEcho()
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	start := func() (*Connection, *tls.Conn) {
		server, client := pair(t, "descriptor")
		c := adopt(t, h, tls.Server(server, config), e)
		return c, tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	}

	_, client := start()
	for range 3 {
		long := strings.Repeat("x", 30_000)
		write(t, client, text(long))
		expect(t, client, appendMessage(nil, []byte(long), 32768))
	}
	write(t, client, closeFrame(1000, "bye"))
	expect(t, client, closes(Normal))
	// The end is one of TLS, not only of TCP.
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the close frame: %v", err)
	}
	if got := await(t, e.ends); got.code != Normal || got.reason != "bye" {
		t.Errorf("ended with %d %q", got.code, got.reason)
	}

	// The client answers the close frame of the server, or does not, or does not even read.
	c, client := start()
	write(t, client, text("a"))
	expect(t, client, serverFrame(ws.OpText, "a"))
	c.Close(GoingAway, "")
	expect(t, client, closes(GoingAway))
	write(t, client, closeFrame(1001, ""))
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after our close frame: %v", err)
	}

	c, client = start()
	write(t, client, text("a"))
	for c.Send(make([]byte, 131072)) == nil {
	}
	c.Close(GoingAway, "")
	for range 2 {
		if got := await(t, e.ends); got.code != GoingAway {
			t.Errorf("ended with %d", got.code)
		}
	}
}

// TestNothingIsLeft connects and disconnects 10,000 clients, which leave neither a
// descriptor nor a goroutine.
func TestNothingIsLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before, descriptors := runtime.NumGoroutine(), countDescriptors(t)
	for _, carrier := range carriers {
		h, e := New(Config{}), newEcho()
		clients := make(chan int, 5000)
		for i := range 5000 {
			clients <- i
		}
		close(clients)
		var dialling sync.Mutex
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for i := range clients {
					dialling.Lock()
					client, err := net.Dial("unix", path)
					var server net.Conn
					if err == nil {
						server, err = l.Accept()
					}
					dialling.Unlock()
					if err != nil {
						t.Error(err)
						return
					}
					if carrier == "stream" {
						server = struct{ net.Conn }{server}
					}
					c, err := h.Adopt(server, nil, nil, Info{ID: NewID()}, e)
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = client.Write(text("a"))
					switch i % 4 {
					case 0:
						_, _ = client.Write(closeFrame(1000, ""))
					case 1:
						c.Close(Normal, "")
					case 2:
						_, _ = client.Write([]byte{0xff, 0xff})
					}
					client.Close()
				}
			})
		}
		all.Wait()
		for range 5000 {
			await(t, e.ends)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := h.Drain(ctx); err != nil {
			t.Errorf("%s: drain: %v", carrier, err)
		}
		cancel()
		if len(e.ends) > 0 || h.live != 0 || len(h.stages) != 0 {
			t.Errorf("%s: %d ends too many, %d live", carrier, len(e.ends), h.live)
		}
		// Goroutines that were waited for still have to end.
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before && time.Now().Before(end); {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > before {
			stacks := make([]byte, 1<<16)
			t.Errorf("%s: %d goroutines, %d before\n%s", carrier, n, before, bytes.TrimRight(stacks[:runtime.Stack(stacks, true)], "\n"))
		}
		if n := countDescriptors(t); n > descriptors {
			t.Errorf("%s: %d descriptors, %d before", carrier, n, descriptors)
		}
	}
}

// countDescriptors returns how many descriptors this process has open. Where that cannot
// be known it is always the same.
func countDescriptors(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
