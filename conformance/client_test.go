//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client is a program that people call the control plane with. Its methods may
// be called from several goroutines.
type client interface {
	// knows returns the operations that the client knows.
	knows(ctx context.Context) (map[string]ability, error)

	// call runs an operation with its input and returns its output, both with
	// the names of the service model. An error of the service is an *apiError.
	call(ctx context.Context, op string, in object) (answer, error)

	// all runs an operation that answers a list as the client pages through it
	// by itself, and returns the output with all items.
	all(ctx context.Context, op string, in object, size int) (object, error)

	// fetch sends a request through the gateway with the HTTP client that
	// belongs to the language.
	fetch(ctx context.Context, r request) (response, error)
}

// An ability is what a client knows of an operation.
type ability struct {
	// Members are the names in its input and output at every depth. A client that
	// is as new as the model does not list them.
	Members []string
	// Pages says that the client can page through its output by itself.
	Pages bool
}

// An answer is the output of an operation and the status it came with, which is 0
// if the client does not show it.
type answer struct {
	out    object
	status int
}

// A mover is a client that can go on at another server, or with other credentials.
// The others are opened again.
type mover interface {
	at(endpoint string, as *credentials) client
}

// object is a JSON object, list a JSON array.
type (
	object = map[string]any
	list   = []any
)

// An apiError is an error of the service as the client shows it.
type apiError struct {
	Class   string // name of the type the client throws; Code if it has no types
	Code    string
	Message string
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

type request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type response struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// values returns the values of a header in order.
func (r response) values(name string) []string {
	var values []string
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			values = append(values, h[1])
		}
	}
	return values
}

// credentials sign calls; nil leaves them unsigned.
type credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// environment is what a client started by the story finds: these credentials and
// nothing of the person who runs it. One attempt per call, so that errors show.
func (c *credentials) environment() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
	}
	for name, value := range c.variables() {
		env = append(env, name+"="+value)
	}
	return env
}

// variables are those of the environment that hold the credentials.
func (c *credentials) variables() map[string]string {
	variables := map[string]string{}
	if c == nil {
		return variables
	}
	variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"] = c.AccessKeyID, c.SecretAccessKey
	if c.SessionToken != "" {
		variables["AWS_SESSION_TOKEN"] = c.SessionToken
	}
	return variables
}

// A subject is a client under test.
type subject struct {
	name string
	open func(t *testing.T, endpoint string, as *credentials) client

	// complete says that the client knows every operation of the model. The
	// others are as old as the distribution they are from.
	complete bool

	// generic is the class of errors that the client has no type for.
	generic string

	// own is a chapter that only this client tells.
	own func(*story)

	// perOperation says that the client has no type for an error that the
	// operation does not list, even if others do.
	perOperation bool
}

var subjects = []subject{
	{name: "cli", open: openCLI, own: shell},
	{name: "boto3", open: openBoto3, generic: "ClientError"},
	{name: "js", open: openJS, generic: "ApiGatewayV2ServiceException", complete: true},
	{name: "go", open: openGo, generic: "GenericAPIError", perOperation: true, complete: true},
}

// typed are the errors of the service model: clients with types have one for
// each. The rest, which every service has, come in the client's generic type.
var typed = []string{
	"AccessDeniedException", "BadRequestException", "ConflictException", "NotFoundException", "TooManyRequestsException",
}

// A cli runs a command of the AWS CLI for each call, and curl for each request.
type cli struct {
	endpoint string
	as       *credentials
	*runners
}

// Runners are processes that run commands, until the end of a test.
type runners struct {
	t    *testing.T
	idle chan *conversation
}

func openCLI(t *testing.T, endpoint string, as *credentials) client {
	return &cli{endpoint, as, &runners{t, make(chan *conversation, 100)}}
}

func (c *cli) at(endpoint string, as *credentials) client {
	return &cli{endpoint, as, c.runners}
}

func (c *cli) knows(ctx context.Context) (known map[string]ability, err error) {
	_, err = c.ask(ctx, object{"describe": true}, &known)
	return known, err
}

func (c *cli) call(ctx context.Context, op string, in object) (answer, error) {
	body := payload(op)
	if body == "" {
		out, err := c.run(ctx, op, in)
		return answer{out: out}, err
	}
	file := filepath.Join(c.t.TempDir(), "body") // where the CLI writes what is no JSON
	out, err := c.run(ctx, op, in, file)
	if err != nil {
		return answer{}, err
	}
	text, err := os.ReadFile(file)
	out[body] = string(text)
	return answer{out: out}, err
}

func (c *cli) all(ctx context.Context, op string, in object, size int) (object, error) {
	return c.run(ctx, op, in, "--page-size", strconv.Itoa(size))
}

var cliError = regexp.MustCompile(`(?s)^\s*An error occurred \((\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: (.*?)\s*$`)

