package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

type exportCommand struct {
	access
	API          string `arg:"" name:"api" help:"ID of the API, or its name if no other has it."`
	Stage        string `help:"Export what this stage serves, not what is being edited." placeholder:"NAME"`
	Format       string `help:"yaml or json." enum:"yaml,json" default:"yaml"`
	NoExtensions bool   `help:"Leave out what only API Gateway understands, such as integrations."`
	Output       string `help:"Write to this file, which is replaced if it exists, instead of standard output." short:"o" placeholder:"FILE"`
}

func (exportCommand) Help() string {
	return `An HTTP API becomes an OpenAPI 3.0 document, which penstock import and API Gateway take. A file is written whole or not at all.` + accessHelp + `

Examples:

    penstock export pets > openapi.yaml
    penstock export pets --stage '$default' --format json --output openapi.json
    penstock export pets --no-extensions`
}

func (c *exportCommand) Run(p *program) error {
	document, err := c.get(p)
	if err != nil {
		return err
	}
	if c.Output == "" || c.Output == "-" {
		_, err := p.stdout.Write(document)
		return err
	}
	err = writeWhole(c.Output, 0o666, func(f *os.File) error {
		_, err := f.Write(document)
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// get returns the document as the server wrote it.
func (c *exportCommand) get(p *program) ([]byte, error) {
	s, err := c.client(p)
	if err != nil {
		return nil, err
	}
	ctx, stop := interruptible()
	defer stop()
	id, err := s.api(ctx, c.API)
	if err != nil {
		return nil, err
	}
	query := url.Values{
		"outputType":        {strings.ToUpper(c.Format)},
		"includeExtensions": {strconv.FormatBool(!c.NoExtensions)},
	}
	if c.Stage != "" {
		query.Set("stageName", c.Stage)
	}
	return s.call(ctx, http.MethodGet, resource("apis", id, "exports", "OAS30"), query, nil)
}
