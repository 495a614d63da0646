package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type logsCommand struct {
	access
	Function string `arg:"" optional:"" help:"Name of the function; without it, all functions."`
	Follow   bool   `short:"f" help:"Go on with what comes, until Ctrl-C."`
	Last     int    `help:"How many lines of before to begin with." default:"100" placeholder:"N"`
	JSON     bool   `name:"json" help:"Print each line as the JSON that the server answers."`
}

func (logsCommand) Help() string {
	return `What Lambda functions have written, and when their invocations began and ended. The server keeps the newest lines of each function (functionHost.logMemory in its configuration).` + accessHelp + `

Examples:

    penstock logs
    penstock logs hello --follow
    penstock logs hello --last 20 --json`
}

// maxLogLine is the longest line of JSON that is read, in bytes: that of a line of 256
// KiB, of which each byte may be escaped.
const maxLogLine = 2 << 20

func (c *logsCommand) Run(p *program) error {
	s, err := c.client(p)
	if err != nil {
		return err
	}
	s.http.Timeout = 0 // it lasts until it is interrupted
	ctx, stop := interruptible()
	defer stop()
	query := url.Values{"last": {strconv.Itoa(c.Last)}}
	if c.Function != "" {
		query.Set("function", c.Function)
	}
	if c.Follow {
		query.Set("follow", "true")
	}
	resp, err := s.send(ctx, question{method: http.MethodGet, path: "/_penstock/functions/logs", query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLogLine)
	for lines.Scan() {
		text := lines.Text()
		if !c.JSON {
			var l struct {
				Time           time.Time
				Function, Text string
			}
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				return fmt.Errorf("%s answers what cannot be read: %w: --endpoint must name a control plane", s.endpoint, err)
			}
			text = l.Time.Local().Format("15:04:05.000") + " " + escape(l.Function, "") + " " + escape(l.Text, "\t")
		}
		if _, err := fmt.Fprintln(p.stdout, text); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil // somebody has seen enough
	}
	if err := lines.Err(); err != nil {
		return s.failure(resp.Request, err)
	}
	return nil
}
