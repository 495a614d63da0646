package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const (
	listIntegrations = "GET /v2/apis/a1/integrations?maxResults=500"
	listRoutes       = "GET /v2/apis/a1/routes?maxResults=500"
)

func TestIntegrations(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{
		listAPIs: threeAs,
		listIntegrations: {200, "", `{"items":[
			{"integrationId":"i1","integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"http://h/pets","connectionType":"INTERNET","timeoutInMillis":30000,"payloadFormatVersion":"1.0",
			 "requestParameters":{"overwrite:path":"/x","append:header.a":""},"responseParameters":{"200":{"overwrite:header.b":"$response.body.c"}},"apiGatewayManaged":false},
			{"integrationId":"i2","integrationType":"AWS_PROXY","integrationSubtype":"SQS-SendMessage","integrationUri":"u","connectionType":"VPC_LINK","connectionId":"v1","timeoutInMillis":1500,"tlsConfig":{"serverNameToVerify":"h"}},
			{"integrationId":"i3","integrationType":["?"],"connectionId":"v2","timeoutInMillis":"soon","requestTemplates":{"application/json":"{\n\t\"a\": $input\n}","x":"\u001b[2J"},"new":null}
		]}`},
		listRoutes: {200, "", `{"items":[
			{"routeKey":"POST /pets","target":"integrations/i1"},{"routeKey":"GET /pets","target":"integrations/i1"},
			{"routeKey":"GET /none"},{"routeKey":"GET /gone","target":"integrations/i0"},
			{"routeKey":"send\u001b","target":"integrations/i2"}
		]}`},
	})
	want := `ID  TYPE        METHOD  CALLS            CONNECTION   TIMEOUT  ROUTES
i1  HTTP_PROXY  ANY     http://h/pets    INTERNET     30s      GET /pets
                                                               POST /pets
    payloadFormatVersion: 1.0
    requestParameters:
      overwrite:path: /x
      append:header.a: ""
    responseParameters:
      200:
        overwrite:header.b: $response.body.c
    apiGatewayManaged: false
i2  AWS_PROXY   -       SQS-SendMessage  VPC_LINK v1  1.5s     send\x1b
    integrationUri: u
    tlsConfig:
      serverNameToVerify: h
i3  -           -       -                - v2         soon     -
    integrationType:
      - ?
    requestTemplates:
      application/json:
        | {
        | 	"a": $input
        | }
      x: \x1b[2J
    new: null
`
	if status, out, log := result("integrations", "pets", "--endpoint", s.URL); status != 0 || out != want || log != "" {
		t.Errorf("exit status %d, got\n%s%s\nwant\n%s", status, out, log, want)
	}
	s.check(t, "GET /v2/apis/pets", listAPIs, listIntegrations, listRoutes)
	if status, out, log := result("integrations", "a1", "--json", "--endpoint", s.URL); status != 0 || !json.Valid([]byte(out)) || log != "" {
		t.Errorf("exit status %d, %s%s", status, out, log)
	}
	s.check(t, "GET /v2/apis/a1", listIntegrations)

	s.answers[listIntegrations] = answered{200, "", `{"items":[]}`}
	if status, out, log := result("integrations", "a1", "--endpoint", s.URL); status != 0 || strings.Count(out, "\n") != 1 || log != "note: this API has no integrations\n" {
		t.Errorf("none: exit status %d, %q, %q", status, out, log)
	}
	s.answers[listIntegrations] = answered{404, "NotFoundException", `{"message":"Invalid API identifier specified"}`}
	if status, out, log := result("integrations", "a1", "--endpoint", s.URL); status != 1 || out != "" || log != "penstock: NotFoundException: Invalid API identifier specified\n" {
		t.Errorf("gone: exit status %d, %q, %q", status, out, log)
	}
}

