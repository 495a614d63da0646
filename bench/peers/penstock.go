//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// penstockConfig takes any number of requests; what the service limits to 10,000 a
// second is not what is measured.
const penstockConfig = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
memory: true
auditLog: none
limits:
  accountRate: -1
  routes: 20000
  integrations: 20000
accessLogs:
  - destinationArn: %s
    file: %s
    maxFiles: 1000
`

const penstockTLS = `
listenTls: 127.0.0.1:0
certificates:
  - certificateFile: %s
    privateKeyFile: %s
`

// logARN is the destination that stages name, accessLogFormat the preset for JSON.
const (
	logARN          = "arn:aws:logs:us-east-1:000000000000:log-group:peers"
	accessLogFormat = `{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod","routeKey":"$context.routeKey", "status":"$context.status","protocol":"$context.protocol", "responseLength":"$context.responseLength" }`
)

func accessLogFile(dir string) string { return filepath.Join(dir, "access.log") }

// startPenstock starts the server with nothing in it, and then makes an API through the
// control plane.
func startPenstock(create func(context.Context, plane, *server) (host string, err error)) func(context.Context, start) (*server, error) {
	return func(ctx context.Context, s start) (*server, error) {
		config := fmt.Sprintf(penstockConfig, logARN, accessLogFile(s.dir)) + s.config
		if s.ask.tls {
			config += fmt.Sprintf(penstockTLS, s.certificate.certFile, s.certificate.keyFile)
		}
		file := filepath.Join(s.dir, "penstock.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			return nil, err
		}
		out, in, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer in.Close()
		process, err := spawn(in, filepath.Join(s.bin, "penstock"), "serve", "--config", file)
		if err != nil {
			out.Close()
			return nil, err
		}
		in.Close()
		lines := bufio.NewReader(out)
		ready, err := lines.ReadString('\n')
		go func() {
			defer out.Close()
			_, _ = io.Copy(io.Discard, lines) // so that a chatty server never blocks
		}()
		where := map[string]string{}
		for _, field := range strings.Fields(ready) {
			if key, address, ok := strings.Cut(field, "="); ok {
				where[key] = address
			}
		}
		listen := strings.TrimPrefix(where["listen"], "http://")
		if s.ask.tls {
			listen = strings.TrimPrefix(where["listen-tls"], "https://")
		}
		if err != nil || listen == "" || where["admin"] == "" {
			stopped := process.stop()
			return nil, fmt.Errorf("first line %q: %w (%v)\n%s", ready, err, stopped, process.log.String())
		}
		server := s.server(listen, process)
		server.metrics = where["admin"] + "/metrics"
		if server.host, err = create(ctx, plane(where["admin"]), server); err != nil {
			stopped := server.stop()
			return nil, fmt.Errorf("create API: %w (%v)", err, stopped)
		}
		return server.serving(ctx)
	}
}

// A plane is the URL of a control plane.
type plane string

// call makes one call and returns the members of the answer. The body is any value with
// a JSON text.
func (p plane) call(ctx context.Context, method, path string, body any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, string(p)+path, strings.NewReader(string(text)))
	if err != nil {
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
		return nil, fmt.Errorf("%s %s: answer %s %q: %v", method, path, resp.Status, answer, err)
	}
	return members, nil
}

// object is the body of a call.
type object map[string]any

// hostOf returns the host of an API that was made.
func hostOf(api map[string]any) (string, error) {
	endpoint, err := url.Parse(fmt.Sprint(api["apiEndpoint"]))
	if err != nil {
		return "", err
	}
	return endpoint.Host, nil
}

// quickCreate makes an API whose $default route is an HTTP_PROXY integration.
func quickCreate(ctx context.Context, p plane, s *server) (string, error) {
	api, err := p.call(ctx, http.MethodPost, "/v2/apis", object{"name": "peers", "protocolType": "HTTP", "target": "http://" + s.start.upstream})
	if err != nil {
		return "", err
	}
	return hostOf(api)
}

