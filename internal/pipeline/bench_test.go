package pipeline

import (
	"context"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// run calls an integration for events, each with an exchange that has been used before.
func run(b *testing.B, i Integration, text string) {
	s := newServer(b)
	k := socket()
	body := []byte(text)
	b.ReportAllocs()
	for b.Loop() {
		x := s.NewExchange()
		x.ID, x.Start = testRequest, k.ConnectedAt
		e := Event{Kind: Message, Socket: k, RouteKey: "send", RequestID: testRequest, MessageID: testMessage, Time: k.ConnectedAt, Exchange: x}
		e.Message.Text = body
		if _, err := i.Call(&e); err != nil {
			b.Fatal(err)
		}
		s.Finish(x, nil)
	}
}

const benchMessage = `{"action":"send","data":{"room":"room1234","text":"hello there, how are you?"}}`

func BenchmarkExchange(b *testing.B) { run(b, nobody{}, benchMessage) }

// nobody is no integration: what events cost without one.
type nobody struct{}

func (nobody) Call(*Event) (Result, error) { return Result{}, nil }

func BenchmarkMock(b *testing.B) {
	run(b, mustNew(b, Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
		Responses: respond("200", `{"pong":"$context.connectionId"}`)}), benchMessage)
}

func BenchmarkMockTemplates(b *testing.B) {
	run(b, mustNew(b, Spec{Type: "MOCK", TemplateSelectionExpression: "$request.body.action",
		RequestTemplates: map[string]string{"send": `{"statusCode":#if($input.path('$.data.room') == "room1234")200#{else}404#end}`},
		Responses:        respond(`/2\d\d/`, `{"room":"$context.identity.sourceIp","id":"$context.connectionId","at":$context.requestTimeEpoch}`)}), benchMessage)
}

// echo is a function that answers at once.
type echo struct{ payload []byte }

func (f echo) Invoke(context.Context, integration.Invocation) (integration.InvocationResult, error) {
	return integration.InvocationResult{Payload: f.payload}, nil
}

func BenchmarkFunctionProxy(b *testing.B) {
	run(b, mustNew(b, Spec{Type: "AWS_PROXY", URI: lambdaURI, Invoker: echo{[]byte(`{"statusCode":200,"body":"hello"}`)}}), benchMessage)
}

func BenchmarkHTTPProxy(b *testing.B) {
	backend := newBackend(b, says(200, "pong"))
	run(b, mustNew(b, Spec{Type: "HTTP_PROXY", URI: backend.URL + "/{room}", Client: newClient(b), RequestParameters: map[string]string{
		"integration.request.header.connectionId": "context.connectionId", "integration.request.path.room": "route.request.body.data.room"}}), benchMessage)
}

// BenchmarkHTTPRequest is what is done before a request is sent.
func BenchmarkHTTPRequest(b *testing.B) {
	s := newServer(b)
	client := newClient(b)
	i := mustNew(b, Spec{Type: "HTTP_PROXY", URI: "http://h/{room}", Client: client, RequestParameters: map[string]string{
		"integration.request.header.connectionId": "context.connectionId", "integration.request.path.room": "route.request.body.data.room"}}).(*httpProxy)
	i.backend = &httpBackend{address: i.backend.address, method: "POST", agent: "a", api: "b"}
	e := message(b, s, benchMessage)
	b.ReportAllocs()
	for b.Loop() {
		c := newCall(e, i.timeout)
		if err := i.parameters.apply(c); err != nil {
			b.Fatal(err)
		}
		c.setDefault(fieldType, typeJSON)
		c.header = append(c.header, gateway.Field{Name: fieldTrace, Value: c.trace()})
		if err := c.fill(i.backend.address); err != nil {
			b.Fatal(err)
		}
		c.free()
	}
}
