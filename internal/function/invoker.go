package function

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"penstock/internal/integration"
	"penstock/internal/lambda"
)

// Roles knows what roles may do.
type Roles interface {
	// MayInvoke returns nil if API Gateway may assume a role and the role may call a
	// function, and otherwise why not. An error that is neither ErrCredentials nor
	// ErrNotPermitted of package integration becomes ErrCredentials.
	MayInvoke(roleARN, functionARN string) error
}

// callerIdentity is the role of an integration that passes the identity of the caller
// on.
const callerIdentity = "arn:aws:iam::*:user/*"

// A calledName is the ARN of a function, taken apart.
type calledName struct {
	region, account string // empty if it is no ARN
	name, qualifier string // the qualifier is empty if there is none
}

// parseFunction reads
//
//	[ "arn:" partition ":lambda:" region ":" account ":function:" ] name [ ":" qualifier ]
func parseFunction(s string) (f calledName, ok bool) {
	rest := s
	if strings.HasPrefix(s, "arn:") {
		var parts [6]string
		for i := range parts {
			if parts[i], rest, ok = strings.Cut(rest, ":"); !ok {
				return f, false
			}
		}
		if parts[1] == "" || parts[2] != "lambda" || parts[3] == "" || parts[4] == "" || parts[5] != "function" {
			return f, false
		}
		f.region, f.account = parts[3], parts[4]
	}
	var qualified bool
	f.name, f.qualifier, qualified = strings.Cut(rest, ":")
	return f, f.name != "" && (!qualified || f.qualifier != "" && !strings.Contains(f.qualifier, ":"))
}

// here reports whether a function that was made by the API goes by this name.
func (s *Service) here(f calledName) bool {
	return f.account == "" || f.account == s.Account && f.region == s.Region
}

// Invoke implements integration.Invoker. Functions that were made by the API answer to
// their own account and region only. Those of the configuration answer to all: that is
// how an API that was written for another place runs here.
func (s *Service) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	if len(call.Payload) > integration.MaxPayload {
		return integration.InvocationResult{}, fmt.Errorf("%w: %d bytes for %s", integration.ErrPayloadTooLarge, len(call.Payload), call.Function)
	}
	f, ok := parseFunction(call.Function)
	if !ok {
		return integration.InvocationResult{}, fmt.Errorf("%w: %q is not the ARN of a function", integration.ErrNoFunction, call.Function)
	}
	c := lambda.Call{RequestID: newUUID(), Payload: call.Payload, TraceID: call.TraceID}
	if f.account != "" {
		c.InvokedARN = call.Function
	}
	if c.TraceID == "" {
		c.TraceID = newTraceID(s.Now())
	}
	for tries := 1; ; tries++ {
		t, err := s.resolve(f.name, f.qualifier)
		if err != nil || t.declared == nil && !s.here(f) {
			return integration.InvocationResult{}, s.noFunction(call.Function, f)
		}
		if s.Enforce {
			if err := s.permit(t, &call); err != nil {
				return integration.InvocationResult{}, err
			}
		}
		if call.Async {
			return s.take(f, c)
		}
		result, err := s.run(ctx, t, c)
		switch {
		case err == nil:
			return integration.InvocationResult{
				Status:        http.StatusOK,
				Payload:       result.Payload,
				FunctionError: result.FunctionError,
				RequestID:     c.RequestID,
				ContentType:   result.ContentType,
			}, nil
		case errors.Is(err, lambda.ErrClosed) && tries < maxTries:
		case isThrottle(err):
			return integration.InvocationResult{}, throttled(t, err)
		default:
			return integration.InvocationResult{}, err
		}
	}
}

// take lets a function run with an event that nobody waits for. The event keeps nothing of
// the call, whose memory may be used again. That it is permitted is decided now: the tries
// do not ask again.
func (s *Service) take(f calledName, c lambda.Call) (integration.InvocationResult, error) {
	payload := c.Payload
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if len(payload) > maxEventPayload {
		return integration.InvocationResult{}, fmt.Errorf("%w: %d bytes; an event that nobody waits for has at most %d", integration.ErrPayloadTooLarge, len(payload), maxEventPayload)
	}
	if err := checkPayload(payload); err != nil {
		return integration.InvocationResult{}, err
	}
	err := s.events.add(&event{
		name:       strings.Clone(f.name),
		qualifier:  strings.Clone(f.qualifier),
		invokedARN: strings.Clone(c.InvokedARN),
		requestID:  c.RequestID,
		payload:    bytes.Clone(payload),
		traceID:    strings.Clone(c.TraceID),
	})
	switch {
	case errors.Is(err, errTooManyEvents):
		return integration.InvocationResult{}, fmt.Errorf("%w: %w", integration.ErrThrottled, err)
	case err != nil:
		return integration.InvocationResult{}, err
	}
	return integration.InvocationResult{Status: http.StatusAccepted, RequestID: c.RequestID}, nil
}

