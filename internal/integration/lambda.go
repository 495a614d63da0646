package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/mapping"
	"penstock/internal/provenance"
)

// Lambda is a compiled AWS_PROXY integration with a Lambda function: the request becomes
// an event, and what the function returns a response.
type Lambda struct {
	spec    LambdaSpec
	sources lambdaSources
}

// LambdaSpec is what a Lambda integration is compiled from.
type LambdaSpec struct {
	// Invoker calls the function.
	Invoker Invoker
	// Function is the ARN of the function, with its qualifier if it has one.
	Function string
	// CredentialsARN names the role to call the function with, or is CallerCredentials;
	// empty: the permissions of the function decide.
	CredentialsARN string
	// Version is the payload format, "1.0" or "2.0".
	Version string
	// Timeout is how long the function may take.
	Timeout time.Duration
	// Region, Account, API, Stage and RouteKey say on whose behalf the function is called.
	Region, Account, API, Stage, RouteKey string
	// Request and Response are the parameter mappings, nil without. The body of the
	// request must be in memory as far as Request looks into it.
	Request  *mapping.Request
	Response *mapping.Response
}

var errNoInvoker = errors.New("there is no function host")

// NewLambda compiles a Lambda integration. The error says what in the spec cannot work.
func NewLambda(spec LambdaSpec) (*Lambda, error) {
	switch {
	case spec.Invoker == nil:
		return nil, errNoInvoker
	case spec.Function == "":
		return nil, errors.New("there is no function to call")
	case spec.Version != "1.0" && spec.Version != "2.0":
		return nil, fmt.Errorf("the payload format version is %q, want 1.0 or 2.0", spec.Version)
	}
	return &Lambda{spec, newLambdaSources(&spec)}, nil
}

// A lambdaSource is a source ARN with the other spellings of it.
type lambdaSource struct {
	method, arn string
	aliases     []string
}

// lambdaSources are the source ARNs of a route by method. The last one stands for methods
// that are not in the list.
type lambdaSources []lambdaSource

// sourceMethods are the methods of requests that ANY stands for.
var sourceMethods = [...]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// newLambdaSources makes the source ARNs of a route: its path is as the route key has it,
// with the names of variables. A route of all methods has the method of the request, ANY
// and an asterisk in the place of the method, since permissions are written in each way.
func newLambdaSources(spec *LambdaSpec) lambdaSources {
	prefix := APIARN(spec.Region, spec.Account, spec.API, "/", spec.Stage, "/")
	method, path, ok := strings.Cut(spec.RouteKey, " ")
	if !ok {
		return lambdaSources{{arn: prefix + spec.RouteKey}}
	}
	if method != "ANY" {
		return lambdaSources{{arn: prefix + method + path}}
	}
	written := []string{prefix + "ANY" + path, prefix + "*" + path}
	var s lambdaSources
	for _, m := range sourceMethods {
		s = append(s, lambdaSource{m, prefix + m + path, written})
	}
	return append(s, lambdaSource{arn: written[0], aliases: written[1:]})
}

// of returns the source of requests with a method.
func (s lambdaSources) of(method string) *lambdaSource {
	last := len(s) - 1
	for i := range s[:last] {
		if s[i].method == method {
			return &s[i]
		}
	}
	return &s[last]
}

// Partition returns the partition that a region is in.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// APIARN returns the ARN of an API, continued.
func APIARN(region, account, api string, more ...string) string {
	b := make([]byte, 0, 256)
	for _, part := range [...]string{"arn:", Partition(region), ":execute-api:", region, ":", account, ":", api} {
		b = append(b, part...)
	}
	for _, part := range more {
		b = append(b, part...)
	}
	return string(b)
}

// Invoke implements gateway.Integration.
func (l *Lambda) Invoke(x *gateway.Exchange) error {
	if err := l.spec.Request.Apply(x); err != nil {
		return err
	}
	payload, err := l.event(x)
	if err != nil {
		return err
	}
	credentials, err := Credentials(x, l.spec.CredentialsARN)
	if err != nil {
		return err
	}
	source := l.sources.of(x.Request.Method)
	start := time.Now()
	result, err := CallFunction(x, l.spec.Invoker, l.spec.Timeout, Invocation{
		Function:       l.spec.Function,
		Payload:        payload,
		SourceARN:      source.arn,
		SourceAliases:  source.aliases,
		CredentialsARN: credentials,
		TraceID:        traceID(x),
	})
	if err != nil {
		return err
	}
	x.Integration.RequestID = result.RequestID
	if err := l.answer(x, &result); err != nil {
		return err
	}
	if l.spec.Response == nil {
		return nil
	}
	// A mapping may ask for it before the gateway knows.
	x.IntegrationLatency = time.Since(start)
	return l.spec.Response.Apply(x)
}

// CallFunction calls a function for an exchange. It gives up after the timeout, and when the
// client leaves. The error is a gateway error: IntegrationTimeout if the function took too
// long. What access logs show of the error is in x.Integration, and so is the status of the
// service then.
//
// That is what the exchange waits for: a context of the exchange, with one of the deadline
// below it, would be twice as much to make.
func CallFunction(x *gateway.Exchange, invoker Invoker, timeout time.Duration, call Invocation) (InvocationResult, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	x.Await(&gateway.Wait{Abort: cancel})
	result, err := invoker.Invoke(ctx, call)
	x.Done()
	if err != nil {
		err = callFailed(x, ctx, timeout, err)
	}
	return result, err
}

// longBody is the length of bodies whose events have room of their own. An event of a
// shorter one takes what an exchange may keep, and rarely more.
const longBody = 16 << 10

// eventRoom is room for all of an event but the body.
const eventRoom = 16 << 10

// event returns the event of an exchange. One that would be longer than MaxPayload is
// answered with 413, if possible before the body has come.
func (l *Lambda) event(x *gateway.Exchange) ([]byte, error) {
	body, err := x.WholeBody(event.BodyLimit(x, MaxPayload))
	if err != nil {
		return nil, err
	}
	b := x.Buffers.Request[:0]
	if len(body) > longBody {
		size := int64(event.BodySize(x, body))
		if size > MaxPayload {
			return nil, gateway.TooLarge(ErrPayloadTooLarge)
		}
		room, err := eventBuffer(x, size+eventRoom)
		if err != nil {
			return nil, err
		}
		b = room[:0]
	}
	if l.spec.Version == "2.0" {
		b = event.AppendProxy20(b, x, body)
	} else {
		b = event.AppendProxy10(b, x, body)
	}
	if len(b) > MaxPayload {
		return nil, gateway.TooLarge(ErrPayloadTooLarge)
	}
	if len(body) <= longBody {
		x.Buffers.Request = b
	}
	return b, nil
}

// eventBuffer returns room for n bytes that lasts until the exchange ends.
func eventBuffer(x *gateway.Exchange, n int64) ([]byte, error) {
	if n <= inMemoryResponse {
		return x.Block(), nil
	}
	return x.Reserve(n)
}

// traceID returns the value of X-Amzn-Trace-Id, the same as in the event. It is a copy:
// an Invoker may still have it when the exchange has ended.
func traceID(x *gateway.Exchange) string {
	if known := provenance.KnownTrace(x); known != "" {
		return strings.Clone(known)
	}
	var room [64]byte
	return string(provenance.AppendNewTrace(room[:0], x))
}
