//go:build linux

package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"net"
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
}

// start is what a peer needs to know to start, and what it will be asked for.
type start struct {
	bin         string // directory of programs that are not installed
	dir         string // directory for configuration, removed afterwards
	upstream    string // address of the upstream
	certificate *certificate
	issuer      *issuer
	ask         ask
	config      string // more of the configuration of Penstock
}

// server returns what is asked for at an address, from what is known beforehand.
func (s start) server(addr string, process *server) *server {
	process.addr, process.path = addr, path
	process.start = s
	return process
}

// peers are in the order in which the page names them.
var peers = []peer{
	{"nginx", "nginx", printed("nginx", "-v")},
	{"haproxy", "HAProxy", printed("haproxy", "-v")},
	{"penstock", "Penstock", func(string) string { return "of this tree" }},
	{"fasthttp", "Go fasthttp", func(bin string) string {
		return moduleOf(filepath.Join(bin, "fasthttp"), "github.com/valyala/fasthttp")
	}},
	{"reverseproxy", "Go `httputil.ReverseProxy`", func(string) string { return runtime.Version() }},
	{"caddy", "Caddy", func(bin string) string { return built(filepath.Join(bin, "caddy")) }},
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

// seenPath is where the upstream answers with what the proxy told it, in the three
// header fields that the full row maps.
const seenPath = "/seen"

func startUpstream(ctx context.Context, dir string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return serveNginx(ctx, start{dir: dir}, "upstream", addr, fmt.Sprintf(`server {
		listen %s;
		default_type application/json;
		location / { return 200 '%s'; }
		location = %s { return 200 '$http_x_user $http_x_stage $http_x_request'; }
	}`, addr, body, seenPath))
}

func startNginx(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	listen := addr + ";"
	if s.ask.tls {
		listen = fmt.Sprintf(`%s ssl http2;
		ssl_certificate %s;
		ssl_certificate_key %s;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_conf_command Ciphersuites %s;`, addr, s.certificate.certFile, s.certificate.keyFile, cipher)
	}
	return serveNginx(ctx, s, "nginx", addr, fmt.Sprintf(`upstream up {
		server %s;
		keepalive %d;
		keepalive_requests 100000000;
	}
	server {
		listen %s
		location / {
			proxy_pass http://up;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
		}
	}`, s.upstream, inFlight, listen))
}

func serveNginx(ctx context.Context, s start, name, addr, http string) (*server, error) {
	prefix := filepath.Join(s.dir, name)
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
	return s.server(addr, server).serving(ctx)
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
	return s.server(addr, server).serving(ctx)
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
		return s.server(addr, server).serving(ctx)
	}
}

func startCaddy(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "Caddyfile")
	site, files := "http://"+addr, ""
	if s.ask.tls {
		_, port, _ := net.SplitHostPort(addr)
		site = "https://" + tlsName + ":" + port
		files = "tls " + s.certificate.certFile + " " + s.certificate.keyFile
	}
	config := fmt.Sprintf(`
{
	admin off
	persist_config off
	auto_https off
	default_bind 127.0.0.1
	servers {
		protocols h1 h2
	}
}
%s {
	%s
	reverse_proxy %s {
		transport http {
			keepalive_idle_conns_per_host %d
		}
	}
}
`, site, files, s.upstream, 2*inFlight)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	server, err := spawn(nil, filepath.Join(s.bin, "caddy"), "run", "--adapter", "caddyfile", "--config", file)
	if err != nil {
		return nil, err
	}
	return s.server(addr, server).serving(ctx)
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
