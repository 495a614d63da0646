package main

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startDemo starts the demo and returns what it prints. It lives for a minute.
func startDemo(t *testing.T) (c *child, text string) {
	t.Helper()
	c = start(t, "demo")
	timer := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	var printed strings.Builder
	for !strings.Contains(printed.String(), "Ctrl-C ends it.") {
		line, err := c.out.ReadString('\n')
		printed.WriteString(line)
		if err != nil {
			t.Fatalf("%v after:\n%s", err, printed.String())
		}
	}
	return c, printed.String()
}

// TestDemo reads what the demo prints and does what it says.
func TestDemo(t *testing.T) {
	t.Parallel()
	c, text := startDemo(t)
	for _, want := range []string{
		`"IntegrationType": "HTTP_PROXY"`, `"IntegrationMethod": "ANY"`, `"PayloadFormatVersion": "1.0"`, `"TimeoutInMillis": 30000`, `"ConnectionType": "INTERNET"`,
		"GET /pets: ", "GET /pets/{id}: ", "ANY /files/{proxy+}: ", "GET /hello/{name}: ", `"IntegrationType": "AWS_PROXY"`, `"PayloadFormatVersion": "2.0"`,
		`"path": "/pets"`, `"path": "/animals/7"`, `"path": "/storage/photos/ada.jpg"`, `"query": "limit=2"`, `"body": "a picture"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %s in:\n%s", want, text)
		}
	}
	calls := []string{`"path":"/pets"`, `"path":"/animals/7"`, `"body":"a picture"`, `"message":"Hello Ada, from go`}
	if _, err := exec.LookPath("node"); err == nil {
		calls = append(calls, `"message":"Hello Ada, from Node.js v`)
	}
	if n := strings.Count(text, "< HTTP/1.1 200 OK"); n != len(calls) {
		t.Errorf("%d answers, want %d", n, len(calls))
	}
	calls = append(calls, `"path":"/pets"`)

	lines := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(text, -1)
	if len(lines) != len(calls) {
		t.Fatalf("%d lines for curl, want %d:\n%s", len(lines), len(calls), text)
	}
	for i, want := range calls {
		if out := paste(t, lines[i][1]); !strings.Contains(out, want) {
			t.Errorf("%s\ngot %s, want %s in it", lines[i][1], out, want)
		}
	}
	for _, operation := range []string{"get-integrations", "get-routes", "create-api"} {
		if !regexp.MustCompile(`(?m)^  AWS_ACCESS_KEY_ID=\S+ AWS_SECRET_ACCESS_KEY=\S+ aws --region \S+ --endpoint-url http://127.0.0.1:\d+ apigatewayv2 ` + operation + ` `).MatchString(text) {
			t.Errorf("no line for aws %s", operation)
		}
	}
	for line, want := range map[string]string{`invoke greeter --payload '([^']*)' --endpoint (\S+)`: `{"message":"Hello Ada, from go`, `logs --endpoint (\S+)`: " greeter END RequestId: "} {
		m := regexp.MustCompile(`(?m)^  go run ./cmd/penstock ` + line + `$`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("no line %s", line)
			continue
		}
		args := []string{"logs", "--endpoint", m[1]}
		if len(m) > 2 {
			args = []string{"invoke", "greeter", "--payload", m[1], "--endpoint", m[2]}
		}
		if status, out, log := result(args...); status != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit status %d, %q, %q", args, status, out, log)
		}
	}
	c.signal(t, syscall.SIGINT)
	if status, out := c.end(t, 20*time.Second); status != 0 || out != "" {
		t.Errorf("exit status %d, %q", status, out)
	}
}

var curlLine = regexp.MustCompile(`^curl (?:-d '([^']*)' )?'([^']*)'$`)

// paste runs a line in a shell if there are curl and bash, and otherwise makes the
// request that it means. Either way names under localhost are found even where the
// system does not find them.
func paste(t *testing.T, line string) string {
	t.Helper()
	m := curlLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("cannot read %s", line)
	}
	_, noCurl := exec.LookPath("curl")
	bash, noBash := exec.LookPath("bash")
	if noCurl == nil && noBash == nil {
		out, err := exec.CommandContext(t.Context(), bash, "-c", line+" --silent --show-error --connect-to ::127.0.0.1:").CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
		return string(out)
	}
	method := http.MethodGet
	if m[1] != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, m[2], strings.NewReader(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}
