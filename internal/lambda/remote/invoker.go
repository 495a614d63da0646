// Package remote calls Lambda functions that AWS runs, or whatever else serves the Invoke
// operation of the Lambda API.
//
//	invoker, err := remote.New(remote.Config{Credentials: remote.Credentials{Profile: "pets"}})
//
// A function is called with the credentials of the configuration, or with those of the
// role that the integration names. Whether it may be called is for the callee to say.
//
// Nothing is sent twice: a function that was called may have run, whatever came back.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"penstock/internal/integration"
)

// A Config says where functions are called, and on whose behalf.
type Config struct {
	// Endpoint is the URL of the Lambda API. Default: that of AWS in the region.
	Endpoint string
	// Region is what requests are signed for. Default: the region in the ARN of the
	// function.
	Region string
	// Credentials are what functions are called with if an integration names no role.
	Credentials Credentials
	// Roles returns the credentials for the ARN of a role, and false if there are none
	// for it. A role with empty credentials is called with those above. Default: none
	// for any.
	Roles func(arn string) (Credentials, bool)
	// DialContext connects to the endpoint. Default: net.Dialer, with 5 s to connect.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxConns is how many connections there may be to one host; further calls wait for
	// one. Default: 1000, which is how many invocations an account has at one time.
	MaxConns int
}

// errClosed is the error of calls after Close.
var errClosed = errors.New("the invoker of remote functions is closed")

// An Invoker calls functions through the Lambda API. It implements integration.Invoker.
type Invoker struct {
	client    *lambda.Client
	transport *http.Transport
	region    string
	roles     func(arn string) (Credentials, bool)
	own       aws.CredentialsProvider
	profiles  profiles
	closed    atomic.Bool
}

// New returns an Invoker. It reads the files of the AWS CLI and the environment if the
// credentials are to be found there, and connects to nothing.
func New(c Config) (*Invoker, error) {
	options := lambda.Options{
		AppID:   "penstock",
		Retryer: aws.NopRetryer{},
		// The time of this machine is right or the callee refuses it; nothing is
		// learned from one call for the next.
		DisableClockSkewCorrection: true,
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("the endpoint is not an http or https URL without user and query")
		}
		options.BaseEndpoint = &c.Endpoint
	}
	if c.Region != "" && !validRegion(c.Region) {
		return nil, fmt.Errorf("%q is not the name of a region", c.Region)
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	if c.Roles == nil {
		c.Roles = func(string) (Credentials, bool) { return Credentials{}, false }
	}
	if c.MaxConns <= 0 {
		c.MaxConns = 1000
	}
	i := &Invoker{region: c.Region, roles: c.Roles}
	var err error
	if i.own, err = i.provider(c.Credentials); err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	i.transport = &http.Transport{
		DialContext:         c.DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxConnsPerHost:     c.MaxConns,
		MaxIdleConns:        c.MaxConns,
		MaxIdleConnsPerHost: c.MaxConns,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
		Protocols:           protocols,
		// A header is a request ID and the error of the function.
		MaxResponseHeaderBytes: 64 << 10,
	}
	i.client = lambda.New(options)
	return i, nil
}

// Close refuses further calls. Those under way go on until their contexts end; their
// connections are closed after them, all others at once.
func (i *Invoker) Close() {
	i.closed.Store(true)
	i.transport.CloseIdleConnections()
}

// Invoke implements integration.Invoker. Payloads that are longer than the service takes
// are not sent. The SourceARN is not sent either: who calls is who signs.
func (i *Invoker) Invoke(ctx context.Context, in integration.Invocation) (integration.InvocationResult, error) {
	switch {
	case i.closed.Load():
		return integration.InvocationResult{}, errClosed
	case len(in.Payload) > integration.MaxPayload:
		return integration.InvocationResult{}, integration.ErrPayloadTooLarge
	}
	region, ok := regionOf(in.Function)
	if !ok {
		return integration.InvocationResult{}, fmt.Errorf("%w: %q is not the ARN of a function", integration.ErrNoFunction, in.Function)
	}
	if i.region != "" {
		region = i.region
	}
	provider, err := i.caller(in.CredentialsARN)
	if err != nil {
		return integration.InvocationResult{}, err
	}
	sent := &exchange{transport: i.transport, payload: in.Payload, traceID: in.TraceID}
	defer sent.end()
	out, err := i.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &in.Function, Payload: in.Payload}, func(o *lambda.Options) {
		o.Region, o.Credentials, o.HTTPClient = region, provider, sent
	})
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return integration.InvocationResult{}, ended
		}
		return integration.InvocationResult{}, translate(in.Function, err)
	}
	result := integration.InvocationResult{
		Payload:       out.Payload,
		FunctionError: aws.ToString(out.FunctionError),
		ContentType:   sent.contentType,
	}
	result.RequestID, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return result, nil
}

// regionOf returns the region in the ARN of a function,
// arn:{partition}:lambda:{region}:{account}:function:{name}, and false if it is none.
func regionOf(arn string) (string, bool) {
	var parts [8]string // one for what stands after the name
	n := 0
	for rest, more := arn, true; more && n < len(parts); n++ {
		parts[n], rest, more = strings.Cut(rest, ":")
		if n == len(parts)-1 && more {
			return "", false
		}
	}
	ok := n >= 7 && parts[0] == "arn" && parts[1] != "" && parts[2] == "lambda" && validRegion(parts[3]) &&
		parts[4] != "" && parts[5] == "function" && parts[6] != "" && (n == 7 || parts[7] != "")
	return parts[3], ok
}

// validRegion reports whether s has the form of the name of a region. It becomes part of
// a host name.
func validRegion(s string) bool {
	return s != "" && len(s) <= 32 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}
