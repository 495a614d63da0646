package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"penstock/internal/credential"
	"penstock/internal/gateway"
	"penstock/internal/integration"
)

var _ integration.Service = (*Client)(nil)

// Each call arrives where the configuration says, signed by whom the integration says.
func TestCall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, arn, base string
		edit            func(r *integration.ServiceRequest)
		uri, call       string // {} is the origin of the endpoint
	}{
		{"plain", "", "", nil, "/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 (AKIAOWN)"},
		{"role with a token", testRole, "", nil, "/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 as " + testRole + " (ASIAROLE)"},
		{"caller", testBob, "", func(r *integration.ServiceRequest) { r.Region = "eu-west-1" }, "/",
			"POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in eu-west-1 as " + testBob + " (AKIABOB)"},
		{"base path and region in it", "", "/x/{region}/{service}/", nil, "/x/us-east-1/sqs/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 (AKIAOWN)"},
		{"query", "", "/x", func(r *integration.ServiceRequest) {
			r.Method, r.Service, r.Header, r.Body = "GET", "appconfig", nil, nil
			r.Target = "/applications/a%2Fb/c?client_id=confidential&b=1+2&a=%2B&Action=confidential"
		}, "/x/applications/a%2Fb/c?client_id=confidential&b=1%202&a=%2B&Action=confidential",
			"GET /applications/a%2Fb/c?client_id&b&a&Action Action: SendMessage, signed for appconfig in us-east-1 (AKIAOWN)"},
		{"object", testRole, "", func(r *integration.ServiceRequest) {
			r.Method, r.Service, r.Action, r.Target = "PUT", "s3", "", "/bucket/a%20b/%C3%A9//c"
			r.Header = []gateway.Field{{Name: "x-amz-meta-b", Value: " a  b "}, {Name: "X-Amz-Meta-A", Value: "é"}, {Name: "X-Amz-Meta-a", Value: "2"}}
		}, "/bucket/a%20b/%C3%A9//c", "PUT /bucket/a%20b/%C3%A9//c, signed for s3 in us-east-1 as " + testRole + " (ASIAROLE)"},
		{"what only a signature adds", "", "", func(r *integration.ServiceRequest) {
			r.Header = append(r.Header, gateway.Field{Name: "authorization", Value: "forged"}, gateway.Field{Name: "x-amz-security-token", Value: "forged"}, gateway.Field{Name: "X-Amz-Date", Value: "forged"}, gateway.Field{Name: "X-Other", Value: "1"})
		}, "/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 (AKIAOWN)"},
		{"many fields", "", "", func(r *integration.ServiceRequest) {
			for n := range 40 {
				r.Header = append(r.Header, gateway.Field{Name: fmt.Sprintf("X-Amz-Meta-%d", n), Value: "v"})
			}
		}, "/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 (AKIAOWN)"},
		{"long body", "", "", func(r *integration.ServiceRequest) { r.Body = make([]byte, 1<<20) }, "/", "POST / X-Amz-Target: AmazonSQS.SendMessage, signed for sqs in us-east-1 (AKIAOWN)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, x := record(t, nil), newExchange(t)
			c := mustNew(t, Config{Endpoints: map[string]string{"*": s.URL + tt.base}})
			r := request("sqs", "us-east-1")
			r.CredentialsARN = tt.arn
			if tt.edit != nil {
				tt.edit(r)
			}
			for range 2 { // the second one with what is kept of the first
				in, err := c.Call(x, r)
				if err != nil || in.Status != 200 || string(in.Body) != "{}" {
					t.Fatalf("got %+v, %v", in, err)
				}
				got := s.one()
				if got.Method != r.Method || got.RequestURI != tt.uri || got.body != string(r.Body) || got.Host != strings.TrimPrefix(s.URL, "http://") {
					t.Errorf("got %s %s %.80s at %s, want %s", got.Method, got.RequestURI, got.body, got.Host, tt.uri)
				}
				got.checkSigned(t, specs[tt.arn], r.Service, r.Region, r.Service == "s3")
				for _, f := range r.Header {
					if strings.Contains(strings.Join(got.Header.Values(f.Name), ""), "forged") {
						t.Errorf("%s was sent", f.Name)
					}
				}
				o := x.Integration
				if o.Target != s.URL || o.Call != tt.call || o.Answer != "" || o.RequestID != "11111111-2222-3333-4444-555555555555" || o.Error != "" || o.Status != 200 {
					t.Errorf("outcome %+v", o)
				}
			}
		})
	}
}

