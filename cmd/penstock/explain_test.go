package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Each record is told in the order in which things happened, with what there is.
func TestExplainText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, record, want string }{
		{"everything", `{"requestId":"JKJaXmPLvHcESHA=","time":"2025-01-02T03:04:05.006Z","method":"GET","host":"pets.example.com","path":"/v1/pets/7","query":["page","sort"],"sourceIp":"192.0.2.1",
			"located":{"by":"API mapping","domainName":"pets.example.com","basePath":"v1","apiId":"a1b2c3d4e5","stage":"live","deploymentId":"d1","routePath":"/pets/7"},
			"route":{"routeKey":"GET /pets/{id}","pathVariables":{"id":"7","b":"\u001b"}},"throttle":"granted",
			"authorizer":{"type":"JWT","verdict":"allowed","latencyMillis":0.25},
			"mapping":[{"change":"overwrite:header.x-user","before":"eve","after":"ada"},{"change":"remove:header.x-old","before":"1"}],
			"integration":{"status":200,"latencyMillis":12.5},"response":{"status":200,"length":17,"latencyMillis":13.75}}`, `request      GET /v1/pets/7?page&sort
             2025-01-02T03:04:05.006Z from 192.0.2.1 to pets.example.com
located      API a1b2c3d4e5 stage live deployment d1, by API mapping "v1" of pets.example.com
route        GET /pets/{id} matches /pets/7
             {b} is "\x1b"
             {id} is "7"
throttle     granted
authorizer   JWT allowed in 0.250 ms
mapping      overwrite:header.x-user: "eve" became "ada"
             remove:header.x-old: "1" became ""
integration  answered 200 in 12.500 ms
response     200, 17 bytes after 13.750 ms
`},
		{"a routing rule", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"pets.example.com","path":"/","sourceIp":"::1",
			"located":{"by":"routing rule","domainName":"pets.example.com","routingRuleId":"rule7","apiId":"a1","stage":"live","deploymentId":"d1","routePath":"/"},
			"throttle":"refused by the bucket of the stage","response":{"status":429,"length":31,"latencyMillis":0.1,"reason":"429 Too Many Requests: the stage has used up its requests"}}`, `request      GET /
             2025-01-02T03:04:05Z from ::1 to pets.example.com
located      API a1 stage live deployment d1, by routing rule rule7 of pets.example.com
route        none matches GET /
throttle     refused by the bucket of the stage
response     429, 31 bytes after 0.100 ms
             429 Too Many Requests: the stage has used up its requests
`},
		{"no stage", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","path":"/nope","sourceIp":"192.0.2.1","located":{"by":"path form","apiId":"a1","routePath":"/nope"},
			"response":{"status":404,"length":23,"latencyMillis":0.1,"reason":"404 Not Found: no such stage"}}`, `request      GET /nope
             2025-01-02T03:04:05Z from 192.0.2.1 to (no host)
located      API a1, no stage, by path form
response     404, 23 bytes after 0.100 ms
             404 Not Found: no such stage
`},
		{"nothing is there", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"x","path":"/","sourceIp":"192.0.2.1","located":{"by":"nothing"},
			"response":{"status":404,"length":23,"latencyMillis":0.1,"reason":"404 Not Found: no such API"}}`, `request      GET /
             2025-01-02T03:04:05Z from 192.0.2.1 to x
located      no API has this host
response     404, 23 bytes after 0.100 ms
             404 Not Found: no such API
`},
		{"a domain that leads nowhere", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"pets.example.com","path":"/","sourceIp":"192.0.2.1","located":{"by":"domain name","domainName":"pets.example.com"},
			"response":{"status":404,"length":23,"latencyMillis":0.1}}`, `request      GET /
             2025-01-02T03:04:05Z from 192.0.2.1 to pets.example.com
located      no API, by the domain name pets.example.com
response     404, 23 bytes after 0.100 ms
`},
		{"a handshake", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"h","path":"/dev","query":["token"],"sourceIp":"192.0.2.1","located":{"by":"execute-api host","apiId":"a1","stage":"dev","deploymentId":"d1","webSocket":true,"routePath":"/"},
			"route":{"routeKey":"$connect"},"connectionId":"L0SM9cOFvHcCIhw=","throttle":"granted","authorizer":{"type":"CUSTOM","verdict":"denied","reason":"no statement allows it","latencyMillis":2},
			"response":{"status":403,"length":90,"latencyMillis":3,"reason":"403 Forbidden: no statement allows it"}}`, `request      GET /dev?token
             2025-01-02T03:04:05Z from 192.0.2.1 to h
