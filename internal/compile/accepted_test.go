package compile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"penstock/internal/control"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/store"
)

// A failLog notes what a sound program never logs.
type failLog struct{ failed chan string }

func (l failLog) Write(line []byte) (int, error) {
	select {
	case l.failed <- string(line):
	default:
	}
	return len(line), nil
}

// planes are a control plane and a gateway that serves what it accepts. Nobody is
// called: every address counts as the gateway's own.
type planes struct {
	control *control.Server
	gateway *gateway.Server
	addr    string
	failed  chan string // what a sound program never logs
}

func newPlanes(tb testing.TB) *planes {
	tb.Helper()
	fail := failLog{make(chan string, 1)}
	log := slog.New(slog.NewTextHandler(fail, &slog.HandlerOptions{Level: slog.LevelError}))
	st := store.NewMemory()
	o := options(tb)
	o.Client = integration.NewClient(integration.ClientConfig{AllowPrivate: true, Own: func(netip.AddrPort) bool { return true }})
	o.AccessLog = func(string) AccessLogSink { return nowhere{} }
	o.Invoker = silent{}
	p := &planes{failed: fail.failed}
	p.gateway = gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}, Logger: log})
	publisher := Start(st, o, p.gateway.Publish, log)
	p.control = control.New(control.Options{Store: st, Publisher: publisher, Log: log})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- p.gateway.Serve(l) }()
	tb.Cleanup(func() {
		publisher.Close()
		p.gateway.Close()
		if err := <-served; err != nil {
			tb.Error(err)
		}
		o.Client.Close()
		st.Close()
	})
	return p
}

// silent is every function there is: it answers nothing.
type silent struct{}

func (silent) Invoke(context.Context, integration.Invocation) (integration.InvocationResult, error) {
	return integration.InvocationResult{}, nil
}

// nowhere is where the access logs of tests go.
type nowhere struct{}

func (nowhere) Write([]byte) {}

// send asks the control plane and returns the status of its answer and what is in it.
func (p *planes) send(t *testing.T, method, path string, body any) (int, map[string]any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.control.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/v2/apis"+path, bytes.NewReader(data)))
	if w.Code >= 500 && w.Code != http.StatusNotImplemented {
		t.Fatalf("%s %s %s: %d %s", method, path, data, w.Code, w.Body)
	}
	answer := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code, answer
}

// call asks the control plane and returns the answer, nil if it refused.
func (p *planes) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	status, answer := p.send(t, method, path, body)
	if status/100 != 2 {
		return nil
	}
	return answer
}

// FuzzAcceptedCompiles: what the control plane accepts can be compiled, and a
// request to it is answered, whatever strange things it is made of.
func FuzzAcceptedCompiles(f *testing.F) {
	for _, seed := range []struct{ key, kind, method, uri, variable, value string }{
		{"GET /pets/{id}", "HTTP_PROXY", "ANY", "http://127.0.0.1:1/{id}", "7", "a/b"},
		{"ANY /{proxy+}", "HTTP_PROXY", "GET", "https://[::1]/x?{proxy}", "", "a"},
		{"$default", "HTTP_PROXY", "POST", "http://127.0.0.1/${stageVariables.v}", "x y", "é"},
		{"GET /a", "HTTP_PROXY", "ANY", "${stageVariables.v}", "http://127.0.0.1:1", "x"},
		{"GET /a/{b}/{c}", "HTTP_PROXY", "DELETE", "http://127.0.0.1/{c}{b}#f", "", "%2e"},
		{"GET /l", "AWS_PROXY", "POST", "arn:aws:lambda:us-east-1:123456789012:function:f", "", ""},
		{"ANY /l/{b}", "AWS_PROXY", "POST", "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f:${stageVariables.v}/invocations", "live", "é"},
		{"OPTIONS /-._~%20", "HTTP_PROXY", "HEAD", "http://127.0.0.1:1/a b", "", "x"},
	} {
		f.Add(seed.key, seed.kind, seed.method, seed.uri, seed.variable, seed.value)
	}
	p := newPlanes(f)
	f.Fuzz(func(t *testing.T, key, kind, method, uri, variable, value string) {
		api := p.call(t, "POST", "", map[string]any{"name": "fuzz", "protocolType": "HTTP"})
		id := fmt.Sprint(api["apiId"])
		defer p.call(t, "DELETE", "/"+id, nil)
		in := p.call(t, "POST", "/"+id+"/integrations", map[string]any{
			"integrationType": kind, "integrationMethod": method, "integrationUri": uri, "payloadFormatVersion": "1.0", "timeoutInMillis": 50,
		})
		if in == nil {
			return
		}
		if p.call(t, "POST", "/"+id+"/routes", map[string]any{"routeKey": key, "target": fmt.Sprint("integrations/", in["integrationId"])}) == nil {
			return
		}
		if p.call(t, "POST", "/"+id+"/stages", map[string]any{"stageName": "$default", "autoDeploy": true, "stageVariables": map[string]string{"v": variable}}) == nil &&
			p.call(t, "POST", "/"+id+"/stages", map[string]any{"stageName": "$default", "autoDeploy": true}) == nil {
			t.Fatalf("no stage for %q", key)
		}
		stage := p.gateway.Snapshot().API(id).Stages["$default"]
		if stage == nil || len(stage.Routes) != 1 || stage.Routes[0].Key != key {
			t.Fatalf("%q was accepted and is not served: %+v", key, stage)
		}
		if reachesOut(uri, variable, value) {
			return
		}
		ask(t, p.addr, id, key, value)
		select {
		case line := <-p.failed:
			t.Errorf("%q %q %q: %s", key, method, uri, line)
		default:
		}
	})
}

