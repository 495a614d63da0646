package authorizer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/policy"
)

// LambdaTimeout is how long the function of an authorizer may take, fixed by the
// service.
const LambdaTimeout = 10 * time.Second

// A Source is an identity source, such as $request.header.Authorization. Append
// appends its value, and reports false if the request has none.
type Source interface {
	Append(b []byte, x *gateway.Exchange) ([]byte, bool)
}

// LambdaSpec says what a Lambda authorizer is like.
type LambdaSpec struct {
	// Invoker calls the function. Without one, no request gets through.
	Invoker integration.Invoker
	// Function is the ARN of the function, with its qualifier if it has one.
	Function string
	// CredentialsARN names the role to call the function with; "" for none.
	CredentialsARN string
	// Version is the payload format of events, "1.0" or "2.0".
	Version string
	// Simple says that the function answers {"isAuthorized":true} and no policy. It
	// needs version 2.0.
	Simple bool
	// Sources are the identity sources, SourceNames how they are written. All of them
	// must have values; otherwise the function is not called.
	Sources     []Source
	SourceNames []string
	// TTL is how long an answer counts for all requests with the same values of the
	// identity sources; 0 for that request only. It needs identity sources.
	TTL time.Duration
	// API, Stage and AuthorizerID say whose answers are whose. Revision tells apart what
	// the authorizer was before and after a change.
	API, Stage, AuthorizerID, Revision string
}

// A Lambda authorizer asks a function whether a request may go on. It never changes;
// what the function has answered is in Results, which outlive it.
//
// A request that lacks an identity source gets 401, one that the answer does not
// allow 403. Whatever else keeps the function from answering in time, in the right
// form, is 500: an authorizer that fails lets nothing through.
type Lambda struct {
	spec    LambdaSpec
	results *Results
	prefix  []byte      // what the keys of all answers begin with
	missing []rejection // of a request without a value of each identity source
}

var errNoInvoker = errors.New("there is no function host to call Lambda authorizers on")

// NewLambda returns an authorizer whose answers are kept in results.
func NewLambda(results *Results, spec LambdaSpec) (*Lambda, error) {
	switch {
	case results == nil:
		return nil, errors.New("a Lambda authorizer needs a place for its results")
	case spec.Version != "1.0" && spec.Version != "2.0":
		return nil, fmt.Errorf("the payload format version is %q, want 1.0 or 2.0", spec.Version)
	case spec.Simple && spec.Version != "2.0":
		return nil, errors.New("simple responses need payload format version 2.0")
	case spec.TTL < 0:
		return nil, errors.New("the TTL of results is negative")
	case spec.TTL > 0 && len(spec.Sources) == 0:
		return nil, errors.New("results can only be cached by the values of identity sources, and there are none")
	case len(spec.Sources) != len(spec.SourceNames):
		return nil, errors.New("each identity source needs its name")
	}
	l := &Lambda{spec: spec, results: results}
	for _, part := range [...]string{spec.API, spec.Stage, spec.AuthorizerID, spec.Revision} {
		l.prefix = binary.BigEndian.AppendUint64(l.prefix, uint64(len(part)))
		l.prefix = append(l.prefix, part...)
	}
	for _, name := range spec.SourceNames {
		text := "the identity source " + name + " has no value"
		l.missing = append(l.missing, rejection{text, gateway.Unauthorized("", errors.New(text))})
	}
	return l, nil
}

// A lambdaScratch is room for the key of an answer, which has the values of the
// identity sources in it.
type lambdaScratch struct {
	key    []byte
	values []lambdaSpan
}

// A lambdaSpan is where a value stands.
type lambdaSpan struct{ start, end int }

var lambdaScratches = sync.Pool{New: func() any { return new(lambdaScratch) }}

// maxScratch is the largest scratch that is kept for another request.
const maxScratch = 16 << 10

// Authorize implements gateway.Authorizer.
func (l *Lambda) Authorize(x *gateway.Exchange) error {
	if l.spec.Invoker == nil {
		return l.fail(x, errNoInvoker)
	}
	s := lambdaScratches.Get().(*lambdaScratch)
	a, err := l.answer(x, s)
	if cap(s.key) <= maxScratch {
		lambdaScratches.Put(s)
	}
	if err != nil {
		return err
	}
	return l.decide(x, a)
}

// answer returns the answer of the function, a new one or one of before.
func (l *Lambda) answer(x *gateway.Exchange, s *lambdaScratch) (*lambdaAnswer, error) {
	s.key, s.values = append(s.key[:0], l.prefix...), s.values[:0]
	for i, source := range l.spec.Sources {
		// The length stands before the value, so that no two lists of values are the
		// same bytes.
		length := len(s.key)
		s.key = append(s.key, 0, 0, 0, 0, 0, 0, 0, 0)
		var ok bool
		s.key, ok = source.Append(s.key, x)
		start := length + 8
		if !ok || len(s.key) <= start {
			return nil, l.missing[i].reject(x)
		}
		binary.BigEndian.PutUint64(s.key[length:], uint64(len(s.key)-start))
		s.values = append(s.values, lambdaSpan{start, len(s.key)})
	}
	var a *lambdaAnswer
	var err error
	if l.spec.TTL == 0 {
		a, err = alone(x.Context(), l.call(x, s))
	} else {
		key := keyOf(s.key)
		if a = l.results.get(key); a != nil {
			return a, nil
		}
		a, err = l.results.share(x.Context(), key, l.spec.TTL, func() lambdaCall { return l.call(x, s) })
	}
	if err != nil {
		return nil, l.fail(x, err)
	}
	return a, nil
}

