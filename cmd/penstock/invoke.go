package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type invokeCommand struct {
	access
	Function  string `arg:"" help:"Name or ARN of the function."`
	Payload   string `help:"The event, JSON; @FILE reads it from a file, - from standard input." default:"{}" placeholder:"JSON"`
	Qualifier string `help:"Version or alias." placeholder:"NAME"`
	Event     bool   `help:"Do not wait for the answer."`
	Log       bool   `help:"Print the end of the log, to standard error. It is printed anyway if the function fails."`
}

func (invokeCommand) Help() string {
	return `Calls a Lambda function of a running server and prints its answer. The exit status is 1 if the function failed; its answer then says why.` + accessHelp + `

Examples:

    penstock invoke hello
    penstock invoke hello --payload '{"name":"Ada"}' --log
    penstock invoke hello --payload @event.json --qualifier live`
}

// maxPayload is the longest event that is read, in bytes; the server says what is too
// long.
const maxPayload = 7 << 20

func (c *invokeCommand) Run(p *program) error {
	payload, err := c.payload()
	if err != nil {
		return err
	}
	if !json.Valid(payload) {
		return fmt.Errorf("--payload: %s is not JSON", escape(string(payload[:min(len(payload), 100)]), ""))
	}
	s, err := c.client(p)
	if err != nil {
		return err
	}
	s.http.Timeout = 0 // a function takes as long as it takes
	ctx, stop := interruptible()
	defer stop()
	q := question{
		method:      http.MethodPost,
		path:        "/2015-03-31/functions/" + url.PathEscape(c.Function) + "/invocations",
		header:      map[string]string{"X-Amz-Invocation-Type": "RequestResponse", "X-Amz-Log-Type": "Tail"},
		body:        payload,
		contentType: "application/json",
		service:     "lambda",
	}
	if c.Qualifier != "" {
		q.query = url.Values{"Qualifier": {c.Qualifier}}
	}
	if c.Event {
		q.header = map[string]string{"X-Amz-Invocation-Type": "Event"}
	}
	header, answer, err := s.ask(ctx, q)
	if err != nil {
		return err
	}
	failed := header.Get("X-Amz-Function-Error")
	if log, err := base64.StdEncoding.DecodeString(header.Get("X-Amz-Log-Result")); err == nil && (c.Log || failed != "") {
		fmt.Fprint(p.stderr, escape(string(log), "\n\t"))
	}
	if c.Event {
		return nil
	}
	if text := strings.TrimSuffix(string(answer), "\n"); text != "" {
		fmt.Fprintln(p.stdout, text)
	}
	if failed == "" {
		return nil
	}
	var what struct{ ErrorType, ErrorMessage string }
	_ = json.Unmarshal(answer, &what) // says nothing more if it is something else
	return fmt.Errorf("the function failed: %s: %s", escape(cmp.Or(what.ErrorType, failed), ""), escape(what.ErrorMessage, "\n\t"))
}

// payload returns the event.
func (c *invokeCommand) payload() ([]byte, error) {
	in := io.Reader(strings.NewReader(c.Payload))
	if name, ok := strings.CutPrefix(c.Payload, "@"); ok {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--payload: %w", err)
		}
		defer f.Close()
		in = f
	} else if c.Payload == "-" {
		in = os.Stdin
	}
	payload, err := io.ReadAll(io.LimitReader(in, maxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("--payload: %w", err)
	}
	if len(payload) > maxPayload {
		return nil, errors.New("--payload: longer than an event may be: want up to 6 MB")
	}
	return payload, nil
}
