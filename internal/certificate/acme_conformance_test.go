//go:build conformance

package certificate_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"penstock/internal/certificate"
)

// TestACME orders a certificate from Pebble, the test authority of Let's Encrypt, and
// proves by TLS that the name leads here. PEBBLE names its binary.
func TestACME(t *testing.T) {
	port := func() int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	// Our TLS listener, where the authority will look for the proof.
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours := l.Addr().(*net.TCPAddr).Port

	dir := t.TempDir()
	c, k := sign(t, nil, func(c *x509.Certificate) { c.DNSNames, c.IsCA = []string{"localhost"}, true })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c))
	replace(t, filepath.Join(dir, "cert"), c)
	replace(t, filepath.Join(dir, "key"), k)
	acme, management := port(), port()
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": fmt.Sprint("127.0.0.1:", acme), "managementListenAddress": fmt.Sprint("127.0.0.1:", management),
		"certificate": filepath.Join(dir, "cert"), "privateKey": filepath.Join(dir, "key"),
		"httpPort": port(), "tlsPort": ours, "keyAlgorithm": "ecdsa",
	}})
	if err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(dir, "config"), string(config))
	binary := os.Getenv("PEBBLE")
	if binary == "" {
		t.Fatal("PEBBLE does not name the binary of Pebble: run conformance/run.sh")
	}
	pebble := exec.Command(binary, "-config", filepath.Join(dir, "config"), "-dnsserver", resolve(t))
	pebble.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	output, err := pebble.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	pebble.Stderr = pebble.Stdout
	if err := pebble.Start(); err != nil {
		t.Fatal(err)
	}
	var said logged
	copied := make(chan struct{})
	go func() { io.Copy(&said, bufio.NewReader(output)); close(copied) }()
	defer func() { pebble.Process.Kill(); <-copied; pebble.Wait() }()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	directory := fmt.Sprintf("https://localhost:%d/dir", acme)
	awaitLong(t, "Pebble answers", func() bool {
		r, err := client.Get(directory)
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})

	name := "api.penstock.example"
	issuer, err := certificate.OpenACME(certificate.ACME{
		Directory: directory, Email: "test@example.com", Names: []string{name}, Storage: filepath.Join(dir, "storage"), Port: ours, RootCAs: roots,
		Logger: slog.New(slog.NewTextHandler(&said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close()
	go serveTLS(l, issuer)
	defer func() {
		if t.Failed() {
			t.Logf("Pebble said:\n%s", said.text())
		}
	}()
	awaitLong(t, "a certificate is issued", func() bool { return issuer.ByName(name) != nil })
	if err := issuer.ByName("API.Penstock.EXAMPLE.").Leaf.VerifyHostname(name); err != nil {
		t.Error(err)
	}
	if issuer.ByName("other.penstock.example") != nil {
		t.Error("a certificate for a name that nobody ordered")
	}
	// The root of this run, from Pebble, has signed what the listener shows.
	r, err := client.Get(fmt.Sprintf("https://localhost:%d/roots/0", management))
	if err != nil {
		t.Fatal(err)
	}
	root, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	issued := x509.NewCertPool()
	issued.AppendCertsFromPEM(root)
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: name, RootCAs: issued})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// resolve starts a name server that knows of every name that it is the loopback
// address, by TCP, which is how Pebble asks; and returns its address.
func resolve(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for size := make([]byte, 2); ; {
					if _, err := io.ReadFull(c, size); err != nil {
						return
					}
					b := make([]byte, binary.BigEndian.Uint16(size))
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					end := 12 + bytes.IndexByte(b[12:], 0) + 5 // of the question: a name, its type and class
					answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
					if b[end-3] == 1 { // type A
						answer[7] = 1
						answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
					}
					c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
				}
			}()
		}
	}()
	return l.Addr().String()
}

// serveTLS shakes hands as the gateway does, and no more.
func serveTLS(l net.Listener, issuer *certificate.Issuer) {
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == certificate.ACMEProtocol {
			return issuer.Challenge(hello)
		}
		return issuer.ByName(hello.ServerName), nil
	}, NextProtos: []string{certificate.ACMEProtocol}}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { tls.Server(c, config).Handshake(); c.Close() }()
	}
}

func awaitLong(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
	}
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
