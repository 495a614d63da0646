package subtype_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// TestSources: where values come from, over a connection.
func TestSources(t *testing.T) {
	t.Parallel()
	r := &recorder{body: "{}", header: []gateway.Field{{Name: "Content-Type", Value: "application/x-amz-json-1.0"}}}
	long := `{"x":1,"y":"` + strings.Repeat("y", 150<<10) + `"}`
	whole := strings.Repeat(`"\`+"\n\x01é", 1000)
	whole += strings.Repeat("x", 10<<20-len(whole))
	binary := strings.Repeat("\x00\xfe\xff", 60<<10)
	big := base64.StdEncoding.EncodeToString([]byte(binary))
	for _, tt := range []struct {
		name, expression, target, body string
		fields                         []string
		want                           string // the body of the message; "" for 400
	}{
		{"header", "$request.header.A", "/in/7", "", []string{"a: 1", "A: 2"}, "1,2"},
		{"query", "$request.querystring.q", "/in/7?q=a%20b&q=c&Q=d", "", nil, "a b,c"},
		{"path variable", "$request.path.id", "/in/a%22b", "", nil, `a"b`},
		{"path", "$request.path", "/in/7", "", nil, "/in/7"},
		{"context", "$context.routeKey", "/in/7", "", nil, "ANY /in/{id}"},
		{"stage variable", "$stageVariables.name", "/in/7", "", nil, "n1"},
		{"text", "order-${request.path.id}/${$stageVariables.name}", "/in/7", "", nil, "order-7/n1"},
		{"text that looks like one", "$5 and $request", "/in/7", "", nil, "$5 and $request"},
		{"body", "$request.body", "/in/7", `{"a":"b"}`, nil, `{"a":"b"}`},
		{"string of a body", "$request.body.a", "/in/7", `{"a":"b"}`, nil, "b"},
		{"object of a body", "$request.body.a[0]", "/in/7", `{"a":[ {"b": 1} ]}`, nil, `{"b":1}`},
		{"null of a body", "$request.body.a", "/in/7", `{"a":null}`, nil, ""},
		{"body of 150 KB", "$request.body", "/in/7", long, nil, long},
		{"path into 150 KB", "$request.body.x", "/in/7", long, nil, ""},
		{"path into a little less than 100 KB", "$request.body.x", "/in/7", `{"x":1,"y":"` + strings.Repeat("y", 90<<10) + `"}`, nil, "1"},
		{"path into 150 KB, and all of it", "${request.body}${request.body.x}", "/in/7", long, nil, ""},
		{"body of 10 MB", "$request.body", "/in/7", whole, nil, whole},
		{"body inside of text", "<${request.body}>", "/in/7", long, nil, "<" + long + ">"},
		{"twice 150 KB", "${request.body}${request.body}", "/in/7", long, nil, long + long},
		{"binary body", "$request.body", "/in/7", binary, nil, big},
		{"binary body inside of text", "<${request.body}>", "/in/7", binary, nil, "<" + big + ">"},
	} {
		g := serveSpec(t, specOf(r, "SQS-SendMessage", pairs("QueueUrl", queue, "MessageBody", tt.expression)))
		status, _, answer := g.ask("POST", tt.target, tt.body, tt.fields...)
		calls := r.take()
		if tt.want == "" {
			if status != 400 || answer != `{"message":"Bad Request"}` || len(calls) != 0 {
				t.Errorf("%s: status %d %.200s, %d calls", tt.name, status, answer, len(calls))
			}
			continue
		}
		if status != 200 || len(calls) != 1 {
			_, err := g.left()
			t.Errorf("%s: status %d %.200s: %v", tt.name, status, answer, err)
			continue
		}
		var got struct{ MessageBody string }
		if err := json.Unmarshal(calls[0].Body, &got); err != nil || got.MessageBody != tt.want {
			t.Errorf("%s: %v, got %.200q, want %.200q", tt.name, err, got.MessageBody, tt.want)
		}
	}
}

// TestBinaryData: a record has the bytes of the body, in base64 once, however it is mapped.
func TestBinaryData(t *testing.T) {
	t.Parallel()
	r := &recorder{body: "{}"}
	binary := strings.Repeat("\xff\x00", 300<<10)
	for expression, want := range map[string]string{"$request.body": binary, "${request.body}": binary, "a${request.body}b": "a" + binary + "b"} {
		g := serveSpec(t, specOf(r, "Kinesis-PutRecord", pairs("StreamName", "s", "Data", expression, "PartitionKey", "p")))
		status, _, _ := g.ask("PUT", "/in/7", binary)
		calls := r.take()
		if status != 200 || len(calls) != 1 {
			t.Fatalf("%s: status %d", expression, status)
		}
		var got struct{ Data []byte }
		if err := json.Unmarshal(calls[0].Body, &got); err != nil || string(got.Data) != want {
			t.Errorf("%s: %v, got %d bytes, want %d", expression, err, len(got.Data), len(want))
		}
	}
}

