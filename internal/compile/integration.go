package compile

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/route"
)

// http gives a route an integration with an HTTP backend.
func (c *compiler) http(r *gateway.Route, i *integrationView, key route.Key) error {
	uri, err := integration.ExpandStageVariables(i.IntegrationURI, c.settings.Variables)
	if err != nil {
		return err
	}
	spec := integration.HTTPSpec{
		Method:     i.IntegrationMethod,
		URI:        uri,
		Vars:       key.Vars(),
		AppendPath: key.Default(),
		Timeout:    i.timeout(),
	}
	if spec.Request, spec.Response, err = c.mappings(i, key); err != nil {
		return err
	}
	r.ReadsBody = spec.Request.ReadsBody()
	r.Integration, err = integration.NewHTTP(c.Client, spec)
	return err
}

// function gives a route an integration with a Lambda function.
func (c *compiler) function(r *gateway.Route, i *integrationView, key route.Key) error {
	uri, err := integration.ExpandStageVariables(i.IntegrationURI, c.settings.Variables)
	if err != nil {
		return err
	}
	spec := integration.LambdaSpec{
		Invoker:  c.Invoker,
		Version:  cmp.Or(i.PayloadFormatVersion, defaultPayloadVersion),
		Timeout:  i.timeout(),
		Region:   c.Region,
		Account:  c.Account,
		API:      c.apiID,
		Stage:    c.settings.Name,
		RouteKey: key.String(),
	}
	if spec.Function, err = functionARN(uri); err != nil {
		return err
	}
	if spec.CredentialsARN, err = integration.ExpandStageVariables(i.CredentialsARN, c.settings.Variables); err != nil {
		return fmt.Errorf("credentialsArn: %w", err)
	}
	if spec.Request, spec.Response, err = c.mappings(i, key); err != nil {
		return err
	}
	l, err := integration.NewLambda(spec)
	if err != nil {
		return err
	}
	r.Integration, r.ReadsBody = l, spec.Request.ReadsBody()
	return nil
}

// mappings compiles the parameter mappings of an integration; nil where there are none.
func (c *compiler) mappings(i *integrationView, key route.Key) (request *mapping.Request, response *mapping.Response, err error) {
	scope := mapping.Scope{Vars: key.Vars(), Variables: c.settings.Variables}
	if request, err = mapping.CompileRequest(i.RequestParameters, scope); err != nil {
		return nil, nil, fmt.Errorf("request parameters: %w", err)
	}
	if response, err = mapping.CompileResponse(i.ResponseParameters, scope); err != nil {
		return nil, nil, fmt.Errorf("response parameters: %w", err)
	}
	return request, response, nil
}

// What integrations have that do not say: the timeout of HTTP APIs in milliseconds, and
// the payload format.
const (
	defaultTimeout        = 30000
	defaultPayloadVersion = "1.0"
)

func (i *integrationView) timeout() time.Duration {
	return time.Duration(cmp.Or(i.TimeoutInMillis, defaultTimeout)) * time.Millisecond
}

// functionARN returns the ARN in an invocation URI:
// arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}/invocations. The
// ARN of a function stands for itself.
func functionARN(uri string) (string, error) {
	arn := uri
	if _, rest, ok := strings.Cut(uri, ":lambda:path/"); ok {
		_, arn, _ = strings.Cut(rest, "/functions/")
		arn = strings.TrimSuffix(arn, "/invocations")
	}
	if parts := strings.SplitN(arn, ":", 7); len(parts) != 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" || parts[6] == "" {
		return "", fmt.Errorf("%q does not name a Lambda function", uri)
	}
	return arn, nil
}
