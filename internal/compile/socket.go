package compile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"penstock/internal/authorizer"
	"penstock/internal/gateway"
	"penstock/internal/model"
	"penstock/internal/pipeline"
	"penstock/internal/schema"
	"penstock/internal/selection"
	"penstock/internal/websocket"
)

// SocketOptions are what the stages of WebSocket APIs refer to besides.
type SocketOptions struct {
	Server *websocket.Server
	// ExecutionLog returns where the execution log of a stage goes; nil if nowhere.
	ExecutionLog func(apiID, stage string) websocket.Sink
}

// A socketView is the part of a stored deployment of a WebSocket API that compiling needs.
type socketView struct {
	API                  socketSettings                                   `json:"api"`
	Integrations         map[string]socketIntegrationView                 `json:"integrations"`
	IntegrationResponses map[string]map[string]*model.IntegrationResponse `json:"integrationResponses"`
	Routes               map[string]socketRouteView                       `json:"routes"`
	RouteResponses       map[string]map[string]*model.RouteResponse       `json:"routeResponses"`
	Authorizers          map[string]authorizerView                        `json:"authorizers"`
	Models               map[string]*model.Model                          `json:"models"`
}

type socketSettings struct {
	DisableExecuteAPIEndpoint bool   `json:"disableExecuteApiEndpoint"`
	RouteSelectionExpression  string `json:"routeSelectionExpression"`
	APIKeySelectionExpression string `json:"apiKeySelectionExpression"`
}

type socketRouteView struct {
	RouteKey                         string                                `json:"routeKey"`
	Target                           string                                `json:"target"`
	AuthorizationType                string                                `json:"authorizationType"`
	AuthorizerID                     string                                `json:"authorizerId"`
	APIKeyRequired                   bool                                  `json:"apiKeyRequired"`
	ModelSelectionExpression         string                                `json:"modelSelectionExpression"`
	RequestModels                    map[string]string                     `json:"requestModels"`
	RequestParameters                map[string]model.ParameterConstraints `json:"requestParameters"`
	RouteResponseSelectionExpression string                                `json:"routeResponseSelectionExpression"`
}

type socketIntegrationView struct {
	IntegrationType             string            `json:"integrationType"`
	ConnectionType              string            `json:"connectionType"`
	ContentHandlingStrategy     string            `json:"contentHandlingStrategy"`
	CredentialsARN              string            `json:"credentialsArn"`
	IntegrationMethod           string            `json:"integrationMethod"`
	IntegrationURI              string            `json:"integrationUri"`
	PassthroughBehavior         string            `json:"passthroughBehavior"`
	RequestParameters           map[string]string `json:"requestParameters"`
	RequestTemplates            map[string]string `json:"requestTemplates"`
	TemplateSelectionExpression string            `json:"templateSelectionExpression"`
	TimeoutInMillis             int               `json:"timeoutInMillis"`
}

// A socketCompiler compiles one stage of a WebSocket API.
type socketCompiler struct {
	compiler
	view  socketView
	stage *websocket.Stage
}

// SocketStage compiles a stage of a WebSocket API out of the deployment it points at. What
// cannot work fails when it is used; the error says why the stage as a whole cannot be
// served.
func SocketStage(o Options, apiID string, settings Settings, deployment []byte) (*gateway.Stage, error) {
	c := &socketCompiler{compiler: compiler{Options: o, apiID: apiID, settings: settings}}
	if err := json.Unmarshal(deployment, &c.view); err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	api := &c.view.API
	expression, err := selection.Parse(api.RouteSelectionExpression)
	if err != nil {
		return nil, fmt.Errorf("route selection expression: %w", err)
	}
	c.stage = &websocket.Stage{
		Server:       o.Sockets.Server,
		APIID:        apiID,
		API:          &gateway.API{ID: apiID, WebSocket: true},
		Name:         settings.Name,
		Variables:    settings.Variables,
		Selection:    expression,
		Routes:       map[string]*websocket.Route{},
		KeyInContext: api.APIKeySelectionExpression == keyInContext,
	}
	s := &gateway.Stage{
		APIID:            apiID,
		Name:             settings.Name,
		DeploymentID:     settings.DeploymentID,
		EndpointDisabled: api.DisableExecuteAPIEndpoint,
		Variables:        settings.Variables,
		Sockets:          c.stage,
	}
	c.stage.Gateway = s
	log, err := openLog(&c.compiler, pipeline.ParseFormat)
	if err != nil {
		return nil, err
	}
	if log != nil {
		c.stage.AccessLog = log
	}
	if o.Sockets.ExecutionLog != nil {
		c.stage.Log = o.Sockets.ExecutionLog(apiID, settings.Name)
	}
	byDefault := value(settings.DefaultRouteSettings)
	c.stage.Level, c.stage.Data = logging(&byDefault)
	for _, id := range slices.Sorted(maps.Keys(c.view.Routes)) {
		view := c.view.Routes[id]
		r := c.socketRoute(id, &view)
		s.Routes = append(s.Routes, r.Gateway)
		switch view.RouteKey {
		case websocket.ConnectKey:
			c.stage.Connect = r
		case websocket.DisconnectKey:
			c.stage.Disconnect = r
		default:
			c.stage.Routes[view.RouteKey] = r
		}
	}
	return s, nil
}

