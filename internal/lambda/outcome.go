package lambda

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// maxResponse is how long an answer may be, in bytes. Source: Lambda quotas; the service
// adds 100 bytes to 6 MB.
const maxResponse = 6<<20 + 100

// unhandled is what FunctionError says of every failure.
const unhandled = "Unhandled"

// Error types of failures that the host finds. Source: the service's answers.
const (
	kindTimeout    = "Sandbox.Timedout"
	kindExit       = "Runtime.ExitError"
	kindMemory     = "Runtime.OutOfMemory"
	kindEntrypoint = "Runtime.InvalidEntrypoint"
	kindRuntime    = "Runtime.InvalidRuntime"
	kindTruncated  = "Runtime.TruncatedResponse"
	kindPlatform   = "Sandbox.Failure"
)

// tooLarge is the answer in place of one that is too long.
var tooLarge = fmt.Sprintf(`{"errorMessage":"Response payload size exceeded maximum allowed payload size (%d bytes).","errorType":"Function.ResponseSizeTooLarge"}`, maxResponse)

// A failure is why there is no answer of a function. It is told to each invocation that
// it is about.
type failure struct {
	kind string // errorType
	text string // errorMessage, behind the request ID
	body []byte // what the runtime said itself, if it did
}

// result returns the failure as it is told to one invocation.
func (f *failure) result(id string) Result {
	if f.body != nil {
		return Result{Payload: append([]byte(nil), f.body...), FunctionError: unhandled}
	}
	payload, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{f.kind, "RequestId: " + id + " Error: " + f.text})
	if err != nil {
		panic(err) // strings are always JSON
	}
	return Result{Payload: payload, FunctionError: unhandled}
}

func timeoutFailure(limit time.Duration) *failure {
	return &failure{kind: kindTimeout, text: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())}
}

func memoryFailure() *failure {
	return &failure{kind: kindMemory, text: "Runtime exited with error: signal: killed"}
}

// exitFailure says how a process has ended: such as "exit status 3" or "signal: killed",
// and "" if it reported success.
func exitFailure(how string) *failure {
	if how == "" {
		return &failure{kind: kindExit, text: "Runtime exited without providing a reason"}
	}
	return &failure{kind: kindExit, text: "Runtime exited with error: " + strings.TrimSuffix(how, " (core dumped)")}
}

// codeFailure says that the code of a function cannot be read.
func codeFailure(err error) *failure {
	return &failure{kind: kindEntrypoint, text: "The code cannot be read: " + err.Error()}
}

// entrypointFailure says that a program cannot be started.
func entrypointFailure(program string, err error) *failure {
	return &failure{kind: kindEntrypoint, text: fmt.Sprintf("Couldn't start %s: %v", program, err)}
}

// platformFailure says that the host lacks something that no function can help.
func platformFailure(err error) *failure {
	return &failure{kind: kindPlatform, text: "No environment can be made: " + err.Error()}
}

// truncatedFailure says that a runtime has not sent all of its answer.
func truncatedFailure() *failure {
	return &failure{kind: kindTruncated, text: "Response from runtime is truncated"}
}

// reportedFailure is a failure that the runtime has described itself; kind is the error
// type that it named, if it has no description.
func reportedFailure(kind string, body []byte) *failure {
	if len(body) == 0 {
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return &failure{kind: kind, text: "The runtime has not described the error"}
	}
	return &failure{kind: kind, body: body}
}
