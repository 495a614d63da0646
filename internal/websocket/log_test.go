package websocket

import (
	"strings"
	"testing"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
)

// logOf returns a log of a handshake that came with a query and fields, and of an API key.
func logOf(query, key string, fields ...gateway.Field) *executionLog {
	x := &gateway.Exchange{}
	x.Request.Query, x.Request.Header = query, fields
	l := &executionLog{event: &pipeline.Event{Kind: pipeline.Connect, Exchange: x, Socket: &event.Socket{APIKey: key}}}
	l.hide()
	return l
}

// TestLineWithoutSecrets is about texts that may have secrets in them, in any form, or a part
// of one at their end.
func TestLineWithoutSecrets(t *testing.T) {
	t.Parallel()
	l := logOf("token=pass%2Fwo%22rd&room=blue&x", "key-of-client", gateway.Field{Name: "Authorization", Value: `Bearer a\b-c d`}, gateway.Field{Name: "X-Room", Value: "green"},
		gateway.Field{Name: "X-Secret", Value: "abc"}, gateway.Field{Name: "X-Api-Key", Value: "été-secret"})
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"nothing blue or green, nor abc", "nothing blue or green, nor abc"},
		{`pass/wo"rd`, "(redacted)"},
		{`a pass/wo"rdpass/wo"rd b`, "a (redacted)(redacted) b"},
		{"?token=pass%2Fwo%22rd&room=blue", "?token=(redacted)&room=blue"},
		{`{"t":"pass/wo\"rd"}`, `{"t":"(redacted)"}`},
		{`{"t":"{\"t\":\"pass/wo\\\"rd\"}"}`, `{"t":"{\"t\":\"(redacted)\"}"}`},
		{`"pass\/wo\"rd"`, `"(redacted)"`},
		{`Bearer a\b-c d`, "(redacted)"},
		{`x a\b-c d`, "x (redacted)"},
		{`"Bearer a\\b-c d"`, `"(redacted)"`},
		{`"Bearer a\\\\b-c d"`, `"(redacted)"`},
		{"the key-of-client", "the (redacted)"},
		{"été-secret", "(redacted)"},
		{"/%C3%A9t%C3%A9-secret", "/(redacted)"},
		{"cut off pass/wo", "cut off (redacted)"},
		{"cut off pass", "cut off (redacted)"},
		{"cut off pas", "cut off pas"},
		{`cut off pass/wo\`, "cut off (redacted)"},
		{"pass is no secret, pass/word neither", "pass is no secret, pass/word neither"},
		{"line\nof\tits\rown\x7f", "line of its own "},
		{"eyJhbGciOiJub25lIn0.e30.c2ln, eyJ", "(redacted), (redacted)"},
		{`\\\`, `\\\`},
	} {
		if got := string(l.appendText([]byte("> "), tt.text)); got != "> "+tt.want {
			t.Errorf("%s\ngot  %s\nwant > %s", tt.text, got, tt.want)
		}
	}
}

// FuzzLine: no line has a secret in it, nor an end within.
func FuzzLine(f *testing.F) {
	f.Add("token=abcd", "x abcd y", "key1")
	f.Add(`token=a%5Cb%22c`, `a\\b\"c`, "eyJ")
	f.Fuzz(func(t *testing.T, query, text, key string) {
		l := logOf(query, key, gateway.Field{Name: "x-api-key", Value: key})
		got := string(l.appendText(nil, text))
		if strings.ContainsAny(got, "\n\r") {
			t.Errorf("%q has lines", got)
		}
		for _, secret := range l.secrets {
			// What stands in the place of secrets may be like one.
			if strings.Contains(strings.ReplaceAll(got, redacted, "\x00"), secret) {
				t.Errorf("%q of %q has %q", got, text, secret)
			}
		}
	})
}

// BenchmarkLine measures a line of a payload of a handshake with credentials.
func BenchmarkLine(b *testing.B) {
	l := logOf("token=0123456789abcdef", "key-of-client", gateway.Field{Name: "Authorization", Value: "Bearer 0123456789abcdef"}, gateway.Field{Name: "Cookie", Value: "sid=0123456789"})
	text := strings.Repeat(`"header":"value", `, 50)
	var room []byte
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		room = l.appendText(room[:0], text)
	}
}
