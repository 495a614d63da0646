//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A server is a process that connections are made to.
type server struct {
	*process
	target
	backend string // address of what HTTP_PROXY integrations call
	want    string // answer to a message of the route echo
}

// A contender is one row of a table.
type contender struct {
	peer  string // name
	title string
	start func(context.Context, *settings) (*server, error)
}

// A comparison is one table: rows that are measured in turn under the same load. The
// first row is what the others are compared with.
type comparison struct {
	name  string // as -tables has it
	title string // of the first column
	kind  string // of load
	conns int    // 0 stands for the setting
	rows  []contender
}

var (
	gwsRow     = contender{"gws", "gws", startEcho("gws")}
	gwsHTTPRow = contender{"gws-http", "gws behind net/http", startEcho("gws-http")}
	gorillaRow = contender{"gorilla", "gorilla/websocket", startEcho("gorilla")}
	coderRow   = contender{"coder", "coder/websocket", startEcho("coder")}
	mockRow    = contender{"penstock", "Penstock, MOCK", startPenstock(mock, 0)}
)

// comparisons are in the order in which they are made.
var comparisons = []comparison{
	{"idle", "Idle connections", "idle", 0, []contender{
		gwsRow, gwsHTTPRow, gorillaRow, coderRow,
		{"penstock", "Penstock", startPenstock(mock, 0)},
	}},
	{"echo", "Echo", "echo", 64, []contender{
		gwsRow, gorillaRow, coderRow, mockRow,
		{"penstock", "Penstock, HTTP_PROXY", startPenstock(proxy, 0)},
	}},
	{"connect", "Connections made and ended", "connect", 16, []contender{
		gwsRow, gorillaRow, coderRow,
		{"penstock", "Penstock without `$connect`", startPenstock(mock, 0)},
		{"penstock", "Penstock, `$connect` with MOCK", startPenstock(mock, withConnect)},
		{"penstock", "Penstock, `$connect` with MOCK, state on disk", startPenstock(mock, withConnect|onDisk)},
	}},
	{"post", "Signed posts to @connections", "post", 64, []contender{
		{"penstock", "Penstock", startPenstock(mock, 0)},
	}},
	{"broadcast", "Messages to one group", "broadcast", 0, []contender{
		{"penstock", "Penstock", startPenstock(mock, 0)},
	}},
}

func startEcho(name string) func(context.Context, *settings) (*server, error) {
	return func(ctx context.Context, s *settings) (*server, error) {
		process, where, err := serve(s.program, "serve", name)
		if err != nil {
			return nil, err
		}
		return (&server{process: process, want: wantEcho, target: target{where["listen"], where["listen"], "/"}}).served(ctx)
	}
}

// choose returns the comparisons and the rows that are named. An empty list names all. A
// comparison without a row is left out.
func choose(tables, peers string) ([]comparison, error) {
	var chosen []comparison
	wantTables, wantPeers := strings.Fields(tables), strings.Fields(peers)
	var knownTables, knownPeers []string
	for _, c := range comparisons {
		knownTables = append(knownTables, c.name)
		all := c.rows
		c.rows = nil
		for _, r := range all {
			knownPeers = append(knownPeers, r.peer)
			if len(wantPeers) == 0 || slices.Contains(wantPeers, r.peer) {
				c.rows = append(c.rows, r)
			}
		}
		if len(c.rows) > 0 && (len(wantTables) == 0 || slices.Contains(wantTables, c.name)) {
			chosen = append(chosen, c)
		}
	}
	slices.Sort(knownPeers)
	knownPeers = slices.Compact(knownPeers)
	for _, name := range wantTables {
		if !slices.Contains(knownTables, name) {
			return nil, fmt.Errorf("table %q: choose from %s", name, strings.Join(knownTables, " "))
		}
	}
	for _, name := range wantPeers {
		if !slices.Contains(knownPeers, name) {
			return nil, fmt.Errorf("server %q: choose from %s", name, strings.Join(knownPeers, " "))
		}
	}
	return chosen, nil
}

// settings say how long and with how many is measured.
type settings struct {
	idle, members, rounds int
	each, warmUp, settle  time.Duration
	program, penstock     string // files
	dir                   string // for configuration, removed afterwards
	backend               string // address
}

func (s *settings) run(ctx context.Context, chosen []comparison) (err error) {
	if s.dir, err = os.MkdirTemp("", "sockets"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	backend, where, err := serve(s.program, "backend")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.stop()) }()
	s.backend = where["listen"]
	fmt.Printf("%s\n", s.facts())
	for _, c := range chosen {
		if err := s.compare(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// compare makes one table. Every other round goes backwards, so that what changes slowly,
// such as the neighbours, is shared fairly.
func (s *settings) compare(ctx context.Context, c comparison) error {
	results := make([][]result, len(c.rows))
	for round := range s.rounds {
		for i := range c.rows {
			if round%2 == 1 {
				i = len(c.rows) - 1 - i
			}
			r, err := s.measure(ctx, c, c.rows[i])
			if err != nil {
				return fmt.Errorf("%s: %w", c.rows[i].title, err)
			}
			fmt.Printf("%s, round %d: %s: %s\n", c.name, round+1, c.rows[i].title, r)
			results[i] = append(results[i], r)
		}
	}
	fmt.Printf("\n%s\n", s.markdown(c, results))
	return nil
}

// measure starts a server, drives it and stops it again.
func (s *settings) measure(ctx context.Context, c comparison, row contender) (r result, err error) {
	server, err := row.start(ctx, s)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if r.before, err = server.memory(); err != nil {
		return r, err
	}
	load := loadSettings{
		target: server.target, want: server.want, conns: s.conns(c), each: s.each, warmUp: s.warmUp, broadcasts: 10,
		region: "us-east-1", accessKeyID: credentials.AccessKeyID, secret: credentials.SecretAccessKey,
	}
	g, err := generate(ctx, s.program, load.arguments(c.kind))
	if err != nil {
		return r, err
	}
	if c.kind == "idle" {
		select {
		case <-time.After(s.settle):
		case <-ctx.Done():
			return r, errors.Join(ctx.Err(), g.stop())
		}
	}
	if r.after, err = server.memory(); err != nil {
		return r, errors.Join(err, g.stop())
	}
	cpu, err := server.cpu()
	if err != nil {
		return r, errors.Join(err, g.stop())
	}
	if r.loadResult, err = g.finish(ctx); err != nil {
		return r, err
	}
	used, err := server.cpu()
	r.cpu = used - cpu
	return r, errors.Join(err, g.stop())
}

// conns is how many connections a table has.
func (s *settings) conns(c comparison) int {
	switch c.kind {
	case "idle":
		return s.idle
	case "broadcast":
		return s.members
	}
	return c.conns
}
