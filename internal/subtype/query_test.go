package subtype_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"penstock/internal/gateway"
)

// xmlOf returns what the client gets of an answer to an action of queues, with what stands
// around all of them as "…".
func xmlOf(t testing.TB, name string, r *recorder) (string, *gateway.Exchange, error) {
	t.Helper()
	var parameters []string
	for _, s := range subtypes {
		if s.name == name {
			parameters = s.parameters
		}
	}
	x := newExchange(t)
	err := mustNew(t, specOf(r, name, pairs(parameters...))).Invoke(x)
	return string(x.Response.Body.Bytes), x, err
}

const xmlns = ` xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`

// TestQueryAnswers: every answer of a queue in the query protocol, byte for byte.
func TestQueryAnswers(t *testing.T) {
	t.Parallel()
	metadata := func(id string) string {
		return "<ResponseMetadata><RequestId>" + id + "</RequestId></ResponseMetadata>"
	}
	message := func(inner string) string {
		return "<ReceiveMessageResponse" + xmlns + "<ReceiveMessageResult>" + inner + "</ReceiveMessageResult>" + metadata("request-id") + "</ReceiveMessageResponse>"
	}
	for _, tt := range []struct{ name, action, id, body, want string }{
		{"sent", "SendMessage", "r1", `{"MD5OfMessageBody":"5d","MessageId":"m"}`,
			"<SendMessageResponse" + xmlns + "<SendMessageResult><MessageId>m</MessageId><MD5OfMessageBody>5d</MD5OfMessageBody></SendMessageResult>" + metadata("r1") + "</SendMessageResponse>"},
		{"sent with everything", "SendMessage", "<r>", `{"SequenceNumber":"18","MD5OfMessageSystemAttributes":"3","MD5OfMessageAttributes":"2","MD5OfMessageBody":"1","MessageId":"m","Other":"o"}`,
			"<SendMessageResponse" + xmlns + "<SendMessageResult><MessageId>m</MessageId><MD5OfMessageBody>1</MD5OfMessageBody><MD5OfMessageAttributes>2</MD5OfMessageAttributes><MD5OfMessageSystemAttributes>3</MD5OfMessageSystemAttributes><SequenceNumber>18</SequenceNumber></SendMessageResult>" + metadata("&lt;r&gt;") + "</SendMessageResponse>"},
		{"sent, with null and a number", "SendMessage", "", `{"MessageId":"m","MD5OfMessageAttributes":null,"SequenceNumber":1}`,
			"<SendMessageResponse" + xmlns + "<SendMessageResult><MessageId>m</MessageId></SendMessageResult>" + metadata("request-id") + "</SendMessageResponse>"},
		{"deleted", "DeleteMessage", "r1", `{}`, "<DeleteMessageResponse" + xmlns + metadata("r1") + "</DeleteMessageResponse>"},
		{"deleted, without a body", "DeleteMessage", "r1", "", "<DeleteMessageResponse" + xmlns + metadata("r1") + "</DeleteMessageResponse>"},
		{"purged", "PurgeQueue", "r1", `{}`, "<PurgeQueueResponse" + xmlns + metadata("r1") + "</PurgeQueueResponse>"},
		{"nothing received", "ReceiveMessage", "", `{}`, "<ReceiveMessageResponse" + xmlns + "<ReceiveMessageResult/>" + metadata("request-id") + "</ReceiveMessageResponse>"},
		{"nothing received, with a list", "ReceiveMessage", "", `{"Messages":[]}`, "<ReceiveMessageResponse" + xmlns + "<ReceiveMessageResult/>" + metadata("request-id") + "</ReceiveMessageResponse>"},
		{"received", "ReceiveMessage", "", `{"Messages":[{"Body":"a","MD5OfBody":"0c","MessageId":"m","ReceiptHandle":"h+/="},{"MessageId":"n"}]}`,
			message("<Message><MessageId>m</MessageId><ReceiptHandle>h+/=</ReceiptHandle><MD5OfBody>0c</MD5OfBody><Body>a</Body></Message><Message><MessageId>n</MessageId></Message>")},
		{"received with attributes", "ReceiveMessage", "", `{"Messages":[{"MessageId":"m","Attributes":{"SentTimestamp":"1","SenderId":"A"},"MD5OfMessageAttributes":"2","MessageAttributes":{
			"s":{"DataType":"String","StringValue":"v"},"b":{"BinaryValue":"AP8=","DataType":"Binary"},"l":{"DataType":"x","StringListValues":["1","2"],"BinaryListValues":["AA=="]}}}]}`,
			message("<Message><MessageId>m</MessageId><Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute><Attribute><Name>SenderId</Name><Value>A</Value></Attribute><MD5OfMessageAttributes>2</MD5OfMessageAttributes>" +
				"<MessageAttribute><Name>s</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value></MessageAttribute>" +
				"<MessageAttribute><Name>b</Name><Value><BinaryValue>AP8=</BinaryValue><DataType>Binary</DataType></Value></MessageAttribute>" +
				"<MessageAttribute><Name>l</Name><Value><StringListValue>1</StringListValue><StringListValue>2</StringListValue><BinaryListValue>AA==</BinaryListValue><DataType>x</DataType></Value></MessageAttribute></Message>")},
		{"characters", "ReceiveMessage", "", `{"Messages":[{"Body":"<a b=\"c\">&amp;'\r\n\t\u0000\u001b\ufffe\uffff\ud800é😀]]></a>"}]}`,
			message("<Message><Body>&lt;a b=&quot;c&quot;&gt;&amp;amp;'&#xD;\n\t\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDé😀]]&gt;&lt;/a&gt;</Body></Message>")},
		{"names that are no names", "ReceiveMessage", "", `{"Messages":[{"MessageAttributes":{"</Name><x>":{"StringValue":"</Value>"}}}]}`,
			message("<Message><MessageAttribute><Name>&lt;/Name&gt;&lt;x&gt;</Name><Value><StringValue>&lt;/Value&gt;</StringValue></Value></MessageAttribute></Message>")},
	} {
		r := &recorder{body: tt.body}
		if tt.id != "" {
			r.header = []gateway.Field{{Name: "x-amzn-requestid", Value: tt.id}, {Name: "Content-Type", Value: "application/x-amz-json-1.0"}}
		}
		got, x, err := xmlOf(t, "SQS-"+tt.action, r)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if want := `<?xml version="1.0"?>` + tt.want; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
		if h := x.Response.Header; len(h) != 1 || h[0] != (gateway.Field{Name: "Content-Type", Value: "text/xml"}) {
			t.Errorf("%s: header %q", tt.name, h)
		}
	}
}

