package penstock_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"golang.org/x/net/http2"

	"penstock"
)

// An identity is a certificate and its key. One that signs others is an authority.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serials atomic.Int64

// sign returns an identity for names, signed by i; for no names at all by a nil i, it is
// an authority.
func (i *identity) sign(t testing.TB, names ...string) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := serials.Add(1)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: fmt.Sprint("test ", n)}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		IsCA: i == nil, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	signer := &identity{template, key}
	if i != nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		signer = i
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{cert, key}
}

func newAuthority(t testing.TB) *identity { return (*identity)(nil).sign(t) }

func (i *identity) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(i.cert)
	return p
}

// pair is what a TLS client or server shows.
func (i *identity) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

func (i *identity) certPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

func (i *identity) keyPEM(t testing.TB) string {
	der, err := x509.MarshalECPrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// replace writes a file as careful programs do: the file is whole at any time.
func replace(t testing.TB, path, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".next", []byte(text), 0o600), os.Rename(path+".next", path)); err != nil {
		t.Fatal(err)
	}
}

func certificateARN(id string) string {
	return "arn:aws:acm:us-east-1:" + testAccount + ":certificate/" + id
}

// domain makes a domain name that leads to an API, with a trust store unless its URI is
// empty.
func (w *world) domain(name, certificate, truststore, api string) {
	w.t.Helper()
	in := &apigatewayv2.CreateDomainNameInput{DomainName: &name, DomainNameConfigurations: []types.DomainNameConfiguration{{CertificateArn: &certificate}}}
	if truststore != "" {
		in.MutualTlsAuthentication = &types.MutualTlsAuthenticationInput{TruststoreUri: &truststore}
	}
	check[*apigatewayv2.CreateDomainNameOutput](w.t)(w.control.CreateDomainName(w.t.Context(), in))
	check[*apigatewayv2.CreateApiMappingOutput](w.t)(w.control.CreateApiMapping(w.t.Context(), &apigatewayv2.CreateApiMappingInput{
		DomainName: &name, ApiId: &api, Stage: aws.String("$default"),
	}))
}

