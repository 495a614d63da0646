package elb

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"penstock/internal/sigv4"
	"penstock/internal/upstream"
)

const (
	// patience is how long a test waits for what must come: longer than any pause.
	patience = 5 * time.Minute

	testARN      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/pets/50dc6c495c0c9188/f2f7dc8efc522ab2"
	testBalancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/pets/50dc6c495c0c9188"
	testName     = "internal-pets-1234567890.eu-west-1.elb.amazonaws.com"
)

var testCredential = sigv4.Credential{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret of the gateway", SessionToken: "token of the gateway"}

// testCredentials are accepted by the service.
var testCredentials = credentials.StaticCredentialsProvider{Value: aws.Credentials{
	AccessKeyID: testCredential.AccessKeyID, SecretAccessKey: testCredential.SecretAccessKey, SessionToken: testCredential.SessionToken,
}}

// A request is what the service was asked.
type request struct {
	operation, region, host string
	form                    url.Values
	at                      time.Time
}

// A refusal is an answer that is an error.
type refusal struct {
	status     int
	code, text string
	raw        string // the whole body instead
}

// A service plays Elastic Load Balancing with one listener. It is served over memory, so
// that it works with the clock of synctest, or over TCP.
type service struct {
	verifier *sigv4.Verifier
	asked    chan request

	mu       sync.Mutex // guards the fields below
	listener struct {
		arn, balancer, port, protocol string // none if there is no ARN
	}
	balancer struct {
		arn, name, scheme, state, reason string // none if there is no ARN
	}
	refuse map[string]*refusal      // by operation
	hang   map[string]chan struct{} // by operation: no answer until it is closed
}

func newService() *service {
	s := &service{
		verifier: sigv4.NewVerifier(sigv4.Options{
			Service: "elasticloadbalancing",
			Lookup: func(id string) (sigv4.Credential, bool) {
				return testCredential, id == testCredential.AccessKeyID
			},
		}),
		asked:  make(chan request, 1<<12),
		refuse: map[string]*refusal{},
		hang:   map[string]chan struct{}{},
	}
	l, b := &s.listener, &s.balancer
	l.arn, l.balancer, l.port, l.protocol = testARN, testBalancer, "80", "HTTP"
	b.arn, b.name, b.scheme, b.state = testBalancer, testName, "internal", "active"
	return s
}

// change changes what the service says.
func (s *service) change(f func(*service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
	who, err := s.verifier.Verify(r, body)
	if err != nil {
		answer(w, &refusal{status: 403, code: "SignatureDoesNotMatch", text: err.Error()})
		return
	}
	form, err := url.ParseQuery(string(body))
	operation := form.Get("Action")
	if err != nil || r.Method != "POST" || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || form.Get("Version") != "2015-12-01" {
		answer(w, &refusal{status: 400, code: "InvalidAction", text: "this is no request"})
		return
	}
	s.asked <- request{operation, who.Region, r.Host, form, time.Now()}
	s.mu.Lock()
	hang, refused := s.hang[operation], s.refuse[operation]
	s.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-r.Context().Done():
			return
		}
	}
	if refused != nil {
		answer(w, refused)
		return
	}
	member, refused := s.operation(operation, form)
	if refused != nil {
		answer(w, refused)
		return
	}
	list := strings.TrimPrefix(operation, "Describe")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><%[1]sResult><%[2]s><member>%[3]s</member></%[2]s></%[1]sResult>`+
		`<ResponseMetadata><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ResponseMetadata></%[1]sResponse>`, operation, list, member)
}

// operation returns the XML of what was asked for.
func (s *service) operation(operation string, form url.Values) (string, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, b := s.listener, s.balancer
	switch operation {
	case "DescribeListeners":
		if form.Get("ListenerArns.member.1") != testARN || l.arn == "" {
			return "", &refusal{status: 400, code: "ListenerNotFound", text: "One or more listeners not found"}
		}
		return fmt.Sprintf("<ListenerArn>%s</ListenerArn><LoadBalancerArn>%s</LoadBalancerArn><Port>%s</Port><Protocol>%s</Protocol>"+
			"<DefaultActions><member><Type>forward</Type><Order>1</Order></member></DefaultActions>", l.arn, l.balancer, l.port, l.protocol), nil
	case "DescribeLoadBalancers":
		if form.Get("LoadBalancerArns.member.1") != testBalancer || b.arn == "" {
			return "", &refusal{status: 400, code: "LoadBalancerNotFound", text: "One or more load balancers not found"}
		}
		state := ""
		if b.state != "" {
			state = fmt.Sprintf("<State><Code>%s</Code><Reason>%s</Reason></State>", b.state, b.reason)
		}
		return fmt.Sprintf("<LoadBalancerArn>%s</LoadBalancerArn><DNSName>%s</DNSName><Scheme>%s</Scheme><Type>application</Type>"+
			"<CreatedTime>2026-01-02T03:04:05.678Z</CreatedTime>%s", b.arn, b.name, b.scheme, state), nil
	}
	return "", &refusal{status: 400, code: "InvalidAction", text: operation}
}

func answer(w http.ResponseWriter, r *refusal) {
	w.WriteHeader(r.status)
	if r.raw != "" {
		_, _ = io.WriteString(w, r.raw)
		return
	}
	var text strings.Builder
	_ = xml.EscapeText(&text, []byte(r.text))
	fmt.Fprintf(w, `<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>`, r.code, text.String())
}

// A memory is a listener whose connections are pipes.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newMemory() *memory {
	m := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	m.close = sync.OnceFunc(func() { close(m.closed) })
	return m
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error   { m.close(); return nil }
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case m.conns <- there:
		return here, nil
	case <-m.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// An event is a call of update, or of failed.
type event struct {
	list []upstream.Instance
	err  error
	at   time.Time
}

// A run is a Source under way.
type run struct {
	events chan event
	done   chan error
	cancel context.CancelFunc
}

// start runs a source of the service until the test is over. What c does not say is for
// tests.
func start(t testing.TB, s *service, c Config) *run {
	t.Helper()
	m := newMemory()
	server := &http.Server{Handler: s}
	go func() { _ = server.Serve(m) }()
	t.Cleanup(func() { _ = server.Close() })
	c.ListenerARN = cmp.Or(c.ListenerARN, testARN)
	c.Endpoint = cmp.Or(c.Endpoint, "http://elb.test")
	if c.Credentials == nil {
		c.Credentials = testCredentials
	}
	source, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	source.transport.DialContext = m.dial
	return launch(t, source)
}

// launch runs a source until the test is over.
func launch(t testing.TB, s *Source) *run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{events: make(chan event, 1<<12), done: make(chan error, 1), cancel: cancel}
	go func() {
		r.done <- s.Run(ctx,
			func(list []upstream.Instance) { r.events <- event{list: list, at: time.Now()} },
			func(err error) { r.events <- event{err: err, at: time.Now()} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := await(t, r.done); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// await returns what must come.
func await[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Errorf("no %T came", v)
	}
	return v
}

// mustList returns the hosts and ports of the list that must be the next event.
func (r *run) mustList(t testing.TB) string {
	t.Helper()
	e := await(t, r.events)
	if e.err != nil {
		t.Fatalf("got the failure %v, want a list", e.err)
	}
	return text(e.list)
}

// mustFail returns the text of the failure that must be the next event.
func (r *run) mustFail(t testing.TB) string {
	t.Helper()
	e := await(t, r.events)
	if e.err == nil {
		t.Fatalf("got the list %s, want a failure", text(e.list))
	}
	return e.err.Error()
}

// mustBeSilent fails if there was another event.
func (r *run) mustBeSilent(t testing.TB) {
	t.Helper()
	select {
	case e := <-r.events:
		t.Errorf("got the list %s and the failure %v, want nothing", text(e.list), e.err)
	default:
	}
}

func text(list []upstream.Instance) string {
	var b []string
	for _, i := range list {
		b = append(b, net.JoinHostPort(i.Host, fmt.Sprint(i.Port)))
	}
	return strings.Join(b, " ")
}

// drain returns the operations that were asked for so far.
func (s *service) drain() (operations []string) {
	for {
		select {
		case r := <-s.asked:
			operations = append(operations, r.operation)
		default:
			return operations
		}
	}
}
