package gateway

import (
	"encoding/json"
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
	// Type is what the service calls this kind of answer, $context.error.responseType.
	Type string
	// Challenge is the value of WWW-Authenticate; "" for none.
	Challenge string
	// ErrorType is the value of x-amzn-ErrorType; "" for none. Answers of WebSocket APIs
	// have one.
	ErrorType string
	// Version is the value of Sec-WebSocket-Version; "" for none.
	Version string
	body    []byte
}

func (e *Error) Error() string {
	s := strconv.Itoa(e.Status) + " " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// NewError returns an answer with the body {"message":message}. The kind is that of
// Error.Type, the errorType may be "".
func NewError(status int, message, kind, errorType string) *Error {
	body, _ := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	return &Error{Status: status, Message: message, Type: kind, ErrorType: errorType, body: body}
}

// NewErrorBody returns an answer with another body than NewError has, which may be empty.
func NewErrorBody(status int, body, kind, errorType string) *Error {
	return &Error{Status: status, Message: body, Type: kind, ErrorType: errorType, body: []byte(body)}
}

// The answers of the gateway. The texts and statuses are those of the service
// for HTTP APIs; the ones marked in docs/differences.md are our own choice. The types
// have the names of the service's gateway responses.
var (
	errBadRequest   = NewError(http.StatusBadRequest, "Bad Request", "BAD_REQUEST_PARAMETERS", "")
	errUnauthorized = NewError(http.StatusUnauthorized, "Unauthorized", "UNAUTHORIZED", "")
	errForbidden    = NewError(http.StatusForbidden, "Forbidden", "ACCESS_DENIED", "")
	errNotFound     = NewError(http.StatusNotFound, "Not Found", "RESOURCE_NOT_FOUND", "")
	errMethod       = NewError(http.StatusMethodNotAllowed, "Method Not Allowed", "DEFAULT_4XX", "")
	errTimeout      = NewError(http.StatusRequestTimeout, "Request Timeout", "DEFAULT_4XX", "")
	errTooLarge     = NewError(http.StatusRequestEntityTooLarge, "Request Entity Too Large", "REQUEST_TOO_LARGE", "")
	errMediaType    = NewError(http.StatusUnsupportedMediaType, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", "")
	errInvalidBody  = NewError(http.StatusBadRequest, "Invalid request body", "BAD_REQUEST_BODY", "")
	errTargetLong   = NewError(http.StatusRequestURITooLong, "Request-URI Too Long", "DEFAULT_4XX", "")
	errExpectation  = NewError(http.StatusExpectationFailed, "Expectation Failed", "DEFAULT_4XX", "")
	errMisdirected  = NewError(http.StatusMisdirectedRequest, "Misdirected Request", "DEFAULT_4XX", "")
	errTooMany      = NewError(http.StatusTooManyRequests, "Too Many Requests", "THROTTLED", "")
	errHeaderLarge  = NewError(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large", "DEFAULT_4XX", "")
	errInternal     = NewError(http.StatusInternalServerError, "Internal Server Error", "INTEGRATION_FAILURE", "")
	errUnavailable  = NewError(http.StatusServiceUnavailable, "Service Unavailable", "INTEGRATION_FAILURE", "")
	errVersion      = NewError(http.StatusHTTPVersionNotSupported, "HTTP Version Not Supported", "DEFAULT_5XX", "")
	errNoRouteMatch = because(errNotFound, "no route matches")

	// What is not there is forbidden, to those who ask WebSocket APIs.
	errSocketForbidden = NewError(http.StatusForbidden, "Forbidden", "ACCESS_DENIED", "ForbiddenException")
)

// errLongBody ends the connection when an integration streams more than it
// announced.
var errLongBody = errors.New("response body longer than announced")

// With returns a copy of an answer that carries its cause.
func (e *Error) With(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

func because(e *Error, why string) *Error { return e.With(errors.New(why)) }

// closing returns a copy of a base answer after which the connection ends.
func closing(e *Error, why string) *Error {
	c := because(e, why)
	c.Close = true
	return c
}

// refuse is the answer for a request that is not well formed: 400, and the end of
// the connection, since its framing cannot be trusted.
func refuse(cause error) *Error {
	e := errBadRequest.With(cause)
	e.Close = true
	return e
}

// Unauthorized is the answer to a caller who has not said who it is. The challenge
// is the value of WWW-Authenticate; "" for none.
func Unauthorized(challenge string, cause error) *Error {
	e := errUnauthorized.With(cause)
	e.Challenge = challenge
	return e
}

// Forbidden is the answer to a caller who may not do what it asks for. The challenge
// is as for Unauthorized.
func Forbidden(challenge string, cause error) *Error {
	e := errForbidden.With(cause)
	e.Challenge = challenge
	return e
}

// AuthorizerFailure is the answer when an authorizer could not decide.
func AuthorizerFailure(cause error) *Error {
	e := errInternal.With(cause)
	e.Type = "AUTHORIZER_FAILURE"
	return e
}

// BadRequest is the answer to a request that leads to something that must not be
// sent on.
func BadRequest(cause error) *Error { return errBadRequest.With(cause) }

// TooLarge is the answer to a request that is too long for its integration.
func TooLarge(cause error) *Error { return errTooLarge.With(cause) }

// UnsupportedMediaType is the answer to a body that nothing says how to check.
func UnsupportedMediaType(cause error) *Error { return errMediaType.With(cause) }

// InvalidBody is the answer to a body that is not what the model of its route describes.
func InvalidBody(cause error) *Error { return errInvalidBody.With(cause) }

// InternalError is the answer for a failure of the API itself: a malformed
// answer of a backend, an integration that cannot be called as configured.
func InternalError(cause error) *Error { return errInternal.With(cause) }

// ServiceUnavailable is the answer when a backend cannot be reached or does not
// answer in time.
func ServiceUnavailable(cause error) *Error { return errUnavailable.With(cause) }

// IntegrationTimeout is the answer when a backend does not answer in time.
func IntegrationTimeout(cause error) *Error {
	e := errUnavailable.With(cause)
	e.Type = "INTEGRATION_TIMEOUT"
	return e
}

var jsonFields = []Field{{"Content-Type", "application/json"}}

// fields returns the header of an answer that has more than a content type.
func (e *Error) fields() []Field {
	var fields []Field
	if len(e.body) > 0 {
		fields = append(fields, jsonFields...)
	}
	if e.Status == http.StatusUpgradeRequired {
		fields = append(fields, Field{"Upgrade", "websocket"}) // RFC 9110, 15.5.22
	}
	for _, f := range [...]Field{{"WWW-Authenticate", e.Challenge}, {"x-amzn-ErrorType", e.ErrorType}, {"Sec-WebSocket-Version", e.Version}} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// fail makes the response of an error.
func (x *Exchange) fail(err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = errInternal
	}
	x.err, x.failure = err, e
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
	if e.Challenge != "" || e.ErrorType != "" || e.Status == http.StatusUpgradeRequired {
		x.Response.Header = e.fields()
	}
	if x.Request.Method == http.MethodHead {
		x.Response.Body.Bytes = nil
		x.Response.Bodiless = true
	}
}
