package authorizer

import (
	"errors"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/sigv4"
)

// SocketIAM is the authorizer of $connect routes with AWS_IAM authorization: handshakes
// must be signed with Signature Version 4, in the header or, as browsers can do it, in the
// query. A caller's policy must allow execute-api:Invoke on the $connect route itself:
// patterns for methods and paths of other APIs have one part too many.
//
// It decides about the handshake only. What is denied to a caller later, or is denied on
// another route, has no effect on the connection.
type SocketIAM struct {
	callers  *Callers
	resource string
}

// StageARN returns the ARN that those of all routes of a stage begin with, without the
// slash behind it.
func StageARN(region, account, api, stage string) string {
	return integration.APIARN(region, account, api, "/", stage)
}

// connectPart is what follows the ARN of a stage in that of its route $connect.
const connectPart = "/$connect"

// NewSocketIAM returns an authorizer that knows callers, for the $connect route of the
// stage with an ARN. If there are no callers, it lets nobody through.
func NewSocketIAM(callers *Callers, stageARN string) *SocketIAM {
	if callers == nil {
		callers = &Callers{}
	}
	return &SocketIAM{callers, stageARN + connectPart}
}

// Authorize implements gateway.Authorizer.
func (i *SocketIAM) Authorize(x *gateway.Exchange) error {
	if len(i.callers.byKey) == 0 {
		if _, err := sigv4.Unverified(signedRequest(x)); err != nil {
			return failedSignature(x, err)
		}
		return rejectedNoCallers.rejectSocket(x)
	}
	return i.callers.admit(x, "execute-api:Invoke", func() []string { return []string{i.resource} })
}

// admit lets through who has signed a request and may do an action on one of some
// resources, while none of them is denied to it. The resources are asked for if the caller
// has a policy, or must be told. The first one is the most specific.
func (c *Callers) admit(x *gateway.Exchange, action string, resources func() []string) error {
	signed, err := c.verifier.VerifyHash(signedRequest(x), x.HashBody)
	if err != nil {
		return failedSignature(x, err)
	}
	found := c.byKey[signed.AccessKeyID]
	if found.identity.IAM.AccountID != x.Account() {
		return refuseCaller(x, found, &rejectedOtherAccount, action, resources()[0])
	}
	if found.policy != nil {
		all := resources()
		if r := evaluate(x, found.policy, found, action, all...); r != nil {
			return refuseCaller(x, found, r, action, all[0])
		}
	}
	x.Identity = &found.identity
	return nil
}

// failedSignature is the answer to a request whose signature was not found to count. One
// whose body cannot be read has the answer that it has without an authorizer.
func failedSignature(x *gateway.Exchange, err error) error {
	var refused *sigv4.Error
	if !errors.As(err, &refused) {
		x.AuthorizerError = "the body of the signed request could not be read"
		return err
	}
	return refuseSignature(x, refused)
}
