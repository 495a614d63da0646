package integration

import (
	"context"
	"errors"
)

// An Invoker calls Lambda functions. It may be used by many goroutines.
type Invoker interface {
	// Invoke calls a function and waits for its answer. An error is one of those below,
	// the context's, or says that the call itself failed. A function that failed is not
	// an error, but an answer with FunctionError.
	Invoke(ctx context.Context, call Invocation) (InvocationResult, error)
}

// An Invocation is one call of a function.
type Invocation struct {
	// Function is the ARN of the function, with a qualifier if there is one.
	Function string
	// Payload is the event, JSON. The callee keeps no reference to it.
	Payload []byte
	// SourceARN says on whose behalf the function is called:
	// arn:aws:execute-api:{region}:{account}:{api}/.... SourceAliases are other spellings
	// of it: what is permitted to one of them is permitted.
	SourceARN     string
	SourceAliases []string
	// CredentialsARN names the role to call it with; empty: the permissions of the
	// function decide.
	CredentialsARN string
	// TraceID is the value of X-Amzn-Trace-Id that the function gets to see; empty for a
	// new one.
	TraceID string
	// Async says that nobody waits for the function: the callee answers with status 202 and
	// no payload as soon as it has taken the event. What becomes of it, and how often it is
	// tried, is the callee's affair; ErrThrottled says that it takes no more events.
	Async bool
}

// An InvocationResult is what a function answered.
type InvocationResult struct {
	// Status is that of the call, which says nothing about the function: 200, or 202 if it
	// was Async. It is 0 if the callee gives none.
	Status int
	// Payload is the answer, or the description of the error. It is the caller's.
	Payload []byte
	// FunctionError is empty unless the function failed: "Handled" or "Unhandled".
	FunctionError string
	// RequestID is that of the call, if the callee gives one.
	RequestID string
	// ContentType is that of Payload, if the function has named one: a streamed answer
	// of type StreamedResponse has the response in front of the body.
	ContentType string
}

// StreamedResponse is the content type of a payload that begins with a JSON object of
// statusCode, headers and cookies, goes on with 8 zero bytes, and ends with the body.
const StreamedResponse = "application/vnd.awslambda.http-integration-response"

// MaxPayload is the greatest length of an event, and MaxResult that of an answer, in
// bytes. Source: Lambda quotas.
const (
	MaxPayload = 6 << 20
	MaxResult  = MaxPayload + 100
)

// Errors of Invokers.
var (
	// ErrNoFunction says that there is no such function.
	ErrNoFunction = errors.New("there is no such function")
	// ErrNotPermitted says that the function may not be called on behalf of the source.
	ErrNotPermitted = errors.New("the function may not be called from here")
	// ErrCredentials says that the role to call the function with cannot be assumed.
	ErrCredentials = errors.New("the role cannot be assumed")
	// ErrPayloadTooLarge says that the event is longer than MaxPayload.
	ErrPayloadTooLarge = errors.New("the event is longer than 6 MB")
	// ErrThrottled says that the function has no capacity left.
	ErrThrottled = errors.New("the function is throttled")
)
