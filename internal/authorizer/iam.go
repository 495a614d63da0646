package authorizer

import (
	"errors"
	"net/http"
	"net/textproto"

	"penstock/internal/gateway"
	"penstock/internal/sigv4"
)

// IAM is the authorizer of routes with AWS_IAM authorization: requests must be signed
// with Signature Version 4, by a caller whose policy allows it. Whoever is not let
// through gets 403 and no hint why; the reason is for the operator.
//
// A request may be sent again for as long as its signature counts, as with the service.
type IAM struct {
	callers *Callers
}

// NewIAM returns an authorizer that knows callers. If there are none, it lets nothing
// through.
func NewIAM(callers *Callers) *IAM {
	if callers == nil {
		callers = &Callers{}
	}
	return &IAM{callers}
}

var (
	rejectedNoCallers    = forbidden("no credentials are configured for requests with AWS_IAM authorization")
	rejectedOtherAccount = forbidden("the caller belongs to another account")
)

// Authorize implements gateway.Authorizer.
//
// The body of a request is read if its signature is well-formed, meant for here and
// now, whoever has signed it: see [sigv4.Verifier.VerifyHash]. It is never longer than
// the gateway takes from anybody. One that cannot be read has the answer that it has
// without an authorizer.
func (i *IAM) Authorize(x *gateway.Exchange) error {
	if len(i.callers.byKey) == 0 {
		return rejectedNoCallers.reject(x)
	}
	signed, err := i.callers.verifier.VerifyHash(signedRequest(x), x.HashBody)
	if err != nil {
		var refused *sigv4.Error
		if !errors.As(err, &refused) {
			x.AuthorizerError = "the body of the signed request could not be read"
			return err
		}
		x.AuthorizerError = refused.Code()
		return gateway.Forbidden("", refused)
	}
	c := i.callers.byKey[signed.AccessKeyID]
	if c.identity.IAM.AccountID != x.Account() {
		return rejectedOtherAccount.reject(x)
	}
	if c.policy != nil {
		if r := evaluate(x, c.policy, c, invokeAction, routeARN(x)); r != nil {
			return r.reject(x)
		}
	}
	x.Identity = &c.identity
	return nil
}

// signedRequest returns what a signature covers: the request as the client sent it, its
// target neither decoded nor without a prefix.
func signedRequest(x *gateway.Exchange) *http.Request {
	r := &http.Request{
		Method:        x.Request.Method,
		Host:          x.Request.Host,
		RequestURI:    x.Request.Target,
		Header:        make(http.Header, len(x.Request.Header)),
		ContentLength: x.Request.ContentLength,
	}
	for i := range x.Request.Header {
		f := &x.Request.Header[i]
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		r.Header[name] = append(r.Header[name], f.Value)
	}
	return r
}
