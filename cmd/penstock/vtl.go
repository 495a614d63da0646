package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"penstock/vtl"
)

type vtlCommand struct {
	Template       string `help:"The mapping template; like all others here, @FILE reads it from a file and @- from standard input." placeholder:"TEXT" xor:"input"`
	Body           string `help:"What $input reads." placeholder:"TEXT"`
	Params         string `help:"What $input.params() has: an object with the objects path, querystring and header." placeholder:"JSON"`
	Context        string `help:"What $context has: an object." placeholder:"JSON"`
	StageVariables string `help:"What $stageVariables has: an object of strings." placeholder:"JSON"`
	JSONL          bool   `name:"jsonl" help:"Read one case a line from standard input and print one result a line." xor:"input"`
}

func (vtlCommand) Help() string {
	return `Renders a mapping template and prints what comes out. The exit status is 1 if the template is none, or fails; the message tells the line and the column.

With --jsonl each line is an object with t (the template), b (the body), p (the params), c (the context) and sv (the stage variables), all but t optional, and each result an object with o (the output), or with err ("parse" or "exec") and message.

Examples:

    penstock vtl --template '{"id": $input.json("$.id")}' --body '{"id": 7}'
    penstock vtl --template @request.vtl --body @event.json --context '{"stage": "live"}'
    penstock vtl --jsonl < cases.jsonl`
}

// maxCase is the longest file or line that is read, in bytes.
const maxCase = 20 << 20

func (c *vtlCommand) Run(p *program) error {
	if c.JSONL {
		return renderLines(p.stdout, os.Stdin)
	}
	if c.Template == "" {
		return errors.New("want --template or --jsonl")
	}
	for flag, text := range map[string]*string{
		"template": &c.Template, "body": &c.Body, "params": &c.Params, "context": &c.Context,
		"stage-variables": &c.StageVariables,
	} {
		if err := readArgument(text); err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
	}
	data, err := vtlData(c.Body, []byte(c.Params), []byte(c.Context), []byte(c.StageVariables))
	if err != nil {
		return err
	}
	text, err := renderCase(c.Template, data)
	if err != nil {
		return fmt.Errorf("template:%w", err)
	}
	_, err = p.stdout.Write(text)
	return err
}

// readArgument replaces @FILE by what is in the file.
func readArgument(text *string) error {
	name, ok := strings.CutPrefix(*text, "@")
	if !ok {
		return nil
	}
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxCase+1))
	if err != nil {
		return err
	}
	if len(b) > maxCase {
		return fmt.Errorf("%s is longer than 20 MB", name)
	}
	*text = string(b)
	return nil
}

// vtlData returns what a template sees. What is empty is left out.
func vtlData(body string, params, values, stage []byte) (vtl.Data, error) {
	d := vtl.Data{Body: []byte(body)}
	var err error
	if len(params) > 0 {
		if d.Params, err = vtlParams(params); err != nil {
			return d, fmt.Errorf("params: %w", err)
		}
	}
	if len(values) > 0 {
		if d.Context, err = vtl.ParseValues(values); err != nil {
			return d, fmt.Errorf("context: %w", err)
		}
	}
	if len(stage) > 0 {
		if err := json.Unmarshal(stage, &d.StageVariables); err != nil {
			return d, fmt.Errorf("stage variables: %w", err)
		}
	}
	return d, nil
}

// vtlParams reads params, in their order.
func vtlParams(text []byte) (p vtl.Params, err error) {
	parts, err := vtl.ParseValues(text)
	if err != nil {
		return p, err
	}
	for _, part := range parts {
		values, ok := part.Value.(vtl.Values)
		if !ok {
			return p, fmt.Errorf("%q is not an object", part.Name)
		}
		var to *[]vtl.Param
		switch part.Name {
		case "path":
			to = &p.Path
		case "querystring":
			to = &p.Querystring
		case "header":
			to = &p.Header
		default:
			return p, fmt.Errorf("%q is none of path, querystring and header", part.Name)
		}
		for _, v := range values {
			s, ok := v.Value.(string)
			if !ok {
				return p, fmt.Errorf("%s.%s is not a string", part.Name, v.Name)
			}
			*to = append(*to, vtl.Param{Name: v.Name, Value: s})
		}
	}
	return p, nil
}

func renderCase(template string, d vtl.Data) ([]byte, error) {
	t, err := vtl.Parse(template)
	if err != nil {
		return nil, err
	}
	result, err := t.Render(context.Background(), d)
	return result.Text, err
}

// renderLines renders one case a line.
func renderLines(out io.Writer, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxCase)
	w := bufio.NewWriter(out)
	results := json.NewEncoder(w)
	results.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c struct {
			T        string
			B        string
			P, C, SV json.RawMessage
		}
		err := json.Unmarshal(lines.Bytes(), &c)
		var data vtl.Data
		if err == nil {
			data, err = vtlData(c.B, c.P, c.C, c.SV)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("line %d: %w", n, err), w.Flush())
		}
		var result struct {
			O       *string `json:"o,omitempty"`
			Err     string  `json:"err,omitempty"`
			Message string  `json:"message,omitempty"`
		}
		text, err := renderCase(c.T, data)
		if e := (*vtl.Error)(nil); errors.As(err, &e) {
			result.Err, result.Message = e.Kind.String(), e.Error()
		} else if err != nil {
			return err
		} else {
			result.O = new(string(text))
		}
		if err := results.Encode(result); err != nil {
			return err
		}
	}
	return errors.Join(lines.Err(), w.Flush())
}