located      API a1 stage dev deployment d1, by execute-api host
connection   L0SM9cOFvHcCIhw=
route        $connect
throttle     granted
authorizer   CUSTOM denied in 2.000 ms
             no statement allows it
response     403, 90 bytes after 3.000 ms
             403 Forbidden: no statement allows it
`},
		{"a message without a route", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"MESSAGE","host":"h","path":"/dev","sourceIp":"192.0.2.1","located":{"by":"connection","apiId":"a1","stage":"dev","deploymentId":"d1","webSocket":true,"routePath":"/"},
			"connectionId":"L0SM9cOFvHcCIhw=","throttle":"granted","response":{"status":403,"length":0,"latencyMillis":0.5,"reason":"403 Forbidden: the message selects no route, and there is no $default"}}`, `request      MESSAGE /dev
             2025-01-02T03:04:05Z from 192.0.2.1 to h
located      API a1 stage dev deployment d1, by connection
connection   L0SM9cOFvHcCIhw=
route        none
throttle     granted
response     403, 0 bytes after 0.500 ms
             403 Forbidden: the message selects no route, and there is no $default
`},
		{"a request about a connection", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"h","path":"/dev/@connections/x","sourceIp":"192.0.2.1","located":{"by":"execute-api host","apiId":"a1","stage":"dev","deploymentId":"d1","webSocket":true,"routePath":"/@connections/x"},
			"response":{"status":403,"length":42,"latencyMillis":0.5,"reason":"403 Missing Authentication Token"}}`, `request      GET /dev/@connections/x
             2025-01-02T03:04:05Z from 192.0.2.1 to h
located      API a1 stage dev deployment d1, by execute-api host
response     403, 42 bytes after 0.500 ms
             403 Missing Authentication Token
`},
		{"denied, and no backend", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET","host":"h","path":"/a","sourceIp":"192.0.2.1","located":{"by":"execute-api host","apiId":"a1","stage":"$default","deploymentId":"d1","routePath":"/a"},
			"route":{"routeKey":"$default"},"throttle":"granted","authorizer":{"type":"AWS_IAM","verdict":"denied","reason":"no \u001b[31msignature","latencyMillis":0},
			"integration":{"latencyMillis":3000,"error":"The endpoint\ntimed out"},"response":{"status":503,"length":33,"latencyMillis":3000.5,"reason":"503 Service Unavailable: timeout"}}`, `request      GET /a
             2025-01-02T03:04:05Z from 192.0.2.1 to h
located      API a1 stage $default deployment d1, by execute-api host
route        $default matches /a
throttle     granted
authorizer   AWS_IAM denied in 0.000 ms
             no \x1b[31msignature
integration  no answer after 3000.000 ms
             The endpoint\ntimed out
response     503, 33 bytes after 3000.500 ms
             503 Service Unavailable: timeout
`},
		{"a terminal to be taken over", `{"requestId":"r","time":"2025-01-02T03:04:05Z","method":"GET\u001b[2J","host":"h\u0007","path":"/\u001b]0;x\u0007\r\n\u202e\u009b","query":["\u001b[1m"],"sourceIp":"192.0.2.1","located":{"by":"nothing"},
			"response":{"status":400,"length":0,"latencyMillis":0,"reason":"\u001b[8m"}}`, `request      GET\x1b[2J /\x1b]0;x\a\r\n\u202e\u009b?\x1b[1m
             2025-01-02T03:04:05Z from 192.0.2.1 to h\a
located      no API has this host
response     400, 0 bytes after 0.000 ms
             \x1b[8m
`},
	} {
		s := record(t, map[string]answered{"GET /_penstock/requests/JKJaXmPLvHcESHA=": {200, "", tt.record}})
		if status, out, log := result("explain", "JKJaXmPLvHcESHA=", "--endpoint", s.URL); status != 0 || out != tt.want || log != "" {
			t.Errorf("%s: exit status %d, got\n%s%s\nwant\n%s", tt.name, status, out, log, tt.want)
		}
	}
}

