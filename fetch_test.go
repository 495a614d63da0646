package penstock

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/integration"
)

// fetches returns a fetcher that reaches what integrations may.
func fetches(t *testing.T, c integration.ClientConfig) fetcher {
	t.Helper()
	client := integration.NewClient(c)
	t.Cleanup(func() { client.Close() })
	return newFetcher(client)
}

// answers is a server that answers every request alike and counts them.
type answers struct {
	*httptest.Server
	asked atomic.Int32
}

func serves(t *testing.T, answer http.HandlerFunc) *answers {
	t.Helper()
	a := &answers{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

const wellKnown = "/.well-known/openid-configuration"

func TestDiscover(t *testing.T) {
	t.Parallel()
	f := fetches(t, integration.ClientConfig{AllowPrivate: true})
	elsewhere := serves(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"issuer":"x","jwks_uri":"y"}`) })
	// {issuer} stands for the issuer that is asked.
	padded := func(n int) string {
		text := `{"issuer":"{issuer}","jwks_uri":"{issuer}/keys","x":"`
		return text + "{fill:" + fmt.Sprint(n) + `}"}`
	}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string // in the error; "" if there is none
	}{
		{"good", 200, `{"issuer":"{issuer}","jwks_uri":"{issuer}/keys"}`, ""},
		{"more members", 200, `{"authorization_endpoint":"x","issuer":"{issuer}","jwks_uri":"https://keys.example.com","scopes_supported":["a"]}`, ""},
		{"as long as may be", 200, padded(maxDiscovery), ""},
		{"a byte longer", 200, padded(maxDiscovery + 1), "it has more than 150000 bytes"},
		{"not found", 404, `{"issuer":"{issuer}","jwks_uri":"x"}`, "the answer is 404 Not Found"},
		{"failed", 500, ``, "the answer is 500"},
		{"no content", 204, ``, "the answer is 204"},
		{"another success", 203, `{"issuer":"{issuer}","jwks_uri":"x"}`, "the answer is 203"},
		{"empty", 200, ``, "unexpected end of JSON input"},
		{"HTML", 200, `<html>`, "invalid character"},
		{"cut off", 200, `{"issuer":"{issuer}","jwks_uri":`, "unexpected end of JSON input"},
		{"a list", 200, `[]`, "cannot unmarshal"},
		{"null", 200, `null`, "no issuer or no jwks_uri"},
		{"numbers", 200, `{"issuer":1,"jwks_uri":2}`, "cannot unmarshal"},
		{"no keys", 200, `{"issuer":"{issuer}"}`, "no issuer or no jwks_uri"},
		{"no issuer", 200, `{"jwks_uri":"x"}`, "no issuer or no jwks_uri"},
		{"another issuer", 200, `{"issuer":"https://other.example.com","jwks_uri":"https://other.example.com/keys"}`, "issuer"},
		{"an issuer that begins alike", 200, `{"issuer":"{issuer}/other","jwks_uri":"x"}`, "issuer"},
		{"found elsewhere", 302, elsewhere.URL, "the answer is 302 Found"},
		{"moved for good", 308, elsewhere.URL, "the answer is 308 Permanent Redirect"},
	} {
		var issuer string
		s := serves(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "GET" || r.URL.Path != wellKnown || r.Header.Get("Authorization") != "" {
				t.Errorf("%s: asked %s %s", tt.name, r.Method, r.URL)
			}
			if tt.status/100 == 3 {
				w.Header().Set("Location", tt.body)
			}
			body := strings.ReplaceAll(tt.body, "{issuer}", issuer)
			if before, after, ok := strings.Cut(body, "{fill:"); ok {
				n, end, _ := strings.Cut(after, "}")
				var size int
				fmt.Sscan(n, &size)
				body = before + strings.Repeat("x", size-len(before)-len(end)) + end
			}
			w.WriteHeader(tt.status)
			if tt.status != 204 {
				io.WriteString(w, body)
			}
		})
		issuer = s.URL
		err := f.discover(t.Context(), s.URL+wellKnown)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if n := s.asked.Load(); n != 1 {
			t.Errorf("%s: asked %d times", tt.name, n)
		}
	}
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

// Who answers slowly, or never ends, is given up in time: before the head of the
// answer, in the middle of it, and without an end to it.
func TestDiscoverGivesUp(t *testing.T) {
	t.Parallel()
	f := fetches(t, integration.ClientConfig{AllowPrivate: true})
	var wait sync.WaitGroup
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"no answer", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"half an answer", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"issuer":"x",`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{"an answer in drops", func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
					io.WriteString(w, " ")
					w.(http.Flusher).Flush()
				}
			}
		}},
	} {
		s := serves(t, tt.answer)
		wait.Go(func() {
			begun := time.Now()
			err := f.discover(t.Context(), s.URL+wellKnown)
			if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took < discoveryTimeout || took > 10*discoveryTimeout {
				t.Errorf("%s: got %v after %v, want it given up after %v", tt.name, err, took, discoveryTimeout)
			}
		})
	}
	wait.Wait()

	// Without an end, no more is read than may be.
	var written atomic.Int64
	s := serves(t, func(w http.ResponseWriter, r *http.Request) {
		block := bytes.Repeat([]byte(" "), 1<<20)
		for r.Context().Err() == nil {
			n, err := w.Write(block)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	})
	if err := f.discover(t.Context(), s.URL+wellKnown); err == nil || !strings.Contains(err.Error(), "it has more than 150000 bytes") {
		t.Errorf("without an end: got %v", err)
	}
	s.Close() // waits for the handler
	if n := written.Load(); n > 64<<20 {
		t.Errorf("%d bytes were sent", n)
	}

	// The caller who leaves ends it, too.
	ctx, cancel := context.WithCancel(t.Context())
	s = serves(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := f.discover(ctx, s.URL+wellKnown); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has left: got %v", err)
	}
}

// What integrations may not reach is not fetched either, by whatever name: private
// addresses unless they are allowed, the addresses of cloud metadata and our own never.
func TestFetchRefusesAddresses(t *testing.T) {
	t.Parallel()
	s := serves(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"issuer":"x","jwks_uri":"y"}`) })
	port := netip.MustParseAddrPort(s.Listener.Addr().String()).Port()
	private := fetches(t, integration.ClientConfig{})
	own := fetches(t, integration.ClientConfig{AllowPrivate: true, Own: func(a netip.AddrPort) bool { return a.Port() == port }})
	open := fetches(t, integration.ClientConfig{AllowPrivate: true})
	for _, tt := range []struct {
		name, url string
		f         fetcher
	}{
		{"loopback", s.URL, private},
		{"localhost", fmt.Sprintf("http://localhost:%d", port), private},
		{"any address", fmt.Sprintf("http://0.0.0.0:%d", port), private},
		{"short", fmt.Sprintf("http://127.1:%d", port), private},
		{"mapped", fmt.Sprintf("http://[::ffff:127.0.0.1]:%d", port), private},
		{"private", "http://10.0.0.1", private},
		{"private, version 6", "http://[fd00::1]", private},
		{"shared", "http://100.64.0.1", private},
		{"own", s.URL, own},
		{"own, any address", fmt.Sprintf("http://0.0.0.0:%d", port), own},
		{"metadata", "http://169.254.169.254", open},
		{"metadata, version 6", "http://[fd00:ec2::254]", open},
		{"metadata, mapped", "http://[::ffff:169.254.169.254]", open},
		{"link-local", "http://[fe80::1]", open},
		{"multicast", "http://224.0.0.1", open},
		{"a file", "file:///etc/passwd", open},
		{"no scheme", "127.0.0.1:1", open},
		{"another scheme", "gopher://127.0.0.1:1", open},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := tt.f.discover(ctx, tt.url+wellKnown); err == nil {
			t.Errorf("%s: the issuer at %s was reached", tt.name, tt.url)
		}
		if strings.HasPrefix(tt.url, "http:") {
			if warnings, err := tt.f.truststore(ctx, tt.url+"/store.pem"); err == nil {
				t.Errorf("%s: the trust store at %s was reached: %v", tt.name, tt.url, warnings)
			}
		}
		cancel()
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("%d requests have arrived", n)
	}
	if _, err := open.fetch(t.Context(), s.URL, time.Minute, 1000); err != nil {
		t.Errorf("where it is allowed: %v", err)
	}
}

