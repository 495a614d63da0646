//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A notary is told every event that the functions of functions/node/sockets.mjs get, and
// tells them where their API is. It is the upstream of the API, too.
type notary struct {
	*httptest.Server
	mu       sync.Mutex // guards the rest
	endpoint string     // with an API and a stage to come
	events   []object
}

func newNotary(t *testing.T) *notary {
	n := new(notary)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		var event object
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Errorf("event: %v", err)
			return
		}
		about := event["requestContext"].(object)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.events = append(n.events, event)
		_ = json.NewEncoder(w).Encode(object{"endpoint": fmt.Sprintf("%s/%s/%s", n.endpoint, about["apiId"], about["stage"])})
	})
	mux.HandleFunc("POST /upstream", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("upstream: %v", err)
		}
		fmt.Fprintf(w, "%s %s %s %s", r.URL.Query().Get("room"), r.Header.Get("X-Connection"), r.Header.Get("Content-Type"), body)
	})
	n.Server = httptest.NewServer(mux)
	t.Cleanup(n.Close)
	return n
}

// event waits for an event with a type, and takes it away. The ID of its connection may be
// empty.
func (n *notary) event(t *testing.T, kind, connection string) object {
	t.Helper()
	var found object
	if !eventually(20*time.Second, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		for i, e := range n.events {
			about := e["requestContext"].(object)
			if about["eventType"] == kind && e["type"] == nil && (connection == "" || about["connectionId"] == connection) {
				found = e
				n.events = append(n.events[:i], n.events[i+1:]...)
				return true
			}
		}
		return false
	}) {
		t.Fatalf("no event %s of connection %q", kind, connection)
	}
	return found
}

// connected waits for the event of a handshake, and returns it with the connection ID.
func (n *notary) connected(t *testing.T) (event object, id string) {
	t.Helper()
	event = n.event(t, "CONNECT", "")
	return event, event["requestContext"].(object)["connectionId"].(string)
}

// ended waits for the end of a connection, and wants its code and reason.
func (n *notary) ended(t *testing.T, connection string, code int, reason string) {
	t.Helper()
	about := n.event(t, "DISCONNECT", connection)["requestContext"].(object)
	if about["disconnectStatusCode"] != float64(code) || about["disconnectReason"] != reason {
		t.Errorf("$disconnect has %v %q, want %d %q", about["disconnectStatusCode"], about["disconnectReason"], code, reason)
	}
}

// all takes away all events there are; those of authorizers too.
func (n *notary) all() []object {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.events
	n.events = nil
	return all
}

// A socketPlane is a server for WebSocket APIs, whose functions tell a notary. It has the
// certificates of a plane.
type socketPlane struct {
	*server
	*notary
	t         *testing.T
	authority *authority
}

// newSocketPlane starts a server that checks signatures and knows the functions.
func newSocketPlane(t *testing.T, config string) *socketPlane {
	t.Helper()
	code, err := filepath.Abs(filepath.Join("functions", "node"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(code, "node_modules", "@aws-sdk", "client-apigatewaymanagementapi")); err != nil {
		t.Fatalf("npm ci has not run in functions/node: %v", err)
	}
	n := newNotary(t)
	functions := object{}
	for name, handler := range map[string]string{"sockets": "sockets.handler", "guard": "sockets.authorize"} {
		functions[name] = object{
			"runtime": "nodejs22.x", "handler": handler, "code": code, "timeout": "20s", "memory": 512,
			"environment": object{"NOTARY": n.URL + "/events"},
		}
	}
	host := object{"accessKeyId": tester.AccessKeyID, "secretAccessKey": tester.SecretAccessKey, "sessionToken": tester.SessionToken}
	a := newAuthority(t, "authority of servers")
	own, domains := a.issue(t, ownHosts...), a.issue(t, domainHosts...)
	certificates := list{
		object{"certificateFile": own.certificateFile, "privateKeyFile": own.keyFile},
		object{"certificateFile": domains.certificateFile, "privateKeyFile": domains.keyFile, "arn": certificate},
	}
	server := serve(t, build(t), testerConfig+config+"\nfunctions: "+text(functions)+"\nfunctionHost: "+text(host)+
		"\nlistenTls: 127.0.0.1:0\ncertificates: "+text(certificates)+"\n")
	p := &socketPlane{server, n, t, a}
	n.endpoint = p.listen + "/_aws/execute-api"
	return p
}

// socketURL returns the address that clients connect to.
func (p *socketPlane) socketURL(api, query string) string {
	return "ws://" + host(api) + ":" + port(p.listen) + "/dev" + query
}

// functionURI is what a function is are called in integrations.
func functionURI(name string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:" + name + "/invocations"
}

// api makes an API by a client: routes of a function, a mock and an upstream. More are the
// keys of further routes of the function, which answer; connect is more of the route
// $connect, by the API.
func (p *socketPlane) api(c client, more []string, connect func(api string, do func(op string, in object) object) object) string {
	t := p.t
	t.Helper()
	do := func(op string, in object) object {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), stepTime)
		defer cancel()
		got, err := c.call(ctx, op, in)
		if err != nil {
			t.Fatalf("%s %s: %v", op, text(in), err)
		}
		return got.out
	}
	api := do("CreateApi", object{"Name": t.Name(), "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})["ApiId"].(string)
	at := object{"ApiId": api}
	integration := func(in object) string {
		t.Helper()
		return do("CreateIntegration", with(at, in))["IntegrationId"].(string)
	}
	function := integration(object{"IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": functionURI("sockets")})
	mock := integration(object{
		"IntegrationType": "MOCK", "TemplateSelectionExpression": `\$default`, "RequestTemplates": object{"$default": `{"statusCode": 200}`},
	})
	do("CreateIntegrationResponse", with(at, object{
		"IntegrationId": mock, "IntegrationResponseKey": "$default", "TemplateSelectionExpression": `\$default`,
		"ResponseTemplates": object{"$default": `{"route":"$context.routeKey","connection":"$context.connectionId"}`},
	}))
	upstream := integration(object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST", "IntegrationUri": p.notary.URL + "/upstream",
		"RequestParameters": object{
			"integration.request.header.X-Connection":  "context.connectionId",
			"integration.request.querystring.room":     "route.request.body.data.room",
			"integration.request.querystring.nowhere":  "route.request.body.nowhere",
			"integration.request.header.X-Static-Text": "'text'",
		},
	})
	route := func(key, integration string, answers bool, more object) {
		t.Helper()
		in := with(at, with(object{"RouteKey": key, "Target": "integrations/" + integration}, more))
		if answers {
			in["RouteResponseSelectionExpression"] = "$default"
		}
		id := do("CreateRoute", in)["RouteId"]
		if answers {
			do("CreateRouteResponse", with(at, object{"RouteId": id, "RouteResponseKey": "$default"}))
		}
	}
	var onConnect object
	if connect != nil {
		onConnect = connect(api, do)
	}
	route("$connect", function, false, onConnect)
	route("$disconnect", function, false, nil)
	route("$default", function, true, nil)
	route("post", function, false, nil)
	route("mock", mock, true, nil)
	route("proxy", upstream, true, nil)
	for _, key := range more {
		route(key, function, true, nil)
	}
	deployment := do("CreateDeployment", at)["DeploymentId"]
	do("CreateStage", with(at, object{"StageName": "dev", "DeploymentId": deployment}))
	return api
}