// keyInContext is the expression for API keys that authorizers give.
const keyInContext = "$context.authorizer.usageIdentifierKey"

// socketRoute compiles a route with everything that an event meets on it.
func (c *socketCompiler) socketRoute(id string, view *socketRouteView) *websocket.Route {
	r := &websocket.Route{Gateway: &gateway.Route{Key: view.RouteKey, AuthorizationType: cmp.Or(view.AuthorizationType, model.AuthorizationTypeNone)}}
	c.limit(r.Gateway)
	settings := c.routeSettings(view.RouteKey)
	r.Level, r.Data = logging(&settings)
	c.socketTarget(r, view)
	switch view.RouteKey {
	case websocket.ConnectKey:
		c.handshakes(r, view)
	case websocket.DisconnectKey:
	default:
		r.TwoWay = view.RouteResponseSelectionExpression != "" && c.responds(id)
		c.socketModels(r, view)
	}
	return r
}

// logging returns what settings say about the execution log.
func logging(s *model.RouteSettings) (level websocket.Level, data bool) {
	switch value(s.LoggingLevel) {
	case model.LoggingLevelInfo:
		level = websocket.LevelInfo
	case model.LoggingLevelError:
		level = websocket.LevelError
	}
	return level, value(s.DataTraceEnabled)
}

// responds reports whether a route has the one response that there can be.
func (c *socketCompiler) responds(routeID string) bool {
	for _, r := range c.view.RouteResponses[routeID] {
		if value(r.RouteResponseKey) == websocket.DefaultKey {
			return true
		}
	}
	return false
}

// handshakes compiles what only $connect has.
func (c *socketCompiler) handshakes(r *websocket.Route, view *socketRouteView) {
	r.KeyRequired = view.APIKeyRequired
	for _, name := range slices.Sorted(maps.Keys(view.RequestParameters)) {
		if !value(view.RequestParameters[name].Required) {
			continue
		}
		place, ok := strings.CutPrefix(name, "route.request.header.")
		if ok {
			r.Required = append(r.Required, websocket.Parameter{Header: true, Name: place})
		} else if place, ok := strings.CutPrefix(name, "route.request.querystring."); ok {
			r.Required = append(r.Required, websocket.Parameter{Name: place})
		}
	}
	if r.Gateway.AuthorizationType == model.AuthorizationTypeNone {
		return
	}
	a, err := c.socketAuthorizer(r.Gateway.AuthorizationType, view)
	if err != nil {
		a = websocket.Undecided{Reason: err}
	}
	r.Authorizer = a
}

func (c *socketCompiler) socketAuthorizer(kind string, view *socketRouteView) (websocket.Authorizer, error) {
	if kind == model.AuthorizationTypeAWSIAM {
		arn := authorizer.StageARN(c.Region, c.Account, c.apiID, c.settings.Name)
		return websocket.IAM{Authorizer: authorizer.NewSocketIAM(c.Callers, arn)}, nil
	}
	a, ok := c.view.Authorizers[view.AuthorizerID]
	if !ok {
		return nil, fmt.Errorf("authorizer %s does not exist", view.AuthorizerID)
	}
	if kind != model.AuthorizationTypeCustom || a.AuthorizerType != model.AuthorizerTypeRequest {
		return nil, fmt.Errorf("authorizer %s is of type %s, which does not decide for authorization type %s", view.AuthorizerID, a.AuthorizerType, kind)
	}
	function, credentials, err := c.authorizerFunction(&a)
	if err != nil {
		return nil, err
	}
	spec := authorizer.SocketLambdaSpec{
		Invoker:        c.Invoker,
		Function:       function,
		CredentialsARN: credentials,
		Region:         c.Region,
		Account:        c.Account,
		API:            c.apiID,
		Stage:          c.settings.Name,
		AuthorizerID:   view.AuthorizerID,
	}
	for _, text := range a.IdentitySource {
		source, err := authorizer.ParseSocketSource(text, c.settings.Variables)
		if err != nil {
			return nil, fmt.Errorf("identity source %s: %w", text, err)
		}
		spec.Sources = append(spec.Sources, source)
	}
	return websocket.Lambda{Authorizer: authorizer.NewSocketLambda(spec)}, nil
}

