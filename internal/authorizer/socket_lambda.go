package authorizer

import (
	"context"
	"errors"
	"fmt"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/jsontree"
	"penstock/internal/policy"
)

// SocketLambdaSpec says what the Lambda authorizer of a WebSocket API is like.
type SocketLambdaSpec struct {
	// Invoker calls the function. Without one, nobody gets through.
	Invoker integration.Invoker
	// Function is the ARN of the function, with its qualifier if it has one.
	Function string
	// CredentialsARN names the role to call the function with; "" for none.
	CredentialsARN string
	// Sources are the identity sources. All of them must have values; otherwise the
	// function is not called.
	Sources []SocketSource
	// Region, Account, API, Stage and AuthorizerID say on whose behalf it is called.
	Region, Account, API, Stage, AuthorizerID string
}

// A SocketLambda is the Lambda authorizer of a $connect route: it asks a function whether
// a client may connect, in each handshake, since no answer counts for another one. It
// never changes.
//
// A handshake that lacks an identity source gets 401, as does one about which the function
// fails with the text "Unauthorized"; one that the policy of the answer does not allow
// gets 403. Whatever else keeps the function from answering in time, in the right form, is
// 500: an authorizer that fails lets nobody in.
type SocketLambda struct {
	spec     SocketLambdaSpec
	resource string // what a policy must allow
	source   string // what calls the function
	missing  []rejection
}

// A SocketResult is what is known when a SocketLambda has decided.
type SocketResult struct {
	// UsageKey is the API key that the function names, "" for none. It says nothing about
	// the key being one.
	UsageKey string
	// RequestID is that of the call of the function, if it has one.
	RequestID string
	// Status is that of the call: 200 if the function ran to its end, be it with an error,
	// what the service says if it must not or cannot be called, and 0 if nobody knows.
	Status int
}

// callStatus returns the status of a call that has an error and no result.
func callStatus(err error) int {
	switch {
	case errors.Is(err, integration.ErrNotPermitted):
		return 403
	case errors.Is(err, integration.ErrNoFunction):
		return 404
	case errors.Is(err, integration.ErrThrottled):
		return 429
	default:
		return 0
	}
}

// NewSocketLambda returns an authorizer.
func NewSocketLambda(spec SocketLambdaSpec) *SocketLambda {
	l := &SocketLambda{
		spec:     spec,
		resource: StageARN(spec.Region, spec.Account, spec.API, spec.Stage) + connectPart,
		source:   integration.APIARN(spec.Region, spec.Account, spec.API, "/authorizers/", spec.AuthorizerID),
	}
	for _, s := range spec.Sources {
		text := "the identity source " + s.text + " has no value"
		l.missing = append(l.missing, rejection{text, socketUnauthorized.With(errors.New(text))})
	}
	return l
}

// Authorize decides about the handshake of a connection. If it returns nil, it has set
// x.Identity to what the function said about the client, otherwise x.AuthorizerError to
// what access logs may say.
func (l *SocketLambda) Authorize(x *gateway.Exchange, s *event.Socket) (SocketResult, error) {
	if l.spec.Invoker == nil {
		return SocketResult{}, l.fail(x, errNoInvoker)
	}
	for i, source := range l.spec.Sources {
		if source.present == nil || !source.present(x, s) {
			return SocketResult{}, l.missing[i].reject(x)
		}
	}
	a, err := alone(x.Context(), l.call(x, s))
	result := SocketResult{Status: callStatus(err)}
	if a != nil {
		result.RequestID, result.Status = a.requestID, 200
	}
	switch {
	case err == errUnauthorized:
		return result, socketTold.reject(x)
	case err != nil:
		return result, l.fail(x, err)
	}
	if r := evaluate(x, a.policy, nil, invokeAction, l.resource); r != nil {
		return result, r.rejectSocket(x)
	}
	result.UsageKey = a.usageKey
	x.Identity = &a.identity
	return result, nil
}

