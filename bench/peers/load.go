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

// path is what the load asks for, unless a server has paths of its own.
const path = "/pets/7?verbose=true"

// An ask says how the load generator asks, with as many requests under way as there are
// connections and streams for: inFlight of them. The zero value is HTTP/1.1 without TLS.
type ask struct {
	tls     bool
	streams int  // of each connection of HTTP/2, over TLS only; 0 for HTTP/1.1
	token   bool // with a token of the issuer in place of an opaque one
}

// headers are sent with every request, besides Host.
func (s start) headers() []string {
	token := "0123456789abcdef0123456789abcdef"
	if s.ask.token {
		token = s.issuer.token
	}
	return []string{
		"User-Agent: bench/1.0 (keep-alive)",
		"Accept: application/json",
		"Accept-Encoding: gzip, deflate",
		"Accept-Language: en-GB,en;q=0.9",
		"Authorization: Bearer " + token,
	}
}

// A load is what the load generator saw.
type load struct {
	requests  int64
	perSecond float64
	p99       string // as wrk prints it: 1.23ms
	errors    int64  // responses other than 2xx and 3xx, and socket errors
}

// drive sends requests to a server for a time: by wrk, or by h2load if it is HTTP/2
// that is asked for.
func drive(ctx context.Context, s *server, at start, d time.Duration) (load, error) {
	if at.ask.streams > 0 {
		return driveHTTP2(ctx, s, at, d)
	}
	args := []string{"--latency", "-t", strconv.Itoa(workers), "-c", strconv.Itoa(inFlight), "-d", seconds(d)}
	for _, h := range at.headers() {
		args = append(args, "-H", h)
	}
	if s.host != "" {
		args = append(args, "-H", "Host: "+s.host)
	}
	if s.script != "" {
		args = append(args, "-s", s.script)
	}
	args = append(args, s.url()+s.path)
	text, err := exec.CommandContext(ctx, "wrk", args...).Output()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w", err)
	}
	return parseLoad(string(text))
}

// seconds returns a time in whole seconds, at least one.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d.Seconds()))) + "s" }

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
