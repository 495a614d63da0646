package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"penstock/internal/sigv4"
)

// An answered call is what a recorder answers to one method and target.
type answered struct {
	status int
	code   string // x-amzn-ErrorType
	body   string
}

// A recorder is a control plane that answers what it is told to and keeps what it
// was asked. Unless told otherwise, it has the APIs of threeAs.
type recorder struct {
	*httptest.Server
	answers map[string]answered // by method and target

	mu     sync.Mutex // guards what follows
	calls  []string   // method and target
	bodies []string
	header http.Header // of the last call
	signed error       // whether the signature of the last call is good
}

func record(t *testing.T, answers map[string]answered) *recorder {
	t.Helper()
	verifier := sigv4.NewVerifier(sigv4.Options{Service: "apigateway", Lookup: func(id string) (sigv4.Credential, bool) {
		return sigv4.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", SessionToken: "token"}, id == "AKIDADA"
	}})
	s := &recorder{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		call := r.Method + " " + r.RequestURI
		s.mu.Lock()
		s.calls, s.bodies, s.header = append(s.calls, call), append(s.bodies, string(body)), r.Header
		_, s.signed = verifier.Verify(r, body)
		s.mu.Unlock()
		a, ok := s.answers[call]
		if id, isAPI := strings.CutPrefix(call, "GET /v2/apis/"); !ok && isAPI && apiID.MatchString(id) {
			a, ok = answered{404, "NotFoundException", `{"message":"Unknown"}`}, true
			if strings.Contains(threeAs.body, fmt.Sprintf(`"apiId":%q`, id)) {
				a = answered{200, "", fmt.Sprintf(`{"apiId":%q}`, id)}
			}
		}
		if !ok {
			t.Errorf("unexpected call: %s", call)
		}
		if a.code != "" {
			w.Header().Set("x-amzn-ErrorType", a.code)
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	t.Cleanup(s.Close)
	return s
}

// check compares the calls with what they should have been, and forgets them.
func (s *recorder) check(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.calls, want) {
		t.Errorf("got calls\n%s\nwant\n%s", strings.Join(s.calls, "\n"), strings.Join(want, "\n"))
	}
	s.calls, s.bodies = nil, nil
}

const listAPIs = "GET /v2/apis?maxResults=500"

var (
	signing = []string{"AWS_ACCESS_KEY_ID=AKIDADA", "AWS_SECRET_ACCESS_KEY=hush", "AWS_SESSION_TOKEN=token"}
	threeAs = answered{200, "", `{"items":[
		{"apiId":"a1","name":"pets"}, {"apiId":"a2","name":"twins"}, {"apiId":"a3","name":"twins"}, {"apiId":"a4","name":"a1"}
	]}`}
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(file, []byte("admin: 10.0.0.1:81\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		access  access
		environ []string
		want    string // or an error
	}{
		{"nothing", access{}, nil, "http://127.0.0.1:8081"},
		{"file", access{Config: file}, nil, "http://10.0.0.1:81"},
		{"environment over file", access{Config: file}, []string{"PENSTOCK_ADMIN=127.0.0.2:82"}, "http://127.0.0.2:82"},
		{"flag over both", access{Config: file, Endpoint: "https://h/"}, []string{"PENSTOCK_ADMIN=127.0.0.2:82"}, "https://h"},
		{"every address", access{}, []string{"PENSTOCK_ADMIN=:82"}, "http://127.0.0.1:82"},
		{"every address of IPv4", access{}, []string{"PENSTOCK_ADMIN=0.0.0.0:82"}, "http://127.0.0.1:82"},
		{"every address of IPv6", access{}, []string{"PENSTOCK_ADMIN=[::]:82"}, "http://127.0.0.1:82"},
		{"IPv6", access{}, []string{"PENSTOCK_ADMIN=[::1]:82"}, "http://[::1]:82"},
		{"URL in the environment", access{}, []string{"PENSTOCK_ADMIN=https://h:82"}, "https://h:82"},
		{"no scheme", access{Endpoint: "localhost:82"}, nil, "http://localhost:82"},
		{"path", access{Endpoint: "https://h/penstock/"}, nil, "https://h/penstock"},
		{"any port", access{}, []string{"PENSTOCK_ADMIN=127.0.0.1:0"}, "name it with --endpoint"},
		{"any port, but a flag", access{Endpoint: "h:1"}, []string{"PENSTOCK_ADMIN=127.0.0.1:0"}, "http://h:1"},
		{"query", access{Endpoint: "http://h/?a"}, nil, "is not the URL"},
		{"password", access{Endpoint: "http://a:b@h"}, nil, "is not the URL"},
		{"no host", access{Endpoint: "http://:81"}, nil, "is not the URL"},
		{"other scheme", access{Endpoint: "file:///etc"}, nil, "is not the URL"},
	} {
		c, err := tt.access.client(&program{environ: tt.environ})
		if err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && c.endpoint != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.name, c, err, tt.want)
		}
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	if got, want := resource("apis", "a/b?c", "stages", "$default", "50%"), "/v2/apis/a%2Fb%3Fc/stages/$default/50%25"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An API is found by its ID, or by a name that only one has.
func TestNamedAPI(t *testing.T) {
	t.Parallel()
	const export = "/exports/OAS30?includeExtensions=true&outputType=YAML"
	s := record(t, map[string]answered{
		listAPIs:                   threeAs,
		"GET /v2/apis/a1" + export: {200, "", "openapi: one\n"},
		"GET /v2/apis/a2" + export: {200, "", "openapi: two\n"},
	})
	for _, tt := range []struct {
		api  string
		want string // output or an error
	}{
		{"a1", "openapi: one\n"}, // though another has that name
		{"pets", "openapi: one\n"},
		{"a2", "openapi: two\n"},
		{"twins", "penstock: 2 APIs have the name \"twins\": give one of their IDs: a2, a3\n"},
		{"pet", "penstock: no API has the ID or the name \"pet\": penstock apis lists them\n"},
		{"\x1b[2J", "penstock: no API has the ID or the name \"\\x1b[2J\": penstock apis lists them\n"},
		{"", "penstock: no API has the ID or the name \"\": penstock apis lists them\n"},
	} {
		status, out, log := result("export", tt.api, "--endpoint", s.URL)
		if out+log != tt.want || (status == 0) != (log == "") {
			t.Errorf("%q: exit status %d, %q, %q, want %q", tt.api, status, out, log, tt.want)
		}
	}
}

// Who may not list APIs can still name one by its ID.
func TestUnlistedAPI(t *testing.T) {
	t.Parallel()
	denied := answered{403, "AccessDeniedException", `{"message":"not you"}`}
	s := record(t, map[string]answered{
		listAPIs: denied, "GET /v2/apis/pets": denied, "GET /v2/apis/late": {500, "InternalServerErrorException", `{}`},
		"GET /v2/apis/a1/exports/OAS30?includeExtensions=true&outputType=YAML": {200, "", "openapi: one\n"},
	})
	for _, tt := range []struct{ api, out, log string }{
		{"a1", "openapi: one\n", ""},
		{"pets", "", "penstock: AccessDeniedException: not you\n"},
		{"late", "", "penstock: InternalServerErrorException: 500 Internal Server Error\n"},
	} {
		if _, out, log := result("export", tt.api, "--endpoint", s.URL); out != tt.out || log != tt.log {
			t.Errorf("%s: got %q, %q, want %q, %q", tt.api, out, log, tt.out, tt.log)
		}
	}
}

// A call goes to the endpoint and to no other.
func TestRedirect(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s", r.Method, r.URL) }))
	defer other.Close()
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	if status, out, log := resultIn(signing, "apis", "--endpoint", s.URL); status != 1 || out != "" || !strings.Contains(log, " answers 307 Temporary Redirect: ") {
		t.Errorf("exit status %d, %q, %q", status, out, log)
	}
}

// Whatever a server answers, the command says what it was.
func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer answered
		want   string // after "penstock: ", %s is the endpoint
	}{
		{"code and message", answered{400, "BadRequestException", `{"message":"Wrong:\n\tone\n\ttwo"}`}, "BadRequestException: Wrong:\n\tone\n\ttwo\n"},
		{"code with more", answered{404, "NotFoundException:http://internal/", `{"message":"Gone"}`}, "NotFoundException: Gone\n"},
		{"code in the body", answered{429, "", `{"__type":"com.amazon#TooManyRequestsException","message":"Slower"}`}, "TooManyRequestsException: Slower\n"},
		{"no message", answered{501, "NotImplementedException", `{}`}, "NotImplementedException: 501 Not Implemented\n"},
		{"message that is no text", answered{400, "BadRequestException", `{"message":{}}`}, "BadRequestException: 400 Bad Request\n"},
		{"control characters", answered{400, "Bad", "{\"message\":\"\\u001b[2J\\r\u009b\"}"}, `Bad: \x1b[2J\r\u009b` + "\n"},
		{"not signed", answered{403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
			"MissingAuthenticationTokenException: Missing Authentication Token\nThe server wants signed calls: give a credential with --config, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n"},
		{"no control plane", answered{404, "", `{"message":"Not Found"}`}, "%s answers 404 Not Found: {\"message\":\"Not Found\"}\nThis is not the control plane: name that with --endpoint\n"},
		{"a page", answered{502, "", "<html>\x1b[2J"}, "%s answers 502 Bad Gateway: <html>\\x1b[2J\nThis is not the control plane: name that with --endpoint\n"},
		{"elsewhere", answered{302, "", ""}, "%s answers 302 Found: \nThis is not the control plane: name that with --endpoint\n"},
		{"not JSON", answered{200, "", "ok"}, "%s answers what cannot be read: invalid character 'o' looking for beginning of value: --endpoint must name a control plane\n"},
		{"not a list", answered{200, "", "{}"}, "%s answers without a list of items: --endpoint must name a control plane\n"},
		{"item that is none", answered{200, "", `{"items":[7]}`}, "read an API: 7 where an object should be\n"},
		{"too long", answered{200, "", strings.Repeat(" ", maxAnswer+1)}, "%s answers with more than 64 MiB\n"},
		{"without end", answered{200, "", `{"items":[],"nextToken":"t"}`}, "%s gives the same page of /v2/apis again: the list would never end\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := record(t, map[string]answered{listAPIs: tt.answer, "GET /v2/apis?maxResults=500&nextToken=t": tt.answer})
			want := "penstock: " + strings.ReplaceAll(tt.want, "%s", s.URL)
			if status, out, log := result("apis", "--endpoint", s.URL); status != 1 || out != "" || log != want {
				t.Errorf("exit status %d, %q, got\n%q, want\n%q", status, out, log, want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{
		listAPIs:                                  {200, "", `{"items":[{"apiId":"a1"},{"apiId":"a2"}],"nextToken":"p a+/&="}`},
		listAPIs + "&nextToken=p+a%2B%2F%26%3D":   {200, "", `{"items":[],"nextToken":"last"}`},
		listAPIs + "&nextToken=p%20a%2B%2F%26%3D": {200, "", `{"items":[],"nextToken":"last"}`},
		listAPIs + "&nextToken=last":              {200, "", `{"items":[{"apiId":"a3"}]}`},
	})
	const want = "[\n  {\n    \"apiId\": \"a1\"\n  },\n  {\n    \"apiId\": \"a2\"\n  },\n  {\n    \"apiId\": \"a3\"\n  }\n]\n"
	if status, out, log := result("apis", "--json", "--endpoint", s.URL); status != 0 || out != want || log != "" {
		t.Errorf("exit status %d, got %s%s, want %s", status, out, log, want)
	}
	s.check(t, listAPIs, listAPIs+"&nextToken=p+a%2B%2F%26%3D", listAPIs+"&nextToken=last")
	if s.header.Get("Authorization") != "" {
		t.Error("signed without a credential")
	}
	if status, out, log := resultIn(signing, "apis", "--json", "--endpoint", s.URL); status != 0 || out != want || log != "" {
		t.Errorf("signed: exit status %d, got %s%s, want %s", status, out, log, want)
	}
	if s.signed != nil {
		t.Errorf("signature: %v", s.signed)
	}
}

// The credential of the configuration comes before that of the environment.
func TestSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, file := filepath.Join(dir, "penstock.yaml"), filepath.Join(dir, "openapi.yaml")
	for name, text := range map[string]string{
		config: "credentials: [{accessKeyId: AKIDADA, secretAccessKey: hush}]\n",
		file:   "openapi: 3.0.1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := serve(t, "--memory", "--config", config)
	for _, args := range [][]string{{"apis"}, {"integrations", "x"}, {"export", "x"}, {"import", file}} {
		args = append(args, "--endpoint", c.admin)
		if status, _, log := result(args...); status != 1 || !strings.Contains(log, "The server wants signed calls") {
			t.Errorf("%q unsigned: exit status %d, %s", args, status, log)
		}
		if status, _, log := resultIn([]string{"AWS_ACCESS_KEY_ID=AKIDADA", "AWS_SECRET_ACCESS_KEY=other"}, args...); status != 1 || !strings.Contains(log, "Signature") {
			t.Errorf("%q signed wrongly: exit status %d, %s", args, status, log)
		}
	}
	for _, environ := range [][]string{
		{"AWS_ACCESS_KEY_ID=AKIDADA", "AWS_SECRET_ACCESS_KEY=hush"},
		{"PENSTOCK_CONFIG=" + config, "AWS_ACCESS_KEY_ID=AKIDADA", "AWS_SECRET_ACCESS_KEY=other"},
	} {
		if status, out, log := resultIn(environ, "apis", "--json", "--endpoint", c.admin); status != 0 || out != "[]\n" {
			t.Errorf("%q: exit status %d, %s%s", environ, status, out, log)
		}
	}
}

// command returns a penstock in a process of its own, not started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: self, Args: append([]string{"penstock"}, args...), Env: environment()}
}

// silent serves a control plane that does not answer before the test ends, and
// says when it has been asked.
func silent(t *testing.T) (url string, asked chan bool) {
	t.Helper()
	asked, finish := make(chan bool, 10), make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked <- true
		<-finish
	}))
	t.Cleanup(func() {
		close(finish)
		s.Close()
	})
	return s.URL, asked
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	url, asked := silent(t)
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte("openapi: 3.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"apis"}, "penstock: interrupted\n"},
		{[]string{"import", file}, "penstock: interrupted; what was asked for may have been done\n"},
	} {
		c := start(t, append(tt.args, "--endpoint", url)...)
		<-asked
		c.signal(t, syscall.SIGINT)
		if status, out := c.end(t, 20*time.Second); status != 1 || out != "" || c.log.String() != tt.want {
			t.Errorf("%q: exit status %d, %q, %q", tt.args, status, out, c.log.String())
		}
	}
}