// maxTries is how often a function is looked up whose version was replaced or deleted
// after it was looked up.
const maxTries = 3

// invokeNamed invokes a function that the caller may invoke. The error is an *Error if
// there is none; there is then no target.
func (s *Service) invokeNamed(ctx context.Context, name, qualifier string, c lambda.Call) (t *target, result lambda.Result, err error) {
	for range maxTries {
		if t, err = s.resolve(name, qualifier); err != nil {
			return nil, result, err
		}
		if result, err = s.run(ctx, t, c); !errors.Is(err, lambda.ErrClosed) {
			break
		}
	}
	return t, result, err
}

// isThrottle reports whether a function or the host had no room for an invocation.
func isThrottle(err error) bool {
	return errors.Is(err, lambda.ErrThrottled) || errors.Is(err, lambda.ErrBusy)
}

// run invokes a version, in this process or in one of its own.
func (s *Service) run(ctx context.Context, t *target, c lambda.Call) (lambda.Result, error) {
	c.InvokedARN = cmp.Or(c.InvokedARN, t.invokedARN)
	if t.function != nil {
		return t.function.Invoke(ctx, c)
	}
	return s.process.invoke(ctx, t.name, t.declared, t.spec.Concurrency, c.Payload)
}

// permit returns nil if a function may be called on behalf of the source of a call: if
// its policy permits it, or with a role, if the role may.
func (s *Service) permit(t *target, call *integration.Invocation) error {
	switch {
	case call.CredentialsARN == callerIdentity:
		return fmt.Errorf("%w: the identity of the caller is not known: give the integration the ARN of a role instead of %s", integration.ErrCredentials, callerIdentity)
	case call.CredentialsARN != "":
		return s.permitRole(call)
	case !t.document.permissions.permits(t.qualifier, call.SourceARN, call.SourceAliases):
		return fmt.Errorf("%w: the policy of %s does not let API Gateway call it for %s; this permits it: %s",
			integration.ErrNotPermitted, call.Function, call.SourceARN, grant(t, call.SourceARN))
	}
	return nil
}

func (s *Service) permitRole(call *integration.Invocation) error {
	if s.Roles == nil {
		return fmt.Errorf("%w: no roles are known here, %s is not", integration.ErrCredentials, call.CredentialsARN)
	}
	err := s.Roles.MayInvoke(call.CredentialsARN, call.Function)
	if err == nil || errors.Is(err, integration.ErrCredentials) || errors.Is(err, integration.ErrNotPermitted) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", integration.ErrCredentials, call.CredentialsARN, err)
}

// grant returns the command that permits a source to call a function.
func grant(t *target, source string) string {
	var b strings.Builder
	b.WriteString("aws lambda add-permission --function-name " + t.name)
	if t.qualifier != "" && t.qualifier != latest {
		b.WriteString(" --qualifier " + shellQuote(t.qualifier))
	}
	b.WriteString(" --statement-id apigateway-" + newUUID()[:8])
	b.WriteString(" --action " + invokeAction + " --principal " + gatewayPrincipal + " --source-arn " + shellQuote(source))
	return b.String()
}

// shellQuote returns s as one word of a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// noFunction says that there is no such function, and how near there is one.
func (s *Service) noFunction(arn string, f calledName) error {
	t, err := s.resolve(f.name, "")
	hint := ""
	switch {
	case err != nil:
	case t.declared == nil && !s.here(f):
		hint = fmt.Sprintf("; there is one of that name in account %s and region %s: %s", s.Account, s.Region, t.arn)
	case f.qualifier != "":
		hint = fmt.Sprintf("; %s has no version or alias %s", t.arn, f.qualifier)
	}
	return fmt.Errorf("%w: %s%s", integration.ErrNoFunction, arn, hint)
}

// throttled says which limit an invocation has met.
func throttled(t *target, err error) error {
	limit := "all environments are busy, of which functionHost.environments allows no more"
	if errors.Is(err, lambda.ErrThrottled) {
		if limit = "it has as many invocations as its reserved concurrency allows"; t.declared != nil {
			limit = fmt.Sprintf("it has as many invocations as functions.%s.concurrency allows", t.name)
		}
	}
	return fmt.Errorf("%w: %s: %s", integration.ErrThrottled, t.arn, limit)
}
