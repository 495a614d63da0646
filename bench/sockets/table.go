//go:build linux

package main

import (
	"debug/buildinfo"
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
	loadResult
	cpu           time.Duration // of the server, in the measured part
	before, after int64         // bytes of memory, without connections and with them
}

func (r result) String() string {
	return fmt.Sprintf("%d in %v, CPU %v, memory from %d to %d KiB", r.Done, r.Elapsed.Round(time.Millisecond), r.cpu, r.before>>10, r.after>>10)
}

// cpuEach is microseconds of the server for one message, connection or request.
func (r result) cpuEach() float64 {
	return float64(r.cpu.Microseconds()) / float64(max(1, r.Done))
}

// median is the one in the middle, or the mean of the two.
func median[R any](results []R, of func(R) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = of(r)
	}
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

// A column is a title and what is below it, from all rounds of a row and of the first row.
type column struct {
	title string
	cell  func(row, first []result) string
}

// markdown renders the rows of a comparison.
func (s *settings) markdown(c comparison, results [][]result) string {
	var columns []column
	number := func(format string, of func(result) float64) func(row, _ []result) string {
		return func(row, _ []result) string { return fmt.Sprintf(format, median(row, of)) }
	}
	ratio := func(of func(result) float64) column {
		return column{"ratio to " + c.rows[0].title, func(row, first []result) string {
			return fmt.Sprintf("%.2f", median(row, of)/median(first, of))
		}}
	}
	rounds := func(format string, of func(result) float64) func(row, _ []result) string {
		return func(row, _ []result) string {
			cells := make([]string, len(row))
			for i, r := range row {
				cells[i] = fmt.Sprintf(format, of(r))
			}
			return strings.Join(cells, ", ")
		}
	}
	mebibytes := func(n int64) float64 { return float64(n) / (1 << 20) }
	perConn := func(r result) float64 { return float64(r.after-r.before) / float64(s.conns(c)) }
	perSecond := func(r result) float64 { return float64(r.Done) / r.Elapsed.Seconds() }
	perCPU := func(r result) float64 { return 1e6 / r.cpuEach() }
	last := func(r result) float64 {
		return median(r.Last, func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 })
	}
	switch c.kind {
	case "idle":
		columns = []column{
			{"MiB before", number("%.1f", func(r result) float64 { return mebibytes(r.before) })},
			{"MiB with them", number("%.1f", func(r result) float64 { return mebibytes(r.after) })},
			{"bytes for each", number("%.0f", perConn)}, ratio(perConn),
			{"all memory, bytes for each", number("%.0f", func(r result) float64 { return float64(r.after) / float64(s.conns(c)) })},
			{"all rounds", rounds("%.0f", perConn)},
		}
	case "echo":
		columns = []column{
			{"CPU µs/message", number("%.2f", result.cpuEach)}, ratio(result.cpuEach),
			{"all rounds", rounds("%.2f", result.cpuEach)}, {"messages/s", number("%.0f", perSecond)},
		}
	case "broadcast":
		columns = []column{
			{"ms until the last has it", number("%.1f", last)}, {"CPU µs/member", number("%.2f", result.cpuEach)},
			{"all rounds, ms", rounds("%.1f", last)}, {"members/CPU second", number("%.0f", perCPU)},
		}
	default:
		columns = []column{
			{"per CPU second", number("%.0f", perCPU)}, {"CPU µs each", number("%.1f", result.cpuEach)}, ratio(result.cpuEach),
			{"all rounds, µs", rounds("%.1f", result.cpuEach)}, {"per second", number("%.0f", perSecond)},
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s, %d connections |", c.title, s.conns(c))
	for _, column := range columns {
		fmt.Fprintf(&b, " %s |", column.title)
	}
	fmt.Fprintf(&b, "\n| --- |%s\n", strings.Repeat(" ---: |", len(columns)))
	for i, row := range c.rows {
		fmt.Fprintf(&b, "| %s |", row.title)
		for _, column := range columns {
			fmt.Fprintf(&b, " %s |", column.cell(results[i], results[0]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// facts says what was measured on what, in a sentence.
func (s *settings) facts() string {
	programs := ""
	if info, err := buildinfo.ReadFile(s.program); err == nil {
		for _, m := range info.Deps {
			switch m.Path {
			case "github.com/lxzan/gws", "github.com/gorilla/websocket", "github.com/coder/websocket":
				programs += ", " + strings.TrimPrefix(m.Path, "github.com/") + " " + m.Version
			}
		}
	}
	return fmt.Sprintf("%s, %d cores (%s), Linux %s, %s, medians of %d rounds, %v per run after %v of warm-up: Penstock of this tree%s.\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), processor(), kernel(), runtime.Version(), s.rounds, s.each, s.warmUp, programs)
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

// kernel returns the first two numbers of the kernel version.
func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of unknown version"
	}
	return string(regexp.MustCompile(`^\d+\.\d+`).Find(text))
}
