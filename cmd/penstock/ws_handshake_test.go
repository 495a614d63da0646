package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"penstock/internal/sigv4"
)

// localhost returns the URL of a server under a name that no resolver needs to know.
func localhost(t *testing.T, url, name string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	return "ws://" + name + ":" + port
}

func TestWSHandshake(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(file, []byte("region: eu-west-3\ncredentials:\n  - accessKeyId: AKIDADA\n    secretAccessKey: hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		host   string // instead of 127.0.0.1
		path   string
		args   []string
		offers []string // subprotocols that the server knows
		region string   // the handshake is signed for this region
		header map[string]string
		notes  string // after the address
	}{
		{name: "plain", path: "/dev", header: map[string]string{"Sec-Websocket-Protocol": "", "Sec-Websocket-Extensions": "", "Authorization": "", "User-Agent": "penstock", "X-Api-Key": ""}},
		{name: "no path"},
		{name: "a name under localhost", host: "a1b2c3.execute-api.us-east-1.localhost", path: "/dev"},
		{name: "in another form", host: "A.LOCALHOST.", path: "/dev"},
		{name: "headers", path: "/dev",
			args:   []string{"-H", "X-A: 1, 2", "-Hx-a:3", "--header=User-Agent: me", "-H", "Cookie: a=b; c=d", "--api-key=K"},
			header: map[string]string{"X-A": "1, 2|3", "User-Agent": "me", "Cookie": "a=b; c=d", "X-Api-Key": "K"}},
		{name: "a subprotocol", path: "/dev", args: []string{"--subprotocol=p1", "--subprotocol=p2"}, offers: []string{"p2"},
			header: map[string]string{"Sec-Websocket-Protocol": "p1,p2"}, notes: "; subprotocol p2"},
		{name: "no subprotocol", path: "/dev", args: []string{"--subprotocol=p1"}, notes: "; no subprotocol, for which browsers would close the connection"},
		{name: "compression", path: "/dev", args: []string{"--deflate"}, header: map[string]string{"Sec-Websocket-Extensions": "permessage-deflate; client_no_context_takeover; server_no_context_takeover"},
			notes: "; extensions permessage-deflate; client_no_context_takeover; server_no_context_takeover"},
		{name: "signed", host: "a1b2c3.execute-api.eu-west-1.localhost", path: "/dev", args: []string{"--sign"}, region: "eu-west-1", header: map[string]string{"X-Amz-Security-Token": "token"}},
		{name: "signed, with a query", host: "a1b2c3.Execute-API.eu-west-1.localhost", path: "/dev%2Fa b/?q=a+b&q=%C3%A9&e=", args: []string{"--sign", "-H", "X-Amz-Meta: x  y", "-H", "Content-Type: a/b"}, region: "eu-west-1"},
		{name: "signed for a region", host: "a1b2c3.execute-api.eu-west-1.localhost", path: "/dev", args: []string{"--sign", "--region=us-west-2"}, region: "us-west-2"},
		{name: "signed without a region", path: "/dev", args: []string{"--sign"}, region: "us-east-1"},
		{name: "signed for another host", path: "/dev", args: []string{"--sign", "-H", "Host: a1b2c3.execute-api.eu-west-2.amazonaws.com"}, region: "eu-west-2"},
		{name: "signed with a configuration", path: "/dev", args: []string{"--sign", "--config", file}, region: "eu-west-3", header: map[string]string{"X-Amz-Security-Token": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var request *http.Request
			options := websocket.AcceptOptions{Subprotocols: tt.offers}
			if tt.name == "compression" {
				options.CompressionMode, options.CompressionThreshold = websocket.CompressionNoContextTakeover, 1
			}
			url := host(t, options, func(g guest) {
				request = g.request
				g.send(websocket.MessageText, strings.Repeat("hello ", 100))
				g.Close(1000, "")
			})
			if tt.host != "" {
				url = localhost(t, url, tt.host)
			}
			got := converse(t, open(t, ""), &dialogue{}, append(tt.args, strings.Replace(url, "://", "://ada:hush@", 1)+strings.ReplaceAll(tt.path, " ", "%20"))...)
			if got.err != nil {
				t.Fatal(got.err)
			}
			path, _, _ := strings.Cut(strings.ReplaceAll(tt.path, " ", "%20"), "?")
			if want := "connected to " + url + path + tt.notes + "; request ID R1=\nclosed by the server: 1000\n"; got.notes != want || got.out != strings.Repeat("hello ", 100)+"\n" {
				t.Errorf("got %q, %q, want %q", got.out, got.notes, want)
			}
			if tt.region == "" && request.Header.Get("Authorization") == "Basic YWRhOmh1c2g=" {
				request.Header.Del("Authorization")
			}
			for name, want := range tt.header {
				if got := strings.Join(request.Header[name], "|"); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if tt.region == "" {
				return
			}
			credential := sigv4.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", SessionToken: request.Header.Get("X-Amz-Security-Token")}
			verifier := sigv4.NewVerifier(sigv4.Options{Service: "execute-api", Region: tt.region, Lookup: func(id string) (sigv4.Credential, bool) {
				return credential, id == credential.AccessKeyID
			}})
			if _, err := verifier.Verify(request, nil); err != nil {
				t.Errorf("the signature is not good: %v", err)
			}
		})
	}
}

func TestWSRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   string // after the address
	}{
		{"no stage", 403, map[string]string{"x-amzn-ErrorType": "ForbiddenException", "apigw-requestid": "L0SMdGv2PHcFZ7Q="}, `{"message":"Forbidden"}`,
			"403 Forbidden (ForbiddenException)\n{\"message\":\"Forbidden\"}\nCheck the API in the host name, the stage in the path and whether it is deployed, the API key (--api-key), and the authorizer.\npenstock explain L0SMdGv2PHcFZ7Q= tells why"},
		{"not signed", 403, map[string]string{"x-amzn-ErrorType": "MissingAuthenticationTokenException:http://x", "x-amzn-RequestId": "r-1"}, "",
			"403 Forbidden (MissingAuthenticationTokenException)\nThe route wants a signature: --sign.\npenstock explain r-1 tells why"},
		{"badly signed", 403, map[string]string{"x-amzn-ErrorType": "InvalidSignatureException"}, "", "403 Forbidden (InvalidSignatureException)\nThe signature is not that of a known credential for this host and region: check the credential, --region and the clock."},
		{"expired", 403, map[string]string{"x-amzn-ErrorType": "ExpiredTokenException"}, "", "403 Forbidden (ExpiredTokenException)\nThe session token, or the signature in the query, is no longer valid."},
		{"denied", 403, map[string]string{"x-amzn-ErrorType": "AccessDeniedException"}, "", "403 Forbidden (AccessDeniedException)\nThe authorizer or a policy denies it: check what they are given, and execute-api:Invoke for $connect."},
		{"no identity", 401, nil, "\n who? \n", "401 Unauthorized\nwho?\nThe authorizer of $connect does not know the caller: check what it reads, which --header or the query gives it."},
		{"bad request", 400, nil, "", "400 Bad Request\nA header or query parameter that $connect requires may be missing, or the backend of $connect refuses."},
		{"not found", 404, nil, "", "404 Not Found\nNothing has this address: check the host name and the stage in the path."},
		{"upgrade required", 426, nil, "", "426 Upgrade Required\nThe server has not seen a handshake that it knows: something on the way, such as a proxy, may drop the header Upgrade."},
		{"throttled", 429, nil, "", "429 Too Many Requests\nThere are too many handshakes: try again later, or raise the throttle of the stage or the usage plan."},
		{"failed", 502, nil, "", "502 Bad Gateway\nThe integration or the authorizer of $connect failed: check its log."},
		{"timed out", 504, nil, "", "504 Gateway Timeout\nThe integration of $connect took too long."},
		{"redirected", 302, map[string]string{"Location": "/elsewhere"}, "", "302 Found\nLocation: /elsewhere\nThe backend of $connect answers with another address, and no client follows it."},
		{"no WebSocket", 200, nil, "hello", "200 OK\nhello\nThis is not a WebSocket API."},
		{"something else", 418, nil, "", "418 I'm a teapot"},
		{"what controls terminals", 418, map[string]string{"x-amzn-ErrorType": "\u202ea", "apigw-requestid": "1; rm -rf /"}, "a\x1b[2J\nb", "418 I'm a teapot (\\u202ea)\na\\x1b[2J\nb"},
		{"a long body", 418, nil, strings.Repeat("x", 5000), "418 I'm a teapot\n" + strings.Repeat("x", 1024)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/dev" {
					t.Errorf("%s was asked for", r.URL.Path)
				}
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			url := "ws" + strings.TrimPrefix(s.URL, "http") + "/dev"
			status, out, log := result("ws", "-x", "a", url+"?token=hush")
			if want := "penstock: " + url + " refuses the handshake: " + tt.want + "\n"; status != 1 || out != "" || log != want {
				t.Errorf("exit status %d, %q, got\n%s\nwant\n%s", status, out, log, want)
			}
		})
	}
}