// TestTooLong: what the parameters are together is bounded.
func TestTooLong(t *testing.T) {
	t.Parallel()
	r := &recorder{body: "{}"}
	for _, tt := range []struct {
		name, body, group string
		length            int
	}{
		{"two bodies", "$request.body", "$request.body", 9 << 20},
		{"bodies inside of text", "${request.body}${request.body}", "g", 9 << 20},
		{"values out of a body", strings.Repeat("${request.body.a}", 30), "g", 90 << 10},
	} {
		g := serveSpec(t, specOf(r, "SQS-SendMessage", pairs("QueueUrl", queue, "MessageBody", tt.body, "MessageGroupId", tt.group)))
		status, _, answer := g.ask("POST", "/in/7", `{"a":"`+strings.Repeat("a", tt.length)+`"}`)
		if status != 413 || answer != `{"message":"Request Entity Too Large"}` || len(r.take()) != 0 {
			t.Errorf("%s: status %d %s", tt.name, status, answer)
		}
	}
}

// FuzzText: whatever is in a request, the service gets one JSON text with the same strings.
func FuzzText(f *testing.F) {
	f.Add("a", "5", `["x"]`)
	f.Add("\"\\\x00\xff\u2028", "1e5", "[")
	f.Add("<&>\xed\xa0\x80", "", `{"a":1}`)
	f.Fuzz(func(t *testing.T, body, number, names string) {
		r := &recorder{}
		x := newExchange(t)
		x.Request.Header = append(x.Request.Header, gateway.Field{Name: "n", Value: number}, gateway.Field{Name: "l", Value: names}, gateway.Field{Name: "b", Value: body})
		i := mustNew(t, specOf(r, "SQS-ReceiveMessage", pairs("QueueUrl", "$request.header.b", "MaxNumberOfMessages", "$request.header.n", "AttributeNames", "$request.header.l")))
		if err := i.Invoke(x); err != nil {
			t.Fatal(err)
		}
		q := r.take()[0]
		d := json.NewDecoder(bytes.NewReader(q.Body))
		d.DisallowUnknownFields()
		var got struct {
			QueueURL       string `json:"QueueUrl"`
			Max            any    `json:"MaxNumberOfMessages"`
			AttributeNames []any
		}
		if err := d.Decode(&got); err != nil || d.More() {
			t.Fatalf("%q: %v", q.Body, err)
		}
		want, _ := json.Marshal(body)
		var text string
		json.Unmarshal(want, &text)
		if got.QueueURL != text {
			t.Errorf("%q became %q", body, got.QueueURL)
		}
	})
}

// BenchmarkSendMessage is all of a request but the call of the service.
func BenchmarkSendMessage(b *testing.B) {
	for _, protocol := range []string{"xml", "json"} {
		b.Run(protocol, func(b *testing.B) {
			spec := specOf(nil, "SQS-SendMessage", pairs("QueueUrl", queue, "MessageBody", "$request.body", "MessageGroupId", "$request.header.group", "DelaySeconds", "$request.querystring.delay"))
			spec.Service = &fixed{header: []gateway.Field{{Name: "Content-Type", Value: "application/x-amz-json-1.0"}, {Name: "x-amzn-RequestId", Value: "r"}},
				body: []byte(`{"MD5OfMessageBody":"bf1d2bb9c1e0a4ff42a8d46f4e5a7bfd","MessageId":"5fea7756-0ea4-451a-a703-a558b933e274"}`)}
			spec.SQSResponse = protocol
			i := mustNew(b, spec)
			x := newExchange(b)
			x.Request.Header = append(x.Request.Header, gateway.Field{Name: "Host", Value: "a"}, gateway.Field{Name: "Group", Value: "g"})
			x.Request.Query = "delay=5"
			x.Request.Body.Bytes = []byte(`{"order":{"id":"7","lines":[{"sku":"a","count":1},{"sku":"b","count":2}]}}`)
			b.ReportAllocs()
			for b.Loop() {
				x.Mapped.Text = x.Mapped.Text[:0]
				if err := i.Invoke(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A fixed service always answers the same.
type fixed struct {
	header []gateway.Field
	body   []byte
}

func (f *fixed) Call(x *gateway.Exchange, _ *integration.ServiceRequest) (integration.Incoming, error) {
	x.Buffers.Response = append(x.Buffers.Response[:0], f.header...)
	return integration.Incoming{Status: http.StatusOK, Header: x.Buffers.Response, Body: f.body}, nil
}
