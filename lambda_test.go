package penstock_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"penstock"
)

// lambdaAPI returns a client of the Lambda API.
func lambdaAPI(w *world) *lambda.Client {
	return lambda.New(lambda.Options{
		BaseEndpoint: aws.String(w.server.AdminURL()), Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
}

// permit lets API Gateway call a function on behalf of a source.
func permit(t testing.TB, w *world, function, source string) {
	t.Helper()
	check[*lambda.AddPermissionOutput](t)(lambdaAPI(w).AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &function, StatementId: aws.String("pets"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("apigateway.amazonaws.com"), SourceArn: &source,
	}))
}

// overHTTP2 asks for a path of an API.
func overHTTP2(t testing.TB, w *world, api, path string) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the server signs its own
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.TLSURL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host(api)
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

var goFunction = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "penstock-test-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/functions/go").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// realFunctions returns the functions of testdata for the runtimes that this machine has,
// by the name of the runtime: what handles requests, what ends while it starts, and what
// streams, if that runtime can.
func realFunctions(t testing.TB) (functions map[string]penstock.Function, runtimes []string) {
	t.Helper()
	dir, err := goFunction()
	if err != nil {
		t.Fatal(err)
	}
	functions = map[string]penstock.Function{
		"go":        {Runtime: "provided.al2023", Code: dir, Handler: "handle"},
		"go-init":   {Runtime: "provided.al2023", Code: dir, Handler: "init"},
		"go-stream": {Runtime: "provided.al2023", Code: dir, Handler: "stream"},
	}
	runtimes = []string{"go"}
	if _, err := exec.LookPath("node"); err == nil {
		const code = "testdata/functions/node"
		functions["cjs"] = penstock.Function{Runtime: "nodejs20.x", Code: code, Handler: "index.handler"}
		functions["cjs-init"] = penstock.Function{Runtime: "nodejs20.x", Code: code, Handler: "init.handler"}
		functions["esm"] = penstock.Function{Runtime: "nodejs22.x", Code: code, Handler: "module.handler"}
		functions["esm-init"] = penstock.Function{Runtime: "nodejs22.x", Code: code, Handler: "init.handler"}
		functions["esm-stream"] = penstock.Function{Runtime: "nodejs22.x", Code: code, Handler: "module.stream"}
		functions["node-simple"] = penstock.Function{Runtime: "nodejs22.x", Code: code, Handler: "doors.simple"}
		functions["node-policy"] = penstock.Function{Runtime: "nodejs22.x", Code: code, Handler: "doors.policy"}
		runtimes = append(runtimes, "cjs", "esm")
	}
	if _, err := exec.LookPath("python3"); err == nil {
		const code = "testdata/functions/python"
		functions["python"] = penstock.Function{Runtime: "python3.12", Code: code, Handler: "handler.handler"}
		functions["python-init"] = penstock.Function{Runtime: "python3.12", Code: code, Handler: "init.handler"}
		functions["python-simple"] = penstock.Function{Runtime: "python3.12", Code: code, Handler: "handler.simple"}
		functions["python-policy"] = penstock.Function{Runtime: "python3.12", Code: code, Handler: "handler.policy"}
		runtimes = append(runtimes, "python")
	}
	for name, f := range maps.Clone(functions) {
		f.Timeout, f.Memory = 30*time.Second, 512
		functions[name] = f
		if slices.Contains(runtimes, name) {
			f.Timeout = 2 * time.Second
			functions[name+"-hasty"] = f
		}
	}
	return functions, runtimes
}