// Until a document has been read from a terminal, Ctrl-C ends the process as it
// ends any other.
func TestInterruptedInput(t *testing.T) {
	t.Parallel()
	c := command(t, "import", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() {
		t.Error("the process did not end")
		c.Process.Kill()
	})
	defer timer.Stop()
	// More than a pipe holds: some of it has been read.
	if _, err := io.WriteString(in, strings.Repeat(" ", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Error("exit status 0")
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	url, _ := silent(t)
	c, err := access{Endpoint: url}.client(&program{})
	if err != nil {
		t.Fatal(err)
	}
	c.http.Timeout = 50 * time.Millisecond
	if _, err := c.list(t.Context(), "/v2/apis"); err == nil || err.Error() != url+" does not answer within 50ms" {
		t.Errorf("reading: got %v", err)
	}
	if _, err := c.call(t.Context(), "PUT", "/v2/apis", nil, "x"); err == nil || err.Error() != url+" does not answer within 50ms; what was asked for may have been done" {
		t.Errorf("writing: got %v", err)
	}
}

// A connection that ends early is no answer.
func TestShortAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"items":[]}`)
	}))
	defer s.Close()
	if status, out, log := result("apis", "--endpoint", s.URL); status != 1 || out != "" || log != "penstock: call "+s.URL+": unexpected EOF\n" {
		t.Errorf("exit status %d, %q, %q", status, out, log)
	}
}

// Closed standard output ends the process, and nothing more.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{
		listAPIs: threeAs,
		"GET /v2/apis/a1/integrations?maxResults=500":                          {200, "", `{"items":[{"integrationId":"i"}]}`},
		"GET /v2/apis/a1/routes?maxResults=500":                                {200, "", `{"items":[]}`},
		"GET /v2/apis/a1/exports/OAS30?includeExtensions=true&outputType=YAML": {200, "", strings.Repeat("x", 1<<20)},
	})
	for _, args := range [][]string{{"apis"}, {"apis", "--json"}, {"integrations", "a1"}, {"integrations", "a1", "--json"}, {"export", "a1"}} {
		args = append(args, "--endpoint", s.URL)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		c := command(t, args...)
		var log bytes.Buffer
		c.Stdout, c.Stderr = w, &log
		err = c.Run()
		w.Close()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != -1 || log.Len() > 0 {
			t.Errorf("%q: %v, %s", args, err, log.String())
		}
		var stderr bytes.Buffer
		if status := run(args, &program{nil, full{}, &stderr}); status != 1 || stderr.String() != "penstock: no space left on device\n" {
			t.Errorf("%q: exit status %d, %s", args, status, stderr.String())
		}
	}
}

// A full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("%w", syscall.ENOSPC) }