// socketModels compiles the models of the route. A model that cannot be used refuses every
// message: somebody counts on them being checked.
func (c *socketCompiler) socketModels(r *websocket.Route, view *socketRouteView) {
	if view.ModelSelectionExpression == "" {
		return
	}
	m := &websocket.Models{Schemas: map[string]*schema.Schema{}}
	var err error
	if m.Selection, err = selection.Parse(view.ModelSelectionExpression); err != nil {
		m.Selection = new(selection.Expression)
		r.Models = m // has no schema, and so refuses everything
		return
	}
	find := c.finder(c.view.Models)
	for key, name := range view.RequestModels {
		text, ok := find(name)
		if !ok {
			m.Schemas[key] = nil
			continue
		}
		m.Schemas[key], _ = schema.Compile(text, find) // nil if it cannot be used
	}
	r.Models = m
}

// socketTarget compiles what the route leads to; nothing when it has no target.
func (c *socketCompiler) socketTarget(r *websocket.Route, view *socketRouteView) {
	if view.Target == "" {
		return
	}
	id := strings.TrimPrefix(view.Target, "integrations/")
	i, ok := c.view.Integrations[id]
	if !ok {
		r.Integration = pipeline.Failing(fmt.Errorf("integration %s does not exist", id))
		return
	}
	r.Mock = i.IntegrationType == model.IntegrationTypeMock
	compiled, err := c.socketIntegration(id, &i, view.RouteKey)
	if err != nil {
		compiled = pipeline.Failing(fmt.Errorf("integration %s: %w", id, err))
	}
	r.Integration = compiled
}

// defaultSocketTimeout is the timeout of integrations of WebSocket APIs that do not say, in
// milliseconds.
const defaultSocketTimeout = 29000

func (c *socketCompiler) socketIntegration(id string, i *socketIntegrationView, routeKey string) (pipeline.Integration, error) {
	if private, err := isPrivate(i.ConnectionType); err != nil {
		return nil, err
	} else if private {
		return nil, errors.New("WebSocket APIs have no VPC links in this version")
	}
	spec := pipeline.Spec{
		Type:                        i.IntegrationType,
		URI:                         i.IntegrationURI,
		Method:                      i.IntegrationMethod,
		CredentialsARN:              i.CredentialsARN,
		Timeout:                     time.Duration(cmp.Or(i.TimeoutInMillis, defaultSocketTimeout)) * time.Millisecond,
		RequestParameters:           i.RequestParameters,
		RequestTemplates:            i.RequestTemplates,
		TemplateSelectionExpression: i.TemplateSelectionExpression,
		PassthroughBehavior:         i.PassthroughBehavior,
		ContentHandling:             i.ContentHandlingStrategy,
		Variables:                   c.settings.Variables,
		Region:                      c.Region,
		Account:                     c.Account,
		API:                         c.apiID,
		Stage:                       c.settings.Name,
		RouteKey:                    routeKey,
		Client:                      c.Client,
		Invoker:                     c.Invoker,
		Service:                     c.Service,
	}
	responses := c.view.IntegrationResponses[id]
	for _, key := range slices.Sorted(maps.Keys(responses)) {
		one := responses[key]
		spec.Responses = append(spec.Responses, pipeline.ResponseSpec{
			Key:                         value(one.IntegrationResponseKey),
			ContentHandling:             value(one.ContentHandlingStrategy),
			Parameters:                  one.ResponseParameters,
			Templates:                   one.ResponseTemplates,
			TemplateSelectionExpression: value(one.TemplateSelectionExpression),
		})
	}
	return pipeline.New(spec)
}