// Whatever becomes of a handler, the client gets the answer that the service gives, and
// the next request is served.
func TestHandlers(t *testing.T) {
	t.Parallel()
	functions, runtimes := realFunctions(t)
	w := newWorld(t, penstock.Config{Functions: functions})
	for _, by := range runtimes {
		routes := map[string]target{
			"ANY /{proxy+}": {function: by}, "GET /sleep": {function: by + "-hasty"}, "GET /init": {function: by + "-init"}, "GET /hasty/sleep": {function: by, timeout: 200},
		}
		if _, ok := functions[by+"-stream"]; ok {
			routes["GET /stream"] = target{function: by + "-stream"}
		}
		api := w.api(apiSpec{routes: routes})
		for _, tt := range []struct {
			ask    []string
			status int
			body   string
			header map[string]string
			reason string // that penstock explain tells
		}{
			{[]string{"GET /ok"}, 200, by + " GET", map[string]string{"Content-Type": "text/plain"}, ""},
			{[]string{"POST /ok", "", "body"}, 200, by + " POST", nil, ""},
			{[]string{"GET /nothing"}, 404, empty, nil, ""},
			{[]string{"GET /throw"}, 500, "", nil, "thrown by " + by},
			{[]string{"GET /ok"}, 200, by + " GET", nil, ""},
			{[]string{"GET /crash"}, 500, "", nil, "Runtime exited with error: exit status 3"},
			{[]string{"GET /ok"}, 200, by + " GET", nil, ""},
			{[]string{"GET /sleep"}, 500, "", nil, "Task timed out after 2.00 seconds"},
			{[]string{"GET /hasty/sleep"}, 503, "", nil, ""},
			{[]string{"GET /ok"}, 200, by + " GET", nil, ""},
			{[]string{"GET /memory"}, 500, "", nil, "Runtime exited with error: signal: killed"},
			{[]string{"GET /big"}, 500, "", nil, "Response payload size exceeded maximum allowed payload size (6291556 bytes)."},
			{[]string{"GET /binary"}, 200, "\x89PNG\x00\xff", map[string]string{"Content-Type": "image/png", "Content-Length": "6"}, ""},
			{[]string{"GET /cookies", "Cookie: x=1; y=2"}, 200, "x=1|y=2", map[string]string{"Set-Cookie": "a=1; Path=/ | b=2"}, ""},
			{[]string{"GET /init"}, 500, "", nil, "exit status 7"},
			{[]string{"GET /stream"}, 201, "first second", map[string]string{"Content-Type": "text/plain", "Set-Cookie": "s=1", "Content-Length": "12"}, ""},
			{[]string{"HEAD /ok"}, 200, empty, map[string]string{"Content-Length": fmt.Sprint(len(by) + 5)}, ""},
		} {
			if strings.HasSuffix(tt.ask[0], "/stream") && routes["GET /stream"].function == "" {
				continue
			}
			if strings.HasSuffix(tt.ask[0], "/memory") && runtime.GOOS != "linux" {
				continue
			}
			want := tt.body
			if tt.body == "" {
				want = gatewayBody(tt.status)
			} else if want == empty {
				want = ""
			}
			got := w.ask(api, tt.ask...)
			if got.StatusCode != tt.status || got.body != want {
				t.Errorf("%s: %s: status %d %.100q, want %d %.100q", by, tt.ask[0], got.StatusCode, got.body, tt.status, want)
			}
			for name, want := range tt.header {
				if have := strings.Join(got.Header.Values(name), " | "); have != want {
					t.Errorf("%s: %s: %s is %q, want %q", by, tt.ask[0], name, have, want)
				}
			}
			if tt.reason == "" {
				continue
			}
			if r, _ := w.explain(got); !strings.Contains(r.Response.Reason, tt.reason) {
				t.Errorf("%s: %s: explained by %q, want %q", by, tt.ask[0], r.Response.Reason, tt.reason)
			}
		}
	}
}

// Requests at one time have an environment each, and warm ones are used again.
func TestHandlersConcurrently(t *testing.T) {
	t.Parallel()
	functions, runtimes := realFunctions(t)
	w := newWorld(t, penstock.Config{Functions: functions})
	const n = 10
	for _, by := range runtimes {
		api := w.api(apiSpec{routes: map[string]target{"ANY /{proxy+}": {function: by}}})
		round := func() time.Duration {
			start := time.Now()
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					if got := w.ask(api, "GET /nap"); got.StatusCode != 200 {
						t.Errorf("%s: status %d", by, got.StatusCode)
					}
				})
			}
			all.Wait()
			return time.Since(start)
		}
		before := starts(t, w)
		// The first rounds start processes.
		best := round()
		for start := time.Now(); best > n*100*time.Millisecond/2 && time.Since(start) < 20*time.Second; {
			best = min(best, round())
		}
		if best > n*100*time.Millisecond/2 {
			t.Errorf("%s: %d naps of 100 ms at one time took %v", by, n, best)
		}
		for range 2 * n {
			if got := w.ask(api, "GET /count"); got.StatusCode != 200 {
				t.Errorf("%s: status %d", by, got.StatusCode)
			}
		}
		// There were at least 3n requests.
		if started := starts(t, w) - before; started < 1 || started > 2*n {
			t.Errorf("%s: %d environments were started, for %d requests at one time", by, started, n)
		}
	}
}

