package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"
)

// maxDocument is how many bytes an OpenAPI document may have.
const maxDocument = 6 << 20

type importCommand struct {
	access
	File           string `arg:"" help:"OpenAPI 3.0 document to read, YAML or JSON; - is standard input."`
	API            string `name:"api" help:"Replace everything of this API, given by ID or name, instead of making one." placeholder:"API"`
	Basepath       string `help:"What to do with the base path of the document: ignore, prepend or split." enum:"ignore,prepend,split" default:"ignore"`
	FailOnWarnings bool   `help:"Change nothing if there are warnings."`
	Stage          string `help:"Serve the API on this stage, which is made, and deploys by itself, if it does not exist." placeholder:"NAME"`
	JSON           bool   `name:"json" help:"Print what the server answers, as JSON."`
}

func (importCommand) Help() string {
	return `An OpenAPI document becomes an HTTP API, whole or not at all. What of it had no effect is on standard error, after "warning: " or "info: ".

With --api, routes, integrations, authorizers and CORS of that API are replaced by those of the document. Stages stay; those that deploy by themselves serve the new ones at once.

An import makes no stage, and without one an API is not served: --stage makes it. $default is the stage without a segment of its own in the path.` + accessHelp + `

Examples:

    penstock import openapi.yaml --stage '$default'
    penstock import openapi.yaml --api pets --fail-on-warnings
    penstock export a1b2c3d4e5 | penstock import - --basepath prepend`
}

// An importedAPI is what is shown of the answer to an import.
type importedAPI struct {
	ID       string   `json:"apiId"`
	Endpoint string   `json:"apiEndpoint"`
	Warnings []string `json:"warnings"`
	Info     []string `json:"importInfo"`
}

func (c *importCommand) Run(p *program) error {
	document, err := readDocument(c.File)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	s, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	api, text, err := c.send(ctx, s, document)
	if err != nil {
		return err
	}
	if err = c.report(ctx, p, s, api, text); err == nil {
		err = c.serve(ctx, p, s, api)
	}
	if err != nil {
		return fmt.Errorf("the API %s was imported, but then: %w", escape(api.ID, ""), err)
	}
	return nil
}

// readDocument reads the text of a document. A byte order mark is not part of it.
func readDocument(file string) (string, error) {
	in := os.Stdin
	if file == "-" {
		file = "standard input"
	} else {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxDocument {
		return "", fmt.Errorf("%s is larger than %d MiB, the most that can be imported", file, maxDocument>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		return "", fmt.Errorf("%s is empty: want an OpenAPI 3.0 document", file)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("%s is not UTF-8: want a document in that encoding", file)
	}
	return string(text), nil
}

// send sends the document and returns the answer, also as it came.
func (c *importCommand) send(ctx context.Context, s *client, document string) (*importedAPI, []byte, error) {
	path := resource("apis")
	if c.API != "" {
		id, err := s.api(ctx, c.API)
		if err != nil {
			return nil, nil, err
		}
		path = resource("apis", id)
	}
	query := url.Values{}
	if c.Basepath != "ignore" { // which is what the server does unasked
		query.Set("basepath", c.Basepath)
	}
	if c.FailOnWarnings {
		query.Set("failOnWarnings", "true")
	}
	api := new(importedAPI)
	text, err := s.answer(ctx, http.MethodPut, path, query, map[string]string{"body": document}, api)
	if err == nil && api.ID == "" {
		err = fmt.Errorf("%s answers without an API: --endpoint must name a control plane", s.endpoint)
	}
	return api, text, err
}

// report prints what came of an import. The ID is printed even if the routes cannot
// be counted.
func (c *importCommand) report(ctx context.Context, p *program, s *client, api *importedAPI, text []byte) error {
	for _, warning := range api.Warnings {
		fmt.Fprintf(p.stderr, "warning: %s\n", escape(warning, ""))
	}
	for _, info := range api.Info {
		fmt.Fprintf(p.stderr, "info: %s\n", escape(info, ""))
	}
	if c.JSON {
		return writeJSON(p.stdout, text)
	}
	routes, err := s.list(ctx, resource("apis", api.ID, "routes"))
	count := fmt.Sprintf("%d routes", len(routes))
	switch {
	case err != nil:
		count = "routes not counted"
	case len(routes) == 1:
		count = "1 route"
	}
	_, writeErr := fmt.Fprintf(p.stdout, "%s: %s, endpoint %s\n", escape(api.ID, ""), count, escape(api.Endpoint, ""))
	return errors.Join(err, writeErr)
}

// serve makes the stage that was asked for unless it exists, and says what does not
// serve the import.
func (c *importCommand) serve(ctx context.Context, p *program, s *client, api *importedAPI) error {
	stages := resource("apis", api.ID, "stages")
	items, err := s.list(ctx, stages)
	if err != nil {
		return err
	}
	found := false
	for _, item := range items {
		var stage struct {
			Name       string `json:"stageName"`
			AutoDeploy bool   `json:"autoDeploy"`
		}
		if err := json.Unmarshal(item, &stage); err != nil {
			return fmt.Errorf("read a stage: %w", err)
		}
		found = found || stage.Name == c.Stage
		if !stage.AutoDeploy && (c.Stage == "" || c.Stage == stage.Name) {
			fmt.Fprintf(p.stderr, "note: stage %s does not deploy by itself: until it gets a new deployment, it serves what it served\n", escape(stage.Name, ""))
		}
	}
	switch {
	case c.Stage == "" && len(items) == 0:
		fmt.Fprintf(p.stderr, "note: no stage serves the API yet; the same import with --api %s --stage '$default' makes one\n", escape(api.ID, ""))
		return nil
	case c.Stage == "":
		return nil
	case !found:
		input := map[string]any{"stageName": c.Stage, "autoDeploy": true}
		if _, err := s.call(ctx, http.MethodPost, stages, nil, input); err != nil {
			return err
		}
	}
	if c.JSON {
		return nil
	}
	at := strings.TrimSuffix(api.Endpoint, "/")
	if c.Stage != "$default" {
		at += "/" + url.PathEscape(c.Stage)
	}
	_, err = fmt.Fprintf(p.stdout, "%s: stage %s at %s\n", escape(api.ID, ""), escape(c.Stage, ""), escape(at, ""))
	return err
}
