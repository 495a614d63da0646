// Package remote calls Lambda functions that AWS runs, or whatever else serves the Invoke
// operation of the Lambda API.
//
//	invoker, err := remote.New(remote.Config{Keyring: keyring, Credentials: credential.Spec{Profile: "pets"}})
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

	"penstock/internal/credential"
	"penstock/internal/integration"
	"penstock/internal/sigv4"
)

// A Config says where functions are called, and on whose behalf.
type Config struct {
	// Endpoint is the URL of the Lambda API. Default: that of AWS in the region.
	Endpoint string
	// Region is what requests are signed for. Default: the region in the ARN of the
	// function.
	Region string
	// Keyring finds credentials. It is required, and outlives the Invoker.
	Keyring *credential.Keyring
	// Credentials are what functions are called with if an integration names no role, or
	// one for which the Keyring has nothing special.
	Credentials credential.Spec
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
	transport *http.Transport
	endpoint  *url.URL // nil for that of AWS in the region
	region    string
	keyring   *credential.Keyring
	own       *credential.Provider
	keys      sigv4.Keys
	closed    atomic.Bool
}

// New returns an Invoker. It reads the files of the AWS CLI and the environment if the
// credentials are to be found there, and connects to nothing.
func New(c Config) (*Invoker, error) {
	var endpoint *url.URL
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("the endpoint is not an http or https URL without user and query")
		}
		endpoint = u
	}
	if c.Region != "" && !validRegion(c.Region) {
		return nil, fmt.Errorf("%q is not the name of a region", c.Region)
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	if c.Keyring == nil {
		return nil, errors.New("there is no keyring")
	}
	if c.MaxConns <= 0 {
		c.MaxConns = 1000
	}
	i := &Invoker{endpoint: endpoint, region: c.Region, keyring: c.Keyring}
	var err error
	if i.own, err = c.Keyring.Own(c.Credentials); err != nil {
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
	provider, err := i.keyring.For(in.CredentialsARN, i.own)
	if err != nil {
		return integration.InvocationResult{}, err
	}
	result, err := i.call(ctx, region, provider, &in)
	if i.closed.Load() {
		// Close came in between, and may have seen nothing of the connection.
		i.transport.CloseIdleConnections()
	}
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return integration.InvocationResult{}, ended
		}
		return integration.InvocationResult{}, fmt.Errorf("invoke %s: %w", in.Function, err)
	}
	return result, nil
}

// call signs a call, sends it and reads the answer.
func (i *Invoker) call(ctx context.Context, region string, provider aws.CredentialsProvider, in *integration.Invocation) (integration.InvocationResult, error) {
	who, err := provider.Retrieve(ctx)
	if err != nil {
		return integration.InvocationResult{}, err
	}
	x := &exchange{payload: in.Payload}
	defer x.end()
	r := i.request(region, in.Function, len(in.Payload))
	if len(in.Payload) > 0 {
		r.GetBody = x.body()
		r.Body, _ = r.GetBody()
	}
	if in.TraceID != "" {
		// This field is not part of the signature.
		r.Header["X-Amzn-Trace-Id"] = []string{in.TraceID}
	}
	if in.Async {
		r.Header["X-Amz-Invocation-Type"] = []string{"Event"}
	}
	signer := sigv4.Signer{
		Credential: sigv4.Credential{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken},
		Region:     region,
		Service:    "lambda",
		Keys:       &i.keys,
	}
	if err := signer.Sign(r, in.Payload); err != nil {
		return integration.InvocationResult{}, err
	}
	// It follows no redirects.
	resp, err := i.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return integration.InvocationResult{}, err
	}
	defer resp.Body.Close()
	return answer(resp)
}

// request returns the request of a call with a payload of n bytes, not yet signed and
// without the payload.
func (i *Invoker) request(region, function string, n int) *http.Request {
	u := &url.URL{Scheme: "https"}
	if i.endpoint != nil {
		u.Scheme, u.Host = i.endpoint.Scheme, i.endpoint.Host
		u.Path, u.RawPath = strings.TrimSuffix(i.endpoint.Path, "/"), strings.TrimSuffix(i.endpoint.EscapedPath(), "/")
	} else {
		u.Host = "lambda." + region + "." + domainOf(region)
	}
	const functions, invocations = "/2015-03-31/functions/", "/invocations"
	u.Path += functions + function + invocations
	u.RawPath += functions + escape(function) + invocations
	return &http.Request{
		Method:        http.MethodPost,
		URL:           u,
		Header:        http.Header{"Content-Type": {"application/json"}, "User-Agent": {"penstock"}},
		ContentLength: int64(n),
	}
}

// escape escapes all of s that may mean something in a path.
func escape(s string) string {
	// A space is the one character that queries have otherwise.
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// domains are the domains of AWS for regions that are not under amazonaws.com, by the
// beginnings of their names. Source: the partitions that the AWS SDKs know.
var domains = [...]struct{ region, domain string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// domainOf returns the domain of AWS that a region is under.
func domainOf(region string) string {
	for _, d := range domains {
		if strings.HasPrefix(region, d.region) {
			return d.domain
		}
	}
	return "amazonaws.com"
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
