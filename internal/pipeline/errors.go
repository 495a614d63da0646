package pipeline

import (
	"context"
	"errors"

	"penstock/internal/gateway"
)

// What clients hear of events that went wrong. Each error of an integration is a copy of
// one of these, with its cause: the message is that of an error frame, the status that of a
// refused handshake.
var (
	// ErrInternal: the backend did not answer, or answered wrongly.
	ErrInternal = gateway.NewError(500, "Internal server error", "INTEGRATION_FAILURE", "InternalServerErrorException")
	// ErrConfiguration: the integration cannot do what it is configured to do for this event.
	ErrConfiguration = gateway.NewError(500, "Internal server error", "API_CONFIGURATION_ERROR", "InternalServerErrorException")
	// ErrFunction: a function that decides about a handshake has not.
	ErrFunction = gateway.NewError(502, "Internal server error", "INTEGRATION_FAILURE", "InternalServerErrorException")
	// ErrTimeout: the integration took longer than it may.
	ErrTimeout = gateway.NewError(504, "Endpoint request timed out", "INTEGRATION_TIMEOUT", "InternalServerErrorException")
	// ErrMediaType: there is no template for the message, and it may not be passed through.
	ErrMediaType = gateway.NewError(415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", "BadRequestException")
)

// Failing returns an integration that cannot work as configured: each call fails, and tells
// the operator why.
func Failing(why error) Integration { return failing{ErrConfiguration.With(why)} }

type failing struct{ err error }

func (f failing) Call(*Event) (Result, error) { return Result{}, f.err }

// failed is the answer for a call of a backend that has gone wrong; other is what it is
// unless it took too long.
func failed(err error, other *gateway.Error) error {
	var e *gateway.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &e) && e.Type == ErrTimeout.Type:
		return ErrTimeout.With(err)
	}
	return other.With(err)
}
