//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A manager uses connections of WebSocket APIs from outside, by a client that has an
// operation for it. Errors of the service are *apiError.
type manager interface {
	manage(ctx context.Context, m management) (answer, error)
}

// A management is a call: do is post, get or delete.
type management struct {
	endpoint string
	as       *credentials
	do, id   string
	text     string
}

// managers are the clients that have these operations. Generic is the class of errors that
// the client has no type for.
var managers = []struct {
	name, generic string
	open          func(t *testing.T, proxy string) manager
}{
	{"cli", "", func(t *testing.T, proxy string) manager {
		return cliManager{&runners{t, make(chan *conversation, 1)}, proxy, t.TempDir()}
	}},
	{"boto3", "ClientError", func(t *testing.T, proxy string) manager {
		return openManager(t, proxy, "/usr/bin/python3", "management.py")
	}},
	{"js", "ApiGatewayManagementApiServiceException", func(t *testing.T, _ string) manager {
		return openManager(t, "", "node", "js/management.mjs")
	}},
	{"go", "GenericAPIError", func(t *testing.T, _ string) manager { return goManager{} }},
}

// A cliManager runs commands of the AWS CLI.
type cliManager struct {
	*runners
	proxy, directory string
}

func (c cliManager) manage(ctx context.Context, m management) (answer, error) {
	args := []string{
		"apigatewaymanagementapi", map[string]string{"post": "post-to-connection", "get": "get-connection", "delete": "delete-connection"}[m.do],
		"--connection-id", m.id, "--endpoint-url", m.endpoint, "--output", "json",
	}
	if m.do == "post" {
		file := filepath.Join(c.directory, "data")
		if err := os.WriteFile(file, []byte(m.text), 0o600); err != nil {
			return answer{}, err
		}
		args = append(args, "--data", "fileb://"+file)
	}
	env := m.as.variables()
	env["HTTP_PROXY"], env["NO_PROXY"] = c.proxy, "127.0.0.1"
	var printed struct {
		Stdout, Stderr string
		Status         int
	}
	if _, err := c.ask(ctx, object{"args": args, "env": env}, &printed); err != nil {
		return answer{}, err
	}
	if e := cliError.FindStringSubmatch(printed.Stderr); e != nil && printed.Status == 254 {
		return answer{}, &apiError{e[1], e[1], e[2]}
	}
	if printed.Status != 0 || printed.Stderr != "" {
		return answer{}, fmt.Errorf("aws ended with status %d: %s", printed.Status, printed.Stderr)
	}
	a := answer{out: object{}}
	if printed.Stdout == "" {
		return a, nil
	}
	return a, json.Unmarshal([]byte(printed.Stdout), &a.out)
}

// A talkingManager is a program in another language.
type talkingManager struct {
	*conversation
	proxy string
}

func openManager(t *testing.T, proxy, name, program string) manager {
	t.Helper()
	c, err := converse(t, nil, name, program)
	if err != nil {
		t.Fatal(err)
	}
	return talkingManager{c, proxy}
}

func (c talkingManager) manage(ctx context.Context, m management) (a answer, err error) {
	proxy := c.proxy
	if strings.HasPrefix(m.endpoint, "http://127.0.0.1:") {
		proxy = ""
	}
	a.status, err = c.ask(ctx, object{
		"endpoint": m.endpoint, "proxy": proxy, "key": m.as.AccessKeyID, "secret": m.as.SecretAccessKey, "token": m.as.SessionToken,
		"do": m.do, "id": m.id, "text": m.text,
	}, &a.out)
	return a, err
}

// A goManager calls the AWS SDK for Go in this process.
type goManager struct{}

func (goManager) manage(ctx context.Context, m management) (answer, error) {
	sdk := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		HTTPClient: loopback, Region: "us-east-1", BaseEndpoint: &m.endpoint, RetryMaxAttempts: 1,
		Credentials: static.NewStaticCredentialsProvider(m.as.AccessKeyID, m.as.SecretAccessKey, m.as.SessionToken),
	})
	var output any
	var metadata smithymiddleware.Metadata
	var err error
	switch m.do {
	case "post":
		var out *apigatewaymanagementapi.PostToConnectionOutput
		if out, err = sdk.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &m.id, Data: []byte(m.text)}); err == nil {
			output, metadata = out, out.ResultMetadata
		}
	case "get":
		var out *apigatewaymanagementapi.GetConnectionOutput
		if out, err = sdk.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &m.id}); err == nil {
			output, metadata = out, out.ResultMetadata
		}
	case "delete":
		var out *apigatewaymanagementapi.DeleteConnectionOutput
		if out, err = sdk.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &m.id}); err == nil {
			output, metadata = out, out.ResultMetadata
		}
	}
	if err != nil {
		return answer{}, goError(err)
	}
	a := answer{out: plain(reflect.ValueOf(output)).(object)}
	if raw, ok := middleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		a.status = raw.StatusCode
	}
	return a, nil
}

