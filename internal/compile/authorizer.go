package compile

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"penstock/internal/authorizer"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/model"
)

// An authorizerView is the part of a stored authorizer that compiling needs.
type authorizerView struct {
	AuthorizerType                 string                  `json:"authorizerType"`
	IdentitySource                 []string                `json:"identitySource"`
	JWTConfiguration               *model.JWTConfiguration `json:"jwtConfiguration"`
	AuthorizerURI                  string                  `json:"authorizerUri"`
	AuthorizerCredentialsARN       string                  `json:"authorizerCredentialsArn"`
	AuthorizerPayloadFormatVersion string                  `json:"authorizerPayloadFormatVersion"`
	AuthorizerResultTTLInSeconds   *int                    `json:"authorizerResultTtlInSeconds"`
	EnableSimpleResponses          bool                    `json:"enableSimpleResponses"`
}

// authorize gives a route its authorizer. What cannot work becomes one that lets
// nobody through.
func (c *compiler) authorize(r *gateway.Route, view *routeView) {
	r.AuthorizationType = cmp.Or(view.AuthorizationType, model.AuthorizationTypeNone)
	if r.AuthorizationType == model.AuthorizationTypeNone {
		return
	}
	a, err := c.authorizer(r.AuthorizationType, view)
	if err != nil {
		a = undecided{err}
	}
	r.Authorizer = a
}

// An undecided authorizer cannot work, for a reason that was found when it was
// compiled.
type undecided struct{ reason error }

// Authorize implements gateway.Authorizer.
func (u undecided) Authorize(x *gateway.Exchange) error {
	x.AuthorizerError = u.reason.Error()
	return gateway.AuthorizerFailure(u.reason)
}

func (c *compiler) authorizer(kind string, view *routeView) (gateway.Authorizer, error) {
	if kind == model.AuthorizationTypeAWSIAM {
		return authorizer.NewIAM(c.Callers), nil
	}
	a, ok := c.deployment.Authorizers[view.AuthorizerID]
	if !ok {
		return nil, fmt.Errorf("authorizer %s does not exist", view.AuthorizerID)
	}
	switch {
	case kind == model.AuthorizationTypeJWT && a.AuthorizerType == model.AuthorizerTypeJWT:
		return c.jwt(&a, view)
	case kind == model.AuthorizationTypeCustom && a.AuthorizerType == model.AuthorizerTypeRequest:
		return c.lambda(view.AuthorizerID, &a)
	}
	return nil, fmt.Errorf("authorizer %s is of type %s, which does not decide for authorization type %s", view.AuthorizerID, a.AuthorizerType, kind)
}

func (c *compiler) jwt(a *authorizerView, view *routeView) (gateway.Authorizer, error) {
	if a.JWTConfiguration == nil || len(a.IdentitySource) != 1 {
		return nil, fmt.Errorf("authorizer %s needs a JWT configuration and one identity source", view.AuthorizerID)
	}
	return authorizer.NewJWT(c.Issuers, authorizer.JWTSpec{
		Source:   a.IdentitySource[0],
		Issuer:   value(a.JWTConfiguration.Issuer),
		Audience: a.JWTConfiguration.Audience,
		Scopes:   view.AuthorizationScopes,
	})
}

// defaultResultTTL is how long results hold, in seconds, if the authorizer does not
// say.
const defaultResultTTL = 300

func (c *compiler) lambda(id string, a *authorizerView) (gateway.Authorizer, error) {
	function, credentials, err := c.authorizerFunction(a)
	if err != nil {
		return nil, err
	}
	spec := authorizer.LambdaSpec{
		Invoker:        c.Invoker,
		Function:       function,
		CredentialsARN: credentials,
		Version:        a.AuthorizerPayloadFormatVersion,
		Simple:         a.EnableSimpleResponses,
		API:            c.apiID,
		Stage:          c.settings.Name,
		AuthorizerID:   id,
		// What another deployment or an emptied cache had is never found again.
		Revision: c.settings.DeploymentID + "." + strconv.Itoa(c.settings.Resets),
	}
	if len(a.IdentitySource) > 0 {
		spec.TTL = defaultResultTTL * time.Second
	}
	if a.AuthorizerResultTTLInSeconds != nil {
		spec.TTL = time.Duration(*a.AuthorizerResultTTLInSeconds) * time.Second
	}
	for _, text := range a.IdentitySource {
		source, err := mapping.ParseRequest(text, mapping.Scope{Variables: c.settings.Variables})
		if err != nil {
			return nil, fmt.Errorf("identity source %s: %w", text, err)
		}
		spec.Sources, spec.SourceNames = append(spec.Sources, source), append(spec.SourceNames, text)
	}
	return authorizer.NewLambda(c.Results, spec)
}

// authorizerFunction returns the function of a Lambda authorizer and the role to call it
// with.
func (c *compiler) authorizerFunction(a *authorizerView) (function, credentials string, err error) {
	uri, err := integration.ExpandStageVariables(a.AuthorizerURI, c.settings.Variables)
	if err != nil {
		return "", "", fmt.Errorf("authorizerUri: %w", err)
	}
	if function, err = functionARN(uri); err != nil {
		return "", "", err
	}
	if credentials, err = integration.ExpandStageVariables(a.AuthorizerCredentialsARN, c.settings.Variables); err != nil {
		return "", "", fmt.Errorf("authorizerCredentialsArn: %w", err)
	}
	return function, credentials, nil
}
