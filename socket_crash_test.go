package penstock_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"penstock"
	"penstock/internal/journal"
)

// childVariable has the test binary be a server instead of tests: its value is a
// childConfig.
const childVariable = "PENSTOCK_SOCKET_CHILD"

// A childConfig is what is said to a server in a process of its own.
type childConfig struct {
	Data     string        // in memory if empty
	Recorder string        // URL that gets the events of the function tell
	Stall    time.Duration // as in penstock.WebSockets
}

func TestMain(m *testing.M) {
	if v := os.Getenv(childVariable); v != "" {
		if err := beServer(v); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beServer says where it listens, and serves until it gets SIGTERM, or until its parent has
// gone. The function tell passes its events on, and the function who lets everybody in.
func beServer(config string) error {
	var v childConfig
	if err := json.Unmarshal([]byte(config), &v); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 64}}
	tell := func(ctx context.Context, event []byte) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.Recorder+"/event", bytes.NewReader(event))
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return []byte(`{"statusCode":200}`), err
	}
	who := func(_ context.Context, event []byte) ([]byte, error) {
		var request struct{ MethodArn string }
		if err := json.Unmarshal(event, &request); err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{
			"principalId": "ada",
			"context":     map[string]any{"s": "x", "n": 123, "b": true},
			"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": request.MethodArn}}},
		})
	}
	s, err := penstock.Open(penstock.Config{
		Memory: v.Data == "", Data: v.Data, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", AccountID: testAccount,
		Log:        penstock.Log{Level: "error"},
		Functions:  map[string]penstock.Function{"tell": {Invoke: tell}, "who": {Invoke: who}},
		Limits:     penstock.Limits{AccountRate: -1},
		WebSockets: penstock.WebSockets{ConnectRate: -1, StallTimeout: v.Stall},
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println(s.Addr(), s.AdminURL())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	<-ctx.Done()
	return s.Shutdown(context.Background())
}

// A childServer is a server in a process of its own.
type childServer struct {
	*world  // without a server, but with its control plane
	process *exec.Cmd
	addr    string
	stdin   io.Closer
}

// startChild starts a server, which is killed after the test if it still runs then.
func startChild(t testing.TB, c childConfig) *childServer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	k := &childServer{world: &world{t: t}, process: exec.Command(self)}
	k.process.Env = append(os.Environ(), childVariable+"="+string(config))
	k.process.Stderr = os.Stderr
	if k.stdin, err = k.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := k.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	addr, admin, _ := strings.Cut(strings.TrimSpace(line), " ")
	k.addr = addr
	k.control = apigatewayv2.New(apigatewayv2.Options{
		BaseEndpoint: &admin, Region: "eu-west-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	return k
}

// kill ends the process without a word.
func (k *childServer) kill() {
	if k.process.ProcessState == nil {
		k.process.Process.Kill()
		k.process.Wait()
	}
}

// terminate has the process end in order, and waits for that and for the ends of the
// connections that are still open.
func (k *childServer) terminate(open ...*socket) {
	k.t.Helper()
	if err := k.process.Process.Signal(syscall.SIGTERM); err != nil {
		k.t.Fatal(err)
	}
	goneAway(k.t, open)
	if err := k.process.Wait(); err != nil {
		k.t.Errorf("the server ended with %v", err)
	}
}

// connect opens a connection that must be accepted.
func (k *childServer) connect(api, target string, fields ...string) *socket {
	k.t.Helper()
	nc, err := net.Dial("tcp", k.addr)
	if err != nil {
		k.t.Fatal(err)
	}
	return k.connectOn(nc, api, target, fields...)
}

// connectOn opens a WebSocket connection on a TCP connection, which ends with the test.
func (k *childServer) connectOn(nc net.Conn, api, target string, fields ...string) *socket {
	k.t.Helper()
	k.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(2 * time.Minute))
	all := append([]string{"Host: " + host(api), "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + socketKey}, fields...)
	s := talk(k.t, nc, "GET "+target+" HTTP/1.1\r\n"+strings.Join(all, "\r\n")+"\r\n\r\n")
	if s.shake.StatusCode != http.StatusSwitchingProtocols {
		k.t.Fatalf("the handshake got %d %s", s.shake.StatusCode, s.shake.body)
	}
	return s
}

// A telling is a backend that keeps what servers in other processes say: the events of
// the function tell, and the fields of requests to /field.
type telling struct {
	*httptest.Server

	mu sync.Mutex // guards the fields below
	// connects and ends are the events by connection, and fields the requests to /field by
	// their field Id.
	connects, ends map[string][]map[string]any
	fields         map[string][]http.Header
	total          int
	// slow is how long an answer to a DISCONNECT event takes.
	slow time.Duration
	// changed is full when something has come since somebody looked.
	changed chan struct{}
}

func newTelling(t testing.TB) *telling {
	r := &telling{
		connects: map[string][]map[string]any{}, ends: map[string][]map[string]any{}, fields: map[string][]http.Header{},
		changed: make(chan struct{}, 1),
	}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *telling) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	slow := time.Duration(0)
	if request.URL.Path == "/field" {
		id := request.Header.Get("Id")
		r.fields[id] = append(r.fields[id], request.Header)
		r.total++
	} else {
		var e map[string]any
		if err := json.Unmarshal(body, &e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		id := fmt.Sprint(at(e, "requestContext.connectionId"))
		if at(e, "requestContext.eventType") == "DISCONNECT" {
			slow = r.slow
			r.ends[id] = append(r.ends[id], e)
			r.total++
		} else {
			r.connects[id] = append(r.connects[id], e)
		}
	}
	r.mu.Unlock()
	if slow > 0 {
		<-time.After(slow)
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// count returns how many ends were told.
func (r *telling) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// wait waits until so many ends were told.
func (r *telling) wait(t testing.TB, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for r.count() < n {
		select {
		case <-r.changed:
		case <-late:
			t.Fatalf("%d of %d ends of connections were told", r.count(), n)
		}
	}
}

// ended checks that the end of each of some connections was told once, with a code and a
// reason, and with what was known of the connection from its start.
func (r *telling) ended(t testing.TB, ids []string, code int, reason string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if len(r.ends[id]) != 1 || len(r.connects[id]) != 1 {
			t.Fatalf("connection %s: %d events of $connect and %d of $disconnect, want one of each", id, len(r.connects[id]), len(r.ends[id]))
		}
		start, end := r.connects[id][0], r.ends[id][0]
		if at(end, "requestContext.disconnectStatusCode") != float64(code) || at(end, "requestContext.disconnectReason") != reason {
			t.Fatalf("connection %s ended with %v %v, want %d %s", id, at(end, "requestContext.disconnectStatusCode"), at(end, "requestContext.disconnectReason"), code, reason)
		}
		for _, place := range []string{"authorizer", "identity", "connectedAt", "domainName", "stage", "apiId"} {
			place = "requestContext." + place
			if a, b := at(start, place), at(end, place); a == absent || !equal(a, b) {
				t.Fatalf("connection %s: %s was %v at its start and is %v at its end", id, place, a, b)
			}
		}
	}
}

// journalOf returns the connections that are open according to a data directory.
func journalOf(t testing.TB, data string) []journal.Entry {
	t.Helper()
	j, open, err := journal.Open(filepath.Join(data, penstock.JournalFile), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return open
}

// tellingAPI is an API whose function tell hears of all connections, and whose authorizer
// lets in whoever has a token.
func (k *childServer) tellingAPI(stages ...string) string {
	k.t.Helper()
	return k.sockets(socketSpec{
		routes:     map[string]socketRoute{"$connect": lambdaRoute("tell"), "$disconnect": lambdaRoute("tell"), "id": says("$context.connectionId")},
		stages:     stages,
		authorizer: &apigatewayv2.CreateAuthorizerInput{IdentitySource: []string{"route.request.querystring.token"}, AuthorizerUri: functionURI("who")},
	})
}

// clients opens some connections and returns them with their IDs.
func (k *childServer) clients(n int, api, target string) ([]*socket, []string) {
	k.t.Helper()
	all := make([]*socket, n)
	for i := range all {
		all[i] = k.connect(api, target, fmt.Sprint("User-Agent: ua/", i))
	}
	return all, idsOf(k.t, all)
}

// TestSocketCrash: the ends of connections that were open when the server was killed are
// told once, by the next process, and as if nothing had happened but for the code.
func TestSocketCrash(t *testing.T) {
	t.Parallel()
	n := fewer(500)
	told := newTelling(t)
	c := childConfig{Data: t.TempDir(), Recorder: told.URL}
	k := startChild(t, c)
	api := k.tellingAPI("dev", "going")
	proxied := k.sockets(socketSpec{routes: map[string]socketRoute{
		"id": says("$context.connectionId"),
		"$disconnect": proxyRoute(told.URL+"/field", map[string]string{
			"integration.request.header.Id":     "context.connectionId",
			"integration.request.header.Code":   "context.disconnectStatusCode",
			"integration.request.header.Source": "context.identity.sourceIp",
		}),
	}})
	closing, closed := k.clients(20, api, "/dev?token=t")
	for _, s := range closing {
		s.close(1000, "bye")
		s.nc.Close()
	}
	k.terminate() // so that these ends are told in every respect
	told.ended(t, closed, 1000, "bye")
	k = startChild(t, c)
	_, open := k.clients(n, api, "/dev?token=t")
	_, byProxy := k.clients(20, proxied, "/dev")
	_, going := k.clients(20, api, "/going?token=t")
	k.kill()
	if left := journalOf(t, c.Data); len(left) != n+40 {
		t.Errorf("%d connections in the journal, want the %d that were open", len(left), n+40)
	}

	// One stage goes while nobody knows of the connections.
	file := filepath.Join(c.Data, penstock.JournalFile)
	if err := os.Rename(file, file+".kept"); err != nil {
		t.Fatal(err)
	}
	config := quiet
	config.Memory, config.Data, config.AccountID = false, c.Data, testAccount
	s := openForAWhile(t, config)
	check[*apigatewayv2.DeleteStageOutput](t)(sdk(s, anyone).DeleteStage(t.Context(), &apigatewayv2.DeleteStageInput{ApiId: &api, StageName: aws.String("going")}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".kept", file); err != nil {
		t.Fatal(err)
	}

	k = startChild(t, c)
	told.wait(t, len(closed)+len(open)+len(byProxy))
	k.terminate()
	if got, want := told.count(), len(closed)+len(open)+len(byProxy); got != want {
		t.Errorf("%d ends were told, want %d", got, want)
	}
	told.ended(t, open, 1006, "Connection closed abnormally")
	for _, id := range byProxy {
		if f := told.fields[id]; len(f) != 1 || f[0].Get("Code") != "1006" || f[0].Get("Source") != "127.0.0.1" {
			t.Errorf("connection %s: the backend got %v", id, f)
		}
	}
	for _, id := range going {
		if e := told.ends[id]; len(e) != 0 {
			t.Errorf("connection %s of a stage that has gone: %v", id, e)
		}
	}
	if left := journalOf(t, c.Data); len(left) != 0 {
		t.Errorf("%d connections are left in the journal", len(left))
	}

	// All is told. What comes now is new.
	before := told.count()
	k = startChild(t, c)
	talking, last := k.clients(3, api, "/dev?token=t")
	k.terminate(talking...)
	told.ended(t, last, 1001, "Going away")
	if got := told.count() - before; got != len(last) {
		t.Errorf("%d ends were told after another start, want %d", got, len(last))
	}
}

// openForAWhile opens a server that its test closes itself.
func openForAWhile(t testing.TB, c penstock.Config) *penstock.Server {
	t.Helper()
	s, err := penstock.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSocketCrashUnderway: the server is killed while connections come and go. Of each one
// that a client has spoken on, somebody hears the end: once, or, if its end was being told
// when the server died, once more.
func TestSocketCrashUnderway(t *testing.T) {
	t.Parallel()
	told := newTelling(t)
	c := childConfig{Data: t.TempDir(), Recorder: told.URL}
	k := startChild(t, c)
	api := k.tellingAPI("dev")
	var mu sync.Mutex // guards spoken
	spoken := map[string]bool{}
	enough := make(chan struct{})
	closeEnough := sync.OnceFunc(func() { close(enough) })
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				id, err := spokenOn(k.addr, api)
				if id != "" {
					mu.Lock()
					if spoken[id] = true; len(spoken) >= 200 {
						closeEnough()
					}
					mu.Unlock()
				}
				if err != nil {
					closeEnough()
					return
				}
			}
		})
	}
	<-enough
	k.kill()
	clients.Wait()
	if len(spoken) < 200 {
		t.Errorf("only %d connections before the server was killed", len(spoken))
	}
	k = startChild(t, c)
	left := func() (n int) {
		told.mu.Lock()
		defer told.mu.Unlock()
		for id := range spoken {
			if len(told.ends[id]) == 0 {
				n++
			}
		}
		return n
	}
	late := time.After(time.Minute)
	for left() > 0 {
		select {
		case <-told.changed:
		case <-late:
			t.Fatalf("of %d connections of %d nobody heard the end", left(), len(spoken))
		}
	}
	k.terminate()
	twice := 0
	for id := range told.ends {
		switch n := len(told.ends[id]); n {
		case 1:
		case 2:
			twice++
		default:
			t.Errorf("the end of connection %s was told %d times", id, n)
		}
	}
	// Four clients close one connection each at a time; the ends of some before may still
	// have been on their way.
	if twice > 64 {
		t.Errorf("%d ends of %d were told twice", twice, len(told.ends))
	}
	if left := journalOf(t, c.Data); len(left) != 0 {
		t.Errorf("%d connections are left in the journal", len(left))
	}
}

// spokenOn opens a connection, asks for its ID and closes it. The error says that the
// server has gone.
func spokenOn(addr, api string) (id string, err error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	head := "GET /dev?token=t HTTP/1.1\r\nHost: " + host(api) + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n"
	if _, err := nc.Write(append([]byte(head), appendFrame(nil, 0x80|opText, `{"action":"id"}`)...)); err != nil {
		return "", err
	}
	s := &socket{nc: nc, br: bufio.NewReader(nc)}
	r, err := http.ReadResponse(s.br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return "", err
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		return "", fmt.Errorf("the handshake got %s", r.Status)
	}
	if _, id, err = s.read(); err != nil {
		return "", err
	}
	_, err = nc.Write(appendFrame(nil, 0x80|opClose, "\x03\xe8"))
	return id, err
}

// TestSocketTermination: a server that is asked to end tells all clients, and ends when
// everybody has heard of the ends of their connections.
func TestSocketTermination(t *testing.T) {
	t.Parallel()
	n := fewer(500)
	told := newTelling(t)
	told.slow = 200 * time.Millisecond
	c := childConfig{Data: t.TempDir(), Recorder: told.URL}
	k := startChild(t, c)
	all, ids := k.clients(n, k.tellingAPI("dev"), "/dev?token=t")
	k.terminate(all...)
	if got := told.count(); got != n {
		t.Errorf("%d ends were told before the process ended, want %d", got, n)
	}
	told.ended(t, ids, 1001, "Going away")
	if left := journalOf(t, c.Data); len(left) != 0 {
		t.Errorf("%d connections are left in the journal", len(left))
	}
}