// dialTLSAs connects to the TLS listener, to one that nothing is known of but its name.
// What a client is refused for, it hears of when it reads.
func (w *world) dialTLSAs(name string, certs ...tls.Certificate) (*tls.Conn, error) {
	w.t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", strings.TrimPrefix(w.server.TLSURL(), "https://"),
		&tls.Config{ServerName: name, InsecureSkipVerify: true, Certificates: certs})
	if err == nil {
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		w.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// shown returns the serial number of the certificate that a name gets.
func (w *world) shown(name string) int64 {
	w.t.Helper()
	conn, err := w.dialTLSAs(name)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// over asks for a host on a connection, and returns the status, or 0 if it is not
// answered.
func over(conn net.Conn, host string) int {
	if _, err := fmt.Fprintf(conn, "GET /a HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

// statusOf asks for a host on a connection to a name of its own; 0 says that there was
// no answer.
func (w *world) statusOf(name, host string, certs ...tls.Certificate) int {
	w.t.Helper()
	conn, err := w.dialTLSAs(name, certs...)
	if err != nil {
		return 0
	}
	defer conn.Close()
	return over(conn, host)
}

// A domain name shows the certificate whose ARN it has, other names one that is for
// them, and those that none is for the server's own.
func TestTLSCertificates(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	matching, named, wild, exact := ca.sign(t, "pets.example.com", "cats.example.com"), ca.sign(t, "elsewhere.example.org"), ca.sign(t, "*.example.com"), ca.sign(t, "www.example.com")
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "wild.pem"), filepath.Join(dir, "wild.key")
	replace(t, certFile, wild.certPEM())
	replace(t, keyFile, wild.keyPEM(t))
	w := newWorld(t, penstock.Config{ListenTLS: "127.0.0.1:0", Certificates: []penstock.Certificate{
		{ARN: certificateARN("matching"), Certificate: matching.certPEM(), PrivateKey: matching.keyPEM(t)},
		{ARN: certificateARN("named"), Certificate: named.certPEM(), PrivateKey: named.keyPEM(t)},
		{CertificateFile: certFile, PrivateKeyFile: keyFile},
		{Certificate: exact.certPEM(), PrivateKey: exact.keyPEM(t)},
	}})
	api := w.api(apiSpec{routes: to("GET /a")})
	w.domain("pets.example.com", certificateARN("named"), "", api)
	w.domain("dogs.example.com", certificateARN("unknown"), "", api)
	for name, want := range map[string]*identity{
		"pets.example.com":      named,    // by its ARN, although another one matches
		"PETS.example.com":      named,    // names have no case
		"cats.example.com":      matching, // no domain name has it
		"www.example.com":       exact,
		"birds.example.com":     wild,
		"dogs.example.com":      wild, // nothing is known of its ARN
		"elsewhere.example.org": named,
	} {
		if got := w.shown(name); got != want.cert.SerialNumber.Int64() {
			t.Errorf("%s: certificate %d, want %d", name, got, want.cert.SerialNumber)
		}
	}
	for _, name := range []string{"", "127.0.0.1", "example.com", "a.b.example.com", host(api), api + ".execute-api.us-east-1.localhost", "localhost"} {
		conn, err := w.dialTLSAs(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		cert := conn.ConnectionState().PeerCertificates[0]
		if cert.CheckSignatureFrom(ca.cert) == nil {
			t.Errorf("%q: shows a certificate that is for %q", name, cert.DNSNames)
		}
		if strings.HasSuffix(name, "localhost") && cert.VerifyHostname(name) != nil {
			t.Errorf("%q: shows a certificate that is for %q", name, cert.DNSNames)
		}
	}

	// A file that is replaced is used from the next handshake on. Who is connected stays.
	conn, err := w.dialTLSAs("birds.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got := over(conn, host(api)); got != 200 {
		t.Fatalf("status %d", got)
	}
	next := ca.sign(t, "*.example.com")
	replace(t, keyFile, next.keyPEM(t))
	replace(t, certFile, next.certPEM())
	await(t, "the new certificate is shown", func() bool {
		got := w.shown("birds.example.com")
		if got != next.cert.SerialNumber.Int64() && got != wild.cert.SerialNumber.Int64() {
			t.Fatalf("certificate %d", got)
		}
		return got == next.cert.SerialNumber.Int64()
	})
	if got := over(conn, host(api)); got != 200 {
		t.Errorf("the open connection: status %d", got)
	}
}

// Go's client speaks HTTP/2 with those who offer it, and APIs stay what they are without
// TLS: an apiEndpoint that works.
func TestTLSClients(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	leaf := ca.sign(t, "*.execute-api.us-east-1.localhost")
	w := newWorld(t, penstock.Config{ListenTLS: "127.0.0.1:0", Certificates: []penstock.Certificate{{Certificate: leaf.certPEM(), PrivateKey: leaf.keyPEM(t)}}})
	created := quickCreate(t, w.server, w.backend.URL)
	_, port, _ := net.SplitHostPort(w.server.Addr().String())
	if want := "http://" + *created.ApiId + ".execute-api.us-east-1.localhost:" + port; *created.ApiEndpoint != want {
		t.Errorf("the endpoint is %s, want %s", *created.ApiEndpoint, want)
	}
	addr, ok := strings.CutPrefix(w.server.TLSURL(), "https://127.0.0.1:")
	if !ok || addr == port {
		t.Errorf("TLS is served on %s", w.server.TLSURL())
	}
	if without := newWorld(t, penstock.Config{}).server.TLSURL(); without != "" {
		t.Errorf("without TLS, it is served on %s", without)
	}
	for _, tt := range []struct {
		protocols []string
		want      string
	}{{[]string{"h2", "http/1.1"}, "HTTP/2.0"}, {[]string{"http/1.1"}, "HTTP/1.1"}, {nil, "HTTP/1.1"}} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: ca.pool(), NextProtos: tt.protocols, ServerName: *created.ApiId + ".execute-api.us-east-1.localhost"},
			ForceAttemptHTTP2: tt.want == "HTTP/2.0",
		}
		if tt.want == "HTTP/1.1" {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.TLSURL()+"/echo", strings.NewReader("over TLS"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = *created.ApiId + ".execute-api.us-east-1.localhost"
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Errorf("%q: %v", tt.protocols, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		transport.CloseIdleConnections()
		if err != nil || resp.StatusCode != 200 || string(body) != "over TLS" || resp.Proto != tt.want {
			t.Errorf("%q: %s %d %q (%v), want %s", tt.protocols, resp.Proto, resp.StatusCode, body, err, tt.want)
		}
		if seen := w.take(); seen == nil || seen.Header.Get("X-Forwarded-Proto") != "https" && !strings.Contains(seen.Header.Get("Forwarded"), "proto=https") {
			t.Errorf("%q: the backend is not told of TLS: %v", tt.protocols, seen)
		}
	}
}

// An integration cannot reach the TLS listener either, and one that is open to others
// keeps integrations off private addresses.
func TestTLSOwnListener(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{ListenTLS: "127.0.0.1:0"})
	if got := w.ask(w.api(apiSpec{routes: map[string]target{"GET /a": {uri: w.server.TLSURL()}}}), "GET /a"); got.StatusCode != 503 {
		t.Errorf("its own listener: status %d", got.StatusCode)
	} else if r, _ := w.explain(got); strings.Contains(r.Response.Reason, "certificate") {
		t.Errorf("it was called: %s", r.Response.Reason)
	}
	if got := w.ask(w.api(apiSpec{routes: to("GET /a")}), "GET /a"); got.StatusCode != 200 {
		t.Errorf("a private address: status %d", got.StatusCode)
	}
	w = newWorld(t, penstock.Config{ListenTLS: "0.0.0.0:0"})
	if got := w.ask(w.api(apiSpec{routes: to("GET /a")}), "GET /a"); got.StatusCode != 503 || w.take() != nil {
		t.Errorf("a private address, from a server that is open to others: status %d", got.StatusCode)
	}
	if !strings.HasPrefix(w.server.TLSURL(), "https://127.0.0.1:") {
		t.Errorf("TLS is served on %s", w.server.TLSURL())
	}
}

// A domain with mutual TLS lets in the clients that its trust store vouches for, and
// nobody by another way.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	one, two, server := newAuthority(t), newAuthority(t), newAuthority(t)
	good, other := one.sign(t, "good"), two.sign(t, "other")
	leaf := server.sign(t, "*.example.com")
	dir := t.TempDir()
	file, mapped := filepath.Join(dir, "file.pem"), filepath.Join(dir, "mapped.pem")
	replace(t, file, one.certPEM())
	replace(t, mapped, one.certPEM())
	w := newWorld(t, penstock.Config{
		Logger:       slog.New(slog.DiscardHandler), // it says which trust stores cannot be read
		ListenTLS:    "127.0.0.1:0",
		Certificates: []penstock.Certificate{{ARN: certificateARN("c"), Certificate: leaf.certPEM(), PrivateKey: leaf.keyPEM(t)}},
		Truststores:  []penstock.Truststore{{URI: "s3://bucket/ca.pem", File: mapped}, {URI: "s3://bucket/gone.pem", File: filepath.Join(dir, "gone.pem")}},
	})
	api := w.api(apiSpec{routes: to("GET /a")})
	w.domain("file.example.com", certificateARN("c"), "file://"+file, api)
	w.domain("mapped.example.com", certificateARN("c"), "s3://bucket/ca.pem", api)
	w.domain("open.example.com", certificateARN("c"), "", api)
	w.domain("unmapped.example.com", certificateARN("c"), "s3://bucket/other.pem", api)
	w.domain("gone.example.com", certificateARN("c"), "s3://bucket/gone.pem", api)

	for _, tt := range []struct {
		name, sni, host string
		certs           []tls.Certificate
		want            int // 0: no handshake
	}{
		{"a good client", "file.example.com", "file.example.com", []tls.Certificate{good.pair()}, 200},
		{"a client of another authority", "file.example.com", "file.example.com", []tls.Certificate{other.pair()}, 0},
		{"a client without", "file.example.com", "file.example.com", nil, 0},
		{"a good client, mapped", "mapped.example.com", "mapped.example.com", []tls.Certificate{good.pair()}, 200},
		{"a client of another authority, mapped", "mapped.example.com", "mapped.example.com", []tls.Certificate{other.pair()}, 0},
		{"a client without, mapped", "mapped.example.com", "mapped.example.com", nil, 0},
		{"without mutual TLS", "open.example.com", "open.example.com", nil, 200},
		{"the handshake of one, the host of another", "file.example.com", "mapped.example.com", []tls.Certificate{good.pair()}, 421},
		{"the host of one without", "file.example.com", "open.example.com", []tls.Certificate{good.pair()}, 421},
		{"the handshake of one without", "open.example.com", "file.example.com", []tls.Certificate{good.pair()}, 421},
		{"the handshake of none", "", "file.example.com", []tls.Certificate{good.pair()}, 421},
		{"the execute-api host behind a mutual handshake", "file.example.com", host(api), []tls.Certificate{good.pair()}, 421},
		{"a trust store that nothing is said about", "unmapped.example.com", "unmapped.example.com", []tls.Certificate{good.pair()}, 0},
		{"a trust store that is not there", "gone.example.com", "gone.example.com", []tls.Certificate{good.pair()}, 0},
		{"another case", "FILE.example.com", "FILE.EXAMPLE.COM", []tls.Certificate{good.pair()}, 200},
	} {
		if got := w.statusOf(tt.sni, tt.host, tt.certs...); got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.want)
		}
	}
	for _, name := range []string{"file.example.com", "mapped.example.com", "gone.example.com"} {
		if got := w.ask(api, "GET /a", "Host: "+name); got.StatusCode != 403 {
			t.Errorf("%s without TLS: status %d", name, got.StatusCode)
		}
	}

	// The trust store is replaced: who was trusted is no longer, wherever it is.
	for path, name := range map[string]string{file: "file.example.com", mapped: "mapped.example.com"} {
		conn, err := w.dialTLSAs(name, good.pair())
		if err != nil {
			t.Fatal(err)
		}
		if got := over(conn, name); got != 200 {
			t.Fatalf("%s: status %d", name, got)
		}
		replace(t, path, two.certPEM())
		await(t, "the new client is let in", func() bool { return w.statusOf(name, name, other.pair()) == 200 })
		if got := w.statusOf(name, name, good.pair()); got != 0 {
			t.Errorf("%s: the old client: status %d", name, got)
		}
		if got := over(conn, name); got != 403 {
			t.Errorf("%s: the old client on its connection: status %d", name, got)
		}
		if got := over(conn, name); got != 0 {
			t.Errorf("%s: the connection goes on: status %d", name, got)
		}
	}
	if got := w.statusOf("open.example.com", "open.example.com"); got != 200 {
		t.Errorf("the domain without mutual TLS: status %d", got)
	}
	// One that comes into being is read.
	replace(t, filepath.Join(dir, "gone.pem"), one.certPEM())
	await(t, "the trust store is read", func() bool { return w.statusOf("gone.example.com", "gone.example.com", good.pair()) == 200 })

	// A domain that no longer asks for certificates is open, and one that begins to is not.
	for _, tt := range []struct {
		name, truststore string
		want             int
	}{{"file.example.com", "", 200}, {"open.example.com", "file://" + file, 0}} {
		check[*apigatewayv2.UpdateDomainNameOutput](t)(w.control.UpdateDomainName(t.Context(), &apigatewayv2.UpdateDomainNameInput{
			DomainName: &tt.name, MutualTlsAuthentication: &types.MutualTlsAuthenticationInput{TruststoreUri: &tt.truststore},
		}))
		if got := w.statusOf(tt.name, tt.name); got != tt.want {
			t.Errorf("%s with the trust store %q: status %d, want %d", tt.name, tt.truststore, got, tt.want)
		}
	}
}