// The last requests are a table.
func TestExplainList(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{"GET /_penstock/requests?last=3": {200, "", `{"items":[
		{"requestId":"JKJaXmPLvHcESHA=","time":"2025-01-02T03:04:05.006Z","method":"GET","path":"/live/pets/7","located":{"by":"execute-api host","apiId":"a1","stage":"live"},"route":{"routeKey":"GET /pets/{id}"},"response":{"status":200}},
		{"requestId":"KKJaXmPLvHcESHA=","time":"2025-01-02T03:04:04Z","method":"P\u001bT","path":"/\u001b[2J\n","located":{"by":"nothing"},"response":{"status":404}}
	]}`}})
	want := `REQUEST ID        TIME                  STATUS  METHOD  API  STAGE  ROUTE           PATH
JKJaXmPLvHcESHA=  2025-01-02T03:04:05Z  200     GET     a1   live   GET /pets/{id}  /live/pets/7
KKJaXmPLvHcESHA=  2025-01-02T03:04:04Z  404     P\x1bT  -    -      -               /\x1b[2J\n
`
	if status, out, log := result("explain", "--last", "3", "--endpoint", s.URL); status != 0 || out != want || log != "" {
		t.Errorf("exit status %d, got\n%s%s\nwant\n%s", status, out, log, want)
	}
	status, out, log := result("explain", "--last=3", "--json", "--endpoint", s.URL)
	if status != 0 || log != "" || strings.ContainsRune(out, '\x1b') || !strings.Contains(out, `"path": "/\u001b[2J\n"`) || !json.Valid([]byte(out)) {
		t.Errorf("as JSON: exit status %d, %s%s", status, out, log)
	}
}

// What is asked for wrongly, and what the server says, is told in one line or two.
func TestExplainErrors(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{
		"GET /_penstock/requests/unknown":     {404, "NotFoundException", `{"message":"no request with ID unknown is among the last 7: the ID is the apigw-requestid of its response"}`},
		"GET /_penstock/requests/..%2Fbackup": {404, "NotFoundException", `{"message":"none"}`},
		"GET /_penstock/requests/broken":      {200, "", `{"requestId":7}`},
		"GET /_penstock/requests?last=-1":     {400, "BadRequestException", `{"message":"last: want a number from 1 to 1000"}`},
		"GET /_penstock/requests?last=1":      {403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
	})
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 1, "penstock: give a request ID, or --last N for the last requests\n"},
		{"id --last 3", 1, "penstock: give a request ID, or --last N for the last requests\n"},
		{"--json", 1, "penstock: give a request ID, or --last N for the last requests\n"},
		{"--last x", 2, "--last"},
		{"one two", 2, "unexpected argument two"},
		{"unknown", 1, "penstock: NotFoundException: no request with ID unknown is among the last 7: the ID is the apigw-requestid of its response\n"},
		{"../backup", 1, "penstock: NotFoundException: none\n"},
		{"broken", 1, "penstock: read the answer: "},
		{"--last=-1", 1, "penstock: BadRequestException: last: want a number from 1 to 1000\n"},
		{"--last 1", 1, "The server wants signed calls: give a credential with --config"},
		{"id --endpoint http://127.0.0.1:1", 1, "penstock: no server answers at http://127.0.0.1:1 (connect: connection refused): penstock serve starts one, --endpoint names another\n"},
	} {
		args := append([]string{"explain"}, strings.Fields(tt.args)...)
		if !strings.Contains(tt.args, "--endpoint") {
			args = append(args, "--endpoint", s.URL)
		}
		status, out, log := result(args...)
		if status != tt.status || out != "" || !strings.Contains(log, tt.want) || strings.HasSuffix(tt.want, "\n") && log != tt.want {
			t.Errorf("penstock %s: exit status %d, %q, %q, want status %d and %q", strings.Join(args, " "), status, out, log, tt.status, tt.want)
		}
	}
}

// What differs from run to run.
var (
	someTime   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	someMillis = regexp.MustCompile(`\d+\.\d{3} ms`)
	someSpaces = regexp.MustCompile(` {2,}`)
)

