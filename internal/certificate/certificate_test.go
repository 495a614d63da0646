package certificate_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/certificate"
)

var serials atomic.Int64

// sign makes a certificate that signs itself, as edit says, and returns it and its key
// as PEM.
func sign(t testing.TB, key crypto.Signer, edit func(*x509.Certificate)) (cert, private string) {
	t.Helper()
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: fmt.Sprint("test ", serials.Load())},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	edit(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func named(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

func isAuthority(c *x509.Certificate) { c.IsCA = true }

// logged keeps what a store logs.
type logged struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func open(t testing.TB, c certificate.Config) (*certificate.Store, *logged) {
	t.Helper()
	l := &logged{}
	c.Logger = slog.New(slog.NewTextHandler(l, nil))
	s, err := certificate.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, l
}

// replace gives a file a new content, at once.
func replace(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
	}
}

// TestFind: certificates are found by their ARNs and names, the most fitting first.
func TestFind(t *testing.T) {
	t.Parallel()
	pair := func(arn string, edit func(*x509.Certificate)) certificate.Pair {
		c, k := sign(t, nil, edit)
		return certificate.Pair{ARN: arn, Certificate: c, PrivateKey: k}
	}
	s, _ := open(t, certificate.Config{Names: []string{"localhost", "*.execute-api.us-east-1.localhost"}, Pairs: []certificate.Pair{
		pair("exact", named("a.example", "B.Example")), pair("wild", named("*.a.example", "*.example")),
		pair("old", func(c *x509.Certificate) {
			c.DNSNames, c.NotAfter = []string{"c.example"}, time.Now().Add(-time.Minute)
		}),
		pair("new", named("c.example")), pair("older", func(c *x509.Certificate) {
			c.DNSNames, c.NotAfter = []string{"c.example"}, time.Now().Add(time.Minute)
		}),
	}})
	for name, want := range map[string]string{
		"a.example": "exact", "A.EXAMPLE.": "exact", "b.example": "exact", "x.a.example": "wild", "d.example": "wild", "c.example": "new",
		"x.y.a.example": "", "example": "", ".example": "", "": "", "other.test": "", "127.0.0.1": "", "*.example": "wild",
	} {
		var found string
		c := s.ByName(name)
		for _, arn := range []string{"exact", "wild", "old", "new", "older"} {
			if c != nil && c == s.ByARN(arn) {
				found = arn
			}
		}
		if found != want || (c == nil) != (want == "") {
			t.Errorf("%q: found %q, want %q", name, found, want)
		}
	}
	if s.ByARN("none") != nil || s.ByARN("") != nil {
		t.Error("found what is not there")
	}
	for name, want := range map[string]bool{"localhost": true, "a.execute-api.us-east-1.localhost": true, "127.0.0.1": true, "a.example": false} {
		if err := s.Fallback().Leaf.VerifyHostname(name); (err == nil) != want {
			t.Errorf("fallback for %s: %v", name, err)
		}
	}
}

// TestNameless: who connects to an address gets the first certificate for one.
func TestNameless(t *testing.T) {
	t.Parallel()
	pair := func(arn string, edit func(*x509.Certificate)) certificate.Pair {
		c, k := sign(t, nil, edit)
		return certificate.Pair{ARN: arn, Certificate: c, PrivateKey: k}
	}
	address := func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }
	s, _ := open(t, certificate.Config{Pairs: []certificate.Pair{pair("named", named("a.example")), pair("one", address), pair("two", address)}})
	for _, name := range []string{"", "127.0.0.1", "[::1]"} {
		if c := s.ByName(name); c == nil || c != s.ByARN("one") {
			t.Errorf("%q: not the first certificate for an address", name)
		}
	}
}

