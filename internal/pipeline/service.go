package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/internal/integration"
)

// A serviceURI is an ARN of apigateway, taken apart.
type serviceURI struct {
	partition, region, subdomain, service, rest string
}

// parseServiceURI reads
//
//	"arn:" partition ":apigateway:" region ":" [ subdomain "." ] service ":" rest
func parseServiceURI(uri string) (s serviceURI, err error) {
	parts := strings.SplitN(uri, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "apigateway" {
		return s, fmt.Errorf("integration URI %.300q is not an ARN of apigateway", uri)
	}
	s.partition, s.region, s.service, s.rest = parts[1], parts[3], parts[4], parts[5]
	for _, name := range [...]string{s.partition, s.region, s.service} {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
		}) {
			return s, fmt.Errorf("integration URI %.300q: bad part %.100q", uri, name)
		}
	}
	if i := strings.LastIndexByte(s.service, '.'); i >= 0 {
		s.subdomain, s.service = s.service[:i+1], s.service[i+1:]
	}
	return s, nil
}

// An awsBackend is an AWS service.
type awsBackend struct {
	service integration.Service
	spec    integration.ServiceRequest // without what differs from call to call
	address *integration.Address
}

// newAWS returns the backend of an integration of type AWS: a function, or another service.
//
//	rest = "path/" path | "action/" action [ "&" query ]
func newAWS(spec *Spec) (backend, error) {
	if arn, ok := functionARN(spec.URI); ok {
		f, err := newFunction(spec, arn)
		return customFunction{f}, err
	}
	uri, err := parseServiceURI(spec.URI)
	if err != nil {
		return nil, err
	}
	a := &awsBackend{service: spec.Service, spec: integration.ServiceRequest{
		Region: uri.region, Service: uri.service, Method: spec.Method, CredentialsARN: spec.CredentialsARN,
		Host: uri.subdomain + uri.service + "." + uri.region + ".amazonaws.com",
	}}
	if uri.partition == "aws-cn" {
		a.spec.Host += ".cn"
	}
	a.spec.SourceARN = "arn:" + uri.partition + ":execute-api:" + spec.Region + ":" + spec.Account + ":" + spec.API + "/" + spec.Stage + "/" + spec.RouteKey
	var target string
	if path, ok := strings.CutPrefix(uri.rest, "path/"); ok {
		target = "/" + strings.TrimPrefix(path, "/")
	} else if action, ok := strings.CutPrefix(uri.rest, "action/"); ok {
		a.spec.Method = "POST"
		if a.spec.Action, _, _ = strings.Cut(action, "&"); a.spec.Action == "" {
			return nil, fmt.Errorf("integration URI %.300q names no action", spec.URI)
		}
		target = "/?Action=" + action
	} else {
		return nil, fmt.Errorf("integration URI %.300q has neither a path nor an action", spec.URI)
	}
	a.address, err = integration.ParseAddress("https://" + a.spec.Host + target)
	return a, err
}

var errNoService = errors.New("AWS service integrations are not available in this version")

func (a *awsBackend) call(c *call) error {
	if a.service == nil {
		return ErrConfiguration.With(errNoService)
	}
	c.setDefault(fieldType, typeJSON)
	c.setDefault(fieldAccept, typeJSON)
	if err := c.fill(a.address); err != nil {
		return err
	}
	r := a.spec
	var err error
	if r.CredentialsARN, err = integration.Credentials(c.e.Exchange, r.CredentialsARN); err != nil {
		return failed(err, ErrInternal)
	}
	r.Target, r.Header, r.Body, r.Timeout = c.outgoing.Target, c.header, c.body, time.Until(c.deadline)
	c.logRequest(a.address, false)
	if r.Timeout <= 0 {
		return ErrTimeout.With(errLate)
	}
	start := time.Now()
	in, err := a.service.Call(c.e.Exchange, &r)
	c.e.Exchange.IntegrationLatency = time.Since(start)
	if err != nil {
		return failed(err, ErrInternal)
	}
	c.answer.status, c.answer.header, c.answer.body = in.Status, in.Header, in.Body
	c.logAnswer()
	return nil
}
