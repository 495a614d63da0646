package subtype_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/subtype"
)

// TestAnswer: what the client gets of the answer of a service.
func TestAnswer(t *testing.T) {
	t.Parallel()
	fields := []gateway.Field{{Name: "x-amzn-RequestId", Value: "r1"}, {Name: "Date", Value: "now"}, {Name: "content-type", Value: "application/x-amz-json-1.1"},
		{Name: "Server", Value: "s"}, {Name: "Configuration-Version", Value: "4"}, {Name: "Set-Cookie", Value: "a=b"}, {Name: "X-Amz-Id-2", Value: "i"}}
	for _, tt := range []struct {
		name, subtype, method string
		status                int
		body                  string
		response              map[string]map[string]string

		want    int
		header  string // names and values, without those of the gateway
		content string
	}{
		{"passes", "EventBridge-PutEvents", "POST", 200, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"x"}]}`, nil,
			200, "Content-Type=application/x-amz-json-1.1", `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"x"}]}`},
		{"failed execution", "StepFunctions-StartSyncExecution", "POST", 200, `{"status":"FAILED","error":"e"}`, nil,
			200, "Content-Type=application/x-amz-json-1.1", `{"status":"FAILED","error":"e"}`},
		{"error of the service", "StepFunctions-StartExecution", "POST", 400, `{"__type":"com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist","message":"m"}`, nil,
			400, "Content-Type=application/x-amz-json-1.1", `{"__type":"com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist","message":"m"}`},
		{"failure of the service", "Kinesis-PutRecord", "POST", 503, `oops`, nil, 503, "Content-Type=application/x-amz-json-1.1", "oops"},
		{"configuration", "AppConfig-GetConfiguration", "GET", 200, "a: b\x00\xff", nil, 200, "Configuration-Version=4 Content-Type=application/x-amz-json-1.1", "a: b\x00\xff"},
		{"same configuration", "AppConfig-GetConfiguration", "GET", 204, "", nil, 204, "Configuration-Version=4 Content-Type=application/x-amz-json-1.1", ""},
		{"HEAD", "AppConfig-GetConfiguration", "HEAD", 200, "abc", nil, 200, "Configuration-Version=4 Content-Type=application/x-amz-json-1.1", ""},
		{"mapped", "Kinesis-PutRecord", "POST", 400, `{"__type":"ResourceNotFoundException","message":"m"}`,
			map[string]map[string]string{"400": {"overwrite:statuscode": "404", "append:header.Why": "$response.body.message", "overwrite:header.Content-Type": "application/json", "append:header.Cookie": "$response.header.set-cookie"}},
			404, "Content-Type=application/json Why=m", `{"__type":"ResourceNotFoundException","message":"m"}`},
		{"mapped for another status", "Kinesis-PutRecord", "POST", 200, `{}`,
			map[string]map[string]string{"400": {"overwrite:statuscode": "404"}}, 200, "Content-Type=application/x-amz-json-1.1", `{}`},
		{"queue in JSON", "SQS-SendMessage", "POST", 200, `{"MessageId":"m"}`, nil, 200, "Content-Type=application/x-amz-json-1.1", `{"MessageId":"m"}`},
		{"queue in XML, mapped", "SQS-PurgeQueue", "POST", 200, "", map[string]map[string]string{"200": {"overwrite:statuscode": "202"}},
			202, "Content-Type=text/xml", `<?xml version="1.0"?><PurgeQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata></PurgeQueueResponse>`},
	} {
		r := &recorder{status: tt.status, header: fields, body: tt.body}
		var spec subtype.Spec
		for _, s := range subtypes {
			if s.name == tt.subtype {
				spec = specOf(r, s.name, pairs(s.parameters...))
			}
		}
		if strings.Contains(tt.name, "JSON") {
			spec.SQSResponse = "json"
		}
		var err error
		if spec.Response, err = mapping.CompileResponse(tt.response, spec.Scope); err != nil {
			t.Fatal(err)
		}
		g := serveSpec(t, spec)
		status, header, content := g.ask(tt.method, "/in/7", "")
		var got []string
		for name := range header {
			if name != "Apigw-Requestid" && name != "Date" && name != "Content-Length" && name != "Connection" {
				got = append(got, name+"="+strings.Join(header[name], "|"))
			}
		}
		slices.Sort(got)
		if status != tt.want || strings.Join(got, " ") != tt.header || content != tt.content {
			t.Errorf("%s: status %d, header %q, body %q", tt.name, status, got, content)
		}
		if header.Get("Apigw-Requestid") == "" {
			t.Errorf("%s: no request ID", tt.name)
		}
		if o, _ := g.left(); o.Status != tt.status || o.ServiceStatus != tt.status {
			t.Errorf("%s: outcome %+v", tt.name, o)
		}
	}
}

// TestFailures: a call that was not made, or not answered, is answered as the service says.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"timeout":     {gateway.IntegrationTimeout(nil), 503},
		"credentials": {gateway.InternalError(integration.ErrCredentials), 500},
		"no answer":   {gateway.ServiceUnavailable(nil), 503},
	} {
		g := serveSpec(t, specOf(&recorder{err: tt.err}, "SQS-PurgeQueue", pairs("QueueUrl", queue)))
		if status, _, _ := g.ask("POST", "/in/7", ""); status != tt.want {
			t.Errorf("%s: status %d, want %d", name, status, tt.want)
		}
	}
}

// TestCaller: the caller's credentials are those of whoever signed the request.
func TestCaller(t *testing.T) {
	t.Parallel()
	r := &recorder{body: "{}"}
	spec := specOf(r, "SQS-PurgeQueue", pairs("QueueUrl", queue))
	spec.CredentialsARN = integration.CallerCredentials
	i := mustNew(t, spec)
	const user = "arn:aws:iam::123456789012:user/ada"
	g := serve(t, i, false, func(x *gateway.Exchange) {
		x.Identity = &gateway.Identity{IAM: &gateway.IAMIdentity{UserARN: user}}
	})
	if status, _, _ := g.ask("POST", "/in/7", ""); status != 200 {
		t.Errorf("status %d", status)
	}
	if calls := r.take(); len(calls) != 1 || calls[0].CredentialsARN != user {
		t.Errorf("calls %+v", calls)
	}
	g = serve(t, i, false, nil)
	if status, _, answer := g.ask("POST", "/in/7", ""); status != 500 || answer != `{"message":"Internal Server Error"}` || len(r.take()) != 0 {
		t.Errorf("nobody has signed: status %d %s", status, answer)
	}
	if o, err := g.left(); !errors.Is(err, integration.ErrCredentials) || o.Error == "" {
		t.Errorf("nobody has signed: %v, %+v", err, o)
	}
}

// TestSource: what the ARN of a route looks like.
func TestSource(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{"GET /a/{b}": "/GET/a/{b}", "ANY /a/{b+}": "/*/a/{b+}", "$default": "/$default"} {
		r := &recorder{body: "{}"}
		spec := specOf(r, "SQS-PurgeQueue", pairs("QueueUrl", queue))
		spec.RouteKey = key
		if err := mustNew(t, spec).Invoke(newExchange(t)); err != nil {
			t.Fatal(err)
		}
		if got := r.take()[0].SourceARN; got != "arn:aws:execute-api:us-east-1:123456789012:a/live"+want {
			t.Errorf("%s: %s", key, got)
		}
	}
}

// TestReadsBody: who does not look into the body does not wait for it.
func TestReadsBody(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{"b": false, "$request.header.a": false, "$request.body": true, "a${request.body.b}": true} {
		for _, name := range []string{"MessageBody", "Region"} {
			parameters := pairs("QueueUrl", queue, "MessageBody", "b", "Region", "eu-west-1")
			if name == "Region" && !strings.HasPrefix(expression, "$") {
				continue
			}
			parameters[name] = expression
			if got := mustNew(t, specOf(&recorder{}, "SQS-SendMessage", parameters)).ReadsBody(); got != want {
				t.Errorf("%s: %v", expression, got)
			}
		}
	}
}
