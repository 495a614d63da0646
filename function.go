package penstock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"penstock/internal/integration"
)

// functions calls the Lambda functions that run in the process.
type functions map[string]Function

// Invoke implements integration.Invoker.
func (f functions) Invoke(ctx context.Context, call integration.Invocation) (result integration.InvocationResult, err error) {
	function := f.find(call.Function)
	if function == nil {
		return result, fmt.Errorf("%w: %s", integration.ErrNoFunction, call.Function)
	}
	type answer struct {
		payload []byte
		err     error
	}
	// The function may ignore its context: the caller does not wait for longer.
	answered := make(chan answer, 1)
	go func() {
		a := answer{err: errGone}
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("panic: %v", p)}
			}
			answered <- a
		}()
		payload, err := function(ctx, call.Payload)
		a = answer{payload, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			text, _ := json.Marshal(map[string]string{"errorType": "Error", "errorMessage": a.err.Error()})
			return integration.InvocationResult{Payload: text, FunctionError: "Unhandled"}, nil
		}
		return integration.InvocationResult{Payload: a.payload}, nil
	case <-ctx.Done():
		return result, ctx.Err()
	}
}

// errGone is the error of a function that ended its goroutine.
var errGone = errors.New("the function ended without an answer")

// find returns the function with an ARN: under the ARN, the ARN without its
// qualifier, or its name; nil if there is none.
func (f functions) find(arn string) Function {
	parts := strings.SplitN(arn, ":", 8)
	if len(parts) < 7 {
		return f[arn]
	}
	for _, key := range []string{arn, strings.Join(parts[:7], ":"), parts[6]} {
		if function := f[key]; function != nil {
			return function
		}
	}
	return nil
}
