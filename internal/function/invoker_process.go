package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"penstock/internal/integration"
	"penstock/internal/lambda"
)

// errGone is the error of a function that ended its goroutine.
var errGone = errors.New("the function ended without an answer")

// A process is this process as a place where functions run. The zero process is ready.
type process struct {
	mu      sync.Mutex
	running map[string]int // invocations by name of the function; guarded by mu
}

// invoke runs a function that is declared with Go code. The function may ignore its
// context: nobody waits for longer, but until it returns it counts as running, and the
// event that it sees is its own copy.
func (p *process) invoke(ctx context.Context, name string, d *Declared, limit int, payload []byte) (lambda.Result, error) {
	if !p.enter(name, limit) {
		return lambda.Result{}, lambda.ErrThrottled
	}
	type answer struct {
		payload []byte
		err     error
	}
	answered := make(chan answer, 1)
	payload = bytes.Clone(payload)
	go func() {
		a := answer{err: errGone}
		defer func() {
			if v := recover(); v != nil {
				a = answer{err: fmt.Errorf("panic: %v", v)}
			}
			p.leave(name)
			answered <- a
		}()
		payload, err := d.Invoke(ctx, payload)
		a = answer{payload, err}
	}()
	select {
	case a := <-answered:
		switch {
		case a.err != nil:
			return functionError("Error", a.err.Error()), nil
		case len(a.payload) > integration.MaxResult:
			return functionError("Function.ResponseSizeTooLarge",
				fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", integration.MaxResult)), nil
		}
		return lambda.Result{Payload: a.payload}, nil
	case <-ctx.Done():
		return lambda.Result{}, ctx.Err()
	}
}

// enter counts one more invocation, unless that is more than limit; -1 is no limit.
func (p *process) enter(name string, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit >= 0 && p.running[name] >= limit {
		return false
	}
	if p.running == nil {
		p.running = map[string]int{}
	}
	p.running[name]++
	return true
}

func (p *process) leave(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[name]--
}

// functionError is the result of a function that failed.
func functionError(kind, message string) lambda.Result {
	text, _ := json.Marshal(struct { // strings always marshal
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	return lambda.Result{Payload: text, FunctionError: "Unhandled"}
}
