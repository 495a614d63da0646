package integration

import (
	"context"
	"errors"
	"fmt"

	"penstock/internal/event"
	"penstock/internal/gateway"
)

// What access logs show of calls of functions that fail, $context.integration.error. Of a
// function that failed itself they show its error message.
const (
	textRole      = "API Gateway doesn’t have permissions to assume the IAM role configured on the integration. Check the permissions and try again."
	textPermitted = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. Check the permissions and try again."
	textFormat    = "The response from the Lambda function doesn't match the format that API Gateway expects. Verify that the response format is correct"
	textThrottled = "Rate Exceeded."
)

// maxErrorText bounds, in bytes, what is shown of the error of a function.
const maxErrorText = 1 << 10

// Statuses of the service that runs functions.
const (
	serviceOK        = 200
	serviceForbidden = 403
	serviceNotFound  = 404
	serviceTooLarge  = 413
	serviceThrottled = 429
)

// failed is the answer when the function was not called, or has not answered.
func (l *Lambda) failed(x *gateway.Exchange, ctx context.Context, err error) error {
	outcome := &x.Integration
	switch {
	case x.Gone():
		return gateway.ServiceUnavailable(errGone)
	case ctx.Err() != nil:
		outcome.Error = textTimeout
		return gateway.IntegrationTimeout(fmt.Errorf("the function took longer than the timeout of the integration, %v", l.spec.Timeout))
	case errors.Is(err, ErrCredentials):
		outcome.Error = textRole
		return gateway.InternalError(err)
	case errors.Is(err, ErrNotPermitted):
		outcome.ServiceStatus, outcome.Error = serviceForbidden, textPermitted
		return gateway.InternalError(err)
	case errors.Is(err, ErrNoFunction):
		outcome.ServiceStatus, outcome.Error = serviceNotFound, textPermitted
		return gateway.InternalError(err)
	case errors.Is(err, ErrPayloadTooLarge):
		outcome.ServiceStatus = serviceTooLarge
		return gateway.TooLarge(err)
	case errors.Is(err, ErrThrottled):
		outcome.ServiceStatus, outcome.Error = serviceThrottled, textThrottled
		return gateway.ServiceUnavailable(err)
	default:
		outcome.Error = textUnreachable
		return gateway.ServiceUnavailable(fmt.Errorf("call the function: %w", err))
	}
}

// answer makes the response out of what the function returned.
func (l *Lambda) answer(x *gateway.Exchange, result *InvocationResult) error {
	outcome := &x.Integration
	outcome.ServiceStatus = serviceOK
	if result.FunctionError != "" {
		kind, message := event.FunctionError(result.Payload, maxErrorText)
		outcome.Error = message
		return gateway.InternalError(fmt.Errorf("the function failed: %s: %s", kind, message))
	}
	if len(result.Payload) > MaxResult {
		outcome.Error = textFormat
		return gateway.InternalError(fmt.Errorf("the answer of the function has %d bytes, more than %d", len(result.Payload), MaxResult))
	}
	a := event.Answer{Header: x.Buffers.Response, Text: x.Buffers.Head, Room: x.Buffers.Body}
	var err error
	switch {
	case result.ContentType == StreamedResponse:
		err = a.ReadStreamed(result.Payload)
	case l.spec.Version == "2.0":
		err = a.Read20(result.Payload)
	default:
		err = a.Read10(result.Payload)
	}
	x.Buffers.Response, x.Buffers.Head, x.Buffers.Body = a.Header, a.Text, a.Room
	if err != nil {
		outcome.Error = textFormat
		return gateway.InternalError(fmt.Errorf("the answer of the function is malformed: %w", err))
	}
	outcome.Status = a.Status
	resp := &x.Response
	resp.Status, resp.Header = a.Status, a.Header
	resp.Body = gateway.Body{Bytes: a.Body, Length: int64(len(a.Body))}
	switch {
	case a.Status == statusNoContent || a.Status == statusNotModified:
		resp.Bodiless, resp.Body = true, gateway.Body{Length: -1}
	case x.Request.Method == methodHead:
		resp.Bodiless = true
	}
	return nil
}
