package sigv4

import "fmt"

// Codes of errors, as clients see them.
const (
	// MissingAuthenticationToken: the request carries no signature at all.
	MissingAuthenticationToken = "MissingAuthenticationTokenException"
	// UnrecognizedClient: the access key is unknown, or the session token is not the
	// one that belongs to it.
	UnrecognizedClient = "UnrecognizedClientException"
	// InvalidSignature: the signature is wrong, expired, meant for something else, or
	// does not cover what it must.
	InvalidSignature = "InvalidSignatureException"
	// IncompleteSignature: the signature cannot be read.
	IncompleteSignature = "IncompleteSignatureException"
)

// An Error says why a request is refused. Its text is meant for the client and
// tells nothing that the client did not send.
type Error struct {
	code, message string
}

// Code returns the code, one of the constants of this package.
func (e *Error) Code() string { return e.code }

// Error returns the message for the client.
func (e *Error) Error() string { return e.message }

var (
	errMissing      = &Error{MissingAuthenticationToken, "Missing Authentication Token"}
	errUnrecognized = &Error{UnrecognizedClient, "The security token included in the request is invalid."}
	errMismatch     = &Error{InvalidSignature, "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
)

func invalid(format string, args ...any) *Error {
	return &Error{InvalidSignature, fmt.Sprintf(format, args...)}
}

func incomplete(format string, args ...any) *Error {
	return &Error{IncompleteSignature, fmt.Sprintf(format, args...)}
}
