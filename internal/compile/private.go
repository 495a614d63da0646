package compile

import (
	"errors"
	"fmt"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/model"
	"penstock/internal/route"
	"penstock/internal/subtype"
)

// errNoUpstreams says that the server has nothing that finds the backends of private
// integrations.
var errNoUpstreams = errors.New("there is nothing that finds upstreams")

// private gives a route an integration with backends behind a VPC link.
func (c *compiler) private(r *gateway.Route, i *integrationView, key route.Key) error {
	if c.Upstream == nil {
		return errNoUpstreams
	}
	uri, err := integration.ExpandStageVariables(i.IntegrationURI, c.settings.Variables)
	if err != nil {
		return err
	}
	link, err := integration.ExpandStageVariables(i.ConnectionID, c.settings.Variables)
	if err != nil {
		return fmt.Errorf("connectionId: %w", err)
	}
	spec := integration.PrivateSpec{
		Method:  i.IntegrationMethod,
		Timeout: i.timeout(),
		Link:    c.Links.Of(link),
		Via:     c.via(link),
	}
	if i.TLSConfig != nil {
		spec.TLS, spec.ServerName = true, value(i.TLSConfig.ServerNameToVerify)
	}
	if spec.Upstream, err = c.Upstream(uri); err != nil {
		return err
	}
	if spec.Request, spec.Response, err = c.mappings(i, key); err != nil {
		return err
	}
	p, err := integration.NewPrivate(c.Client, spec)
	if err != nil {
		return err
	}
	r.Integration, r.ReadsBody = p, spec.Request.ReadsBody()
	return nil
}

// via returns the name of the dialer of a VPC link.
func (o *Options) via(link string) string {
	if o.Via == nil {
		return ""
	}
	return o.Via(link)
}

// service gives a route an integration with an AWS service.
func (c *compiler) service(r *gateway.Route, i *integrationView, key route.Key) error {
	credentials, err := integration.ExpandStageVariables(i.CredentialsARN, c.settings.Variables)
	if err != nil {
		return fmt.Errorf("credentialsArn: %w", err)
	}
	scope := mapping.Scope{Vars: key.Vars(), Variables: c.settings.Variables}
	response, err := mapping.CompileResponse(i.ResponseParameters, scope)
	if err != nil {
		return fmt.Errorf("response parameters: %w", err)
	}
	s, err := subtype.New(subtype.Spec{
		Subtype:        i.IntegrationSubtype,
		Parameters:     i.RequestParameters,
		Scope:          scope,
		CredentialsARN: credentials,
		Timeout:        i.timeout(),
		Region:         c.Region,
		Account:        c.Account,
		API:            c.apiID,
		Stage:          c.settings.Name,
		RouteKey:       key.String(),
		Service:        c.Service,
		Response:       response,
		SQSResponse:    c.SQSResponse,
	})
	if err != nil {
		return err
	}
	r.Integration, r.ReadsBody = s, s.ReadsBody()
	return nil
}

// isPrivate reports whether an integration goes through a VPC link. A connection type that
// nobody knows is an error.
func isPrivate(connectionType string) (bool, error) {
	switch connectionType {
	case model.ConnectionTypeVPCLink:
		return true, nil
	case "", model.ConnectionTypeInternet:
		return false, nil
	}
	return false, fmt.Errorf("connection type %q is neither INTERNET nor VPC_LINK", connectionType)
}
