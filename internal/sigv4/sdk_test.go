package sigv4

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// transmit returns r as a server receives it.
func transmit(t testing.TB, r *http.Request, body []byte) *http.Request {
	t.Helper()
	r.Body, r.ContentLength = nil, int64(len(body))
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
	}
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	return received
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// requestMaker makes requests like those of the control API and of clients of an
// API, with everything that has been signed wrongly by somebody once.
type requestMaker struct{ *rand.Rand }

func (m requestMaker) pick(from ...string) string { return from[m.IntN(len(from))] }

func (m requestMaker) path() string {
	var path strings.Builder
	for range 1 + m.IntN(5) {
		path.WriteByte('/')
		path.WriteString(m.pick("v2", "apis", "a1b2c3d4e5", "routesettings", "$default", "%24default",
			"GET%20%2Fpets%2F%7Bid%7D", "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fabc",
			"arn:aws:apigateway:us-east-1::", "a%2Fb", "a%252Fb", "%2A.example.com", "caf%C3%A9", "a+b", "a%2bb", "~-._", "@id", "(x)", "a;b=c", ""))
	}
	return path.String()
}

func (m requestMaker) query() string {
	var pairs []string
	for range m.IntN(5) {
		pair := m.pick("tagKeys", "a", "A", "a-b", "a%2Fb", "caf%C3%A9", "x.y", "%20", "")
		if m.IntN(4) > 0 {
			pair += "=" + m.pick("1", "2", "", "a b", "a%20b", "a+b", "a%2Bb", "a/b", "a-b", "a=b", "%7B%7D", "%e2%82%ac", "*")
		}
		pairs = append(pairs, strings.ReplaceAll(pair, " ", "+"))
	}
	return strings.Join(pairs, "&")
}

func (m requestMaker) request(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	host := m.pick("apigateway.us-east-1.amazonaws.com", "127.0.0.1:8081", "localhost:4566", "[::1]:8081")
	target := "http://" + host + m.path()
	if query := m.query(); query != "" {
		target += "?" + query
	}
	r, err := http.NewRequest(m.pick("GET", "POST", "PUT", "PATCH", "DELETE"), target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range m.IntN(4) {
		r.Header.Add(m.pick("Content-Type", "X-Amz-Meta-A", "X-Custom", "Accept", "X-Amz-Target"),
			m.pick("application/json", "  a   b  ", "a,b", "", `"a   b"`, "caf\u00e9"))
	}
	var body []byte
	if r.Method != "GET" && r.Method != "DELETE" {
		body = []byte(m.pick("", "{}", `{"name":"n"}`, "\x00\xff"))
	}
	r.ContentLength = int64(len(body))
	return r, body
}

// tamper changes something in a received request that the signature covers.
func (m requestMaker) tamper(r *http.Request, body []byte) (what string, _ []byte) {
	switch what = m.pick("method", "path", "query", "body", "host", "date", "escaping"); what {
	case "method":
		r.Method = m.pick("HEAD", "OPTIONS")
	case "path":
		path, query, _ := strings.Cut(r.RequestURI, "?")
		r.RequestURI = path + "/x?" + query
	case "query":
		separator := "?"
		if strings.Contains(r.RequestURI, "?") {
			separator = "&"
		}
		r.RequestURI += separator + "zz=1"
	case "body":
		body = append(body[:len(body):len(body)], ' ')
	case "host":
		r.Host = "other." + r.Host
	case "date":
		if _, presigned := r.URL.Query()["X-Amz-Date"]; presigned {
			r.RequestURI = strings.Replace(r.RequestURI, "T120000Z", "T120001Z", 1)
		} else {
			r.Header.Set("X-Amz-Date", "20250102T120001Z")
		}
	case "escaping":
		r.RequestURI = "/%76" + r.RequestURI
	}
	return what, body
}

// Whatever the AWS SDK for Go signs, in the header or in the query, with either
// way of escaping the path, is accepted, and refused after a change.
func TestAgainstSDK(t *testing.T) {
	const cases = 3_000
	now := time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	m := requestMaker{rand.New(rand.NewPCG(3, 4))}
	for i := range cases {
		encodeOnce, presigned, temporary := i&1 != 0, i&2 != 0, i&4 != 0
		credential := Credential{AccessKeyID: "AKIA" + strconv.Itoa(i%50), SecretAccessKey: "secret+/" + strconv.Itoa(i%50)}
		if temporary {
			credential.SessionToken = "token/+=" + strconv.Itoa(i)
		}
		verifier := NewVerifier(Options{
			Service:    "apigateway",
			EncodeOnce: encodeOnce,
			Now:        func() time.Time { return now },
			Lookup:     func(id string) (Credential, bool) { return credential, id == credential.AccessKeyID },
		})
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = encodeOnce })
		sdkCredential := aws.Credentials{AccessKeyID: credential.AccessKeyID, SecretAccessKey: credential.SecretAccessKey, SessionToken: credential.SessionToken}
		region := m.pick("us-east-1", "eu-central-1", "us-gov-west-1")

		r, body := m.request(t)
		if presigned {
			query := r.URL.Query()
			query.Set("X-Amz-Expires", m.pick("1", "900", "604800"))
			r.URL.RawQuery = query.Encode()
			uri, header, err := signer.PresignHTTP(t.Context(), sdkCredential, r, hexHash(body), "apigateway", region, now)
			if err != nil {
				t.Fatal(err)
			}
			if r.URL, err = url.Parse(uri); err != nil {
				t.Fatal(err)
			}
			r.Header = header
			r.Header.Del("Host")
		} else if err := signer.SignHTTP(t.Context(), sdkCredential, r, hexHash(body), "apigateway", region, now); err != nil {
			t.Fatal(err)
		}

		received := transmit(t, r, body)
		identity, err := verifier.Verify(received, body)
		if err != nil || identity.AccessKeyID != credential.AccessKeyID || identity.Region != region ||
			identity.Service != "apigateway" || identity.Presigned != presigned || !identity.Time.Equal(now) {
			t.Fatalf("case %d: %s %s %v: got %+v, %v", i, received.Method, received.RequestURI, received.Header, identity, err)
		}
		if what, changed := m.tamper(received, body); accepted(verifier, received, changed) {
			t.Fatalf("case %d: accepted after a change of the %s: %s %s %v", i, what, received.Method, received.RequestURI, received.Header)
		}
	}
}

