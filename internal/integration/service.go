package integration

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/internal/gateway"
)

// A Service calls AWS services, or what stands for them. It may be used by any number of
// goroutines.
type Service interface {
	// Call signs and sends a request, and waits for the whole answer, which lies in the
	// buffers of the exchange. The error is a gateway error: gateway.IntegrationTimeout if
	// the service took longer than the timeout, and an InternalError that wraps
	// ErrCredentials or ErrNotPermitted if it cannot be called in that name. An answer of
	// any other status is no error. What was called, as whom, and what it said is in
	// x.Integration.
	Call(x *gateway.Exchange, r *ServiceRequest) (Incoming, error)
}

// A ServiceRequest is one call of a service. It belongs to the caller.
type ServiceRequest struct {
	// Region is the region that is called and signed for, Service the name that is signed
	// with, such as sqs.
	Region, Service string
	// Action is what is asked for, for those who read about the call, such as SendMessage;
	// "" if the request does not say.
	Action string
	// Method is one that gateway.KnownMethod knows.
	Method string
	// Host is that of the service at AWS, such as sqs.us-east-1.amazonaws.com. An endpoint
	// of the configuration takes its place. Target is the escaped path with the query.
	Host, Target string
	// Header has neither Host nor Content-Length, nor what a signature adds.
	Header []gateway.Field
	Body   []byte
	// CredentialsARN is the role or the user to sign as, as Credentials returns it; "" if
	// there is none: then the call is signed with the credentials of the server itself.
	CredentialsARN string
	// SourceARN says on whose behalf the service is called.
	SourceARN string
	Timeout   time.Duration
}

// CallerCredentials is what CredentialsArn says of integrations that are called with the
// identity of the caller: whoever signed the request. Source: API reference,
// CreateIntegration.
const CallerCredentials = "arn:aws:iam::*:user/*"

// errNoCaller is the cause when there is no caller whose credentials could be passed on.
var errNoCaller = errors.New("the credentials of the caller are to be used, and nobody has signed the request: the route needs the authorization type AWS_IAM")

// errUser is the cause when an integration names a user: nobody lends their credentials but
// by their own requests.
var errUser = errors.New("integrations are called as a role, or as the caller with " + CallerCredentials)

// Credentials returns the ARN of the role or user that an integration with a CredentialsArn
// calls as: the caller's for CallerCredentials, and otherwise the ARN itself. The error is
// a gateway error that wraps ErrCredentials.
func Credentials(x *gateway.Exchange, arn string) (string, error) {
	if arn != CallerCredentials {
		if strings.Contains(arn, ":user/") {
			return "", Refused(x, fmt.Errorf("%w: %w", ErrCredentials, errUser))
		}
		return arn, nil
	}
	if x.Identity == nil || x.Identity.IAM == nil || x.Identity.IAM.UserARN == "" {
		return "", Refused(x, fmt.Errorf("%w: %w", ErrCredentials, errNoCaller))
	}
	return x.Identity.IAM.UserARN, nil
}

// Refused is the answer when a call may not be made in the name that the integration says:
// 500, with what access logs show of it in x.Integration. The error wraps ErrCredentials or
// ErrNotPermitted.
func Refused(x *gateway.Exchange, err error) error {
	x.Integration.Error = textRole
	if errors.Is(err, ErrNotPermitted) {
		x.Integration.Error = textPermitted
	}
	return gateway.InternalError(err)
}
