package control

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"penstock/internal/model"
)

// An Error is an answer that says why there is no other.
type Error struct {
	Status     int
	Code       string // x-amzn-ErrorType
	Message    string
	RetryAfter int // seconds; 0 if there is nothing to say

	// Capital writes the member Message and not message, as denials by policies are
	// answered (unconfirmed).
	Capital bool
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// BadRequest returns the error for an input that breaks a rule.
func BadRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "BadRequestException", Message: fmt.Sprintf(format, args...)}
}

// Conflict returns the error for an input that does not fit what is there.
func Conflict(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "ConflictException", Message: fmt.Sprintf(format, args...)}
}

// NotFound returns the error for an unknown ID. kind is as in the names of the
// operations: Route.
func NotFound(kind, id string) *Error {
	if message := notFoundMessages[kind]; message != "" {
		return notFound("%s", message)
	}
	return notFound(msgNotFound, kind, id)
}

func notFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "NotFoundException", Message: fmt.Sprintf(format, args...)}
}

func serialization(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: message}
}

func tooManyRequests(retryAfter int) *Error {
	return &Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: msgTooManyRequests, RetryAfter: retryAfter}
}

// notAuthorized returns the error for a call that a policy does not allow.
func notAuthorized(principal, action, resource string) *Error {
	return &Error{
		Status: http.StatusForbidden, Code: "AccessDeniedException", Capital: true,
		Message: fmt.Sprintf(msgNotAuthorized, principal, action, resource),
	}
}

func forbidden(code, message string) *Error {
	return &Error{Status: http.StatusForbidden, Code: code, Message: message}
}

var (
	errUnknownOperation = &Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: msgUnknownOperation}
	errBodyTooLarge     = &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException", Message: msgBodyTooLarge}
	errBodyTimeout      = &Error{Status: http.StatusRequestTimeout, Code: "RequestTimeoutException", Message: msgBodyTimeout}
	errInternal         = &Error{Status: http.StatusInternalServerError, Code: "InternalServerErrorException", Message: msgInternal}
)

// refusal returns the error for an input that could not be decoded.
func refusal(err error) error {
	var decode *model.DecodeError
	if !errors.As(err, &decode) {
		return err
	}
	if len(decode.Problems) == 0 {
		return serialization(decode.Error())
	}
	var list []string
	for _, p := range decode.Problems {
		list = append(list, problemMessage(p))
	}
	return BadRequest("%s%s", msgProblems, strings.Join(list, "; "))
}

func problemMessage(p model.Problem) string {
	switch p.Limit {
	case model.LimitRequired:
		return fmt.Sprintf(msgRequired, p.Path)
	case model.LimitLength:
		return fmt.Sprintf(msgLength, p.Path, p.Min, p.Max)
	case model.LimitRange:
		return fmt.Sprintf(msgRange, p.Path, p.Min, p.Max)
	case model.LimitEnum:
		return fmt.Sprintf(msgEnum, p.Path, strings.Join(p.Enum, ", "))
	default:
		return fmt.Sprintf(msgEntries, p.Path, p.Max)
	}
}
