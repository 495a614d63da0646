package cloudmap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
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
	patience = 2 * time.Minute
	testARN  = "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-pets"
)

var testCredential = sigv4.Credential{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret of the gateway", SessionToken: "token of the gateway"}

// testCredentials are accepted by the service.
var testCredentials = credentials.StaticCredentialsProvider{Value: aws.Credentials{
	AccessKeyID: testCredential.AccessKeyID, SecretAccessKey: testCredential.SecretAccessKey, SessionToken: testCredential.SessionToken,
}}

// A request is what the service was asked.
type request struct {
	operation, region, host string
	body                    map[string]any
	at                      time.Time
}

// A refusal is an answer that is an error.
type refusal struct {
	status     int
	code, text string
	raw        string // the whole body instead
}

// A service plays Cloud Map with one service. It is served over memory, so that it works
// with the clock of synctest, or over TCP.
type service struct {
	verifier *sigv4.Verifier
	asked    chan request

	mu        sync.Mutex                   // guards the fields below
	id        string                       // of the service; empty if it was deleted
	name      string                       // of the service
	namespace map[string]any               // what GetNamespace returns
	instances map[string]map[string]string // attributes by ID
	refuse    map[string]*refusal          // by operation
	hang      map[string]chan struct{}     // by operation: no answer until it is closed
	order     func([]string)               // of the IDs in an answer; default: sorted
}

func newService() *service {
	return &service{
		verifier: sigv4.NewVerifier(sigv4.Options{
			Service: "servicediscovery",
			Lookup: func(id string) (sigv4.Credential, bool) {
				return testCredential, id == testCredential.AccessKeyID
			},
		}),
		asked: make(chan request, 1<<12),
		id:    "srv-pets",
		name:  "pets",
		namespace: map[string]any{
			"Id": "ns-shop", "Name": "shop.local", "Type": "HTTP",
			"Properties": map[string]any{"HttpProperties": map[string]any{"HttpName": "shop.local"}},
		},
		instances: map[string]map[string]string{},
		refuse:    map[string]*refusal{},
		hang:      map[string]chan struct{}{},
	}
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
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
	who, err := s.verifier.Verify(r, body)
	if err != nil {
		answer(w, &refusal{status: 400, code: "InvalidSignatureException", text: err.Error()})
		return
	}
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "Route53AutoNaming_v20170314.")
	var in map[string]any
	if !ok || r.Method != "POST" || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || json.Unmarshal(body, &in) != nil {
		answer(w, &refusal{status: 400, code: "UnknownOperationException", text: "this is no request"})
		return
	}
	s.asked <- request{operation, who.Region, r.Host, in, time.Now()}
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
	out, refused := s.operation(operation, in)
	if refused != nil {
		answer(w, refused)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

// operation does what was asked.
func (s *service) operation(operation string, in map[string]any) (map[string]any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	properties, _ := s.namespace["Properties"].(map[string]any)
	http, _ := properties["HttpProperties"].(map[string]any)
	own, _ := http["HttpName"].(string)
	name, _ := s.namespace["Name"].(string)
	namespace := cmp.Or(own, name)
	switch operation {
	case "GetService":
		if in["Id"] != s.id {
			return nil, &refusal{status: 400, code: "ServiceNotFound", text: "Service not found."}
		}
		return map[string]any{"Service": map[string]any{"Id": s.id, "Name": s.name, "NamespaceId": s.namespace["Id"], "CreateDate": 1600000000.123}}, nil
	case "GetNamespace":
		if in["Id"] != s.namespace["Id"] {
			return nil, &refusal{status: 400, code: "NamespaceNotFound", text: "Namespace not found."}
		}
		return map[string]any{"Namespace": s.namespace}, nil
	case "DiscoverInstances":
		switch {
		case in["NamespaceName"] != namespace:
			return nil, &refusal{status: 400, code: "NamespaceNotFound", text: "Namespace not found."}
		case in["ServiceName"] != s.name:
			return nil, &refusal{status: 400, code: "ServiceNotFound", text: "Service not found."}
		}
		query, _ := in["QueryParameters"].(map[string]any)
		ids := slices.Sorted(maps.Keys(s.instances))
		if s.order != nil {
			s.order(ids)
		}
		list := []any{}
		for _, id := range ids {
			has := true
			for k, v := range query {
				has = has && s.instances[id][k] == v
			}
			if has {
				list = append(list, map[string]any{
					"InstanceId": id, "NamespaceName": namespace, "ServiceName": s.name, "HealthStatus": "HEALTHY", "Attributes": s.instances[id],
				})
			}
		}
		return map[string]any{"Instances": list, "InstancesRevision": 1}, nil
	}
	return nil, &refusal{status: 400, code: "UnknownOperationException", text: operation}
}

func answer(w http.ResponseWriter, r *refusal) {
	w.WriteHeader(r.status)
	if r.raw != "" {
		_, _ = io.WriteString(w, r.raw)
		return
	}
	fmt.Fprintf(w, `{"__type":%q,"Message":%q}`, r.code, r.text)
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
	c.ARN = cmp.Or(c.ARN, testARN)
	c.Endpoint = cmp.Or(c.Endpoint, "http://cloudmap.test")
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

// mustList returns the addresses and ports of the list that must be the next event.
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

// at returns the attributes of an instance, further ones as name=value.
func at(host, port string, more ...string) map[string]string {
	m := map[string]string{attributeIPv4: host, attributePort: port}
	for _, p := range more {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return m
}