func (c *cli) run(ctx context.Context, op string, in object, extra ...string) (object, error) {
	args := []string{"apigatewayv2", kebab(op), "--endpoint-url", c.endpoint, "--output", "json"}
	if c.as == nil {
		args = append(args, "--no-sign-request")
	}
	for name, value := range in {
		flag := "--" + kebab(name)
		if name == "Version" {
			flag = "--api-version" // --version is the CLI's own
		}
		switch v := value.(type) {
		case string:
			args = append(args, flag, v)
		case bool:
			if !v {
				flag = "--no-" + kebab(name)
			}
			args = append(args, flag)
		default:
			args = append(args, flag, text(v))
		}
	}
	var printed struct {
		Stdout, Stderr string
		Status         int
	}
	if _, err := c.ask(ctx, object{"args": append(args, extra...), "env": c.as.variables()}, &printed); err != nil {
		return nil, err
	}
	if m := cliError.FindStringSubmatch(printed.Stderr); m != nil && printed.Status == 254 {
		return nil, &apiError{m[1], m[1], m[2]}
	}
	if printed.Status != 0 || printed.Stderr != "" {
		return nil, fmt.Errorf("aws ended with status %d: %s", printed.Status, printed.Stderr)
	}
	out := object{}
	if printed.Stdout == "" {
		return out, nil // the CLI prints nothing for an empty output
	}
	return out, json.Unmarshal([]byte(printed.Stdout), &out)
}

// ask asks a process that is not busy.
func (r *runners) ask(ctx context.Context, message object, out any) (status int, err error) {
	var runner *conversation
	select {
	case runner = <-r.idle:
	default:
		if runner, err = converse(r.t, nil, "/usr/bin/python3", "cli.py"); err != nil {
			return 0, err
		}
	}
	if status, err = runner.ask(ctx, message, out); err == nil {
		r.idle <- runner
	}
	return status, err
}

func (c *cli) fetch(ctx context.Context, r request) (response, error) {
	args := []string{"--silent", "--show-error", "--include", "--path-as-is", "--noproxy", "*", "--max-time", "30", "--request", r.Method}
	for name, value := range r.Headers {
		args = append(args, "--header", name+": "+value)
	}
	if r.Body != "" {
		args = append(args, "--data-binary", r.Body)
	}
	text, err := exec.CommandContext(ctx, "curl", append(args, r.URL)...).Output()
	if err != nil {
		return response{}, fmt.Errorf("curl: %w", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), &http.Request{Method: r.Method})
	if err != nil {
		return response{}, fmt.Errorf("curl printed %q: %w", text, err)
	}
	return plainResponse(resp)
}

// plainResponse reads a response to its end.
func plainResponse(resp *http.Response) (response, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return response{}, err
	}
	out := response{Status: resp.StatusCode, Body: string(body)}
	for name, values := range resp.Header {
		for _, v := range values {
			out.Headers = append(out.Headers, [2]string{name, v})
		}
	}
	return out, nil
}

var upper = regexp.MustCompile(`[A-Z]`)

// kebab turns GetApis into get-apis.
func kebab(name string) string {
	return strings.TrimPrefix(strings.ToLower(upper.ReplaceAllString(name, "-$0")), "-")
}

// A conversation is a client in another language that reads a request per line
// and writes an answer per line.
type conversation struct {
	mu  sync.Mutex // guards the two streams: an answer belongs to the request before it
	in  *json.Encoder
	out *json.Decoder
	log *bytes.Buffer // standard error, to be read after the end
	end func()
}

func openBoto3(t *testing.T, endpoint string, as *credentials) client {
	c, err := converse(t, as, "/usr/bin/python3", "client.py", endpoint, signing(as))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openJS(t *testing.T, endpoint string, as *credentials) client {
	c, err := converse(t, as, "node", "js/client.mjs", endpoint, signing(as))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func signing(as *credentials) string {
	if as == nil {
		return "unsigned"
	}
	return "signed"
}

// converse starts a program that is stopped after the test.
func converse(t *testing.T, as *credentials, name string, args ...string) (*conversation, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = as.environment()
	cmd.WaitDelay = time.Second
	c := &conversation{log: new(bytes.Buffer)}
	cmd.Stderr = c.log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.in, c.out = json.NewEncoder(in), json.NewDecoder(out)
	c.end = sync.OnceFunc(func() {
		in.Close()
		timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s %s: %v\n%s", name, args[0], err, c.log)
		}
	})
	t.Cleanup(c.end)
	return c, nil
}

// ask sends one message, decodes the answer's out member and returns its status.
func (c *conversation) ask(ctx context.Context, message object, out any) (status int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.in.Encode(message); err != nil {
		return 0, err
	}
	var answer struct {
		Out    json.RawMessage
		Status int
		Error  *apiError
	}
	stop := context.AfterFunc(ctx, c.end)
	defer stop()
	if err := c.out.Decode(&answer); err != nil {
		c.end()
		return 0, fmt.Errorf("%w\n%s", err, c.log)
	}
	if answer.Error != nil {
		return 0, answer.Error
	}
	return answer.Status, json.Unmarshal(answer.Out, out)
}

func (c *conversation) knows(ctx context.Context) (known map[string]ability, err error) {
	_, err = c.ask(ctx, object{"describe": true}, &known)
	return known, err
}

func (c *conversation) call(ctx context.Context, op string, in object) (a answer, err error) {
	a.status, err = c.ask(ctx, object{"op": op, "in": in}, &a.out)
	return a, err
}

func (c *conversation) all(ctx context.Context, op string, in object, size int) (out object, err error) {
	_, err = c.ask(ctx, object{"op": op, "in": in, "page": size}, &out)
	return out, err
}

func (c *conversation) fetch(ctx context.Context, r request) (out response, err error) {
	_, err = c.ask(ctx, object{"fetch": r}, &out)
	return out, err
}
