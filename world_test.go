package penstock_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// A world is a server, made APIs of through its control plane, and a backend that
// remembers what it was asked.
type world struct {
	t       testing.TB
	server  *penstock.Server
	control *apigatewayv2.Client
	backend *httptest.Server

	mu   sync.Mutex // guards seen
	seen []*http.Request
}

const testAccount = "123456789012"

func newWorld(t testing.TB, c penstock.Config) *world {
	t.Helper()
	c.Memory, c.Listen, c.Admin = true, "127.0.0.1:0", "127.0.0.1:0"
	c.AccountID, c.Log.Level = testAccount, "error"
	w := &world{t: t}
	w.backend = httptest.NewServer(w)
	t.Cleanup(w.backend.Close)
	w.server = open(t, c)
	who := anyone
	if len(c.Credentials) > 0 {
		who = c.Credentials[0]
	}
	w.control = sdk(w.server, who)
	return w
}

// ServeHTTP is the backend: it answers "ok" with the status that ends the path, as in
// /status/404, with the fields a, b, Server and X-Id, and with those of other origins
// below /cors.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.seen = append(w.seen, r)
	w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	h := rw.Header()
	h.Set("A", "1")
	h.Set("B", "2")
	h.Set("Server", "backend")
	h.Set("X-Id", "7")
	h.Set("Content-Type", "text/plain")
	if strings.HasPrefix(r.URL.Path, "/cors") {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "TRACE")
	}
	if strings.HasPrefix(r.URL.Path, "/cookies") {
		h.Add("Set-Cookie", "a=1")
		h.Add("Set-Cookie", "b=2")
	}
	if strings.HasPrefix(r.URL.Path, "/slow") {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
		return
	}
	if r.URL.Path == "/away" {
		h.Set("Location", "/z")
		rw.WriteHeader(http.StatusFound)
		return
	}
	if _, last, ok := strings.Cut(r.URL.Path, "/status/"); ok {
		status, _ := strconv.Atoi(last)
		rw.WriteHeader(status)
	}
	text := "ok"
	if len(body) > 0 && r.URL.Path == "/echo" {
		text = string(body)
	}
	io.WriteString(rw, text)
}

// take returns the one request that the backend saw since the last call, nil if none.
func (w *world) take() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	switch len(seen) {
	case 0:
		return nil
	case 1:
		return seen[0]
	}
	w.t.Errorf("the backend saw %d requests", len(seen))
	return seen[0]
}

// A target is an integration of type HTTP_PROXY. One without a URI leads to the
// backend; a URI that starts with a slash is a path there. One with a function is of
// type AWS_PROXY; its payload format is 2.0 if it has no other.
type target struct {
	uri, method string
	timeout     int32
	request     map[string]string
	response    map[string]map[string]string

	function, format, credentials string
}

// An apiSpec is an API to be made.
type apiSpec struct {
	routes     map[string]target
	cors       *types.Cors
	stages     []string // names; "$default" if nil
	variables  map[string]string
	authorizer *apigatewayv2.CreateAuthorizerInput
	// authorize says of routes how they are authorized: JWT, CUSTOM or AWS_IAM. Scopes
	// are those of all JWT routes.
	authorize map[string]types.AuthorizationType
	scopes    []string
	settings  *types.RouteSettings           // of the stages
	route     map[string]types.RouteSettings // of routes
	log       *types.AccessLogSettings
}

