// Package sigv4 verifies and makes AWS Signature Version 4 signatures
// (AWS4-HMAC-SHA256), in the Authorization header or, presigned, in the query.
//
//	v := sigv4.NewVerifier(sigv4.Options{Service: "apigateway", Lookup: credentials.find})
//	identity, err := v.Verify(r, body)
//
// The signature covers the request as it was received: path and query are taken
// from the wire, not from the decoded path, so that what is authenticated is what
// is routed. A request that is wrong in any way is refused with an *Error.
//
// The package does not remember signatures. Within the allowed time the same
// request can be sent again with the same signature, as two equal calls within
// one second are.
package sigv4

import "time"

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// MaxExpires is the longest time for which a presigned request may be valid.
const MaxExpires = 7 * 24 * time.Hour

// A Credential is what a caller signs with.
type Credential struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken comes with temporary credentials and is sent along. It is empty
	// for others.
	SessionToken string
}

// An Identity is who signed a request, and for what.
type Identity struct {
	AccessKeyID string
	// Region and Service are those of the credential scope.
	Region, Service string
	// Time is when the request was signed.
	Time time.Time
	// Presigned says that the signature was in the query.
	Presigned bool
}
