//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server or a load generator that runs.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Reader // standard output
	in    io.WriteCloser
	log   bytes.Buffer // standard error
}

func spawn(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Stderr = &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines = bufio.NewReader(out)
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// serve starts a server and returns the addresses of its first line, which has members
// such as listen=http://127.0.0.1:8080.
func serve(name string, args ...string) (*process, map[string]string, error) {
	p, err := spawn(name, args...)
	if err != nil {
		return nil, nil, err
	}
	ready, err := p.lines.ReadString('\n')
	where := map[string]string{}
	for field := range strings.FieldsSeq(ready) {
		if key, url, ok := strings.Cut(field, "="); ok {
			where[key] = strings.TrimPrefix(url, "http://")
		}
	}
	if err != nil || where["listen"] == "" {
		stopped := p.stop()
		return nil, nil, fmt.Errorf("%s: first line %q: %w (%v)\n%s", name, ready, err, stopped, p.log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, p.lines) }() // so that a chatty server never blocks; it ends with the server
	return p, where, nil
}

// stop asks the process to end, and makes it if that takes long.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	timer := time.AfterFunc(3*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	return nil
}

// cpu returns the user and system time that the process has used so far. proc_pid_stat(5)
// counts from the pid: after the name, utime and stime are the 12th and 13th.
func (p *process) cpu() (time.Duration, error) {
	file := fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s: %q", file, text)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		ticks += n
	}
	// USER_HZ is 100 on every Linux architecture that Go runs on.
	return time.Duration(ticks) * time.Second / 100, nil
}

// memory returns the resident set in bytes.
func (p *process) memory() (int64, error) {
	file := fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Rss:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("%s: no line with Rss", file)
}

// A generator is a load generator that is ready.
type generator struct{ *process }

// generate starts a load and waits until its measured part can begin.
func generate(ctx context.Context, program string, args []string) (*generator, error) {
	p, err := spawn(program, args...)
	if err != nil {
		return nil, err
	}
	g := &generator{p}
	if err := g.until(ctx, func(line string) error {
		if line != "ready\n" {
			return fmt.Errorf("says %q", line)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return g, nil
}

// finish has it do the measured part.
func (g *generator) finish(ctx context.Context) (r loadResult, err error) {
	if _, err := io.WriteString(g.in, "go\n"); err != nil {
		return r, err
	}
	err = g.until(ctx, func(line string) error { return json.Unmarshal([]byte(line), &r) })
	return r, err
}

// until waits for a line. If none comes the generator is stopped, and what it said last
// is the reason.
func (g *generator) until(ctx context.Context, take func(string) error) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = g.cmd.Process.Kill() })()
	line, err := g.lines.ReadString('\n')
	if err == nil {
		err = take(line)
	}
	if err != nil {
		stopped := g.stop()
		return fmt.Errorf("load: %w: %s (%v)", err, strings.TrimSpace(g.log.String()), stopped)
	}
	return nil
}
