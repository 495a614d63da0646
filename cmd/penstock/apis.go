package main

import (
	"encoding/json"
	"fmt"
)

type apisCommand struct {
	access
	JSON bool `name:"json" help:"Print what the server answers, as one JSON array."`
}

func (apisCommand) Help() string {
	return `Each API of a running server is a line: its ID, its name, and the endpoint under which its stages are served.` + accessHelp + `

Examples:

    penstock apis
    penstock apis --json
    penstock apis --endpoint http://127.0.0.1:8081`
}

func (c *apisCommand) Run(p *program) error {
	items, err := c.list(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p.stdout, joinItems(items))
	}
	t, err := apiTable(items)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		fmt.Fprintln(p.stderr, "note: there is no API; penstock import makes one from an OpenAPI document")
	}
	return t.write(p.stdout)
}

func (c *apisCommand) list(p *program) ([]json.RawMessage, error) {
	s, err := c.client(p)
	if err != nil {
		return nil, err
	}
	ctx, stop := interruptible()
	defer stop()
	return s.list(ctx, resource("apis"))
}

func apiTable(items []json.RawMessage) (*table, error) {
	t := &table{heads: []string{"ID", "NAME", "PROTOCOL", "VERSION", "CREATED", "ENDPOINT"}}
	for _, item := range items {
		o, err := parseObject(item)
		if err != nil {
			return nil, fmt.Errorf("read an API: %w", err)
		}
		r := row{cells: []string{o.take("apiId"), o.take("name"), o.take("protocolType"), o.take("version"), o.take("createdDate")}}
		if endpoint := o.take("apiEndpoint"); endpoint != "" {
			r.last = []string{endpoint}
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}
