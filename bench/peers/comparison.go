//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A comparison is one table: rows that are measured in turn under the same load. The
// first row is what the others are compared with.
type comparison struct {
	name   string // as -tables and the marks of the page have it
	title  string // of the first column
	ask    ask
	rounds int
	rows   []contender
}

// A contender is one row of a comparison.
type contender struct {
	peer  string // name
	title string
	start func(context.Context, start) (*server, error)
}

// comparisons are in the order of the page.
var comparisons = []comparison{
	{"plain", "Proxy", ask{}, 2, []contender{
		{"nginx", "nginx", startNginx},
		{"haproxy", "HAProxy", startHAProxy},
		{"penstock", "Penstock", startPenstock(quickCreate)},
		{"fasthttp", "Go fasthttp", startOurs("fasthttp")},
		{"reverseproxy", "Go `httputil.ReverseProxy`", startOurs("reverseproxy")},
		{"caddy", "Caddy", startCaddy},
	}},
	{"tls", "Proxy, TLS and HTTP/1.1", ask{tls: true}, 2, secure},
	{"http2", "Proxy, TLS and HTTP/2, 64 connections", ask{tls: true, streams: 1}, 2, secure},
	{"streams", "Proxy, TLS and HTTP/2, 8 connections with 8 streams", ask{tls: true, streams: 8}, 2, secure},
	{"full", "Proxy", ask{token: true}, 2, []contender{
		{"nginx", "nginx, plain", startNginx},
		{"penstock", "Penstock, plain", startPenstock(quickCreate)},
		{"penstock", "Penstock with JWT authorizer, mappings and access log", startFull},
	}},
	{"routes", "Penstock", ask{}, 4, []contender{
		{"penstock", "10 routes", startRoutes(10)},
		{"penstock", "300 routes", startRoutes(300)},
		{"penstock", "10,000 routes", startRoutes(10000)},
	}},
}

var secure = []contender{
	{"nginx", "nginx", startNginx},
	{"penstock", "Penstock", startPenstock(quickCreate)},
	{"caddy", "Caddy", startCaddy},
}

// choose returns the comparisons named in a space-separated list, with the rows of the
// peers that are named in another, in the order of the page. An empty list names all.
// A comparison in which none of the peers takes part is left out.
func choose(tables, names string) ([]comparison, error) {
	known := func(what, list string, all []string) ([]string, error) {
		want := strings.Fields(list)
		for i, name := range want {
			if !slices.Contains(all, name) || slices.Contains(want[:i], name) {
				return nil, fmt.Errorf("%s %q: choose each once from %s", what, list, strings.Join(all, " "))
			}
		}
		if len(want) == 0 {
			return all, nil
		}
		return want, nil
	}
	var allTables, allPeers []string
	for _, c := range comparisons {
		allTables = append(allTables, c.name)
	}
	for _, p := range peers {
		allPeers = append(allPeers, p.name)
	}
	wantTables, err := known("tables", tables, allTables)
	if err != nil {
		return nil, err
	}
	wantPeers, err := known("peers", names, allPeers)
	if err != nil {
		return nil, err
	}
	var chosen []comparison
	for _, c := range comparisons {
		var rows []contender
		for _, r := range c.rows {
			if slices.Contains(wantPeers, r.peer) {
				rows = append(rows, r)
			}
		}
		if slices.Contains(wantTables, c.name) && len(rows) > 0 {
			c.rows = rows
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

// whole reports whether a comparison has all its rows.
func (c comparison) whole() bool {
	return slices.ContainsFunc(comparisons, func(all comparison) bool {
		return all.name == c.name && len(all.rows) == len(c.rows)
	})
}

// order returns the indexes of the rows in the order of a round: every other round goes
// backwards, so that what changes slowly, such as the neighbours, is shared fairly.
func (c comparison) order(round int) []int {
	order := make([]int, len(c.rows))
	for i := range order {
		order[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}
