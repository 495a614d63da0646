package pipeline

import (
	"errors"
	"fmt"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// A Spec is what an integration of a route is compiled from, in the words of the API that
// it is configured with.
type Spec struct {
	// Type is AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK.
	Type string
	// URI is where it leads: an http or https URL, or an ARN of apigateway, or of a function.
	// In it and in CredentialsARN, ${stageVariables.name} stands for one of Variables.
	URI            string
	Method         string // that of calls; ANY and "" are POST
	CredentialsARN string
	// Timeout is how long the whole of it may take; 29 s if zero.
	Timeout time.Duration

	RequestParameters           map[string]string
	RequestTemplates            map[string]string
	TemplateSelectionExpression string
	PassthroughBehavior         string // WHEN_NO_MATCH, also if "", WHEN_NO_TEMPLATES or NEVER
	ContentHandling             string // CONVERT_TO_BINARY, CONVERT_TO_TEXT or ""
	// Responses count for AWS, HTTP and MOCK, which need one at least.
	Responses []ResponseSpec

	Variables map[string]string // of the stage
	// Region, Account, API, Stage and RouteKey say on whose behalf backends are called.
	Region, Account, API, Stage, RouteKey string
	// UserAgent is the one of HTTP calls; AmazonAPIGateway_{API} if "".
	UserAgent string

	Client  *integration.Client
	Invoker integration.Invoker
	Service integration.Service // nil if there is none
}

// A ResponseSpec is one response of an integration.
type ResponseSpec struct {
	Key                         string // $default, a text, or a regular expression between slashes
	ContentHandling             string
	Parameters                  map[string]string
	Templates                   map[string]string
	TemplateSelectionExpression string
}

// defaultTimeout is that of integrations that say none, in the API of the service.
const defaultTimeout = 29 * time.Second

// What ContentHandling and PassthroughBehavior say.
const (
	toBinary        = "CONVERT_TO_BINARY"
	toText          = "CONVERT_TO_TEXT"
	whenNoTemplates = "WHEN_NO_TEMPLATES"
	never           = "NEVER"
)

// New compiles an integration. What cannot work for some events, such as a template that is
// none, fails for these. The error says what makes each call fail: see Failing.
func New(spec Spec) (Integration, error) {
	if spec.Timeout <= 0 {
		spec.Timeout = defaultTimeout
	}
	var err error
	if spec.URI, err = integration.ExpandStageVariables(spec.URI, spec.Variables); err != nil {
		return nil, fmt.Errorf("integration URI: %w", err)
	}
	if spec.CredentialsARN, err = integration.ExpandStageVariables(spec.CredentialsARN, spec.Variables); err != nil {
		return nil, fmt.Errorf("credentials ARN: %w", err)
	}
	if spec.Method == "" || spec.Method == "ANY" {
		spec.Method = "POST"
	}
	if !gateway.KnownMethod(spec.Method) {
		return nil, fmt.Errorf("integration method %q is not a method that can be sent", spec.Method)
	}
	if spec.UserAgent == "" {
		spec.UserAgent = "AmazonAPIGateway_" + spec.API
	}
	var b backend
	switch spec.Type {
	case "MOCK":
		b = mock{}
	case "HTTP", "HTTP_PROXY":
		b, err = newHTTP(&spec)
	case "AWS_PROXY":
		return newFunctionProxy(&spec)
	case "AWS":
		b, err = newAWS(&spec)
	default:
		err = fmt.Errorf("integration type %q is none of AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK", spec.Type)
	}
	if err != nil {
		return nil, err
	}
	parameters := compileParameters(&spec)
	if spec.Type == "HTTP_PROXY" {
		return &httpProxy{timeout: spec.Timeout, parameters: parameters, handling: spec.ContentHandling, backend: b.(*httpBackend)}, nil
	}
	return &custom{
		timeout:    spec.Timeout,
		parameters: parameters,
		request:    compileTemplates(spec.RequestTemplates, spec.TemplateSelectionExpression),
		behavior:   spec.PassthroughBehavior,
		handling:   spec.ContentHandling,
		backend:    b,
		responses:  compileResponses(spec.Responses),
	}, nil
}

// A backend is what a custom integration calls. It reads the request out of the call, and
// leaves the answer there. The error is one of this package.
type backend interface {
	call(c *call) error
}

// A custom integration makes the request with templates, and so the answer: AWS, HTTP and
// MOCK.
type custom struct {
	timeout    time.Duration
	parameters parameters
	request    templates
	behavior   string
	handling   string
	backend    backend
	responses  responses
}

// Call implements Integration.
func (i *custom) Call(e *Event) (Result, error) {
	c := newCall(e, i.timeout)
	defer c.free()
	if err := i.parameters.apply(c); err != nil {
		return Result{}, err
	}
	if err := i.transform(c); err != nil {
		return Result{}, err
	}
	if err := i.backend.call(c); err != nil {
		return Result{}, err
	}
	return i.responses.apply(c)
}

var errNoTemplate = errors.New("there is no request template for the message, and the passthrough behavior forbids to do without")

// transform makes the body of the request: what the chosen template gives, or the message
// itself. What a template overrides wins over parameters.
func (i *custom) transform(c *call) error {
	c.body = c.e.Message.Text
	if len(i.request.byKey) == 0 {
		if i.behavior == never {
			return ErrMediaType.With(errNoTemplate)
		}
		return i.convert(c)
	}
	t, err := i.request.choose(c)
	switch {
	case err != nil:
		return err
	case t == nil && (i.behavior == never || i.behavior == whenNoTemplates):
		return ErrMediaType.With(errNoTemplate)
	case t == nil:
		return i.convert(c)
	}
	c.template = t
	if c.body, err = t.render(c, c.e.Message.Text, maxPayload); err != nil {
		return err
	}
	if err := c.override(i.parameters.kind); err != nil {
		return err
	}
	return i.convert(c)
}

// convert applies the content handling. A mock has nobody to send bytes to.
func (i *custom) convert(c *call) (err error) {
	if _, ok := i.backend.(mock); ok {
		return nil
	}
	c.body, err = convertRequest(i.handling, c.body)
	return err
}

// An httpProxy hands events to an HTTP backend as they are, and its answers to clients.
type httpProxy struct {
	timeout    time.Duration
	parameters parameters
	handling   string
	backend    *httpBackend
}

// Call implements Integration.
func (i *httpProxy) Call(e *Event) (r Result, err error) {
	c := newCall(e, i.timeout)
	defer c.free()
	if e.Kind == Connect {
		c.forward()
	}
	if err := i.parameters.apply(c); err != nil {
		return Result{}, err
	}
	if c.body, err = convertRequest(i.handling, e.Message.Text); err != nil {
		return Result{}, err
	}
	if err := i.backend.call(c); err != nil {
		return Result{}, err
	}
	r = Result{Status: c.answer.status, Text: validText(c.answer.body)}
	if e.Kind == Connect {
		r.Subprotocol, err = c.subprotocol(fieldOf(c.answer.header, fieldSubprotocol))
	}
	c.logResult(r.Text)
	return r, err
}
