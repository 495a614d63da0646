//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lambdaTable is the name of the table of functions. It has columns of its own, so it is
// not one of the comparisons.
const lambdaTable = "lambda"

// lambdaConnections are how many connections the load comes over, one row for each.
var lambdaConnections = []int{1, 10, 50}

// sleepers is how many requests at one time go to the handler that sleeps.
const sleepers = 50

// A functionHost is what runs functions behind an HTTP API.
type functionHost struct {
	title string
	start func(context.Context, start) (*server, error)
}

var functionHosts = []functionHost{
	{"Penstock, Go function", startFunctions("provided.al2023", "lambda")},
	{"Penstock, Node.js function", startFunctions("nodejs20.x", "../../bench/lambda")},
	{"serverless-offline, the same Node.js function", startOffline},
}

// withLambda takes the table of functions off a list of tables. An empty list has all.
func withLambda(tables string) (rest string, lambda, others bool) {
	names := strings.Fields(tables)
	i := slices.Index(names, lambdaTable)
	if i < 0 {
		return tables, len(names) == 0, true
	}
	names = slices.Delete(names, i, i+1)
	return strings.Join(names, " "), true, len(names) > 0
}

// startFunctions starts Penstock with the functions ok and sleep, whose code is in a
// directory that is named from that of the programs, and an API with a route to each.
func startFunctions(runtime, code string) func(context.Context, start) (*server, error) {
	return func(ctx context.Context, s start) (*server, error) {
		functions := object{}
		for _, name := range []string{"ok", "sleep"} {
			dir, err := filepath.Abs(filepath.Join(s.bin, code))
			if err != nil {
				return nil, err
			}
			functions[name] = object{"runtime": runtime, "handler": "handler." + name, "code": dir, "memory": 512, "timeout": "10s"}
		}
		text, err := json.Marshal(functions)
		if err != nil {
			return nil, err
		}
		s.config = "functions: " + string(text) + "\nfunctionHost:\n  environments: 200\n"
		return startPenstock(createFunctions)(ctx, s)
	}
}

func createFunctions(ctx context.Context, p plane, s *server) (string, error) {
	s.path, s.body = "/ok", "ok"
	api, err := p.call(ctx, http.MethodPost, "/v2/apis", object{"name": "functions", "protocolType": "HTTP"})
	if err != nil {
		return "", err
	}
	under := fmt.Sprintf("/v2/apis/%s/", api["apiId"])
	for _, name := range []string{"ok", "sleep"} {
		integration, err := p.call(ctx, http.MethodPost, under+"integrations", object{
			"integrationType": "AWS_PROXY", "integrationUri": "arn:aws:lambda:us-east-1:000000000000:function:" + name, "payloadFormatVersion": "2.0",
		})
		if err != nil {
			return "", err
		}
		if _, err := p.call(ctx, http.MethodPost, under+"routes", object{
			"routeKey": "GET /" + name, "target": fmt.Sprintf("integrations/%s", integration["integrationId"]),
		}); err != nil {
			return "", err
		}
	}
	if _, err := p.call(ctx, http.MethodPost, under+"stages", object{"stageName": "$default", "autoDeploy": true}); err != nil {
		return "", err
	}
	return hostOf(api)
}

// startOffline starts serverless-offline with what is in bench/lambda.
func startOffline(ctx context.Context, s start) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	other, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	_, lambdaPort, _ := net.SplitHostPort(other)
	dir := filepath.Join(s.bin, "../../bench/lambda")
	// env is replaced by node, so that it is the process that is measured.
	process, err := spawn(nil, "env", "-C", dir, "SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off",
		"node", "node_modules/serverless/bin/serverless.js", "offline", "--host", "127.0.0.1", "--httpPort", port, "--lambdaPort", lambdaPort)
	if err != nil {
		return nil, err
	}
	process = s.server(addr, process)
	process.path, process.body, process.slow = "/ok", "ok", true
	return process.serving(ctx)
}

// offlineVersion returns the version of serverless-offline that is installed.
func offlineVersion(bin string) string {
	var module struct{ Version string }
	text, err := os.ReadFile(filepath.Join(bin, "../../bench/lambda/node_modules/serverless-offline/package.json"))
	if err != nil || json.Unmarshal(text, &module) != nil {
		return "of unknown version"
	}
	return module.Version
}

// functionResult is one row of the table of functions.
type functionResult struct {
	load
	p50           string
	gateway, tree float64 // CPU µs per request of the first process, and of all
}

