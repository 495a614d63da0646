//go:build linux

package main

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// A peer is a proxy that can be measured.
type peer struct {
	name    string
	title   string
	version func(bin string) string // bin as in start
	start   func(context.Context, start) (*server, error)
}

// start is what a peer needs to know to start.
type start struct {
	bin      string // directory of programs that are not installed
	dir      string // directory for configuration, removed afterwards
	upstream string // address of the upstream
}

// peers are in the order of the table; the first is what the others are compared
// with.
var peers = []peer{
	{"nginx", "nginx", printed("nginx", "-v"), startNginx},
	{"haproxy", "HAProxy", printed("haproxy", "-v"), startHAProxy},
	{"penstock", "Penstock", func(string) string { return "of this tree" }, startPenstock},
	{"fasthttp", "Go fasthttp", func(bin string) string {
		return moduleOf(filepath.Join(bin, "fasthttp"), "github.com/valyala/fasthttp")
	}, startOurs("fasthttp")},
	{"reverseproxy", "Go `httputil.ReverseProxy`", func(string) string { return runtime.Version() }, startOurs("reverseproxy")},
	{"caddy", "Caddy", func(bin string) string { return built(filepath.Join(bin, "caddy")) }, startCaddy},
}

// body is what the upstream answers: 400 bytes of JSON.
var body = func() string {
	head, tail := `{"id":7,"name":"Ada","notes":"`, `"}`
	return head + strings.Repeat("x", 400-len(head)-len(tail)) + tail
}()

const nginxConfig = `
daemon off;
worker_processes %d;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
	access_log off;
	keepalive_requests 100000000;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	%s
}`

func startUpstream(ctx context.Context, dir string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return serveNginx(ctx, dir, "upstream", addr, fmt.Sprintf(`server {
		listen %s;
		default_type application/json;
		location / { return 200 '%s'; }
	}`, addr, body))
}

func startNginx(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return serveNginx(ctx, s.dir, "nginx", addr, fmt.Sprintf(`upstream up {
		server %s;
		keepalive %d;
		keepalive_requests 100000000;
	}
	server {
		listen %s;
		location / {
			proxy_pass http://up;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
		}
	}`, s.upstream, connections, addr))
}

func serveNginx(ctx context.Context, dir, name, addr, http string) (*server, error) {
	prefix := filepath.Join(dir, name)
	if err := os.MkdirAll(prefix, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(prefix, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, workers, http), 0o644); err != nil {
		return nil, err
	}
	server, err := spawn(nil, "nginx", "-p", prefix, "-e", "stderr", "-c", file)
	if err != nil {
		return nil, err
	}
	server.addr = addr
	return server.serving(ctx)
}

func startHAProxy(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "haproxy.cfg")
	config := fmt.Sprintf(`
global
	nbthread %d
	maxconn 4096
defaults
	mode http
	http-reuse always
	timeout connect 5s
	timeout client 60s
	timeout server 60s
frontend front
	bind %s
	default_backend up
backend up
	server up %s
`, workers, addr, s.upstream)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	server, err := spawn(nil, "haproxy", "-db", "-f", file)
	if err != nil {
		return nil, err
	}
	server.addr = addr
	return server.serving(ctx)
}

// startOurs starts one of the proxies that are programs of this directory.
func startOurs(name string) func(context.Context, start) (*server, error) {
	return func(ctx context.Context, s start) (*server, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		server, err := spawn(nil, filepath.Join(s.bin, name), addr, "http://"+s.upstream)
		if err != nil {
			return nil, err
		}
		server.addr = addr
		return server.serving(ctx)
	}
}

func startCaddy(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "Caddyfile")
	config := fmt.Sprintf(`
{
	admin off
	persist_config off
	auto_https off
}
http://%s {
	reverse_proxy %s {
		transport http {
			keepalive_idle_conns_per_host %d
		}
	}
}
`, addr, s.upstream, 2*connections)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	server, err := spawn(nil, filepath.Join(s.bin, "caddy"), "run", "--adapter", "caddyfile", "--config", file)
	if err != nil {
		return nil, err
	}
	server.addr = addr
	return server.serving(ctx)
}

// startPenstock starts the server with nothing in it and makes an HTTP API whose
// $default route is an HTTP_PROXY integration, all by one call of the control
// plane.
func startPenstock(ctx context.Context, s start) (*server, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	server, err := spawn(in, filepath.Join(s.bin, "penstock"), "serve", "--memory", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
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
	var listen, admin string
	if err == nil {
		_, err = fmt.Sscanf(ready, "penstock ready listen=%s admin=%s", &listen, &admin)
	}
	if err != nil {
		stopped := server.stop()
		return nil, fmt.Errorf("first line %q: %w (%v)\n%s", ready, err, stopped, server.log.String())
	}
	server.addr = strings.TrimPrefix(listen, "http://")
	if server.host, err = quickCreate(ctx, admin, "http://"+s.upstream); err != nil {
		stopped := server.stop()
		return nil, fmt.Errorf("create API: %w (%v)", err, stopped)
	}
	return server.serving(ctx)
}

// quickCreate makes an API that proxies to target and returns its host.
func quickCreate(ctx context.Context, admin, target string) (string, error) {
	in := fmt.Sprintf(`{"name":"peers","protocolType":"HTTP","target":%q}`, target)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, admin+"/v2/apis", strings.NewReader(in))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var api struct{ APIEndpoint string }
	if err := json.Unmarshal(text, &api); err != nil || resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("answer %s %q: %v", resp.Status, text, err)
	}
	endpoint, err := url.Parse(api.APIEndpoint)
	if err != nil {
		return "", err
	}
	return endpoint.Host, nil
}

var version = regexp.MustCompile(`\d+\.\d+\S*`)

// printed returns a function that finds the version in what a program prints,
// whatever its exit status: wrk -v ends with 1.
func printed(name string, args ...string) func(string) string {
	return func(string) string {
		text, _ := exec.Command(name, args...).CombinedOutput()
		if v := version.Find(text); v != nil {
			return string(v)
		}
		return "of unknown version"
	}
}

// built returns the module version that a Go program was built from.
func built(file string) string {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "of unknown version"
	}
	return info.Main.Version
}

// moduleOf returns the version of a module that a Go program was built with.
func moduleOf(file, module string) string {
	if info, err := buildinfo.ReadFile(file); err == nil {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "of unknown version"
}