// TestOpenErrors: what cannot be used is refused when the store opens; what has expired
// is mentioned.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	c, k := sign(t, nil, named("a.example"))
	other, _ := sign(t, nil, named("a.example"))
	dir := t.TempDir()
	for name, p := range map[string]certificate.Pair{
		"key of another": {Certificate: other, PrivateKey: k},
		"no key":         {Certificate: c},
		"no PEM":         {Certificate: "x", PrivateKey: "y"},
		"nothing":        {},
		"no file":        {CertificateFile: filepath.Join(dir, "none"), PrivateKeyFile: filepath.Join(dir, "none")},
		"a directory":    {CertificateFile: dir, PrivateKeyFile: dir},
		"two of one ARN": {ARN: "1", Certificate: c, PrivateKey: k},
	} {
		if _, err := certificate.Open(certificate.Config{Pairs: []certificate.Pair{{ARN: "1", Certificate: c, PrivateKey: k}, p}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c, k = sign(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	s, l := open(t, certificate.Config{Pairs: []certificate.Pair{{ARN: "1", Certificate: c, PrivateKey: k}}})
	if s.ByARN("1") == nil || l.count("has expired") != 1 {
		t.Error("an expired certificate was not loaded, or not mentioned")
	}
}

// TestReload: a certificate whose files have changed is another one within a second, if
// it can be used.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	write := func(c, k string) {
		replace(t, cert, c)
		replace(t, key, k)
	}
	c1, k1 := sign(t, nil, named("a.example"))
	c2, k2 := sign(t, nil, named("a.example", "b.example"))
	write(c1, k1)
	s, l := open(t, certificate.Config{Poll: time.Hour, Pairs: []certificate.Pair{{ARN: "1", CertificateFile: cert, PrivateKeyFile: key}}})
	first := s.ByARN("1")
	s.Reload()
	if s.ByARN("1") != first {
		t.Error("another certificate although nothing has changed")
	}
	for _, tt := range []struct {
		name  string
		write func()
	}{
		{"half of a change", func() { replace(t, cert, c2) }},
		{"no PEM", func() { write("x", "y") }},
		{"gone", func() { os.Remove(cert) }},
		{"too large", func() { write(strings.Repeat("x", 1<<20+1), k1) }},
	} {
		tt.write()
		before := l.count("cannot be used")
		s.Reload()
		s.Reload()
		if s.ByARN("1") != first || s.ByName("a.example") != first || s.ByName("b.example") != nil {
			t.Errorf("%s: the certificate has changed", tt.name)
		}
		if n := l.count("cannot be used") - before; n != 1 {
			t.Errorf("%s: logged %d times", tt.name, n)
		}
	}
	write(c2, k2)
	s.Reload()
	second := s.ByARN("1")
	if second == first || s.ByName("b.example") != second || s.ByName("a.example") != second {
		t.Error("the certificate has not changed")
	}
	// In place, with the same size and time: seen as long as the change is young.
	info, err := os.Stat(cert)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if c1, k1 = sign(t, nil, named("a.example", "b.example")); int64(len(c1)) == info.Size() {
			break
		}
	}
	os.WriteFile(key, []byte(k1), 0o600)
	os.WriteFile(cert, []byte(c1), 0o600)
	os.Chtimes(cert, info.ModTime(), info.ModTime())
	s.Reload()
	if s.ByARN("1") == second {
		t.Error("a change in the same moment was not seen")
	}
}

// TestPoll: nobody has to ask.
func TestPoll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, trust := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "trust")
	c, k := sign(t, nil, named("a.example"))
	ca, _ := sign(t, nil, isAuthority)
	replace(t, cert, c)
	replace(t, key, k)
	replace(t, trust, ca)
	s, _ := open(t, certificate.Config{Poll: 5 * time.Millisecond, Pairs: []certificate.Pair{{ARN: "1", CertificateFile: cert, PrivateKeyFile: key}}})
	s.Use([]certificate.Source{{URI: "file://" + trust}})
	await(t, "the trust store is read", func() bool { return s.ClientTrust("file://"+trust, "").Pool != nil })
	first, before := s.ByARN("1"), s.ClientTrust("file://"+trust, "")
	c, k = sign(t, nil, named("a.example"))
	replace(t, key, k)
	replace(t, cert, c)
	ca, _ = sign(t, nil, isAuthority)
	replace(t, trust, ca)
	await(t, "both have changed", func() bool {
		return s.ByARN("1") != first && s.ClientTrust("file://"+trust, "").Version != before.Version
	})
}

