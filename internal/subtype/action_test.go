package subtype_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/subtype"
)

const queue = "https://sqs.us-east-1.amazonaws.com/123456789012/q"

// sqsHeader and the others are what calls have between the line of the signature and the
// body.
func jsonHeader(version, target string) string {
	return "\nContent-Type: application/x-amz-json-" + version + "\nX-Amz-Target: " + target
}

func sqsCall(region, action, body string) string {
	return "POST sqs." + region + ".amazonaws.com / " + action + "\nsqs/" + region + jsonHeader("1.0", "AmazonSQS."+action) + "\nx-amzn-query-mode: true\n" + body
}

// subtypes are all subtypes with all their parameters, each taken from the request, and what
// the service gets.
var subtypes = []struct {
	name       string
	parameters []string // names and what they are in the request
	want       string
}{
	{"EventBridge-PutEvents", []string{"Detail", `{"a": "é\n"}`, "DetailType", "order", "Source", "web", "Time", "2024-05-01T12:00:00.25Z", "EventBusName", "bus", "Resources", `["r1", "r2"]`, "Region", "eu-west-1", "TraceHeader", "Root=1-5-a"},
		"POST events.eu-west-1.amazonaws.com / PutEvents\nevents/eu-west-1" + jsonHeader("1.1", "AWSEvents.PutEvents") + "\n" +
			`{"Entries":[{"Detail":"{\"a\": \"é\\n\"}","DetailType":"order","Source":"web","Time":1714564800.25,"EventBusName":"bus","Resources":["r1", "r2"],"TraceHeader":"Root=1-5-a"}]}`},
	{"SQS-SendMessage", []string{"QueueUrl", queue, "MessageBody", `say "hi"`, "DelaySeconds", "5", "MessageAttributes", `{"k": {"DataType":"String","StringValue":"v"}}`, "MessageDeduplicationId", "d", "MessageGroupId", "g", "MessageSystemAttributes", `{}`, "Region", "us-west-2"},
		sqsCall("us-west-2", "SendMessage", `{"QueueUrl":"`+queue+`","MessageBody":"say \"hi\"","DelaySeconds":5,"MessageAttributes":{"k": {"DataType":"String","StringValue":"v"}},"MessageDeduplicationId":"d","MessageGroupId":"g","MessageSystemAttributes":{}}`)},
	{"SQS-ReceiveMessage", []string{"QueueUrl", queue, "AttributeNames", "All", "MaxNumberOfMessages", "10", "MessageAttributeNames", `["a","b"]`, "ReceiveRequestAttemptId", "r", "VisibilityTimeout", "0", "WaitTimeSeconds", "20", "Region", "us-west-2"},
		sqsCall("us-west-2", "ReceiveMessage", `{"QueueUrl":"`+queue+`","AttributeNames":["All"],"MaxNumberOfMessages":10,"MessageAttributeNames":["a","b"],"ReceiveRequestAttemptId":"r","VisibilityTimeout":0,"WaitTimeSeconds":20}`)},
	{"SQS-DeleteMessage", []string{"ReceiptHandle", "AQEB+/=", "QueueUrl", queue, "Region", "cn-north-1"},
		strings.Replace(sqsCall("cn-north-1", "DeleteMessage", `{"QueueUrl":"`+queue+`","ReceiptHandle":"AQEB+/="}`), ".com /", ".com.cn /", 1)},
	{"SQS-PurgeQueue", []string{"QueueUrl", queue, "Region", "us-east-1"},
		sqsCall("us-east-1", "PurgeQueue", `{"QueueUrl":"`+queue+`"}`)},
	{"AppConfig-GetConfiguration", []string{"Application", "my app", "Environment", "prod/eu", "Configuration", "c?d#e", "ClientId", "me&client_id=you", "ClientConfigurationVersion", "3", "Region", "eu-west-1"},
		"GET appconfig.eu-west-1.amazonaws.com /applications/my%20app/environments/prod%2Feu/configurations/c%3Fd%23e?client_id=me%26client_id%3Dyou&client_configuration_version=3 GetConfiguration\nappconfig/eu-west-1\n"},
	{"Kinesis-PutRecord", []string{"StreamName", "s", "Data", `{"a":1}`, "PartitionKey", "p", "SequenceNumberForOrdering", "49", "ExplicitHashKey", "0", "Region", "eu-west-1"},
		"POST kinesis.eu-west-1.amazonaws.com / PutRecord\nkinesis/eu-west-1" + jsonHeader("1.1", "Kinesis_20131202.PutRecord") + "\n" +
			`{"StreamName":"s","Data":"eyJhIjoxfQ==","PartitionKey":"p","ExplicitHashKey":"0","SequenceNumberForOrdering":"49"}`},
	{"StepFunctions-StartExecution", []string{"StateMachineArn", "arn:m", "Name", "n", "Input", `{"a":1}`, "Region", "eu-west-1"},
		"POST states.eu-west-1.amazonaws.com / StartExecution\nstates/eu-west-1" + jsonHeader("1.0", "AWSStepFunctions.StartExecution") + "\n" +
			`{"stateMachineArn":"arn:m","name":"n","input":"{\"a\":1}"}`},
	{"StepFunctions-StartSyncExecution", []string{"StateMachineArn", "arn:m", "Name", "n", "Input", "{}", "Region", "eu-west-1", "TraceHeader", "t"},
		"POST sync-states.eu-west-1.amazonaws.com / StartSyncExecution\nstates/eu-west-1" + jsonHeader("1.0", "AWSStepFunctions.StartSyncExecution") + "\n" +
			`{"stateMachineArn":"arn:m","name":"n","input":"{}","traceHeader":"t"}`},
	{"StepFunctions-StopExecution", []string{"ExecutionArn", "arn:e", "Cause", "c", "Error", "e", "Region", "eu-west-1"},
		"POST states.eu-west-1.amazonaws.com / StopExecution\nstates/eu-west-1" + jsonHeader("1.0", "AWSStepFunctions.StopExecution") + "\n" +
			`{"executionArn":"arn:e","error":"e","cause":"c"}`},
}

