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

// An exchange is one call on the wire. It is the HTTP client that the SDK sends with.
//
// The SDK knows nothing of three things that it sees to. A request that was not written
// to a connection because the callee had closed it goes to another one: for this,
// the transport must be able to get the payload again. The transport may still read the
// payload when the call is over, but the payload is the caller's then. And an answer
// does not grow without bound.
type exchange struct {
	transport   *http.Transport
	traceID     string
	contentType string // of a streamed answer

	mu      sync.Mutex // guards payload
	payload []byte     // nil after end
}

// Do implements lambda.HTTPClient. It follows no redirects.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	if r.ContentLength != 0 {
		r.GetBody = x.body()
		r.Body, _ = r.GetBody()
	}
	if x.traceID != "" {
		// This header is not part of the signature.
		r.Header.Set("X-Amzn-Trace-Id", x.traceID)
	}
	resp, err := x.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t == integration.StreamedResponse {
		x.contentType = t
	}
	resp.Body = &answer{of: resp.Body, left: maxAnswer}
	return resp, nil
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

// An answer is the body of a response. It fails instead of going beyond its end.
type answer struct {
	of   io.ReadCloser
	left int
}

func (a *answer) Read(b []byte) (int, error) {
	if a.left < 0 {
		return 0, errAnswerTooLong
	}
	// One byte more than may be there says whether there is more.
	if len(b) > a.left+1 {
		b = b[:a.left+1]
	}
	n, err := a.of.Read(b)
	if a.left -= n; a.left < 0 {
		return n - 1, errAnswerTooLong
	}
	return n, err
}

func (a *answer) Close() error { return a.of.Close() }