// TestAuthorities: which certificates of a trust store count.
func TestAuthorities(t *testing.T) {
	t.Parallel()
	good, key := sign(t, nil, isAuthority)
	leaf, _ := sign(t, nil, named("a.example"))
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short, _ := sign(t, weak, isAuthority)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, _ := sign(t, p224, isAuthority)
	junk := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	for _, tt := range []struct {
		name, text string
		warnings   []string
		refused    string
	}{
		{"one", good, nil, ""},
		{"with others", leaf + good + key + short + small + junk, []string{"Certificate 1: it is not the certificate of an authority", "Certificate 3: it is a PRIVATE KEY", "Certificate 4: its RSA key is shorter", "Certificate 5: its ECDSA key is shorter", "Certificate 6: it cannot be parsed"}, ""},
		{"with text behind", good + "more", []string{"What follows"}, ""},
		{"1,000", strings.Repeat(good, 1000), nil, ""},
		{"1,001", strings.Repeat(good, 1001), nil, "more than 1000 certificates"},
		{"none that counts", leaf, nil, "no certificate"},
		{"empty", "", nil, "no certificate"},
		{"no PEM", "x", nil, "no certificate"},
		{"too long", good + strings.Repeat("\n", 1<<20), nil, "more than 1048576 bytes"},
	} {
		pool, warnings, err := certificate.Authorities([]byte(tt.text))
		if tt.refused != "" {
			if pool != nil || err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || pool == nil || len(warnings) != len(tt.warnings) {
			t.Errorf("%s: %q, %v", tt.name, warnings, err)
			continue
		}
		for i, w := range tt.warnings {
			if !strings.HasPrefix(warnings[i], w) {
				t.Errorf("%s: %q, want %q", tt.name, warnings[i], w)
			}
		}
	}
}

// TestTruststoreFile: a trust store that cannot be read trusts whom it did, one that was
// never read trusts nobody, and one that says nothing trusts nobody either.
func TestTruststoreFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trust")
	source := certificate.Source{URI: "s3://bucket/trust", Version: "1"}
	s, l := open(t, certificate.Config{Poll: time.Hour, Sources: map[string]string{source.URI: path}})
	now := func() *certificate.ClientTrust { return s.ClientTrust(source.URI, source.Version) }
	if now().Pool != nil || now().Err == nil {
		t.Error("somebody is trusted although no domain names the trust store")
	}
	s.Use([]certificate.Source{source})
	s.Reload()
	if now().Pool != nil || now().Err == nil {
		t.Error("somebody is trusted although the file is missing")
	}
	s.Reload()
	if n := l.count("cannot be used"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	a, _ := sign(t, nil, isAuthority)
	b, _ := sign(t, nil, isAuthority)
	replace(t, path, a+b)
	s.Reload()
	both := now()
	if both.Err != nil || both.Pool == nil || both.Version == "" {
		t.Fatalf("not read: %v", both.Err)
	}
	s.Reload()
	if now() != both {
		t.Error("another one although nothing has changed")
	}
	os.Remove(path)
	s.Reload()
	if now() != both {
		t.Error("a trust store that is gone does not trust whom it did")
	}
	replace(t, path, a)
	s.Reload()
	one := now()
	if one.Pool == nil || one.Version == both.Version || one.Pool.Equal(both.Pool) {
		t.Error("an authority that was taken away is still trusted")
	}
	if other := s.ClientTrust(source.URI, "2"); other.Pool != nil {
		t.Error("another version is trusted")
	}
	replace(t, path, "")
	s.Reload()
	if now().Pool != nil || now().Err == nil {
		t.Error("an empty trust store trusts somebody")
	}
	replace(t, path, a)
	s.Reload()
	if now().Pool == nil {
		t.Error("not read again")
	}
	// What is no longer named is forgotten, whatever it was.
	os.Remove(path)
	s.Use(nil)
	s.Use([]certificate.Source{source})
	s.Reload()
	if now().Pool != nil {
		t.Error("a trust store that was forgotten trusts somebody")
	}
}

// TestTruststoreFetch: a trust store that is fetched is fetched once, and again for as
// long as it cannot be.
func TestTruststoreFetch(t *testing.T) {
	t.Parallel()
	ca, _ := sign(t, nil, isAuthority)
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		broken := errors.New("unreachable")
		s, err := certificate.Open(certificate.Config{
			Sources: map[string]string{"s3://b/k": "https://mirror.example/k"},
			Fetch: func(ctx context.Context, uri string) ([]byte, error) {
				if n := asked.Add(1); n <= 3 {
					return nil, broken
				} else if n == 4 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				if uri != "https://mirror.example/k" {
					return nil, broken
				}
				return []byte(ca), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Use([]certificate.Source{{URI: "s3://b/k"}, {URI: "s3://b/other"}, {URI: "ftp://x/y"}, {URI: "http://x/y"}})
		synctest.Wait()
		if c := s.ClientTrust("s3://b/k", ""); c.Pool != nil || !errors.Is(c.Err, broken) {
			t.Errorf("%v", c.Err)
		}
		for _, uri := range []string{"s3://b/other", "ftp://x/y", "http://x/y"} {
			if c := s.ClientTrust(uri, ""); c.Pool != nil || c.Err == nil {
				t.Errorf("%s is trusted", uri)
			}
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if c := s.ClientTrust("s3://b/k", ""); c.Pool == nil {
			t.Errorf("after a while: %v", c.Err)
		}
		time.Sleep(time.Hour)
		if n := asked.Load(); n != 5 {
			t.Errorf("fetched %d times, want 5", n)
		}
	})
}

// TestFallbackRenewal: the certificate that the store made is replaced before it ends.
func TestFallbackRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := certificate.Open(certificate.Config{Poll: 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		first := s.Fallback()
		for range 2 {
			time.Sleep(200 * 24 * time.Hour)
			synctest.Wait()
			if time.Until(s.Fallback().Leaf.NotAfter) < 24*time.Hour {
				t.Error("about to end")
			}
		}
		if s.Fallback() == first {
			t.Error("not replaced")
		}
	})
}

// TestCloseLeavesNothing is a bubble that ends only when all its goroutines have.
func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := certificate.Open(certificate.Config{Fetch: func(ctx context.Context, _ string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.Use([]certificate.Source{{URI: "https://x/y"}})
		synctest.Wait()
		start := time.Now()
		s.Close()
		if time.Since(start) > 0 {
			t.Error("Close waited for somebody else's server")
		}
	})
}

// FuzzAuthorities: no text makes a trust store of nobody, or a panic.
func FuzzAuthorities(f *testing.F) {
	ca, _ := sign(f, nil, isAuthority)
	f.Add([]byte(ca))
	f.Add([]byte(ca[:len(ca)/2]))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	empty := x509.NewCertPool()
	f.Fuzz(func(t *testing.T, text []byte) {
		pool, _, err := certificate.Authorities(text)
		if (pool == nil) == (err == nil) || pool != nil && pool.Equal(empty) {
			t.Errorf("%v, %v", pool, err)
		}
	})
}

// BenchmarkByName finds a certificate for a server name.
func BenchmarkByName(b *testing.B) {
	c, k := sign(b, nil, named("*.example.com"))
	s, _ := open(b, certificate.Config{Pairs: []certificate.Pair{{Certificate: c, PrivateKey: k}}})
	b.ReportAllocs()
	for b.Loop() {
		if s.ByName("api.example.com") == nil {
			b.Fatal("not found")
		}
	}
}