// call returns a call of the function for an exchange. Nothing in it points to the
// exchange or to s, so that it may last longer than both.
func (l *Lambda) call(x *gateway.Exchange, s *lambdaScratch) lambdaCall {
	a := event.Authorizer{ARN: routeARN(x), Sources: make([]string, len(s.values))}
	for i, v := range s.values {
		a.Sources[i] = string(s.key[v.start:v.end])
	}
	call := integration.Invocation{
		Function:       l.spec.Function,
		SourceARN:      arnOf(x, "/authorizers/", l.spec.AuthorizerID),
		CredentialsARN: l.spec.CredentialsARN,
	}
	if l.spec.Version == "2.0" {
		call.Payload = event.AppendAuthorizer20(make([]byte, 0, 2048), x, a)
	} else {
		call.Payload = event.AppendAuthorizer10(make([]byte, 0, 2048), x, a)
	}
	return func(ctx context.Context) (*lambdaAnswer, error) {
		result, err := l.spec.Invoker.Invoke(ctx, call)
		switch {
		case err != nil:
			return nil, err
		case result.FunctionError != "":
			return nil, errFunction
		}
		return parseLambdaAnswer(result.Payload, l.spec.Simple)
	}
}

var (
	errFunction      = errors.New("the function failed")
	errLambdaTimeout = fmt.Errorf("the function did not answer in %.0f seconds", LambdaTimeout.Seconds())
	errLeft          = errors.New("the client left before the function answered")
	errCallPanic     = errors.New("the call of the function panicked")
)

// fail refuses an exchange for a reason that lies with the authorizer.
func (l *Lambda) fail(x *gateway.Exchange, err error) error {
	x.AuthorizerError, err = lambdaFailure(err)
	return gateway.AuthorizerFailure(fmt.Errorf("authorizer %s: %w", l.spec.AuthorizerID, err))
}

// lambdaFailure returns what access logs and operators get to see of the failure of an
// authorizer. Access logs see what happened, but not what the function said.
func lambdaFailure(err error) (text string, cause error) {
	var form *lambdaFormError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = errLambdaTimeout
	case errors.Is(err, context.Canceled):
		err = errLeft
	}
	switch {
	case errors.As(err, &form):
		return "the answer of the function is malformed", err
	case err == errNoInvoker, err == errFunction, err == errLambdaTimeout, err == errLeft,
		errors.Is(err, integration.ErrNoFunction), errors.Is(err, integration.ErrNotPermitted), errors.Is(err, integration.ErrThrottled):
		return err.Error(), err
	default:
		return "the function could not be called", err
	}
}

// A rejection is the answer to a request that is not let through, with what access logs
// say. It says nothing of the request, so that it is made once.
type rejection struct {
	text string
	err  error
}

// forbidden is the rejection of a caller who may not do what it asks for.
func forbidden(text string) rejection {
	return rejection{text, gateway.Forbidden("", errors.New(text))}
}

// reject returns the answer, and tells the exchange why.
func (r *rejection) reject(x *gateway.Exchange) error {
	x.AuthorizerError = r.text
	return r.err
}

var (
	rejectedSimply     = forbidden("the function does not authorize the request")
	rejectedNotAllowed = forbidden("no statement of the policy allows the request")
	rejectedDenied     = forbidden("a statement of the policy denies the request")
)

// decide applies an answer to an exchange. A policy is evaluated for each: one that
// allows one route does not allow another.
func (l *Lambda) decide(x *gateway.Exchange, a *lambdaAnswer) error {
	if a.policy == nil {
		if !a.authorized {
			return rejectedSimply.reject(x)
		}
	} else if r := evaluate(x, a.policy, nil, invokeAction, routeARN(x)); r != nil {
		return r.reject(x)
	}
	x.Identity = &a.identity
	return nil
}

// evaluate returns nil if a policy allows an action on one of some resources and denies
// it on none, and otherwise why a request for it is not let through. Without a caller,
// nobody has signed the request.
func evaluate(x *gateway.Exchange, p *policy.Document, c *caller, action string, resources ...string) *rejection {
	v := conditionValues{x, c}
	decision := policy.NotAllowed
	for _, resource := range resources {
		decision = max(decision, p.Evaluate(policy.Request{Action: action, Resource: resource, Values: v.of}))
	}
	switch decision {
	case policy.Allowed:
		return nil
	case policy.Denied:
		return &rejectedDenied
	default:
		return &rejectedNotAllowed
	}
}

// invokeAction is what a policy must allow, in lower case.
const invokeAction = "execute-api:invoke"

// routeARN returns what a policy must allow it on: the API, the stage, the method of
// the request and its decoded path without the stage.
func routeARN(x *gateway.Exchange) string {
	path, _ := strings.CutPrefix(x.RoutePath, "/")
	return arnOf(x, "/", x.Stage.Name, "/", x.Request.Method, "/", path)
}

// arnOf returns the ARN of the API of an exchange, continued.
func arnOf(x *gateway.Exchange, more ...string) string {
	return integration.APIARN(x.Region(), x.Account(), x.API.ID, more...)
}