// checkItems compares what a command prints as JSON with what the server answers,
// byte by byte but for the spaces between values.
func checkItems(t *testing.T, url string, command func() (status int, out, log string)) (items []json.RawMessage) {
	t.Helper()
	var all []string
	for token := ""; ; {
		_, body := get(t, url+"?maxResults=97"+token)
		var page struct {
			Items     []json.RawMessage
			NextToken string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, item := range page.Items {
			items, all = append(items, item), append(all, string(item))
		}
		if page.NextToken == "" {
			break
		}
		token = "&nextToken=" + page.NextToken
	}
	status, out, log := command()
	var got bytes.Buffer
	if err := json.Compact(&got, []byte(out)); err != nil {
		t.Fatalf("%v: exit status %d, %s%s", err, status, out, log)
	}
	if want := "[" + strings.Join(all, ",") + "]"; status != 0 || log != "" || got.String() != want {
		t.Errorf("exit status %d, got\n%s%s\nwant\n%s", status, got.String(), log, want)
	}
	return items
}

// checkSeen reports what of a value is nowhere in a text: names of members, and
// texts line by line.
func checkSeen(t *testing.T, text string, value any) {
	t.Helper()
	seen := func(want string) {
		if !strings.Contains(text, want) {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			checkSeen(t, text, v)
			switch name {
			case "integrationId", "integrationType", "integrationMethod", "integrationUri", "integrationSubtype", "connectionType", "connectionId":
			case "timeoutInMillis":
			default:
				seen(name + ":")
			}
		}
	case string:
		for line := range strings.SplitSeq(value, "\n") {
			seen(line)
		}
	case float64:
		seen(timeout(fmt.Sprint(value)))
	default:
		seen(fmt.Sprint(value))
	}
}

// Every member of every integration that a server has is shown.
func TestIntegrationsOfServer(t *testing.T) {
	t.Parallel()
	c := serve(t, "--memory")
	for _, tt := range []struct {
		name, api    string
		integrations []string
		shown        []string
	}{
		{"http", `"protocolType":"HTTP","target":"https://example.com/quick"`, []string{
			`{"integrationType":"HTTP_PROXY","integrationMethod":"GET","integrationUri":"https://example.com/pets","payloadFormatVersion":"1.0","description":"the pets <&>","timeoutInMillis":1234,
			  "requestParameters":{"overwrite:path":"/a","append:header.x":"$context.requestId"},"responseParameters":{"404":{"overwrite:statuscode":"200","append:header.y":"z"}}}`,
			`{"integrationType":"AWS_PROXY","integrationUri":"arn:aws:lambda:us-east-1:123456789012:function:f","payloadFormatVersion":"2.0","credentialsArn":"arn:aws:iam::123456789012:role/r"}`,
			`{"integrationType":"AWS_PROXY","integrationSubtype":"SQS-SendMessage","payloadFormatVersion":"1.0","credentialsArn":"arn:aws:iam::123456789012:role/r","requestParameters":{"QueueUrl":"https://q/1/x","MessageBody":"$request.body"}}`,
		}, []string{"apiGatewayManaged: true", "      overwrite:path: /a", "        append:header.y: z", "  1.234s  ", "SQS-SendMessage", "  $default"}},
		{"chat", `"protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"`, []string{
			`{"integrationType":"MOCK","requestTemplates":{"200":"{\"statusCode\": 200,\n \"a\": 1}","$default":"{}"},"templateSelectionExpression":"$request.body.kind","passthroughBehavior":"NEVER"}`,
			`{"integrationType":"HTTP","integrationMethod":"POST","integrationUri":"https://example.com/","contentHandlingStrategy":"CONVERT_TO_TEXT","requestParameters":{"integration.request.header.x":"'y'"}}`,
		}, []string{"        |  \"a\": 1}", "passthroughBehavior: NEVER", "  send"}},
	} {
		api := c.post(t, "/v2/apis", fmt.Sprintf(`{"name":%q,%s}`, tt.name, tt.api), "apiId")
		for i, text := range tt.integrations {
			id := c.post(t, "/v2/apis/"+api+"/integrations", text, "integrationId")
			key := fmt.Sprintf("GET /%d", i)
			if tt.name == "chat" {
				key = fmt.Sprintf("send%d", i)
			}
			c.post(t, "/v2/apis/"+api+"/routes", fmt.Sprintf(`{"routeKey":%q,"target":"integrations/%s"}`, key, id), "routeId")
			tt.shown = append(tt.shown, "  "+key+"\n")
		}
		status, out, log := result("integrations", tt.name, "--endpoint", c.admin)
		if status != 0 || log != "" {
			t.Fatalf("%s: exit status %d, %s", tt.name, status, log)
		}
		for _, want := range tt.shown {
			if !strings.Contains(out, want) {
				t.Errorf("%s: want %q in\n%s", tt.name, want, out)
			}
		}
		for _, item := range checkItems(t, c.admin+"/v2/apis/"+api+"/integrations", func() (int, string, string) {
			return result("integrations", api, "--json", "--endpoint", c.admin)
		}) {
			var value any
			if err := json.Unmarshal(item, &value); err != nil {
				t.Fatal(err)
			}
			checkSeen(t, out, value)
		}
	}
}

// 600 integrations are two pages.
func TestManyIntegrations(t *testing.T) {
	t.Parallel()
	c := serve(t, "--memory", "--config", write(t, "penstock.yaml", "limits: {integrations: 600, routes: 600}\n"))
	var document strings.Builder
	document.WriteString("openapi: 3.0.1\ninfo: {title: many, version: 1}\npaths:\n")
	for i := range 600 {
		fmt.Fprintf(&document, "  /%d: {get: {x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'https://example.com/%[1]d.', payloadFormatVersion: 1.0}}}\n", i)
	}
	status, out, log := result("import", write(t, "openapi.yaml", document.String()), "--endpoint", c.admin)
	api, _, found := strings.Cut(out, ": 600 routes, ")
	if status != 0 || !found {
		t.Fatalf("exit status %d, %s%s", status, out, log)
	}
	if items := checkItems(t, c.admin+"/v2/apis/"+api+"/integrations", func() (int, string, string) {
		return result("integrations", "many", "--json", "--endpoint", c.admin)
	}); len(items) != 600 {
		t.Errorf("%d integrations", len(items))
	}
	status, out, log = result("integrations", "many", "--endpoint", c.admin)
	if status != 0 || log != "" || strings.Count(out, "HTTP_PROXY") != 600 {
		t.Errorf("exit status %d, %s%s", status, out, log)
	}
	for i := range 600 {
		if want := fmt.Sprintf("https://example.com/%d.", i); strings.Count(out, want) != 1 {
			t.Errorf("%s is there %d times", want, strings.Count(out, want))
		}
	}
}
