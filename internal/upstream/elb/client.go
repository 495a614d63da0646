package elb

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
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// askTime is how long a question may take: two calls, and the credentials for them.
	askTime = 15 * time.Second
	// maxAnswer is how many bytes of an answer are read. What is asked for is one listener
	// and one load balancer.
	maxAnswer = 1 << 20
	// maxErrorText is how many bytes of an error are told.
	maxErrorText = 1 << 10
)

// newClient returns a client of Elastic Load Balancing. It asks once: whoever polls asks again anyway.
func newClient(c Config, t *transport) (*elasticloadbalancingv2.Client, error) {
	o := elasticloadbalancingv2.Options{
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
	}
	return elasticloadbalancingv2.New(o), nil
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

// A lender gives credentials out and marks its errors: they may look like those of the
// API when they come from where roles are assumed.
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
const actions = "elasticloadbalancing:DescribeListeners and elasticloadbalancing:DescribeLoadBalancers"

// denials are the codes that say that the credentials are known and may not, and unknowns
// those that say that they are not accepted. Source: API reference of
// Elastic Load Balancing, common errors.
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

// isRefusal reports whether an error says that the API does not want to answer now.
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
	operation := "Elastic Load Balancing"
	if o := (*smithy.OperationError)(nil); errors.As(err, &o) {
		operation = o.Operation()
	}
	about := "find the listener " + s.arn
	var api smithy.APIError
	var lent *credentialsError
	var sent *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &lent):
		return bounded("%s: there are no credentials to call %s with: %v", about, operation, lent.err)
	case errors.As(err, &sent):
		return bounded("%s: %s: %v", about, operation, sent.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return bounded("%s: %s was not answered within %s", about, operation, askTime)
	case !errors.As(err, &api):
		return bounded("%s: %v", about, err)
	}
	status := 0
	if r := (*smithyhttp.ResponseError)(nil); errors.As(err, &r) {
		status = r.HTTPStatusCode()
	}
	said := fmt.Sprintf("%s was answered %d %.128s: %.640s", operation, status, api.ErrorCode(), api.ErrorMessage())
	switch {
	case errors.Is(err, errUnusable):
		return bounded("%s: %v: %s", about, errUnusable, said)
	case denials[api.ErrorCode()]:
		return bounded("%s: the credentials may not do elasticloadbalancing:%s; allow them %s: %s", about, operation, actions, said)
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
