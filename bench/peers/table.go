//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// A result is one proxy in one round.
type result struct {
	load
	cpuPerRequest float64 // microseconds
}

// A row is one proxy in all rounds.
type row struct {
	peer    peer
	results [rounds]result
}

func (r row) cpuPerRequest() float64 {
	var sum float64
	for _, result := range r.results {
		sum += result.cpuPerRequest
	}
	return sum / rounds
}

// markdown renders the rows. Ratios are those of the means over the rounds, to
// the first row; rate and p99 are those of the second round, when everything is
// as warm as it gets.
func markdown(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| Proxy | CPU µs/request, run 1 | run 2 | ratio to %s | requests/s | p99 | errors |\n", rows[0].peer.title)
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		first, last := r.results[0], r.results[rounds-1]
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.2f | %.0f | %s | %d |\n", r.peer.title,
			first.cpuPerRequest, last.cpuPerRequest, r.cpuPerRequest()/rows[0].cpuPerRequest(),
			last.perSecond, last.p99, first.errors+last.errors)
	}
	return b.String()
}

// facts says what was measured on what, in a sentence.
func (s *settings) facts(chosen []peer) string {
	programs := "wrk " + printed("wrk", "-v")("")
	for _, p := range chosen {
		programs += ", " + p.title + " " + p.version(s.bin)
	}
	return fmt.Sprintf("%s, %d cores (%s), Linux %s, %v per run after %v of warm-up: %s.\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), processor(), kernel(), s.each, s.warmUp, programs)
}

// processor returns the model name of the first core.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	if m := regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return runtime.GOARCH
}

// kernel returns the first two numbers of the kernel version; the rest is the
// name of a build.
func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of unknown version"
	}
	return string(regexp.MustCompile(`^\d+\.\d+`).Find(text))
}

const (
	tableBegin = "<!-- peers: written by make bench-peers -->\n"
	tableEnd   = "<!-- peers: end -->\n"
)

// replaceTable puts text between the two marks of a Markdown file.
func replaceTable(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(old, []byte(tableBegin))
	if !ok {
		return fmt.Errorf("%s: no line %q", file, tableBegin)
	}
	_, tail, ok := bytes.Cut(rest, []byte(tableEnd))
	if !ok {
		return fmt.Errorf("%s: no line %q after %q", file, tableEnd, tableBegin)
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(tableBegin + "\n" + text + "\n" + tableEnd)
	b.Write(tail)
	return os.WriteFile(file, b.Bytes(), 0o644)
}
