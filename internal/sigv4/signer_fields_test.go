package sigv4

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sdkAuthorization returns what the AWS SDK for Go signs the fields with. What the signature
// does not cover is left out, since the SDK signs all that it gets.
func sdkAuthorization(t testing.TB, s *Signer, o *Outgoing, fields []Field) string {
	t.Helper()
	r, err := http.NewRequest(o.Method, "http://"+o.Host+o.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if isCovered(f.Name) {
			r.Header.Add(f.Name, f.Value)
		}
	}
	signer := v4.NewSigner(func(v *v4.SignerOptions) { v.DisableURIPathEscaping = s.EncodeOnce })
	who := aws.Credentials{AccessKeyID: s.Credential.AccessKeyID, SecretAccessKey: s.Credential.SecretAccessKey, SessionToken: s.Credential.SessionToken}
	if err := signer.SignHTTP(t.Context(), who, r, hexHash(o.Body), s.Service, s.Region, s.Now()); err != nil {
		t.Fatal(err)
	}
	return r.Header.Get("Authorization")
}

func fieldOf(fields []Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// SignFields and the SDK make the same signature of the same request, with keys that are
// kept and without.
func TestSignFields(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	keys := new(Keys)
	m := requestMaker{rand.New(rand.NewPCG(7, 8))}
	for i := range 2000 {
		now = now.Add(time.Duration(m.IntN(5)) * time.Hour)
		s := &Signer{
			Credential: Credential{AccessKeyID: "AKIA", SecretAccessKey: m.pick("secret", strings.Repeat("long secret", 20)), SessionToken: m.pick("", "token+/=")},
			Region:     m.pick("us-east-1", "eu-west-1"), Service: m.pick("sqs", "lambda"),
			EncodeOnce: i&1 != 0,
			Now:        func() time.Time { return now },
		}
		if i&2 != 0 {
			s.Keys = keys
		}
		o := &Outgoing{Method: m.pick("GET", "POST"), Host: m.pick("sqs.us-east-1.amazonaws.com", "127.0.0.1:4566"), Target: m.path(), Body: []byte(m.pick("", "{}", "\x00\xff"))}
		if query := m.query(); query != "" {
			o.Target += "?" + query
		}
		var header []Field
		for range m.IntN(5) {
			header = append(header, Field{m.pick("Content-Type", "x-amz-meta-a", "X-Amz-Meta-A", "X-Custom", "x-amz-target", "X-Amz-Date", "authorization", "X-Amzn-Trace-Id", "x-amz-security-token"), m.pick("application/json", "  a   b  ", "a,b", "", "caf\u00e9")})
		}
		got, err := SignFields(s, []Field{{"Kept", "1"}}, o, header)
		if err != nil {
			t.Fatal(err)
		}
		rest := slices.DeleteFunc(slices.Clone(header), func(f Field) bool { return isAdded(f.Name) })
		if !slices.Equal(got[:1+len(rest)], append([]Field{{"Kept", "1"}}, rest...)) {
			t.Fatalf("case %d: the fields became %q", i, got)
		}
		added := 2
		if s.EncodeOnce {
			added++
		}
		if s.Credential.SessionToken != "" {
			added++
		}
		if len(got) != 1+len(rest)+added || fieldOf(got, "X-Amz-Date") != now.Format(timeFormat) || fieldOf(got, "X-Amz-Security-Token") != s.Credential.SessionToken {
			t.Fatalf("case %d: got %q", i, got)
		}
		// The SDK adds the length of a body to what it signs, unless it does not know it.
		if got, want := fieldOf(got, "Authorization"), sdkAuthorization(t, s, o, got); got != want {
			t.Fatalf("case %d: %s %s %q\ngot  %s\nwant %s", i, o.Method, o.Target, header, got, want)
		}
	}
	if len(keys.keys) == 0 || len(keys.keys) > maxKeys {
		t.Errorf("%d keys", len(keys.keys))
	}
}

func TestSignFieldsRefuses(t *testing.T) {
	t.Parallel()
	to, err := SignFields(&Signer{}, []Field{{"a", "b"}}, &Outgoing{Method: "GET", Host: "a", Target: "/?a=%zz"}, []Field{{"c", "d"}})
	if want := `The query parameter "a=%zz" has an invalid percent escape.`; fmt.Sprint(err) != want || len(to) != 1 {
		t.Errorf("got %v, %q", err, to)
	}
}

// Kept keys are bounded, and each is that of its secret and scope.
func TestKeys(t *testing.T) {
	t.Parallel()
	var k Keys
	for i := range maxKeys + 50 {
		for _, secret := range []string{"a", "b"} {
			s := scope{"20250102", fmt.Sprint("region-", i), "sqs"}
			for range 2 {
				if got, want := k.get(secret, s).sum([]byte("text")), hmacSHA256(signingKey(secret, s), []byte("text")); string(got[:]) != string(want) {
					t.Fatalf("%s %v: got %x, want %x", secret, s, got, want)
				}
			}
		}
		if len(k.keys) > maxKeys {
			t.Fatalf("%d keys", len(k.keys))
		}
	}
}

func BenchmarkSignFields(b *testing.B) {
	body := []byte(strings.Repeat("x", 1024))
	header := []Field{{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "AmazonSQS.SendMessage"}}
	for _, tt := range []struct{ name, target, token string }{
		{"plain", "/", ""},
		{"token", "/", strings.Repeat("t", 1000)},
		{"query", "/applications/a/environments/b/configurations/c?client_id=1&client_configuration_version=2", ""},
	} {
		b.Run(tt.name, func(b *testing.B) {
			s := &Signer{
				Credential: Credential{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: tt.token},
				Region:     "us-east-1", Service: "sqs", Keys: new(Keys),
			}
			o := &Outgoing{Method: "POST", Host: "sqs.us-east-1.amazonaws.com", Target: tt.target, Body: body}
			var to []Field
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if to, err = SignFields(s, to[:0], o, header); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	body := []byte(strings.Repeat("x", 1024))
	s := Signer{Credential: Credential{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, Region: "us-east-1", Service: "sqs", Keys: new(Keys)}
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequest("POST", "https://sqs.us-east-1.amazonaws.com/", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header["Content-Type"] = []string{"application/x-amz-json-1.0"}
		r.Header["X-Amz-Target"] = []string{"AmazonSQS.SendMessage"}
		if err := s.Sign(r, body); err != nil {
			b.Fatal(err)
		}
	}
}
