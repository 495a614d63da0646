//go:build linux

// Command peers measures Penstock beside other reverse proxies: the same
// request, the same upstream, the same load, one proxy at a time, all of it
// twice. It prints a table and, when every peer took part, puts it into
// docs/benchmarks.md. make bench-peers installs what it needs and runs it.
//
//	peers [-peers "nginx penstock"] [-seconds 8] [-bin DIR] [-doc FILE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	rounds      = 2
	connections = 64 // keep-alive connections of the load generator
	workers     = 2  // worker processes or threads of every server that has a setting for it
)

func main() {
	var s settings
	flag.StringVar(&s.only, "peers", "", "names of the `proxies` to measure, space separated; all when empty")
	flag.DurationVar(&s.each, "each", 8*time.Second, "measured `time` per proxy and round")
	flag.DurationVar(&s.warmUp, "warm-up", 2*time.Second, "`time` of load before each measurement")
	flag.StringVar(&s.bin, "bin", "", "`directory` of the programs that are not installed")
	flag.StringVar(&s.doc, "doc", "", "Markdown `file` whose table is replaced when every peer took part")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

type settings struct {
	only, bin, doc string
	each, warmUp   time.Duration
}

func (s *settings) run(ctx context.Context) (err error) {
	chosen, err := choose(s.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	up, err := startUpstream(ctx, dir)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	defer func() { err = errors.Join(err, up.stop()) }()

	rows := make([]row, len(chosen))
	for round := range rounds {
		for i, p := range chosen {
			fmt.Printf("round %d: %s\n", round+1, p.name)
			r, err := s.measure(ctx, p, up.addr, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			rows[i].peer = p
			rows[i].results[round] = r
		}
	}
	table := markdown(rows)
	fmt.Printf("\n%s", table)
	if s.doc == "" || len(chosen) < len(peers) {
		return nil
	}
	return replaceTable(s.doc, s.facts(chosen)+"\n"+table)
}

// choose returns the peers named in a space-separated list, in the order of the
// table, or all of them for an empty list.
func choose(names string) ([]peer, error) {
	want := strings.Fields(names)
	if len(want) == 0 {
		return peers, nil
	}
	var chosen []peer
	for _, p := range peers {
		if slices.Contains(want, p.name) {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) != len(want) {
		var known []string
		for _, p := range peers {
			known = append(known, p.name)
		}
		return nil, fmt.Errorf("peers %q: choose each once from %s", names, strings.Join(known, " "))
	}
	return chosen, nil
}

// measure starts a proxy, drives it and stops it again.
func (s *settings) measure(ctx context.Context, p peer, upstream, dir string) (r result, err error) {
	server, err := p.start(ctx, start{bin: s.bin, dir: dir, upstream: upstream})
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if _, err := drive(ctx, server, s.warmUp); err != nil {
		return result{}, fmt.Errorf("warm up: %w", err)
	}
	before, err := server.cpu()
	if err != nil {
		return result{}, err
	}
	l, err := drive(ctx, server, s.each)
	if err != nil {
		return result{}, err
	}
	after, err := server.cpu()
	if err != nil {
		return result{}, err
	}
	return result{
		cpuPerRequest: float64((after - before).Microseconds()) / float64(l.requests),
		load:          l,
	}, nil
}
