package penstock_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"penstock"
	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

// bootstrapOf is a program that is the Go function of the tests, and says what version
// it is.
func bootstrapOf(t testing.TB, version string) string {
	t.Helper()
	dir, err := goFunction()
	if err != nil {
		t.Fatal(err)
	}
	return "#!/bin/sh\nexport _HANDLER=" + version + "\necho starting " + version + "\nexec " + dir + "/bootstrap\n"
}

// An edit is served by the next request, and fails none under way.
func TestFunctionEdits(t *testing.T) {
	t.Parallel()
	code := t.TempDir()
	edit := func(version string) {
		t.Helper()
		file := filepath.Join(code, "bootstrap")
		if err := os.WriteFile(file+".new", []byte(bootstrapOf(t, version)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	edit("v0")
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"pets": {Runtime: "provided.al2", Code: code, Timeout: 10 * time.Second, Memory: 512}}})
	api := w.api(apiSpec{routes: map[string]target{"ANY /{proxy+}": {function: "pets"}}})
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if got := w.ask(api, "GET /nap"); got.StatusCode != 200 {
					t.Errorf("during an edit: status %d %s", got.StatusCode, got.body)
				}
			}
		})
	}
	for n := range 20 {
		version := fmt.Sprint("v", n)
		edit(version)
		if got := w.ask(api, "GET /version"); got.body != version {
			t.Errorf("after the edit to %s: status %d %q", version, got.StatusCode, got.body)
		}
	}
	cancel()
	clients.Wait()
}

// What functions write is told, and by whom, and what comes is told as it comes.
func TestFunctionLogs(t *testing.T) {
	t.Parallel()
	code := t.TempDir()
	if err := os.WriteFile(filepath.Join(code, "bootstrap"), []byte(bootstrapOf(t, "v1")), 0o755); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"pets": {Runtime: "provided.al2", Code: code, Timeout: 10 * time.Second, Memory: 512}}})
	api := w.api(apiSpec{routes: map[string]target{"ANY /{proxy+}": {function: "pets"}}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	follow := logLines(ctx, t, w, "function=pets&follow=true")
	next := func(lines *bufio.Scanner) (text string) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the log ended: %v", lines.Err())
		}
		var l struct{ Function, RequestID, Text string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.Function != "pets" {
			t.Errorf("%v: %s", err, lines.Bytes())
		}
		return l.Text
	}
	w.ask(api, "GET /ok")
	var all []string
	for range 4 {
		text, _, _ := strings.Cut(next(follow), " RequestId")
		all = append(all, text)
	}
	if got := strings.Join(all, ", "); got != "starting v1, START, END, REPORT" {
		t.Errorf("followed %s", got)
	}
	w.ask(api, "GET /ok")
	if got := next(follow); !strings.HasPrefix(got, "START RequestId: ") {
		t.Errorf("then %s", got)
	}
	last := logLines(ctx, t, w, "last=2")
	if a, b := next(last), next(last); !strings.HasPrefix(a, "END ") || !strings.HasPrefix(b, "REPORT ") || last.Scan() {
		t.Errorf("the last two are %s, %s", a, b)
	}
	for query, want := range map[string]int{"function=nobody": 404, "last=x": 400, "last=-1": 400, "function=pets&last=0": 200} {
		resp, err := http.Get(w.server.AdminURL() + "/_penstock/functions/logs?" + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", query, resp.StatusCode, want)
		}
	}
	// A log that is followed does not keep the server from ending.
	ending, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := w.server.Shutdown(ending); err != nil {
		t.Errorf("the server did not end: %v", err)
	}
}

func logLines(ctx context.Context, t testing.TB, w *world, query string) *bufio.Scanner {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.AdminURL()+"/_penstock/functions/logs?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	return bufio.NewScanner(resp.Body)
}