// A peer is the client of one WebSocket connection, which is told what to do as
// js/sockets.mjs says.
type peer struct {
	t *testing.T
	asked
}

// An asked does what it is told. A conversation is one.
type asked interface {
	ask(ctx context.Context, message object, out any) (status int, err error)
}

// peers are the clients in other languages.
var peers = []struct {
	name string
	open func(t *testing.T) peer
}{
	{"ws", openWS},
	{"python", openPython},
}

func openWS(t *testing.T) peer     { return openPeer(t, "node", "js/sockets.mjs") }
func openPython(t *testing.T) peer { return openPeer(t, "/usr/bin/python3", "sockets.py") }

func openPeer(t *testing.T, name, program string) peer {
	t.Helper()
	c, err := converse(t, nil, name, program)
	if err != nil {
		t.Fatal(err)
	}
	return peer{t, c}
}

// An opening is what a client knows of its handshake.
type opening struct {
	Status                     int
	Protocol, Extensions, Body string
}

// A coming is a message, or the end of the connection.
type coming struct {
	Text   string
	Code   int
	Reason string
}

func (p peer) do(message object, out any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), stepTime)
	defer cancel()
	if _, err := p.ask(ctx, message, out); err != nil {
		p.t.Fatalf("%.200s: %v", text(message), err)
	}
}

// open makes a handshake.
func (p peer) open(url string, more object) (got opening) {
	p.t.Helper()
	p.do(with(object{"do": "open", "url": url}, more), &got)
	return got
}

// opens makes a handshake that must succeed without a subprotocol and extensions.
func (p peer) opens(url string) {
	p.t.Helper()
	if got, want := p.open(url, nil), (opening{Status: 101}); got != want {
		p.t.Fatalf("handshake: got %+v, want %+v", got, want)
	}
}

// send sends a text message in a number of frames.
func (p peer) send(text string, frames int) {
	p.t.Helper()
	p.do(object{"do": "send", "text": text, "frames": frames}, new(object))
}

// next waits for a message or the end.
func (p peer) next() (got coming) {
	p.t.Helper()
	p.do(object{"do": "next"}, &got)
	return got
}

// wants waits for a message, which must have a text.
func (p peer) wants(text string) {
	p.t.Helper()
	if got := p.next(); got != (coming{Text: text}) {
		p.t.Errorf("got %.200q %d %q, want %.200q", got.Text, got.Code, got.Reason, text)
	}
}

// ends waits for the end, which must have a code and a reason.
func (p peer) ends(code int, reason string) {
	p.t.Helper()
	if got := p.next(); got != (coming{Code: code, Reason: reason}) {
		p.t.Errorf("got %.200q %d %q, want the end with %d %q", got.Text, got.Code, got.Reason, code, reason)
	}
}

// errorFrame returns what error frames and refusals are like: the IDs are any.
func errorFrame(message string) string {
	return `^\{"message": "` + message + `", "connectionId":"[A-Za-z0-9_-]{15}=", "requestId":"[A-Za-z0-9_-]{15}="\}$`
}

// long is a text of some bytes that does not compress to nothing.
func long(bytes int) string {
	var b strings.Builder
	for i := 0; b.Len() < bytes; i++ {
		fmt.Fprintf(&b, "%d,", i*i)
	}
	return b.String()[:bytes]
}
