package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"

	"penstock/internal/integration"
)

// maxAnswer is how many bytes of an answer are read. No function answers more.
const maxAnswer = integration.MaxResult

// maxCopy is the length in bytes of the longest event that is copied to be sent.
const maxCopy = 32 << 10

// errAnswerTooLong is the error of a call whose answer is longer than maxAnswer.
var errAnswerTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

// errOver is what a transport gets that reads a payload after the call is over.
var errOver = errors.New("the call is over")

// An exchange is one call on the wire. A request that was not written to a connection
// because the callee had closed it goes to another one, for which the transport reads the
// payload again. It may still read when the call is over, but the payload is the caller's
// then.
type exchange struct {
	mu      sync.Mutex // guards payload
	payload []byte     // nil after end
}

// body returns what makes readers of the payload. A short one is copied: the transport
// sends what it knows to be in memory together with the header, in one write.
func (x *exchange) body() func() (io.ReadCloser, error) {
	if len(x.payload) > maxCopy {
		return func() (io.ReadCloser, error) { return &payload{of: x}, nil }
	}
	short := bytes.Clone(x.payload)
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(short)), nil }
}

// end gives the payload back to the caller.
func (x *exchange) end() {
	x.mu.Lock()
	x.payload = nil
	x.mu.Unlock()
}

// A payload reads that of an exchange.
type payload struct {
	of *exchange
	at int
}

func (p *payload) Read(b []byte) (int, error) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if p.of.payload == nil {
		return 0, errOver
	}
	if p.at == len(p.of.payload) {
		return 0, io.EOF
	}
	n := copy(b, p.of.payload[p.at:])
	p.at += n
	return n, nil
}

func (p *payload) Close() error { return nil }

// answer reads what a function answered, or the error of a call that was refused.
func answer(resp *http.Response) (integration.InvocationResult, error) {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return integration.InvocationResult{}, refused(resp)
	}
	content, err := readAnswer(resp)
	if err != nil {
		return integration.InvocationResult{}, err
	}
	result := integration.InvocationResult{
		Status:        resp.StatusCode,
		Payload:       content,
		FunctionError: resp.Header.Get("X-Amz-Function-Error"),
		RequestID:     resp.Header.Get("X-Amzn-Requestid"),
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t == integration.StreamedResponse {
		result.ContentType = t
	}
	return result, nil
}

// firstRead is the room in bytes for an answer of which nobody knows the length.
const firstRead = 4 << 10

// readAnswer reads the body of a response, which may not be longer than maxAnswer. Room
// for one of a known length is taken once.
func readAnswer(resp *http.Response) ([]byte, error) {
	switch n := resp.ContentLength; {
	case n > maxAnswer:
		return nil, errAnswerTooLong
	case n >= 0:
		b := make([]byte, n)
		_, err := io.ReadFull(resp.Body, b)
		return b, err
	}
	b := bytes.NewBuffer(make([]byte, 0, firstRead))
	// One byte more than may be there says whether there is more.
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
		return nil, err
	}
	if b.Len() > maxAnswer {
		return nil, errAnswerTooLong
	}
	return b.Bytes(), nil
}
