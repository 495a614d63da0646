package subtype

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
)

// A Spec is what an integration is compiled from.
type Spec struct {
	// Subtype is what is called, such as SQS-SendMessage.
	Subtype string
	// Parameters are names and the expressions of their values; Scope is what those can
	// refer to.
	Parameters map[string]string
	Scope      mapping.Scope
	// CredentialsARN names the role to call as, or is integration.CallerCredentials.
	CredentialsARN string
	// Timeout is how long the service may take for its complete answer.
	Timeout time.Duration
	// Region, Account, API, Stage and RouteKey say on whose behalf the service is called.
	// It is called in Region unless a parameter names another one.
	Region, Account, API, Stage, RouteKey string
	// Service makes the calls.
	Service integration.Service
	// Response is the response mapping, nil without.
	Response *mapping.Response
	// SQSResponse says how queues answer the client: "xml", or "" for that, is the query
	// protocol, "json" what they say themselves.
	SQSResponse string
}

// An Integration is a compiled AWS_PROXY integration with a subtype. It never changes.
type Integration struct {
	action   *action
	call     *call
	where    *gap   // the region, if requests decide on it
	region   string // if they do not
	host     string // in that region
	header   []gateway.Field
	source   string
	xml      bool
	readBody bool

	credentials string
	timeout     time.Duration
	service     integration.Service
	response    *mapping.Response
}

// Errors of specs.
var (
	errNoService     = errors.New("there is nothing that calls services")
	errNoTimeout     = errors.New("there is no timeout")
	errNoCredentials = errors.New("there are no credentials to call the service with: credentialsArn is empty")
)

// New compiles an integration. The error says what in the spec cannot work.
func New(spec Spec) (*Integration, error) {
	a := actions[spec.Subtype]
	switch {
	case a == nil:
		return nil, fmt.Errorf("there is no integration subtype %q", spec.Subtype)
	case spec.Service == nil:
		return nil, errNoService
	case spec.CredentialsARN == "":
		return nil, errNoCredentials
	case spec.Timeout <= 0:
		return nil, errNoTimeout
	case spec.SQSResponse != "" && spec.SQSResponse != "xml" && spec.SQSResponse != "json":
		return nil, fmt.Errorf("the response protocol of queues is %q, want xml or json", spec.SQSResponse)
	}
	i := &Integration{
		action: a, region: spec.Region, xml: a.xml != nil && spec.SQSResponse != "json", source: source(&spec),
		credentials: spec.CredentialsARN, timeout: spec.Timeout, service: spec.Service, response: spec.Response,
	}
	var err error
	var known string
	if i.call, i.where, known, err = newCall(a, spec.Parameters, spec.Scope); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Subtype, err)
	}
	if known != "" {
		i.region = known
	}
	if !isRegion(i.region) {
		return nil, fmt.Errorf("%s: the region %q: %w", spec.Subtype, i.region, errRegion)
	}
	i.host = a.hostIn(i.region)
	i.readBody = i.call.readsBody
	if a.target != "" {
		i.header = []gateway.Field{{Name: "Content-Type", Value: a.contentType}, {Name: "X-Amz-Target", Value: a.target}}
	}
	if i.xml {
		// Asks for the names that errors have in the query protocol.
		i.header = append(i.header, gateway.Field{Name: "x-amzn-query-mode", Value: "true"})
	}
	i.header = i.header[:len(i.header):len(i.header)] // who adds to it gets a copy
	return i, nil
}

// source returns the ARN of the route that the integration is called for. All methods are an
// asterisk there.
func source(spec *Spec) string {
	method, path, ok := strings.Cut(spec.RouteKey, " ")
	switch {
	case !ok:
		method = spec.RouteKey
	case method == "ANY":
		method = "*"
	}
	return integration.APIARN(spec.Region, spec.Account, spec.API, "/", spec.Stage, "/", method, path)
}

// hostIn returns the host of the service in a region.
func (a *action) hostIn(region string) string {
	domain := ".amazonaws.com"
	if integration.Partition(region) == "aws-cn" {
		domain = ".amazonaws.com.cn"
	}
	return a.host + "." + region + domain
}

// ReadsBody reports whether a value depends on the body of the request, which must then be
// in memory as far as mappings can see it.
func (i *Integration) ReadsBody() bool { return i.readBody }

// Invoke implements gateway.Integration.
func (i *Integration) Invoke(x *gateway.Exchange) error {
	r, err := i.request(x)
	if err != nil {
		return err
	}
	if r.CredentialsARN, err = integration.Credentials(x, i.credentials); err != nil {
		return err
	}
	start := time.Now()
	in, err := i.service.Call(x, r)
	if err != nil {
		return err
	}
	x.Integration.Status, x.Integration.ServiceStatus = in.Status, in.Status
	if err := i.answer(x, &in); err != nil {
		return err
	}
	if i.response == nil {
		return nil
	}
	// A mapping may ask for it before the gateway knows.
	x.IntegrationLatency = time.Since(start)
	return i.response.Apply(x)
}

// request returns what the service is asked. The error is a gateway error.
func (i *Integration) request(x *gateway.Exchange) (*integration.ServiceRequest, error) {
	a := i.action
	r := &integration.ServiceRequest{
		Region: i.region, Service: a.service, Action: a.name, Method: a.method, Host: i.host, Target: "/",
		Header: i.header, SourceARN: i.source, Timeout: i.timeout,
	}
	var v values
	if err := v.start(x, i.call); err != nil {
		return nil, err
	}
	if i.where != nil {
		region, err := v.of(x, i.where)
		if err != nil {
			return nil, err
		}
		if string(region) != i.region {
			r.Region = string(region)
			r.Host = a.hostIn(r.Region)
		}
	}
	b, err := i.call.fill(x, &v)
	if err != nil {
		return nil, err
	}
	if cap(v.scratch) <= inBuffers {
		x.Buffers.Request = v.scratch
	}
	if a.target == "" {
		r.Target = string(b)
	} else {
		r.Body = b
	}
	return r, nil
}