// A domain with mutual TLS is served after a restart, at once.
func TestMutualTLSRestart(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	client, leaf := ca.sign(t, "client"), ca.sign(t, "pets.example.com")
	file := filepath.Join(t.TempDir(), "ca.pem")
	replace(t, file, ca.certPEM())
	c := quiet
	c.Memory, c.Data, c.ListenTLS, c.AccountID = false, t.TempDir(), "127.0.0.1:0", testAccount
	c.Certificates = []penstock.Certificate{{ARN: certificateARN("c"), Certificate: leaf.certPEM(), PrivateKey: leaf.keyPEM(t)}}
	s := open(t, c)
	w := &world{t: t, server: s, control: sdk(s, anyone)}
	w.domain("pets.example.com", certificateARN("c"), "file://"+file, *quickCreate(t, s, echo(t)).ApiId)
	for range 20 {
		if got := w.statusOf("pets.example.com", "pets.example.com", client.pair()); got != 200 {
			t.Errorf("status %d", got)
		}
		if err := w.server.Close(); err != nil {
			t.Fatal(err)
		}
		w.server = open(t, c)
	}
}

// What cannot work is told with its key before anything is served.
func TestTLSErrors(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key, otherKey := ca.certPEM(), ca.keyPEM(t), newAuthority(t).keyPEM(t)
	pair := penstock.Certificate{ARN: "arn:a", Certificate: cert, PrivateKey: key}
	for _, tt := range []struct {
		name string
		edit func(*penstock.Config)
		want string
	}{
		{"both forms", func(c *penstock.Config) {
			c.Certificates = []penstock.Certificate{pair, {Certificate: cert, CertificateFile: "f", PrivateKey: key}}
		}, "certificates[1]: give one of certificateFile and certificate"},
		{"no certificate", func(c *penstock.Config) { c.Certificates = []penstock.Certificate{{PrivateKey: key}} }, "certificates[0]: give one of certificateFile and certificate"},
		{"no key", func(c *penstock.Config) { c.Certificates = []penstock.Certificate{{Certificate: cert}} }, "certificates[0]: give one of privateKeyFile and privateKey"},
		{"both keys", func(c *penstock.Config) {
			c.Certificates = []penstock.Certificate{{CertificateFile: "f", PrivateKeyFile: "f", PrivateKey: key}}
		}, "certificates[0]: give one of privateKeyFile and privateKey"},
		{"a file and a text", func(c *penstock.Config) {
			c.Certificates = []penstock.Certificate{{CertificateFile: "f", PrivateKey: key}}
		}, "certificates[0]: the certificate and its key are both files or both texts"},
		{"an ARN twice", func(c *penstock.Config) { c.Certificates = []penstock.Certificate{pair, pair} }, "certificates[1].arn: arn:a is there twice"},
		{"no listener", func(c *penstock.Config) { c.Certificates, c.ListenTLS = []penstock.Certificate{pair}, "" }, "certificates: there is no TLS listener: set listenTls"},
		{"no URI", func(c *penstock.Config) { c.Truststores = []penstock.Truststore{{File: "f"}} }, "truststores[0].uri is missing"},
		{"no file", func(c *penstock.Config) { c.Truststores = []penstock.Truststore{{URI: "s3://b/k"}} }, "truststores[0].file is missing"},
		{"a trust store twice", func(c *penstock.Config) {
			c.Truststores = []penstock.Truststore{{URI: "s3://b/k", File: "f"}, {URI: "s3://b/k", File: "g"}}
		}, "truststores[1].uri: s3://b/k is there twice"},
		{"a name", func(c *penstock.Config) { c.ACME.Names = []string{"a.example.com", "*.example.com"} }, `acme.names[1]: "*.example.com" is not a domain name`},
		{"an authority without TLS", func(c *penstock.Config) {
			c.ACME.Names, c.ACME.Directory = []string{"a.example.com"}, "http://127.0.0.1/dir"
		}, `acme.directory: "http://127.0.0.1/dir" is not an https URL`},
		{"an authority and no listener", func(c *penstock.Config) { c.ACME.Names, c.ListenTLS = []string{"a.example.com"}, "" }, "acme.names: there is no TLS listener: set listenTls"},
		{"a root that is not there", func(c *penstock.Config) {
			c.ACME.Names, c.ACME.RootFile = []string{"a.example.com"}, filepath.Join(t.TempDir(), "none")
		}, "acme.rootFile: there is no such file"},
		{"an address", func(c *penstock.Config) { c.ListenTLS = "8443" }, `listenTls: "8443" is not an address`},
		{"another key", func(c *penstock.Config) {
			c.Certificates = []penstock.Certificate{{ARN: "arn:a", Certificate: cert, PrivateKey: otherKey}}
		}, "certificates: certificate arn:a: tls: private key does not match public key"},
		{"a file that is not there", func(c *penstock.Config) {
			c.Certificates = []penstock.Certificate{{CertificateFile: "none.pem", PrivateKeyFile: "none.key"}}
		}, "certificates: certificate none.pem: there is no such file"},
	} {
		c := quiet
		c.ListenTLS = "127.0.0.1:0"
		tt.edit(&c)
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: got %q, want %q", tt.name, err, tt.want)
		}
	}
}

// The limits of the configuration are those of the listener.
func TestTLSLimits(t *testing.T) {
	t.Parallel()
	c := penstock.Config{ListenTLS: "127.0.0.1:0"}
	c.Limits.Streams, c.Limits.HandshakeTimeout = 7, 100*time.Millisecond
	w := newWorld(t, c)
	addr := strings.TrimPrefix(w.server.TLSURL(), "https://")
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	framer := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		settings, ok := f.(*http2.SettingsFrame)
		if !ok || settings.IsAck() {
			continue
		}
		if got, ok := settings.Value(http2.SettingMaxConcurrentStreams); !ok || got != 7 {
			t.Errorf("%d streams (%v), want 7", got, ok)
		}
		break
	}
	silent, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silent.SetDeadline(time.Now().Add(5 * time.Second)) // half the default
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who does not begin the handshake is waited for: %v", err)
	}
}