// errUnauthorized is the failure that a function reports for a client who has not said
// who it is.
var errUnauthorized = errors.New("the function says that the client is unauthorized")

var socketTold = rejection{errUnauthorized.Error(), socketUnauthorized.With(errUnauthorized)}

// call returns a call of the function for a handshake. Nothing in it points to the
// exchange, so that it may last longer. If the function has run, it returns an answer,
// which has nothing but a request ID if there is an error.
func (l *SocketLambda) call(x *gateway.Exchange, s *event.Socket) lambdaCall {
	invoker := l.spec.Invoker
	call := integration.Invocation{
		Function:       l.spec.Function,
		Payload:        event.AppendSocketAuthorizer(make([]byte, 0, 4096), s, x, l.resource),
		SourceARN:      l.source,
		CredentialsARN: l.spec.CredentialsARN,
	}
	return func(ctx context.Context) (*lambdaAnswer, error) {
		result, err := invoker.Invoke(ctx, call)
		if err != nil {
			return nil, err
		}
		a, err := readSocketResult(&result)
		if err != nil {
			a = &lambdaAnswer{}
		}
		a.requestID = result.RequestID
		return a, err
	}
}

// readSocketResult reads what the function returned.
func readSocketResult(result *integration.InvocationResult) (*lambdaAnswer, error) {
	if result.FunctionError == "" {
		return parseSocketAnswer(result.Payload)
	}
	if root, err := readLambdaAnswer(result.Payload); err == nil {
		if m := root.Member("errorMessage"); m != nil && m.Kind == jsontree.String && m.Text == "Unauthorized" {
			return nil, errUnauthorized
		}
	}
	return nil, errFunction
}

// fail refuses a handshake for a reason that lies with the authorizer: what does not go
// away by itself is a matter of configuration.
func (l *SocketLambda) fail(x *gateway.Exchange, err error) error {
	answer := socketFailure
	var form *lambdaFormError
	if err == errNoInvoker || errors.As(err, &form) || errors.Is(err, integration.ErrNoFunction) ||
		errors.Is(err, integration.ErrNotPermitted) || errors.Is(err, integration.ErrCredentials) {
		answer = socketMisconfigured
	}
	x.AuthorizerError, err = lambdaFailure(err)
	return answer.With(fmt.Errorf("authorizer %s: %w", l.spec.AuthorizerID, err))
}

// maxSocketAnswer is how long an answer may be, in bytes: 8 KB. Source: quotas of the
// service.
const maxSocketAnswer = 8 << 10

// parseSocketAnswer reads
//
//	{ "principalId": string, "policyDocument": policy, "context": object, "usageIdentifierKey": string }
//
// where context and usageIdentifierKey are optional and may be null, and other members
// mean nothing. The principal must not be empty, and the members of the context must be
// strings, numbers or booleans. A policy without statements allows nobody in.
func parseSocketAnswer(text []byte) (*lambdaAnswer, error) {
	if len(text) > maxSocketAnswer {
		return nil, malformed("it is longer than %d bytes", maxSocketAnswer)
	}
	root, err := readLambdaAnswer(text)
	if err != nil {
		return nil, err
	}
	a, err := newLambdaAnswer(root, false, new(policy.Document), len(text))
	switch {
	case err != nil:
		return nil, err
	case a.identity.Lambda.PrincipalID == "":
		return nil, malformed("principalId is empty")
	}
	if members := root.Member("context"); members != nil {
		for _, m := range members.Items {
			if m.Kind != jsontree.String && m.Kind != jsontree.Number && m.Kind != jsontree.Boolean {
				return nil, malformed("the members of context must be strings, numbers and booleans, and %q is none", m.Name)
			}
		}
	}
	switch key := root.Member("usageIdentifierKey"); {
	case key == nil || key.Kind == jsontree.Null:
	case key.Kind != jsontree.String:
		return nil, malformed("usageIdentifierKey must be a string")
	default:
		a.usageKey = key.Text
	}
	return a, nil
}
