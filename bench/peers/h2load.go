//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// driveHTTP2 sends requests to a server for a time by h2load.
func driveHTTP2(ctx context.Context, s *server, at start, d time.Duration) (load, error) {
	requests := filepath.Join(at.dir, "requests.log")
	if err := os.RemoveAll(requests); err != nil {
		return load{}, err
	}
	args := []string{
		"-t", strconv.Itoa(workers), "-c", strconv.Itoa(inFlight / at.ask.streams), "-m", strconv.Itoa(at.ask.streams),
		"-D", seconds(d), "--log-file", requests,
	}
	for _, h := range at.headers() {
		args = append(args, "-H", h)
	}
	if s.host != "" {
		args = append(args, "-H", ":authority: "+s.host)
	}
	args = append(args, s.url()+s.path)
	text, err := exec.CommandContext(ctx, "h2load", args...).Output()
	if err != nil {
		return load{}, fmt.Errorf("h2load: %w", err)
	}
	log, err := os.ReadFile(requests)
	if err != nil {
		return load{}, err
	}
	return parseHTTP2Load(string(text), log)
}

var (
	cipherLine   = regexp.MustCompile(`(?m)^Cipher: (\S+)`)
	protocolLine = regexp.MustCompile(`(?m)^Application protocol: (\S+)`)
	finishedLine = regexp.MustCompile(`(?m)^finished in \S+, ([\d.]+) req/s`)
	totalsLine   = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed`)
)

// parseHTTP2Load reads the report of h2load and its log of requests, which has a line
// with start, status and time of each, tabs between them, in microseconds. What failed
// includes statuses other than 2xx and 3xx.
func parseHTTP2Load(text string, log []byte) (load, error) {
	protocol, rate, totals := protocolLine.FindStringSubmatch(text), finishedLine.FindStringSubmatch(text), totalsLine.FindStringSubmatch(text)
	if protocol == nil || rate == nil || totals == nil {
		return load{}, fmt.Errorf("h2load printed no totals:\n%s", text)
	}
	if protocol[1] != "h2" {
		return load{}, fmt.Errorf("h2load spoke %s", protocol[1])
	}
	if c := cipherLine.FindStringSubmatch(text); c == nil || c[1] != cipher {
		return load{}, fmt.Errorf("the cipher is not %s, as for all: %q", cipher, c)
	}
	var l load
	var err error
	if l.requests, err = strconv.ParseInt(totals[1], 10, 64); err != nil || l.requests == 0 {
		return load{}, fmt.Errorf("h2load made %s requests", totals[1])
	}
	if l.errors, err = strconv.ParseInt(totals[2], 10, 64); err != nil {
		return load{}, fmt.Errorf("h2load errors: %w", err)
	}
	if l.perSecond, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return load{}, fmt.Errorf("h2load rate: %w", err)
	}
	l.p99, err = percentile99(log)
	return l, err
}

// percentile99 returns the time that 99 of 100 requests of a log took at most.
func percentile99(log []byte) (string, error) {
	var times []int
	for lines := bufio.NewScanner(bytes.NewReader(log)); lines.Scan(); {
		fields := bytes.Split(lines.Bytes(), []byte("\t"))
		if len(fields) < 3 {
			return "", fmt.Errorf("h2load logged %q", lines.Bytes())
		}
		n, err := strconv.Atoi(string(fields[2]))
		if err != nil {
			return "", fmt.Errorf("h2load logged: %w", err)
		}
		times = append(times, n)
	}
	if len(times) == 0 {
		return "", fmt.Errorf("h2load logged nothing")
	}
	slices.Sort(times)
	return fmt.Sprintf("%.2fms", float64(times[(len(times)-1)*99/100])/1000), nil
}
