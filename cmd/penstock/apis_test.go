package main

import (
	"strings"
	"testing"
)

func TestAPIs(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{listAPIs: {200, "", `{"items":[
		{"apiId":"a1b2c3d4e5","name":"pets","protocolType":"HTTP","version":"1.0","createdDate":"2025-01-02T03:04:05Z","apiEndpoint":"http://a1b2c3d4e5.execute-api.us-east-1.localhost:8080","tags":{}},
		{"apiId":"f6","name":"\u001b[31mchat\n","protocolType":"WEBSOCKET","apiEndpoint":"ws://f6.execute-api"},
		{}
	]}`}})
	want := `ID          NAME            PROTOCOL   VERSION  CREATED               ENDPOINT
a1b2c3d4e5  pets            HTTP       1.0      2025-01-02T03:04:05Z  http://a1b2c3d4e5.execute-api.us-east-1.localhost:8080
f6          \x1b[31mchat\n  WEBSOCKET  -        -                     ws://f6.execute-api
-           -               -          -        -                     -
`
	if status, out, log := result("apis", "--endpoint", s.URL); status != 0 || out != want || log != "" {
		t.Errorf("exit status %d, got\n%s%s\nwant\n%s", status, out, log, want)
	}
	s.check(t, listAPIs)
	s.answers[listAPIs] = answered{200, "", `{"items":[]}`}
	if status, out, log := result("apis", "--endpoint", s.URL); status != 0 || out != "ID  NAME  PROTOCOL  VERSION  CREATED  ENDPOINT\n" || !strings.Contains(log, "there is no API; penstock import makes one") {
		t.Errorf("none: exit status %d, %q, %q", status, out, log)
	}
	if status, out, log := result("apis", "--endpoint", s.URL, "--json"); status != 0 || out != "[]\n" || log != "" {
		t.Errorf("none: exit status %d, %q, %q", status, out, log)
	}
}

// What a server has is what is shown, in a table and as JSON.
func TestAPIsOfServer(t *testing.T) {
	t.Parallel()
	c := serve(t, "--memory")
	one := c.post(t, "/v2/apis", `{"name":"pets","protocolType":"HTTP","version":"7"}`, "apiId")
	two := c.post(t, "/v2/apis", `{"name":"a \"chat\"","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`, "apiId")
	environ := []string{"PENSTOCK_ADMIN=" + strings.TrimPrefix(c.admin, "http://")}
	status, out, log := resultIn(environ, "apis")
	if status != 0 || log != "" {
		t.Fatalf("exit status %d, %s", status, log)
	}
	for _, want := range []string{one, two, "  pets  ", `  a "chat"  `, "  HTTP  ", "  WEBSOCKET  ", "  7  ", one + ".execute-api.us-east-1.localhost"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %s in\n%s", want, out)
		}
	}
	if n := strings.Count(out, "\n"); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
	checkItems(t, c.admin+"/v2/apis", func() (int, string, string) { return resultIn(environ, "apis", "--json") })
}
