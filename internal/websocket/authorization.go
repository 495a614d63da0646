package websocket

import (
	"net/http"
	"strings"
	"time"

	"penstock/internal/authorizer"
	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
)

// IAM has handshakes authorized by their signatures.
type IAM struct{ Authorizer *authorizer.SocketIAM }

// Authorize implements Authorizer. Whether a caller may connect is only asked of those whose
// signature counts.
func (a IAM) Authorize(x *gateway.Exchange, _ *event.Socket, o *pipeline.Authorized) (string, error) {
	start := time.Now()
	err := a.Authorizer.Authorize(x)
	o.Authenticate = outcome(x, err, start)
	if err == nil || answerOf(err).Type == errForbidden.Type {
		o.Authorize = o.Authenticate
		o.Authenticate.Status, o.Authenticate.Error = http.StatusOK, ""
	}
	return "", err
}

// Lambda has handshakes authorized by a function.
type Lambda struct{ Authorizer *authorizer.SocketLambda }

// Authorize implements Authorizer.
func (a Lambda) Authorize(x *gateway.Exchange, s *event.Socket, o *pipeline.Authorized) (string, error) {
	start := time.Now()
	result, err := a.Authorizer.Authorize(x, s)
	o.Authorizer = outcome(x, err, start)
	o.IntegrationStatus, o.RequestID = result.Status, result.RequestID
	return result.UsageKey, err
}

// Undecided refuses all handshakes: their authorizer cannot work, for a reason that was
// found when it was compiled.
type Undecided struct{ Reason error }

// Authorize implements Authorizer.
func (u Undecided) Authorize(x *gateway.Exchange, _ *event.Socket, _ *pipeline.Authorized) (string, error) {
	x.AuthorizerError = u.Reason.Error()
	return "", errAuthorizer.With(u.Reason)
}

// outcome returns how a step ended that has begun at a time.
func outcome(x *gateway.Exchange, err error, start time.Time) pipeline.Outcome {
	o := pipeline.Outcome{Status: 200, Latency: time.Since(start)}
	if err != nil {
		o.Status, o.Error = answerOf(err).Status, strings.Clone(x.AuthorizerError)
	}
	return o
}