// TestQueryErrors: errors have the names of the query protocol, whether the service says
// them or only their names in JSON.
func TestQueryErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, action string
		status       int
		query, body  string
		kind, code   string
		message      string
	}{
		{"said", "SendMessage", 400, "AWS.SimpleQueueService.NonExistentQueue;Sender", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`, "Sender", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."},
		{"not said", "ReceiveMessage", 400, "", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"}`, "Sender", "AWS.SimpleQueueService.NonExistentQueue", "m"},
		{"without a family", "PurgeQueue", 403, "", `{"__type":"PurgeQueueInProgress","Message":"m"}`, "Sender", "AWS.SimpleQueueService.PurgeQueueInProgress", "m"},
		{"same name", "DeleteMessage", 400, "", `{"__type":"com.amazonaws.sqs#ReceiptHandleIsInvalid","message":null}`, "Sender", "ReceiptHandleIsInvalid", ""},
		{"failure", "SendMessage", 500, "", `{"__type":"InternalFailure"}`, "Receiver", "InternalFailure", ""},
		{"failure that is said", "SendMessage", 400, "X;Receiver", `{}`, "Receiver", "X", ""},
		{"nothing said", "SendMessage", 400, "", `[]`, "Sender", "", ""},
		{"characters", "SendMessage", 400, "<a>;b", `{"message":"</Message>\u0001&"}`, "Sender", "&lt;a&gt;", "&lt;/Message&gt;\uFFFD&amp;"},
	} {
		r := &recorder{status: tt.status, body: tt.body, header: []gateway.Field{{Name: "Content-Type", Value: "application/x-amz-json-1.0"}}}
		if tt.query != "" {
			r.header = append(r.header, gateway.Field{Name: "X-Amzn-Query-Error", Value: tt.query})
		}
		got, x, err := xmlOf(t, "SQS-"+tt.action, r)
		want := `<?xml version="1.0"?><ErrorResponse` + xmlns + "<Error><Type>" + tt.kind + "</Type><Code>" + tt.code + "</Code><Message>" + tt.message + "</Message><Detail/></Error><RequestId>request-id</RequestId></ErrorResponse>"
		if err != nil || got != want || x.Response.Status != tt.status {
			t.Errorf("%s: %v, status %d, got\n%s\nwant\n%s", tt.name, err, x.Response.Status, got, want)
		}
	}
}