// A denial is refused, all other answers are passed on; both are told, without secrets.
func TestAnswers(t *testing.T) {
	t.Parallel()
	leak := "The request signature we calculated does not match. The Canonical String for this request should have been 'POST x-amz-security-token:" + specs[testRole].SessionToken + "'"
	for _, tt := range []struct {
		name, code, body string
		status           int
		denied           bool
		answer           string
	}{
		{"fine", "", `{"__type":"AccessDenied"}`, 200, false, ""},
		{"JSON", "", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}`, 400, false, "400 QueueDoesNotExist: no such queue"},
		{"denied by JSON", "", `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: x is not authorized"}`, 400, true, "400 AccessDeniedException: User: x is not authorized"},
		{"denied by a field", "AccessDeniedException:http://internal/", `{"message":"no"}`, 403, true, "403 AccessDeniedException: no"},
		{"code in the body", "", `{"code":"ExpiredTokenException","message":"old"}`, 403, true, "403 ExpiredTokenException: old"},
		{"query protocol in JSON", "", `{"Error":{"Code":"InvalidClientTokenId","Message":"unknown","Type":"Sender"},"RequestId":"1"}`, 403, true, "403 InvalidClientTokenId: unknown"},
		{"XML", "", `<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>a &lt; b</Message></Error></ErrorResponse>`, 403, true, "403 SignatureDoesNotMatch: a < b"},
		{"XML of S3", "", `<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>`, 404, false, "404 NoSuchKey: gone"},
		{"denied by S3", "", `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`, 403, true, "403 AccessDenied: Access Denied"},
		{"another 403", "", `{"__type":"ResourceLocked","message":"no"}`, 403, false, "403 ResourceLocked: no"},
		{"a server error", "AccessDenied", `{}`, 500, false, "500 AccessDenied"},
		{"nothing", "", "", 403, false, "403"},
		{"no JSON", "", "{{{", 503, false, "503"},
		{"no XML", "", "<<<", 503, false, "503"},
		{"a list", "", "[]", 500, false, "500"},
		{"other types", "", `{"__type":"AccessDenied","message":5,"code":7,"Error":"x"}`, 403, true, "403 AccessDenied"},
		{"a code of two lines", "", `{"__type":"A\nB\u0000","message":"c\r\nd"}`, 400, false, "400 A B : c  d"},
		{"a leak", "InvalidSignatureException", fmt.Sprintf(`{"message":%q}`, leak), 403, true, "403 InvalidSignatureException: The request signature we calculated does not match."},
		{"another leak", "", fmt.Sprintf(`{"__type":"X","message":"it was %s and %s"}`, specs[testRole].SessionToken, specs[testRole].SecretAccessKey), 400, false, "400 X: it was [secret] and [secret]"},
		{"long", "", `{"__type":"X","message":"` + strings.Repeat("é", 5000) + `"}`, 400, false, "400 X: " + strings.Repeat("é", (maxErrorText-7)/2)},
		{"endless", "", strings.Repeat("<a>", 100_000), 400, false, "400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, x := record(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amz-Request-Id", "ABC")
				if tt.code != "" {
					w.Header().Set("X-Amzn-ErrorType", tt.code)
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}), newExchange(t)
			r := request("sqs", "us-east-1")
			r.CredentialsARN = testRole
			in, err := mustNew(t, Config{Endpoints: map[string]string{"sqs": s.URL}}).Call(x, r)
			o := x.Integration
			if o.Answer != tt.answer || o.RequestID != "ABC" {
				t.Errorf("told %q of %s, want %q", o.Answer, o.RequestID, tt.answer)
			}
			if errors.Is(err, integration.ErrNotPermitted) != tt.denied || (err != nil) != tt.denied {
				t.Fatalf("got %v", err)
			}
			if !tt.denied {
				if in.Status != tt.status || string(in.Body) != tt.body {
					t.Errorf("got %d %.80q", in.Status, in.Body)
				}
				return
			}
			var e *gateway.Error
			if !errors.As(err, &e) || e.Status != 500 || !strings.Contains(err.Error(), tt.answer) || !strings.Contains(o.Error, "doesn't have permissions to call") {
				t.Errorf("got %v, %+v", err, o)
			}
			checkNoSecrets(t, x, err)
		})
	}
}

