package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

type wsCommand struct {
	URL         string         `arg:"" help:"Address of a stage: ws:// or wss://."`
	Execute     []string       `short:"x" sep:"none" help:"Send this message before those of standard input, which is not read if it is a terminal. May be repeated." placeholder:"TEXT"`
	Header      []string       `short:"H" sep:"none" help:"Send this header with the handshake. May be repeated." placeholder:"'NAME: VALUE'"`
	Subprotocol []string       `help:"Offer this subprotocol. May be repeated." placeholder:"NAME"`
	APIKey      string         `name:"api-key" help:"Send this API key, as x-api-key." placeholder:"KEY"`
	Sign        bool           `help:"Sign the handshake, for a route with AWS_IAM."`
	Config      string         `short:"c" help:"Sign with the first credential of this configuration." placeholder:"FILE"`
	Region      string         `help:"Region to sign for. Default: that in the host name, or else that of the configuration." placeholder:"NAME"`
	Count       int            `help:"End when so many messages have come. The exit status is 1 if fewer come." placeholder:"N"`
	Wait        *time.Duration `help:"How long to wait for answers after the end of the input; 0 closes at once. Default: 1s; with --count 30s, which is longer than an integration may take." placeholder:"DURATION"`
	Timeout     time.Duration  `help:"Give up after this time, with exit status 1." placeholder:"DURATION"`
	Ping        time.Duration  `help:"Ping the server this often, and end if it does not answer. This does not keep a stage from closing an idle connection." placeholder:"DURATION"`
	Deflate     bool           `help:"Offer compression of what the server sends."`
	Insecure    bool           `help:"Take any certificate of the server."`
}

func (wsCommand) Help() string {
	return `Connects to a WebSocket API, sends each line of standard input as one text message, and prints each message that comes as one line; a binary one as "binary:" and base64. What else happens is told on standard error. On a terminal, "> " stands before what is sent and "< " before what comes; an empty line is not sent there.

Names under localhost lead to this machine, whatever the resolver says of them. Messages of more than 32 KB are sent in frames of 32 KB. The service takes messages of up to 128 KB and closes the connection with 1009 if one is longer.

--sign takes the first credential of the configuration (--config, PENSTOCK_CONFIG), or else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

The exit status is 0 if either side closed the connection normally (1000, or no code), and 1 otherwise.

Examples:

    penstock ws ws://a1b2c3.execute-api.us-east-1.localhost:8080/dev
    penstock ws -x '{"action":"ping"}' --count 1 ws://a1b2c3.execute-api.us-east-1.localhost:8080/dev
    penstock ws --sign --wait 10s wss://a1b2c3.execute-api.us-east-1.amazonaws.com/prod < messages.jsonl`
}

const (
	// $connect has an integration and perhaps an authorizer, each of which may take half a
	// minute.
	handshakeTimeout = 75 * time.Second

	defaultWait = time.Second
	countWait   = 30 * time.Second // with --count
	pongTimeout = 10 * time.Second
)

func (c *wsCommand) Run(p *program) error {
	d := &dialogue{out: p.stdout, notes: p.stderr}
	in := io.Reader(os.Stdin)
	if f, ok := p.stdout.(*os.File); ok && isTerminal(f) {
		d.screen = true
	}
	if isTerminal(os.Stdin) {
		if len(c.Execute) > 0 {
			in = nil // a command with its messages comes back by itself
		} else {
			d.prompts = d.screen
		}
	}
	return c.converse(p, in, d)
}

// converse connects, and ends when the connection is closed. The input may be nil. If
// something else than its end ends the connection, the goroutine that reads it stays until
// its next line.
func (c *wsCommand) converse(p *program, in io.Reader, d *dialogue) error {
	if c.Count < 0 || c.Ping < 0 || c.Timeout < 0 || c.Wait != nil && *c.Wait < 0 {
		return errors.New("--count, --wait, --timeout and --ping cannot be negative")
	}
	h, err := c.handshake(p)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	context.AfterFunc(ctx, stop) // the second Ctrl-C does not wait for the server
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("not over after %v (--timeout)", c.Timeout))
		defer cancel()
	}
	conn, resp, err := h.dial(ctx)
	if err != nil {
		return err
	}
	d.note(h.connected(resp))
	defer d.end()
	s := &session{conn: conn, dialogue: d, count: c.Count, execute: c.Execute, in: in, wait: defaultWait, ping: c.Ping, pongTimeout: pongTimeout}
	if c.Count > 0 {
		s.wait = countWait
	}
	if c.Wait != nil {
		s.wait = *c.Wait
	}
	err = s.run(ctx)
	if s.came >= s.count {
		return err
	}
	short := fmt.Errorf("%d of %d messages came", s.came, s.count)
	if err == nil {
		return short
	}
	return fmt.Errorf("%w: %w", short, err)
}