// Functions are there after a restart, and after a backup was restored elsewhere.
func TestFunctionsLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := penstock.Config{Data: filepath.Join(dir, "a"), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", AccountID: testAccount, Log: penstock.Log{Level: "error"}}
	start := func() *world {
		w := &world{t: t, server: open(t, c), backend: httptest.NewServer(http.NotFoundHandler())}
		t.Cleanup(w.backend.Close)
		w.control = sdk(w.server, anyone)
		return w
	}
	w := start()
	check[*lambda.CreateFunctionOutput](t)(lambdaAPI(w).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("pets"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("handle"), Role: aws.String("arn:aws:iam::" + testAccount + ":role/any"),
		Code: &lambdatypes.FunctionCode{ZipFile: archive(t, map[string]string{"bootstrap": bootstrapOf(t, "kept")})}, Timeout: aws.Int32(5), MemorySize: aws.Int32(512),
	}))
	api := w.api(apiSpec{routes: map[string]target{"ANY /{proxy+}": {function: "pets"}}})
	serves := func(w *world, when string) {
		t.Helper()
		if got := w.ask(api, "GET /version"); got.body != "kept" {
			t.Errorf("%s: status %d %q", when, got.StatusCode, got.body)
		}
	}
	serves(w, "at first")
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	w = start()
	serves(w, "after a restart")
	var backup bytes.Buffer
	if err := w.server.Backup(&backup); err != nil {
		t.Fatal(err)
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	c.Data = filepath.Join(dir, "b")
	if err := os.Mkdir(c.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	read, err := store.ReadBackup(&backup)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Restore(filepath.Join(c.Data, penstock.DataFile), read, false); err != nil {
		t.Fatal(err)
	}
	serves(start(), "in another place")
}

// With credentials, calls of the Lambda API are signed for it, and policies decide.
func TestFunctionCallers(t *testing.T) {
	t.Parallel()
	all := penstock.Credential{AccessKeyID: "ALL", SecretAccessKey: "hush"}
	reader := penstock.Credential{AccessKeyID: "READER", SecretAccessKey: "hush", Policy: `{"Statement":[
		{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*"},
		{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:` + testAccount + `:function:a"}]}`}
	answer := func(context.Context, []byte) ([]byte, error) { return []byte("1"), nil }
	file := filepath.Join(t.TempDir(), "audit.log")
	w := newWorld(t, penstock.Config{AuditLog: file, Credentials: []penstock.Credential{all, reader}, Functions: map[string]penstock.Function{"a": {Invoke: answer}, "b": {Invoke: answer}}})
	as := func(c penstock.Credential) *lambda.Client {
		o := lambdaAPI(w).Options()
		o.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}, nil
		}))
		return lambda.New(o)
	}
	invoke := func(c penstock.Credential, name string) error {
		_, err := as(c).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		return err
	}
	get := func(c penstock.Credential) error {
		_, err := as(c).GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("a")})
		return err
	}
	list := func(c penstock.Credential) error {
		_, err := as(c).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		return err
	}
	wrong := penstock.Credential{AccessKeyID: "ALL", SecretAccessKey: "wrong"}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"all may invoke", invoke(all, "b"), ""}, {"all may list", list(all), ""}, {"a wrong secret", invoke(wrong, "a"), "InvalidSignatureException"},
		{"the reader may invoke a", invoke(reader, "a"), ""}, {"but not b", invoke(reader, "b"), "AccessDeniedException"},
		{"all may invoke an alias", invoke(all, "a:live"), ""}, {"the reader may not", invoke(reader, "a:live"), "AccessDeniedException"},
		{"the reader may get", get(reader), ""}, {"but not list", list(reader), "AccessDeniedException"},
	} {
		if tt.want == "" && tt.err != nil || tt.want != "" && code(t, tt.err) != tt.want {
			t.Errorf("%s: %v", tt.name, tt.err)
		}
	}
	var trail []string
	for _, l := range auditLines(t, file) {
		trail = append(trail, fmt.Sprint(l["operation"], " ", strings.TrimPrefix(fmt.Sprint(l["resource"]), "arn:aws:lambda:us-east-1:"+testAccount+":function:"), " ", l["outcome"]))
	}
	if got, want := strings.Join(trail, ", "), "Invoke b success, ListFunctions <nil> success, Invoke <nil> denied, Invoke a success, Invoke b denied, Invoke a:live success, Invoke a:live denied, GetFunction a success, ListFunctions <nil> denied"; got != want {
		t.Errorf("the audit log has\n%s\nwant\n%s", got, want)
	}
}
