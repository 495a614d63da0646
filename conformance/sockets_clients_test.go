//go:build conformance

package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSockets makes a WebSocket API with the AWS CLI, and one with boto3, and talks to them
// with the package ws of npm and the package websockets of Python, with compression and
// without.
func TestSockets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		config     string
		by         func(t *testing.T, endpoint string, as *credentials) client
		extensions string // that the clients offer and get
	}{
		{"cli, compressed", "webSockets: {compression: true}", openCLI, "permessage-deflate"},
		{"boto3, not compressed", "webSockets: {compression: false}", openBoto3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newSocketPlane(t, tt.config)
			api := p.api(tt.by(t, p.admin, tester), []string{"fail"}, nil)
			for _, with := range peers {
				t.Run(with.name, func(t *testing.T) {
					c := with.open(t)
					talk(t, p, c, api, tt.extensions)
					misbehave(t, p, c, api)
					refuse(t, p, c, api)
				})
			}
		})
	}
}

// talk is a connection from its beginning to its end, with everything that messages may be.
func talk(t *testing.T, p *socketPlane, c peer, api, extensions string) {
	got := c.open(p.socketURL(api, "?room=a&room=b%20c"), object{"protocols": list{"chat.v1", "chat.v2"}, "deflate": true, "headers": object{"X-Who": "Ada"}})
	if want := (opening{101, "chat.v2", extensions, ""}); got != want {
		t.Fatalf("handshake: got %+v, want %+v", got, want)
	}
	event, id := p.connected(t)
	headers := event["headers"].(object)
	wantMembers := []string{"headers", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters", "queryStringParameters", "requestContext"}
	if got := slices.Sorted(maps.Keys(event)); !slices.Equal(got, wantMembers) {
		t.Errorf("the event of $connect has %q, want %q", got, wantMembers)
	}
	if got := text(event["multiValueQueryStringParameters"]); got != `{"room":["a","b c"]}` {
		t.Errorf("query: %s", got)
	}
	if headers["X-Who"] != "Ada" || !strings.HasPrefix(headers["Sec-WebSocket-Extensions"].(string), "permessage-deflate") ||
		!regexp.MustCompile("^chat.v1, ?chat.v2$").MatchString(headers["Sec-WebSocket-Protocol"].(string)) || headers["Host"] != host(api)+":"+port(p.listen) {
		t.Errorf("headers: %v", headers)
	}

	many := long(100_000)
	for _, tt := range []struct {
		name   string
		sent   string
		frames int
		want   string
	}{
		{"a mock", `{"action":"mock"}`, 1, `{"route":"mock","connection":"` + id + `"}`},
		{"an upstream", `{ "action": "proxy", "data": {"room": "r & 1"} }`, 1, "r & 1 " + id + ` application/json { "action": "proxy", "data": {"room": "r & 1"} }`},
		{"no JSON", "hello", 1, "default: hello"},
		{"no such action", `{"action":"nobody"}`, 1, `default: {"action":"nobody"}`},
		{"not by its reserved name", `{"action":"$connect"}`, 1, `default: {"action":"$connect"}`},
		{"frames", "aé😀ü→z é😀ü→z", 7, "default: aé😀ü→z é😀ü→z"},
		{"many frames", many, 4, "default: " + many},
		{"nothing", "", 1, "default: "},
		{"the function posts", `{"action":"post","text":"é😀"}`, 1, "posted: é😀"},
	} {
		c.send(tt.sent, tt.frames)
		if got := c.next(); got != (coming{Text: tt.want}) {
			t.Errorf("%s: got %.100q %d %q, want %.100q", tt.name, got.Text, got.Code, got.Reason, tt.want)
		}
	}
	c.send(`{"action":"fail","text":"no luck"}`, 1)
	if got := c.next().Text; !regexp.MustCompile(errorFrame("Internal server error")).MatchString(got) {
		t.Errorf("the function fails: got %q", got)
	}
	var pong coming
	if c.do(object{"do": "ping", "text": "are you there"}, &pong); pong.Text != "are you there" {
		t.Errorf("pong: %+v", pong)
	}
	c.do(object{"do": "close", "code": 4001, "reason": "see you ü"}, new(object))
	c.ends(4001, "")
	p.ended(t, id, 4001, "see you ü")
}

// misbehave ends connections in the ways that nobody wants.
func misbehave(t *testing.T, p *socketPlane, c peer, api string) {
	const client, server = true, false
	for _, tt := range []struct {
		name   string
		act    object
		code   int
		reason string // that the function learns
		by     bool
	}{
		{"binary", object{"do": "send", "text": "bytes", "binary": true}, 1003, "", server},
		{"long frame", object{"do": "send", "text": long(32769)}, 1009, "", server},
		{"long message", object{"do": "send", "text": long(131073), "frames": 5}, 1009, "", server},
		{"reset", object{"do": "kill"}, 1006, "Connection closed abnormally", client},
	} {
		c.opens(p.socketURL(api, ""))
		_, id := p.connected(t)
		c.do(tt.act, new(object))
		end := c.next()
		if end.Text != "" || end.Code != tt.code {
			t.Errorf("%s: got %+v, want the end with %d", tt.name, end, tt.code)
		}
		if tt.by == client {
			end.Reason = tt.reason
		}
		p.ended(t, id, tt.code, end.Reason)
		if tt.by == server && end.Reason != tt.reason {
			t.Errorf("%s: reason %q, want %q", tt.name, end.Reason, tt.reason)
		}
	}
}

// refuse makes handshakes that do not succeed.
func refuse(t *testing.T, p *socketPlane, c peer, api string) {
	p.notary.all()
	stage := p.socketURL(api, "")
	for _, tt := range []struct {
		name, url string
		status    int
		body      string
	}{
		{"the function refuses", stage + "?status=403", 403, "^refused with 403$"},
		{"the function answers something else", stage + "?status=501", 501, "^refused with 501$"},
		{"the function fails", stage + "?throw=no", 502, errorFrame("Internal server error")},
		{"nobody can send yet", stage + "?early=1", 403, "^GoneException$"},
		{"no such stage", strings.TrimSuffix(stage, "dev") + "prod", 403, `^\{"message":"Forbidden"\}$`},
		{"below the stage", stage + "/room", 403, `^\{"message":"Forbidden"\}$`},
	} {
		got := c.open(tt.url, nil)
		if got.Status != tt.status || !regexp.MustCompile(tt.body).MatchString(got.Body) {
			t.Errorf("%s: got %d %q, want %d %s", tt.name, got.Status, got.Body, tt.status, tt.body)
		}
	}
	var kinds []string
	for _, e := range p.notary.all() {
		kinds = append(kinds, fmt.Sprint(e["requestContext"].(object)["eventType"]))
	}
	if want := []string{"CONNECT", "CONNECT", "CONNECT", "CONNECT"}; !slices.Equal(kinds, want) {
		t.Errorf("events of refused handshakes: %q, want %q", kinds, want)
	}
}
