package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"penstock/internal/integration"
	"penstock/internal/lambda"
)

const streamsOfPets = "/2021-11-15/functions/pets/response-streaming-invocations"

// readStream returns the chunks of a stream as one text, how many there are, and the
// last event.
func readStream(t *testing.T, body string) (text string, chunks int, end map[string]string) {
	t.Helper()
	decoder, r := eventstream.NewDecoder(), strings.NewReader(body)
	for {
		m, err := decoder.Decode(r, nil)
		if errors.Is(err, io.EOF) && end != nil {
			return text, chunks, end
		}
		if err != nil || end != nil || m.Headers.Get(":message-type").String() != "event" {
			t.Fatalf("error %v, message %v after the end %v", err, m.Headers, end)
		}
		switch kind, form := m.Headers.Get(":event-type").String(), m.Headers.Get(":content-type").String(); kind + " " + form {
		case "PayloadChunk application/octet-stream":
			text += string(m.Payload)
			chunks++
			if len(m.Payload) > maxChunk {
				t.Errorf("a chunk of %d bytes", len(m.Payload))
			}
		case "InvokeComplete application/json":
			if err := json.Unmarshal(m.Payload, &end); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("%s %s", kind, form)
		}
	}
}

func TestInvokeWithResponseStream(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	large := strings.Repeat("0123456789abcdef", integration.MaxResult/16)
	for _, tt := range []struct {
		name   string
		result lambda.Result
		tail   string
		want   string
		chunks int
		end    map[string]string
	}{
		{"answer", lambda.Result{Payload: []byte(`{"a":1}`)}, "None", `{"a":1}`, 1, map[string]string{}},
		{"no answer", lambda.Result{}, "None", ``, 0, map[string]string{}},
		{"a full chunk", lambda.Result{Payload: []byte(large[:maxChunk])}, "None", large[:maxChunk], 1, map[string]string{}},
		{"more than a chunk", lambda.Result{Payload: []byte(large[:maxChunk+1])}, "None", large[:maxChunk+1], 2, map[string]string{}},
		{"the greatest answer", lambda.Result{Payload: []byte(large)}, "None", large, 97, map[string]string{}},
		{"streamed", lambda.Result{Payload: []byte("{}\x00\x00\x00\x00\x00\x00\x00\x00body"), ContentType: integration.StreamedResponse}, "None", "{}\x00\x00\x00\x00\x00\x00\x00\x00body", 1, map[string]string{}},
		{"failed", lambda.Result{Payload: []byte(`{"errorType":"E"}`), FunctionError: "Unhandled"}, "None", ``, 0, map[string]string{"ErrorCode": "Unhandled", "ErrorDetails": `{"errorType":"E"}`}},
		{"log", lambda.Result{Payload: []byte(`1`), Log: []byte("START\n")}, "Tail", `1`, 1, map[string]string{"LogResult": "U1RBUlQK"}},
		{"log not asked for", lambda.Result{Payload: []byte(`1`), Log: []byte("START\n")}, "None", `1`, 1, map[string]string{}},
	} {
		s.scripts["pets:$LATEST"].do = func(context.Context, lambda.Call) (lambda.Result, error) { return tt.result, nil }
		r := s.do("POST", streamsOfPets, `1`, "X-Amz-Log-Type", tt.tail)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" || r.Header.Get("X-Amz-Executed-Version") != "$LATEST" {
			t.Errorf("%s: got %d, %v", tt.name, r.StatusCode, r.Header)
			continue
		}
		got, chunks, end := readStream(t, bodyOf(r))
		wantEnd, _ := json.Marshal(tt.end)
		gotEnd, _ := json.Marshal(end)
		if got != tt.want || chunks != tt.chunks || !bytes.Equal(gotEnd, wantEnd) {
			t.Errorf("%s: got %.100q in %d chunks, %s", tt.name, got, chunks, gotEnd)
		}
	}
}

func TestInvokeWithResponseStreamRefused(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	s.scripts["pets:$LATEST"].do = func(context.Context, lambda.Call) (lambda.Result, error) { return lambda.Result{}, lambda.ErrThrottled }
	for _, tt := range []struct {
		name, path, body, kind string
		status                 int
		want                   string
	}{
		{"dry run", streamsOfPets, `1`, "DryRun", 204, ""},
		{"event", streamsOfPets, `1`, "Event", 400, "Member must satisfy enum value set: [RequestResponse, DryRun]"},
		{"not JSON", streamsOfPets, `x`, "", 400, "Could not parse request body into json"},
		{"unknown", strings.Replace(streamsOfPets, "pets", "cats", 1), `1`, "", 404, "Function not found: " + here + "cats"},
		{"unknown, dry run", strings.Replace(streamsOfPets, "pets", "cats", 1), `1`, "DryRun", 404, "Function not found: " + here + "cats"},
		{"throttled", streamsOfPets, `1`, "", 429, "Rate Exceeded."},
	} {
		r := s.do("POST", tt.path, tt.body, "X-Amz-Invocation-Type", tt.kind)
		if body := bodyOf(r); r.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s", tt.name, r.StatusCode, body)
		}
	}
}