// TestSubtypes: what the service gets of every parameter, whether the request decides on it
// or the integration.
func TestSubtypes(t *testing.T) {
	t.Parallel()
	for _, tt := range subtypes {
		mapped, literal := map[string]string{}, map[string]string{}
		members := map[string]string{}
		for i := 0; i < len(tt.parameters); i += 2 {
			name, value := tt.parameters[i], tt.parameters[i+1]
			mapped[name], literal[name], members[name] = "$request.body."+name, value, value
		}
		body, _ := json.Marshal(members)
		for _, parameters := range []map[string]string{mapped, literal} {
			r := &recorder{}
			x := newExchange(t)
			x.Request.Body.Bytes = body
			x.Request.Header = append(x.Request.Header, gateway.Field{Name: "X-Secret", Value: "s"})
			x.Request.Query = "secret=1"
			if err := mustNew(t, specOf(r, tt.name, parameters)).Invoke(x); err != nil {
				t.Errorf("%s: %v, %s", tt.name, err, x.Integration.Error)
				continue
			}
			q := r.take()[0]
			if got := show(q); got != tt.want {
				t.Errorf("%s: service got\n%s\nwant\n%s", tt.name, got, tt.want)
			}
			if len(q.Body) > 0 && !json.Valid(q.Body) {
				t.Errorf("%s: the body is not JSON", tt.name)
			}
			if q.CredentialsARN != role || q.SourceARN != "arn:aws:execute-api:us-east-1:123456789012:a/live/POST/in/{id}" || q.Timeout.Seconds() != 7 {
				t.Errorf("%s: called as %q from %q, timeout %v", tt.name, q.CredentialsARN, q.SourceARN, q.Timeout)
			}
		}
	}
}

// TestUnresolved: a parameter without a value fails the request, whichever it is, and
// optional or not.
func TestUnresolved(t *testing.T) {
	t.Parallel()
	for _, tt := range subtypes {
		for i := 0; i < len(tt.parameters); i += 2 {
			name := tt.parameters[i]
			for source, expression := range map[string]string{
				"$request.header.none":   "$request.header.none",
				"$context.authorizer.id": "before ${context.authorizer.id}",
				"$stageVariables.none":   "${stageVariables.none}",
				"$request.body":          "$request.body",
				"$request.body.a":        "$request.body.a",
			} {
				parameters := pairs(tt.parameters...)
				parameters[name] = expression
				r := &recorder{}
				x := newExchange(t)
				err := mustNew(t, specOf(r, tt.name, parameters)).Invoke(x)
				var answer *gateway.Error
				if !errors.As(err, &answer) || answer.Status != 400 || answer.Message != "Bad Request" {
					t.Errorf("%s, %s from %s: %v", tt.name, name, expression, err)
				}
				if want := "Unable to resolve property " + name + " from source " + source; x.Integration.Error != want {
					t.Errorf("%s: outcome %q, want %q", tt.name, x.Integration.Error, want)
				}
				if len(r.take()) != 0 {
					t.Errorf("%s, %s from %s: the service was called", tt.name, name, expression)
				}
			}
		}
	}
}

