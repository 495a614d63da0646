//go:build linux

// Command sockets measures the WebSocket side of Penstock beside servers that do nothing
// but echo: memory per idle connection, CPU per message, CPU per connection made, and
// what only Penstock has, @connections and groups. Every server is a process of its own,
// so is the load, and all of it is done several times in turn. It prints tables.
// make bench-sockets builds what it needs and runs it.
//
//	sockets [-tables "idle echo"] [-peers "gws penstock"] [-each 5s] [-penstock FILE]
//
// The other modes are what it starts itself:
//
//	sockets serve NAME     an echo server: gws, gws-http, gorilla or coder
//	sockets backend        an HTTP server that answers with what it gets
//	sockets load KIND …    the load
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sockets:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	mode := ""
	if len(args) > 0 {
		mode = args[0]
	}
	switch mode {
	case "serve":
		if len(args) != 2 {
			return errors.New("serve: which one?")
		}
		return serveEcho(ctx, args[1])
	case "backend":
		return serveBackend(ctx)
	case "load":
		return runLoad(args[1:])
	}
	var s settings
	flags := flag.NewFlagSet("sockets", flag.ContinueOnError)
	tables := flags.String("tables", "", "names of the `tables` to make, space separated; all when empty")
	peers := flags.String("peers", "", "names of the `servers` to measure, space separated; all when empty")
	flags.IntVar(&s.idle, "idle", 15000, "`number` of idle connections")
	flags.IntVar(&s.members, "members", 10000, "`number` of connections in the group")
	flags.IntVar(&s.rounds, "rounds", 3, "`number` of rounds")
	flags.DurationVar(&s.each, "each", 5*time.Second, "measured `time` per row and round")
	flags.DurationVar(&s.warmUp, "warm-up", 2*time.Second, "`time` of load before each measurement")
	flags.DurationVar(&s.settle, "settle", 5*time.Second, "`time` before memory is read")
	flags.StringVar(&s.penstock, "penstock", "penstock", "the `program`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*tables, *peers)
	if err != nil {
		return err
	}
	if s.program, err = os.Executable(); err != nil {
		return err
	}
	return s.run(ctx, chosen)
}
