package mapping

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
)

// logged is an exchange that has been answered.
func logged(t testing.TB, key, line string, more ...string) *gateway.Exchange {
	x := exchange(t, key, line, more...)
	x.ID = "JCJP4iwYPHcEJgQ="
	x.Start = time.Date(2025, 4, 14, 22, 14, 35, 0, time.UTC)
	x.Request.Peer = netip.MustParseAddrPort("203.0.113.9:1234")
	x.Latency, x.ResponseLength = time.Millisecond, 2
	x.Response.Status = 200
	return x
}

func TestFormat(t *testing.T) {
	t.Parallel()
	pets := logged(t, "GET /pets", "GET /pets", "User-Agent: a\tb\"c")
	pets.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{Context: []gateway.ContextMember{{Name: "lines", Text: "a\r\nb\x00\x7fc", Scalar: true}, {Name: "empty", Scalar: true}}}}
	prod := logged(t, "GET /a/b", "GET /dev/a/b")
	function := logged(t, "GET /pets", "GET /pets")
	function.Response.Status = 404
	function.Integration = gateway.IntegrationOutcome{Status: 404, ServiceStatus: 200}
	for _, tt := range []struct {
		name, format string
		x            *gateway.Exchange
		want         string
	}{
		{"153", FormatCLF, pets, `203.0.113.9 - - [14/Apr/2025:22:14:35 +0000] "GET GET /pets HTTP/1.1" 200 2 JCJP4iwYPHcEJgQ=`},
		{"154", "$context.requestId $context.authorizer.claims.sub", pets, "JCJP4iwYPHcEJgQ= -"},
		{"157", "$context.requestId $context.integrationStatus $context.integration.status $context.status", function, "JCJP4iwYPHcEJgQ= 200 404 404"},
		{"160", "$context.requestId $context.path $context.routeKey $context.stage", prod, "JCJP4iwYPHcEJgQ= /dev/a/b GET /a/b dev"},
		{"JSON", FormatJSON, pets, `{ "requestId":"JCJP4iwYPHcEJgQ=", "ip": "203.0.113.9", "requestTime":"14/Apr/2025:22:14:35 +0000", "httpMethod":"GET","routeKey":"GET /pets", "status":"200","protocol":"HTTP/1.1", "responseLength":"2" }`},
		{"XML", FormatXML, pets, `<request id="JCJP4iwYPHcEJgQ="> <ip>203.0.113.9</ip> <requestTime>14/Apr/2025:22:14:35 +0000</requestTime> <httpMethod>GET</httpMethod> <routeKey>GET /pets</routeKey> <status>200</status> <protocol>HTTP/1.1</protocol> <responseLength>2</responseLength> </request>`},
		{"CSV", FormatCSV, pets, "203.0.113.9,14/Apr/2025:22:14:35 +0000,GET,GET /pets,HTTP/1.1,200,2,JCJP4iwYPHcEJgQ="},
		{"a dot at the end is text", "$context.stage.", pets, "$default."},
		{"dots at the end are text", "$context.stage... $context.routeKey", pets, "$default... GET /pets"},
		{"nothing behind the dot", "$context. $context.. $context", pets, "$context. $context.. $context"},
		{"side by side", "$context.stage$context.stage", pets, "$default$default"},
		{"a dollar sign before", "$$context.stage", pets, "$$default"},
		{"stage variables are text", "$stageVariables.a $request.path ${context.stage}", pets, "$stageVariables.a $request.path ${context.stage}"},
		{"control characters", "<$context.authorizer.lines>", pets, "<a  b  c>"},
		{"no escapes", "$context.identity.userAgent", pets, `a b"c`},
		{"empty", "$context.authorizer.empty", pets, "-"},
		{"not known", "$context.identity.cognitoIdentityId $context.error.message $context.error.messageString", pets, "- - -"},
		{"only text", "text", pets, "text"},
		{"nothing", "", pets, ""},
	} {
		f, err := ParseFormat(tt.format)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := string(f.Append([]byte("> "), tt.x)); got != "> "+tt.want {
			t.Errorf("%s: got\n%q, want\n%q", tt.name, got, "> "+tt.want)
		}
		if f.String() != tt.format {
			t.Errorf("%s: prints as %q", tt.name, f)
		}
	}
}

func TestFormatErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ format, want string }{
		{"$context.requestId $context.requestHeader.x", `offset 28: there is no context variable "requestHeader.x"`},
		{"$context.authorizer", "no context variable"},
		{"$context.stages", "no context variable"},
		{"$context..stage", "no context variable"},
	} {
		if _, err := ParseFormat(tt.format); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.format, err, tt.want)
		}
	}
}

// A lines is an access log.
type lines struct {
	format *Format
	line   chan string
}

func (l lines) Log(x *gateway.Exchange) { l.line <- string(l.format.Append(nil, x)) }

// TestLine: what the gateway knows when it logs.
func TestLine(t *testing.T) {
	t.Parallel()
	format, err := ParseFormat("$context.status $context.routeKey $context.path $context.responseLength $context.integration.status $context.error.message $context.error.messageString $context.error.responseType $context.integration.latency")
	if err != nil {
		t.Fatal(err)
	}
	log := lines{format, make(chan string, 1)}
	stage := gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: "dev", AccessLog: log}, &gateway.Route{Key: "GET /failing"})
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a", Stages: map[string]*gateway.Stage{"dev": stage}}}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	for _, tt := range []struct{ path, want string }{
		{"/dev/none", `404 - /dev/none 23 - Not Found "Not Found" RESOURCE_NOT_FOUND -`},
		{"/dev/failing", `500 GET /failing /dev/failing 35 - Internal Server Error "Internal Server Error" INTEGRATION_FAILURE -`},
	} {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", tt.path, testHost)
		io.Copy(io.Discard, nc)
		nc.Close()
		if got := <-log.line; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

// TestLongEntry: a line is cut off between two characters.
func TestLongEntry(t *testing.T) {
	t.Parallel()
	x := logged(t, "GET /", "GET /")
	x.Identity = &gateway.Identity{Lambda: &gateway.LambdaIdentity{Context: []gateway.ContextMember{{Name: "a", Text: strings.Repeat("é", 400<<10), Scalar: true}}}}
	f, err := ParseFormat("x$context.authorizer.a$context.authorizer.a$context.authorizer.a")
	if err != nil {
		t.Fatal(err)
	}
	got := string(f.Append([]byte("> "), x))
	if len(got) != len("> ")+maxEntry-1 || !strings.HasSuffix(got, "éé") {
		t.Errorf("got %d bytes, the end is %q", len(got), got[len(got)-3:])
	}
}

// TestFailureVariables: what is logged of an answer of the gateway.
func TestFailureVariables(t *testing.T) {
	t.Parallel()
	e := gateway.Forbidden("", fmt.Errorf("secret"))
	for _, tt := range []struct{ name, want string }{
		{"error.message", "Forbidden"}, {"error.messageString", `"Forbidden"`}, {"error.responseType", "ACCESS_DENIED"},
	} {
		if got, ok := appendFailure(nil, e, tt.name); !ok || string(got) != tt.want {
			t.Errorf("%s: got %q, %v", tt.name, got, ok)
		}
		if got, ok := appendFailure(nil, nil, tt.name); ok || len(got) > 0 {
			t.Errorf("%s without an error: got %q, %v", tt.name, got, ok)
		}
	}
}

// FuzzFormat: a format prints as it was, and a line is one line.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{FormatCLF, FormatJSON, FormatXML, FormatCSV, "$context..$context.authorizer.a.", "$context.stage..x"} {
		f.Add(s, "a\nb")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		format, err := ParseFormat(s)
		if err != nil {
			return
		}
		if format.String() != s {
			t.Fatalf("%q prints as %q", s, format)
		}
		if strings.ContainsAny(s, "\r\n") || strings.Contains(s, "accountId") {
			return
		}
		x := &gateway.Exchange{Request: gateway.Request{Method: value, Host: value, Path: value}, SentPath: value, ID: value}
		x.Identity = jwt(gateway.Field{Name: "a", Value: value})
		if line := string(format.Append(nil, x)); strings.ContainsAny(line, "\r\n") {
			t.Fatalf("%q makes %q", s, line)
		}
	})
}
