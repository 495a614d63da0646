//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A server is a running process tree that answers HTTP at addr for host.
type server struct {
	addr      string
	host      string // Host header of requests; addr or, over TLS, that of the certificate if it is empty
	path      string // of requests
	script    string // Lua file that gives wrk other paths; "" for none
	metrics   string // URL of metrics that count allocations; "" for none
	body      string // of responses; the one of the upstream if it is empty
	slow      bool   // to start
	accessLog string // file that must have a line for each request; "" for none
	start     start

	cmd *exec.Cmd
	log bytes.Buffer // standard error, for the report of a failed start
}

// url returns where clients find the server, without a path.
func (s *server) url() string {
	if !s.start.ask.tls {
		return "http://" + s.addr
	}
	_, port, _ := net.SplitHostPort(s.addr)
	return "https://" + net.JoinHostPort(tlsName, port)
}

// spawn starts a program in a process group of its own. Its standard output goes
// to stdout, or with its standard error when stdout is nil.
func spawn(stdout io.Writer, name string, args ...string) (*server, error) {
	s := &server{}
	s.cmd = exec.Command(name, args...)
	s.cmd.Stderr = &s.log
	s.cmd.Stdout = stdout
	if stdout == nil {
		s.cmd.Stdout = &s.log
	}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.WaitDelay = time.Second
	return s, s.cmd.Start()
}

// serving waits until the server answers 200, or explains why it does not.
func (s *server) serving(ctx context.Context) (*server, error) {
	limit := 10 * time.Second
	if s.slow {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := s.probe(ctx)
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			stopped := s.stop()
			return nil, errors.Join(fmt.Errorf("does not serve: %w\n%s", err, s.log.String()), stopped)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// probe asks once for what the load will ask for. Over TLS it trusts nothing but the
// certificate that all proxies have.
func (s *server) probe(ctx context.Context) error {
	resp, got, err := s.get(ctx, s.path, s.start.headers())
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || got != cmp.Or(s.body, body) {
		return fmt.Errorf("answers %s %q", resp.Status, got)
	}
	if s.start.ask.streams > 0 && resp.ProtoMajor != 2 {
		return fmt.Errorf("speaks %s", resp.Proto)
	}
	return nil
}

// get makes one request on a connection of its own.
func (s *server) get(ctx context.Context, path string, headers []string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+path, nil)
	if err != nil {
		return nil, "", err
	}
	req.Host = s.host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	http2 := s.start.ask.streams > 0
	transport := &http.Transport{DisableKeepAlives: !http2, ForceAttemptHTTP2: http2}
	if c := s.start.certificate; c != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: c.pool}
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, string(got), err
}

// stop asks the first process to end, which ends its children and waits for
// them, and kills the whole process group if that takes long.
func (s *server) stop() error {
	kill := func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.cmd.Path, err)
	}
	timer := time.AfterFunc(3*time.Second, kill)
	defer timer.Stop()
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("stop %s: %w", s.cmd.Path, err)
	}
	kill()
	return nil
}

// cpu returns the user and system time that the process group of the server has
// used so far. Its processes live as long as the server.
func (s *server) cpu() (time.Duration, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended since the listing
		}
		// The fields after the name: state, ppid, pgrp, …; utime and stime are
		// the 12th and 13th (proc_pid_stat(5) counts from the pid).
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 13 || fields[2] != strconv.Itoa(s.cmd.Process.Pid) {
			continue
		}
		for _, field := range fields[11:13] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", file, err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux architecture that Go
// runs on.
const ticksPerSecond = 100

// A usage is what a server has used so far.
type usage struct {
	cpu         time.Duration
	allocations float64 // of the heap; 0 if the server does not say
}

func (s *server) usage(ctx context.Context) (u usage, err error) {
	if u.cpu, err = s.cpu(); err != nil || s.metrics == "" {
		return u, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return u, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return u, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "go_memstats_mallocs_total "); ok {
			u.allocations, err = strconv.ParseFloat(n, 64)
			return u, err
		}
	}
	return u, fmt.Errorf("%s: no number of allocations", s.metrics)
}

// countLines returns the number of lines in a file and in those it was rotated to.
func countLines(file string) (int64, error) {
	files, err := filepath.Glob(file + "*")
	if err != nil {
		return 0, err
	}
	var lines int64
	block := make([]byte, 1<<20)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		n := 0
		for err == nil {
			n, err = f.Read(block)
			lines += int64(bytes.Count(block[:n], []byte("\n")))
		}
		f.Close()
		if err != io.EOF {
			return 0, err
		}
	}
	return lines, nil
}

// freeAddr returns a loopback address that nobody listened on a moment ago.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