// compareFunctions makes the table of functions.
func (s *settings) compareFunctions(ctx context.Context, at start) error {
	at.ask = ask{}
	var rows strings.Builder
	rows.WriteString("| Host | connections | requests/s | CPU µs/request, gateway | and functions | p50 | p99 | errors | 50 requests that sleep 100 ms |\n| --- |" + strings.Repeat(" ---: |", 8) + "\n")
	for _, h := range functionHosts {
		fmt.Printf("%s: %s\n", lambdaTable, h.title)
		if err := s.measureHost(ctx, h, at, &rows); err != nil {
			return fmt.Errorf("%s: %w", h.title, err)
		}
	}
	fmt.Printf("\n%s\n", rows.String())
	if s.doc == "" {
		return nil
	}
	versions := fmt.Sprintf("Node.js %s, serverless-offline %s.\n", printed("node", "--version")(""), offlineVersion(at.bin))
	return replaceTable(s.doc, lambdaTable, s.facts(comparison{})+versions+"\n"+rows.String())
}

// measureHost writes the rows of one host.
func (s *settings) measureHost(ctx context.Context, h functionHost, at start, rows io.Writer) error {
	server, err := h.start(ctx, at)
	if err != nil {
		return err
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = server.stop()
		}
	}()
	// Some of the first requests are answered by environments that others have left, so
	// it takes several times until there is one for each.
	for range 3 {
		if _, err := server.sleep(ctx); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
	}
	slept, err := server.sleep(ctx)
	if err != nil {
		return err
	}
	for _, connections := range lambdaConnections {
		if _, err := driveFunction(ctx, server, connections, s.warmUp); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		r, err := driveFunction(ctx, server, connections, s.each)
		if err != nil {
			return err
		}
		fmt.Fprintf(rows, "| %s | %d | %.0f | %.1f | %.1f | %s | %s | %d | %d ms |\n",
			h.title, connections, r.perSecond, r.gateway, r.tree, r.p50, r.p99, r.errors, slept.Milliseconds())
	}
	stopped = true
	return server.stop()
}

var p50Line = regexp.MustCompile(`(?m)^\s*50%\s+(\S+)`)

// driveFunction sends requests over a number of connections for a time.
func driveFunction(ctx context.Context, s *server, connections int, d time.Duration) (r functionResult, err error) {
	pid := s.cmd.Process.Pid
	gateway, tree, err := treeCPU(pid)
	if err != nil {
		return r, err
	}
	args := []string{"--latency", "-t", strconv.Itoa(min(workers, connections)), "-c", strconv.Itoa(connections), "-d", seconds(d)}
	if s.host != "" {
		args = append(args, "-H", "Host: "+s.host)
	}
	text, err := exec.CommandContext(ctx, "wrk", append(args, s.url()+s.path)...).Output()
	if err != nil {
		return r, fmt.Errorf("wrk: %w", err)
	}
	if r.load, err = parseLoad(string(text)); err != nil {
		return r, err
	}
	if m := p50Line.FindSubmatch(text); m != nil {
		r.p50 = string(m[1])
	}
	gatewayAfter, treeAfter, err := treeCPU(pid)
	if err != nil {
		return r, err
	}
	r.gateway = float64((gatewayAfter - gateway).Microseconds()) / float64(r.requests)
	r.tree = float64((treeAfter - tree).Microseconds()) / float64(r.requests)
	return r, nil
}

// sleep makes requests at one time to the handler that sleeps, and returns how long it
// took until all were answered.
func (s *server) sleep(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	errs := make([]error, sleepers)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range sleepers {
		wg.Go(func() {
			resp, body, err := s.get(ctx, "/sleep", nil)
			if err == nil && (resp.StatusCode != http.StatusOK || body != "ok") {
				err = fmt.Errorf("answers %s %q", resp.Status, body)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return time.Since(began), cmp.Or(errs...)
}

// treeCPU returns the user and system time of a process, and of it and all its
// descendants, those that have ended included.
func treeCPU(pid int) (own, tree time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0, err
	}
	type process struct{ parent, own, ended int }
	all := map[int]process{}
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended since the listing
		}
		// Fields after the name: state, ppid, …; the 12th to 15th are utime, stime,
		// cutime and cstime.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 15 {
			continue
		}
		var n [15]int
		for _, i := range []int{1, 11, 12, 13, 14} {
			if n[i], err = strconv.Atoi(fields[i]); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", file, err)
			}
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		all[id] = process{n[1], n[11] + n[12], n[13] + n[14]}
	}
	ticks := 0
	for id, p := range all {
		for at := id; at != 0; at = all[at].parent {
			if at == pid {
				ticks += p.own + p.ended
				break
			}
		}
	}
	const tick = time.Second / ticksPerSecond
	return time.Duration(all[pid].own) * tick, time.Duration(ticks) * tick, nil
}