// reachesOut reports whether an integration may have to look up a name.
func reachesOut(uri, variable, value string) bool {
	if strings.HasPrefix(uri, "arn:") {
		return false
	}
	u, err := url.Parse(strings.ReplaceAll(uri, "${stageVariables.v}", variable))
	if err != nil {
		return true
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil
}

// ask sends a request that the key matches, with value in all its variables, and
// one that it may not match.
func ask(t *testing.T, addr, api, key, value string) {
	method, path, ok := strings.Cut(key, " ")
	if !ok || method == "ANY" {
		method = "GET"
	}
	for {
		before, rest, ok := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		if !ok {
			break
		}
		path = before + url.PathEscape(value) + after
	}
	for _, target := range []string{path, "/" + url.PathEscape(value)} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s.execute-api.us-east-1.localhost\r\nConnection: close\r\n\r\n", method, target, api)
		r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s %q of %q: %v", method, target, key, err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatalf("%s %q of %q: %v", method, target, key, err)
		}
		c.Close()
	}
}

// TestReload: what has not changed is not compiled again when everything is read
// anew, and what has become unreadable keeps serving.
func TestReload(t *testing.T) {
	t.Parallel()
	one, _ := backend(t, "one")
	st := store.NewMemory()
	pets, toys := newDocument("pets"), newDocument("toys")
	for _, d := range []document{pets, toys} {
		d.route("GET /a", model.Integration{IntegrationURI: &one})
		d.stage("live", "d1", nil)
	}
	appendTo(t, st, pets.change(t), pets.deployed(t, "d1"), toys.change(t), toys.deployed(t, "d1"))
	w := newWorld(t, st)
	w.pub.Close() // from here on, the test is the one goroutine that owns its state
	before := w.gateway.Snapshot().API("pets").Stages["live"]

	appendTo(t, st, store.Change{Key: model.APIKey("toys"), Data: []byte("{")})
	w.pub.load()
	if w.gateway.Snapshot().API("pets").Stages["live"] != before {
		t.Error("an unchanged stage was compiled again")
	}
	w.expect("toys", "/live/a", 200, "one /")

	// Another deployment under the same name, as a restored backup may bring.
	pets.Integrations["000000"].IntegrationURI = new(one + "/new")
	appendTo(t, st, pets.deployed(t, "d1"), store.Change{Key: model.DeploymentKey("toys", "d1"), Data: []byte("{")})
	w.pub.load()
	w.expect("pets", "/live/a", 200, "one /new")
	w.expect("toys", "/live/a", 200, "one /")
	if w.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// TestNull: members that are null are none.
func TestNull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.NewMemory())
	w.commit(store.Change{Key: model.APIKey("pets"), Data: []byte(`{"api":{"protocolType":"HTTP"},"stages":{"a":null,"live":{"stageName":"live","deploymentId":"d"}}}`)},
		store.Change{Key: model.DeploymentKey("pets", "d"), Data: []byte(`{"api":null,"integrations":{"i":null},"routes":{"r":{"routeKey":"GET /x","target":"integrations/i"}}}`)})
	w.expect("pets", "/a", 404, notFound)
	w.expect("pets", "/live/x", 500, internal)
	w.commit(store.Change{Key: model.DeploymentKey("pets", "d"), Data: []byte(`{"routes":{"r":null}}`)})
	w.expect("pets", "/live/x", 500, internal) // as before: a route must have a key
}
