package gateway

import (
	"errors"
	"net/http"
	"strconv"
)

// An Error is an answer that the gateway gives itself. Its body is
// {"message":Message}; Cause is for the operator and never leaves the process.
type Error struct {
	Status  int
	Message string
	// Close ends the connection after the answer: what follows on it cannot be
	// trusted or is not worth reading.
	Close bool
	Cause error
	body  []byte
}

func (e *Error) Error() string {
	s := strconv.Itoa(e.Status) + " " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

func newError(status int, message string) *Error {
	return &Error{Status: status, Message: message, body: []byte(`{"message":"` + message + `"}`)}
}

// The answers of the gateway. The texts and statuses are those of the service
// for HTTP APIs; the ones marked in docs/differences.md are our own choice.
var (
	errBadRequest   = newError(http.StatusBadRequest, "Bad Request")
	errNotFound     = newError(http.StatusNotFound, "Not Found")
	errMethod       = newError(http.StatusMethodNotAllowed, "Method Not Allowed")
	errTimeout      = newError(http.StatusRequestTimeout, "Request Timeout")
	errTooLarge     = newError(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	errTargetLong   = newError(http.StatusRequestURITooLong, "Request-URI Too Long")
	errHeaderLarge  = newError(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
	errInternal     = newError(http.StatusInternalServerError, "Internal Server Error")
	errUnavailable  = newError(http.StatusServiceUnavailable, "Service Unavailable")
	errVersion      = newError(http.StatusHTTPVersionNotSupported, "HTTP Version Not Supported")
	errNoRouteMatch = because(errNotFound, "no route matches")
)

// errLongBody ends the connection when an integration streams more than it
// announced.
var errLongBody = errors.New("response body longer than announced")

// with returns a copy of a base answer that carries its cause.
func (e *Error) with(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

func because(e *Error, why string) *Error { return e.with(errors.New(why)) }

// closing returns a copy of a base answer after which the connection ends.
func closing(e *Error, why string) *Error {
	c := because(e, why)
	c.Close = true
	return c
}

// refuse is the answer for a request that is not well formed: 400, and the end of
// the connection, since its framing cannot be trusted.
func refuse(cause error) *Error {
	e := errBadRequest.with(cause)
	e.Close = true
	return e
}

// InternalError is the answer for a failure of the API itself: a malformed
// answer of a backend, an integration that cannot be called as configured.
func InternalError(cause error) *Error { return errInternal.with(cause) }

// ServiceUnavailable is the answer when a backend cannot be reached or does not
// answer in time.
func ServiceUnavailable(cause error) *Error { return errUnavailable.with(cause) }

var jsonFields = []Field{{"Content-Type", "application/json"}}

// fail makes the response of an error.
func (x *Exchange) fail(err error) {
	x.err = err
	var e *Error
	if !errors.As(err, &e) {
		e = errInternal
	}
	if e.Close {
		x.close = true
	}
	if r := x.Response.Release; r != nil {
		r.Release(false)
	}
	x.Response = Response{
		Status: e.Status,
		Header: jsonFields,
		Body:   Body{Bytes: e.body, Length: int64(len(e.body))},
	}
	if x.Request.Method == http.MethodHead {
		x.Response.Body.Bytes = nil
		x.Response.Bodiless = true
	}
}