// An authority is how a certificate of a test is made.
type authority struct {
	key       crypto.Signer // P-256 if nil
	algorithm x509.SignatureAlgorithm
	notCA     bool
	until     time.Time // an hour from now if zero
}

// certificate returns the certificate of an authority in PEM.
func (a authority) certificate(t *testing.T) string {
	t.Helper()
	if a.key == nil {
		a.key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	if a.until.IsZero() {
		a.until = time.Now().Add(time.Hour)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: a.until.Add(-2 * time.Hour), NotAfter: a.until,
		IsCA: !a.notCA, BasicConstraintsValid: true, SignatureAlgorithm: a.algorithm,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestTruststore(t *testing.T) {
	t.Parallel()
	f := fetches(t, integration.ClientConfig{AllowPrivate: true})
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong := must(rsa.GenerateKey(rand.Reader, 2048))
	good := authority{}.certificate(t)
	sha1 := authority{key: strong, algorithm: x509.SHA1WithRSA}.certificate(t)
	private := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(strong)))
	const none = "it has no certificate in PEM that could be used"
	for _, tt := range []struct {
		name, text string
		warnings   []string
		err        string // in the error; "" if there is none
	}{
		{"ECDSA", good, nil, ""},
		{"RSA", authority{key: strong}.certificate(t), nil, ""},
		{"RSA, PSS", authority{key: strong, algorithm: x509.SHA256WithRSAPSS}.certificate(t), nil, ""},
		{"P-384", authority{key: must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))}.certificate(t), nil, ""},
		{"Ed25519", authority{key: ed}.certificate(t), nil, ""},
		{"several", good + authority{}.certificate(t) + authority{key: strong}.certificate(t), nil, ""},
		{"with text around", "# Our authority\n" + good + "\n# The other one\n" + good, nil, ""},
		{"expired", authority{until: time.Now().Add(-time.Hour)}.certificate(t), nil, ""}, // is for the handshake to say
		{"SHA-1", sha1, nil, none},
		{"SHA-1, ECDSA", authority{algorithm: x509.ECDSAWithSHA1}.certificate(t), nil, none},
		{"RSA of 1024 bits", authority{key: must(rsa.GenerateKey(rand.Reader, 1024))}.certificate(t), nil, none},
		{"ECDSA of 224 bits", authority{key: must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))}.certificate(t), nil, none},
		{"not of an authority", authority{notCA: true}.certificate(t), nil, none},
		{"a private key", private, nil, none},
		{"not a certificate", block("CERTIFICATE", []byte("x")), nil, none},
		{"not PEM", "certificate", nil, none},
		{"DER", string(must2(pem.Decode([]byte(good))).Bytes), nil, none},
		{"empty", "", nil, none},
		{"cut off", good[:len(good)/2], nil, none},
		{"some that cannot be used", sha1 + good + private + block("CERTIFICATE", []byte("x")) + authority{notCA: true}.certificate(t) + authority{key: must(rsa.GenerateKey(rand.Reader, 1024))}.certificate(t) + authority{key: must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))}.certificate(t),
			[]string{"Certificate 1: its signature is weaker than SHA-256", "Certificate 3: it is a PRIVATE KEY", "Certificate 4: it cannot be parsed: ", "Certificate 5: it is not the certificate of an authority", "Certificate 6: its RSA key is shorter than 2048 bits", "Certificate 7: its ECDSA key is shorter than 256 bits"}, ""},
		{"something behind", good + "rest", []string{"What follows the last certificate is no PEM"}, ""},
		{"a second one that is cut off", good + good[:len(good)/2], []string{"What follows the last certificate is no PEM"}, ""},
		{"as many as may be", strings.Repeat(good, 1000), nil, ""},
		{"one more", strings.Repeat(good, 1001), nil, "it has more than 1000 certificates"},
		{"as long as may be", good + strings.Repeat("\n", maxTruststore-len(good)), nil, ""},
		{"a byte longer", good + strings.Repeat("\n", maxTruststore-len(good)+1), nil, "it has more than 1048576 bytes"},
	} {
		file := filepath.Join(t.TempDir(), "store.pem")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := serves(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, tt.text) })
		for _, from := range []string{"file://" + file, s.URL + "/store.pem"} {
			warnings, err := f.truststore(t.Context(), from)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s from %s: got %v, want %q", tt.name, from, err, tt.err)
				continue
			}
			if !slices.EqualFunc(warnings, tt.warnings, strings.HasPrefix) {
				t.Errorf("%s from %s: got warnings %q, want %q", tt.name, from, warnings, tt.warnings)
			}
			if all := fmt.Sprint(warnings, err); strings.Contains(all, "BEGIN") || strings.Contains(all, "PRIVATE KEY-") {
				t.Errorf("%s from %s: what was read shows in %s", tt.name, from, all)
			}
		}
	}
}

