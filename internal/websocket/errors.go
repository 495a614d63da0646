package websocket

import (
	"errors"
	"net/http"

	"penstock/internal/gateway"
)

// The answers to handshakes and to requests about connections. Texts and types are those
// of the service where they are known; see docs/differences.md.
var (
	errForbidden     = gateway.NewError(http.StatusForbidden, "Forbidden", "ACCESS_DENIED", "ForbiddenException")
	errNoRoute       = gateway.NewError(http.StatusForbidden, "Forbidden", "ROUTE_NOT_FOUND", "ForbiddenException")
	errUpgrade       = gateway.NewError(http.StatusUpgradeRequired, "Upgrade Required", "DEFAULT_4XX", "")
	errHandshake     = gateway.NewError(http.StatusBadRequest, "Bad Request", "BAD_REQUEST_PARAMETERS", "BadRequestException")
	errTooMany       = gateway.NewError(http.StatusTooManyRequests, "Too Many Requests", "THROTTLED", "TooManyRequestsException")
	errAuthorizer    = gateway.NewError(http.StatusInternalServerError, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR", "InternalServerErrorException")
	errTarget        = gateway.NewError(http.StatusInternalServerError, "Internal server error", "API_CONFIGURATION_ERROR", "InternalServerErrorException")
	errPanic         = gateway.NewError(http.StatusInternalServerError, "Internal server error", "DEFAULT_5XX", "InternalServerErrorException")
	errBody          = gateway.NewError(http.StatusBadRequest, "Invalid request body", "BAD_REQUEST_BODY", "BadRequestException")
	errAnswerTooLong = gateway.NewError(http.StatusInternalServerError, "Internal server error", "INTEGRATION_FAILURE", "InternalServerErrorException")

	errGone        = gateway.NewErrorBody(http.StatusGone, "", "RESOURCE_NOT_FOUND", "GoneException")
	errTooLarge    = gateway.NewError(http.StatusRequestEntityTooLarge, "Message too long", "REQUEST_TOO_LARGE", "PayloadTooLargeException")
	errLimit       = gateway.NewErrorBody(http.StatusTooManyRequests, "", "THROTTLED", "LimitExceededException")
	errMethod      = gateway.NewError(http.StatusForbidden, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException")
	errUnavailable = gateway.NewError(http.StatusServiceUnavailable, "Service Unavailable", "DEFAULT_5XX", "ServiceUnavailableException")
)

// errVersion is the answer to a client of another version of the protocol.
var errVersion = func() *gateway.Error {
	e := gateway.NewError(http.StatusUpgradeRequired, "Upgrade Required", "DEFAULT_4XX", "")
	e.Version = "13"
	return e
}()

// why returns a copy of an answer with the reason for the operator.
func why(e *gateway.Error, reason string) *gateway.Error { return e.With(errors.New(reason)) }

// answerOf returns the answer that an error is. Everything that is none is a failure of the
// API.
func answerOf(err error) *gateway.Error {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e
	}
	return errTarget.With(err)
}

// socketAnswer returns the answer of a WebSocket API in the place of one that HTTP APIs have,
// too.
func socketAnswer(e *gateway.Error) *gateway.Error {
	if e.Status == http.StatusTooManyRequests && e.ErrorType == "" {
		return errTooMany.With(e.Cause)
	}
	return e
}

// frameText returns the message of the error frame for a failure.
func frameText(e *gateway.Error) string {
	switch {
	case e.Type == "INTEGRATION_TIMEOUT":
		return "Endpoint request timed out"
	case e.Status >= http.StatusInternalServerError:
		return "Internal server error"
	}
	return e.Message
}
