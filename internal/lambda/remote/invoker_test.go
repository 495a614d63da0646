package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/credential"
	"penstock/internal/integration"
	"penstock/internal/sigv4"
)

const (
	testARN  = "arn:aws:lambda:eu-west-1:123456789012:function:pets"
	testRole = "arn:aws:iam::123456789012:role/team/caller"
)

var (
	testCredentials = credential.Spec{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret of the caller"}
	roleCredentials = credential.Spec{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret of the role", SessionToken: "token of the role"}
)

// A service plays the Lambda API. It refuses what is not signed for a region, and
// otherwise answers as it is told to.
type service struct {
	*httptest.Server
	verifier *sigv4.Verifier
	answer   http.HandlerFunc
	conns    atomic.Int32 // accepted so far

	mu   sync.Mutex // guards seen
	seen []seen
}

// seen is a request that the service has had.
type seen struct {
	method, uri, body, key, region string
	header                         http.Header
}

// serve starts a service. The body of each request is read before it is answered.
func serve(t testing.TB, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{answer: answer, verifier: sigv4.NewVerifier(sigv4.Options{
		Service: "lambda",
		Lookup: func(id string) (sigv4.Credential, bool) {
			for _, c := range []credential.Spec{testCredentials, roleCredentials} {
				if c.AccessKeyID == id {
					return sigv4.Credential{AccessKeyID: id, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, true
				}
			}
			return sigv4.Credential{}, false
		},
	})}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	who, err := s.verifier.Verify(r, body)
	if err != nil {
		refuse(w, http.StatusForbidden, "InvalidSignatureException", err.Error())
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, seen{r.Method, r.RequestURI, string(body), who.AccessKeyID, who.Region, r.Header})
	s.mu.Unlock()
	w.Header().Set("X-Amzn-RequestId", "11111111-2222-3333-4444-555555555555")
	s.answer(w, r)
}

// last returns the newest request and how many there were.
func (s *service) last() (seen, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return seen{}, 0
	}
	return s.seen[len(s.seen)-1], len(s.seen)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	if code != "" {
		w.Header().Set("X-Amzn-ErrorType", code)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"Type":"User","message":%q}`, message)
}

func answerOK(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"statusCode":200}`) }

// keyring returns a Keyring that knows the roles.
func keyring(t testing.TB, roles func(arn string) (credential.Spec, bool)) *credential.Keyring {
	t.Helper()
	k, err := credential.NewKeyring(credential.Config{Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// mustNew returns an Invoker of a service. What c does not say is for tests.
func mustNew(t testing.TB, s *service, c Config) *Invoker {
	t.Helper()
	c.Endpoint = s.URL
	if c.Credentials == (credential.Spec{}) {
		c.Credentials = testCredentials
	}
	if c.Keyring == nil {
		c.Keyring = keyring(t, nil)
	}
	i, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	const event = `{"version":"2.0","rawPath":"/pets"}`
	roles := func(arn string) (credential.Spec, bool) { return roleCredentials, arn == testRole }
	for _, tt := range []struct {
		name   string
		config Config
		in     integration.Invocation
		answer http.HandlerFunc
		want   integration.InvocationResult
		// Of the request:
		uri, key, region, trace string
	}{
		{
			"an answer", Config{}, integration.Invocation{Function: testARN, Payload: []byte(event), TraceID: "Root=1-67fd88cb-4981526a50466e9f2be0fbed"},
			answerOK, integration.InvocationResult{Payload: []byte(`{"statusCode":200}`)},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "Root=1-67fd88cb-4981526a50466e9f2be0fbed",
		},
		{
			"a qualifier and a role", Config{Keyring: keyring(t, roles)}, integration.Invocation{Function: testARN + ":live", Payload: []byte(event), CredentialsARN: testRole},
			answerOK, integration.InvocationResult{Payload: []byte(`{"statusCode":200}`)},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets%3Alive/invocations", "ASIAEXAMPLE", "eu-west-1", "",
		},
		{
			"a role without credentials of its own", Config{Keyring: keyring(t, func(arn string) (credential.Spec, bool) { return credential.Spec{}, arn == testRole })},
			integration.Invocation{Function: testARN, Payload: []byte(event), CredentialsARN: testRole},
			answerOK, integration.InvocationResult{Payload: []byte(`{"statusCode":200}`)},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "",
		},
		{
			"the region of the configuration", Config{Region: "local-1"}, integration.Invocation{Function: testARN, Payload: []byte(event)},
			answerOK, integration.InvocationResult{Payload: []byte(`{"statusCode":200}`)},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "local-1", "",
		},
		{
			"a function that failed", Config{}, integration.Invocation{Function: testARN, Payload: []byte(event)},
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amz-Function-Error", "Unhandled")
				fmt.Fprint(w, `{"errorType":"Error","errorMessage":"no"}`)
			},
			integration.InvocationResult{Payload: []byte(`{"errorType":"Error","errorMessage":"no"}`), FunctionError: "Unhandled"},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "",
		},
		{
			"a streamed answer", Config{}, integration.Invocation{Function: testARN, Payload: []byte(event)},
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", integration.StreamedResponse+"; charset=utf-8")
				fmt.Fprint(w, "{}\x00\x00\x00\x00\x00\x00\x00\x00body")
			},
			integration.InvocationResult{Payload: []byte("{}\x00\x00\x00\x00\x00\x00\x00\x00body"), ContentType: integration.StreamedResponse},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "",
		},
		{
			"no event and no answer", Config{}, integration.Invocation{Function: testARN},
			func(http.ResponseWriter, *http.Request) {}, integration.InvocationResult{},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "",
		},
		{
			"the longest event and the longest answer", Config{}, integration.Invocation{Function: testARN, Payload: bytes.Repeat([]byte(" "), integration.MaxPayload)},
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(bytes.Repeat([]byte("1"), integration.MaxResult))
			},
			integration.InvocationResult{Payload: bytes.Repeat([]byte("1"), integration.MaxResult)},
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Apets/invocations", "AKIAEXAMPLE", "eu-west-1", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.answer)
			got, err := mustNew(t, s, tt.config).Invoke(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.RequestID != "11111111-2222-3333-4444-555555555555" {
				t.Errorf("request ID %q", got.RequestID)
			}
			if !bytes.Equal(got.Payload, tt.want.Payload) || got.FunctionError != tt.want.FunctionError || got.ContentType != tt.want.ContentType {
				t.Errorf("got %.80q %q %q, want %.80q %q %q", got.Payload, got.FunctionError, got.ContentType, tt.want.Payload, tt.want.FunctionError, tt.want.ContentType)
			}
			r, n := s.last()
			if n != 1 || r.method != "POST" || r.uri != tt.uri || r.body != string(tt.in.Payload) {
				t.Errorf("%d requests: %s %s %.80q", n, r.method, r.uri, r.body)
			}
			if r.key != tt.key || r.region != tt.region || r.header.Get("X-Amzn-Trace-Id") != tt.trace {
				t.Errorf("signed with %s for %s, traced %q", r.key, r.region, r.header.Get("X-Amzn-Trace-Id"))
			}
			if kind := r.header.Get("X-Amz-Invocation-Type"); kind != "" && kind != "RequestResponse" {
				t.Errorf("invocation of type %s", kind)
			}
		})
	}
}

// Each failure has its error, keeps the text of the service, and is of one request.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		code   string
		want   error // nil for none of those that callers know
	}{
		{"no function", 404, "ResourceNotFoundException", integration.ErrNoFunction},
		{"no function, with a namespace", 404, "com.amazonaws.lambda#ResourceNotFoundException", integration.ErrNoFunction},
		{"no function, with a URL", 404, "ResourceNotFoundException:http://internal.amazon.com/coral/", integration.ErrNoFunction},
		{"no such path", 404, "UnknownOperationException", nil},
		{"nothing", 404, "", nil},
		{"denied", 403, "AccessDeniedException", integration.ErrNotPermitted},
		{"unknown key", 403, "UnrecognizedClientException", integration.ErrNotPermitted},
		{"wrong signature", 403, "InvalidSignatureException", integration.ErrNotPermitted},
		{"expired token", 403, "ExpiredTokenException", integration.ErrNotPermitted},
		{"forbidden by what is in between", 403, "", integration.ErrNotPermitted},
		{"a KMS key", 502, "KMSAccessDeniedException", integration.ErrNotPermitted},
		{"throttled", 429, "TooManyRequestsException", integration.ErrThrottled},
		{"throttled by what is in between", 429, "", integration.ErrThrottled},
		{"too long", 413, "RequestTooLargeException", integration.ErrPayloadTooLarge},
		{"too long for what is in between", 413, "", integration.ErrPayloadTooLarge},
		{"bad request", 400, "InvalidRequestContentException", nil},
		{"no subnet", 502, "SubnetIPAddressLimitReachedException", nil},
		{"broken", 500, "ServiceException", nil},
		{"down", 503, "", nil},
		{"moved", 307, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				refuse(w, tt.status, tt.code, "because of the moon")
			})
			_, err := mustNew(t, s, Config{}).Invoke(t.Context(), integration.Invocation{Function: testARN, Payload: []byte("{}")})
			if err == nil {
				t.Fatal("no error")
			}
			for _, known := range []error{integration.ErrNoFunction, integration.ErrNotPermitted, integration.ErrThrottled, integration.ErrPayloadTooLarge, integration.ErrCredentials} {
				if errors.Is(err, known) != (known == tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
			if !strings.Contains(err.Error(), "because of the moon") {
				t.Errorf("the text of the service is not in %q", err)
			}
			if _, n := s.last(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What is known to fail is not sent.
func TestNotSent(t *testing.T) {
	t.Parallel()
	s := serve(t, answerOK)
	roles := func(arn string) (credential.Spec, bool) {
		switch {
		case strings.HasSuffix(arn, "half"):
			return credential.Spec{AccessKeyID: "AKIAEXAMPLE"}, true
		case strings.HasSuffix(arn, "both"):
			return credential.Spec{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "x", Profile: "pets"}, true
		}
		return credential.Spec{}, false
	}
	open, closed := mustNew(t, s, Config{Keyring: keyring(t, roles)}), mustNew(t, s, Config{})
	closed.Close()
	for _, tt := range []struct {
		name string
		on   *Invoker
		in   integration.Invocation
		want error
	}{
		{"too long", open, integration.Invocation{Function: testARN, Payload: make([]byte, integration.MaxPayload+1)}, integration.ErrPayloadTooLarge},
		{"unknown role", open, integration.Invocation{Function: testARN, CredentialsARN: testRole}, integration.ErrCredentials},
		{"role without a secret", open, integration.Invocation{Function: testARN, CredentialsARN: "half"}, integration.ErrCredentials},
		{"role with too much", open, integration.Invocation{Function: testARN, CredentialsARN: "both"}, integration.ErrCredentials},
		{"no roles", mustNew(t, s, Config{}), integration.Invocation{Function: testARN, CredentialsARN: testRole}, integration.ErrCredentials},
		{"no ARN", open, integration.Invocation{Function: "pets"}, integration.ErrNoFunction},
		{"another host", open, integration.Invocation{Function: "arn:aws:lambda:evil.example/:123456789012:function:pets"}, integration.ErrNoFunction},
		{"no region", open, integration.Invocation{Function: "arn:aws:lambda::123456789012:function:pets"}, integration.ErrNoFunction},
		{"another service", open, integration.Invocation{Function: "arn:aws:sqs:eu-west-1:123456789012:function:pets"}, integration.ErrNoFunction},
		{"a layer", open, integration.Invocation{Function: "arn:aws:lambda:eu-west-1:123456789012:layer:pets:1"}, integration.ErrNoFunction},
		{"no name", open, integration.Invocation{Function: "arn:aws:lambda:eu-west-1:123456789012:function:"}, integration.ErrNoFunction},
		{"empty qualifier", open, integration.Invocation{Function: testARN + ":"}, integration.ErrNoFunction},
		{"two qualifiers", open, integration.Invocation{Function: testARN + ":a:b"}, integration.ErrNoFunction},
		{"closed", closed, integration.Invocation{Function: testARN}, errClosed},
	} {
		if _, err := tt.on.Invoke(t.Context(), tt.in); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, n := s.last(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// A call ends with its context, wherever it is, and lets go of its payload.
func TestContext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config Config
		answer func(http.ResponseWriter, context.CancelFunc)
		before bool // whether the context has ended beforehand
	}{
		{"beforehand", Config{}, nil, true},
		{"without an answer", Config{}, func(_ http.ResponseWriter, cancel context.CancelFunc) { cancel() }, false},
		{"within the answer", Config{}, func(w http.ResponseWriter, cancel context.CancelFunc) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"statusCode"`)
			_ = http.NewResponseController(w).Flush()
			cancel()
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			release := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				tt.answer(w, cancel)
				<-release
			})
			defer close(release)
			if tt.before {
				cancel()
			}
			_, err := mustNew(t, s, tt.config).Invoke(ctx, integration.Invocation{Function: testARN, Payload: []byte("{}")})
			if err != context.Canceled {
				t.Errorf("got %v, want the error of the context", err)
			}
		})
	}
}

// An event may be used for something else as soon as the call is over, also when it was
// being sent at that moment. The race detector sees it if not.
func TestPayloadReleased(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1024)) // and no more: the rest fills the buffers
		cancel()
		accepted <- c
	}()
	i, err := New(Config{Keyring: keyring(t, nil), Endpoint: "http://" + l.Addr().String(), Credentials: testCredentials})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	event := bytes.Repeat([]byte("a"), integration.MaxPayload)
	if _, err := i.Invoke(ctx, integration.Invocation{Function: testARN, Payload: event}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	for n := range event {
		event[n] = 'b'
	}
	c := <-accepted
	defer c.Close()
	rest, _ := io.ReadAll(c)
	if bytes.IndexByte(rest, 'b') >= 0 {
		t.Error("bytes that were written after the call were sent")
	}
}

// An answer that does not end is cut off, announced or not.
func TestAnswerTooLong(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{false, true} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<20)
			if announced {
				w.Header().Set("Content-Length", fmt.Sprint(100*len(block)))
			}
			for range 100 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})
		_, err := mustNew(t, s, Config{}).Invoke(t.Context(), integration.Invocation{Function: testARN, Payload: []byte("{}")})
		if !errors.Is(err, errAnswerTooLong) {
			t.Errorf("announced %v: got %v, want %v", announced, err, errAnswerTooLong)
		}
	}
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, integration.MaxResult+1))
	})
	if _, err := mustNew(t, s, Config{}).Invoke(t.Context(), integration.Invocation{Function: testARN}); !errors.Is(err, errAnswerTooLong) {
		t.Errorf("one byte more: got %v", err)
	}
}

// A call that may have run is not made again: not after a lost connection either, be it
// a new one or one that had been used.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%2 == 1 {
			answerOK(w, r)
			return
		}
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			c.Close()
		}
	})
	i := mustNew(t, s, Config{})
	for n := range 6 {
		_, err := i.Invoke(t.Context(), integration.Invocation{Function: testARN, Payload: []byte("{}")})
		if (err == nil) != (n%2 == 0) {
			t.Errorf("call %d: %v", n, err)
		}
	}
	if calls.Load() != 6 {
		t.Errorf("%d requests for 6 calls", calls.Load())
	}
}

// A breaking connection writes nothing once it is broken, as one that the callee has
// closed while it was idle.
type breaking struct {
	net.Conn
	broken *atomic.Bool
}

func (b breaking) Write(p []byte) (int, error) {
	if b.broken.Swap(false) {
		return 0, errors.New("broken")
	}
	return b.Conn.Write(p)
}

// What was not sent, because an idle connection was broken, is sent on another one.
func TestIdleConnectionBroken(t *testing.T) {
	t.Parallel()
	s := serve(t, answerOK)
	var broken atomic.Bool
	i := mustNew(t, s, Config{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return breaking{c, &broken}, err
	}})
	for n, event := range []string{"1", "2", strings.Repeat("3", maxCopy+1), "4"} {
		if _, err := i.Invoke(t.Context(), integration.Invocation{Function: testARN, Payload: []byte(event)}); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
		if r, all := s.last(); all != n+1 || r.body != event {
			t.Errorf("call %d: %d requests, the last one with %.20q", n, all, r.body)
		}
		broken.Store(true)
	}
	if s.conns.Load() != 4 {
		t.Errorf("%d connections, want one for each call", s.conns.Load())
	}
}

// Calls at one time have connections of their own, up to a limit, and connections are
// used again.
func TestConnections(t *testing.T) {
	t.Parallel()
	const many, limit = 40, 10
	var now, most atomic.Int32
	reached := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n == limit {
			select {
			case <-reached:
			default:
				close(reached)
			}
		}
		<-reached // so that no call is over before the limit is reached
		answerOK(w, r)
	})
	i := mustNew(t, s, Config{MaxConns: limit})
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, err := i.Invoke(ctx, integration.Invocation{Function: testARN, Payload: []byte("{}")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != limit || s.conns.Load() != limit {
		t.Errorf("%d calls at one time over %d connections, want %d", most.Load(), s.conns.Load(), limit)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config Config
		ok     bool
	}{
		{"an access key", Config{Credentials: testCredentials}, true},
		{"an endpoint with a path", Config{Credentials: testCredentials, Endpoint: "https://lambda.example:8443/aws"}, true},
		{"half an access key", Config{Credentials: credential.Spec{AccessKeyID: "a"}}, false},
		{"the other half", Config{Credentials: credential.Spec{SecretAccessKey: "a"}}, false},
		{"a token only", Config{Credentials: credential.Spec{SessionToken: "a"}}, false},
		{"key and profile", Config{Credentials: credential.Spec{AccessKeyID: "a", SecretAccessKey: "b", Profile: "c"}}, false},
		{"token and profile", Config{Credentials: credential.Spec{SessionToken: "a", Profile: "c"}}, false},
		{"no such profile", Config{Credentials: credential.Spec{Profile: "there-is-no-such-profile"}}, false},
		{"no URL", Config{Credentials: testCredentials, Endpoint: "lambda.example"}, false},
		{"another scheme", Config{Credentials: testCredentials, Endpoint: "ftp://lambda.example"}, false},
		{"no host", Config{Credentials: testCredentials, Endpoint: "http://:80"}, false},
		{"a user", Config{Credentials: testCredentials, Endpoint: "http://a:b@lambda.example"}, false},
		{"a query", Config{Credentials: testCredentials, Endpoint: "http://lambda.example?a=b"}, false},
		{"no region", Config{Credentials: testCredentials, Region: "eu/west"}, false},
		{"the end of a host", Config{Credentials: testCredentials, Region: "evil.example"}, false},
		{"a hyphen", Config{Credentials: testCredentials, Region: "-"}, false},
	} {
		tt.config.Keyring = keyring(t, nil)
		i, err := New(tt.config)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			i.Close()
		}
	}
}

// Without an endpoint, the host is that of AWS in the region.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ region, arn, want string }{
		{"", testARN, "lambda.eu-west-1.amazonaws.com:443"},
		{"us-west-2", testARN, "lambda.us-west-2.amazonaws.com:443"},
		{"", "arn:aws-cn:lambda:cn-north-1:123456789012:function:pets:live", "lambda.cn-north-1.amazonaws.com.cn:443"},
	} {
		var dialed []string
		stop := errors.New("nowhere")
		i, err := New(Config{Keyring: keyring(t, nil), Region: tt.region, Credentials: testCredentials, DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return nil, stop
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Invoke(t.Context(), integration.Invocation{Function: tt.arn}); !errors.Is(err, stop) {
			t.Errorf("%s: %v", tt.arn, err)
		}
		if !slices.Equal(dialed, []string{tt.want}) {
			t.Errorf("%s in %q: connected to %s, want %s once", tt.arn, tt.region, dialed, tt.want)
		}
		i.Close()
	}
}

// What the SDK finds by itself comes from the environment and the files of the AWS CLI.
func TestFound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "credentials")
	if err := os.WriteFile(file, fmt.Appendf(nil, "[pets]\naws_access_key_id=%s\naws_secret_access_key=%s\n",
		testCredentials.AccessKeyID, testCredentials.SecretAccessKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_ENDPOINT_URL": "http://192.0.2.1:9", "AWS_ENDPOINT_URL_LAMBDA": "http://192.0.2.1:9", "HTTP_PROXY": "http://192.0.2.1:9",
	} {
		t.Setenv(name, value)
	}
	s := serve(t, answerOK)
	in := integration.Invocation{Function: testARN, Payload: []byte("{}")}
	invoke := func(c credential.Spec, role string) error {
		i, err := New(Config{Endpoint: s.URL, Credentials: c, Keyring: keyring(t, func(string) (credential.Spec, bool) { return credential.Spec{Profile: "pets"}, true })})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		in := in
		in.CredentialsARN = role
		_, err = i.Invoke(t.Context(), in)
		return err
	}
	if err := invoke(credential.Spec{}, ""); !errors.Is(err, integration.ErrCredentials) {
		t.Errorf("without any: got %v, want %v", err, integration.ErrCredentials)
	}
	if err := invoke(credential.Spec{Profile: "pets"}, ""); err != nil {
		t.Errorf("profile: %v", err)
	}
	if err := invoke(roleCredentials, testRole); err != nil {
		t.Errorf("profile of a role: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", roleCredentials.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", roleCredentials.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", roleCredentials.SessionToken)
	if err := invoke(credential.Spec{}, ""); err != nil {
		t.Errorf("environment: %v", err)
	}
	if r, n := s.last(); n != 3 || r.key != roleCredentials.AccessKeyID {
		t.Errorf("%d requests, the last one signed with %s", n, r.key)
	}
}

// A certificate that the machine does not trust ends the call.
func TestUntrusted(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(answerOK))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	i, err := New(Config{Keyring: keyring(t, nil), Endpoint: "https://" + u.Host, Credentials: testCredentials})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Invoke(t.Context(), integration.Invocation{Function: testARN}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v, want an untrusted certificate", err)
	}
}
