package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/jsonpath"
)

// A function is a Lambda function that an integration calls.
type function struct {
	invoker     integration.Invoker
	arn         string
	credentials string
	source      string
}

var (
	errNoInvoker  = errors.New("there is no function host")
	errInvocation = errors.New(fieldInvocation + " is neither RequestResponse nor Event")
)

func newFunction(spec *Spec, arn string) (*function, error) {
	if spec.Invoker == nil {
		return nil, errNoInvoker
	}
	source := integration.APIARN(spec.Region, spec.Account, spec.API, "/", spec.Stage, "/", spec.RouteKey)
	return &function{spec.Invoker, arn, spec.CredentialsARN, source}, nil
}

// invoke calls the function. The error is one of CallFunction.
func (f *function) invoke(c *call, payload []byte, async bool) (integration.InvocationResult, error) {
	x := c.e.Exchange
	credentials, err := integration.Credentials(x, f.credentials)
	if err != nil {
		return integration.InvocationResult{}, err
	}
	left := time.Until(c.deadline)
	if left <= 0 {
		return integration.InvocationResult{}, gateway.IntegrationTimeout(errLate)
	}
	start := time.Now()
	result, err := integration.CallFunction(x, f.invoker, left, integration.Invocation{
		Function: f.arn, Payload: payload, SourceARN: f.source, CredentialsARN: credentials, TraceID: c.trace(), Async: async,
	})
	x.IntegrationLatency = time.Since(start)
	x.Integration.RequestID = result.RequestID
	return result, err
}

// The path of the ARN that calls a function.
const (
	invocationStart = "path/2015-03-31/functions/"
	invocationEnd   = "/invocations"
)

// functionARN returns the ARN of the function that a URI calls: that of the function itself,
// or the one that apigateway has for calling it.
func functionARN(uri string) (string, bool) {
	if s, ok := parseServiceURI(uri); ok == nil && s.service == "lambda" {
		if rest, ok := strings.CutPrefix(s.rest, invocationStart); ok {
			uri, _ = strings.CutSuffix(rest, invocationEnd)
		}
	}
	parts := strings.SplitN(uri, ":", 7)
	return uri, len(parts) == 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function" && parts[6] != ""
}

// A functionProxy hands events to a function, which says what the client gets.
type functionProxy struct {
	timeout  time.Duration
	handling string
	function *function
	bad      error // of the parameters, which functions get nothing of
}

func newFunctionProxy(spec *Spec) (Integration, error) {
	arn, ok := functionARN(spec.URI)
	if !ok {
		return nil, fmt.Errorf("integration URI %.300q does not lead to a function", spec.URI)
	}
	f, err := newFunction(spec, arn)
	if err != nil {
		return nil, err
	}
	return &functionProxy{spec.Timeout, spec.ContentHandling, f, compileParameters(spec).err}, nil
}

// Call implements Integration.
func (i *functionProxy) Call(e *Event) (Result, error) {
	if i.bad != nil {
		return Result{}, i.bad
	}
	c := newCall(e, i.timeout)
	defer c.free()
	x := e.Exchange
	payload, err := i.event(e, x.Buffers.Request[:0])
	if err != nil {
		return Result{}, err
	}
	x.Buffers.Request = payload
	c.body = payload
	c.logInvocation(i.function.arn)
	other := ErrInternal
	if e.Kind == Connect {
		other = ErrFunction
	}
	result, err := i.function.invoke(c, payload, false)
	if err != nil {
		return Result{}, failed(err, other)
	}
	c.answer.body = result.Payload
	c.logAnswer()
	a, err := integration.ReadAnswer(x, &result, "1.0")
	if err != nil {
		if e.Kind == Disconnect && result.FunctionError == "" {
			return Result{}, nil // nobody hears of it, so that it may be anything
		}
		return Result{}, other.With(err)
	}
	r := Result{Status: a.Status, Text: a.Body}
	switch {
	case e.Kind == Message && !utf8.Valid(r.Text):
		// JSON is UTF-8, and so is what is sent of what came in base64.
		return Result{}, ErrInternal.With(errUTF8)
	case e.Kind == Connect:
		r.Subprotocol, err = c.subprotocol(fieldOf(a.Header, fieldSubprotocol))
	}
	c.logResult(r.Text)
	return r, err
}

// event appends what the function gets.
func (i *functionProxy) event(e *Event, b []byte) ([]byte, error) {
	m := event.Message{RouteKey: e.RouteKey, RequestID: e.RequestID, MessageID: e.MessageID, Time: e.Time, Body: e.Message.Text}
	switch e.Kind {
	case Connect:
		return event.AppendConnect(b, e.Socket, e.Exchange), nil
	case Disconnect:
		return event.AppendDisconnect(b, e.Socket, &m, e.Code, e.Reason), nil
	}
	var err error
	if m.Body, err = convertRequest(i.handling, m.Body); err != nil {
		return nil, err
	}
	m.Base64 = i.handling == toBinary
	return event.AppendMessage(b, e.Socket, &m), nil
}

// A customFunction is a function that gets what templates make, and whose answer templates
// read.
type customFunction struct{ function *function }

// Statuses of the service that runs functions.
const (
	invoked  = 200
	accepted = 202
	badEvent = 400
)

// textNotJSON is what that service says of a payload that is not JSON.
const textNotJSON = "Could not parse request body into json"

func (f customFunction) call(c *call) error {
	async, payload := false, c.body
	if kind := fieldOf(c.header, fieldInvocation); kind != "" {
		if async = strings.EqualFold(kind, "Event"); !async && !strings.EqualFold(kind, "RequestResponse") {
			return ErrConfiguration.With(errInvocation)
		}
	}
	c.logInvocation(f.function.arn)
	c.answer.named = true
	outcome := &c.e.Exchange.Integration
	if len(payload) == 0 {
		payload = []byte("{}")
	} else if !json.Valid(payload) {
		// What the service that runs functions says, to the templates.
		c.answer.status = badEvent
		c.answer.body = []byte(`{"Type":"User","message":"` + textNotJSON + `"}`)
		outcome.Status, outcome.ServiceStatus, outcome.Error = badEvent, badEvent, textNotJSON
		c.logAnswer()
		return nil
	}
	result, err := f.function.invoke(c, payload, async)
	if err != nil {
		return failed(err, ErrInternal)
	}
	c.answer.status = invoked
	if async {
		c.answer.status = accepted
	}
	outcome.Status, outcome.ServiceStatus = c.answer.status, c.answer.status
	if len(result.Payload) > integration.MaxResult {
		return ErrInternal.With(fmt.Errorf("the answer of the function has %d bytes, more than %d", len(result.Payload), integration.MaxResult))
	}
	c.answer.body = result.Payload
	// That a function failed is for access logs: what selects the response is the message in
	// what it returned, in whichever way it did.
	integration.FunctionFailed(c.e.Exchange, &result)
	if value, ok := errorMessage.Select(result.Payload); ok && value[0] == '"' {
		text, _ := jsonpath.AppendText(nil, value)
		c.answer.selector = string(text)
	}
	c.logAnswer()
	return nil
}

// errorMessage leads to the message in the description of an error.
var errorMessage = mustPath(".errorMessage")

func mustPath(path string) jsonpath.Path {
	p, err := jsonpath.Parse(path)
	if err != nil {
		panic(err)
	}
	return p
}
