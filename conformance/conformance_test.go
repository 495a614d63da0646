//go:build conformance

// Package conformance tells one story about Penstock through four clients that
// people use every day: the AWS CLI, boto3 and the AWS SDKs for JavaScript and
// Go, unchanged, as their distributors ship them. Each chapter of the story is a
// function over a story value; a step names an operation, its input and the
// whole output it must have, so that a member too many or too few fails it.
//
//	make conformance                        # everything
//	make conformance RUN=/boto3/stages      # one client, one chapter
package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

var chapters = []struct {
	name string
	tell func(*story)
}{
	{"apis", apis},
	{"apiErrors", apiErrors},
	{"quickCreate", quickCreate},
	{"tags", tags},
	{"httpIntegrations", httpIntegrations},
	{"integrationErrors", integrationErrors},
	{"serviceIntegrations", serviceIntegrations},
	{"privateIntegrations", privateIntegrations},
	{"websocketIntegrations", websocketIntegrations},
	{"routes", routes},
	{"stages", stages},
	{"deployments", deployments},
	{"autoDeploy", autoDeploy},
	{"websocketStages", websocketStages},
	{"pages", pages},
	{"signatures", signatures},
	{"throttling", throttling},
	{"traffic", traffic},
	{"deployedTraffic", deployedTraffic},
}

// tester is who tells the story; the server knows it and checks each signature.
var tester = &credentials{AccessKeyID: "AKIDCONFORMANCE", SecretAccessKey: "a/secret+with=signs", SessionToken: "a//session+token=="}

const testerConfig = `
credentials:
  - accessKeyId: AKIDCONFORMANCE
    secretAccessKey: a/secret+with=signs
    sessionToken: a//session+token==
`

func TestConformance(t *testing.T) {
	program := build(t)
	for _, subject := range subjects {
		t.Run(subject.name, func(t *testing.T) {
			server := serve(t, program, testerConfig)
			s := &story{
				program: program,
				server:  server,
				subject: subject,
				client:  subject.open(t, server.admin, tester),
				other:   openGo(t, server.admin, tester),
			}
			tell := func(name string, chapter func(*story)) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					told := *s
					told.T = t
					chapter(&told)
				})
			}
			for _, chapter := range chapters {
				tell(chapter.name, chapter.tell)
			}
			if subject.own != nil {
				tell("own", subject.own)
			}
		})
	}
}

// build compiles the server and returns its path; $PENSTOCK is the path of one
// that is already there.
func build(t *testing.T) string {
	if program := os.Getenv("PENSTOCK"); program != "" {
		return program
	}
	program := filepath.Join(t.TempDir(), "penstock")
	if text, err := exec.Command("go", "build", "-o", program, "../cmd/penstock").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return program
}

// A server is a running Penstock with nothing in it at first.
type server struct {
	listen, admin string // http://127.0.0.1:PORT
}

// serve starts a server with a configuration file and stops it after the test.
// The server must say that it is ready, answer, and end by itself when asked.
func serve(t *testing.T, program, config string) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--memory", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--config", file)
	cmd.WaitDelay = time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("server ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", log.Bytes())
		}
	})

	s := new(server)
	timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	timer.Stop()
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(drained)
	}()
	if err == nil {
		_, err = fmt.Sscanf(line, "penstock ready listen=%s admin=%s\n", &s.listen, &s.admin)
	}
	if err != nil {
		t.Fatalf("first line of the server: %q: %v", line, err)
	}
	resp, err := http.Get(s.admin + "/_penstock/ready")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("ready: got %s, want 200", resp.Status)
	}
	return s
}
