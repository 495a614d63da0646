// Package service calls AWS services, or what stands for them, for integrations.
//
//	client, err := service.New(service.Config{
//		HTTP: http, Keyring: keyring,
//		Endpoints: map[string]string{"sqs": "http://localhost:9324", "*": "http://localhost:4566"},
//	})
//	answer, err := client.Call(x, &request)
//
// A call is signed in the name that the integration gives, and is sent to the endpoint that
// the configuration has for the service, or else to AWS. What a service answers is the
// answer, also if it is an error, unless the service says that the call is not permitted.
package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/credential"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/sigv4"
)

// A Config says how services are called.
type Config struct {
	// HTTP sends the calls.
	HTTP *integration.Client
	// Keyring finds credentials. It outlives the Client.
	Keyring *credential.Keyring
	// Own are the credentials of calls whose integration names none, or a role for which
	// the Keyring has nothing special.
	Own credential.Spec
	// Endpoints are the URLs of services; see ParseEndpoints.
	Endpoints map[string]string
}

// A Client calls services. It implements integration.Service, and may be used by any number
// of goroutines.
type Client struct {
	http      *integration.Client
	keyring   *credential.Keyring
	own       *credential.Provider
	endpoints *Endpoints
	keys      sigv4.Keys

	mu     sync.RWMutex // guards places
	places map[placeOf]*place
}

// A place is where a service is reached.
type place struct {
	address *integration.Address // of the origin; keeps the connections there
	origin  string
	path    string // in front of that of the request
}

// placeOf is what a place depends on.
type placeOf struct{ service, region, host string }

// maxPlaces bounds the places that are kept, and with them their idle connections: the
// region of a call may come from a client.
const maxPlaces = 512

// New returns a Client. The errors of endpoints name their keys.
func New(c Config) (*Client, error) {
	endpoints, err := ParseEndpoints(c.Endpoints)
	if err != nil {
		return nil, err
	}
	if c.HTTP == nil || c.Keyring == nil {
		return nil, errors.New("a client of services needs an HTTP client and a keyring")
	}
	own, err := c.Keyring.Own(c.Own)
	if err != nil {
		return nil, err
	}
	s := &Client{http: c.HTTP, keyring: c.Keyring, own: own, endpoints: endpoints, places: map[placeOf]*place{}}
	for key := range c.Endpoints {
		// What does not parse as the address of a backend is better known now.
		service, region, _ := strings.Cut(key, "/")
		if key == anyService {
			service = "sqs"
		}
		if region == "" {
			region = "us-east-1"
		}
		origin, _, _ := endpoints.find(service, region)
		if _, err := integration.ParseAddress(origin); err != nil {
			return nil, fmt.Errorf("endpoints.%s: %w", key, err)
		}
	}
	return s, nil
}

// place returns where a service is reached.
func (c *Client) place(r *integration.ServiceRequest) (*place, error) {
	of := placeOf{r.Service, r.Region, r.Host}
	c.mu.RLock()
	p := c.places[of]
	c.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	if !validName(r.Service) {
		return nil, fmt.Errorf("%q is not the name of a service", cut(r.Service, 100))
	}
	if !validName(r.Region) {
		return nil, fmt.Errorf("%q is not the name of a region", cut(r.Region, 100))
	}
	origin, path, ok := c.endpoints.find(r.Service, r.Region)
	if !ok {
		var err error
		if origin, err = hostOf(r.Host); err != nil {
			return nil, err
		}
	}
	address, err := c.http.Address(origin)
	if err != nil {
		return nil, err
	}
	p = &place{address, strings.Clone(origin), strings.Clone(path)}
	of = placeOf{strings.Clone(of.service), strings.Clone(of.region), strings.Clone(of.host)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.places[of]; first != nil {
		return first, nil
	}
	for old := range c.places {
		if len(c.places) < maxPlaces {
			break
		}
		delete(c.places, old)
	}
	c.places[of] = p
	return p, nil
}

// What access logs show when there is no answer in time, $context.integration.error.
const textTimeout = "Endpoint request timed out"

// errGone is the cause when the client left before there was anything to sign with.
var errGone = errors.New("the client left")

// who returns what to sign a call with. The error is a gateway error.
func (c *Client) who(x *gateway.Exchange, r *integration.ServiceRequest) (aws.Credentials, error) {
	p, err := c.keyring.For(r.CredentialsARN, c.own)
	if err != nil {
		return aws.Credentials{}, integration.Refused(x, err)
	}
	if who, ok := p.Current(); ok {
		return who, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	x.Await(&gateway.Wait{Abort: cancel})
	who, err := p.Retrieve(ctx)
	x.Done()
	switch {
	case x.Gone():
		return who, gateway.ServiceUnavailable(errGone)
	case err == nil:
		return who, nil
	case ctx.Err() != nil:
		x.Integration.Error = textTimeout
		return who, gateway.IntegrationTimeout(fmt.Errorf("there were no credentials within the timeout of the integration, %v: %w", r.Timeout, err))
	}
	return who, integration.Refused(x, err)
}

// Call implements integration.Service.
func (c *Client) Call(x *gateway.Exchange, r *integration.ServiceRequest) (integration.Incoming, error) {
	deadline := time.Now().Add(r.Timeout)
	if !strings.HasPrefix(r.Target, "/") {
		return integration.Incoming{}, gateway.InternalError(fmt.Errorf("call %s: the path %q does not begin with a slash", cut(r.Service, 100), cut(r.Target, 100)))
	}
	p, err := c.place(r)
	if err != nil {
		return integration.Incoming{}, gateway.InternalError(fmt.Errorf("call %s: %w", cut(r.Service, 100), err))
	}
	x.Integration.Target = p.origin
	who, err := c.who(x, r)
	if err != nil {
		return integration.Incoming{}, err
	}
	x.Integration.Call = describe(r, who.AccessKeyID)

	o := integration.Outgoing{Method: r.Method, Body: r.Body}
	if err := p.address.Fill(&o, nil, nil); err != nil {
		return integration.Incoming{}, err
	}
	o.Target = p.target(r.Target)
	signer := sigv4.Signer{
		Credential: sigv4.Credential{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken},
		Region:     r.Region, Service: r.Service, Keys: &c.keys,
		EncodeOnce: r.Service == "s3" || r.Service == "s3express" || strings.HasPrefix(r.Service, "s3-"),
	}
	var room [12]gateway.Field
	o.Header, err = sigv4.SignFields(&signer, room[:0], &sigv4.Outgoing{Method: r.Method, Host: o.Authority, Target: o.Target, Body: r.Body}, r.Header)
	if err != nil {
		return integration.Incoming{}, gateway.InternalError(fmt.Errorf("sign the call of %s: %w", r.Service, err))
	}
	// Send takes no time for a call whose time is over.
	o.Timeout = max(time.Until(deadline), time.Nanosecond)
	in, err := c.http.Send(x, &o)
	if err != nil {
		return in, err
	}
	return in, c.judge(x, r, &in, &who)
}

// target returns the target of a request below the path of an endpoint. A "+" in the query
// is a space to those who sign, and may be none to those who answer: it is escaped.
func (p *place) target(t string) string {
	if i := strings.IndexByte(t, '?'); i >= 0 && strings.IndexByte(t[i:], '+') >= 0 {
		t = t[:i] + strings.ReplaceAll(t[i:], "+", "%20")
	}
	if p.path != "" {
		t = p.path + t
	}
	return t
}
