//go:build conformance

// Package conformance tries Penstock with programs that other people wrote, unchanged,
// as their distributors ship them.
//
// TestConformance tells one story about the control plane through four clients that
// people use every day: the AWS CLI, boto3 and the AWS SDKs for JavaScript and Go. Each
// chapter of the story is a function over a story value; a step names an operation, its
// input and the whole output it must have, so that a member too many or too few fails
// it. The chapters together call every operation that a client knows.
//
// The other tests send traffic: TestCurl, TestSigned (botocore), TestBrowser (Chromium),
// TestH2Load and TestH2Spec; TestFaults has toxiproxy before the upstream, TestSlow is
// attacked by slowhttptest, TestDescriptors runs out of files, and TestChanges changes
// what is served under load. WebSocket APIs have TestSockets (ws and Python's websockets),
// TestSignedSockets, TestSocketBrowser, TestSocketAuthorizer, TestSocketCommand (penstock
// ws), TestManagement (the four clients, again) and TestChat.
//
//	make conformance                        # everything
//	make conformance RUN=/boto3/stages      # one client, one chapter of the story
//	make conformance RUN=TestBrowser        # one of the others
package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"penstock/internal/model"
)

// A chapter is told by the clients that know the operations it needs; all clients
// know what needs nothing.
var chapters = []struct {
	name  string
	tell  func(*story)
	needs string
}{
	{name: "apis", tell: apis},
	{name: "apiErrors", tell: apiErrors},
	{name: "quickCreate", tell: quickCreate},
	{name: "tags", tell: tags},
	{name: "httpIntegrations", tell: httpIntegrations},
	{name: "integrationErrors", tell: integrationErrors},
	{name: "serviceIntegrations", tell: serviceIntegrations},
	{name: "privateIntegrations", tell: privateIntegrations},
	{name: "websocketIntegrations", tell: websocketIntegrations},
	{name: "integrationResponses", tell: integrationResponses},
	{name: "routes", tell: routes},
	{name: "routeResponses", tell: routeResponses},
	{name: "models", tell: models},
	{name: "authorizers", tell: authorizers},
	{name: "authorizerErrors", tell: authorizerErrors},
	{name: "websocketAuthorizers", tell: websocketAuthorizers},
	{name: "authorizersCache", tell: authorizersCache},
	{name: "stages", tell: stages},
	{name: "deployments", tell: deployments},
	{name: "autoDeploy", tell: autoDeploy},
	{name: "websocketStages", tell: websocketStages},
	{name: "imports", tell: imports},
	{name: "importErrors", tell: importErrors},
	{name: "exports", tell: exports},
	{name: "domainNames", tell: domainNames},
	{name: "domainNameErrors", tell: domainNameErrors},
	{name: "apiMappings", tell: apiMappings},
	{name: "routingRules", tell: routingRules, needs: "CreateRoutingRule"},
	{name: "vpcLinks", tell: vpcLinks},
	{name: "portals", tell: portals, needs: "CreatePortal"},
	{name: "portalProducts", tell: portalProducts, needs: "CreatePortalProduct"},
	{name: "sharingPolicies", tell: sharingPolicies, needs: "PutPortalProductSharingPolicy"},
	{name: "productPages", tell: productPages, needs: "CreateProductPage"},
	{name: "endpointPages", tell: endpointPages, needs: "CreateProductRestEndpointPage"},
	{name: "taggable", tell: taggable},
	{name: "lists", tell: lists},
	{name: "pages", tell: pages},
	{name: "signatures", tell: signatures},
	{name: "policies", tell: policies},
	{name: "throttling", tell: throttling},
	{name: "traffic", tell: traffic},
	{name: "deployedTraffic", tell: deployedTraffic},
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
				T:       t,
				program: program,
				server:  server,
				subject: subject,
				client:  subject.open(t, server.admin, tester),
				other:   openGo(t, server.admin, tester),
				called:  &calls{ops: map[string]bool{}},
			}
			known, err := s.client.knows(t.Context())
			if err != nil {
				t.Fatalf("what the client knows: %v", err)
			}
			s.known, s.unknown = known, unknown(known)
			toTell := len(chapters)
			var told atomic.Int64
			t.Cleanup(func() { // when all chapters have ended
				if int(told.Load()) == toTell {
					s.checkCalls()
				}
			})
			tell := func(name string, chapter func(*story)) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					copied := *s
					copied.T = t
					chapter(&copied)
					told.Add(1)
				})
			}
			for _, chapter := range chapters {
				if chapter.needs != "" && !s.knows(chapter.needs) {
					toTell--
					continue
				}
				tell(chapter.name, chapter.tell)
			}
			if subject.own != nil {
				tell("own", subject.own)
				toTell++
			}
		})
	}
}

// checkCalls fails the story unless its chapters, all of which were told to the end,
// have called with success every operation that the client knows; and, if the client
// is as new as the model, every one of the model.
func (s *story) checkCalls() {
	want := slices.Sorted(maps.Keys(s.known))
	if s.subject.complete {
		want = nil
		for _, op := range model.Operations {
			want = append(want, op.Name)
		}
		slices.Sort(want)
	}
	got := slices.Sorted(maps.Keys(s.called.ops))
	without := func(all, some []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(op string) bool { return slices.Contains(some, op) })
	}
	if !slices.Equal(got, want) {
		s.Errorf("operations called with success: got %d, want %d; never called: %q; not wanted: %q", len(got), len(want), without(want, got), without(got, want))
	}
	s.Logf("%s called %d operations with success", s.subject.name, len(got))
}

// build compiles the server and returns its path; $PENSTOCK is the path of one
// that is already there, which run.sh has built.
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
	tls           string // https://127.0.0.1:PORT; empty without a TLS listener
}

// serve starts a server with a configuration file and stops it after the test.
// The server must say that it is ready, answer, and end by itself when asked. What
// it logs is shown if the test fails; the calls are in the test.
func serve(t *testing.T, program, config string) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(file, []byte("auditLog: none\n"+config), 0o600); err != nil {
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
		err = s.read(line)
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

// read takes the addresses from the line that says that the server is ready.
func (s *server) read(line string) error {
	if _, err := fmt.Sscanf(line, "penstock ready listen=%s admin=%s\n", &s.listen, &s.admin); err == nil {
		return nil
	}
	_, err := fmt.Sscanf(line, "penstock ready listen=%s listen-tls=%s admin=%s\n", &s.listen, &s.tls, &s.admin)
	return err
}
