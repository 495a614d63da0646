package remote

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

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

// Bounds on what is read of an answer that is an error, and what is told of it, in bytes.
const (
	maxErrorBody = 64 << 10
	maxErrorText = 1 << 10
)

// refused returns the error of an answer that is none of a function: one of integration,
// as far as the code or else the status says so, with the text of the callee. What is none
// of them is a call that failed.
func refused(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var said struct {
		Code    string
		Type    string `json:"__type"`
		Message string // or message
	}
	if json.Unmarshal(body, &said) != nil || said.Message == "" {
		said.Message = strings.TrimSpace(string(body)) // of something in between
	}
	code := errorCode(cmp.Or(resp.Header.Get("X-Amzn-Errortype"), said.Type, said.Code))
	text := fmt.Sprintf("%d %s: %s", resp.StatusCode, cmp.Or(code, http.StatusText(resp.StatusCode)), said.Message)
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if known := cmp.Or(codes[code], statuses[resp.StatusCode]); known != nil {
		return fmt.Errorf("%w: %s", known, text)
	}
	return fmt.Errorf("the service answered %s", text)
}

// errorCode returns the code in namespace#code:URL, of which only the code must be there.
func errorCode(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSpace(s[strings.LastIndexByte(s, '#')+1:])
}