func must2[A, B any](a A, _ B) A { return a }

func TestTruststoreFiles(t *testing.T) {
	t.Parallel()
	f := fetches(t, integration.ClientConfig{AllowPrivate: true})
	dir := t.TempDir()
	good := filepath.Join(dir, "a store.pem")
	if err := os.WriteFile(good, []byte(authority{}.certificate(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	link, loop := filepath.Join(dir, "link"), filepath.Join(dir, "loop")
	if err := errors.Join(os.Symlink(good, link), os.Symlink(loop, loop)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, want string }{
		{"escaped", "file://" + strings.ReplaceAll(good, " ", "%20"), ""},
		{"a link", "file://" + link, ""},
		{"none", "file://" + good + "x", "there is no such file"},
		{"a directory", "file://" + dir, "there is no such file"},
		{"a device", "file:///dev/zero", "there is no such file"},
		{"a link in a circle", "file://" + loop, "there is no such file"},
		{"another file", "file:///etc/passwd", "it has no certificate in PEM that could be used"},
		{"a NUL", "file://" + good + "%00", "there is no such file"},
		{"no URL", "file://%zz", "invalid URL escape"},
		{"the answer of a redirect", serves(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "file://"+good, http.StatusFound) }).URL, "the answer is 302 Found"},
	} {
		_, err := f.truststore(t.Context(), tt.from)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
