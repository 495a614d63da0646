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
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client is a program that people call the control plane with. Its methods may
// be called from several goroutines.
type client interface {
	// call runs an operation with its input and returns its output, both with
	// the names of the service model. An error of the service is an *apiError.
	call(ctx context.Context, op string, in object) (object, error)

	// fetch sends a request through the gateway with the HTTP client that
	// belongs to the language.
	fetch(ctx context.Context, r request) (response, error)
}

// A pager is a client that can page through a list by itself.
type pager interface {
	all(ctx context.Context, op string, in object, size int) (object, error)
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
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "LC_ALL=C.UTF-8",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
	}
	if c == nil {
		return env
	}
	env = append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey)
	if c.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+c.SessionToken)
	}
	return env
}

// A subject is a client under test.
type subject struct {
	name string
	open func(t *testing.T, endpoint string, as *credentials) client

	// unknown are members this client is too old to know: it neither sends nor
	// shows them.
	unknown []string

	// generic is the class of errors that the client has no type for.
	generic string

	// own is a chapter that only this client tells.
	own func(*story)

	// perOperation says that the client has no type for an error that the
	// operation does not list, even if others do.
	perOperation bool
}

var subjects = []subject{
	{name: "cli", open: openCLI, unknown: []string{"IpAddressType"}, own: shell},
	{name: "boto3", open: openBoto3, unknown: []string{"IpAddressType"}, generic: "ClientError"},
	{name: "js", open: openJS, generic: "ApiGatewayV2ServiceException"},
	{name: "go", open: openGo, generic: "GenericAPIError", perOperation: true},
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
	idle     chan *conversation // with processes that run commands
	start    func() (*conversation, error)
}

func openCLI(t *testing.T, endpoint string, as *credentials) client {
	return &cli{endpoint, as, make(chan *conversation, 100), func() (*conversation, error) {
		return converse(t, as, "/usr/bin/python3", "cli.py")
	}}
}

func (c *cli) call(ctx context.Context, op string, in object) (object, error) {
	return c.run(ctx, op, in)
}

func (c *cli) all(ctx context.Context, op string, in object, size int) (object, error) {
	return c.run(ctx, op, in, "--page-size", strconv.Itoa(size))
}

var cliError = regexp.MustCompile(`^\s*An error occurred \((\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: (.*)\s*$`)

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
	runner, err := c.runner()
	if err != nil {
		return nil, err
	}
	var printed struct {
		Stdout, Stderr string
		Status         int
	}
	if err := runner.ask(ctx, object{"args": append(args, extra...)}, &printed); err != nil {
		return nil, err
	}
	c.idle <- runner
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

// runner returns a process that runs commands and is not busy.
func (c *cli) runner() (*conversation, error) {
	select {
	case idle := <-c.idle:
		return idle, nil
	default:
		return c.start()
	}
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
	return boto3{c}
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

// ask sends one message and decodes the answer's out member.
func (c *conversation) ask(ctx context.Context, message object, out any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.in.Encode(message); err != nil {
		return err
	}
	var answer struct {
		Out   json.RawMessage
		Error *apiError
	}
	stop := context.AfterFunc(ctx, c.end)
	defer stop()
	if err := c.out.Decode(&answer); err != nil {
		c.end()
		return fmt.Errorf("%w\n%s", err, c.log)
	}
	if answer.Error != nil {
		return answer.Error
	}
	return json.Unmarshal(answer.Out, out)
}

func (c *conversation) call(ctx context.Context, op string, in object) (object, error) {
	var out object
	err := c.ask(ctx, object{"op": op, "in": in}, &out)
	return out, err
}

func (c *conversation) fetch(ctx context.Context, r request) (response, error) {
	var out response
	err := c.ask(ctx, object{"fetch": r}, &out)
	return out, err
}

// boto3 is a conversation with the paginators of boto3.
type boto3 struct{ *conversation }

func (c boto3) all(ctx context.Context, op string, in object, size int) (object, error) {
	var out object
	err := c.ask(ctx, object{"op": op, "in": in, "page": size}, &out)
	return out, err
}

// without returns a copy of a value that lacks some members at every depth.
func without(value any, members []string) any {
	switch v := value.(type) {
	case object:
		copied := object{}
		for name, member := range v {
			if !slices.Contains(members, name) {
				copied[name] = without(member, members)
			}
		}
		return copied
	case list:
		copied := make(list, len(v))
		for i, item := range v {
			copied[i] = without(item, members)
		}
		return copied
	}
	return value
}
