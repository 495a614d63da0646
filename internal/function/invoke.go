package function

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"penstock/internal/lambda"
)

// Limits of an invocation. Source: Lambda API reference and quotas.
const (
	maxClientContext = 3583    // bytes, in base64
	maxEventPayload  = 1 << 20 // of an invocation that nobody waits for
	maxTraceID       = 256     // bytes of a trace ID that is passed on
)

// Kinds of invocations.
const (
	requestResponse = "RequestResponse" // the caller waits for the answer
	eventInvocation = "Event"           // nobody waits
	dryRun          = "DryRun"          // nothing happens; the caller learns whether it may
)

// An invocation is what the Lambda API is asked to do with a function.
type invocation struct {
	kind    string
	payload []byte
	tail    bool
	trace   string
	context string // JSON text; empty for none
}

// invocation reads and checks the request. kinds are those that the operation knows.
func (c *call) invocation(kinds ...string) (invocation, error) {
	i := invocation{kind: requestResponse, payload: c.body, trace: c.traceID()}
	var v violations
	if kind := c.r.Header.Get("X-Amz-Invocation-Type"); kind != "" {
		v.oneOf(&kind, "invocationType", kinds...)
		i.kind = kind
	}
	if log := c.r.Header.Get("X-Amz-Log-Type"); log != "" {
		v.oneOf(&log, "logType", "None", "Tail")
		i.tail = log == "Tail"
	}
	if err := v.err(); err != nil {
		return i, err
	}
	var err error
	if i.context, err = clientContext(c.r.Header.Get("X-Amz-Client-Context")); err != nil {
		return i, err
	}
	if len(i.payload) == 0 {
		i.payload = []byte("{}")
	}
	if i.kind == eventInvocation && len(i.payload) > maxEventPayload {
		return i, payloadTooLarge(maxEventPayload)
	}
	return i, checkPayload(i.payload)
}

// traceID returns the trace ID that the caller gives, and otherwise a new one.
func (c *call) traceID() string {
	given := c.r.Header.Get("X-Amzn-Trace-Id")
	if given == "" || len(given) > maxTraceID {
		return newTraceID(c.Now())
	}
	for i := range len(given) {
		if given[i] < ' ' || given[i] > '~' {
			return newTraceID(c.Now())
		}
	}
	return given
}

// clientContext returns the JSON text of a client context.
func clientContext(encoded string) (string, error) {
	if encoded == "" {
		return "", nil
	}
	bad := &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException"}
	if len(encoded) > maxClientContext {
		bad.Message = "Client context must not be longer than " + strconv.Itoa(maxClientContext) + " bytes in base64."
		return "", bad
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	var object map[string]json.RawMessage
	if err != nil || !utf8.Valid(text) || json.Unmarshal(text, &object) != nil {
		bad.Message = "Client context must be a valid Base64-encoded JSON object."
		return "", bad
	}
	// It becomes a header field of the Runtime API: one line, of characters that all
	// runtimes read the same.
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return "", err
	}
	return asciiJSON(line.String()), nil
}

// asciiJSON returns JSON text with all that is not printable ASCII escaped. Such
// characters stand in strings only, if the text is compact.
func asciiJSON(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= 0x7f }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

// checkPayload refuses an event that a function could not read.
func checkPayload(payload []byte) error {
	if !utf8.Valid(payload) {
		return unparsed("the text is not UTF-8")
	}
	if json.Valid(payload) {
		return nil
	}
	var v json.RawMessage
	return unparsed("%v", json.Unmarshal(payload, &v))
}

func payloadTooLarge(limit int) *Error {
	return &Error{
		Status:  http.StatusRequestEntityTooLarge,
		Code:    "RequestTooLargeException",
		Message: "Request must be smaller than " + strconv.Itoa(limit) + " bytes for the InvokeFunction operation",
	}
}

// invoke answers the operation Invoke. Who may make it is decided by the policy of the
// caller; the policy of the function is for those outside of the account.
func invoke(c *call) (answer, error) {
	i, err := c.invocation(eventInvocation, requestResponse, dryRun)
	if err != nil {
		return answer{}, err
	}
	switch i.kind {
	case dryRun:
		t, err := c.resolve(c.name, c.qualifier)
		if err != nil {
			return answer{}, err
		}
		return answer{status: http.StatusNoContent, header: i.header(t)}, nil
	case eventInvocation:
		return c.enqueue(i)
	}
	t, result, err := c.perform(i)
	if err != nil {
		return answer{}, err
	}
	header := i.header(t)
	header["Content-Type"] = "application/json"
	if result.ContentType != "" {
		header["Content-Type"] = result.ContentType
	}
	if result.FunctionError != "" {
		header["X-Amz-Function-Error"] = result.FunctionError
	}
	if i.tail {
		header["X-Amz-Log-Result"] = base64.StdEncoding.EncodeToString(result.Log)
	}
	payload := result.Payload
	if payload == nil {
		payload = []byte{} // an answer, if an empty one
	}
	return answer{status: http.StatusOK, raw: payload, header: header}, nil
}

// header returns the fields that all answers to invocations have.
func (i *invocation) header(t *target) map[string]string {
	return map[string]string{"X-Amz-Executed-Version": t.version, "X-Amzn-Trace-Id": i.trace}
}

// perform invokes the function that the call names and waits for it.
func (c *call) perform(i invocation) (*target, lambda.Result, error) {
	t, result, err := c.invokeNamed(c.r.Context(), c.name, c.qualifier, lambda.Call{
		RequestID:     c.requestID,
		Payload:       i.payload,
		TraceID:       i.trace,
		ClientContext: i.context,
		Tail:          i.tail,
	})
	switch {
	case errors.Is(err, lambda.ErrThrottled):
		return nil, result, tooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
	case errors.Is(err, lambda.ErrBusy):
		return nil, result, tooManyRequests("ConcurrentInvocationLimitExceeded")
	case errors.Is(err, context.DeadlineExceeded):
		return nil, result, &Error{Status: http.StatusGatewayTimeout, Code: "ServiceException", Message: "The function did not answer in time.", Capital: true}
	}
	return t, result, err
}

// tooManyRequests says that there is no room for an invocation, and why.
func tooManyRequests(reason string) *Error {
	return &Error{
		Status:     http.StatusTooManyRequests,
		Code:       "TooManyRequestsException",
		Message:    "Rate Exceeded.",
		RetryAfter: 1,
		Reason:     reason,
	}
}

// enqueue answers at once and lets the function run when there is room for it.
func (c *call) enqueue(i invocation) (answer, error) {
	t, err := c.resolve(c.name, c.qualifier)
	if err != nil {
		return answer{}, err
	}
	err = c.events.add(&event{
		name:          c.name,
		qualifier:     c.qualifier,
		requestID:     c.requestID,
		payload:       bytes.Clone(i.payload), // the body is not kept for longer than the call
		traceID:       i.trace,
		clientContext: i.context,
	})
	switch {
	case errors.Is(err, errTooManyEvents):
		return answer{}, tooManyRequests("CallerRateLimitExceeded")
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, raw: []byte{}, header: i.header(t)}, nil
}
