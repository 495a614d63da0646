package vtl

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// typical is a template as they are in use: ten references and a loop of five.
const typical = `#set($root = $input.path('$'))
{
  "action": "$root.action",
  "connection": "$context.connectionId",
  "stage": "$context.stage",
  "who": "$context.authorizer.principalId",
  "ip": "$context.identity.sourceIp",
  "table": "$stageVariables.table",
  "agent": "$input.params('User-Agent')",
  "subject": "$util.escapeJavaScript($root.subject)",
  "items": [
#foreach($item in $root.items)
    {"id": $item.id, "name": "$item.name"}#if($foreach.hasNext),#end

#end
  ]
}`

// typicalData has a body of one kilobyte.
func typicalData() Data {
	var b strings.Builder
	b.WriteString(`{"action":"order","subject":"An order for the shop","items":[`)
	for i := range 5 {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Article number %d","price":12.50,"tags":["new","blue","%s"]}`, i+1, i+1, strings.Repeat("x", 110))
	}
	b.WriteString(`]}`)
	return Data{
		Body: []byte(b.String()),
		Params: Params{Header: []Param{{"Host", "example.com"}, {"User-Agent", "test/1.0"}},
			Querystring: []Param{{"q", "1"}}},
		Context: Values{
			{"connectionId", "L0SM9cOFvHcCIhw="}, {"routeKey", "order"}, {"stage", "dev"},
			{"requestId", "r1="}, {"eventType", "MESSAGE"}, {"connectedAt", int64(1700000000000)},
			{"identity", Values{{"sourceIp", "192.0.2.7"}}},
			{"authorizer", Values{{"principalId", "me"}}},
		},
		StageVariables: map[string]string{"table": "orders"},
	}
}

func mustParse(t testing.TB, text string) *Template {
	t.Helper()
	template, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return template
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(typical); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRender(b *testing.B, template string, d Data) {
	t := mustParse(b, template)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		result, err := t.Append(context.Background(), out[:0], d)
		if err != nil {
			b.Fatal(err)
		}
		out = result.Text
	}
}

func BenchmarkRenderTypical(b *testing.B) { benchmarkRender(b, typical, typicalData()) }

// The same without a body to parse.
func BenchmarkRenderWithoutBody(b *testing.B) {
	template := strings.ReplaceAll(typical, `$input.path('$')`, `{"action":"order","subject":"An order","items":[{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"},{"id":4,"name":"d"},{"id":5,"name":"e"}]}`)
	benchmarkRender(b, template, typicalData())
}

func BenchmarkRenderPassThrough(b *testing.B) {
	benchmarkRender(b, `{"body": $input.json('$'), "stage": "$context.stage"}`, typicalData())
}

func BenchmarkRenderContext(b *testing.B) {
	benchmarkRender(b, `$context.connectionId $context.routeKey $context.stage $context.identity.sourceIp $context.connectedAt`, typicalData())
}