func accepted(v *Verifier, r *http.Request, body []byte) bool {
	_, err := v.Verify(r, body)
	return err == nil
}

// Signer and SDK make the same header for requests whose headers both sign, and
// Verifier takes what Signer makes.
func TestSigner(t *testing.T) {
	now := time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	m := requestMaker{rand.New(rand.NewPCG(5, 6))}
	for i := range 500 {
		encodeOnce := i&1 != 0
		signer := Signer{
			Credential: Credential{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: m.pick("", "token+/=")},
			Region:     "us-east-1",
			Service:    "lambda",
			EncodeOnce: encodeOnce,
			Now:        clock,
		}
		verifier := NewVerifier(Options{
			Service:    "lambda",
			EncodeOnce: encodeOnce,
			Now:        clock,
			Lookup:     func(string) (Credential, bool) { return signer.Credential, true },
		})

		r, body := m.request(t)
		presigned := r.Clone(t.Context())
		if err := signer.Sign(r, body); err != nil {
			t.Fatal(err)
		}
		if received := transmit(t, r, body); !accepted(verifier, received, body) {
			t.Fatalf("case %d: refused %s %s %v", i, received.Method, received.RequestURI, received.Header)
		}
		if len(body) == 0 && len(r.Header["X-Custom"]) == 0 && len(r.Header["Accept"]) == 0 {
			other := r.Clone(t.Context())
			other.Header.Del("Authorization")
			sdkSigner := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = encodeOnce })
			err := sdkSigner.SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: signer.Credential.SessionToken},
				other, hexHash(body), "lambda", "us-east-1", now)
			if got, want := r.Header.Get("Authorization"), other.Header.Get("Authorization"); err != nil || got != want {
				t.Fatalf("case %d: %s %s\ngot  %s\nwant %s, %v", i, r.Method, r.URL, got, want, err)
			}
		}

		presigned.Header.Set("Authorization", "of an earlier request")
		if err := signer.Presign(presigned, body, time.Hour); err != nil {
			t.Fatal(err)
		}
		if received := transmit(t, presigned, body); !accepted(verifier, received, body) {
			t.Fatalf("case %d: refused %s %s %v", i, received.Method, received.RequestURI, received.Header)
		}
	}
}

func TestSignerRefuses(t *testing.T) {
	r, err := http.NewRequest("GET", "http://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = "a=%zz"
	var signer Signer
	want := `The query parameter "a=%zz" has an invalid percent escape.`
	if err := signer.Sign(r, nil); fmt.Sprint(err) != want {
		t.Errorf("Sign: got %v, want %s", err, want)
	}
	if err := signer.Presign(r, nil, time.Minute); fmt.Sprint(err) != want {
		t.Errorf("Presign: got %v, want %s", err, want)
	}
}