// TestQueryForeign: what is no answer in JSON is passed on if it says that it is XML, or if
// it is an error; anything else is not made up.
func TestQueryForeign(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, action string
		status       int
		kind, body   string
		passes       bool
	}{
		{"XML", "SendMessage", 200, "text/xml", "<SendMessageResponse/>", true},
		{"page of a proxy", "SendMessage", 502, "text/html", "<h1>no</h1>", true},
		{"page for an answer", "SendMessage", 200, "text/html", "<h1>hi</h1>", false},
		{"cut", "ReceiveMessage", 200, "application/x-amz-json-1.0", `{"Messages":[`, false},
		{"two members of one name", "ReceiveMessage", 200, "application/x-amz-json-1.0", `{"Messages":[{"Body":"a","Body":"b"}]}`, false},
		{"deep", "ReceiveMessage", 200, "application/x-amz-json-1.0", `{"Messages":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, false},
	} {
		got, x, err := xmlOf(t, "SQS-"+tt.action, &recorder{status: tt.status, body: tt.body, header: []gateway.Field{{Name: "Content-Type", Value: tt.kind}}})
		if !tt.passes {
			var answer *gateway.Error
			if !errors.As(err, &answer) || answer.Status != 500 || x.Integration.Error != "The response from the service cannot be read" {
				t.Errorf("%s: %v, %q, %s", tt.name, err, x.Integration.Error, got)
			}
			continue
		}
		if err != nil || got != tt.body || x.Response.Status != tt.status || x.Response.Header[0].Value != tt.kind {
			t.Errorf("%s: %v, %d %q %s", tt.name, err, x.Response.Status, x.Response.Header, got)
		}
	}
}

// TestQueryLong: long answers do not end where the buffers of an exchange do.
func TestQueryLong(t *testing.T) {
	t.Parallel()
	body := strings.Repeat(`<&>"`, 100_000)
	quoted, _ := json.Marshal(body)
	got, _, err := xmlOf(t, "SQS-ReceiveMessage", &recorder{body: fmt.Sprintf(`{"Messages":[{"Body":%s}]}`, quoted)})
	var answer struct {
		Body string `xml:"ReceiveMessageResult>Message>Body"`
	}
	if err := errors.Join(err, xml.Unmarshal([]byte(got), &answer)); err != nil || answer.Body != body {
		t.Errorf("%v, got %d bytes, want %d", err, len(answer.Body), len(body))
	}
}

// FuzzQuery: readers of XML find in an answer what the service has said, whatever it was.
func FuzzQuery(f *testing.F) {
	f.Add("a", "b", 200)
	f.Add("</Body>\x00\r\n", "&#x0;\xff\ufffe", 200)
	f.Add("x", "]]><", 400)
	f.Fuzz(func(t *testing.T, one, two string, status int) {
		if status < 200 || status > 599 {
			return
		}
		if !utf8.ValidString(one) || !utf8.ValidString(two) {
			one, two = strings.ToValidUTF8(one, "\uFFFD"), strings.ToValidUTF8(two, "\uFFFD")
		}
		shown := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
					return 0xFFFD
				}
				return r
			}, s)
		}
		a, _ := json.Marshal(one)
		b, _ := json.Marshal(two)
		r := &recorder{status: status, body: fmt.Sprintf(`{"message":%s,"__type":"E","Messages":[{"Body":%s,"MessageAttributes":{%s:{"StringValue":%s}}}]}`, a, a, b, a)}
		got, _, err := xmlOf(t, "SQS-ReceiveMessage", r)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Body    string `xml:"ReceiveMessageResult>Message>Body"`
			Name    string `xml:"ReceiveMessageResult>Message>MessageAttribute>Name"`
			Value   string `xml:"ReceiveMessageResult>Message>MessageAttribute>Value>StringValue"`
			Message string `xml:"Error>Message"`
		}
		if err := xml.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if status >= 300 {
			if answer.Message != shown(one) {
				t.Errorf("%q became %q", one, answer.Message)
			}
			return
		}
		if answer.Body != shown(one) || answer.Name != shown(two) || answer.Value != shown(one) {
			t.Errorf("%q and %q became %+v", one, two, answer)
		}
	})
}
