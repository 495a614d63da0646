package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"penstock"
)

type demoCommand struct{}

func (demoCommand) Help() string {
	return `Everything is in memory and on loopback addresses, on ports 8080 and 8081 if they are free. A backend that answers with what it received, Lambda functions, and a chat for terminals and browsers are part of it. Ctrl-C ends it.

Example:

    penstock demo`
}

// A demo is a server, a backend and an API between them, and a WebSocket API.
type demo struct {
	out     io.Writer
	server  *penstock.Server
	backend string // URL
	client  *apigatewayv2.Client
	lambda  *lambda.Client
	api     *apigatewayv2.CreateApiOutput
	routes  []demoRoute
	arns    map[string]string // of functions, by name
	chat    *apigatewayv2.CreateApiOutput
}

// A demoRoute is a route of the demo. It leads to a path of the backend, or to a
// function.
type demoRoute struct {
	key, target, why string
	method, call     string
	body             string
	function         string
	page             bool // for browsers, which call it themselves
}

const (
	demoStage = "live"
	// demoKey is the access key and its secret that everything here signs with. Nobody
	// checks it.
	demoKey = "demo"
)

// The routes of the demo: an exact one, one with a path variable, one that takes the
// rest of the path, and those that lead to Lambda functions.
var demoRoutes = []demoRoute{
	{key: "GET /pets", target: "/pets", why: "this path and no other", method: "GET", call: "/pets?limit=2"},
	{key: "GET /pets/{id}", target: "/animals/{id}", why: "one segment, which goes into the path of the backend", method: "GET", call: "/pets/7"},
	{key: "ANY /files/{proxy+}", target: "/storage/{proxy}", why: "any method, and all that follows", method: "POST", call: "/files/photos/ada.jpg", body: "a picture"},
	{key: "GET /hello/{name}", function: "greeter", why: "a Lambda function in Go, a process beside the server", method: "GET", call: "/hello/Ada"},
	{key: "GET /bonjour/{name}", function: "greeter-js", why: "a Lambda function for Node.js", method: "GET", call: "/bonjour/Ada"},
	{key: "GET " + chatPath, target: chatPath, page: true},
}

func (demoCommand) Run(p *program) error {
	ctx := untilSignal()
	s, err := openDemo()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	signer := credentials.NewStaticCredentialsProvider(demoKey, demoKey, "")
	d := &demo{
		out: p.stdout, server: s,
		client: apigatewayv2.New(apigatewayv2.Options{BaseEndpoint: aws.String(s.AdminURL()), Region: "us-east-1", Credentials: signer}),
		lambda: lambda.New(lambda.Options{BaseEndpoint: aws.String(s.AdminURL()), Region: "us-east-1", Credentials: signer}),
	}
	if err := d.run(ctx); err != nil {
		return errors.Join(fmt.Errorf("demo: %w", err), s.Close())
	}
	return drain(s, 5*time.Second)
}

