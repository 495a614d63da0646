package function

import (
	"bytes"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"penstock/internal/lambda"
)

// maxChunk is how many bytes of an answer one event of a stream carries.
const maxChunk = 64 << 10

// invokeWithResponseStream answers the operation of that name. Functions answer in one
// piece here, which is cut into events when it is complete.
func invokeWithResponseStream(c *call) (answer, error) {
	i, err := c.invocation(requestResponse, dryRun)
	if err != nil {
		return answer{}, err
	}
	if i.kind == dryRun {
		t, err := c.resolve(c.name, c.qualifier)
		if err != nil {
			return answer{}, err
		}
		return answer{status: http.StatusNoContent, header: i.header(t)}, nil
	}
	t, result, err := c.perform(i)
	if err != nil {
		return answer{}, err
	}
	stream, err := encodeStream(result, i.tail)
	if err != nil {
		return answer{}, err
	}
	header := i.header(t)
	header["Content-Type"] = "application/vnd.amazon.eventstream"
	return answer{status: http.StatusOK, raw: stream, header: header}, nil
}

// encodeStream returns a result as events: PayloadChunk as often as it takes, and
// InvokeComplete, which says how it ended. The description of an error is in the last
// one and no answer.
func encodeStream(result lambda.Result, tail bool) ([]byte, error) {
	var b bytes.Buffer
	encoder := eventstream.NewEncoder()
	write := func(kind, contentType string, payload []byte) error {
		m := eventstream.Message{Payload: payload}
		m.Headers.Set(":message-type", eventstream.StringValue("event"))
		m.Headers.Set(":event-type", eventstream.StringValue(kind))
		m.Headers.Set(":content-type", eventstream.StringValue(contentType))
		return encoder.Encode(&b, m)
	}
	var end struct {
		ErrorCode    string `json:",omitempty"`
		ErrorDetails string `json:",omitempty"`
		LogResult    []byte `json:",omitempty"` // base64 in JSON
	}
	if tail {
		end.LogResult = result.Log
	}
	rest := result.Payload
	if result.FunctionError != "" {
		end.ErrorCode, end.ErrorDetails, rest = result.FunctionError, string(result.Payload), nil
	}
	for len(rest) > 0 {
		n := min(len(rest), maxChunk)
		if err := write("PayloadChunk", "application/octet-stream", rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	text, err := encode(end)
	if err != nil {
		return nil, err
	}
	if err := write("InvokeComplete", "application/json", text); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