func check[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// api makes an API and returns its ID.
func (w *world) api(s apiSpec) string {
	w.t.Helper()
	ctx, t := w.t.Context(), w.t
	id := check[*apigatewayv2.CreateApiOutput](t)(w.control.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: types.ProtocolTypeHttp, CorsConfiguration: s.cors,
	})).ApiId
	var authorizer *string
	if s.authorizer != nil {
		s.authorizer.ApiId, s.authorizer.Name = id, aws.String("who")
		authorizer = check[*apigatewayv2.CreateAuthorizerOutput](t)(w.control.CreateAuthorizer(ctx, s.authorizer)).AuthorizerId
	}
	for _, key := range slices.Sorted(maps.Keys(s.routes)) {
		to := s.routes[key]
		uri := to.uri
		if uri == "" || uri[0] == '/' {
			uri = w.backend.URL + uri
		}
		in := &apigatewayv2.CreateIntegrationInput{
			ApiId: id, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: &uri, IntegrationMethod: aws.String(cmp.Or(to.method, "ANY")),
			PayloadFormatVersion: aws.String("1.0"), RequestParameters: to.request, ResponseParameters: to.response,
		}
		if to.function != "" {
			in.IntegrationType, in.IntegrationMethod, in.IntegrationUri = types.IntegrationTypeAwsProxy, nil, functionURI(to.function)
			in.PayloadFormatVersion = aws.String(cmp.Or(to.format, "2.0"))
			if to.credentials != "" {
				in.CredentialsArn = &to.credentials
			}
		}
		if to.timeout > 0 {
			in.TimeoutInMillis = &to.timeout
		}
		integration := check[*apigatewayv2.CreateIntegrationOutput](t)(w.control.CreateIntegration(ctx, in)).IntegrationId
		route := &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: &key, Target: aws.String("integrations/" + *integration)}
		switch route.AuthorizationType = s.authorize[key]; route.AuthorizationType {
		case types.AuthorizationTypeJwt:
			route.AuthorizerId, route.AuthorizationScopes = authorizer, s.scopes
		case types.AuthorizationTypeCustom:
			route.AuthorizerId = authorizer
		}
		check[*apigatewayv2.CreateRouteOutput](t)(w.control.CreateRoute(ctx, route))
	}
	stages := s.stages
	if stages == nil {
		stages = []string{"$default"}
	}
	for _, name := range stages {
		deployment := check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id})).DeploymentId
		check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(ctx, &apigatewayv2.CreateStageInput{
			ApiId: id, StageName: &name, DeploymentId: deployment, StageVariables: s.variables,
			DefaultRouteSettings: s.settings, RouteSettings: s.route, AccessLogSettings: s.log,
		}))
	}
	return *id
}

// host returns the execute-api host of an API.
func host(api string) string { return api + ".execute-api.us-east-1.amazonaws.com" }

// ask sends a request as it is written, "METHOD target" and then fields as
// "Name: value" and after an empty line the body, and returns the answer. The Host is
// that of the API unless a field says otherwise.
func (w *world) ask(api string, lines ...string) *answered {
	w.t.Helper()
	nc, err := net.Dial("tcp", w.server.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return exchange(w.t, nc, api, lines)
}

type answered struct {
	*http.Response
	body string
}

func exchange(t testing.TB, nc net.Conn, api string, lines []string) *answered {
	t.Helper()
	head, body := strings.Join(lines[1:], "\r\n"), ""
	if i := slices.Index(lines, ""); i >= 0 {
		head, body = strings.Join(lines[1:i], "\r\n"), strings.Join(lines[i+1:], "\n")
	}
	if head != "" {
		head += "\r\n"
	}
	if !strings.Contains("\r\n"+head, "\r\nHost:") {
		head += "Host: " + host(api) + "\r\n"
	}
	if body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(nc, lines[0]+" HTTP/1.1\r\n"+head+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(lines[0], " ")
	r, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", lines[0], err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%s: %v", lines[0], err)
	}
	return &answered{r, string(text)}
}

// functionURI is the ARN of a Lambda function as authorizers and integrations name it.
func functionURI(name string) *string {
	return aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:" + testAccount + ":function:" + name + "/invocations")
}

// lines collects what an access log writes.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// next waits for the next line.
func (l *lines) next(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		l.mu.Lock()
		line, rest, ok := strings.Cut(l.text.String(), "\n")
		if ok {
			l.text.Reset()
			l.text.WriteString(rest)
		}
		l.mu.Unlock()
		if ok {
			return line
		}
		select {
		case <-ctx.Done():
			t.Fatal("no line of the access log came")
		case <-time.After(time.Millisecond):
		}
	}
}