// A running server tells of a request what happened.
func TestExplainOfServer(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("pets")) }))
	defer backend.Close()
	c := serve(t, "--memory")
	url := c.quickCreate(t, backend.URL)
	resp, err := http.Get(url + "/pets/a%20b?token=hush&page=7")
	if err != nil {
		t.Fatal(err)
	}
	if body := read(t, resp); body != "pets" {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	request := resp.Header.Get("apigw-requestid")
	// The client has the answer before it is remembered.
	for deadline := time.Now().Add(20 * time.Second); ; {
		if status, _, log := result("explain", request, "--endpoint", c.admin); status == 0 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the request is not remembered: %s", log)
		}
	}
	_, id, _ := strings.Cut(url, "/_aws/execute-api/")
	id = strings.TrimSuffix(id, "/$default")
	deployment := regexp.MustCompile(`deployment [a-z0-9]+`)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{request}, `request GET /pets/a%20b?token&page
 TIME from 127.0.0.1 to HOST
located API ID stage $default deployment ID, by path form
route $default matches /pets/a b
throttle granted
integration answered 200 in N ms
response 200, 4 bytes after N ms
`},
		{[]string{"--last", "5"}, `REQUEST ID TIME STATUS METHOD API STAGE ROUTE PATH
REQUEST TIME 200 GET ID $default $default /pets/a%20b
`},
	} {
		status, out, log := result(append([]string{"explain", "--endpoint", c.admin}, tt.args...)...)
		out = someTime.ReplaceAllString(out, "TIME")
		out = someMillis.ReplaceAllString(out, "N ms")
		out = deployment.ReplaceAllString(out, "deployment ID")
		out = strings.NewReplacer(id, "ID", request, "REQUEST", strings.TrimPrefix(c.listen, "http://"), "HOST").Replace(out)
		if got := someSpaces.ReplaceAllString(out, " "); status != 0 || got != tt.want || log != "" {
			t.Errorf("%q: exit status %d, got\n%s%s\nwant\n%s", tt.args, status, got, log, tt.want)
		}
	}
	status, out, log := result("explain", request, "--json", "--endpoint", c.admin)
	if status != 0 || log != "" || !json.Valid([]byte(out)) || !strings.Contains(out, `"requestId": "`+request+`"`) || strings.Contains(out, "hush") {
		t.Errorf("as JSON: exit status %d, %s%s", status, out, log)
	}
}

// With credentials, a server tells who has one.
func TestExplainSigned(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(config, []byte("credentials: [{accessKeyId: AKIDADA, secretAccessKey: hush}]\nexplain: {requests: 7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, "--memory", "--config", config)
	for _, args := range [][]string{{"--last", "1"}, {"unknown"}} {
		args = append([]string{"explain", "--endpoint", c.admin}, args...)
		if status, out, log := result(args...); status != 1 || out != "" || !strings.Contains(log, "The server wants signed calls") {
			t.Errorf("%q unsigned: exit status %d, %s%s", args, status, out, log)
		}
	}
	if status, out, log := result("explain", "--last", "1", "--config", config, "--endpoint", c.admin); status != 0 || out != "REQUEST ID  TIME  STATUS  METHOD  API  STAGE  ROUTE  PATH\n" || log != "" {
		t.Errorf("signed: exit status %d, %s%s", status, out, log)
	}
	if status, _, log := result("explain", "unknown", "--config", config, "--endpoint", c.admin); status != 1 || !strings.Contains(log, "among the last 7") {
		t.Errorf("signed: exit status %d, %s", status, log)
	}
}

// A server that remembers nothing says what to set.
func TestExplainTurnedOff(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "penstock.yaml")
	if err := os.WriteFile(config, []byte("explain: {requests: -1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, "--memory", "--config", config)
	for _, args := range [][]string{{"--last", "1"}, {"unknown"}} {
		args = append([]string{"explain", "--endpoint", c.admin}, args...)
		if status, out, log := result(args...); status != 1 || out != "" || log != "penstock: NotFoundException: requests are not remembered: set explain.requests\n" {
			t.Errorf("%q: exit status %d, %s%s", args, status, out, log)
		}
	}
}
