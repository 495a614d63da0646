package authorizer

import (
	"errors"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/sigv4"
)

// The answers to those who may not open a connection of a WebSocket API, or may not use
// one. Unlike those of HTTP APIs they have types. Texts that the service does not document
// for WebSocket APIs are those of its REST APIs.
var (
	socketUnauthorized  = gateway.NewError(401, "Unauthorized", "UNAUTHORIZED", "UnauthorizedException")
	socketForbidden     = gateway.NewError(403, "Forbidden", "ACCESS_DENIED", "AccessDeniedException")
	socketUnsigned      = gateway.NewError(403, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN", sigv4.MissingAuthenticationToken)
	socketFailure       = gateway.NewError(500, "Internal server error", "AUTHORIZER_FAILURE", "InternalServerErrorException")
	socketMisconfigured = gateway.NewError(500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR",
		"InternalServerErrorException")
)

// rejectSocket is reject for WebSocket APIs.
func (r *rejection) rejectSocket(x *gateway.Exchange) error {
	x.AuthorizerError = r.text
	return socketForbidden.With(errors.New(r.text))
}

// socketError returns an answer of 403 with one member that is any text.
func socketError(member, text, kind, errorType string, cause error) *gateway.Error {
	body := append([]byte(`{"`), member...)
	body = event.AppendString(append(body, `":`...), text)
	e := gateway.NewErrorBody(403, string(append(body, '}')), kind, errorType).With(cause)
	e.Message = text
	return e
}

// refuseSignature is the answer to a request without a signature that counts. The client
// learns what is wrong with it.
func refuseSignature(x *gateway.Exchange, err *sigv4.Error) error {
	x.AuthorizerError = err.Code()
	if err.Code() == sigv4.MissingAuthenticationToken {
		return socketUnsigned.With(err)
	}
	return socketError("message", err.Error(), "INVALID_SIGNATURE", err.Code(), err)
}

// refuseCaller is the answer to a caller who may not do what it asks for. It is told what
// its policy would have to allow.
func refuseCaller(x *gateway.Exchange, c *caller, r *rejection, action, resource string) error {
	x.AuthorizerError = r.text
	text := "User: " + c.identity.IAM.UserARN + " is not authorized to perform: " + action + " on resource: " + resource
	return socketError("Message", text, "ACCESS_DENIED", "AccessDeniedException", r.err)
}
