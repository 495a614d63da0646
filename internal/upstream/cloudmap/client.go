package cloudmap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// callTime is how long a call may take, from the credentials to the end of the answer.
	callTime = 10 * time.Second
	// maxAnswer is how many bytes of an answer are read. A thousand instances with as many
	// attributes as they may have, each as long as it may be, are some 40 MB.
	maxAnswer = 64 << 20
	// maxErrorText is how many bytes of an error are told.
	maxErrorText = 1 << 10
)

// newClient returns a client of Cloud Map. It asks once: whoever polls asks again anyway.
func newClient(c Config, t *transport) (*servicediscovery.Client, error) {
	o := servicediscovery.Options{
		Region:      c.Region,
		Credentials: lender{c.Credentials},
		Retryer:     aws.NopRetryer{},
		HTTPClient: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("the endpoint is not an http or https URL without user and query")
		}
		o.BaseEndpoint = &c.Endpoint
		// DiscoverInstances has a host of its own at AWS, and nowhere else.
		o.APIOptions = append(o.APIOptions, withoutHostPrefix)
	}
	return servicediscovery.New(o), nil
}

// withoutHostPrefix has all operations go to the host of the endpoint.
func withoutHostPrefix(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("WithoutHostPrefix",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}

// A transport carries the calls of one source.
type transport struct{ http.Transport }

func newTransport() *transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &transport{http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        2 * time.Minute,
		DisableCompression:     true,
		Protocols:              protocols,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// RoundTrip implements http.RoundTripper. An answer that is too long is cut, which leaves
// something that cannot be read.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		// The SDK closes its body when there is an answer, while net/http may still look
		// whether more of the body comes. After that, WriteTo of the body fails, which
		// breaks the connection and the answer off; Read does not.
		r = r.WithContext(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	resp, err := t.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// A lender gives credentials out and marks its errors: they may look like those of Cloud
// Map when they come from where roles are assumed.
type lender struct{ of aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (l lender) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := l.of.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &credentialsError{err}
	}
	return c, nil
}

// A credentialsError says that there were no credentials to call with.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// actions are what credentials must be allowed to do.
const actions = "servicediscovery:GetService, servicediscovery:GetNamespace and servicediscovery:DiscoverInstances"

// denials are the codes that say that the credentials are known and may not, and unknowns
// those that say that they are not accepted. Source: API reference of Cloud Map, common
// errors.
var (
	denials = map[string]bool{
		"AccessDenied": true, "AccessDeniedException": true, "NotAuthorized": true, "OptInRequired": true,
		"UnauthorizedOperation": true,
	}
	unknowns = map[string]bool{
		"ExpiredToken": true, "ExpiredTokenException": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
		"InvalidClientTokenId": true, "InvalidSignatureException": true, "MissingAuthenticationToken": true,
		"MissingAuthenticationTokenException": true, "RequestExpired": true, "SignatureDoesNotMatch": true,
		"UnrecognizedClientException": true,
	}
)

// isRefusal reports whether an error says that Cloud Map does not want to answer now.
func isRefusal(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && (denials[api.ErrorCode()] || unknowns[api.ErrorCode()]) {
		return true
	}
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// explain returns what an error means to who runs the gateway, without what it says of the
// SDK.
func (s *Source) explain(err error) error {
	operation := "Cloud Map"
	if o := (*smithy.OperationError)(nil); errors.As(err, &o) {
		operation = o.Operation()
	}
	about := "find the instances of " + s.arn
	var api smithy.APIError
	var lent *credentialsError
	var sent *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &lent):
		return bounded("%s: there are no credentials to call %s with: %v", about, operation, lent.err)
	case errors.As(err, &sent):
		return bounded("%s: %s: %v", about, operation, sent.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return bounded("%s: %s was not answered within %s", about, operation, callTime)
	case !errors.As(err, &api):
		return bounded("%s: %v", about, err)
	}
	status := 0
	if r := (*smithyhttp.ResponseError)(nil); errors.As(err, &r) {
		status = r.HTTPStatusCode()
	}
	said := fmt.Sprintf("%s was answered %d %.128s: %.640s", operation, status, api.ErrorCode(), api.ErrorMessage())
	switch {
	case errors.Is(err, errDeleted):
		return bounded("%s: %v: %s", about, errDeleted, said)
	case denials[api.ErrorCode()]:
		return bounded("%s: the credentials may not do servicediscovery:%s; allow them %s: %s", about, operation, actions, said)
	case unknowns[api.ErrorCode()]:
		return bounded("%s: the credentials are not accepted in %s, or the clock is wrong: %s", about, s.region, said)
	}
	return bounded("%s: %s", about, said)
}

// bounded returns an error with a text that is not too long.
func bounded(format string, a ...any) error {
	text := fmt.Sprintf(format, a...)
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	return errors.New(strings.ToValidUTF8(text, string(utf8.RuneError)))
}
