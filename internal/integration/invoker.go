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
	// arn:aws:execute-api:{region}:{account}:{api}/....
	SourceARN string
	// CredentialsARN names the role to call it with; empty: the permissions of the
	// function decide.
	CredentialsARN string
}

// An InvocationResult is what a function answered.
type InvocationResult struct {
	// Payload is the answer, or the description of the error. It is the caller's.
	Payload []byte
	// FunctionError is empty unless the function failed: "Handled" or "Unhandled".
	FunctionError string
	// RequestID is that of the call, if the callee gives one.
	RequestID string
}

// Errors of Invokers.
var (
	// ErrNoFunction says that there is no such function.
	ErrNoFunction = errors.New("there is no such function")
	// ErrNotPermitted says that the function may not be called on behalf of the source.
	ErrNotPermitted = errors.New("the function may not be called from here")
	// ErrThrottled says that the function has no capacity left.
	ErrThrottled = errors.New("the function is throttled")
)
