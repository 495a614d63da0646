// Command penstock runs Penstock: Amazon API Gateway V2 that you can run anywhere.
//
//	penstock serve          the server
//	penstock demo           the server with a sample API, to be played with
//	penstock apis           the APIs of a running server
//	penstock integrations   the integrations of an API, with everything they have
//	penstock explain        why a request got its answer
//	penstock invoke         call a Lambda function of a running server
//	penstock logs           what Lambda functions have written
//	penstock vtl            render a mapping template
//	penstock ws             talk to a WebSocket API
//	penstock import         make or replace an API from an OpenAPI document
//	penstock export         write an API as an OpenAPI document
//	penstock backup         save everything to a file
//	penstock restore        start again from such a file
//	penstock version        which Penstock this is
//
// The exit status is 0 if all went well, 1 if not, and 2 if the command line was
// not understood.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Serve        serveCommand        `cmd:"" help:"Run the server."`
	Demo         demoCommand         `cmd:"" help:"Run a server with a sample API and show what it does."`
	APIs         apisCommand         `cmd:"" name:"apis" help:"List the APIs of a running server."`
	Integrations integrationsCommand `cmd:"" help:"List the integrations of an API with everything they have."`
	Explain      explainCommand      `cmd:"" help:"Tell why a request got its answer."`
	Invoke       invokeCommand       `cmd:"" help:"Call a Lambda function of a running server."`
	Logs         logsCommand         `cmd:"" help:"Show what Lambda functions have written."`
	VTL          vtlCommand          `cmd:"" name:"vtl" help:"Render a mapping template."`
	WS           wsCommand           `cmd:"" name:"ws" help:"Talk to a WebSocket API."`
	Import       importCommand       `cmd:"" help:"Make or replace an API from an OpenAPI document."`
	Export       exportCommand       `cmd:"" help:"Write an API as an OpenAPI document."`
	Backup       backupCommand       `cmd:"" help:"Save everything that is stored to a file."`
	Restore      restoreCommand      `cmd:"" help:"Make a data directory from a backup."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// A program is what a command works with.
type program struct {
	environ        []string // name=value
	stdout, stderr io.Writer
}

// getenv returns the value of an environment variable.
func (p *program) getenv(name string) (value string) {
	for _, e := range p.environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

func main() {
	p := &program{os.Environ(), os.Stdout, os.Stderr}
	if serve := p.function(); serve != nil {
		serve() // does not return
	}
	os.Exit(run(os.Args[1:], p))
}

// run returns the exit status.
func run(args []string, p *program) int {
	parser := kong.Must(new(commandLine),
		kong.Name("penstock"),
		kong.Description("Amazon API Gateway V2 that you can run anywhere."),
		kong.Writers(p.stdout, p.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "penstock: %v\nTry penstock --help.\n", err)
		return 2
	}
	if err := command.Run(p); err != nil {
		fmt.Fprintf(p.stderr, "penstock: %v\n", err)
		return 1
	}
	return 0
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The
// second ends the process at once.
func untilSignal() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		stop()
		<-signals
		os.Exit(1)
	}()
	return ctx
}

type versionCommand struct{}

func (versionCommand) Help() string {
	return "Example:\n\n    penstock version"
}

func (versionCommand) Run(p *program) error {
	fmt.Fprintf(p.stdout, "penstock %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// version returns the version of the module, and the revision it was built from if
// that is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		v += " " + revision
		if settings["vcs.modified"] == "true" {
			v += " (modified)"
		}
	}
	return v
}
