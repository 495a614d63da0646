package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"penstock/internal/credential"
	"penstock/internal/gateway"
	"penstock/internal/integration"
)

const (
	testRole = "arn:aws:iam::123456789012:role/caller"
	testBob  = "arn:aws:iam::000000000000:user/bob"
)

// specs are the credentials of tests by what they are for; "" is the server itself.
var specs = map[string]credential.Spec{
	"":       {AccessKeyID: "AKIAOWN", SecretAccessKey: "hidden+own/wJalrXUtnFEMI"},
	testRole: {AccessKeyID: "ASIAROLE", SecretAccessKey: "hidden+role", SessionToken: "hidden+token/of=the=role"},
	testBob:  {AccessKeyID: "AKIABOB", SecretAccessKey: "hidden+bob"},
}

func newHTTP(t testing.TB) *integration.Client {
	t.Helper()
	c := integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	t.Cleanup(func() { c.Close() })
	return c
}

func newKeyring(t testing.TB) *credential.Keyring {
	t.Helper()
	k, err := credential.NewKeyring(credential.Config{Roles: func(arn string) (credential.Spec, bool) { s, ok := specs[arn]; return s, ok }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// mustNew returns a Client. What c does not say is for tests.
func mustNew(t testing.TB, c Config) *Client {
	t.Helper()
	if c.HTTP == nil {
		c.HTTP = newHTTP(t)
	}
	if c.Keyring == nil {
		c.Keyring = newKeyring(t)
	}
	c.Own = specs[""]
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newExchange returns an exchange that no client waits for.
func newExchange(t testing.TB) *gateway.Exchange {
	t.Helper()
	s := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	x := s.NewExchange()
	t.Cleanup(func() {
		s.Finish(x, nil)
		s.Close()
	})
	return x
}

// request returns a call without anything special.
func request(service, region string) *integration.ServiceRequest {
	return &integration.ServiceRequest{
		Service: service, Region: region, Action: "SendMessage", Method: "POST",
		Host: service + "." + region + ".amazonaws.com", Target: "/",
		Header: []gateway.Field{{Name: "Content-Type", Value: "application/x-amz-json-1.0"}, {Name: "X-Amz-Target", Value: "AmazonSQS.SendMessage"}},
		Body:   []byte(`{"MessageBody":"confidential"}`), Timeout: 10 * time.Second,
	}
}

// A recorder plays services: it keeps what it gets, and says whether the SDK would have
// signed it in the same way.
type recorder struct {
	*httptest.Server
	t      testing.TB
	answer http.HandlerFunc // nil for 200 and {}

	mu   sync.Mutex // guards seen
	seen []*recorded
}

type recorded struct {
	*http.Request
	body string
}

func record(t testing.TB, answer http.HandlerFunc) *recorder {
	t.Helper()
	r := &recorder{t: t, answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, got *http.Request) {
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	r.seen = append(r.seen, &recorded{got, string(body)})
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, got)
		return
	}
	w.Header().Set("X-Amzn-RequestId", "11111111-2222-3333-4444-555555555555")
	_, _ = io.WriteString(w, "{}")
}

// one returns the newest request.
func (r *recorder) one() *recorded {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		r.t.Fatal("no request")
	}
	return r.seen[len(r.seen)-1]
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// checkSigned compares the signature of a request with what the AWS SDK for Go makes of it.
func (r *recorded) checkSigned(t testing.TB, spec credential.Spec, service, region string, once bool) {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("X-Amz-Date is %q", r.Header.Get("X-Amz-Date"))
	}
	other, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range r.Header {
		if name == "Content-Type" || strings.HasPrefix(name, "X-Amz-") {
			other.Header[name] = values
		}
	}
	hash := sha256.Sum256([]byte(r.body))
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = once })
	who := aws.Credentials{AccessKeyID: spec.AccessKeyID, SecretAccessKey: spec.SecretAccessKey, SessionToken: spec.SessionToken}
	if err := signer.SignHTTP(context.Background(), who, other, hex.EncodeToString(hash[:]), service, region, at); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Header.Get("Authorization"), other.Header.Get("Authorization"); got != want {
		t.Errorf("%s %s:\ngot  %s\nwant %s", r.Method, r.RequestURI, got, want)
	}
	if got := r.Header.Get("X-Amz-Security-Token"); got != spec.SessionToken {
		t.Errorf("the token is %q", got)
	}
	if sum := r.Header.Get("X-Amz-Content-Sha256"); once && sum != hex.EncodeToString(hash[:]) || !once && sum != "" {
		t.Errorf("X-Amz-Content-Sha256 is %q", sum)
	}
}