// localhostProxy is a proxy that finds every name on this machine, for clients whose
// resolver does not find names under localhost.
func localhostProxy(t *testing.T) string {
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: loopback.Transport})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// TestManagement sends to connections, asks about them and closes them by the clients that
// have operations for it; and sees what they make of the errors.
func TestManagement(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, `  - accessKeyId: AKIDREADER
    secretAccessKey: reads/only
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Action: execute-api:ManageConnections
          Resource: arn:aws:execute-api:us-east-1:000000000000:*/dev/GET/@connections/*
`)
	reader := &credentials{AccessKeyID: "AKIDREADER", SecretAccessKey: "reads/only"}
	forger := &credentials{AccessKeyID: "AKIDREADER", SecretAccessKey: "guessed"}
	api := p.api(openGo(t, p.admin, tester), nil, nil)
	proxy := localhostProxy(t)
	for _, by := range managers {
		t.Run(by.name, func(t *testing.T) {
			m, ws := by.open(t, proxy), openWS(t)
			call := func(endpoint string, as *credentials, do, id, text string) (answer, error) {
				ctx, cancel := context.WithTimeout(t.Context(), stepTime)
				defer cancel()
				return m.manage(ctx, management{endpoint, as, do, id, text})
			}
			for _, form := range []struct{ name, endpoint string }{
				{"host", "http://" + host(api) + ":" + port(p.listen) + "/dev"},
				{"path", p.listen + "/_aws/execute-api/" + api + "/dev"},
			} {
				before := time.Now().Add(-time.Millisecond)
				if got := ws.open(p.socketURL(api, ""), object{"headers": object{"User-Agent": "tester/1"}}); got != (opening{Status: 101}) {
					t.Fatalf("handshake: %+v", got)
				}
				_, id := p.connected(t)
				ok := func(as *credentials, do, data string) object {
					t.Helper()
					got, err := call(form.endpoint, as, do, id, data)
					if err != nil {
						t.Fatalf("%s: %s: %v", form.name, do, err)
					}
					if want := map[string]int{"post": 200, "get": 200, "delete": 204}[do]; got.status != 0 && got.status != want {
						t.Errorf("%s: %s: status %d, want %d", form.name, do, got.status, want)
					}
					return got.out
				}
				fails := func(as *credentials, do, id, data, class, code, message string) {
					t.Helper()
					_, err := call(form.endpoint, as, do, id, data)
					e := (*apiError)(nil)
					if !errors.As(err, &e) {
						t.Fatalf("%s: %s: got %v, want an error of the service", form.name, do, err)
					}
					if class == "" {
						class = by.generic
					}
					if by.name == "cli" {
						class = code
					}
					if e.Class != class || e.Code != code || !regexp.MustCompile(message).MatchString(e.Message) {
						t.Errorf("%s: %s: got %s %s %q, want %s %s %s", form.name, do, e.Class, e.Code, e.Message, class, code, message)
					}
				}
				if got := ok(tester, "post", "é😀 \"quoted\"\n"); len(got) != 0 {
					t.Errorf("%s: post answers %v", form.name, got)
				}
				ws.wants("é😀 \"quoted\"\n")
				known := ok(tester, "get", "")
				if got := text(known["Identity"]); got != `{"SourceIp":"127.0.0.1","UserAgent":"tester/1"}` || len(known) != 3 {
					t.Errorf("%s: get: %s", form.name, text(known))
				}
				connected, err1 := time.Parse(time.RFC3339Nano, fmt.Sprint(known["ConnectedAt"]))
				active, err2 := time.Parse(time.RFC3339Nano, fmt.Sprint(known["LastActiveAt"]))
				if err1 != nil || err2 != nil || connected.Before(before) || active.Before(connected) || active.After(time.Now()) {
					t.Errorf("%s: get: times %s", form.name, text(known))
				}
				if form.name == "path" { // the rest has nothing to do with it
					most := long(131072)
					ok(tester, "post", most)
					ws.wants(most)
					fails(tester, "post", id, most+".", "PayloadTooLargeException", "PayloadTooLargeException", "^Message too long$")
					ok(reader, "get", "")
					fails(reader, "post", id, "x", "", "AccessDeniedException", "^User: arn:aws:iam::000000000000:user/AKIDREADER is not authorized to perform: "+
						"execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:000000000000:"+api+"/dev/POST/@connections/"+id+"$")
					fails(forger, "get", id, "", "", "InvalidSignatureException", "^The request signature we calculated does not match the signature you provided")
					fails(tester, "get", "abc", "", "", "BadRequestException", "^Invalid connectionId: abc$")
				}
				if got := ok(tester, "delete", ""); len(got) != 0 {
					t.Errorf("%s: delete answers %v", form.name, got)
				}
				ws.ends(1000, "")
				for _, do := range []string{"post", "get", "delete"} {
					fails(tester, do, id, "x", "GoneException", "GoneException", "")
				}
				p.ended(t, id, 1000, "")
			}
		})
	}
}
