package integration

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// callFailed is the answer when the function was not called, or has not answered.
func callFailed(x *gateway.Exchange, ctx context.Context, timeout time.Duration, err error) error {
	outcome := &x.Integration
	switch {
	case x.Gone():
		return gateway.ServiceUnavailable(errGone)
	case ctx.Err() != nil:
		outcome.Error = textTimeout
		return gateway.IntegrationTimeout(fmt.Errorf("the function took longer than the timeout of the integration, %v", timeout))
	case errors.Is(err, ErrCredentials):
		return Refused(x, err)
	case errors.Is(err, ErrNotPermitted):
		outcome.ServiceStatus = serviceForbidden
		return Refused(x, err)
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

// FunctionFailed returns why a function failed, if it did, and puts what access logs show of
// that into x.Integration.
func FunctionFailed(x *gateway.Exchange, result *InvocationResult) error {
	if result.FunctionError == "" {
		return nil
	}
	kind, message := event.FunctionError(result.Payload, maxErrorText)
	x.Integration.Error, x.Integration.Failed = message, true
	return fmt.Errorf("the function failed: %s: %s", kind, message)
}

// ReadAnswer reads what a function returned in a payload format. Header and body lie in the
// buffers of the exchange, or in the payload. x.Integration has the status of the answer, or
// what access logs show of the error: that the function failed, or that its answer is none.
func ReadAnswer(x *gateway.Exchange, result *InvocationResult, version string) (event.Answer, error) {
	outcome := &x.Integration
	outcome.ServiceStatus = serviceOK
	if err := FunctionFailed(x, result); err != nil {
		return event.Answer{}, err
	}
	if len(result.Payload) > MaxResult {
		outcome.Error = textFormat
		return event.Answer{}, fmt.Errorf("the answer of the function has %d bytes, more than %d", len(result.Payload), MaxResult)
	}
	a := event.Answer{Header: x.Buffers.Response, Text: x.Buffers.Head, Room: x.Buffers.Body}
	var err error
	switch {
	case result.ContentType == StreamedResponse:
		err = a.ReadStreamed(result.Payload)
	case version == "2.0":
		err = a.Read20(result.Payload)
	default:
		err = a.Read10(result.Payload)
	}
	x.Buffers.Response, x.Buffers.Head, x.Buffers.Body = a.Header, a.Text, a.Room
	if err != nil {
		outcome.Error = textFormat
		return event.Answer{}, fmt.Errorf("the answer of the function is malformed: %w", err)
	}
	outcome.Status = a.Status
	return a, nil
}

// answer makes the response out of what the function returned.
func (l *Lambda) answer(x *gateway.Exchange, result *InvocationResult) error {
	a, err := ReadAnswer(x, result, l.spec.Version)
	if err != nil {
		return gateway.InternalError(err)
	}
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
