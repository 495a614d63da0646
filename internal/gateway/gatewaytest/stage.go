// Package gatewaytest makes what gateways serve, for tests.
package gatewaytest

import (
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/route"
)

// Stage gives a stage its routes, which need nothing but a key and what they lead to,
// and returns it.
func Stage(t testing.TB, s *gateway.Stage, routes ...*gateway.Route) *gateway.Stage {
	t.Helper()
	entries := make([]route.Entry[*gateway.Route], 0, len(routes))
	for _, r := range routes {
		key, err := route.ParseKey(r.Key)
		if err != nil {
			t.Fatal(err)
		}
		r.Vars = key.Vars()
		entries = append(entries, route.Entry[*gateway.Route]{Key: key, Value: r})
	}
	table, err := route.NewTable(entries)
	if err != nil {
		t.Fatal(err)
	}
	s.Routes, s.Table = routes, table
	return s
}