// startFull starts a server whose $default route has a JWT authorizer and three mapped
// header fields, and whose stage has an access log. It makes sure that they do what is
// measured: without a token there is no answer, and the upstream gets the fields.
func startFull(ctx context.Context, s start) (*server, error) {
	old, err := filepath.Glob(accessLogFile(s.dir) + "*")
	if err != nil {
		return nil, err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	server, err := startPenstock(createFull)(ctx, s)
	if err != nil {
		return nil, err
	}
	check := func() error {
		resp, _, err := server.get(ctx, server.path, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("answers %s without a token", resp.Status)
		}
		_, seen, err := server.get(ctx, seenPath, s.headers())
		if err != nil {
			return err
		}
		if fields := strings.Fields(seen); len(fields) != 3 || fields[0] != subject || fields[1] != "$default" {
			return fmt.Errorf("the upstream got %q", seen)
		}
		return nil
	}
	if err := check(); err != nil {
		stopped := server.stop()
		return nil, fmt.Errorf("%w (%v)", err, stopped)
	}
	return server, nil
}

func createFull(ctx context.Context, p plane, s *server) (string, error) {
	s.accessLog = accessLogFile(s.start.dir)
	api, err := p.call(ctx, http.MethodPost, "/v2/apis", object{"name": "peers", "protocolType": "HTTP"})
	if err != nil {
		return "", err
	}
	under := fmt.Sprintf("/v2/apis/%s/", api["apiId"])
	authorizer, err := p.call(ctx, http.MethodPost, under+"authorizers", object{
		"name": "issuer", "authorizerType": "JWT", "identitySource": []string{"$request.header.Authorization"},
		"jwtConfiguration": object{"issuer": s.start.issuer.url, "audience": []string{audience}},
	})
	if err != nil {
		return "", err
	}
	integration, err := p.call(ctx, http.MethodPost, under+"integrations", object{
		"integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": "http://" + s.start.upstream, "payloadFormatVersion": "1.0",
		"requestParameters": object{
			"overwrite:header.x-user":  "$context.authorizer.claims.sub",
			"append:header.x-request":  "$context.requestId",
			"overwrite:header.x-stage": "$context.stage",
		},
	})
	if err != nil {
		return "", err
	}
	if _, err := p.call(ctx, http.MethodPost, under+"routes", object{
		"routeKey": "$default", "target": fmt.Sprintf("integrations/%s", integration["integrationId"]),
		"authorizationType": "JWT", "authorizerId": authorizer["authorizerId"],
	}); err != nil {
		return "", err
	}
	if _, err := p.call(ctx, http.MethodPost, under+"stages", object{
		"stageName": "$default", "autoDeploy": true,
		"accessLogSettings": object{"destinationArn": logARN, "format": accessLogFormat},
	}); err != nil {
		return "", err
	}
	return hostOf(api)
}

// startRoutes starts a server with an API of many routes to one integration. The load
// asks for another one with every request.
func startRoutes(n int) func(context.Context, start) (*server, error) {
	return startPenstock(func(ctx context.Context, p plane, s *server) (string, error) {
		paths := object{}
		for i := range n {
			paths[orders(i)+"/{id}"] = object{"get": object{
				"x-amazon-apigateway-integration": object{"$ref": "#/components/x-amazon-apigateway-integrations/up"},
				"responses":                       object{"default": object{"description": "any"}},
			}}
		}
		document, err := json.Marshal(object{
			"openapi": "3.0.1", "info": object{"title": "peers", "version": "1"}, "paths": paths,
			"components": object{"x-amazon-apigateway-integrations": object{"up": object{
				"type": "http_proxy", "httpMethod": "ANY", "uri": "http://" + s.start.upstream, "payloadFormatVersion": "1.0",
			}}},
		})
		if err != nil {
			return "", err
		}
		api, err := p.call(ctx, http.MethodPut, "/v2/apis", object{"body": string(document)})
		if err != nil {
			return "", err
		}
		if _, err := p.call(ctx, http.MethodPost, fmt.Sprintf("/v2/apis/%s/stages", api["apiId"]), object{"stageName": "$default", "autoDeploy": true}); err != nil {
			return "", err
		}
		s.path = orders(0) + path[strings.LastIndexByte(path, '/'):]
		if s.script, err = writeScript(s.start.dir, n); err != nil {
			return "", err
		}
		return hostOf(api)
	})
}

// orders returns the path of a route, without its variable. All are of one length.
func orders(i int) string { return fmt.Sprintf("/orders/%05d", i) }

// scriptPaths is how many paths the load generator goes through, whatever the number of
// routes, so that its own work is always the same.
const scriptPaths = 10000

// writeScript writes a script for wrk, which asks for routes in an order that is as
// good as random and always the same. Each thread of wrk begins elsewhere.
func writeScript(dir string, routes int) (string, error) {
	var list strings.Builder
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(scriptPaths) {
		fmt.Fprintf(&list, "%s%s\n", orders(i%routes), path[strings.LastIndexByte(path, '/'):])
	}
	paths := filepath.Join(dir, "paths.txt")
	if err := os.WriteFile(paths, []byte(list.String()), 0o600); err != nil {
		return "", err
	}
	script := filepath.Join(dir, "paths.lua")
	return script, os.WriteFile(script, fmt.Appendf(nil, `local started = 0
function setup(thread)
	thread:set("at", started * %d)
	started = started + 1
end
local requests = {}
function init()
	for path in io.lines(%q) do
		requests[#requests + 1] = wrk.format("GET", path)
	end
end
function request()
	at = at %% #requests + 1
	return requests[at]
end
`, scriptPaths/workers, paths), 0o600)
}