// What is wrong with the command line, or with the server, is told without what is
// secret in either.
func TestWSFailures(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}))
	defer odd.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"p"}})
		if err != nil {
			t.Error(err)
			return
		}
		conn.CloseNow()
	}))
	defer other.Close()
	quiet, _ := silent(t)
	ws := func(url string) string { return "ws" + strings.TrimPrefix(url, "http") + "/dev?token=hush" }
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"http", []string{"http://h/dev?hush"}, "the URL is not one of a stage, such as ws://a1b2c3.execute-api.us-east-1.localhost:8080/dev"},
		{"no host", []string{"ws:///dev?hush"}, "the URL is not one of a stage"},
		{"no URL", []string{"ws://h:port/?hush"}, "the URL is not one of a stage"},
		{"a fragment", []string{"ws://h/dev?hush#x"}, "the URL is not one of a stage"},
		{"no header", []string{"-H", "hush", "ws://h/"}, "--header number 1 is not like 'Name: value'"},
		{"a bad name", []string{"-H", "a:b", "-H", "hush hush: 1", "ws://h/"}, "--header number 2 is not like 'Name: value'"},
		{"a bad value", []string{"-H", "a: hush\r\nb: c", "ws://h/"}, "--header number 1 is not like 'Name: value'"},
		{"a header of the handshake", []string{"-H", "sec-websocket-protocol: hush", "ws://h/"}, "--header: Sec-Websocket-Protocol belongs to the handshake itself"},
		{"a bad subprotocol", []string{"--subprotocol=a b", "ws://h/"}, `--subprotocol: "a b" is not a token`},
		{"a negative count", []string{"--count=-1", "ws://h/dev"}, "--count, --wait, --timeout and --ping cannot be negative"},
		{"no credential", []string{"--sign", "ws://h/dev"}, "--sign: no credential: give one with --config, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		{"no configuration", []string{"--sign", "--config=" + filepath.Join(t.TempDir(), "none"), "ws://h/dev"}, "read configuration: open "},
		{"nobody", []string{"ws://127.0.0.1:1/dev?hush"}, "no server answers at ws://127.0.0.1:1/dev (connect: connection refused)"},
		{"nobody under localhost", []string{"ws://a.localhost:1/dev?hush"}, "no server answers at ws://a.localhost:1/dev (connect: connection refused)"},
		{"no TLS", []string{strings.Replace(ws(odd.URL), "ws:", "wss:", 1)}, "wss" + strings.TrimPrefix(odd.URL, "http") + "/dev answers without TLS: try ws://"},
		{"an unknown certificate", []string{"wss" + strings.TrimPrefix(secure.URL, "https") + "/dev?hush"}, "wss" + strings.TrimPrefix(secure.URL, "https") + "/dev: tls: failed to verify certificate: x509: "},
		{"any certificate", []string{"--insecure", "wss" + strings.TrimPrefix(secure.URL, "https") + "/dev?token=hush"}, "wss" + strings.TrimPrefix(secure.URL, "https") + "/dev refuses the handshake: 404 Not Found"},
		{"no accept", []string{ws(odd.URL)}, "ws" + strings.TrimPrefix(odd.URL, "http") + "/dev: WebSocket protocol violation: invalid Sec-WebSocket-Accept"},
		{"an answer that is late", []string{"--timeout=30ms", ws(quiet)}, "not over after 30ms (--timeout)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, log := result(append([]string{"ws", "-x", "a"}, tt.args...)...)
			if status != 1 || out != "" || !strings.HasPrefix(log, "penstock: "+tt.want) {
				t.Errorf("exit status %d, %q, got\n%s\nwant\n%s", status, out, log, tt.want)
			}
			if strings.Contains(log, "hush") {
				t.Errorf("it tells a secret: %s", log)
			}
		})
	}
	// A subprotocol that was not offered is told, too.
	var b bytes.Buffer
	if err := (&wsCommand{URL: ws(other.URL), Subprotocol: []string{"q"}}).converse(&program{}, nil, &dialogue{out: &b, notes: &b}); err == nil || b.String() != "connected to ws"+strings.TrimPrefix(other.URL, "http")+"/dev; no subprotocol, for which browsers would close the connection\n" {
		t.Errorf("got %v, %q", err, b.String())
	}
}

// Names under localhost are dialed on both families, and no others.
func TestDialLocalhost(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6")
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for host, want := range map[string]bool{"x.localhost": true, "localhost": true, "LocalHost.": true, "localhost.invalid": false, "notlocalhost": false} {
		ctx, cancel := context.WithTimeout(t.Context(), dialTimeout)
		conn, err := dialLocalhost(ctx, "tcp", net.JoinHostPort(host, port))
		cancel()
		if err == nil {
			conn.Close()
		}
		if (err == nil) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
}