// run makes everything, shows it, and waits until ctx ends.
func (d *demo) run(ctx context.Context) error {
	if err := d.createFunctions(ctx); err != nil {
		return err
	}
	if err := d.createChat(ctx); err != nil {
		return err
	}
	page, err := d.chatPage()
	if err != nil {
		return err
	}
	backend, err := startBackend(page)
	if err != nil {
		return err
	}
	defer backend.Close()
	d.backend = "http://" + backend.Addr
	if err := d.show(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// openDemo opens a server on the usual ports, or on others if those are in use.
func openDemo() (*penstock.Server, error) {
	c := penstock.Config{
		Memory: true, AuditLog: "none", Log: penstock.Log{Level: "warn"},
		FunctionHost: penstock.FunctionHost{AccessKeyID: demoKey, SecretAccessKey: demoKey}, // any will do
		WebSockets:   penstock.WebSockets{Ordered: true},                                    // people speak in order
	}
	s, err := penstock.Open(c)
	if err != nil {
		c.Listen, c.Admin = "127.0.0.1:0", "127.0.0.1:0"
		s, err = penstock.Open(c)
	}
	return s, err
}

// startBackend serves a backend that answers with what it received, and has a page.
func startBackend(page http.Handler) (*http.Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	backend := http.NewServeMux()
	backend.Handle("GET "+chatPath, page)
	backend.HandleFunc("/", tellReceived)
	s := &http.Server{Addr: l.Addr().String(), ReadHeaderTimeout: 10 * time.Second, Handler: backend}
	go s.Serve(l)
	return s, nil
}

// tellReceived answers with what it received.
func tellReceived(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(struct {
		Method    string `json:"method"`
		Path      string `json:"path"`
		Query     string `json:"query,omitempty"`
		Forwarded string `json:"forwarded"`
		Body      string `json:"body,omitempty"`
	}{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Forwarded"), string(body)})
}

// show makes the API, calls it, and prints what to try.
func (d *demo) show(ctx context.Context) error {
	d.print("Penstock demo. Everything is in memory.\n\n")
	d.print("  APIs           %s\n  control plane  %s\n  backend        %s   answers with what it received\n\n", d.server.URL(), d.server.AdminURL(), d.backend)
	if err := d.create(ctx); err != nil {
		return err
	}
	if err := d.showIntegrations(ctx); err != nil {
		return err
	}
	for _, r := range d.routes {
		if r.page {
			continue
		}
		d.print("\n%s: %s\n", r.key, r.why)
		if err := d.call(ctx, r.method, r.call, r.body); err != nil {
			return err
		}
	}
	if err := d.showChat(ctx); err != nil {
		return err
	}
	d.print("\nTry it:\n\n")
	for _, r := range d.routes {
		if r.page {
			continue
		}
		flags := ""
		if r.body != "" {
			flags = fmt.Sprintf("-d '%s' ", r.body)
		}
		d.print("  curl %s'%s/%s%s'\n", flags, aws.ToString(d.api.ApiEndpoint), demoStage, r.call)
	}
	d.print("\nWhere names under localhost are not found, the same API has an address without one:\n\n")
	d.print("  curl '%s/_aws/execute-api/%s/%s/pets'\n\n", d.server.URL(), aws.ToString(d.api.ApiId), demoStage)
	d.printChat()
	d.print("Change it with the AWS CLI; a change is served when the answer arrives:\n\n")
	command := demoCLI(d.server.AdminURL(), "apigatewayv2")
	id := aws.ToString(d.api.ApiId)
	d.print("  %s get-integrations --api-id %s\n", command, id)
	d.print("  %s get-routes --api-id %s\n", command, id)
	d.print("  %s create-api --name mine --protocol-type HTTP --target %s\n\n", command, d.backend)
	d.print("Call a function, or see what functions have logged:\n\n")
	d.print("  go run ./cmd/penstock invoke greeter --payload '{\"pathParameters\":{\"name\":\"Ada\"}}' --endpoint %s\n", d.server.AdminURL())
	d.print("  go run ./cmd/penstock logs --endpoint %s\n\n", d.server.AdminURL())
	d.print("See why each request got its answer:\n\n")
	d.print("  go run ./cmd/penstock explain --last 5 --endpoint %s\n\n", d.server.AdminURL())
	d.print("Ctrl-C ends it.\n")
	return nil
}

// create makes the API with the official SDK, through the control plane.
func (d *demo) create(ctx context.Context) (err error) {
	if d.api, err = d.client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("demo"), ProtocolType: types.ProtocolTypeHttp}); err != nil {
		return err
	}
	id := d.api.ApiId
	if _, err := d.client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: id, StageName: aws.String(demoStage), AutoDeploy: aws.Bool(true),
	}); err != nil {
		return err
	}
	for _, r := range demoRoutes {
		in := &apigatewayv2.CreateIntegrationInput{
			ApiId:                id,
			IntegrationType:      types.IntegrationTypeHttpProxy,
			IntegrationMethod:    aws.String("ANY"),
			IntegrationUri:       aws.String(d.backend + r.target),
			PayloadFormatVersion: aws.String("1.0"),
		}
		if r.function != "" {
			arn, ok := d.arns[r.function]
			if !ok {
				continue // nothing here runs it
			}
			in = &apigatewayv2.CreateIntegrationInput{
				ApiId: id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &arn, PayloadFormatVersion: aws.String("2.0"),
			}
		}
		d.routes = append(d.routes, r)
		integration, err := d.client.CreateIntegration(ctx, in)
		if err != nil {
			return err
		}
		if _, err := d.client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: id, RouteKey: aws.String(r.key), Target: aws.String("integrations/" + aws.ToString(integration.IntegrationId)),
		}); err != nil {
			return err
		}
	}
	d.print("API %s with %d routes and %d Lambda functions were made through the control plane, with the AWS SDK.\n\n", aws.ToString(id), len(d.routes), len(d.arns))
	return nil
}

// demoCLI is the beginning of a line for the AWS CLI.
func demoCLI(endpoint, service string) string {
	return fmt.Sprintf("AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s aws --region us-east-1 --endpoint-url %s %s", demoKey, demoKey, endpoint, service)
}

// showIntegrations prints what GetIntegrations answers, as the AWS CLI would.
func (d *demo) showIntegrations(ctx context.Context) error {
	out, err := d.client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: d.api.ApiId})
	if err != nil {
		return err
	}
	text, err := json.Marshal(out.Items)
	if err != nil {
		return err
	}
	var items []map[string]any
	if err := json.Unmarshal(text, &items); err != nil {
		return err
	}
	for _, item := range items {
		for name, value := range item {
			if value == nil || value == "" { // was not in the answer
				delete(item, name)
			}
		}
	}
	if text, err = json.MarshalIndent(items, "", "  "); err != nil {
		return err
	}
	d.print("GetIntegrations answers:\n\n%s\n", text)
	return nil
}

// call calls the API and prints request and response.
func (d *demo) call(ctx context.Context, method, target, body string) error {
	url := aws.ToString(d.api.ApiEndpoint) + "/" + demoStage + target
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := d.server.Client().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	d.print("  > %s %s\n", method, url)
	if body != "" {
		d.print("  > %s\n", body)
	}
	d.print("  < %s %s\n", resp.Proto, resp.Status)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer, "  < ", "  "); err != nil {
		return fmt.Errorf("%s answers %s: %q", url, resp.Status, answer)
	}
	d.print("  < %s\n", strings.TrimSpace(pretty.String()))
	return nil
}

func (d *demo) print(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }
