//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A result is one row in one round.
type result struct {
	load
	cpuPerRequest float64 // microseconds
	allocations   float64 // per request
	counted       bool    // whether allocations are known
}

func meanCPU(results []result) float64 {
	var sum float64
	for _, r := range results {
		sum += r.cpuPerRequest
	}
	return sum / float64(len(results))
}

// markdown renders the rows of a comparison. Ratios are those of the means over the
// rounds, to the first row; allocations, rate and p99 are those of the last round, when
// everything is as warm as it gets.
func markdown(c comparison, results [][]result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | CPU µs/request", c.title)
	for round := range c.rounds {
		fmt.Fprintf(&b, "%s run %d |", [...]string{",", ""}[min(round, 1)], round+1)
	}
	fmt.Fprintf(&b, " ratio to %s | allocations | requests/s | p99 | errors |\n| --- |%s\n", c.rows[0].title, strings.Repeat(" ---: |", c.rounds+5))
	for i, row := range c.rows {
		fmt.Fprintf(&b, "| %s |", row.title)
		var errors int64
		for _, r := range results[i] {
			fmt.Fprintf(&b, " %.1f |", r.cpuPerRequest)
			errors += r.errors
		}
		last, allocations := results[i][c.rounds-1], "–"
		if last.counted {
			allocations = fmt.Sprintf("%.1f", last.allocations)
		}
		fmt.Fprintf(&b, " %.2f | %s | %.0f | %s | %d |\n",
			meanCPU(results[i])/meanCPU(results[0]), allocations, last.perSecond, last.p99, errors)
	}
	return b.String()
}

// facts says what was measured on what, in a sentence.
func (s *settings) facts(c comparison) string {
	programs := "wrk " + printed("wrk", "-v")("")
	if c.ask.streams > 0 {
		programs = "h2load " + printed("h2load", "--version")("")
	}
	for _, p := range peers {
		if slices.ContainsFunc(c.rows, func(r contender) bool { return r.peer == p.name }) {
			programs += ", " + p.title + " " + p.version(s.bin)
		}
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

// marks returns the lines around a table.
func marks(name string) (begin, end string) {
	return "<!-- peers " + name + ": written by make bench-peers -->\n", "<!-- peers " + name + ": end -->\n"
}

// replaceTable puts text between the two marks of a table in a Markdown file.
func replaceTable(file, name, text string) error {
	tableBegin, tableEnd := marks(name)
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