// TestNew: what cannot work is refused before there is a request.
func TestNew(t *testing.T) {
	t.Parallel()
	send := func(more ...string) map[string]string {
		p := pairs("QueueUrl", queue, "MessageBody", "b")
		for name, value := range pairs(more...) {
			if p[name] = value; value == "-" {
				delete(p, name)
			}
		}
		return p
	}
	for _, tt := range []struct {
		name       string
		parameters map[string]string
		change     func(*subtype.Spec)
		want       string // part of the error; "" for none
	}{
		{"good", send(), nil, ""},
		{"unknown subtype", send(), func(s *subtype.Spec) { s.Subtype = "SQS-Sendmessage" }, `"SQS-Sendmessage"`},
		{"no service", send(), func(s *subtype.Spec) { s.Service = nil }, "nothing that calls"},
		{"no role", send(), func(s *subtype.Spec) { s.CredentialsARN = "" }, "credentialsArn"},
		{"no timeout", send(), func(s *subtype.Spec) { s.Timeout = 0 }, "timeout"},
		{"protocol", send(), func(s *subtype.Spec) { s.SQSResponse = "yaml" }, `"yaml"`},
		{"region of the server", send(), func(s *subtype.Spec) { s.Region = "US" }, `the region "US"`},
		{"missing", send("MessageBody", "-"), nil, "MessageBody is missing"},
		{"unknown", send("queueUrl", "q"), nil, "no parameter queueUrl"},
		{"empty", send("QueueUrl", ""), nil, "QueueUrl: the value is empty"},
		{"empty and optional", send("MessageGroupId", ""), nil, "MessageGroupId: the value is empty"},
		{"expression", send("MessageBody", "$request.cookie.a"), nil, "MessageBody: mapping"},
		{"integer", send("DelaySeconds", "soon"), nil, "DelaySeconds: want an integer"},
		{"attributes", send("MessageAttributes", `{"a":}`), nil, "MessageAttributes: want a JSON object"},
		{"list for attributes", send("MessageSystemAttributes", `[]`), nil, "MessageSystemAttributes: want a JSON object"},
		{"region", send("Region", "evil.example.com"), nil, "Region: want the name of a region"},
		{"empty region", send("Region", ""), nil, "Region: the value is empty"},
		{"region of a stage variable", send("Region", "${stageVariables.region}"), nil, ""},
		{"time", pairs("Detail", "{}", "DetailType", "t", "Source", "s", "Time", "noon"), func(s *subtype.Spec) { s.Subtype = "EventBridge-PutEvents" }, "Time: want a time"},
		{"segment", pairs("Application", "..", "Environment", "e", "Configuration", "c", "ClientId", "i"), func(s *subtype.Spec) { s.Subtype = "AppConfig-GetConfiguration" }, "Application: want one segment"},
		{"empty cause", pairs("ExecutionArn", "e", "Cause", ""), func(s *subtype.Spec) { s.Subtype = "StepFunctions-StopExecution" }, ""},
	} {
		spec := specOf(&recorder{}, "SQS-SendMessage", tt.parameters)
		if tt.change != nil {
			tt.change(&spec)
		}
		_, err := subtype.New(spec)
		if got := err == nil; got != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestTypes: what becomes of the text of a parameter. A want without a brace is the error.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, parameter, value, want string }{
		{"number", "DelaySeconds", "900", `"DelaySeconds":900`},
		{"negative", "DelaySeconds", "-1", `"DelaySeconds":-1`},
		{"text for a number", "DelaySeconds", `5,"x":1`, `"DelaySeconds":"5,\"x\":1"`},
		{"fraction", "DelaySeconds", "1.5", `"DelaySeconds":"1.5"`},
		{"leading zero", "DelaySeconds", "05", `"DelaySeconds":"05"`},
		{"sign alone", "DelaySeconds", "-", `"DelaySeconds":"-"`},
		{"nothing", "DelaySeconds", "", `"DelaySeconds":""`},
		{"object", "MessageAttributes", ` {"a":{"DataType":"String","StringValue":"\""}} `, `"MessageAttributes": {"a":{"DataType":"String","StringValue":"\""}} `},
		{"no object", "MessageAttributes", `"a"`, "Invalid value of property MessageAttributes from source $request.header.v"},
		{"object and more", "MessageAttributes", `{},"MessageBody":"x"`, "Invalid value of property MessageAttributes from source $request.header.v"},
		{"half an object", "MessageSystemAttributes", `{"a":`, "Invalid value of property MessageSystemAttributes from source $request.header.v"},
		{"list", "AttributeNames", `["a",1]`, `"AttributeNames":["a",1]`},
		{"one name", "AttributeNames", "a,b", `"AttributeNames":["a,b"]`},
		{"no list", "AttributeNames", `["a"],"x":[`, `"AttributeNames":["[\"a\"],\"x\":["]`},
		{"seconds", "Time", "1714564800", `"Time":1714564800`},
		{"parts of seconds", "Time", "1714564800.5", `"Time":1714564800.5`},
		{"offset", "Time", "2024-05-01T14:00:00+02:00", `"Time":1714564800`},
		{"short offset", "Time", "2024-05-01T14:00:00+0200", `"Time":1714564800`},
		{"no offset", "Time", "2024-05-01T12:00:00", `"Time":1714564800`},
		{"date", "Time", "1970-01-02", `"Time":86400`},
		{"before 1970", "Time", "1969-12-31T23:59:59.5Z", `"Time":-0.5`},
		{"no time", "Time", `1,"Source":"x"`, `"Time":"1,\"Source\":\"x\""`},
		{"long for a time", "Time", strings.Repeat("1", 65), `"Time":"` + strings.Repeat("1", 65) + `"`},
		{"text", "Source", "a\"\\\t\x7f\xff\u2028é", "\"Source\":\"a\\\"\\\\\\t\x7f\uFFFD\u2028é\""},
		{"data", "Data", "a\xff", `"Data":"Yf8="`},
		{"segment", "Application", "a%2Fb ;é+", `/applications/a%252Fb%20%3B%C3%A9%2B/`},
		{"dots", "Application", "..", "Invalid value of property Application from source $request.header.v"},
		{"path", "Application", "../../x", "Invalid value of property Application from source $request.header.v"},
		{"escaped dots", "Application", "%2e%2e", "Invalid value of property Application from source $request.header.v"},
		{"backslash", "Application", `..\x`, "Invalid value of property Application from source $request.header.v"},
		{"line end", "Application", "a\r\nX: y", "Invalid value of property Application from source $request.header.v"},
		{"no segment", "Application", "", "Invalid value of property Application from source $request.header.v"},
		{"query", "ClientId", "a&b=c#d/?e f\r\n", `?client_id=a%26b%3Dc%23d%2F%3Fe%20f%0D%0A`},
		{"region", "Region", "eu-central-1", `eu-central-1`},
		{"host for a region", "Region", "x.evil.example/", "Invalid value of property Region from source $request.header.v"},
		{"upper case", "Region", "EU", "Invalid value of property Region from source $request.header.v"},
		{"port", "Region", "a:80", "Invalid value of property Region from source $request.header.v"},
		{"user", "Region", "a@b", "Invalid value of property Region from source $request.header.v"},
		{"no region", "Region", "", "Invalid value of property Region from source $request.header.v"},
		{"hyphen", "Region", "-", "Invalid value of property Region from source $request.header.v"},
		{"longest region", "Region", strings.Repeat("a", 32), "sqs." + strings.Repeat("a", 32) + ".amazonaws.com"},
		{"long region", "Region", strings.Repeat("a", 33), "Invalid value of property Region from source $request.header.v"},
	} {
		var name string
		var parameters map[string]string
		for _, s := range subtypes { // the first that has the parameter
			if slices.Contains(s.parameters, tt.parameter) && (tt.parameter != "Region" || s.name == "SQS-SendMessage") {
				name, parameters = s.name, pairs(s.parameters...)
				break
			}
		}
		parameters[tt.parameter] = "$request.header.v"
		r := &recorder{}
		x := newExchange(t)
		x.Request.Header = append(x.Request.Header, gateway.Field{Name: "V", Value: tt.value})
		err := mustNew(t, specOf(r, name, parameters)).Invoke(x)
		if strings.HasPrefix(tt.want, "Invalid ") {
			var answer *gateway.Error
			if !errors.As(err, &answer) || answer.Status != 400 || x.Integration.Error != tt.want || len(r.take()) != 0 {
				t.Errorf("%s: %v, %q, want %q", tt.name, err, x.Integration.Error, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		q := r.take()[0]
		if got := show(q); !strings.Contains(got, tt.want) {
			t.Errorf("%s: service got\n%s\nwant it to have\n%s", tt.name, got, tt.want)
		}
		if len(q.Body) > 0 && !json.Valid(q.Body) {
			t.Errorf("%s: the body is not JSON: %s", tt.name, q.Body)
		}
	}
}
