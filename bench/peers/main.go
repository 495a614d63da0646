//go:build linux

// Command peers measures Penstock beside other reverse proxies: the same
// request, the same upstream, the same load, one proxy at a time, all of it
// several times. It prints tables and puts those in which every peer took part into
// docs/benchmarks.md. make bench-peers installs what it needs and runs it.
//
//	peers [-tables "plain tls"] [-peers "nginx penstock"] [-each 8s] [-bin DIR] [-doc FILE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	inFlight = 64 // requests of the load generator that are under way at once
	workers  = 2  // worker processes or threads of every server that has a setting for it
)

func main() {
	var s settings
	flag.StringVar(&s.tables, "tables", "", "names of the `tables` to make, space separated; all when empty")
	flag.StringVar(&s.peers, "peers", "", "names of the `proxies` to measure, space separated; all when empty")
	flag.DurationVar(&s.each, "each", 8*time.Second, "measured `time` per row and round")
	flag.DurationVar(&s.warmUp, "warm-up", 2*time.Second, "`time` of load before each measurement")
	flag.StringVar(&s.bin, "bin", "", "`directory` of the programs that are not installed")
	flag.StringVar(&s.doc, "doc", "", "Markdown `file` with the tables that are replaced when every peer took part")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

type settings struct {
	tables, peers, bin, doc string
	each, warmUp            time.Duration
}

func (s *settings) run(ctx context.Context) (err error) {
	tables, lambda, others := withLambda(s.tables)
	var chosen []comparison
	if others {
		if chosen, err = choose(tables, s.peers); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	at := start{bin: s.bin, dir: dir}
	if at.certificate, err = newCertificate(dir); err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if at.issuer, err = startIssuer(); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	defer at.issuer.Close()
	up, err := startUpstream(ctx, dir)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	at.upstream = up.addr

	for _, c := range chosen {
		if err := s.compare(ctx, c, at); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if lambda && s.peers == "" {
		if err := s.compareFunctions(ctx, at); err != nil {
			return fmt.Errorf("%s: %w", lambdaTable, err)
		}
	}
	return nil
}

// compare makes one table.
func (s *settings) compare(ctx context.Context, c comparison, at start) error {
	at.ask = c.ask
	results := make([][]result, len(c.rows))
	for round := range c.rounds {
		for _, i := range c.order(round) {
			fmt.Printf("%s, round %d: %s\n", c.name, round+1, c.rows[i].title)
			r, err := s.measure(ctx, c.rows[i], at)
			if err != nil {
				return fmt.Errorf("%s: %w", c.rows[i].title, err)
			}
			results[i] = append(results[i], r)
		}
	}
	table := markdown(c, results)
	fmt.Printf("\n%s\n", table)
	if s.doc == "" || !c.whole() {
		return nil
	}
	return replaceTable(s.doc, c.name, s.facts(c)+"\n"+table)
}

// measure starts a proxy, drives it and stops it again.
func (s *settings) measure(ctx context.Context, c contender, at start) (r result, err error) {
	server, err := c.start(ctx, at)
	if err != nil {
		return result{}, err
	}
	running := true
	stop := func() error {
		if !running {
			return nil
		}
		running = false
		return server.stop()
	}
	defer func() { err = errors.Join(err, stop()) }()
	warm, err := drive(ctx, server, at, s.warmUp)
	if err != nil {
		return result{}, fmt.Errorf("warm up: %w", err)
	}
	before, err := server.usage(ctx)
	if err != nil {
		return result{}, err
	}
	l, err := drive(ctx, server, at, s.each)
	if err != nil {
		return result{}, err
	}
	after, err := server.usage(ctx)
	if err != nil {
		return result{}, err
	}
	if err := stop(); err != nil {
		return result{}, err
	}
	if server.accessLog != "" {
		lines, err := countLines(server.accessLog)
		if err != nil {
			return result{}, err
		}
		l.errors += max(0, warm.requests+l.requests-lines)
	}
	return result{
		load:          l,
		cpuPerRequest: float64((after.cpu - before.cpu).Microseconds()) / float64(l.requests),
		allocations:   (after.allocations - before.allocations) / float64(l.requests),
		counted:       server.metrics != "",
	}, nil
}
