package remote

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"penstock/internal/integration"
)

// codes are the error codes of the Lambda API, and of what checks signatures in front of
// it, that say something about the caller or the function. Source: API reference of
// Lambda, Invoke and common errors.
var codes = map[string]error{
	"ResourceNotFoundException": integration.ErrNoFunction,

	"AccessDenied":                        integration.ErrNotPermitted,
	"AccessDeniedException":               integration.ErrNotPermitted,
	"ExpiredToken":                        integration.ErrNotPermitted,
	"ExpiredTokenException":               integration.ErrNotPermitted,
	"IncompleteSignature":                 integration.ErrNotPermitted,
	"IncompleteSignatureException":        integration.ErrNotPermitted,
	"InvalidClientTokenId":                integration.ErrNotPermitted,
	"InvalidSignatureException":           integration.ErrNotPermitted,
	"KMSAccessDeniedException":            integration.ErrNotPermitted,
	"KMSDisabledException":                integration.ErrNotPermitted,
	"KMSInvalidStateException":            integration.ErrNotPermitted,
	"KMSNotFoundException":                integration.ErrNotPermitted,
	"MissingAuthenticationToken":          integration.ErrNotPermitted,
	"MissingAuthenticationTokenException": integration.ErrNotPermitted,
	"NotAuthorized":                       integration.ErrNotPermitted,
	"OptInRequired":                       integration.ErrNotPermitted,
	"SignatureDoesNotMatch":               integration.ErrNotPermitted,
	"UnrecognizedClientException":         integration.ErrNotPermitted,

	"TooManyRequestsException": integration.ErrThrottled,
	"Throttling":               integration.ErrThrottled,
	"ThrottlingException":      integration.ErrThrottled,

	"RequestEntityTooLargeException": integration.ErrPayloadTooLarge,
	"RequestTooLargeException":       integration.ErrPayloadTooLarge,
}

// statuses are what counts of an answer whose code says nothing. There is no 404: a
// wrong endpoint has no functions, but that does not mean that there is no function.
var statuses = map[int]error{
	http.StatusUnauthorized:          integration.ErrNotPermitted,
	http.StatusForbidden:             integration.ErrNotPermitted,
	http.StatusRequestEntityTooLarge: integration.ErrPayloadTooLarge,
	http.StatusTooManyRequests:       integration.ErrThrottled,
}

// translate returns the error of integration for one of the SDK, with its text. What is
// none of them is a call that failed.
func translate(function string, err error) error {
	if errors.Is(err, integration.ErrCredentials) {
		return err
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		// Other protocols write namespace#code.
		code := e.ErrorCode()
		if known := codes[code[strings.LastIndexByte(code, '#')+1:]]; known != nil {
			return fmt.Errorf("%w: invoke %s: %w", known, function, err)
		}
	}
	if e, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		if known := statuses[e.HTTPStatusCode()]; known != nil {
			return fmt.Errorf("%w: invoke %s: %w", known, function, err)
		}
	}
	return fmt.Errorf("invoke %s: %w", function, err)
}
