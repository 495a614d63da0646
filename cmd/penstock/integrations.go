package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

type integrationsCommand struct {
	access
	API  string `arg:"" name:"api" help:"ID of the API, or its name if no other has it."`
	JSON bool   `name:"json" help:"Print what the server answers, as one JSON array."`
}

func (integrationsCommand) Help() string {
	return `Each integration of an API is a line, with the routes that lead to it; what no column has is below. With --json, everything is as the server answers it.` + accessHelp + `

Examples:

    penstock integrations pets
    penstock integrations a1b2c3d4e5 --json`
}

func (c *integrationsCommand) Run(p *program) error {
	integrations, routes, err := c.list(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p.stdout, joinItems(integrations))
	}
	t, err := integrationTable(integrations, routes)
	if err != nil {
		return err
	}
	if len(integrations) == 0 {
		fmt.Fprintln(p.stderr, "note: this API has no integrations")
	}
	return t.write(p.stdout)
}

// list returns the integrations and, if they are to be shown, the routes.
func (c *integrationsCommand) list(p *program) (integrations, routes []json.RawMessage, err error) {
	s, err := c.client(p)
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := interruptible()
	defer stop()
	id, err := s.api(ctx, c.API)
	if err != nil {
		return nil, nil, err
	}
	if integrations, err = s.list(ctx, resource("apis", id, "integrations")); err != nil || c.JSON {
		return integrations, nil, err
	}
	routes, err = s.list(ctx, resource("apis", id, "routes"))
	return integrations, routes, err
}

func integrationTable(integrations, routes []json.RawMessage) (*table, error) {
	leading, err := routesByTarget(routes)
	if err != nil {
		return nil, err
	}
	t := &table{heads: []string{"ID", "TYPE", "METHOD", "CALLS", "CONNECTION", "TIMEOUT", "ROUTES"}}
	for _, item := range integrations {
		o, err := parseObject(item)
		if err != nil {
			return nil, fmt.Errorf("read an integration: %w", err)
		}
		id := o.take("integrationId")
		calls := o.take("integrationSubtype")
		if calls == "" {
			calls = o.take("integrationUri")
		}
		r := row{
			cells: []string{id, o.take("integrationType"), o.take("integrationMethod"), calls, o.take("connectionType"), timeout(o.take("timeoutInMillis"))},
			last:  leading["integrations/"+id],
		}
		if connection := o.take("connectionId"); connection != "" {
			r.cells[4] = cmp.Or(r.cells[4], "-") + " " + connection
		}
		if r.below, err = o.lines("    "); err != nil {
			return nil, fmt.Errorf("read the integration %s: %w", id, err)
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}

// timeout returns milliseconds as a duration; what is no whole number stays.
func timeout(cell string) string {
	n, err := strconv.ParseInt(cell, 10, 32)
	if err != nil {
		return cell
	}
	return (time.Duration(n) * time.Millisecond).String()
}

// routesByTarget returns the keys of the routes that lead to each target, sorted.
func routesByTarget(routes []json.RawMessage) (map[string][]string, error) {
	leading := map[string][]string{}
	for _, item := range routes {
		o, err := parseObject(item)
		if err != nil {
			return nil, fmt.Errorf("read a route: %w", err)
		}
		target := o.take("target")
		leading[target] = append(leading[target], o.take("routeKey"))
	}
	for _, keys := range leading {
		slices.Sort(keys)
	}
	return leading, nil
}
