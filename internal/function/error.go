package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// An Error is an answer of the Lambda API that says why a call was refused.
type Error struct {
	Status        int
	Code, Message string
	Capital       bool   // the member of the answer is Message, not message
	RetryAfter    int    // seconds; 0 for none
	Reason        string // of throttling; empty for none
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// body returns the answer. Message is written with a capital by some exceptions of the
// service, and Type says whose fault it is.
func (e *Error) body() []byte {
	out := struct {
		Reason  string `json:",omitempty"`
		Type    string
		Message string `json:",omitempty"`
		Small   string `json:"message,omitempty"`
	}{Reason: e.Reason, Type: "User"}
	if e.Status >= http.StatusInternalServerError {
		out.Type = "Service"
	}
	if e.Capital {
		out.Message = e.Message
	} else {
		out.Small = e.Message
	}
	text, _ := encode(out) // strings always can be
	return text
}

var (
	errInternal         = &Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "The server failed: its log says why.", Capital: true}
	errUnknownOperation = &Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "There is no operation of the Lambda API at this path with this method."}
	errRevision         = &Error{
		Status:  http.StatusPreconditionFailed,
		Code:    "PreconditionFailedException",
		Message: "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
	}
	errQualifiers  = invalid("The derived qualifier from the function name does not match the specified qualifier.")
	errUnzip       = invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	errEmptyZip    = invalid("Uploaded file must be a non-empty zip")
	errZipTooLarge = &Error{
		Status:  http.StatusRequestEntityTooLarge,
		Code:    "RequestEntityTooLargeException",
		Message: "Zipped size must be smaller than 52428800 bytes",
	}
	errBusyBodies = &Error{
		Status:     http.StatusTooManyRequests,
		Code:       "TooManyRequestsException",
		Message:    "Rate exceeded: other requests with large bodies are being read.",
		RetryAfter: 1,
		Reason:     "CallerRateLimitExceeded",
	}
)

// invalid says that a value cannot be taken.
func invalid(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: fmt.Sprintf(format, args...)}
}

// conflict says that what is there forbids the call.
func conflict(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: fmt.Sprintf(format, args...)}
}

// missing says that there is no such thing.
func missing(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...), Capital: true}
}

// unparsed says that a body is not the JSON that was expected.
func unparsed(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json: " + fmt.Sprintf(format, args...)}
}

// notFound says that there is no such function, or none with such a qualifier.
func (s *Service) notFound(name, qualifier string) *Error {
	arn := s.arn(name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return missing("Function not found: %s", arn)
}

// declaredConflict says that a function cannot be changed here.
func declaredConflict(name string) *Error {
	return conflict("The function %s is declared in the configuration of the server: change it there.", name)
}

// encode returns v as JSON without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