// checkNoSecrets reports secrets in what is told of a call.
func checkNoSecrets(t testing.TB, x *gateway.Exchange, err error) {
	t.Helper()
	for _, secret := range []string{"hidden", "confidential"} {
		if text := fmt.Sprintf("%+v %v", x.Integration, err); strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
}

// Calls that cannot be made are errors that say why.
func TestNotCalled(t *testing.T) {
	t.Parallel()
	s := record(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "http://" + l.Addr().String()
	l.Close()
	for _, tt := range []struct {
		name     string
		edit     func(r *integration.ServiceRequest)
		endpoint string
		status   int
		cause    error
		text     string
	}{
		{"unknown role", func(r *integration.ServiceRequest) { r.CredentialsARN = testRole + "x" }, s.URL, 500, integration.ErrCredentials, "roles"},
		{"unknown user", func(r *integration.ServiceRequest) { r.CredentialsARN = testBob + "x" }, s.URL, 500, integration.ErrCredentials, "credentials"},
		{"a region with more in it", func(r *integration.ServiceRequest) { r.Region = "x.evil.example/" }, s.URL, 500, nil, "is not the name of a region"},
		{"a service with more in it", func(r *integration.ServiceRequest) { r.Service = "a/b" }, s.URL, 500, nil, "is not the name of a service"},
		{"no path", func(r *integration.ServiceRequest) { r.Target = "evil" }, s.URL, 500, nil, "does not begin with a slash"},
		{"empty path", func(r *integration.ServiceRequest) { r.Target = "" }, s.URL, 500, nil, "does not begin with a slash"},
		{"bad escape", func(r *integration.ServiceRequest) { r.Target = "/?a=%zz" }, s.URL, 500, nil, "invalid percent escape"},
		{"two lines", func(r *integration.ServiceRequest) { r.Target = "/\r\nX: y" }, s.URL, 500, nil, "is not escaped"},
		{"a field of two lines", func(r *integration.ServiceRequest) { r.Header[0].Value = "a\r\nX: y" }, s.URL, 500, nil, "is not a header field"},
		{"down", nil, nowhere, 503, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x, r := newExchange(t), request("sqs", "us-east-1")
			if tt.edit != nil {
				tt.edit(r)
			}
			_, err := mustNew(t, Config{Endpoints: map[string]string{"*": tt.endpoint}}).Call(x, r)
			var e *gateway.Error
			if !errors.As(err, &e) || e.Status != tt.status || tt.cause != nil && !errors.Is(err, tt.cause) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %d and %q", err, tt.status, tt.text)
			}
			checkNoSecrets(t, x, err)
		})
	}
	t.Cleanup(func() {
		if n := s.count(); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// A service that does not answer, and one for which there are no credentials, end with the
// timeout of the integration.
func TestTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) }) // before the servers are closed
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}
	for _, tt := range []struct {
		name       string
		sts, calls bool
	}{{"service", false, true}, {"credentials", true, false}} {
		t.Run(tt.name, func(t *testing.T) {
			s, x := record(t, hang), newExchange(t)
			c := Config{Endpoints: map[string]string{"sqs": s.URL}}
			if tt.sts {
				k, err := credential.NewKeyring(credential.Config{STS: record(t, hang).URL, Roles: func(string) (credential.Spec, bool) { return credential.Spec{AssumeRole: true}, true }})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(k.Close)
				c.Keyring = k
			}
			r := request("sqs", "us-east-1")
			r.CredentialsARN, r.Timeout = testRole, 50*time.Millisecond
			_, err := mustNew(t, c).Call(x, r)
			var e *gateway.Error
			if !errors.As(err, &e) || e.Type != gateway.IntegrationTimeout(nil).Type || x.Integration.Error != textTimeout || (s.count() > 0) != tt.calls {
				t.Errorf("got %v, %+v", err, x.Integration)
			}
			checkNoSecrets(t, x, err)
		})
	}
}

// A role that STS does not give ends the call as a role that nobody knows.
func TestRoleDenied(t *testing.T) {
	t.Parallel()
	s := record(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(403)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`)
	})
	k, err := credential.NewKeyring(credential.Config{STS: s.URL, Roles: func(string) (credential.Spec, bool) { return credential.Spec{AssumeRole: true}, true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	x, r := newExchange(t), request("sqs", "us-east-1")
	r.CredentialsARN = testRole
	_, err = mustNew(t, Config{Keyring: k, Endpoints: map[string]string{"sqs": s.URL}}).Call(x, r)
	if !errors.Is(err, integration.ErrCredentials) || !strings.Contains(err.Error(), "sts:AssumeRole") || !strings.Contains(x.Integration.Error, "assume the IAM role") {
		t.Errorf("got %v, %+v", err, x.Integration)
	}
	if by := s.one().Header.Get("Authorization"); !strings.Contains(by, "Credential=AKIAOWN/") || !strings.Contains(by, "/us-east-1/sts/") {
		t.Errorf("assumed with %s, want the credentials of the server", by)
	}
	checkNoSecrets(t, x, err)
}

func BenchmarkCall(b *testing.B) {
	for _, arn := range []string{"", testRole} {
		b.Run("as "+arn, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { l.Close() })
			go answerAll(l)
			c, x := mustNew(b, Config{Endpoints: map[string]string{"sqs": "http://" + l.Addr().String()}}), newExchange(b)
			r := request("sqs", "us-east-1")
			r.CredentialsARN, r.Body = arn, make([]byte, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Call(x, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// answerAll answers requests of one write each, without looking at them.
func answerAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 64<<10)
			for {
				if _, err := c.Read(b); err != nil {
					return
				}
				if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nx-amzn-requestid: 11111111-2222-3333-4444-555555555555\r\nContent-Length: 2\r\n\r\n{}")); err != nil {
					return
				}
			}
		}()
	}
}

func BenchmarkDescribe(b *testing.B) {
	r := request("sqs", "us-east-1")
	r.CredentialsARN = testRole
	b.ReportAllocs()
	for b.Loop() {
		describe(r, "ASIAROLE")
	}
}

// BenchmarkSend is the same call without a signature: what of BenchmarkCall is not the doing
// of this package.
func BenchmarkSend(b *testing.B) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go answerAll(l)
	c, x := newHTTP(b), newExchange(b)
	a, err := c.Address("http://" + l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	o := integration.Outgoing{Method: "POST", Body: make([]byte, 1024), Header: request("sqs", "us-east-1").Header, Timeout: 10 * time.Second}
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Fill(&o, nil, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Send(x, &o); err != nil {
			b.Fatal(err)
		}
	}
}
