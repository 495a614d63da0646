package compile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/store"
)

// A caller notes how a function was called. It answers with the version of the event.
type caller struct {
	calls  []integration.Invocation
	within []time.Duration
}

func (c *caller) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	deadline, _ := ctx.Deadline()
	c.within = append(c.within, time.Until(deadline))
	call.Payload = append([]byte(nil), call.Payload...)
	c.calls = append(c.calls, call)
	var e struct{ Version string }
	err := json.Unmarshal(call.Payload, &e)
	return integration.InvocationResult{Payload: fmt.Appendf(nil, `{"statusCode":200,"body":%q}`, e.Version)}, err
}

// TestFunction: a route leads to a function, as its integration says.
func TestFunction(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for _, tt := range []struct {
		name    string
		i       model.Integration
		version string
		want    integration.Invocation
		within  time.Duration
	}{
		{"ARN", model.Integration{IntegrationURI: new(arn)}, "1.0", integration.Invocation{Function: arn}, 30 * time.Second},
		{"invocation URI", model.Integration{IntegrationURI: new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + ":live/invocations"), PayloadFormatVersion: new("2.0"), TimeoutInMillis: new(2000)},
			"2.0", integration.Invocation{Function: arn + ":live"}, 2 * time.Second},
		{"stage variables", model.Integration{IntegrationURI: new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.fn}:${stageVariables.alias}/invocations"),
			CredentialsARN: new("arn:aws:iam::123456789012:role/${stageVariables.fn}")}, "1.0", integration.Invocation{Function: "arn:aws:lambda:us-east-1:123456789012:function:g:blue", CredentialsARN: "arn:aws:iam::123456789012:role/g"}, 30 * time.Second},
	} {
		d := newDocument("pets")
		tt.i.IntegrationType = new("AWS_PROXY")
		tt.i.RequestParameters = map[string]string{"overwrite:header.x-id": "$request.path.id"}
		tt.i.ResponseParameters = map[string]map[string]string{"200": {"overwrite:statuscode": "201"}}
		d.route("GET /pets/{id}", tt.i)
		d.stage("live", "d1", map[string]string{"fn": "g", "alias": "blue"})
		c := &caller{}
		o := options(t)
		o.Invoker, o.Region, o.Account = c, "eu-west-1", "123456789012"
		status, body := serveOne(t, o, d, "/live/pets/7")
		if status != 201 || body != tt.version {
			t.Fatalf("%s: %d %s", tt.name, status, body)
		}
		got := c.calls[0]
		if !strings.Contains(string(got.Payload), `"x-id":"7"`) {
			t.Errorf("%s: the request is not mapped: %s", tt.name, got.Payload)
		}
		tt.want.SourceARN = "arn:aws:execute-api:eu-west-1:123456789012:pets/live/GET/pets/{id}"
		got.Payload, got.TraceID = nil, ""
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if w := c.within[0]; w > tt.within || w < tt.within-time.Second {
			t.Errorf("%s: %v left, want %v", tt.name, w, tt.within)
		}
	}
}

// TestNoFunction: what leads to no function says why.
func TestNoFunction(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for _, tt := range []struct {
		name  string
		i     model.Integration
		host  bool
		cause string
	}{
		{"no function host", model.Integration{IntegrationURI: new(arn)}, false, "there is no function host"},
		{"subtype", model.Integration{IntegrationSubtype: new("SQS-SendMessage")}, true, "there is nothing that calls services"},
		{"no URI", model.Integration{}, true, "does not name a Lambda function"},
		{"another service", model.Integration{IntegrationURI: new("arn:aws:sqs:us-east-1:123456789012:function:f")}, true, "does not name a Lambda function"},
		{"no variable", model.Integration{IntegrationURI: new(arn + "${stageVariables.v}")}, true, `no variable "v"`},
		{"no variable for the role", model.Integration{IntegrationURI: new(arn), CredentialsARN: new("${stageVariables.v}")}, true, `credentialsArn: the stage has no variable "v"`},
		{"payload format", model.Integration{IntegrationURI: new(arn), PayloadFormatVersion: new("3.0")}, true, `payload format version is "3.0"`},
		{"mapping", model.Integration{IntegrationURI: new(arn), RequestParameters: map[string]string{"overwrite:header.via": "x"}}, true, "request parameters"},
		{"response mapping", model.Integration{IntegrationURI: new(arn), ResponseParameters: map[string]map[string]string{"200": {"overwrite:header.via": "x"}}}, true, "response parameters"},
		{"VPC_LINK", model.Integration{IntegrationURI: new(arn), ConnectionType: new("VPC_LINK")}, true, "does not go through VPC links"},
		{"type", model.Integration{IntegrationType: new("MOCK")}, true, "HTTP APIs have no integrations of type MOCK"},
	} {
		d := newDocument("pets")
		if tt.i.IntegrationType == nil {
			tt.i.IntegrationType = new("AWS_PROXY")
		}
		d.route("GET /x", tt.i)
		d.stage("live", "d1", nil)
		o := options(t)
		if tt.host {
			o.Invoker = &caller{}
		}
		s, err := Stage(o, "pets", settingsOf(d.Stages["live"], 0), d.deployed(t, "d1").Data)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var e *gateway.Error
		err = s.Routes[0].Integration.Invoke(nil)
		if !errors.As(err, &e) || e.Status != 500 || !strings.Contains(err.Error(), tt.cause) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// serveOne serves one API and returns what a request is answered.
func serveOne(t *testing.T, o Options, d document, path string) (status int, body string) {
	t.Helper()
	st := store.NewMemory()
	appendTo(t, st, d.change(t), d.deployed(t, "d1"))
	g := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	pub := Start(st, o, g.Publish, slog.New(slog.DiscardHandler))
	defer pub.Close()
	l, url := listen(t)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	defer func() {
		g.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	resp, err := http.Get(url + "/_aws/execute-api/" + d.id + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
