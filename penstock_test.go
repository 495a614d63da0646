package penstock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// quiet is a server in memory on free ports that logs errors only.
var quiet = penstock.Config{Memory: true, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: penstock.Log{Level: "error"}}

// open opens a server and closes it after the test.
func open(t testing.TB, c penstock.Config) *penstock.Server {
	t.Helper()
	s, err := penstock.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// sdk returns the AWS SDK's client of a server.
func sdk(s *penstock.Server, c penstock.Credential) *apigatewayv2.Client {
	return apigatewayv2.New(apigatewayv2.Options{
		BaseEndpoint: aws.String(s.AdminURL()),
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		Retryer:      aws.NopRetryer{},
	})
}

var anyone = penstock.Credential{AccessKeyID: "any", SecretAccessKey: "any"}

// echo is a backend that answers with the target it was asked for.
func echo(t testing.TB) string {
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }))
	t.Cleanup(b.Close)
	return b.URL
}

// quickCreate makes an API whose $default route leads to a target.
func quickCreate(t testing.TB, s *penstock.Server, target string) *apigatewayv2.CreateApiOutput {
	t.Helper()
	api, err := sdk(s, anyone).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: types.ProtocolTypeHttp, Target: aws.String(target),
	})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// get returns status and body.
func get(t testing.TB, s *penstock.Server, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body, err := do(s, r)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

func do(s *penstock.Server, r *http.Request) (status int, body string, err error) {
	resp, err := s.Client().Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// With credentials the control plane may listen anywhere.
func TestOpenEverywhere(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Admin, c.Listen = "0.0.0.0:0", "0.0.0.0:0"
	c.Credentials = []penstock.Credential{anyone}
	s := open(t, c)
	if !strings.HasPrefix(s.AdminURL(), "http://127.0.0.1:") || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("URLs %s and %s, want such that can be reached", s.AdminURL(), s.URL())
	}
	if !strings.HasPrefix(s.AdminAddr().String(), "0.0.0.0:") {
		t.Errorf("admin listens on %s", s.AdminAddr())
	}
	// Then private addresses are out of reach, unless they are allowed.
	backend := echo(t)
	if status, body := get(t, s, *quickCreate(t, s, backend).ApiEndpoint+"/x"); status != http.StatusServiceUnavailable {
		t.Errorf("private upstream: got %d %s, want 503", status, body)
	}
	c.AllowPrivateUpstreams = new(true)
	s = open(t, c)
	if status, body := get(t, s, *quickCreate(t, s, backend).ApiEndpoint+"/x"); status != http.StatusOK || body != "/x" {
		t.Errorf("private upstream, allowed: got %d %s", status, body)
	}
}

// An integration cannot reach the server itself, whatever the spelling.
func TestOwnListeners(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	for _, own := range []net.Addr{s.Addr(), s.AdminAddr()} {
		_, port, _ := net.SplitHostPort(own.String())
		for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]"} {
			api := quickCreate(t, s, "http://"+host+":"+port)
			if status, body := get(t, s, *api.ApiEndpoint+"/_penstock/health"); status != http.StatusServiceUnavailable {
				t.Errorf("%s:%s: got %d %s, want 503", host, port, status, body)
			}
		}
	}
}

// A request under way is answered, and meanwhile the server says that it is not
// ready.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	arrived, finish := make(chan bool), make(chan bool)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-finish
		io.WriteString(w, "finished")
	}))
	defer backend.Close()
	let := sync.OnceFunc(func() { close(finish) })
	defer let()
	api := quickCreate(t, s, backend.URL)
	answered := make(chan error, 1)
	go func() {
		r, err := http.NewRequest(http.MethodGet, *api.ApiEndpoint+"/", nil)
		if err == nil {
			var status int
			var body string
			if status, body, err = do(s, r); err == nil && (status != http.StatusOK || body != "finished") {
				err = fmt.Errorf("got %d %s", status, body)
			}
		}
		answered <- err
	}()
	<-arrived
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	for deadline := time.Now().Add(10 * time.Second); ; {
		status, body := get(t, s, s.AdminURL()+"/_penstock/ready")
		if status == http.StatusServiceUnavailable && strings.Contains(body, "draining") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("ready while draining: got %d %s", status, body)
		}
		runtime.Gosched()
	}
	if status, _ := get(t, s, s.AdminURL()+"/_penstock/health"); status != http.StatusOK {
		t.Errorf("health while draining: got %d", status)
	}
	let()
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-down; err != nil {
		t.Errorf("shut down: %v", err)
	}
}

// What takes longer than it may is cut off.
func TestShutdownCutsOff(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	arrived, finish := make(chan bool), make(chan bool)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-finish
	}))
	defer backend.Close()
	defer close(finish)
	api := quickCreate(t, s, backend.URL)
	answered := make(chan error)
	go func() {
		r, err := http.NewRequest(http.MethodGet, *api.ApiEndpoint+"/", nil)
		if err == nil {
			_, _, err = do(s, r)
		}
		answered <- err
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shut down: %v, want %v", err, context.DeadlineExceeded)
	}
	if err := <-answered; err == nil {
		t.Error("the request was answered")
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Memory, c.Data = false, filepath.Join(t.TempDir(), "new", "data")
	s := open(t, c)
	api := quickCreate(t, s, echo(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	after, err := sdk(s, anyone).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: api.ApiId})
	if err != nil {
		t.Fatal(err)
	}
	if !after.CreatedDate.Equal(*api.CreatedDate) || *after.Name != *api.Name {
		t.Errorf("got %v, want %v", after, api)
	}
	if status, body := get(t, s, *after.ApiEndpoint+"/pets"); status != http.StatusOK || body != "/pets" {
		t.Errorf("got %d %s", status, body)
	}
}

// Damaged data is never served, and the message says what to do.
func TestDamage(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Memory, c.Data = false, t.TempDir()
	s := open(t, c)
	quickCreate(t, s, "http://127.0.0.1:1/a-target-that-can-be-found")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.Data, penstock.DataFile)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(data, []byte("a-target-that-can-be-found"), []byte("A-target-that-can-be-found"), 1)
	if bytes.Equal(data, damaged) {
		t.Fatal("there is nothing to damage")
	}
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = penstock.Open(c)
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{file, "damaged", "penstock restore BACKUP --data " + c.Data, "start empty"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q in it", err, want)
		}
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, damaged) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// The endpoint that an API says is where it is served.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Region, c.EndpointSuffix = "eu-north-7", "apis.example.com"
	s := open(t, c)
	_, port, _ := net.SplitHostPort(s.Addr().String())
	api := quickCreate(t, s, echo(t))
	if want := "http://" + *api.ApiId + ".execute-api.eu-north-7.apis.example.com:" + port; *api.ApiEndpoint != want {
		t.Errorf("HTTP: got %s, want %s", *api.ApiEndpoint, want)
	}
	for _, url := range []string{*api.ApiEndpoint + "/x", s.URL() + "/_aws/execute-api/" + *api.ApiId + "/$default/x"} {
		if status, body := get(t, s, url); status != http.StatusOK || body != "/x" {
			t.Errorf("%s: got %d %s", url, status, body)
		}
	}
	ws, err := sdk(s, anyone).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "ws://" + *ws.ApiId + ".execute-api.eu-north-7.apis.example.com:" + port; *ws.ApiEndpoint != want {
		t.Errorf("WebSocket: got %s, want %s", *ws.ApiEndpoint, want)
	}
}

// After Close, and after an Open that failed, nothing runs.
func TestNothingLeft(t *testing.T) { // not parallel: it counts
	backend := echo(t)
	c := quiet
	c.Memory, c.Data = false, t.TempDir()
	before := runtime.NumGoroutine()
	for range 3 {
		s, err := penstock.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		api := quickCreate(t, s, backend)
		get(t, s, *api.ApiEndpoint+"/")
		get(t, s, s.AdminURL()+"/_penstock/ready")
		if second, err := penstock.Open(c); err == nil {
			second.Close()
			t.Fatal("the same data was opened twice")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}