// starts returns how many environments of functions have been started.
func starts(t testing.TB, w *world) (n int) {
	t.Helper()
	resp, err := http.Get(w.server.AdminURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\npenstock_function_starts_total ")
	if _, err := fmt.Sscan(rest, &n); !ok || err != nil {
		t.Fatalf("the metrics do not tell of starts: %v", err)
	}
	return n
}

// Authorizers call real handlers, in both formats.
func TestHandlersAsAuthorizers(t *testing.T) {
	t.Parallel()
	functions, runtimes := realFunctions(t)
	w := newWorld(t, penstock.Config{Functions: functions})
	for _, by := range []string{"node", "python"} {
		if _, ok := functions[by+"-simple"]; !ok {
			t.Logf("there is no %s", by)
			continue
		}
		for _, tt := range []struct {
			form, version string
			simple        bool
		}{{"simple", "2.0", true}, {"policy", "2.0", false}, {"policy", "1.0", false}} {
			api := w.api(apiSpec{
				routes:    map[string]target{"GET /a": {request: map[string]string{"overwrite:header.x-by": "$context.authorizer.by", "overwrite:header.x-version": "$context.authorizer.version"}}},
				authorize: map[string]types.AuthorizationType{"GET /a": types.AuthorizationTypeCustom},
				authorizer: &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeRequest, AuthorizerPayloadFormatVersion: &tt.version, EnableSimpleResponses: &tt.simple,
					IdentitySource: []string{"$request.header.Authorization"}, AuthorizerResultTtlInSeconds: aws.Int32(0), AuthorizerUri: functionURI(by + "-" + tt.form)},
			})
			vector{n: 135, ask: []string{"GET /a"}, status: 401}.run(w, api)
			vector{n: 137, ask: []string{"GET /a", "Authorization: please"}, status: 403}.run(w, api)
			vector{n: 138, ask: []string{"GET /a", "Authorization: open sesame"}, status: 200, backend: "GET /", fields: map[string]string{"X-By": by, "X-Version": tt.version}}.run(w, api)
			if tt.form == "policy" {
				vector{n: 140, ask: []string{"GET /a", "Authorization: throw"}, status: 500}.run(w, api)
			}
		}
	}
	if len(runtimes) == 0 {
		t.Error("there is no runtime")
	}
}

// archive returns a zip of files.
func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o755)
		f, err := z.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A function is created, called by an API, updated under load without losing a request,
// and deleted, through the Lambda API.
func TestFunctionLife(t *testing.T) {
	t.Parallel()
	dir, err := goFunction()
	if err != nil {
		t.Fatal(err)
	}
	code := func(version string) []byte {
		// The program tells its version by its environment.
		return archive(t, map[string]string{"bootstrap": "#!/bin/sh\nexport _HANDLER=" + version + "\nexec " + dir + "/bootstrap\n"})
	}
	w := newWorld(t, penstock.Config{})
	l, ctx := lambdaAPI(w), t.Context()
	created := check[*lambda.CreateFunctionOutput](t)(l.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("pets"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("handle"), Role: aws.String("arn:aws:iam::" + testAccount + ":role/any"),
		Code: &lambdatypes.FunctionCode{ZipFile: code("one")}, Timeout: aws.Int32(5), MemorySize: aws.Int32(512),
	}))
	if created.State != lambdatypes.StateActive || *created.FunctionArn != "arn:aws:lambda:us-east-1:"+testAccount+":function:pets" {
		t.Errorf("created %s in state %s", *created.FunctionArn, created.State)
	}
	api := w.api(apiSpec{routes: map[string]target{"ANY /{proxy+}": {function: "pets"}}})
	if got := w.ask(api, "GET /ok"); got.StatusCode != 200 || got.body != "go GET" {
		t.Errorf("status %d %q", got.StatusCode, got.body)
	}

	// Under load, each update is served at once and no request fails.
	stop, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for stop.Err() == nil {
				if got := w.ask(api, "GET /nap"); got.StatusCode != 200 {
					t.Errorf("during an update: status %d %s", got.StatusCode, got.body)
				}
			}
		})
	}
	for _, version := range []string{"two", "three", "four"} {
		check[*lambda.UpdateFunctionCodeOutput](t)(l.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("pets"), ZipFile: code(version)}))
		for range 5 {
			if got := w.ask(api, "GET /version"); got.body != version {
				t.Errorf("after the update to %s: status %d %q", version, got.StatusCode, got.body)
			}
		}
	}
	cancel()
	clients.Wait()
	check[*lambda.DeleteFunctionOutput](t)(l.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("pets")}))
	got := w.ask(api, "GET /ok")
	if r, _ := w.explain(got); got.StatusCode != 500 || !strings.Contains(r.Response.Reason, "there is no such function") {
		t.Errorf("after the end: status %d, explained by %q", got.StatusCode, r.Response.Reason)
	}
}
