//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// path is what the load asks for.
const path = "/pets/7?verbose=true"

// headers are sent with every request, besides Host.
var headers = []string{
	"User-Agent: bench/1.0 (keep-alive)",
	"Accept: application/json",
	"Accept-Encoding: gzip, deflate",
	"Accept-Language: en-GB,en;q=0.9",
	"Authorization: Bearer 0123456789abcdef0123456789abcdef",
}

// A load is what the load generator saw.
type load struct {
	requests  int64
	perSecond float64
	p99       string // as wrk prints it: 1.23ms
	errors    int64  // responses other than 2xx and 3xx, and socket errors
}

// drive sends requests to a server for a time.
func drive(ctx context.Context, s *server, d time.Duration) (load, error) {
	args := []string{"--latency", "-t", strconv.Itoa(workers), "-c", strconv.Itoa(connections), "-d", strconv.Itoa(max(1, int(d.Seconds()))) + "s"}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	if s.host != "" {
		args = append(args, "-H", "Host: "+s.host)
	}
	args = append(args, "http://"+s.addr+path)
	text, err := exec.CommandContext(ctx, "wrk", args...).Output()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w", err)
	}
	return parseLoad(string(text))
}

var (
	requestsLine = regexp.MustCompile(`(?m)^\s*(\d+) requests in`)
	rateLine     = regexp.MustCompile(`(?m)^Requests/sec:\s*([\d.]+)`)
	p99Line      = regexp.MustCompile(`(?m)^\s*99%\s+(\S+)`)
	statusLine   = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: (\d+)`)
	socketLine   = regexp.MustCompile(`(?m)^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// parseLoad reads the report of wrk. The lines about errors are there only when
// there were any.
func parseLoad(text string) (load, error) {
	var l load
	requests, rate, p99 := requestsLine.FindStringSubmatch(text), rateLine.FindStringSubmatch(text), p99Line.FindStringSubmatch(text)
	if requests == nil || rate == nil || p99 == nil {
		return l, fmt.Errorf("wrk printed no totals:\n%s", text)
	}
	var err error
	if l.requests, err = strconv.ParseInt(requests[1], 10, 64); err != nil || l.requests == 0 {
		return l, fmt.Errorf("wrk made %s requests", requests[1])
	}
	if l.perSecond, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return l, fmt.Errorf("wrk rate: %w", err)
	}
	l.p99 = p99[1]
	for _, line := range []*regexp.Regexp{statusLine, socketLine} {
		if m := line.FindStringSubmatch(text); m != nil {
			for _, digits := range m[1:] {
				n, err := strconv.ParseInt(digits, 10, 64)
				if err != nil {
					return l, fmt.Errorf("wrk errors: %w", err)
				}
				l.errors += n
			}
		}
	}
	return l, nil
}
