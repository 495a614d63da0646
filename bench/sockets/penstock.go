//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// penstockConfig takes any number of requests and connections; what the service limits
// is not what is measured.
const penstockConfig = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
%s
auditLog: none
region: us-east-1
credentials:
  - accessKeyId: BENCH
    secretAccessKey: bench-secret
limits:
  accountRate: -1
  controlPlaneRate: 0
webSockets:
  connectRate: -1
`

var credentials = aws.Credentials{AccessKeyID: "BENCH", SecretAccessKey: "bench-secret"}

const stageName = "bench"

// What a row asks of Penstock besides its integration.
const (
	withConnect = 1 << iota // a route $connect with a MOCK integration
	onDisk                  // documents, and which connections are open, are written to disk
)

// startPenstock starts the server with nothing in it, and then makes an API through the
// control plane with a route echo that works as the integration says.
func startPenstock(integration func(*server) object, with int) func(context.Context, *settings) (*server, error) {
	return func(ctx context.Context, s *settings) (*server, error) {
		state := "memory: true"
		if with&onDisk != 0 {
			data, err := os.MkdirTemp(s.dir, "data")
			if err != nil {
				return nil, err
			}
			state = "data: " + data
		}
		file := filepath.Join(s.dir, "penstock.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, penstockConfig, state), 0o600); err != nil {
			return nil, err
		}
		process, where, err := serve(s.penstock, "serve", "--config", file)
		if err != nil {
			return nil, err
		}
		server := &server{process: process, backend: s.backend, want: wantConstant}
		server.addr = where["listen"]
		if server.host, err = create(ctx, plane("http://"+where["admin"]), server, integration(server), with&withConnect != 0); err != nil {
			return nil, errors.Join(fmt.Errorf("create API: %w", err), server.stop())
		}
		server.path = "/" + stageName
		return server.served(ctx)
	}
}

// object is the body of a call.
type object map[string]any

// A plane is the URL of a control plane.
type plane string

// call makes one call and returns the members of the answer.
func (p plane) call(ctx context.Context, path string, body object) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p)+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := sign(req, text, credentials, "apigateway", "us-east-1"); err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(answer, &members); err != nil || resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s: answer %s %q: %v", path, resp.Status, answer, err)
	}
	return members, nil
}

// mock answers with the constant.
func mock(*server) object {
	return object{
		"integrationType": "MOCK", "templateSelectionExpression": `\$default`,
		"requestTemplates": object{"$default": `{"statusCode":200}`},
	}
}

// proxy answers with what the backend answers, which is the message.
func proxy(s *server) object {
	s.want = wantEcho
	return object{"integrationType": "HTTP_PROXY", "integrationMethod": "POST", "integrationUri": "http://" + s.backend}
}

// create makes the API and returns its host.
func create(ctx context.Context, p plane, s *server, integration object, connect bool) (string, error) {
	api, err := p.call(ctx, "/v2/apis", object{
		"name": "sockets", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action",
	})
	if err != nil {
		return "", err
	}
	under := fmt.Sprintf("/v2/apis/%s/", api["apiId"])
	route := func(key string, integration object, twoWay bool) error {
		made, err := p.call(ctx, under+"integrations", integration)
		if err != nil {
			return err
		}
		if integration["integrationType"] == "MOCK" {
			if _, err := p.call(ctx, fmt.Sprintf("%sintegrations/%s/integrationresponses", under, made["integrationId"]), object{
				"integrationResponseKey": "$default", "templateSelectionExpression": `\$default`,
				"responseTemplates": object{"$default": constantHead + "$context.connectionId" + constantTail},
			}); err != nil {
				return err
			}
		}
		body := object{"routeKey": key, "target": fmt.Sprintf("integrations/%s", made["integrationId"])}
		if !twoWay {
			_, err = p.call(ctx, under+"routes", body)
			return err
		}
		body["routeResponseSelectionExpression"] = "$default"
		if made, err = p.call(ctx, under+"routes", body); err != nil {
			return err
		}
		_, err = p.call(ctx, fmt.Sprintf("%sroutes/%s/routeresponses", under, made["routeId"]), object{"routeResponseKey": "$default"})
		return err
	}
	if err := route("echo", integration, true); err != nil {
		return "", err
	}
	if connect {
		if err := route("$connect", mock(s), false); err != nil {
			return "", err
		}
	}
	if _, err := p.call(ctx, under+"stages", object{"stageName": stageName, "autoDeploy": true}); err != nil {
		return "", err
	}
	endpoint, err := url.Parse(fmt.Sprint(api["apiEndpoint"]))
	if err != nil {
		return "", err
	}
	return endpoint.Host, nil
}

// served waits until a handshake succeeds.
func (s *server) served(ctx context.Context) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		c, err := s.open(0)
		if err == nil {
			err = c.end()
		}
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("does not serve: %w\n%s", err, s.log.String()), s.stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
