package function

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"penstock/internal/integration"
	"penstock/internal/lambda"
	"penstock/internal/store"
)

// childDir makes a directory with a function that is a program, which does what the
// event says.
func childDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "../lambda/testdata/child").CombinedOutput(); err != nil {
		t.Fatalf("build a function: %v: %s", err, out)
	}
	return dir
}

// The gateway, the API and the SDK call a function that is a process.
func TestHost(t *testing.T) {
	t.Parallel()
	host, err := lambda.NewHost(lambda.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), MaxEnvironments: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(Options{
		Store: store.NewMemory(), Dir: t.TempDir(), Host: host, Account: "123456789012", Region: "us-east-1", Enforce: true,
		Declared: map[string]Declared{"child": {Runtime: "provided.al2023", Handler: "a.b", Code: childDir(t), Concurrency: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := client.New(client.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1,
	})
	name := aws.String("child")

	fromGateway := func(event string) (integration.InvocationResult, error) {
		return s.Invoke(t.Context(), integration.Invocation{Function: "arn:aws:lambda:eu-west-1:210987654321:function:child", Payload: []byte(event), SourceARN: petRoute})
	}
	if _, err := fromGateway(`{}`); !errors.Is(err, integration.ErrNotPermitted) {
		t.Errorf("without a permission: %v", err)
	}
	added, err := c.AddPermission(t.Context(), &client.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("s1"), Action: aws.String(invokeAction), Principal: aws.String(gatewayPrincipal), SourceArn: aws.String(api + "/*/*"),
	})
	if err != nil || !strings.Contains(*added.Statement, api) {
		t.Fatalf("add a permission: %+v, %v", added, err)
	}
	if got, err := fromGateway(`{"text":"hello"}`); err != nil || string(got.Payload) != `{"text":"hello"}` || got.FunctionError != "" {
		t.Errorf("from the gateway: %q, %v", got.Payload, err)
	}
	if got, err := fromGateway(`{"do":"error","text":"{\"errorType\":\"Boom\"}"}`); err != nil || string(got.Payload) != `{"errorType":"Boom"}` || got.FunctionError != "Unhandled" {
		t.Errorf("from the gateway: %q, %q, %v", got.Payload, got.FunctionError, err)
	}
	if got, err := fromGateway(`{"do":"stream","text":"{}"}`); err != nil || string(got.Payload) != `{}` || got.ContentType != integration.StreamedResponse {
		t.Errorf("a streamed answer: %q, %q, %v", got.Payload, got.ContentType, err)
	}

	out, err := c.Invoke(t.Context(), &client.InvokeInput{FunctionName: name, Payload: []byte(`{"do":"print","text":"printed"}`), LogType: types.LogTypeTail})
	if err != nil || out.StatusCode != 200 || string(out.Payload) != "null" || aws.ToString(out.ExecutedVersion) != latest || out.LogResult == nil {
		t.Errorf("Invoke: %+v, %v", out, err)
	}
	out, err = c.Invoke(t.Context(), &client.InvokeInput{FunctionName: name, Payload: []byte(`{"do":"exit","code":3}`)})
	if err != nil || out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "exit status 3") {
		t.Errorf("Invoke, the function exits: %+v %s, %v", out, out.Payload, err)
	}
	out, err = c.Invoke(t.Context(), &client.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("Invoke, dry run: %+v, %v", out, err)
	}
	out, err = c.Invoke(t.Context(), &client.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{}`)})
	if err != nil || out.StatusCode != 202 {
		t.Errorf("Invoke, event: %+v, %v", out, err)
	}
	readAll(t, c, name)

	// One invocation at a time: of two, one is refused.
	var all sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range 4 {
		all.Go(func() {
			_, err := c.Invoke(t.Context(), &client.InvokeInput{FunctionName: name, Payload: []byte(`{"do":"sleep","ms":500}`)})
			var throttled *types.TooManyRequestsException
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.As(err, &throttled):
				refused++
				if throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded || aws.ToString(throttled.RetryAfterSeconds) != "1" {
					t.Errorf("throttled: %+v", throttled)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if refused == 0 {
		t.Error("no invocation was throttled")
	}
	_, err = c.Invoke(t.Context(), &client.InvokeInput{FunctionName: aws.String("cats")})
	var unknown *types.ResourceNotFoundException
	if !errors.As(err, &unknown) || !strings.Contains(unknown.ErrorMessage(), here+"cats") {
		t.Errorf("an unknown function: %v", err)
	}
	if _, err := c.RemovePermission(t.Context(), &client.RemovePermissionInput{FunctionName: name, StatementId: aws.String("s1")}); err != nil {
		t.Errorf("remove the permission: %v", err)
	}
	if _, err := fromGateway(`{}`); !errors.Is(err, integration.ErrNotPermitted) {
		t.Errorf("when the permission is gone: %v", err)
	}
}

// readAll reads a streamed answer of more than a chunk with the SDK.
func readAll(t *testing.T, c *client.Client, name *string) {
	t.Helper()
	event := []byte(`{"text":"` + strings.Repeat("x", 3*maxChunk) + `"}`)
	var out *client.InvokeWithResponseStreamOutput
	for { // the event before it may still run
		var err error
		out, err = c.InvokeWithResponseStream(context.Background(), &client.InvokeWithResponseStreamInput{FunctionName: name, Payload: event})
		var throttled *types.TooManyRequestsException
		if errors.As(err, &throttled) {
			continue
		}
		if err != nil {
			t.Errorf("InvokeWithResponseStream: %v", err)
			return
		}
		break
	}
	stream := out.GetStream()
	defer stream.Close()
	var text []byte
	complete := false
	for e := range stream.Events() {
		switch e := e.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			text = append(text, e.Value.Payload...)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			complete = e.Value.ErrorCode == nil
		}
	}
	if stream.Err() != nil || !complete || string(text) != string(event) || aws.ToString(out.ExecutedVersion) != latest {
		t.Errorf("InvokeWithResponseStream: %d bytes, complete %t, %v", len(text), complete, stream.Err())
	}
}
